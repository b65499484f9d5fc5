//! Requests of Gemini clients.

mod config;
mod content;
mod media;
mod parts;
mod tools;

pub(super) use media::media_part;
pub(super) use parts::made_up_id;

use self::content::Content;
use super::{
    keys::canonical,
    wire::{Many, WireContent, WireRequest},
};
use crate::{
    Incoming, Json, Losses, Translated,
    ir::{Extra, Failure, Message, Opaque, Request, Role},
    wire::read,
};
use byok_types::Dialect;

/// Reads a request. Takes the bodies of `generateContent`, `streamGenerateContent` and `countTokens` (plain, or with the
/// request inside `generateContentRequest`).
///
/// # Errors
/// A 400 that names the field which is missing or has the wrong form.
pub fn decode_request(incoming: &Incoming<'_>) -> Result<Translated<Request>, Failure> {
    let mut wire: WireRequest = read(incoming.body)?;
    if let Some(inner) = wire.inner.take() {
        wire = *inner;
    }
    let model = incoming.model.map(str::to_owned).or(wire.model).filter(|model| !model.is_empty());
    let model = model.ok_or_else(|| {
        Failure::bad_request(
            "model",
            "no model is named. Put it into the path: `models/NAME:generateContent`.",
        )
    })?;
    let mut request = Request::new(Dialect::Gemini, model);
    request.stream = incoming.stream.unwrap_or(false);

    if let Some(system) = wire.system {
        request.system = parts::Reader::default().content(&|| "systemInstruction".to_owned(), system)?;
    }
    request.messages = messages(wire.contents)?;
    for (place, tool) in tools::tools(wire.tools)? {
        request.tools.push(tool);
        request.tool_places.push(place);
    }
    request.tool_choice = tools::choice(wire.tool_config, &mut request.extra)?;
    config::apply(wire.config, &mut request)?;
    request.safety = wire.safety.map(|json| Opaque { dialect: Dialect::Gemini, json });
    request.cache.cached_content = wire.cached_content;
    request.metadata = wire.labels.0;
    request.service_tier = wire.service_tier;
    request.store = wire.store;
    for (name, value) in wire.extra {
        request.extra.push(Dialect::Gemini, canonical(name), value);
    }
    Ok(Losses::default().attach(request))
}

fn messages(contents: Option<Many<WireContent>>) -> Result<Vec<Message>, Failure> {
    let contents = contents.map(|many| many.0).unwrap_or_default();
    let nothing = contents.iter().all(|content| content.parts.0.is_empty());
    let mut reader = parts::Reader::default();
    let mut messages: Vec<Message> = Vec::with_capacity(contents.len());
    let mut answer = Answer::default();
    for (index, mut content) in contents.into_iter().enumerate() {
        let role = role(index, content.role.as_deref())?;
        let extra = Extra::new(Dialect::Gemini, std::mem::take(&mut content.extra));
        reader.turn(index, role);
        let field = || format!("contents[{index}]");
        let parts = if role == Role::Assistant {
            answer.first.get_or_insert(index);
            reader.add(&field, content, &mut answer.content)?;
            Vec::new()
        } else {
            answer.finish(&mut messages);
            reader.content(&field, content)?
        };
        messages.push(Message { extra, ..Message::new(role, parts) });
    }
    answer.finish(&mut messages);
    if nothing {
        return Err(Failure::bad_request(
            "contents",
            "`contents` is empty. Send at least one content with a part.",
        ));
    }
    Ok(messages)
}

/// An answer of the model that is being read. Google's SDKs send back what was streamed as one content for each piece, and
/// seals then stand in other contents than their thoughts. All of it goes to the first of these contents; the others stay,
/// empty, so that places in the request keep their numbers.
#[derive(Default)]
struct Answer {
    first: Option<usize>,
    content: Content,
}

impl Answer {
    fn finish(&mut self, messages: &mut [Message]) {
        let read = std::mem::take(self);
        if let Some(message) = read.first.and_then(|first| messages.get_mut(first)) {
            message.parts = read.content.joined();
        }
    }
}

fn role(index: usize, role: Option<&str>) -> Result<Role, Failure> {
    match role {
        // `function` is the old role of tool results.
        None | Some("" | "user" | "function") => Ok(Role::User),
        Some("model") => Ok(Role::Assistant),
        Some(other) => Err(Failure::bad_request(
            format!("contents[{index}].role"),
            format!(
                "`{other}` is not a role. Use `user` or `model`; instructions go into `systemInstruction`."
            ),
        )),
    }
}

/// Adds fields of an inner object to the extras of the outer one, under `PREFIX.NAME`.
fn keep_inner(extra: &mut Extra, prefix: &str, fields: Vec<(String, Json)>) {
    for (name, value) in fields {
        extra.push(Dialect::Gemini, format!("{prefix}.{}", canonical(name)), value);
    }
}

#[cfg(test)]
mod tests;
