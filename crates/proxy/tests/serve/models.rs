//! Lists of models, page by page, and one model by any of its names.

use super::{Running, read, start, start_providers};
use serde_json::{Value, json};
use std::time::Duration;

async fn get(running: &Running, path: &str, header: (&str, &str)) -> (u16, Value) {
    let url = format!("{}{path}", running.base);
    read(running.client.get(url).header(header.0, header.1).send().await.unwrap()).await
}

const ANTHROPIC: (&str, &str) = ("anthropic-version", "2023-06-01");
const GOOGLE: (&str, &str) = ("x-goog-api-key", "any");

fn ids(list: &Value) -> Vec<String> {
    let models = list["data"].as_array().or(list["models"].as_array()).unwrap();
    let id = |model: &Value| model["id"].as_str().or(model["baseModelId"].as_str()).unwrap().to_owned();
    models.iter().map(id).collect()
}

/// All pages, one after the other; `None` if a page was refused.
async fn walked(running: &Running, path: &str, header: (&str, &str)) -> Option<Vec<String>> {
    let size = if header == ANTHROPIC { "limit=3" } else { "pageSize=3" };
    let (mut all, mut next) = (Vec::new(), format!("{path}?{size}"));
    loop {
        let (status, page) = get(running, &next, header).await;
        if status != 200 {
            return None;
        }
        let part = ids(&page);
        assert!(part.len() <= 3, "{page}");
        if header == ANTHROPIC {
            assert_eq!(page["first_id"], json!(part.first()), "{page}");
        }
        all.extend(part);
        next = match (page["has_more"] == true, page["nextPageToken"].as_str()) {
            (true, _) => format!("{path}?{size}&after_id={}", page["last_id"].as_str().unwrap()),
            (_, Some(token)) => format!("{path}?{size}&pageToken={token}"),
            _ => return Some(all),
        };
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_walked_in_pages() {
    let running = start("").await;
    for (path, header) in [("/v1/models", ANTHROPIC), ("/v1/models", GOOGLE), ("/v1beta/models", GOOGLE)] {
        // The vendors are asked for their models meanwhile, after which the list is another: then once more.
        let within = async {
            loop {
                let (_, before) = get(&running, path, header).await;
                let walked = walked(&running, path, header).await;
                let (_, after) = get(&running, path, header).await;
                if before == after {
                    assert_eq!(walked, Some(ids(&before)), "{path} {header:?}");
                    assert!(before["has_more"] != true && before["nextPageToken"].is_null(), "{before}");
                    return;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(30), within).await.unwrap();
    }
    let (status, refused) = get(&running, "/v1/models?after_id=nobody", ANTHROPIC).await;
    assert!(status == 400 && refused["error"]["message"].as_str().unwrap().contains("after_id"), "{refused}");
    let (status, refused) = get(&running, "/v1beta/models?pageSize=x", GOOGLE).await;
    assert_eq!((status, &refused["error"]["status"]), (400, &json!("INVALID_ARGUMENT")), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_found_by_a_name_that_says_how_to_think() {
    let running = start("").await;
    for (path, header, place, told) in [
        ("/v1/models/gpt-5.1(high)", ("x-other", ""), "/id", "gpt-5.1(high)"),
        ("/v1/models/gpt-5.1%28high%29", ("x-other", ""), "/id", "gpt-5.1(high)"),
        ("/v1/models/claude-sonnet-5(8192)", ANTHROPIC, "/id", "claude-sonnet-5(8192)"),
        ("/v1beta/models/gemini-2.5-flash(low)", GOOGLE, "/name", "models/gemini-2.5-flash(low)"),
        ("/v1/models/gpt-5.1", ("x-other", ""), "/id", "gpt-5.1"),
    ] {
        let (status, model) = get(&running, path, header).await;
        assert_eq!((status, model.pointer(place)), (200, Some(&json!(told))), "{path}: {model}");
    }
    let (status, _) = get(&running, "/v1/models/gpt-none(high)", ("x-other", "")).await;
    assert_eq!(status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_of_two_providers_is_that_of_the_one_named() {
    let own = |name: &str| {
        format!(
            "  {name}: {{ kind: openai, api_key: sk-proj-0123456789abcdef, base_url: 'SIM/v1', models: [m] }}\n"
        )
    };
    let running = start_providers(&(own("first") + &own("second")), "").await;
    for (name, id, owner) in [
        ("m", "m", "first"),
        ("first/m", "m", "first"),
        ("second/m", "second/m", "second"),
        ("second/m(high)", "second/m(high)", "second"),
        ("codex/gpt-5.1", "gpt-5.1", "openai"),
    ] {
        let (status, model) = get(&running, &format!("/v1/models/{name}"), ("x-other", "")).await;
        assert_eq!(status, 200, "{name}: {model}");
        assert_eq!((&model["id"], &model["owned_by"]), (&json!(id), &json!(owner)), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_count_names_the_model_as_its_vendor_does() {
    let running = start("").await;
    let contents = json!([{"role": "user", "parts": [{"text": "hi"}]}]);
    for name in ["gemini/gemini-2.5-pro", "gemini-2.5-pro(high)", "gemini-2.5-pro"] {
        for field in ["generateContentRequest", "generate_content_request"] {
            let body = json!({field: {"model": format!("models/{name}"), "contents": contents}});
            let (status, answer) = running.ask(&format!("/v1beta/models/{name}:countTokens"), &body).await;
            assert!(status == 200 && answer["totalTokens"].is_number(), "{name}: {status} {answer}");
        }
    }
    let body = json!({"model": "models/gemini/gemini-2.5-pro", "contents": contents});
    let (status, answer) = running.ask("/v1beta/models/gemini/gemini-2.5-pro:generateContent", &body).await;
    assert_eq!(status, 200, "{answer}");
}
