#![expect(clippy::needless_pass_by_value, reason = "cases are written in place")]

use super::{
    Copilot, Own, Way, device::Login, exchange::Refused, host::GitHub, import::Files, token::way_of,
};
use crate::{
    Answers, DeviceLogin as _, How, Import as _, ImportError, KeyLogin as _, LoginError, Polled,
    RefreshError, Refresher as _, Urls,
    testing::{Scripted, TokenServer, transport},
};
use byok_types::{AccountState, Credential, OauthTokens, Secret, TokenFacts};
use serde_json::json;
use std::{path::Path, sync::Arc};

fn at(server: &TokenServer) -> Copilot {
    let own = Own {
        device: Some(server.url("/device")),
        token: Some(server.url("/token")),
        exchange: Some(server.url("/exchange")),
        profile: Some(server.url("/user")),
        usage: Some(server.url("/usage")),
        inference: Some(server.url("/models-of-copilot/")),
    };
    Copilot { own, network: crate::Network::default() }
}

fn device(server: &TokenServer, way: Way) -> Login {
    Login { copilot: Arc::new(at(server)), way }
}

fn say(server: &TokenServer, status: u16, body: impl ToString) {
    server.script(Scripted::Answer(status, "", body.to_string()));
}

const STARTED: &str = r#"{"device_code":"canary-device","user_code":"WXYZ-9876","verification_uri":"https://github.com/login/device","expires_in":900,"interval":5}"#;

