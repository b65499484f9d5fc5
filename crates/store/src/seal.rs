//! Sealing of secrets with XChaCha20-Poly1305.

use crate::StoreError;
use byok_types::Secret;
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use rand::{TryRng, rngs::SysRng};
use zeroize::{Zeroize, Zeroizing};

/// A sealing key.
pub(crate) type Key = Zeroizing<[u8; 32]>;

/// Form of what [`Sealer::seal`] gives: one byte of version, 24 bytes of nonce, ciphertext with tag.
const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;

/// Where a sealed value belongs. It opens nowhere else, so that values cannot be swapped between rows or columns.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) provider: &'a str,
    pub(crate) account: &'a str,
    pub(crate) column: &'static str,
}

impl Place<'_> {
    /// No identifier contains a `|`, so that two places never give the same text.
    fn associated_data(self) -> Vec<u8> {
        format!("{}|{}|{}|{VERSION}", self.provider, self.account, self.column).into_bytes()
    }
}

/// Seals and opens with one key.
pub(crate) struct Sealer(XChaCha20Poly1305);

impl Sealer {
    pub(crate) fn new(key: &Key) -> Self {
        Self(XChaCha20Poly1305::new((&**key).into()))
    }

    pub(crate) fn seal(&self, value: &str, place: Place<'_>) -> Result<Vec<u8>, StoreError> {
        let nonce: [u8; NONCE_BYTES] = random()?;
        let payload = Payload { msg: value.as_bytes(), aad: &place.associated_data() };
        // The cipher refuses only messages of 256 GiB and more.
        let text = self.0.encrypt(&XNonce::from(nonce), payload).map_err(|_| StoreError::Unsealable)?;
        let mut sealed = Vec::with_capacity(1 + NONCE_BYTES + text.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&text);
        Ok(sealed)
    }

    pub(crate) fn open(&self, sealed: &[u8], place: Place<'_>) -> Result<Secret, StoreError> {
        self.try_open(sealed, place).ok_or(StoreError::Unsealable)
    }

    fn try_open(&self, sealed: &[u8], place: Place<'_>) -> Option<Secret> {
        let (&version, rest) = sealed.split_first()?;
        let (nonce, text) = rest.split_first_chunk::<NONCE_BYTES>()?;
        if version != VERSION {
            return None;
        }
        let payload = Payload { msg: text, aad: &place.associated_data() };
        let opened = self.0.decrypt(&XNonce::from(*nonce), payload).ok()?;
        match String::from_utf8(opened) {
            Ok(text) => Some(Secret::new(text)),
            Err(error) => {
                error.into_bytes().zeroize();
                None
            }
        }
    }
}

/// Random bytes of the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    SysRng.try_fill_bytes(&mut bytes).map_err(|_| StoreError::NoRandomness)?;
    Ok(bytes)
}

/// Lower-case hexadecimal digits. The text never moves in memory, so that wiping it wipes all of it.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    text.extend(digits.filter_map(|digit| char::from_digit(digit.into(), 16)));
    text
}

#[cfg(test)]
mod tests;
