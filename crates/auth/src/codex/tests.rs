#![expect(clippy::needless_pass_by_value, reason = "cases are written in place")]

use super::{Addresses, Codex, import::Files};
use crate::{
    Answers, AuthorizationCode, BrowserLogin, CallbackServer, DeviceLogin, Import as _, ImportError,
    KeyLogin, LoginError, Network, Polled, Redirect, RefreshError, Refresher as _, Revoke as _, Urls,
    await_device,
    testing::{START, Scripted, TokenServer, jwt, tokens, transport},
};
use byok_types::{AccountState, Credential, OauthTokens, Secret};
use serde_json::{Value, json};
use std::path::Path;

fn codex(server: &TokenServer) -> Codex {
    let urls = Addresses {
        authorize: server.url("/oauth/authorize"),
        token: server.url("/oauth/token"),
        revoke: server.url("/oauth/revoke"),
        device: server.url("/api/accounts/deviceauth/usercode"),
        verify: server.url("/codex/device"),
        profile: server.url("/v1/models"),
        usage: server.url("/v1/usage"),
    };
    Codex { urls, network: Network::default() }
}

/// A token of the vendor. It ends a thousand seconds after the year 2100 has begun.
fn token(auth: Value) -> String {
    jwt(&json!({"exp": END, "email": "ada@example.com", "https://api.openai.com/auth": auth}))
}

const END: i64 = 4_102_445_800;

fn workspace() -> Value {
    json!({"chatgpt_account_id": "ws-1", "chatgpt_user_id": "user-1", "chatgpt_plan_type": "Plus"})
}

fn granted() -> Value {
    json!({"id_token": token(workspace()), "access_token": token(workspace()), "refresh_token": "refresh-1"})
}

fn answer(status: u16, body: impl ToString) -> Scripted {
    Scripted::Answer(status, "", body.to_string())
}

#[test]
fn the_default_addresses_are_the_vendors() {
    let urls = Addresses::of(&Urls::none());
    for url in [urls.authorize, urls.token, urls.revoke, urls.device, urls.verify, urls.profile] {
        let host = url.host_str().unwrap();
        assert!(url.scheme() == "https" && host.ends_with(".openai.com"), "{url}");
    }
}

#[tokio::test]
async fn the_authorize_url() {
    let server = TokenServer::start().await;
    let codex = codex(&server);
    let callback = codex.callback();
    assert_eq!(
        (callback.host, callback.ports, callback.path),
        ("localhost", &[1455, 1457][..], "/auth/callback")
    );
    let login = codex.begin(Redirect::Pasted);
    assert_eq!(
        Some(login.redirect_uri.as_str()),
        CallbackServer::unheard(callback).as_ref().map(url::Url::as_str)
    );
    assert_eq!(login.redirect_uri, "http://localhost:1455/auth/callback");
    let pairs: Vec<(String, String)> = login.authorize_url.query_pairs().into_owned().collect();
    let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    for (name, wanted) in [
        ("response_type", "code"),
        ("client_id", "app_EMoamEEZ73f0CkXaXp7hrann"),
        ("redirect_uri", "http://localhost:1455/auth/callback"),
        ("scope", "openid profile email offline_access"),
        ("code_challenge_method", "S256"),
        ("id_token_add_organizations", "true"),
        ("codex_cli_simplified_flow", "true"),
        ("originator", "byok"),
        ("state", login.state.expose()),
    ] {
        assert_eq!(value(name), Some(wanted), "{name}");
    }
    assert_eq!(value("code_challenge").unwrap().len(), 43);
    assert_eq!(pairs.len(), 10);
}

