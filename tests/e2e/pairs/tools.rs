//! Function tools: parallel calls, their results, and what the client may demand.

use super::{Stop, all, stopped};
use crate::support::{
    ask::{Choice, Think, Tool},
    dialect,
    world::{Pair, World, each, equal},
};
use byok_types::Dialect;
use serde_json::json;

/// A tool with one text parameter.
pub fn tool(name: &'static str, parameter: &str) -> Tool {
    let parameters = json!({
        "type": "object", "properties": {parameter: {"type": "string", "description": "What is asked for."}},
        "required": [parameter],
    });
    Tool { name, parameters }
}

fn weather_and_time() -> Vec<Tool> {
    vec![tool("get_weather", "city"), tool("get_time", "tz")]
}

const BOTH: &str = "sim:text Checking. sim:tool get_weather {\"city\":\"Oslo ☂ \\\"N\\\"\"} sim:tool get_time {\"tz\":\"CET\"}";

#[tokio::test]
async fn parallel_calls_and_their_results() {
    all(async |world, pair| {
        let ask = pair.ask(BOTH).with(|ask| ask.tools = weather_and_time());
        let said = pair.say(world, &ask).await?;
        equal("text", &said.text.as_str(), &"Checking.")?;
        let calls: Vec<_> =
            said.calls.iter().map(|call| (call.name.as_str(), call.arguments.clone())).collect();
        let wanted =
            vec![("get_weather", json!({"city": "Oslo ☂ \"N\""})), ("get_time", json!({"tz": "CET"}))];
        equal("calls", &calls, &wanted)?;
        equal("ids differ", &(said.calls[0].id != said.calls[1].id), &true)?;
        stopped(pair, &said, Stop::Tools)?;
        let next = pair.say(world, &ask.answered(&said, &["heavy rain", "half past noon"])).await?;
        for result in ["heavy rain", "half past noon"] {
            equal(result, &next.text.contains(result), &true).map_err(|e| format!("{e}: {}", next.text))?;
        }
        stopped(pair, &next, Stop::End)
    })
    .await;
}

#[tokio::test]
async fn thinking_and_calls_together_over_several_rounds() {
    all(async |world, pair| {
        let mut ask =
            pair.ask("sim:thinking First the weather. sim:loop 3 sim:tool get_weather {\"city\":\"Oslo\"}");
        ask.tools = weather_and_time();
        ask.think = Some(Think::Effort("medium"));
        for round in 1..=3 {
            let said = pair.say(world, &ask).await.map_err(|error| format!("round {round}: {error}"))?;
            equal("calls", &said.calls.len(), &1).map_err(|error| format!("round {round}: {error}"))?;
            ask = ask.answered(&said, &["rain"]);
        }
        let said = pair.say(world, &ask).await?;
        equal("calls", &said.calls.len(), &0)?;
        stopped(pair, &said, Stop::End)
    })
    .await;
}

#[tokio::test]
async fn a_call_without_arguments_has_an_empty_object() {
    all(async |world, pair| {
        let ask = pair.ask("sim:empty_args get_time").with(|ask| {
            ask.tools =
                vec![Tool { name: "get_time", parameters: json!({"type": "object", "properties": {}}) }];
        });
        let said = pair.say(world, &ask).await?;
        equal("calls", &said.calls.len(), &1)?;
        equal("arguments", &said.calls[0].arguments, &json!({}))?;
        pair.say(world, &ask.answered(&said, &["noon"])).await.map(drop)
    })
    .await;
}

#[tokio::test]
async fn the_client_may_demand_or_forbid_calls() {
    let table: [(Choice, &[&str]); 3] =
        [(Choice::None, &[]), (Choice::Any, &["get_weather"]), (Choice::Named("get_time"), &["get_time"])];
    let world = World::start().await;
    for (choice, wanted) in table {
        each(Pair::all(), async |pair| {
            let ask = pair.ask("Hello.").with(|ask| {
                ask.tools = weather_and_time();
                ask.choice = choice.clone();
            });
            let said = pair.say(&world, &ask).await.map_err(|error| format!("{choice:?}: {error}"))?;
            let names: Vec<&str> = said.calls.iter().map(|call| call.name.as_str()).collect();
            equal(&format!("{choice:?}"), &names.as_slice(), &wanted)
        })
        .await;
    }
}

#[tokio::test]
async fn one_call_at_a_time_where_the_upstream_can_be_told_so() {
    let world = World::start().await;
    each(Pair::all().into_iter().filter(|pair| pair.client != Dialect::Gemini), async |pair| {
        let ask = pair.ask("sim:tools").with(|ask| {
            ask.tools = weather_and_time();
            ask.single_call = true;
        });
        let answer = pair.send(&world, &ask).await;
        let said = dialect::read(pair.client, pair.stream, &answer)?;
        if pair.upstream == Dialect::Gemini {
            let dropped = answer.header("x-byok-dropped");
            return equal("told", &dropped.contains("parallel"), &true)
                .map_err(|e| format!("{e}: {dropped:?}"));
        }
        equal("calls", &said.calls.len(), &1)
    })
    .await;
}

#[tokio::test]
async fn long_names_come_back_whole() {
    // 77 characters, which Anthropic takes and the others do not.
    const LONG: &str = "mcp__a_server_with_a_long_name__a_tool_whose_name_says_everything_that_it_does";
    let world = World::start().await;
    each(Pair::all().into_iter().filter(|pair| pair.client == Dialect::Messages), async |pair| {
        let ask = pair.ask("Hello.").with(|ask| {
            ask.tools = vec![tool("get_time", "tz"), tool(LONG, "query")];
            ask.choice = Choice::Named(LONG);
        });
        let said = pair.say(&world, &ask).await?;
        equal("name", &said.calls.first().map(|call| call.name.as_str()), &Some(LONG))?;
        let mut next = ask.answered(&said, &["found it"]);
        next.choice = Choice::Unset;
        let said = pair.say(&world, &next).await?;
        equal("result", &said.text.contains("found it"), &true)
    })
    .await;
}
