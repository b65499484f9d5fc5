#![expect(clippy::too_many_lines, reason = "a table of cases")]

use super::{super::Next, *};
use byok_types::{ModelFacts, RawFailure, Secret, ThinkingFacts, ThinkingForm, TokenFacts};
use serde_json::{Value, json};

const STREAM: Operation = Operation::Generate { stream: true };

fn plan() -> Xai {
    Xai::plan(&IndexMap::new())
}

fn token() -> Token {
    let facts = TokenFacts::from([("user_id".to_owned(), Secret::new("u-1"))]);
    Token { oauth: true, facts, ..Token::key(Secret::new("access")) }
}

fn ask<'a>(client: Option<&'a HeaderMap>, claims: &'a [String]) -> Ask<'a> {
    Ask { operation: STREAM, dialect: Dialect::Responses, model: "grok-4.6", client, needed: &[], claims }
}

fn shown(headers: &HeaderMap) -> Vec<String> {
    let mut shown: Vec<String> =
        headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    shown.sort();
    shown
}

#[test]
fn headers_and_the_claim() {
    let consent = [VERSION_CLAIM.to_owned()];
    let brought: HeaderMap = [
        (VERSION, HeaderValue::from_static("1.2.3")),
        (HeaderName::from_static("cookie"), HeaderValue::from_static("c")),
    ]
    .into_iter()
    .collect();
    let own = ["authorization: Bearer access", "x-grok-client-identifier: byok"];
    let cases = [
        (
            None,
            &consent[..],
            None,
            vec![own[0], own[1], "x-grok-client-version: 1.0.6", "x-xai-token-auth: xai-grok-cli"],
        ),
        (
            Some(&brought),
            &[],
            None,
            vec![own[0], own[1], "x-grok-client-version: 1.2.3", "x-xai-token-auth: xai-grok-cli"],
        ),
        (
            Some(&brought),
            &consent,
            None,
            vec![own[0], own[1], "x-grok-client-version: 1.2.3", "x-xai-token-auth: xai-grok-cli"],
        ),
        (None, &[], Some(VERSION_CLAIM), vec![own[0], own[1], "x-xai-token-auth: xai-grok-cli"]),
    ];
    for (client, claims, demanded, expected) in cases {
        let ask = ask(client, claims);
        let mut headers = HeaderMap::new();
        plan().headers(&ask, &token(), &mut headers);
        assert_eq!(shown(&headers), expected);
        assert_eq!(plan().demands(&ask, &token()), demanded);
    }
    // With an API key nothing is claimed and nothing demanded.
    let mut headers = HeaderMap::new();
    let key = Token::key(Secret::new("xai-1"));
    Xai::keys().headers(&ask(None, &consent), &key, &mut headers);
    assert_eq!(shown(&headers), ["authorization: Bearer xai-1"]);
    assert_eq!(Xai::keys().demands(&ask(None, &[]), &key), None);

    let quota = plan().ask_quota("https://cli-chat-proxy.grok.com/v1", &token()).unwrap();
    assert_eq!(quota.url.as_str(), "https://cli-chat-proxy.grok.com/v1/billing?format=credits");
    assert_eq!(quota.headers["x-userid"], "u-1");
    assert!(plan().has(Endpoint::Compact) != Xai::keys().has(Endpoint::Compact));
}

fn shaped(body: &Value, reasons: bool) -> Value {
    let forms = if reasons { vec![ThinkingForm::Level] } else { Vec::new() };
    let thinking = ThinkingFacts { forms, ..ThinkingFacts::default() };
    let facts = ModelFacts { thinking, ..ModelFacts::default() };
    let (token, ask, none) = (token(), ask(None, &[]), HeaderMap::new());
    let shaping =
        Shaping { ask: &ask, token: &token, facts: &facts, client: &none, request_id: "r", at_ms: 0 };
    let body = plan().shape(Bytes::from(body.to_string()), &shaping, &mut Losses::default()).unwrap();
    serde_json::from_slice(&body).unwrap()
}

