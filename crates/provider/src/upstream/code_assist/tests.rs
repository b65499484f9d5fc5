#![expect(clippy::too_many_lines, reason = "a table of cases")]

use super::*;
use crate::catalog::Catalog;
use byok_types::{ModelFacts, Secret, TokenFacts};

const GEMINI: CodeAssist = CodeAssist { antigravity: false };
const ANTIGRAVITY: CodeAssist = CodeAssist { antigravity: true };
const STREAM: Operation = Operation::Generate { stream: true };

fn token() -> Token {
    let facts: TokenFacts = [("project".to_owned(), Secret::new("p-1"))].into();
    Token { secret: Secret::new("ya29.x"), oauth: true, hash: None, facts }
}

fn ask<'a>(operation: Operation, model: &'a str, claims: &'a [String]) -> Ask<'a> {
    Ask { operation, dialect: Dialect::Gemini, model, client: None, needed: &[], claims }
}

fn facts(model: &str) -> ModelFacts {
    {
        let catalog = Catalog::builtin();
        catalog.facts_in(catalog.list("antigravity").unwrap(), model)
    }
}

fn shaped(upstream: CodeAssist, operation: Operation, model: &str, body: &Value) -> Value {
    let claims = vec![CLAIM.to_owned()];
    let (ask, token, headers) = (ask(operation, model, &claims), token(), HeaderMap::new());
    let facts = facts(model);
    let shaping =
        Shaping { ask: &ask, token: &token, facts: &facts, client: &headers, request_id: "r1", at_ms: 0 };
    let body = upstream.shape(body.to_string().into(), &shaping, &mut Losses::default()).unwrap();
    serde_json::from_slice(&body).unwrap()
}

#[test]
fn addresses_headers_and_the_claim() {
    let yes = vec![CLAIM.to_owned()];
    for (upstream, operation, path) in [
        (GEMINI, STREAM, "/v1internal:streamGenerateContent?alt=sse"),
        (GEMINI, Operation::Generate { stream: false }, "/v1internal:generateContent"),
        (ANTIGRAVITY, Operation::Count, "/v1internal:countTokens"),
        (ANTIGRAVITY, STREAM, "/v1internal:streamGenerateContent?alt=sse"),
    ] {
        let ask = ask(operation, "m", &yes);
        assert_eq!(
            upstream.url("https://x.test/v1internal", &ask).unwrap().as_str(),
            format!("https://x.test{path}")
        );
        let mut headers = HeaderMap::new();
        upstream.headers(&ask, &token(), &mut headers);
        assert_eq!(headers["authorization"], "Bearer ya29.x");
        assert!(!headers.contains_key("x-goog-user-project") && !headers.contains_key("x-goog-api-key"));
        let agent = headers.get("user-agent").map(|agent| agent.to_str().unwrap());
        assert_eq!(agent, upstream.antigravity.then_some("antigravity"));
        assert_eq!(upstream.only_streams(&ask), upstream.antigravity && operation != Operation::Count);
    }
    let no = ask(STREAM, "m", &[]);
    assert_eq!((ANTIGRAVITY.demands(&no, &token()), GEMINI.demands(&no, &token())), (Some(CLAIM), None));
    let mut headers = HeaderMap::new();
    ANTIGRAVITY.headers(&no, &token(), &mut headers);
    assert!(!headers.contains_key("user-agent"), "not without consent");
}

