#![expect(clippy::needless_pass_by_value, reason = "cases are written in place")]

use super::{Addresses, Xai, import::Files};
use crate::{
    Answers, AuthorizationCode, BrowserLogin, DeviceLogin, Import as _, ImportError, KeyLogin, LoginError,
    Network, Polled, Redirect, RefreshError, Refresher as _, Urls,
    testing::{START, Scripted, TokenServer, jwt, tokens, transport},
};
use byok_types::{AccountState, Credential, OauthTokens, Secret};
use serde_json::{Value, json};
use std::path::Path;

fn xai(server: &TokenServer) -> Xai {
    let urls = Addresses {
        authorize: server.url("/oauth2/authorize"),
        device: server.url("/oauth2/device/code"),
        token: server.url("/oauth2/token"),
        profile: server.url("/v1/models"),
    };
    Xai { urls, network: Network::default() }
}

fn answer(status: u16, body: impl ToString) -> Scripted {
    Scripted::Answer(status, "", body.to_string())
}

fn granted() -> Value {
    json!({
        "access_token": jwt(&json!({"principal_type": "User", "principal_id": "u-1"})), "refresh_token": "refresh-1",
        "id_token": jwt(&json!({"sub": "u-1", "email": "ada@example.com"})), "expires_in": 21_600,
    })
}

#[test]
fn the_default_addresses_are_the_vendors() {
    let urls = Addresses::of(&Urls::none());
    for url in [urls.authorize, urls.device, urls.token, urls.profile] {
        assert!(url.scheme() == "https" && url.host_str().unwrap().ends_with(".x.ai"), "{url}");
    }
}

