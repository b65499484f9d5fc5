//! OpenAI Responses.

use crate::support::{
    ask::{Ask, Called, Choice, Fault, Piece, Said, Think, Turn, Usage, demand, list, number, text},
    sse,
};
use serde_json::{Map, Value, json};

pub fn body(ask: &Ask) -> Value {
    let mut input = Vec::new();
    input.extend(
        ask.developer.iter().map(|text| json!({"type": "message", "role": "developer", "content": text})),
    );
    for turn in &ask.turns {
        match turn {
            Turn::User(pieces) => {
                input.push(json!({"type": "message", "role": "user", "content": content(pieces)}))
            }
            Turn::Said(kept) => input.extend(kept.iter().cloned()),
            Turn::Results(outcomes) => input.extend(
                outcomes
                    .iter()
                    .map(|o| json!({"type": "function_call_output", "call_id": o.id, "output": o.text})),
            ),
            Turn::System(text) => input.push(json!({"type": "message", "role": "system", "content": text})),
        }
    }
    let mut body = Map::new();
    let mut set = |name: &str, value: Value| drop(body.insert(name.to_owned(), value));
    set("model", json!(ask.model));
    if !ask.system.is_empty() {
        set("instructions", json!(ask.system.join("\n\n")));
    }
    set("input", json!(input));
    set("store", json!(false));
    set("include", json!(["reasoning.encrypted_content"]));
    if ask.stream {
        set("stream", json!(true));
    }
    if !ask.tools.is_empty() {
        let tools = ask.tools.iter().map(|tool| {
            json!({
                "type": "function", "name": tool.name, "description": "A tool.", "parameters": tool.parameters,
                "strict": false,
            })
        });
        set("tools", tools.collect());
    }
    match &ask.choice {
        Choice::Unset => {}
        Choice::None => set("tool_choice", json!("none")),
        Choice::Any => set("tool_choice", json!("required")),
        Choice::Named(name) => set("tool_choice", json!({"type": "function", "name": name})),
    }
    if ask.single_call {
        set("parallel_tool_calls", json!(false));
    }
    if let Some(Think::Effort(effort)) = ask.think {
        set("reasoning", json!({"effort": effort, "summary": "auto"}));
    }
    if let Some(schema) = &ask.schema {
        let format = json!({"type": "json_schema", "name": "answer", "schema": schema, "strict": true});
        set("text", json!({"format": format}));
    }
    if let Some(most) = ask.max_tokens {
        set("max_output_tokens", json!(most));
    }
    body.extend(ask.extra.clone());
    Value::Object(body)
}

fn content(pieces: &[Piece]) -> Value {
    let parts = pieces.iter().map(|piece| match piece {
        Piece::Text(text) => json!({"type": "input_text", "text": text}),
        Piece::Image(kind, data) => {
            let url = format!("data:{kind};base64,{data}");
            json!({"type": "input_image", "image_url": url, "detail": "auto"})
        }
        Piece::Link(url) => json!({"type": "input_image", "image_url": url, "detail": "auto"}),
    });
    parts.collect()
}

/// Members of a response that the types of the SDKs demand.
const MEMBERS: [&str; 12] = [
    "error",
    "incomplete_details",
    "instructions",
    "metadata",
    "model",
    "output",
    "parallel_tool_calls",
    "temperature",
    "tool_choice",
    "tools",
    "top_p",
    "usage",
];

fn shell(response: &Value, status: &[&str]) -> Result<(), String> {
    demand(text(response, "id")?.starts_with("resp_"), || "the id must begin with resp_".to_owned())?;
    demand(response["object"] == "response", || "`object` must be response".to_owned())?;
    demand(response["created_at"].is_number(), || "`created_at` must be a number".to_owned())?;
    for name in MEMBERS {
        demand(response.get(name).is_some(), || format!("`{name}` must be there, if only as null"))?;
    }
    let found = text(response, "status")?;
    demand(status.contains(&found), || format!("status {found} instead of {status:?}"))
}

pub fn whole(response: &Value) -> Result<Said, String> {
    shell(response, &["completed", "incomplete"])?;
    let mut said = Said {
        model: text(response, "model")?.to_owned(),
        stop: stop(response)?,
        usage: usage(&response["usage"])?,
        ..Said::default()
    };
    for item in list(response, "output")? {
        said.item(item).map_err(|error| format!("{error}: {item}"))?;
    }
    Ok(said)
}

