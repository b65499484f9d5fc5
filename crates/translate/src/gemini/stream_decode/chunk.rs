//! A chunk as it stands on the wire, borrowed from it.

use crate::{gemini::wire::Number, wire::Str};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Chunk<'a> {
    #[serde(borrow, default, deserialize_with = "crate::wire::few")]
    pub(super) candidates: Option<Vec<Candidate<'a>>>,
    #[serde(borrow, rename = "usageMetadata", alias = "usage_metadata")]
    pub(super) usage: Option<Counts<'a>>,
    #[serde(borrow, alias = "model_version")]
    model_version: Option<Str<'a>>,
    #[serde(borrow, alias = "response_id")]
    response_id: Option<Str<'a>>,
    #[serde(borrow, alias = "create_time")]
    create_time: Option<Str<'a>>,
    #[serde(borrow, alias = "prompt_feedback")]
    prompt_feedback: Option<&'a RawValue>,
    #[serde(borrow, alias = "model_status")]
    model_status: Option<&'a RawValue>,
    /// The Code Assist envelope.
    #[serde(borrow)]
    pub(super) response: Option<Box<Chunk<'a>>>,
    #[serde(borrow)]
    pub(super) error: Option<&'a RawValue>,
}

/// What a chunk says of the answer as a whole.
pub(super) struct Envelope<'a> {
    pub(super) id: Option<Str<'a>>,
    pub(super) model: Option<Str<'a>>,
    pub(super) created: Option<Str<'a>>,
    pub(super) feedback: Option<&'a RawValue>,
    pub(super) status: Option<&'a RawValue>,
}

impl<'a> Chunk<'a> {
    /// Takes the chunk apart.
    pub(super) fn split(self) -> (Vec<Candidate<'a>>, Option<Counts<'a>>, Envelope<'a>) {
        let envelope = Envelope {
            id: self.response_id.filter(|id| !id.is_empty()),
            model: self.model_version.filter(|model| !model.is_empty()),
            created: self.create_time,
            feedback: self.prompt_feedback,
            status: self.model_status,
        };
        (self.candidates.unwrap_or_default(), self.usage, envelope)
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Candidate<'a> {
    pub(super) index: Option<Number>,
    #[serde(borrow)]
    pub(super) content: Option<Content<'a>>,
    #[serde(borrow, alias = "finish_reason")]
    pub(super) finish_reason: Option<Str<'a>>,
    #[serde(borrow, alias = "finish_message")]
    pub(super) finish_message: Option<&'a RawValue>,
    #[serde(borrow, alias = "grounding_metadata")]
    pub(super) grounding_metadata: Option<&'a RawValue>,
    #[serde(borrow, alias = "citation_metadata")]
    pub(super) citation_metadata: Option<&'a RawValue>,
    #[serde(borrow, alias = "url_context_metadata")]
    url_context_metadata: Option<&'a RawValue>,
    #[serde(borrow, alias = "safety_ratings")]
    safety_ratings: Option<&'a RawValue>,
    #[serde(borrow, alias = "avg_logprobs")]
    avg_logprobs: Option<&'a RawValue>,
    #[serde(borrow, alias = "logprobs_result")]
    pub(super) logprobs_result: Option<&'a RawValue>,
}

impl<'a> Candidate<'a> {
    /// What only a Gemini client can be told.
    pub(super) fn sidelines(&self) -> impl Iterator<Item = (&'static str, &'a RawValue)> + use<'a> {
        [
            ("finishMessage", self.finish_message),
            ("groundingMetadata", self.grounding_metadata),
            ("citationMetadata", self.citation_metadata),
            ("urlContextMetadata", self.url_context_metadata),
            ("safetyRatings", self.safety_ratings),
            ("avgLogprobs", self.avg_logprobs),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }
}

#[derive(Default, Deserialize)]
pub(super) struct Content<'a> {
    #[serde(borrow, default, deserialize_with = "crate::wire::few")]
    pub(super) parts: Option<Vec<Piece<'a>>>,
}

/// A part. What it rarely has is boxed: small structs are moved faster, and each is moved several times.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Piece<'a> {
    #[serde(borrow, default, deserialize_with = "crate::wire::text")]
    pub(super) text: Option<Str<'a>>,
    pub(super) thought: Option<bool>,
    #[serde(borrow, alias = "thought_signature")]
    pub(super) thought_signature: Option<Str<'a>>,
    #[serde(borrow, alias = "inline_data")]
    pub(super) inline_data: Option<Box<Inline<'a>>>,
    #[serde(borrow, alias = "file_data")]
    pub(super) file_data: Option<Box<File<'a>>>,
    #[serde(borrow, alias = "function_call")]
    pub(super) function_call: Option<Box<Call<'a>>>,
    #[serde(borrow, alias = "executable_code")]
    executable_code: Option<&'a RawValue>,
    #[serde(borrow, alias = "code_execution_result")]
    code_execution_result: Option<&'a RawValue>,
    #[serde(borrow, alias = "tool_call")]
    tool_call: Option<&'a RawValue>,
    #[serde(borrow, alias = "tool_response")]
    tool_response: Option<&'a RawValue>,
}

