//! Members of tools that an upstream cannot be told. One place for all pairs: encoders write what their dialect has.

use super::{Loss, LossAction};
use crate::{
    Json,
    ir::{Extra, FunctionTool, Request, Tool},
};
use byok_types::{Dialect, ModelFacts};

const NOWHERE: &str = "the upstream has no such member of tools";

/// Whether what a function answers is told to the upstream, too.
pub(crate) fn takes_output_schema(upstream: Dialect, facts: &ModelFacts) -> bool {
    match upstream {
        Dialect::Responses => facts.first_party,
        Dialect::Gemini => facts.json_schema_tools,
        Dialect::Chat | Dialect::Messages => false,
    }
}

/// Notes what of the tools of `request` is lost towards an upstream of another dialect.
pub(crate) fn note(request: &Request, upstream: Dialect, facts: &ModelFacts, losses: &mut Vec<Loss>) {
    if upstream == request.dialect || !facts.tools {
        return;
    }
    let mut notes = Notes { client: request.dialect, upstream, facts, losses };
    for (index, tool) in request.tools.iter().enumerate() {
        notes.tool(tool, &format!("tools[{index}]"));
    }
}

struct Notes<'n> {
    client: Dialect,
    upstream: Dialect,
    facts: &'n ModelFacts,
    losses: &'n mut Vec<Loss>,
}

impl Notes<'_> {
    fn tool(&mut self, tool: &Tool, place: &str) {
        match tool {
            Tool::Function(tool) => self.function(tool, place),
            Tool::Custom(tool) => {
                self.deferred(tool.defer_loading, place);
                self.extra(&tool.extra, place);
            }
            Tool::Namespace { tools, extra, .. } => {
                self.extra(extra, place);
                for (index, tool) in tools.iter().enumerate() {
                    self.tool(tool, &format!("{place}.tools[{index}]"));
                }
            }
            Tool::Hosted(_) | Tool::Typed(_) => {}
        }
    }

    fn function(&mut self, tool: &FunctionTool, place: &str) {
        if tool.output_schema.is_some() && !takes_output_schema(self.upstream, self.facts) {
            let word = match self.client {
                Dialect::Gemini if tool.extra.get(Dialect::Gemini, "response").is_some() => "response",
                Dialect::Gemini => "responseJsonSchema",
                Dialect::Chat | Dialect::Responses | Dialect::Messages => "output_schema",
            };
            self.lost(place, word, LossAction::Dropped, NOWHERE);
        }
        if tool.examples.is_some() {
            self.lost(place, "input_examples", LossAction::Dropped, NOWHERE);
        }
        let callers: Option<Vec<String>> = tool.allowed_callers.as_ref().and_then(|list| list.read().ok());
        if tool.allowed_callers.is_some() && callers.is_none_or(|list| list != ["direct"]) {
            self.lost(place, "allowed_callers", LossAction::Dropped, NOWHERE);
        }
        self.deferred(tool.defer_loading, place);
        self.extra(&tool.extra, place);
    }

    fn deferred(&mut self, deferred: Option<bool>, place: &str) {
        if deferred == Some(true) {
            let reason = "the search that would find the tool is missing, so it is shown at once";
            self.lost(place, "defer_loading", LossAction::Emulated, reason);
        }
    }

    fn extra(&mut self, extra: &Extra, place: &str) {
        for (name, value) in extra.of(self.client) {
            match (self.client, name.as_str()) {
                // What decoders keep of members that they have read.
                (Dialect::Gemini, "parameters" | "response") => {}
                (Dialect::Chat, "function" | "custom") => {
                    for (inner, value) in value.members().unwrap_or_default() {
                        self.member(
                            &format!("{place}.{name}"),
                            inner.as_str(),
                            &Json::from(value.to_owned()),
                        );
                    }
                }
                (_, name) => self.member(place, name, value),
            }
        }
    }

    fn member(&mut self, place: &str, name: &str, value: &Json) {
        // How the input streams changes nothing that is said, and what is off or usual is no loss.
        let action = match (name, value.get()) {
            (_, "null" | "false") | ("behavior", "\"BLOCKING\"" | "\"UNSPECIFIED\"") => return,
            ("eager_input_streaming", _) => LossAction::DroppedSilently,
            _ => LossAction::Dropped,
        };
        self.lost(place, name, action, NOWHERE);
    }

    fn lost(&mut self, place: &str, name: &str, action: LossAction, reason: &'static str) {
        self.losses.push(Loss { field: format!("{place}.{name}"), action, reason });
    }
}
