//! Who may come in: keys, hosts, origins, content types, files.

use crate::support::{
    ask::Ask,
    byok::{Setup, until},
    client::{Answer, Call, Raw},
    dialect,
    world::{World, each, equal},
};
use byok_types::Dialect;
use serde_json::json;
use std::{
    fmt,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

const KEY: &str = "byok-e2e-0123456789abcdef";
const CHAT: &str = "{\"model\":\"my-chat/gpt-5.1\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi.\"}]}";

fn chat() -> Call {
    Call::post("/v1/chat/completions", CHAT)
}

/// Nothing may let a web page read an answer.
fn no_cors(answer: &Answer) {
    for name in answer.headers.keys() {
        assert!(!name.as_str().starts_with("access-control-"), "{name} in an answer with {}", answer.status);
    }
}

/// A row of a table, shown by its first member.
#[derive(Clone, Copy)]
struct Row<T>(&'static str, T);

impl<T> fmt::Display for Row<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[tokio::test]
async fn a_key_may_stand_where_the_clients_put_it() {
    let world = World::with(json!({"api_keys": [KEY]})).await;
    let bearer = format!("Bearer {KEY}");
    let query = format!("/v1/chat/completions?key={KEY}");
    let places: [(&str, Call); 7] = [
        ("authorization", chat().header("authorization", &bearer)),
        ("x-api-key", chat().header("x-api-key", KEY)),
        ("x-goog-api-key", chat().header("x-goog-api-key", KEY)),
        ("api-key", chat().header("api-key", KEY)),
        ("?key=", Call::post(query, CHAT)),
        ("x-byok-key", chat().header("x-byok-key", KEY).header("authorization", "Bearer the-clients-own")),
        ("twice", chat().header("authorization", &bearer).header("x-api-key", KEY)),
    ];
    for (place, call) in places {
        let answer = call.send(world.byok.address()).await;
        assert_eq!(answer.status, 200, "{place}: {}", answer.text());
        no_cors(&answer);
    }
    let two = chat().header("authorization", &bearer).header("x-api-key", "byok-e2e-another-0123456789");
    assert_eq!(two.send(world.byok.address()).await.status, 401, "two keys that differ");
}

#[tokio::test]
async fn a_missing_key_and_a_wrong_key_are_told_the_same() {
    let world = World::with(json!({"api_keys": [KEY]})).await;
    let long = "k".repeat(5000);
    for dialect in Dialect::ALL {
        let ask = Ask::new("Hi.").model("my-chat/gpt-5.1");
        let mut told = Vec::new();
        for key in ["", "byok-e2e-wrong-0123456789", &long, &KEY.to_uppercase()] {
            let answer =
                dialect::call(dialect, &ask).header("x-api-key", key).send(world.byok.address()).await;
            assert_eq!(answer.status, 401, "{dialect}: {}", answer.text());
            let fault = dialect::fault(dialect, &answer.body).unwrap();
            let mut names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
            names.sort();
            told.push((fault, names, answer.header("content-length").to_owned()));
        }
        assert!(told.iter().all(|one| *one == told[0]), "{dialect}: {told:?}");
        assert!(told[0].0.message.contains("api_keys"), "{dialect}: {told:?}");
    }
    assert_eq!(world.simulator.request_count(), 0);
    for target in ["/v1/models", "/v1beta/models", "/", "/amp/v1/login"] {
        let answer = Call::get(target).send(world.byok.address()).await;
        assert_eq!(answer.status, 401, "{target}");
    }
    assert_eq!(Call::get("/health").send(world.byok.address()).await.status, 200);
}

#[tokio::test]
async fn who_tries_keys_has_to_wait() {
    let world = World::with(json!({"api_keys": [KEY]})).await;
    // Who shows none tries none.
    for _ in 0..25 {
        assert_eq!(chat().send(world.byok.address()).await.status, 401);
    }
    for number in 0..20 {
        let answer = chat()
            .header("x-api-key", &format!("byok-e2e-guess-{number:020}"))
            .send(world.byok.address())
            .await;
        assert_eq!(answer.status, 401, "guess {number}");
    }
    let answer = chat().header("x-api-key", "byok-e2e-guess-again-000000").send(world.byok.address()).await;
    assert_eq!(answer.status, 429, "{}", answer.text());
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    // Others of the machine keep nobody out who holds a right one, or shows none.
    assert_eq!(chat().header("x-api-key", KEY).send(world.byok.address()).await.status, 200);
    assert_eq!(chat().send(world.byok.address()).await.status, 401);
}

#[tokio::test]
async fn byok_answers_to_its_own_names_only() {
    let world = World::start().await;
    let port = world.byok.address().port();
    let ours = ["localhost", "LOCALHOST.", "127.0.0.1", "[::1]"];
    let foreign = [
        "evil.com",
        "localhost.evil.com",
        "127.0.0.1.nip.io",
        "0.0.0.0",
        "127.1",
        "0x7f000001",
        "2130706433",
        "192.168.0.1",
        "host.docker.internal",
        "a.localhost",
    ];
    for (names, wanted) in [(&ours[..], 200), (&foreign[..], 421)] {
        for name in names {
            for host in [(*name).to_owned(), format!("{name}:{port}")] {
                let answer = chat().header("host", &host).send(world.byok.address()).await;
                assert_eq!(answer.status, wanted, "{host}: {}", answer.text());
                if wanted == 421 {
                    assert!(answer.text().contains("allowed_hosts"), "{}", answer.text());
                }
            }
        }
    }
    let answer = chat().header("host", "localhost:1").send(world.byok.address()).await;
    assert_eq!(answer.status, 421, "another port");
}

#[tokio::test]
async fn a_host_that_cannot_be_read_is_refused() {
    let world = World::start().await;
    let port = world.byok.address().port();
    let tail = "connection: close\r\n\r\n";
    let cases = [
        (
            "two hosts",
            format!("GET /v1/models HTTP/1.1\r\nhost: localhost:{port}\r\nhost: evil.com\r\n{tail}"),
        ),
        (
            "the same twice",
            format!("GET /v1/models HTTP/1.1\r\nhost: localhost\r\nhost: localhost\r\n{tail}"),
        ),
        ("none", format!("GET /v1/models HTTP/1.1\r\n{tail}")),
        ("none at all", "GET /v1/models HTTP/1.0\r\n\r\n".to_owned()),
        ("empty", format!("GET /v1/models HTTP/1.1\r\nhost: \r\n{tail}")),
        ("a path", format!("GET /v1/models HTTP/1.1\r\nhost: localhost/x\r\n{tail}")),
        ("user info", format!("GET /v1/models HTTP/1.1\r\nhost: a@localhost\r\n{tail}")),
        (
            "target and header differ",
            format!("GET http://evil.com/v1/models HTTP/1.1\r\nhost: localhost:{port}\r\n{tail}"),
        ),
    ];
    for (case, request) in cases {
        let answer = Raw::talk(world.byok.address(), request).await;
        assert!(answer.starts_with("HTTP/1.1 400") || answer.starts_with("HTTP/1.0 400"), "{case}: {answer}");
    }
    let target = format!("GET http://evil.com/v1/models HTTP/1.1\r\nhost: evil.com\r\n{tail}");
    let answer = Raw::talk(world.byok.address(), target).await;
    assert!(answer.starts_with("HTTP/1.1 421"), "a foreign target: {answer}");
    let target =
        format!("GET http://localhost:{port}/v1/models HTTP/1.1\r\nhost: localhost:{port}\r\n{tail}");
    let answer = Raw::talk(world.byok.address(), target).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "our own target: {answer}");
}

#[tokio::test]
async fn web_pages_are_kept_out() {
    let world = World::start().await;
    let address = world.byok.address();
    let own = format!("http://{address}");
    let table: [(&str, &str, u16); 13] = [
        ("", "", 200),
        ("", "none", 200),
        ("", "same-origin", 200),
        (&own, "", 200),
        (&own, "same-origin", 200),
        ("https://evil.com", "", 403),
        ("https://evil.com", "cross-site", 403),
        ("null", "", 403),
        ("http://localhost:3000", "", 403),
        ("vscode-webview://abc", "", 403),
        ("app://obsidian.md", "", 403),
        ("", "cross-site", 403),
        ("", "same-site", 403),
    ];
    for (origin, site, wanted) in table {
        let before = world.simulator.requests().len();
        let get = Call::get("/v1/models");
        let preflight = Call::get("/v1/chat/completions")
            .method("OPTIONS")
            .header("access-control-request-method", "POST");
        for (way, call) in [("GET", get), ("POST", chat()), ("OPTIONS", preflight)] {
            let call = call
                .header("host", &address.to_string())
                .header("origin", origin)
                .header("sec-fetch-site", site);
            let answer = call.send(address).await;
            let case = format!("{way} origin {origin:?} site {site:?}: {}", answer.text());
            if way == "OPTIONS" && wanted == 200 {
                assert!(answer.status < 300, "{case}");
            } else {
                assert_eq!(answer.status, wanted, "{case}");
            }
            if wanted == 403 && !origin.is_empty() {
                assert!(answer.text().contains("cors_origins"), "{case}");
            }
            no_cors(&answer);
        }
        // A look at the list may have the vendor asked for its own, in the background.
        let asked = world
            .simulator
            .requests()
            .into_iter()
            .skip(before)
            .filter(|seen| !seen.path.ends_with("/models"));
        assert_eq!(asked.count(), usize::from(wanted == 200), "origin {origin:?} site {site:?}");
    }
}

#[tokio::test]
async fn a_listed_origin_may_read_answers() {
    let origin = "http://localhost:3000";
    let world = World::with(json!({"cors_origins": [origin]})).await;
    let address = world.byok.address();
    for call in [chat(), Call::get("/v1/models"), Call::post("/v1/chat/completions", "{")] {
        let answer = call.header("origin", origin).send(address).await;
        assert_eq!(answer.header("access-control-allow-origin"), origin, "{}", answer.text());
        assert_eq!(answer.header("access-control-allow-credentials"), "");
    }
    let preflight = Call::get("/v1/chat/completions").method("OPTIONS").header("origin", origin);
    let wanted = "content-type, x-stainless-os, x-goog-api-client";
    let preflight = preflight.header("access-control-request-headers", wanted);
    let answer = preflight.header("access-control-request-method", "POST").send(address).await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-headers"), wanted);
    assert_ne!(answer.header("x-request-id"), "");
    // What is refused must be readable, too.
    let refused = chat().header("content-type", "text/plain").header("origin", origin).send(address).await;
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (415, origin));
    for other in ["http://localhost:3001", "https://localhost:3000", "null"] {
        let answer = chat().header("origin", other).send(address).await;
        assert_eq!(answer.status, 403, "{other}");
        no_cors(&answer);
    }
    no_cors(&chat().send(address).await);
}

