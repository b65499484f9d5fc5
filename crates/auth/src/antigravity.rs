//! Antigravity, Google's IDE with agents: Gemini, Claude and gpt-oss under one login.
//!
//! Its rules do not allow other programs; the notice says so before the login. The service looks at the user agent, so even
//! the lookup of the project makes byok's claim, and only with consent.

use crate::{
    Answers, AuthorizationCode, BadAnswer, BrowserLogin, Callback, Found, How, Import, ImportError, Kept,
    LoginError, LoginFuture, Method, Network, NewLogin, OwnerFuture, PendingLogin, Question, Redirect,
    RefreshError, RefreshFuture, Refresher, Revoke, RevokeFuture, TokenAnswer, Urls, Vendor, claims,
    gemini::lookup_failed,
    google::{
        Client, Words,
        code_assist::{Assist, Lookup, Place, Speaker, named_project},
        issued_to, stored,
    },
};
use byok_config::UrlName;
use byok_store::AccountDetails;
use byok_transport::Transport;
use byok_types::{Account, Credential, OauthTokens, Secret};
use std::{path::Path, sync::Arc, time::Duration};

/// The client of the IDE and of its command line.
pub(crate) const CLIENT_ID: &str =
    "1071006060591-tmhssin2h21lcre235vtolojh4g403ep.apps.googleusercontent.com";
/// The claim without which the service serves nobody.
pub(crate) const CLAIM: &str = "antigravity-user-agent";
const SCOPES: &str = "https://www.googleapis.com/auth/cloud-platform https://www.googleapis.com/auth/userinfo.email \
                      https://www.googleapis.com/auth/userinfo.profile https://www.googleapis.com/auth/cclog \
                      https://www.googleapis.com/auth/experimentsandconfigs";
/// Name under which tokens carry their project.
pub(crate) const PROJECT: &str = "project";
const BY: &str = "Antigravity";

const QUESTIONS: &[Question] = &[Question {
    name: PROJECT,
    prompt: "id of a Google Cloud project of yours, if your plan asks for one",
    default: "auto",
    secret: false,
    check: |answer| named_project(Some(answer)).map(|_| ()),
}];

/// Login, refresh and import of Antigravity.
#[derive(Clone, Debug)]
pub(crate) struct Antigravity {
    pub(crate) client: Client,
    pub(crate) assist: Assist,
}

/// All that byok can do about its logins.
pub fn vendor(urls: &Urls<'_>, network: Network) -> Vendor {
    let antigravity = Arc::new(Antigravity::new(urls, network));
    Vendor {
        methods: vec![Method {
            name: "browser",
            what: "log in with a Google account in the browser",
            questions: QUESTIONS,
            how: How::Browser(antigravity.clone()),
        }],
        refresher: antigravity.clone(),
        revoke: antigravity.client.revoke.is_some().then(|| antigravity.clone() as Arc<dyn Revoke>),
        check_token,
        import: Some(antigravity),
        ended: None,
    }
}

/// Whether a pasted token can be one of a login.
fn check_token(token: &str) -> Result<(), &'static str> {
    if token.starts_with("AIza") {
        return Err("it is an API key, which Antigravity has not; use `byok login gemini --method key`");
    }
    Ok(())
}

impl Antigravity {
    pub(crate) fn new(urls: &Urls<'_>, network: Network) -> Self {
        let words = Words {
            provider: "antigravity",
            id: CLIENT_ID,
            scopes: SCOPES,
            paste: "https://antigravity.google/oauth-callback",
            callback: Callback { host: "localhost", ports: &[], path: "/oauth-callback" },
            published: "router-for-me/CLIProxyAPI, internal/auth/antigravity/constants.go",
            profile: "https://www.googleapis.com/oauth2/v2/userinfo?alt=json",
        };
        Self {
            client: Client::new(&words, urls, network),
            assist: Assist {
                load: urls
                    .get(UrlName::Projects, "https://cloudcode-pa.googleapis.com/v1internal:loadCodeAssist"),
                onboard: urls.get(
                    UrlName::Onboard,
                    "https://daily-cloudcode-pa.googleapis.com/v1internal:onboardUser",
                ),
                pause: Duration::from_millis(500),
            },
        }
    }

