use super::{Encoder, inner, outer, parts};
use crate::{
    gemini::fields::Fields,
    ir::{Audio, Document, Extra, Part, SearchResult, Source, Video},
    media,
};
use std::borrow::Cow;

impl Encoder<'_> {
    /// `inlineData` or `fileData`. Sources that Gemini cannot be given were refused before.
    pub(super) fn media(&mut self, source: &Source, fallback: &str, extra: &Extra, out: &mut Vec<u8>) {
        self.media_named(source, fallback, extra, None, out);
    }

    fn media_named(
        &mut self,
        source: &Source,
        fallback: &str,
        extra: &Extra,
        filename: Option<&String>,
        out: &mut Vec<u8>,
    ) {
        let mut part = Fields::open(out);
        self.data(source, fallback, extra, filename, &mut part);
        part.all(outer(extra));
        part.close();
    }

    /// The data member of a part, also of one inside a function response.
    pub(super) fn data(
        &mut self,
        source: &Source,
        fallback: &str,
        extra: &Extra,
        filename: Option<&String>,
        part: &mut Fields<'_>,
    ) {
        match source {
            Source::Base64 { media_type, data } => inline(media_type, data, part, |fields| {
                fields.option("displayName", self.display_name(extra, "inlineData", filename).as_ref());
                fields.all(inner(extra, "inlineData").filter(|(name, _)| *name != "displayName"));
            }),
            Source::Url { url, media_type } => {
                if let Some((media_type, data)) = media::parse_data_url(url) {
                    return inline(&media_type, &data, part, |_| {});
                }
                let stated = media_type.as_deref().filter(|m| !m.is_empty());
                let fallback = Some(fallback).filter(|f| !f.is_empty() && !self.same);
                let mut file = Fields::open(part.key("fileData"));
                file.option("mimeType", stated.or(guessed(url)).or(fallback).as_ref());
                file.string("fileUri", url);
                file.option("displayName", self.display_name(extra, "fileData", filename).as_ref());
                file.all(inner(extra, "fileData").filter(|(name, _)| *name != "displayName"));
                file.close();
            }
            Source::Text(text) => part.string("text", text),
            Source::FileId(_) | Source::Parts(_) => part.string("text", "[a file that is not here]"),
        }
    }

    pub(super) fn note_detail(&mut self, part: &Part, detail: Option<&str>) {
        if detail.is_some_and(|word| word != "auto") {
            self.losses.silent(self.places.path(part), "the vendor chooses the resolution itself");
        }
    }

    pub(super) fn note_citations(&mut self, part: &Part, wanted: Option<bool>) {
        if wanted == Some(true) {
            let place = format!("{}.citations", self.places.path(part));
            self.losses.dropped(place, "this upstream does not cite from what it is given");
        }
    }

    pub(super) fn audio(&mut self, audio: &Audio, out: &mut Vec<u8>) {
        match &audio.source {
            Some(source) => self.media(source, "audio/wav", &audio.extra, out),
            None => match &audio.transcript {
                Some(words) if !words.is_empty() => parts::text(out, words),
                _ => self
                    .losses
                    .dropped("messages", "a reference to earlier sound means nothing to this upstream"),
            },
        }
    }

    pub(super) fn video(&mut self, video: &Video, out: &mut Vec<u8>) {
        let mut part = Fields::open(out);
        self.data(&video.source, "video/mp4", &video.extra, None, &mut part);
        part.all(video.metadata.as_ref().map(|metadata| ("videoMetadata", metadata)));
        part.all(outer(&video.extra));
        part.close();
    }

    /// A document: its bytes, or its text under a heading that names it.
    pub(super) fn document(&mut self, document: &Document, out: &mut Vec<u8>) {
        let heading = [&document.title, &document.context].into_iter().flatten().cloned().collect::<Vec<_>>();
        match &document.source {
            // Not every backend takes an empty text.
            Source::Text(words) if heading.is_empty() && words.is_empty() => {}
            Source::Text(words) => parts::text(out, &titled(&heading, words)),
            Source::Parts(list) => {
                let mut first = Vec::new();
                if !heading.is_empty() {
                    parts::text(&mut first, &heading.join("\n"));
                }
                for part in list {
                    super::contents::append(&mut first, |out| self.part(part, out));
                }
                out.extend_from_slice(&first);
            }
            source => {
                if !heading.is_empty() {
                    parts::text(out, &heading.join("\n"));
                    out.push(b',');
                }
                self.media_named(source, "application/pdf", &document.extra, document.filename.as_ref(), out);
            }
        }
    }
}

pub(super) fn search_result(result: &SearchResult, out: &mut Vec<u8>) {
    parts::text(out, &titled(&[result.title.clone(), result.source.clone()], &texts(&result.content)));
}

fn inline(media_type: &str, data: &str, part: &mut Fields<'_>, more: impl FnOnce(&mut Fields<'_>)) {
    let mut inline = Fields::open(part.key("inlineData"));
    inline.string("mimeType", media_type);
    inline.string("data", data);
    more(&mut inline);
    inline.close();
}

fn titled(heading: &[String], words: &str) -> String {
    let heading = heading.iter().filter(|h| !h.is_empty()).map(String::as_str).collect::<Vec<_>>().join("\n");
    let pieces = [heading.as_str(), words].into_iter().filter(|piece| !piece.is_empty());
    pieces.collect::<Vec<_>>().join("\n\n")
}

/// The text in a list of parts.
pub(super) fn texts(list: &[Part]) -> String {
    let words = list.iter().filter_map(|part| match part {
        Part::Text(text) => Some(Cow::Borrowed(text.text.as_str())),
        Part::Refusal(refusal) => Some(Cow::Borrowed(refusal.text.as_str())),
        Part::SearchResult(result) => {
            Some(titled(&[result.title.clone(), result.source.clone()], &texts(&result.content)).into())
        }
        Part::Document(Document { source: Source::Text(text), title, .. }) => {
            Some(titled(&title.iter().cloned().collect::<Vec<_>>(), text).into())
        }
        Part::Document(Document { source: Source::Parts(parts), title, .. }) => {
            Some(titled(&title.iter().cloned().collect::<Vec<_>>(), &texts(parts)).into())
        }
        _ => None,
    });
    words.filter(|words| !words.is_empty()).collect::<Vec<_>>().join("\n")
}

/// The media type by the end of an address.
fn guessed(url: &str) -> Option<&'static str> {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let extension = path.rsplit('/').next()?.rsplit_once('.')?.1.to_ascii_lowercase();
    Some(match extension.as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "heic" => "image/heic",
        "pdf" => "application/pdf",
        "txt" => "text/plain",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        "mov" => "video/quicktime",
        "wav" => "audio/wav",
        "mp3" => "audio/mp3",
        _ => return None,
    })
}

/// Whether Google itself can read what is at the address: its own file store, its cloud storage, its films.
pub(crate) fn is_google(url: &str) -> bool {
    let host = url.split_once("://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or_default());
    is_stored_by_google(url)
        || ["youtube.com", "www.youtube.com", "m.youtube.com", "youtu.be"].contains(&host)
}

/// Whether nobody but Google can read what is at the address: its own file store, its cloud storage.
pub(crate) fn is_stored_by_google(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    scheme == "gs" || (host == "generativelanguage.googleapis.com" && path.contains("files/"))
}
