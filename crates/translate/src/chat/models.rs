//! Lists of models.

use super::{
    loose::{Raw, filled, number, read},
    object::object,
};
use crate::{Discovered, ModelEntry, models::tokens};
use serde::Deserialize;
use serde_json::{Map, json};

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
pub fn decode_models(body: &[u8]) -> Vec<Discovered> {
    let text = String::from_utf8_lossy(body);
    let bare: Option<Vec<Raw<'_>>> = serde_json::from_str(&text).ok();
    let entries = bare.unwrap_or_else(|| {
        let list: List<'_> = serde_json::from_str(&text).unwrap_or_default();
        read(list.data.or(list.models)).unwrap_or_default()
    });
    entries.into_iter().filter_map(entry).collect()
}

fn entry(raw: Raw<'_>) -> Option<Discovered> {
    if let Some(id) = filled(raw) {
        return Some(Discovered::new(id, Map::new()));
    }
    let entry: Entry<'_> = read(raw)?;
    let mut model = Discovered::new(filled(entry.id).or_else(|| filled(entry.name))?, Map::new());
    model.created = number(entry.created).and_then(|at| i64::try_from(at).ok()).filter(|at| *at > 0);
    let name = filled(entry.display_name).or_else(|| filled(entry.name));
    model.state("display_name", name.map(String::from));
    let first = |values: &[Raw<'_>]| values.iter().find_map(|value| tokens(number(*value)));
    let window = [entry.context_length, entry.context_window, entry.max_context_length, entry.max_model_len];
    model.state("context_tokens", first(&window));
    let top: TopProvider<'_> = read(entry.top_provider).unwrap_or_default();
    let output = [top.max_completion_tokens, entry.max_completion_tokens, entry.max_output_tokens];
    model.state("max_output_tokens", first(&output));
    let architecture: Architecture<'_> = read(entry.architecture).unwrap_or_default();
    let kinds: Option<Vec<String>> = read(architecture.input_modalities);
    model.state(
        "input",
        kinds.map(|kinds| {
            let has = |kind: &str| kinds.iter().any(|k| k == kind);
            json!({"image": has("image"), "pdf": has("file"), "audio": has("audio"), "video": has("video")})
        }),
    );
    let parameters: Option<Vec<String>> = read(entry.supported_parameters);
    let takes = |name: &str| parameters.as_ref().map(|all| all.iter().any(|known| known == name));
    model.state("tools", takes("tools"));
    // Servers that list it take `reasoning_effort`, too, and no other vendor's switch.
    model.state("thinking", takes("reasoning").filter(|takes| *takes).map(|_| json!({"forms": ["level"]})));
    Some(model)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

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
        let body = r#"[{"id":"a","name":"A","created":5,"context_length":128000,"top_provider":{"max_completion_tokens":4096},"architecture":{"input_modalities":["text","image"]},"supported_parameters":["tools","reasoning"]},{"id":"b","max_model_len":"9","context_length":0,"supported_parameters":["stop"]},{"id":"c","context_length":99999999999,"architecture":null,"name":7}]"#;
        let models = decode_models(body.as_bytes());
        let stated: Vec<_> = models.iter().map(|model| Value::Object(model.facts.clone())).collect();
        assert_eq!(
            stated,
            [
                json!({
                    "display_name": "A", "context_tokens": 128_000, "max_output_tokens": 4096, "tools": true,
                    "input": {"image": true, "pdf": false, "audio": false, "video": false},
                    "thinking": {"forms": ["level"]},
                }),
                json!({"context_tokens": 9, "tools": false}),
                json!({}),
            ]
        );
        assert_eq!((models[0].created, models[1].created), (Some(5), None));
    }
}
