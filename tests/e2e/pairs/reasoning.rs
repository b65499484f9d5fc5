//! Reasoning: the effort that a name asks for, and seals that come back, or must not.

use super::all;
use crate::support::{
    ask::{Ask, Think},
    byok::Byok,
    client::Call,
    dialect,
    world::{Pair, World, config, each, equal, model, provider},
};
use byok_simulator::Simulator;
use byok_types::Dialect;
use serde_json::{Value, json};

/// Whether the history of an upstream body carries sealed reasoning that its vendor made.
fn is_sealed(upstream: Dialect, body: &Value) -> bool {
    let items = |list: &Value| list.as_array().cloned().unwrap_or_default();
    match upstream {
        Dialect::Chat => false,
        Dialect::Responses => items(&body["input"]).iter().any(|item| item["encrypted_content"].is_string()),
        Dialect::Messages => items(&body["messages"])
            .iter()
            .flat_map(|message| items(&message["content"]))
            .any(|block| block["signature"].is_string() || block["type"] == "redacted_thinking"),
        Dialect::Gemini => items(&body["contents"])
            .iter()
            .flat_map(|content| items(&content["parts"]))
            .filter_map(|part| part["thoughtSignature"].as_str().map(str::to_owned))
            .any(|signature| !signature.starts_with("skip_")),
    }
}

#[tokio::test]
async fn sealed_reasoning_comes_back_to_its_vendor_through_every_client() {
    all(async |world, pair| {
        let mut ask =
            pair.ask("sim:thinking Weather first. sim:loop 2 sim:tool get_weather {\"city\":\"Oslo\"}");
        ask.tools = vec![super::tools::tool("get_weather", "city")];
        ask.think = Some(Think::Effort("high"));
        for _ in 0..2 {
            let said = pair.say(world, &ask).await?;
            equal("calls", &said.calls.len(), &1)?;
            ask = ask.answered(&said, &["rain"]);
        }
        pair.say(world, &ask).await?;
        let sealed = is_sealed(pair.upstream, &pair.upstream_body(world)?);
        equal("sealed", &sealed, &(pair.upstream != Dialect::Chat))
    })
    .await;
}

#[tokio::test]
async fn openais_seals_come_back_to_the_account_that_made_them() {
    let keys = |keys: &[&str]| keys.iter().map(|key| format!("sk-e2e-{key}")).collect::<Vec<_>>();
    let settings = |simulator: &Simulator, names: &[&str]| json!({"providers": {"my-responses": provider(Dialect::Responses, simulator, &keys(names))}});
    let world = World::of(|simulator| settings(simulator, &["a"]), |setup| setup).await;
    let start =
        async |names: &[&str]| Byok::start(config(&world.simulator, settings(&world.simulator, names))).await;
    let another = start(&["b"]).await;
    for client in [Dialect::Messages, Dialect::Gemini] {
        let pair = Pair { client, upstream: Dialect::Responses, stream: true };
        let mut ask = pair.ask("sim:thinking Hm. sim:tool get_weather {\"city\":\"Oslo\"}");
        ask.tools = vec![super::tools::tool("get_weather", "city")];
        ask.think = Some(Think::Effort("high"));
        let said = pair.say(&world, &ask).await.unwrap();
        let ask = ask.answered(&said, &["rain"]);
        let behind_another = start(&["b-sim-429", "a"]).await;
        for (byok, attempts, sealed) in
            [(&world.byok, "1", true), (&another, "1", false), (&behind_another, "2", true)]
        {
            let answer = dialect::call(client, &ask).send(byok.address()).await;
            assert_eq!(
                (answer.status, answer.header("x-byok-attempts")),
                (200, attempts),
                "{}",
                answer.text()
            );
            assert_eq!(
                is_sealed(pair.upstream, &pair.upstream_body(&world).unwrap()),
                sealed,
                "{pair} {attempts}"
            );
        }
    }
}

