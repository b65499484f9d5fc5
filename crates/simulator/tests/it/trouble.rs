//! Scripted trouble, in every dialect.

use crate::{
    client::{ANTHROPIC, Answer, post, simulator, try_send},
    plain::{ask, send, text_of},
    refusals::message,
};
use byok_simulator::Simulator;
use byok_types::Dialect;
use serde_json::json;

/// The same request by another key.
async fn with_key(simulator: &Simulator, dialect: Dialect, key: &str, stream: bool) -> Option<Answer> {
    let (target, _, body) = ask(dialect, "hello", stream);
    let mut headers = vec![("content-type", "application/json"), ("anthropic-version", "2023-06-01")];
    let bearer = format!("Bearer {key}");
    match dialect {
        Dialect::Messages => headers.push(("x-api-key", key)),
        Dialect::Chat | Dialect::Responses => headers.push(("authorization", &bearer)),
        Dialect::Gemini => headers.push(("x-goog-api-key", key)),
    }
    try_send(simulator, "POST", &target, &headers, body.to_string().into_bytes()).await
}

fn key(dialect: Dialect, scenario: &str) -> String {
    match dialect {
        Dialect::Messages => format!("sk-ant-api03-x-sim-{scenario}"),
        Dialect::Chat | Dialect::Responses => format!("sk-x-sim-{scenario}"),
        Dialect::Gemini => format!("AIza-x-sim-{scenario}"),
    }
}

#[tokio::test]
async fn every_failure_has_each_vendors_status_and_type() {
    let simulator = simulator().await;
    // Scenario, then status and type of Anthropic, OpenAI, Google.
    let cases: [(&str, [(u16, &str); 3]); 13] = [
        ("400", [(400, "invalid_request_error"), (400, "invalid_request_error"), (400, "INVALID_ARGUMENT")]),
        ("401", [(401, "authentication_error"), (401, "invalid_request_error"), (400, "INVALID_ARGUMENT")]),
        ("402", [(402, "billing_error"), (402, "unknown_error"), (403, "PERMISSION_DENIED")]),
        ("403", [(403, "permission_error"), (403, "permission_error"), (403, "PERMISSION_DENIED")]),
        ("404", [(404, "not_found_error"), (404, "invalid_request_error"), (404, "NOT_FOUND")]),
        ("413", [(413, "request_too_large"), (413, "invalid_request_error"), (413, "INVALID_ARGUMENT")]),
        ("429", [(429, "rate_limit_error"), (429, "requests"), (429, "RESOURCE_EXHAUSTED")]),
        ("quota", [(429, "rate_limit_error"), (429, "insufficient_quota"), (429, "RESOURCE_EXHAUSTED")]),
        (
            "context",
            [(400, "invalid_request_error"), (400, "invalid_request_error"), (400, "INVALID_ARGUMENT")],
        ),
        ("500", [(500, "api_error"), (500, "server_error"), (500, "INTERNAL")]),
        ("503", [(503, "api_error"), (503, "server_error"), (503, "UNAVAILABLE")]),
        ("504", [(504, "timeout_error"), (504, "timeout"), (504, "DEADLINE_EXCEEDED")]),
        ("529", [(529, "overloaded_error"), (529, "server_error"), (503, "UNAVAILABLE")]),
    ];
    for (scenario, [anthropic, openai, google]) in cases {
        for dialect in Dialect::ALL {
            let (status, kind) = match dialect {
                Dialect::Messages => anthropic,
                Dialect::Chat | Dialect::Responses => openai,
                Dialect::Gemini => google,
            };
            for by_key in [false, true] {
                let answer = if by_key {
                    with_key(&simulator, dialect, &key(dialect, scenario), true).await.unwrap()
                } else {
                    send(&simulator, dialect, &format!("sim:{scenario}"), true).await
                };
                let error = answer.json()["error"].clone();
                let found = if dialect == Dialect::Gemini { &error["status"] } else { &error["type"] };
                assert_eq!((answer.status, found), (status, &json!(kind)), "{dialect} {scenario}");
                assert!(
                    answer.header("content-type").starts_with("application/json"),
                    "{dialect} {scenario}"
                );
            }
        }
    }
}

