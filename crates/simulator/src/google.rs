//! Google's private services: the login, Code Assist (Gemini CLI's and Antigravity's), and Vertex AI.
//!
//! What a token is good for depends on the client that it was issued to; it begins with `ya29.` and that client's name. What
//! the models say comes from the Gemini engine: here are only the envelope and its rules.

mod assist;
mod books;
mod envelope;
mod login;
mod trouble;
mod vertex;

pub(crate) use books::Books;
pub use books::{GoogleAccounts, GoogleClient, GoogleCounts, GoogleGrant, ServiceAccountKey};
pub(crate) use trouble::code_assist as worded;

use crate::{call::Call, refusal::Refusal, server::Reply, vendor::Target, world::World};
use byok_types::Dialect;
use http::Method;
use serde_json::Value;

/// An endpoint of these services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Authorize,
    Token,
    Revoke,
    Profile,
    /// A method of `v1internal`.
    Internal(String),
    /// Below `/vertex/`: project and location where the path has them, model, and action.
    Vertex(Option<(String, String)>, String, String),
}

impl Endpoint {
    /// The endpoint at a path.
    pub(crate) fn of(method: &Method, path: &str) -> Option<Self> {
        let post = *method == Method::POST;
        if let Some(rest) = path.strip_prefix("/vertex/v1/").filter(|_| post) {
            return vertex::endpoint(rest);
        }
        let path = path.strip_prefix("/google")?;
        if let Some(name) = path.strip_prefix("/v1internal:").filter(|_| post) {
            return Some(Self::Internal(name.to_owned()));
        }
        let (wanted, endpoint) = match path {
            "/o/oauth2/v2/auth" => (Method::GET, Self::Authorize),
            "/token" => (Method::POST, Self::Token),
            "/revoke" => (Method::POST, Self::Revoke),
            "/userinfo" => (Method::GET, Self::Profile),
            _ => return None,
        };
        (*method == wanted).then_some(endpoint)
    }

    /// The dialect of its answers, where it is one.
    pub(crate) fn dialect(&self) -> Option<Dialect> {
        let generates = match self {
            Self::Internal(name) => name.ends_with("enerateContent") || name == "countTokens",
            Self::Vertex(..) => true,
            _ => false,
        };
        generates.then_some(Dialect::Gemini)
    }
}

/// Answers a request.
pub(crate) fn answer(world: &World, call: &Call, endpoint: &Endpoint) -> Reply {
    match endpoint {
        Endpoint::Authorize => login::authorize(world, call),
        Endpoint::Token => login::token(world, call),
        Endpoint::Revoke => login::revoke(world, call),
        Endpoint::Profile => login::profile(world, call),
        Endpoint::Internal(name) => internal(world, call, name),
        Endpoint::Vertex(place, model, action) => vertex::answer(world, call, place.as_ref(), model, action),
    }
}

fn internal(world: &World, call: &Call, name: &str) -> Reply {
    let streams = name == "streamGenerateContent";
    let answered = || -> Result<Reply, Refusal> {
        let client = authorized(world, call)?;
        if client == GoogleClient::Vertex {
            return Err(Refusal::new(403, "PERMISSION_DENIED", "The caller does not have permission"));
        }
        if client == GoogleClient::Antigravity
            && !call.header("user-agent").is_some_and(|agent| agent.starts_with("antigravity"))
        {
            return Err(Refusal::new(403, "PERMISSION_DENIED", "The caller does not have permission"));
        }
        if call.header("x-goog-user-project").is_some() {
            return Err(trouble::disabled_service());
        }
        let body = json_body(call)?;
        match name {
            "generateContent" | "streamGenerateContent" => {
                envelope::generate(world, call, client, body, streams)
            }
            "countTokens" => envelope::count(world, call, body),
            _ => {
                assist::answer(world, call, client, name, &body).map(|body| Reply::json(200, trace(), &body))
            }
        }
    };
    answered().unwrap_or_else(|refusal| refused(&refusal, streams))
}

fn trace() -> Vec<(String, String)> {
    vec![("x-cloudaicompanion-trace-id".to_owned(), "5eed".to_owned())]
}

/// Google wraps the errors of a streaming method in an array.
fn refused(refusal: &Refusal, streams: bool) -> Reply {
    let body = refusal.body(Dialect::Gemini, "");
    let body = if streams { Value::Array(vec![body]) } else { body };
    Reply::json(refusal.status, trace(), &body)
}

/// Whose token it is.
fn authorized(world: &World, call: &Call) -> Result<GoogleClient, Refusal> {
    let token = call.bearer().unwrap_or_default();
    if call.header("x-goog-api-key").is_some() {
        return Err(unauthenticated());
    }
    world.google.client_of(token, world.now()).ok_or_else(unauthenticated)
}

fn unauthenticated() -> Refusal {
    Refusal::new(
        401,
        "UNAUTHENTICATED",
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.",
    )
}

fn json_body(call: &Call) -> Result<Value, Refusal> {
    let wrong =
        |why: &str| Refusal::new(400, "INVALID_ARGUMENT", format!("Invalid JSON payload received. {why}"));
    if !call.is_json() {
        return Err(wrong("Content-Type must be application/json"));
    }
    let body: Value = serde_json::from_slice(&call.body).map_err(|error| wrong(&error.to_string()))?;
    if body.is_object() { Ok(body) } else { Err(wrong("expected an object")) }
}

/// Refuses members that the service does not know.
fn only(body: &Value, known: &[&str], at: &str) -> Result<(), Refusal> {
    match body.as_object().into_iter().flatten().find(|(name, _)| !known.contains(&name.as_str())) {
        Some((name, _)) => Err(unknown(name, at)),
        None => Ok(()),
    }
}

fn unknown(name: &str, at: &str) -> Refusal {
    let at = if at.is_empty() { String::new() } else { format!(" at '{at}'") };
    Refusal::new(
        400,
        "INVALID_ARGUMENT",
        format!("Invalid JSON payload received. Unknown name \"{name}\"{at}: Cannot find field."),
    )
}

/// The call as the Gemini engine wants it, with the body that was inside of the envelope.
fn inner_call(call: &Call, body: &Value) -> Call {
    let mut inner = call.clone();
    let token = call.bearer().or_else(|| call.header("x-goog-api-key")).unwrap_or_default().to_owned();
    inner.headers.remove("authorization");
    if let Ok(value) = http::HeaderValue::from_str(&token) {
        inner.headers.insert("x-goog-api-key", value);
    }
    inner.body = body.to_string().into();
    inner
}

fn target(model: &str, stream: bool, call: &Call) -> Target {
    let sse = call.query("alt") == Some("sse") || call.query("$alt") == Some("sse");
    Target {
        model: Some(model.to_owned()),
        stream: Some(stream),
        array: stream && !sse,
        envelope: false,
        server: None,
    }
}
