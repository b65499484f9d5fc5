//! What a vendor wants to hear with a login that is not literally true of byok.

use super::{Refused, attempt::Attempt};
use crate::{
    pool::Access,
    upstream::{self, Next, Token},
};
use byok_auth::claims;
use byok_types::{Blame, CredentialKind, Dialect, Failure, FailureKind, account_flag};
use bytes::Bytes;

/// The code of a refusal because a claim is missing.
pub(super) const NOT_ACCEPTED: &str = "claim_not_accepted";

impl Attempt<'_> {
    /// The body with the claim that this seat's vendor demands, if its owner consented; the body as it is where nothing is
    /// demanded or the caller brings it.
    pub(super) fn claimed(&self, token: &Token) -> Result<Bytes, Refused> {
        let body = &self.prepared.body;
        let plan = self.seat.is_oauth() || token.oauth;
        let asks_model = self.prepared.dialect == Dialect::Messages && self.inbound.raw.is_none();
        if !plan || !asks_model || self.inbound.own_credential.is_some() {
            return Ok(body.clone());
        }
        let Some(claim) = claims::claims_of(self.candidate.provider.id.as_str(), CredentialKind::Oauth)
            .find(|claim| claim.place == claims::ClaimPlace::FirstSystemBlock)
        else {
            return Ok(body.clone());
        };
        if upstream::brings_sentence(body) {
            return Ok(body.clone());
        }
        if self.seat.claims.iter().any(|name| name == claim.name) {
            return upstream::with_sentence(body).map_err(|failure| Refused::local(failure, Next::GiveUp));
        }
        Err(Refused::local(self.claim_missing(claim.name), Next::OtherAccount))
    }

    pub(super) fn claim_missing(&self, claim: &str) -> Failure {
        let provider = &self.candidate.provider.id;
        let (such, key) = match provider.as_str() {
            // It has no keys.
            "copilot" => ("GitHub's own editors", "To be served from any tool, and ".to_owned()),
            // Its keys are served no better.
            "iflow" => (
                "iFlow CLI",
                "Use another provider; or, with a login or a key that `byok login iflow --method key` keeps, ".to_owned(),
            ),
            // It has no keys; its models are Google's.
            "antigravity" => (
                "Antigravity itself",
                "Set providers.gemini.api_key to use Gemini models from any tool; or, ".to_owned(),
            ),
            name => (
                if name == "xai" { "Grok CLI" } else { "Claude Code" },
                format!("Set providers.{provider}.api_key to use these models from any tool; or, "),
            ),
        };
        let consent = self.consent(Some(claim));
        Failure::new(
            FailureKind::Permission,
            Blame::Client,
            format!(
                "the login `{}` of `{provider}` serves only callers that the vendor accepts for a plan, such as {such}. {key}\
                 knowing the vendor's rule, log in again with `byok login {provider} {consent}`.",
                self.seat.public_name(),
            ),
        )
        .with_status(400)
        .with_code(NOT_ACCEPTED)
    }

    /// What consents to the claims that are missing, for whoever owns the login: clients are not told what it is called.
    pub(super) fn claim_remedy(&self) -> String {
        let provider = &self.candidate.provider.id;
        let account = match self.seat.access {
            Access::Account { .. } => format!(" {}", account_flag(&self.seat.label)),
            Access::Key(_) => String::new(),
        };
        format!(
            "knowing the vendor's rule, consent with `byok login {provider}{account} {}`; `byok accounts claims {provider}{account}` \
             shows what you have consented to",
            self.consent(None)
        )
    }

    /// The flags of a login that consents to all that is missing at once: each is a login.
    fn consent(&self, first: Option<&str>) -> String {
        let provider = self.candidate.provider.id.as_str();
        let others = claims::claims_of(provider, CredentialKind::Oauth)
            .map(|other| other.name)
            .filter(|other| Some(*other) != first && self.seat.claims.iter().all(|agreed| agreed != other));
        let accept: Vec<String> =
            first.into_iter().chain(others).map(|name| format!("--accept-claim {name}")).collect();
        // Without its name the login would take the other way.
        let method = if provider == "copilot" { " --method exchange" } else { "" };
        accept.join(" ") + method
    }
}
