//! What the events of a stream and the whole answer look like.

use super::super::failure;
use crate::{
    Json,
    ir::{Extra, Failure},
    wire::{unescaped, wire},
};
use byok_types::{Blame, Dialect, FailureKind};
use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny},
};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt};

/// All members that any event has.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Frame<'a> {
    #[serde(borrow, default, rename = "type")]
    pub(super) kind: Word<'a>,
    #[serde(borrow, default)]
    pub(super) item_id: Word<'a>,
    #[serde(default)]
    pub(super) sequence_number: Index,
    #[serde(default)]
    pub(super) output_index: Index,
    #[serde(default)]
    pub(super) content_index: Index,
    #[serde(default)]
    pub(super) summary_index: Index,
    #[serde(borrow, default, deserialize_with = "Word::of_text")]
    pub(super) delta: Word<'a>,
    #[serde(borrow, default)]
    pub(super) text: Word<'a>,
    #[serde(borrow, default)]
    pub(super) refusal: Word<'a>,
    #[serde(borrow, default)]
    pub(super) input: Word<'a>,
    #[serde(borrow)]
    pub(super) arguments: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) logprobs: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) part: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) item: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) annotation: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) response: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) error: Option<&'a RawValue>,
    #[serde(borrow)]
    code: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    param: Option<&'a RawValue>,
    #[serde(borrow)]
    status: Option<&'a RawValue>,
    #[serde(borrow)]
    status_code: Option<&'a RawValue>,
}

impl Frame<'_> {
    /// The members of an error event as an error body.
    pub(super) fn as_error(&self) -> Json {
        let members = [
            ("error", self.error),
            ("code", self.code),
            ("message", self.message),
            ("param", self.param),
            ("status", self.status.or(self.status_code)),
        ];
        let members: Vec<_> =
            members.into_iter().filter_map(|(name, raw)| Some((name, Json::from(raw?.to_owned())))).collect();
        super::super::wire::object(members.iter().map(|(name, value)| (*name, value)))
    }
}

/// A string, borrowed if it has no escapes; anything else is taken as absent.
#[derive(Debug, Default)]
pub(super) struct Word<'a>(Option<Cow<'a, str>>);

impl<'a> Word<'a> {
    pub(super) fn get(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// Reads a string that probably has escapes.
    fn of_text<'de: 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?;
        match unescaped(raw.get()) {
            Some(text) => Ok(Self(Some(text))),
            None => serde_json::from_str(raw.get()).map_err(de::Error::custom),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Word<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Lenient).map(|found| match found {
            Found::Text(text) => Self(Some(text)),
            Found::Number(_) | Found::Else => Self(None),
        })
    }
}

/// A number that counts; anything else is taken as absent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Index(pub(super) Option<u64>);

impl<'de> Deserialize<'de> for Index {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Lenient).map(|found| match found {
            Found::Number(number) => Self(Some(number)),
            Found::Text(_) | Found::Else => Self(None),
        })
    }
}

enum Found<'a> {
    Text(Cow<'a, str>),
    Number(u64),
    Else,
}

struct Lenient;

impl<'de> de::Visitor<'de> for Lenient {
    type Value = Found<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Found<'de>, E> {
        Ok(Found::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Found<'de>, E> {
        Ok(Found::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Found<'de>, E> {
        Ok(Found::Number(number))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Found<'de>, E> {
        Ok(Found::Else)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Found<'de>, E> {
        Ok(Found::Else)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Found<'de>, E> {
        Ok(Found::Else)
    }

    fn visit_unit<E>(self) -> Result<Found<'de>, E> {
        Ok(Found::Else)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Found<'de>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Found::Else)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Found<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Found::Else)
    }
}

/// What an answer says about itself from its first event on.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Head {
    pub(super) id: Option<String>,
    pub(super) model: Option<String>,
    pub(super) created_at: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct IncompleteDetails {
    pub(super) reason: Option<String>,
}

wire! {
    /// A whole answer. What a request said and an answer repeats is not taken from the upstream: byok knows what the client
    /// said.
    pub(super) struct Answer {
        "id" => id: Option<Json>,
        "object" => object: Option<Json>,
        "model" => model: Option<Json>,
        "created_at" => created_at: Option<Json>,
        "completed_at" => completed_at: Option<Json>,
        "status" => status: Option<String>,
        "error" => error: Option<Json>,
        "incomplete_details" => incomplete_details: Option<IncompleteDetails>,
        "output" => output: Vec<Json>,
        "usage" => usage: Option<Json>,
        "instructions" => instructions: Option<Json>,
        "tools" => tools: Option<Json>,
        "tool_choice" => tool_choice: Option<Json>,
        "metadata" => metadata: Option<Json>,
        "previous_response_id" => previous_response_id: Option<Json>,
        "prompt_cache_key" => prompt_cache_key: Option<Json>,
        "safety_identifier" => safety_identifier: Option<Json>,
        "user" => user: Option<Json>,
    }
}

impl Answer {
    pub(super) fn head(&self) -> Head {
        let text = |value: &Option<Json>| value.as_ref().and_then(Json::as_string);
        let created_at = self.created_at.as_ref().and_then(|at| at.read().ok());
        Head { id: text(&self.id), model: text(&self.model), created_at }
    }

    /// Whether no member of a response is there: then it is something else.
    pub(super) fn says_nothing(&self) -> bool {
        self.id.is_none() && self.status.is_none() && self.output.is_empty()
    }

    /// The failure that stands in the place of an answer.
    pub(super) fn failure(&self) -> Option<Failure> {
        if let Some(status @ ("queued" | "in_progress")) = self.status.as_deref() {
            // Nothing has been said yet, and only a client of this dialect knows how to ask again.
            let message = format!(
                "The upstream puts the answer off (`status: {status}`), which only a client of the Responses API can wait for. \
                 Ask without `background`."
            );
            return Some(Failure::new(FailureKind::Server, Blame::Upstream, message).with_status(502));
        }
        let error = self.error.as_ref().filter(|error| !error.is_null());
        let failed = self.status.as_deref() == Some("failed") || (error.is_some() && self.output.is_empty());
        failed.then(|| failure::of_error(&error.cloned().unwrap_or_else(Json::empty_object)))
    }

    /// Members that byok keeps as they are: those that it does not know, and settings as the upstream resolved them.
    pub(super) fn envelope(&mut self) -> Extra {
        Extra::new(Dialect::Responses, std::mem::take(&mut self.extra))
    }

    /// A member that byok does not type, if it is a string.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.extra.iter().find(|(key, _)| key == name).and_then(|(_, value)| value.as_string())
    }
}

/// The `id` of an object, if it is a string without escapes.
pub(super) fn id_within(json: &str) -> Option<&str> {
    #[derive(Deserialize)]
    struct Id<'a> {
        id: Option<&'a str>,
    }
    serde_json::from_str::<Id<'_>>(json).ok().and_then(|found| found.id).filter(|id| !id.is_empty())
}