/// `completed`, or the reason for which the answer is incomplete.
fn stop(response: &Value) -> Result<String, String> {
    if response["status"] == "completed" {
        demand(response["incomplete_details"].is_null(), || "completed and incomplete".to_owned())?;
        return Ok("completed".to_owned());
    }
    text(&response["incomplete_details"], "reason").map(str::to_owned)
}

fn usage(usage: &Value) -> Result<Usage, String> {
    let (input, output) = (number(usage, "input_tokens")?, number(usage, "output_tokens")?);
    demand(number(usage, "total_tokens")? == input + output, || format!("the total is no sum: {usage}"))?;
    Ok(Usage {
        input,
        output,
        cached: number(&usage["input_tokens_details"], "cached_tokens")?,
        reasoning: number(&usage["output_tokens_details"], "reasoning_tokens")?,
    })
}

impl Said {
    /// Takes a complete output item.
    fn item(&mut self, item: &Value) -> Result<(), String> {
        demand(!text(item, "id")?.is_empty(), || "an item without an id".to_owned())?;
        match text(item, "type")? {
            "message" => {
                demand(item["role"] == "assistant", || "the role must be assistant".to_owned())?;
                text(item, "status")?;
                for part in list(item, "content")? {
                    match text(part, "type")? {
                        "output_text" => {
                            list(part, "annotations")?;
                            self.text.push_str(text(part, "text")?);
                        }
                        "refusal" => self.refusal.push_str(text(part, "refusal")?),
                        other => return Err(format!("a part that no client knows: {other}")),
                    }
                }
            }
            "reasoning" => {
                for part in list(item, "summary")? {
                    demand(part["type"] == "summary_text", || "a summary that is none".to_owned())?;
                    self.thinking.push_str(text(part, "text")?);
                }
                self.blob |= item["encrypted_content"].as_str().is_some_and(|blob| !blob.is_empty());
            }
            "function_call" => {
                text(item, "status")?;
                let raw = text(item, "arguments")?;
                let arguments = serde_json::from_str(raw).unwrap_or_else(|_| json!(raw));
                let id = text(item, "call_id")?;
                demand(!id.is_empty() && id.len() <= 64, || format!("an id that cannot be sent back: {id}"))?;
                let (id, name) = (id.to_owned(), text(item, "name")?.to_owned());
                self.calls.push(Called { id, name, arguments });
            }
            "custom_tool_call" => {
                let (id, name) = (text(item, "call_id")?, text(item, "name")?);
                demand(!id.is_empty() && id.len() <= 64, || format!("an id that cannot be sent back: {id}"))?;
                let arguments = json!(text(item, "input")?);
                self.calls.push(Called { id: id.to_owned(), name: name.to_owned(), arguments });
            }
            "tool_search_call" => {
                let id = text(item, "call_id")?;
                demand(!id.is_empty() && id.len() <= 64, || format!("an id that cannot be sent back: {id}"))?;
                demand(item["execution"] == "client" && item["arguments"].is_object(), || {
                    "a search that the client does not read".to_owned()
                })?;
            }
            "web_search_call" => {}
            "compaction" => {
                demand(!text(item, "encrypted_content")?.is_empty(), || {
                    "a compaction of nothing".to_owned()
                })?;
            }
            "code_interpreter_call" => {
                text(item, "status")?;
                text(item, "container_id")?;
                for name in ["code", "outputs"] {
                    demand(item.get(name).is_some(), || format!("`{name}` must be there, if only as null"))?;
                }
            }
            other => return Err(format!("an item that no client knows: {other}")),
        }
        self.kept.push(item.clone());
        Ok(())
    }
}

/// The item that is open.
struct Open {
    id: String,
    kind: String,
    /// Texts of the parts, by index: summaries, contents, or the one argument text.
    parts: Vec<Part>,
}

#[derive(Default)]
struct Part {
    text: String,
    /// The done event of the text has come.
    told: bool,
    /// The part is over.
    over: bool,
}

#[derive(Default)]
struct Reader {
    said: Said,
    id: String,
    items: Vec<Value>,
    open: Option<Open>,
}

