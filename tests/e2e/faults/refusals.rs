//! Failures before the first byte: told in the client's dialect, or mended by another key.

use super::{case, named, providers, world_of_troubles};
use crate::support::{
    ask::{Ask, Fault, Said},
    client::Answer,
    dialect,
    world::{Pair, World, each, equal, key, model},
};
use byok_types::Dialect;
use serde_json::json;
use std::fmt;

/// A scenario, and what the client is told: status, and `type` and `code` in OpenAI's dialects, `type` in Anthropic's,
/// `status` in Google's. An empty word is not checked.
type Told = (&'static str, u16, (&'static str, &'static str), &'static str, &'static str);

const TOLD: [Told; 9] = [
    ("400", 400, ("invalid_request_error", ""), "invalid_request_error", "INVALID_ARGUMENT"),
    ("404", 404, ("invalid_request_error", ""), "not_found_error", "NOT_FOUND"),
    (
        "context",
        400,
        ("invalid_request_error", "context_length_exceeded"),
        "invalid_request_error",
        "INVALID_ARGUMENT",
    ),
    ("429 7", 429, ("", "rate_limit_exceeded"), "rate_limit_error", "RESOURCE_EXHAUSTED"),
    ("quota", 429, ("", ""), "", "RESOURCE_EXHAUSTED"),
    ("500", 500, ("server_error", ""), "api_error", "INTERNAL"),
    ("503", 503, ("", ""), "", "UNAVAILABLE"),
    ("504", 504, ("", ""), "timeout_error", "DEADLINE_EXCEEDED"),
    ("529", 529, ("", ""), "overloaded_error", "UNAVAILABLE"),
];

/// Asks the vendor itself, with the key of the case.
async fn vendor(world: &World, pair: Pair, wish: &str) -> Answer {
    let key = key(pair.upstream, &format!("-sim-{}", wish.replace(' ', "-")));
    let ask = Ask::new("Hello.").model(model(pair.upstream)).stream(pair.stream);
    let (name, value) = match pair.upstream {
        Dialect::Chat | Dialect::Responses => ("authorization", format!("Bearer {key}")),
        Dialect::Messages => ("x-api-key", key),
        Dialect::Gemini => ("x-goog-api-key", key),
    };
    dialect::call(pair.upstream, &ask).header(name, &value).send(world.simulator.address()).await
}

fn fits(client: Dialect, fault: &Fault, told: Told) -> Result<(), String> {
    let (_, _, (openai_type, openai_code), anthropic, google) = told;
    let pairs = match client {
        Dialect::Chat | Dialect::Responses => vec![(&fault.kind, openai_type), (&fault.code, openai_code)],
        Dialect::Messages => vec![(&fault.kind, anthropic)],
        Dialect::Gemini => vec![(&fault.kind, google)],
    };
    for (found, wanted) in pairs.into_iter().filter(|(_, wanted)| !wanted.is_empty()) {
        equal("kind", &found.as_str(), &wanted).map_err(|error| format!("{error}: {fault:?}"))?;
    }
    Ok(())
}

#[tokio::test]
async fn t29_t126_a_refusal_is_told_in_the_clients_dialect_with_status_words_and_wait() {
    let pairs = Pair::all();
    let wishes = TOLD.map(|told| told.0);
    let world = world_of_troubles(&pairs, &wishes, json!({})).await;
    for told in TOLD {
        let (wish, status, ..) = told;
        each(pairs.clone(), async |pair| {
            let wrong = |error: String| format!("{wish}: {error}");
            let ask = Ask::new("Hello.").model(&named(pair, wish)).stream(pair.stream);
            let answer = pair.send(&world, &ask).await;
            let own = vendor(&world, pair, wish).await;
            // Google has no 529, OpenAI neither: what the vendor says is what is told.
            let status = if status == 529 { own.status } else { status };
            equal("status", &answer.status, &status).map_err(|e| wrong(format!("{e}: {}", answer.text())))?;
            equal("attempts", &answer.header("x-byok-attempts"), &"1").map_err(wrong)?;
            equal("request id", &answer.header("x-request-id").is_empty(), &false).map_err(wrong)?;
            if pair.passes() {
                return equal("body", &answer.text().len(), &own.text().len())
                    .map_err(|e| wrong(format!("{e}: {} and {}", answer.text(), own.text())));
            }
            equal("content type", &answer.header("content-type"), &"application/json").map_err(wrong)?;
            let fault = dialect::fault(pair.client, &answer.body).map_err(wrong)?;
            fits(pair.client, &fault, told).map_err(wrong)?;
            let words = dialect::fault(pair.upstream, &own.body).map_err(wrong)?.message;
            let kept = fault.message.contains(&words) || wish == "context";
            equal("words", &kept, &true).map_err(|e| wrong(format!("{e}: {words:?} in {fault:?}")))?;
            if wish == "context" && pair.client == Dialect::Messages {
                equal("prompt is too long", &fault.message.contains("prompt is too long"), &true)
                    .map_err(|e| wrong(format!("{e}: {fault:?}")))?;
            }
            if wish == "429 7" {
                equal("wait", &answer.header("retry-after"), &"7").map_err(wrong)?;
                if pair.client == Dialect::Gemini {
                    equal("details", &answer.text().contains("\"7s\""), &true)
                        .map_err(|e| wrong(format!("{e}: {}", answer.text())))?;
                }
            }
            Ok(())
        })
        .await;
    }
}

#[tokio::test]
async fn t125_byoks_own_refused_key_is_no_401_of_the_client() {
    let pairs = Pair::all();
    let world = world_of_troubles(&pairs, &["401", "403"], json!({})).await;
    for wish in ["401", "403"] {
        each(pairs.clone(), async |pair| {
            let ask = Ask::new("Hello.").model(&named(pair, wish)).stream(pair.stream);
            let answer = pair.send(&world, &ask).await;
            let wrong = |error: String| format!("{wish}: {error}: {}", answer.text());
            equal("status", &answer.status, &503).map_err(wrong)?;
            let fault = dialect::fault(pair.client, &answer.body)?;
            let remedy = format!("providers.{}.api_key", case(pair, wish));
            equal("remedy", &fault.message.contains(&remedy), &true).map_err(wrong)?;
            let code = answer.text().to_lowercase().contains("upstream_credential_refused");
            equal("code", &code, &true).map_err(wrong)?;
            let own_key = ["invalid_api_key", "authentication_error", "UNAUTHENTICATED"];
            equal("no word of the client's key", &own_key.contains(&fault.kind.as_str()), &false)
                .map_err(wrong)?;
            equal("no code of the client's key", &own_key.contains(&fault.code.as_str()), &false)
                .map_err(wrong)?;
            equal("no retry by habit", &answer.header("x-should-retry"), &"false").map_err(wrong)?;
            // Nor is the next one told to wait: that is not what helps.
            let again = pair.send(&world, &ask).await;
            equal("status of the next", &again.status, &503)
                .map_err(|error| format!("{error}: {}", again.text()))
        })
        .await;
    }
    // The log says whose fault it was.
    assert!(world.byok.log().contains("upstream refused"), "{}", world.byok.log());
}

/// Troubles of the first key that the second mends.
const MENDED: [&str; 16] = [
    "401",
    "402",
    "403",
    "429 60",
    "quota",
    "500",
    "502",
    "503",
    "504",
    "529",
    "reset",
    "close",
    "html",
    "html 403",
    "empty",
    "error_200",
];

#[tokio::test]
async fn another_key_takes_over() {
    let pairs = Pair::all();
    let world = World::of(
        |simulator| {
            let two = |dialect: Dialect, wish: &str| {
                vec![key(dialect, &format!("-sim-{wish}")), key(dialect, "-good")]
            };
            json!({"providers": providers(simulator, &pairs, &MENDED, two)})
        },
        |setup| setup,
    )
    .await;
    for wish in MENDED {
        each(pairs.clone(), async |pair| {
            let wrong = |error: String| format!("{wish}: {error}");
            let ask = Ask::new("Hello.").model(&named(pair, wish)).stream(pair.stream);
            let answer = pair.send(&world, &ask).await;
            let said = dialect::read(pair.client, pair.stream, &answer).map_err(wrong)?;
            equal("greeted", &said.text.contains("Hello from the byok simulator"), &true).map_err(wrong)?;
            equal("attempts", &answer.header("x-byok-attempts"), &"2").map_err(wrong)
        })
        .await;
    }
    // The keys that were refused rest: the next question goes to the good one at once.
    for wish in ["401", "402", "403", "429 60", "quota"] {
        each(pairs.clone(), async |pair| {
            let ask = Ask::new("Hello.").model(&named(pair, wish)).stream(pair.stream);
            let answer = pair.send(&world, &ask).await;
            equal("status", &answer.status, &200).map_err(|e| format!("{wish}: {e}: {}", answer.text()))?;
            equal("attempts", &answer.header("x-byok-attempts"), &"1").map_err(|e| format!("{wish}: {e}"))
        })
        .await;
    }
    let status = world.byok.status().await;
    assert!(status.to_string().contains("\"resting\":[{"), "{status}");
}

#[tokio::test]
async fn t32_a_stream_that_fails_before_anything_good_is_tried_with_another_key() {
    let wishes = ["error_first", "error_mid 0", "reset_mid 0", "close_mid 0"];
    let pairs = Pair::streams();
    let world = World::of(
        |simulator| {
            let two = |dialect: Dialect, wish: &str| {
                vec![key(dialect, &format!("-sim-{wish}")), key(dialect, "-good")]
            };
            json!({"providers": providers(simulator, &pairs, &wishes, two)})
        },
        |setup| setup,
    )
    .await;
    for wish in wishes {
        each(pairs.clone(), async |pair| {
            let ask = Ask::new("Hello.").model(&named(pair, wish)).stream(true);
            let answer = pair.send(&world, &ask).await;
            let said: Said = dialect::read(pair.client, true, &answer).map_err(|e| format!("{wish}: {e}"))?;
            equal("greeted", &said.text.contains("Hello from"), &true).map_err(|e| format!("{wish}: {e}"))?;
            equal("attempts", &answer.header("x-byok-attempts"), &"2").map_err(|e| format!("{wish}: {e}"))
        })
        .await;
    }
}

#[tokio::test]
async fn what_the_client_did_wrong_is_not_tried_again() {
    let wishes = ["400", "404", "413", "context"];
    let pairs = Pair::all();
    let world = World::of(
        |simulator| {
            let two = |dialect: Dialect, wish: &str| {
                vec![key(dialect, &format!("-sim-{wish}")), key(dialect, "-good")]
            };
            json!({"providers": providers(simulator, &pairs, &wishes, two)})
        },
        |setup| setup,
    )
    .await;
    for wish in wishes {
        each(pairs.clone(), async |pair| {
            let ask = Ask::new("Hello.").model(&named(pair, wish)).stream(pair.stream);
            for _ in 0..2 {
                let answer = pair.send(&world, &ask).await;
                equal("refused", &(400..500).contains(&answer.status), &true)
                    .map_err(|e| format!("{wish}: {e}"))?;
                equal("attempts", &answer.header("x-byok-attempts"), &"1")
                    .map_err(|e| format!("{wish}: {e}"))?;
            }
            Ok(())
        })
        .await;
    }
}

#[tokio::test]
async fn when_all_keys_rest_the_client_is_told_how_long() {
    let pairs = Pair::all();
    let world = World::of(
        |simulator| {
            let two = |dialect: Dialect, wish: &str| {
                ["-a", "-b"].map(|name| key(dialect, &format!("{name}-sim-{wish}"))).to_vec()
            };
            json!({"providers": providers(simulator, &pairs, &["429 40"], two)})
        },
        |setup| setup,
    )
    .await;
    each(pairs, async |pair| {
        let ask = Ask::new("Hello.").model(&named(pair, "429 40")).stream(pair.stream);
        let first = pair.send(&world, &ask).await;
        equal("status", &first.status, &429).map_err(|error| format!("{error}: {}", first.text()))?;
        let second = pair.send(&world, &ask).await;
        equal("status", &second.status, &429)?;
        let wait: u64 = second.header("retry-after").parse().map_err(|_| format!("{:?}", second.headers))?;
        equal("wait", &(1..=40).contains(&wait), &true)?;
        dialect::fault(pair.client, &second.body)?;
        equal("nobody was asked", &second.header("x-byok-attempts"), &"0")
    })
    .await;
}

#[tokio::test]
async fn answers_that_are_none_are_told_as_the_upstreams_fault() {
    // A web page, garbage, a bomb, or nothing, with status 200, and no other key.
    let wishes = ["html", "html 403", "empty", "error_200", "gzip_bomb 80", "close_mid 1", "no_end", "502"];
    let pairs: Vec<Pair> = Pair::all().into_iter().filter(|pair| !pair.stream).collect();
    let world = world_of_troubles(&pairs, &wishes, json!({})).await;
    for wish in wishes {
        each(pairs.clone(), async |pair| {
            let ask = Ask::new("Hello.").model(&named(pair, wish)).stream(false);
            let answer = pair.send(&world, &ask).await;
            let wrong = |error: String| format!("{wish}: {error}: {}", answer.text());
            equal("the upstream's fault", &(answer.status >= 500), &true).map_err(wrong)?;
            if pair.passes() && matches!(wish, "error_200" | "502") {
                return Ok(());
            }
            dialect::fault(pair.client, &answer.body).map(drop).map_err(|error| format!("{wish}: {error}"))
        })
        .await;
    }
    assert!(world.byok.peak_memory() < 300 << 20, "{} MB", world.byok.peak_memory() >> 20);
}

#[tokio::test]
async fn invalid_utf8_hurts_nobody() {
    let world = World::start().await;
    each(Pair::all().into_iter().filter(|pair| !pair.passes()), async |pair| {
        let answer = pair.send(&world, &pair.ask("sim:invalid_utf8 sim:text One two three.")).await;
        if answer.status != 200 {
            equal("status", &answer.status, &502)?;
            return dialect::fault(pair.client, &answer.body).map(drop);
        }
        // What cannot be read is replaced, or the answer ends with an error; never with bytes that are no UTF-8.
        dialect::read(pair.client, pair.stream, &answer).map(drop)
    })
    .await;
    // The keys that brought it may rest; another one serves.
    let ask = Ask::new("Still there?").model("my-messages/claude-sonnet-4-6");
    dialect::read(Dialect::Chat, false, &dialect::call(Dialect::Chat, &ask).send(world.byok.address()).await)
        .unwrap();
}

#[tokio::test]
async fn a_bomb_in_a_stream_ends_it_and_leaves_memory_flat() {
    let world = World::with(json!({"limits": {"frame": "4MiB"}})).await;
    each(Pair::streams(), async |pair| {
        let answer = pair.send(&world, &pair.ask("sim:gzip_bomb 60")).await;
        if answer.status != 200 {
            return dialect::fault(pair.client, &answer.body).map(drop);
        }
        let text = answer.text();
        equal("an error at the end", &text.trim_start().contains("error"), &true)
            .map_err(|e| format!("{e}: {}", text.trim()))
    })
    .await;
    assert!(world.byok.peak_memory() < 300 << 20, "{} MB", world.byok.peak_memory() >> 20);
}

#[tokio::test]
async fn a_line_without_end_ends_the_answer_and_leaves_memory_flat() {
    let world = World::with(json!({"limits": {"frame": "4MiB"}})).await;
    each(Pair::streams().into_iter().filter(|pair| !pair.passes()), async |pair| {
        let answer = pair.send(&world, &pair.ask("sim:endless_line 12 sim:long 9")).await;
        equal("status", &answer.status, &200).map_err(|error| format!("{error}: {}", answer.text()))?;
        let said = dialect::read(pair.client, true, &answer)?;
        equal("an error", &said.error.is_some(), &true)
    })
    .await;
    assert!(world.byok.peak_memory() < 300 << 20, "{} MB", world.byok.peak_memory() >> 20);
}

#[tokio::test]
async fn an_unknown_model_is_a_404_with_the_nearest_names() {
    let world = World::start().await;
    for model in ["gtp-5.1", "clade-sonnet-4-6", "no-such-thing"] {
        each(Dialect::ALL, async |dialect| {
            let ask = Ask::new("Hello.").model(model);
            let answer = dialect::call(dialect, &ask).send(world.byok.address()).await;
            equal("status", &answer.status, &404).map_err(|error| format!("{error}: {}", answer.text()))?;
            let fault = dialect::fault(dialect, &answer.body)?;
            equal("named", &fault.message.contains(model), &true)?;
            let near = match model {
                "gtp-5.1" => "gpt-5.1",
                "clade-sonnet-4-6" => "claude-sonnet-4-6",
                _ => "nearest",
            };
            equal(near, &fault.message.contains(near), &true).map_err(|error| format!("{error}: {fault:?}"))
        })
        .await;
    }
    assert_eq!(world.simulator.request_count(), 0);
}

#[tokio::test]
async fn a_new_model_of_a_known_family_works_on_the_day() {
    let world = World::start().await;
    for (model, upstream) in [
        ("claude-opus-9-sim-1", Dialect::Messages),
        ("gpt-9-sim-1", Dialect::Responses),
        ("gemini-9-sim-1", Dialect::Gemini),
    ] {
        each(Dialect::ALL, async |dialect| {
            let mark = format!("{dialect} asks {model}");
            let ask = Ask::new(&mark).model(model);
            let said = dialect::read(
                dialect,
                false,
                &dialect::call(dialect, &ask).send(world.byok.address()).await,
            )?;
            equal("model", &said.model.as_str(), &model)?;
            let seen = world.seen(&mark).ok_or("nothing was sent")?;
            // OpenAI serves Chat and Responses: the client's own dialect comes first.
            let own = dialect == Dialect::Chat && upstream == Dialect::Responses;
            equal("dialect", &seen.dialect, &Some(if own { Dialect::Chat } else { upstream }))
        })
        .await;
    }
}

/// A pair and what its upstream does.
#[derive(Clone, Copy)]
struct Both(Pair, &'static str);

impl fmt::Display for Both {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.1, self.0)
    }
}

