//! OpenAI Chat Completions.

use crate::support::{
    ask::{Ask, Called, Choice, Fault, Piece, Said, Think, Turn, Usage, demand, list, number, text},
    sse,
};
use serde_json::{Map, Value, json};

const REASONS: [&str; 4] = ["stop", "length", "tool_calls", "content_filter"];

pub fn body(ask: &Ask) -> Value {
    let mut messages = Vec::new();
    messages.extend(ask.system.iter().map(|text| json!({"role": "system", "content": text})));
    messages.extend(ask.developer.iter().map(|text| json!({"role": "developer", "content": text})));
    for turn in &ask.turns {
        match turn {
            Turn::User(pieces) => messages.push(json!({"role": "user", "content": content(pieces)})),
            Turn::Said(kept) => messages.extend(kept.iter().cloned()),
            Turn::Results(outcomes) => messages.extend(
                outcomes.iter().map(|o| json!({"role": "tool", "tool_call_id": o.id, "content": o.text})),
            ),
            Turn::System(text) => messages.push(json!({"role": "system", "content": text})),
        }
    }
    let mut body = Map::new();
    let mut set = |name: &str, value: Value| drop(body.insert(name.to_owned(), value));
    set("model", json!(ask.model));
    set("messages", json!(messages));
    if ask.stream {
        set("stream", json!(true));
        set("stream_options", json!({"include_usage": true}));
    }
    if !ask.tools.is_empty() {
        let tools = ask.tools.iter().map(|tool| {
            json!({"type": "function", "function": {
                "name": tool.name, "description": "A tool.", "parameters": tool.parameters,
            }})
        });
        set("tools", tools.collect());
    }
    match &ask.choice {
        Choice::Unset => {}
        Choice::None => set("tool_choice", json!("none")),
        Choice::Any => set("tool_choice", json!("required")),
        Choice::Named(name) => set("tool_choice", json!({"type": "function", "function": {"name": name}})),
    }
    if ask.single_call {
        set("parallel_tool_calls", json!(false));
    }
    if let Some(Think::Effort(effort)) = ask.think {
        set("reasoning_effort", json!(effort));
    }
    if !ask.stops.is_empty() {
        set("stop", json!(ask.stops));
    }
    if let Some(schema) = &ask.schema {
        let schema = json!({"name": "answer", "schema": schema, "strict": true});
        set("response_format", json!({"type": "json_schema", "json_schema": schema}));
    }
    if let Some(most) = ask.max_tokens {
        set("max_completion_tokens", json!(most));
    }
    body.extend(ask.extra.clone());
    Value::Object(body)
}

fn content(pieces: &[Piece]) -> Value {
    if let [Piece::Text(text)] = pieces {
        return json!(text);
    }
    let parts = pieces.iter().map(|piece| match piece {
        Piece::Text(text) => json!({"type": "text", "text": text}),
        Piece::Image(kind, data) => {
            json!({"type": "image_url", "image_url": {"url": format!("data:{kind};base64,{data}")}})
        }
        Piece::Link(url) => json!({"type": "image_url", "image_url": {"url": url}}),
    });
    parts.collect()
}

pub fn whole(body: &Value) -> Result<Said, String> {
    demand(text(body, "id")?.starts_with("chatcmpl-"), || "the id must begin with chatcmpl-".to_owned())?;
    demand(body["object"] == "chat.completion", || "`object` must be chat.completion".to_owned())?;
    number(body, "created")?;
    let choices = list(body, "choices")?;
    let choice = choices.first().ok_or("there is no choice")?;
    demand(number(choice, "index")? == 0, || "the first choice must have index 0".to_owned())?;
    let message = &choice["message"];
    demand(message["role"] == "assistant", || "the role must be assistant".to_owned())?;
    for name in ["content", "refusal"] {
        let shown = message.get(name);
        demand(shown.is_some_and(|v| v.is_null() || v.is_string()), || {
            format!("`{name}` must be a text or null")
        })?;
    }
    demand(choice.get("logprobs").is_some(), || "`logprobs` must be there, if only as null".to_owned())?;
    let stop = text(choice, "finish_reason")?;
    demand(REASONS.contains(&stop), || format!("`{stop}` is no finish_reason"))?;
    let mut said = Said {
        model: text(body, "model")?.to_owned(),
        text: message["content"].as_str().unwrap_or_default().to_owned(),
        thinking: message["reasoning_content"].as_str().unwrap_or_default().to_owned(),
        refusal: message["refusal"].as_str().unwrap_or_default().to_owned(),
        stop: stop.to_owned(),
        usage: usage(&body["usage"])?,
        kept: vec![message.clone()],
        ..Said::default()
    };
    // The vendor shows thinking under this name and does not take it back.
    said.kept[0].as_object_mut().ok_or("a message must be an object")?.remove("reasoning_content");
    for call in message["tool_calls"].as_array().into_iter().flatten() {
        demand(call["type"] == "function", || format!("a call without its type: {call}"))?;
        said.calls.push(called(text(call, "id")?, &call["function"])?);
    }
    finished(&said)?;
    Ok(said)
}

