//! What must not be sent at all, and what will be missing, in the words of the client.

use crate::{
    Losses,
    ir::{Failure, Part, Request, Role, Source},
    loss::Places,
    media::{self, MediaKind},
};
use byok_types::{Dialect, ModelFacts};

/// Refuses what cannot be said without changing the meaning and notes what is left out.
pub(super) fn check(request: &Request, facts: &ModelFacts, losses: &mut Losses) -> Result<(), Failure> {
    let gemini = request.dialect == Dialect::Gemini;
    if request.sampling.n.is_some_and(|n| n > 1) {
        let field = if gemini { "generationConfig.candidateCount" } else { "n" };
        return Err(Failure::bad_request(
            field,
            format!(
                "`{field}` must be 1: this model gives one answer. Send the request several times instead."
            ),
        ));
    }
    if request.modalities.iter().any(|kind| kind == "audio") {
        let field = if gemini { "generationConfig.responseModalities" } else { "modalities" };
        return Err(Failure::bad_request(
            field,
            format!("`{field}` asks for sound, which this model cannot answer with: ask for text."),
        ));
    }
    if request.cache.cached_content.is_some() {
        return Err(Failure::bad_request(
            "cachedContent",
            "`cachedContent` exists only at Gemini: send the content itself to this model.",
        ));
    }
    let native = request.dialect == Dialect::Responses;
    let places = Places::of(request);
    for (index, message) in request.messages.iter().enumerate() {
        for (place, part) in message.parts.iter().enumerate() {
            let check = Check { request, facts, native, role: message.role };
            check.part(part, &|| places.place(index, place), losses)?;
        }
    }
    Ok(())
}

struct Check<'a> {
    request: &'a Request,
    facts: &'a ModelFacts,
    native: bool,
    role: Role,
}

impl Check<'_> {
    fn part(&self, part: &Part, path: &dyn Fn() -> String, losses: &mut Losses) -> Result<(), Failure> {
        match part {
            Part::Text(text) => {
                if text.cache.is_some() && !self.keeps_cache() {
                    losses.silent(path(), "OpenAI caches prompts by itself");
                }
                if text.blob.is_some() {
                    losses.silent(path(), "the signature belongs to another vendor");
                }
            }
            Part::Image(image) => self.image(&image.source, path, losses)?,
            Part::Document(document) => {
                if document.citations == Some(true) {
                    let reason = "the model is shown the document and does not cite from it";
                    losses.dropped(format!("{}.citations", path()), reason);
                }
                self.document(&document.source, path)?;
            }
            Part::Audio(_) if self.role == Role::Assistant && !self.native => {
                losses.dropped(path(), "sound of earlier turns cannot be sent");
            }
            Part::Audio(_) if !self.native => return Err(self.refuse(path, "sound")),
            Part::Video(_) => return Err(self.refuse(path, "video")),
            Part::ToolResult(result) => {
                for part in &result.parts {
                    self.part(part, path, losses)?;
                }
            }
            Part::Thinking(thinking) => {
                if thinking.blob.as_ref().is_none_or(|blob| blob.family != self.facts.family) && !self.native
                {
                    losses.silent(path(), "reasoning goes back only to the vendor that sealed it");
                }
            }
            Part::ToolCall(call) => {
                if call.blob.is_some() {
                    losses.silent(path(), "the signature belongs to another vendor");
                }
            }
            Part::SearchResult(result) if result.citations == Some(true) => {
                let reason = "the model is shown the text and does not cite from it";
                losses.dropped(format!("{}.citations", path()), reason);
            }
            Part::ServerCall(call) if !is_own(call.verbatim.as_ref()) => {
                losses.silent(path(), "calls of the vendor's own tools stay with the vendor");
            }
            Part::ContainerUpload(_) => losses.dropped(path(), "the file is in another vendor's container"),
            Part::Compaction(compaction) => {
                if compaction.blob.as_ref().is_some_and(|blob| blob.family != self.facts.family) {
                    losses.dropped(path(), "the summary is sealed by another vendor");
                } else if compaction.blob.is_none() {
                    match compaction.summary {
                        Some(_) => losses.emulated(path(), "the summary of the conversation became text"),
                        None if compaction.verbatim.dialect == Dialect::Responses => {}
                        None => {
                            losses.dropped(path(), "only the vendor of the client's dialect has this block");
                        }
                    }
                }
            }
            Part::ConfigChange(change)
                if change.verbatim.as_ref().is_some_and(|block| block.dialect != Dialect::Responses) =>
            {
                losses.dropped(path(), "only the vendor of the client's dialect changes settings midway");
            }
            Part::Opaque(block) if block.dialect != Dialect::Responses => {
                losses.dropped(path(), "only the dialect of the client has this block");
            }
            Part::Refusal(_)
            | Part::SearchResult(_)
            | Part::Audio(_)
            | Part::ServerCall(_)
            | Part::ServerResult(_)
            | Part::ConfigChange(_)
            | Part::Opaque(_) => {}
        }
        Ok(())
    }

    fn keeps_cache(&self) -> bool {
        super::input::keeps_cache(self.request.dialect, self.facts)
    }

    fn image(&self, source: &Source, path: &dyn Fn() -> String, losses: &mut Losses) -> Result<(), Failure> {
        if self.role == Role::Assistant {
            if !self.native {
                losses.dropped(path(), "pictures that the model made cannot be sent back");
            }
            return Ok(());
        }
        if !self.facts.input.image {
            return Err(self.refuse(path, "pictures"));
        }
        if matches!(source, Source::Text(_) | Source::Parts(_)) {
            let text =
                format!("`{}` is called a picture and is none: send its bytes or its address.", path());
            return Err(Failure::bad_request(path(), text));
        }
        self.address(source, path)
    }

    fn document(&self, source: &Source, path: &dyn Fn() -> String) -> Result<(), Failure> {
        let pdf =
            matches!(source, Source::Base64 { media_type, .. } if media::kind(media_type) == MediaKind::Pdf);
        if pdf && !self.facts.input.pdf {
            return Err(self.refuse(path, "PDF documents"));
        }
        self.address(source, path)
    }

    fn address(&self, source: &Source, path: &dyn Fn() -> String) -> Result<(), Failure> {
        match source {
            Source::FileId(_) if !self.knows_files() => Err(Failure::bad_request(
                path(),
                format!("`{}` names a file at another vendor: send the bytes instead.", path()),
            )),
            Source::Url { url, .. }
                if !self.native && (!self.facts.input.url || !url.starts_with("http")) =>
            {
                Err(Failure::bad_request(
                    path(),
                    format!(
                        "`{}` is an address that the upstream does not fetch: send the bytes instead, or switch on \
                         `media.fetch_remote`.",
                        path()
                    ),
                ))
            }
            _ => Ok(()),
        }
    }

    /// Whether file ids of the client mean something to the upstream: OpenAI's two dialects share one file store.
    fn knows_files(&self) -> bool {
        self.native || (self.facts.first_party && self.request.dialect == Dialect::Chat)
    }

    fn refuse(&self, path: &dyn Fn() -> String, what: &str) -> Failure {
        let message = format!(
            "`{}`: {} does not take {what}. Leave it out or choose another model.",
            path(),
            self.request.model
        );
        Failure::bad_request(path(), message)
    }
}

fn is_own(verbatim: Option<&crate::ir::Opaque>) -> bool {
    verbatim.is_some_and(|block| block.dialect == Dialect::Responses)
}
