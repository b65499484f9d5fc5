//! A part on its way to one or more blocks.

use super::{Head, Piece, Sink};
use crate::{
    Json,
    ir::{Blob, Delta, Flavour, Part, PartId, ToolCall},
    messages::{citation, encode::write},
};
use byok_types::Dialect;
use serde::de::IgnoredAny;

/// The state of one part.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) part: PartId,
    pub(super) kind: Kind,
    /// Deltas that could not be written yet.
    pub(super) pending: Vec<Delta>,
    pub(super) signature: Option<Blob>,
    pub(super) stopped: bool,
    /// Whether the open block of this slot holds anything.
    pub(super) has_content: bool,
    pub(super) paragraph: u32,
    /// The input of a function so far. What is no object waits until it is whole.
    input: String,
    /// Whether raw reasoning or a summary came first; the other is left out.
    pub(super) raw: Option<bool>,
}

#[derive(Debug)]
pub(super) enum Kind {
    Text,
    Refusal,
    Thinking,
    Redacted,
    Call { id: String, name: String, flavour: Flavour, caller: Option<Json> },
    Whole(Box<Part>),
}

impl Slot {
    /// A slot for a part that begins.
    pub(super) fn new(part: PartId, kind: Kind) -> Self {
        // A part without deltas is told whole when it begins.
        let stopped = matches!(kind, Kind::Whole(_));
        Self {
            part,
            kind,
            pending: Vec::new(),
            signature: None,
            stopped,
            has_content: false,
            paragraph: 0,
            input: String::new(),
            raw: None,
        }
    }

    /// Whether the part has such pieces. Of a summary and the raw reasoning behind it, the one that came first is told.
    pub(super) fn takes(&mut self, delta: &Delta) -> bool {
        match (&self.kind, delta) {
            (Kind::Text | Kind::Refusal, Delta::Text(text) | Delta::Refusal(text))
            | (Kind::Call { .. }, Delta::Arguments(text)) => !text.is_empty(),
            (Kind::Text, Delta::Citation(citation)) => citation::is_sayable(citation),
            (Kind::Thinking, Delta::Thinking { text, raw, .. }) => {
                !text.is_empty() && *self.raw.get_or_insert(*raw) == *raw
            }
            _ => false,
        }
    }

    /// Whether there is something to open a block for.
    pub(super) fn is_ready(&self, hold_calls: bool) -> bool {
        match &self.kind {
            Kind::Text if self.only_signed() => true,
            Kind::Text | Kind::Refusal => self.pending.iter().any(is_text),
            Kind::Thinking => self.pending.iter().any(is_text) || (self.stopped && self.signature.is_some()),
            Kind::Redacted => self.stopped,
            Kind::Call { .. } => self.stopped || !hold_calls,
            Kind::Whole(_) => true,
        }
    }

    /// Whether it is a text without words, which has nothing to tell but its signature.
    pub(super) fn only_signed(&self) -> bool {
        let silent = !self.has_content && !self.pending.iter().any(is_text);
        matches!(self.kind, Kind::Text) && self.stopped && silent && self.signature.is_some()
    }

    pub(super) fn open(&mut self, sink: &mut impl Sink) {
        self.has_content = false;
        match &self.kind {
            Kind::Text | Kind::Refusal => sink.open(&Head::Text),
            Kind::Thinking => sink.open(&Head::Thinking),
            Kind::Call { id, name, caller, .. } => {
                sink.open(&Head::ToolUse { id, name, caller: caller.as_ref() });
            }
            Kind::Redacted | Kind::Whole(_) => {}
        }
    }

    pub(super) fn write(&mut self, delta: &Delta, sink: &mut impl Sink) {
        match (&self.kind, delta) {
            (Kind::Text | Kind::Refusal, Delta::Text(text) | Delta::Refusal(text)) => {
                sink.piece(&Piece::Text(text));
            }
            (Kind::Text, Delta::Citation(citation)) => {
                sink.piece(&Piece::Citation(citation));
            }
            (Kind::Thinking, Delta::Thinking { text, paragraph, .. }) => {
                if *paragraph != self.paragraph && self.has_content {
                    sink.piece(&Piece::Thinking("\n\n"));
                }
                self.paragraph = *paragraph;
                sink.piece(&Piece::Thinking(text));
            }
            (Kind::Call { flavour: Flavour::Custom, .. }, Delta::Arguments(text)) => {
                if !self.has_content {
                    sink.piece(&Piece::Input("{\"input\":\""));
                }
                sink.piece(&Piece::Input(&inside_string(text)));
            }
            (Kind::Call { .. }, Delta::Arguments(text)) => return self.input(text, sink),
            _ => return,
        }
        self.has_content = true;
    }

