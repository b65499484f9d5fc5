//! Tools and the choice among them.

use super::{
    root,
    thinking::{added_tools, uses_forced_tool},
    words::{Field, name},
};
use crate::{
    Json, Losses, Names, custom,
    emulate::{self, is_free},
    ir::{
        CacheHint, FunctionTool, HostedTool, NamedTool, OutputFormat, Request, ServerTool, Tool, ToolChoice,
        TypedTool, WebSearch,
    },
    messages::{FORCED_TOOL, decode::hosted_name, object::Object, tool::hosted_kind},
    schema, typed,
};
use byok_types::{Dialect, Family, ModelFacts, StructuredOutput};
use std::{borrow::Cow, collections::HashSet};

/// One definition, written but for its marker and its closing brace.
#[derive(Debug)]
pub(super) struct Declared {
    open: Vec<u8>,
    pub(super) mark: Option<CacheHint>,
}

impl Declared {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.open);
        if let Some(mark) = &self.mark {
            out.extend_from_slice(b",\"cache_control\":");
            super::write::cache_control(out, mark);
        }
        out.push(b'}');
    }
}

/// All definitions that the upstream is told, in the client's order.
pub(super) fn declare(
    request: &Request,
    facts: &ModelFacts,
    names: &Names,
    losses: &mut Losses,
) -> Vec<Declared> {
    let allowed = match &request.tool_choice {
        Some(ToolChoice::Allowed { tools, .. }) => Some(tools.iter().map(NamedTool::in_full).collect()),
        _ => None,
    };
    let mut list =
        List { request, facts, names, losses, allowed, seen: HashSet::new(), declared: Vec::new() };
    let mut tools = request.tools.iter().chain(added_tools(request)).peekable();
    if facts.tools {
        for (index, tool) in tools.enumerate() {
            list.tool(index, tool, None);
        }
    } else if tools.peek().is_some() {
        list.losses.dropped(name(request.dialect, Field::Tools), "this model takes no tools");
    }
    if matches!(request.tool_choice, Some(ToolChoice::Allowed { .. })) {
        list.losses.emulated(name(request.dialect, Field::ToolChoice), "only the allowed tools are declared");
    }
    let by_tool = matches!(request.output_format, OutputFormat::JsonSchema { .. })
        && emulate::structured_output(request, facts, Dialect::Messages) == StructuredOutput::ForcedTool;
    if by_tool && !uses_forced_tool(request, facts) {
        list.losses.dropped(name(request.dialect, Field::Format), "the model must call another tool");
    }
    if uses_forced_tool(request, facts)
        && let OutputFormat::JsonSchema { schema, description, .. } = &request.output_format
    {
        list.losses.emulated(
            name(request.dialect, Field::Format),
            "the answer is the input of a tool that the model must call",
        );
        if !list.declared.is_empty() && is_free(request.tool_choice.as_ref()) {
            list.losses.emulated(name(request.dialect, Field::ToolChoice), emulate::MUST_CALL);
        }
        let tool = FunctionTool {
            name: FORCED_TOOL.to_owned(),
            description: Some(description.clone().unwrap_or_else(|| "Gives the final answer.".to_owned())),
            schema: Some(schema.clone()),
            ..FunctionTool::default()
        };
        list.function(&tool, FORCED_TOOL);
    }
    list.declared
}

struct List<'r, 'l> {
    request: &'r Request,
    facts: &'r ModelFacts,
    names: &'r Names,
    losses: &'l mut Losses,
    /// The subset that may be called, by namespace and name, if there is one.
    allowed: Option<HashSet<(Option<&'r str>, &'r str)>>,
    seen: HashSet<String>,
    declared: Vec<Declared>,
}

impl List<'_, '_> {
    fn tool(&mut self, index: usize, tool: &Tool, namespace: Option<&str>) {
        match tool {
            Tool::Function(tool) if self.is_allowed(&tool.name, namespace) => {
                let upstream = self.names.upstream(&tool.name, namespace).into_owned();
                if tool.strict == Some(true) && self.strict(tool).is_none() {
                    let reason = "the vendor enforces closed schemas only, if any";
                    self.losses.dropped(format!("tools[{index}].strict"), reason);
                }
                self.function(tool, &upstream);
            }
            Tool::Custom(tool) if self.is_allowed(&tool.name, namespace) => {
                let upstream = self.names.upstream(&tool.name, namespace).into_owned();
                self.losses.emulated(format!("tools[{index}]"), "free text is the argument of a function");
                self.function(&custom::as_function(tool), &upstream);
            }
            Tool::Namespace { name, tools, .. } => {
                for tool in tools {
                    self.tool(index, tool, Some(name));
                }
            }
            Tool::Typed(tool) if self.is_allowed(&tool.name, namespace) => self.typed(index, tool),
            Tool::Hosted(tool) => self.hosted(index, tool),
            Tool::Function(_) | Tool::Custom(_) | Tool::Typed(_) => {}
        }
    }

