//! Cache markers.

use super::*;
use crate::ir::{CacheHint, Text};

/// The places of the markers: `tools[1] system[0]:1h messages[2][0]`.
fn marks(body: &Value) -> String {
    let mut found = Vec::new();
    let mut look = |place: String, block: &Value| {
        let mark = &block["cache_control"];
        if let Some(ttl) = mark["ttl"].as_str() {
            found.push(format!("{place}:{ttl}"));
        } else if mark.is_object() {
            found.push(place);
        }
    };
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    for name in ["tools", "system"] {
        list(&body[name]).iter().enumerate().for_each(|(i, block)| look(format!("{name}[{i}]"), block));
    }
    for (turn, message) in list(&body["messages"]).iter().enumerate() {
        for (i, block) in list(&message["content"]).iter().enumerate() {
            look(format!("{turn}.{i}"), block);
        }
    }
    found.join(" ")
}

fn marked(text: &str, ttl: Option<&str>) -> Part {
    let cache = Some(CacheHint { ttl: ttl.map(str::to_owned), ..CacheHint::default() });
    Part::Text(Text { cache, ..Text::new(text) })
}

#[test]
fn clients_without_markers_get_some() {
    let mut request = chat(vec![
        says(Role::System, "s"),
        says(Role::User, "a"),
        says(Role::Assistant, "b"),
        says(Role::User, "c"),
        Message::new(Role::Assistant, vec![call("a")]),
        Message::new(Role::Tool, vec![result("a", "1")]),
    ]);
    request.tools = vec![function("f"), function("g")];
    // The vendor itself marks the end of the conversation, so that earlier turns keep their bytes.
    let (body, _) = encoded(&request, &claude());
    assert_eq!(marks(&body), "tools[1] system[0]");
    assert_eq!(body["cache_control"], serde_json::json!({"type": "ephemeral"}));
    let elsewhere = ModelFacts { first_party: false, ..claude() };
    assert_eq!(marks(&encoded(&request, &elsewhere).0), "tools[1] system[0] 2.0 4.0");
    let kimi = ModelFacts { family: Family::Other, ..claude() };
    assert_eq!(marks(&encoded(&request, &kimi).0), "");
    request.dialect = Dialect::Messages;
    assert_eq!(marks(&encoded(&request, &claude()).0), "");
}

#[test]
fn t92_a_clients_own_markers_are_kept_up_to_four_in_the_vendors_order() {
    let turns = |parts: Vec<Part>| vec![Message::new(Role::User, parts)];
    let m = |ttl| marked("x", ttl);
    let cases = [
        (turns(vec![m(None), Part::text("y")]), "0.0"),
        (turns(vec![m(None), m(None), m(None), m(None), m(None)]), "0.1 0.2 0.3 0.4"),
        (turns(vec![m(Some("1h")), m(Some("5m"))]), "0.0:1h 0.1"),
        (turns(vec![m(Some("5m")), m(Some("1h"))]), "0.0 0.1"),
        (turns(vec![m(Some("12h")), m(Some("30m"))]), "0.0:1h 0.1"),
    ];
    for (messages, expected) in cases {
        assert_eq!(marks(&encoded(&chat(messages), &claude()).0), expected);
    }
}

#[test]
fn t89_unknown_members_of_a_marker_are_for_the_vendor_itself() {
    let body = r#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":[
        {"type":"text","text":"x","cache_control":{"type":"ephemeral","ttl":"1h","scope":"global"}}]}]}"#;
    let mark = |facts: &ModelFacts| {
        encoded(&decoded(body), facts).0["messages"][0]["content"][0]["cache_control"].clone()
    };
    assert_eq!(mark(&claude()), serde_json::json!({"type": "ephemeral", "ttl": "1h", "scope": "global"}));
    let copilot = ModelFacts { first_party: false, ..claude() };
    assert_eq!(mark(&copilot), serde_json::json!({"type": "ephemeral", "ttl": "1h"}));
}

#[test]
fn markers_inside_results_count() {
    let body = r#"{"model":"m","max_tokens":9,"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}],
        "cache_control":{"type":"ephemeral"},
        "messages":[{"role":"user","content":"x"},
        {"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},
        {"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[
            {"type":"text","text":"1","cache_control":{"type":"ephemeral"}}]},
        {"type":"text","text":"y","cache_control":{"type":"ephemeral"}},
        {"type":"text","text":"z","cache_control":{"type":"ephemeral"}}]}]}"#;
    let (body, losses) = encoded(&decoded(body), &claude());
    assert_eq!(marks(&body), "2.1 2.2");
    assert_eq!(body["messages"][2]["content"][0]["content"][0]["cache_control"]["type"], "ephemeral");
    assert_eq!(losses.len(), 1);
}