#[tokio::test]
async fn without_keys_a_post_must_be_json() {
    let world = World::start().await;
    let address = world.byok.address();
    let refused = [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
        "application/jsonp",
    ];
    let targets = [
        "/v1/chat/completions",
        "/v1/responses",
        "/v1/messages",
        "/v1beta/models/gemini-3.5-flash:generateContent",
    ];
    for target in targets {
        for kind in refused {
            let answer = Call::post(target, CHAT).header("content-type", kind).send(address).await;
            assert_eq!(answer.status, 415, "{target} {kind:?}: {}", answer.text());
            assert!(answer.text().contains("curl"), "the corrected line: {}", answer.text());
        }
    }
    assert_eq!(world.simulator.request_count(), 0);
    for kind in ["application/json", "Application/JSON; charset=utf-8"] {
        assert_eq!(chat().header("content-type", kind).send(address).await.status, 200, "{kind}");
    }
    let keyed = World::with(json!({"api_keys": [KEY]})).await;
    let answer =
        chat().header("content-type", "text/plain").header("x-api-key", KEY).send(keyed.byok.address()).await;
    assert_eq!(answer.status, 200, "who has a key is no web page: {}", answer.text());
}

#[tokio::test]
async fn behind_a_proxy_nobody_is_local() {
    let world = World::start().await;
    let headers = [
        ("forwarded", "for=203.0.113.9"),
        ("x-forwarded-for", "203.0.113.9"),
        ("x-forwarded-host", "localhost"),
        ("x-forwarded-proto", "https"),
        ("cf-connecting-ip", "203.0.113.9"),
        ("cf-ray", "1"),
        ("via", "1.1 proxy"),
    ];
    for (name, value) in headers {
        let answer = chat().header(name, value).send(world.byok.address()).await;
        assert_eq!(answer.status, 401, "{name}: {}", answer.text());
        assert!(answer.text().contains("api_keys"), "{name}: {}", answer.text());
    }
    assert_eq!(world.simulator.request_count(), 0);
    let keyed = World::with(json!({"api_keys": [KEY]})).await;
    for (name, value) in headers {
        let call = chat().header(name, value).header("host", "byok.example.com").header("x-api-key", KEY);
        let answer = call.send(keyed.byok.address()).await;
        assert_eq!(
            answer.status,
            200,
            "{name}: where a key is shown the name does not matter: {}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn a_name_that_is_not_loopback_demands_keys() {
    let world = World::with(json!({"allowed_hosts": ["host.docker.internal"]})).await;
    let answer = chat().send(world.byok.address()).await;
    assert_eq!(answer.status, 401, "{}", answer.text());
    let world = World::with(json!({"allowed_hosts": ["host.docker.internal"], "api_keys": [KEY]})).await;
    let answer = chat()
        .header("host", "host.docker.internal")
        .header("x-api-key", KEY)
        .send(world.byok.address())
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn a_key_may_be_limited_to_models() {
    let keys =
        json!([{"key": KEY, "models": ["gemini-*"]}, {"key": "byok-e2e-debug-0123456789", "debug": true}]);
    let world = World::with(json!({"api_keys": keys})).await;
    let address = world.byok.address();
    let answer = chat().header("x-api-key", KEY).send(address).await;
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert!(answer.text().contains("my-chat/gpt-5.1"), "{}", answer.text());
    let list =
        Call::get("/v1/models").header("authorization", &format!("Bearer {KEY}")).send(address).await.json();
    let ids: Vec<&str> = list["data"].as_array().unwrap().iter().map(|m| m["id"].as_str().unwrap()).collect();
    assert!(!ids.is_empty() && ids.iter().all(|id| id.starts_with("gemini-")), "{ids:?}");
    // Which account served is told only to keys with that right.
    let asked = "/v1beta/models/gemini-3.5-flash:generateContent";
    let body = "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"Hi.\"}]}]}";
    for (key, told) in [(KEY, false), ("byok-e2e-debug-0123456789", true)] {
        let answer = Call::post(asked, body).header("x-goog-api-key", key).send(address).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(!answer.header("x-byok-account").is_empty(), told);
    }
}

#[tokio::test]
async fn another_address_than_loopback_makes_a_key() {
    let byok = Setup::new("{}").argument("--host").argument("0.0.0.0").start().await;
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], byok.address().port()));
    let call = || Call::get("/v1/models").header("host", &address.to_string());
    assert_eq!(call().send(address).await.status, 401);
    assert_eq!(call().header("x-api-key", "any").send(address).await.status, 401);
    // Without a terminal the key lies in a file that only its owner can read, and whose path is printed.
    let log = byok.log();
    let file = private_files(&byok.home())
        .into_iter()
        .find(|path| {
            log.contains(&path.display().to_string())
                && path.extension().is_none_or(|e| e != "yaml" && e != "db")
        })
        .unwrap_or_else(|| panic!("no path of a key in the log:\n{log}"));
    let text = std::fs::read_to_string(&file).unwrap();
    let key = text.lines().last().unwrap().trim();
    assert!(key.len() >= 20 && !log.contains(key), "the key is not in the log");
    assert_eq!(mode(&file), 0o600);
    assert_eq!(call().header("authorization", &format!("Bearer {key}")).send(address).await.status, 200);
}

