//! Conversations that go on by `previous_response_id` or by references to items: what a request adds, what an answer leaves,
//! and the lists that clients may ask for. Where they are kept is not known here.

use crate::{
    scan::{Scan, splice},
    sse,
};
use byok_types::Failure;
use bytes::Bytes;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json, value::RawValue};
use std::collections::{HashMap, HashSet};

/// Keys that decide how a conversation goes on.
const KEYS: [&str; 4] = ["model", "input", "previous_response_id", "store"];

/// What a request says of its conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The model as the client wrote it.
    pub model: String,
    /// The response that it follows.
    pub previous: Option<String>,
    /// Whether the answer may be kept: `store` is not false.
    pub store: bool,
    /// Its own items, as JSON with commas between them.
    pub items: String,
}

impl Said {
    /// Reads a request. What is wrong with it beyond this is found by those who serve it.
    pub fn of(body: &[u8]) -> Result<Self, Failure> {
        let scan = Scan::of_keys(body, &KEYS)?;
        let input = scan.text(body, "input").filter(|text| *text != "null").unwrap_or("[]");
        let items = match input.as_bytes().first() {
            Some(b'[') => input[1..input.len().saturating_sub(1)].trim().to_owned(),
            Some(b'"') => format!("{{\"type\":\"message\",\"role\":\"user\",\"content\":{input}}}"),
            _ => return Err(Failure::bad_request("input", "`input` must be a string or a list of items.")),
        };
        let previous = match scan.text(body, "previous_response_id") {
            None | Some("null") => None,
            Some(_) => Some(scan.string(body, "previous_response_id").ok_or_else(|| {
                Failure::bad_request("previous_response_id", "`previous_response_id` must be a string.")
            })?),
        };
        Ok(Self {
            model: scan.string(body, "model").unwrap_or_default(),
            previous,
            store: scan.text(body, "store") != Some("false"),
            items,
        })
    }
}

/// The request with the items of the earlier conversation before its own, and without `previous_response_id`.
pub fn continued(body: &Bytes, earlier: &str, own: &str) -> Result<Bytes, Failure> {
    let scan = Scan::of_keys(body, &KEYS)?;
    let body = splice(body, vec![scan.set("input", &format!("[{}]", joined(earlier, own)))]);
    let scan = Scan::of_keys(&body, &KEYS)?;
    let removed = scan.remove(&body, "previous_response_id");
    Ok(splice(&body, removed.into_iter().collect()))
}

/// Two lists of items as one.
pub fn joined(first: &str, second: &str) -> String {
    let comma = if first.is_empty() || second.is_empty() { "" } else { "," };
    format!("{first}{comma}{second}")
}

/// The vendor's refusal of a response that is not there.
pub fn not_found(id: &str) -> Failure {
    let shown: String = id.chars().filter(|c| !c.is_control()).take(100).collect();
    Failure::bad_request("previous_response_id", format!("Previous response with id '{shown}' not found."))
        .with_code("previous_response_not_found")
}

/// Refuses what only OpenAI's platform keeps, before an upstream that does not: without it the answer would be to another
/// question. The body is that of a Responses request.
///
/// # Errors
/// A 400 that names the field.
pub fn refuse_kept(body: &[u8]) -> Result<(), Failure> {
    let scan = Scan::of_keys(body, &["previous_response_id", "conversation", "prompt", "background"])?;
    let given = |name: &str| scan.text(body, name).filter(|text| !matches!(*text, "null" | "false"));
    if given("previous_response_id").is_some() {
        return Err(not_found(&scan.string(body, "previous_response_id").unwrap_or_default()));
    }
    for (field, remedy) in [
        ("conversation", "send the whole conversation in `input`"),
        ("prompt", "send the prompt itself"),
        ("background", "leave it out and wait for the answer, or stream it"),
    ] {
        if given(field).is_some() {
            let why = format!("`{field}` is offered by OpenAI's platform alone: {remedy}.");
            return Err(Failure::bad_request(field, why));
        }
    }
    Ok(())
}

/// A reference to an item that the client takes to be kept: the id.
pub(crate) fn reference(item: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Fields {
        r#type: Option<String>,
        id: Option<String>,
        role: Option<IgnoredAny>,
    }
    let fields: Fields = serde_json::from_str(item).ok()?;
    // The type may be left out, but then so it may be in messages.
    let is_one = match fields.r#type.as_deref() {
        Some(kind) => kind == "item_reference",
        None => fields.role.is_none(),
    };
    fields.id.filter(|_| is_one)
}

/// What the references of a request stand for.
#[derive(Debug, Default)]
pub struct References {
    /// What was found, by id: an item as a request repeats it, or nothing for reasoning that nobody can read.
    found: HashMap<String, Option<String>>,
    wanted: HashSet<String>,
}

impl References {
    /// Those among `items`; `None` if there are none.
    pub fn of(items: &str) -> Option<Self> {
        let list = format!("[{items}]");
        let all: Vec<&RawValue> = serde_json::from_str(&list).ok()?;
        let wanted: HashSet<_> = all.into_iter().filter_map(|item| reference(item.get())).collect();
        (!wanted.is_empty()).then(|| Self { found: HashMap::new(), wanted })
    }

