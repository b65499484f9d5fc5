//! Properties that hold across dialects. What holds within one stands with that dialect (`messages/tests/identity.rs`,
//! `chat_request.rs`, `responses.rs`, `gemini.rs`). `PROPTEST_CASES=10000` runs more cases than usual.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "grammar/all.rs"]
mod grammar;

use byok_translate::{
    Exchange, Ids, Incoming, Json, StreamReader, codec,
    ir::{
        Delta, Effort, Event, Fold, FunctionTool, Image, MaxTokens, MaxTokensSpelling, Message, OutputFormat,
        Part, PartHead, PartId, Request, Response, Role, Source, Start, Stop, StopReason, ThinkingSwitch,
        Tool, ToolCall, ToolChoice, ToolResult, Usage, unfold,
    },
    read_answer,
};
use byok_types::{Dialect, Failure, Family, ModelFacts, ThinkingFacts, ThinkingForm};
use proptest::{collection::vec, option, prelude::*, sample::select};
use std::collections::BTreeMap;

const DIALECTS: [Dialect; 4] = [Dialect::Chat, Dialect::Responses, Dialect::Messages, Dialect::Gemini];

fn dialect() -> impl Strategy<Value = Dialect> {
    select(DIALECTS.to_vec())
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![3 => "[a-z]{1,6}", 1 => "[a-z\u{e4}\u{1F642}\u{2028}\"\\\\\n<>/ ]{0,8}[a-z]"]
}

fn arguments() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("{}".to_owned()),
        Just(r#"{"b":12345678901234567890,"a":[1e5,null]}"#.to_owned()),
        text().prop_map(|text| format!("{{\"a\":{}}}", serde_json::to_string(&text).unwrap())),
    ]
}

// Answers.

/// One part of an answer: what it begins with, and its pieces.
fn part() -> impl Strategy<Value = (PartHead, Vec<Delta>)> {
    let call = (arguments(), 1..5usize, any::<u16>()).prop_map(|(arguments, pieces, id)| {
        let head = PartHead::ToolCall {
            call_id: format!("call_{id}"),
            item_id: None,
            name: "f".into(),
            namespace: None,
            flavour: byok_translate::ir::Flavour::Function,
            caller: None,
        };
        let letters: Vec<char> = arguments.chars().collect();
        let pieces = letters.chunks(letters.len().div_ceil(pieces));
        (head, pieces.map(|piece| Delta::Arguments(piece.iter().collect())).collect())
    });
    let thinking = vec(text(), 1..3).prop_map(|texts| {
        let delta = |text| Delta::Thinking { text, paragraph: 0, raw: false };
        (PartHead::Thinking { id: None, redacted: false }, texts.into_iter().map(delta).collect())
    });
    prop_oneof![
        3 => vec(text(), 1..5).prop_map(|texts| (PartHead::Text, texts.into_iter().map(Delta::Text).collect())),
        2 => call,
        1 => thinking,
    ]
}

/// The events of an answer as every decoder would say them.
fn answer() -> impl Strategy<Value = Vec<Event>> {
    let other = select(vec![
        StopReason::Length,
        StopReason::ContextFull,
        StopReason::ContentFilter,
        StopReason::Refusal,
        StopReason::Pause,
        StopReason::Other,
    ]);
    let stop = prop_oneof![2 => Just(StopReason::End), 1 => other];
    let usage = option::of((0..1000u64, 0..1000u64));
    (vec(part(), 1..6), stop, usage, option::of(text())).prop_map(|(mut parts, stop, usage, declined)| {
        if stop == StopReason::Refusal {
            // Who declines calls no tool.
            parts.retain(|(head, _)| !matches!(head, PartHead::ToolCall { .. }));
            parts.extend(declined.map(|words| (PartHead::Refusal, vec![Delta::Refusal(words)])));
        }
        let called = parts.iter().any(|(head, _)| matches!(head, PartHead::ToolCall { .. }));
        let stop = if called && matches!(stop, StopReason::End | StopReason::Pause | StopReason::Other) {
            StopReason::ToolCall
        } else {
            stop
        };
        let mut events =
            vec![Event::Start(Start { id: Some("r".into()), model: Some("m".into()), created: Some(1) })];
        for ((head, deltas), part) in parts.into_iter().zip((0..).map(PartId)) {
            events.push(Event::PartStart { part, choice: 0, head });
            events.extend(deltas.into_iter().map(|delta| Event::Delta { part, delta }));
            events.push(Event::PartStop { part, complete: true, whole: None });
        }
        events.push(Event::Finish { choice: 0, stop: Stop::new(stop) });
        events.extend(usage.map(|(input, output)| {
            Event::Usage(Usage { input: Some(input), output: Some(output), ..Usage::default() })
        }));
        events.push(Event::End);
        events
    })
}

