use super::{Encoder, contents::append, inner, media::search_result, outer};
use crate::{
    Json, compact, custom,
    gemini::{NO_SIGNATURE, fields::Fields, is_made_up, keys},
    ir::{Blob, BlobSlot, ConfigChange, Extra, Flavour, Opaque, Part, Text, Thinking, ToolCall},
};
use byok_types::{Dialect, Family};
use std::borrow::Cow;

/// Writes a plain text part.
pub(super) fn text(out: &mut Vec<u8>, text: &str) {
    let mut part = Fields::open(out);
    part.string("text", text);
    part.close();
}

/// Appends an empty text with a signature to a list of parts.
fn empty_signed(parts: &mut Vec<u8>, signature: &str) {
    append(parts, |out| {
        let mut part = Fields::open(out);
        part.string("text", "");
        part.string("thoughtSignature", signature);
        part.close();
    });
}

impl Encoder<'_> {
    /// The parts of a model turn. Signatures that travelled on a thinking part go back to the call or text they were on;
    /// the first call is signed in any case, if the model asks for that.
    pub(super) fn model_parts<'p>(&mut self, list: impl Iterator<Item = Cow<'p, Part>>) -> Vec<u8> {
        let mut out = Vec::new();
        let mut for_call: Option<Blob> = None;
        let mut for_text: Option<Blob> = None;
        let (mut first_call, mut said) = (true, false);
        for part in list {
            match part.as_ref() {
                Part::Thinking(thinking) => match self.own(thinking.blob.as_ref()) {
                    Some(blob) if blob.slot == BlobSlot::Call => for_call = Some(blob.clone()),
                    // The signature of a text comes behind it, on an empty text of its own.
                    Some(blob) if blob.slot == BlobSlot::Text && said => empty_signed(&mut out, &blob.data),
                    Some(blob) if blob.slot == BlobSlot::Text => for_text = Some(blob.clone()),
                    blob => append(&mut out, |out| self.thinking(thinking, blob, out)),
                },
                Part::Text(found) => {
                    said = true;
                    let carried = for_text.take();
                    append(&mut out, |out| self.text_part(found, carried.as_ref(), out));
                }
                Part::ToolCall(call) => {
                    said = false;
                    if let Some(blob) = for_text.take() {
                        empty_signed(&mut out, &blob.data);
                    }
                    let carried = for_call.take();
                    let blob = self.own(call.blob.as_ref()).or(carried.as_ref());
                    let stand_in = std::mem::take(&mut first_call) && self.facts.call_signatures;
                    let signature = blob.map(|b| b.data.as_str()).or(stand_in.then_some(NO_SIGNATURE));
                    append(&mut out, |out| self.call(call, signature, out));
                }
                other => append(&mut out, |out| self.part(other, out)),
            }
        }
        if let Some(blob) = for_text {
            empty_signed(&mut out, &blob.data);
        }
        out
    }

    /// The blob, if it is one that this upstream made.
    fn own<'b>(&mut self, blob: Option<&'b Blob>) -> Option<&'b Blob> {
        let blob = blob?;
        if blob.family == self.facts.family {
            return Some(blob);
        }
        self.losses.silent("thinking", "sealed reasoning of another vendor cannot be read here");
        None
    }

    /// A thought that is replayed. Thoughts of others, and those without a signature, would poison the history; a Gemini
    /// client that keeps them for a Gemini model knows what it does.
    fn thinking(&mut self, thinking: &Thinking, blob: Option<&Blob>, out: &mut Vec<u8>) {
        let text = thinking.text();
        let kept =
            blob.is_some() || (self.same && self.facts.family == Family::Gemini && thinking.blob.is_none());
        if !kept || (text.is_empty() && blob.is_none()) {
            self.losses.silent("thinking", "thoughts without a signature of this vendor are not replayed");
            return;
        }
        let mut part = Fields::open(out);
        part.string("text", &text);
        part.value("thought", &true);
        part.option("thoughtSignature", blob.map(|b| b.data.as_str()).as_ref());
        part.all(outer(&thinking.extra));
        part.close();
    }

    fn text_part(&mut self, found: &Text, carried: Option<&Blob>, out: &mut Vec<u8>) {
        let blob = self.own(found.blob.as_ref()).or(carried);
        // Empty texts of a Gemini client are its own affair: some backends take them.
        if found.text.is_empty() && blob.is_none() && !self.same {
            return;
        }
        let mut part = Fields::open(out);
        part.string("text", &found.text);
        part.option("thoughtSignature", blob.map(|b| b.data.as_str()).as_ref());
        part.all(outer(&found.extra));
        part.close();
    }

    fn call(&mut self, call: &ToolCall, signature: Option<&str>, out: &mut Vec<u8>) {
        let name = self.upstream_name(call);
        let mut arguments = arguments(call);
        if !self.facts.json_schema_tools {
            arguments = keys::legal_arguments(arguments);
        }
        let mut part = Fields::open(out);
        let mut function = Fields::open(part.key("functionCall"));
        if !call.call_id.is_empty() && !is_made_up(&call.call_id) {
            function.string("id", &call.call_id);
        }
        function.string("name", &name);
        function.verbatim("args", &arguments);
        function.all(inner(&call.extra, "functionCall"));
        function.close();
        part.option("thoughtSignature", signature.as_ref());
        part.all(outer(&call.extra));
        part.close();
    }

    /// A part of any kind. Writes nothing for one that cannot be said.
    pub(super) fn part(&mut self, part: &Part, out: &mut Vec<u8>) {
        match part {
            Part::Text(found) => self.text_part(found, None, out),
            Part::Refusal(refusal) if !refusal.text.is_empty() => text(out, &refusal.text),
            Part::Refusal(_) => {}
            Part::Image(image) => {
                self.note_detail(part, image.detail.as_deref());
                self.media(&image.source, "", &image.extra, out);
            }
            Part::Audio(audio) => self.audio(audio, out),
            Part::Video(video) => self.video(video, out),
            Part::Document(document) => {
                self.note_detail(part, document.detail.as_deref());
                self.note_citations(part, document.citations);
                self.document(document, out);
            }
            Part::SearchResult(result) => {
                self.note_citations(part, result.citations);
                search_result(result, out);
            }
            Part::Thinking(thinking) => {
                let blob = self.own(thinking.blob.as_ref());
                self.thinking(thinking, blob, out);
            }
            Part::ToolCall(call) => {
                let signature = self.own(call.blob.as_ref()).map(|b| b.data.clone());
                self.call(call, signature.as_deref(), out);
            }
            Part::ToolResult(result) => {
                let name = result.name.clone().unwrap_or_default();
                self.result(result, &name, out);
            }
            Part::ServerCall(call) => self.verbatim(call.verbatim.as_ref(), out),
            Part::ServerResult(result) => self.verbatim(result.verbatim.as_ref(), out),
            Part::Opaque(opaque) if opaque.dialect != Dialect::Gemini => {
                self.losses.dropped(self.places.path(part), "only the dialect of the client has this block");
            }
            Part::Opaque(opaque) => self.verbatim(Some(opaque), out),
            Part::Compaction(compaction) => match &compaction.summary {
                Some(summary) if !summary.trim().is_empty() => {
                    self.losses
                        .emulated(self.places.path(part), "the summary of the conversation became text");
                    text(out, &compact::told(summary));
                }
                _ => {
                    let reason = "a sealed summary can only be read by its vendor";
                    self.losses.dropped(self.places.path(part), reason);
                }
            },
            Part::ContainerUpload(_) => {
                self.losses.dropped(self.places.path(part), "this upstream has no containers");
            }
            Part::ConfigChange(change) => self.config_change(change),
        }
    }

    /// Tools that are added are declared from the beginning; the rest cannot change on the way.
    pub(super) fn config_change(&mut self, change: &ConfigChange) {
        if !change.tools_added.is_empty() {
            self.losses.emulated("messages", "tools that are added later are declared from the beginning");
        }
        // A tool that is added by its name alone is a deferred one, which was declared from the beginning or never.
        if change.tools_added.is_empty() || !change.tools_removed.is_empty() || change.effort.is_some() {
            self.losses.dropped("messages", "settings cannot change in the middle of a conversation here");
        }
    }

    /// A part that only its own dialect can say.
    fn verbatim(&mut self, opaque: Option<&Opaque>, out: &mut Vec<u8>) {
        match opaque {
            Some(opaque) if opaque.dialect == Dialect::Gemini => {
                out.extend_from_slice(opaque.json.get().as_bytes());
            }
            _ => self.losses.silent("messages", "a part of another vendor has no counterpart here"),
        }
    }

    /// Names of unknown fields that a part of another dialect carries are not worth a word; those of ours are kept.
    pub(super) fn display_name(
        &self,
        extra: &Extra,
        member: &str,
        filename: Option<&String>,
    ) -> Option<Json> {
        let kept =
            inner(extra, member).find(|(name, _)| *name == "displayName").map(|(_, value)| value.clone());
        kept.or_else(|| filename.filter(|_| self.same).map(|name| Json::string(name)))
    }
}

/// The arguments of a call as the object that Gemini wants.
pub(super) fn arguments(call: &ToolCall) -> Json {
    if call.flavour == Flavour::Custom {
        return Json::parse(custom::wrap_input(&call.arguments)).unwrap_or_else(|_| Json::empty_object());
    }
    object_of(&call.arguments)
}

/// An object that says what the text says: the object itself, `{"value": …}` around other JSON, `{"_raw": …}` around text
/// that was cut off.
pub(in crate::gemini) fn object_of(text: &str) -> Json {
    let trimmed = text.trim();
    if trimmed.is_empty() || trimmed == "null" {
        return Json::empty_object();
    }
    match Json::parse(trimmed) {
        Ok(json) if json.is_object() => json,
        Ok(json) => crate::gemini::fields::object(|fields| fields.json("value", &json)),
        Err(_) => crate::gemini::fields::object(|fields| fields.string("_raw", text)),
    }
}
