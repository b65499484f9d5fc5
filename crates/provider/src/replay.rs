//! Sealed reasoning for clients that have no place for it.
//!
//! A client of Chat keeps what was said and called, and nothing of the reasoning behind it. Vendors want their sealed
//! reasoning back with the calls that it led to, so byok keeps it for such clients and puts it where it was when the turn
//! comes back in the history. In memory only: a restart loses it, and the conversation then goes on without it, as it would
//! if the client had thrown it away.
//!
//! A turn with calls is found by who asks and by its calls: their ids, and where these are short their names and arguments,
//! too, by their value, since clients write them anew. Nothing else of the conversation counts, so that a client may shorten
//! its beginning, clear old results, order them anew, or leave the text away. A turn without calls, or with ids that another
//! conversation may have, too (a server counts them up: `call_0`; byok makes them of the call where a server gives none), is
//! found by who asks, by how the conversation began, by what came directly before the turn, and by its text, too. Where two
//! answers agree in all of that and differ in their reasoning, nobody can say whose it is, and neither gets any.

use byok_translate::{
    Ids,
    ir::{Message, Part, Request, Role, Thinking},
};
use byok_types::{ClientKeyId, SecretHash};
use parking_lot::Mutex;
use serde_json::Value;
use std::{
    collections::{HashMap, VecDeque},
    fmt::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};

/// How long an entry is of use. Vendors' prompt caches and people's pauses are shorter.
const KEPT: Duration = Duration::from_hours(12);
/// What an entry costs beside its text.
const OVERHEAD: usize = 256;

/// Keeps the sealed reasoning of answers to Chat clients. Clones share their entries.
#[derive(Clone, Default)]
pub struct Replay(Arc<Mutex<Book>>);

#[derive(Default)]
struct Book {
    turns: HashMap<SecretHash, Turn>,
    /// In the order in which they came, for the oldest to go first.
    order: VecDeque<SecretHash>,
    bytes: usize,
}

/// The turn of a model as it was.
struct Turn {
    parts: Arc<[Part]>,
    bytes: usize,
    at: Instant,
    /// Two conversations came to the same turn by different reasoning.
    ambiguous: bool,
}

/// The place in a conversation at which an answer belongs.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    client: SecretHash,
    conversation: SecretHash,
    before: SecretHash,
}

impl Place {
    /// The place behind the last message of a request.
    pub fn behind(client: Option<&ClientKeyId>, request: &Request) -> Self {
        let last = request.messages.iter().rposition(|message| message.role == Role::Assistant);
        let since = last.map_or(0, |at| at + 1);
        let before = hash_of(&request.messages[since..]);
        Self { client: who(client), conversation: beginning(request), before }
    }

    /// What a turn at this place is found by.
    fn key(&self, parts: &[Part]) -> SecretHash {
        let mut said = String::new();
        let mut calls = Vec::new();
        for part in parts {
            match part {
                Part::Text(text) => said.push_str(&text.text),
                // An id that was drawn is enough: clients cut long arguments short.
                Part::ToolCall(call) if is_drawn(&call.call_id) => {
                    calls.push((&call.call_id, "", String::new()));
                }
                Part::ToolCall(call) => {
                    calls.push((&call.call_id, &call.name, meaning_of(&call.arguments)));
                }
                _ => {}
            }
        }
        let mut found_by = format!("{:x?}\n{calls:?}", self.client.0);
        if calls.is_empty() || !calls.iter().all(|(id, ..)| is_unique(id)) {
            let _ = write!(found_by, "\n{:x?}\n{:x?}\n{}", self.conversation.0, self.before.0, said.trim());
        }
        SecretHash::of(&found_by)
    }
}

impl Replay {
    /// Keeps the parts of an answer, if something in them is sealed. Beyond `limit` bytes the oldest entries go.
    pub fn keep(&self, place: Place, parts: &[Part], limit: usize, now: Instant) {
        if !parts.iter().any(is_sealed) {
            return;
        }
        let bytes = OVERHEAD + parts.iter().map(weight).sum::<usize>();
        let key = place.key(parts);
        let mut book = self.0.lock();
        match book.turns.get_mut(&key) {
            Some(known) if known.is_of_use(now) => {
                known.ambiguous |= *known.parts != *parts;
                known.at = now;
                return;
            }
            // What nobody is given any more says nothing about whose this is.
            Some(_) => book.forget(&key),
            None => {}
        }
        let entry = Turn { parts: parts.into(), bytes, at: now, ambiguous: false };
        book.turns.insert(key, entry);
        book.order.push_back(key);
        book.bytes += bytes;
        while book.bytes > limit && book.forget_oldest() {}
    }

