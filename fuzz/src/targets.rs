//! What is fuzzed: one function for each target, which panics where a promise is broken. Used by the libFuzzer targets, by
//! the random harness and, with the corpora, by `tests/fuzz.rs` of the workspace.
//!
//! The first byte of an input says the dialect (`0` Chat, `1` Responses, `2` Messages, `3` Gemini) and, in its upper bits,
//! what is switched on; the second where the bytes are cut. So inputs can be written by hand: `01{"model":…}`.

use byok_translate::{
    Discovered, Exchange, Ids, Incoming, Json, ModelEntry, Relay, StreamReader, Translated, UsageScanner,
    codec, estimate_tokens, ir, read_answer, sse, tokens_by_length,
};
use byok_types::{Dialect, Failure, Family, MaxTokensField, ModelFacts, StructuredOutput};
use bytes::Bytes;
use serde_json::value::RawValue;

#[path = "../../crates/translate/tests/grammar/all.rs"]
mod grammar;

/// A target: its name and its function.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 5] =
    [("request", request), ("answer", answer), ("stream", stream), ("sse", sse), ("config", config)];

const DIALECTS: [Dialect; 4] = [Dialect::Chat, Dialect::Responses, Dialect::Messages, Dialect::Gemini];
const FAMILIES: [Family; 4] = [Family::Other, Family::Openai, Family::Claude, Family::Gemini];

/// Reads a request in one dialect and writes it in all four.
pub fn request(data: &[u8]) {
    let [first, second, body @ ..] = data else { return };
    let dialect = DIALECTS[usize::from(first & 3)];
    let gemini = dialect == Dialect::Gemini;
    let incoming = Incoming { body, model: gemini.then_some("m"), stream: gemini.then_some(first & 4 != 0) };
    let request = match codec::decode_request(dialect, &incoming) {
        Ok(read) => read.value,
        Err(failure) => return refused(&failure),
    };
    estimate_tokens(&request, &tokens_by_length);
    for (target, family) in
        DIALECTS.into_iter().zip([Family::Other, Family::Openai, Family::Claude, Family::Gemini])
    {
        let facts = facts(*second, family);
        let write = || codec::encode_request(target, &request, &facts, &mut Ids::new("s"));
        let written = match write() {
            Ok(written) => written.value,
            Err(failure) => {
                refused(&failure);
                continue;
            }
        };
        assert_eq!(
            Some(&written),
            write().ok().map(|again| again.value).as_ref(),
            "{target}: not the same twice"
        );
        is_json(&written);
        let _ = codec::encode_count_request(target, &request, &facts, &mut Ids::new("s"));
        // What byok writes it must be able to read; and once a request has been read in the dialect that it is written in,
        // nothing changes any more: the bytes of turn after turn are the same.
        let again = |body: &[u8]| {
            let incoming = Incoming { body, model: Some("m"), stream: Some(request.stream) };
            let read = codec::decode_request(target, &incoming).map(|read| read.value);
            let written =
                read.and_then(|read| codec::encode_request(target, &read, &facts, &mut Ids::new("s")));
            written.map_or_else(
                |failure| panic!("{target}: {failure:?}\n{}", text(body)),
                |written| written.value,
            )
        };
        let twice = again(&written);
        // A name that looks as if byok had rewritten it is rewritten, so that it can be read back: once more each time.
        if !body.windows(5).any(|part| part == b"_byok") {
            assert_eq!(text(&again(&twice)), text(&twice), "{target}: never comes to rest");
        }
    }
}

/// Reads a whole answer, an error or a list of models and writes it for all clients.
pub fn answer(data: &[u8]) {
    let [first, second, body @ ..] = data else { return };
    let upstream = DIALECTS[usize::from(first & 3)];
    let failure = codec::decode_failure(upstream, 400 + u16::from(*second), body);
    for client in DIALECTS {
        is_json(&codec::encode_failure(client, &failure, "r"));
        let list: Vec<_> = codec::decode_models(upstream, body).into_iter().map(listed).collect();
        is_json(&codec::encode_models(client, &list, false));
        codec::decode_count(upstream, body);
        let exchange = exchange(client, upstream, *first);
        let Ok(Translated { value: events, .. }) = read_answer(body, &exchange) else { continue };
        grammar::promises(&events).unwrap_or_else(|fault| panic!("{client}: {fault}"));
        told(events, &exchange);
    }
}

