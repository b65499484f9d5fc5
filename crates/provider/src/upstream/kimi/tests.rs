use super::*;
use byok_types::{ModelFacts, Secret};

fn token(region: &str) -> Token {
    let facts = [(REGION, region), (DEVICE, "d-1")];
    Token {
        secret: Secret::new("access"),
        oauth: true,
        hash: None,
        facts: facts.map(|(name, value)| (name.to_owned(), Secret::new(value))).into(),
    }
}

fn ask() -> Ask<'static> {
    let operation = Operation::Generate { stream: true };
    Ask { operation, dialect: Dialect::Messages, model: "k3", client: None, needed: &[], claims: &[] }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap())
}

#[test]
fn addresses() {
    let kimi = Kimi::default();
    let usual = "https://api.kimi.com/coding";
    for base in [usual, "https://api.kimi.com/coding/v1", "https://api.kimi.com/coding/v1/messages"] {
        assert_eq!(kimi.url(base, &ask()).unwrap().as_str(), "https://api.kimi.com/coding/v1/messages");
    }
    let count = Ask { operation: Operation::Count, ..ask() };
    assert_eq!(kimi.url(usual, &count).unwrap().path(), "/coding/v1/messages/count_tokens");
    assert_eq!(kimi.base(usual, &token("mainland-cn")), usual);
    assert_eq!(kimi.base(usual, &token("global")), "https://api.kimi.ai/coding");
    assert_eq!(Kimi { own: true }.base("http://own", &token("global")), "http://own");
    for (lookup, path) in [
        (kimi.ask_quota(usual, &token("global")), "/coding/v1/usages"),
        (kimi.ask_models(usual, &token("global")), "/coding/v1/models"),
    ] {
        let lookup = lookup.unwrap();
        assert_eq!((lookup.url.path(), text(&lookup.headers, "x-msh-device-id")), (path, Some("d-1")));
    }
    assert!(kimi.trusts("api.kimi.ai") && !kimi.trusts("kimi.ai.evil.test") && !kimi.trusts("auth.kimi.com"));
}

#[test]
fn headers_say_that_it_is_byok() {
    let mut client = HeaderMap::new();
    client.insert(BETA, "a,interleaved-thinking-2025-05-14, b".parse().unwrap());
    let ask = Ask { client: Some(&client), needed: &[("anthropic-beta", String::new())], ..ask() };
    let mut headers = HeaderMap::new();
    Kimi::default().headers(&ask, &token("mainland-cn"), &mut headers);
    let wanted = [
        ("authorization", "Bearer access"),
        ("anthropic-version", "2023-06-01"),
        ("anthropic-beta", "a,b"),
        ("x-msh-platform", "byok"),
        ("x-msh-device-id", "d-1"),
    ];
    for (name, value) in wanted {
        assert_eq!(text(&headers, name), Some(value), "{name}");
    }
    assert!(!headers.contains_key("x-msh-device-name"), "the name of the machine is nobody's business");
    let mut headers = HeaderMap::new();
    Kimi::default().headers(&ask, &Token::key(Secret::new("sk-kimi-1")), &mut headers);
    assert_eq!(text(&headers, "authorization"), Some("Bearer sk-kimi-1"));
    assert!(!headers.contains_key("x-msh-platform"));
}

