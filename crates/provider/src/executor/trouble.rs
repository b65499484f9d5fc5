//! What a failed call says about its seat, and how its owner is told.

use super::{
    Executor, Refused,
    attempt::{Attempt, is_of_the_vendor},
};
use crate::{
    pool::{Access, Cause, Lack, Problem, Seat},
    registry::Provider,
    upstream::{Next, Scope, THEN_ENABLE, Token, Verdict},
};
use byok_auth::AuthError;
use byok_config::ExtraUsage;
use byok_types::{AccountState, Blame, CLAIM_NOT_ACCEPTED, Failure, FailureKind, Fault, Retry};
use http::HeaderMap;
use std::time::{Duration, Instant};

/// How long a login of the config rests that would be charged for: there is no account whose state could say more.
const CHARGED_REST: Duration = Duration::from_hours(24);
/// The same for an account, whose state takes over as soon as it is read again.
const STATE_IS_READ: Duration = Duration::from_secs(2);
/// Longest rest of an account whose token cannot be renewed at the moment.
const NO_TOKEN_REST: Duration = Duration::from_mins(1);
/// What helps where a vendor refuses the token that it has just issued.
const REFUSED_ANEW: &str = "byok lets the login rest and tries it again by itself; if it lasts, log in again";
/// What helps where a vendor forbids an account everything.
const WHOLE_ACCOUNT: &str =
    "byok uses it again after its rest; if it lasts, ask the vendor, or use another account";
/// Plans open again after a month.
const LONGEST_REST: Duration = Duration::from_hours(31 * 24);
/// Clocks differ.
const SHORTEST_REST: Duration = Duration::from_mins(1);
/// Longest text of a vendor that is kept for the owner: all of what they say, and not all of a page.
const LONGEST: usize = 1000;

