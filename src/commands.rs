//! The commands, one file each.

pub(crate) mod accounts;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod demo;
pub(crate) mod keys;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod models;
pub(crate) mod serve;
pub(crate) mod status;

use crate::{
    cli::{Cli, Command},
    trouble::Trouble,
};

/// Does what the command line asks for.
pub(crate) async fn run(cli: Cli) -> Result<(), Trouble> {
    let Cli { command, global } = cli;
    match command {
        Command::Serve(serve) => serve.run(global).await,
        Command::Demo(demo) => demo.run(global).await,
        Command::Login(login) => login.run(global).await,
        Command::Logout(logout) => logout.run(global).await,
        Command::Status(status) => status.run(global).await,
        Command::Models(models) => models.run(global).await,
        Command::Accounts(accounts) => accounts.run(global).await,
        Command::Keys(keys) => keys.run(global).await,
        Command::Config(config) => config.run(global),
        Command::Completions(completions) => completions.run(),
    }
}
