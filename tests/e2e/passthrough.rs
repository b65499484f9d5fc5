//! The same dialect on both sides: the bytes pass through, and only what must change changes.

use crate::support::{
    ask::Ask,
    byok::Byok,
    client::{Answer, Call},
    dialect,
    world::{self, World, config, each, equal},
};
use byok_simulator::{SimOptions, Simulator};
use byok_types::Dialect;
use flate2::read::GzDecoder;
use serde_json::json;
use std::io::Read;

/// Keys with which the simulator accepts fields that no vendor knows.
const LENIENT: [(&str, &str); 3] =
    [("claude", "sk-ant-api03-lenient"), ("codex", "sk-lenient"), ("gemini", "AIza-lenient")];

/// Another name for the model of each dialect.
const ALIAS: &str = "mine";

/// Two simulators that say the same, one asked directly and one through byok.
struct Twins {
    direct: Simulator,
    behind: Simulator,
    byok: Byok,
}

impl Twins {
    async fn start() -> Self {
        let options = SimOptions { now: Some(1_790_000_000), ..SimOptions::default() };
        let direct = Simulator::start(options.clone()).await.unwrap();
        let behind = Simulator::start(options).await.unwrap();
        let mut providers = json!({});
        for (name, key) in LENIENT {
            let base = if name == "codex" { format!("{}/v1", behind.base_url()) } else { behind.base_url() };
            providers[name] = json!({"api_key": key, "base_url": base});
        }
        let settings = json!({"providers": providers, "aliases": {
            "mine-chat": "codex/gpt-5.1", "mine-responses": "codex/gpt-5.1",
            "mine-messages": "claude/claude-sonnet-4-6", "mine-gemini": "gemini/gemini-3.5-flash",
        }});
        let byok = Byok::start(config(&behind, settings)).await;
        Self { direct, behind, byok }
    }

    /// The answer of byok to a request, and the one of the vendor to the bytes that byok sent on.
    async fn both(&self, dialect: Dialect, stream: bool, model: &str, body: &str) -> (Answer, Answer) {
        let answer = call(dialect, stream, model, body).send(self.byok.address()).await;
        let seen = self.behind.requests().pop().expect("byok has asked the vendor");
        let target = format!("{}?{}", seen.path, seen.query);
        let mut call = Call::post(target.trim_end_matches('?'), seen.body.clone());
        for name in ["authorization", "x-api-key", "x-goog-api-key", "anthropic-version"] {
            call = call.header(name, seen.header(name).unwrap_or_default());
        }
        (answer, call.send(self.direct.address()).await)
    }
}

fn call(dialect: Dialect, stream: bool, model: &str, body: &str) -> Call {
    let target = match dialect {
        Dialect::Chat => "/v1/chat/completions".to_owned(),
        Dialect::Responses => "/v1/responses".to_owned(),
        Dialect::Messages => "/v1/messages".to_owned(),
        Dialect::Gemini if stream => format!("/v1beta/models/{model}:streamGenerateContent?alt=sse"),
        Dialect::Gemini => format!("/v1beta/models/{model}:generateContent"),
    };
    Call::post(target, body.to_owned()).header("anthropic-version", "2023-06-01")
}

/// The vendor's own name of a model that byok passes on to it.
fn native(dialect: Dialect) -> &'static str {
    world::model(dialect)
}

