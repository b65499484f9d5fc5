//! An estimate of the tokens of a prompt, for upstreams that cannot count.

use crate::ir::{Part, Request, Source, Tool};

/// Tokens that a picture is taken for when its size is not known.
const IMAGE: u64 = 1600;
/// Tokens that the frame of a message costs.
const MESSAGE: u64 = 4;

/// About how many tokens the prompt of `request` has: text by its length, pictures by a flat rate. Never 0 for a prompt with
/// content.
pub fn estimate_tokens(request: &Request) -> u64 {
    let system: u64 = request.system.iter().map(part).sum();
    let messages: u64 =
        request.messages.iter().map(|message| MESSAGE + message.parts.iter().map(part).sum::<u64>()).sum();
    let tools: u64 = request.tools.iter().map(tool).sum();
    system + messages + tools
}

/// Text by its characters: four ASCII characters or one and a half of any other script make about one token.
fn text(text: &str) -> u64 {
    let ascii = text.bytes().filter(u8::is_ascii).count() as u64;
    let other = text.chars().count() as u64 - ascii;
    ascii.div_ceil(4) + (other * 2).div_ceil(3)
}

fn source(source: &Source, flat: u64) -> u64 {
    match source {
        Source::Text(content) => text(content),
        Source::Parts(parts) => parts.iter().map(part).sum(),
        Source::Base64 { .. } | Source::Url { .. } | Source::FileId(_) => flat,
    }
}

fn part(value: &Part) -> u64 {
    match value {
        Part::Text(part) => text(&part.text),
        Part::Refusal(part) => text(&part.text),
        Part::Image(image) => source(&image.source, IMAGE),
        Part::Document(document) => source(&document.source, IMAGE * 2),
        Part::SearchResult(result) => text(&result.title) + result.content.iter().map(part).sum::<u64>(),
        Part::Audio(_) | Part::Video(_) => IMAGE,
        Part::Thinking(thinking) => text(&thinking.text()),
        Part::ToolCall(call) => 8 + text(&call.name) + text(&call.arguments),
        Part::ToolResult(result) => 8 + result.parts.iter().map(part).sum::<u64>(),
        Part::ServerCall(call) => 8 + text(call.input.get()),
        Part::ServerResult(result) => {
            8 + result.output.as_deref().map_or(0, text) + result.hits.len() as u64 * 60
        }
        Part::ContainerUpload(_) | Part::Compaction(_) | Part::ConfigChange(_) => 8,
        Part::Opaque(opaque) => text(opaque.json.get()),
    }
}

fn tool(value: &Tool) -> u64 {
    match value {
        Tool::Function(function) => {
            let schema = function.schema.as_ref().map_or(0, |schema| text(schema.get()));
            8 + text(&function.name) + function.description.as_deref().map_or(0, text) + schema
        }
        Tool::Custom(custom) => 8 + text(&custom.name) + custom.description.as_deref().map_or(0, text),
        Tool::Namespace { tools, .. } => tools.iter().map(tool).sum(),
        Tool::Hosted(_) | Tool::Typed(_) => 300,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Message, Role};
    use byok_types::Dialect;

    #[test]
    fn longer_prompts_have_more_tokens() {
        let count = |content: &str| {
            let mut request = Request::new(Dialect::Chat, "m");
            request.messages.push(Message::new(Role::User, vec![Part::text(content)]));
            estimate_tokens(&request)
        };
        assert_eq!(count(""), MESSAGE);
        assert_eq!(count("hello world!"), MESSAGE + 3);
        assert_eq!(count("你好世界"), MESSAGE + 3);
        assert!(count(&"word ".repeat(1000)) > 1000);
    }
}
