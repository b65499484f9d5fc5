//! The order of turns and what each may hold.

mod media;
mod pairs;

use super::{Checked, Checks, bad, blocks, kind};
use serde_json::Value;

pub(super) fn check(checks: &Checks<'_>) -> Checked {
    let turns = checks.turns();
    let Some(first) = turns.first() else {
        return Err(bad("messages: at least one message is required"));
    };
    if first["role"] != "user" {
        return Err(bad("messages: first message must use the \"user\" role"));
    }
    system_blocks(&checks.body["system"])?;
    for (at, turn) in turns.iter().enumerate() {
        let role = turn["role"].as_str().unwrap_or_default();
        if role == "system" && !checks.abilities.system_turns {
            return Err(bad("role 'system' is not supported on this model"));
        }
        not_empty(at, turn, at + 1 == turns.len())?;
        for (number, block) in blocks(&turn["content"]).iter().enumerate() {
            let place = format!("messages.{at}.content.{number}");
            belongs(checks, role, block, &place)?;
            block_is_sound(block, &place)?;
        }
    }
    pairs::check(turns)?;
    pairs::server_tools(turns)?;
    last_turn(checks, turns)
}

fn system_blocks(system: &Value) -> Checked {
    for block in blocks(system) {
        text_is_said(block["text"].as_str(), "system")?;
    }
    Ok(())
}

/// Whether a text says anything.
fn text_is_said(text: Option<&str>, place: &str) -> Checked {
    match text {
        Some("") => Err(bad(format!("{place}: text content blocks must be non-empty"))),
        Some(text) if text.trim().is_empty() => {
            Err(bad(format!("{place}: text content blocks must contain non-whitespace text")))
        }
        _ => Ok(()),
    }
}

fn not_empty(at: usize, turn: &Value, last: bool) -> Checked {
    let empty = match &turn["content"] {
        Value::String(text) => text.is_empty(),
        content => blocks(content).is_empty(),
    };
    if empty && !(last && turn["role"] == "assistant") {
        return Err(bad(format!(
            "messages.{at}: all messages must have non-empty content except for the optional final assistant message"
        )));
    }
    Ok(())
}

/// Blocks stand in turns of the role that makes them.
fn belongs(checks: &Checks<'_>, role: &str, block: &Value, place: &str) -> Checked {
    let kind = kind(block);
    let wanted = match kind {
        "tool_result" | "image" | "container_upload" | "search_result" => Some("user"),
        "document" if checks.newer => Some("user"),
        "tool_use" | "thinking" | "redacted_thinking" | "server_tool_use" => Some("assistant"),
        _ => None,
    };
    if let Some(wanted) = wanted.filter(|wanted| *wanted != role) {
        return Err(bad(format!("{place}: `{kind}` blocks can only be in `{wanted}` messages")));
    }
    if role == "system" && !["text", "tool_addition", "tool_removal"].contains(&kind) {
        return Err(bad(format!("{place}: `system` messages can only hold text")));
    }
    if checks.newer
        && role == "user"
        && kind == "text"
        && block.get("citations").is_some_and(|c| !c.is_null())
    {
        return Err(bad(format!("{place}.text.citations: Extra inputs are not permitted")));
    }
    Ok(())
}

fn block_is_sound(block: &Value, place: &str) -> Checked {
    match kind(block) {
        "text" => {
            if block["text"] == "" && block.get("cache_control").is_some_and(|control| !control.is_null()) {
                return Err(bad(format!("{place}.text: cache_control cannot be set for empty text blocks")));
            }
            text_is_said(block["text"].as_str(), "messages")
        }
        "tool_use" => pairs::id(block, place, "tool_use", |id| {
            !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
        }),
        "server_tool_use" => pairs::id(block, place, "server_tool_use", |id| id.starts_with("srvtoolu_")),
        "image" => media::image(block, place),
        "document" => media::document(block, place),
        "tool_result" => tool_result(block, place),
        _ => Ok(()),
    }
}

fn tool_result(block: &Value, place: &str) -> Checked {
    let inner = blocks(&block["content"]);
    let empty = match &block["content"] {
        Value::String(text) => text.is_empty(),
        _ => inner.is_empty(),
    };
    if block["is_error"] == true && empty {
        return Err(bad(format!("{place}.tool_result: content cannot be empty if `is_error` is true")));
    }
    if block["is_error"] == true && inner.iter().any(|part| kind(part) != "text") {
        return Err(bad(format!(
            "{place}.tool_result: all content must be type \"text\" if `is_error` is true"
        )));
    }
    for (number, part) in inner.iter().enumerate() {
        let place = format!("{place}.tool_result.content.{number}");
        match kind(part) {
            "text" => text_is_said(part["text"].as_str(), "messages")?,
            "image" => media::image(part, &place)?,
            "document" => media::document(part, &place)?,
            _ => {}
        }
    }
    Ok(())
}

/// A last turn of the assistant is continued by older models and refused by newer ones.
fn last_turn(checks: &Checks<'_>, turns: &[Value]) -> Checked {
    let Some(last) = turns.last().filter(|turn| turn["role"] == "assistant") else { return Ok(()) };
    // A turn in which the vendor's own tools were paused is continued by sending it back.
    if blocks(&last["content"]).iter().any(|block| kind(block) == "server_tool_use") {
        return Ok(());
    }
    if !checks.abilities.prefill {
        return Err(bad(
            "This model does not support assistant message prefill. The conversation must end with a user message.",
        ));
    }
    let text = match &last["content"] {
        Value::String(text) => Some(text.as_str()),
        content => blocks(content).last().and_then(|block| block["text"].as_str()),
    };
    if text.is_some_and(|text| text.ends_with(char::is_whitespace)) {
        return Err(bad("messages: final assistant content cannot end with trailing whitespace"));
    }
    Ok(())
}
