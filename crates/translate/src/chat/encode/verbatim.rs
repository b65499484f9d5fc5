//! Messages of a request that came in this dialect: written as they were read, message by message. Only what the upstream is
//! known to refuse is different.

use super::{
    Encoder,
    messages::{List, legal_name, write_text},
    parts::{Piece, content},
    tools::{cache, outer_extra},
};
use crate::{
    chat::{
        object::{Object, object},
        thought,
    },
    ir::{Audio, Extra, Failure, Message, Part, Role, Source, Thinking, ToolCall, ToolResult},
};
use byok_types::Dialect;

impl Encoder<'_> {
    pub(super) fn verbatim(&mut self, list: &mut List<'_>) -> Result<(), Failure> {
        let request = self.request;
        let mut hint = self.format_hint();
        for message in &request.messages {
            let leads = matches!(message.role, Role::System | Role::Developer);
            if let Some(hint) = hint.take_if(|_| !leads) {
                write_text("system", &hint, list);
            }
            match message.role {
                Role::Assistant => self.own_assistant(message, list)?,
                Role::System | Role::Developer | Role::User | Role::Tool => {
                    self.own_message(message, list)?;
                }
            }
        }
        if let Some(hint) = hint {
            write_text("system", &hint, list);
        }
        Ok(())
    }

    fn own_message(&mut self, message: &Message, list: &mut List<'_>) -> Result<(), Failure> {
        for part in &message.parts {
            if let Part::ToolResult(result) = part {
                self.own_result(result, list)?;
            }
        }
        if message.role == Role::Tool {
            return Ok(());
        }
        let rest = message.parts.iter().filter(|part| !matches!(part, Part::ToolResult(_)));
        let mut pieces = Vec::new();
        for part in rest {
            self.pieces(part, &mut pieces)?;
        }
        if pieces.is_empty() && !message.parts.is_empty() {
            return Ok(());
        }
        object(list.next(), |out| {
            out.text("role", self.role(message.role));
            write_content(&pieces, out);
            tail(message, out);
        });
        Ok(())
    }

    fn own_result(&mut self, result: &ToolResult, list: &mut List<'_>) -> Result<(), Failure> {
        let mut pieces = Vec::new();
        if result.is_error == Some(true) {
            pieces.push(Piece::text("Error:"));
        }
        for part in &result.parts {
            self.pieces(part, &mut pieces)?;
        }
        object(list.next(), |out| {
            out.text("role", "tool");
            out.text("tool_call_id", &result.call_id);
            write_content(&pieces, out);
            out.maybe("name", result.name.as_deref());
            cache(result.cache.as_ref(), out);
            out.all(result.extra.of(Dialect::Chat));
        });
        Ok(())
    }

    fn own_assistant(&mut self, message: &Message, list: &mut List<'_>) -> Result<(), Failure> {
        let has_calls = message.parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
        let (mut pieces, mut images) = (Vec::new(), Vec::new());
        let (mut calls, mut thinking, mut refusals, mut audio) = (Vec::new(), Vec::new(), Vec::new(), None);
        for part in &message.parts {
            match part {
                Part::ToolCall(call) => calls.push(call),
                Part::Image(_) => self.pieces(part, &mut images)?,
                Part::Text(text) if text.text.is_empty() && has_calls => {}
                Part::Thinking(_) if self.facts.first_party => {
                    self.losses.silent(self.path(part), "OpenAI does not take reasoning back");
                }
                Part::Thinking(inner) if self.facts.refuses_reasoning_content() && is_byoks(inner) => {
                    self.losses.silent(self.path(part), "the upstream does not take reasoning back as text");
                }
                Part::Thinking(inner) if !self.facts.thinking.replay_text && is_of_others(inner) => {
                    self.losses.silent(self.path(part), "reasoning of another model is not sent");
                }
                Part::Thinking(inner) if stands_inside(&inner.extra) => pieces.push(Piece::Verbatim(part)),
                Part::Thinking(inner) => thinking.push(inner),
                Part::Refusal(refusal) if stands_inside(&refusal.extra) => pieces.push(Piece::Verbatim(part)),
                Part::Refusal(refusal) => refusals.push(refusal.text.as_str()),
                Part::Audio(sound) => audio = Some(sound),
                other => self.pieces(other, &mut pieces)?,
            }
        }
        object(list.next(), |out| {
            out.text("role", "assistant");
            write_content(&pieces, out);
            reasoning(&thinking, out);
            if !refusals.is_empty() {
                out.text("refusal", &refusals.concat());
            }
            if let Some(audio) = audio {
                earlier_audio(audio, out);
            }
            if !images.is_empty() {
                out.list("images", &images, Piece::write);
            }
            if !calls.is_empty() {
                out.list("tool_calls", calls, |call, out| self.call(call, out));
            }
            tail(message, out);
        });
        Ok(())
    }

    /// Unknown members of a call, and the signature where it is the upstream's own.
    pub(super) fn extra_content(&self, call: &ToolCall, object: &mut Object<'_>) {
        let member = if call.flavour == crate::ir::Flavour::Custom { "custom" } else { "function" };
        match call.blob.as_ref().filter(|blob| blob.family == self.facts.family) {
            Some(blob) => {
                match call.extra.get(Dialect::Chat, "extra_content") {
                    Some(rest) => object.json("extra_content", &thought::with_signature(rest, blob)),
                    None => thought::write_signature(object.member("extra_content"), blob),
                }
                let rest = call.extra.of(Dialect::Chat).iter();
                object.all(rest.filter(|(name, _)| name != member && name != "extra_content"));
            }
            None => outer_extra(&call.extra, member, object),
        }
    }
}

