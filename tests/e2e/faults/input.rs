//! Nonsense from clients: a clear error in the right dialect, or a clean close; and byok goes on serving.

use crate::support::{
    ask::Ask,
    client::{Answer, Call, Raw},
    dialect,
    world::{Pair, World, each, equal},
};
use byok_types::Dialect;
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use std::io::Write;

/// A POST of raw bytes in a dialect.
fn post(dialect: Dialect, model: &str, body: impl Into<bytes::Bytes>) -> Call {
    let target = match dialect {
        Dialect::Chat => "/v1/chat/completions".to_owned(),
        Dialect::Responses => "/v1/responses".to_owned(),
        Dialect::Messages => "/v1/messages".to_owned(),
        Dialect::Gemini => format!("/v1beta/models/{model}:generateContent"),
    };
    Call::post(target, body)
}

/// A good body in a dialect.
fn good(pair: Pair) -> Value {
    let ask = pair.ask("Hello.");
    match pair.client {
        Dialect::Chat => dialect::chat::body(&ask),
        Dialect::Responses => dialect::responses::body(&ask),
        Dialect::Messages => dialect::messages::body(&ask),
        Dialect::Gemini => dialect::gemini::body(&ask),
    }
}

/// A refusal of the client's own making: status, JSON, in its dialect.
fn refused(dialect: Dialect, answer: &Answer, status: u16) -> Result<(), String> {
    equal("status", &answer.status, &status).map_err(|error| format!("{error}: {}", answer.text()))?;
    let fault = dialect::fault(dialect, &answer.body)?;
    equal("a sentence", &(fault.message.len() > 12), &true).map_err(|error| format!("{error}: {fault:?}"))
}

async fn still_serves(world: &World) {
    for dialect in Dialect::ALL {
        let pair = Pair { client: dialect, upstream: Dialect::Messages, stream: true };
        let said = pair.say(world, &pair.ask("Still there?")).await.unwrap_or_else(|error| panic!("{error}"));
        assert!(said.text.contains("Still there?"));
    }
}

fn whole() -> Vec<Pair> {
    Pair::all().into_iter().filter(|pair| !pair.stream).collect()
}

#[tokio::test]
async fn bodies_that_are_no_json() {
    let world = World::start().await;
    let nested = |open: &str| {
        let close: String = open.chars().rev().map(|c| if c == '[' { ']' } else { '}' }).collect();
        format!("{}{}", open.repeat(10_000), close.repeat(10_000))
    };
    let cases: [(&str, Vec<u8>); 9] = [
        ("empty", Vec::new()),
        ("truncated", b"{\"model\":\"my-chat/gpt-5.1\",\"messages\":[{\"role\":\"us".to_vec()),
        ("a list", b"[]".to_vec()),
        ("a text", b"\"hello\"".to_vec()),
        ("no UTF-8", b"{\"model\":\"\xff\xfe\"}".to_vec()),
        ("two documents", b"{\"model\":\"a\"}{\"model\":\"b\"}".to_vec()),
        ("a form", b"model=gpt&stream=true".to_vec()),
        ("nested arrays", nested("[").into_bytes()),
        (
            "nested arrays in a member",
            format!("{{\"model\":\"my-chat/gpt-5.1\",\"messages\":{}}}", nested("[")).into_bytes(),
        ),
    ];
    for (case, body) in cases {
        // Where the model stands in the path byok looks at the structure only; the vendor then says that it is no UTF-8.
        let dialects =
            Dialect::ALL.into_iter().filter(|dialect| case != "no UTF-8" || *dialect != Dialect::Gemini);
        each(dialects, async |dialect| {
            let answer = post(dialect, "gemini-3.5-flash", body.clone()).send(world.byok.address()).await;
            refused(dialect, &answer, 400).map_err(|error| format!("{case}: {error}"))
        })
        .await;
    }
    let passed: Vec<_> = world.simulator.requests().into_iter().map(|seen| (seen.path, seen.body)).collect();
    assert!(passed.is_empty(), "{passed:?}");
    still_serves(&world).await;
}

