use crate::tree::{Spot, TextLayer, path::KeyPath};
use byok_types::{Blame, Fault, Retry};
use serde::Serialize;
use std::{fmt, path::PathBuf};

/// One thing that is wrong with the settings, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Where it was written: `config.yaml:14:7`, the name of a variable, or a flag.
    pub place: String,
    /// The setting; empty for the file as a whole.
    pub path: String,
    /// What is wrong; never contains a value.
    pub what: String,
    /// What to do, or empty where `what` says it.
    pub hint: String,
    /// Layer, line and column: the order in which people read.
    #[serde(skip)]
    pub(crate) order: (u8, u32, u32),
}

impl Problem {
    pub(crate) fn new(spot: &Spot, path: &KeyPath, what: impl Into<String>, hint: impl Into<String>) -> Self {
        let order = match spot {
            Spot::Flag(_) => (0, 0, 0),
            Spot::Env(_) => (1, 0, 0),
            Spot::Text { layer: TextLayer::File, line, column, .. } => (2, *line, *column),
            Spot::Text { layer: TextLayer::Overlay, line, column, .. } => (3, *line, *column),
            Spot::Default => (4, 0, 0),
        };
        Self { place: spot.to_string(), path: path.shown(), what: what.into(), hint: hint.into(), order }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)?;
        if !self.path.is_empty() {
            write!(f, ": {}", self.path)?;
        }
        write!(f, ": {}", self.what)?;
        if !self.hint.is_empty() {
            write!(f, "\n  {}", self.hint)?;
        }
        Ok(())
    }
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// The settings cannot be used. `Display` is the whole text for the person, one place per paragraph.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The settings were read and are wrong.
    #[error("{}", lines(.0))]
    Invalid(Vec<Problem>),
    /// A file that was asked for is not there.
    #[error("{}: no such file\n  create it, or leave out `--config` and `BYOK_CONFIG` to run without one", .path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file was there and is not any more.
    #[error("{}: the file is gone; the settings read before stay in use\n  put it back, or restart byok to run without it", .path.display())]
    Gone {
        /// The file.
        path: PathBuf,
    },
    /// The file held settings and is now empty, as a full disk or a half-finished write leaves it.
    #[error("{}: the file is now empty; the settings read before stay in use\n  write `{{}}` into it if all defaults are meant", .path.display())]
    Emptied {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be read.
    #[error("{}: cannot be read: {source}\n  check that it is a UTF-8 text file and that this user may read it", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("{}: cannot be written: {source}\n  check the permissions of its directory and the space on the disk", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The directory of the settings cannot be watched.
    #[error(
        "the settings cannot be watched for changes: {0}\n  raise the limit of file watches of this machine (on Linux `fs.inotify.max_user_instances`)"
    )]
    Watch(#[from] notify::Error),
    /// Neither `HOME` nor `USERPROFILE` says where the person's files are.
    #[error("the home directory is not known\n  set `HOME`, or name the files with `--config` and `--db`")]
    NoHome,
    /// There is no place for settings that byok writes itself.
    #[error(
        "there is no overlay file in this set-up\n  start byok with a configuration file to let it keep settings of its own"
    )]
    NoOverlay,
    /// The text does not name a setting that can be written.
    #[error(
        "`{0}` does not name a setting\n  write keys with dots between them, such as `aliases.fast` or `aliases.\"gpt-4.1\"`"
    )]
    BadPath(String),
}

impl ConfigError {
    /// The problems in the order of layers and lines.
    pub(crate) fn invalid(mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| problem.order);
        Self::Invalid(problems)
    }

    /// The single problems, for tools that show them as a list; empty for errors that are not about a setting.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Invalid(problems) => problems,
            _ => &[],
        }
    }
}

impl Fault for ConfigError {
    fn blame(&self) -> Blame {
        Blame::Byok
    }

    fn retry(&self) -> Retry {
        Retry::AfterPerson
    }
}
