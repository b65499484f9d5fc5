//! Lists of models.

use super::object::Object;
use crate::{ModelEntry, ir::Effort};
use byok_types::{ModelFacts, StructuredOutput, ThinkingFacts, ThinkingForm};
use serde::Deserialize;
use serde_json::Value;

/// A page of the list of models; `more` says whether others follow.
pub fn encode_models(models: &[ModelEntry], more: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(512 * models.len() + 64);
    let mut object = Object::new(&mut out);
    object.list("data", models, write);
    object.value("has_more", &more);
    object.value("first_id", &models.first().map(|model| &model.id));
    object.value("last_id", &models.last().map(|model| &model.id));
    object.end();
    out
}

/// One model.
pub fn encode_model(model: &ModelEntry) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    write(&mut out, model);
    out
}

fn write(out: &mut Vec<u8>, model: &ModelEntry) {
    let facts = &model.facts;
    let mut object = Object::typed(out, "model");
    object.string("id", &model.id);
    object.string("display_name", facts.display_name.as_deref().unwrap_or(&model.id));
    // The vendor itself writes the epoch where the date is unknown.
    object.string("created_at", &rfc3339(model.created.unwrap_or(0)));
    object.value("max_input_tokens", &facts.context_tokens);
    object.value("max_tokens", &facts.max_output_tokens);
    object.string("lifecycle", "active");
    let mut capabilities = Object::new(object.key("capabilities"));
    let mut thinking = Object::new(capabilities.key("thinking"));
    let reasons = !facts.thinking.forms.is_empty();
    thinking.value("supported", &reasons);
    let mut types = Object::new(thinking.key("types"));
    supported(&mut types, "adaptive", facts.thinking.takes(ThinkingForm::Adaptive));
    supported(&mut types, "enabled", facts.thinking.takes(ThinkingForm::Budget));
    supported(&mut types, "disabled", reasons && facts.thinking.can_disable);
    types.end();
    thinking.end();
    let mut effort = Object::new(capabilities.key("effort"));
    effort.value("supported", &!facts.thinking.levels.is_empty());
    for level in LEVELS {
        supported(&mut effort, level.name(), facts.thinking.levels.contains(&level));
    }
    effort.end();
    supported(&mut capabilities, "image_input", facts.input.image);
    supported(&mut capabilities, "pdf_input", facts.input.pdf);
    let schema = matches!(facts.structured_output, StructuredOutput::Native | StructuredOutput::ForcedTool);
    supported(&mut capabilities, "structured_outputs", schema);
    capabilities.end();
    object.end();
}

const LEVELS: [Effort; 5] = [Effort::Low, Effort::Medium, Effort::High, Effort::Xhigh, Effort::Max];

fn supported(object: &mut Object<'_>, name: &str, is: bool) {
    let mut inner = Object::new(object.key(name));
    inner.value("supported", &is);
    inner.end();
}

#[derive(Deserialize)]
struct Wire {
    id: String,
    display_name: Option<String>,
    created_at: Option<Value>,
    created: Option<i64>,
    owned_by: Option<String>,
    max_input_tokens: Option<u32>,
    max_tokens: Option<u32>,
    capabilities: Option<Value>,
}

/// Reads a list of models, of this vendor or of a compatible one. What cannot be read is left out.
pub fn decode_models(body: &[u8]) -> Vec<ModelEntry> {
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return Vec::new() };
    let list = match value {
        Value::Array(list) => list,
        Value::Object(mut object) => match object.remove("data").or_else(|| object.remove("models")) {
            Some(Value::Array(list)) => list,
            _ => return Vec::new(),
        },
        _ => return Vec::new(),
    };
    list.into_iter().filter_map(|entry| serde_json::from_value(entry).ok()).map(entry).collect()
}

fn entry(wire: Wire) -> ModelEntry {
    let created = match &wire.created_at {
        Some(Value::String(text)) => unix(text),
        Some(Value::Number(number)) => number.as_i64(),
        _ => wire.created,
    };
    let mut facts = ModelFacts {
        id: wire.id.clone(),
        display_name: wire.display_name,
        context_tokens: wire.max_input_tokens,
        max_output_tokens: wire.max_tokens,
        ..ModelFacts::default()
    };
    if let Some(capabilities) = &wire.capabilities {
        let says = |path: &str| capabilities.pointer(path).and_then(|v| v.get("supported")?.as_bool());
        facts.thinking = thinking(&says);
        facts.input.image = says("/image_input").unwrap_or(facts.input.image);
        facts.input.pdf = says("/pdf_input").unwrap_or(facts.input.pdf);
        if says("/structured_outputs") == Some(false) {
            facts.structured_output = StructuredOutput::ForcedTool;
        }
    }
    ModelEntry { id: wire.id, created: created.filter(|at| *at > 0), owner: wire.owned_by, facts }
}

fn thinking(says: &impl Fn(&str) -> Option<bool>) -> ThinkingFacts {
    let is = |path: &str| says(path) == Some(true);
    let mut facts = ThinkingFacts::default();
    if is("/thinking/types/enabled") {
        facts.forms.push(ThinkingForm::Budget);
        facts.budget = Some((1024, 128_000));
    }
    if is("/thinking/types/adaptive") {
        facts.forms.push(ThinkingForm::Adaptive);
    }
    if is("/effort") {
        facts.forms.push(ThinkingForm::Effort);
        facts.levels = LEVELS.into_iter().filter(|level| is(&format!("/effort/{}", level.name()))).collect();
    }
    facts.can_disable = says("/thinking/types/disabled").unwrap_or(true);
    facts
}

/// `2026-01-31T00:00:00Z` for a Unix time.
fn rfc3339(seconds: i64) -> String {
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Year, month and day of a day since 1970-01-01, counted in 400-year cycles that begin on the first of March.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days.saturating_add(719_468);
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// The Unix time of `2026-01-31T00:00:00Z`; fractions and offsets are ignored, dates alone are taken.
fn unix(text: &str) -> Option<i64> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month_index = (month + 9) % 12;
    let day_of_year = (153 * month_index + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    let time =
        number(11..13).unwrap_or(0) * 3600 + number(14..16).unwrap_or(0) * 60 + number(17..19).unwrap_or(0);
    Some(days * 86_400 + time)
}
