use super::{Addresses, Claude};
use crate::Urls;
use crate::testing::{Scripted, TokenServer, tokens, transport};
use crate::{
    Answers, AuthorizationCode, BrowserLogin, KeyLogin, LoginError, Redirect, RefreshError, Refresher as _,
    Revoke as _,
};
use byok_types::{AccountState, Blame, Fault as _, OauthTokens, Retry, Secret};
use serde_json::json;
use std::time::Duration;
use url::Url;

#[test]
fn the_default_addresses_are_the_vendors() {
    let urls = Addresses::of(&Urls::none());
    let all = [urls.authorize, urls.token, urls.revoke, urls.profile, urls.models, urls.paste];
    for url in all {
        let host = url.host_str().unwrap();
        assert!(
            url.scheme() == "https" && (host.ends_with("claude.com") || host.ends_with("anthropic.com")),
            "{url}"
        );
    }
}

#[test]
fn the_authorize_url() {
    let callback = Url::parse("http://localhost:49152/callback").unwrap();
    let login = claude().begin(Redirect::Callback(callback));
    let url = &login.authorize_url;
    assert!(url.as_str().starts_with("https://claude.com/cai/oauth/authorize?"), "{url}");
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let names: Vec<_> = pairs.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "code",
            "client_id",
            "response_type",
            "redirect_uri",
            "scope",
            "code_challenge",
            "code_challenge_method",
            "state"
        ]
    );
    let value = |name: &str| pairs.iter().find(|(key, _)| key == name).unwrap().1.clone();
    assert_eq!(value("code"), "true");
    assert_eq!(value("redirect_uri"), "http://localhost:49152/callback");
    assert_eq!(value("scope"), "user:profile user:inference");
    assert_eq!(value("code_challenge_method"), "S256");
    assert_eq!(value("state"), login.state.expose());
    assert_eq!(value("state").len(), 43, "256 bits");
    let verifier = oauth2::PkceCodeVerifier::new(login.verifier.expose().to_owned());
    assert_eq!(
        value("code_challenge"),
        oauth2::PkceCodeChallenge::from_code_verifier_sha256(&verifier).as_str()
    );

    let pasted = claude().begin(Redirect::Pasted);
    assert_eq!(pasted.redirect_uri, "https://platform.claude.com/oauth/code/callback");
    assert_ne!(pasted.state.expose(), login.state.expose());
    assert_ne!(pasted.verifier.expose(), login.verifier.expose());
    let shown = format!("{login:?}");
    assert!(!shown.contains(login.verifier.expose()), "{shown}");
}

#[tokio::test]
async fn the_exchange_and_who_it_was() {
    let server = TokenServer::start().await;
    server.answer_with(json!({
        "expires_in": 28_800, "scope": "user:inference user:profile",
        "account": {"uuid": "person-1", "email_address": "ada@example.com"},
        "organization": {"uuid": "org-1", "name": "Analytical Engines"},
    }));
    let claude = server.claude();
    let login = claude.begin(Redirect::Pasted);
    // `finish` asks the endpoint first, then the profile, which knows the plan.
    server.gate.acquire().await.unwrap().forget();
    let done =
        BrowserLogin::finish(&claude, &transport(), &login, AuthorizationCode::new("code-1")).await.unwrap();
    let byok_types::Credential::Oauth(got) = &done.credential else { panic!() };
    assert_eq!(got.access.expose(), "access-1");
    assert_eq!(got.refresh.as_ref().unwrap().expose(), "refresh-1");
    assert_eq!(got.scopes, ["user:inference", "user:profile"]);
    assert_eq!(done.details.email.as_deref(), Some("ada@example.com"));
    assert_eq!(done.details.identity.as_deref(), Some("person-1/org-1"));
    assert_eq!(done.details.plan, None, "the profile was not found");

    let seen = server.seen();
    let expected = format!(
        r#"{{"grant_type":"authorization_code","code":"code-1","redirect_uri":"{}","client_id":"9d1c250a-e61b-44d9-88ed-5944d1962f5e","code_verifier":"{}","state":"{}"}}"#,
        login.redirect_uri,
        login.verifier.expose(),
        login.state.expose()
    );
    assert_eq!(
        (seen[0].method.as_str(), seen[0].path.as_str(), seen[0].text.as_str()),
        ("POST", "/token", &*expected)
    );
    assert_eq!(seen[0].headers["content-type"], "application/json");
    assert!(seen[0].headers["user-agent"].to_str().unwrap().starts_with("byok/"));
    assert_eq!((seen[1].method.as_str(), seen[1].path.as_str()), ("GET", "/profile"));
    assert_eq!(seen[1].headers["authorization"], "Bearer access-1");
    assert_eq!(seen.len(), 2);
}

