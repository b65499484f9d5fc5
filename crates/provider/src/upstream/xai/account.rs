//! What the vendor tells of models and of a plan.

use crate::knowledge::{Discovered, Quota, Window};
use byok_types::Effort;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The list of models: names of members in either spelling, some of them below `_meta`.
pub(super) fn models(body: &[u8]) -> Vec<Discovered> {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let listed = body["data"].as_array().into_iter().flatten();
    listed
        .filter(|model| one(model, &["hidden"]).and_then(Value::as_bool) != Some(true))
        .filter(|model| {
            one(model, &["api_backend", "apiBackend"])
                .and_then(Value::as_str)
                .is_none_or(|b| b == "responses")
        })
        .filter_map(|model| {
            let id = one(model, &["id", "model"])?.as_str().filter(|id| !id.is_empty())?;
            Some(Discovered::new(id, facts(model)))
        })
        .collect()
}

fn one<'v>(model: &'v Value, names: &[&str]) -> Option<&'v Value> {
    let places = [model, &model["_meta"]];
    places
        .into_iter()
        .find_map(|place| names.iter().find_map(|name| place.get(*name).filter(|v| !v.is_null())))
}

fn facts(model: &Value) -> Map<String, Value> {
    let mut facts = Map::new();
    if let Some(name) = one(model, &["name"]).and_then(Value::as_str) {
        facts.insert("display_name".to_owned(), json!(name));
    }
    for (fact, names) in [
        ("context_tokens", ["context_window", "contextWindow"]),
        ("max_output_tokens", ["max_completion_tokens", "maxCompletionTokens"]),
    ] {
        let tokens = one(model, &names).and_then(Value::as_u64).and_then(|tokens| u32::try_from(tokens).ok());
        if let Some(tokens) = tokens {
            facts.insert(fact.to_owned(), json!(tokens));
        }
    }
    let reasons = one(model, &["supports_reasoning_effort", "supportsReasoningEffort"]);
    match reasons.and_then(Value::as_bool) {
        Some(false) => {
            facts.insert("thinking".to_owned(), json!({"forms": [], "levels": []}));
        }
        Some(true) => {
            let efforts = one(model, &["reasoning_efforts", "reasoningEfforts"]).and_then(Value::as_array);
            let levels = efforts.into_iter().flatten();
            let levels: Vec<&str> = levels
                .filter_map(|level| level["value"].as_str().and_then(Effort::parse).map(Effort::name))
                .collect();
            if !levels.is_empty() {
                let off = levels.contains(&"none");
                let thinking = json!({"forms": ["level"], "levels": levels, "can_disable": off});
                facts.insert("thinking".to_owned(), thinking);
            }
        }
        None => {}
    }
    facts
}

/// Whether what is asked now is charged on demand: the plan is used up, and something was charged already.
pub(super) fn charges(body: &[u8]) -> bool {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let config = &body["config"];
    let cents = |name: &str| config[name]["val"].as_f64().unwrap_or(0.0);
    let limit = cents("monthlyLimit");
    let used_up = match config["creditUsagePercent"].as_f64() {
        Some(used) => used >= 100.0,
        None => cents("used") >= limit,
    };
    used_up && cents("onDemandUsed") > 0.0
}

/// Longest name of a plan that is kept.
const LONGEST_PLAN: usize = 60;

/// The name of the plan in the settings of the account.
pub(super) fn plan(body: &[u8]) -> Option<String> {
    let settings: Value = serde_json::from_slice(body).ok()?;
    let named = |name: &str| settings[name].as_str().map(str::trim).filter(|plan| !plan.is_empty());
    let plan = named("subscription_tier_display").or_else(|| named("subscription_tier"))?;
    Some(plan.chars().filter(|c| !c.is_control()).take(LONGEST_PLAN).collect())
}

/// The answer about a plan. An amount that is nothing is left out by the vendor.
pub(super) fn quota(body: &[u8]) -> Quota {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let config = &body["config"];
    let time = |value: &Value| value.as_str()?.parse::<Timestamp>().ok().map(Timestamp::as_second);
    let cents = |value: &Value| value["val"].as_f64().unwrap_or(0.0);
    let mut windows = Vec::new();
    if let Some(used) = config["creditUsagePercent"].as_f64() {
        let period = &config["currentPeriod"];
        let name = match period["type"].as_str() {
            Some("USAGE_PERIOD_TYPE_WEEKLY") | None => "week",
            Some("USAGE_PERIOD_TYPE_MONTHLY") => "month",
            Some("USAGE_PERIOD_TYPE_DAILY") => "day",
            Some(_) => "period",
        };
        windows.push(Window {
            name: name.to_owned(),
            used: used / 100.0,
            resets_at: time(&period["end"]),
            scope: None,
        });
    } else if cents(&config["monthlyLimit"]) > 0.0 {
        windows.push(Window {
            name: "month".to_owned(),
            used: cents(&config["used"]) / cents(&config["monthlyLimit"]),
            resets_at: time(&config["billingPeriodEnd"]),
            scope: None,
        });
    }
    if cents(&config["onDemandCap"]) > 0.0 {
        windows.push(Window {
            name: "on demand".to_owned(),
            used: cents(&config["onDemandUsed"]) / cents(&config["onDemandCap"]),
            resets_at: None,
            scope: None,
        });
    }
    Quota { windows, ..Quota::default() }
}
