//! The members of an answer: a chunk of a stream, or a whole completion, which differs only in `message` for `delta`.

use super::loose::Raw;
use serde::Deserialize;

/// A chunk. Members that servers fill in oddly stay JSON text until they are needed.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Chunk<'a> {
    #[serde(borrow)]
    pub(super) id: Raw<'a>,
    #[serde(borrow)]
    pub(super) model: Raw<'a>,
    #[serde(borrow)]
    pub(super) created: Raw<'a>,
    #[serde(borrow, default, deserialize_with = "crate::wire::few")]
    pub(super) choices: Option<Vec<ChunkChoice<'a>>>,
    #[serde(borrow)]
    pub(super) usage: Raw<'a>,
    #[serde(borrow)]
    pub(super) service_tier: Raw<'a>,
    #[serde(borrow)]
    pub(super) system_fingerprint: Raw<'a>,
    /// Addresses that the answer rests on (Perplexity, xAI).
    #[serde(borrow)]
    pub(super) citations: Raw<'a>,
    /// Groq puts the usage of a stream here.
    #[serde(borrow)]
    pub(super) x_groq: Raw<'a>,
    /// From here on: members that stand in place of an answer.
    #[serde(borrow)]
    pub(super) error: Raw<'a>,
    #[serde(borrow)]
    pub(super) object: Raw<'a>,
    #[serde(borrow)]
    pub(super) r#type: Raw<'a>,
    #[serde(borrow)]
    pub(super) code: Raw<'a>,
    #[serde(borrow)]
    pub(super) message: Raw<'a>,
    #[serde(borrow)]
    pub(super) msg: Raw<'a>,
    #[serde(borrow)]
    pub(super) detail: Raw<'a>,
    /// MiniMax.
    #[serde(borrow)]
    pub(super) base_resp: Raw<'a>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct ChunkChoice<'a> {
    #[serde(borrow)]
    pub(super) index: Raw<'a>,
    #[serde(borrow)]
    pub(super) delta: Option<Piece<'a>>,
    #[serde(borrow)]
    pub(super) message: Option<Box<Piece<'a>>>,
    #[serde(borrow)]
    pub(super) finish_reason: Raw<'a>,
    /// The stop sequence that occurred (vLLM), where it is a string.
    #[serde(borrow)]
    pub(super) stop_reason: Raw<'a>,
    #[serde(borrow)]
    pub(super) logprobs: Raw<'a>,
    /// What went wrong, where `finish_reason` is `error` (OpenRouter).
    #[serde(borrow)]
    pub(super) error: Raw<'a>,
    /// Moonshot puts the usage of a stream here.
    #[serde(borrow)]
    pub(super) usage: Raw<'a>,
}

/// A `delta` or a `message`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Piece<'a> {
    #[serde(borrow)]
    pub(super) content: Raw<'a>,
    #[serde(borrow)]
    pub(super) reasoning_content: Raw<'a>,
    #[serde(borrow)]
    pub(super) reasoning: Raw<'a>,
    #[serde(borrow)]
    pub(super) reasoning_details: Raw<'a>,
    #[serde(borrow)]
    pub(super) refusal: Raw<'a>,
    #[serde(borrow)]
    pub(super) tool_calls: Raw<'a>,
    #[serde(borrow)]
    pub(super) function_call: Raw<'a>,
    #[serde(borrow)]
    pub(super) annotations: Raw<'a>,
    #[serde(borrow)]
    pub(super) images: Raw<'a>,
    #[serde(borrow)]
    pub(super) audio: Raw<'a>,
}

/// One entry of `tool_calls`, nested or flat.
#[derive(Debug, Default, Deserialize)]
pub(super) struct CallPiece<'a> {
    #[serde(borrow)]
    pub(super) index: Raw<'a>,
    #[serde(borrow)]
    pub(super) id: Raw<'a>,
    #[serde(borrow)]
    pub(super) r#type: Raw<'a>,
    #[serde(borrow)]
    pub(super) function: Option<FunctionPiece<'a>>,
    #[serde(borrow)]
    pub(super) custom: Option<FunctionPiece<'a>>,
    #[serde(borrow)]
    pub(super) name: Raw<'a>,
    #[serde(borrow)]
    pub(super) arguments: Raw<'a>,
    #[serde(borrow)]
    pub(super) extra_content: Raw<'a>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct FunctionPiece<'a> {
    #[serde(borrow)]
    pub(super) name: Raw<'a>,
    #[serde(borrow)]
    pub(super) arguments: Raw<'a>,
    #[serde(borrow)]
    pub(super) input: Raw<'a>,
}

/// One part of a content that is a list (Mistral).
#[derive(Debug, Default, Deserialize)]
pub(super) struct ContentPiece<'a> {
    #[serde(borrow)]
    pub(super) r#type: Raw<'a>,
    #[serde(borrow)]
    pub(super) text: Raw<'a>,
    /// A string or a list of text parts.
    #[serde(borrow)]
    pub(super) thinking: Raw<'a>,
    #[serde(borrow)]
    pub(super) refusal: Raw<'a>,
    #[serde(borrow)]
    pub(super) image_url: Raw<'a>,
}
