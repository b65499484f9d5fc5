//! Tools of Responses that run at the client, or that must not do what the tool of the same name does elsewhere: never the
//! vendor's own tool in another dialect. And what the client ran before, which the model has to see.

use crate::{
    support::{
        CHAT, GEMINI, MESSAGES, RESPONSES, Row, and, ask, check, compatible, dropped, emulated, facts, has,
        lacks, row, says, silence,
    },
    talk::Talk,
};
use byok_types::Dialect;
use serde_json::{Value, json};

const PNG: &str = "iVBORw0KGgoAAAAA";

fn declared(name: &'static str, tool: &Value) -> Row {
    row(name, RESPONSES, &json!({"tools": [tool]}))
}

#[test]
fn are_not_run_by_another_vendor() {
    let mut rows: Vec<Row> = [
        ("shell", json!({"type": "shell"})),
        ("shell that is said to be local", json!({"type": "shell", "environment": {"type": "local"}})),
        ("apply_patch", json!({"type": "apply_patch"})),
        ("search without the web", json!({"type": "web_search", "external_web_access": false})),
        ("old search without the web", json!({"type": "web_search_preview", "external_web_access": false})),
    ]
    .iter()
    .map(|(name, tool)| {
        declared(name, tool)
            .to(CHAT, and(lacks("/tools"), dropped("tools[0]")))
            .to(MESSAGES, and(lacks("/tools"), dropped("tools[0]")))
            .to(GEMINI, and(lacks("/tools"), dropped("tools[0]")))
    })
    .collect();
    rows.extend([
        declared("shell of the vendor", &json!({"type": "shell", "environment": {"type": "container_auto"}}))
            .to(CHAT, dropped("tools[0]"))
            .to(MESSAGES, has("/tools/0/type", "code_execution_20250825"))
            .to(GEMINI, has("/tools/0", json!({"codeExecution": {}}))),
        declared("search", &json!({"type": "web_search", "external_web_access": true}))
            .to(CHAT, dropped("tools[0]"))
            .to(MESSAGES, has("/tools/0/type", "web_search_20250305"))
            .to(GEMINI, has("/tools/0", json!({"googleSearch": {}}))),
        row(
            "chosen",
            RESPONSES,
            &json!({"tools": [{"type": "shell"}, {"type": "function", "name": "f"}],
            "tool_choice": {"type": "shell"}}),
        )
        .to(CHAT, and(lacks("/tool_choice"), dropped("tool_choice")))
        .to(MESSAGES, and(lacks("/tool_choice"), dropped("tool_choice")))
        .to(GEMINI, and(lacks("/toolConfig"), dropped("tool_choice"))),
    ]);
    check(&rows);
}

/// A row about items between two messages of the user: call and result as each target is to see them.
fn ran(
    name: &'static str,
    items: &[Value],
    function: &'static str,
    arguments: &Value,
    result: &'static str,
) -> Row {
    let user = |text: &str| json!({"type": "message", "role": "user", "content": text});
    let input: Vec<Value> =
        std::iter::once(user("x")).chain(items.iter().cloned()).chain([user("y")]).collect();
    row(name, RESPONSES, &json!({"input": input}))
        .to(
            CHAT,
            and(
                and(
                    has("/messages/1/tool_calls/0/function/name", function),
                    has("/messages/1/tool_calls/0/function/arguments", arguments.to_string()),
                ),
                and(and(has("/messages/2/role", "tool"), says(result)), emulated("input")),
            ),
        )
        .to(
            MESSAGES,
            and(
                and(
                    has("/messages/1/content/0/name", function),
                    has("/messages/1/content/0/input", arguments.clone()),
                ),
                and(
                    and(has("/messages/2/content/0/type", "tool_result"), says(result)),
                    and(emulated("input"), silence("no result was recorded")),
                ),
            ),
        )
        .to(
            GEMINI,
            and(
                and(
                    has("/contents/1/parts/0/functionCall/name", function),
                    has("/contents/1/parts/0/functionCall/args", arguments.clone()),
                ),
                and(
                    and(has("/contents/2/parts/0/functionResponse/name", function), says(result)),
                    emulated("input"),
                ),
            ),
        )
}

