//! Whole answers, failures, counts and lists of models.

use super::{
    streams::{STREAM, decoded_at, exchange, folded},
    *,
};
use crate::{ModelEntry, ir::StopReason};
use byok_types::{Blame, Failure, FailureKind};
use serde_json::json;

const ANSWER: &str = r#"{"id":"msg_1","type":"message","role":"assistant","model":"alias","content":[
    {"type":"thinking","thinking":"Look it up.","signature":"SIG"},
    {"type":"text","text":"Checking."},
    {"type":"tool_use","id":"call_a","name":"get_weather","input":{"city":"Oslo"}},
    {"type":"tool_use","id":"call_b","name":"get_time","input":{"tz":"CET"}}],
    "stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":20,"cache_creation_input_tokens":0,
    "cache_read_input_tokens":100,"output_tokens":40,"output_tokens_details":{"thinking_tokens":10},
    "server_tool_use":{"web_search_requests":0,"web_fetch_requests":0}}}"#;

fn rewritten(body: &str, upstream: Dialect) -> Value {
    let response = folded(decode_answer(body.as_bytes()).unwrap()).unwrap();
    serde_json::from_slice(&encode_answer(&response, &exchange(upstream, Family::Claude)).value).unwrap()
}

#[test]
fn a_whole_answer_is_the_fold_of_its_stream() {
    let mut whole = folded(decode_answer(ANSWER.as_bytes()).unwrap()).unwrap();
    let mut streamed = folded(decoded_at(STREAM, 0)).unwrap();
    for response in [&mut whole, &mut streamed] {
        response.model = None;
        let usage = response.usage.as_mut().unwrap();
        (usage.web_searches, usage.web_fetches) = (None, None);
    }
    assert_eq!(whole, streamed);
}

#[test]
fn a_whole_answer_comes_back_as_it_was() {
    assert_eq!(rewritten(ANSWER, Dialect::Messages), serde_json::from_str::<Value>(ANSWER).unwrap());
    let odd = r#"{"id":"msg_1","type":"message","role":"assistant","model":"alias","content":[
        {"type":"text","text":"t","citations":[{"type":"page_location","cited_text":"c","document_index":0,"x":1}],"y":2},
        {"type":"tool_use","id":"a","name":"f","input":{},"caller":{"type":"direct"},"toolset_name":"z"},
        {"type":"redacted_thinking","data":"D"},
        {"type":"mcp_tool_use","id":"m","name":"n","server_name":"s","input":{"a":1}},
        {"type":"mcp_tool_result","tool_use_id":"m","is_error":false,"content":[{"type":"text","text":"r"}]},
        {"type":"compaction","content":"s"},{"type":"block_of_tomorrow","n":1e5}],
        "stop_reason":"refusal","stop_sequence":null,"stop_details":{"type":"refusal","category":"cyber"},
        "container":{"id":"c"},"usage":{"input_tokens":1,"cache_creation_input_tokens":2,"cache_read_input_tokens":3,
        "cache_creation":{"ephemeral_5m_input_tokens":2,"ephemeral_1h_input_tokens":0},"output_tokens":4,
        "server_tool_use":{"web_search_requests":1,"web_fetch_requests":0},"service_tier":"batch","inference_geo":"us"}}"#;
    assert_eq!(rewritten(odd, Dialect::Messages), serde_json::from_str::<Value>(odd).unwrap());
}

