//! Kiro (AWS, formerly Amazon Q Developer): the logins of its IDE and of its command line.
//!
//! There are three kinds of login. Builder ID and IAM Identity Center are AWS SSO-OIDC: a client is registered on the
//! spot, and its id and secret are needed for every refresh, so they are kept with the tokens, together with the region
//! of the sign-in. Social logins (Google, GitHub) belong to Kiro's own login service. Bodies are JSON in camelCase, not
//! forms. The region of the sign-in and the region of the API can differ; the latter stands in the profile.
//!
//! What byok does differently from Kiro's programs: it registers under its own name and invents no machine id. The
//! client id of the social code login (`kiro-cli`) is a constant without which there is no such login.

mod browser;
mod device;
mod errors;
mod identity;
pub(crate) mod import;
mod key;
mod refresh;

use crate::{
    Answers, How, LoginError, Method, Network, Question, TokenAnswer, Urls, Vendor,
    endpoint::{Endpoint, fixed},
};
use byok_config::UrlName;
use byok_transport::Transport;
use byok_types::{OauthTokens, Secret, TokenFacts};
use serde::Deserialize;
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use url::Url;

/// Facts that are kept with the tokens.
mod fact {
    /// Which kind of login: `builder-id`, `idc` or `social`.
    pub(super) const KIND: &str = "kind";
    pub(super) const CLIENT_ID: &str = "client_id";
    pub(super) const CLIENT_SECRET: &str = "client_secret";
    /// When the registration of the client ends, in Unix seconds.
    pub(super) const CLIENT_EXPIRES_AT: &str = "client_expires_at";
    /// Where the sign-in lives.
    pub(super) const AUTH_REGION: &str = "auth_region";
    pub(super) const START_URL: &str = "start_url";
    /// The profile, which every request names. Its region is that of the API.
    pub(super) const PROFILE: &str = "profile_arn";
    /// Only during a login.
    pub(super) const DEVICE_CODE: &str = "device_code";
    /// Only during a login: what the person said about the profile.
    pub(super) const WANTED_PROFILE: &str = "wanted_profile";
}

const BUILDER_ID: &str = "builder-id";
const IDC: &str = "idc";
const SOCIAL: &str = "social";

/// The start page of everybody's AWS account.
const BUILDER_ID_START: &str = "https://view.awsapps.com/start";
/// Where Builder ID and the social logins live.
const HOME_REGION: &str = "us-east-1";
/// The regions that serve Kiro.
const API_REGIONS: [&str; 2] = ["us-east-1", "eu-central-1"];
/// What byok registers as.
const CLIENT_NAME: &str = "byok";
/// Enough for chat.
const SCOPES: [&str; 3] =
    ["codewhisperer:completions", "codewhisperer:analysis", "codewhisperer:conversations"];
/// The answer to the question of the profile that stands for "there is only one".
const ONLY: &str = "only";
/// What a social login by code counts as living, since its answer does not say.
const SOCIAL_LIFETIME: i64 = 8 * 3600;

const TIMEOUT: Duration = Duration::from_secs(30);
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(10);

/// What an organisation's login needs to know.
const ORGANISATION: [Question; 3] = [
    Question {
        name: "start_url",
        prompt: "start page of your organisation (https://…awsapps.com/start)",
        default: "",
        secret: false,
        check: crate::login::any,
    },
    Question {
        name: "region",
        prompt: "AWS region of that page",
        default: HOME_REGION,
        secret: false,
        check: |answer| checked_region(answer.trim()).map(|_| ()),
    },
    Question {
        name: "profile",
        prompt: "ARN of the Kiro profile, if there are several",
        default: ONLY,
        secret: false,
        check: crate::login::any,
    },
];

/// Where the logins live. What has no address of its own depends on the region.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    pub(crate) register: Option<Url>,
    pub(crate) device: Option<Url>,
    pub(crate) token: Option<Url>,
    pub(crate) authorize: Option<Url>,
    /// Base of the social logins.
    pub(crate) social: Url,
    /// Page of the social logins.
    pub(crate) portal: Url,
    pub(crate) profiles: Option<Url>,
    pub(crate) usage: Option<Url>,
}

impl Addresses {
    pub(crate) fn of(urls: &Urls<'_>) -> Self {
        Self {
            register: urls.own(UrlName::Register),
            device: urls.own(UrlName::Device),
            token: urls.own(UrlName::Token),
            authorize: urls.own(UrlName::Authorize),
            social: urls.get(UrlName::Social, "https://prod.us-east-1.auth.desktop.kiro.dev"),
            portal: urls.get(UrlName::Portal, "https://app.kiro.dev/signin"),
            profiles: urls.own(UrlName::Profile),
            usage: urls.own(UrlName::Usage),
        }
    }