#[test]
fn bodies_as_kimi_takes_them() {
    for (name, id) in [
        ("k3", "k3"),
        ("kimi-k3", "k3"),
        ("kimi-k3[1m]", "k3"),
        ("k3[1m]", "k3"),
        ("kimi-k2.6", "k2.6"),
        ("kimi-for-coding", "kimi-for-coding"),
        ("kimi-for-coding-highspeed", "kimi-for-coding-highspeed"),
        ("kimi-k2.7-code", "kimi-for-coding"),
        ("k2.7-code-highspeed", "kimi-for-coding-highspeed"),
    ] {
        assert_eq!(body::upstream_id(name), id, "{name}");
    }
    let billing = "x-anthropic-billing-header: cc_version=2";
    let cases = [
        (json!({"model": "k3", "messages": []}), json!({"model": "k3", "messages": []})),
        (json!({"model": "kimi-k3", "messages": []}), json!({"model": "k3", "messages": []})),
        (
            json!({"model": "k3", "system": [{"type": "text", "text": billing}, {"type": "text", "text": "be kind"}]}),
            json!({"model": "k3", "system": [{"type": "text", "text": "be kind"}]}),
        ),
        (
            json!({"model": "k3", "tools": [{"name": "a"}, {"type": "web_search_20250305"}, {"type": "custom", "name": "b"}]}),
            json!({"model": "k3", "tools": [{"name": "a"}, {"type": "custom", "name": "b"}]}),
        ),
        (
            json!({"model": "k3", "thinking": {"type": "disabled"}}),
            json!({"model": "k3", "thinking": {"type": "adaptive"}}),
        ),
        (
            json!({"model": "k3", "output_config": {"effort": "high"}}),
            json!({"model": "k3", "output_config": {"effort": "high"}}),
        ),
        (
            json!({"model": "k3", "output_config": {"effort": "medium"}}),
            json!({"model": "k3", "output_config": {"effort": "low"}}),
        ),
        (
            json!({"model": "k3", "output_config": {"effort": "xhigh"}}),
            json!({"model": "k3", "output_config": {"effort": "high"}}),
        ),
        (
            json!({"model": "k3", "output_config": {"effort": "minimal"}}),
            json!({"model": "k3", "output_config": {"effort": "low"}}),
        ),
        (
            json!({"model": "k3", "output_config": {"effort": "odd"}}),
            json!({"model": "k3", "output_config": {"effort": "odd"}}),
        ),
    ];
    let k3 = crate::catalog::Catalog::builtin().facts("k3").thinking;
    let none = byok_types::ThinkingFacts::default();
    let plain = body::shape(
        Bytes::from_static(br#"{"model":"k2","output_config":{"effort":"low"}}"#),
        "k2",
        &none,
        &mut Losses::default(),
    );
    assert_eq!(plain.unwrap(), r#"{"model":"k2","output_config":{}}"#, "only where it is declared");
    for (sent, expected) in cases {
        let shaped =
            body::shape(Bytes::from(sent.to_string()), "kimi-k3", &k3, &mut Losses::default()).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&shaped).unwrap(), expected, "{sent}");
    }
}

#[test]
fn what_refusals_mean() {
    let model = |seconds| Some((Scope::Model, Duration::from_secs(seconds)));
    let account = |seconds| Some((Scope::Account, Duration::from_secs(seconds)));
    let cases = [
        (
            401,
            "invalid_authentication_error",
            "The API Key appears to be invalid or may have expired",
            Next::Refresh,
            None,
        ),
        (401, "invalid_authentication_error", "Invalid Authentication", Next::Refresh, None),
        (402, "e", "unable to verify your membership benefits", Next::OtherAccount, account(3600)),
        (
            403,
            "access_terminated_error",
            "currently only available for Coding Agents such as Kimi CLI",
            Next::GiveUp,
            None,
        ),
        (
            403,
            "e",
            "You've reached your usage limit for this billing cycle",
            Next::OtherAccount,
            account(3600),
        ),
        (403, "e", "Access terminated", Next::OtherAccount, account(3600)),
        (429, "engine_overloaded_error", "The engine is currently overloaded", Next::OtherAccount, model(5)),
        (429, "rate_limit_reached_error", "We're receiving too many requests", Next::OtherAccount, model(5)),
        (429, "e", "You've reached your usage limit for this period", Next::OtherAccount, account(1800)),
        (429, "exceeded_current_quota_error", "no", Next::OtherAccount, account(1800)),
        (429, "e", "exceeded your current token quota", Next::OtherAccount, account(1800)),
        (429, "e", "please check your account balance", Next::OtherAccount, account(1800)),
        (429, "e", "Insufficient balance, please recharge", Next::OtherAccount, account(1800)),
        (429, "e", "your account in arrears", Next::OtherAccount, account(1800)),
        (400, "invalid_request_error", "text content is empty", Next::GiveUp, None),
        (500, "server_error", "oops", Next::OtherAccount, model(2)),
    ];
    let kimi = Kimi::default();
    for (status, kind, message, next, cool) in cases {
        let body = json!({"type": "error", "error": {"type": kind, "message": message}}).to_string();
        let headers = HeaderMap::new();
        let failure = kimi.read_failure(Dialect::Messages, status, &headers, body.as_bytes());
        let verdict =
            kimi.judge(&Refusal { failure: &failure, model: "m", headers: &headers, oauth: true, now: 0 });
        assert_eq!((verdict.next, verdict.cool), (next, cool), "{status} {message}");
        let dead = message.contains("membership") || message == "Access terminated";
        assert_eq!(verdict.state.is_some(), dead, "{status} {message}");
    }
    let body = json!({"error": {"type": "e", "message": "Invalid Authentication"}}).to_string();
    let failure = kimi.read_failure(Dialect::Messages, 401, &HeaderMap::new(), body.as_bytes());
    let verdict = kimi.judge(&Refusal {
        failure: &failure,
        model: "m",
        headers: &HeaderMap::new(),
        oauth: false,
        now: 0,
    });
    assert_eq!(verdict.next, Next::OtherAccount, "a key cannot be renewed");
}