#[test]
fn odd_answers_are_read() {
    let parts = |body: &str| folded(decode_answer(body.as_bytes()).unwrap()).unwrap().choices.remove(0);
    assert_eq!(parts(r#"{"content":"plain"}"#).parts, [Part::text("plain")]);
    assert_eq!(parts(r#"{"content":[],"stop_reason":"sunset"}"#).stop.unwrap().reason, StopReason::Other);
    let odd = rewritten(r#"{"content":[],"stop_reason":"sunset"}"#, Dialect::Chat);
    assert_eq!(
        (&odd["stop_reason"], &odd["content"]),
        (&json!("end_turn"), &json!([{"type": "text", "text": ""}]))
    );
    for (body, kind) in [
        (r#"{"type":"error","error":{"type":"rate_limit_error","message":"slow"}}"#, FailureKind::RateLimit),
        (r#"{"error":{"message":"busy","type":"server_error"}}"#, FailureKind::Server),
        ("<html>", FailureKind::Server),
        ("{}", FailureKind::Server),
    ] {
        assert_eq!(decode_answer(body.as_bytes()).unwrap_err().kind, kind, "{body}");
    }
}

#[test]
fn failures_are_told_apart() {
    use FailureKind::{
        Auth, BadRequest, Billing, Conflict, ContentPolicy, ContextTooLong, NotFound, Overloaded,
        PayloadTooLarge, Permission, QuotaWindow, RateLimit, Server, Timeout,
    };
    let own = |kind: &str, message: &str| {
        json!({"type": "error", "error": {"type": kind, "message": message}}).to_string()
    };
    let invalid = "invalid_request_error";
    let cases = [
        (400, own(invalid, "messages: field required"), BadRequest, Blame::Client),
        (400, own(invalid, "prompt is too long: 9 tokens > 8 maximum"), ContextTooLong, Blame::Client),
        (413, own("request_too_large", "Prompt is too long"), ContextTooLong, Blame::Client),
        (413, "<html>cdn</html>".into(), PayloadTooLarge, Blame::Client),
        (400, own(invalid, "Your credit balance is too low to access the API"), Billing, Blame::Upstream),
        (
            400,
            own(invalid, "Third-party apps now draw from your extra usage, not your plan limits."),
            Billing,
            Blame::Client,
        ),
        (429, own("rate_limit_error", "Usage credits are required for fast mode."), Billing, Blame::Client),
        (400, own(invalid, "This organization has been disabled."), Permission, Blame::Upstream),
        (400, own(invalid, "Output blocked by content filtering policy"), ContentPolicy, Blame::Client),
        (401, own("authentication_error", "invalid x-api-key"), Auth, Blame::Upstream),
        (402, own("billing_error", "pay"), Billing, Blame::Upstream),
        (403, own("permission_error", "no"), Permission, Blame::Upstream),
        (404, own("not_found_error", "model: x"), NotFound, Blame::Client),
        (409, own("conflict_error", "x"), Conflict, Blame::Client),
        (429, own("rate_limit_error", "slow"), RateLimit, Blame::Upstream),
        (
            429,
            r#"{"error":{"type":"usage_limit_reached","message":"wait"}}"#.into(),
            QuotaWindow,
            Blame::Upstream,
        ),
        (429, r#"{"error":{"code":"insufficient_quota","message":"pay"}}"#.into(), Billing, Blame::Upstream),
        (
            400,
            r#"{"error":{"code":"context_length_exceeded","message":"long"}}"#.into(),
            ContextTooLong,
            Blame::Client,
        ),
        (
            503,
            r#"[{"error":{"code":503,"status":"UNAVAILABLE","message":"busy"}}]"#.into(),
            Overloaded,
            Blame::Upstream,
        ),
        (500, own("api_error", "oops"), Server, Blame::Upstream),
        (504, own("timeout_error", "late"), Timeout, Blame::Upstream),
        (529, own("overloaded_error", "Overloaded"), Overloaded, Blame::Upstream),
        (502, "Bad gateway".into(), Server, Blame::Upstream),
        (422, r#"{"detail":"wrong"}"#.into(), BadRequest, Blame::Client),
        (500, String::new(), Server, Blame::Upstream),
    ];
    for (status, body, kind, blame) in cases {
        let failure = decode_failure(status, body.as_bytes());
        assert_eq!((failure.kind, failure.status, failure.blame), (kind, status, blame), "{body}");
        assert_eq!(failure.raw.unwrap().body, body.as_bytes());
        assert!(!failure.message.is_empty() && !failure.message.contains('<'), "{}", failure.message);
    }
    let detailed = r#"{"type":"error","error":{"type":"permission_error","message":"m","details":{"error_code":"organization_on_hold"}}}"#;
    assert_eq!(decode_failure(403, detailed.as_bytes()).code.as_deref(), Some("organization_on_hold"));
}

#[test]
fn t124_failures_are_said_in_the_dialects_words() {
    let say = |failure: Failure| serde_json::from_slice::<Value>(&encode_failure(&failure, "req_1")).unwrap();
    let long = Failure::new(FailureKind::ContextTooLong, Blame::Client, "The input is 9 tokens.");
    assert_eq!(
        say(long),
        json!({"type": "error", "error": {"type": "invalid_request_error",
            "message": "prompt is too long: The input is 9 tokens."}, "request_id": "req_1"})
    );
    let field = Failure::bad_request("n", "must be 1.");
    assert_eq!(say(field)["error"]["message"], "n: must be 1.");
    for (kind, name) in [
        (FailureKind::QuotaWindow, "rate_limit_error"),
        (FailureKind::Overloaded, "overloaded_error"),
        (FailureKind::Auth, "authentication_error"),
        (FailureKind::UpstreamTruncated, "api_error"),
        (FailureKind::PayloadTooLarge, "request_too_large"),
    ] {
        assert_eq!(say(Failure::new(kind, Blame::Upstream, "x"))["error"]["type"], name);
    }
}

#[test]
fn counting_leaves_out_what_only_an_answer_needs() {
    let body = r#"{"model":"m","max_tokens":9,"stream":true,"temperature":0.5,"stop_sequences":["a"],"metadata":{"user_id":"u"},
        "system":"s","tools":[{"name":"f","input_schema":{"type":"object"}}],"messages":[{"role":"user","content":"x"}]}"#;
    let out = encode_count_request(&decoded(body), &claude(), &mut Ids::new("t")).unwrap().value;
    let out: Value = serde_json::from_slice(&out).unwrap();
    let keys: Vec<_> = out.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["model", "tools", "system", "messages"]);
    assert_eq!(decode_count(&encode_count(42)), Some(42));
    assert_eq!(decode_count(b"{}"), None);
}

#[test]
fn t120_models_are_listed_with_dates_as_text() {
    let entry = |id: &str, created| ModelEntry {
        id: id.into(),
        created,
        owner: None,
        facts: ModelFacts { context_tokens: Some(200_000), ..claude() },
    };
    let entries = [entry("a", Some(1_767_225_600)), entry("b", None), entry("c", Some(951_827_696))];
    let list: Value = serde_json::from_slice(&encode_models(&entries, true)).unwrap();
    let dates: Vec<_> =
        list["data"].as_array().unwrap().iter().map(|m| m["created_at"].as_str().unwrap()).collect();
    assert_eq!(dates, ["2026-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "2000-02-29T12:34:56Z"]);
    assert_eq!(json!([list["first_id"], list["last_id"], list["has_more"]]), json!(["a", "c", true]));
    let back = decode_models(&encode_models(&entries, false));
    assert_eq!(
        back.iter().map(|m| m.created).collect::<Vec<_>>(),
        [Some(1_767_225_600), None, Some(951_827_696)]
    );
    let thinking = serde_json::to_value(claude().thinking).unwrap();
    assert_eq!(
        Value::Object(back[0].facts.clone()),
        json!({
            "display_name": "a", "context_tokens": 200_000, "max_output_tokens": 64_000,
            "thinking": {
                "forms": thinking["forms"], "levels": thinking["levels"], "can_disable": thinking["can_disable"],
            },
            "input": {"image": true, "pdf": true}, "structured_output": "native",
        })
    );
    let one: Value = serde_json::from_slice(&encode_model(&entries[0])).unwrap();
    assert_eq!(one["type"], "model");
    let mut unknown = entry("a", None);
    unknown.facts.thinking = ThinkingFacts::unknown();
    let one: Value = serde_json::from_slice(&encode_model(&unknown)).unwrap();
    assert_eq!((&one["capabilities"], &one["max_input_tokens"]), (&Value::Null, &json!(200_000)));
    let other = decode_models(
        br#"{"object":"list","data":[{"id":"x","object":"model","created":5,"owned_by":"o"},{}]}"#,
    );
    assert_eq!((other.len(), other[0].created, other[0].facts.len()), (1, Some(5), 0));
    assert!(decode_models(b"no").is_empty());
}

#[test]
fn only_what_a_list_states_is_taken() {
    let told = |entry: Value| -> Value {
        let list = json!({"data": [entry]}).to_string();
        Value::Object(decode_models(list.as_bytes()).remove(0).facts)
    };
    let yes = |is: bool| json!({"supported": is});
    let types = json!({"enabled": yes(true), "adaptive": yes(false), "disabled": yes(false)});
    let effort = json!({"supported": true, "low": yes(true), "high": yes(true), "max": yes(false)});
    for (capabilities, expected) in [
        (Value::Null, json!({})),
        (json!({}), json!({})),
        (json!([7]), json!({})),
        (
            json!({"thinking": {"types": {"enabled": 7}}, "effort": null, "image_input": {"supported": "yes"}}),
            json!({}),
        ),
        // Forms are told together: without a word on effort nobody knows which ones there are.
        (
            json!({"thinking": {"supported": true, "types": types}}),
            json!({"thinking": {"can_disable": false}}),
        ),
        (
            json!({"thinking": {"types": types}, "effort": effort}),
            json!({"thinking": {"forms": ["budget", "effort"], "levels": ["low", "high"], "can_disable": false}}),
        ),
        (json!({"effort": yes(false)}), json!({"thinking": {"levels": []}})),
        (
            json!({"thinking": yes(false), "effort": yes(false)}),
            json!({"thinking": {"forms": [], "levels": []}}),
        ),
        (json!({"image_input": yes(false)}), json!({"input": {"image": false}})),
        (
            json!({"pdf_input": yes(true), "structured_outputs": yes(false)}),
            json!({"input": {"pdf": true}, "structured_output": "forced_tool"}),
        ),
    ] {
        assert_eq!(told(json!({"id": "a", "capabilities": capabilities})), expected, "{capabilities}");
    }
    let sizes =
        json!({"id": "a", "display_name": 7, "max_input_tokens": 0, "max_tokens": 99_999_999_999_u64});
    assert_eq!(told(sizes), json!({}));
    let list = br#"{"data":[{"id":"a","lifecycle":"retired"},{"id":"b","lifecycle":"deprecated"}],"has_more":true,"last_id":"b"}"#;
    assert_eq!(decode_models(list).iter().map(|model| model.id.as_str()).collect::<Vec<_>>(), ["b"]);
    assert_eq!(next_models(list).as_deref(), Some("b"));
    assert_eq!(next_models(br#"{"data":[],"has_more":false,"last_id":"b"}"#), None);
}
