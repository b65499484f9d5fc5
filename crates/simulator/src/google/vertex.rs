//! Vertex AI: the Gemini dialect at addresses of its own.

use super::{
    Endpoint, authorized, books::GoogleClient, inner_call, json_body, only, refused, target, unknown,
};
use crate::{call::Call, refusal::Refusal, server::Reply, vendor, world::World};
use byok_types::Dialect;
use serde_json::Value;

const REQUEST: [&str; 10] = [
    "contents",
    "systemInstruction",
    "tools",
    "toolConfig",
    "safetySettings",
    "generationConfig",
    "cachedContent",
    "labels",
    "continuationToken",
    "model",
];

/// `projects/P/locations/L/publishers/google/models/M:ACTION`, or the same from `publishers` on.
pub(super) fn endpoint(rest: &str) -> Option<Endpoint> {
    let (place, rest) = match rest.strip_prefix("projects/") {
        Some(rest) => {
            let (project, rest) = rest.split_once("/locations/")?;
            let (location, rest) = rest.split_once('/')?;
            (Some((project.to_owned(), location.to_owned())), rest)
        }
        None => (None, rest),
    };
    let (model, action) = rest.strip_prefix("publishers/google/models/")?.rsplit_once(':')?;
    Some(Endpoint::Vertex(place, model.to_owned(), action.to_owned()))
}

pub(super) fn answer(
    world: &World,
    call: &Call,
    place: Option<&(String, String)>,
    model: &str,
    action: &str,
) -> Reply {
    let stream = action == "streamGenerateContent";
    let answered = || -> Result<Reply, Refusal> {
        credential(world, call, place)?;
        let body = json_body(call)?;
        match action {
            "generateContent" | "streamGenerateContent" => {
                check(&body)?;
                let target = target(model, stream, call);
                Ok(vendor::generate(world, &inner_call(call, &body), Dialect::Gemini, &target))
            }
            "countTokens" => {
                only(&body, &["contents", "systemInstruction"], "")?;
                let body = serde_json::json!({"contents": body["contents"]});
                Ok(vendor::count(world, &inner_call(call, &body), Dialect::Gemini, Some(model)))
            }
            _ => Err(Refusal::new(404, "NOT_FOUND", "Requested entity was not found.")),
        }
    };
    answered().unwrap_or_else(|refusal| refused(&refusal, stream && call.query("alt") != Some("sse")))
}

/// A token of a service account for a project's address, or a key for the short one; never both.
fn credential(world: &World, call: &Call, place: Option<&(String, String)>) -> Result<(), Refusal> {
    let key = call.header("x-goog-api-key").filter(|key| !key.is_empty());
    match (key, call.header("authorization"), place) {
        (Some(_), Some(_), _) => Err(Refusal::new(
            400,
            "INVALID_ARGUMENT",
            "Multiple authentication credentials received. Please pass only one.",
        )),
        (Some(_), None, Some(_)) => Err(Refusal::new(
            401,
            "UNAUTHENTICATED",
            "API keys are not supported by this API. Expected OAuth2 access token or other authentication credentials that assert a principal.",
        )),
        (Some(_), None, None) => Ok(()),
        (None, _, _) => match authorized(world, call)? {
            GoogleClient::Vertex => Ok(()),
            _ => Err(Refusal::new(403, "PERMISSION_DENIED", "The caller does not have permission")),
        },
    }
}

fn check(body: &Value) -> Result<(), Refusal> {
    only(body, &REQUEST, "")?;
    if body["toolConfig"].get("includeServerSideToolInvocations").is_some() {
        return Err(unknown("includeServerSideToolInvocations", "tool_config"));
    }
    let contents = body["contents"].as_array().into_iter().flatten();
    for part in contents.flat_map(|content| content["parts"].as_array().into_iter().flatten()) {
        for name in ["functionCall", "functionResponse"] {
            if part[name].get("id").is_some() {
                return Err(unknown("id", &format!("contents[0].parts[0].{name}")));
            }
        }
    }
    Ok(())
}
