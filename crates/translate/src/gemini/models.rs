use super::fields::{self, Fields};
use crate::ModelEntry;
use byok_types::{Family, ModelFacts};
use serde_json::Value;

/// The methods that byok serves for every model.
const METHODS: [&str; 3] = ["generateContent", "streamGenerateContent", "countTokens"];

/// A page of the list of models. If there is more, the name of the last model is the token for the next page.
pub fn encode_models(models: &[ModelEntry], more: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + models.len() * 256);
    let mut list = Fields::open(&mut out);
    fields::list(list.key("models"), models, write_model);
    list.option("nextPageToken", models.last().filter(|_| more).map(|model| &model.id));
    list.close();
    out
}

/// One model.
pub fn encode_model(model: &ModelEntry) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    write_model(&mut out, model);
    out
}

fn write_model(out: &mut Vec<u8>, model: &ModelEntry) {
    let facts = &model.facts;
    let mut fields = Fields::open(out);
    fields.string("name", &format!("models/{}", bare(&model.id)));
    fields.string("baseModelId", bare(&model.id));
    fields.string("version", "001");
    fields.string("displayName", facts.display_name.as_deref().unwrap_or(bare(&model.id)));
    fields.option("inputTokenLimit", facts.context_tokens.as_ref());
    fields.option("outputTokenLimit", facts.max_output_tokens.as_ref());
    fields.value("supportedGenerationMethods", &METHODS);
    fields.value("thinking", &!facts.thinking.forms.is_empty());
    fields.close();
}

fn bare(id: &str) -> &str {
    id.strip_prefix("models/").unwrap_or(id)
}

/// Reads a list of models of the Gemini API. Models that cannot generate content are left out. Empty if it is no list.
pub fn decode_models(body: &[u8]) -> Vec<ModelEntry> {
    let tree: Value = serde_json::from_slice(body).unwrap_or_default();
    let models = tree.get("models").and_then(Value::as_array);
    models.into_iter().flatten().filter_map(entry).collect()
}

fn entry(model: &Value) -> Option<ModelEntry> {
    let methods = model.get("supportedGenerationMethods").and_then(Value::as_array);
    if methods.is_some_and(|list| !list.iter().any(|method| method == "generateContent")) {
        return None;
    }
    let id = bare(model.get("name")?.as_str()?).to_owned();
    let limit = |name: &str| model.get(name).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    let facts = ModelFacts {
        id: id.clone(),
        display_name: model.get("displayName").and_then(Value::as_str).map(str::to_owned),
        family: if id.starts_with("gemini") { Family::Gemini } else { Family::Other },
        context_tokens: limit("inputTokenLimit"),
        max_output_tokens: limit("outputTokenLimit"),
        ..ModelFacts::default()
    };
    Some(ModelEntry { id, created: None, owner: Some("google".to_owned()), facts })
}

#[cfg(test)]
mod tests;
