use super::*;
use byok_types::Secret;

const CONSENT: [String; 1] = [String::new()];

fn ask(claims: &[String]) -> Ask<'_> {
    let operation = Operation::Generate { stream: true };
    Ask { operation, dialect: Dialect::Chat, model: "glm-4.6", client: None, needed: &[], claims }
}

#[test]
fn nothing_is_signed_without_consent() {
    let consent = CONSENT.map(|_| CLAIM.to_owned());
    let mut login = Token { oauth: true, ..Token::key(Secret::new("access")) };
    login.facts.insert(API_KEY.into(), Secret::new("sk-of-login"));
    let key = Token::key(Secret::new("sk-alone"));
    for (token, credential) in [(&login, "Bearer sk-of-login"), (&key, "Bearer sk-alone")] {
        assert_eq!(Iflow.demands(&ask(&[]), token), Some(CLAIM));
        let mut headers = HeaderMap::new();
        Iflow.headers(&ask(&[]), token, &mut headers);
        assert_eq!((headers.len(), &headers["authorization"]), (1, &credential.parse().unwrap()));

        assert_eq!(Iflow.demands(&ask(&consent), token), None);
        Iflow.headers(&ask(&consent), token, &mut headers);
        assert_eq!(headers["user-agent"], "iFlow-Cli");
        assert!(headers["session-id"].to_str().unwrap().starts_with("session-"));
        assert_eq!(headers["x-iflow-timestamp"].len(), 13, "milliseconds");
    }
    let lookup = Iflow.ask_models("https://apis.iflow.cn/v1", &login).unwrap();
    assert_eq!(lookup.url.as_str(), "https://apis.iflow.cn/v1/models");
    assert_eq!(lookup.headers.len(), 1, "the list is asked for in byok's own name");
}

#[test]
fn the_signature() {
    let mut headers = HeaderMap::new();
    sign::signed("sk-1", "session-00000000-0000-4000-8000-000000000000", "1775000000000", &mut headers);
    // Made with `openssl dgst -sha256 -hmac sk-1`.
    assert_eq!(headers["x-iflow-signature"], SIGNED);
}

const SIGNED: &str = "57e095c13d43daa5ea4e545a1bee6a5fe424f71bf65b3267414f7e7b00b5c9d9";

