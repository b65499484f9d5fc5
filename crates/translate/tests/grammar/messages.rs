//! Checks that bytes are a stream of Anthropic Messages as its SDKs read them. Shares nothing with the encoder.

use serde_json::Value;

/// What the bytes break, in words.
pub(crate) fn check(bytes: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "not UTF-8")?;
    if text.contains(['\u{2028}', '\u{2029}']) {
        return Err("a raw line separator".into());
    }
    let mut checker = Checker::default();
    for frame in frames(text)? {
        checker.frame(&frame).map_err(|fault| format!("{fault} at {frame}"))?;
    }
    if !text.is_empty() && !checker.over {
        return Err("no end".into());
    }
    Ok(())
}

/// The JSON of all frames. Every frame is an `event:` line, a `data:` line and a blank line.
pub(crate) fn frames(text: &str) -> Result<Vec<Value>, String> {
    if !text.is_empty() && !text.ends_with("\n\n") {
        return Err("the last frame has no blank line".into());
    }
    let mut all = Vec::new();
    for frame in text.split("\n\n").filter(|frame| !frame.is_empty()) {
        let lines: Vec<&str> = frame.split('\n').collect();
        let [event, data] = lines[..] else { return Err(format!("not two lines: {frame:?}")) };
        let event = event.strip_prefix("event: ").ok_or_else(|| format!("no event line: {frame:?}"))?;
        let data = data.strip_prefix("data: ").ok_or_else(|| format!("no data line: {frame:?}"))?;
        let json: Value = serde_json::from_str(data).map_err(|e| format!("bad JSON ({e}): {data}"))?;
        if json["type"] != event {
            return Err(format!("event and type differ: {frame:?}"));
        }
        all.push(json);
    }
    Ok(all)
}

#[derive(Default)]
struct Checker {
    started: bool,
    blocks: u64,
    open: Option<Open>,
    empty: Empty,
    calls: u64,
    stop_reason: Option<String>,
    over: bool,
}

/// Blocks without content, which are faults only in an answer that succeeds.
#[derive(Default)]
struct Empty {
    text: bool,
    call: bool,
}

struct Open {
    kind: String,
    has_text: bool,
    sealed: bool,
    input: String,
}

impl Checker {
    fn frame(&mut self, frame: &Value) -> Result<(), String> {
        if self.over {
            return Err("something after the end".into());
        }
        let kind = frame["type"].as_str().unwrap_or_default();
        match kind {
            "error" => {
                let error = &frame["error"];
                if !error["type"].is_string() || !error["message"].is_string() {
                    return Err("an error without type or message".into());
                }
                if self.open.is_some() {
                    return Err("an error within a block".into());
                }
                self.over = true;
                Ok(())
            }
            "ping" => Ok(()),
            "message_start" => self.message_start(&frame["message"]),
            _ if !self.started => Err("before message_start".into()),
            "content_block_start" => self.block_start(frame),
            "content_block_delta" => self.block_delta(frame),
            "content_block_stop" => self.block_stop(frame),
            "message_delta" => self.message_delta(frame),
            "message_stop" if self.stop_reason.is_none() => Err("no message_delta before".into()),
            "message_stop" => {
                self.over = true;
                Ok(())
            }
            _ => Err("an unknown event".into()),
        }
    }

    fn message_start(&mut self, message: &Value) -> Result<(), String> {
        if std::mem::replace(&mut self.started, true) {
            return Err("a second message_start".into());
        }
        let is_fine = message["type"] == "message"
            && message["role"] == "assistant"
            && message["id"].as_str().is_some_and(|id| !id.is_empty())
            && message["model"].is_string()
            && message["content"].as_array().is_some_and(Vec::is_empty)
            && message.get("stop_reason").is_some_and(Value::is_null)
            && message.get("stop_sequence").is_some_and(Value::is_null);
        if is_fine { usage(&message["usage"]) } else { Err("an incomplete message".into()) }
    }

