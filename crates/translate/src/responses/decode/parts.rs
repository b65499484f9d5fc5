//! The parts of items, in requests and answers alike.

use super::{
    super::{
        citation,
        tagged::OneOf,
        wire::{Content, Item, Piece, PieceTag},
    },
    foreign, opaque,
};
use crate::{
    Json, carrier,
    ir::{
        Audio, Blob, BlobSlot, CacheHint, Document, Failure, Family, Flavour, Image, Part, Refusal, Source,
        Text, Thinking, ToolCall,
    },
    media,
};

/// The parts of a message. `path` names the content in failures.
pub(in super::super) fn message_parts(
    content: Option<Content>,
    path: &dyn Fn() -> String,
) -> Result<Vec<Part>, Failure> {
    match content {
        None => Ok(Vec::new()),
        Some(Content::Text(text)) => Ok(vec![Part::text(text)]),
        Some(Content::Pieces(pieces)) => parts(pieces, path),
        Some(Content::Object(json)) => {
            let wrong = |e| Failure::bad_request(path(), format!("`{}` has the wrong form: {e}.", path()));
            parts(vec![json.read().map_err(wrong)?], path)
        }
    }
}

/// The parts of a tool's output. An object, which is not by the book, is taken as the text that it is.
pub(super) fn output_parts(
    content: Option<Content>,
    path: &dyn Fn() -> String,
) -> Result<Vec<Part>, Failure> {
    match content {
        Some(Content::Object(json)) => Ok(vec![Part::text(json.get())]),
        other => message_parts(other, path),
    }
}

fn parts(pieces: Vec<OneOf<Piece>>, path: &dyn Fn() -> String) -> Result<Vec<Part>, Failure> {
    let mut parts = Vec::with_capacity(pieces.len());
    for (index, piece) in pieces.into_iter().enumerate() {
        parts.push(match piece {
            OneOf::Known(tag, piece) => part(tag, piece).map_err(|missing| {
                let field = format!("{}[{index}]", path());
                let message = format!("`{field}` has none of {missing}: send one of them.");
                Failure::bad_request(field, message)
            })?,
            OneOf::Other(other) => Part::Opaque(opaque(other.json)),
        });
    }
    Ok(parts)
}

/// One part; the error names the members of which one is needed.
fn part(tag: PieceTag, piece: Piece) -> Result<Part, &'static str> {
    let cache = piece.breakpoint.map(|point| CacheHint { ttl: point.ttl, extra: foreign(point.extra) });
    let extra = foreign(piece.extra);
    Ok(match tag {
        PieceTag::Text => Part::Text(Text {
            text: piece.text.unwrap_or_default(),
            citations: piece.annotations.into_iter().filter(Json::is_object).map(citation::decode).collect(),
            logprobs: piece.logprobs.filter(|list| !is_empty_list(list)),
            cache,
            blob: None,
            extra,
        }),
        PieceTag::Refusal => {
            Part::Refusal(Refusal { text: piece.refusal.or(piece.text).unwrap_or_default(), extra })
        }
        PieceTag::Image => {
            let (url, url_detail) = piece.image_url.map_or((None, None), |i| (Some(i.url), i.detail));
            let source = match (url, piece.file_id) {
                (Some(url), _) => picture(url),
                (None, Some(id)) => Source::FileId(id),
                (None, None) => return Err("`image_url` and `file_id`"),
            };
            Part::Image(Image { source, detail: piece.detail.or(url_detail), cache, extra })
        }
        PieceTag::File => {
            let source = match (piece.file_data, piece.file_url, piece.file_id) {
                (Some(data), ..) => file(data, piece.filename.as_deref()),
                (_, Some(url), _) => Source::Url { url, media_type: None },
                (.., Some(id)) => Source::FileId(id),
                _ => return Err("`file_data`, `file_url` and `file_id`"),
            };
            Part::Document(Document {
                source,
                filename: piece.filename,
                title: None,
                context: None,
                citations: None,
                detail: piece.detail,
                cache,
                extra,
            })
        }
        PieceTag::Audio => {
            let Some(audio) = piece.input_audio else { return Err("`input_audio`") };
            let format = audio.format.unwrap_or_else(|| "wav".to_owned());
            let media_type =
                if format == "mp3" { "audio/mpeg".to_owned() } else { format!("audio/{format}") };
            let source = audio.data.map(|data| Source::Base64 { media_type, data });
            Part::Audio(Audio { source, format: Some(format), extra, ..Audio::default() })
        }
    })
}

