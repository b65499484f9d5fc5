//! The top level of a request.

use crate::support::{
    CHAT, GEMINI, MESSAGES, RESPONSES, Row, and, check, compatible, dropped, emulated, forced, has, lacks,
    levels, refused, row, says, silence, silent, whole,
};
use byok_types::{MaxTokensField, ModelFacts, StructuredOutput};
use serde_json::{Value, json};

/// The same at all targets.
fn everywhere(row: Row, wants: &[crate::support::Want]) -> Row {
    [CHAT, RESPONSES, MESSAGES, GEMINI].into_iter().fold(row, |row, target| row.to(target, wants.to_vec()))
}

const CAP: &str = "/generationConfig/maxOutputTokens";

#[test]
fn output_cap() {
    check(&[
        row("no cap", CHAT, &json!({}))
            .to(RESPONSES, lacks("/max_output_tokens"))
            .to(MESSAGES, has("/max_tokens", 64_000))
            .to(GEMINI, lacks(CAP)),
        row("new spelling", CHAT, &json!({"max_completion_tokens": 100}))
            .to(RESPONSES, has("/max_output_tokens", 100))
            .to(MESSAGES, has("/max_tokens", 100))
            .to(GEMINI, has(CAP, 100)),
        row("old spelling", CHAT, &json!({"max_tokens": 100}))
            .to(RESPONSES, has("/max_output_tokens", 100))
            .to(MESSAGES, has("/max_tokens", 100))
            .to(GEMINI, has(CAP, 100)),
        row("cap", RESPONSES, &json!({"max_output_tokens": 100}))
            .to(CHAT, and(has("/max_completion_tokens", 100), lacks("/max_tokens")))
            .to(MESSAGES, has("/max_tokens", 100))
            .to(GEMINI, has(CAP, 100)),
        row("cap", MESSAGES, &json!({"max_tokens": 100}))
            .to(CHAT, has("/max_completion_tokens", 100))
            .to(RESPONSES, has("/max_output_tokens", 100))
            .to(GEMINI, has(CAP, 100)),
        row("cap", GEMINI, &json!({"generationConfig": {"maxOutputTokens": 100}}))
            .to(CHAT, has("/max_completion_tokens", 100))
            .to(RESPONSES, has("/max_output_tokens", 100))
            .to(MESSAGES, has("/max_tokens", 100)),
        row("cap at a compatible server", MESSAGES, &json!({"max_tokens": 100}))
            .at(compatible)
            .to(CHAT, and(has("/max_tokens", 100), lacks("/max_completion_tokens")))
            .to(RESPONSES, has("/max_output_tokens", 100))
            .to(GEMINI, has(CAP, 100)),
        row("cap where none is taken", MESSAGES, &json!({"max_tokens": 100}))
            .at(|facts| facts.max_tokens_field = MaxTokensField::Omit)
            .to(CHAT, and(lacks("/max_completion_tokens"), silent("max_tokens")))
            .to(RESPONSES, and(lacks("/max_output_tokens"), silent("max_tokens")))
            .to(GEMINI, has(CAP, 100)),
    ]);
}

