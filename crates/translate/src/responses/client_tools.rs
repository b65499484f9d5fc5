//! Tools of Responses that the client runs: shells, patches, a computer. The dialect has items of its own for their calls and
//! results. A model of another dialect that did not see them would not know what was done, so it is told of calls of
//! functions. The same holds for what an MCP server answered, and what another agent said to the model it is told as text.

use super::decode::picture;
use crate::{
    Json, NameRules, Names,
    ir::{
        Blob, BlobSlot, Extra, Image, Part, Request, Role, ServerCall, ServerResult, ServerTool, Source,
        Thinking, Tool, ToolCall, ToolResult,
    },
};
use byok_types::{Dialect, ModelFacts};
use serde::Deserialize;
use std::{borrow::Cow, collections::HashMap};

/// What a message of another agent is called that works for the same user (Codex CLI).
const AGENT: &str = "agent_message";
/// What the loss is called.
pub(crate) const FIELD: &str = "input";
/// Why it is one.
pub(crate) const REASON: &str =
    "what the tools of the client did is told as calls of functions, what other agents said as text";

/// Whether the history of `request` holds such items and the upstream does not know them. Of servers that only speak the
/// dialect none is known to have the tools of its vendor.
pub(crate) fn are_told(request: &Request, upstream: Dialect, facts: &ModelFacts) -> bool {
    request.dialect == Dialect::Responses
        && (upstream != Dialect::Responses || !facts.first_party)
        && request
            .messages
            .iter()
            .any(|message| message.parts.iter().any(|part| is_ours(part, &message.parts, upstream)))
}

/// The request with calls and results of functions in the place of such items. Nothing changes its position.
pub(crate) fn as_calls<'r>(
    request: Cow<'r, Request>,
    upstream: Dialect,
    facts: &ModelFacts,
) -> Cow<'r, Request> {
    if !are_told(&request, upstream, facts) {
        return request;
    }
    let mut request = request.into_owned();
    let names = Names::of(&request, NameRules::of(upstream, facts));
    let mut ids = HashMap::new();
    for message in &mut request.messages {
        let told: Vec<_> = message
            .parts
            .iter()
            .map(|part| {
                let ours = is_ours(part, &message.parts, upstream);
                ours.then(|| told(part, &message.parts, &names, &mut ids)).flatten()
            })
            .collect();
        for (part, told) in message.parts.iter_mut().zip(told) {
            let Some(told) = told else { continue };
            // The result of an MCP server stands in the item of its call, beside which it is found.
            if matches!(told, Part::ToolResult(_)) && item_of(part).is_some() {
                message.role = Role::Tool;
            }
            if matches!(told, Part::Text(_)) {
                message.role = Role::User;
            }
            *part = told;
        }
        sign(&mut message.parts);
    }
    Cow::Owned(request)
}

/// Gives a call the signature that came ahead of its item.
fn sign(parts: &mut Vec<Part>) {
    let [
        Part::Thinking(Thinking { blob: blob @ Some(Blob { slot: BlobSlot::Call, .. }), .. }),
        Part::ToolCall(call),
        ..,
    ] = parts.as_mut_slice()
    else {
        return;
    };
    call.blob = blob.take();
    parts.remove(0);
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
    execution: Option<String>,
    author: Option<String>,
    content: Option<Json>,
}

/// The item, where the part carries one of Responses.
fn item_of(part: &Part) -> Option<Item> {
    let verbatim = match part {
        Part::ServerCall(ServerCall { verbatim, .. }) | Part::ServerResult(ServerResult { verbatim, .. }) => {
            verbatim.as_ref()?
        }
        Part::Opaque(opaque) => opaque,
        _ => return None,
    };
    (verbatim.dialect == Dialect::Responses).then(|| verbatim.json.read().ok()).flatten()
}

