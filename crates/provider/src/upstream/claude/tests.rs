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
fn errors_of_any_form_are_judged() {
    for body in [
        r#""Bad gateway""#,
        "[{}]",
        "5",
        r#"{"error":"overloaded"}"#,
        r#"{"error":5}"#,
        r#"{"error":[]}"#,
        "",
    ] {
        for status in [400, 401, 403, 429, 500, 529] {
            let raw = byok_types::RawFailure {
                dialect: Dialect::Messages,
                content_type: None,
                body: body.as_bytes().to_vec(),
            };
            let failure = Failure {
                status,
                raw: Some(raw),
                ..Failure::new(FailureKind::Server, Blame::Upstream, "overloaded")
            };
            let refusal =
                Refusal { failure: &failure, model: "m", headers: &HeaderMap::new(), oauth: true, now: 0 };
            let _ = Claude::default().judge(&refusal);
        }
    }
}

#[test]
fn an_organization_on_hold_is_told_where_to_appeal() {
    let body = r#"{"type":"error","error":{"type":"permission_error","message":"Your organization is on hold.",
        "details":{"error_code":"organization_on_hold","appeal_url":"https://example.org/appeal"}}}"#;
    let failure = codec::decode_failure(Dialect::Messages, 403, body.as_bytes());
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

#[test]
fn the_mark_for_a_long_context_is_no_part_of_the_name() {
    let token = Token::key(Secret::new("sk-ant-api"));
    let (facts, none) = (byok_types::ModelFacts::default(), HeaderMap::new());
    for (asked, model, beta) in [
        ("claude-opus-4-6[1m]", "claude-opus-4-6", Some("context-1m-2025-08-07")),
        ("claude-sonnet-4-5-20250929[1m]", "claude-sonnet-4-5-20250929", Some("context-1m-2025-08-07")),
        // It has such a context anyway.
        ("claude-opus-4-8[1m]", "claude-opus-4-8", None),
        ("claude-opus-4-6", "claude-opus-4-6", None),
    ] {
        let ask = Ask {
            operation: Operation::Generate { stream: true },
            dialect: Dialect::Messages,
            model: asked,
            client: None,
            needed: &[],
            claims: &[],
        };
        let shaping =
            Shaping { ask: &ask, token: &token, facts: &facts, client: &none, request_id: "r", at_ms: 0 };
        let body = Bytes::from(format!(r#"{{"max_tokens":1e2, "model":"{asked}"}}"#));
        let body = Claude::default().shape(body, &shaping, &mut Losses::default()).unwrap();
        assert_eq!(body, format!(r#"{{"max_tokens":1e2, "model":"{model}"}}"#));
        let mut headers = HeaderMap::new();
        Claude::default().headers(&ask, &token, &mut headers);
        assert_eq!(headers.get("anthropic-beta").map(|value| value.to_str().unwrap()), beta, "{asked}");
    }
}

#[test]
fn used_up_extra_usage_is_known_by_its_code() {
    let body = r#"{"type":"error","error":{"type":"invalid_request_error","message":"No more.",
        "details":{"error_code":"extra_usage_out_of_credits"}}}"#;
    let failure = codec::decode_failure(Dialect::Messages, 400, body.as_bytes());
    let headers = HeaderMap::new();
    let verdict = Claude::default().judge(&Refusal {
        failure: &failure,
        model: "m",
        headers: &headers,
        oauth: true,
        now: 0,
    });
    assert_eq!((verdict.next, verdict.cool), (Next::GiveUp, None));
    assert!(verdict.hint.is_some());
}

#[test]
fn a_line_of_models_rests_until_its_own_window_opens() {
    // The bucket of the largest models says nothing about the one that was asked.
    for (claim, rejected, seconds, line) in [
        ("seven_day_opus", "allowed", 7000, "opus"),
        ("seven_day_sonnet", "allowed", 7000, "sonnet"),
        ("seven_day_overage_included", "rejected", 500_000, "fable"),
    ] {
        let headers = [
            ("anthropic-ratelimit-unified-status", "rejected"),
            ("anthropic-ratelimit-unified-representative-claim", claim),
            ("anthropic-ratelimit-unified-reset", "7000"),
            ("anthropic-ratelimit-unified-7d_oi-status", rejected),
            ("anthropic-ratelimit-unified-7d_oi-reset", "500000"),
        ]
        .into_iter()
        .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), HeaderValue::from_static(value)))
        .collect();
        let failure = Failure { status: 429, ..Failure::new(FailureKind::RateLimit, Blame::Upstream, "no") };
        let refusal =
            Refusal { failure: &failure, model: "claude-opus-x", headers: &headers, oauth: true, now: 0 };
        let cool = Claude::default().judge(&refusal).cool;
        assert_eq!(cool, Some((Scope::Line(Line::With(line)), Duration::from_secs(seconds))), "{claim}");
    }
}

