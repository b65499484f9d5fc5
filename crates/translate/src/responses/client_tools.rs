//! Tools of Responses that the client runs: shells, patches, a computer. The dialect has items of its own for their calls and
//! results. A model of another dialect that did not see them would not know what was done, so it is told of calls of
//! functions. The same holds for what an MCP server answered.

use super::decode::picture;
use crate::{
    Json,
    ir::{
        Extra, Image, Part, Request, Role, ServerCall, ServerResult, ServerTool, Source, ToolCall, ToolResult,
    },
};
use byok_types::Dialect;
use serde::Deserialize;
use std::{borrow::Cow, collections::HashMap};

/// What the loss is called.
pub(crate) const FIELD: &str = "input";
/// Why it is one.
pub(crate) const REASON: &str = "what the tools of the client did is told as calls of functions";

/// Whether the history of `request` holds such items and the upstream does not know them.
pub(crate) fn are_told(request: &Request, upstream: Dialect) -> bool {
    request.dialect == Dialect::Responses
        && upstream != Dialect::Responses
        && request
            .messages
            .iter()
            .any(|message| message.parts.iter().any(|part| is_ours(part, &message.parts)))
}

/// The request with calls and results of functions in the place of such items. Nothing changes its position.
pub(crate) fn as_calls(request: Cow<'_, Request>, upstream: Dialect) -> Cow<'_, Request> {
    if !are_told(&request, upstream) {
        return request;
    }
    let mut request = request.into_owned();
    let mut ids = HashMap::new();
    for message in &mut request.messages {
        let told: Vec<_> = message
            .parts
            .iter()
            .map(|part| if is_ours(part, &message.parts) { told(part, &mut ids) } else { None })
            .collect();
        for (part, told) in message.parts.iter_mut().zip(told) {
            let Some(told) = told else { continue };
            // The result of an MCP server stands in the item of its call, beside which it is found.
            if matches!(told, Part::ToolResult(_)) && item_of(part).is_some() {
                message.role = Role::Tool;
            }
            *part = told;
        }
    }
    Cow::Owned(request)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Item {
    r#type: String,
    id: Option<String>,
    call_id: Option<String>,
    action: Option<Json>,
    actions: Option<Json>,
    operation: Option<Json>,
    name: Option<String>,
    server_label: Option<String>,
    arguments: Option<Json>,
    output: Option<Json>,
    status: Option<String>,
}

/// The item, where the part carries one of Responses.
fn item_of(part: &Part) -> Option<Item> {
    let verbatim = match part {
        Part::ServerCall(ServerCall { verbatim, .. }) | Part::ServerResult(ServerResult { verbatim, .. }) => {
            verbatim.as_ref().filter(|opaque| opaque.dialect == Dialect::Responses)?
        }
        _ => return None,
    };
    verbatim.json.read().ok()
}

/// Whether a part is told as a call or result. `siblings` are the parts of its message.
fn is_ours(part: &Part, siblings: &[Part]) -> bool {
    let answers_mcp = |part: &Part| matches!(part, Part::ServerResult(result) if result.tool == ServerTool::Mcp && result.verbatim.is_none());
    match part {
        Part::ServerCall(call) if call.name == "mcp_call" => siblings.iter().any(answers_mcp),
        Part::ServerCall(call) => function_of(&call.name).is_some(),
        Part::ServerResult(_) if answers_mcp(part) => true,
        Part::ServerResult(_) => item_of(part)
            .is_some_and(|item| item.r#type.strip_suffix("_output").and_then(function_of).is_some()),
        _ => false,
    }
}

/// The name of the function that stands for the calls of an item type.
fn function_of(call: &str) -> Option<&'static str> {
    match call {
        "shell_call" => Some("shell"),
        "local_shell_call" => Some("local_shell"),
        "apply_patch_call" => Some("apply_patch"),
        "computer_call" => Some("computer"),
        _ => None,
    }
}

/// The call or result. `ids` leads from the ids of call items to the ids of the calls, since some results name the former.
fn told(part: &Part, ids: &mut HashMap<String, String>) -> Option<Part> {
    match part {
        Part::ServerCall(call) => {
            let item = item_of(part)?;
            let call_id = item.call_id.clone().unwrap_or_else(|| call.id.clone());
            ids.extend(item.id.clone().map(|id| (id, call_id.clone())));
            let function = function_of(&call.name);
            Some(Part::ToolCall(ToolCall {
                call_id,
                name: function.map(str::to_owned).or_else(|| item.name.clone())?,
                namespace: item.server_label.clone().filter(|_| function.is_none()),
                arguments: arguments(&item),
                ..ToolCall::default()
            }))
        }
        Part::ServerResult(result) => Some(Part::ToolResult(match item_of(part) {
            Some(item) => {
                let named = item.call_id.clone().or_else(|| item.id.clone()).unwrap_or_default();
                ToolResult {
                    call_id: ids.get(&named).cloned().unwrap_or(named),
                    is_error: (item.status.as_deref() == Some("failed")).then_some(true),
                    parts: vec![output(&item)],
                    ..ToolResult::default()
                }
            }
            None => ToolResult {
                call_id: result.call_id.clone(),
                is_error: result.error_code.is_some().then_some(true),
                parts: vec![Part::text(result.error_code.as_ref().or(result.output.as_ref())?.as_str())],
                ..ToolResult::default()
            },
        })),
        _ => None,
    }
}

fn arguments(item: &Item) -> String {
    if let Some(actions) = &item.actions {
        return super::wire::object(std::iter::once(("actions", actions))).get().to_owned();
    }
    let said = item.action.as_ref().or(item.operation.as_ref()).or(item.arguments.as_ref());
    // Those of an MCP call are JSON in a text.
    said.map(|said| said.as_string().unwrap_or_else(|| said.get().to_owned())).unwrap_or_default()
}

/// A picture of the screen, or the text. A patch may say no more than whether it was applied.
fn output(item: &Item) -> Part {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Screen {
        image_url: Option<String>,
        file_id: Option<String>,
    }
    let Some(output) = &item.output else { return Part::text(item.status.clone().unwrap_or_default()) };
    if item.r#type == "computer_call_output" {
        let screen: Screen = output.read().unwrap_or_default();
        if let Some(source) = screen.image_url.map(picture).or(screen.file_id.map(Source::FileId)) {
            return Part::Image(Image { source, detail: None, cache: None, extra: Extra::default() });
        }
    }
    Part::text(output.as_string().unwrap_or_else(|| output.get().to_owned()))
}
