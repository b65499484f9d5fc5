use super::client::simulator;
use byok_simulator::Simulator;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

const SOCIAL: &str = "arn:aws:codewhisperer:us-east-1:699475941385:profile/EHGA3GRVQMUK";
const UUID: &str = "3f2b8c1e-7d5a-4e9b-8a61-0c4d2e6f9b13";

async fn post(simulator: &Simulator, path: &str, headers: &[(&str, &str)], body: &Value) -> (u16, Vec<u8>) {
    let stream = TcpStream::connect(simulator.address()).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut request = Request::post(format!("/kiro/{path}")).header("host", "sim");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = Full::new(Bytes::from(body.to_string()));
    let answer = sender.send_request(request.body(body).unwrap()).await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.into_body().collect().await.unwrap().to_bytes().to_vec())
}

fn user(content: &str) -> Value {
    json!({"content": content, "modelId": "claude-sonnet-4.5", "origin": "AI_EDITOR"})
}

fn tool(name: &str) -> Value {
    json!({"toolSpecification": {"name": name, "description": "d", "inputSchema": {"json": {"type": "object", "properties": {}}}}})
}

/// A request that is good in every respect.
fn good() -> Value {
    let mut current = user("");
    current["userInputMessageContext"] = json!({
        "toolResults": [{"toolUseId": "t1", "content": [{"text": "sunny"}], "status": "success"}], "tools": [tool("get")],
    });
    let assistant = json!({"content": " ", "toolUses": [{"toolUseId": "t1", "name": "get", "input": {}}]});
    json!({
        "conversationState": {
            "conversationId": UUID, "chatTriggerType": "MANUAL", "agentTaskType": "vibe", "agentContinuationId": UUID,
            "history": [{"userInputMessage": user("q")}, {"assistantResponseMessage": assistant}],
            "currentMessage": {"userInputMessage": current},
        },
        "profileArn": SOCIAL,
    })
}

#[tokio::test]
async fn every_rule_of_a_request_is_kept() {
    let simulator = simulator().await;
    let (access, _) = simulator.kiro_grant();
    let bearer = format!("Bearer {access}");
    let json_type = ("content-type", "application/json");
    let ask = async |headers: &[(&str, &str)], body: &Value| {
        let (status, said) = post(&simulator, "runtime/generateAssistantResponse", headers, body).await;
        let said: Value = serde_json::from_slice(&said).unwrap_or_default();
        (status, said["reason"].as_str().or(said["message"].as_str()).unwrap_or_default().to_owned())
    };
    let usual = [("authorization", bearer.as_str()), json_type];
    assert_eq!(ask(&usual, &good()).await.0, 200);

    let malformed = "Improperly formed request.";
    let bad_bearer = "The bearer token included in the request is invalid.";
    let state = "/conversationState";
    let current = "/conversationState/currentMessage/userInputMessage";
    let context = "/conversationState/currentMessage/userInputMessage/userInputMessageContext";
    let specification = "/conversationState/currentMessage/userInputMessage/userInputMessageContext/tools/0/toolSpecification";
    let said = "/conversationState/history/1/assistantResponseMessage";
    // Where, which member, what stands there instead (nothing: it is taken away), and the answer.
    let breaches: Vec<(&str, &str, Option<Value>, u16, &str)> = vec![
        ("", "profileArn", None, 400, "profileArn is required for this request."),
        ("", "profileArn", Some(json!("arn:aws:codewhisperer:us-east-1:1:profile/OTHER")), 403, bad_bearer),
        ("", "inferenceConfig", Some(json!({"maxTokens": 1})), 400, malformed),
        ("", "additionalModelRequestFields", Some(json!({"reasoning": {"effort": "low"}})), 400, malformed),
        (
            "",
            "additionalModelRequestFields",
            Some(json!({"output_config": {"effort": "low"}})),
            400,
            "REQUEST_BODY_INVALID",
        ),
        (state, "conversationId", Some(json!("no-uuid")), 400, malformed),
        (state, "chatTriggerType", Some(json!("AUTO")), 400, malformed),
        (state, "agentTaskType", Some(json!("other")), 400, malformed),
        (state, "history", Some(json!([])), 400, malformed),
        (state, "history", Some(json!([{"userInputMessage": user("q")}])), 400, malformed),
        (
            state,
            "history",
            Some(json!([{"assistantResponseMessage": {"content": "a"}}, {"userInputMessage": user("q")}])),
            400,
            malformed,
        ),
        (current, "origin", Some(json!("KIRO_CLI")), 400, malformed),
        (current, "modelId", Some(json!("claude-sonnet-4-5")), 400, "INVALID_MODEL_ID"),
        (current, "content", None, 400, malformed),
        (current, "userInputMessageContext", None, 400, malformed),
        (current, "userInputMessageContext", Some(json!({})), 400, malformed),
        (current, "images", Some(json!([])), 400, malformed),
        (current, "images", Some(Value::Null), 400, malformed),
        (
            current,
            "images",
            Some(json!([{"format": "tiff", "source": {"bytes": "AAAA"}}])),
            400,
            "IMAGE_FORMAT_UNSUPPORTED",
        ),
        (
            current,
            "images",
            Some(json!([{"format": "jpeg", "source": {"bytes": "iVBORw0KGgo="}}])),
            400,
            "IMAGE_MIME_MISMATCH",
        ),
        (context, "toolResults", None, 400, malformed),
        (
            context,
            "toolResults",
            Some(json!([{"toolUseId": "t2", "content": [{"text": "x"}], "status": "success"}])),
            400,
            "TOOL_USE_RESULT_MISMATCH",
        ),
        (context, "tools", None, 400, "TOOL_CONFIG_MISSING"),
        (context, "tools", Some(json!([tool("other")])), 400, "TOOL_CONFIG_MISSING"),
        (context, "tools", Some(json!([tool("get"), tool("GET")])), 400, "TOOL_DUPLICATE"),
        (specification, "name", Some(json!("1get")), 400, malformed),
        (specification, "name", Some(json!("g".repeat(65))), 400, malformed),
        (specification, "description", Some(json!("")), 400, malformed),
        (specification, "description", Some(json!("x".repeat(10_241))), 400, malformed),
        (specification, "inputSchema", Some(json!({"json": {"type": "object"}})), 400, "TOOL_SCHEMA_INVALID"),
        (
            specification,
            "inputSchema",
            Some(json!({"json": {"type": "object", "properties": {}, "required": null}})),
            400,
            "TOOL_SCHEMA_INVALID",
        ),
        (said, "content", Some(json!("")), 400, malformed),
        (said, "modelId", Some(json!("auto")), 400, malformed),
        (said, "toolUses", Some(json!([{"toolUseId": "t1", "name": "get", "input": "{}"}])), 400, malformed),
    ];
    for (place, name, value, status, words) in breaches {
        let mut body = good();
        let object = body.pointer_mut(place).unwrap().as_object_mut().unwrap();
        match value.clone() {
            Some(value) => drop(object.insert(name.to_owned(), value)),
            None => drop(object.remove(name)),
        }
        assert_eq!(ask(&usual, &body).await, (status, words.to_owned()), "{place} {name} {value:?}");
    }
    let mut of_key = good();
    of_key.as_object_mut().unwrap().remove("profileArn");
    let text = of_key.to_string().replace("AI_EDITOR", "KIRO_CLI");
    let of_key: Value = serde_json::from_str(&text).unwrap();
    let key = ("authorization", "Bearer ksk_1");
    for (headers, body, status) in [
        (vec![key, json_type, ("tokentype", "API_KEY")], &of_key, 200),
        (vec![key, json_type], &of_key, 403),
        (vec![("authorization", "Bearer ksk_bad"), json_type, ("tokentype", "API_KEY")], &of_key, 403),
        (vec![usual[0], json_type, ("tokentype", "API_KEY")], &good(), 403),
        (vec![json_type], &good(), 403),
        (vec![("authorization", "Bearer aoaOther"), json_type], &good(), 403),
        (vec![usual[0], ("content-type", "application/x-www-form-urlencoded")], &good(), 400),
    ] {
        assert_eq!(ask(&headers, body).await.0, status, "{headers:?}");
    }
}

