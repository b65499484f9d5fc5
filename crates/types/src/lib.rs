//! Identifiers, accounts, failures and model facts shared by every byok crate.
#![forbid(unsafe_code)]
