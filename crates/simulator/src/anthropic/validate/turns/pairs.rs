//! Calls and their results.

use super::{Checked, bad, blocks, kind};
use crate::seal::decode_any;
use serde_json::Value;
use std::collections::HashSet;

/// The form of a call's id.
pub(super) fn id(block: &Value, place: &str, kind: &str, sound: impl Fn(&str) -> bool) -> Checked {
    if block["id"].as_str().is_some_and(sound) {
        return Ok(());
    }
    let pattern = if kind == "tool_use" { "^[a-zA-Z0-9_-]+$" } else { "^srvtoolu_[a-zA-Z0-9_]+$" };
    Err(bad(format!("{place}.{kind}.id: String should match pattern '{pattern}'")))
}

fn ids<'a>(turn: &'a Value, wanted: &'a str, member: &'a str) -> impl Iterator<Item = &'a str> {
    blocks(&turn["content"])
        .iter()
        .filter(move |block| kind(block) == wanted)
        .filter_map(move |block| block[member].as_str())
}

/// Every call has exactly one result in the next turn, before anything else there; every result has a call.
/// Assistant turns that follow each other count as one.
pub(super) fn check(turns: &[Value]) -> Checked {
    let mut calls: Vec<&str> = Vec::new();
    for (at, turn) in turns.iter().enumerate() {
        if turn["role"] != "assistant" {
            results(at, turn, &calls)?;
            calls.clear();
            continue;
        }
        calls.extend(ids(turn, "tool_use", "id"));
        let next = turns.get(at + 1);
        if next.is_some_and(|next| next["role"] == "assistant") || calls.is_empty() {
            continue;
        }
        let distinct: HashSet<&str> = calls.iter().copied().collect();
        if distinct.len() < calls.len() {
            return Err(bad(format!("messages.{at}: `tool_use` ids must be unique")));
        }
        answered(at, &calls, next)?;
    }
    Ok(())
}

/// The leading results of the next turn answer all calls.
fn answered(at: usize, calls: &[&str], next: Option<&Value>) -> Checked {
    let leading: HashSet<&str> = next
        .filter(|turn| turn["role"] == "user")
        .map(|turn| blocks(&turn["content"]))
        .unwrap_or_default()
        .iter()
        .take_while(|block| kind(block) == "tool_result")
        .filter_map(|block| block["tool_use_id"].as_str())
        .collect();
    let missing: Vec<&str> = calls.iter().copied().filter(|id| !leading.contains(id)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(bad(format!(
        "messages.{at}: `tool_use` ids were found without `tool_result` blocks immediately after: {}. Each `tool_use` block must have a corresponding `tool_result` block in the next message.",
        missing.join(", ")
    )))
}

fn results(at: usize, turn: &Value, calls: &[&str]) -> Checked {
    let mut seen = HashSet::new();
    for (number, block) in blocks(&turn["content"]).iter().enumerate() {
        if kind(block) != "tool_result" {
            continue;
        }
        let id = block["tool_use_id"].as_str().unwrap_or_default();
        if !calls.contains(&id) {
            return Err(bad(format!(
                "messages.{at}.content.{number}: unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
            )));
        }
        if !seen.insert(id) {
            return Err(bad(format!(
                "messages.{at}.content.{number}: each tool_use must have a single result. Found multiple `tool_result` blocks with id: {id}"
            )));
        }
    }
    Ok(())
}

/// Results of the vendor's own tools stand behind their call, with the content that was issued.
pub(super) fn server_tools(turns: &[Value]) -> Checked {
    for (at, turn) in turns.iter().enumerate() {
        let mut open = HashSet::new();
        for (number, block) in blocks(&turn["content"]).iter().enumerate() {
            let place = format!("messages.{at}.content.{number}");
            match kind(block) {
                "server_tool_use" => {
                    open.insert(block["id"].as_str().unwrap_or_default());
                }
                "tool_result" => {}
                name if name.ends_with("_tool_result") => {
                    let id = block["tool_use_id"].as_str().unwrap_or_default();
                    if !open.remove(id) {
                        return Err(bad(format!(
                            "{place}: unexpected `tool_use_id` found in `{name}` blocks: {id}. Each `{name}` block must have a corresponding `server_tool_use` block before it."
                        )));
                    }
                    issued(block, &place)?;
                }
                _ => {}
            }
        }
        if let Some(id) = open.iter().next().filter(|_| at + 1 < turns.len()) {
            return Err(bad(format!(
                "messages.{at}: `server_tool_use` with id {id} was found without a corresponding result block"
            )));
        }
    }
    Ok(())
}

/// Search results carry the content that this service encrypted.
fn issued(block: &Value, place: &str) -> Checked {
    for result in blocks(&block["content"]).iter().filter(|result| kind(result) == "web_search_result") {
        let content = result["encrypted_content"].as_str().and_then(decode_any);
        if !content.is_some_and(|content| content.starts_with(b"content of ")) {
            return Err(bad(format!("{place}: Invalid `encrypted_content` in `search_result` block")));
        }
    }
    Ok(())
}
