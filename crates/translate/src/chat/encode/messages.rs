//! Messages of a request that came in another dialect.
//!
//! Chat wants one assistant message a turn with all of its calls, one `tool` message a call directly after it, and nothing
//! but text in those; `turns::arrange` makes the order, this file writes it.

use super::{
    Encoder,
    parts::{Piece, content},
};
use crate::{
    chat::{object::object, thought},
    content_id, custom,
    ir::{Failure, Flavour, Part, Role, Thinking, ToolCall, ToolResult},
    turns::{self, SystemPart, Turn},
    wire::write,
};
use byok_types::Dialect;
use std::borrow::Cow;

/// Longest id of a call that OpenAI takes in a message.
const LONGEST_CALL_ID: usize = 40;

/// Stands where a server insists on reasoning that the client did not keep. Kimi refuses a blank one.
const NO_REASONING: &str = "[no reasoning was recorded]";

/// The first line of a block that Claude Code sends for Anthropic's billing. It changes with every request and means
/// nothing to anybody else.
pub(super) const BILLING_BLOCK: &str = "x-anthropic-billing-header:";

/// Writes messages one after the other.
pub(super) struct List<'o> {
    pub(super) out: &'o mut Vec<u8>,
    empty: bool,
}

impl<'o> List<'o> {
    pub(super) fn open(out: &'o mut Vec<u8>) -> Self {
        out.push(b'[');
        Self { out, empty: true }
    }

    pub(super) fn next(&mut self) -> &mut Vec<u8> {
        if !std::mem::replace(&mut self.empty, false) {
            self.out.push(b',');
        }
        self.out
    }

    pub(super) fn close(self) {
        self.out.push(b']');
    }
}

