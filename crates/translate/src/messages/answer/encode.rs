//! Writing of whole answers.

use crate::{
    Exchange, Json, Translated,
    ir::{Event, Response, unfold},
    messages::{
        citation,
        encode::write::input,
        fields::Fields,
        object::Object,
        stop,
        stream_encode::Envelope,
        writer::{Head, Piece, Sink, Writer},
    },
};
use byok_types::Dialect;

/// Writes a whole answer.
pub fn encode_answer(response: &Response, exchange: &Exchange) -> Translated<Vec<u8>> {
    let mut writer = Writer::new(exchange);
    let mut envelope = Envelope::new(exchange);
    let mut sink = Blocks::default();
    for event in unfold(response) {
        match event {
            Event::Delta { part, delta } => writer.delta(part, delta, &mut sink),
            Event::PartStart { part, choice, head } => writer.start(part, choice, head, &mut sink),
            Event::PartStop { part, whole, .. } => writer.stop(part, whole.as_deref(), &mut sink),
            Event::Start(start) => envelope.take_id(start.id),
            Event::Usage(usage) => envelope.usage = usage,
            Event::Envelope(extra) => envelope.extra = extra,
            Event::Finish { choice: 0, stop } => envelope.stop = Some(stop),
            Event::Finish { .. } | Event::Failure(_) | Event::Lost(_) | Event::Ping => {}
            Event::End => writer.finish(&mut sink),
        }
    }
    let stop = envelope.settle(&writer);
    let mut out = Vec::with_capacity(sink.out.len() + 512);
    let mut object = Object::new(&mut out);
    object.string("id", &envelope.id);
    object.string("type", "message");
    object.string("role", "assistant");
    object.string("model", &envelope.model);
    let content = object.key("content");
    content.push(b'[');
    content.extend_from_slice(&sink.out);
    content.push(b']');
    stop::write(&mut object, &stop, envelope.native);
    for (name, value) in envelope.extra.of(Dialect::Messages).iter().filter(|(name, _)| name != "usage") {
        object.json(name, value);
    }
    envelope.usage(object.key("usage"));
    object.end();
    writer.losses.attach(out)
}

/// Blocks as a list of JSON objects.
#[derive(Default)]
struct Blocks {
    out: Vec<u8>,
    /// The beginning of the open block, without its closing brace.
    head: Open,
    /// Text, thinking or input so far.
    text: String,
    signature: Option<String>,
    citations: Vec<u8>,
    members: Vec<(String, Json)>,
}

#[derive(Default)]
enum Open {
    #[default]
    Nothing,
    Text,
    Thinking,
    ToolUse {
        id: String,
        name: String,
    },
    Whole(Vec<u8>),
}

impl Sink for Blocks {
    fn open(&mut self, head: &Head<'_>) {
        self.head = match head {
            Head::Text => Open::Text,
            Head::Thinking => Open::Thinking,
            Head::Redacted(data) => {
                let mut block = Vec::new();
                let mut object = Object::typed(&mut block, "redacted_thinking");
                object.string("data", data);
                object.end();
                Open::Whole(block)
            }
            Head::ToolUse { id, name, .. } => {
                Open::ToolUse { id: (*id).to_owned(), name: (*name).to_owned() }
            }
            Head::Whole(json) => Open::Whole(json.to_vec()),
        };
    }

    fn piece(&mut self, piece: &Piece<'_>) {
        match piece {
            Piece::Text(text) | Piece::Thinking(text) | Piece::Input(text) => self.text.push_str(text),
            Piece::Signature(text) => self.signature = Some((*text).to_owned()),
            Piece::Members(members) => self.members = members.to_vec(),
            Piece::Citation(citation) => {
                if !self.citations.is_empty() {
                    self.citations.push(b',');
                }
                citation::write(&mut self.citations, citation);
            }
        }
    }

    fn close(&mut self) {
        let text = std::mem::take(&mut self.text);
        let signature = self.signature.take();
        let citations = std::mem::take(&mut self.citations);
        let members = std::mem::take(&mut self.members);
        if !self.out.is_empty() {
            self.out.push(b',');
        }
        match std::mem::take(&mut self.head) {
            Open::Text => {
                let mut object = Object::typed(&mut self.out, "text");
                object.string("text", &text);
                if !citations.is_empty() {
                    let list = object.key("citations");
                    list.push(b'[');
                    list.extend_from_slice(&citations);
                    list.push(b']');
                }
                object.extras(&members);
                object.end();
            }
            Open::Thinking => {
                let mut object = Object::typed(&mut self.out, "thinking");
                object.string("thinking", &text);
                // An empty signature is worse than none: clients would send it back.
                object.some("signature", signature.as_ref());
                object.extras(&members);
                object.end();
            }
            Open::ToolUse { id, name } => {
                let mut object = Object::typed(&mut self.out, "tool_use");
                object.string("id", &id);
                object.string("name", &name);
                input(object.key("input"), &text);
                object.extras(&members);
                object.end();
            }
            Open::Whole(block) => self.whole(&block, text),
            Open::Nothing => {}
        }
    }
}

impl Blocks {
    /// A block that came whole; the input of a vendor's tool came apart from it.
    fn whole(&mut self, block: &[u8], input: String) {
        let input = Json::parse(input).ok();
        let fields = std::str::from_utf8(block).ok().and_then(|text| Fields::parse(text).ok());
        match (input, fields) {
            (Some(input), Some(mut fields)) => {
                fields.set("input", input);
                crate::wire::write::json(&mut self.out, &fields.verbatim().json);
            }
            _ => self.out.extend_from_slice(block),
        }
    }
}
