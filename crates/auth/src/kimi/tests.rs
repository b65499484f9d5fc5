#![expect(clippy::needless_pass_by_value, reason = "cases are written in place")]

use super::{
    Kimi, Own,
    import::Files,
    region::{Places, Region},
};
use crate::{
    Answers, DeviceLogin as _, Import as _, ImportError, KeyLogin as _, LoginError, Polled, RefreshError,
    Refresher as _,
    testing::{Scripted, TokenServer, transport},
};
use byok_types::{AccountState, Credential, OauthTokens, Secret};
use serde_json::json;
use std::path::Path;

fn at(server: &TokenServer) -> Kimi {
    let own = Own {
        device: Some(server.url("/device")),
        token: Some(server.url("/token")),
        profile: None,
        inference: Some(server.url("/coding")),
    };
    Kimi { own, network: crate::Network::default() }
}

fn say(server: &TokenServer, status: u16, body: impl ToString) {
    server.script(Scripted::Answer(status, "", body.to_string()));
}

fn started() -> String {
    json!({"user_code": "ABCD", "device_code": "canary-device", "verification_uri": "",
        "verification_uri_complete": "https://www.kimi.ai/device?code=ABCD", "expires_in": 1800, "interval": 5})
    .to_string()
}

fn region(name: &str) -> Answers {
    Answers::from([("region".to_owned(), name.to_owned())])
}

#[test]
fn the_default_addresses_are_the_vendors() {
    for (region, site) in [(Region::MainlandCn, "kimi.com"), (Region::Global, "kimi.ai")] {
        let places = Places::of(region, &Own::default());
        assert_eq!(places.device.as_str(), format!("https://auth.{site}/api/oauth/device_authorization"));
        assert_eq!(places.token.as_str(), format!("https://auth.{site}/api/oauth/token"));
        assert_eq!(places.profile.as_str(), format!("https://api.{site}/coding/v1/me"));
        assert_eq!(places.models.as_str(), format!("https://api.{site}/coding/v1/models"));
    }
}

#[tokio::test]
async fn a_code_and_whose_it_is() {
    let server = TokenServer::start().await;
    let kimi = at(&server);
    say(&server, 200, started());
    let code = kimi.start(&transport(), &region("global")).await.unwrap();
    assert_eq!(
        (code.page.as_str(), code.expires_in.as_secs()),
        ("https://www.kimi.ai/device?code=ABCD", 900)
    );
    let first = &server.seen()[0];
    assert_eq!(first.text, "client_id=17e5f671-d194-4dfb-9706-5516cb48c098");
    assert_eq!(first.headers["x-msh-platform"], "byok");
    assert_eq!(first.headers["x-msh-version"], env!("CARGO_PKG_VERSION"));
    assert!(first.headers["user-agent"].to_str().unwrap().starts_with("byok/"));
    let device = first.headers["x-msh-device-id"].to_str().unwrap().to_owned();

    say(
        &server,
        200,
        json!({"access_token": "a", "refresh_token": "r", "expires_in": 900, "scope": "kimi-code", "token_type": "Bearer"}),
    );
    say(
        &server,
        200,
        json!({"user_id": "u1", "nickname": "Ada", "email": "ada@example.com", "user_level_name": "Allegretto"}),
    );
    let Polled::Done(login) = kimi.poll(&transport(), &code).await.unwrap() else { panic!("not done") };
    let Credential::Oauth(tokens) = &login.credential else { panic!("a key") };
    assert_eq!(
        (tokens.fact("region"), tokens.fact("device")),
        (Some("global"), Some(&*device)),
        "the id stays"
    );
    assert_eq!(login.details.identity.as_deref(), Some("u1"));
    assert_eq!(
        (login.details.email.as_deref(), login.details.plan.as_deref()),
        (Some("ada@example.com"), Some("Allegretto"))
    );
    let seen = server.seen();
    assert_eq!(
        seen[1].text,
        "client_id=17e5f671-d194-4dfb-9706-5516cb48c098&device_code=canary-device&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code"
    );
    assert_eq!(seen[1].headers["x-msh-device-id"], device.as_str());
    assert_eq!(
        (seen[2].path.as_str(), &seen[2].headers["authorization"]),
        ("/coding/v1/me", &"Bearer a".parse().unwrap())
    );

    let error = kimi.start(&transport(), &region("mars")).await.unwrap_err();
    assert!(matches!(error, LoginError::NotUsable { .. }), "{error:?}");
}