/// What a list states fits the facts of models.
fn listed(found: Discovered) -> ModelEntry {
    let facts: ModelFacts =
        serde_json::from_value(serde_json::Value::Object(found.facts)).expect("a fact of models");
    ModelEntry { id: found.id, created: found.created, owner: None, facts }
}

/// Reads a stream cut anywhere and writes it for all clients.
pub fn stream(data: &[u8]) {
    let [first, second, body @ ..] = data else { return };
    let upstream = DIALECTS[usize::from(first & 3)];
    for client in DIALECTS {
        let exchange = exchange(client, upstream, *first);
        let events = read(body, &exchange, body.len());
        grammar::promises(&events).unwrap_or_else(|fault| panic!("{client}: {fault}"));
        assert_eq!(read(body, &exchange, cut(*second)), events, "{client}: the cut matters");
        told(events, &exchange);
    }
}

/// Cuts bytes into frames, counts tokens beside them, passes them through.
pub fn sse(data: &[u8]) {
    let [first, second, body @ ..] = data else { return };
    let dialect = DIALECTS[usize::from(first & 3)];
    let size = cut(*second);
    assert_eq!(frames(body, size), frames(body, body.len()), "frames");
    let mut limited = sse::Decoder::new(16);
    for chunk in body.chunks(size) {
        if limited.push(chunk, |frame| assert!(frame.data.len() <= 16)).is_err() {
            break;
        }
        assert!(limited.held() <= 32);
    }
    let lines = first & 4 == 0;
    assert_eq!(counted(dialect, lines, body, size), counted(dialect, lines, body, body.len()), "usage");
    assert_eq!(relayed(Relay::new(dialect, None, false), body, size), body, "not passed through");
    for (model, hide) in [(Some("mine"), false), (None, true), (Some("mine"), true)] {
        let relay = || Relay::new(dialect, model, hide);
        let whole = relayed(relay(), body, body.len());
        assert_eq!(relayed(relay(), body, size), whole, "relay");
        let frames = (frames(&whole, whole.len()).len(), frames(body, body.len()).len());
        assert!(frames.0 == frames.1 || hide, "frames lost: {frames:?}");
    }
    let array = || Relay::new(dialect, None, false).as_array();
    assert_eq!(relayed(array(), body, size), relayed(array(), body, body.len()), "array");
    let whole = Relay::new(dialect, Some("mine"), false).whole(&Bytes::copy_from_slice(body));
    if serde_json::from_slice::<Box<RawValue>>(body).is_ok() {
        is_json(&whole);
    }
}

/// Reads a configuration file.
pub fn config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // Secrets may be read from files; the fuzzer must not open what it finds on the machine.
    if text.contains("file") {
        return;
    }
    let path = std::env::temp_dir().join(format!(
        "byok-fuzz-{}-{:?}.yaml",
        std::process::id(),
        std::thread::current().id()
    ));
    std::fs::write(&path, text).unwrap_or_else(|error| panic!("{error}"));
    private(&path);
    let sources = byok_config::Sources {
        file: Some(path.clone()),
        file_required: true,
        overlay: None,
        env: vec![("HOME".to_owned(), "/home/ada".to_owned()), ("A".to_owned(), "value".to_owned())],
        ..byok_config::Sources::default()
    };
    let loaded = byok_config::load(&sources);
    let again = byok_config::load(&sources);
    let _ = std::fs::remove_file(&path);
    match (loaded, again) {
        (Ok(loaded), Ok(again)) => {
            assert_eq!(loaded.hash, again.hash);
            assert_eq!(format!("{:?}", loaded.show()), format!("{:?}", again.show()));
            assert!(!loaded.show().is_empty());
        }
        (Err(error), Err(again)) => {
            assert_eq!(error.to_string(), again.to_string());
            assert!(error.to_string().contains("byok-fuzz-"), "no place: {error}");
        }
        (loaded, again) => panic!("{loaded:?} and then {again:?}"),
    }
}

#[cfg(unix)]
fn private(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    let _ = std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600));
}

#[cfg(not(unix))]
fn private(_: &std::path::Path) {}

