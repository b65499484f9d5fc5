//! The members of a request, whose values stay the bytes that they are.

use byok_translate::Losses;
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

/// The name of a model in Code Assist, where it differs.
pub(super) fn wire_name(model: &str) -> &str {
    // Source: the vendor's own program, version 0.61.0.
    if model == "gemini-3.5-flash" { "gemini-3-flash" } else { model }
}

/// Members of `generationConfig` that Code Assist knows: what its own program, version 0.61.0, can send.
const CONFIG: [&str; 21] = [
    "temperature",
    "topP",
    "topK",
    "candidateCount",
    "maxOutputTokens",
    "stopSequences",
    "responseLogprobs",
    "logprobs",
    "presencePenalty",
    "frequencyPenalty",
    "seed",
    "responseMimeType",
    "responseJsonSchema",
    "responseSchema",
    "routingConfig",
    "modelSelectionConfig",
    "responseModalities",
    "mediaResolution",
    "speechConfig",
    "audioTimestamp",
    "thinkingConfig",
];

/// Fits `generationConfig` to Code Assist: what it does not know is a bad request there, and so is a longest answer beyond
/// the model's.
pub(super) fn config(request: &mut Members, most: Option<u32>, losses: &mut Losses) {
    let Some(Value::Object(mut config)) = request.get(&["generationConfig"]) else { return };
    let before = config.clone();
    // Both spellings are read: `maxOutputTokens`, and `max_output_tokens` of clients in Python.
    let is = |name: &str, known: &str| name.replace('_', "").eq_ignore_ascii_case(known);
    config.retain(|name, _| {
        let known = CONFIG.iter().any(|known| is(name, known));
        if !known {
            losses.dropped(format!("generationConfig.{name}"), "Code Assist does not know it");
        }
        known
    });
    let limit = config.iter_mut().find(|(name, _)| is(name, "maxOutputTokens"));
    if let (Some((_, limit)), Some(most)) = (limit, most)
        && limit.as_u64().is_some_and(|limit| limit > u64::from(most))
    {
        *limit = most.into();
    }
    if config != before {
        request.put("generationConfig", &Value::Object(config));
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