#[test]
fn bodies() {
    let rest = json!({
        "model": "grok-4.6", "input": [], "stream": true, "store": false, "include": ["reasoning.encrypted_content"],
    });
    let with = |base: &Value, change: Value| {
        let mut body = base.clone();
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        body
    };
    let plain = json!({"model": "grok-4.6", "input": []});
    let function = |parameters: Value| json!({"type": "function", "name": "f", "parameters": parameters});
    let object = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let open = json!({"type": "object", "properties": {}, "additionalProperties": true});
    let large = json!({"type": "object", "properties": {"a": {"oneOf": [{"$ref": "#/x"}], "description": "x".repeat(9000)}}});
    let tools = |tools: &[Value]| json!({"tools": tools});
    let own = "q".repeat(64);
    let reasoning = |seal: &str| json!({"input": [{"type": "reasoning", "summary": [], "encrypted_content": seal}, {"role": "user", "content": "x"}]});
    let dropped = json!({"input": [{"role": "user", "content": "x"}]});
    let search = json!({"type": "web_search"});
    let cases = [
        (
            json!({"stop": ["x"], "stream_options": {}, "safety_identifier": "s", "prompt_cache_retention": "24h"}),
            json!({}),
        ),
        (
            json!({"stream": false, "store": true, "include": ["x"]}),
            json!({"include": ["x", "reasoning.encrypted_content"]}),
        ),
        (
            json!({"temperature": 1.5, "max_output_tokens": 9}),
            json!({"temperature": 1.5, "max_output_tokens": 9}),
        ),
        (json!({"reasoning": {}}), json!({})),
        (json!({"reasoning": {"effort": "low"}}), json!({"reasoning": {"effort": "low"}})),
        (json!({"tools": [], "tool_choice": "auto", "parallel_tool_calls": true}), json!({})),
        (tools(&[function(object.clone())]), tools(&[function(object.clone())])),
        (tools(&[json!({"type": "function", "name": "f"})]), tools(&[function(open.clone())])),
        (tools(&[function(json!({"anyOf": [object]}))]), tools(&[function(open.clone())])),
        (tools(&[function(large)]), tools(&[function(open)])),
        (
            tools(&[search.clone(), json!({"type": "mcp"}), json!({"type": "local_shell"})]),
            tools(std::slice::from_ref(&search)),
        ),
        (tools(&[json!({"type": "mcp"})]), json!({})),
        (
            json!({"tools": [search], "tool_choice": {"type": "web_search"}}),
            json!({"tools": [search], "tool_choice": {"type": "allowed_tools", "mode": "required", "tools": [{"type": "web_search"}]}}),
        ),
        (
            json!({"tools": [search], "tool_choice": {"type": "function", "name": "gone"}}),
            json!({"tools": [search]}),
        ),
        (reasoning("gAAAAABforeign"), dropped.clone()),
        (reasoning("EqQBCkgIBRABGAI="), dropped.clone()),
        (reasoning("short"), dropped),
        (reasoning(&own), reasoning(&own)),
    ];
    for (change, expected) in cases {
        assert_eq!(shaped(&with(&plain, change.clone()), true), with(&rest, expected), "{change}");
    }
    let asked = with(&plain, json!({"reasoning": {"effort": "low"}}));
    assert_eq!(shaped(&asked, false), rest, "a model without levels");
    for (body, as_is) in [
        (r#"{"tools":[{"type":"function"}]}"#, true),
        (r#"{"tools":[{"type": "namespace"}]}"#, false),
        (r#"{"input":[{"type":"custom_tool_call"}]}"#, false),
        (r#"{"input":[{"type":"additional_tools"}]}"#, false),
    ] {
        assert_eq!(
            plan().takes_as_is(Dialect::Responses, &ModelFacts::default(), body.as_bytes()),
            as_is,
            "{body}"
        );
    }
}

#[test]
fn what_refusals_mean() {
    let account = |wait| Some((Scope::Account, wait));
    let model = |wait| Some((Scope::Model, wait));
    let seconds = Duration::from_secs;
    let cases = [
        (
            403,
            r#"{"code":"unauthenticated:bad-credentials","error":"The OAuth2 access token could not be validated."}"#,
            Next::Refresh,
            None,
            true,
        ),
        (
            403,
            r#"{"error":{"code":"unauthenticated:bad-credentials","message":"m"}}"#,
            Next::Refresh,
            None,
            true,
        ),
        (401, r#"{"code":"unauthenticated","error":"m"}"#, Next::Refresh, None, true),
        (
            429,
            r#"{"code":"subscription:free-usage-exhausted","error":"m"}"#,
            Next::OtherAccount,
            account(DAY),
            false,
        ),
        (
            429,
            r#"{"code":"x","error":"You've used all the included free usage for model grok-4.6."}"#,
            Next::OtherAccount,
            account(DAY),
            false,
        ),
        (429, r#"{"code":"rate","error":"slow"}"#, Next::OtherAccount, model(seconds(5)), false),
        (
            429,
            r#"{"code":429,"error":"You ran out of credits. [WKE=personal-team-blocked:spending-limit]"}"#,
            Next::OtherAccount,
            account(NO_MONEY),
            false,
        ),
        (
            403,
            r#"{"code":"personal-team-blocked:spending-limit","error":"m"}"#,
            Next::OtherAccount,
            account(NO_MONEY),
            true,
        ),
        (
            403,
            r#"{"code":"permission-denied","error":"Your team has either used all available credits or reached its limit"}"#,
            Next::OtherAccount,
            account(NO_MONEY),
            true,
        ),
        (
            403,
            r#"{"code":"x","error":"This requires a Grok subscription"}"#,
            Next::OtherAccount,
            account(NO_MONEY),
            true,
        ),
        (
            403,
            r#"{"code":"permission_denied","error":"model access is not allowed for this account"}"#,
            Next::OtherAccount,
            model(NO_MONEY),
            true,
        ),
        (404, r#"{"code":"not-found","error":"m"}"#, Next::GiveUp, None, false),
        (404, "<html>", Next::GiveUp, None, false),
        (426, r#"{"error":"Your Grok CLI version (none) is outdated."}"#, Next::GiveUp, None, false),
        (529, r#"{"code":"overloaded_error","error":"m"}"#, Next::OtherAccount, model(seconds(5)), false),
        (400, r#"{"code":"invalid-argument","error":"m"}"#, Next::GiveUp, None, false),
        (
            400,
            r#"{"code":"invalid-argument","error":"Incorrect API key provided: x"}"#,
            Next::OtherAccount,
            account(seconds(300)),
            true,
        ),
        (
            403,
            r#"{"error":"{\"code\":\"unauthenticated:bad-credentials\",\"error\":\"m\"}"}"#,
            Next::Refresh,
            None,
            true,
        ),
        (500, "", Next::OtherAccount, model(seconds(2)), false),
    ];
    let none = HeaderMap::new();
    for (status, body, next, cool, ours) in cases {
        let mut failure = plan().read_failure(Dialect::Responses, status, &none, body.as_bytes());
        failure.raw = Some(RawFailure {
            dialect: Dialect::Responses,
            content_type: None,
            body: body.as_bytes().to_vec(),
        });
        let verdict =
            plan().judge(&Refusal { failure: &failure, model: "m", headers: &none, oauth: true, now: 0 });
        assert_eq!(
            (verdict.next, verdict.cool, verdict.own_credential),
            (next, cool, ours),
            "{status} {body}"
        );
        if next == Next::Refresh {
            // Nothing renews a key: it rests.
            let verdict = plan().judge(&Refusal {
                failure: &failure,
                model: "m",
                headers: &none,
                oauth: false,
                now: 0,
            });
            assert_eq!(
                (verdict.next, verdict.cool, verdict.own_credential),
                (Next::OtherAccount, account(seconds(300)), true),
                "{status} {body}"
            );
        }
    }
}

#[test]
fn models_and_the_plan() {
    let body = json!({"data": [
        {"id": "grok-5", "name": "Grok 5", "context_window": 500_000, "max_completion_tokens": 9, "supports_reasoning_effort": true,
            "reasoning_efforts": [{"value": "low"}, {"value": "high", "default": true}, {"value": "new"}]},
        {"model": "grok-mini", "_meta": {"contextWindow": 1000, "supportsReasoningEffort": false}},
        {"id": "hidden", "hidden": true},
        {"id": "other", "api_backend": "messages"},
        {},
    ]});
    let found = account::models(body.to_string().as_bytes());
    let facts: Vec<ModelFacts> = found
        .iter()
        .map(|model| {
            let mut all = model.facts.clone();
            all.insert("id".to_owned(), json!(model.id));
            serde_json::from_value(all.into()).unwrap()
        })
        .collect();
    assert_eq!(facts.iter().map(|facts| facts.id.as_str()).collect::<Vec<_>>(), ["grok-5", "grok-mini"]);
    assert_eq!((facts[0].context_tokens, facts[0].max_output_tokens), (Some(500_000), Some(9)));
    assert_eq!(facts[0].thinking.levels.len(), 2);
    assert_eq!((facts[1].context_tokens, facts[1].thinking.forms.len()), (Some(1000), 0));

    let weekly = json!({"config": {
        "creditUsagePercent": 25.0, "currentPeriod": {"type": "USAGE_PERIOD_TYPE_WEEKLY", "end": "1970-01-01T00:01:00Z"},
        "onDemandCap": {}, "onDemandUsed": {}, "monthlyLimit": {"val": 100},
    }});
    let monthly = json!({"config": {
        "monthlyLimit": {"val": 100}, "used": {"val": 50}, "billingPeriodEnd": "x", "onDemandCap": {"val": 10}, "onDemandUsed": {},
    }});
    let windows = |body: &Value| -> Vec<(String, f64, Option<i64>)> {
        let quota = account::quota(body.to_string().as_bytes());
        quota.windows.into_iter().map(|window| (window.name, window.used, window.resets_at)).collect()
    };
    assert_eq!(windows(&weekly), [("week".to_owned(), 0.25, Some(60))]);
    assert_eq!(windows(&monthly), [("month".to_owned(), 0.5, None), ("on demand".to_owned(), 0.0, None)]);
    assert!(windows(&json!({})).is_empty());
}

#[test]
fn a_charge_on_demand_is_seen_in_the_usage() {
    for (config, charged) in [
        (json!({"creditUsagePercent": 100.0, "onDemandUsed": {"val": 1}, "onDemandCap": {"val": 500}}), true),
        (json!({"creditUsagePercent": 100.0, "onDemandUsed": {}, "onDemandCap": {"val": 500}}), false),
        // It was charged last week; the plan has room again.
        (json!({"creditUsagePercent": 3.0, "onDemandUsed": {"val": 70}}), false),
        (json!({"monthlyLimit": {"val": 100}, "used": {"val": 100}, "onDemandUsed": {"val": 5}}), true),
        (json!({"monthlyLimit": {"val": 100}, "used": {"val": 99}, "onDemandUsed": {"val": 5}}), false),
        (json!({}), false),
    ] {
        assert_eq!(
            plan().quota_charges(json!({"config": config}).to_string().as_bytes()),
            charged,
            "{config}"
        );
    }
    assert!(plan().tells_charges_by_quota() && !Xai::keys().tells_charges_by_quota());
}

#[test]
fn the_name_of_the_plan() {
    for (settings, plan) in [
        (
            json!({"subscription_tier": "supergrok", "subscription_tier_display": "SuperGrok"}),
            Some("SuperGrok"),
        ),
        (json!({"subscription_tier": "x-premium\u{1b}+"}), Some("x-premium+")),
        (json!({"subscription_tier_display": " "}), None),
        (json!({"error": "x"}), None),
    ] {
        assert_eq!(plan_of(&settings).as_deref(), plan, "{settings}");
    }
    assert_eq!(
        plan().ask_plan("https://cli-chat-proxy.grok.com/v1", &token()).unwrap().url.as_str(),
        "https://cli-chat-proxy.grok.com/v1/settings"
    );
    assert!(Xai::keys().ask_plan("https://api.x.ai/v1", &token()).is_none());
}

fn plan_of(settings: &Value) -> Option<String> {
    plan().read_plan(settings.to_string().as_bytes())
}