#[test]
fn the_envelopes() {
    let body = json!({"model": "models/m", "store": true, "contents": [{"role": "user", "parts": [{"text": "hi"}]}], "generationConfig": {"seed": 1}});
    let gemini = shaped(GEMINI, STREAM, "gemini-2.5-pro", &body);
    assert_eq!(
        gemini,
        json!({
            "model": "gemini-2.5-pro", "project": "p-1", "user_prompt_id": "r1",
            "request": {"contents": body["contents"], "generationConfig": {"seed": 1}},
        })
    );
    let mut agent = shaped(ANTIGRAVITY, STREAM, "gemini-3-flash", &body);
    let session = agent["request"]["sessionId"].take();
    assert!(
        session.as_str().unwrap().starts_with('-') && session.as_str().unwrap()[1..].parse::<i64>().is_ok()
    );
    assert_eq!(
        session,
        shaped(ANTIGRAVITY, STREAM, "gemini-3-flash", &body)["request"]["sessionId"],
        "stable"
    );
    assert_eq!(
        (&agent["requestId"], &agent["userAgent"], &agent["requestType"], &agent["project"]),
        (&json!("agent-r1"), &json!("antigravity"), &json!("agent"), &json!("p-1"))
    );
    assert_eq!(agent.as_object().unwrap().len(), 6);

    for body in [
        json!({"contents": [{"role": "model", "parts": [{"text": "x", "thought": true}]}, {"role": "user", "parts": [{"text": "hi"}]}], "tools": []}),
        json!({"generateContentRequest": {"model": "models/m", "contents": [{"role": "user", "parts": [{"text": "hi"}]}]}}),
    ] {
        let counted = shaped(GEMINI, Operation::Count, "m", &body);
        assert_eq!(
            counted,
            json!({"request": {"model": "models/m", "contents": [{"role": "user", "parts": [{"text": "hi"}]}]}})
        );
    }
}

#[test]
fn without_a_project_nothing_is_sent() {
    let (ask, headers, facts) = (ask(STREAM, "m", &[]), HeaderMap::new(), facts("m"));
    let token = Token { facts: TokenFacts::new(), ..token() };
    let shaping =
        Shaping { ask: &ask, token: &token, facts: &facts, client: &headers, request_id: "r", at_ms: 0 };
    let failure = GEMINI.shape("{}".into(), &shaping, &mut Losses::default()).unwrap_err();
    assert!(
        failure.kind == FailureKind::Credential && failure.message.contains("byok login gemini"),
        "{failure:?}"
    );
}

#[test]
fn claude_behind_antigravity() {
    let body = json!({
        "safetySettings": [{}],
        "contents": [
            {"role": "user", "parts": [{"text": "hi"}]},
            {"role": "model", "parts": [
                {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "skip_thought_signature_validator"},
                {"text": "so"},
                {"text": "hm", "thought": true, "thoughtSignature": "Rabc"},
                {"text": "foreign", "thought": true, "thoughtSignature": "Cxyz"},
            ]},
            {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {}}}]},
        ],
        "tools": [{"googleSearch": {}}, {"functionDeclarations": [
            {"name": "f"},
            {"name": "g", "parametersJsonSchema": {"$schema": "x", "type": "object", "additionalProperties": false, "required": ["mode", "gone"], "properties": {
                "mode": {"type": "string", "enum": ["a", "b"]}, "title": {"type": ["string", "null"], "minLength": 1},
                "list": {"type": "array"}, "any": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            }}},
        ]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
        "generationConfig": {"thinkingConfig": {"thinkingBudget": 2048, "includeThoughts": true}, "temperature": 0.5, "maxOutputTokens": 128_000},
    });
    let request = &shaped(ANTIGRAVITY, STREAM, "claude-sonnet-4-6", &body)["request"];
    let parts = &request["contents"][1]["parts"];
    assert_eq!(
        parts,
        &json!([
            {"text": "hm", "thought": true, "thoughtSignature": "Rabc"}, {"text": "so"}, {"functionCall": {"name": "f", "args": {}, "id": "call_1"}},
        ])
    );
    assert_eq!(request["contents"][2]["parts"][0]["functionResponse"]["id"], "call_1");
    assert_eq!(request["toolConfig"], json!({"functionCallingConfig": {"mode": "VALIDATED"}}));
    assert_eq!(
        request["generationConfig"],
        json!({"thinkingConfig": {"thinkingBudget": 2048, "includeThoughts": true}, "maxOutputTokens": 64_000})
    );
    assert!(request.get("safetySettings").is_none());
    let functions = &request["tools"];
    assert_eq!(
        functions.as_array().unwrap().len(),
        1,
        "the vendor's own tool does not go together with functions"
    );
    let functions = &functions[0]["functionDeclarations"];
    assert_eq!(functions[0]["parameters"]["required"], json!(["byok_placeholder"]));
    assert_eq!(
        functions[1]["parameters"],
        json!({
            "type": "object", "required": ["mode"], "properties": {
                "mode": {"type": "string", "description": "(one of [\"a\",\"b\"])"},
                "title": {"nullable": true, "type": "string", "description": "(minLength 1)"},
                "list": {"type": "array", "items": {"type": "string"}},
                "any": {"type": "string", "nullable": true},
            },
        })
    );

    // What is neither Google's nor Claude's goes by the same rules of tools.
    let request = &shaped(ANTIGRAVITY, STREAM, "gpt-oss-120b-medium", &body)["request"];
    assert_eq!(request["toolConfig"], json!({"functionCallingConfig": {"mode": "VALIDATED"}}));
    let function = &request["tools"][0]["functionDeclarations"][0];
    assert_eq!(function["parameters"]["required"], json!(["byok_placeholder"]), "{request}");
    let calls: Vec<_> = request["contents"][1]["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part.get("functionCall").is_some())
        .collect();
    assert!(calls.is_sorted() && calls.contains(&true), "{request}");

    // A budget is at least 1024, and there is room for the answer beside it.
    for (asked, limit, sent) in [
        (500, None, json!(1024)),
        (-1, None, json!(1024)),
        (32_768, None, json!(32_768)),
        (64_000, None, json!(64_000 - 8192)),
        (2048, Some(2000), json!(null)),
    ] {
        let body = json!({"contents": [], "generationConfig": {"thinkingConfig": {"thinkingBudget": asked}, "maxOutputTokens": limit}});
        let request = &shaped(ANTIGRAVITY, STREAM, "claude-sonnet-4-6", &body)["request"];
        assert_eq!(request["generationConfig"]["thinkingConfig"]["thinkingBudget"], sent, "{asked}");
    }

    let off = json!({"contents": [], "tools": [{"functionDeclarations": [{"name": "f"}]}], "toolConfig": {"functionCallingConfig": {"mode": "NONE"}}, "generationConfig": {"thinkingConfig": {"includeThoughts": true}}});
    let request = &shaped(ANTIGRAVITY, STREAM, "claude-sonnet-4-6", &off)["request"];
    assert!(request.get("tools").is_none() && request["generationConfig"] == json!({}), "{request}");
}

