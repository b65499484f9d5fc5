use super::{Desk, Offer, Wish};
use crate::{
    Answers, BrowserLogin, CallbackServer, DeviceLogin, How, LOGIN_WINDOW, LoginError, Method, NewLogin,
    Redirect, SaveLogin, SystemClock, await_device,
    claims::{Claim, claims_of, is_needed, with_keys},
    ends_at, known_account, learn_owners,
    login::labels,
    named, read_pasted, save_login,
};
use byok_transport::Transport;
use byok_types::{Account, Credential, CredentialKind, ProviderId};
use parking_lot::Mutex;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    task::AbortHandle,
    time::Instant,
};
use url::Url;

/// How long a request waits for the vendor before it says that it goes on.
const PATIENCE: Duration = Duration::from_secs(20);
/// Longest text that is taken for a pasted code.
const LONGEST_CODE: usize = 16 << 10;

/// Where a login stands.
#[derive(Clone, Debug)]
pub enum Stage {
    /// The person chooses how, answers and consents.
    Asking {
        /// Why an attempt before did not work.
        problem: Option<String>,
    },
    /// The vendor is asked.
    Busy,
    /// The person logs in at the vendor's page.
    Browser {
        /// The page.
        page: Url,
        /// Whether the browser brings the code back by itself, if it is on this machine.
        returns: bool,
        /// What is wrong with what was pasted, or why nothing returns.
        problem: Option<String>,
    },
    /// The person enters a code at the vendor's page.
    Device {
        /// The page.
        page: Url,
        /// What to enter.
        code: String,
        /// Until when.
        ends: Instant,
    },
    /// It worked.
    Done {
        /// Whose login it is.
        account: Box<Account>,
        /// Claims that are not made, for want of consent.
        without: Vec<&'static Claim>,
        /// Whether it took the place of a login of the same account.
        replaced: bool,
        /// When it ends, Unix seconds, if nothing can renew it.
        ends: Option<i64>,
    },
}

/// One login through a page. Cheap to clone.
#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    desk: Desk,
    offer: Offer,
    wish: Wish,
    ends: Instant,
    /// Whether there is a login of this provider already.
    others: bool,
    stage: watch::Sender<Stage>,
    under_way: Mutex<Option<UnderWay>>,
}

struct UnderWay {
    task: AbortHandle,
    pasted: mpsc::Sender<String>,
}

impl Session {
    pub(super) async fn new(desk: Desk, offer: Offer, wish: Wish, ends: Instant) -> Self {
        let others = match desk.0.store.accounts.list(Some(&offer.provider)).await {
            Ok(known) => known.iter().any(|account| account.kind == CredentialKind::Oauth),
            // The login itself will say what is wrong with the store.
            Err(_) => false,
        };
        let stage = watch::channel(Stage::Asking { problem: None }).0;
        Self(Arc::new(Inner { desk, offer, wish, ends, others, stage, under_way: Mutex::default() }))
    }

    /// The provider.
    pub fn provider(&self) -> &ProviderId {
        &self.0.offer.provider
    }

    /// What there is to log in to.
    pub fn offer(&self) -> &Offer {
        &self.0.offer
    }

    /// Whether there was a login of this provider before.
    pub fn has_others(&self) -> bool {
        self.0.others
    }

    /// What the ticket was for.
    pub fn wish(&self) -> &Wish {
        &self.0.wish
    }

    pub(super) fn ends(&self) -> Instant {
        self.0.ends
    }

