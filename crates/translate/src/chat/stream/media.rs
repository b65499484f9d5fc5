//! Pictures and sound in an answer.

use crate::{
    chat::loose::{Raw, filled, number, read, text},
    ir::{Audio, Extra, Image, Part, Source},
    media,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(default)]
struct ImageEntry<'a> {
    #[serde(borrow)]
    image_url: Raw<'a>,
    #[serde(borrow)]
    url: Raw<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Target<'a> {
    #[serde(borrow)]
    url: Raw<'a>,
}

/// The addresses in `images`, an addition of several gateways: `[{"type":"image_url","image_url":{"url":…}}]`.
pub(super) fn image_urls(list: Raw<'_>) -> Vec<String> {
    let list: Vec<ImageEntry<'_>> = read(list).unwrap_or_default();
    list.iter().filter_map(|entry| target(entry.image_url.or(entry.url))).collect()
}

/// An address: a string or an object with `url`.
pub(super) fn target(raw: Raw<'_>) -> Option<String> {
    filled(raw).or_else(|| filled(read::<Target<'_>>(raw)?.url)).map(Into::into)
}

/// A picture at an address or in a data URL.
pub(super) fn image(url: String) -> Part {
    let source = match media::parse_data_url(&url) {
        Some((media_type, data)) => media::base64_source(&media_type, data.into_owned()),
        None => Source::Url { url, media_type: None },
    };
    Part::Image(Image { source, detail: None, cache: None, extra: Extra::default() })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SoundPiece<'a> {
    #[serde(borrow)]
    id: Raw<'a>,
    #[serde(borrow)]
    data: Raw<'a>,
    #[serde(borrow)]
    transcript: Raw<'a>,
    #[serde(borrow)]
    expires_at: Raw<'a>,
}

/// Sound, put together from its pieces. Each piece of a stream is base64 by itself.
#[derive(Debug, Default)]
pub(super) struct Sound {
    id: Option<String>,
    data: Vec<String>,
    transcript: String,
    expires_at: Option<i64>,
}

impl Sound {
    pub(super) fn push(&mut self, raw: Raw<'_>) {
        let Some(piece) = read::<SoundPiece<'_>>(raw) else { return };
        if let Some(id) = filled(piece.id) {
            self.id = Some(id.into_owned());
        }
        self.data.extend(filled(piece.data).map(String::from));
        self.transcript.push_str(&text(piece.transcript).unwrap_or_default());
        self.expires_at = number(piece.expires_at).and_then(|at| i64::try_from(at).ok()).or(self.expires_at);
    }

    /// The sound as one part. Given once.
    pub(super) fn take(&mut self) -> Option<Part> {
        let sound = std::mem::take(self);
        if sound.id.is_none() && sound.data.is_empty() {
            return None;
        }
        let data = match <[String; 1]>::try_from(sound.data) {
            Ok([one]) => one,
            Err(pieces) => {
                let bytes: Vec<u8> =
                    pieces.iter().filter_map(|piece| STANDARD.decode(piece).ok()).flatten().collect();
                STANDARD.encode(bytes)
            }
        };
        let source =
            (!data.is_empty()).then(|| Source::Base64 { media_type: sound_type(&data).to_owned(), data });
        let transcript = (!sound.transcript.is_empty()).then_some(sound.transcript);
        let (id, expires_at) = (sound.id, sound.expires_at);
        Some(Part::Audio(Audio { source, id, transcript, expires_at, ..Audio::default() }))
    }
}

/// The media type by the first bytes: the answer does not name it. Bare samples have no mark.
fn sound_type(data: &str) -> &'static str {
    match data.as_bytes() {
        [b'U', b'k', b'l', b'G', ..] => "audio/wav",
        [b'S', b'U', b'Q', b'z', ..] | [b'/', b'/', ..] => "audio/mpeg",
        [b'T', b'2', b'd', b'n', ..] => "audio/ogg",
        [b'Z', b'k', b'x', b'h', ..] => "audio/flac",
        _ => "audio/pcm",
    }
}
