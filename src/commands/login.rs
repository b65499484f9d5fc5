mod browser;
pub(super) mod consent;
pub(super) mod import;
pub(super) mod link;
mod steps;

use super::{
    logout::several,
    status::{end_of, now},
};
use crate::{
    cli::Global,
    logging, logins, network,
    place::{Place, open_store, tell_renewed},
    terminal::{self, Lines},
    trouble::{Exit, Trouble},
};
use byok_auth::{
    Answers, Bind, How, NewLogin, SaveLogin, SystemClock, Vendor, claims, ends_at, known_account,
    learn_owners, named, save_login,
};
use byok_config::{Config, Prefer};
use byok_store::Store;
use byok_types::{Account, Credential, CredentialKind, ProviderId, account_flag, steers_text};
use clap::Args;
use consent::Consent;
use std::path::{Path, PathBuf};

/// Log in to a provider with the subscription you have
///
/// Prints the provider's rule for such logins first. The login itself happens on the provider's own page; byok keeps
/// the tokens, sealed, in its database, and a running byok uses them at once.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[expect(clippy::option_option, reason = "`--import` with a file and without are two things")]
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  byok login claude
  byok login claude --no-browser --account work")]
pub(crate) struct Login {
    /// Provider to log in to
    provider: String,
    /// Print the address and read the code that the provider's page shows
    #[arg(long)]
    no_browser: bool,
    /// Browser to open the address with, such as firefox, chromium or chrome
    #[arg(long, value_name = "NAME", conflicts_with_all = ["no_browser", "no_open"])]
    browser: Option<String>,
    /// Open a private window, so that another account than the usual one can log in
    #[arg(long, conflicts_with_all = ["no_browser", "no_open"])]
    incognito: bool,
    /// Open an ordinary window
    #[arg(long, conflicts_with = "incognito")]
    no_incognito: bool,
    /// Take over the login that the provider's own program keeps, from its usual place or from a file
    #[arg(long, value_name = "FILE", num_args = 0..=1, conflicts_with_all = ["no_browser", "no_open", "method", "with"])]
    import: Option<Option<PathBuf>>,
    /// With --import: renew the login here from now on, although that may log the other program out
    #[arg(long, requires = "import")]
    take_over: bool,
    /// Print the address without opening it; a browser on this machine brings the code back
    #[arg(long, conflicts_with = "no_browser")]
    no_open: bool,
    /// How to log in, where the provider has several ways
    #[arg(long, value_name = "NAME")]
    method: Option<String>,
    /// Answer to a question of the login, such as region=eu-central-1
    #[arg(long = "with", value_name = "NAME=VALUE", value_parser = answer)]
    with: Vec<(String, String)>,
    /// Address to wait for the browser on, for a container whose port is published, such as 0.0.0.0:8085
    #[arg(long, value_name = "ADDR[:PORT]")]
    callback_bind: Option<Bind>,
    /// Account to log in again, or the name of a new one
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Make a link for a browser on this machine: the running byok leads through the login on a page of its own
    #[arg(long, conflicts_with_all = ["import", "method", "with", "accept", "callback_bind", "no_open", "remote"])]
    web: bool,
    /// Make a link for a person on another machine, who logs in there and hands the result back on the same page
    #[arg(long, conflicts_with_all = ["import", "method", "with", "accept", "no_open", "browser", "incognito", "no_incognito"])]
    remote: bool,
    #[arg(
        long,
        value_name = "PUBLIC",
        requires = "remote",
        help = "With --remote: the name under which that machine reaches byok, such as box.lan, box.lan:9000 or https://byok.example.org"
    )]
    host: Option<String>,
    /// Consent to a claim without being asked; for scripts
    #[arg(long = "accept-claim", value_name = "NAME", value_delimiter = ',')]
    accept: Vec<String>,
}

