//! Accounts in a file that is sealed with a passphrase: the age format, which the program `age` opens too.

use super::{super::login::tell_of_arrivals, Passphrase, peers::Mode};
use crate::{
    place::open_store,
    terminal::{self, Lines},
    trouble::{Exit, Trouble},
};
use age::secrecy::SecretString;
use byok_auth::{followed, unfollow};
use byok_config::Config;
use byok_store::{Store, StoreError};
use byok_types::{Account, AccountState, Credential, OauthTokens, Secret};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

/// The form of the file.
const VERSION: u32 = 1;
/// Shortest passphrase that is taken for a new file.
const SHORTEST: usize = 8;

/// What copies of logins mean.
const ONE_PLACE: &str = "logins whose vendor uses refresh tokens up work in one place at a time: log in anew where both are to be used";

#[derive(Serialize, Deserialize)]
struct Sealed {
    version: u32,
    accounts: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    account: Account,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    api_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tokens: Option<Tokens>,
}

#[derive(Serialize, Deserialize)]
struct Tokens {
    access: String,
    refresh: Option<String>,
    expires_at: Option<i64>,
    refresh_expires_at: Option<i64>,
    scopes: Vec<String>,
    #[serde(default)]
    facts: BTreeMap<String, String>,
}

impl Entry {
    fn of(account: Account, credential: &Credential) -> Self {
        match credential {
            Credential::ApiKey(key) => Self { account, api_key: Some(key.expose().to_owned()), tokens: None },
            Credential::Oauth(tokens) => {
                let facts =
                    tokens.facts.iter().map(|(name, value)| (name.clone(), value.expose().to_owned()));
                let tokens = Tokens {
                    access: tokens.access.expose().to_owned(),
                    refresh: tokens.refresh.as_ref().map(|token| token.expose().to_owned()),
                    expires_at: tokens.expires_at,
                    refresh_expires_at: tokens.refresh_expires_at,
                    scopes: tokens.scopes.clone(),
                    facts: facts.collect(),
                };
                Self { account, api_key: None, tokens: Some(tokens) }
            }
        }
    }

    fn credential(&self) -> Option<Credential> {
        if let Some(key) = &self.api_key {
            return Some(Credential::ApiKey(Secret::new(key.as_str())));
        }
        let tokens = self.tokens.as_ref()?;
        Some(Credential::Oauth(OauthTokens {
            access: Secret::new(tokens.access.as_str()),
            refresh: tokens.refresh.as_deref().map(Secret::new),
            expires_at: tokens.expires_at,
            refresh_expires_at: tokens.refresh_expires_at,
            scopes: tokens.scopes.clone(),
            facts: tokens
                .facts
                .iter()
                .map(|(name, value)| (name.clone(), Secret::new(value.as_str())))
                .collect(),
        }))
    }
}

pub(super) async fn export(store: &Store, file: &Path, passphrase: &Passphrase) -> Result<(), Trouble> {
    let accounts = store.accounts.list(None).await?;
    if accounts.is_empty() {
        return Err(Trouble::new(Exit::NotAllowed, "there is no account to export")
            .hint("API keys of the settings stand in the settings; `byok config path` says where"));
    }
    let (mut entries, mut follows) = (Vec::new(), Vec::new());
    for account in accounts {
        if let Some(credential) = store.secrets.load(&account.id).await? {
            if file_of(&credential).is_some() {
                follows.push(format!("{} ({})", account.label, account.provider));
            }
            entries.push(Entry::of(account, &credential));
        }
    }
    // Before a passphrase is thought of.
    if file == Path::new("-") {
        return Err(Trouble::new(Exit::Usage, "an export goes into a file, not to the output")
            .hint("name a file, such as `byok accounts export backup.age`"));
    }
    if file.symlink_metadata().is_ok() {
        return Err(cannot_be_made(file, &ErrorKind::AlreadyExists.into()));
    }
    if file.parent().is_some_and(|folder| folder != Path::new("") && !folder.exists()) {
        return Err(cannot_be_made(file, &ErrorKind::NotFound.into()));
    }
    let count = entries.len();
    let text = serde_json::to_vec(&Sealed { version: VERSION, accounts: entries });
    let text =
        text.map_err(|error| Trouble::new(Exit::Failure, "the accounts cannot be written").because(&error))?;
    let phrase = passphrase.read(true).await?;
    // Deriving the key takes a second on purpose.
    let sealed =
        tokio::task::spawn_blocking(move || age::encrypt(&age::scrypt::Recipient::new(phrase), &text)).await;
    let sealed = match sealed {
        Ok(Ok(sealed)) => sealed,
        Ok(Err(error)) => {
            return Err(Trouble::new(Exit::Failure, "the accounts cannot be sealed").because(&error));
        }
        Err(error) => {
            return Err(Trouble::new(Exit::Failure, "the accounts cannot be sealed").because(&error));
        }
    };
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    made.and_then(|mut out| out.write_all(&sealed).and_then(|()| out.sync_all()))
        .map_err(|error| cannot_be_made(file, &error))?;
    terminal::say(format_args!("{count} accounts are in {}", file.display()));
    if !follows.is_empty() {
        terminal::say(format_args!(
            "byok follows these logins, which belong to other programs of this machine: {}. Where those programs' files are \
             not, a byok that imports them has copies and renews them itself, which logs the other programs out.",
            follows.join(", ")
        ));
    }
    terminal::warn(ONE_PLACE);
    Ok(())
}