/// Clients write calls and results in either spelling, also both in one conversation.
#[test]
fn calls_find_their_results_in_either_spelling() {
    let contents = json!([
        {"role": "user", "parts": [{"text": "hi"}]},
        {"role": "model", "parts": [
            {"functionCall": {"name": "f", "args": {}}, "thought_signature": "Cxyz"},
            {"function_call": {"name": "g", "args": {}}},
        ]},
        {"role": "user", "parts": [
            {"function_response": {"name": "f", "response": {}}}, {"functionResponse": {"name": "g", "response": {}}},
        ]},
    ]);
    let body =
        json!({"contents": contents, "tools": [{"functionDeclarations": [{"name": "f"}, {"name": "g"}]}]});
    let request = &shaped(ANTIGRAVITY, STREAM, "claude-sonnet-4-6", &body)["request"];
    assert_eq!(
        request["contents"][1]["parts"],
        json!([
            {"functionCall": {"name": "f", "args": {}, "id": "call_1"}}, {"functionCall": {"name": "g", "args": {}, "id": "call_2"}},
        ])
    );
    let results = &request["contents"][2]["parts"];
    let ids = [0, 1].map(|at| results[at]["functionResponse"]["id"].clone());
    assert_eq!(ids, ["call_1", "call_2"]);
}

/// Its choice of tools is not honoured: who forces one must hear of it.
#[test]
fn a_forced_tool_of_claude_behind_antigravity_is_lost_aloud() {
    for (model, calling, lost) in [
        ("claude-sonnet-4-6", json!({"mode": "AUTO"}), false),
        ("claude-sonnet-4-6", json!({"mode": "NONE"}), false),
        ("claude-sonnet-4-6", json!({"mode": "ANY"}), true),
        ("claude-sonnet-4-6", json!({"mode": "ANY", "allowedFunctionNames": ["f"]}), true),
        ("claude-sonnet-4-6", json!({"mode": "VALIDATED", "allowedFunctionNames": ["f"]}), true),
        ("gemini-3-flash", json!({"mode": "ANY"}), false),
    ] {
        let body = json!({"contents": [], "tools": [{"functionDeclarations": [{"name": "f"}]}], "toolConfig": {"functionCallingConfig": calling}});
        let claims = vec![CLAIM.to_owned()];
        let (ask, token, headers) = (ask(STREAM, model, &claims), token(), HeaderMap::new());
        let facts = facts(model);
        let shaping =
            Shaping { ask: &ask, token: &token, facts: &facts, client: &headers, request_id: "r1", at_ms: 0 };
        let mut losses = Losses::default();
        ANTIGRAVITY.shape(body.to_string().into(), &shaping, &mut losses).unwrap();
        let named = losses.list().iter().any(|loss| loss.field == "toolConfig.functionCallingConfig");
        assert_eq!(named, lost, "{model} {calling}");
    }
}

