//! Where a part of the request stands, in the words of the client's dialect.

use crate::ir::{Part, Request};
use byok_types::Dialect;

/// The path of a part of the conversation. Only asked for when there is something to tell the client, so it searches.
pub(super) fn path(request: &Request, part: &Part) -> String {
    let (list, inner) = match request.dialect {
        Dialect::Chat | Dialect::Messages => ("messages", "content"),
        Dialect::Responses => ("input", "content"),
        Dialect::Gemini => ("contents", "parts"),
    };
    for (at, message) in request.messages.iter().enumerate() {
        for (place, candidate) in message.parts.iter().enumerate() {
            if std::ptr::eq(candidate, part) {
                return format!("{list}[{at}].{inner}[{place}]");
            }
            if let Part::ToolResult(result) = candidate
                && let Some(within) = result.parts.iter().position(|p| std::ptr::eq(p, part))
            {
                return format!("{list}[{at}].{inner}[{place}].content[{within}]");
            }
        }
    }
    if request.system.iter().any(|candidate| std::ptr::eq(candidate, part)) {
        return match request.dialect {
            Dialect::Responses => "instructions",
            Dialect::Gemini => "systemInstruction",
            Dialect::Chat | Dialect::Messages => "system",
        }
        .to_owned();
    }
    list.to_owned()
}