impl Encoder<'_> {
    pub(super) fn messages(&mut self, out: &mut Vec<u8>) -> Result<(), Failure> {
        let mut list = List::open(out);
        if self.native {
            self.verbatim(&mut list)?;
        } else {
            self.arranged(&mut list)?;
        }
        list.close();
        Ok(())
    }

    fn arranged(&mut self, list: &mut List<'_>) -> Result<(), Failure> {
        let conversation = turns::arrange(self.request, Dialect::Chat, &mut self.losses);
        self.system(&conversation.system, list)?;
        let final_turn = conversation.turns.len().saturating_sub(1);
        // What could not stand in the results of a turn opens the user message after them.
        let mut attached = Vec::new();
        for (index, turn) in conversation.turns.iter().enumerate() {
            match turn {
                Turn::System { role, parts } => {
                    flush(&mut attached, list);
                    let text = self.text_of(parts.iter().copied())?;
                    if !text.is_empty() {
                        write_text(self.role(*role), &text, list);
                    }
                }
                Turn::User { name, parts } => {
                    let mut pieces = std::mem::take(&mut attached);
                    for part in parts {
                        self.pieces(part, &mut pieces)?;
                    }
                    self.user(*name, &pieces, list);
                }
                Turn::Assistant { parts, .. } => {
                    flush(&mut attached, list);
                    self.assistant(parts, index == final_turn, list)?;
                }
                Turn::Results(results) => {
                    for result in results {
                        self.result(result, &mut attached, list)?;
                    }
                }
            }
        }
        flush(&mut attached, list);
        Ok(())
    }

    pub(super) fn role(&self, role: Role) -> &'static str {
        match role {
            // Only OpenAI knows the role of the developer.
            Role::Developer if self.facts.developer_role => "developer",
            Role::System | Role::Developer => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => "tool",
        }
    }

    /// The instructions: one message for each run of parts of one role, because local templates take only one.
    fn system(&mut self, parts: &[SystemPart<'_>], list: &mut List<'_>) -> Result<(), Failure> {
        let mut hint = self.format_hint();
        let mut runs: Vec<(&'static str, Vec<&Part>)> = Vec::new();
        for part in parts {
            let role = self.role(part.role);
            match runs.last_mut() {
                Some((same, run)) if *same == role => run.push(part.part),
                _ => runs.push((role, vec![part.part])),
            }
        }
        let count = runs.len();
        for (index, (role, run)) in runs.into_iter().enumerate() {
            let mut text = self.text_of(run.into_iter())?;
            if index + 1 == count
                && let Some(hint) = hint.take()
            {
                text = if text.is_empty() { hint } else { format!("{text}\n\n{hint}") };
            }
            if !text.is_empty() {
                write_text(role, &text, list);
            }
        }
        if let Some(hint) = hint {
            write_text("system", &hint, list);
        }
        Ok(())
    }

    /// The texts of instructions, joined by a blank line.
    fn text_of<'p>(&mut self, parts: impl Iterator<Item = &'p Part>) -> Result<String, Failure> {
        let mut pieces = Vec::new();
        for part in parts {
            match part {
                Part::Text(text) if text.text.starts_with(BILLING_BLOCK) => {
                    self.losses.silent("system", "the billing block is meant for Anthropic alone");
                }
                Part::Image(_) | Part::Audio(_) | Part::Video(_) => {
                    self.losses.dropped(self.path(part), "instructions are text");
                }
                part => self.pieces(part, &mut pieces)?,
            }
        }
        let texts: Vec<_> = pieces.iter().filter_map(Piece::plain).collect();
        Ok(texts.join("\n\n"))
    }

    fn user(&self, name: Option<&str>, pieces: &[Piece<'_>], list: &mut List<'_>) {
        if pieces.is_empty() {
            return;
        }
        object(list.next(), |message| {
            message.text("role", "user");
            content(pieces, !self.facts.first_party, message.member("content"));
            message.maybe("name", name.filter(|name| legal_name(name)));
        });
    }

    fn assistant(
        &mut self,
        parts: &[Cow<'_, Part>],
        is_final: bool,
        list: &mut List<'_>,
    ) -> Result<(), Failure> {
        let mut text = String::new();
        let (mut refusals, mut calls, mut thinking) = (Vec::new(), Vec::new(), Vec::new());
        // Parts of Gemini's answers are what was streamed at a time.
        let mut cited = self.request.dialect == Dialect::Gemini;
        for part in parts {
            match &**part {
                Part::Text(piece) => {
                    // Citations cut one statement into several parts; otherwise parts are paragraphs.
                    let joined = cited || !piece.citations.is_empty();
                    if !text.is_empty() && !joined && !piece.text.is_empty() {
                        text.push_str("\n\n");
                    }
                    cited = !piece.citations.is_empty() || self.request.dialect == Dialect::Gemini;
                    text.push_str(&piece.text);
                }
                Part::Refusal(part) if self.facts.first_party => refusals.push(part.text.as_str()),
                Part::ToolCall(call) => calls.push(call),
                Part::Thinking(part) => thinking.push(part),
                Part::Image(_) | Part::Audio(_) | Part::Video(_) | Part::Document(_) => {
                    self.losses.dropped(self.path(part), "an answer in the history is text");
                }
                other => {
                    let mut pieces = Vec::new();
                    self.pieces(other, &mut pieces)?;
                    for piece in pieces.iter().filter_map(Piece::plain) {
                        if !text.is_empty() {
                            text.push_str("\n\n");
                        }
                        text.push_str(piece);
                    }
                }
            }
        }
        if is_final && !self.facts.prefill && calls.is_empty() {
            self.losses.dropped("messages", "the model does not continue an answer that was begun");
            return Ok(());
        }
        let refusal = (!refusals.is_empty()).then(|| refusals.join("\n\n"));
        if text.trim().is_empty() && refusal.is_none() && calls.is_empty() {
            return Ok(());
        }
        let message =
            AssistantMessage { text: &text, refusal: refusal.as_deref(), calls: &calls, thinking: &thinking };
        self.write_assistant(&message, list);
        Ok(())
    }

    fn write_assistant(&mut self, said: &AssistantMessage<'_>, list: &mut List<'_>) {
        let reasoning = self.reasoning_text(said);
        let blobs = said.thinking.iter().filter_map(|thinking| thinking.blob.as_ref());
        // Whose they are was looked after before: seals of other servers are gone. OpenAI itself takes none.
        let details = thought::details_in(blobs.filter(|_| !self.facts.first_party));
        object(list.next(), |message| {
            message.text("role", "assistant");
            if said.text.is_empty() {
                message.null("content");
            } else {
                message.text("content", said.text);
            }
            message.maybe("refusal", said.refusal);
            if let Some(details) = &details {
                let texts: Vec<_> = said.thinking.iter().map(|thinking| thinking.text()).collect();
                thought::write_sealed(details, &texts.join("\n\n"), message);
            } else if let Some(text) = &reasoning {
                message.text("reasoning_content", text);
            }
            if !said.calls.is_empty() {
                message.list("tool_calls", said.calls, |call, out| self.call(call, out));
            }
        });
    }

    /// The reasoning that goes back to servers which insist on it, or do worse without.
    fn reasoning_text(&mut self, said: &AssistantMessage<'_>) -> Option<String> {
        if !self.facts.thinking.replay_text {
            if !said.thinking.is_empty() {
                self.losses.silent("messages", "the upstream does not take reasoning back");
            }
            return None;
        }
        let texts: Vec<_> = said.thinking.iter().map(|t| t.text()).filter(|t| !t.trim().is_empty()).collect();
        if texts.is_empty() && !said.calls.is_empty() {
            self.losses.emulated("messages", "the upstream insists on reasoning that was not kept");
            return Some(NO_REASONING.to_owned());
        }
        (!texts.is_empty()).then(|| texts.join("\n\n"))
    }

    /// Writes a call. Servers read the arguments as JSON, so they must be.
    pub(super) fn call(&self, call: &ToolCall, out: &mut Vec<u8>) {
        let name = self.names.upstream(&call.name, call.namespace.as_deref());
        object(out, |object| {
            object.text("id", &self.call_id(&call.call_id));
            match call.flavour {
                Flavour::Custom if self.facts.first_party => {
                    object.text("type", "custom");
                    object.object("custom", |custom| {
                        custom.text("name", &name);
                        custom.text("input", &call.arguments);
                        super::tools::inner_extra(&call.extra, "custom", custom);
                    });
                }
                flavour => {
                    object.text("type", "function");
                    object.object("function", |function| {
                        function.text("name", &name);
                        function.text("arguments", &arguments(call, flavour, self.native));
                        super::tools::inner_extra(&call.extra, "function", function);
                    });
                }
            }
            self.extra_content(call, object);
        });
    }

    /// A call id as the upstream takes it: the same for the call and for its result.
    pub(super) fn call_id<'i>(&self, id: &'i str) -> Cow<'i, str> {
        if id.len() <= LONGEST_CALL_ID || self.native {
            Cow::Borrowed(id)
        } else {
            Cow::Owned(content_id("call_", &[id]))
        }
    }

    fn result<'p>(
        &mut self,
        result: &'p ToolResult,
        attached: &mut Vec<Piece<'p>>,
        list: &mut List<'_>,
    ) -> Result<(), Failure> {
        let mut pieces = Vec::new();
        for part in &result.parts {
            match part {
                Part::Image(_) if !self.facts.input.image => {
                    self.losses.dropped(self.path(part), "the model takes no images");
                    pieces.push(Piece::text("[an image was left out: the model takes none]"));
                }
                other => self.pieces(other, &mut pieces)?,
            }
        }
        let (media, texts): (Vec<_>, Vec<_>) = pieces.into_iter().partition(Piece::is_media);
        let mut text = texts.iter().filter_map(Piece::plain).collect::<Vec<_>>().join("\n\n");
        if result.is_error == Some(true) {
            text = format!("Error: {text}");
        }
        if !media.is_empty() {
            // A `tool` message holds nothing but text: the rest follows in the name of the user.
            self.losses.emulated("messages", "media of a result follow in a user message");
            if text.is_empty() {
                "[see the next user message]".clone_into(&mut text);
            }
            attached.push(Piece::text(format!("[result of the call {}]", self.call_id(&result.call_id))));
            attached.extend(media);
        }
        object(list.next(), |message| {
            message.text("role", "tool");
            message.text("tool_call_id", &self.call_id(&result.call_id));
            message.text("content", &text);
        });
        Ok(())
    }
}

