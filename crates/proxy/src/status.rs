//! What `byok status` shows of a running server.

use crate::app::{App, now_ms};
use byok_auth::claims;
use byok_provider::{
    knowledge::Window,
    pool::{Access, HealthBook, Seat},
    state::State,
};
use byok_store::Store;
use byok_types::{AccountId, AccountState, Credential, CredentialKind, account_flag};
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// The state of a server, as it goes over the control socket.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    /// Version of byok.
    pub version: String,
    /// Address it listens on.
    pub address: String,
    /// How long it runs, in seconds.
    pub uptime_seconds: u64,
    /// The settings.
    pub config: ConfigStatus,
    /// Whether clients need a key.
    pub keys_required: bool,
    /// Who serves requests.
    pub providers: Vec<ProviderStatus>,
    /// Records that were lost because the disk could not keep up.
    pub records_dropped: u64,
}

/// The state of the settings.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ConfigStatus {
    /// The file, if there is one.
    pub file: Option<String>,
    /// What is wrong with the file on disk, in full, while the settings from before stay in use.
    pub error: Option<String>,
    /// Entries that cannot be used.
    pub problems: Vec<String>,
    /// Changed settings that need a restart.
    pub restart_required: Vec<String>,
}

/// A provider.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProviderStatus {
    /// Name.
    pub name: String,
    /// What happened to the service of its logins, where it has ended or changed, and it has one. Left out where there is
    /// nothing to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// Its keys and logins.
    pub accounts: Vec<AccountStatus>,
}

/// A key or a login.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccountStatus {
    /// Id.
    pub id: String,
    /// Name for people.
    pub label: String,
    /// `api_key` or `login`.
    pub kind: String,
    /// E-mail address of a login, or the name by which its vendor knows the person (Copilot).
    pub email: Option<String>,
    /// Plan of a login.
    pub plan: Option<String>,
    /// State: `ready`, `needs_consent`, `needs_login`, `blocked`, `extra_usage`, `disabled` or `provider_off`.
    pub state: String,
    /// Why, and what to do, where it is not ready or will not stay so.
    pub reason: Option<String>,
    /// When its token expires, Unix seconds.
    pub expires_at: Option<i64>,
    /// Whether the login ends with its token, because its vendor has given nothing to renew it with.
    #[serde(default)]
    pub ends: bool,
    /// Whether the login is that of another program, which renews it.
    #[serde(default)]
    pub followed: bool,
    /// Claims that its owner consented to.
    pub claims: Vec<String>,
    /// What is left of its plan, if its vendor has told.
    #[serde(default)]
    pub quota: Option<QuotaStatus>,
    /// What rests after a refusal.
    pub resting: Vec<Resting>,
    /// What went wrong last, until it works again.
    #[serde(default)]
    pub problem: Option<Problem>,
}

/// What went wrong last with a key or login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What happened; where the vendor said something, its words.
    pub what: String,
    /// When, Unix seconds.
    pub at: i64,
    /// What helps.
    pub remedy: String,
}

impl Problem {
    /// Of a text that ends in what helps.
    fn of_refresh(at: i64, text: &str) -> Self {
        let (what, remedy) =
            text.rsplit_once("; ").unwrap_or((text, "byok tries again by itself; if it lasts, log in again"));
        Self { what: what.to_owned(), at, remedy: remedy.to_owned() }
    }
}

/// What is left of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuotaStatus {
    /// When the vendor told it, Unix seconds.
    pub told_at: i64,
    /// The limits.
    pub windows: Vec<QuotaWindow>,
}

/// One limit of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuotaWindow {
    /// Name, such as `5 hours`.
    pub name: String,
    /// The used part, 1 for all of it.
    pub used: f64,
    /// When it begins anew, Unix seconds.
    pub resets_at: Option<i64>,
    /// The model or kind of request that it is about; without one, all.
    pub scope: Option<String>,
}

impl QuotaStatus {
    fn of((told_at, windows): (i64, Vec<Window>)) -> Self {
        // A limit that has begun anew since says nothing any more.
        let now = now_ms() / 1000;
        let open = windows.into_iter().filter(|window| window.resets_at.is_none_or(|end| end > now));
        let windows = open.map(|window| {
            let Window { name, used, resets_at, scope } = window;
            QuotaWindow { name, used, resets_at, scope }
        });
        Self { told_at, windows: windows.collect() }
    }
}

