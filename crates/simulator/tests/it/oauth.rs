//! The login of Claude subscriptions.

use crate::{
    client::{Answer, get, post, simulator, try_send},
    refusals::changed,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use byok_simulator::{SimOptions, Simulator, TokenTrouble};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::Duration;

const CLIENT: &str = "9d1c250a-e61b-44d9-88ed-5944d1962f5e";
const VERIFIER: &str = "0123456789012345678901234567890123456789012";
const CALLBACK: &str = "http://localhost:5454/callback";
const TOKEN: &str = "/v1/oauth/token";

fn page(redirect: &str, scope: &str) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    format!(
        "/cai/oauth/authorize?code=true&client_id={CLIENT}&response_type=code&redirect_uri={redirect}\
         &scope={scope}&code_challenge={challenge}&code_challenge_method=S256&state=state-1"
    )
}

/// A code for a login with these scopes.
async fn code(simulator: &Simulator, scope: &str) -> String {
    let answer = get(simulator, &page("http%3A%2F%2Flocalhost%3A5454%2Fcallback", scope), &[]).await;
    assert_eq!(answer.status, 302, "{}", answer.text());
    let (_, query) = answer.header("location").split_once(&format!("{CALLBACK}?code=")).unwrap();
    let (code, state) = query.split_once("&state=").unwrap();
    assert_eq!(state, "state-1");
    code.to_owned()
}

fn exchange(code: &str) -> Value {
    json!({
        "grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "client_id": CLIENT,
        "code_verifier": VERIFIER, "state": "state-1",
    })
}

fn refresh(token: &str) -> Value {
    json!({"grant_type": "refresh_token", "refresh_token": token, "client_id": CLIENT})
}

async fn token(simulator: &Simulator, body: &Value) -> Answer {
    post(simulator, TOKEN, &[], body).await
}

async fn login(simulator: &Simulator) -> Value {
    let code = code(simulator, "user:profile+user:inference").await;
    let answer = token(simulator, &exchange(&code)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name}: {value}"))
}

#[tokio::test]
async fn a_login_gives_tokens_that_rotate() {
    let simulator = simulator().await;
    let first = login(&simulator).await;
    assert!(text(&first, "access_token").starts_with("sk-ant-oat01-"));
    assert!(text(&first, "refresh_token").starts_with("sk-ant-ort01-"));
    assert_eq!((&first["expires_in"], &first["token_type"]), (&json!(28800), &json!("Bearer")));
    assert_eq!(first["account"]["email_address"], "ada@example.org");
    let second = token(&simulator, &refresh(text(&first, "refresh_token"))).await.json();
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_eq!(second["scope"], "user:profile user:inference");
    let reused = token(&simulator, &refresh(text(&first, "refresh_token"))).await;
    assert_eq!((reused.status, &reused.json()["error"]), (400, &json!("invalid_grant")));
    let counts = simulator.oauth_counts();
    assert_eq!(
        (
            counts.authorizations,
            counts.token_posts,
            counts.exchanges,
            counts.refreshes,
            counts.reuses,
            counts.refused
        ),
        (1, 3, 1, 1, 1, 1)
    );
}

#[tokio::test]
async fn the_page_can_show_the_code() {
    let simulator = simulator().await;
    let paste = "https%3A%2F%2Fplatform.claude.com%2Foauth%2Fcode%2Fcallback";
    let shown = get(&simulator, &page(paste, "user:inference"), &[]).await.text();
    let (code, state) = shown.split_once('#').unwrap();
    assert_eq!(state, "state-1");
    let body = changed(
        &exchange(code),
        &[("/redirect_uri", Some(json!("https://platform.claude.com/oauth/code/callback")))],
    );
    assert_eq!(token(&simulator, &body).await.status, 200);
}

