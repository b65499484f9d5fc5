//! Lists of models.

use super::{
    loose::{Raw, filled, number, read},
    object::object,
};
use crate::ModelEntry;
use byok_types::{InputKinds, ModelFacts};
use serde::Deserialize;

/// When a model was made, where nobody says: clients demand a number.
const LONG_AGO: i64 = 1_700_000_000;

/// Writes `{"object":"list","data":[…]}`.
pub fn encode_models(models: &[ModelEntry]) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + models.len() * 96);
    object(&mut out, |list| {
        list.text("object", "list");
        list.list("data", models, write);
    });
    out
}

/// Writes one model.
pub fn encode_model(model: &ModelEntry) -> Vec<u8> {
    let mut out = Vec::new();
    write(model, &mut out);
    out
}

fn write(model: &ModelEntry, out: &mut Vec<u8>) {
    object(out, |entry| {
        entry.text("id", &model.id);
        entry.text("object", "model");
        entry.value("created", &model.created.unwrap_or(LONG_AGO));
        entry.text("owned_by", model.owner.as_deref().unwrap_or("byok"));
    });
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct List<'a> {
    #[serde(borrow)]
    data: Raw<'a>,
    #[serde(borrow)]
    models: Raw<'a>,
}

/// An entry of any compatible server; each has names of its own for its limits.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry<'a> {
    #[serde(borrow)]
    id: Raw<'a>,
    #[serde(borrow)]
    name: Raw<'a>,
    #[serde(borrow)]
    display_name: Raw<'a>,
    #[serde(borrow)]
    created: Raw<'a>,
    #[serde(borrow)]
    owned_by: Raw<'a>,
    #[serde(borrow)]
    context_length: Raw<'a>,
    #[serde(borrow)]
    context_window: Raw<'a>,
    #[serde(borrow)]
    max_context_length: Raw<'a>,
    #[serde(borrow)]
    max_model_len: Raw<'a>,
    #[serde(borrow)]
    max_completion_tokens: Raw<'a>,
    #[serde(borrow)]
    max_output_tokens: Raw<'a>,
    #[serde(borrow)]
    top_provider: Raw<'a>,
    #[serde(borrow)]
    architecture: Raw<'a>,
    #[serde(borrow)]
    supported_parameters: Raw<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TopProvider<'a> {
    #[serde(borrow)]
    max_completion_tokens: Raw<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Architecture<'a> {
    #[serde(borrow)]
    input_modalities: Raw<'a>,
}

/// Reads a list of models: `data`, `models` or a bare list. What cannot be read is left out.
pub fn decode_models(body: &[u8]) -> Vec<ModelEntry> {
    let text = String::from_utf8_lossy(body);
    let bare: Option<Vec<Raw<'_>>> = serde_json::from_str(&text).ok();
    let entries = bare.unwrap_or_else(|| {
        let list: List<'_> = serde_json::from_str(&text).unwrap_or_default();
        read(list.data.or(list.models)).unwrap_or_default()
    });
    entries.into_iter().filter_map(entry).collect()
}

fn entry(raw: Raw<'_>) -> Option<ModelEntry> {
    if let Some(id) = filled(raw) {
        let facts = ModelFacts { id: id.to_string(), ..ModelFacts::default() };
        return Some(ModelEntry { id: id.into_owned(), facts, ..ModelEntry::default() });
    }
    let entry: Entry<'_> = read(raw)?;
    let id = filled(entry.id).or_else(|| filled(entry.name))?.into_owned();
    let tokens = |values: &[Raw<'_>]| {
        let found = values.iter().find_map(|value| number(*value).filter(|n| *n > 0))?;
        u32::try_from(found).ok()
    };
    let top: TopProvider<'_> = read(entry.top_provider).unwrap_or_default();
    let architecture: Architecture<'_> = read(entry.architecture).unwrap_or_default();
    let mut facts = ModelFacts {
        id: id.clone(),
        display_name: filled(entry.display_name).or_else(|| filled(entry.name)).map(Into::into),
        context_tokens: tokens(&[
            entry.context_length,
            entry.context_window,
            entry.max_context_length,
            entry.max_model_len,
        ]),
        max_output_tokens: tokens(&[
            top.max_completion_tokens,
            entry.max_completion_tokens,
            entry.max_output_tokens,
        ]),
        ..ModelFacts::default()
    };
    if let Some(kinds) = read::<Vec<String>>(architecture.input_modalities) {
        let has = |kind: &str| kinds.iter().any(|k| k == kind);
        facts.input = InputKinds {
            image: has("image"),
            pdf: has("file"),
            audio: has("audio"),
            video: has("video"),
            url: facts.input.url,
        };
    }
    if let Some(parameters) = read::<Vec<String>>(entry.supported_parameters) {
        facts.tools = parameters.iter().any(|name| name == "tools");
    }
    let created = number(entry.created).and_then(|at| i64::try_from(at).ok());
    Some(ModelEntry { id, created, owner: filled(entry.owned_by).map(Into::into), facts })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_written_with_every_member_that_clients_demand() {
        let model = ModelEntry { id: "m".into(), ..ModelEntry::default() };
        let expected = r#"{"id":"m","object":"model","created":1700000000,"owned_by":"byok"}"#;
        assert_eq!(String::from_utf8(encode_model(&model)).unwrap(), expected);
        let list = String::from_utf8(encode_models(&[model])).unwrap();
        assert_eq!(list, format!(r#"{{"object":"list","data":[{expected}]}}"#));
    }

    #[test]
    fn lists_of_all_servers_are_read() {
        for (body, ids) in [
            (r#"{"object":"list","data":[{"id":"a","created":5,"owned_by":"o"},{"x":1},null]}"#, &["a"][..]),
            (r#"{"models":[{"name":"a"},"b"]}"#, &["a", "b"]),
            (r#"[{"id":"a"}]"#, &["a"]),
            ("<html>", &[]),
            ("{}", &[]),
        ] {
            let found: Vec<_> = decode_models(body.as_bytes()).into_iter().map(|model| model.id).collect();
            assert_eq!(found, ids, "{body}");
        }
        let body = r#"[{"id":"a","name":"A","context_length":128000,"top_provider":{"max_completion_tokens":4096},"architecture":{"input_modalities":["text","image"]},"supported_parameters":["tools"]}]"#;
        let model = decode_models(body.as_bytes()).remove(0);
        assert_eq!(model.facts.display_name.as_deref(), Some("A"));
        assert_eq!(model.facts.context_tokens, Some(128_000));
        assert_eq!(model.facts.max_output_tokens, Some(4096));
        assert!(model.facts.input.image && !model.facts.input.pdf && model.facts.tools);
    }
}
