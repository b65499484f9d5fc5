//! Answers for Gemini clients, event by event.
//!
//! Text goes out as it comes; a call goes out whole when it ends, because the dialect has no pieces of calls. The last
//! chunk is held until `End`: it names the finish reason, without which clients of Google throw, and the whole usage.

mod finish;
mod open;

use super::{failure::write_failure, fields::Fields, output};
use crate::{
    Exchange, Json, Loss, Losses, carrier,
    ir::{Blob, BlobSlot, Delta, Event, Family, Part, PartHead, PartId, Usage},
    media,
    open_parts::OpenParts,
    shown_reasoning::Reasoning,
    wire::write,
};
use byok_types::Dialect;
use finish::Ending;
use open::{Kind, Open};

/// Writes the frames of one stream.
#[derive(Debug)]
pub struct StreamEncoder(Writer);

impl StreamEncoder {
    /// An encoder for the answer to this request: frames of server-sent events, or with `json_array` one JSON array.
    pub fn new(exchange: &Exchange) -> Self {
        let form = if exchange.json_array { Form::Array } else { Form::Frames };
        Self(Writer::new(exchange, form))
    }

    /// Takes one event and appends the bytes that it makes.
    pub fn push(&mut self, event: Event, out: &mut Vec<u8>) {
        self.0.push(event, out);
    }

    /// What could not be said.
    pub fn losses(&self) -> &[Loss] {
        self.0.losses()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Frames,
    Array,
    Whole,
}

/// Writes an answer in any of its forms.
#[derive(Debug)]
pub(super) struct Writer {
    form: Form,
    /// The members that every chunk ends with.
    tail: Vec<u8>,
    /// Whether the upstream speaks Gemini, so that its words can be passed on.
    same: bool,
    account: Option<String>,
    estimate: Option<u64>,
    open: OpenParts<Open>,
    choices: Vec<Choice>,
    usage: Usage,
    envelope: Vec<(String, Json)>,
    written: bool,
    ended: bool,
    losses: Losses,
}

/// One of the answers.
#[derive(Debug, Default)]
struct Choice {
    /// Parts of a whole answer, with commas between them.
    parts: Vec<u8>,
    /// Bytes of visible text so far; grounding counts them.
    text_bytes: usize,
    /// A signature that waits for the next call, or the end of the answer.
    signature: Option<String>,
    /// Whether that is one of hidden reasoning.
    hidden: bool,
    ending: Ending,
}

impl Writer {
    pub(super) fn for_whole(exchange: &Exchange) -> Self {
        Self::new(exchange, Form::Whole)
    }

    fn new(exchange: &Exchange, form: Form) -> Self {
        let mut tail = b",\"modelVersion\":".to_vec();
        write::string(&mut tail, exchange.model.strip_prefix("models/").unwrap_or(&exchange.model));
        tail.extend_from_slice(b",\"responseId\":");
        write::string(&mut tail, &exchange.ids.clone().next(""));
        tail.push(b'}');
        Self {
            form,
            tail,
            same: exchange.upstream == Dialect::Gemini,
            account: exchange.account.clone(),
            estimate: exchange.input_estimate,
            open: OpenParts::default(),
            choices: vec![Choice::default()],
            usage: Usage::default(),
            envelope: Vec::new(),
            written: false,
            ended: false,
            losses: Losses::default(),
        }
    }

    pub(super) fn losses(&self) -> &[Loss] {
        self.losses.list()
    }

    pub(super) fn push(&mut self, event: Event, out: &mut Vec<u8>) {
        if self.ended {
            if matches!(event, Event::End) {
                self.close_array(out);
            }
            return;
        }
        match event {
            Event::Start(_) | Event::Lost(_) | Event::Ping => {}
            Event::PartStart { part, choice, head } => self.start(part, choice as usize, head, out),
            Event::Delta { part, delta } => self.delta(part, delta, out),
            Event::PartStop { part, complete, .. } => self.stop(part, complete, out),
            Event::Usage(usage) => self.usage.merge(&usage),
            Event::Envelope(extra) => self.envelope.extend_from_slice(extra.of(Dialect::Gemini)),
            Event::Finish { choice, stop } => self.choice(choice as usize).ending.stop = Some(stop),
            Event::Failure(failure) => {
                self.ended = true;
                self.frame(out, |out| write_failure(out, &failure, ""));
            }
            Event::End => {
                self.ended = true;
                self.last(out);
                self.close_array(out);
            }
        }
    }

    fn choice(&mut self, index: usize) -> &mut Choice {
        // An absurd index from a broken upstream must not allocate.
        let index = index.min(127);
        if self.choices.len() <= index {
            self.choices.resize_with(index + 1, Choice::default);
        }
        &mut self.choices[index]
    }

