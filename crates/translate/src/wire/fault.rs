//! Where a JSON text has the wrong form.

use serde::{Deserialize, de};
use serde_path_to_error::Segment;
use std::fmt::{self, Write as _};

/// One step of the way to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Into the member of an object.
    Member(String),
    /// To the entry of a list.
    Entry(usize),
}

/// A value of the wrong form.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The way to it; empty if the whole is wrong.
    pub(crate) path: Vec<Step>,
    /// What is wrong, in serde's words.
    pub(crate) reason: String,
}

/// Around the path in the message of an error that comes from a text within the text: serde knows no other way.
const MARK: char = '\u{1}';

impl Fault {
    /// What is wrong with `json` as a `T`. Slow: only for texts that are known to be wrong.
    pub(crate) fn of<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Option<Self> {
        Self::in_reading::<T, _>(&mut serde_json::Deserializer::from_slice(json))
    }

    fn in_reading<'de, T: Deserialize<'de>, D: de::Deserializer<'de>>(deserializer: D) -> Option<Self> {
        let error = serde_path_to_error::deserialize::<_, T>(deserializer).err()?;
        let steps = error.path().iter().map(|segment| match segment {
            Segment::Seq { index } => Some(Step::Entry(*index)),
            Segment::Map { key } => Some(Step::Member(key.clone())),
            Segment::Enum { .. } | Segment::Unknown => None,
        });
        let mut path: Vec<_> = steps.map_while(|step| step).collect();
        let message = error.inner().to_string();
        let mut pieces = message.splitn(3, MARK);
        let reason = match (pieces.next(), pieces.next(), pieces.next()) {
            (Some(""), Some(inner), Some(reason)) => {
                path.extend(inner.split('\n').filter_map(|step| match step.split_at_checked(1)? {
                    ("#", index) => index.parse().ok().map(Step::Entry),
                    (_, name) => Some(Step::Member(name.to_owned())),
                }));
                reason.to_owned()
            }
            _ => message,
        };
        Some(Self { path, reason })
    }

    /// The error of a text within the text, with the way to what is wrong in it.
    pub(crate) fn within<'de, T: Deserialize<'de>, D: de::Deserializer<'de>, E: de::Error>(
        inner: D,
        error: impl fmt::Display,
    ) -> E {
        let Some(Self { path, reason }) = Self::in_reading::<T, _>(inner) else { return E::custom(error) };
        let mut message = String::from(MARK);
        for (at, step) in path.iter().enumerate() {
            let gap = if at > 0 { "\n" } else { "" };
            let _ = match step {
                Step::Member(name) => write!(message, "{gap}.{}", name.replace(['\n', MARK], " ")),
                Step::Entry(index) => write!(message, "{gap}#{index}"),
            };
        }
        message.push(MARK);
        E::custom(message + &reason)
    }

    /// The way to it in the usual spelling: `messages[0].content`.
    pub(crate) fn field(&self) -> String {
        let mut field = String::new();
        for step in &self.path {
            let gap = if field.is_empty() { "" } else { "." };
            let _ = match step {
                Step::Member(name) => write!(field, "{gap}{name}"),
                Step::Entry(index) => write!(field, "[{index}]"),
            };
        }
        field
    }
}
