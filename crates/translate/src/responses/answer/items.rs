//! Items as a whole: their beginning, their end, and which of them an event belongs to.

use super::{
    super::{
        decode::{self, thinking_of_vendor, tool_call},
        hosted,
        tagged::OneOf,
        wire::{Item, ItemTag},
    },
    StreamDecoder,
    frame::{self, Frame, Head},
    message::message_tag,
    track::{Kind, Said, Tracked},
};
use crate::{
    Json,
    ir::{Event, Flavour, Part},
    responses::mend,
};

impl StreamDecoder {
    pub(super) fn added(&mut self, frame: &Frame<'_>, out: &mut Vec<Event>) {
        self.begin(&Head::default(), out);
        let Some(item) = frame.item.and_then(mend::read::<OneOf<Item>>) else { return };
        let (kind, id, call_id) = identity(&item);
        let index = frame.output_index.0;
        // A delta may have come ahead of its item; and a relay may say the same twice.
        let known = |t: &Tracked| {
            t.kind() == kind && if t.guessed { t.matches(id, index) } else { id.is_some_and(|id| t.id == id) }
        };
        let at = self.items.iter().rposition(known);
        if at.is_some_and(|at| !self.items[at].guessed) {
            return;
        }
        let at = at.unwrap_or_else(|| {
            self.items.push(Tracked::new(kind, index));
            self.items.len() - 1
        });
        let tracked = &mut self.items[at];
        tracked.guessed = false;
        id.unwrap_or_default().clone_into(&mut tracked.id);
        call_id.unwrap_or_default().clone_into(&mut tracked.call_id);
        tracked.index = index.or(tracked.index);
        let OneOf::Known(tag, item) = item else { return };
        match (&mut tracked.said, tag) {
            (Said::Message(message), ItemTag::Message) => message.tag = message_tag(&item),
            (Said::Reasoning(reasoned), ItemTag::Reasoning) => reasoned.id = item.id,
            (Said::Call(called), _) => {
                let call = tool_call(item, called.flavour);
                called.early.clone_from(&call.arguments);
                called.call = call;
                self.open_call(at, out);
            }
            _ => {}
        }
    }

    /// The item that an event belongs to: by its id, else by its place, else the last of its kind that is not done. Some
    /// servers give an item another id in every event. `None` for an item that is done.
    pub(super) fn find(&mut self, kind: Kind, frame: &Frame<'_>) -> Option<usize> {
        let (id, index) = (frame.item_id.get(), frame.output_index.0);
        let mut same = self.items.iter().enumerate().rev().filter(|(_, t)| t.kind() == kind);
        if let Some((at, tracked)) = same.clone().find(|(_, t)| id.is_some_and(|id| t.id == id)) {
            return (!tracked.done).then_some(at);
        }
        let by_place = same.clone().find(|(_, t)| index.is_some() && t.index == index);
        if let Some((at, tracked)) = by_place
            && (!tracked.done || id.is_none())
        {
            return (!tracked.done).then_some(at);
        }
        let current = same.find(|(_, t)| !t.done && (index.is_none() || t.index.is_none()));
        if let Some((at, _)) = current {
            return Some(at);
        }
        let mut tracked = Tracked::new(kind, index);
        tracked.guessed = true;
        id.unwrap_or_default().clone_into(&mut tracked.id);
        self.items.push(tracked);
        Some(self.items.len() - 1)
    }

    /// An item is complete: what was not streamed of it is said now.
    pub(super) fn done(&mut self, index: Option<u64>, item: OneOf<Item>, out: &mut Vec<Event>) {
        let (kind, id, call_id) = identity(&item);
        let find = |test: &dyn Fn(&Tracked) -> bool| {
            self.items.iter().position(|t| t.kind() == kind && !t.done && test(t))
        };
        let said = |t: &Tracked| t.kind() == kind && t.done && id.is_some_and(|id| t.id == id);
        if self.items.iter().any(said) {
            return;
        }
        let at = find(&|t| id.is_some_and(|id| t.id == id))
            .or_else(|| find(&|t| call_id.is_some_and(|id| t.call_id == id)))
            .or_else(|| find(&|t| index.is_some() && t.index == index))
            .or_else(|| find(&|t| index.is_none() || t.index.is_none()));
        let at = at.unwrap_or_else(|| {
            self.items.push(Tracked::new(kind, index));
            self.items.len() - 1
        });
        let tracked = &mut self.items[at];
        tracked.done = true;
        tracked.guessed = false;
        if let Some(id) = id {
            id.clone_into(&mut tracked.id);
        }
        if let Some(id) = call_id {
            id.clone_into(&mut tracked.call_id);
        }
        match item {
            // Without a type nobody can tell what it is.
            OneOf::Other(other) if other.tag.is_empty() => {}
            OneOf::Other(other) => {
                for part in hosted::parts(&other.tag, other.json) {
                    self.seen.other |= !matches!(part, Part::Opaque(_));
                    self.whole(compacted(part), out);
                }
            }
            OneOf::Known(ItemTag::Message, item) => self.message_done(at, item, out),
            OneOf::Known(ItemTag::Reasoning, item) => self.reasoning_done(at, thinking_of_vendor(item), out),
            OneOf::Known(ItemTag::FunctionCall, item) => {
                self.call_done(at, tool_call(item, Flavour::Function), out);
            }
            OneOf::Known(ItemTag::CustomToolCall, item) => {
                self.call_done(at, tool_call(item, Flavour::Custom), out);
            }
            // A vendor does not answer its own calls.
            OneOf::Known(ItemTag::FunctionCallOutput | ItemTag::CustomToolCallOutput, _) => {}
        }
    }