#[tokio::test]
async fn an_alias_goes_on_to_a_target_that_speaks_another_dialect() {
    // Overloaded; and retired.
    let wishes = ["529", "404"];
    let troubles: Vec<Pair> = Pair::all();
    let world = World::of(
        |simulator| {
            let mut aliases = json!({});
            for pair in &troubles {
                // Every client dialect falls from every upstream dialect to the next one.
                let next = Dialect::ALL[(pair.upstream as usize + 1) % 4];
                let second = Pair { upstream: next, ..*pair }.model();
                for wish in wishes {
                    aliases[format!("best-{wish}-{pair}")] =
                        json!([second, {"model": named(*pair, wish), "priority": 10}]);
                }
            }
            let one = |dialect: Dialect, wish: &str| vec![key(dialect, &format!("-sim-{wish}"))];
            json!({"providers": providers(simulator, &troubles, &wishes, one), "aliases": aliases})
        },
        |setup| setup,
    )
    .await;
    let all: Vec<_> =
        wishes.iter().flat_map(|wish| troubles.iter().map(move |pair| Both(*pair, wish))).collect();
    each(all, async |Both(pair, wish)| {
        let alias = format!("best-{wish}-{pair}");
        let ask = Ask::new("sim:thinking Hm. sim:text Served.").model(&alias).stream(pair.stream);
        let answer = pair.send(&world, &ask).await;
        let said = dialect::read(pair.client, pair.stream, &answer)?;
        equal("text", &said.text.as_str(), &"Served.")?;
        equal("attempts", &answer.header("x-byok-attempts"), &"2")?;
        equal("model", &said.model, &alias)?;
        let next = Dialect::ALL[(pair.upstream as usize + 1) % 4];
        equal(
            "served by",
            &answer.header("x-byok-model").to_owned(),
            &Pair { upstream: next, ..pair }.model(),
        )
    })
    .await;
}

