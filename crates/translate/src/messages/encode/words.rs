//! What a field is called in the dialect of the client, for losses and refusals.

use crate::ir::{Part, Request};
use byok_types::Dialect;

/// A concept that may be lost or refused.
#[derive(Clone, Copy, Debug)]
pub(super) enum Field {
    Format,
    Logprobs,
    MaxToolCalls,
    Messages,
    N,
    Reasoning,
    Seed,
    ServiceTier,
    Speed,
    Stop,
    System,
    Temperature,
    ToolChoice,
    Tools,
    TopK,
    TopP,
}

/// The name of a concept in a dialect.
pub(super) fn name(dialect: Dialect, field: Field) -> &'static str {
    use Dialect::{Chat, Gemini, Messages, Responses};
    match (field, dialect) {
        (Field::Format, Chat) => "response_format",
        (Field::Format, Responses) => "text.format",
        (Field::Format, Messages) => "output_config.format",
        (Field::Format, Gemini) => "generationConfig.responseMimeType",
        (Field::Logprobs, Gemini) => "generationConfig.responseLogprobs",
        (Field::Logprobs, Chat) => "logprobs",
        (Field::Logprobs, Responses | Messages) => "top_logprobs",
        (Field::MaxToolCalls, _) => "max_tool_calls",
        (Field::Messages, Chat | Messages) | (Field::System, Chat) => "messages",
        (Field::Messages, Responses) => "input",
        (Field::Messages, Gemini) => "contents",
        (Field::N, Gemini) => "generationConfig.candidateCount",
        (Field::N, _) => "n",
        (Field::Reasoning, Chat) => "reasoning_effort",
        (Field::Reasoning, Responses) => "reasoning",
        (Field::Reasoning, Messages) => "thinking",
        (Field::Reasoning, Gemini) => "generationConfig.thinkingConfig",
        (Field::Seed, Gemini) => "generationConfig.seed",
        (Field::Seed, _) => "seed",
        (Field::ServiceTier, Gemini) => "serviceTier",
        (Field::ServiceTier, _) => "service_tier",
        (Field::Speed, _) => "speed",
        (Field::Stop, Chat | Responses) => "stop",
        (Field::Stop, Messages) => "stop_sequences",
        (Field::Stop, Gemini) => "generationConfig.stopSequences",
        (Field::System, Responses) => "instructions",
        (Field::System, Messages) => "system",
        (Field::System, Gemini) => "systemInstruction",
        (Field::Temperature, Gemini) => "generationConfig.temperature",
        (Field::Temperature, _) => "temperature",
        (Field::ToolChoice, Gemini) => "toolConfig.functionCallingConfig",
        (Field::ToolChoice, _) => "tool_choice",
        (Field::Tools, _) => "tools",
        (Field::TopK, Gemini) => "generationConfig.topK",
        (Field::TopK, _) => "top_k",
        (Field::TopP, Gemini) => "generationConfig.topP",
        (Field::TopP, _) => "top_p",
    }
}

/// Where a part stands in the client's request (`messages[2].content[0]`), found by identity. The list as a whole if the
/// part was made on the way.
pub(super) fn path(request: &Request, part: &Part) -> String {
    let list = name(request.dialect, Field::Messages);
    if let Some(index) = request.system.iter().position(|p| std::ptr::eq(p, part)) {
        return format!("{}[{index}]", name(request.dialect, Field::System));
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