#[tokio::test]
async fn the_exchange_and_who_it_was() {
    let server = TokenServer::start().await;
    server.script(answer(200, granted()));
    let codex = codex(&server);
    let login = codex.begin(Redirect::Pasted);
    let done =
        BrowserLogin::finish(&codex, &transport(), &login, AuthorizationCode::new("code-1")).await.unwrap();
    let Credential::Oauth(got) = &done.credential else { panic!() };
    assert_eq!(got.refresh.as_ref().unwrap().expose(), "refresh-1");
    assert_eq!(got.fact("account_id"), Some("ws-1"));
    assert_eq!(got.fact("fedramp"), None);
    assert!((got.expires_at.unwrap() - END).abs() < 400 * 86_400 * 100, "{:?}", got.expires_at);
    assert_eq!(done.details.email.as_deref(), Some("ada@example.com"));
    assert_eq!(done.details.plan.as_deref(), Some("plus"));
    assert_eq!(done.details.identity.as_deref(), Some("ws-1/user-1"));

    let seen = server.seen();
    assert_eq!((seen[0].method.as_str(), seen[0].path.as_str()), ("POST", "/oauth/token"));
    assert_eq!(seen[0].headers["content-type"], "application/x-www-form-urlencoded");
    assert!(seen[0].headers["user-agent"].to_str().unwrap().starts_with("byok/"));
    let wanted = json!({
        "grant_type": "authorization_code", "code": "code-1", "redirect_uri": login.redirect_uri,
        "client_id": "app_EMoamEEZ73f0CkXaXp7hrann", "code_verifier": login.verifier.expose(),
    });
    assert_eq!(seen[0].json, wanted);
}

#[tokio::test]
async fn what_tokens_say_of_their_owner() {
    let profile = json!({"https://api.openai.com/profile": {"email": "eve@example.com"}});
    let cases = [
        // (id token, access token, e-mail, plan, identity, account, fedramp)
        (
            token(workspace()),
            "opaque".to_owned(),
            Some("ada@example.com"),
            Some("plus"),
            Some("ws-1/user-1"),
            "ws-1",
        ),
        (
            jwt(&json!({"email": "ada@example.com"})),
            token(workspace()),
            Some("ada@example.com"),
            Some("plus"),
            Some("ws-1/user-1"),
            "ws-1",
        ),
        (
            String::new(),
            token(json!({"chatgpt_account_id": "ws-2"})),
            Some("ada@example.com"),
            None,
            Some("ws-2"),
            "ws-2",
        ),
        (
            jwt(&profile),
            token(json!({"chatgpt_account_id": "ws-3", "user_id": "u"})),
            Some("eve@example.com"),
            None,
            Some("ws-3/u"),
            "ws-3",
        ),
        (
            "not.a.jwt".to_owned(),
            jwt(
                &json!({"https://api.openai.com/auth": {"chatgpt_account_id": "ws-4", "chatgpt_plan_type": "ent26"}}),
            ),
            None,
            Some("ent26"),
            Some("ws-4"),
            "ws-4",
        ),
    ];
    for (id, access, email, plan, identity, account) in cases {
        let server = TokenServer::start().await;
        let said = json!({"id_token": id, "access_token": access, "refresh_token": "r"});
        server.script(answer(200, &said));
        let codex = codex(&server);
        let login = codex.begin(Redirect::Pasted);
        let done =
            BrowserLogin::finish(&codex, &transport(), &login, AuthorizationCode::new("c")).await.unwrap();
        let Credential::Oauth(got) = &done.credential else { panic!() };
        let details = &done.details;
        assert_eq!(
            (
                details.email.as_deref(),
                details.plan.as_deref(),
                details.identity.as_deref(),
                got.fact("account_id")
            ),
            (email, plan, identity, Some(account)),
            "{said}"
        );
    }
    let server = TokenServer::start().await;
    let fedramp = json!({"chatgpt_account_id": "ws", "chatgpt_account_is_fedramp": true});
    server.script(answer(200, json!({"access_token": token(fedramp)})));
    server.script(answer(200, json!({"access_token": jwt(&json!({"email": "a@example.com"}))})));
    server.script(answer(200, "<html>"));
    let codex = codex(&server);
    let login = codex.begin(Redirect::Pasted);
    let code = || AuthorizationCode::new("c");
    let done = BrowserLogin::finish(&codex, &transport(), &login, code()).await.unwrap();
    let Credential::Oauth(got) = &done.credential else { panic!() };
    assert_eq!(got.fact("fedramp"), Some("true"));
    let no_workspace = BrowserLogin::finish(&codex, &transport(), &login, code()).await.unwrap_err();
    assert!(matches!(no_workspace, LoginError::NoAccess { .. }), "{no_workspace:?}");
    let page = BrowserLogin::finish(&codex, &transport(), &login, code()).await.unwrap_err();
    assert!(matches!(page, LoginError::BadAnswer), "{page:?}");
}

