//! Requests of Responses clients.

mod items;
mod parts;
mod tools;

pub(super) use items::compaction;
use parts::thinking;
pub(super) use parts::{message_parts, picture, thinking_of_vendor, tool_call};

use super::wire::{self, Body, Content, FormatTag};
use crate::{
    Incoming, Json, Losses, Translated, choice,
    ir::{
        Effort, Extra, Failure, MaxTokens, MaxTokensSpelling, Message, Opaque, OutputFormat, Part, Reasoning,
        Request, Role, Visibility,
    },
    wire::read,
};
use byok_types::Dialect;

/// What `include` says when log probabilities are wanted.
pub(super) const INCLUDE_LOGPROBS: &str = "message.output_text.logprobs";

/// Reads the body of `POST /v1/responses` or of `POST /v1/responses/input_tokens`.
pub fn decode_request(incoming: &Incoming<'_>) -> Result<Translated<Request>, Failure> {
    let mut losses = Losses::default();
    let body: Body = read(incoming.body)?;
    let model = body.model.filter(|m| !m.is_empty()).or_else(|| incoming.model.map(str::to_owned));
    let Some(model) = model else {
        return Err(Failure::bad_request("model", "`model` is missing: name the model that shall answer."));
    };
    let stateful =
        body.previous_response_id.is_some() || body.conversation.is_some() || body.prompt.is_some();
    let mut request = Request::new(Dialect::Responses, model);
    request.messages = match body.input {
        Some(wire::Input::Text(text)) => vec![Message::new(Role::User, vec![Part::text(text)])],
        Some(wire::Input::Items(mut list)) => {
            request.compact = items::take_trigger(&mut list).map(opaque);
            items::messages(list, &mut losses)?
        }
        None if stateful => Vec::new(),
        None => {
            return Err(Failure::bad_request("input", "`input` is missing: send a text or a list of items."));
        }
    };
    request.system = match body.instructions {
        Some(Content::Text(text)) => vec![Part::text(text)],
        Some(content) => message_parts(Some(content), &|| "instructions".to_owned())?,
        None => Vec::new(),
    };
    request.stream = incoming.stream.or(body.stream).unwrap_or(false);
    if let Some(options) = body.stream_options {
        request.stream_options.include_obfuscation = options.include_obfuscation;
        // Editors that send this dialect to the route of Chat ask for usage as there.
        request.stream_options.include_usage = options.include_usage;
        request.stream_options.extra = foreign(options.extra);
    }
    request.tools = tools::tools(body.tools, "tools")?;
    request.tool_choice =
        body.tool_choice.as_ref().map(|choice| tools::tool_choice(choice, &request.tools)).transpose()?;
    choice::find_namespaces(&mut request);
    request.parallel_tool_calls = body.parallel_tool_calls;
    request.max_tool_calls = body.max_tool_calls;
    request.max_tokens =
        body.max_output_tokens.map(|value| MaxTokens { value, spelling: MaxTokensSpelling::MaxOutputTokens });
    request.sampling.temperature = body.temperature;
    request.sampling.top_p = body.top_p;
    request.sampling.top_logprobs = body.top_logprobs;
    request.sampling.logprobs = body.include.iter().any(|i| i == INCLUDE_LOGPROBS).then_some(true);
    request.include = body.include;
    request.reasoning = body.reasoning.map(reasoning).unwrap_or_default();
    request.metadata = body.metadata.0;
    request.end_user.user = body.user;
    request.end_user.safety_identifier = body.safety_identifier;
    request.store = body.store;
    request.cache.key = body.prompt_cache_key;
    request.cache.retention = body.prompt_cache_retention;
    request.cache.options = body.prompt_cache_options;
    request.service_tier = body.service_tier;
    request.safety = body.moderation.map(opaque);
    request.state.previous_response_id = body.previous_response_id;
    request.state.conversation = body.conversation;
    request.state.prompt = body.prompt;
    request.state.background = body.background;
    request.state.context_management = body.context_management.map(opaque);
    request.state.truncation = body.truncation;
    request.extra = foreign(body.extra);
    if let Some(text) = body.text {
        request.verbosity = text.verbosity;
        request.output_format = text.format.map(output_format).transpose()?.unwrap_or_default();
        if !text.extra.is_empty() {
            let members = wire::object(text.extra.iter().map(|(key, value)| (key.as_str(), value)));
            request.extra.push(Dialect::Responses, "text", members);
        }
    }
    Ok(losses.attach(request))
}

fn reasoning(wire: wire::Reasoning) -> Reasoning {
    let mut extra = foreign(wire.extra);
    let effort = wire.effort.as_deref().and_then(Effort::parse);
    if let (None, Some(word)) = (effort, &wire.effort) {
        // A level that byok does not know is the vendor's business.
        extra.push(Dialect::Responses, "effort", Json::string(word));
    }
    let visibility = match wire.summary.as_deref() {
        Some("auto") => Visibility::Auto,
        Some("concise") => Visibility::Concise,
        Some("detailed") => Visibility::Detailed,
        Some("none") => Visibility::Hidden,
        Some(word) => {
            extra.push(Dialect::Responses, "summary", Json::string(word));
            Visibility::Unset
        }
        None => Visibility::Unset,
    };
    Reasoning { effort, visibility, context: wire.context, mode: wire.mode, extra, ..Reasoning::default() }
}

fn output_format(format: super::tagged::OneOf<wire::Format>) -> Result<OutputFormat, Failure> {
    let (tag, format) = match format {
        super::tagged::OneOf::Known(tag, format) => (tag, format),
        super::tagged::OneOf::Other(other) => return Ok(OutputFormat::Opaque(opaque(other.json))),
    };
    Ok(match tag {
        FormatTag::Text => OutputFormat::Text,
        FormatTag::JsonObject => OutputFormat::JsonObject,
        FormatTag::JsonSchema => {
            let Some(schema) = format.schema.filter(Json::is_object) else {
                return Err(Failure::bad_request(
                    "text.format.schema",
                    "`text.format.schema` is missing: send the JSON schema of the answer as an object.",
                ));
            };
            OutputFormat::JsonSchema {
                name: format.name,
                description: format.description,
                schema,
                strict: format.strict,
                extra: foreign(format.extra),
            }
        }
    })
}

/// Unknown members of a Responses object.
pub(super) fn foreign(fields: Vec<(String, Json)>) -> Extra {
    Extra::new(Dialect::Responses, fields)
}

/// Something of Responses that is only carried.
pub(super) fn opaque(json: Json) -> Opaque {
    Opaque { dialect: Dialect::Responses, json }
}

use tools::tools as decode_tools;
