//! C: calls of tools in answers, and their names and ids.

use crate::support::*;
use byok_types::Dialect::{Chat, Gemini, Messages, Responses};
use serde_json::{Value, json};

fn called(arguments: &str, reason: &str) -> String {
    let piece = json!({"index": 0, "id": "a", "function": {"name": "f", "arguments": arguments}});
    deltas(&[call(&piece)]) + &finish(reason) + DONE
}

#[test]
fn t43_a_call_that_was_cut_off_is_incomplete() {
    let frames = Talk::new(Chat, Responses).frames(&called("{\"a\":", "length"));
    let last = frames.last().unwrap();
    assert_eq!(last["type"], "response.incomplete");
    assert_eq!(last["response"]["output"][0]["status"], "incomplete");
    let done = frames.iter().find(|frame| frame["type"] == "response.output_item.done").unwrap();
    assert_eq!(done["item"]["status"], "incomplete");
}

#[test]
fn t44_a_call_makes_the_stop_a_call() {
    let told = Talk::new(Chat, Messages).told(&called("{}", "stop"));
    assert_eq!(told[told.len() - 2], "tool_use");
    let told = Talk::new(Gemini, Chat).told(&parts(&[json!([{"functionCall": {"name": "f", "args": {}}}])]));
    assert_eq!(told[told.len() - 2], "finish tool_calls");
}

#[test]
fn t45_a_stop_for_calls_that_do_not_exist_is_an_end() {
    let upstream = deltas(&[json!({"content": "t", "tool_calls": []})]) + &finish("tool_calls") + DONE;
    let told = Talk::new(Chat, Messages).told(&upstream);
    assert_eq!(told[told.len() - 2], "end_turn", "{told:?}");
}

#[test]
fn t46_arguments_are_taken_as_text_and_as_an_object() {
    let piece = json!({"index": 0, "id": "a", "function": {"name": "f", "arguments": {"a": 1}}});
    let told = Talk::new(Chat, Chat).told(&(deltas(&[call(&piece)]) + &finish("tool_calls") + DONE));
    assert_eq!(told[0], "call 0 f{\"a\":1}");
    // In history, and where the search for tools wants an object.
    let history = json!({"model": "m", "input": [
        {"type": "function_call", "call_id": "a", "name": "f", "arguments": {"a": 1}},
        {"type": "function_call_output", "call_id": "a", "output": "r"},
        {"type": "tool_search_call", "call_id": "s", "arguments": {"q": 1}, "execution": "client", "status": "completed"},
        {"type": "tool_search_output", "call_id": "s", "tools": [], "execution": "client", "status": "completed"},
    ]});
    let input = &asked(Responses, Responses, &history)["input"];
    assert_eq!(input[0]["arguments"], "{\"a\":1}");
    let search = input.as_array().unwrap().iter().find(|item| item["type"] == "tool_search_call").unwrap();
    assert_eq!(search["arguments"], json!({"q": 1}));
}

#[test]
fn t47_a_call_without_arguments_has_an_empty_object() {
    let upstream = message(
        &[
            json!({"type": "content_block_start", "index": 0, "content_block": uses("a")}),
            json!({"type": "content_block_stop", "index": 0}),
        ],
        "tool_use",
    );
    let told = Talk::new(Messages, Chat).told(&upstream);
    let arguments: String = told.iter().filter_map(|line| line.strip_prefix("call 0 ")).collect();
    assert_eq!(arguments, "f{}");
    let told = Talk::new(Messages, Responses).told(&upstream);
    assert!(told.contains(&"0 function_call_arguments.done: {}".to_owned()), "{told:?}");
}

#[test]
fn t48_input_that_is_no_object_is_kept() {
    for (input, arguments) in
        [(json!("x"), "\"x\""), (Value::Null, "{}"), (json!([1]), "[1]"), (json!({"a": 1}), "{\"a\":1}")]
    {
        let used = json!({"type": "tool_use", "id": "a", "name": "f", "input": input});
        let body = messages([user("x"), assistant([used]), user([result("a", "r")])]);
        let upstream = asked(Messages, Chat, &body);
        assert_eq!(upstream["messages"][1]["tool_calls"][0]["function"]["arguments"], arguments);
    }
}

#[test]
fn t49_free_text_of_a_custom_tool_comes_back_as_it_was() {
    let request = json!({"model": "m", "input": "x", "tools": [{"type": "custom", "name": "apply_patch", "description": "d"}]});
    let upstream = asked(Responses, Chat, &request);
    assert_eq!(upstream["tools"][0]["type"], "function");
    assert_eq!(upstream["tools"][0]["function"]["name"], "apply_patch");
    let patch = "*** Begin Patch\n*** End Patch";
    let arguments = json!({"input": patch}).to_string();
    let piece = json!({"index": 0, "id": "a", "function": {"name": "apply_patch", "arguments": arguments}});
    let stream = deltas(&[call(&piece)]) + &finish("tool_calls") + DONE;
    let frames = Talk::about(Chat, Responses, &request).frames(&stream);
    let item = &frames.last().unwrap()["response"]["output"][0];
    assert_eq!((&item["type"], &item["input"]), (&json!("custom_tool_call"), &json!(patch)));
}

