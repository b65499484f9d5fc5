//! Logins that the providers' own programs keep on this machine.

use super::{
    super::login::{
        consent,
        import::{self, Seen},
        tell_of_arrivals, tell_the_rule,
    },
    peers, refresh,
};
use crate::{
    logins, network,
    place::{Place, open_existing_store, open_store},
    terminal,
    trouble::Trouble,
};
use byok_auth::{
    Found, NewLogin, SaveLogin, SystemClock, Vendor, claims, follow, known_account, save_login, service_ended,
};
use byok_config::Config;
use byok_store::Store;
use byok_types::{Account, AccountState, CredentialKind, ProviderId};
use std::path::{Path, PathBuf};

pub(super) async fn run(place: &Place, config: &Config, auto: bool) -> Result<(), Trouble> {
    let mut seen: Vec<(ProviderId, Seen)> = Vec::new();
    let mut unread: Vec<import::Unread> = Vec::new();
    for name in logins::names() {
        let (id, vendor) = logins::vendor(name, config)?;
        let (found, not_read) = import::look(place, &id, &vendor).await;
        unread.extend(not_read);
        seen.extend(found.into_iter().map(|one| (id.clone(), one)));
    }
    let missed = |one: &&import::Unread| !one.belongs_to(seen.iter().map(|(_, one)| one));
    unread.iter().filter(missed).for_each(import::Unread::warn);
    let others = others(place).await?;
    if seen.iter().all(|(_, one)| one.found.is_empty()) && others.is_empty() {
        terminal::say("no program keeps a login on this machine that byok can read");
        return Ok(());
    }
    let store = if auto { open_store(config)? } else { open_existing_store(config)? };
    let mut table = peers::heading();
    for (id, one) in &seen {
        for found in &one.found {
            let known = if is_known(&store, id, &one.file, found).await? { " (known)" } else { "" };
            let details = &found.login.details;
            let who = details.email.as_deref().unwrap_or("-");
            let sharing = if found.shared_rotation { "one program at a time" } else { "safe" };
            let file = one.file.display().to_string();
            table.row([
                id.to_string(),
                one.by.to_owned(),
                format!("{who}{known}"),
                peers::ends(found),
                sharing.to_owned(),
                file,
            ]);
        }
    }
    for source in &others {
        for entry in &source.taken.logins {
            peers::row(&mut table, &store, source, entry).await?;
        }
    }
    terminal::data(table)?;
    others.iter().for_each(peers::tell_of_rest);
    if !auto {
        terminal::say(
            "\n`byok accounts scan --auto` uses them all and follows those that two programs cannot share, `byok login PROVIDER \
             --import` one of a provider's own program, `byok accounts import FILE` those of another one",
        );
        return Ok(());
    }
    let mode = peers::Mode { take_over: false, dry_run: false };
    peers::tell_of_sharing(&others, mode);
    let logins =
        |one: &Seen| one.found.iter().any(|found| found.login.credential.kind() == CredentialKind::Oauth);
    let mut restricted: Vec<_> =
        seen.iter().filter(|(_, one)| logins(one)).map(|(id, _)| id.as_str()).collect();
    restricted.dedup();
    // Those of the others are told with them.
    let told =
        |id: &str| others.iter().flat_map(|source| &source.taken.logins).any(|entry| entry.provider == id);
    restricted.into_iter().filter(|id| !told(id)).for_each(tell_the_rule);
    let chosen = peers::chosen(others, mode);
    let mut new = Vec::new();
    for (id, one) in seen {
        for found in one.found {
            if !is_known(&store, &id, &one.file, &found).await? {
                new.push(New { id: id.clone(), by: one.by, file: one.file.clone(), found });
            }
        }
    }
    // All at the same time: vendors that are silent do not add up.
    let questions = new.iter().map(|one| one.question(config));
    let questions = questions.chain(chosen.iter().map(|one| one.question(config)));
    let questions = questions.collect::<Result<_, _>>()?;
    let mut asked = import::ask_all(&store, &network::transport(config)?, questions).await?.into_iter();
    let (mut shared, mut arrived): (Option<ProviderId>, Vec<Account>) = (None, Vec::new());
    for (one, asked) in new.into_iter().zip(asked.by_ref()) {
        let name = format!("{} of {}", one.id, one.by);
        let (login, note) = match asked {
            Ok(asked) => asked,
            Err(trouble) => {
                terminal::warn(format_args!("left out: {name}: {}", trouble.in_one_line()));
                continue;
            }
        };
        // Those of a provider stand together.
        if one.found.shared_rotation && shared.as_ref() != Some(&one.id) {
            import::tell_of_sharing(false);
            shared = Some(one.id.clone());
        }
        arrived.extend(one.keep(&store, login).await?);
        if let Some(note) = note {
            terminal::say(format_args!("{name}: {note}"));
        }
    }
    tell_of_arrivals(&store, config, &arrived).await?;
    peers::take((&store, config), chosen, asked, mode).await?;
    // Their programs may have a new one by now.
    refresh::renew(&store, config, &refresh::waiting(&store).await?).await?;
    store.close().await;
    Ok(())
}

