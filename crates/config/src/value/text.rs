//! Texts with small rules.

use serde::{Deserialize, Deserializer, de::Error};

/// A name for people: one line, 1 to 64 characters.
fn check_label(text: &str) -> Result<(), &'static str> {
    if text.trim().is_empty() || text.chars().count() > 64 || text.contains(char::is_control) {
        return Err("expected one line of 1 to 64 characters");
    }
    Ok(())
}

pub(crate) fn label<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    check_label(&text).map_err(D::Error::custom)?;
    Ok(Some(text))
}

fn check_name(text: &str) -> Result<(), &'static str> {
    if text.is_empty() || text.len() > 256 || text.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return Err("expected the name of a model: up to 256 characters without spaces");
    }
    Ok(())
}

/// The name of a model.
pub(crate) fn model<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    check_name(&text).map_err(D::Error::custom)?;
    Ok(text)
}

/// Names of models.
pub(crate) fn models<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    names.iter().try_for_each(|name| check_name(name)).map_err(D::Error::custom)?;
    Ok(names)
}

/// A word put before model names with a slash: `team-a` makes `team-a/claude-…`.
pub(crate) fn prefix<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let legal = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if text.is_empty() || text.len() > 64 || !text.chars().all(legal) {
        return Err(D::Error::custom(
            "expected 1 to 64 letters, digits or `-_.`\nthe slash after it is added by byok",
        ));
    }
    Ok(Some(text))
}

/// What is logged: a level, or levels by part (`info,byok_proxy=debug`).
pub(crate) fn log_level<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let text = String::deserialize(deserializer)?;
    let legal = |directive: &str| {
        let (target, level) = directive.rsplit_once('=').unwrap_or(("byok", directive));
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':' || c == '-';
        !target.is_empty()
            && target.chars().all(word)
            && LEVELS.contains(&level.to_ascii_lowercase().as_str())
    };
    if text.split(',').map(str::trim).all(legal) {
        return Ok(text);
    }
    Err(D::Error::custom(
        "expected `off`, `error`, `warn`, `info`, `debug` or `trace`\nlevels by part are written `info,byok_proxy=debug`",
    ))
}

/// A share: a whole number from 1 to 1000.
pub(crate) fn weight<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let number = between::<_, 1, 1000>(deserializer)?;
    Ok(u32::try_from(number).ok())
}

/// Whole numbers with a smallest and a largest value.
pub(crate) fn between<'de, D: Deserializer<'de>, const LEAST: u64, const MOST: u64>(
    deserializer: D,
) -> Result<usize, D::Error> {
    let number = u64::deserialize(deserializer)?;
    match usize::try_from(number) {
        Ok(fits) if (LEAST..=MOST).contains(&number) => Ok(fits),
        _ => Err(D::Error::custom(format!("expected a whole number from {LEAST} to {MOST}"))),
    }
}
