//! The words that every byok crate shares: dialects, identifiers, accounts, failures, model facts, usage.
//!
//! Owns: plain data and the rules that belong to the data itself (how a failure kind maps to a status, when a
//! secret may be looked at). Must not know: HTTP libraries, databases, async runtimes, clocks, any other crate of byok.
#![forbid(unsafe_code)]

mod account;
mod dialect;
mod failure;
mod fault;
mod id;
mod model;
mod record;
mod secret;
mod text;
mod usage;

pub use account::{
    Account, AccountState, Credential, CredentialKind, OauthTokens, TokenFacts, account_flag, shell_word,
};
pub use dialect::{Dialect, UnknownDialect};
pub use failure::{
    CLAIM_NOT_ACCEPTED, CREDENTIAL_REFUSED, Failure, FailureKind, NO_ACCOUNT, RawFailure, THREAD_UNSUPPORTED,
};
pub use fault::{Blame, Fault, Retry};
pub use id::{AccountId, ClientKeyId, InvalidId, ProviderId, RequestId};
pub use model::{
    Effort, Family, InputKinds, MaxTokensField, ModelFacts, StructuredOutput, ThinkingFacts, ThinkingForm,
};
pub use record::{Outcome, RequestRecord};
pub use secret::{Secret, SecretHash};
pub use text::steers_text;
pub use usage::Usage;