#[tokio::test]
async fn either_of_the_two_pages_is_enough() {
    let (page, whole) = ("https://www.kimi.com/device", "https://www.kimi.com/device?code=ABCD");
    for (given, expected) in [
        (json!({"verification_uri": page}), Some((page, None))),
        (json!({"verification_uri": page, "verification_uri_complete": ""}), Some((page, None))),
        (json!({"verification_uri": page, "verification_uri_complete": null}), Some((page, None))),
        (json!({"verification_uri_complete": whole}), Some((whole, Some(whole)))),
        (json!({"verification_uri": page, "verification_uri_complete": whole}), Some((page, Some(whole)))),
        (json!({"verification_uri": "file:///x"}), None),
        (json!({}), None),
    ] {
        let server = TokenServer::start().await;
        let mut body = json!({"user_code": "ABCD", "device_code": "d"});
        body.as_object_mut().unwrap().extend(given.as_object().unwrap().clone());
        say(&server, 200, &body);
        let code = at(&server).start(&transport(), &Answers::new()).await;
        let pages = code.ok().map(|code| (code.page.to_string(), code.page_with_code.map(String::from)));
        let expected = expected.map(|(page, whole)| (page.to_owned(), whole.map(str::to_owned)));
        assert_eq!(pages, expected, "{given}");
    }
}

