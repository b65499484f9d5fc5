//! Google's private API behind the logins of Gemini Code Assist and of Antigravity: the Gemini dialect in an envelope.

mod agent;
mod members;
mod schema;

#[cfg(test)]
mod tests;

pub(crate) use members::{Members, list_of};

use super::{
    Ask, Endpoint, Line, Lookup, Operation, Refusal, Scope, Shaping, Token, Upstream, Verdict, empty_parts,
    join, judge_by_kind, set, time::unix_of, without_tail,
};
use crate::knowledge::{Discovered, Quota, Window};
use byok_translate::{Envelope, Losses, codec};
use byok_types::{AccountState, Blame, Dialect, Failure, FailureKind};
use bytes::Bytes;
use http::{
    HeaderMap, Method,
    header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT},
};
use serde_json::{Map, Value, json};
use std::time::Duration;
use url::Url;

/// The claim of Antigravity.
const CLAIM: &str = "antigravity-user-agent";
/// The longest wait that a refusal can ask for.
const LONGEST: Duration = Duration::from_hours(7 * 24);

/// Code Assist.
#[derive(Clone, Copy, Debug)]
pub struct CodeAssist {
    /// Whether the logins are those of Antigravity.
    pub antigravity: bool,
}

impl CodeAssist {
    const fn name(self) -> &'static str {
        if self.antigravity { "antigravity" } else { "gemini" }
    }

    /// A call of a method with the project as its body.
    fn about(self, base: &str, token: &Token, method: &str) -> Option<Lookup> {
        let project = token.fact("project")?;
        let url = join(base_of(base), &format!("/v1internal:{method}")).ok()?;
        let mut headers = HeaderMap::new();
        set(&mut headers, AUTHORIZATION, &format!("Bearer {}", token.secret.expose()), true);
        set(&mut headers, CONTENT_TYPE, "application/json", false);
        if self.antigravity {
            // Nothing is asked without consent: see `demands`.
            set(&mut headers, USER_AGENT, agent::NAME, false);
        }
        Some(Lookup {
            method: Method::POST,
            url,
            headers,
            body: json!({"project": project}).to_string().into(),
        })
    }
}

fn base_of(base: &str) -> &str {
    without_tail(base, &["/v1internal"])
}

impl Upstream for CodeAssist {
    fn url(&self, base: &str, ask: &Ask<'_>) -> Result<Url, Failure> {
        let method = match ask.operation {
            Operation::Generate { stream: true } => "streamGenerateContent?alt=sse",
            Operation::Generate { stream: false } => "generateContent",
            Operation::Count => "countTokens",
            Operation::Models | Operation::Endpoint(_) => "fetchAvailableModels",
        };
        join(base_of(base), &format!("/v1internal:{method}"))
    }

    fn has(&self, _endpoint: Endpoint) -> bool {
        false
    }

    fn headers(&self, ask: &Ask<'_>, token: &Token, headers: &mut HeaderMap) {
        set(headers, AUTHORIZATION, &format!("Bearer {}", token.secret.expose()), true);
        if self.antigravity && ask.may_claim(CLAIM) {
            set(headers, USER_AGENT, agent::NAME, false);
        }
    }

