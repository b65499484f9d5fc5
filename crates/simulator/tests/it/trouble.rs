//! Scripted trouble, in every dialect.

use crate::{
    client::{ANTHROPIC, Answer, connect, post, request, simulator, try_send},
    plain::{ask, send, text_of},
    refusals::message,
};
use byok_simulator::{SCENARIOS, ScenarioKind, Simulator};
use byok_types::Dialect;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::{
    io::Read,
    time::{Duration, Instant},
};

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
async fn bytes_are_laid_on_the_wire_as_wished() {
    let simulator = simulator().await;
    let text = "sim:languages";
    for dialect in Dialect::ALL {
        let expected = text_of(dialect, &send(&simulator, dialect, text, true).await, true);
        for layout in ["one_byte", "coalesce", "split_utf8", "crlf", "noise", "split 1"] {
            let answer = send(&simulator, dialect, &format!("sim:{layout} {text}"), true).await;
            assert_eq!(text_of(dialect, &answer, true), expected, "{dialect} {layout}");
            match layout {
                "one_byte" => assert_eq!(answer.chunks.len(), answer.bytes().len(), "{dialect}"),
                "split_utf8" => {
                    assert!(
                        answer.chunks.iter().any(|chunk| std::str::from_utf8(chunk).is_err()),
                        "{dialect}"
                    );
                }
                "crlf" => assert!(!answer.text().replace("\r\n", "").contains('\n'), "{dialect}"),
                "noise" => {
                    assert!(answer.text().contains("\n\n: ") || answer.text().starts_with(':'), "{dialect}")
                }
                _ => {}
            }
        }
        for layout in ["gzip", "gzip_silent"] {
            let packed = send(&simulator, dialect, &format!("sim:{layout} {text}"), true).await;
            let announced = packed.header("content-encoding") == "gzip";
            assert_eq!(announced, layout == "gzip", "{dialect}");
            let mut bytes = Vec::new();
            flate2::read::GzDecoder::new(packed.bytes().as_slice()).read_to_end(&mut bytes).unwrap();
            let plain = Answer { chunks: vec![bytes.into()], ..packed };
            assert_eq!(text_of(dialect, &plain, true), expected, "{dialect} {layout}");
        }
    }
}

#[tokio::test]
async fn hostile_bodies() {
    let simulator = simulator().await;
    for dialect in Dialect::ALL {
        let invalid = send(&simulator, dialect, "sim:invalid_utf8", true).await;
        assert!(String::from_utf8(invalid.bytes()).is_err(), "{dialect}");
        let endless = send(&simulator, dialect, "sim:endless_line 2", true).await;
        let longest = endless.bytes().split(|byte| *byte == b'\n').map(<[u8]>::len).max().unwrap();
        assert!(longest >= 2 << 20, "{dialect}");
        let bomb = send(&simulator, dialect, "sim:gzip_bomb 64", false).await;
        assert!(bomb.header("content-encoding") == "gzip" && bomb.bytes().len() < 1 << 20, "{dialect}");
        let heavy = send(&simulator, dialect, "sim:huge_headers 64", true).await;
        let size: usize = heavy.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        assert!(size > 64 << 10 && text_of(dialect, &heavy, true).contains("simulator"), "{dialect}");
    }
}

/// Begins a request, reads `chunks` chunks, then drops the connection.
async fn drop_after(simulator: &Simulator, dialect: Dialect, text: &str, chunks: usize) {
    let (target, headers, body) = ask(dialect, text, true);
    let (mut sender, connection) = connect(simulator).await;
    let mut all = headers;
    all.push(("content-type", "application/json"));
    let expected = simulator.request_count() + 1;
    let answer = sender.send_request(request("POST", &target, &all, body.to_string().into_bytes()));
    if chunks == 0 {
        // The answer never comes: give up once the simulator has the request.
        tokio::select! {
            _ = answer => panic!("there is an answer"),
            () = simulator.requests_reached(expected) => {}
        }
    } else {
        let mut body = answer.await.unwrap().into_body();
        for _ in 1..chunks {
            body.frame().await.unwrap().unwrap();
        }
    }
    connection.abort();
}

#[tokio::test]
async fn a_dropped_call_is_told_at_once() {
    let simulator = simulator().await;
    let cases = [("sim:silent", 0), ("sim:stall", 1), ("sim:stall_mid 1", 2), ("sim:slow 1000 50", 3)];
    for dialect in Dialect::ALL {
        for (text, chunks) in cases {
            drop_after(&simulator, dialect, text, chunks).await;
            let dropped = Instant::now();
            let notice = tokio::time::timeout(Duration::from_secs(5), simulator.cancelled()).await.unwrap();
            assert_eq!(notice.dialect, Some(dialect), "{text}");
            let noticed = notice.at.saturating_duration_since(dropped);
            assert!(noticed < Duration::from_secs(2), "{dialect} {text}: {noticed:?}");
        }
    }
    assert_eq!((simulator.open_calls(), simulator.cancelled_count()), (0, 16));
}

