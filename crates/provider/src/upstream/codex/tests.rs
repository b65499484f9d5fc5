use super::*;
use byok_types::{ModelFacts, Secret, TokenFacts};
use serde_json::{Value, json};

const STREAM: Operation = Operation::Generate { stream: true };

fn token() -> Token {
    let facts = TokenFacts::from([("account_id".to_owned(), Secret::new("ws-1"))]);
    Token { oauth: true, facts, ..Token::key(Secret::new("access")) }
}

fn ask(operation: Operation, client: Option<&HeaderMap>) -> Ask<'_> {
    Ask { operation, dialect: Dialect::Responses, model: "m", client, needed: &[], claims: &[] }
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
}

#[test]
fn addresses() {
    let codex = Codex::default();
    let base = "https://chatgpt.com/backend-api/codex";
    for (operation, expected) in [
        (STREAM, "/responses"),
        (Operation::Endpoint(Endpoint::Compact), "/responses/compact"),
        (Operation::Models, "/models?client_version=0.169.0"),
    ] {
        assert_eq!(codex.url(base, &ask(operation, None)).unwrap().as_str(), format!("{base}{expected}"));
    }
    assert_eq!(codex.url(base, &ask(Operation::Count, None)).unwrap_err().blame, Blame::Byok);
    assert!(codex.has(Endpoint::Compact) && !codex.has(Endpoint::Embeddings));
    let usage = |base: &str| codex.ask_quota(base, &token()).unwrap().url.to_string();
    assert_eq!(usage(base), "https://chatgpt.com/backend-api/wham/usage");
    assert_eq!(usage("https://gateway.example.com"), "https://gateway.example.com/api/codex/usage");
    let models = codex.ask_models(base, &token()).unwrap();
    assert_eq!(models.headers["chatgpt-account-id"], "ws-1");
    assert_eq!(models.headers["authorization"], "Bearer access");
}

#[test]
fn headers_of_a_call() {
    let shown = |token: &Token, client: Option<&HeaderMap>| {
        let mut headers = HeaderMap::new();
        Codex::default().headers(&ask(STREAM, client), token, &mut headers);
        let mut shown: Vec<String> =
            headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        shown.sort();
        assert!(headers["authorization"].is_sensitive());
        shown
    };
    let own = ["authorization: Bearer access", "chatgpt-account-id: ws-1", "originator: byok"];
    assert_eq!(shown(&token(), None), own);
    // What the vendor's own program says is true of it and goes on; nothing else of a client does.
    let client = headers(&[
        ("originator", "codex_exec"),
        ("session-id", "s"),
        ("x-codex-turn-state", "t"),
        ("x-openai-internal-codex-responses-lite", "true"),
        ("cookie", "c"),
        ("chatgpt-account-id", "other"),
        ("x-forwarded-for", "1.2.3.4"),
    ]);
    let expected = [
        "authorization: Bearer access",
        "chatgpt-account-id: ws-1",
        "originator: codex_exec",
        "session-id: s",
        "x-codex-turn-state: t",
        "x-openai-internal-codex-responses-lite: true",
    ];
    assert_eq!(shown(&token(), Some(&client)), expected);
    let mut fedramp = token();
    fedramp.facts.insert("fedramp".to_owned(), Secret::new("true"));
    assert_eq!(shown(&fedramp, None)[3], "x-openai-fedramp: true");
}

