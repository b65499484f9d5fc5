//! Gemini: the login of Code Assist (Standard and Enterprise), and API keys.
//!
//! Since 2026-06-18 Google refuses individuals who log in by the client of Gemini CLI: login and refresh still work, and
//! the lookup of the project says `UNSUPPORTED_CLIENT`. Such a login is not stored.

use crate::google;
use crate::{
    Answers, AuthorizationCode, BadAnswer, BrowserLogin, Callback, Found, How, Import, ImportError, Kept,
    LoginError, LoginFuture, Method, Network, NewLogin, OwnerFuture, PendingLogin, Question, Redirect,
    RefreshError, RefreshFuture, Refresher, Revoke, RevokeFuture, Urls, Vendor,
    google::{
        Client, GeminiKey, Words,
        code_assist::{Assist, Lookup, Place, Speaker, named_project},
        issued_to, stored,
    },
};
use byok_config::UrlName;
use byok_store::AccountDetails;
use byok_transport::Transport;
use byok_types::{AccountState, Credential, OauthTokens, Secret};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// The client of Gemini CLI.
pub(crate) const CLIENT_ID: &str = "681255809395-oo8ft2oprdrnp9e3aqf6av3hmdib135j.apps.googleusercontent.com";
const SCOPES: &str = "https://www.googleapis.com/auth/cloud-platform https://www.googleapis.com/auth/userinfo.email \
                      https://www.googleapis.com/auth/userinfo.profile";
/// Name under which tokens carry their project.
pub(crate) const PROJECT: &str = "project";
const BY: &str = "Gemini CLI";

/// Asked before the login.
/// What helps an account that Code Assist does not serve, or not any more.
pub const NO_LICENCE: &str = "use an API key (`byok login gemini --method key`), `byok login antigravity`, or, with a Standard or \
                              Enterprise licence, `byok login gemini --with project=ID`";

const QUESTIONS: &[Question] = &[Question {
    name: PROJECT,
    prompt: "id of your Google Cloud project; Code Assist Standard and Enterprise need one",
    default: "auto",
    secret: false,
    check: |answer| named_project(Some(answer)).map(|_| ()),
}];

/// Login, refresh and import of Code Assist.
#[derive(Clone, Debug)]
pub(crate) struct Gemini {
    pub(crate) client: Client,
    pub(crate) assist: Assist,
}

/// All that byok can do about its logins.
pub fn vendor(urls: &Urls<'_>, network: Network) -> Vendor {
    let list = "https://generativelanguage.googleapis.com/v1beta/models";
    let mut check = urls.for_keys(UrlName::Models, google::list_of_models, list);
    check.set_query(Some("pageSize=1"));
    let key = Arc::new(GeminiKey { check, network: network.clone() });
    let gemini = Arc::new(Gemini::new(urls, network));
    Vendor {
        methods: vec![
            Method {
                name: "browser",
                what: "log in to Code Assist (Standard, Enterprise) in the browser",
                questions: QUESTIONS,
                how: How::Browser(gemini.clone()),
            },
            Method {
                name: "key",
                what: "keep an API key of Google AI Studio",
                questions: &[],
                how: How::Key(key),
            },
        ],
        refresher: gemini.clone(),
        revoke: gemini.client.revoke.is_some().then(|| gemini.clone() as Arc<dyn Revoke>),
        check_token,
        import: Some(gemini),
        ended: Some(
            "Since 2026-06-18 Google serves Gemini Code Assist by this login only to Standard and Enterprise licences; \
             individuals use an API key (`byok login gemini --method key`) or `byok login antigravity`.",
        ),
    }
}

/// Whether a pasted token can be one of a login.
fn check_token(token: &str) -> Result<(), &'static str> {
    if token.starts_with("AIza") {
        return Err("it is an API key; use `byok login gemini --method key`");
    }
    Ok(())
}

impl Gemini {
    pub(crate) fn new(urls: &Urls<'_>, network: Network) -> Self {
        let words = Words {
            provider: "gemini",
            id: CLIENT_ID,
            scopes: SCOPES,
            paste: "https://codeassist.google.com/authcode",
            callback: Callback { host: "127.0.0.1", ports: &[], path: "/oauth2callback" },
            published: "google-gemini/gemini-cli, packages/core/src/code_assist/oauth2.ts",
            profile: "https://www.googleapis.com/oauth2/v2/userinfo",
        };
        Self {
            client: Client::new(&words, urls, network),
            assist: Assist {
                load: urls
                    .get(UrlName::Projects, "https://cloudcode-pa.googleapis.com/v1internal:loadCodeAssist"),
                onboard: urls
                    .get(UrlName::Onboard, "https://cloudcode-pa.googleapis.com/v1internal:onboardUser"),
                pause: Duration::from_millis(500),
            },
        }
    }

