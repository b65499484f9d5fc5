//! The order of events in each grammar, and one answer in all four.

use crate::{
    client::{OPENAI, post, simulator},
    plain::{ask, send},
};
use byok_types::Dialect;
use serde_json::{Value, json};

/// Summary thinking, text, two calls, fixed usage.
const ANSWER: &str = "sim:thinking Look it up. sim:text Checking. sim:tool get_weather {\"city\":\"Oslo\"} \
    sim:tool get_time {\"tz\":\"CET\"} sim:usage in=120 cached=100 out=40 reasoning=10";

async fn events(dialect: Dialect) -> Vec<Value> {
    let (target, headers, mut body) = ask(dialect, ANSWER, true);
    let schema = json!({"type": "object", "properties": {}});
    match dialect {
        Dialect::Messages => body["tools"][0] = json!({"name": "get_weather", "input_schema": schema}),
        Dialect::Chat => {
            body["stream_options"] = json!({"include_usage": true, "include_obfuscation": false})
        }
        Dialect::Responses => {
            body["include"] = json!(["reasoning.encrypted_content"]);
            body["stream_options"] = json!({"include_obfuscation": false});
        }
        Dialect::Gemini => {}
    }
    let simulator = simulator().await;
    let answer = post(&simulator, &target, &headers, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    if matches!(dialect, Dialect::Messages | Dialect::Responses) {
        let names: Vec<_> = answer
            .text()
            .lines()
            .filter_map(|line| line.strip_prefix("event: ").map(str::to_owned))
            .collect();
        let types: Vec<_> =
            answer.events().iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect();
        assert_eq!(names, types, "every frame is named after its type");
    }
    answer.events()
}

/// The deltas at this pointer, joined.
fn joined(events: &[Value], pointer: &str) -> String {
    events.iter().filter_map(|event| event.pointer(pointer)).filter_map(Value::as_str).collect()
}

#[tokio::test]
async fn messages() {
    let events = events(Dialect::Messages).await;
    let mut kinds: Vec<String> = events
        .iter()
        .map(|event| {
            let kind = event["type"].as_str().unwrap();
            match event.pointer("/content_block/type").or(event.pointer("/delta/type")) {
                Some(inner) => format!("{kind} {} {}", event["index"], inner.as_str().unwrap()),
                None => kind.to_owned(),
            }
        })
        .collect();
    kinds.dedup();
    assert_eq!(
        kinds,
        [
            "message_start",
            "content_block_start 0 thinking",
            "ping",
            "content_block_delta 0 thinking_delta",
            "content_block_delta 0 signature_delta",
            "content_block_stop",
            "content_block_start 1 text",
            "content_block_delta 1 text_delta",
            "content_block_stop",
            "content_block_start 2 tool_use",
            "content_block_delta 2 input_json_delta",
            "content_block_stop",
            "content_block_start 3 tool_use",
            "content_block_delta 3 input_json_delta",
            "content_block_stop",
            "message_delta",
            "message_stop",
        ]
    );
    assert_eq!(joined(&events, "/delta/thinking"), "Look it up.");
    assert_eq!(joined(&events, "/delta/text"), "Checking.");
    assert_eq!(joined(&events, "/delta/partial_json"), "{\"city\":\"Oslo\"}{\"tz\":\"CET\"}");
    let start = &events[0]["message"];
    assert_eq!(
        (&start["role"], &start["content"], &start["stop_reason"]),
        (&json!("assistant"), &json!([]), &Value::Null)
    );
    assert_eq!(start["usage"]["input_tokens"], 20);
    let end = &events[events.len() - 2];
    assert_eq!(end["delta"], json!({"stop_reason": "tool_use", "stop_sequence": null}));
    assert_eq!(
        (&end["usage"]["cache_read_input_tokens"], &end["usage"]["output_tokens"]),
        (&json!(100), &json!(40))
    );
}

#[tokio::test]
async fn chat() {
    let events = events(Dialect::Chat).await;
    for event in &events {
        assert_eq!((&event["id"], &event["object"]), (&events[0]["id"], &json!("chat.completion.chunk")));
    }
    assert_eq!(
        events[0]["choices"][0]["delta"],
        json!({"role": "assistant", "content": "", "refusal": null})
    );
    assert_eq!(joined(&events, "/choices/0/delta/reasoning_content"), "Look it up.");
    assert_eq!(joined(&events, "/choices/0/delta/content"), "Checking.");
    let calls: Vec<&Value> =
        events.iter().filter_map(|event| event.pointer("/choices/0/delta/tool_calls/0")).collect();
    let of =
        |index: u64| -> Vec<&Value> { calls.iter().copied().filter(|call| call["index"] == index).collect() };
    for (index, name, arguments) in
        [(0, "get_weather", "{\"city\":\"Oslo\"}"), (1, "get_time", "{\"tz\":\"CET\"}")]
    {
        let deltas = of(index);
        assert_eq!(
            (&deltas[0]["function"]["name"], &deltas[0]["function"]["arguments"]),
            (&json!(name), &json!(""))
        );
        assert!(deltas[1..].iter().all(|delta| delta.get("id").is_none()));
        assert_eq!(
            deltas.iter().map(|delta| delta["function"]["arguments"].as_str().unwrap()).collect::<String>(),
            arguments
        );
    }
    let [.., finish, usage] = events.as_slice() else { panic!("too short") };
    assert_eq!(
        (&finish["choices"][0]["delta"], &finish["choices"][0]["finish_reason"]),
        (&json!({}), &json!("tool_calls"))
    );
    assert_eq!((&usage["choices"], &usage["usage"]["total_tokens"]), (&json!([]), &json!(160)));
    assert!(events[..events.len() - 1].iter().all(|event| event["usage"].is_null()));
}

#[tokio::test]
async fn responses() {
    let events = events(Dialect::Responses).await;
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], number);
    }
    let mut kinds: Vec<String> = events
        .iter()
        .map(|event| {
            format!(
                "{} {}",
                event["type"].as_str().unwrap().trim_start_matches("response."),
                event["output_index"]
            )
        })
        .collect();
    kinds.dedup();
    assert_eq!(
        kinds,
        [
            "created null",
            "in_progress null",
            "output_item.added 0",
            "reasoning_summary_part.added 0",
            "reasoning_summary_text.delta 0",
            "reasoning_summary_text.done 0",
            "reasoning_summary_part.done 0",
            "output_item.done 0",
            "output_item.added 1",
            "content_part.added 1",
            "output_text.delta 1",
            "output_text.done 1",
            "content_part.done 1",
            "output_item.done 1",
            "output_item.added 2",
            "function_call_arguments.delta 2",
            "function_call_arguments.done 2",
            "output_item.done 2",
            "output_item.added 3",
            "function_call_arguments.delta 3",
            "function_call_arguments.done 3",
            "output_item.done 3",
            "completed null",
        ]
    );
    let done: Vec<&Value> = events
        .iter()
        .filter(|event| event["type"] == "response.output_item.done")
        .map(|event| &event["item"])
        .collect();
    let response = &events.last().unwrap()["response"];
    assert_eq!(json!(done), response["output"], "the response holds the items that were streamed");
    let added: Vec<&Value> = events
        .iter()
        .filter(|event| event["type"] == "response.output_item.added")
        .map(|event| &event["item"])
        .collect();
    assert_ne!(
        added[0]["encrypted_content"], done[0]["encrypted_content"],
        "the first blob is a placeholder"
    );
    assert_eq!((&added[1]["content"], &added[2]["arguments"]), (&json!([]), &json!("")));
    assert_eq!(done[2]["arguments"], "{\"city\":\"Oslo\"}");
    assert_eq!(response["usage"]["total_tokens"], 160);
    for member in [
        "id",
        "object",
        "created_at",
        "status",
        "model",
        "tools",
        "tool_choice",
        "metadata",
        "parallel_tool_calls",
        "temperature",
        "top_p",
        "text",
    ] {
        assert!(!response[member].is_null(), "{member}");
    }
}

