//! The command line. The doc comments are the help texts.

use crate::commands;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Use the AI subscriptions and API keys you have from every tool
///
/// byok serves the APIs of OpenAI (Chat Completions and Responses), Anthropic (Messages) and Gemini at one local
/// address. The name of the model decides who answers.
#[derive(Debug, Parser)]
#[command(
    name = "byok",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    after_help = "Examples:\n  byok demo            try everything without an account\n  byok serve           serve the tools on this machine",
    after_long_help = "\
Examples:
  byok demo            try everything without an account
  byok serve           serve the tools on this machine

Exit codes:
  0   done
  1   failed
  2   the command line asks for something that does not exist
  65  a file or an input cannot be read
  69  a vendor, or the running byok, cannot be reached
  73  a port, socket or file cannot be made
  75  try again in a moment
  77  a login or a permission is missing
  78  the settings are wrong"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: Global,
}

/// Options of every command.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    // The variables are read with the settings, which know to say that a value came from there.
    #[arg(
        short,
        long,
        global = true,
        value_name = "FILE",
        display_order = 900,
        help = "Settings file [env: BYOK_CONFIG] [default: ~/.byok/config.yaml]"
    )]
    pub(crate) config: Option<PathBuf>,
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        display_order = 901,
        help = "Database of logins and keys [env: BYOK_DB] [default: ~/.byok/tokens.db]"
    )]
    pub(crate) db: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(commands::serve::Serve),
    Demo(commands::demo::Demo),
    Login(commands::login::Login),
    Logout(commands::logout::Logout),
    Status(commands::status::Status),
    Models(commands::models::Models),
    Accounts(commands::accounts::Accounts),
    Keys(commands::keys::Keys),
    Config(commands::config::Config),
    Completions(commands::completions::Completions),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_begins_with_a_short_line_and_ends_with_two_examples() {
        fn check(command: &clap::Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            assert!((10..=72).contains(&about.chars().count()), "{path}: `{about}`");
            assert!(!about.ends_with('.'), "{path}: `{about}`");
            assert!(about.starts_with(char::is_uppercase), "{path}: `{about}`");
            let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let examples = after.lines().filter(|line| line.starts_with("  byok ")).count();
            assert_eq!(examples, 2, "{path}");
            command.get_subcommands().for_each(|inner| check(inner, &path));
        }
        check(&Cli::command(), "");
    }

    #[test]
    fn the_reference_names_every_command_and_exit_code() {
        let reference = include_str!("../docs/cli.md");
        for command in Cli::command().get_subcommands() {
            assert!(
                reference.contains(&format!("| `byok {}` |", command.get_name())),
                "{}",
                command.get_name()
            );
            for inner in command.get_subcommands() {
                let words = format!("\nbyok {} {}", command.get_name(), inner.get_name());
                assert!(reference.contains(&words), "no example of `{}`", words.trim());
            }
        }
        let help = Cli::command().render_long_help().to_string();
        let (_, codes) = help.split_once("Exit codes:\n").unwrap();
        for line in codes.lines().filter(|line| !line.trim().is_empty()) {
            let (code, meaning) = line.trim().split_once(' ').unwrap();
            assert!(reference.contains(&format!("| {code} | {} |", meaning.trim())), "{line}");
        }
    }
}
