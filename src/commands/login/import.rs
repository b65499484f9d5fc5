//! Taking over a login that a vendor's own program keeps on this machine.

use crate::{
    place::Place,
    terminal,
    trouble::{Exit, Trouble},
};
use byok_auth::{
    Clock as _, Found, Import, ImportError, Kept, LARGEST_FILE, LoginError, NewLogin, SystemClock, Vendor,
    ask_owner, follow, followed, learn_owners, neighbours, peers, refuse_foreign, refuse_foreign_login,
    used_up_by,
};
use byok_config::paths;
use byok_store::Store;
use byok_transport::Transport;
use byok_types::{Account, AccountState, Credential, ProviderId, Secret};
use futures_util::future::{join, join_all};
use serde::de::IgnoredAny;
use std::{
    fs::{self, File},
    io::Read as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

/// How often a file is read that its program may be writing, and the time in between.
pub(in crate::commands) const TRIES: u32 = 3;
pub(in crate::commands) const PAUSE: Duration = Duration::from_millis(200);

/// A file of a program, and the logins in it.
pub(in crate::commands) struct Seen {
    pub(in crate::commands) by: &'static str,
    pub(in crate::commands) file: PathBuf,
    pub(in crate::commands) found: Vec<Found>,
}

/// A file of a program that holds no login, or none that can be read.
pub(in crate::commands) struct Unread {
    by: &'static str,
    file: PathBuf,
    trouble: Trouble,
    /// Whether it is as it should be: its program has logged out, for example.
    empty: bool,
}

impl Unread {
    /// Whether the file holds logins, only of another provider.
    pub(in crate::commands) fn belongs_to<'s>(&self, mut seen: impl Iterator<Item = &'s Seen>) -> bool {
        self.empty && seen.any(|one| one.file == self.file && !one.found.is_empty())
    }

    /// Says it, and goes on without.
    pub(in crate::commands) fn warn(&self) {
        terminal::warn(format_args!("{}: {}", self.file.display(), self.trouble.parts().0));
    }
}

/// Everything that a vendor's programs keep on this machine, and what of it cannot be read.
pub(in crate::commands) async fn look(
    place: &Place,
    id: &ProviderId,
    vendor: &Vendor,
) -> (Vec<Seen>, Vec<Unread>) {
    let (mut seen, mut unread): (Vec<Seen>, Vec<Unread>) = (Vec::new(), Vec::new());
    let (Some(import), Ok(home)) = (&vendor.import, home(place)) else { return (seen, unread) };
    let variable = |name: &str| place.variable(name).map(str::to_owned);
    for Kept { by, file } in import.places(&home, &variable) {
        if !file.exists() || seen.iter().any(|known| known.file == file) {
            continue;
        }
        match read_found(id, vendor, &**import, &file).await {
            Ok(found) => seen.push(Seen { by, file, found }),
            Err((trouble, empty)) => unread.push(Unread { by, file, trouble, empty }),
        }
    }
    (seen, unread)
}

/// The logins of a file. One that is no whole JSON may be half written, so it is read again. The second value of a failure says
/// whether the file is as it should be.
async fn read_found(
    id: &ProviderId,
    vendor: &Vendor,
    import: &dyn Import,
    file: &Path,
) -> Result<Vec<Found>, (Trouble, bool)> {
    let broken = |trouble| (trouble, false);
    let mut content = read(file, import.largest()).map_err(broken)?;
    for again in (0..TRIES).rev() {
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let beside = neighbours(file, import.largest());
        match import.read_beside(&name, &content, &beside, SystemClock.now()) {
            Ok(found) => {
                return of_its_vendor(id, &content, found).map_err(|error| broken(error.into()));
            }
            Err(ImportError::NotReadable { .. }) if again > 0 => {}
            Err(error) => {
                let empty = matches!(error, ImportError::Nothing { .. });
                return Err((explained(id, vendor, file, &content, &error), empty));
            }
        }
        tokio::time::sleep(PAUSE).await;
        content = content_of(file, import.largest()).map_err(broken)?;
    }
    Ok(Vec::new())
}

