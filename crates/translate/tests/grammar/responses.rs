//! A checker of Responses streams. It shares no code with the encoder: it knows only what the SDKs and Codex demand.

use serde_json::{Map, Value};
use std::collections::HashSet;

/// Checks a whole stream: framing, numbering, nesting of events, agreement of deltas with what is repeated at the ends, and
/// agreement of the terminal event with the items before it.
pub(crate) fn check(bytes: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(bytes).map_err(|e| format!("not UTF-8: {e}"))?;
    if !text.is_empty() && !text.ends_with("\n\n") {
        return Err("the last frame has no blank line".into());
    }
    let mut checker = Checker::default();
    for (number, frame) in text.split("\n\n").filter(|frame| !frame.is_empty()).enumerate() {
        checker.frame(frame).map_err(|problem| format!("frame {number}: {problem}\n{frame}"))?;
    }
    ensure(checker.ended, "there is no terminal event")
}

#[derive(Default)]
struct Checker {
    next: u64,
    created: bool,
    running: bool,
    ended: bool,
    response_id: String,
    open: Option<Open>,
    done: Vec<Value>,
    ids: HashSet<String>,
}

/// The item that is open.
struct Open {
    id: String,
    kind: String,
    /// Parts that are complete: content of a message, or paragraphs of reasoning.
    content: Vec<Value>,
    summary: Vec<Value>,
    /// The open part, its place, and the text so far.
    part: Option<(String, u64, String)>,
    text_done: bool,
    annotations: Vec<Value>,
    input: String,
    input_done: bool,
}

type Object = Map<String, Value>;

fn string<'a>(object: &'a Object, name: &str) -> Result<&'a str, String> {
    object.get(name).and_then(Value::as_str).ok_or_else(|| format!("`{name}` is not a string"))
}

fn number(object: &Object, name: &str) -> Result<u64, String> {
    object.get(name).and_then(Value::as_u64).ok_or_else(|| format!("`{name}` is not a number"))
}

fn list<'a>(object: &'a Object, name: &str) -> Result<&'a Vec<Value>, String> {
    object.get(name).and_then(Value::as_array).ok_or_else(|| format!("`{name}` is not a list"))
}

fn object<'a>(object: &'a Object, name: &str) -> Result<&'a Object, String> {
    object.get(name).and_then(Value::as_object).ok_or_else(|| format!("`{name}` is not an object"))
}

fn ensure(condition: bool, problem: &str) -> Result<(), String> {
    if condition { Ok(()) } else { Err(problem.to_owned()) }
}

impl Checker {
    fn frame(&mut self, frame: &str) -> Result<(), String> {
        let lines: Vec<_> = frame.split('\n').collect();
        let [event, data] = lines[..] else { return Err(format!("{} lines instead of two", lines.len())) };
        let event = event.strip_prefix("event: ").ok_or("no event line")?;
        let data = data.strip_prefix("data: ").ok_or("no data line")?;
        let value: Value = serde_json::from_str(data).map_err(|e| format!("data is not JSON: {e}"))?;
        let value = value.as_object().ok_or("data is not an object")?;
        ensure(string(value, "type")? == event, "`type` differs from the event line")?;
        ensure(!self.ended, "something follows the terminal event")?;
        ensure(number(value, "sequence_number")? == self.next, "the sequence number is not the next one")?;
        self.next += 1;
        self.event(event, value)
    }

    fn event(&mut self, event: &str, value: &Object) -> Result<(), String> {
        match event {
            "error" => {
                string(value, "code")?;
                string(value, "message")?;
                ensure(value.contains_key("param"), "`param` is missing")?;
                ensure(!self.created, "a bare error after the beginning")?;
                self.ended = true;
                return Ok(());
            }
            "response.created" => {
                ensure(!std::mem::replace(&mut self.created, true), "created twice")?;
                let response = self.response(value, "in_progress")?;
                self.response_id = string(response, "id")?.to_owned();
                return ensure(list(response, "output")?.is_empty(), "a new answer has items");
            }
            _ => ensure(self.created, "something comes before response.created")?,
        }
        if event == "response.in_progress" {
            ensure(!std::mem::replace(&mut self.running, true), "in progress twice")?;
            return self.response(value, "in_progress").map(drop);
        }
        ensure(self.running, "something comes before response.in_progress")?;
        match event {
            "response.completed" => self.terminal(value, "completed"),
            "response.incomplete" => self.terminal(value, "incomplete"),
            "response.failed" => self.failed(value),
            "response.output_item.added" => self.added(value),
            "response.output_item.done" => self.item_done(value),
            _ => self.body(event, value),
        }
    }

