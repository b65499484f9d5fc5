//! Writing an answer as a stream of chunks.

mod part;

use super::{
    failure::write_error,
    object::{Object, object},
    shown, stop, thought, usage,
};
use crate::{
    Exchange, Json, Loss, Losses, Names, custom,
    ir::{Citation, Delta, Event, Flavour, Part, PartHead, PartId, Stop, Usage},
    open_parts::OpenParts,
    shown_reasoning::Reasoning,
    tier,
};
use byok_types::Dialect;
use std::collections::HashMap;

use part::{Call, Form, Kind, Open};

/// Writes frames of `chat.completion.chunk`: a chunk with the role, chunks with content, one chunk with the finish reason
/// for each choice, the usage if the client asked for it, `[DONE]`.
#[derive(Debug)]
pub struct StreamEncoder {
    /// Everything of a chunk before the entry of its choice.
    head: Vec<u8>,
    include_usage: bool,
    old_functions: bool,
    input_estimate: Option<u64>,
    audio_id: String,
    names: std::sync::Arc<Names>,
    choices: Vec<Choice>,
    parts: OpenParts<Open>,
    /// Texts that are over, which citations may still come for: their choice, and their characters in it.
    texts: HashMap<PartId, (usize, (u64, u64))>,
    /// Calls whose first chunk waits for something to go with it.
    unbegun: Vec<PartId>,
    usage: Usage,
    losses: Losses,
    over: bool,
}

#[derive(Debug, Default)]
struct Choice {
    index: u32,
    calls: u32,
    refusal: bool,
    /// Characters of visible text so far.
    characters: u64,
    stop: Option<Stop>,
}

impl StreamEncoder {
    /// An encoder for the answer to this exchange.
    pub fn new(exchange: &Exchange) -> Self {
        let mut ids = exchange.ids.clone();
        let mut head = b"data: ".to_vec();
        let mut chunk = Object::open(&mut head);
        chunk.text("id", &ids.next("chatcmpl-"));
        chunk.text("object", "chat.completion.chunk");
        chunk.value("created", &exchange.created);
        chunk.text("model", &exchange.model);
        chunk.member("choices").push(b'[');
        Self {
            head,
            include_usage: exchange.include_usage,
            old_functions: exchange.old_functions,
            input_estimate: exchange.input_estimate,
            audio_id: ids.next("audio_"),
            names: exchange.names.clone(),
            choices: Vec::new(),
            parts: OpenParts::default(),
            texts: HashMap::new(),
            unbegun: Vec::new(),
            usage: Usage::default(),
            losses: Losses::default(),
            over: false,
        }
    }

    /// What the client could not be told.
    pub fn losses(&self) -> &[Loss] {
        self.losses.list()
    }

    /// Takes one event; appends complete frames to `out`.
    pub fn push(&mut self, event: Event, out: &mut Vec<u8>) {
        if self.over {
            return;
        }
        match event {
            Event::Start(_) => drop(self.choice(0, out)),
            Event::PartStart { part, choice, head } => self.open(part, choice, head, out),
            Event::Delta { part, delta } => self.delta(part, delta, out),
            Event::PartStop { part, complete, .. } => self.close(part, complete, out),
            Event::Usage(newer) => self.usage.merge(&newer),
            Event::Finish { choice, stop } => {
                let at = self.choice(choice, out);
                self.choices[at].stop = Some(stop);
            }
            Event::Failure(failure) => {
                self.over = true;
                out.extend_from_slice(b"data: ");
                object(out, |frame| write_error(&failure, frame.member("error")));
                out.extend_from_slice(b"\n\n");
            }
            Event::End => self.end(out),
            Event::Envelope(_) | Event::Lost(_) | Event::Ping => {}
        }
    }