/// A rest after a refusal.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Resting {
    /// The model; `None` for all.
    pub model: Option<String>,
    /// Time left in seconds.
    pub seconds: u64,
}

impl Status {
    /// The state of a server.
    pub async fn of(app: &App) -> Self {
        let current = app.current();
        let state = &current.state;
        let mut config = ConfigStatus {
            file: app
                .live()
                .loaded()
                .and_then(|loaded| loaded.files.first().filter(|file| file.exists()).cloned())
                .map(|file| file.display().to_string()),
            problems: state.problems.iter().map(ToString::to_string).collect(),
            ..ConfigStatus::default()
        };
        config.problems.extend(app.closed().map(str::to_owned));
        config.problems.extend(app.way_out().map(|problem| problem.to_string()));
        if let byok_config::Status::Stale { error, .. } = app.live().status() {
            config.error = Some(error);
        }
        config.restart_required = app.live().restart_required().into_iter().map(str::to_owned).collect();
        let mut providers = ProviderStatus::of_state(state);
        ProviderStatus::note_ends(&mut providers, app.store()).await;
        ProviderStatus::note_consent(&mut providers, app.store(), &state.accounts).await;
        ProviderStatus::note_renewal(&mut providers, app.store()).await;
        for account in providers.iter_mut().flat_map(|provider| &mut provider.accounts) {
            account.note_refresh(app);
            account.note_last_quota(app.health());
        }
        ProviderStatus::note_troubles(&mut providers, app.store()).await;
        for account in state.accounts.iter().filter(|account| account.state == AccountState::Ready) {
            if let Some(lost) = app.executor().lost_source(account).await {
                ProviderStatus::note_lost(&mut providers, account, lost);
            }
        }
        for provider in &mut providers {
            provider.name_accounts(&state.accounts);
        }
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            address: app.address().to_string(),
            uptime_seconds: app.uptime().as_secs(),
            config,
            keys_required: current.exposed || !current.keys.is_empty(),
            providers,
            records_dropped: app.store().records.dropped(),
        }
    }
}

/// The state of an account that lacks its owner's consent to a claim.
pub const NEEDS_CONSENT: &str = "needs_consent";

/// Why, and what helps.
fn no_consent(provider: &str, missing: &[&str], command: &str) -> String {
    let (names, plural) = (missing.join("`, `"), if missing.len() > 1 { "s" } else { "" });
    let served = if claims::callers_make_them(provider) {
        "only callers that say it themselves are served"
    } else {
        "it serves nobody"
    };
    format!(
        "the vendor wants to hear what is not literally true of byok, and there is no consent to the claim{plural} `{names}`: \
         {served}. Knowing the vendor's rule, consent with `{command}`, which shows what is said."
    )
}

/// What a key or token of the settings lacks: consent belongs to accounts, so it has none.
fn consent_of_key(provider: &str, seat: &Seat) -> Option<String> {
    if !matches!(seat.access, Access::Key(_)) || !(seat.is_oauth() || claims::with_keys(provider)) {
        return None;
    }
    let missing: Vec<_> =
        claims::claims_of(provider, CredentialKind::Oauth).map(|claim| claim.name).collect();
    let command = claims::command_for_key(provider, &missing);
    (!missing.is_empty()).then(|| no_consent(provider, &missing, &command))
}