#[test]
fn what_the_client_ran_is_shown() {
    let screen = format!("data:image/png;base64,{PNG}");
    check(&[
        ran(
            "shell",
            &[
                json!({"type": "shell_call", "call_id": "s1", "action": {"commands": ["ls"]}, "status": "completed"}),
                json!({"type": "shell_call_output", "call_id": "s1", "output": [{"stdout": "FOUND", "stderr": "",
                    "outcome": {"type": "exit", "exit_code": 0}}]}),
            ],
            "shell",
            &json!({"commands": ["ls"]}),
            "FOUND",
        ),
        ran(
            "local shell, whose output names the call",
            &[
                json!({"type": "local_shell_call", "id": "lsh_1", "call_id": "c1", "status": "completed",
                    "action": {"type": "exec", "command": ["ls"], "env": {}}}),
                json!({"type": "local_shell_call_output", "id": "c1", "output": "FOUND"}),
            ],
            "local_shell",
            &json!({"type": "exec", "command": ["ls"], "env": {}}),
            "FOUND",
        ),
        ran(
            "local shell, whose output names the item",
            &[
                json!({"type": "local_shell_call", "id": "lsh_1", "call_id": "c1", "status": "completed",
                    "action": {"type": "exec", "command": ["ls"], "env": {}}}),
                json!({"type": "local_shell_call_output", "id": "lsh_1", "output": "FOUND"}),
            ],
            "local_shell",
            &json!({"type": "exec", "command": ["ls"], "env": {}}),
            "FOUND",
        ),
        ran(
            "search that found nothing",
            &[
                json!({"type": "tool_search_call", "id": "tsc_1", "call_id": "s1", "execution": "client",
                    "status": "completed", "arguments": {"query": "gh"}}),
                json!({"type": "tool_search_output", "call_id": "s1", "execution": "client", "status": "completed",
                    "tools": []}),
            ],
            "tool_search",
            &json!({"query": "gh"}),
            "No tool was found.",
        ),
        ran(
            "patch",
            &[
                json!({"type": "apply_patch_call", "call_id": "p1", "status": "completed",
                    "operation": {"type": "create_file", "path": "a", "diff": "+x"}}),
                json!({"type": "apply_patch_call_output", "call_id": "p1", "status": "completed", "output": "FOUND"}),
            ],
            "apply_patch",
            &json!({"type": "create_file", "path": "a", "diff": "+x"}),
            "FOUND",
        ),
        ran(
            "patch that says nothing more",
            &[
                json!({"type": "apply_patch_call", "call_id": "p1", "status": "completed",
                    "operation": {"type": "delete_file", "path": "a"}}),
                json!({"type": "apply_patch_call_output", "call_id": "p1", "status": "failed"}),
            ],
            "apply_patch",
            &json!({"type": "delete_file", "path": "a"}),
            "failed",
        ),
        ran(
            "computer",
            &[
                json!({"type": "computer_call", "id": "cu_1", "call_id": "c1", "status": "completed",
                    "action": {"type": "screenshot"}, "pending_safety_checks": []}),
                json!({"type": "computer_call_output", "call_id": "c1",
                    "output": {"type": "computer_screenshot", "image_url": screen}}),
            ],
            "computer",
            &json!({"type": "screenshot"}),
            PNG,
        ),
        ran(
            "computer, several actions",
            &[
                json!({"type": "computer_call", "id": "cu_1", "call_id": "c1", "status": "completed",
                    "actions": [{"type": "click", "x": 1, "y": 2}]}),
                json!({"type": "computer_call_output", "call_id": "c1",
                    "output": {"type": "computer_screenshot", "image_url": screen}}),
            ],
            "computer",
            &json!({"actions": [{"type": "click", "x": 1, "y": 2}]}),
            PNG,
        ),
        ran(
            "MCP",
            &[
                json!({"type": "mcp_call", "id": "mcp_1", "name": "n", "server_label": "l", "arguments": "{\"a\":1}",
                "output": "FOUND"}),
            ],
            "l__n",
            &json!({"a": 1}),
            "FOUND",
        ),
        ran(
            "MCP that failed",
            &[json!({"type": "mcp_call", "id": "mcp_1", "name": "n", "server_label": "l", "arguments": "",
                "output": null, "error": "BROKEN"})],
            "l__n",
            &json!({}),
            "BROKEN",
        ),
    ]);
}

