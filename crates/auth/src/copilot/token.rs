//! A GitHub token that a person has.

use super::{Copilot, Way, host::GitHub};
use crate::{Answers, KeyLogin, LoginError, LoginFuture, NewLogin};
use byok_transport::Transport;
use byok_types::{CredentialKind, Secret};

impl KeyLogin for Copilot {
    fn kind(&self) -> CredentialKind {
        CredentialKind::Oauth
    }

    fn finish<'a>(
        &'a self,
        transport: &'a Transport,
        key: Secret,
        answers: &'a Answers,
    ) -> LoginFuture<'a, NewLogin> {
        Box::pin(async move {
            let way = way_of(&key)?;
            let github = GitHub::asked(answers)?;
            self.log_in(transport, key, &github, way).await
        })
    }
}

/// What a token of this kind can be used for.
pub(super) fn way_of(token: &Secret) -> Result<Way, LoginError> {
    let not = |why: &str| Err(LoginError::NotUsable { why: why.to_owned() });
    match token.expose().split_once('_').map(|(kind, _)| kind) {
        Some("gho" | "ghu") => Ok(Way::Either),
        // A fine-grained one, with the permission "Copilot Requests"; there is nothing to exchange it for.
        Some("github") if token.expose().starts_with("github_pat_") => Ok(Way::Direct),
        Some("ghp") => not(
            "Copilot takes no classic token (`ghp_…`); make a fine-grained one with the permission \"Copilot Requests\", or log in with a code",
        ),
        _ => not("a GitHub token for Copilot begins with `gho_`, `ghu_` or `github_pat_`"),
    }
}
