//! The life of the server: being stopped, and being reconfigured while it runs.

use crate::support::{
    ask::Ask,
    byok::until,
    client::{Call, Raw},
    dialect,
    world::{Pair, World, config, each, equal, key, model, provider},
};
use byok_types::Dialect;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;

#[tokio::test]
async fn a_stop_lets_streams_finish() {
    let mut world = World::start().await;
    let mut streams = Vec::new();
    for pair in Pair::streams() {
        let mut open = pair.open(&world, &pair.ask("sim:slow 30 20")).await;
        let text = open.until("word").await;
        streams.push((pair, open, text));
    }
    let half_open = Raw::open(world.byok.address()).await;
    world.byok.terminate();
    let address = world.byok.address();
    for (pair, open, text) in streams {
        let mut bytes = text.into_bytes();
        bytes.extend(open.whole().await.body);
        let said =
            dialect::read_stream(pair.client, &bytes).unwrap_or_else(|error| panic!("{pair}: {error}"));
        assert!(said.error.is_none() && said.text.contains("word 30"), "{pair}: {said:?}");
    }
    assert!(TcpStream::connect(address).await.is_err(), "nobody is let in any more");
    let status = world.byok.stopped().await;
    assert!(status.success(), "{status}: {}", world.byok.log());
    assert!(!world.byok.control_socket().exists(), "the control socket is gone");
    drop(half_open);
}

#[tokio::test]
async fn what_does_not_finish_in_time_ends_with_an_error() {
    let mut world = World::with(json!({"timeouts": {"shutdown_grace": "200ms"}})).await;
    let mut streams = Vec::new();
    for pair in Pair::streams() {
        let mut open = pair.open(&world, &pair.ask("sim:slow 500 20")).await;
        let text = open.until("word").await;
        streams.push((pair, open, text));
    }
    world.byok.terminate();
    for (pair, open, text) in streams {
        let mut bytes = text.into_bytes();
        let rest = open.whole().await;
        assert!(rest.complete, "{pair}: the body ends as HTTP wants it");
        bytes.extend(rest.body);
        let said =
            dialect::read_stream(pair.client, &bytes).unwrap_or_else(|error| panic!("{pair}: {error}"));
        let fault = said.error.unwrap_or_else(|| panic!("{pair}: no error"));
        assert!(fault.message.contains("stopped"), "{pair}: {fault:?}");
    }
    assert!(world.byok.stopped().await.success(), "{}", world.byok.log());
}