#[test]
fn what_is_left_of_it_is_shown_too() {
    let user = json!({"type": "message", "role": "user", "content": "x"});
    let orphan = json!({"input": [user, {"type": "shell_call_output", "call_id": "s1", "output": [{"stdout": "FOUND"}]}]});
    let open = json!({"input": [user, {"type": "shell_call", "call_id": "s1", "action": {"commands": ["LOOK"]}}, user]});
    // What the vendor ran stays with the vendor.
    let vendor = json!({"input": [user, {"type": "code_interpreter_call", "id": "ci_1", "code": "CODE", "status": "completed",
        "outputs": []}, {"type": "mcp_list_tools", "id": "m", "server_label": "CODE", "tools": []}, user]});
    check(&[
        row("result alone", RESPONSES, &orphan)
            .to(CHAT, and(says("FOUND"), silence("\"tool\"")))
            .to(MESSAGES, and(says("FOUND"), silence("tool_result")))
            .to(GEMINI, and(says("FOUND"), silence("functionResponse"))),
        row("call alone", RESPONSES, &open)
            .to(CHAT, and(says("LOOK"), says("no result was recorded")))
            .to(MESSAGES, and(says("LOOK"), says("no result was recorded")))
            .to(GEMINI, and(says("LOOK"), says("no result was recorded"))),
        row("the vendor's", RESPONSES, &vendor)
            .to(CHAT, silence("CODE"))
            .to(MESSAGES, silence("CODE"))
            .to(GEMINI, silence("CODE")),
    ]);
}

fn search() -> Value {
    json!({"type": "tool_search", "execution": "client", "description": "Finds tools.",
        "parameters": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}})
}

#[test]
fn become_functions_where_the_model_does_not_know_them() {
    let parameters = search()["parameters"].clone();
    let described = |place, value: &Value| has(place, value.clone());
    check(&[
        declared("search", &search())
            .to(
                CHAT,
                and(
                    described(
                        "/tools/0/function",
                        &json!({"name": "tool_search", "description": "Finds tools.", "parameters": parameters, "strict": false}),
                    ),
                    emulated("tools[0]"),
                ),
            )
            .to(
                MESSAGES,
                and(
                    and(has("/tools/0/name", "tool_search"), described("/tools/0/input_schema", &parameters)),
                    emulated("tools[0]"),
                ),
            )
            .to(
                GEMINI,
                and(
                    and(
                        has("/tools/0/functionDeclarations/0/name", "tool_search"),
                        has("/tools/0/functionDeclarations/0/description", "Finds tools."),
                    ),
                    emulated("tools[0]"),
                ),
            ),
        declared("search that came on the way", &search())
            .at(compatible)
            .to(CHAT, has("/tools/0/function/name", "tool_search"))
            .to(MESSAGES, has("/tools/0/name", "tool_search"))
            .to(GEMINI, has("/tools/0/functionDeclarations/0/name", "tool_search")),
        declared("local shell", &json!({"type": "local_shell"}))
            .to(
                CHAT,
                and(
                    has("/tools/0/function/name", "local_shell"),
                    has("/tools/0/function/parameters/properties/command/type", "array"),
                ),
            )
            .to(
                MESSAGES,
                and(has("/tools/0/name", "local_shell"), has("/tools/0/input_schema/required/0", "command")),
            )
            .to(
                GEMINI,
                and(has("/tools/0/functionDeclarations/0/name", "local_shell"), emulated("tools[0]")),
            ),
        // The vendor's own search, and what it would have shown.
        row(
            "search of the vendor",
            RESPONSES,
            &json!({"tools": [{"type": "tool_search"},
                {"type": "function", "name": "f", "parameters": {"type": "object"}, "defer_loading": true}]}),
        )
        .to(CHAT, and(dropped("tools[0]"), has("/tools/0/function/name", "f")))
        .to(MESSAGES, and(and(dropped("tools[0]"), has("/tools/0/name", "f")), silence("defer_loading")))
        .to(GEMINI, and(dropped("tools[0]"), has("/tools/0/functionDeclarations/0/name", "f"))),
    ]);
}

