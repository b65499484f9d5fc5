//! Responses that are kept.

use super::{Running, read, start};
use serde_json::{Value, json};

const ON: &str = "stored_responses: { enabled: true }\n";
const A: &str = "byok-test-a-0123456789abcdef";
const B: &str = "byok-test-b-0123456789abcdef";

async fn get(running: &Running, method: &str, path: &str, key: &str) -> (u16, Value) {
    let url = format!("{}{path}", running.base);
    read(running.client.request(method.parse().unwrap(), url).header("x-api-key", key).send().await.unwrap())
        .await
}

/// The response at the end of a stream.
fn completed(text: &str) -> Value {
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let mut events = data.map(|data| serde_json::from_str::<Value>(data).unwrap());
    events.find(|event| event["type"] == "response.completed").unwrap()["response"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn off_unless_the_settings_say_so() {
    let running = start("").await;
    let (status, first) =
        running.ask("/v1/responses", &json!({"model": "claude-sonnet-5", "input": "Hi."})).await;
    assert_eq!((status, &first["store"]), (200, &json!(false)));
    let path = format!("/v1/responses/{}", first["id"].as_str().unwrap());
    for (method, path) in
        [("GET", path.clone()), ("DELETE", path.clone()), ("GET", format!("{path}/input_items"))]
    {
        let (status, answer) = get(&running, method, &path, "any").await;
        assert!(status == 404 && answer.to_string().contains("stored_responses.enabled"), "{answer}");
    }
    for model in ["claude-sonnet-5", "gemini-2.5-flash"] {
        let body = json!({"model": model, "input": "Hi.", "previous_response_id": first["id"]});
        let (status, answer) = running.ask("/v1/responses", &body).await;
        assert!(status == 400 && answer.to_string().contains("stored_responses.enabled"), "{answer}");
        assert_eq!(answer["error"]["code"], "previous_response_not_found");
        let body = json!({"model": model, "input": [{"role": "user", "content": "x"}, {"id": "msg_1"}]});
        let (status, answer) = running.ask("/v1/responses", &body).await;
        assert!(status == 400 && answer.to_string().contains("stored_responses.enabled"), "{answer}");
        assert_eq!(answer["error"]["param"], "input[1]");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_goes_on_at_any_upstream_streamed_or_not() {
    let running = start(ON).await;
    // The vendor itself, a compatible server, and three that are translated.
    for model in ["gpt-5.1", "rs/gpt-5.1", "claude-sonnet-5", "gemini-2.5-flash", "codex/gpt-4o"] {
        for stream in [false, true] {
            let ask = async |body: Value| {
                let answer = running.post("/v1/responses", body.to_string()).send().await.unwrap();
                let (status, text) = (answer.status(), answer.text().await.unwrap());
                assert_eq!(status, 200, "{model} {stream}: {text}");
                if stream { completed(&text) } else { serde_json::from_str(&text).unwrap() }
            };
            let tools = json!([{"type": "function", "name": "look", "strict": false, "parameters": {"type": "object", "properties": {}}}]);
            let first =
                ask(json!({"model": model, "stream": stream, "tools": tools, "input": "sim:tool look {}"}))
                    .await;
            let call = first["output"]
                .as_array()
                .unwrap()
                .iter()
                .find(|item| item["type"] == "function_call")
                .unwrap();
            let result =
                json!([{"type": "function_call_output", "call_id": call["call_id"], "output": "seen-it"}]);
            let second = ask(json!({
                "model": model, "stream": stream, "tools": tools, "previous_response_id": first["id"], "input": result,
            })).await;
            assert!(second["output"].to_string().contains("seen-it"), "{model} {stream}: {second}");
            let seen = running.simulator.requests().pop().unwrap();
            let sent = String::from_utf8_lossy(&seen.body).into_owned();
            assert!(sent.contains("sim:tool look") && !sent.contains("previous_response_id"), "{sent}");
            // An answer that passes through stays as it is; what byok writes names the response that it followed.
            if ["claude-sonnet-5", "gemini-2.5-flash"].contains(&model) {
                assert_eq!(first["previous_response_id"], Value::Null, "{model} {stream}");
                assert_eq!(second["previous_response_id"], first["id"], "{model} {stream}");
                assert_eq!(second["store"], true, "{model} {stream}");
            }
            let third = ask(json!({"model": model, "stream": stream, "previous_response_id": second["id"], "input": "And now?"})).await;

            // What is kept is shown as it was answered.
            let path = format!("/v1/responses/{}", second["id"].as_str().unwrap());
            let (status, kept) = get(&running, "GET", &path, "any").await;
            assert_eq!((status, &kept["id"], &kept["output"]), (200, &second["id"], &second["output"]));
            assert_eq!(kept["previous_response_id"], second["previous_response_id"]);
            let third = third["id"].as_str().unwrap();
            let (_, items) =
                get(&running, "GET", &format!("/v1/responses/{third}/input_items?order=asc"), "any").await;
            let kinds: Vec<&str> =
                items["data"].as_array().unwrap().iter().map(|item| item["type"].as_str().unwrap()).collect();
            let kinds: Vec<&str> = kinds.into_iter().filter(|kind| *kind != "reasoning").collect();
            assert_eq!(
                kinds,
                ["message", "function_call", "function_call_output", "message", "message"],
                "{model}: {items}"
            );
            let (status, gone) = get(&running, "DELETE", &path, "any").await;
            assert_eq!((status, &gone["deleted"]), (200, &json!(true)));
            assert_eq!(get(&running, "GET", &path, "any").await.0, 404);
        }
    }
}

/// What the `openai` provider of the AI SDK sends in a second turn.
fn referring(model: &str, first: &Value, output: &str) -> Value {
    let tools = json!([{"type": "function", "name": "look", "strict": false, "parameters": {"type": "object", "properties": {}}}]);
    let items = first["output"].as_array().unwrap();
    let call = items.iter().find(|item| item["type"] == "function_call").unwrap();
    let mut input = vec![json!({"role": "user", "content": "sim:tool look {}"})];
    input.extend(items.iter().map(|item| json!({"type": "item_reference", "id": item["id"]})));
    input.push(json!({"type": "function_call_output", "call_id": call["call_id"], "output": output}));
    json!({"model": model, "tools": tools, "input": input})
}

#[tokio::test(flavor = "multi_thread")]
async fn items_that_are_kept_are_sent_for_references_to_them() {
    let running = start(&format!("{ON}api_keys: ['{A}', '{B}']\n")).await;
    let ask = async |key: &str, body: &Value| {
        read(running.post("/v1/responses", body.to_string()).header("x-api-key", key).send().await.unwrap())
            .await
    };
    for model in ["claude-sonnet-5", "gemini-2.5-flash", "rs/gpt-5.1", "codex/gpt-4o"] {
        let tools = referring(model, &json!({"output": [{"type": "function_call"}]}), "")["tools"].clone();
        let first = json!({"model": model, "tools": tools, "input": "sim:tool look {}"});
        let (status, first) = ask(A, &first).await;
        assert_eq!(status, 200, "{first}");
        let (status, second) = ask(A, &referring(model, &first, "seen-it")).await;
        assert_eq!(status, 200, "{model}: {second}");
        let seen = running.simulator.requests().pop().unwrap();
        let sent = String::from_utf8_lossy(&seen.body).into_owned();
        assert!(
            sent.contains("seen-it") && sent.contains("look") && !sent.contains("item_reference"),
            "{sent}"
        );
        assert!(!sent.contains("earlier tool call"), "the call is there: {sent}");
        // What was resolved is kept as it was sent.
        let (status, third) =
            ask(A, &json!({"model": model, "input": "And now?", "previous_response_id": second["id"]})).await;
        assert_eq!(status, 200, "{model}: {third}");
    }
    // They belong to the key that asked.
    let (_, first) = ask(A, &json!({"model": "claude-sonnet-5", "tools": referring("", &json!({"output": [{"type": "function_call"}]}), "")["tools"], "input": "sim:tool look {}"})).await;
    for model in ["claude-sonnet-5", "rs/gpt-5.1"] {
        let count = running.simulator.request_count();
        let (status, answer) = ask(B, &referring(model, &first, "x")).await;
        assert_eq!((status, answer["error"]["param"].as_str()), (400, Some("input[1]")), "{answer}");
        assert_eq!(running.simulator.request_count(), count);
    }
    // The vendor itself may know what byok does not.
    let (status, answer) = ask(B, &referring("codex/gpt-5.1", &first, "x")).await;
    assert!(status == 404 && answer.to_string().contains("not found"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_kept_and_for_whom() {
    let running = start(&format!("{ON}api_keys: ['{A}', '{B}']\n")).await;
    let ask = async |key: &str, body: Value| {
        read(running.post("/v1/responses", body.to_string()).header("x-api-key", key).send().await.unwrap())
            .await
    };
    let (_, kept) = ask(A, json!({"model": "claude-sonnet-5", "input": "Hi."})).await;
    let (_, unkept) = ask(A, json!({"model": "claude-sonnet-5", "input": "Hi.", "store": false})).await;
    let path = |answer: &Value| format!("/v1/responses/{}", answer["id"].as_str().unwrap());
    for (key, answer, expected) in [(A, &kept, 200), (B, &kept, 404), (A, &unkept, 404)] {
        assert_eq!(get(&running, "GET", &path(answer), key).await.0, expected, "{key} {answer}");
    }
    // Unknown: the vendor's own words, wherever it would go; but at the vendor itself it is asked.
    let count = running.simulator.request_count();
    for (key, id) in [(B, &kept["id"]), (A, &unkept["id"]), (A, &json!("resp_unknown"))] {
        for model in ["claude-sonnet-5", "rs/gpt-5.1"] {
            let (status, answer) =
                ask(key, json!({"model": model, "input": "x", "previous_response_id": id})).await;
            assert_eq!(
                (status, answer["error"]["code"].as_str()),
                (400, Some("previous_response_not_found")),
                "{answer}"
            );
            assert!(
                answer["error"]["message"].as_str().unwrap().starts_with("Previous response with id"),
                "{answer}"
            );
        }
    }
    assert_eq!(running.simulator.request_count(), count);
    let (status, answer) =
        ask(A, json!({"model": "gpt-5.1", "input": "x", "previous_response_id": "resp_there"})).await;
    assert_eq!(
        (status, answer["error"]["code"].as_str()),
        (400, Some("previous_response_not_found")),
        "{answer}"
    );
    assert_eq!(running.simulator.requests().pop().unwrap().json()["previous_response_id"], "resp_there");
    let (status, _) = get(&running, "GET", &format!("{}?stream=true", path(&kept)), A).await;
    assert_eq!(status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_compacted_may_go_on_from_what_is_kept() {
    let running = start(ON).await;
    let (_, first) =
        running.ask("/v1/responses", &json!({"model": "gpt-5.1", "input": "Remember the elk."})).await;
    let body = json!({"model": "gpt-5.1", "previous_response_id": first["id"], "input": "Go on."});
    let (status, compacted) = running.ask("/v1/responses/compact", &body).await;
    assert_eq!(status, 200, "{compacted}");
    let seen = running.simulator.requests().pop().unwrap();
    let sent = String::from_utf8_lossy(&seen.body).into_owned();
    assert_eq!(seen.path, "/v1/responses/compact");
    assert!(
        sent.contains("the elk") && sent.contains("Go on.") && !sent.contains("previous_response_id"),
        "{sent}"
    );
    // What nobody knows is the vendor's own matter, or an error.
    let body = json!({"model": "rs/gpt-5.1", "previous_response_id": "resp_unknown", "input": "Go on."});
    let (status, refused) = running.ask("/v1/responses/compact", &body).await;
    assert_eq!(
        (status, &refused["error"]["code"]),
        (400, &json!("previous_response_not_found")),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_nothing_there_is_no_compaction() {
    let running = start(ON).await;
    for body in [
        json!({"model": "claude-sonnet-5", "input": []}),
        json!({"model": "gemini-2.5-flash", "input": ""}),
        json!({"model": "claude-sonnet-5"}),
    ] {
        let (status, refused) = running.ask("/v1/responses/compact", &body).await;
        assert_eq!((status, &refused["error"]["param"]), (400, &json!("input")), "{refused}");
    }
    assert_eq!(running.simulator.request_count(), 0);
    // What byok keeps is something to go on from, also without a word more.
    let (_, first) = running
        .ask("/v1/responses", &json!({"model": "claude-sonnet-5", "input": "Remember the elk."}))
        .await;
    let body = json!({"model": "claude-sonnet-5", "previous_response_id": first["id"], "input": []});
    let (status, compacted) = running.ask("/v1/responses/compact", &body).await;
    assert_eq!((status, &compacted["output"][0]["type"]), (200, &json!("compaction")), "{compacted}");
    let body = json!({"model": "claude-sonnet-5", "previous_response_id": "resp_unknown", "input": []});
    let (status, refused) = running.ask("/v1/responses/compact", &body).await;
    assert_eq!(
        (status, &refused["error"]["code"]),
        (400, &json!("previous_response_not_found")),
        "{refused}"
    );
}