#[tokio::test]
async fn waits_stand_where_each_vendor_puts_them() {
    let simulator = simulator().await;
    let anthropic = send(&simulator, Dialect::Messages, "sim:429 7", false).await;
    assert_eq!(anthropic.header("retry-after"), "7");
    assert_eq!(anthropic.header("anthropic-ratelimit-requests-remaining"), "0");
    let openai = send(&simulator, Dialect::Chat, "sim:429 7", false).await;
    assert_eq!((openai.header("retry-after"), openai.header("retry-after-ms")), ("7", "7000"));
    assert_eq!(openai.header("x-ratelimit-reset-requests"), "7s");
    assert!(message(&openai).ends_with("Please try again in 7s."));
    let google = send(&simulator, Dialect::Gemini, "sim:429 7", false).await;
    assert_eq!(google.json()["error"]["details"][2]["retryDelay"], "7s");
    assert_eq!(google.header("retry-after"), "");
    let day = send(&simulator, Dialect::Gemini, "sim:quota 7", false).await.json();
    assert!(day["error"]["details"][0]["violations"][0]["quotaId"].as_str().unwrap().contains("PerDay"));

    let plan = with_key(&simulator, Dialect::Responses, "jwt-sim-quota-90", false).await.unwrap();
    assert_eq!(plan.json()["error"]["type"], "usage_limit_reached");
    assert_eq!(plan.json()["error"]["resets_in_seconds"], 90);
}

#[tokio::test]
async fn a_subscription_has_windows() {
    let simulator = simulator().await;
    let sentence = "You are Claude Code, Anthropic's official CLI for Claude.";
    let body = json!({"model": "claude-opus-5", "max_tokens": 10, "system": sentence, "messages": [{"role": "user", "content": "sim:quota 90"}]});
    let headers = [
        ("authorization", "Bearer sk-ant-oat01-sim-ada"),
        ANTHROPIC[1],
        ("anthropic-beta", "oauth-2025-04-20"),
    ];
    let answer = post(&simulator, "/v1/messages", &headers, &body).await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.header("anthropic-ratelimit-unified-status"), "rejected");
    assert_eq!(answer.header("anthropic-ratelimit-unified-5h-status"), "rejected");
    assert_eq!(answer.header("anthropic-ratelimit-unified-7d-status"), "allowed");
    assert!(answer.header("anthropic-ratelimit-unified-reset").parse::<u64>().unwrap() > 1_700_000_000);
    assert_eq!((answer.header("retry-after"), answer.header("x-should-retry")), ("90", "false"));
}

#[tokio::test]
async fn some_failures_are_counted_down_by_key() {
    let simulator = simulator().await;
    for dialect in Dialect::ALL {
        let twice = key(dialect, "fail-2-503");
        let mut statuses = Vec::new();
        for _ in 0..4 {
            statuses.push(with_key(&simulator, dialect, &twice, false).await.unwrap().status);
        }
        if dialect == Dialect::Responses {
            // The key has failed as often as it must in the other dialect of the same vendor.
            assert_eq!(statuses, [200, 200, 200, 200]);
        } else {
            assert_eq!(statuses, [503, 503, 200, 200], "{dialect}");
        }
    }
    let once = key(Dialect::Messages, "401-once");
    let first = with_key(&simulator, Dialect::Messages, &once, false).await.unwrap().status;
    let second = with_key(&simulator, Dialect::Messages, &once, false).await.unwrap().status;
    assert_eq!((first, second), (401, 200));
}

#[tokio::test]
async fn connections_end_before_an_answer() {
    let simulator = simulator().await;
    for dialect in Dialect::ALL {
        for scenario in ["reset", "close"] {
            assert!(
                with_key(&simulator, dialect, &key(dialect, scenario), true).await.is_none(),
                "{dialect} {scenario}"
            );
        }
    }
}

#[tokio::test]
async fn streams_are_cut_after_some_deltas() {
    let simulator = simulator().await;
    for dialect in Dialect::ALL {
        let whole = send(&simulator, dialect, "sim:text a b c d", true).await;
        assert!(whole.complete);
        for scenario in ["reset_mid", "close_mid"] {
            let cut = send(&simulator, dialect, &format!("sim:{scenario} 2 sim:text a b c d"), true).await;
            assert!(!cut.complete, "{dialect} {scenario}");
            assert_eq!(text_of(dialect, &cut, true), "a b ", "{dialect} {scenario}");
            let half = send(&simulator, dialect, &format!("sim:{scenario}"), false).await;
            assert!(!half.complete && !half.bytes().is_empty(), "{dialect} {scenario}");
        }
    }
}