    fn input(&mut self, text: &str, sink: &mut impl Sink) {
        self.input.push_str(text);
        if self.has_content {
            sink.piece(&Piece::Input(text));
        } else if let object @ [b'{', ..] = self.input.trim_start().as_bytes() {
            let blank = self.input.len() - object.len();
            sink.piece(&Piece::Input(&self.input[blank..]));
            self.has_content = true;
        }
    }

    /// Whether the input of a function is not JSON, so that nobody can run the call.
    pub(super) fn is_broken(&self) -> bool {
        let input = self.input.trim();
        !input.is_empty() && serde_json::from_str::<IgnoredAny>(input).is_err()
    }

    /// Writes what makes the input of a call whole.
    pub(super) fn complete(&self, sink: &mut impl Sink) {
        match (&self.kind, self.has_content) {
            (Kind::Call { flavour: Flavour::Custom, .. }, true) => sink.piece(&Piece::Input("\"}")),
            (Kind::Call { flavour: Flavour::Custom, .. }, false) => {
                sink.piece(&Piece::Input("{\"input\":\"\"}"));
            }
            (Kind::Call { .. }, false) => {
                let mut object = Vec::new();
                write::input(&mut object, &self.input);
                sink.piece(&Piece::Input(&String::from_utf8_lossy(&object)));
            }
            _ => {}
        }
    }
}

/// What a part has beside the members of its deltas.
pub(super) fn members(part: &Part) -> Vec<(String, Json)> {
    let (caller, extra) = match part {
        Part::Text(text) => (None, &text.extra),
        Part::Thinking(thinking) => (None, &thinking.extra),
        Part::ToolCall(call) => (call.caller.clone(), &call.extra),
        _ => return Vec::new(),
    };
    let caller = caller.map(|caller| ("caller".to_owned(), caller));
    caller.into_iter().chain(extra.of(Dialect::Messages).iter().cloned()).collect()
}

/// Whether the piece alone is worth a block; a citation needs text.
fn is_text(delta: &Delta) -> bool {
    !matches!(delta, Delta::Citation(_))
}

/// Text as it stands between the quotes of a JSON string.
fn inside_string(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap_or_default();
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
}

/// Parts that have deltas, told whole all the same, are written as if they had come in pieces.
pub(super) fn unwhole(whole: Box<Part>) -> Kind {
    match *whole {
        Part::Text(_) => Kind::Text,
        Part::Refusal(_) => Kind::Refusal,
        Part::Thinking(thinking) if thinking.redacted => Kind::Redacted,
        Part::Thinking(_) => Kind::Thinking,
        Part::ToolCall(call) => {
            let ToolCall { call_id: id, name, flavour, caller, .. } = call;
            Kind::Call { id, name, flavour, caller }
        }
        other => Kind::Whole(Box::new(other)),
    }
}

pub(super) fn deltas_of(whole: &Part) -> Vec<Delta> {
    match whole {
        Part::Text(text) => {
            let citations = text.citations.iter().map(|c| Delta::Citation(Box::new(c.clone())));
            let signature = text.blob.clone().map(Delta::Signature);
            std::iter::once(Delta::Text(text.text.clone())).chain(citations).chain(signature).collect()
        }
        Part::Refusal(refusal) => vec![Delta::Refusal(refusal.text.clone())],
        Part::Thinking(thinking) => {
            let text = Delta::Thinking { text: thinking.text(), paragraph: 0, raw: false };
            std::iter::once(text).chain(thinking.blob.clone().map(Delta::Signature)).collect()
        }
        Part::ToolCall(call) => {
            let signature = call.blob.clone().map(Delta::Signature);
            signature.into_iter().chain([Delta::Arguments(call.arguments.clone())]).collect()
        }
        _ => Vec::new(),
    }
}
