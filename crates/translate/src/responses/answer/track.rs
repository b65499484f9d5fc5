//! What has been seen of the items of an answer.

use crate::{
    Json,
    ir::{Delta, Event, Flavour, PartId, ToolCall},
};
use serde_json::Value;

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

/// How much of a text has been said, and its hash instead of the text: an answer may be long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub(super) length: usize,
    hash: u64,
}

impl Default for Told {
    fn default() -> Self {
        Self { length: 0, hash: 0xcbf2_9ce4_8422_2325 }
    }
}

impl Told {
    /// Takes note of a piece (FNV-1a: it does not matter how a text was cut).
    pub(super) fn push(&mut self, piece: &str) {
        self.length += piece.len();
        self.hash = piece
            .bytes()
            .fold(self.hash, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    }

    /// What the whole text has beyond what was said. A whole that is empty was not stated.
    pub(super) fn rest<'t>(&self, whole: &'t str) -> Result<&'t str, Contradiction> {
        if whole.is_empty() {
            return Ok("");
        }
        let (said, rest) = whole.split_at_checked(self.length).ok_or(Contradiction)?;
        let mut same = Self::default();
        same.push(said);
        if same.hash == self.hash { Ok(rest) } else { Err(Contradiction) }
    }
}

/// A whole that does not begin with what was said of it. What was said cannot be taken back, and stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Contradiction;

/// A part of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spoken {
    pub(super) index: u64,
    pub(super) part: PartId,
    pub(super) open: bool,
    pub(super) told: Told,
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
    /// What was said of the paragraph that came last, and which one that is.
    last: Option<(bool, u64, Told)>,
}

impl Reasoned {
    /// The number of a paragraph, counted from 0 without gaps.
    pub(super) fn paragraph(&mut self, raw: bool, index: u64) -> u32 {
        let list = if raw { &mut self.raw } else { &mut self.summary };
        let known = list.iter().position(|known| *known == index);
        let at = known.unwrap_or_else(|| {
            list.push(index);
            list.len() - 1
        });
        if known.is_none() {
            self.last = Some((raw, index, Told::default()));
        } else if self.last.is_some_and(|(last_raw, last, _)| (last_raw, last) != (raw, index)) {
            // A paragraph that goes on behind another one: what it lacks has no place any more.
            self.last = None;
        }
        u32::try_from(at).unwrap_or(u32::MAX)
    }

    /// Takes note of a piece of the paragraph that was asked for last.
    pub(super) fn push(&mut self, text: &str) {
        self.length += text.len();
        if let Some((.., told)) = &mut self.last {
            told.push(text);
        }
    }

    /// What of this paragraph was not said. Only the one that came last can go on.
    pub(super) fn rest<'t>(&self, raw: bool, index: u64, whole: &'t str) -> Result<&'t str, Contradiction> {
        match &self.last {
            Some((last_raw, last, told)) if (*last_raw, *last) == (raw, index) => told.rest(whole),
            _ if (if raw { &self.raw } else { &self.summary }).contains(&index) => Ok(""),
            _ => Ok(whole),
        }
    }

    /// What of the whole was not said: the rest of the paragraph that came last, and the paragraphs behind it.
    pub(super) fn rest_of_all<'t>(
        &self,
        summary: &'t [String],
        raw: &'t [String],
    ) -> Result<Vec<(bool, u64, &'t str)>, Contradiction> {
        let Some((is_raw, index, told)) = self.last else { return Ok(Vec::new()) };
        let (known, whole) = if is_raw { (&self.raw, raw) } else { (&self.summary, summary) };
        let Some(last) = whole.get(known.len() - 1) else { return Ok(Vec::new()) };
        let mut rest = vec![(is_raw, index, told.rest(last)?)];
        // The upstream numbers them as it likes.
        let next = known.iter().max().map_or(0, |last| last.saturating_add(1));
        let behind = (0..).map(|step| next.saturating_add(step)).zip(&whole[known.len()..]);
        rest.extend(behind.map(|(index, text)| (is_raw, index, text.as_str())));
        rest.retain(|(.., text)| !text.is_empty());
        Ok(rest)
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
    /// Arguments that came before the name, or that cannot be the beginning of arguments: a piece before them is missing.
    pub(super) held: String,
    /// The arguments that were said.
    pub(super) told: String,
    /// Whether the arguments were said to be complete.
    pub(super) whole: bool,
}

impl Called {
    /// Whether arguments came.
    pub(super) fn has_arguments(&self) -> bool {
        !self.told.is_empty() || !self.held.is_empty()
    }

    /// Whether a piece of the arguments can be said at once. Those of a function are an object: what begins otherwise waits
    /// for the whole, because nothing can be taken back.
    pub(super) fn goes_on(&self, piece: &str) -> bool {
        let held = self.held.trim_ascii_start();
        let first = held.bytes().next().or_else(|| piece.trim_ascii_start().bytes().next());
        self.flavour == Flavour::Custom || !self.told.is_empty() || first == Some(b'{')
    }

    /// What the whole arguments have beyond what was said. The same value in another spelling is no contradiction.
    pub(super) fn rest<'t>(&self, whole: &'t str) -> Result<&'t str, Contradiction> {
        if let Some(rest) = whole.strip_prefix(&self.told) {
            return Ok(rest);
        }
        let read = |text: &str| serde_json::from_str::<Value>(text).ok();
        let is_same = whole.is_empty() || read(&self.told).is_some_and(|said| read(whole) == Some(said));
        if is_same { Ok("") } else { Err(Contradiction) }
    }

    /// Whether the whole arguments, which contradict what was said, are those of another call: a piece was lost. Where what was
    /// said can be run and the whole cannot or is empty, the whole says nothing.
    pub(super) fn is_another_call(&self, whole: &str) -> bool {
        let read = |text: &str| serde_json::from_str::<serde_json::Map<String, Value>>(text).ok();
        let says = |text: &str| read(text).is_some_and(|members| !members.is_empty());
        self.flavour == Flavour::Custom || read(&self.told).is_none() || says(whole)
    }

    /// Says the arguments that were held.
    pub(super) fn say_held(&mut self, part: PartId, out: &mut Vec<Event>) {
        let held = std::mem::take(&mut self.held);
        if !held.is_empty() {
            self.told.push_str(&held);
            out.push(Event::Delta { part, delta: Delta::Arguments(held) });
        }
    }
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

    /// Whether it is a message that may still say its first word.
    pub(super) fn is_silent(&self) -> bool {
        !self.done && matches!(&self.said, Said::Message(message) if message.spoken.is_empty())
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
