//! Errors that are none of an API: pages and words of what stands in front of a vendor, and errors inside of good answers.

use super::{always, read, request, start, start_providers};
use serde_json::Value;

const PAGE: &str = "<!DOCTYPE html><html><body>Bad gateway</body></html>";
const JSON: &str = r#"{ "error" : {"message":"Down.","type":"server_error","code":"x"} }"#;

#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_json_whatever_came() {
    for (status, kind, body, told) in [
        (502, "text/html", PAGE, 502),
        (503, "text/html; charset=utf-8", PAGE, 503),
        (403, "text/html", PAGE, 502),
        (404, "text/plain", "404 page not found", 404),
        (500, "application/json", "", 500),
        (500, "application/json", "{\"error\":", 500),
        (500, "text/plain", JSON, 500),
        (500, "application/json; charset=utf-8", JSON, 500),
    ] {
        let base = always(status, kind, body).await;
        let providers: String = ["anthropic", "openai", "responses", "gemini"]
            .map(|kind| format!("  my-{kind}: {{ kind: {kind}, api_key: sk-0123456789, base_url: '{base}', models: [m] }}\n"))
            .concat();
        let running = start_providers(&providers, "").await;
        for (client, upstream) in [
            ("messages", "anthropic"),
            ("chat", "openai"),
            ("responses", "responses"),
            ("gemini", "gemini"),
            ("chat", "anthropic"),
        ] {
            let (path, asked) = request(client, &format!("my-{upstream}/m"), false, "Hi.");
            let answer = running.post(&path, asked).send().await.unwrap();
            let stated = answer.headers()["content-type"].to_str().unwrap().to_owned();
            let found = answer.status().as_u16();
            let text = answer.text().await.unwrap();
            let what = format!("{client} {upstream} {status} {kind}: {stated} {text}");
            assert_eq!(found, told, "{what}");
            assert!(stated.starts_with("application/json"), "{what}");
            let error: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{what}"));
            assert!(error["error"]["message"].as_str().is_some_and(|said| !said.contains('<')), "{what}");
            let native = client != "chat" || upstream == "openai";
            assert_eq!(text == body, native && body == JSON, "{what}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn raw_access_shows_what_came() {
    let base = always(503, "text/html", PAGE).await;
    let provider = format!("  mine: {{ kind: openai, api_key: sk-0123456789, base_url: '{base}' }}\n");
    let running = start_providers(&provider, "api_keys: [{ key: byok-0123456789abcdef }]\n").await;
    let call = running.client.get(format!("{}/passthrough/mine/x", running.base));
    let answer = call.header("authorization", "Bearer byok-0123456789abcdef").send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 503);
    assert_eq!(answer.headers()["content-type"], "text/html");
    assert_eq!(answer.text().await.unwrap(), PAGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_inside_a_good_answer_has_the_status_of_its_class() {
    let running = start("").await;
    for (client, model) in [
        ("messages", "claude-sonnet-5"),
        ("chat", "codex/gpt-4o"),
        ("responses", "rs/gpt-5.1"),
        ("gemini", "gemini-2.5-flash"),
        ("chat", "claude-sonnet-5"),
    ] {
        let mut told = Vec::new();
        for stream in [false, true] {
            let (path, body) = request(client, model, stream, "sim:error_200");
            let (status, answer) = read(running.post(&path, body).send().await.unwrap()).await;
            told.push((status, answer.to_string()));
        }
        let statuses: Vec<u16> = told.iter().map(|(status, _)| *status).collect();
        assert_eq!(statuses, [503, 503], "{client} {model}: {told:?}");
    }
}