    fn block_start(&mut self, frame: &Value) -> Result<(), String> {
        if self.open.is_some() || self.stop_reason.is_some() {
            return Err("a block begins within another or after the end".into());
        }
        if frame["index"].as_u64() != Some(self.blocks) {
            return Err(format!("index is not {}", self.blocks));
        }
        let block = &frame["content_block"];
        let kind = block["type"].as_str().ok_or("a block without type")?;
        let is_fine = match kind {
            "text" => block["text"] == "",
            "thinking" => block["thinking"] == "" && block["signature"] == "",
            "redacted_thinking" => block["data"].as_str().is_some_and(|data| !data.is_empty()),
            "tool_use" | "server_tool_use" => {
                self.calls += u64::from(kind == "tool_use");
                block["id"].as_str().is_some_and(|id| !id.is_empty())
                    && block["name"].as_str().is_some_and(|name| !name.is_empty())
                    && block["input"] == serde_json::json!({})
            }
            kind if kind.ends_with("_tool_result") => {
                block["tool_use_id"].is_string() && !block["content"].is_null()
            }
            _ => true,
        };
        let open = Open { kind: kind.to_owned(), has_text: false, sealed: false, input: String::new() };
        self.open = Some(open);
        if is_fine { Ok(()) } else { Err("a block that begins wrongly".into()) }
    }

    fn block_delta(&mut self, frame: &Value) -> Result<(), String> {
        let open = self.open.as_mut().ok_or("a delta outside of a block")?;
        if frame["index"].as_u64() != Some(self.blocks) {
            return Err("a delta of another block".into());
        }
        if open.sealed {
            return Err("a delta after the signature".into());
        }
        let delta = &frame["delta"];
        let text = |name: &str| delta[name].as_str().ok_or_else(|| format!("no {name}"));
        match (open.kind.as_str(), delta["type"].as_str().unwrap_or_default()) {
            ("text", "text_delta") => open.has_text |= !text("text")?.is_empty(),
            ("text", "citations_delta") => {
                delta["citation"]["type"].as_str().ok_or("a citation without type")?;
            }
            ("thinking", "thinking_delta") => drop(text("thinking")?),
            ("thinking", "signature_delta") => {
                open.sealed = !text("signature")?.is_empty();
                if !open.sealed {
                    return Err("an empty signature".into());
                }
            }
            ("tool_use" | "server_tool_use" | "mcp_tool_use", "input_json_delta") => {
                open.input.push_str(text("partial_json")?);
            }
            (kind, delta) => return Err(format!("{delta} in {kind}")),
        }
        Ok(())
    }

    fn block_stop(&mut self, frame: &Value) -> Result<(), String> {
        let open = self.open.take().ok_or("no block to stop")?;
        if frame["index"].as_u64() != Some(self.blocks) {
            return Err("another block stops".into());
        }
        self.blocks += 1;
        self.empty.text |= open.kind == "text" && !open.has_text;
        self.empty.call |= open.kind == "tool_use" && open.input.is_empty();
        Ok(())
    }

    fn message_delta(&mut self, frame: &Value) -> Result<(), String> {
        if self.open.is_some() {
            return Err("a block is open".into());
        }
        if self.empty.text && self.blocks > 1 {
            return Err("an empty text block beside others".into());
        }
        if self.empty.call {
            return Err("a call without input".into());
        }
        let reason = frame["delta"]["stop_reason"].as_str().ok_or("no stop_reason")?;
        // The vendor adds words; the words of others are never right.
        let foreign = ["stop", "length", "tool_calls", "content_filter", "completed", "incomplete", "failed"];
        let is_word = !reason.is_empty() && reason.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        if !is_word || foreign.contains(&reason) {
            return Err(format!("unknown stop_reason {reason}"));
        }
        if reason == "tool_use" && self.calls == 0 {
            return Err("waits for a tool that was not called".into());
        }
        if reason == "end_turn" && self.calls > 0 {
            return Err("a call that nobody waits for".into());
        }
        self.stop_reason = Some(reason.to_owned());
        usage(&frame["usage"])
    }
}

fn usage(usage: &Value) -> Result<(), String> {
    let numbers = ["input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"];
    let tools = &usage["server_tool_use"];
    let is_fine = numbers.iter().all(|name| usage[*name].is_u64())
        && tools["web_search_requests"].is_u64()
        && tools["web_fetch_requests"].is_u64();
    if is_fine { Ok(()) } else { Err("incomplete usage".into()) }
}
