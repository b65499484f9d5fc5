use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};
use std::fmt;

/// A token, key or password. It has no `Display`, is not serialisable, and its `Debug` shows nothing of the value.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps a secret value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(SecretString::from(value.into()))
    }

    /// The value itself. Call it only where the value is put on the wire or sealed.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// SHA-256 of the value, to recognise it again without keeping it.
    pub fn hash(&self) -> SecretHash {
        SecretHash::of(self.expose())
    }

    /// Whether the value is empty or only white space, which never counts as a secret.
    pub fn is_blank(&self) -> bool {
        self.expose().trim().is_empty()
    }

    /// Whether the value can stand in a header: not blank, and only printable ASCII.
    pub fn is_sendable(&self) -> bool {
        !self.is_blank() && self.expose().bytes().all(|b| b == b' ' || b.is_ascii_graphic())
    }

    /// The last four characters for people to recognise a key by; nothing when it is too short to spare them.
    pub fn last4(&self) -> &str {
        let value = self.expose();
        if value.len() >= 16 && value.is_ascii() { &value[value.len() - 4..] } else { "" }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// SHA-256 of a secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SecretHash(pub [u8; 32]);

impl SecretHash {
    /// Hashes a secret value.
    pub fn of(value: &str) -> Self {
        Self(Sha256::digest(value.as_bytes()).into())
    }

    /// The first 4 bytes in hexadecimal: a label that tells secrets apart and reveals nothing.
    pub fn short(&self) -> String {
        let [a, b, c, d, ..] = self.0;
        format!("{a:02x}{b:02x}{c:02x}{d:02x}")
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretHash({})", self.short())
    }
}
