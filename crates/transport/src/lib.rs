//! The one HTTP client of byok: proxies, timeouts, host allow-lists.
#![forbid(unsafe_code)]