impl Attempt<'_> {
    /// The vendor refuses a token that it has issued a moment ago, for this request if `now`. At most vendors that passes, and
    /// the account rests for a time that grows, while others serve; at some only a person can help.
    pub(super) fn refused_anew(&self, mut refused: Refused, now: bool) -> Refused {
        let provider = &self.candidate.provider;
        if now && provider.upstream.ends_logins() {
            let reason = format!(
                "the vendor refuses even the token that it has just issued; log in again with `byok login {}`",
                provider.id
            );
            refused.verdict.state.get_or_insert(AccountState::NeedsLogin { reason });
        } else if refused.verdict.state.is_none() {
            let wait = self.seat.health.refused_anew(Instant::now());
            refused.failure.retry_after = Some(refused.verdict.cool.map_or(wait, |(_, cool)| cool));
            self.seat.health.cool(Scope::Account, &self.candidate.facts.id, Instant::now(), wait, true);
            refused.verdict.hint.get_or_insert(REFUSED_ANEW);
        }
        refused
    }

    /// The token, if it can stand in a header. One that cannot would be left out, and the vendor would be asked without any.
    pub(super) fn sendable(&self, token: Token) -> Result<Token, Refused> {
        if token.secret.is_sendable() {
            return Ok(token);
        }
        let provider = &self.candidate.provider.id;
        let remedy = if self.seat.is_oauth() {
            format!("log in again with `byok login {provider}`")
        } else {
            format!("write it on one line under `providers.{provider}`")
        };
        let what = format!(
            "the {} `{}` of `{provider}` has a line end or another character that cannot be sent",
            if self.seat.is_oauth() { "login" } else { "key" },
            self.seat.public_name(),
        );
        let failure = Failure::new(FailureKind::Auth, Blame::Byok, format!("{what}; {remedy}"));
        self.seat.health.fell(Problem { what, at: self.inbound.at_ms / 1000, remedy, cause: Cause::Other });
        let verdict = Verdict { own_credential: true, ..Verdict::other(None) };
        Err(Refused { failure, verdict, headers: HeaderMap::new() })
    }

    /// There is no token for the seat: it is passed over, and for a while if byok tries again by itself.
    pub(super) fn no_token(&self, error: &AuthError) -> Refused {
        tracing::warn!(account = self.seat.id.as_str(), %error, "no token for this account");
        let (what, remedy) = what_and_remedy(&error.to_string());
        self.seat.health.fell(Problem { what, at: self.inbound.at_ms / 1000, remedy, cause: Cause::Other });
        let text = format!(
            "the {} `{}` of `{}` cannot be used: {error}",
            if self.seat.is_oauth() { "login" } else { "key" },
            self.seat.public_name(),
            self.candidate.provider.id
        );
        if let Retry::After(wait) = error.retry() {
            let wait = wait.min(NO_TOKEN_REST);
            self.seat.health.cool(Scope::Account, &self.candidate.facts.id, Instant::now(), wait, true);
            let failure = Failure {
                retry_after: Some(wait),
                ..Failure::new(FailureKind::Server, error.blame(), text).with_status(503)
            };
            return Refused { failure, verdict: Verdict::other(None), headers: HeaderMap::new() };
        }
        let failure = Failure::new(FailureKind::Auth, error.blame(), text);
        let verdict = Verdict { next: Next::OtherAccount, own_credential: true, ..Verdict::PASS_ON };
        Refused { failure, verdict, headers: HeaderMap::new() }
    }

    /// Whether the vendor says that this answer is charged beyond the plan, and the owner has not said that it may be.
    pub(super) fn begins_to_charge(&self, headers: &HeaderMap) -> bool {
        let provider = &self.candidate.provider;
        provider.extra_usage == ExtraUsage::Stop
            && self.seat.is_oauth()
            && provider.upstream.charges_extra(headers)
    }

    /// Takes the seat out of use until its owner allows the charge. The answer that told of it is still delivered.
    pub(super) async fn stop_charging(&self) {
        let executor = Executor(self.executor.clone());
        executor.stop_charging(&self.candidate.provider, self.seat, self.inbound.at_ms / 1000).await;
    }

    /// Asks about the plan, beside the answer and no oftener than anybody may, where nothing else tells of a charge.
    pub(super) fn look_for_charges(&self) {
        let provider = &self.candidate.provider;
        if provider.extra_usage == ExtraUsage::Stop
            && !matches!(self.seat.access, Access::Client)
            && provider.upstream.tells_charges_by_quota()
        {
            Executor(self.executor.clone()).look_for_charges(provider, self.seat);
        }
    }

    /// Asks the vendor for its list, beside the answer, where nothing is known of the model.
    pub(super) fn look_for_facts(&self) {
        let unknown = self.inbound.raw.is_none() && self.candidate.facts.thinking.unknown;
        if unknown && !matches!(self.seat.access, Access::Client) {
            Executor(self.executor.clone()).look_for_facts(&self.candidate.provider, self.seat);
        }
    }

    /// Writes down what a refusal says about the seat.
    pub(super) async fn noted(&self, mut refused: Refused, token: &Token) -> Refused {
        if matches!(self.seat.access, Access::Client) {
            return refused;
        }
        // Whoever judges does not know whose the account is.
        if let (Some(AccountState::Blocked { reason }), Access::Account { .. }) =
            (&mut refused.verdict.state, &self.seat.access)
            && let Some(what) = reason.trim_end_matches('.').strip_suffix(THEN_ENABLE)
        {
            *reason = format!("{what}, then run `byok accounts enable {}`.", self.candidate.provider.id);
        }
        let told = matches!(refused.verdict.next, Next::GiveUp | Next::OtherEndpoint);
        if !told || refused.verdict.cool.is_some() {
            // Want of consent is no trouble of the moment: it is seen from the account, before any request meets it.
            if refused.failure.code.as_deref() != Some(CLAIM_NOT_ACCEPTED) {
                let provider = self.candidate.provider.id.as_str();
                let what = said(&refused.failure, token.secret.expose());
                let credential = (self.seat.is_oauth(), matches!(self.seat.access, Access::Account { .. }));
                let remedy = match (refused.verdict.cool, refused.failure.kind, refused.verdict.hint) {
                    (Some((Scope::Account, _)), FailureKind::Permission, None) => WHOLE_ACCOUNT.to_owned(),
                    (_, _, hint) => remedy(&refused.failure, hint, provider, credential),
                };
                let cause = cause_of(&refused);
                self.seat.health.fell(Problem { what, at: self.inbound.at_ms / 1000, remedy, cause });
            }
        }
        // A call that is for no model says nothing about the next one.
        let about_model = |scope| scope == Scope::Model && self.candidate.facts.id.is_empty();
        if let Some((scope, mut wait)) = refused.verdict.cool.filter(|(scope, _)| !about_model(*scope)) {
            let provider = &self.candidate.provider;
            if provider.upstream.backs_off(&refused.failure) {
                wait = self.seat.health.limited_again(Instant::now(), wait);
            }
            if provider.upstream.rests_until_reset(&refused.failure)
                && let Some(reset) = Executor(self.executor.clone()).reset_of(provider, self.seat).await
            {
                let left = u64::try_from(reset - self.inbound.at_ms / 1000).unwrap_or_default();
                if left > 0 {
                    wait = Duration::from_secs(left).clamp(SHORTEST_REST, LONGEST_REST);
                    refused.failure.retry_after.get_or_insert(wait);
                }
            }
            let (health, model, now) = (&self.seat.health, &self.candidate.facts.id, Instant::now());
            let executor = Executor(self.executor.clone());
            if scope == Scope::Charged
                && let Some(mut included) = executor.included_of(provider, self.seat).await
            {
                // What is refused is not included, whatever the list says.
                included.retain(|id| id != model);
                health.cool_all_but(included, now, wait);
            } else if scope == Scope::Model && is_about_the_model(refused.failure.kind) {
                // The list that named the model may be old.
                executor.refresh_list(provider, self.seat);
                let (failure, verdict) = (refused.failure.clone(), refused.verdict.clone());
                health.lacks(model, now, wait, Lack { failure, verdict });
            } else {
                health.cool(scope, model, now, wait, is_of_the_vendor(refused.failure.kind));
            }
        }
        if let (Some(state), Access::Account { .. }) = (&refused.verdict.state, &self.seat.access) {
            // Until the state is read the account would go on serving, and be asked in vain.
            self.seat.health.cool(Scope::Account, "", Instant::now(), STATE_IS_READ, false);
            if let Err(error) = self.executor.store.accounts.set_state(&self.seat.id, state.clone()).await {
                tracing::error!(account = self.seat.id.as_str(), %error, "the state of the account could not be kept");
            }
        }
        let next = match refused.verdict.next {
            Next::Refresh => Next::OtherAccount,
            next => next,
        };
        Refused { verdict: Verdict { next, ..refused.verdict }, ..refused }
    }
}

