//! Kimi Code: the login of a Kimi membership with a device code, and keys of the plan.
//!
//! No PKCE, no scope. Refresh tokens rotate and access tokens live for about a quarter of an hour. An account belongs to
//! one of two regions, which is a fact of its tokens. The vendor's programs send headers about the device; byok sends the
//! same ones under its own name and version, with an id that it made for this login. Sources: kimi-code (August 2026),
//! kimi-cli 1.49.0, the vendor's documentation.

mod device;
mod import;
mod key;
mod refresh;
mod region;

use crate::{How, Method, Network, Owner, Question, Urls, Vendor, endpoint::Endpoint};
use byok_config::UrlName;
use byok_store::AccountDetails;
use byok_transport::Transport;
use byok_types::Secret;
use region::{Places, Region};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use url::Url;

/// Fact: `mainland-cn` or `global`.
pub const REGION: &str = "region";
/// Fact: the id that byok made for this login.
pub const DEVICE: &str = "device";

/// The public client of the vendor's own programs, the same in both regions; it has no secret.
const CLIENT_ID: &str = "17e5f671-d194-4dfb-9706-5516cb48c098";
const TOKEN_TIMEOUT: Duration = Duration::from_secs(30);
const PROFILE_TIMEOUT: Duration = Duration::from_secs(8);

/// Login and refresh of Kimi memberships.
#[derive(Clone, Debug)]
pub(crate) struct Kimi {
    own: Own,
    network: Network,
}

/// The person's own addresses.
#[derive(Clone, Debug, Default)]
struct Own {
    device: Option<Url>,
    token: Option<Url>,
    profile: Option<Url>,
    inference: Option<Url>,
}

/// All that byok can do about its logins.
pub fn vendor(urls: &Urls<'_>, network: Network) -> Vendor {
    const WHERE: &[Question] = &[Question {
        name: REGION,
        prompt: "Region of the account: mainland-cn (kimi.com) or global (kimi.ai)",
        default: "mainland-cn",
        secret: false,
        check: |answer| Region::checked(answer).map(|_| ()),
    }];
    let kimi = Arc::new(Kimi::new(urls, network));
    let method = |name, what, questions, how| Method { name, what, questions, how };
    Vendor {
        methods: vec![
            method("device", "log in with a membership and a code", WHERE, How::Device(kimi.clone())),
            method("key", "use a key of the plan (sk-kimi-…)", WHERE, How::Key(kimi.clone())),
        ],
        refresher: kimi,
        revoke: None,
        check_token,
        import: Some(Arc::new(import::Files)),
        ended: None,
    }
}

/// Whether a pasted token can be one of a login.
fn check_token(token: &str) -> Result<(), &'static str> {
    if token.starts_with("sk-") {
        return Err("it is an API key; use `byok login kimi --method key`");
    }
    Ok(())
}

/// What byok says of the machine it runs on, in the headers that the vendor's programs have for it.
pub fn device_headers(device: Option<&str>) -> Vec<(&'static str, String)> {
    let model = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    let mut headers = vec![
        ("x-msh-platform", "byok".to_owned()),
        ("x-msh-version", env!("CARGO_PKG_VERSION").to_owned()),
        ("x-msh-device-model", model),
    ];
    headers.extend(device.map(|id| ("x-msh-device-id", id.to_owned())));
    headers
}

impl Kimi {
    fn new(urls: &Urls<'_>, network: Network) -> Self {
        let own = Own {
            device: urls.own(UrlName::Device),
            token: urls.own(UrlName::Token),
            profile: urls.own(UrlName::Profile),
            inference: urls.own(UrlName::Inference),
        };
        Self { own, network }
    }

    fn endpoint<'a>(&'a self, transport: &'a Transport) -> Endpoint<'a> {
        Endpoint { transport, network: &self.network }
    }

    fn places(&self, region: Region) -> Places {
        Places::of(region, &self.own)
    }

    /// Whose token it is.
    async fn owner_of(&self, transport: &Transport, region: Region, token: &Secret) -> Owner {
        let url = self.places(region).profile;
        let reply = self.endpoint(transport).get_with_bearer(&url, token, PROFILE_TIMEOUT).await;
        Owner::told(reply, token, |body| {
            let me: Value = serde_json::from_slice(body).unwrap_or_default();
            let text = |name: &str| {
                let text = me[name].as_str().map(crate::login::plain);
                text.filter(|text| !text.is_empty())
            };
            AccountDetails {
                email: text("email"),
                plan: text("user_level_name"),
                identity: text("user_id").or_else(|| me["user_id"].as_u64().map(|id| id.to_string())),
            }
        })
    }
}

#[cfg(test)]
mod tests;