#[test]
fn sampling() {
    let gemini = |member: &str| json!({"generationConfig": {member: 0.5}});
    check(&[
        row("temperature", CHAT, &json!({"temperature": 0.5}))
            .to(RESPONSES, has("/temperature", 0.5))
            .to(MESSAGES, has("/temperature", 0.5))
            .to(GEMINI, has("/generationConfig/temperature", 0.5)),
        row("temperature", RESPONSES, &json!({"temperature": 0.5}))
            .to(CHAT, has("/temperature", 0.5))
            .to(MESSAGES, has("/temperature", 0.5))
            .to(GEMINI, has("/generationConfig/temperature", 0.5)),
        row("temperature", MESSAGES, &json!({"temperature": 0.5}))
            .to(CHAT, has("/temperature", 0.5))
            .to(RESPONSES, has("/temperature", 0.5))
            .to(GEMINI, has("/generationConfig/temperature", 0.5)),
        row("temperature", GEMINI, &gemini("temperature"))
            .to(CHAT, has("/temperature", 0.5))
            .to(RESPONSES, has("/temperature", 0.5))
            .to(MESSAGES, has("/temperature", 0.5)),
        row("temperature above 1", CHAT, &json!({"temperature": 1.5}))
            .to(RESPONSES, has("/temperature", 1.5))
            .to(MESSAGES, and(has("/temperature", 1.0), silent("temperature")))
            .to(GEMINI, has("/generationConfig/temperature", 1.5)),
        row("temperature beside thinking", CHAT, &json!({"temperature": 0.5, "reasoning_effort": "high"}))
            .to(RESPONSES, has("/temperature", 0.5))
            .to(MESSAGES, and(lacks("/temperature"), silent("temperature")))
            .to(GEMINI, has("/generationConfig/temperature", 0.5)),
        row("temperature where none is taken", GEMINI, &gemini("temperature"))
            .at(|facts| facts.temperature = false)
            .to(CHAT, and(lacks("/temperature"), silent("generationConfig.temperature")))
            .to(RESPONSES, and(lacks("/temperature"), silent("generationConfig.temperature")))
            .to(MESSAGES, and(lacks("/temperature"), silent("generationConfig.temperature"))),
        row("top_p", CHAT, &json!({"top_p": 0.5}))
            .to(RESPONSES, has("/top_p", 0.5))
            .to(MESSAGES, has("/top_p", 0.5))
            .to(GEMINI, has("/generationConfig/topP", 0.5)),
        row("top_p", RESPONSES, &json!({"top_p": 0.5}))
            .to(CHAT, has("/top_p", 0.5))
            .to(MESSAGES, has("/top_p", 0.5))
            .to(GEMINI, has("/generationConfig/topP", 0.5)),
        row("top_p", MESSAGES, &json!({"top_p": 0.5}))
            .to(CHAT, has("/top_p", 0.5))
            .to(RESPONSES, has("/top_p", 0.5))
            .to(GEMINI, has("/generationConfig/topP", 0.5)),
        row("top_p", GEMINI, &gemini("topP"))
            .to(CHAT, has("/top_p", 0.5))
            .to(RESPONSES, has("/top_p", 0.5))
            .to(MESSAGES, has("/top_p", 0.5)),
        row("top_p beside temperature", CHAT, &json!({"temperature": 0.5, "top_p": 0.5}))
            .to(RESPONSES, and(has("/top_p", 0.5), has("/temperature", 0.5)))
            .to(MESSAGES, and(lacks("/top_p"), silent("top_p")))
            .to(GEMINI, has("/generationConfig/topP", 0.5)),
        row("top_p beside thinking", CHAT, &json!({"top_p": 0.5, "reasoning_effort": "high"}))
            .to(RESPONSES, has("/top_p", 0.5))
            .to(MESSAGES, and(lacks("/top_p"), silent("top_p")))
            .to(GEMINI, has("/generationConfig/topP", 0.5)),
        row("top_k", MESSAGES, &json!({"top_k": 40}))
            .to(CHAT, and(lacks("/top_k"), silent("top_k")))
            .to(RESPONSES, and(lacks("/top_k"), silent("top_k")))
            .to(GEMINI, has("/generationConfig/topK", 40)),
        row("top_k", GEMINI, &json!({"generationConfig": {"topK": 40}}))
            .to(CHAT, and(lacks("/top_k"), silent("generationConfig.topK")))
            .to(RESPONSES, and(lacks("/top_k"), silent("generationConfig.topK")))
            .to(MESSAGES, has("/top_k", 40)),
        row("frequency penalty", CHAT, &json!({"frequency_penalty": 0.5}))
            .to(RESPONSES, and(lacks("/frequency_penalty"), silent("frequency_penalty")))
            .to(MESSAGES, and(lacks("/frequency_penalty"), silent("frequency_penalty")))
            .to(GEMINI, has("/generationConfig/frequencyPenalty", 0.5)),
        row("frequency penalty", GEMINI, &gemini("frequencyPenalty"))
            .to(CHAT, has("/frequency_penalty", 0.5))
            .to(RESPONSES, silent("generationConfig.frequencyPenalty"))
            .to(MESSAGES, silent("generationConfig.frequencyPenalty")),
        row("presence penalty", CHAT, &json!({"presence_penalty": 0.5}))
            .to(RESPONSES, and(lacks("/presence_penalty"), silent("presence_penalty")))
            .to(MESSAGES, and(lacks("/presence_penalty"), silent("presence_penalty")))
            .to(GEMINI, has("/generationConfig/presencePenalty", 0.5)),
        row("presence penalty", GEMINI, &gemini("presencePenalty"))
            .to(CHAT, has("/presence_penalty", 0.5))
            .to(RESPONSES, silent("generationConfig.presencePenalty"))
            .to(MESSAGES, silent("generationConfig.presencePenalty")),
        row("seed", CHAT, &json!({"seed": 5}))
            .to(RESPONSES, and(lacks("/seed"), dropped("seed")))
            .to(MESSAGES, and(lacks("/seed"), dropped("seed")))
            .to(GEMINI, has("/generationConfig/seed", 5)),
        row("seed", GEMINI, &json!({"generationConfig": {"seed": 5}}))
            .to(CHAT, has("/seed", 5))
            .to(RESPONSES, dropped("generationConfig.seed"))
            .to(MESSAGES, dropped("generationConfig.seed")),
        row("logit_bias", CHAT, &json!({"logit_bias": {"1": -100}}))
            .to(RESPONSES, and(lacks("/logit_bias"), dropped("logit_bias")))
            .to(MESSAGES, and(lacks("/logit_bias"), dropped("logit_bias")))
            .to(GEMINI, and(silence("logit"), dropped("logit_bias"))),
    ]);
}

#[test]
fn stop() {
    const STOPS: &str = "/generationConfig/stopSequences";
    check(&[
        row("one stop", CHAT, &json!({"stop": "a"}))
            .to(RESPONSES, and(lacks("/stop"), emulated("stop")))
            .to(MESSAGES, has("/stop_sequences", json!(["a"])))
            .to(GEMINI, has(STOPS, json!(["a"]))),
        row("stops", CHAT, &json!({"stop": ["a", "b"]}))
            .to(RESPONSES, and(lacks("/stop"), emulated("stop")))
            .to(MESSAGES, has("/stop_sequences", json!(["a", "b"])))
            .to(GEMINI, has(STOPS, json!(["a", "b"]))),
        row("stops", MESSAGES, &json!({"stop_sequences": ["a"]}))
            .to(CHAT, has("/stop", json!(["a"])))
            .to(RESPONSES, emulated("stop_sequences"))
            .to(GEMINI, has(STOPS, json!(["a"]))),
        row("stops", GEMINI, &json!({"generationConfig": {"stopSequences": ["a"]}}))
            .to(CHAT, has("/stop", json!(["a"])))
            .to(RESPONSES, emulated("generationConfig.stopSequences"))
            .to(MESSAGES, has("/stop_sequences", json!(["a"]))),
        row("empty stops", CHAT, &json!({"stop": ["", "a"]}))
            .to(RESPONSES, emulated("stop"))
            .to(MESSAGES, has("/stop_sequences", json!(["a"])))
            .to(GEMINI, has(STOPS, json!(["a"]))),
        row("only an empty stop", CHAT, &json!({"stop": [""]}))
            .to(RESPONSES, whole())
            .to(MESSAGES, and(lacks("/stop_sequences"), whole()))
            .to(GEMINI, lacks(STOPS)),
        row("six stops", MESSAGES, &json!({"stop_sequences": ["1", "2", "3", "4", "5", "6"]}))
            .to(CHAT, and(has("/stop", json!(["1", "2", "3", "4"])), emulated("stop_sequences")))
            .to(RESPONSES, emulated("stop_sequences"))
            .to(GEMINI, and(has(STOPS, json!(["1", "2", "3", "4", "5"])), emulated("stop_sequences"))),
    ]);
}