pub fn stream(bytes: &[u8]) -> Result<Said, String> {
    let mut events = sse::events(bytes)?.into_iter().enumerate();
    let mut reader = Reader::default();
    while let Some((place, event)) = events.next() {
        let data = event.json()?;
        let kind = text(&data, "type")?.to_owned();
        demand(event.name.as_deref() == Some(&kind), || {
            format!("the event must be named like its type: {event:?}")
        })?;
        demand(number(&data, "sequence_number")? == place as u64, || {
            format!("number {place} was due: {data}")
        })?;
        let wrong = |error: String| format!("{error}: {data}");
        if kind == "error" {
            reader.said.error = Some(Fault {
                kind: "error".to_owned(),
                code: data["code"].as_str().unwrap_or_default().to_owned(),
                message: text(&data, "message")?.to_owned(),
                param: String::new(),
            });
            reader.broken_off();
        } else if kind == "response.failed" {
            demand(data["response"]["status"] == "failed", || wrong("a wrong status".to_owned()))?;
            let error = &data["response"]["error"];
            let code = text(error, "code")?.to_owned();
            let message = text(error, "message")?.to_owned();
            reader.said.error =
                Some(Fault { kind: "failed".to_owned(), code, message, param: String::new() });
            reader.broken_off();
        } else {
            let over = reader.event(place, &kind, &data).map_err(wrong)?;
            if !over {
                continue;
            }
        }
        demand(events.next().is_none(), || format!("something after {kind}"))?;
        return Ok(reader.said);
    }
    Err("the stream has no terminal event".to_owned())
}

impl Reader {
    /// Whether it was the terminal event.
    fn event(&mut self, place: usize, kind: &str, data: &Value) -> Result<bool, String> {
        match (place, kind) {
            (0, "response.created") => {
                shell(&data["response"], &["in_progress"])?;
                text(&data["response"], "id")?.clone_into(&mut self.id);
                text(&data["response"], "model")?.clone_into(&mut self.said.model);
                return Ok(false);
            }
            (1, "response.in_progress") => {
                demand(data["response"]["id"] == *self.id, || "the id changed".to_owned())?;
                return Ok(false);
            }
            (0 | 1, _) => return Err("response.created and response.in_progress must come first".to_owned()),
            (_, "response.completed" | "response.incomplete") => {
                self.terminal(kind, &data["response"])?;
                return Ok(true);
            }
            (_, "response.output_item.added") => self.added(data)?,
            (_, "response.output_item.done") => self.done(data)?,
            (_, kind) => {
                let at = self.items.len() as u64;
                let open = self.open.as_mut().ok_or("an event without an open item")?;
                demand(number(data, "output_index")? == at, || format!("output_index {at} is open"))?;
                demand(data["item_id"] == *open.id, || format!("item {} is open", open.id))?;
                self.said.deltas += usize::from(kind == "response.output_text.delta");
                open.event(kind, data)?;
            }
        }
        Ok(false)
    }

    fn added(&mut self, data: &Value) -> Result<(), String> {
        demand(self.open.is_none(), || "an item begins inside another".to_owned())?;
        let at = self.items.len() as u64;
        demand(number(data, "output_index")? == at, || format!("output_index {at} was due"))?;
        let item = &data["item"];
        let kind = text(item, "type")?.to_owned();
        match kind.as_str() {
            "message" => {
                demand(list(item, "content")?.is_empty(), || "a message that begins with content".to_owned())?
            }
            "reasoning" => {
                demand(list(item, "summary")?.is_empty(), || "reasoning that begins with text".to_owned())?
            }
            "function_call" => {
                demand(text(item, "arguments")?.is_empty(), || {
                    "a call that begins with arguments".to_owned()
                })?;
                demand(!text(item, "call_id")?.is_empty() && !text(item, "name")?.is_empty(), || {
                    "a call without id or name".to_owned()
                })?;
            }
            _ => {}
        }
        self.open = Some(Open { id: text(item, "id")?.to_owned(), kind, parts: Vec::new() });
        Ok(())
    }

    fn done(&mut self, data: &Value) -> Result<(), String> {
        let open = self.open.take().ok_or("an item ends that never began")?;
        let at = self.items.len() as u64;
        demand(number(data, "output_index")? == at, || format!("output_index {at} is open"))?;
        let item = &data["item"];
        demand(item["id"] == *open.id && item["type"] == *open.kind, || "another item was open".to_owned())?;
        let mut whole = Said::default();
        whole.item(item)?;
        let streamed: String = open.parts.iter().map(|part| part.text.as_str()).collect();
        let said = match open.kind.as_str() {
            "message" => whole.text.clone() + &whole.refusal,
            "reasoning" => whole.thinking.clone(),
            "function_call" => item["arguments"].as_str().unwrap_or_default().to_owned(),
            "custom_tool_call" => item["input"].as_str().unwrap_or_default().to_owned(),
            _ => String::new(),
        };
        demand(streamed == said, || format!("the deltas say {streamed:?}, the item says {said:?}"))?;
        demand(open.parts.iter().all(|part| part.told && part.over), || {
            "an item ends before its parts".to_owned()
        })?;
        self.said.item(item)?;
        self.items.push(item.clone());
        Ok(())
    }