fn exchange(client: Dialect, upstream: Dialect) -> Exchange {
    exchange_with(client, upstream, "seed")
}

fn exchange_with(client: Dialect, upstream: Dialect, seed: &str) -> Exchange {
    let mut request = Request::new(client, "m");
    request.stream_options.include_usage = Some(true);
    Exchange::new(&request, &ModelFacts::default(), upstream, 1, seed)
}

fn written(events: &[Event], exchange: &Exchange) -> Vec<u8> {
    let mut encoder = codec::StreamEncoder::new(exchange);
    let mut out = Vec::new();
    events.iter().cloned().for_each(|event| encoder.push(event, &mut out));
    out
}

/// What a client of `client` reads of bytes that an upstream of `upstream` sent in pieces of these sizes.
fn read(bytes: &[u8], client: Dialect, upstream: Dialect, sizes: &[usize]) -> Vec<Event> {
    read_with(bytes, &exchange(client, upstream), sizes)
}

fn read_with(bytes: &[u8], exchange: &Exchange, sizes: &[usize]) -> Vec<Event> {
    let mut reader = StreamReader::new(exchange, 1 << 20);
    let mut events = Vec::new();
    let mut rest = bytes;
    for size in sizes {
        let (piece, after) = rest.split_at(rest.len().min(*size));
        reader.push(piece, &mut events);
        rest = after;
    }
    reader.push(rest, &mut events);
    reader.finish(&mut events);
    events
}

fn folded(events: Vec<Event>) -> Response {
    try_folded(events).unwrap()
}

fn try_folded(events: Vec<Event>) -> Result<Response, Failure> {
    let mut fold = Fold::default();
    for event in events {
        fold.push(event);
    }
    fold.finish()
}

/// What is said, and the token counts.
/// Tokens in and out, where they are stated.
type Counts = Option<(Option<u64>, Option<u64>)>;

fn meant(response: &Response) -> (Vec<grammar::Said>, Counts) {
    let counts = response.usage.as_ref().map(|usage| (usage.input, usage.output));
    let mut said = grammar::said(response);
    for said in &mut said {
        // Whether words of a refusal have a place of their own, and the finer reasons of an end, are form.
        said.text.push_str(&std::mem::take(&mut said.refusal));
        said.text = said.text.replace(DECLINED, "");
        said.stop = said.stop.map(|stop| match stop {
            StopReason::ContextFull => StopReason::Length,
            StopReason::ContentFilter => StopReason::Refusal,
            StopReason::Pause | StopReason::Other => StopReason::End,
            stop => stop,
        });
        for (_, input) in &mut said.calls {
            *input = plain_json(input);
        }
    }
    (said, counts)
}

/// What byok says for a vendor that declined without a word, where the dialect wants words.
const DECLINED: &str = "The model declined to answer.";

