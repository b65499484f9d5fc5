//! Content parts of a request.

use super::{blocks, extra};
use crate::{
    Json,
    chat::{
        body::{BodyAudio, BodyCache, Content},
        loose::{Raw, filled},
    },
    ir::{
        Audio, CacheHint, Document, Extra, Failure, Image, Opaque, Part, Refusal, Source, Text, Thinking,
        Video,
    },
    media,
    wire::{read_within, wire},
};
use byok_types::Dialect;
use serde::Deserialize;
use std::borrow::Cow;

/// Where a part stands, for messages to the caller.
#[derive(Clone, Copy)]
pub(super) struct At {
    pub(super) message: usize,
    pub(super) part: usize,
}

impl At {
    fn path(self) -> String {
        format!("messages[{}].content[{}]", self.message, self.part)
    }

    fn wrong(self, what: impl std::fmt::Display) -> Failure {
        let path = self.path();
        let message = format!("`{path}` {what}.");
        Failure::bad_request(path, message)
    }
}

/// The parts of a message. A string is one text part.
pub(super) fn parts(content: Content, message: usize) -> Result<Vec<Part>, Failure> {
    match content {
        Content::Absent => Ok(Vec::new()),
        Content::Text(text) => Ok(vec![Part::text(text)]),
        Content::Parts(list) => {
            list.into_iter().enumerate().map(|(part, json)| read_part(json, At { message, part })).collect()
        }
    }
}

/// What tells the kind of a part. Some clients leave `type` out; then the member that is there decides.
#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(borrow, default)]
    r#type: Raw<'a>,
    text: Option<serde::de::IgnoredAny>,
    image_url: Option<serde::de::IgnoredAny>,
    input_audio: Option<serde::de::IgnoredAny>,
    file: Option<serde::de::IgnoredAny>,
}

impl Kind<'_> {
    fn name(&self) -> Cow<'_, str> {
        let guess = match self {
            kind if kind.image_url.is_some() => "image_url",
            kind if kind.input_audio.is_some() => "input_audio",
            kind if kind.file.is_some() => "file",
            kind if kind.text.is_some() => "text",
            _ => "",
        };
        filled(self.r#type).unwrap_or(Cow::Borrowed(guess))
    }
}

wire! {
    struct TextPart {
        "type" => kind: Option<String>,
        "text" => text: Option<String>,
        "refusal" => refusal: Option<String>,
        "cache_control" => cache_control: Option<BodyCache>,
        "prompt_cache_breakpoint" => breakpoint: Option<BodyCache>,
    }
}

wire! {
    /// Something at an address: a string, or an object with `url`.
    struct MediaPart {
        "type" => kind: Option<String>,
        "image_url" | "audio_url" | "video_url" | "document_url" => target: Option<Target>,
        "detail" => detail: Option<String>,
        "file_id" => file_id: Option<String>,
        "document_name" => document_name: Option<String>,
        "cache_control" => cache_control: Option<BodyCache>,
        "prompt_cache_breakpoint" => breakpoint: Option<BodyCache>,
    }
}

wire! {
    struct TargetObject {
        "url" => url: Option<String>,
        "detail" => detail: Option<String>,
    }
}

wire! {
    struct AudioPart {
        "type" => kind: Option<String>,
        "input_audio" => audio: Option<BodyAudio>,
    }
}

wire! {
    struct FilePart {
        "type" => kind: Option<String>,
        "file" => file: Option<FileMembers>,
        "file_data" => file_data: Option<String>,
        "file_id" => file_id: Option<String>,
        "file_url" => file_url: Option<String>,
        "filename" => filename: Option<String>,
        "cache_control" => cache_control: Option<BodyCache>,
        "prompt_cache_breakpoint" => breakpoint: Option<BodyCache>,
    }
}

wire! {
    struct FileMembers {
        "file_data" => file_data: Option<String>,
        "file_id" => file_id: Option<String>,
        "file_url" => file_url: Option<String>,
        "filename" => filename: Option<String>,
    }
}

wire! {
    /// A thinking part (Mistral, or an Anthropic block in a Chat message).
    struct ThinkingPart {
        "type" => kind: Option<String>,
        "thinking" => thinking: Option<Json>,
    }
}

#[derive(Debug)]
struct Target(TargetObject);

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        if let Some(url) = json.as_string() {
            return Ok(Self(TargetObject { url: Some(url), ..TargetObject::default() }));
        }
        json.read().map(Self).map_err(serde::de::Error::custom)
    }
}

