//! Turn order for the dialects that insist on it.
//!
//! Decoders keep the conversation as it was sent. Chat, Messages and Gemini want the results of all calls of an assistant
//! turn directly after that turn, one for each call. This module makes that order once for all of them; what is left to
//! each encoder is how its dialect writes it.

use crate::{
    Losses, content_id,
    ids::Distinct,
    ir::{Message, Part, Request, Role, Text, ToolCall, ToolResult},
    loss::Places,
};
use byok_types::Dialect;
use std::{borrow::Cow, collections::HashMap};

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
pub(crate) fn arrange<'a>(request: &'a Request, target: Dialect, losses: &mut Losses) -> Conversation<'a> {
    let mut system: Vec<_> =
        request.system.iter().map(|part| SystemPart { role: Role::System, part }).collect();
    let leading =
        request.messages.iter().take_while(|m| matches!(m.role, Role::System | Role::Developer)).count();
    let (head, rest) = request.messages.split_at(leading);
    system.extend(head.iter().flat_map(|m| m.parts.iter().map(|part| SystemPart { role: m.role, part })));

    let places = Places::of(request);
    let own = request.dialect == target;
    let mut builder =
        Builder { places, turns: Vec::new(), waiting: None, ids: Distinct::default(), own, losses };
    for message in rest {
        builder.message(message);
    }
    builder.settle();
    Conversation { system, turns: builder.turns }
}

/// An assistant turn with calls whose results are being collected from the messages that follow.
#[derive(Default)]
struct Waiting<'a> {
    /// Where the results go: directly after the assistant turn.
    place: usize,
    calls: Vec<Expected<'a>>,
    /// The calls that came with an id.
    by_id: HashMap<&'a str, Same>,
    /// Whether one of them has its result.
    answered: bool,
}

struct Expected<'a> {
    call_id: Cow<'a, str>,
    name: &'a str,
    result: Option<Cow<'a, ToolResult>>,
}

/// The calls of one id, by their places among the calls of the turn.
struct Same {
    first: usize,
    more: Vec<usize>,
    /// How many of them have their result.
    answered: usize,
}

impl<'a> Waiting<'a> {
    /// Adds a call. Two calls of a conversation must not share an id; the second gets one of its own, and so does its result.
    fn add(&mut self, call: &'a ToolCall, ids: &mut Distinct<'a>) -> Cow<'a, str> {
        let place = self.calls.len();
        let wanted = if call.call_id.is_empty() {
            let (turn, place) = (self.place.to_string(), place.to_string());
            Cow::Owned(content_id("call_", &[&turn, &place, &call.name]))
        } else {
            Cow::Borrowed(&*call.call_id)
        };
        let call_id = ids.id(wanted);
        self.by_id.entry(&call.call_id).and_modify(|same| same.more.push(place)).or_insert(Same {
            first: place,
            more: Vec::new(),
            answered: 0,
        });
        self.calls.push(Expected { call_id: call_id.clone(), name: &call.name, result: None });
        call_id
    }

    /// The call that a result is for. The last of several results for one call wins and stands at the first one's place.
    fn call_of(&mut self, id: &str) -> Option<&mut Expected<'a>> {
        let same = self.by_id.get_mut(id)?;
        let place = match same.answered {
            0 => same.first,
            earlier => same.more.get(earlier - 1).copied().unwrap_or(same.first),
        };
        same.answered += 1;
        self.answered = true;
        self.calls.get_mut(place)
    }
}

