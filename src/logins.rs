//! Which providers this version can log in to. A new one is a file of `byok-auth` and a line in each function here.

use crate::{
    network,
    trouble::{Exit, Trouble},
};
use byok_auth::{
    BrowserLogin, Refresher,
    claude::{CALLBACK_PATH, Claude, ClaudeUrls},
};
use byok_config::{BUILT_IN, Config, HttpUrl, UrlName};
use byok_types::ProviderId;
use std::{collections::HashMap, sync::Arc};
use url::Url;

/// The providers with a login.
const WITH_LOGIN: [&str; 1] = ["claude"];

/// The built-in providers that this version serves with an API key.
const WITH_KEY: [&str; 3] = ["claude", "codex", "gemini"];

/// A provider that can be logged in to.
pub(crate) struct Vendor {
    pub(crate) id: ProviderId,
    pub(crate) login: Arc<dyn BrowserLogin>,
    /// Path of the address that the browser comes back to.
    pub(crate) callback_path: &'static str,
}

/// The provider of this name, or the way to use it without a login.
pub(crate) fn vendor(name: &str, config: &Config) -> Result<Vendor, Trouble> {
    let id = provider_id(name)?;
    if name == "claude" {
        let login = Arc::new(claude(config));
        return Ok(Vendor { id, login, callback_path: CALLBACK_PATH });
    }
    let supported = WITH_LOGIN.join(", ");
    let own = config.providers.get(&id).is_some_and(|provider| provider.kind.is_some());
    if !own && !BUILT_IN.contains(&name) {
        return Err(Trouble::new(Exit::Usage, format!("there is no provider `{name}`"))
            .hint(format!("`byok login` knows: {supported}")));
    }
    let what = format!("this version of byok has no login for `{name}`, only for: {supported}");
    let hint = if own || WITH_KEY.contains(&name) {
        format!(
            "use an API key: set `providers.{name}.api_key` in the settings (`byok config path` says where)"
        )
    } else {
        format!(
            "of the built-in providers it serves: {}; any other server can be added with a `kind`",
            WITH_KEY.join(", ")
        )
    };
    Err(Trouble::new(Exit::Usage, what).hint(hint))
}

/// A name as an id.
pub(crate) fn provider_id(name: &str) -> Result<ProviderId, Trouble> {
    ProviderId::new(name).map_err(|error| Trouble::new(Exit::Usage, error.to_string()))
}

/// How the tokens of logins are refreshed.
pub(crate) fn refreshers(config: &Config) -> HashMap<ProviderId, Arc<dyn Refresher>> {
    let claude: Arc<dyn Refresher> = Arc::new(claude(config));
    ProviderId::new("claude").into_iter().map(|id| (id, Arc::clone(&claude))).collect()
}

fn claude(config: &Config) -> Claude {
    let mut urls = ClaudeUrls::default();
    let Ok(id) = ProviderId::new("claude") else { return Claude::default() };
    let Some(provider) = config.provider(&id) else { return Claude::default() };
    let fields: [(UrlName, &mut Url); 4] = [
        (UrlName::Authorize, &mut urls.authorize),
        (UrlName::Token, &mut urls.token),
        (UrlName::Revoke, &mut urls.revoke),
        (UrlName::Profile, &mut urls.profile),
    ];
    for (name, url) in fields {
        if let Some(own) = provider.urls.get(&name).map(HttpUrl::url) {
            url.clone_from(own);
        }
    }
    Claude::new(urls, network::network(config, &id, provider))
}