    /// What to ask consent for.
    pub fn claims(&self) -> impl Iterator<Item = &'static Claim> {
        claims_of(self.provider().as_str(), CredentialKind::Oauth)
    }

    /// Where it stands.
    pub fn stage(&self) -> Stage {
        self.0.stage.borrow().clone()
    }

    /// Gives it up.
    pub(super) fn cancel(&self) {
        if let Some(under_way) = self.0.under_way.lock().take() {
            under_way.task.abort();
        }
    }

    /// Starts, or starts again. Returns when there is something for the person to do, or the problem.
    pub async fn start(&self, method: &str, answers: Answers, claims: Vec<String>) -> Stage {
        self.cancel();
        let begun = self.chosen(method, answers, &claims);
        let (method, answers) = match begun {
            Ok(begun) => begun,
            Err(problem) => {
                self.set(Stage::Asking { problem: Some(problem) });
                return self.stage();
            }
        };
        self.set(Stage::Busy);
        let (pasted, texts) = mpsc::channel(1);
        let session = self.clone();
        let task = tokio::spawn(async move {
            let result = session.log_in(&method, answers, &claims, texts).await;
            session.set(result.unwrap_or_else(|error| {
                tracing::info!(provider = %session.provider(), %error, "a login through the page did not come about");
                Stage::Asking { problem: Some(error.to_string()) }
            }));
        });
        *self.0.under_way.lock() = Some(UnderWay { task: task.abort_handle(), pasted });
        self.settled().await
    }

    /// Takes a code, or the address at which the browser ended.
    pub async fn paste(&self, text: String) -> Stage {
        let waiting = self.0.under_way.lock().as_ref().map(|under_way| under_way.pasted.clone());
        let before = self.stage();
        if let (Some(pasted), Stage::Browser { page, returns, .. }) = (waiting, before) {
            if text.len() > LONGEST_CODE {
                let problem = Some(LoginError::NotACode { why: "it is too long" }.to_string());
                self.set(Stage::Browser { page, returns, problem });
            } else {
                self.set(Stage::Busy);
                // A login that has ended meanwhile says how in its stage.
                let _ = pasted.send(text).await;
            }
        }
        self.settled().await
    }

    /// Waits while the vendor is asked, for a while.
    async fn settled(&self) -> Stage {
        let mut stage = self.0.stage.subscribe();
        let settled = stage.wait_for(|stage| !matches!(stage, Stage::Busy));
        // After that time the page says that it goes on.
        let _ = tokio::time::timeout(PATIENCE, settled).await;
        self.stage()
    }

    fn set(&self, stage: Stage) {
        self.0.stage.send_replace(stage);
    }

    /// The method and all answers, or what is wrong with them.
    fn chosen(
        &self,
        name: &str,
        mut answers: Answers,
        claims: &[String],
    ) -> Result<(Method, Answers), String> {
        let provider = self.provider();
        let method = self.0.offer.methods().find(|method| method.name == name);
        let Some(method) = method.cloned() else {
            let known: Vec<_> = self.0.offer.methods().map(|method| method.name).collect();
            return Err(format!("choose how to log in to {provider}: {}", known.join(", ")));
        };
        if let Some(unknown) = claims.iter().find(|name| self.claims().all(|claim| claim.name != **name)) {
            return Err(format!("{provider} has no claim `{}`", crate::login::plain(unknown)));
        }
        answers.retain(|name, answer| {
            !answer.trim().is_empty() && method.questions.iter().any(|question| question.name == *name)
        });
        for question in method.questions {
            let answered = answers.contains_key(question.name);
            if !answered && question.default.is_empty() {
                return Err(format!("an answer is missing: {}", question.prompt));
            }
            if let Some(answer) = answers.get(question.name) {
                (question.check)(answer).map_err(|error| error.to_string())?;
            }
            answers.entry(question.name.to_owned()).or_insert_with(|| question.default.to_owned());
        }
        Ok((method, answers))
    }

    async fn log_in(
        &self,
        method: &Method,
        mut answers: Answers,
        claims: &[String],
        texts: mpsc::Receiver<String>,
    ) -> Result<Stage, LoginError> {
        let transport = self.0.desk.0.vendors.transport()?;
        let known = self.named().await?;
        if let Some(key) = known.as_ref().filter(|known| known.kind == CredentialKind::ApiKey) {
            return Err(LoginError::OtherKind {
                label: key.label.clone(),
                stored: "an API key",
                new: "a login",
            });
        }
        let login = match &method.how {
            How::Browser(login) => {
                login.ready()?;
                if login.claims() {
                    let before = known.iter().flat_map(|account| &account.claims);
                    answers.extend(before.chain(claims).map(|name| (name.clone(), String::new())));
                }
                let own = login.with_answers(&answers)?;
                let login = own.as_ref().unwrap_or(login);
                self.in_a_browser(&transport, &**login, &answers, texts).await?
            }
            How::Device(login) => self.by_code(&transport, &**login, &answers).await?,
            How::Key(_) | How::File(_) => {
                return Err(LoginError::NotUsable {
                    why: "keys and files are for the command line: use `byok login`".to_owned(),
                });
            }
        };
        self.keep(&transport, login, known, claims).await
    }

    async fn in_a_browser(
        &self,
        transport: &Transport,
        login: &dyn BrowserLogin,
        answers: &Answers,
        mut texts: mpsc::Receiver<String>,
    ) -> Result<NewLogin, LoginError> {
        let here = self.0.wish.public.is_none();
        let (mut server, mut problem) = (None, None);
        if here {
            match CallbackServer::open(login.callback(), None).await {
                Ok(open) => server = Some(open),
                // The code can be pasted all the same.
                Err(error @ LoginError::NoCallback(_)) => problem = Some(error.to_string()),
                Err(error) => return Err(error),
            }
        }
        let redirect = match &server {
            Some(server) => Redirect::Callback(server.redirect_uri()?),
            None => Redirect::Pasted,
        };
        let pending = login.prepare(transport, answers, redirect).await?;
        // Some vendors send the browser elsewhere, whatever they were asked.
        let comes_here = |server: &CallbackServer| {
            server.redirect_uri().is_ok_and(|here| here.as_str() == pending.redirect_uri)
        };
        let server = server.filter(comes_here);
        let (page, returns) = (pending.authorize_url.clone(), server.is_some());
        let mut returned = Box::pin(async {
            if let Some(server) = server {
                return server.wait(&pending.state).await;
            }
            tokio::time::sleep(LOGIN_WINDOW).await;
            Err(LoginError::TimedOut(LOGIN_WINDOW))
        });
        let code = loop {
            self.set(Stage::Browser { page: page.clone(), returns, problem: problem.take() });
            tokio::select! {
                code = &mut returned => break code?,
                Some(text) = texts.recv() => match read_pasted(&text, &pending) {
                    // A person may try again.
                    Err(error @ (LoginError::NotACode { .. } | LoginError::WrongState)) => {
                        problem = Some(error.to_string());
                    }
                    code => break code?,
                }
            }
        };
        self.set(Stage::Busy);
        login.finish_with(transport, &pending, code, answers).await
    }

    async fn by_code(
        &self,
        transport: &Transport,
        login: &dyn DeviceLogin,
        answers: &Answers,
    ) -> Result<NewLogin, LoginError> {
        let code = login.start(transport, answers).await?;
        let page = code.page_with_code.clone().unwrap_or_else(|| code.page.clone());
        let ends = Instant::now() + code.expires_in;
        self.set(Stage::Device { page, code: code.user_code.clone(), ends });
        await_device(transport, login, &code, &|_| {}).await
    }

    /// The account that the ticket named.
    async fn named(&self) -> Result<Option<Account>, LoginError> {
        let Some(name) = &self.0.wish.account else { return Ok(None) };
        let known = self.0.desk.0.store.accounts.list(Some(self.provider())).await?;
        let mut meant = named(&known, name, false);
        if meant.len() > 1 {
            return Err(LoginError::SeveralAccounts { labels: labels(&meant) });
        }
        Ok(meant.pop())
    }

    /// Stores the login with the consent to what it needs.
    async fn keep(
        &self,
        transport: &Transport,
        login: NewLogin,
        known: Option<Account>,
        claims: &[String],
    ) -> Result<Stage, LoginError> {
        let needed: Vec<_> = match &login.credential {
            Credential::Oauth(tokens) => {
                self.claims().filter(|claim| is_needed(claim, &tokens.facts)).collect()
            }
            Credential::ApiKey(_) => self.claims().filter(|claim| with_keys(claim.provider)).collect(),
        };
        // Stored with the tokens: a request may come at once.
        let agreed: Vec<String> =
            claims.iter().filter(|name| needed.iter().any(|claim| claim.name == **name)).cloned().collect();
        let store = &self.0.desk.0.store;
        // Of another login it may not be known yet whose it is: the same one is not added a second time.
        if login.details.identity.is_some() {
            learn_owners(store, &*self.0.offer.vendor.refresher, transport, self.provider()).await?;
        }
        let known = match known {
            None if self.0.wish.account.is_none() => known_account(store, self.provider(), &login).await?,
            known => known,
        };
        let save = SaveLogin {
            provider: self.provider(),
            account: known.as_ref().map(|account| &account.id),
            label: self.0.wish.account.as_deref().filter(|_| known.is_none()),
            claims: &agreed,
        };
        let before = store.accounts.list(Some(self.provider())).await?;
        let ends = match &login.credential {
            Credential::Oauth(tokens) => ends_at(tokens),
            Credential::ApiKey(_) => None,
        };
        let account = save_login(store, &SystemClock, login, save).await?;
        let replaced = before.iter().any(|other| other.id == account.id);
        tracing::info!(provider = %self.provider(), "a login was made through the page");
        let has = |claim: &&Claim| account.claims.iter().any(|name| name == claim.name);
        let without = needed.into_iter().filter(|claim| !has(claim)).collect();
        self.0.desk.0.done.send_replace(Some(account.clone()));
        Ok(Stage::Done { account: Box::new(account), without, replaced, ends })
    }
}
