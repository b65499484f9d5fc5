//! Tools, the choice among them, and their names.

use crate::support::{
    CHAT, GEMINI, MESSAGES, RESPONSES, Row, and, check, compatible, dropped, emulated, has, lacks, refused,
    row, says, silence, silent, whole,
};
use byok_types::Dialect;
use serde_json::{Value, json};

/// A row about tools, given by their list.
fn tools(name: &'static str, client: Dialect, list: &Value) -> Row {
    row(name, client, &json!({"tools": list}))
}

fn function(client: Dialect, name: &str) -> Value {
    let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    match client {
        CHAT => {
            json!({"type": "function", "function": {"name": name, "description": "d", "parameters": schema}})
        }
        RESPONSES => {
            json!({"type": "function", "name": name, "description": "d", "parameters": schema, "strict": false})
        }
        MESSAGES => json!({"name": name, "description": "d", "input_schema": schema}),
        GEMINI => {
            json!({"functionDeclarations": [{"name": name, "description": "d", "parametersJsonSchema": schema}]})
        }
    }
}

#[test]
fn functions() {
    let mut rows = Vec::new();
    for client in Dialect::ALL {
        let mut row = tools("function", client, &json!([function(client, "f")]));
        for target in Dialect::ALL.into_iter().filter(|target| *target != client) {
            let mut expected = function(target, "f");
            match target {
                // Chat's own default; OpenAI hears it said.
                CHAT if client == RESPONSES => expected["function"]["strict"] = false.into(),
                MESSAGES => expected["cache_control"] = json!({"type": "ephemeral"}),
                _ => {}
            }
            row = row.to(target, has("/tools/0", expected));
        }
        rows.push(row);
    }
    let strict = json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"],
        "additionalProperties": false});
    rows.push(
        tools(
            "strict",
            RESPONSES,
            &json!([{"type": "function", "name": "f", "parameters": strict, "strict": true}]),
        )
        .to(CHAT, has("/tools/0/function/strict", true))
        .to(MESSAGES, has("/tools/0/strict", true))
        .to(GEMINI, silence("strict")),
    );
    let loose = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let in_chat =
        json!([{"type": "function", "function": {"name": "f", "parameters": loose, "strict": true}}]);
    let in_responses = json!([{"type": "function", "name": "f", "parameters": loose, "strict": true}]);
    let in_messages = json!([{"name": "f", "input_schema": loose, "strict": true}]);
    rows.extend([
        // Who speaks OpenAI's dialects knows what it asks for.
        tools("strict and loose", CHAT, &in_chat)
            .to(RESPONSES, has("/tools/0/strict", true))
            .to(MESSAGES, and(silence("strict"), dropped("tools[0].strict")))
            .to(GEMINI, silence("strict")),
        tools("strict and loose", RESPONSES, &in_responses)
            .to(CHAT, has("/tools/0/function/strict", true))
            .to(MESSAGES, and(silence("strict"), dropped("tools[0].strict")))
            .to(GEMINI, silence("strict")),
        // Messages enforces schemas that OpenAI does not.
        tools("strict and loose", MESSAGES, &in_messages)
            .to(CHAT, and(has("/tools/0/function/strict", false), dropped("tools[0].strict")))
            .to(RESPONSES, and(has("/tools/0/strict", false), dropped("tools[0].strict")))
            .to(GEMINI, silence("strict")),
        tools("strict and loose at a compatible server", MESSAGES, &in_messages)
            .at(compatible)
            .to(CHAT, and(lacks("/tools/0/function/strict"), dropped("tools[0].strict")))
            .to(RESPONSES, and(has("/tools/0/strict", false), dropped("tools[0].strict")))
            .to(GEMINI, silence("strict")),
    ]);
    rows.push(
        tools(
            "no parameters",
            RESPONSES,
            &json!([{"type": "function", "name": "f", "parameters": null, "strict": null}]),
        )
        .to(CHAT, has("/tools/0/function/parameters", json!({"type": "object", "properties": {}})))
        .to(MESSAGES, has("/tools/0/input_schema", json!({"type": "object", "properties": {}})))
        .to(GEMINI, has("/tools/0/functionDeclarations/0/name", "f")),
    );
    let odd = json!({"type": "object", "properties": [], "required": true});
    let mended = json!({"type": "object", "properties": {}});
    rows.push(
        tools(
            "as PHP writes them",
            CHAT,
            &json!([{"type": "function", "function": {"name": "f", "parameters": odd}}]),
        )
        .to(RESPONSES, has("/tools/0/parameters", mended.clone()))
        .to(MESSAGES, has("/tools/0/input_schema", mended.clone()))
        .to(GEMINI, has("/tools/0/functionDeclarations/0/parametersJsonSchema", mended)),
    );
    rows.push(
        tools(
            "deferred",
            MESSAGES,
            &json!([{"name": "f", "input_schema": {"type": "object"}, "defer_loading": true,
            "input_examples": [{}]}]),
        )
        .to(
            CHAT,
            and(
                and(silence("input_examples"), silence("defer_loading")),
                and(emulated("tools[0].defer_loading"), dropped("tools[0].input_examples")),
            ),
        )
        .to(RESPONSES, and(emulated("tools[0].defer_loading"), dropped("tools[0].input_examples")))
        .to(GEMINI, and(emulated("tools[0].defer_loading"), dropped("tools[0].input_examples"))),
    );
    check(&rows);
}

