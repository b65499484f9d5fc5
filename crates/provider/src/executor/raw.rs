//! Calls that are passed on as they are: what vendors offer beside the dialects, and raw access to a provider.
//!
//! Everything else is as for any request: the model decides who serves, byok's credential goes with it, a refusal before the
//! first byte may lead to another seat, a record is written.

mod answer;
mod named;

pub use answer::BrokenOff;
pub(super) use answer::RawBody;
pub(super) use named::renamed;

use super::{
    Inbound,
    attempt::{Attempt, headers_timeout},
    forward::{CREDENTIALS, KEPT_BACK},
    multipart,
    peek::{Peek, model_of, no_model},
};
use crate::{
    registry::{Candidate, Registry},
    upstream::{self, Ask, Endpoint, Operation, Token},
};
use byok_config::Limits;
use byok_translate::{
    Keep, Maker,
    scan::{Edit, Scan, splice},
    seal_edits,
};
use byok_transport::{Call, CallTimeouts};
use byok_types::{Blame, Dialect, Failure, FailureKind};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method,
    header::{ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_TYPE},
};
use std::ops::Range;
use url::Url;

/// How often a path may be encoded.
const DECODED: usize = 4;

/// A call that is passed on as it is.
#[derive(Clone, Debug)]
pub struct Raw {
    /// Method.
    pub method: Method,
    /// Where it goes.
    pub target: Target,
}

/// Where a raw call goes.
#[derive(Clone, Debug)]
pub enum Target {
    /// To an endpoint beside the dialects; the model says at which provider.
    Endpoint(Endpoint),
    /// To any path of a provider.
    Path {
        /// Name of the provider.
        provider: String,
        /// Path and query below its address, beginning with a slash.
        path: String,
    },
}

impl Raw {
    /// What the request says of itself.
    pub(super) fn peek(&self, inbound: &Inbound, limits: &Limits) -> Result<Peek, Failure> {
        let blank = |model: String| Peek {
            scan: Scan::default(),
            model,
            stream: false,
            dialect: inbound.dialect,
            flat_tools: false,
        };
        if let Target::Path { provider, .. } = &self.target {
            return Ok(blank(format!("passthrough/{provider}")));
        }
        if let Some(range) = form_model(inbound)? {
            let model = inbound.body.get(range).unwrap_or_default();
            let model = std::str::from_utf8(model).map_err(|_| {
                Failure::bad_request("model", "`model` is not UTF-8. Name a model; `byok models` lists them.")
            })?;
            return Ok(blank(model.trim().to_owned()));
        }
        let scan = Scan::within(&inbound.body, limits.json_depth)?;
        let model = model_of(inbound, &scan)?;
        let stream = scan.text(&inbound.body, "stream") == Some("true");
        Ok(Peek { scan, model, stream, dialect: inbound.dialect, flat_tools: false })
    }

    /// Whether it goes to any path of a provider: what comes back is the vendor's, whatever it is.
    pub(super) const fn is_any_path(&self) -> bool {
        matches!(self.target, Target::Path { .. })
    }

    /// Who can serve it.
    pub(super) fn candidates(&self, registry: &Registry, model: &str) -> Result<Vec<Candidate>, Failure> {
        match &self.target {
            Target::Endpoint(_) => registry.resolve(model),
            Target::Path { provider, .. } => Ok(vec![registry.for_raw(provider)?]),
        }
    }

    /// The body for a candidate: the client's bytes, but for the name of the model and for what byok put into earlier answers.
    pub(super) fn body(
        &self,
        inbound: &Inbound,
        peek: &Peek,
        candidate: &Candidate,
        account: Option<&str>,
    ) -> Result<Bytes, Failure> {
        let Target::Endpoint(endpoint) = self.target else { return Ok(inbound.body.clone()) };
        if !offers(candidate, endpoint) {
            return Err(not_there(candidate, endpoint));
        }
        let body = &inbound.body;
        let model = &candidate.facts.id;
        let mut edits = Vec::new();
        if endpoint == Endpoint::Compact {
            let maker = Maker { provider: &candidate.provider.maker, account };
            edits = seal_edits(Dialect::Responses, body, Keep::of(&candidate.facts, maker));
        }
        if peek.model == *model {
            return Ok(splice(body, edits));
        }
        if let Some(range) = form_model(inbound)? {
            // A line break in it would begin another field.
            let text: String = model.chars().filter(|c| !c.is_control()).collect();
            edits.push(Edit { range, text });
        } else if endpoint.dialect() == Dialect::Gemini {
            edits.extend(renamed(body, model));
        } else {
            edits.push(peek.scan.set("model", &serde_json::Value::from(model.as_str()).to_string()));
        }
        Ok(splice(body, edits))
    }
}

/// Whether a model has an endpoint.
fn offers(candidate: &Candidate, endpoint: Endpoint) -> bool {
    let speaks = endpoint != Endpoint::Compact || candidate.facts.endpoints.contains(&Dialect::Responses);
    speaks && candidate.provider.upstream.has(endpoint)
}

