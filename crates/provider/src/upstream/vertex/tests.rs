use super::*;
use crate::upstream::Next;
use byok_translate::codec;
use byok_types::{Dialect, ModelFacts, Secret, TokenFacts};
use serde_json::json;

fn token(location: &str) -> Token {
    let facts: TokenFacts =
        [("project".to_owned(), Secret::new("p-1")), ("location".to_owned(), Secret::new(location))].into();
    Token { secret: Secret::new("ya29.x"), oauth: true, hash: None, facts }
}

fn ask(operation: Operation) -> Ask<'static> {
    Ask {
        operation,
        dialect: Dialect::Gemini,
        model: "gemini-2.5-pro",
        client: None,
        needed: &[],
        claims: &[],
    }
}

#[test]
fn addresses_by_location_and_credential() {
    let key = Token::key(Secret::new("AQ.x"));
    let stream = Operation::Generate { stream: true };
    let tail = "publishers/google/models/gemini-2.5-pro:streamGenerateContent?alt=sse";
    let cases = [
        (
            GLOBAL,
            token("global"),
            format!("https://aiplatform.googleapis.com/v1/projects/p-1/locations/global/{tail}"),
        ),
        (
            GLOBAL,
            token("us"),
            format!("https://aiplatform.us.rep.googleapis.com/v1/projects/p-1/locations/us/{tail}"),
        ),
        (
            GLOBAL,
            token("europe-west4"),
            format!(
                "https://europe-west4-aiplatform.googleapis.com/v1/projects/p-1/locations/europe-west4/{tail}"
            ),
        ),
        (
            "https://own.test/v1/",
            token("us"),
            format!("https://own.test/v1/projects/p-1/locations/us/{tail}"),
        ),
        (GLOBAL, key.clone(), format!("https://aiplatform.googleapis.com/v1/{tail}")),
    ];
    for (base, token, wanted) in cases {
        let base = Vertex.base(base, &token);
        assert_eq!(Vertex.url(&base, &ask(stream)).unwrap().as_str(), wanted);
        let mut headers = HeaderMap::new();
        Vertex.headers(&ask(stream), &token, &mut headers);
        assert_eq!(headers.len(), 1, "one credential");
        let (name, value) =
            if token.oauth { ("authorization", "Bearer ya29.x") } else { ("x-goog-api-key", "AQ.x") };
        assert_eq!(headers.get(name).and_then(|value| value.to_str().ok()), Some(value));
        assert!(headers[name].is_sensitive());
    }
    for (operation, model, method) in [
        (Operation::Generate { stream: false }, "gemini-2.5-pro", "gemini-2.5-pro:generateContent"),
        (Operation::Count, "gemini-2.5-pro", "gemini-2.5-pro:countTokens"),
        (Operation::Count, "a/b c", "a%2Fb%20c:countTokens"),
    ] {
        let url = Vertex.url("https://own.test/v1", &Ask { model, ..ask(operation) }).unwrap();
        assert_eq!(url.as_str(), format!("https://own.test/v1/publishers/google/models/{method}"));
    }
    for (host, trusted) in [
        ("europe-west4-aiplatform.googleapis.com", true),
        ("aiplatform.eu.rep.googleapis.com", true),
        ("a.b-aiplatform.googleapis.com", false),
        ("evil.test", false),
        ("storage.googleapis.com", false),
    ] {
        assert_eq!(Vertex.trusts(host), trusted, "{host}");
    }
}