impl Login {
    pub(crate) async fn run(mut self, global: Global) -> Result<(), Trouble> {
        let place = Place::new(global)?;
        // It says itself what a person has to know; lines of a log in between would only confuse.
        logging::start_quiet(place.variable("BYOK_LOG").or(Some("off")));
        let config = &place.load_without_keys()?.config;
        let (id, vendor) = logins::vendor(&self.provider, config)?;
        if self.web || self.remote {
            return self.by_link(&place, config, &id, &vendor).await;
        }
        let mut method = logins::method(&id, &vendor, self.method.as_deref())?;
        if self.no_browser && self.method.is_none() {
            let usual = method;
            method = logins::without_browser(&vendor).unwrap_or(usual);
            if method.name != usual.name && matches!(usual.how, How::Browser(_)) {
                terminal::say(format_args!(
                    "`--no-browser` logs in by `{}` here; `byok login {id} --method {} --no-browser` is the way to paste a code.",
                    method.name, usual.name
                ));
            }
        }
        steps::check_answers(method, &self.with)?;
        let wants_window = self.wants_window();
        let mut consent = Consent::new(&id, std::mem::take(&mut self.accept))?;
        // Before anybody logs in anywhere: can the login be kept?
        let store = open_store(config)?;
        let known = find(&store, &id, self.account.as_deref()).await?;

        // Rules are those of logins; an API key is another matter.
        let by_key = method.kind() == CredentialKind::ApiKey;
        if !by_key && self.import.is_none() {
            refuse_key(known.as_ref())?;
        }
        if let Some(ended) = logins::ended(id.as_str(), by_key) {
            terminal::warn(ended);
        }
        if !by_key || claims::with_keys(id.as_str()) {
            tell_the_rule(id.as_str());
        }
        logins::warnings(&id, config).iter().for_each(terminal::warn);
        let code_by = self.code_by(&place, wants_window);
        let mut lines = Lines::default();
        let transport = network::transport(config)?;
        let others = store.accounts.list(Some(&id)).await?;
        let login = if let Some(file) = &self.import {
            import::one(&place, &id, &vendor, file.as_deref(), self.take_over).await?
        } else {
            let window = browser::Window { browser: self.browser.clone(), private: self.incognito };
            let (bind, keys_of) = (self.callback_bind, logins::keys_of(&id, config));
            let steps = steps::Steps { transport: &transport, code_by, bind, window, keys_of };
            let mut answers: Answers = self.with.into_iter().collect();
            if let How::Browser(login) = &method.how {
                login.ready()?;
                if login.claims() {
                    let known = known.as_ref().map(|account| &*account.claims).unwrap_or_default();
                    let agreed = consent.before(known, &mut lines).await;
                    consent.or_leave(&id, &agreed, &mut lines).await?;
                    answers.extend(agreed.into_iter().map(|name| (name, String::new())));
                }
            }
            steps.log_in(method, answers, &mut lines).await?
        };
        let login = if self.import.is_some() {
            import::asked(&store, (&id, &vendor), &transport, login).await?
        } else {
            // Of another login it may not be known yet whose it is: the same one is not added a second time.
            if login.details.identity.is_some() {
                learn_owners(&store, &*vendor.refresher, &transport, &id).await?;
            }
            login
        };
        let name = self.account.as_deref();
        let known = same_account(&store, &others, (known, name), (&id, &login)).await?;
        if keeps(&store, (self.import.as_ref(), known.as_ref()), &login).await? {
            return Ok(());
        }
        let consent = consent.for_login(&login);
        // What was consented to beforehand is stored with the tokens: a request may come at once.
        let agreed = consent.agreed();
        let save = SaveLogin {
            provider: &id,
            account: known.as_ref().map(|account| &account.id),
            label: self.account.as_deref().filter(|_| known.is_none()),
            // Other consent is asked for when the tokens are safe.
            claims: &agreed,
        };
        let ends = end_of_login(&login);
        let account = save_login(&store, &SystemClock, login, save).await?;
        tell_renewed(&config.database, &account.id).await;
        let replaced = others.iter().any(|other| other.id == account.id);
        terminal::say(format_args!(
            "\nlogged in to {id} as {}{}",
            described(&account),
            instead(&account, replaced)
        ));
        tell_of_end(&account, ends);
        if !replaced {
            tell_of_others(&account, &others, config);
        }
        if account.kind == CredentialKind::Oauth || claims::with_keys(id.as_str()) {
            consent.settle(&store, &account, &mut lines).await?;
        }
        store.close().await;
        tell_of_use(config, &id);
        Ok(())
    }
}

/// Whether the login that byok has of the account stays, because that of the file is no better.
async fn keeps(
    store: &Store,
    (import, known): (Option<&Option<PathBuf>>, Option<&Account>),
    login: &NewLogin,
) -> Result<bool, Trouble> {
    let (Some(file), Some(known)) = (import, known) else { return Ok(false) };
    let Some(better) = import::better_than(store, known, login).await? else { return Ok(false) };
    tell_that_it_stays(known, better, file.as_deref());
    store.close().await;
    Ok(true)
}

/// When a login ends that nothing can renew, Unix seconds.
pub(super) fn end_of_login(login: &NewLogin) -> Option<i64> {
    match &login.credential {
        Credential::Oauth(tokens) => ends_at(tokens),
        Credential::ApiKey(_) => None,
    }
}

/// Says that a login ends with its token, and what to do then.
pub(super) fn tell_of_end(account: &Account, ends: Option<i64>) {
    if let Some(end) = ends {
        terminal::warn(end_of(account.provider.as_str(), &account.label, end - now()));
    }
}

