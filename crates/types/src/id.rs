use serde::{Deserialize, Serialize};
use std::fmt;

/// The text cannot be used as an identifier of this kind.
#[derive(Debug, thiserror::Error)]
#[error("`{value}` is not a valid {what}: use 1 to {max} letters, digits or `-_.@+`")]
pub struct InvalidId {
    what: &'static str,
    value: String,
    max: usize,
}

macro_rules! text_id {
    ($(#[$meta:meta])* $name:ident, $what:literal, $max:literal) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// Checks and wraps `text`.
            pub fn new(text: impl Into<String>) -> Result<Self, InvalidId> {
                let text = text.into();
                let legal = |c: char| c.is_ascii_alphanumeric() || "-_.@+".contains(c);
                if text.is_empty() || text.len() > $max || !text.chars().all(legal) {
                    return Err(InvalidId { what: $what, value: text.chars().take(80).collect(), max: $max });
                }
                Ok(Self(text.into()))
            }

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.into()
            }
        }
    };
}

text_id!(
    /// The name of a provider as it stands in the config: a built-in name such as `claude`, or a name the owner chose.
    ProviderId, "provider name", 64
);
text_id!(
    /// An account of a provider. Opaque; never an e-mail address, never used as a file name.
    AccountId, "account id", 128
);
text_id!(
    /// A client key of byok (the key that a tool sends to byok).
    ClientKeyId, "client key id", 128
);
impl AccountId {
    /// The beginning of an id that byok has made, which is enough to tell accounts apart; any other id as it is.
    pub fn short(&self) -> &str {
        let made = self.0.len() == 32 && self.0.bytes().all(|byte| byte.is_ascii_hexdigit());
        if made { &self.0[..8] } else { &self.0 }
    }
}

text_id!(
    /// One request, as told to the client in `x-request-id`.
    RequestId, "request id", 128
);
