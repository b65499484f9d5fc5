//! C: calls and results in the history of a conversation.

use crate::support::*;
use byok_types::Dialect::{Chat, Gemini, Messages, Responses};
use serde_json::{Value, json};

#[test]
fn t33_results_of_one_turn_are_one_user_turn() {
    let body = chat([user("x"), calling(&["a", "b"]), tool("a", "1"), tool("b", "2")]);
    let upstream = asked(Chat, Messages, &body);
    assert_eq!(each(&upstream["messages"], "/role"), ["user", "assistant", "user"]);
    assert_eq!(each(&upstream["messages"][2]["content"], "/tool_use_id"), ["a", "b"]);
}

#[test]
fn t34_results_stand_before_text() {
    let mixed = user([json!({"type": "text", "text": "t"}), result("a", "r")]);
    let upstream = asked(Messages, Messages, &messages([user("x"), assistant([uses("a")]), mixed]));
    assert_eq!(each(&upstream["messages"][2]["content"], "/type"), ["tool_result", "text"]);
}

#[test]
fn t35_results_over_several_turns_stand_behind_their_calls() {
    let text = json!({"type": "text", "text": "t"});
    let body = messages([
        user("x"),
        assistant([uses("a"), uses("b")]),
        user([result("a", "1"), text]),
        user([result("b", "2")]),
    ]);
    let upstream = asked(Messages, Chat, &body);
    let turns = &upstream["messages"];
    assert_eq!(each(turns, "/role"), ["user", "assistant", "tool", "tool", "user"]);
    assert_eq!([&turns[2]["tool_call_id"], &turns[3]["tool_call_id"]], ["a", "b"]);
    assert_eq!([&turns[2]["content"], &turns[3]["content"], &turns[4]["content"]], ["1", "2", "t"]);
}

fn call_item(id: &str) -> Value {
    json!({"type": "function_call", "call_id": id, "name": "f", "arguments": "{}"})
}

fn output_item(id: &str, output: impl Into<Value>) -> Value {
    json!({"type": "function_call_output", "call_id": id, "output": output.into()})
}

fn items(input: impl Into<Value>) -> Value {
    json!({"model": "m", "input": input.into()})
}

#[test]
fn t36_calls_in_a_row_are_one_message() {
    let body = items([call_item("a"), call_item("b"), output_item("a", "1"), output_item("b", "2")]);
    let turns = &asked(Responses, Chat, &body)["messages"];
    assert_eq!(each(turns, "/role"), ["assistant", "tool", "tool"]);
    assert_eq!(each(&turns[0]["tool_calls"], "/id"), ["a", "b"]);
}

#[test]
fn t37_no_empty_message_stands_before_calls() {
    let body = chat([user("x"), calling(&["a"]), tool("a", "r")]);
    let input = &asked(Chat, Responses, &body)["input"];
    assert_eq!(each(input, "/type"), ["message", "function_call", "function_call_output"]);
}

#[test]
fn t38_text_beside_calls_is_kept() {
    let said =
        json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "a"}]});
    let body = items([json!({"role": "user", "content": "x"}), said, call_item("c"), output_item("c", "r")]);
    let turns = &asked(Responses, Messages, &body)["messages"];
    assert_eq!(each(turns, "/role"), ["user", "assistant", "user"]);
    assert_eq!(each(&turns[1]["content"], "/type"), ["text", "tool_use"]);
    assert_eq!(turns[1]["content"][0]["text"], "a");
}

#[test]
fn t39_pictures_in_results_reach_every_upstream() {
    let image =
        json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}});
    let told = result("a", [json!({"type": "text", "text": "see"}), image]);
    let body = messages([user("x"), assistant([uses("a")]), user([told])]);
    let turns = &asked(Messages, Chat, &body)["messages"];
    assert_eq!(each(turns, "/role"), ["user", "assistant", "tool", "user"]);
    assert!(turns[2].to_string().contains("see"));
    let pictures = each(&turns[3]["content"], "/image_url/url");
    assert!(pictures.contains(&json!("data:image/png;base64,AAAA")), "{turns}");
    let input = &asked(Messages, Responses, &body)["input"];
    assert_eq!(each(&input[2]["output"], "/type"), ["input_text", "input_image"]);
    let contents = &asked_of(Messages, Gemini, &gemini_3(), &body).0["contents"];
    assert_eq!(contents[2]["parts"][0]["functionResponse"]["parts"][0]["inlineData"]["data"], "AAAA");
    // The generations before have it beside the response.
    let contents = &asked(Messages, Gemini, &body)["contents"];
    assert_eq!(contents[2]["parts"][1]["inlineData"]["data"], "AAAA", "{contents}");
}

#[test]
fn t40_a_picture_in_an_output_is_no_text() {
    let address = format!("data:image/png;base64,{}", "A".repeat(2 << 20));
    let image = json!({"type": "input_image", "image_url": address});
    let body = items([json!({"role": "user", "content": "x"}), call_item("a"), output_item("a", [image])]);
    let turns = &asked(Responses, Messages, &body)["messages"];
    let content = &turns[2]["content"][0]["content"];
    assert_eq!(each(content, "/type"), ["image"]);
    assert_eq!(content[0]["source"]["media_type"], "image/png");
}

