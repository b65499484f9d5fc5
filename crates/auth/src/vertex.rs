//! Vertex AI: the key file of a service account, which buys tokens by a signed statement, and API keys (express mode).

mod key;

use crate::{
    Answers, BadAnswer, Clock, FileLogin, How, KeyLogin, LoginError, LoginFuture, Method, Network, NewLogin,
    Question, RefreshError, RefreshFuture, Refresher, SystemClock, TokenAnswer, Urls, Vendor,
    endpoint::{Ask, Body, Endpoint},
    google::key_identity,
    refusal::Refusal,
};
use byok_config::UrlName;
use byok_store::AccountDetails;
use byok_transport::{BufferedReply, Transport, TransportError};
use byok_types::{AccountState, Credential, OauthTokens, Secret};
use key::ServiceAccount;
use std::{sync::Arc, time::Duration};
use url::Url;

const TOKEN_TIMEOUT: Duration = Duration::from_secs(30);
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// Errors that Google's own libraries try again.
const PASSING: [&str; 3] = ["internal_failure", "server_error", "temporarily_unavailable"];

const QUESTIONS: &[Question] = &[
    Question {
        name: "file",
        prompt: "file with the key of the service account (JSON; `-` reads standard input)",
        default: "-",
        secret: false,
        check: crate::login::any,
    },
    Question {
        name: "location",
        prompt: "location of the models, such as global, us, eu or europe-west4",
        default: "global",
        secret: false,
        check: crate::login::any,
    },
];

/// Login and tokens of service accounts.
pub(crate) struct Vertex {
    /// The person's own token endpoint.
    token: Option<Url>,
    network: Network,
    clock: Arc<dyn Clock>,
}

/// All that byok can do about its logins.
pub fn vendor(urls: &Urls<'_>, network: Network) -> Vendor {
    let vertex = Arc::new(Vertex::new(urls, network, Arc::new(SystemClock)));
    Vendor {
        methods: vec![
            Method {
                name: "file",
                what: "the key file of a service account",
                questions: QUESTIONS,
                how: How::File(vertex.clone()),
            },
            Method {
                name: "key",
                what: "keep an API key of Vertex AI (express mode)",
                questions: &[],
                how: How::Key(Arc::new(ExpressKey)),
            },
        ],
        refresher: vertex,
        // The key of a service account is deleted in the console of its project.
        revoke: None,
        check_token,
        import: None,
        ended: None,
    }
}

/// A token of Vertex alone can neither be renewed nor says which project it is for.
fn check_token(_: &str) -> Result<(), &'static str> {
    Err(
        "a token of Vertex alone says no project, byok wants the key file of a service account; paste its whole JSON, or use `byok login vertex`",
    )
}

/// A login with a key file that another program keeps. Its first use buys the first token.
pub(crate) fn imported(content: &str, location: &str) -> Result<NewLogin, String> {
    let location = key::location(location).map_err(|error| error.to_string())?;
    let account = ServiceAccount::read(content)?;
    let details = account.details(location);
    let tokens = OauthTokens {
        // Never sent: it has ended.
        access: Secret::new("imported"),
        facts: account.facts(location),
        refresh: Some(account.private_key),
        expires_at: Some(0),
        refresh_expires_at: None,
        scopes: Vec::new(),
    };
    Ok(NewLogin { credential: Credential::Oauth(tokens), details })
}

impl Vertex {
    pub(crate) fn new(urls: &Urls<'_>, network: Network, clock: Arc<dyn Clock>) -> Self {
        Self { token: urls.own(UrlName::Token), network, clock }
    }

    /// Buys a token with a statement that the account's key has signed.
    async fn buy(
        &self,
        transport: &Transport,
        account: &ServiceAccount,
        statement: &str,
    ) -> Result<BufferedReply, TransportError> {
        let token = self.token.as_ref().unwrap_or(&account.token_uri);
        let fields = [("grant_type", GRANT), ("assertion", statement)];
        let limit = self.network.token_timeout.unwrap_or(TOKEN_TIMEOUT);
        let endpoint = Endpoint { transport, network: &self.network };
        endpoint.ask(Ask::post(token, Body::Form(&fields), limit)).await
    }
}

fn read(reply: &BufferedReply) -> Result<TokenAnswer, BadAnswer> {
    TokenAnswer::read(&reply.body)
}

