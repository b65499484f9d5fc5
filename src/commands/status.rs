mod watch;

use super::config::pretty;
use crate::{
    cli::Global,
    ending::is_one_ending,
    logins,
    place::{Place, open_existing_store},
    table::Table,
    terminal,
    trouble::{Exit, Trouble},
};
use byok_config::{Config, Loaded};
use byok_provider::{pool::HealthBook, state::State};
use byok_proxy::{AccountStatus, ConfigStatus, ProviderStatus, QuotaWindow};
use byok_store::Store;
use byok_types::{Account, AccountId, AccountState, account_flag};
use clap::Args;
use serde::Serialize;
use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

/// Show whether byok runs, who serves, and what is wrong
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  byok status
  byok status --json | jq '.providers[].accounts[].state'")]
pub(crate) struct Status {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Show it again until Ctrl-C: every 2 s on a terminal, else whenever it changes
    #[arg(long)]
    watch: bool,
}

/// What is shown. The names of the fields are those of the JSON.
#[derive(Debug, Serialize)]
struct Report {
    /// Whether a server runs; if none does, the rest is what one would begin with.
    running: bool,
    /// Whether none runs because the last answers of one that was stopped are not over.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    ending: bool,
    version: String,
    address: Option<String>,
    uptime_seconds: Option<u64>,
    keys_required: Option<bool>,
    config: ConfigStatus,
    providers: Vec<ProviderStatus>,
    records_dropped: Option<u64>,
}

impl Status {
    pub(crate) async fn run(self, global: Global) -> Result<(), Trouble> {
        let place = Place::new(global)?;
        if self.watch {
            return watch::watch(&place, self.json).await;
        }
        let report = Report::now(&place).await?;
        let wide = terminal::data_size().map(|(wide, _)| wide);
        if self.json {
            return terminal::data(pretty(&report)?);
        }
        if let Some(why) = report.not_running() {
            terminal::say(why);
        }
        terminal::data(report.text(now(), wide))
    }
}

const NOT_RUNNING: &str = "no byok is running (`byok serve` starts one); this is what it would begin with";

const ENDING: &str = "byok is ending: it was stopped, and its last answers are not over yet; this is what the next one would begin with";

impl Report {
    /// What is to be said first where no server runs.
    const fn not_running(&self) -> Option<&'static str> {
        match (self.running, self.ending) {
            (true, _) => None,
            (false, true) => Some(ENDING),
            (false, false) => Some(NOT_RUNNING),
        }
    }

    /// Of the running server, else of what one would begin with.
    async fn now(place: &Place) -> Result<Self, Trouble> {
        match place.ask::<byok_proxy::Status>("/status").await? {
            Ok(status) => Ok(Self::of_server(status)),
            Err(loaded) => Self::of_files(&loaded).await,
        }
    }

    fn of_server(status: byok_proxy::Status) -> Self {
        Self {
            running: true,
            ending: false,
            version: status.version,
            address: Some(status.address),
            uptime_seconds: Some(status.uptime_seconds),
            keys_required: Some(status.keys_required),
            config: status.config,
            providers: with_ends(status.providers),
            records_dropped: Some(status.records_dropped),
        }
    }

    /// What settings and database say.
    async fn of_files(loaded: &Loaded) -> Result<Self, Trouble> {
        let store = open_existing_store(&loaded.config)?;
        let accounts = store.accounts.list(None).await?;
        let state = State::build(Arc::new(loaded.config.clone()), accounts, &HealthBook::default());
        let mut providers = ProviderStatus::of_state(&state);
        note_all(&mut providers, &loaded.config, &store, &state.accounts).await;
        let file = loaded.files.first().filter(|file| file.exists());
        Ok(Self {
            running: false,
            ending: is_one_ending(&loaded.config.database),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            address: None,
            uptime_seconds: None,
            keys_required: None,
            config: ConfigStatus {
                file: file.map(|file| file.display().to_string()),
                problems: state
                    .problems
                    .iter()
                    .map(ToString::to_string)
                    .chain(loaded.warnings.clone())
                    .collect(),
                ..ConfigStatus::default()
            },
            providers: with_ends(providers),
            records_dropped: None,
        })
    }

    /// For a person; where the terminal's width is known, sentences are wrapped to it.
    fn text(&self, now: i64, wide: Option<usize>) -> String {
        let wrapped = |text: &str| wide.map_or_else(|| text.to_owned(), |wide| terminal::wrapped(text, wide));
        let mut lines = Vec::new();
        if let (Some(address), Some(uptime)) = (&self.address, self.uptime_seconds) {
            let uptime = span(i64::try_from(uptime).unwrap_or(i64::MAX));
            lines.push(format!("byok {} runs on {address} (up {uptime})", self.version));
        }
        let file = self.config.file.as_deref().unwrap_or("none, the defaults are in effect");
        lines.push(format!("settings: {file}"));
        if let Some(required) = self.keys_required {
            let keys = if required { "required" } else { "not required, and any is accepted" };
            lines.push(format!("client keys: {keys}"));
        }
        lines.extend(self.warnings().iter().map(|warning| wrapped(warning)));
        lines.push(if self.providers.is_empty() {
            "\nno account and no API key yet: `byok login claude`, or `byok config example`".to_owned()
        } else {
            format!("\n{}", table(&self.providers, now))
        });
        let quotas: Vec<String> = self.providers.iter().flat_map(|provider| quotas(provider, now)).collect();
        if !quotas.is_empty() {
            lines.push(format!("\nwhat is used of the plans:\n{}", quotas.join("\n")));
        }
        lines.extend(
            self.providers.iter().flat_map(|provider| troubles(provider, now)).map(|told| wrapped(&told)),
        );
        lines.join("\n")
    }

    /// What is wrong with the settings and the records, a paragraph each.
    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if let Some(error) = &self.config.error {
            let places: Vec<_> = error.lines().map(|line| format!("  {line}")).collect();
            warnings.push(format!(
                "\nthe settings on the disk cannot be used, those from before are in effect:\n{}",
                places.join("\n")
            ));
        }
        warnings.extend(self.config.problems.iter().map(|problem| format!("\nwarning: {problem}")));
        let restart = self.config.restart_required.iter();
        warnings
            .extend(restart.map(|setting| {
                format!("\nwarning: `{setting}` was changed; restart byok for the new value")
            }));
        if let Some(lost) = self.records_dropped.filter(|lost| *lost > 0) {
            let text = "usage records were lost because the disk did not keep up";
            warnings.push(format!("\nwarning: {lost} {text}"));
        }
        warnings
    }
}

