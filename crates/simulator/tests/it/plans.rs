//! Codex and xAI: what their logins and hosts refuse.

use crate::client::{Answer, get, post, simulator, try_send};
use byok_simulator::{Plan, Simulator};
use serde_json::{Value, json};

const RESPONSES: &str = "/backend-api/codex/responses";
const LITE: (&str, &str) = ("x-openai-internal-codex-responses-lite", "true");

/// The base with these members changed; `null` takes one out.
fn with(base: &Value, change: &Value) -> Value {
    let mut all = base.clone();
    for (name, value) in change.as_object().unwrap() {
        if value.is_null() {
            all.as_object_mut().unwrap().remove(name);
        } else {
            all[name] = value.clone();
        }
    }
    all
}

async fn codex(simulator: &Simulator, drop: &str, more: &[(&str, &str)], body: &Value) -> Answer {
    let grant = simulator.plan_grant(Plan::Codex, "ada@example.org");
    let bearer = format!("Bearer {}", grant.access_token);
    let mut headers = vec![
        ("authorization", bearer.as_str()),
        ("chatgpt-account-id", "ws-ada"),
        ("originator", "test"),
        ("user-agent", "test/1"),
        ("accept", "text/event-stream"),
    ];
    headers.retain(|(name, _)| *name != drop && more.iter().all(|(other, _)| other != name));
    headers.extend_from_slice(more);
    post(simulator, RESPONSES, &headers, body).await
}

fn plain() -> Value {
    json!({
        "model": "gpt-5.5", "instructions": "", "stream": true, "store": false, "include": ["reasoning.encrypted_content"],
        "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello."}]}],
    })
}

#[tokio::test]
async fn what_the_codex_backend_refuses() {
    let simulator = simulator().await;
    let answer = codex(&simulator, "", &[], &plain()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let events = answer.events();
    assert_eq!(events[0]["type"], "codex.rate_limits");
    assert_eq!(events[1]["type"], "keepalive");
    let last = events.last().unwrap();
    assert_eq!((&last["type"], &last["response"]["output"]), (&json!("response.completed"), &json!([])));
    assert_eq!(answer.header("x-codex-primary-window-minutes"), "300");

    for (header, status) in [
        ("authorization", 401),
        ("chatgpt-account-id", 401),
        ("originator", 400),
        ("user-agent", 403),
        ("accept", 400),
    ] {
        assert_eq!(codex(&simulator, header, &[], &plain()).await.status, status, "{header}");
    }
    for more in [("chatgpt-account-id", "ws-bob"), ("authorization", "Bearer sk-1")] {
        assert_eq!(codex(&simulator, "", &[more], &plain()).await.status, 401, "{more:?}");
    }
    let item = |item: Value| json!({"input": [item]});
    let marked = json!({"type": "input_text", "text": "x", "prompt_cache_breakpoint": {"mode": "explicit"}});
    let cases = [
        (json!({"stream": false}), "Stream must be set to true"),
        (json!({"stream": null}), "Stream must be set to true"),
        (json!({"store": true}), "Store must be set to false"),
        (json!({"store": null}), "Store must be set to false"),
        (json!({"input": "Hello."}), "Input must be a list"),
        (json!({"instructions": null}), "Instructions are required"),
        (json!({"temperature": 1}), "Unsupported parameter: temperature"),
        (json!({"max_output_tokens": 99}), "Unsupported parameter: max_output_tokens"),
        (json!({"previous_response_id": "r"}), "Unsupported parameter: previous_response_id"),
        (json!({"metadata": {}}), "Unsupported parameter: metadata"),
        (json!({"user": "u"}), "Unsupported parameter: user"),
        (json!({"anything": 1}), "Unsupported parameter: anything"),
        (item(json!({"role": "system", "content": "x"})), "System messages are not allowed"),
        (item(json!({"role": "user", "content": [marked]})), "prompt_cache_breakpoint"),
        (item(json!({"type": "reasoning", "id": "rs_1", "summary": []})), "Item with id 'rs_1' not found"),
        (item(json!({"type": "additional_tools", "role": "developer", "tools": []})), "Responses-Lite"),
        (json!({"service_tier": "flex"}), "service_tier"),
        (json!({"model": "gpt-4.1"}), "not supported when using Codex with a ChatGPT account"),
        (json!({"parallel_tool_calls": true}), "parallel_tool_calls"),
    ];
    for (change, words) in cases {
        let answer = codex(&simulator, "", &[], &with(&plain(), &change)).await;
        assert!(answer.status == 400 || answer.status == 404, "{change}: {}", answer.text());
        assert!(answer.text().contains(words), "{change}: {}", answer.text());
    }
    let lite = json!({
        "model": "gpt-6-sol", "stream": true, "store": false, "parallel_tool_calls": false,
        "input": [
            {"type": "additional_tools", "role": "developer", "tools": [{"type": "custom", "name": "exec"}]},
            {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Base."}]},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello."}]},
        ],
    });
    let answer = codex(&simulator, "", &[LITE], &lite).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    for change in [json!({"parallel_tool_calls": true}), json!({"tools": [{"type": "web_search"}]})] {
        let answer = codex(&simulator, "", &[LITE], &with(&lite, &change)).await;
        assert_eq!(
            (answer.status, &answer.json()["error"]["code"]),
            (400, &json!("unsupported_value")),
            "{change}"
        );
    }
}