fn mode(path: &Path) -> u32 {
    std::fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

/// All files below a directory.
fn private_files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(private_files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// Checks the modes of a directory of byok and of everything in it.
fn only_for_the_owner(directory: &Path) {
    assert_eq!(mode(directory), 0o700, "{}", directory.display());
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            only_for_the_owner(&path);
        } else {
            assert_eq!(mode(&path), 0o600, "{}", path.display());
        }
    }
}

#[tokio::test]
async fn nobody_else_reads_the_files_even_without_a_umask() {
    let world = World::of(|_| json!({}), |setup| setup.umask(0)).await;
    assert_eq!(chat().send(world.byok.address()).await.status, 200);
    let usage = world.byok.state().join("usage.db");
    until("the file of records", || usage.exists()).await;
    assert_eq!(mode(&world.byok.control_socket()), 0o600);
    only_for_the_owner(&world.byok.state());
}

#[tokio::test]
async fn two_servers_on_one_database_are_told_apart() {
    let world = World::start().await;
    let mut second = Setup::new("{}").database_of(&world.byok).spawn();
    let status = second.stopped().await;
    assert!(!status.success(), "{}", second.log());
    assert!(second.log().contains("another byok keeps its data"), "{}", second.log());
    assert_eq!(chat().send(world.byok.address()).await.status, 200);
}

