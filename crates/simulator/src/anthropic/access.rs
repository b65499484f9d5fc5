//! Credentials, versions and rate-limit headers.

use crate::{
    call::Call, oauth::TokenState, refusal::Refusal, trouble::rfc3339, vendor::lenient, world::World,
};

/// The two published API versions.
pub(super) const V2023: &str = "2023-06-01";
pub(super) const V2026: &str = "2026-10-21";

/// The beta that OAuth credentials need.
pub(super) const OAUTH_BETA: &str = "oauth-2025-04-20";

fn unauthorized(message: &str) -> Refusal {
    Refusal::new(401, "authentication_error", message)
}

/// Checks the credential and the version header.
pub(crate) fn authorize(world: &World, call: &Call) -> Result<(), Refusal> {
    let (key, bearer) = (call.header("x-api-key"), call.bearer());
    let refused = match (key, bearer) {
        (Some(_), Some(_)) => {
            Some(unauthorized("Only one of the x-api-key and authorization headers may be sent."))
        }
        (None, None) if call.header("authorization").is_some() => Some(unauthorized("Invalid bearer token")),
        (None, None) => Some(unauthorized("x-api-key header is required")),
        (Some(key), None) if key.starts_with("sk-ant-api") || lenient(key) => None,
        (Some(_), None) => Some(unauthorized("invalid x-api-key")),
        (None, Some(token)) if token.starts_with("sk-ant-oat") => oauth(world, call, token),
        (None, Some(token)) if token.starts_with("sk-ant-api") || lenient(token) => None,
        (None, Some(_)) => Some(unauthorized("Invalid bearer token")),
    };
    if let Some(refusal) = refused {
        return Err(refusal);
    }
    match call.header("anthropic-version") {
        Some(V2023 | V2026) => Ok(()),
        None => Err(Refusal::new(400, "invalid_request_error", "anthropic-version: header is required")),
        Some(other) => Err(Refusal::new(
            400,
            "invalid_request_error",
            format!("anthropic-version: \"{other}\" is not a valid version"),
        )),
    }
}

fn oauth(world: &World, call: &Call, token: &str) -> Option<Refusal> {
    match world.oauth.state(token, world.now()) {
        TokenState::Unknown => return Some(unauthorized("Invalid bearer token")),
        TokenState::Expired => {
            return Some(unauthorized(
                "OAuth token has expired. Please obtain a new token or refresh your existing token.",
            ));
        }
        TokenState::Good => {}
    }
    (!betas(call).any(|beta| beta == OAUTH_BETA))
        .then(|| unauthorized("OAuth authentication is currently not supported."))
}

/// The values of all `anthropic-beta` headers.
pub(super) fn betas(call: &Call) -> impl Iterator<Item = &str> {
    call.headers
        .get_all("anthropic-beta")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|value| !value.is_empty())
}

/// Rate-limit headers of a good answer: the windows of the plan for a subscription, the classic ones for a key.
pub(crate) fn limits(key: &str, now: i64) -> Vec<(&'static str, String)> {
    if key.starts_with("sk-ant-oat") {
        return vec![
            ("anthropic-ratelimit-unified-status", "allowed".to_owned()),
            ("anthropic-ratelimit-unified-reset", (now + 7200).to_string()),
            ("anthropic-ratelimit-unified-representative-claim", "five_hour".to_owned()),
            ("anthropic-ratelimit-unified-5h-status", "allowed".to_owned()),
            ("anthropic-ratelimit-unified-5h-utilization", "0.12".to_owned()),
            ("anthropic-ratelimit-unified-5h-reset", (now + 7200).to_string()),
            ("anthropic-ratelimit-unified-7d-status", "allowed".to_owned()),
            ("anthropic-ratelimit-unified-7d-utilization", "0.34".to_owned()),
            ("anthropic-ratelimit-unified-7d-reset", (now + 3 * 86_400).to_string()),
        ];
    }
    let reset = rfc3339(now + 60);
    vec![
        ("anthropic-ratelimit-requests-limit", "4000".to_owned()),
        ("anthropic-ratelimit-requests-remaining", "3999".to_owned()),
        ("anthropic-ratelimit-requests-reset", reset.clone()),
        ("anthropic-ratelimit-tokens-limit", "400000".to_owned()),
        ("anthropic-ratelimit-tokens-remaining", "399000".to_owned()),
        ("anthropic-ratelimit-tokens-reset", reset),
        ("anthropic-organization-id", "00000000-0000-4000-8000-00000000000a".to_owned()),
    ]
}

/// Turns the windows of a plan into ones that are used up, and the answer into one that is charged beyond the plan.
pub(crate) fn charge_extra(headers: &mut Vec<(String, String)>) {
    for (name, value) in headers.iter_mut() {
        match name.as_str() {
            "anthropic-ratelimit-unified-status" | "anthropic-ratelimit-unified-5h-status" => {
                "rejected".clone_into(value);
            }
            "anthropic-ratelimit-unified-representative-claim" => "overage".clone_into(value),
            _ => {}
        }
    }
    for (name, value) in [("status", "allowed"), ("in-use", "true"), ("utilization", "0.05")] {
        headers.push((format!("anthropic-ratelimit-unified-overage-{name}"), value.to_owned()));
    }
}

/// Whether the request names the beta that OAuth credentials need.
pub(crate) fn has_oauth_beta(call: &Call) -> bool {
    betas(call).any(|beta| beta == OAUTH_BETA)
}
