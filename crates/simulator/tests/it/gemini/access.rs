//! Keys, streams, counting.

use super::*;
use crate::client::*;

#[tokio::test]
async fn keys_models_and_the_two_forms_of_a_stream() {
    let simulator = simulator().await;
    let cases: [(&str, &[(&str, &str)], u16, &str); 7] = [
        (OLD, &[], 403, "Method doesn't allow unregistered callers"),
        (OLD, &[("x-goog-api-key", "")], 403, "unregistered callers"),
        (OLD, &[("x-goog-api-key", "sk-ant-api03-x")], 400, "API key not valid"),
        (
            OLD,
            &[("x-goog-api-key", "AIza"), ("authorization", "Bearer x")],
            401,
            "invalid authentication credentials",
        ),
        ("/v1beta/models/gemini-2.5-pro:generateContent?key=AIza", &[], 200, ""),
        (
            "/v1beta/models/gemini-none:generateContent",
            &GEMINI,
            404,
            "models/gemini-none is not found for API version v1beta",
        ),
        ("/v1beta/models/gemini-2.5-pro:predict", &GEMINI, 404, ""),
    ];
    for (target, headers, status, words) in cases {
        let answer = post(&simulator, target, headers, &plain()).await;
        assert_eq!(answer.status, status, "{target} {headers:?}: {}", answer.text());
        assert!(answer.text().contains(words), "{}", answer.text());
    }
    let array =
        post(&simulator, "/v1beta/models/gemini-2.5-pro:streamGenerateContent", &GEMINI, &plain()).await;
    assert!(array.chunks.len() > 3 && array.header("content-type").starts_with("application/json"));
    let last = array.json().as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["candidates"][0]["finishReason"], "STOP");
    let refused =
        post(&simulator, "/v1beta/models/gemini-none:streamGenerateContent", &GEMINI, &plain()).await;
    assert!(refused.json()[0]["error"]["code"] == 404, "a refused array is an array");
    assert_eq!(get(&simulator, "/v1beta/interactions", &GEMINI).await.status, 404);
}

#[tokio::test]
async fn counting_takes_contents_or_a_whole_request() {
    let simulator = simulator().await;
    let path = "/v1beta/models/gemini-2.5-pro:countTokens";
    let contents = json!([{"parts": [{"text": "hello"}]}]);
    let whole = json!({"model": "models/gemini-2.5-pro", "contents": contents, "systemInstruction": {"parts": [{"text": "x"}]}});
    let cases = [
        (json!({"contents": contents}), 200),
        (json!({"generateContentRequest": whole}), 200),
        (json!({"contents": contents, "generateContentRequest": whole}), 400),
        (json!({"contents": contents, "systemInstruction": {"parts": [{"text": "x"}]}}), 400),
        (json!({"generateContentRequest": {"contents": contents}}), 400),
        (json!({}), 400),
    ];
    for (body, status) in cases {
        let answer = post(&simulator, path, &GEMINI, &body).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text());
    }
}
