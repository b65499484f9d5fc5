//! The members of an answer: a chunk of a stream, or a whole completion, which differs only in `message` for `delta`.

use super::loose::Raw;
use crate::wire::{Few, borrowed};

borrowed! {
    /// A chunk. Members that servers fill in oddly stay JSON text until they are needed.
    pub(super) struct Chunk<'a> {
        "id" => id: Raw<'a>,
        "model" => model: Raw<'a>,
        "created" => created: Raw<'a>,
        "choices" => choices: Option<Few<ChunkChoice<'a>>>,
        "usage" => usage: Raw<'a>,
        "service_tier" => service_tier: Raw<'a>,
        "system_fingerprint" => system_fingerprint: Raw<'a>,
        /// Addresses that the answer rests on (Perplexity, xAI).
        "citations" => citations: Raw<'a>,
        /// Groq puts the usage of a stream here.
        "x_groq" => x_groq: Raw<'a>,
        /// From here on: members that stand in place of an answer.
        "error" => error: Raw<'a>,
        "object" => object: Raw<'a>,
        "type" => r#type: Raw<'a>,
        "code" => code: Raw<'a>,
        "message" => message: Raw<'a>,
        "msg" => msg: Raw<'a>,
        "detail" => detail: Raw<'a>,
        /// MiniMax.
        "base_resp" => base_resp: Raw<'a>,
    }
}

impl<'a> Chunk<'a> {
    pub(super) fn choices(&self) -> impl Iterator<Item = &ChunkChoice<'a>> {
        self.choices.iter().flat_map(|list| &list.0)
    }
}

borrowed! {
    pub(super) struct ChunkChoice<'a> {
        "index" => index: Raw<'a>,
        "delta" => delta: Option<Piece<'a>>,
        "message" => message: Option<Box<Piece<'a>>>,
        "finish_reason" => finish_reason: Raw<'a>,
        /// The stop sequence that occurred (vLLM), where it is a string.
        "stop_reason" => stop_reason: Raw<'a>,
        "logprobs" => logprobs: Raw<'a>,
        /// What went wrong, where `finish_reason` is `error` (OpenRouter).
        "error" => error: Raw<'a>,
        /// Moonshot puts the usage of a stream here.
        "usage" => usage: Raw<'a>,
    }
}

borrowed! {
    /// A `delta` or a `message`.
    pub(super) struct Piece<'a> {
        "content" => content: Raw<'a>,
        "reasoning_content" => reasoning_content: Raw<'a>,
        "reasoning" => reasoning: Raw<'a>,
        "reasoning_details" => reasoning_details: Raw<'a>,
        /// Copilot's names for reasoning and its seal.
        "reasoning_text" => reasoning_text: Raw<'a>,
        "reasoning_opaque" => reasoning_opaque: Raw<'a>,
        "refusal" => refusal: Raw<'a>,
        "tool_calls" => tool_calls: Raw<'a>,
        "function_call" => function_call: Raw<'a>,
        "annotations" => annotations: Raw<'a>,
        "images" => images: Raw<'a>,
        "audio" => audio: Raw<'a>,
    }
}

borrowed! {
    /// One entry of `tool_calls`, nested or flat.
    pub(super) struct CallPiece<'a> {
        "index" => index: Raw<'a>,
        "id" => id: Raw<'a>,
        "type" => r#type: Raw<'a>,
        "function" => function: Option<FunctionPiece<'a>>,
        "custom" => custom: Option<FunctionPiece<'a>>,
        "name" => name: Raw<'a>,
        "arguments" => arguments: Raw<'a>,
        "extra_content" => extra_content: Raw<'a>,
    }
}

borrowed! {
    pub(super) struct FunctionPiece<'a> {
        "name" => name: Raw<'a>,
        "arguments" => arguments: Raw<'a>,
        "input" => input: Raw<'a>,
    }
}

borrowed! {
    /// One part of a content that is a list (Mistral).
    pub(super) struct ContentPiece<'a> {
        "type" => r#type: Raw<'a>,
        "text" => text: Raw<'a>,
        /// A string or a list of text parts.
        "thinking" => thinking: Raw<'a>,
        "refusal" => refusal: Raw<'a>,
        "image_url" => image_url: Raw<'a>,
    }
}
