//! What a field that was lost is called in the dialect of the client.

use super::Loss;
use crate::{
    chat::WEB_SEARCH_OPTIONS,
    ir::{Message, Part, Request, ThinkingSwitch, Tool},
};
use byok_types::Dialect;
use std::borrow::Cow;

/// Puts losses into the words of the client. Encoders name most fields alike for all clients; a name that is already the
/// client's own stays as it is.
pub(crate) fn in_words_of(request: &Request, losses: &mut [Loss]) {
    // A level stands beside the switch there, and may stand alone.
    let level_alone =
        request.dialect == Dialect::Messages && request.reasoning.switch == ThinkingSwitch::Unset;
    for loss in losses {
        if level_alone && loss.field == "reasoning" {
            "output_config.effort".clone_into(&mut loss.field);
        } else if let Some(place) = of_tool(request, &loss.field) {
            loss.field = place;
        } else if let Cow::Owned(named) = named(request.dialect, &loss.field) {
            loss.field = named;
        }
    }
}

/// The client's name for a tool of the middle form, or for a member of one (`tools[1].blocked_domains`), if it is another.
fn of_tool(request: &Request, field: &str) -> Option<String> {
    let (index, member) = field.strip_prefix("tools[")?.split_once(']')?;
    let index: usize = index.parse().ok()?;
    let tool = request.tools.get(index)?;
    let member = match (request.dialect, member) {
        (Dialect::Responses, ".allowed_domains") => ".filters.allowed_domains",
        (Dialect::Responses, ".blocked_domains") => ".filters.blocked_domains",
        (Dialect::Gemini, ".blocked_domains") => ".excludeDomains",
        (_, member) => member,
    };
    let own = match tool {
        // A Chat client switches a search on by a field of its own, which is a tool only in the middle form.
        Tool::Hosted(tool) if tool.type_name == WEB_SEARCH_OPTIONS => WEB_SEARCH_OPTIONS.to_owned(),
        _ => request.tool_places.get(index).cloned().unwrap_or_else(|| format!("tools[{index}]")),
    };
    Some(own + member)
}

fn named(client: Dialect, field: &str) -> Cow<'_, str> {
    if client == Dialect::Gemini
        && let Some(label) = field.strip_prefix("metadata.")
    {
        return Cow::Owned(format!("labels.{label}"));
    }
    own_word(client, field).map_or(Cow::Borrowed(field), |word| Cow::Owned(word.to_owned()))
}

/// The client's word for a common one, if it is another.
fn own_word(client: Dialect, field: &str) -> Option<&'static str> {
    let [chat, responses, messages, gemini] = match field {
        "cachedContent" => ["", "", "", "cachedContent"],
        "frequency_penalty" => ["", "", "", "generationConfig.frequencyPenalty"],
        "imageConfig" | "image" => ["modalities", "", "", "generationConfig.imageConfig"],
        "instructions" | "system" => ["messages", "instructions", "system", "systemInstruction"],
        "logprobs" => ["", "top_logprobs", "", "generationConfig.responseLogprobs"],
        "max_output_tokens" | "max_tokens" => {
            ["max_tokens", "max_output_tokens", "max_tokens", "generationConfig.maxOutputTokens"]
        }
        "messages" => ["", "input", "", "contents"],
        "metadata" => ["", "", "", "labels"],
        "modalities" | "responseModalities" => ["modalities", "", "", "generationConfig.responseModalities"],
        "output_format" | "response_format" => {
            ["response_format", "text.format", "output_config.format", "generationConfig.responseMimeType"]
        }
        "parallel_tool_calls" => ["", "", "tool_choice.disable_parallel_tool_use", ""],
        "presence_penalty" => ["", "", "", "generationConfig.presencePenalty"],
        "reasoning" => ["reasoning_effort", "reasoning", "thinking", "generationConfig.thinkingConfig"],
        "safety" => ["moderation", "moderation", "", "safetySettings"],
        "seed" => ["", "", "", "generationConfig.seed"],
        "service_tier" => ["", "", "", "serviceTier"],
        "speechConfig" | "audio" => ["audio", "", "", "generationConfig.speechConfig"],
        "stop" => ["", "", "stop_sequences", "generationConfig.stopSequences"],
        "temperature" => ["", "", "", "generationConfig.temperature"],
        "tool_choice" => ["", "", "", "toolConfig.functionCallingConfig"],
        "top_k" => ["", "", "", "generationConfig.topK"],
        "top_p" => ["", "", "", "generationConfig.topP"],
        "user" => ["", "", "metadata.user_id", ""],
        "verbosity" => ["", "text.verbosity", "", ""],
        _ => return None,
    };
    let word = match client {
        Dialect::Chat => chat,
        Dialect::Responses => responses,
        Dialect::Messages => messages,
        Dialect::Gemini => gemini,
    };
    (!word.is_empty()).then_some(word)
}