#[tokio::test]
async fn tokens_rotate_and_a_spent_one_is_refused() {
    let simulator = simulator().await;
    let (_, refresh) = simulator.kiro_grant();
    let json_type = [("content-type", "application/json")];
    let body = json!({"refreshToken": refresh});
    assert_eq!(post(&simulator, "social/refreshToken", &json_type, &body).await.0, 200);
    assert_eq!(post(&simulator, "social/refreshToken", &json_type, &body).await.0, 401);
    assert_eq!((simulator.kiro_counts().refreshes, simulator.kiro_counts().reuses), (1, 1));
    let client = json!({"clientName": "x", "clientType": "public", "scopes": ["codewhisperer:completions"]});
    let (_, said) = post(&simulator, "oidc/client/register", &json_type, &client).await;
    let client: Value = serde_json::from_slice(&said).unwrap();
    let (id, secret) = (&client["clientId"], &client["clientSecret"]);
    for (headers, body, status) in [
        (&json_type, json!({"refreshToken": "other"}), 401),
        (&json_type, json!({"refresh_token": refresh}), 400),
        (&[("content-type", "application/x-www-form-urlencoded")], json!({"refreshToken": refresh}), 400),
    ] {
        assert_eq!(post(&simulator, "social/refreshToken", headers, &body).await.0, status, "{body}");
    }
    for (body, status) in [
        (
            json!({"clientId": id, "clientSecret": secret, "grantType": "refresh_token", "refreshToken": "other"}),
            400,
        ),
        (
            json!({"clientId": id, "clientSecret": "other", "grantType": "refresh_token", "refreshToken": "other"}),
            401,
        ),
        (json!({"clientId": id, "clientSecret": secret, "grantType": "password"}), 400),
        (
            json!({"client_id": id, "clientSecret": secret, "grantType": "refresh_token", "refreshToken": "x"}),
            400,
        ),
    ] {
        assert_eq!(post(&simulator, "oidc/token", &json_type, &body).await.0, status, "{body}");
    }
    for (name, value) in [
        ("clientName", json!("Kiro IDE")),
        ("clientType", json!("confidential")),
        ("scopes", json!(["all"])),
        ("scopes", json!([])),
        ("secret", json!("x")),
    ] {
        let mut body =
            json!({"clientName": "x", "clientType": "public", "scopes": ["codewhisperer:completions"]});
        body[name] = value;
        assert_eq!(post(&simulator, "oidc/client/register", &json_type, &body).await.0, 400, "{body}");
    }
}
