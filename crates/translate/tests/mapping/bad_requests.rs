//! Requests that are not in order: never a panic, never a guess that changes the meaning without a word, always a body that
//! the upstream takes, or a refusal that names the field.

use crate::support::{CHAT, GEMINI, MESSAGES, RESPONSES, ask, facts};
use byok_translate::{Incoming, LossAction, codec};
use byok_types::Dialect;
use serde_json::{Value, json};

/// A body of a client about this conversation.
fn body(client: Dialect, conversation: &Value) -> Value {
    match client {
        CHAT => json!({"model": "m", "messages": conversation}),
        RESPONSES => json!({"model": "m", "input": conversation}),
        MESSAGES => json!({"model": "m", "max_tokens": 9, "messages": conversation}),
        GEMINI => json!({"contents": conversation}),
    }
}

fn user(client: Dialect, content: &Value) -> Value {
    match client {
        CHAT | MESSAGES => json!([{"role": "user", "content": content}]),
        RESPONSES => json!([{"type": "message", "role": "user", "content": content}]),
        GEMINI => json!([{"role": "user", "parts": content}]),
    }
}

/// Deep inside parts a wrong type is refused by the name of the place.
#[test]
fn wrong_types_deep_inside_parts() {
    let cases = [
        (CHAT, user(CHAT, &json!([{"type": "text", "text": {"a": 1}}])), "messages[0].content[0]"),
        (
            CHAT,
            user(CHAT, &json!([{"type": "image_url", "image_url": {"url": 5}}])),
            "messages[0].content[0]",
        ),
        (
            CHAT,
            user(CHAT, &json!([{"type": "input_audio", "input_audio": {"data": [], "format": "wav"}}])),
            "messages[0].content[0]",
        ),
        (
            CHAT,
            json!([{"role": "assistant", "tool_calls": [{"id": "a", "type": "function", "function": "f"}]}]),
            "messages[0].tool_calls[0]",
        ),
        (RESPONSES, user(RESPONSES, &json!([{"type": "input_text", "text": {"a": 1}}])), "input"),
        (RESPONSES, user(RESPONSES, &json!([{"type": "input_image", "image_url": []}])), "input"),
        (
            RESPONSES,
            json!([{"type": "function_call", "call_id": 5, "name": "f", "arguments": "{}"}]),
            "input",
        ),
        (RESPONSES, json!([{"type": "reasoning", "summary": "s"}]), "input"),
        (
            MESSAGES,
            user(MESSAGES, &json!([{"type": "text", "text": {"a": 1}}])),
            "messages[0].content[0].text",
        ),
        (
            MESSAGES,
            user(
                MESSAGES,
                &json!([{"type": "image", "source": {"type": "base64", "media_type": 5, "data": "AAAA"}}]),
            ),
            "messages[0].content[0].source",
        ),
        (
            MESSAGES,
            user(
                MESSAGES,
                &json!([{"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": []}]}]),
            ),
            "messages[0].content[0].content",
        ),
        (
            MESSAGES,
            user(MESSAGES, &json!([{"type": "text", "text": "x", "cache_control": "now"}])),
            "messages[0].content[0].cache_control",
        ),
        (GEMINI, user(GEMINI, &json!([{"text": {"a": 1}}])), "contents"),
        (GEMINI, user(GEMINI, &json!([{"inlineData": {"mimeType": "image/png", "data": 5}}])), "contents"),
        (
            GEMINI,
            json!([{"role": "model", "parts": [{"functionCall": {"name": [], "args": {}}}]}]),
            "contents",
        ),
    ];
    let mut faults = Vec::new();
    for (client, conversation, place) in cases {
        let bytes = body(client, &conversation).to_string();
        let incoming = Incoming { body: bytes.as_bytes(), model: Some("m"), stream: None };
        match codec::decode_request(client, &incoming) {
            Ok(read) => faults.push(format!("{client:?} takes {conversation}: {:?}", read.losses)),
            Err(failure) => {
                let named = failure.param.clone().unwrap_or_default();
                if failure.status != 400 || !named.starts_with(place) {
                    faults.push(format!(
                        "{client:?} {conversation}: {} {named} {}",
                        failure.status, failure.message
                    ));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

/// A part that nobody knows, in every position in which parts stand: its words reach nobody, and the client hears of it.
#[test]
fn unknown_parts_in_every_position() {
    let part = |client: Dialect| match client {
        CHAT | MESSAGES => json!({"type": "mystery", "x": "secret"}),
        RESPONSES => json!({"type": "input_mystery", "x": "secret"}),
        GEMINI => json!({"mystery": {"x": "secret"}}),
    };
    let text = |client: Dialect| match client {
        CHAT | MESSAGES => json!({"type": "text", "text": "known"}),
        RESPONSES => json!({"type": "input_text", "text": "known"}),
        GEMINI => json!({"text": "known"}),
    };
    let both = |client: Dialect| json!([part(client), text(client)]);
    let function = json!({"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let cases = [
        ("user", CHAT, user(CHAT, &both(CHAT))),
        (
            "system",
            CHAT,
            json!([{"role": "system", "content": both(CHAT)}, {"role": "user", "content": "known"}]),
        ),
        (
            "assistant",
            CHAT,
            json!([{"role": "user", "content": "known"}, {"role": "assistant", "content": both(CHAT)}, {"role": "user", "content": "x"}]),
        ),
        (
            "result",
            CHAT,
            json!([{"role": "user", "content": "known"}, {"role": "assistant", "tool_calls": [function]}, {"role": "tool", "tool_call_id": "a", "content": both(CHAT)}]),
        ),
        ("user", RESPONSES, user(RESPONSES, &both(RESPONSES))),
        (
            "developer",
            RESPONSES,
            json!([{"type": "message", "role": "developer", "content": both(RESPONSES)}, {"type": "message", "role": "user", "content": "known"}]),
        ),
        (
            "assistant",
            RESPONSES,
            json!([{"type": "message", "role": "user", "content": "known"},
            {"type": "message", "role": "assistant", "content": [{"type": "output_mystery", "x": "secret"}, {"type": "output_text", "text": "known"}]}, {"type": "message", "role": "user", "content": "x"}]),
        ),
        (
            "item",
            RESPONSES,
            json!([{"type": "mystery", "x": "secret"}, {"type": "message", "role": "user", "content": "known"}]),
        ),
        (
            "result",
            RESPONSES,
            json!([{"type": "message", "role": "user", "content": "known"}, {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "a", "output": both(RESPONSES)}]),
        ),
        ("user", MESSAGES, user(MESSAGES, &both(MESSAGES))),
        (
            "assistant",
            MESSAGES,
            json!([{"role": "user", "content": "known"}, {"role": "assistant", "content": both(MESSAGES)}, {"role": "user", "content": "x"}]),
        ),
        (
            "result",
            MESSAGES,
            json!([{"role": "user", "content": "known"}, {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": both(MESSAGES)}]}]),
        ),
        ("user", GEMINI, user(GEMINI, &both(GEMINI))),
        (
            "model",
            GEMINI,
            json!([{"role": "user", "parts": [{"text": "known"}]}, {"role": "model", "parts": both(GEMINI)}, {"role": "user", "parts": [{"text": "x"}]}]),
        ),
    ];
    let mut faults = Vec::new();
    for (position, client, conversation) in cases {
        for target in Dialect::ALL.into_iter().filter(|target| *target != client) {
            match ask(client, target, &facts(target), &body(client, &conversation)) {
                Ok((sent, losses)) => {
                    let told = losses.iter().any(|loss| loss.action == LossAction::Dropped);
                    let sent = sent.to_string();
                    if sent.contains("secret") || !sent.contains("known") || !told {
                        faults.push(format!("{position}: {client:?} to {target:?}: {sent}\n    {losses:?}"));
                    }
                }
                Err(failure) => {
                    faults.push(format!("{position}: {client:?} to {target:?}: {}", failure.message));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

/// Ids of the calls and of the results in a body.
fn ids(target: Dialect, body: &Value) -> (Vec<String>, Vec<String>) {
    fn collect(value: &Value, call: &[(&str, &str, &str)], out: &mut (Vec<String>, Vec<String>)) {
        match value {
            Value::Array(list) => list.iter().for_each(|value| collect(value, call, out)),
            Value::Object(map) => {
                for (kind, is, id) in call {
                    let found = map.get(*kind).is_some_and(|value| *is == "*" || value == is);
                    if found && let Some(id) = value.pointer(id).and_then(Value::as_str) {
                        let list = if kind.contains("esult")
                            || is.contains("result")
                            || is.contains("output")
                            || *is == "tool"
                            || kind.contains("Response")
                        {
                            &mut out.1
                        } else {
                            &mut out.0
                        };
                        list.push(id.to_owned());
                    }
                }
                map.values().for_each(|value| collect(value, call, out));
            }
            _ => {}
        }
    }
    let places: &[(&str, &str, &str)] = match target {
        CHAT => &[("type", "function", "/id"), ("role", "tool", "/tool_call_id")],
        RESPONSES => &[("type", "function_call", "/call_id"), ("type", "function_call_output", "/call_id")],
        MESSAGES => &[("type", "tool_use", "/id"), ("type", "tool_result", "/tool_use_id")],
        GEMINI => {
            &[("functionCall", "*", "/functionCall/id"), ("functionResponse", "*", "/functionResponse/id")]
        }
    };
    let conversation =
        ["messages", "input", "contents"].iter().find_map(|key| body.get(*key)).cloned().unwrap_or_default();
    let mut out = (Vec::new(), Vec::new());
    collect(&conversation, places, &mut out);
    out
}

/// Calls without results, results without calls, and ids that come twice: what is sent has one result for each call.
#[test]
fn dangling_and_duplicate_ids() {
    let call = |id: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let (u, calls) = (
        json!({"role": "user", "content": "x"}),
        |list: Vec<Value>| json!({"role": "assistant", "tool_calls": list}),
    );
    let result = |id: &str, text: &str| json!({"role": "tool", "tool_call_id": id, "content": text});
    let cases = [
        ("no result", json!([u, calls(vec![call("a")]), u]), 1),
        ("no result at the end", json!([u, calls(vec![call("a")])]), 1),
        ("one of two results", json!([u, calls(vec![call("a"), call("b")]), result("b", "known"), u]), 2),
        ("a result of nothing", json!([u, result("gone", "known"), u]), 0),
        (
            "two results of one call",
            json!([u, calls(vec![call("a")]), result("a", "old"), result("a", "known"), u]),
            1,
        ),
        (
            "two calls with one id",
            json!([u, calls(vec![call("a"), call("a")]), result("a", "known"), result("a", "known too"), u]),
            2,
        ),
        (
            "an id used again in a later turn",
            json!([
                u,
                calls(vec![call("a")]),
                result("a", "first"),
                calls(vec![call("a")]),
                result("a", "known"),
                u
            ]),
            2,
        ),
        (
            "results in another order",
            json!([u, calls(vec![call("a"), call("b")]), result("b", "known"), result("a", "first"), u]),
            2,
        ),
    ];
    let mut faults = Vec::new();
    for (name, conversation, expected) in cases {
        for target in [RESPONSES, MESSAGES, GEMINI] {
            let (sent, losses) = ask(CHAT, target, &facts(target), &body(CHAT, &conversation)).unwrap();
            let (calls, results) = ids(target, &sent);
            let is_kept = !conversation.to_string().contains("known") || sent.to_string().contains("known");
            if calls.len() != expected || calls != results || !is_kept {
                faults.push(format!("{name}: {target:?}: {calls:?} {results:?}: {sent}\n    {losses:?}"));
            }
            // Within a turn ids are told apart; no dialect minds an id that comes again in a later one.
            let apart = name.contains("again")
                || calls.iter().all(|id| calls.iter().filter(|other| *other == id).count() == 1);
            if !apart {
                faults.push(format!("{name}: {target:?}: {calls:?}"));
            }
        }
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

/// Empty texts and names: nothing empty is sent where the vendor refuses it.
#[test]
fn empty_strings() {
    let conversations = [
        (
            CHAT,
            json!([{"role": "system", "content": ""}, {"role": "user", "content": "x"}, {"role": "assistant", "content": ""}, {"role": "user", "content": [{"type": "text", "text": ""}, {"type": "text", "text": "y"}]}]),
        ),
        (
            RESPONSES,
            json!([{"type": "message", "role": "user", "content": "x"}, {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": ""}]}, {"type": "message", "role": "user", "content": ""}, {"type": "message", "role": "user", "content": "y"}]),
        ),
        (
            MESSAGES,
            json!([{"role": "user", "content": [{"type": "text", "text": ""}, {"type": "text", "text": "x"}]}, {"role": "assistant", "content": ""}, {"role": "user", "content": "y"}]),
        ),
        (
            GEMINI,
            json!([{"role": "user", "parts": [{"text": ""}, {"text": "x"}]}, {"role": "model", "parts": [{"text": ""}]}, {"role": "user", "parts": [{"text": "y"}]}]),
        ),
    ];
    let mut faults = Vec::new();
    for (client, conversation) in conversations {
        for target in Dialect::ALL.into_iter().filter(|target| *target != client) {
            let (sent, _) = ask(client, target, &facts(target), &body(client, &conversation)).unwrap();
            let text = sent.to_string();
            let empty = text.contains("\"text\":\"\"")
                || text.contains("\"content\":\"\"")
                || text.contains("\"parts\":[]")
                || text.contains("\"content\":[]");
            if empty || !text.contains("\"x") || !text.contains('y') {
                faults.push(format!("{client:?} to {target:?}: {text}"));
            }
        }
    }
    // A tool or a call without a name cannot be meant.
    for (client, wrong) in [
        (
            CHAT,
            json!([{"role": "user", "content": "x"}, {"role": "assistant", "tool_calls": [{"id": "a", "type": "function", "function": {"name": "", "arguments": "{}"}}]}]),
        ),
        (RESPONSES, json!([{"type": "function_call", "call_id": "a", "name": "", "arguments": "{}"}])),
        (RESPONSES, json!([{"type": "function_call_output", "call_id": "", "output": "x"}])),
    ] {
        for target in Dialect::ALL.into_iter().filter(|target| *target != client) {
            match ask(client, target, &facts(target), &body(client, &wrong)) {
                Err(failure) if failure.status == 400 && failure.param.is_some() => {}
                other => faults.push(format!("{client:?} to {target:?} {wrong}: {other:?}")),
            }
        }
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

/// Half of a surrogate pair is no character: it is replaced, and everything around it stays.
#[test]
fn lone_surrogates() {
    let mut faults = Vec::new();
    for client in Dialect::ALL {
        for escaped in [r"\ud83d", r"\ude00", r"\ud83dx", r"\ude00\ud83d"] {
            let text = match client {
                GEMINI => json!([{"text": "a @ b"}]),
                _ => json!("a @ b"),
            };
            let bytes = body(client, &user(client, &text)).to_string().replace('@', escaped);
            let incoming = Incoming { body: bytes.as_bytes(), model: Some("m"), stream: None };
            let read = match codec::decode_request(client, &incoming) {
                Ok(read) => read,
                Err(failure) if failure.status == 400 && failure.message.len() > 12 => continue,
                Err(failure) => {
                    faults.push(format!("{client:?} {escaped}: {failure:?}"));
                    continue;
                }
            };
            for target in Dialect::ALL {
                let ids = &mut byok_translate::Ids::new("seed");
                let sent = codec::encode_request(target, &read.value, &facts(target), ids).unwrap().value;
                let sent: Value = serde_json::from_slice(&sent).unwrap();
                let sent = sent.to_string();
                if !sent.contains("a \u{FFFD}") || !sent.contains(" b") {
                    faults.push(format!("{client:?} to {target:?} {escaped}: {sent}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

/// A result in a turn of the model goes to its call, or is told in the user's words; a call in a turn of the user is left out
/// with a word about it.
#[test]
fn blocks_in_the_wrong_turn() {
    let mut faults = Vec::new();
    let call = json!({"type": "tool_use", "id": "a", "name": "f", "input": {}});
    let result = json!({"type": "tool_result", "tool_use_id": "a", "content": "RESULT"});
    let text = |text: &str| json!({"type": "text", "text": text});
    let user = |blocks: &[&Value]| json!({"role": "user", "content": blocks});
    let model = |blocks: &[&Value]| json!({"role": "assistant", "content": blocks});
    let (x, t, y) = (&text("x"), &text("T"), &text("y"));
    for (name, conversation, kept, lost) in [
        (
            "result without its call",
            json!([user(&[x]), model(&[t, &result]), user(&[y])]),
            ["RESULT", "\"T\""],
            Some((LossAction::Emulated, "messages[1].content[1]")),
        ),
        (
            "result behind its call",
            json!([user(&[x]), model(&[t, &call, &result]), user(&[y])]),
            ["RESULT", "\"T\""],
            None,
        ),
        (
            "call of the user",
            json!([user(&[x, &call]), model(&[t]), user(&[y])]),
            ["\"x\"", "\"T\""],
            Some((LossAction::Dropped, "messages[0].content[1]")),
        ),
    ] {
        for target in [CHAT, RESPONSES, GEMINI] {
            let (sent, losses) =
                ask(MESSAGES, target, &facts(target), &body(MESSAGES, &conversation)).unwrap();
            let sent = sent.to_string();
            let is_told =
                |action, field| losses.iter().any(|loss| loss.action == action && loss.field == field);
            let told = lost.is_none_or(|(action, field)| is_told(action, field));
            let paired = lost.is_none() == sent.contains("\"f\"");
            if !told
                || !paired
                || !kept.iter().all(|text| sent.contains(text))
                || sent.contains("no result was")
            {
                faults.push(format!("{name} to {target:?}: {sent}\n    {losses:?}"));
            }
        }
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}