#[tokio::test]
async fn t129_the_name_of_a_model_may_ask_for_effort_in_every_dialect() {
    all(async |world, pair| {
        let asked = format!("{}(low)", pair.model());
        let mut ask = pair.ask("sim:thinking Hm. sim:text Yes.").model(&asked);
        ask.think = Some(Think::Effort("high"));
        let said = pair.say(world, &ask).await?;
        equal("model", &said.model, &asked)?;
        let body = pair.upstream_body(world)?;
        equal("effort", &super::answers::effort(pair.upstream, &body).as_deref(), &Some("low"))?;
        if pair.upstream != Dialect::Gemini {
            equal("model of the upstream", &body["model"], &model(pair.upstream).into())?;
        }
        Ok(())
    })
    .await;
}

/// A body that is right without the effort in the name is right with it.
#[tokio::test]
async fn effort_in_the_name_goes_with_sampling_and_with_the_beginning_of_an_answer() {
    let world = World::start().await;
    let user = json!({"role": "user", "content": "Go."});
    let begun = json!([user, {"role": "assistant", "content": "{"}]);
    for (name, members, dropped) in [
        ("claude-sonnet-4-5", json!({"temperature": 0}), ""),
        ("claude-sonnet-4-5-thinking-8000", json!({"temperature": 0}), "temperature"),
        ("claude-opus-4-6(high)", json!({"top_p": 0.5, "top_k": 5}), "top_k,top_p"),
        ("claude-sonnet-4-5(high)", json!({"temperature": 0, "messages": begun}), "model"),
    ] {
        let mut body =
            json!({"model": format!("my-messages/{name}"), "max_tokens": 16_000, "messages": [user]});
        for (key, value) in members.as_object().unwrap() {
            body[key] = value.clone();
        }
        let call = Call::post("/v1/messages", body.to_string()).header("anthropic-version", "2023-06-01");
        let answer = call.send(world.byok.address()).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        assert_eq!(answer.header("x-byok-dropped"), dropped, "{name}");
    }
}

/// Every level that byok knows of a model is one that the model takes.
#[tokio::test]
async fn a_model_that_can_be_told_not_to_think_is_told_so() {
    let world = World::start().await;
    for model in ["gpt-5.5(none)", "gpt-5.1(0)"] {
        for client in Dialect::ALL {
            let ask = Ask::new("Hello.").model(model);
            let answer = dialect::call(client, &ask).send(world.byok.address()).await;
            assert_eq!(answer.status, 200, "{client} {model}: {}", answer.text());
            assert_eq!(answer.header("x-byok-dropped"), "", "{client} {model}");
        }
    }
}

/// A history whose seal is broken, as the client of a dialect sends it.
fn broken(dialect: Dialect) -> (String, Value) {
    let name = model(dialect);
    let body = match dialect {
        Dialect::Messages => json!({
            "model": name, "max_tokens": 4096, "thinking": {"type": "adaptive"}, "messages": [
                {"role": "user", "content": "Go."},
                {"role": "assistant", "content": [
                    {"type": "thinking", "thinking": "Hm.", "signature": "EqQBbroken"},
                    {"type": "text", "text": "Yes."}]},
                {"role": "user", "content": "And now?"}],
        }),
        Dialect::Responses => json!({
            "model": format!("my-responses/{name}"), "store": false, "input": [
                {"role": "user", "content": "Go."},
                {"type": "reasoning", "summary": [], "encrypted_content": "gAAAAbroken"},
                {"role": "assistant", "content": [{"type": "output_text", "text": "Yes."}]},
                {"role": "user", "content": "And now?"}],
        }),
        Dialect::Gemini | Dialect::Chat => json!({
            "contents": [
                {"role": "user", "parts": [{"text": "Go."}]},
                {"role": "model", "parts": [
                    {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "YnJva2Vu"}]},
                {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"output": "x"}}}]}],
            "tools": [{"functionDeclarations": [{"name": "f", "description": "F."}]}],
        }),
    };
    let target = match dialect {
        Dialect::Messages => "/v1/messages".to_owned(),
        Dialect::Responses => "/v1/responses".to_owned(),
        Dialect::Gemini | Dialect::Chat => format!("/v1beta/models/{name}:generateContent"),
    };
    (target, body)
}

