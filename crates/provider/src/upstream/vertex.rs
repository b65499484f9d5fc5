//! Gemini on Vertex AI: the same dialect, at an address of the project and its location.

use super::{
    Ask, Endpoint, Operation, Refusal, Scope, Shaping, Token, Upstream, Verdict,
    code_assist::{Members, list_of},
    empty_parts, join, judge_by_kind, set, without_tail,
};
use byok_translate::Losses;
use byok_types::Failure;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, header::AUTHORIZATION};
use serde_json::Value;
use std::{borrow::Cow, time::Duration};
use url::Url;

const X_GOOG_API_KEY: HeaderName = HeaderName::from_static("x-goog-api-key");
/// The host of the location `global`.
const GLOBAL: &str = "https://aiplatform.googleapis.com";

/// Vertex AI.
#[derive(Clone, Copy, Debug, Default)]
pub struct Vertex;

/// The host of a location.
fn host(location: &str) -> String {
    match location {
        "global" => GLOBAL.to_owned(),
        "us" | "eu" => format!("https://aiplatform.{location}.rep.googleapis.com"),
        location => format!("https://{location}-aiplatform.googleapis.com"),
    }
}

impl Upstream for Vertex {
    fn base<'a>(&self, base: &'a str, token: &'a Token) -> Cow<'a, str> {
        let base = without_tail(base, &["/v1"]);
        let (Some(project), Some(location)) = (token.fact("project"), token.fact("location")) else {
            // A key has neither, and a short address.
            return Cow::Owned(format!("{base}/v1"));
        };
        let host = if base == GLOBAL { host(location) } else { base.to_owned() };
        Cow::Owned(format!("{host}/v1/projects/{project}/locations/{location}"))
    }

    fn trusts(&self, host: &str) -> bool {
        let place = host.strip_suffix("-aiplatform.googleapis.com");
        let region =
            host.strip_prefix("aiplatform.").and_then(|rest| rest.strip_suffix(".rep.googleapis.com"));
        place.or(region).is_some_and(|name| !name.contains('.'))
    }

    fn url(&self, base: &str, ask: &Ask<'_>) -> Result<Url, Failure> {
        let method = match ask.operation {
            Operation::Generate { stream: true } => "streamGenerateContent?alt=sse",
            Operation::Count => "countTokens",
            _ => "generateContent",
        };
        let model: String = url::form_urlencoded::byte_serialize(ask.model.as_bytes()).collect();
        join(base, &format!("/publishers/google/models/{}:{method}", model.replace('+', "%20")))
    }

    fn has(&self, _endpoint: Endpoint) -> bool {
        false
    }

    fn headers(&self, _ask: &Ask<'_>, token: &Token, headers: &mut HeaderMap) {
        // One of both: together they are refused.
        if token.oauth {
            set(headers, AUTHORIZATION, &format!("Bearer {}", token.secret.expose()), true);
        } else {
            set(headers, X_GOOG_API_KEY, token.secret.expose(), true);
        }
    }

    fn shape(&self, body: Bytes, shaping: &Shaping<'_>, losses: &mut Losses) -> Result<Bytes, Failure> {
        let body = empty_parts::left_out(body);
        let mut request = Members::read(&body)?;
        if shaping.ask.operation == Operation::Count {
            let inner = request.remove("generateContentRequest");
            let inner = inner.map_or(Ok(request), |inner| Members::read(inner.get().as_bytes()))?;
            let mut counted = Members::default();
            counted.put("contents", &without_ids(inner.get(&["contents"]).unwrap_or_default()));
            if let Some(system) = inner.get(&["systemInstruction", "system_instruction"]) {
                counted.put("systemInstruction", &system);
            }
            return Ok(counted.write());
        }
        for name in ["model", "store", "serviceTier", "service_tier", "session_id", "sessionId"] {
            if request.remove(name).is_some() && name.starts_with("service") {
                losses.dropped(name, "Vertex AI has no tiers in the request");
            }
        }
        // Ids of calls are refused by `v1`; results find their calls by order and name.
        if memchr::memmem::find(&body, b"\"function").is_some()
            && let Some(contents) = request.get(&["contents"])
        {
            request.put("contents", &without_ids(contents));
        }
        if let Some(mut config) = request.get(&["toolConfig"])
            && config
                .as_object_mut()
                .is_some_and(|config| config.remove("includeServerSideToolInvocations").is_some())
        {
            request.put("toolConfig", &config);
        }
        Ok(request.write())
    }

    fn charges_extra(&self, _headers: &HeaderMap) -> bool {
        // Everything is charged; there is no plan.
        false
    }

    fn judge(&self, refusal: &Refusal<'_>) -> Verdict {
        let failure = refusal.failure;
        let code = failure.code.as_deref().unwrap_or_default();
        let says = |words: &str| failure.message.contains(words);
        let rest = |scope, wait| Verdict::other(Some((scope, wait)));
        let own = |verdict: Verdict, hint| Verdict { own_credential: true, hint: Some(hint), ..verdict };
        match (failure.status, code) {
            (400, "API_KEY_INVALID") => own(
                rest(Scope::Account, Duration::from_mins(5)),
                "Google does not accept the key; copy it again",
            ),
            (400, _) if says("is not allowed to use Publisher Model") => Verdict {
                hint: Some(
                    "the model's terms are not accepted in the project; open it in the console's model garden",
                ),
                ..rest(Scope::Model, Duration::from_hours(1))
            },
            (401, _) if !refusal.oauth => own(
                rest(Scope::Account, Duration::from_mins(5)),
                "this kind of key is not taken here; use the key file of a service account (`byok login vertex`)",
            ),
            (403, "API_KEY_SERVICE_BLOCKED") => own(
                rest(Scope::Account, Duration::from_hours(1)),
                "the key may not be used for Vertex AI; allow the API for it in the Cloud console",
            ),
            (403, "CONSUMER_INVALID") => own(
                rest(Scope::Account, Duration::from_hours(1)),
                "the project does not exist or is deleted; log in with a key file of another one",
            ),
            (403, "SERVICE_DISABLED") => own(
                rest(Scope::Account, Duration::from_mins(5)),
                "enable the API aiplatform.googleapis.com in the project and wait some minutes",
            ),
            (403, "BILLING_DISABLED") => own(
                rest(Scope::Account, Duration::from_mins(30)),
                "switch billing on for the project in the Cloud console",
            ),
            (403, _) => own(
                rest(Scope::Model, Duration::from_mins(5)),
                "give the service account the role roles/aiplatform.user, and check the name of the model and the project",
            ),
            (404, _) => Verdict {
                hint: Some(
                    "the model is not served at this location; `byok login vertex --with location=global` tries another one",
                ),
                ..rest(Scope::Model, Duration::from_mins(10))
            },
            (429, _) if says("Quota exceeded") => {
                let wait = failure.retry_after.unwrap_or(Duration::from_mins(1)).min(Duration::from_mins(1));
                rest(Scope::Model, wait)
            }
            // Load of the service, which all projects share.
            (429 | 499, _) => rest(Scope::Model, Duration::from_secs(2)),
            _ => judge_by_kind(refusal),
        }
    }
}

fn without_ids(mut contents: Value) -> Value {
    for content in contents.as_array_mut().into_iter().flatten() {
        for part in list_of(content, "parts").into_iter().flatten() {
            for name in ["functionCall", "functionResponse"] {
                if let Some(function) = part.get_mut(name).and_then(Value::as_object_mut) {
                    function.remove("id");
                }
            }
        }
    }
    contents
}

#[cfg(test)]
mod tests;