    /// Whether all of them were found.
    pub fn are_found(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Looks for what is missing in an answer and in the items of its request.
    pub fn look_in(&mut self, answer: &str, items: &str) {
        if let Ok(answer) = serde_json::from_str::<Answer<'_>>(answer) {
            let items = || answer.output.iter().map(|item| item.get());
            if items().any(|item| id_of(item).is_some_and(|id| self.wanted.contains(&id))) {
                for (item, repeated) in items().zip(as_repeated(items())) {
                    self.take(item, || repeated);
                }
            }
        }
        let list = format!("[{items}]");
        let asked: Vec<&RawValue> = serde_json::from_str(&list).unwrap_or_default();
        let items = || asked.iter().rev().map(|item| item.get()).filter(|item| reference(item).is_none());
        // An output may bear the id of its call, which is what a reference to it means.
        for outputs in [false, true] {
            for item in items().filter(|item| is_output(item) == outputs) {
                self.take(item, || Some(item.to_owned()));
            }
        }
    }

    fn take(&mut self, item: &str, repeated: impl FnOnce() -> Option<String>) {
        if let Some(id) = id_of(item).filter(|id| self.wanted.remove(id)) {
            self.found.insert(id, repeated());
        }
    }

    /// The items with what was found in the place of the references, at most `limit` bytes of them.
    pub fn settle(&self, items: &str, limit: usize) -> Result<String, Failure> {
        let list = format!("[{items}]");
        let all: Vec<&RawValue> = serde_json::from_str(&list).unwrap_or_default();
        let mut written = String::with_capacity(items.len());
        for (index, item) in all.into_iter().enumerate() {
            let id = reference(item.get());
            let item = match id.as_ref().map(|id| (id, self.found.get(id))) {
                None => Some(item.get()),
                Some((_, Some(found))) => found.as_deref(),
                Some((id, None)) => return Err(not_kept(index, id)),
            };
            if let Some(item) = item {
                if !written.is_empty() {
                    written.push(',');
                }
                written.push_str(item);
            }
            if written.len() > limit {
                return Err(too_long("input", written.len(), limit));
            }
        }
        Ok(written)
    }
}

/// The refusal of a conversation that has grown too long with what was kept of it.
pub fn too_long(field: &str, bytes: usize, limit: usize) -> Failure {
    let text = format!(
        "the conversation up to here has {bytes} bytes, more than a request may have ({limit}, `limits.body` in the config). \
         Begin a new one."
    );
    Failure::bad_request(field, text).with_status(413)
}

/// The refusal of a reference to an item that is not there.
pub(crate) fn not_kept(index: usize, id: &str) -> Failure {
    let shown: String = id.chars().filter(|c| !c.is_control()).take(100).collect();
    let text = format!(
        "Item with id '{shown}' not found: `input[{index}]` refers to an item that byok does not keep. Send the item itself \
         (the `openai` provider of the AI SDK does so with `store: false`), or set `stored_responses.enabled` in the \
         config of byok."
    );
    Failure::bad_request(format!("input[{index}]"), text)
}

fn is_output(item: &str) -> bool {
    #[derive(Deserialize)]
    struct Typed<'a> {
        #[serde(borrow)]
        r#type: Option<std::borrow::Cow<'a, str>>,
    }
    let typed = serde_json::from_str::<Typed<'_>>(item).ok().and_then(|typed| typed.r#type);
    typed.is_some_and(|kind| kind.ends_with("_output"))
}

fn id_of(item: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        id: Option<String>,
    }
    serde_json::from_str::<Named>(item).ok()?.id
}

/// What an answer leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Id of the response.
    pub id: String,
    /// The response as it was sent.
    pub response: String,
    /// Its items as the next request has to repeat them, with commas between them.
    pub items: String,
}

#[derive(Deserialize)]
struct Answer<'a> {
    id: String,
    #[serde(borrow, default)]
    output: Vec<&'a RawValue>,
}

impl Left {
    /// Reads a whole answer; `None` if it is none.
    pub fn of(body: &[u8]) -> Option<Self> {
        Self::with(std::str::from_utf8(body).ok()?.trim(), &[])
    }

    /// `items` are those that came one by one, for a vendor that leaves them out at the end.
    fn with(text: &str, items: &[String]) -> Option<Self> {
        let answer: Answer<'_> = serde_json::from_str(text).ok()?;
        if answer.output.is_empty() && !items.is_empty() {
            let mut whole: Value = serde_json::from_str(text).ok()?;
            let read = items.iter().map(|item| serde_json::from_str(item));
            whole["output"] = Value::Array(read.collect::<Result<_, _>>().ok()?);
            let items = repeated(items.iter().map(String::as_str));
            return Some(Self { id: answer.id, response: whole.to_string(), items });
        }
        let items = repeated(answer.output.iter().map(|item| item.get()));
        Some(Self { id: answer.id, response: text.to_owned(), items })
    }
}

