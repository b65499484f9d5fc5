//! E: the shape of messages and their content.

use crate::support::*;
use byok_translate::{
    Keep, LossAction,
    scan::{Scan, splice},
    seal_edits,
};
use byok_types::{
    Dialect::{Chat, Gemini, Messages, Responses},
    Family,
};
use bytes::Bytes;
use serde_json::{Value, json};

fn text(said: &str) -> Value {
    json!({"type": "text", "text": said})
}

#[test]
fn t41_a_body_that_passes_through_keeps_its_bytes() {
    let turns = "\"messages\" : [ {\"content\":\"caf\\u00e9 \\/ 1.50e1\",  \"role\":\"user\"},\n{\"role\":\"assistant\",\"content\":[{\"signature\":\"EqQB\",\"type\":\"thinking\",\"thinking\":\"\\u0074\"}]}]";
    let body = Bytes::from(format!("{{\"stream\":true, {turns} ,\"model\":\"alias\",\"max_tokens\":1e3}}"));
    let mut edits = seal_edits(
        Messages,
        &body,
        Keep { family: Family::Claude, maker: "maker".into(), no_text: false, none: false },
    );
    assert_eq!(edits.len(), 0);
    let scan = Scan::of(&body).unwrap();
    edits.push(scan.set("model", "\"claude\""));
    let sent = splice(&body, edits);
    assert_eq!(sent, String::from_utf8(body.to_vec()).unwrap().replace("alias", "claude"));
}

#[test]
fn t81_there_is_no_empty_text() {
    let body = chat([user("x"), calling(&["a"]), tool("a", "r")]);
    let turns = &asked(Chat, Messages, &body)["messages"];
    assert_eq!(each(&turns[1]["content"], "/type"), ["tool_use"]);
    assert_eq!(asked(Chat, Chat, &body)["messages"][1].get("content").and_then(Value::as_str), None);
}

#[test]
fn t82_a_system_turn_in_the_middle_keeps_its_place() {
    let body = messages([user("first"), json!({"role": "system", "content": "rule"})]);
    let contents = &asked(Messages, Gemini, &body)["contents"];
    assert!(each(contents, "/role").iter().all(|role| role == "user"), "{contents}");
    let said: Vec<Value> =
        contents.as_array().unwrap().iter().flat_map(|content| each(&content["parts"], "/text")).collect();
    assert_eq!(said, ["first", "<system-reminder>\nrule\n</system-reminder>"]);
}

#[test]
fn t83_the_system_instruction_is_read_in_both_spellings() {
    for key in ["system_instruction", "systemInstruction"] {
        let body = json!({key: {"parts": [{"text": "rule"}]}, "contents": [{"role": "user", "parts": [{"text": "x"}]}]});
        assert_eq!(asked(Gemini, Messages, &body)["system"][0]["text"], "rule", "{key}");
        assert_eq!(asked(Gemini, Gemini, &body)["systemInstruction"]["parts"][0]["text"], "rule", "{key}");
    }
}

#[test]
fn t84_a_system_prompt_alone_gets_a_user_turn() {
    let body = chat([json!({"role": "system", "content": "rule"})]);
    let sent = asked(Chat, Messages, &body);
    assert_eq!(each(&sent["messages"], "/role"), ["user"]);
    assert!(sent["system"].to_string().contains("rule"));
    assert_eq!(each(&asked(Chat, Gemini, &body)["contents"], "/role"), ["user"]);
}

#[test]
fn t85_a_conversation_begins_with_the_user() {
    let body = chat([assistant("a"), user("x")]);
    assert_eq!(each(&asked(Chat, Gemini, &body)["contents"], "/role"), ["user", "model", "user"]);
    assert_eq!(each(&asked(Chat, Messages, &body)["messages"], "/role"), ["user", "assistant", "user"]);
}

#[test]
fn t86_contents_without_parts_are_left_out() {
    let said = |role: &str, parts: Value| json!({"role": role, "parts": parts});
    let body = json!({"contents": [said("user", json!([{"text": "x"}])), said("model", json!([])), said("user", json!([{"text": "y"}]))]});
    let contents = &asked(Gemini, Gemini, &body)["contents"];
    assert!(contents.as_array().unwrap().iter().all(|content| content["role"] == "user"), "{contents}");
    assert!(
        each(contents, "/parts").iter().all(|parts| parts.as_array().is_some_and(|list| !list.is_empty()))
    );
}

#[test]
fn t87_a_prefill_is_left_out_where_it_is_refused() {
    let body = messages([user("x"), assistant("{")]);
    let mut claude = facts(Messages);
    for (prefill, roles) in [(false, vec!["user"]), (true, vec!["user", "assistant"])] {
        claude.prefill = prefill;
        let (sent, losses) = asked_of(Messages, Messages, &claude, &body);
        assert_eq!(each(&sent["messages"], "/role"), roles);
        assert_eq!(losses.iter().any(|loss| loss.action == LossAction::Dropped), !prefill);
    }
}

#[test]
fn t88_a_document_is_a_file() {
    let source = json!({"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="});
    let body = messages([user([json!({"type": "document", "source": source, "title": "a.pdf"})])]);
    let file = &asked(Messages, Responses, &body)["input"][0]["content"][0];
    assert_eq!(file["type"], "input_file");
    assert_eq!(file["filename"], "a.pdf");
    assert_eq!(file["file_data"], "data:application/pdf;base64,JVBERg==");
}

