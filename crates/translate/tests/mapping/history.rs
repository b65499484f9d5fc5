//! What a conversation brings along: calls, results, reasoning, searches, cache markers.

use crate::support::{
    CHAT, GEMINI, MESSAGES, RESPONSES, Row, and, check, compatible, dropped, has, lacks, refused, row, says,
    silence, silent,
};
use byok_types::Dialect;
use serde_json::{Value, json};

const PNG: &str = "iVBORw0KGgoAAAAA";

/// A row about a call of `f` and its result: the call's arguments and the members of the result.
fn called(name: &'static str, client: Dialect, arguments: &Value, result: &Value) -> Row {
    let mut answer = match client {
        CHAT => json!({"role": "tool", "tool_call_id": "c1"}),
        RESPONSES => json!({"type": "function_call_output", "call_id": "c1"}),
        MESSAGES => json!({"type": "tool_result", "tool_use_id": "c1"}),
        GEMINI => json!({"id": "c1", "name": "f"}),
    };
    for (member, value) in result.as_object().unwrap() {
        answer[member] = value.clone();
    }
    let user = json!({"role": "user", "content": "x"});
    let members = match client {
        CHAT => json!({"messages": [user, {"role": "assistant", "content": null, "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "f", "arguments": arguments}}]}, answer]}),
        RESPONSES => json!({"input": [{"type": "message", "role": "user", "content": "x"},
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": arguments}, answer]}),
        MESSAGES => json!({"messages": [user,
            {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "f", "input": arguments}]},
            {"role": "user", "content": [answer]}]}),
        GEMINI => json!({"contents": [{"role": "user", "parts": [{"text": "x"}]},
            {"role": "model", "parts": [{"functionCall": {"id": "c1", "name": "f", "args": arguments}}]},
            {"role": "user", "parts": [{"functionResponse": answer}]}]}),
    };
    row(name, client, &members)
}

const CHAT_CALL: &str = "/messages/1/tool_calls/0/function/arguments";
const CHAT_RESULT: &str = "/messages/2/content";
const RESPONSES_CALL: &str = "/input/1/arguments";
const RESPONSES_RESULT: &str = "/input/2/output";
const MESSAGES_CALL: &str = "/messages/1/content/0/input";
const GEMINI_CALL: &str = "/contents/1/parts/0/functionCall/args";
const GEMINI_RESULT: &str = "/contents/2/parts/0/functionResponse/response";

#[test]
fn calls_and_results() {
    let (args, text) = (json!({"a": 1}), "{\"a\":1}");
    let words = json!("done");
    check(&[
        called("call and result", CHAT, &json!(text), &json!({"content": words}))
            .to(RESPONSES, and(has(RESPONSES_CALL, text), has(RESPONSES_RESULT, "done")))
            .to(MESSAGES, and(has(MESSAGES_CALL, args.clone()), says("\"done\"")))
            .to(GEMINI, and(has(GEMINI_CALL, args.clone()), has(GEMINI_RESULT, json!({"output": "done"})))),
        called("call and result", RESPONSES, &json!(text), &json!({"output": words}))
            .to(CHAT, and(has(CHAT_CALL, text), has(CHAT_RESULT, "done")))
            .to(MESSAGES, and(has(MESSAGES_CALL, args.clone()), says("\"done\"")))
            .to(GEMINI, and(has(GEMINI_CALL, args.clone()), has(GEMINI_RESULT, json!({"output": "done"})))),
        called("call and result", MESSAGES, &args, &json!({"content": words}))
            .to(CHAT, and(has(CHAT_CALL, text), has(CHAT_RESULT, "done")))
            .to(RESPONSES, and(has(RESPONSES_CALL, text), has(RESPONSES_RESULT, "done")))
            .to(GEMINI, and(has(GEMINI_CALL, args.clone()), has(GEMINI_RESULT, json!({"output": "done"})))),
        called("call and result", GEMINI, &args, &json!({"response": {"output": "done"}}))
            .to(CHAT, and(has(CHAT_CALL, text), has(CHAT_RESULT, "done")))
            .to(RESPONSES, and(has(RESPONSES_CALL, text), has(RESPONSES_RESULT, "done")))
            .to(MESSAGES, and(has(MESSAGES_CALL, args.clone()), says("\"done\""))),
        called("failed", MESSAGES, &args, &json!({"content": words, "is_error": true}))
            .to(CHAT, has(CHAT_RESULT, "Error: done"))
            .to(RESPONSES, has(RESPONSES_RESULT, "Error: done"))
            .to(GEMINI, has(GEMINI_RESULT, json!({"error": "done"}))),
        called("failed", GEMINI, &args, &json!({"response": {"error": "done"}}))
            .to(CHAT, has(CHAT_RESULT, "Error: done"))
            .to(RESPONSES, has(RESPONSES_RESULT, "Error: done"))
            .to(MESSAGES, has("/messages/2/content/0/is_error", true)),
        called("result that looks like JSON", CHAT, &json!(text), &json!({"content": "{\"a\":1}"}))
            .to(RESPONSES, has(RESPONSES_RESULT, text))
            .to(MESSAGES, says("{\\\"a\\\":1}"))
            .to(GEMINI, has(GEMINI_RESULT, args.clone())),
        called("no arguments", CHAT, &json!(""), &json!({"content": words}))
            .to(RESPONSES, has(RESPONSES_CALL, "{}"))
            .to(MESSAGES, has(MESSAGES_CALL, json!({})))
            .to(GEMINI, has(GEMINI_CALL, json!({}))),
        called("arguments that are a list", CHAT, &json!("[1]"), &json!({"content": words}))
            .to(RESPONSES, has(RESPONSES_CALL, "[1]"))
            .to(MESSAGES, has(MESSAGES_CALL, json!({"value": [1]})))
            .to(GEMINI, has(GEMINI_CALL, json!({"value": [1]}))),
        called("arguments that are null", MESSAGES, &json!(null), &json!({"content": words}))
            .to(CHAT, has(CHAT_CALL, "{}"))
            .to(RESPONSES, has(RESPONSES_CALL, "{}"))
            .to(GEMINI, has(GEMINI_CALL, json!({}))),
        called("arguments that break off", CHAT, &json!("{\"a\":"), &json!({"content": words}))
            .to(RESPONSES, has(RESPONSES_CALL, "{\"a\":"))
            .to(MESSAGES, has(MESSAGES_CALL, json!({"_raw": "{\"a\":"})))
            .to(GEMINI, has(GEMINI_CALL, json!({"_raw": "{\"a\":"}))),
    ]);
}

#[test]
fn pictures_in_results() {
    let source = json!({"type": "base64", "media_type": "image/png", "data": PNG});
    let data_url = format!("data:image/png;base64,{PNG}");
    let in_messages =
        json!({"content": [{"type": "text", "text": "t"}, {"type": "image", "source": source}]});
    let in_responses = json!({"output": [{"type": "input_text", "text": "t"}, {"type": "input_image", "image_url": data_url}]});
    let inline = json!({"mimeType": "image/png", "data": PNG});
    check(&[
        called("picture", MESSAGES, &json!({}), &in_messages)
            .to(
                CHAT,
                and(has(CHAT_RESULT, "t"), has("/messages/3/content/1/image_url/url", data_url.clone())),
            )
            .to(RESPONSES, has("/input/2/output/1/image_url", data_url.clone()))
            .to(
                GEMINI,
                and(
                    has(GEMINI_RESULT, json!({"output": "t"})),
                    has("/contents/2/parts/1/inlineData", inline.clone()),
                ),
            ),
        called("picture", RESPONSES, &json!("{}"), &in_responses)
            .to(CHAT, has("/messages/3/content/1/image_url/url", data_url.clone()))
            .to(MESSAGES, has("/messages/2/content/0/content/1/source", source.clone()))
            .to(GEMINI, has("/contents/2/parts/1/inlineData", inline.clone())),
        called("picture inside", MESSAGES, &json!({}), &in_messages)
            .at(|facts| facts.result_media = true)
            .to(CHAT, says("image_url"))
            .to(RESPONSES, says("input_image"))
            .to(GEMINI, has("/contents/2/parts/0/functionResponse/parts/0/inlineData", inline.clone())),
        called(
            "text as a list",
            RESPONSES,
            &json!("{}"),
            &json!({"output": [{"type": "input_text", "text": "t"}]}),
        )
        .to(CHAT, has(CHAT_RESULT, "t"))
        .to(MESSAGES, says("\"t\""))
        .to(GEMINI, has(GEMINI_RESULT, json!({"output": "t"}))),
        called("text as a list", MESSAGES, &json!({}), &json!({"content": [{"type": "text", "text": "t"}]}))
            .to(CHAT, has(CHAT_RESULT, "t"))
            .to(RESPONSES, has(RESPONSES_RESULT, "t"))
            .to(GEMINI, has(GEMINI_RESULT, json!({"output": "t"}))),
    ]);
}

#[test]
fn free_text_calls() {
    let history = json!({"tools": [{"type": "custom", "name": "p"}], "input": [
        {"type": "message", "role": "user", "content": "x"},
        {"type": "custom_tool_call", "call_id": "c1", "name": "p", "input": "*** text"},
        {"type": "custom_tool_call_output", "call_id": "c1", "output": "ok"}]});
    let wrapped = json!({"input": "*** text"});
    check(&[
        row("custom call", RESPONSES, &history)
            .to(CHAT, has("/messages/1/tool_calls/0/custom", json!({"name": "p", "input": "*** text"})))
            .to(MESSAGES, has(MESSAGES_CALL, wrapped.clone()))
            .to(GEMINI, has(GEMINI_CALL, wrapped.clone())),
        row("custom call at a compatible server", RESPONSES, &history)
            .at(compatible)
            .to(CHAT, has(CHAT_CALL, wrapped.to_string()))
            .to(MESSAGES, has(MESSAGES_CALL, wrapped.clone()))
            .to(GEMINI, has(GEMINI_CALL, wrapped.clone())),
    ]);
}

#[test]
fn reasoning() {
    let item = |seal: &str| {
        json!({"input": [{"type": "message", "role": "user", "content": "x"},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "thought"}], "encrypted_content": seal},
        {"type": "message", "role": "assistant", "content": "y"}, {"type": "message", "role": "user", "content": "z"}]})
    };
    let block = |signature: &str| {
        json!({"messages": [{"role": "user", "content": "x"},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "thought", "signature": signature}, {"type": "text", "text": "y"}]},
        {"role": "user", "content": "z"}]})
    };
    let part = |signature: &str| {
        json!({"contents": [{"role": "user", "parts": [{"text": "x"}]},
        {"role": "model", "parts": [{"text": "thought", "thought": true, "thoughtSignature": signature}, {"text": "y"}]},
        {"role": "user", "parts": [{"text": "z"}]}]})
    };
    let chat = json!({"messages": [{"role": "user", "content": "x"},
        {"role": "assistant", "content": "y", "reasoning_content": "thought"}, {"role": "user", "content": "z"}]});
    let nowhere = || and(silence("thought"), silence("gAAAA"));
    check(&[
        row("OpenAI's seal", RESPONSES, &item("gAAAAx"))
            .to(CHAT, nowhere())
            .to(MESSAGES, nowhere())
            .to(GEMINI, nowhere()),
        row("OpenAI's seal in another dialect", MESSAGES, &block("gAAAAx"))
            .to(CHAT, nowhere())
            .to(RESPONSES, has("/input/1/encrypted_content", "gAAAAx"))
            .to(GEMINI, nowhere()),
        row("Claude's seal", MESSAGES, &block("EqQBx"))
            .to(CHAT, silence("EqQBx"))
            .to(RESPONSES, silence("EqQBx"))
            .to(GEMINI, silence("EqQBx")),
        row("Gemini's seal", GEMINI, &part("CiQBAAAA"))
            .to(CHAT, silence("CiQBAAAA"))
            .to(RESPONSES, silence("CiQBAAAA"))
            .to(MESSAGES, silence("CiQBAAAA")),
        row("nobody's seal", CHAT, &chat)
            .to(RESPONSES, silence("thought"))
            .to(MESSAGES, silence("thought"))
            .to(GEMINI, silence("thought")),
        row("reasoning that is wanted back", MESSAGES, &block("byok1:none:"))
            .at(|facts| {
                compatible(facts);
                facts.thinking.replay_text = true;
            })
            .to(CHAT, has("/messages/1/reasoning_content", "thought"))
            .to(RESPONSES, says("thought"))
            .to(GEMINI, silence("thought")),
    ]);
    // A seal that bears nobody's mark is not OpenAI's because it came in OpenAI's dialect.
    for (seal, kept) in [("gAAAAx", true), ("EqQBx", false), ("rsn_5", false), ("AbCdEf", false)] {
        let incoming = item(seal).as_object().map(|members| {
            let mut body = json!({"model": "m"});
            members.iter().for_each(|(key, value)| body[key] = value.clone());
            body
        });
        let facts = crate::support::facts(RESPONSES);
        let (body, _) = crate::support::ask(RESPONSES, RESPONSES, &facts, &incoming.unwrap()).unwrap();
        assert_eq!(body.to_string().contains(seal), kept, "{seal}");
    }
}

