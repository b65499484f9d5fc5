//! GitHub Copilot: a device code at GitHub, then one of two ways to use the token.
//!
//! - *Direct*: the GitHub token itself is the Bearer token of the models. Nothing untrue is said. It lives until it is
//!   revoked, so a refresh only asks GitHub whether it does.
//! - *Exchange*: the GitHub token buys a token of Copilot for about half an hour, and the models want to hear which editor
//!   asks (two [claims](crate::claims)). The GitHub token takes the place of a refresh token and is not used up.
//!
//! A login tries the direct way first. Which way a login takes, its host and the address of its models are facts of its
//! tokens. Sources: the official language server 1.539.0 and what public proxies found to work.

mod device;
mod exchange;
mod host;
mod import;
mod token;

use crate::{
    Found, How, LoginError, Method, Network, NewLogin, Owner, Question, Standing, Urls, Vendor,
    endpoint::{Ask, Endpoint},
};
use byok_config::UrlName;
use byok_store::AccountDetails;
use byok_transport::Transport;
use byok_types::{Credential, OauthTokens, Secret, TokenFacts};
use host::{GitHub, Places};
use http::StatusCode;
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use url::Url;

/// Fact: `direct` or `exchange`; none of a token that another program keeps and that was not tried yet.
pub const MODE: &str = "mode";
/// Fact: the address of the models.
pub const BASE: &str = "base";
/// Fact: the GitHub host of the login.
pub const HOST: &str = "host";
/// Fact: the token of GitHub, of a login that exchanges it.
pub const GITHUB: &str = "github";
/// The value of [`MODE`] of a login whose GitHub token is used as it is.
pub const DIRECT: &str = "direct";
/// The value of [`MODE`] of a login that exchanges its token.
pub const EXCHANGE: &str = "exchange";

/// The version of the models' API that byok speaks.
pub const API_VERSION: &str = "2026-06-01";

/// The public client of GitHub's own Copilot plugin; the device flow needs no secret.
const CLIENT_ID: &str = "Iv1.b507a08c87ecfe98";
/// The version of GitHub's API that the exchange wants.
const EXCHANGE_VERSION: &str = "2025-04-01";
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
const PROFILE_TIMEOUT: Duration = Duration::from_secs(10);
/// A list of models is larger than any answer of a token endpoint.
const LARGEST_LIST: usize = 4 << 20;

/// Which way a login takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Direct if the models accept it, else exchange.
    Either,
    Direct,
    Exchange,
}

/// Login and exchange of Copilot.
#[derive(Clone, Debug)]
pub(crate) struct Copilot {
    own: Own,
    network: Network,
}

/// The person's own addresses.
#[derive(Clone, Debug, Default)]
struct Own {
    device: Option<Url>,
    token: Option<Url>,
    exchange: Option<Url>,
    profile: Option<Url>,
    usage: Option<Url>,
    inference: Option<Url>,
}

/// All that byok can do about its logins.
pub fn vendor(urls: &Urls<'_>, network: Network) -> Vendor {
    const COMPANY: &[Question] = &[Question {
        name: "host",
        prompt: "Host of your company at GitHub, such as acme.ghe.com",
        default: "",
        secret: false,
        check: |answer| GitHub::checked(answer).map(|_| ()),
    }];
    const OF_TOKEN: &[Question] = &[Question {
        name: "host",
        prompt: "Host of GitHub that the token is of",
        default: "github.com",
        secret: false,
        check: |answer| GitHub::checked(answer).map(|_| ()),
    }];
    let copilot = Arc::new(Copilot::new(urls, network));
    let device = |way| How::Device(Arc::new(device::Login { copilot: Arc::clone(&copilot), way }));
    let method = |name, what, questions, how| Method { name, what, questions, how };
    Vendor {
        methods: vec![
            method("device", "log in at github.com with a code", &[], device(Way::Either)),
            method("exchange", "the same, and exchange the token as editors do", &[], device(Way::Exchange)),
            method("enterprise", "log in at a host of your company (GHE.com)", COMPANY, device(Way::Either)),
            method(
                "token",
                "use a GitHub token that you have, such as that of `gh auth token`",
                OF_TOKEN,
                How::Key(copilot.clone()),
            ),
        ],
        refresher: copilot,
        // GitHub takes a grant back only from whoever holds the secret of its client.
        revoke: None,
        check_token,
        import: Some(Arc::new(import::Files)),
        ended: None,
    }
}