impl FileLogin for Vertex {
    fn finish<'a>(
        &'a self,
        transport: &'a Transport,
        content: &'a Secret,
        answers: &'a Answers,
    ) -> LoginFuture<'a, NewLogin> {
        Box::pin(async move {
            let location = key::location(answers.get("location").map_or("global", String::as_str))?;
            let account =
                ServiceAccount::read(content.expose()).map_err(|why| LoginError::NotUsable { why })?;
            let statement = account
                .statement(self.clock.now())
                .map_err(|why| LoginError::NotUsable { why: why.to_owned() })?;
            let reply = self.buy(transport, &account, &statement).await?;
            if !reply.status.is_success() {
                return Err(match refused(&reply) {
                    RefreshError::Permanent { state: AccountState::NeedsLogin { reason } } => {
                        LoginError::NotUsable { why: reason }
                    }
                    _ if is_about_the_clock(&Refusal::read(&reply, &[])) => LoginError::NotReady {
                        why: format!("{}; set it, and try again", clock(&Refusal::read(&reply, &[]))),
                    },
                    _ => Refusal::read(&reply, &[]).of_login(),
                });
            }
            let mut answer = read(&reply).map_err(|_| LoginError::BadAnswer)?;
            // What buys the next token is the key itself.
            answer.refresh = Some(account.private_key.clone());
            answer.facts = account.facts(location);
            let details = account.details(location);
            Ok(NewLogin {
                credential: Credential::Oauth(answer.into_tokens(None, self.clock.now())),
                details,
            })
        })
    }
}

impl Refresher for Vertex {
    fn refresh<'a>(&'a self, transport: &'a Transport, tokens: &'a OauthTokens) -> RefreshFuture<'a> {
        Box::pin(async move {
            let account = ServiceAccount::of_tokens(tokens).ok_or_else(|| RefreshError::Permanent {
                state: AccountState::NeedsLogin {
                    reason: "parts of the service account are missing; log in again with `byok login vertex`"
                        .to_owned(),
                },
            })?;
            let statement = account
                .statement(self.clock.now())
                .map_err(|why| RefreshError::Config { why: why.to_owned() })?;
            let reply = self.buy(transport, &account, &statement).await?;
            if !reply.status.is_success() {
                return Err(refused(&reply));
            }
            let answer = read(&reply).map_err(|error| RefreshError::unreadable(error.to_string()))?;
            // The key stays what it is.
            Ok((TokenAnswer { refresh: None, ..answer }, AccountDetails::default()))
        })
    }

    fn rotates(&self) -> bool {
        false
    }
}

fn refused(reply: &BufferedReply) -> RefreshError {
    let refusal = Refusal::read(reply, &[]);
    if PASSING.contains(&refusal.code.as_str()) {
        return RefreshError::busy(refusal.to_string(), refusal.retry_after);
    }
    if is_about_the_clock(&refusal) {
        return RefreshError::busy(format!("{}; set it", clock(&refusal)), None);
    }
    let said = refusal.words();
    let reason = match refusal.code.as_str() {
        "invalid_grant" if said.contains("Signature") => format!(
            "Google says `{said}`: the key of the service account was deleted or replaced; make a new key in the Cloud console, and \
             give byok its file with `byok login vertex`"
        ),
        "invalid_grant" if said.contains("not found") => format!(
            "Google says `{said}`: the service account was deleted; make another one in the Cloud console, and give byok its key \
             file with `byok login vertex`"
        ),
        "invalid_grant" => format!(
            "Google says `{said}`: it does not take the key of the service account; see in the Cloud console whether account and \
             key are there and switched on, and give byok the key file with `byok login vertex`"
        ),
        "invalid_scope" | "unauthorized_client" => format!(
            "Google says `{said}`: the service account may not get tokens for Vertex AI; let whoever manages the project allow it, \
             and give byok the key file again with `byok login vertex`"
        ),
        _ => return refusal.of_refresh("Google", "vertex", &[]),
    };
    RefreshError::Permanent { state: AccountState::NeedsLogin { reason } }
}

/// Whether the statement was signed at another time than the vendor's.
fn is_about_the_clock(refusal: &Refusal) -> bool {
    refusal.code == "invalid_grant" && refusal.description.contains("short-lived token")
}

fn clock(refusal: &Refusal) -> String {
    format!("the clock of this machine is wrong, says Google ({})", refusal.description)
}

/// A login with an API key. Nothing can be asked for with it that costs nothing, so it is not checked.
struct ExpressKey;

impl KeyLogin for ExpressKey {
    fn finish<'a>(
        &'a self,
        _transport: &'a Transport,
        key: Secret,
        _answers: &'a Answers,
    ) -> LoginFuture<'a, NewLogin> {
        Box::pin(async move {
            if !key.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
                let why = "a key has no spaces and no characters beyond ASCII; copy it again".to_owned();
                return Err(LoginError::NotUsable { why });
            }
            let details = AccountDetails { identity: Some(key_identity(&key)), ..AccountDetails::default() };
            Ok(NewLogin { credential: Credential::ApiKey(key), details })
        })
    }
}

#[cfg(test)]
mod tests;
