//! The hosts of GitHub, and what lies where.

use super::{HOST, Own};
use crate::{Answers, LoginError, login::plain};
use url::Url;

/// The public host.
const PUBLIC: &str = "github.com";

/// A host of GitHub that may see a token: the public one, or one label below `ghe.com`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GitHub(String);

impl GitHub {
    /// The public host.
    pub(super) fn public() -> Self {
        Self(PUBLIC.to_owned())
    }

    /// The host of this name. Any other could be made to collect tokens.
    pub(super) fn named(name: &str) -> Option<Self> {
        let name = name.trim().trim_start_matches("https://").trim_end_matches('/').to_ascii_lowercase();
        let label = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        let known = name == PUBLIC || name.strip_suffix(".ghe.com").is_some_and(label);
        known.then_some(Self(name))
    }

    /// The host that the person named, else the public one.
    pub(super) fn asked(answers: &Answers) -> Result<Self, LoginError> {
        answers.get(HOST).map_or_else(|| Ok(Self::public()), |name| Self::checked(name))
    }

    pub(super) fn checked(name: &str) -> Result<Self, LoginError> {
        Self::named(name).ok_or_else(|| LoginError::NotUsable {
            why: format!(
                "`{}` is neither github.com nor a host such as acme.ghe.com; GitHub Enterprise Server has no Copilot",
                plain(name)
            ),
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.0
    }

    /// The key of a person at this host.
    pub(super) fn identity(&self, login: &str) -> String {
        format!("{}/{login}", self.0)
    }
}

/// The addresses of one host.
#[derive(Clone, Debug)]
pub(super) struct Places {
    pub(super) device: Url,
    pub(super) token: Url,
    pub(super) exchange: Url,
    pub(super) profile: Url,
    pub(super) usage: Url,
    /// Base of the models where the exchange names none.
    inference: Url,
    /// Hosts, with their ports, that the person's own settings name.
    own: Vec<(String, Option<u16>)>,
    company: Option<String>,
}

impl Places {
    /// The person's own addresses, else those of the host.
    pub(super) fn of(github: &GitHub, own: &Own) -> Option<Self> {
        let host = github.name();
        let company = (host != PUBLIC).then(|| format!("copilot-api.{host}"));
        let models = company.as_deref().unwrap_or("api.githubcopilot.com");
        let at = |own: &Option<Url>, vendors: String| own.clone().or_else(|| Url::parse(&vendors).ok());
        let trusted = [&own.exchange, &own.inference].into_iter().flatten();
        Some(Self {
            device: at(&own.device, format!("https://{host}/login/device/code"))?,
            token: at(&own.token, format!("https://{host}/login/oauth/access_token"))?,
            exchange: at(&own.exchange, format!("https://api.{host}/copilot_internal/v2/token"))?,
            profile: at(&own.profile, format!("https://api.{host}/user"))?,
            usage: at(&own.usage, format!("https://api.{host}/copilot_internal/user"))?,
            inference: at(&own.inference, format!("https://{models}"))?,
            own: trusted.filter_map(origin).collect(),
            company,
        })
    }

    /// The base of the models without a slash at its end.
    pub(super) fn base(&self) -> String {
        trimmed(&self.inference)
    }

    /// The base that an answer names, if tokens may go there.
    pub(super) fn trusted(&self, named: &str) -> Option<String> {
        let url = Url::parse(named).ok()?;
        let host = url.host_str()?;
        let vendors = host == "githubcopilot.com"
            || host.ends_with(".githubcopilot.com")
            || self.company.as_deref() == Some(host);
        let known =
            (url.scheme() == "https" && vendors) || origin(&url).is_some_and(|at| self.own.contains(&at));
        known.then(|| trimmed(&url))
    }
}

fn origin(url: &Url) -> Option<(String, Option<u16>)> {
    Some((url.host_str()?.to_owned(), url.port_or_known_default()))
}

fn trimmed(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}