fn shaped(body: &str, client: Option<&HeaderMap>) -> String {
    let (facts, token, ask) = (ModelFacts::default(), token(), ask(STREAM, client));
    let none = HeaderMap::new();
    let shaping =
        Shaping { ask: &ask, token: &token, facts: &facts, client: &none, request_id: "r", at_ms: 0 };
    let body =
        Codex::default().shape(Bytes::from(body.to_owned()), &shaping, &mut Losses::default()).unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

/// What every body has behind its own members.
const REST: &str =
    r#""stream":true,"store":false,"instructions":"","include":["reasoning.encrypted_content"]"#;

#[test]
fn a_body_in_order_stays_byte_for_byte() {
    let official = r#"{ "model":"gpt-5.5","stream" : true,"input":[{"type":"message","id":"msg_1","role":"developer","content":[]},
        {"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"gAAAA"}],"tools":[{"type":"web_search"}],"tool_choice":"auto",
        "parallel_tool_calls":true,"reasoning":{"effort":"low"},"store":false,"include":["reasoning.encrypted_content"],
        "prompt_cache_key":"k","text":{"verbosity":"low"},"client_metadata":{"a":"b"},"service_tier":"priority"}"#;
    assert_eq!(shaped(official, None), official);
    // In the newer shape nothing is looked at.
    let lite = r#"{"model":"m","stream":true,"store":false,"input":[{"type":"additional_tools","tools":[]}],"parallel_tool_calls":false,"x":1}"#;
    let mark = headers(&[("x-openai-internal-codex-responses-lite", "true")]);
    assert_eq!(shaped(lite, Some(&mark)), lite);
    let whole = lite.replace(r#""stream":true"#, r#""stream":false"#);
    assert_eq!(shaped(&whole, Some(&mark)), lite);
}

#[test]
fn what_the_backend_refuses_is_left_out() {
    const REFUSED: [&str; 22] = [
        "temperature",
        "top_p",
        "max_output_tokens",
        "max_tokens",
        "max_completion_tokens",
        "presence_penalty",
        "frequency_penalty",
        "seed",
        "stop",
        "n",
        "logprobs",
        "top_logprobs",
        "user",
        "metadata",
        "truncation",
        "stream_options",
        "prompt_cache_retention",
        "prompt_cache_options",
        "safety_identifier",
        "generate",
        "context_management",
        "some_new_field",
    ];
    for name in REFUSED {
        let body = format!(r#"{{"model":"m","{name}":1,"input":[]}}"#);
        assert_eq!(shaped(&body, None), format!(r#"{{"model":"m","input":[],{REST}}}"#), "{name}");
    }
}

#[test]
fn bodies_of_other_clients() {
    let cases = [
        // (members, what they become)
        (
            r#""input":"Hi \"you\"""#,
            r#""input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"Hi \"you\""}]}]"#,
        ),
        (
            r#""input":[{"role":"system","content":"S","n":1e5}]"#,
            r#""input":[{"role":"developer","content":"S","n":1e5}]"#,
        ),
        (
            r#""input":[{"type":"reasoning","id":"rs_1","summary":[]},{"role":"user","content":"x"}]"#,
            r#""input":[{"role":"user","content":"x"}]"#,
        ),
        (
            r#""input":[{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":null}]"#,
            r#""input":[]"#,
        ),
        (
            r#""input":[{"type":"message","id":"call_1","role":"user","content":"x"}]"#,
            r#""input":[{"type":"message","role":"user","content":"x"}]"#,
        ),
        (
            r#""input":[{"type":"function_call","id":"msg_1","call_id":"c","name":"f","arguments":"{}"}]"#,
            r#""input":[{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}]"#,
        ),
        (
            r#""input":[{"role":"user","content":[{"type":"input_text","text":"x","prompt_cache_breakpoint":{"mode":"explicit"}}]}]"#,
            r#""input":[{"role":"user","content":[{"type":"input_text","text":"x"}]}]"#,
        ),
        (
            r#""input":[{"type":"function_call","call_id":"LONG","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"LONG","output":"x"}]"#,
            r#""input":[{"type":"function_call","call_id":"SHORT","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"SHORT","output":"x"}]"#,
        ),
        (r#""input":[],"tools":[],"tool_choice":"auto","parallel_tool_calls":true"#, r#""input":[]"#),
        (r#""input":[],"service_tier":"flex""#, r#""input":[]"#),
        (r#""input":[],"service_tier":"auto""#, r#""input":[]"#),
        (r#""input":[],"service_tier":"fast""#, r#""input":[],"service_tier":"priority""#),
        (r#""input":[],"reasoning":null"#, r#""input":[]"#),
        (
            r#""input":[{"type":"additional_tools","role":"developer","tools":[{"type":"custom","name":"exec"}]}],"parallel_tool_calls":false"#,
            r#""input":[],"parallel_tool_calls":false,"tools":[{"type":"custom","name":"exec"}]"#,
        ),
    ];
    let long = "toolu_é".repeat(10);
    let short = byok_translate::responses::bounded_call_id(&long).into_owned();
    assert_eq!(short.chars().count(), 64);
    for (members, expected) in cases {
        let (members, expected) = (members.replace("LONG", &long), expected.replace("SHORT", &short));
        let mut wanted: Value =
            serde_json::from_str(&format!(r#"{{"model":"m",{expected},{REST}}}"#)).unwrap();
        let found = shaped(&format!(r#"{{"model":"m",{members}}}"#), None);
        let read: Value = serde_json::from_str(&found).unwrap();
        if wanted["input"][0]["role"] == "developer" {
            wanted.as_object_mut().unwrap().remove("instructions");
        }
        assert_eq!(read, wanted, "{members}");
        assert!(!members.contains("1e5") || found.contains("1e5"), "numbers keep their spelling: {found}");
    }
    let include = shaped(
        r#"{"model":"m","instructions":"I","input":[],"include":["message.output_text.logprobs","web_search_call.action.sources"],"store":true,"stream":false}"#,
        None,
    );
    assert_eq!(
        include,
        r#"{"model":"m","instructions":"I","input":[],"include":["web_search_call.action.sources","reasoning.encrypted_content"],"store":false,"stream":true}"#
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn what_refusals_mean() {
    const NOW: i64 = 1_738_880_000;
    let hours = |hours| Duration::from_hours(hours);
    let account = |wait| Some((Scope::Account, wait));
    let model = |wait| Some((Scope::Model, wait));
    let cases = [
        (400, r#"{"detail":"Unsupported parameter: x"}"#, "", Next::GiveUp, None, ""),
        (400, r#"{"error":{"code":"context_length_exceeded","message":"m"}}"#, "", Next::GiveUp, None, ""),
        (400, r#"{"error":{"code":"cyber_policy","message":"m"}}"#, "", Next::GiveUp, None, ""),
        (
            400,
            r#"{"detail":"The 'gpt-9' model is not supported when using Codex with a ChatGPT account."}"#,
            "",
            Next::OtherAccount,
            model(hours(1)),
            "",
        ),
        (401, r#"{"detail":"Unauthorized"}"#, "", Next::Refresh, None, ""),
        (401, r#"{"error":{"code":"token_expired","message":"m"}}"#, "", Next::Refresh, None, ""),
        (
            401,
            r#"{"error":{"code":"account_deactivated","message":"m"}}"#,
            "",
            Next::OtherAccount,
            account(hours(1)),
            "blocked",
        ),
        (
            402,
            r#"{"detail":{"code":"deactivated_workspace"}}"#,
            "",
            Next::OtherAccount,
            account(hours(1)),
            "blocked",
        ),
        // As a stream tells it, and as an answer.
        (
            402,
            r#"{"error":{"code":"insufficient_quota","message":"m"}}"#,
            "",
            Next::OtherAccount,
            account(Duration::from_mins(30)),
            "",
        ),
        (
            429,
            r#"{"error":{"code":"insufficient_quota","message":"m"}}"#,
            "",
            Next::OtherAccount,
            account(Duration::from_mins(30)),
            "",
        ),
        (
            403,
            r#"{"error":{"code":"unsupported_country_region_territory","message":"m"}}"#,
            "",
            Next::OtherAccount,
            account(Duration::from_mins(5)),
            "",
        ),
        (404, r#"{"detail":"Not Found"}"#, "", Next::GiveUp, None, ""),
        (413, r#"{"detail":"too large"}"#, "", Next::GiveUp, None, ""),
        (
            429,
            r#"{"error":{"type":"usage_limit_reached","message":"m","resets_at":1738888888,"resets_in_seconds":1234}}"#,
            "",
            Next::OtherAccount,
            account(Duration::from_secs(8888)),
            "",
        ),
        (
            429,
            r#"{"error":{"type":"usage_limit_reached","message":"m","resets_in_seconds":1234}}"#,
            "",
            Next::OtherAccount,
            account(Duration::from_secs(1234)),
            "",
        ),
        (
            429,
            r#"{"error":{"type":"usage_limit_reached","message":"m"}}"#,
            "100",
            Next::OtherAccount,
            account(Duration::from_mins(10)),
            "",
        ),
        (
            429,
            r#"{"error":{"type":"usage_limit_reached","message":"m"}}"#,
            "",
            Next::OtherAccount,
            account(Duration::from_mins(30)),
            "",
        ),
        (
            429,
            r#"{"error":{"type":"usage_not_included","message":"m"}}"#,
            "",
            Next::OtherAccount,
            account(hours(1)),
            "blocked",
        ),
        (
            429,
            r#"{"error":{"code":"rate_limit_exceeded","message":"Please try again in 1.5s."}}"#,
            "",
            Next::OtherAccount,
            model(Duration::from_millis(1500)),
            "",
        ),
        (500, "", "", Next::OtherAccount, model(Duration::from_secs(2)), ""),
        (
            503,
            r#"{"error":{"code":"server_is_overloaded","message":"m"}}"#,
            "",
            Next::OtherAccount,
            model(Duration::from_secs(5)),
            "",
        ),
        (
            503,
            r#"{"detail":"Selected model is at capacity. Please try a different model."}"#,
            "",
            Next::OtherAccount,
            model(Duration::from_secs(5)),
            "",
        ),
    ];
    for (status, body, used, next, cool, state) in cases {
        let mut answer = HeaderMap::new();
        if !used.is_empty() {
            answer = headers(&[
                ("x-codex-primary-used-percent", used),
                ("x-codex-primary-reset-at", "1738880600"),
            ]);
        }
        let codex = Codex::default();
        let failure = codex.read_failure(Dialect::Responses, status, &answer, body.as_bytes());
        let refusal = Refusal { failure: &failure, model: "m", headers: &answer, oauth: true, now: NOW };
        let verdict = codex.judge(&refusal);
        assert_eq!((verdict.next, verdict.cool), (next, cool), "{status} {body}");
        let found = matches!(verdict.state, Some(AccountState::Blocked { .. }));
        assert_eq!(found, state == "blocked", "{status} {body}");
        let ours = [401, 403].contains(&status) || state == "blocked";
        assert_eq!(verdict.own_credential, ours, "{status} {body}");
    }
}

#[test]
fn the_end_of_a_limit_is_known_from_a_stream_too() {
    use byok_translate::{Exchange, StreamReader, ir::Event, ir::Request};
    for (event, expected) in [
        (
            r#"{"type":"response.failed","response":{"id":"r","status":"failed","output":[],"error":{"code":"usage_limit_reached","message":"m","resets_at":1738888888,"resets_in_seconds":5}}}"#,
            8888,
        ),
        (
            r#"{"type":"response.failed","response":{"id":"r","status":"failed","output":[],"error":{"code":"usage_limit_reached","message":"m","resets_in_seconds":1234}}}"#,
            1234,
        ),
        (
            r#"{"type":"error","status":429,"error":{"type":"usage_limit_reached","message":"m","resets_at":1738888888}}"#,
            8888,
        ),
    ] {
        let request = Request::new(Dialect::Responses, "m".to_owned());
        let exchange = Exchange::new(&request, &ModelFacts::default(), Dialect::Responses, 0, "r");
        let (mut reader, mut events) = (StreamReader::new(&exchange, 1 << 20), Vec::new());
        reader.push(format!("data: {event}\n\n").as_bytes(), &mut events);
        let failure = events.into_iter().find_map(|event| match event {
            Event::Failure(failure) => Some(failure),
            _ => None,
        });
        let (failure, none) = (failure.unwrap(), HeaderMap::new());
        assert_eq!(failure.status, 429, "{event}");
        let refusal =
            Refusal { failure: &failure, model: "m", headers: &none, oauth: true, now: 1_738_880_000 };
        let cool = Codex::default().judge(&refusal).cool;
        assert_eq!(cool, Some((Scope::Account, Duration::from_secs(expected))), "{event}");
    }
}

#[test]
fn limits_of_a_plan() {
    let told = headers(&[
        ("x-codex-primary-used-percent", "12.5"),
        ("x-codex-primary-window-minutes", "300"),
        ("x-codex-primary-reset-at", "1000"),
        ("x-codex-secondary-used-percent", "40"),
        ("x-codex-secondary-window-minutes", "10080"),
        ("x-codex-secondary-reset-after-seconds", "60"),
        ("x-codex-bengalfox-primary-used-percent", "1"),
        ("x-codex-bengalfox-primary-window-minutes", "1440"),
        ("x-codex-other-primary-used-percent", "1"),
    ]);
    let mut windows = plan::windows(&told, 500);
    windows.sort_by(|a, b| a.used.total_cmp(&b.used));
    let window = |name: &str, used, resets_at, scope: Option<&str>| Window {
        name: name.to_owned(),
        used,
        resets_at,
        scope: scope.map(str::to_owned),
    };
    let expected = [
        window("day", 0.01, None, Some("codex-bengalfox")),
        window("5 hours", 0.125, Some(1000), None),
        window("week", 0.4, Some(560), None),
    ];
    assert_eq!(windows, expected);

    let body = json!({
        "plan_type": "Plus",
        "rate_limit": {
            "primary_window": {"used_percent": 12, "limit_window_seconds": 18_000, "reset_after_seconds": 9, "reset_at": 77},
            "secondary_window": null,
        },
        "code_review_rate_limit": null,
        "additional_rate_limits": [{"limit_name": "spark", "rate_limit": {
            "primary_window": {"used_percent": 50, "limit_window_seconds": 604_800, "reset_after_seconds": 9},
        }}],
    });
    let quota = plan::quota(body.to_string().as_bytes(), 500);
    assert_eq!(quota.plan.as_deref(), Some("plus"));
    assert_eq!(
        quota.windows,
        [window("5 hours", 0.12, Some(77), None), window("week", 0.5, Some(509), Some("spark"))]
    );
    // The word of the vendor counts, also where a number is rounded or about something else: such a rest is not ended.
    for (limit, reached, room) in [
        (json!({"allowed": true, "limit_reached": false}), Value::Null, true),
        (json!({"allowed": false, "limit_reached": false}), Value::Null, false),
        (json!({"allowed": true, "limit_reached": true}), Value::Null, false),
        (json!({}), Value::Null, true),
        (json!({}), json!({"type": "workspace_owner_credits_depleted"}), false),
    ] {
        let mut body = json!({"rate_limit": limit, "rate_limit_reached_type": reached});
        body["rate_limit"]["primary_window"] = json!({"used_percent": 99, "limit_window_seconds": 18_000});
        assert_eq!(plan::quota(body.to_string().as_bytes(), 0).has_room(), room, "{body}");
    }
    for broken in ["", "[]", "<html>", "{}"] {
        assert_eq!(plan::quota(broken.as_bytes(), 0), Quota::default());
    }
    let codex = Codex::default();
    for (used, credits, charged) in [("100", "true", true), ("99", "true", false), ("100", "false", false)] {
        let told =
            headers(&[("x-codex-primary-used-percent", used), ("x-codex-credits-has-credits", credits)]);
        assert_eq!(codex.charges_extra(&told), charged, "{used} {credits}");
    }
}

#[test]
fn the_list_of_models() {
    let body = json!({"models": [
        {
            "slug": "gpt-7", "display_name": "GPT-7", "visibility": "list", "context_window": 272_000,
            "max_context_window": 872_000, "input_modalities": ["text", "image"],
            "supported_reasoning_levels": [{"effort": "low"}, {"effort": "max"}, {"effort": "ultra"}],
        },
        {"slug": "hidden", "visibility": "hide"},
        {"slug": "none", "visibility": "none"},
        {"slug": "bare"},
        {"visibility": "list"},
    ]});
    let found = plan::models(body.to_string().as_bytes());
    assert_eq!(found.iter().map(|model| model.id.as_str()).collect::<Vec<_>>(), ["gpt-7", "bare"]);
    let mut all = found[0].facts.clone();
    all.insert("id".to_owned(), json!("gpt-7"));
    let facts: ModelFacts = serde_json::from_value(all.into()).unwrap();
    assert_eq!(facts.context_tokens, Some(872_000));
    assert_eq!(facts.thinking.levels, [byok_types::Effort::Low, byok_types::Effort::Max]);
    assert!(found[1].facts.is_empty());
}

#[test]
fn t108b_the_backend_always_gets_instructions_that_are_text() {
    for (members, expected) in [
        (r#""instructions":null,"input":[]"#, json!("")),
        (r#""input":[]"#, json!("")),
        (r#""instructions":"","input":[]"#, json!("")),
        (r#""instructions":"I","input":[]"#, json!("I")),
        (r#""instructions":null,"input":[{"role":"user","content":"x"}]"#, json!("")),
    ] {
        let found: Value =
            serde_json::from_str(&shaped(&format!(r#"{{"model":"m",{members}}}"#), None)).unwrap();
        assert_eq!(found["instructions"], expected, "{members}: {found}");
    }
}

#[test]
fn what_the_platform_alone_keeps_is_refused() {
    let (facts, token, ask, none) = (ModelFacts::default(), token(), ask(STREAM, None), HeaderMap::new());
    let shaping =
        Shaping { ask: &ask, token: &token, facts: &facts, client: &none, request_id: "r", at_ms: 0 };
    let upstreams: [&dyn Upstream; 2] = [&Codex::default(), &crate::upstream::Xai::keys()];
    for (member, field) in [
        (r#""previous_response_id":"resp_1""#, Some("previous_response_id")),
        (r#""conversation":{"id":"c"}"#, Some("conversation")),
        (r#""prompt":{"id":"p"}"#, Some("prompt")),
        (r#""background":true"#, Some("background")),
        (r#""previous_response_id":null,"background":false,"prompt":null"#, None),
    ] {
        let body = Bytes::from(format!(r#"{{"model":"m","input":"Hi.",{member}}}"#));
        for upstream in upstreams {
            let refused = upstream.shape(body.clone(), &shaping, &mut Losses::default()).err();
            assert_eq!(refused.and_then(|failure| failure.param).as_deref(), field, "{member}");
        }
    }
}

#[test]
fn answers_name_the_list_of_models() {
    let headers =
        HeaderMap::from_iter([(HeaderName::from_static("x-models-etag"), HeaderValue::from_static("W/x"))]);
    assert_eq!(Codex::default().list_mark(&headers), Some("W/x"));
    assert_eq!(Codex::default().list_mark(&HeaderMap::new()), None);
}
