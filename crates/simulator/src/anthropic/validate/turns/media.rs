//! Pictures and documents.

use super::{Checked, bad};
use crate::seal::decode_any;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

/// First bytes of the formats that are taken.
const MAGIC: [(&[u8], &str); 5] = [
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"RIFF", "image/webp"),
];

pub(super) fn image(block: &Value, place: &str) -> Checked {
    let source = &block["source"];
    if source["type"] == "url" {
        return url(source, place);
    }
    let Some(data) = source["data"].as_str() else { return Ok(()) };
    let Ok(bytes) = STANDARD.decode(data) else {
        return Err(bad(format!("{place}.image.source.base64.data: The image data is not valid base64")));
    };
    let stated = source["media_type"].as_str().unwrap_or_default();
    match MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        Some((_, found)) if *found == stated => Ok(()),
        Some((_, found)) => Err(bad(format!(
            "{place}.image.source.base64: The image was specified using the {stated} media type, but the image appears to be a {found} image"
        ))),
        None => Err(bad(format!("{place}.image.source.base64.data: Could not process image"))),
    }
}

pub(super) fn document(block: &Value, place: &str) -> Checked {
    let source = &block["source"];
    match source["type"].as_str() {
        Some("url") => url(source, place),
        Some("base64") => {
            let pdf =
                source["data"].as_str().and_then(decode_any).is_some_and(|data| data.starts_with(b"%PDF"));
            if pdf {
                Ok(())
            } else {
                Err(bad(format!("{place}.document.source.base64.data: The PDF specified was not valid.")))
            }
        }
        Some("text") if source["data"] == "" => {
            Err(bad(format!("{place}.document.source.text.data: Text document must not be empty")))
        }
        _ => Ok(()),
    }
}

fn url(source: &Value, place: &str) -> Checked {
    if source["url"].as_str().is_some_and(|url| url.starts_with("https://") || url.starts_with("http://")) {
        return Ok(());
    }
    Err(bad(format!("{place}.source.url: Only HTTPS URLs are supported")))
}