/// The client's name for a member of what it says about reasoning.
pub(crate) fn of_reasoning(client: Dialect, member: &str) -> String {
    let object = match client {
        Dialect::Chat | Dialect::Responses => "reasoning",
        Dialect::Messages => "thinking",
        Dialect::Gemini => "generationConfig.thinkingConfig",
    };
    format!("{object}.{member}")
}

/// Where the part `at` of the message `index` stands. `earlier_calls` counts the calls before it, which Chat has in a list of
/// their own.
pub(super) fn place(
    client: Dialect,
    message: &Message,
    index: usize,
    at: usize,
    earlier_calls: impl FnOnce() -> usize,
) -> String {
    let list = list(client);
    match (client, message.parts.get(at)) {
        (Dialect::Gemini, _) => format!("{list}[{index}].parts[{at}]"),
        (Dialect::Chat, Some(Part::ToolCall(_))) => {
            format!("{list}[{index}].tool_calls[{}]", earlier_calls())
        }
        (Dialect::Chat, Some(Part::ToolResult(_))) => format!("{list}[{index}].content"),
        (Dialect::Chat, Some(Part::Thinking(_)))
        | (
            Dialect::Responses,
            Some(
                Part::ToolCall(_)
                | Part::Thinking(_)
                | Part::ServerCall(_)
                | Part::ServerResult(_)
                | Part::Compaction(_)
                | Part::ConfigChange(_),
            ),
        ) => format!("{list}[{index}]"),
        (Dialect::Chat, _) => {
            // Reasoning stands in a member of its own, before the content.
            let thought = usize::from(matches!(message.parts.first(), Some(Part::Thinking(_))));
            content(client, index, at.saturating_sub(thought))
        }
        (Dialect::Responses, Some(Part::ToolResult(_))) => format!("{list}[{index}].output"),
        // What byok does not know is an item, unless it stands beside others in a message.
        (Dialect::Responses, Some(Part::Opaque(_))) if message.parts.len() == 1 => format!("{list}[{index}]"),
        (Dialect::Responses | Dialect::Messages, _) => content(client, index, at),
    }
}

/// The name of who speaks in the message `index`.
pub(crate) fn name_of_speaker(client: Dialect, index: usize) -> String {
    format!("{}[{index}].name", list(client))
}

/// Where the piece `at` of the content of the message `index` stands.
pub(crate) fn content(client: Dialect, index: usize, at: usize) -> String {
    let member = if client == Dialect::Gemini { "parts" } else { "content" };
    format!("{}[{index}].{member}[{at}]", list(client))
}

/// Where the piece `inner` of a tool result stands, which is the part `at` of the message `index`.
pub(crate) fn within(client: Dialect, index: usize, at: usize, inner: usize) -> String {
    match client {
        Dialect::Messages => format!("messages[{index}].content[{at}].content[{inner}]"),
        Dialect::Chat => format!("messages[{index}].content[{inner}]"),
        Dialect::Responses => format!("input[{index}].output[{inner}]"),
        Dialect::Gemini => format!("contents[{index}].parts[{at}]"),
    }
}

pub(super) fn list(client: Dialect) -> &'static str {
    match client {
        Dialect::Chat | Dialect::Messages => "messages",
        Dialect::Responses => "input",
        Dialect::Gemini => "contents",
    }
}