#[tokio::test]
async fn the_login_in_the_browser() {
    let server = TokenServer::start().await;
    let xai = xai(&server);
    let callback = xai.callback();
    assert_eq!((callback.host, callback.ports.len(), callback.path), ("127.0.0.1", 0, "/callback"));
    let login = xai.begin(Redirect::Pasted);
    assert!(login.redirect_uri.starts_with("http://127.0.0.1:") && login.redirect_uri.ends_with("/callback"));
    let pairs: Vec<(String, String)> = login.authorize_url.query_pairs().into_owned().collect();
    let names: Vec<_> = pairs.iter().map(|(name, _)| name.as_str()).collect();
    let wanted = [
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "code_challenge",
        "code_challenge_method",
        "state",
        "nonce",
    ];
    assert_eq!(names, wanted);
    assert_eq!(pairs[1].1, "b1a00492-073a-47ea-816f-4c329264a828");
    assert_eq!(pairs[3].1, "openid profile email offline_access grok-cli:access api:access");

    server.script(answer(200, granted()));
    let code = AuthorizationCode::new("code-1");
    let done = BrowserLogin::finish(&xai, &transport(), &login, code).await.unwrap();
    assert_eq!(done.details.identity.as_deref(), Some("u-1"));
    let seen = &server.seen()[0];
    assert_eq!(seen.headers["content-type"], "application/x-www-form-urlencoded");
    let wanted = json!({
        "grant_type": "authorization_code", "code": "code-1", "redirect_uri": login.redirect_uri,
        "client_id": "b1a00492-073a-47ea-816f-4c329264a828", "code_verifier": login.verifier.expose(),
    });
    assert_eq!(seen.json, wanted);

    server.script(answer(400, r#"{"error":"invalid_grant","error_description":"canary is spent"}"#));
    let code = AuthorizationCode::new("canary");
    let refused = BrowserLogin::finish(&xai, &transport(), &login, code).await.unwrap_err();
    assert!(matches!(&refused, LoginError::CodeRefused { why } if !why.contains("canary")), "{refused:?}");
}

#[tokio::test]
async fn the_login_by_code() {
    let server = TokenServer::start().await;
    let xai = xai(&server);
    let started = |change: Value| {
        let mut all = json!({
            "device_code": "dc-1", "user_code": "AB-CD", "verification_uri": "https://accounts.x.ai/device",
            "verification_uri_complete": "https://accounts.x.ai/device?code=AB-CD", "expires_in": 900,
        });
        all.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        answer(200, all)
    };
    for (change, interval, life) in [
        (json!({}), 5, 900),
        (json!({"interval": 9, "expires_in": 60}), 9, 600),
        (json!({"expires_in": 99_999}), 5, 1800),
        (json!({"expires_in": null}), 5, 600),
    ] {
        server.script(started(change));
        let code = xai.start(&transport(), &Answers::new()).await.unwrap();
        assert_eq!((code.interval.as_secs(), code.expires_in.as_secs()), (interval, life));
    }
    server.script(started(json!({})));
    let code = xai.start(&transport(), &Answers::new()).await.unwrap();
    assert_eq!(code.user_code, "AB-CD");
    assert_eq!(
        server.seen().last().unwrap().json,
        json!({
            "client_id": "b1a00492-073a-47ea-816f-4c329264a828",
            "scope": "openid profile email offline_access grok-cli:access api:access",
        })
    );
    for page in ["http://accounts.x.ai/device", "ftp://x.ai/"] {
        server.script(started(json!({"verification_uri": page})));
        assert!(matches!(xai.start(&transport(), &Answers::new()).await.unwrap_err(), LoginError::BadStart));
    }
    server.script(answer(404, ""));
    let off = xai.start(&transport(), &Answers::new()).await.unwrap_err();
    assert!(off.to_string().contains("--method browser"), "{off}");

    for (status, error, wanted) in [
        (400, "authorization_pending", "pending"),
        (400, "slow_down", "slower"),
        (429, "", "slower"),
        (503, "", "unclear"),
        (400, "expired_token", "expired"),
        (400, "access_denied", "denied"),
        (400, "invalid_client", "refused"),
    ] {
        server.script(answer(status, json!({"error": error})));
        let found = match xai.poll(&transport(), &code).await {
            Ok(Polled::Pending) => "pending",
            Ok(Polled::SlowDown(_)) => "slower",
            Ok(Polled::Later(_)) => "later",
            Ok(Polled::Unclear { .. }) => "unclear",
            Ok(Polled::Done(_)) => "done",
            Err(LoginError::CodeExpired) => "expired",
            Err(LoginError::Denied { .. }) => "denied",
            Err(LoginError::CodeRefused { .. }) => "refused",
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(found, wanted, "{status} {error}");
    }
    server.script(answer(200, granted()));
    let Polled::Done(login) = xai.poll(&transport(), &code).await.unwrap() else { panic!("not done") };
    assert_eq!(login.details.email.as_deref(), Some("ada@example.com"));
    let wanted = json!({
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": "dc-1",
        "client_id": "b1a00492-073a-47ea-816f-4c329264a828",
    });
    assert_eq!(server.seen().last().unwrap().json, wanted);
}

#[tokio::test]
async fn a_refresh_names_the_owner() {
    let server = TokenServer::start().await;
    let team = jwt(&json!({"principal_type": "Team", "principal_id": "t-1"}));
    server.script(answer(200, json!({"access_token": team, "refresh_token": "refresh-1", "expires_in": 60})));
    let (new, details) = xai(&server).refresh(&transport(), &tokens(0)).await.unwrap();
    assert_eq!((details.identity.as_deref(), details.plan.as_deref()), (Some("t-1"), Some("team")));
    let old = new.into_tokens(Some(&tokens(0)), START);
    assert_eq!(
        server.seen()[0].json.as_object().unwrap().len(),
        3,
        "an owner that is not known is not named"
    );

    server.script(answer(200, json!({"access_token": "opaque"})));
    let (new, _) = xai(&server).refresh(&transport(), &old).await.unwrap();
    let got = new.into_tokens(Some(&old), START);
    assert_eq!(got.refresh.as_ref().unwrap().expose(), "refresh-1", "kept where none comes");
    assert_eq!(got.fact("principal_id"), Some("t-1"));
    let wanted = json!({
        "grant_type": "refresh_token", "refresh_token": "refresh-1", "principal_type": "Team", "principal_id": "t-1",
        "client_id": "b1a00492-073a-47ea-816f-4c329264a828",
    });
    assert_eq!(server.seen()[1].json, wanted);
}

#[tokio::test]
async fn a_copy_is_not_tried_out() {
    let xai = xai(&TokenServer::start().await);
    assert!(xai.rotates() && xai.ends_copies(), "a token that was used ends all that came from it");
}

#[tokio::test]
async fn what_error_answers_mean() {
    let cases = [
        (400, r#"{"error":"invalid_grant"}"#, "login"),
        (401, r#"{"error":"invalid_grant","error_description":"reused"}"#, "login"),
        (400, r#"{"error":"invalid_client"}"#, "wait 300"),
        (401, r#"{"error":"invalid_client"}"#, "wait 300"),
        (400, r#"{"error":"something_new"}"#, "wait"),
        (401, "", "wait"),
        (403, "<html>", "wait"),
        (429, "", "wait"),
        (500, "", "wait"),
        (503, r#"{"error":"temporarily_unavailable"}"#, "wait"),
        (404, "", "config"),
        (200, "<html>", "wait, maybe spent"),
    ];
    for (status, body, expected) in cases {
        let server = TokenServer::start().await;
        server.script(answer(status, body));
        let found = match xai(&server).refresh(&transport(), &tokens(0)).await.unwrap_err() {
            RefreshError::Permanent { state: AccountState::NeedsLogin { reason } } => {
                assert!(reason.contains("byok login xai"), "{reason}");
                "login".to_owned()
            }
            RefreshError::Transient { maybe_spent: true, .. } => "wait, maybe spent".to_owned(),
            RefreshError::Transient { retry_after: Some(wait), .. } => format!("wait {}", wait.as_secs()),
            RefreshError::Transient { .. } => "wait".to_owned(),
            RefreshError::Config { .. } => "config".to_owned(),
            other @ (RefreshError::Permanent { .. } | RefreshError::Followed { .. }) => panic!("{other:?}"),
        };
        assert_eq!(found, expected, "{status} {body}");
    }
    let server = TokenServer::start().await;
    let none = OauthTokens { refresh: None, ..tokens(0) };
    let error = xai(&server).refresh(&transport(), &none).await.unwrap_err();
    assert!(matches!(error, RefreshError::Permanent { .. }), "{error:?}");
    assert_eq!(server.seen().len(), 0);
}

#[tokio::test]
async fn keys() {
    let server = TokenServer::start().await;
    let xai = xai(&server);
    for (key, status, good) in [
        ("sk-1", 200, false),
        ("xai-canary", 400, false),
        ("xai-canary", 401, false),
        ("xai-1", 403, true),
        ("xai-1", 200, true),
    ] {
        if key.starts_with("xai-") {
            server.script(answer(
                status,
                r#"{"code":"invalid-argument","error":"Incorrect API key provided: xai-canary"}"#,
            ));
        }
        let done = KeyLogin::finish(&xai, &transport(), Secret::new(key), &Answers::new()).await;
        assert_eq!(done.is_ok(), good, "{key} {status}");
        assert!(done.err().is_none_or(|error| !error.to_string().contains("canary")));
    }
}

#[test]
fn the_file_of_the_vendors_program() {
    let ours = "https://auth.x.ai::b1a00492-073a-47ea-816f-4c329264a828";
    let login = json!({
        "key": "access", "auth_mode": "oidc", "create_time": "2027-01-15T08:00:00Z", "user_id": "u-1",
        "email": "ada@example.com", "refresh_token": "refresh", "expires_at": "2027-01-15T14:00:00Z",
        "oidc_issuer": "https://auth.x.ai", "oidc_client_id": "b1a00492-073a-47ea-816f-4c329264a828",
    });
    let read = |value: Value| Files.read("auth.json", value.to_string().as_bytes(), START);
    let with = |change: Value| {
        let mut login = login.clone();
        login.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        login
    };
    for (change, end, identity) in [
        (json!({}), START + 6 * 3600, "u-1"),
        (json!({"expires_at": null}), START + 30 * 86_400, "u-1"),
        (json!({"expires_at": null, "create_time": "x"}), START + 30 * 86_400, "u-1"),
        (json!({"principal_type": "Team", "principal_id": "t-1"}), START + 6 * 3600, "t-1"),
        (json!({"user_id": "", "principal_id": "p-1"}), START + 6 * 3600, "p-1"),
    ] {
        let found = read(json!({ours: with(change.clone())})).unwrap().remove(0);
        let Credential::Oauth(got) = &found.login.credential else { panic!() };
        assert_eq!((got.access.expose(), got.refresh.as_ref().unwrap().expose()), ("access", "refresh"));
        assert_eq!(got.expires_at, Some(end), "{change}");
        assert_eq!(found.login.details.identity.as_deref(), Some(identity), "{change}");
        assert_eq!(found.login.details.email.as_deref(), Some("ada@example.com"));
        assert!(found.shared_rotation);
    }
    let both = json!({ours: login, "xai::api_key": {"key": "xai-1", "auth_mode": "api_key"}});
    let found = read(both).unwrap();
    assert_eq!(found.len(), 2);
    assert!(found.iter().any(|found| matches!(found.login.credential, Credential::ApiKey(_))));

    for nothing in [
        json!({}),
        json!({"https://accounts.x.ai/sign-in": {"key": "access", "auth_mode": "web_login"}}),
        json!({"https://idp.example::other": with(json!({"oidc_client_id": "other"}))}),
        json!({ours: with(json!({"refresh_token": null}))}),
        json!({ours: with(json!({"key": ""}))}),
    ] {
        assert!(matches!(read(nothing.clone()).unwrap_err(), ImportError::Nothing { .. }), "{nothing}");
    }
    for broken in ["", "[]", "{", r#"{"a":1}"#, r#"{"a":{"auth_mode":"oidc"}}"#] {
        let error = Files.read("auth.json", broken.as_bytes(), START).unwrap_err();
        assert!(matches!(error, ImportError::NotReadable { .. }), "{broken}: {error}");
    }
    let own = |name: &str| (name == "GROK_HOME").then(|| "/x".to_owned());
    assert_eq!(Files.places(Path::new("/home/ada"), &own)[0].file, Path::new("/x/auth.json"));
    assert_eq!(
        Files.places(Path::new("/home/ada"), &|_| None)[0].file,
        Path::new("/home/ada/.grok/auth.json")
    );
}