#[tokio::test]
async fn every_path_has_an_answer() {
    let world = World::start().await;
    let address = world.byok.address();
    let table: [Row<(&str, u16)>; 13] = [
        Row("/", ("GET", 200)),
        Row("/", ("HEAD", 200)),
        Row("/health", ("GET", 200)),
        Row("/health", ("HEAD", 200)),
        Row("/v1/models", ("GET", 200)),
        Row("/models", ("GET", 200)),
        Row("/v1/v1/models", ("GET", 200)),
        Row("/v1beta/models", ("GET", 200)),
        Row("/api/event_logging/batch", ("POST", 204)),
        Row("/v1/chat/completions", ("GET", 405)),
        Row("/v1/embeddings", ("GET", 405)),
        Row("/v1/files", ("POST", 404)),
        Row("/wp-login.php", ("GET", 404)),
    ];
    each(table, async |Row(target, (method, wanted))| {
        let answer =
            Call::get(target).method(method).header("content-type", "application/json").send(address).await;
        equal("status", &answer.status, &wanted)
            .map_err(|error| format!("{method} {error}: {}", answer.text()))?;
        equal("request id", &answer.header("x-request-id").is_empty(), &false)?;
        if wanted >= 400 {
            equal("JSON", &answer.header("content-type"), &"application/json")?;
            dialect::fault(Dialect::Chat, &answer.body)?;
        }
        Ok(())
    })
    .await;
    for (target, headers, dialect) in [
        ("/v1beta/nothing", &[][..], Dialect::Gemini),
        ("/v1/messages/batches", &[][..], Dialect::Messages),
        ("/v1/nothing", &[("anthropic-version", "2023-06-01")][..], Dialect::Messages),
    ] {
        let answer = Call::get(target).headers(headers).send(address).await;
        assert_eq!(answer.status, 404, "{target}");
        dialect::fault(dialect, &answer.body).unwrap_or_else(|error| panic!("{target}: {error}"));
    }
    for (target, allowed, dialect) in [
        ("/v1/chat/completions", "POST", Dialect::Chat),
        ("/v1/messages", "POST", Dialect::Messages),
        ("/v1beta/models/gemini-2.5-pro:generateContent", "POST", Dialect::Gemini),
        ("/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse", "POST", Dialect::Gemini),
        ("/v1/models/gemini-2.5-pro:countTokens", "POST", Dialect::Gemini),
    ] {
        let answer = Call::get(target).send(address).await;
        assert_eq!((answer.status, answer.header("allow")), (405, allowed), "{target}: {}", answer.text());
        assert!(answer.text().contains("does not take `GET`"), "{target}: {}", answer.text());
        dialect::fault(dialect, &answer.body).unwrap_or_else(|error| panic!("{target}: {error}"));
    }
    for target in ["/chat/completions", "/v1/v1/chat/completions", "//v1//chat/completions/"] {
        let answer = Call::post(target, CHAT).send(address).await;
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
    }
}

