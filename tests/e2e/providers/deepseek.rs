//! DeepSeek by key: a file of facts and nothing else.

use crate::support::{
    ask::{Ask, Think, Tool},
    client::{Answer, Call},
    dialect,
    world::World,
};
use byok_types::Dialect;
use serde_json::{Value, json};

async fn world() -> World {
    let key = |base: String| json!({"providers": {"deepseek": {"api_key": "sk-lenient", "base_url": base}}});
    World::of(|simulator| key(format!("{}/compat/deepseek", simulator.base_url())), |setup| setup).await
}

fn weather() -> Tool {
    let parameters =
        json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    Tool { name: "get_weather", parameters }
}

/// The answer, and the body that the vendor got.
async fn ask(world: &World, client: Dialect, ask: &Ask) -> (Answer, Value) {
    let answer = dialect::call(client, ask).send(world.byok.address()).await;
    assert_eq!(answer.status, 200, "{client}: {}", answer.text());
    let seen = world.simulator.requests().pop().unwrap();
    assert_eq!(seen.path, "/compat/deepseek/chat/completions");
    (answer, seen.json())
}

#[tokio::test]
async fn deepseek_is_told_what_it_wants_to_hear() {
    let world = world().await;
    for client in [Dialect::Messages, Dialect::Responses, Dialect::Gemini] {
        for (level, told) in [("low", "low"), ("medium", "high"), ("high", "high")] {
            let mut wish = Ask::new("sim:thinking Hm. sim:loop 1 sim:tool get_weather {\"city\":\"Oslo\"}");
            wish = wish.model("deepseek/deepseek-v4-pro").stream(true);
            wish.tools = vec![weather()];
            wish.think = Some(Think::Effort(level));
            let (answer, body) = ask(&world, client, &wish).await;
            let said = dialect::read(client, true, &answer).unwrap();
            assert_eq!(
                (&body["thinking"]["type"], &body["reasoning_effort"]),
                (&json!("enabled"), &json!(told))
            );
            let (_, body) = ask(&world, client, &wish.answered(&said, &["rain"])).await;
            let turns = body["messages"].as_array().unwrap();
            let calls = turns.iter().find(|turn| turn["tool_calls"].is_array()).unwrap();
            assert_eq!(calls["reasoning_content"], "Hm.", "{client}: {body}");
        }
        let off = Ask::new("Hello.").model("deepseek/deepseek-v4-pro(none)");
        let (_, body) = ask(&world, client, &off).await;
        assert_eq!((&body["thinking"]["type"], body.get("reasoning_effort")), (&json!("disabled"), None));
    }
    let list = Call::get("/v1/models/deepseek/any").send(world.byok.address()).await;
    assert_eq!(list.status, 404, "byok brings no names of its own");
}

#[tokio::test]
async fn pictures_are_refused_by_their_place_and_left_out_of_results() {
    let world = world().await;
    for (client, place) in [
        (Dialect::Messages, "messages[0].content[1]"),
        (Dialect::Responses, "input[0].content[1]"),
        (Dialect::Gemini, "contents[0].parts[1]"),
    ] {
        let before = world.simulator.request_count();
        let call = dialect::call(client, &super::picture("deepseek/deepseek-v4-pro"));
        let answer = call.send(world.byok.address()).await;
        assert_eq!(answer.status, 400, "{client}: {}", answer.text());
        assert!(answer.text().contains(place), "{client}: {}", answer.text());
        assert_eq!(world.simulator.request_count(), before, "{client}: nothing is sent");
    }
    let point =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    let body = json!({
        "model": "deepseek/deepseek-v4-pro(none)", "max_tokens": 500,
        "tools": [{"name": "look", "input_schema": {"type": "object"}}],
        "messages": [
            {"role": "user", "content": "Look."},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": [
                {"type": "text", "text": "a point"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": point}}]}]},
        ],
    });
    let answer = Call::post("/v1/messages", body.to_string()).send(world.byok.address()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(!answer.header("x-byok-dropped").is_empty(), "{:?}", answer.headers);
    let sent = world.simulator.requests().pop().unwrap().json().to_string();
    assert!(sent.contains("a point") && !sent.contains(point), "{sent}");
}