/// JSON with one spelling of the line separator, which some dialects must escape.
fn plain_json(text: &str) -> String {
    text.replace("\\u2028", "\u{2028}")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_answer_says_the_same_to_every_client_from_every_upstream(
        events in answer(),
        (client, upstream) in (dialect(), dialect()),
        sizes in vec(0..40usize, 0..80),
    ) {
        let vendor = exchange_with(upstream, upstream, "the vendor's ids are its own");
        let sent = written(&events, &vendor);
        prop_assert_eq!(grammar::check(upstream, &sent), Ok(()), "{}", String::from_utf8_lossy(&sent));
        let got = read(&sent, client, upstream, &[]);
        prop_assert_eq!(grammar::promises(&got), Ok(()));
        // Any cut gives the same events.
        prop_assert_eq!(&read(&sent, client, upstream, &sizes), &got);
        // They say what was said.
        let response = folded(got.clone());
        let mut original = meant(&folded(events));
        if original.1.is_none() {
            // Some dialects must state counts, and state zero.
            original.1 = meant(&response).1;
        }
        prop_assert_eq!(&meant(&response), &original, "{}", String::from_utf8_lossy(&sent));
        // The client's own reader hears it, in a stream and in a whole answer alike.
        let shown = written(&got, &exchange(client, upstream));
        prop_assert_eq!(grammar::check(client, &shown), Ok(()), "{}", String::from_utf8_lossy(&shown));
        let of_stream = meant(&folded(read(&shown, client, client, &sizes)));
        let whole = codec::encode_answer(&response, &exchange(client, upstream)).value;
        prop_assert_eq!(grammar::check_answer(client, &whole), Ok(()));
        let of_whole = meant(&folded(read_answer(&whole, &exchange(client, client)).unwrap().value));
        prop_assert_eq!(&of_stream, &of_whole, "{} {}", String::from_utf8_lossy(&shown), String::from_utf8_lossy(&whole));
        prop_assert_eq!(of_stream.0, original.0, "{}", String::from_utf8_lossy(&shown));
    }

    #[test]
    fn a_compaction_is_one_item_or_a_failure(
        events in answer(),
        upstream in dialect().prop_filter("that has none", |dialect| *dialect != Dialect::Responses),
        sizes in vec(0..40usize, 0..80),
    ) {
        let sent = written(&events, &exchange_with(upstream, upstream, "the vendor's ids are its own"));
        let exchange = Exchange { compact: true, ..exchange(Dialect::Responses, upstream) };
        let got = read_with(&sent, &exchange, &[]);
        prop_assert_eq!(grammar::promises(&got), Ok(()));
        prop_assert_eq!(&read_with(&sent, &exchange, &sizes), &got);
        let shown = written(&got, &exchange);
        prop_assert_eq!(grammar::check(Dialect::Responses, &shown), Ok(()), "{}", String::from_utf8_lossy(&shown));
        let (response, original) = (try_folded(got), folded(events));
        match response {
            Err(failure) => prop_assert!(matches!(failure.status, 400 | 502), "{failure:?}"),
            Ok(response) => {
                let [Part::Compaction(compaction)] = &response.choices[0].parts[..] else {
                    return Err(TestCaseError::fail(format!("{response:?}")));
                };
                let told = compaction.summary.clone().unwrap_or_default();
                let said = |part: &Part| if let Part::Text(text) = part { text.text.clone() } else { String::new() };
                let said: String = original.choices[0].parts.iter().map(said).collect();
                // Between two texts a line may break.
                prop_assert_eq!(told.replace('\n', ""), said.replace('\n', ""));
                prop_assert!(!original.choices[0].parts.iter().any(|part| matches!(part, Part::ToolCall(_))));
            }
        }
    }

    #[test]
    fn a_whole_answer_is_the_fold_of_its_events(events in answer()) {
        let response = folded(events);
        prop_assert_eq!(folded(unfold(&response)), response);
    }

    #[test]
    fn there_and_back_loses_only_what_is_reported(
        middle in request(),
        (home, abroad) in (dialect(), dialect()),
        (at_home, away) in (thinking(), thinking()),
    ) {
        // What `home` can say of it is where the way begins.
        let Ok(sent) = write(home, &middle, &at_home) else { return Ok(()) };
        let before = read_request(home, &sent.0);
        let there = match write(abroad, &before, &away) {
            Ok(there) => there,
            // A refusal loses nothing: the client is told.
            Err(failure) => {
                prop_assert!(failure.status == 400 && failure.param.is_some(), "{failure:?}");
                return Ok(());
            }
        };
        let back = write(home, &read_request(abroad, &there.0), &at_home).unwrap();
        let after = read_request(home, &back.0);
        let (before, after) = (aspects(&before), aspects(&after));
        for (name, value) in before {
            if after.get(name) == Some(&value) {
                continue;
            }
            let told = there.1.iter().chain(&back.1).any(|field| concerns(field, name));
            prop_assert!(told, "{name} was {value} and is {:?}; told: {:?} {:?}\n{}\n{}\n{}", after.get(name),
                there.1, back.1, String::from_utf8_lossy(&sent.0), String::from_utf8_lossy(&there.0), String::from_utf8_lossy(&back.0));
        }
    }
}

