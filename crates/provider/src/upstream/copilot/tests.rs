#![expect(clippy::type_complexity, clippy::needless_pass_by_value, reason = "tables of cases")]

use super::*;
use byok_auth::claims;
use byok_translate::LossAction;
use byok_types::{ModelFacts, Secret, TokenFacts};
use serde_json::{Value, json};

const WHOLE: Operation = Operation::Generate { stream: false };

fn token(mode: &str) -> Token {
    let facts = [(MODE, mode), (BASE, "https://api.individual.githubcopilot.com"), (GITHUB, "ghu_canary")];
    Token {
        secret: Secret::new("tid=1:x"),
        oauth: true,
        hash: None,
        facts: facts.map(|(name, value)| (name.to_owned(), Secret::new(value))).into(),
    }
}

fn ask(dialect: Dialect) -> Ask<'static> {
    Ask { operation: WHOLE, dialect, model: "m", client: None, needed: &[], claims: &[] }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap())
}

#[test]
fn addresses_and_whom_they_are_trusted_to() {
    let copilot = Copilot::default();
    for (dialect, path) in [
        (Dialect::Chat, "chat/completions"),
        (Dialect::Responses, "responses"),
        (Dialect::Messages, "v1/messages"),
    ] {
        let url = copilot.url("https://api.githubcopilot.com", &ask(dialect)).unwrap();
        assert_eq!(url.as_str(), format!("https://api.githubcopilot.com/{path}"));
    }
    let exchanged = token(EXCHANGE);
    assert_eq!(copilot.base("https://b", &exchanged), "https://api.individual.githubcopilot.com");
    let none = Token { facts: TokenFacts::new(), ..token(EXCHANGE) };
    assert_eq!(copilot.base("https://b", &none), "https://b");
    let own = Copilot { inference: Url::parse("https://gateway.test/x").ok(), usage: None };
    assert_eq!(
        own.base("https://gateway.test/x", &exchanged),
        "https://gateway.test/x",
        "the person's own word"
    );
    for (host, trusted) in [
        ("api.githubcopilot.com", true),
        ("githubcopilot.com", true),
        ("api.github.com", true),
        ("copilot-api.acme.ghe.com", true),
        ("api.acme.ghe.com", true),
        ("acme.ghe.com", false),
        ("api.a.b.ghe.com", false),
        ("evilgithubcopilot.com", false),
        ("githubcopilot.com.evil.test", false),
        ("github.com", false),
    ] {
        assert_eq!(copilot.trusts(host), trusted, "{host}");
    }
}

#[test]
fn what_is_claimed_and_what_is_demanded() {
    let copilot = Copilot::default();
    let all: Vec<String> =
        claims::claims_of("copilot", byok_types::CredentialKind::Oauth).map(|c| c.name.to_owned()).collect();
    let mut own = HeaderMap::new();
    own.insert(INTEGRATION, "jetbrains-chat".parse().unwrap());
    own.insert(EDITOR, "JetBrains/1".parse().unwrap());
    let one = all[..1].to_vec();
    // Way, claims, the client's headers; what is demanded, and what is said.
    let cases: [(&str, &[String], Option<&HeaderMap>, Option<&str>, Option<&str>); 5] = [
        ("direct", &[], None, None, None),
        ("exchange", &[], None, Some("copilot-integration-id"), None),
        ("exchange", &one, None, Some("copilot-editor-version"), Some("vscode-chat")),
        ("exchange", &all, None, None, Some("vscode-chat")),
        ("exchange", &[], Some(&own), None, Some("jetbrains-chat")),
    ];
    for (mode, claims, client, demanded, said) in cases {
        let ask = Ask { client, claims, ..ask(Dialect::Chat) };
        assert_eq!(copilot.demands(&ask, &token(mode)), demanded, "{mode} {claims:?}");
        let mut headers = HeaderMap::new();
        copilot.headers(&ask, &token(mode), &mut headers);
        assert_eq!(text(&headers, "copilot-integration-id"), said, "{mode} {claims:?}");
        // Both are said, or what is missing is demanded.
        let editor = said.filter(|_| demanded.is_none());
        let editor = editor.map(|said| if said == "vscode-chat" { "vscode/1.110.0" } else { "JetBrains/1" });
        assert_eq!(text(&headers, "editor-version"), editor, "{mode} {claims:?}");
        assert_eq!(text(&headers, "authorization"), Some("Bearer tid=1:x"));
        assert_eq!(text(&headers, "x-github-api-version"), Some("2026-06-01"));
        assert!(!headers.contains_key("user-agent"), "byok's own is set by the transport");
    }
    // Consent given for one way says nothing in the other.
    let mut headers = HeaderMap::new();
    copilot.headers(&Ask { claims: &all, ..ask(Dialect::Messages) }, &token("direct"), &mut headers);
    assert!(!headers.contains_key(INTEGRATION) && !headers.contains_key(EDITOR));
    assert_eq!(text(&headers, "anthropic-version"), Some("2023-06-01"));
}

