//! Anthropic Messages.

use crate::support::{
    ask::{Ask, Called, Choice, Fault, Piece, Said, Think, Turn, Usage, demand, list, number, text},
    sse,
};
use serde_json::{Map, Value, json};

const REASONS: [&str; 7] = [
    "end_turn",
    "max_tokens",
    "stop_sequence",
    "tool_use",
    "pause_turn",
    "refusal",
    "model_context_window_exceeded",
];

pub fn body(ask: &Ask) -> Value {
    let mut messages = Vec::new();
    for turn in &ask.turns {
        match turn {
            Turn::User(pieces) => messages.push(json!({"role": "user", "content": content(pieces)})),
            Turn::Said(kept) => messages.push(json!({"role": "assistant", "content": kept})),
            Turn::Results(outcomes) => {
                let blocks: Vec<Value> = outcomes
                    .iter()
                    .map(|o| json!({"type": "tool_result", "tool_use_id": o.id, "content": o.text}))
                    .collect();
                messages.push(json!({"role": "user", "content": blocks}));
            }
            Turn::System(text) => messages.push(json!({"role": "system", "content": text})),
        }
    }
    let mut body = Map::new();
    let mut set = |name: &str, value: Value| drop(body.insert(name.to_owned(), value));
    set("model", json!(ask.model));
    set("max_tokens", json!(ask.max_tokens.unwrap_or(4096)));
    let system: Vec<Value> =
        ask.system.iter().chain(&ask.developer).map(|text| json!({"type": "text", "text": text})).collect();
    if !system.is_empty() {
        set("system", json!(system));
    }
    set("messages", json!(messages));
    if ask.stream {
        set("stream", json!(true));
    }
    if !ask.tools.is_empty() {
        let tools = ask.tools.iter().map(
            |tool| json!({"name": tool.name, "description": "A tool.", "input_schema": tool.parameters}),
        );
        set("tools", tools.collect());
    }
    let mut choice = match &ask.choice {
        Choice::Unset => Value::Null,
        Choice::None => json!({"type": "none"}),
        Choice::Any => json!({"type": "any"}),
        Choice::Named(name) => json!({"type": "tool", "name": name}),
    };
    if ask.single_call {
        if choice.is_null() {
            choice = json!({"type": "auto"});
        }
        choice["disable_parallel_tool_use"] = json!(true);
    }
    if !choice.is_null() {
        set("tool_choice", choice);
    }
    let mut output = Map::new();
    match ask.think {
        None => {}
        Some(Think::Effort(effort)) => {
            set("thinking", json!({"type": "adaptive", "display": "summarized"}));
            output.insert("effort".to_owned(), json!(effort));
        }
        Some(Think::Budget(tokens)) => set("thinking", json!({"type": "enabled", "budget_tokens": tokens})),
    }
    if let Some(schema) = &ask.schema {
        output.insert("format".to_owned(), json!({"type": "json_schema", "schema": schema}));
    }
    if !output.is_empty() {
        set("output_config", Value::Object(output));
    }
    if !ask.stops.is_empty() {
        set("stop_sequences", json!(ask.stops));
    }
    body.extend(ask.extra.clone());
    Value::Object(body)
}

fn content(pieces: &[Piece]) -> Value {
    let blocks = pieces.iter().map(|piece| match piece {
        Piece::Text(text) => json!({"type": "text", "text": text}),
        Piece::Image(kind, data) => {
            json!({"type": "image", "source": {"type": "base64", "media_type": kind, "data": data}})
        }
        Piece::Link(url) => json!({"type": "image", "source": {"type": "url", "url": url}}),
    });
    blocks.collect()
}

fn shell(message: &Value) -> Result<Said, String> {
    demand(text(message, "id")?.starts_with("msg_"), || "the id must begin with msg_".to_owned())?;
    demand(message["type"] == "message", || "`type` must be message".to_owned())?;
    demand(message["role"] == "assistant", || "the role must be assistant".to_owned())?;
    for name in ["stop_reason", "stop_sequence"] {
        demand(message.get(name).is_some(), || format!("`{name}` must be there, if only as null"))?;
    }
    list(message, "content")?;
    Ok(Said {
        model: text(message, "model")?.to_owned(),
        usage: usage(&message["usage"])?,
        ..Said::default()
    })
}

