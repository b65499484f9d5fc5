#![expect(clippy::too_many_lines, clippy::type_complexity, reason = "a table of cases")]

use super::*;
use byok_types::{Blame, Secret};
use serde_json::{Value, json};

const OWN: &str = "arn:aws:codewhisperer:eu-central-1:123456789012:profile/ABC";

fn token(kind: &str, profile: Option<&str>) -> Token {
    let mut facts = byok_types::TokenFacts::new();
    facts.insert("kind".into(), Secret::new(kind));
    facts.extend(profile.map(|arn| ("profile_arn".to_owned(), Secret::new(arn))));
    Token { secret: Secret::new("aoa"), oauth: true, hash: None, facts }
}

fn ask() -> Ask<'static> {
    Ask {
        operation: Operation::Generate { stream: true },
        dialect: Dialect::Messages,
        model: "claude-sonnet-4-5",
        client: None,
        needed: &[],
        claims: &[],
    }
}

#[test]
fn profile_and_hosts_follow_the_kind_of_login() {
    let evil = "arn:aws:codewhisperer:evil.test/:123456789012:profile/ABC";
    for (token, named, base) in [
        (token("builder-id", None), Some(BUILDER_ID), BASE),
        (token("builder-id", Some(OWN)), Some(BUILDER_ID), BASE),
        (token("social", None), Some(SOCIAL), BASE),
        (token("social", Some(SOCIAL)), Some(SOCIAL), BASE),
        (token("idc", Some(OWN)), Some(OWN), "https://runtime.eu-central-1.kiro.dev"),
        (token("idc", None), None, BASE),
        (token("idc", Some(evil)), Some(evil), BASE),
        (Token::key(Secret::new("ksk_1")), None, BASE),
    ] {
        assert_eq!(profile(&token), named);
        assert_eq!(Kiro::default().base(BASE, &token), base);
        assert_eq!(
            Kiro::default().base("http://127.0.0.1:1/kiro", &token),
            "http://127.0.0.1:1/kiro",
            "the person's own stays"
        );
    }
    for (host, trusted) in [
        ("runtime.eu-central-1.kiro.dev", true),
        ("management.us-east-1.kiro.dev", true),
        ("runtime.kiro.dev", false),
        ("runtime.evil.test.kiro.dev", false),
        ("runtime.us-east-1.kiro.dev.evil.test", false),
        ("app.kiro.dev", false),
    ] {
        assert_eq!(Kiro::default().trusts(host), trusted, "{host}");
    }
    for base in [
        BASE,
        "https://runtime.us-east-1.kiro.dev/",
        "https://runtime.us-east-1.kiro.dev/generateAssistantResponse",
    ] {
        assert_eq!(
            Kiro::default().url(base, &ask()).unwrap().as_str(),
            "https://runtime.us-east-1.kiro.dev/generateAssistantResponse"
        );
    }
}

