//! Whole answers for Responses clients.

use super::{
    MESSAGE, citation,
    envelope::{Envelope, State},
    item::{self, ItemIds, Status},
    stream::{Shown, ending},
    writer::element,
};
use crate::{
    Exchange, Ids, Json, Losses, Translated,
    ir::{
        Citation, Extra, Flavour, Part, Refusal, Response, ServerCall, ServerResult, Text, Thinking, ToolCall,
    },
    media,
};
use byok_types::Dialect;
use serde::Deserialize;

/// Writes a whole answer.
pub fn encode_answer(response: &Response, exchange: &Exchange) -> Translated<Vec<u8>> {
    let mut ids = exchange.ids.clone();
    let own = ids.next("resp_");
    let id = match &response.id {
        Some(id) if exchange.upstream == Dialect::Responses && !id.is_empty() => id.clone(),
        _ => own,
    };
    let envelope = Envelope::new(exchange, id);
    let mut writer = Writer {
        ids,
        losses: Losses::default(),
        output: Vec::new(),
        message: None,
        items: ItemIds::default(),
        native: exchange.upstream == Dialect::Responses,
    };
    let none = crate::ir::Choice::default();
    let choice = response.choices.first().unwrap_or(&none);
    if response.choices.len() > 1 {
        writer.losses.dropped("choices", "a response has one answer");
    }
    for (at, part) in choice.parts.iter().enumerate() {
        writer.part(part, &choice.parts[at + 1..]);
    }
    let shown = Shown {
        refused: choice.parts.iter().any(|part| matches!(part, Part::Refusal(_))),
        called: choice.parts.iter().any(|part| matches!(part, Part::ToolCall(_))),
        empty: choice.parts.is_empty(),
    };
    let ending = ending(choice.stop.as_ref(), shown, writer.native);
    if let Some(words) = &ending.refusal {
        writer.refusal(&Refusal { text: words.clone(), ..Refusal::default() });
    }
    let cut = matches!(ending.state(), State::Incomplete(_));
    writer.close(Status::of(!cut));
    let mut out = Vec::with_capacity(writer.output.len() + 1024);
    envelope.write(&mut out, ending.state(), &writer.output, response.usage.as_ref(), &response.extra);
    writer.losses.attach(out)
}

struct Writer {
    ids: Ids,
    losses: Losses,
    /// Items, separated by commas.
    output: Vec<u8>,
    message: Option<Message>,
    items: ItemIds,
    /// Whether the upstream speaks Responses: then its ids are kept, and raw reasoning is shown as such instead of as a
    /// summary.
    native: bool,
}

/// A message whose parts are being collected.
struct Message {
    id: String,
    tag: Tag,
    content: Vec<u8>,
    /// Text of other dialects that is still growing: several blocks become one part.
    growing: Option<Growing>,
}

#[derive(Default)]
struct Growing {
    text: String,
    chars: u64,
    annotations: Vec<u8>,
    logprobs: Vec<u8>,
}

/// The message that a text of a Responses upstream stood in.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(super) struct Tag {
    pub(super) id: Option<String>,
    pub(super) phase: Option<String>,
}

impl Tag {
    /// The message that a part with these members stood in.
    pub(super) fn of(extra: &Extra) -> Option<Self> {
        extra.get(Dialect::Responses, MESSAGE)?.read().ok()
    }
}

impl Writer {
    fn part(&mut self, part: &Part, later: &[Part]) {
        match part {
            Part::Text(text) => self.text(text),
            Part::Refusal(refusal) => self.refusal(refusal),
            Part::Thinking(thinking) => self.thinking(thinking),
            Part::ToolCall(call) => self.call(call),
            Part::ServerCall(call) => self.server_call(call, later),
            Part::Audio(audio) => {
                self.losses.dropped("output", "Responses has no sound in an answer");
                let text = media::sound_in_words(audio).to_owned();
                self.close(Status::Completed);
                self.text(&Text { text, ..Text::default() });
                self.close(Status::Completed);
            }
            other => {
                if let Some(whole) = item::whole(other, &mut self.ids, &mut self.losses) {
                    self.item(&whole.done);
                }
            }
        }
    }

    fn item(&mut self, item: &[u8]) {
        self.close(Status::Completed);
        element(&mut self.output).extend_from_slice(item);
    }

    /// Writes the message that was collected.
    fn close(&mut self, status: Status) {
        let Some(mut message) = self.message.take() else { return };
        message.settle();
        let Message { id, tag, content, .. } = &message;
        item::message(element(&mut self.output), id, status, tag.phase.as_deref(), content);
    }

    /// The message with this tag, begun if the current one has another.
    fn message(&mut self, tag: Option<Tag>) -> &mut Message {
        if self.message.as_ref().is_some_and(|open| tag.as_ref().is_some_and(|tag| *tag != open.tag)) {
            self.close(Status::Completed);
        }
        self.message.get_or_insert_with(|| {
            let tag = tag.unwrap_or_default();
            let id = self.items.name(&mut self.ids, "msg_", tag.id.as_deref());
            Message { id, tag, content: Vec::new(), growing: None }
        })
    }

