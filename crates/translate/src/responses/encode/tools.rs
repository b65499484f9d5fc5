//! Tool definitions and the choice among them.

use super::{settings, words};
use crate::{
    Losses, Names, custom,
    ir::{CustomTool, Flavour, FunctionTool, HostedTool, NamedTool, ServerTool, Tool, ToolChoice, WebSearch},
    responses::writer::{Object, element},
    schema, typed,
    wire::write,
};
use byok_types::Dialect;
use std::collections::HashSet;

/// How tools are written: for which upstream, or as the echo in an answer.
#[derive(Clone, Copy)]
pub(in super::super) struct ToolStyle<'n> {
    /// The upstream's names.
    pub(in super::super) names: &'n Names,
    /// Whether namespaces, tools with free text input and tools of the vendor exist there.
    pub(in super::super) full: bool,
    /// Whether a web search exists there.
    pub(in super::super) search: bool,
    /// Whose dialect the tools were declared in.
    pub(in super::super) client: Dialect,
    /// Whether that is Responses.
    pub(in super::super) native: bool,
}

/// A list of tools that is being written.
pub(in super::super) struct List<'n> {
    style: ToolStyle<'n>,
    out: Vec<u8>,
    /// What has been declared: a vendor refuses two tools of one name.
    declared: HashSet<(Option<String>, String)>,
    hosted: Vec<ServerTool>,
}

impl<'n> List<'n> {
    pub(in super::super) fn new(style: ToolStyle<'n>) -> Self {
        Self { style, out: Vec::new(), declared: HashSet::new(), hosted: Vec::new() }
    }

    /// The elements, and the kinds of the hosted tools among them.
    pub(in super::super) fn finish(self) -> (Vec<u8>, Vec<ServerTool>) {
        (self.out, self.hosted)
    }

    /// Writes one tool. `path` names it in losses.
    pub(in super::super) fn tool(&mut self, tool: &Tool, path: &str, losses: &mut Losses) {
        match tool {
            Tool::Namespace { name, description, tools, extra } if self.style.full => {
                let mut inner = List { out: Vec::new(), hosted: Vec::new(), ..List::new(self.style) };
                for tool in tools {
                    inner.member(tool, Some(name), path, losses);
                }
                let mut object = Object::typed(element(&mut self.out), "namespace");
                object.text("name", name).text("description", description.as_deref().unwrap_or_default());
                object.list("tools", &inner.out).extras(extra);
                object.end();
            }
            Tool::Namespace { name, tools, .. } => {
                for tool in tools {
                    self.member(tool, Some(name), path, losses);
                }
            }
            other => self.member(other, None, path, losses),
        }
    }

    fn member(&mut self, tool: &Tool, namespace: Option<&str>, path: &str, losses: &mut Losses) {
        match tool {
            Tool::Function(tool) => self.function(tool, namespace, path, losses),
            Tool::Custom(tool) if self.style.full => self.custom(tool, namespace, path, losses),
            Tool::Custom(tool) => {
                losses.emulated(path, "the upstream takes free text only as an argument");
                self.loose(custom::as_function(tool), namespace, path, losses);
            }
            Tool::Hosted(tool) => self.hosted(tool, path, losses),
            Tool::Typed(tool) if self.style.full && tool.verbatim.dialect == Dialect::Responses => {
                write::json(element(&mut self.out), &tool.verbatim.json);
            }
            Tool::Typed(tool) => match typed::as_function(tool) {
                Some(function) => {
                    losses.emulated(path, "the tool is described to a model that does not know it");
                    self.loose(function, namespace, path, losses);
                }
                None => losses.dropped(path, "only the model of its vendor knows this tool"),
            },
            // A namespace within a namespace: its tools belong to the inner one.
            Tool::Namespace { name, tools, .. } => {
                for tool in tools {
                    self.member(tool, Some(name), path, losses);
                }
            }
        }
    }

