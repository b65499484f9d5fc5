//! What clients are told when a vendor refuses byok's own credential.

use crate::{
    ledger::Ledger,
    state::State,
    upstream::{Scope, THEN_ENABLE, Verdict},
};
use byok_types::{AccountState, Blame, CREDENTIAL_REFUSED, CredentialKind, Failure, FailureKind};

/// Whose credential a call was made with.
#[derive(Clone, Copy, Debug)]
pub(super) enum Whose {
    /// Tokens of a login.
    Login,
    /// A key that a login has kept.
    KeyOfLogin,
    /// A key of the settings.
    Settings,
}

/// Whose credential was used last.
pub(super) fn whose(state: &State, ledger: &Ledger) -> Whose {
    let account = state.accounts.iter().find(|account| Some(&account.id) == ledger.account());
    match account.map(|account| account.kind) {
        Some(CredentialKind::Oauth) => Whose::Login,
        Some(CredentialKind::ApiKey) => Whose::KeyOfLogin,
        None => Whose::Settings,
    }
}

pub(super) fn credential_refused(
    failure: &Failure,
    verdict: &Verdict,
    called: Option<&str>,
    whose: Whose,
) -> Failure {
    // Nothing was called: the login could not even be made ready, and the failure says whose it is.
    let Some(provider) = called else {
        let text =
            format!("{}; `byok status` shows what helps.", failure.message.trim_end_matches(['.', ' ']));
        return of_byok(text);
    };
    let said = failure.message.trim_end().trim_end_matches('.');
    // A plan, a bill or a rule: the credential is good, and no other one of this account would change it.
    let not_served = match (&verdict.state, failure.kind) {
        (Some(AccountState::Blocked { reason }), _) => {
            let reason = reason.trim_end().trim_end_matches('.');
            Some(match (whose, reason.strip_suffix(THEN_ENABLE)) {
                // What stands in the settings is no account that could be enabled.
                (Whose::Settings, Some(reason)) => format!("{reason} (providers.{provider}.api_key)"),
                _ => reason.to_owned(),
            })
        }
        // What helps is not always another login.
        (Some(AccountState::NeedsLogin { reason }), _) => {
            return of_byok(format!(
                "`{provider}` refused byok's credential (status {}): {said}. {}; `byok status` shows the accounts.",
                failure.status,
                reason.trim_end().trim_end_matches('.')
            ));
        }
        (Some(_), _) | (None, FailureKind::Auth | FailureKind::Credential) => None,
        (None, FailureKind::Billing) => Some(format!("{said}. Pay or add credit with the vendor")),
        (None, _) => {
            let all_rests = matches!(verdict.cool, Some((Scope::Account, _)));
            let other = || match whose {
                Whose::Settings if all_rests => format!(
                    "{said}. byok lets the key rest for a while; if it lasts, ask the vendor, or set another key under \
                     providers.{provider}.api_key"
                ),
                Whose::Login | Whose::KeyOfLogin if all_rests => {
                    format!(
                        "{said}. byok lets the account rest for a while; if it lasts, ask the vendor, or use another account"
                    )
                }
                Whose::Settings => {
                    format!("{said}. Choose another model, or another key for providers.{provider}.api_key")
                }
                Whose::Login | Whose::KeyOfLogin => {
                    format!("{said}. Choose another model, or another account")
                }
            };
            Some(verdict.hint.map_or_else(other, |hint| format!("{said} ({hint})")))
        }
    };
    if let Some(why) = not_served {
        let text = format!(
            "`{provider}` does not serve this to byok's account (status {}): {why}; `byok status` shows the accounts.",
            failure.status
        );
        // Before the rest is over byok would not ask again.
        let rest = verdict.cool.filter(|(scope, _)| verdict.state.is_none() && *scope == Scope::Account);
        let mut told = of_byok(text);
        if verdict.state.is_none() && failure.kind == FailureKind::Billing {
            // As where all accounts rest because there is no money.
            told = Failure { code: None, ..told };
            told.kind = FailureKind::Billing;
            told.status = FailureKind::Billing.default_status();
        }
        return Failure { retry_after: rest.map(|(_, wait)| wait), ..told };
    }
    let remedy = match whose {
        Whose::Login if failure.retry_after.is_some() => {
            format!("byok tries it again by itself; if it lasts, log in again with `byok login {provider}`")
        }
        Whose::Login => format!("Log in again with `byok login {provider}`"),
        Whose::KeyOfLogin => format!("Log in with another key by `byok login {provider} --method key`"),
        Whose::Settings => format!("Correct providers.{provider}.api_key"),
    };
    let text = format!(
        "`{provider}` refused byok's credential (status {}): {said}. {remedy}; `byok status` shows the accounts.",
        failure.status,
    );
    Failure { retry_after: failure.retry_after, ..of_byok(text) }
}

