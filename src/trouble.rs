//! How a command fails: what failed, why, what helps, and the exit code.

use byok_auth::LoginError;
use byok_config::ConfigError;
use byok_proxy::{ControlError, ServeError};
use byok_simulator::SimError;
use byok_store::StoreError;
use byok_transport::TransportError;
use std::{error::Error, fmt, process::ExitCode};

/// The exit codes. Those above 2 are the ones of `sysexits.h`, so that scripts can tell the cases apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Anything that has no code of its own.
    Failure = 1,
    /// The command line asks for something that does not exist.
    Usage = 2,
    /// What was given or stored cannot be read.
    BadData = 65,
    /// A vendor, or the running byok, cannot be reached.
    Unavailable = 69,
    /// A port, socket or file cannot be made.
    CannotCreate = 73,
    /// It may work in a moment.
    TryAgain = 75,
    /// A login or a permission is missing.
    NotAllowed = 77,
    /// The settings are wrong.
    Config = 78,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A failed command. `Display` is the whole text for the person, without colour.
#[derive(Debug)]
pub(crate) struct Trouble {
    exit: Exit,
    what: String,
    /// Whole lines that belong to `what`: a list of places, for example.
    lines: Vec<String>,
    causes: Vec<String>,
    hint: Option<String>,
}

impl Trouble {
    /// `what` begins in lower case and has no full stop.
    pub(crate) fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self { exit, what: what.into(), lines: Vec::new(), causes: Vec::new(), hint: None }
    }

    /// The same with what helps: a command or a setting.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with an error and everything behind it as causes. What an error quotes of the next is not repeated.
    pub(crate) fn because(mut self, error: &dyn Error) -> Self {
        for cause in std::iter::successors(Some(error), |&error| error.source()) {
            let text = cause.to_string();
            if !self.causes.iter().chain([&self.what]).any(|said| said.contains(&text)) {
                self.causes.push(text);
            }
        }
        self
    }

    /// The same as the cause of something larger; the hint and the exit code stay.
    pub(crate) fn while_trying(mut self, what: impl Into<String>) -> Self {
        let inner = std::mem::replace(&mut self.what, what.into());
        self.causes.insert(0, inner);
        self
    }

    /// From an error whose text ends in what to do, behind the last `mark`.
    fn split(exit: Exit, error: &(dyn Error + 'static), mark: &str) -> Self {
        let text = error.to_string();
        let trouble = match text.rsplit_once(mark) {
            Some((what, remedy)) => Self::new(exit, what).hint(remedy),
            None => Self::new(exit, text),
        };
        match error.source() {
            Some(source) => trouble.because(source),
            None => trouble,
        }
    }

    pub(crate) const fn exit(&self) -> Exit {
        self.exit
    }

    /// The parts, for whoever prints them: the headline, the lines below it, and the hint.
    pub(crate) fn parts(&self) -> (&str, Vec<String>, Option<&str>) {
        let lines = self.lines.iter().map(|line| format!("  {line}"));
        let causes = self.causes.iter().map(|cause| format!("  caused by: {cause}"));
        (&self.what, lines.chain(causes).collect(), self.hint.as_deref())
    }
}

impl Trouble {
    /// What failed and what helps, for a list of which each item is one line.
    pub(crate) fn in_one_line(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{}; {hint}", self.what),
            None => self.what.clone(),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, lines, hint) = self.parts();
        write!(f, "error: {what}")?;
        lines.iter().try_for_each(|line| write!(f, "\n{line}"))?;
        hint.map_or(Ok(()), |hint| write!(f, "\n\nhint: {hint}"))
    }
}

impl From<ConfigError> for Trouble {
    fn from(error: ConfigError) -> Self {
        let text = error.to_string();
        if matches!(error, ConfigError::Invalid(_)) {
            let mut trouble = Self::new(Exit::Config, "the settings cannot be used");
            trouble.lines = text.lines().map(str::to_owned).collect();
            return trouble.hint("mend this where it stands; `byok config check` reads the settings again");
        }
        // The other texts are one sentence, and one line with what to do.
        match text.split_once('\n') {
            Some((what, remedy)) => Self::new(Exit::Config, what).hint(remedy.trim()),
            None => Self::new(Exit::Config, text),
        }
    }
}

