//! Tool calls of an answer, put together from their pieces.
//!
//! The type says: the first piece of a call has its index, id and name, later ones the index and more of the arguments. Servers
//! leave out the id or the index, give every call the index 0, repeat ids and names on every piece, send whole calls in one
//! piece, arguments as an object, or all arguments once more at the end.

use crate::{
    chat::{
        chunk::CallPiece,
        loose::{Halves, filled, input, number},
        thought,
    },
    content_id,
    ir::{Blob, Flavour, PartId},
    unfinished::Progress,
};
use std::collections::HashMap;

/// Most calls of one answer: a broken server must not make byok hold more. What follows is cut off, and said to be.
const MOST: usize = 16_384;

/// One call.
#[derive(Debug, Default)]
pub(super) struct Slot {
    index: Option<u64>,
    id: Option<String>,
    pub(super) name: String,
    pub(super) flavour: Flavour,
    pub(super) arguments: String,
    /// How much of the arguments has been told.
    pub(super) told: usize,
    pub(super) part: Option<PartId>,
    pub(super) closed: bool,
    /// Whether it waits in `unchecked`.
    unchecked: bool,
    pub(super) blob: Option<Blob>,
    halves: Halves,
}

impl Slot {
    pub(super) fn progress(&self) -> Progress {
        if self.flavour == Flavour::Custom {
            return Progress::Whole;
        }
        Progress::of(&self.arguments)
    }

    /// The id of the call; one that follows from the answer and the place of the call where the server gave none.
    pub(super) fn call_id(&self, answer: &str, choice: u32, place: usize) -> String {
        self.id.clone().unwrap_or_else(|| {
            content_id("call_", &[answer, &choice.to_string(), &place.to_string(), &self.name])
        })
    }

    /// Whether it never got a name, although there is something to it.
    pub(super) fn is_nameless(&self) -> bool {
        self.name.is_empty() && (self.id.is_some() || !self.arguments.is_empty())
    }

    fn is_whole(&self) -> bool {
        self.flavour == Flavour::Function && self.progress() == Progress::Whole
    }
}

/// The calls of one choice.
#[derive(Debug, Default)]
pub(super) struct Calls {
    pub(super) slots: Vec<Slot>,
    /// The ones that something may have to be told of: the cost of a piece must not grow with the calls before it.
    fresh: Vec<usize>,
    /// The ones that grew since it was last asked whether they are whole.
    unchecked: Vec<usize>,
    /// Whether there were more calls than byok holds.
    pub(super) overflow: bool,
    /// The last call of an id, and of an index: an answer may have thousands.
    by_id: HashMap<String, usize>,
    by_index: HashMap<u64, usize>,
}

impl Calls {
    /// Takes one piece of a call. `place` is its place in the list of a whole message, where each entry is a call of its own.
    pub(super) fn push(&mut self, piece: &CallPiece<'_>, place: Option<u64>) {
        let inner = piece.custom.as_ref().or(piece.function.as_ref());
        let name = inner.and_then(|f| filled(f.name)).or_else(|| filled(piece.name));
        let raw = inner.and_then(|f| f.arguments.or(f.input)).or(piece.arguments);
        let more = input(raw);
        let id = filled(piece.id);
        let index = place.or_else(|| number(piece.index));
        let Some(place) = self.place(index, id.as_deref(), name.as_deref(), &more) else {
            self.overflow = true;
            return;
        };
        self.fresh.push(place);
        let slot = &mut self.slots[place];
        if slot.id.is_none() {
            if let Some(id) = &id {
                self.by_id.insert(id.to_string(), place);
            }
            slot.id = id.map(Into::into);
        }
        if piece.custom.is_some() || filled(piece.r#type).as_deref() == Some("custom") {
            slot.flavour = Flavour::Custom;
        }
        if let Some(name) = name {
            // A name that comes in pieces comes before the arguments; the same name again says nothing new. Only a call
            // that has no name yet takes one behind them.
            let awaited = slot.name.is_empty() || slot.arguments.is_empty();
            if slot.name != *name && slot.part.is_none() && awaited {
                slot.name.push_str(&name);
            }
        }
        if slot.blob.is_none() {
            slot.blob = piece.extra_content.and_then(thought::signature);
        }
        let repeated = more.starts_with('{') && *more == slot.arguments && slot.is_whole();
        if !repeated && !slot.closed {
            let text =
                raw.filter(|raw| raw.get().starts_with('"')).and_then(|raw| slot.halves.join(Some(raw)));
            slot.arguments.push_str(&text.unwrap_or(more));
        }
    }