    fn response<'a>(&self, value: &'a Object, status: &str) -> Result<&'a Object, String> {
        let response = object(value, "response")?;
        ensure(string(response, "object")? == "response", "`object` is not response")?;
        ensure(string(response, "status")? == status, "the status does not fit the event")?;
        ensure(!string(response, "model")?.is_empty(), "no model")?;
        number(response, "created_at")?;
        list(response, "output")?;
        list(response, "tools")?;
        for name in [
            "error",
            "incomplete_details",
            "instructions",
            "metadata",
            "parallel_tool_calls",
            "temperature",
            "tool_choice",
            "top_p",
            "usage",
        ] {
            ensure(response.contains_key(name), &format!("`{name}` is missing"))?;
        }
        if !self.response_id.is_empty() {
            ensure(string(response, "id")? == self.response_id, "the id of the answer changes")?;
        }
        Ok(response)
    }

    fn usage(response: &Object) -> Result<(), String> {
        let usage = object(response, "usage")?;
        let total = number(usage, "input_tokens")?.saturating_add(number(usage, "output_tokens")?);
        ensure(number(usage, "total_tokens")? >= total, "the total is less than its parts")?;
        let input = object(usage, "input_tokens_details")?;
        number(input, "cached_tokens")?;
        number(input, "cache_write_tokens")?;
        number(object(usage, "output_tokens_details")?, "reasoning_tokens").map(drop)
    }

    fn terminal(&mut self, value: &Object, status: &str) -> Result<(), String> {
        let response = self.response(value, status)?;
        ensure(self.open.is_none(), "an item is still open")?;
        Self::usage(response)?;
        ensure(response["error"].is_null(), "an answer with an error")?;
        ensure(*list(response, "output")? == self.done, "the output differs from the items before it")?;
        ensure(
            status == "incomplete" || response["incomplete_details"].is_null(),
            "complete and incomplete",
        )?;
        self.ended = true;
        Ok(())
    }

    fn failed(&mut self, value: &Object) -> Result<(), String> {
        let response = self.response(value, "failed")?;
        let error = object(response, "error")?;
        string(error, "code")?;
        string(error, "message")?;
        // The item that is open stays so, but for what it said.
        let output = list(response, "output")?;
        ensure(output.starts_with(&self.done), "the output differs from the items before it")?;
        for item in &output[self.done.len()..] {
            let open = self.open.take().ok_or("the output has items that never began")?;
            ensure(
                item["id"] == open.id && item["type"] == open.kind,
                "the output has another item than is open",
            )?;
            ensure(item["status"] == "incomplete", "an open item is not incomplete")?;
            ensure(!open.kind.ends_with("_call"), "half of a call in the output")?;
        }
        self.ended = true;
        Ok(())
    }

    fn added(&mut self, value: &Object) -> Result<(), String> {
        ensure(self.open.is_none(), "an item begins within another")?;
        ensure(
            number(value, "output_index")? == self.done.len() as u64,
            "the output index is not the next one",
        )?;
        let item = object(value, "item")?;
        let kind = string(item, "type")?;
        let id = item.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        match kind {
            "message" => {
                // The vendor begins it with `msg_`; compatible servers do not, and keep theirs.
                ensure(!id.is_empty(), "the id of a message")?;
                ensure(string(item, "role")? == "assistant", "the role of a message")?;
                ensure(list(item, "content")?.is_empty(), "a new message has content")?;
            }
            "reasoning" => ensure(list(item, "summary")?.is_empty(), "new reasoning has a summary")?,
            "function_call" => {
                ensure(!id.is_empty(), "the id of a function call")?;
                ensure(string(item, "arguments")?.is_empty(), "a new call has arguments")?;
            }
            "custom_tool_call" => {
                ensure(!id.is_empty(), "the id of a custom call")?;
                ensure(string(item, "input")?.is_empty(), "a new call has input")?;
            }
            "compaction" => ensure(id.starts_with("cmp_"), "the id of a compaction")?,
            _ => {}
        }
        if matches!(kind, "function_call" | "custom_tool_call") {
            ensure(!string(item, "call_id")?.is_empty(), "a call without an id")?;
            ensure(!string(item, "name")?.is_empty(), "a call without a name")?;
        }
        if matches!(kind, "message" | "reasoning" | "function_call" | "custom_tool_call") {
            ensure(string(item, "status")? == "in_progress", "a new item is not in progress")?;
            ensure(self.ids.insert(id.clone()), "an id is used twice")?;
        }
        self.open = Some(Open {
            id,
            kind: kind.to_owned(),
            content: Vec::new(),
            summary: Vec::new(),
            part: None,
            text_done: false,
            annotations: Vec::new(),
            input: String::new(),
            input_done: false,
        });
        Ok(())
    }

    fn item_done(&mut self, value: &Object) -> Result<(), String> {
        let open = self.open.take().ok_or("an item ends that did not begin")?;
        ensure(
            number(value, "output_index")? == self.done.len() as u64,
            "the output index is not that of the item",
        )?;
        let item = object(value, "item")?;
        ensure(string(item, "type")? == open.kind, "the type of the item changes")?;
        if !open.id.is_empty() {
            ensure(string(item, "id")? == open.id, "the id of the item changes")?;
        }
        ensure(open.part.is_none(), "a part is still open")?;
        match open.kind.as_str() {
            "message" => {
                ensure(
                    *list(item, "content")? == open.content,
                    "the content differs from the parts before it",
                )?;
                ensure(!open.content.is_empty(), "a message without content")?;
            }
            "reasoning" => {
                ensure(
                    *list(item, "summary")? == open.summary,
                    "the summary differs from the parts before it",
                )?;
                let raw = item.get("content").and_then(Value::as_array).cloned().unwrap_or_default();
                ensure(raw == open.content, "the raw reasoning differs from the parts before it")?;
                let sealed = item.get("encrypted_content").is_none_or(Value::is_string);
                ensure(sealed, "the seal is not a string")?;
            }
            "function_call" => {
                ensure(open.input_done, "no arguments.done")?;
                ensure(string(item, "arguments")? == open.input, "the arguments differ from their pieces")?;
                if item["status"] == "completed" {
                    ensure(!open.input.is_empty(), "a complete call without arguments")?;
                }
            }
            "custom_tool_call" => {
                ensure(open.input_done, "no input.done")?;
                ensure(string(item, "input")? == open.input, "the input differs from its pieces")?;
            }
            "compaction" => {
                ensure(!string(item, "encrypted_content")?.is_empty(), "a compaction without its content")?;
                ensure(item.len() == 3, "a compaction with more than id, type and content")?;
            }
            _ => {}
        }
        if matches!(open.kind.as_str(), "message" | "function_call" | "custom_tool_call") {
            let status = string(item, "status")?;
            ensure(matches!(status, "completed" | "incomplete"), "the status of an item that is done")?;
        }
        self.done.push(Value::Object(item.clone()));
        Ok(())
    }

    fn body(&mut self, event: &str, value: &Object) -> Result<(), String> {
        let index = self.done.len() as u64;
        let open = self.open.as_mut().ok_or("a piece of no item")?;
        ensure(number(value, "output_index")? == index, "the output index is not that of the item")?;
        ensure(string(value, "item_id")? == open.id, "the item id is not that of the item")?;
        match (open.kind.as_str(), event) {
            ("message" | "reasoning", _) => open.piece(event, value),
            ("function_call", "response.function_call_arguments.delta")
            | ("custom_tool_call", "response.custom_tool_call_input.delta") => {
                ensure(!open.input_done, "a delta after the end of the input")?;
                open.input.push_str(string(value, "delta")?);
                Ok(())
            }
            ("function_call", "response.function_call_arguments.done") => open.input_done(value, "arguments"),
            ("custom_tool_call", "response.custom_tool_call_input.done") => open.input_done(value, "input"),
            (kind, event) => ensure(
                event.strip_prefix("response.").is_some_and(|event| event.starts_with(kind)),
                "an event of another item",
            ),
        }
    }
}