#[test]
fn are_chosen_by_their_type() {
    let shell = json!({"type": "local_shell"});
    let choosing = |choice: Value| json!({"tools": [shell, search()], "tool_choice": choice});
    let one = choosing(json!({"type": "local_shell"}));
    let some =
        choosing(json!({"type": "allowed_tools", "mode": "required", "tools": [{"type": "tool_search"}]}));
    check(&[
        row("one", RESPONSES, &one)
            .to(CHAT, has("/tool_choice/function/name", "local_shell"))
            .to(MESSAGES, has("/tool_choice", json!({"type": "tool", "name": "local_shell"})))
            .to(GEMINI, has("/toolConfig/functionCallingConfig/allowedFunctionNames/0", "local_shell")),
        row("some", RESPONSES, &some)
            .to(CHAT, has("/tool_choice/allowed_tools/tools/0/function/name", "tool_search"))
            .to(MESSAGES, emulated("tool_choice"))
            .to(GEMINI, has("/toolConfig/functionCallingConfig/allowedFunctionNames/0", "tool_search")),
    ]);
}

/// A search that found a tool while another call was open, and a call of what was found.
fn found() -> Value {
    let user = |text: &str| json!({"type": "message", "role": "user", "content": text});
    json!({"model": "m", "tools": [search(), {"type": "function", "name": "f", "parameters": {"type": "object"}}], "input": [
        user("x"),
        {"type": "function_call", "call_id": "c0", "name": "f", "arguments": "{}"},
        {"type": "tool_search_call", "id": "tsc_1", "call_id": "s1", "execution": "client", "status": "completed",
            "arguments": {"query": "gh"}},
        {"type": "function_call_output", "call_id": "c0", "output": "DONE"},
        {"type": "tool_search_output", "call_id": "s1", "execution": "client", "status": "completed", "tools": [
            {"type": "namespace", "name": "mcp__gh", "description": "d", "tools": [
                {"type": "function", "name": "create", "description": "Creates.", "parameters": {"type": "object"},
                    "defer_loading": true}]}]},
        {"type": "function_call", "call_id": "c1", "name": "create", "namespace": "mcp__gh", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "MADE"},
        user("y"),
    ]})
}

#[test]
fn what_a_search_found_is_declared() {
    let items = found();
    let answered = "Found, and can be called from now on: mcp__gh__create";
    let row = row("found", RESPONSES, &items)
        .to(
            CHAT,
            and(
                and(has("/tools/2/function/name", "mcp__gh__create"), emulated("input[4]")),
                and(
                    and(has("/messages/2/content", "DONE"), has("/messages/3/content", answered)),
                    has("/messages/4/tool_calls/0/function/name", "mcp__gh__create"),
                ),
            ),
        )
        .to(
            MESSAGES,
            and(
                and(
                    and(has("/tools/2/name", "mcp__gh__create"), silence("defer_loading")),
                    emulated("input[4]"),
                ),
                and(
                    and(
                        has("/messages/2/content/0/content", "DONE"),
                        has("/messages/2/content/1/content", answered),
                    ),
                    and(lacks("/messages/2/content/2"), silence("no result")),
                ),
            ),
        )
        .to(
            GEMINI,
            and(
                has("/tools/0/functionDeclarations/2/name", "mcp__gh__create"),
                and(
                    has("/contents/2/parts/1/functionResponse/response/output", answered),
                    has("/contents/3/parts/0/functionCall/name", "mcp__gh__create"),
                ),
            ),
        );
    check(&[row]);
}

#[test]
fn only_their_own_vendor_is_sent_their_items() {
    let body = found();
    let own = ask(RESPONSES, RESPONSES, &facts(RESPONSES), &body).unwrap().0;
    assert_eq!((&own["tools"][0], &own["input"][2]), (&search(), &body["input"][2]));
    assert_eq!(own["input"][4], body["input"][4]);
    assert_eq!(own["input"].as_array().unwrap().len(), body["input"].as_array().unwrap().len());
    let mut facts = facts(RESPONSES);
    compatible(&mut facts);
    let (other, _) = ask(RESPONSES, RESPONSES, &facts, &body).unwrap();
    let names: Vec<_> = other["tools"].as_array().unwrap().iter().map(|tool| tool["name"].clone()).collect();
    assert_eq!(names, ["tool_search", "f", "mcp__gh__create"]);
    let item = |at: usize| {
        let item = &other["input"][at];
        (item["type"].as_str().unwrap(), item["call_id"].as_str().unwrap(), item["name"].as_str())
    };
    assert_eq!(item(2), ("function_call", "s1", Some("tool_search")));
    assert_eq!(item(4), ("function_call_output", "s1", None));
    assert_eq!(other["input"][2]["arguments"], "{\"query\":\"gh\"}");
}

