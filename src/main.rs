//! The `byok` binary.
#![forbid(unsafe_code)]

fn main() {}
