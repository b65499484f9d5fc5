//! Qwen: what is refused.

use crate::client::{Answer, post, simulator, try_send};
use crate::refusals::changed;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use byok_simulator::Simulator;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const CLIENT: &str = "f0304373b74a44d2b584a3fb70ca9e56";
const VERIFIER: &str = "0123456789012345678901234567890123456789012";
const TOKEN: &str = "/qwen/api/v1/oauth2/token";
const FORM: [(&str, &str); 2] =
    [("content-type", "application/x-www-form-urlencoded"), ("accept", "application/json")];

async fn form(simulator: &Simulator, path: &str, fields: &str) -> Answer {
    try_send(simulator, "POST", path, &FORM, fields.as_bytes().to_vec()).await.unwrap()
}

fn device() -> String {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    format!(
        "client_id={CLIENT}&scope=openid+profile+email+model.completion&code_challenge={challenge}&code_challenge_method=S256"
    )
}

/// Access and refresh token of a login.
async fn login(simulator: &Simulator) -> (String, String) {
    let given = form(simulator, "/qwen/api/v1/oauth2/device/code", &device()).await.json();
    let code = given["device_code"].as_str().unwrap();
    let poll = format!(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&client_id={CLIENT}&device_code={code}&code_verifier={VERIFIER}"
    );
    let wrong = poll.replace(VERIFIER, "1123456789012345678901234567890123456789012");
    assert_eq!(form(simulator, TOKEN, &wrong).await.json()["error"], "invalid_grant");
    let pending = form(simulator, TOKEN, &poll).await;
    assert_eq!((pending.status, &pending.json()["error"]), (400, &json!("authorization_pending")));
    let tokens = form(simulator, TOKEN, &poll).await.json();
    assert_eq!(form(simulator, TOKEN, &poll).await.status, 401, "a code is good once");
    assert!(tokens["resource_url"].as_str().unwrap().ends_with("/qwen/portal"));
    let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

#[tokio::test]
async fn tokens_rotate_and_forms_are_exact() {
    let simulator = simulator().await;
    let (_, refresh) = login(&simulator).await;
    let fields = format!("grant_type=refresh_token&refresh_token={refresh}&client_id={CLIENT}");
    assert_eq!(form(&simulator, TOKEN, &format!("{fields}&scope=x")).await.status, 400);
    assert_eq!(
        form(&simulator, TOKEN, &fields.replace(CLIENT, "other")).await.json()["error"],
        "invalid_client"
    );
    assert_eq!(form(&simulator, TOKEN, &fields).await.status, 200);
    let again = form(&simulator, TOKEN, &fields).await;
    assert_eq!((again.status, &again.json()["error"]), (400, &json!("invalid_grant")), "reuse");
    for broken in ["scope=openid", "code_challenge_method=plain", "client_id=x"] {
        let name = broken.split('=').next().unwrap();
        let fields: Vec<String> =
            device()
                .split('&')
                .map(|field| {
                    if field.starts_with(&format!("{name}=")) { broken.to_owned() } else { field.to_owned() }
                })
                .collect();
        let refused = form(&simulator, "/qwen/api/v1/oauth2/device/code", &fields.join("&")).await;
        assert_eq!(refused.status, 400, "{broken}");
    }
    let json =
        post(&simulator, TOKEN, &[("accept", "application/json")], &json!({"grant_type": "refresh_token"}))
            .await;
    assert_eq!(json.status, 400, "not a form");
}

#[tokio::test]
async fn requests_that_are_refused() {
    let simulator = simulator().await;
    let (access, _) = login(&simulator).await;
    let bearer = format!("Bearer {access}");
    let login = [
        ("authorization", bearer.as_str()),
        ("accept", "application/json"),
        ("x-dashscope-cachecontrol", "enable"),
        ("x-dashscope-authtype", "qwen-oauth"),
    ];
    let key = [
        ("authorization", "Bearer sk-1"),
        ("accept", "application/json"),
        ("x-dashscope-cachecontrol", "enable"),
    ];
    let cached = json!({"type": "text", "text": "", "cache_control": {"type": "ephemeral"}});
    let user = json!({"role": "user", "content": "Hello."});
    let portal = json!({"model": "coder-model", "messages": [{"role": "system", "content": [cached]}, user]});
    let platform = json!({"model": "qwen3.6-plus", "messages": [user]});
    let (at_portal, at_platform) =
        ("/qwen/portal/v1/chat/completions", "/qwen/compatible-mode/v1/chat/completions");
    let sets: [(&str, &[(&str, &str)], &Value); 2] =
        [(at_portal, &login, &portal), (at_platform, &key, &platform)];
    for (path, headers, body) in sets {
        let good = post(&simulator, path, headers, body).await;
        assert_eq!(good.status, 200, "{}", good.text());
        // Every header is needed.
        for without in headers {
            let rest: Vec<_> = headers.iter().copied().filter(|header| header != without).collect();
            assert_ne!(post(&simulator, path, &rest, body).await.status, 200, "{path} without {without:?}");
        }
        for (pointer, value) in [
            ("/model", json!("gpt-5.5")),
            ("/n", json!(1)),
            ("/logprobs", json!(true)),
            ("/store", json!(false)),
            ("/enable_thinking", json!("yes")),
            ("/messages/0/role", json!("developer")),
        ] {
            let refused = post(&simulator, path, headers, &changed(body, &[(pointer, Some(value))])).await;
            assert!((400..500).contains(&refused.status), "{path} {pointer}: {}", refused.text());
            assert!(refused.json()["error"]["message"].is_string(), "{}", refused.text());
        }
        let contradiction = changed(
            body,
            &[("/enable_thinking", Some(json!(false))), ("/reasoning_effort", Some(json!("low")))],
        );
        assert_eq!(post(&simulator, path, headers, &contradiction).await.status, 400);
        let both = [headers, &[("x-dashscope-authtype", "qwen-oauth")][..]].concat();
        assert_eq!(post(&simulator, path, &both, body).await.status == 200, path == at_portal);
    }
    let late = json!({"role": "system", "content": "x"});
    for messages in [
        json!([user]),
        json!([{"role": "system", "content": "x"}, user]),
        json!([portal["messages"][0], user, late]),
    ] {
        let refused =
            post(&simulator, at_portal, &login, &changed(&portal, &[("/messages", Some(messages))])).await;
        assert_eq!(refused.status, 400, "{}", refused.text());
    }
    let tool = json!([{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}]);
    let forced = changed(
        &platform,
        &[
            ("/tools", Some(tool)),
            ("/tool_choice", Some(json!("required"))),
            ("/enable_thinking", Some(json!(true))),
        ],
    );
    assert_eq!(post(&simulator, at_platform, &key, &forced).await.status, 400);
    for effort in ["none", "high"] {
        let tiered = changed(
            &platform,
            &[("/model", Some(json!("qwen3.8-max"))), ("/reasoning_effort", Some(json!(effort)))],
        );
        assert_eq!(post(&simulator, at_platform, &key, &tiered).await.status, 400, "{effort}");
    }
}
