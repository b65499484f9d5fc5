//! Items as a whole: their beginning, their end, and which of them an event belongs to.

use super::{
    super::{
        decode::{self, thinking_of_vendor, tool_call},
        hosted,
        tagged::{OneOf, tag_within},
        wire::{Item, ItemTag},
    },
    StreamDecoder,
    frame::{self, Frame, Head},
    message::message_tag,
    track::{Kind, Said},
};
use crate::{
    Json,
    ir::{Event, Flavour, Part},
    lenient,
    responses::mend,
};
use std::collections::HashMap;

impl StreamDecoder {
    pub(super) fn added(&mut self, frame: &Frame<'_>, out: &mut Vec<Event>) {
        self.begin(&Head::default(), out);
        // What is wrong in it is told at its end.
        let item = frame.item.and_then(|raw| mend::leniently::<OneOf<Item>>(raw.get(), "", &mut Vec::new()));
        let Some(item) = item else { return };
        let (kind, id, call_id) = identity(&item);
        let index = frame.output_index.0;
        // A delta may have come ahead of its item; and a relay may say the same twice.
        let by_id = self.items.with_id(kind, id).next_back();
        let by_place = self.items.in_place(kind, index).rfind(|at| self.items[*at].guessed);
        let known = by_id.max(by_place);
        if known.is_some_and(|at| !self.items[at].guessed) {
            return;
        }
        let at = known.unwrap_or_else(|| self.items.push(kind, index));
        self.items.name(at, id, call_id, index);
        let tracked = &mut self.items[at];
        tracked.guessed = false;
        let OneOf::Known(tag, item) = item else { return };
        match (&mut tracked.said, tag) {
            (Said::Message(message), ItemTag::Message) => {
                message.tag = message_tag(&item);
                self.message = Some(at);
            }
            (Said::Reasoning(reasoned), ItemTag::Reasoning) => reasoned.id = item.id,
            (Said::Call(called), _) => {
                let call = tool_call(item, called.flavour);
                called.early.clone_from(&call.arguments);
                called.call = call;
                let is_behind = |message: usize| {
                    let message = &self.items[message];
                    message.is_silent() && message.index <= index
                };
                if self.message.is_some_and(is_behind) {
                    self.unbegun.push(at);
                } else {
                    self.open_call(at, out);
                }
            }
            _ => {}
        }
    }

    /// The item that an event belongs to: by its id, else by its place, else the last of its kind that is not done. Some
    /// servers give an item another id in every event. `None` for an item that is done.
    pub(super) fn find(&mut self, kind: Kind, frame: &Frame<'_>) -> Option<usize> {
        let (id, index) = (frame.item_id.get().filter(|id| !id.is_empty()), frame.output_index.0);
        let open = |at: usize| (!self.items[at].done).then_some(at);
        // Most events are of the item that came last.
        let last = self.items.len().checked_sub(1).filter(|at| {
            let last = &self.items[*at];
            id.is_some_and(|id| last.id == id) && last.kind() == kind
        });
        if let Some(at) = last.or_else(|| self.items.with_id(kind, id).next_back()) {
            return open(at);
        }
        if let Some(at) = self.items.in_place(kind, index).next_back()
            && (!self.items[at].done || id.is_none())
        {
            return open(at);
        }
        let current = self.items.open(kind, index).next_back();
        Some(current.unwrap_or_else(|| {
            let at = self.items.push(kind, index);
            self.items.name(at, id, None, None);
            self.items[at].guessed = true;
            at
        }))
    }

    /// An item is complete: what was not streamed of it is said now.
    pub(super) fn done(&mut self, index: Option<u64>, item: OneOf<Item>, out: &mut Vec<Event>) {
        let (kind, id, call_id) = identity(&item);
        if self.items.with_id(kind, id).any(|at| self.items[at].done) {
            return;
        }
        let open = |at: &usize| !self.items[*at].done;
        let known = self.items.with_id(kind, id).find(open);
        let known = known.or_else(|| self.items.with_call(kind, call_id).find(open));
        let known = known.or_else(|| self.items.in_place(kind, index).find(open));
        let known = known.or_else(|| self.items.open(kind, index).next());
        let at = known.unwrap_or_else(|| self.items.push(kind, index));
        self.items.complete(at);
        self.items.name(at, id, call_id, None);
        self.items[at].guessed = false;
        if kind != Kind::Message {
            self.open_unbegun(out);
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
        let mut items: Vec<OneOf<Item>> = Vec::with_capacity(output.len());
        for (index, json) in output.iter().enumerate() {
            let place = format!("output[{index}]");
            match mend::leniently(json.get(), &place, out) {
                Some(item) => items.push(item),
                None => out.extend(lenient::told(vec![place], "")),
            }
        }
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
        /// The streamed item for the one in this place, of those that are not taken.
        type Find<'a> = dyn FnMut(usize, &OneOf<Item>, &[bool]) -> Option<usize> + 'a;
        let mut found = vec![None; output.len()];
        let mut taken = vec![false; self.items.len()];
        let mut settle = |find: &mut Find<'_>| {
            for (place, item) in output.iter().enumerate() {
                if found[place].is_none()
                    && let Some(at) = find(place, item, &taken)
                {
                    taken[at] = true;
                    found[place] = Some(at);
                }
            }
        };
        settle(&mut |_, item, taken| {
            let (kind, id, _) = identity(item);
            self.items.with_id(kind, id).find(|at| !taken[*at])
        });
        settle(&mut |_, item, taken| {
            let (kind, _, call_id) = identity(item);
            self.items.with_call(kind, call_id).find(|at| !taken[*at])
        });
        settle(&mut |place, item, taken| {
            self.items.in_place(identity(item).0, Some(place as u64)).find(|at| !taken[*at])
        });
        // Whatever is left of a kind, from the first to the last.
        let mut next = HashMap::<Kind, usize>::new();
        settle(&mut |_, item, taken| {
            let kind = identity(item).0;
            let next = next.entry(kind).or_default();
            let at = (*next..self.items.len()).find(|at| !taken[*at] && self.items[*at].kind() == kind);
            *next = at.map_or(self.items.len(), |at| at + 1);
            at
        });
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
        Part::Opaque(block) => match tag_within(block.json.get()).as_deref() {
            Some("compaction" | "compaction_summary" | "context_compaction") => {
                Part::Compaction(decode::compaction(block.json))
            }
            _ => Part::Opaque(block),
        },
        other => other,
    }
}