#[test]
fn a_search_that_antigravity_would_not_run_is_lost_aloud() {
    let search = json!({"contents": [], "tools": [{"googleSearch": {}}], "toolConfig": {"x": 1}});
    let (agreed, headers) = ([CLAIM.to_owned()], HeaderMap::new());
    for (model, kept) in
        [("claude-sonnet-4-6", false), ("gpt-oss-120b-medium", false), ("gemini-3-flash", true)]
    {
        let (ask, facts, token) = (ask(STREAM, model, &agreed), facts(model), token());
        let shaping =
            Shaping { ask: &ask, token: &token, facts: &facts, client: &headers, request_id: "r", at_ms: 0 };
        let mut losses = Losses::default();
        let body = ANTIGRAVITY.shape(search.to_string().into(), &shaping, &mut losses).unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        let request = &body["request"];
        assert_eq!(request.get("tools").is_some(), kept, "{request}");
        assert_eq!(request.get("toolConfig").is_some(), kept, "{request}");
        let lost: Vec<_> = losses.list().iter().map(|loss| loss.field.as_str()).collect();
        assert_eq!(lost, if kept { vec![] } else { vec!["tools"] }, "{model}");
    }
}

#[test]
fn what_refusals_mean() {
    let error = |status: u16, word: &str, message: &str, details: Value| {
        (status, json!({"error": {"code": status, "message": message, "status": word, "details": details}}))
    };
    let info = |reason: &str| json!({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "cloudcode-pa.googleapis.com"});
    let retry =
        |delay: &str| json!({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay});
    let exhausted = "RESOURCE_EXHAUSTED";
    let denied = "PERMISSION_DENIED";
    let model = |seconds| Some((Scope::Model, Duration::from_secs(seconds)));
    // The bucket of all models that are not Gemini's.
    let others = |seconds| Some((Scope::Line(Line::Without("gemini")), Duration::from_secs(seconds)));
    let account = |seconds| Some((Scope::Account, Duration::from_secs(seconds)));
    // Answer, next, rest, state (its first letter), own credential.
    let cases = [
        (
            error(429, exhausted, "x", json!([info("RATE_LIMIT_EXCEEDED"), retry("34.07s")])),
            "other",
            Some((Scope::Model, Duration::from_millis(34_070))),
            ' ',
            false,
        ),
        (
            error(429, exhausted, "x", json!([info("QUOTA_EXHAUSTED"), retry("256527s")])),
            "other",
            others(256_527),
            ' ',
            false,
        ),
        (
            error(429, exhausted, "reset after 1h16m0s", json!([info("QUOTA_EXHAUSTED")])),
            "other",
            others(4560),
            ' ',
            false,
        ),
        (error(429, exhausted, "x", json!([info("QUOTA_EXHAUSTED")])), "other", others(3600), ' ', false),
        (
            error(429, exhausted, "No capacity", json!([info("MODEL_CAPACITY_EXHAUSTED"), retry("40s")])),
            "other",
            model(2),
            ' ',
            false,
        ),
        (
            error(503, "UNAVAILABLE", "No capacity", json!([info("MODEL_CAPACITY_EXCEEDED")])),
            "other",
            model(2),
            ' ',
            false,
        ),
        (
            error(429, exhausted, "x", json!([info("INSUFFICIENT_G1_CREDITS_BALANCE")])),
            "other",
            model(1800),
            ' ',
            false,
        ),
        (error(499, "CANCELLED", "x", json!([])), "other", model(2), ' ', false),
        (
            error(403, denied, "Verify your account", json!([info("VALIDATION_REQUIRED")])),
            "other",
            None,
            'B',
            true,
        ),
        (error(403, denied, "(#3501)", json!([info("SUBSCRIPTION_REQUIRED")])), "other", None, 'N', true),
        (error(403, denied, "x", json!([info("SERVICE_DISABLED")])), "other", None, 'B', true),
        (
            error(
                403,
                denied,
                "Permission 'cloudaicompanion.companions.generateChat' denied on resource",
                json!([]),
            ),
            "other",
            None,
            'N',
            true,
        ),
        (
            error(
                403,
                denied,
                "This service has been disabled in this account for violation of Terms of Service.",
                json!([]),
            ),
            "other",
            None,
            'B',
            true,
        ),
        (
            error(403, denied, "x", json!([info("SECURITY_POLICY_VIOLATED")])),
            "other",
            account(3600),
            ' ',
            true,
        ),
        (
            error(403, denied, "The caller does not have permission", json!([])),
            "other",
            account(300),
            ' ',
            true,
        ),
        (
            error(404, "NOT_FOUND", "Requested entity was not found.", json!([])),
            "other",
            model(600),
            ' ',
            false,
        ),
        (
            error(400, "FAILED_PRECONDITION", "User location is not supported for the API use.", json!([])),
            "stop",
            None,
            ' ',
            false,
        ),
        (error(400, "INVALID_ARGUMENT", "max_tokens: 9 > 8", json!([])), "stop", None, ' ', false),
        (error(401, "UNAUTHENTICATED", "x", json!([])), "refresh", None, ' ', true),
        (error(500, "INTERNAL", "Unknown Error", json!([])), "other", model(2), ' ', false),
        (error(503, "UNAVAILABLE", "overloaded", json!([])), "other", model(5), ' ', false),
        (error(504, "DEADLINE_EXCEEDED", "x", json!([])), "other", model(2), ' ', false),
    ];
    let headers = HeaderMap::new();
    for ((status, body), next, cool, state, own) in cases {
        // Streaming methods put it in an array.
        for body in [body.clone(), json!([body])] {
            let failure =
                ANTIGRAVITY.read_failure(Dialect::Gemini, status, &headers, body.to_string().as_bytes());
            let verdict = ANTIGRAVITY.judge(&Refusal {
                failure: &failure,
                model: "m",
                headers: &headers,
                oauth: true,
                now: 0,
            });
            let found = match verdict.next {
                super::super::Next::GiveUp => "stop",
                super::super::Next::Refresh => "refresh",
                super::super::Next::OtherAccount => "other",
                super::super::Next::OtherEndpoint => "elsewhere",
            };
            let letter = match &verdict.state {
                Some(AccountState::Blocked { .. }) => 'B',
                Some(AccountState::NeedsLogin { .. }) => 'N',
                _ => ' ',
            };
            assert_eq!(
                (found, verdict.cool, letter, verdict.own_credential),
                (next, cool, state, own),
                "{body}"
            );
        }
    }
    // Without details it says nothing of a quota: at Antigravity one prompt must not empty the pool.
    let bare = json!({"error": {"code": 429, "message": "Resource has been exhausted (e.g. check quota).", "status": exhausted}}).to_string();
    for (upstream, cool) in [(ANTIGRAVITY, None), (GEMINI, model(60))] {
        let failure = upstream.read_failure(Dialect::Gemini, 429, &headers, bare.as_bytes());
        let verdict = upstream.judge(&Refusal {
            failure: &failure,
            model: "m",
            headers: &headers,
            oauth: true,
            now: 0,
        });
        assert_eq!((verdict.cool, verdict.hint.is_some()), (cool, upstream.antigravity));
    }
    // A page to verify at is told, if it is Google's.
    for (url, told) in [
        ("https://accounts.google.com/v", true),
        ("https://google.com.evil.test/", false),
        ("http://google.com/", false),
    ] {
        let body = json!({"error": {"code": 403, "message": "Verify.", "status": denied, "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "VALIDATION_REQUIRED", "metadata": {"validation_url": url}}]}});
        let failure = GEMINI.read_failure(Dialect::Gemini, 403, &headers, body.to_string().as_bytes());
        assert_eq!(
            failure.message.contains("Open https://accounts.google.com/v"),
            told,
            "{}",
            failure.message
        );
    }
}

#[test]
fn quotas_and_models() {
    let body = json!({"buckets": [
        {"remainingFraction": 0.25, "resetTime": "2026-11-28T12:00:00Z", "modelId": "m"}, {"resetTime": "2026-11-28T12:00:00Z", "modelId": "gone"}, {"modelId": "unknown"},
    ]});
    let windows = GEMINI.read_quota(body.to_string().as_bytes(), 0).windows;
    let found: Vec<_> = windows.iter().map(|w| (w.used, w.resets_at, w.scope.as_deref())).collect();
    assert_eq!(found, [(0.75, Some(1_795_867_200), Some("m")), (1.0, Some(1_795_867_200), Some("gone"))]);
    let groups = json!({"groups": [{"displayName": "Gemini Models", "buckets": [{"displayName": "Weekly Limit", "remainingFraction": 0.9}]}]});
    for body in [groups.clone(), json!({"quotaSummary": groups})] {
        let windows = ANTIGRAVITY.read_quota(body.to_string().as_bytes(), 0).windows;
        assert_eq!(
            (windows[0].name.as_str(), windows[0].scope.as_deref()),
            ("Weekly Limit", Some("Gemini Models"))
        );
    }
    let lookup = ANTIGRAVITY.ask_quota("https://x.test", &token()).unwrap();
    assert_eq!(
        (lookup.url.path(), &lookup.body[..]),
        ("/v1internal:retrieveUserQuotaSummary", &b"{\"project\":\"p-1\"}"[..])
    );
    let agent =
        |lookup: &Lookup| lookup.headers.get("user-agent").map(|agent| agent.to_str().unwrap().to_owned());
    assert_eq!(agent(&lookup).as_deref(), Some("antigravity"));
    let lookup = GEMINI.ask_quota("https://x.test", &token()).unwrap();
    assert_eq!((lookup.url.path(), agent(&lookup)), ("/v1internal:retrieveUserQuota", None));
    let list = json!({"models": {
        "a": {"displayName": "A", "maxTokens": 10, "maxOutputTokens": 5}, "chat_20706": {"displayName": "x"}, "tab_x": {"displayName": "x"}, "stub": {}, "gemini-2.5-pro": {"displayName": "x"},
    }});
    let models = ANTIGRAVITY.read_models(list.to_string().as_bytes());
    assert_eq!(models.len(), 1);
    let old = json!({"deprecatedModelIds": {"old": {"newModelId": "a"}, "odd": {}, "same": {"newModelId": "same"}}});
    let old = ANTIGRAVITY.read_models(old.to_string().as_bytes());
    assert_eq!((old.len(), old[0].id.as_str(), &old[0].facts["id"]), (1, "old", &json!("a")));
    assert_eq!(
        Value::Object(models[0].facts.clone()),
        json!({"display_name": "A", "context_tokens": 10, "max_output_tokens": 5})
    );
    assert!(ANTIGRAVITY.read_models(b"<html>").is_empty() && GEMINI.read_quota(b"x", 0).windows.is_empty());
}

#[test]
fn shapes_that_no_client_should_send_break_nothing() {
    for odd in [
        json!(1),
        json!("x"),
        json!(null),
        json!([1, "x", null, [], {"parts": 1}, {"parts": [1, {"functionCall": 1}]}]),
    ] {
        for name in ["contents", "tools", "toolConfig", "generationConfig"] {
            for operation in [STREAM, Operation::Count] {
                let mut body = json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}], "tools": [{"functionDeclarations": [odd]}]});
                body[name] = odd.clone();
                for model in ["claude-sonnet-4-6", "gemini-3-flash", "gpt-oss-120b-medium"] {
                    shaped(ANTIGRAVITY, operation, model, &body);
                }
            }
        }
    }
}

