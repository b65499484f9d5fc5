//! Gemini CLI.

use super::{BOTH, Case, Client, converse_all, set};
use crate::support::{
    ask::{Ask, Think},
    client::Call,
    dialect,
    world::{World, each, equal},
};
use byok_types::Dialect;
use serde_json::{Value, json};

static CLIENT: &[Client] = &[Client {
    name: "Gemini CLI",
    dialect: Dialect::Gemini,
    path: None,
    // Behind a gateway and without a key it sends an empty one.
    headers: &[
        ("user-agent", "GeminiCLI/0.61.0/gemini-3.5-flash (linux; x64; terminal)"),
        ("x-goog-api-client", "google-genai-sdk/1.41.0 gl-node/v22.19.0"),
        ("x-gemini-api-privileged-user-id", "0b8e1c1c-0000-4000-8000-000000000000"),
    ],
    ways: BOTH,
    tools: &[
        "read_file",
        "replace",
        "list_directory",
        "search_file_content",
        "glob",
        "write_file",
        "web_fetch",
        "run_shell_command",
        "save_memory",
        "google_web_search",
    ],
    think: Some(Think::Effort("high")),
    body,
}];

/// The first user turn is a preamble, the instructions are a turn of a user, the sampling is always the same.
fn body(ask: &Ask) -> Value {
    let mut body = dialect::gemini::body(ask);
    let contents = body["contents"].as_array_mut().unwrap();
    let preamble = "This is the Gemini CLI. We are setting up the context for our chat. My OS is linux.";
    contents.insert(0, json!({"role": "user", "parts": [{"text": preamble}]}));
    contents.insert(1, json!({"role": "model", "parts": [{"text": "Got it. Thanks for the context!"}]}));
    set(&mut body["systemInstruction"], "role", json!("user"));
    for (name, value) in [("temperature", json!(1)), ("topP", json!(0.95)), ("topK", json!(64))] {
        set(&mut body["generationConfig"], name, value);
    }
    body
}

#[tokio::test]
async fn gemini_cli_works() {
    converse_all(CLIENT).await;
}

#[tokio::test]
async fn gemini_cli_asks_on_the_side_for_json() {
    let world = World::start().await;
    let cases = Case::all(CLIENT).into_iter().filter(|case| !case.stream);
    each(cases, async |case| {
        let mut ask = case.ask("Who speaks next?");
        (ask.think, ask.stream) = (None, false);
        ask.tools.clear();
        ask.schema = Some(json!({
            "type": "object",
            "properties": {
                "reasoning": {"type": "string", "description": "Why."},
                "next_speaker": {"type": "string", "enum": ["user", "model"]},
            },
            "required": ["reasoning", "next_speaker"],
        }));
        let mut body = body(&ask);
        set(&mut body["generationConfig"], "temperature", json!(0));
        set(&mut body["generationConfig"], "topP", json!(1));
        let said = case.read(&case.post(&world, &ask, body).await)?;
        let json: Value = serde_json::from_str(&said.text).map_err(|e| format!("{e}: {}", said.text))?;
        equal("a choice", &["user", "model"].map(Value::from).contains(&json["next_speaker"]), &true)
    })
    .await;
}

#[tokio::test]
async fn gemini_cli_counts_tokens_of_what_is_no_text() {
    let world = World::start().await;
    each(Case::all(CLIENT).into_iter().filter(|case| !case.stream), async |case| {
        let body = json!({"contents": [{"role": "user", "parts": [
            {"text": "What is this?"},
            {"inlineData": {"mimeType": "image/png", "data": crate::pairs::requests::PNG.0}}]}]});
        let call =
            Call::post(format!("/v1beta/models/{}:countTokens", case.pair().model()), body.to_string());
        let answer = call.headers(case.client.headers).send(world.byok.address()).await;
        equal("status", &answer.status, &200).map_err(|error| format!("{error}: {}", answer.text()))?;
        equal("tokens", &answer.json()["totalTokens"].as_u64().is_some_and(|count| count > 3), &true)
    })
    .await;
}

#[tokio::test]
async fn an_empty_key_is_no_key() {
    let world = World::start().await;
    each(Case::all(CLIENT), async |case| {
        let ask = case.ask("Hello.");
        let call = Call::post(dialect::gemini::target(&ask), body(&ask).to_string());
        // The helper leaves out empty headers, a blank one is the same to HTTP.
        let answer = call.header("x-goog-api-key", " ").send(world.byok.address()).await;
        case.read(&answer).map(drop)
    })
    .await;
}