    /// A subset of the tools can only be allowed by not declaring the others.
    fn is_allowed(&self, name: &str, namespace: Option<&str>) -> bool {
        self.allowed.as_ref().is_none_or(|allowed| allowed.contains(&(namespace, name)))
    }

    fn function(&mut self, tool: &FunctionTool, upstream: &str) {
        // The vendor refuses a request in which two tools have one name.
        if upstream.is_empty() || !self.seen.insert(upstream.to_owned()) {
            return;
        }
        let own = self.request.dialect == Dialect::Messages;
        let strict = self.strict(tool);
        let mut open = Vec::new();
        let mut object = Object::new(&mut open);
        object.string("name", upstream);
        if let Some(description) = &tool.description {
            object.string("description", description);
        }
        let schema = match &tool.schema {
            Some(schema) if own && schema.is_object() => Cow::Borrowed(schema),
            Some(schema) if strict == Some(true) && !own => Cow::Owned(schema::close_objects(schema)),
            schema => root::object(schema.as_ref()),
        };
        let schema = if own { schema } else { schema::in_words_of_2020(schema) };
        object.json("input_schema", &schema);
        object.some("strict", strict.as_ref());
        if self.facts.first_party || self.facts.family == Family::Claude {
            // Elsewhere the search that would show the tool is missing.
            if own {
                object.some("defer_loading", tool.defer_loading.as_ref());
                object.some("output_schema", tool.output_schema.as_ref());
                object.some("input_examples", tool.examples.as_ref());
                object.some("allowed_callers", tool.allowed_callers.as_ref());
                object.extras(tool.extra.of(Dialect::Messages));
            }
        }
        self.declared.push(Declared { open, mark: tool.cache.clone() });
    }

    /// Whether the vendor is asked to enforce the schema. A schema made for `OpenAI`'s rules is passed on only if it is
    /// closed in every part, as this vendor demands.
    fn strict(&self, tool: &FunctionTool) -> Option<bool> {
        let enforced = self.facts.first_party && self.facts.structured_output == StructuredOutput::Native;
        if self.request.dialect == Dialect::Messages {
            return tool.strict.filter(|_| enforced);
        }
        let closed = || tool.schema.as_ref().is_some_and(schema::is_openai_strict);
        (tool.strict == Some(true) && enforced && closed()).then_some(true)
    }

    fn typed(&mut self, index: usize, tool: &TypedTool) {
        let known = self.facts.family == Family::Claude && tool.verbatim.dialect == Dialect::Messages;
        if known {
            let upstream = self.names.upstream(&tool.name, None).into_owned();
            self.verbatim(&tool.verbatim.json, tool.cache.as_ref(), upstream);
        } else if let Some(function) = typed::as_function(tool) {
            self.losses.emulated(format!("tools[{index}]"), "the tool became a function with a schema");
            let upstream = self.names.upstream(&tool.name, None).into_owned();
            self.function(&function, &upstream);
        } else {
            self.losses.dropped(format!("tools[{index}]"), "only the models of its vendor know this tool");
        }
    }

    fn hosted(&mut self, index: usize, tool: &HostedTool) {
        let field = format!("tools[{index}]");
        if self.facts.family != Family::Claude {
            self.losses.dropped(field, "this upstream runs no such tool");
        } else if tool.verbatim.dialect == Dialect::Messages {
            let name = hosted_name(&tool.verbatim.json);
            self.verbatim(&tool.verbatim.json, tool.cache.as_ref(), name);
        } else if let Some((type_name, name)) = counterpart(tool.tool) {
            if !self.seen.insert(name.to_owned()) {
                return;
            }
            let mut open = Vec::new();
            let mut object = Object::typed(&mut open, type_name);
            object.string("name", name);
            if let Some(search) = &tool.web_search {
                web_search(&mut object, search);
                if search.context_size.is_some() {
                    let reason = "the search has no such size";
                    self.losses.dropped(format!("{field}.search_context_size"), reason);
                }
                if !search.allowed_domains.is_empty() && !search.blocked_domains.is_empty() {
                    let reason = "the vendor takes domains to search or domains to leave out, not both";
                    self.losses.dropped(format!("{field}.blocked_domains"), reason);
                }
            }
            self.declared.push(Declared { open, mark: tool.cache.clone() });
        } else {
            self.losses.dropped(field, "this vendor runs no such tool");
        }
    }