    /// An address of the sign-in of a region.
    #[expect(clippy::unused_self, reason = "it is asked of a login")]
    fn oidc(&self, own: Option<&Url>, region: &str, path: &str) -> Result<Url, LoginError> {
        if let Some(own) = own {
            return Ok(own.clone());
        }
        address(&format!("https://oidc.{}.amazonaws.com/{path}", checked_region(region)?))
    }

    fn of_social(&self, path: &str) -> Url {
        let mut url = self.social.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}/{path}"));
        url
    }
}

/// Login and refresh of Kiro.
#[derive(Clone, Debug)]
pub(crate) struct Kiro {
    urls: Addresses,
    network: Network,
}

/// All that byok can do about its logins.
pub fn vendor(urls: &Urls<'_>, network: Network) -> Vendor {
    let kiro = Arc::new(Kiro::new(Addresses::of(urls), network));
    let method = |name, what, questions, how| Method { name, what, questions, how };
    let sso = |organisation| device::Sso { kiro: Arc::clone(&kiro), organisation };
    let social = |provider| Arc::new(device::Social { kiro: Arc::clone(&kiro), provider });
    Vendor {
        methods: vec![
            method("builder-id", "AWS Builder ID, by code", &[], How::Device(Arc::new(sso(false)))),
            method(
                "idc",
                "IAM Identity Center of your organisation, by code",
                &ORGANISATION,
                How::Device(Arc::new(sso(true))),
            ),
            method(
                "google",
                "Google, by code; byok has to use the client id `kiro-cli`",
                &[],
                How::Device(social("Google")),
            ),
            method(
                "github",
                "GitHub, by code; byok has to use the client id `kiro-cli`",
                &[],
                How::Device(social("Github")),
            ),
            method(
                "builder-id-browser",
                "AWS Builder ID, in the browser",
                &[],
                How::Browser(Arc::new(browser::Sso(sso(false)))),
            ),
            method(
                "idc-browser",
                "IAM Identity Center, in the browser",
                &ORGANISATION,
                How::Browser(Arc::new(browser::Sso(sso(true)))),
            ),
            method(
                "portal",
                "Google or GitHub at app.kiro.dev, in the browser",
                &[],
                How::Browser(Arc::new(browser::Portal(Arc::clone(&kiro)))),
            ),
            method(
                "link",
                "Google, by pasting the kiro:// address that the browser ends at",
                &[],
                How::Browser(Arc::new(browser::Link(Arc::clone(&kiro), "Google"))),
            ),
            method(
                "link-github",
                "GitHub, by pasting the kiro:// address that the browser ends at",
                &[],
                How::Browser(Arc::new(browser::Link(Arc::clone(&kiro), "Github"))),
            ),
            method(
                "key",
                "an API key (ksk_…) of app.kiro.dev",
                &[],
                How::Key(Arc::new(key::ApiKey(Arc::clone(&kiro)))),
            ),
            method(
                "token",
                "a pasted refresh token; of an AWS login, one line of JSON with refreshToken, clientId, clientSecret, region, startUrl",
                &[],
                How::Key(Arc::new(key::Pasted(Arc::clone(&kiro)))),
            ),
        ],
        refresher: kiro,
        // No source knows a call that takes tokens back.
        revoke: None,
        check_token,
        import: Some(Arc::new(import::Files)),
        ended: None,
    }
}

/// Whether a pasted token can be one of a login.
fn check_token(token: &str) -> Result<(), &'static str> {
    if token.starts_with("ksk_") {
        return Err("it is an API key; use `byok login kiro --method key`");
    }
    Ok(())
}

impl Kiro {
    pub(crate) fn new(urls: Addresses, network: Network) -> Self {
        Self { urls, network }
    }

    fn timeout(&self) -> Duration {
        self.network.token_timeout.unwrap_or(TIMEOUT)
    }

    fn endpoint<'a>(&'a self, transport: &'a Transport) -> Endpoint<'a> {
        Endpoint { transport, network: &self.network }
    }
}

/// An answer with tokens. Written in camelCase, and read in `snake_case` too.
#[derive(Deserialize)]
struct Tokens {
    #[serde(rename = "accessToken", alias = "access_token")]
    access: Secret,
    #[serde(rename = "refreshToken", alias = "refresh_token", default)]
    refresh: Option<Secret>,
    #[serde(rename = "expiresIn", alias = "expires_in", default)]
    expires_in: Value,
    #[serde(rename = "profileArn", alias = "profile_arn", default)]
    profile: Option<String>,
}