#[tokio::test]
async fn the_page_refuses_what_is_wrong() {
    let simulator = simulator().await;
    let good = page("http%3A%2F%2Flocalhost%3A5454%2Fcallback", "user:inference");
    let cases = [
        (good.replace(CLIENT, "other"), "invalid_client"),
        (good.replace("S256", "plain"), "invalid_request"),
        (good.replace("&state=state-1", ""), "invalid_request"),
        (good.replace("response_type=code", "response_type=token"), "unsupported_response_type"),
        (good.replace("code_challenge=", "code_challenge=x"), "invalid_request"),
        (format!("{good}&device_id=1"), "invalid_request"),
        (
            good.replace("http%3A%2F%2Flocalhost%3A5454%2Fcallback", "https%3A%2F%2Fevil.example%2F"),
            "invalid_request",
        ),
    ];
    for (target, error) in cases {
        let answer = get(&simulator, &target, &[]).await;
        assert_eq!((answer.status, &answer.json()["error"]), (400, &json!(error)), "{target}");
    }
    let denied = get(&simulator, &format!("{good}&login_hint=denied%40example.org"), &[]).await;
    assert!(denied.header("location").contains("error=access_denied"));
    assert_eq!(simulator.oauth_counts().authorizations, 0);
}

#[tokio::test]
async fn a_code_is_exchanged_once_and_only_by_whom_it_was_made_for() {
    let simulator = simulator().await;
    let cases: [(&str, Option<Value>, u16, &str); 9] = [
        ("/code_verifier", Some(json!("x".repeat(43))), 400, "invalid_grant"),
        ("/code_verifier", Some(json!("short")), 400, "invalid_request"),
        ("/state", Some(json!("state-2")), 400, "invalid_grant"),
        ("/state", None, 400, "invalid_request"),
        ("/redirect_uri", Some(json!("http://localhost:1/callback")), 400, "invalid_grant"),
        ("/client_id", Some(json!("other")), 400, "invalid_client"),
        ("/code", Some(json!("unknown")), 401, "invalid_grant"),
        ("/grant_type", Some(json!("password")), 400, "unsupported_grant_type"),
        ("/scope", Some(json!("user:inference")), 400, "invalid_request"),
    ];
    for (pointer, value, status, error) in cases {
        let code = code(&simulator, "user:inference").await;
        let answer = token(&simulator, &changed(&exchange(&code), &[(pointer, value)])).await;
        assert_eq!((answer.status, &answer.json()["error"]), (status, &json!(error)), "{pointer}");
    }
    let code = code(&simulator, "user:inference").await;
    assert_eq!(token(&simulator, &exchange(&code)).await.status, 200);
    assert_eq!(token(&simulator, &exchange(&code)).await.status, 401, "used");
}

#[tokio::test]
async fn only_json_is_read() {
    let simulator = simulator().await;
    let form = format!("grant_type=refresh_token&refresh_token=x&client_id={CLIENT}");
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let answer = try_send(&simulator, "POST", TOKEN, &headers, form.into_bytes()).await.unwrap();
    assert_eq!((answer.status, &answer.json()["error"]), (400, &json!("invalid_request")));
}

#[tokio::test]
async fn a_scope_beyond_the_grant_is_refused_and_spends_nothing() {
    let simulator = simulator().await;
    let login = login(&simulator).await;
    let wide = changed(
        &refresh(text(&login, "refresh_token")),
        &[("/scope", Some(json!("user:inference org:create_api_key")))],
    );
    let answer = token(&simulator, &wide).await;
    assert_eq!((answer.status, &answer.json()["error"]), (400, &json!("invalid_scope")));
    assert_eq!(token(&simulator, &refresh(text(&login, "refresh_token"))).await.status, 200);
}

