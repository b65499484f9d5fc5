//! What the upstream gets: instructions, turns, pictures, limits, formats.

use super::{Stop, all, stop, stopped};
use crate::support::{
    ask::{Ask, Piece, Turn},
    client::Call,
    dialect,
    world::{Pair, World, each, equal, key, provider},
};
use byok_types::Dialect;
use serde_json::{Value, json};

/// A PNG of one pixel, in base64, and its size in bytes.
pub const PNG: (&str, usize) =
    ("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", 70);

/// The instructions at the top of a request.
fn instructions(upstream: Dialect, body: &Value) -> String {
    let texts = |list: &Value| -> Vec<String> {
        let items = list.as_array().into_iter().flatten();
        items.map(|item| item["text"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let leading = |list: &Value| -> Vec<String> {
        let items = list.as_array().into_iter().flatten();
        let top = items.take_while(|item| item["role"] == "system" || item["role"] == "developer");
        let words = top.map(|item| match &item["content"] {
            Value::String(text) => text.clone(),
            parts => texts(parts).concat(),
        });
        words.collect()
    };
    match upstream {
        Dialect::Chat => leading(&body["messages"]).join("\n\n"),
        Dialect::Responses => {
            let first = body["instructions"].as_str().map(str::to_owned);
            first.into_iter().chain(leading(&body["input"])).collect::<Vec<_>>().join("\n\n")
        }
        Dialect::Messages => match &body["system"] {
            Value::String(text) => text.clone(),
            blocks => texts(blocks).join("\n\n"),
        },
        Dialect::Gemini => texts(&body["systemInstruction"]["parts"]).join("\n\n"),
    }
}

#[tokio::test]
async fn instructions_stand_at_the_top_and_keep_their_order() {
    all(async |world, pair| {
        let ask = pair.ask("Hello.").with(|ask| {
            ask.system = vec!["Be brief.".to_owned(), "Be kind.".to_owned()];
            ask.developer = Some("Use metres.".to_owned());
        });
        pair.say(world, &ask).await?;
        let body = pair.upstream_body(world)?;
        equal("top", &instructions(pair.upstream, &body).as_str(), &"Be brief.\n\nBe kind.\n\nUse metres.")
    })
    .await;
}

#[tokio::test]
async fn instructions_in_the_middle_stay_there() {
    let world = World::start().await;
    // Only these dialects have a role for it.
    let has_role = |pair: &Pair| matches!(pair.client, Dialect::Chat | Dialect::Responses);
    each(Pair::all().into_iter().filter(has_role), async |pair| {
        let said = pair.say(&world, &pair.ask("First.")).await?;
        let ask = pair.ask("First.").with(|ask| {
            ask.turns.push(Turn::Said(said.kept.clone()));
            ask.turns.push(Turn::System("From now on in verse.".to_owned()));
            ask.turns.push(Turn::User(vec![Piece::Text("Second.".to_owned())]));
        });
        pair.say(&world, &ask).await?;
        let body = pair.upstream_body(&world)?.to_string();
        let place = |text: &str| body.rfind(text).ok_or_else(|| format!("`{text}` is lost: {body}"));
        let (first, middle, second) = (place("First.")?, place("From now on in verse.")?, place("Second.")?);
        equal("order", &(first < middle && middle < second), &true)
    })
    .await;
}

#[tokio::test]
async fn a_conversation_goes_on() {
    all(async |world, pair| {
        let first = pair.ask("My name is Ada.");
        let said = pair.say(world, &first).await?;
        let second = first.followed(&said, "What is my name?");
        let again = pair.say(world, &second).await?;
        let third = second.followed(&again, "And yours?");
        let last = pair.say(world, &third).await?;
        equal("last question", &last.text.contains("And yours?"), &true)?;
        let body = pair.upstream_body(world)?.to_string();
        for text in ["My name is Ada.", "What is my name?", "simulator,"] {
            equal(text, &body.contains(text), &true)?;
        }
        Ok(())
    })
    .await;
}

fn with_picture(pair: Pair, piece: Piece) -> Ask {
    pair.ask("").with(|ask| {
        ask.turns = vec![Turn::User(vec![Piece::Text(format!("What is this? {}", pair.mark())), piece])];
    })
}

#[tokio::test]
async fn pictures_arrive() {
    all(async |world, pair| {
        let said = pair.say(world, &with_picture(pair, Piece::Image("image/png", PNG.0.to_owned()))).await?;
        let wanted = format!("I see image/png of {} bytes.", PNG.1);
        equal(&wanted, &said.text.contains(&wanted), &true).map_err(|error| format!("{error}: {}", said.text))
    })
    .await;
}

#[tokio::test]
async fn a_lying_media_type_is_corrected_in_translation() {
    let world = World::start().await;
    each(Pair::all().into_iter().filter(|pair| !pair.passes()), async |pair| {
        let said =
            pair.say(&world, &with_picture(pair, Piece::Image("image/jpeg", PNG.0.to_owned()))).await?;
        equal("label", &said.text.contains("I see image/png"), &true)
    })
    .await;
}

#[tokio::test]
async fn pictures_by_address_arrive_or_are_refused_by_name() {
    all(async |world, pair| {
        let ask = with_picture(pair, Piece::Link("https://example.com/cat.png".to_owned()));
        // Gemini takes bytes only, and byok fetches nothing unless it is told to.
        if pair.upstream == Dialect::Gemini && !pair.passes() {
            let answer = pair.send(world, &ask).await;
            equal("status", &answer.status, &400)?;
            let fault = dialect::fault(pair.client, &answer.body)?;
            let field = match pair.client {
                Dialect::Chat | Dialect::Messages => "messages[0].content[1]",
                Dialect::Responses | Dialect::Gemini => "input[0].content[1]",
            };
            equal("field", &(fault.message.contains(field) || fault.param.contains(field)), &true)
                .map_err(|error| format!("{error}: {fault:?}"))?;
            return equal("nothing was sent", &world.seen(&pair.mark()).is_none(), &true);
        }
        pair.say(world, &ask).await?;
        let body = pair.upstream_body(world)?.to_string();
        equal("address", &body.contains("https://example.com/cat.png"), &true)
    })
    .await;
}

#[tokio::test]
async fn the_answer_ends_at_a_stop_sequence() {
    let world = World::start().await;
    // Responses has no stop sequences; towards it byok cuts the answer itself.
    each(Pair::all().into_iter().filter(|pair| pair.client != Dialect::Responses), async |pair| {
        let ask = pair
            .ask("sim:split 1 sim:text one two STOP three")
            .with(|ask| ask.stops = vec!["STOP".to_owned(), "never".to_owned()]);
        let said = pair.say(&world, &ask).await?;
        equal("text", &said.text.trim_end(), &"one two")?;
        if pair.client == Dialect::Messages && matches!(pair.upstream, Dialect::Messages | Dialect::Responses)
        {
            equal("stop", &said.stop.as_str(), &"stop_sequence")?;
            return equal("sequence", &said.sequence.as_deref(), &Some("STOP"));
        }
        stopped(pair, &said, Stop::End)
    })
    .await;
}

#[tokio::test]
async fn an_answer_of_a_declared_shape() {
    let schema = json!({
        "type": "object", "properties": {"city": {"type": "string"}, "degrees": {"type": "integer"}},
        "required": ["city", "degrees"], "additionalProperties": false,
    });
    all(async |world, pair| {
        let ask = pair.ask("How warm is it?").with(|ask| ask.schema = Some(schema.clone()));
        let said = pair.say(world, &ask).await?;
        let document: Value = serde_json::from_str(&said.text).map_err(|e| format!("{e}: {}", said.text))?;
        equal("shape", &(document["city"].is_string() && document["degrees"].is_i64()), &true)?;
        stopped(pair, &said, Stop::End)
    })
    .await;
}

#[tokio::test]
async fn an_answer_is_cut_at_the_token_limit() {
    all(async |world, pair| {
        let ask = pair.ask("sim:long 100").with(|ask| ask.max_tokens = Some(16));
        let said = pair.say(world, &ask).await?;
        equal("words", &said.text.matches("word").count(), &16)?;
        stopped(pair, &said, Stop::Length)
    })
    .await;
}

#[tokio::test]
async fn a_call_that_the_token_limit_cut_is_not_complete() {
    all(async |world, pair| {
        let long = "x".repeat(400);
        let ask = pair.ask(&format!("sim:tool note {{\"text\":\"{long}\"}}")).with(|ask| {
            ask.max_tokens = Some(16);
            ask.tools = vec![super::tools::tool("note", "text")];
        });
        let said = pair.say(world, &ask).await?;
        equal("stop", &said.stop.as_str(), &stop(pair.client, Stop::Length))
    })
    .await;
}

#[tokio::test]
async fn tokens_are_counted() {
    let world = World::start().await;
    counts(&world, "").await;
    // What a name asks for must not put a setting of the answer into what is counted.
    counts(&world, "(high)").await;
}

async fn counts(world: &World, effort: &str) {
    // Chat has no endpoint for it.
    let pairs = Pair::all().into_iter().filter(|pair| !pair.stream && pair.client != Dialect::Chat);
    each(pairs, async |pair| {
        let mut ask = pair.ask("How many tokens are these words in a row?");
        ask.model += effort;
        let (target, mut body, field) = match pair.client {
            Dialect::Messages => (
                "/v1/messages/count_tokens?beta=true".to_owned(),
                dialect::messages::body(&ask),
                "input_tokens",
            ),
            Dialect::Gemini => (
                format!("/v1beta/models/{}:countTokens", ask.model),
                dialect::gemini::body(&ask),
                "totalTokens",
            ),
            _ => ("/v1/responses/input_tokens".to_owned(), dialect::responses::body(&ask), "input_tokens"),
        };
        for name in ["max_tokens", "store", "include"] {
            body.as_object_mut().and_then(|body| body.remove(name));
        }
        let call = Call::post(target, body.to_string()).header("anthropic-version", "2023-06-01");
        let answer = call.send(world.byok.address()).await;
        equal("status", &answer.status, &200).map_err(|error| format!("{error}: {}", answer.text()))?;
        let count = answer.json()[field].as_u64().ok_or_else(|| answer.text())?;
        equal("count", &(5..200).contains(&count), &true).map_err(|error| format!("{error}: {count}"))
    })
    .await;
}

#[tokio::test]
async fn tokens_for_a_model_that_does_not_exist_are_not_estimated() {
    let world = World::start().await;
    let body = json!({"model": "claude-does-not-exist", "messages": [{"role": "user", "content": "Hello"}]});
    let call = Call::post("/v1/messages/count_tokens", body.to_string());
    let answer = call.header("anthropic-version", "2023-06-01").send(world.byok.address()).await;
    assert_eq!(answer.status, 404, "{}", answer.text());
    assert_eq!(answer.json()["error"]["type"], "not_found_error");
}

#[tokio::test]
async fn servers_of_the_settings_count_if_they_can() {
    let world = World::of(
        |simulator| {
            let bare = format!("{}/compat/bare", simulator.base_url());
            json!({"providers": {"bare": {"kind": "anthropic", "api_key": "sk-ant-api03-bare", "base_url": bare}}})
        },
        |setup| setup,
    )
    .await;
    let count = async |provider: &str| {
        let model = format!("{provider}/claude-sonnet-4-6");
        let body =
            json!({"model": model, "messages": [{"role": "user", "content": "How many tokens are these?"}]});
        let call = Call::post("/v1/messages/count_tokens", body.to_string());
        let answer = call.header("anthropic-version", "2023-06-01").send(world.byok.address()).await;
        assert_eq!(answer.status, 200, "{provider}: {}", answer.text());
        assert!(answer.json()["input_tokens"].as_u64() > Some(0), "{provider}: {}", answer.text());
        let estimated = answer.headers.contains_key("x-byok-usage");
        (estimated, world.simulator.request_count())
    };
    assert_eq!(count("my-messages").await, (false, 1));
    // One that cannot is asked once, and serves on.
    assert_eq!(count("bare").await, (true, 2));
    assert_eq!(count("bare").await, (true, 2));
    let ask = Ask::new("Hello.").model("bare/claude-sonnet-4-6");
    let answer = dialect::call(Dialect::Messages, &ask).send(world.byok.address()).await;
    assert_eq!((answer.status, answer.header("x-byok-attempts")), (200, "1"), "{}", answer.text());

    let body = json!({"contents": [{"role": "user", "parts": [{"text": "How many tokens are these?"}]}]});
    let target = "/v1beta/models/my-gemini/gemini-3.5-flash:countTokens";
    let answer = Call::post(target, body.to_string()).send(world.byok.address()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(!answer.headers.contains_key("x-byok-usage"), "{}", answer.text());
}

#[tokio::test]
async fn a_responses_body_on_the_chat_route_is_answered_as_chat() {
    // Some editors write to one and read from the other.
    let world = World::start().await;
    each(Pair::all().into_iter().filter(|pair| pair.client == Dialect::Chat), async |pair| {
        let ask = pair.ask("Where am I?");
        let mut body = dialect::responses::body(&ask);
        body["stream_options"] = json!({"include_usage": true});
        if !pair.stream {
            body.as_object_mut().and_then(|body| body.remove("stream_options"));
        }
        let answer = Call::post("/v1/chat/completions", body.to_string()).send(world.byok.address()).await;
        let said = dialect::read(Dialect::Chat, pair.stream, &answer)?;
        equal("echo", &said.text.contains("Where am I?"), &true)
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_said_is_named_or_refused() {
    let world = World::of(
        |simulator| {
            let mut strict = provider(Dialect::Messages, simulator, &[key(Dialect::Messages, "-strict")]);
            strict["strict_translation"] = json!(true);
            json!({"providers": {"strict": strict}})
        },
        |setup| setup,
    )
    .await;
    for (name, status) in [("claude", 200), ("strict", 400)] {
        let mut ask = Ask::new("Hello.").model(&format!("{name}/claude-sonnet-4-6"));
        ask.extra.insert("seed".to_owned(), json!(7));
        ask.extra.insert("logit_bias".to_owned(), json!({"50256": -100}));
        let answer = dialect::call(Dialect::Chat, &ask).send(world.byok.address()).await;
        assert_eq!(answer.status, status, "{name}: {}", answer.text());
        let named = if status == 200 { answer.header("x-byok-dropped").to_owned() } else { answer.text() };
        assert!(named.contains("seed") || named.contains("logit_bias"), "{name}: {named}");
        assert_eq!(named.contains("seed") && named.contains("logit_bias"), status == 200, "{name}: {named}");
    }
}

/// Later turns of a thread have only what is new. Who does not keep it must not answer them.
#[tokio::test]
async fn a_thread_is_refused_where_claude_does_not_answer() {
    let world = World::start().await;
    for thread in [json!({"type": "create"}), json!({"type": "continue", "previous_message_id": "msg_1"})] {
        for (model, kept) in
            [("claude-sonnet-4-6", true), ("my-messages/claude-sonnet-4-6", false), ("codex/gpt-5.1", false)]
        {
            let body = json!({
                "model": model, "max_tokens": 9, "thread": thread, "messages": [{"role": "user", "content": "Hi."}],
            });
            let answer = Call::post("/v1/messages", body.to_string())
                .header("anthropic-beta", "message-threads-2026-08-12")
                .send(world.byok.address())
                .await;
            let sent = world.seen("\"thread\"").is_some();
            assert_eq!(sent, kept, "{model}: {}", answer.text());
            world.simulator.clear_requests();
            if !kept {
                let error = &answer.json()["error"];
                assert_eq!(answer.status, 400, "{model}: {}", answer.text());
                assert_eq!(error["details"]["error_code"], "thread_unsupported_request", "{error}");
                assert!(error["message"].as_str().unwrap().contains("whole conversation"), "{error}");
            }
        }
    }
}
