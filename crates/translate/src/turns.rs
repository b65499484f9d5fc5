//! Turn order for the dialects that insist on it.
//!
//! Decoders keep the conversation as it was sent. Chat, Messages and Gemini want the results of all calls of an assistant
//! turn directly after that turn, one for each call. This module makes that order once for all of them; what is left to
//! each encoder is how its dialect writes it.

use crate::{
    Losses,
    ir::{Message, Part, Request, Role, Text, ToolCall, ToolResult},
    loss::words,
};
use std::borrow::Cow;

/// What stands in for a result that the client never sent.
pub(crate) const NO_RESULT: &str = "[no result was recorded]";

/// A conversation in the order that every dialect can take.
#[derive(Debug, PartialEq)]
pub(crate) struct Conversation<'a> {
    /// Everything before the first user or assistant turn: the top-level slot, then leading system messages.
    pub(crate) system: Vec<SystemPart<'a>>,
    /// The turns. Two turns of the same kind never follow each other.
    pub(crate) turns: Vec<Turn<'a>>,
}

/// One part of the leading instructions.
#[derive(Debug, PartialEq)]
pub(crate) struct SystemPart<'a> {
    /// `System` or `Developer`.
    pub(crate) role: Role,
    /// The part.
    pub(crate) part: &'a Part,
}

/// One turn.
#[derive(Debug, PartialEq)]
pub(crate) enum Turn<'a> {
    /// Instructions in the middle of the conversation.
    System { role: Role, parts: Vec<&'a Part> },
    /// The person speaks.
    User { name: Option<&'a str>, parts: Vec<Cow<'a, Part>> },
    /// The model speaks.
    Assistant { name: Option<&'a str>, parts: Vec<Cow<'a, Part>> },
    /// Results of the calls of the assistant turn before: exactly one for each call, in the order of the calls.
    Results(Vec<Cow<'a, ToolResult>>),
}

/// Brings the conversation of `request` into order. What had to be made up or turned into text is noted in `losses`.
pub(crate) fn arrange<'a>(request: &'a Request, losses: &mut Losses) -> Conversation<'a> {
    let mut system: Vec<_> =
        request.system.iter().map(|part| SystemPart { role: Role::System, part }).collect();
    let leading =
        request.messages.iter().take_while(|m| matches!(m.role, Role::System | Role::Developer)).count();
    let (head, rest) = request.messages.split_at(leading);
    system.extend(head.iter().flat_map(|m| m.parts.iter().map(|part| SystemPart { role: m.role, part })));

    let mut builder = Builder { request, turns: Vec::new(), waiting: None, losses };
    for message in rest {
        builder.message(message);
    }
    builder.settle();
    Conversation { system, turns: builder.turns }
}

/// An assistant turn with calls whose results are being collected from the messages that follow.
struct Waiting<'a> {
    /// Where the results go: directly after the assistant turn.
    place: usize,
    calls: Vec<Expected<'a>>,
}

struct Expected<'a> {
    call_id: String,
    name: &'a str,
    result: Option<Cow<'a, ToolResult>>,
}

struct Builder<'a, 'l> {
    request: &'a Request,
    turns: Vec<Turn<'a>>,
    waiting: Option<Waiting<'a>>,
    losses: &'l mut Losses,
}