    fn is_new(&mut self, name: &str, path: &str, losses: &mut Losses) -> bool {
        let new = self.declared.insert((None, name.to_owned()));
        if !new {
            losses.silent(path, "a tool of this name was declared before");
        }
        new
    }

    /// Writes a function that stands for another tool, whose schema nobody has asked to enforce.
    fn loose(&mut self, tool: FunctionTool, namespace: Option<&str>, path: &str, losses: &mut Losses) {
        let tool = FunctionTool { strict: tool.strict.or(Some(false)), ..tool };
        self.function(&tool, namespace, path, losses);
    }

    fn function(&mut self, tool: &FunctionTool, namespace: Option<&str>, path: &str, losses: &mut Losses) {
        let style = self.style;
        let name = style.names.upstream(&tool.name, namespace);
        if !self.is_new(&name, path, losses) {
            return;
        }
        let mut object = Object::typed(element(&mut self.out), "function");
        object.text("name", &name).maybe_text("description", tool.description.as_deref());
        if style.native {
            match &tool.schema {
                Some(schema) => object.json("parameters", schema),
                None => object.value("parameters", &()),
            };
            object.value("strict", &tool.strict);
            object.maybe("defer_loading", tool.defer_loading.as_ref());
            object.maybe_json("output_schema", tool.output_schema.as_ref());
            object.maybe_json("allowed_callers", tool.allowed_callers.as_ref());
        } else {
            let parameters = match &tool.schema {
                Some(schema) => schema::openai_arguments(Some(schema)),
                None => settings::no_parameters(),
            };
            // Without a word the vendor enforces, and refuses schemas that are not made for it.
            let strict = schema::enforces(style.client, tool.strict, tool.schema.as_ref());
            if tool.strict == Some(true) && !strict && tool.schema.is_some() {
                losses.dropped(format!("{path}.strict"), "OpenAI enforces closed schemas only");
            }
            object.json("parameters", &parameters).value("strict", &strict);
            object.maybe_json("output_schema", tool.output_schema.as_ref().filter(|_| style.full));
        }
        object.extras(&tool.extra);
        object.end();
    }

    fn custom(&mut self, tool: &CustomTool, namespace: Option<&str>, path: &str, losses: &mut Losses) {
        let name = self.style.names.upstream(&tool.name, namespace);
        if !self.is_new(&name, path, losses) {
            return;
        }
        let mut object = Object::typed(element(&mut self.out), "custom");
        object.text("name", &name).maybe_text("description", tool.description.as_deref());
        settings::custom_format(&mut object, &tool.format);
        object.maybe("defer_loading", tool.defer_loading.as_ref()).extras(&tool.extra);
        object.end();
    }

    fn hosted(&mut self, tool: &HostedTool, path: &str, losses: &mut Losses) {
        if tool.verbatim.dialect == Dialect::Responses {
            write::json(element(&mut self.out), &tool.verbatim.json);
            self.hosted.push(tool.tool);
            return;
        }
        let search = matches!(tool.tool, ServerTool::WebSearch | ServerTool::WebFetch) && self.style.search;
        if !self.style.full && !search {
            losses.dropped(path, "the upstream runs no tools of its own");
            return;
        }
        match tool.tool {
            // A search opens pages too.
            ServerTool::WebSearch | ServerTool::WebFetch => self.web_search(tool, path, losses),
            ServerTool::CodeExecution if !self.hosted.contains(&ServerTool::CodeExecution) => {
                let mut object = Object::typed(element(&mut self.out), "code_interpreter");
                Object::typed(object.member("container"), "auto").end();
                object.end();
                self.hosted.push(ServerTool::CodeExecution);
            }
            ServerTool::CodeExecution => {}
            ServerTool::ImageGeneration => self.image_generation(),
            ServerTool::FileSearch
            | ServerTool::Mcp
            | ServerTool::Computer
            | ServerTool::ToolSearch
            | ServerTool::Other => {
                losses.dropped(path, "only the vendor of the client's dialect has this tool");
            }
        }
    }

