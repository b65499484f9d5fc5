//! Kimi's device login, its rotation, and its rules about headers and bodies.

use crate::client::{Answer, get, post, simulator, try_send};
use byok_simulator::Simulator;
use serde_json::{Value, json};

const CLIENT: &str = "17e5f671-d194-4dfb-9706-5516cb48c098";
const GRANT: &str = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code";
const TOKEN: &str = "/kimi/api/oauth/token";

async fn form(simulator: &Simulator, path: &str, device: &str, fields: &str) -> Answer {
    let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
    if !device.is_empty() {
        headers.extend([("x-msh-platform", "byok"), ("x-msh-version", "0"), ("x-msh-device-id", device)]);
    }
    try_send(simulator, "POST", path, &headers, fields.as_bytes().to_vec()).await.unwrap()
}

async fn login(simulator: &Simulator) -> Value {
    let fields = format!("client_id={CLIENT}");
    let code = form(simulator, "/kimi/api/oauth/device_authorization", "d", &fields).await.json();
    let code = code["device_code"].as_str().unwrap();
    let fields = format!("client_id={CLIENT}&device_code={code}&grant_type={GRANT}");
    assert_eq!(form(simulator, TOKEN, "other", &fields).await.status, 400, "of another device");
    let pending = form(simulator, TOKEN, "d", &fields).await;
    assert_eq!((pending.status, &pending.json()["error"]), (200, &json!("authorization_pending")));
    form(simulator, TOKEN, "d", &fields).await.json()
}

#[tokio::test]
async fn the_login_rotates_and_refuses_what_is_spent() {
    let simulator = simulator().await;
    let start = "/kimi/api/oauth/device_authorization";
    for (device, fields) in [
        ("", format!("client_id={CLIENT}")),
        ("d", "client_id=x".to_owned()),
        ("d", format!("client_id={CLIENT}&scope=openid")),
    ] {
        assert_eq!(form(&simulator, start, device, &fields).await.status, 400, "{device} {fields}");
    }
    let first = login(&simulator).await;
    let refresh = |token: &str| format!("client_id={CLIENT}&grant_type=refresh_token&refresh_token={token}");
    let token = first["refresh_token"].as_str().unwrap();
    assert_eq!(form(&simulator, TOKEN, "other", &refresh(token)).await.status, 401, "the device stays");
    let second = form(&simulator, TOKEN, "d", &refresh(token)).await.json();
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    let spent = form(&simulator, TOKEN, "d", &refresh(token)).await;
    assert_eq!((spent.status, &spent.json()["error"]), (401, &json!("invalid_grant")));
    let next = second["refresh_token"].as_str().unwrap();
    assert_eq!(form(&simulator, TOKEN, "d", &refresh(next)).await.status, 200);
}

#[tokio::test]
async fn every_rule_about_headers_and_bodies() {
    let simulator = simulator().await;
    let tokens = login(&simulator).await;
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let body = |change: Value| {
        let mut body =
            json!({"model": "k3", "max_tokens": 3000, "messages": [{"role": "user", "content": "Hello."}]});
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    const KEY: (&str, Option<&str>) = ("authorization", Some("Bearer sk-kimi-x"));
    let cases: Vec<(&str, &[(&str, Option<&str>)], Value, u16, &str)> = vec![
        ("messages", &[], body(json!({})), 200, "Hello"),
        (
            "messages/count_tokens",
            &[],
            json!({"model": "k3", "messages": [{"role": "user", "content": "x"}]}),
            200,
            "input_tokens",
        ),
        ("messages", &[KEY, ("x-msh-device-id", None)], body(json!({})), 200, "Hello"),
        ("messages", &[("authorization", None)], body(json!({})), 401, "invalid or may have expired"),
        ("messages", &[("x-msh-device-id", None)], body(json!({})), 401, "Invalid Authentication"),
        ("messages", &[("x-msh-device-id", Some("other"))], body(json!({})), 401, "Invalid Authentication"),
        ("messages", &[("x-msh-platform", None)], body(json!({})), 401, "Invalid Authentication"),
        ("messages", &[("anthropic-version", None)], body(json!({})), 400, "anthropic-version"),
        (
            "messages",
            &[("anthropic-beta", Some("interleaved-thinking-2025-05-14"))],
            body(json!({})),
            400,
            "interleaved",
        ),
        ("messages", &[], body(json!({"model": "kimi-k3"})), 404, "Not found the model"),
        ("messages", &[], body(json!({"thinking": {"type": "disabled"}})), 400, "cannot be disabled"),
        (
            "messages",
            &[],
            body(json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": "medium"}})),
            400,
            "effort",
        ),
        (
            "messages",
            &[],
            body(json!({"tools": [{"type": "web_search_20250305", "name": "web_search"}]})),
            400,
            "web_search",
        ),
        ("chat/completions", &[KEY], body(json!({})), 403, "only available for Coding Agents"),
    ];
    for (path, changes, body, status, words) in cases {
        let mut headers = vec![
            ("authorization", &*bearer),
            ("anthropic-version", "2023-06-01"),
            ("x-msh-platform", "byok"),
            ("x-msh-device-id", "d"),
        ];
        for (name, value) in changes {
            headers.retain(|(known, _)| known != name);
            headers.extend(value.map(|value| (*name, value)));
        }
        let answer = post(&simulator, &format!("/kimi/coding/v1/{path}"), &headers, &body).await;
        let text = answer.text();
        assert_eq!(answer.status, status, "{path} {changes:?} {body}: {text}");
        assert!(text.contains(words), "{path} {changes:?} {body}: {text}");
    }
    let own = [("authorization", &*bearer), ("x-msh-platform", "byok"), ("x-msh-device-id", "d")];
    for (path, member) in [("me", "user_id"), ("models", "data"), ("usages", "limits")] {
        let answer = get(&simulator, &format!("/kimi/coding/v1/{path}"), &own).await;
        assert!(answer.json().get(member).is_some(), "{path}");
        assert_eq!(get(&simulator, &format!("/kimi/coding/v1/{path}"), &[]).await.status, 401, "{path}");
    }
}

#[tokio::test]
async fn troubles_in_kimis_words() {
    let simulator = simulator().await;
    let headers = [("authorization", "Bearer sk-kimi-x"), ("anthropic-version", "2023-06-01")];
    for (wish, status, words) in [
        ("400", 400, "refuses this request"),
        ("401", 401, "invalid or may have expired"),
        ("402", 402, "membership benefits"),
        ("third_party", 403, "only available for Coding Agents"),
        ("extra_usage", 403, "billing cycle"),
        ("banned", 403, "Access terminated"),
        ("529", 429, "currently overloaded"),
        ("429", 429, "too many requests"),
        ("quota", 429, "for this period"),
        ("context", 400, "prompt is too long"),
        ("500", 500, "Internal"),
    ] {
        let body = json!({"model": "k3", "max_tokens": 100, "messages": [{"role": "user", "content": format!("sim:{wish}")}]});
        let answer = post(&simulator, "/kimi/coding/v1/messages", &headers, &body).await;
        assert_eq!(answer.status, status, "{wish}");
        assert!(answer.text().contains(words), "{wish}: {}", answer.text());
    }
}
