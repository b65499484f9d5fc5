//! The tools that a choice names.

use crate::ir::{Failure, NamedTool, Part, Request, Tool, ToolChoice};
use byok_types::Dialect;

/// Gives the tools of a choice the namespace in which alone they are declared. Clients of Responses may leave it out.
pub(crate) fn find_namespaces(request: &mut Request) {
    let Some(mut choice) = request.tool_choice.take() else { return };
    let tools = match &mut choice {
        ToolChoice::Named(tool) => std::slice::from_mut(tool),
        ToolChoice::Allowed { tools, .. } => tools.as_mut_slice(),
        _ => &mut [],
    };
    for tool in tools.iter_mut().filter(|tool| tool.namespace.is_none()) {
        let declared = declared(request);
        if declared.iter().any(|(space, name)| space.is_none() && *name == tool.name) {
            continue;
        }
        let mut spaces = declared.iter().filter(|(_, name)| *name == tool.name);
        if let (Some((Some(space), _)), None) = (spaces.next(), spaces.next()) {
            tool.namespace = Some((*space).to_owned());
        }
    }
    request.tool_choice = Some(choice);
}

/// Refuses a choice of a tool that the request does not have. Its own vendor would; another would speak of a name that
/// the client did not write, or be shown no tool at all.
pub(crate) fn check(request: &Request) -> Result<(), Failure> {
    let tools = match &request.tool_choice {
        Some(ToolChoice::Named(tool)) => std::slice::from_ref(tool),
        Some(ToolChoice::Allowed { tools, .. }) => tools.as_slice(),
        _ => return Ok(()),
    };
    // A choice among no tools is left out with them.
    if request.tools.is_empty() {
        return Ok(());
    }
    let declared = declared(request);
    let is_there = |tool: &NamedTool| {
        declared.iter().any(|(space, name)| *space == tool.namespace.as_deref() && *name == tool.name)
    };
    let Some(missing) = tools.iter().find(|tool| !is_there(tool) && !is_hosted(request, &tool.name)) else {
        return Ok(());
    };
    let field = match request.dialect {
        Dialect::Chat | Dialect::Responses | Dialect::Messages => "tool_choice",
        Dialect::Gemini => "toolConfig.functionCallingConfig.allowedFunctionNames",
    };
    let name = &missing.name;
    let message =
        format!("`{field}` names `{name}`, which is not among `tools`. Declare it, or choose another.");
    Err(Failure::bad_request(field, message))
}

/// Namespace and name of all tools that the client runs, those that are added on the way among them.
fn declared(request: &Request) -> Vec<(Option<&str>, &str)> {
    let mut all = Vec::new();
    list(&request.tools, None, &mut all);
    for part in request.messages.iter().flat_map(|message| &message.parts) {
        if let Part::ConfigChange(change) = part {
            list(&change.tools_added, None, &mut all);
        }
    }
    all
}

fn list<'r>(tools: &'r [Tool], namespace: Option<&'r str>, all: &mut Vec<(Option<&'r str>, &'r str)>) {
    for tool in tools {
        match tool {
            Tool::Function(tool) => all.push((namespace, &tool.name)),
            Tool::Custom(tool) => all.push((namespace, &tool.name)),
            Tool::Typed(tool) => all.push((namespace, &tool.name)),
            Tool::Namespace { name, tools, .. } => list(tools, Some(name), all),
            Tool::Hosted(_) => {}
        }
    }
}

/// Whether a tool that the vendor runs has this name.
fn is_hosted(request: &Request, name: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Definition {
        name: Option<String>,
    }
    request.tools.iter().any(|tool| {
        let Tool::Hosted(tool) = tool else { return false };
        let own = tool.verbatim.json.read::<Definition>().ok().and_then(|definition| definition.name);
        tool.type_name == name || own.as_deref() == Some(name)
    })
}
