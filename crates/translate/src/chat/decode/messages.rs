//! Messages of a request.

use super::{
    extra,
    parts::{self, At},
};
use crate::{
    Json,
    chat::{
        body::{BodyAudio, BodyCache, BodyCall, BodyFunctionCall, BodyMessage},
        thought,
    },
    content_id,
    ir::{
        Audio, Failure, Flavour, Message, Part, Refusal, Role, Source, Text, Thinking, ToolCall, ToolResult,
    },
    open_calls::{Known, OpenCalls},
};
use byok_types::Dialect;

/// Reads messages in order. Remembers the calls of the latest assistant message, because results of the old `function`
/// role, and of careless clients, do not say which call they answer.
#[derive(Default)]
pub(super) struct Messages {
    open: OpenCalls,
}

impl Messages {
    pub(super) fn read(&mut self, index: usize, message: BodyMessage) -> Result<Message, Failure> {
        let role = match message.role.as_deref() {
            Some("system") => Role::System,
            Some("developer") => Role::Developer,
            Some("user") => Role::User,
            Some("assistant") => Role::Assistant,
            Some("tool" | "function") => Role::Tool,
            other => {
                let path = format!("messages[{index}].role");
                let message = format!(
                    "`{path}` is {}: use `system`, `developer`, `user`, `assistant` or `tool`.",
                    other.map_or_else(|| "missing".to_owned(), |role| format!("`{role}`"))
                );
                return Err(Failure::bad_request(path, message));
            }
        };
        match role {
            Role::Assistant => self.assistant(index, message),
            Role::Tool => self.result(index, message),
            Role::System | Role::Developer | Role::User => {
                let mut parts = parts::parts(message.content, index)?;
                mark(&mut parts, message.cache_control);
                let mut read = Message::new(role, parts);
                read.name = message.name;
                read.extra = extra(message.extra);
                Ok(read)
            }
        }
    }

    fn assistant(&mut self, index: usize, message: BodyMessage) -> Result<Message, Failure> {
        let mut parts = Vec::new();
        parts.extend(reasoning(message.reasoning_content, message.reasoning, message.reasoning_details));
        parts.extend(parts::parts(message.content, index)?);
        mark(&mut parts, message.cache_control);
        if let Some(text) = message.refusal {
            parts.push(Part::Refusal(Refusal { text, ..Refusal::default() }));
        }
        parts.extend(message.audio.map(earlier_audio));
        for (part, json) in message.images.into_iter().enumerate() {
            parts.push(parts::read_part(json, At { message: index, part })?);
        }
        let legacy =
            message.function_call.map(|call| BodyCall { function: Some(call), ..BodyCall::default() });
        let mut blocks = parts.len();
        for (place, call) in message.tool_calls.into_iter().chain(legacy).enumerate() {
            let mut call = read_call(call, index, place)?;
            if let Some(at) = parts[..blocks].iter().position(|part| repeats(part, &call))
                && let Part::ToolCall(block) = parts.remove(at)
            {
                blocks -= 1;
                call.cache = block.cache;
            }
            parts.push(Part::ToolCall(call));
        }
        self.open.clear();
        for (place, part) in parts.iter_mut().enumerate() {
            let Part::ToolCall(call) = part else { continue };
            if call.call_id.is_empty() {
                // The same history gives the same id again, so that results pair and prompt caches hold.
                let place = [index.to_string(), place.to_string()];
                call.call_id = content_id("call_", &[&place[0], &place[1], &call.name, &call.arguments]);
            }
            self.open.push(call.call_id.clone(), call.name.clone(), false);
        }
        let mut read = Message::new(Role::Assistant, parts);
        read.name = message.name;
        read.extra = extra(message.extra);
        Ok(read)
    }

