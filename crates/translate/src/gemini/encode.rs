//! Requests for Gemini upstreams.
//!
//! A request of a Gemini client keeps its structure: contents, parts and unknown fields go out as they came. The
//! conversations of other dialects are arranged first (`turns`) and then said in Gemini's way.

mod config;
mod contents;
mod media;
mod parts;
mod refuse;
mod results;
mod tools;

pub(crate) use media::{is_google, is_stored_by_google};
pub(super) use parts::object_of;

use super::fields::Fields;
use crate::{
    Ids, Json, Losses, NameRules, Names, Translated,
    ir::{Extra, Failure, Part, Request},
    loss::Places,
    size,
    turns::{self, SystemPart},
    wire::write,
};
use byok_types::{Dialect, ModelFacts};

/// Writes a request of any dialect for a Gemini upstream. The model stands in the path and not in the body.
///
/// # Errors
/// A 400 in the client's vocabulary for what would change the meaning if it were left out: media that the model cannot
/// take, tools for a model without tools, references to state at another vendor.
pub fn encode_request(
    request: &Request,
    facts: &ModelFacts,
    ids: &mut Ids,
) -> Result<Translated<Vec<u8>>, Failure> {
    encode(request, facts, ids, Purpose::Generate)
}

/// What the request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// An answer.
    Generate,
    /// A number of tokens: the model stands inside, settings of the answer do not.
    Count,
}

/// What the parts of the encoder share.
struct Encoder<'r> {
    request: &'r Request,
    facts: &'r ModelFacts,
    names: Names,
    places: Places<'r>,
    losses: Losses,
    /// Whether the client speaks Gemini, too.
    same: bool,
}

pub(super) fn encode(
    request: &Request,
    facts: &ModelFacts,
    _ids: &mut Ids,
    purpose: Purpose,
) -> Result<Translated<Vec<u8>>, Failure> {
    refuse::check(request, facts)?;
    let mut encoder = Encoder {
        request,
        facts,
        names: Names::of(request, NameRules::of(Dialect::Gemini, facts)),
        places: Places::of(request),
        losses: Losses::default(),
        same: request.dialect == Dialect::Gemini,
    };
    let mut out = Vec::with_capacity(size::of_body(request));
    let mut body = Fields::open(&mut out);
    if purpose == Purpose::Count {
        body.string("model", &format!("models/{}", facts.id.strip_prefix("models/").unwrap_or(&facts.id)));
    }
    encoder.conversation(&mut body);
    encoder.tools(&mut body);
    if purpose == Purpose::Generate {
        encoder.settings(&mut body);
    }
    body.close();
    Ok(encoder.losses.attach(out))
}

impl Encoder<'_> {
    fn conversation(&mut self, body: &mut Fields<'_>) {
        if self.same {
            let system: Vec<_> = self
                .request
                .system
                .iter()
                .map(|part| SystemPart { role: crate::ir::Role::System, part })
                .collect();
            self.system(&system, body);
            self.direct_contents().write(body.key("contents"));
        } else {
            let conversation = turns::arrange(self.request, Dialect::Gemini, &mut self.losses);
            self.system(&conversation.system, body);
            self.arranged_contents(&conversation.turns).write(body.key("contents"));
        }
    }

    /// `systemInstruction`. The parts of other dialects become one text.
    fn system(&mut self, system: &[SystemPart<'_>], body: &mut Fields<'_>) {
        let mut parts = Vec::new();
        if self.same {
            for SystemPart { part, .. } in system {
                contents::append(&mut parts, |out| self.part(part, out));
            }
        } else {
            let mut text = self.instructions(system.iter().map(|s| s.part));
            if let Some(words) = self.form_in_words() {
                text.push_str(if text.is_empty() { "" } else { "\n\n" });
                text.push_str(words);
            }
            if !text.is_empty() {
                contents::append(&mut parts, |out| parts::text(out, &text));
            }
        }
        if !parts.is_empty() {
            let mut instruction = Fields::open(body.key("systemInstruction"));
            let list = instruction.key("parts");
            list.push(b'[');
            list.extend_from_slice(&parts);
            list.push(b']');
            instruction.close();
        }
    }

    /// Instructions as one text. What is not text is lost.
    fn instructions<'p>(&mut self, parts: impl Iterator<Item = &'p Part>) -> String {
        let mut text = String::new();
        for part in parts {
            let found = match part {
                Part::Text(found) => found,
                Part::ConfigChange(change) => {
                    self.config_change(change);
                    continue;
                }
                _ => {
                    self.losses.dropped("system", "instructions are text at this upstream");
                    continue;
                }
            };
            if found.text.trim_start().starts_with("x-anthropic-billing-header:") {
                self.losses.silent("system", "a billing note for Anthropic means nothing to others");
                continue;
            }
            if found.text.trim().is_empty() {
                continue;
            }
            if !text.is_empty() {
                text.push_str("\n\n");
            }
            text.push_str(&found.text);
        }
        text
    }
}

/// Unknown fields of this level: those that were not kept for an inner object.
fn outer(extra: &Extra) -> impl Iterator<Item = (&str, &Json)> {
    extra
        .of(Dialect::Gemini)
        .iter()
        .filter(|(name, _)| !name.contains('.'))
        .map(|(name, value)| (name.as_str(), value))
}

/// Unknown fields that were kept for the inner object `prefix`.
fn inner<'e>(extra: &'e Extra, prefix: &str) -> impl Iterator<Item = (&'e str, &'e Json)> {
    let fields = extra.of(Dialect::Gemini).iter();
    fields.filter_map(move |(name, value)| {
        let name = name.strip_prefix(prefix)?.strip_prefix('.')?;
        (!name.contains('.')).then_some((name, value))
    })
}

/// Adds the members of a JSON object.
fn members(fields: &mut Fields<'_>, object: &Json) {
    let read = object.read::<super::wire::Labels>().unwrap_or_default();
    for (name, value) in &read.0 {
        write::json(fields.key(name), value);
    }
}

#[cfg(test)]
mod tests;