fn oauth(polled: Polled) -> (OauthTokens, byok_store::AccountDetails) {
    match polled {
        Polled::Done(login) => match login.credential {
            Credential::Oauth(tokens) => (tokens, login.details),
            Credential::ApiKey(_) => panic!("a key"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_default_addresses_are_the_vendors_and_others_see_no_token() {
    let none = Own::default();
    let places = |name: &str| super::Places::of(&GitHub::named(name).unwrap(), &none).unwrap();
    let public = places("github.com");
    assert_eq!(public.device.as_str(), "https://github.com/login/device/code");
    assert_eq!(public.token.as_str(), "https://github.com/login/oauth/access_token");
    assert_eq!(public.exchange.as_str(), "https://api.github.com/copilot_internal/v2/token");
    assert_eq!(public.usage.as_str(), "https://api.github.com/copilot_internal/user");
    assert_eq!(public.profile.as_str(), "https://api.github.com/user");
    assert_eq!(public.base(), "https://api.githubcopilot.com");
    let company = places("https://Acme.ghe.com/");
    assert_eq!(company.exchange.as_str(), "https://api.acme.ghe.com/copilot_internal/v2/token");
    assert_eq!(company.device.as_str(), "https://acme.ghe.com/login/device/code");
    assert_eq!(company.base(), "https://copilot-api.acme.ghe.com");
    for bad in
        ["", "example.com", "ghe.com", "a.b.ghe.com", "evil-ghe.com", "x.ghe.com.evil.test", "a_b.ghe.com"]
    {
        assert_eq!(GitHub::named(bad), None, "{bad}");
    }
    for (named, trusted) in [
        ("https://api.individual.githubcopilot.com/", Some("https://api.individual.githubcopilot.com")),
        ("https://githubcopilot.com", Some("https://githubcopilot.com")),
        ("http://api.githubcopilot.com", None),
        ("https://githubcopilot.com.evil.test", None),
        ("https://evilgithubcopilot.com", None),
        ("https://copilot-api.acme.ghe.com", None),
        ("not a url", None),
    ] {
        assert_eq!(public.trusted(named).as_deref(), trusted, "{named}");
    }
    assert!(company.trusted("https://copilot-api.acme.ghe.com").is_some());
    assert!(company.trusted("https://copilot-api.other.ghe.com").is_none());
    let vendor = super::vendor(&Urls::none(), crate::Network::default());
    let names: Vec<_> = vendor.methods.iter().map(|method| method.name).collect();
    assert_eq!(names, ["device", "exchange", "enterprise", "token"]);
    assert!(matches!(vendor.methods[2].how, How::Device(_)) && vendor.methods[2].questions[0].name == "host");
}

#[tokio::test]
async fn a_code_and_the_direct_way() {
    let server = TokenServer::start().await;
    let login = device(&server, Way::Either);
    say(&server, 200, STARTED);
    let code = login.start(&transport(), &Answers::new()).await.unwrap();
    assert_eq!(
        (code.user_code.as_str(), code.expires_in.as_secs(), code.interval.as_secs()),
        ("WXYZ-9876", 900, 6)
    );
    assert!(!format!("{code:?}").contains("canary"));
    let seen = &server.seen()[0];
    assert_eq!(seen.text, "client_id=Iv1.b507a08c87ecfe98&scope=read%3Auser");
    assert_eq!(seen.headers["accept"], "application/json");
    assert!(seen.headers["user-agent"].to_str().unwrap().starts_with("byok/"));

    say(&server, 200, json!({"access_token": "ghu_canary", "token_type": "bearer", "scope": "read:user"}));
    say(&server, 200, json!({"login": "octocat", "id": 1, "email": null}));
    say(&server, 200, json!({"copilot_plan": "individual", "access_type_sku": "free_limited_copilot"}));
    say(&server, 200, json!({"data": []}));
    let (tokens, details) = oauth(login.poll(&transport(), &code).await.unwrap());
    let seen = server.seen();
    assert_eq!(
        seen[1].text,
        "client_id=Iv1.b507a08c87ecfe98&device_code=canary-device&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code"
    );
    assert_eq!(
        (seen[2].path.as_str(), &seen[2].headers["authorization"]),
        ("/user", &"token ghu_canary".parse().unwrap())
    );
    assert_eq!(seen[3].headers["authorization"], "token ghu_canary");
    assert_eq!(seen[4].path, "/models-of-copilot/models");
    assert_eq!(seen[4].headers["authorization"], "Bearer ghu_canary");
    assert_eq!(seen[4].headers["x-github-api-version"], "2026-06-01");
    assert_eq!((tokens.fact("mode"), tokens.fact("host")), (Some("direct"), Some("github.com")));
    assert_eq!(tokens.fact("base"), Some(server.url("/models-of-copilot").as_str()));
    assert_eq!(
        (tokens.access.expose(), tokens.refresh.is_none(), tokens.expires_at),
        ("ghu_canary", false, None)
    );
    assert_eq!(details.identity.as_deref(), Some("github.com/octocat"));
    assert_eq!((details.plan.as_deref(), details.email.as_deref()), (Some("free"), Some("octocat")));
}

#[tokio::test]
async fn where_the_direct_way_is_refused_the_token_is_exchanged() {
    for (way, direct) in
        [(Way::Either, Some(403)), (Way::Either, Some(401)), (Way::Either, Some(500)), (Way::Exchange, None)]
    {
        let server = TokenServer::start().await;
        let login = device(&server, way);
        say(&server, 200, STARTED);
        let code = login.start(&transport(), &Answers::new()).await.unwrap();
        say(&server, 200, json!({"access_token": "ghu_canary"}));
        say(&server, 200, json!({"login": "octocat", "email": "o@example.com"}));
        say(&server, 404, "{}");
        if let Some(status) = direct {
            say(&server, status, "forbidden");
        }
        let base = server.url("/elsewhere");
        say(
            &server,
            200,
            json!({"token": "tid=1;exp=2:mac", "refresh_in": 1500, "expires_at": 1, "endpoints": {"api": base}}),
        );
        let before = crate::Clock::now(&crate::SystemClock);
        let (tokens, details) = oauth(login.poll(&transport(), &code).await.unwrap());
        let seen = server.seen();
        let exchange = seen.last().unwrap();
        assert_eq!((exchange.method.as_str(), exchange.path.as_str()), ("GET", "/exchange"));
        assert_eq!(exchange.headers["authorization"], "token ghu_canary");
        assert_eq!(exchange.headers["x-github-api-version"], "2025-04-01");
        assert!(!exchange.headers.contains_key("editor-version"), "nothing untrue without consent");
        assert_eq!(
            (tokens.access.expose(), tokens.refresh.as_ref().unwrap().expose()),
            ("tid=1;exp=2:mac", "ghu_canary")
        );
        assert_eq!((tokens.fact("mode"), tokens.fact("base")), (Some("exchange"), Some(base.as_str())));
        let left = tokens.expires_at.unwrap() - before;
        assert!((1740..1760).contains(&left), "by the clock of this machine: {left}");
        assert_eq!(details.email.as_deref(), Some("o@example.com"));
    }
}

#[tokio::test]
async fn what_answers_to_the_code_mean() {
    type Means = fn(&Result<Polled, LoginError>) -> bool;
    let cases: [(u16, &str, Means); 15] = [
        (200, r#"{"error":"authorization_pending"}"#, |r| matches!(r, Ok(Polled::Pending))),
        (400, r#"{"error":"authorization_pending"}"#, |r| matches!(r, Ok(Polled::Pending))),
        (
            200,
            r#"{"error":"slow_down","interval":10}"#,
            |r| matches!(r, Ok(Polled::SlowDown(Some(wanted))) if wanted.as_secs() == 11),
        ),
        (200, r#"{"error":"expired_token"}"#, |r| matches!(r, Err(LoginError::CodeExpired))),
        (200, r#"{"error":"token_expired"}"#, |r| matches!(r, Err(LoginError::CodeExpired))),
        (200, r#"{"error":"access_denied"}"#, |r| matches!(r, Err(LoginError::Denied { .. }))),
        (200, r#"{"error":"incorrect_device_code"}"#, |r| matches!(r, Err(LoginError::CodeRefused { .. }))),
        (200, r#"{"error":"unsupported_grant_type"}"#, |r| matches!(r, Err(LoginError::CodeRefused { .. }))),
        (200, r#"{"error":"device_flow_disabled"}"#, |r| matches!(r, Err(LoginError::NotBegun { .. }))),
        (503, "<html>", |r| matches!(r, Ok(Polled::Unclear { .. }))),
        (403, "<html>", |r| matches!(r, Ok(Polled::Unclear { .. }))),
        (429, "", |r| matches!(r, Ok(Polled::SlowDown(_)))),
        (404, "Not Found", |r| matches!(r, Err(LoginError::CodeRefused { .. }))),
        (200, "<html>", |r| matches!(r, Err(LoginError::BadAnswer))),
        (200, r#"{"access_token":" "}"#, |r| matches!(r, Err(LoginError::BadAnswer))),
    ];
    for (status, body, means) in cases {
        let server = TokenServer::start().await;
        let login = device(&server, Way::Either);
        say(&server, 200, STARTED);
        let code = login.start(&transport(), &Answers::new()).await.unwrap();
        say(&server, status, body);
        let result = login.poll(&transport(), &code).await;
        assert!(means(&result), "{status} {body}: {result:?}");
    }
    // Numbers may be written as text.
    let server = TokenServer::start().await;
    say(&server, 200, STARTED.replace("900", "\"600\"").replace(":5", ":\"7\""));
    let code = device(&server, Way::Either).start(&transport(), &Answers::new()).await.unwrap();
    assert_eq!((code.expires_in.as_secs(), code.interval.as_secs()), (600, 8));
    for (status, body) in [(200, "<html>"), (200, r#"{"error":"device_flow_disabled"}"#), (404, "{}")] {
        let server = TokenServer::start().await;
        say(&server, status, body);
        let error = device(&server, Way::Either).start(&transport(), &Answers::new()).await.unwrap_err();
        assert!(matches!(error, LoginError::BadStart | LoginError::NotBegun { .. }), "{error:?}");
    }
    let foreign = Answers::from([("host".to_owned(), "git.example.com".to_owned())]);
    let server = TokenServer::start().await;
    let error = device(&server, Way::Either).start(&transport(), &foreign).await.unwrap_err();
    assert!(matches!(error, LoginError::NotUsable { .. }) && server.seen().is_empty(), "{error:?}");
}

#[tokio::test]
async fn a_token_that_somebody_has() {
    for (token, way) in [
        ("gho_x", Some(Way::Either)),
        ("ghu_x", Some(Way::Either)),
        ("github_pat_x", Some(Way::Direct)),
        ("ghp_x", None),
        ("ghs_x", None),
        ("sk-x", None),
        ("", None),
    ] {
        assert_eq!(way_of(&Secret::new(token)).ok(), way, "{token}");
    }
    let server = TokenServer::start().await;
    say(&server, 401, json!({"message": "Bad credentials"}));
    let error =
        at(&server).finish(&transport(), Secret::new("gho_canary"), &Answers::new()).await.unwrap_err();
    assert!(
        matches!(&error, LoginError::NotUsable { .. }) && !error.to_string().contains("canary"),
        "{error}"
    );
}

fn exchanged() -> OauthTokens {
    let facts = [("mode", "exchange"), ("host", "github.com")];
    OauthTokens {
        access: Secret::new("old"),
        refresh: Some(Secret::new("ghu_canary")),
        expires_at: Some(0),
        refresh_expires_at: None,
        scopes: Vec::new(),
        facts: facts.map(|(name, value)| (name.to_owned(), Secret::new(value))).into(),
    }
}

/// What an answer of the exchange does to the account.
#[derive(Debug, PartialEq)]
enum Does {
    NeedLogin,
    Block(&'static str),
    Wait(Option<u64>),
    Config,
}

#[tokio::test]
async fn what_refusals_of_the_exchange_mean() {
    let details = |id: &str, url: &str| {
        json!({"can_signup_for_limited": null, "message": "no", "error_details": {
            "notification_id": id, "title": "T", "message": "M", "url": url}})
        .to_string()
    };
    let limit = r#"{"message":"API rate limit exceeded for user ID 1.","documentation_url":"https://docs.github.com","status":"403"}"#;
    let mut cases = vec![
        (401, "", r#"{"message":"Bad credentials"}"#.to_owned(), Does::NeedLogin),
        (403, "", limit.to_owned(), Does::Wait(Some(60))),
        (403, "retry-after: 90", limit.to_owned(), Does::Wait(Some(90))),
        (403, "", details("server_error", ""), Does::Wait(Some(60))),
        (
            403,
            "",
            details("not_signed_up", "https://evil.test/x"),
            Does::Block("https://github.com/settings/copilot"),
        ),
        (
            403,
            "",
            details("not_signed_up", "http://github.com/x"),
            Does::Block("https://github.com/settings/copilot"),
        ),
        (
            403,
            "",
            r#"{"message":"Resource not accessible by integration"}"#.to_owned(),
            Does::Block("https://github.com/settings/copilot"),
        ),
        (403, "", "<html>".to_owned(), Does::Wait(None)),
        (404, "", r#"{"message":"Not Found"}"#.to_owned(), Does::Block("`byok login copilot`")),
        (400, "", "{}".to_owned(), Does::Config),
        (466, "", "client not supported".to_owned(), Does::Config),
        (302, "location: https://elsewhere.example/", String::new(), Does::Config),
        (429, "retry-after: 30", String::new(), Does::Wait(Some(30))),
        (500, "", String::new(), Does::Wait(None)),
        (503, "retry-after: 20", "<html>".to_owned(), Does::Wait(Some(20))),
        (200, "", "<html>".to_owned(), Does::Wait(None)),
        (200, "", "{}".to_owned(), Does::Wait(None)),
        (200, "", r#"{"token":""}"#.to_owned(), Does::Wait(None)),
    ];
    for id in [
        "no_copilot_access",
        "not_signed_up",
        "subscription_ended",
        "enterprise_managed_user_account",
        "feature_flag_blocked",
        "spammy_user",
        "billing_locked",
        "trade_restricted",
        "trade_restricted_country",
        "expired_coupon",
        "revoked_coupon",
        "snippy_not_configured",
        "programmatic_token_generation",
    ] {
        cases.push((
            403,
            "",
            details(id, "https://github.com/github-copilot/signup"),
            Does::Block("https://github.com/github-copilot/signup"),
        ));
    }
    for (status, header, body, expected) in cases {
        let server = TokenServer::start().await;
        server.script(Scripted::Answer(status, header, body.clone()));
        let error = at(&server).refresh(&transport(), &exchanged()).await.unwrap_err();
        assert!(!error.to_string().contains("canary"), "{error}");
        let does = match error {
            RefreshError::Permanent { state: AccountState::NeedsLogin { reason } } => {
                assert!(reason.contains("byok login copilot"), "{reason}");
                Does::NeedLogin
            }
            RefreshError::Permanent { state: AccountState::Blocked { reason } } => match expected {
                Does::Block(end) => {
                    assert!(reason.ends_with(end), "{reason}");
                    Does::Block(end)
                }
                _ => panic!("{reason}"),
            },
            RefreshError::Transient { retry_after, maybe_spent, .. } => {
                assert!(!maybe_spent, "nothing is used up");
                Does::Wait(retry_after.map(|wait| wait.as_secs()))
            }
            RefreshError::Config { .. } => Does::Config,
            RefreshError::Permanent { state } => panic!("{state:?}"),
            RefreshError::Followed { why, .. } => panic!("{why}"),
        };
        assert_eq!(does, expected, "{status} {header} {body}");
    }
}

#[tokio::test]
async fn a_refresh_keeps_the_github_token_and_takes_no_foreign_address() {
    let server = TokenServer::start().await;
    let copilot = at(&server);
    assert!(!copilot.rotates());
    say(&server, 200, json!({"token": "new", "refresh_in": 1500, "endpoints": {"api": "https://evil.test"}}));
    let old = exchanged();
    let (answer, _) = copilot.refresh(&transport(), &old).await.unwrap();
    let tokens = answer.into_tokens(Some(&old), 1000);
    assert_eq!((tokens.access.expose(), tokens.refresh.as_ref().unwrap().expose()), ("new", "ghu_canary"));
    assert_eq!(tokens.expires_at, Some(1000 + 1500 + 240));
    assert_eq!(tokens.fact("base"), Some(server.url("/models-of-copilot").as_str()));
    assert_eq!(tokens.fact("host"), Some("github.com"), "old facts stay");

    let access = Secret::new("ghu_canary");
    let facts = TokenFacts::from([("mode".to_owned(), Secret::new("direct"))]);
    let direct = OauthTokens { access, facts, ..exchanged() };
    say(&server, 200, "{}");
    let (answer, _) = copilot.refresh(&transport(), &direct).await.unwrap();
    assert_eq!(answer.access.expose(), "ghu_canary", "the token lives and stays");
    assert_eq!(answer.into_tokens(Some(&direct), 1000).expires_at, None, "GitHub says no end");
    for (status, dead) in [(401, true), (500, false), (429, false)] {
        say(&server, status, "{}");
        let error = copilot.refresh(&transport(), &direct).await.unwrap_err();
        assert_eq!(matches!(error, RefreshError::Permanent { .. }), dead, "{status}: {error:?}");
    }
    server.script(Scripted::HangUp);
    let error = copilot.refresh(&transport(), &exchanged()).await.unwrap_err();
    assert!(matches!(error, RefreshError::Transient { .. }), "{error:?}");
    let lost = Refused::Unreadable.of_login();
    assert!(matches!(lost, LoginError::BadAnswer));
}

/// A token of GitHub's own plugin may be taken as it is; only where it is not, it is exchanged.
#[tokio::test]
async fn a_token_of_a_file_is_tried_as_it_is_first() {
    let editor = r#"{"github.com:Iv1.x":{"user":"octocat","oauth_token":"ghu_canary"}}"#;
    for (models, mode) in [(200, "direct"), (401, "exchange")] {
        let found = Files.read("apps.json", editor.as_bytes(), 1000).unwrap().remove(0);
        let Credential::Oauth(tokens) = found.login.credential else { panic!("a key") };
        // While it is taken over.
        let server = TokenServer::start().await;
        say(&server, 200, json!({"login": "octocat"}));
        say(&server, 200, json!({"copilot_plan": "individual"}));
        say(&server, models, json!({"data": []}));
        let owner = at(&server).owner_of(&transport(), &tokens).await;
        assert_eq!(owner.facts.get("mode").map(Secret::expose), Some(mode));
        assert_eq!(server.seen().last().unwrap().headers["authorization"], "Bearer ghu_canary");
        // Where nobody could be asked then.
        let server = TokenServer::start().await;
        say(&server, models, json!({"data": []}));
        say(&server, 200, json!({"token": "tid=1", "login": "octocat"}));
        let (answer, _) = at(&server).refresh(&transport(), &tokens).await.unwrap();
        let access = if mode == "direct" { "ghu_canary" } else { "tid=1" };
        assert_eq!((answer.access.expose(), answer.facts["mode"].expose()), (access, mode));
        // Trouble of the vendor decides nothing.
        let server = TokenServer::start().await;
        say(&server, 503, "");
        let error = at(&server).refresh(&transport(), &tokens).await.unwrap_err();
        assert!(matches!(error, RefreshError::Transient { .. }), "{error:?}");
    }
}

#[test]
fn the_files_of_githubs_programs() {
    let found = |name: &str, content: &str| {
        Files.read(name, content.as_bytes(), 1000).map(|found| {
            found
                .into_iter()
                .map(|found| {
                    assert!(!found.shared_rotation);
                    let Credential::Oauth(tokens) = found.login.credential else { panic!("a key") };
                    let mode = tokens.fact("mode").unwrap_or("untried").to_owned();
                    assert_eq!(
                        tokens.expires_at,
                        (mode == "untried").then_some(1000),
                        "tried at the first use"
                    );
                    assert!(tokens.refresh.is_some());
                    let details = &found.login.details;
                    let name = details.identity.as_deref().and_then(|identity| identity.rsplit('/').next());
                    assert_eq!(details.email.as_deref(), name, "whose it is can be seen");
                    format!(
                        "{mode} {} {}",
                        tokens.access.expose(),
                        found.login.details.identity.unwrap_or_default()
                    )
                })
                .collect::<Vec<_>>()
        })
    };
    let apps = r#"{"github.com:Iv1.b507a08c87ecfe98":{"user":"octocat","oauth_token":"ghu_1","githubAppId":"Iv1.b507a08c87ecfe98"},
        "github.com:Iv23":{"user":"octocat","oauth_token":"ghu_2"},"acme.ghe.com:Iv1":{"user":"worker","oauth_token":"gho_3"},
        "evil.test:Iv1":{"user":"eve","oauth_token":"ghu_4"}}"#;
    assert_eq!(
        found("apps.json", apps).unwrap(),
        ["untried ghu_1 github.com/octocat", "direct gho_3 acme.ghe.com/worker"]
    );
    assert_eq!(
        found("hosts.json", r#"{"github.com":{"user":"octocat","oauth_token":"gho_5"}}"#).unwrap(),
        ["direct gho_5 github.com/octocat"]
    );
    assert_eq!(found("config.json", r#"{"a":[{"t":"gho_6"}],"banner":"never"}"#).unwrap(), ["direct gho_6 "]);
    let gh = "github.com:\n    users:\n        octocat:\n            oauth_token: gho_7\n    oauth_token: gho_7\n    user: octocat\n";
    assert_eq!(found("hosts.yml", gh).unwrap(), ["direct gho_7 github.com/octocat"]);
    for elsewhere in ["github.com:\n    user: octocat\n", ""] {
        let error = found("hosts.yml", elsewhere).unwrap_err();
        assert!(error.to_string().contains("`gh auth token | byok login copilot --method token`"), "{error}");
    }
    for (name, content) in [
        ("hosts.yml", "a: [b"),
        ("apps.json", ""),
        ("apps.json", r#"{"github.com:Iv1":{"user":"o","oa"#),
        ("hosts.json", "[]"),
        ("apps.json", "\u{0}\u{1}"),
    ] {
        let error = found(name, content).unwrap_err();
        assert!(matches!(error, ImportError::NotReadable { .. }), "{content}: {error:?}");
    }
    for content in [
        "{}",
        r#"{"github.com":{"user":"o"}}"#,
        r#"{"github.com":{"user":"o","oauth_token":"ghp_7"}}"#,
        r#"{"github.com":7}"#,
    ] {
        let error = found("hosts.json", content).unwrap_err();
        assert!(matches!(error, ImportError::Nothing { .. }), "{content}: {error:?}");
    }
    let places = |variable: &dyn Fn(&str) -> Option<String>| {
        Files
            .places(Path::new("/home/o"), variable)
            .into_iter()
            .map(|kept| kept.file.display().to_string())
            .collect::<Vec<_>>()
    };
    if cfg!(not(windows)) {
        assert_eq!(
            places(&|_| None),
            [
                "/home/o/.config/github-copilot/apps.json",
                "/home/o/.config/github-copilot/hosts.json",
                "/home/o/.copilot/config.json"
            ]
        );
        assert_eq!(
            places(&|name| (name == "XDG_CONFIG_HOME").then(|| "/x".to_owned()))[0],
            "/x/github-copilot/apps.json"
        );
    }
}
