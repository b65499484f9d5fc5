//! The item that is open, and the frames of its pieces.

use super::{
    super::{
        item::{self, Status, Whole},
        whole::{Tag, annotate},
        writer::{Object, element},
    },
    StreamEncoder,
    frames::Place,
};
use crate::ir::{Blob, Citation, Extra, Flavour, ToolCall};

/// The item that is open.
#[derive(Debug)]
pub(super) enum Item {
    Message(Message),
    Reasoning(Reasoning),
    Call(Call),
}

#[derive(Debug)]
pub(super) struct Message {
    id: String,
    /// What the upstream calls it.
    tag: Tag,
    index: u32,
    /// Parts that are complete, separated by commas.
    content: Vec<u8>,
    parts: u64,
    part: Option<Spoken>,
}

/// The part of a message that is open.
#[derive(Debug)]
struct Spoken {
    refusal: bool,
    prefix: Vec<u8>,
    text: String,
    chars: u64,
    /// Where the upstream's part begins in this one: several become one.
    base: u64,
    annotations: Vec<u8>,
    annotated: u64,
    /// Citations that name no place and belong to all of the upstream's part.
    citations: Vec<Citation>,
    logprobs: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Reasoning {
    id: String,
    index: u32,
    summary: Vec<String>,
    raw: Vec<String>,
    /// The paragraph that is open: the upstream's name for it, and whether it is raw.
    open: Option<((bool, u32), bool)>,
    prefix: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Call {
    id: String,
    index: u32,
    /// The beginning of the frames of its pieces, if it comes in pieces.
    prefix: Option<Vec<u8>>,
}

const NO_LOGPROBS: &[u8] = b",\"logprobs\":[]";

impl StreamEncoder {
    /// Begins an item: closes the one before and allocates its place.
    fn begin_item(&mut self, out: &mut Vec<u8>) -> u32 {
        self.close_item(Status::Completed, out);
        self.flush_server_call(None, out);
        let index = self.items;
        self.items += 1;
        index
    }

    fn added(&mut self, index: u32, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        self.frames.event(out, "response.output_item.added", |object| {
            write(object.value("output_index", &index).member("item"));
        });
    }

    fn done(&mut self, index: u32, item: &[u8], out: &mut Vec<u8>) {
        element(&mut self.output).extend_from_slice(item);
        self.frames.event(out, "response.output_item.done", |object| {
            object.value("output_index", &index).raw("item", item);
        });
    }

    /// Ends the open item.
    pub(super) fn close_item(&mut self, status: Status, out: &mut Vec<u8>) {
        match self.item.take() {
            Some(Item::Message(mut message)) => {
                self.close_spoken(&mut message, out);
                let mut written = Vec::new();
                let phase = message.tag.phase.as_deref();
                item::message(&mut written, &message.id, status, phase, &message.content);
                self.done(message.index, &written, out);
            }
            Some(reasoning @ Item::Reasoning(_)) => {
                self.item = Some(reasoning);
                self.close_reasoning(None, None, out);
            }
            // Calls are closed by the part that they belong to.
            Some(Item::Call(_)) | None => {}
        }
    }

    /// The answer failed: the output has what was said so far. The open item stays open, and half of a call must not look
    /// like a call.
    pub(super) fn keep_so_far(&mut self) {
        let output = &mut self.output;
        match self.item.take() {
            Some(Item::Message(mut message)) => {
                if let Some(part) = message.part.take() {
                    part.write(element(&mut message.content));
                }
                item::message(element(output), &message.id, Status::Incomplete, None, &message.content);
            }
            Some(Item::Reasoning(Reasoning { id, summary, raw, .. })) => {
                let status = Some(Status::Incomplete.name());
                let shown = item::Reasoning {
                    id: &id,
                    summary: &summary,
                    raw: &raw,
                    status,
                    ..item::Reasoning::default()
                };
                item::reasoning(element(output), &shown);
            }
            Some(Item::Call(_)) | None => {}
        }
    }

    /// Writes an item that comes whole.
    pub(super) fn write_whole(&mut self, whole: &Whole, out: &mut Vec<u8>) {
        let index = self.begin_item(out);
        self.added(index, out, |out| out.extend_from_slice(whole.begun.as_ref().unwrap_or(&whole.done)));
        let steps: &[&str] = match whole.kind {
            "web_search_call" => &["in_progress", "searching", "completed"],
            "image_generation_call" => &["in_progress", "generating", "completed"],
            "code_interpreter_call" => &["in_progress", "interpreting", "completed"],
            _ => &[],
        };
        for step in steps {
            let place = Place { item_id: &whole.id, output_index: index, within: None };
            self.frames.event(out, &format!("response.{}.{step}", whole.kind), |object| place.write(object));
        }
        self.done(index, &whole.done, out);
    }

    // --- Messages

    /// The message of the upstream that is open.
    pub(super) fn message(&self) -> Option<Tag> {
        match &self.item {
            Some(Item::Message(message)) => Some(message.tag.clone()),
            _ => None,
        }
    }

    /// The active part stands in this message of the upstream: a part of its own, as the upstream has it, and a message of
    /// its own unless it is the open one.
    fn enter_message(&mut self, tag: Tag, out: &mut Vec<u8>) {
        match self.item.take() {
            Some(Item::Message(mut message)) if message.tag == tag => {
                self.close_spoken(&mut message, out);
                self.item = Some(Item::Message(message));
            }
            other => {
                self.item = other;
                self.open_message(tag, out);
            }
        }
    }

    fn open_message(&mut self, tag: Tag, out: &mut Vec<u8>) {
        let index = self.begin_item(out);
        let id = self.named.name(&mut self.ids, "msg_", tag.id.as_deref());
        let phase = tag.phase.as_deref();
        self.added(index, out, |out| item::message(out, &id, Status::InProgress, phase, &[]));
        let (content, parts, part) = (Vec::new(), 0, None);
        self.item = Some(Item::Message(Message { id, tag, index, content, parts, part }));
    }

    /// The open part of the open message, both begun if need be.
    fn spoken(&mut self, refusal: bool, out: &mut Vec<u8>) -> Option<&mut Spoken> {
        if let Some(tag) = self.entering.take() {
            self.enter_message(tag, out);
        }
        if !matches!(self.item, Some(Item::Message(_))) {
            self.open_message(Tag::default(), out);
        }
        let Some(Item::Message(mut message)) = self.item.take() else { return None };
        if message.part.as_ref().is_some_and(|part| part.refusal != refusal) {
            self.close_spoken(&mut message, out);
        }
        if message.part.is_none() {
            let place = message.place();
            let kind = if refusal { "response.refusal.delta" } else { "response.output_text.delta" };
            let prefix = place.prefix(kind);
            self.frames.event(out, "response.content_part.added", |object| {
                place.write(object);
                let out = object.member("part");
                if refusal {
                    item::refusal(out, "", &Extra::default());
                } else {
                    item::output_text(out, "", &[], &[], &Extra::default());
                }
            });
            message.part = Some(Spoken {
                refusal,
                prefix,
                text: String::new(),
                chars: 0,
                base: 0,
                annotations: Vec::new(),
                annotated: 0,
                citations: Vec::new(),
                logprobs: Vec::new(),
            });
        }
        self.item = Some(Item::Message(message));
        match &mut self.item {
            Some(Item::Message(message)) => message.part.as_mut(),
            _ => None,
        }
    }

    pub(super) fn text(&mut self, text: &str, refusal: bool, out: &mut Vec<u8>) {
        let open = self.entering.is_none()
            && matches!(&self.item, Some(Item::Message(Message { part: Some(part), .. })) if part.refusal == refusal);
        if !open {
            self.spoken(refusal, out);
        }
        let Self { frames, item: Some(Item::Message(Message { part: Some(part), .. })), .. } = self else {
            return;
        };
        part.text.push_str(text);
        part.chars += text.chars().count() as u64;
        frames.delta(out, &part.prefix, text, if refusal { b"" } else { NO_LOGPROBS });
    }

    pub(super) fn logprobs(&mut self, elements: &[u8], out: &mut Vec<u8>) {
        let Self { frames, item: Some(Item::Message(Message { part: Some(part), .. })), .. } = self else {
            return;
        };
        if elements.is_empty() || part.refusal {
            return;
        }
        element(&mut part.logprobs).extend_from_slice(elements);
        let mut suffix = b",\"logprobs\":[".to_vec();
        suffix.extend_from_slice(elements);
        suffix.push(b']');
        // The text that they belong to has been sent.
        frames.delta(out, &part.prefix, "", &suffix);
    }

    pub(super) fn citation(&mut self, citation: Citation, out: &mut Vec<u8>) {
        let Some(part) = self.spoken(/* refusal */ false, out) else { return };
        if citation.start.is_none() || citation.end.is_none() {
            part.citations.push(citation);
            return;
        }
        let base = part.base;
        self.annotate(&citation, base, (base, base), out);
    }

    fn annotate(&mut self, citation: &Citation, base: u64, range: (u64, u64), out: &mut Vec<u8>) {
        let Self { frames, losses, item: Some(Item::Message(message)), .. } = self else { return };
        let place = Place {
            item_id: &message.id,
            output_index: message.index,
            within: Some(("content_index", message.parts)),
        };
        let Some(part) = &mut message.part else { return };
        let mut written = Vec::new();
        if !annotate(&mut written, citation, base, range) {
            losses.silent("output", "a citation of a document by its place");
            return;
        }
        element(&mut part.annotations).extend_from_slice(&written);
        frames.event(out, "response.output_text.annotation.added", |object| {
            place.write(object);
            object.value("annotation_index", &part.annotated).raw("annotation", &written);
        });
        part.annotated += 1;
    }

    /// The upstream's part of the text is over: citations that belong to all of it can be placed.
    pub(super) fn settle_citations(&mut self, out: &mut Vec<u8>) {
        let Some(Item::Message(Message { part: Some(part), .. })) = &mut self.item else { return };
        let (base, end) = (part.base, part.chars);
        part.base = end;
        for citation in std::mem::take(&mut part.citations) {
            self.annotate(&citation, base, (base, end), out);
        }
    }

    fn close_spoken(&mut self, message: &mut Message, out: &mut Vec<u8>) {
        let Some(part) = message.part.take() else { return };
        let place = message.place();
        let mut written = Vec::new();
        part.write(&mut written);
        if part.refusal {
            self.frames.event(out, "response.refusal.done", |object| {
                place.write(object);
                object.text("refusal", &part.text);
            });
        } else {
            self.frames.event(out, "response.output_text.done", |object| {
                place.write(object);
                object.text("text", &part.text).list("logprobs", &part.logprobs);
            });
        }
        self.frames.event(out, "response.content_part.done", |object| {
            place.write(object);
            object.raw("part", &written);
        });
        element(&mut message.content).extend_from_slice(&written);
        message.parts += 1;
    }

    // --- Reasoning

    pub(super) fn open_reasoning(&mut self, own: Option<&str>, out: &mut Vec<u8>) {
        let index = self.begin_item(out);
        let id = self.named.name(&mut self.ids, "rs_", own);
        self.added(index, out, |out| {
            let status = Some(Status::InProgress.name());
            item::reasoning(out, &item::Reasoning { id: &id, status, ..item::Reasoning::default() });
        });
        self.item = Some(Item::Reasoning(Reasoning {
            id,
            index,
            summary: Vec::new(),
            raw: Vec::new(),
            open: None,
            prefix: Vec::new(),
        }));
    }

    /// Writes a piece of reasoning. `paragraph` is the upstream's name for the paragraph.
    pub(super) fn thought(&mut self, text: &str, paragraph: (bool, u32), raw: bool, out: &mut Vec<u8>) {
        let Some(Item::Reasoning(mut reasoning)) = self.item.take() else { return };
        if reasoning.open != Some((paragraph, raw)) {
            self.close_paragraph(&mut reasoning, out);
            reasoning.open = Some((paragraph, raw));
            if raw { &mut reasoning.raw } else { &mut reasoning.summary }.push(String::new());
            let place = reasoning.place(raw);
            let (added, kind, delta) = if raw {
                ("response.content_part.added", "reasoning_text", "response.reasoning_text.delta")
            } else {
                (
                    "response.reasoning_summary_part.added",
                    "summary_text",
                    "response.reasoning_summary_text.delta",
                )
            };
            let prefix = place.prefix(delta);
            self.frames.event(out, added, |object| {
                place.write(object);
                item::text_part(object.member("part"), kind, "");
            });
            reasoning.prefix = prefix;
        }
        let list = if raw { &mut reasoning.raw } else { &mut reasoning.summary };
        if let Some(last) = list.last_mut() {
            last.push_str(text);
        }
        self.frames.delta(out, &reasoning.prefix, text, b"");
        self.item = Some(Item::Reasoning(reasoning));
    }

    fn close_paragraph(&mut self, reasoning: &mut Reasoning, out: &mut Vec<u8>) {
        let Some((_, raw)) = reasoning.open.take() else { return };
        let place = reasoning.place(raw);
        let list = if raw { &reasoning.raw } else { &reasoning.summary };
        let text = list.last().map(String::as_str).unwrap_or_default();
        let (text_done, part_done, kind) = if raw {
            ("response.reasoning_text.done", "response.content_part.done", "reasoning_text")
        } else {
            ("response.reasoning_summary_text.done", "response.reasoning_summary_part.done", "summary_text")
        };
        self.frames.event(out, text_done, |object| {
            place.write(object);
            object.text("text", text);
        });
        self.frames.event(out, part_done, |object| {
            place.write(object);
            item::text_part(object.member("part"), kind, text);
        });
    }

    pub(super) fn close_reasoning(&mut self, blob: Option<&Blob>, status: Option<&str>, out: &mut Vec<u8>) {
        let Some(Item::Reasoning(mut reasoning)) = self.item.take() else { return };
        self.close_paragraph(&mut reasoning, out);
        let Reasoning { id, summary, raw, index, .. } = &reasoning;
        let sealed = blob.map(item::sealed);
        let mut written = Vec::new();
        let done = item::Reasoning { id, summary, raw, sealed, status, extra: None };
        item::reasoning(&mut written, &done);
        self.done(*index, &written, out);
    }

    /// Writes a reasoning item that is nothing but the carrier of a signature.
    pub(super) fn carrier(&mut self, blob: &Blob, out: &mut Vec<u8>) {
        self.open_reasoning(None, out);
        self.close_reasoning(Some(blob), None, out);
    }

    // --- Calls

    pub(super) fn begin_call(&mut self, call: &ToolCall, out: &mut Vec<u8>) {
        let index = self.begin_item(out);
        let id = self.named.name(&mut self.ids, item::prefix(call.flavour), call.item_id.as_deref());
        let begun = ToolCall { arguments: String::new(), ..call.clone() };
        self.added(index, out, |out| item::call(out, &id, &begun, Status::InProgress.name()));
        let kind = if call.flavour == Flavour::Custom {
            "response.custom_tool_call_input.delta"
        } else {
            "response.function_call_arguments.delta"
        };
        let pieces = !item::comes_whole(call.flavour);
        let prefix = Place { item_id: &id, output_index: index, within: None }.prefix(kind);
        let prefix = pieces.then_some(prefix);
        self.item = Some(Item::Call(Call { id, index, prefix }));
    }

    pub(super) fn arguments(&mut self, text: &str, out: &mut Vec<u8>) {
        if let Self { frames, item: Some(Item::Call(call)), .. } = self {
            call.prefix.iter().for_each(|prefix| frames.delta(out, prefix, text, b""));
        }
    }

    pub(super) fn close_call(&mut self, call: &ToolCall, status: Status, out: &mut Vec<u8>) {
        let Some(Item::Call(Call { id, index, prefix })) = self.item.take() else { return };
        let custom = call.flavour == Flavour::Custom;
        let (kind, member) = if custom {
            ("response.custom_tool_call_input.done", "input")
        } else {
            ("response.function_call_arguments.done", "arguments")
        };
        let place = Place { item_id: &id, output_index: index, within: None };
        if prefix.is_some() {
            self.frames.event(out, kind, |object: &mut Object<'_>| {
                place.write(object);
                if !custom {
                    object.text("name", &call.name);
                }
                object.text(member, &call.arguments);
            });
        }
        let mut written = Vec::new();
        item::call(&mut written, &id, call, status.name());
        self.done(index, &written, out);
    }
}

impl Spoken {
    /// Writes the part with all of its text.
    fn write(&self, out: &mut Vec<u8>) {
        if self.refusal {
            item::refusal(out, &self.text, &Extra::default());
        } else {
            item::output_text(out, &self.text, &self.annotations, &self.logprobs, &Extra::default());
        }
    }
}

impl Message {
    fn place(&self) -> Place<'_> {
        Place { item_id: &self.id, output_index: self.index, within: Some(("content_index", self.parts)) }
    }
}

impl Reasoning {
    /// Where the last paragraph stands.
    fn place(&self, raw: bool) -> Place<'_> {
        let (name, list) = if raw { ("content_index", &self.raw) } else { ("summary_index", &self.summary) };
        Place {
            item_id: &self.id,
            output_index: self.index,
            within: Some((name, list.len().saturating_sub(1) as u64)),
        }
    }
}
