//! The end of a grant.

use byok_transport::{Transport, TransportError};
use byok_types::OauthTokens;
use std::pin::Pin;

/// What the end of a grant returns.
pub type RevokeFuture<'a> = Pin<Box<dyn Future<Output = Result<(), RevokeError>> + Send + 'a>>;

/// Ends a grant.
pub trait Revoke: Send + Sync {
    /// Tells the vendor that the grant behind these tokens is not needed any more.
    fn revoke<'a>(&'a self, transport: &'a Transport, tokens: &'a OauthTokens) -> RevokeFuture<'a>;
}

/// Why a vendor does not know that a grant is not needed any more. The tokens are forgotten all the same, so there is nothing to
/// try again.
#[derive(Debug, thiserror::Error)]
pub enum RevokeError {
    /// It answered something else than yes.
    #[error("it answered {why}")]
    Refused {
        /// Status and what the vendor said.
        why: String,
    },
    /// It could not be reached.
    #[error("it could not be reached ({})", what(.0))]
    Transport(#[from] TransportError),
}

/// What happened, without what would help another try.
fn what(error: &TransportError) -> String {
    let text = error.to_string();
    text.rsplit_once("; ").map_or(text.as_str(), |(what, _)| what).to_owned()
}