#[tokio::test]
async fn tokens_of_codex_rotate_and_reuse_ends_the_login() {
    let simulator = simulator().await;
    let first = simulator.plan_grant(Plan::Codex, "ada@example.org");
    let body = |token: &str| {
        json!({
            "client_id": "app_EMoamEEZ73f0CkXaXp7hrann", "grant_type": "refresh_token", "refresh_token": token,
        })
    };
    let refresh = async |token: &str| post(&simulator, "/openai-auth/oauth/token", &[], &body(token)).await;
    let second = refresh(&first.refresh_token).await;
    assert_eq!(second.status, 200, "{}", second.text());
    let reused = refresh(&first.refresh_token).await;
    assert_eq!((reused.status, &reused.json()["error"]["code"]), (401, &json!("refresh_token_reused")));
    let dead = refresh(second.json()["refresh_token"].as_str().unwrap()).await;
    assert_eq!(dead.status, 400, "the whole login is dead: {}", dead.text());
    assert_eq!(simulator.plan_counts(Plan::Codex).reuses, 1);
    let other = json!({"client_id": "other", "grant_type": "refresh_token", "refresh_token": "x"});
    assert_eq!(post(&simulator, "/openai-auth/oauth/token", &[], &other).await.status, 401);
    simulator.expire_plan(Plan::Codex);
    let bearer = format!("Bearer {}", second.json()["access_token"].as_str().unwrap());
    let usage =
        get(&simulator, "/backend-api/wham/usage", &[("authorization", &bearer), ("user-agent", "t")]).await;
    assert_eq!(usage.status, 401);
}

async fn xai(simulator: &Simulator, drop: &str, more: &[(&str, &str)], body: &Value) -> Answer {
    let grant = simulator.plan_grant(Plan::Xai, "ada@example.org");
    let bearer = format!("Bearer {}", grant.access_token);
    let mut headers = vec![
        ("authorization", bearer.as_str()),
        ("x-xai-token-auth", "xai-grok-cli"),
        ("x-grok-client-version", "1.0.6"),
        ("accept", "text/event-stream"),
    ];
    headers.retain(|(name, _)| *name != drop && more.iter().all(|(other, _)| other != name));
    headers.extend_from_slice(more);
    post(simulator, "/xai-plan/v1/responses", &headers, body).await
}

