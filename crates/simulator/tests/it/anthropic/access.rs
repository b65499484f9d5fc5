//! Credentials, versions, betas, counting.

use super::*;
use crate::{client::*, refusals::*};

#[tokio::test]
async fn credentials_versions_and_betas() {
    let simulator = simulator().await;
    let sentence = json!([{"type": "text", "text": "You are Claude Code, Anthropic's official CLI for Claude."}, {"type": "text", "text": "Be brief."}]);
    let oauth = ("authorization", "Bearer sk-ant-oat01-sim-ada");
    let version = ("anthropic-version", "2023-06-01");
    let newer = ("anthropic-version", "2026-10-21");
    let key = ("x-api-key", "sk-ant-api03-x");
    let beta = ("anthropic-beta", "claude-code-20250219,oauth-2025-04-20");
    let haiku = ("/model", Some(json!("claude-haiku-4-5-20251001")));
    let heat = ("/temperature", Some(json!(1)));
    type Case<'a> = (&'a [(&'a str, &'a str)], Changes<'a>, u16, &'a str);
    let cases: [Case<'_>; 19] = [
        (&[key, version], &[], 200, ""),
        (&[("authorization", "Bearer sk-ant-api03-x"), newer], &[], 200, ""),
        (&[key, newer], &[heat.clone()], 400, "temperature: Extra inputs are not permitted"),
        (
            &[key, newer],
            &[turns(json!([user(json!([{"type": "text", "text": "x", "citations": []}]))]))],
            400,
            "citations: Extra inputs are not permitted",
        ),
        (&[version], &[], 401, "x-api-key header is required"),
        (&[("x-api-key", "sk-other"), version], &[], 401, "invalid x-api-key"),
        (&[("x-api-key", "sk-ant-oat01-sim-ada"), version], &[], 401, "invalid x-api-key"),
        (&[("authorization", "Bearer sk-other"), version], &[], 401, "Invalid bearer token"),
        (&[key, oauth, version, beta], &[], 401, "Only one of"),
        (&[key], &[], 400, "anthropic-version: header is required"),
        (&[key, ("anthropic-version", "2024-01-01")], &[], 400, "is not a valid version"),
        (
            &[key, version, ("anthropic-beta", "prompt-caching-2024-07-31")],
            &[],
            400,
            "Unexpected value(s) `prompt-caching-2024-07-31`",
        ),
        (
            &[oauth, version],
            &[("/system", Some(sentence.clone()))],
            401,
            "OAuth authentication is currently not supported",
        ),
        (&[oauth, version, beta], &[], 400, "only authorized for use with Claude Code"),
        (&[oauth, version, beta], &[("/system", Some(sentence.clone()))], 200, ""),
        (
            &[oauth, version, beta],
            &[(
                "/system",
                Some(json!("You are Claude Code, Anthropic's official CLI for Claude. Be brief.")),
            )],
            400,
            "only authorized",
        ),
        (&[oauth, version, beta], &[haiku], 200, ""),
        (
            &[("authorization", "Bearer sk-ant-oat01-unknown"), version, beta],
            &[],
            401,
            "Invalid bearer token",
        ),
        (&[key, version], &[("/model", Some(json!("claude-none")))], 404, "model: claude-none"),
    ];
    for (headers, changes, status, words) in cases {
        let answer = post(&simulator, PATH, headers, &changed(&old(), changes)).await;
        assert_eq!(answer.status, status, "{headers:?}: {}", answer.text());
        assert!(answer.text().contains(words), "{headers:?}: {}", answer.text());
    }
    let limits =
        post(&simulator, PATH, &[oauth, version, beta], &changed(&old(), &[("/system", Some(sentence))]))
            .await;
    assert_eq!(limits.header("anthropic-ratelimit-unified-status"), "allowed");
    let limits = post(&simulator, PATH, &[key, version], &old()).await;
    assert!(limits.header("anthropic-ratelimit-requests-reset").ends_with('Z'));
}

#[tokio::test]
async fn features_behind_betas() {
    let simulator = simulator().await;
    let edits = json!({"edits": [{"type": "clear_thinking_20251015"}]});
    let cases: [(&str, Changes<'_>, &str); 5] = [
        ("fast-mode-2026-02-01", &[("/speed", Some(json!("fast")))], "speed: Extra inputs are not permitted"),
        (
            "context-management-2025-06-27",
            &[("/context_management", Some(json!({"edits": []})))],
            "context_management: Extra inputs are not permitted",
        ),
        (
            "mcp-client-2025-11-20",
            &[("/mcp_servers", Some(json!([])))],
            "mcp_servers: Extra inputs are not permitted",
        ),
        (
            "task-budgets-2026-03-13",
            &[("/output_config", Some(json!({"task_budget": {"type": "tokens", "total": 1000}})))],
            "output_config.task_budget: Extra inputs are not permitted",
        ),
        (
            "mid-conversation-tool-changes-2026-07-01",
            &[turns(
                json!([user(json!([text("hi")])), {"role": "system", "content": [{"type": "tool_addition", "tool": {"type": "tool_reference", "tool_name": "f"}}]}]),
            )],
            "messages.1.content.0.type: Input should be",
        ),
    ];
    for (beta, changes, words) in cases {
        refused(&simulator, &new(), &[(changes, words)]).await;
        let headers = [ANTHROPIC[0], ANTHROPIC[1], ("anthropic-beta", beta)];
        let answer = post(&simulator, PATH, &headers, &changed(&new(), changes)).await;
        assert_eq!(answer.status, 200, "{beta}: {}", answer.text());
    }
    let headers = [ANTHROPIC[0], ANTHROPIC[1], ("anthropic-beta", "context-management-2025-06-27")];
    let answer =
        post(&simulator, PATH, &headers, &changed(&old(), &[("/context_management", Some(edits))])).await;
    assert!(message(&answer).contains("strategy requires `thinking`"), "{}", answer.text());
}

#[tokio::test]
async fn counting_takes_no_limit_and_checks_the_turns() {
    let simulator = simulator().await;
    let good = changed(&old(), &[("/max_tokens", None)]);
    let path = "/v1/messages/count_tokens?beta=true";
    assert_eq!(post(&simulator, path, &ANTHROPIC, &good).await.status, 200);
    let answer = post(&simulator, path, &ANTHROPIC, &old()).await;
    assert_eq!(message(&answer), "max_tokens: Extra inputs are not permitted");
    let answer =
        post(&simulator, path, &ANTHROPIC, &changed(&good, &[turns(json!([assistant(json!("x"))]))])).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
}

#[tokio::test]
async fn a_lenient_key_takes_what_is_unknown() {
    let simulator = simulator().await;
    let body = changed(
        &old(),
        &[
            ("/vendor_field", Some(json!(1))),
            ("/model", Some(json!("glm-9"))),
            ("/temperature", Some(json!(0.5))),
            ("/output_config", Some(json!({"effort": "max"}))),
        ],
    );
    for headers in [
        [("x-api-key", "any-lenient"), ANTHROPIC[1]],
        [("authorization", "Bearer any-lenient"), ANTHROPIC[1]],
    ] {
        assert_eq!(post(&simulator, PATH, &headers, &body).await.status, 200, "{headers:?}");
    }
    assert_eq!(post(&simulator, PATH, &ANTHROPIC, &body).await.status, 400);
}