#[test]
fn headers_and_body() {
    let mut headers = HeaderMap::new();
    Kiro::default().headers(&ask(), &token("social", None), &mut headers);
    assert_eq!(headers["authorization"], "Bearer aoa");
    assert_eq!(headers["accept"], "application/vnd.amazon.eventstream");
    assert_eq!(headers["x-amzn-kiro-agent-mode"], "vibe");
    assert!(!headers.contains_key("tokentype") && !headers.contains_key("user-agent"));
    let key = Token::key(Secret::new("ksk_1"));
    let mut headers = HeaderMap::new();
    Kiro::default().headers(&ask(), &key, &mut headers);
    assert_eq!(headers["tokentype"], "API_KEY");

    let body = json!({"messages": [{"role": "user", "content": "x"}], "output_config": {"effort": "low"}})
        .to_string();
    for (token, model, effort, profile, origin) in [
        (token("social", None), "claude-sonnet-4-5", Some("output_config"), Some(SOCIAL), "AI_EDITOR"),
        (key, "gpt-5.6-sol", Some("reasoning"), None, "KIRO_CLI"),
        // Of a model that takes none the field would be refused.
        (token("social", None), "claude-sonnet-4-5", None, Some(SOCIAL), "AI_EDITOR"),
    ] {
        let facts = ModelFacts {
            thinking: byok_types::ThinkingFacts {
                forms: effort.map(|_| byok_types::ThinkingForm::Effort).into_iter().collect(),
                ..Default::default()
            },
            ..ModelFacts::default()
        };
        let ask = Ask { model, ..ask() };
        let shaping = Shaping {
            ask: &ask,
            token: &token,
            facts: &facts,
            client: &HeaderMap::new(),
            request_id: "r",
            at_ms: 0,
        };
        let made =
            Kiro::default().shape(Bytes::from(body.clone()), &shaping, &mut Losses::default()).unwrap();
        let made: Value = serde_json::from_slice(&made).unwrap();
        let message = &made["conversationState"]["currentMessage"]["userInputMessage"];
        assert_eq!(
            (message["modelId"].as_str(), message["origin"].as_str()),
            (Some(wire_name(model).as_str()), Some(origin))
        );
        assert_eq!(made["profileArn"].as_str(), profile);
        let said = effort.map(|field| json!({field: {"effort": "low"}}));
        assert_eq!(made.get("additionalModelRequestFields"), said.as_ref());
    }
}

#[test]
fn what_the_wire_has_no_place_for_is_named() {
    for (wish, lost) in [
        (json!({}), vec![]),
        (json!({"tool_choice": {"type": "auto"}, "stop_sequences": ["x"]}), vec![]),
        (json!({"tool_choice": {"type": "any"}}), vec!["tool_choice"]),
        (json!({"tool_choice": {"type": "tool", "name": "f"}, "top_k": 3}), vec!["top_k", "tool_choice"]),
        (json!({"temperature": 0.5, "top_p": 0.9}), vec!["temperature", "top_p"]),
    ] {
        let mut body = wish;
        body["messages"] = json!([{"role": "user", "content": "x"}]);
        let (ask, token, facts) = (ask(), token("social", None), ModelFacts::default());
        let shaping = Shaping {
            ask: &ask,
            token: &token,
            facts: &facts,
            client: &HeaderMap::new(),
            request_id: "r",
            at_ms: 0,
        };
        let mut losses = Losses::default();
        Kiro::default().shape(body.to_string().into(), &shaping, &mut losses).unwrap();
        let names: Vec<_> = losses.list().iter().map(|loss| loss.field.as_str()).collect();
        assert_eq!(names, lost, "{body}");
    }
}

