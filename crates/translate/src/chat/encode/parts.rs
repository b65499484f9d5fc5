//! Content parts of user messages and of results.

use super::{Encoder, tools::cache};
use crate::{
    chat::object::object,
    compact,
    ir::{Audio, CacheHint, Document, Failure, Image, Part, Source, Text, Video},
    media::{self, MediaKind},
    wire::write,
};
use byok_types::Dialect;
use std::borrow::Cow;

/// A cache marker that is to be written.
type Marker<'p> = Option<&'p CacheHint>;

/// One piece of content as Chat can say it.
pub(super) enum Piece<'p> {
    /// Text, with the part that it comes from if that is written with its extras.
    Text(Cow<'p, str>, Option<&'p Text>),
    Image(&'p Image, Cow<'p, str>, Marker<'p>),
    /// A picture that stood in a document, by its data URL.
    Picture(String),
    Audio(&'p Audio, &'p str, Cow<'p, str>),
    /// A file with its data URL or address.
    File(&'p Document, String, Marker<'p>),
    FileId(&'p Document, &'p str, Marker<'p>),
    Video(&'p Video, Cow<'p, str>),
    /// A part of this dialect as it was sent.
    Verbatim(&'p Part),
}

impl<'p> Piece<'p> {
    pub(super) fn text(text: impl Into<Cow<'p, str>>) -> Self {
        Self::Text(text.into(), None)
    }

    /// The text, if there is nothing to it but text.
    pub(super) fn plain(&self) -> Option<&str> {
        match self {
            Self::Text(text, None) => Some(text),
            Self::Text(text, Some(part)) if part.cache.is_none() && part.extra.is_empty() => Some(text),
            _ => None,
        }
    }

    pub(super) fn is_media(&self) -> bool {
        !matches!(self, Self::Text(..))
    }

    /// Writes the piece as a content part.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Text(text, part) => object(out, |object| {
                object.text("type", "text");
                object.text("text", text);
                if let Some(part) = part {
                    cache(part.cache.as_ref(), object);
                    object.all(part.extra.of(Dialect::Chat));
                }
            }),
            Self::Image(image, url, marker) => object(out, |object| {
                object.text("type", "image_url");
                let extras = image.extra.of(Dialect::Chat);
                object.object("image_url", |target| {
                    target.text("url", url);
                    target.maybe("detail", image.detail.as_deref());
                    super::tools::inner_extra(&image.extra, "image_url", target);
                });
                if !extras.is_empty() {
                    super::tools::outer_extra(&image.extra, "image_url", object);
                }
                cache(*marker, object);
            }),
            Self::Picture(url) => object(out, |object| {
                object.text("type", "image_url");
                object.object("image_url", |target| target.text("url", url));
            }),
            Self::Audio(audio, data, format) => object(out, |object| {
                object.text("type", "input_audio");
                object.object("input_audio", |inner| {
                    inner.text("data", data);
                    inner.text("format", format);
                });
                object.all(audio.extra.of(Dialect::Chat));
            }),
            Self::File(document, data, marker) if document_url(document) => object(out, |object| {
                object.text("type", "document_url");
                object.text("document_url", data);
                object.maybe("document_name", document.filename.as_deref());
                super::tools::outer_extra(&document.extra, "type", object);
                cache(*marker, object);
            }),
            Self::File(document, data, marker) => file(document, "file_data", data, *marker, out),
            Self::FileId(document, id, marker) => file(document, "file_id", id, *marker, out),
            Self::Video(video, url) => object(out, |object| {
                object.text("type", "video_url");
                object.object("video_url", |target| target.text("url", url));
                object.all(video.extra.of(Dialect::Chat));
            }),
            Self::Verbatim(part) => verbatim(part, out),
        }
    }
}

fn file(document: &Document, member: &'static str, value: &str, marker: Marker<'_>, out: &mut Vec<u8>) {
    object(out, |object| {
        object.text("type", "file");
        object.object("file", |file| {
            if member == "file_data" {
                match (&document.filename, &document.source) {
                    (Some(name), _) => file.text("filename", name),
                    (None, Source::Base64 { media_type, .. }) => {
                        file.text("filename", &media::file_name(document.title.as_deref(), media_type));
                    }
                    (None, _) => file.text("filename", "document.pdf"),
                }
            }
            file.text(member, value);
            super::tools::inner_extra(&document.extra, "file", file);
        });
        super::tools::outer_extra(&document.extra, "file", object);
        cache(marker, object);
    });
}

/// Whether a document came as Mistral's own part, whose server takes no other.
fn document_url(document: &Document) -> bool {
    document.extra.get(Dialect::Chat, "type").and_then(crate::Json::as_string).as_deref()
        == Some("document_url")
}

