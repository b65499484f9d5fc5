use super::{super::Operation, *};
use byok_types::{Blame, Secret, ThinkingFacts, ThinkingForm};

const CASES_OF_LOGIN: [bool; 2] = [true, false];

fn login(resource: &str) -> Token {
    let mut token = Token { oauth: true, ..Token::key(Secret::new("t")) };
    if !resource.is_empty() {
        token.facts.insert(RESOURCE_URL.into(), Secret::new(resource));
    }
    token
}

#[test]
fn where_tokens_and_keys_are_good() {
    let portal = Qwen { login: true };
    for (base, told, expected) in [
        (PORTAL, "", PORTAL),
        (PORTAL, " ", PORTAL),
        (PORTAL, "portal.qwen.ai", PORTAL),
        (PORTAL, "https://portal.qwen.ai", PORTAL),
        (PORTAL, "https://portal.qwen.ai/v1", PORTAL),
        (PORTAL, "https://portal.qwen.ai/v1/", PORTAL),
        (PORTAL, "dashscope.aliyuncs.com/compatible-mode", PLATFORM),
        (PORTAL, "eu.dashscope.aliyuncs.com", "https://eu.dashscope.aliyuncs.com/v1"),
        // Nobody else's, and never in the clear.
        (PORTAL, "evil.example/qwen.ai", PORTAL),
        (PORTAL, "bucket.oss-cn-beijing.aliyuncs.com", PORTAL),
        (PORTAL, "evilqwen.ai", PORTAL),
        (PORTAL, "http://portal.qwen.ai", PORTAL),
        // What the settings name holds, unless it is the same host.
        ("https://my.test/v1", "portal.qwen.ai", "https://my.test/v1"),
        ("http://127.0.0.1:9/x", "http://127.0.0.1:9/portal", "http://127.0.0.1:9/portal/v1"),
        ("http://127.0.0.1:9/x", "http://127.0.0.1:8/portal", "http://127.0.0.1:9/x"),
    ] {
        assert_eq!(portal.base(base, &login(told)), expected, "{base} {told}");
    }
    let platform = Qwen { login: false };
    for (base, key, expected) in [
        (PLATFORM, "sk-1", PLATFORM),
        (PLATFORM, "sk-sp-1", CODING_PLAN),
        (
            "https://coding-intl.dashscope.aliyuncs.com/v1",
            "sk-sp-1",
            "https://coding-intl.dashscope.aliyuncs.com/v1",
        ),
    ] {
        assert_eq!(platform.base(base, &Token::key(Secret::new(key))), expected, "{base} {key}");
        assert!(platform.trusts(Url::parse(expected).unwrap().host_str().unwrap()), "{expected}");
    }
}

