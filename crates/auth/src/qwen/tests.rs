#![expect(clippy::match_same_arms, reason = "each says another thing")]

use super::{Addresses, Qwen, import::QwenCode, vendor};
use crate::testing::{START, Scripted, TokenServer, tokens, transport};
use crate::{
    Answers, DeviceLogin as _, Import as _, ImportError, KeyLogin as _, LoginError, Network, Polled,
    RefreshError, Refresher as _, Urls,
};
use byok_types::{AccountState, Credential, Secret};
use std::{path::Path, time::Duration};

fn qwen(server: &TokenServer) -> Qwen {
    Qwen::new(Addresses { device: server.url("/device"), token: server.url("/token") }, Network::default())
}

const CODE: &str = r#"{"device_code":"device-1","user_code":"ABCD-EFGH",
    "verification_uri":"https://chat.qwen.ai/authorize",
    "verification_uri_complete":"https://chat.qwen.ai/authorize?user_code=ABCD-EFGH&client=qwen-code","expires_in":600}"#;

fn fields(text: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

#[test]
fn the_default_addresses_are_the_vendors_and_the_end_is_told() {
    let urls = Addresses::of(&Urls::none());
    for url in [urls.device, urls.token] {
        assert_eq!((url.scheme(), url.host_str()), ("https", Some("chat.qwen.ai")));
    }
    let vendor = vendor(&Urls::none(), Network::default());
    let ended = vendor.ended.unwrap();
    assert!(ended.contains("2026-04-15") && ended.contains("providers.qwen.api_key"), "{ended}");
    let names: Vec<_> = vendor.methods.iter().map(|method| method.name).collect();
    assert_eq!(names, ["device", "key"]);
}

#[tokio::test]
async fn a_login_with_a_code() {
    let server = TokenServer::start().await;
    let qwen = qwen(&server);
    let (transport, answers) = (transport(), Answers::new());
    server.script(Scripted::Answer(200, "", CODE.into()));
    let code = qwen.start(&transport, &answers).await.unwrap();
    assert_eq!(code.user_code, "ABCD-EFGH");
    assert_eq!(code.page.as_str(), "https://chat.qwen.ai/authorize");
    assert!(code.page_with_code.as_ref().unwrap().as_str().contains("user_code=ABCD-EFGH"));
    assert_eq!((code.expires_in, code.interval), (Duration::from_mins(10), Duration::from_secs(2)));

    let asked = &server.seen()[0];
    assert_eq!(asked.headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(asked.headers["accept"], "application/json");
    assert_eq!(asked.headers["x-request-id"].len(), 36);
    assert!(asked.headers["user-agent"].to_str().unwrap().starts_with("byok/"));
    let sent = fields(&asked.text);
    let names: Vec<_> = sent.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["client_id", "scope", "code_challenge", "code_challenge_method"]);
    assert_eq!(sent[0].1, "f0304373b74a44d2b584a3fb70ca9e56");
    assert_eq!(sent[1].1, "openid profile email model.completion");
    assert_eq!((sent[2].1.len(), sent[3].1.as_str()), (43, "S256"));

    server.script(Scripted::Answer(400, "", r#"{"error":"authorization_pending"}"#.into()));
    assert!(matches!(qwen.poll(&transport, &code).await.unwrap(), Polled::Pending));
    let done = r#"{"access_token":"a","refresh_token":"r","token_type":"Bearer","resource_url":"portal.qwen.ai","expires_in":21600}"#;
    server.script(Scripted::Answer(200, "", done.into()));
    let Polled::Done(login) = qwen.poll(&transport, &code).await.unwrap() else { panic!("not done") };
    let Credential::Oauth(tokens) = &login.credential else { panic!() };
    assert_eq!((tokens.access.expose(), tokens.refresh.as_ref().unwrap().expose()), ("a", "r"));
    assert_eq!(tokens.fact("resource_url"), Some("portal.qwen.ai"));

    let polled = &server.seen()[2];
    assert!(!polled.headers.contains_key("x-request-id"));
    let sent = fields(&polled.text);
    assert_eq!(sent[0].1, "urn:ietf:params:oauth:grant-type:device_code");
    assert_eq!((sent[2].0.as_str(), sent[2].1.as_str()), ("device_code", "device-1"));
    let verifier = oauth2::PkceCodeVerifier::new(sent[3].1.clone());
    let challenge = fields(&asked.text)[2].1.clone();
    assert_eq!(oauth2::PkceCodeChallenge::from_code_verifier_sha256(&verifier).as_str(), challenge);
}

#[tokio::test]
async fn what_a_poll_is_answered() {
    enum Means {
        Pending,
        SlowDown,
        Unclear,
        Expired,
        Denied(&'static str),
        BadAnswer,
    }
    use Means::{BadAnswer, Denied, Expired, Pending, SlowDown, Unclear};
    let cases = [
        (400, r#"{"error":"authorization_pending"}"#, Pending),
        (200, r#"{"error":"authorization_pending","error_description":"x"}"#, Pending),
        (429, r#"{"error":"slow_down"}"#, SlowDown),
        (400, r#"{"error":"slow_down"}"#, SlowDown),
        (400, r#"{"error":"expired_token"}"#, Expired),
        (401, r#"{"error":"invalid_request"}"#, Expired),
        (401, "", Expired),
        (400, r#"{"error":"access_denied"}"#, Denied("access_denied")),
        (429, r#"{"error":"too_many"}"#, Denied("429, too_many")),
        (403, "<html>captcha</html>", Denied("403")),
        (400, r#"{"error":"odd","error_description":"device-1?"}"#, Denied("400, odd, …?")),
        (503, "", Unclear),
        (200, "<html>challenge</html>", BadAnswer),
        (200, r#"{"access_token":""}"#, BadAnswer),
        (200, "", BadAnswer),
    ];
    for (status, body, means) in cases {
        let server = TokenServer::start().await;
        let qwen = qwen(&server);
        server.script(Scripted::Answer(200, "", CODE.into()));
        let code = qwen.start(&transport(), &Answers::new()).await.unwrap();
        server.script(Scripted::Answer(status, "", body.into()));
        let found = qwen.poll(&transport(), &code).await;
        let fits = match (means, &found) {
            (Pending, Ok(Polled::Pending)) | (SlowDown, Ok(Polled::SlowDown(_))) => true,
            (Unclear, Ok(Polled::Unclear { .. })) => true,
            (Expired, Err(LoginError::CodeExpired)) | (BadAnswer, Err(LoginError::BadAnswer)) => true,
            (Denied(words), Err(LoginError::Denied { why })) => why == words,
            _ => false,
        };
        assert!(fits, "{status} {body}: {found:?}");
    }
}

#[tokio::test]
async fn no_code_is_given() {
    for (status, body, expected) in [
        (400, r#"{"error":"invalid_client"}"#, "the vendor does not begin this login (400, invalid_client)"),
        (200, r#"{"error":"invalid_scope","error_description":"no"}"#, "200, invalid_scope, no"),
        (403, "<html>", "the vendor cannot answer now (403, with a web page"),
        (200, "<html>", "the vendor's answer does not begin a login"),
        (
            200,
            r#"{"device_code":"d","user_code":"u","verification_uri":"javascript:alert(1)"}"#,
            "does not begin a login",
        ),
    ] {
        let server = TokenServer::start().await;
        server.script(Scripted::Answer(status, "", body.into()));
        let error = qwen(&server).start(&transport(), &Answers::new()).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{body}: {error}");
    }
}

#[tokio::test]
async fn a_refresh_and_what_it_leaves_out() {
    let server = TokenServer::start().await;
    let mut old = tokens(0);
    old.facts.insert("resource_url".into(), Secret::new("old.qwen.ai"));
    for (body, access, refresh, resource) in [
        (r#"{"access_token":"n","refresh_token":"s","resource_url":"new.qwen.ai"}"#, "n", "s", "new.qwen.ai"),
        (r#"{"access_token":"n"}"#, "n", "refresh-0", "old.qwen.ai"),
        (r#"{"access_token":"n","refresh_token":"","resource_url":null}"#, "n", "refresh-0", "old.qwen.ai"),
    ] {
        server.script(Scripted::Answer(200, "", body.into()));
        let (answer, _) = qwen(&server).refresh(&transport(), &old).await.unwrap();
        let new = answer.into_tokens(Some(&old), START);
        assert_eq!(new.access.expose(), access);
        assert_eq!(new.refresh.as_ref().unwrap().expose(), refresh, "{body}");
        assert_eq!(new.fact("resource_url"), Some(resource), "{body}");
    }
    let seen = &server.seen()[0];
    assert_eq!(
        seen.text,
        "grant_type=refresh_token&refresh_token=refresh-0&client_id=f0304373b74a44d2b584a3fb70ca9e56"
    );
    assert_eq!(seen.headers["content-type"], "application/x-www-form-urlencoded");
}

#[tokio::test]
async fn what_a_refused_refresh_means() {
    enum Means {
        Dead,
        Later(bool),
        Config,
    }
    use Means::{Config, Dead, Later};
    let cases = [
        (400, r#"{"error":"invalid_grant","error_description":"refresh-0 is dead"}"#, Dead),
        (400, r#"{"error":"invalid_request"}"#, Dead),
        (401, r#"{"error":"anything"}"#, Dead),
        (200, r#"{"error":"invalid_grant"}"#, Dead),
        (400, "<html>captcha</html>", Later(false)),
        (401, "", Later(false)),
        (403, r#"{"error":"waf"}"#, Later(false)),
        (429, r#"{"error":"slow_down"}"#, Later(false)),
        (500, "", Later(false)),
        (200, r#"{"error":"server_error"}"#, Later(false)),
        (200, "", Later(true)),
        (200, "<html>", Later(true)),
        (404, "", Config),
    ];
    for (status, body, means) in cases {
        let server = TokenServer::start().await;
        server.script(Scripted::Answer(status, "", body.into()));
        let error = qwen(&server).refresh(&transport(), &tokens(0)).await.unwrap_err();
        let fits = match (means, &error) {
            (Dead, RefreshError::Permanent { state: AccountState::NeedsLogin { reason } }) => {
                reason.contains("byok login qwen") && !reason.contains("refresh-0")
            }
            (Later(spent), RefreshError::Transient { maybe_spent, .. }) => *maybe_spent == spent,
            (Config, RefreshError::Config { .. }) => true,
            _ => false,
        };
        assert!(fits, "{status} {body}: {error:?}");
    }
    let mut bare = tokens(0);
    bare.refresh = None;
    let server = TokenServer::start().await;
    let error = qwen(&server).refresh(&transport(), &bare).await.unwrap_err();
    assert!(matches!(error, RefreshError::Permanent { .. }));
    assert_eq!(server.posts(), 0);
}

#[tokio::test]
async fn keys() {
    let server = TokenServer::start().await;
    let (qwen, answers) = (qwen(&server), Answers::new());
    let one = qwen.finish(&transport(), Secret::new("sk-sp-0123456789"), &answers).await.unwrap();
    let two = qwen.finish(&transport(), Secret::new("sk-0123456789"), &answers).await.unwrap();
    assert!(one.details.identity.is_some() && one.details.identity != two.details.identity);
    for bad in ["", "sk-", "AIza0123456789", "sk-01234 56789", "sk-0123456789ü"] {
        let error = qwen.finish(&transport(), Secret::new(bad), &answers).await.unwrap_err();
        assert!(matches!(error, LoginError::NotUsable { .. }), "{bad}: {error:?}");
    }
    assert!(server.seen().is_empty(), "nobody is asked");
}

#[test]
fn the_file_of_qwen_code() {
    let none = |_: &str| None;
    let places = QwenCode.places(Path::new("/home/ada"), &none);
    assert_eq!(places[0].file, Path::new("/home/ada/.qwen/oauth_creds.json"));
    let own = |name: &str| (name == "QWEN_HOME").then(|| "/srv/qwen".to_owned());
    assert_eq!(QwenCode.places(Path::new("/h"), &own)[0].file, Path::new("/srv/qwen/oauth_creds.json"));

    let good = br#"{"access_token":"a","refresh_token":"r","token_type":"Bearer","resource_url":"portal.qwen.ai","expiry_date":1800000000500}"#;
    let found = QwenCode.read("oauth_creds.json", good, START).unwrap();
    assert_eq!((found.len(), found[0].shared_rotation), (1, true));
    let Credential::Oauth(tokens) = &found[0].login.credential else { panic!() };
    assert_eq!(tokens.expires_at, Some(1_800_000_000));
    assert_eq!(tokens.fact("resource_url"), Some("portal.qwen.ai"));

    for (content, why) in [
        ("", "it is empty"),
        (" \n", "it is empty"),
        (r#"{"access_token":"a","refresh_tok"#, "it is not JSON"),
        ("[]", "it has no `access_token`"),
        (r#"{"access_token":7,"refresh_token":"r"}"#, "it has no `access_token`"),
        (r#"{"access_token":"a","refresh_token":""}"#, "it has no `refresh_token`"),
        (r#"{"access_token":"a","refresh_token":"r"}"#, "it has no `token_type`"),
        (
            r#"{"access_token":"a","refresh_token":"r","token_type":"Bearer","expiry_date":"2026"}"#,
            "its `expiry_date` is not a number",
        ),
    ] {
        let error = QwenCode.read("oauth_creds.json", content.as_bytes(), START).unwrap_err();
        assert_eq!(error, ImportError::NotReadable { by: "Qwen Code", why }, "{content}");
    }
}
