//! Upstreams, the account pool, the model registry and the executor that drives a call.
#![forbid(unsafe_code)]
