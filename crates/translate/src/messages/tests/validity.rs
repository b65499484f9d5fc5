//! Whatever conversation comes in, the request that goes out passes the vendor's validation.

use super::*;
use crate::ir::{Blob, BlobSlot, CacheHint, Refusal, Source, Text, Thinking, ToolChoice};
use proptest::{collection::vec, option, prelude::*};
use std::collections::HashSet;

/// The vendor's rules, as far as they can be checked without the vendor.
fn check(body: &Value) -> Result<(), String> {
    let messages = body["messages"].as_array().ok_or("no messages")?;
    if messages.first().is_none_or(|m| m["role"] != "user") {
        return Err("the first turn is not the user's".into());
    }
    let mut waiting: Vec<String> = Vec::new();
    let mut before = "";
    for message in messages {
        let role = message["role"].as_str().ok_or("no role")?;
        if role == before {
            return Err(format!("two turns of {role}"));
        }
        if role == "system" && before == "assistant" {
            return Err("a system turn after an answer".into());
        }
        before = role;
        let blocks = message["content"].as_array().filter(|list| !list.is_empty()).ok_or("an empty turn")?;
        let results: Vec<_> = blocks.iter().take_while(|b| b["type"] == "tool_result").collect();
        if blocks.iter().filter(|b| b["type"] == "tool_result").count() != results.len() {
            return Err("a result after something else".into());
        }
        let answered: Vec<_> = results.iter().filter_map(|b| b["tool_use_id"].as_str()).collect();
        if answered != waiting {
            return Err(format!("{waiting:?} is answered by {answered:?}"));
        }
        waiting.clear();
        for block in blocks {
            waiting.extend(check_block(block, role)?);
        }
        if waiting.iter().collect::<HashSet<_>>().len() != waiting.len() {
            return Err("two calls with one id".into());
        }
    }
    if !waiting.is_empty() {
        return Err("calls without results".into());
    }
    check_rest(body)
}

/// Checks one block; returns its id if it is a call.
fn check_block(block: &Value, role: &str) -> Result<Option<String>, String> {
    let legal =
        |id: &str| !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    match block["type"].as_str().ok_or("no type")? {
        "text" if block["text"].as_str().is_none_or(|text| text.trim().is_empty()) => {
            Err("an empty text".into())
        }
        "thinking" if block["signature"] != "CLAUDE" => Err("reasoning of another".into()),
        "thinking" if !block["cache_control"].is_null() => Err("a marker on reasoning".into()),
        "tool_use" | "thinking" if role != "assistant" => Err(format!("a call or reasoning of {role}")),
        "tool_use" if !block["input"].is_object() => Err("input that is no object".into()),
        "tool_use" => {
            let id = block["id"].as_str().filter(|id| legal(id)).ok_or("an illegal id")?;
            block["name"]
                .as_str()
                .filter(|name| legal(name) && name.len() <= 128)
                .ok_or("an illegal name")?;
            Ok(Some(id.to_owned()))
        }
        "tool_result" if role != "user" => Err("a result that is not the user's".into()),
        _ => Ok(None),
    }
}

fn check_rest(body: &Value) -> Result<(), String> {
    let names: Vec<_> =
        body["tools"].as_array().into_iter().flatten().map(|tool| tool["name"].to_string()).collect();
    if names.iter().collect::<HashSet<_>>().len() != names.len() {
        return Err("two tools with one name".into());
    }
    if names.is_empty() && !body["tool_choice"].is_null() {
        return Err("a choice among no tools".into());
    }
    let text = body.to_string();
    if text.matches("\"cache_control\":").count() > 4 {
        return Err("more than four markers".into());
    }
    let budget = body["thinking"]["budget_tokens"].as_u64();
    if budget.is_some_and(|budget| budget < 1024 || budget >= body["max_tokens"].as_u64().unwrap_or(0)) {
        return Err("a budget that does not fit".into());
    }
    if budget.is_some() && matches!(body["tool_choice"]["type"].as_str(), Some("any" | "tool")) {
        return Err("a budget and a forced tool".into());
    }
    Ok(())
}