    /// The place of a choice; the first sight of one sends its role.
    fn choice(&mut self, index: u32, out: &mut Vec<u8>) -> usize {
        if let Some(at) = self.choices.iter().position(|choice| choice.index == index) {
            return at;
        }
        self.choices.push(Choice { index, ..Choice::default() });
        let at = self.choices.len() - 1;
        self.chunk(at, out, |delta| {
            delta.text("role", "assistant");
            delta.text("content", "");
        });
        at
    }

    fn open(&mut self, part: PartId, choice: u32, head: PartHead, out: &mut Vec<u8>) {
        let choice = self.choice(choice, out);
        self.begin_calls(out);
        let kind = match head {
            PartHead::Text => Kind::Text { start: self.choices[choice].characters, citations: Vec::new() },
            PartHead::Refusal => {
                self.choices[choice].refusal = true;
                Kind::Refusal
            }
            PartHead::Thinking { .. } => Kind::Thinking(Reasoning::default()),
            PartHead::ToolCall { call_id, name, namespace, flavour, .. } => {
                let form = match flavour {
                    Flavour::Custom
                        if shown::is_custom(&self.names, &name, namespace.as_deref(), flavour) =>
                    {
                        Form::Custom
                    }
                    Flavour::Custom => Form::Wrapped,
                    Flavour::Function | Flavour::ToolSearch | Flavour::LocalShell => Form::Function,
                };
                Kind::Call(Call { index: None, id: call_id, name, form, input: false })
            }
            PartHead::Whole(whole) => {
                self.whole(choice, &whole, out);
                Kind::Nothing
            }
        };
        if matches!(kind, Kind::Call(_)) {
            self.unbegun.push(part);
        }
        self.parts.push(part, Open { choice, kind });
    }

    /// Sends the first chunks of calls that have been waiting for something to go with it: calls keep their order.
    fn begin_calls(&mut self, out: &mut Vec<u8>) {
        for part in std::mem::take(&mut self.unbegun) {
            let Some(mut open) = self.taken(part) else { continue };
            if let Kind::Call(call) = &mut open.kind
                && call.index.is_none()
            {
                self.call_chunk(open.choice, call, None, None, out);
            }
            self.put_back(part, open);
        }
    }

    /// A part, of which nothing stays in its place until it is put back.
    fn taken(&mut self, part: PartId) -> Option<Open> {
        let open = self.parts.get_mut(part)?;
        Some(std::mem::replace(open, Open { choice: 0, kind: Kind::Nothing }))
    }

    fn put_back(&mut self, part: PartId, open: Open) {
        if let Some(place) = self.parts.get_mut(part) {
            *place = open;
        }
    }

    fn delta(&mut self, part: PartId, delta: Delta, out: &mut Vec<u8>) {
        let Some(mut open) = self.taken(part) else {
            if let (Delta::Citation(citation), Some((choice, place))) =
                (delta, self.texts.get(&part).copied())
            {
                self.annotations(choice, place, &[*citation], out);
            }
            return;
        };
        let choice = open.choice;
        match (&mut open.kind, delta) {
            (Kind::Text { .. }, Delta::Text(text)) if !text.is_empty() => {
                self.choices[choice].characters += text.chars().count() as u64;
                self.chunk(choice, out, |delta| delta.text("content", &text));
            }
            (Kind::Text { citations, .. }, Delta::Citation(citation)) => citations.push(*citation),
            (Kind::Text { .. }, Delta::Logprobs(list)) => self.logprobs(choice, &list, out),
            (Kind::Refusal, Delta::Refusal(text) | Delta::Text(text)) if !text.is_empty() => {
                self.chunk(choice, out, |delta| delta.text("refusal", &text));
            }
            (Kind::Thinking(shown), Delta::Thinking { text, paragraph, raw }) => {
                if let Some(text) = shown.next(text, paragraph, raw) {
                    self.chunk(choice, out, |delta| delta.text("reasoning_content", &text));
                }
            }
            (Kind::Call(call), Delta::Arguments(piece)) if !piece.is_empty() => {
                self.input(choice, call, &piece, out);
            }
            (Kind::Call(call), Delta::Signature(blob)) => {
                self.call_chunk(choice, call, None, Some(&blob), out);
            }
            _ => {}
        }
        self.put_back(part, open);
    }