/// Reads one part. What byok does not know is kept whole.
pub(super) fn read_part(json: Json, at: At) -> Result<Part, Failure> {
    if let Some(text) = json.as_string() {
        return Ok(Part::text(text));
    }
    if !json.is_object() {
        return Err(
            at.wrong("must be an object with a `type`, for example {\"type\": \"text\", \"text\": …}")
        );
    }
    let opaque = |json: Json| Part::Opaque(Opaque { dialect: Dialect::Chat, json });
    let Some(kind) = json.read::<Kind<'_>>().ok().map(|kind| kind.name().into_owned()) else {
        return Ok(opaque(json));
    };
    Ok(match kind.as_str() {
        "text" | "input_text" | "output_text" => text(fields(&json, at)?),
        "refusal" => {
            let part: TextPart = fields(&json, at)?;
            // Kept, so that it returns to the content and not to a member of the message.
            let mut extra = extra(part.extra);
            extra.push(Dialect::Chat, "type", Json::string("refusal"));
            Part::Refusal(Refusal { text: part.refusal.unwrap_or_default(), extra })
        }
        "image_url" | "input_image" => image(fields(&json, at)?, at)?,
        "video_url" => video(fields(&json, at)?, at)?,
        "document_url" => document_at(fields(&json, at)?, at)?,
        "audio_url" => audio_at(fields(&json, at)?, at)?,
        "input_audio" => audio(fields(&json, at)?, at)?,
        "file" | "input_file" => file(fields(&json, at)?, at)?,
        "thinking" => thinking(fields(&json, at)?),
        "tool_use" | "tool_result" | "image" | "document" => {
            blocks::part(fields(&json, at)?, at)?.unwrap_or_else(|| opaque(json))
        }
        _ => opaque(json),
    })
}

fn fields<'a, T: Deserialize<'a>>(json: &'a Json, at: At) -> Result<T, Failure> {
    read_within(json, at.path())
}

fn text(part: TextPart) -> Part {
    Part::Text(Text {
        text: part.text.unwrap_or_default(),
        cache: hint(part.cache_control, part.breakpoint),
        extra: extra(part.extra),
        ..Text::default()
    })
}

/// A cache marker. OpenAI's kind is told from the other by its member `mode`.
pub(super) fn hint(control: Option<BodyCache>, breakpoint: Option<BodyCache>) -> Option<CacheHint> {
    if let Some(control) = control {
        return Some(CacheHint { ttl: control.ttl, extra: extra(control.extra) });
    }
    let breakpoint = breakpoint?;
    let mut extra = extra(breakpoint.extra);
    if extra.get(Dialect::Chat, "mode").is_none() {
        extra.push(Dialect::Chat, "mode", Json::string("explicit"));
    }
    Some(CacheHint { ttl: breakpoint.ttl, extra })
}

/// Bytes in a data URL, or an address.
fn source_at(url: String) -> Source {
    match media::parse_data_url(&url) {
        Some((media_type, data)) => media::base64_source(&media_type, data.into_owned()),
        None => Source::Url { url, media_type: None },
    }
}

fn image(part: MediaPart, at: At) -> Result<Part, Failure> {
    let target = part.target.map(|t| t.0).unwrap_or_default();
    let source = match (target.url, part.file_id) {
        (Some(url), _) => source_at(url),
        (None, Some(id)) => Source::FileId(id),
        (None, None) => return Err(at.wrong("has no `image_url.url`: send an address or a data URL")),
    };
    let mut extra = extra(part.extra);
    if !target.extra.is_empty() {
        extra.push(Dialect::Chat, "image_url", members(&target.extra));
    }
    Ok(Part::Image(Image {
        source,
        detail: target.detail.or(part.detail),
        cache: hint(part.cache_control, part.breakpoint),
        extra,
    }))
}

fn video(part: MediaPart, at: At) -> Result<Part, Failure> {
    let url = part.target.and_then(|t| t.0.url);
    let url = url.ok_or_else(|| at.wrong("has no `video_url.url`: send an address or a data URL"))?;
    Ok(Part::Video(Video { source: source_at(url), metadata: None, extra: extra(part.extra) }))
}

fn audio_at(part: MediaPart, at: At) -> Result<Part, Failure> {
    let url = part.target.and_then(|t| t.0.url);
    let url = url.ok_or_else(|| at.wrong("has no `audio_url.url`: send an address or a data URL"))?;
    Ok(Part::Audio(Audio { source: Some(source_at(url)), extra: extra(part.extra), ..Audio::default() }))
}

