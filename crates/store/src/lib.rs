//! Where byok keeps accounts, sealed secrets, client keys and request records.
#![forbid(unsafe_code)]
