use super::{Choice, Sink};
use crate::{
    Json, content_id,
    gemini::{fields::object, grounding, pages},
    ir::{Delta, Event, Failure, Part, SearchHit, ServerCall, ServerResult, ServerTool, Stop, StopReason},
    lenient,
};
use byok_types::{Blame, FailureKind};

impl Choice {
    /// Citations of the texts, as far as they have not been told: by now many of them are over. `grows` says whether text may
    /// follow; then only the open text is cited. Google names their place in bytes.
    pub(super) fn cite(&mut self, grows: bool, out: &mut Vec<Event>) {
        let places = grounding::Places {
            text: &self.text,
            spoken: &self.spoken,
            part_starts: &self.part_starts,
            grows,
        };
        let grounded = self.grounding.iter().flat_map(|json| grounding::citations(json, &places));
        let recited = self.citations.iter().flat_map(|json| grounding::recitations(json, &places));
        for cited in grounded.chain(recited).collect::<Vec<_>>() {
            let is_open = cited.at + 1 == self.spoken.len();
            let Some(text) = self.spoken.get(cited.at).filter(|_| is_open || !grows) else { continue };
            let citation = Box::new(cited.citation());
            if self.cited.insert(cited) {
                out.push(Event::Delta { part: text.part, delta: Delta::Citation(citation) });
            }
        }
        self.has_news = false;
    }

    /// The search behind the grounding, as a call and its result.
    pub(super) fn search(&mut self, sink: &mut Sink, out: &mut Vec<Event>) {
        let Some((query, pages)) = self.grounding.as_ref().and_then(grounding::search) else { return };
        let id = content_id("srv_", &[&sink.answer, &self.index.to_string(), &query]);
        let input = object(|fields| fields.string("query", &query));
        let call = ServerCall {
            id: id.clone(),
            tool: ServerTool::WebSearch,
            name: "googleSearch".to_owned(),
            input,
            status: None,
            verbatim: None,
        };
        let hits =
            pages.into_iter().map(|(url, title)| SearchHit { url, title, ..SearchHit::default() }).collect();
        let result = ServerResult {
            call_id: id,
            tool: ServerTool::WebSearch,
            hits,
            output: None,
            error_code: None,
            verbatim: None,
        };
        self.whole(Part::ServerCall(call), sink, out);
        self.whole(Part::ServerResult(result), sink, out);
    }

    /// The pages that were read, as calls and their results.
    pub(super) fn fetches(&mut self, sink: &mut Sink, out: &mut Vec<Event>) {
        let Some(metadata) = self.pages.take() else { return };
        for part in pages::parts(&metadata, &format!("{}/{}", sink.answer, self.index)) {
            self.whole(part, sink, out);
        }
    }

    /// How the answer ended. A call that was made is a stop for tools, whatever the vendor calls it: Google has no word for
    /// it, and other models behind its interface say `OTHER`.
    pub(in super::super) fn stop(&self) -> Stop {
        let (reason, word) = match &self.finish {
            Some((reason, word)) => (*reason, Some(word.clone())),
            None => (StopReason::End, None),
        };
        let reason = match reason {
            StopReason::Length | StopReason::ContentFilter => reason,
            _ if self.calls > 0 => StopReason::ToolCall,
            _ => reason,
        };
        let details = self.finish_message.as_deref().map(Json::string);
        Stop { details, word, ..Stop::new(reason) }
    }

    /// A call that Gemini could not form and nothing else: an answer that no client can use, but the next try may.
    pub(in super::super) fn unusable(&self) -> Option<Failure> {
        if self.unreadable {
            return Some(lenient::unreadable_call());
        }
        let (reason, word) = self.finish.as_ref()?;
        if self.said || *reason != StopReason::MalformedCall {
            return None;
        }
        let why = self.finish_message.as_deref().unwrap_or("the model made a call that could not be read");
        let message = format!("Gemini ended the answer with {word}: {why}. Try again.");
        Some(
            Failure::new(FailureKind::Server, Blame::Upstream, message)
                .with_status(502)
                .with_code(word.as_str()),
        )
    }
}

/// What a finish reason means; `None` for one that is no end.
pub(super) fn stop_reason(word: &str) -> Option<StopReason> {
    Some(match word {
        "FINISH_REASON_UNSPECIFIED" => return None,
        "STOP" => StopReason::End,
        "MAX_TOKENS" => StopReason::Length,
        "CONTINUATION" => StopReason::Pause,
        "MALFORMED_FUNCTION_CALL"
        | "UNEXPECTED_TOOL_CALL"
        | "TOO_MANY_TOOL_CALLS"
        | "MALFORMED_RESPONSE"
        | "MISSING_THOUGHT_SIGNATURE" => StopReason::MalformedCall,
        "SAFETY"
        | "RECITATION"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION"
        | "MODEL_ARMOR"
        | "JAILBREAK" => StopReason::ContentFilter,
        _ => StopReason::Other,
    })
}