/// Says who uses the login now.
fn tell_of_use(config: &Config, id: &ProviderId) {
    if is_off(config, id) {
        terminal::warn(format_args!(
            "the provider is switched off in the settings, so nothing uses it; `providers.{id}.enabled: true` switches it on"
        ));
    } else {
        terminal::say("a running byok uses it at once; `byok serve` starts one, `byok status` shows it");
    }
}

impl Login {
    /// How the code of the vendor comes to byok.
    fn code_by(&self, place: &Place, wants_window: bool) -> steps::CodeBy {
        match (self.no_browser, self.no_open) {
            (true, _) => steps::CodeBy::Paste,
            (_, true) => steps::CodeBy::Callback { open: false },
            _ => steps::CodeBy::Callback { open: wants_window || steps::can_open(place) },
        }
    }

    /// By a page, of the running byok or of this command.
    async fn by_link(
        &self,
        place: &Place,
        config: &Config,
        id: &ProviderId,
        vendor: &Vendor,
    ) -> Result<(), Trouble> {
        if !vendor.methods.iter().any(|method| matches!(method.how, How::Browser(_) | How::Device(_))) {
            return Err(Trouble::new(
                Exit::Usage,
                format!("`{id}` has no login on a page: keys and files belong on none"),
            )
            .hint(format!("use `byok login {id}`")));
        }
        if let Some(name) = &self.account {
            check_name(name)?;
        }
        let link = link::Link { config, provider: id, account: self.account.clone() };
        if self.remote {
            return link.for_another_machine(self.host.as_deref(), self.callback_bind).await;
        }
        let open = !self.no_browser && (self.wants_window() || steps::can_open(place));
        let window = browser::Window { browser: self.browser.clone(), private: self.incognito };
        link.for_this_machine(open.then_some(&window)).await
    }

    /// Whether a browser is to be opened: where somebody names one, they see it.
    const fn wants_window(&self) -> bool {
        self.browser.is_some() || self.incognito || self.no_incognito
    }
}

/// Whether the settings switch the provider off.
fn is_off(config: &Config, id: &ProviderId) -> bool {
    config.provider(id).is_some_and(|provider| !provider.enabled)
}

/// What another account beside the new one means.
pub(super) fn tell_of_others(new: &Account, others: &[Account], config: &Config) {
    tell_of_several(new, others);
    tell_what_costs(new, others, config);
}

/// The same of several accounts that have just come from elsewhere, once for each provider.
pub(super) async fn tell_of_arrivals(
    store: &Store,
    config: &Config,
    arrived: &[Account],
) -> Result<(), Trouble> {
    for (place, new) in arrived.iter().enumerate() {
        if arrived[place + 1..].iter().any(|later| later.provider == new.provider) {
            continue;
        }
        let mut others = store.accounts.list(Some(&new.provider)).await?;
        others.retain(|other| other.id != new.id);
        tell_of_others(new, &others, config);
        if new.kind == CredentialKind::Oauth {
            logins::warnings(&new.provider, config).iter().for_each(terminal::warn);
        }
    }
    Ok(())
}

/// A key and a login beside each other: one of them is used first, and the key is billed.
fn tell_what_costs(new: &Account, others: &[Account], config: &Config) {
    if others.iter().all(|other| other.kind == new.kind) || logins::keys_are_of_the_plan(&new.provider) {
        return;
    }
    let id = &new.provider;
    let prefer = config.provider(id).map(|provider| provider.prefer).unwrap_or_default();
    terminal::warn(match prefer {
        Prefer::Key => format!(
            "byok has a key and a login of {id} now: it prefers the key, which is billed. `providers.{id}.prefer: oauth` in \
             the settings puts the login first."
        ),
        Prefer::Oauth => format!(
            "byok has a key and a login of {id} now: the key, which is billed, is used when the login cannot serve a request."
        ),
    });
}

/// A second plan of the same vendor is a matter of its terms; a key is none, nor is what a service account pays for.
fn tell_of_several(new: &Account, others: &[Account]) {
    let by_login = |account: &Account| account.kind == CredentialKind::Oauth;
    if new.provider.as_str() == "vertex" {
        return;
    }
    if by_login(new) && others.iter().any(by_login) {
        terminal::warn(format_args!(
            "byok is logged in to {0} with another account, too: several plans of one person to stretch their limits may be \
             against the terms of the vendor. `byok logout {0} {1}` ends this login.",
            new.provider,
            account_flag(&new.label)
        ));
    }
}

