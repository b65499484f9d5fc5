//! Credentials that other programs have stored on this machine: the vendors' own, and programs like byok ([`peers`]).

mod byokey;
mod ccproxy;
mod cliproxy;
mod kiroproxy;
mod octoproxy;
mod opencode;
pub mod peers;
mod record;
mod time;

pub use peers::{Entry, LARGEST_DATABASE, LARGEST_FILE, Left, Taken, is_database};
pub use record::ended as service_ended;

use crate::NewLogin;
use byok_types::{Blame, Fault, Retry};
use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

/// A place where a vendor's program keeps its login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Which program, in a word or two.
    pub by: &'static str,
    /// File.
    pub file: PathBuf,
}

/// A login that was found in a file.
#[derive(Clone, Debug)]
pub struct Found {
    /// The login.
    pub login: NewLogin,
    /// Whether the vendor uses refresh tokens up, so that of two programs with one token only one stays logged in.
    pub shared_rotation: bool,
}

/// Why a file could not be taken over. The texts contain nothing of its content.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ImportError {
    /// It is not what the program writes.
    #[error("the file is not one that `{by}` writes ({why}); log in there again, or with `byok login`")]
    NotReadable {
        /// The program.
        by: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The program keeps its login elsewhere.
    #[error("there is no login in the file: {why}")]
    Nothing {
        /// Where it may be, and what to do.
        why: &'static str,
    },
    /// It is what one of the programs writes, but not whole.
    #[error("the file is damaged: {why}; stop the program that writes it, and try again")]
    Damaged {
        /// What is wrong with it.
        why: &'static str,
    },
    /// It is of no kind that byok knows.
    #[error(
        "byok does not know this kind of file: {why}; it reads its own export, and the logins of CLIProxyAPI, BYOKEY, CCProxy, \
         KiroProxy, OctoProxy and opencode"
    )]
    Unknown {
        /// What it is instead.
        why: &'static str,
    },
}

impl Fault for ImportError {
    fn blame(&self) -> Blame {
        Blame::Client
    }

    fn retry(&self) -> Retry {
        Retry::AfterPerson
    }
}

/// Reads what one vendor's programs have stored.
pub trait Import: Send + Sync {
    /// Where it may lie, the likeliest first. `home` is the home directory, `variable` looks up the environment.
    fn places(&self, home: &Path, variable: &dyn Fn(&str) -> Option<String>) -> Vec<Kept>;

    /// The largest file that can be one, in bytes.
    fn largest(&self) -> u64 {
        1 << 20
    }

    /// Reads the content of such a file, as of Unix time `now`. `name` is the name of the file without its directory.
    fn read(&self, name: &str, content: &[u8], now: i64) -> Result<Vec<Found>, ImportError>;

    /// The same for a program that spreads its login over several files: `beside` reads another file of the same directory.
    fn read_beside(
        &self,
        name: &str,
        content: &[u8],
        beside: &dyn Fn(&str) -> Option<Vec<u8>>,
        now: i64,
    ) -> Result<Vec<Found>, ImportError> {
        let _ = beside;
        self.read(name, content, now)
    }
}

/// Reads files that lie beside `file`, up to `largest` bytes, by names without a directory, and with `../` before the name those of
/// the directory above. A path from the root is read, too, if it is that of a JSON file: some programs name the files of their
/// logins so.
pub fn neighbours(file: &Path, largest: u64) -> impl Fn(&str) -> Option<Vec<u8>> + use<> {
    let directory = file.parent().map(Path::to_owned);
    move |name| {
        let named = Path::new(name);
        let (name, up) = name.strip_prefix("../").map_or((name, false), |name| (name, true));
        let plain = Path::new(name).file_name().is_some_and(|only| only == name);
        let whole = named.is_absolute() && named.extension().is_some_and(|ending| ending == "json");
        let beside = if whole {
            named.to_owned()
        } else {
            let directory = directory.as_deref().filter(|_| plain)?;
            // A directory that is named by a relative path has no parent in its name.
            if up { directory.join("..").join(name) } else { directory.join(name) }
        };
        let open =
            File::open(beside).ok().filter(|open| open.metadata().is_ok_and(|about| about.is_file()))?;
        let mut content = Vec::new();
        open.take(largest).read_to_end(&mut content).ok()?;
        Some(content)
    }
}