/// What was found in a file, unless the file or its tokens evidently are another vendor's.
fn of_its_vendor(id: &ProviderId, content: &[u8], found: Vec<Found>) -> Result<Vec<Found>, LoginError> {
    if let Ok(text) = std::str::from_utf8(content) {
        refuse_foreign(id, &Secret::new(text))?;
    }
    found.iter().try_for_each(|found| refuse_foreign_login(id, &found.login))?;
    Ok(found)
}

/// The login of a file, or the first that the vendor's programs keep.
pub(super) async fn one(
    place: &Place,
    id: &ProviderId,
    vendor: &Vendor,
    file: Option<&Path>,
    take_over: bool,
) -> Result<NewLogin, Trouble> {
    let Some(import) = &vendor.import else { return Err(nothing(id, vendor)) };
    let (file, mut found) = if let Some(file) = file {
        let found = read_found(id, vendor, &**import, file).await;
        (file.to_owned(), found.map_err(|(trouble, _)| trouble)?)
    } else {
        let (seen, mut unread) = look(place, id, vendor).await;
        let first = seen.into_iter().find(|seen| !seen.found.is_empty());
        if first.is_none()
            && let Some(broken) = unread.iter().position(|one| !one.empty)
        {
            let Unread { by, file, trouble, .. } = unread.swap_remove(broken);
            return Err(trouble.while_trying(format!("`{}` of {by} cannot be taken over", file.display())));
        }
        unread.iter().for_each(Unread::warn);
        let first = first.ok_or_else(|| nothing(id, vendor))?;
        terminal::say(format_args!("found a login of {} in {}", first.by, first.file.display()));
        (first.file, first.found)
    };
    if found.len() > 1 {
        terminal::warn(format_args!("the file holds {} logins; the first is taken", found.len()));
    }
    if found.is_empty() {
        return Err(nothing(id, vendor));
    }
    let found = found.swap_remove(0);
    if found.shared_rotation {
        tell_of_sharing(take_over);
    }
    Ok(kept(found, &file, take_over))
}

/// What the login that byok has of the account has over that of a file, if it works, so that it stays. Where a vendor uses
/// refresh tokens up, those of a file that ends sooner are spent.
pub(super) async fn better_than(
    store: &Store,
    known: &Account,
    login: &NewLogin,
) -> Result<Option<&'static str>, Trouble> {
    let works = matches!(known.state, AccountState::Ready | AccountState::ExtraUsage);
    let another = matches!((&known.identity, &login.details.identity), (Some(old), Some(new)) if old != new);
    let Credential::Oauth(new) = &login.credential else { return Ok(None) };
    if !works || another {
        return Ok(None);
    }
    // One that does not open is no login that works.
    let Ok(Some(Credential::Oauth(old))) = store.secrets.load(&known.id).await else { return Ok(None) };
    let spent = used_up_by(store, &known.provider, login).await?.is_some_and(|by| by.id == known.id);
    let (follows, new_follows) = (followed(&old).is_some(), followed(new).is_some());
    let own = !follows && (old.refresh.is_some() || new.refresh.is_none());
    let ends_later = matches!((old.expires_at, new.expires_at), (Some(old), Some(new)) if old > new);
    if spent || (own && ends_later && old.access.hash() != new.access.hash()) {
        return Ok(Some("is newer than"));
    }
    let ends_for_good = new.refresh.is_none() && !new_follows && (old.refresh.is_some() || follows);
    Ok(ends_for_good.then_some("is renewed when it ends, unlike"))
}

/// What it means that two programs have a login whose vendor uses refresh tokens up.
pub(in crate::commands) fn tell_of_sharing(take_over: bool) {
    if take_over {
        terminal::warn(
            "this vendor uses refresh tokens up: from its next renewal here the other program is logged out, and a renewal \
             there logs byok out. Log in there again to end that.",
        );
    } else {
        terminal::say(
            "byok follows this login: it reads the file again when the token ends and leaves the renewal to the other program. \
             `--take-over` renews it here, which logs the other program out; `byok login` without --import makes a login of its own.",
        );
    }
}

/// The login as it is stored: followed where the vendor uses refresh tokens up, unless it is to be taken over.
pub(in crate::commands) fn kept(found: Found, file: &Path, take_over: bool) -> NewLogin {
    if !found.shared_rotation || take_over {
        return found.login;
    }
    let file = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    follow(found.login, &file)
}