    fn close(&mut self, part: PartId, complete: bool, out: &mut Vec<u8>) {
        let Some(Open { choice, kind }) = self.parts.remove(part) else { return };
        match kind {
            Kind::Text { start, citations } => {
                let end = self.choices[choice].characters;
                self.annotations(choice, (start, end), &citations, out);
                self.texts.insert(part, (choice, (start, end)));
            }
            Kind::Call(mut call) => {
                let rest = match (call.form, call.input) {
                    // A call that was cut off stays as it is.
                    _ if !complete => None,
                    (Form::Function, false) => Some("{}"),
                    (Form::Wrapped, false) => Some("{\"input\":\"\"}"),
                    (Form::Wrapped, true) => Some("\"}"),
                    _ => None,
                };
                if rest.is_some() || call.index.is_none() {
                    self.call_chunk(choice, &mut call, rest, None, out);
                }
            }
            _ => {}
        }
    }

    fn annotations(
        &mut self,
        choice: usize,
        (start, end): (u64, u64),
        citations: &[Citation],
        out: &mut Vec<u8>,
    ) {
        let mut list = Vec::new();
        let length = end.saturating_sub(start);
        for citation in citations {
            let before = list.len();
            if before > 0 {
                list.push(b',');
            }
            if !shown::annotation(citation, start, length, &mut list) {
                list.truncate(before);
                self.losses.silent("annotations", "Chat can cite web pages only");
            }
        }
        if !list.is_empty() {
            self.chunk(choice, out, |delta| {
                let out = delta.member("annotations");
                out.push(b'[');
                out.append(&mut list);
                out.push(b']');
            });
        }
    }

    fn input(&mut self, choice: usize, call: &mut Call, piece: &str, out: &mut Vec<u8>) {
        let first = !std::mem::replace(&mut call.input, true);
        if call.form != Form::Wrapped {
            return self.call_chunk(choice, call, Some(piece), None, out);
        }
        let shown = custom::wrap_piece(piece, first);
        self.call_chunk(choice, call, Some(&shown), None, out);
    }

    /// One entry of `tool_calls`. The first one of a call has its id, type and name.
    fn call_chunk(
        &mut self,
        choice: usize,
        call: &mut Call,
        piece: Option<&str>,
        signature: Option<&crate::ir::Blob>,
        out: &mut Vec<u8>,
    ) {
        let first = call.index.is_none();
        let calls = &mut self.choices[choice].calls;
        let index = *call.index.get_or_insert_with(|| std::mem::replace(calls, *calls + 1));
        if self.old_functions {
            return self.old_call_chunk(choice, &call.name, (index, first), piece, out);
        }
        let (member, input) = match call.form {
            Form::Custom => ("custom", "input"),
            Form::Function | Form::Wrapped => ("function", "arguments"),
        };
        self.chunk(choice, out, |delta| {
            delta.list("tool_calls", [&*call], |call, out| {
                object(out, |entry| {
                    entry.value("index", &index);
                    if first {
                        entry.text("id", &call.id);
                        entry.text("type", member);
                    }
                    // Some clients read no entry without this member.
                    entry.object(member, |inner| {
                        if first {
                            inner.text("name", &call.name);
                        }
                        inner.text(input, piece.unwrap_or_default());
                    });
                    if let Some(blob) = signature {
                        thought::write_signature(entry.member("extra_content"), blob);
                    }
                });
            });
        });
    }