#[derive(Deserialize)]
struct Item {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    encrypted_content: Option<String>,
}

/// The items of an answer as items of a request. Reasoning without its sealed form can be read by nobody who has not kept it;
/// the others then lose the ids by which a vendor would miss it.
fn repeated<'a>(items: impl Iterator<Item = &'a str>) -> String {
    as_repeated(items).into_iter().flatten().collect::<Vec<_>>().join(",")
}

/// The same, one for each item; `None` for what is left out.
fn as_repeated<'a>(items: impl Iterator<Item = &'a str>) -> Vec<Option<String>> {
    let read = |text: &'a str| {
        let item: Item =
            serde_json::from_str(text).unwrap_or(Item { kind: String::new(), encrypted_content: None });
        let lost = item.kind == "reasoning" && item.encrypted_content.is_none_or(|seal| seal.is_empty());
        (text, item.kind, lost)
    };
    let all: Vec<_> = items.map(read).collect();
    let some_lost = all.iter().any(|(.., lost)| *lost);
    let written = all.into_iter().map(|(text, kind, lost)| {
        let named = matches!(kind.as_str(), "message" | "function_call" | "custom_tool_call");
        (!lost).then(|| if some_lost && named { without_id(text) } else { text.to_owned() })
    });
    written.collect()
}

fn without_id(item: &str) -> String {
    let body = Bytes::copy_from_slice(item.as_bytes());
    let edit = Scan::of_keys(&body, &["id"]).ok().and_then(|scan| scan.remove(&body, "id"));
    String::from_utf8(splice(&body, edit.into_iter().collect()).to_vec()).unwrap_or_else(|_| item.to_owned())
}

#[derive(Deserialize)]
struct Step<'a> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(borrow, default)]
    item: Option<&'a RawValue>,
    #[serde(borrow, default)]
    response: Option<&'a RawValue>,
}

/// Reads a stream beside its way to the client.
#[derive(Debug)]
pub struct Watch {
    frames: sse::Decoder,
    items: Vec<String>,
    held: usize,
    limit: usize,
    /// Too large to be kept, or no stream of events.
    lost: bool,
}

impl Watch {
    /// Keeps at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { frames: sse::Decoder::new(limit), items: Vec::new(), held: 0, limit, lost: false }
    }

    /// Takes the next bytes; when the end of the answer is among them, what it leaves.
    pub fn push(&mut self, bytes: &[u8]) -> Option<Left> {
        if self.lost {
            return None;
        }
        let mut left = None;
        let (items, held) = (&mut self.items, &mut self.held);
        let read = self.frames.push(bytes, |frame| {
            // Deltas are most of a stream, and their text says what they are.
            let is = |what: &str| memchr::memmem::find(frame.data, what.as_bytes()).is_some();
            if !(is("response.output_item.done") || is("response.completed") || is("response.incomplete")) {
                return;
            }
            let Ok(step) = serde_json::from_slice::<Step<'_>>(frame.data) else { return };
            match (step.kind.as_str(), step.item, step.response) {
                ("response.output_item.done", Some(item), _) => {
                    *held += item.get().len();
                    items.push(item.get().to_owned());
                }
                ("response.completed" | "response.incomplete", _, Some(response)) => {
                    left = Left::with(response.get(), items);
                }
                _ => {}
            }
        });
        if read.is_err() || self.held > self.limit {
            self.lost = true;
            self.items = Vec::new();
        }
        left
    }
}

/// Which items of a response are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The oldest first; else the newest.
    pub ascending: bool,
    /// How many; 20 unless stated.
    pub limit: Option<usize>,
    /// Only what follows the item of this id.
    pub after: Option<String>,
}

/// `GET /v1/responses/{id}/input_items`. Items that came without an id are given one.
pub fn input_items(items: &str, page: &Page) -> Vec<u8> {
    let mut all: Vec<Value> = serde_json::from_str(&format!("[{items}]")).unwrap_or_default();
    for (number, item) in all.iter_mut().enumerate() {
        if let Some(item) = item.as_object_mut()
            && !item.get("id").is_some_and(Value::is_string)
        {
            item.insert("id".to_owned(), format!("msg_{number}").into());
        }
    }
    if !page.ascending {
        all.reverse();
    }
    let start = page.after.as_ref().and_then(|id| all.iter().position(|item| item["id"] == *id));
    let all = all.split_off(start.map_or(0, |at| at + 1));
    let limit = page.limit.unwrap_or(20).clamp(1, 100);
    let data = &all[..all.len().min(limit)];
    let id = |item: Option<&Value>| item.map(|item| item["id"].clone()).unwrap_or_default();
    json!({
        "object": "list", "data": data, "first_id": id(data.first()), "last_id": id(data.last()),
        "has_more": all.len() > limit,
    })
    .to_string()
    .into_bytes()
}

/// The answer to `DELETE /v1/responses/{id}`.
pub fn deleted(id: &str) -> Vec<u8> {
    json!({"id": id, "object": "response", "deleted": true}).to_string().into_bytes()
}

#[cfg(test)]
mod tests;
