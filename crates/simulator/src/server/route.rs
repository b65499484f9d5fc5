//! From a path to what it means.

use crate::{
    call, codex,
    compatible::Server,
    copilot, google, iflow, kimi, kiro,
    oauth::Endpoint,
    qwen,
    vendor::{Neighbour, Target},
    xai,
};
use byok_types::Dialect;
use http::{Method, request::Parts};

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Generate(Dialect, Target),
    /// Token count; the model where the path names it.
    Count(Dialect, Option<String>),
    /// Models; an id for one of them.
    Models(Dialect, Option<String>),
    /// The list of a compatible server.
    ListOf(Server),
    /// What is no dialect of its own; the model where the path names it.
    Beside(Neighbour, Option<String>),
    Oauth(Endpoint),
    /// Google's login and private services.
    Google(google::Endpoint),
    Copilot(copilot::Endpoint),
    Kimi(kimi::Endpoint),
    /// The login and the backend of Codex.
    Codex(codex::Endpoint),
    /// The login and the hosts of xAI.
    Xai(xai::Endpoint),
    Qwen(qwen::Endpoint),
    Iflow(iflow::Endpoint),
    Kiro(kiro::Endpoint),
    Nowhere,
}

impl Route {
    pub(super) fn of(head: &Parts) -> Self {
        if let Some(route) = Self::of_compatible(head) {
            return route;
        }
        let path = head.uri.path();
        if let Some(endpoint) = Endpoint::of(&head.method, path) {
            return Self::Oauth(endpoint);
        }
        if let Some(endpoint) = google::Endpoint::of(&head.method, path) {
            return Self::Google(endpoint);
        }
        if let Some(endpoint) = copilot::Endpoint::of(&head.method, path) {
            return Self::Copilot(endpoint);
        }
        if let Some(endpoint) = kimi::Endpoint::of(&head.method, path) {
            return Self::Kimi(endpoint);
        }
        if let Some(endpoint) = codex::Endpoint::of(&head.method, path) {
            return Self::Codex(endpoint);
        }
        if let Some(endpoint) = xai::Endpoint::of(&head.method, path) {
            return Self::Xai(endpoint);
        }
        if let Some(endpoint) = qwen::Endpoint::of(&head.method, path) {
            return Self::Qwen(endpoint);
        }
        if let Some(endpoint) = iflow::Endpoint::of(&head.method, path) {
            return Self::Iflow(endpoint);
        }
        if let Some(endpoint) = kiro::Endpoint::of(&head.method, path) {
            return Self::Kiro(endpoint);
        }
        let post = head.method == Method::POST;
        match path {
            "/v1/messages" if post => Self::Generate(Dialect::Messages, Target::default()),
            "/v1/messages/count_tokens" if post => Self::Count(Dialect::Messages, None),
            "/v1/chat/completions" if post => Self::Generate(Dialect::Chat, Target::default()),
            "/v1/responses" if post => Self::Generate(Dialect::Responses, Target::default()),
            "/v1/responses/input_tokens" if post => Self::Count(Dialect::Responses, None),
            _ => match Neighbour::of_path(path).filter(|_| post) {
                Some(neighbour) => Self::Beside(neighbour, None),
                None => Self::of_models(head).unwrap_or(Self::Nowhere),
            },
        }
    }

    /// Compatible servers have bases of their own: below `/compat/` any of them is served. The first word of the path can name
    /// one whose list of models says more, or `bare`, which has no list.
    fn of_compatible(head: &Parts) -> Option<Self> {
        let path = head.uri.path().strip_prefix("/compat/")?;
        let first = path.split('/').next().unwrap_or_default();
        let tail = |tail: &str| path == tail.trim_start_matches('/') || path.ends_with(tail);
        Some(match head.method {
            Method::POST if tail("/chat/completions") => {
                Self::Generate(Dialect::Chat, Target { server: Server::of(first), ..Target::default() })
            }
            Method::POST if tail("/responses") => Self::Generate(Dialect::Responses, Target::default()),
            Method::POST if tail("/v1/messages") => Self::Generate(Dialect::Messages, Target::default()),
            Method::GET if tail("/models") => match first {
                "bare" => Self::Nowhere,
                name => match Server::of(name) {
                    Some(server) => Self::ListOf(server),
                    None if head.headers.contains_key("anthropic-version") => {
                        Self::Models(Dialect::Messages, None)
                    }
                    None => Self::Models(Dialect::Chat, None),
                },
            },
            _ => Self::Nowhere,
        })
    }

    fn of_models(head: &Parts) -> Option<Self> {
        let path = head.uri.path();
        let rest = path.strip_prefix('/')?;
        let (version, rest) = rest.split_once('/')?;
        let id = match rest.strip_prefix("models")? {
            "" | "/" => None,
            id => Some(call::decode(id.strip_prefix('/')?)),
        };
        if head.method == Method::POST && ["v1beta", "v1", "v1alpha"].contains(&version) {
            return Self::of_action(&id?, head.uri.query().unwrap_or_default());
        }
        if head.method != Method::GET {
            return None;
        }
        let has = |name: &str| head.headers.contains_key(name);
        let keyed =
            || head.uri.query().is_some_and(|query| query.split('&').any(|pair| pair.starts_with("key=")));
        let dialect = match version {
            "v1beta" | "v1alpha" => Dialect::Gemini,
            "v1" if has("anthropic-version") => Dialect::Messages,
            "v1" if has("x-goog-api-key") || keyed() => Dialect::Gemini,
            "v1" => Dialect::Chat,
            _ => return None,
        };
        Some(Self::Models(dialect, id))
    }

    /// `MODEL:ACTION`, split at the last colon.
    fn of_action(id: &str, query: &str) -> Option<Self> {
        let (model, action) = id.rsplit_once(':')?;
        let model = Some(model.to_owned());
        let sse =
            query.split('&').any(|pair| pair == "alt=sse" || pair == "%24alt=sse" || pair == "$alt=sse");
        match action {
            "generateContent" => Some(Self::Generate(
                Dialect::Gemini,
                Target { model, stream: Some(false), array: false, envelope: false, server: None },
            )),
            "streamGenerateContent" => Some(Self::Generate(
                Dialect::Gemini,
                Target { model, stream: Some(true), array: !sse, envelope: false, server: None },
            )),
            "countTokens" => Some(Self::Count(Dialect::Gemini, model)),
            "embedContent" => Some(Self::Beside(Neighbour::EmbedContent, model)),
            "batchEmbedContents" => Some(Self::Beside(Neighbour::BatchEmbedContents, model)),
            _ => None,
        }
    }

    pub(super) fn dialect(&self) -> Option<Dialect> {
        match self {
            Self::Generate(dialect, _) | Self::Count(dialect, _) => Some(*dialect),
            Self::Beside(neighbour, _) => Some(neighbour.dialect()),
            Self::Google(endpoint) => endpoint.dialect(),
            Self::Copilot(endpoint) => endpoint.dialect(),
            Self::Kimi(endpoint) => endpoint.dialect(),
            Self::Codex(endpoint) => endpoint.dialect(),
            Self::Xai(endpoint) => endpoint.dialect(),
            Self::Qwen(endpoint) => endpoint.dialect(),
            Self::Iflow(endpoint) => endpoint.dialect(),
            Self::Models(..) | Self::ListOf(_) | Self::Oauth(_) | Self::Kiro(_) | Self::Nowhere => None,
        }
    }

    pub(super) fn is_generation(&self) -> bool {
        matches!(self, Self::Generate(..))
    }
}

#[cfg(test)]
mod tests;