#[test]
fn searches_of_the_vendor() {
    let block = json!({"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": [
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}},
        {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [
            {"type": "web_search_result", "url": "https://e.org", "title": "T", "encrypted_content": "sealed", "page_age": null}]},
        {"type": "text", "text": "cited words", "citations": [{"type": "web_search_result_location", "url": "https://e.org",
            "title": "T", "cited_text": "c", "encrypted_index": "sealed"}]}]}, {"role": "user", "content": "z"}]});
    let item = json!({"input": [{"type": "message", "role": "user", "content": "x"},
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "sealed"}},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "cited words", "annotations": []}]},
        {"type": "message", "role": "user", "content": "z"}]});
    let kept = || and(says("cited words"), silence("sealed"));
    check(&[
        row("search", MESSAGES, &block).to(CHAT, kept()).to(RESPONSES, kept()).to(GEMINI, kept()),
        row("search", RESPONSES, &item).to(CHAT, kept()).to(MESSAGES, kept()).to(GEMINI, kept()),
        row("code", GEMINI, &json!({"contents": [{"role": "user", "parts": [{"text": "x"}]}, {"role": "model", "parts": [
                {"executableCode": {"language": "PYTHON", "code": "sealed"}},
                {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "sealed"}}, {"text": "cited words"}]},
                {"role": "user", "parts": [{"text": "z"}]}]}))
        .to(CHAT, kept())
        .to(RESPONSES, kept())
        .to(MESSAGES, kept()),
    ]);
}

