//! Simulated upstreams that speak the vendors' wire formats, strict and scripted.
#![forbid(unsafe_code)]
