//! An estimate of the tokens of a prompt, for upstreams that cannot count.

use crate::ir::{Part, Request, Source, Tool};

/// Tokens that a picture is taken for when its size is not known.
const IMAGE: u64 = 1600;
/// Tokens that the frame of a message costs.
const MESSAGE: u64 = 4;

/// About how many tokens the prompt of `request` has: text by `count`, pictures by a flat rate. Never 0 for a prompt with
/// content.
pub fn estimate_tokens(request: &Request, count: &dyn Fn(&str) -> u64) -> u64 {
    let counter = Counter(count);
    let system = counter.parts(&request.system);
    let messages: u64 = request.messages.iter().map(|message| MESSAGE + counter.parts(&message.parts)).sum();
    let tools: u64 = request.tools.iter().map(|tool| counter.tool(tool)).sum();
    system + messages + tools
}

/// The tokens of a text by its characters alone: four ASCII characters or one and a half of any other script make about one.
pub fn tokens_by_length(text: &str) -> u64 {
    let ascii = text.bytes().filter(u8::is_ascii).count() as u64;
    let other = text.chars().count() as u64 - ascii;
    ascii.div_ceil(4) + (other * 2).div_ceil(3)
}

struct Counter<'c>(&'c dyn Fn(&str) -> u64);

impl Counter<'_> {
    fn text(&self, text: &str) -> u64 {
        (self.0)(text)
    }

    fn parts(&self, parts: &[Part]) -> u64 {
        parts.iter().map(|part| self.part(part)).sum()
    }

    fn source(&self, source: &Source, flat: u64) -> u64 {
        match source {
            Source::Text(content) => self.text(content),
            Source::Parts(parts) => self.parts(parts),
            Source::Base64 { .. } | Source::Url { .. } | Source::FileId(_) => flat,
        }
    }

    fn part(&self, value: &Part) -> u64 {
        match value {
            Part::Text(part) => self.text(&part.text),
            Part::Refusal(part) => self.text(&part.text),
            Part::Image(image) => self.source(&image.source, IMAGE),
            Part::Document(document) => self.source(&document.source, IMAGE * 2),
            Part::SearchResult(result) => self.text(&result.title) + self.parts(&result.content),
            Part::Audio(_) | Part::Video(_) => IMAGE,
            Part::Thinking(thinking) => self.text(&thinking.text()),
            Part::ToolCall(call) => 8 + self.text(&call.name) + self.text(&call.arguments),
            Part::ToolResult(result) => 8 + self.parts(&result.parts),
            Part::ServerCall(call) => 8 + self.text(call.input.get()),
            Part::ServerResult(result) => {
                let output = result.output.as_deref().map_or(0, |output| self.text(output));
                8 + output + result.hits.len() as u64 * 60
            }
            Part::ContainerUpload(_) | Part::Compaction(_) | Part::ConfigChange(_) => 8,
            Part::Opaque(opaque) => self.text(opaque.json.get()),
        }
    }

    fn tool(&self, value: &Tool) -> u64 {
        match value {
            Tool::Function(function) => {
                let schema = function.schema.as_ref().map_or(0, |schema| self.text(schema.get()));
                let description = function.description.as_deref().map_or(0, |words| self.text(words));
                8 + self.text(&function.name) + description + schema
            }
            Tool::Custom(custom) => {
                let description = custom.description.as_deref().map_or(0, |words| self.text(words));
                8 + self.text(&custom.name) + description
            }
            Tool::Namespace { tools, .. } => tools.iter().map(|tool| self.tool(tool)).sum(),
            Tool::Hosted(_) | Tool::Typed(_) => 300,
        }
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
            estimate_tokens(&request, &tokens_by_length)
        };
        assert_eq!(count(""), MESSAGE);
        assert_eq!(count("hello world!"), MESSAGE + 3);
        assert_eq!(count("你好世界"), MESSAGE + 3);
        assert!(count(&"word ".repeat(1000)) > 1000);
    }
}