#[test]
fn free_text_and_namespaces() {
    let in_chat = json!([{"type": "custom", "custom": {"name": "p", "description": "d",
        "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: X"}}}}]);
    let in_responses = json!([{"type": "custom", "name": "p", "description": "d",
        "format": {"type": "grammar", "syntax": "lark", "definition": "start: X"}}]);
    let group =
        json!([{"type": "namespace", "name": "n", "description": "d", "tools": [function(RESPONSES, "f")]}]);
    check(&[
        tools("custom", CHAT, &in_chat)
            .to(RESPONSES, has("/tools", in_responses.clone()))
            .to(
                MESSAGES,
                and(
                    has("/tools/0/input_schema/required", json!(["input"])),
                    and(says("start: X"), emulated("tools[0]")),
                ),
            )
            .to(GEMINI, and(says("start: X"), emulated("tools[0]"))),
        tools("custom", RESPONSES, &in_responses)
            .to(CHAT, has("/tools", in_chat.clone()))
            .to(MESSAGES, and(has("/tools/0/name", "p"), emulated("tools[0]")))
            .to(GEMINI, and(has("/tools/0/functionDeclarations/0/name", "p"), emulated("tools[0]"))),
        tools("custom at a compatible server", RESPONSES, &in_responses)
            .at(compatible)
            .to(
                CHAT,
                and(has("/tools/0/function/parameters/required", json!(["input"])), emulated("tools[0]")),
            )
            .to(MESSAGES, has("/tools/0/input_schema/required", json!(["input"])))
            .to(GEMINI, says("start: X")),
        tools("namespace", RESPONSES, &group)
            .to(CHAT, has("/tools/0/function/name", "n__f"))
            .to(MESSAGES, has("/tools/0/name", "n__f"))
            .to(GEMINI, has("/tools/0/functionDeclarations/0/name", "n__f")),
    ]);
}

#[test]
fn typed_tools() {
    let list = |kind: &str, name: &str| json!([{"type": kind, "name": name}]);
    let mut rows = Vec::new();
    for (kind, name, word) in [
        ("bash_20250124", "bash", "restart"),
        ("text_editor_20250728", "str_replace_based_edit_tool", "str_replace"),
        ("memory_20250818", "memory", "rename"),
    ] {
        rows.push(
            tools("typed", MESSAGES, &list(kind, name))
                .to(CHAT, and(has("/tools/0/function/name", name), and(says(word), emulated("tools[0]"))))
                .to(RESPONSES, and(has("/tools/0/name", name), and(says(word), emulated("tools[0]"))))
                .to(
                    GEMINI,
                    and(
                        has("/tools/0/functionDeclarations/0/name", name),
                        and(says(word), emulated("tools[0]")),
                    ),
                ),
        );
    }
    rows.push(
        tools("typed and unknown", MESSAGES, &list("browser_toolset_20260801", "browser"))
            .to(CHAT, and(lacks("/tools"), dropped("tools[0]")))
            .to(RESPONSES, and(lacks("/tools"), dropped("tools[0]")))
            .to(GEMINI, and(lacks("/tools"), dropped("tools[0]"))),
    );
    check(&rows);
}

