//! Cache breakpoints.

use super::{Checked, Checks, bad, blocks};
use serde_json::Value;

/// Most breakpoints in a request.
const MOST: usize = 4;

/// A breakpoint: its place and its `cache_control`.
type Marker<'a> = (String, &'a Value);

pub(super) fn check(checks: &Checks<'_>) -> Checked {
    let markers = markers(checks.body);
    if markers.len() > MOST {
        return Err(bad(format!(
            "A maximum of {MOST} blocks with cache_control may be provided. Found {}.",
            markers.len()
        )));
    }
    let mut short = false;
    for (place, control) in markers {
        if control.get("scope").is_some()
            && !checks.has_beta("prompt-caching-scope-2026-01-05")
            && !checks.lenient
        {
            return Err(bad(format!(
                "{place}.cache_control.ephemeral.scope: Extra inputs are not permitted"
            )));
        }
        let long = control["ttl"] == "1h";
        if long && short {
            return Err(bad(format!(
                "{place}.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that blocks are processed in the following order: `tools`, `system`, `messages`."
            )));
        }
        short |= !long;
    }
    Ok(())
}

fn markers(body: &Value) -> Vec<Marker<'_>> {
    let mut markers = Vec::new();
    add(&mut markers, "tools", body["tools"].as_array().map_or(&[], Vec::as_slice));
    add(&mut markers, "system", blocks(&body["system"]));
    for (at, turn) in body["messages"].as_array().into_iter().flatten().enumerate() {
        let place = format!("messages.{at}.content");
        for (number, block) in blocks(&turn["content"]).iter().enumerate() {
            add(&mut markers, &format!("{place}.{number}.content"), blocks(&block["content"]));
            add(&mut markers, &place, std::slice::from_ref(block));
        }
    }
    markers
}

fn add<'a>(markers: &mut Vec<Marker<'a>>, place: &str, blocks: &'a [Value]) {
    markers.extend(blocks.iter().enumerate().filter_map(|(number, block)| {
        let control = block.get("cache_control").filter(|control| !control.is_null())?;
        Some((format!("{place}.{number}"), control))
    }));
}
