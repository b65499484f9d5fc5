use super::{ServiceAccount, Vertex};
use crate::{
    Answers, Clock, FileLogin as _, How, LoginError, Network, RefreshError, Refresher as _, Urls,
    testing::{START, Scripted, TestClock, TokenServer, transport},
};
use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use byok_config::{HttpUrl, UrlName};
use byok_types::{AccountState, Credential, OauthTokens, Secret};
use indexmap::IndexMap;
use serde_json::{Value, json};
use std::sync::{Arc, LazyLock};

/// A key for these tests, made anew in every run.
static KEY: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate(KeySize::Rsa2048).unwrap());

fn pem() -> String {
    let der: Pkcs8V1Der<'_> = KEY.as_der().unwrap();
    let text = STANDARD.encode(der.as_ref());
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
}

fn file(private_key: &str) -> Value {
    json!({
        "type": "service_account", "project_id": "proj-1", "private_key_id": "kid-1", "private_key": private_key,
        "client_email": "robot@proj-1.iam.gserviceaccount.com", "client_id": "1", "token_uri": "https://oauth2.googleapis.com/token",
        "universe_domain": "googleapis.com",
    })
}

fn at(server: &TokenServer) -> Vertex {
    at_address(server.url("/token").as_str())
}

fn at_address(token: &str) -> Vertex {
    let url: HttpUrl = serde_json::from_value(json!(token)).unwrap();
    let urls: IndexMap<UrlName, HttpUrl> = [(UrlName::Token, url)].into();
    let clock: Arc<dyn Clock> = TestClock::start();
    Vertex::new(&Urls::new(&urls), Network::default(), clock)
}

fn bought(server: &TokenServer) {
    server.script(Scripted::Answer(
        200,
        "",
        r#"{"access_token":"ya29.x","expires_in":3599,"token_type":"Bearer"}"#.into(),
    ));
}

async fn log_in(server: &TokenServer, content: &str, location: &str) -> Result<crate::NewLogin, LoginError> {
    let answers: Answers = [("location".to_owned(), location.to_owned())].into();
    at(server).finish(&transport(), &Secret::new(content), &answers).await
}

#[test]
fn the_audience_is_the_same_wherever_the_token_is_bought() {
    for endpoint in ["https://oauth2.googleapis.com/token", "https://sts.googleapis.com/v1/token"] {
        let mut content = file(&pem());
        content["token_uri"] = json!(endpoint);
        let account = ServiceAccount::read(&content.to_string()).unwrap();
        assert_eq!(account.token_uri.as_str(), endpoint);
        let statement = account.statement(START).unwrap();
        let claims = URL_SAFE_NO_PAD.decode(statement.split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["aud"], "https://oauth2.googleapis.com/token");
    }
}

#[tokio::test]
async fn a_signed_statement_buys_a_token() {
    let server = TokenServer::start().await;
    bought(&server);
    let done = log_in(&server, &file(&pem()).to_string(), "europe-west4").await.unwrap();
    let Credential::Oauth(tokens) = &done.credential else { panic!() };
    assert_eq!((tokens.access.expose(), tokens.expires_at), ("ya29.x", Some(START + 3599)));
    assert_eq!((tokens.fact("project"), tokens.fact("location")), (Some("proj-1"), Some("europe-west4")));
    assert_eq!(
        done.details.identity.as_deref(),
        Some("robot@proj-1.iam.gserviceaccount.com proj-1 europe-west4")
    );
    check_statement(&server, 0);

    // A refresh signs anew, and keeps the key.
    bought(&server);
    let vertex = at(&server);
    let (answer, _) = vertex.refresh(&transport(), tokens).await.unwrap();
    assert!(answer.refresh.is_none() && !vertex.rotates());
    check_statement(&server, 1);
    assert!(!format!("{done:?}").contains(tokens.refresh.as_ref().unwrap().expose()));
}

