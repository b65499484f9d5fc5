//! Whole bodies in and out. Each file below `golden/` is what a client or a vendor sends; beside it stands, as a snapshot, what
//! becomes of it in every dialect, to the last member. The tables in `mapping` say what has to be so; here whatever else
//! changes is seen. After a change that is meant: `INSTA_UPDATE=always cargo test -p byok-translate --test golden`, and
//! read the difference.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use byok_translate::{
    Exchange, Incoming, Loss, StreamReader, Translated, codec,
    ir::{Event, Fold},
};
use byok_types::{Dialect, InputKinds, ModelFacts, StructuredOutput, ThinkingFacts};
use serde_json::{Value, json};
use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

#[path = "grammar/chat.rs"]
mod chat_grammar;
#[path = "grammar/gemini.rs"]
mod gemini_grammar;
#[path = "grammar/messages.rs"]
mod messages_grammar;
#[path = "golden/others.rs"]
mod others;
#[path = "grammar/responses.rs"]
mod responses_grammar;
#[expect(dead_code, reason = "the tables use the rest")]
#[path = "mapping/support.rs"]
mod support;

/// What differs at a model.
type Differ = fn(&mut ModelFacts);

/// Names by which a request says at which models it is made.
const MODELS: [(&str, Differ); 11] = [
    ("usual", |_| {}),
    ("compatible", support::compatible),
    ("levels", support::levels),
    ("forced", support::forced),
    ("newest", newest),
    ("oldest", oldest),
    ("restricted", |facts| facts.json_schema_tools = false),
    ("blind", blind),
    ("toolless", |facts| facts.tools = false),
    ("relayed", |facts| facts.first_party = false),
    ("restless", |facts| {
        support::levels(facts);
        facts.thinking.can_disable = false;
    }),
];

/// A model that takes whatever some models take.
fn newest(facts: &mut ModelFacts) {
    facts.system_turns = true;
    facts.fast = true;
    facts.call_signatures = true;
    facts.result_media = true;
    facts.thinking.dynamic = true;
    facts.prefill = false;
}

/// A model that takes little and of which little is known.
fn oldest(facts: &mut ModelFacts) {
    facts.json_schema_tools = false;
    facts.structured_output = StructuredOutput::Hint;
    facts.temperature = false;
    facts.top_p = false;
    facts.top_k = false;
    facts.max_output_tokens = None;
    facts.thinking = ThinkingFacts::default();
}

/// A model that reads text and fetches nothing.
fn blind(facts: &mut ModelFacts) {
    facts.input = InputKinds { image: false, pdf: false, audio: false, video: false, url: false };
}

fn folder(kind: &str, dialect: Dialect) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(kind).join(dialect.name())
}

/// Lays the members of an object over those of another, all the way down.
fn lay(over: &mut Value, members: &Value) {
    match (over, members) {
        (Value::Object(over), Value::Object(members)) => {
            for (name, member) in members {
                lay(over.entry(name).or_insert(Value::Null), member);
            }
        }
        (over, members) => *over = members.clone(),
    }
}

/// The models of an upstream, by a name of `MODELS` or by the facts in which they differ from the usual ones.
fn models(upstream: Dialect, said: &Value) -> ModelFacts {
    let mut facts = support::facts(upstream);
    if said.is_object() {
        let mut all = serde_json::to_value(&facts).unwrap();
        lay(&mut all, said);
        return serde_json::from_value(all).unwrap();
    }
    let said = said.as_str().unwrap_or("usual");
    let (_, differ) = MODELS.iter().find(|(name, _)| *name == said).unwrap();
    differ(&mut facts);
    facts
}

/// Shows each file of the folder in all dialects, and holds that against the snapshot beside it.
/// `render` gets the file, the other dialect, and what `NAME.asked` beside the file says.
fn each(kind: &str, dialect: Dialect, ending: &str, render: impl Fn(&str, Dialect, &Value) -> String) {
    let folder = folder(kind, dialect);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|known| known == ending));
    files.sort();
    assert!(!files.is_empty(), "nothing in {}", folder.display());
    for path in files {
        let input = std::fs::read_to_string(&path).unwrap();
        let asked = std::fs::read_to_string(path.with_extension("asked"));
        let asked = asked.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap());
        let name = path.file_stem().unwrap().to_str().unwrap();
        let mut shown = String::new();
        for other in Dialect::ALL {
            writeln!(shown, "==== {other}\n{}", render(&input, other, &asked).trim_end()).unwrap();
        }
        insta::with_settings!({
            snapshot_path => &folder, prepend_module_to_snapshot => false, omit_expression => true,
        }, { insta::assert_snapshot!(name, shown) });
    }
}