fn of_byok(text: String) -> Failure {
    Failure {
        raw: None,
        code: Some(CREDENTIAL_REFUSED.to_owned()),
        param: None,
        ..Failure::new(FailureKind::Credential, Blame::Byok, text).with_status(503)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_credential_was_refused_is_said_in_its_own_words() {
        let cases = [
            (
                Some("kimi"),
                Whose::Login,
                "gone",
                "`kimi` refused byok's credential (status 401): gone. Log in again with `byok login kimi`; `byok status` shows the \
                 accounts.",
            ),
            (
                Some("kimi"),
                Whose::KeyOfLogin,
                "gone",
                "`kimi` refused byok's credential (status 401): gone. Log in with another key by `byok login kimi --method key`; \
                 `byok status` shows the accounts.",
            ),
            (
                Some("kimi"),
                Whose::Settings,
                "gone",
                "`kimi` refused byok's credential (status 401): gone. Correct providers.kimi.api_key; `byok status` shows the \
                 accounts.",
            ),
            (
                Some("copilot"),
                Whose::Login,
                "Bad credentials.",
                "`copilot` refused byok's credential (status 401): Bad credentials. Log in again with `byok login copilot`; \
                 `byok status` shows the accounts.",
            ),
            (
                None,
                Whose::Login,
                "the login `ada` of `copilot` cannot be used: Bad credentials",
                "the login `ada` of `copilot` cannot be used: Bad credentials; `byok status` shows what helps.",
            ),
        ];
        for (called, whose, message, told) in cases {
            let failure = Failure::new(FailureKind::Auth, Blame::Upstream, message).with_status(401);
            let told_now = credential_refused(&failure, &Verdict::PASS_ON, called, whose);
            assert_eq!((told_now.status, &*told_now.message), (503, told));
            assert_eq!(told_now.code.as_deref(), Some(CREDENTIAL_REFUSED));
        }
    }

    #[test]
    fn what_helps_follows_what_rests() {
        let failure = Failure::new(FailureKind::Permission, Blame::Upstream, "no.").with_status(403);
        let rests = |scope| Verdict::other(Some((scope, std::time::Duration::from_mins(5))));
        let licence = AccountState::NeedsLogin { reason: "no licence; use an API key".to_owned() };
        for (verdict, whose, told) in [
            (rests(Scope::Model), Whose::Login, "no. Choose another model, or another account;"),
            (rests(Scope::Account), Whose::Login, "no. byok lets the account rest"),
            (
                rests(Scope::Account),
                Whose::Settings,
                "no. byok lets the key rest for a while; if it lasts, ask the vendor, or set another key under \
                 providers.codex.api_key;",
            ),
            (
                Verdict { state: Some(licence), ..rests(Scope::Account) },
                Whose::Login,
                "(status 403): no. no licence; use an API key;",
            ),
        ] {
            let told_now = credential_refused(&failure, &verdict, Some("codex"), whose);
            assert!(told_now.message.contains(told), "{}", told_now.message);
            let model = told_now.message.contains("another model");
            assert_eq!(model, told.contains("another model"), "{}", told_now.message);
            assert_eq!(told_now.retry_after.is_some(), told.contains("lets the"), "{}", told_now.message);
        }
    }

    #[test]
    fn what_no_login_could_change_asks_for_none() {
        let blocked = AccountState::Blocked { reason: "on hold. Appeal at https://example.org".to_owned() };
        for (kind, state, hint, told) in [
            (
                FailureKind::Permission,
                None,
                None,
                "(status 403): no. Choose another model, or another account;",
            ),
            (FailureKind::Permission, None, Some("see the plan"), "(status 403): no (see the plan);"),
            (FailureKind::Billing, None, None, "(status 403): no. Pay or add credit with the vendor;"),
            (
                FailureKind::Permission,
                Some(blocked),
                None,
                "(status 403): on hold. Appeal at https://example.org;",
            ),
        ] {
            let failure = Failure::new(kind, Blame::Upstream, "no.").with_status(403);
            let verdict = Verdict { state, hint, ..Verdict::PASS_ON };
            let told_now = credential_refused(&failure, &verdict, Some("claude"), Whose::Login);
            assert!(told_now.message.contains(told), "{}", told_now.message);
            assert!(!told_now.message.contains("byok login"), "{}", told_now.message);
            let expected =
                if kind == FailureKind::Billing { (402, None) } else { (503, Some(CREDENTIAL_REFUSED)) };
            assert_eq!((told_now.status, told_now.code.as_deref()), expected);
        }
    }
}