/// What is said of a login whose vendor has not said that it takes the tokens.
const NOT_CONFIRMED: &str = "the vendor has not confirmed this token: it cannot be reached now, or cannot be asked without a request. \
                             The first request shows whether it works.";
const IS_RENEWED_FIRST: &str = "the vendor has not confirmed this login, because its token is renewed before it is used. The renewal shows whether it works.";

/// A login as its vendor knows it, and what its owner should know of it.
pub(in crate::commands) type Asked = Result<(NewLogin, Option<&'static str>), Trouble>;

/// The login with what the vendor says of its owner. Of one that the vendor does not confirm it is said.
pub(in crate::commands) async fn asked(
    store: &Store,
    (id, vendor): (&ProviderId, &Vendor),
    transport: &Transport,
    login: NewLogin,
) -> Result<NewLogin, Trouble> {
    let asked = ask_all(store, transport, vec![(id.clone(), Some(vendor.clone()), login)]).await?;
    let Some(asked) = asked.into_iter().next() else {
        return Err(Trouble::new(Exit::Failure, "nobody was asked whose login it is"));
    };
    let (login, note) = asked?;
    note.into_iter().for_each(terminal::say);
    Ok(login)
}

/// Asks the vendors of all these logins at the same time whose they are, and of those that are there without a name. Those
/// without a vendor stay as they are.
pub(in crate::commands) async fn ask_all(
    store: &Store,
    transport: &Transport,
    logins: Vec<(ProviderId, Option<Vendor>, NewLogin)>,
) -> Result<Vec<Asked>, Trouble> {
    let mut providers: Vec<(ProviderId, Vendor)> = Vec::new();
    for (id, vendor, _) in &logins {
        if let Some(vendor) = vendor.as_ref().filter(|_| providers.iter().all(|(known, _)| known != id)) {
            providers.push((id.clone(), vendor.clone()));
        }
    }
    let nameless =
        providers.iter().map(|(id, vendor)| learn_owners(store, &*vendor.refresher, transport, id));
    let asked = logins.into_iter().map(async |(id, vendor, login)| {
        let Some(vendor) = vendor else { return Ok((login, None)) };
        let ended = matches!(&login.credential, Credential::Oauth(tokens)
            if tokens.expires_at.is_some_and(|end| end <= SystemClock.now()));
        let (login, confirmed) = ask_owner(&id, &*vendor.refresher, transport, login).await?;
        let note = if ended { IS_RENEWED_FIRST } else { NOT_CONFIRMED };
        Ok((login, (!confirmed).then_some(note)))
    });
    let (learned, asked) = join(join_all(nameless), join_all(asked)).await;
    learned.into_iter().collect::<Result<(), _>>()?;
    Ok(asked)
}

fn nothing(id: &ProviderId, vendor: &Vendor) -> Trouble {
    if vendor.import.is_none() {
        return Trouble::new(Exit::Usage, format!("no program keeps a login of `{id}` that byok can read"))
            .hint(format!("use `byok login {id}`"));
    }
    // A token that another program hands out on request: `gh auth token` does.
    let token = vendor.methods.iter().find(|method| method.name == "token").map(|method| method.what);
    let token = token.map(|what| format!(", or `byok login {id} --method token` to {what}"));
    Trouble::new(Exit::NotAllowed, format!("no program on this machine keeps a login of `{id}`")).hint(
        format!("name its file with `--import FILE`, or use `byok login {id}`{}", token.unwrap_or_default()),
    )
}

pub(in crate::commands) fn home(place: &Place) -> Result<PathBuf, Trouble> {
    let home = place.variable("HOME").map(PathBuf::from);
    home.or_else(|| paths::directory(&place.0.env).ok()?.parent().map(Path::to_owned))
        .ok_or_else(|| Trouble::new(Exit::Config, "there is no home directory to look in").hint("set HOME"))
}

/// Why a file holds no login of a vendor, and what helps.
fn explained(id: &ProviderId, vendor: &Vendor, file: &Path, content: &[u8], error: &ImportError) -> Trouble {
    if let Some(cut) = cut_off(content) {
        return Trouble::new(Exit::BadData, cut)
            .hint(format!("copy it again as a whole, log in there again, or use `byok login {id}`"));
    }
    let trouble = unreadable(error);
    // Which program it is of says more than what it lacks to be that of another one.
    let others = peers::whose(content).filter(|why| !why.contains(&format!("`byok login {id} ")));
    if let Some((what, hint)) = others.and_then(|why| why.rsplit_once("; ")) {
        return Trouble::new(Exit::BadData, format!("the file holds no login of `{id}`: {what}")).hint(hint);
    }
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let largest = vendor.import.as_ref().map_or(LARGEST_FILE, |import| import.largest());
    match peers::read(&name, content, &neighbours(file, largest), SystemClock.now()) {
        Ok(taken) => trouble.hint(format!("it is one of {}; use `byok accounts import FILE`", taken.by)),
        Err(_) => trouble,
    }
}

/// What is said of a file of which the end is missing.
fn cut_off(content: &[u8]) -> Option<&'static str> {
    let content = content.trim_ascii();
    let json = content.starts_with(b"{") || content.starts_with(b"[");
    let unfinished = || serde_json::from_slice::<IgnoredAny>(content).is_err_and(|error| error.is_eof());
    if content.is_empty() {
        Some("the file is empty")
    } else {
        (json && unfinished()).then_some("the file is cut off: its JSON has no end")
    }
}

