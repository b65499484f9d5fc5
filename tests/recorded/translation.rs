//! An answer means the same to a client of every dialect.

use super::{
    check::{self, Difference},
    load::{DIALECTS, Recording, name},
    meaning::Meaning,
    original, plain,
};
use crate::support::{ask::Said, dialect};
use byok_translate::{codec, ir::Event};
use byok_types::{Dialect, Failure};
use serde_json::Value;

const CHECK: &str = "translation";

pub fn run(recording: &Recording) -> Vec<Difference> {
    if recording.status >= 400 {
        return errors(recording);
    }
    if !recording.is_answer() {
        return Vec::new();
    }
    let meaning = match original::read(recording.dialect, recording.stream, &recording.body) {
        Ok(meaning) => meaning,
        Err(error) => return vec![Difference::new(CHECK, "unreadable", error)],
    };
    let mut found = Vec::new();
    for client in DIALECTS {
        let exchange = check::exchange(recording, client);
        let events = match check::events(recording, &recording.body, &exchange, || usize::MAX) {
            Ok(events) => events,
            Err(failure) => {
                if !meaning.failed {
                    found.push(Difference::new(
                        CHECK,
                        format!("{} refused", name(client)),
                        format!("{failure:?}"),
                    ));
                }
                continue;
            }
        };
        let mut compare = |form: &str, bytes: Vec<u8>, read: &dyn Fn(&[u8]) -> Result<Said, String>| {
            let label = format!("{} {form}", name(client));
            if client == recording.dialect {
                // Blocks that only this dialect has are no business of the strict readers.
                found.extend(same(&meaning, client, form == "stream", &bytes, &label));
                found.extend(again(recording, &events, form == "stream", &bytes, &label));
                return;
            }
            match read(&bytes) {
                Err(error) => found.push(Difference::new(CHECK, format!("{label} grammar"), error)),
                Ok(said) => found.extend(
                    meaning
                        .differs(client, &said)
                        .map(|(what, how)| Difference::new(CHECK, format!("{label} {what}"), how)),
                ),
            }
        };
        compare("stream", check::stream(&events, &exchange), &|bytes| dialect::read_stream(client, bytes));
        match check::fold(&events) {
            Ok(response) => {
                let whole = codec::encode_answer(&response, &exchange).value;
                compare("whole", whole, &|bytes| dialect::read_whole(client, bytes));
            }
            Err(failure) if !meaning.failed => {
                found.push(Difference::new(
                    CHECK,
                    format!("{} failure", name(client)),
                    format!("{failure:?}"),
                ));
            }
            Err(_) => {}
        }
    }
    found
}

/// The answer in its own dialect, read as the original was.
fn same(meaning: &Meaning, client: Dialect, stream: bool, bytes: &[u8], label: &str) -> Option<Difference> {
    let again = match original::read(client, stream, bytes) {
        Ok(again) => again,
        Err(error) => return Some(Difference::new(CHECK, format!("{label} grammar"), error)),
    };
    let parts = |m: &Meaning| {
        let said = (m.text.clone(), m.refusal.clone(), m.calls.clone(), m.failed);
        let end = (!m.failed).then(|| (m.stop, m.usage.unwrap_or_default()));
        (said, end)
    };
    let mut wanted = parts(meaning);
    let got = parts(&again);
    if let (None, Some((_, usage)), Some((_, shown))) = (meaning.usage, &mut wanted.1, &got.1) {
        *usage = *shown;
    }
    (wanted != got)
        .then(|| Difference::new(CHECK, format!("{label} identity"), format!("{wanted:?} became {got:?}")))
}

/// What was encoded, decoded again, is the same answer to the last part.
fn again(
    recording: &Recording,
    events: &[Event],
    stream: bool,
    bytes: &[u8],
    label: &str,
) -> Option<Difference> {
    let exchange = check::exchange(recording, recording.dialect);
    let again = Recording { stream, ..recording.with_body(bytes) };
    let parts = |events: Result<Vec<Event>, Failure>| {
        let response = events.and_then(|events| check::fold(&events)).map_err(|f| format!("{:?}", f.kind))?;
        let parts = response.choices.iter().flat_map(|choice| &choice.parts);
        Ok::<_, String>(parts.filter_map(|part| plain::part(recording.dialect, part)).collect::<Vec<_>>())
    };
    let before = parts(Ok(events.to_vec()));
    let after = parts(check::events(&again, bytes, &exchange, || usize::MAX));
    (before != after).then(|| {
        let how = plain::difference(&format!("{before:?}"), &format!("{after:?}"));
        Difference::new(CHECK, format!("{label} parts"), how)
    })
}

/// An error says the same to a client of every dialect, in the class that its status has there.
fn errors(recording: &Recording) -> Vec<Difference> {
    let original: Value = serde_json::from_slice(&recording.body).unwrap_or_default();
    let message = original["error"]["message"].as_str().unwrap_or_default();
    let failure = codec::decode_failure(recording.dialect, recording.status, &recording.body);
    let mut found = Vec::new();
    for client in DIALECTS {
        let body = codec::encode_failure(client, &failure, "req_1");
        let what = |what: &str| format!("{} error {what}", name(client));
        match dialect::fault(client, &body) {
            Err(error) => found.push(Difference::new(CHECK, what("grammar"), error)),
            Ok(fault) => {
                if message.is_empty() || !fault.message.contains(message) {
                    found.push(Difference::new(
                        CHECK,
                        what("message"),
                        format!("{message} became {fault:?}"),
                    ));
                }
                let class: &[&str] = match (client, recording.status) {
                    (Dialect::Messages, 404) => &["not_found_error"],
                    (Dialect::Gemini, 404) => &["NOT_FOUND"],
                    (Dialect::Gemini, _) => &["INVALID_ARGUMENT", "FAILED_PRECONDITION"],
                    _ => &["invalid_request_error"],
                };
                if !class.contains(&fault.kind.as_str()) || failure.status != recording.status {
                    found.push(Difference::new(
                        CHECK,
                        what("class"),
                        format!("{fault:?}, not one of {class:?}"),
                    ));
                }
            }
        }
    }
    found
}
