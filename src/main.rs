//! The `byok` binary: reads the command line, wires the crates together, and talks to the person at the terminal.
//!
//! It holds no logic that a second binary would need. Data goes to stdout, talk and errors go to stderr, and the exit
//! codes are those of [`trouble::Exit`].
#![forbid(unsafe_code)]

mod cli;
mod client_key;
mod commands;
mod ending;
mod logging;
mod logins;
mod network;
mod place;
mod process;
mod retention;
mod runtime;
mod table;
mod terminal;
mod trouble;

use clap::Parser as _;
use std::process::ExitCode;
use trouble::{Exit, Trouble};

fn main() -> ExitCode {
    process::prepare();
    let cli = cli::Cli::parse();
    let result = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            let result = runtime.block_on(commands::run(cli));
            // Whoever still waits for a line of stdin or a slow disk must not keep the process alive.
            runtime.shutdown_background();
            result
        }
        Err(error) => {
            Err(Trouble::new(Exit::Failure, "the threads of byok could not be started").because(&error))
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            terminal::complain(&trouble);
            trouble.exit().into()
        }
    }
}
