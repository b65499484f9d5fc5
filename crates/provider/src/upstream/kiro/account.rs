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
    current_overages: Option<f64>,
    current_overages_with_precision: Option<f64>,
    overage_charges: Option<f64>,
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

impl Usage {
    fn read(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }

    fn breakdowns(&self) -> impl Iterator<Item = &Breakdown> {
        let single = self.usage_breakdown.as_ref().filter(|_| self.usage_breakdown_list.is_empty());
        self.usage_breakdown_list.iter().chain(single)
    }
}

impl Breakdown {
    /// What is used and what there is: of the plan, and of the trial and the bonuses that run beside it.
    fn total(&self) -> (f64, f64) {
        let extras = self.free_trial_info.iter().chain(&self.bonuses);
        let active = extras.filter(|extra| extra.status == "ACTIVE").map(|extra| extra.amount);
        let all = std::iter::once(self.base).chain(active);
        all.fold((0.0, 0.0), |(used, limit), one| (used + one.used(), limit + one.limit()))
    }

    /// What was used beyond that.
    fn overages(&self) -> f64 {
        self.current_overages_with_precision.or(self.current_overages).unwrap_or(0.0)
    }

    /// Most that may be.
    fn cap(&self) -> f64 {
        self.overage_cap_with_precision.or(self.overage_cap).unwrap_or(0.0)
    }

    fn is_charged(&self) -> bool {
        let (used, limit) = self.total();
        self.overages() > 0.0 || self.overage_charges.unwrap_or(0.0) > 0.0 || (limit > 0.0 && used > limit)
    }
}

/// Whether credits beyond the plan are used and paid for. What was, before its owner switched that off, is no sign any more.
pub(super) fn charges(body: &[u8]) -> bool {
    let usage = Usage::read(body);
    usage.overage_configuration.overage_status != "DISABLED" && usage.breakdowns().any(Breakdown::is_charged)
}

pub(super) fn quota(body: &[u8]) -> Quota {
    let usage = Usage::read(body);
    let beyond = usage.overage_configuration.overage_status == "ENABLED";
    let windows = usage.breakdowns().flat_map(|one| windows(one, beyond, usage.next_date_reset)).collect();
    Quota { windows, plan: usage.subscription_info.subscription_title, closed: false }
}

/// All that the account may use, and the part of it that is paid for.
fn windows(one: &Breakdown, beyond: bool, reset: Option<f64>) -> Vec<Window> {
    let cap = if beyond { one.cap() } else { 0.0 };
    let (used, limit) = one.total();
    let named = one.display_name_plural.as_ref().or(one.resource_type.as_ref());
    let name = named.map_or_else(|| "credits".to_owned(), |name| name.to_lowercase());
    let resets_at = one.next_date_reset.or(reset).and_then(seconds);
    let window = |name: &str, used: f64, limit: f64| {
        let sound = limit > 0.0 && limit.is_finite() && used.is_finite();
        sound.then(|| Window { name: name.to_owned(), used: used / limit, resets_at, scope: None })
    };
    let overage = window("beyond the plan", one.overages(), cap).filter(|_| limit > 0.0);
    window(&name, used, limit + cap).into_iter().chain(overage).collect()
}

/// Seconds of a date that may be written in milliseconds.
fn seconds(date: f64) -> Option<i64> {
    let date = if date > 1e11 { date / 1000.0 } else { date };
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    (date > 0.0 && date < 1e11).then_some(date as i64)
}
