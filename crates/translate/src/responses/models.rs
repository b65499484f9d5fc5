//! Lists of models.

use super::writer::{Object, element};
use crate::{Json, ModelEntry};
use byok_types::{Dialect, Effort, ModelFacts, ThinkingForm};
use serde::Deserialize;

/// Writes `GET /v1/models`.
pub fn encode_models(models: &[ModelEntry]) -> Vec<u8> {
    let mut list = Vec::with_capacity(models.len() * 96);
    for model in models {
        element(&mut list).extend_from_slice(&encode_model(model));
    }
    let mut out = Vec::with_capacity(list.len() + 32);
    let mut object = Object::begin(&mut out);
    object.text("object", "list").list("data", &list);
    object.end();
    out
}

/// Writes `GET /v1/models/{id}`.
pub fn encode_model(model: &ModelEntry) -> Vec<u8> {
    let mut out = Vec::with_capacity(96);
    let mut object = Object::begin(&mut out);
    object.text("id", &model.id).text("object", "model").value("created", &model.created.unwrap_or(0));
    object.text("owned_by", model.owner.as_deref().unwrap_or("byok"));
    object.end();
    out
}

/// Reads the list of a vendor: `{"data": […]}` of the public API, or `{"models": […]}` of the Codex backend, which tells
/// windows and reasoning levels. Entries without an id are left out.
pub fn decode_models(body: &[u8]) -> Vec<ModelEntry> {
    #[derive(Deserialize)]
    #[serde(default)]
    #[derive(Default)]
    struct List {
        data: Vec<Json>,
        models: Vec<Json>,
    }
    let list: List = serde_json::from_slice(body).unwrap_or_default();
    list.data.iter().chain(&list.models).filter_map(entry).collect()
}

#[derive(Deserialize)]
struct Wire {
    #[serde(alias = "slug")]
    id: String,
    #[serde(default)]
    created: Option<i64>,
    #[serde(default)]
    owned_by: Option<String>,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    context_window: Option<u32>,
    #[serde(default)]
    supported_reasoning_levels: Vec<Level>,
    #[serde(default)]
    input_modalities: Vec<String>,
}

#[derive(Deserialize)]
struct Level {
    effort: String,
}

fn entry(json: &Json) -> Option<ModelEntry> {
    let wire: Wire = json.read().ok().filter(|wire: &Wire| !wire.id.is_empty())?;
    let mut facts = ModelFacts {
        id: wire.id.clone(),
        display_name: wire.display_name,
        context_tokens: wire.context_window,
        endpoints: vec![Dialect::Responses],
        ..ModelFacts::default()
    };
    let levels = wire.supported_reasoning_levels.iter();
    facts.thinking.levels = levels.filter_map(|level| Effort::parse(&level.effort)).collect();
    if !facts.thinking.levels.is_empty() {
        facts.thinking.forms = vec![ThinkingForm::Level];
    }
    if !wire.input_modalities.is_empty() {
        facts.input.image = wire.input_modalities.iter().any(|kind| kind == "image");
    }
    Some(ModelEntry { id: wire.id, created: wire.created, owner: wire.owned_by, facts })
}