/// The file that a login follows.
fn file_of(credential: &Credential) -> Option<&str> {
    match credential {
        Credential::Oauth(tokens) => followed(tokens),
        Credential::ApiKey(_) => None,
    }
}

/// A login as it is kept here: one that is followed stays so where its file is, unless it is to be taken over. The second value
/// says what becomes of it.
fn placed(credential: Credential, take_over: bool) -> (Credential, Option<String>) {
    let Credential::Oauth(tokens) = credential else { return (credential, None) };
    let Some(file) = followed(&tokens).map(str::to_owned) else { return (Credential::Oauth(tokens), None) };
    if !take_over && Path::new(&file).is_file() {
        let note =
            format!("it is followed: the program that it belongs to keeps it in `{file}` and renews it");
        return (Credential::Oauth(tokens), Some(note));
    }
    let why = if take_over {
        "it was followed"
    } else {
        "it was followed, and the file of its program is not here"
    };
    let note = format!(
        "{why}: this is a copy that is renewed here, and its next renewal logs that program out; a login of byok's own spares both"
    );
    (Credential::Oauth(unfollow(tokens)), Some(note))
}

fn cannot_be_made(file: &Path, error: &io::Error) -> Trouble {
    let hint = match (error.kind(), file.parent()) {
        (ErrorKind::AlreadyExists, _) => {
            "it is there already and is not written over: name another file, or move it away".to_owned()
        }
        (ErrorKind::NotFound, Some(folder)) => {
            format!(
                "its folder is not there: make it with `mkdir -p '{}'`, or name another one",
                folder.display()
            )
        }
        _ => "name a file in a folder that you may write to".to_owned(),
    };
    Trouble::new(Exit::CannotCreate, format!("`{}` cannot be made", file.display())).because(error).hint(hint)
}

/// Whether a file was made by [`export`], by its first bytes.
pub(super) fn is_export(content: &[u8]) -> bool {
    content.starts_with(b"age-encryption.org/")
}

/// Takes over what [`export`] has written; `sealed` is the content of the file.
pub(super) async fn import(
    config: &Config,
    file: &Path,
    sealed: Vec<u8>,
    passphrase: &Passphrase,
    mode: Mode,
) -> Result<(), Trouble> {
    let shown = file.display().to_string();
    let phrase = passphrase.read(false).await?;
    let opened =
        tokio::task::spawn_blocking(move || age::decrypt(&age::scrypt::Identity::new(phrase), &sealed)).await;
    let wrong = || {
        Trouble::new(Exit::BadData, format!("`{shown}` cannot be opened"))
            .hint("the passphrase is another one, or the file is damaged")
    };
    let text = opened.ok().and_then(Result::ok).ok_or_else(wrong)?;
    let list: Sealed = serde_json::from_slice(&text).map_err(|_| wrong())?;
    if list.version != VERSION {
        return Err(Trouble::new(Exit::BadData, format!("`{shown}` was written by another version of byok"))
            .hint("update byok"));
    }
    if mode.dry_run {
        for entry in &list.accounts {
            let Account { provider, label, .. } = &entry.account;
            let note = entry.credential().and_then(|credential| placed(credential, mode.take_over).1);
            let note = note.map(|note| format!("; {note}")).unwrap_or_default();
            terminal::say(format_args!("would be imported to {provider}: {label}{note}"));
        }
        return Ok(());
    }
    terminal::warn(ONE_PLACE);
    let store = open_store(config)?;
    let mut arrived = Vec::new();
    for entry in &list.accounts {
        let Some(credential) = entry.credential() else { continue };
        let provider = &entry.account.provider;
        let (credential, note) = placed(credential, mode.take_over);
        match insert(&store, &entry.account, credential).await? {
            Taken::In { account, new } => {
                let label = account.label.clone();
                terminal::say(format_args!("imported to {provider}: {label}"));
                arrived.extend(Some(*account).filter(|_| new));
                if let Some(note) = note {
                    terminal::say(format_args!("{label} ({provider}): {note}"));
                }
            }
            Taken::Not(label) => terminal::say(format_args!(
                "{provider}: {label} is here already, with tokens that end no earlier; nothing is changed"
            )),
        }
    }
    tell_of_arrivals(&store, config, &arrived).await?;
    store.close().await;
    Ok(())
}