fn of_body(dialect: Dialect, body: Value, client: &HeaderMap) -> (String, bool) {
    let (ask, token, facts) = (ask(dialect), token("direct"), ModelFacts::default());
    let shaping = Shaping { ask: &ask, token: &token, facts: &facts, client, request_id: "r", at_ms: 0 };
    let mut headers = HeaderMap::new();
    Copilot::default().headers_of_body(body.to_string().as_bytes(), &shaping, &mut headers);
    (
        text(&headers, "x-initiator").unwrap().to_owned(),
        text(&headers, "copilot-vision-request") == Some("true"),
    )
}

#[test]
fn who_began_a_turn_is_told_by_its_last_message_alone() {
    use Dialect::{Chat, Messages, Responses};
    let picture = json!({"type": "image", "source": {"type": "base64"}});
    let cases = [
        (Chat, json!([{"role": "user", "content": "x"}]), "user", false),
        (
            Chat,
            json!([{"role": "assistant", "content": "x"}, {"role": "user", "content": "y"}]),
            "user",
            false,
        ),
        (
            Chat,
            json!([{"role": "user"}, {"role": "assistant"}, {"role": "tool", "content": "r"}]),
            "agent",
            false,
        ),
        (Chat, json!([{"role": "user"}, {"role": "assistant", "content": "x"}]), "agent", false),
        (Chat, json!([{"role": "user", "content": [{"type": "image_url"}]}]), "user", true),
        (Messages, json!([{"role": "user", "content": "x"}]), "user", false),
        (Messages, json!([{"role": "user", "content": [{"type": "tool_result"}]}]), "agent", false),
        (
            Messages,
            json!([{"role": "user", "content": [{"type": "tool_result"}, {"type": "text"}]}]),
            "user",
            false,
        ),
        (
            Messages,
            json!([{"role": "user", "content": [{"type": "tool_result", "content": [picture]}]}]),
            "agent",
            true,
        ),
        (Messages, json!([{"role": "assistant", "content": "x"}]), "agent", false),
        (Messages, json!([{"role": "user", "content": []}]), "user", false),
        (Responses, json!([{"role": "user", "content": "x"}]), "user", false),
        (Responses, json!([{"role": "user"}, {"type": "function_call_output"}]), "agent", false),
        (
            Responses,
            json!([{"type": "function_call_output", "output": [{"type": "input_image"}]}]),
            "agent",
            true,
        ),
        (Responses, json!("just words"), "user", false),
    ];
    for (dialect, turns, initiator, vision) in cases {
        let name = if dialect == Responses { "input" } else { "messages" };
        let found = of_body(dialect, json!({name: turns}), &HeaderMap::new());
        assert_eq!(found, (initiator.to_owned(), vision), "{dialect} {turns}");
    }
    // A client's word counts: only it knows that a question is one of an agent to its helper.
    let says = |value: &str| HeaderMap::from_iter([(INITIATOR, value.parse().unwrap())]);
    let result = json!({"messages": [{"role": "tool"}]});
    assert_eq!(of_body(Chat, result.clone(), &says("user")).0, "user");
    assert_eq!(of_body(Chat, json!({"messages": [{"role": "user"}]}), &says("agent")).0, "agent");
    assert_eq!(of_body(Chat, result, &says("nonsense")).0, "agent");
}

fn fitted(dialect: Dialect, operation: Operation, facts: &ModelFacts, body: &str) -> String {
    let (ask, token, none) = (Ask { operation, ..ask(dialect) }, token("direct"), HeaderMap::new());
    let shaping = Shaping { ask: &ask, token: &token, facts, client: &none, request_id: "r", at_ms: 0 };
    let body = Bytes::from(body.to_owned());
    let shaped = Copilot::default().shape(body, &shaping, &mut Losses::default()).unwrap();
    String::from_utf8(shaped.to_vec()).unwrap()
}

fn shaped(dialect: Dialect, operation: Operation, body: &Value) -> Value {
    let facts = ModelFacts { developer_role: true, ..ModelFacts::default() };
    serde_json::from_str(&fitted(dialect, operation, &facts, &body.to_string())).unwrap()
}