    fn text(&mut self, text: &Text) {
        if text.text.is_empty() && text.citations.is_empty() && text.blob.is_none() {
            return;
        }
        let tag = Tag::of(&text.extra);
        let separate = tag.is_some();
        let message = self.message(tag);
        if separate {
            message.settle();
        }
        let growing = message.growing.get_or_insert_with(Growing::default);
        let dropped = growing.add(text);
        if separate {
            let Growing { text: words, annotations, logprobs, .. } =
                message.growing.take().unwrap_or_default();
            item::output_text(element(&mut message.content), &words, &annotations, &logprobs, &text.extra);
        }
        if dropped {
            self.losses.silent("output", "a citation of a document by its place");
        }
        if let Some(blob) = &text.blob {
            let id = self.ids.next("rs_");
            let mut carrier = Vec::new();
            let sealed = Some(item::sealed(blob));
            let reasoning = item::Reasoning { id: &id, sealed, ..item::Reasoning::default() };
            item::reasoning(&mut carrier, &reasoning);
            self.item(&carrier);
        }
    }

    fn refusal(&mut self, refusal: &Refusal) {
        let message = self.message(Tag::of(&refusal.extra));
        message.settle();
        item::refusal(element(&mut message.content), &refusal.text, &refusal.extra);
    }

    fn thinking(&mut self, thinking: &Thinking) {
        let known = self.native && thinking.id.is_some();
        let silent = thinking.summary.is_empty() && thinking.raw.is_empty();
        if silent && thinking.blob.is_none() && !known {
            return;
        }
        let id = self.items.name(&mut self.ids, "rs_", thinking.id.as_deref().filter(|_| self.native));
        let sealed = thinking.blob.as_ref().map(item::sealed);
        let shown: Vec<String> = thinking.summary.iter().chain(&thinking.raw).cloned().collect();
        let (summary, raw) =
            if self.native { (&thinking.summary, thinking.raw.as_slice()) } else { (&shown, &[][..]) };
        let mut written = Vec::new();
        let status = thinking.status.as_deref().filter(|_| self.native);
        let extra = Some(&thinking.extra);
        let reasoning = item::Reasoning { id: &id, summary, raw, sealed, status, extra };
        item::reasoning(&mut written, &reasoning);
        self.item(&written);
    }

    fn call(&mut self, call: &ToolCall) {
        if let Some(blob) = &call.blob {
            // The signature of a call travels in a reasoning item ahead of it.
            let id = self.ids.next("rs_");
            let mut carrier = Vec::new();
            let sealed = Some(item::sealed(blob));
            let reasoning = item::Reasoning { id: &id, sealed, ..item::Reasoning::default() };
            item::reasoning(&mut carrier, &reasoning);
            self.item(&carrier);
        }
        let own = call.item_id.as_deref().filter(|_| self.native);
        let id = self.items.name(&mut self.ids, item::prefix(call.flavour), own);
        let complete = call.status.as_deref() != Some("incomplete");
        let mut call = call.clone();
        // Another vendor's word for who calls means nothing here.
        call.caller.take_if(|_| !self.native);
        if complete && call.flavour != Flavour::Custom && call.arguments.trim().is_empty() {
            "{}".clone_into(&mut call.arguments);
        }
        let mut written = Vec::new();
        let own = call.status.as_deref().filter(|_| self.native);
        item::call(&mut written, &id, &call, own.unwrap_or(Status::of(complete).name()));
        self.item(&written);
    }

    fn server_call(&mut self, call: &ServerCall, later: &[Part]) {
        let result: Option<&ServerResult> = later.iter().find_map(|part| match part {
            Part::ServerResult(result) if result.call_id == call.id => Some(result),
            _ => None,
        });
        if let Some(whole) = item::server_call(call, result, &mut self.ids, &mut self.losses) {
            self.item(&whole.done);
        }
    }
}

impl Message {
    /// Finishes the part that is growing.
    fn settle(&mut self) {
        if let Some(growing) = self.growing.take() {
            let Growing { text, annotations, logprobs, .. } = growing;
            let out = element(&mut self.content);
            item::output_text(out, &text, &annotations, &logprobs, &Extra::default());
        }
    }
}

impl Growing {
    /// Appends a text; `true` if one of its citations cannot be said.
    fn add(&mut self, text: &Text) -> bool {
        let base = self.chars;
        self.text.push_str(&text.text);
        self.chars += text.text.chars().count() as u64;
        let mut dropped = false;
        for citation in &text.citations {
            dropped |= !annotate(&mut self.annotations, citation, base, (base, self.chars));
        }
        if let Some(list) = &text.logprobs {
            append_list(&mut self.logprobs, list);
        }
        dropped
    }
}

/// Appends an annotation to a list. `false` if it cannot be said.
pub(super) fn annotate(list: &mut Vec<u8>, cited: &Citation, base: u64, range: (u64, u64)) -> bool {
    let mut written = Vec::new();
    let said = citation::encode(&mut written, cited, base, range);
    if said {
        element(list).extend_from_slice(&written);
    }
    said
}

/// Appends the elements of a JSON list; anything that is not a list of objects is no log probability of Responses.
pub(super) fn append_list(list: &mut Vec<u8>, json: &Json) {
    let inner = json.get().trim().strip_prefix('[').and_then(|l| l.strip_suffix(']')).map(str::trim);
    if let Some(inner) = inner.filter(|inner| inner.starts_with('{')) {
        element(list).extend_from_slice(inner.as_bytes());
    }
}
