//! Clients of Chat Completions: Zed, Continue, Cline and Roo, Aider, opencode, LangChain, the Vercel AI SDK.

use super::{BOTH, Case, Client, STREAM, converse_all, members, set};
use crate::support::{
    ask::{Ask, Think},
    client::Call,
    dialect,
    world::{World, each, equal},
};
use byok_types::Dialect;
use serde_json::{Value, json};

const EDITOR: &[&str] = &[
    "read_file",
    "edit_file",
    "list_directory",
    "find_path",
    "grep",
    "terminal",
    "diagnostics",
    "fetch",
    "thinking",
];
const AGENT: &[&str] = &[
    "read_file",
    "apply_diff",
    "write_to_file",
    "search_files",
    "list_files",
    "execute_command",
    "use_mcp_tool",
    "ask_followup_question",
    "attempt_completion",
];
const OPENCODE: &[&str] =
    &["bash", "edit", "webfetch", "glob", "grep", "list", "read", "write", "todowrite", "task"];
const CHAIN: &[&str] = &[
    "get_weather",
    "search",
    "calculator",
    "sql_db_query",
    "sql_db_schema",
    "retriever",
    "python_repl",
    "send_email",
];

/// A client of Chat Completions.
const fn client(name: &'static str, tools: &'static [&'static str], body: fn(&Ask) -> Value) -> Client {
    let headers = &[("authorization", "Bearer any")];
    Client { name, dialect: Dialect::Chat, path: None, headers, ways: BOTH, tools, think: None, body }
}

static CLIENTS: &[Client] = &[
    Client {
        headers: &[("authorization", "Bearer any"), ("user-agent", "Zed/0.210.0 (linux; x86_64)")],
        think: Some(Think::Effort("medium")),
        ways: STREAM,
        ..client("Zed", EDITOR, zed)
    },
    // Its base may end in /v1 or not.
    Client { path: Some("/chat/completions"), ..client("Continue", EDITOR, continues) },
    Client { path: Some("/v1/v1/chat/completions"), ..client("Continue, /v1 twice", EDITOR, continues) },
    Client {
        headers: &[
            ("authorization", "Bearer any"),
            ("http-referer", "https://cline.bot"),
            ("x-title", "Cline"),
            ("x-stainless-lang", "js"),
            ("x-stainless-retry-count", "0"),
        ],
        think: Some(Think::Effort("high")),
        ..client("Cline", AGENT, cline)
    },
    client("Aider", AGENT, aider),
    Client {
        headers: &[
            ("authorization", "Bearer any"),
            ("user-agent", "opencode/1.0.0 ai-sdk/openai-compatible/1.0.0"),
            ("x-session-affinity", "ses_0123456789"),
        ],
        think: Some(Think::Effort("medium")),
        ..client("opencode", OPENCODE, vercel)
    },
    client("LangChain", CHAIN, langchain),
    Client { think: Some(Think::Effort("low")), ..client("Vercel AI SDK", CHAIN, vercel) },
];

/// Sampling fields; those who use them leave them out for models that reason at the vendor itself.
fn temperature(body: &mut Value, value: f64) {
    if !body["model"].as_str().is_some_and(|model| model.starts_with("my-chat/")) {
        set(body, "temperature", json!(value));
    }
}

/// The user's texts as lists of parts.
fn parts(body: &mut Value, role: &'static str) {
    for message in members(&mut body["messages"], "role", role) {
        if let Some(text) = message["content"].as_str() {
            message["content"] = json!([{"type": "text", "text": text}]);
        }
    }
}

fn zed(ask: &Ask) -> Value {
    let mut body = dialect::chat::body(ask);
    temperature(&mut body, 1.0);
    set(&mut body, "stop", json!([]));
    set(&mut body, "parallel_tool_calls", json!(true));
    set(&mut body, "tool_choice", json!("auto"));
    set(&mut body, "prompt_cache_key", json!("5d2b6f0e-thread"));
    set(&mut body, "max_completion_tokens", json!(32000));
    if body["model"].as_str().is_some_and(|model| model.starts_with("my-chat/")) {
        // The vendor's reasoning models have no stop sequences, not even none.
        body.as_object_mut().unwrap().remove("stop");
    }
    parts(&mut body, "assistant");
    body
}

fn continues(ask: &Ask) -> Value {
    let mut body = dialect::chat::body(ask);
    temperature(&mut body, 0.5);
    set(&mut body, "max_completion_tokens", json!(8192));
    set(&mut body, "parallel_tool_calls", json!(false));
    // It takes several calls nevertheless, if they come.
    body.as_object_mut().unwrap().remove("parallel_tool_calls");
    parts(&mut body, "user");
    body
}

fn cline(ask: &Ask) -> Value {
    let mut body = dialect::chat::body(ask);
    temperature(&mut body, 0.0);
    parts(&mut body, "user");
    set(&mut body, "tool_choice", json!("auto"));
    set(&mut body, "parallel_tool_calls", json!(true));
    for tool in body["tools"].as_array_mut().into_iter().flatten() {
        tool["function"]["strict"] = json!(false);
    }
    body
}

fn aider(ask: &Ask) -> Value {
    let mut body = dialect::chat::body(ask);
    temperature(&mut body, 0.0);
    // Examples stand in the conversation, the reminder again at its top.
    let messages = body["messages"].as_array_mut().unwrap();
    messages.splice(1..1, [
        json!({"role": "user", "content": "Change get_factorial() to use math.factorial"}),
        json!({"role": "assistant", "content": "mathweb/flask/app.py\n```python\n<<<<<<< SEARCH\nfrom flask import Flask\n=======\nimport math\n>>>>>>> REPLACE\n```"}),
        json!({"role": "user", "content": "I switched to a new code base."}),
        json!({"role": "assistant", "content": "Ok."}),
        json!({"role": "system", "content": "Every block must use the format above."}),
    ]);
    body
}

fn vercel(ask: &Ask) -> Value {
    let mut body = dialect::chat::body(ask);
    set(&mut body, "tool_choice", json!("auto"));
    for message in members(&mut body["messages"], "role", "assistant") {
        // A turn of calls alone has an empty text.
        if message["content"].is_null() {
            message["content"] = json!("");
        }
        for name in ["refusal", "annotations"] {
            message.as_object_mut().unwrap().remove(name);
        }
    }
    body
}

fn langchain(ask: &Ask) -> Value {
    let mut body = dialect::chat::body(ask);
    temperature(&mut body, 0.7);
    if body["temperature"].is_number() {
        set(&mut body, "n", json!(1));
    }
    for tool in body["tools"].as_array_mut().into_iter().flatten() {
        tool["function"]["description"] = json!("Looks something up.\n\n    Args:\n        path: what.");
    }
    body
}

#[tokio::test]
async fn chat_clients_work() {
    converse_all(CLIENTS).await;
}

#[tokio::test]
async fn tags_in_a_text_are_left_alone() {
    // Older Cline and Roo call their tools in the text, and Aider edits there.
    const TEXT: &str =
        "<thinking>Hm.</thinking> <read_file> <path>src/a&b.rs</path> </read_file> <<<<<<< SEARCH";
    let world = World::start().await;
    each(Case::all(&CLIENTS[3..5]), async |case| {
        let said = case.say(&world, &case.ask(&format!("sim:text {TEXT}"))).await?;
        equal("text", &said.text.as_str(), &TEXT)
    })
    .await;
}

#[tokio::test]
async fn calls_inside_an_assistants_content_are_no_error() {
    // Some versions of Zed send them there, as Messages has them.
    let world = World::start().await;
    let cases = Case::all(&CLIENTS[..1]).into_iter().filter(|case| case.upstream != Dialect::Chat);
    each(cases, async |case| {
        let ask = case.ask("Go on.");
        let mut body = (case.client.body)(&ask);
        let last = body["messages"].as_array_mut().unwrap().pop().unwrap();
        let turns = [
            json!({"role": "user", "content": "Read it."}),
            json!({"role": "assistant", "content": [
                {"type": "text", "text": "I read it."},
                {"type": "tool_use", "id": "toolu_1", "name": "read_file", "input": {"path": "/a"}}]}),
            json!({"role": "tool", "tool_call_id": "toolu_1", "content": "what stood there"}),
            last,
        ];
        body["messages"].as_array_mut().unwrap().extend(turns);
        case.read(&case.post(&world, &ask, body).await)?;
        let body = case.upstream_body(&world)?.to_string();
        equal("the result", &body.contains("what stood there"), &true).map_err(|e| format!("{e}: {body}"))
    })
    .await;
}

#[tokio::test]
async fn a_title_is_made_on_the_side() {
    let world = World::start().await;
    let opencode = Case::all(CLIENTS).into_iter().filter(|case| case.client.name == "opencode");
    each(opencode, async |case| {
        let mut ask = case.ask("Generate a title for this conversation:");
        ask.tools.clear();
        ask.think = None;
        let mut body = dialect::chat::body(&ask);
        set(&mut body, "max_completion_tokens", json!(100));
        let said = case.read(&case.post(&world, &ask, body).await)?;
        equal("a title", &said.text.is_empty(), &false)
    })
    .await;
}

#[tokio::test]
async fn autocompletion_asks_the_old_endpoint() {
    // Continue; with a fill-in-the-middle prompt and its own stops.
    let world = World::start().await;
    for path in ["/v1/completions", "/completions"] {
        let body = json!({
            "model": "my-chat/gpt-3.5-turbo-instruct", "max_tokens": 64, "stop": ["<|endoftext|>", "\n\n"],
            "prompt": "<|fim_prefix|>fn main() {<|fim_suffix|>}<|fim_middle|>", "stream": false,
        });
        let answer = Call::post(path, body.to_string()).send(world.byok.address()).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert!(answer.json()["choices"][0]["text"].is_string(), "{path}: {}", answer.text());
    }
}