fn called(id: &str, function: &Value) -> Result<Called, String> {
    let raw = text(function, "arguments")?;
    // Arguments that the token limit cut are no JSON; then they stay a text.
    let arguments = serde_json::from_str(raw).unwrap_or_else(|_| json!(raw));
    demand(!id.is_empty(), || "a call without an id".to_owned())?;
    Ok(Called { id: id.to_owned(), name: text(function, "name")?.to_owned(), arguments })
}

fn finished(said: &Said) -> Result<(), String> {
    let calls = !said.calls.is_empty();
    demand(calls == (said.stop == "tool_calls") || said.stop == "length", || {
        format!("{} calls and finish_reason {}", said.calls.len(), said.stop)
    })
}

fn usage(usage: &Value) -> Result<Usage, String> {
    let (input, output) = (number(usage, "prompt_tokens")?, number(usage, "completion_tokens")?);
    demand(number(usage, "total_tokens")? == input + output, || format!("the total is no sum: {usage}"))?;
    Ok(Usage {
        input,
        output,
        cached: number(&usage["prompt_tokens_details"], "cached_tokens")?,
        reasoning: number(&usage["completion_tokens_details"], "reasoning_tokens")?,
    })
}

pub fn fault(error: &Value) -> Result<Fault, String> {
    let code = error.get("code").ok_or("`code` must be there, if only as null")?;
    let param = error.get("param").ok_or("`param` must be there, if only as null")?;
    Ok(Fault {
        kind: text(error, "type")?.to_owned(),
        code: code.as_str().unwrap_or_default().to_owned(),
        message: text(error, "message")?.to_owned(),
        param: param.as_str().unwrap_or_default().to_owned(),
    })
}

/// A stream that is being read.
#[derive(Default)]
struct Reader {
    said: Said,
    /// `id`, `created` and `model`, which all chunks share.
    shell: Option<(Value, Value, Value)>,
    calls: Vec<Value>,
    finished: bool,
    counted: bool,
}

pub fn stream(bytes: &[u8]) -> Result<Said, String> {
    let mut events = sse::events(bytes)?.into_iter();
    let mut reader = Reader::default();
    for event in events.by_ref() {
        demand(event.name.is_none(), || format!("an event with a name: {event:?}"))?;
        if event.data == "[DONE]" {
            let rest = events.next();
            demand(rest.is_none(), || format!("something after [DONE]: {rest:?}"))?;
            return reader.end();
        }
        let chunk = event.json()?;
        if !chunk["error"].is_null() {
            reader.said.error = Some(fault(&chunk["error"])?);
            let rest = events.next();
            demand(rest.is_none_or(|event| event.data == "[DONE]"), || {
                "something after an error".to_owned()
            })?;
            demand(!reader.finished, || "an error after the end".to_owned())?;
            return Ok(reader.said);
        }
        reader.chunk(&chunk).map_err(|error| format!("{error}: {chunk}"))?;
    }
    Err("the stream has neither [DONE] nor an error".to_owned())
}

