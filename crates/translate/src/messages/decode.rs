//! Reading of requests.

use super::{
    block,
    fields::{self, Content, Fields, Wrong},
    tool,
};
use crate::{
    Incoming, Json, Losses, Translated,
    ir::{
        CacheOptions, ConversationState, Effort, EndUser, Extra, Flavour, MaxTokens, MaxTokensSpelling,
        Message, NamedTool, Opaque, OutputFormat, Reasoning, Request, Role, Sampling, ThinkingSwitch, Tool,
        ToolChoice, Visibility,
    },
    wire::{read, wire},
};
use byok_types::{Dialect, Failure};

wire! {
    struct WireRequest {
        "model" => model: Option<String>,
        "max_tokens" => max_tokens: Option<u64>,
        "messages" => messages: Option<Vec<WireMessage>>,
        "system" => system: Option<Content>,
        "stream" => stream: bool,
        "tools" => tools: Vec<Fields>,
        "tool_choice" => tool_choice: Option<Fields>,
        "thinking" => thinking: Option<Fields>,
        "output_config" => output_config: Option<WireOutput>,
        "output_format" => output_format: Option<Fields>,
        "stop_sequences" => stop_sequences: Vec<String>,
        "metadata" => metadata: Option<WireMetadata>,
        "cache_control" => cache_control: Option<Json>,
        "service_tier" => service_tier: Option<String>,
        "speed" => speed: Option<String>,
        "container" => container: Option<Json>,
        "context_management" => context_management: Option<Json>,
        "temperature" => temperature: Option<f64>,
        "top_p" => top_p: Option<f64>,
        "top_k" => top_k: Option<f64>,
    }
}

wire! {
    struct WireMessage {
        "role" => role: Option<String>,
        "content" => content: Option<Content>,
    }
}

wire! {
    struct WireOutput {
        "effort" => effort: Option<String>,
        "format" => format: Option<Fields>,
    }
}

wire! {
    struct WireMetadata {
        "user_id" => user_id: Option<String>,
    }
}

/// Reads a request, of `/v1/messages` or of `/v1/messages/count_tokens`.
///
/// # Errors
/// A 400 that names the field which is missing or has the wrong form.
pub fn decode_request(incoming: &Incoming<'_>) -> Result<Translated<Request>, Failure> {
    let mut wire: WireRequest = read(incoming.body)?;
    // Cloud vendors put these two into the path.
    wire.model = wire.model.or_else(|| incoming.model.map(str::to_owned));
    wire.stream = incoming.stream.unwrap_or(wire.stream);
    let request = convert(wire).map_err(Wrong::into_failure)?;
    Ok(Losses::default().attach(request))
}

fn convert(wire: WireRequest) -> Result<Request, Wrong> {
    let missing = |name: &str, what: &str| Wrong::new(name, format!("is missing; {what}"));
    let model = wire.model.ok_or_else(|| missing("model", "name the model that shall answer"))?;
    let messages = wire.messages.ok_or_else(|| missing("messages", "send the conversation as a list"))?;
    let mut extra = wire.extra;
    let mut request = Request::new(Dialect::Messages, model);
    request.stream = wire.stream;
    request.max_tokens =
        wire.max_tokens.map(|value| MaxTokens { value, spelling: MaxTokensSpelling::MaxTokens });
    if let Some(system) = wire.system {
        request.system = block::read_content(system).map_err(|wrong| wrong.within("system"))?;
    }
    for (index, message) in messages.into_iter().enumerate() {
        let message = convert_message(message);
        request.messages.push(message.map_err(|wrong| wrong.within(format!("messages[{index}]")))?);
    }
    for (index, fields) in wire.tools.into_iter().enumerate() {
        let tool = tool::read(fields);
        request.tools.push(tool.map_err(|wrong| wrong.within(format!("tools[{index}]")))?);
    }
    if let Some(choice) = wire.tool_choice {
        let (choice, parallel) =
            tool_choice(choice, &request.tools).map_err(|wrong| wrong.within("tool_choice"))?;
        request.tool_choice = Some(choice);
        request.parallel_tool_calls = parallel;
    }
    reasoning(wire.thinking, &mut request.reasoning, &mut extra)?;
    let mut format = wire.output_format;
    if let Some(output) = wire.output_config {
        format = output.format.or(format);
        output_config(output.effort, output.extra, &mut request.reasoning, &mut extra);
    }
    if let Some(format) = format {
        request.output_format = output_format(format);
    }
    request.sampling = Sampling {
        temperature: wire.temperature,
        top_p: wire.top_p,
        top_k: wire.top_k,
        stop: wire.stop_sequences,
        ..Sampling::default()
    };
    if let Some(metadata) = wire.metadata {
        let extra = Extra::new(Dialect::Messages, metadata.extra);
        request.end_user = EndUser { user: metadata.user_id, extra, ..EndUser::default() };
    }
    request.cache = CacheOptions {
        hint: wire
            .cache_control
            .filter(|json| !json.is_null())
            .map(|json| fields::cache_hint(&json))
            .transpose()?,
        ..CacheOptions::default()
    };
    request.service_tier = wire.service_tier;
    request.speed = wire.speed;
    let own = |json| Opaque { dialect: Dialect::Messages, json };
    request.state = ConversationState {
        container: wire.container,
        context_management: wire.context_management.map(own),
        ..ConversationState::default()
    };
    request.extra = Extra::new(Dialect::Messages, extra);
    if request.messages.is_empty() {
        return Err(Wrong::new("messages", "is empty; send at least one message"));
    }
    Ok(request)
}