/// Requests `{"models": …, "body": …}` as the upstream of another dialect gets them, and what was lost. `cases` has by name
/// what is laid over the body, `each` a list of members that take the place of those of the body; `models` may be a list.
fn request(client: Dialect, input: &str, upstream: Dialect) -> String {
    let input: Value = serde_json::from_str(input).unwrap();
    let mut cases = Vec::new();
    if let Some(named) = input["cases"].as_object() {
        for (name, members) in named {
            let mut body = input["body"].clone();
            lay(&mut body, members);
            let own = body.as_object_mut().unwrap().shift_remove("$models");
            cases.push((name.clone(), own.unwrap_or_else(|| input["models"].clone()), body));
        }
    } else {
        let models = input["models"].as_array().cloned().unwrap_or_else(|| vec![input["models"].clone()]);
        let each = input["each"].as_array().cloned().unwrap_or_else(|| vec![json!({})]);
        for model in &models {
            for (place, members) in each.iter().enumerate() {
                let body = input["body"].as_object().into_iter().chain(members.as_object()).flatten();
                let body = body.map(|(name, value)| (name.clone(), value.clone())).collect();
                cases.push((format!("{} {place}", model.as_str().unwrap_or("usual")), model.clone(), body));
            }
        }
    }
    if let [(_, models, body)] = cases.as_slice() {
        return show(&written(client, models, body, upstream));
    }
    let cases =
        cases.iter().map(|(name, models, body)| (name.as_str(), written(client, models, body, upstream)));
    side_by_side(cases)
}

/// A body and what was lost, or a failure in words.
type Written = Result<(Value, String), String>;

fn written(client: Dialect, said: &Value, body: &Value, upstream: Dialect) -> Written {
    match support::ask(client, upstream, &models(upstream, said), body) {
        Ok((body, losses)) => Ok((body, lost(&losses))),
        Err(failure) => {
            let field = failure.param.as_deref().unwrap_or("-");
            Err(format!("{} {:?} at {field}\n{}", failure.status, failure.kind, failure.message))
        }
    }
}

fn show(written: &Written) -> String {
    match written {
        Ok((body, losses)) => format!("{}\n{losses}", pretty(body)),
        Err(failure) => failure.clone(),
    }
}

/// What the first of several cases became.
#[derive(Default)]
struct First(Option<Value>);

impl First {
    /// A further case: of its body, only the members that are not as in the first one.
    fn beside(&mut self, mut written: Written) -> String {
        let mut lacks = Vec::new();
        if let (Some(Value::Object(first)), Ok((Value::Object(body), _))) = (&self.0, &mut written) {
            lacks.extend(first.keys().filter(|name| !body.contains_key(*name)).cloned());
            body.retain(|name, value| first.get(name) != Some(value));
        } else if let (None, Ok((body, _))) = (&self.0, &written) {
            self.0 = Some(body.clone());
        }
        let lacks = if lacks.is_empty() { String::new() } else { format!("\nlacks {}", lacks.join(", ")) };
        format!("{}{lacks}", show(&written).trim_end())
    }
}

/// Cases below each other.
fn side_by_side<'n>(cases: impl Iterator<Item = (&'n str, Written)>) -> String {
    let mut first = First::default();
    let mut shown = String::new();
    for (name, written) in cases {
        writeln!(shown, "-- {name}\n{}", first.beside(written)).unwrap();
    }
    shown
}

fn lost(losses: &[Loss]) -> String {
    let mut lines: Vec<String> =
        losses.iter().map(|loss| format!("{:?} {}", loss.action, loss.field)).collect();
    lines.sort();
    lines.join("\n")
}

/// JSON on one line where it is short, else one member or element a line.
fn pretty(value: &Value) -> String {
    fn lay_out(value: &Value, depth: usize, out: &mut String) {
        let short = value.to_string();
        let inner: Vec<(String, &Value)> = match value {
            _ if short.chars().count() + 2 * depth <= 110 => Vec::new(),
            Value::Object(members) => {
                members.iter().map(|(name, value)| (format!("{}: ", json!(name)), value)).collect()
            }
            Value::Array(list) => list.iter().map(|value| (String::new(), value)).collect(),
            _ => Vec::new(),
        };
        if inner.is_empty() {
            out.push_str(&short);
            return;
        }
        let (open, close) = if value.is_object() { ('{', '}') } else { ('[', ']') };
        out.push(open);
        for (index, (name, value)) in inner.iter().enumerate() {
            write!(out, "{}\n{:width$}{name}", if index > 0 { "," } else { "" }, "", width = 2 * depth + 2)
                .unwrap();
            lay_out(value, depth + 1, out);
        }
        write!(out, "\n{:width$}{close}", "", width = 2 * depth).unwrap();
    }
    let mut out = String::new();
    lay_out(value, 0, &mut out);
    out
}