#[tokio::test]
async fn a_second_signal_stops_at_once() {
    let mut world = World::with(json!({"timeouts": {"shutdown_grace": "1h"}})).await;
    let pair = Pair { client: Dialect::Chat, upstream: Dialect::Chat, stream: true };
    let mut open = pair.open(&world, &pair.ask("sim:slow 500 20")).await;
    open.until("word").await;
    world.byok.terminate();
    let address = world.byok.address();
    for _ in 0..1000 {
        if TcpStream::connect(address).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    world.byok.terminate();
    world.byok.stopped().await;
}

/// A configuration with one provider more.
fn with_provider(world: &World, name: &str) -> String {
    let mut providers = json!({});
    providers[name] = provider(Dialect::Chat, &world.simulator, &[key(Dialect::Chat, "-new")]);
    config(&world.simulator, json!({"providers": providers}))
}

async fn serves(world: &World, name: &str) -> bool {
    let ask = Ask::new("Hello.").model(&format!("{name}/{}", model(Dialect::Chat)));
    dialect::call(Dialect::Chat, &ask).send(world.byok.address()).await.status == 200
}

async fn health(world: &World) -> Value {
    Call::get("/health").send(world.byok.address()).await.json()
}

/// Waits until the settings in use are `ok` or `stale`.
async fn settings_are(world: &World, wanted: &str) {
    for _ in 0..2000 {
        if health(world).await["config"] == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the settings never became {wanted}: {}", world.byok.log());
}

async fn comes_to_serve(world: &World, name: &str) {
    for _ in 0..2000 {
        if serves(world, name).await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("`{name}` is never served: {}", world.byok.log());
}

#[tokio::test]
async fn a_changed_file_is_in_use_within_moments_and_a_broken_one_is_not() {
    let world = World::start().await;
    let file = world.byok.config_file();
    assert_eq!(health(&world).await, json!({"status": "ok", "config": "ok"}));
    let pair = Pair { client: Dialect::Messages, upstream: Dialect::Chat, stream: true };
    let mut running = pair.open(&world, &pair.ask("sim:slow 60 20")).await;
    let begun = running.until("word").await;
    // Written in place.
    std::fs::write(&file, with_provider(&world, "added")).unwrap();
    comes_to_serve(&world, "added").await;
    // A broken file keeps what is in use, and says where it is broken.
    std::fs::write(&file, "port: 8018\nprovidres:\n  claude: {}\n").unwrap();
    settings_are(&world, "stale").await;
    assert!(serves(&world, "added").await);
    let error = world.byok.status().await["config"]["error"].as_str().unwrap_or_default().to_owned();
    for part in ["config.yaml", "2:1", "providres", "providers"] {
        assert!(error.contains(part), "{part} in {error}");
    }
    world.byok.logged("providres").await;
    // As editors do it: another file that takes the name.
    let beside = file.with_extension("tmp");
    std::fs::write(&beside, with_provider(&world, "renamed")).unwrap();
    std::fs::rename(&beside, &file).unwrap();
    settings_are(&world, "ok").await;
    // The file has been read; who serves is worked out a moment later.
    comes_to_serve(&world, "renamed").await;
    assert!(!serves(&world, "added").await, "what is no longer written is no longer served");
    // A request that was running goes on by the old settings.
    let mut bytes = begun.into_bytes();
    bytes.extend(running.whole().await.body);
    let said = dialect::read_stream(Dialect::Messages, &bytes).unwrap();
    assert!(said.error.is_none() && said.text.contains("word 60"), "{said:?}");
}

#[tokio::test]
async fn keys_hold_from_the_moment_they_are_written() {
    let world = World::start().await;
    let secret = "byok-e2e-0123456789abcdef";
    std::fs::write(world.byok.config_file(), config(&world.simulator, json!({"api_keys": [secret]})))
        .unwrap();
    let address = world.byok.address();
    for _ in 0..2000 {
        if Call::get("/v1/models").send(address).await.status == 401 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(Call::get("/v1/models").send(address).await.status, 401);
    assert_eq!(Call::get("/v1/models").header("x-api-key", secret).send(address).await.status, 200);
    assert!(!world.byok.log().contains(secret));
}

/// Writes these settings over those in use.
fn write(world: &World, settings: Value) {
    std::fs::write(world.byok.config_file(), config(&world.simulator, settings)).unwrap();
}

#[tokio::test]
async fn the_way_to_vendors_follows_the_file() {
    let world = World::start().await;
    write(&world, json!({"timeouts": {"connect": "3s"}}));
    world.byok.logged("connections are made by the new settings").await;
    let broken = world.byok.home().join("broken.pem");
    std::fs::write(&broken, "no certificate").unwrap();
    write(&world, json!({"ca_files": [broken]}));
    world.byok.logged("connections are made by the settings from before").await;
    let problems = world.byok.status().await["config"]["problems"].to_string();
    assert!(problems.contains("broken.pem"), "{problems}");
    write(&world, json!({"timeouts": {"connect": "4s"}}));
    for _ in 0..2000 {
        if world.byok.status().await["config"]["problems"] == json!([]) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the problem stays: {}", world.byok.status().await);
}

#[tokio::test]
async fn limits_of_the_door_follow_the_file() {
    let world = World::with(json!({"limits": {"header_bytes": "16KiB"}})).await;
    let address = world.byok.address();
    let long = "a".repeat(200 << 10);
    let asked = async |wanted: u16, call: &dyn Fn() -> Call| {
        for _ in 0..1000 {
            // Whoever sends too much may find the connection closed before it has read why.
            let status = call().try_open(address).await.map_or(431, |open| open.status);
            if status == wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("never {wanted}: {}", world.byok.log());
    };
    let long = || Call::get("/health").header("x-long", &long);
    asked(431, &long).await;
    write(&world, json!({"limits": {"header_bytes": "1MiB"}}));
    asked(200, &long).await;
    // One of one places is taken.
    let pair = Pair { client: Dialect::Chat, upstream: Dialect::Chat, stream: true };
    let mut running = pair.open(&world, &pair.ask("sim:slow 500 20")).await;
    running.until("word").await;
    let ask = Ask::new("Hello.").model(&format!("my-chat/{}", model(Dialect::Chat)));
    let ask = || dialect::call(Dialect::Chat, &ask);
    asked(200, &ask).await;
    write(&world, json!({"limits": {"streams": 1}}));
    asked(503, &ask).await;
    write(&world, json!({"limits": {"streams": 2}}));
    asked(200, &ask).await;
}

#[tokio::test]
async fn the_status_says_what_was_wrong_last_and_what_helps() {
    let wishes = ["429", "401", "500"];
    let world = World::of(
        |simulator| {
            let mut providers = json!({});
            for wish in wishes {
                let key = key(Dialect::Chat, &format!("-sim-{wish}"));
                providers[format!("p{wish}")] = provider(Dialect::Chat, simulator, &[key]);
            }
            json!({"providers": providers})
        },
        |setup| setup,
    )
    .await;
    let problem = async |name: &str| {
        let status = world.byok.status().await;
        let all = status["providers"].as_array().unwrap();
        all.iter().find(|provider| provider["name"] == name).unwrap()["accounts"][0]["problem"].clone()
    };
    for (wish, words) in [("429", "after its rest"), ("401", "providers.p401"), ("500", "try again")] {
        let name = format!("p{wish}");
        assert_eq!(problem(&name).await, Value::Null, "{wish}");
        assert!(!serves(&world, &name).await, "{wish}");
        let told = problem(&name).await;
        assert!(told["at"].as_i64().unwrap() > 1_700_000_000, "{wish}: {told}");
        assert!(!told["what"].as_str().unwrap().is_empty(), "{wish}: {told}");
        assert!(told["remedy"].as_str().unwrap().contains(words), "{wish}: {told}");
        assert!(!told.to_string().contains(&key(Dialect::Chat, "-sim")), "{wish}: {told}");
    }
}

#[tokio::test]
async fn secrets_and_words_never_reach_the_log() {
    let marked = |dialect: Dialect| key(dialect, "-CANARYKEY");
    let world = World::of(
        |simulator| {
            let mut providers = json!({});
            for dialect in Dialect::ALL {
                providers[format!("own-{dialect}")] = provider(dialect, simulator, &[marked(dialect)]);
            }
            json!({"providers": providers, "log": "trace", "api_keys": ["byok-e2e-CANARYCLIENT-0123456789"]})
        },
        |setup| setup,
    )
    .await;
    for wish in ["Hello.", "sim:400", "sim:error_mid 1", "sim:nonsense", "sim:html"] {
        each(Pair::all(), async |pair| {
            let ask = pair.ask(&format!("{wish} CANARYPROMPT")).with(|ask| {
                ask.model = format!("own-{}/{}", pair.upstream, model(pair.upstream));
                ask.system = vec!["CANARYSYSTEM".to_owned()];
            });
            let call =
                dialect::call(pair.client, &ask).header("x-byok-key", "byok-e2e-CANARYCLIENT-0123456789");
            let call = call.header("authorization", "Bearer CANARYBEARER").header("cookie", "CANARYCOOKIE");
            call.send(world.byok.address()).await;
            let query = Call::get("/v1beta/models?key=byok-e2e-CANARYCLIENT-0123456789");
            equal("query", &query.send(world.byok.address()).await.status, &200)
        })
        .await;
    }
    let log = world.byok.log();
    assert!(log.len() > 1000, "there is a log");
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("CANARY")).collect();
    assert!(lines.is_empty(), "{} lines, first: {}", lines.len(), lines.first().unwrap_or(&""));
    until("records", || world.byok.state().join("usage.db").exists()).await;
    for entry in std::fs::read_dir(world.byok.state()).unwrap().flatten() {
        let bytes = std::fs::read(entry.path()).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("CANARY"), "{}", entry.path().display());
    }
}
