//! Where the parts of a request stand in the body of its client.

use super::words::{self, list, within};
use crate::ir::{Message, Part, Request};
use byok_types::Dialect;
use std::{cell::OnceCell, iter};

/// Finds parts of a request by identity. Most requests lose nothing, so nothing is prepared before the first question; a
/// request that loses something in every turn asks as often as it has turns, so all of it is looked at only once.
pub(crate) struct Places<'r> {
    request: &'r Request,
    lists: OnceCell<Vec<List>>,
    /// For each part of each message how many calls stand before it there.
    earlier_calls: OnceCell<Vec<Vec<usize>>>,
}

/// A list of parts: where it lies in memory, and where it stands in the request.
struct List {
    start: usize,
    end: usize,
    message: usize,
    /// The place of the tool result whose parts these are.
    result: Option<usize>,
}

impl List {
    fn of(parts: &[Part], message: usize, result: Option<usize>) -> Self {
        let start = parts.as_ptr().addr();
        Self { start, end: start + size_of_val(parts), message, result }
    }

    fn holds(&self, address: usize) -> bool {
        (self.start..self.end).contains(&address)
    }

    /// The place in the list of what lies there.
    fn place_of(&self, address: usize) -> usize {
        (address - self.start) / size_of::<Part>()
    }
}

impl<'r> Places<'r> {
    /// The places of the parts of `request`.
    pub(crate) fn of(request: &'r Request) -> Self {
        Self { request, lists: OnceCell::new(), earlier_calls: OnceCell::new() }
    }

    /// The name of a part in the client's request (`messages[2].content[0]`); that of the whole list if the part was made on
    /// the way.
    pub(crate) fn path(&self, part: &Part) -> String {
        let client = self.request.dialect;
        let address = std::ptr::from_ref(part).addr();
        let system = List::of(&self.request.system, 0, None);
        if system.holds(address) {
            let index = system.place_of(address);
            return match client {
                Dialect::Chat => "messages".to_owned(),
                Dialect::Responses => "instructions".to_owned(),
                Dialect::Messages => format!("system[{index}]"),
                Dialect::Gemini => format!("systemInstruction.parts[{index}]"),
            };
        }
        let Some(found) = self.list_of(address) else { return list(client).to_owned() };
        let at = found.place_of(address);
        match found.result {
            Some(result) => within(client, found.message, result, at),
            None => self.place(found.message, at),
        }
    }

    /// The name of the part `at` of the message `index`.
    pub(crate) fn place(&self, index: usize, at: usize) -> String {
        let Some(message) = self.request.messages.get(index) else {
            return list(self.request.dialect).to_owned();
        };
        words::place(self.request.dialect, message, index, at, || {
            let counts = self.earlier_calls.get_or_init(|| earlier_calls(self.request));
            counts.get(index).and_then(|counts| counts.get(at)).copied().unwrap_or_default()
        })
    }

    /// The message that a part, or what is directly in one, stands in.
    pub(crate) fn message_of<T>(&self, piece: &T) -> Option<usize> {
        let found = self.list_of(std::ptr::from_ref(piece).addr())?;
        found.result.is_none().then_some(found.message)
    }

    fn list_of(&self, address: usize) -> Option<&List> {
        let lists = self.lists.get_or_init(|| lists(self.request));
        let after = lists.partition_point(|list| list.start <= address);
        lists.get(after.checked_sub(1)?).filter(|list| list.holds(address))
    }
}

/// All lists that hold something, by where they lie.
fn lists(request: &Request) -> Vec<List> {
    let of_message = |(message, said): (usize, &Message)| {
        let results = said.parts.iter().enumerate().filter_map(move |(at, part)| match part {
            Part::ToolResult(result) => Some(List::of(&result.parts, message, Some(at))),
            _ => None,
        });
        iter::once(List::of(&said.parts, message, None)).chain(results).collect::<Vec<_>>()
    };
    let mut all: Vec<List> = request.messages.iter().enumerate().flat_map(of_message).collect();
    all.retain(|list| list.start < list.end);
    all.sort_unstable_by_key(|list| list.start);
    all
}

fn earlier_calls(request: &Request) -> Vec<Vec<usize>> {
    let of_message = |message: &Message| {
        let counted = message.parts.iter().scan(0, |calls, part| {
            let before = *calls;
            *calls += usize::from(matches!(part, Part::ToolCall(_)));
            Some(before)
        });
        counted.collect()
    };
    request.messages.iter().map(of_message).collect()
}