#[tokio::test]
async fn gemini() {
    let events = events(Dialect::Gemini).await;
    let parts: Vec<&Value> =
        events.iter().map(|event| &event["candidates"][0]["content"]["parts"][0]).collect();
    let texts = |thought: bool| -> String {
        parts
            .iter()
            .filter(|part| (part["thought"] == true) == thought)
            .filter_map(|part| part["text"].as_str())
            .collect()
    };
    assert_eq!((texts(true).as_str(), texts(false).as_str()), ("Look it up.", "Checking."));
    let calls: Vec<&&Value> = parts.iter().filter(|part| part.get("functionCall").is_some()).collect();
    assert_eq!(calls[0]["functionCall"], json!({"name": "get_weather", "args": {"city": "Oslo"}}));
    assert_eq!(calls[1]["functionCall"]["args"], json!({"tz": "CET"}));
    assert!(calls[0]["thoughtSignature"].is_string() && calls[1].get("thoughtSignature").is_none());
    let last = events.last().unwrap();
    assert_eq!(last["candidates"][0]["finishReason"], "STOP");
    assert_eq!(
        last["usageMetadata"],
        json!({
            "promptTokenCount": 120, "cachedContentTokenCount": 100, "candidatesTokenCount": 30,
            "thoughtsTokenCount": 10, "totalTokenCount": 160,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 120}],
        })
    );
    assert!(
        events[..events.len() - 1].iter().all(|event| event["candidates"][0].get("finishReason").is_none())
    );
}

