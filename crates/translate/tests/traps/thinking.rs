//! D: thinking and signatures.

use crate::support::*;
use byok_translate::{Incoming, codec, messages::headers_for};
use byok_types::{
    Dialect::{Chat, Gemini, Messages, Responses},
    Effort, Family, ThinkingForm,
};
use serde_json::{Value, json};

fn thinks(signature: &str) -> Value {
    json!({"type": "thinking", "thinking": "t", "signature": signature})
}

/// The types of the assistant's blocks when this history goes to Claude.
fn replayed(blocks: impl Into<Value>) -> Vec<Value> {
    let body = messages([user("x"), assistant(blocks), user("y")]);
    each(&asked(Messages, Messages, &body)["messages"][1]["content"], "/type")
}

fn text(said: &str) -> Value {
    json!({"type": "text", "text": said})
}

#[test]
fn t63_a_placeholder_is_no_signature() {
    assert_eq!(replayed([thinks("skip_thought_signature_validator"), text("a")]), ["text"]);
    assert_eq!(replayed([thinks("EqQBCkYIBxgCKkBsignature"), text("a")]), ["thinking", "text"]);
    // Claude's own are told by their first letter; for other vendors' models anything else is a signature.
    let mut other = facts(Messages);
    other.family = Family::Other;
    for (signature, sent) in [
        ("skip_thought_signature_validator", json!(["text"])),
        ("their own seal", json!(["thinking", "text"])),
    ] {
        let body = messages([user("x"), assistant([thinks(signature), text("a")]), user("y")]);
        let history = asked_of(Messages, Messages, &other, &body).0;
        assert_eq!(json!(each(&history["messages"][1]["content"], "/type")), sent, "{signature}");
    }
}

/// Kimi's and other vendors' signatures come without a tag too; Claude's begin with one of three letters.
#[test]
fn a_signature_of_nobody_knows_whom_is_not_sent_to_claude() {
    for (signature, sent) in [
        ("EqQBCkYIBxgCKkB", true),
        ("RXFRQkNrWUlC", true),
        ("CAISnwEKRggI", true),
        ("gAAAAABo", false),
        ("kq93ZmFrZQ", false),
        ("3f2504e0-4f89-11d3", false),
    ] {
        let expected: &[&str] = if sent { &["thinking", "text"] } else { &["text"] };
        assert_eq!(replayed([thinks(signature), text("a")]), expected, "{signature}");
    }
}