#[tokio::test]
async fn profile_and_usage_need_the_token_and_its_scope() {
    let simulator = simulator().await;
    let login = login(&simulator).await;
    let bearer = format!("Bearer {}", text(&login, "access_token"));
    let auth = ("authorization", bearer.as_str());
    let beta = ("anthropic-beta", "oauth-2025-04-20");
    let profile = get(&simulator, "/api/oauth/profile", &[auth]).await.json();
    assert_eq!(profile["account"]["email"], login["account"]["email_address"]);
    assert_eq!(profile["organization"]["organization_type"], "claude_max");
    let usage = get(&simulator, "/api/oauth/usage?skip_spend=1", &[auth, beta]).await.json();
    assert_eq!(usage["five_hour"]["utilization"], 12.0);
    assert!(text(&usage["limits"][0], "resets_at").ends_with("+00:00"));
    assert_eq!(get(&simulator, "/api/oauth/usage", &[auth]).await.status, 401, "without the beta");
    assert_eq!(
        get(&simulator, "/api/oauth/profile", &[("authorization", "Bearer sk-ant-oat01-none")]).await.status,
        401
    );

    let code = code(&simulator, "user:inference").await;
    let setup = token(&simulator, &changed(&exchange(&code), &[("/expires_in", Some(json!(31_536_000)))]))
        .await
        .json();
    assert!(setup.get("refresh_token").is_none() && setup["expires_in"] == 31_536_000, "{setup}");
    let bearer = format!("Bearer {}", text(&setup, "access_token"));
    assert_eq!(get(&simulator, "/api/oauth/profile", &[("authorization", &bearer)]).await.status, 403);
    let counts = simulator.oauth_counts();
    assert_eq!((counts.profiles, counts.usages), (3, 2));
}

#[tokio::test]
async fn access_tokens_expire_and_are_revoked() {
    let options = SimOptions {
        now: Some(1_800_000_000),
        access_lifetime: Duration::from_secs(0),
        ..SimOptions::default()
    };
    let short = Simulator::start(options).await.unwrap();
    let bearer = format!("Bearer {}", short.grant().access_token);
    assert_eq!(
        get(&short, "/api/oauth/profile", &[("authorization", &bearer)]).await.status,
        401,
        "no life at all"
    );

    let simulator = simulator().await;
    let (one, two) = (simulator.grant(), simulator.grant());
    let status = async |grant: &byok_simulator::Grant| {
        let bearer = format!("Bearer {}", grant.access_token);
        get(&simulator, "/api/oauth/profile", &[("authorization", &bearer)]).await.status
    };
    assert_eq!(status(&one).await, 200);
    simulator.expire(&one.access_token);
    assert_eq!((status(&one).await, status(&two).await), (401, 200));
    let refresh_token = two.refresh_token.clone().unwrap();
    let revoke = json!({"token": refresh_token, "token_type_hint": "refresh_token", "client_id": CLIENT});
    assert_eq!(post(&simulator, "/v1/oauth/token/revoke", &[], &revoke).await.status, 200);
    assert_eq!(token(&simulator, &refresh(&refresh_token)).await.status, 400);
    assert_eq!(simulator.oauth_counts().revocations, 1);
}

#[tokio::test]
async fn trouble_at_the_token_endpoint() {
    let simulator = simulator().await;
    let grant = simulator.grant().refresh_token.unwrap();
    simulator.token_trouble(TokenTrouble::Status(500));
    simulator.token_trouble(TokenTrouble::RetryAfter(7));
    simulator.token_trouble(TokenTrouble::OnHold);
    assert_eq!(token(&simulator, &refresh(&grant)).await.status, 500);
    let limited = token(&simulator, &refresh(&grant)).await;
    assert_eq!((limited.status, limited.header("retry-after")), (429, "7"));
    assert_eq!(token(&simulator, &refresh(&grant)).await.json()["error_description"], "account_on_hold");
    let fresh = token(&simulator, &refresh(&grant)).await.json();

    // The vendor has rotated, and nobody learns the new token: only a new login helps.
    simulator.token_trouble(TokenTrouble::LoseAnswer);
    let spent = text(&fresh, "refresh_token");
    let body = refresh(spent).to_string().into_bytes();
    let lost = try_send(&simulator, "POST", TOKEN, &[("content-type", "application/json")], body).await;
    assert!(lost.is_none(), "{lost:?}");
    assert_eq!(token(&simulator, &refresh(spent)).await.json()["error"], "invalid_grant");
    let counts = simulator.oauth_counts();
    assert_eq!((counts.refreshes, counts.reuses), (2, 1));
}
