use super::{judge, opens_at};
use crate::upstream::{Claude, Next, Refusal, Scope, Upstream as _};
use byok_types::{AccountState, Blame, Dialect, Failure, FailureKind, RawFailure};
use http::HeaderMap;
use std::time::Duration;

/// 2026-07-12 00:00:00 in Beijing.
const NOW: i64 = 1_783_785_600;

fn failure(code: &str, message: &str) -> Failure {
    Failure::new(FailureKind::QuotaWindow, Blame::Upstream, message).with_status(429).with_code(code)
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

/// Headers, and the seconds until the limit opens.
type Told = (&'static [(&'static str, &'static str)], Option<i64>);

#[test]
fn headers_say_when_a_limit_opens() {
    let cases: [Told; 10] = [
        (&[("x-ratelimit-reset-requests", "6m0s")], Some(360)),
        (&[("x-ratelimit-reset-requests", "120ms"), ("x-ratelimit-reset-tokens", "2m59.56s")], Some(1)),
        (
            &[
                ("x-ratelimit-remaining-requests", "59"),
                ("x-ratelimit-reset-requests", "1s"),
                ("x-ratelimit-remaining-tokens", "0"),
                ("x-ratelimit-reset-tokens", "6m0s"),
            ],
            Some(360),
        ),
        (&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1783789200000")], Some(3600)),
        (&[("x-ratelimit-reset", "1783789200")], Some(3600)),
        (&[("x-ratelimit-reset", "12.5")], Some(13)),
        (&[("x-ratelimit-reset", "2026-07-11T17:00:00Z")], Some(3600)),
        (&[("x-ratelimit-reset", "1783780000")], None),
        (&[("x-ratelimit-reset", "soon")], None),
        (&[], None),
    ];
    for (pairs, expected) in cases {
        let at = opens_at(&failure("x", "m"), &headers(pairs), NOW);
        assert_eq!(at.map(|at| at - NOW), expected, "{pairs:?}");
    }
    let body = r#"{"error":{"code":429,"message":"m","metadata":{"headers":{"X-RateLimit-Remaining":"0","X-RateLimit-Reset":"1783789200000"}}}}"#;
    let raw = RawFailure { dialect: Dialect::Chat, content_type: None, body: body.into() };
    let told = Failure { raw: Some(raw), ..failure("429", "m") };
    assert_eq!(opens_at(&told, &HeaderMap::new(), NOW), Some(NOW + 3600), "OpenRouter's body");
}

#[test]
fn a_message_says_when_a_limit_opens() {
    for (code, message, expected) in [
        (
            "1308",
            "Usage limit reached for 5 hour. Your limit will reset at 2026-07-12 04:30:37",
            Some(16_237),
        ),
        ("1308", "已达到 5 小时的使用上限。您的限额将在 2026-07-12 04:30:37 重置。", Some(16_237)),
        ("1310", "Weekly limit. Resets at 2026-07-12T04:30:37+08:00.", Some(16_237)),
        ("1316", "Resets 2026-07-11T20:30:37.5Z", Some(16_237)),
        ("1304", "daily", Some(86_400)),
        ("1308", "no time", None),
        ("1308", "It was 2025-01-01 00:00:00", None),
        ("1302", "at 2026-07-12 04:30:37", None),
        ("01308", "at 2026-07-12 04:30:37", None),
    ] {
        let at = opens_at(&failure(code, message), &HeaderMap::new(), NOW);
        assert_eq!(at.map(|at| at - NOW), expected, "{code} {message}");
    }
}

#[test]
fn the_codes_are_the_same_where_messages_is_spoken() {
    let claude = Claude::default();
    let read = |code: &str, message: &str| {
        let body = serde_json::json!({"type": "error", "error": {"type": "rate_limit_error", "code": code, "message": message}});
        claude.read_failure(Dialect::Messages, 429, &HeaderMap::new(), body.to_string().as_bytes())
    };
    let judged = |failure: &Failure| {
        let headers = HeaderMap::new();
        claude.judge(&Refusal { failure, model: "glm-5.2", headers: &headers, oauth: false, now: NOW })
    };
    let until = read("1308", "Your limit will reset at 2026-07-12 04:30:37");
    assert_eq!(claude.opens_at(&until, &HeaderMap::new(), NOW), Some(NOW + 16_237));
    let ended = judged(&read("1309", "The plan has expired."));
    assert!(matches!(ended.state, Some(AccountState::Blocked { .. })), "{ended:?}");
    assert_eq!(judged(&read("1305", "busy")).cool, Some((Scope::Model, Duration::from_mins(1))));
    let own = read("rate_limit_error", "resets at 2026-07-12 04:30:37");
    assert_eq!(claude.opens_at(&own, &HeaderMap::new(), NOW), None, "no code of this kind");
}

#[test]
fn codes_that_end_a_key() {
    for code in ["1110", "1111", "1112", "1120", "1121", "1309", "1313"] {
        let verdict = judge(&failure(code, "Said.")).unwrap();
        assert!(
            matches!(verdict.state, Some(AccountState::Blocked { reason }) if reason.starts_with("Said. ")
            && reason.contains("byok accounts enable")),
            "{code}"
        );
        assert_eq!(verdict.cool, Some((Scope::Account, Duration::from_hours(24))), "{code}");
        assert_eq!((verdict.next, verdict.own_credential), (Next::OtherAccount, true));
    }
    for code in ["1311", "1314", "1315"] {
        let verdict = judge(&failure(code, "Said.")).unwrap();
        assert_eq!(verdict.cool, Some((Scope::Model, Duration::from_hours(24))), "{code}: only this model");
        assert_eq!(verdict.state, None);
    }
    let overloaded = judge(&failure("1305", "Said.")).unwrap();
    assert_eq!(overloaded.cool, Some((Scope::Model, Duration::from_mins(1))), "it lasts minutes");
    assert!(judge(&failure("1113", "Said.")).unwrap().hint.is_some_and(|hint| hint.contains("base_url")));
    for code in ["1308", "1302", "13130", "", "a request 1313"] {
        assert!(judge(&failure(code, "1313")).is_none(), "{code}");
    }
}
