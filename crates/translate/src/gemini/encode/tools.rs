use super::{Encoder, inner, outer};
use crate::{
    Json, custom,
    emulate::{JSON_TOOL, MUST_CALL, is_free},
    gemini::fields::{self, Fields},
    ir::{FunctionTool, HostedTool, NamedTool, OutputFormat, Part, ServerTool, Tool, ToolChoice},
    loss::tools::takes_output_schema,
    schema::{
        self,
        gemini::{for_gemini, parameters_fit},
    },
    typed,
};
use byok_types::{Dialect, StructuredOutput};
use std::{borrow::Cow, collections::HashSet};

/// A tool on its way out.
enum Declared<'r> {
    /// A function under its upstream name.
    Function(String, Cow<'r, FunctionTool>),
    /// A tool of the vendor as one entry of `tools`, with its place in the request.
    Hosted(usize, Cow<'r, str>),
}

impl<'r> Encoder<'r> {
    /// `tools` and `toolConfig`.
    pub(super) fn tools(&mut self, body: &mut Fields<'_>) {
        let declared = self.declared();
        let functions = declared.iter().any(|tool| matches!(tool, Declared::Function(..)));
        if !declared.is_empty() {
            let out = body.key("tools");
            out.push(b'[');
            let mut rest = declared.as_slice();
            let mut first = true;
            while let Some(tool) = rest.first() {
                if !std::mem::take(&mut first) {
                    out.push(b',');
                }
                match tool {
                    Declared::Hosted(_, entry) => {
                        out.extend_from_slice(entry.as_bytes());
                        rest = &rest[1..];
                    }
                    Declared::Function(..) => {
                        let is_function = |tool: &Declared<'_>| matches!(tool, Declared::Function(..));
                        let group = rest.iter().position(|tool| !is_function(tool)).unwrap_or(rest.len());
                        let mut entry = Fields::open(out);
                        fields::list(entry.key("functionDeclarations"), &rest[..group], |out, tool| {
                            if let Declared::Function(name, function) = tool {
                                self.function(name, function, out);
                            }
                        });
                        entry.close();
                        rest = &rest[group..];
                    }
                }
            }
            out.push(b']');
        }
        let hosted = !declared.is_empty() && !functions;
        self.tool_config(functions, declared.len() > 1, hosted, body);
    }

    fn declared(&mut self) -> Vec<Declared<'r>> {
        let request = self.request;
        let mut seen = HashSet::new();
        let mut declared = Vec::new();
        for (index, tool) in request.tools.iter().enumerate() {
            self.declare(index, tool, None, &mut seen, &mut declared);
        }
        // Tools that come in the middle of a conversation can be called from its next turn on, so they are declared, too.
        for part in request.messages.iter().flat_map(|message| &message.parts) {
            let Part::ConfigChange(change) = part else { continue };
            for tool in &change.tools_added {
                self.declare(request.tools.len(), tool, None, &mut seen, &mut declared);
            }
        }
        if let Some(schema) = self.forced_schema() {
            self.losses
                .emulated("response_format", "the answer is the input of a tool that the model must call");
            let function = FunctionTool {
                name: JSON_TOOL.to_owned(),
                description: Some("Gives the final answer. Call it exactly once.".to_owned()),
                schema: Some(schema.clone()),
                ..FunctionTool::default()
            };
            declared.push(Declared::Function(JSON_TOOL.to_owned(), Cow::Owned(function)));
        }
        let functions = declared.iter().any(|tool| matches!(tool, Declared::Function(..)));
        if functions && !self.same {
            // Older models refuse both together; newer ones want every step of the hosted tool back, which no other
            // dialect can carry.
            for tool in declared.extract_if(.., |tool| matches!(tool, Declared::Hosted(..))) {
                if let Declared::Hosted(index, _) = tool {
                    let reason = "hosted tools and functions cannot be used together here";
                    self.losses.dropped(format!("tools[{index}]"), reason);
                }
            }
        }
        for tool in &declared {
            if let Declared::Hosted(index, _) = tool {
                self.note_limits(*index);
            }
        }
        declared
    }

    fn declare(
        &mut self,
        index: usize,
        tool: &'r Tool,
        namespace: Option<&str>,
        seen: &mut HashSet<String>,
        out: &mut Vec<Declared<'r>>,
    ) {
        let function: Cow<'r, FunctionTool> = match tool {
            Tool::Function(function) => Cow::Borrowed(function),
            Tool::Custom(tool) => {
                let reason = "a tool with free text input is said as a function with one string";
                self.losses.emulated(format!("tools[{index}]"), reason);
                Cow::Owned(custom::as_function(tool))
            }
            Tool::Namespace { name, tools, .. } => {
                for tool in tools {
                    self.declare(index, tool, Some(name), seen, out);
                }
                return;
            }
            Tool::Hosted(hosted) => {
                let entry = self.hosted(index, hosted);
                // Two versions of one tool of another vendor are one tool here.
                out.extend(
                    entry
                        .filter(|entry| self.same || seen.insert(entry.to_string()))
                        .map(|entry| Declared::Hosted(index, entry)),
                );
                return;
            }
            Tool::Typed(tool) => {
                let Some(function) = typed::as_function(tool) else {
                    self.losses
                        .dropped(format!("tools[{index}]"), "only its own vendor's models know this tool");
                    return;
                };
                self.losses.emulated(
                    format!("tools[{index}]"),
                    "a tool that has a type of its own is said with its schema",
                );
                Cow::Owned(function)
            }
        };
        let name = self.names.upstream(&function.name, namespace).into_owned();
        if seen.insert(name.clone()) {
            out.push(Declared::Function(name, function));
        } else {
            self.losses.silent(format!("tools[{index}]"), "a tool was declared twice");
        }
    }

    fn hosted(&mut self, index: usize, hosted: &'r HostedTool) -> Option<Cow<'r, str>> {
        if hosted.verbatim.dialect == Dialect::Gemini {
            return Some(Cow::Borrowed(hosted.verbatim.json.get()));
        }
        let entry = match hosted.tool {
            ServerTool::WebSearch => r#"{"googleSearch":{}}"#,
            ServerTool::WebFetch => r#"{"urlContext":{}}"#,
            ServerTool::CodeExecution => r#"{"codeExecution":{}}"#,
            _ => {
                self.losses.dropped(format!("tools[{index}]"), "this upstream has no such tool");
                return None;
            }
        };
        Some(Cow::Borrowed(entry))
    }

    /// Notes what limits a search that runs here without limits.
    fn note_limits(&mut self, index: usize) {
        let Some(Tool::Hosted(hosted)) = self.request.tools.get(index) else { return };
        if hosted.verbatim.dialect == Dialect::Gemini {
            return;
        }
        let limits = hosted.web_search.iter().flat_map(|search| {
            [
                ("max_uses", search.max_uses.is_some()),
                ("allowed_domains", !search.allowed_domains.is_empty()),
                ("blocked_domains", !search.blocked_domains.is_empty()),
                ("user_location", search.user_location.is_some()),
                ("search_context_size", search.context_size.is_some()),
            ]
        });
        for (limit, _) in limits.filter(|(_, said)| *said) {
            let reason = "Google Search takes no limits on uses, domains or place";
            self.losses.dropped(format!("tools[{index}].{limit}"), reason);
        }
    }

    fn function(&self, name: &str, function: &FunctionTool, out: &mut Vec<u8>) {
        let mut fields = Fields::open(out);
        fields.string("name", name);
        if let Some(description) = &function.description {
            fields.string("description", description);
        }
        let kept = |name: &str| function.extra.get(Dialect::Gemini, name);
        if let Some(parameters) = kept("parameters") {
            fields.json("parameters", parameters);
        } else if let Some(schema) = function.schema.as_ref().filter(|schema| schema.is_object()) {
            // Names that cannot be rewritten so that they can be read back leave only the standard schema.
            if self.facts.json_schema_tools || !parameters_fit(schema) {
                let mended = if self.same { Cow::Borrowed(schema) } else { schema::mended(schema) };
                fields.json("parametersJsonSchema", &mended);
            } else {
                fields.json("parameters", &for_gemini(schema));
            }
        }
        if kept("response").is_none()
            && let Some(schema) = function.output_schema.as_ref()
            && (self.same || takes_output_schema(Dialect::Gemini, self.facts))
        {
            fields.json("responseJsonSchema", schema);
        }
        fields.all(outer(&function.extra).filter(|(name, _)| *name != "parameters"));
        fields.close();
    }

    /// The schema of an answer that is asked for by way of a forced tool.
    pub(super) fn forced_schema(&self) -> Option<&'r Json> {
        match &self.request.output_format {
            OutputFormat::JsonSchema { schema, .. }
                // Where the client forces a tool of its own, the answer is that call and not the structured text.
                if self.facts.structured_output == StructuredOutput::ForcedTool
                    && !matches!(self.request.tool_choice, Some(ToolChoice::Named(_))) =>
            {
                Some(schema)
            }
            _ => None,
        }
    }

    fn tool_config(&mut self, functions: bool, others: bool, hosted: bool, body: &mut Fields<'_>) {
        let request = self.request;
        let calling = if self.forced_schema().is_some() {
            // With tools of the client beside it the model may first call those, unless the client forbids it.
            let alone = !others || request.tool_choice == Some(ToolChoice::None);
            if !alone && is_free(request.tool_choice.as_ref()) {
                self.losses.emulated("tool_choice", MUST_CALL);
            }
            Some(("ANY", if alone { vec![JSON_TOOL.to_owned()] } else { Vec::new() }))
        } else if functions {
            self.calling(request.tool_choice.as_ref())
        } else {
            self.note_choice(hosted);
            None
        };
        let mut config_extra = inner(&request.extra, "toolConfig").peekable();
        let mut calling_extra =
            inner(&request.extra, "toolConfig.functionCallingConfig").filter(|_| functions).peekable();
        if calling.is_none() && config_extra.peek().is_none() && calling_extra.peek().is_none() {
            return;
        }
        let mut config = Fields::open(body.key("toolConfig"));
        if calling.is_some() || calling_extra.peek().is_some() {
            let mut fields = Fields::open(config.key("functionCallingConfig"));
            if let Some((mode, names)) = calling {
                fields.string("mode", mode);
                if !names.is_empty() {
                    fields.value("allowedFunctionNames", &names);
                }
            }
            fields.all(calling_extra);
            fields.close();
        }
        config.all(config_extra);
        config.close();
    }

    /// A choice where there are only tools of the vendor, which it uses as it likes.
    fn note_choice(&mut self, hosted: bool) {
        let lost = match &self.request.tool_choice {
            Some(ToolChoice::Allowed { required, .. }) => *required,
            Some(ToolChoice::Auto | ToolChoice::Validated) | None => false,
            Some(_) => true,
        };
        if hosted && lost {
            self.losses.dropped("tool_choice", "this upstream cannot be made to use this tool");
        }
    }

    /// The mode and the names that it is limited to.
    fn calling(&mut self, choice: Option<&ToolChoice>) -> Option<(&'static str, Vec<String>)> {
        let name = |tool: &NamedTool| self.names.upstream(&tool.name, tool.namespace.as_deref()).into_owned();
        Some(match choice? {
            ToolChoice::Auto => ("AUTO", Vec::new()),
            ToolChoice::None => ("NONE", Vec::new()),
            ToolChoice::Required => ("ANY", Vec::new()),
            ToolChoice::Named(tool) => ("ANY", vec![name(tool)]),
            ToolChoice::Allowed { required: true, tools } => ("ANY", tools.iter().map(name).collect()),
            ToolChoice::Allowed { required: false, tools } => ("VALIDATED", tools.iter().map(name).collect()),
            ToolChoice::Validated => ("VALIDATED", Vec::new()),
            ToolChoice::Hosted { .. } | ToolChoice::Opaque(_) => {
                self.losses.dropped("tool_choice", "this upstream cannot be made to use this tool");
                return None;
            }
        })
    }
}
