//! From the tree to typed settings: a serde deserializer whose errors know the place, and what was expected there.

use super::{
    Entry, Node, Spot, Value,
    path::{KeyPath, looks_secret},
};
use crate::error::Problem;
use serde::{
    de::{
        self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, Visitor,
        value::StrDeserializer,
    },
    forward_to_deserialize_any,
};
use std::fmt;

/// More than this many errors at once help nobody.
const MOST_ERRORS: usize = 20;

/// Decodes the tree, or lists what does not fit.
///
/// serde stops at the first error. All settings are optional, so the place of the error is cut out and the rest is
/// tried again, until everything that is wrong has been found.
pub(crate) fn decode<T: DeserializeOwned>(root: &Node) -> Result<T, Vec<Problem>> {
    let mut rest = root.clone();
    let mut found: Vec<Problem> = Vec::new();
    let mut places: Vec<KeyPath> = Vec::new();
    loop {
        let misfit = match T::deserialize(&rest) {
            Ok(value) if found.is_empty() => return Ok(value),
            Ok(_) => return Err(found),
            Err(misfit) => misfit,
        };
        let (path, spot) = misfit.at.clone().unwrap_or_else(|| (root.path.clone(), root.spot.clone()));
        // A required key is missing below a place where the value of that key has just been cut out.
        let follows = misfit.missing && places.iter().any(|place| place.starts_with(&path));
        if !follows {
            found.push(misfit.into_problem(&spot, &path));
        }
        if !rest.prune(&path) || found.len() >= MOST_ERRORS {
            return Err(found);
        }
        places.push(path);
    }
}

/// A value does not fit. The texts never contain the value: it may be a secret.
#[derive(Debug)]
pub(crate) struct Misfit {
    at: Option<(KeyPath, Spot)>,
    what: String,
    hint: String,
    /// A required key is not there.
    missing: bool,
    /// The words that would have been right, where the value is one of a closed set.
    words: &'static [&'static str],
}

impl Misfit {
    fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { at: None, what: what.into(), hint: hint.into(), missing: false, words: &[] }
    }

    fn expected(expected: &str, found: &Node) -> Self {
        let hint = match &found.value {
            Value::Integer(_) | Value::Float(_) | Value::Bool(_) if expected == "text" => {
                "put the value in quotes"
            }
            Value::Text { .. } if expected.starts_with("a list") => {
                "write `[a, b]`, or one `- item` per line"
            }
            _ => "",
        };
        Self::new(format!("expected {expected}, found {}", found.value.kind()), hint)
    }

    fn at(mut self, path: &KeyPath, spot: &Spot) -> Self {
        self.at.get_or_insert_with(|| (path.clone(), spot.clone()));
        self
    }

    fn into_problem(self, spot: &Spot, path: &KeyPath) -> Problem {
        Problem::new(spot, path, self.what, self.hint)
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Misfit {}

impl de::Error for Misfit {
    /// Text of our own value types: the first line says what is wrong, the second what to do.
    fn custom<T: fmt::Display>(message: T) -> Self {
        let text = message.to_string();
        let (what, hint) = text.split_once('\n').unwrap_or((&text, ""));
        Self::new(what, hint)
    }

    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(format!("expected {expected}"), "")
    }

    fn invalid_value(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(format!("expected {expected}"), "")
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::new("unknown key", suggestion(field, expected))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let hint = nearest(variant, expected).map(|near| format!("did you mean `{near}`?"));
        let what = format!("expected one of {}", listed(expected));
        Self { words: expected, ..Self::new(what, hint.unwrap_or_default()) }
    }

    fn missing_field(field: &'static str) -> Self {
        Self { missing: true, ..Self::new(format!("`{field}` is missing"), format!("add `{field}: …`")) }
    }
}

/// What to write instead of an unknown word: the nearest known one, else all of them.
pub(crate) fn suggestion(word: &str, known: &[&str]) -> String {
    match nearest(word, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known here: {}", listed(known)),
    }
}

fn listed(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}