#[tokio::test]
async fn frames_are_spelled_as_the_vendors_do() {
    let simulator = simulator().await;
    let chat = send(&simulator, Dialect::Chat, "hello", true).await.text();
    assert!(chat.ends_with("data: [DONE]\n\n") && !chat.contains("event:"));
    assert!(chat.contains("\"obfuscation\":"), "padded unless the caller says no");
    let gemini = send(&simulator, Dialect::Gemini, "hello", true).await.text();
    assert!(gemini.starts_with("data: {") && gemini.ends_with("}\r\n\r\n") && !gemini.contains("[DONE]"));
    let responses = send(&simulator, Dialect::Responses, "hello", true).await.text();
    assert!(responses.starts_with("event: response.created\ndata: {") && !responses.contains("[DONE]"));
}

#[tokio::test]
async fn custom_tools_and_namespaces_keep_their_form() {
    let simulator = simulator().await;
    let body = json!({
        "model": "gpt-5.1", "input": "sim:tool apply_patch \"*** Begin Patch\\n+ä\" sim:tool a.get {}",
        "tools": [
            {"type": "custom", "name": "apply_patch"},
            {"type": "namespace", "name": "a", "tools": [{"type": "function", "name": "get", "strict": false, "parameters": {"type": "object", "properties": {}}}]},
        ],
    });
    let output = post(&simulator, "/v1/responses", &OPENAI, &body).await.json()["output"].clone();
    assert_eq!(
        (&output[0]["type"], &output[0]["input"]),
        (&json!("custom_tool_call"), &json!("*** Begin Patch\n+ä"))
    );
    assert_eq!((&output[1]["name"], &output[1]["namespace"]), (&json!("get"), &json!("a")));
    let body = json!({
        "model": "gpt-4.1", "messages": [{"role": "user", "content": "sim:tool apply_patch \"free\""}],
        "tools": [{"type": "custom", "custom": {"name": "apply_patch"}}],
    });
    let call = post(&simulator, "/v1/chat/completions", &OPENAI, &body).await.json()["choices"][0]["message"]
        ["tool_calls"][0]
        .clone();
    assert_eq!(
        (&call["type"], &call["custom"]),
        (&json!("custom"), &json!({"name": "apply_patch", "input": "free"}))
    );
}

#[tokio::test]
async fn refusals_and_searches_in_each_grammar() {
    let simulator = simulator().await;
    let refused: [(Dialect, &str, Value); 4] = [
        (Dialect::Messages, "/stop_reason", json!("refusal")),
        (Dialect::Chat, "/choices/0/message/refusal", json!("I cannot help with that, says the simulator.")),
        (Dialect::Responses, "/output/0/content/0/type", json!("refusal")),
        (Dialect::Gemini, "/candidates/0/finishReason", json!("SAFETY")),
    ];
    for (dialect, pointer, value) in refused {
        let answer = send(&simulator, dialect, "sim:refusal", false).await.json();
        assert_eq!(answer.pointer(pointer), Some(&value), "{dialect}: {answer}");
    }
    for (dialect, tools, found) in [
        (
            Dialect::Chat,
            json!({"web_search_options": {}}),
            "/choices/0/message/annotations/1/url_citation/url",
        ),
        (
            Dialect::Responses,
            json!({"tools": [{"type": "web_search"}]}),
            "/output/1/content/0/annotations/1/url",
        ),
        (
            Dialect::Gemini,
            json!({"tools": [{"googleSearch": {}}]}),
            "/candidates/0/groundingMetadata/groundingChunks/1/web/uri",
        ),
    ] {
        let (target, headers, mut body) = ask(dialect, "sim:search Oslo", false);
        body.as_object_mut().unwrap().remove("tools");
        body.as_object_mut().unwrap().extend(tools.as_object().unwrap().clone());
        let answer = post(&simulator, &target, &headers, &body).await.json();
        assert_eq!(answer.pointer(found), Some(&json!("https://example.com/2")), "{dialect}: {answer}");
    }
}