struct Builder<'a, 'l> {
    places: Places<'a>,
    turns: Vec<Turn<'a>>,
    waiting: Option<Waiting<'a>>,
    /// The ids of all calls: servers and clients use some of them again in later turns, and vendors refuse that.
    ids: Distinct<'a>,
    /// Whether the client speaks the dialect of the vendor: then it is for them to agree about ids of several turns.
    own: bool,
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
            && self.waiting.as_ref().is_none_or(|waiting| !waiting.answered);
        if !continues {
            self.settle();
            if self.own {
                self.ids = Distinct::default();
            }
            self.turns.push(Turn::Assistant { name: message.name.as_deref(), parts: Vec::new() });
        }
        let place = self.turns.len();
        let mut results = Vec::new();
        let Some(Turn::Assistant { parts, .. }) = self.turns.last_mut() else { return };
        for part in &message.parts {
            match part {
                Part::ToolCall(call) => {
                    let waiting = self.waiting.get_or_insert_with(|| Waiting { place, ..Waiting::default() });
                    let call_id = waiting.add(call, &mut self.ids);
                    parts.push(if call_id == call.call_id {
                        Cow::Borrowed(part)
                    } else {
                        let call_id = call_id.into_owned();
                        Cow::Owned(Part::ToolCall(ToolCall { call_id, ..call.clone() }))
                    });
                }
                // It answers a call of this turn or stands in the wrong one: no model gives results.
                Part::ToolResult(_) => results.push(part),
                _ => parts.push(Cow::Borrowed(part)),
            }
        }
        self.heard(None, results);
    }

    fn user(&mut self, message: &'a Message) {
        // Tools that a result brings along are declared with all others; they are nothing that the user says.
        let brought = |part: &&Part| message.role == Role::Tool && matches!(part, Part::ConfigChange(_));
        if let Some(part) = message.parts.iter().find(brought) {
            let reason = "tools that are added later are declared from the beginning";
            self.losses.emulated(self.places.path(part), reason);
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
                    self.losses.dropped(self.places.path(part), reason);
                }
                Part::ToolResult(result) => {
                    let result = self.readable(result);
                    if let Err(left) = self.take_result(result) {
                        self.losses.emulated(
                            self.places.path(part),
                            "the result of a call that is not in the conversation became text",
                        );
                        others.extend(orphan(left));
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

    /// A result without what only a turn can hold: written where it stands, a call inside a result would be one that the model
    /// made.
    fn readable(&mut self, result: &'a ToolResult) -> Cow<'a, ToolResult> {
        let strange =
            |part: &Part| matches!(part, Part::ToolCall(_) | Part::ToolResult(_) | Part::Thinking(_));
        if self.own || !result.parts.iter().any(strange) {
            return Cow::Borrowed(result);
        }
        for part in result.parts.iter().filter(|part| strange(part)) {
            self.losses.dropped(self.places.path(part), "a result cannot hold this");
        }
        let parts = result.parts.iter().filter(|part| !strange(part)).cloned().collect();
        Cow::Owned(ToolResult { parts, ..result.clone() })
    }

    /// Gives a result to its call; gives it back if there is none.
    fn take_result(&mut self, mut result: Cow<'a, ToolResult>) -> Result<(), Cow<'a, ToolResult>> {
        let Some(call) = self.waiting.as_mut().and_then(|waiting| waiting.call_of(&result.call_id)) else {
            return Err(result);
        };
        if call.call_id != result.call_id {
            result.to_mut().call_id = call.call_id.clone().into_owned();
        }
        call.result = Some(result);
        Ok(())
    }

    /// The turn is over: writes its results, making up those that are missing.
    fn settle(&mut self) {
        let Some(waiting) = self.waiting.take() else { return };
        let mut results = Vec::with_capacity(waiting.calls.len());
        for call in waiting.calls {
            results.push(call.result.unwrap_or_else(|| {
                self.losses.emulated("messages", "a call without a result was given one that says so");
                Cow::Owned(ToolResult {
                    call_id: call.call_id.into_owned(),
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
fn orphan(result: Cow<'_, ToolResult>) -> Vec<Cow<'_, Part>> {
    let intro = Part::Text(Text::new("[result of an earlier tool call]"));
    let parts: Vec<_> = match result {
        Cow::Borrowed(result) => result.parts.iter().map(Cow::Borrowed).collect(),
        Cow::Owned(result) => result.parts.into_iter().map(Cow::Owned).collect(),
    };
    std::iter::once(Cow::Owned(intro)).chain(parts).collect()
}

#[cfg(test)]
mod tests;
