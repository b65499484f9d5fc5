//! From bytes to bytes, in one call.

use byok_translate::{Exchange, Ids, Incoming, Loss, StreamReader, codec, ir::Fold};
use byok_types::{Dialect, Effort, Family, MaxTokensField, ModelFacts, ThinkingFacts, ThinkingForm};
use serde_json::{Value, json};

/// What is known of the model of each dialect's own vendor; for Chat, of a compatible server.
pub(crate) fn facts(dialect: Dialect) -> ModelFacts {
    let (family, forms) = match dialect {
        Dialect::Chat => (Family::Other, vec![ThinkingForm::Level]),
        Dialect::Responses => (Family::Openai, vec![ThinkingForm::Level]),
        Dialect::Messages => (Family::Claude, vec![ThinkingForm::Budget]),
        Dialect::Gemini => (Family::Gemini, vec![ThinkingForm::Budget]),
    };
    ModelFacts {
        id: "up".into(),
        family,
        max_output_tokens: Some(64_000),
        thinking: ThinkingFacts {
            forms,
            budget: Some((1024, 63_999)),
            can_disable: true,
            ..ThinkingFacts::default()
        },
        max_tokens_field: MaxTokensField::MaxTokens,
        first_party: dialect != Dialect::Chat,
        ..ModelFacts::default()
    }
}

/// A Gemini model that takes levels and wants signatures.
pub(crate) fn gemini_3() -> ModelFacts {
    let mut facts = facts(Dialect::Gemini);
    facts.thinking.forms = vec![ThinkingForm::Level];
    facts.thinking.levels = vec![Effort::Low, Effort::High];
    facts.call_signatures = true;
    facts.result_media = true;
    facts
}

/// The request as the upstream gets it, and what was lost.
pub(crate) fn asked_of(
    client: Dialect,
    upstream: Dialect,
    facts: &ModelFacts,
    body: &Value,
) -> (Value, Vec<Loss>) {
    let body = body.to_string();
    let incoming = Incoming { body: body.as_bytes(), model: Some("m"), stream: None };
    let request = codec::decode_request(client, &incoming).unwrap();
    let written = codec::encode_request(upstream, &request.value, facts, &mut Ids::new("seed")).unwrap();
    let mut losses = request.losses;
    losses.extend(written.losses);
    (serde_json::from_slice(&written.value).unwrap(), losses)
}

/// The same for the usual model of the upstream.
pub(crate) fn asked(client: Dialect, upstream: Dialect, body: &Value) -> Value {
    asked_of(client, upstream, &facts(upstream), body).0
}

/// What passes between one client and one upstream.
pub(crate) struct Talk {
    pub(crate) exchange: Exchange,
}

impl Talk {
    /// About a request that says little.
    pub(crate) fn new(upstream: Dialect, client: Dialect) -> Self {
        let usage = json!({"include_usage": true});
        let body = match client {
            Dialect::Chat => json!({"model": "m", "messages": [user("x")], "stream_options": usage}),
            Dialect::Messages => json!({"model": "m", "max_tokens": 9, "messages": [user("x")]}),
            Dialect::Responses => json!({"model": "m", "input": "x"}),
            Dialect::Gemini => json!({"contents": [{"role": "user", "parts": [{"text": "x"}]}]}),
        };
        Self::about(upstream, client, &body)
    }

    /// About this request.
    pub(crate) fn about(upstream: Dialect, client: Dialect, body: &Value) -> Self {
        let body = body.to_string();
        let incoming = Incoming { body: body.as_bytes(), model: Some("m"), stream: None };
        let request = codec::decode_request(client, &incoming).unwrap().value;
        Self { exchange: Exchange::new(&request, &facts(upstream), upstream, 1, "seed") }
    }

    /// The stream that the client gets for these bytes of the upstream and the end of its connection.
    pub(crate) fn bytes(&self, upstream: &str) -> String {
        self.pieces(&[upstream.as_bytes()])
    }

    /// The same for bytes that come in pieces.
    pub(crate) fn pieces(&self, pieces: &[&[u8]]) -> String {
        let mut reader = StreamReader::new(&self.exchange, 64 << 20);
        let mut encoder = codec::StreamEncoder::new(&self.exchange);
        let (mut events, mut out) = (Vec::new(), Vec::new());
        for piece in pieces {
            reader.push(piece, &mut events);
        }
        reader.finish(&mut events);
        for event in events {
            encoder.push(event, &mut out);
        }
        let grammar = match self.exchange.client {
            Dialect::Chat => crate::chat_grammar::check(&out),
            Dialect::Responses => crate::responses_grammar::check(&out),
            Dialect::Messages => crate::messages_grammar::check(&out),
            Dialect::Gemini => crate::gemini_grammar::check(&out),
        };
        let out = String::from_utf8(out).unwrap();
        assert_eq!(grammar, Ok(()), "{out}");
        out
    }

