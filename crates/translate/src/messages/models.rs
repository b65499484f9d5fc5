//! Lists of models.

use super::object::Object;
use crate::{Discovered, ModelEntry, ir::Effort, models::tokens};
use byok_types::{ModelFacts, StructuredOutput, ThinkingForm};
use serde_json::{Map, Value, json};

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
    // Of a model of which nothing is known nothing is said: a client would not offer what it can do.
    if facts.thinking.unknown {
        object.value("capabilities", &None::<()>);
    } else {
        capabilities(object.key("capabilities"), facts);
    }
    object.end();
}

fn capabilities(out: &mut Vec<u8>, facts: &ModelFacts) {
    let mut capabilities = Object::new(out);
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
}

const LEVELS: [Effort; 5] = [Effort::Low, Effort::Medium, Effort::High, Effort::Xhigh, Effort::Max];

fn supported(object: &mut Object<'_>, name: &str, is: bool) {
    let mut inner = Object::new(object.key(name));
    inner.value("supported", &is);
    inner.end();
}

/// Reads a list of models, of this vendor or of a compatible one. What cannot be read is left out, and so is what nobody can
/// ask for any more.
pub fn decode_models(body: &[u8]) -> Vec<Discovered> {
    let list: Value = serde_json::from_slice(body).unwrap_or_default();
    let list = ["data", "models"].iter().find_map(|name| list.get(name)).unwrap_or(&list);
    list.as_array().into_iter().flatten().filter_map(entry).collect()
}

/// The id behind which the next page of such a list begins, if there is one.
pub fn next_models(body: &[u8]) -> Option<String> {
    let page: Value = serde_json::from_slice(body).ok()?;
    let more = page["has_more"] == true;
    page["last_id"].as_str().filter(|id| more && !id.is_empty()).map(str::to_owned)
}

fn entry(wire: &Value) -> Option<Discovered> {
    let id = wire["id"].as_str().filter(|id| !id.is_empty() && wire["lifecycle"] != "retired")?;
    let created = match &wire["created_at"] {
        Value::String(text) => unix(text),
        Value::Number(number) => number.as_i64(),
        _ => wire["created"].as_i64(),
    };
    let mut model = Discovered::new(id, Map::new());
    model.created = created.filter(|at| *at > 0);
    model.state("display_name", wire["display_name"].as_str());
    model.state("context_tokens", tokens(wire["max_input_tokens"].as_u64()));
    model.state("max_output_tokens", tokens(wire["max_tokens"].as_u64()));
    let says = |path: &str| wire["capabilities"].pointer(path)?.get("supported")?.as_bool();
    model.state("thinking", thinking(&says));
    let kinds = [("image", says("/image_input")), ("pdf", says("/pdf_input"))];
    model.state("input", stated(kinds.map(|(kind, said)| (kind, said.map(Value::from)))));
    let schema = says("/structured_outputs").map(|native| if native { "native" } else { "forced_tool" });
    model.state("structured_output", schema);
    Some(model)
}

/// What is said of thinking. The forms are told together, so they count only where each of them is mentioned.
fn thinking(says: &impl Fn(&str) -> Option<bool>) -> Option<Map<String, Value>> {
    let never = says("/thinking").filter(|thinks| !thinks);
    let forms = [
        (ThinkingForm::Budget, says("/thinking/types/enabled").or(never)),
        (ThinkingForm::Adaptive, says("/thinking/types/adaptive").or(never)),
        (ThinkingForm::Effort, says("/effort")),
    ];
    let forms = forms.iter().all(|(_, said)| said.is_some()).then(|| {
        let taken = forms.iter().filter(|(_, said)| *said == Some(true)).map(|(form, _)| json!(form));
        taken.collect::<Vec<_>>()
    });
    let levels = says("/effort").map(|has| {
        let taken = |level: &Effort| has && says(&format!("/effort/{}", level.name())) == Some(true);
        LEVELS.iter().filter(|level| taken(level)).map(|level| json!(level)).collect::<Vec<_>>()
    });
    stated([
        ("forms", forms.map(Value::from)),
        ("levels", levels.map(Value::from)),
        ("can_disable", says("/thinking/types/disabled").map(Value::from)),
    ])
}

/// The stated ones of these; nothing if there is none.
fn stated<const N: usize>(all: [(&str, Option<Value>); N]) -> Option<Map<String, Value>> {
    let stated: Map<_, _> =
        all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    (!stated.is_empty()).then_some(stated)
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