fn convert_message(wire: WireMessage) -> Result<Message, Wrong> {
    let role = match wire.role.as_deref() {
        Some("user") => Role::User,
        Some("assistant") => Role::Assistant,
        Some("system") => Role::System,
        Some(other) => {
            return Err(Wrong::new("role", format!("is `{other}`; use `user`, `assistant` or `system`")));
        }
        None => return Err(Wrong::new("role", "is missing; use `user` or `assistant`")),
    };
    let content = wire.content.ok_or_else(|| Wrong::new("content", "is missing"))?;
    let parts = block::read_content(content).map_err(|wrong| wrong.within("content"))?;
    Ok(Message { extra: Extra::new(Dialect::Messages, wire.extra), ..Message::new(role, parts) })
}

fn tool_choice(mut wire: Fields, tools: &[Tool]) -> Result<(ToolChoice, Option<bool>), Wrong> {
    // The vendor states the opposite of what all others state.
    let parallel = wire.boolean("disable_parallel_tool_use")?.map(|disabled| !disabled);
    let choice = match wire.kind.as_str() {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "none" => ToolChoice::None,
        "tool" => {
            let name = wire.required("name")?;
            let hosted = tools.iter().find_map(|tool| match tool {
                Tool::Hosted(tool) => (hosted_name(&tool.verbatim.json) == name).then_some(tool),
                _ => None,
            });
            match hosted {
                Some(tool) => ToolChoice::Hosted { type_name: tool.type_name.clone(), tool: tool.tool },
                None => ToolChoice::Named(NamedTool { flavour: Flavour::Function, name, namespace: None }),
            }
        }
        _ => ToolChoice::Opaque(wire.verbatim()),
    };
    Ok((choice, parallel))
}

/// The name by which a hosted tool is declared.
pub(super) fn hosted_name(verbatim: &Json) -> String {
    Fields::parse(verbatim.get())
        .ok()
        .and_then(|fields| fields.get("name").and_then(Json::as_string))
        .unwrap_or_default()
}

fn reasoning(
    wire: Option<Fields>,
    reasoning: &mut Reasoning,
    extra: &mut Vec<(String, Json)>,
) -> Result<(), Wrong> {
    let Some(mut wire) = wire else { return Ok(()) };
    let within = |wrong: Wrong| wrong.within("thinking");
    reasoning.switch = match wire.kind.as_str() {
        "enabled" => {
            let budget = wire.read::<u32>("budget_tokens", "a number of tokens").map_err(within)?;
            budget.map_or(ThinkingSwitch::On, ThinkingSwitch::Budget)
        }
        "adaptive" => ThinkingSwitch::On,
        "between_tools" => ThinkingSwitch::BetweenTools,
        "disabled" => ThinkingSwitch::Off,
        _ => {
            extra.push(("thinking".to_owned(), wire.verbatim().json));
            return Ok(());
        }
    };
    reasoning.visibility = match wire.string("display").map_err(within)?.as_deref() {
        Some("omitted") => Visibility::Hidden,
        Some("summarized") => Visibility::Auto,
        _ => Visibility::Unset,
    };
    reasoning.extra = wire.extra();
    Ok(())
}

/// Effort, and beside it whatever else stands in `output_config` (`task_budget`).
fn output_config(
    effort: Option<String>,
    mut rest: Vec<(String, Json)>,
    reasoning: &mut Reasoning,
    extra: &mut Vec<(String, Json)>,
) {
    if let Some(effort) = effort {
        match Effort::parse(&effort) {
            Some(known) => reasoning.effort = Some(known),
            None => rest.insert(0, ("effort".to_owned(), Json::string(&effort))),
        }
    }
    if !rest.is_empty() {
        let mut out = Vec::new();
        let mut object = super::object::Object::new(&mut out);
        object.extras(&rest);
        object.end();
        let json = String::from_utf8(out).ok().and_then(|text| Json::parse(text).ok());
        extra.extend(json.map(|json| ("output_config".to_owned(), json)));
    }
}

fn output_format(mut wire: Fields) -> OutputFormat {
    match (wire.kind.as_str(), wire.get("schema").is_some_and(Json::is_object)) {
        ("json_schema", true) => OutputFormat::JsonSchema {
            name: None,
            description: None,
            schema: wire.take("schema").unwrap_or_else(Json::empty_object),
            strict: None,
            extra: wire.extra(),
        },
        ("text", _) => OutputFormat::Text,
        _ => OutputFormat::Opaque(wire.verbatim()),
    }
}
