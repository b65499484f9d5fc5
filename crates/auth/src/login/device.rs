//! Logins with a code that a person enters on any device (RFC 8628, and what vendors made of it).

use super::{Answers, LoginError, LoginFuture, NewLogin};
use byok_transport::Transport;
use byok_types::TokenFacts;
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

/// How much longer the wait between two questions gets when the vendor says that it is too short.
const SLOWER: Duration = Duration::from_secs(5);
/// The shortest wait between two questions, whatever a vendor says.
const SHORTEST: Duration = Duration::from_secs(1);
/// The longest wait between two questions.
const LONGEST: Duration = Duration::from_mins(1);

/// A code that waits to be entered.
#[derive(Clone, Debug)]
pub struct DeviceCode {
    /// What the person enters.
    pub user_code: String,
    /// Where.
    pub page: Url,
    /// The same with the code in it, if the vendor has such an address.
    pub page_with_code: Option<Url>,
    /// How long the code is good.
    pub expires_in: Duration,
    /// How long to wait between two questions.
    pub interval: Duration,
    /// What the vendor wants to see again: the device code, a verifier, a registered client.
    pub facts: TokenFacts,
}

/// What a vendor answers to whether the code has been entered.
#[derive(Debug)]
pub enum Polled {
    /// Not yet.
    Pending,
    /// Not yet, and byok asks too often; with the pace that the vendor wants, if it says one.
    SlowDown(Option<Duration>),
    /// Not yet, and byok is not to ask before so long.
    Later(Duration),
    /// Nobody knows: what the vendor, or something in front of it, answers decides nothing. The person may know better.
    Unclear {
        /// What is answered.
        why: String,
        /// How long byok is not to ask, if that is said.
        wait: Option<Duration>,
    },
    /// It has.
    Done(Box<NewLogin>),
}

/// A login with a code, as one provider does it.
pub trait DeviceLogin: Send + Sync {
    /// Asks for a code.
    fn start<'a>(&'a self, transport: &'a Transport, answers: &'a Answers) -> LoginFuture<'a, DeviceCode>;

    /// Asks once whether it has been entered. An expired code is [`LoginError::CodeExpired`], a refusal
    /// [`LoginError::Denied`] or [`LoginError::Refused`]; an answer that decides nothing (a busy server) is [`Polled::Unclear`]; one
    /// that nobody can read although all is said to be well, [`LoginError::BadAnswer`]. A server that cannot be reached after the code was entered is [`LoginError::CodeSpent`].
    fn poll<'a>(&'a self, transport: &'a Transport, code: &'a DeviceCode) -> LoginFuture<'a, Polled>;
}

/// Waits until the code has been entered, has expired, or was refused. A server that cannot be reached now is asked again:
/// the person may be on a train. `tell` hears what is in the way, and nothing when it is out of the way.
pub async fn await_device(
    transport: &Transport,
    login: &dyn DeviceLogin,
    code: &DeviceCode,
    tell: &(dyn Fn(&str) + Sync),
) -> Result<NewLogin, LoginError> {
    let end = Instant::now() + code.expires_in;
    let mut interval = code.interval.clamp(SHORTEST, LONGEST);
    let mut pause = interval;
    loop {
        if Instant::now() + pause >= end {
            tokio::time::sleep_until(end).await;
            return Err(LoginError::TimedOut(code.expires_in));
        }
        tokio::time::sleep(pause).await;
        pause = interval;
        let polled = login.poll(transport, code).await;
        match &polled {
            Ok(Polled::Unclear { why, .. }) => tell(&format!("the vendor answers {why}")),
            Err(LoginError::Transport(error)) => {
                tell(error.to_string().split("; ").next().unwrap_or_default());
            }
            _ => tell(""),
        }
        match polled {
            Ok(Polled::Done(login)) => return Ok(*login),
            Ok(Polled::Pending) => {}
            Ok(Polled::Unclear { wait, .. }) => pause = wait.unwrap_or_default().max(interval),
            Ok(Polled::SlowDown(wanted)) => {
                interval =
                    (interval + SLOWER).min(LONGEST).max(wanted.unwrap_or_default().min(code.expires_in));
                pause = interval;
            }
            Ok(Polled::Later(wait)) => pause = wait.max(interval),
            Err(LoginError::Transport(error)) if !is_ours(&error) => {
                tracing::debug!(%error, "the vendor could not be asked whether the code was entered");
            }
            Err(error) => return Err(error),
        }
    }
}

/// Whether asking again cannot help.
fn is_ours(error: &byok_transport::TransportError) -> bool {
    use byok_transport::TransportError as E;
    matches!(
        error,
        E::BadUrl { .. }
            | E::HostNotAllowed { .. }
            | E::NotEncrypted { .. }
            | E::BadCa { .. }
            | E::Setup { .. }
    )
}

#[cfg(test)]
mod tests;
