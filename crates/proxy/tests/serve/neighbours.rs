//! What vendors offer beside the dialects.

use super::{Running, read, start};
use bytes::Bytes;
use futures_util::StreamExt;
use serde_json::{Value, json};

const SETTINGS: &str = "aliases: { mine: codex/gpt-3.5-turbo-instruct, ears: codex/whisper-1, vectors: gemini/gemini-embedding-001 }
";
const KEY: &str = "byok-test-0123456789abcdef";

#[tokio::test(flavor = "multi_thread")]
async fn bytes_go_on_unchanged_but_for_the_model() {
    let running = start(SETTINGS).await;
    let text = "\"n\" : 1 , \"user\":\"\\u0061\"";
    // Path, the client's words for the model, the vendor's, the rest of the body, what the answer holds.
    let cases = [
        (
            "/v1/completions",
            "mine",
            "gpt-3.5-turbo-instruct",
            format!("\"prompt\":\"x\",{text}"),
            "text_completion",
        ),
        (
            "/completions",
            "codex/gpt-3.5-turbo-instruct",
            "gpt-3.5-turbo-instruct",
            "\"prompt\":[\"x\"]".into(),
            "text_completion",
        ),
        (
            "/v1/embeddings",
            "codex/text-embedding-3-small",
            "text-embedding-3-small",
            "\"input\":[\"a\",\"b\"]".into(),
            "embedding",
        ),
        (
            "/v1/embeddings",
            "text-embedding-3-small",
            "text-embedding-3-small",
            "\"input\":\"a\"".into(),
            "embedding",
        ),
        (
            "/v1/embeddings",
            "rs/text-embedding-3-small",
            "text-embedding-3-small",
            "\"input\":\"a\"".into(),
            "embedding",
        ),
        (
            "/v1/images/generations",
            "gpt-image-1",
            "gpt-image-1",
            format!("\"prompt\":\"x\",{text}"),
            "b64_json",
        ),
        (
            "/v1/moderations",
            "codex/omni-moderation-latest",
            "omni-moderation-latest",
            "\"input\":\"x\"".into(),
            "flagged",
        ),
        (
            "/v1/responses/compact",
            "gpt-5.1",
            "gpt-5.1",
            "\"input\":[{\"role\":\"user\",\"content\":\"x\"}]".into(),
            "compaction",
        ),
        ("/responses/compact", "rs/gpt-5.1", "gpt-5.1", "\"input\":\"x\"".into(), "compaction"),
    ];
    for (number, (path, asked, served, rest, holds)) in cases.into_iter().enumerate() {
        let body = |model: &str| format!("{{ {rest} ,\"model\"  :\"{model}\"}}");
        let answer = running.post(path, body(asked)).send().await.unwrap();
        let header = |name: &str| answer.headers().get(name).map(|v| v.to_str().unwrap().to_owned());
        let provider = if asked.starts_with("rs/") { "rs" } else { "codex" };
        assert_eq!(header("x-byok-model"), Some(format!("{provider}/{served}")), "{path} {asked}");
        assert_eq!(
            (header("x-byok-attempts").as_deref(), header("x-byok-account").is_some()),
            (Some("1"), true)
        );
        let (status, answer) = read(answer).await;
        assert!(status == 200 && answer.to_string().contains(holds), "{path} {asked}: {status} {answer}");
        // Where a model was asked for by another name, it is answered by that name.
        if let Some(named) = answer["model"].as_str() {
            assert_eq!(named, asked, "{path}");
        }
        let seen = running.simulator.requests().pop().unwrap();
        let vendors = if path.starts_with("/v1") { path.to_owned() } else { format!("/v1{path}") };
        assert_eq!((seen.path.clone(), seen.body.clone()), (vendors, Bytes::from(body(served))));
        assert_eq!(seen.header("authorization"), Some("Bearer sk-proj-0123456789abcdef"));
        let record = running.record(number + 1).await;
        assert_eq!((record.model_asked.as_str(), record.status, record.attempts), (asked, 200, 1));
        assert_eq!(record.model_served.as_deref(), Some(served));
        let counted = record.usage.input.is_some();
        assert_eq!(counted, answer["usage"].is_object(), "{path}: {:?}", record.usage);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn geminis_embeddings() {
    let running = start(SETTINGS).await;
    let content = json!({"parts": [{"text": "x"}]});
    for (model, method, body, pointer) in [
        ("gemini-embedding-001", "embedContent", json!({"content": content}), "/embedding/values/0"),
        (
            "vectors",
            "embedContent",
            json!({"content": content, "model": "models/vectors"}),
            "/embedding/values/0",
        ),
        (
            "gemini/gemini-embedding-001",
            "batchEmbedContents",
            json!({"requests": [{"model": "models/gemini/gemini-embedding-001", "content": content}, {"model": "x", "content": content}]}),
            "/embeddings/1/values/2",
        ),
    ] {
        let (status, answer) = running.ask(&format!("/v1beta/models/{model}:{method}"), &body).await;
        assert!(status == 200 && answer.pointer(pointer).is_some(), "{model}: {status} {answer}");
        let seen = running.simulator.requests().pop().unwrap();
        assert_eq!(seen.path, format!("/v1beta/models/gemini-embedding-001:{method}"));
        assert_eq!(seen.header("x-goog-api-key"), Some("AIza0123456789abcdef"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_offer_it_is_named_with_what_would_work() {
    let running = start("").await;
    for (path, model, field, words) in [
        (
            "/v1/embeddings",
            "claude-sonnet-5",
            "input",
            "`claude`, which serves this model, has no `/v1/embeddings`",
        ),
        ("/v1/audio/speech", "gemini-2.5-flash", "input", "a model of `codex`"),
        ("/v1beta/models/gpt-4o:embedContent", "gpt-4o", "content", "`kind: gemini`"),
    ] {
        let (status, answer) = running.ask(path, &json!({"model": model, field: "x"})).await;
        assert_eq!(status, 404, "{path}: {answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains(words), "{path}: {answer}");
    }
    for (body, words) in
        [(json!({"input": "x"}), "`model` is missing"), (json!({"model": 7}), "must be a string")]
    {
        let (status, answer) = running.ask("/v1/embeddings", &body).await;
        assert!(status == 400 && answer.to_string().contains(words), "{answer}");
    }
    assert_eq!(running.simulator.request_count(), 0);
    // What the vendor refuses is said in its own words.
    let (status, answer) = running
        .ask("/v1/embeddings", &json!({"model": "text-embedding-3-small", "input": "x", "top_k": 1}))
        .await;
    assert_eq!((status, answer["error"]["code"].as_str()), (400, Some("unknown_parameter")), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_account_serves_before_the_first_byte() {
    let keys = "  two: { kind: openai, base_url: 'SIM/v1', api_keys: [sk-a-sim-429, sk-b] }
  all: { kind: openai, base_url: 'SIM/v1', api_keys: [sk-c-sim-401] }
";
    let running = start_with_sim(keys).await;
    for path in ["/v1/embeddings", "/v1/completions"] {
        let model = if path == "/v1/embeddings" {
            "two/text-embedding-3-small"
        } else {
            "two/gpt-3.5-turbo-instruct"
        };
        let answer = running.post(path, json!({"model": model, "input": "x", "prompt": "x"}).to_string());
        // One of the two fields is unknown: what the client did wrong is not tried elsewhere.
        assert_eq!(answer.send().await.unwrap().status(), 400, "{path}");
    }
    let (status, answer) =
        running.ask("/v1/embeddings", &json!({"model": "two/text-embedding-3-small", "input": "x"})).await;
    assert_eq!(status, 200, "{answer}");
    let record = running.record(3).await;
    assert_eq!((record.status, record.attempts, record.usage.input), (200, 2, Some(1)));
    let (status, answer) =
        running.ask("/v1/embeddings", &json!({"model": "all/text-embedding-3-small", "input": "x"})).await;
    assert!(status == 503 && answer.to_string().contains("providers.all.api_key"), "{answer}");
}

async fn start_with_sim(providers: &str) -> Running {
    super::start_providers(providers, "").await
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_and_binary_bodies_pass_as_they_arrive() {
    let running = start(SETTINGS).await;
    let body = json!({"model": "mine", "prompt": "sim:slow 3 5", "stream": true});
    let text = running.post("/v1/completions", body.to_string()).send().await.unwrap();
    assert!(text.headers()["content-type"].to_str().unwrap().starts_with("text/event-stream"));
    let text = text.text().await.unwrap();
    assert!(text.ends_with("data: [DONE]\n\n") && text.contains("word2"), "{text}");
    assert!(text.contains("\"model\":\"mine\"") && !text.contains("gpt-3.5"), "{text}");
    assert!(!String::from_utf8_lossy(&running.simulator.requests()[0].body).contains("stream_options"));

    let speech =
        |words: &str| json!({"model": "gpt-4o-mini-tts", "voice": "alloy", "input": words}).to_string();
    let answer = running.post("/v1/audio/speech", speech("Hello.")).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "audio/mpeg");
    let bytes = answer.bytes().await.unwrap();
    assert_eq!((bytes.len(), bytes[73], bytes[512]), (4 * 512, u8::try_from(73 * 7 % 256).unwrap(), 1));
    assert_eq!(running.record(2).await.outcome, byok_types::Outcome::Complete);

    // Breaks: an event where there are events, a broken connection where there are none.
    let body = json!({"model": "mine", "prompt": "sim:close_mid 2", "stream": true});
    let text = running.post("/v1/completions", body.to_string()).send().await.unwrap().text().await.unwrap();
    let last = text.trim_end().rsplit("\n\n").next().unwrap().strip_prefix("data: ").unwrap();
    assert!(serde_json::from_str::<Value>(last).unwrap()["error"]["message"].is_string(), "{text}");
    let answer = running.post("/v1/audio/speech", speech("sim:close_mid 2")).send().await.unwrap();
    assert!(answer.bytes().await.is_err(), "a part of the bytes must not look like all");

    // A client that leaves ends the call.
    let answer = running.post("/v1/audio/speech", speech("sim:stall_mid 1")).send().await.unwrap();
    let mut stream = answer.bytes_stream();
    assert_eq!(stream.next().await.unwrap().unwrap().len(), 512);
    let left = running.simulator.cancelled();
    drop(stream);
    tokio::time::timeout(std::time::Duration::from_secs(20), left).await.unwrap();
    // A refusal in the first event is a status.
    let (status, answer) = running
        .ask("/v1/completions", &json!({"model": "mine", "prompt": "sim:error_first", "stream": true}))
        .await;
    assert!(status == 502 && answer["error"]["message"].as_str().unwrap().contains("overloaded"), "{answer}");
    for wish in ["sim:html", "sim:error_200", "sim:empty"] {
        let (status, answer) =
            running.ask("/v1/completions", &json!({"model": "mine", "prompt": wish})).await;
        assert!(status >= 500 && answer["error"].is_object(), "{wish}: {status} {answer}");
    }
}

fn form(model: &str) -> Vec<u8> {
    form_of("file", "a.wav", "audio/wav", &[("model", model)])
}

fn form_of(field: &str, name: &str, kind: &str, others: &[(&str, &str)]) -> Vec<u8> {
    let head = format!(
        "--B\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\nContent-Type: {kind}\r\n\r\n"
    );
    let mut form = head.into_bytes();
    form.extend([0, 255, 13, 10, 45, 45, 67, 13, 10, 1]);
    for (name, value) in others {
        form.extend(
            format!("\r\n--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}").bytes(),
        );
    }
    form.extend(b"\r\n--B--\r\n");
    form
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_with_files_are_taken_with_a_key() {
    let send_form = async |running: &Running, path: &str, key: &str, form: Vec<u8>| {
        let call = running.client.post(format!("{}{path}", running.base));
        let call = call.header("content-type", "multipart/form-data; boundary=B").header("x-api-key", key);
        read(call.body(form).send().await.unwrap()).await
    };
    let send = async |running: &Running, path: &str, key: &str, model: &str| {
        send_form(running, path, key, form(model)).await
    };
    let open = start(SETTINGS).await;
    let (status, answer) = send(&open, "/v1/audio/transcriptions", "any", "ears").await;
    assert!(status == 415 && answer.to_string().contains("client key"), "{answer}");

    let running = start(&format!("{SETTINGS}api_keys: ['{KEY}']\n")).await;
    for path in ["/v1/audio/transcriptions", "/v1/audio/translations"] {
        let (status, answer) = send(&running, path, KEY, "ears").await;
        assert_eq!(
            (status, answer["text"].as_str()),
            (200, Some("Simulated words of 10 bytes.")),
            "{answer}"
        );
        let seen = running.simulator.requests().pop().unwrap();
        assert_eq!((seen.path.as_str(), &seen.body[..]), (path, &form("whisper-1")[..]));
        assert_eq!(seen.header("content-type"), Some("multipart/form-data; boundary=B"));
        assert_eq!(seen.header("x-api-key"), None);
    }
    let picture = form_of("image", "a.png", "image/png", &[("model", "gpt-image-1"), ("prompt", "An elk.")]);
    let (status, answer) = send_form(&running, "/v1/images/edits", KEY, picture.clone()).await;
    assert!(status == 200 && answer["data"][0]["b64_json"].is_string(), "{answer}");
    let seen = running.simulator.requests().pop().unwrap();
    assert_eq!((seen.path.as_str(), &seen.body[..]), ("/v1/images/edits", &picture[..]));
    let (status, answer) = send(&running, "/v1/audio/transcriptions", KEY, "claude-sonnet-5").await;
    assert!(status == 404 && answer.to_string().contains("`claude`"), "{answer}");
}