#[test]
fn several_answers_and_log_probabilities() {
    check(&[
        row("n", CHAT, &json!({"n": 2}))
            .to(RESPONSES, refused("n"))
            .to(MESSAGES, refused("n"))
            .to(GEMINI, has("/generationConfig/candidateCount", 2)),
        row("n is 1", CHAT, &json!({"n": 1}))
            .to(RESPONSES, and(lacks("/n"), whole()))
            .to(MESSAGES, and(lacks("/n"), whole()))
            .to(GEMINI, whole()),
        row("n", GEMINI, &json!({"generationConfig": {"candidateCount": 2}}))
            .to(CHAT, has("/n", 2))
            .to(RESPONSES, refused("generationConfig.candidateCount"))
            .to(MESSAGES, refused("generationConfig.candidateCount")),
        row("logprobs", CHAT, &json!({"logprobs": true, "top_logprobs": 3}))
            .to(RESPONSES, and(has("/top_logprobs", 3), has("/include/1", "message.output_text.logprobs")))
            .to(MESSAGES, dropped("logprobs"))
            .to(
                GEMINI,
                and(has("/generationConfig/responseLogprobs", true), has("/generationConfig/logprobs", 3)),
            ),
        row(
            "logprobs of a model without",
            GEMINI,
            &json!({"generationConfig": {"responseLogprobs": true, "logprobs": 3}}),
        )
        .at(|facts| facts.temperature = false)
        .to(
            CHAT,
            and(
                lacks("/logprobs"),
                and(lacks("/top_logprobs"), dropped("generationConfig.responseLogprobs")),
            ),
        )
        .to(RESPONSES, and(lacks("/top_logprobs"), dropped("generationConfig.responseLogprobs")))
        .to(MESSAGES, dropped("generationConfig.responseLogprobs")),
        row("logprobs", RESPONSES, &json!({"top_logprobs": 3, "include": ["message.output_text.logprobs"]}))
            .to(CHAT, and(has("/logprobs", true), has("/top_logprobs", 3)))
            .to(MESSAGES, dropped("top_logprobs"))
            .to(
                GEMINI,
                and(has("/generationConfig/responseLogprobs", true), has("/generationConfig/logprobs", 3)),
            ),
        row("logprobs", GEMINI, &json!({"generationConfig": {"responseLogprobs": true, "logprobs": 3}}))
            .to(CHAT, and(has("/logprobs", true), has("/top_logprobs", 3)))
            .to(RESPONSES, has("/top_logprobs", 3))
            .to(MESSAGES, dropped("generationConfig.responseLogprobs")),
    ]);
}