// Requests.

fn turn() -> impl Strategy<Value = Vec<Message>> {
    let image = Part::Image(Image {
        source: Source::Base64 { media_type: "image/png".into(), data: "iVBORw0KGgo=".into() },
        detail: None,
        cache: None,
        extra: byok_translate::ir::Extra::default(),
    });
    let user = (text(), any::<bool>()).prop_map(move |(text, picture)| {
        let mut parts = vec![Part::text(text)];
        parts.extend(picture.then(|| image.clone()));
        vec![Message::new(Role::User, parts)]
    });
    let calls =
        (vec((arguments(), text(), any::<u16>()), 1..3), option::of(text())).prop_map(|(calls, said)| {
            let (mut parts, mut results) = (said.map(Part::text).into_iter().collect::<Vec<_>>(), Vec::new());
            for (at, (arguments, result, id)) in calls.into_iter().enumerate() {
                let call_id = format!("call_{id}_{at}");
                parts.push(Part::ToolCall(ToolCall {
                    call_id: call_id.clone(),
                    name: "f".into(),
                    arguments,
                    ..ToolCall::default()
                }));
                let parts = vec![Part::text(result)];
                results.push(Part::ToolResult(ToolResult {
                    call_id,
                    name: Some("f".into()),
                    parts,
                    ..ToolResult::default()
                }));
            }
            vec![Message::new(Role::Assistant, parts), Message::new(Role::Tool, results)]
        });
    let plain = (text(), text()).prop_map(|(said, asked)| {
        vec![
            Message::new(Role::Assistant, vec![Part::text(said)]),
            Message::new(Role::User, vec![Part::text(asked)]),
        ]
    });
    prop_oneof![1 => user, 2 => calls, 1 => plain]
}

