//! Tools and the choice among them.

use super::Encoder;
use crate::{
    Json,
    chat::{
        body::WEB_SEARCH_OPTIONS,
        object::{Object, object},
    },
    custom, emulate,
    ir::{
        CacheHint, CustomFormat, CustomTool, Extra, Flavour, FunctionTool, HostedTool, NamedTool,
        OutputFormat, Part, ServerTool, Tool, ToolChoice, WebSearch,
    },
    schema, typed,
    wire::write,
};
use byok_types::Dialect;
use std::{borrow::Cow, collections::HashSet};

/// A tool as it is written.
enum Written<'a> {
    Function(Cow<'a, FunctionTool>, String),
    Custom(&'a CustomTool, String),
    Verbatim(&'a Json),
}

impl Written<'_> {
    fn name(&self) -> Option<&str> {
        match self {
            Self::Function(_, name) | Self::Custom(_, name) => Some(name),
            Self::Verbatim(_) => None,
        }
    }
}

impl<'a> Encoder<'a> {
    /// Writes `tools`, `tool_choice` and `parallel_tool_calls`; nothing of it when there is no tool, because servers
    /// refuse the latter two alone.
    pub(super) fn tools(&mut self, body: &mut Object<'_>) {
        let mut tools = Vec::new();
        let request = self.request;
        for (index, tool) in request.tools.iter().enumerate() {
            self.tool(tool, None, index, &mut tools);
        }
        if !self.native {
            for part in request.messages.iter().flat_map(|m| &m.parts) {
                let Part::ConfigChange(change) = part else { continue };
                change.tools_added.iter().for_each(|tool| self.tool(tool, None, 0, &mut tools));
            }
        }
        // Servers refuse two tools of one name.
        let mut seen = HashSet::new();
        tools.retain(|tool| tool.name().is_none_or(|name| seen.insert(name.to_owned())));

        let mut choice = request.tool_choice.clone();
        if let Some(ToolChoice::Allowed { required, tools: allowed }) = &choice
            && !self.native
            && !self.facts.first_party
        {
            let allowed: HashSet<_> = allowed.iter().map(|tool| self.upstream_name(tool)).collect();
            tools.retain(|tool| tool.name().is_none_or(|name| allowed.contains(name)));
            self.losses.emulated("tool_choice", "only the allowed tools were sent");
            choice = Some(if *required { ToolChoice::Required } else { ToolChoice::Auto });
        }
        if self.forces_json_tool() {
            // With tools of the client beside it the model may first call those, unless the client forbids it.
            let alone = tools.is_empty() || choice == Some(ToolChoice::None);
            if !alone && emulate::is_free(choice.as_ref()) {
                self.losses.emulated("tool_choice", emulate::MUST_CALL);
            }
            choice = Some(if alone { named(emulate::JSON_TOOL) } else { ToolChoice::Required });
            let tool = json_tool(&request.output_format);
            tools.push(Written::Function(Cow::Owned(tool), emulate::JSON_TOOL.to_owned()));
            self.losses.emulated("output_format", "the model is made to call a tool with this schema");
        }
        if tools.is_empty() {
            if choice.is_some_and(|choice| choice != ToolChoice::None) && !self.native {
                self.losses.silent("tool_choice", "there is no tool to choose");
            }
            return;
        }
        let (native, first_party) = (self.native, self.facts.first_party);
        let client = request.dialect;
        body.list("tools", &tools, |tool, out| match tool {
            Written::Function(tool, name) => function(tool, name, client, first_party, out),
            Written::Custom(tool, name) => custom_tool(tool, name, native, out),
            Written::Verbatim(json) => write::json(out, json),
        });
        if let Some(choice) = choice {
            self.choice(&choice, body);
        }
        match request.parallel().filter(|_| first_party || request.parallel_tool_calls.is_some()) {
            // Strict servers do not know the field; left out it means `true` everywhere.
            Some(true) if !native && !first_party => {}
            Some(parallel) => body.value("parallel_tool_calls", &parallel),
            None => {}
        }
    }

    fn tool(&mut self, tool: &'a Tool, namespace: Option<&str>, index: usize, out: &mut Vec<Written<'a>>) {
        match tool {
            Tool::Function(tool) => {
                let name = self.names.upstream(&tool.name, namespace).into_owned();
                if tool.schema.is_some() && strict(tool, self.request.dialect) != tool.strict {
                    let reason = "OpenAI enforces closed schemas only";
                    self.losses.dropped(format!("tools[{index}].strict"), reason);
                }
                out.push(Written::Function(Cow::Borrowed(tool), name));
            }
            Tool::Custom(tool) => {
                let name = self.names.upstream(&tool.name, namespace).into_owned();
                if self.facts.first_party {
                    out.push(Written::Custom(tool, name));
                } else {
                    let reason = "the free text input became the argument of a function";
                    self.losses.emulated(format!("tools[{index}]"), reason);
                    out.push(Written::Function(Cow::Owned(custom::as_function(tool)), name));
                }
            }
            Tool::Namespace { name, tools, .. } => {
                for tool in tools {
                    self.tool(tool, Some(name), index, out);
                }
            }
            Tool::Typed(tool) => match typed::as_function(tool) {
                Some(function) => {
                    let name = self.names.upstream(&tool.name, namespace).into_owned();
                    self.losses.emulated(format!("tools[{index}]"), "the typed tool became a function");
                    out.push(Written::Function(Cow::Owned(function), name));
                }
                None => self.losses.dropped(format!("tools[{index}]"), "the upstream has no such tool"),
            },
            Tool::Hosted(tool) => self.hosted(tool, index, out),
        }
    }

    /// Tools that a vendor runs exist only where the client itself named them in this dialect.
    fn hosted(&mut self, tool: &'a HostedTool, index: usize, out: &mut Vec<Written<'a>>) {
        if self.facts.web_search
            && tool.tool == ServerTool::WebSearch
            && tool.verbatim.dialect != Dialect::Chat
        {
            self.unsearchable(tool.web_search.as_ref(), index);
        } else if tool.verbatim.dialect != Dialect::Chat {
            self.losses.dropped(format!("tools[{index}]"), "the upstream runs no such tool");
        } else if tool.type_name != WEB_SEARCH_OPTIONS {
            out.push(Written::Verbatim(&tool.verbatim.json));
        }
    }

    /// What the field of Chat has no place for.
    fn unsearchable(&mut self, search: Option<&WebSearch>, index: usize) {
        let Some(search) = search else { return };
        for (said, name) in [
            (!search.allowed_domains.is_empty(), "allowed_domains"),
            (!search.blocked_domains.is_empty(), "blocked_domains"),
            (search.max_uses.is_some(), "max_uses"),
        ] {
            if said {
                self.losses.dropped(format!("tools[{index}].{name}"), "the search cannot be told so");
            }
        }
    }

    /// The field by which Chat switches a web search on.
    pub(super) fn web_search_options(&self, body: &mut Object<'_>) {
        let hosted = self.request.tools.iter().filter_map(|tool| match tool {
            Tool::Hosted(tool) => Some(tool),
            _ => None,
        });
        let mut foreign = None;
        for tool in hosted {
            if tool.verbatim.dialect != Dialect::Chat {
                let search = tool.tool == ServerTool::WebSearch && self.facts.web_search;
                foreign = foreign.or_else(|| search.then(|| tool.web_search.clone().unwrap_or_default()));
            } else if tool.type_name == WEB_SEARCH_OPTIONS {
                body.json(WEB_SEARCH_OPTIONS, &tool.verbatim.json);
            }
        }
        let Some(search) = foreign else { return };
        body.object(WEB_SEARCH_OPTIONS, |options| {
            options.maybe_text("search_context_size", search.context_size.as_deref());
            let Some(place) = &search.user_location else { return };
            let mut place: serde_json::Map<String, serde_json::Value> = place.read().unwrap_or_default();
            place.shift_remove("type");
            options.object("user_location", |location| {
                location.text("type", "approximate");
                location.value("approximate", &place);
            });
        });
    }

    fn choice(&mut self, choice: &ToolChoice, body: &mut Object<'_>) {
        match choice {
            ToolChoice::Auto | ToolChoice::Validated => body.text("tool_choice", "auto"),
            ToolChoice::None => body.text("tool_choice", "none"),
            ToolChoice::Required => body.text("tool_choice", "required"),
            ToolChoice::Named(tool) => {
                let (member, name) = (self.member(tool), self.upstream_name(tool));
                write_named(body.member("tool_choice"), member, &name);
            }
            ToolChoice::Allowed { required, tools } => {
                let tools: Vec<_> =
                    tools.iter().map(|tool| (self.member(tool), self.upstream_name(tool))).collect();
                body.object("tool_choice", |choice| {
                    choice.text("type", "allowed_tools");
                    choice.object("allowed_tools", |allowed| {
                        allowed.text("mode", if *required { "required" } else { "auto" });
                        allowed.list("tools", &tools, |(member, name), out| write_named(out, member, name));
                    });
                });
            }
            ToolChoice::Opaque(opaque) if opaque.dialect == Dialect::Chat => {
                body.json("tool_choice", &opaque.json);
            }
            ToolChoice::Opaque(_) | ToolChoice::Hosted { .. } => {
                self.losses.dropped("tool_choice", "the upstream cannot be told to use this tool");
            }
        }
    }

    fn member(&self, tool: &NamedTool) -> &'static str {
        if tool.flavour == Flavour::Custom && self.facts.first_party { "custom" } else { "function" }
    }

    fn upstream_name(&self, tool: &NamedTool) -> String {
        self.names.upstream(&tool.name, tool.namespace.as_deref()).into_owned()
    }
}