/// Reads an answer with tokens; `None` if there are none. `lifetime` counts where the answer names none.
fn tokens_of(body: &[u8], lifetime: Option<i64>) -> Option<TokenAnswer> {
    // The error of a parser may quote the body, so it is dropped.
    let read: Tokens = serde_json::from_slice(body).ok()?;
    if read.access.is_blank() {
        return None;
    }
    let stated = match &read.expires_in {
        Value::String(text) => text.trim().parse().ok(),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a float that is too large becomes the largest lifetime"
        )]
        number => number.as_i64().or_else(|| number.as_f64().map(|number| number as i64)),
    };
    let mut facts = TokenFacts::new();
    if let Some(profile) = read.profile.filter(|arn| is_profile(arn)) {
        facts.insert(fact::PROFILE.into(), Secret::new(profile));
    }
    Some(TokenAnswer {
        access: read.access,
        refresh: read.refresh,
        expires_in: stated.or(lifetime),
        refresh_expires_in: None,
        scope: None,
        facts,
    })
}

/// Whether this is a profile: `arn:aws:codewhisperer:{region}:{12 digits}:profile/{id}`.
fn is_profile(arn: &str) -> bool {
    region_of_profile(arn).is_some()
}

/// The region of the API that a profile belongs to.
fn region_of_profile(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(6, ':');
    let (start, service) = (parts.next()?, (parts.next()?, parts.next()?));
    let (region, owner, id) = (parts.next()?, parts.next()?, parts.next()?);
    let known = start == "arn" && service.0.starts_with("aws") && service.1 == "codewhisperer";
    let named =
        !owner.is_empty() && owner.bytes().all(|byte| byte.is_ascii_digit()) && id.starts_with("profile/");
    (known && named && checked_region(region).is_ok()).then_some(region)
}

/// The region in which the tokens are good for requests: that of the profile, else the sign-in's where the API lives there.
fn api_region(tokens: &OauthTokens) -> &str {
    let signed_in = || tokens.fact(fact::AUTH_REGION).filter(|region| API_REGIONS.contains(region));
    tokens.fact(fact::PROFILE).and_then(region_of_profile).or_else(signed_in).unwrap_or(HOME_REGION)
}

/// A region becomes a part of a host name, so it must be one.
fn checked_region(region: &str) -> Result<&str, LoginError> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let good = (4..=32).contains(&region.len()) && region.contains('-') && region.bytes().all(plain);
    if good && !region.starts_with('-') && !region.ends_with('-') {
        return Ok(region);
    }
    Err(not_usable("the region is not the name of an AWS region, such as us-east-1"))
}

/// The start page that was asked for, or everybody's.
fn start_page(organisation: bool, answers: &Answers) -> Result<String, LoginError> {
    if !organisation {
        return Ok(BUILDER_ID_START.to_owned());
    }
    let given = answers.get("start_url").filter(|given| !given.is_empty());
    let given = given.ok_or(LoginError::Unanswered { name: "start_url" })?;
    match Url::parse(given) {
        Ok(url) if url.scheme() == "https" && url.host_str().is_some() => Ok(given.clone()),
        _ => Err(not_usable("the start page is an address that begins with https://")),
    }
}

fn address(text: &str) -> Result<Url, LoginError> {
    Url::parse(text).map_err(|_| not_usable("an address that is made of it is not valid"))
}

fn not_usable(why: &str) -> LoginError {
    LoginError::NotUsable { why: why.to_owned() }
}

fn facts<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> TokenFacts {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), Secret::new(value))).collect()
}

/// The address of a place that is looked up, in the order in which they are asked: the person's own; else the new host, and
/// the old one, which some accounts still live on.
fn planes(own: Option<&Url>, region: &str, path: &str) -> Vec<Url> {
    if let Some(own) = own {
        return vec![own.clone()];
    }
    let hosts = [
        format!("https://management.{region}.kiro.dev/{path}"),
        format!("https://q.{region}.amazonaws.com/{path}"),
    ];
    hosts.iter().filter_map(|host| Url::parse(host).ok()).collect()
}

/// The address that the old social login ends at.
fn link_redirect() -> Url {
    fixed("kiro://kiro.kiroAgent/authenticate-success")
}

#[cfg(test)]
mod tests;