fn request() -> impl Strategy<Value = Request> {
    let numbers = (
        option::of(select(vec![0.0, 0.5, 1.0])),
        option::of(select(vec![0.5, 1.0])),
        option::of(select(vec![1.0, 40.0])),
        option::of(-9..9i64),
        option::of(1..5000u64),
        option::of(select(vec![-1.0, 0.5])),
        vec(text(), 0..3),
    );
    let choice =
        select(vec![None, Some(ToolChoice::Auto), Some(ToolChoice::None), Some(ToolChoice::Required)]);
    let effort = option::of(select(vec![
        Effort::None,
        Effort::Minimal,
        Effort::Low,
        Effort::Medium,
        Effort::High,
        Effort::Xhigh,
        Effort::Max,
    ]));
    let words = (option::of(text()), option::of("[a-z]{1,5}"), option::of("[a-z]{1,5}"), any::<[bool; 3]>());
    (vec(turn(), 0..4), numbers, choice, effort, words, option::of(any::<bool>())).prop_map(
        |(turns, numbers, choice, effort, (system, user, label, [stream, json, tools]), parallel)| {
            let mut request = Request::new(Dialect::Responses, "m");
            request.system.extend(system.map(Part::text));
            request.messages.push(Message::new(Role::User, vec![Part::text("first")]));
            request.messages.extend(turns.into_iter().flatten());
            let sampling = &mut request.sampling;
            let max;
            (sampling.temperature, sampling.top_p, sampling.top_k, sampling.seed, max, sampling.frequency_penalty, sampling.stop) = numbers;
            request.max_tokens = max.map(|value| MaxTokens { value, spelling: MaxTokensSpelling::MaxTokens });
            request.reasoning.effort = effort;
            request.end_user.user = user;
            request.metadata.extend(label.map(|label| ("k".to_owned(), Json::string(&label))));
            request.stream = stream;
            if json {
                request.output_format = OutputFormat::JsonObject;
            }
            if tools {
                let schema = Json::parse(r#"{"type":"object","properties":{"b":{"type":"string"},"a":{"type":"integer"}},"required":["b"]}"#).unwrap();
                request.tools = vec![Tool::Function(FunctionTool { name: "f".into(), schema: Some(schema), description: Some("d".into()), ..FunctionTool::default() })];
                request.tool_choice = choice;
                request.parallel_tool_calls = parallel;
            }
            request
        },
    )
}

/// What a model may be told about reasoning: in every form, and nothing at all.
fn thinking() -> impl Strategy<Value = ThinkingFacts> {
    use ThinkingForm::{Adaptive, Budget, Level};
    let forms = select(vec![
        vec![],
        vec![Budget],
        vec![Level],
        vec![Adaptive, ThinkingForm::Effort],
        vec![Adaptive],
        vec![Budget, ThinkingForm::Effort],
    ]);
    let levels = select(vec![
        vec![],
        vec![Effort::Low, Effort::Medium, Effort::High],
        vec![Effort::None, Effort::Minimal, Effort::High, Effort::Max],
    ]);
    let budget = select(vec![None, Some((1024, 32_000))]);
    (forms, levels, budget, any::<bool>()).prop_map(|(forms, levels, budget, can_disable)| ThinkingFacts {
        forms,
        levels,
        budget,
        can_disable,
        ..ThinkingFacts::default()
    })
}

/// A request as bytes, and the names of what was lost.
fn write(
    dialect: Dialect,
    request: &Request,
    thinking: &ThinkingFacts,
) -> Result<(Vec<u8>, Vec<String>), Failure> {
    let family = match dialect {
        Dialect::Chat | Dialect::Responses => Family::Openai,
        Dialect::Messages => Family::Claude,
        Dialect::Gemini => Family::Gemini,
    };
    let mut thinking = thinking.clone();
    if dialect == Dialect::Chat && !thinking.forms.is_empty() {
        // The switches of other vendors stay within Chat and their vendor.
        thinking.forms = vec![ThinkingForm::Level];
    }
    let facts = ModelFacts { id: "m".into(), family, thinking, first_party: true, ..ModelFacts::default() };
    let written = codec::encode_request(dialect, request, &facts, &mut Ids::new("s"))?;
    Ok((written.value, written.losses.into_iter().map(|loss| loss.field).collect()))
}

fn read_request(dialect: Dialect, body: &[u8]) -> Request {
    let gemini = dialect == Dialect::Gemini;
    let incoming = Incoming { body, model: gemini.then_some("m"), stream: None };
    codec::decode_request(dialect, &incoming).unwrap().value
}

/// What a request asks for, by name; what it does not ask for is absent.
fn aspects(request: &Request) -> BTreeMap<&'static str, String> {
    let mut found = BTreeMap::new();
    let sampling = &request.sampling;
    let mut note = |name, value: Option<String>| drop(value.map(|value| found.insert(name, value)));
    let number = |value: Option<f64>| value.map(|value| value.to_string());
    note("temperature", number(sampling.temperature));
    note("top_p", number(sampling.top_p));
    note("top_k", number(sampling.top_k));
    note("frequency_penalty", number(sampling.frequency_penalty));
    note("seed", sampling.seed.map(|seed| seed.to_string()));
    note("stop", (!sampling.stop.is_empty()).then(|| format!("{:?}", sampling.stop)));
    note("max_tokens", request.max_tokens.map(|max| max.value.to_string()));
    note("effort", effort_said(request).map(|effort| format!("{effort:?}")));
    note("user", request.end_user.user.clone().or(request.end_user.safety_identifier.clone()));
    note("metadata", (!request.metadata.is_empty()).then(|| format!("{:?}", request.metadata)));
    note(
        "format",
        (request.output_format != OutputFormat::Text).then(|| format!("{:?}", request.output_format)),
    );
    // `auto` and parallel calls are what every dialect does if nothing is said.
    let choice = request.tool_choice.as_ref().filter(|choice| **choice != ToolChoice::Auto);
    note("tool_choice", choice.map(|choice| format!("{choice:?}")));
    let calls = request.tool_choice != Some(ToolChoice::None);
    note("parallel", request.parallel_tool_calls.filter(|flag| calls && !flag).map(|flag| flag.to_string()));
    let tool = |tool: &Tool| match tool {
        Tool::Function(tool) => {
            let schema: serde_json::Value =
                serde_json::from_str(tool.schema.as_ref().map_or("null", Json::get)).unwrap();
            format!("{} {:?} {}", tool.name, tool.description, schema["properties"])
        }
        other => format!("{other:?}"),
    };
    note("tools", (!request.tools.is_empty()).then(|| request.tools.iter().map(tool).collect()));
    note("conversation", Some(conversation(request)));
    found
}

