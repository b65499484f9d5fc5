//! What a field is called in the dialect of the client, for losses and refusals.

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
        (Field::Messages, Chat | Messages) => "messages",
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