#[tokio::test]
async fn the_login_by_code() {
    let server = TokenServer::start().await;
    let codex = codex(&server);
    for (interval, seconds) in [(json!("7"), 7), (json!(3), 3), (Value::Null, 5)] {
        server.script(answer(
            200,
            json!({"device_auth_id": "id-1", "user_code": "ABCD-1", "interval": interval}),
        ));
        let code = codex.start(&transport(), &Answers::new()).await.unwrap();
        assert_eq!(code.interval.as_secs(), seconds);
        assert_eq!(code.expires_in.as_secs(), 900);
        assert_eq!(code.page.path(), "/codex/device");
    }
    server.script(answer(200, json!({"device_auth_id": "id-1", "usercode": "ABCD-1", "interval": "1"})));
    let code = codex.start(&transport(), &Answers::new()).await.unwrap();
    assert_eq!(code.user_code, "ABCD-1");
    assert!(!format!("{code:?}").contains("id-1"), "{code:?}");

    for (status, body, pending) in
        [(403, "{}", true), (404, "{}", true), (403, "<html>", false), (500, "{}", false), (503, "{}", false)]
    {
        server.script(answer(status, body));
        let polled = codex.poll(&transport(), &code).await.unwrap();
        let fits = if pending {
            matches!(polled, Polled::Pending)
        } else {
            matches!(polled, Polled::Unclear { .. })
        };
        assert!(fits, "{status} {body}: {polled:?}");
    }
    server.script(answer(429, "{}"));
    assert!(matches!(codex.poll(&transport(), &code).await.unwrap(), Polled::SlowDown(_)));
    server.script(answer(400, r#"{"error":"invalid_request"}"#));
    let refused = codex.poll(&transport(), &code).await.unwrap_err();
    assert!(matches!(refused, LoginError::CodeRefused { .. }), "{refused:?}");

    let before = server.seen().len();
    server.script(answer(
        200,
        json!({"authorization_code": "ac", "code_challenge": "x", "code_verifier": "v"}),
    ));
    server.script(answer(200, granted()));
    let Polled::Done(login) = codex.poll(&transport(), &code).await.unwrap() else { panic!("not done") };
    assert_eq!(login.details.identity.as_deref(), Some("ws-1/user-1"));
    let seen = &server.seen()[before..];
    assert_eq!(seen[0].path, "/api/accounts/deviceauth/token");
    assert_eq!(seen[0].json, json!({"device_auth_id": "id-1", "user_code": "ABCD-1"}));
    assert_eq!(seen[1].json["redirect_uri"], "https://auth.openai.com/deviceauth/callback");
    assert_eq!((&seen[1].json["code_verifier"], &seen[1].json["code"]), (&json!("v"), &json!("ac")));

    // The code is used up: it would be asked for in vain until it ends.
    server.script(answer(200, json!({"authorization_code": "ac", "code_verifier": "v"})));
    server.script(Scripted::HangUp);
    let asked = server.seen().len();
    let broken = await_device(&transport(), &codex, &code, &|_| {}).await.unwrap_err();
    assert!(matches!(broken, LoginError::CodeSpent(_)), "{broken:?}");
    assert_eq!(server.seen().len(), asked + 2);

    server.script(answer(404, ""));
    let off = codex.start(&transport(), &Answers::new()).await.unwrap_err();
    assert!(off.to_string().contains("--method browser"), "{off}");
}

#[tokio::test]
async fn a_refresh_takes_over_only_what_came() {
    let old = OauthTokens { facts: [("account_id".to_owned(), Secret::new("ws-0"))].into(), ..tokens(0) };
    let new = token(workspace());
    let cases = [
        (granted(), new.as_str(), "refresh-1", "ws-1"),
        (json!({"access_token": new}), new.as_str(), "refresh-0", "ws-1"),
        (json!({"access_token": "opaque", "refresh_token": ""}), "opaque", "refresh-0", "ws-0"),
        (json!({"refresh_token": "refresh-2"}), "access-0", "refresh-2", "ws-0"),
    ];
    for (said, access, refresh, account) in cases {
        let server = TokenServer::start().await;
        server.script(answer(200, &said));
        let (answer, _) = codex(&server).refresh(&transport(), &old).await.unwrap();
        let got = answer.into_tokens(Some(&old), START);
        assert_eq!(got.access.expose(), access, "{said}");
        assert_eq!(got.refresh.as_ref().unwrap().expose(), refresh, "{said}");
        assert_eq!(got.fact("account_id"), Some(account), "{said}");
        let wanted = r#"{"client_id":"app_EMoamEEZ73f0CkXaXp7hrann","grant_type":"refresh_token","refresh_token":"refresh-0"}"#;
        assert_eq!(server.seen()[0].text, wanted);
        assert_eq!(server.seen()[0].headers["content-type"], "application/json");
    }
}

#[derive(Debug, PartialEq)]
enum Does {
    NeedLogin,
    Wait,
    WaitMaybeSpent,
    Config,
}

fn meaning(error: RefreshError) -> Does {
    match error {
        RefreshError::Permanent { state: AccountState::NeedsLogin { reason } } => {
            assert!(reason.contains("byok login codex"), "{reason}");
            Does::NeedLogin
        }
        RefreshError::Transient { maybe_spent: true, .. } => Does::WaitMaybeSpent,
        RefreshError::Transient { .. } => Does::Wait,
        RefreshError::Config { .. } => Does::Config,
        other @ (RefreshError::Permanent { .. } | RefreshError::Followed { .. }) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_error_answers_mean() {
    let nested = |code: &str| {
        format!(r#"{{"error":{{"message":"m","type":"invalid_request_error","code":"{code}"}}}}"#)
    };
    let cases = [
        (401, String::new(), Does::NeedLogin),
        (401, nested("anything"), Does::NeedLogin),
        (401, nested("refresh_token_expired"), Does::NeedLogin),
        (400, nested("refresh_token_reused"), Does::NeedLogin),
        (403, nested("refresh_token_invalidated"), Does::NeedLogin),
        (400, r#"{"error":"refresh_token_reused"}"#.into(), Does::NeedLogin),
        (400, r#"{"code":"refresh_token_expired"}"#.into(), Does::NeedLogin),
        (400, r#"{"error":"invalid_grant","error_description":"gone"}"#.into(), Does::NeedLogin),
        (400, nested("something_new"), Does::Config),
        (404, "Not Found".into(), Does::Config),
        (400, "<html>".into(), Does::Wait),
        (403, "<html>challenge</html>".into(), Does::Wait),
        (429, nested("rate_limit_exceeded"), Does::Wait),
        (500, nested("refresh_token_reused"), Does::Wait),
        (503, String::new(), Does::Wait),
        (200, "<html>".into(), Does::WaitMaybeSpent),
        (200, r#"{"token_type":"Bearer"}"#.into(), Does::WaitMaybeSpent),
    ];
    for (status, body, expected) in cases {
        let server = TokenServer::start().await;
        server.script(answer(status, &body));
        let error = codex(&server).refresh(&transport(), &tokens(0)).await.unwrap_err();
        assert!(!error.to_string().contains("refresh-0"), "{error}");
        assert!(!error.to_string().contains("`no`"), "nobody said that: {error}");
        assert_eq!(meaning(error), expected, "{status} {body}");
    }
    let server = TokenServer::start().await;
    let none = OauthTokens { refresh: None, ..tokens(0) };
    assert_eq!(meaning(codex(&server).refresh(&transport(), &none).await.unwrap_err()), Does::NeedLogin);
    assert_eq!(server.seen().len(), 0);
}

#[tokio::test]
async fn keys_and_logout() {
    let server = TokenServer::start().await;
    let codex = codex(&server);
    let finish = |key: &str| {
        let key = Secret::new(key);
        let codex = codex.clone();
        async move { KeyLogin::finish(&codex, &transport(), key, &Answers::new()).await }
    };
    let wrong = finish("xai-1").await.unwrap_err();
    assert!(matches!(wrong, LoginError::NotUsable { .. }), "{wrong:?}");
    server.script(answer(
        401,
        r#"{"error":{"message":"Incorrect API key provided: sk-canary","code":"invalid_api_key"}}"#,
    ));
    let refused = finish("sk-canary").await.unwrap_err().to_string();
    assert!(refused.contains("does not accept") && !refused.contains("canary"), "{refused}");
    server.script(answer(403, "{}"));
    assert!(matches!(finish("sk-good").await.unwrap().credential, Credential::ApiKey(_)));
    assert_eq!(server.seen()[1].headers["authorization"], "Bearer sk-good");

    codex.revoke(&transport(), &tokens(0)).await.unwrap_err();
    server.script(answer(200, "{}"));
    codex.revoke(&transport(), &tokens(0)).await.unwrap();
    let seen = server.seen();
    let last = seen.last().unwrap();
    assert_eq!((last.path.as_str(), &last.json["token"]), ("/oauth/revoke", &json!("refresh-0")));
}

#[test]
fn the_file_of_codex_cli() {
    let file = |value: Value| Files.read("auth.json", value.to_string().as_bytes(), START);
    let tokens = json!({
        "id_token": token(workspace()), "access_token": token(workspace()), "refresh_token": "r", "account_id": "ws-1",
    });
    let found = file(json!({
        "auth_mode": "chatgpt", "OPENAI_API_KEY": null, "tokens": tokens, "last_refresh": "2026-11-01T00:00:00Z",
    }));
    let found = found.unwrap().remove(0);
    let Credential::Oauth(got) = &found.login.credential else { panic!() };
    assert!(found.shared_rotation);
    assert_eq!(got.expires_at, Some(END));
    assert_eq!(got.fact("account_id"), Some("ws-1"));
    assert_eq!(found.login.details.identity.as_deref(), Some("ws-1/user-1"));

    // A token that says nothing of itself: the file knows the rest.
    let opaque = json!({"access_token": "opaque", "refresh_token": "r", "account_id": "ws-9"});
    for (last, end) in
        [(json!("2027-01-15T08:00:00.123Z"), START + 8 * 86_400), (json!("x"), 0), (Value::Null, 0)]
    {
        let found = file(json!({"tokens": opaque, "last_refresh": last})).unwrap().remove(0);
        let Credential::Oauth(got) = &found.login.credential else { panic!() };
        assert_eq!((got.expires_at, got.fact("account_id")), (Some(end), Some("ws-9")), "{last}");
        assert_eq!(found.login.details.identity.as_deref(), Some("ws-9"));
    }
    for mode in [json!("apikey"), Value::Null] {
        let found =
            file(json!({"auth_mode": mode, "OPENAI_API_KEY": "sk-1", "tokens": tokens})).unwrap().remove(0);
        assert!(matches!(found.login.credential, Credential::ApiKey(_)), "{mode}");
        assert!(!found.shared_rotation);
    }
    let found = file(json!({"auth_mode": "chatgpt", "OPENAI_API_KEY": "sk-1", "tokens": tokens})).unwrap();
    assert!(matches!(found[0].login.credential, Credential::Oauth(_)));

    for nothing in [
        json!({}),
        json!({"tokens": null}),
        json!({"auth_mode": "apikey", "OPENAI_API_KEY": null}),
        json!({"auth_mode": "bedrock", "OPENAI_API_KEY": "sk-1"}),
        json!({"tokens": {"access_token": " "}}),
    ] {
        let error = file(nothing.clone()).unwrap_err();
        assert!(matches!(error, ImportError::Nothing { .. }), "{nothing}: {error}");
    }
    for broken in ["", "{", "[1]", r#"{"tokens":{}}"#, r#"{"tokens":{"access_token":"opaque"}}"#] {
        let error = Files.read("auth.json", broken.as_bytes(), START).unwrap_err();
        assert!(matches!(error, ImportError::NotReadable { .. }), "{broken}: {error}");
    }
    let places = |own: Option<&str>| {
        let own = own.map(str::to_owned);
        Files.places(Path::new("/home/ada"), &move |name| {
            (name == "CODEX_HOME").then(|| own.clone()).flatten()
        })
    };
    assert_eq!(places(None)[0].file, Path::new("/home/ada/.codex/auth.json"));
    assert_eq!(places(Some("/x"))[0].file, Path::new("/x/auth.json"));
}
