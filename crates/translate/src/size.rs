//! How large a request will be when it is written.

use crate::ir::{Document, Image, Part, Request, Source};

/// About how many bytes the body takes, so that it is not moved while it grows.
pub(crate) fn of_body(request: &Request) -> usize {
    let messages = request.messages.iter().flat_map(|message| &message.parts);
    let parts: usize = request.system.iter().chain(messages).map(of_part).sum();
    4096 + 1024 * request.tools.len() + parts
}

fn of_part(part: &Part) -> usize {
    let content = match part {
        Part::Text(text) => text.text.len(),
        Part::ToolCall(call) => call.arguments.len(),
        Part::ToolResult(result) => result.parts.iter().map(of_part).sum(),
        Part::Image(Image { source: Source::Base64 { data, .. }, .. })
        | Part::Document(Document { source: Source::Base64 { data, .. }, .. }) => data.len(),
        _ => 256,
    };
    // Names of members, and the escapes of quotes and line ends.
    128 + content + content / 8
}
