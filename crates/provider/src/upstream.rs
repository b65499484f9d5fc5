//! What a provider must say of itself, and the three wire families that say it.
//!
//! Everything that is alike (sending, streaming, retry, failover, refresh, cooldown) lives in the executor. An `Upstream`
//! only says where a call goes, which headers it carries, and what a refusal means.

mod claude;
mod code_assist;
mod codex;
mod copilot;
mod draft;
mod empty_parts;
mod endpoint;
mod gemini;
pub(crate) mod iflow;
mod kimi;
mod kiro;
mod limits;
mod listing;
mod names;
mod openai;
mod plain;
pub(crate) mod qwen;
pub(crate) mod time;
mod verdict;
mod vertex;
mod xai;

pub use claude::{ACCEPTED_SENTENCES, Claude, brings_sentence, with_sentence};
pub use code_assist::CodeAssist;
pub use codex::Codex;
pub use copilot::Copilot;
pub use endpoint::Endpoint;
pub use gemini::Gemini;
pub use iflow::Iflow;
pub use kimi::Kimi;
pub(crate) use kiro::BASE as KIRO;
pub use kiro::Kiro;
pub(crate) use limits::THEN_ENABLE;
pub use openai::OpenAi;
pub use qwen::Qwen;
pub use verdict::{Line, Next, Scope, Verdict};
pub use vertex::Vertex;
pub use xai::Xai;

use crate::knowledge::{Discovered, Quota, Window};
use byok_translate::{Envelope, Losses, Translated, codec};
use byok_types::{
    Blame, CredentialKind, Dialect, Failure, FailureKind, ModelFacts, Secret, SecretHash, TokenFacts,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use std::{borrow::Cow, fmt, time::Duration};
use url::Url;

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// An answer of a model.
    Generate {
        /// As a stream of events.
        stream: bool,
    },
    /// A count of tokens.
    Count,
    /// The list of models.
    Models,
    /// What is no dialect of its own: embeddings, pictures, audio.
    Endpoint(Endpoint),
}

/// A call, as far as URL and headers depend on it.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// What it is for.
    pub operation: Operation,
    /// The dialect of its body.
    pub dialect: Dialect,
    /// The model as the upstream knows it.
    pub model: &'a str,
    /// Headers of the client, when its request passes through in its own dialect.
    pub client: Option<&'a HeaderMap>,
    /// Headers that the encoded body needs.
    pub needed: &'a [(&'static str, String)],
    /// Claims that the owner of the account consented to.
    pub claims: &'a [String],
}

impl Ask<'_> {
    /// Whether the owner of the account consented to a claim.
    pub fn may_claim(&self, name: &str) -> bool {
        self.claims.iter().any(|claim| claim == name)
    }
}

/// What a body may have to be fitted to.
#[derive(Clone, Copy, Debug)]
pub struct Shaping<'a> {
    /// The call.
    pub ask: &'a Ask<'a>,
    /// What it authenticates with.
    pub token: &'a Token,
    /// The model.
    pub facts: &'a ModelFacts,
    /// Headers of the client.
    pub client: &'a HeaderMap,
    /// Id of the request.
    pub request_id: &'a str,
    /// When it arrived, Unix time in milliseconds.
    pub at_ms: i64,
}

/// What a call authenticates with.
#[derive(Clone, Debug)]
pub struct Token {
    /// The key or access token; empty for a server that takes none.
    pub secret: Secret,
    /// Whether it is the access token of a login.
    pub oauth: bool,
    /// Hash of an access token, to say which one was refused.
    pub hash: Option<SecretHash>,
    /// What belongs to an access token: a project, a region, an address.
    pub facts: TokenFacts,
}

impl Token {
    /// An API key.
    pub fn key(secret: Secret) -> Self {
        Self { secret, oauth: false, hash: None, facts: TokenFacts::new() }
    }

    /// The token or key of an account.
    pub fn of(access: &byok_auth::Access) -> Self {
        let oauth = access.kind == CredentialKind::Oauth;
        let hash = oauth.then_some(access.hash);
        Self { secret: access.token.clone(), oauth, hash, facts: access.facts.clone() }
    }