/// What a client of `client` has asked for who gets an answer of `upstream`: members by dialect in `asked`.
fn exchange(upstream: Dialect, client: Dialect, asked: &Value) -> Exchange {
    let user = json!([{"role": "user", "content": "x"}]);
    let mut body = match client {
        Dialect::Chat => json!({"model": "m", "messages": user, "stream_options": {"include_usage": true}}),
        Dialect::Messages => json!({"model": "m", "max_tokens": 9, "messages": user}),
        Dialect::Responses => json!({"model": "m", "input": "x"}),
        Dialect::Gemini => json!({"contents": [{"role": "user", "parts": [{"text": "x"}]}]}),
    };
    if let Some(members) = asked.get(client.name()) {
        lay(&mut body, members);
    }
    let body = body.to_string();
    let incoming = Incoming { body: body.as_bytes(), model: Some("m"), stream: None };
    let request = codec::decode_request(client, &incoming).unwrap().value;
    let mut exchange = Exchange::new(&request, &models(upstream, &asked["models"]), upstream, 1, "seed");
    exchange.input_estimate = asked["estimate"].as_u64();
    exchange
}

/// Whole answers as a client of another dialect gets them: one, several by name in `cases`, or a list `each`.
fn answer(upstream: Dialect, input: &str, client: Dialect, asked: &Value) -> String {
    let exchange = exchange(upstream, client, asked);
    let one = |input: &[u8]| match byok_translate::read_answer(input, &exchange) {
        Ok(Translated { value: mut events, losses }) => {
            without_estimates(&exchange, &mut events);
            whole(&exchange, events, losses)
        }
        Err(failure) => Err(format!("{} {:?}: {}", failure.status, failure.kind, failure.message)),
    };
    let parsed: Value = serde_json::from_str(input).unwrap_or_default();
    let cases: Vec<(String, &Value)> = if let Some(cases) = parsed.get("cases").and_then(Value::as_object) {
        cases.iter().map(|(name, body)| (name.clone(), body)).collect()
    } else if let Some(each) = parsed.get("each").and_then(Value::as_array) {
        each.iter().enumerate().map(|(place, body)| (place.to_string(), body)).collect()
    } else {
        return show(&one(input.as_bytes()));
    };
    side_by_side(cases.iter().map(|(name, body)| {
        let body = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
        (name.as_str(), one(body.as_bytes()))
    }))
}

/// Streams as a client of another dialect gets them, and the same as whole answers: one, or several, each below a line
/// `-- NAME` or between lines `====`.
fn streams(upstream: Dialect, input: &str, client: Dialect, asked: &Value) -> String {
    let exchange = exchange(upstream, client, asked);
    let (mut first, mut repeated) = (First::default(), String::new());
    let mut one = |input: &str| {
        let (mut out, events) = stream(&exchange, input);
        let known = usize::from(repeated.is_empty());
        if repeated.is_empty() {
            repeated = frame_of_all(client, &out).unwrap_or_default();
        }
        if !repeated.is_empty() {
            let at = out.match_indices(&repeated).nth(known).map_or(out.len(), |(at, _)| at);
            let later = out.split_off(at);
            out.push_str(&later.replace(&repeated, "…"));
        }
        format!("{out}\n---- whole\n{}", first.beside(whole(&exchange, events, Vec::new())))
    };
    let cases: Vec<(String, &str)> = if let Some(cases) = input.strip_prefix("-- ") {
        let cases = cases.split("\n-- ").map(|case| case.split_once('\n').unwrap_or((case, "")));
        cases.map(|(name, input)| (name.to_owned(), input)).collect()
    } else if input.contains("====\n") {
        input.split("====\n").enumerate().map(|(place, input)| (place.to_string(), input)).collect()
    } else {
        return one(input);
    };
    let mut shown = String::new();
    for (name, input) in cases {
        writeln!(shown, "-- {name}\n{}", one(input).trim_end()).unwrap();
    }
    shown
}