    /// Asks for pictures.
    pub(in super::super) fn image_generation(&mut self) {
        if !self.hosted.contains(&ServerTool::ImageGeneration) {
            Object::typed(element(&mut self.out), "image_generation").end();
            self.hosted.push(ServerTool::ImageGeneration);
        }
    }

    fn web_search(&mut self, tool: &HostedTool, path: &str, losses: &mut Losses) {
        if tool.tool == ServerTool::WebFetch {
            losses.emulated(path, "pages are opened by the web search");
        }
        if self.hosted.contains(&ServerTool::WebSearch) {
            return;
        }
        self.hosted.push(ServerTool::WebSearch);
        let settings = tool.web_search.clone().unwrap_or_default();
        let WebSearch { max_uses, allowed_domains, blocked_domains, user_location, context_size } = &settings;
        let mut object = Object::typed(element(&mut self.out), "web_search");
        if !allowed_domains.is_empty() {
            let mut filters = Object::begin(object.member("filters"));
            words(filters.member("allowed_domains"), allowed_domains);
            filters.end();
        }
        object.maybe_text("search_context_size", context_size.as_deref());
        if let Some(location) = user_location {
            let members: crate::responses::wire::Pairs = location.read().unwrap_or_default();
            let mut inner = Object::typed(object.member("user_location"), "approximate");
            for (name, value) in members.0.iter().filter(|(name, _)| name != "type") {
                inner.json(name, value);
            }
            inner.end();
        }
        object.end();
        if !blocked_domains.is_empty() {
            losses.dropped(format!("{path}.blocked_domains"), "the search can only be told where to look");
        }
        if max_uses.is_some() {
            losses.dropped(format!("{path}.max_uses"), "the search has no such limit");
        }
    }
}

/// Writes a choice. `false` if Responses cannot say it; then nothing is written.
pub(in super::super) fn write_choice(out: &mut Vec<u8>, choice: &ToolChoice, style: &ToolStyle<'_>) -> bool {
    match choice {
        ToolChoice::Auto | ToolChoice::Validated => write::string(out, "auto"),
        ToolChoice::None => write::string(out, "none"),
        ToolChoice::Required => write::string(out, "required"),
        ToolChoice::Named(tool) => named(out, tool, style),
        ToolChoice::Allowed { required, tools } => {
            let mut list = Vec::new();
            for tool in tools {
                named(element(&mut list), tool, style);
            }
            let mut object = Object::typed(out, "allowed_tools");
            object.text("mode", if *required { "required" } else { "auto" }).list("tools", &list);
            object.end();
        }
        ToolChoice::Hosted { type_name, .. } if style.native => Object::typed(out, type_name).end(),
        ToolChoice::Hosted { tool, .. } => match tool {
            ServerTool::WebSearch | ServerTool::WebFetch if style.search => {
                // OpenAI's choice keeps the older name of the tool.
                let kind = if style.full { "web_search_preview" } else { "web_search" };
                Object::typed(out, kind).end();
            }
            // A tool that is not there cannot be chosen.
            _ if !style.full => return false,
            ServerTool::CodeExecution => Object::typed(out, "code_interpreter").end(),
            ServerTool::ImageGeneration => Object::typed(out, "image_generation").end(),
            _ => return false,
        },
        ToolChoice::Opaque(choice) if choice.dialect == Dialect::Responses => write::json(out, &choice.json),
        ToolChoice::Opaque(_) => return false,
    }
    true
}

fn named(out: &mut Vec<u8>, tool: &NamedTool, style: &ToolStyle<'_>) {
    if matches!(tool.flavour, Flavour::LocalShell | Flavour::ToolSearch) && style.full {
        Object::typed(out, &tool.name).end();
        return;
    }
    let custom = tool.flavour == Flavour::Custom && style.full;
    let mut object = Object::typed(out, if custom { "custom" } else { "function" });
    object.text("name", &style.names.upstream(&tool.name, tool.namespace.as_deref()));
    object.maybe_text("namespace", tool.namespace.as_deref().filter(|_| style.full));
    object.end();
}
