//! Login flows and token refresh.
#![forbid(unsafe_code)]