    /// What was said of the item that an error interrupted.
    fn broken_off(&mut self) {
        for open in self.open.take().into_iter().filter(|open| open.kind == "message") {
            self.said.text.extend(open.parts.into_iter().map(|part| part.text));
        }
    }

    fn terminal(&mut self, kind: &str, response: &Value) -> Result<(), String> {
        demand(self.open.is_none(), || "the answer ends inside an item".to_owned())?;
        demand(response["id"] == *self.id, || "the id changed".to_owned())?;
        shell(response, &[kind.trim_start_matches("response.")])?;
        demand(list(response, "output")? == &self.items, || {
            "the items are not those of the stream".to_owned()
        })?;
        self.said.stop = stop(response)?;
        self.said.usage = usage(&response["usage"])?;
        Ok(())
    }
}

impl Open {
    fn event(&mut self, kind: &str, data: &Value) -> Result<(), String> {
        let index =
            |name: &str| number(data, name).and_then(|n| usize::try_from(n).map_err(|e| e.to_string()));
        let kind = kind.trim_start_matches("response.");
        match (self.kind.as_str(), kind) {
            ("message", "content_part.added") => self.begin(index("content_index")?),
            ("message", "content_part.done") => self.end(index("content_index")?),
            ("message", "output_text.delta" | "refusal.delta") => {
                self.say(index("content_index")?, text(data, "delta")?)
            }
            ("message", "output_text.done") => self.tell(index("content_index")?, text(data, "text")?),
            ("message", "refusal.done") => self.tell(index("content_index")?, text(data, "refusal")?),
            ("message", "output_text.annotation.added") => index("annotation_index").map(drop),
            ("reasoning", "reasoning_summary_part.added") => self.begin(index("summary_index")?),
            ("reasoning", "reasoning_summary_part.done") => self.end(index("summary_index")?),
            ("reasoning", "reasoning_summary_text.delta") => {
                self.say(index("summary_index")?, text(data, "delta")?)
            }
            ("reasoning", "reasoning_summary_text.done") => {
                self.tell(index("summary_index")?, text(data, "text")?)
            }
            ("function_call", "function_call_arguments.delta")
            | ("custom_tool_call", "custom_tool_call_input.delta") => {
                if self.parts.is_empty() {
                    self.begin(0)?;
                }
                self.say(0, text(data, "delta")?)
            }
            ("function_call", "function_call_arguments.done") => self.input(text(data, "arguments")?),
            ("custom_tool_call", "custom_tool_call_input.done") => self.input(text(data, "input")?),
            ("web_search_call", _) => Ok(()),
            ("code_interpreter_call", event) => {
                let known = ["in_progress", "interpreting", "completed"];
                let code = ["code.delta", "code.done"];
                let event = event
                    .trim_start_matches("code_interpreter_call_")
                    .trim_start_matches("code_interpreter_call.");
                demand(known.contains(&event) || code.contains(&event), || format!("{event} in code"))
            }
            (item, event) => Err(format!("{event} in an item of {item}")),
        }
    }

    /// The end of a call's input.
    fn input(&mut self, whole: &str) -> Result<(), String> {
        if self.parts.is_empty() {
            self.begin(0)?;
            self.say(0, whole)?;
        }
        self.tell(0, whole)?;
        self.end(0)
    }

    fn begin(&mut self, index: usize) -> Result<(), String> {
        demand(index == self.parts.len(), || format!("part {} was due", self.parts.len()))?;
        demand(self.parts.last().is_none_or(|part| part.over), || "a part begins inside another".to_owned())?;
        self.parts.push(Part::default());
        Ok(())
    }

    fn part(&mut self, index: usize) -> Result<&mut Part, String> {
        demand(index + 1 == self.parts.len(), || format!("part {index} is not open"))?;
        self.parts.last_mut().ok_or_else(|| "no part is open".to_owned())
    }

    fn say(&mut self, index: usize, piece: &str) -> Result<(), String> {
        let part = self.part(index)?;
        demand(!part.told, || "a delta after the end of the text".to_owned())?;
        part.text.push_str(piece);
        Ok(())
    }

    fn tell(&mut self, index: usize, whole: &str) -> Result<(), String> {
        let part = self.part(index)?;
        demand(part.text == whole, || format!("the deltas say {:?}, the end says {whole:?}", part.text))?;
        part.told = true;
        Ok(())
    }

    fn end(&mut self, index: usize) -> Result<(), String> {
        let part = self.part(index)?;
        demand(part.told && !part.over, || "a part ends before its text".to_owned())?;
        part.over = true;
        Ok(())
    }
}