#[test]
fn another_agent_is_heard() {
    let said = json!({"input": [{"type": "message", "role": "user", "content": "x"},
        {"type": "agent_message", "id": "am", "author": "scout", "content": [{"type": "input_text", "text": "FOUND IT"}]}]});
    let text = "[message of scout]\nFOUND IT";
    check(&[row("agent", RESPONSES, &said)
        .to(CHAT, and(has("/messages/0/content/1/text", text), emulated("input")))
        .to(MESSAGES, and(has("/messages/0/content/1/text", text), emulated("input")))
        .to(GEMINI, and(has("/contents/0/parts/1/text", text), emulated("input")))]);
}

/// The items of the answer in which the model called functions, whole and at the end of a stream.
fn answered(tools: &Value, calls: &[Value]) -> (Value, Vec<Value>) {
    let body = json!({"model": "m", "input": "x", "tools": tools});
    let talk = Talk::about(Dialect::Messages, Dialect::Responses, &body);
    let whole = json!({"id": "m", "type": "message", "role": "assistant", "model": "k", "content": calls,
        "stop_reason": "tool_use", "usage": {"input_tokens": 1, "output_tokens": 1}});
    let mut events =
        vec![json!({"type": "message_start", "message": {"id": "m", "type": "message", "role": "assistant",
        "model": "k", "content": [], "usage": {"input_tokens": 1, "output_tokens": 1}}})];
    for (index, call) in calls.iter().enumerate() {
        let mut begun = call.clone();
        begun["input"] = json!({});
        events.push(json!({"type": "content_block_start", "index": index, "content_block": begun}));
        for piece in call["input"].to_string().as_bytes().chunks(4) {
            events.push(json!({"type": "content_block_delta", "index": index,
                "delta": {"type": "input_json_delta", "partial_json": std::str::from_utf8(piece).unwrap()}}));
        }
        events.push(json!({"type": "content_block_stop", "index": index}));
    }
    events.push(
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 1}}),
    );
    events.push(json!({"type": "message_stop"}));
    let frame = |event: &Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap());
    let stream = events.iter().map(frame).collect::<Vec<_>>().concat();
    (talk.whole(&whole)["output"].clone(), talk.frames(&stream))
}

fn uses(id: &str, name: &str, input: &Value) -> Value {
    json!({"type": "tool_use", "id": id, "name": name, "input": input})
}

#[test]
fn calls_come_back_as_items_of_their_own() {
    let query = json!({"query": "gh", "limit": 3});
    let command = json!({"command": ["ls", "-l"], "working_directory": "/src", "timeout_ms": 100, "else": 1});
    let (whole, frames) = answered(
        &json!([search(), {"type": "local_shell"}]),
        &[uses("t1", "tool_search", &query), uses("t2", "local_shell", &command)],
    );
    let search = json!({"type": "tool_search_call", "status": "completed", "execution": "client",
        "arguments": query, "call_id": "t1"});
    let shell = json!({"type": "local_shell_call", "status": "completed", "call_id": "t2", "action":
        {"type": "exec", "command": ["ls", "-l"], "env": {}, "working_directory": "/src", "timeout_ms": 100}});
    let without_id = |item: &Value| {
        let mut item = item.clone();
        let id = item.as_object_mut().unwrap().remove("id").unwrap();
        (id.as_str().unwrap()[..4].to_owned(), item)
    };
    let expected = [("tsc_".to_owned(), search), ("lsh_".to_owned(), shell)];
    let items: Vec<_> = whole.as_array().unwrap().iter().map(without_id).collect();
    assert_eq!(items, expected);
    let of = |kind: &str| frames.iter().filter(|frame| frame["type"] == kind).collect::<Vec<_>>();
    let done: Vec<_> =
        of("response.output_item.done").iter().map(|frame| without_id(&frame["item"])).collect();
    assert_eq!(done, expected);
    let begun = of("response.output_item.added");
    assert_eq!(
        (&begun[0]["item"]["arguments"], &begun[0]["item"]["status"]),
        (&json!({}), &json!("in_progress"))
    );
    let pieces = frames.iter().filter(|frame| frame["type"].as_str().unwrap().contains("arguments")).count();
    assert_eq!(pieces, 0, "the arguments are an object and come whole");
}

