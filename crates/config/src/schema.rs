//! The JSON Schema of the configuration, for editors: made from the types, with the short forms added.

use crate::{Config, HttpUrl, UrlName, value::secret};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};
use std::{borrow::Cow, marker::PhantomData};

/// The JSON Schema of the configuration file.
pub fn schema() -> Value {
    schemars::schema_for!(Config).to_value()
}

/// A table or, as its short form, a text.
pub(crate) struct OrText<T>(PhantomData<T>);

impl<T: JsonSchema> JsonSchema for OrText<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}OrText", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [{ "type": "string" }, table] })
    }
}

/// A table with a `key` or, as its short form, the key alone: a text or a file that holds it.
pub(crate) struct OrKey<T>(PhantomData<T>);

impl<T: JsonSchema> JsonSchema for OrKey<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}OrKey", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let key = secret::schema(generator);
        let table = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [key, table] })
    }
}

/// The addresses of a provider by their names.
pub(crate) fn urls(generator: &mut SchemaGenerator) -> Schema {
    let names = UrlName::json_schema(generator).to_value();
    let address = generator.subschema_for::<HttpUrl>().to_value();
    let mut properties = serde_json::Map::new();
    for name in names["oneOf"].as_array().into_iter().flatten() {
        let mut property = address.clone();
        property["description"] = name["description"].clone();
        properties.insert(name["const"].as_str().unwrap_or_default().to_owned(), property);
    }
    json_schema!({ "type": "object", "properties": properties, "additionalProperties": false })
}

/// A list or, as its short form, its only item.
pub(crate) struct OneOrMany<T>(PhantomData<T>);

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMany{}", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
    }
}

/// Adds `api_key`, the short form of a list with one key.
pub(crate) fn add_api_key(schema: &mut Schema) {
    let mut key = secret::schema(&mut SchemaGenerator::default()).to_value();
    if let Value::Object(fields) = &mut key {
        fields.insert("description".to_owned(), "The API key, where there is only one.".into());
    }
    properties(schema, |all| {
        all.insert("api_key".to_owned(), key);
    });
}

/// Adds the facts of a model beside its own keys.
pub(crate) fn add_facts(schema: &mut Schema) {
    properties(schema, |all| {
        if let Value::Object(facts) = facts_properties() {
            all.extend(facts);
        }
    });
}

fn properties(schema: &mut Schema, change: impl FnOnce(&mut serde_json::Map<String, Value>)) {
    if let Some(Value::Object(all)) = schema.get_mut("properties") {
        change(all);
    }
}

/// What can be written about a model. The types of the facts know nothing of schemas; a test compares the two.
pub(crate) fn facts_properties() -> Value {
    let yes_or_no = |meaning: &str| json!({ "type": "boolean", "description": meaning });
    let tokens = |meaning: &str| json!({ "type": "integer", "minimum": 0, "description": meaning });
    let word = |meaning: &str, words: &[&str]| json!({ "enum": words, "description": meaning });
    let words = |meaning: &str, words: &[&str]| json!({ "type": "array", "items": { "enum": words }, "description": meaning });
    json!({
        "display_name": { "type": "string", "description": "Name for people." },
        "family": word("Who made it: reasoning goes back only to the same family.", &["claude", "openai", "gemini", "other"]),
        "endpoints": words("Dialects in which it is served, best first.", &["chat", "responses", "messages", "gemini"]),
        "context_tokens": tokens("Context window in tokens."),
        "max_output_tokens": tokens("Longest answer in tokens."),
        "thinking": {
            "type": "object",
            "description": "How it takes the wish to reason.",
            "additionalProperties": false,
            "properties": {
                "forms": words("Accepted forms; empty: it does not reason on request.", &["budget", "adaptive", "effort", "level"]),
                "budget": {
                    "type": "array",
                    "items": { "type": "integer", "minimum": 0 },
                    "minItems": 2,
                    "maxItems": 2,
                    "description": "Smallest and largest budget in tokens."
                },
                "levels": words(
                    "Accepted levels; empty: all are passed on.",
                    &["none", "minimal", "low", "medium", "high", "xhigh", "max"],
                ),
                "can_disable": yes_or_no("Whether reasoning can be switched off."),
                "dynamic": yes_or_no("Whether it can be asked to choose the amount itself."),
                "replay_text": yes_or_no("Whether earlier turns with tool calls must carry their reasoning."),
                "unknown": yes_or_no("Whether nothing is known of it: then a level in the model's name, or of OpenAI's dialects, is told all the same.")
            }
        },
        "temperature": yes_or_no("Whether `temperature` is accepted."),
        "top_p": yes_or_no("Whether `top_p` is accepted."),
        "top_k": yes_or_no("Whether `top_k` is accepted."),
        "input": {
            "type": "object",
            "description": "What it can be shown.",
            "additionalProperties": false,
            "properties": {
                "image": yes_or_no("Images."),
                "pdf": yes_or_no("PDF documents."),
                "audio": yes_or_no("Audio."),
                "video": yes_or_no("Video."),
                "url": yes_or_no("Images and documents by address, fetched by the vendor.")
            }
        },
        "tools": yes_or_no("Whether function tools are accepted."),
        "structured_output": word("How an answer in JSON is asked for.", &["native", "forced_tool", "hint"]),
        "system_turns": yes_or_no("Whether a system turn may stand inside the conversation (Messages)."),
        "developer_role": yes_or_no("Whether the role `developer` is known (Chat)."),
        "reasoning_content": yes_or_no("Whether a turn may come back with its reasoning as text (Chat `reasoning_content`)."),
        "prefill": yes_or_no("Whether a last turn of the assistant is continued."),
        "max_tokens_field": word("Name of the output cap (Chat).", &["max_tokens", "max_completion_tokens", "omit"]),
        "call_signatures": yes_or_no("Whether function calls must come back with their thought signature."),
        "result_media": yes_or_no("Whether images may stand in the result of a function."),
        "json_schema_tools": yes_or_no("Whether tools take standard JSON Schema."),
        "fast": yes_or_no("Whether a faster answer can be had for more money (Messages `speed`)."),
        "web_search": yes_or_no("Whether the server runs a web search in the form of its dialect (Chat, Responses)."),
        "first_party": yes_or_no("Whether this is the vendor's own service, which knows its newest fields.")
    })
}

#[cfg(test)]
mod tests;