impl Executor {
    /// Takes a seat out of use until its owner allows the charge.
    pub(crate) async fn stop_charging(&self, provider: &Provider, seat: &Seat, at: i64) {
        tracing::warn!(
            provider = provider.id.as_str(),
            account = seat.id.as_str(),
            "the vendor begins to charge beyond the plan; the account is not used any more until that is allowed"
        );
        let is_account = matches!(seat.access, Access::Account { .. });
        let (what, remedy) = charged(provider.id.as_str(), is_account);
        seat.health.fell(Problem { what, at, remedy, cause: Cause::Other });
        let rest = if is_account { STATE_IS_READ } else { CHARGED_REST };
        seat.health.cool(Scope::Account, "", Instant::now(), rest, false);
        if !is_account {
            // It has no state that could say that it may go on.
            seat.health.set_aside();
        } else if let Err(error) = self.0.store.accounts.set_state(&seat.id, AccountState::ExtraUsage).await {
            tracing::error!(account = seat.id.as_str(), %error, "the state of the account could not be kept");
        }
    }
}

/// What is said of a credential that would be charged for, and what helps: there is nothing to enable of one of the settings.
fn charged(provider: &str, is_account: bool) -> (String, String) {
    if is_account {
        let what = AccountState::ExtraUsage.trouble(provider).unwrap_or_default();
        return (what, "the message says what helps".to_owned());
    }
    let hours = CHARGED_REST.as_secs() / 3600;
    let what = format!(
        "the vendor began to charge beyond the plan, so this credential of the settings is not used for {hours} hours"
    );
    let remedy = format!(
        "to go on and pay, set `providers.{provider}.extra_usage: allow`; to go on within the plan, wait that long, or restart \
         byok when it has room again"
    );
    (what, remedy)
}

/// What those are told of the trouble who come while the seat rests: no other class of error than the first one was told.
const fn cause_of(refused: &Refused) -> Cause {
    match refused.failure.kind {
        FailureKind::RateLimit | FailureKind::QuotaWindow | FailureKind::Overloaded => Cause::Limit,
        FailureKind::Billing if !refused.verdict.own_credential => Cause::Money(refused.failure.status),
        _ => Cause::Other,
    }
}

/// Whether a refusal that sets one model aside says that the account does not have it, and not that it is busy or used up.
const fn is_about_the_model(kind: FailureKind) -> bool {
    matches!(kind, FailureKind::NotFound | FailureKind::BadRequest | FailureKind::Permission)
}

/// Shorter keys are no secrets (`k`, `none`, `ollama`: what a server of one's own is given), but occur within words.
const SHORTEST_SECRET: usize = 8;

/// What went wrong, in one line. A vendor that repeats the credential is not repeated.
fn said(failure: &Failure, secret: &str) -> String {
    let message = failure.message.trim();
    if message.is_empty() {
        return failure.to_string();
    }
    let is_secret = secret.len() >= SHORTEST_SECRET;
    let hidden = if is_secret { message.replace(secret, "(the key)") } else { message.to_owned() };
    let line: String =
        hidden.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST + 1).collect();
    if line.chars().count() > LONGEST {
        let cut: String = line.chars().take(LONGEST).collect();
        let whole = cut.rsplit_once(' ').map_or(&*cut, |(words, _)| words);
        return format!("{whole} …");
    }
    line
}