    fn verbatim(&mut self, json: &Json, mark: Option<&CacheHint>, name: String) {
        // Sets of tools have no name of their own.
        if !name.is_empty() && !self.seen.insert(name) {
            return;
        }
        let text = json.get().trim_end();
        let Some(open) = text.strip_suffix('}') else { return };
        self.declared.push(Declared { open: open.as_bytes().to_vec(), mark: mark.cloned() });
    }
}

/// The vendor's type and name for a kind of hosted tool.
fn counterpart(tool: ServerTool) -> Option<(&'static str, &'static str)> {
    match tool {
        ServerTool::WebSearch => Some(("web_search_20250305", "web_search")),
        ServerTool::WebFetch => Some(("web_fetch_20250910", "web_fetch")),
        ServerTool::CodeExecution => Some(("code_execution_20250825", "code_execution")),
        ServerTool::FileSearch
        | ServerTool::ImageGeneration
        | ServerTool::Mcp
        | ServerTool::Computer
        | ServerTool::ToolSearch
        | ServerTool::Other => None,
    }
}

fn web_search(object: &mut Object<'_>, search: &WebSearch) {
    object.some("max_uses", search.max_uses.as_ref());
    // The vendor takes one list or the other.
    if !search.allowed_domains.is_empty() {
        object.value("allowed_domains", &search.allowed_domains);
    } else if !search.blocked_domains.is_empty() {
        object.value("blocked_domains", &search.blocked_domains);
    }
    if let Some(place) = &search.user_location {
        let mut place = place.to_tree();
        if let Some(map) = place.as_object_mut() {
            map.retain(|_, value| !value.is_null());
            map.entry("type").or_insert_with(|| "approximate".into());
            object.value("user_location", map);
        }
    }
}

/// The `tool_choice` object; `None` where the vendor's default is meant or there are no tools to choose among.
pub(super) fn choice(
    request: &Request,
    facts: &ModelFacts,
    names: &Names,
    declared: &[Declared],
    losses: &mut Losses,
) -> Option<Vec<u8>> {
    if declared.is_empty() {
        return None;
    }
    let serial = request.parallel() == Some(false);
    let mut out = Vec::new();
    let mut write = |kind: &str, tool: Option<&str>| {
        let mut object = Object::typed(&mut out, kind);
        object.some("name", tool.as_ref());
        if serial && kind != "none" {
            object.value("disable_parallel_tool_use", &true);
        }
        object.end();
    };
    if uses_forced_tool(request, facts) {
        // With tools of the client beside it the model may first call those, unless the client forbids it.
        if declared.len() > 1 && request.tool_choice != Some(ToolChoice::None) {
            write("any", None);
        } else {
            write("tool", Some(FORCED_TOOL));
        }
        return Some(out);
    }
    match &request.tool_choice {
        None if !serial => return None,
        None
        | Some(ToolChoice::Auto | ToolChoice::Validated | ToolChoice::Allowed { required: false, .. }) => {
            write("auto", None);
        }
        Some(ToolChoice::None) => write("none", None),
        Some(ToolChoice::Required | ToolChoice::Allowed { required: true, .. }) => write("any", None),
        Some(ToolChoice::Named(tool)) => {
            write("tool", Some(&names.upstream(&tool.name, tool.namespace.as_deref())));
        }
        Some(ToolChoice::Hosted { type_name, tool }) => {
            let own = request.tools.iter().find_map(|candidate| match candidate {
                Tool::Hosted(hosted) if hosted.verbatim.dialect == Dialect::Messages => {
                    (hosted.type_name == *type_name).then(|| hosted_name(&hosted.verbatim.json))
                }
                _ => None,
            });
            let kinds = [*tool, hosted_kind(type_name)];
            let is_declared = |kind: &ServerTool| {
                request.tools.iter().any(|tool| matches!(tool, Tool::Hosted(hosted) if hosted.tool == *kind))
            };
            let known = kinds.into_iter().filter(is_declared).find_map(counterpart);
            let known = own.or_else(|| known.map(|(_, name)| name.to_owned()));
            // Other models were not told of it.
            let Some(known) = known.filter(|_| facts.family == Family::Claude) else {
                losses.dropped(name(request.dialect, Field::ToolChoice), "this vendor has no such tool");
                return None;
            };
            write("tool", Some(&known));
        }
        Some(ToolChoice::Opaque(opaque)) if opaque.dialect == Dialect::Messages => {
            out.extend_from_slice(opaque.json.get().as_bytes());
        }
        Some(ToolChoice::Opaque(_)) => {
            let reason = "only the dialect of the client has such a choice";
            losses.dropped(name(request.dialect, Field::ToolChoice), reason);
            return None;
        }
    }
    Some(out)
}