fn part() -> impl Strategy<Value = Part> {
    let id = || prop_oneof![Just(""), Just("a"), Just("b"), Just("c.d"), Just("c:d")];
    let text = || prop_oneof![Just(""), Just(" \n"), Just("hello")];
    let marked = |text: &str, ttl: Option<&str>| {
        let cache = Some(CacheHint { ttl: ttl.map(str::to_owned), ..CacheHint::default() });
        Part::Text(Text { cache, ..Text::new(text) })
    };
    let reasoning = |family: Option<Family>| {
        let data = if family == Some(Family::Claude) { "CLAUDE" } else { "OTHER" }.to_owned();
        let blob = family.map(|family| Blob { family, account: None, slot: BlobSlot::Thinking, data });
        Part::Thinking(Thinking { summary: vec!["t".into()], blob, ..Thinking::default() })
    };
    let families = prop_oneof![Just(None), Just(Some(Family::Claude)), Just(Some(Family::Gemini))];
    prop_oneof![
        4 => text().prop_map(Part::text),
        1 => (text(), option::of(prop_oneof![Just("5m"), Just("1h")])).prop_map(move |(t, ttl)| marked(t, ttl)),
        4 => (id(), prop_oneof![Just(""), Just("{}"), Just("[1]"), Just("{\"a")]).prop_map(|(id, arguments)| {
            let (call_id, name) = (id.to_owned(), format!("f.{id}"));
            Part::ToolCall(ToolCall { call_id, name, arguments: arguments.into(), ..ToolCall::default() })
        }),
        4 => (id(), text(), option::of(any::<bool>())).prop_map(|(id, text, is_error)| {
            let parts = vec![Part::text(text)];
            Part::ToolResult(ToolResult { call_id: id.into(), parts, is_error, ..ToolResult::default() })
        }),
        2 => families.prop_map(reasoning),
        1 => text().prop_map(|text| Part::Refusal(Refusal { text: text.into(), ..Refusal::default() })),
    ]
}

/// Messages in which parts stand only where their roles allow them; the order is anybody's.
fn message() -> impl Strategy<Value = Message> {
    let roles = prop_oneof![
        Just(Role::User),
        Just(Role::Assistant),
        Just(Role::Tool),
        Just(Role::System),
        Just(Role::Developer)
    ];
    (roles, vec(part(), 0..4)).prop_map(|(role, parts)| {
        let fits = |part: &Part| match part {
            Part::ToolCall(_) | Part::Thinking(_) | Part::Refusal(_) => role == Role::Assistant,
            Part::ToolResult(_) => matches!(role, Role::Tool | Role::User),
            _ => true,
        };
        Message::new(role, parts.into_iter().filter(fits).collect())
    })
}

fn request() -> impl Strategy<Value = Request> {
    let tools = vec(prop_oneof![Just("f"), Just("f.a"), Just("f_a"), Just("g")], 0..4);
    let choice =
        option::of(prop_oneof![Just(ToolChoice::Auto), Just(ToolChoice::Required), Just(ToolChoice::None)]);
    let effort = option::of(prop_oneof![Just(Effort::None), Just(Effort::Low), Just(Effort::High)]);
    (vec(message(), 0..8), tools, choice, effort, option::of(1..30_000u64)).prop_map(
        |(messages, tools, choice, effort, cap)| {
            let mut request = chat(messages);
            request.tools = tools.into_iter().map(function).collect();
            request.tool_choice = choice;
            request.reasoning.effort = effort;
            request.max_tokens = cap.map(|value| crate::ir::MaxTokens {
                value,
                spelling: crate::ir::MaxTokensSpelling::MaxTokens,
            });
            request
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_conversation_becomes_a_valid_request(request in request(), old in any::<bool>(), prefill in any::<bool>()) {
        let facts = ModelFacts { prefill, ..if old { old_claude() } else { claude() } };
        let (body, _) = encoded(&request, &facts);
        if let Err(fault) = check(&body) {
            return Err(TestCaseError::fail(format!("{fault}: {body}")));
        }
        // What was repaired once is right.
        let again = encoded(&decoded(&body.to_string()), &ModelFacts { id: facts.id.clone(), ..facts });
        prop_assert_eq!(check(&again.0), Ok(()));
    }
}

#[test]
fn a_block_that_does_not_say_what_it_is_is_refused_by_its_field() {
    for (block, field) in [
        (r#"{"text":"x"}"#, "messages[0].content[0].type"),
        (r#"{"type":"text"}"#, "messages[0].content[0].text"),
        (
            r#"{"type":"image","source":{"type":"base64","data":"AAAA"}}"#,
            "messages[0].content[0].source.media_type",
        ),
        (
            r#"{"type":"tool_result","tool_use_id":"a","content":[{"type":"text"}]}"#,
            "messages[0].content[0].content[0].text",
        ),
    ] {
        let body =
            format!(r#"{{"model":"m","max_tokens":9,"messages":[{{"role":"user","content":[{block}]}}]}}"#);
        let failure = decode_request(&Incoming::body(body.as_bytes())).unwrap_err();
        assert_eq!((failure.status, failure.param.as_deref()), (400, Some(field)), "{block}");
    }
    // Its bytes say what it is.
    let body = r#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","data":"iVBORw0KGgoAAAANSUhEUgAA"}}]}]}"#;
    let read = decode_request(&Incoming::body(body.as_bytes())).unwrap();
    let Part::Image(image) = &read.value.messages[0].parts[0] else { panic!("a picture") };
    assert!(matches!(&image.source, Source::Base64 { media_type, .. } if media_type == "image/png"));
}