fn by_schema(schema: &Value) -> Value {
    json!({"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}})
}

#[test]
fn format_and_verbosity() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"],
        "additionalProperties": false});
    let chat = json!({"response_format": {"type": "json_schema",
        "json_schema": {"name": "n", "schema": schema, "strict": true}}});
    let responses =
        json!({"text": {"format": {"type": "json_schema", "name": "n", "schema": schema, "strict": true}}});
    let messages = json!({"output_config": {"format": {"type": "json_schema", "schema": schema}}});
    let gemini = json!({"generationConfig": {"responseMimeType": "application/json",
        "responseJsonSchema": schema}});
    let (in_chat, in_responses) = ("/response_format/json_schema/schema", "/text/format/schema");
    let (in_messages, in_gemini) = ("/output_config/format/schema", "/generationConfig/responseJsonSchema");
    let tool = "/tools/0/input_schema/properties/a";
    check(&[
        row("schema", CHAT, &chat)
            .to(RESPONSES, and(has(in_responses, schema.clone()), has("/text/format/strict", true)))
            .to(MESSAGES, has(in_messages, schema.clone()))
            .to(
                GEMINI,
                and(
                    has(in_gemini, schema.clone()),
                    has("/generationConfig/responseMimeType", "application/json"),
                ),
            ),
        row("schema", RESPONSES, &responses)
            .to(CHAT, and(has(in_chat, schema.clone()), has("/response_format/json_schema/name", "n")))
            .to(MESSAGES, has(in_messages, schema.clone()))
            .to(GEMINI, has(in_gemini, schema.clone())),
        row("schema", MESSAGES, &messages)
            .to(
                CHAT,
                and(
                    and(has(in_chat, schema.clone()), has("/response_format/json_schema/name", "response")),
                    has("/response_format/json_schema/strict", true),
                ),
            )
            .to(RESPONSES, and(has(in_responses, schema.clone()), has("/text/format/name", "response")))
            .to(GEMINI, has(in_gemini, schema.clone())),
        row("schema", GEMINI, &gemini)
            .to(CHAT, has(in_chat, schema.clone()))
            .to(RESPONSES, and(has(in_responses, schema.clone()), has("/text/format/strict", true)))
            .to(MESSAGES, has(in_messages, schema.clone())),
        row("schema by a tool", RESPONSES, &responses)
            .at(forced)
            .to(CHAT, and(has("/tools/0/function/parameters", schema.clone()), emulated("text.format")))
            .to(MESSAGES, and(has(tool, json!({"type": "string"})), emulated("text.format")))
            .to(GEMINI, has("/toolConfig/functionCallingConfig/mode", "ANY")),
        row(
            "a schema that leads back to itself",
            CHAT,
            &json!({"response_format": {"type": "json_schema",
            "json_schema": {"name": "n", "schema": {"type": "object", "properties": {"a": {"$ref": "#"}}}}}}),
        )
        .to(RESPONSES, has("/text/format/schema/properties/a/$ref", "#"))
        .to(
            MESSAGES,
            and(
                and(lacks("/output_config"), emulated("response_format")),
                and(
                    has("/tools/0/name", "json_response"),
                    has("/tools/0/input_schema/properties/a", json!({"$ref": "#"})),
                ),
            ),
        )
        .to(GEMINI, has("/generationConfig/responseJsonSchema/properties/a/$ref", "#")),
        row("a schema of a map", CHAT, &by_schema(&json!({"type": "object",
            "additionalProperties": {"type": "string"}})))
        .to(RESPONSES, has("/text/format/schema/additionalProperties/type", "string"))
        .to(
            MESSAGES,
            and(
                and(lacks("/output_config"), emulated("response_format")),
                has("/tools/0/input_schema/additionalProperties", json!({"type": "string"})),
            ),
        )
        .to(GEMINI, has("/generationConfig/responseJsonSchema/additionalProperties/type", "string")),
        row("a schema of parts", CHAT, &by_schema(&json!({"allOf": [{"$ref": "#/$defs/a"}, {"allOf": [{"$ref": "#/$defs/b"}]}],
            "$defs": {"a": {"properties": {"x": {}}, "required": ["x"]}, "b": {"properties": {"y": {}}, "required": ["y"]}}})))
        .to(RESPONSES, has("/text/format/schema/allOf/0/$ref", "#/$defs/a"))
        .to(
            MESSAGES,
            and(
                and(lacks("/output_config"), emulated("response_format")),
                and(
                    has("/tools/0/input_schema/properties", json!({"x": {}, "y": {}})),
                    has("/tools/0/input_schema/required", json!(["x", "y"])),
                ),
            ),
        )
        .to(GEMINI, has("/generationConfig/responseJsonSchema/allOf/0/$ref", "#/$defs/a")),
        row("a schema that OpenAI does not enforce", MESSAGES, &json!({"output_config": {"format": {"type": "json_schema",
            "schema": {"type": "object", "properties": {"a": {"oneOf": [{"type": "string"}, {"type": "integer"}]}},
                "required": ["a"], "additionalProperties": false}}}}))
            .to(CHAT, has("/response_format/json_schema/strict", false))
            .to(RESPONSES, has("/text/format/strict", false))
            .to(GEMINI, has("/generationConfig/responseJsonSchema/properties/a/oneOf/0/type", "string")),
        row("any object", GEMINI, &json!({"generationConfig": {"responseMimeType": "application/json",
            "responseSchema": {"type": "OBJECT"}}}))
            .to(CHAT, has("/response_format/json_schema/strict", false))
            .to(RESPONSES, has("/text/format/strict", false))
            .to(
                MESSAGES,
                and(
                    and(lacks("/output_config"), lacks("/tools")),
                    and(says("Answer with one JSON value"), emulated("generationConfig.responseMimeType")),
                ),
            ),
        row("a schema of a list, by a tool", GEMINI, &json!({"generationConfig": {"responseMimeType": "application/json",
            "responseSchema": {"type": "ARRAY", "items": {"type": "STRING"}}}}))
            .at(forced)
            .to(CHAT, emulated("generationConfig.responseMimeType"))
            .to(RESPONSES, has("/text/format/strict", false))
            .to(MESSAGES, and(lacks("/tools"), says("Answer with one JSON value"))),
        row("schema in words", CHAT, &chat)
            .at(|facts| facts.structured_output = StructuredOutput::Hint)
            .to(RESPONSES, has(in_responses, schema.clone()))
            .to(MESSAGES, and(says("additionalProperties"), emulated("response_format")))
            .to(GEMINI, dropped("response_format")),
        row(
            "loose schema",
            GEMINI,
            &json!({"generationConfig": {"responseMimeType": "application/json",
                "responseJsonSchema": {"type": "object", "properties": {"a": {"type": "string"}}}}}),
        )
        .to(CHAT, has("/response_format/json_schema/strict", false))
        .to(RESPONSES, has("/text/format/strict", false))
        .to(MESSAGES, has("/output_config/format/schema/additionalProperties", false)),
        row(
            "schema of a list",
            GEMINI,
            &json!({"generationConfig": {"responseMimeType": "application/json",
                "responseSchema": {"type": "ARRAY", "items": {"type": "STRING"}}}}),
        )
        .to(CHAT, has("/response_format/json_schema/strict", false))
        .to(RESPONSES, has("/text/format/strict", false))
        .to(MESSAGES, has("/output_config/format/schema/type", "array")),
        row(
            "no schema",
            CHAT,
            &json!({"response_format": {"type": "json_schema", "json_schema": {"name": "n"}}}),
        )
        .to(RESPONSES, refused("response_format.json_schema.schema"))
        .to(MESSAGES, refused("response_format.json_schema.schema"))
        .to(GEMINI, refused("response_format.json_schema.schema")),
        row(
            "a schema that is none",
            CHAT,
            &json!({"response_format": {"type": "json_schema",
            "json_schema": {"name": "n", "schema": 5}}}),
        )
        .to(RESPONSES, refused("response_format.json_schema.schema"))
        .to(MESSAGES, refused("response_format.json_schema.schema"))
        .to(GEMINI, refused("response_format.json_schema.schema")),
        everywhere(
            row("no schema at all", CHAT, &json!({"response_format": {"type": "json_schema"}})),
            &refused("response_format.json_schema.schema"),
        ),
        everywhere(
            row("an unknown form", CHAT, &json!({"response_format": {"type": "xml"}})),
            &refused("response_format.type"),
        ),
        everywhere(
            row(
                "an unknown form",
                RESPONSES,
                &json!({"text": {"format": {"type": "grammar", "syntax": "lark"}}}),
            ),
            &refused("text.format.type"),
        ),
        everywhere(
            row("no schema", MESSAGES, &json!({"output_config": {"format": {"type": "json_schema"}}})),
            &refused("output_config.format.schema"),
        ),
        everywhere(
            row("an unknown form", MESSAGES, &json!({"output_config": {"format": {"type": "xml"}}})),
            &refused("output_config.format.type"),
        ),
        everywhere(
            row("an unknown level", CHAT, &json!({"reasoning_effort": "zzz"})),
            &refused("reasoning_effort"),
        ),
        everywhere(
            row("an unknown level", RESPONSES, &json!({"reasoning": {"effort": "zzz"}})),
            &refused("reasoning.effort"),
        ),
        everywhere(
            row("an unknown level", MESSAGES, &json!({"output_config": {"effort": "zzz"}})),
            &refused("output_config.effort"),
        ),
        row("a level of some models", CHAT, &json!({"reasoning_effort": "Ultra"}))
            .to(RESPONSES, dropped("reasoning_effort"))
            .to(MESSAGES, dropped("reasoning_effort"))
            .to(GEMINI, dropped("reasoning_effort")),
        row(
            "a schema that is none",
            GEMINI,
            &json!({"generationConfig": {"responseMimeType": "application/json",
            "responseJsonSchema": ["object"]}}),
        )
        .to(CHAT, and(lacks("/response_format"), dropped("generationConfig.responseMimeType")))
        .to(RESPONSES, and(lacks("/text"), dropped("generationConfig.responseMimeType")))
        .to(MESSAGES, and(lacks("/output_config"), dropped("generationConfig.responseMimeType"))),
        row("JSON", CHAT, &json!({"response_format": {"type": "json_object"}}))
            .to(
                RESPONSES,
                and(has("/text/format/type", "json_object"), and(says("JSON"), emulated("response_format"))),
            )
            .to(MESSAGES, and(says("JSON"), emulated("response_format")))
            .to(GEMINI, has("/generationConfig", json!({"responseMimeType": "application/json"}))),
        row("JSON", RESPONSES, &json!({"text": {"format": {"type": "json_object"}}}))
            .to(
                CHAT,
                and(
                    has("/response_format", json!({"type": "json_object"})),
                    and(says("JSON"), emulated("text.format")),
                ),
            )
            .to(MESSAGES, emulated("text.format"))
            .to(GEMINI, has("/generationConfig", json!({"responseMimeType": "application/json"}))),
        row("JSON", GEMINI, &json!({"generationConfig": {"responseMimeType": "application/json"}}))
            .to(CHAT, emulated("generationConfig.responseMimeType"))
            .to(RESPONSES, emulated("generationConfig.responseMimeType"))
            .to(MESSAGES, emulated("generationConfig.responseMimeType")),
        row("words of a list", GEMINI, &json!({"generationConfig": {"responseMimeType": "text/x.enum",
            "responseSchema": {"type": "STRING", "enum": ["yes", "no"]}}}))
        .to(CHAT, and(says("yes"), emulated("generationConfig.responseMimeType")))
        .to(RESPONSES, and(says("yes"), emulated("generationConfig.responseMimeType")))
        .to(MESSAGES, and(says("yes"), emulated("generationConfig.responseMimeType"))),
        row("schema beside functions of an older model", CHAT, &{
            let mut body = chat.clone();
            body["tools"] = json!([{"type": "function", "function": {"name": "f"}}]);
            body
        })
        .to(RESPONSES, has(in_responses, schema.clone()))
        .to(MESSAGES, has(in_messages, schema.clone()))
        .to(GEMINI, and(lacks("/generationConfig"), dropped("response_format"))),
        row("verbosity", CHAT, &json!({"verbosity": "low"}))
            .to(RESPONSES, has("/text/verbosity", "low"))
            .to(MESSAGES, and(silence("low"), silent("verbosity")))
            .to(GEMINI, and(silence("low"), silent("verbosity"))),
        row("verbosity", RESPONSES, &json!({"text": {"verbosity": "low"}}))
            .to(CHAT, has("/verbosity", "low"))
            .to(MESSAGES, silent("text.verbosity"))
            .to(GEMINI, silent("text.verbosity")),
    ]);
}

