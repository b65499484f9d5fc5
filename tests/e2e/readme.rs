//! What README says to put into tools, read from README, and what byok does not take from where tools keep it.

use crate::support::{ask::Ask, byok::Setup, client::Call, dialect, world::World};
use byok_simulator::{SimOptions, Simulator};
use byok_types::Dialect;
use serde_json::json;

const ADDRESS: &str = "http://127.0.0.1:8018";

/// The block of code behind the paragraph that begins with this name, in both languages.
fn blocks(tool: &str) -> [String; 2] {
    ["README.md", "README.zh.md"].map(|file| {
        let readme = std::fs::read_to_string(format!("{}/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let (_, behind) =
            readme.split_once(&format!("\n**{tool}")).unwrap_or_else(|| panic!("{tool} in {file}"));
        let (_, block) = behind.split_once("```").unwrap();
        block.split_once("\n```").unwrap().0.to_owned()
    })
}

/// The value behind a name, as TOML, YAML and a shell write it.
fn value(block: &str, name: &str) -> String {
    let lines = block.lines().map(|line| line.trim().trim_start_matches("- ").trim_start_matches("export "));
    let mut values = lines.filter_map(|line| {
        let value = line.strip_prefix(name)?.trim_start();
        Some(value.strip_prefix(['=', ':'])?.trim().trim_matches('"').to_owned())
    });
    values.next().unwrap_or_else(|| panic!("`{name}` in {block}"))
}

/// Asks what a tool asks whose base is this: it adds the path itself, and shows any text as its key.
async fn asks(world: &World, tool: &str, client: Dialect, base: &str, model: &str) {
    let base = base.strip_prefix(ADDRESS).unwrap_or_else(|| panic!("{tool}: {base}"));
    let path = if client == Dialect::Responses { "/responses" } else { "/chat/completions" };
    for stream in [false, true] {
        let ask = Ask::new(format!("{tool} asks.")).model(model).stream(stream);
        let body = match client {
            Dialect::Responses => dialect::responses::body(&ask),
            _ => dialect::chat::body(&ask),
        };
        let call =
            Call::post(format!("{base}{path}"), body.to_string()).header("authorization", "Bearer any");
        let answer = call.send(world.byok.address()).await;
        assert_eq!(answer.status, 200, "{tool}: {}", answer.text());
        let said = dialect::read(client, stream, &answer).unwrap_or_else(|error| panic!("{tool}: {error}"));
        assert!(said.text.contains(&format!("{tool} asks.")), "{tool}: {}", said.text);
    }
}

#[tokio::test]
async fn what_codex_cli_is_told_is_answered() {
    let world = World::start().await;
    for block in blocks("Codex CLI**") {
        assert_eq!(value(&block, "wire_api"), "responses");
        let provider = value(&block, "model_provider");
        assert!(block.contains(&format!("[model_providers.{provider}]")), "{block}");
        let (base, model) = (value(&block, "base_url"), value(&block, "model"));
        asks(&world, "Codex CLI", Dialect::Responses, &base, &model).await;
    }
}

#[tokio::test]
async fn what_continue_is_told_is_answered() {
    let world = World::start().await;
    for block in blocks("Continue**") {
        assert_eq!(value(&block, "provider"), "openai");
        let (base, model) = (value(&block, "apiBase"), value(&block, "model"));
        asks(&world, "Continue", Dialect::Chat, &base, &model).await;
    }
}

/// What `LiteLLM` finds before the first stroke is the kind of API; the rest is the model.
#[tokio::test]
async fn what_aider_is_told_is_answered() {
    let world = World::start().await;
    for block in blocks("Aider**") {
        let model = block.lines().find_map(|line| line.strip_prefix("aider --model openai/")).unwrap();
        let base = value(&block, "OPENAI_API_BASE");
        asks(&world, "Aider", Dialect::Chat, &base, model).await;
    }
}

/// The names of the tools' variables mean byok where a tool runs; byok that took them for its own would ask itself.
#[tokio::test]
async fn the_variables_of_tools_are_not_read() {
    let other = Simulator::start(SimOptions::default()).await.unwrap();
    let bases = ["OPENAI_BASE_URL", "OPENAI_API_BASE", "ANTHROPIC_BASE_URL", "GOOGLE_GEMINI_BASE_URL"];
    let keys = [
        ("OPENAI_API_KEY", "sk-of-the-environment"),
        ("ANTHROPIC_API_KEY", "sk-ant-api03-of-the-environment"),
        ("ANTHROPIC_AUTH_TOKEN", "of-the-environment"),
        ("GEMINI_API_KEY", "AIza-of-the-environment"),
        ("GOOGLE_API_KEY", "AIza-of-the-environment"),
    ];
    let with_variables = |setup: Setup| {
        let setup = bases.into_iter().fold(setup, |setup, name| setup.env(name, other.base_url()));
        keys.into_iter().fold(setup, |setup, (name, key)| setup.env(name, key))
    };
    let models = ["codex/gpt-5.1", "claude/claude-sonnet-5", "gemini/gemini-2.5-flash"];

    // What is set is asked as it is set.
    let world = World::of(|_| json!({}), with_variables).await;
    for model in models {
        for client in Dialect::ALL {
            let call = dialect::call(client, &Ask::new("Who is asked?").model(model));
            let answer = call.send(world.byok.address()).await;
            assert_eq!(answer.status, 200, "{client} {model}: {}", answer.text());
        }
    }
    for seen in world.simulator.requests() {
        assert!(!format!("{:?}", seen.headers).contains("of-the-environment"), "{seen:?}");
    }
    assert!(world.simulator.request_count() >= 12);

    // What is not set is not there.
    let byok = with_variables(Setup::new("{}")).start().await;
    assert_eq!(byok.status().await["providers"], json!([]));
    for model in models {
        let answer =
            dialect::call(Dialect::Chat, &Ask::new("Hello?").model(model)).send(byok.address()).await;
        assert!([404, 503].contains(&answer.status), "{model}: {}", answer.text());
    }
    assert_eq!(other.request_count(), 0, "{:?}", other.requests());
}