fn check_statement(server: &TokenServer, number: usize) {
    let seen = &server.seen()[number];
    assert_eq!(seen.headers["content-type"], "application/x-www-form-urlencoded");
    let form: Vec<(String, String)> =
        url::form_urlencoded::parse(seen.text.as_bytes()).into_owned().collect();
    assert_eq!(form[0], ("grant_type".into(), "urn:ietf:params:oauth:grant-type:jwt-bearer".into()));
    assert_eq!((form[1].0.as_str(), form.len()), ("assertion", 2));
    let parts: Vec<&str> = form[1].1.split('.').collect();
    let json = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    assert_eq!(json(parts[0]), json!({"alg": "RS256", "typ": "JWT", "kid": "kid-1"}));
    assert_eq!(
        json(parts[1]),
        json!({
            "iss": "robot@proj-1.iam.gserviceaccount.com", "scope": "https://www.googleapis.com/auth/cloud-platform",
            "aud": "https://oauth2.googleapis.com/token", "iat": START, "exp": START + 3600,
        })
    );
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, KEY.public_key().as_ref());
    let signed = format!("{}.{}", parts[0], parts[1]);
    key.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(parts[2]).unwrap()).unwrap();
}

#[tokio::test]
async fn keys_as_people_paste_them() {
    let pem = pem();
    let bare = pem.lines().filter(|line| !line.starts_with('-')).collect::<String>();
    let ways = [
        pem.replace('\n', "\r\n"),
        pem.replace('\n', "\\n"),
        pem.replace('\n', " "),
        format!("\u{1b}[32m{pem}\u{1b}[0m"),
        bare,
        pem.replace("PRIVATE KEY", "RSA PRIVATE KEY"),
    ];
    for way in ways {
        let server = TokenServer::start().await;
        bought(&server);
        log_in(&server, &file(&way).to_string(), "global")
            .await
            .unwrap_or_else(|error| panic!("{error}: {way:.60}"));
    }
}

#[tokio::test]
async fn files_that_are_no_service_account() {
    let with = |name: &str, value: Value| {
        let mut file = file(&pem());
        file[name] = value;
        file.to_string()
    };
    let cases = [
        (String::new(), "whole JSON"),
        ("{\"type\":\"service_acc".into(), "whole JSON"),
        ("[]".into(), "service_account"),
        (with("type", json!("authorized_user")), "login of gcloud"),
        (with("type", json!("external_account")), "service_account"),
        (with("project_id", json!("")), "project_id"),
        (with("project_id", json!("a/../b")), "project_id"),
        (with("client_email", Value::Null), "client_email"),
        (
            with("private_key", json!("-----BEGIN PRIVATE KEY-----\ncanary!\n-----END PRIVATE KEY-----")),
            "PEM",
        ),
        (with("private_key", json!("Y2FuYXJ5")), "no RSA key"),
    ];
    let server = TokenServer::start().await;
    for (content, words) in cases {
        let error = log_in(&server, &content, "global").await.unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, LoginError::NotUsable { .. }) && text.contains(words), "{text}");
        assert!(!text.contains("canary") && !text.contains("Y2Fu"), "{text}");
    }
    for location in ["", "Global", "a.b", "-x", "us/../x", "evil.test#"] {
        let error = log_in(&server, &file(&pem()).to_string(), location).await.unwrap_err();
        assert!(error.to_string().contains("location"), "{location}: {error}");
    }
    assert_eq!(server.seen().len(), 0, "nothing was sent");

    // A file from anywhere decides about no address.
    for address in
        ["https://evil.test/token", "http://oauth2.googleapis.com/token", "https://googleapis.com.evil.test/"]
    {
        let mut content = file(&pem());
        content["token_uri"] = json!(address);
        let content = content.to_string();
        let vertex = Vertex::new(&Urls::none(), Network::default(), TestClock::start());
        let none = Answers::new();
        let usual = vertex.finish(&transport(), &Secret::new(&*content), &none).await.unwrap_err();
        let own_address = log_in(&server, &content, "global").await.unwrap_err();
        let imported = super::imported(&content, "global").unwrap_err();
        for error in [usual.to_string(), own_address.to_string(), imported] {
            assert!(error.contains("its `token_uri` is not an address of Google"), "{error}");
        }
    }
    assert_eq!(server.seen().len(), 0, "nothing was sent");
}