/// What a client is told of these events, in both forms: grammatical, and the same.
fn told(events: Vec<ir::Event>, exchange: &Exchange) {
    let contradicts = contradicts(&events);
    let mut fold = ir::Fold::default();
    let mut encoder = codec::StreamEncoder::new(exchange);
    let mut out = Vec::new();
    for event in events {
        fold.push(event.clone());
        encoder.push(event, &mut out);
    }
    let client = exchange.client;
    if let Err(fault) = grammar::check(client, &out) {
        assert!(is_beyond(&fault), "{client}: {fault}\n{}", text(&out));
        return;
    }
    let Ok(response) = fold.finish() else { return };
    let whole = codec::encode_answer(&response, exchange).value;
    is_json(&whole);
    if let Err(fault) = grammar::check_answer(client, &whole) {
        assert!(is_beyond(&fault), "{client}: {fault}\n{}", text(&whole));
        return;
    }
    let mut back = exchange.clone();
    (back.upstream, back.names, back.stop, back.json_tool) = (client, Default::default(), Vec::new(), false);
    if contradicts {
        return;
    }
    let folded = |events: Vec<ir::Event>| {
        let mut fold = ir::Fold::default();
        events.into_iter().for_each(|event| fold.push(event));
        fold.finish().map(|response| said(&response)).map_err(|failure| failure.kind)
    };
    let of_stream = folded(read(&out, &back, out.len()));
    let of_whole =
        read_answer(&whole, &back).map_err(|failure| failure.kind).and_then(|answer| folded(answer.value));
    assert_eq!(
        of_stream,
        of_whole,
        "{client}: stream and whole answer differ\n{}\n{}",
        text(&out),
        text(&whole)
    );
}

/// Whether the reader of the grammar, which keeps numbers as `f64`, cannot follow: byok passes numbers on as they are written.
fn is_beyond(fault: &str) -> bool {
    fault.contains("number out of range")
}

/// What an answer says. Arguments that are no JSON have a form of their own in a whole Messages answer, which can hold
/// only objects: `{"_raw": "…"}`.
fn said(response: &ir::Response) -> Vec<grammar::Said> {
    let mut all = grammar::said(response);
    for (_, input) in all.iter_mut().flat_map(|said| &mut said.calls) {
        let object: serde_json::Value = serde_json::from_str(input).unwrap_or_default();
        if let (Some(raw), Some(1)) =
            (object["_raw"].as_str(), object.as_object().map(|members| members.len()))
        {
            *input = raw.to_owned();
        }
        // White space around an object means nothing, and a whole answer is written without it.
        *input = input.trim().to_owned();
        if input.is_empty() {
            "{}".clone_into(input);
        }
    }
    // An answer of which nothing is said ends in a whole answer, and is not there in a stream.
    for said in &mut all {
        if said.text.is_empty() && said.refusal.is_empty() && said.calls.is_empty() {
            said.stop.get_or_insert(ir::StopReason::End);
        }
    }
    all
}

/// Whether the vendor's last word on a part is another than its pieces, or a text goes on behind the beginning of another text or
/// of a call. The client of a stream has the pieces by then, in their order, and a whole answer has the last word, part by part:
/// they cannot be the same.
fn contradicts(events: &[ir::Event]) -> bool {
    let mut pieces = std::collections::BTreeMap::<u32, String>::new();
    let mut speaks = 0;
    events.iter().any(|event| match event {
        ir::Event::PartStart { part, head: ir::PartHead::ToolCall { .. }, .. } => {
            speaks = speaks.max(part.0);
            false
        }
        ir::Event::Delta { part, delta: ir::Delta::Text(text) } => {
            let goes_back = part.0 < speaks && !text.is_empty();
            speaks = speaks.max(part.0);
            pieces.entry(part.0).or_default().push_str(text);
            goes_back
        }
        ir::Event::Delta { part, delta: ir::Delta::Arguments(text) } => {
            pieces.entry(part.0).or_default().push_str(text);
            false
        }
        ir::Event::PartStop { part, whole: Some(whole), .. } => {
            let said = pieces.get(&part.0).map_or("", String::as_str);
            match &**whole {
                ir::Part::Text(text) => text.text != said,
                ir::Part::ToolCall(call) => call.arguments != said,
                _ => false,
            }
        }
        _ => false,
    })
}

