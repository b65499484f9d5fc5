//! Wishes of a request that nobody but its own vendor may understand.

use crate::{
    Json,
    ir::{Failure, OutputFormat, Part, Request, Role},
    loss::Places,
};
use byok_types::Dialect;

/// Levels that some model takes although they are none of the common ones.
const OTHER_LEVELS: [&str; 4] = ["auto", "default", "dynamic", "ultra"];

/// Refuses a form of the answer and a level of effort that no other vendor knows. Left out, the answer would have another form,
/// or a mistake would go unseen; the request's own vendor would refuse them as well.
pub(crate) fn check(request: &Request) -> Result<(), Failure> {
    if let OutputFormat::Opaque(form) = &request.output_format
        && let Some(failure) = form_of_answer(request.dialect, &form.json)
    {
        return Err(failure);
    }
    match level(request) {
        Some((field, level)) if !OTHER_LEVELS.contains(&level.to_ascii_lowercase().as_str()) => {
            let message = format!(
                "`{field}` is `{level}`, which is no level. Use none, minimal, low, medium, high, xhigh or max."
            );
            Err(Failure::bad_request(field, message))
        }
        _ => Ok(()),
    }
}

/// Refuses a conversation of nothing but blocks or items that only the request's own vendor knows: without them the model would
/// be asked nothing.
pub(crate) fn leaves_something(request: &Request) -> Result<(), Failure> {
    let spoken =
        request.messages.iter().filter(|message| !matches!(message.role, Role::System | Role::Developer));
    let mut parts = spoken.flat_map(|message| &message.parts);
    let is_lost = |part: &Part| matches!(part, Part::Opaque(block) if block.dialect == request.dialect);
    let Some(first) = parts.next().filter(|part| is_lost(part)) else { return Ok(()) };
    if !parts.all(is_lost) {
        return Ok(());
    }
    let place = Places::of(request).path(first);
    let message = format!(
        "`{place}` is of a kind that the API of this model does not know, and nothing else is asked. Add a message with text."
    );
    Err(Failure::bad_request(place, message))
}

fn form_of_answer(client: Dialect, form: &Json) -> Option<Failure> {
    let field = match client {
        Dialect::Chat => "response_format",
        Dialect::Responses => "text.format",
        Dialect::Messages => "output_config.format",
        // Words of a list (`text/x.enum`) are a form of text.
        Dialect::Gemini => return None,
    };
    let kind = text_at(form, "type").unwrap_or_default();
    let (place, message) = if kind == "json_schema" {
        let schema = if client == Dialect::Chat { "json_schema.schema" } else { "schema" };
        let place = format!("{field}.{schema}");
        let message = format!("`{place}` is missing: send the JSON schema of the answer as an object.");
        (place, message)
    } else {
        let place = format!("{field}.type");
        let message = format!(
            "`{place}` is `{kind}`, which this model cannot be asked for. Use `json_schema`, or leave `{field}` out."
        );
        (place, message)
    };
    Some(Failure::bad_request(place, message))
}

/// The level of effort that byok does not know, and where it stands.
fn level(request: &Request) -> Option<(&'static str, String)> {
    match request.dialect {
        Dialect::Chat => {
            let word = request.extra.get(Dialect::Chat, "reasoning_effort")?;
            Some(("reasoning_effort", word.as_string()?))
        }
        Dialect::Responses => {
            let word = request.reasoning.extra.get(Dialect::Responses, "effort")?;
            Some(("reasoning.effort", word.as_string()?))
        }
        Dialect::Messages => {
            let rest = request.extra.get(Dialect::Messages, "output_config")?;
            Some(("output_config.effort", text_at(rest, "effort")?))
        }
        Dialect::Gemini => None,
    }
}

fn text_at(object: &Json, member: &str) -> Option<String> {
    let members = object.members().ok()?;
    let (_, value) = members.into_iter().find(|(name, _)| name.as_str() == member)?;
    serde_json::from_str(value.get()).ok()
}
