//! What a field that was lost is called in the dialect of the client.

use super::Loss;
use crate::ir::{Part, Request};
use byok_types::Dialect;
use std::borrow::Cow;

/// Puts losses into the words of the client. Encoders name most fields alike for all clients; a name that is already the
/// client's own stays as it is.
pub(crate) fn in_words_of(client: Dialect, losses: &mut [Loss]) {
    for loss in losses {
        if let Cow::Owned(named) = named(client, &loss.field) {
            loss.field = named;
        }
    }
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

/// Where a part stands in the client's request (`messages[2].content[0]`), found by identity. The list as a whole if the
/// part was made on the way.
pub(crate) fn path(request: &Request, part: &Part) -> String {
    let [list, system] = match request.dialect {
        Dialect::Chat => ["messages", "messages"],
        Dialect::Responses => ["input", "instructions"],
        Dialect::Messages => ["messages", "system"],
        Dialect::Gemini => ["contents", "systemInstruction.parts"],
    };
    if let Some(index) = request.system.iter().position(|p| std::ptr::eq(p, part)) {
        return format!("{system}[{index}]");
    }
    for (turn, message) in request.messages.iter().enumerate() {
        for (place, candidate) in message.parts.iter().enumerate() {
            let own = match request.dialect {
                Dialect::Gemini => format!("{list}[{turn}].parts[{place}]"),
                Dialect::Chat | Dialect::Messages | Dialect::Responses => {
                    format!("{list}[{turn}].content[{place}]")
                }
            };
            if std::ptr::eq(candidate, part) {
                return own;
            }
            if let Part::ToolResult(result) = candidate
                && let Some(inner) = result.parts.iter().position(|p| std::ptr::eq(p, part))
            {
                return match request.dialect {
                    Dialect::Messages => format!("{own}.content[{inner}]"),
                    Dialect::Chat => format!("{list}[{turn}].content[{inner}]"),
                    Dialect::Responses => format!("{list}[{turn}].output[{inner}]"),
                    Dialect::Gemini => own,
                };
            }
        }
    }
    list.to_owned()
}
