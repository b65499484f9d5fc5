//! The members of a request body.

use crate::{Json, wire::wire};
use serde::{Deserialize, Deserializer, de};
use std::fmt;

/// The field of a request by which OpenAI switches a web search on.
pub(crate) const WEB_SEARCH_OPTIONS: &str = "web_search_options";

wire! {
    /// A request body. Parts and tools stay text here: they are read one by one, so that what is not known stays whole.
    pub(super) struct Body {
        "model" => model: Option<String>,
        "messages" => messages: Option<Vec<BodyMessage>>,
        "stream" => stream: Option<bool>,
        "stream_options" => stream_options: Option<BodyStreamOptions>,
        "tools" => tools: Vec<Json>,
        "functions" => functions: Vec<Json>,
        "tool_choice" => tool_choice: Option<Json>,
        "function_call" => function_call: Option<Json>,
        "parallel_tool_calls" => parallel_tool_calls: Option<bool>,
        "web_search_options" => web_search_options: Option<Json>,
        "reasoning_effort" => reasoning_effort: Option<String>,
        "response_format" => response_format: Option<Json>,
        "verbosity" => verbosity: Option<String>,
        "modalities" => modalities: Vec<String>,
        "audio" => audio: Option<Json>,
        "temperature" => temperature: Option<f64>,
        "top_p" => top_p: Option<f64>,
        "top_k" => top_k: Option<f64>,
        "frequency_penalty" => frequency_penalty: Option<f64>,
        "presence_penalty" => presence_penalty: Option<f64>,
        "seed" => seed: Option<i64>,
        "logit_bias" => logit_bias: Option<Json>,
        "logprobs" => logprobs: Option<bool>,
        "top_logprobs" => top_logprobs: Option<u32>,
        "n" => n: Option<u32>,
        "stop" => stop: Strings,
        "max_tokens" => max_tokens: Option<u64>,
        "max_completion_tokens" => max_completion_tokens: Option<u64>,
        "prediction" => prediction: Option<Json>,
        "service_tier" => service_tier: Option<String>,
        "metadata" => metadata: Labels,
        "user" => user: Option<String>,
        "safety_identifier" => safety_identifier: Option<String>,
        "store" => store: Option<bool>,
        "prompt_cache_key" => prompt_cache_key: Option<String>,
        "prompt_cache_retention" => prompt_cache_retention: Option<String>,
        "prompt_cache_options" => prompt_cache_options: Option<Json>,
        "moderation" => moderation: Option<Json>,
    }
}

wire! {
    pub(super) struct BodyStreamOptions {
        "include_usage" => include_usage: Option<bool>,
        "include_obfuscation" => include_obfuscation: Option<bool>,
    }
}

wire! {
    /// A message of any role.
    pub(super) struct BodyMessage {
        "role" => role: Option<String>,
        "content" => content: Content,
        "name" => name: Option<String>,
        "tool_calls" => tool_calls: Vec<BodyCall>,
        "function_call" => function_call: Option<BodyFunctionCall>,
        "tool_call_id" => tool_call_id: Option<String>,
        "refusal" => refusal: Option<String>,
        "audio" => audio: Option<BodyAudio>,
        "images" => images: Vec<Json>,
        "reasoning_content" => reasoning_content: Option<String>,
        "reasoning" => reasoning: Option<Json>,
        "reasoning_details" => reasoning_details: Option<Json>,
        "cache_control" => cache_control: Option<BodyCache>,
    }
}

wire! {
    /// A call in the history. Some clients write it flat, some with an object for the arguments.
    pub(super) struct BodyCall {
        "id" => id: Option<String>,
        "index" => index: Option<Json>,
        "type" => kind: Option<String>,
        "function" => function: Option<BodyFunctionCall>,
        "custom" => custom: Option<BodyFunctionCall>,
        "name" => name: Option<String>,
        "arguments" => arguments: Option<InputText>,
        "input" => input: Option<InputText>,
        "extra_content" => extra_content: Option<Json>,
    }
}

wire! {
    pub(super) struct BodyFunctionCall {
        "name" => name: Option<String>,
        "arguments" | "input" => input: InputText,
    }
}

wire! {
    /// Sound, as a part or as a reference to what the model said earlier.
    pub(super) struct BodyAudio {
        "id" => id: Option<String>,
        "data" => data: Option<String>,
        "format" => format: Option<String>,
        "transcript" => transcript: Option<String>,
        "expires_at" => expires_at: Option<i64>,
    }
}

wire! {
    /// A cache marker, as gateways in front of Claude take it (`cache_control`) or as OpenAI does
    /// (`prompt_cache_breakpoint`).
    pub(super) struct BodyCache {
        "type" => kind: Option<String>,
        "ttl" => ttl: Option<String>,
    }
}

/// Content of a message: a string, a list of parts, or nothing.
#[derive(Debug, Default)]
pub(super) enum Content {
    #[default]
    Absent,
    Text(String),
    Parts(Vec<Json>),
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Content;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of content parts")
            }
            fn visit_unit<E: de::Error>(self) -> Result<Content, E> {
                Ok(Content::Absent)
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Content, E> {
                Ok(Content::Text(text.to_owned()))
            }
            fn visit_string<E: de::Error>(self, text: String) -> Result<Content, E> {
                Ok(Content::Text(text))
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Content, A::Error> {
                let mut parts = Vec::new();
                while let Some(part) = list.next_element()? {
                    parts.push(part);
                }
                Ok(Content::Parts(parts))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// One string or several.
#[derive(Debug, Default)]
pub(super) struct Strings(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for Strings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Strings;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of strings")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Strings, E> {
                Ok(Strings(vec![text.to_owned()]))
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Strings, A::Error> {
                let mut strings = Vec::new();
                while let Some(text) = list.next_element()? {
                    strings.push(text);
                }
                Ok(Strings(strings))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// An object whose members are kept in order.
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
                let mut labels = Vec::new();
                while let Some(label) = map.next_entry()? {
                    labels.push(label);
                }
                Ok(Labels(labels))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

/// The input of a call: a string as it is, anything else as JSON text.
#[derive(Debug, Default)]
pub(super) struct InputText(pub(super) String);

impl<'de> Deserialize<'de> for InputText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        let text = match json.as_string() {
            Some(text) => text,
            None if json.is_null() => String::new(),
            None => json.get().to_owned(),
        };
        Ok(Self(text))
    }
}