    /// The data of each frame; a mark that is no JSON is a string.
    pub(crate) fn frames(&self, upstream: &str) -> Vec<Value> {
        let data = |line: &str| line.strip_prefix("data: ").map(str::to_owned);
        let json = |text: String| serde_json::from_str(&text).unwrap_or(Value::String(text));
        self.bytes(upstream).lines().filter_map(data).map(json).collect()
    }

    /// The stream in short: one line for what happens.
    pub(crate) fn told(&self, upstream: &str) -> Vec<String> {
        let frames = self.frames(upstream);
        match self.exchange.client {
            Dialect::Messages => frames.iter().filter_map(messages_line).collect(),
            Dialect::Responses => frames.iter().filter_map(responses_line).collect(),
            Dialect::Chat => frames.iter().flat_map(chat_lines).collect(),
            Dialect::Gemini => frames.iter().map(Value::to_string).collect(),
        }
    }

    /// The whole answer for a whole answer.
    pub(crate) fn whole(&self, upstream: &Value) -> Value {
        let body = upstream.to_string();
        let mut fold = Fold::default();
        for event in byok_translate::read_answer(body.as_bytes(), &self.exchange).unwrap().value {
            fold.push(event);
        }
        let answer = codec::encode_answer(&fold.finish().unwrap(), &self.exchange).value;
        if self.exchange.client == Dialect::Gemini {
            assert_eq!(crate::gemini_grammar::check_answer(&answer), Ok(()));
        }
        serde_json::from_slice(&answer).unwrap()
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn messages_line(frame: &Value) -> Option<String> {
    let (at, block, delta) = (&frame["index"], &frame["content_block"], &frame["delta"]);
    Some(match text(&frame["type"]) {
        "content_block_start" => format!("{at} {} {}", text(&block["type"]), text(&block["name"])),
        "content_block_delta" => {
            let said =
                ["text", "thinking", "partial_json", "signature"].map(|key| text(&delta[key])).concat();
            format!("{at} {}: {said}", text(&delta["type"]))
        }
        "content_block_stop" => format!("{at} stop"),
        "message_delta" => text(&delta["stop_reason"]).to_owned(),
        "error" => format!("error {}", text(&frame["error"]["type"])),
        "message_stop" => "message_stop".to_owned(),
        _ => return None,
    })
}

fn responses_line(frame: &Value) -> Option<String> {
    let (at, item) = (&frame["output_index"], &frame["item"]);
    let kind = text(&frame["type"]).strip_prefix("response.")?;
    Some(match kind {
        "output_item.added" | "output_item.done" => {
            format!("{at} {} {}", text(&item["type"]), kind.trim_start_matches("output_item."))
        }
        "created" | "in_progress" => return None,
        "completed" | "incomplete" | "failed" => kind.to_owned(),
        _ => {
            let said = ["delta", "arguments", "text", "input"].map(|key| text(&frame[key])).concat();
            format!("{at} {kind}: {said}")
        }
    })
}

fn chat_lines(frame: &Value) -> Vec<String> {
    if let Some(mark) = frame.as_str() {
        return vec![mark.to_owned()];
    }
    if frame.get("error").is_some() {
        return vec![format!("error {}", text(&frame["error"]["type"]))];
    }
    let mut lines = Vec::new();
    for choice in frame["choices"].as_array().into_iter().flatten() {
        let delta = &choice["delta"];
        for key in ["reasoning_content", "content", "refusal"] {
            lines.extend(
                delta[key].as_str().filter(|said| !said.is_empty()).map(|said| format!("{key}: {said}")),
            );
        }
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            let function = &call["function"];
            lines.push(format!(
                "call {} {}{}",
                call["index"],
                text(&function["name"]),
                text(&function["arguments"])
            ));
        }
        lines.extend(choice["finish_reason"].as_str().map(|reason| format!("finish {reason}")));
    }
    lines
}

/// What ends a Chat stream.
pub(crate) const DONE: &str = "data: [DONE]\n\n";

/// Chunks of a Chat stream, each given by its delta.
pub(crate) fn deltas(deltas: &[Value]) -> String {
    let chunk = |delta: &Value| chunk(&json!([{"index": 0, "delta": delta, "finish_reason": null}]));
    deltas.iter().map(chunk).collect()
}

/// The chunk that ends a choice.
pub(crate) fn finish(reason: &str) -> String {
    chunk(&json!([{"index": 0, "delta": {}, "finish_reason": reason}]))
}

/// A chunk of a Chat stream.
pub(crate) fn chunk(choices: &Value) -> String {
    let chunk = json!({
        "id": "c", "object": "chat.completion.chunk", "created": 1, "model": "up", "choices": choices,
    });
    format!("data: {chunk}\n\n")
}

/// A piece of a call in a Chat delta.
pub(crate) fn call(piece: &Value) -> Value {
    json!({"tool_calls": [piece]})
}

/// Events of Messages or Responses, each named by its type.
pub(crate) fn events(events: &[Value]) -> String {
    let frames: Vec<_> =
        events.iter().map(|event| format!("event: {}\ndata: {event}\n\n", text(&event["type"]))).collect();
    frames.concat()
}

/// A Messages stream about these events between its beginning and its end.
pub(crate) fn message(inner: &[Value], stop: &str) -> String {
    let usage = json!({"input_tokens": 1, "output_tokens": 1});
    let begin = json!({"type": "message_start", "message": {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "up", "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": usage,
    }});
    let end = [
        json!({"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": null}, "usage": usage}),
        json!({"type": "message_stop"}),
    ];
    events(&[&[begin], inner, &end].concat())
}