/// What became of an account of the file.
enum Taken {
    /// It is stored, as a new one or in the place of the same one.
    In { account: Box<Account>, new: bool },
    /// The one of this name stays as it is.
    Not(String),
}

/// The account that is here already: by its vendor's identity, else by its id.
async fn known(store: &Store, account: &Account) -> Result<Option<Account>, Trouble> {
    if let Some(identity) = &account.identity
        && let Some(known) = store.accounts.find_identity(&account.provider, identity, account.kind).await?
    {
        return Ok(Some(known));
    }
    Ok(store.accounts.get(&account.id).await?)
}

/// Stores an account: in the place of the same one, under another name if its own is taken. An account that is here keeps
/// what its owner has decided since, and tokens that end later: those of the file may have been used up.
async fn insert(store: &Store, account: &Account, credential: Credential) -> Result<Taken, Trouble> {
    let mut account = account.clone();
    let (mut _lock, mut new) = (None, true);
    if let Some(known) = known(store, &account).await? {
        new = false;
        _lock = Some(store.lock_account(&known.id).await?);
        let known = store.accounts.get(&known.id).await?.unwrap_or(known);
        let later =
            matches!((known.expires_at, account.expires_at), (Some(here), Some(there)) if there > here);
        let dead = matches!(known.state, AccountState::NeedsLogin { .. });
        if !later && !dead {
            return Ok(Taken::Not(known.label));
        }
        let state = if dead { AccountState::Ready } else { known.state };
        account = Account { id: known.id, label: known.label, claims: known.claims, state, ..account };
    }
    let label = account.label.clone();
    for number in 2..100 {
        match store.accounts.insert(account.clone(), credential.clone()).await {
            Err(StoreError::LabelTaken) => account.label = format!("{label} {number}"),
            Ok(()) => return Ok(Taken::In { account: Box::new(account), new }),
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::LabelTaken.into())
}

impl Passphrase {
    /// The passphrase: from its file, else from the person.
    async fn read(&self, new: bool) -> Result<SecretString, Trouble> {
        let phrase = if let Some(file) = &self.passphrase_file {
            let text = fs::read_to_string(file).map_err(|error| {
                Trouble::new(Exit::BadData, "the file of the passphrase cannot be read")
                    .because(&error)
                    .hint("name the file with `--passphrase-file`")
            })?;
            text.lines().next().unwrap_or_default().to_owned()
        } else {
            terminal::say("the passphrase of the file:");
            let mut lines = Lines::default();
            let phrase = lines.hidden().await.unwrap_or_default();
            if new && terminal::is_interactive() {
                terminal::say("the same again:");
                if lines.hidden().await.unwrap_or_default() != phrase {
                    return Err(Trouble::new(Exit::Usage, "the two passphrases differ"));
                }
            }
            phrase
        };
        if phrase.is_empty() {
            return Err(Trouble::new(Exit::Usage, "no passphrase was given").hint(
                "type it and press Enter, or name a file whose first line it is with `--passphrase-file FILE`",
            ));
        }
        if new && phrase.chars().count() < SHORTEST {
            return Err(Trouble::new(
                Exit::Usage,
                format!("a passphrase has at least {SHORTEST} characters"),
            )
            .hint("several words are easy to remember and hard to guess"));
        }
        Ok(SecretString::from(phrase))
    }
}
