use super::*;
use FailureKind::{Auth, BadRequest, ContextTooLong, NotFound, Overloaded, Permission, RateLimit, Server};
use byok_types::AccountState;
use bytes::Bytes;

const CLAUDE: Claude = Claude { usage: None };

fn ask(operation: Operation, dialect: Dialect, model: &str) -> Ask<'_> {
    Ask { operation, dialect, model, client: None, needed: &[], claims: &[] }
}

const STREAM: Operation = Operation::Generate { stream: true };
const WHOLE: Operation = Operation::Generate { stream: false };

#[test]
fn urls() {
    let openai = OpenAi { first_party: true };
    let cases: [(&dyn Upstream, &str, Ask<'_>, &str); 14] = [
        (
            &CLAUDE,
            "https://api.anthropic.com",
            ask(STREAM, Dialect::Messages, "m"),
            "https://api.anthropic.com/v1/messages",
        ),
        (
            &CLAUDE,
            "https://x.test/anthropic/v1/",
            ask(WHOLE, Dialect::Messages, "m"),
            "https://x.test/anthropic/v1/messages",
        ),
        (
            &CLAUDE,
            "https://x.test/v1/messages",
            ask(Operation::Count, Dialect::Messages, "m"),
            "https://x.test/v1/messages/count_tokens",
        ),
        (
            &CLAUDE,
            "https://x.test",
            ask(Operation::Models, Dialect::Messages, ""),
            "https://x.test/v1/models?limit=1000",
        ),
        (
            &openai,
            "https://api.openai.com/v1",
            ask(WHOLE, Dialect::Chat, "m"),
            "https://api.openai.com/v1/chat/completions",
        ),
        (
            &openai,
            "https://api.openai.com/v1/",
            ask(WHOLE, Dialect::Responses, "m"),
            "https://api.openai.com/v1/responses",
        ),
        (
            &openai,
            "https://api.z.ai/api/paas/v4",
            ask(WHOLE, Dialect::Chat, "m"),
            "https://api.z.ai/api/paas/v4/chat/completions",
        ),
        (
            &openai,
            "https://x.test/v1/chat/completions",
            ask(STREAM, Dialect::Chat, "m"),
            "https://x.test/v1/chat/completions",
        ),
        (&openai, "https://x.test", ask(Operation::Models, Dialect::Chat, ""), "https://x.test/models"),
        (
            &Gemini,
            "https://g.test",
            ask(WHOLE, Dialect::Gemini, "gemini-3"),
            "https://g.test/v1beta/models/gemini-3:generateContent",
        ),
        (
            &Gemini,
            "https://g.test/v1",
            ask(STREAM, Dialect::Gemini, "gemini-3"),
            "https://g.test/v1/models/gemini-3:streamGenerateContent?alt=sse",
        ),
        (
            &Gemini,
            "https://g.test",
            ask(Operation::Count, Dialect::Gemini, "a/b"),
            "https://g.test/v1beta/models/a/b:countTokens",
        ),
        (
            &Gemini,
            "https://g.test",
            ask(WHOLE, Dialect::Gemini, "x?key=1#f"),
            "https://g.test/v1beta/models/x%3Fkey%3D1%23f:generateContent",
        ),
        (
            &Gemini,
            "https://g.test",
            ask(Operation::Models, Dialect::Gemini, ""),
            "https://g.test/v1beta/models?pageSize=1000",
        ),
    ];
    for (upstream, base, ask, expected) in cases {
        assert_eq!(upstream.url(base, &ask).unwrap().as_str(), expected);
    }
    assert!(CLAUDE.url("not a url", &ask(WHOLE, Dialect::Messages, "m")).is_err());
}

fn shown(headers: &HeaderMap) -> Vec<String> {
    let mut lines: Vec<_> =
        headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    lines.sort();
    lines
}

#[test]
fn headers_carry_one_credential_and_what_the_body_needs() {
    let key = Token::key(Secret::new("sk-ant-api03-x"));
    let setup = Token::key(Secret::new("sk-ant-oat01-x"));
    let mut client = HeaderMap::new();
    client.append("anthropic-beta", "a, b".parse().unwrap());
    client.append("anthropic-beta", "a".parse().unwrap());
    client.insert("anthropic-version", "2026-10-21".parse().unwrap());
    client.insert("authorization", "Bearer mine".parse().unwrap());
    client.insert("cookie", "c".parse().unwrap());
    let needed = [("anthropic-beta", "effort-2025-11-24".to_owned())];
    let plain = ask(STREAM, Dialect::Messages, "m");
    let cases = [
        (&key, plain, vec!["anthropic-version: 2023-06-01", "x-api-key: sk-ant-api03-x"]),
        (
            &key,
            Ask { client: Some(&client), ..plain },
            vec!["anthropic-beta: a,b", "anthropic-version: 2026-10-21", "x-api-key: sk-ant-api03-x"],
        ),
        (
            &setup,
            Ask { needed: &needed, ..plain },
            vec![
                "anthropic-beta: effort-2025-11-24,oauth-2025-04-20",
                "anthropic-version: 2023-06-01",
                "authorization: Bearer sk-ant-oat01-x",
            ],
        ),
    ];
    for (token, ask, expected) in cases {
        let mut headers = HeaderMap::new();
        CLAUDE.headers(&ask, token, &mut headers);
        assert_eq!(shown(&headers), expected);
    }
    let mut headers = HeaderMap::new();
    OpenAi { first_party: false }.headers(&plain, &Token::key(Secret::new("")), &mut headers);
    assert!(headers.is_empty());
}

#[test]
fn the_sentence_is_put_first_and_nothing_else_changes() {
    let block = format!(r#"{{"type":"text","text":"{}"}}"#, ACCEPTED_SENTENCES[0]);
    for (body, expected) in [
        (r#"{"model":"m"}"#.to_owned(), format!(r#"{{"system":[{block}],"model":"m"}}"#)),
        (
            r#"{"system":"\u00e9","model":"m"}"#.to_owned(),
            format!(r#"{{"system":[{block},{{"type":"text","text":"\u00e9"}}],"model":"m"}}"#),
        ),
        (
            r#"{"system": [ {"a":1e0} ],"x":1}"#.to_owned(),
            format!(r#"{{"system": [{block}, {{"a":1e0}} ],"x":1}}"#),
        ),
        (r#"{"system":[]}"#.to_owned(), format!(r#"{{"system":[{block}]}}"#)),
        (r#"{"system":""}"#.to_owned(), format!(r#"{{"system":[{block}]}}"#)),
        (r#"{"system":null}"#.to_owned(), format!(r#"{{"system":[{block}]}}"#)),
    ] {
        assert!(!brings_sentence(body.as_bytes()));
        let with = with_sentence(&Bytes::from(body)).unwrap();
        assert_eq!(std::str::from_utf8(&with).unwrap(), expected);
        assert!(brings_sentence(&with));
    }
    let billed = r#"{"system":[{"type":"text","text":"x-anthropic-billing-header: v"},{"type":"text","text":"You are Claude Code, Anthropic's official CLI for Claude."}]}"#;
    assert!(brings_sentence(billed.as_bytes()));
    assert!(!brings_sentence(
        br#"{"system":"You are Claude Code, Anthropic's official CLI for Claude. And more."}"#
    ));
}

/// What is done, what rests for how long, whether byok's own credential was refused.
type Expected = (Next, Option<(Scope, Duration)>, bool);

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn refusals() {
    let failure =
        |kind, status, message: &str| Failure { status, ..Failure::new(kind, Blame::Upstream, message) };
    let headers = |pairs: &[(&'static str, &str)]| -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    };
    let seconds = Duration::from_secs;
    let cases: Vec<(&str, &dyn Upstream, Failure, HeaderMap, bool, Expected)> = vec![
        (
            "a client's fault",
            &CLAUDE,
            failure(BadRequest, 400, "x"),
            headers(&[]),
            false,
            (Next::GiveUp, None, false),
        ),
        (
            "context",
            &CLAUDE,
            failure(ContextTooLong, 400, "prompt is too long"),
            headers(&[]),
            true,
            (Next::GiveUp, None, false),
        ),
        (
            "a key is refused",
            &CLAUDE,
            failure(Auth, 401, "x"),
            headers(&[]),
            false,
            (Next::OtherAccount, Some((Scope::Account, seconds(300))), true),
        ),
        (
            "a token is refused",
            &CLAUDE,
            failure(Auth, 401, "x"),
            headers(&[]),
            true,
            (Next::Refresh, None, true),
        ),
        (
            "overloaded",
            &CLAUDE,
            failure(Overloaded, 529, "x"),
            headers(&[]),
            true,
            (Next::OtherAccount, Some((Scope::Model, seconds(5))), false),
        ),
        (
            "the five hours are used up",
            &CLAUDE,
            failure(RateLimit, 429, "x"),
            headers(&[
                ("anthropic-ratelimit-unified-status", "rejected"),
                ("anthropic-ratelimit-unified-5h-status", "rejected"),
                ("anthropic-ratelimit-unified-5h-reset", "1100"),
            ]),
            true,
            (Next::OtherAccount, Some((Scope::Account, seconds(100))), false),
        ),
        (
            "one family is used up",
            &CLAUDE,
            failure(RateLimit, 429, "x"),
            headers(&[
                ("anthropic-ratelimit-unified-5h-status", "allowed"),
                ("anthropic-ratelimit-unified-7d_oi-status", "rejected"),
                ("anthropic-ratelimit-unified-7d_oi-reset", "1050"),
            ]),
            true,
            (Next::OtherAccount, Some((Scope::Line(Line::With("fable")), seconds(50))), false),
        ),
        (
            "the week of a line is used up",
            &CLAUDE,
            failure(RateLimit, 429, "x"),
            headers(&[
                ("anthropic-ratelimit-unified-status", "rejected"),
                ("anthropic-ratelimit-unified-representative-claim", "seven_day_opus"),
                ("anthropic-ratelimit-unified-reset", "1060"),
            ]),
            true,
            (Next::OtherAccount, Some((Scope::Line(Line::With("opus")), seconds(60))), false),
        ),
        (
            "not to be tried again",
            &CLAUDE,
            failure(Server, 503, "x"),
            headers(&[("x-should-retry", "false")]),
            true,
            (Next::GiveUp, None, false),
        ),
        (
            "a bare 429 on a plan",
            &CLAUDE,
            failure(RateLimit, 429, "x"),
            headers(&[]),
            true,
            (Next::GiveUp, None, false),
        ),
        (
            "long context",
            &CLAUDE,
            failure(RateLimit, 429, "Usage credits are required for long context requests."),
            headers(&[]),
            true,
            (Next::GiveUp, None, false),
        ),
        (
            "extra usage",
            &CLAUDE,
            failure(
                BadRequest,
                400,
                "Third-party apps now draw from your extra usage, not your plan limits.",
            ),
            headers(&[]),
            true,
            (Next::GiveUp, None, false),
        ),
        (
            "a key's rate",
            &OpenAi { first_party: true },
            failure(RateLimit, 429, "x"),
            headers(&[]),
            false,
            (Next::OtherAccount, Some((Scope::Model, seconds(5))), false),
        ),
        (
            "a model that another key may have",
            &OpenAi { first_party: true },
            failure(NotFound, 404, "The model `m` does not exist or you do not have access to it.")
                .with_code("model_not_found"),
            headers(&[]),
            false,
            (Next::OtherAccount, None, false),
        ),
        (
            "a wrong name elsewhere",
            &OpenAi { first_party: false },
            failure(NotFound, 404, "The model `m` does not exist or you do not have access to it.")
                .with_code("model_not_found"),
            headers(&[]),
            false,
            (Next::GiveUp, None, false),
        ),
        (
            "a model that the key's project has not",
            &OpenAi { first_party: true },
            failure(NotFound, 403, "Project `p` does not have access to model `m`")
                .with_code("model_not_found"),
            headers(&[]),
            false,
            (Next::OtherAccount, Some((Scope::Model, seconds(300))), true),
        ),
        (
            "a model that an account may not use",
            &Gemini,
            failure(NotFound, 403, "x"),
            headers(&[]),
            false,
            (Next::OtherAccount, Some((Scope::Model, seconds(300))), true),
        ),
        (
            "forbidden",
            &OpenAi { first_party: true },
            failure(Permission, 403, "x"),
            headers(&[]),
            false,
            (Next::OtherAccount, Some((Scope::Model, seconds(300))), true),
        ),
        (
            "server",
            &Gemini,
            failure(Server, 500, "x"),
            headers(&[]),
            false,
            (Next::OtherAccount, Some((Scope::Model, seconds(2))), false),
        ),
        (
            "a leaked key",
            &Gemini,
            failure(Permission, 403, "Your API key was reported as leaked. Please use another API key."),
            headers(&[]),
            false,
            (Next::OtherAccount, Some((Scope::Account, seconds(86_400))), true),
        ),
        (
            "a limit of a day",
            &OpenAi { first_party: false },
            failure(RateLimit, 429, "x").with_retry_after(seconds(30_000)),
            headers(&[]),
            false,
            (Next::OtherAccount, Some((Scope::Model, seconds(30_000))), false),
        ),
        (
            "the limit of a key at OpenRouter",
            &OpenAi { first_party: false },
            failure(Permission, 403, "Key limit exceeded (total limit)."),
            headers(&[]),
            false,
            (Next::OtherAccount, Some((Scope::Account, seconds(3600))), true),
        ),
        (
            "fair use at Z.ai",
            &OpenAi { first_party: false },
            failure(Permission, 429, "x").with_code("1313"),
            headers(&[]),
            false,
            (Next::OtherAccount, Some((Scope::Account, seconds(86_400))), true),
        ),
        (
            "a bad key",
            &Gemini,
            failure(BadRequest, 400, "API key not valid. Please pass a valid API key."),
            headers(&[]),
            false,
            (Next::OtherAccount, Some((Scope::Account, seconds(300))), true),
        ),
    ];
    for (name, upstream, failure, headers, oauth, expected) in cases {
        let verdict =
            upstream.judge(&Refusal { failure: &failure, model: "m", headers: &headers, oauth, now: 1000 });
        assert_eq!((verdict.next, verdict.cool, verdict.own_credential), expected, "{name}");
    }
}

/// What hides thinking is the client's own choice: it travels if the client named it, and byok never names it.
#[test]
fn t76b_the_beta_that_hides_thinking_is_the_clients_alone() {
    const HIDES: &str = "redact-thinking-2026-02-12";
    let key = Token::key(Secret::new("sk-ant-api03-x"));
    let needed = [("anthropic-beta", "effort-2025-11-24".to_owned())];
    for (own, hidden) in
        [(None, false), (Some("interleaved-thinking-2025-05-14"), false), (Some(HIDES), true)]
    {
        let mut client = HeaderMap::new();
        if let Some(own) = own {
            client.insert("anthropic-beta", own.parse().unwrap());
        }
        let ask = Ask { client: Some(&client), needed: &needed, ..ask(STREAM, Dialect::Messages, "m") };
        let mut headers = HeaderMap::new();
        CLAUDE.headers(&ask, &key, &mut headers);
        let told = headers["anthropic-beta"].to_str().unwrap();
        assert_eq!(told.contains("redact-thinking"), hidden, "{told}");
    }
}

/// What each vendor's rules leave out of a body is told.
#[test]
fn what_a_vendor_leaves_out_is_named() {
    use byok_translate::{LossAction, Losses};
    let chat = r#"{"model":"m","messages":[],"tools":[{"type":"function"}],"#;
    let cases: [(&dyn Upstream, Dialect, String, &[&str]); 9] = [
        (
            &Codex::default(),
            Dialect::Responses,
            r#"{"input":[],"temperature":1,"max_output_tokens":9,"truncation":"disabled","user":"u","service_tier":"flex"}"#.to_owned(),
            &["service_tier", "temperature"],
        ),
        (
            &Codex::default(),
            Dialect::Responses,
            r#"{"input":[],"include":["message.output_text.logprobs"],"service_tier":"auto"}"#.to_owned(),
            &["include"],
        ),
        (&Iflow, Dialect::Chat, format!(r#"{chat}"reasoning_effort":"high"}}"#), &["reasoning_effort"]),
        (
            &Qwen { login: false },
            Dialect::Chat,
            format!(r#"{chat}"enable_thinking":true,"tool_choice":"required"}}"#),
            &["tool_choice"],
        ),
        (
            &Kimi::default(),
            Dialect::Messages,
            r#"{"model":"m","messages":[],"tools":[{"type":"bash_20250124","name":"bash"}]}"#.to_owned(),
            &["tools"],
        ),
        (
            &Copilot::default(),
            Dialect::Messages,
            r#"{"model":"m","messages":[],"container":"c","tools":[{"type":"bash_20250124","name":"bash"}]}"#.to_owned(),
            &["container", "tools"],
        ),
        (&Copilot::default(), Dialect::Responses, r#"{"input":[],"service_tier":"flex"}"#.to_owned(), &["service_tier"]),
        (
            &Xai::default(),
            Dialect::Responses,
            r#"{"input":[],"stop":["x"],"tools":[{"type":"file_search"}],"reasoning":{"effort":"low"}}"#.to_owned(),
            &["reasoning.effort", "stop", "tools"],
        ),
        (&Vertex, Dialect::Gemini, r#"{"contents":[],"serviceTier":"flex"}"#.to_owned(), &["serviceTier"]),
    ];
    for (upstream, dialect, body, expected) in cases {
        let token = Token { oauth: true, ..Token::key(Secret::new("t")) };
        let (facts, none) = (ModelFacts::default(), HeaderMap::new());
        let ask = Ask {
            operation: Operation::Generate { stream: true },
            dialect,
            model: "m",
            client: None,
            needed: &[],
            claims: &[],
        };
        let shaping =
            Shaping { ask: &ask, token: &token, facts: &facts, client: &none, request_id: "r", at_ms: 0 };
        let mut losses = Losses::default();
        upstream.shape(body.clone().into(), &shaping, &mut losses).unwrap();
        let losses = losses.attach(()).losses;
        let told = losses.iter().filter(|loss| loss.action == LossAction::Dropped);
        let mut told: Vec<&str> = told.map(|loss| loss.field.as_str()).collect();
        told.sort_unstable();
        assert_eq!(told, expected, "{upstream:?} {body}");
    }
}

#[test]
fn keys_of_gemini_that_are_dead_are_marked() {
    let told = |status: u16, reason: &str, quota: &str| {
        let body = serde_json::json!({"error": {"code": status, "message": "m", "status": "X", "details": [
            {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason},
            {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": quota}]}]}});
        let failure =
            Gemini.read_failure(Dialect::Gemini, status, &HeaderMap::new(), body.to_string().as_bytes());
        Gemini.judge(&Refusal {
            failure: &failure,
            model: "m",
            headers: &HeaderMap::new(),
            oauth: false,
            now: 0,
        })
    };
    for (status, reason) in [
        (400, "API_KEY_EXPIRED"),
        (403, "API_KEY_HTTP_REFERRER_BLOCKED"),
        (403, "API_KEY_IP_ADDRESS_BLOCKED"),
    ] {
        let verdict = told(status, reason, "");
        let Some(AccountState::Blocked { reason }) = verdict.state else { panic!("{reason}: {verdict:?}") };
        assert!(reason.ends_with("then run `byok accounts enable`."), "{reason}");
    }
    assert_eq!(told(400, "API_KEY_INVALID", "").state, None, "a typing error, or Google's own trouble");
    let minute = told(429, "", "GenerateRequestsPerMinutePerProjectPerModel");
    assert_eq!(minute.cool, Some((Scope::Model, Duration::from_mins(1))));
}

#[test]
fn lists_of_models_are_asked_for_page_by_page() {
    let token = Token::key(Secret::new("k"));
    let (openai, claude) = (OpenAi { first_party: false }, Claude::default());
    let all: [(&dyn Upstream, &str, &str, &str, &str); 4] = [
        (
            &openai,
            "https://x.test/v1/chat/completions",
            "https://x.test/v1/models",
            "authorization",
            "Bearer k",
        ),
        (&openai, "https://x.test/v1/responses", "https://x.test/v1/models", "authorization", "Bearer k"),
        (&claude, "https://x.test/v1", "https://x.test/v1/models?limit=1000", "x-api-key", "k"),
        (&Gemini, "https://x.test", "https://x.test/v1beta/models?pageSize=1000", "x-goog-api-key", "k"),
    ];
    for (upstream, base, url, header, value) in all {
        let asked = upstream.ask_models(base, &token).unwrap();
        assert!(upstream.lists_models());
        assert_eq!((asked.url.as_str(), asked.headers[header].to_str().unwrap()), (url, value));
        assert!(upstream.ask_more_models(&asked, b"{}").is_none(), "{url}");
    }
    let page = br#"{"data":[{"id":"a"}],"has_more":true,"last_id":"a b","models":[],"nextPageToken":"n"}"#;
    for (upstream, base, next) in [
        (&claude as &dyn Upstream, "https://x.test", "https://x.test/v1/models?limit=1000&after_id=a+b"),
        (&Gemini, "https://x.test", "https://x.test/v1beta/models?pageSize=1000&pageToken=n"),
    ] {
        let first = upstream.ask_models(base, &token).unwrap();
        let second = upstream.ask_more_models(&first, page).unwrap();
        assert_eq!((second.url.as_str(), &second.headers), (next, &first.headers));
        assert_eq!(upstream.ask_more_models(&second, page).unwrap().url, second.url, "one token, not two");
    }
    assert!(openai.ask_more_models(&openai.ask_models("https://x.test", &token).unwrap(), page).is_none());
}

#[test]
fn a_day_of_gemini_ends_at_midnight_in_california() {
    // 20:00 in California.
    let now = 1_783_825_200 + 12 * 3600;
    let midnight = u64::try_from(time::next_day_in_california(now) - now).unwrap();
    for (quota, asked, wait) in [
        ("GenerateRequestsPerDayPerProjectPerModel-FreeTier", Some(33), midnight),
        ("GenerateRequestsPerDayPerProjectPerModel-FreeTier", None, midnight),
        ("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", None, 60),
        ("limit: 0", None, 3600),
    ] {
        let body = format!(
            r#"{{"error":{{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[{{"quotaId":"{quota}"}}]}}}}"#
        );
        let failure = Gemini.read_failure(Dialect::Gemini, 429, &HeaderMap::new(), body.as_bytes());
        let failure = Failure { retry_after: asked.map(Duration::from_secs), ..failure };
        let refusal =
            Refusal { failure: &failure, model: "m", headers: &HeaderMap::new(), oauth: false, now };
        assert_eq!(Gemini.judge(&refusal).cool, Some((Scope::Model, Duration::from_secs(wait))), "{quota}");
    }
}

#[test]
fn a_key_without_money_rests_for_half_an_hour() {
    for first_party in [true, false] {
        let openai = OpenAi { first_party };
        for code in ["insufficient_quota", "billing_not_active"] {
            let body = format!(r#"{{"error":{{"message":"m","type":"t","param":null,"code":"{code}"}}}}"#);
            let headers = HeaderMap::new();
            for dialect in [Dialect::Chat, Dialect::Responses] {
                let failure = openai.read_failure(dialect, 429, &headers, body.as_bytes());
                let refusal =
                    Refusal { failure: &failure, model: "m", headers: &headers, oauth: false, now: 0 };
                let verdict = openai.judge(&refusal);
                let half_an_hour = Some((Scope::Account, Duration::from_mins(30)));
                assert_eq!((verdict.next, verdict.cool), (Next::OtherAccount, half_an_hour), "{code}");
            }
        }
    }
}

#[test]
fn no_capacity_at_gemini_is_a_rest_of_five_seconds() {
    for (status, reason) in [(429, "MODEL_CAPACITY_EXHAUSTED"), (503, "MODEL_CAPACITY_EXCEEDED")] {
        let body = serde_json::json!({"error": {"code": status, "message": "No capacity.", "status": "UNAVAILABLE",
            "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason},
                {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "40s"}]}});
        let headers = HeaderMap::new();
        let failure = Gemini.read_failure(Dialect::Gemini, status, &headers, body.to_string().as_bytes());
        let refusal = Refusal { failure: &failure, model: "m", headers: &headers, oauth: false, now: 0 };
        let verdict = Gemini.judge(&refusal);
        let rest = Some((Scope::Model, Duration::from_secs(5)));
        assert_eq!((verdict.next, verdict.cool), (Next::OtherAccount, rest), "{status} {reason}");
    }
}