    /// One of the facts.
    pub fn fact(&self, name: &str) -> Option<&str> {
        self.facts.get(name).map(Secret::expose)
    }
}

/// A refused call.
#[derive(Debug)]
pub struct Refusal<'a> {
    /// The failure as it was read.
    pub failure: &'a Failure,
    /// The model that was asked for, in the vendor's words.
    pub model: &'a str,
    /// Headers of the answer.
    pub headers: &'a HeaderMap,
    /// Credential that was used.
    pub oauth: bool,
    /// Now, Unix seconds.
    pub now: i64,
}

/// What a wire has no word for, beyond its dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// Texts at which an answer stops: byok cuts there.
    Stops,
    /// The longest answer.
    Limit,
}

/// A call that asks a vendor about an account or its models.
#[derive(Clone, Debug)]
pub struct Lookup {
    /// Method.
    pub method: Method,
    /// Address.
    pub url: Url,
    /// Headers, with the credential.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl Lookup {
    /// A GET with these headers.
    pub fn get(url: Url, headers: HeaderMap) -> Self {
        Self { method: Method::GET, url, headers, body: Bytes::new() }
    }
}

/// What a provider must say of itself.
pub trait Upstream: Send + Sync + fmt::Debug {
    /// Where a call goes. `base` is the address of the provider without a slash at its end.
    fn url(&self, base: &str, ask: &Ask<'_>) -> Result<Url, Failure>;

    /// Whether it has an endpoint beside its dialects.
    fn has(&self, endpoint: Endpoint) -> bool;

    /// Adds the headers of a call.
    fn headers(&self, ask: &Ask<'_>, token: &Token, headers: &mut HeaderMap);

    /// What a refusal means.
    fn judge(&self, refusal: &Refusal<'_>) -> Verdict;

    /// Whether the headers of an answer say that it is charged beyond the plan of the account.
    fn charges_extra(&self, headers: &HeaderMap) -> bool;

    /// The address for this credential, where it depends on it.
    fn base<'a>(&self, base: &'a str, _token: &'a Token) -> Cow<'a, str> {
        Cow::Borrowed(base)
    }

    /// Whether a host that a credential names, and not the config, belongs to the vendor.
    fn trusts(&self, _host: &str) -> bool {
        false
    }

    /// The claim without which this call would be refused, if its owner has not consented to it.
    fn demands(&self, _ask: &Ask<'_>, _token: &Token) -> Option<&'static str> {
        None
    }

    /// Adds the claims that the owner of the account consented to, as far as they are headers. Inquiries make them, too.
    fn claim_headers(&self, _consented: &[String], _headers: &mut HeaderMap) {}

    /// Whether a body of a client of its dialect may pass through; else it is said anew by way of the middle form.
    fn takes_as_is(&self, _dialect: Dialect, _facts: &ModelFacts, _body: &[u8]) -> bool {
        true
    }

    /// A refused body with the calls that lack their seal told in words, where that is what it is refused for.
    fn tells_lost_calls(&self, _: Dialect, _: &ModelFacts, _: &Bytes) -> Option<Translated<Bytes>> {
        None
    }

    /// Whether it gives an item of a Responses stream another id in every event.
    fn changes_item_ids(&self) -> bool {
        false
    }

    /// Whether its answers can be shown to this client of its dialect as they are; else they are written anew.
    fn answers_as_is(&self, _client: &HeaderMap) -> bool {
        true
    }

    /// Its own name of a model that it does not list by the name that was asked for.
    fn own_name(&self, _name: &str) -> Option<String> {
        None
    }

    /// Whether its Chat knows the cap of an answer only as `max_tokens`.
    fn knows_only_old_cap(&self) -> bool {
        false
    }

    /// Whether it tells of a failure in the middle of a Chat stream as text of the answer (`error_finish`).
    fn tells_failures_as_text(&self) -> bool {
        false
    }

    /// Where it may serve a model that it refuses at the endpoints that are known of it, best first.
    fn endpoints(&self) -> &'static [Dialect] {
        &[]
    }

    /// Whether it counts tokens of models that are not its maker's own.
    fn counts_tokens(&self) -> bool {
        false
    }

    /// Whether it answers a call only by a stream.
    fn only_streams(&self, _ask: &Ask<'_>) -> bool {
        false
    }

    /// The body as this vendor wants it, made from one in its dialect. What a wish of the client has to be left out for is noted.
    fn shape(&self, body: Bytes, _shaping: &Shaping<'_>, _losses: &mut Losses) -> Result<Bytes, Failure> {
        Ok(body)
    }

    /// The body of a call beside the dialects as this vendor wants it.
    fn shape_raw(&self, _endpoint: Endpoint, body: Bytes) -> Result<Bytes, Failure> {
        Ok(body)
    }

    /// Adds the headers that say something of the final body.
    fn headers_of_body(&self, _body: &[u8], _shaping: &Shaping<'_>, _headers: &mut HeaderMap) {}

    /// What it puts around its answers.
    fn envelope(&self) -> Envelope {
        Envelope::None
    }

    /// The same for a model, where it depends on that.
    fn envelope_of(&self, _facts: &ModelFacts) -> Envelope {
        self.envelope()
    }

    /// Whether no body can be passed on as it is: each is read and written anew, also that of a client of its dialect.
    fn reads_all(&self) -> bool {
        false
    }

    /// What its wire has no word for.
    fn lacks(&self) -> &'static [Lack] {
        &[]
    }

    /// Reads a refusal. What is not of the dialect's own shape is read here.
    fn read_failure(&self, dialect: Dialect, status: u16, _headers: &HeaderMap, body: &[u8]) -> Failure {
        codec::decode_failure(dialect, status, body)
    }

    /// Reads a refusal that came with status 200 in the place of a whole answer, in a shape that is not the dialect's.
    fn refusal_in(&self, _body: &[u8]) -> Option<Failure> {
        None
    }

    /// Whether the bytes of its refusals are of the dialect's own shape, so that a client of that dialect can read them.
    fn relays_refusals(&self) -> bool {
        true
    }

    /// Whether it offers a list of its models.
    fn lists_models(&self) -> bool {
        false
    }

    /// The mark of its list of models that the headers of an answer name: another one means another list.
    fn list_mark<'h>(&self, _headers: &'h HeaderMap) -> Option<&'h str> {
        None
    }

    /// Whether the rest after a limit without an end grows while it goes on.
    fn backs_off(&self, _failure: &Failure) -> bool {
        false
    }

    /// Whether it can be asked what is left of a plan.
    fn tells_quota(&self) -> bool {
        false
    }

    /// The call that asks for its models.
    fn ask_models(&self, _base: &str, _token: &Token) -> Option<Lookup> {
        None
    }

    /// Reads the answer to it.
    fn read_models(&self, _body: &[u8]) -> Vec<Discovered> {
        Vec::new()
    }

    /// The call that asks for the rest of a list of models of which `page` is a part; `before` asked for that.
    fn ask_more_models(&self, _before: &Lookup, _page: &[u8]) -> Option<Lookup> {
        None
    }

    /// Whether an account whose plan is used up rests until its limits open again, and not only for the time of the verdict.
    fn rests_until_reset(&self, _failure: &Failure) -> bool {
        false
    }

    /// Whether the vendor refuses a request as beyond the plan although the plan has room: one that costs more than is left, or
    /// a budget beside the plan.
    fn may_refuse_with_room(&self) -> bool {
        false
    }

    /// When the limit of a refusal opens again, Unix time in seconds, where the vendor says that otherwise than as a wait.
    fn opens_at(&self, _failure: &Failure, _headers: &HeaderMap, _now: i64) -> Option<i64> {
        None
    }

    /// Whether a login is over, and not only set aside for a time, when the vendor refuses the token that it has just issued.
    fn ends_logins(&self) -> bool {
        false
    }

    /// The call that asks what is left of the plan.
    fn ask_quota(&self, _base: &str, _token: &Token) -> Option<Lookup> {
        None
    }

    /// Reads the answer to it. `now` is Unix time in seconds.
    fn read_quota(&self, _body: &[u8], _now: i64) -> Quota {
        Quota::default()
    }

    /// The call that asks for the name of the plan, where that is another call.
    fn ask_plan(&self, _base: &str, _token: &Token) -> Option<Lookup> {
        None
    }

    /// Reads the answer to it.
    fn read_plan(&self, _body: &[u8]) -> Option<String> {
        None
    }

    /// Whether it tells of a charge beyond the plan only where it is asked what is left of that.
    fn tells_charges_by_quota(&self) -> bool {
        false
    }

    /// Whether the answer to that says that what is asked now is charged beyond the plan.
    fn quota_charges(&self, _body: &[u8]) -> bool {
        false
    }

    /// What the headers of any answer say of the plan. `now` is Unix time in seconds.
    fn windows(&self, _headers: &HeaderMap, _now: i64) -> Vec<Window> {
        Vec::new()
    }
}

/// What a refusal means at a vendor about which nothing more is known.
pub(crate) fn judge_by_kind(refusal: &Refusal<'_>) -> Verdict {
    let failure = refusal.failure;
    let wait = |default: u64, most: u64| {
        failure.retry_after.unwrap_or(Duration::from_secs(default)).min(Duration::from_secs(most))
    };
    match failure.kind {
        FailureKind::Auth | FailureKind::Credential => credential_refused(refusal),
        FailureKind::Billing => Verdict {
            own_credential: failure.status == 401 || failure.status == 403,
            ..Verdict::other(Some((Scope::Account, wait(1800, 3600))))
        },
        // A code may speak of the model: what an account may not do is no client's fault all the same.
        FailureKind::NotFound if failure.status == 403 => {
            Verdict { own_credential: true, ..Verdict::other(Some((Scope::Model, Duration::from_mins(5)))) }
        }
        FailureKind::Permission => {
            Verdict { own_credential: true, ..Verdict::other(Some((Scope::Model, Duration::from_mins(5)))) }
        }
        FailureKind::RateLimit => Verdict::other(Some((Scope::Model, wait(5, 3600)))),
        FailureKind::QuotaWindow => Verdict::other(Some((Scope::Account, wait(1800, 7 * 86_400)))),
        FailureKind::Overloaded => Verdict::other(Some((Scope::Model, wait(5, 60)))),
        FailureKind::Server | FailureKind::Timeout | FailureKind::UpstreamTruncated => {
            Verdict::other(Some((Scope::Model, wait(2, 60))))
        }
        FailureKind::BadRequest
        | FailureKind::ContextTooLong
        | FailureKind::PayloadTooLarge
        | FailureKind::NotFound
        | FailureKind::Conflict
        | FailureKind::ClientGone
        | FailureKind::ContentPolicy => Verdict::PASS_ON,
    }
}

fn credential_refused(refusal: &Refusal<'_>) -> Verdict {
    let next = if refusal.oauth { Next::Refresh } else { Next::OtherAccount };
    Verdict {
        next,
        cool: (!refusal.oauth).then_some((Scope::Account, Duration::from_mins(5))),
        own_credential: true,
        ..Verdict::PASS_ON
    }
}

/// Sets a header; a value that is not legal in a header is left out.
pub(crate) fn set(headers: &mut HeaderMap, name: HeaderName, value: &str, secret: bool) {
    if let Ok(mut value) = HeaderValue::from_str(value) {
        value.set_sensitive(secret);
        headers.insert(name, value);
    }
}

/// Joins an address and a path.
pub(crate) fn join(base: &str, path: &str) -> Result<Url, Failure> {
    Url::parse(&format!("{}{path}", base.trim_end_matches('/'))).map_err(|_| {
        Failure::new(
            FailureKind::Server,
            Blame::Byok,
            "the address of this provider is not a URL; correct its `base_url` in the configuration.",
        )
    })
}

/// `base` without one of these endings; people paste whole addresses.
pub(crate) fn without_tail<'b>(base: &'b str, tails: &[&str]) -> &'b str {
    let base = base.trim_end_matches('/');
    tails.iter().find_map(|tail| base.strip_suffix(tail)).unwrap_or(base).trim_end_matches('/')
}

#[cfg(test)]
mod tests;