#[tokio::test]
async fn what_the_hosts_of_xai_refuse() {
    let simulator = simulator().await;
    let plain = json!({"model": "grok-4.6", "stream": true, "store": false, "input": [{"role": "user", "content": "Hello."}]});
    let answer = xai(&simulator, "", &[], &plain).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    for (header, status) in
        [("authorization", 403), ("x-xai-token-auth", 401), ("x-grok-client-version", 426), ("accept", 400)]
    {
        assert_eq!(xai(&simulator, header, &[], &plain).await.status, status, "{header}");
    }
    for version in ["0.1.201", "byok/1.0.0", "1", "1.0.0.0"] {
        let answer = xai(&simulator, "", &[("x-grok-client-version", version)], &plain).await;
        assert_eq!(answer.status, 426, "{version}");
    }
    let function =
        |parameters: Value| json!({"tools": [{"type": "function", "name": "f", "parameters": parameters}]});
    for change in [
        json!({"stream": false}),
        json!({"previous_response_id": "r"}),
        json!({"prompt_cache_retention": "24h"}),
        json!({"safety_identifier": "s"}),
        json!({"stream_options": {}}),
        json!({"stop": ["x"]}),
        json!({"model": "grok-build-0.1", "reasoning": {"effort": "low"}}),
        json!({"tool_choice": "auto"}),
        json!({"parallel_tool_calls": true}),
        json!({"tools": [{"type": "custom", "name": "f"}]}),
        json!({"tools": [{"type": "namespace", "name": "n", "tools": []}]}),
        json!({"tools": [{"type": "tool_search"}]}),
        json!({"tools": [{"type": "function", "name": "f"}]}),
        function(json!({"anyOf": [{"type": "object"}]})),
        with(
            &function(json!({"type": "object", "properties": {}})),
            &json!({"tool_choice": {"type": "web_search"}}),
        ),
        json!({"input": [{"type": "additional_tools", "tools": []}]}),
        json!({"input": [{"type": "custom_tool_call", "call_id": "c", "name": "f", "input": ""}]}),
        json!({"input": [{"type": "reasoning", "summary": [], "encrypted_content": "gAAAAforeign"}]}),
    ] {
        let answer = xai(&simulator, "", &[], &with(&plain, &change)).await;
        assert_eq!(answer.status, 400, "{change}: {}", answer.text());
        assert!(answer.json()["code"].is_string() && answer.json()["error"].is_string(), "{change}");
    }
    let refused = xai(
        &simulator,
        "",
        &[],
        &with(&plain, &json!({"input": [{"role": "user", "content": "sim:quota"}]})),
    )
    .await;
    assert_eq!((refused.status, &refused.json()["code"]), (429, &json!("subscription:free-usage-exhausted")));
    let key = [("authorization", "Bearer xai-1"), ("accept", "text/event-stream")];
    assert_eq!(post(&simulator, "/xai-api/v1/responses", &key, &plain).await.status, 200);
    let wrong = [("authorization", "Bearer sk-1"), ("accept", "text/event-stream")];
    assert_eq!(post(&simulator, "/xai-api/v1/responses", &wrong, &plain).await.status, 400);

    let grant = simulator.plan_grant(Plan::Xai, "ada@example.org");
    let form = format!(
        "grant_type=refresh_token&refresh_token={}&client_id=b1a00492-073a-47ea-816f-4c329264a828",
        grant.refresh_token
    );
    let send = async |form: String| {
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        try_send(&simulator, "POST", "/xai-auth/oauth2/token", &kind, form.into_bytes()).await.unwrap()
    };
    assert_eq!(send(form.clone()).await.status, 400, "the owner is not named");
    let named = format!("{form}&principal_type=User&principal_id=user-ada");
    assert_eq!(send(named.clone()).await.status, 200);
    let reused = send(named).await;
    assert_eq!((reused.status, &reused.json()["error"]), (400, &json!("invalid_grant")));
}