#[test]
fn hosted_tools() {
    let place = json!({"type": "approximate", "city": "Oslo"});
    let in_chat = json!({"search_context_size": "low", "user_location": {"type": "approximate", "approximate": {"city": "Oslo"}}});
    let in_responses =
        json!([{"type": "web_search", "filters": {"allowed_domains": ["e.org"]}, "user_location": place}]);
    let in_messages = json!([{"type": "web_search_20250305", "name": "web_search", "max_uses": 3,
        "allowed_domains": ["e.org"], "user_location": place}]);
    let blocked =
        json!([{"type": "web_search_20250305", "name": "web_search", "blocked_domains": ["e.org"]}]);
    check(&[
        row("web search", CHAT, &json!({"web_search_options": in_chat}))
            .to(
                RESPONSES,
                and(
                    has("/tools/0/type", "web_search"),
                    and(
                        has("/tools/0/search_context_size", "low"),
                        has("/tools/0/user_location/city", "Oslo"),
                    ),
                ),
            )
            .to(
                MESSAGES,
                and(
                    has("/tools/0/type", "web_search_20250305"),
                    and(
                        has("/tools/0/user_location", place.clone()),
                        dropped("web_search_options.search_context_size"),
                    ),
                ),
            )
            .to(
                GEMINI,
                and(
                    has("/tools/0", json!({"googleSearch": {}})),
                    and(
                        dropped("web_search_options.search_context_size"),
                        dropped("web_search_options.user_location"),
                    ),
                ),
            ),
        tools("web search", RESPONSES, &in_responses)
            .to(CHAT, and(lacks("/tools"), dropped("tools[0]")))
            .to(
                MESSAGES,
                and(
                    has("/tools/0/allowed_domains", json!(["e.org"])),
                    has("/tools/0/user_location", place.clone()),
                ),
            )
            .to(
                GEMINI,
                and(
                    has("/tools/0", json!({"googleSearch": {}})),
                    and(dropped("tools[0].filters.allowed_domains"), dropped("tools[0].user_location")),
                ),
            ),
        tools("web search", MESSAGES, &in_messages)
            .to(CHAT, and(lacks("/tools"), dropped("tools[0]")))
            .to(
                RESPONSES,
                and(has("/tools/0/filters/allowed_domains", json!(["e.org"])), dropped("tools[0].max_uses")),
            )
            .to(
                GEMINI,
                and(
                    has("/tools/0", json!({"googleSearch": {}})),
                    and(dropped("tools[0].max_uses"), dropped("tools[0].allowed_domains")),
                ),
            ),
        tools(
            "size of the context",
            RESPONSES,
            &json!([{"type": "web_search", "search_context_size": "low"}]),
        )
        .to(CHAT, dropped("tools[0]"))
        .to(MESSAGES, dropped("tools[0].search_context_size"))
        .to(GEMINI, dropped("tools[0].search_context_size")),
        tools("domains to leave out", MESSAGES, &blocked)
            .to(CHAT, dropped("tools[0]"))
            .to(RESPONSES, and(has("/tools/0/type", "web_search"), dropped("tools[0].blocked_domains")))
            .to(GEMINI, dropped("tools[0].blocked_domains")),
        tools(
            "a search behind functions",
            GEMINI,
            &json!([{"functionDeclarations": [{"name": "f"}, {"name": "g"}]}, {"googleSearch": {"excludeDomains": ["e.org"]}}]),
        )
        .to(CHAT, and(lacks("/tools/2"), dropped("tools[1].googleSearch")))
        .to(RESPONSES, dropped("tools[1].googleSearch.excludeDomains"))
        .to(MESSAGES, has("/tools/2/blocked_domains", json!(["e.org"]))),
        row(
            "a search beside functions",
            CHAT,
            &json!({"web_search_options": {}, "tools": [{"type": "function", "function": {"name": "f"}}]}),
        )
        .to(RESPONSES, has("/tools/1/type", "web_search"))
        .to(MESSAGES, has("/tools/1/type", "web_search_20250305"))
        .to(GEMINI, and(lacks("/tools/1"), dropped("web_search_options"))),
        tools("web search", GEMINI, &json!([{"googleSearch": {}}]))
            .to(CHAT, and(lacks("/tools"), dropped("tools[0].googleSearch")))
            .to(RESPONSES, has("/tools/0/type", "web_search"))
            .to(MESSAGES, has("/tools/0/type", "web_search_20250305")),
        tools("fetch", MESSAGES, &json!([{"type": "web_fetch_20250910", "name": "web_fetch"}]))
            .to(CHAT, dropped("tools[0]"))
            .to(RESPONSES, and(has("/tools/0/type", "web_search"), emulated("tools[0]")))
            .to(GEMINI, has("/tools/0", json!({"urlContext": {}}))),
        tools("fetch", GEMINI, &json!([{"urlContext": {}}]))
            .to(CHAT, dropped("tools[0].urlContext"))
            .to(RESPONSES, and(has("/tools/0/type", "web_search"), emulated("tools[0].urlContext")))
            .to(MESSAGES, has("/tools/0/type", "web_fetch_20250910")),
        tools("code", RESPONSES, &json!([{"type": "code_interpreter", "container": {"type": "auto"}}]))
            .to(CHAT, dropped("tools[0]"))
            .to(MESSAGES, has("/tools/0/type", "code_execution_20250825"))
            .to(GEMINI, has("/tools/0", json!({"codeExecution": {}}))),
        tools("code", MESSAGES, &json!([{"type": "code_execution_20250825", "name": "code_execution"}]))
            .to(CHAT, dropped("tools[0]"))
            .to(RESPONSES, has("/tools/0/type", "code_interpreter"))
            .to(GEMINI, has("/tools/0", json!({"codeExecution": {}}))),
        tools("code", GEMINI, &json!([{"codeExecution": {}}]))
            .to(CHAT, dropped("tools[0].codeExecution"))
            .to(RESPONSES, has("/tools/0/type", "code_interpreter"))
            .to(MESSAGES, has("/tools/0/type", "code_execution_20250825")),
        tools("file search", RESPONSES, &json!([{"type": "file_search", "vector_store_ids": ["v"]}]))
            .to(CHAT, dropped("tools[0]"))
            .to(MESSAGES, dropped("tools[0]"))
            .to(GEMINI, dropped("tools[0]")),
        tools("pictures", RESPONSES, &json!([{"type": "image_generation"}]))
            .to(CHAT, dropped("tools[0]"))
            .to(MESSAGES, dropped("tools[0]"))
            .to(GEMINI, dropped("tools[0]")),
        tools("maps", GEMINI, &json!([{"googleMaps": {}}]))
            .to(CHAT, dropped("tools[0].googleMaps"))
            .to(RESPONSES, dropped("tools[0].googleMaps"))
            .to(MESSAGES, dropped("tools[0].googleMaps")),
        tools("hosted beside a function", MESSAGES, &json!([function(MESSAGES, "f"), in_messages[0]]))
            .to(CHAT, and(has("/tools/0/function/name", "f"), dropped("tools[1]")))
            .to(RESPONSES, has("/tools/1/type", "web_search"))
            .to(GEMINI, and(silence("googleSearch"), dropped("tools[1]"))),
        tools("hosted at a compatible server", RESPONSES, &in_responses)
            .at(compatible)
            .to(CHAT, dropped("tools[0]"))
            .to(MESSAGES, dropped("tools[0]"))
            .to(GEMINI, has("/tools/0", json!({"googleSearch": {}}))),
    ]);
}

