//! What a vendor wants to hear with a login that is not literally true of byok.

use super::{Refused, attempt::Attempt};
use crate::{
    pool::Access,
    upstream::{self, Next, Token},
};
use byok_auth::claims;
use byok_types::{Blame, CLAIM_NOT_ACCEPTED, CredentialKind, Dialect, Failure, FailureKind, account_flag};
use bytes::Bytes;

impl Attempt<'_> {
    /// The body with the claim that this seat's vendor demands, if its owner consented; the body as it is where nothing is
    /// demanded or the caller brings it.
    pub(super) fn claimed(&self, token: &Token) -> Result<Bytes, Refused> {
        let body = &self.prepared.body;
        let plan = self.seat.is_oauth() || token.oauth;
        let asks_model = self.prepared.dialect == Dialect::Messages && self.inbound.raw.is_none();
        if !plan || !asks_model {
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
        Err(Refused::local(self.claim_missing(), Next::OtherAccount))
    }

    pub(super) fn claim_missing(&self) -> Failure {
        let provider = &self.candidate.provider.id;
        let (such, key) = match provider.as_str() {
            // It has no keys.
            "copilot" => {
                (" for a plan, such as GitHub's own editors", "To be served from any tool, and ".to_owned())
            }
            // Its keys are served no better.
            "iflow" => ("", "Use another provider; or, ".to_owned()),
            // It has no keys; its models are Google's.
            "antigravity" => {
                ("", "Set providers.gemini.api_key to use Gemini models from any tool; or, ".to_owned())
            }
            name => (
                if name == "xai" {
                    " for a plan, such as Grok CLI"
                } else {
                    " for a plan, such as Claude Code"
                },
                format!("Set providers.{provider}.api_key to use these models from any tool; or, "),
            ),
        };
        let served = if claims::callers_make_them(provider.as_str()) {
            format!("serves only callers that the vendor accepts{such}")
        } else {
            "serves nobody before its owner consents to what byok says of itself there".to_owned()
        };
        let what = if matches!(self.seat.access, Access::Account { oauth: true }) { "login" } else { "key" };
        // Clients are not told an address, and an id tells them nothing.
        let named = self.seat.public_name() == self.seat.label;
        let called = if named { format!("the {what} `{}`", self.seat.label) } else { format!("the {what}") };
        Failure::new(
            FailureKind::Permission,
            Blame::Client,
            format!(
                "{called} of `{provider}` {served}. {key}knowing the vendor's rule, consent with `{}`.",
                self.consent(named),
            ),
        )
        .with_status(400)
        .with_code(CLAIM_NOT_ACCEPTED)
    }

    /// The one command that consents to all that is missing.
    fn consent(&self, named: bool) -> String {
        let provider = self.candidate.provider.id.as_str();
        let lacks = |name: &&str| self.seat.claims.iter().all(|agreed| agreed != name);
        let all = claims::claims_of(provider, CredentialKind::Oauth).map(|claim| claim.name);
        let missing: Vec<&str> = all.filter(lacks).collect();
        if matches!(self.seat.access, Access::Key(_)) {
            return claims::command_for_key(provider, &missing);
        }
        let accounts = self.state.accounts.iter().filter(|account| account.provider.as_str() == provider);
        let flag = match (accounts.count() > 1, named) {
            (true, _) => account_flag(self.seat.public_name()),
            (false, true) => account_flag(&self.seat.label),
            (false, false) => String::new(),
        };
        claims::command(provider, &flag, &missing)
    }
}