#[test]
fn thinking_is_switched_as_the_family_wants_it() {
    let on = r#""chat_template_kwargs":{"enable_thinking":true,"clear_thinking":false},"#;
    let off = r#""chat_template_kwargs":{"enable_thinking":false},"#;
    let plain = r#""chat_template_kwargs":{"enable_thinking":true},"#;
    for (model, wish, said) in [
        ("glm-4.6", r#""enable_thinking":true,"thinking_budget":9,"#, on),
        ("glm-4.6", r#""enable_thinking":false,"#, off),
        ("glm-4.6", r#""reasoning_effort":"high","#, on),
        ("glm-4.6", r#""reasoning_effort":"none","#, off),
        ("glm-4.6", r#""thinking":{"type":"enabled"},"#, on),
        ("glm-4.6", r#""thinking":{"type":"disabled"},"#, off),
        ("glm-4.6", r#""enable_thinking":false,"reasoning_effort":"high","#, off),
        ("glm-4.6", "", ""),
        ("deepseek-v3.2", r#""enable_thinking":true,"#, plain),
        ("deepseek-v3.1", r#""reasoning_effort":"none","#, off),
        ("qwen3-max-preview", r#""reasoning_effort":"low","#, plain),
        ("minimax-m2", r#""enable_thinking":true,"#, r#""reasoning_split":true,"#),
        ("minimax-m2", r#""reasoning_effort":"none","#, r#""reasoning_split":false,"#),
        ("kimi-k2", r#""thinking":{"type":"enabled"},"reasoning_effort":"low","#, ""),
        ("qwen3-max", r#""enable_thinking":true,"#, ""),
        // The vendor's own words stay.
        (
            "glm-4.6",
            r#""chat_template_kwargs":{"x":1e0},"reasoning_effort":"low","#,
            r#""chat_template_kwargs":{"x":1e0},"#,
        ),
        ("minimax-m2", r#""reasoning_split":false,"reasoning_effort":"low","#, r#""reasoning_split":false,"#),
        ("kimi-k2", r#""tools":[ ],"tool_choice":"auto","#, ""),
        ("kimi-k2", r#""tools":[{}],"tool_choice":"auto","#, r#""tools":[{}],"tool_choice":"auto","#),
    ] {
        let body = format!("{{{wish}\"n\":1.0}}");
        let made = body::shaped(Bytes::from(body.clone()), model, &mut Losses::default()).unwrap();
        assert_eq!(std::str::from_utf8(&made).unwrap(), format!("{{{said}\"n\":1.0}}"), "{model} {body}");
    }
}

#[test]
fn what_refusals_mean() {
    let said = |status: &str| format!(r#"{{"status":"{status}","msg":"words","body":null}}"#);
    let account = |minutes| Some((Scope::Account, Duration::from_mins(minutes)));
    let model = |seconds| Some((Scope::Model, Duration::from_secs(seconds)));
    // Status and body; whether by a login; the client's status, what is next, what rests, whether the account is blocked.
    let cases = [
        (200, said("434"), true, 403, Next::OtherAccount, account(60), true),
        (403, said("438"), false, 403, Next::OtherAccount, account(60), true),
        (200, r#"{"status":434,"msg":"words"}"#.to_owned(), true, 403, Next::OtherAccount, account(60), true),
        (406, String::new(), true, 403, Next::OtherAccount, account(30), false),
        (406, said("406"), false, 403, Next::OtherAccount, account(30), false),
        (200, said("449"), true, 429, Next::OtherAccount, model(5), false),
        (200, said("439"), true, 401, Next::Refresh, None, false),
        (200, said("439"), false, 401, Next::OtherAccount, account(5), false),
        (401, said("401"), true, 401, Next::Refresh, None, false),
        (401, r#"{"error":{"message":"Invalid API key"}}"#.to_owned(), true, 401, Next::Refresh, None, false),
        (
            200,
            r#"{"success":false,"code":"500","message":"server busy","data":null}"#.to_owned(),
            true,
            503,
            Next::OtherAccount,
            model(5),
            false,
        ),
        (200, said("435"), true, 404, Next::GiveUp, None, false),
        (200, said("777"), true, 502, Next::OtherAccount, model(2), false),
        (
            400,
            r#"{"error":{"message":"bad","type":"invalid_request_error"}}"#.to_owned(),
            true,
            400,
            Next::GiveUp,
            None,
            false,
        ),
    ];
    for (status, body, oauth, shown, next, cool, blocked) in cases {
        let headers = HeaderMap::new();
        let failure = if let Some(failure) = Iflow.refusal_in(body.as_bytes()) {
            failure
        } else {
            assert_ne!(status, 200, "an error is not taken for an answer: {body}");
            Iflow.read_failure(Dialect::Chat, status, &headers, body.as_bytes())
        };
        assert_eq!(failure.status, shown, "{status} {body}: {failure:?}");
        let verdict =
            Iflow.judge(&Refusal { failure: &failure, model: "m", headers: &headers, oauth, now: 0 });
        assert_eq!((verdict.next, verdict.cool), (next, cool), "{status} {body}: {failure:?}");
        assert_eq!(matches!(verdict.state, Some(AccountState::Blocked { .. })), blocked, "{status} {body}");
        let clock = verdict.hint.is_some_and(|hint| hint.contains("clock of this machine"));
        assert_eq!(
            clock,
            failure.code.as_deref() == Some("406"),
            "the signature has the time in it: {verdict:?}"
        );
    }
    for answer in
        [r#"{"choices":[],"status":"434","msg":"x"}"#, r#"{"id":"x","choices":[{}]}"#, "<html>", "[]", ""]
    {
        assert!(Iflow.refusal_in(answer.as_bytes()).is_none(), "{answer}");
    }
}
