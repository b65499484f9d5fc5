//! The conversation as the vendor demands it: turns alternate, results stand first and answer every call, no block and no
//! turn is empty, the first turn is the user's.

use super::{
    admit::Gate,
    words::{Field, name},
};
use crate::{
    Losses, content_id,
    ids::Distinct,
    ir::{CacheHint, Part, Request, Role, ToolCall, ToolResult},
    loss::Places,
    turns::{Conversation, Turn},
};
use byok_types::{Dialect, Failure, Family, ModelFacts};
use std::borrow::Cow;

/// What stands where a turn needs some text and there is none.
const FILLER: &str = ".";

/// What the model is told of a picture of its own.
const MADE: &str = "[a picture that the model made is not shown here]";

/// One message to be written.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) role: Speaker,
    pub(super) items: Vec<Item<'a>>,
}

/// The roles that this dialect has inside `messages`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speaker {
    User,
    Assistant,
    System,
}

/// One block to be written.
#[derive(Debug)]
pub(super) struct Item<'a> {
    pub(super) what: What<'a>,
    pub(super) mark: Option<CacheHint>,
}

#[derive(Debug)]
pub(super) enum What<'a> {
    Part(Cow<'a, Part>),
    Call {
        call: Cow<'a, ToolCall>,
        id: String,
    },
    /// A result and the parts of it that are shown.
    Result {
        result: Cow<'a, ToolResult>,
        id: String,
        shown: Vec<usize>,
    },
    /// Text that was made on the way.
    Text(Cow<'static, str>),
}

/// Brings turns into entries.
pub(super) fn shape<'a>(
    request: &'a Request,
    facts: &'a ModelFacts,
    conversation: Conversation<'a>,
    losses: &mut Losses,
) -> Result<Vec<Entry<'a>>, Failure> {
    let gate = Gate { request, places: Places::of(request), facts };
    let mut shaper = Shaper { gate, entries: Vec::new(), waiting: Vec::new(), losses };
    for turn in conversation.turns {
        shaper.turn(turn)?;
    }
    Ok(shaper.finish())
}

struct Shaper<'a, 'l> {
    gate: Gate<'a>,
    entries: Vec<Entry<'a>>,
    /// Ids of the calls of the last assistant turn, as they were written.
    waiting: Vec<String>,
    losses: &'l mut Losses,
}