impl Exit {
    /// How a command ends that the store has failed.
    pub(crate) const fn of_store(error: &StoreError) -> Self {
        match error {
            StoreError::NotOwner { .. } | StoreError::Exposed { .. } | StoreError::ReadOnly { .. } => {
                Self::NotAllowed
            }
            StoreError::Unsealable
            | StoreError::KeyMissing { .. }
            | StoreError::KeyMalformed { .. }
            | StoreError::KeyWrong { .. }
            | StoreError::KeyElsewhere { .. }
            | StoreError::Foreign { .. }
            | StoreError::Newer { .. }
            | StoreError::Damaged { .. } => Self::BadData,
            StoreError::Io { .. } | StoreError::Full { .. } | StoreError::NotAFile { .. } => {
                Self::CannotCreate
            }
            StoreError::Busy { .. } => Self::TryAgain,
            StoreError::NoSuchAccount
            | StoreError::LabelTaken
            | StoreError::ClientKeyTaken
            | StoreError::NoRandomness
            | StoreError::Database { .. }
            | StoreError::Closed => Self::Failure,
        }
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::split(Exit::of_store(&error), &error, ": ")
    }
}

impl From<TransportError> for Trouble {
    fn from(error: TransportError) -> Self {
        let exit = match &error {
            TransportError::BadUrl { .. }
            | TransportError::HostNotAllowed { .. }
            | TransportError::NotEncrypted { .. }
            | TransportError::BadCa { .. }
            | TransportError::Setup { .. } => Exit::Config,
            _ => Exit::Unavailable,
        };
        // Its text names the innermost cause; the layers above it only say that something failed.
        let text = error.to_string();
        match text.rsplit_once("; ") {
            Some((what, remedy)) => Self::new(exit, what).hint(remedy),
            None => Self::new(exit, text),
        }
    }
}

impl From<ControlError> for Trouble {
    fn from(error: ControlError) -> Self {
        let exit = match &error {
            ControlError::Running(_) | ControlError::NotASocket(_) | ControlError::Bind { .. } => {
                Exit::CannotCreate
            }
            ControlError::NotOurs(_) => Exit::NotAllowed,
            ControlError::NotRunning => Exit::Unavailable,
            ControlError::NoAnswer(_) => Exit::TryAgain,
        };
        Self::split(exit, &error, "; ")
    }
}

impl From<ServeError> for Trouble {
    fn from(error: ServeError) -> Self {
        Self::split(Exit::CannotCreate, &error, "; ")
    }
}

impl From<SimError> for Trouble {
    fn from(error: SimError) -> Self {
        Self::split(Exit::CannotCreate, &error, ": ")
    }
}

impl From<LoginError> for Trouble {
    fn from(error: LoginError) -> Self {
        let exit = match error {
            LoginError::Transport(error) => {
                let what = match error {
                    TransportError::TooLarge { .. }
                    | TransportError::Garbled { .. }
                    | TransportError::Decode { .. } => "the vendor's answer cannot be used",
                    _ => "the vendor could not be reached",
                };
                return Self::from(error).while_trying(what);
            }
            LoginError::Store(error) => {
                return Self::from(error).while_trying("the login could not be stored");
            }
            LoginError::Denied { .. }
            | LoginError::Refused { .. }
            | LoginError::CodeRefused { .. }
            | LoginError::NotBegun { .. }
            | LoginError::NoAccess { .. }
            | LoginError::OtherAccount { .. }
            | LoginError::IsThere { .. }
            | LoginError::Spent { .. }
            | LoginError::OtherKind { .. } => Exit::NotAllowed,
            LoginError::NotACode { .. }
            | LoginError::NotUsable { .. }
            | LoginError::TokenRefused { .. }
            | LoginError::WrongState => Exit::BadData,
            LoginError::Unanswered { .. } | LoginError::SeveralAccounts { .. } => Exit::Usage,
            LoginError::NotReady { .. } => Exit::Config,
            LoginError::TimedOut(_) | LoginError::CodeExpired => Exit::TryAgain,
            LoginError::NoCallback(_) => Exit::CannotCreate,
            LoginError::Busy { .. }
            | LoginError::BadStart
            | LoginError::BadAnswer
            | LoginError::CodeSpent(_) => Exit::Unavailable,
        };
        Self::split(exit, &error, "; ")
    }
}

#[cfg(test)]
mod tests;
