use super::{Choice, Form, Writer};
use crate::{
    Json,
    gemini::{
        fields::{self, Fields},
        grounding::{Collected, byte_of_char},
        logprobs, pages,
    },
    ir::{Citation, CitationPlace, Part, ServerTool, Stop, StopReason, Usage},
    tier,
};
use byok_types::Dialect;
use serde::Deserialize;

/// Google's words for the end of an answer. Clients read them as an enumeration.
const WORDS: [&str; 17] = [
    "STOP",
    "MAX_TOKENS",
    "SAFETY",
    "RECITATION",
    "LANGUAGE",
    "OTHER",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "MALFORMED_FUNCTION_CALL",
    "IMAGE_SAFETY",
    "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS",
    "IMAGE_PROHIBITED_CONTENT",
    "NO_IMAGE",
    "IMAGE_RECITATION",
    "IMAGE_OTHER",
];

/// What is known about the end of an answer.
#[derive(Debug, Default)]
pub(super) struct Ending {
    pub(super) stop: Option<Stop>,
    /// Whether anything visible was said.
    pub(super) said: bool,
    /// Whether a function was called.
    pub(super) called: bool,
    /// The function whose call could not be read.
    pub(super) malformed: Option<String>,
    /// The function whose call was not complete.
    pub(super) cut: Option<String>,
    sources: Collected,
    pages: pages::Read,
    logprobs: Vec<Json>,
}

impl Ending {
    pub(super) fn logprobs(&mut self, list: &Json) {
        self.logprobs.push(list.clone());
    }

    /// Takes the citations of a text part that begins at the byte `from` of the answer. Returns whether one was lost.
    pub(super) fn cite(&mut self, text: &str, from: usize, citations: &[Citation]) -> bool {
        let mut lost = false;
        for citation in citations {
            let CitationPlace::Web { url, .. } = &citation.place else {
                lost = true;
                continue;
            };
            // A citation without a place is one of the whole text.
            let start = byte_of_char(text, citation.start.unwrap_or(0));
            let end = citation.end.map_or(text.len(), |end| byte_of_char(text, end)).max(start);
            let page = self.sources.page(url, citation.title.as_ref());
            self.sources.support(from + start, from + end, text.get(start..end).unwrap_or_default(), page);
        }
        lost
    }

    /// Notes what a search of the vendor asked and found, and which pages it read.
    pub(super) fn note(&mut self, part: &Part) {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Input {
            query: Option<String>,
        }
        self.pages.note(part);
        match part {
            Part::ServerCall(call) if call.tool == ServerTool::WebSearch => {
                let input: Input = call.input.read().unwrap_or_default();
                self.sources.query(input.query.unwrap_or_default());
            }
            Part::ServerResult(result) if result.tool != ServerTool::WebFetch => {
                for hit in &result.hits {
                    self.sources.page(&hit.url, hit.title.as_ref());
                }
            }
            _ => {}
        }
    }

    /// The function whose call nobody is shown, where the end of the answer does not say why.
    fn lost_call(&self) -> Option<&str> {
        let says_why = self.stop.as_ref().is_some_and(|stop| {
            use StopReason::{Cancelled, ContentFilter, ContextFull, Length, Refusal};
            matches!(stop.reason, Length | ContextFull | ContentFilter | Refusal | Cancelled)
        });
        self.malformed.as_deref().or_else(|| self.cut.as_deref().filter(|_| !says_why))
    }

    /// Google's word for the end: its own if it said one. There is none for a call; the call itself says it.
    fn word(&self, same: bool) -> &str {
        if self.lost_call().is_some() {
            return "MALFORMED_FUNCTION_CALL";
        }
        let Some(stop) = &self.stop else { return "STOP" };
        match stop.word.as_deref() {
            Some(word) if same && WORDS.contains(&word) => return word,
            _ => {}
        }
        match stop.reason {
            StopReason::End
            | StopReason::StopSequence
            | StopReason::ToolCall
            | StopReason::Pause
            | StopReason::Compaction => "STOP",
            StopReason::Length | StopReason::ContextFull => "MAX_TOKENS",
            StopReason::ContentFilter | StopReason::Refusal => "SAFETY",
            StopReason::MalformedCall => "MALFORMED_FUNCTION_CALL",
            StopReason::Cancelled | StopReason::Other => "OTHER",
        }
    }
}