#[tokio::test]
async fn an_upstream_with_huge_headers_is_told_as_its_fault() {
    let wishes = ["huge_headers 400"];
    let pairs = Pair::all();
    let world = world_of_troubles(&pairs, &wishes, json!({})).await;
    each(pairs, async |pair| {
        let ask = Ask::new("Hello.").model(&named(pair, wishes[0])).stream(pair.stream);
        let answer = pair.send(&world, &ask).await;
        equal("status", &answer.status, &502).map_err(|error| format!("{error}: {}", answer.text()))?;
        dialect::fault(pair.client, &answer.body).map(drop)
    })
    .await;
}

#[tokio::test]
async fn a_server_that_asks_for_no_key_is_called_without_one() {
    let settings = |simulator: &byok_simulator::Simulator| {
        let base = format!("{}/v1", simulator.base_url());
        json!({"providers": {"local": {"kind": "openai", "base_url": base, "models": ["llama"]}}})
    };
    let world = World::of(settings, |setup| setup).await;
    let ask = Ask::new("No key here.").model("local/llama");
    let answer = dialect::call(Dialect::Chat, &ask).send(world.byok.address()).await;
    // The simulator wants a key; what counts is that it was asked.
    let seen = world.seen("No key here.").expect("the server was called");
    assert_eq!(seen.header("authorization"), None, "{}", answer.text());
}

#[tokio::test]
async fn a_server_that_is_not_there_leaves_the_next_one_its_turn() {
    let settings = |simulator: &byok_simulator::Simulator| {
        let base = format!("{}/v1", simulator.base_url());
        let dead = "http://127.0.0.1:9/v1";
        json!({
            "providers": {
                "dead": {"kind": "openai", "api_key": "sk-dead", "base_url": dead, "models": ["both"]},
                "living": {"kind": "openai", "api_key": "sk-living", "base_url": base, "models": ["both"]},
            },
            "limits": {"attempts": 2},
        })
    };
    let world = World::of(settings, |setup| setup).await;
    let ask = Ask::new("Is anybody there?").model("both");
    let answer = dialect::call(Dialect::Chat, &ask).send(world.byok.address()).await;
    // The simulator knows no such model; what counts is that it was asked.
    assert!(world.seen("Is anybody there?").is_some(), "{}", answer.text());
}