/// A file that is none: what it is, and what helps.
pub(in crate::commands) fn unreadable(error: &ImportError) -> Trouble {
    let text = error.to_string();
    match text.rsplit_once("; ") {
        Some((what, hint)) => Trouble::new(Exit::BadData, what).hint(hint),
        None => Trouble::new(Exit::BadData, text),
    }
}

/// Reads a file that holds a login. What it is and who may read it is looked at first.
pub(in crate::commands) fn read(file: &Path, largest: u64) -> Result<Vec<u8>, Trouble> {
    let content = read_quietly(file, largest)?;
    warn_of_others(file);
    Ok(content)
}

/// Says it if others can read a file.
pub(in crate::commands) fn warn_of_others(file: &Path) {
    if fs::metadata(file).is_ok_and(|about| about.permissions().mode() & 0o077 != 0) {
        terminal::warn(format_args!(
            "`{}` can be read by others on this machine; `chmod 600` keeps the login to yourself",
            file.display()
        ));
    }
}

/// Reads a file without saying who else can.
pub(in crate::commands) fn read_quietly(file: &Path, largest: u64) -> Result<Vec<u8>, Trouble> {
    let shown = file.display();
    let failed = |error: &std::io::Error| cannot_be_read(file, error);
    let link = fs::symlink_metadata(file).map_err(|error| failed(&error))?;
    if link.is_symlink() {
        let target = fs::canonicalize(file).map_err(|error| failed(&error))?;
        terminal::warn(format_args!("`{shown}` is a link to `{}`", target.display()));
    }
    content_of(file, largest)
}

/// The content of a file, without a word about what else it is.
fn content_of(file: &Path, largest: u64) -> Result<Vec<u8>, Trouble> {
    let shown = file.display();
    let failed = |error: &std::io::Error| cannot_be_read(file, error);
    // Looked at before it is opened: opening a pipe waits until somebody writes to it.
    let about = fs::metadata(file).map_err(|error| failed(&error))?;
    if !about.is_file() {
        return Err(Trouble::new(Exit::BadData, format!("`{shown}` is not a file"))
            .hint("name the file that holds the login"));
    }
    if about.len() > largest {
        return Err(too_large(file, about.len()));
    }
    let open = File::open(file).map_err(|error| failed(&error))?;
    let mut content = Vec::new();
    open.take(largest).read_to_end(&mut content).map_err(|error| failed(&error))?;
    Ok(content)
}

fn cannot_be_read(file: &Path, error: &std::io::Error) -> Trouble {
    Trouble::new(Exit::BadData, format!("the file `{}` cannot be read", file.display()))
        .because(error)
        .hint("name the file that holds the login")
}

/// No login is that large.
pub(in crate::commands) fn too_large(file: &Path, bytes: u64) -> Trouble {
    Trouble::new(Exit::BadData, format!("`{}` is too large for a login ({bytes} bytes)", file.display()))
        .hint("name the file that holds the login")
}

#[cfg(test)]
mod tests;
