//! What Kiro tells of models and of what is left of a plan.

#![expect(clippy::struct_field_names, reason = "the names are those of the service")]

use crate::knowledge::{Discovered, Quota, Window};
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct List {
    models: Vec<Model>,
    next_token: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Model {
    model_id: String,
    model_name: Option<String>,
    token_limits: Limits,
    supported_input_types: Option<Vec<String>>,
    additional_model_request_fields_schema: Value,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Limits {
    max_input_tokens: Option<u32>,
    max_output_tokens: Option<u32>,
}

pub(super) fn models(body: &[u8]) -> Vec<Discovered> {
    let list: List = serde_json::from_slice(body).unwrap_or_default();
    list.models.into_iter().filter(|model| !model.model_id.is_empty()).map(discovered).collect()
}

/// What asks for the rest of a list.
pub(super) fn next_page(body: &[u8]) -> Option<String> {
    let list: List = serde_json::from_slice(body).ok()?;
    list.next_token.filter(|token| !token.is_empty())
}

fn discovered(model: Model) -> Discovered {
    let mut facts = Map::new();
    let mut put = |name: &str, value: Value| facts.insert(name.to_owned(), value);
    if let Some(name) = model.model_name {
        put("display_name", name.into());
    }
    if let Some(tokens) = model.token_limits.max_input_tokens {
        put("context_tokens", tokens.into());
    }
    if let Some(tokens) = model.token_limits.max_output_tokens {
        put("max_output_tokens", tokens.into());
    }
    if let Some(kinds) = model.supported_input_types {
        let image = kinds.iter().any(|kind| kind == "IMAGE");
        put("input", json!({"image": image, "pdf": false, "audio": false, "video": false, "url": false}));
    }
    let schema = &model.additional_model_request_fields_schema;
    if schema.is_object() {
        let levels = ["output_config", "reasoning"].iter().find_map(|field| {
            schema.pointer(&format!("/properties/{field}/properties/effort/enum"))?.as_array()
        });
        let known =
            |level: &&Value| level.as_str().is_some_and(|level| byok_types::Effort::parse(level).is_some());
        let levels: Vec<Value> = levels.into_iter().flatten().filter(known).cloned().collect();
        let forms = if levels.is_empty() { json!([]) } else { json!(["effort"]) };
        put("thinking", json!({"forms": forms, "levels": levels, "can_disable": true}));
    }
    Discovered::new(model.model_id, facts)
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Usage {
    next_date_reset: Option<f64>,
    subscription_info: Subscription,
    overage_configuration: Overage,
    usage_breakdown_list: Vec<Breakdown>,
    usage_breakdown: Option<Breakdown>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Subscription {
    subscription_title: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Overage {
    overage_status: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Breakdown {
    resource_type: Option<String>,
    display_name_plural: Option<String>,
    next_date_reset: Option<f64>,
    #[serde(flatten)]
    base: Amount,
    overage_cap: Option<f64>,
    overage_cap_with_precision: Option<f64>,
    free_trial_info: Option<Extra>,
    bonuses: Vec<Extra>,
}

/// A trial or a bonus.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Extra {
    #[serde(alias = "freeTrialStatus")]
    status: String,
    #[serde(flatten)]
    amount: Amount,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Amount {
    current_usage: Option<f64>,
    current_usage_with_precision: Option<f64>,
    usage_limit: Option<f64>,
    usage_limit_with_precision: Option<f64>,
}

impl Amount {
    fn used(self) -> f64 {
        self.current_usage_with_precision.or(self.current_usage).unwrap_or(0.0)
    }

    fn limit(self) -> f64 {
        self.usage_limit_with_precision.or(self.usage_limit).unwrap_or(0.0)
    }
}

pub(super) fn quota(body: &[u8]) -> Quota {
    let usage: Usage = serde_json::from_slice(body).unwrap_or_default();
    let beyond = usage.overage_configuration.overage_status == "ENABLED";
    let mut list = usage.usage_breakdown_list;
    if list.is_empty() {
        list.extend(usage.usage_breakdown);
    }
    let windows = list.into_iter().filter_map(|one| window(one, beyond, usage.next_date_reset));
    Quota { plan: usage.subscription_info.subscription_title, windows: windows.collect() }
}

/// What the plan gives, and the trial and the bonuses that run beside it.
fn window(one: Breakdown, beyond: bool, reset: Option<f64>) -> Option<Window> {
    let active = one.free_trial_info.iter().chain(&one.bonuses).filter(|extra| extra.status == "ACTIVE");
    let amounts: Vec<Amount> = std::iter::once(one.base).chain(active.map(|extra| extra.amount)).collect();
    let used: f64 = amounts.iter().map(|amount| amount.used()).sum();
    let mut limit: f64 = amounts.iter().map(|amount| amount.limit()).sum();
    if beyond {
        limit += one.overage_cap_with_precision.or(one.overage_cap).unwrap_or(0.0);
    }
    if limit <= 0.0 || !limit.is_finite() || !used.is_finite() {
        return None;
    }
    let name = one.display_name_plural.or(one.resource_type).unwrap_or_else(|| "credits".to_owned());
    Some(Window {
        name: name.to_lowercase(),
        used: used / limit,
        resets_at: one.next_date_reset.or(reset).and_then(seconds),
        scope: None,
    })
}

/// Seconds of a date that may be written in milliseconds.
fn seconds(date: f64) -> Option<i64> {
    let date = if date > 1e11 { date / 1000.0 } else { date };
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    (date > 0.0 && date < 1e11).then_some(date as i64)
}
