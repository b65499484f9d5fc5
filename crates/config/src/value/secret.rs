//! Secrets in settings. `{ file: PATH }` and `${NAME}` have been replaced by the value before this is asked.

use crate::tree::substitute::is_name;
use byok_types::Secret;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::collections::BTreeSet;

/// A key of this length cannot be guessed, if it was not made up by a person.
const SHORTEST: usize = 20;
/// Longer keys are refused at the door, before anything is compared.
const LONGEST: usize = 256;
/// Words that stand in published examples of this and similar programs, never in a random key.
const EXAMPLE_WORDS: [&str; 10] = [
    "your-",
    "your_",
    "changeme",
    "change-me",
    "change_me",
    "example",
    "placeholder",
    "replace-me",
    "replace_me",
    "secret-key",
];

fn in_a_header(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A vendor's key: anything that can stand in a header.
pub(crate) fn upstream<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.trim().is_empty() {
        return Err(D::Error::custom("the key is empty\nremove it if the server needs no key"));
    }
    if !in_a_header(&text) {
        return Err(D::Error::custom(
            "the key contains a space, a line break or a character that is not ASCII\ncopy it again without what stands around it",
        ));
    }
    Ok(Secret::new(text))
}

/// A vendor's key that may be left empty.
pub(crate) fn upstream_option<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Secret>, D::Error> {
    upstream(deserializer).map(Some)
}

/// The variable that a key is read from and that is not set, where the keys are of no matter and stand as they are written.
pub fn unset_variable(secret: &Secret) -> Option<&str> {
    variable(secret.expose())
}

/// A text that is nothing but `${NAME}`.
pub(crate) fn variable(text: &str) -> Option<&str> {
    text.strip_prefix("${")?.strip_suffix('}').filter(|name| is_name(name))
}

fn check_own(text: &str) -> Result<(), &'static str> {
    if text.trim().is_empty() {
        return Err("the key is empty\nmake one with `openssl rand -hex 24`");
    }
    if !in_a_header(text) {
        return Err(
            "the key contains a space or a character that is not ASCII\nmake one with `openssl rand -hex 24`",
        );
    }
    if text.len() < SHORTEST {
        return Err("the key is shorter than 20 characters\nmake one with `openssl rand -hex 24`");
    }
    if text.len() > LONGEST {
        return Err("the key is longer than 256 characters\nmake one with `openssl rand -hex 24`");
    }
    let lower = text.to_ascii_lowercase();
    let letters: BTreeSet<u8> = lower.bytes().collect();
    if letters.len() < 8 || EXAMPLE_WORDS.iter().any(|word| lower.contains(word)) {
        return Err(
            "the key looks like one from an example that everybody knows\nmake one with `openssl rand -hex 24`",
        );
    }
    Ok(())
}

/// A key that guards byok itself.
pub(crate) fn own<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    let text = String::deserialize(deserializer)?;
    // One that is not set has no length; where it would be used it has been refused before.
    if variable(&text).is_none() {
        check_own(&text).map_err(D::Error::custom)?;
    }
    Ok(Secret::new(text))
}

/// A secret that guards byok itself. Empty means that there is none, never that the empty text matches.
pub(crate) fn own_option<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Ok(None);
    }
    check_own(&text).map_err(D::Error::custom)?;
    Ok(Some(Secret::new(text)))
}

/// What people may see of a secret: that it is there, and how it ends.
pub(crate) fn shown(secret: &Secret) -> String {
    if let Some(name) = unset_variable(secret) {
        return format!("(`{name}`, not set here)");
    }
    match secret.last4() {
        "" => "(set)".to_owned(),
        last4 => format!("(set, …{last4})"),
    }
}

pub(crate) fn serialize<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&shown(secret))
}

#[expect(clippy::ref_option, reason = "the signature that serde calls")]
pub(crate) fn serialize_option<S: Serializer>(
    secret: &Option<Secret>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => serialize(secret, serializer),
        None => serializer.serialize_none(),
    }
}

/// A password that a person may have made up: not even its end is shown.
#[expect(clippy::ref_option, reason = "the signature that serde calls")]
pub(crate) fn serialize_password<S: Serializer>(
    secret: &Option<Secret>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(|_| "(set)").serialize(serializer)
}

pub(crate) fn schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "description": "A secret: the text itself, `${NAME}` of a variable, or a file that holds it.",
        "anyOf": [
            { "type": "string" },
            {
                "type": "object",
                "properties": { "file": { "type": "string" } },
                "required": ["file"],
                "additionalProperties": false
            }
        ]
    })
}
