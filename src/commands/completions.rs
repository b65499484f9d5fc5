use crate::{cli::Cli, terminal, trouble::Trouble};
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

/// Print the completion script of a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  byok completions bash > ~/.local/share/bash-completion/completions/byok
  byok completions zsh > ~/.zfunc/_byok")]
pub(crate) struct Completions {
    /// Shell to complete in
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self) -> Result<(), Trouble> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "byok", &mut script);
        terminal::data(String::from_utf8_lossy(&script).trim_end())
    }
}
