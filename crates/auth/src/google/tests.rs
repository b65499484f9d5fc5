#![expect(clippy::too_many_lines, reason = "a table of cases")]

use crate::{
    Answers, AuthorizationCode, BrowserLogin as _, Import as _, ImportError, KeyLogin as _, LoginError,
    Network, Redirect, RefreshError, Refresher as _, Revoke as _, Urls,
    antigravity::{self, Antigravity},
    gemini::{self, Gemini},
    google::GeminiKey,
    testing::{Scripted, TokenServer, account, tokens, transport},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use byok_config::{HttpUrl, UrlName};
use byok_types::{Account, AccountState, Credential, Secret};
use indexmap::IndexMap;
use serde_json::{Value, json};
use std::{path::Path, time::Duration};
use url::Url;

const SECRET: &str = "canary-secret";

fn network() -> Network {
    Network { client_secret: Some(Secret::new(SECRET)), ..Network::default() }
}

fn urls(server: &TokenServer) -> IndexMap<UrlName, HttpUrl> {
    let names = [
        (UrlName::Authorize, "/authorize"),
        (UrlName::Token, "/token"),
        (UrlName::Profile, "/profile"),
        (UrlName::Revoke, "/revoke"),
        (UrlName::Projects, "/v1internal:loadCodeAssist"),
        (UrlName::Onboard, "/v1internal:onboardUser"),
    ];
    let url = |path| serde_json::from_value(json!(server.url(path).as_str())).unwrap();
    names.into_iter().map(|(name, path)| (name, url(path))).collect()
}

fn gemini_at(server: &TokenServer) -> Gemini {
    let mut gemini = Gemini::new(&Urls::new(&urls(server)), network());
    gemini.assist.pause = Duration::from_millis(1);
    gemini
}

fn antigravity_at(server: &TokenServer) -> Antigravity {
    let mut antigravity = Antigravity::new(&Urls::new(&urls(server)), network());
    antigravity.assist.pause = Duration::from_millis(1);
    antigravity
}

fn says(server: &TokenServer, status: u16, body: &Value) {
    server.script(Scripted::Answer(status, "", body.to_string()));
}

/// The answers of a login up to the lookup of the project.
fn good_tokens(server: &TokenServer) {
    says(
        server,
        200,
        &json!({"access_token": "a", "refresh_token": "r", "expires_in": 3599, "scope": "x y"}),
    );
    says(server, 200, &json!({"id": "42", "email": "ada@example.org"}));
}

fn answers(pairs: &[(&str, &str)]) -> Answers {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn form(text: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

#[test]
fn the_addresses_are_the_vendors() {
    let gemini = Gemini::new(&Urls::none(), Network::default());
    let antigravity = Antigravity::new(&Urls::none(), Network::default());
    for (client, assist) in [(&gemini.client, &gemini.assist), (&antigravity.client, &antigravity.assist)] {
        for url in [&client.authorize, &client.token, &client.profile, &assist.load, &assist.onboard] {
            let host = url.host_str().unwrap();
            assert!(
                url.scheme() == "https"
                    && (host.ends_with(".googleapis.com") || host == "accounts.google.com"),
                "{url}"
            );
        }
        assert!(client.revoke.is_none());
    }
    assert_eq!(antigravity.assist.onboard.host_str(), Some("daily-cloudcode-pa.googleapis.com"));
}

#[test]
fn the_authorize_urls() {
    let callback = Url::parse("http://localhost:5/x").unwrap();
    let gemini = Gemini::new(&Urls::none(), network());
    let antigravity = Antigravity::new(&Urls::none(), network());
    let cases = [
        (gemini.begin(Redirect::Callback(callback.clone())), gemini::CLIENT_ID, 3, "http://localhost:5/x"),
        (gemini.begin(Redirect::Pasted), gemini::CLIENT_ID, 3, "https://codeassist.google.com/authcode"),
        (antigravity.begin(Redirect::Callback(callback)), antigravity::CLIENT_ID, 5, "http://localhost:5/x"),
        (
            antigravity.begin(Redirect::Pasted),
            antigravity::CLIENT_ID,
            5,
            "https://antigravity.google/oauth-callback",
        ),
    ];
    for (login, id, scopes, redirect) in cases {
        let url = &login.authorize_url;
        assert!(url.as_str().starts_with("https://accounts.google.com/o/oauth2/v2/auth?"), "{url}");
        let value =
            |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        assert_eq!(value("client_id").as_deref(), Some(id));
        assert_eq!(value("redirect_uri").as_deref(), Some(redirect));
        assert_eq!(value("scope").unwrap().split(' ').count(), scopes);
        for (name, wanted) in [
            ("response_type", "code"),
            ("access_type", "offline"),
            ("prompt", "consent"),
            ("code_challenge_method", "S256"),
        ] {
            assert_eq!(value(name).as_deref(), Some(wanted), "{name}");
        }
        assert_eq!(value("state").as_deref(), Some(login.state.expose()));
        assert!(!url.as_str().contains(SECRET));
    }
    assert_eq!((gemini.callback().host, gemini.callback().path), ("127.0.0.1", "/oauth2callback"));
    assert_eq!((antigravity.callback().host, antigravity.callback().path), ("localhost", "/oauth-callback"));
}

#[tokio::test]
async fn without_the_secret_nobody_logs_in_for_nothing() {
    let gemini = Gemini::new(&Urls::none(), Network::default());
    let error = gemini.ready().unwrap_err();
    assert!(
        matches!(&error, LoginError::NotReady { why } if why.contains("providers.gemini.client_secret")),
        "{error}"
    );
    let antigravity = Antigravity::new(&Urls::none(), Network::default());
    let error = antigravity.ready().unwrap_err();
    assert!(
        matches!(&error, LoginError::NotReady { why }
            if why.contains("antigravity/constants.go") && why.contains("providers.antigravity.client_secret")),
        "{error}"
    );
    let error = antigravity.refresh(&transport(), &tokens(0)).await.unwrap_err();
    assert!(matches!(&error, RefreshError::Config { why } if why.contains("client_secret")), "{error}");
    let error = gemini.refresh(&transport(), &tokens(0)).await.unwrap_err();
    assert!(matches!(&error, RefreshError::Config { why } if why.contains("client_secret")), "{error}");
}

#[tokio::test]
async fn a_login_and_what_is_asked() {
    let server = TokenServer::start().await;
    good_tokens(&server);
    says(
        &server,
        200,
        &json!({
            "currentTier": {"id": "standard-tier", "name": "Standard"}, "cloudaicompanionProject": "managed-1",
            "paidTier": {"id": "g1-pro-tier", "name": "Google AI Pro"},
        }),
    );
    let gemini = gemini_at(&server);
    let login = gemini.begin(Redirect::Pasted);
    let with = answers(&[("project", "mine-1")]);
    let done =
        gemini.finish_with(&transport(), &login, AuthorizationCode::new("code-1"), &with).await.unwrap();
    let Credential::Oauth(got) = &done.credential else { panic!() };
    assert_eq!(got.fact("project"), Some("managed-1"), "the answer's project, not the one asked with");
    assert_eq!(got.refresh.as_ref().unwrap().expose(), "r");
    assert_eq!(done.details.identity.as_deref(), Some("42"));
    assert_eq!(done.details.email.as_deref(), Some("ada@example.org"));
    assert_eq!(done.details.plan.as_deref(), Some("Google AI Pro"));

    let seen = server.seen();
    assert_eq!(seen[0].headers["content-type"], "application/x-www-form-urlencoded");
    let expected = [
        ("grant_type", "authorization_code"),
        ("code", "code-1"),
        ("client_id", gemini::CLIENT_ID),
        ("client_secret", SECRET),
        ("redirect_uri", "https://codeassist.google.com/authcode"),
        ("code_verifier", login.verifier.expose()),
    ];
    assert_eq!(form(&seen[0].text), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!((seen[1].method.as_str(), seen[1].path.as_str()), ("GET", "/profile"));
    assert_eq!(seen[1].headers["authorization"], "Bearer a");
    assert_eq!(seen[2].path, "/v1internal:loadCodeAssist");
    assert_eq!(seen[2].headers["authorization"], "Bearer a");
    assert!(seen[2].headers["user-agent"].to_str().unwrap().starts_with("byok/"));
    assert_eq!(
        seen[2].json,
        json!({
            "metadata": {
                "ideType": "IDE_UNSPECIFIED", "platform": "PLATFORM_UNSPECIFIED", "pluginType": "GEMINI", "duetProject": "mine-1",
            },
            "cloudaicompanionProject": "mine-1",
        })
    );
    assert!(!format!("{done:?}").contains("managed-1"), "facts are secrets");
}

/// What a lookup leads to.
#[derive(Debug, PartialEq)]
enum Ends {
    Project(&'static str, Option<&'static str>),
    /// With these words.
    NoAccess(&'static str),
    BadAnswer,
}

/// One case: project named, answers in order, end, body of the last request.
type Case = (Option<&'static str>, Vec<(u16, Value)>, Ends, Option<Value>);

#[tokio::test]
async fn where_the_project_comes_from() {
    let unsupported = json!({"ineligibleTiers": [{
        "reasonCode": "UNSUPPORTED_CLIENT", "tierId": "free-tier",
        "reasonMessage": "This client is no longer supported for Gemini Code Assist for individuals.",
    }]});
    let error = |status: u16, reason: &str| json!({"error": {"code": status, "message": "words", "status": "PERMISSION_DENIED", "details": [{"reason": reason}]}});
    let free = json!({"allowedTiers": [{"id": "legacy-tier"}, {"id": "free-tier", "name": "Free", "isDefault": true}]});
    let own = json!({"allowedTiers": [{"id": "standard-tier", "isDefault": true, "userDefinedCloudaicompanionProject": true}]});
    let metadata =
        json!({"ideType": "IDE_UNSPECIFIED", "platform": "PLATFORM_UNSPECIFIED", "pluginType": "GEMINI"});
    let mut with_project = metadata.clone();
    with_project["duetProject"] = json!("mine-1");
    let cases: Vec<Case> = vec![
        (
            None,
            vec![(
                200,
                json!({"currentTier": {"id": "t"}, "cloudaicompanionProject": {"id": "p", "name": "P"}}),
            )],
            Ends::Project("p", Some("t")),
            Some(json!({"metadata": metadata})),
        ),
        (
            Some("mine-1"),
            vec![(200, json!({"currentTier": {"id": "t"}}))],
            Ends::Project("mine-1", Some("t")),
            None,
        ),
        (None, vec![(200, json!({"currentTier": {"id": "t"}}))], Ends::NoAccess("--with project=ID"), None),
        (None, vec![(200, unsupported.clone())], Ends::NoAccess("byok login antigravity"), None),
        (
            None,
            vec![(
                200,
                json!({"currentTier": {"id": "t"}, "ineligibleTiers": [{"reasonCode": "UNSUPPORTED_LOCATION", "reasonMessage": "Not in your country."}]}),
            )],
            Ends::NoAccess("Not in your country."),
            None,
        ),
        (
            None,
            vec![(
                200,
                json!({"ineligibleTiers": [{"reasonCode": "VALIDATION_REQUIRED", "validationUrl": "https://accounts.google.com/verify"}]}),
            )],
            Ends::NoAccess("https://accounts.google.com/verify"),
            None,
        ),
        // The free tier is set up without a project.
        (
            Some("mine-1"),
            vec![
                (200, free.clone()),
                (200, json!({"name": "operations/1", "done": false})),
                (200, json!({"done": true, "response": {"cloudaicompanionProject": {"id": "made"}}})),
            ],
            Ends::Project("made", Some("Free")),
            Some(json!({"tierId": "free-tier", "metadata": metadata})),
        ),
        (
            Some("mine-1"),
            vec![
                (200, own.clone()),
                (200, json!({"done": true, "response": {"cloudaicompanionProject": "other"}})),
            ],
            Ends::Project("other", Some("standard-tier")),
            Some(
                json!({"tierId": "standard-tier", "metadata": with_project, "cloudaicompanionProject": "mine-1"}),
            ),
        ),
        (None, vec![(200, own)], Ends::NoAccess("--with project=ID"), None),
        (
            Some("mine-1"),
            vec![(403, error(403, "SECURITY_POLICY_VIOLATED"))],
            Ends::Project("mine-1", Some("standard-tier")),
            None,
        ),
        (
            None,
            vec![(403, error(403, "SUBSCRIPTION_REQUIRED"))],
            Ends::NoAccess("SUBSCRIPTION_REQUIRED"),
            None,
        ),
        (None, vec![(429, error(429, "RATE_LIMIT_EXCEEDED"))], Ends::NoAccess("some minutes"), None),
        (None, vec![(503, json!({}))], Ends::NoAccess("(503); log in again in some minutes"), None),
        (None, vec![(403, json!({}))], Ends::NoAccess("Google does not say why (403)"), None),
        (None, vec![(200, json!([]))], Ends::BadAnswer, None),
    ];
    for (project, script, expected, last) in cases {
        let server = TokenServer::start().await;
        good_tokens(&server);
        for (status, body) in &script {
            says(&server, *status, body);
        }
        let gemini = gemini_at(&server);
        let login = gemini.begin(Redirect::Pasted);
        let with = answers(&project.map(|project| ("project", project)).into_iter().collect::<Vec<_>>());
        let end = gemini.finish_with(&transport(), &login, AuthorizationCode::new("c"), &with).await;
        match (end, &expected) {
            (Ok(done), Ends::Project(project, plan)) => {
                let Credential::Oauth(tokens) = &done.credential else { panic!() };
                assert_eq!(
                    (tokens.fact("project"), done.details.plan.as_deref()),
                    (Some(*project), *plan),
                    "{script:?}"
                );
            }
            (Err(LoginError::NoAccess { why }), Ends::NoAccess(words)) => {
                assert!(why.contains(words), "{why}");
                assert!(!why.contains(", )") && !why.contains("``") && !why.starts_with(' '), "{why}");
            }
            (Err(LoginError::BadAnswer), Ends::BadAnswer) => {}
            (other, _) => panic!("{expected:?}: {other:?}"),
        }
        if let Some(last) = last {
            assert_eq!(server.seen().last().unwrap().json, last);
        }
    }
}

#[test]
fn a_project_is_named_by_its_id() {
    for (answer, expected) in [
        ("auto", Ok(None)),
        ("", Ok(None)),
        (" my-project-1 ", Ok(Some("my-project-1"))),
        ("123456", Err(())),
        ("a/b", Err(())),
    ] {
        let got = super::code_assist::named_project(Some(answer)).map_err(drop);
        assert_eq!(got, expected, "{answer}");
    }
}

#[tokio::test]
async fn antigravity_says_who_it_is_only_with_consent() {
    for consented in [false, true] {
        let server = TokenServer::start().await;
        good_tokens(&server);
        says(&server, 200, &json!({"allowedTiers": [{"id": "free-tier", "isDefault": true}]}));
        says(&server, 200, &json!({"done": true, "response": {"cloudaicompanionProject": "zinc-1"}}));
        let antigravity = antigravity_at(&server);
        let login = antigravity.begin(Redirect::Pasted);
        let with = if consented { answers(&[(antigravity::CLAIM, "")]) } else { Answers::new() };
        let done =
            antigravity.finish_with(&transport(), &login, AuthorizationCode::new("c"), &with).await.unwrap();
        let Credential::Oauth(tokens) = &done.credential else { panic!() };
        let seen = server.seen();
        if !consented {
            assert_eq!((tokens.fact("project"), seen.len()), (None, 2), "nothing was said");
            continue;
        }
        assert_eq!(tokens.fact("project"), Some("zinc-1"));
        assert_eq!(seen[2].json, json!({"metadata": {"ideType": "ANTIGRAVITY"}}));
        assert_eq!(seen[3].json, json!({"tierId": "free-tier", "metadata": {"ideType": "ANTIGRAVITY"}}));
        assert_eq!(
            (&seen[2].headers["user-agent"], &seen[3].headers["user-agent"]),
            (&"antigravity".parse().unwrap(), &"antigravity".parse().unwrap())
        );
        assert!(
            seen[..2].iter().all(|seen| seen.headers["user-agent"].to_str().unwrap().starts_with("byok/"))
        );
    }
}

#[tokio::test]
async fn codes_that_are_refused_and_answers_that_are_none() {
    let cases = [
        (
            400,
            r#"{"error":"invalid_grant","error_description":"Malformed auth code canary-code"}"#,
            "Malformed auth code …",
        ),
        (401, r#"{"error":"invalid_client","error_description":"canary-secret is wrong"}"#, "… is wrong"),
        (200, "<html>", "something else than tokens"),
        (200, r#"{"access_token":"a","expires_in":1}"#, "no token that can be renewed"),
    ];
    for (status, body, words) in cases {
        let server = TokenServer::start().await;
        server.script(Scripted::Answer(status, "", body.into()));
        let gemini = gemini_at(&server);
        let login = gemini.begin(Redirect::Pasted);
        let error =
            gemini.finish(&transport(), &login, AuthorizationCode::new("canary-code")).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains(words) && !text.contains("canary"), "{text}");
    }
}

/// What an answer of the token endpoint does to the account.
#[derive(Debug, PartialEq)]
enum Does {
    NeedLogin(&'static str),
    Wait(Option<u64>),
    WaitMaybeSpent,
    Config(&'static str),
}

#[tokio::test]
async fn what_refusals_of_a_refresh_mean() {
    let cases = [
        (
            400,
            "",
            r#"{"error":"invalid_grant","error_description":"Token has been expired or revoked."}"#,
            Does::NeedLogin("expired or revoked"),
        ),
        (
            400,
            "",
            r#"{"error":"invalid_grant","error_description":"Bad Request"}"#,
            Does::NeedLogin("Bad Request"),
        ),
        (
            400,
            "",
            r#"{"error":"invalid_grant","error_subtype":"invalid_rapt"}"#,
            Does::NeedLogin("Workspace"),
        ),
        (
            400,
            "",
            r#"{"error":"invalid_grant","error_subtype":"rapt_required"}"#,
            Does::NeedLogin("Workspace"),
        ),
        (401, "", r#"{"error":"unauthorized_client"}"#, Does::NeedLogin("another application")),
        (
            401,
            "",
            r#"{"error":"invalid_client","error_description":"The provided client secret is invalid."}"#,
            Does::Config("client_secret"),
        ),
        (400, "", r#"{"error":"invalid_request"}"#, Does::Config("invalid_request")),
        (400, "", r#"{"error":"internal_failure"}"#, Does::Wait(None)),
        (400, "", r#"{"error":"server_error"}"#, Does::Wait(None)),
        (401, "", r#"{"error":"temporarily_unavailable"}"#, Does::Wait(None)),
        (408, "", "", Does::Wait(None)),
        (429, "retry-after: 30", "", Does::Wait(Some(30))),
        (429, "", "", Does::Wait(Some(60))),
        (500, "", "<html>", Does::Wait(None)),
        (503, "", "", Does::Wait(None)),
        (200, "", "<html>", Does::WaitMaybeSpent),
        (200, "", "{}", Does::WaitMaybeSpent),
    ];
    for (status, header, body, expected) in cases {
        let server = TokenServer::start().await;
        server.script(Scripted::Answer(status, header, body.into()));
        let error = gemini_at(&server).refresh(&transport(), &tokens(0)).await.unwrap_err();
        let text = error.to_string();
        assert!(!text.contains("refresh-0") && !text.contains(SECRET), "{text}");
        match (error, &expected) {
            (
                RefreshError::Permanent { state: AccountState::NeedsLogin { reason } },
                Does::NeedLogin(words),
            ) => {
                assert!(reason.contains(words) && reason.contains("byok login gemini"), "{reason}");
            }
            (RefreshError::Config { why }, Does::Config(words)) => assert!(why.contains(words), "{why}"),
            (RefreshError::Transient { maybe_spent: true, .. }, Does::WaitMaybeSpent) => {}
            (RefreshError::Transient { retry_after, maybe_spent: false, .. }, Does::Wait(wait)) => {
                assert_eq!(retry_after.as_ref().map(Duration::as_secs), *wait, "{body}");
            }
            (other, _) => panic!("{body}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_refresh_and_the_project_that_an_import_lacks() {
    let server = TokenServer::start().await;
    let antigravity = antigravity_at(&server);
    let mut old = tokens(0);
    old.facts.insert("project".into(), Secret::new("p"));
    says(&server, 200, &json!({"access_token": "a2", "expires_in": 3599}));
    let (answer, _) = antigravity.refresh(&transport(), &old).await.unwrap();
    let new = answer.into_tokens(Some(&old), 0);
    assert_eq!((new.refresh.unwrap().expose(), new.facts["project"].expose()), ("refresh-0", "p"), "kept");
    let sent = form(&server.seen()[0].text);
    let expected = [
        ("client_id", antigravity::CLIENT_ID),
        ("client_secret", SECRET),
        ("grant_type", "refresh_token"),
        ("refresh_token", "refresh-0"),
    ];
    assert_eq!(sent, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert!(!antigravity.rotates());

    for (claims, project) in [(vec![], None), (vec![antigravity::CLAIM.to_owned()], Some("found"))] {
        let server = TokenServer::start().await;
        says(&server, 200, &json!({"access_token": "a3"}));
        says(&server, 200, &json!({"id": "42"}));
        says(&server, 200, &json!({"currentTier": {"id": "t"}, "cloudaicompanionProject": "found"}));
        let account = Account { claims, ..account("a") };
        let (answer, _) =
            antigravity_at(&server).refresh_as(&transport(), &tokens(0), &account).await.unwrap();
        assert_eq!(answer.facts.get("project").map(Secret::expose), project);
    }

    let server = TokenServer::start().await;
    says(&server, 200, &json!({"access_token": "a3"}));
    says(&server, 200, &json!({"id": "42"}));
    says(
        &server,
        200,
        &json!({"ineligibleTiers": [{"reasonCode": "UNSUPPORTED_CLIENT", "reasonMessage": "No longer."}]}),
    );
    let error = gemini_at(&server).refresh(&transport(), &tokens(0)).await.unwrap_err();
    assert!(
        matches!(&error, RefreshError::Permanent { .. }) && error.to_string().contains("No longer."),
        "{error}"
    );
}

#[tokio::test]
async fn a_grant_is_taken_back_where_the_settings_say_where() {
    let server = TokenServer::start().await;
    gemini_at(&server).revoke(&transport(), &tokens(0)).await.unwrap();
    assert_eq!(server.seen()[0].text, "token=refresh-0");
    server.script(Scripted::Answer(400, "", r#"{"error":"invalid_token"}"#.into()));
    gemini_at(&server).revoke(&transport(), &tokens(0)).await.unwrap();
    server.script(Scripted::Answer(500, "", "{}".into()));
    gemini_at(&server).revoke(&transport(), &tokens(0)).await.unwrap_err();
}

fn id_token(claims: &Value) -> String {
    format!("e30.{}.x", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

#[test]
fn files_of_googles_own_programs() {
    let gemini = Gemini::new(&Urls::none(), network());
    let antigravity = Antigravity::new(&Urls::none(), network());
    let mine = id_token(&json!({"azp": gemini::CLIENT_ID, "sub": "42", "email": "ada@example.org"}));
    let foreign = id_token(&json!({"aud": antigravity::CLIENT_ID, "sub": "43", "email": "eve@example.org"}));
    let unknown = id_token(&json!({"azp": "somebody"}));
    let creds = |id: &str| {
        json!({"access_token": "a", "refresh_token": "r", "scope": "x y", "token_type": "Bearer", "id_token": id, "expiry_date": 1_800_000_000_000_i64}).to_string()
    };
    let agy = json!({"token": {"access_token": "a", "token_type": "Bearer", "refresh_token": "r", "expiry": "2026-09-01T00:00:00.123456789+02:00"}, "auth_method": "consumer"}).to_string();
    // file, content, e-mail by Gemini's import, by Antigravity's; `-` for a refusal.
    let cases: Vec<(&str, String, &str, &str)> = vec![
        ("oauth_creds.json", creds(&mine), "ada@example.org", "-"),
        ("oauth_creds.json", creds(&foreign), "-", "eve@example.org"),
        ("oauth_creds.json", creds(&unknown), "-", "-"),
        ("oauth_creds.json", json!({"refresh_token": "r"}).to_string(), "", "-"),
        ("antigravity-oauth-token", agy, "", ""),
        ("antigravity-oauth-token", String::new(), "-", "-"),
        ("antigravity-oauth-token", "{\"token\":{\"access_".into(), "-", "-"),
        ("antigravity-oauth-token", "[]".into(), "-", "-"),
        ("antigravity-oauth-token", json!({"access_token": "a"}).to_string(), "-", "-"),
        ("antigravity-oauth-token", json!({"refresh_token": 5}).to_string(), "-", "-"),
    ];
    for (name, content, by_gemini, by_antigravity) in cases {
        let reads = [
            (gemini.read(name, content.as_bytes(), 100), by_gemini),
            (antigravity.read(name, content.as_bytes(), 100), by_antigravity),
        ];
        for (got, expected) in reads {
            match got {
                Ok(found) => {
                    assert_eq!(
                        found[0].login.details.email.as_deref().unwrap_or_default(),
                        expected,
                        "{content}"
                    );
                    let Credential::Oauth(tokens) = &found[0].login.credential else { panic!() };
                    assert_eq!(
                        (tokens.refresh.as_ref().unwrap().expose(), tokens.expires_at),
                        ("r", Some(99))
                    );
                    assert!(!found[0].shared_rotation);
                }
                Err(error) => {
                    let kind = matches!(error, ImportError::NotReadable { .. } | ImportError::Nothing { .. });
                    assert!(kind && expected == "-", "{error}: {content}");
                }
            }
        }
    }
    let home = Path::new("/home/ada");
    assert_eq!(gemini.places(home, &|_| None)[0].file, home.join(".gemini/oauth_creds.json"));
    let files: Vec<_> = antigravity.places(home, &|_| None).into_iter().map(|kept| kept.file).collect();
    assert_eq!(files[1], home.join(".gemini/antigravity-cli/antigravity-oauth-token"));
    assert_eq!(files.len(), 3);
}

#[tokio::test]
async fn api_keys() {
    let bad = r#"{"error":{"code":400,"message":"API key not valid: canary-key","status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}"#;
    // Status, answer, and what is said of the key; nothing of a good one.
    let cases = [
        (200, "{}", ""),
        (400, bad, "does not accept the key"),
        (403, "{}", "does not accept the key"),
        (403, "<html>blocked</html>", "the network in front"),
        (503, "", "503"),
    ];
    for (status, body, words) in cases {
        let server = TokenServer::start().await;
        server.script(Scripted::Answer(status, "", body.into()));
        let login = GeminiKey { check: server.url("/v1beta/models?pageSize=1"), network: Network::default() };
        let none = Answers::new();
        let done = login.finish(&transport(), Secret::new("canary-key"), &none).await;
        assert_eq!(server.seen()[0].headers["x-goog-api-key"], "canary-key");
        match done {
            Ok(done) => {
                assert!(words.is_empty() && matches!(done.credential, Credential::ApiKey(_)));
                assert!(!done.details.identity.unwrap().contains("canary"));
            }
            Err(error) => {
                let said = error.to_string();
                assert!(!words.is_empty() && said.contains(words) && !said.contains("canary"), "{said}");
            }
        }
    }
}

#[test]
fn a_key_is_tried_below_the_address_of_the_settings() {
    for (base, expected) in [
        ("https://proxy.example/g", "https://proxy.example/g/v1beta/models"),
        ("https://proxy.example/g/v1", "https://proxy.example/g/v1/models"),
        ("https://proxy.example/v1beta/models", "https://proxy.example/v1beta/models"),
    ] {
        assert_eq!(super::list_of_models(base), expected);
    }
}