impl<'a> Builder<'a, '_> {
    fn message(&mut self, message: &'a Message) {
        match message.role {
            Role::System | Role::Developer => self.system(message),
            Role::Assistant => self.assistant(message),
            Role::User | Role::Tool => self.user(message),
        }
    }

    fn system(&mut self, message: &'a Message) {
        let parts: Vec<_> = message.parts.iter().collect();
        match self.turns.last_mut() {
            Some(Turn::System { role, parts: old }) if *role == message.role => old.extend(parts),
            _ => self.turns.push(Turn::System { role: message.role, parts }),
        }
    }

    fn assistant(&mut self, message: &'a Message) {
        // A turn that continues (no user or result between) keeps waiting for all of its calls together.
        let continues = matches!(self.turns.last(), Some(Turn::Assistant { .. }))
            && self.waiting.as_ref().is_none_or(|w| w.calls.iter().all(|c| c.result.is_none()));
        if !continues {
            self.settle();
            self.turns.push(Turn::Assistant { name: message.name.as_deref(), parts: Vec::new() });
        }
        let place = self.turns.len();
        let mut calls = Vec::new();
        let mut results = Vec::new();
        let Some(Turn::Assistant { parts, .. }) = self.turns.last_mut() else { return };
        for part in &message.parts {
            let call = match part {
                Part::ToolCall(call) => call,
                // It answers a call of this turn or stands in the wrong one: no model gives results.
                Part::ToolResult(_) => {
                    results.push(part);
                    continue;
                }
                _ => {
                    parts.push(Cow::Borrowed(part));
                    continue;
                }
            };
            let known = |id: &str| {
                let earlier = self.waiting.iter().flat_map(|w| &w.calls).chain(&calls);
                earlier.filter(|c: &&Expected<'_>| c.call_id == id).count()
            };
            // Two calls of one turn must not share an id; the second gets one of its own, and so does its result.
            let twins = known(&call.call_id);
            let call_id =
                if twins == 0 { call.call_id.clone() } else { format!("{}_{}", call.call_id, twins + 1) };
            parts.push(if twins == 0 {
                Cow::Borrowed(part)
            } else {
                Cow::Owned(Part::ToolCall(ToolCall { call_id: call_id.clone(), ..call.clone() }))
            });
            calls.push(Expected { call_id, name: &call.name, result: None });
        }
        if !calls.is_empty() {
            self.waiting.get_or_insert_with(|| Waiting { place, calls: Vec::new() }).calls.extend(calls);
        }
        self.heard(None, results);
    }

    fn user(&mut self, message: &'a Message) {
        // Tools that a result brings along are declared with all others; they are nothing that the user says.
        let brought = |part: &&Part| message.role == Role::Tool && matches!(part, Part::ConfigChange(_));
        if let Some(part) = message.parts.iter().find(brought) {
            let reason = "tools that are added later are declared from the beginning";
            self.losses.emulated(words::path(self.request, part), reason);
        }
        self.heard(message.name.as_deref(), message.parts.iter().filter(|part| !brought(part)));
    }

    /// What the model is told: results go to their calls, the rest is a turn of the user.
    fn heard(&mut self, name: Option<&'a str>, parts: impl IntoIterator<Item = &'a Part>) {
        let mut others = Vec::new();
        for part in parts {
            match part {
                Part::ToolCall(_) => {
                    let reason = "only the model calls tools, in turns of its own";
                    self.losses.dropped(words::path(self.request, part), reason);
                }
                Part::ToolResult(result) => {
                    if !self.take_result(result) {
                        self.losses.emulated(
                            words::path(self.request, part),
                            "the result of a call that is not in the conversation became text",
                        );
                        others.extend(orphan(result));
                    }
                }
                other => others.push(Cow::Borrowed(other)),
            }
        }
        if others.is_empty() {
            return;
        }
        match self.turns.last_mut() {
            Some(Turn::User { parts, .. }) => parts.extend(others),
            _ => self.turns.push(Turn::User { name, parts: others }),
        }
    }

    /// Gives a result to its call. The last of several results for one call wins and stands at the first one's place.
    fn take_result(&mut self, result: &'a ToolResult) -> bool {
        let Some(waiting) = &mut self.waiting else { return false };
        let id = result.call_id.as_str();
        let twin = |c: &&mut Expected<'_>| {
            c.call_id == id
                || c.call_id
                    .strip_prefix(id)
                    .and_then(|rest| rest.strip_prefix('_'))
                    .is_some_and(|n| n.parse::<usize>().is_ok())
        };
        let exact_taken = waiting.calls.iter().any(|c| c.call_id == id && c.result.is_some());
        let slot = if exact_taken {
            waiting.calls.iter_mut().filter(twin).find(|c| c.result.is_none())
        } else {
            waiting.calls.iter_mut().find(|c| c.call_id == id)
        };
        let slot = match slot {
            Some(slot) => slot,
            None => match waiting.calls.iter_mut().find(|c| c.call_id == id) {
                Some(slot) => slot,
                None => return false,
            },
        };
        slot.result = Some(if slot.call_id == id {
            Cow::Borrowed(result)
        } else {
            Cow::Owned(ToolResult { call_id: slot.call_id.clone(), ..result.clone() })
        });
        true
    }

    /// The turn is over: writes its results, making up those that are missing.
    fn settle(&mut self) {
        let Some(waiting) = self.waiting.take() else { return };
        let mut results = Vec::with_capacity(waiting.calls.len());
        for call in waiting.calls {
            results.push(call.result.unwrap_or_else(|| {
                self.losses.emulated("messages", "a call without a result was given one that says so");
                Cow::Owned(ToolResult {
                    call_id: call.call_id,
                    name: Some(call.name.to_owned()),
                    parts: vec![Part::text(NO_RESULT)],
                    is_error: Some(true),
                    ..ToolResult::default()
                })
            }));
        }
        self.turns.insert(waiting.place.min(self.turns.len()), Turn::Results(results));
    }
}

/// What is left of a result whose call is gone: its parts, introduced as such.
fn orphan(result: &ToolResult) -> Vec<Cow<'_, Part>> {
    let intro = Part::Text(Text::new("[result of an earlier tool call]"));
    std::iter::once(Cow::Owned(intro)).chain(result.parts.iter().map(Cow::Borrowed)).collect()
}

#[cfg(test)]
mod tests;