impl<'a> Piece<'a> {
    /// What a tool that Gemini runs was asked or answered.
    pub(super) fn server(&self) -> impl Iterator<Item = (&'static str, &'a RawValue)> + use<'a> {
        [
            ("executableCode", self.executable_code),
            ("codeExecutionResult", self.code_execution_result),
            ("toolCall", self.tool_call),
            ("toolResponse", self.tool_response),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Inline<'a> {
    #[serde(borrow, alias = "mime_type")]
    pub(super) mime_type: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) data: Option<Str<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct File<'a> {
    #[serde(borrow, alias = "mime_type")]
    pub(super) mime_type: Option<Str<'a>>,
    #[serde(borrow, alias = "file_uri")]
    pub(super) file_uri: Option<Str<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Call<'a> {
    #[serde(borrow)]
    pub(super) id: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) name: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) args: Option<&'a RawValue>,
    #[serde(borrow, alias = "partial_args")]
    pub(super) partial_args: Option<Vec<PartialArg<'a>>>,
    #[serde(alias = "will_continue")]
    pub(super) will_continue: Option<bool>,
}

/// One piece of the arguments of a call that Vertex streams.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::gemini) struct PartialArg<'a> {
    #[serde(borrow, alias = "json_path")]
    pub(in crate::gemini) json_path: Option<Str<'a>>,
    #[serde(borrow, alias = "string_value")]
    pub(in crate::gemini) string_value: Option<Str<'a>>,
    #[serde(alias = "number_value")]
    pub(in crate::gemini) number_value: Option<serde_json::Number>,
    #[serde(alias = "bool_value")]
    pub(in crate::gemini) bool_value: Option<bool>,
    #[serde(alias = "will_continue")]
    pub(in crate::gemini) will_continue: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Counts<'a> {
    #[serde(rename = "promptTokenCount", alias = "prompt_token_count")]
    pub(super) prompt: Option<Number>,
    #[serde(rename = "cachedContentTokenCount", alias = "cached_content_token_count")]
    pub(super) cached: Option<Number>,
    #[serde(rename = "candidatesTokenCount", alias = "candidates_token_count")]
    pub(super) candidates: Option<Number>,
    #[serde(rename = "thoughtsTokenCount", alias = "thoughts_token_count")]
    pub(super) thoughts: Option<Number>,
    #[serde(rename = "toolUsePromptTokenCount", alias = "tool_use_prompt_token_count")]
    pub(super) tool_use: Option<Number>,
    #[serde(rename = "totalTokenCount", alias = "total_token_count")]
    pub(super) total: Option<Number>,
    #[serde(borrow, rename = "promptTokensDetails", alias = "prompt_tokens_details")]
    pub(super) prompt_details: Option<&'a RawValue>,
    #[serde(borrow, rename = "candidatesTokensDetails", alias = "candidates_tokens_details")]
    pub(super) candidate_details: Option<&'a RawValue>,
    #[serde(borrow, alias = "cache_tokens_details")]
    cache_tokens_details: Option<&'a RawValue>,
    #[serde(borrow, alias = "tool_use_prompt_tokens_details")]
    tool_use_prompt_tokens_details: Option<&'a RawValue>,
    #[serde(borrow, alias = "traffic_type")]
    traffic_type: Option<&'a RawValue>,
    #[serde(borrow, alias = "service_tier")]
    pub(super) service_tier: Option<Str<'a>>,
}

impl<'a> Counts<'a> {
    /// What only a Gemini client can be told.
    pub(super) fn sidelines(&self) -> impl Iterator<Item = (&'static str, &'a RawValue)> + use<'a> {
        [
            ("promptTokensDetails", self.prompt_details),
            ("candidatesTokensDetails", self.candidate_details),
            ("cacheTokensDetails", self.cache_tokens_details),
            ("toolUsePromptTokensDetails", self.tool_use_prompt_tokens_details),
            ("trafficType", self.traffic_type),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }
}

/// The tokens of sound in a list of counts by modality.
pub(super) fn audio_tokens(details: &RawValue) -> Option<u64> {
    #[derive(Default, Deserialize)]
    struct Detail<'a> {
        #[serde(borrow)]
        modality: Option<Str<'a>>,
        #[serde(rename = "tokenCount", alias = "token_count")]
        count: Option<Number>,
    }
    let details: Vec<Detail<'_>> = serde_json::from_str(details.get()).ok()?;
    let audio = details.into_iter().find(|d| d.modality.as_deref() == Some("AUDIO"))?;
    audio.count.map(Number::count)
}

/// Why the prompt was refused, if it was.
pub(super) fn block_reason(feedback: &RawValue) -> Option<String> {
    #[derive(Default, Deserialize)]
    struct Feedback {
        #[serde(rename = "blockReason", alias = "block_reason")]
        reason: Option<String>,
    }
    let feedback: Feedback = serde_json::from_str(feedback.get()).ok()?;
    feedback.reason.filter(|reason| !reason.is_empty())
}