#[tokio::test]
async fn names_of_models_that_are_none() {
    let world = World::start().await;
    let long = "m".repeat(10 << 10);
    for (case, model, status) in [
        ("empty", json!(""), 400),
        ("blank", json!("  "), 400),
        ("10 KB", json!(long), 400),
        ("a number", json!(5), 400),
        ("null", json!(null), 400),
    ] {
        each(Dialect::ALL.into_iter().filter(|dialect| *dialect != Dialect::Gemini), async |dialect| {
            let mut body = good(Pair { client: dialect, upstream: Dialect::Chat, stream: false });
            body["model"] = model.clone();
            let answer = post(dialect, "", body.to_string()).send(world.byok.address()).await;
            refused(dialect, &answer, status).map_err(|error| format!("{case}: {error}"))?;
            let fault = dialect::fault(dialect, &answer.body)?;
            equal("named", &fault.message.contains("model"), &true)
        })
        .await;
    }
    for (target, status) in [
        (format!("/v1beta/models/{long}:generateContent"), 400),
        ("/v1beta/models/:generateContent".to_owned(), 400),
    ] {
        let answer = Call::post(target, "{\"contents\":[{\"parts\":[{\"text\":\"Hi.\"}]}]}")
            .send(world.byok.address())
            .await;
        refused(Dialect::Gemini, &answer, status).unwrap();
    }
}

#[tokio::test]
async fn wrong_types_in_every_member() {
    let world = World::start().await;
    let members = |dialect: Dialect| -> &[&str] {
        match dialect {
            Dialect::Chat => &[
                "messages",
                "stream",
                "tools",
                "tool_choice",
                "temperature",
                "top_p",
                "max_tokens",
                "max_completion_tokens",
                "stop",
                "n",
                "response_format",
                "reasoning_effort",
                "parallel_tool_calls",
                "stream_options",
                "metadata",
                "seed",
                "user",
                "logit_bias",
                "presence_penalty",
                "logprobs",
            ],
            Dialect::Responses => &[
                "input",
                "stream",
                "tools",
                "tool_choice",
                "temperature",
                "max_output_tokens",
                "text",
                "reasoning",
                "instructions",
                "include",
                "parallel_tool_calls",
                "metadata",
                "store",
                "previous_response_id",
                "top_p",
            ],
            Dialect::Messages => &[
                "messages",
                "stream",
                "tools",
                "tool_choice",
                "max_tokens",
                "stop_sequences",
                "system",
                "thinking",
                "output_config",
                "metadata",
                "temperature",
                "top_k",
            ],
            Dialect::Gemini => &[
                "contents",
                "tools",
                "toolConfig",
                "generationConfig",
                "systemInstruction",
                "safetySettings",
            ],
        }
    };
    // Neither an object with such a member, nor this number, nor a list of it is right anywhere.
    let wrong = [json!({"wrong": 1}), json!(-7.5), json!([[7]])];
    each(whole().into_iter().filter(|pair| !pair.passes()), async |pair| {
        let mut accepted = Vec::new();
        for member in members(pair.client) {
            for value in &wrong {
                let mut body = good(pair);
                body[*member] = value.clone();
                let answer =
                    post(pair.client, &pair.model(), body.to_string()).send(world.byok.address()).await;
                if answer.status == 200 {
                    accepted.push(format!("{member}={value}"));
                    continue;
                }
                refused(pair.client, &answer, 400).map_err(|error| format!("{member}={value}: {error}"))?;
                let text = answer.text();
                equal("named", &text.contains(member), &true)
                    .map_err(|e| format!("{member}={value}: {e}: {text}"))?;
            }
        }
        // An object with a member that nobody knows is no wrong type where an object is due, and some members may hold
        // any number or are passed over where the upstream has no such thing.
        let objects = [
            "tool_choice",
            "response_format",
            "stream_options",
            "logit_bias",
            "metadata",
            "text",
            "reasoning",
            "thinking",
            "output_config",
            "toolConfig",
            "generationConfig",
            "systemInstruction",
            "instructions",
            "tools",
        ];
        let loose = [
            "temperature=-7.5",
            "top_p=-7.5",
            "top_k=-7.5",
            "presence_penalty=-7.5",
            "logit_bias=",
            "safetySettings=",
        ];
        accepted.retain(|case| {
            let object = case.strip_suffix("={\"wrong\":1}").is_some_and(|member| objects.contains(&member));
            !object && !loose.iter().any(|start| case.starts_with(start))
        });
        equal("accepted", &accepted.join(", ").as_str(), &"")
    })
    .await;
    still_serves(&world).await;
}