impl ProviderStatus {
    /// Every provider that has a key or a login, also where no server runs.
    pub fn of_state(state: &State) -> Vec<Self> {
        let mut providers: Vec<ProviderStatus> = Vec::new();
        for provider in state.registry.providers() {
            let seats = provider.seats.iter().map(|seat| {
                let account = state.accounts.iter().find(|account| account.id == seat.id);
                let resting = seat.health.all(Instant::now()).into_iter();
                let lacks = consent_of_key(provider.id.as_str(), seat);
                AccountStatus {
                    id: seat.id.to_string(),
                    label: seat.label.clone(),
                    kind: if seat.is_oauth() { "login" } else { "api_key" }.to_owned(),
                    email: account.and_then(|a| a.email.clone()),
                    plan: account.and_then(|a| a.plan.clone()),
                    state: if lacks.is_some() { NEEDS_CONSENT } else { "ready" }.to_owned(),
                    reason: lacks,
                    expires_at: account.and_then(|a| a.expires_at),
                    ends: false,
                    followed: false,
                    claims: seat.claims.clone(),
                    quota: seat.known.windows().map(QuotaStatus::of),
                    resting: resting
                        .map(|(model, left)| Resting { model, seconds: left.as_secs() })
                        .collect(),
                    problem: seat.health.problem().map(|problem| Problem {
                        what: problem.what,
                        at: problem.at,
                        remedy: problem.remedy,
                    }),
                }
            });
            // A provider with two faces is one to its owner.
            match providers.iter_mut().find(|known| known.name == provider.id.as_str()) {
                Some(known) => known.accounts.extend(seats),
                None => {
                    providers.push(Self::new(provider.id.as_str(), seats.collect()));
                }
            }
        }
        let seated = |account: &&byok_types::Account| {
            state.registry.providers().any(|provider| provider.seats.iter().any(|seat| seat.id == account.id))
        };
        for account in state.accounts.iter().filter(|account| !seated(account)) {
            let mut entry = AccountStatus::of(account);
            let settings = state.config.provider(&account.provider);
            if entry.state == "ready" && settings.is_some_and(|provider| !provider.enabled) {
                "provider_off".clone_into(&mut entry.state);
                entry.reason = Some(format!(
                    "the provider is switched off in the settings; `providers.{}.enabled: true` switches it on",
                    account.provider
                ));
            }
            match providers.iter_mut().find(|provider| provider.name == account.provider.as_str()) {
                Some(provider) => provider.accounts.push(entry),
                None => providers.push(Self::new(account.provider.as_str(), vec![entry])),
            }
        }
        providers.retain(|provider| !provider.accounts.is_empty());
        for provider in &mut providers {
            provider.name_accounts(&state.accounts);
        }
        providers
    }

    /// Marks accounts that would serve and lack their owner's consent to a claim: they serve only callers that make it
    /// themselves.
    pub async fn note_consent(providers: &mut [Self], store: &Store, accounts: &[byok_types::Account]) {
        for account in accounts {
            let missing = claims::missing(store, account).await;
            if missing.is_empty() {
                continue;
            }
            let names: Vec<_> = missing.iter().map(|claim| claim.name).collect();
            let command = claims::command(account.provider.as_str(), &account_flag(&account.label), &names);
            let all = providers.iter_mut().flat_map(|provider| &mut provider.accounts);
            for status in all.filter(|status| status.id == account.id.as_str() && status.state == "ready") {
                NEEDS_CONSENT.clone_into(&mut status.state);
                status.reason = Some(no_consent(account.provider.as_str(), &names, &command));
            }
        }
    }

    /// Accounts that have gone out of use since this state was made: what went wrong with them is known at once, and a state that
    /// says something else would stand beside it.
    pub async fn note_ends(providers: &mut [Self], store: &Store) {
        let Ok(accounts) = store.accounts.list(None).await else { return };
        // What costs extra may be allowed by the settings, and serves then.
        let out = |account: &&byok_types::Account| {
            !matches!(account.state, AccountState::Ready | AccountState::ExtraUsage)
        };
        for account in accounts.iter().filter(out) {
            let all = providers.iter_mut().flat_map(|provider| &mut provider.accounts);
            for status in all.filter(|status| status.id == account.id.as_str() && status.state == "ready") {
                let now = AccountStatus::of(account);
                let problem = status.problem.take().or(now.problem);
                *status = AccountStatus { quota: status.quota.take(), problem, ..now };
            }
        }
    }

    /// Says of a login that is followed that its source is lost; `ended` if its token has ended, too.
    pub fn note_lost(providers: &mut [Self], account: &byok_types::Account, (why, ended): (String, bool)) {
        let all = providers.iter_mut().flat_map(|provider| &mut provider.accounts);
        for status in all.filter(|status| status.id == account.id.as_str()) {
            if ended {
                "needs_login".clone_into(&mut status.state);
            }
            let before = status.reason.take().filter(|_| !ended);
            status.reason =
                Some(before.map_or_else(|| why.clone(), |before| format!("{before} Besides, {why}.")));
        }
    }

    /// Marks logins that end with their token, and those that another program renews.
    pub async fn note_renewal(providers: &mut [Self], store: &Store) {
        let all = providers.iter_mut().flat_map(|provider| &mut provider.accounts);
        for account in all.filter(|account| account.kind == "login") {
            let Ok(id) = AccountId::new(account.id.as_str()) else { continue };
            if let Ok(Some(Credential::Oauth(tokens))) = store.secrets.load(&id).await {
                account.ends = byok_auth::ends_at(&tokens).is_some();
                account.followed = byok_auth::followed(&tokens).is_some();
            }
        }
    }