/// A body as no serialiser would write it. `MODEL` and `TEXT` stand for the model and the words of the user.
fn odd(dialect: Dialect, stream: bool) -> String {
    let wish = if stream { "\"stream\" :\ttrue," } else { "" };
    let unknown = "\"x_unknown\": {\"model\":\"inner\" , \"n\":1.50e+02,\"big\":123456789012345678901234567890, \"z\": [ ]}";
    match dialect {
        Dialect::Chat => {
            let usage = if stream { "\"stream_options\":{ \"include_usage\":true }," } else { "" };
            format!(
                "{{ {unknown},{wish}{usage}\r\n\"messages\":[{{\"content\":\"TEXT\",\"role\":\"user\"}} ], \
                 \"\\u006dodel\" : \"MODEL\" ,\"metadata\":{{\"model\":\"no\"}}\n}}\n"
            )
        }
        Dialect::Responses => format!(
            "{{\"input\":[{{\"content\":[{{\"text\":\"TEXT\",\"type\":\"input_text\"}}],\"role\":\"user\"}}],{wish} \
             \"mode\\u006c\":\"MODEL\",  {unknown},\"metadata\":{{\"model\":\"no\"}}}}"
        ),
        Dialect::Messages => format!(
            "{{\"max_tokens\":1024,{wish}\"messages\" : [{{\"role\":\"user\",\"content\":\"TEXT\"}}],{unknown} , \
             \"\\u006d\\u006f\\u0064\\u0065\\u006c\":\"MODEL\"}}"
        ),
        Dialect::Gemini => format!(
            "\n{{\"contents\":[ {{\"parts\":[{{\"text\":\"TEXT\"}}],\"role\":\"user\"}}], {unknown}}}"
        ),
    }
}

/// All dialects, streaming and not.
fn cases() -> Vec<Case> {
    Dialect::ALL
        .into_iter()
        .flat_map(|dialect| [false, true].map(|stream| Case { dialect, stream }))
        .collect()
}

#[derive(Clone, Copy)]
struct Case {
    dialect: Dialect,
    stream: bool,
}

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.dialect, if self.stream { "stream" } else { "whole" })
    }
}

/// Text with characters that a serialiser would write otherwise.
const WORDS: &str = "sim:text h\\u00e9llo \\ud83c\\udf05 \\/ \u{e9}\u{2028}";

#[tokio::test]
async fn request_bytes_stay_as_they_are() {
    let twins = Twins::start().await;
    for Case { dialect, stream } in cases() {
        let body = odd(dialect, stream).replace("TEXT", WORDS).replace("MODEL", native(dialect));
        let (answer, _) = twins.both(dialect, stream, native(dialect), &body).await;
        assert_eq!(answer.status, 200, "{dialect}: {}", answer.text());
        let seen = twins.behind.requests().pop().unwrap();
        assert_eq!(String::from_utf8_lossy(&seen.body), body, "{dialect}");
    }
}

#[tokio::test]
async fn a_body_that_speaks_of_carriers_stays_as_it_is() {
    let twins = Twins::start().await;
    for Case { dialect, stream } in cases() {
        let words = "sim:noise sim:text byok1:claude::QUFB Ynlvaz";
        let body = odd(dialect, stream).replace("TEXT", words).replace("MODEL", native(dialect));
        let (answer, direct) = twins.both(dialect, stream, native(dialect), &body).await;
        let seen = twins.behind.requests().pop().unwrap();
        assert_eq!(String::from_utf8_lossy(&seen.body), body, "{dialect}");
        assert_eq!(answer.text(), direct.text(), "{dialect}");
    }
}

#[tokio::test]
async fn a_gemini_array_has_the_events_of_the_vendor_as_they_are() {
    let twins = Twins::start().await;
    let body = odd(Dialect::Gemini, true).replace("TEXT", "sim:noise sim:crlf sim:languages");
    let model = native(Dialect::Gemini);
    let array = Call::post(format!("/v1beta/models/{model}:streamGenerateContent"), body.clone());
    let array = array.send(twins.byok.address()).await;
    let seen = twins.behind.requests().pop().unwrap();
    assert_eq!(
        (seen.query.as_str(), String::from_utf8_lossy(&seen.body).as_ref()),
        ("alt=sse", body.as_str())
    );
    let direct = call(Dialect::Gemini, true, model, &body).header("x-goog-api-key", LENIENT[2].1);
    let text = direct.send(twins.direct.address()).await.text();
    let data: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
    assert!(data.len() > 2, "{text}");
    assert_eq!(array.text(), format!("[{}]", data.join(",\r\n")));
    assert!(array.header("content-type").starts_with("application/json"));
    assert!(array.json().is_array());
}

