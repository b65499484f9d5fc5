//! The parts of the test.

mod check;
mod cuts;
mod exceptions;
mod load;
mod meaning;
mod original;
mod pass;
mod plain;
mod random;
mod replay;
mod requests;
mod robust;
mod translation;

pub use replay::main;