#[test]
fn bodies() {
    let cases = [
        (
            Operation::Generate { stream: true },
            json!({"model": "m", "store": true, "session_id": "s", "serviceTier": "flex", "toolConfig": {"includeServerSideToolInvocations": true},
                "contents": [{"role": "model", "parts": [{"functionCall": {"id": "1", "name": "f", "args": {"id": 1}}}]}, {"role": "user", "parts": [{"functionResponse": {"id": "1", "name": "f", "response": {}}}]}]}),
            json!({"toolConfig": {},
                "contents": [{"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"id": 1}}}]}, {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {}}}]}]}),
        ),
        (
            Operation::Count,
            json!({"contents": [], "tools": [], "generationConfig": {}, "systemInstruction": {"parts": []}}),
            json!({"contents": [], "systemInstruction": {"parts": []}}),
        ),
        (
            Operation::Count,
            json!({"generateContentRequest": {"model": "models/m", "contents": [1]}}),
            json!({"contents": [1]}),
        ),
    ];
    let (token, headers) = (token("global"), HeaderMap::new());
    let facts = crate::catalog::Catalog::builtin().facts("gemini-2.5-pro");
    let facts: &ModelFacts = &facts;
    for (operation, body, wanted) in cases {
        let ask = ask(operation);
        let shaping =
            Shaping { ask: &ask, token: &token, facts, client: &headers, request_id: "r", at_ms: 0 };
        let found = Vertex.shape(body.to_string().into(), &shaping, &mut Losses::default()).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&found).unwrap(), wanted);
    }
}

#[test]
fn what_refusals_mean() {
    let model = |seconds| Some((Scope::Model, Duration::from_secs(seconds)));
    let account = |seconds| Some((Scope::Account, Duration::from_secs(seconds)));
    let cases = [
        (401, "ACCESS_TOKEN_EXPIRED", "x", true, Next::Refresh, None, true),
        (
            401,
            "CREDENTIALS_MISSING",
            "API keys are not supported by this API.",
            false,
            Next::OtherAccount,
            account(300),
            true,
        ),
        (400, "API_KEY_INVALID", "API key not valid.", false, Next::OtherAccount, account(300), true),
        (
            403,
            "IAM_PERMISSION_DENIED",
            "Permission 'aiplatform.endpoints.predict' denied",
            true,
            Next::OtherAccount,
            model(300),
            true,
        ),
        (403, "CONSUMER_INVALID", "x", true, Next::OtherAccount, account(3600), true),
        (403, "SERVICE_DISABLED", "x", true, Next::OtherAccount, account(300), true),
        (403, "BILLING_DISABLED", "x", true, Next::OtherAccount, account(1800), true),
        (403, "API_KEY_SERVICE_BLOCKED", "x", false, Next::OtherAccount, account(3600), true),
        (404, "", "Publisher Model `x` was not found", true, Next::OtherAccount, model(600), false),
        (
            400,
            "",
            "Project `P` is not allowed to use Publisher Model `x`",
            true,
            Next::OtherAccount,
            model(3600),
            false,
        ),
        (400, "", "Unable to submit request because it is wrong", true, Next::GiveUp, None, false),
        (429, "", "Resource exhausted. Please try again later.", true, Next::OtherAccount, model(2), false),
        (
            429,
            "",
            "Quota exceeded for aiplatform.googleapis.com/online_prediction_requests_per_base_model",
            true,
            Next::OtherAccount,
            model(60),
            false,
        ),
        (499, "", "x", true, Next::OtherAccount, model(2), false),
        (500, "", "x", true, Next::OtherAccount, model(2), false),
        (503, "", "x", true, Next::OtherAccount, model(5), false),
        (504, "", "x", true, Next::OtherAccount, model(2), false),
    ];
    let headers = HeaderMap::new();
    for (status, reason, message, oauth, next, cool, own) in cases {
        let details = if reason.is_empty() {
            json!([])
        } else {
            json!([{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}])
        };
        let body = json!({"error": {"code": status, "message": message, "details": details}}).to_string();
        let failure = codec::decode_failure(Dialect::Gemini, status, body.as_bytes());
        let verdict =
            Vertex.judge(&Refusal { failure: &failure, model: "m", headers: &headers, oauth, now: 0 });
        assert_eq!((verdict.next, verdict.cool, verdict.own_credential), (next, cool, own), "{body}");
    }
}