/// Whether a pasted token is one of GitHub.
fn check_token(token: &str) -> Result<(), &'static str> {
    token::way_of(&Secret::new(token))
        .map(drop)
        .map_err(|_| "a GitHub token for Copilot begins with `gho_`, `ghu_` or `github_pat_`; use `byok login copilot`")
}

/// A login with a token that another program keeps; `None` if it is no token of this kind.
pub(crate) fn imported(token: &str, user: &str, now: i64) -> Option<Found> {
    import::login(token, &GitHub::public(), user, now)
}

impl Copilot {
    fn new(urls: &Urls<'_>, network: Network) -> Self {
        let own = Own {
            device: urls.own(UrlName::Device),
            token: urls.own(UrlName::Token),
            exchange: urls.own(UrlName::Exchange),
            profile: urls.own(UrlName::Profile),
            usage: urls.own(UrlName::Usage),
            inference: urls.own(UrlName::Inference),
        };
        Self { own, network }
    }

    fn endpoint<'a>(&'a self, transport: &'a Transport) -> Endpoint<'a> {
        Endpoint { transport, network: &self.network }
    }

    fn places(&self, github: &GitHub) -> Result<Places, LoginError> {
        Places::of(github, &self.own)
            .ok_or_else(|| LoginError::NotUsable { why: format!("`{}` is no host of GitHub", github.name()) })
    }

    /// Makes a login of a GitHub token: finds out whose it is and which way it can be used.
    async fn log_in(
        &self,
        transport: &Transport,
        token: Secret,
        github: &GitHub,
        way: Way,
    ) -> Result<NewLogin, LoginError> {
        let places = self.places(github)?;
        let owner = self.owner(transport, &places, &token, github).await;
        if let Standing::Refused(why) = owner.standing {
            let why =
                format!("GitHub does not accept this token ({why}); make a new one, or log in with a code");
            return Err(LoginError::NotUsable { why });
        }
        let mut facts = TokenFacts::from([(HOST.to_owned(), Secret::new(github.name()))]);
        let direct = match way {
            Way::Exchange => false,
            Way::Direct => true,
            Way::Either => self.is_accepted(transport, &places, &token).await.unwrap_or_default(),
        };
        let tokens = if direct {
            facts.insert(MODE.to_owned(), Secret::new(DIRECT));
            facts.insert(BASE.to_owned(), Secret::new(places.base()));
            OauthTokens {
                // Bought again with itself: a refusal is checked at GitHub before the login counts as dead.
                refresh: Some(token.clone()),
                access: token,
                expires_at: None,
                refresh_expires_at: None,
                scopes: Vec::new(),
                facts,
            }
        } else {
            let answer =
                self.exchange(transport, &places, &token).await.map_err(exchange::Refused::of_login)?;
            facts.extend(answer.facts.clone());
            let mut tokens = answer.into_tokens(None, crate::Clock::now(&crate::SystemClock));
            facts.insert(GITHUB.to_owned(), token.clone());
            tokens.refresh = Some(token);
            tokens.facts = facts;
            tokens
        };
        Ok(NewLogin { credential: Credential::Oauth(tokens), details: owner.details })
    }