/// Refuses to log in to what is a key: that is known before anybody logs in anywhere.
fn refuse_key(known: Option<&Account>) -> Result<(), Trouble> {
    let Some(key) = known.filter(|known| known.kind == CredentialKind::ApiKey) else { return Ok(()) };
    let what = format!("`{}` is an API key, so a login is of another account", key.label);
    Err(Trouble::new(Exit::NotAllowed, what).hint("log in without `--account`, or with a name that is free"))
}

/// What became of what was there before.
const fn instead(account: &Account, replaced: bool) -> &'static str {
    match account.kind {
        _ if !replaced => "",
        CredentialKind::Oauth => "; it replaces the login that was there",
        CredentialKind::ApiKey => "; it replaces the key that was there",
    }
}

/// Says that the login of a file is not taken.
fn tell_that_it_stays(known: &Account, better: &str, file: Option<&Path>) {
    let Account { provider, label, .. } = known;
    let file = file.map_or_else(|| "the file".to_owned(), |file| format!("`{}`", file.display()));
    terminal::say(format_args!(
        "the login of {label} that byok has {better} the one in {file}, and stays; `byok logout {provider} {}` first if \
         the file's is meant",
        account_flag(label)
    ));
}

/// The account that the login is of: that of the name, if there is one, and a key has one name only.
async fn same_account(
    store: &Store,
    others: &[Account],
    (known, name): (Option<Account>, Option<&str>),
    (id, login): (&ProviderId, &NewLogin),
) -> Result<Option<Account>, Trouble> {
    match (key_account(store, others, login).await?, known, name) {
        (Some(there), Some(known), _) if there.id != known.id => Err(is_there(&there)),
        (_, Some(known), _) => Ok(Some(known)),
        (Some(there), None, Some(_)) => Err(is_there(&there)),
        (Some(there), None, None) => Ok(Some(there)),
        (None, None, Some(_)) => Ok(None),
        (None, None, None) => Ok(known_account(store, id, login).await?),
    }
}

/// The account that has the same key already.
async fn key_account(
    store: &Store,
    accounts: &[Account],
    login: &NewLogin,
) -> Result<Option<Account>, Trouble> {
    let Credential::ApiKey(key) = &login.credential else { return Ok(None) };
    for account in accounts.iter().filter(|account| account.kind == CredentialKind::ApiKey) {
        // One that does not open is told of elsewhere.
        if let Ok(Some(Credential::ApiKey(known))) = store.secrets.load(&account.id).await
            && known.hash() == key.hash()
        {
            return Ok(Some(account.clone()));
        }
    }
    Ok(None)
}

/// A second name for one key would make nothing of it but a second try where it is refused.
fn is_there(account: &Account) -> Trouble {
    let Account { provider, label, .. } = account;
    Trouble::new(Exit::Usage, format!("this key is there already, as `{label}`; nothing was changed"))
        .hint(format!("`byok accounts rename {provider} {} NAME` gives it another name", account_flag(label)))
}

fn answer(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// The account that is meant by a name; `None` for the name of a new one.
async fn find(store: &Store, provider: &ProviderId, name: Option<&str>) -> Result<Option<Account>, Trouble> {
    let Some(name) = name else { return Ok(None) };
    check_name(name)?;
    let accounts = store.accounts.list(Some(provider)).await?;
    // How a name begins is not enough: it may be that of a new account.
    let mut meant = named(&accounts, name, false);
    if meant.len() > 1 {
        return Err(several(provider, Some(name), &meant));
    }
    Ok(meant.pop())
}

/// Whether an account may be called so.
pub(super) fn check_name(name: &str) -> Result<(), Trouble> {
    let (what, hint) = if name.trim().is_empty() || name.chars().count() > 64 || name.contains(['\n', '\r']) {
        ("the name of an account is one line of 1 to 64 characters", "choose another name")
    } else if name.contains(steers_text) {
        (
            "the name of an account has no tabs or other control characters in it",
            "use letters, digits, spaces and signs such as @ . _ -",
        )
    } else if name.starts_with('-') {
        (
            "the name of an account does not begin with `-`",
            "commands would take it for a flag: choose another name",
        )
    } else {
        return Ok(());
    };
    Err(Trouble::new(Exit::Usage, what).hint(hint))
}

pub(super) fn tell_the_rule(provider: &str) {
    if let Some(notice) = claims::notice(provider, CredentialKind::Oauth) {
        terminal::say(notice.rule);
        terminal::say(notice.risk);
        terminal::say(format_args!("({})\n", notice.source));
    }
}

pub(super) fn described(account: &Account) -> String {
    let plan = account.plan.as_ref().map(|plan| format!(", plan {plan}")).unwrap_or_default();
    match account.email.as_ref().filter(|email| **email != account.label) {
        Some(email) => format!("{} ({email}{plan})", account.label),
        None => format!("{}{plan}", account.label),
    }
}