#[test]
fn a_call_whose_signature_the_client_lost_gets_the_vendors_sign_for_that() {
    let call = |sign: Option<&str>| {
        let mut call = json!({"functionCall": {"name": "f", "args": {}}});
        if let Some(sign) = sign {
            call["thoughtSignature"] = json!(sign);
        }
        call
    };
    let result = json!({"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {}}}]});
    let model = |parts: Vec<Value>| json!({"role": "model", "parts": parts});
    let user = json!({"role": "user", "parts": [{"text": "hi"}]});
    let contents = json!([
        user,
        model(vec![call(None)]),
        result,
        user,
        model(vec![call(None), call(None)]),
        result,
        model(vec![call(Some("SIG")), call(None)]),
        result,
    ]);
    let body = json!({"contents": contents});
    let signs = |model: &str| -> String {
        let request = shaped(ANTIGRAVITY, STREAM, model, &body)["request"].clone();
        let parts = request["contents"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|content| content["parts"].as_array().unwrap());
        let calls = parts.filter(|part| part.get("functionCall").is_some());
        calls
            .map(|part| part["thoughtSignature"].as_str().unwrap_or("-").to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(signs("gemini-3-flash"), "- skip_thought_signature_validator - SIG -");
    assert_eq!(signs("claude-sonnet-4-6"), "- - - - -", "Claude has none of these");
}

#[test]
fn a_service_that_is_off_is_told_with_the_page_that_switches_it_on() {
    let page = "https://console.developers.google.com/apis/api/x";
    let info = json!({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED",
        "domain": "googleapis.com", "metadata": {"activationUrl": page}});
    let body = json!({"error": {"code": 403, "message": "The API is off.", "status": "PERMISSION_DENIED", "details": [info]}});
    let headers = HeaderMap::new();
    for body in [body.clone(), json!([body])] {
        let failure = ANTIGRAVITY.read_failure(Dialect::Gemini, 403, &headers, body.to_string().as_bytes());
        let refusal = Refusal { failure: &failure, model: "m", headers: &headers, oauth: true, now: 0 };
        let verdict = ANTIGRAVITY.judge(&refusal);
        let Some(AccountState::Blocked { reason }) = verdict.state else { panic!("{verdict:?}") };
        assert!(reason.contains(page) && reason.contains("The API is off."), "{reason}");
    }
}

#[test]
fn a_reset_told_as_a_time_is_kept_to() {
    let info = json!({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "QUOTA_EXHAUSTED",
        "domain": "cloudcode-pa.googleapis.com", "metadata": {"quotaResetTimeStamp": "2026-05-27T16:32:54Z"}});
    let body = json!({"error": {"code": 429, "message": "Quota reached.", "status": "RESOURCE_EXHAUSTED", "details": [info]}});
    let headers = HeaderMap::new();
    for body in [body.clone(), json!([body])] {
        let failure = GEMINI.read_failure(Dialect::Gemini, 429, &headers, body.to_string().as_bytes());
        assert_eq!(failure.retry_after, None);
        assert_eq!(GEMINI.opens_at(&failure, &headers, 0), Some(1_779_899_574));
    }
}

#[test]
fn pictures_are_asked_for_as_such() {
    let body = json!({"sessionId": "-1", "contents": [{"role": "user", "parts": [{"text": "a cat"}]}],
        "generationConfig": {"imageConfig": {"aspectRatio": "1:1"}}});
    let sent = shaped(ANTIGRAVITY, STREAM, "gemini-3.1-flash-image", &body);
    assert_eq!(
        (&sent["requestType"], &sent["requestId"]),
        (&json!("image_gen"), &json!("image_gen/0/r1/12"))
    );
    assert!(sent["request"].get("sessionId").is_none(), "{sent}");
    assert_eq!(sent["request"]["generationConfig"]["imageConfig"]["aspectRatio"], "1:1");
}

#[test]
fn code_assist_gets_its_own_names_and_only_what_it_knows() {
    let body = json!({"contents": [], "generationConfig": {
        "maxOutputTokens": 128_000, "top_k": 3, "thinkingConfig": {"thinkingBudget": 5}, "imageConfig": {"imageSize": "1K"}, "enableX": true}});
    let sent = shaped(GEMINI, STREAM, "gemini-3.5-flash", &body);
    assert_eq!(sent["model"], "gemini-3-flash");
    assert_eq!(
        sent["request"]["generationConfig"],
        json!({"maxOutputTokens": 65_536, "top_k": 3, "thinkingConfig": {"thinkingBudget": 5}})
    );
    let counted = shaped(GEMINI, Operation::Count, "gemini-3.5-flash", &body);
    assert_eq!(counted["request"]["model"], "models/gemini-3-flash");
    let snake = json!({"contents": [], "generationConfig": {"max_output_tokens": 128_000}});
    let sent = shaped(GEMINI, STREAM, "gemini-2.5-pro", &snake);
    assert_eq!(sent["request"]["generationConfig"], json!({"max_output_tokens": 65_536}));
    assert_eq!(shaped(ANTIGRAVITY, STREAM, "gemini-3-flash", &body)["model"], "gemini-3-flash");
}

#[test]
fn schemas_are_said_in_the_words_that_antigravity_knows() {
    let schema = json!({"type": "object", "$defs": {"Point": {"type": "object", "properties": {"x": {"type": "integer", "minimum": 0}}}},
    "additionalProperties": false, "properties": {
        "at": {"$ref": "#/$defs/Point"}, "all": {"allOf": [{"type": "object", "properties": {"a": {"type": "string"}}}, {"properties": {"b": {"type": "string"}}}]},
        "not": {"type": "string", "not": {"const": "x"}}, "title": {"type": "string", "title": "T", "enum": ["a"]}, "yes": {"type": "boolean", "enum": [true]},
    }});
    let parameters = |model: &str, schema: &Value| {
        let body = json!({"contents": [], "tools": [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": schema}]}]});
        shaped(ANTIGRAVITY, STREAM, model, &body)["request"]["tools"][0]["functionDeclarations"][0]["parameters"].clone()
    };
    let clean = parameters("gemini-3-flash", &schema);
    let of = |name: &str| &clean["properties"][name];
    assert_eq!(
        *of("at"),
        json!({"type": "object", "properties": {"x": {"type": "integer", "description": "(minimum 0)"}}})
    );
    assert_eq!(of("all")["properties"].as_object().unwrap().len(), 2, "both parts hold");
    assert!(of("not")["description"].as_str().unwrap().contains("not:"), "{clean}");
    assert_eq!(*of("title"), json!({"type": "string", "description": "(one of [\"a\"])"}));
    assert!(!clean.to_string().contains("$ref") && !clean.to_string().contains("enum"), "{clean}");
    // A map of properties alone is an object of them.
    assert_eq!(
        parameters("gemini-3-flash", &json!({"city": {"type": "string"}}))["properties"]["city"]["type"],
        "string"
    );
    // Without a property Claude and these Gemini models take none.
    for (model, filled) in
        [("claude-sonnet-4-6", true), ("gemini-3.1-pro-low", true), ("gemini-3-flash", false)]
    {
        let empty = parameters(model, &json!({}));
        assert_eq!(empty["required"] == json!(["byok_placeholder"]), filled, "{model}: {empty}");
    }
    for name in ["responseSchema", "responseJsonSchema"] {
        let body = json!({"contents": [], "generationConfig": {name: schema}});
        let config = &shaped(ANTIGRAVITY, STREAM, "gemini-3-flash", &body)["request"]["generationConfig"];
        let answer = &config["responseSchema"];
        assert_eq!(answer["properties"]["title"]["enum"], json!(["a"]), "{answer}");
        assert!(answer["properties"]["yes"].get("enum").is_none(), "{answer}");
        assert_eq!((&answer["additionalProperties"], answer.get("$defs")), (&json!(false), None));
        assert!(config.get("responseJsonSchema").is_none());
    }
}

#[test]
fn models_whose_name_says_how_much_they_think_are_told_no_amount() {
    let sent = |model: &str, thinking: Value| {
        let body = json!({"contents": [], "generationConfig": {"thinkingConfig": thinking}});
        shaped(ANTIGRAVITY, STREAM, model, &body)["request"]["generationConfig"]["thinkingConfig"].clone()
    };
    for model in ["gemini-pro-agent", "gemini-3.1-pro-low"] {
        let shown = json!({"includeThoughts": true});
        assert_eq!(sent(model, json!({"thinkingLevel": "low", "includeThoughts": true})), shown, "{model}");
        assert_eq!(sent(model, json!({"thinkingBudget": 5})), Value::Null, "{model}");
    }
    let level = json!({"thinkingLevel": "low", "includeThoughts": true});
    assert_eq!(sent("gemini-3-flash", level.clone()), level);
}