    /// Whose login it is, by its GitHub token: the one of Copilot lives for half an hour.
    async fn owner_of(&self, transport: &Transport, tokens: &OauthTokens) -> Owner {
        let github = tokens.fact(HOST).and_then(GitHub::named).unwrap_or_else(GitHub::public);
        let Ok(places) = self.places(&github) else { return Owner::default() };
        let token = tokens.refresh.as_ref().unwrap_or(&tokens.access);
        let mut owner = self.owner(transport, &places, token, &github).await;
        if tokens.fact(MODE).is_none() && owner.standing == Standing::Taken {
            let direct = self.is_accepted(transport, &places, token).await;
            let mode = direct.map(|direct| if direct { DIRECT } else { EXCHANGE });
            owner.facts.extend(mode.map(|mode| (MODE.to_owned(), Secret::new(mode))));
        }
        owner
    }

    /// Whether the models take the GitHub token itself; `None` if that cannot be found out now.
    async fn is_accepted(&self, transport: &Transport, places: &Places, token: &Secret) -> Option<bool> {
        let url = Url::parse(&format!("{}/models", places.base())).ok()?;
        let bearer = format!("Bearer {}", token.expose());
        let ask = Ask {
            headers: &[("x-github-api-version", API_VERSION)],
            authorization: Some(&bearer),
            ..Ask::get(&url, PROFILE_TIMEOUT)
        };
        match self.endpoint(transport).ask_up_to(ask, LARGEST_LIST).await {
            Ok(reply) if reply.status.is_success() => Some(true),
            Ok(reply) if reply.status.is_server_error() || reply.status == StatusCode::TOO_MANY_REQUESTS => {
                None
            }
            Ok(_) => Some(false),
            Err(error) => {
                tracing::debug!(%error, "whether Copilot takes the GitHub token itself is not known");
                None
            }
        }
    }

    /// Whose token of GitHub it is.
    async fn owner(&self, transport: &Transport, places: &Places, token: &Secret, github: &GitHub) -> Owner {
        let user = self.about(transport, &places.profile, token).await;
        let mut owner = Owner::told(user, token, |body| {
            let user: Value = serde_json::from_slice(body).unwrap_or_default();
            let email = user["email"].as_str().filter(|email| email.contains('@'));
            let login = user["login"].as_str();
            AccountDetails {
                email: email.map(str::to_owned).or_else(|| shown_name(login?)),
                identity: login.map(|login| github.identity(login)),
                plan: None,
            }
        });
        if matches!(owner.standing, Standing::Refused(_)) {
            return owner;
        }
        let plan = self.about(transport, &places.usage, token).await;
        let plan = plan.map(|reply| json_of(&reply)).unwrap_or_default();
        let details = &mut owner.details;
        details.plan = plan_of(&plan);
        if let (None, Some(login)) = (&details.identity, plan["login"].as_str()) {
            details.identity = Some(github.identity(login));
            details.email = details.email.take().or_else(|| shown_name(login));
        }
        owner
    }

    async fn about(
        &self,
        transport: &Transport,
        url: &Url,
        token: &Secret,
    ) -> Result<byok_transport::BufferedReply, byok_transport::TransportError> {
        let authorization = format!("token {}", token.expose());
        let ask = Ask { authorization: Some(&authorization), ..Ask::get(url, PROFILE_TIMEOUT) };
        self.endpoint(transport).ask(ask).await
    }
}

/// A user name of GitHub, which stands in the place of an address that its owner keeps private, as most do.
fn shown_name(login: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    (!login.is_empty() && login.len() < 100 && login.chars().all(plain)).then(|| login.to_owned())
}

/// The plan in GitHub's word. The free plan calls itself `individual` and is known by its SKU.
fn plan_of(answer: &Value) -> Option<String> {
    let free = answer["access_type_sku"].as_str() == Some("free_limited_copilot");
    let plan = if free { "free" } else { answer["copilot_plan"].as_str()? };
    Some(crate::login::plain(plan)).filter(|plan| !plan.is_empty())
}

fn json_of(reply: &byok_transport::BufferedReply) -> Value {
    if reply.status.is_success() {
        serde_json::from_slice(&reply.body).unwrap_or_default()
    } else {
        Value::Null
    }
}

#[cfg(test)]
mod tests;