/// How much the model is to think, whether it was said as a level or as a number of tokens. The words are those of
/// the table of efforts; no budget comes back as the highest level.
fn effort_said(request: &Request) -> Option<Effort> {
    let level = request.reasoning.effort.map(|level| level.min(Effort::Xhigh));
    match request.reasoning.switch {
        ThinkingSwitch::Off | ThinkingSwitch::Budget(0) => Some(Effort::None),
        ThinkingSwitch::Budget(tokens) => level.or(Some(match tokens {
            ..=512 => Effort::Minimal,
            513..=1024 => Effort::Low,
            1025..=8192 => Effort::Medium,
            8193..=24_576 => Effort::High,
            _ => Effort::Xhigh,
        })),
        _ => level,
    }
}

/// Who says what, in order, without ids and without the cuts between messages of one role.
fn conversation(request: &Request) -> String {
    let system = request.system.iter().map(|part| (Role::System, part));
    let all = system.chain(
        request.messages.iter().flat_map(|message| message.parts.iter().map(|part| (message.role, part))),
    );
    let mut lines = Vec::new();
    let mut added = Some("Answer with one JSON object and nothing else: no other text, no code fence.");
    for (role, part) in all {
        // Which of the two words for instructions a dialect has, and whose turn a result stands in, is form.
        let role = match role {
            Role::Developer => Role::System,
            role => role,
        };
        lines.push(match part {
            Part::Text(text) => {
                // What byok adds where a dialect needs the word in the text is reported as the format, and said once.
                let mut words = text.text.clone();
                if let Some(added) = added.take_if(|added| words.contains(*added)) {
                    words = words.replacen(added, "", 1);
                }
                if words.trim().is_empty() {
                    continue;
                }
                format!("{role:?}: {}", words.trim())
            }
            Part::ToolCall(call) => format!("call {} {}", call.name, plain_json(&call.arguments)),
            Part::ToolResult(result) => {
                let text = result.parts.iter().map(|part| match part {
                    Part::Text(text) => text.text.clone(),
                    other => format!("{other:?}"),
                });
                let object = result.object.as_ref().map(Json::get).unwrap_or_default();
                format!("result {}{object}", text.collect::<String>())
            }
            Part::Image(image) => format!("{role:?} shows {:?}", image.source),
            other => format!("{role:?} {other:?}"),
        });
    }
    lines.join("\n")
}

/// Whether a loss that names this field speaks of this aspect.
fn concerns(field: &str, aspect: &str) -> bool {
    let plain = |text: &str| text.to_lowercase().replace('_', "");
    let field = plain(field);
    let names: &[&str] = match aspect {
        "effort" => &["effort", "reasoning", "thinking"],
        "max_tokens" => &["maxtokens", "maxcompletiontokens", "maxoutputtokens"],
        "format" => &["format", "responsemimetype"],
        "tool_choice" => &["toolchoice", "toolconfig"],
        "metadata" => &["metadata", "labels"],
        "user" => &["user"],
        "conversation" => &["messages", "input", "contents", "system", "instructions"],
        other => return field.contains(&plain(other)),
    };
    names.iter().any(|name| field.contains(name))
}
