//! Lists of models.

use super::writer::{Object, element};
use crate::ModelEntry;

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