/// A Responses stream: its beginning, these events, and its end with these items.
pub(crate) fn response(inner: &[Value], output: &Value) -> String {
    let object = |status: &str, output: &Value| {
        json!({"id": "resp_1", "object": "response", "created_at": 1, "model": "up", "status": status,
            "output": output, "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}})
    };
    let begin = json!({"type": "response.created", "response": object("in_progress", &json!([]))});
    let end = json!({"type": "response.completed", "response": object("completed", output)});
    events(&[&[begin], inner, &[end]].concat())
}

/// Chunks of a Gemini stream, each given by its parts; the last one ends it.
pub(crate) fn parts(chunks: &[Value]) -> String {
    let last = chunks.len() - 1;
    let frame = |(at, parts): (usize, &Value)| {
        let mut candidate = json!({"index": 0, "content": {"role": "model", "parts": parts}});
        if at == last {
            candidate["finishReason"] = "STOP".into();
        }
        let usage = json!({"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2});
        format!(
            "data: {}\n\n",
            json!({"candidates": [candidate], "usageMetadata": usage, "modelVersion": "up"})
        )
    };
    chunks.iter().enumerate().map(frame).collect()
}

/// A user turn of Chat and Messages.
pub(crate) fn user(text: impl Into<Value>) -> Value {
    json!({"role": "user", "content": text.into()})
}

/// An assistant turn of Chat and Messages.
pub(crate) fn assistant(content: impl Into<Value>) -> Value {
    json!({"role": "assistant", "content": content.into()})
}

/// A Chat turn that calls functions with these ids.
pub(crate) fn calling(ids: &[&str]) -> Value {
    let function = json!({"name": "f", "arguments": "{}"});
    let calls: Vec<Value> =
        ids.iter().map(|id| json!({"id": id, "type": "function", "function": function})).collect();
    json!({"role": "assistant", "content": "", "tool_calls": calls})
}

/// A result in Chat.
pub(crate) fn tool(id: &str, text: &str) -> Value {
    json!({"role": "tool", "tool_call_id": id, "content": text})
}

/// A call in Messages.
pub(crate) fn uses(id: &str) -> Value {
    json!({"type": "tool_use", "id": id, "name": "f", "input": {}})
}

/// A result in Messages.
pub(crate) fn result(id: &str, content: impl Into<Value>) -> Value {
    json!({"type": "tool_result", "tool_use_id": id, "content": content.into()})
}

/// A request of Messages.
pub(crate) fn messages(turns: impl Into<Value>) -> Value {
    json!({"model": "m", "max_tokens": 1000, "messages": turns.into()})
}

/// A request of Chat.
pub(crate) fn chat(turns: impl Into<Value>) -> Value {
    json!({"model": "m", "messages": turns.into()})
}

/// What stands at a path in each element of a list.
pub(crate) fn each(list: &Value, pointer: &str) -> Vec<Value> {
    let list = list.as_array().unwrap_or_else(|| panic!("no list: {list}"));
    list.iter().map(|value| value.pointer(pointer).cloned().unwrap_or_default()).collect()
}
