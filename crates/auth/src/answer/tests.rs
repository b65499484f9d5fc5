use super::{BadAnswer, TokenAnswer};
use crate::{Network, Urls, Vendor, antigravity, claude, codex, gemini, kimi, qwen, testing::jwt, xai};
use byok_types::{Credential, OauthTokens, Secret};
use serde_json::{Value, json};

const NOW: i64 = 1_800_000_000;

fn old() -> OauthTokens {
    OauthTokens {
        access: Secret::new("old-access"),
        refresh: Some(Secret::new("old-refresh")),
        expires_at: Some(NOW - 5),
        refresh_expires_at: Some(NOW + 77),
        scopes: vec!["one".into()],
        facts: byok_types::TokenFacts::new(),
    }
}

#[test]
fn missing_and_odd_fields() {
    struct Case {
        body: &'static str,
        refresh: &'static str,
        lifetime: i64,
        refresh_lifetime: Option<i64>,
        scopes: &'static [&'static str],
    }
    const YEAR_AND_A_BIT: i64 = 400 * 24 * 3600;
    let case = |body, refresh, lifetime| Case {
        body,
        refresh,
        lifetime,
        refresh_lifetime: if refresh == "old-refresh" { Some(77) } else { None },
        scopes: &["one"],
    };
    let cases = [
        case(r#"{"access_token":"a","refresh_token":"r","expires_in":28800}"#, "r", 28_800),
        case(r#"{"access_token":"a"}"#, "old-refresh", 3_600),
        case(
            r#"{"access_token":"a","refresh_token":null,"expires_in":null,"scope":null}"#,
            "old-refresh",
            3_600,
        ),
        case(r#"{"access_token":"a","refresh_token":"","expires_in":60,"scope":""}"#, "old-refresh", 60),
        case(r#"{"access_token":"a","expires_in":"7200"}"#, "old-refresh", 7_200),
        case(r#"{"access_token":"a","expires_in":" 7200 "}"#, "old-refresh", 7_200),
        case(r#"{"access_token":"a","expires_in":7200.9}"#, "old-refresh", 7_200),
        case(r#"{"access_token":"a","expires_in":"soon"}"#, "old-refresh", 3_600),
        case(r#"{"access_token":"a","expires_in":{}}"#, "old-refresh", 3_600),
        case(r#"{"access_token":"a","expires_in":0}"#, "old-refresh", 60),
        case(r#"{"access_token":"a","expires_in":-1}"#, "old-refresh", 60),
        case(r#"{"access_token":"a","expires_in":99999999999}"#, "old-refresh", YEAR_AND_A_BIT),
        case(r#"{"access_token":"a","expires_in":1e300}"#, "old-refresh", YEAR_AND_A_BIT),
        Case {
            refresh_lifetime: Some(2_592_000),
            scopes: &["two", "three"],
            ..case(
                r#"{"access_token":"a","refresh_token":"r","expires_in":100,
                    "refresh_token_expires_in":2592000,"scope":"two  three","more":[1]}"#,
                "r",
                100,
            )
        },
    ];
    for Case { body, refresh, lifetime, refresh_lifetime, scopes } in cases {
        let tokens = TokenAnswer::read(body.as_bytes()).unwrap().into_tokens(Some(&old()), NOW);
        assert_eq!(tokens.access.expose(), "a", "{body}");
        assert_eq!(tokens.refresh.unwrap().expose(), refresh, "{body}");
        assert_eq!(tokens.expires_at, Some(NOW + lifetime), "{body}");
        assert_eq!(tokens.refresh_expires_at, refresh_lifetime.map(|lifetime| NOW + lifetime), "{body}");
        assert_eq!(tokens.scopes, scopes, "{body}");
    }
}

#[test]
fn a_first_answer_has_no_old_tokens_to_fall_back_on() {
    let tokens = TokenAnswer::read(br#"{"access_token":"a"}"#).unwrap().into_tokens(None, NOW);
    assert!(tokens.refresh.is_none() && tokens.scopes.is_empty() && tokens.refresh_expires_at.is_none());
}

#[test]
fn the_same_token_again_has_no_end_that_nobody_said() {
    for (body, ends) in [
        (r#"{"access_token":"old-access"}"#, None),
        (r#"{"access_token":"old-access","expires_in":90}"#, Some(NOW + 90)),
        (r#"{"access_token":"another"}"#, Some(NOW + 3600)),
    ] {
        let tokens = TokenAnswer::read(body.as_bytes()).unwrap().into_tokens(Some(&old()), NOW);
        assert_eq!(tokens.expires_at, ends, "{body}");
    }
}

#[test]
fn answers_without_a_token() {
    for body in [
        "",
        "<html>",
        "[]",
        "{}",
        r#"{"access_token":null}"#,
        r#"{"access_token":" "}"#,
        r#"{"access_token":1}"#,
    ] {
        assert_eq!(TokenAnswer::read(body.as_bytes()).err(), Some(BadAnswer), "{body}");
    }
}

#[test]
fn a_token_that_cannot_stand_in_a_header_is_none() {
    for token in ["", " ", "a\nb: c", "aä", "\0"] {
        let body = serde_json::json!({"access_token": token}).to_string();
        assert_eq!(TokenAnswer::read(body.as_bytes()).err(), Some(BadAnswer), "{token:?}");
    }
    assert!(TokenAnswer::read(br#"{"access_token":"sk-ant-oat01-A_b.c~+/="}"#).is_ok());
}

#[test]
fn an_answer_that_somebody_has_kept_says_whose_it_is_as_at_the_login() {
    type Of = fn(&Urls<'_>, Network) -> Vendor;
    type Case = (Of, Value, Option<&'static str>, Option<&'static str>, Option<i64>);
    let id = |claims: Value| jwt(&claims);
    let auth = |names: Value| json!({"exp": NOW + 50, "https://api.openai.com/auth": names});
    let google =
        json!({"access_token": "ya29", "id_token": id(json!({"sub": "g", "email": "ada@example.com"}))});
    let cases: [Case; 8] = [
        (
            claude::vendor,
            json!({"access_token": "sk-ant-oat01-a", "expires_in": 70, "account": {"uuid": "ada", "email_address": "ada@example.com"},
                "organization": {"uuid": "org"}}),
            Some("ada/org"),
            Some("ada@example.com"),
            Some(NOW + 70),
        ),
        (
            codex::vendor,
            json!({"access_token": jwt(&auth(json!({"chatgpt_account_id": "space"}))), "expires_in": 7200,
                "id_token": id(json!({"email": "ada@example.com", "https://api.openai.com/auth": {"chatgpt_user_id": "ada"}}))}),
            Some("space/ada"),
            Some("ada@example.com"),
            Some(NOW + 50),
        ),
        (
            xai::vendor,
            json!({"access_token": jwt(&json!({})), "expires_in": 70, "id_token": id(json!({"sub": "ada", "email": "ada@example.com"}))}),
            Some("ada"),
            Some("ada@example.com"),
            Some(NOW + 70),
        ),
        (gemini::vendor, google.clone(), Some("g"), Some("ada@example.com"), None),
        (antigravity::vendor, google, Some("g"), Some("ada@example.com"), None),
        (qwen::vendor, json!({"access_token": "a", "resource_url": "portal.qwen.ai"}), None, None, None),
        (kimi::vendor, json!({"access_token": "a", "expires_in": "70"}), None, None, Some(NOW + 70)),
        (xai::vendor, json!({"access_token": jwt(&json!({"sub": "ada"}))}), Some("ada"), None, None),
    ];
    for (vendor, body, identity, email, end) in cases {
        let refresher = vendor(&Urls::none(), Network::default()).refresher;
        let login = refresher.kept_answer(body.to_string().as_bytes(), NOW).unwrap();
        let Credential::Oauth(tokens) = login.credential else { panic!("a key") };
        let details = (login.details.identity.as_deref(), login.details.email.as_deref());
        assert_eq!((details, tokens.expires_at), ((identity, email), end), "{body}");
        assert_eq!(tokens.fact("resource_url"), body["resource_url"].as_str());
        assert_eq!(refresher.kept_answer(b"{}", NOW).unwrap_err(), BadAnswer);
    }
}
