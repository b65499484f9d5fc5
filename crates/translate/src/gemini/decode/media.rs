use super::{keep_inner, parts::Field};
use crate::{
    Json,
    gemini::{
        keys::camel,
        wire::{WireFile, WireInline},
    },
    ir::{Audio, Document, Extra, Failure, Image, Part, Source, Video},
    media::{self, MediaKind},
};
use byok_types::Dialect;

/// A part with bytes.
pub(super) fn inline_part(
    field: Field<'_>,
    inline: WireInline,
    video: Option<Json>,
    mut extra: Extra,
) -> Result<Part, Failure> {
    if inline.media_type.is_empty() {
        return Err(Failure::bad_request(
            format!("{}.inlineData.mimeType", field()),
            "inline data has no media type. Say what it is, for example `image/png`.",
        ));
    }
    keep_inner(&mut extra, "inlineData", inline.extra);
    let source = media::base64_source(&inline.media_type, inline.data);
    let kind = match &source {
        Source::Base64 { media_type, .. } => media::kind(media_type),
        _ => media::kind(&inline.media_type),
    };
    Ok(media_part(kind, source, inline.display_name.map(|name| ("inlineData", name)), video, extra))
}

/// A part with an address.
pub(super) fn file_part(
    field: Field<'_>,
    file: WireFile,
    video: Option<Json>,
    mut extra: Extra,
) -> Result<Part, Failure> {
    if file.uri.is_empty() {
        return Err(Failure::bad_request(
            format!("{}.fileData.fileUri", field()),
            "file data has no address. Put the URI of the file there.",
        ));
    }
    keep_inner(&mut extra, "fileData", file.extra);
    let stated = file.media_type.clone().or_else(|| Some(media::parse_data_url(&file.uri)?.0));
    let kind = match &stated {
        Some(media_type) => media::kind(media_type),
        None if video.is_some() || is_video_page(&file.uri) => MediaKind::Video,
        None => MediaKind::Other,
    };
    let source = match media::parse_data_url(&file.uri) {
        Some((stated, data)) => {
            media::base64_source(file.media_type.as_deref().unwrap_or(&stated), data.into_owned())
        }
        None => Source::Url { url: file.uri, media_type: file.media_type },
    };
    Ok(media_part(kind, source, file.display_name.map(|name| ("fileData", name)), video, extra))
}

/// Gemini takes addresses of `YouTube` as films.
fn is_video_page(url: &str) -> bool {
    let host = url.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    ["youtube.com", "www.youtube.com", "m.youtube.com", "youtu.be"].contains(&host)
}

/// A picture, sound, film or document by the kind of its media type.
pub(in crate::gemini) fn media_part(
    kind: MediaKind,
    source: Source,
    display_name: Option<(&str, String)>,
    video: Option<Json>,
    mut extra: Extra,
) -> Part {
    let video = video.map(camel);
    if kind != MediaKind::Video
        && let Some(metadata) = &video
    {
        extra.push(Dialect::Gemini, "videoMetadata", metadata.clone());
    }
    let is_document = matches!(kind, MediaKind::Pdf | MediaKind::Text | MediaKind::Other);
    let mut filename = None;
    match display_name {
        Some((_, name)) if is_document => filename = Some(name),
        Some((member, name)) => {
            extra.push(Dialect::Gemini, format!("{member}.displayName"), Json::string(&name));
        }
        None => {}
    }
    match kind {
        MediaKind::Image => Part::Image(Image { source, detail: None, cache: None, extra }),
        MediaKind::Audio => {
            let format = audio_format(&source).map(str::to_owned);
            Part::Audio(Audio { source: Some(source), format, extra, ..Audio::default() })
        }
        MediaKind::Video => Part::Video(Video { source, metadata: video, extra }),
        MediaKind::Pdf | MediaKind::Text | MediaKind::Other => Part::Document(Document {
            source,
            filename,
            title: None,
            context: None,
            citations: None,
            detail: None,
            cache: None,
            extra,
        }),
    }
}

/// The format in the words of the dialects that name one.
fn audio_format(source: &Source) -> Option<&'static str> {
    let (Source::Base64 { media_type, .. } | Source::Url { media_type: Some(media_type), .. }) = source
    else {
        return None;
    };
    match media_type.split(';').next().unwrap_or_default().trim() {
        "audio/wav" | "audio/x-wav" | "audio/wave" => Some("wav"),
        "audio/mp3" | "audio/mpeg" => Some("mp3"),
        _ => None,
    }
}
