//! What has been seen of the items of an answer.

use crate::{
    Json,
    ir::{Flavour, PartId, ToolCall},
};

/// The kinds of items that are streamed in pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Message,
    Reasoning,
    Call(Flavour),
    /// An item that is only taken whole.
    Other,
}

/// An item of the answer.
#[derive(Debug)]
pub(super) struct Tracked {
    /// Its id, empty if it has none.
    pub(super) id: String,
    /// The id of the call, empty if it is none.
    pub(super) call_id: String,
    /// Its place in the output, if stated.
    pub(super) index: Option<u64>,
    /// Whether it is complete.
    pub(super) done: bool,
    /// Whether it is known only from its pieces.
    pub(super) guessed: bool,
    pub(super) said: Said,
}

#[derive(Debug)]
pub(super) enum Said {
    Message(Message),
    Reasoning(Reasoned),
    Call(Box<Called>),
    Other,
}

#[derive(Debug, Default)]
pub(super) struct Message {
    /// Parts by their place.
    pub(super) spoken: Vec<Spoken>,
    /// Id and phase.
    pub(super) tag: Option<Json>,
}

/// A part of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spoken {
    pub(super) index: u64,
    pub(super) part: PartId,
    pub(super) open: bool,
    /// Bytes said so far.
    pub(super) length: usize,
    /// Citations said so far.
    pub(super) citations: usize,
}

#[derive(Debug, Default)]
pub(super) struct Reasoned {
    pub(super) id: Option<String>,
    pub(super) part: Option<PartId>,
    /// Bytes said so far.
    pub(super) length: usize,
    /// Vendor's indexes of the paragraphs, in the order in which they came.
    summary: Vec<u64>,
    raw: Vec<u64>,
}

impl Reasoned {
    /// The number of a paragraph, counted from 0 without gaps.
    pub(super) fn paragraph(&mut self, raw: bool, index: u64) -> u32 {
        let list = if raw { &mut self.raw } else { &mut self.summary };
        let at = list.iter().position(|known| *known == index).unwrap_or_else(|| {
            list.push(index);
            list.len() - 1
        });
        u32::try_from(at).unwrap_or(u32::MAX)
    }

    /// Whether anything of this paragraph was said.
    pub(super) fn has(&self, raw: bool, index: u64) -> bool {
        let list = if raw { &self.raw } else { &self.summary };
        list.contains(&index)
    }
}

#[derive(Debug, Default)]
pub(super) struct Called {
    pub(super) flavour: Flavour,
    pub(super) part: Option<PartId>,
    /// The call as the first event had it.
    pub(super) call: ToolCall,
    /// Arguments that the first event had; by the book there are none.
    pub(super) early: String,
    /// Arguments that came before the name.
    pub(super) held: String,
    /// Bytes of arguments so far.
    pub(super) length: usize,
    /// Whether the arguments were said to be complete.
    pub(super) whole: bool,
}

impl Tracked {
    pub(super) fn new(kind: Kind, index: Option<u64>) -> Self {
        let said = match kind {
            Kind::Message => Said::Message(Message::default()),
            Kind::Reasoning => Said::Reasoning(Reasoned::default()),
            Kind::Call(flavour) => Said::Call(Box::new(Called { flavour, ..Called::default() })),
            Kind::Other => Said::Other,
        };
        Self { id: String::new(), call_id: String::new(), index, done: false, guessed: false, said }
    }

    pub(super) fn kind(&self) -> Kind {
        match &self.said {
            Said::Message(_) => Kind::Message,
            Said::Reasoning(_) => Kind::Reasoning,
            Said::Call(called) => Kind::Call(called.flavour),
            Said::Other => Kind::Other,
        }
    }
}
