//! Logins that programs like byok keep: read, shown, and taken over.

use super::super::{
    login::{check_name, consent, import as files, tell_of_arrivals, tell_the_rule},
    status::{end_of, expiry, now},
};
use crate::{
    logins::{self, provider_id},
    network,
    table::Table,
    terminal,
    trouble::{Exit, Trouble},
};
use byok_auth::{
    Clock as _, Entry, Found, ImportError, LARGEST_DATABASE, LARGEST_FILE, NewLogin, SaveLogin, SystemClock,
    Taken, Vendor, ends_at, follow_entry, followed, is_database, known_account, neighbours, peers,
    save_login,
};
use byok_config::Config;
use byok_store::Store;
use byok_types::{Account, AccountState, Credential, CredentialKind, ProviderId, account_flag};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// How deep and how many files a folder of logins has at most.
const DEPTH: usize = 4;
const MOST_FILES: usize = 2000;

/// The folder in which `CLIProxyAPI` writes down requests.
const LOGS: &str = "logs";

/// How logins are taken over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mode {
    /// Renew them here, although another program does, too.
    pub(super) take_over: bool,
    /// Only say what there is.
    pub(super) dry_run: bool,
}

/// A file, and what was found in it.
pub(super) struct Source {
    pub(super) file: PathBuf,
    pub(super) taken: Taken,
}

/// Reads a file.
pub(super) async fn read(file: &Path) -> Result<Source, Trouble> {
    read_content(file, content(file)?).await
}

/// Reads a file whose content is there already.
pub(super) async fn read_content(file: &Path, content: Vec<u8>) -> Result<Source, Trouble> {
    look(file, content).await?.map_err(|error| files::unreadable(&error))
}

/// Reads a file. One that is damaged may be half written, so it is read again.
async fn look(file: &Path, mut content: Vec<u8>) -> Result<Result<Source, ImportError>, Trouble> {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    for again in (0..files::TRIES).rev() {
        let beside = neighbours(file, LARGEST_DATABASE);
        match peers::read(&name, &content, &beside, SystemClock.now()) {
            Err(ImportError::Damaged { .. }) if again > 0 => {}
            read => return Ok(read.map(|taken| Source { file: file.to_owned(), taken })),
        }
        tokio::time::sleep(files::PAUSE).await;
        content = self::content(file)?;
    }
    Ok(Err(ImportError::Damaged { why: "it changes all the time" }))
}

/// The content of a file. Only databases may be large.
pub(super) fn content(file: &Path) -> Result<Vec<u8>, Trouble> {
    let content = files::read_quietly(file, LARGEST_DATABASE)?;
    let bytes = content.len() as u64;
    if bytes > LARGEST_FILE && !is_database(&content) {
        return Err(files::too_large(file, bytes));
    }
    Ok(content)
}

/// Reads all files of a folder and of those in it. What holds no login is passed over; what is damaged is told.
pub(super) async fn read_folder(folder: &Path) -> Vec<Source> {
    let mut sources = Vec::new();
    for file in json_files(folder) {
        let read = match content(&file) {
            Ok(content) => look(&file, content).await,
            Err(trouble) => Err(trouble),
        };
        let wrong = match read {
            Ok(Ok(source)) => {
                sources.push(source);
                continue;
            }
            Ok(Err(error @ ImportError::Damaged { .. })) => files::unreadable(&error),
            Ok(Err(_)) => continue,
            Err(trouble) => trouble,
        };
        terminal::warn(format_args!("{}: {}", file.display(), wrong.parts().0));
    }
    sources
}

