//! From blocks and deltas to events.

use super::{
    WireAnswer,
    open::{Body, Open, WireDelta, gather},
};
use crate::{
    Json, content_id,
    ir::{Delta, Event, Extra, Flavour, Part, PartHead, PartId, Start, Stop, Thinking, ToolCall},
    lenient,
    messages::{
        block,
        fields::Fields,
        object::Object,
        server,
        stop::{self, Calls},
        stream_decode::WireStop,
        surrogate::Joiner,
        usage::Native,
    },
    unfinished::Progress,
    wire::fault::{Fault, Step},
};
use byok_types::Dialect;
use std::collections::HashSet;

/// Blocks that may be open at once; a broken upstream must not make more.
const MOST_OPEN: usize = 256;

/// Reads an answer block by block.
#[derive(Debug, Default)]
pub(in crate::messages) struct Reader {
    id: String,
    started: bool,
    next_part: u32,
    next_index: u64,
    open: Vec<Open>,
    /// Blocks that began and of which no piece is awaited: they came whole, or nobody can read them.
    whole: HashSet<u64>,
    usage: Native,
    stop: Stop,
    calls: Calls,
    envelope: Vec<(String, Json)>,
}

/// A piece without the block that it belongs to.
#[derive(Clone, Copy, Debug)]
pub(in crate::messages) struct Misplaced;

/// The id in the start of a block.
fn id_of(block: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Block {
        id: String,
    }
    serde_json::from_str::<Block>(block).ok().map(|block| block.id)
}

impl Reader {
    /// Takes the message of `message_start`. It holds content and an end already when the vendor resumes a turn in which
    /// its own code has called a tool of the client.
    pub(in crate::messages) fn start(&mut self, message: &str, out: &mut Vec<Event>) {
        let (mut wire, wrong) = lenient::read::<WireAnswer>(message).unwrap_or_default();
        out.extend(lenient::told(wrong, ""));
        let stop = wire.stop();
        let content = wire.content.take();
        let is_first = !self.started;
        self.stop(stop);
        self.begin(wire, out);
        if is_first && let Some(Ok(blocks)) = content.map(|json| json.read::<Vec<Json>>()) {
            self.blocks(&blocks, out);
        }
    }

    /// Blocks that came whole.
    pub(super) fn blocks(&mut self, blocks: &[Json], out: &mut Vec<Event>) {
        for (index, block) in (0..).zip(blocks) {
            self.open(Some(index), block.get(), out);
            self.close(Some(index), out);
        }
    }

    /// Takes the envelope. A second one only adds to the counts.
    pub(super) fn begin(&mut self, wire: WireAnswer, out: &mut Vec<Event>) {
        if !self.started {
            self.started = true;
            self.id = wire.id.clone().unwrap_or_default();
            out.push(Event::Start(Start { id: wire.id, model: wire.model, created: None }));
        }
        self.envelope(wire.extra);
        if let Some(usage) = wire.usage {
            self.usage(usage.get(), out);
        }
    }