    fn demands(&self, ask: &Ask<'_>, _token: &Token) -> Option<&'static str> {
        (self.antigravity && !ask.may_claim(CLAIM)).then_some(CLAIM)
    }

    /// Antigravity's whole answers are not reliable, so it is always asked for a stream.
    fn only_streams(&self, ask: &Ask<'_>) -> bool {
        self.antigravity && ask.operation != Operation::Count
    }

    fn shape(&self, body: Bytes, shaping: &Shaping<'_>, losses: &mut Losses) -> Result<Bytes, Failure> {
        let model = if self.antigravity { shaping.ask.model } else { members::wire_name(shaping.ask.model) };
        let mut request = Members::read(&empty_parts::left_out(body))?;
        if shaping.ask.operation == Operation::Count {
            return members::count(request, model);
        }
        let Some(project) = shaping.token.fact("project") else {
            return Err(Failure::new(
                FailureKind::Credential,
                Blame::Byok,
                format!(
                    "the login of `{0}` has no Cloud project yet; log in again with `byok login {0}`.",
                    self.name()
                ),
            ));
        };
        // What the Generative Language API knows and this one does not.
        for name in ["model", "store", "serviceTier", "service_tier", "stream"] {
            if request.remove(name).is_some() && name.starts_with("service") {
                losses.dropped(name, "this service has no tiers");
            }
        }
        let mut around = Members::default();
        around.put("model", &json!(model));
        around.put("project", &json!(project));
        if self.antigravity {
            agent::fit(&mut request, shaping.facts, losses);
            let (kind, id) = if agent::draws(model) {
                // Its own program numbers the parts of a drawing so.
                ("image_gen", format!("image_gen/{}/{}/12", shaping.at_ms, shaping.request_id))
            } else {
                ("agent", format!("agent-{}", shaping.request_id))
            };
            around.put("requestId", &json!(id));
            around.put("userAgent", &json!(agent::NAME));
            around.put("requestType", &json!(kind));
        } else {
            members::config(&mut request, shaping.facts.max_output_tokens, losses);
            around.put("user_prompt_id", &json!(shaping.request_id));
        }
        around.put_members("request", &request);
        Ok(around.write())
    }

    fn envelope(&self) -> Envelope {
        Envelope::Response
    }

    fn read_failure(&self, dialect: Dialect, status: u16, _headers: &HeaderMap, body: &[u8]) -> Failure {
        let mut failure = codec::decode_failure(dialect, status, body);
        if failure.code.as_deref() == Some("VALIDATION_REQUIRED")
            && let Some(url) = validation_url(body)
        {
            failure.message = format!("{} Open {url} in a browser.", failure.message);
        }
        failure
    }

    /// Errors of streaming methods stand in an array.
    fn relays_refusals(&self) -> bool {
        false
    }

    fn charges_extra(&self, _headers: &HeaderMap) -> bool {
        // Credits are spent only by requests that name them, and byok's do not.
        false
    }

    fn opens_at(&self, failure: &Failure, _headers: &HeaderMap, _now: i64) -> Option<i64> {
        metadata(failure, "quotaResetTimeStamp").as_deref().and_then(unix_of)
    }

    fn judge(&self, refusal: &Refusal<'_>) -> Verdict {
        let failure = refusal.failure;
        let code = failure.code.as_deref().unwrap_or_default();
        let says = |words: &str| failure.message.contains(words);
        let wait = |default: Duration| failure.retry_after.unwrap_or(default).min(LONGEST);
        let own = |state| Verdict { state: Some(state), own_credential: true, ..Verdict::other(None) };
        let name = self.name();
        match (failure.status, code) {
            (429 | 503, "MODEL_CAPACITY_EXHAUSTED" | "MODEL_CAPACITY_EXCEEDED") => {
                Verdict::other(Some((Scope::Model, Duration::from_secs(2))))
            }
            // Antigravity counts Gemini's models together, and those of other makers.
            (429, "QUOTA_EXHAUSTED") if self.antigravity => {
                let bucket = if refusal.model.contains("gemini") {
                    Line::With("gemini")
                } else {
                    Line::Without("gemini")
                };
                Verdict::other(Some((Scope::Line(bucket), wait(Duration::from_hours(1)))))
            }
            (429, "QUOTA_EXHAUSTED") => Verdict::other(Some((Scope::Model, wait(Duration::from_hours(1))))),
            (429, "INSUFFICIENT_G1_CREDITS_BALANCE") => {
                Verdict::other(Some((Scope::Model, wait(Duration::from_mins(30)))))
            }
            (429, "RESOURCE_EXHAUSTED") if self.antigravity && failure.retry_after.is_none() => Verdict {
                hint: Some(
                    "Antigravity answers so for a moment, or to system prompts in which other agents name themselves; it is not your quota",
                ),
                ..Verdict::PASS_ON
            },
            (429, _) => Verdict::other(Some((Scope::Model, wait(Duration::from_mins(1))))),
            (499, _) => Verdict::other(Some((Scope::Model, Duration::from_secs(2)))),
            (403, "VALIDATION_REQUIRED") => own(AccountState::Blocked {
                reason: format!(
                    "Google wants to verify the account: {} Then run `byok accounts enable {name}`",
                    failure.message
                ),
            }),
            // What helps is what a login without a licence is told.
            (403, "SUBSCRIPTION_REQUIRED") => own(AccountState::NeedsLogin {
                reason: if self.antigravity {
                    format!(
                        "the project has no licence for it; log in with another one: `byok login {name} --with project=ID`"
                    )
                } else {
                    format!(
                        "the account or its project has no licence for Gemini Code Assist; {}",
                        byok_auth::gemini::NO_LICENCE
                    )
                },
            }),
            (403, "SERVICE_DISABLED") => {
                let place =
                    metadata(failure, "activationUrl").map_or_else(String::new, |url| format!(" at {url}"));
                own(AccountState::Blocked {
                    reason: format!(
                        "Google has the service switched off in the project of the login, or it is another project: {} \
                         Switch it on{place} and run `byok accounts enable {name}`, or log in again with `byok login {name}`",
                        failure.message
                    ),
                })
            }
            (403, "SECURITY_POLICY_VIOLATED") => Verdict {
                own_credential: true,
                hint: Some("the project's organisation lets nobody in from here (VPC Service Controls)"),
                ..Verdict::other(Some((Scope::Account, Duration::from_hours(1))))
            },
            (403, _) if says("violation of Terms of Service") => own(AccountState::Blocked {
                reason: format!("Google has disabled the account: {}", failure.message),
            }),
            (403, _) if says("cloudaicompanion.companions") => own(AccountState::NeedsLogin {
                reason: format!(
                    "the project belongs to somebody else; log in again with `byok login {name}`"
                ),
            }),
            (403, _) => Verdict {
                own_credential: true,
                ..Verdict::other(Some((Scope::Account, Duration::from_mins(5))))
            },
            (404, _) => Verdict {
                hint: Some("Google offers this model not to this account; `byok models` lists what there is"),
                ..Verdict::other(Some((Scope::Model, Duration::from_mins(10))))
            },
            _ => judge_by_kind(refusal),
        }
    }

    fn lists_models(&self) -> bool {
        self.antigravity
    }

    fn ask_models(&self, base: &str, token: &Token) -> Option<Lookup> {
        self.about(base, token, "fetchAvailableModels")
    }

    fn read_models(&self, body: &[u8]) -> Vec<Discovered> {
        let list: Value = serde_json::from_slice(body).unwrap_or_default();
        let models = list["models"].as_object().into_iter().flatten();
        let inner = |id: &str| {
            id.starts_with("chat_")
                || id.starts_with("tab_")
                || ["gemini-2.5-flash-thinking", "gemini-2.5-pro"].contains(&id)
        };
        // The old name of a model goes on to mean it: its id is another.
        let renamed =
            list["deprecatedModelIds"].as_object().into_iter().flatten().filter_map(|(old, new)| {
                let new = new["newModelId"].as_str().filter(|new| *new != old)?;
                let facts = Map::from_iter([("id".to_owned(), json!(new))]);
                Some(Discovered::new(old, facts))
            });
        models
            .filter(|(id, model)| !inner(id) && model["displayName"].is_string())
            .map(|(id, model)| {
                let mut facts = Map::new();
                facts.insert("display_name".to_owned(), model["displayName"].clone());
                for (theirs, ours) in
                    [("maxTokens", "context_tokens"), ("maxOutputTokens", "max_output_tokens")]
                {
                    if let Some(number) = model[theirs].as_u64().filter(|number| *number > 0) {
                        facts.insert(ours.to_owned(), json!(number));
                    }
                }
                Discovered::new(id, facts)
            })
            .chain(renamed)
            .collect()
    }

    fn tells_quota(&self) -> bool {
        true
    }

    fn ask_quota(&self, base: &str, token: &Token) -> Option<Lookup> {
        self.about(
            base,
            token,
            if self.antigravity { "retrieveUserQuotaSummary" } else { "retrieveUserQuota" },
        )
    }

    fn read_quota(&self, body: &[u8], _now: i64) -> Quota {
        let answer: Value = serde_json::from_slice(body).unwrap_or_default();
        let answer = answer.get("quotaSummary").unwrap_or(&answer);
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let mut windows = Vec::new();
        for bucket in list(&answer["buckets"]) {
            windows.extend(window(&bucket, "requests", bucket["modelId"].as_str()));
        }
        for group in list(&answer["groups"]) {
            for bucket in list(&group["buckets"]) {
                let name = bucket["displayName"].as_str().or_else(|| bucket["window"].as_str());
                windows.extend(window(&bucket, name.unwrap_or("limit"), group["displayName"].as_str()));
            }
        }
        Quota { windows, ..Quota::default() }
    }
}

/// Nothing left is not written: a bucket without its fraction is used up.
fn window(bucket: &Value, name: &str, scope: Option<&str>) -> Option<Window> {
    let resets_at = bucket["resetTime"].as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
    let left = match bucket.get("remainingFraction") {
        Some(left) => left.as_f64()?,
        None => resets_at.map(|_| 0.0)?,
    };
    Some(Window {
        name: name.to_owned(),
        used: (1.0 - left).clamp(0.0, 1.0),
        resets_at: resets_at.map(jiff::Timestamp::as_second),
        scope: scope.map(str::to_owned),
    })
}

/// What the details of a refusal say under this name.
fn metadata(failure: &Failure, name: &str) -> Option<String> {
    let body: Value = serde_json::from_slice(&failure.raw.as_ref()?.body).ok()?;
    // Streaming methods put it in an array.
    let error = &body.as_array().and_then(|list| list.first()).unwrap_or(&body)["error"];
    let details = error["details"].as_array()?;
    details.iter().find_map(|detail| detail["metadata"][name].as_str()).map(str::to_owned)
}

/// The page of Google at which a person verifies an account.
fn validation_url(body: &[u8]) -> Option<String> {
    let mut error: Value = serde_json::from_slice(body).ok()?;
    if let Some(first) = error.as_array_mut().and_then(|list| list.first_mut()) {
        error = first.take();
    }
    let details = error["error"]["details"].as_array()?;
    let url = details.iter().find_map(|detail| {
        let metadata = &detail["metadata"];
        metadata["validation_url"].as_str().or_else(|| metadata["validation_link"].as_str())
    })?;
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?;
    let google = host == "google.com" || host.ends_with(".google.com");
    (url.scheme() == "https" && google).then(|| url.into())
}