#[test]
fn what_refusals_mean() {
    let seconds = Duration::from_secs;
    let other = Next::OtherAccount;
    let account = |wait| Some((Scope::Account, seconds(wait)));
    let model = |wait| Some((Scope::Model, seconds(wait)));
    let reason = |reason: &str| json!({"message": "m", "reason": reason}).to_string();
    let said = |message: &str| json!({"message": message, "reason": null}).to_string();
    let suspended = "Your User ID (d-1) temporarily is suspended. We detected unusual user activity";
    // Status, body, wait in the header, login or key; what is done, what rests, and the state of the account.
    let cases: Vec<(u16, String, Option<u64>, bool, Next, Option<(Scope, Duration)>, &str)> = vec![
        (400, said("Input is too long."), None, true, Next::GiveUp, None, ""),
        (400, reason("CONTENT_LENGTH_EXCEEDS_THRESHOLD"), None, true, Next::GiveUp, None, ""),
        (400, reason("PROMPT_TOO_LONG"), None, true, Next::GiveUp, None, ""),
        (400, reason("INVALID_MODEL_ID"), None, true, other, None, ""),
        (
            400,
            said("Invalid model. Please select a different model to continue."),
            None,
            true,
            other,
            None,
            "",
        ),
        (400, said("Improperly formed request."), None, true, Next::GiveUp, None, ""),
        (400, reason("TOOL_USE_RESULT_MISMATCH"), None, true, Next::GiveUp, None, ""),
        (
            400,
            said("profileArn is required for this request."),
            None,
            true,
            Next::Refresh,
            None,
            "needs login",
        ),
        (400, said("profileArn is required for this request."), None, false, Next::GiveUp, None, ""),
        (401, said("m"), None, true, Next::Refresh, None, ""),
        (
            403,
            said("The bearer token included in the request is invalid."),
            None,
            true,
            Next::Refresh,
            None,
            "",
        ),
        (
            403,
            said("The bearer token included in the request is invalid."),
            None,
            false,
            other,
            account(300),
            "",
        ),
        (402, reason("MONTHLY_REQUEST_COUNT"), None, true, other, account(3600), ""),
        (429, reason("MONTHLY_REQUEST_COUNT"), None, true, other, account(3600), ""),
        (400, reason("MONTHLY_REQUEST_COUNT"), None, true, other, account(3600), ""),
        (402, reason("OVERAGE_REQUEST_LIMIT_EXCEEDED"), None, true, other, account(3600), ""),
        (403, reason("TEMPORARILY_SUSPENDED"), None, true, Next::GiveUp, None, "blocked"),
        (423, said(suspended), None, true, Next::GiveUp, None, "blocked"),
        (423, String::new(), None, true, Next::GiveUp, None, "blocked"),
        (423, said("m"), None, false, Next::GiveUp, None, "blocked"),
        (403, said(suspended), None, true, Next::GiveUp, None, "blocked"),
        (
            403,
            json!({"__type": "AccountSuspendedException"}).to_string(),
            None,
            true,
            Next::GiveUp,
            None,
            "blocked",
        ),
        (403, reason("FEATURE_NOT_SUPPORTED"), None, true, other, model(300), ""),
        (429, reason("INSUFFICIENT_MODEL_CAPACITY"), None, true, other, model(5), ""),
        (
            429,
            said("I am experiencing high traffic, please try again shortly."),
            None,
            true,
            other,
            model(5),
            "",
        ),
        (
            500,
            said("Encountered unexpectedly high load when processing the request, please try again."),
            None,
            true,
            other,
            model(5),
            "",
        ),
        (500, reason("MODEL_TEMPORARILY_UNAVAILABLE"), None, true, other, model(5), ""),
        (
            429,
            said("Due to suspicious activity, we are imposing temporary limits"),
            None,
            true,
            other,
            account(900),
            "",
        ),
        (
            429,
            said("Due to suspicious activity, we are imposing temporary limits"),
            Some(7200),
            true,
            other,
            account(3600),
            "",
        ),
        (429, reason("USER_REQUEST_RATE_EXCEEDED"), None, true, other, account(60), ""),
        (429, reason("DAILY_REQUEST_COUNT"), Some(7), true, other, account(7), ""),
        (500, said("m"), None, true, other, model(2), ""),
        (503, String::new(), None, true, other, model(5), ""),
    ];
    for (status, body, wait, oauth, next, cool, state) in cases {
        let kiro = Kiro::default();
        let mut failure = kiro.read_failure(Dialect::Messages, status, &HeaderMap::new(), body.as_bytes());
        failure.retry_after = wait.map(seconds);
        let verdict =
            kiro.judge(&Refusal { failure: &failure, model: "m", headers: &HeaderMap::new(), oauth, now: 0 });
        let got = match &verdict.state {
            None => "",
            Some(AccountState::NeedsLogin { reason }) if reason.contains("byok login kiro") => "needs login",
            Some(AccountState::Blocked { reason }) if reason.contains(SUPPORT) => "blocked",
            Some(other) => panic!("{other:?}"),
        };
        assert_eq!((verdict.next, verdict.cool, got), (next, cool, state), "{status} {body}");
    }
    // The name of an exception may stand in a header alone.
    let headers: HeaderMap =
        [(ERROR_TYPE, "AccountSuspendedException:http://x".parse().unwrap())].into_iter().collect();
    let failure = Kiro::default().read_failure(Dialect::Messages, 403, &headers, b"{}");
    assert_eq!((failure.code.as_deref(), failure.blame), (Some(code::SUSPENDED), Blame::Upstream));
}

