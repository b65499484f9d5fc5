//! The grammar of a Chat Completions stream, as strict clients insist on it. Shares nothing with the encoder.

use serde_json::Value;
use std::collections::BTreeMap;

/// What has been seen of one choice.
#[derive(Default)]
struct Choice {
    role: bool,
    finished: bool,
    /// Kind of each call by its index: `function` or `custom`.
    calls: Vec<String>,
}

/// Checks a whole stream. `Err` says which frame is wrong and why.
pub(crate) fn check(bytes: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("not UTF-8: {error}"))?;
    if text.contains(['\u{2028}', '\u{2029}']) {
        return Err("a bare line separator".to_owned());
    }
    let body = text.strip_suffix("\n\n").ok_or("the last frame has no blank line")?;
    let frames: Vec<&str> = body.split("\n\n").filter(|frame| !frame.starts_with(':')).collect();
    let mut stream = Stream::default();
    for (at, frame) in frames.iter().enumerate() {
        stream.frame(frame, at + 1 == frames.len()).map_err(|why| format!("frame {at}: {why}: {frame}"))?;
    }
    stream.whole()
}

#[derive(Default)]
struct Stream {
    envelope: Option<Value>,
    choices: BTreeMap<u64, Choice>,
    usage_null: Option<bool>,
    usage: bool,
    failed: bool,
    done: bool,
}

impl Stream {
    fn frame(&mut self, frame: &str, last: bool) -> Result<(), String> {
        if self.done || self.failed {
            return Err("something after the end".to_owned());
        }
        let data =
            frame.strip_prefix("data: ").filter(|data| !data.contains('\n')).ok_or("not one data line")?;
        if data == "[DONE]" {
            self.done = true;
            return if last { Ok(()) } else { Err("[DONE] is not the end".to_owned()) };
        }
        let chunk: Value = serde_json::from_str(data).map_err(|error| error.to_string())?;
        if let Some(error) = chunk.get("error") {
            self.failed = true;
            return shape(error, &[("message", "string"), ("type", "string")]);
        }
        shape(
            &chunk,
            &[
                ("id", "string"),
                ("object", "string"),
                ("created", "number"),
                ("model", "string"),
                ("choices", "array"),
            ],
        )?;
        if chunk["object"] != "chat.completion.chunk" {
            return Err("wrong object".to_owned());
        }
        let envelope = serde_json::json!([chunk["id"], chunk["created"], chunk["model"]]);
        if *self.envelope.get_or_insert_with(|| envelope.clone()) != envelope {
            return Err("id, created or model changed".to_owned());
        }
        if self.usage {
            return Err("a chunk after the usage".to_owned());
        }
        let entries = chunk["choices"].as_array().ok_or("no list of choices")?;
        if entries.is_empty() {
            return self.usage(&chunk["usage"]);
        }
        let null = chunk.get("usage").is_some_and(Value::is_null);
        if chunk.get("usage").is_some() && !null {
            return Err("usage beside choices".to_owned());
        }
        if *self.usage_null.get_or_insert(null) != null {
            return Err("`usage: null` on some chunks only".to_owned());
        }
        entries.iter().try_for_each(|entry| self.entry(entry))
    }

    fn usage(&mut self, usage: &Value) -> Result<(), String> {
        self.usage = true;
        if self.usage_null == Some(false) {
            return Err("usage although the client did not ask".to_owned());
        }
        if self.choices.values().any(|choice| !choice.finished) {
            return Err("usage before the finish".to_owned());
        }
        shape(
            usage,
            &[("prompt_tokens", "number"), ("completion_tokens", "number"), ("total_tokens", "number")],
        )?;
        let number = |name: &str| usage[name].as_u64().unwrap_or(0);
        if number("prompt_tokens").saturating_add(number("completion_tokens")) != number("total_tokens") {
            return Err("the total is not the sum".to_owned());
        }
        shape(&usage["prompt_tokens_details"], &[("cached_tokens", "number")])?;
        shape(&usage["completion_tokens_details"], &[("reasoning_tokens", "number")])
    }

