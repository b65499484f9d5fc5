//! Thought signatures: where they must stand, and whose they must be.

use super::{Checked, Checks, bad, parts, responses, role};
use crate::{models::Maker, seal::decode_any};
use serde_json::Value;

/// Documented values for calls that the model did not make.
const DUMMIES: [&str; 2] = ["skip_thought_signature_validator", "context_engineering_is_the_way_to_go"];

pub(super) fn check(checks: &Checks<'_>, contents: &[Value]) -> Checked {
    for (at, content) in contents.iter().enumerate() {
        for (number, part) in parts(content).iter().enumerate() {
            issued(checks, part, &format!("contents[{at}].parts[{number}]"))?;
        }
    }
    if checks.abilities.call_signatures { present(contents) } else { Ok(()) }
}

/// A signature is one of ours, or a dummy on a call.
fn issued(checks: &Checks<'_>, part: &Value, place: &str) -> Checked {
    let Some(signature) = part["thoughtSignature"].as_str() else { return Ok(()) };
    let call = part.get("functionCall").is_some();
    if call && is_dummy(signature) {
        return Ok(());
    }
    if part.get("functionResponse").is_some() {
        return Err(bad(format!("Invalid thought signature at '{place}': function responses carry none.")));
    }
    if decode_any(signature).is_none() {
        return Err(bad(format!(
            "Invalid value at '{place}.thought_signature' (TYPE_BYTES), Base64 decoding failed for \"{signature}\""
        )));
    }
    match checks.world.seal.open(Maker::Google, signature) {
        Some(_) => Ok(()),
        None => Err(bad("Corrupted thought signature.")),
    }
}

/// A dummy as it is, or as the base64 that a field of bytes makes of it.
fn is_dummy(signature: &str) -> bool {
    let decoded = decode_any(signature);
    DUMMIES.iter().any(|dummy| signature == *dummy || decoded.as_deref() == Some(dummy.as_bytes()))
}

/// In the current turn, the first call of every model content is signed.
fn present(contents: &[Value]) -> Checked {
    let speaks = |content: &Value| role(content) == "user" && responses(content).next().is_none();
    let from = contents.iter().rposition(speaks).map_or(0, |at| at + 1);
    for (at, content) in
        contents.iter().enumerate().skip(from).filter(|(_, content)| role(content) == "model")
    {
        let Some(part) = parts(content).iter().find(|part| part.get("functionCall").is_some()) else {
            continue;
        };
        if part.get("thoughtSignature").is_none() {
            return Err(bad(format!(
                "Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing thought_signature may lead to degraded model performance. Additional data, function call `default_api:{}`, position {}.",
                part["functionCall"]["name"].as_str().unwrap_or_default(),
                at + 1
            )));
        }
    }
    Ok(())
}