#[test]
fn lookups() {
    let kiro = Kiro::default();
    let asked = kiro.ask_models(BASE, &token("idc", Some(OWN))).unwrap();
    assert_eq!(
        (asked.method.as_str(), asked.url.as_str()),
        ("POST", "https://management.eu-central-1.kiro.dev/")
    );
    assert_eq!(asked.headers["x-amz-target"], "KiroControlPlaneBearerService.ListAvailableModels");
    assert_eq!(asked.headers["content-type"], "application/x-amz-json-1.0");
    assert_eq!(
        serde_json::from_slice::<Value>(&asked.body).unwrap(),
        json!({"origin": "AI_EDITOR", "profileArn": OWN})
    );
    let more = kiro.ask_more_models(&asked, br#"{"models": [], "nextToken": "n-1"}"#).unwrap();
    assert_eq!((&more.url, &more.headers), (&asked.url, &asked.headers));
    assert_eq!(
        serde_json::from_slice::<Value>(&more.body).unwrap(),
        json!({"origin": "AI_EDITOR", "profileArn": OWN, "nextToken": "n-1"})
    );
    for last in [&b"{}"[..], br#"{"nextToken": ""}"#, b"<html>"] {
        assert!(kiro.ask_more_models(&asked, last).is_none());
    }
    for (token, with) in [
        (token("idc", Some(OWN)), true),
        (token("social", Some(SOCIAL)), false),
        (token("builder-id", None), false),
    ] {
        let asked = kiro.ask_quota(BASE, &token).unwrap();
        assert_eq!(asked.url.query().unwrap().contains("profileArn"), with, "{}", asked.url);
        assert!(asked.url.path().ends_with("/getUsageLimits"));
        assert!(asked.url.query().unwrap().contains("resourceType=AGENTIC_REQUEST"), "{}", asked.url);
    }
    let key = kiro.ask_quota(BASE, &Token::key(Secret::new("ksk_1"))).unwrap();
    assert_eq!(key.headers["tokentype"], "API_KEY");
}

#[test]
fn models_and_quota() {
    let list = json!({"models": [
        {"modelId": "claude-opus-4.8", "modelName": "Claude Opus 4.8", "tokenLimits": {"maxInputTokens": 1_000_000, "maxOutputTokens": 64_000},
         "supportedInputTypes": ["TEXT", "IMAGE"],
         "additionalModelRequestFieldsSchema": {"properties": {"output_config": {"properties": {"effort": {"enum": ["low", "xhigh", "odd"]}}}}}},
        {"modelId": "auto"}, {"modelName": "nameless"}]});
    let found = Kiro::default().read_models(list.to_string().as_bytes());
    assert_eq!(found.iter().map(|model| model.id.as_str()).collect::<Vec<_>>(), ["claude-opus-4.8", "auto"]);
    let facts = Value::Object(found[0].facts.clone());
    assert_eq!(
        (facts["context_tokens"].as_u64(), facts["input"]["image"].as_bool()),
        (Some(1_000_000), Some(true))
    );
    assert_eq!(
        facts["thinking"],
        json!({"forms": ["effort"], "levels": ["low", "xhigh"], "can_disable": true})
    );
    assert!(Kiro::default().read_models(b"<html>").is_empty());

    let one = json!({"resourceType": "CREDIT", "displayNamePlural": "Credits", "currentUsage": 10, "currentUsageWithPrecision": 10.5,
                     "usageLimit": 50, "overageCap": 100, "nextDateReset": 1_796_083_200.0,
                     "freeTrialInfo": {"freeTrialStatus": "ACTIVE", "currentUsage": 100, "usageLimit": 500},
                     "bonuses": [{"status": "ACTIVE", "currentUsage": 0, "usageLimit": 20}, {"status": "EXPIRED", "currentUsage": 9, "usageLimit": 9}]});
    let cases = [
        (json!({"usageBreakdownList": [one]}), Some(110.5 / 570.0), Some(1_796_083_200)),
        (
            json!({"usageBreakdown": one, "overageConfiguration": {"overageStatus": "ENABLED"}}),
            Some(110.5 / 670.0),
            Some(1_796_083_200),
        ),
        (
            json!({"usageBreakdownList": [{"currentUsage": 1, "usageLimit": 4}], "nextDateReset": 1_796_083_200_000_i64}),
            Some(0.25),
            Some(1_796_083_200),
        ),
        (json!({"usageBreakdownList": [{"currentUsage": 1, "usageLimit": 0}]}), None, None),
        (json!({}), None, None),
    ];
    for (body, used, reset) in cases {
        let quota = Kiro::default().read_quota(body.to_string().as_bytes(), 0);
        assert_eq!(quota.windows.first().map(|window| window.used), used, "{body}");
        assert_eq!(quota.windows.first().and_then(|window| window.resets_at), reset, "{body}");
    }
    let beyond = json!({"overageConfiguration": {"overageStatus": "ENABLED"}, "usageBreakdownList": [
        {"currentUsage": 60, "usageLimit": 50, "overageCap": 100, "currentOverages": 10, "currentOveragesWithPrecision": 10.5}]});
    let windows = Kiro::default().read_quota(beyond.to_string().as_bytes(), 0).windows;
    let shown: Vec<_> = windows.iter().map(|window| (window.name.as_str(), window.used)).collect();
    assert_eq!(shown, [("credits", 0.4), ("beyond the plan", 0.105)], "the cap hides no charge");
    let plan = json!({"subscriptionInfo": {"subscriptionTitle": "KIRO PRO"}}).to_string();
    assert_eq!(Kiro::default().read_quota(plan.as_bytes(), 0).plan.as_deref(), Some("KIRO PRO"));
}

#[test]
fn a_charge_beyond_the_plan_is_seen_in_the_usage() {
    let told = |status: Value, one: Value| {
        let body = json!({"overageConfiguration": {"overageStatus": status}, "usageBreakdownList": [one]});
        Kiro::default().quota_charges(body.to_string().as_bytes())
    };
    let bonus =
        json!({"currentUsage": 60, "usageLimit": 50, "bonuses": [{"status": "ACTIVE", "usageLimit": 20}]});
    for (status, one, charged) in [
        ("ENABLED", json!({"currentUsage": 50, "usageLimit": 50, "overageCap": 100}), false),
        ("ENABLED", json!({"currentUsage": 51, "usageLimit": 50, "overageCap": 100}), true),
        ("ENABLED", json!({"currentUsage": 50, "usageLimit": 50, "currentOverages": 3}), true),
        ("ENABLED", json!({"currentUsage": 50, "usageLimit": 50, "currentOveragesWithPrecision": 0.2}), true),
        ("ENABLED", json!({"currentUsage": 50, "usageLimit": 50, "overageCharges": 0.04}), true),
        ("ENABLED", bonus, false),
        // Its owner has switched it off since: nothing more can be charged.
        ("DISABLED", json!({"currentUsage": 51, "usageLimit": 50, "currentOverages": 3}), false),
    ] {
        assert_eq!(told(json!(status), one.clone()), charged, "{status} {one}");
    }
    assert!(!Kiro::default().quota_charges(b"<html>"));
}

#[test]
fn names_on_the_wire() {
    for (name, expected) in [
        ("anthropic/claude-sonnet-4.5", "claude-sonnet-4.5"),
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4.5"),
        ("kiro-default", "auto"),
    ] {
        assert_eq!(wire_name(name), expected, "{name}");
    }
}