    /// No piece follows: half of a character stays half.
    pub(super) fn settle_halves(&mut self) {
        for slot in self.slots.iter_mut().filter(|slot| !slot.closed) {
            slot.arguments.extend(slot.halves.rest());
        }
    }

    /// The slot that a piece belongs to; a new one for a new call.
    fn place(
        &mut self,
        index: Option<u64>,
        id: Option<&str>,
        name: Option<&str>,
        more: &str,
    ) -> Option<usize> {
        let latest = |index: Option<u64>| match index {
            Some(_) if self.slots.last().is_some_and(|slot| slot.index == index) => {
                self.slots.len().checked_sub(1)
            }
            Some(index) => self.by_index.get(&index).copied(),
            None => self.slots.len().checked_sub(1),
        };
        let in_place = latest(index);
        let found = match id {
            None => in_place.filter(|at| !self.begins_again(*at, name, more)),
            Some(id) => {
                let own = in_place.filter(|at| self.slots[*at].id.as_deref() == Some(id));
                // A call in another place is another one even if a server gives both the same id. Without a name nothing begins.
                let known = own.or_else(|| {
                    let same =
                        |at: &usize| name.is_none() || index.is_none() || self.slots[*at].index == index;
                    self.by_id.get(id).copied().filter(same)
                });
                // A new id is a new call, unless the call has been waiting for its id.
                let waits = in_place.filter(|at| index.is_some() && self.slots[*at].id.is_none());
                match known {
                    Some(known) => Some(known).filter(|at| !self.shares_its_id(*at, name, more)),
                    None => waits.filter(|at| !self.begins_again(*at, name, more)),
                }
            }
        };
        if found.is_some() || self.slots.len() >= MOST {
            return found;
        }
        if let Some(index) = index {
            self.by_index.insert(index, self.slots.len());
        }
        // A call behind it makes the name of the last one certain.
        self.fresh.extend(self.slots.len().checked_sub(1));
        self.slots.push(Slot { index, ..Slot::default() });
        Some(self.slots.len() - 1)
    }

    /// The calls that something may have to be told of, in their order; at the end of the answer that is all of them.
    pub(super) fn take_fresh(&mut self, over: bool) -> Vec<usize> {
        let mut fresh = std::mem::take(&mut self.fresh);
        if over {
            return (0..self.slots.len()).collect();
        }
        fresh.sort_unstable();
        fresh.dedup();
        fresh
    }

    /// All that came of this call has been told: it may be whole now.
    pub(super) fn grew(&mut self, place: usize) {
        if !std::mem::replace(&mut self.slots[place].unchecked, true) {
            self.unchecked.push(place);
        }
    }

    /// The calls before `end` that grew since this was last asked.
    pub(super) fn grown(&mut self, end: usize) -> Vec<usize> {
        let (mut grown, rest): (Vec<_>, Vec<_>) = self.unchecked.drain(..).partition(|place| *place < end);
        self.unchecked = rest;
        grown.sort_unstable();
        for place in &grown {
            self.slots[*place].unchecked = false;
        }
        grown
    }

    /// Whether a piece with a name begins another call rather than continuing the one at `at`.
    fn begins_again(&self, at: usize, name: Option<&str>, more: &str) -> bool {
        let (slot, Some(name)) = (&self.slots[at], name) else { return false };
        if slot.name.is_empty() || (slot.arguments.is_empty() && slot.part.is_none() && slot.index.is_some())
        {
            return false;
        }
        let replayed = name == slot.name && (more.is_empty() || more == slot.arguments);
        !replayed && (name != slot.name || slot.is_whole())
    }

