//! A stream of which a frame is lost, comes twice or is cut ends in one terminal event or one error.

use super::{
    check::{self, Difference},
    load::{DIALECTS, Recording, name},
    random::Random,
};
use crate::support::dialect;
use byok_translate::{Exchange, ir::Event};
use byok_types::Dialect;

const CHECK: &str = "robust";
/// Places at which each stream is damaged, beside its first and last frame.
const PLACES: usize = 2;

pub fn run(recording: &Recording) -> Vec<Difference> {
    if !recording.stream || recording.status != 200 {
        return Vec::new();
    }
    let frames = frames(&recording.body);
    let mut random = Random::of(&recording.id);
    let mut places = vec![0, frames.len() - 1, frames.len().saturating_sub(2)];
    places.extend((0..PLACES).map(|_| random.below(frames.len())));
    places.sort_unstable();
    places.dedup();
    let exchanges = DIALECTS.map(|client| check::exchange(recording, client));
    let mut found = Vec::new();
    for place in places {
        let (before, frame, after) = (frames[..place].concat(), frames[place], frames[place + 1..].concat());
        for (damage, body) in [
            ("dropped", [before.as_slice(), &after].concat()),
            ("doubled", [before.as_slice(), frame, frame, &after].concat()),
            ("cut", [before.as_slice(), &frame[..random.below(frame.len())]].concat()),
        ] {
            for exchange in &exchanges {
                if let Err(error) = ends_once(recording, &body, exchange) {
                    let what = format!("{} {damage}", name(exchange.client));
                    found.push(Difference::new(
                        CHECK,
                        what,
                        format!("frame {place} of {}: {error}", frames.len()),
                    ));
                }
            }
        }
    }
    found
}

/// The frames with the blank lines behind them.
fn frames(body: &[u8]) -> Vec<&[u8]> {
    let mut frames = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        let end = |mark: &[u8]| rest.windows(mark.len()).position(|w| w == mark).map(|at| at + mark.len());
        let at = [end(b"\n\n"), end(b"\r\n\r\n")].into_iter().flatten().min().unwrap_or(rest.len());
        let (frame, after) = rest.split_at(at);
        frames.push(frame);
        rest = after;
    }
    frames
}

fn ends_once(recording: &Recording, body: &[u8], exchange: &Exchange) -> Result<(), String> {
    let client = exchange.client;
    let events = check::events(recording, body, exchange, || usize::MAX).map_err(|f| f.message)?;
    let ends = events.iter().filter(|event| **event == Event::End).count();
    let failures = events.iter().filter(|event| matches!(event, Event::Failure(_))).count();
    let finished = events.iter().filter(|event| matches!(event, Event::Finish { .. })).count();
    if ends != 1 || events.last() != Some(&Event::End) {
        return Err(format!("{ends} ends, the last event is {:?}", events.last()));
    }
    if failures > 1 || (failures == 0 && finished != 1) {
        return Err(format!("{failures} failures and {finished} finishes"));
    }
    let bytes = check::stream(&events, exchange);
    if client == recording.dialect {
        // Blocks that only this dialect has are no business of the strict readers.
        return terminal(client, &bytes);
    }
    dialect::read_stream(client, &bytes).map(drop)
}

/// Exactly one terminal event, in the last place.
fn terminal(client: Dialect, bytes: &[u8]) -> Result<(), String> {
    let events = crate::support::sse::events(bytes)?;
    let ends: Vec<usize> = events
        .iter()
        .enumerate()
        .filter(|(_, event)| {
            let json = event.json().unwrap_or_default();
            let kind = json["type"].as_str().unwrap_or_default();
            match client {
                Dialect::Chat => event.data == "[DONE]",
                Dialect::Responses => {
                    ["response.completed", "response.incomplete", "response.failed", "error"].contains(&kind)
                }
                Dialect::Messages => ["message_stop", "error"].contains(&kind),
                Dialect::Gemini => {
                    !json["error"].is_null()
                        || json["candidates"][0]["finishReason"].is_string()
                        || json["promptFeedback"]["blockReason"].is_string()
                }
            }
        })
        .map(|(place, _)| place)
        .collect();
    // An error of a chat stream may stand alone.
    let alone = client == Dialect::Chat && ends.is_empty();
    let failed =
        || events.last().is_some_and(|event| event.json().is_ok_and(|json| !json["error"].is_null()));
    if (alone && failed()) || ends == [events.len().wrapping_sub(1)] {
        Ok(())
    } else {
        Err(format!("{} events, terminal are {ends:?}", events.len()))
    }
}