#[tokio::test]
async fn the_list_of_models_has_the_shape_of_the_caller() {
    let world = World::start().await;
    let address = world.byok.address();
    let openai = Call::get("/v1/models").header("authorization", "Bearer any").send(address).await.json();
    assert_eq!(openai["object"], "list");
    assert!(openai["data"][0]["created"].is_number(), "{openai}");
    let anthropic =
        Call::get("/v1/models").header("anthropic-version", "2023-06-01").send(address).await.json();
    assert_eq!(anthropic["data"][0]["type"], "model", "{anthropic}");
    assert_eq!(anthropic["has_more"], false);
    let google = Call::get("/v1beta/models").send(address).await.json();
    assert!(google["models"][0]["name"].as_str().unwrap().starts_with("models/"), "{google}");
    let one = Call::get("/v1/models/claude-sonnet-4-6").send(address).await.json();
    assert_eq!(one["id"], "claude-sonnet-4-6");
    // A short name leads to the full one; what it says of thinking stays.
    for (asked, told) in [
        ("claude-haiku-4-5", "claude-haiku-4-5-20251001"),
        ("claude-haiku-4-5-thinking-8000", "claude-haiku-4-5-20251001-thinking-8000"),
    ] {
        let one = Call::get(format!("/v1/models/{asked}")).send(address).await.json();
        assert_eq!(one["id"], told, "{one}");
    }
    let one = Call::get("/v1beta/models/gemini-3.5-flash").send(address).await.json();
    assert_eq!(one["name"], "models/gemini-3.5-flash");
}