#[test]
fn cache_markers() {
    let ephemeral = json!({"type": "ephemeral"});
    let marked = json!({"messages": [{"role": "user", "content": [
        {"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]}]});
    let tools = json!({"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "x"}],
        "tools": [{"type": "function", "function": {"name": "f"}}]});
    let breakpoint = json!({"input": [{"type": "message", "role": "user", "content": [
        {"type": "input_text", "text": "x", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"}}]}]});
    let key = json!({"prompt_cache_key": "k", "prompt_cache_retention": "24h"});
    check(&[
        row("markers are set by themselves", CHAT, &tools)
            .to(RESPONSES, silence("cache"))
            .to(
                MESSAGES,
                and(
                    has("/tools/0/cache_control", ephemeral.clone()),
                    and(
                        has("/system/0/cache_control", ephemeral.clone()),
                        has("/cache_control", ephemeral.clone()),
                    ),
                ),
            )
            .to(GEMINI, silence("cache")),
        row("markers are set by themselves", RESPONSES, &json!({"instructions": "s"}))
            .to(CHAT, silence("cache_control"))
            .to(MESSAGES, has("/system/0/cache_control", ephemeral.clone()))
            .to(GEMINI, silence("cache")),
        row("no markers at a server that is not Claude", CHAT, &tools)
            .at(compatible)
            .to(RESPONSES, silence("cache"))
            .to(MESSAGES, silence("cache"))
            .to(GEMINI, silence("cache")),
        row("markers of a Chat client", CHAT, &marked)
            .to(
                RESPONSES,
                has("/input/0/content/0/prompt_cache_breakpoint", json!({"mode": "explicit", "ttl": "12h"})),
            )
            .to(MESSAGES, and(says("\"ttl\":\"1h\""), lacks("/cache_control")))
            .to(GEMINI, and(silence("ephemeral"), silent("cache_control"))),
        row("markers", MESSAGES, &marked)
            .to(CHAT, and(silence("ephemeral"), silent("cache_control")))
            .to(RESPONSES, and(silence("ephemeral"), silent("messages[0].content[0]")))
            .to(GEMINI, and(silence("ephemeral"), silent("cache_control"))),
        row("breakpoints", RESPONSES, &breakpoint)
            .to(CHAT, silence("explicit"))
            .to(MESSAGES, says("\"ttl\":\"1h\""))
            .to(GEMINI, and(silence("explicit"), silent("cache_control"))),
        row(
            "a key of the conversation",
            MESSAGES,
            &json!({"metadata": {"user_id": "user_1_account__session_abc"}}),
        )
        .to(CHAT, says("\"prompt_cache_key\":\""))
        .to(RESPONSES, has("/prompt_cache_key", "abc"))
        .to(GEMINI, silence("prompt_cache_key")),
        row("key and retention", CHAT, &key)
            .to(RESPONSES, and(has("/prompt_cache_key", "k"), has("/prompt_cache_retention", "24h")))
            .to(MESSAGES, and(silent("prompt_cache_key"), silent("prompt_cache_retention")))
            .to(GEMINI, and(silent("prompt_cache_key"), silent("prompt_cache_retention"))),
        row("key and retention", RESPONSES, &key)
            .to(CHAT, and(has("/prompt_cache_key", "k"), has("/prompt_cache_retention", "24h")))
            .to(MESSAGES, silent("prompt_cache_retention"))
            .to(GEMINI, silent("prompt_cache_retention")),
        row("key at a compatible server", RESPONSES, &key)
            .at(compatible)
            .to(
                CHAT,
                and(
                    lacks("/prompt_cache_key"),
                    and(dropped("prompt_cache_key"), silent("prompt_cache_retention")),
                ),
            )
            .to(MESSAGES, silent("prompt_cache_key"))
            .to(GEMINI, dropped("prompt_cache_key")),
        row("key at a compatible server", CHAT, &key)
            .at(compatible)
            .to(
                RESPONSES,
                and(
                    lacks("/prompt_cache_key"),
                    and(dropped("prompt_cache_key"), silent("prompt_cache_retention")),
                ),
            )
            .to(MESSAGES, silent("prompt_cache_key"))
            .to(GEMINI, dropped("prompt_cache_key")),
        row("marker of the whole request", MESSAGES, &json!({"cache_control": {"type": "ephemeral"}}))
            .to(CHAT, silent("cache_control"))
            .to(RESPONSES, silent("cache_control"))
            .to(GEMINI, silent("cache_control")),
    ]);
}

/// What only a turn can hold is nothing that the model did because a result holds it.
#[test]
fn calls_inside_results_are_no_calls() {
    let nested = json!({"messages": [
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": [
            {"type": "text", "text": "a"}, {"type": "tool_use", "id": "t9", "name": "Rm", "input": {}},
            {"type": "tool_result", "tool_use_id": "t1", "content": "inner"}, {"type": "text", "text": "b"}]}]},
    ]});
    let reported = || dropped("messages[2].content[0].content[1]");
    let gone = || and(silence("Rm"), silence("inner"));
    check(&[row("calls inside results", MESSAGES, &nested)
        .to(CHAT, and(gone(), reported()))
        .to(RESPONSES, and(gone(), and(has("/input/2/output", "a\nb"), reported())))
        .to(GEMINI, and(gone(), reported()))]);
}

#[test]
fn tools_that_come_on_the_way() {
    let change = |kind: &str, tool: &Value| {
        json!({"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"},
            {"role": "user", "content": [{"type": kind, "tool": tool}, {"type": "text", "text": "z"}]}]})
    };
    let reference = json!({"type": "tool_reference", "tool_name": "f"});
    let whole = json!({"name": "f", "input_schema": {"type": "object", "properties": {}}});
    check(&[
        row("by reference", MESSAGES, &change("tool_addition", &reference))
            .to(CHAT, dropped("messages[2].content[0]"))
            .to(RESPONSES, dropped("messages[2].content[0]"))
            .to(GEMINI, dropped("messages")),
        row("by definition", MESSAGES, &change("tool_addition", &whole))
            .to(CHAT, has("/tools/0/function/name", "f"))
            .to(RESPONSES, dropped("messages[2].content[0]"))
            .to(GEMINI, has("/tools/0/functionDeclarations/0/name", "f")),
        row("removal", MESSAGES, &change("tool_removal", &reference))
            .to(CHAT, dropped("messages[2].content[0]"))
            .to(RESPONSES, dropped("messages[2].content[0]"))
            .to(GEMINI, dropped("messages")),
    ]);
}

#[test]
fn an_item_that_is_not_there_is_refused() {
    let user = json!({"type": "message", "role": "user", "content": "x"});
    for (name, reference) in [
        ("reference", json!({"type": "item_reference", "id": "msg_9"})),
        ("reference without a type", json!({"id": "msg_9"})),
    ] {
        check(&[row(name, RESPONSES, &json!({"input": [user, reference]}))
            .to(CHAT, refused("input[1]"))
            .to(MESSAGES, refused("input[1]"))
            .to(GEMINI, refused("input[1]"))]);
    }
}

/// Without it the model would be asked nothing.
#[test]
fn a_conversation_of_unknown_items_is_refused() {
    let nothing_else = |name, client, members, field| {
        Dialect::ALL.into_iter().fold(row(name, client, members), |row, to| row.to(to, refused(field)))
    };
    let item = json!({"type": "tomorrow_call", "id": "x"});
    check(&[
        nothing_else("an unknown item", RESPONSES, &json!({"input": [item]}), "input[0]"),
        nothing_else(
            "beside instructions",
            RESPONSES,
            &json!({"instructions": "be kind", "input": [{"role": "system", "content": "s"}, item]}),
            "input[1]",
        ),
        nothing_else(
            "an unknown block",
            MESSAGES,
            &json!({"messages": [{"role": "user", "content": [{"type": "tomorrow"}]}]}),
            "messages[0].content[0]",
        ),
        row("beside text", RESPONSES, &json!({"input": [item, {"role": "user", "content": "x"}]}))
            .to(CHAT, dropped("input[0]"))
            .to(MESSAGES, dropped("input[0]"))
            .to(GEMINI, dropped("input[0]")),
    ]);
}