    /// Puts what was kept back into the turns of a request.
    pub fn restore(&self, client: Option<&ClientKeyId>, request: &mut Request, now: Instant) {
        if self.0.lock().turns.is_empty() {
            return;
        }
        let (client, conversation) = (who(client), beginning(request));
        let mut since = 0;
        for at in 0..request.messages.len() {
            if request.messages[at].role != Role::Assistant {
                continue;
            }
            let before = hash_of(&request.messages[since..at]);
            since = at + 1;
            let message = &mut request.messages[at];
            if message.parts.iter().any(is_sealed) {
                // The client has kept something by itself.
                continue;
            }
            let key = Place { client, conversation, before }.key(&message.parts);
            if let Some(kept) = self.kept(&key, now) {
                put_back(message, &kept);
            }
        }
    }

    /// The parts of one turn. The lock is held for this alone: what is found is put back, and the next turn read, without it.
    fn kept(&self, key: &SecretHash, now: Instant) -> Option<Arc<[Part]>> {
        let book = self.0.lock();
        let found = book.turns.get(key)?;
        (!found.ambiguous && found.is_of_use(now)).then(|| Arc::clone(&found.parts))
    }

    /// Forgets what is of no use any more, and the oldest entries beyond `limit` bytes.
    pub fn tidy(&self, limit: usize, now: Instant) {
        let mut book = self.0.lock();
        let Book { turns, order, bytes } = &mut *book;
        turns.retain(|_, turn| {
            let stays = turn.is_of_use(now);
            *bytes -= if stays { 0 } else { turn.bytes };
            stays
        });
        order.retain(|key| turns.contains_key(key));
        while book.bytes > limit && book.forget_oldest() {}
    }

    /// Bytes that are held.
    pub fn held(&self) -> usize {
        self.0.lock().bytes
    }
}

impl Turn {
    fn is_of_use(&self, now: Instant) -> bool {
        now < self.at + KEPT
    }
}

impl Book {
    fn forget(&mut self, key: &SecretHash) {
        if let Some(turn) = self.turns.remove(key) {
            self.bytes -= turn.bytes;
            self.order.retain(|other| other != key);
        }
    }

    fn forget_oldest(&mut self) -> bool {
        let Some(key) = self.order.pop_front() else { return false };
        if let Some(turn) = self.turns.remove(&key) {
            self.bytes -= turn.bytes;
        }
        true
    }
}

/// The turn as it was. What the client added to it (cache marks, names) is kept on parts that it has.
fn put_back(message: &mut Message, kept: &[Part]) {
    let mut own: Vec<Option<Part>> = std::mem::take(&mut message.parts).into_iter().map(Some).collect();
    let mut calls: HashMap<String, VecDeque<usize>> = HashMap::new();
    let mut texts = VecDeque::new();
    for (place, part) in own.iter().enumerate() {
        match part {
            Some(Part::ToolCall(call)) => calls.entry(call.call_id.clone()).or_default().push_back(place),
            Some(Part::Text(_)) => texts.push_back(place),
            _ => {}
        }
    }
    let mut take = |place: Option<usize>| own.get_mut(place?)?.take();
    for part in kept {
        match part {
            Part::Thinking(thinking) => message.parts.push(Part::Thinking(thinking.clone())),
            Part::ToolCall(call) => {
                let place = calls.get_mut(&call.call_id).and_then(VecDeque::pop_front);
                if let Some(Part::ToolCall(mut mine)) = take(place) {
                    mine.blob.clone_from(&call.blob);
                    message.parts.push(Part::ToolCall(mine));
                }
            }
            Part::Text(text) if !text.text.is_empty() => match take(texts.pop_front()) {
                Some(Part::Text(mut mine)) if mine.text.trim() == text.text.trim() => {
                    mine.blob.clone_from(&text.blob);
                    message.parts.push(Part::Text(mine));
                }
                Some(other) => message.parts.push(other),
                None => {}
            },
            _ => {}
        }
    }
    // Reasoning that the client shows as text is the same that was just put back.
    let rest = own.into_iter().flatten().filter(|part| !matches!(part, Part::Thinking(_)));
    message.parts.extend(rest);
}

