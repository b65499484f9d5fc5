//! Media types, data URLs and base64.

use crate::ir::{Audio, Source};
use base64::{
    Engine,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use std::borrow::Cow;

/// Decodes the standard alphabet whether or not the padding is there.
const TOLERANT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// What a media type is, for the choice of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MediaKind {
    /// `image/*`
    Image,
    /// `application/pdf`
    Pdf,
    /// `audio/*`
    Audio,
    /// `video/*`
    Video,
    /// `text/*`
    Text,
    /// Anything else.
    Other,
}

/// The kind of a media type; parameters and case do not matter.
pub(crate) fn kind(media_type: &str) -> MediaKind {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.split('/').next() {
        Some("image") => MediaKind::Image,
        Some("audio") => MediaKind::Audio,
        Some("video") => MediaKind::Video,
        Some("text") => MediaKind::Text,
        _ if essence == "application/pdf" => MediaKind::Pdf,
        _ => MediaKind::Other,
    }
}

/// Whether an address is a data URL, even one that says nothing.
pub(crate) fn is_data_url(url: &str) -> bool {
    url.get(..5).is_some_and(|head| head.eq_ignore_ascii_case("data:"))
}

/// The type and the base64 of a data URL, which may be written as text with percent signs, too. `None` for other addresses and
/// for a data URL without a comma.
pub(crate) fn parse_data_url(url: &str) -> Option<(String, Cow<'_, str>)> {
    if !is_data_url(url) {
        return None;
    }
    let comma = memchr::memchr(b',', url.as_bytes())?;
    let (meta, data) = (url.get(5..comma)?, url.get(comma + 1..)?);
    let mut pieces = meta.split(';').map(str::trim);
    let media_type = pieces.next().filter(|t| !t.is_empty()).unwrap_or("text/plain").to_owned();
    let is_base64 = pieces.any(|p| p.eq_ignore_ascii_case("base64"));
    let data = match (is_base64, data.contains('%')) {
        (true, false) => Cow::Borrowed(data),
        (true, true) => Cow::Owned(String::from_utf8(unescaped(data)).ok()?),
        (false, _) => Cow::Owned(STANDARD.encode(unescaped(data))),
    };
    Some((media_type, data))
}

/// The bytes of text with `%XX` in it. A percent sign that begins no such thing stands for itself.
fn unescaped(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    while let [first, behind @ ..] = rest {
        let escaped = match (first, behind) {
            (b'%', [high, low, ..]) => digit(*high).zip(digit(*low)),
            _ => None,
        };
        if let Some((high, low)) = escaped {
            out.push(high << 4 | low);
            rest = &behind[2..];
        } else {
            out.push(*first);
            rest = behind;
        }
    }
    out
}

/// `data:TYPE;base64,DATA`.
pub(crate) fn data_url(media_type: &str, data: &str) -> String {
    let mut url = String::with_capacity(media_type.len() + data.len() + 13);
    url.push_str("data:");
    url.push_str(media_type);
    url.push_str(";base64,");
    url.push_str(data);
    url
}

/// A file name for a document that has none: its title, with the ending of its type.
pub(crate) fn file_name(title: Option<&str>, media_type: &str) -> String {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let extension = match essence.as_str() {
        "application/pdf" => "pdf",
        "application/json" => "json",
        "application/zip" => "zip",
        "application/rtf" | "text/rtf" => "rtf",
        "application/msword" => "doc",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => "docx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "xlsx",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation" => "pptx",
        "text/csv" => "csv",
        "text/html" => "html",
        "text/markdown" => "md",
        "image/png" => "png",
        "image/jpeg" => "jpg",
        "image/gif" => "gif",
        "image/webp" => "webp",
        other if other.starts_with("text/") => "txt",
        _ => "bin",
    };
    match title.filter(|title| !title.is_empty()) {
        Some(title) if title.to_ascii_lowercase().ends_with(&format!(".{extension}")) => title.to_owned(),
        Some(title) => format!("{title}.{extension}"),
        None => format!("document.{extension}"),
    }
}

/// A source of bytes in the request: the URL-safe alphabet becomes the standard one, and an image whose label lies is
/// labelled by its first bytes, because vendors refuse it otherwise.
pub(crate) fn base64_source(media_type: &str, data: String) -> Source {
    let data =
        if memchr::memchr2(b'-', b'_', data.as_bytes()).is_some() { standard_alphabet(data) } else { data };
    let media_type = match (kind(media_type), recognised(&data)) {
        (MediaKind::Image | MediaKind::Other, Some(real)) => real.to_owned(),
        _ if media_type.eq_ignore_ascii_case("image/jpg") => "image/jpeg".to_owned(),
        _ => media_type.to_owned(),
    };
    Source::Base64 { media_type, data }
}