fn verbatim(part: &Part, out: &mut Vec<u8>) {
    match part {
        Part::Opaque(opaque) => write::json(out, &opaque.json),
        Part::Refusal(refusal) => object(out, |object| {
            object.text("type", "refusal");
            object.text("refusal", &refusal.text);
            super::tools::outer_extra(&refusal.extra, "type", object);
        }),
        Part::Audio(audio) => {
            let Some(Source::Url { url, .. }) = &audio.source else { return object(out, |_| {}) };
            object(out, |object| {
                object.text("type", "audio_url");
                object.object("audio_url", |target| target.text("url", url));
                object.all(audio.extra.of(Dialect::Chat));
            });
        }
        Part::Thinking(thinking) => object(out, |object| {
            object.text("type", "thinking");
            if thinking.extra.get(Dialect::Chat, "thinking").is_none() {
                object.text("thinking", &thinking.text());
            }
            super::tools::outer_extra(&thinking.extra, "type", object);
        }),
        _ => object(out, |_| {}),
    }
}

/// Writes content: one string if that says everything, else a list of parts.
pub(super) fn content(pieces: &[Piece<'_>], join: bool, out: &mut Vec<u8>) {
    match pieces {
        [one] if one.plain().is_some() => write::string(out, one.plain().unwrap_or_default()),
        many if join && !many.is_empty() && many.iter().all(|piece| piece.plain().is_some()) => {
            let texts: Vec<_> = many.iter().filter_map(Piece::plain).collect();
            write::string(out, &texts.join("\n\n"));
        }
        many => {
            out.push(b'[');
            for (index, piece) in many.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                piece.write(out);
            }
            out.push(b']');
        }
    }
}

