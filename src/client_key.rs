//! The key that byok makes by itself when it can be reached from other machines and nobody has set one.

use crate::{
    terminal,
    trouble::{Exit, Trouble},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use byok_config::Config;
use byok_store::{ClientKeyRow, Store};
use byok_types::{ClientKeyId, Secret};
use rand::{TryRng as _, rngs::SysRng};
use std::{
    io::Write as _,
    net::IpAddr,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

/// Random bytes of a key.
const BYTES: usize = 32;
/// File beside the database that holds a key which no terminal was there to show.
const FILE: &str = "client-key";

/// Makes a key if requests will need one and there is none. It is shown once: on the terminal, else in a file that only
/// this user can read.
pub(crate) async fn make_if_needed(
    config: &Config,
    address: IpAddr,
    store: &Store,
    terminal: bool,
) -> Result<(), Trouble> {
    let exposed = !address.is_loopback() || config.allowed_hosts.iter().any(|host| !host.is_loopback());
    if !exposed || !config.api_keys.is_empty() {
        return Ok(());
    }
    if store.client_keys.list().await?.iter().any(|row| row.revoked_at.is_none()) {
        return Ok(());
    }
    let key = random_key()?;
    let row = row(&key)?;
    let directory = store.location().and_then(Path::parent);
    // First where it can be read, then where it counts: a key that nobody knows would lock everybody out.
    let file = match directory {
        Some(directory) if !terminal => Some(write(&key, directory)?),
        _ => None,
    };
    store.client_keys.insert(row).await?;
    let place = match file {
        Some(file) => format!("it stands in {} (readable by this user only)", file.display()),
        None => format!("{}\n  it is not shown again", key.expose()),
    };
    // At once: for programs it is one event.
    terminal::say(format_args!(
        "byok can be reached from other machines, so every request needs a key. This one was made now:\n  {place}\n\
         clients send it as their API key; keys of your own go into `api_keys` of the settings\n"
    ));
    Ok(())
}

/// `byok-` and 43 characters: 256 random bits.
fn random_key() -> Result<Secret, Trouble> {
    let mut bytes = [0; BYTES];
    SysRng.try_fill_bytes(&mut bytes).map_err(|_| {
        Trouble::new(Exit::Failure, "the operating system gives no random numbers, so no key can be made")
    })?;
    Ok(Secret::new(format!("byok-{}", URL_SAFE_NO_PAD.encode(bytes))))
}

fn row(key: &Secret) -> Result<ClientKeyRow, Trouble> {
    let hash = key.hash();
    let id = ClientKeyId::new(format!("made-{}", hash.short()))
        .map_err(|error| Trouble::new(Exit::Failure, error.to_string()))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    Ok(ClientKeyRow {
        id,
        hash,
        label: "made by byok at its start".to_owned(),
        user: None,
        groups: Vec::new(),
        models: Vec::new(),
        limits: None,
        expires_at: None,
        created_at: i64::try_from(now).unwrap_or(i64::MAX),
        revoked_at: None,
        debug: false,
    })
}

/// Writes the key into its file (0600 from the first moment) and replaces one that is not valid any more.
fn write(key: &Secret, directory: &Path) -> Result<PathBuf, Trouble> {
    let path = directory.join(FILE);
    let failed = |error: std::io::Error| {
        Trouble::new(
            Exit::CannotCreate,
            format!("the new client key could not be written to {}", path.display()),
        )
        .because(&error)
        .hint("set a key of your own in `api_keys` of the settings, or start byok in a terminal once")
    };
    let mut file = tempfile::Builder::new().prefix(".client-key-").tempfile_in(directory).map_err(failed)?;
    writeln!(file, "{}", key.expose()).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    file.persist(&path).map_err(|error| failed(error.error))?;
    Ok(path)
}

#[cfg(test)]
mod tests;
