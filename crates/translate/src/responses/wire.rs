//! What Responses bodies look like: requests and the items that requests and answers share.

use super::tagged::{OneOf, Tagged};
use crate::{Json, wire::wire};
use serde::{Deserialize, Deserializer, de};
use std::fmt;

wire! {
    /// The body of a request.
    pub(super) struct Body {
        "model" => model: Option<String>,
        "input" => input: Option<Input>,
        "instructions" => instructions: Option<Content>,
        "stream" => stream: Option<bool>,
        "stream_options" => stream_options: Option<StreamOptions>,
        "store" => store: Option<bool>,
        "include" => include: Vec<String>,
        "tools" => tools: Vec<OneOf<ToolBody>>,
        "tool_choice" => tool_choice: Option<Json>,
        "parallel_tool_calls" => parallel_tool_calls: Option<bool>,
        "max_tool_calls" => max_tool_calls: Option<u32>,
        "max_output_tokens" => max_output_tokens: Option<u64>,
        "temperature" => temperature: Option<f64>,
        "top_p" => top_p: Option<f64>,
        "top_logprobs" => top_logprobs: Option<u32>,
        "reasoning" => reasoning: Option<Reasoning>,
        "text" => text: Option<TextOptions>,
        "metadata" => metadata: Pairs,
        "user" => user: Option<String>,
        "safety_identifier" => safety_identifier: Option<String>,
        "prompt_cache_key" => prompt_cache_key: Option<String>,
        "prompt_cache_retention" => prompt_cache_retention: Option<String>,
        "prompt_cache_options" => prompt_cache_options: Option<Json>,
        "previous_response_id" => previous_response_id: Option<String>,
        "conversation" => conversation: Option<Json>,
        "prompt" => prompt: Option<Json>,
        "background" => background: Option<bool>,
        "context_management" => context_management: Option<Json>,
        "truncation" => truncation: Option<String>,
        "service_tier" => service_tier: Option<String>,
        "moderation" => moderation: Option<Json>,
    }
}

wire! {
    pub(super) struct StreamOptions {
        "include_obfuscation" => include_obfuscation: Option<bool>,
        "include_usage" => include_usage: Option<bool>,
    }
}

wire! {
    pub(super) struct Reasoning {
        "effort" => effort: Option<String>,
        "summary" | "generate_summary" => summary: Option<String>,
        "context" => context: Option<String>,
        "mode" => mode: Option<String>,
    }
}

wire! {
    pub(super) struct TextOptions {
        "format" => format: Option<OneOf<Format>>,
        "verbosity" => verbosity: Option<String>,
    }
}

wire! {
    pub(super) struct Format {
        "name" => name: Option<String>,
        "description" => description: Option<String>,
        "schema" => schema: Option<Json>,
        "strict" => strict: Option<bool>,
    }
}

/// Forms of the answer.
#[derive(Clone, Copy, Debug)]
pub(super) enum FormatTag {
    Text,
    JsonObject,
    JsonSchema,
}

impl Tagged for Format {
    type Tag = FormatTag;

    fn tag(name: &str) -> Option<FormatTag> {
        Some(match name {
            "text" => FormatTag::Text,
            "json_object" => FormatTag::JsonObject,
            "json_schema" => FormatTag::JsonSchema,
            _ => return None,
        })
    }

    fn guess(has: &dyn Fn(&str) -> bool) -> Option<FormatTag> {
        has("schema").then_some(FormatTag::JsonSchema)
    }
}

wire! {
    /// An item of `input` or `output`; which members count depends on its tag.
    pub(super) struct Item {
        "id" => id: Option<String>,
        "role" => role: Option<String>,
        "content" => content: Option<Content>,
        "status" => status: Option<String>,
        "phase" => phase: Option<String>,
        "call_id" => call_id: Option<String>,
        "name" => name: Option<String>,
        "namespace" => namespace: Option<String>,
        "arguments" => arguments: Option<Arguments>,
        "input" => input: Option<Arguments>,
        "output" => output: Option<Content>,
        "caller" => caller: Option<Json>,
        "summary" => summary: Vec<OneOf<Piece>>,
        "encrypted_content" => encrypted_content: Option<String>,
    }
}

/// Items that are more than carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ItemTag {
    Message,
    FunctionCall,
    FunctionCallOutput,
    CustomToolCall,
    CustomToolCallOutput,
    Reasoning,
}

impl Tagged for Item {
    type Tag = ItemTag;

    fn tag(name: &str) -> Option<ItemTag> {
        Some(match name {
            "message" => ItemTag::Message,
            "function_call" => ItemTag::FunctionCall,
            "function_call_output" => ItemTag::FunctionCallOutput,
            "custom_tool_call" => ItemTag::CustomToolCall,
            "custom_tool_call_output" => ItemTag::CustomToolCallOutput,
            "reasoning" => ItemTag::Reasoning,
            _ => return None,
        })
    }

    fn guess(has: &dyn Fn(&str) -> bool) -> Option<ItemTag> {
        let is_call = || (has("arguments") && has("name")).then_some(ItemTag::FunctionCall);
        has("role").then_some(ItemTag::Message).or_else(is_call)
    }
}