/// Another vendor's model that speaks Messages.
fn compatible() -> byok_types::ModelFacts {
    let mut model = facts(Messages);
    model.first_party = false;
    model.family = Family::Other;
    model
}

#[test]
fn t89_new_members_of_a_cache_marker_stay_with_the_vendor() {
    let mut part = text("x");
    part["cache_control"] = json!({"type": "ephemeral", "ttl": "1h", "scope": "global"});
    let sent = asked_of(Messages, Messages, &compatible(), &messages([user([part])])).0;
    let marker = sent["messages"][0]["content"][0]["cache_control"].as_object().unwrap();
    assert!(marker.keys().all(|key| key == "type" || key == "ttl"), "{marker:?}");
    assert_eq!(marker["type"], "ephemeral");
}

#[test]
fn t91_members_of_tools_that_one_vendor_knows_stay_with_it() {
    let mut body = messages([user("x")]);
    body["tools"] = json!([{"name": "f", "input_schema": {"type": "object", "properties": {}},
        "eager_input_streaming": true, "defer_loading": true, "input_examples": [{}]}]);
    let known = ["eager_input_streaming", "defer_loading", "input_examples"];
    for upstream in [Chat, Responses, Gemini] {
        let sent = asked(Messages, upstream, &body)["tools"].to_string();
        assert!(!known.iter().any(|key| sent.contains(key)), "{sent}");
    }
    let sent = asked_of(Messages, Messages, &compatible(), &body).0["tools"].to_string();
    assert!(!known.iter().any(|key| sent.contains(key)), "{sent}");
}

#[test]
fn t92_there_are_at_most_four_cache_markers() {
    let marked = |said: &str| {
        let mut part = text(said);
        part["cache_control"] = json!({"type": "ephemeral"});
        part
    };
    for count in [3, 4, 6] {
        let parts: Vec<Value> = (0..count).map(|_| marked("x")).collect();
        let mut body = messages([user(parts), assistant("a"), user("y")]);
        body["system"] = json!([text("rule")]);
        body["tools"] = json!([{"name": "f", "input_schema": {"type": "object", "properties": {}}}]);
        let sent = asked(Messages, Messages, &body).to_string();
        let markers = sent.matches("cache_control").count();
        assert!((3..=4).contains(&markers), "{count}: {sent}");
    }
}

#[test]
fn t93_changes_of_tools_are_for_the_vendor_alone() {
    for kind in ["tool_addition", "tool_removal", "tool_reference"] {
        let change = json!({"type": kind, "tool_name": "f", "name": "f"});
        let body = messages([user([change, text("x")])]);
        let (sent, losses) = asked_of(Messages, Messages, &compatible(), &body);
        assert!(!sent.to_string().contains(kind), "{sent}");
        assert!(losses.iter().any(|loss| loss.action == LossAction::Dropped), "{kind}: {losses:?}");
    }
}

#[test]
fn t94_a_search_of_the_server_stays_one() {
    let mut body = messages([user("x")]);
    body["tools"] = json!([{"type": "web_search_20250305", "name": "web_search"}]);
    assert_eq!(asked(Messages, Responses, &body)["tools"][0]["type"], "web_search");
    let item = json!({"type": "web_search_call", "id": "ws_1", "status": "completed",
        "action": {"type": "search", "query": "q", "sources": [{"type": "url", "url": "https://e.org"}]}});
    let stream = response(
        &[
            json!({"type": "response.output_item.added", "output_index": 0, "item": {"type": "web_search_call", "id": "ws_1", "status": "in_progress"}}),
            json!({"type": "response.output_item.done", "output_index": 0, "item": item.clone()}),
        ],
        &json!([item]),
    );
    let frames = Talk::about(Responses, Messages, &body).frames(&stream);
    let starts: Vec<&Value> = frames.iter().filter(|frame| frame["type"] == "content_block_start").collect();
    let blocks: Vec<&Value> = starts.iter().map(|frame| &frame["content_block"]["type"]).collect();
    assert_eq!(blocks, ["server_tool_use", "web_search_tool_result"]);
    assert_eq!(starts[0]["content_block"]["id"], starts[1]["content_block"]["tool_use_id"]);
    assert!(starts[1].to_string().contains("https://e.org"));
}

#[test]
fn t95_attribution_of_a_client_goes_to_its_vendor_alone() {
    let mut body = messages([user("x")]);
    body["system"] = json!([text("x-anthropic-billing-header: cc_version=1"), text("rule")]);
    for upstream in [Chat, Responses, Gemini] {
        let sent = asked(Messages, upstream, &body).to_string();
        assert!(!sent.contains("billing") && sent.contains("rule"), "{upstream:?} {sent}");
    }
    assert!(asked(Messages, Messages, &body).to_string().contains("billing"));
}

#[test]
fn t111_audio_is_kept() {
    let audio = json!({"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}});
    let body = chat([user([audio])]);
    let part = &asked(Chat, Gemini, &body)["contents"][0]["parts"][0]["inlineData"];
    assert_eq!(part["mimeType"], "audio/wav");
    assert_eq!(part["data"], "UklGRg==");
}