impl<'a> Shaper<'a, '_> {
    fn turn(&mut self, turn: Turn<'a>) -> Result<(), Failure> {
        match turn {
            Turn::System { parts, .. } => self.system(&parts),
            Turn::User { parts, .. } => {
                let items = self.items(parts, Role::User)?;
                self.push(Speaker::User, items);
                Ok(())
            }
            Turn::Assistant { parts, .. } => self.assistant(parts),
            Turn::Results(results) => self.results(results),
        }
    }

    /// Instructions in the middle of a conversation keep their place, in a form that the model takes.
    fn system(&mut self, parts: &[&'a Part]) -> Result<(), Failure> {
        let own_turn = self.gate.facts.system_turns;
        let mut items = Vec::new();
        for part in parts {
            let keep = self.gate.admits(part, Role::System, self.losses)?;
            match part {
                Part::Text(text) if keep && !own_turn => {
                    self.losses.emulated(
                        self.gate.places.path(part),
                        "this model has no system turns: sent as a reminder in the user's turn",
                    );
                    let reminder = format!("<system-reminder>\n{}\n</system-reminder>", text.text);
                    items.push(Item { what: What::Text(reminder.into()), mark: text.cache.clone() });
                }
                Part::Text(_) | Part::ConfigChange(_) | Part::Opaque(_) if keep => {
                    items.push(Self::item(Cow::Borrowed(part)));
                }
                _ if keep => {
                    self.losses.dropped(self.gate.places.path(part), "a system turn holds text only");
                }
                _ => {}
            }
        }
        if items.is_empty() {
            return Ok(());
        }
        if own_turn && self.entries.last().is_some_and(|last| last.role == Speaker::Assistant) {
            // Instructions follow what the user says; after an answer the user has to say something first.
            self.push(Speaker::User, Vec::new());
        }
        self.push(if own_turn { Speaker::System } else { Speaker::User }, items);
        Ok(())
    }

    fn assistant(&mut self, parts: Vec<Cow<'a, Part>>) -> Result<(), Failure> {
        let mut items = Vec::with_capacity(parts.len());
        self.waiting.clear();
        // Different from each other also where letters that are not allowed were all that told them apart.
        let mut ids = Distinct::default();
        for part in parts {
            if let Part::ToolCall(call) = part.as_ref() {
                let id = ids.id(legal_id(call).into()).into_owned();
                self.waiting.push(id.clone());
                let mark = call.cache.clone();
                let call = match part {
                    Cow::Borrowed(Part::ToolCall(call)) => Cow::Borrowed(call),
                    _ => Cow::Owned(call.clone()),
                };
                items.push(Item { what: What::Call { call, id }, mark });
            } else if self.gate.is_made_elsewhere(&part) {
                self.losses.dropped(self.gate.places.path(&part), "turns of this model hold no pictures");
                items.push(Item { what: What::Text(MADE.into()), mark: None });
            } else if self.gate.admits(&part, Role::Assistant, self.losses)? {
                items.push(Self::item(part));
            }
        }
        calls_last(&mut items);
        if !items.is_empty() {
            self.push(Speaker::Assistant, items);
        }
        Ok(())
    }

    /// One result for each call, in the order of the calls.
    fn results(&mut self, results: Vec<Cow<'a, ToolResult>>) -> Result<(), Failure> {
        let ids = std::mem::take(&mut self.waiting);
        let mut items = Vec::with_capacity(results.len());
        for (result, id) in results.into_iter().zip(ids) {
            let mut shown = Vec::with_capacity(result.parts.len());
            for (index, part) in result.parts.iter().enumerate() {
                if self.gate.admits_in_result(&result, part, self.losses)? {
                    shown.push(index);
                }
            }
            let mark = result.cache.clone();
            items.push(Item { what: What::Result { result, id, shown }, mark });
        }
        self.push(Speaker::User, items);
        Ok(())
    }

    fn items(&mut self, parts: Vec<Cow<'a, Part>>, role: Role) -> Result<Vec<Item<'a>>, Failure> {
        let mut items = Vec::with_capacity(parts.len());
        for part in parts {
            if self.gate.admits(&part, role, self.losses)? {
                items.push(Self::item(part));
            }
        }
        Ok(items)
    }

    fn item(part: Cow<'a, Part>) -> Item<'a> {
        let mark = match part.as_ref() {
            Part::Text(text) => text.cache.clone(),
            Part::Image(image) => image.cache.clone(),
            Part::Document(document) => document.cache.clone(),
            Part::SearchResult(result) => result.cache.clone(),
            _ => None,
        };
        Item { what: What::Part(part), mark }
    }

    /// Appends to the last entry if the same speaker goes on. An empty user turn is kept as a turn.
    fn push(&mut self, role: Speaker, items: Vec<Item<'a>>) {
        match self.entries.last_mut() {
            Some(last) if last.role == role => last.items.extend(items),
            _ => self.entries.push(Entry { role, items }),
        }
    }

    fn finish(mut self) -> Vec<Entry<'a>> {
        self.drop_last_thoughts();
        self.close_prefill();
        let filler = || Item { what: What::Text(FILLER.into()), mark: None };
        for entry in &mut self.entries {
            if entry.items.is_empty() {
                entry.items.push(filler());
            }
        }
        if self.entries.first().is_none_or(|entry| entry.role != Speaker::User) {
            self.entries.insert(0, Entry { role: Speaker::User, items: vec![filler()] });
        }
        self.entries
    }

    /// A turn that was broken off while the model was thinking says nothing, and Claude refuses a turn whose last block is
    /// thinking. What clients of Claude's own dialect send is theirs.
    fn drop_last_thoughts(&mut self) {
        if self.gate.facts.family != Family::Claude || self.gate.request.dialect == Dialect::Messages {
            return;
        }
        for mut entry in std::mem::take(&mut self.entries) {
            if entry.role == Speaker::Assistant {
                while let Some(Item { what: What::Part(part), .. }) = entry.items.last()
                    && let Part::Thinking(_) = part.as_ref()
                {
                    self.losses.silent(self.gate.places.path(part), "nothing was said after it");
                    entry.items.pop();
                }
                if entry.items.is_empty() {
                    continue;
                }
            }
            self.push(entry.role, entry.items);
        }
    }

    /// An assistant turn at the end is continued by models that can; others refuse it.
    fn close_prefill(&mut self) {
        let Some(last) = self.entries.last_mut().filter(|entry| entry.role == Speaker::Assistant) else {
            return;
        };
        let is_words = |item: &Item<'_>| match &item.what {
            What::Part(part) => {
                matches!(part.as_ref(), Part::Text(_) | Part::Refusal(_) | Part::Thinking(_))
            }
            What::Text(_) => true,
            What::Call { .. } | What::Result { .. } => false,
        };
        if !last.items.iter().all(is_words) {
            // A turn that the vendor paused is sent back to be continued.
            return;
        }
        if !self.gate.facts.prefill {
            let field = name(self.gate.request.dialect, Field::Messages);
            self.losses.dropped(field, "this model does not continue an assistant turn");
            self.entries.pop();
            return;
        }
        if let Some(Item { what: What::Part(part), .. }) = last.items.last_mut()
            && let Part::Text(text) = part.as_ref()
            && text.text.ends_with(char::is_whitespace)
            && let Part::Text(text) = part.to_mut()
        {
            let end = text.text.trim_end().len();
            text.text.truncate(end);
        }
    }
}

/// The id of a call in the letters that the vendor allows.
fn legal_id(call: &ToolCall) -> String {
    if call.call_id.is_empty() {
        return content_id("toolu_", &[&call.name, &call.arguments]);
    }
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    call.call_id.chars().map(|c| if legal(c) { c } else { '_' }).collect()
}

/// Text that follows a call is written before it, as the vendor's own turns end in their calls. Turns with reasoning are
/// the vendor's own and stay as they are.
fn calls_last(items: &mut [Item<'_>]) {
    let is_call = |item: &Item<'_>| matches!(item.what, What::Call { .. });
    let is_own = |item: &Item<'_>| matches!(&item.what, What::Part(part) if !matches!(part.as_ref(), Part::Text(_) | Part::Refusal(_)));
    if !items.iter().any(is_own) {
        items.sort_by_key(is_call);
    }
}
