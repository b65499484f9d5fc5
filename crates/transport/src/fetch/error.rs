use crate::{Host, TransportError, error::Root};
use byok_types::{Blame, Fault, Retry};
use http::StatusCode;
use std::{io, time::Duration};

/// Why a picture or document was not fetched. The texts name the host and the cause, never a path or a query: those of a
/// signed address are secrets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// It is no address that byok fetches.
    #[error("the address cannot be fetched: {why}; correct it, or send the bytes in base64")]
    BadUrl {
        /// What is wrong with it.
        why: &'static str,
    },
    /// The host is not on the public internet.
    #[error(
        "{host} leads to {what}, and byok fetches from the public internet only; send the bytes in base64"
    )]
    NotPublic {
        /// Host of the address, or of one that it redirects to.
        host: Host,
        /// What the host's address is.
        what: &'static str,
    },
    /// The name of the host has no address.
    #[error("the name of {host} could not be resolved: {source}; check the address and the network")]
    Dns {
        /// Host.
        host: Host,
        /// The cause.
        source: io::Error,
    },
    /// A redirect that is not followed.
    #[error(
        "{host} redirects in a way that is not followed: {why}; name the final address, or send the bytes in base64"
    )]
    Redirect {
        /// Host that redirects.
        host: Host,
        /// Why not.
        why: &'static str,
    },
    /// The host could not be reached, or broke off.
    #[error("{host} could not be read: {}; check the address, or send the bytes in base64", Root(.source))]
    Unreachable {
        /// Host.
        host: Host,
        /// The cause.
        #[source]
        source: reqwest::Error,
    },
    /// The host answered, but not with what is at the address.
    #[error(
        "{host} answered {}; check that everybody can read the address, or send the bytes in base64", status.as_u16()
    )]
    Status {
        /// Host.
        host: Host,
        /// Status.
        status: StatusCode,
    },
    /// It took too long.
    #[error("{host} was not read to the end within {} s; try again, or send the bytes in base64", after.as_secs_f32())]
    Timeout {
        /// Host of the address.
        host: Host,
        /// The limit.
        after: Duration,
    },
    /// There are too many bytes.
    #[error("what {host} sent is larger than {limit} bytes; make it smaller")]
    TooLarge {
        /// Host.
        host: Host,
        /// The limit in bytes.
        limit: usize,
    },
    /// It is nothing that a model can be shown.
    #[error("what {host} sent is neither a JPEG, PNG, GIF or WebP picture nor a PDF document; convert it")]
    WrongType {
        /// Host.
        host: Host,
    },
    /// The client could not be set up.
    #[error(transparent)]
    Setup(#[from] TransportError),
}

impl Fault for FetchError {
    fn blame(&self) -> Blame {
        match self {
            Self::BadUrl { .. }
            | Self::NotPublic { .. }
            | Self::Redirect { .. }
            | Self::TooLarge { .. }
            | Self::WrongType { .. } => Blame::Client,
            Self::Status { status, .. } if !status.is_server_error() => Blame::Client,
            Self::Dns { .. } | Self::Unreachable { .. } | Self::Status { .. } | Self::Timeout { .. } => {
                Blame::Upstream
            }
            Self::Setup(error) => error.blame(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Setup(error) => error.retry(),
            other if other.blame() == Blame::Upstream => Retry::Now,
            _ => Retry::Never,
        }
    }
}