/// What all frames of a stream have alike; shown once is enough.
fn frame_of_all(client: Dialect, out: &str) -> Option<String> {
    let (start, end) = match client {
        Dialect::Chat => ("\"id\":", "\"choices\":"),
        // The members of a response that repeat its request.
        Dialect::Responses => ("\"background\":", "},\"sequence_number\""),
        Dialect::Messages => return None,
        Dialect::Gemini => (",\"modelVersion\":", "}\n"),
    };
    let at = out.find(start)?;
    let length = out[at..].find(end)?;
    Some(out[at..at + length].to_owned())
}

/// Cases that ask for no estimate of the prompt are shown without byok's estimate of the answer, which most would have.
fn without_estimates(exchange: &Exchange, events: &mut Vec<Event>) {
    if exchange.input_estimate.is_none() {
        events.retain(|event| !matches!(event, Event::Usage(usage) if usage.estimated));
    }
}

fn stream(exchange: &Exchange, input: &str) -> (String, Vec<Event>) {
    let mut reader = StreamReader::new(exchange, 64 << 20);
    let mut encoder = codec::StreamEncoder::new(exchange);
    let (mut events, mut out) = (Vec::new(), Vec::new());
    reader.push(input.as_bytes(), &mut events);
    reader.finish(&mut events);
    without_estimates(exchange, &mut events);
    for event in events.clone() {
        encoder.push(event, &mut out);
    }
    let grammar = match exchange.client {
        Dialect::Chat => chat_grammar::check(&out),
        Dialect::Responses => responses_grammar::check(&out),
        Dialect::Messages => messages_grammar::check(&out),
        Dialect::Gemini => gemini_grammar::check(&out),
    };
    let out = String::from_utf8(out).unwrap();
    assert_eq!(grammar, Ok(()), "{out}");
    (format!("{}\n{}", out.trim_end(), lost(&[&reader.losses(), encoder.losses()].concat())), events)
}

fn whole(exchange: &Exchange, events: Vec<Event>, mut losses: Vec<Loss>) -> Written {
    let mut fold = Fold::default();
    for event in events {
        fold.push(event);
    }
    match fold.finish() {
        Ok(response) => {
            let answer = codec::encode_answer(&response, exchange);
            if exchange.client == Dialect::Gemini {
                assert_eq!(gemini_grammar::check_answer(&answer.value), Ok(()));
            }
            losses.extend(answer.losses);
            Ok((serde_json::from_slice(&answer.value).unwrap(), lost(&losses)))
        }
        Err(failure) => Err(format!("{} {:?}: {}", failure.status, failure.kind, failure.message)),
    }
}

#[test]
fn requests_of_chat() {
    each("requests", Dialect::Chat, "json", |input, other, _| request(Dialect::Chat, input, other));
}

#[test]
fn requests_of_responses() {
    each("requests", Dialect::Responses, "json", |input, other, _| request(Dialect::Responses, input, other));
}

#[test]
fn requests_of_messages() {
    each("requests", Dialect::Messages, "json", |input, other, _| request(Dialect::Messages, input, other));
}

#[test]
fn requests_of_gemini() {
    each("requests", Dialect::Gemini, "json", |input, other, _| request(Dialect::Gemini, input, other));
}

#[test]
fn answers_of_chat() {
    each("answers", Dialect::Chat, "json", |input, other, asked| answer(Dialect::Chat, input, other, asked));
}

#[test]
fn answers_of_responses() {
    each("answers", Dialect::Responses, "json", |input, other, asked| {
        answer(Dialect::Responses, input, other, asked)
    });
}

#[test]
fn answers_of_messages() {
    each("answers", Dialect::Messages, "json", |input, other, asked| {
        answer(Dialect::Messages, input, other, asked)
    });
}

#[test]
fn answers_of_gemini() {
    each("answers", Dialect::Gemini, "json", |input, other, asked| {
        answer(Dialect::Gemini, input, other, asked)
    });
}

#[test]
fn streams_of_chat() {
    each("streams", Dialect::Chat, "sse", |input, other, asked| streams(Dialect::Chat, input, other, asked));
}

#[test]
fn streams_of_responses() {
    each("streams", Dialect::Responses, "sse", |input, other, asked| {
        streams(Dialect::Responses, input, other, asked)
    });
}

#[test]
fn streams_of_messages() {
    each("streams", Dialect::Messages, "sse", |input, other, asked| {
        streams(Dialect::Messages, input, other, asked)
    });
}

#[test]
fn streams_of_gemini() {
    each("streams", Dialect::Gemini, "sse", |input, other, asked| {
        streams(Dialect::Gemini, input, other, asked)
    });
}
