//! What a request to the login pages asks for.

use super::PATH;
use crate::access::is_json;
use byok_auth::Answers;
use http::{HeaderMap, header, request::Parts};
use serde_json::Value;
use url::form_urlencoded;

/// Name of the cookie that holds the key of a session.
pub(super) const COOKIE: &str = "byok-login";

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// Show where it stands.
    Look,
    /// Trade a token for a session.
    Open,
    /// Begin with what was chosen.
    Start,
    /// Take a pasted code.
    Code,
}

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// The provider in the path.
    pub(super) provider: Option<String>,
    pub(super) method: Method,
}

impl Asked {
    /// By path and method; `None` for anything else.
    pub(super) fn read(parts: &Parts) -> Option<Self> {
        let rest = parts.uri.path().strip_prefix(PATH)?;
        let mut segments = rest.split('/').filter(|segment| !segment.is_empty());
        let (provider, step) = (segments.next(), segments.next());
        if segments.next().is_some() {
            return None;
        }
        let get = matches!(parts.method, http::Method::GET | http::Method::HEAD);
        let post = parts.method == http::Method::POST;
        let method = match step {
            None if get => Method::Look,
            None if post => Method::Open,
            Some("start") if post => Method::Start,
            Some("code") if post => Method::Code,
            _ => return None,
        };
        Some(Self { provider: provider.map(str::to_owned), method })
    }
}

/// Whether JSON is wanted more than a page.
pub(super) fn wants_json(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.contains("application/json") && !accepted.contains("text/html")
}

/// The token in the query, for browsers without scripts, or in the header, for programs.
pub(super) fn token_of(parts: &Parts) -> Option<String> {
    let query = parts.uri.query().unwrap_or_default();
    let token = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "token");
    token.map(|(_, token)| token.into_owned()).or_else(|| bearer(&parts.headers))
}

/// The value of `authorization: Bearer`.
pub(super) fn bearer(headers: &HeaderMap) -> Option<String> {
    let (scheme, value) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| value.trim().to_owned())
}

/// The key of a session.
pub(super) fn session_key(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let own = pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value.to_owned());
    own.or_else(|| bearer(headers))
}

/// The fields of a form, in their order.
#[derive(Debug, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// A form of a page, or a JSON object whose values are text or lists of text. `None` for anything else.
    pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Option<Self> {
        let kind =
            headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if kind.trim_start().starts_with("application/x-www-form-urlencoded") {
            return Some(Self(form_urlencoded::parse(body).into_owned().collect()));
        }
        if body.is_empty() {
            return Some(Self::default());
        }
        if !is_json(kind) {
            return None;
        }
        let Value::Object(fields) = serde_json::from_slice(body).ok()? else { return None };
        let mut form = Vec::new();
        for (name, value) in fields {
            match value {
                Value::String(text) => form.push((name, text)),
                Value::Array(all) => {
                    for value in all {
                        form.push((name.clone(), value.as_str()?.to_owned()));
                    }
                }
                _ => return None,
            }
        }
        Some(Self(form))
    }

    /// The first field of this name.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        let found = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(found).1)
    }

    /// All fields of this name.
    pub(super) fn take_all(&mut self, name: &str) -> Vec<String> {
        let (found, rest) = std::mem::take(&mut self.0).into_iter().partition(|(known, _)| known == name);
        self.0 = rest;
        let found: Vec<(String, String)> = found;
        found.into_iter().map(|(_, value)| value).collect()
    }

    /// The answers to the questions of a method: `METHOD.NAME` on the page, which shows all methods, `NAME` from a program.
    pub(super) fn answers(self, method: &str) -> Answers {
        let own = |name: String| match name.split_once('.') {
            Some((of, name)) if of == method => Some(name.to_owned()),
            Some(_) => None,
            None => Some(name),
        };
        self.0.into_iter().filter_map(|(name, value)| Some((own(name)?, value.trim().to_owned()))).collect()
    }
}