/// What one assistant turn comes to.
struct AssistantMessage<'p> {
    text: &'p str,
    refusal: Option<&'p str>,
    calls: &'p [&'p ToolCall],
    thinking: &'p [&'p Thinking],
}

/// The arguments of a call as JSON text.
fn arguments(call: &ToolCall, flavour: Flavour, as_sent: bool) -> Cow<'_, str> {
    let text = call.arguments.as_str();
    if flavour == Flavour::Custom {
        return Cow::Owned(custom::wrap_input(text));
    }
    match text.trim() {
        "" | "null" => Cow::Borrowed("{}"),
        _ if as_sent => Cow::Borrowed(text),
        _ if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() => Cow::Borrowed(text),
        // A call that was cut off. Templates of local servers parse the text and fail on it.
        _ => {
            let mut raw = Vec::new();
            object(&mut raw, |object| object.text("_raw", text));
            Cow::Owned(String::from_utf8(raw).unwrap_or_else(|_| "{}".to_owned()))
        }
    }
}

/// Participants' names have the characters of tool names; others are refused.
pub(super) fn legal_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

pub(super) fn write_text(role: &str, text: &str, list: &mut List<'_>) {
    object(list.next(), |message| {
        message.text("role", role);
        write::string(message.member("content"), text);
    });
}

fn flush(attached: &mut Vec<Piece<'_>>, list: &mut List<'_>) {
    if attached.is_empty() {
        return;
    }
    object(list.next(), |message| {
        message.text("role", "user");
        content(attached, false, message.member("content"));
    });
    attached.clear();
}