#[test]
fn t42_the_last_result_of_a_call_counts() {
    let body = chat([user("x"), calling(&["a", "b"]), tool("a", "old"), tool("b", "2"), tool("a", "new")]);
    let content = &asked(Chat, Messages, &body)["messages"][2]["content"];
    assert_eq!(each(content, "/tool_use_id"), ["a", "b"]);
    assert!(content[0].to_string().contains("new") && !content[0].to_string().contains("old"), "{content}");
}

#[test]
fn t55_ids_have_the_letters_that_the_upstream_takes() {
    let body = chat([user("x"), calling(&["functions.f:0"]), tool("functions.f:0", "r")]);
    let turns = &asked(Chat, Messages, &body)["messages"];
    assert_eq!(turns[1]["content"][0]["id"], "functions_f_0");
    assert_eq!(turns[2]["content"][0]["tool_use_id"], "functions_f_0");
}

#[test]
fn t56_long_ids_are_shortened_alike() {
    let id = "c".repeat(90);
    let body = messages([user("x"), assistant([uses(&id)]), user([result(&id, "r")])]);
    let input = &asked(Messages, Responses, &body)["input"];
    let short = input[1]["call_id"].as_str().unwrap();
    assert_eq!(short.len(), 64);
    assert_eq!(input[2]["call_id"], short);
    assert_eq!(&asked(Messages, Responses, &body)["input"], input);
}

#[test]
fn t57_ids_of_a_history_without_ids_are_the_same_each_time() {
    let part = |kind: &str, inner: Value| json!({kind: {"name": "f", "args": {}, "response": inner}});
    let body = json!({"contents": [
        {"role": "user", "parts": [{"text": "x"}]},
        {"role": "model", "parts": [part("functionCall", json!({})), part("functionCall", json!({}))]},
        {"role": "user", "parts": [part("functionResponse", json!({"output": "1"})), part("functionResponse", json!({"output": "2"}))]},
    ]});
    let turns = &asked(Gemini, Messages, &body)["messages"];
    let ids = each(&turns[1]["content"], "/id");
    assert_ne!(ids[0], ids[1]);
    assert_eq!(each(&turns[2]["content"], "/tool_use_id"), ids);
    assert_eq!(&asked(Gemini, Messages, &body)["messages"], turns);
}

#[test]
fn t58_a_result_has_the_name_of_its_call() {
    let used = json!({"type": "tool_use", "id": "toolu_1", "name": "grep", "input": {}});
    let body = messages([user("x"), assistant([used]), user([result("toolu_1", "r")])]);
    let contents = &asked(Messages, Gemini, &body)["contents"];
    assert_eq!(contents[2]["parts"][0]["functionResponse"]["name"], "grep");
}

#[test]
fn t59_a_result_is_an_object() {
    for (said, expected) in [
        ("{not json", json!({"output": "{not json"})),
        ("plain", json!({"output": "plain"})),
        ("{\"a\":1}", json!({"a": 1})),
    ] {
        let body = messages([user("x"), assistant([uses("a")]), user([result("a", said)])]);
        let contents = &asked(Messages, Gemini, &body)["contents"];
        assert_eq!(contents[2]["parts"][0]["functionResponse"]["response"], expected);
    }
}

#[test]
fn t60_without_tools_there_is_no_choice() {
    let mut body = messages([user("x")]);
    body["tools"] = json!([]);
    body["tool_choice"] = json!({"type": "any"});
    for (upstream, keys) in [
        (Chat, ["tool_choice", "parallel_tool_calls"]),
        (Responses, ["tool_choice", "parallel_tool_calls"]),
        (Gemini, ["toolConfig", "tools"]),
    ] {
        let sent = asked(Messages, upstream, &body);
        assert!(keys.iter().all(|key| sent.get(key).is_none()), "{sent}");
    }
}

#[test]
fn t61_the_parallel_flag_stands_in_the_choice() {
    let mut body = messages([user("x")]);
    body["tools"] = json!([{"name": "f", "input_schema": {"type": "object", "properties": {}}}]);
    body["tool_choice"] = json!({"type": "auto", "disable_parallel_tool_use": true});
    for upstream in [Chat, Responses] {
        assert_eq!(asked(Messages, upstream, &body)["parallel_tool_calls"], false);
    }
}

#[test]
fn t62_a_result_without_a_call_is_text() {
    let body = items([output_item("gone", "what it said"), json!({"role": "user", "content": "x"})]);
    let turns = &asked(Responses, Chat, &body)["messages"];
    assert!(each(turns, "/role").iter().all(|role| role == "user"), "{turns}");
    assert!(turns.to_string().contains("what it said"));
    let turns = &asked(Responses, Messages, &body)["messages"];
    assert!(!turns.to_string().contains("tool_result"), "{turns}");
}