    /// Takes unknown members of the envelope; a later value replaces an earlier one.
    pub(in crate::messages) fn envelope(&mut self, fields: Vec<(String, Json)>) {
        // These are said by byok itself, and an answer with an error would be read as one.
        const OWN: [&str; 8] =
            ["id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "error"];
        let is_told = |(name, value): &(String, Json)| !value.is_null() && !OWN.contains(&name.as_str());
        for (name, value) in fields.into_iter().filter(is_told) {
            self.envelope.retain(|(known, _)| *known != name);
            self.envelope.push((name, value));
        }
    }

    /// Takes counts.
    pub(in crate::messages) fn usage(&mut self, usage: &str, out: &mut Vec<Event>) {
        let wrong = self.usage.merge(usage);
        self.ensure_started(out);
        out.extend(lenient::told(wrong, "usage"));
        out.extend(self.usage.usage().map(Event::Usage));
    }

    /// Takes the reason of the end; the last one counts.
    pub(in crate::messages) fn stop(&mut self, wire: WireStop) {
        if let Some(word) = wire.reason {
            self.stop.reason = stop::reason(&word);
            self.stop.word = Some(word);
        }
        self.stop.sequence = wire.sequence.or(self.stop.sequence.take());
        self.stop.details = wire.details.filter(|d| !d.is_null()).or(self.stop.details.take());
        self.envelope(wire.extra);
    }

    /// A block begins.
    pub(in crate::messages) fn open(&mut self, index: Option<u64>, json: &str, out: &mut Vec<Event>) {
        self.ensure_started(out);
        let index = index.unwrap_or(self.next_index);
        self.next_index = index.saturating_add(1);
        if let Some(open) = self.open.iter().find(|open| open.index == index) {
            // A call that begins once more by its own id was sent twice.
            if let Body::Call { id, .. } = &open.body
                && id_of(json).as_ref() == Some(id)
            {
                return;
            }
            self.close(Some(index), out);
        }
        if self.open.len() >= MOST_OPEN {
            let oldest = self.open.remove(0);
            self.settle(oldest, out);
        }
        let Ok(mut fields) = Fields::parse(json).or_else(|wrong| untyped(json).ok_or(wrong)) else {
            out.extend(lenient::told(vec![format!("content[{index}]")], ""));
            return;
        };
        if fields.kind.is_empty() {
            out.extend(lenient::told(vec![format!("content[{index}].type")], ""));
            kind_of(&fields).clone_into(&mut fields.kind);
        }
        self.whole.insert(index);
        match fields.kind.as_str() {
            "server_tool_use" | "mcp_tool_use" => {
                self.hold(index, Body::Server { fields, input: String::new() });
            }
            "compaction" => self.hold(index, Body::Compaction { fields, content: String::new() }),
            _ => {
                let verbatim = fields.clone();
                match block::read_answer(fields).ok().or_else(|| mended(verbatim)) {
                    Some(part) => self.begin_part(index, part, out),
                    None => out.extend(lenient::told(vec![format!("content[{index}]")], "")),
                }
            }
        }
    }

    /// A piece of a block. Fails for a piece of the input of a call that never began or is over: nobody can tell what it was a
    /// piece of, and without it the call would be another one.
    pub(in crate::messages) fn delta(
        &mut self,
        index: Option<u64>,
        delta: WireDelta<'_>,
        out: &mut Vec<Event>,
    ) -> Result<(), Misplaced> {
        let kind = delta.kind.as_deref().unwrap_or_default();
        let place = match index {
            Some(index) => self.open.iter().position(|open| open.index == index),
            None => self.open.len().checked_sub(1),
        };
        let place = match (place, kind) {
            (Some(place), _) => place,
            // Compatible servers forget the start of a block.
            (None, "text_delta" | "thinking_delta") => {
                let block =
                    if kind == "text_delta" { r#"{"type":"text"}"# } else { r#"{"type":"thinking"}"# };
                self.open(index, block, out);
                self.open.len().saturating_sub(1)
            }
            _ if delta.is_input() && index.is_none_or(|index| !self.whole.contains(&index)) => {
                return Err(Misplaced);
            }
            _ => return Ok(()),
        };
        if let Some(open) = self.open.get_mut(place) {
            open.delta(delta, out);
        }
        Ok(())
    }

    /// A block ends.
    pub(in crate::messages) fn close(&mut self, index: Option<u64>, out: &mut Vec<Event>) {
        let place = match index {
            Some(index) => self.open.iter().position(|open| open.index == index),
            None => self.open.len().checked_sub(1),
        };
        if let Some(place) = place {
            let open = self.open.remove(place);
            self.settle(open, out);
        }
    }

    /// A text block that came as plain text.
    pub(super) fn plain(&mut self, text: String, out: &mut Vec<Event>) {
        self.begin_part(0, Part::text(text), out);
        self.close(Some(0), out);
    }

    /// Whether anything of the answer came.
    pub(in crate::messages) fn has_started(&self) -> bool {
        self.started
    }

    /// The vendor said that the answer is whole: everything up to `End`.
    pub(in crate::messages) fn finish(&mut self, out: &mut Vec<Event>) {
        self.ensure_started(out);
        for open in std::mem::take(&mut self.open) {
            self.settle(open, out);
        }
        let mut envelope = std::mem::take(&mut self.envelope);
        let rest = self.usage.take_rest();
        if !rest.is_empty() {
            let mut text = Vec::new();
            let mut object = Object::new(&mut text);
            object.extras(&rest);
            object.end();
            let json = String::from_utf8(text).ok().and_then(|text| Json::parse(text).ok());
            envelope.extend(json.map(|json| ("usage".to_owned(), json)));
        }
        if !envelope.is_empty() {
            out.push(Event::Envelope(Extra::new(Dialect::Messages, envelope)));
        }
        let mut stop = std::mem::take(&mut self.stop);
        stop::agree(&mut stop, self.calls);
        out.push(Event::Finish { choice: 0, stop });
    }

    /// The answer broke off: what is open ends incomplete.
    pub(in crate::messages) fn abandon(&mut self, out: &mut Vec<Event>) {
        for open in std::mem::take(&mut self.open) {
            if !open.is_held() {
                out.push(Event::PartStop { part: open.part, complete: false, whole: None });
            }
        }
    }

    fn ensure_started(&mut self, out: &mut Vec<Event>) {
        if !self.started {
            self.started = true;
            out.push(Event::Start(Start::default()));
        }
    }

    fn next_part(&mut self) -> PartId {
        let part = PartId(self.next_part);
        self.next_part += 1;
        part
    }

    fn hold(&mut self, index: u64, body: Body) {
        // The part gets its name when it is told.
        self.whole.remove(&index);
        self.open.push(Open { index, part: PartId(0), body, joiner: Joiner::default(), whole: None });
    }

    /// Tells the start of a part and whatever of its content is known already.
    fn begin_part(&mut self, index: u64, part: Part, out: &mut Vec<Event>) {
        let name = self.next_part();
        let (head, body, whole, deltas) = match part {
            Part::Text(text) => {
                let whole = (!text.extra.is_empty()).then(|| Box::new(Part::Text(text.clone())));
                let mut deltas = Vec::new();
                if !text.text.is_empty() {
                    deltas.push(Delta::Text(text.text));
                }
                deltas.extend(text.citations.into_iter().map(|c| Delta::Citation(Box::new(c))));
                (PartHead::Text, Body::Text, whole, deltas)
            }
            Part::Thinking(thinking) => {
                let whole = (!thinking.extra.is_empty())
                    .then(|| Box::new(Part::Thinking(Thinking { blob: None, ..thinking.clone() })));
                let head = PartHead::Thinking { id: None, redacted: thinking.redacted };
                let text = thinking.text();
                let delta = Delta::Thinking { text, paragraph: 0, raw: false };
                let deltas = if thinking.summary.is_empty() { Vec::new() } else { vec![delta] };
                (head, Body::Thinking { signature: thinking.blob }, whole, deltas)
            }
            Part::ToolCall(call) => {
                let by_code = call.caller.as_ref().is_some_and(|caller| !caller.get().contains("\"direct\""));
                self.calls = self.calls.max(if by_code { Calls::ByCode } else { Calls::ByModel });
                let call = self.named(index, call);
                let head = PartHead::ToolCall {
                    call_id: call.call_id.clone(),
                    item_id: None,
                    name: call.name.clone(),
                    namespace: None,
                    flavour: Flavour::Function,
                    caller: call.caller.clone(),
                };
                let id = call.call_id.clone();
                let prefilled = call.arguments.clone();
                let whole = (call.caller.is_some() || !call.extra.is_empty())
                    .then(|| Box::new(Part::ToolCall(ToolCall { arguments: String::new(), ..call })));
                (head, Body::Call { id, prefilled, arguments: String::new() }, whole, Vec::new())
            }
            whole => {
                let head = PartHead::Whole(Box::new(whole));
                out.push(Event::PartStart { part: name, choice: 0, head });
                out.push(Event::PartStop { part: name, complete: true, whole: None });
                return;
            }
        };
        out.push(Event::PartStart { part: name, choice: 0, head });
        out.extend(deltas.into_iter().map(|delta| Event::Delta { part: name, delta }));
        self.whole.remove(&index);
        self.open.push(Open { index, part: name, body, joiner: Joiner::default(), whole });
    }

    /// A call as every dialect needs it: with an id and a name.
    fn named(&self, index: u64, mut call: ToolCall) -> ToolCall {
        if call.name.is_empty() {
            call.name = format!("tool_{index}");
        }
        if call.call_id.is_empty() {
            call.call_id = content_id("toolu_", &[&self.id, &index.to_string(), &call.name]);
        }
        call
    }

    /// Tells the end of a part, or the whole of one that was held back.
    fn settle(&mut self, open: Open, out: &mut Vec<Event>) {
        let Open { part, body, mut joiner, mut whole, .. } = open;
        let mut delta = |delta: Delta, whole: &mut Option<Box<Part>>| {
            gather(whole, &delta);
            out.push(Event::Delta { part, delta });
        };
        let left = joiner.finish();
        let complete = match body {
            Body::Text => {
                if !left.is_empty() {
                    delta(Delta::Text(left.to_owned()), &mut whole);
                }
                true
            }
            Body::Thinking { signature } => {
                if !left.is_empty() {
                    delta(Delta::Thinking { text: left.to_owned(), paragraph: 0, raw: false }, &mut whole);
                }
                if let Some(blob) = signature {
                    delta(Delta::Signature(blob), &mut whole);
                }
                true
            }
            Body::Call { prefilled, mut arguments, .. } => {
                let tail = if arguments.is_empty() { prefilled } else { left.to_owned() };
                if !tail.is_empty() {
                    arguments.push_str(&tail);
                    delta(Delta::Arguments(tail), &mut whole);
                }
                // Text that is no JSON at all may be right: the client's tool may take free text.
                !matches!(Progress::of(&arguments), Progress::Begun | Progress::Empty)
            }
            Body::Server { mut fields, input } => {
                if let Ok(input) = Json::parse(input) {
                    fields.set("input", input);
                }
                self.whole(Part::ServerCall(server::call(&fields)), out);
                return;
            }
            Body::Compaction { mut fields, content } => {
                if !content.is_empty() {
                    fields.set("content", Json::string(&content));
                }
                if let Ok(part) = block::read(fields) {
                    self.whole(part, out);
                }
                return;
            }
        };
        out.push(Event::PartStop { part, complete, whole });
    }

    fn whole(&mut self, part: Part, out: &mut Vec<Event>) {
        let name = self.next_part();
        let head = PartHead::Whole(Box::new(part));
        out.push(Event::PartStart { part: name, choice: 0, head });
        out.push(Event::PartStop { part: name, complete: true, whole: None });
    }
}

/// A block whose `type` is no text.
fn untyped(json: &str) -> Option<Fields> {
    let (json, _) = lenient::mended(json, |json| {
        let is_wrong = Fields::parse(json).is_err();
        is_wrong.then(|| Fault { path: vec![Step::Member("type".to_owned())], reason: String::new() })
    })?;
    Fields::parse(&json).ok()
}

/// What a block without a type is, by what it has.
fn kind_of(fields: &Fields) -> &'static str {
    let has = |name: &str| fields.has(name);
    match () {
        () if has("name") && has("input") => "tool_use",
        () if has("thinking") => "thinking",
        () if has("text") => "text",
        () => "",
    }
}

/// A block that lacks a member which requests must have. A call is a call even so; anything else is kept as it is.
fn mended(mut fields: Fields) -> Option<Part> {
    match fields.kind.as_str() {
        "tool_use" => {}
        // Reasoning whose seal is no text cannot be sent back by anybody; a text that is none, and what has no type, cannot be read.
        "thinking" | "redacted_thinking" | "text" | "" => return None,
        _ => return Some(Part::Opaque(fields.verbatim())),
    }
    let mut text = |name: &str| fields.take(name).and_then(|json| json.as_string()).unwrap_or_default();
    let (call_id, name) = (text("id"), text("name"));
    let arguments = fields.take("input").map_or_else(|| "{}".to_owned(), |input| input.get().to_owned());
    Some(Part::ToolCall(ToolCall { call_id, name, arguments, extra: fields.extra(), ..ToolCall::default() }))
}