    fn start(&mut self, part: PartId, choice: usize, head: PartHead, out: &mut Vec<u8>) {
        self.choice(choice);
        let choice = choice.min(127);
        // A seal stands before the next thought, and hidden reasoning before the words behind it: by its place the client's
        // history tells whose it is.
        let hidden = self.choices[choice].hidden;
        if matches!(head, PartHead::Thinking { .. }) || hidden && matches!(head, PartHead::Text) {
            self.release_signature(choice, out);
        }
        let kind = match head {
            PartHead::Text => Kind::Text { text: String::new(), citations: Vec::new() },
            PartHead::Refusal => Kind::Refusal,
            PartHead::Thinking { .. } => Kind::Thinking(Reasoning::default()),
            PartHead::ToolCall { call_id, name, flavour, .. } => Kind::Call(Box::new(open::Call {
                id: call_id,
                name,
                flavour,
                arguments: String::new(),
                signature: None,
                ended: false,
            })),
            PartHead::Whole(whole) => {
                self.whole(choice, &whole, out);
                Kind::Done
            }
        };
        self.open.push(part, Open { choice, kind });
    }

    fn delta(&mut self, part: PartId, delta: Delta, out: &mut Vec<u8>) {
        let Some(open) = self.open.get_mut(part) else { return };
        let choice = open.choice;
        match (&mut open.kind, delta) {
            (Kind::Text { text, .. }, Delta::Text(piece)) if !piece.is_empty() => {
                text.push_str(&piece);
                self.text(choice, &piece, out);
            }
            (Kind::Refusal, Delta::Refusal(piece) | Delta::Text(piece)) if !piece.is_empty() => {
                self.text(choice, &piece, out);
            }
            (Kind::Thinking(shown), Delta::Thinking { text, paragraph, raw }) => {
                if let Some(text) = shown.next(text, paragraph, raw) {
                    self.part(choice, out, |out| {
                        out.extend_from_slice(b"{\"text\":");
                        write::string(out, &text);
                        out.extend_from_slice(b",\"thought\":true}");
                    });
                }
            }
            (Kind::Call(call), Delta::Arguments(piece)) => call.arguments.push_str(&piece),
            (Kind::Call(call), Delta::Signature(blob)) => call.signature = Some(blob),
            (Kind::Text { .. }, Delta::Signature(blob)) => {
                let signature = self.signature(blob);
                self.signed_text(choice, &signature, out);
            }
            (Kind::Thinking(_), Delta::Signature(blob)) => self.thinking_signature(choice, blob, out),
            (Kind::Text { citations, .. }, Delta::Citation(citation)) => citations.push(*citation),
            (Kind::Text { .. }, Delta::Logprobs(list)) => self.choice(choice).ending.logprobs(&list),
            _ => {}
        }
    }

    fn text(&mut self, choice: usize, piece: &str, out: &mut Vec<u8>) {
        let state = self.choice(choice);
        state.text_bytes += piece.len();
        state.ending.said = true;
        self.part(choice, out, |out| {
            out.extend_from_slice(b"{\"text\":");
            write::string(out, piece);
            out.push(b'}');
        });
    }

    fn signed_text(&mut self, choice: usize, signature: &str, out: &mut Vec<u8>) {
        self.part(choice, out, |out| {
            let mut part = Fields::open(out);
            part.string("text", "");
            part.string("thoughtSignature", signature);
            part.close();
        });
    }

    /// The signature of a thought. Gemini's own stays where it was; sealed reasoning of another vendor travels on the next
    /// call, which clients send back unchanged, or on an empty text at the end.
    fn thinking_signature(&mut self, choice: usize, blob: Blob, out: &mut Vec<u8>) {
        let native = blob.family == Family::Gemini && blob.slot == BlobSlot::Thinking;
        let hidden = blob.slot == BlobSlot::Redacted;
        let signature = self.signature(blob);
        if native {
            self.part(choice, out, |out| {
                let mut part = Fields::open(out);
                part.string("text", "");
                part.value("thought", &true);
                part.string("thoughtSignature", &signature);
                part.close();
            });
            return;
        }
        self.release_signature(choice, out);
        let state = self.choice(choice);
        (state.signature, state.hidden) = (Some(signature), hidden);
    }

    /// Writes the signature that waits for a call, because something comes that it must stand before.
    fn release_signature(&mut self, choice: usize, out: &mut Vec<u8>) {
        if let Some(earlier) = self.choice(choice).signature.take() {
            self.signed_text(choice, &earlier, out);
        }
    }

    /// A blob as a `thoughtSignature`: Gemini's own as it is, others in a carrier. So is what a Gemini model gave by way of
    /// a server of another dialect in that dialect's form: a signature is base64.
    fn signature(&self, blob: Blob) -> String {
        let own = blob.family == Family::Gemini;
        if own && (media::is_base64(&blob.data) || carrier::PLACEHOLDERS.contains(&blob.data.as_str())) {
            return blob.data;
        }
        carrier::wrap_base64(&Blob { account: blob.account.or_else(|| self.account.clone()), ..blob })
    }