wire! {
    /// A part of the content of an item.
    pub(super) struct Piece {
        "text" => text: Option<String>,
        "refusal" => refusal: Option<String>,
        "annotations" => annotations: Vec<Json>,
        "logprobs" => logprobs: Option<Json>,
        "prompt_cache_breakpoint" => breakpoint: Option<Breakpoint>,
        "image_url" => image_url: Option<ImageUrl>,
        "detail" => detail: Option<String>,
        "file_id" => file_id: Option<String>,
        "file_data" => file_data: Option<String>,
        "file_url" => file_url: Option<String>,
        "filename" => filename: Option<String>,
        "input_audio" => input_audio: Option<AudioData>,
    }
}

/// Parts that are more than carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PieceTag {
    Text,
    Refusal,
    Image,
    File,
    Audio,
}

impl Tagged for Piece {
    type Tag = PieceTag;

    fn tag(name: &str) -> Option<PieceTag> {
        Some(match name {
            "input_text" | "output_text" | "text" | "summary_text" | "reasoning_text" => PieceTag::Text,
            "refusal" => PieceTag::Refusal,
            "input_image" => PieceTag::Image,
            "input_file" => PieceTag::File,
            "input_audio" => PieceTag::Audio,
            _ => return None,
        })
    }

    fn guess(has: &dyn Fn(&str) -> bool) -> Option<PieceTag> {
        has("text").then_some(PieceTag::Text)
    }
}

wire! {
    pub(super) struct Breakpoint {
        "ttl" => ttl: Option<String>,
    }
}

wire! {
    pub(super) struct AudioData {
        "data" => data: Option<String>,
        "format" => format: Option<String>,
    }
}

wire! {
    /// A tool definition.
    pub(super) struct ToolBody {
        "name" => name: Option<String>,
        "description" => description: Option<String>,
        "parameters" => parameters: Option<Json>,
        "strict" => strict: Option<bool>,
        "defer_loading" => defer_loading: Option<bool>,
        "output_schema" => output_schema: Option<Json>,
        "allowed_callers" => allowed_callers: Option<Json>,
        "format" => format: Option<Json>,
        "tools" => tools: Vec<OneOf<ToolBody>>,
        "function" => function: Option<Json>,
        "custom" => custom: Option<Json>,
    }
}

/// Tools that are more than carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ToolTag {
    Function,
    Custom,
    Namespace,
}

impl Tagged for ToolBody {
    type Tag = ToolTag;

    fn tag(name: &str) -> Option<ToolTag> {
        Some(match name {
            "function" => ToolTag::Function,
            "custom" => ToolTag::Custom,
            "namespace" => ToolTag::Namespace,
            _ => return None,
        })
    }

    fn guess(has: &dyn Fn(&str) -> bool) -> Option<ToolTag> {
        has("name").then_some(ToolTag::Function)
    }
}

/// `input`: a text or items.
#[derive(Debug)]
pub(super) enum Input {
    Text(String),
    Items(Vec<OneOf<Item>>),
}

impl<'de> Deserialize<'de> for Input {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Input;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of items")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Input, E> {
                Ok(Input::Text(text.to_owned()))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Input, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Input::Items(items))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// The content of an item or the output of a tool: a text, parts, or (from careless clients) one object.
#[derive(Debug)]
pub(super) enum Content {
    Text(String),
    Pieces(Vec<OneOf<Piece>>),
    Object(Json),
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Content;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of content parts")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Content, E> {
                Ok(Content::Text(text.to_owned()))
            }

            fn visit_string<E: de::Error>(self, text: String) -> Result<Content, E> {
                Ok(Content::Text(text))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Content, A::Error> {
                let mut pieces = Vec::new();
                while let Some(piece) = seq.next_element()? {
                    pieces.push(piece);
                }
                Ok(Content::Pieces(pieces))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Content, A::Error> {
                let tree = serde_json::Map::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Json::from_value(&tree).map(Content::Object).map_err(de::Error::custom)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// Arguments of a call: a string by the book, an object from careless servers.
#[derive(Debug, Default)]
pub(super) struct Arguments(pub(super) String);

impl<'de> Deserialize<'de> for Arguments {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        Ok(Self(json.as_string().unwrap_or_else(|| json.get().to_owned())))
    }
}

/// The address of a picture: a string by the book, `{"url": …, "detail": …}` from Chat users.
#[derive(Debug)]
pub(super) struct ImageUrl {
    pub(super) url: String,
    pub(super) detail: Option<String>,
}

impl<'de> Deserialize<'de> for ImageUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = ImageUrl;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the address of a picture as a string")
            }

            fn visit_str<E: de::Error>(self, url: &str) -> Result<ImageUrl, E> {
                Ok(ImageUrl { url: url.to_owned(), detail: None })
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<ImageUrl, A::Error> {
                #[derive(Deserialize)]
                struct Object {
                    url: String,
                    detail: Option<String>,
                }
                let object = Object::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(ImageUrl { url: object.url, detail: object.detail })
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// An object whose members are kept in order.
#[derive(Debug, Default)]
pub(super) struct Pairs(pub(super) Vec<(String, Json)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        wire! { struct Any {} }
        Any::deserialize(deserializer).map(|any| Self(any.extra))
    }
}

/// An object made of members.
pub(super) fn object<'a>(members: impl Iterator<Item = (&'a str, &'a Json)>) -> Json {
    let mut text = String::from("{");
    for (index, (key, value)) in members.enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(Json::string(key).get());
        text.push(':');
        text.push_str(value.get());
    }
    text.push('}');
    Json::parse(text).unwrap_or_else(|_| Json::null())
}