/// A model that is sold in a faster form.
fn fast(facts: &mut ModelFacts) {
    facts.fast = true;
}

fn tiers() -> Vec<Row> {
    let tier = |word: &str| json!({"service_tier": word});
    vec![
        row("priority", CHAT, &tier("priority"))
            .at(fast)
            .to(RESPONSES, has("/service_tier", "priority"))
            .to(MESSAGES, and(has("/speed", "fast"), and(lacks("/service_tier"), emulated("service_tier"))))
            .to(GEMINI, has("/serviceTier", "priority")),
        row("priority at a model of one speed", CHAT, &tier("priority"))
            .to(RESPONSES, has("/service_tier", "priority"))
            .to(MESSAGES, and(lacks("/speed"), dropped("service_tier")))
            .to(GEMINI, has("/serviceTier", "priority")),
        row("fast", RESPONSES, &tier("fast"))
            .at(fast)
            .to(CHAT, has("/service_tier", "fast"))
            .to(MESSAGES, has("/speed", "fast"))
            .to(GEMINI, has("/serviceTier", "priority")),
        row("speed", MESSAGES, &json!({"speed": "fast"}))
            .to(CHAT, has("/service_tier", "priority"))
            .to(RESPONSES, has("/service_tier", "priority"))
            .to(GEMINI, has("/serviceTier", "priority")),
        row("priority", GEMINI, &json!({"serviceTier": "priority"}))
            .at(fast)
            .to(CHAT, has("/service_tier", "priority"))
            .to(RESPONSES, has("/service_tier", "priority"))
            .to(MESSAGES, has("/speed", "fast")),
        row("flex", CHAT, &tier("flex"))
            .to(RESPONSES, has("/service_tier", "flex"))
            .to(MESSAGES, and(lacks("/service_tier"), silent("service_tier")))
            .to(GEMINI, has("/serviceTier", "flex")),
        row("flex", GEMINI, &json!({"serviceTier": "flex"}))
            .to(CHAT, has("/service_tier", "flex"))
            .to(RESPONSES, has("/service_tier", "flex"))
            .to(MESSAGES, silent("serviceTier")),
        row("standard", GEMINI, &json!({"serviceTier": "standard"}))
            .to(CHAT, has("/service_tier", "default"))
            .to(RESPONSES, has("/service_tier", "default"))
            .to(MESSAGES, has("/service_tier", "standard_only")),
        row("standard_only", MESSAGES, &tier("standard_only"))
            .to(CHAT, has("/service_tier", "default"))
            .to(RESPONSES, has("/service_tier", "default"))
            .to(GEMINI, lacks("/serviceTier")),
        row("auto", CHAT, &tier("auto"))
            .to(RESPONSES, has("/service_tier", "auto"))
            .to(MESSAGES, has("/service_tier", "auto"))
            .to(GEMINI, lacks("/serviceTier")),
        row("scale", CHAT, &tier("scale"))
            .to(RESPONSES, has("/service_tier", "scale"))
            .to(MESSAGES, dropped("service_tier"))
            .to(GEMINI, and(lacks("/serviceTier"), dropped("service_tier"))),
        row("ultrafast", RESPONSES, &tier("ultrafast"))
            .to(CHAT, and(lacks("/service_tier"), dropped("service_tier")))
            .to(MESSAGES, dropped("service_tier"))
            .to(GEMINI, dropped("service_tier")),
        row("tier at a compatible server", CHAT, &tier("priority"))
            .at(compatible)
            .to(RESPONSES, dropped("service_tier"))
            .to(MESSAGES, dropped("service_tier"))
            .to(GEMINI, dropped("service_tier")),
        row("tier at a compatible server", RESPONSES, &tier("flex"))
            .at(compatible)
            .to(CHAT, dropped("service_tier"))
            .to(MESSAGES, silent("service_tier"))
            .to(GEMINI, dropped("service_tier")),
        row("the usual tier at a compatible server", RESPONSES, &tier("auto"))
            .at(compatible)
            .to(CHAT, silent("service_tier"))
            .to(MESSAGES, silent("service_tier"))
            .to(GEMINI, whole()),
        row("speed at a compatible server", MESSAGES, &json!({"speed": "fast"}))
            .at(compatible)
            .to(CHAT, dropped("speed"))
            .to(RESPONSES, dropped("speed"))
            .to(GEMINI, dropped("speed")),
        row("the usual speed at a compatible server", MESSAGES, &json!({"speed": "standard"}))
            .at(compatible)
            .to(CHAT, whole())
            .to(RESPONSES, whole())
            .to(GEMINI, whole()),
    ]
}

