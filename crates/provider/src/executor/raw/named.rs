//! The names of models inside of Gemini's bodies: the path names the model, and some bodies name it again.

use byok_translate::scan::Edit;
use serde::Deserialize;
use serde_json::value::RawValue;

/// A body that names models: beside what is counted or embedded, and in each piece of it.
#[derive(Deserialize)]
struct Outer<'a> {
    #[serde(borrow, default)]
    model: Option<&'a RawValue>,
    #[serde(borrow, default)]
    requests: Vec<Inner<'a>>,
    #[serde(borrow, default, rename = "generateContentRequest", alias = "generate_content_request")]
    counted: Option<Inner<'a>>,
}

#[derive(Deserialize)]
struct Inner<'a> {
    #[serde(borrow, default)]
    model: Option<&'a RawValue>,
}

/// The edits that name another model everywhere. A body that is not as it should be is the vendor's to refuse.
pub(in crate::executor) fn renamed(body: &[u8], model: &str) -> Vec<Edit> {
    let Ok(read) = serde_json::from_slice::<Outer<'_>>(body) else { return Vec::new() };
    let text = serde_json::Value::from(format!("models/{model}")).to_string();
    let inner = read.requests.iter().chain(&read.counted).map(|one| one.model);
    inner
        .chain([read.model])
        .flatten()
        .filter_map(|name| {
            let start = name.get().as_ptr().addr().checked_sub(body.as_ptr().addr())?;
            Some(Edit { range: start..start + name.get().len(), text: text.clone() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use byok_translate::scan::splice;
    use bytes::Bytes;

    #[test]
    fn the_model_is_named_anew_wherever_it_stands() {
        for (body, expected) in [
            (
                r#"{"requests":[{"model":"models/gemini/g","content":{}},{"model":"x"}]}"#,
                r#"{"requests":[{"model":"models/g","content":{}},{"model":"models/g"}]}"#,
            ),
            (r#"{"model": "g(high)" }"#, r#"{"model": "models/g" }"#),
            (
                r#"{"generateContentRequest":{"contents":[{"model":1}], "model":"models/gemini/g"}}"#,
                r#"{"generateContentRequest":{"contents":[{"model":1}], "model":"models/g"}}"#,
            ),
            (
                r#"{"generate_content_request":{"model":"a"}}"#,
                r#"{"generate_content_request":{"model":"models/g"}}"#,
            ),
            (r#"{"generateContentRequest":{}}"#, r#"{"generateContentRequest":{}}"#),
            ("[", "["),
        ] {
            let edited = splice(&Bytes::from_static(body.as_bytes()), renamed(body.as_bytes(), "g"));
            assert_eq!(String::from_utf8_lossy(&edited), expected);
        }
    }
}