#[tokio::test]
async fn a_refused_seal_is_left_out_and_the_request_made_once_more() {
    let world = World::start().await;
    let dialects = [Dialect::Messages, Dialect::Responses, Dialect::Gemini];
    let cases = dialects.map(|dialect| Pair { client: dialect, upstream: dialect, stream: false });
    each(cases, async |pair| {
        let (target, body) = broken(pair.client);
        let answer = Call::post(target, body.to_string()).send(world.byok.address()).await;
        equal("status", &answer.status, &200).map_err(|error| format!("{error}: {}", answer.text()))?;
        equal("attempts", &answer.header("x-byok-attempts"), &"2")
    })
    .await;
    world.byok.logged("refused sealed reasoning").await;
}

#[tokio::test]
async fn t71_a_turn_without_its_reasoning_is_asked_for_once_more_without_a_budget() {
    let world = World::start().await;
    // The reasoning of another vendor, and of a model that shows none.
    let foreign = json!({"type": "thinking", "thinking": "t", "signature": "byok1:openai::Z0FBQUFB"});
    let call = json!({"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}});
    for turn in [json!([call]), json!([foreign, call])] {
        let body = json!({
            "model": "claude-sonnet-4-5", "max_tokens": 4096,
            "thinking": {"type": "enabled", "budget_tokens": 2000},
            "tools": [{"name": "f", "input_schema": {"type": "object"}}],
            "messages": [
                {"role": "user", "content": "Go."},
                {"role": "assistant", "content": turn},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "x"}]}],
        });
        let answer = Call::post("/v1/messages", body.to_string()).send(world.byok.address()).await;
        assert_eq!(answer.status, 200, "{turn}: {}", answer.text());
        let told = (answer.header("x-byok-attempts"), answer.header("x-byok-dropped"));
        assert_eq!(told, ("2", "thinking"), "{turn}");
    }
}

#[tokio::test]
async fn without_a_seal_to_leave_out_nothing_is_asked_for_once_more() {
    let world = World::start().await;
    // The words of the refusal are those of a refused seal.
    let body = json!({"model": "gpt-5.1", "input": "Hello.", "include": ["encrypted_content"]});
    let answer = Call::post("/v1/responses", body.to_string()).send(world.byok.address()).await;
    assert!(answer.text().contains("encrypted_content"), "{}", answer.text());
    assert_eq!((answer.status, answer.header("x-byok-attempts")), (400, "1"));
}

/// A Chat client of a model that gives its calls no ids: those that byok makes follow from the call.
#[tokio::test]
async fn conversations_that_begin_with_the_same_call_keep_their_own_reasoning() {
    let world = World::start().await;
    let pair = Pair { client: Dialect::Chat, upstream: Dialect::Gemini, stream: false };
    let mut asks = Vec::new();
    for project in ["one", "two"] {
        let wish =
            format!("sim:thinking About {project}. sim:no_ids sim:tool get_weather {{\"city\":\"Oslo\"}}");
        let mut ask = pair.ask(&wish);
        ask.tools = vec![super::tools::tool("get_weather", "city")];
        let said = pair.say(&world, &ask).await.unwrap();
        asks.push(ask.answered(&said, &["rain"]));
    }
    for ask in asks {
        pair.say(&world, &ask).await.unwrap();
        let body = pair.upstream_body(&world).unwrap();
        assert!(is_sealed(Dialect::Gemini, &body), "{body}");
        assert!(body["contents"][1].to_string().contains("functionCall"), "{body}");
        assert!(!body["contents"].to_string().contains("call_"), "no id was given: {body}");
    }
}
