//! An estimate of the tokens of a prompt, and of an answer, for upstreams that cannot count.

use crate::ir::{Delta, Event, Part, PartHead, Request, Source, Tool, Usage};

/// Tokens that a picture is taken for when its size is not known.
const IMAGE: u64 = 1600;
/// Tokens that the frame of a message costs.
const MESSAGE: u64 = 4;
/// Tokens that the frame of a call costs.
const CALL: u64 = 8;

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
    let mut length = Length::default();
    length.add(text);
    length.tokens()
}

/// How many characters there are of either kind.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Length {
    ascii: u64,
    other: u64,
}

impl Length {
    pub(crate) fn add(&mut self, text: &str) {
        let ascii = text.bytes().filter(u8::is_ascii).count() as u64;
        self.ascii += ascii;
        self.other += text.chars().count() as u64 - ascii;
    }

    pub(crate) fn tokens(self) -> u64 {
        self.ascii.div_ceil(4) + (self.other * 2).div_ceil(3)
    }
}

/// Counts the characters of an answer while it passes, for the case that the upstream states no tokens.
#[derive(Debug, Default)]
pub(crate) struct Answered {
    length: Length,
    calls: u64,
    /// Whether the upstream stated the tokens of the prompt, and of the answer.
    knows_input: bool,
    knows_output: bool,
    failed: bool,
}

impl Answered {
    /// Takes note of one event of the answer.
    pub(crate) fn note(&mut self, event: &Event) {
        match event {
            Event::Delta {
                delta:
                    Delta::Text(text)
                    | Delta::Refusal(text)
                    | Delta::Arguments(text)
                    | Delta::Thinking { text, .. },
                ..
            } => self.length.add(text),
            Event::PartStart { head: PartHead::ToolCall { name, .. }, .. } => {
                self.calls += 1;
                self.length.add(name);
            }
            Event::PartStart { head: PartHead::Whole(whole), .. } => match &**whole {
                Part::Text(text) => self.length.add(&text.text),
                Part::Refusal(refusal) => self.length.add(&refusal.text),
                Part::Thinking(thinking) => self.length.add(&thinking.text()),
                Part::Compaction(compaction) => {
                    self.length.add(compaction.summary.as_deref().unwrap_or_default());
                }
                Part::ToolCall(call) => {
                    self.calls += 1;
                    self.length.add(&call.name);
                    self.length.add(&call.arguments);
                }
                _ => {}
            },
            Event::Usage(usage) => {
                // Zero beside other numbers is a number, too: vendors count parts of a turn as nothing.
                self.knows_input |= usage.input.is_some();
                self.knows_output |= usage.output.is_some();
            }
            Event::Failure(_) => self.failed = true,
            _ => {}
        }
    }

    /// The answer is over: an estimate of what the upstream did not state. `input` is the one of the prompt.
    pub(crate) fn estimate(&self, input: Option<u64>) -> Option<Usage> {
        if self.failed { None } else { self.so_far(input) }
    }

    /// The same of what has passed until now, whatever became of the answer.
    pub(crate) fn so_far(&self, input: Option<u64>) -> Option<Usage> {
        let output = self.length.tokens() + CALL * self.calls;
        (!self.knows_output && output > 0).then(|| Usage {
            input: input.filter(|_| !self.knows_input),
            output: Some(output),
            estimated: true,
            ..Usage::default()
        })
    }
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
            Part::ToolCall(call) => CALL + self.text(&call.name) + self.text(&call.arguments),
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