#[tokio::test]
async fn an_alias_changes_the_model_and_nothing_else() {
    let twins = Twins::start().await;
    for Case { dialect, stream } in cases() {
        let alias = format!("{ALIAS}-{dialect}");
        let text = odd(dialect, stream).replace("TEXT", WORDS);
        let (asked, sent) = (text.replace("MODEL", &alias), text.replace("MODEL", native(dialect)));
        let (answer, direct) = twins.both(dialect, stream, &alias, &asked).await;
        assert_eq!(answer.status, 200, "{dialect}: {}", answer.text());
        let seen = twins.behind.requests().pop().unwrap();
        assert_eq!(String::from_utf8_lossy(&seen.body), sent, "{dialect}");
        assert!(seen.path.contains(native(dialect)) || dialect != Dialect::Gemini, "{}", seen.path);
        // The client finds the name it asked for, and every other byte of the vendor.
        let member = if dialect == Dialect::Gemini { "modelVersion" } else { "model" };
        let renamed = |gap: &str, name: &str| format!("\"{member}\":{gap}\"{name}\"");
        let wanted = ["", " "].iter().fold(direct.text(), |text, gap| {
            text.replace(&renamed(gap, native(dialect)), &renamed(gap, &alias))
        });
        assert_eq!(answer.text(), wanted, "{dialect}");
    }
}

#[tokio::test]
async fn answer_bytes_stay_as_they_are() {
    let twins = Twins::start().await;
    let wishes = [
        "sim:languages",
        "sim:noise sim:crlf sim:languages",
        "sim:noise sim:one_byte sim:text Slow down.",
        "sim:split_utf8 sim:languages",
        "sim:thinking Hm. sim:text Yes.",
        "sim:refusal",
        "sim:coalesce sim:text At once.",
    ];
    for Case { dialect, stream } in cases() {
        for wish in wishes {
            let body = odd(dialect, stream).replace("TEXT", wish).replace("MODEL", native(dialect));
            let (answer, direct) = twins.both(dialect, stream, native(dialect), &body).await;
            assert_eq!(answer.status, 200, "{dialect} {wish}: {}", answer.text());
            assert_eq!(answer.text(), direct.text(), "{dialect} {wish}");
            assert_eq!(answer.header("content-type"), direct.header("content-type"), "{dialect} {wish}");
        }
    }
}

#[tokio::test]
async fn a_compressed_answer_is_unpacked_and_then_stays_as_it_is() {
    let twins = Twins::start().await;
    for Case { dialect, stream } in cases() {
        let body =
            odd(dialect, stream).replace("TEXT", "sim:gzip sim:languages").replace("MODEL", native(dialect));
        let (answer, direct) = twins.both(dialect, stream, native(dialect), &body).await;
        let mut text = String::new();
        GzDecoder::new(direct.body.as_slice()).read_to_string(&mut text).unwrap();
        assert_eq!(answer.text(), text, "{dialect}");
        assert_eq!(answer.header("content-encoding"), "", "{dialect}");
    }
}

#[tokio::test]
async fn errors_of_the_vendor_stay_as_they_are() {
    let twins = Twins::start().await;
    for Case { dialect, stream } in cases() {
        for wish in ["sim:400", "sim:context", "sim:413"] {
            let body = odd(dialect, stream).replace("TEXT", wish).replace("MODEL", native(dialect));
            let (answer, direct) = twins.both(dialect, stream, native(dialect), &body).await;
            assert_eq!(answer.status, direct.status, "{dialect} {wish}: {}", answer.text());
            assert_eq!(answer.text(), direct.text(), "{dialect} {wish}");
            assert_eq!(answer.header("x-byok-attempts"), "1", "{dialect} {wish}");
        }
    }
}

#[tokio::test]
async fn usage_that_only_byok_asked_for_is_hidden() {
    let twins = Twins::start().await;
    let head = "{\"model\":\"gpt-5.1\",\"stream\":true,";
    let tail = "\"messages\":[{\"role\":\"user\",\"content\":\"sim:text Hi there.\"}]}";
    for options in ["", "\"stream_options\":null,", "\"stream_options\":{\"include_usage\":false},"] {
        let body = format!("{head}{options}{tail}");
        let (answer, direct) = twins.both(Dialect::Chat, true, "", &body).await;
        let seen = twins.behind.requests().pop().unwrap();
        assert_eq!(seen.json()["stream_options"]["include_usage"], true, "{options}");
        assert_eq!(seen.json()["messages"][0]["content"], "sim:text Hi there.", "{options}");
        // The vendor's chunk of usage is the only one without a choice.
        let frames: Vec<&str> = std::str::from_utf8(&direct.body).unwrap().split_inclusive("\n\n").collect();
        let shown: String =
            frames.iter().copied().filter(|frame| !frame.contains("\"choices\":[]")).collect();
        assert_eq!(frames.len(), shown.split_inclusive("\n\n").count() + 1, "{options}");
        assert_eq!(answer.text(), shown, "{options}");
    }
}

