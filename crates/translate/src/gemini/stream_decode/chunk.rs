//! A chunk as it stands on the wire, borrowed from it.

use crate::{
    gemini::wire::Number,
    wire::{Few, Str, Text, borrowed, moved},
};
use serde::Deserialize;
use serde_json::value::RawValue;

moved! { Option<Number> }

borrowed! {
    pub(super) struct Chunk<'a> {
        "candidates" => candidates: Option<Few<Candidate<'a>>>,
        "usageMetadata" | "usage_metadata" => usage: Option<Counts<'a>>,
        "modelVersion" | "model_version" => model_version: Option<Str<'a>>,
        "responseId" | "response_id" => response_id: Option<Str<'a>>,
        "createTime" | "create_time" => create_time: Option<Str<'a>>,
        "promptFeedback" | "prompt_feedback" => prompt_feedback: Option<&'a RawValue>,
        "modelStatus" | "model_status" => model_status: Option<&'a RawValue>,
        /// The Code Assist envelope.
        "response" => response: Option<Box<Chunk<'a>>>,
        "error" => error: Option<&'a RawValue>,
    }
}

borrowed! {
    pub(super) struct Candidate<'a> {
        "index" => index: Option<Number>,
        "content" => content: Option<Content<'a>>,
        "finishReason" | "finish_reason" => finish_reason: Option<Str<'a>>,
        "finishMessage" | "finish_message" => finish_message: Option<&'a RawValue>,
        "groundingMetadata" | "grounding_metadata" => grounding_metadata: Option<&'a RawValue>,
        "citationMetadata" | "citation_metadata" => citation_metadata: Option<&'a RawValue>,
        "urlContextMetadata" | "url_context_metadata" => url_context_metadata: Option<&'a RawValue>,
        "safetyRatings" | "safety_ratings" => safety_ratings: Option<&'a RawValue>,
        "avgLogprobs" | "avg_logprobs" => avg_logprobs: Option<&'a RawValue>,
        "logprobsResult" | "logprobs_result" => logprobs_result: Option<&'a RawValue>,
    }
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

borrowed! {
    pub(super) struct Content<'a> {
        "parts" => parts: Option<Few<Piece<'a>>>,
    }
}

borrowed! {
    /// A part. What it rarely has is boxed: small structs are moved faster, and each is moved several times.
    pub(super) struct Piece<'a> {
        "text" => text: Option<Text<'a>>,
        "thought" => thought: Option<bool>,
        "thoughtSignature" | "thought_signature" => thought_signature: Option<Str<'a>>,
        "inlineData" | "inline_data" => inline_data: Option<Box<Inline<'a>>>,
        "fileData" | "file_data" => file_data: Option<Box<File<'a>>>,
        "functionCall" | "function_call" => function_call: Option<Box<Call<'a>>>,
        "executableCode" | "executable_code" => executable_code: Option<&'a RawValue>,
        "codeExecutionResult" | "code_execution_result" => code_execution_result: Option<&'a RawValue>,
        "toolCall" | "tool_call" => tool_call: Option<&'a RawValue>,
        "toolResponse" | "tool_response" => tool_response: Option<&'a RawValue>,
    }
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

borrowed! {
    pub(super) struct Inline<'a> {
        "mimeType" | "mime_type" => mime_type: Option<Str<'a>>,
        "data" => data: Option<Str<'a>>,
    }
}

borrowed! {
    pub(super) struct File<'a> {
        "mimeType" | "mime_type" => mime_type: Option<Str<'a>>,
        "fileUri" | "file_uri" => file_uri: Option<Str<'a>>,
    }
}

borrowed! {
    pub(super) struct Call<'a> {
        "id" => id: Option<Str<'a>>,
        "name" => name: Option<Str<'a>>,
        "args" => args: Option<&'a RawValue>,
        "partialArgs" | "partial_args" => partial_args: Option<Vec<PartialArg<'a>>>,
        "willContinue" | "will_continue" => will_continue: Option<bool>,
    }
}

borrowed! {
    /// One piece of the arguments of a call that Vertex streams.
    pub(in crate::gemini) struct PartialArg<'a> {
        "jsonPath" | "json_path" => json_path: Option<Str<'a>>,
        "stringValue" | "string_value" => string_value: Option<Str<'a>>,
        "numberValue" | "number_value" => number_value: Option<serde_json::Number>,
        "boolValue" | "bool_value" => bool_value: Option<bool>,
        "willContinue" | "will_continue" => will_continue: Option<bool>,
    }
}

borrowed! {
    pub(super) struct Counts<'a> {
        "promptTokenCount" | "prompt_token_count" => prompt: Option<Number>,
        "cachedContentTokenCount" | "cached_content_token_count" => cached: Option<Number>,
        "candidatesTokenCount" | "candidates_token_count" => candidates: Option<Number>,
        "thoughtsTokenCount" | "thoughts_token_count" => thoughts: Option<Number>,
        "toolUsePromptTokenCount" | "tool_use_prompt_token_count" => tool_use: Option<Number>,
        "totalTokenCount" | "total_token_count" => total: Option<Number>,
        "promptTokensDetails" | "prompt_tokens_details" => prompt_details: Option<&'a RawValue>,
        "candidatesTokensDetails" | "candidates_tokens_details" => candidate_details: Option<&'a RawValue>,
        "cacheTokensDetails" | "cache_tokens_details" => cache_tokens_details: Option<&'a RawValue>,
        "toolUsePromptTokensDetails" | "tool_use_prompt_tokens_details" => tool_use_prompt_tokens_details: Option<&'a RawValue>,
        "trafficType" | "traffic_type" => traffic_type: Option<&'a RawValue>,
        "serviceTier" | "service_tier" => service_tier: Option<Str<'a>>,
    }
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

/// Why the prompt was refused, if it was: Google's word, and its explanation.
pub(super) fn block_reason(feedback: &RawValue) -> Option<(String, Option<String>)> {
    #[derive(Default, Deserialize)]
    struct Feedback {
        #[serde(rename = "blockReason", alias = "block_reason")]
        reason: Option<String>,
        #[serde(rename = "blockReasonMessage", alias = "block_reason_message")]
        message: Option<String>,
    }
    let feedback: Feedback = serde_json::from_str(feedback.get()).ok()?;
    Some((feedback.reason.filter(|reason| !reason.is_empty())?, feedback.message))
}