/// Whether the id of a call is one of a kind: it ends in letters and digits that nobody counts up. Those that byok makes
/// follow from the call, so another conversation that begins with the same call has the same.
fn is_unique(id: &str) -> bool {
    if Ids::made(id, "call_") {
        return false;
    }
    let end = id.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    let digits = end.bytes().filter(u8::is_ascii_digit).count();
    end.len() >= 8 && digits > 0 && digits < end.len()
}

/// Whether it was drawn by lot: it is long, and letters and digits change often in it. A name with a number behind it is none.
fn is_drawn(id: &str) -> bool {
    let end = id.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default().as_bytes();
    let changes = end.windows(2).filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit()).count();
    is_unique(id) && end.len() >= 12 && changes >= 3
}

/// Arguments as every client writes them: members in order, and a number by its value, since JavaScript writes `1.0` as `1`,
/// puts keys that are numbers first and rounds what is longer than its numbers are.
fn meaning_of(arguments: &str) -> String {
    match serde_json::from_str(arguments) {
        Ok(value) => {
            let mut out = String::with_capacity(arguments.len());
            spell_json(&value, &mut out);
            out
        }
        Err(_) if arguments.trim().is_empty() => "{}".to_owned(),
        Err(_) => arguments.to_owned(),
    }
}

/// Parsing has bounded how deep this goes.
fn spell_json(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for item in items {
                spell_json(item, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            out.push('{');
            for (name, value) in members {
                // Writing to a string does not fail.
                let _ = write!(out, "{name:?}:");
                spell_json(value, out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Number(number) => {
            // Zero has a sign, which not every client keeps.
            let _ = match number.as_f64() {
                Some(value) => write!(out, "{:?}", value + 0.0),
                None => write!(out, "{number}"),
            };
        }
        other => {
            let _ = write!(out, "{other}");
        }
    }
}

fn is_sealed(part: &Part) -> bool {
    match part {
        Part::Thinking(Thinking { blob, .. }) => blob.is_some(),
        Part::ToolCall(call) => call.blob.is_some(),
        Part::Text(text) => text.blob.is_some(),
        _ => false,
    }
}

fn weight(part: &Part) -> usize {
    let blob = |blob: &Option<byok_translate::ir::Blob>| blob.as_ref().map_or(0, |blob| blob.data.len());
    match part {
        Part::Thinking(part) => part.text().len() + blob(&part.blob),
        Part::ToolCall(part) => part.arguments.len() + part.name.len() + blob(&part.blob),
        Part::Text(part) => part.text.len() + blob(&part.blob),
        _ => OVERHEAD,
    }
}

fn who(client: Option<&ClientKeyId>) -> SecretHash {
    SecretHash::of(client.map(ClientKeyId::as_str).unwrap_or_default())
}

/// How the conversation began.
fn beginning(request: &Request) -> SecretHash {
    let first = request.messages.iter().position(|message| message.role == Role::User);
    hash_of(first.map_or(&[][..], |at| &request.messages[at..=at]))
}

fn hash_of(messages: &[Message]) -> SecretHash {
    let mut text = String::new();
    spell(messages, &mut text);
    SecretHash::of(&text)
}

/// What messages say, without what a client may write in several ways.
fn spell(messages: &[Message], out: &mut String) {
    for part in messages.iter().flat_map(|message| &message.parts) {
        // Writing to a string does not fail.
        let _ = match part {
            Part::Text(text) => writeln!(out, "t{}", text.text.trim()),
            Part::ToolResult(result) => {
                let _ = writeln!(out, "r{}", result.call_id);
                for part in &result.parts {
                    if let Part::Text(text) = part {
                        let _ = writeln!(out, "t{}", text.text.trim());
                    }
                }
                Ok(())
            }
            Part::Thinking(_) => Ok(()),
            other => writeln!(out, "{:?}", std::mem::discriminant(other)),
        };
    }
}

#[cfg(test)]
mod tests;
