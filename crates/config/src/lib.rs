//! The typed configuration of byok: layers, positions, validation, reload.
#![forbid(unsafe_code)]