#[test]
fn what_may_stay_keeps_its_bytes() {
    let facts = ModelFacts::default();
    let clean = r#"{ "temperature":1.0,"model" : "m","messages":[{"n":12345678901234567890123, "role":"user","content":"x"}],"max_tokens":1e3 }"#;
    assert_eq!(fitted(Dialect::Messages, WHOLE, &facts, clean), clean);
    let changed = r#"{"temperature":1.0,"container":"c","messages":[{"n":1.50,"role":"assistant","content":[{"type":"thinking","thinking":"","signature":"s"},{"type":"tool_use","id":"t","name":"f","input":{"b":1.0,"a":12345678901234567890123}}]}],"max_tokens":1e3}"#;
    let kept = r#"{"temperature":1.0,"messages":[{"n":1.50,"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{"b":1.0,"a":12345678901234567890123}}]}],"max_tokens":1e3}"#;
    assert_eq!(fitted(Dialect::Messages, WHOLE, &facts, changed), kept);
    let responses =
        r#"{"store":false, "include":["reasoning.encrypted_content"],"input":[{"n":1.0}],"temperature":1.0}"#;
    assert_eq!(fitted(Dialect::Responses, WHOLE, &facts, responses), responses);
}

#[test]
fn chat_in_the_words_of_the_model() {
    use byok_types::MaxTokensField::MaxCompletionTokens;
    let reasons = ModelFacts {
        max_tokens_field: MaxCompletionTokens,
        temperature: false,
        top_p: false,
        developer_role: true,
        ..ModelFacts::default()
    };
    let other = ModelFacts::default();
    for (facts, body, expected) in [
        (
            &reasons,
            r#"{"model":"m","max_tokens":5,"temperature":0.2,"top_p":1,"messages":[{"role":"developer"}]}"#,
            r#"{"max_completion_tokens":5,"model":"m","messages":[{"role":"developer"}]}"#,
        ),
        (&reasons, r#"{"max_tokens":5,"max_completion_tokens":6}"#, r#"{"max_completion_tokens":6}"#),
        (
            &other,
            r#"{"model":"m","max_tokens":5,"temperature":0.2,"messages":[{"n":1.0,"role":"developer"},{"role":"user","content":"developer"}]}"#,
            r#"{"model":"m","max_tokens":5,"temperature":0.2,"messages":[{"n":1.0,"role":"system"},{"role":"user","content":"developer"}]}"#,
        ),
    ] {
        assert_eq!(fitted(Dialect::Chat, WHOLE, facts, body), expected, "{body}");
    }
}

#[test]
fn claude_is_told_at_chat_how_much_to_think() {
    let claude = ModelFacts { id: "claude-haiku-4.5".to_owned(), ..ModelFacts::default() };
    let call = r#"{"role":"assistant","tool_calls":[{"id":"1"}]"#;
    let turn = |end: &str| format!(r#""messages":[{{"role":"user"}},{call}{end}}},{{"role":"tool"}}]"#);
    for (body, expected) in [
        (r#""thinking_budget":2048"#.to_owned(), r#""thinking_budget":2048"#.to_owned()),
        (
            r#""enable_thinking":true,"thinking_budget":2048"#.to_owned(),
            r#""thinking_budget":2048"#.to_owned(),
        ),
        (r#""enable_thinking":false,"n":1"#.to_owned(), r#""n":1"#.to_owned()),
        (r#""enable_thinking":false,"thinking_budget":2048,"n":1"#.to_owned(), r#""n":1"#.to_owned()),
        (r#""thinking_budget":0,"n":1"#.to_owned(), r#""n":1"#.to_owned()),
        // Beside what Claude does not think.
        (
            r#""thinking_budget":2048,"temperature":0.5,"top_p":1"#.to_owned(),
            r#""thinking_budget":2048,"top_p":1"#.to_owned(),
        ),
        (
            r#""thinking_budget":2048,"tool_choice":"required""#.to_owned(),
            r#""tool_choice":"required""#.to_owned(),
        ),
        (
            r#""thinking_budget":2048,"tool_choice":"auto""#.to_owned(),
            r#""thinking_budget":2048,"tool_choice":"auto""#.to_owned(),
        ),
        // A turn that goes on needs what was thought in it.
        (format!(r#""thinking_budget":2048,{}"#, turn("")), turn("")),
        (
            format!(r#""thinking_budget":2048,{}"#, turn(r#","reasoning_opaque":"S""#)),
            format!(r#""thinking_budget":2048,{}"#, turn(r#","reasoning_opaque":"S""#)),
        ),
    ] {
        let body = format!("{{{body}}}");
        let made = fitted(Dialect::Chat, WHOLE, &claude, &body);
        assert_eq!(made, format!("{{{expected}}}"), "{body}");
    }
    let other = r#"{"enable_thinking":true}"#;
    assert_eq!(fitted(Dialect::Chat, WHOLE, &ModelFacts::default(), other), other);

    let list = json!({"data": [
        {"id": "claude-haiku-4.5", "vendor": "Anthropic", "supported_endpoints": ["/chat/completions"],
         "capabilities": {"type": "chat", "supports": {"min_thinking_budget": 1024, "max_thinking_budget": 32_000}}},
        {"id": "claude-sonnet-4.6", "vendor": "Anthropic", "supported_endpoints": ["/chat/completions", "/v1/messages"],
         "capabilities": {"type": "chat", "supports": {"max_thinking_budget": 32_000}}},
    ]});
    let found = Copilot::default().read_models(list.to_string().as_bytes());
    assert_eq!(
        found[0].facts["thinking"],
        json!({"forms": ["budget"], "budget": [1024, 32_000], "can_disable": true})
    );
    assert!(!found[1].facts.contains_key("thinking"), "at Messages more is known of it");
}

#[test]
fn what_claude_thinks_at_chat_leaves_room_for_the_answer() {
    const RAISED: [(&str, &str); 2] = [
        ("reasoning", "the cap was raised above the reasoning budget"),
        ("max_tokens", "raised above the reasoning budget"),
    ];
    const LOWERED: [(&str, &str); 1] =
        [("reasoning", "the reasoning budget was lowered below the cap on the output")];
    const NO_ROOM: [(&str, &str); 1] = [("reasoning", "the cap on the output leaves no room for reasoning")];
    const LEAST: [(&str, &str); 1] = [("reasoning", "the least budget that the vendor takes")];
    let budget = |budget: u64| json!({"thinking_budget": budget});
    let both = |budget: u64, cap: u64| json!({"thinking_budget": budget, "max_tokens": cap});
    let cap = |cap: u64| json!({"max_tokens": cap});
    for (limit, said, sent, lost) in [
        // There is room.
        (None, budget(24_576), budget(24_576), &[][..]),
        (None, both(4000, 4001), both(4000, 4001), &[]),
        (Some(16_000), both(4000, 8000), both(4000, 8000), &[]),
        // The cap goes up, as far as the model goes.
        (Some(64_000), both(24_576, 4096), both(24_576, 28_672), &RAISED),
        (Some(64_000), both(24_576, 9000), both(24_576, 33_576), &RAISED),
        (Some(64_000), both(1024, 100), both(1024, 1124), &RAISED),
        (Some(16_000), both(15_999, 8000), both(12_800, 16_000), &RAISED),
        (
            Some(16_000),
            json!({"thinking_budget": 8000, "max_completion_tokens": 4096, "max_tokens": 5000}),
            json!({"thinking_budget": 8000, "max_completion_tokens": 12_096, "max_tokens": 12_096}),
            &RAISED,
        ),
        // It cannot, or nobody knows how far.
        (None, both(24_576, 4096), both(3276, 4096), &LOWERED),
        (None, both(24_576, 1280), both(1024, 1280), &LOWERED),
        (Some(16_000), both(24_576, 16_000), both(12_800, 16_000), &LOWERED),
        (Some(16_000), both(24_576, 64_000), both(12_800, 64_000), &LOWERED),
        (Some(16_000), budget(24_576), budget(12_800), &LOWERED),
        // What is left is less than the least.
        (None, both(4000, 1279), cap(1279), &NO_ROOM),
        (Some(1200), both(4000, 1000), cap(1000), &NO_ROOM),
        (None, both(512, 4096), both(1024, 4096), &LEAST),
    ] {
        let claude = ModelFacts {
            id: "claude-haiku-4.5".to_owned(),
            max_output_tokens: limit,
            ..ModelFacts::default()
        };
        let (ask, token, none) =
            (Ask { operation: WHOLE, ..ask(Dialect::Chat) }, token("direct"), HeaderMap::new());
        let shaping =
            Shaping { ask: &ask, token: &token, facts: &claude, client: &none, request_id: "r", at_ms: 0 };
        let mut losses = Losses::default();
        let body = Copilot::default().shape(said.to_string().into(), &shaping, &mut losses).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), sent, "{said} of {limit:?}");
        let told: Vec<_> = losses.list().iter().map(|loss| (&*loss.field, loss.reason)).collect();
        assert_eq!(told, lost, "{said} of {limit:?}");
        assert!(losses.list().iter().all(|loss| loss.action == LossAction::Emulated), "{said}");
    }
}

#[test]
fn what_only_openai_has_is_said_anew() {
    let copilot = Copilot::default();
    for (tool, plain) in [
        (r#"{"type":"function","name":"f"}"#, true),
        (r#"{"type":"web_search"}"#, true),
        (r#"{"type":"custom","name":"apply_patch"}"#, false),
        (r#"{"type":"namespace","name":"functions","tools":[]}"#, false),
        (r#"{"type":"tool_search","execution":"client"}"#, false),
    ] {
        let body = format!(r#"{{"model":"m","tools":[{tool}]}}"#);
        let taken = |dialect| copilot.takes_as_is(dialect, &ModelFacts::default(), body.as_bytes());
        assert_eq!(taken(Dialect::Responses), plain, "{tool}");
        assert!(taken(Dialect::Messages), "custom is a word of Messages, too");
    }
    let gemini = ModelFacts { id: "gemini-3.8-flash".to_owned(), ..ModelFacts::default() };
    let taken = |body: &[u8]| copilot.takes_as_is(Dialect::Chat, &gemini, body);
    assert!(!taken(b"{}") && taken(br#"{"messages":[{"reasoning_opaque":"D"}]}"#));
    let claude = ModelFacts { id: "claude-haiku-4.5".to_owned(), ..ModelFacts::default() };
    let taken = |body: &[u8]| copilot.takes_as_is(Dialect::Chat, &claude, body);
    assert!(!taken(br#"{"reasoning_effort":"low"}"#) && taken(br#"{"thinking_budget":2048}"#));
}

#[test]
fn bodies_as_copilot_takes_them() {
    use Dialect::{Chat, Messages, Responses};
    let stream = Operation::Generate { stream: true };
    let cases = [
        (Chat, WHOLE, json!({"model": "m"}), json!({"model": "m"})),
        (Chat, stream, json!({"model": "m", "stream": true}), json!({"model": "m", "stream": true})),
        (
            Chat,
            stream,
            json!({"model": "m"}),
            json!({"stream": true, "stream_options": {"include_usage": true}, "model": "m"}),
        ),
        (
            Responses,
            WHOLE,
            json!({"model": "m", "service_tier": "flex", "store": true}),
            json!({"include": ["reasoning.encrypted_content"], "model": "m", "store": false}),
        ),
        (
            Responses,
            WHOLE,
            json!({"store": false, "max_output_tokens": 5, "client_metadata": {"a": "b"}, "include": ["web_search_call.action.sources"],
                "tools": [{"type": "function", "name": "f"}, {"type": "web_search"}], "tool_choice": {"type": "web_search"},
                "input": [{"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}},
                    {"type": "reasoning", "status": null, "encrypted_content": "gAAAA"}, {"role": "user", "content": "x"}]}),
            json!({"store": false, "max_output_tokens": 16,
                "include": ["web_search_call.action.sources", "reasoning.encrypted_content"],
                "tools": [{"type": "function", "name": "f"}],
                "input": [{"type": "reasoning", "encrypted_content": "gAAAA"}, {"role": "user", "content": "x"}]}),
        ),
        (
            Responses,
            WHOLE,
            json!({"store": false, "include": ["reasoning.encrypted_content"], "max_output_tokens": 16,
                "tools": [{"type": "image_generation"}], "tool_choice": "auto", "parallel_tool_calls": true}),
            json!({"store": false, "include": ["reasoning.encrypted_content"], "max_output_tokens": 16}),
        ),
        (Messages, WHOLE, json!({"model": "m", "messages": []}), json!({"model": "m", "messages": []})),
        (
            Messages,
            WHOLE,
            json!({"model": "m", "container": "c", "tools": [{"type": "web_search_20250305"}], "tool_choice": {"type": "auto"},
                "messages": [{"role": "assistant", "content": [{"type": "thinking", "thinking": "", "signature": "s"},
                    {"type": "tool_use", "input": {"cache_control": {"scope": "kept"}}}]}],
                "system": [{"type": "text", "text": "t", "cache_control": {"type": "ephemeral", "scope": "global"}}]}),
            json!({"model": "m",
                "messages": [{"role": "assistant", "content": [{"type": "tool_use", "input": {"cache_control": {"scope": "kept"}}}]}],
                "system": [{"type": "text", "text": "t", "cache_control": {"type": "ephemeral"}}]}),
        ),
        (
            Messages,
            WHOLE,
            json!({"tools": [{"name": "a", "type": "custom"}, {"name": "b"}, {"type": "code_execution_20250825"}]}),
            json!({"tools": [{"name": "a", "type": "custom"}, {"name": "b"}]}),
        ),
    ];
    for (dialect, operation, body, expected) in cases {
        assert_eq!(shaped(dialect, operation, &body), expected, "{dialect} {body}");
    }
    let claude = Ask { model: "claude-haiku-4.5", ..ask(Chat) };
    assert!(Copilot::default().only_streams(&claude) && !Copilot::default().only_streams(&ask(Chat)));
}

fn judged(status: u16, body: &str, headers: &HeaderMap) -> Verdict {
    let copilot = Copilot::default();
    let mut failure = copilot.read_failure(Dialect::Chat, status, headers, body.as_bytes());
    let after = headers.get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    failure.retry_after = after.map(Duration::from_secs);
    copilot.judge(&Refusal { failure: &failure, model: "m", headers, oauth: true, now: 1_796_083_200 - 600 })
}

#[test]
fn what_refusals_mean() {
    let coded = |code: &str| json!({"error": {"message": "m", "code": code}}).to_string();
    let none = HeaderMap::new();
    let asks = |seconds: &str| HeaderMap::from_iter([(http::header::RETRY_AFTER, seconds.parse().unwrap())]);
    let used_up = HeaderMap::from_iter([(
        HeaderName::from_static("x-quota-snapshot-premium_interactions"),
        "ent=300&ov=0.0&ovPerm=false&rem=0.0&rst=2026-12-01T00%3A00%3A00Z".parse().unwrap(),
    )]);
    let model = |seconds| Some((Scope::Model, Duration::from_secs(seconds)));
    let exceeded = HeaderMap::from_iter([(
        HeaderName::from_static("x-ratelimit-exceeded"),
        "user_weekly_tokens".parse().unwrap(),
    )]);
    let charged = |seconds| Some((Scope::Charged, Duration::from_secs(seconds)));
    let account = |seconds| Some((Scope::Account, Duration::from_secs(seconds)));
    let cases = [
        (400, coded("model_not_supported"), &none, Next::OtherAccount, model(300)),
        (400, coded("unsupported_api_for_model"), &none, Next::OtherEndpoint, None),
        (400, coded("invalid_request_body"), &none, Next::GiveUp, None),
        (400, coded("model_max_prompt_tokens_exceeded"), &none, Next::GiveUp, None),
        (400, coded("previous_response_not_found"), &none, Next::GiveUp, None),
        (400, "bad request: error: invalid initiator".to_owned(), &none, Next::GiveUp, None),
        (401, "unauthorized: token expired".to_owned(), &none, Next::Refresh, None),
        (421, "misdirected".to_owned(), &none, Next::Refresh, None),
        (402, coded("quota_exceeded"), &none, Next::OtherAccount, charged(3600)),
        (402, coded("free_quota_exceeded"), &asks("90"), Next::OtherAccount, charged(90)),
        (402, coded("overage_limit_reached"), &used_up, Next::OtherAccount, charged(600)),
        (402, coded("billing_not_configured"), &none, Next::OtherAccount, charged(3600)),
        (403, "forbidden".to_owned(), &none, Next::Refresh, account(1800)),
        (403, "shows signs of abuse".to_owned(), &none, Next::OtherAccount, account(3600)),
        (404, "not found".to_owned(), &none, Next::GiveUp, None),
        (413, "failed to parse request".to_owned(), &none, Next::GiveUp, None),
        (422, "filtered".to_owned(), &none, Next::GiveUp, None),
        (424, "dependency failed".to_owned(), &none, Next::GiveUp, None),
        (429, coded("rate_limited"), &none, Next::OtherAccount, model(60)),
        (429, coded("user_model_rate_limited"), &asks("7"), Next::OtherAccount, model(7)),
        (429, coded("user_global_rate_limited:pro"), &none, Next::OtherAccount, account(60)),
        (429, coded("user_weekly_rate_limited"), &asks("86400"), Next::OtherAccount, account(86_400)),
        (429, coded("rate_limited"), &exceeded, Next::OtherAccount, account(60)),
        (429, coded("integration_rate_limited"), &none, Next::OtherAccount, account(60)),
        (429, coded("extension_blocked"), &none, Next::OtherAccount, account(60)),
        (466, "client not supported".to_owned(), &none, Next::GiveUp, None),
        (499, "cancelled".to_owned(), &none, Next::OtherAccount, None),
        (500, "oops".to_owned(), &none, Next::OtherAccount, model(2)),
        (503, "upstream provider rate limit".to_owned(), &none, Next::OtherAccount, model(5)),
    ];
    for (status, body, headers, next, cool) in cases {
        let verdict = judged(status, &body, headers);
        assert_eq!((verdict.next, verdict.cool), (next, cool), "{status} {body}");
        assert_eq!(verdict.state.is_some(), body.contains("abuse"), "{status} {body}");
        assert_eq!(verdict.own_credential, matches!(status, 401 | 403 | 421), "{status}");
    }
    let limited = |status: u16, seconds: Option<u64>| {
        let failure =
            Failure::new(FailureKind::RateLimit, byok_types::Blame::Upstream, "m").with_status(status);
        let failure = Failure { retry_after: seconds.map(Duration::from_secs), ..failure };
        Copilot::default().backs_off(&failure)
    };
    assert_eq!([limited(429, None), limited(429, Some(7)), limited(503, None)], [true, false, false]);
    let until_reset = |status: u16, seconds: Option<u64>| {
        let failure = Failure::new(FailureKind::QuotaWindow, byok_types::Blame::Upstream, "m");
        let failure =
            Failure { retry_after: seconds.map(Duration::from_secs), ..failure.with_status(status) };
        let at = Copilot::default().opens_at(&failure, &used_up, 1_796_083_200 - 600);
        (Copilot::default().rests_until_reset(&failure), at)
    };
    let day = Some(1_796_083_200);
    assert_eq!(until_reset(402, None), (true, day), "GitHub's page says it where the headers do not");
    assert_eq!([until_reset(402, Some(90)), until_reset(429, None)], [(false, day), (false, None)]);
    let hint = judged(466, "client not supported", &none).hint;
    assert!(hint.is_some_and(|hint| hint.contains("`headers` of the provider")), "{hint:?}");
    let copilot = Copilot::default();
    let read = |status, body: &str| copilot.read_failure(Dialect::Messages, status, &none, body.as_bytes());
    assert_eq!(read(401, "unauthorized: token expired\n").message, "unauthorized: token expired");
    assert_eq!(read(422, "filtered").kind, FailureKind::ContentPolicy);
    assert_eq!(read(400, &coded("model_max_prompt_tokens_exceeded")).kind, FailureKind::ContextTooLong);
    assert_eq!(read(400, &coded("model_not_supported")).code.as_deref(), Some("model_not_supported"));
    assert!(!copilot.relays_refusals());
}

#[test]
fn what_is_left_of_a_plan() {
    let header = |name: &'static str, value: &str| {
        HeaderMap::from_iter([(HeaderName::from_static(name), value.parse().unwrap())])
    };
    let premium = "x-quota-snapshot-premium_interactions";
    let cases = [
        (
            premium,
            "ent=300&ov=0.0&ovPerm=false&rem=87.5&rst=2026-12-01T00:00:00Z",
            Some(("premium requests", 0.125, Some(1_796_083_200))),
            false,
        ),
        (
            premium,
            "ent=300&ov=3.0&ovPerm=true&rem=0.0&rst=2026-12-01T00:00:00Z",
            Some(("premium requests", 1.0, Some(1_796_083_200))),
            true,
        ),
        (
            "x-quota-snapshot-premium_models",
            "ent=300&ov=1&rem=-2&rst=x",
            Some(("premium requests", 1.0, None)),
            true,
        ),
        ("x-quota-snapshot-chat", "ent=-1&ov=0&rem=100&rst=", None, false),
        (premium, "ent=0&ov=0&rem=100&rst=", None, false),
        (premium, "nonsense", None, false),
        (
            "x-usage-ratelimit-weekly",
            "ent=100&ov=0&rem=40&rst=2026-12-01T00:00:00Z",
            Some(("week", 0.6, Some(1_796_083_200))),
            false,
        ),
    ];
    for (name, value, expected, extra) in cases {
        let headers = header(name, value);
        let found = Copilot::default().windows(&headers, 0);
        let found = found.first().map(|w| (w.name.as_str(), w.used, w.resets_at));
        assert_eq!(found, expected, "{name}: {value}");
        assert_eq!(Copilot::default().charges_extra(&headers), extra, "{name}: {value}");
    }
    let quota = quota::read(
        json!({"access_type_sku": "monthly_subscriber", "copilot_plan": "individual", "quota_reset_date": "2026-12-01",
            "quota_snapshots": {"chat": {"percent_remaining": 100.0, "unlimited": true}, "completions": {"entitlement": 0, "percent_remaining": 100.0},
                "premium_interactions": {"entitlement": 300, "percent_remaining": 75.0, "unlimited": false}}})
        .to_string()
        .as_bytes(),
    );
    assert_eq!((quota.plan.as_deref(), quota.windows.len()), (Some("individual"), 1));
    assert_eq!((quota.windows[0].used, quota.windows[0].resets_at), (0.25, Some(1_796_083_200)));
    let free = quota::read(
        json!({"access_type_sku": "free_limited_copilot", "copilot_plan": "individual", "monthly_quotas": {"chat": 50, "completions": 2000},
            "limited_user_quotas": {"chat": 40, "completions": 2000}, "limited_user_reset_date": 1_796_083_200})
        .to_string()
        .as_bytes(),
    );
    assert_eq!(free.plan.as_deref(), Some("free"));
    assert_eq!((free.windows[0].name.as_str(), free.windows.len()), ("chat", 2));
    assert!((free.windows[0].used - 0.2).abs() < 1e-9);
    assert_eq!(quota::read(b"<html>"), Quota::default());
    let charges = |remaining: f64, count: Value, permitted: Value| {
        let premium = json!({"entitlement": 300, "percent_remaining": remaining, "unlimited": false, "overage_count": count,
            "overage_permitted": permitted});
        let page = json!({"quota_snapshots": {"chat": {"unlimited": true}, "premium_interactions": premium}})
            .to_string();
        Copilot::default().quota_charges(page.as_bytes())
    };
    for (remaining, count, permitted, expected) in [
        (0.0, json!(5), json!(true), true),
        (-1.5, json!(0.25), Value::Null, true),
        (0.0, json!(0), json!(true), false),
        (0.0, Value::Null, json!(true), false),
        // The plan has room again, or nothing can be charged any more.
        (12.0, json!(5), json!(true), false),
        (0.0, json!(5), json!(false), false),
    ] {
        assert_eq!(charges(remaining, count.clone(), permitted), expected, "{remaining} {count}");
    }
    assert!(!Copilot::default().quota_charges(b"<html>"));
    let lookup = Copilot::default().ask_quota("b", &token(EXCHANGE)).unwrap();
    assert_eq!(text(&lookup.headers, "authorization"), Some("token ghu_canary"));
    assert_eq!(lookup.url.as_str(), "https://api.github.com/copilot_internal/user");
}

#[test]
fn the_list_of_models_is_read_leniently() {
    let model = |id: &str, change: Value| {
        let mut model = json!({"id": id, "name": "N", "model_picker_enabled": true, "policy": {"state": "enabled"},
            "capabilities": {"type": "chat", "limits": {"max_context_window_tokens": 200_000, "max_prompt_tokens": 128_000, "max_output_tokens": 16_000},
                "supports": {"vision": false, "tool_calls": true}}});
        for (name, value) in change.as_object().unwrap() {
            model[name] = value.clone();
        }
        model
    };
    let levels = json!({"type": "chat", "supports": {"reasoning_effort": ["low", "high", "huge"]}});
    let list = json!({"data": [
        model("a", json!({"billing": {"multiplier": 0}, "vendor": "Azure OpenAI"})),
        model("a", json!({"name": "again"})),
        model("b", json!({"billing": {"multiplier": 0.33}, "supported_endpoints": ["/chat/completions", "/v1/messages"]})),
        model("c", json!({"billing": {"is_premium": false}, "capabilities": levels, "supported_endpoints": ["/responses", "ws:/responses"]})),
        model("d", json!({"supported_endpoints": ["/chat/completions", "/responses"]})),
        model("hidden", json!({"model_picker_enabled": false})),
        model("off", json!({"policy": {"state": "disabled"}})),
        model("vectors", json!({"capabilities": {"type": "embeddings"}})),
        7, {"name": "without id"},
    ]});
    let found = Copilot::default().read_models(list.to_string().as_bytes());
    let shown: Vec<_> = found.iter().map(|m| (m.id.as_str(), m.facts["endpoints"].clone())).collect();
    assert_eq!(
        shown,
        [
            ("a", json!(["chat"])),
            ("b", json!(["messages"])),
            ("c", json!(["responses"])),
            ("d", json!(["responses", "chat"]))
        ]
    );
    assert_eq!(
        (&found[0].facts["context_tokens"], &found[0].facts["display_name"]),
        (&json!(128_000), &json!("N"))
    );
    assert_eq!(found.iter().map(|m| m.included).collect::<Vec<_>>(), [true, false, true, false]);
    assert_eq!(found[0].facts["max_tokens_field"], "max_completion_tokens");
    assert_eq!(found[0].facts["developer_role"], true);
    assert!(!found[1].facts.contains_key("max_tokens_field"));
    let thinking = |at: usize| found[at].facts.get("thinking").cloned();
    let levels = json!({"forms": ["level"], "levels": ["low", "high"], "can_disable": false});
    assert_eq!((thinking(0), thinking(1), thinking(2)), (None, None, Some(levels)));
    for one in found {
        let mut facts = one.facts;
        facts.insert("id".to_owned(), json!("x"));
        serde_json::from_value::<ModelFacts>(Value::Object(facts)).unwrap();
    }
    assert!(Copilot::default().read_models(b"<html>").is_empty());
}

#[test]
fn t90_only_the_betas_that_the_gateway_takes_are_named() {
    let needed = [("anthropic-beta", "effort-2025-11-24,advanced-tool-use-2025-11-20".to_owned())];
    for (own, expected) in [
        (
            Some("interleaved-thinking-2025-05-14, invented-2027-01-01"),
            Some("interleaved-thinking-2025-05-14"),
        ),
        (Some("prompt-caching-scope-2026-01-05"), None),
        (Some("oauth-2025-04-20,context-management-2025-06-27"), Some("context-management-2025-06-27")),
        (None, Some("advanced-tool-use-2025-11-20")),
    ] {
        let mut client = HeaderMap::new();
        if let Some(own) = own {
            client.insert(ANTHROPIC_BETA, own.parse().unwrap());
        }
        let ask = Ask { client: Some(&client), needed: &needed, ..ask(Dialect::Messages) };
        let mut headers = HeaderMap::new();
        Copilot::default().headers(&ask, &token(EXCHANGE), &mut headers);
        assert_eq!(text(&headers, "anthropic-beta"), expected, "{own:?}");
    }
}

#[test]
fn what_is_embedded_is_a_list() {
    for (body, expected) in [
        (r#"{"model": "m", "input": "a\"b"}"#, r#"{"model": "m", "input": ["a\"b"]}"#),
        (r#"{"input":["a"]}"#, r#"{"input":["a"]}"#),
        (r#"{"input":[[1,2]],"model":"m"}"#, r#"{"input":[[1,2]],"model":"m"}"#),
        (r#"{"model":"m"}"#, r#"{"model":"m"}"#),
    ] {
        let sent = Copilot::default().shape_raw(Endpoint::Embeddings, Bytes::from_static(body.as_bytes()));
        assert_eq!(sent.unwrap(), expected);
    }
}
