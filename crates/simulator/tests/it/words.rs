//! What is said: stop reasons, token counts, schemas, limits, and how scenarios are chosen.

use crate::{
    client::{post, simulator},
    plain::{ask, send, text_of},
    refusals::message,
};
use byok_simulator::{SCENARIOS, ScenarioKind};
use byok_types::Dialect;
use serde_json::{Value, json};

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
    let never_ends = ["silent", "stall", "stall_comments", "stall_mid", "reset", "close", "401_once", "fail"];
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

#[tokio::test(start_paused = true)]
async fn headers_can_be_late() {
    let simulator = simulator().await;
    for text in ["sim:late 60000", "sim:late 60000 sim:429"] {
        let begun = tokio::time::Instant::now();
        send(&simulator, Dialect::Chat, text, true).await;
        assert!(begun.elapsed().as_secs() >= 60, "{text}: {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn compatible_servers_have_bases_of_their_own() {
    let simulator = simulator().await;
    let headers = [("authorization", "Bearer lenient")];
    let body = json!({"model": "glm-9", "messages": [{"role": "user", "content": "hello"}], "thinking": {"type": "enabled"}});
    let answer = post(&simulator, "/compat/api/paas/v4/chat/completions", &headers, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}
