//! Logins that the providers' own programs keep on this machine.

use super::super::login::import::{self, Seen};
use crate::{
    logins,
    place::{Place, open_store},
    table::Table,
    terminal,
    trouble::Trouble,
};
use byok_auth::{Found, SaveLogin, SystemClock, save_login};
use byok_config::Config;
use byok_store::Store;
use byok_types::ProviderId;

pub(super) async fn run(place: &Place, config: &Config, auto: bool) -> Result<(), Trouble> {
    let mut seen: Vec<(ProviderId, Seen)> = Vec::new();
    for name in logins::names() {
        let (id, vendor) = logins::vendor(name, config)?;
        seen.extend(import::look(place, &vendor).into_iter().map(|one| (id.clone(), one)));
    }
    if seen.iter().all(|(_, one)| one.found.is_empty()) {
        terminal::say("no program of a provider keeps a login on this machine that byok can read");
        return Ok(());
    }
    let store = open_store(config)?;
    let mut table = Table::new(["PROVIDER", "PROGRAM", "ACCOUNT", "SHARING", "FILE"]);
    for (id, one) in &seen {
        for found in &one.found {
            let known = if is_known(&store, id, found).await? { " (known)" } else { "" };
            let details = &found.login.details;
            let who = details.email.as_ref().or(details.plan.as_ref()).map_or("-", String::as_str);
            let sharing = if found.shared_rotation { "one program at a time" } else { "safe" };
            let file = one.file.display().to_string();
            table.row([id.to_string(), one.by.to_owned(), format!("{who}{known}"), sharing.to_owned(), file]);
        }
    }
    terminal::data(table)?;
    if !auto {
        terminal::say(
            "\n`byok accounts scan --auto` takes them over, `byok login PROVIDER --import` one of them",
        );
        return Ok(());
    }
    for (id, one) in seen {
        for found in one.found {
            if is_known(&store, &id, &found).await? {
                continue;
            }
            let login = import::kept(found, &one.file, false);
            let save = SaveLogin { provider: &id, account: None, label: None, claims: &[] };
            let account = save_login(&store, &SystemClock, login, save).await?;
            terminal::say(format_args!("taken over for {id}: {}", account.label));
        }
    }
    store.close().await;
    Ok(())
}

/// Whether byok has an account of the same person and organisation.
async fn is_known(store: &Store, id: &ProviderId, found: &Found) -> Result<bool, Trouble> {
    Ok(match &found.login.details.identity {
        Some(identity) => store.accounts.find_identity(id, identity).await?.is_some(),
        None => false,
    })
}