/// The JSON files of a folder, in the order of their names. Links to folders are not followed.
fn json_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let (path, Ok(kind)) = (entry.path(), entry.file_type()) else { continue };
            let json = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
            if kind.is_dir() && entry.file_name() == LOGS {
                continue;
            }
            if kind.is_dir() && depth < DEPTH {
                open.push((path, depth + 1));
            } else if json && !kind.is_dir() && found.len() < MOST_FILES {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Says what there is, and takes it over unless that is all that was asked for.
pub(super) async fn import(
    store: &Store,
    config: &Config,
    sources: Vec<Source>,
    mode: Mode,
) -> Result<(), Trouble> {
    let mut table = heading();
    let mut count = 0;
    for source in &sources {
        for entry in &source.taken.logins {
            row(&mut table, store, source, entry).await?;
            count += 1;
        }
    }
    if count > 0 {
        terminal::data(table)?;
    }
    for source in &sources {
        tell_of_rest(source);
    }
    tell_of_sharing(&sources, mode);
    if mode.dry_run {
        terminal::say("nothing was changed; without --dry-run byok uses them");
        return Ok(());
    }
    let chosen = chosen(sources, mode);
    let questions = chosen.iter().map(|chosen| chosen.question(config)).collect::<Result<_, _>>()?;
    let asked = files::ask_all(store, &network::transport(config)?, questions).await?;
    if take((store, config), chosen, asked, mode).await? == 0 {
        return Err(Trouble::new(Exit::NotAllowed, "nothing was taken over")
            .hint("`byok login PROVIDER` makes a login of its own"));
    }
    Ok(())
}

/// The table of what there is.
pub(super) fn heading() -> Table {
    Table::new(["PROVIDER", "PROGRAM", "ACCOUNT", "TOKEN", "SHARING", "FILE"])
}

/// What is known of the end of a credential.
pub(super) fn ends(found: &Found) -> String {
    match &found.login.credential {
        Credential::ApiKey(_) => "a key".to_owned(),
        // It is its program that renews it, unless it is taken over.
        Credential::Oauth(tokens)
            if found.shared_rotation && tokens.expires_at.is_some_and(|end| end <= now()) =>
        {
            "ended".to_owned()
        }
        Credential::Oauth(tokens) => tokens.expires_at.map(|end| expiry(end, now())).unwrap_or_default(),
    }
}

/// Where the entry lives, and its login as it is stored.
fn placed(file: &Path, entry: &Entry, mode: Mode) -> NewLogin {
    let login = entry.found.login.clone();
    if !entry.found.shared_rotation || mode.take_over || !entry.live {
        return login;
    }
    let file = entry.file.as_deref().unwrap_or(file);
    let file = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    follow_entry(login, &file, &entry.key)
}

/// Adds a login to the table of what there is.
pub(super) async fn row(
    table: &mut Table,
    store: &Store,
    source: &Source,
    entry: &Entry,
) -> Result<(), Trouble> {
    let id = provider_id(entry.provider)?;
    let login = placed(&source.file, entry, Mode { take_over: false, dry_run: true });
    let known = if known_account(store, &id, &login).await?.is_some() { " (known)" } else { "" };
    let who = entry.name.as_ref().or(entry.found.login.details.email.as_ref()).map_or("-", String::as_str);
    let off = if entry.disabled || entry.ended.is_some() { " (off)" } else { "" };
    let sharing = if entry.found.shared_rotation { "one program at a time" } else { "safe" };
    let file = entry.file.as_ref().unwrap_or(&source.file).display().to_string();
    let program = source.taken.by.to_owned();
    table.row([
        id.to_string(),
        program,
        format!("{who}{known}{off}"),
        ends(&entry.found),
        sharing.to_owned(),
        file,
    ]);
    Ok(())
}

/// What is not taken over of a file, and what should be known of the rest.
pub(super) fn tell_of_rest(source: &Source) {
    let mut read: Vec<&Path> = vec![&source.file];
    read.extend(source.taken.logins.iter().filter_map(|entry| entry.file.as_deref()));
    read.dedup();
    read.into_iter().for_each(files::warn_of_others);
    for entry in &source.taken.logins {
        for note in &entry.notes {
            terminal::warn(format_args!("{}: {note}", shown(entry)));
        }
    }
    for left in &source.taken.left {
        terminal::warn(format_args!("left out: {}: {}", left.what, left.why));
    }
}

fn shown(entry: &Entry) -> String {
    match &entry.name {
        Some(name) => format!("{} {name}", entry.provider),
        None => entry.provider.to_owned(),
    }
}

/// The providers' rules, and the danger of two programs with one login, are said before the login is there.
pub(super) fn tell_of_sharing(sources: &[Source], mode: Mode) {
    let mut told = Vec::new();
    for entry in sources.iter().flat_map(|source| &source.taken.logins) {
        if entry.found.login.credential.kind() == CredentialKind::Oauth && !told.contains(&entry.provider) {
            told.push(entry.provider);
            tell_the_rule(entry.provider);
        }
    }
    let shared = |source: &&Source| source.taken.logins.iter().any(|entry| entry.found.shared_rotation);
    let mut programs: Vec<_> = sources.iter().filter(shared).map(|source| source.taken.by).collect();
    programs.dedup();
    if programs.is_empty() {
        return;
    }
    let programs = programs.join(", ");
    if mode.take_over {
        terminal::warn(format_args!(
            "these vendors use refresh tokens up: from the next renewal here {programs} is logged out, and a renewal there logs \
             byok out; xAI ends both. Stop {programs} now, and delete its files afterwards."
        ));
    } else {
        terminal::say(format_args!(
            "byok follows logins that two programs cannot share: it reads the file again when the token ends and leaves the \
             renewal to {programs}. `--take-over` renews them here, which logs {programs} out; `byok login` makes a login of its own."
        ));
    }
}

/// A login that is taken over, of this file and program.
pub(super) struct Chosen {
    file: PathBuf,
    by: &'static str,
    entry: Entry,
}

/// The logins that can be taken over. What is left out is told.
pub(super) fn chosen(sources: Vec<Source>, mode: Mode) -> Vec<Chosen> {
    let mut chosen = Vec::new();
    for source in sources {
        let (file, by) = (source.file, source.taken.by);
        for entry in source.taken.logins {
            if entry.found.shared_rotation && !entry.live && !mode.take_over {
                let name = shown(&entry);
                terminal::warn(format_args!(
                    "left out: {name}: this file is a copy, which byok cannot follow; `--take-over` renews it here, which logs \
                     out whoever else uses it"
                ));
                continue;
            }
            chosen.push(Chosen { file: file.clone(), by, entry });
        }
    }
    chosen
}

impl Chosen {
    /// What its vendor is asked. Of what will not be used nobody is asked.
    pub(super) fn question(
        &self,
        config: &Config,
    ) -> Result<(ProviderId, Option<Vendor>, NewLogin), Trouble> {
        let Self { entry, .. } = self;
        let off = entry.disabled || entry.ended.is_some();
        let vendor = logins::vendor(entry.provider, config).ok().filter(|_| !off);
        Ok((provider_id(entry.provider)?, vendor.map(|(_, vendor)| vendor), entry.found.login.clone()))
    }
}

/// Stores logins, one by one, with what their vendors say: what goes wrong with one of them is told, and the others go on.
/// Returns how many there are in byok now.
pub(super) async fn take(
    (store, config): (&Store, &Config),
    chosen: Vec<Chosen>,
    asked: impl IntoIterator<Item = files::Asked>,
    mode: Mode,
) -> Result<usize, Trouble> {
    let (mut done, mut arrived) = (0, Vec::new());
    for (Chosen { file, by, mut entry }, asked) in chosen.into_iter().zip(asked) {
        let name = shown(&entry);
        let taken = match asked {
            Ok((login, note)) => {
                entry.found.login = login;
                take_one(store, &file, entry, by, (note, mode)).await
            }
            Err(trouble) => Err(trouble),
        };
        match taken {
            Ok((said, new)) => {
                terminal::say(said);
                arrived.extend(new);
                done += 1;
            }
            Err(trouble) => terminal::warn(format_args!("left out: {name}: {}", trouble.in_one_line())),
        }
    }
    tell_of_arrivals(store, config, &arrived).await?;
    Ok(done)
}

/// What is said of a login, and its account if it is a new one.
async fn take_one(
    store: &Store,
    file: &Path,
    entry: Entry,
    by: &str,
    (note, mode): (Option<&str>, Mode),
) -> Result<(String, Option<Account>), Trouble> {
    let note = note.map(|note| format!("{}: {note}", shown(&entry)));
    let id = provider_id(entry.provider)?;
    // Looked for at its place even if it is to be renewed here from now on.
    let known = known_account(store, &id, &placed(file, &entry, Mode { take_over: false, ..mode })).await?;
    let login = placed(file, &entry, mode);
    let credential = login.credential.clone();
    if let Some(known) = &known
        && matches!(
            known.state,
            AccountState::Ready | AccountState::ExtraUsage | AccountState::Disabled { .. }
        )
        && !is_newer(store, known, &login).await?
    {
        return Ok((format!("known already: {id}: {}; what byok has is not older", known.label), None));
    }
    let is_new = known.is_none();
    let labels = labels(entry.name, by, !is_new);
    let account = save(store, &id, known.as_ref(), login, &labels).await?;
    // What its owner has switched off stays so.
    let why = entry
        .ended
        .map(str::to_owned)
        .or_else(|| entry.disabled.then(|| format!("it is switched off in {by}")));
    let off = match known.map(|known| known.state) {
        Some(state @ AccountState::Disabled { .. }) => Some(state),
        _ => why.map(|why| AccountState::Disabled { reason: Some(why) }),
    };
    let said = done(&account, &credential, by, off.is_some());
    if let Some(off) = off {
        store.accounts.set_state(&account.id, off).await?;
    }
    let missing = consent::missing(&account, &credential);
    let said = [Some(said), note, missing].into_iter().flatten().collect::<Vec<_>>().join("\n");
    Ok((said, Some(account).filter(|_| is_new)))
}

/// What became of a login: only what is renewed here from now on was taken over.
pub(super) fn done(account: &Account, credential: &Credential, by: &str, off: bool) -> String {
    let Account { provider, label, .. } = account;
    let follows = matches!(credential, Credential::Oauth(tokens) if followed(tokens).is_some());
    let (what, of) =
        if follows { ("followed", format!(" (of {by})")) } else { ("taken over", String::new()) };
    let off = if off {
        format!(
            "; it is switched off, `byok accounts enable {provider} {}` switches it on",
            account_flag(label)
        )
    } else {
        String::new()
    };
    let ends = match credential {
        Credential::Oauth(tokens) => ends_at(tokens),
        Credential::ApiKey(_) => None,
    };
    let ends =
        ends.map(|end| format!("\n{}", end_of(provider.as_str(), label, end - now()))).unwrap_or_default();
    format!("{what} for {provider}: {label}{of}{off}{ends}")
}

/// The names for a new account, in the order in which they are tried; at the end byok's own.
fn labels(name: Option<String>, by: &str, known: bool) -> Vec<Option<String>> {
    let name = name.filter(|name| !known && check_name(name).is_ok());
    let mut labels: Vec<_> =
        name.into_iter().flat_map(|name| [format!("{name} ({by})"), name]).map(Some).collect();
    labels.reverse();
    labels.push(None);
    labels
}

async fn save(
    store: &Store,
    id: &ProviderId,
    known: Option<&Account>,
    login: NewLogin,
    labels: &[Option<String>],
) -> Result<Account, Trouble> {
    let mut result = None;
    for label in labels {
        let save = SaveLogin {
            provider: id,
            account: known.map(|account| &account.id),
            label: label.as_deref(),
            claims: &[],
        };
        match save_login(store, &SystemClock, login.clone(), save).await {
            Ok(account) => return Ok(account),
            Err(error) => result = Some(error),
        }
    }
    Err(result.map_or_else(|| Trouble::new(Exit::Failure, "the account has no name"), Trouble::from))
}

/// Whether the tokens end later than those of the account, or are renewed here from now on.
async fn is_newer(store: &Store, known: &Account, login: &NewLogin) -> Result<bool, Trouble> {
    let Credential::Oauth(new) = &login.credential else { return Ok(false) };
    let Some(Credential::Oauth(old)) = store.secrets.load(&known.id).await? else { return Ok(true) };
    let taken_over = followed(&old).is_some() && followed(new).is_none();
    Ok(taken_over || (new.access.hash() != old.access.hash() && new.expires_at > old.expires_at))
}