#[tokio::test]
async fn conversations_that_are_none() {
    let world = World::start().await;
    type Change = fn(Dialect, &mut Value);
    let cases: [(&str, Change); 3] = [
        ("no messages", |dialect, body| body[turns(dialect)] = json!([])),
        ("an unknown role", |dialect, body| body[turns(dialect)][0]["role"] = json!("wizard")),
        ("no conversation", |dialect, body| drop(body.as_object_mut().unwrap().remove(turns(dialect)))),
    ];
    for (case, change) in cases {
        // Responses may be asked to go on without any input; instructions are enough.
        let pairs =
            whole().into_iter().filter(|pair| case != "no messages" || pair.client != Dialect::Responses);
        each(pairs, async |pair| {
            let mut body = good(pair);
            change(pair.client, &mut body);
            let answer = post(pair.client, &pair.model(), body.to_string()).send(world.byok.address()).await;
            equal("status", &answer.status, &400)
                .map_err(|error| format!("{case}: {error}: {}", answer.text()))?;
            dialect::fault(pair.client, &answer.body).map(drop)
        })
        .await;
    }
    still_serves(&world).await;
}

/// The member that holds the turns.
fn turns(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Chat | Dialect::Messages => "messages",
        Dialect::Responses => "input",
        Dialect::Gemini => "contents",
    }
}

#[tokio::test]
async fn the_result_of_a_tool_that_nobody_called() {
    let world = World::start().await;
    each(whole().into_iter().filter(|pair| !pair.passes()), async |pair| {
        let mut body = good(pair);
        let orphan = match pair.client {
            Dialect::Chat => json!({"role": "tool", "tool_call_id": "call_nobody", "content": "forty-two"}),
            Dialect::Responses => {
                json!({"type": "function_call_output", "call_id": "call_nobody", "output": "forty-two"})
            }
            Dialect::Messages => json!({"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_nobody", "content": "forty-two"},
            ]}),
            Dialect::Gemini => json!({"role": "user", "parts": [
                {"functionResponse": {"name": "nobody", "response": {"output": "forty-two"}}},
            ]}),
        };
        body[turns(pair.client)].as_array_mut().unwrap().insert(0, orphan);
        let answer = post(pair.client, &pair.model(), body.to_string()).send(world.byok.address()).await;
        // The vendors would refuse it; byok turns it into words, so that nothing is lost.
        dialect::read(pair.client, false, &answer)?;
        let sent = pair.upstream_body(&world)?.to_string();
        equal("kept", &sent.contains("forty-two"), &true).map_err(|error| format!("{error}: {sent}"))
    })
    .await;
}

#[tokio::test]
async fn a_body_of_70_mb_is_refused_and_costs_no_memory() {
    let world = World::start().await;
    let text = "x".repeat(70_000_000);
    for dialect in Dialect::ALL {
        let body =
            post(dialect, "gemini-3.5-flash", json!({"model": "my-chat/gpt-5.1", "x": text}).to_string());
        let answer = body.send(world.byok.address()).await;
        refused(dialect, &answer, 413).unwrap_or_else(|error| panic!("{dialect}: {error}"));
    }
    // The same without a length in front.
    let mut raw = Raw::open(world.byok.address()).await;
    raw.write("POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n").await;
    let chunk = format!("100000\r\n{}\r\n", "x".repeat(0x10_0000));
    raw.write("100000\r\n").await;
    raw.write(format!("{{\"model\":\"{}\r\n", "x".repeat(0x10_0000 - 10))).await;
    for _ in 0..70 {
        raw.write(&chunk).await;
    }
    raw.write("0\r\n\r\n").await;
    let answer = raw.rest().await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(world.byok.peak_memory() < 300 << 20, "{} MB", world.byok.peak_memory() >> 20);
    still_serves(&world).await;
}

#[tokio::test]
async fn a_bomb_in_the_body_is_refused() {
    let world = World::start().await;
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    let block = vec![b' '; 1 << 20];
    packed.write_all(b"{").unwrap();
    for _ in 0..200 {
        packed.write_all(&block).unwrap();
    }
    packed.write_all(b"\"model\":\"my-chat/gpt-5.1\"}").unwrap();
    let bomb = packed.finish().unwrap();
    each(Dialect::ALL, async |dialect| {
        let call = post(dialect, "gemini-3.5-flash", bomb.clone()).header("content-encoding", "gzip");
        refused(dialect, &call.send(world.byok.address()).await, 413)
    })
    .await;
    for encoding in ["gzip, gzip", "br", "rot13"] {
        let call = post(Dialect::Chat, "", bomb.clone()).header("content-encoding", encoding);
        refused(Dialect::Chat, &call.send(world.byok.address()).await, 415).unwrap();
    }
    let broken = post(Dialect::Chat, "", "no gzip at all").header("content-encoding", "gzip");
    refused(Dialect::Chat, &broken.send(world.byok.address()).await, 400).unwrap();
    assert!(world.byok.peak_memory() < 300 << 20, "{} MB", world.byok.peak_memory() >> 20);
}