#[tokio::test]
async fn the_profile_fills_the_gaps() {
    let cases = [
        (
            200,
            r#"{"account":{"uuid":"p","email":"ada@example.com"},"organization":{"uuid":"o","organization_type":"claude_max","rate_limit_tier":"default_claude_max_20x"}}"#,
            Some("max 20x"),
        ),
        (
            200,
            r#"{"account":{"uuid":"p","email":"ada@example.com"},"organization":{"uuid":"o","organization_type":"claude_max","rate_limit_tier":"default_claude_max_5x"}}"#,
            Some("max 5x"),
        ),
        (
            200,
            r#"{"account":{"uuid":"p","email":"ada@example.com"},"organization":{"uuid":"o","organization_type":"claude_max"}}"#,
            Some("max"),
        ),
        (
            200,
            r#"{"account":{"uuid":"p","email":"ada@example.com"},"organization":{"uuid":"o","organization_type":"claude_pro","rate_limit_tier":"default_claude_ai"}}"#,
            Some("pro"),
        ),
        (
            200,
            r#"{"account":{"uuid":"p","email":"ada@example.com"},"organization":{"uuid":"o","organization_type":"something_new"}}"#,
            None,
        ),
        (403, r#"{"type":"error","error":{"type":"permission_error","message":"scope"}}"#, None),
        (200, "<html>", None),
        (500, "", None),
    ];
    for (status, body, plan) in cases {
        let server = TokenServer::start().await;
        server.script(Scripted::Answer(200, "", r#"{"access_token":"a"}"#.into()));
        server.script(Scripted::Answer(status, "", body.into()));
        let claude = server.claude();
        let login = claude.begin(Redirect::Pasted);
        let done =
            BrowserLogin::finish(&claude, &transport(), &login, AuthorizationCode::new("c")).await.unwrap();
        assert_eq!(done.details.plan.as_deref(), plan, "{body}");
        let known = body.contains("ada");
        assert_eq!(done.details.identity.as_deref(), known.then_some("p/o"), "{body}");
        assert_eq!(done.details.email.as_deref(), known.then_some("ada@example.com"), "{body}");
    }
}

#[tokio::test]
async fn a_code_that_is_refused() {
    let cases = [
        (401, "", "401"),
        (
            400,
            r#"{"error":"invalid_grant","error_description":"Invalid 'code'"}"#,
            "400, invalid_grant, Invalid 'code'",
        ),
        (
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"bad\u0007state"}}"#,
            "400, invalid_request_error, bad state",
        ),
        (400, r#"{"error":"invalid_grant","error_description":"canary-code?"}"#, "400, invalid_grant, …?"),
        (403, "Forbidden", "403"),
    ];
    for (status, body, expected) in cases {
        let server = TokenServer::start().await;
        server.script(Scripted::Answer(status, "", body.into()));
        let claude = server.claude();
        let login = claude.begin(Redirect::Pasted);
        match BrowserLogin::finish(&claude, &transport(), &login, AuthorizationCode::new("canary-code"))
            .await
            .unwrap_err()
        {
            LoginError::CodeRefused { why } => assert_eq!(why, expected),
            other => panic!("{other:?}"),
        }
    }
    // A page with 403 is a challenge or the network's own.
    for status in [403, 429, 500, 503] {
        let server = TokenServer::start().await;
        server.script(Scripted::Answer(status, "", "<html>".into()));
        let claude = server.claude();
        let login = claude.begin(Redirect::Pasted);
        let error = BrowserLogin::finish(&claude, &transport(), &login, AuthorizationCode::new("c"))
            .await
            .unwrap_err();
        assert!(matches!(error, LoginError::Busy { .. }), "nothing was refused: {error:?}");
        assert_eq!((error.blame(), error.retry()), (Blame::Upstream, Retry::Now));
    }
    let server = TokenServer::start().await;
    server.script(Scripted::Answer(200, "", "<html>".into()));
    let claude = server.claude();
    let login = claude.begin(Redirect::Pasted);
    let error =
        BrowserLogin::finish(&claude, &transport(), &login, AuthorizationCode::new("c")).await.unwrap_err();
    assert!(matches!(error, LoginError::BadAnswer), "{error:?}");
}

#[tokio::test]
async fn a_refresh() {
    let server = TokenServer::start().await;
    let (answer, _) = server.claude().refresh(&transport(), &tokens(0)).await.unwrap();
    assert_eq!(answer.access.expose(), "access-1");
    assert_eq!(
        server.seen()[0].text,
        r#"{"grant_type":"refresh_token","refresh_token":"refresh-0","client_id":"9d1c250a-e61b-44d9-88ed-5944d1962f5e","scope":"user:profile user:inference"}"#
    );
    // The scopes that were granted, where they are known.
    let server = TokenServer::start().await;
    let narrow = OauthTokens { scopes: vec!["user:inference".to_owned()], ..tokens(0) };
    server.claude().refresh(&transport(), &narrow).await.unwrap();
    assert_eq!(server.seen()[0].json["scope"], "user:inference");
}

#[tokio::test]
async fn a_scope_that_is_not_granted_is_left_out_once() {
    let no_scope = || Scripted::Answer(400, "", r#"{"error":"invalid_scope"}"#.into());
    let server = TokenServer::start().await;
    server.script(no_scope());
    server.claude().refresh(&transport(), &tokens(0)).await.unwrap();
    assert_eq!(server.seen()[1].json.get("scope"), None);

    server.script(no_scope());
    server.script(no_scope());
    let error = server.claude().refresh(&transport(), &tokens(0)).await.unwrap_err();
    assert!(matches!(error, RefreshError::Permanent { state: AccountState::NeedsLogin { .. } }), "{error:?}");
    assert_eq!(server.posts(), 4);
}

/// What an answer of the token endpoint does to the account.
#[derive(Debug, PartialEq)]
enum Does {
    NeedLogin,
    /// With the last word of the reason, which is where to appeal.
    Block(String),
    Wait(Option<u64>),
    WaitMaybeSpent,
    Config,
}

fn meaning(error: RefreshError) -> Does {
    match error {
        RefreshError::Permanent { state: AccountState::NeedsLogin { reason } } => {
            assert!(reason.contains("byok login claude"), "{reason}");
            Does::NeedLogin
        }
        RefreshError::Permanent { state: AccountState::Blocked { reason } } => {
            Does::Block(reason.rsplit(' ').next().unwrap().into())
        }
        RefreshError::Transient { maybe_spent: true, .. } => Does::WaitMaybeSpent,
        RefreshError::Transient { retry_after, .. } => {
            Does::Wait(retry_after.as_ref().map(Duration::as_secs))
        }
        RefreshError::Config { .. } => Does::Config,
        other @ (RefreshError::Permanent { .. } | RefreshError::Followed { .. }) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_error_answers_mean() {
    let dead = |description| format!(r#"{{"error":"invalid_grant","error_description":"{description}"}}"#);
    let hold = |error, uri| {
        format!(r#"{{"error":"{error}","error_description":"account_on_hold","error_uri":"{uri}"}}"#)
    };
    let cases = [
        (400, "", dead("Refresh token expired"), Does::NeedLogin),
        (401, "", dead("Refresh token not found or invalid"), Does::NeedLogin),
        (400, "", dead("No organization associated with this token"), Does::NeedLogin),
        (400, "", dead("No account associated with this token"), Does::NeedLogin),
        (400, "", r#"{"error":"invalid_grant"}"#.into(), Does::NeedLogin),
        (400, "", r#"{"error":{"type":"invalid_grant","message":"gone"}}"#.into(), Does::NeedLogin),
        (
            400,
            "",
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"Refresh token expired"}}"#
                .into(),
            Does::NeedLogin,
        ),
        (403, "", r#"{"error":"access_denied"}"#.into(), Does::NeedLogin),
        (
            400,
            "",
            hold("invalid_grant", "https://claude.ai/appeal/7"),
            Does::Block("https://claude.ai/appeal/7".into()),
        ),
        (
            401,
            "",
            hold("access_denied", "https://support.anthropic.com/x"),
            Does::Block("https://support.anthropic.com/x".into()),
        ),
        (
            403,
            "",
            hold("access_denied", "https://claude.ai.evil.test/"),
            Does::Block("https://claude.ai/restricted".into()),
        ),
        (
            403,
            "",
            hold("access_denied", "http://claude.ai/"),
            Does::Block("https://claude.ai/restricted".into()),
        ),
        (
            403,
            "",
            hold("access_denied", "https://notclaude.ai/"),
            Does::Block("https://claude.ai/restricted".into()),
        ),
        (
            403,
            "",
            hold("access_denied", "javascript:alert(1)"),
            Does::Block("https://claude.ai/restricted".into()),
        ),
        (400, "", r#"{"error":"invalid_client"}"#.into(), Does::Config),
        (401, "", r#"{"error":"unauthorized_client"}"#.into(), Does::Config),
        (400, "", r#"{"error":"invalid_request"}"#.into(), Does::Config),
        (404, "", "Not Found".into(), Does::Config),
        (302, "location: https://elsewhere.example/", String::new(), Does::Config),
        (429, "retry-after: 30", String::new(), Does::Wait(Some(30))),
        (429, "retry-after: 1", String::new(), Does::Wait(Some(5))),
        (429, "retry-after: 86400", String::new(), Does::Wait(Some(300))),
        (429, "retry-after: tomorrow", String::new(), Does::Wait(Some(60))),
        (
            429,
            "",
            r#"{"error":{"type":"rate_limit_error","message":"slow down"}}"#.into(),
            Does::Wait(Some(60)),
        ),
        (500, "", String::new(), Does::Wait(None)),
        (503, "retry-after: 20", "<html>".into(), Does::Wait(Some(20))),
        (
            529,
            "",
            r#"{"type":"error","error":{"type":"overloaded_error","message":"x"}}"#.into(),
            Does::Wait(None),
        ),
        (403, "", "<html>challenge</html>".into(), Does::Wait(None)),
        (400, "", String::new(), Does::Wait(None)),
        (200, "", "<html>".into(), Does::WaitMaybeSpent),
        (200, "", "{}".into(), Does::WaitMaybeSpent),
        (
            200,
            "",
            format!(r#"{{"access_token":"a","pad":"{}"}}"#, "x".repeat(5_000_000)),
            Does::WaitMaybeSpent,
        ),
    ];
    for (status, header, body, expected) in cases {
        let server = TokenServer::start().await;
        let shown = format!("{status} {header} {body:.90}");
        server.script(Scripted::Answer(status, header, body));
        let error = server.claude().refresh(&transport(), &tokens(0)).await.unwrap_err();
        let text = error.to_string();
        let does = meaning(error);
        assert_eq!(does, expected, "{shown}");
        assert!(!text.contains("refresh-0"), "{text}");
    }
}

#[tokio::test]
async fn trouble_on_the_way() {
    let server = TokenServer::start().await;
    server.script(Scripted::HangUp);
    let error = server.claude().refresh(&transport(), &tokens(0)).await.unwrap_err();
    assert!(matches!(error, RefreshError::Transient { maybe_spent: true, .. }), "{error:?}");

    let urls =
        Addresses { token: Url::parse("http://127.0.0.1:1/token").unwrap(), ..Addresses::of(&Urls::none()) };
    let unreachable = Claude::new(urls, crate::Network::default());
    let error = unreachable.refresh(&transport(), &tokens(0)).await.unwrap_err();
    assert!(matches!(error, RefreshError::Transient { maybe_spent: false, .. }), "{error:?}");

    let urls =
        Addresses { token: Url::parse("http://token.example/").unwrap(), ..Addresses::of(&Urls::none()) };
    let plain = Claude::new(urls, crate::Network::default());
    let error = plain.refresh(&transport(), &tokens(0)).await.unwrap_err();
    assert!(matches!(error, RefreshError::Config { .. }), "{error:?}");

    let mut setup_token = tokens(0);
    setup_token.refresh = None;
    let error = server.claude().refresh(&transport(), &setup_token).await.unwrap_err();
    assert!(matches!(error, RefreshError::Permanent { .. }), "{error:?}");
}

#[tokio::test]
async fn logging_out() {
    let server = TokenServer::start().await;
    server.claude().revoke(&transport(), &with_refresh("refresh-0")).await.unwrap();
    assert_eq!(
        server.seen()[0].text,
        r#"{"token":"refresh-0","token_type_hint":"refresh_token","client_id":"9d1c250a-e61b-44d9-88ed-5944d1962f5e"}"#
    );
    server.script(Scripted::Answer(400, "", r#"{"error":"invalid_request"}"#.into()));
    let error = server.claude().revoke(&transport(), &with_refresh("canary")).await.unwrap_err();
    assert!(!error.to_string().contains("canary"), "{error}");
}

fn with_refresh(token: &str) -> OauthTokens {
    OauthTokens { refresh: Some(Secret::new(token)), ..tokens(3600) }
}

fn claude() -> Claude {
    Claude::new(Addresses::of(&Urls::none()), crate::Network::default())
}

#[test]
fn the_login_of_claude_code() {
    use crate::{Import as _, ImportError};
    let read = |text: &str| claude().read(".credentials.json", text.as_bytes(), 0);
    let found = read(
        r#"{"mcpOAuth":{},"claudeAiOauth":{"accessToken":"sk-ant-oat01-a","refreshToken":"sk-ant-ort01-r","expiresAt":1800000000000,
            "scopes":["user:inference"],"subscriptionType":"max","accountUuid":"p","organizationUuid":"o","later":1}}"#,
    )
    .unwrap();
    let [found] = &found[..] else { panic!("{found:?}") };
    let byok_types::Credential::Oauth(tokens) = &found.login.credential else { panic!() };
    assert_eq!((tokens.access.expose(), tokens.expires_at), ("sk-ant-oat01-a", Some(1_800_000_000)));
    assert_eq!(found.login.details.identity.as_deref(), Some("p/o"));
    assert_eq!(found.login.details.plan.as_deref(), Some("max"));
    assert!(found.shared_rotation);
    let unscoped = read(r#"{"claudeAiOauth":{"accessToken":"sk-ant-oat01-a","scopes":null}}"#).unwrap();
    assert_eq!(unscoped.len(), 1, "nobody has asked for a scope");
    for (text, readable) in [
        ("", false),
        ("{\"claudeAiOauth\":{\"accessTok", false),
        ("[]", false),
        ("{}", true),
        (r#"{"claudeAiOauth":{"accessToken":"","refreshToken":"","expiresAt":0}}"#, true),
        (r#"{"claudeAiOauth":null}"#, true),
    ] {
        let error = read(text).unwrap_err();
        assert_eq!(matches!(error, ImportError::Nothing { .. }), readable, "{text}: {error}");
    }
    let places = claude().places(std::path::Path::new("/home/ada"), &|name| {
        (name == "CLAUDE_CONFIG_DIR").then(|| "/etc/claude".to_owned())
    });
    let files: Vec<_> = places.iter().map(|place| place.file.to_str().unwrap()).collect();
    assert_eq!(files, ["/etc/claude/.credentials.json", "/home/ada/.claude/.credentials.json"]);
}

#[tokio::test]
async fn keys() {
    let server = TokenServer::start().await;
    let claude = server.claude();
    let finish =
        async |key: &str| KeyLogin::finish(&claude, &transport(), Secret::new(key), &Answers::new()).await;
    // A key that may answer and not list models is one, too.
    for status in [200, 403] {
        server.script(Scripted::Answer(status, "", "{}".to_owned()));
        assert!(finish("sk-ant-api03-x").await.is_ok(), "{status}");
    }
    let seen = server.seen();
    assert_eq!(
        (seen[0].path.as_str(), &seen[0].headers["x-api-key"]),
        ("/v1/models", &"sk-ant-api03-x".parse().unwrap())
    );
    assert_eq!(seen[0].headers["anthropic-version"], "2023-06-01");
    assert!(!seen[0].headers.contains_key("authorization"));

    let body = r#"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key: sk-ant-api03-x"}}"#;
    server.script(Scripted::Answer(401, "", body.to_owned()));
    let refused = finish("sk-ant-api03-x").await.unwrap_err().to_string();
    assert!(refused.contains("invalid x-api-key") && !refused.contains("api03"), "{refused}");

    let asked = server.seen().len();
    let token = finish("sk-ant-oat01-x").await.unwrap_err().to_string();
    assert!(token.contains("`byok accounts add claude`"), "{token}");
    let vendors = Claude::new(Addresses::of(&Urls::none()), crate::Network::default());
    let other = KeyLogin::finish(&vendors, &transport(), Secret::new("sk-x"), &Answers::new()).await;
    assert!(other.unwrap_err().to_string().contains("begins with `sk-ant-`"));
    assert_eq!(server.seen().len(), asked, "nothing is sent");
}