fn named(name: &str) -> ToolChoice {
    ToolChoice::Named(NamedTool { name: name.to_owned(), ..NamedTool::default() })
}

fn json_tool(format: &OutputFormat) -> FunctionTool {
    let (schema, description) = match format {
        OutputFormat::JsonSchema { schema, description, .. } => {
            (Some(schema.clone()), description.as_deref())
        }
        _ => (None, None),
    };
    FunctionTool {
        name: emulate::JSON_TOOL.to_owned(),
        description: Some(description.unwrap_or("Gives the final answer.").to_owned()),
        schema,
        ..FunctionTool::default()
    }
}

fn write_named(out: &mut Vec<u8>, member: &'static str, name: &str) {
    object(out, |tool| {
        tool.text("type", member);
        tool.object(member, |inner| inner.text("name", name));
    });
}

/// Whether OpenAI is asked to enforce the schema.
fn strict(tool: &FunctionTool, client: Dialect) -> Option<bool> {
    let kept = client == Dialect::Chat || schema::enforces(client, tool.strict, tool.schema.as_ref());
    if tool.strict == Some(true) && !kept { Some(false) } else { tool.strict }
}

fn function(tool: &FunctionTool, name: &str, client: Dialect, first_party: bool, out: &mut Vec<u8>) {
    let native = client == Dialect::Chat;
    let strict = strict(tool, client);
    object(out, |object| {
        object.text("type", "function");
        object.object("function", |function| {
            function.text("name", name);
            function.maybe_text("description", tool.description.as_deref());
            match &tool.schema {
                Some(schema) if native => function.json("parameters", schema),
                None if native => {}
                // Servers refuse a function without a schema, an object without `properties` and a list without `items`.
                schema => function.json("parameters", &schema::openai_arguments(schema.as_ref())),
            }
            if native || first_party || strict == Some(true) {
                function.maybe("strict", strict);
            }
            inner_extra(&tool.extra, "function", function);
        });
        if native {
            cache(tool.cache.as_ref(), object);
        }
        outer_extra(&tool.extra, "function", object);
    });
}