#[tokio::test]
async fn a_finished_call_is_no_loss() {
    let simulator = simulator().await;
    for dialect in Dialect::ALL {
        for stream in [false, true] {
            send(&simulator, dialect, "hello", stream).await;
        }
        send(&simulator, dialect, "sim:reset_mid", true).await;
    }
    assert_eq!((simulator.open_calls(), simulator.cancelled_count()), (0, 0));
}

#[tokio::test]
async fn benchmarks_skip_the_checks() {
    let simulator = simulator().await;
    for dialect in Dialect::ALL {
        let streamed = send(&simulator, dialect, "sim:bench chunks=50 bytes=20", true).await;
        assert!(streamed.complete && streamed.status == 200);
        assert_eq!(text_of(dialect, &streamed, true).len(), 1000, "{dialect}");
        assert!(streamed.chunks.len() >= 52, "{dialect}: opening, deltas, ending");
        let whole = send(&simulator, dialect, "sim:bench chunks=50 bytes=20", false).await;
        assert_eq!(text_of(dialect, &whole, false).len(), 1000, "{dialect}");
    }
    assert!(simulator.requests().is_empty() && simulator.request_count() == 8);
    let broken = json!({"anything": "sim:bench chunks=1", "stream": true});
    assert_eq!(post(&simulator, "/v1/chat/completions", &[], &broken).await.status, 200);
}

#[tokio::test]
async fn wishes_may_stand_in_a_header_and_unknown_ones_are_refused() {
    let simulator = simulator().await;
    let (target, mut headers, body) = ask(Dialect::Chat, "hello", false);
    headers.push(("x-sim-scenario", "sim:429"));
    assert_eq!(post(&simulator, &target, &headers, &body).await.status, 429);
    for dialect in Dialect::ALL {
        let answer = send(&simulator, dialect, "sim:nonsense", false).await;
        assert_eq!(answer.status, 400);
        assert!(message(&answer).contains("no scenario `nonsense`"), "{dialect}");
    }
}

#[tokio::test]
async fn every_scenario_plays_in_every_dialect() {
    let simulator = simulator().await;
    // These never end, end without an answer, or fail only once.
    let never_ends = ["silent", "stall", "stall_mid", "reset", "close", "401_once", "fail"];
    for row in SCENARIOS.iter().filter(|row| !never_ends.contains(&row.name)) {
        let arguments = match row.name {
            "tool" | "empty_args" => "get_weather",
            "stop" => "STOP",
            "slow" => "3 1",
            "pace" => "1 1",
            "endless_line" | "gzip_bomb" => "1",
            _ => "",
        };
        for dialect in Dialect::ALL {
            for stream in [false, true] {
                let answer =
                    send(&simulator, dialect, &format!("sim:{} {arguments}", row.name), stream).await;
                let failed = row.kind == ScenarioKind::Failure
                    || row.name.starts_with("error_") && !stream && row.name != "error_200";
                assert_eq!(
                    answer.status >= 400,
                    failed,
                    "{dialect} {} {stream}: {}",
                    row.name,
                    answer.status
                );
            }
        }
    }
}