fn exchange(client: Dialect, upstream: Dialect, flags: u8) -> Exchange {
    let mut request = ir::Request::new(client, "m");
    let custom = ir::CustomTool { name: "custom".into(), ..ir::CustomTool::default() };
    let function = |name: &str| {
        let schema = Json::parse(r#"{"type":"object"}"#).ok();
        ir::Tool::Function(ir::FunctionTool { name: name.into(), schema, ..ir::FunctionTool::default() })
    };
    request.tools = vec![function("f"), function("a.b"), ir::Tool::Custom(custom)];
    request.stream_options.include_usage = Some(flags & 4 != 0);
    if flags & 8 != 0 {
        request.sampling.stop = vec!["STOP".into(), "O".into()];
    }
    let mut facts = ModelFacts { family: FAMILIES[usize::from(flags >> 6)], ..ModelFacts::default() };
    if flags & 16 == 0 {
        let schema = Json::parse(r#"{"type":"object"}"#).unwrap_or_else(|_| panic!("a schema"));
        facts.structured_output = StructuredOutput::ForcedTool;
        let (name, description, strict, extra) = (None, None, None, ir::Extra::default());
        if flags & 32 == 0 {
            request.output_format = ir::OutputFormat::JsonSchema { name, description, schema, strict, extra };
        }
    }
    let mut exchange = Exchange::new(&request, &facts, upstream, 1, "seed");
    exchange.account = (flags & 4 != 0).then(|| "acc".to_owned());
    exchange
}

fn facts(flags: u8, family: Family) -> ModelFacts {
    let set = |bit: u8| flags & (1 << bit) != 0;
    ModelFacts {
        id: "m".into(),
        family,
        max_output_tokens: Some(1000),
        temperature: !set(0),
        first_party: set(1),
        system_turns: set(2),
        developer_role: set(3),
        prefill: !set(4),
        max_tokens_field: if set(5) {
            MaxTokensField::MaxCompletionTokens
        } else {
            MaxTokensField::MaxTokens
        },
        call_signatures: set(6),
        result_media: set(6),
        json_schema_tools: !set(7),
        structured_output: if set(7) { StructuredOutput::ForcedTool } else { StructuredOutput::Native },
        ..ModelFacts::default()
    }
}

fn read(body: &[u8], exchange: &Exchange, size: usize) -> Vec<ir::Event> {
    let mut reader = StreamReader::new(exchange, 1 << 20);
    let mut events = Vec::new();
    for chunk in body.chunks(size.max(1)) {
        reader.push(chunk, &mut events);
    }
    reader.finish(&mut events);
    events
}

fn frames(body: &[u8], size: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut decoder = sse::Decoder::default();
    let mut out = Vec::new();
    for chunk in body.chunks(size.max(1)) {
        let _ = decoder.push(chunk, |frame| out.push((frame.event.to_vec(), frame.data.to_vec())));
    }
    let _ = decoder.finish(|frame| out.push((frame.event.to_vec(), frame.data.to_vec())));
    out
}

fn counted(
    dialect: Dialect,
    stream: bool,
    body: &[u8],
    size: usize,
) -> impl PartialEq + std::fmt::Debug + use<> {
    let mut scanner = UsageScanner::new(dialect, stream);
    body.chunks(size.max(1)).for_each(|chunk| scanner.push(chunk));
    (scanner.usage(), scanner.ended(), scanner.failed(), scanner.next_event())
}

fn relayed(mut relay: Relay, body: &[u8], size: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in body.chunks(size.max(1)) {
        out.extend_from_slice(&relay.push(Bytes::copy_from_slice(chunk)));
    }
    out.extend_from_slice(&relay.finish());
    out.extend_from_slice(relay.close());
    out
}

/// Sizes of chunks: mostly small ones.
fn cut(byte: u8) -> usize {
    usize::from(byte & 31) + 1
}

fn refused(failure: &Failure) {
    assert!(
        (400..500).contains(&failure.status) && failure.param.is_some(),
        "a refusal without a field: {failure:?}"
    );
}

fn is_json(bytes: &[u8]) {
    if let Err(error) = serde_json::from_slice::<Box<RawValue>>(bytes) {
        panic!("no JSON: {error}\n{}", text(bytes));
    }
}

fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