/// What is wrong with the accounts of a provider and what helps, a paragraph each.
fn troubles(provider: &ProviderStatus, now: i64) -> Vec<String> {
    let name = &provider.name;
    let mut told: Vec<String> = provider.ended.iter().map(|ended| format!("\n{name}: {ended}")).collect();
    let idle = provider.accounts.iter().filter(|account| account.state != "ready");
    told.extend(idle.map(|account| format!("\n{} ({name}): {}", account.label, remedy(name, account))));
    let serving = provider.accounts.iter().filter(|account| serves(account));
    told.extend(serving.filter_map(|account| {
        let problem = account.problem.as_ref()?;
        let ago = span((now - problem.at).max(0));
        Some(format!("\n{} ({name}), {ago} ago: {}\n  {}", account.label, problem.what, problem.remedy))
    }));
    let shaky = provider.accounts.iter().filter(|account| account.state == "ready");
    told.extend(shaky.filter_map(|account| {
        account.reason.as_ref().map(|why| format!("\n{} ({name}): {why}", account.label))
    }));
    let ending = provider.accounts.iter().filter(|account| serves(account) && account.ends);
    told.extend(ending.filter_map(|account| {
        let left = account.expires_at? - now;
        (left < SOON).then(|| format!("\n{} ({name}): {}", account.label, end_of(name, &account.label, left)))
    }));
    told
}

/// From when on it is told that a login ends, in seconds.
const SOON: i64 = 14 * 86_400;

/// That a login ends with its token, and what to do then.
pub(super) fn end_of(provider: &str, label: &str, left: i64) -> String {
    let when = if left > 0 { format!("it ends in {}", span(left)) } else { "it has ended".to_owned() };
    format!(
        "the vendor has given nothing to renew this login with: {when}. Log in again then with `byok login {provider} {}`",
        account_flag(label)
    )
}

/// Whether an account serves requests: without consent to a claim it still serves callers that make it themselves.
fn serves(account: &AccountStatus) -> bool {
    matches!(account.state.as_str(), "ready" | "needs_consent")
}

/// What the database and the files of other programs say beside the state of the accounts.
async fn note_all(providers: &mut [ProviderStatus], config: &Config, store: &Store, accounts: &[Account]) {
    ProviderStatus::note_consent(providers, store, accounts).await;
    ProviderStatus::note_renewal(providers, store).await;
    ProviderStatus::note_troubles(providers, store).await;
    let refreshers = logins::refreshers(config);
    for account in accounts.iter().filter(|account| account.state == AccountState::Ready) {
        let Some(refresher) = refreshers.get(&account.provider) else { continue };
        if let Some(lost) = byok_auth::lost_source(store, Arc::clone(refresher), account).await {
            ProviderStatus::note_lost(providers, account, lost);
        }
    }
}

/// The accounts of the database by provider; what only a running server knows of them comes from there.
pub(super) async fn stored(
    place: &Place,
    config: &Config,
    store: &Store,
) -> Result<Vec<ProviderStatus>, Trouble> {
    let accounts = store.accounts.list(None).await?;
    let state = State::build(Arc::new(config.clone()), accounts, &HealthBook::default());
    let mut providers = ProviderStatus::of_state(&state);
    for provider in &mut providers {
        // Keys of the settings are no accounts.
        provider
            .accounts
            .retain(|shown| state.accounts.iter().any(|account| account.id.as_str() == shown.id));
    }
    providers.retain(|provider| !provider.accounts.is_empty());
    note_all(&mut providers, config, store, &state.accounts).await;
    let server = match place.ask::<byok_proxy::Status>("/status").await {
        Ok(Ok(server)) => server,
        Err(trouble) if trouble.exit() != Exit::Config => return Err(trouble),
        // None runs.
        Ok(Err(_)) | Err(_) => return Ok(with_ends(providers)),
    };
    let told: Vec<AccountStatus> =
        server.providers.into_iter().flat_map(|provider| provider.accounts).collect();
    for account in providers.iter_mut().flat_map(|provider| &mut provider.accounts) {
        if let Some(told) = told.iter().find(|told| told.id == account.id) {
            account.quota.clone_from(&told.quota);
            account.resting.clone_from(&told.resting);
            account.problem = told.problem.clone().or(account.problem.take());
        }
    }
    Ok(with_ends(providers))
}