#[test]
fn limits_in_every_form() {
    let told = json!({
        "usage": {"used": "40", "limit": "1000", "resetTime": "2026-12-01T00:00:00.123456789Z"},
        "limits": [
            {"window": {"duration": 300, "timeUnit": "TIME_UNIT_MINUTE"}, "detail": {"remaining": "99", "limit": "100", "reset_in": 60}},
            {"name": "burst", "detail": {"used": 1, "limit": 2, "resetAt": "2026-12-01T00:00:00Z"}},
            {"window": {"duration": 2, "timeUnit": "TIME_UNIT_HOUR"}, "detail": {"used": 1, "limit": 4}},
            {"window": {"duration": 1, "timeUnit": "TIME_UNIT_WEEK"}, "detail": {"limit": "0", "used": "0"}},
        ],
        "boosterWallet": {"balance": {"amount": "1"}},
    });
    let quota = Kimi::default().read_quota(told.to_string().as_bytes(), 1000);
    let found: Vec<_> = quota.windows.iter().map(|w| (w.name.as_str(), w.used, w.resets_at)).collect();
    assert_eq!(
        found,
        [
            ("week", 0.04, Some(1_796_083_200)),
            ("5 hours", 0.01, Some(1060)),
            ("burst", 0.5, Some(1_796_083_200)),
            ("2 hours", 0.25, None),
        ]
    );
    assert_eq!(Kimi::default().read_quota(b"<html>", 0), Quota::default());
}

#[test]
fn the_list_of_models() {
    let list = json!({"data": [
        {"id": "k3", "context_length": 1_048_576, "display_name": "K3", "supports_image_in": true, "supports_video_in": true, "supports_tool_use": true,
            "supports_thinking_type": "only", "think_efforts": {"support": true, "valid_efforts": ["low", "high", "max", "odd"], "default_effort": "high"}},
        {"id": "k2", "supports_reasoning": false, "think_efforts": {"support": false, "valid_efforts": ["low"]}},
        {"display_name": "nameless"},
    ]});
    let found = Kimi::default().read_models(list.to_string().as_bytes());
    assert_eq!(found.len(), 2);
    assert_eq!(
        found[0].facts["thinking"],
        json!({"forms": ["adaptive", "effort"], "levels": ["low", "high", "max"], "can_disable": false})
    );
    assert_eq!(
        found[1].facts["thinking"],
        json!({"forms": [], "levels": []}),
        "efforts count only where they are supported"
    );
    for one in found {
        let mut facts = one.facts;
        facts.insert("id".to_owned(), json!("x"));
        serde_json::from_value::<ModelFacts>(Value::Object(facts)).unwrap();
    }
}

#[test]
fn a_charge_to_the_wallet_is_seen_in_the_usage() {
    let wallet = |spent: &str, left: &str| json!({"balance": {"amountLeft": left}, "monthlyUsed": {"priceInCents": spent}});
    for (used, wallet, charged) in [
        ("100", wallet("120", "5000000"), true),
        ("99", wallet("120", "5000000"), false),
        ("100", wallet("0", "5000000"), false),
        ("100", wallet("120", "0"), false),
        ("100", json!(null), false),
    ] {
        let told = json!({"usage": {"used": "1", "limit": "1000"}, "limits": [{"detail": {"used": used, "limit": "100"}}],
            "boosterWallet": wallet});
        assert_eq!(Kimi::default().quota_charges(told.to_string().as_bytes()), charged, "{told}");
    }
}
