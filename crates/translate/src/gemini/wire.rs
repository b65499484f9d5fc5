//! The request as it stands on the wire, in both spellings.

use crate::{Json, wire::wire};
use serde::{
    Deserialize, Deserializer,
    de::{self, value},
};
use std::{fmt, marker::PhantomData};

/// A list, or the one element of it: Google's JSON reader takes a single value for a repeated field. `null` is no element.
#[derive(Debug)]
pub(super) struct Many<T>(pub(super) Vec<T>);

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> de::Visitor<'de> for Visitor<T> {
            type Value = Many<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Many<T>, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element::<Option<T>>()? {
                    items.extend(item);
                }
                Ok(Many(items))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Many<T>, A::Error> {
                T::deserialize(value::MapAccessDeserializer::new(map)).map(|one| Many(vec![one]))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Many<T>, E> {
                T::deserialize(value::StrDeserializer::new(text)).map(|one| Many(vec![one]))
            }
        }
        deserializer.deserialize_any(Visitor(PhantomData))
    }
}

/// A number, also one that is written as a string (Google's JSON writes 64-bit integers so).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Number(pub(super) f64);

impl Number {
    /// The number as a count: never negative, rounded down.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast from f64 saturates, which is what a count of tokens wants"
    )]
    pub(super) fn count(self) -> u64 {
        self.0 as u64
    }

    /// The number as a small count.
    pub(super) fn small(self) -> u32 {
        u32::try_from(self.count()).unwrap_or(u32::MAX)
    }

    /// The number as an integer.
    #[expect(clippy::cast_possible_truncation, reason = "a cast from f64 saturates")]
    pub(super) fn integer(self) -> i64 {
        self.0 as i64
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }

            #[expect(clippy::cast_precision_loss, reason = "counts above 2^53 do not occur")]
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Number, E> {
                Ok(Number(number as f64))
            }

            #[expect(clippy::cast_precision_loss, reason = "counts above 2^53 do not occur")]
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Number, E> {
                Ok(Number(number as f64))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Number, E> {
                Ok(Number(number))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                let number = text.trim().parse().ok().filter(|n: &f64| n.is_finite());
                number.map(Number).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

wire! {
    /// The body of `generateContent`, and of `countTokens` in both of its forms.
    pub(super) struct WireRequest {
        "model" => model: Option<String>,
        "contents" => contents: Option<Many<WireContent>>,
        "systemInstruction" | "system_instruction" => system: Option<WireContent>,
        "tools" => tools: Many<WireTool>,
        "toolConfig" | "tool_config" => tool_config: WireToolConfig,
        "safetySettings" | "safety_settings" => safety: Option<Json>,
        "generationConfig" | "generation_config" => config: WireConfig,
        "cachedContent" | "cached_content" => cached_content: Option<String>,
        "labels" => labels: Labels,
        "serviceTier" | "service_tier" => service_tier: Option<String>,
        "store" => store: Option<bool>,
        "generateContentRequest" | "generate_content_request" => inner: Option<Box<WireRequest>>,
    }
}

/// A map of names of the client; its order is kept.
#[derive(Debug, Default)]
pub(super) struct Labels(pub(super) Vec<(String, Json)>);

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Labels;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Labels, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Labels(fields))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

wire! {
    pub(super) struct WireContent {
        "role" => role: Option<String>,
        "parts" => parts: Many<WirePart>,
    }
}

wire! {
    pub(super) struct WirePart {
        "text" => text: Option<String>,
        "thought" => thought: bool,
        "thoughtSignature" | "thought_signature" => signature: Option<String>,
        "inlineData" | "inline_data" => inline: Option<WireInline>,
        "fileData" | "file_data" => file: Option<WireFile>,
        "functionCall" | "function_call" => call: Option<WireCall>,
        "functionResponse" | "function_response" => result: Option<WireResult>,
        "executableCode" | "executable_code" => code: Option<Json>,
        "codeExecutionResult" | "code_execution_result" => code_result: Option<Json>,
        "toolCall" | "tool_call" => tool_call: Option<Json>,
        "toolResponse" | "tool_response" => tool_response: Option<Json>,
        "videoMetadata" | "video_metadata" => video: Option<Json>,
        "mediaResolution" | "media_resolution" => resolution: Option<Json>,
    }
}

wire! {
    pub(super) struct WireInline {
        "mimeType" | "mime_type" => media_type: String,
        "data" => data: String,
        "displayName" | "display_name" => display_name: Option<String>,
    }
}

wire! {
    pub(super) struct WireFile {
        "mimeType" | "mime_type" => media_type: Option<String>,
        "fileUri" | "file_uri" => uri: String,
        "displayName" | "display_name" => display_name: Option<String>,
    }
}

wire! {
    pub(super) struct WireCall {
        "id" => id: Option<String>,
        "name" => name: String,
        "args" => args: Option<Json>,
    }
}

wire! {
    pub(super) struct WireResult {
        "id" => id: Option<String>,
        "name" => name: String,
        "response" => response: Option<Json>,
        "parts" => parts: Many<WirePart>,
    }
}

wire! {
    /// One entry of `tools`: function declarations, or tools of the vendor, which land in `extra` by their names.
    pub(super) struct WireTool {
        "functionDeclarations" | "function_declarations" => functions: Many<WireFunction>,
    }
}

wire! {
    pub(super) struct WireFunction {
        "name" => name: String,
        "description" => description: Option<String>,
        "parameters" => parameters: Option<Json>,
        "parametersJsonSchema" | "parameters_json_schema" => json_schema: Option<Json>,
        "response" => response: Option<Json>,
        "responseJsonSchema" | "response_json_schema" => response_schema: Option<Json>,
    }
}

wire! {
    pub(super) struct WireToolConfig {
        "functionCallingConfig" | "function_calling_config" => calling: WireCalling,
    }
}

wire! {
    pub(super) struct WireCalling {
        "mode" => mode: Option<String>,
        "allowedFunctionNames" | "allowed_function_names" => names: Many<String>,
    }
}

wire! {
    pub(super) struct WireConfig {
        "temperature" => temperature: Option<Number>,
        "topP" | "top_p" => top_p: Option<Number>,
        "topK" | "top_k" => top_k: Option<Number>,
        "candidateCount" | "candidate_count" => candidates: Option<Number>,
        "maxOutputTokens" | "max_output_tokens" => max_tokens: Option<Number>,
        "stopSequences" | "stop_sequences" => stop: Many<String>,
        "presencePenalty" | "presence_penalty" => presence: Option<Number>,
        "frequencyPenalty" | "frequency_penalty" => frequency: Option<Number>,
        "seed" => seed: Option<Number>,
        "responseLogprobs" | "response_logprobs" => logprobs: Option<bool>,
        "logprobs" => top_logprobs: Option<Number>,
        "responseMimeType" | "response_mime_type" => media_type: Option<String>,
        "responseSchema" | "response_schema" => schema: Option<Json>,
        "responseJsonSchema" | "response_json_schema" => json_schema: Option<Json>,
        "responseModalities" | "response_modalities" => modalities: Many<String>,
        "speechConfig" | "speech_config" => speech: Option<Json>,
        "imageConfig" | "image_config" => image: Option<Json>,
        "thinkingConfig" | "thinking_config" => thinking: Option<WireThinking>,
    }
}

wire! {
    pub(super) struct WireThinking {
        "includeThoughts" | "include_thoughts" => visible: Option<bool>,
        "thinkingBudget" | "thinking_budget" => budget: Option<Number>,
        "thinkingLevel" | "thinking_level" => level: Option<String>,
    }
}