pub fn whole(message: &Value) -> Result<Said, String> {
    let mut said = shell(message)?;
    for block in list(message, "content")? {
        said.block(block)?;
    }
    said.stopped(message)?;
    Ok(said)
}

impl Said {
    /// Takes a complete content block.
    fn block(&mut self, block: &Value) -> Result<(), String> {
        match text(block, "type")? {
            "text" => self.text.push_str(text(block, "text")?),
            "thinking" => {
                self.thinking.push_str(text(block, "thinking")?);
                // A block without a signature may go without one; an empty one is worse than none.
                let signature = block.get("signature");
                demand(signature.is_none_or(|s| s.as_str().is_some_and(|s| !s.is_empty())), || {
                    format!("an empty signature: {block}")
                })?;
                self.blob |= signature.is_some();
            }
            "redacted_thinking" => self.blob |= !text(block, "data")?.is_empty(),
            "tool_use" => {
                demand(block["input"].is_object(), || format!("an input that is no object: {block}"))?;
                let id = text(block, "id")?;
                let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
                demand(!id.is_empty() && id.chars().all(legal), || {
                    format!("an id that cannot be sent back: {id}")
                })?;
                let (id, name) = (id.to_owned(), text(block, "name")?.to_owned());
                self.calls.push(Called { id, name, arguments: block["input"].clone() });
            }
            "server_tool_use" => {
                demand(block["input"].is_object() && !text(block, "id")?.is_empty(), || {
                    format!("a server's call that cannot be read: {block}")
                })?;
            }
            "web_search_tool_result" | "code_execution_tool_result" => {
                demand(!text(block, "tool_use_id")?.is_empty() && !block["content"].is_null(), || {
                    format!("a result that answers no call: {block}")
                })?;
            }
            other => return Err(format!("a block that no client knows: {other}")),
        }
        self.kept.push(block.clone());
        Ok(())
    }

    fn stopped(&mut self, stop: &Value) -> Result<(), String> {
        let reason = text(stop, "stop_reason")?;
        demand(REASONS.contains(&reason), || format!("`{reason}` is no stop_reason"))?;
        reason.clone_into(&mut self.stop);
        self.sequence = stop["stop_sequence"].as_str().map(str::to_owned);
        if reason == "refusal" {
            self.refusal = self.text.clone();
        }
        demand(self.calls.is_empty() != (reason == "tool_use") || reason == "max_tokens", || {
            format!("{} calls and stop_reason {reason}", self.calls.len())
        })
    }
}

fn usage(usage: &Value) -> Result<Usage, String> {
    let cached = number(usage, "cache_read_input_tokens")?;
    let written = number(usage, "cache_creation_input_tokens")?;
    Ok(Usage {
        input: number(usage, "input_tokens")? + cached + written,
        cached,
        output: number(usage, "output_tokens")?,
        reasoning: usage["output_tokens_details"]["thinking_tokens"].as_u64().unwrap_or(0),
    })
}

pub fn fault(body: &Value) -> Result<Fault, String> {
    demand(body["type"] == "error", || "`type` must be error".to_owned())?;
    let error = &body["error"];
    Ok(Fault {
        kind: text(error, "type")?.to_owned(),
        message: text(error, "message")?.to_owned(),
        ..Fault::default()
    })
}

/// The block that is open.
struct Open {
    block: Value,
    input: String,
    signed: bool,
}