#[tokio::test]
async fn what_answers_to_the_code_mean() {
    type Means = fn(&Result<Polled, LoginError>) -> bool;
    let cases: [(u16, &str, Means); 14] = [
        (200, r#"{"error":"authorization_pending"}"#, |r| matches!(r, Ok(Polled::Pending))),
        (400, r#"{"error":"authorization_pending"}"#, |r| matches!(r, Ok(Polled::Pending))),
        (200, r#"{"error":"slow_down"}"#, |r| matches!(r, Ok(Polled::SlowDown(_)))),
        (400, r#"{"error":"expired_token"}"#, |r| matches!(r, Err(LoginError::CodeExpired))),
        (200, r#"{"error":"access_denied"}"#, |r| matches!(r, Err(LoginError::Denied { .. }))),
        (
            400,
            r#"{"error":"access_denied","error_description":"your region"}"#,
            |r| matches!(r, Err(LoginError::Refused { why, .. }) if why == "access_denied: your region"),
        ),
        (400, r#"{"error":"invalid_client"}"#, |r| matches!(r, Err(LoginError::CodeRefused { .. }))),
        (500, "", |r| matches!(r, Ok(Polled::Unclear { why, wait: None }) if why == "500")),
        (429, "", |r| matches!(r, Ok(Polled::SlowDown(_)))),
        (404, "", |r| matches!(r, Err(LoginError::CodeRefused { .. }))),
        (200, "<html>", |r| matches!(r, Err(LoginError::BadAnswer))),
        (200, r#"{"access_token":"a","expires_in":900}"#, |r| matches!(r, Err(LoginError::BadAnswer))),
        (200, r#"{"access_token":"a","refresh_token":"r"}"#, |r| matches!(r, Err(LoginError::BadAnswer))),
        (200, r#"{"access_token":"a","refresh_token":"r","expires_in":0}"#, |r| {
            matches!(r, Err(LoginError::BadAnswer))
        }),
    ];
    for (status, body, means) in cases {
        let server = TokenServer::start().await;
        let kimi = at(&server);
        say(&server, 200, started());
        let code = kimi.start(&transport(), &Answers::new()).await.unwrap();
        say(&server, status, body);
        let result = kimi.poll(&transport(), &code).await;
        assert!(means(&result), "{status} {body}: {result:?}");
    }
}

fn tokens() -> OauthTokens {
    let facts = [("region", "mainland-cn"), ("device", "d-1")];
    OauthTokens {
        facts: facts.map(|(name, value)| (name.to_owned(), Secret::new(value))).into(),
        ..crate::testing::tokens(0)
    }
}

#[tokio::test]
async fn an_answer_that_nobody_can_read_ends_the_wait_only_where_all_is_said_to_be_well() {
    let server = TokenServer::start().await;
    let kimi = at(&server);
    say(&server, 200, started());
    let code = kimi.start(&transport(), &Answers::new()).await.unwrap();
    let large = format!("<html>{}", " ".repeat(5 << 20));
    for (status, header, body) in
        [(200, "", large.clone()), (200, "content-encoding: gzip", "\u{1f}no gzip".to_owned())]
    {
        server.script(Scripted::Answer(status, header, body));
        let ended = kimi.poll(&transport(), &code).await;
        assert!(matches!(ended, Err(LoginError::BadAnswer)), "{header}: {ended:?}");
    }
    // This one may say that the code was not entered yet.
    server.script(Scripted::Answer(400, "content-encoding: gzip", "\u{1f}no gzip".to_owned()));
    let polled = kimi.poll(&transport(), &code).await;
    assert!(matches!(polled, Err(LoginError::Transport(_))), "{polled:?}");
    for status in [403, 502] {
        server.script(Scripted::Answer(status, "", large.clone()));
        let polled = kimi.poll(&transport(), &code).await.unwrap();
        let Polled::Unclear { why, wait: None } = polled else { panic!("{polled:?}") };
        assert_eq!(why, format!("{status}, with a web page"));
    }
}

#[tokio::test]
async fn what_a_busy_server_asks_for_is_waited_and_no_code_is_told() {
    for status in [429, 503] {
        let server = TokenServer::start().await;
        let kimi = at(&server);
        say(&server, 200, started());
        let code = kimi.start(&transport(), &Answers::new()).await.unwrap();
        server.script(Scripted::Answer(status, "retry-after: 20", String::new()));
        let polled = kimi.poll(&transport(), &code).await.unwrap();
        let (Polled::Later(wait) | Polled::Unclear { wait: Some(wait), .. }) = polled else {
            panic!("{status}: {polled:?}")
        };
        assert_eq!(wait.as_secs(), 20, "{status}");
    }
    let server = TokenServer::start().await;
    say(&server, 403, r#"{"error":"access_denied","error_description":"region blocked"}"#);
    let error = at(&server).start(&transport(), &Answers::new()).await.unwrap_err();
    let expected = "the vendor does not begin this login (403, access_denied, region blocked); ";
    assert!(error.to_string().starts_with(expected), "{error}");
}

#[tokio::test]
async fn a_refresh_rotates_and_keeps_the_device() {
    let server = TokenServer::start().await;
    server.answer_with(json!({"expires_in": 900, "scope": "kimi-code"}));
    let kimi = at(&server);
    assert!(kimi.rotates());
    let old = tokens();
    let (answer, _) = kimi.refresh(&transport(), &old).await.unwrap();
    let new = answer.into_tokens(Some(&old), 1000);
    assert_eq!((new.refresh.as_ref().unwrap().expose(), new.expires_at), ("refresh-1", Some(1900)));
    assert_eq!((new.fact("device"), new.fact("region")), (Some("d-1"), Some("mainland-cn")));
    let seen = &server.seen()[0];
    assert_eq!(
        seen.text,
        "client_id=17e5f671-d194-4dfb-9706-5516cb48c098&grant_type=refresh_token&refresh_token=refresh-0"
    );
    assert_eq!(seen.headers["x-msh-device-id"], "d-1");
    let error = kimi.refresh(&transport(), &old).await.unwrap_err();
    assert!(matches!(error, RefreshError::Permanent { .. }), "a spent token: {error:?}");
}

#[derive(Debug, PartialEq)]
enum Does {
    NeedLogin,
    Wait(Option<u64>),
    WaitMaybeSpent,
    Config,
}

#[tokio::test]
async fn what_refusals_mean() {
    let cases = [
        (401, "", "", Does::NeedLogin),
        (401, "", r#"{"error":"invalid_token"}"#, Does::NeedLogin),
        (403, "", r#"{"error":"access_denied"}"#, Does::NeedLogin),
        (403, "", r#"{"message":"gone"}"#, Does::NeedLogin),
        (403, "", "", Does::NeedLogin),
        (403, "", "{}", Does::NeedLogin),
        (403, "", "error code: 1010", Does::Wait(None)),
        (403, "", "<html>challenge</html>", Does::Wait(None)),
        (401, "", "<html>log in to this network</html>", Does::Wait(None)),
        (400, "", r#"{"error":"invalid_grant"}"#, Does::NeedLogin),
        (200, "", r#"{"error":"invalid_grant"}"#, Does::NeedLogin),
        (400, "", r#"{"error":"invalid_client"}"#, Does::Config),
        (404, "", "", Does::Config),
        (429, "", "", Does::Wait(Some(60))),
        (429, "retry-after: 30", "", Does::Wait(Some(30))),
        (500, "", "", Does::Wait(None)),
        (502, "", "<html>", Does::Wait(None)),
        (503, "retry-after: 20", "", Does::Wait(Some(20))),
        (504, "", "", Does::Wait(None)),
        (200, "", "<html>", Does::WaitMaybeSpent),
        (200, "", "{}", Does::WaitMaybeSpent),
        (200, "", r#"{"access_token":"a","refresh_token":"","expires_in":900}"#, Does::WaitMaybeSpent),
        (200, "", r#"{"access_token":"a","refresh_token":"r","expires_in":0}"#, Does::WaitMaybeSpent),
    ];
    for (status, header, body, expected) in cases {
        let server = TokenServer::start().await;
        server.script(Scripted::Answer(status, header, body.to_owned()));
        let error = at(&server).refresh(&transport(), &tokens()).await.unwrap_err();
        assert!(!error.to_string().contains("refresh-0"), "{error}");
        let does = match error {
            RefreshError::Permanent { state: AccountState::NeedsLogin { reason } } => {
                assert!(reason.contains("byok login kimi"), "{reason}");
                Does::NeedLogin
            }
            RefreshError::Transient { maybe_spent: true, .. } => Does::WaitMaybeSpent,
            RefreshError::Transient { retry_after, .. } => Does::Wait(retry_after.map(|wait| wait.as_secs())),
            RefreshError::Config { .. } => Does::Config,
            other @ (RefreshError::Permanent { .. } | RefreshError::Followed { .. }) => panic!("{other:?}"),
        };
        assert_eq!(does, expected, "{status} {header} {body}");
    }
}

#[tokio::test]
async fn keys_of_the_plan() {
    type Means = fn(&LoginError) -> bool;
    let cases: [(&str, Option<u16>, Means); 6] = [
        ("sk-platform", None, |e| matches!(e, LoginError::NotUsable { .. })),
        ("sk-kimi-canary", Some(401), |e| matches!(e, LoginError::NotUsable { .. })),
        ("sk-kimi-canary", Some(402), |e| matches!(e, LoginError::NoAccess { .. })),
        ("sk-kimi-canary", Some(403), |e| matches!(e, LoginError::NoAccess { .. })),
        ("sk-kimi-canary", Some(500), |e| matches!(e, LoginError::Busy { .. })),
        ("", None, |e| matches!(e, LoginError::NotUsable { .. })),
    ];
    for (key, status, means) in cases {
        let server = TokenServer::start().await;
        if let Some(status) = status {
            say(&server, status, json!({"error": {"message": "no sk-kimi-canary", "type": "t"}}));
        }
        let error = at(&server).finish(&transport(), Secret::new(key), &Answers::new()).await.unwrap_err();
        assert!(means(&error) && !error.to_string().contains("canary"), "{key} {status:?}: {error:?}");
        assert_eq!(server.seen().len(), usize::from(status.is_some()));
    }
    let server = TokenServer::start().await;
    say(&server, 200, json!({"data": []}));
    say(&server, 200, json!({"user_id": "u1"}));
    let login = at(&server).finish(&transport(), Secret::new("sk-kimi-1"), &Answers::new()).await.unwrap();
    assert!(matches!(&login.credential, Credential::ApiKey(key) if key.expose() == "sk-kimi-1"));
    assert_eq!(login.details.identity.as_deref(), Some("u1"));
    let without = Kimi { own: Own::default(), network: crate::Network::default() };
    let error = without.finish(&transport(), Secret::new("sk-kimi-1"), &region("global")).await.unwrap_err();
    assert!(error.to_string().contains("urls.inference"), "{error}");
}

#[test]
fn the_files_of_the_vendors_programs() {
    let places: Vec<_> =
        Files.places(Path::new("/home/a"), &|_| None).into_iter().map(|kept| kept.file).collect();
    assert_eq!(places[0], Path::new("/home/a/.kimi-code/credentials/kimi-code.json"));
    assert_eq!(places[2], Path::new("/home/a/.kimi/credentials/kimi-code.json"));
    let own = Files.places(Path::new("/home/a"), &|name| (name == "KIMI_CODE_HOME").then(|| "/k".to_owned()));
    assert_eq!(own[0].file, Path::new("/k/credentials/kimi-code.json"));
    let global = places[1].file_name().unwrap().to_str().unwrap();
    assert!(
        global.starts_with("kimi-code-env-") && global.len() == "kimi-code-env-0123456789abcdef.json".len()
    );

    // {"user_id":"u1"} and {"iss":"https://auth.kimi.ai","sub":"u2"}
    let cases = [
        ("kimi-code.json", "h.eyJ1c2VyX2lkIjoidTEifQ.s", "mainland-cn", Some("u1")),
        (
            "kimi-code.json",
            "h.eyJpc3MiOiJodHRwczovL2F1dGgua2ltaS5haSIsInN1YiI6InUyIn0.s",
            "global",
            Some("u2"),
        ),
        (global, "opaque", "global", None),
    ];
    for (name, access, region, identity) in cases {
        let file = json!({"access_token": access, "refresh_token": "r", "expires_at": 1_800_000_000.5, "scope": "kimi-code", "token_type": "Bearer", "expires_in": 900});
        let found = Files.read(name, file.to_string().as_bytes(), 0).unwrap().remove(0);
        assert!(found.shared_rotation);
        let Credential::Oauth(tokens) = found.login.credential else { panic!("a key") };
        assert_eq!((tokens.fact("region"), tokens.expires_at), (Some(region), Some(1_800_000_000)));
        assert_eq!(found.login.details.identity.as_deref(), identity);
    }
    for content in
        ["", "{", "[]", "{}", r#"{"access_token":"a"}"#, r#"{"access_token":7,"refresh_token":"r"}"#]
    {
        let error = Files.read("kimi-code.json", content.as_bytes(), 0).unwrap_err();
        assert!(matches!(error, ImportError::NotReadable { .. }), "{content}: {error:?}");
    }
    let tombstone =
        r#"{"access_token":"","refresh_token":"","expires_at":0,"scope":"","token_type":"","expires_in":0}"#;
    let error = Files.read("kimi-code.json", tombstone.as_bytes(), 0).unwrap_err();
    assert!(matches!(error, ImportError::Nothing { .. }), "{error:?}");
}

#[test]
fn the_id_of_the_installation_comes_with_its_login() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("credentials/kimi-code.json");
    std::fs::create_dir(file.parent().unwrap()).unwrap();
    let login = json!({"access_token": "a", "refresh_token": "r"}).to_string();
    let long = "x".repeat(200);
    for (content, id) in [
        (None, None),
        (Some("0199a213-cafe"), Some("0199a213-cafe")),
        (Some("0199a213cafe\n"), Some("0199a213cafe")),
        (Some(" \n"), None),
        (Some("two words"), None),
        (Some("é"), None),
        (Some(&*long), None),
    ] {
        if let Some(content) = content {
            std::fs::write(home.path().join("device_id"), content).unwrap();
        }
        let beside = crate::neighbours(&file, 1 << 20);
        let found = Files.read_beside("kimi-code.json", login.as_bytes(), &beside, 0).unwrap().remove(0);
        let Credential::Oauth(tokens) = found.login.credential else { panic!("a key") };
        assert_eq!(tokens.fact("device"), id, "{content:?}");
    }
    let beside = crate::neighbours(&file, 1 << 20);
    for elsewhere in ["../../device_id", "../..", "../", "..", "/device_id", "a/../device_id"] {
        assert_eq!(beside(elsewhere), None, "{elsewhere}");
    }
    // The parent of a directory need not stand in its name.
    let beside = crate::neighbours(Path::new("src/login/../kimi-code.json"), 1 << 20);
    assert!(beside("../Cargo.toml").is_some());
}
