//! Reading requests.

mod blocks;
mod messages;
mod parts;
mod tools;

use super::body::{Body, BodyStreamOptions};
use crate::{
    Incoming, Json, Losses, Translated,
    ir::{
        CacheOptions, EndUser, Extra, Failure, MaxTokens, MaxTokensSpelling, Opaque, OutputFormat, Reasoning,
        Request, Sampling, StreamOptions, ToolChoice,
    },
    wire,
};
use byok_types::{Dialect, Effort};

/// Reads the body of `POST /v1/chat/completions`.
///
/// Takes what real clients send beyond the types: flat tools, tools without `type`, the old `functions`, parts of other
/// dialects in the content, arguments as objects. Fields that byok does not know stay in `extra`.
pub fn decode_request(incoming: &Incoming<'_>) -> Result<Translated<Request>, Failure> {
    let body: Body = wire::read(incoming.body)?;
    let missing =
        |field: &str, what: &str| Failure::bad_request(field, format!("`{field}` is missing: {what}."));
    let model = body.model.filter(|model| !model.is_empty());
    let model = model.ok_or_else(|| missing("model", "name the model that shall answer"))?;
    let messages = body.messages.filter(|messages| !messages.is_empty());
    let messages = messages.ok_or_else(|| missing("messages", "send at least one message"))?;

    let mut request = Request::new(Dialect::Chat, model);
    let mut reader = messages::Messages::default();
    for (index, message) in messages.into_iter().enumerate() {
        request.messages.push(reader.read(index, message)?);
    }

    for (index, json) in body.tools.into_iter().enumerate() {
        request.tools.push(tools::tool(json, index)?);
    }
    request.old_functions = request.tools.is_empty() && !body.functions.is_empty();
    for (index, json) in body.functions.into_iter().enumerate() {
        request.tools.push(tools::function(&json, index)?);
    }
    request.tools.extend(body.web_search_options.map(tools::web_search_options));
    request.tool_choice = choice(body.tool_choice, body.function_call)?;
    request.parallel_tool_calls = body.parallel_tool_calls;

    request.stream = body.stream.or(incoming.stream).unwrap_or(false);
    request.stream_options = stream_options(body.stream_options);
    request.reasoning = Reasoning::default();
    let mut extras = body.extra;
    match body.reasoning_effort.as_deref().map(|word| (Effort::parse(word), word)) {
        Some((Some(effort), _)) => request.reasoning.effort = Some(effort),
        // A level that byok does not know may be one that this upstream knows.
        Some((None, word)) => extras.push(("reasoning_effort".to_owned(), Json::string(word))),
        None => {}
    }
    request.output_format = body.response_format.map(output_format).transpose()?.unwrap_or_default();
    request.verbosity = body.verbosity;
    request.modalities = body.modalities.into_iter().map(|word| word.to_ascii_lowercase()).collect();
    request.audio_output = body.audio.map(opaque);
    request.sampling = Sampling {
        temperature: body.temperature,
        top_p: body.top_p,
        top_k: body.top_k,
        frequency_penalty: body.frequency_penalty,
        presence_penalty: body.presence_penalty,
        seed: body.seed,
        logit_bias: body.logit_bias,
        logprobs: body.logprobs,
        top_logprobs: body.top_logprobs,
        n: body.n,
        stop: body.stop.0,
    };
    request.max_tokens = max_tokens(body.max_completion_tokens, body.max_tokens);
    request.prediction = body.prediction;
    request.service_tier = body.service_tier;
    request.metadata = body.metadata.0;
    request.end_user =
        EndUser { user: body.user, safety_identifier: body.safety_identifier, extra: Extra::default() };
    request.store = body.store;
    request.cache = CacheOptions {
        key: body.prompt_cache_key,
        retention: body.prompt_cache_retention,
        options: body.prompt_cache_options,
        ..CacheOptions::default()
    };
    request.safety = body.moderation.map(opaque);
    request.extra = extra(extras);
    Ok(Losses::default().attach(request))
}

/// Unknown members. `null` says nothing and is left out.
fn extra(fields: Vec<(String, Json)>) -> Extra {
    Extra::new(Dialect::Chat, fields.into_iter().filter(|(_, value)| !value.is_null()).collect())
}

fn opaque(json: Json) -> Opaque {
    Opaque { dialect: Dialect::Chat, json }
}

fn stream_options(options: Option<BodyStreamOptions>) -> StreamOptions {
    let options = options.unwrap_or_default();
    StreamOptions {
        include_usage: options.include_usage,
        include_obfuscation: options.include_obfuscation,
        extra: extra(options.extra),
    }
}

fn choice(choice: Option<Json>, legacy: Option<Json>) -> Result<Option<ToolChoice>, Failure> {
    match (choice, legacy) {
        (Some(json), _) => tools::choice(json, "tool_choice").map(Some),
        (None, Some(json)) => tools::choice(json, "function_call").map(Some),
        (None, None) => Ok(None),
    }
}

fn max_tokens(new: Option<u64>, old: Option<u64>) -> Option<MaxTokens> {
    let new = new.map(|value| MaxTokens { value, spelling: MaxTokensSpelling::MaxCompletionTokens });
    new.or(old.map(|value| MaxTokens { value, spelling: MaxTokensSpelling::MaxTokens }))
}

wire::wire! {
    struct Format {
        "type" => kind: Option<String>,
        "json_schema" => json_schema: Option<FormatSchema>,
    }
}

wire::wire! {
    struct FormatSchema {
        "name" => name: Option<String>,
        "description" => description: Option<String>,
        "schema" => schema: Option<Json>,
        "strict" => strict: Option<bool>,
    }
}

fn output_format(json: Json) -> Result<OutputFormat, Failure> {
    if !json.is_object() {
        return Err(Failure::bad_request(
            "response_format",
            "`response_format` must be an object. Send `{\"type\": \"json_schema\", …}`, or leave it out.",
        ));
    }
    let Ok(read) = json.read::<Format>() else { return Ok(OutputFormat::Opaque(opaque(json))) };
    Ok(match (read.kind.as_deref(), read.json_schema) {
        (Some("text"), _) => OutputFormat::Text,
        (Some("json_object"), _) => OutputFormat::JsonObject,
        (
            Some("json_schema"),
            Some(FormatSchema { name, description, schema: Some(schema), strict, extra: rest }),
        ) if schema.is_object() => {
            OutputFormat::JsonSchema { name, description, schema, strict, extra: extra(rest) }
        }
        _ => OutputFormat::Opaque(opaque(json)),
    })
}

#[cfg(test)]
mod tests;