fn custom_tool(tool: &CustomTool, name: &str, native: bool, out: &mut Vec<u8>) {
    object(out, |object| {
        object.text("type", "custom");
        object.object("custom", |custom| {
            custom.text("name", name);
            custom.maybe_text("description", tool.description.as_deref());
            if let CustomFormat::Grammar { syntax, definition } = &tool.format {
                custom.object("format", |format| {
                    format.text("type", "grammar");
                    format.object("grammar", |grammar| {
                        grammar.text("syntax", syntax);
                        grammar.text("definition", definition);
                    });
                });
            }
            inner_extra(&tool.extra, "custom", custom);
        });
        if native {
            cache(tool.cache.as_ref(), object);
        }
        outer_extra(&tool.extra, "custom", object);
    });
}

/// A cache marker of a Chat client, in the spelling that it came in.
pub(super) fn cache(hint: Option<&CacheHint>, object: &mut Object<'_>) {
    let Some(hint) = hint else { return };
    let breakpoint = hint.extra.get(Dialect::Chat, "mode").is_some();
    object.object(if breakpoint { "prompt_cache_breakpoint" } else { "cache_control" }, |cache| {
        if !breakpoint {
            cache.text("type", "ephemeral");
        }
        cache.all(hint.extra.of(Dialect::Chat));
        cache.maybe("ttl", hint.ttl.as_deref());
    });
}

/// Unknown members that stood in the inner object of a tool or call.
pub(super) fn inner_extra(extra: &Extra, member: &str, object: &mut Object<'_>) {
    let inner =
        extra.get(Dialect::Chat, member).and_then(|json| json.read::<crate::chat::body::Labels>().ok());
    if let Some(inner) = &inner {
        object.all(&inner.0);
    }
}

/// Unknown members that stood beside it.
pub(super) fn outer_extra(extra: &Extra, member: &str, object: &mut Object<'_>) {
    object.all(extra.of(Dialect::Chat).iter().filter(|(name, _)| name != member));
}