/// The known word nearest to `word`, if one is near enough to be a slip of the fingers.
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    if word.len() > 64 || looks_secret(word) {
        return None;
    }
    let plain = |text: &str| text.to_ascii_lowercase().replace(['-', '_', ' '], "");
    let word = plain(word);
    let distance = |known: &str| edits(&word, &plain(known));
    let best = known.iter().copied().min_by_key(|known| distance(known))?;
    (distance(best) <= (best.len() / 3).max(1)).then_some(best)
}

/// Edit distance in which two letters that changed places count once (optimal string alignment).
fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            let change = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let best = change.min(last[j] + 1).min(row[j - 1] + 1);
            row.push(if swap { best.min(before[j - 2] + 1) } else { best });
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

macro_rules! integers {
    ($($method:ident $visit:ident $type:ty),* $(,)?) => { $(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
            let number = match &self.value {
                Value::Integer(number) => Some(*number),
                Value::Text { text, loose: true } => text.trim().parse().ok(),
                _ => None,
            };
            match number.and_then(|number| <$type>::try_from(number).ok()) {
                Some(number) => visitor.$visit(number),
                None => {
                    let (least, most) = (<$type>::MIN, <$type>::MAX);
                    let range = format!("a whole number from {least} to {most}");
                    Err(if matches!(self.value, Value::Integer(_)) {
                        Misfit::new(format!("expected {range}"), "")
                    } else {
                        Misfit::expected(&range, self)
                    })
                }
            }
        }
    )* };
}

impl<'de> Deserializer<'de> for &'de Node {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Integer(number) => match (u64::try_from(*number), i64::try_from(*number)) {
                (Ok(number), _) => visitor.visit_u64(number),
                (_, Ok(number)) => visitor.visit_i64(number),
                _ => visitor.visit_i128(*number),
            },
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Text { text, .. } => visitor.visit_str(text),
            Value::List(items) => visitor.visit_seq(Items(items.iter())),
            Value::Table(entries) => visitor.visit_map(Entries { entries: entries.iter(), current: None }),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.value {
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Text { text, loose: true } if text == "true" => visitor.visit_bool(true),
            Value::Text { text, loose: true } if text == "false" => visitor.visit_bool(false),
            _ => Err(Misfit::expected("`true` or `false`", self)),
        }
    }

    integers! {
        deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64,
        deserialize_u8 visit_u8 u8,
        deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64,
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.value {
            Value::Text { text, .. } => visitor.visit_str(text),
            _ => Err(Misfit::expected("text", self)),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.value {
            Value::List(items) => visitor.visit_seq(Items(items.iter())),
            _ => Err(Misfit::expected("a list", self)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.value {
            Value::Table(entries) => visitor.visit_map(Entries { entries: entries.iter(), current: None }),
            _ => Err(Misfit::expected("a table (`key: value`)", self)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match &self.value {
            Value::Text { text, .. } => visitor.visit_enum(text.as_str().into_deserializer()),
            _ => Err(Misfit::expected(&format!("one of {}", listed(variants)), self)),
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i128 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

struct Items<'a>(std::slice::Iter<'a, Node>);

impl<'de> de::SeqAccess<'de> for Items<'de> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Misfit> {
        let Some(node) = self.0.next() else { return Ok(None) };
        seed.deserialize(node).map(Some).map_err(|misfit| misfit.at(&node.path, &node.spot))
    }
}

struct Entries<'a> {
    entries: std::slice::Iter<'a, Entry>,
    current: Option<&'a Node>,
}

impl<'de> de::MapAccess<'de> for Entries<'de> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        let Some(entry) = self.entries.next() else { return Ok(None) };
        self.current = Some(&entry.node);
        let key: StrDeserializer<'_, Misfit> = entry.key.as_str().into_deserializer();
        seed.deserialize(key).map(Some).map_err(|misfit| {
            let misfit = match misfit.words {
                [] if looks_secret(&entry.key) => {
                    Misfit::new("not a valid name", "is this a value in place of a key?")
                }
                [] => misfit,
                words => Misfit::new("unknown key", suggestion(&entry.key, words)),
            };
            misfit.at(&entry.node.path, &entry.key_spot)
        })
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let Some(node) = self.current.take() else {
            return Err(Misfit::new("a value was asked for before its key", ""));
        };
        seed.deserialize(node).map_err(|misfit| misfit.at(&node.path, &node.spot))
    }
}

#[cfg(test)]
mod tests;