    fn stop(&mut self, part: PartId, complete: bool, out: &mut Vec<u8>) {
        if complete && self.waits(part) {
            return;
        }
        let Some(Open { choice, kind }) = self.open.remove(part) else { return };
        let was_call = matches!(kind, Kind::Call(_));
        match kind {
            Kind::Text { text, citations } if !citations.is_empty() => {
                let state = self.choice(choice);
                let from = state.text_bytes.saturating_sub(text.len());
                let lost = state.ending.cite(&text, from, &citations);
                if lost {
                    self.losses.dropped("citations", "Gemini cites web pages only");
                }
            }
            Kind::Call(call) if complete => self.call(choice, *call, out),
            // A call that was cut off must not be run.
            Kind::Call(call) => {
                self.losses.dropped("functionCall", "the upstream cut the call off");
                self.choice(choice).ending.cut = Some(call.name);
            }
            _ => {}
        }
        if was_call {
            self.release(choice, out);
        }
    }

    /// Whether the part is a call that ends while one before it goes on: calls go out in their order, by which clients pair
    /// results with calls of one name.
    fn waits(&mut self, part: PartId) -> bool {
        let Some(Open { choice, kind: Kind::Call(_) }) = self.open.get_mut(part) else { return false };
        let choice = *choice;
        let waits = self.first_call(choice).is_some_and(|first| first != part);
        if let Some(Open { kind: Kind::Call(call), .. }) = self.open.get_mut(part) {
            call.ended = waits;
        }
        waits
    }

    /// The open call of a choice that began first.
    fn first_call(&self, choice: usize) -> Option<PartId> {
        let of_choice = |open: &Open| open.choice == choice && matches!(open.kind, Kind::Call(_));
        self.open.iter().find(|(_, open)| of_choice(open)).map(|(part, _)| part)
    }

    /// Writes the calls that have waited for one before them.
    fn release(&mut self, choice: usize, out: &mut Vec<u8>) {
        while let Some(part) = self.first_call(choice) {
            if !matches!(self.open.get_mut(part), Some(Open { kind: Kind::Call(call), .. }) if call.ended) {
                return;
            }
            if let Some(Open { kind: Kind::Call(call), .. }) = self.open.remove(part) {
                self.call(choice, *call, out);
            }
        }
    }

    fn call(&mut self, choice: usize, call: open::Call, out: &mut Vec<u8>) {
        let Some(arguments) = call.object() else {
            self.choice(choice).ending.malformed = Some(call.name);
            return;
        };
        // Gemini clients send an id back if there is one; those that byok made up for Gemini's own calls are not shown.
        let id = (!(self.same && super::is_made_up(&call.id))).then_some(call.id);
        let own = call.signature.map(|blob| self.signature(blob));
        let same = self.same;
        let state = self.choice(choice);
        let first = !state.ending.called;
        state.ending.said = true;
        state.ending.called = true;
        // Gemini 3 refuses a step whose first call has none, should the conversation go on there.
        let signature = own
            .or_else(|| state.signature.take())
            .or_else(|| (first && !same).then(|| super::NO_SIGNATURE.to_owned()));
        self.part(choice, out, |out| {
            let mut part = Fields::open(out);
            let mut function = Fields::open(part.key("functionCall"));
            function.option("id", id.as_ref());
            function.string("name", &call.name);
            function.json("args", &arguments);
            function.close();
            part.option("thoughtSignature", signature.as_ref());
            part.close();
        });
    }

    /// A part that comes whole.
    fn whole(&mut self, choice: usize, part: &Part, out: &mut Vec<u8>) {
        let mut written = Vec::new();
        let said = output::write(part, &mut written);
        if let (Part::Audio(audio), false) = (part, said) {
            self.losses.dropped("output", "sound without its bytes");
            return self.text(choice, media::sound_in_words(audio), out);
        }
        if !said {
            self.choice(choice).ending.note(part);
        }
        if said {
            self.choice(choice).ending.said = true;
            self.part(choice, out, |out| out.extend_from_slice(&written));
        } else if matches!(part, Part::ServerCall(_) | Part::ServerResult(_)) {
            self.losses.silent("output", "Gemini clients see no such tools of a vendor");
        } else {
            self.losses.dropped("output", "Gemini clients have no part of this kind");
        }
    }

    /// Writes one part: into a chunk of its own, or among the parts of the whole answer.
    fn part(&mut self, choice: usize, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        if self.form == Form::Whole {
            let parts = &mut self.choice(choice).parts;
            if !parts.is_empty() {
                parts.push(b',');
            }
            write(parts);
            return;
        }
        self.begin(out);
        out.extend_from_slice(b"{\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[");
        write(out);
        out.extend_from_slice(b"]},\"index\":");
        write::value(out, &choice);
        out.extend_from_slice(b"}]");
        out.extend_from_slice(&self.tail);
        self.finish_frame(out);
    }

    fn frame(&mut self, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        self.begin(out);
        write(out);
        self.finish_frame(out);
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        let first = !std::mem::replace(&mut self.written, true);
        out.extend_from_slice(match self.form {
            Form::Frames => b"data: ",
            Form::Array if first => b"[",
            Form::Array => b",\r\n",
            Form::Whole => b"",
        });
    }

    fn finish_frame(&self, out: &mut Vec<u8>) {
        if self.form == Form::Frames {
            out.extend_from_slice(b"\r\n\r\n");
        }
    }

    fn close_array(&self, out: &mut Vec<u8>) {
        if self.form == Form::Array {
            out.extend_from_slice(b"]");
        }
    }
}

#[cfg(test)]
mod tests;