    /// Whether a piece with the id of the call at `at` begins another one: under another name, or with arguments from the
    /// start where the call has all of its own.
    fn shares_its_id(&self, at: usize, name: Option<&str>, more: &str) -> bool {
        let (slot, Some(name)) = (&self.slots[at], name) else { return false };
        if slot.name.is_empty() || slot.arguments.is_empty() {
            return false;
        }
        name != slot.name || (more.starts_with('{') && more != slot.arguments && slot.is_whole())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collected(pieces: &[&str]) -> Vec<(Option<String>, String, String)> {
        let mut calls = Calls::default();
        for piece in pieces {
            calls.push(&serde_json::from_str(piece).unwrap(), None);
        }
        calls.slots.into_iter().map(|slot| (slot.id, slot.name, slot.arguments)).collect()
    }

    type Call = (Option<&'static str>, &'static str, &'static str);
    const AB: &[Call] = &[(Some("a"), "f", r#"{"x":1}"#), (Some("b"), "g", "{}")];
    const SHARED: &[Call] = &[(Some("a"), "f", r#"{"p":1}"#), (Some("a"), "g", r#"{"q":2}"#)];
    const NO_IDS: &[Call] = &[(None, "f", r#"{"x":1}"#), (None, "g", "{}")];

    const CASES: &[(&str, &[&str], &[Call])] = &[
        (
            "as the type says",
            &[
                r#"{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}"#,
                r#"{"index":0,"function":{"arguments":"{\"x\":"}}"#,
                r#"{"index":0,"function":{"arguments":"1}"}}"#,
                r#"{"index":1,"id":"b","function":{"name":"g","arguments":"{}"}}"#,
            ],
            AB,
        ),
        (
            "interleaved",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f"}}"#,
                r#"{"index":1,"id":"b","function":{"name":"g"}}"#,
                r#"{"index":0,"function":{"arguments":"{\"x\":"}}"#,
                r#"{"index":1,"function":{"arguments":"{}"}}"#,
                r#"{"index":0,"function":{"arguments":"1}"}}"#,
            ],
            AB,
        ),
        (
            "every index is 0",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}"#,
                r#"{"index":0,"id":"b","function":{"name":"g","arguments":"{}"}}"#,
            ],
            AB,
        ),
        (
            "id repeated on every piece",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":"}}"#,
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"1}"}}"#,
                r#"{"index":0,"id":"b","function":{"name":"g","arguments":"{}"}}"#,
            ],
            AB,
        ),
        (
            "empty ids and names on later pieces",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":"}}"#,
                r#"{"index":0,"id":"","function":{"name":"","arguments":"1}"}}"#,
                r#"{"index":1,"id":"b","function":{"name":"g","arguments":{}}}"#,
            ],
            AB,
        ),
        (
            "no index, ids only at the start",
            &[
                r#"{"id":"a","function":{"name":"f","arguments":"{\"x\":"}}"#,
                r#"{"function":{"arguments":"1}"}}"#,
                r#"{"id":"b","function":{"name":"g","arguments":"{}"}}"#,
            ],
            AB,
        ),
        (
            "no ids",
            &[
                r#"{"index":0,"function":{"name":"f","arguments":"{\"x\":1}"}}"#,
                r#"{"index":1,"function":{"name":"g","arguments":"{}"}}"#,
            ],
            NO_IDS,
        ),
        (
            "no ids and every index is 0",
            &[
                r#"{"index":0,"function":{"name":"f","arguments":"{\"x\":1}"}}"#,
                r#"{"index":0,"function":{"name":"g","arguments":"{}"}}"#,
            ],
            NO_IDS,
        ),
        (
            "neither id nor index, arguments as objects",
            &[
                r#"{"function":{"name":"f","arguments":{"x":1}}}"#,
                r#"{"function":{"name":"g","arguments":{}}}"#,
            ],
            NO_IDS,
        ),
        (
            "the same tool twice without id or index",
            &[
                r#"{"function":{"name":"f","arguments":"{\"x\":1}"}}"#,
                r#"{"function":{"name":"f","arguments":"{\"x\":2}"}}"#,
            ],
            &[(None, "f", r#"{"x":1}"#), (None, "f", r#"{"x":2}"#)],
        ),
        (
            "id, then name, then arguments",
            &[
                r#"{"index":0,"id":"a"}"#,
                r#"{"index":0,"function":{"name":"f"}}"#,
                r#"{"index":0,"function":{"arguments":"{}"}}"#,
            ],
            &[(Some("a"), "f", "{}")],
        ),
        (
            "arguments before the name, id last",
            &[
                r#"{"index":0,"function":{"arguments":"{"}}"#,
                r#"{"index":0,"id":"a","function":{"arguments":"}"}}"#,
            ],
            &[(Some("a"), "", "{}")],
        ),
        (
            "arguments before the name",
            &[
                r#"{"index":0,"id":"a","function":{"arguments":"{\"x\""}}"#,
                r#"{"index":0,"function":{"name":"f"}}"#,
                r#"{"index":0,"function":{"arguments":":1}"}}"#,
                r#"{"index":1,"id":"b","function":{"arguments":"{}"}}"#,
                r#"{"index":1,"id":"b","function":{"name":"g","arguments":""}}"#,
            ],
            AB,
        ),
        (
            "one id for two calls, each in its place",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":""}}"#,
                r#"{"index":1,"id":"a","function":{"name":"g","arguments":""}}"#,
                r#"{"index":0,"function":{"arguments":"{\"p\":"}}"#,
                r#"{"index":1,"id":"a","function":{"arguments":"{\"q\":2}"}}"#,
                r#"{"index":0,"id":"a","function":{"arguments":"1}"}}"#,
            ],
            SHARED,
        ),
        (
            "one id and one index for two calls",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"p\":1}"}}"#,
                r#"{"index":0,"id":"a","function":{"name":"g","arguments":"{\"q\":"}}"#,
                r#"{"index":0,"id":"a","function":{"name":"g","arguments":"2}"}}"#,
            ],
            SHARED,
        ),
        (
            "one id for two calls without an index",
            &[
                r#"{"id":"a","function":{"name":"f","arguments":{"p":1}}}"#,
                r#"{"id":"a","function":{"name":"g","arguments":{"q":2}}}"#,
            ],
            SHARED,
        ),
        (
            "the name of the tool as the id of each of its calls",
            &[
                r#"{"index":0,"id":"f","function":{"name":"f","arguments":"{\"p\":1}"}}"#,
                r#"{"index":1,"id":"f","function":{"name":"f","arguments":"{\"p\":2}"}}"#,
                r#"{"index":1,"id":"f","function":{"name":"f","arguments":"{\"p\":3}"}}"#,
            ],
            &[(Some("f"), "f", r#"{"p":1}"#), (Some("f"), "f", r#"{"p":2}"#), (Some("f"), "f", r#"{"p":3}"#)],
        ),
        (
            "every index is 0, and interleaved",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":"}}"#,
                r#"{"index":0,"id":"b","function":{"name":"g","arguments":"{"}}"#,
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"1}"}}"#,
                r#"{"index":0,"id":"b","function":{"arguments":"}"}}"#,
            ],
            AB,
        ),
        (
            "another index on every piece",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":"}}"#,
                r#"{"index":1,"id":"a","function":{"arguments":"1}"}}"#,
                r#"{"index":2,"id":"b","function":{"name":"g","arguments":"{}"}}"#,
            ],
            AB,
        ),
        (
            "a name in pieces",
            &[
                r#"{"index":0,"id":"a","function":{"name":"get_"}}"#,
                r#"{"index":0,"function":{"name":"time","arguments":""}}"#,
                r#"{"index":0,"function":{"arguments":"{}"}}"#,
            ],
            &[(Some("a"), "get_time", "{}")],
        ),
        (
            "all arguments once more at the end",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\""}}"#,
                r#"{"index":0,"function":{"arguments":":1}"}}"#,
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}"#,
            ],
            &[(Some("a"), "f", r#"{"x":1}"#)],
        ),
        ("flat", &[r#"{"id":"a","type":"function","name":"f","arguments":"{}"}"#], &[(Some("a"), "f", "{}")]),
        (
            "custom",
            &[
                r#"{"index":0,"id":"a","type":"custom","custom":{"name":"p","input":""}}"#,
                r#"{"index":0,"custom":{"input":"{x"}}"#,
            ],
            &[(Some("a"), "p", "{x")],
        ),
        (
            "a character cut in two",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":\"\ud83d"}}"#,
                r#"{"index":0,"function":{"arguments":"\ude42\"}"}}"#,
            ],
            &[(Some("a"), "f", r#"{"x":"🙂"}"#)],
        ),
    ];

    #[test]
    fn t7_t8_t46_pieces_find_their_call() {
        for (what, pieces, expected) in CASES {
            let expected: Vec<_> = expected
                .iter()
                .map(|(id, name, arguments)| {
                    (id.map(str::to_owned), (*name).to_owned(), (*arguments).to_owned())
                })
                .collect();
            assert_eq!(collected(pieces), expected, "{what}");
        }
    }

    #[test]
    fn a_broken_server_cannot_open_calls_without_end() {
        let mut calls = Calls::default();
        for index in 0..2 * MOST {
            let piece = format!(r#"{{"index":{index},"id":"c{index}","function":{{"name":"f"}}}}"#);
            calls.push(&serde_json::from_str(&piece).unwrap(), None);
        }
        assert_eq!(calls.slots.len(), MOST);
    }
}
