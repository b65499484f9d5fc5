//! Carriers: how a vendor's sealed reasoning travels through a client of another dialect.
//!
//! A client keeps only the opaque field that its own dialect has. A foreign blob is put there as
//! `byok1:FAMILY[.SLOT]:ACCOUNT:BASE64URL`; it is unwrapped again on the way back and sent to nobody but its family.

mod in_place;

pub use in_place::{Keep, may_bear_carriers, seal_edits};

use crate::{
    ir::{Blob, BlobSlot, Family},
    media,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

const MARK: &str = "byok1:";
/// What stands in the place of a family where a carrier holds a readable summary.
const SUMMARY: &str = "summary";

/// Words that Gemini takes in place of a signature. They seal nothing, wherever they stand.
pub(crate) const PLACEHOLDERS: [&str; 2] =
    ["skip_thought_signature_validator", "context_engineering_is_the_way_to_go"];

/// The carrier of a blob.
pub(crate) fn wrap(blob: &Blob) -> String {
    let slot = match blob.slot {
        BlobSlot::Thinking => "",
        BlobSlot::Redacted => ".redacted",
        BlobSlot::Call => ".call",
        BlobSlot::Text => ".text",
    };
    let account = blob.account.as_deref().unwrap_or_default();
    format!("{MARK}{}{slot}:{account}:{}", blob.family.name(), URL_SAFE_NO_PAD.encode(&blob.data))
}

/// Whether a text means to be a carrier, even if nothing can be unwrapped from it. Such a text is no vendor's seal.
pub(crate) fn is_marked(text: &str) -> bool {
    text.starts_with(MARK)
}

/// The same of a text in base64.
pub(crate) fn is_marked_base64(text: &str) -> bool {
    text.starts_with("Ynlvaz") && media::decode_text(text).is_some_and(|text| is_marked(&text))
}

/// The blob in a carrier; `None` for text that is not one.
pub(crate) fn unwrap(text: &str) -> Option<Blob> {
    let mut fields = text.strip_prefix(MARK)?.splitn(3, ':');
    let (name, account, data) = (fields.next()?, fields.next()?, fields.next()?);
    let (family, slot) = name.split_once('.').unwrap_or((name, ""));
    let family = [Family::Claude, Family::Openai, Family::Gemini, Family::Other]
        .into_iter()
        .find(|f| f.name() == family)?;
    let slot = match slot {
        "" => BlobSlot::Thinking,
        "redacted" => BlobSlot::Redacted,
        "call" => BlobSlot::Call,
        "text" => BlobSlot::Text,
        _ => return None,
    };
    let data = String::from_utf8(URL_SAFE_NO_PAD.decode(data).ok()?).ok()?;
    Some(Blob { family, account: (!account.is_empty()).then(|| account.to_owned()), slot, data })
}

/// The carrier of a summary that a model wrote in plain words: whoever serves the conversation next may read it.
pub(crate) fn wrap_summary(summary: &str) -> String {
    format!("{MARK}{SUMMARY}::{}", URL_SAFE_NO_PAD.encode(summary))
}

/// The summary in a carrier; `None` for anything else.
pub(crate) fn unwrap_summary(text: &str) -> Option<String> {
    let data = text.strip_prefix(MARK)?.strip_prefix(SUMMARY)?.strip_prefix("::")?;
    String::from_utf8(URL_SAFE_NO_PAD.decode(data).ok()?).ok().filter(|summary| !summary.trim().is_empty())
}

/// The carrier in base64, for slots that must be base64 (Gemini `thoughtSignature`).
pub(crate) fn wrap_base64(blob: &Blob) -> String {
    media::encode_text(&wrap(blob))
}

/// The blob in a base64 carrier.
pub(crate) fn unwrap_base64(text: &str) -> Option<Blob> {
    // base64 of the mark begins with these letters: most signatures are told apart without decoding them.
    if !text.starts_with("Ynlvaz") {
        return None;
    }
    unwrap(&media::decode_text(text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_come_back() {
        for family in [Family::Claude, Family::Openai, Family::Gemini, Family::Other] {
            for slot in [BlobSlot::Thinking, BlobSlot::Redacted, BlobSlot::Call, BlobSlot::Text] {
                for account in [None, Some("a1b2".to_owned())] {
                    let blob = Blob { family, account, slot, data: "E:q+/=ö".into() };
                    assert_eq!(unwrap(&wrap(&blob)).as_ref(), Some(&blob));
                    assert_eq!(unwrap_base64(&wrap_base64(&blob)).as_ref(), Some(&blob));
                }
            }
        }
    }

    #[test]
    fn summaries_come_back() {
        for summary in ["done", "a:b\n\"c\" ☂"] {
            let carrier = wrap_summary(summary);
            assert_eq!(unwrap_summary(&carrier).as_deref(), Some(summary));
            assert!(is_marked(&carrier) && unwrap(&carrier).is_none(), "{carrier}");
        }
        for text in
            ["", "gAAAA", "byok1:summary", "byok1:summary::", "byok1:summary::%%", "byok1:summary:a:YQ"]
        {
            assert!(unwrap_summary(text).is_none(), "{text}");
        }
    }

    #[test]
    fn other_text_is_not_a_carrier() {
        for text in [
            "",
            "EqQB",
            "byok1:",
            "byok1:claude",
            "byok1:claude::%%%",
            "byok1:nobody::AA",
            "byok1:claude.x::AA",
        ] {
            assert!(unwrap(text).is_none(), "{text}");
            assert!(unwrap_base64(text).is_none(), "{text}");
        }
    }
}