/// Whether reasoning or a refusal with these members stood in the content, as a part among others.
fn stands_inside(extra: &Extra) -> bool {
    extra.get(Dialect::Chat, "type").is_some()
}

fn write_content(pieces: &[Piece<'_>], out: &mut Object<'_>) {
    if pieces.is_empty() {
        out.null("content");
    } else {
        content(pieces, false, out.member("content"));
    }
}

fn tail(message: &Message, out: &mut Object<'_>) {
    out.maybe("name", message.name.as_deref().filter(|name| legal_name(name)));
    out.all(message.extra.of(Dialect::Chat));
}

/// Whether reasoning is as byok shows it to clients: nothing but text, under the name that byok gives it.
fn is_byoks(thinking: &Thinking) -> bool {
    thinking.blob.is_none() && thinking.extra.of(Dialect::Chat).is_empty()
}

/// Whether reasoning was kept for a client that has no place for it, and another upstream has sealed it.
fn is_of_others(thinking: &Thinking) -> bool {
    let sealed = thinking.blob.is_some() && thinking.extra.of(Dialect::Chat).is_empty();
    sealed && thought::details_in(thinking.blob.iter()).is_none()
}

/// Reasoning under the name by which it came: servers differ, and one that is sent both names refuses.
fn reasoning(parts: &[&Thinking], out: &mut Object<'_>) {
    let Some(first) = parts.first() else { return };
    let own = first.extra.of(Dialect::Chat);
    if own.is_empty() {
        let texts: Vec<_> = parts.iter().map(|thinking| thinking.text()).collect();
        let text = texts.join("\n\n");
        // What was kept for a client that has no place for it.
        match thought::details_in(parts.iter().filter_map(|thinking| thinking.blob.as_ref())) {
            Some(details) => thought::write_sealed(&details, &text, out),
            None => out.text("reasoning_content", &text),
        }
    }
    out.all(own);
}

fn earlier_audio(audio: &Audio, out: &mut Object<'_>) {
    out.object("audio", |object| {
        object.maybe("id", audio.id.as_deref());
        if let Some(Source::Base64 { data, .. }) = &audio.source {
            object.text("data", data);
        }
        object.maybe("format", audio.format.as_deref());
        object.maybe("transcript", audio.transcript.as_deref());
        object.maybe("expires_at", audio.expires_at);
        object.all(audio.extra.of(Dialect::Chat));
    });
}