#[tokio::test]
async fn a_network_that_is_down_refuses_nobody() {
    // Nobody listens there.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let vertex = at_address(&format!("http://{address}/token"));
    let content = Secret::new(file(&pem()).to_string());
    let error = vertex.finish(&transport(), &content, &Answers::new()).await.unwrap_err();
    assert!(matches!(error, LoginError::Transport(_)), "{error}");
    assert!(
        !error.to_string().contains("refused the") && error.to_string().contains("could not be reached"),
        "{error}"
    );
}

#[tokio::test]
async fn what_refusals_mean() {
    let grant = |words: &str| format!(r#"{{"error":"invalid_grant","error_description":"{words}"}}"#);
    // The state of the account, if the key is dead; else what byok says.
    let cases = [
        (
            400,
            grant("Invalid JWT Signature."),
            true,
            "`Invalid JWT Signature.`: the key of the service account was",
        ),
        (400, grant("Invalid grant: account not found"), true, "not found`: the service account was deleted"),
        (
            400,
            grant("Invalid grant: account is disabled"),
            true,
            "whether account and key are there and switched on",
        ),
        (
            401,
            r#"{"error":"unauthorized_client"}"#.into(),
            true,
            "`unauthorized_client`: the service account may not",
        ),
        (400, r#"{"error":"invalid_scope"}"#.into(), true, "`invalid_scope`: the service account may not"),
        (
            400,
            grant(
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.",
            ),
            false,
            "clock",
        ),
        (400, r#"{"error":"internal_failure"}"#.into(), false, "internal_failure"),
        (408, String::new(), false, "408"),
        (429, String::new(), false, "429"),
        (503, String::new(), false, "503"),
        (200, "<html>".into(), false, "without a token"),
    ];
    let start = TokenServer::start().await;
    bought(&start);
    let done = log_in(&start, &file(&pem()).to_string(), "global").await.unwrap();
    let Credential::Oauth(tokens) = done.credential else { panic!() };
    for (status, body, dead, words) in cases {
        let server = TokenServer::start().await;
        server.script(Scripted::Answer(status, "", body));
        let error = at(&server).refresh(&transport(), &tokens).await.unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        match error {
            RefreshError::Permanent { state: AccountState::NeedsLogin { reason } } => {
                assert!(dead && reason.contains("key file") | reason.contains("its file"), "{reason}");
                assert!(reason.contains("byok login vertex") && !reason.contains("log in again"), "{reason}");
            }
            RefreshError::Transient { .. } => assert!(!dead, "{words}"),
            other => panic!("{other:?}"),
        }
    }
    let partial = OauthTokens { facts: byok_types::TokenFacts::new(), ..tokens };
    let error = at(&start).refresh(&transport(), &partial).await.unwrap_err();
    assert!(matches!(error, RefreshError::Permanent { .. }), "{error:?}");
}

#[tokio::test]
async fn an_express_key_is_kept() {
    let vendor = super::vendor(&Urls::none(), Network::default());
    let How::Key(login) = &vendor.methods[1].how else { panic!() };
    let none = Answers::new();
    let done = login.finish(&transport(), Secret::new("AQ.x"), &none).await.unwrap();
    assert!(matches!(done.credential, Credential::ApiKey(_)));
    login.finish(&transport(), Secret::new("a b"), &none).await.unwrap_err();
}

#[tokio::test]
async fn a_key_file_of_another_program_buys_its_token_at_its_first_use() {
    let server = TokenServer::start().await;
    let login = super::imported(&file(&pem()).to_string(), "us-central1").unwrap();
    assert_eq!(
        login.details.identity.as_deref(),
        Some("robot@proj-1.iam.gserviceaccount.com proj-1 us-central1")
    );
    let Credential::Oauth(tokens) = login.credential else { panic!() };
    assert_eq!((tokens.expires_at, tokens.fact("location")), (Some(0), Some("us-central1")));
    bought(&server);
    let (answer, _) = at(&server).refresh(&transport(), &tokens).await.unwrap();
    assert_eq!(answer.access.expose(), "ya29.x");
}