    fn result(&mut self, index: usize, message: BodyMessage) -> Result<Message, Failure> {
        // An empty id names no call, as in the call that it answers.
        let said = message.tool_call_id.filter(|id| !id.is_empty());
        let answered = match (&said, &message.name) {
            (Some(id), _) => self.open.answer(Known::Id, id),
            (None, Some(name)) => self.open.answer(Known::Name, name),
            (None, None) => self.open.answer_first(),
        };
        let Some(call_id) = said.or_else(|| answered.map(str::to_owned)) else {
            let path = format!("messages[{index}].tool_call_id");
            let message =
                format!("`{path}` is missing: repeat the `id` of the call that this result answers.");
            return Err(Failure::bad_request(path, message));
        };
        let result = ToolResult {
            call_id,
            name: message.name,
            parts: parts::parts(message.content, index)?,
            cache: message.cache_control.and_then(|cache| parts::hint(Some(cache), None)),
            extra: extra(message.extra),
            ..ToolResult::default()
        };
        Ok(Message::new(Role::Tool, vec![Part::ToolResult(result)]))
    }
}

/// Puts a cache marker of the whole message on its last text.
fn mark(parts: &mut [Part], cache: Option<BodyCache>) {
    let last = parts.iter_mut().rev().find_map(|part| match part {
        Part::Text(text) => Some(text),
        _ => None,
    });
    if let (Some(Text { cache: slot @ None, .. }), Some(_)) = (last, &cache) {
        *slot = parts::hint(cache, None);
    }
}

/// Reasoning that stands in members of the message. Which members they were is kept beside the text, so that a server
/// gets back what it sent.
fn reasoning(content: Option<String>, reasoning: Option<Json>, details: Option<Json>) -> Option<Part> {
    let mut thinking = Thinking::default();
    let plain = reasoning.as_ref().and_then(Json::as_string);
    let text = content.or(plain).or_else(|| details.as_ref().map(thought::text_of_details));
    thinking.summary.push(text?);
    for (name, json) in [("reasoning", reasoning), ("reasoning_details", details)] {
        if let Some(json) = json {
            thinking.extra.push(Dialect::Chat, name, json);
        }
    }
    Some(Part::Thinking(thinking))
}

/// Sound of an earlier answer, by its id.
fn earlier_audio(audio: BodyAudio) -> Part {
    Part::Audio(Audio {
        source: audio.data.map(|data| Source::Base64 { media_type: "audio/wav".to_owned(), data }),
        format: audio.format,
        id: audio.id,
        transcript: audio.transcript,
        expires_at: audio.expires_at,
        extra: extra(audio.extra),
    })
}

/// Whether a block of the content is the same call once more, as clients keep it that speak two dialects.
fn repeats(part: &Part, call: &ToolCall) -> bool {
    let Part::ToolCall(block) = part else { return false };
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    let same_arguments = || {
        block.arguments == call.arguments
            || value(&block.arguments).is_some_and(|said| Some(said) == value(&call.arguments))
    };
    !call.call_id.is_empty() && block.call_id == call.call_id && block.name == call.name && same_arguments()
}

fn read_call(call: BodyCall, message: usize, place: usize) -> Result<ToolCall, Failure> {
    let custom = call.kind.as_deref() == Some("custom") || call.custom.is_some();
    let flavour = if custom { Flavour::Custom } else { Flavour::Function };
    let inner = call.custom.or(call.function).unwrap_or_else(|| BodyFunctionCall {
        name: call.name,
        input: call.arguments.or(call.input).unwrap_or_default(),
        extra: Vec::new(),
    });
    let Some(name) = inner.name.filter(|name| !name.is_empty()) else {
        let path = format!("messages[{message}].tool_calls[{place}].function.name");
        let message = format!("`{path}` is missing: name the tool that was called.");
        return Err(Failure::bad_request(path, message));
    };
    let arguments = inner.input.0;
    let call_id = call.id.unwrap_or_default();
    let mut extras = extra(call.extra);
    if !inner.extra.is_empty() {
        let member = if custom { "custom" } else { "function" };
        extras.push(Dialect::Chat, member, parts::members(&inner.extra));
    }
    let (blob, extra_content) = call.extra_content.map_or((None, None), thought::take_signature);
    if let Some(json) = extra_content {
        extras.push(Dialect::Chat, "extra_content", json);
    }
    Ok(ToolCall { call_id, name, flavour, arguments, blob, extra: extras, ..ToolCall::default() })
}
