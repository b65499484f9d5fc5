use super::{Encoder, outer, parts};
use crate::{
    Json,
    gemini::fields::{self, Fields},
    ir::{Message, Part, Role, ToolCall},
    turns::Turn,
};
use std::{borrow::Cow, collections::HashMap};

/// What is sent where a content is needed and there is nothing to say. Not every backend takes an empty text.
const FILLER: &str = ".";

/// The contents that are being written.
#[derive(Default)]
pub(super) struct Contents<'r> {
    list: Vec<Content<'r>>,
}

struct Content<'r> {
    role: &'static str,
    /// The parts, with commas between them.
    parts: Vec<u8>,
    /// Unknown fields of the client's content.
    extra: Vec<(&'r str, &'r Json)>,
}

pub(super) const USER: &str = "user";
pub(super) const MODEL: &str = "model";

impl<'r> Contents<'r> {
    /// Adds parts; contents of the same role that follow each other become one.
    fn add(&mut self, role: &'static str, parts: &[u8]) {
        if parts.is_empty() {
            return;
        }
        match self.list.last_mut() {
            Some(last) if last.role == role => {
                last.parts.push(b',');
                last.parts.extend_from_slice(parts);
            }
            _ => self.list.push(Content { role, parts: parts.to_vec(), extra: Vec::new() }),
        }
    }

    /// Writes the list. The first content is one of the user, as Gemini demands.
    pub(super) fn write(mut self, out: &mut Vec<u8>) {
        if self.list.first().is_none_or(|first| first.role == MODEL) {
            let mut filler = Vec::new();
            parts::text(&mut filler, FILLER);
            self.list.insert(0, Content { role: USER, parts: filler, extra: Vec::new() });
        }
        fields::list(out, self.list, |out, content: Content<'r>| {
            let mut fields = Fields::open(out);
            fields.string("role", content.role);
            let parts = fields.key("parts");
            parts.push(b'[');
            parts.extend_from_slice(&content.parts);
            parts.push(b']');
            fields.all(content.extra);
            fields.close();
        });
    }
}

/// Appends what `write` writes to a list of parts, with a comma if there are some already.
pub(super) fn append(parts: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let before = parts.len();
    if before > 0 {
        parts.push(b',');
    }
    let start = parts.len();
    write(parts);
    if parts.len() == start {
        parts.truncate(before);
    }
}

/// Calls by their ids; of several with one id the last counts.
pub(super) type Calls<'c> = HashMap<&'c str, &'c ToolCall>;

fn by_id(part: &Part) -> Option<(&str, &ToolCall)> {
    let Part::ToolCall(call) = part else { return None };
    Some((&call.call_id, call))
}

impl<'r> Encoder<'r> {
    /// The contents of a Gemini client, as they came. Only what the vendor refuses for being empty is left out.
    pub(super) fn direct_contents(&mut self) -> Contents<'r> {
        let mut contents = Contents::default();
        let request = self.request;
        let mut calls = Calls::new();
        for message in &request.messages {
            let (role, parts) = match message.role {
                Role::Assistant => {
                    calls.extend(message.parts.iter().filter_map(by_id));
                    (MODEL, self.model_parts(message.parts.iter().map(Cow::Borrowed)))
                }
                _ => (USER, self.direct_parts(message, &calls)),
            };
            if !parts.is_empty() {
                contents.list.push(Content { role, parts, extra: outer(&message.extra).collect() });
            }
        }
        contents
    }

    fn direct_parts(&mut self, message: &Message, calls: &Calls<'_>) -> Vec<u8> {
        let mut parts = Vec::new();
        for part in &message.parts {
            match part {
                Part::ToolResult(result) => {
                    let name = self.result_name(result, calls);
                    append(&mut parts, |out| self.result(result, &name, out));
                }
                other => append(&mut parts, |out| self.part(other, out)),
            }
        }
        parts
    }

    /// The contents for turns in order.
    pub(super) fn arranged_contents<'t>(&mut self, turns: &[Turn<'t>]) -> Contents<'t> {
        let mut contents = Contents::default();
        let mut calls = Calls::new();
        for turn in turns {
            match turn {
                Turn::System { parts, .. } => {
                    let text = self.instructions(parts.iter().copied());
                    if !text.is_empty() {
                        for part in parts.iter().filter(|part| matches!(part, Part::Text(_))) {
                            let reason =
                                "this upstream has no system turns: sent as a reminder in the user's turn";
                            self.losses.emulated(self.places.path(part), reason);
                        }
                        let mut out = Vec::new();
                        parts::text(&mut out, &format!("<system-reminder>\n{text}\n</system-reminder>"));
                        contents.add(USER, &out);
                    }
                }
                Turn::User { parts, .. } => {
                    let mut out = Vec::new();
                    for part in parts {
                        append(&mut out, |out| self.part(part, out));
                    }
                    contents.add(USER, &out);
                }
                Turn::Assistant { parts, .. } => {
                    calls = parts.iter().filter_map(|part| by_id(part)).collect();
                    let out = self.model_parts(parts.iter().map(|part| Cow::Borrowed(part.as_ref())));
                    contents.add(MODEL, &out);
                }
                Turn::Results(results) => {
                    let out = self.results(results, &calls);
                    contents.add(USER, &out);
                }
            }
        }
        contents
    }

    pub(super) fn upstream_name(&self, call: &ToolCall) -> String {
        self.names.upstream(&call.name, call.namespace.as_deref()).into_owned()
    }
}