    /// Says what the last event has and the stream had not. Items that were streamed are only recognised.
    pub(super) fn reconcile(&mut self, output: &[Json], out: &mut Vec<Event>) {
        let items: Vec<OneOf<Item>> = output.iter().filter_map(|json| mend::read_text(json.get())).collect();
        let streamed = self.match_items(&items);
        for ((index, item), at) in (0_u64..).zip(items).zip(streamed) {
            match at {
                Some(at) if self.items[at].done => {}
                Some(at) => {
                    let (id, place) = (self.items[at].id.clone(), self.items[at].index);
                    self.done(place, with_id(item, id), out);
                }
                None => self.done(Some(index), item, out),
            }
        }
    }

    /// Which streamed item each item of the output is: by id, by the id of the call, by place, or the next of its kind.
    pub(super) fn match_items(&self, output: &[OneOf<Item>]) -> Vec<Option<usize>> {
        type Test = fn(&Tracked, usize, Option<&str>, Option<&str>) -> bool;
        let tests: [Test; 4] = [
            |t, _, id, _| id.is_some_and(|id| t.id == id),
            |t, _, _, call_id| call_id.is_some_and(|id| t.call_id == id),
            |t, place, _, _| t.index.is_some_and(|index| index == place as u64),
            |_, _, _, _| true,
        ];
        let mut found = vec![None; output.len()];
        let mut taken = vec![false; self.items.len()];
        for test in tests {
            for (place, item) in output.iter().enumerate().filter(|_| !self.items.is_empty()) {
                if found[place].is_some() {
                    continue;
                }
                let (kind, id, call_id) = identity(item);
                let at = (0..self.items.len()).find(|at| {
                    !taken[*at]
                        && self.items[*at].kind() == kind
                        && test(&self.items[*at], place, id, call_id)
                });
                if let Some(at) = at {
                    taken[at] = true;
                    found[place] = Some(at);
                }
            }
        }
        found
    }
}

/// What an item is and the names that it goes by.
fn identity(item: &OneOf<Item>) -> (Kind, Option<&str>, Option<&str>) {
    match item {
        OneOf::Known(tag, item) => {
            let kind = match tag {
                ItemTag::Message => Kind::Message,
                ItemTag::Reasoning => Kind::Reasoning,
                ItemTag::FunctionCall => Kind::Call(Flavour::Function),
                ItemTag::CustomToolCall => Kind::Call(Flavour::Custom),
                ItemTag::FunctionCallOutput | ItemTag::CustomToolCallOutput => Kind::Other,
            };
            let id = item.id.as_deref().filter(|id| !id.is_empty());
            (kind, id, item.call_id.as_deref().filter(|id| !id.is_empty()))
        }
        OneOf::Other(other) => (Kind::Other, frame::id_within(other.json.get()), None),
    }
}

/// The item under the id by which it was streamed.
fn with_id(item: OneOf<Item>, id: String) -> OneOf<Item> {
    match item {
        OneOf::Known(tag, mut item) => {
            if !id.is_empty() && item.id.is_none() {
                item.id = Some(id);
            }
            OneOf::Known(tag, item)
        }
        other @ OneOf::Other(_) => other,
    }
}

/// A compaction is more than carried.
fn compacted(part: Part) -> Part {
    match part {
        Part::Opaque(block) => match frame::tag_within(block.json.get()).as_deref() {
            Some("compaction" | "compaction_summary" | "context_compaction") => {
                Part::Compaction(decode::compaction(block.json))
            }
            _ => Part::Opaque(block),
        },
        other => other,
    }
}
