use crate::schema;
use byok_types::ModelFacts;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Corrections of what byok knows about a model: only the written facts change.
///
/// It is checked against [`ModelFacts`] when the configuration is read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FactsPatch(Map<String, Value>);

impl FactsPatch {
    /// Whether nothing is written.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn fields(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The facts with the written ones changed. A patch that does not fit, which reading the configuration excludes,
    /// changes nothing.
    #[must_use]
    pub fn apply(&self, facts: &ModelFacts) -> ModelFacts {
        let Ok(mut value) = serde_json::to_value(facts) else { return facts.clone() };
        lay(&mut value, &self.0);
        let thinking = self.0.get("thinking");
        let levels = thinking.and_then(|thinking| thinking["levels"].as_array());
        // Who lists the level `none` says that thinking can be switched off, unless that is said as well.
        if levels.is_some_and(|levels| levels.iter().any(|level| level == "none"))
            && thinking.is_some_and(|thinking| thinking.get("can_disable").is_none())
        {
            value["thinking"]["can_disable"] = true.into();
        }
        serde_json::from_value(value).unwrap_or_else(|_| facts.clone())
    }
}

fn lay(value: &mut Value, patch: &Map<String, Value>) {
    let Value::Object(fields) = value else { return };
    for (key, new) in patch {
        match (fields.get_mut(key), new) {
            (Some(old @ Value::Object(_)), Value::Object(inner)) => lay(old, inner),
            _ => {
                fields.insert(key.clone(), new.clone());
            }
        }
    }
}

impl JsonSchema for FactsPatch {
    fn schema_name() -> Cow<'static, str> {
        "ModelFacts".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut schema = schemars::json_schema!({ "type": "object", "additionalProperties": false });
        schema.insert("properties".to_owned(), schema::facts_properties());
        schema
    }
}
