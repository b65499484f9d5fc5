//! The tools that a choice names.

use crate::ir::{Failure, Part, Request, Tool, ToolChoice};
use byok_types::Dialect;
use std::collections::{HashMap, HashSet};

/// Gives the tools of a choice the namespace in which alone they are declared. Clients of Responses may leave it out.
pub(crate) fn find_namespaces(request: &mut Request) {
    let Some(mut choice) = request.tool_choice.take() else { return };
    let tools = match &mut choice {
        ToolChoice::Named(tool) => std::slice::from_mut(tool),
        ToolChoice::Allowed { tools, .. } => tools.as_mut_slice(),
        _ => &mut [],
    };
    // Of a name that is declared more than once nobody can say which is meant.
    let mut spaces: HashMap<&str, Option<&str>> = HashMap::new();
    for (space, name) in declared(request) {
        spaces.entry(name).and_modify(|space| *space = None).or_insert(space);
    }
    for tool in tools.iter_mut().filter(|tool| tool.namespace.is_none()) {
        tool.namespace = spaces.get(tool.name.as_str()).copied().flatten().map(str::to_owned);
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
    let declared: HashSet<_> = declared(request).into_iter().collect();
    let mut others = tools.iter().filter(|tool| !declared.contains(&tool.in_full())).peekable();
    if others.peek().is_none() {
        return Ok(());
    }
    let hosted = hosted(request);
    let Some(missing) = others.find(|tool| !hosted.contains(&tool.name)) else { return Ok(()) };
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

/// The names of the tools that the vendor runs.
fn hosted(request: &Request) -> HashSet<String> {
    #[derive(serde::Deserialize)]
    struct Definition {
        name: Option<String>,
    }
    let names = request.tools.iter().flat_map(|tool| match tool {
        Tool::Hosted(tool) => {
            let own = tool.verbatim.json.read::<Definition>().ok().and_then(|definition| definition.name);
            [Some(tool.type_name.clone()), own]
        }
        _ => [None, None],
    });
    names.flatten().collect()
}