#[test]
fn a_used_up_plan_rests_as_long_as_it_is_told_in_any_way() {
    const NOW: i64 = 1_796_083_200;
    let day = Duration::from_hours(24);
    for (rejected, reset, wait, expected) in [
        ("", None, Some(9000), Duration::from_mins(150)),
        ("5h-", None, Some(9000), Duration::from_mins(150)),
        ("", None, Some(30 * 86_400), 7 * day),
        ("", None, None, Duration::from_secs(1)),
        ("", Some("1796083290"), Some(9000), Duration::from_secs(90)),
        ("", Some("2026-12-02T00:00:00Z"), Some(9000), day),
        ("5h-", Some("2026-12-02T00:00:00.5Z"), None, day),
        ("7d-", Some("Wed, 02 Dec 2026 00:00:00 GMT"), None, day),
        // A time that has passed says nothing.
        ("", Some("1796083100"), Some(9000), Duration::from_mins(150)),
        ("", Some("soon"), Some(9000), Duration::from_mins(150)),
    ] {
        let name = |tail: &str| -> HeaderName {
            format!("anthropic-ratelimit-unified-{rejected}{tail}").parse().unwrap()
        };
        let mut headers = HeaderMap::from_iter([(name("status"), HeaderValue::from_static("rejected"))]);
        headers.extend(reset.map(|reset| (name("reset"), HeaderValue::from_static(reset))));
        let failure = Failure {
            status: 429,
            retry_after: wait.map(Duration::from_secs),
            ..Failure::new(FailureKind::RateLimit, Blame::Upstream, "no")
        };
        let refusal = Refusal { failure: &failure, model: "m", headers: &headers, oauth: true, now: NOW };
        let cool = Claude::default().judge(&refusal).cool;
        assert_eq!(cool, Some((Scope::Account, expected)), "{rejected} {reset:?} {wait:?}");
    }
}

#[test]
fn what_may_be_spent_is_no_matter_of_the_moment() {
    let body = r#"{"type":"error","error":{"type":"rate_limit_error","message":"No more.",
        "details":{"error_code":"enforced_spend_limit_reached"}}}"#;
    for oauth in [true, false] {
        let mut failure = codec::decode_failure(Dialect::Messages, 429, body.as_bytes());
        failure.raw = Some(byok_types::RawFailure {
            dialect: Dialect::Messages,
            content_type: None,
            body: body.as_bytes().to_vec(),
        });
        let headers = HeaderMap::new();
        let refusal = Refusal { failure: &failure, model: "m", headers: &headers, oauth, now: 0 };
        let verdict = Claude::default().judge(&refusal);
        assert_eq!(
            (verdict.next, verdict.cool),
            (Next::OtherAccount, Some((Scope::Account, Duration::from_hours(1))))
        );
        assert!(verdict.hint.is_some_and(|hint| hint.contains("spending")));
    }
}

#[test]
fn a_limit_without_a_window_is_passed_on() {
    for (words, wait) in [
        ("fast request rejected", Some("600")),
        ("This request would exceed your account's rate limit", Some("7200")),
        ("m", None),
    ] {
        let mut headers = HeaderMap::new();
        headers.extend(wait.map(|wait| (http::header::RETRY_AFTER, HeaderValue::from_static(wait))));
        let failure = Failure {
            status: 429,
            retry_after: wait.and_then(|wait| wait.parse().ok()).map(Duration::from_secs),
            ..Failure::new(FailureKind::RateLimit, Blame::Upstream, words)
        };
        let refusal = Refusal { failure: &failure, model: "m", headers: &headers, oauth: true, now: 0 };
        let verdict = Claude::default().judge(&refusal);
        assert_eq!((verdict.next, verdict.cool), (Next::GiveUp, None), "{words}");
    }
}

#[test]
fn a_balance_that_is_too_low_rests_the_account_for_half_an_hour() {
    let words = "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.";
    let body =
        format!(r#"{{"type":"error","error":{{"type":"invalid_request_error","message":"{words}"}}}}"#);
    for oauth in [true, false] {
        let failure = codec::decode_failure(Dialect::Messages, 400, body.as_bytes());
        let headers = HeaderMap::new();
        let refusal = Refusal { failure: &failure, model: "m", headers: &headers, oauth, now: 0 };
        let verdict = Claude::default().judge(&refusal);
        let half_an_hour = Some((Scope::Account, Duration::from_mins(30)));
        assert_eq!((verdict.next, verdict.cool), (Next::OtherAccount, half_an_hour));
    }
}