impl Open {
    fn input_done(&mut self, value: &Object, name: &str) -> Result<(), String> {
        ensure(!std::mem::replace(&mut self.input_done, true), "the input ends twice")?;
        ensure(string(value, name)? == self.input, "the input differs from its pieces")
    }

    fn piece(&mut self, event: &str, value: &Object) -> Result<(), String> {
        let place = |name: &str| number(value, name);
        match event {
            "response.content_part.added" => {
                self.begin(place("content_index")?, self.content.len(), object(value, "part")?)
            }
            "response.reasoning_summary_part.added" => {
                self.begin(place("summary_index")?, self.summary.len(), object(value, "part")?)
            }
            "response.output_text.delta" => {
                list(value, "logprobs")?;
                self.text("output_text", place("content_index")?, string(value, "delta")?)
            }
            "response.refusal.delta" => {
                self.text("refusal", place("content_index")?, string(value, "delta")?)
            }
            "response.reasoning_text.delta" => {
                self.text("reasoning_text", place("content_index")?, string(value, "delta")?)
            }
            "response.reasoning_summary_text.delta" => {
                self.text("summary_text", place("summary_index")?, string(value, "delta")?)
            }
            "response.output_text.annotation.added" => {
                ensure(place("annotation_index")? == self.annotations.len() as u64, "the annotation index")?;
                self.open_part("output_text", place("content_index")?)?;
                self.annotations.push(Value::Object(object(value, "annotation")?.clone()));
                Ok(())
            }
            "response.output_text.done" => {
                list(value, "logprobs")?;
                self.end_text("output_text", place("content_index")?, string(value, "text")?)
            }
            "response.refusal.done" => {
                self.end_text("refusal", place("content_index")?, string(value, "refusal")?)
            }
            "response.reasoning_text.done" => {
                self.end_text("reasoning_text", place("content_index")?, string(value, "text")?)
            }
            "response.reasoning_summary_text.done" => {
                self.end_text("summary_text", place("summary_index")?, string(value, "text")?)
            }
            "response.content_part.done" => self.end(place("content_index")?, object(value, "part")?),
            "response.reasoning_summary_part.done" => {
                self.end(place("summary_index")?, object(value, "part")?)
            }
            _ => Err("an event of another item".into()),
        }
    }

