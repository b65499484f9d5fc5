//! Raw access to a provider.

use super::{Running, read, start};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const KEY: &str = "byok-test-0123456789abcdef";
const NARROW: &str = "byok-test-narrow-0123456789";

async fn keyed() -> Running {
    start(&format!("api_keys: ['{KEY}', {{ key: '{NARROW}', models: ['gpt-*'] }}]\n")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn raw_access_needs_a_key() {
    let running = start("").await;
    let (status, answer) =
        read(running.client.get(format!("{}/passthrough/codex/models", running.base)).send().await.unwrap())
            .await;
    assert!(status == 403 && answer.to_string().contains("api_keys"), "{answer}");
    let running = keyed().await;
    for (key, expected, words) in [
        ("", 401, "valid byok key"),
        ("wrong-0123456789abcdef", 401, "valid byok key"),
        (NARROW, 403, "without `models`"),
        (KEY, 200, "gpt-5.1"),
    ] {
        let call =
            running.client.get(format!("{}/passthrough/codex/models", running.base)).header("x-api-key", key);
        let (status, answer) = read(call.send().await.unwrap()).await;
        assert!(status == expected && answer.to_string().contains(words), "{key}: {status} {answer}");
    }
    assert_eq!(running.simulator.request_count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_passes_but_what_is_the_callers_own() {
    let running = keyed().await;
    let call = |method: &str, path: &str| {
        let url = format!("{}/passthrough{path}", running.base);
        running.client.request(method.parse().unwrap(), url)
    };
    // By the query: the key does not travel, the rest does, as it was written.
    let (status, answer) =
        read(call("GET", &format!("/gemini/v1beta/models?pageSize=1&key={KEY}&x=%2F")).send().await.unwrap())
            .await;
    assert!(status == 200 && answer["models"].as_array().unwrap().len() == 1, "{answer}");
    let seen = running.simulator.requests().pop().unwrap();
    assert_eq!((seen.path.as_str(), seen.query.as_str()), ("/v1beta/models", "pageSize=1&x=%2F"));
    assert_eq!(
        (seen.header("x-goog-api-key"), seen.header("authorization")),
        (Some("AIza0123456789abcdef"), None)
    );

    let body = "{\"model\":\"gpt-4o\" ,\"messages\":[{\"role\":\"user\",\"content\":\"Hi.\"}],\"stream\":true,\"stream_options\":{\"include_usage\":true}}";
    let sent = call("POST", "/codex/chat/completions")
        .header("authorization", format!("Bearer {KEY}"))
        .header("cookie", "c=1")
        .header("connection", "x-hop")
        .header("x-hop", "1")
        .header("x-custom", "kept")
        .header("content-type", "application/json")
        .body(body);
    let answer = sent.send().await.unwrap();
    assert_eq!(answer.headers()["x-byok-attempts"], "1");
    assert!(answer.headers().get("x-byok-model").is_none());
    assert!(answer.headers().contains_key("x-ratelimit-limit-requests"));
    assert!(answer.text().await.unwrap().ends_with("data: [DONE]\n\n"));
    let seen = running.simulator.requests().pop().unwrap();
    assert_eq!((seen.path.as_str(), &seen.body[..]), ("/v1/chat/completions", body.as_bytes()));
    assert_eq!(seen.header("authorization"), Some("Bearer sk-proj-0123456789abcdef"));
    assert_eq!(
        (seen.header("cookie"), seen.header("x-hop"), seen.header("x-custom")),
        (None, None, Some("kept"))
    );
    let record = running.record(2).await;
    assert_eq!(
        (record.model_asked.as_str(), record.model_served, record.status),
        ("passthrough/codex", None, 200)
    );
    assert!(record.usage.output > Some(0) && record.client_key.is_some(), "{:?}", record.usage);

    // Any method; the vendor's refusals are relayed as they are.
    for (method, path, expected) in
        [("DELETE", "/codex/files/x", 404), ("PUT", "/claude/v1/x", 404), ("PATCH", "/codex//a/", 404)]
    {
        let (status, answer) = read(call(method, path).header("x-api-key", KEY).send().await.unwrap()).await;
        assert!(status == expected && answer["error"].is_object(), "{method} {path}: {status} {answer}");
        assert_eq!(running.simulator.requests().pop().unwrap().method, method);
    }
    assert_eq!(running.simulator.requests().pop().unwrap().path, "/v1//a/");
    let (status, answer) =
        read(call("GET", "/nobody/x").header("x-api-key", KEY).send().await.unwrap()).await;
    assert!(status == 404 && answer.to_string().contains("claude, codex, gemini"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_is_forbidden_closes_no_other() {
    let providers = "  shut: { kind: openai, api_key: sk-x-sim-403, base_url: 'SIM/v1' }\n";
    let running = super::start_providers(providers, &format!("api_keys: ['{KEY}']\n")).await;
    let url = format!("{}/passthrough/shut/", running.base);
    for (path, expected) in [("embeddings", 503), ("embeddings", 503), ("models", 200)] {
        let call = running.client.post(format!("{url}{path}")).header("x-api-key", KEY);
        let call = if path == "models" {
            running.client.get(format!("{url}{path}")).header("x-api-key", KEY)
        } else {
            call
        };
        let body = "{\"model\":\"text-embedding-3-small\",\"input\":\"x\"}";
        let answer = call.header("content-type", "application/json").body(body).send().await.unwrap();
        assert_eq!(answer.headers()["x-byok-attempts"], "1");
        let (status, answer) = read(answer).await;
        assert!(
            status == expected && (status == 200 || answer.to_string().contains("providers.shut.api_key")),
            "{path}: {status} {answer}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_path_leads_out_of_the_provider() {
    let running = keyed().await;
    let host = running.base.strip_prefix("http://").unwrap().to_owned();
    for path in ["..", "../x", "%2e%2e/x", "a/..%2f..%2fx", "a/%252e%252e/x", "..%5cx", "./x"] {
        let mut stream = tokio::net::TcpStream::connect(&host).await.unwrap();
        let head =
            format!("GET /passthrough/codex/{path} HTTP/1.1\r\nhost: {host}\r\nx-api-key: {KEY}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 400", "{path}");
    }
    assert_eq!(running.simulator.request_count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_the_clients_to_follow() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let vendor = listener.local_addr().unwrap();
    let providers =
        format!("  moved: {{ kind: openai, api_key: sk-moved, base_url: 'http://{vendor}/api' }}\n");
    let running = super::start_providers(&providers, &format!("api_keys: ['{KEY}']\n")).await;
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = vec![0; 4096];
        let read = stream.read(&mut head).await.unwrap();
        let answer = "HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\nset-cookie: a=b\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8_lossy(&head[..read]).into_owned()
    });
    let client =
        reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let answer = client
        .get(format!("{}/passthrough/moved/a%20b?c", running.base))
        .header("x-api-key", KEY)
        .send()
        .await
        .unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["location"]),
        (302, &"/elsewhere".parse().unwrap())
    );
    assert!(answer.headers().get("set-cookie").is_none());
    let head = served.await.unwrap().to_lowercase();
    assert!(
        head.starts_with("get /api/a%20b?c http/1.1") && head.contains("authorization: bearer sk-moved"),
        "{head}"
    );
    assert!(!head.contains(KEY), "{head}");
}
