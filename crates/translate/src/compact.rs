//! Compaction for upstreams that have none: the model is asked for a summary, and what it says becomes the one compaction
//! item that the client waits for.

use crate::{
    Json,
    ir::{
        Compaction, Delta, Event, Message, Opaque, OutputFormat, Part, PartHead, PartId, Request, Role, Stop,
        StopReason, ToolChoice,
    },
};
use byok_types::{Blame, Dialect, Failure, FailureKind};
use std::borrow::Cow;

/// Name of the wish in lists of losses.
pub(crate) const FIELD: &str = "compaction_trigger";
/// What becomes of it.
pub(crate) const REASON: &str = "the upstream has no compaction; its model is asked for a summary";

/// What the model is asked in place of the client's wish.
const WISH: &str = "The context is nearly full. This conversation ends here, and a new one goes on from your answer alone: \
    nothing else of what was said so far will be known. Write down all that is needed to continue the work without asking \
    again:\n\
    1. The task: what was asked, in the words that matter, with every rule and preference that was given.\n\
    2. Decisions: what was decided, what was tried and given up, and why.\n\
    3. Files: paths that were read, made or changed, and what matters in each.\n\
    4. State: what is done, what works, what fails and with which message.\n\
    5. Next steps: what to do now, in order, beginning with whatever was under way.\n\
    Keep names, paths, commands, numbers and error messages exactly as they are. Call no tools. Answer with the summary and \
    nothing else.";

/// How a summary is introduced where it has to be told in words.
pub(crate) fn told(summary: &str) -> String {
    format!("[summary of the earlier conversation]\n{summary}")
}

/// Whether byok has to do what `request` wants: of the dialects only Responses has a word for it.
pub(crate) fn is_emulated(request: &Request, upstream: Dialect) -> bool {
    request.compact.is_some() && upstream != Dialect::Responses
}

/// The request as it is written for `upstream`: the wish in words where the dialect has none. Tools stay as they are, because
/// the upstream's cache of the prompt depends on them.
pub(crate) fn in_words(request: &Request, upstream: Dialect) -> Cow<'_, Request> {
    if !is_emulated(request, upstream) {
        return Cow::Borrowed(request);
    }
    let mut asked = request.clone();
    asked.compact = None;
    asked.messages.push(Message::new(Role::User, vec![Part::text(WISH)]));
    asked.tool_choice = Some(ToolChoice::None);
    asked.output_format = OutputFormat::Text;
    asked.sampling.logprobs = None;
    asked.sampling.top_logprobs = None;
    Cow::Owned(asked)
}

/// Gathers what the model says into one compaction. Reasoning does not go on with the conversation and is left out; an answer
/// that is no summary becomes a failure, because the client gives up its history for it.
#[derive(Debug, Default)]
pub(crate) struct Gather {
    /// The first part, which lends its name.
    first: Option<PartId>,
    text: String,
    called: bool,
    declined: bool,
    /// The client has been told that there is no summary.
    failed: bool,
}

impl Gather {
    /// Whether the model has begun to speak, although the client is shown nothing yet.
    pub(crate) fn has_begun(&self) -> bool {
        self.first.is_some()
    }

    /// Takes one event; appends what the client shall see.
    pub(crate) fn push(&mut self, event: Event, out: &mut Vec<Event>) {
        match event {
            Event::PartStart { part, choice: 0, head } => {
                self.first.get_or_insert(part);
                self.begun(head);
            }
            Event::Delta { delta: Delta::Text(piece), .. } => self.text.push_str(&piece),
            Event::Delta { delta: Delta::Refusal(_), .. } => self.declined = true,
            Event::PartStart { .. } | Event::PartStop { .. } | Event::Delta { .. } => {}
            Event::Finish { choice: 0, stop } => self.finish(&stop, out),
            Event::Failure(_) if self.failed => {}
            other => out.push(other),
        }
    }

    fn begun(&mut self, head: PartHead) {
        match head {
            PartHead::Text => self.next_text(""),
            PartHead::Refusal => self.declined = true,
            PartHead::ToolCall { .. } => self.called = true,
            PartHead::Thinking { .. } => {}
            PartHead::Whole(part) => match *part {
                Part::Text(text) => self.next_text(&text.text),
                Part::Refusal(_) => self.declined = true,
                Part::ToolCall(_) => self.called = true,
                _ => {}
            },
        }
    }

    fn next_text(&mut self, text: &str) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
        self.text.push_str(text);
    }

    fn finish(&mut self, stop: &Stop, out: &mut Vec<Event>) {
        if let Some(failure) = self.fault(stop.reason) {
            self.failed = true;
            out.push(Event::Failure(failure));
            return;
        }
        let part = self.first.unwrap_or(PartId(0));
        let summary = std::mem::take(&mut self.text);
        let head = PartHead::Whole(Box::new(Part::Compaction(readable(summary))));
        out.push(Event::PartStart { part, choice: 0, head });
        out.push(Event::PartStop { part, complete: true, whole: None });
        out.push(Event::Finish { choice: 0, stop: Stop::new(StopReason::End) });
    }

    /// Why this is no summary to go on from.
    fn fault(&self, reason: StopReason) -> Option<Failure> {
        let trouble = |what: &str| {
            let text = format!(
                "the model {what} when it was asked to sum up the conversation. Send the request again."
            );
            Some(Failure::new(FailureKind::Server, Blame::Upstream, text).with_status(502))
        };
        if self.called {
            return trouble("called a tool");
        }
        match reason {
            StopReason::ContextFull => Some(Failure::new(
                FailureKind::ContextTooLong,
                Blame::Client,
                "the context is too full for a summary of the conversation. Leave out the oldest part of it and send the \
                 request again.",
            )),
            StopReason::Length => trouble("came to the limit of its output before the end"),
            StopReason::ContentFilter | StopReason::Refusal => trouble("declined"),
            StopReason::Cancelled | StopReason::MalformedCall | StopReason::ToolCall => trouble("broke off"),
            _ if self.declined => trouble("declined"),
            _ if self.text.trim().is_empty() => trouble("said nothing"),
            _ => None,
        }
    }
}

/// A compaction whose summary anybody can read. Messages has this shape of its own.
fn readable(summary: String) -> Compaction {
    let json = Json::from_value(&serde_json::json!({"type": "compaction", "content": summary}));
    let json = json.unwrap_or_else(|_| Json::null());
    let verbatim = Opaque { dialect: Dialect::Messages, json };
    Compaction { summary: Some(summary), blob: None, verbatim }
}