#[test]
fn addresses_and_headers() {
    let ask = |operation| Ask {
        operation,
        dialect: Dialect::Chat,
        model: "m",
        client: None,
        needed: &[],
        claims: &[],
    };
    for is_login in CASES_OF_LOGIN {
        let qwen = Qwen { login: is_login };
        let whole = ask(Operation::Generate { stream: false });
        for base in ["https://x.test/v1", "https://x.test/v1/", "https://x.test/v1/chat/completions"] {
            assert_eq!(qwen.url(base, &whole).unwrap().as_str(), "https://x.test/v1/chat/completions");
        }
        let mut headers = HeaderMap::new();
        qwen.headers(&whole, &login(""), &mut headers);
        assert_eq!(headers["authorization"], "Bearer t");
        assert!(headers["authorization"].is_sensitive());
        assert_eq!(headers["x-dashscope-cachecontrol"], "enable");
        assert_eq!(headers.get("x-dashscope-authtype").is_some(), is_login);
        assert!(!headers.contains_key("user-agent") && !headers.contains_key("x-dashscope-useragent"));
        assert_eq!(qwen.lists_models(), !is_login);
    }
    let lookup = Qwen { login: false }.ask_models(PLATFORM, &Token::key(Secret::new("sk-1"))).unwrap();
    assert_eq!(lookup.url.as_str(), format!("{PLATFORM}/models"));
    let found =
        Qwen { login: false }.read_models(br#"{"object":"list","data":[{"id":"a","x":1},{"id":"b"}]}"#);
    assert_eq!(found.iter().map(|model| model.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    for odd in ["", "{}", "<html>", r#"{"data":[{"x":"a"}]}"#] {
        assert!(Qwen { login: false }.read_models(odd.as_bytes()).is_empty(), "{odd}");
    }
}

#[test]
fn bodies() {
    const CACHED: &str = r#"{"type":"text","text":"","cache_control":{"type":"ephemeral"}}"#;
    let system = |parts: &str| format!(r#"{{"role":"system","content":[{CACHED}{parts}]}}"#);
    let cases = [
        (
            true,
            r#"{"seed":1e0,"messages":[{"role":"user","content":"a"}],"n":1,"top_logprobs":null}"#.to_owned(),
            format!(r#"{{"seed":1e0,"messages":[{},{{"role":"user","content":"a"}}]}}"#, system("")),
        ),
        // The platform says itself what it does not know.
        (
            false,
            r#"{"n":2,"logprobs":true,"messages":[]}"#.to_owned(),
            r#"{"n":2,"logprobs":true,"messages":[]}"#.to_owned(),
        ),
        (
            true,
            r#"{"messages":[{"role":"user","content":"a"}, {"role":"system","content":"s\u00e9"},{"role":"developer","content":[{"type":"text","text":"d"}]},{"x":1.50,"role":"user"}]}"#
                .to_owned(),
            format!(
                r#"{{"messages":[{},{{"role":"user","content":"a"}},{{"x":1.50,"role":"user"}}]}}"#,
                system(r#",{"type":"text","text":"s\u00e9"},{"type":"text","text":"d"}"#)
            ),
        ),
        (
            true,
            format!(r#"{{"messages":[{}]}}"#, system(r#",{"type":"text","text":"d"}"#)),
            format!(r#"{{"messages":[{}]}}"#, system(r#",{"type":"text","text":"d"}"#)),
        ),
        (
            true,
            r#"{"messages":[{"role":"system","content":""}],"enable_thinking":false,"reasoning":{},"reasoning_effort":"low"}"#
                .to_owned(),
            format!(r#"{{"messages":[{}],"enable_thinking":false}}"#, system("")),
        ),
        // What cannot be read is the vendor's to refuse.
        (true, r#"{"messages":"x"}"#.to_owned(), r#"{"messages":"x"}"#.to_owned()),
        (false, r#"{"messages":[{"role":"user"}]}"#.to_owned(), r#"{"messages":[{"role":"user"}]}"#.to_owned()),
        (
            false,
            r#"{"enable_thinking":true,"tool_choice":"required","reasoning_effort":"low"}"#.to_owned(),
            r#"{"enable_thinking":true,"reasoning_effort":"low"}"#.to_owned(),
        ),
        (
            false,
            r#"{"tool_choice":{"type":"function"},"enable_thinking":true}"#.to_owned(),
            r#"{"enable_thinking":true}"#.to_owned(),
        ),
        (
            false,
            r#"{"enable_thinking":true,"tool_choice":"auto"}"#.to_owned(),
            r#"{"enable_thinking":true,"tool_choice":"auto"}"#.to_owned(),
        ),
        (
            false,
            r#"{"tool_choice":"required"}"#.to_owned(),
            r#"{"tool_choice":"required"}"#.to_owned(),
        ),
        (
            false,
            r#"{"reasoning_effort":"low","enable_thinking":false}"#.to_owned(),
            r#"{"enable_thinking":false}"#.to_owned(),
        ),
    ];
    for (login, body, expected) in cases {
        let levels = ThinkingFacts { forms: vec![ThinkingForm::Level], ..ThinkingFacts::default() };
        let made = body::shaped(Bytes::from(body.clone()), login, &levels, &mut Losses::default()).unwrap();
        assert_eq!(std::str::from_utf8(&made).unwrap(), expected, "{body}");
    }
    // The portal gives one answer, and no probabilities.
    let levels = ThinkingFacts::default();
    let mut losses = Losses::default();
    let body = Bytes::from_static(br#"{"logprobs":true,"top_logprobs":3,"seed":2}"#);
    assert_eq!(body::shaped(body, true, &levels, &mut losses).unwrap(), r#"{"seed":2}"#);
    assert_eq!(losses.list().len(), 1);
    for n in ["2", "2.0", "1e1"] {
        let body = Bytes::from(format!(r#"{{"n":{n}}}"#));
        let refused = body::shaped(body, true, &levels, &mut losses).unwrap_err();
        assert_eq!(refused.param.as_deref(), Some("n"), "{n}");
    }
    // A level at a model that only has a switch.
    let switch = ThinkingFacts { forms: vec![ThinkingForm::Budget], ..ThinkingFacts::default() };
    for (body, expected) in [
        (r#"{"reasoning_effort":"high"}"#, r#"{"enable_thinking":true}"#),
        (r#"{"reasoning_effort":"none"}"#, r#"{"enable_thinking":false}"#),
        (r#"{"reasoning_effort":null}"#, "{}"),
        (r#"{"reasoning_effort":"low","enable_thinking":false}"#, r#"{"enable_thinking":false}"#),
    ] {
        let made = body::shaped(Bytes::from(body), false, &switch, &mut Losses::default()).unwrap();
        assert_eq!(std::str::from_utf8(&made).unwrap(), expected, "{body}");
    }
}

#[test]
fn what_refusals_mean() {
    let error = |code: &str, message: &str| {
        format!(r#"{{"error":{{"code":"{code}","message":"{message}","type":"{code}"}},"request_id":"r"}}"#)
    };
    let minutes = Duration::from_mins;
    let seconds = Duration::from_secs;
    let account = |rest| Some((Scope::Account, rest));
    let model = |rest| Some((Scope::Model, rest));
    // Status and body; whether by a login; the client's status, what is next, what rests.
    let cases = [
        (
            429,
            error("insufficient_quota", "Free allocated quota exceeded."),
            true,
            429,
            Next::OtherAccount,
            account(minutes(30)),
        ),
        (403, error("quota_exceeded", "x"), true, 429, Next::OtherAccount, account(minutes(30))),
        (403, error("x", "Quota exceeded for today"), true, 429, Next::OtherAccount, account(minutes(30))),
        (
            429,
            error("insufficient_quota", "You exceeded your current quota"),
            false,
            429,
            Next::OtherAccount,
            account(minutes(30)),
        ),
        (
            401,
            error("invalid_api_key", "invalid access token or token expired"),
            true,
            401,
            Next::Refresh,
            None,
        ),
        (403, error("access_denied", "Access denied."), true, 403, Next::Refresh, None),
        (
            401,
            error("invalid_api_key", "Incorrect API key"),
            false,
            401,
            Next::OtherAccount,
            account(minutes(5)),
        ),
        (403, error("access_denied", "Access denied."), false, 403, Next::OtherAccount, model(minutes(5))),
        (429, error("Throttling", "x"), true, 429, Next::OtherAccount, model(seconds(5))),
        (429, error("Throttling.RateQuota", "x"), true, 429, Next::OtherAccount, model(seconds(5))),
        (
            429,
            error("Throttling.AllocationQuota", "Allocated quota exceeded"),
            false,
            429,
            Next::OtherAccount,
            model(seconds(5)),
        ),
        (400, error("DataInspectionFailed", "x"), false, 400, Next::GiveUp, None),
        (400, error("InvalidParameter", "x"), true, 400, Next::GiveUp, None),
        (400, error("Arrearage", "Access denied, x"), false, 400, Next::OtherAccount, account(minutes(30))),
        (500, error("InternalError", "x"), true, 500, Next::OtherAccount, model(seconds(2))),
        (502, "<html>".to_owned(), true, 502, Next::OtherAccount, model(seconds(2))),
    ];
    for (status, body, login, shown, next, cool) in cases {
        let qwen = Qwen { login };
        let headers = HeaderMap::new();
        let failure = qwen.read_failure(Dialect::Chat, status, &headers, body.as_bytes());
        assert_eq!(failure.status, shown, "{status} {body}");
        let verdict =
            qwen.judge(&Refusal { failure: &failure, model: "m", headers: &headers, oauth: login, now: 0 });
        assert_eq!((verdict.next, verdict.cool), (next, cool), "{status} {body}: {failure:?}");
        let told = verdict.hint.is_some_and(|hint| hint.contains("2026-04-15"));
        let about_login = login
            && matches!(failure.kind, FailureKind::QuotaWindow | FailureKind::Auth | FailureKind::Permission);
        assert_eq!(told, about_login, "{status} {body}");
    }
    let mut failure = Failure::new(FailureKind::QuotaWindow, Blame::Upstream, "x").with_status(429);
    failure.retry_after = Some(seconds(90));
    let headers = HeaderMap::new();
    let verdict = Qwen { login: true }.judge(&Refusal {
        failure: &failure,
        model: "m",
        headers: &headers,
        oauth: true,
        now: 0,
    });
    assert_eq!(verdict.cool, account(seconds(90)), "what is stated holds");
}