#[test]
fn calls_that_make_no_sense_stay_objects() {
    for (name, input, place, expected) in [
        ("tool_search", json!(["gh"]), "/arguments", json!({"_raw": "[\"gh\"]"})),
        ("tool_search", json!({}), "/arguments", json!({})),
        (
            "local_shell",
            json!({"command": "ls -l"}),
            "/action",
            json!({"type": "exec", "command": ["bash", "-lc", "ls -l"], "env": {}}),
        ),
        ("local_shell", json!({"command": "[\"ls\", \"-l\"]"}), "/action/command", json!(["ls", "-l"])),
        (
            "local_shell",
            json!({"command": [1], "env": 3}),
            "/action",
            json!({"type": "exec", "command": ["1"], "env": {}}),
        ),
        (
            "local_shell",
            json!({"command": ["a"], "env": {"A": "b"}, "timeout_ms": "x"}),
            "/action/command",
            json!(["a"]),
        ),
    ] {
        let (whole, _) = answered(&json!([search(), {"type": "local_shell"}]), &[uses("t1", name, &input)]);
        assert_eq!(whole[0].pointer(place), Some(&expected), "{name} {input}");
    }
}

/// Nothing is run that the model did not say to run: the item is not complete, and its command is none.
#[test]
fn what_is_no_command_is_not_run() {
    for input in [
        json!({}),
        json!({"cmd": "ls"}),
        json!(["ls"]),
        json!({"command": null}),
        json!({"command": 5}),
        json!({"command": []}),
        json!({"command": [""]}),
        json!({"command": " "}),
        json!({"command": [{"program": "ls"}]}),
        json!({"command": {"program": "ls"}}),
    ] {
        let (whole, frames) =
            answered(&json!([{"type": "local_shell"}]), &[uses("t1", "local_shell", &input)]);
        let done = frames.iter().find(|frame| frame["type"] == "response.output_item.done").unwrap();
        for item in [&whole[0], &done["item"]] {
            assert_eq!(
                (&item["status"], &item["action"]["command"]),
                (&json!("incomplete"), &json!([])),
                "{input}"
            );
        }
        assert_eq!(frames.last().unwrap()["type"], "response.completed", "{input}");
    }
}

#[test]
fn a_search_that_was_declared_on_the_way_is_one() {
    let body = json!({"model": "m", "input": [{"type": "additional_tools", "role": "developer", "tools": [search()]},
        {"type": "message", "role": "user", "content": "x"}]});
    let talk = Talk::about(Dialect::Messages, Dialect::Responses, &body);
    let whole = json!({"id": "m", "type": "message", "role": "assistant", "model": "k",
        "content": [uses("t1", "tool_search", &json!({"query": "q"}))], "stop_reason": "tool_use",
        "usage": {"input_tokens": 1, "output_tokens": 1}});
    assert_eq!(talk.whole(&whole)["output"][0]["type"], "tool_search_call");
}

/// Claude Code's own search among its tools.
#[test]
fn what_a_search_of_claude_code_found_is_named() {
    let found = json!({"messages": [
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "ToolSearch", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [
            {"type": "tool_reference", "tool_name": "mcp__a"}, {"type": "tool_reference", "tool_name": "mcp__b"}]}]}]});
    let words = "[tools that can be called: mcp__a, mcp__b]";
    check(&[row("references", MESSAGES, &found)
        .to(CHAT, and(has("/messages/2/content", words), emulated("messages")))
        .to(RESPONSES, and(says(words), emulated("messages")))
        .to(GEMINI, and(says(words), emulated("messages")))]);
}
