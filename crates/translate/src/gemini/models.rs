use super::fields::{self, Fields};
use crate::{Discovered, ModelEntry, models::tokens};
use serde_json::{Map, Value, json};

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
    let thinks = (!facts.thinking.unknown).then_some(!facts.thinking.forms.is_empty());
    fields.option("thinking", thinks.as_ref());
    fields.close();
}

fn bare(id: &str) -> &str {
    id.strip_prefix("models/").unwrap_or(id)
}

/// Reads a list of models of the Gemini API. Models that cannot generate content are left out. Empty if it is no list.
pub fn decode_models(body: &[u8]) -> Vec<Discovered> {
    let tree: Value = serde_json::from_slice(body).unwrap_or_default();
    let models = tree.get("models").and_then(Value::as_array);
    models.into_iter().flatten().filter_map(entry).collect()
}

/// The token for the next page of such a list, if there is one.
pub fn next_models(body: &[u8]) -> Option<String> {
    let tree: Value = serde_json::from_slice(body).ok()?;
    tree["nextPageToken"].as_str().filter(|token| !token.is_empty()).map(str::to_owned)
}

fn entry(wire: &Value) -> Option<Discovered> {
    let methods = wire.get("supportedGenerationMethods").and_then(Value::as_array);
    if methods.is_some_and(|list| !list.iter().any(|method| method == "generateContent")) {
        return None;
    }
    let id = bare(wire.get("name")?.as_str()?);
    let mut model = Discovered::new(id, Map::new());
    model.state("display_name", wire["displayName"].as_str());
    model.state("context_tokens", tokens(wire["inputTokenLimit"].as_u64()));
    model.state("max_output_tokens", tokens(wire["outputTokenLimit"].as_u64()));
    // That it thinks says nothing of the form in which it is told how much.
    let never = wire["thinking"].as_bool().filter(|thinks| !thinks);
    model.state("thinking", never.map(|_| json!({"forms": [], "levels": []})));
    (!id.is_empty()).then_some(model)
}

#[cfg(test)]
mod tests;
