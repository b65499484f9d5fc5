//! What a client's search among its own tools found (Claude Code), for models that know no references to tools.

use crate::ir::{Part, Request};
use byok_types::Dialect;
use serde::Deserialize;
use std::borrow::Cow;

/// What the loss is called.
pub(crate) const FIELD: &str = "messages";
/// Why it is one.
pub(crate) const REASON: &str = "the tools that a search found are named in words";

/// Whether results of `request` refer to tools, and the upstream has no such references.
pub(crate) fn are_told(request: &Request, upstream: Dialect) -> bool {
    let refers = |part: &Part| match part {
        Part::ToolResult(result) => result.parts.iter().any(|part| name_of(part).is_some()),
        _ => false,
    };
    request.dialect == Dialect::Messages
        && upstream != Dialect::Messages
        && request.messages.iter().flat_map(|message| &message.parts).any(refers)
}

/// The request with such tools named in words. There all tools are declared from the beginning.
pub(crate) fn in_words(request: Cow<'_, Request>, upstream: Dialect) -> Cow<'_, Request> {
    if !are_told(&request, upstream) {
        return request;
    }
    let mut request = request.into_owned();
    for part in request.messages.iter_mut().flat_map(|message| &mut message.parts) {
        let Part::ToolResult(result) = part else { continue };
        let names: Vec<_> = result.parts.iter().filter_map(name_of).collect();
        if !names.is_empty() {
            result.parts.retain(|part| name_of(part).is_none());
            result.parts.push(Part::text(format!("[tools that can be called: {}]", names.join(", "))));
        }
    }
    Cow::Owned(request)
}

/// The tool that a part of a result refers to.
fn name_of(part: &Part) -> Option<String> {
    #[derive(Deserialize)]
    struct Reference {
        r#type: String,
        tool_name: String,
    }
    let Part::Opaque(opaque) = part else { return None };
    let reference: Reference = opaque.json.read().ok()?;
    (opaque.dialect == Dialect::Messages && reference.r#type == "tool_reference")
        .then_some(reference.tool_name)
}