#[test]
fn tier() {
    check(&tiers());
}

#[test]
fn who_asks_and_what_is_kept() {
    let labels = json!({"team": "a-b"});
    check(&[
        row("user", CHAT, &json!({"user": "u1"}))
            .to(RESPONSES, has("/user", "u1"))
            .to(MESSAGES, has("/metadata/user_id", "u1"))
            .to(GEMINI, and(silence("u1"), dropped("user"))),
        row("safety identifier", RESPONSES, &json!({"safety_identifier": "u1"}))
            .to(CHAT, has("/safety_identifier", "u1"))
            .to(MESSAGES, has("/metadata/user_id", "u1"))
            .to(GEMINI, dropped("safety_identifier")),
        row("user id", MESSAGES, &json!({"metadata": {"user_id": "u1"}}))
            .to(CHAT, has("/safety_identifier", "u1"))
            .to(RESPONSES, has("/safety_identifier", "u1"))
            .to(GEMINI, dropped("metadata.user_id")),
        row("user at a compatible server", CHAT, &json!({"user": "u1", "safety_identifier": "s1"}))
            .at(compatible)
            .to(RESPONSES, and(has("/user", "u1"), has("/safety_identifier", "s1")))
            .to(MESSAGES, has("/metadata/user_id", "u1"))
            .to(GEMINI, and(dropped("user"), dropped("safety_identifier"))),
        row("user at a compatible server", RESPONSES, &json!({"user": "u1", "safety_identifier": "s1"}))
            .at(compatible)
            .to(CHAT, and(dropped("user"), dropped("safety_identifier")))
            .to(MESSAGES, has("/metadata/user_id", "u1"))
            .to(GEMINI, dropped("user")),
        row("user id at a compatible server", MESSAGES, &json!({"metadata": {"user_id": "u1"}}))
            .at(compatible)
            .to(CHAT, and(silence("u1"), dropped("metadata.user_id")))
            .to(RESPONSES, and(silence("u1"), dropped("metadata.user_id")))
            .to(GEMINI, dropped("metadata.user_id")),
        row("most calls of hosted tools", RESPONSES, &json!({"max_tool_calls": 2}))
            .to(CHAT, dropped("max_tool_calls"))
            .to(MESSAGES, dropped("max_tool_calls"))
            .to(GEMINI, dropped("max_tool_calls")),
        row("long user id", MESSAGES, &json!({"metadata": {"user_id": "u".repeat(90)}}))
            .to(CHAT, and(says("\"safety_identifier\":\"sha_"), silence("uuuu")))
            .to(RESPONSES, says("\"safety_identifier\":\"sha_"))
            .to(GEMINI, silence("uuuu")),
        row("nobody is made up", CHAT, &json!({}))
            .to(RESPONSES, lacks("/user"))
            .to(MESSAGES, lacks("/metadata"))
            .to(GEMINI, lacks("/labels")),
        row("metadata", CHAT, &json!({"metadata": labels}))
            .to(RESPONSES, has("/metadata", labels.clone()))
            .to(MESSAGES, and(lacks("/metadata"), silent("metadata")))
            .to(GEMINI, has("/labels", labels.clone())),
        row("metadata", RESPONSES, &json!({"metadata": labels}))
            .to(CHAT, and(lacks("/metadata"), silent("metadata")))
            .to(MESSAGES, silent("metadata"))
            .to(GEMINI, has("/labels", labels.clone())),
        row("labels", GEMINI, &json!({"labels": labels}))
            .to(CHAT, silent("labels"))
            .to(RESPONSES, has("/metadata", labels.clone()))
            .to(MESSAGES, silent("labels")),
        row("metadata that are no labels", CHAT, &json!({"metadata": {"Team": "A B"}}))
            .to(RESPONSES, has("/metadata/Team", "A B"))
            .to(MESSAGES, silent("metadata"))
            .to(GEMINI, and(lacks("/labels"), dropped("metadata.Team"))),
        row("store", CHAT, &json!({"store": true}))
            .to(RESPONSES, and(has("/store", false), silent("store")))
            .to(MESSAGES, and(lacks("/store"), silent("store")))
            .to(GEMINI, and(lacks("/store"), silent("store"))),
        row("store", RESPONSES, &json!({"store": false}))
            .to(CHAT, has("/store", false))
            .to(MESSAGES, silent("store"))
            .to(GEMINI, silent("store")),
        row("moderation", CHAT, &json!({"moderation": {"a": 1}}))
            .to(RESPONSES, has("/moderation", json!({"a": 1})))
            .to(MESSAGES, and(lacks("/moderation"), silent("moderation")))
            .to(GEMINI, silent("moderation")),
        row("moderation", RESPONSES, &json!({"moderation": {"a": 1}}))
            .to(CHAT, has("/moderation", json!({"a": 1})))
            .to(MESSAGES, silent("moderation"))
            .to(GEMINI, silent("moderation")),
        row("safety settings", GEMINI, &json!({"safetySettings": [{"category": "C", "threshold": "OFF"}]}))
            .to(CHAT, and(silence("OFF"), silent("safetySettings")))
            .to(RESPONSES, silent("safetySettings"))
            .to(MESSAGES, silent("safetySettings")),
        row("no safety settings are made up", CHAT, &json!({}))
            .to(RESPONSES, lacks("/moderation"))
            .to(MESSAGES, whole())
            .to(GEMINI, lacks("/safetySettings")),
    ]);
}

