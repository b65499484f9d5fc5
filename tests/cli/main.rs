//! The real binary, as a person or a script uses it.

mod config;
mod demo;
mod help;
mod login;
mod offline;
mod serve;
mod support;