fn not_there(candidate: &Candidate, endpoint: Endpoint) -> Failure {
    let name = candidate.provider.id.as_str();
    let would_work = match endpoint.dialect() {
        Dialect::Gemini => "a model of `gemini` or of a provider with `kind: gemini`",
        Dialect::Responses => {
            "a model that speaks Responses: one of `codex`, or of a provider with `kind: responses`"
        }
        Dialect::Chat | Dialect::Messages => {
            "a model of `codex`, or of a provider with `kind: openai` or `kind: responses`"
        }
    };
    let what = match endpoint.dialect() {
        Dialect::Gemini => endpoint.path().to_owned(),
        _ => format!("/v1{}", endpoint.path()),
    };
    let mut failure = Failure::new(
        FailureKind::NotFound,
        Blame::Client,
        format!(
            "`{name}`, which serves this model, has no `{what}`, and byok does not translate it. Ask for {would_work} \
             (`provider/model`)."
        ),
    )
    .with_code("unsupported_endpoint");
    failure.param = Some("model".to_owned());
    failure
}

/// Where a form names the model; `None` if the body is no form.
fn form_model(inbound: &Inbound) -> Result<Option<Range<usize>>, Failure> {
    let kind = inbound.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let Some(boundary) = multipart::boundary(kind) else { return Ok(None) };
    multipart::field(&inbound.body, &boundary, "model")?.map(Some).ok_or_else(no_model)
}

impl Attempt<'_> {
    /// The call.
    pub(super) fn build_raw(&self, raw: &Raw, token: &Token, body: Bytes) -> Result<Call, Failure> {
        let upstream = &self.candidate.provider.upstream;
        let inbound = self.inbound;
        let (operation, mut headers) = match &raw.target {
            Target::Endpoint(endpoint) => {
                let mut headers = HeaderMap::new();
                for name in [CONTENT_TYPE, ACCEPT] {
                    if let Some(value) = inbound.headers.get(&name) {
                        headers.insert(name, value.clone());
                    }
                }
                (Operation::Endpoint(*endpoint), headers)
            }
            Target::Path { .. } => (Operation::Generate { stream: false }, travelling(&inbound.headers)),
        };
        let ask = Ask {
            operation,
            dialect: self.prepared.dialect,
            model: &self.candidate.facts.id,
            client: Some(&inbound.headers),
            needed: &[],
            claims: &self.seat.claims,
        };
        let base = upstream.base(&self.seat.base, token);
        let url = match &raw.target {
            Target::Endpoint(_) => upstream.url(&base, &ask)?,
            Target::Path { path, .. } => below(&base, path)?,
        };
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        upstream.headers(&ask, token, &mut headers);
        headers.extend(self.seat.headers.clone());
        let times = &self.candidate.provider.timeouts;
        let timeouts = CallTimeouts::stream(headers_timeout(times, false, self.reasons()), times.idle);
        let mut call = Call::new(raw.method.clone(), url.clone(), self.hosts_for(&url), timeouts);
        call.headers = headers;
        call.body = match &raw.target {
            Target::Endpoint(endpoint) => upstream.shape_raw(*endpoint, body)?,
            Target::Path { .. } => body,
        };
        call.without_secrets = token.secret.is_blank();
        call.proxy.clone_from(&self.seat.proxy);
        // What is coded stays so, and its header goes with it.
        call.decode = matches!(raw.target, Target::Endpoint(_));
        Ok(call)
    }
}

/// The headers of a client that go on: none of its connection, its machine or its credentials.
fn travelling(headers: &HeaderMap) -> HeaderMap {
    let listed = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<String> =
        listed.flat_map(|list| list.split(',')).map(|name| name.trim().to_ascii_lowercase()).collect();
    let mut on = HeaderMap::new();
    for (name, value) in headers {
        let text = name.as_str();
        let private = KEPT_BACK.contains(&text)
            || CREDENTIALS.contains(&text)
            || text.starts_with("x-forwarded-")
            || text.starts_with("cf-")
            || text.starts_with("sec-")
            || text.starts_with("x-byok-")
            || hops.iter().any(|hop| hop == text);
        if !private {
            on.append(name.clone(), value.clone());
        }
    }
    on
}

/// The address of a path below `base`; a path that would lead elsewhere is refused.
fn below(base: &str, path: &str) -> Result<Url, Failure> {
    let base = base.trim_end_matches('/');
    let home = upstream::join(base, "/")?;
    let outside = || {
        Failure::bad_request(
            "path",
            "the path leads out of the address of the provider. Write it without `.` and `..`.",
        )
    };
    let mut plain = path.split_once('?').map_or(path, |(plain, _)| plain).to_owned();
    // A server may decode more than once.
    for pass in 0.. {
        let steps = plain.split(['/', '\\']).any(|step| matches!(step, "." | ".."));
        if steps || plain.chars().any(char::is_control) || !plain.starts_with('/') || pass > DECODED {
            return Err(outside());
        }
        let decoded = percent_encoding::percent_decode_str(&plain).decode_utf8_lossy().into_owned();
        if decoded == plain {
            break;
        }
        plain = decoded;
    }
    let url = upstream::join(base, path)?;
    let same = url.origin() == home.origin()
        && url.username().is_empty()
        && url.fragment().is_none()
        && url.path().starts_with(home.path());
    if same { Ok(url) } else { Err(outside()) }
}

#[cfg(test)]
mod tests;