#[test]
fn state_and_stream() {
    let seal = "reasoning.encrypted_content";
    check(&[
        row("previous response", RESPONSES, &json!({"previous_response_id": "resp_1"}))
            .to(CHAT, refused("previous_response_id"))
            .to(MESSAGES, refused("previous_response_id"))
            .to(GEMINI, refused("previous_response_id")),
        row("background", RESPONSES, &json!({"background": true}))
            .to(CHAT, refused("background"))
            .to(MESSAGES, refused("background"))
            .to(GEMINI, refused("background")),
        row("not in the background", RESPONSES, &json!({"background": false}))
            .to(CHAT, whole())
            .to(MESSAGES, whole())
            .to(GEMINI, whole()),
        row("conversation", RESPONSES, &json!({"conversation": "conv_1"}))
            .to(CHAT, refused("conversation"))
            .to(MESSAGES, refused("conversation"))
            .to(GEMINI, refused("conversation")),
        row("prompt", RESPONSES, &json!({"prompt": {"id": "p"}}))
            .to(CHAT, refused("prompt"))
            .to(MESSAGES, refused("prompt"))
            .to(GEMINI, refused("prompt")),
        row("truncation", RESPONSES, &json!({"truncation": "auto"}))
            .to(CHAT, and(lacks("/truncation"), silent("truncation")))
            .to(MESSAGES, and(lacks("/truncation"), silent("truncation")))
            .to(GEMINI, and(lacks("/truncation"), silent("truncation"))),
        row("container", MESSAGES, &json!({"container": "c1"}))
            .to(CHAT, and(silence("c1"), dropped("container")))
            .to(RESPONSES, dropped("container"))
            .to(GEMINI, dropped("container")),
        row("cached content", GEMINI, &json!({"cachedContent": "cachedContents/1"}))
            .to(CHAT, refused("cachedContent"))
            .to(RESPONSES, refused("cachedContent"))
            .to(MESSAGES, refused("cachedContent")),
        row("seals are asked for", CHAT, &json!({}))
            .to(RESPONSES, and(has("/include/0", seal), has("/store", false)))
            .to(MESSAGES, lacks("/include"))
            .to(GEMINI, lacks("/include")),
        row(
            "stream options",
            CHAT,
            &json!({"stream": true,
                "stream_options": {"include_usage": true, "include_obfuscation": true}}),
        )
        .to(RESPONSES, and(has("/stream", true), lacks("/stream_options")))
        .to(MESSAGES, and(has("/stream", true), lacks("/stream_options")))
        .to(GEMINI, and(lacks("/stream"), lacks("/stream_options"))),
        row("usage is always asked for", RESPONSES, &json!({"stream": true}))
            .to(CHAT, has("/stream_options", json!({"include_usage": true})))
            .to(MESSAGES, has("/stream", true))
            .to(GEMINI, lacks("/stream")),
        row("unknown field", CHAT, &json!({"invented": 1}))
            .to(RESPONSES, and(lacks("/invented"), dropped("invented")))
            .to(MESSAGES, and(lacks("/invented"), dropped("invented")))
            .to(GEMINI, and(lacks("/invented"), dropped("invented"))),
        row("unknown field", MESSAGES, &json!({"invented": 1}))
            .to(CHAT, dropped("invented"))
            .to(RESPONSES, dropped("invented"))
            .to(GEMINI, dropped("invented")),
    ]);
}

/// A server of the operator of which nothing is known.
fn unknown(facts: &mut ModelFacts) {
    compatible(facts);
    facts.thinking.forms.clear();
}