/// Whether a part is told as a call or result. `siblings` are the parts of its message.
fn is_ours(part: &Part, siblings: &[Part], upstream: Dialect) -> bool {
    let answers_mcp = |part: &Part| matches!(part, Part::ServerResult(result) if result.tool == ServerTool::Mcp && result.verbatim.is_none());
    match part {
        // A server that speaks the dialect may have called it itself.
        Part::ServerCall(call) if call.name == "mcp_call" => {
            upstream != Dialect::Responses && siblings.iter().any(answers_mcp)
        }
        Part::ServerResult(_) if answers_mcp(part) => upstream != Dialect::Responses,
        Part::ServerCall(_) => item_of(part).is_some_and(|item| item.function().is_some()),
        Part::ServerResult(_) => item_of(part).is_some_and(|item| item.answers().is_some()),
        Part::Opaque(_) => item_of(part).is_some_and(|item| item.r#type == AGENT && item.words().is_some()),
        _ => false,
    }
}

impl Item {
    /// The name of the function that stands for such calls.
    fn function(&self) -> Option<&'static str> {
        Some(match self.r#type.as_str() {
            "shell_call" => "shell",
            "local_shell_call" => "local_shell",
            "apply_patch_call" => "apply_patch",
            "computer_call" => "computer",
            // What the vendor searched stays with the vendor.
            "tool_search_call" if self.execution.as_deref() == Some("client") => "tool_search",
            _ => return None,
        })
    }

    /// The name of the function whose calls such items answer.
    fn answers(&self) -> Option<&'static str> {
        let call = match self.r#type.as_str() {
            "tool_search_output" => "tool_search_call",
            output => output.strip_suffix("_output")?,
        };
        Item { r#type: call.to_owned(), execution: self.execution.clone(), ..Self::default() }.function()
    }

    /// What another agent says, as far as it can be read.
    fn words(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Piece {
            text: Option<String>,
        }
        let content = self.content.as_ref()?;
        let words = content.as_string().or_else(|| {
            let pieces: Vec<Piece> = content.read().ok()?;
            Some(pieces.into_iter().filter_map(|piece| piece.text).collect::<Vec<_>>().join("\n"))
        });
        words.filter(|words| !words.is_empty())
    }
}

/// The call or result. `ids` leads from the ids of call items to the ids of the calls, since some results name the former.
fn told(part: &Part, siblings: &[Part], names: &Names, ids: &mut HashMap<String, String>) -> Option<Part> {
    match part {
        Part::ServerCall(call) => {
            let item = item_of(part)?;
            let call_id = item.call_id.clone().unwrap_or_else(|| call.id.clone());
            ids.extend(item.id.clone().map(|id| (id, call_id.clone())));
            let function = item.function();
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
                let id = item.call_id.clone().or_else(|| item.id.clone()).unwrap_or_default();
                ToolResult {
                    call_id: ids.get(&id).cloned().unwrap_or(id),
                    is_error: (item.status.as_deref() == Some("failed")).then_some(true),
                    parts: vec![match item.answers() {
                        Some("tool_search") => Part::text(found(siblings, names)),
                        _ => output(&item),
                    }],
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
        Part::Opaque(_) => {
            let item = item_of(part)?;
            let author = item.author.as_deref().unwrap_or("another agent");
            Some(Part::text(format!("[message of {author}]\n{}", item.words()?)))
        }
        _ => None,
    }
}

/// What a search found. The tools themselves are declared with all others.
fn found(siblings: &[Part], names: &Names) -> String {
    fn list(tools: &[Tool], space: Option<&str>, names: &Names, all: &mut Vec<String>) {
        for tool in tools {
            match tool {
                Tool::Namespace { name, tools, .. } => list(tools, Some(name), names, all),
                Tool::Function(tool) => all.push(names.upstream(&tool.name, space).into_owned()),
                Tool::Custom(tool) => all.push(names.upstream(&tool.name, space).into_owned()),
                Tool::Typed(tool) => all.push(names.upstream(&tool.name, space).into_owned()),
                Tool::Hosted(_) => {}
            }
        }
    }
    let mut all = Vec::new();
    for part in siblings {
        if let Part::ConfigChange(change) = part {
            list(&change.tools_added, None, names, &mut all);
        }
    }
    if all.is_empty() {
        return "No tool was found.".to_owned();
    }
    format!("Found, and can be called from now on: {}", all.join(", "))
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