#[tokio::test]
async fn a_packed_body_is_unpacked() {
    let world = World::start().await;
    each(whole(), async |pair| {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(good(pair).to_string().as_bytes()).map_err(|error| error.to_string())?;
        let body = packed.finish().map_err(|error| error.to_string())?;
        let call = post(pair.client, &pair.model(), body).header("content-encoding", "gzip");
        let call = call.header("anthropic-version", "2023-06-01");
        dialect::read(pair.client, false, &call.send(world.byok.address()).await).map(drop)
    })
    .await;
}

#[tokio::test]
async fn heads_that_are_too_large() {
    let world = World::start().await;
    let address = world.byok.address();
    let head = "GET /v1/models HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n";
    let many: String = (0..300).map(|number| format!("x-{number}: 1\r\n")).collect();
    for (case, more) in
        [("100 KB in one field", format!("x: {}\r\n", "x".repeat(100 << 10))), ("300 fields", many)]
    {
        let answer = Raw::talk(address, format!("{head}{more}\r\n")).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{case}: {answer}");
    }
    let target =
        format!("GET /{} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n", "x".repeat(100 << 10));
    let answer = Raw::talk(address, target).await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 414") || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
    still_serves(&world).await;
}

#[tokio::test]
async fn requests_that_two_servers_could_read_differently() {
    let world = World::start().await;
    let address = world.byok.address();
    let head = "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    let smuggled = "GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let cases = [
        (
            "length and chunks",
            format!("{head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"),
        ),
        ("two lengths", format!("{head}content-length: 2\r\ncontent-length: 60\r\n\r\n{{}}{smuggled}")),
        ("an unknown coding", format!("{head}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n{smuggled}")),
        ("a negative length", format!("{head}content-length: -1\r\n\r\n{smuggled}")),
        ("a huge length", format!("{head}content-length: 99999999999999999999\r\n\r\n{smuggled}")),
        ("a folded field", format!("{head}x: a\r\n b\r\ncontent-length: 0\r\n\r\n")),
        ("a space before the colon", format!("{head}content-length : 0\r\n\r\n")),
        ("no line ends", format!("{}\n\n", head.replace("\r\n", "\r"))),
    ];
    for (case, request) in cases {
        let mut raw = Raw::open(address).await;
        raw.write(request).await;
        let answer = String::from_utf8_lossy(&raw.some(1 << 16).await).into_owned();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{case}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), usize::from(!answer.is_empty()), "{case}: {answer}");
        assert!(!answer.contains("\"object\":\"list\""), "{case}: {answer}");
    }
    assert_eq!(world.simulator.request_count(), 0);
    still_serves(&world).await;
}

#[tokio::test]
async fn two_requests_at_once_on_one_connection_get_their_answers_in_order() {
    let world = World::start().await;
    let body = |text: &str| {
        let ask = Ask::new(text).model("my-chat/gpt-5.1");
        let body = dialect::chat::body(&ask).to_string();
        format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n",
            body.len()
        ) + &format!("{}\r\n{body}", if text == "second" { "connection: close\r\n" } else { "" })
    };
    let answer = Raw::talk(world.byok.address(), body("first") + &body("second")).await;
    assert_eq!(answer.matches("HTTP/1.1 200").count(), 2, "{answer}");
    assert!(answer.find("“first”").unwrap() < answer.find("“second”").unwrap());
}

#[tokio::test]
async fn the_settings_say_how_deep_json_may_be() {
    let body = |levels: usize| {
        let deep = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let schema = format!(r#"{{"type":"object","properties":{{}},"x-deep":{deep}}}"#);
        format!(
            r#"{{"model":"my-chat/gpt-5.1","messages":[{{"role":"user","content":"Hello."}}],"tools":[{{"type":"function","function":{{"name":"f","parameters":{schema}}}}}]}}"#
        )
    };
    // Five levels stand around it.
    for (settings, levels, status) in [
        (json!({}), 60, 200),
        (json!({"limits": {"json_depth": 20}}), 10, 200),
        (json!({"limits": {"json_depth": 20}}), 60, 400),
    ] {
        let world = World::with(settings).await;
        let answer = post(Dialect::Chat, "", body(levels)).send(world.byok.address()).await;
        assert_eq!(answer.status, status, "{levels}: {}", answer.text());
        assert_eq!(answer.text().contains("20 levels"), status == 400, "{}", answer.text());
        still_serves(&world).await;
    }
}