#[tokio::test]
async fn each_event_passes_when_it_comes() {
    let world = World::start().await;
    for dialect in Dialect::ALL {
        let ask = Ask::new("sim:slow 500 5").model(native(dialect)).stream(true);
        let mut open = dialect::call(dialect, &ask).open(world.byok.address()).await;
        open.until("word 3").await;
        assert_eq!(world.simulator.open_calls(), 1, "{dialect}: the vendor has not ended its answer yet");
        drop(open);
        world.simulator.cancelled().await;
    }
}

#[tokio::test]
async fn a_name_twice_is_refused_where_byok_has_to_choose() {
    let world = World::start().await;
    for (dialect, rest) in [
        (Dialect::Chat, "\"messages\":[{\"role\":\"user\",\"content\":\"Hi.\"}]"),
        (Dialect::Responses, "\"input\":\"Hi.\""),
        (Dialect::Messages, "\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"Hi.\"}]"),
    ] {
        let body = format!("{{\"model\":\"{}\",{rest},\"mod\\u0065l\":\"other\"}}", native(dialect));
        let answer = call(dialect, false, "", &body).send(world.byok.address()).await;
        assert_eq!(answer.status, 400, "{dialect}: {}", answer.text());
        let fault = dialect::fault(dialect, &answer.body).unwrap();
        assert!(fault.message.contains("model"), "{dialect}: {fault:?}");
    }
    assert_eq!(world.simulator.request_count(), 0);
}

/// Headers that belong to the client, its connection or a proxy before byok.
const PRIVATE: [(&str, &str); 13] = [
    ("cookie", "session=secret"),
    ("x-forwarded-for", "203.0.113.9"),
    ("x-real-ip", "203.0.113.9"),
    ("te", "trailers"),
    ("expect", "100-continue"),
    ("proxy-authorization", "Basic c2VjcmV0"),
    ("origin", ""),
    ("referer", "http://localhost/secret"),
    ("x-evil", "1"),
    ("x-sim-scenario", "429"),
    ("keep-alive", "timeout=5"),
    ("accept-language", "no"),
    ("dnt", "1"),
];

#[tokio::test]
async fn only_headers_that_mean_something_to_the_vendor_travel() {
    let world = World::with(json!({"api_keys": ["byok-e2e-0123456789abcdef"]})).await;
    each(Dialect::ALL, async |dialect| {
        let ask = Ask::new(format!("Hello from {dialect}.")).model(native(dialect));
        let call = dialect::call(dialect, &ask)
            .headers(&PRIVATE)
            .header("x-byok-key", "byok-e2e-0123456789abcdef")
            .header("user-agent", "a-client/9.9")
            .header("anthropic-beta", "context-1m-2025-08-07")
            .header("openai-organization", "org-mine");
        let answer = call.send(world.byok.address()).await;
        equal("status", &answer.status, &200).map_err(|error| format!("{error}: {}", answer.text()))?;
        let seen = world.seen(&format!("Hello from {dialect}.")).ok_or("nothing was sent")?;
        for (name, _) in PRIVATE {
            equal(name, &seen.headers.contains_key(name), &false)?;
        }
        equal("key", &seen.headers.contains_key("x-byok-key"), &false)?;
        let agent = seen.header("user-agent").unwrap_or_default();
        equal("agent", &agent.starts_with("byok/"), &true).map_err(|error| format!("{error}: {agent}"))?;
        let beta = seen.header("anthropic-beta").is_some();
        equal("beta", &beta, &(dialect == Dialect::Messages))?;
        let organization = seen.header("openai-organization").is_some();
        equal("organization", &organization, &matches!(dialect, Dialect::Chat | Dialect::Responses))
    })
    .await;
}
