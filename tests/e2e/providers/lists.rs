//! Lists of models of those who are asked with a key, or without one.

use crate::{
    providers::PATIENCE,
    support::{ask::Ask, client::Call, dialect, world::World},
};
use byok_types::Dialect;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The list as clients of Gemini see it, with sizes, once it has one name and has lost another.
async fn listed(world: &World, has: &str, lacks: &str) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let list = Call::get("/v1beta/models?pageSize=1000").send(world.byok.address()).await.json();
        let models = list["models"].as_array().unwrap().clone();
        let is = |name: &str| models.iter().any(|model| model["baseModelId"] == name);
        if is(has) && !is(lacks) {
            return models;
        }
        assert!(begun.elapsed() < PATIENCE, "the list is not taken over: {list}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn vendors_are_asked_by_key() {
    let world = World::start().await;
    // These byok knows, and the simulator does not.
    listed(&world, "gpt-6-luna", "gpt-6-astra").await;
    listed(&world, "gemini-3.5-flash", "gemini-3.6-flash").await;
    listed(&world, "claude-sonnet-5", "claude-fable-5-1").await;
    let seen = world.simulator.requests();
    let asked = |path: &str, header: &str, key: &str| {
        let is = |value: &http::HeaderValue| value.as_bytes() == key.as_bytes();
        let mut seen = seen.iter().filter(|seen| seen.path == path && seen.method == http::Method::GET);
        let found = seen.find(|seen| seen.headers.get(header).is_some_and(is));
        found.unwrap_or_else(|| panic!("nobody asked {path} with {key}")).query.clone()
    };
    assert_eq!(asked("/v1/models", "authorization", "Bearer sk-e2e"), "");
    assert_eq!(asked("/v1beta/models", "x-goog-api-key", "AIza-e2e"), "pageSize=1000");
    assert_eq!(asked("/v1/models", "x-api-key", "sk-ant-api03-e2e"), "limit=1000");
    // When a model was published is passed on.
    let list = Call::get("/v1/models").send(world.byok.address()).await.json();
    let model = list["data"].as_array().unwrap().iter().find(|model| model["id"] == "gpt-6-luna").unwrap();
    assert_eq!(model["created"], 1_780_000_000);
}

#[tokio::test]
async fn of_a_model_that_nobody_knows_its_server_is_asked_once() {
    let world = World::of(
        |simulator| {
            let base = format!("{}/compat/vllm/v1", simulator.base_url());
            json!({"providers": {"local": {"kind": "openai", "base_url": base, "api_key": "sk-lenient"}}})
        },
        |setup| setup,
    )
    .await;
    let asked = || world.simulator.requests().iter().filter(|seen| seen.path.ends_with("/models")).count();
    let ask = async |model: &str| {
        let ask = Ask::new("Hello.").model(model);
        let answer = dialect::call(Dialect::Chat, &ask).send(world.byok.address()).await;
        assert_eq!(answer.status, 200, "{model}: {}", answer.text());
    };
    ask("local/gpt-5.1").await;
    assert_eq!(asked(), 0, "byok knows it");
    ask("local/nobody-knows").await;
    let begun = Instant::now();
    while asked() == 0 {
        assert!(begun.elapsed() < PATIENCE, "the server is not asked");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    ask("local/nobody-knows").await;
    assert_eq!(asked(), 1);
}

#[tokio::test]
async fn servers_of_ones_own_are_asked_and_their_words_count() {
    let world = World::of(
        |simulator| {
            let base = |name: &str| format!("{}/compat/{name}/v1", simulator.base_url());
            let own = json!([{"id": "openai/gpt-4o", "aliases": ["four"], "context_tokens": 5000}]);
            json!({"providers": {
                "router": {"kind": "openai", "base_url": base("openrouter"), "api_key": "sk-lenient", "models": own},
                "local": {"kind": "openai", "base_url": base("vllm")},
                "old": {"kind": "openai", "base_url": base("bare"), "api_key": "sk-lenient", "models": ["mine"]},
            }})
        },
        |setup| setup,
    )
    .await;
    let models = listed(&world, "router/openai/gpt-5.1", "router/openai/gpt-4o").await;
    let local = listed(&world, "local/gpt-5.1", "no-such").await;
    let sizes = |models: &[Value], name: &str| {
        let model = models.iter().find(|model| model["baseModelId"] == name).unwrap_or(&Value::Null);
        (model["inputTokenLimit"].clone(), model["outputTokenLimit"].clone())
    };
    assert_eq!(sizes(&models, "router/openai/gpt-5.1"), (json!(272_000), json!(128_000)));
    assert_eq!(sizes(&models, "four"), (json!(5000), json!(16_384)), "the settings count more");
    assert_eq!(sizes(&local, "local/o4-mini").0, json!(200_000));
    // A server without a list serves as it did, and nothing rests.
    assert!(world.simulator.requests().iter().any(|seen| seen.path == "/compat/bare/v1/models"));
    for (model, status) in
        [("mine", 200), ("old/any", 200), ("router/openai/gpt-5.1", 200), ("openai/gpt-5.1", 404)]
    {
        let ask = Ask::new("Hello.").model(model);
        let answer = dialect::call(Dialect::Chat, &ask).send(world.byok.address()).await;
        assert_eq!(answer.status, status, "{model}: {}", answer.text());
    }
}