fn standard_alphabet(data: String) -> String {
    let mut bytes = data.into_bytes();
    for byte in &mut bytes {
        match byte {
            b'-' => *byte = b'+',
            b'_' => *byte = b'/',
            _ => {}
        }
    }
    while !bytes.len().is_multiple_of(4) && bytes.len() % 4 != 1 {
        bytes.push(b'=');
    }
    // Only ASCII was exchanged for ASCII, so this is still UTF-8.
    String::from_utf8(bytes).unwrap_or_default()
}

/// The image type by the first bytes, if they are those of one.
fn recognised(data: &str) -> Option<&'static str> {
    let head = data.as_bytes().get(..24.min(data.len() / 4 * 4))?;
    let bytes = TOLERANT.decode(head).ok()?;
    match bytes.as_slice() {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xFF, 0xD8, 0xFF, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

/// Whether the text is base64 in either alphabet. Checks all of it without keeping the bytes.
pub(crate) fn is_base64(data: &str) -> bool {
    let body = data.trim_end_matches('=');
    data.len() - body.len() <= 2
        && body.len() % 4 != 1
        && body.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_'))
}

/// Standard base64 of text.
pub(crate) fn encode_text(text: &str) -> String {
    STANDARD.encode(text)
}

/// The text in base64 of either alphabet.
pub(crate) fn decode_text(data: &str) -> Option<String> {
    let bytes = TOLERANT.decode(data.replace('-', "+").replace('_', "/")).ok()?;
    String::from_utf8(bytes).ok()
}

/// What stands for sound of the model where an answer cannot carry sound: the words of it, if they are known.
pub(crate) fn sound_in_words(audio: &Audio) -> &str {
    let words = audio.transcript.as_deref().filter(|words| !words.is_empty());
    words.unwrap_or("[The model made sound, which this API cannot carry.]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_urls() {
        for (url, expected) in [
            ("data:image/png;base64,AAAA", Some(("image/png", "AAAA"))),
            ("DATA:image/png;charset=x;BASE64,AAAA", Some(("image/png", "AAAA"))),
            ("data:;base64,AAAA", Some(("text/plain", "AAAA"))),
            ("data:image/png;base64,AA%3D%3d", Some(("image/png", "AA=="))),
            ("data:text/plain,hello", Some(("text/plain", "aGVsbG8="))),
            ("data:,%C3%BC%2", Some(("text/plain", "w7wlMg=="))),
            ("data:image/svg+xml;utf8,<svg/>", Some(("image/svg+xml", "PHN2Zy8+"))),
            ("data:image/svg+xml,%3Csvg%2F%3E", Some(("image/svg+xml", "PHN2Zy8+"))),
            ("data:image/png;base64", None),
            ("https://example.org/a.png", None),
            ("data", None),
            ("däta:", None),
        ] {
            let found = parse_data_url(url);
            assert_eq!(found.as_ref().map(|(t, d)| (t.as_str(), &**d)), expected, "{url}");
        }
        assert_eq!(data_url("image/png", "AA=="), "data:image/png;base64,AA==");
    }

    #[test]
    fn labels_that_lie_are_corrected_and_alphabets_are_made_standard() {
        let png = STANDARD.encode(b"\x89PNG\r\n\x1a\n0000000000000000");
        let cases = [
            ("image/jpeg", png.clone(), "image/png", png.clone()),
            ("application/octet-stream", png.clone(), "image/png", png.clone()),
            ("image/jpg", "AAAA".into(), "image/jpeg", "AAAA".into()),
            ("image/png", "-_8".into(), "image/png", "+/8=".into()),
            ("application/pdf", png.clone(), "application/pdf", png),
        ];
        for (label, data, media, expected) in cases {
            let found = base64_source(label, data);
            assert_eq!(found, Source::Base64 { media_type: media.into(), data: expected }, "{label}");
        }
    }

    #[test]
    fn base64_is_recognised() {
        for (text, is) in
            [("AAAA", true), ("AA==", true), ("-_8", true), ("A", false), ("a b", false), ("ä", false)]
        {
            assert_eq!(is_base64(text), is, "{text}");
        }
    }
}