#[tokio::test]
async fn a_path_that_is_no_text_is_refused_in_the_dialect() {
    let world = World::start().await;
    for (method, target, dialect) in [
        ("POST", "/v1beta/models/a%ffb:generateContent", Dialect::Gemini),
        ("GET", "/v1beta/models/%ff", Dialect::Gemini),
        ("GET", "/v1/models/%ff", Dialect::Chat),
        ("GET", "/amp/v0/management/%ff", Dialect::Chat),
    ] {
        let answer = Call::post(target, "{}").method(method).send(world.byok.address()).await;
        assert_eq!(answer.status, 400, "{target}: {}", answer.text());
        let fault = dialect::fault(dialect, &answer.body).unwrap_or_else(|error| panic!("{target}: {error}"));
        assert!(fault.message.contains("UTF-8"), "{target}: {fault:?}");
    }
}

#[tokio::test]
async fn a_head_has_a_limit() {
    let world = World::with(json!({"limits": {"header_bytes": "8KiB"}})).await;
    let answer = chat().header("x-long", &"x".repeat(10_000)).send(world.byok.address()).await;
    assert_eq!(answer.status, 431);
    let fault = dialect::fault(Dialect::Chat, &answer.body).unwrap();
    assert!(fault.message.contains("limits.header_bytes"), "{fault:?}");
    let head =
        |fields: &str| format!("GET /health HTTP/1.1\r\nhost: {}\r\n{fields}\r\n", world.byok.address());
    for (what, fields, status) in [
        ("a long field", format!("x-long: {}\r\n", "x".repeat(100_000)), "431"),
        ("many fields", "x-one: 1\r\n".repeat(101), "431"),
        ("two lengths", "content-length: 1\r\ncontent-length: 2\r\n".to_owned(), "400"),
    ] {
        let said = Raw::talk(world.byok.address(), head(&fields)).await;
        assert!(said.starts_with(&format!("HTTP/1.1 {status}")), "{what}: {said:?}");
    }
    world.byok.logged("something that is no request was refused").await;
    assert_eq!(chat().send(world.byok.address()).await.status, 200);
}

#[tokio::test]
async fn being_reachable_without_a_key_is_told() {
    let world = World::start().await;
    let config = std::fs::read_to_string(world.byok.config_file()).unwrap();
    let mut config: serde_json::Value = serde_json::from_str(&config).unwrap();
    config["allowed_hosts"] = json!(["byok.example"]);
    std::fs::write(world.byok.config_file(), config.to_string()).unwrap();
    world.byok.logged("there is no client key").await;
    assert_eq!(chat().send(world.byok.address()).await.status, 401);
    let problems = world.byok.status().await["config"]["problems"].to_string();
    assert!(problems.contains("Set `api_keys`"), "{problems}");
}