/// Mistral's way to name a document. Its type is kept beside it, because its server takes no other.
fn document_at(part: MediaPart, at: At) -> Result<Part, Failure> {
    let url = part.target.and_then(|t| t.0.url);
    let url = url.ok_or_else(|| at.wrong("has no `document_url`: send an address or a data URL"))?;
    let mut extra = extra(part.extra);
    extra.push(Dialect::Chat, "type", Json::string("document_url"));
    Ok(Part::Document(Document {
        source: source_at(url),
        filename: part.document_name,
        cache: hint(part.cache_control, part.breakpoint),
        extra,
        ..empty_document()
    }))
}

fn audio(part: AudioPart, at: At) -> Result<Part, Failure> {
    let audio = part.audio.unwrap_or_default();
    let (Some(data), format) = (audio.data, audio.format.unwrap_or_else(|| "wav".to_owned())) else {
        return Err(at.wrong("has no `input_audio.data`: send the sound in base64"));
    };
    // A data URL instead of bare base64 says its own type.
    let source = match media::parse_data_url(&data) {
        Some((media_type, data)) => media::base64_source(&media_type, data.into_owned()),
        None => media::base64_source(&audio_media_type(&format), data),
    };
    Ok(Part::Audio(Audio {
        source: Some(source),
        format: Some(format),
        extra: extra(part.extra),
        ..Audio::default()
    }))
}

fn audio_media_type(format: &str) -> String {
    match format {
        "mp3" => "audio/mpeg".to_owned(),
        "pcm16" | "pcm" => "audio/pcm".to_owned(),
        "m4a" => "audio/mp4".to_owned(),
        other => format!("audio/{other}"),
    }
}

fn file(part: FilePart, at: At) -> Result<Part, Failure> {
    let inner = part.file.unwrap_or_default();
    let filename = inner.filename.or(part.filename);
    let data = inner.file_data.or(part.file_data).or(inner.file_url).or(part.file_url);
    let source = match (data, inner.file_id.or(part.file_id)) {
        (Some(data), _) => file_source(data, filename.as_deref()).ok_or_else(|| {
            at.wrong("has a `file_data` that is neither a data URL nor base64: send data:TYPE;base64,DATA")
        })?,
        (None, Some(id)) => Source::FileId(id),
        (None, None) => return Err(at.wrong("has neither `file.file_data` nor `file.file_id`: send one")),
    };
    let mut extra = extra(part.extra);
    if !inner.extra.is_empty() {
        extra.push(Dialect::Chat, "file", members(&inner.extra));
    }
    Ok(Part::Document(Document {
        source,
        filename,
        cache: hint(part.cache_control, part.breakpoint),
        extra,
        ..empty_document()
    }))
}

fn file_source(data: String, filename: Option<&str>) -> Option<Source> {
    if media::is_data_url(&data) || data.contains("://") {
        return Some(source_at(data));
    }
    let text = filename
        .and_then(|name| name.rsplit_once('.'))
        .is_some_and(|(_, end)| ["txt", "md", "csv"].iter().any(|text| end.eq_ignore_ascii_case(text)));
    media::is_base64(&data)
        .then(|| media::base64_source(if text { "text/plain" } else { "application/pdf" }, data))
}

pub(super) fn empty_document() -> Document {
    Document {
        source: Source::Text(String::new()),
        filename: None,
        title: None,
        context: None,
        citations: None,
        detail: None,
        cache: None,
        extra: Extra::default(),
    }
}

/// A thinking part inside of the content. Its type is kept, so that it returns to the content and not to a member of
/// the message.
fn thinking(part: ThinkingPart) -> Part {
    let json = part.thinking.unwrap_or_else(Json::null);
    let paragraphs = match json.as_string() {
        Some(text) => vec![text],
        None => json
            .read::<Vec<TextPart>>()
            .map(|list| list.into_iter().filter_map(|part| part.text).collect())
            .unwrap_or_default(),
    };
    let mut extra = extra(part.extra);
    extra.push(Dialect::Chat, "type", Json::string("thinking"));
    if json.as_string().is_none() {
        extra.push(Dialect::Chat, "thinking", json);
    }
    Part::Thinking(Thinking { summary: vec![paragraphs.concat()], extra, ..Thinking::default() })
}

/// Unknown members of an inner object, as one object.
pub(super) fn members(fields: &[(String, Json)]) -> Json {
    let mut out = Vec::new();
    crate::chat::object::object(&mut out, |object| object.all(fields));
    String::from_utf8(out).ok().and_then(|text| Json::parse(text).ok()).unwrap_or_else(Json::empty_object)
}