    /// A piece of the one call that a client of `functions` reads. The first one has its name.
    fn old_call_chunk(
        &mut self,
        choice: usize,
        name: &str,
        (index, first): (u32, bool),
        piece: Option<&str>,
        out: &mut Vec<u8>,
    ) {
        if index > 0 {
            return self.losses.dropped("choices[0].message.function_call", shown::ONE_CALL);
        }
        self.chunk(choice, out, |delta| {
            delta.object("function_call", |inner| {
                if first {
                    inner.text("name", name);
                }
                inner.text("arguments", piece.unwrap_or_default());
            });
        });
    }

    fn whole(&mut self, choice: usize, part: &Part, out: &mut Vec<u8>) {
        let mut json = Vec::new();
        match part {
            Part::Image(image) if shown::image(image, &mut json) => {
                self.chunk(choice, out, |delta| {
                    delta.list("images", [json], |mut json, out| out.append(&mut json));
                });
            }
            Part::Audio(audio) => {
                let id = std::mem::take(&mut self.audio_id);
                self.chunk(choice, out, |delta| {
                    delta.object("audio", |inner| shown::audio(audio, &id, inner));
                });
                self.audio_id = id;
            }
            _ => self.losses.silent("choices[0].message", "Chat has no such part in an answer"),
        }
    }

    fn logprobs(&mut self, choice: usize, list: &Json, out: &mut Vec<u8>) {
        self.frame(choice, out, |_| {}, Some(list), None);
    }

    fn chunk(&mut self, choice: usize, out: &mut Vec<u8>, delta: impl FnOnce(&mut Object<'_>)) {
        self.frame(choice, out, delta, None, None);
    }

    fn frame(
        &mut self,
        choice: usize,
        out: &mut Vec<u8>,
        delta: impl FnOnce(&mut Object<'_>),
        logprobs: Option<&Json>,
        finish: Option<&str>,
    ) {
        out.extend_from_slice(&self.head);
        object(out, |entry| {
            entry.value("index", &self.choices[choice].index);
            entry.object("delta", delta);
            match logprobs {
                Some(list) => entry.object("logprobs", |inner| {
                    inner.json("content", list);
                    inner.null("refusal");
                }),
                None => entry.null("logprobs"),
            }
            entry.value("finish_reason", &finish);
        });
        out.push(b']');
        if finish.is_some() {
            self.tier(out);
        }
        out.extend_from_slice(if self.include_usage { b",\"usage\":null}\n\n" } else { b"}\n\n" });
    }

    /// The tier, as a member after the others. Which one it was is certain at the end only.
    fn tier(&self, out: &mut Vec<u8>) {
        let word = self.usage.service_tier.as_deref().and_then(|word| tier::told(word, Dialect::Chat));
        if let Some(word) = word {
            out.extend_from_slice(b",\"service_tier\":\"");
            out.extend_from_slice(word.as_bytes());
            out.push(b'"');
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        let open: Vec<_> = self.parts.iter().map(|(name, _)| name).collect();
        for part in open {
            self.close(part, false, out);
        }
        self.choice(0, out);
        let mut order: Vec<_> = (0..self.choices.len()).collect();
        order.sort_by_key(|at| self.choices[*at].index);
        for at in order {
            let choice = &self.choices[at];
            let explanation = choice.stop.as_ref().filter(|_| !choice.refusal).and_then(Stop::explanation);
            if let Some(words) = explanation {
                self.chunk(at, out, |delta| delta.text("refusal", &words));
            }
            let choice = &self.choices[at];
            let reason = stop::finish_reason(choice.stop.as_ref(), choice.calls > 0, choice.refusal);
            let reason = stop::in_form(reason, self.old_functions);
            self.frame(at, out, |_| {}, None, Some(reason));
        }
        if self.include_usage {
            self.usage.input = self.usage.input.or(self.input_estimate);
            out.extend_from_slice(&self.head);
            out.push(b']');
            self.tier(out);
            out.extend_from_slice(b",\"usage\":");
            object(out, |counters| usage::write(&self.usage, counters));
            out.extend_from_slice(b"}\n\n");
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
        self.over = true;
    }
}

#[cfg(test)]
mod tests;