/// Whether a list says nothing; servers send `[]` where nothing was asked for.
pub(in super::super) fn is_empty_list(list: &Json) -> bool {
    let inner = list.get().strip_prefix('[').and_then(|l| l.strip_suffix(']'));
    list.is_null() || inner.is_some_and(|l| l.trim().is_empty())
}

pub(in super::super) fn picture(url: String) -> Source {
    match media::parse_data_url(&url) {
        Some((media_type, data)) => media::base64_source(&media_type, data.into_owned()),
        None => Source::Url { url, media_type: None },
    }
}

/// `file_data` is a data URL by the book; the bare base64 that some clients send is labelled by what is known of it.
fn file(data: String, filename: Option<&str>) -> Source {
    if let Some((media_type, data)) = media::parse_data_url(&data) {
        return media::base64_source(&media_type, data.into_owned());
    }
    let extension = filename.and_then(|name| name.rsplit_once('.')).map(|(_, ext)| ext.to_ascii_lowercase());
    let media_type = match extension.as_deref() {
        // "%PDF-" in base64.
        _ if data.starts_with("JVBERi") => "application/pdf",
        Some("pdf") => "application/pdf",
        Some("txt" | "md" | "csv" | "log") => "text/plain",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    };
    media::base64_source(media_type, data)
}

/// A call of a client's tool.
pub(in super::super) fn tool_call(item: Item, flavour: Flavour) -> ToolCall {
    let arguments = match flavour {
        Flavour::Function | Flavour::ToolSearch | Flavour::LocalShell => item.arguments.or(item.input),
        Flavour::Custom => item.input.or(item.arguments),
    };
    ToolCall {
        call_id: item.call_id.unwrap_or_default(),
        item_id: item.id,
        name: item.name.unwrap_or_default(),
        namespace: item.namespace,
        flavour,
        arguments: arguments.unwrap_or_default().0,
        caller: item.caller.filter(|c| !c.is_null()),
        blob: None,
        status: item.status,
        cache: None,
        extra: foreign(item.extra),
    }
}

/// A seal in a request: a carrier of byok, or a vendor's own. `OpenAI`'s begin alike; whose the others are is unknown, and
/// they must go to nobody: a vendor that cannot read one refuses the conversation from then on.
fn seal(data: String) -> Option<Blob> {
    if carrier::is_marked(&data) {
        return carrier::unwrap(&data);
    }
    let family = if data.starts_with("gAAAA") { Family::Openai } else { Family::Other };
    Some(Blob { family, account: None, slot: BlobSlot::Thinking, data })
}

/// A reasoning item of an answer: there is no doubt about whose seal it bears.
pub(in super::super) fn thinking_of_vendor(item: Item) -> Thinking {
    let mut thinking = thinking(item);
    if let Some(blob) =
        thinking.blob.as_mut().filter(|blob| blob.family == Family::Other && blob.account.is_none())
    {
        blob.family = Family::Openai;
    }
    thinking
}

/// A reasoning item.
pub(super) fn thinking(item: Item) -> Thinking {
    let texts = |pieces: Vec<OneOf<Piece>>| {
        pieces
            .into_iter()
            .filter_map(|piece| match piece {
                OneOf::Known(PieceTag::Text, piece) => piece.text,
                _ => None,
            })
            .collect::<Vec<_>>()
    };
    let raw = match item.content {
        Some(Content::Text(text)) => vec![text],
        Some(Content::Pieces(pieces)) => texts(pieces),
        Some(Content::Object(_)) | None => Vec::new(),
    };
    let blob = item.encrypted_content.filter(|text| !text.is_empty()).and_then(seal);
    Thinking {
        summary: texts(item.summary),
        raw,
        redacted: Thinking::is_hidden(blob.as_ref()),
        blob,
        id: item.id,
        status: item.status,
        extra: foreign(item.extra),
    }
}
