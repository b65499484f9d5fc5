//! The members of a request, whose values stay the bytes that they are.

use byok_types::{Blame, Failure, FailureKind};
use bytes::Bytes;
use indexmap::IndexMap;
use serde_json::{Value, value::RawValue};

/// A JSON object of which only the outermost names are looked at.
#[derive(Debug, Default)]
pub(crate) struct Members(IndexMap<String, Box<RawValue>>);

impl Members {
    pub(crate) fn read(body: &[u8]) -> Result<Self, Failure> {
        serde_json::from_slice(body).map(Self).map_err(|_| {
            Failure::new(
                FailureKind::BadRequest,
                Blame::Client,
                "the request must be a JSON object; correct its body.",
            )
        })
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<Box<RawValue>> {
        self.0.shift_remove(name)
    }

    /// The first of these members, parsed.
    pub(crate) fn get(&self, names: &[&str]) -> Option<Value> {
        names.iter().find_map(|name| serde_json::from_str(self.0.get(*name)?.get()).ok())
    }

    pub(crate) fn put(&mut self, name: &str, value: &Value) {
        if let Ok(raw) = RawValue::from_string(value.to_string()) {
            self.0.insert(name.to_owned(), raw);
        }
    }

    pub(crate) fn put_members(&mut self, name: &str, members: &Self) {
        if let Ok(raw) = serde_json::to_string(&members.0).and_then(RawValue::from_string) {
            self.0.insert(name.to_owned(), raw);
        }
    }

    pub(crate) fn write(&self) -> Bytes {
        // Texts and raw values can always be written.
        serde_json::to_vec(&self.0).unwrap_or_default().into()
    }
}

/// The body of a count: contents and the model, and nothing else is taken. Thoughts are not counted: they break it.
pub(super) fn count(request: Members, model: &str) -> Result<Bytes, Failure> {
    let inner = match request.0.get("generateContentRequest") {
        Some(inner) => Members::read(inner.get().as_bytes())?,
        None => request,
    };
    let mut contents = inner.get(&["contents"]).unwrap_or_else(|| Value::Array(Vec::new()));
    for content in contents.as_array_mut().into_iter().flatten() {
        if let Some(parts) = list_of(content, "parts") {
            parts.retain(|part| part["thought"] != true);
        }
    }
    if let Some(list) = contents.as_array_mut() {
        list.retain(|content| content["parts"].as_array().is_none_or(|parts| !parts.is_empty()));
    }
    let mut counted = Members::default();
    counted.put("model", &Value::from(format!("models/{model}")));
    counted.put("contents", &contents);
    let mut around = Members::default();
    around.put_members("request", &counted);
    Ok(around.write())
}

/// A list inside of an object, to be changed; nothing is added where there is none.
pub(crate) fn list_of<'a>(object: &'a mut Value, name: &str) -> Option<&'a mut Vec<Value>> {
    object.get_mut(name)?.as_array_mut()
}
