//! Opaque reasoning blobs: issued here, and recognised when they come back.

use crate::models::Maker;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use sha2::{Digest, Sha256};

/// First bytes by which blobs of a vendor can be told apart in the base64 text: Claude's begin with `E`, `OpenAI`'s with
/// `gAAAA`, Gemini's with `C`.
const fn lead(maker: Maker) -> &'static [u8] {
    match maker {
        Maker::Anthropic => &[0x12],
        Maker::Openai => &[0x80, 0, 0, 0, 0],
        Maker::Google => &[0x0a],
    }
}

const MAC: usize = 16;
const TAG: usize = 8;

/// Issues and checks blobs. Two simulators with the same seed accept each other's.
pub(crate) struct Seal {
    secret: [u8; 32],
}

/// A blob that this simulator issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    /// Hash of what it is bound to (an account), all zero if nothing.
    pub(crate) bound: [u8; TAG],
    /// Hash of the text it belongs to.
    pub(crate) text: [u8; TAG],
}

/// Hash of a text, as it stands in a blob.
pub(crate) fn tag(text: &str) -> [u8; TAG] {
    let mut tag = [0; TAG];
    tag.copy_from_slice(&Sha256::digest(text.as_bytes())[..TAG]);
    tag
}

impl Seal {
    pub(crate) fn new(seed: u64) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"byok-simulator seal");
        hash.update(seed.to_be_bytes());
        Self { secret: hash.finalize().into() }
    }

    fn mac(&self, maker: Maker, payload: &[u8]) -> [u8; MAC] {
        let mut hash = Sha256::new();
        hash.update(self.secret);
        hash.update(lead(maker));
        hash.update(payload);
        let mut mac = [0; MAC];
        mac.copy_from_slice(&hash.finalize()[..MAC]);
        mac
    }

    /// A blob for `text`, bound to `account` if one is given.
    pub(crate) fn issue(&self, maker: Maker, account: Option<&str>, text: &str) -> String {
        let mut payload = Vec::with_capacity(64);
        payload.extend(account.map_or([0; TAG], tag));
        payload.extend(tag(text));
        let mac = self.mac(maker, &payload);
        let mut blob = lead(maker).to_vec();
        blob.extend(payload);
        blob.extend(mac);
        match maker {
            Maker::Openai => URL_SAFE.encode(blob),
            Maker::Anthropic | Maker::Google => STANDARD.encode(blob),
        }
    }

    /// What a blob says, if `maker` issued it here.
    pub(crate) fn open(&self, maker: Maker, blob: &str) -> Option<Opened> {
        let bytes = decode_any(blob)?;
        let rest = bytes.strip_prefix(lead(maker))?;
        let (payload, mac) = rest.split_at_checked(2 * TAG)?;
        if mac != self.mac(maker, payload) {
            return None;
        }
        let (bound, text) = payload.split_at(TAG);
        Some(Opened { bound: bound.try_into().ok()?, text: text.try_into().ok()? })
    }
}

/// Decodes base64 of either alphabet, padded or not.
pub(crate) fn decode_any(text: &str) -> Option<Vec<u8>> {
    [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD]
        .into_iter()
        .find_map(|engine| engine.decode(text).ok())
}

#[cfg(test)]
mod tests;
