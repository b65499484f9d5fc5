//! GitHub's device login, the exchange, and Copilot's rules about headers and bodies.

use crate::client::{Answer, get, post, simulator, try_send};
use byok_simulator::Simulator;
use serde_json::{Value, json};

const CLIENT: &str = "Iv1.b507a08c87ecfe98";
const GRANT: &str = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code";

async fn form(simulator: &Simulator, path: &str, fields: &str) -> Answer {
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("accept", "application/json")];
    try_send(simulator, "POST", path, &headers, fields.as_bytes().to_vec()).await.unwrap()
}

async fn poll(simulator: &Simulator, code: &str) -> Value {
    let fields = format!("client_id={CLIENT}&device_code={code}&grant_type={GRANT}");
    let answer = form(simulator, "/github/login/oauth/access_token", &fields).await;
    assert_eq!(answer.status, 200, "errors have a good status, too");
    answer.json()
}

/// A GitHub token.
async fn login(simulator: &Simulator) -> String {
    let fields = format!("client_id={CLIENT}&scope=read%3Auser");
    let code = form(simulator, "/github/login/device/code", &fields).await.json();
    let code = code["device_code"].as_str().unwrap().to_owned();
    assert_eq!(poll(simulator, &code).await["error"], "authorization_pending");
    let token = poll(simulator, &code).await["access_token"].as_str().unwrap().to_owned();
    assert_eq!(poll(simulator, &code).await["error"], "incorrect_device_code", "a code is good once");
    token
}

async fn exchange(simulator: &Simulator, token: &str) -> Value {
    let authorization = format!("token {token}");
    let headers =
        [("authorization", &*authorization), ("user-agent", "t"), ("x-github-api-version", "2025-04-01")];
    get(simulator, "/github/copilot_internal/v2/token", &headers).await.json()
}

#[tokio::test]
async fn the_login_and_what_it_refuses() {
    let simulator = simulator().await;
    for (fields, error) in [
        ("client_id=x&scope=read%3Auser", Value::Null),
        (&*format!("client_id={CLIENT}"), json!("invalid_scope")),
    ] {
        let answer = form(&simulator, "/github/login/device/code", fields).await;
        assert_eq!(answer.json()["error"], error, "{fields}");
    }
    let token = login(&simulator).await;
    let cases = [
        (vec![("authorization", format!("token {token}"))], 403),
        (vec![("authorization", format!("Bearer {token}")), ("user-agent", "t".into())], 401),
        (vec![("authorization", "token other".into()), ("user-agent", "t".into())], 401),
        (vec![("authorization", format!("token {token}")), ("user-agent", "t".into())], 400),
    ];
    for (headers, status) in cases {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = get(&simulator, "/github/copilot_internal/v2/token", &headers).await;
        assert_eq!(answer.status, status, "{headers:?}");
    }
    let exchanged = exchange(&simulator, &token).await;
    assert!(exchanged["endpoints"]["api"].as_str().unwrap().ends_with("/copilot/individual"));
    assert_eq!(exchanged["refresh_in"], 1500);
}

/// A good request, with changes: headers that are replaced (`None`: left out), and the body.
async fn refused(
    base: &str,
    path: &str,
    token: &str,
    changes: &[(&str, Option<&str>)],
    body: Value,
    simulator: &Simulator,
) -> Answer {
    let bearer = format!("Bearer {token}");
    let mut headers = vec![
        ("authorization", &*bearer),
        ("user-agent", "t"),
        ("x-github-api-version", "2026-06-01"),
        ("copilot-integration-id", "vscode-chat"),
        ("editor-version", "vscode/1.1"),
        ("x-initiator", "user"),
        ("anthropic-version", "2023-06-01"),
    ];
    for (name, value) in changes {
        headers.retain(|(known, _)| known != name);
        headers.extend(value.map(|value| (*name, value)));
    }
    post(simulator, &format!("{base}{path}"), &headers, &body).await
}