/// A login of a vendor's own program that byok does not have.
struct New {
    id: ProviderId,
    by: &'static str,
    file: PathBuf,
    found: Found,
}

impl New {
    /// Why it will not be used, where its service has ended. A key is another matter, but where it is what a login ends in.
    fn ended(&self) -> Option<&'static str> {
        let by_key = self.found.login.credential.kind() == CredentialKind::ApiKey;
        service_ended(self.id.as_str()).filter(|_| !by_key || claims::with_keys(self.id.as_str()))
    }

    fn question(&self, config: &Config) -> Result<(ProviderId, Option<Vendor>, NewLogin), Trouble> {
        let (id, vendor) = logins::vendor(self.id.as_str(), config)?;
        let vendor = Some(vendor).filter(|_| self.ended().is_none());
        Ok((id, vendor, self.found.login.clone()))
    }

    /// Stores it, with what its vendor says. The account, if it is a new one.
    async fn keep(self, store: &Store, login: NewLogin) -> Result<Option<Account>, Trouble> {
        let ended = self.ended();
        let Self { id, by, file, found } = self;
        let found = Found { login, ..found };
        // The vendor may have said whose it is only now.
        if is_known(store, &id, &file, &found).await? {
            terminal::say(format_args!("known already: {id} of {by}"));
            return Ok(None);
        }
        let login = import::kept(found, &file, false);
        let credential = login.credential.clone();
        let save = SaveLogin { provider: &id, account: None, label: None, claims: &[] };
        let account = save_login(store, &SystemClock, login, save).await?;
        if let Some(ended) = ended {
            let state = AccountState::Disabled { reason: Some(ended.to_owned()) };
            store.accounts.set_state(&account.id, state).await?;
        }
        terminal::say(peers::done(&account, &credential, by, ended.is_some()));
        consent::missing(&account, &credential).iter().for_each(terminal::say);
        Ok(Some(account))
    }
}

/// What programs like byok keep in their usual places. What cannot be read is told and passed over.
async fn others(place: &Place) -> Result<Vec<peers::Source>, Trouble> {
    let home = import::home(place)?;
    let variable = |name: &str| place.variable(name).map(str::to_owned);
    let mut found = Vec::new();
    for (_, kept) in byok_auth::peers::places(&home, &variable) {
        if kept.is_dir() {
            found.extend(peers::read_folder(&kept).await);
        } else if kept.exists() {
            match peers::read(&kept).await {
                Ok(source) => found.push(source),
                Err(trouble) => terminal::warn(format_args!("{}: {}", kept.display(), trouble.parts().0)),
            }
        }
    }
    Ok(found)
}

/// Whether byok has this account.
async fn is_known(store: &Store, id: &ProviderId, file: &Path, found: &Found) -> Result<bool, Trouble> {
    // Where byok follows it, its place is what stays the same.
    let file = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let placed = if found.shared_rotation { follow(found.login.clone(), &file) } else { found.login.clone() };
    Ok(known_account(store, id, &placed).await?.is_some())
}
