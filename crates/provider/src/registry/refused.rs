//! What a client is told when a provider is known and none of its credentials can serve the model.

use super::{Registry, services::credentials_of};
use crate::{catalog::Catalog, upstream::iflow};
use byok_config::provider_of_vendor;
use byok_types::{Blame, Failure, FailureKind, NO_ACCOUNT};

/// There are logins, and none of them may be used.
pub(super) fn not_in_use(provider: &str, why: &str) -> Failure {
    let why = why.trim_end_matches(['.', ' ']);
    Failure::new(
        FailureKind::Server,
        Blame::Byok,
        format!(
            "no login of `{provider}`, which serves this model, is in use: {why}. `byok status` shows them."
        ),
    )
    .with_status(503)
    .with_code(NO_ACCOUNT)
}

/// There are credentials, but of another kind than those that the model is served to.
pub(super) fn not_by_these(provider: &str, model: &str) -> Failure {
    let model = shown(model);
    let mut failure = Failure::new(
        FailureKind::NotFound,
        Blame::Client,
        format!(
            "`{provider}` serves the model `{model}` only to another kind of credential (key or login) than byok has for it. \
             `byok models` lists what can be asked for."
        ),
    );
    failure.param = Some("model".to_owned());
    failure.code = Some("model_not_found".to_owned());
    failure
}

/// byok has no credential of its own, and the client brought none that fits.
pub(crate) fn nothing_brought(provider: &str) -> Failure {
    Failure::new(
        FailureKind::Server,
        Blame::Byok,
        format!(
            "byok has no key and no login for `{provider}`, and the request brought none that fits: show the byok key in \
             `x-byok-key`, and your own credential for `{provider}` where its own clients do."
        ),
    )
    .with_status(503)
    .with_code(NO_ACCOUNT)
}

/// There is neither a key nor a login.
pub(super) fn no_login(provider: &str) -> Failure {
    let how = match credentials_of(provider) {
        // Nothing that is made now would serve.
        _ if provider == "iflow" => iflow::ENDED.to_owned(),
        (true, true) => {
            format!("run `byok login {provider}`, or set providers.{provider}.api_key in the config")
        }
        (true, false) => format!("run `byok login {provider}`"),
        (false, _) => format!("set providers.{provider}.api_key in the config"),
    };
    Failure::new(
        FailureKind::Server,
        Blame::Byok,
        format!("byok has no key and no login for `{provider}`, which serves this model: {how}."),
    )
    .with_status(503)
    .with_code(NO_ACCOUNT)
}

impl Registry {
    /// Nobody is known who serves a name.
    pub(super) fn unknown(&self, name: &str) -> Failure {
        let name = self.divided(name).0;
        let targets = self.aliases.get(name).map(Vec::as_slice).unwrap_or_default();
        let what = match targets {
            [] => format!("The model `{}` does not exist or no configured provider serves it.", shown(name)),
            [target] => format!(
                "The alias `{}` leads to `{}`, and that model does not exist or no configured provider serves it.",
                shown(name),
                shown(&target.model)
            ),
            several => {
                let models: Vec<_> =
                    several.iter().take(8).map(|target| format!("`{}`", shown(&target.model))).collect();
                format!(
                    "The alias `{}` leads to {}, and none of these models exists or is served by a configured provider.",
                    shown(name),
                    models.join(", ")
                )
            }
        };
        let wanted = targets.first().map_or(name, |target| &target.model);
        let mut failure =
            Failure::new(FailureKind::NotFound, Blame::Client, format!("{what} {}", self.instead_of(wanted)));
        failure.param = Some("model".to_owned());
        failure.code = Some("model_not_found".to_owned());
        failure
    }

    /// What could be asked for in the place of a name.
    fn instead_of(&self, name: &str) -> String {
        if self.aliases.contains_key(name) {
            return format!(
                "`{0}` is an alias, too, and an alias does not lead on to another: write the target of `{0}`.",
                shown(name)
            );
        }
        let own = name.split_once('/').and_then(|(vendor, model)| Some((provider_of_vendor(vendor)?, model)));
        if let Some((provider, model)) = own {
            return format!(
                "Here the provider of that vendor is called `{provider}`: ask for `{provider}/{}`. `byok models` lists all.",
                shown(model)
            );
        }
        let list = self.list();
        let near = Catalog::nearest(name, list.iter().map(|entry| entry.id.as_str()));
        if near.is_empty() {
            return "No provider has a key or a login yet: run `byok login claude`, or set an `api_key` in the config."
                .to_owned();
        }
        format!("The nearest names are {}. `byok models` lists all.", near.join(", "))
    }
}

/// A name as it may be quoted.
fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::{no_login, not_in_use, nothing_brought};
    use crate::executor::refuse;
    use byok_types::Dialect;

    #[test]
    fn nobody_tries_again_by_habit_where_only_a_person_can_help() {
        let dead = "the login does not work any more. Log in again with `byok login claude`.";
        for failure in [not_in_use("claude", dead), no_login("claude"), nothing_brought("claude")] {
            for dialect in [Dialect::Chat, Dialect::Responses, Dialect::Messages, Dialect::Gemini] {
                let answer = refuse(dialect, &failure, "req-1");
                assert_eq!(answer.status, 503);
                assert_eq!(answer.headers["x-should-retry"], "false");
            }
        }
    }
}