    /// Finds the project. Without consent there is none: the service would have to be told who asks.
    async fn place(
        &self,
        transport: &Transport,
        token: &Secret,
        consented: bool,
        project: Option<&str>,
    ) -> Result<Option<Place>, LoginError> {
        let Some(claim) = claims::claim(CLAIM).filter(|_| consented) else { return Ok(None) };
        let (client, assist) = (&self.client, &self.assist);
        let agent = Some(claim.value);
        let lookup =
            Lookup { client, assist, transport, token, speaker: Speaker::Antigravity, agent, project };
        lookup.place().await.map(Some)
    }
}

impl BrowserLogin for Antigravity {
    fn callback(&self) -> Callback {
        self.client.callback
    }

    fn ready(&self) -> Result<(), LoginError> {
        self.client.ready()
    }

    fn claims(&self) -> bool {
        true
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
            let consented = answers.contains_key(CLAIM);
            let mut tokens = self.client.exchange(transport, login, &code).await?;
            let owner = self.client.owner(transport, &tokens.access).await.details;
            let place = self.place(transport, &tokens.access, consented, project).await?;
            let mut details = owner;
            if let Some(place) = place {
                tokens.facts.insert(PROJECT.to_owned(), Secret::new(place.project));
                details.plan = place.plan;
            }
            Ok(NewLogin { credential: Credential::Oauth(tokens), details })
        })
    }
}

impl Refresher for Antigravity {
    fn kept_answer(&self, body: &[u8], now: i64) -> Result<NewLogin, BadAnswer> {
        stored::kept_answer(body, now)
    }

    fn refresh<'a>(&'a self, transport: &'a Transport, tokens: &'a OauthTokens) -> RefreshFuture<'a> {
        Box::pin(self.renew(transport, tokens, &[]))
    }

    fn owner<'a>(&'a self, transport: &'a Transport, tokens: &'a OauthTokens) -> Option<OwnerFuture<'a>> {
        Some(Box::pin(async move { self.client.owner_of(transport, tokens).await }))
    }

    fn refresh_as<'a>(
        &'a self,
        transport: &'a Transport,
        tokens: &'a OauthTokens,
        account: &'a Account,
    ) -> RefreshFuture<'a> {
        Box::pin(self.renew(transport, tokens, &account.claims))
    }

    /// The project of a login that was made, or made again, without consent.
    fn is_incomplete(&self, tokens: &OauthTokens, claims: &[String]) -> bool {
        tokens.fact(PROJECT).is_none() && claims.iter().any(|name| name == CLAIM)
    }

    fn rotates(&self) -> bool {
        false
    }
}

impl Antigravity {
    async fn renew(
        &self,
        transport: &Transport,
        tokens: &OauthTokens,
        claims: &[String],
    ) -> Result<(TokenAnswer, AccountDetails), RefreshError> {
        let mut answer = self.client.refresh(transport, tokens).await?;
        if !self.is_incomplete(tokens, claims) {
            return Ok((answer, AccountDetails::default()));
        }
        // Of a login that was imported, or whose owner consented later.
        let owner = self.client.owner(transport, &answer.access).await.details;
        let place = self.place(transport, &answer.access, true, None).await;
        let mut details = owner;
        if let Some(place) = place.map_err(lookup_failed("antigravity"))? {
            answer.facts.insert(PROJECT.to_owned(), Secret::new(place.project));
            details.plan = place.plan;
        }
        Ok((answer, details))
    }
}

impl Revoke for Antigravity {
    fn revoke<'a>(&'a self, transport: &'a Transport, tokens: &'a OauthTokens) -> RevokeFuture<'a> {
        Box::pin(self.client.revoke(transport, tokens))
    }
}

impl Import for Antigravity {
    fn places(&self, home: &Path, _variable: &dyn Fn(&str) -> Option<String>) -> Vec<Kept> {
        let home = home.join(".gemini");
        let files = [
            home.join("jetski-standalone-oauth-token"),
            home.join("antigravity-cli").join("antigravity-oauth-token"),
            // Some builds write into the file of Gemini CLI.
            home.join("oauth_creds.json"),
        ];
        files.into_iter().map(|file| Kept { by: BY, file }).collect()
    }

    fn read(&self, name: &str, content: &[u8], now: i64) -> Result<Vec<Found>, ImportError> {
        let stored = stored::read(BY, content)?;
        let issued_to = stored.id_token.as_deref().and_then(issued_to);
        let own = match issued_to.as_deref() {
            Some(client) => client == CLIENT_ID,
            // Its own files need not say it.
            None => name != "oauth_creds.json",
        };
        if !own {
            return Err(ImportError::Nothing {
                why: "it is a login of another application; of Gemini CLI, import it with `byok login gemini --import`",
            });
        }
        Ok(vec![stored.found(now)])
    }
}
