use crate::support::{Home, Running, client};
use reqwest::{RequestBuilder, header::CONTENT_TYPE};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

fn demo(home: &Home) -> (Running, String) {
    let mut byok = home.start(&["demo", "--port", "0"]);
    let base = byok.base_url();
    byok.line("the vendor is overloaded");
    (byok, base)
}

#[test]
fn the_demo_leaves_no_trace_and_ends_by_a_signal() {
    let home = Home::new();
    let (byok, base) = demo(&home);
    let said = byok.said.join("\n");
    for line in [
        format!("export OPENAI_BASE_URL={base}/v1"),
        format!("export ANTHROPIC_BASE_URL={base}"),
        format!("export GOOGLE_GEMINI_BASE_URL={base}"),
    ] {
        assert!(said.contains(&line), "{said}");
    }
    byok.signal(Signal::INT);
    assert_eq!(byok.end().0.code(), Some(0));
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

/// The request that a printed line makes.
fn request(line: &str) -> RequestBuilder {
    let words: Vec<&str> = line.split('\'').collect();
    match words[..] {
        ["curl -s ", url, ""] => client().get(url),
        ["curl -s " | "curl -sN ", url, " -H ", header, " -d ", body, ""] => {
            let (name, value) = header.split_once(": ").unwrap();
            client().post(url).header(name, value).body(body.to_owned())
        }
        _ => panic!("this line is no request: {line}"),
    }
}

#[test]
fn every_printed_line_works() {
    let home = Home::new();
    let (byok, _) = demo(&home);
    let lines: Vec<&String> = byok.said.iter().filter(|line| line.starts_with("curl ")).collect();
    assert_eq!(lines.len(), 9);
    Runtime::new().unwrap().block_on(async {
        for line in lines {
            let answer = request(line).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{line}");
            let kind = answer.headers()[CONTENT_TYPE].to_str().unwrap().to_owned();
            let stream = line.starts_with("curl -sN");
            assert!(
                kind.starts_with(if stream { "text/event-stream" } else { "application/json" }),
                "{line}: {kind}"
            );
            let body = answer.text().await.unwrap();
            assert!(body.contains("simulator") || line.contains("/v1/models'"), "{line}: {body}");
        }
    });
}

#[test]
fn every_model_of_the_list_answers() {
    let home = Home::new();
    let (_byok, base) = demo(&home);
    Runtime::new().unwrap().block_on(async {
        let list = client().get(format!("{base}/v1/models")).send().await.unwrap().text().await.unwrap();
        let list: Value = serde_json::from_str(&list).unwrap();
        let models: Vec<_> =
            list["data"].as_array().unwrap().iter().map(|model| model["id"].clone()).collect();
        for own in ["demo-chat", "demo-responses", "demo-messages", "demo-gemini"] {
            assert!(models.contains(&own.into()), "{own}: {models:?}");
        }
        for model in models {
            let body = json!({ "model": model, "messages": [{ "role": "user", "content": "Hello" }] });
            let request =
                client().post(format!("{base}/v1/chat/completions")).header(CONTENT_TYPE, "application/json");
            let answer = request.body(body.to_string()).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{model}: {}", answer.text().await.unwrap());
        }
    });
}

/// A stream of some seconds whose first bytes have come.
async fn slow_stream(base: &str) -> reqwest::Response {
    let body = json!({
        "model": "claude-sonnet-5", "max_tokens": 1024, "stream": true,
        "messages": [{ "role": "user", "content": "sim:slow 15 200" }],
    });
    let request = client().post(format!("{base}/v1/messages")).header(CONTENT_TYPE, "application/json");
    let mut answer = request.body(body.to_string()).send().await.unwrap();
    answer.chunk().await.unwrap().expect("the stream begins");
    answer
}

#[test]
fn running_answers_end_before_byok_stops() {
    let home = Home::new();
    let (byok, base) = demo(&home);
    Runtime::new().unwrap().block_on(async {
        let answer = slow_stream(&base).await;
        byok.signal(Signal::TERM);
        assert!(answer.text().await.unwrap().contains("message_stop"));
    });
    let (status, said) = byok.end();
    assert_eq!(status.code(), Some(0));
    assert!(said.contains("a connection is still in use"), "{said}");
}

#[test]
fn a_second_signal_does_not_wait() {
    let home = Home::new();
    let (mut byok, base) = demo(&home);
    Runtime::new().unwrap().block_on(async {
        let answer = slow_stream(&base).await;
        byok.signal(Signal::INT);
        byok.line("a connection is still in use");
        byok.signal(Signal::INT);
        let (status, said) = byok.end();
        assert_eq!(status.code(), Some(1));
        assert!(said.ends_with("error: stopped at once, without waiting for running requests"), "{said}");
        // It is cut off, or what it comes from is gone first and it says so.
        if let Ok(text) = answer.text().await {
            assert!(!text.contains("message_stop") && text.contains("event: error"), "{text}");
        }
    });
}