#[tokio::test]
async fn stop_reasons_are_told_in_each_vendors_spelling() {
    let simulator = simulator().await;
    let cases: [(Dialect, &str, &[&str]); 4] = [
        (
            Dialect::Messages,
            "/stop_reason",
            &[
                "end_turn",
                "max_tokens",
                "stop_sequence",
                "tool_use",
                "pause_turn",
                "refusal",
                "model_context_window_exceeded",
            ],
        ),
        (
            Dialect::Chat,
            "/choices/0/finish_reason",
            &["stop", "length", "tool_calls", "content_filter", "function_call"],
        ),
        (Dialect::Responses, "/incomplete_details/reason", &["max_output_tokens", "content_filter"]),
        (
            Dialect::Gemini,
            "/candidates/0/finishReason",
            &["STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "MALFORMED_FUNCTION_CALL", "OTHER"],
        ),
    ];
    for (dialect, pointer, reasons) in cases {
        for reason in reasons {
            let answer = send(&simulator, dialect, &format!("sim:stop {reason}"), false).await.json();
            assert_eq!(answer.pointer(pointer), Some(&json!(reason)), "{dialect}: {answer}");
            let streamed = send(&simulator, dialect, &format!("sim:stop {reason}"), true).await.text();
            assert!(streamed.contains(&format!("\"{reason}\"")), "{dialect} {reason}");
        }
    }
    let blocked = send(&simulator, Dialect::Gemini, "sim:stop block:SAFETY", false).await.json();
    assert_eq!(
        (&blocked["promptFeedback"]["blockReason"], blocked.get("candidates")),
        (&json!("SAFETY"), None)
    );
    let failed = send(&simulator, Dialect::Responses, "sim:stop failed", true).await.events();
    assert_eq!(failed.last().unwrap()["type"], "response.failed");
}

#[tokio::test]
async fn numbers_of_tokens_are_told_in_each_vendors_way() {
    let simulator = simulator().await;
    let wish = "sim:usage in=120 cached=100 written=5 out=40 reasoning=10";
    let cases: [(Dialect, &[(&str, u64)]); 4] = [
        (
            Dialect::Messages,
            &[
                ("/usage/input_tokens", 15),
                ("/usage/cache_read_input_tokens", 100),
                ("/usage/cache_creation_input_tokens", 5),
                ("/usage/output_tokens", 40),
                ("/usage/output_tokens_details/thinking_tokens", 10),
            ],
        ),
        (
            Dialect::Chat,
            &[
                ("/usage/prompt_tokens", 120),
                ("/usage/prompt_tokens_details/cached_tokens", 100),
                ("/usage/completion_tokens", 40),
                ("/usage/completion_tokens_details/reasoning_tokens", 10),
                ("/usage/total_tokens", 160),
            ],
        ),
        (
            Dialect::Responses,
            &[
                ("/usage/input_tokens", 120),
                ("/usage/input_tokens_details/cached_tokens", 100),
                ("/usage/input_tokens_details/cache_write_tokens", 5),
                ("/usage/output_tokens", 40),
                ("/usage/output_tokens_details/reasoning_tokens", 10),
            ],
        ),
        (
            Dialect::Gemini,
            &[
                ("/usageMetadata/promptTokenCount", 120),
                ("/usageMetadata/cachedContentTokenCount", 100),
                ("/usageMetadata/candidatesTokenCount", 30),
                ("/usageMetadata/thoughtsTokenCount", 10),
                ("/usageMetadata/totalTokenCount", 160),
            ],
        ),
    ];
    for (dialect, numbers) in cases {
        let answer = send(&simulator, dialect, wish, false).await.json();
        for (pointer, number) in numbers {
            assert_eq!(answer.pointer(pointer), Some(&json!(number)), "{dialect} {pointer}: {answer}");
        }
    }
}

#[tokio::test]
async fn declared_schemas_limits_and_sequences_are_honoured() {
    let simulator = simulator().await;
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": false});
    for dialect in Dialect::ALL {
        let (target, headers, mut body) = ask(dialect, "hello", false);
        body.as_object_mut().unwrap().remove("tools");
        match dialect {
            Dialect::Messages => {
                body["output_config"] = json!({"format": {"type": "json_schema", "schema": schema}})
            }
            Dialect::Chat => {
                body["response_format"] = json!({"type": "json_schema", "json_schema": {"name": "n", "strict": true, "schema": schema}})
            }
            Dialect::Responses => {
                body["text"] = json!({"format": {"type": "json_schema", "name": "n", "schema": schema}})
            }
            Dialect::Gemini => {
                body["generationConfig"] =
                    json!({"responseMimeType": "application/json", "responseJsonSchema": schema})
            }
        }
        let answer = post(&simulator, &target, &headers, &body).await;
        let text = text_of(dialect, &answer, false);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), json!({"city": "some city"}), "{dialect}");

        let (target, headers, mut body) = ask(dialect, "sim:long 30", false);
        let limit = 16;
        match dialect {
            Dialect::Messages => body["max_tokens"] = json!(limit),
            Dialect::Chat => body["max_tokens"] = json!(limit),
            Dialect::Responses => body["max_output_tokens"] = json!(limit),
            Dialect::Gemini => body["generationConfig"] = json!({"maxOutputTokens": limit}),
        }
        let cut = post(&simulator, &target, &headers, &body).await;
        assert!(text_of(dialect, &cut, false).ends_with("word 16 "), "{dialect}: {}", cut.text());
        let reason = ["max_tokens", "\"length\"", "max_output_tokens", "MAX_TOKENS"];
        assert!(reason.iter().any(|reason| cut.text().contains(reason)), "{dialect}");
    }
}