#[test]
fn effort() {
    let budget = json!({"thinking": {"type": "enabled", "budget_tokens": 8192}, "max_tokens": 20_000});
    let (off, thinking) = (json!({"thinking": {"type": "disabled"}}), "/thinking/budget_tokens");
    let (to_budget, to_level) =
        ("/generationConfig/thinkingConfig/thinkingBudget", "/generationConfig/thinkingConfig/thinkingLevel");
    let chat = |word: &str| json!({"reasoning_effort": word});
    let gemini = |config: &Value| json!({"generationConfig": {"thinkingConfig": config}});
    let mut rows = vec![
        row("nothing said", CHAT, &json!({}))
            .to(RESPONSES, lacks("/reasoning"))
            .to(MESSAGES, lacks("/thinking"))
            .to(GEMINI, lacks("/generationConfig")),
        row("none", CHAT, &chat("none"))
            .to(RESPONSES, has("/reasoning/effort", "none"))
            .to(MESSAGES, has("/thinking/type", "disabled"))
            .to(GEMINI, has(to_budget, 0)),
        row("budget", MESSAGES, &budget)
            .to(CHAT, has("/reasoning_effort", "medium"))
            .to(RESPONSES, and(has("/reasoning/effort", "medium"), has("/reasoning/summary", "auto")))
            .to(GEMINI, has(to_budget, 8192)),
        row("budget to a level", MESSAGES, &budget)
            .at(levels)
            .to(CHAT, has("/reasoning_effort", "medium"))
            .to(RESPONSES, has("/reasoning/effort", "medium"))
            .to(GEMINI, and(has(to_level, "MEDIUM"), lacks(to_budget))),
        row("budget", GEMINI, &gemini(&json!({"thinkingBudget": 8192})))
            .to(CHAT, has("/reasoning_effort", "medium"))
            .to(RESPONSES, has("/reasoning/effort", "medium"))
            .to(MESSAGES, has(thinking, 8192)),
        row("dynamic", GEMINI, &gemini(&json!({"thinkingBudget": -1})))
            .at(levels)
            .to(CHAT, lacks("/thinking"))
            .to(RESPONSES, lacks("/reasoning/effort"))
            .to(MESSAGES, has("/thinking/type", "adaptive")),
        row("off", MESSAGES, &off)
            .to(CHAT, has("/reasoning_effort", "none"))
            .to(RESPONSES, has("/reasoning/effort", "none"))
            .to(GEMINI, has(to_budget, 0)),
        row("off", GEMINI, &gemini(&json!({"thinkingBudget": 0})))
            .to(CHAT, has("/reasoning_effort", "none"))
            .to(RESPONSES, has("/reasoning/effort", "none"))
            .to(MESSAGES, has("/thinking/type", "disabled")),
        row("off at a model that always thinks", CHAT, &chat("none"))
            .at(|facts| {
                levels(facts);
                facts.thinking.can_disable = false;
            })
            .to(RESPONSES, has("/reasoning/effort", "low"))
            .to(MESSAGES, has("/output_config/effort", "low"))
            .to(GEMINI, has(to_level, "LOW")),
        row("no reasoning", CHAT, &chat("high"))
            .at(|facts| facts.thinking.forms.clear())
            .to(RESPONSES, and(lacks("/reasoning"), dropped("reasoning_effort")))
            .to(MESSAGES, and(lacks("/thinking"), dropped("reasoning_effort")))
            .to(GEMINI, and(lacks("/generationConfig"), dropped("reasoning_effort"))),
        row("no wish at a model without reasoning", CHAT, &chat("none"))
            .at(|facts| facts.thinking.forms.clear())
            .to(RESPONSES, and(lacks("/reasoning"), silent("reasoning_effort")))
            .to(MESSAGES, and(lacks("/thinking"), silent("reasoning_effort")))
            .to(GEMINI, and(lacks("/generationConfig"), silent("reasoning_effort"))),
        row(
            "a level at a model of which nothing is known",
            RESPONSES,
            &json!({"reasoning": {"effort": "high"}}),
        )
        .at(unknown)
        .to(CHAT, and(silence("high"), dropped("reasoning")))
        .to(MESSAGES, silence("high"))
        .to(GEMINI, and(silence("high"), dropped("reasoning"))),
        row("a budget at a model of which nothing is known", MESSAGES, &budget)
            .at(unknown)
            .to(CHAT, and(silence("8192"), dropped("thinking")))
            .to(RESPONSES, and(lacks("/reasoning"), dropped("thinking")))
            .to(GEMINI, and(silence("8192"), dropped("thinking"))),
        row("a level alone there", MESSAGES, &json!({"output_config": {"effort": "high"}}))
            .at(unknown)
            .to(CHAT, and(silence("high"), dropped("output_config.effort")))
            .to(RESPONSES, and(lacks("/reasoning"), dropped("output_config.effort")))
            .to(GEMINI, and(silence("high"), dropped("output_config.effort"))),
        row("effort as OpenRouter has it", CHAT, &json!({"reasoning": {"effort": "high", "exclude": true}}))
            .to(RESPONSES, and(dropped("reasoning.effort"), dropped("reasoning.exclude")))
            .to(MESSAGES, and(dropped("reasoning.effort"), dropped("reasoning.exclude")))
            .to(GEMINI, and(dropped("reasoning.effort"), dropped("reasoning.exclude"))),
        row("context and mode", RESPONSES, &json!({"reasoning": {"context": "all_turns", "mode": "pro"}}))
            .to(CHAT, and(silent("reasoning.context"), silent("reasoning.mode")))
            .to(MESSAGES, and(silent("reasoning.context"), silent("reasoning.mode")))
            .to(GEMINI, and(silent("reasoning.context"), silent("reasoning.mode"))),
        row("summary", RESPONSES, &json!({"reasoning": {"effort": "high", "summary": "auto"}}))
            .to(CHAT, has("/reasoning_effort", "high"))
            .to(MESSAGES, has("/thinking/display", "summarized"))
            .to(GEMINI, has("/generationConfig/thinkingConfig/includeThoughts", true)),
    ];
    // The table of budgets, as it is for Claude and Gemini; Claude's budgets begin at 1024.
    for (word, tokens) in
        [("minimal", 512), ("low", 1024), ("medium", 8192), ("high", 24_576), ("xhigh", 32_768)]
    {
        rows.push(
            row("level to a budget", CHAT, &chat(word))
                .at(|facts| {
                    facts.thinking.budget =
                        Some((if facts.family.name() == "claude" { 1024 } else { 128 }, 63_999));
                })
                .to(RESPONSES, has("/reasoning/effort", word))
                .to(MESSAGES, has(thinking, tokens.max(1024)))
                .to(GEMINI, has(to_budget, tokens)),
        );
    }
    for (word, told, level) in [
        ("minimal", "low", "LOW"),
        ("low", "low", "LOW"),
        ("medium", "medium", "MEDIUM"),
        ("high", "high", "HIGH"),
        ("xhigh", "high", "HIGH"),
        ("max", "high", "HIGH"),
    ] {
        rows.push(
            row("level to a level", CHAT, &chat(word))
                .at(levels)
                .to(RESPONSES, has("/reasoning/effort", told))
                .to(MESSAGES, has("/output_config/effort", told))
                .to(GEMINI, and(has(to_level, level), lacks(to_budget))),
        );
    }
    check(&rows);
}