impl Encoder<'_> {
    /// What Chat can say of a part, appended to `out`. A part that would change the meaning if it were missing is refused.
    pub(super) fn pieces<'p>(&mut self, part: &'p Part, out: &mut Vec<Piece<'p>>) -> Result<(), Failure> {
        match part {
            Part::Text(text) if self.native => out.push(Piece::Text(Cow::Borrowed(&text.text), Some(text))),
            Part::Text(text) if text.text.trim().is_empty() => {}
            Part::Text(text) => out.push(Piece::text(text.text.as_str())),
            Part::Refusal(_) if self.native => out.push(Piece::Verbatim(part)),
            Part::Refusal(refusal) => out.push(Piece::text(refusal.text.as_str())),
            Part::Image(image) => out.push(self.image(image, part)?),
            Part::Document(document) => self.document(document, part, out)?,
            Part::SearchResult(result) => {
                if result.citations == Some(true) {
                    let place = format!("{}.citations", self.path(part));
                    self.losses.dropped(place, "Chat has no citations of search results");
                }
                let heads = [result.title.as_str(), &result.source].map(str::trim);
                let heads: Vec<_> = heads.into_iter().filter(|head| !head.is_empty()).collect();
                if !heads.is_empty() {
                    out.push(Piece::text(heads.join("\n")));
                }
                for inner in &result.content {
                    self.pieces(inner, out)?;
                }
            }
            Part::Audio(audio) => out.push(self.audio(audio, part)?),
            Part::Video(video) => out.push(self.video(video, part)?),
            Part::Compaction(compaction) => match &compaction.summary {
                Some(summary) => {
                    self.losses.emulated(self.path(part), "the summary of the conversation became text");
                    out.push(Piece::text(compact::told(summary)));
                }
                None => self.losses.dropped(self.path(part), "the summary is sealed for another vendor"),
            },
            Part::Opaque(opaque) if opaque.dialect == Dialect::Chat => out.push(Piece::Verbatim(part)),
            Part::Opaque(_) | Part::ContainerUpload(_) => {
                self.losses.dropped(self.path(part), "Chat cannot say this");
            }
            Part::ConfigChange(change) if change.tools_added.is_empty() => {
                self.losses.dropped(self.path(part), "settings hold for the whole request");
            }
            Part::ConfigChange(_) => {
                self.losses.emulated(self.path(part), "tools are declared for the whole request");
            }
            Part::Thinking(_) | Part::ServerCall(_) | Part::ServerResult(_) => {
                self.losses.silent(self.path(part), "belongs to another vendor");
            }
            Part::ToolCall(_) | Part::ToolResult(_) => {}
        }
        Ok(())
    }

    pub(super) fn path(&self, part: &Part) -> String {
        self.places.path(part)
    }

    fn refuse(&self, part: &Part, what: &str) -> Failure {
        let path = self.path(part);
        let message = format!("`{path}`: {} {what}.", self.request.model);
        Failure::bad_request(path, message)
    }

    fn image<'p>(&self, image: &'p Image, part: &Part) -> Result<Piece<'p>, Failure> {
        if !self.facts.input.image {
            return Err(self.refuse(part, "takes no images: leave the image out or choose another model"));
        }
        Ok(Piece::Image(
            image,
            match &image.source {
                Source::Base64 { media_type, data } => Cow::Owned(media::data_url(media_type, data)),
                Source::Url { url, .. } if self.facts.input.url || url.starts_with("data:") => {
                    Cow::Borrowed(url)
                }
                Source::Url { .. } => {
                    let what = "takes no images by address: send the image in base64, or switch on `media.fetch_remote`";
                    return Err(self.refuse(part, what));
                }
                Source::FileId(_) | Source::Text(_) | Source::Parts(_) => {
                    let what = "cannot see files of another vendor: send the image in base64";
                    return Err(self.refuse(part, what));
                }
            },
            image.cache.as_ref().filter(|_| self.native),
        ))
    }

    fn document<'p>(
        &mut self,
        document: &'p Document,
        part: &'p Part,
        out: &mut Vec<Piece<'p>>,
    ) -> Result<(), Failure> {
        if document.citations == Some(true) {
            let place = format!("{}.citations", self.path(part));
            self.losses.dropped(place, "Chat has no citations of documents");
        }
        let marker = document.cache.as_ref().filter(|_| self.native);
        match &document.source {
            Source::Base64 { media_type, data } => match media::kind(media_type) {
                MediaKind::Text if !self.native => {
                    let text = media::decode_text(data)
                        .ok_or_else(|| self.refuse(part, "cannot read this file: it is not UTF-8 text"))?;
                    out.push(Piece::text(with_header(document, &text)));
                }
                MediaKind::Image if !self.native => {
                    if !self.facts.input.image {
                        let what = "takes no images: leave the image out or choose another model";
                        return Err(self.refuse(part, what));
                    }
                    if document.title.is_some() || document.context.is_some() {
                        out.push(Piece::text(with_header(document, "")));
                    }
                    out.push(Piece::Picture(media::data_url(media_type, data)));
                }
                _ if !self.facts.input.pdf => {
                    let what = "takes no documents: send the text of the document instead";
                    return Err(self.refuse(part, what));
                }
                _ => {
                    about(document, out);
                    out.push(Piece::File(document, media::data_url(media_type, data), marker));
                }
            },
            Source::Url { url, .. } if self.native => {
                about(document, out);
                out.push(Piece::File(document, url.clone(), marker));
            }
            Source::Url { .. } => {
                let what = "takes no documents by address: send the document in base64, or switch on `media.fetch_remote`";
                return Err(self.refuse(part, what));
            }
            Source::FileId(id) if self.own_files() => out.push(Piece::FileId(document, id, marker)),
            Source::FileId(_) => {
                return Err(self.refuse(part, "cannot see files of another vendor: send the file in base64"));
            }
            Source::Text(text) => out.push(Piece::text(with_header(document, text))),
            Source::Parts(parts) => {
                if document.title.is_some() || document.context.is_some() {
                    out.push(Piece::text(with_header(document, "")));
                }
                for inner in parts {
                    self.pieces(inner, out)?;
                }
            }
        }
        Ok(())
    }

    /// Whether file ids of the client mean something to the upstream: OpenAI's two dialects share one file store.
    fn own_files(&self) -> bool {
        self.native || (self.facts.first_party && self.request.dialect == Dialect::Responses)
    }

    fn audio<'p>(&self, audio: &'p Audio, part: &'p Part) -> Result<Piece<'p>, Failure> {
        if !self.facts.input.audio {
            return Err(self.refuse(part, "takes no sound: leave it out or choose another model"));
        }
        let wanted = "takes sound only as wav or mp3 in base64: convert it first";
        match &audio.source {
            Some(Source::Base64 { media_type, data }) => {
                let format = audio.format.as_deref().map(Cow::Borrowed);
                let format = format.unwrap_or_else(|| Cow::Owned(audio_format(media_type)));
                if self.facts.first_party && !self.native && !matches!(&*format, "wav" | "mp3") {
                    return Err(self.refuse(part, wanted));
                }
                Ok(Piece::Audio(audio, data, format))
            }
            Some(Source::Url { .. }) if self.native => Ok(Piece::Verbatim(part)),
            _ => Err(self.refuse(part, wanted)),
        }
    }

    fn video<'p>(&self, video: &'p Video, part: &Part) -> Result<Piece<'p>, Failure> {
        if !self.facts.input.video || (self.facts.first_party && !self.native) {
            return Err(self.refuse(part, "takes no films: leave it out or choose another model"));
        }
        match &video.source {
            Source::Base64 { media_type, data } => {
                Ok(Piece::Video(video, Cow::Owned(media::data_url(media_type, data))))
            }
            Source::Url { url, .. } => Ok(Piece::Video(video, Cow::Borrowed(url))),
            _ => Err(self.refuse(part, "cannot see films of another vendor's store: send the bytes")),
        }
    }
}

/// What is said about a file beyond its name, which its title becomes.
fn about(document: &Document, out: &mut Vec<Piece<'_>>) {
    if document.context.is_some() {
        out.push(Piece::text(with_header(document, "")));
    }
}

/// The text of a document below what is said about it.
fn with_header(document: &Document, text: &str) -> String {
    let title = document.title.as_deref().or(document.filename.as_deref());
    let lines =
        [title, document.context.as_deref()].into_iter().flatten().chain((!text.is_empty()).then_some(text));
    lines.collect::<Vec<_>>().join("\n\n")
}

fn audio_format(media_type: &str) -> String {
    match media_type.split(';').next().unwrap_or_default().rsplit('/').next().unwrap_or_default() {
        "mpeg" | "mp3" => "mp3".to_owned(),
        "wav" | "x-wav" | "wave" => "wav".to_owned(),
        other => other.to_owned(),
    }
}