#[tokio::test]
async fn streams_end_in_an_error_or_without_an_end() {
    let simulator = simulator().await;
    let terminal = |dialect, answer: &Answer| {
        let text = answer.text();
        match dialect {
            Dialect::Messages => text.contains("message_stop"),
            Dialect::Chat => text.contains("finish_reason\":\"") || text.contains("[DONE]"),
            Dialect::Responses => text.contains("response.completed"),
            Dialect::Gemini => text.contains("finishReason"),
        }
    };
    for dialect in Dialect::ALL {
        assert!(terminal(dialect, &send(&simulator, dialect, "hello", true).await), "{dialect}");
        let truncated = send(&simulator, dialect, "sim:no_end", true).await;
        assert!(truncated.complete && !terminal(dialect, &truncated), "{dialect}");
        for scenario in ["error_first", "error_mid 2", "error_bare 2"] {
            let broken = send(&simulator, dialect, &format!("sim:{scenario} sim:text a b c d"), true).await;
            assert_eq!(broken.status, 200, "{dialect} {scenario}");
            assert!(broken.text().contains("error") && !terminal(dialect, &broken), "{dialect} {scenario}");
            if scenario == "error_first" {
                assert_eq!(broken.chunks.len(), 1, "{dialect}");
            }
        }
    }
    let failed = send(&simulator, Dialect::Responses, "sim:error_mid 2", true).await.events();
    let last = failed.last().unwrap();
    assert_eq!(
        (&last["type"], &last["sequence_number"]),
        (&json!("response.failed"), &json!(failed.len() - 1))
    );
    assert_eq!(last["response"]["error"]["code"], "server_is_overloaded");
    let no_done = send(&simulator, Dialect::Chat, "sim:no_done", true).await;
    assert!(no_done.text().contains("\"finish_reason\":\"stop\"") && !no_done.text().contains("[DONE]"));
    let bare = send(&simulator, Dialect::Gemini, "sim:error_bare 1", true).await.text();
    assert!(bare.contains("\n{\n  \"error\": {\n"), "{bare}");
}

#[tokio::test]
async fn a_good_status_can_lie() {
    let simulator = simulator().await;
    for dialect in Dialect::ALL {
        for stream in [false, true] {
            let html = send(&simulator, dialect, "sim:html", stream).await;
            assert!(html.status == 200 && html.header("content-type").starts_with("text/html"), "{dialect}");
            let empty = send(&simulator, dialect, "sim:empty", stream).await;
            assert!(empty.status == 200 && empty.bytes().is_empty(), "{dialect}");
            let error = send(&simulator, dialect, "sim:error_200", stream).await;
            assert!(error.status == 200 && error.json()["error"].is_object(), "{dialect}");
        }
    }
    let gateway = send(&simulator, Dialect::Chat, "sim:502", false).await;
    assert!(gateway.status == 502 && gateway.text().contains("<html>"));
}

#[tokio::test]
async fn claude_refuses_plans_in_its_own_ways() {
    let simulator = simulator().await;
    let cases = [
        ("third_party", 400, "Third-party apps now draw from your extra usage"),
        ("extra_usage", 429, "Usage credits are required"),
        ("banned", 403, "not allowed for this organization"),
        ("403", 403, "OAuth token has been revoked"),
        ("401", 401, "OAuth token has expired"),
    ];
    for (scenario, status, words) in cases {
        let bearer = format!("Bearer sk-ant-oat01-sim-{scenario}");
        let headers =
            [("authorization", bearer.as_str()), ANTHROPIC[1], ("anthropic-beta", "oauth-2025-04-20")];
        let body = json!({"model": "claude-haiku-4-5", "max_tokens": 10, "messages": [{"role": "user", "content": "hi"}]});
        let answer = post(&simulator, "/v1/messages", &headers, &body).await;
        assert_eq!(answer.status, status, "{scenario}: {}", answer.text());
        assert!(message(&answer).contains(words), "{scenario}: {}", answer.text());
        assert_eq!(answer.header("anthropic-ratelimit-unified-reset"), "", "{scenario}");
    }
    let headers = [
        ("authorization", "Bearer sk-ant-oat01-sim-overage"),
        ANTHROPIC[1],
        ("anthropic-beta", "oauth-2025-04-20"),
    ];
    let body = json!({"model": "claude-haiku-4-5", "max_tokens": 10, "messages": [{"role": "user", "content": "hi"}]});
    let answer = post(&simulator, "/v1/messages", &headers, &body).await;
    assert_eq!((answer.status, answer.header("anthropic-ratelimit-unified-status")), (200, "rejected"));
    assert_eq!(answer.header("anthropic-ratelimit-unified-overage-in-use"), "true");
}