/// A Gemini answer of two calls, the first one signed, as a Messages client keeps it, and its next request.
fn signed_round() -> Value {
    let stream = parts(&[json!([
        {"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "U0lH"},
        {"functionCall": {"name": "f", "args": {"a": 2}}},
    ])]);
    let mut blocks: Vec<Value> = Vec::new();
    for frame in Talk::new(Gemini, Messages).frames(&stream) {
        if frame["type"] == "content_block_start" {
            blocks.push(frame["content_block"].clone());
        }
        let Some(block) = blocks.last_mut() else { continue };
        let delta = &frame["delta"];
        if let Some(signature) = delta["signature"].as_str() {
            block["signature"] = signature.into();
        }
        if let Some(json) = delta["partial_json"].as_str().filter(|json| !json.is_empty()) {
            block["input"] = serde_json::from_str(json).unwrap();
        }
    }
    let calls: Vec<&Value> = blocks.iter().filter(|block| block["type"] == "tool_use").collect();
    let results: Vec<Value> = calls.iter().map(|call| result(call["id"].as_str().unwrap(), "r")).collect();
    messages([user("x"), assistant(blocks), user(results)])
}

#[test]
fn t64_a_signature_comes_back_to_its_call() {
    let contents = &asked_of(Messages, Gemini, &gemini_3(), &signed_round()).0["contents"];
    let first = &contents[1]["parts"][0];
    assert_eq!(
        (&first["functionCall"]["args"]["a"], &first["thoughtSignature"]),
        (&json!(1), &json!("U0lH"))
    );
}

#[test]
fn t65_calls_of_one_step_stay_in_one_content() {
    let contents = &asked_of(Messages, Gemini, &gemini_3(), &signed_round()).0["contents"];
    assert_eq!(each(contents, "/role"), ["user", "model", "user"]);
    assert_eq!(each(&contents[1]["parts"], "/thoughtSignature"), [json!("U0lH"), Value::Null]);
}

#[test]
fn t66_a_seal_of_another_vendor_is_not_sent() {
    assert_eq!(replayed([thinks("gAAAAABoforeign"), text("a")]), ["text"]);
    let carried = thinks("byok1:gemini::U0lH");
    assert_eq!(replayed([carried.clone(), text("a")]), ["text"]);
    let body = messages([user("x"), assistant([carried, text("a")]), user("y")]);
    assert_eq!(each(&asked(Messages, Responses, &body)["input"], "/type"), ["message", "message", "message"]);
}

fn reasoning(id: &str, blob: &str) -> Value {
    json!({"type": "reasoning", "id": id, "summary": [], "encrypted_content": blob})
}

/// A Responses stream of one reasoning item with these summaries; it begins with one id and blob and ends with another.
fn sealed(summaries: &[&str]) -> String {
    let mut inner = vec![
        json!({"type": "response.output_item.added", "output_index": 0, "item": reasoning("rs_a", "gAAAAP")}),
    ];
    for (at, said) in summaries.iter().enumerate() {
        let event = |kind: &str, key: &str, value: Value| json!({"type": format!("response.reasoning_summary_{kind}"), "output_index": 0, "item_id": "rs_a", "summary_index": at, key: value});
        let part = json!({"type": "summary_text", "text": said});
        inner.push(event("part.added", "part", json!({"type": "summary_text", "text": ""})));
        inner.push(event("text.delta", "delta", json!(said)));
        inner.push(event("text.done", "text", json!(said)));
        inner.push(event("part.done", "part", part));
    }
    let mut done = reasoning("rs_b", "gAAAAF");
    done["summary"] = summaries.iter().map(|said| json!({"type": "summary_text", "text": said})).collect();
    inner.push(json!({"type": "response.output_item.done", "output_index": 0, "item": done.clone()}));
    response(&inner, &json!([done]))
}

#[test]
fn t67_one_reasoning_item_is_one_block() {
    let told = Talk::new(Responses, Messages).told(&sealed(&["one", "two", "three"]));
    let starts: Vec<&String> = told.iter().filter(|line| line.ends_with("thinking ")).collect();
    assert_eq!(starts, ["0 thinking "], "{told:?}");
    let said: String = told.iter().filter_map(|line| line.strip_prefix("0 thinking_delta: ")).collect();
    assert_eq!(said, "one\n\ntwo\n\nthree");
}

/// The signatures of a Messages stream.
fn signatures(frames: &[Value]) -> Vec<String> {
    frames.iter().filter_map(|frame| frame["delta"]["signature"].as_str()).map(str::to_owned).collect()
}

#[test]
fn t68_the_last_seal_counts() {
    let signatures = signatures(&Talk::new(Responses, Messages).frames(&sealed(&["s"])));
    let history = json!({"type": "thinking", "thinking": "s", "signature": signatures[0]});
    assert_eq!(signatures.len(), 1);
    let input = &asked(
        Messages,
        Responses,
        &messages([user("x"), assistant([history, text("a")]), user("y")]),
    )["input"];
    assert_eq!(input[1]["encrypted_content"], "gAAAAF", "{input}");
}

#[test]
fn t69_no_signature_is_better_than_an_empty_one() {
    let stream =
        deltas(&[json!({"reasoning_content": "r"}), json!({"content": "c"})]) + &finish("stop") + DONE;
    let frames = Talk::new(Chat, Messages).frames(&stream);
    let start = frames.iter().find(|frame| frame["type"] == "content_block_start").unwrap();
    assert_eq!(start["content_block"]["type"], "thinking");
    assert!(start["content_block"]["signature"].as_str().is_none_or(str::is_empty));
    assert!(signatures(&frames).iter().all(|signature| signature.starts_with("byok1:")), "{frames:?}");
    assert!(signatures(&frames).iter().all(|signature| !signature.is_empty()));
}

#[test]
fn t70_thinking_without_a_signature_is_not_sent_to_claude() {
    for unsigned in [json!({"type": "thinking", "thinking": "t"}), thinks("")] {
        assert_eq!(replayed([unsigned, text("a")]), ["text"]);
    }
}

#[test]
fn t71_thinking_is_off_where_the_history_has_none() {
    let mut claude = facts(Messages);
    claude.thinking.forms = vec![ThinkingForm::Budget];
    let ask = |blocks: Value| {
        let mut body = messages([user("x"), assistant(blocks), user([result("a", "r")])]);
        body["thinking"] = json!({"type": "enabled", "budget_tokens": 2000});
        body["max_tokens"] = 4000.into();
        asked_of(Messages, Messages, &claude, &body).0["thinking"]["type"].clone()
    };
    assert_ne!(ask(json!([uses("a")])), "enabled");
    assert_eq!(ask(json!([thinks("EqQBCkYIBxgCKkBsignature"), uses("a")])), "enabled");
}

/// What is left out, made up or joined on the way makes another turn the last one: a vendor sees only what is written.
#[test]
fn the_turns_count_as_they_are_written() {
    let chat = |after: Value| {
        let mut turns = vec![
            user("hi"),
            json!({"role": "assistant", "content": "k", "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}),
        ];
        turns.extend(after.as_array().unwrap().clone());
        json!({"model": "m", "reasoning_effort": "high", "messages": turns})
    };
    let responses = |after: Value| {
        let mut items = vec![
            user("hi"),
            json!({"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}),
        ];
        items.extend(after.as_array().unwrap().clone());
        json!({"model": "m", "reasoning": {"effort": "high"}, "input": items})
    };
    let gemini = |words: &str| {
        json!({"generationConfig": {"thinkingConfig": {"thinkingBudget": 8192}}, "contents": [
            {"role": "user", "parts": [{"text": "hi"}]},
            {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"output": "r"}}}]},
            {"role": "model", "parts": [{"text": words}]},
            {"role": "user", "parts": [{"text": "Please continue."}]},
        ]})
    };
    let tool = json!({"role": "tool", "tool_call_id": "c1", "content": "r"});
    let said = |words: &str| json!({"role": "assistant", "content": words});
    let output = json!({"type": "function_call_output", "call_id": "c1", "output": "r"});
    let foreign = json!({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAAABx"});
    let search = json!({"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}});
    for (client, body, on) in [
        (Chat, chat(json!([user("stop that")])), false),
        (Chat, chat(json!([tool, said(""), user("go")])), false),
        (Chat, chat(json!([tool, said("done"), user("go")])), true),
        (Responses, responses(json!([user("stop that")])), false),
        (Responses, responses(json!([output, foreign, user("go")])), false),
        (Responses, responses(json!([output, search, user("go")])), false),
        (Responses, responses(json!([output, foreign, said("done"), user("go")])), true),
        (Gemini, gemini(""), false),
        (Gemini, gemini("done"), true),
    ] {
        let (sent, losses) = asked_of(client, Messages, &facts(Messages), &body);
        assert_eq!(sent["thinking"]["type"] == "enabled", on, "{client:?} {body}\n{sent}");
        let told = losses.iter().any(|loss| loss.reason.contains("has no reasoning of this model"));
        assert_ne!(told, on, "{client:?} {body}: {losses:?}");
    }
}

#[test]
fn t72_an_item_without_its_content_is_not_named() {
    let item = json!({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": null});
    let body = json!({"model": "m", "store": false, "input": [{"role": "user", "content": "x"}, item, {"role": "user", "content": "y"}]});
    let input = &asked(Responses, Responses, &body)["input"];
    assert!(!input.to_string().contains("rs_1"), "{input}");
    assert_eq!(each(input, "/role"), ["user", "user"]);
}

#[test]
fn t73_an_id_never_stands_beside_the_seal_of_another() {
    for client in [Responses, Messages] {
        let frames = Talk::new(Responses, client).frames(&sealed(&["s"]));
        let body = if client == Messages {
            let history = json!({"type": "thinking", "thinking": "s", "signature": signatures(&frames)[0]});
            messages([user("x"), assistant([history, text("a")]), user("y")])
        } else {
            let item = frames.last().unwrap()["response"]["output"][0].clone();
            json!({"model": "m", "store": false, "input": [{"role": "user", "content": "x"}, item, {"role": "assistant", "content": "a"}]})
        };
        let item = asked(client, Responses, &body)["input"][1].clone();
        assert_eq!(item["encrypted_content"], "gAAAAF", "{item}");
        assert!(item["id"].is_null() || item["id"] == "rs_b", "{item}");
    }
}

/// A gateway that gives an item another id in every event: what belongs together is known by its place.
#[test]
fn t73b_ids_that_change_within_an_item_change_nothing() {
    let message = |id: &str, content: Value| json!({"type": "message", "id": id, "role": "assistant", "content": content});
    let item = |kind: &str, at: u8, item: &Value| json!({"type": format!("response.output_item.{kind}"), "output_index": at, "item": item});
    let piece = |kind: &str, id: &str, at: u8, text: &str| json!({"type": format!("response.{kind}.delta"), "item_id": id, "output_index": at, "content_index": 0, "summary_index": 0, "delta": text});
    let mut whole = reasoning("rs_d", "gAAAAF");
    whole["summary"] = json!([{"type": "summary_text", "text": "why so"}]);
    let said = json!([{"type": "output_text", "text": "Hi there", "annotations": []}]);
    let upstream = response(
        &[
            item("added", 0, &reasoning("rs_a", "gAAAAP")),
            piece("reasoning_summary_text", "rs_b", 0, "why "),
            piece("reasoning_summary_text", "rs_c", 0, "so"),
            item("done", 0, &whole),
            item("added", 1, &message("msg_a", json!([]))),
            piece("output_text", "msg_b", 1, "Hi "),
            piece("output_text", "msg_c", 1, "there"),
            item("done", 1, &message("msg_d", said.clone())),
        ],
        &json!([whole, message("msg_e", said)]),
    );
    let told = Talk::new(Responses, Messages).told(&upstream);
    let starts: Vec<&str> = told
        .iter()
        .map(String::as_str)
        .filter(|line| line.ends_with(' ') && !line.contains("delta"))
        .collect();
    assert_eq!(starts, ["0 thinking ", "1 text "], "{told:?}");
    let text: String = told.iter().filter_map(|line| line.strip_prefix("1 text_delta: ")).collect();
    assert_eq!(text, "Hi there");
}

#[test]
fn t74_models_that_want_their_reasoning_back_get_it() {
    let history = messages([
        user("x"),
        assistant([json!({"type": "thinking", "thinking": "t", "signature": ""}), uses("a")]),
        user([result("a", "r")]),
    ]);
    let mut deepseek = facts(Chat);
    deepseek.thinking.replay_text = true;
    let turns = asked_of(Messages, Chat, &deepseek, &history).0["messages"].clone();
    assert_eq!(turns[1]["reasoning_content"], "t");
    assert!(asked(Messages, Chat, &history)["messages"][1].get("reasoning_content").is_none());
}

#[test]
fn t75_thinking_is_never_said_as_text() {
    let secret = json!({"type": "thinking", "thinking": "secret", "signature": "EqQBCkYIBxgCKkBsignature"});
    let body = messages([user("x"), assistant([secret, text("a")]), user("y")]);
    for upstream in [Chat, Responses, Gemini] {
        let sent = asked(Messages, upstream, &body).to_string();
        assert!(!sent.contains("secret"), "{upstream:?} {sent}");
    }
}

#[test]
fn t76_the_beta_that_hides_thinking_is_never_asked_for() {
    let body =
        json!({"model": "m", "input": "x", "reasoning": {"effort": "high", "summary": "auto"}}).to_string();
    let request = codec::decode_request(Responses, &Incoming::body(body.as_bytes())).unwrap().value;
    let headers = headers_for(&request, &facts(Messages));
    assert!(headers.iter().any(|(name, _)| *name == "anthropic-version"));
    assert!(!headers.iter().any(|(_, value)| value.contains("redact-thinking")), "{headers:?}");
}

#[test]
fn t77_thinking_is_read_under_all_its_names() {
    for delta in [
        json!({"reasoning_content": "r"}),
        json!({"reasoning": "r"}),
        json!({"reasoning_details": [{"type": "reasoning.text", "text": "r"}]}),
    ] {
        let stream = deltas(std::slice::from_ref(&delta)) + &finish("stop") + DONE;
        let told = Talk::new(Chat, Messages).told(&stream);
        assert_eq!(told[..2], ["0 thinking ", "0 thinking_delta: r"], "{delta}");
    }
}

#[test]
fn t78_redacted_thinking_stays_with_claude() {
    let redacted = json!({"type": "redacted_thinking", "data": "EqQBCkYIBxgCKkBsealed"});
    assert_eq!(replayed([redacted.clone(), text("a")]), ["redacted_thinking", "text"]);
    let body = messages([user("x"), assistant([redacted, text("a")]), user("y")]);
    for upstream in [Chat, Responses, Gemini] {
        let sent = asked(Messages, upstream, &body).to_string();
        assert!(!sent.contains("redacted") && !sent.contains("EqQBCk"), "{upstream:?} {sent}");
    }
}

#[test]
fn t79_gemini_gets_a_budget_or_a_level_by_its_generation() {
    let mut body = chat([user("x")]);
    body["reasoning_effort"] = "high".into();
    let thinking =
        |facts| asked_of(Chat, Gemini, &facts, &body).0["generationConfig"]["thinkingConfig"].clone();
    let old = thinking(facts(Gemini));
    assert_eq!((&old["thinkingBudget"], &old["thinkingLevel"]), (&json!(24_576), &Value::Null));
    let new = thinking(gemini_3());
    assert_eq!((&new["thinkingBudget"], &new["thinkingLevel"]), (&Value::Null, &json!("HIGH")));
}

#[test]
fn t80_an_effort_is_cut_to_what_the_model_takes() {
    let mut model = facts(Chat);
    model.thinking.levels = vec![Effort::Low, Effort::Medium, Effort::High];
    for (asked, sent) in [("max", "high"), ("xhigh", "high"), ("minimal", "low"), ("medium", "medium")] {
        let mut body = json!({"model": "m", "input": "x"});
        body["reasoning"] = json!({"effort": asked});
        assert_eq!(asked_of(Responses, Chat, &model, &body).0["reasoning_effort"], sent, "{asked}");
    }
}

/// Two reasoning items of one answer keep their seals and their order through a client of Gemini, from streams and whole
/// answers: each seal comes back before what its reasoning led to.
#[test]
fn two_sealed_items_come_back_in_their_order() {
    let sealed = |seal: &str| {
        let summary = json!([{"type": "summary_text", "text": format!("on {seal}")}]);
        json!({"type": "reasoning", "id": format!("rs_{seal}"), "encrypted_content": seal, "summary": summary})
    };
    let words = |text: &str| {
        let content = json!([{"type": "output_text", "text": text, "annotations": []}]);
        json!({"type": "message", "id": format!("msg_{text}"), "role": "assistant", "status": "completed", "content": content})
    };
    let call = |id: &str| json!({"type": "function_call", "id": format!("fc_{id}"), "call_id": id, "name": "f", "arguments": "{}", "status": "completed"});
    let (one, two) = (sealed("gAAAA1"), sealed("gAAAA2"));
    for (output, expected) in [
        (json!([one, two, words("hi")]), "gAAAA1 gAAAA2 hi"),
        (json!([one, two, call("c")]), "gAAAA1 gAAAA2 c"),
        (json!([one, words("hi"), two, call("c")]), "gAAAA1 hi gAAAA2 c"),
        (json!([one, call("c"), two, call("d")]), "gAAAA1 c gAAAA2 d"),
        (json!([one, words("hi"), two, words("ho")]), "gAAAA1 hi gAAAA2 ho"),
    ] {
        let talk = Talk::new(Responses, Gemini);
        let answer =
            json!({"id": "r", "object": "response", "status": "completed", "model": "up", "output": output});
        let whole = talk.whole(&answer)["candidates"][0]["content"].clone();
        let frames = talk.frames(&response(&[], &output));
        let parts = frames.iter().filter_map(|frame| frame["candidates"][0]["content"]["parts"].as_array());
        let parts: Vec<&Value> = parts.flatten().collect();
        for content in [whole, json!({"role": "model", "parts": parts})] {
            let user = |text: &str| json!({"role": "user", "parts": [{"text": text}]});
            let back = asked(Gemini, Responses, &json!({"contents": [user("x"), content, user("y")]}));
            let items = back["input"].as_array().unwrap().iter().filter(|item| item["role"] != "user");
            let said = items.filter_map(|item| {
                let named = item["encrypted_content"].as_str().or(item["content"][0]["text"].as_str());
                named.or(item["call_id"].as_str().filter(|_| item["type"] == "function_call"))
            });
            assert_eq!(said.collect::<Vec<_>>().join(" "), expected);
        }
    }
}