/// The choice, told by each client and wanted of each target.
#[test]
fn choice() {
    let names = ["f", "g"];
    let choosing = |client, choice: &Value| match client {
        GEMINI => {
            json!({"tools": [{"functionDeclarations": names.map(|name| function(GEMINI, name)["functionDeclarations"][0].clone())}],
            "toolConfig": {"functionCallingConfig": choice}})
        }
        _ => json!({"tools": names.map(|name| function(client, name)), "tool_choice": choice}),
    };
    // In the order of Dialect::ALL; null where the dialect does not say it in a word of its own.
    let choices = [
        ("auto", json!("auto"), json!("auto"), json!({"type": "auto"}), json!({"mode": "AUTO"})),
        ("none", json!("none"), json!("none"), json!({"type": "none"}), json!({"mode": "NONE"})),
        ("required", json!("required"), json!("required"), json!({"type": "any"}), json!({"mode": "ANY"})),
        (
            "one function",
            json!({"type": "function", "function": {"name": "f"}}),
            json!({"type": "function", "name": "f"}),
            json!({"type": "tool", "name": "f"}),
            json!({"mode": "ANY", "allowedFunctionNames": ["f"]}),
        ),
        (
            "two functions, one needed",
            json!({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [
                {"type": "function", "function": {"name": "f"}}, {"type": "function", "function": {"name": "g"}}]}}),
            json!({"type": "allowed_tools", "mode": "required",
                "tools": [{"type": "function", "name": "f"}, {"type": "function", "name": "g"}]}),
            json!({"type": "any"}),
            json!({"mode": "ANY", "allowedFunctionNames": ["f", "g"]}),
        ),
    ];
    let places = ["/tool_choice", "/tool_choice", "/tool_choice", "/toolConfig/functionCallingConfig"];
    let mut rows = Vec::new();
    for (name, chat, responses, messages, gemini) in &choices {
        let words = [chat, responses, messages, gemini];
        for (client, said) in Dialect::ALL.into_iter().zip(words) {
            // `any` of Messages with both functions is no subset.
            if *name == "two functions, one needed" && client == MESSAGES {
                continue;
            }
            let mut row = row(name, client, &choosing(client, said));
            for ((target, place), word) in Dialect::ALL.into_iter().zip(places).zip(words) {
                row = row.to(target, has(place, word.clone()));
            }
            rows.push(row);
        }
    }
    let subset =
        json!({"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "g"}]});
    let hosted = json!({"tools": [{"type": "web_search"}], "tool_choice": {"type": "web_search_preview"}});
    let custom =
        json!({"tools": [{"type": "custom", "name": "p"}], "tool_choice": {"type": "custom", "name": "p"}});
    let opaque = json!({"tools": [function(RESPONSES, "f")], "tool_choice": {"type": "apply_patch"}});
    let spaced = |choice: &Value| {
        json!({"tools": [{"type": "namespace", "name": "ns", "description": "d",
            "tools": [function(RESPONSES, "get"), function(RESPONSES, "put")]}], "tool_choice": choice})
    };
    let thinking =
        json!({"tools": [function(CHAT, "f")], "tool_choice": "required", "reasoning_effort": "high"});
    rows.extend([
        row("subset", RESPONSES, &choosing(RESPONSES, &subset))
            .to(CHAT, has("/tool_choice/allowed_tools/tools/0/function/name", "g"))
            .to(
                MESSAGES,
                and(
                    has("/tools/0/name", "g"),
                    and(lacks("/tools/1"), and(has("/tool_choice/type", "auto"), emulated("tool_choice"))),
                ),
            )
            .to(
                GEMINI,
                has(
                    "/toolConfig/functionCallingConfig",
                    json!({"mode": "VALIDATED", "allowedFunctionNames": ["g"]}),
                ),
            ),
        row("subset at a compatible server", RESPONSES, &choosing(RESPONSES, &subset))
            .at(compatible)
            .to(
                CHAT,
                and(
                    has("/tools/0/function/name", "g"),
                    and(lacks("/tools/1"), and(has("/tool_choice", "auto"), emulated("tool_choice"))),
                ),
            )
            .to(MESSAGES, emulated("tool_choice"))
            .to(GEMINI, has("/toolConfig/functionCallingConfig/mode", "VALIDATED")),
        row(
            "a tool of a namespace without it",
            RESPONSES,
            &spaced(&json!({"type": "function", "name": "get"})),
        )
        .to(CHAT, has("/tool_choice/function/name", "ns__get"))
        .to(MESSAGES, has("/tool_choice/name", "ns__get"))
        .to(GEMINI, has("/toolConfig/functionCallingConfig/allowedFunctionNames", json!(["ns__get"]))),
        row(
            "a subset of a namespace without it",
            RESPONSES,
            &spaced(&json!({"type": "allowed_tools",
            "mode": "auto", "tools": [{"type": "function", "name": "get"}]})),
        )
        .to(CHAT, has("/tool_choice/allowed_tools/tools/0/function/name", "ns__get"))
        .to(MESSAGES, and(has("/tools/0/name", "ns__get"), lacks("/tools/1")))
        .to(GEMINI, has("/toolConfig/functionCallingConfig/allowedFunctionNames", json!(["ns__get"]))),
        row("a tool that is not there", RESPONSES, &spaced(&json!({"type": "function", "name": "nope"})))
            .to(CHAT, refused("tool_choice"))
            .to(MESSAGES, refused("tool_choice"))
            .to(GEMINI, refused("tool_choice")),
        row(
            "a subset that is not there",
            RESPONSES,
            &spaced(&json!({"type": "allowed_tools",
            "mode": "auto", "tools": [{"type": "function", "name": "nope"}]})),
        )
        .to(CHAT, refused("tool_choice"))
        .to(MESSAGES, refused("tool_choice"))
        .to(GEMINI, refused("tool_choice")),
        row(
            "a tool that is not there",
            GEMINI,
            &choosing(
                GEMINI,
                &json!({"mode": "ANY",
            "allowedFunctionNames": ["nope"]}),
            ),
        )
        .to(CHAT, refused("toolConfig.functionCallingConfig.allowedFunctionNames"))
        .to(RESPONSES, refused("toolConfig.functionCallingConfig.allowedFunctionNames"))
        .to(MESSAGES, refused("toolConfig.functionCallingConfig.allowedFunctionNames")),
        row("validated", GEMINI, &choosing(GEMINI, &json!({"mode": "VALIDATED"})))
            .to(CHAT, has("/tool_choice", "auto"))
            .to(RESPONSES, has("/tool_choice", "auto"))
            .to(MESSAGES, has("/tool_choice/type", "auto")),
        row("hosted", RESPONSES, &hosted)
            .to(CHAT, lacks("/tool_choice"))
            .to(MESSAGES, has("/tool_choice", json!({"type": "tool", "name": "web_search"})))
            .to(GEMINI, lacks("/toolConfig")),
        row(
            "hosted",
            MESSAGES,
            &json!({"tools": [{"type": "web_search_20250305", "name": "web_search"}],
                "tool_choice": {"type": "tool", "name": "web_search"}}),
        )
        .to(CHAT, lacks("/tool_choice"))
        .to(RESPONSES, has("/tool_choice", "required"))
        .to(GEMINI, lacks("/toolConfig")),
        row("one custom tool", RESPONSES, &custom)
            .to(CHAT, has("/tool_choice", json!({"type": "custom", "custom": {"name": "p"}})))
            .to(MESSAGES, has("/tool_choice", json!({"type": "tool", "name": "p"})))
            .to(
                GEMINI,
                has(
                    "/toolConfig/functionCallingConfig",
                    json!({"mode": "ANY", "allowedFunctionNames": ["p"]}),
                ),
            ),
        row("a tool that nobody else has", RESPONSES, &opaque)
            .to(CHAT, and(lacks("/tool_choice"), dropped("tool_choice")))
            .to(MESSAGES, and(lacks("/tool_choice"), dropped("tool_choice")))
            .to(GEMINI, and(lacks("/toolConfig"), dropped("tool_choice"))),
        row("forced beside a budget", CHAT, &thinking)
            .to(RESPONSES, and(has("/tool_choice", "required"), has("/reasoning/effort", "high")))
            .to(
                MESSAGES,
                and(has("/tool_choice/type", "any"), and(lacks("/thinking"), emulated("reasoning_effort"))),
            )
            .to(GEMINI, has("/toolConfig/functionCallingConfig/mode", "ANY")),
        row("without tools", CHAT, &json!({"tool_choice": "required", "parallel_tool_calls": false}))
            .to(RESPONSES, and(lacks("/tool_choice"), lacks("/parallel_tool_calls")))
            .to(MESSAGES, lacks("/tool_choice"))
            .to(GEMINI, lacks("/toolConfig")),
    ]);
    check(&rows);
}

#[test]
fn several_calls_at_once() {
    let with = |client, flag: &Value| json!({"tools": [function(client, "f")], "parallel_tool_calls": flag});
    let serial = json!({"tools": [function(MESSAGES, "f")], "tool_choice": {"type": "auto", "disable_parallel_tool_use": true}});
    check(&[
        row("parallel", CHAT, &with(CHAT, &json!(false)))
            .to(RESPONSES, has("/parallel_tool_calls", false))
            .to(MESSAGES, has("/tool_choice", json!({"type": "auto", "disable_parallel_tool_use": true})))
            .to(GEMINI, dropped("parallel_tool_calls")),
        // The answer has room for one call.
        row(
            "functions of old",
            CHAT,
            &json!({"functions": [{"name": "f", "parameters": {"type": "object", "properties": {}}}]}),
        )
        .to(RESPONSES, has("/parallel_tool_calls", false))
        .to(MESSAGES, has("/tool_choice", json!({"type": "auto", "disable_parallel_tool_use": true})))
        .to(GEMINI, whole()),
        row("parallel", RESPONSES, &with(RESPONSES, &json!(false)))
            .to(CHAT, has("/parallel_tool_calls", false))
            .to(MESSAGES, has("/tool_choice/disable_parallel_tool_use", true))
            .to(GEMINI, dropped("parallel_tool_calls")),
        row("parallel", MESSAGES, &serial)
            .to(CHAT, has("/parallel_tool_calls", false))
            .to(RESPONSES, has("/parallel_tool_calls", false))
            .to(GEMINI, dropped("tool_choice.disable_parallel_tool_use")),
    ]);
}

#[test]
fn names() {
    let list = |client: Dialect, name: &str| json!([function(client, name)]);
    let long = "mcp__server__".to_owned() + &"x".repeat(80);
    check(&[
        tools("legal", CHAT, &list(CHAT, "mcp__a-b"))
            .to(RESPONSES, has("/tools/0/name", "mcp__a-b"))
            .to(MESSAGES, has("/tools/0/name", "mcp__a-b"))
            .to(GEMINI, has("/tools/0/functionDeclarations/0/name", "mcp__a-b")),
        tools("dots", GEMINI, &list(GEMINI, "a.b"))
            .to(CHAT, and(says("\"a_b_"), silence("a.b")))
            .to(RESPONSES, and(says("\"a_b_"), silence("a.b")))
            .to(MESSAGES, and(says("\"a_b_"), silence("a.b"))),
        tools("a digit first", MESSAGES, &list(MESSAGES, "1a"))
            .to(CHAT, has("/tools/0/function/name", "1a"))
            .to(RESPONSES, has("/tools/0/name", "1a"))
            .to(GEMINI, says("\"_1a_")),
        tools("long", MESSAGES, &list(MESSAGES, &long))
            .to(CHAT, silence("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"))
            .to(RESPONSES, silence("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"))
            .to(GEMINI, silence("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")),
    ]);
}

#[test]
fn members_of_functions() {
    let out = json!({"type": "object", "properties": {"o": {"type": "string"}}});
    let in_responses = json!([{"type": "namespace", "name": "n", "description": "d", "tools": [
        {"type": "function", "name": "f", "parameters": null, "output_schema": out, "async": true,
            "allowed_callers": ["programmatic"], "other": null}]}]);
    let in_gemini = |members: Value| {
        let mut function = json!({"name": "f"});
        for (name, value) in members.as_object().unwrap() {
            function[name] = value.clone();
        }
        json!([{"functionDeclarations": [{"name": "e"}, function]}])
    };
    let old = in_gemini(json!({"response": {"type": "OBJECT", "properties": {"o": {"type": "STRING"}}},
        "behavior": "NON_BLOCKING"}));
    let new = in_gemini(json!({"responseJsonSchema": out, "behavior": "BLOCKING"}));
    let field = "tools[0].tools[0].output_schema";
    check(&[
        tools("what it answers", RESPONSES, &in_responses)
            .to(CHAT, and(dropped(field), dropped("tools[0].tools[0].async")))
            .to(MESSAGES, and(dropped(field), dropped("tools[0].tools[0].allowed_callers")))
            .to(
                GEMINI,
                and(
                    has("/tools/0/functionDeclarations/0/responseJsonSchema", out.clone()),
                    dropped("tools[0].tools[0].async"),
                ),
            ),
        tools("what it answers, where only the older schema is known", RESPONSES, &in_responses)
            .at(|facts| facts.json_schema_tools = false)
            .to(CHAT, dropped(field))
            .to(MESSAGES, dropped(field))
            .to(GEMINI, and(dropped(field), silence("responseJsonSchema"))),
        tools("what it answers", GEMINI, &old)
            .to(
                CHAT,
                and(
                    dropped("tools[0].functionDeclarations[1].response"),
                    dropped("tools[0].functionDeclarations[1].behavior"),
                ),
            )
            .to(
                RESPONSES,
                and(
                    has("/tools/1/output_schema", out.clone()),
                    dropped("tools[0].functionDeclarations[1].behavior"),
                ),
            )
            .to(MESSAGES, dropped("tools[0].functionDeclarations[1].response")),
        tools("what it answers", GEMINI, &new)
            .to(
                CHAT,
                and(dropped("tools[0].functionDeclarations[1].responseJsonSchema"), silence("BLOCKING")),
            )
            .to(RESPONSES, and(has("/tools/1/output_schema", out.clone()), whole()))
            .to(MESSAGES, dropped("tools[0].functionDeclarations[1].responseJsonSchema")),
        tools("what it answers, at a compatible server", GEMINI, &new)
            .at(compatible)
            .to(CHAT, dropped("tools[0].functionDeclarations[1].responseJsonSchema"))
            .to(
                RESPONSES,
                and(
                    lacks("/tools/1/output_schema"),
                    dropped("tools[0].functionDeclarations[1].responseJsonSchema"),
                ),
            )
            .to(MESSAGES, dropped("tools[0].functionDeclarations[1].responseJsonSchema")),
        tools(
            "how it streams and who calls",
            MESSAGES,
            &json!([{"name": "f", "input_schema": {"type": "object"}, "eager_input_streaming": true,
                "allowed_callers": ["direct"]}]),
        )
        .to(CHAT, silent("tools[0].eager_input_streaming"))
        .to(RESPONSES, and(silent("tools[0].eager_input_streaming"), silence("direct")))
        .to(GEMINI, silent("tools[0].eager_input_streaming")),
        tools(
            "what byok does not know",
            CHAT,
            &json!([{"type": "function", "function": {"name": "f", "inner": 1, "off": false}, "outer": 2}]),
        )
        .to(RESPONSES, and(dropped("tools[0].function.inner"), dropped("tools[0].outer")))
        .to(MESSAGES, and(dropped("tools[0].function.inner"), dropped("tools[0].outer")))
        .to(GEMINI, and(dropped("tools[0].function.inner"), dropped("tools[0].outer"))),
    ]);
}
