use super::*;
use byok_types::{Blame, Secret, TokenFacts};
use http::HeaderValue;

fn judged(kind: FailureKind, status: u16, message: &str) -> Verdict {
    let failure = Failure { status, ..Failure::new(kind, Blame::Upstream, message) };
    Claude::default().judge(&Refusal {
        failure: &failure,
        model: "m",
        headers: &HeaderMap::new(),
        oauth: true,
        now: 0,
    })
}

#[test]
fn what_becomes_of_a_plan() {
    // Status and words; the state of the account (its first letter), whether it rests for an hour.
    let cases = [
        (FailureKind::Auth, 401, "OAuth token has been revoked.", 'N', true),
        (FailureKind::Permission, 403, "OAuth token has been revoked.", 'N', true),
        (FailureKind::BadRequest, 400, "This organization has been disabled.", 'B', true),
        (FailureKind::Permission, 403, "OAuth is currently not allowed for this organization.", 'B', true),
        (FailureKind::Auth, 401, "OAuth token has expired.", ' ', false),
        (FailureKind::BadRequest, 400, "max_tokens: 9 > 8", ' ', false),
    ];
    for (kind, status, message, state, rests) in cases {
        let verdict = judged(kind, status, message);
        let letter = match &verdict.state {
            Some(AccountState::Blocked { .. }) => 'B',
            Some(AccountState::NeedsLogin { .. }) => 'N',
            _ => ' ',
        };
        let hour = Some((Scope::Account, Duration::from_hours(1)));
        assert_eq!((letter, verdict.cool == hour), (state, rests), "{status} {message}");
    }
}

#[test]
fn an_organization_on_hold_is_told_where_to_appeal() {
    let body = r#"{"type":"error","error":{"type":"permission_error","message":"Your organization is on hold.",
        "details":{"error_code":"organization_on_hold","appeal_url":"https://example.org/appeal"}}}"#;
    let failure = byok_translate::codec::decode_failure(Dialect::Messages, 403, body.as_bytes());
    let headers = HeaderMap::new();
    let refusal = Refusal { failure: &failure, model: "m", headers: &headers, oauth: true, now: 0 };
    let verdict = Claude::default().judge(&refusal);
    let Some(AccountState::Blocked { reason }) = verdict.state else { panic!("{verdict:?}") };
    assert_eq!(reason, "Your organization is on hold. Appeal at https://example.org/appeal");
}

#[test]
fn extra_usage_is_told_and_never_rotates() {
    for message in [
        "Third-party apps now draw from your extra usage, not your plan limits.",
        "You're out of extra usage.",
    ] {
        let verdict = judged(FailureKind::BadRequest, 400, message);
        assert!(verdict.hint.is_some_and(|hint| hint.contains("extra usage")), "{message}");
        assert_eq!((verdict.next, verdict.cool), (Next::GiveUp, None), "{message}");
    }
}

#[test]
fn charges_beyond_the_plan_are_seen() {
    let cases: [(&[(&str, &str)], bool); 6] = [
        (&[], false),
        (&[("status", "allowed")], false),
        (&[("overage-in-use", "true")], true),
        (&[("representative-claim", "overage")], true),
        (&[("status", "rejected"), ("overage-status", "allowed")], true),
        (&[("status", "rejected"), ("overage-status", "rejected")], false),
    ];
    for (pairs, charged) in cases {
        let headers: HeaderMap = pairs
            .iter()
            .map(|(name, value)| {
                let name: HeaderName = format!("anthropic-ratelimit-unified-{name}").parse().unwrap();
                (name, HeaderValue::from_str(value).unwrap())
            })
            .collect();
        assert_eq!(Claude::default().charges_extra(&headers), charged, "{pairs:?}");
    }
}

#[test]
fn the_usage_is_asked_for_with_a_login_only() {
    let token =
        |oauth| Token { secret: Secret::new("sk-ant-x"), oauth, hash: None, facts: TokenFacts::new() };
    let lookup = Claude::default().ask_quota("https://api.anthropic.com/v1", &token(true)).unwrap();
    assert_eq!(lookup.url.as_str(), "https://api.anthropic.com/api/oauth/usage");
    assert_eq!(lookup.headers["anthropic-beta"], "oauth-2025-04-20");
    assert_eq!(lookup.headers["authorization"], "Bearer sk-ant-x");
    assert!(Claude::default().ask_quota("https://api.anthropic.com", &token(false)).is_none());
}