    fn entry(&mut self, entry: &Value) -> Result<(), String> {
        shape(entry, &[("index", "number"), ("delta", "object")])?;
        let index = entry["index"].as_u64().ok_or("index is not a whole number")?;
        let choice = self.choices.entry(index).or_default();
        if choice.finished {
            return Err("a chunk after the finish of its choice".to_owned());
        }
        let delta = entry["delta"].as_object().ok_or("delta is not an object")?;
        match (delta.get("role"), choice.role) {
            (Some(role), false) if role == "assistant" => choice.role = true,
            (None, true) => {}
            (Some(_), _) => return Err("a role that is wrong or repeated".to_owned()),
            (None, false) => return Err("no role in the first chunk of a choice".to_owned()),
        }
        for (name, value) in delta {
            let fits = match name.as_str() {
                "role" | "content" | "refusal" | "reasoning_content" => value.is_string(),
                "annotations" | "images" => value.as_array().is_some_and(|list| !list.is_empty()),
                "audio" => value.is_object(),
                "tool_calls" => {
                    let list = value.as_array().filter(|list| !list.is_empty()).ok_or("empty tool_calls")?;
                    list.iter().try_for_each(|call| choice.call(call))?;
                    true
                }
                _ => false,
            };
            if !fits {
                return Err(format!("delta.{name} is unknown or has the wrong form"));
            }
        }
        let finish = entry.get("finish_reason").ok_or("no finish_reason")?;
        if finish.is_null() {
            return Ok(());
        }
        choice.finished = true;
        let calls = !choice.calls.is_empty();
        match finish.as_str() {
            _ if !delta.is_empty() => Err("the finish chunk has content".to_owned()),
            Some("tool_calls") if !calls => Err("tool_calls without a call".to_owned()),
            Some("stop") if calls => Err("stop although there is a call".to_owned()),
            Some("stop" | "length" | "content_filter" | "tool_calls") => Ok(()),
            _ => Err("a finish_reason that is not official".to_owned()),
        }
    }

    fn whole(&self) -> Result<(), String> {
        if self.failed {
            return Ok(());
        }
        if !self.done {
            return Err("neither [DONE] nor an error at the end".to_owned());
        }
        if self.choices.is_empty() || self.choices.values().any(|choice| !choice.finished) {
            return Err("a choice without a finish".to_owned());
        }
        if self.usage_null == Some(true) && !self.usage {
            return Err("usage was announced but never came".to_owned());
        }
        Ok(())
    }
}

impl Choice {
    fn call(&mut self, call: &Value) -> Result<(), String> {
        let index = call["index"].as_u64().and_then(|index| usize::try_from(index).ok());
        let index = index.ok_or("a call without an index")?;
        let first = index == self.calls.len();
        if first {
            shape(call, &[("id", "string"), ("type", "string")])?;
            self.calls.push(call["type"].as_str().unwrap_or_default().to_owned());
        }
        let kind = self.calls.get(index).ok_or("an index with a gap before it")?.as_str();
        if !first && (call.get("id").is_some() || call.get("type").is_some()) {
            return Err("id or type repeated".to_owned());
        }
        let input = match kind {
            "function" => "arguments",
            "custom" => "input",
            _ => return Err("a call of an unknown type".to_owned()),
        };
        let Some(inner) = call.get(kind) else {
            let signature = call.get("extra_content").is_some();
            return if signature && !first { Ok(()) } else { Err("a call that says nothing".to_owned()) };
        };
        shape(inner, &[(input, "string")])?;
        match inner.get("name") {
            Some(Value::String(name)) if first && !name.is_empty() => Ok(()),
            None if !first => Ok(()),
            _ => Err("a name that is missing, empty or repeated".to_owned()),
        }
    }
}

/// Whether an object has these members with these types.
fn shape(value: &Value, members: &[(&str, &str)]) -> Result<(), String> {
    for (name, kind) in members {
        let found = match &value[*name] {
            Value::Null => "missing",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        if found != *kind {
            return Err(format!("`{name}` is {found}, not {kind}"));
        }
    }
    Ok(())
}