/// Says of services that have ended what happened, where there is an account that it is about.
fn with_ends(mut providers: Vec<ProviderStatus>) -> Vec<ProviderStatus> {
    for provider in &mut providers {
        let by_key = provider.accounts.iter().all(|account| account.kind != "login");
        provider.ended = logins::ended(&provider.name, by_key).map(str::to_owned);
    }
    providers
}

/// The accounts in columns.
pub(super) fn account_table(providers: &[ProviderStatus]) -> Table {
    table(providers, now())
}

fn table(providers: &[ProviderStatus], now: i64) -> Table {
    let mut table = Table::new(["PROVIDER", "ACCOUNT", "ID", "KIND", "STATE", "PLAN", "TOKEN", "CLAIMS"]);
    for provider in providers {
        for account in &provider.accounts {
            let name = match account.email.as_ref().filter(|email| **email != account.label) {
                Some(email) => format!("{} ({email})", account.label),
                None => account.label.clone(),
            };
            table.row([
                provider.name.clone(),
                name,
                short(account),
                kind(account),
                state(account),
                account.plan.clone().unwrap_or_default(),
                token(account, now),
                account.claims.join(", "),
            ]);
        }
    }
    table
}

/// Whether it is a key or a login; of a login of another program that, too.
fn kind(account: &AccountStatus) -> String {
    let kind = account.kind.replace('_', " ");
    if account.followed { format!("{kind}, followed") } else { kind }
}

/// What tells the account apart where an address may not be shown: in errors and headers for clients.
fn short(account: &AccountStatus) -> String {
    let id = AccountId::new(account.id.as_str()).ok();
    // Keys of the settings have names.
    id.filter(|id| id.short() != id.as_str()).map(|id| id.short().to_owned()).unwrap_or_default()
}

/// When the token of a login ends.
fn token(account: &AccountStatus, now: i64) -> String {
    if !serves(account) || account.kind != "login" {
        return String::new();
    }
    match account.expires_at {
        None => "does not say".to_owned(),
        Some(end) if account.ends && end > now => format!("ends in {}", span(end - now)),
        Some(_) if account.ends => "has ended".to_owned(),
        Some(end) if account.followed && end <= now => "ended; its program renews it".to_owned(),
        Some(end) => expiry(end, now),
    }
}

/// What is used of the plans, a line each.
fn quotas(provider: &ProviderStatus, now: i64) -> Vec<String> {
    let of_account = |account: &AccountStatus| {
        let windows = account.quota.iter().flat_map(|quota| &quota.windows);
        let told: Vec<String> = windows.map(|window| used(window, now)).collect();
        (!told.is_empty()).then(|| format!("  {} ({}): {}", account.label, provider.name, told.join("; ")))
    };
    provider.accounts.iter().filter_map(of_account).collect()
}

fn used(window: &QuotaWindow, now: i64) -> String {
    let scope = window.scope.as_ref().map(|scope| format!(" of {scope}")).unwrap_or_default();
    let resets = window.resets_at.filter(|end| *end > now);
    let resets = resets.map(|end| format!(", anew in {}", span(end - now))).unwrap_or_default();
    format!("{}{scope} {:.0} %{resets}", window.name, window.used * 100.0)
}

fn state(account: &AccountStatus) -> String {
    if account.state != "ready" {
        return account.state.replace('_', " ");
    }
    let longest = account.resting.iter().max_by_key(|rest| rest.seconds);
    match longest {
        None => "ready".to_owned(),
        Some(rest) => {
            let left = span(i64::try_from(rest.seconds).unwrap_or(i64::MAX));
            match (&rest.model, account.resting.len()) {
                (None, _) => format!("rests {left}"),
                (Some(model), 1) => format!("rests {left} ({model})"),
                (Some(_), models) => format!("rests {left} ({models} models)"),
            }
        }
    }
}

/// Why an account does not serve, and what to do.
fn remedy(provider: &str, account: &AccountStatus) -> String {
    let reason = account.reason.as_ref().map(|reason| reason.replace(char::is_control, " "));
    match account.state.as_str() {
        "needs_login" => reason.unwrap_or_else(|| format!("log in again with `byok login {provider}`")),
        _ => reason.unwrap_or_else(|| "the vendor does not serve it; see its own page".to_owned()),
    }
}

pub(super) fn expiry(end: i64, now: i64) -> String {
    if end > now { format!("{} left", span(end - now)) } else { "renewed at its next use".to_owned() }
}

/// A span of time in its two largest units.
pub(super) fn span(seconds: i64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
