//! A block while it is being read.

use crate::{
    Json,
    ir::{Blob, Delta, Event, Part, PartId, Text, Thinking},
    messages::{
        block, citation,
        fields::Fields,
        surrogate::{Joiner, Piece},
    },
    wire::Str,
};
use serde::Deserialize;
use serde_json::value::RawValue;

/// The delta of a `content_block_delta`.
#[derive(Deserialize)]
pub(in crate::messages) struct WireDelta<'a> {
    #[serde(borrow, default, rename = "type")]
    pub(super) kind: Option<Str<'a>>,
    #[serde(borrow)]
    text: Option<Piece<'a>>,
    #[serde(borrow)]
    thinking: Option<Piece<'a>>,
    #[serde(borrow)]
    partial_json: Option<Piece<'a>>,
    #[serde(borrow)]
    signature: Option<Str<'a>>,
    #[serde(borrow)]
    citation: Option<&'a RawValue>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

impl WireDelta<'_> {
    /// Whether it says something of the input of a call.
    pub(super) fn is_input(&self) -> bool {
        self.partial_json.as_ref().is_some_and(|piece| !piece.is_empty())
    }
}

/// A block that has begun and not ended.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) index: u64,
    pub(super) part: PartId,
    pub(super) body: Body,
    pub(super) joiner: Joiner,
    /// The part as a whole, gathered where the events alone cannot say all of it.
    pub(super) whole: Option<Box<Part>>,
}

/// What the block is.
#[derive(Debug)]
pub(super) enum Body {
    Text,
    Thinking {
        signature: Option<Blob>,
    },
    Call {
        id: String,
        /// Input that stood in the start of the block, used if no delta follows.
        prefilled: String,
        arguments: String,
    },
    /// Held back until its input is known.
    Server {
        fields: Fields,
        input: String,
    },
    /// Held back until its text is known.
    Compaction {
        fields: Fields,
        content: String,
    },
}

impl Open {
    /// Whether nothing was told of it yet.
    pub(super) fn is_held(&self) -> bool {
        matches!(self.body, Body::Server { .. } | Body::Compaction { .. })
    }

    /// Takes a piece.
    pub(super) fn delta(&mut self, wire: WireDelta<'_>, out: &mut Vec<Event>) {
        let delta = match &mut self.body {
            Body::Text => match (wire.text, wire.citation) {
                (Some(piece), _) if !piece.is_empty() => Delta::Text(self.joiner.text(piece)),
                (_, Some(json)) => Delta::Citation(Box::new(citation::read(Json::from(json.to_owned())))),
                _ => return,
            },
            Body::Thinking { signature } => {
                if let Some(text) = wire.signature.filter(|text| !text.is_empty()) {
                    *signature = block::blob_of_vendor(String::from(text));
                }
                match wire.thinking {
                    Some(piece) if !piece.is_empty() => {
                        Delta::Thinking { text: self.joiner.text(piece), paragraph: 0, raw: false }
                    }
                    _ => return,
                }
            }
            Body::Call { arguments, .. } => match wire.partial_json {
                Some(piece) if !piece.is_empty() => {
                    let text = self.joiner.text(piece);
                    arguments.push_str(&text);
                    Delta::Arguments(text)
                }
                _ => return,
            },
            Body::Server { input, .. } => {
                if let Some(piece) = wire.partial_json {
                    input.push_str(&self.joiner.text(piece));
                }
                return;
            }
            Body::Compaction { content, .. } => {
                let text = wire.content.and_then(|json| serde_json::from_str::<String>(json.get()).ok());
                content.push_str(&text.unwrap_or_default());
                return;
            }
        };
        gather(&mut self.whole, &delta);
        out.push(Event::Delta { part: self.part, delta });
    }
}

/// Adds a piece to the whole, where one is gathered.
pub(super) fn gather(whole: &mut Option<Box<Part>>, delta: &Delta) {
    match (whole.as_deref_mut(), delta) {
        (Some(Part::Text(Text { text, .. })), Delta::Text(piece)) => text.push_str(piece),
        (Some(Part::Text(Text { citations, .. })), Delta::Citation(citation)) => {
            citations.push((**citation).clone());
        }
        (Some(Part::Thinking(Thinking { summary, .. })), Delta::Thinking { text, .. }) => {
            if summary.is_empty() {
                summary.push(String::new());
            }
            summary[0].push_str(text);
        }
        (Some(Part::Thinking(thinking)), Delta::Signature(blob)) => thinking.blob = Some(blob.clone()),
        (Some(Part::ToolCall(call)), Delta::Arguments(piece)) => call.arguments.push_str(piece),
        _ => {}
    }
}
