//! How an answer ends.

use super::{
    super::{failure, usage},
    StreamDecoder,
    frame::{Answer, Frame},
    listed::Items,
    track::{Reasoned, Said},
};
use crate::{
    Json,
    ir::{Event, Failure, Stop, StopReason, Usage},
    lenient,
    responses::mend,
};

impl StreamDecoder {
    /// Closes whatever is open of an item.
    pub(super) fn close(&mut self, at: usize, complete: bool, out: &mut Vec<Event>) {
        let mut stop = |part, complete| out.push(Event::PartStop { part, complete, whole: None });
        match &mut self.items[at].said {
            Said::Message(message) => {
                for spoken in message.spoken.iter_mut().filter(|s| s.open) {
                    spoken.open = false;
                    stop(spoken.part, complete);
                }
            }
            Said::Reasoning(Reasoned { part, .. }) => {
                if let Some(part) = part.take() {
                    stop(part, complete);
                }
            }
            Said::Call(called) => {
                if let Some(part) = called.part.take() {
                    if !called.has_arguments() {
                        called.held = std::mem::take(&mut called.early);
                    }
                    called.say_held(part, out);
                    out.push(Event::PartStop { part, complete: complete || called.whole, whole: None });
                }
            }
            Said::Other => {}
        }
    }

    pub(super) fn close_all(&mut self, complete: bool, out: &mut Vec<Event>) {
        for at in 0..self.items.len() {
            self.close(at, complete, out);
        }
    }

    /// The answer is complete, or as complete as it will be.
    pub(super) fn terminal(&mut self, mut answer: Answer, out: &mut Vec<Event>) {
        self.reconcile(&answer.output, out);
        self.open_unbegun(out);
        if let Some(failure) = self.broken.take() {
            return self.fail(failure, out);
        }
        let stop = self.stop(&answer);
        self.close_all(stop.reason != StopReason::Length, out);
        if let Some(mut usage) = counts(&answer, out) {
            usage.service_tier = answer.text("service_tier");
            out.push(Event::Usage(usage));
        }
        let envelope = answer.envelope();
        if !envelope.is_empty() {
            out.push(Event::Envelope(envelope));
        }
        out.push(Event::Finish { choice: 0, stop });
        self.end(out);
    }

    pub(super) fn stop(&self, answer: &Answer) -> Stop {
        let word = answer.incomplete_details.as_ref().and_then(|d| d.reason.clone());
        let reason = match (answer.status.as_deref(), word.as_deref()) {
            (Some("incomplete"), Some("max_output_tokens") | None) => StopReason::Length,
            (Some("incomplete"), Some("content_filter")) => StopReason::ContentFilter,
            (Some("incomplete"), Some("steered" | "max_messages")) | (Some("cancelled"), _) => {
                StopReason::Cancelled
            }
            (Some("incomplete"), Some(_)) => StopReason::Other,
            _ if self.seen.call => StopReason::ToolCall,
            _ if self.seen.refusal => StopReason::Refusal,
            _ => StopReason::End,
        };
        Stop { word, ..Stop::new(reason) }
    }

    pub(super) fn failed(&mut self, frame: &Frame<'_>, out: &mut Vec<Event>) {
        let answer: Answer =
            frame.response.and_then(|raw| mend::leniently(raw.get(), "", out)).unwrap_or_default();
        self.begin(&answer.head(), out);
        if let Some(usage) = counts(&answer, out) {
            out.push(Event::Usage(usage));
        }
        let error = answer.error.filter(|error| !error.is_null()).unwrap_or_else(Json::empty_object);
        self.fail(failure::of_error(&error), out);
    }

    /// A bare error, which says everything at its top level or within `error`.
    pub(super) fn error(&mut self, frame: &Frame<'_>, out: &mut Vec<Event>) {
        self.fail(failure::of_error(&frame.as_error()), out);
    }

    /// What is open stays so: the end of half of a call would look like the end of a call.
    pub(super) fn fail(&mut self, failure: Failure, out: &mut Vec<Event>) {
        out.push(Event::Failure(failure));
        self.end(out);
    }

    pub(super) fn end(&mut self, out: &mut Vec<Event>) {
        self.ended = true;
        self.items = Items::default();
        out.push(Event::End);
    }
}

/// The tokens that an answer counts.
fn counts(answer: &Answer, out: &mut Vec<Event>) -> Option<Usage> {
    let mut wrong = Vec::new();
    let usage = answer.usage.as_ref().and_then(|json| usage::decode(json, &mut wrong));
    out.extend(lenient::told(wrong, "usage"));
    usage
}