/// What happened, and what its owner can do: the last clause of an error about a login.
fn what_and_remedy(error: &str) -> (String, String) {
    match error.rsplit_once("; ") {
        Some((what, remedy)) => (what.to_owned(), remedy.to_owned()),
        None => (error.to_owned(), "the message says what helps".to_owned()),
    }
}

/// What the owner of a key or login can do; the credential says whether it is a login, and whether it is an account of the
/// store. Whoever knows the vendor knows best.
fn remedy(failure: &Failure, hint: Option<&str>, provider: &str, (oauth, stored): (bool, bool)) -> String {
    if let Some(hint) = hint {
        return hint.to_owned();
    }
    match failure.kind {
        FailureKind::Auth if oauth => format!("log in again with `byok login {provider}`"),
        FailureKind::Auth if stored => {
            format!(
                "check the key with the vendor, and log in with a valid one by `byok login {provider} --method key`"
            )
        }
        FailureKind::Auth => {
            format!("check the key with the vendor, and set a valid one under `providers.{provider}`")
        }
        FailureKind::Billing => {
            "pay or add credit with the vendor; byok asks again after the rest".to_owned()
        }
        FailureKind::Permission => "the vendor does not let this account use the model; ask there".to_owned(),
        FailureKind::NotFound => {
            "the vendor does not offer this model to this account; `byok models` lists what can be asked for"
                .to_owned()
        }
        FailureKind::RateLimit | FailureKind::QuotaWindow | FailureKind::Overloaded => {
            "nothing to do: it is used again after its rest".to_owned()
        }
        _ => format!("try again; if it lasts, check network and proxy, and `providers.{provider}.base_url`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use byok_types::Blame;

    #[test]
    fn what_was_said_is_short_and_shows_no_secret() {
        let failure = |message: &str| Failure::new(FailureKind::Auth, Blame::Upstream, message);
        for (message, expected) in
            [("bad key sk-secret-1", "bad key (the key)"), ("two\nlines", "two lines"), ("", "Auth (401)")]
        {
            assert_eq!(said(&failure(message), "sk-secret-1"), expected);
        }
        for (secret, expected) in [
            ("k", "key ollama12 is not known"),
            ("ollama1", "key ollama12 is not known"),
            ("ollama12", "key (the key) is not known"),
        ] {
            assert_eq!(said(&failure("key ollama12 is not known"), secret), expected);
        }
        let told = said(&failure(&"é ".repeat(1000)), "");
        assert!(told.ends_with("é …") && told.chars().count() <= LONGEST + 2, "it ends with a word: {told}");
        let sentence = "a sentence of a vendor. ".repeat(20);
        assert_eq!(said(&failure(&sentence), ""), sentence.trim(), "what is said is shown whole");
        assert_eq!(said(&failure("no key"), ""), "no key");
    }

    #[test]
    fn what_would_be_charged_for_has_a_remedy_that_exists() {
        let (what, remedy) = charged("kimi", false);
        assert!(what.contains("of the settings is not used for 24 hours"), "{what}");
        assert!(remedy.contains("`providers.kimi.extra_usage: allow`"), "{remedy}");
        assert!(
            !format!("{what} {remedy}").contains("accounts enable"),
            "there is no account: {what} {remedy}"
        );
        let (of_account, _) = charged("kimi", true);
        assert!(of_account.contains("`byok accounts enable kimi`"), "{of_account}");
    }

    #[test]
    fn every_trouble_has_a_remedy() {
        let (login, stored, settings) = ((true, true), (false, true), (false, false));
        for (kind, hint, credential, words) in [
            (FailureKind::Auth, None, login, "byok login claude`"),
            (FailureKind::Auth, None, stored, "byok login claude --method key"),
            (FailureKind::Auth, None, settings, "providers.claude"),
            (FailureKind::Billing, None, settings, "credit"),
            (FailureKind::QuotaWindow, None, login, "nothing to do"),
            (FailureKind::NotFound, None, login, "byok models"),
            (FailureKind::NotFound, Some("ask Google"), login, "ask Google"),
            (FailureKind::Server, None, settings, "base_url"),
        ] {
            let failure = Failure::new(kind, Blame::Upstream, "x");
            let told = remedy(&failure, hint, "claude", credential);
            assert!(told.contains(words), "{told}");
        }
    }
}
