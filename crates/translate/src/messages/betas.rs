//! Which headers an encoded request needs.
//!
//! A beta is named only if the body uses its feature: an unknown or withdrawn value is refused with a 400. What the
//! credential needs (`oauth-…`) is the provider's business, and so are values that the caller sent as a header.

use super::{
    VERSION,
    encode::{has_native_format, speed, thinking},
};
use crate::ir::{CacheHint, Document, Image, OutputFormat, Part, Request, ServerTool, Source, Tool};
use byok_types::{Dialect, Family, ModelFacts, StructuredOutput};
use std::collections::HashSet;

/// `anthropic-version`, and `anthropic-beta` if the body of the encoded request uses a feature behind one.
pub fn headers_for(request: &Request, facts: &ModelFacts) -> Vec<(&'static str, String)> {
    let mut headers = vec![("anthropic-version", VERSION.to_owned())];
    let betas = betas(request, facts);
    if !betas.is_empty() {
        headers.push(("anthropic-beta", betas.join(",")));
    }
    headers
}

fn betas(request: &Request, facts: &ModelFacts) -> Vec<String> {
    let mut list = List::default();
    let own = request.dialect == Dialect::Messages;
    if own && let Some(asked) = request.extra.get(Dialect::Messages, "betas") {
        asked.read::<Vec<String>>().unwrap_or_default().iter().for_each(|beta| list.add(beta));
    }
    if facts.family != Family::Claude {
        return list.names;
    }
    if thinking::effort_sent(request, facts).is_some() {
        list.add("effort-2025-11-24");
    }
    let formatted = !matches!(request.output_format, OutputFormat::Text) && has_native_format(request, facts);
    let enforced = facts.first_party && facts.structured_output == StructuredOutput::Native;
    if formatted || (enforced && functions(&request.tools).any(|tool| tool.strict == Some(true))) {
        list.add("structured-outputs-2025-12-15");
    }
    if own {
        own_features(request, &mut list);
    }
    if speed(request, facts) == Some("fast") {
        list.add("fast-mode-2026-02-01");
    }
    if uses_tool_search(request) {
        list.add("advanced-tool-use-2025-11-20");
    }
    let marks = || marks(request);
    if marks().any(|mark| matches!(mark.ttl.as_deref(), Some("1h" | "12h" | "24h"))) {
        list.add("extended-cache-ttl-2025-04-11");
    }
    if marks().any(|mark| mark.extra.get(Dialect::Messages, "scope").is_some()) {
        list.add("prompt-caching-scope-2026-01-05");
    }
    list.names
}

/// Features that only a client of this dialect can ask for.
fn own_features(request: &Request, list: &mut List) {
    if let Some(management) = &request.state.context_management {
        list.add("context-management-2025-06-27");
        if management.json.get().contains("\"compact_20260112\"") {
            list.add("compact-2026-01-12");
        }
    }
    if request
        .extra
        .get(Dialect::Messages, "output_config")
        .is_some_and(|o| o.get().contains("\"task_budget\""))
    {
        list.add("task-budgets-2026-03-13");
    }
    let parts = || request.messages.iter().flat_map(|m| &m.parts);
    if parts().any(uses_file) {
        list.add("files-api-2025-04-14");
    }
    if parts().any(|part| matches!(part, Part::ConfigChange(_))) {
        list.add("mid-conversation-tool-changes-2026-07-01");
    }
}

#[derive(Default)]
struct List {
    names: Vec<String>,
    known: HashSet<String>,
}

impl List {
    fn add(&mut self, beta: &str) {
        if !beta.is_empty() && self.known.insert(beta.to_owned()) {
            self.names.push(beta.to_owned());
        }
    }
}

fn functions(tools: &[Tool]) -> impl Iterator<Item = &crate::ir::FunctionTool> {
    tools.iter().filter_map(|tool| match tool {
        Tool::Function(tool) => Some(tool),
        _ => None,
    })
}

fn uses_tool_search(request: &Request) -> bool {
    let own = request.dialect == Dialect::Messages;
    request.tools.iter().any(|tool| match tool {
        Tool::Function(tool) => {
            own && (tool.defer_loading == Some(true)
                || tool.examples.is_some()
                || tool.allowed_callers.is_some())
        }
        Tool::Hosted(tool) => {
            tool.tool == ServerTool::ToolSearch && tool.verbatim.dialect == Dialect::Messages
        }
        Tool::Custom(_) | Tool::Namespace { .. } | Tool::Typed(_) => false,
    })
}

fn uses_file(part: &Part) -> bool {
    match part {
        Part::ContainerUpload(_) => true,
        Part::Image(Image { source, .. }) | Part::Document(Document { source, .. }) => {
            matches!(source, Source::FileId(_))
        }
        Part::ToolResult(result) => result.parts.iter().any(uses_file),
        _ => false,
    }
}

/// All cache markers of the request.
fn marks(request: &Request) -> impl Iterator<Item = &CacheHint> {
    let tools = request.tools.iter().filter_map(|tool| match tool {
        Tool::Function(tool) => tool.cache.as_ref(),
        Tool::Custom(tool) => tool.cache.as_ref(),
        Tool::Hosted(tool) => tool.cache.as_ref(),
        Tool::Typed(tool) => tool.cache.as_ref(),
        Tool::Namespace { .. } => None,
    });
    let parts = request.system.iter().chain(request.messages.iter().flat_map(|m| &m.parts));
    let parts = parts.filter_map(|part| match part {
        Part::Text(text) => text.cache.as_ref(),
        Part::Image(image) => image.cache.as_ref(),
        Part::Document(document) => document.cache.as_ref(),
        Part::SearchResult(result) => result.cache.as_ref(),
        Part::ToolCall(call) => call.cache.as_ref(),
        Part::ToolResult(result) => result.cache.as_ref(),
        _ => None,
    });
    request.cache.hint.iter().chain(tools).chain(parts)
}
