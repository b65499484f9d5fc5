//! Which parts go into a request, and which of them the upstream must not see.

use super::thinking::is_sendable;
use crate::{
    Losses,
    ir::{ConfigChange, Document, Image, Part, Request, Role, Source, ToolResult},
    loss::Places,
    media::{self, MediaKind},
};
use byok_types::{Dialect, Failure, Family, ModelFacts};

/// Decides part by part.
pub(super) struct Gate<'r> {
    pub(super) request: &'r Request,
    pub(super) places: Places<'r>,
    pub(super) facts: &'r ModelFacts,
}

impl Gate<'_> {
    /// Whether `part` of a turn of `role` is written. Results and calls are handled by the caller.
    pub(super) fn admits(&self, part: &Part, role: Role, losses: &mut Losses) -> Result<bool, Failure> {
        match part {
            Part::Text(text) => Ok(!text.text.trim().is_empty()),
            Part::Refusal(refusal) => Ok(!refusal.text.trim().is_empty()),
            Part::Image(image) => {
                self.note_detail(part, image.detail.as_deref(), losses);
                self.image(part, image)
            }
            Part::Document(document) => {
                self.note_detail(part, document.detail.as_deref(), losses);
                self.document(part, document, losses)
            }
            Part::SearchResult(_) | Part::ToolCall(_) | Part::ToolResult(_) => Ok(true),
            Part::Audio(audio) if role == Role::Assistant => {
                // What was said is known by its transcript; earlier sound itself cannot be shown to this model.
                losses.dropped(self.places.path(part), "sound of earlier turns cannot be sent");
                Ok(audio.transcript.as_deref().is_some_and(|text| !text.trim().is_empty()))
            }
            Part::Audio(_) => Err(self.refuse(part, "it takes no audio")),
            Part::Video(_) => Err(self.refuse(part, "it takes no video")),
            Part::Thinking(thinking) => {
                let sendable = is_sendable(thinking, self.facts);
                if !sendable {
                    losses.silent(self.places.path(part), "reasoning of another model is not sent");
                }
                Ok(sendable)
            }
            Part::ServerCall(call) => Ok(self.native(call.verbatim.as_ref(), part, losses)),
            Part::ServerResult(result) => Ok(self.native(result.verbatim.as_ref(), part, losses)),
            Part::Compaction(compaction) => {
                let known = compaction.verbatim.dialect == Dialect::Messages && self.is_claude();
                let readable = compaction.summary.as_deref().is_some_and(|text| !text.trim().is_empty());
                if !known && readable {
                    losses.emulated(self.places.path(part), "the summary of the conversation became text");
                } else if !known {
                    losses.dropped(self.places.path(part), "a sealed summary is valid at its vendor only");
                }
                Ok(known || readable)
            }
            Part::ContainerUpload(_) => Ok(self.claude_only(part, losses)),
            Part::ConfigChange(change) if change.own(Dialect::Messages).is_some() => {
                Ok(self.claude_only(part, losses))
            }
            Part::Opaque(opaque) if opaque.dialect == Dialect::Messages => {
                // References to deferred tools mean nothing to compatible servers and wedge the session there.
                let is_reference = opaque.json.get().contains("\"tool_reference\"");
                Ok(!is_reference || self.claude_only(part, losses))
            }
            Part::ConfigChange(change) => {
                note_change(change, self.places.path(part), losses);
                Ok(false)
            }
            Part::Opaque(_) => {
                losses.dropped(self.places.path(part), "a block that this dialect does not have");
                Ok(false)
            }
        }
    }

    /// Whether a part of a turn of the model is a picture that another vendor's model made: Claude makes none, and refuses
    /// turns of its own that hold one.
    pub(super) fn is_made_elsewhere(&self, part: &Part) -> bool {
        matches!(part, Part::Image(_)) && self.request.dialect != Dialect::Messages
    }

    /// Whether the parts of a tool result can be shown; text is all that may stand in one that failed.
    pub(super) fn admits_in_result(
        &self,
        result: &ToolResult,
        part: &Part,
        losses: &mut Losses,
    ) -> Result<bool, Failure> {
        let has_place = match part {
            Part::Text(_) | Part::Opaque(_) | Part::Audio(_) | Part::Video(_) => true,
            Part::Image(_) | Part::Document(_) | Part::SearchResult(_) => result.is_error != Some(true),
            _ => false,
        };
        if !has_place {
            losses.dropped(self.places.path(part), "a tool result cannot hold this");
            return Ok(false);
        }
        self.admits(part, Role::User, losses)
    }

    fn note_detail(&self, part: &Part, detail: Option<&str>, losses: &mut Losses) {
        if detail.is_some_and(|word| word != "auto") {
            losses.silent(self.places.path(part), "the vendor chooses the resolution itself");
        }
    }

    fn image(&self, part: &Part, image: &Image) -> Result<bool, Failure> {
        if !self.facts.input.image {
            return Err(self.refuse(part, "it sees no images"));
        }
        match &image.source {
            Source::Base64 { media_type, .. } => {
                let known = ["image/jpeg", "image/png", "image/gif", "image/webp"];
                if known.contains(&media_type.as_str()) {
                    Ok(true)
                } else {
                    let what = format!("it takes no `{media_type}`; send a JPEG, PNG, GIF or WebP image");
                    Err(self.refuse(part, &what))
                }
            }
            source => self.reference(part, source),
        }
    }

    fn document(&self, part: &Part, document: &Document, losses: &mut Losses) -> Result<bool, Failure> {
        match &document.source {
            Source::Base64 { media_type, data } => match media::kind(media_type) {
                MediaKind::Pdf if self.facts.input.pdf => Ok(true),
                MediaKind::Pdf => Err(self.refuse(part, "it takes no PDF documents")),
                MediaKind::Image => {
                    let source = Source::Base64 { media_type: media_type.clone(), data: String::new() };
                    let image =
                        Image { source, detail: None, cache: None, extra: crate::ir::Extra::default() };
                    self.image(part, &image)
                }
                _ if media::decode_text(data).is_some() => Ok(true),
                _ => Err(self.refuse(part, "it takes PDF and text documents only; convert the file")),
            },
            Source::Text(text) => Ok(!text.is_empty()),
            Source::Parts(parts) => {
                for inner in parts {
                    self.admits(inner, Role::User, losses)?;
                }
                Ok(!parts.is_empty())
            }
            source => self.reference(part, source),
        }
    }

    fn reference(&self, part: &Part, source: &Source) -> Result<bool, Failure> {
        match source {
            Source::Url { url, .. } => {
                let fetchable = url.starts_with("http://") || url.starts_with("https://");
                if self.facts.input.url && fetchable {
                    Ok(true)
                } else {
                    let what = "it fetches no addresses; send the bytes as base64, or switch on \
                                `media.fetch_remote`";
                    Err(self.refuse(part, what))
                }
            }
            // A file id is known to nobody but the vendor whose dialect the client speaks.
            Source::FileId(_) if self.request.dialect != Dialect::Messages => {
                Err(self.refuse(part, "a file id is known to its own vendor only; send the bytes as base64"))
            }
            _ => Ok(true),
        }
    }

    fn native(&self, verbatim: Option<&crate::ir::Opaque>, part: &Part, losses: &mut Losses) -> bool {
        let native = verbatim.is_some_and(|o| o.dialect == Dialect::Messages) && self.is_claude();
        if !native {
            losses.silent(self.places.path(part), "another vendor's tool call means nothing here");
        }
        native
    }

    fn claude_only(&self, part: &Part, losses: &mut Losses) -> bool {
        if !self.is_claude() {
            losses.dropped(self.places.path(part), "only Claude takes this block");
        }
        self.is_claude()
    }

    fn is_claude(&self) -> bool {
        self.facts.family == Family::Claude
    }

    fn refuse(&self, part: &Part, what: &str) -> Failure {
        let field = self.places.path(part);
        let message = format!("`{field}` cannot be sent to `{}`: {what}.", self.request.model);
        Failure::bad_request(field, message)
    }
}

/// What becomes of a change that was said in another dialect: tools are declared from the beginning, the rest cannot change
/// on the way.
pub(super) fn note_change(change: &ConfigChange, path: String, losses: &mut Losses) {
    if !change.tools_removed.is_empty() || change.effort.is_some() || change.tools_added.is_empty() {
        losses.dropped(path, "settings cannot change in the middle of a conversation here");
    } else {
        losses.emulated(path, "tools that are added later are declared from the beginning");
    }
}