pub fn stream(bytes: &[u8]) -> Result<Said, String> {
    let mut events = sse::events(bytes)?.into_iter();
    let mut said: Option<Said> = None;
    let mut open: Option<Open> = None;
    let (mut index, mut stop) = (0, None);
    while let Some(event) = events.next() {
        let data = event.json()?;
        let kind = text(&data, "type")?;
        demand(event.name.as_deref() == Some(kind), || {
            format!("the event must be named like its type: {event:?}")
        })?;
        if kind == "ping" {
            continue;
        }
        if kind == "error" {
            demand(events.next().is_none(), || "something after an error".to_owned())?;
            let mut said = said.unwrap_or_default();
            said.error = Some(fault(&data)?);
            // The vendor does not close the block that an error interrupts.
            if let Some(open) = open {
                said.block(&open.closed()?)?;
            }
            return Ok(said);
        }
        if kind == "message_start" {
            demand(said.is_none(), || "message_start twice".to_owned())?;
            demand(list(&data["message"], "content")?.is_empty(), || "content in message_start".to_owned())?;
            said = Some(shell(&data["message"])?);
            continue;
        }
        let said = said.as_mut().ok_or_else(|| format!("{kind} before message_start"))?;
        match kind {
            "content_block_start" => {
                demand(open.is_none() && stop.is_none(), || "a block begins inside another".to_owned())?;
                demand(number(&data, "index")? == index, || format!("index {index} was due: {data}"))?;
                open = Some(opened(&data["content_block"])?);
            }
            "content_block_delta" => {
                demand(number(&data, "index")? == index, || format!("index {index} is open: {data}"))?;
                let open = open.as_mut().ok_or("a delta without a block")?;
                said.deltas += usize::from(data["delta"]["type"] == "text_delta");
                open.delta(&data["delta"]).map_err(|error| format!("{error}: {data}"))?;
            }
            "content_block_stop" => {
                demand(number(&data, "index")? == index, || format!("index {index} is open: {data}"))?;
                let block = open.take().ok_or("a stop without a block")?.closed()?;
                said.block(&block)?;
                index += 1;
            }
            "message_delta" => {
                demand(open.is_none(), || "message_delta inside a block".to_owned())?;
                said.usage = usage(&data["usage"])?;
                stop = Some(data["delta"].clone());
            }
            "message_stop" => {
                demand(index > 0, || "a message without any block".to_owned())?;
                said.stopped(&stop.ok_or("message_stop without message_delta")?)?;
                demand(events.next().is_none(), || "something after message_stop".to_owned())?;
                return Ok(std::mem::take(said));
            }
            other => return Err(format!("an event that no client knows: {other}")),
        }
    }
    Err("the stream has neither message_stop nor an error".to_owned())
}

fn opened(block: &Value) -> Result<Open, String> {
    let kind = text(block, "type")?;
    let empty = match kind {
        "text" => text(block, "text")?.is_empty(),
        "thinking" => text(block, "thinking")?.is_empty(),
        "tool_use" | "server_tool_use" => block["input"] == json!({}),
        _ => true,
    };
    demand(empty, || format!("a block that opens with content: {block}"))?;
    Ok(Open { block: block.clone(), input: String::new(), signed: false })
}

impl Open {
    fn delta(&mut self, delta: &Value) -> Result<(), String> {
        demand(!self.signed, || "a delta after the signature".to_owned())?;
        let open = self.block["type"].as_str().unwrap_or_default().to_owned();
        match (open.as_str(), text(delta, "type")?) {
            ("text", "text_delta") => self.append("text", text(delta, "text")?),
            ("text", "citations_delta") => {}
            ("thinking", "thinking_delta") => self.append("thinking", text(delta, "thinking")?),
            ("thinking", "signature_delta") => {
                self.block["signature"] = json!(text(delta, "signature")?);
                self.signed = true;
            }
            ("tool_use" | "server_tool_use", "input_json_delta") => {
                self.input.push_str(text(delta, "partial_json")?)
            }
            (block, delta) => return Err(format!("{delta} in a block of {block}")),
        }
        Ok(())
    }

    fn append(&mut self, name: &str, piece: &str) {
        let known = self.block[name].as_str().unwrap_or_default();
        self.block[name] = json!(format!("{known}{piece}"));
    }

    fn closed(mut self) -> Result<Value, String> {
        match self.block["type"].as_str().unwrap_or_default() {
            "tool_use" if !self.input.is_empty() => {
                // Arguments that the token limit cut are no JSON.
                self.block["input"] = serde_json::from_str(&self.input).unwrap_or_else(|_| json!({}));
            }
            "thinking" if !self.signed => {
                if let Some(block) = self.block.as_object_mut() {
                    block.remove("signature");
                }
            }
            _ => {}
        }
        Ok(self.block)
    }
}
