//! iFlow: what is refused.

use crate::client::{Answer, get, post, simulator, try_send};
use byok_simulator::Simulator;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

const TOKEN: &str = "/iflow/oauth/token";
const CHAT: &str = "/iflow/v1/chat/completions";
/// `10009311001:sim-secret` in base64.
const BASIC: &str = "Basic MTAwMDkzMTEwMDE6c2ltLXNlY3JldA==";
const SESSION: &str = "session-00000000-0000-4000-8000-000000000000";

async fn token(simulator: &Simulator, basic: &str, fields: &str) -> Answer {
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("accept", "application/json"),
        ("authorization", basic),
    ];
    try_send(simulator, "POST", TOKEN, &headers, fields.as_bytes().to_vec()).await.unwrap()
}

#[tokio::test]
async fn a_login_to_its_key() {
    let simulator = simulator().await;
    let redirect = "http%3A%2F%2Flocalhost%3A11451%2Foauth2callback";
    let page = format!(
        "/iflow/oauth?loginMethod=phone&type=phone&redirect={redirect}&state=s&client_id=10009311001"
    );
    for (from, to) in [
        ("redirect=", "redirect_uri="),
        ("client_id=10009311001", "client_id=1"),
        ("loginMethod=phone&", ""),
        ("oauth2callback", "callback"),
    ] {
        assert_eq!(get(&simulator, &page.replace(from, to), &[]).await.status, 400, "{from} -> {to}");
    }
    let denied = get(&simulator, &format!("{page}&login_hint=denied"), &[]).await;
    assert!(denied.header("location").ends_with("?error=access_denied&state=s"));
    let come = get(&simulator, &page, &[]).await;
    let code = come.header("location").split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let secret = "client_id=10009311001&client_secret=sim-secret";
    let exchange = format!("grant_type=authorization_code&code={code}&redirect_uri={redirect}&{secret}");
    assert_eq!(token(&simulator, "Basic eDp5", &exchange).await.json()["error"], "invalid_client");
    let only_header = exchange.replace("&client_secret=sim-secret", "");
    assert_eq!(token(&simulator, BASIC, &only_header).await.json()["error"], "invalid_client");
    let tokens = token(&simulator, BASIC, &exchange).await.json();
    assert_eq!(
        token(&simulator, BASIC, &exchange).await.json()["error"],
        "invalid_grant",
        "a code is good once"
    );

    let (access, refresh) =
        (tokens["access_token"].as_str().unwrap(), tokens["refresh_token"].as_str().unwrap());
    let owner = async |token: &str| {
        get(&simulator, &format!("/iflow/api/oauth/getUserInfo?accessToken={token}"), &[]).await.json()
    };
    assert!(owner(access).await["data"]["apiKey"].as_str().unwrap().starts_with("sk-iflow-login-"));
    assert_eq!(owner("other").await["success"], false);
    let again = format!("grant_type=refresh_token&refresh_token={refresh}&{secret}");
    assert_eq!(token(&simulator, BASIC, &again).await.status, 200);
    assert_eq!(token(&simulator, BASIC, &again).await.json()["error"], "invalid_grant", "reuse");
}

#[tokio::test]
async fn requests_that_are_not_signed_are_not_acceptable() {
    let simulator = simulator().await;
    let millis = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().to_string();
    let signature = hmac("sk-1", &format!("iFlow-Cli:{SESSION}:{millis}"));
    let old = hmac("sk-1", &format!("iFlow-Cli:{SESSION}:1000"));
    let headers = [
        ("authorization", "Bearer sk-1"),
        ("accept", "application/json"),
        ("user-agent", "iFlow-Cli"),
        ("session-id", SESSION),
        ("x-iflow-timestamp", millis.as_str()),
        ("x-iflow-signature", signature.as_str()),
    ];
    let body = |extra: Value| {
        let mut body = json!({"model": "glm-4.6", "messages": [{"role": "user", "content": "Hello."}]});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        body
    };
    let good = post(&simulator, CHAT, &headers, &body(json!({}))).await;
    assert_eq!(good.status, 200, "{}", good.text());
    for (name, value) in [
        ("user-agent", "byok/1"),
        ("session-id", "1"),
        ("x-iflow-timestamp", "1000"),
        ("x-iflow-signature", "00"),
        ("authorization", "Bearer sk-2"),
    ] {
        let changed = headers.map(|header| if header.0 == name { (name, value) } else { header });
        let refused = post(&simulator, CHAT, &changed, &body(json!({}))).await;
        assert_eq!((refused.status, &refused.json()["status"]), (406, &json!("406")), "{name}");
    }
    let late = headers.map(|(name, value)| match name {
        "x-iflow-timestamp" => (name, "1000"),
        "x-iflow-signature" => (name, old.as_str()),
        _ => (name, value),
    });
    assert_eq!(post(&simulator, CHAT, &late, &body(json!({}))).await.status, 406, "signed long ago");
    for extra in [
        json!({"thinking": {"type": "enabled"}}),
        json!({"enable_thinking": true}),
        json!({"reasoning_effort": "low"}),
        json!({"tools": []}),
        json!({"reasoning_split": true}),
        json!({"chat_template_kwargs": {"enable_thinking": true}}),
        json!({"chat_template_kwargs": {"enable_thinking": false, "clear_thinking": false}}),
        json!({"model": "deepseek-v3.2", "chat_template_kwargs": {"enable_thinking": true, "clear_thinking": false}}),
        json!({"model": "kimi-k2", "chat_template_kwargs": {"enable_thinking": true}}),
        json!({"model": "minimax-m2", "chat_template_kwargs": {"enable_thinking": true}}),
    ] {
        let refused = post(&simulator, CHAT, &headers, &body(extra.clone())).await;
        assert_eq!(refused.status, 400, "{extra}: {}", refused.text());
    }
    let unknown = post(&simulator, CHAT, &headers, &body(json!({"model": "gpt-5.5"}))).await;
    assert_eq!((unknown.status, &unknown.json()["status"]), (200, &json!("435")), "an error with status 200");
}

/// HMAC-SHA-256, written a third time so that a mistake is not shared.
fn hmac(key: &str, message: &str) -> String {
    use sha2::{Digest, Sha256};
    let pad = |with: u8| -> Vec<u8> {
        (0..64).map(|at| key.as_bytes().get(at).copied().unwrap_or(0) ^ with).collect()
    };
    let inner = Sha256::digest([pad(0x36), message.as_bytes().to_vec()].concat());
    let outer = Sha256::digest([pad(0x5c), inner.to_vec()].concat());
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}