#[tokio::test]
async fn every_rule_about_headers_and_bodies() {
    let simulator = simulator().await;
    let github = login(&simulator).await;
    let exchanged = exchange(&simulator, &github).await;
    let token = exchanged["token"].as_str().unwrap();
    let base = "/copilot/individual";
    let chat =
        |last: Value| json!({"model": "gpt-4.1", "messages": [{"role": "user", "content": "Hello."}, last]});
    let hello = json!({"model": "gpt-4.1", "messages": [{"role": "user", "content": "Hello."}]});
    let claude = |change: Value| {
        let mut body = json!({"model": "claude-sonnet-4.6", "max_tokens": 100, "messages": [{"role": "user", "content": "Hello."}]});
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    let responses = |change: Value| {
        let mut body =
            json!({"model": "gpt-5.5", "input": [{"role": "user", "content": "Hello."}], "store": false});
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    let picture = json!({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]});
    let (c, m, r) = ("/chat/completions", "/v1/messages", "/responses");
    let none: &[(&str, Option<&str>)] = &[];
    let cases: Vec<(&str, &[(&str, Option<&str>)], Value, u16, &str)> = vec![
        (c, none, hello.clone(), 200, "gpt-4.1"),
        (m, none, claude(json!({})), 200, "claude"),
        (r, none, responses(json!({})), 200, "gpt-5.5"),
        (c, &[("authorization", None)], hello.clone(), 401, "token expired"),
        (c, &[("user-agent", None)], hello.clone(), 403, "administrative rules"),
        (c, &[("x-github-api-version", None)], hello.clone(), 466, "client not supported"),
        (c, &[("x-github-api-version", Some("2025-04-01"))], hello.clone(), 466, "client not supported"),
        (c, &[("editor-version", None)], hello.clone(), 400, "missing Editor-Version"),
        (c, &[("copilot-integration-id", None)], hello.clone(), 403, "Integration-Id"),
        (c, &[("copilot-integration-id", Some("byok"))], hello.clone(), 403, "Integration-Id"),
        (c, &[("x-initiator", Some("agent"))], hello.clone(), 400, "invalid initiator"),
        (c, &[("x-initiator", None)], hello.clone(), 200, "gpt-4.1"),
        (c, none, chat(picture.clone()), 400, "Copilot-Vision-Request"),
        (c, &[("copilot-vision-request", Some("true"))], chat(picture), 200, "gpt-4.1"),
        (r, none, hello, 400, "unsupported_api_for_model"),
        (c, none, json!({"model": "gpt-5.5", "messages": []}), 400, "unsupported_api_for_model"),
        (c, none, json!({"model": "other", "messages": []}), 400, "model_not_supported"),
        (r, none, responses(json!({"service_tier": "flex"})), 400, "service_tier"),
        (r, none, responses(json!({"store": true})), 400, "store"),
        (m, &[("anthropic-version", None)], claude(json!({})), 400, "anthropic-version"),
        (m, none, claude(json!({"container": "x"})), 400, "container"),
        (
            m,
            none,
            claude(json!({"tools": [{"type": "web_search_20250305", "name": "web_search"}]})),
            400,
            "web_search",
        ),
        (
            m,
            none,
            claude(
                json!({"system": [{"type": "text", "text": "t", "cache_control": {"type": "ephemeral", "scope": "global"}}]}),
            ),
            400,
            "scope",
        ),
        (
            m,
            none,
            claude(
                json!({"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": [{"type": "thinking", "thinking": "", "signature": "s"}]}, {"role": "user", "content": "y"}]}),
            ),
            400,
            "must contain thinking",
        ),
    ];
    for (path, changes, body, status, words) in cases {
        let answer = refused(base, path, token, changes, body.clone(), &simulator).await;
        let text = answer.text();
        assert_eq!(answer.status, status, "{path} {changes:?} {body}: {text}");
        assert!(text.contains(words), "{path} {changes:?} {body}: {text}");
    }
    // A token belongs to its address.
    for (base, token) in [("/copilot", token), ("/copilot/individual", &*github)] {
        let body = json!({"model": "gpt-4.1", "messages": [{"role": "user", "content": "Hello."}]});
        assert_eq!(refused(base, c, token, none, body, &simulator).await.status, 421);
    }
}

#[tokio::test]
async fn troubles_in_copilots_words() {
    let simulator = simulator().await;
    let token = login(&simulator).await;
    for (wish, status, words) in [
        ("400", 400, "invalid_request_body"),
        ("401", 401, "token expired"),
        ("402", 402, "overage_limit_reached"),
        ("quota", 402, "quota_exceeded"),
        ("403", 403, "forbidden"),
        ("banned", 403, "abuse"),
        ("404", 400, "model_not_supported"),
        ("413", 413, "failed to parse request"),
        ("context", 400, "model_max_prompt_tokens_exceeded"),
        ("429", 429, "user_model_rate_limited"),
        ("third_party", 466, "client not supported"),
        ("500", 500, "internal"),
        ("503", 503, "rate limit"),
    ] {
        let body =
            json!({"model": "gpt-4.1", "messages": [{"role": "user", "content": format!("sim:{wish}")}]});
        let answer = refused("/copilot", "/chat/completions", &token, &[], body, &simulator).await;
        assert_eq!(answer.status, status, "{wish}");
        assert!(answer.text().contains(words), "{wish}: {}", answer.text());
        assert!(!answer.header("x-quota-snapshot-premium_interactions").is_empty(), "{wish}");
    }
}