    fn begin(&mut self, index: u64, expected: usize, part: &Object) -> Result<(), String> {
        ensure(self.part.is_none(), "a part begins within another")?;
        ensure(index == expected as u64, "the index of the part is not the next one")?;
        let kind = string(part, "type")?;
        let name = if kind == "refusal" { "refusal" } else { "text" };
        ensure(string(part, name)?.is_empty(), "a new part has a text")?;
        if kind == "output_text" {
            ensure(list(part, "annotations")?.is_empty(), "a new part has annotations")?;
            list(part, "logprobs")?;
        }
        self.part = Some((kind.to_owned(), index, String::new()));
        self.text_done = false;
        Ok(())
    }

    fn open_part(&mut self, kind: &str, index: u64) -> Result<&mut String, String> {
        match &mut self.part {
            Some((open, place, text)) if open == kind && *place == index && !self.text_done => Ok(text),
            _ => Err(format!("there is no open part of type {kind} at {index}")),
        }
    }

    fn text(&mut self, kind: &str, index: u64, delta: &str) -> Result<(), String> {
        self.open_part(kind, index)?.push_str(delta);
        Ok(())
    }

    fn end_text(&mut self, kind: &str, index: u64, whole: &str) -> Result<(), String> {
        ensure(self.open_part(kind, index)? == whole, "the text differs from its pieces")?;
        self.text_done = true;
        Ok(())
    }

    fn end(&mut self, index: u64, part: &Object) -> Result<(), String> {
        let (kind, place, text) = self.part.take().ok_or("a part ends that did not begin")?;
        ensure(self.text_done, "the part ends before its text")?;
        ensure(place == index && string(part, "type")? == kind, "the part is another one")?;
        let name = if kind == "refusal" { "refusal" } else { "text" };
        ensure(string(part, name)? == text, "the text differs from its pieces")?;
        if kind == "output_text" {
            let annotations = std::mem::take(&mut self.annotations);
            ensure(*list(part, "annotations")? == annotations, "the annotations differ from those before")?;
            list(part, "logprobs")?;
        }
        let list = if kind == "summary_text" { &mut self.summary } else { &mut self.content };
        list.push(Value::Object(part.clone()));
        Ok(())
    }
}