#[test]
fn t50_a_flat_custom_tool_is_nested_for_chat() {
    let mut body = chat([user("x")]);
    body["tools"] = json!([
        {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}},
        {"type": "custom", "name": "ApplyPatch"},
    ]);
    let mut openai = facts(Chat);
    openai.first_party = true;
    let upstream = asked_of(Chat, Chat, &openai, &body).0;
    assert_eq!(upstream["tools"][0]["function"]["name"], "f");
    assert_eq!(upstream["tools"][1]["type"], "custom");
    assert_eq!(upstream["tools"][1]["custom"]["name"], "ApplyPatch");
}

#[test]
fn t51_a_body_of_responses_is_recognised_and_answered_in_chat() {
    let body = json!({"model": "m", "input": [{"role": "user", "content": "x"}], "stream": true}).to_string();
    let chat = json!({"model": "m", "messages": [user("x")], "input": "x"}).to_string();
    assert!(byok_translate::chat::is_responses_shaped(body.as_bytes()));
    assert!(!byok_translate::chat::is_responses_shaped(chat.as_bytes()));
    let mut talk = Talk::about(Messages, Responses, &serde_json::from_str(&body).unwrap());
    talk.exchange.client = Chat;
    let frames = talk.frames(&message(&[], "end_turn"));
    assert_eq!(frames[0]["object"], "chat.completion.chunk");
}

#[test]
fn t52_namespaces_are_flattened_and_come_back() {
    let namespace = |name: &str| {
        json!({"type": "namespace", "name": name, "description": "d", "tools": [
            {"type": "function", "name": "get", "parameters": {"type": "object", "properties": {}}},
        ]})
    };
    let request = json!({"model": "m", "input": "x", "tools": [namespace("a"), namespace("b")]});
    let upstream = asked(Responses, Chat, &request);
    assert_eq!(each(&upstream["tools"], "/function/name"), ["a__get", "b__get"]);
    let piece = json!({"index": 0, "id": "c", "function": {"name": "b__get", "arguments": "{}"}});
    let stream = deltas(&[call(&piece)]) + &finish("tool_calls") + DONE;
    let frames = Talk::about(Chat, Responses, &request).frames(&stream);
    let item = &frames.last().unwrap()["response"]["output"][0];
    assert_eq!((&item["name"], &item["namespace"]), (&json!("get"), &json!("b")));
}

fn tools(names: &[&str]) -> Value {
    let tool = |name: &&str| json!({"name": name, "input_schema": {"type": "object", "properties": {}}});
    let mut body = messages([user("x")]);
    body["tools"] = names.iter().map(tool).collect();
    body
}

#[test]
fn t53_a_tool_that_is_declared_twice_is_sent_once() {
    for (upstream, list, name) in [
        (Chat, "/tools", "/function/name"),
        (Responses, "/tools", "/name"),
        (Gemini, "/tools/0/functionDeclarations", "/name"),
    ] {
        let body = asked(Messages, upstream, &tools(&["f", "f"]));
        assert_eq!(each(body.pointer(list).unwrap(), name), ["f"], "{upstream:?}");
    }
}

#[test]
fn t54_names_that_become_alike_are_kept_apart() {
    let request = tools(&["a.b", "a_b"]);
    let names = each(&asked(Messages, Chat, &request)["tools"], "/function/name");
    assert_ne!(names[0], names[1]);
    for (name, client) in names.iter().zip(["a.b", "a_b"]) {
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        assert!(name.as_str().unwrap().chars().all(legal), "{name}");
        let piece = json!({"index": 0, "id": "c", "function": {"name": name, "arguments": "{}"}});
        let stream = deltas(&[call(&piece)]) + &finish("tool_calls") + DONE;
        assert_eq!(Talk::about(Chat, Messages, &request).told(&stream)[0], format!("0 tool_use {client}"));
    }
}

#[test]
fn t128_a_tool_is_called_by_the_clients_name() {
    let request = tools(&["mcp:Read.File", "Bash"]);
    let names = each(&asked(Messages, Chat, &request)["tools"], "/function/name");
    for (name, client) in names.iter().zip(["mcp:Read.File", "Bash"]) {
        let function = json!({"name": name, "arguments": "{}"});
        let piece = json!({"index": 0, "id": "c", "function": function});
        let stream = deltas(&[call(&piece)]) + &finish("tool_calls") + DONE;
        let talk = Talk::about(Chat, Messages, &request);
        assert_eq!(talk.told(&stream)[0], format!("0 tool_use {client}"));
        let whole = talk.whole(
            &json!({"id": "c", "object": "chat.completion", "created": 1, "model": "up", "choices": [
                {"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "content": null,
                    "tool_calls": [{"id": "c", "type": "function", "function": function}]}},
            ]}),
        );
        assert_eq!(whole["content"][0]["name"], client);
    }
}
