//! The engine of Chat Completions behind vendors that speak it in their own way: a request that their rules have let through
//! is asked of it in `OpenAI`'s words.

use crate::{call::Call, server::Reply, vendor, vendor::Target, world::World};
use byok_types::Dialect;
use http::{HeaderValue, header};
use serde_json::{Value, json};

/// The model that speaks for all of theirs: it takes sampling fields, and its thinking is only what a scenario shows.
const ENGINE: &str = "gpt-4.1-mini";
/// More than this no answer of the simulator has.
const MOST_TOKENS: u64 = 8000;

/// Answers a request of a guest. `own` are the members that only its vendor knows, `thinks` is whether it is told to think.
pub(crate) fn chat(
    world: &World,
    call: &Call,
    mut body: Value,
    key: &str,
    own: &[&str],
    thinks: bool,
) -> Reply {
    if let Some(members) = body.as_object_mut() {
        members.retain(|name, _| !own.contains(&name.as_str()));
        members.insert("model".to_owned(), json!(ENGINE));
        if let Some(tokens) = members.get("max_tokens").and_then(Value::as_u64) {
            members.insert("max_tokens".to_owned(), json!(tokens.min(MOST_TOKENS)));
        }
    }
    for message in body["messages"].as_array_mut().into_iter().flatten() {
        if let Some(message) = message.as_object_mut() {
            message.remove("reasoning_content");
        }
    }
    strip(&mut body, "cache_control");
    let mut inner = call.clone();
    inner.body = body.to_string().into();
    if let Ok(value) = HeaderValue::from_str(&format!("Bearer {key}")) {
        inner.headers.insert(header::AUTHORIZATION, value);
    }
    if thinks && !call.headers.contains_key("x-sim-scenario") {
        inner.headers.insert("x-sim-scenario", HeaderValue::from_static("sim:thinking I think about it."));
    }
    vendor::generate(world, &inner, Dialect::Chat, &Target::default())
}

fn strip(value: &mut Value, name: &str) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| strip(value, name)),
        Value::Object(members) => {
            members.remove(name);
            members.values_mut().for_each(|value| strip(value, name));
        }
        _ => {}
    }
}