    /// What went wrong with a renewal that somebody asked for, until the login has been renewed.
    pub async fn note_troubles(providers: &mut [Self], store: &Store) {
        let Ok(troubles) = store.accounts.troubles().await else { return };
        for trouble in troubles {
            let all = providers.iter_mut().flat_map(|provider| &mut provider.accounts);
            for account in
                all.filter(|account| account.id == trouble.account.as_str() && account.problem.is_none())
            {
                account.problem = Some(Problem::of_refresh(trouble.at, &trouble.what));
            }
        }
    }

    fn new(name: &str, accounts: Vec<AccountStatus>) -> Self {
        Self { name: name.to_owned(), ended: None, accounts }
    }

    /// Commands that help one of several accounts have to name it. The texts come from whoever knows the vendor and not what
    /// else there is. A login by key is another way and not the same account again.
    fn name_accounts(&mut self, stored: &[byok_types::Account]) {
        let mine = stored.iter().filter(|account| account.provider.as_str() == self.name);
        if mine.clone().count() < 2 {
            return;
        }
        let ids: Vec<&str> = mine.map(|account| account.id.as_str()).collect();
        let name = &self.name;
        for account in self.accounts.iter_mut().filter(|account| ids.contains(&account.id.as_str())) {
            let flag = account_flag(&account.label);
            let problem = account.problem.iter_mut().flat_map(|p| [&mut p.what, &mut p.remedy]);
            for text in account.reason.iter_mut().chain(problem) {
                for command in [format!("`byok login {name}"), format!("`byok accounts enable {name}")] {
                    for end in ["`", " --with", " --method cookie"] {
                        *text = text.replace(&format!("{command}{end}"), &format!("{command} {flag}{end}"));
                    }
                }
            }
        }
    }
}

impl AccountStatus {
    /// A login that could not be renewed in the background, where no request has met the trouble yet.
    fn note_refresh(&mut self, app: &App) {
        if self.problem.is_some() || self.kind != "login" {
            return;
        }
        let failure =
            AccountId::new(self.id.as_str()).ok().and_then(|id| app.executor().refresh_trouble(&id));
        self.problem = failure.map(|(at, text)| Problem::of_refresh(at, &text));
    }

    /// What was told last of the plan of an account that is out of use: its owner wants to know whether there is room again.
    fn note_last_quota(&mut self, health: &HealthBook) {
        if self.quota.is_none() && self.state == "extra_usage" {
            let told = AccountId::new(self.id.as_str()).ok().and_then(|id| health.knowledge.windows_of(&id));
            self.quota = told.map(QuotaStatus::of);
        }
    }

    /// An account as the store knows it.
    pub fn of(account: &byok_types::Account) -> Self {
        let state = match &account.state {
            AccountState::Ready => "ready",
            AccountState::NeedsLogin { .. } => "needs_login",
            AccountState::Blocked { .. } => "blocked",
            AccountState::ExtraUsage => "extra_usage",
            AccountState::Disabled { .. } => "disabled",
        };
        let reason = account.state.trouble(account.provider.as_str());
        let problem = reason.clone().map(|what| Problem {
            what,
            at: account.updated_at,
            remedy: match &account.state {
                AccountState::NeedsLogin { .. } => {
                    format!("log in again with `byok login {}`", account.provider)
                }
                AccountState::Blocked { .. } => "see the vendor's own page".to_owned(),
                AccountState::Disabled { .. } => {
                    format!("`byok accounts enable {}` switches it on", account.provider)
                }
                _ => "the message says what helps".to_owned(),
            },
        });
        Self {
            id: account.id.to_string(),
            label: account.label.clone(),
            kind: match account.kind {
                CredentialKind::Oauth => "login",
                CredentialKind::ApiKey => "api_key",
            }
            .to_owned(),
            email: account.email.clone(),
            plan: account.plan.clone(),
            state: state.to_owned(),
            reason,
            expires_at: account.expires_at,
            ends: false,
            followed: false,
            claims: account.claims.clone(),
            quota: None,
            resting: Vec::new(),
            problem,
        }
    }
}

#[cfg(test)]
mod tests;