impl Writer {
    /// The last chunk, or the whole answer. It always names a finish reason: clients of Google throw without one.
    pub(super) fn last(&mut self, out: &mut Vec<u8>) {
        self.begin(out);
        let mut body = Fields::open(out);
        if !self.is_blocked() {
            fields::list(body.key("candidates"), self.choices.iter().enumerate(), |out, (index, choice)| {
                self.candidate(index, choice, out);
            });
        }
        body.all(self.envelope_of(""));
        self.usage_metadata(&mut body);
        // The tail ends the object.
        out.extend_from_slice(&self.tail);
        self.finish_frame(out);
    }

    /// Whether Gemini refused the prompt: then there are no candidates at all.
    fn is_blocked(&self) -> bool {
        let names_reason = |feedback: &Json| {
            let members = feedback.members().unwrap_or_default();
            members.iter().any(|(name, _)| matches!(name.as_str(), "blockReason" | "block_reason"))
        };
        self.envelope.iter().any(|(name, value)| name == "promptFeedback" && names_reason(value))
            && self.choices.iter().all(|choice| !choice.ending.said)
    }

    /// Fields that the upstream's envelope had at this path.
    fn envelope_of<'w>(&'w self, path: &'w str) -> impl Iterator<Item = (&'w str, &'w Json)> {
        self.envelope.iter().filter_map(move |(name, value)| {
            let name = name.strip_prefix(path)?;
            let name = if path.is_empty() { name } else { name.strip_prefix('.')? };
            (!name.contains('.')).then_some((name, value))
        })
    }

    fn candidate(&self, index: usize, choice: &Choice, out: &mut Vec<u8>) {
        let ending = &choice.ending;
        let mut candidate = Fields::open(out);
        let mut content = Fields::open(candidate.key("content"));
        content.string("role", "model");
        let parts = content.key("parts");
        parts.push(b'[');
        parts.extend_from_slice(&choice.parts);
        if self.form != Form::Whole || choice.parts.is_empty() || choice.signature.is_some() {
            if !choice.parts.is_empty() {
                parts.push(b',');
            }
            let mut text = Fields::open(parts);
            text.string("text", "");
            text.option("thoughtSignature", choice.signature.as_ref());
            text.close();
        }
        parts.push(b']');
        content.close();
        candidate.string("finishReason", ending.word(self.same));
        candidate.value("index", &index);
        let path = format!("candidates[{index}]");
        let known: Vec<_> = self.envelope_of(&path).collect();
        let has = |name: &str| known.iter().any(|(known, _)| *known == name);
        if let Some(name) = ending.lost_call() {
            let message = format!("The arguments of the call of `{name}` are not JSON.");
            candidate.string("finishMessage", &message);
        } else if !has("finishMessage") {
            candidate.option("finishMessage", ending.stop.as_ref().and_then(Stop::explanation).as_ref());
        }
        // What the upstream said of its sources in Gemini's own way is not said again in another.
        let told = has("groundingMetadata") || has("citationMetadata");
        let metadata = ending.sources.metadata().filter(|_| !told);
        candidate.all(metadata.as_ref().map(|metadata| ("groundingMetadata", metadata)));
        let pages = ending.pages.metadata().filter(|_| !has("urlContextMetadata"));
        candidate.all(pages.as_ref().map(|pages| ("urlContextMetadata", pages)));
        let probabilities = ending.logprobs.iter().filter_map(logprobs::to_gemini).next_back();
        candidate.all(probabilities.as_ref().map(|list| ("logprobsResult", list)));
        candidate.all(known);
        candidate.close();
    }

    fn usage_metadata(&self, body: &mut Fields<'_>) {
        let reasoning = self.usage.reasoning.unwrap_or(0);
        let usage = Usage {
            input: self.usage.input.or(self.estimate),
            // Reasoning is a part of the output, whatever a server counts: here the total is the sum.
            output: Some(self.usage.output.unwrap_or(0).max(reasoning)),
            ..self.usage.clone()
        };
        let visible = usage.output.unwrap_or(0).saturating_sub(reasoning);
        let mut fields = Fields::open(body.key("usageMetadata"));
        fields.value("promptTokenCount", &usage.input.unwrap_or(0));
        fields.value("candidatesTokenCount", &visible);
        fields.value("totalTokenCount", &usage.total());
        // Google leaves these out where they are zero.
        for (name, count) in [
            ("cachedContentTokenCount", usage.cache_read),
            ("thoughtsTokenCount", usage.reasoning),
            ("toolUsePromptTokenCount", usage.tool_input),
        ] {
            fields.option(name, count.filter(|n| *n > 0).as_ref());
        }
        let tier = usage.service_tier.as_deref().and_then(|word| tier::told(word, Dialect::Gemini));
        fields.option("serviceTier", tier.as_ref());
        fields.all(self.envelope_of("usageMetadata"));
        fields.close();
    }
}
