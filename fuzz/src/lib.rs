//! Fuzzing of everything that reads bytes of others. `targets` is what is called, `mutate` is how JSON is bent.
#![forbid(unsafe_code)]

pub mod mutate;
pub mod targets;
