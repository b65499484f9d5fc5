//! The four checkers behind one door, and what may be asked of events. Shares nothing with the codecs.

use byok_translate::ir::{Delta, Event, Part, Response, StopReason};
use byok_types::Dialect;

#[path = "chat.rs"]
mod chat;
#[path = "gemini.rs"]
mod gemini;
#[path = "messages.rs"]
mod messages;
#[path = "responses.rs"]
mod responses;

/// Checks the stream of a client of `dialect`.
pub(crate) fn check(dialect: Dialect, bytes: &[u8]) -> Result<(), String> {
    match dialect {
        Dialect::Chat => chat::check(bytes),
        Dialect::Responses => responses::check(bytes),
        Dialect::Messages => messages::check(bytes),
        Dialect::Gemini => gemini::check(bytes),
    }
}

/// Checks a whole answer, as far as there is a checker for it.
pub(crate) fn check_answer(dialect: Dialect, bytes: &[u8]) -> Result<(), String> {
    if dialect == Dialect::Gemini { gemini::check_answer(bytes) } else { Ok(()) }
}

/// Checks the promises of `ir::Event` on a whole answer.
pub(crate) fn promises(events: &[Event]) -> Result<(), String> {
    let (mut started, mut failed, mut parts) = (false, false, Vec::new());
    let (mut open, mut finished) = (Vec::new(), Vec::new());
    for (at, event) in events.iter().enumerate() {
        let early = !started
            && !matches!(
                event,
                Event::Start(_) | Event::Lost(_) | Event::Ping | Event::Failure(_) | Event::End
            );
        let fault = match event {
            _ if early => Some("something before the start"),
            Event::Start(_) => std::mem::replace(&mut started, true).then_some("two starts"),
            Event::PartStart { part, choice, .. } => {
                let again = parts.contains(part);
                parts.push(*part);
                open.push((*part, *choice));
                (again || finished.contains(choice)).then_some("a part out of place")
            }
            // Sources may be told when a text is over.
            Event::Delta { part, delta: Delta::Citation(_) } => {
                (!parts.contains(part)).then_some("a citation of no part")
            }
            Event::Delta { part, .. } => {
                (!open.iter().any(|(name, _)| name == part)).then_some("a delta of no part")
            }
            Event::PartStop { part, .. } => {
                let before = open.len();
                open.retain(|(name, _)| name != part);
                (open.len() + 1 != before).then_some("an end of no part")
            }
            Event::Finish { choice, .. } => {
                let fault = finished.contains(choice) || open.iter().any(|(_, owner)| owner == choice);
                finished.push(*choice);
                fault.then_some("a finish out of place")
            }
            Event::Failure(_) => std::mem::replace(&mut failed, true).then_some("two failures"),
            Event::End => (at + 1 != events.len()).then_some("something after the end"),
            Event::Usage(_) | Event::Envelope(_) | Event::Lost(_) | Event::Ping => None,
        };
        if let Some(fault) = fault {
            return Err(format!("{fault} at {at}: {events:?}"));
        }
    }
    if events.last() != Some(&Event::End) {
        return Err(format!("no end: {events:?}"));
    }
    if finished.is_empty() && !failed {
        return Err(format!("neither a finish nor a failure: {events:?}"));
    }
    Ok(())
}

/// What a choice says, however it is cut into parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// Visible text.
    pub text: String,
    /// Words of a refusal.
    pub refusal: String,
    /// Name and arguments of the calls.
    pub calls: Vec<(String, String)>,
    /// How it ended.
    pub stop: Option<StopReason>,
}

/// What an answer says, choice by choice.
pub(crate) fn said(response: &Response) -> Vec<Said> {
    let said = |choice: &byok_translate::ir::Choice| {
        let mut said = Said { stop: choice.stop.as_ref().map(|stop| stop.reason), ..Said::default() };
        for part in &choice.parts {
            match part {
                Part::Text(part) => said.text.push_str(&part.text),
                Part::Refusal(part) => said.refusal.push_str(&part.text),
                Part::ToolCall(call) => said.calls.push((call.name.clone(), call.arguments.clone())),
                _ => {}
            }
        }
        said
    };
    response.choices.iter().map(said).collect()
}