impl Reader {
    fn chunk(&mut self, chunk: &Value) -> Result<(), String> {
        demand(chunk["object"] == "chat.completion.chunk", || "a wrong `object`".to_owned())?;
        demand(text(chunk, "id")?.starts_with("chatcmpl-"), || "a wrong id".to_owned())?;
        number(chunk, "created")?;
        let shell = (chunk["id"].clone(), chunk["created"].clone(), chunk["model"].clone());
        let first = self.shell.is_none();
        demand(*self.shell.get_or_insert_with(|| shell.clone()) == shell, || {
            "id, created or model changed".to_owned()
        })?;
        text(chunk, "model")?.clone_into(&mut self.said.model);
        let choices = list(chunk, "choices")?;
        let Some(choice) = choices.first() else {
            demand(self.finished, || "usage before the end".to_owned())?;
            demand(!self.counted, || "usage twice".to_owned())?;
            self.counted = true;
            self.said.usage = usage(&chunk["usage"])?;
            return Ok(());
        };
        demand(chunk["usage"].is_null(), || "usage beside a choice".to_owned())?;
        demand(number(choice, "index")? == 0, || "a second choice".to_owned())?;
        demand(!self.finished, || "a chunk after the finish".to_owned())?;
        let delta = choice["delta"].as_object().ok_or("`delta` must be an object")?;
        match delta.get("role") {
            Some(role) => {
                demand(first && role == "assistant", || "the role stands in the first chunk only".to_owned())?
            }
            None => demand(!first, || "the first chunk must name the role".to_owned())?,
        }
        self.delta(delta)?;
        match choice.get("finish_reason") {
            None => Err("`finish_reason` must be there, if only as null".to_owned()),
            Some(Value::Null) => Ok(()),
            Some(reason) => {
                let reason = reason.as_str().unwrap_or_default();
                demand(REASONS.contains(&reason), || format!("`{reason}` is no finish_reason"))?;
                reason.clone_into(&mut self.said.stop);
                self.finished = true;
                Ok(())
            }
        }
    }

    fn delta(&mut self, delta: &Map<String, Value>) -> Result<(), String> {
        let piece = |name: &str| delta.get(name).and_then(Value::as_str).unwrap_or_default();
        if !piece("content").is_empty() {
            self.said.deltas += 1;
        }
        self.said.text.push_str(piece("content"));
        self.said.thinking.push_str(piece("reasoning_content"));
        self.said.refusal.push_str(piece("refusal"));
        for call in delta.get("tool_calls").and_then(Value::as_array).into_iter().flatten() {
            self.call(call)?;
        }
        Ok(())
    }

    fn call(&mut self, call: &Value) -> Result<(), String> {
        let index = usize::try_from(number(call, "index")?).map_err(|e| e.to_string())?;
        let fragment = text(&call["function"], "arguments")?;
        if index == self.calls.len() {
            demand(call["type"] == "function", || "a new call must say its type".to_owned())?;
            called(text(call, "id")?, &json!({"name": call["function"]["name"], "arguments": "{}"}))?;
            let mut new = call.clone();
            new.as_object_mut().ok_or("a call must be an object")?.remove("index");
            self.calls.push(new);
            return Ok(());
        }
        demand(index + 1 == self.calls.len(), || format!("call {index} after call {}", self.calls.len()))?;
        demand(call["function"].get("name").is_none(), || "a name twice".to_owned())?;
        let known = &mut self.calls[index]["function"]["arguments"];
        *known = json!(format!("{}{fragment}", known.as_str().unwrap_or_default()));
        Ok(())
    }

    fn end(mut self) -> Result<Said, String> {
        demand(self.finished, || "[DONE] without a finish_reason".to_owned())?;
        demand(self.counted, || "[DONE] without usage, which was asked for".to_owned())?;
        for call in &self.calls {
            let id = call["id"].as_str().unwrap_or_default();
            self.said.calls.push(called(id, &call["function"])?);
        }
        finished(&self.said)?;
        let mut message = json!({"role": "assistant", "content": self.said.text});
        if !self.calls.is_empty() {
            message["tool_calls"] = json!(self.calls);
            if self.said.text.is_empty() {
                message["content"] = Value::Null;
            }
        }
        self.said.kept = vec![message];
        Ok(self.said)
    }
}