    async fn place(
        &self,
        transport: &Transport,
        token: &Secret,
        project: Option<&str>,
    ) -> Result<Place, LoginError> {
        let (client, assist) = (&self.client, &self.assist);
        Lookup { client, assist, transport, token, speaker: Speaker::Gemini, agent: None, project }
            .place()
            .await
    }
}

impl BrowserLogin for Gemini {
    fn callback(&self) -> Callback {
        self.client.callback
    }

    fn ready(&self) -> Result<(), LoginError> {
        self.client.ready()
    }

    fn begin(&self, redirect: Redirect) -> PendingLogin {
        self.client.begin(redirect)
    }

    fn finish<'a>(
        &'a self,
        transport: &'a Transport,
        login: &'a PendingLogin,
        code: AuthorizationCode,
    ) -> LoginFuture<'a, NewLogin> {
        static NONE: Answers = Answers::new();
        self.finish_with(transport, login, code, &NONE)
    }

    fn finish_with<'a>(
        &'a self,
        transport: &'a Transport,
        login: &'a PendingLogin,
        code: AuthorizationCode,
        answers: &'a Answers,
    ) -> LoginFuture<'a, NewLogin> {
        Box::pin(async move {
            let project = named_project(answers.get(PROJECT).map(String::as_str))?;
            let mut tokens = self.client.exchange(transport, login, &code).await?;
            let owner = self.client.owner(transport, &tokens.access).await.details;
            let place = self.place(transport, &tokens.access, project).await?;
            tokens.facts.insert(PROJECT.to_owned(), Secret::new(place.project));
            let details = AccountDetails { plan: place.plan, ..owner };
            Ok(NewLogin { credential: Credential::Oauth(tokens), details })
        })
    }
}

impl Refresher for Gemini {
    fn kept_answer(&self, body: &[u8], now: i64) -> Result<NewLogin, BadAnswer> {
        stored::kept_answer(body, now)
    }

    fn refresh<'a>(&'a self, transport: &'a Transport, tokens: &'a OauthTokens) -> RefreshFuture<'a> {
        Box::pin(async move {
            let mut answer = self.client.refresh(transport, tokens).await?;
            if tokens.fact(PROJECT).is_some() {
                return Ok((answer, AccountDetails::default()));
            }
            // A login that was imported has no project yet.
            let owner = self.client.owner(transport, &answer.access).await.details;
            let place = self.place(transport, &answer.access, None).await.map_err(lookup_failed("gemini"))?;
            answer.facts.insert(PROJECT.to_owned(), Secret::new(place.project));
            Ok((answer, AccountDetails { plan: place.plan, ..owner }))
        })
    }

    fn owner<'a>(&'a self, transport: &'a Transport, tokens: &'a OauthTokens) -> Option<OwnerFuture<'a>> {
        Some(Box::pin(async move { self.client.owner_of(transport, tokens).await }))
    }

    fn rotates(&self) -> bool {
        false
    }
}

/// A lookup that failed during a refresh: what a person has to change stays so until the next login.
pub(crate) fn lookup_failed(provider: &'static str) -> impl Fn(LoginError) -> RefreshError {
    move |error| match error {
        LoginError::Transport(error) => error.into(),
        LoginError::NoAccess { why } if why.contains("some minutes") => RefreshError::busy(why, None),
        LoginError::NoAccess { why } => RefreshError::Permanent {
            state: AccountState::NeedsLogin { reason: format!("{why} (`byok login {provider}`)") },
        },
        other => RefreshError::busy(other.to_string(), None),
    }
}

impl Revoke for Gemini {
    fn revoke<'a>(&'a self, transport: &'a Transport, tokens: &'a OauthTokens) -> RevokeFuture<'a> {
        Box::pin(self.client.revoke(transport, tokens))
    }
}

impl Import for Gemini {
    fn places(&self, home: &Path, _variable: &dyn Fn(&str) -> Option<String>) -> Vec<Kept> {
        let file: PathBuf = home.join(".gemini").join("oauth_creds.json");
        vec![Kept { by: BY, file }]
    }

    fn read(&self, _name: &str, content: &[u8], now: i64) -> Result<Vec<Found>, ImportError> {
        let stored = stored::read(BY, content)?;
        match stored.id_token.as_deref().and_then(issued_to) {
            Some(client) if client == crate::antigravity::CLIENT_ID => Err(ImportError::Nothing {
                why: "it is a login of Antigravity; import it with `byok login antigravity --import`",
            }),
            Some(client) if client != CLIENT_ID => {
                Err(ImportError::Nothing { why: "it is a login of an application that byok does not know" })
            }
            _ => Ok(vec![stored.found(now)]),
        }
    }
}
