//! Google's login and private services.

use crate::client::{Answer, get, simulator, try_send};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use byok_simulator::{GoogleClient, Simulator};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const GEMINI: &str = "681255809395-oo8ft2oprdrnp9e3aqf6av3hmdib135j.apps.googleusercontent.com";
const VERIFIER: &str = "0123456789012345678901234567890123456789012";
const SCOPES: &str = "https://www.googleapis.com/auth/cloud-platform+https://www.googleapis.com/auth/userinfo.email+https://www.googleapis.com/auth/userinfo.profile";

async fn send(
    simulator: &Simulator,
    path: &str,
    token: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> Answer {
    let bearer = format!("Bearer {token}");
    let mut all = vec![("content-type", "application/json"), ("authorization", bearer.as_str())];
    all.extend_from_slice(headers);
    try_send(simulator, "POST", path, &all, body.to_string().into_bytes()).await.unwrap()
}

fn changed(body: &Value, path: &str, value: Value) -> Value {
    let mut body = body.clone();
    let target = body.pointer_mut(path).unwrap_or_else(|| panic!("{path}"));
    *target = value;
    body
}

fn envelope() -> Value {
    json!({"model": "gemini-2.5-pro", "project": "p", "user_prompt_id": "1", "request": {
        "contents": [{"role": "user", "parts": [{"text": "hello"}]}],
    }})
}

fn agent(model: &str) -> Value {
    json!({"model": model, "project": "p", "requestId": "agent-1", "userAgent": "antigravity", "requestType": "agent", "request": {
        "sessionId": "-1", "contents": [{"role": "user", "parts": [{"text": "hello"}]}],
        "tools": [{"functionDeclarations": [{"name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}}]}],
        "toolConfig": {"functionCallingConfig": {"mode": "VALIDATED"}}, "generationConfig": {"seed": 1},
    }})
}

#[tokio::test]
async fn a_login_and_what_is_refused_on_the_way() {
    let simulator = simulator().await;
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let page = format!(
        "/google/o/oauth2/v2/auth?client_id={GEMINI}&redirect_uri=https://codeassist.google.com/authcode&response_type=code\
         &scope={SCOPES}&access_type=offline&prompt=consent&state=s&code_challenge={challenge}&code_challenge_method=S256"
    );
    for (old, new) in [
        ("prompt=consent", "prompt=none"),
        ("access_type=offline", "access_type=online"),
        ("S256", "plain"),
        ("&state=s", ""),
        (GEMINI, "x"),
        ("/authcode", "/elsewhere"),
        ("+https://www.googleapis.com/auth/userinfo.profile", ""),
    ] {
        let answer = get(&simulator, &page.replace(old, new), &[]).await;
        assert!(answer.status >= 400, "{old}");
    }
    let code = get(&simulator, &page, &[]).await.text();
    let form = format!(
        "grant_type=authorization_code&code={code}&client_id={GEMINI}&client_secret=sim-client-secret&redirect_uri=https%3A%2F%2Fcodeassist.google.com%2Fauthcode&code_verifier={VERIFIER}"
    );
    let token = async |form: &str| {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        try_send(&simulator, "POST", "/google/token", &headers, form.as_bytes().to_vec()).await.unwrap()
    };
    for (old, new) in
        [("sim-client-secret", "wrong"), ("client_secret", "secret"), ("&code_verifier=", "&verifier=")]
    {
        assert!(token(&form.replace(old, new)).await.status >= 400, "{old}");
    }
    let answer = token(&form).await.json();
    assert_eq!(token(&form).await.json()["error"], "invalid_grant", "a code is good once");
    let refresh = format!(
        "client_id={GEMINI}&client_secret=sim-client-secret&grant_type=refresh_token&refresh_token={}",
        answer["refresh_token"].as_str().unwrap().replace('/', "%2F")
    );
    assert!(token(&refresh).await.json().get("refresh_token").is_none(), "it is not used up");
    assert_eq!(token(&refresh).await.status, 200);
    let other =
        refresh.replace(GEMINI, "1071006060591-tmhssin2h21lcre235vtolojh4g403ep.apps.googleusercontent.com");
    assert_eq!(token(&other).await.json()["error"], "unauthorized_client");
    assert_eq!(simulator.google_counts().refreshes, 2);
}

#[tokio::test]
async fn envelopes_and_what_is_refused_of_them() {
    let simulator = simulator().await;
    let token = simulator.google_grant(GoogleClient::Gemini).access_token;
    let path = "/google/v1internal:generateContent";
    let good = send(&simulator, path, &token, &[], &envelope()).await;
    assert_eq!(good.status, 200, "{}", good.text());
    assert!(good.json()["response"]["candidates"][0]["content"]["parts"][0]["text"].is_string());
    let stream =
        send(&simulator, "/google/v1internal:streamGenerateContent?alt=sse", &token, &[], &envelope()).await;
    assert!(
        stream
            .events()
            .iter()
            .all(|event| event["response"]["candidates"].is_array() && event["traceId"].is_string())
    );
    let mut unknown = envelope();
    unknown["request"]["store"] = json!(true);
    let mut top = envelope();
    top["userAgent"] = json!("x");
    let cases = [
        (changed(&envelope(), "/model", json!("models/gemini-2.5-pro")), 404),
        (changed(&envelope(), "/project", json!("")), 403),
        (changed(&envelope(), "/user_prompt_id", Value::Null), 400),
        (unknown, 400),
        (top, 400),
        (json!([]), 400),
    ];
    for (body, status) in cases {
        assert_eq!(send(&simulator, path, &token, &[], &body).await.status, status, "{body}");
    }
    for headers in [[("x-goog-user-project", "mine")], [("x-goog-api-key", "k")]] {
        assert!(send(&simulator, path, &token, &headers, &envelope()).await.status >= 401);
    }
    assert_eq!(send(&simulator, path, "ya29.unknown", &[], &envelope()).await.status, 401);
    let bad =
        send(&simulator, "/google/v1internal:streamGenerateContent?alt=sse", &token, &[], &json!({})).await;
    assert!(bad.json()[0]["error"]["code"].is_number(), "wrapped in an array");
    let count = "/google/v1internal:countTokens";
    let body =
        json!({"request": {"model": "models/gemini-2.5-pro", "contents": envelope()["request"]["contents"]}});
    assert!(send(&simulator, count, &token, &[], &body).await.json()["totalTokens"].is_number());
    assert_eq!(send(&simulator, count, &token, &[], &envelope()).await.status, 400);
}

#[tokio::test]
async fn antigravitys_own_rules() {
    let simulator = simulator().await;
    let token = simulator.google_grant(GoogleClient::Antigravity).access_token;
    let path = "/google/v1internal:generateContent";
    let known = [("user-agent", "antigravity")];
    let claude = agent("claude-sonnet-4-6");
    for body in [&claude, &agent("gemini-3-flash")] {
        let good = send(&simulator, path, &token, &known, body).await;
        assert_eq!(good.status, 200, "{}", good.text());
    }
    for agent in ["byok/1", "google-api-nodejs-client/10.3.0"] {
        assert_eq!(send(&simulator, path, &token, &[("user-agent", agent)], &claude).await.status, 403);
    }
    let with = |path: &str, name: &str, value: Value| {
        let mut body = claude.clone();
        body.pointer_mut(path).unwrap()[name] = value;
        body
    };
    let function = "/request/tools/0/functionDeclarations/0";
    let model =
        |parts: Value| json!([{"role": "user", "parts": [{"text": "x"}]}, {"role": "model", "parts": parts}]);
    let cases = [
        with("", "model", json!("gpt-9")),
        with("", "userAgent", json!("byok")),
        with("", "requestType", Value::Null),
        with("", "requestId", json!("1")),
        with("", "project", json!("")),
        with("", "user_prompt_id", json!("1")),
        with("/request", "sessionId", json!("1")),
        with("/request", "safetySettings", json!([])),
        with("/request/toolConfig/functionCallingConfig", "mode", json!("AUTO")),
        with(function, "parametersJsonSchema", json!({})),
        with(function, "parameters", json!({"type": "object", "properties": {}})),
        with(&format!("{function}/parameters/properties/a"), "enum", json!(["x"])),
        with("/request/generationConfig", "maxOutputTokens", json!(64_001)),
        with(
            "/request",
            "generationConfig",
            json!({"thinkingConfig": {"thinkingBudget": 2048, "includeThoughts": true}}),
        ),
        with(
            "/request",
            "generationConfig",
            json!({"thinkingConfig": {"thinkingBudget": 2048}, "maxOutputTokens": 4096, "temperature": 1}),
        ),
        with("/request", "contents", model(json!([{"text": "prefill"}]))),
        with("/request", "contents", model(json!([{"functionCall": {"name": "f", "args": {}}}]))),
        with(
            "/request",
            "contents",
            model(json!([{"functionCall": {"id": "1", "name": "f", "args": {}}}, {"text": "late"}])),
        ),
    ];
    for body in cases {
        let answer = send(&simulator, path, &token, &known, &body).await;
        assert!(answer.status >= 400, "{body}");
    }
    // Claude thinks as much as it may put out.
    for (budget, status) in [(32_768, 200), (63_999, 200), (64_001, 400)] {
        let config = json!({"thinkingConfig": {"thinkingBudget": budget}, "maxOutputTokens": 64_000});
        let answer =
            send(&simulator, path, &token, &known, &with("/request", "generationConfig", config)).await;
        assert_eq!(answer.status, status, "{budget}: {}", answer.text());
    }
}

#[tokio::test]
async fn vertex_takes_one_credential_and_no_ids() {
    let simulator = simulator().await;
    let token = simulator.google_grant(GoogleClient::Vertex).access_token;
    let long = "/vertex/v1/projects/p/locations/us/publishers/google/models/gemini-2.5-pro:generateContent";
    let short = "/vertex/v1/publishers/google/models/gemini-2.5-pro:generateContent";
    let body = envelope()["request"].clone();
    let good = send(&simulator, long, &token, &[], &body).await;
    assert_eq!(good.status, 200, "{}", good.text());
    let key = |path: &'static str| {
        let headers = [("content-type", "application/json"), ("x-goog-api-key", "AQ.x")];
        let body = body.to_string().into_bytes();
        let simulator = &simulator;
        async move { try_send(simulator, "POST", path, &headers, body).await.unwrap().status }
    };
    assert_eq!((key(short).await, key(long).await), (200, 401));
    assert_eq!(send(&simulator, long, &token, &[("x-goog-api-key", "k")], &body).await.status, 400, "both");
    let gemini = simulator.google_grant(GoogleClient::Gemini).access_token;
    assert_eq!(send(&simulator, long, &gemini, &[], &body).await.status, 403);
    let mut ids = body.clone();
    ids["contents"] = json!([{"role": "user", "parts": [{"text": "x"}]}, {"role": "model", "parts": [{"functionCall": {"id": "1", "name": "f", "args": {}}}]}]);
    for bad in [
        ids,
        json!({"contents": [], "store": true}),
        json!({"contents": [], "session_id": "1"}),
        json!({"contents": [], "toolConfig": {"includeServerSideToolInvocations": true}}),
    ] {
        assert_eq!(send(&simulator, long, &token, &[], &bad).await.status, 400, "{bad}");
    }
}
