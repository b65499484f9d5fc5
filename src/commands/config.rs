use crate::{
    cli::Global,
    place::Place,
    table::Table,
    terminal,
    trouble::{Exit, Trouble},
};
use byok_config::{Loaded, example, schema};
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;

/// Show and check the settings
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  byok config show --origin
  byok config check --config ./byok.yaml")]
pub(crate) struct Config {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print where the settings file is
    #[command(after_help = "\
Examples:
  byok config path
  byok config path --config ./byok.yaml")]
    Path,
    /// Print every setting that is in effect, without its secrets
    #[command(after_help = "\
Examples:
  byok config show
  byok config show --origin --json")]
    Show {
        /// Say where each setting comes from: a file and line, a variable, a flag
        #[arg(long)]
        origin: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Say everything that is wrong with the settings
    #[command(after_help = "\
Examples:
  byok config check
  byok config check --config ./byok.yaml --json")]
    Check {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON Schema of the settings, for editors
    #[command(after_help = "\
Examples:
  byok config schema > ~/.byok/config.schema.json
  byok config schema | jq '.properties | keys'")]
    Schema,
    /// Print a settings file to begin with
    #[command(after_help = "\
Examples:
  byok config example
  byok config example > ~/.byok/config.yaml")]
    Example,
}

impl Config {
    pub(crate) fn run(self, global: Global) -> Result<(), Trouble> {
        match self.action {
            Action::Path => path(&Place::new(global)?),
            Action::Show { origin, json } => show(&Place::new(global)?.load_without_keys()?, origin, json),
            Action::Check { json } => check(&Place::new(global)?, json),
            Action::Schema => terminal::data(pretty(&schema())?),
            Action::Example => terminal::data(example().trim_end()),
        }
    }
}

fn path(place: &Place) -> Result<(), Trouble> {
    let Some(file) = &place.0.file else { return Ok(()) };
    terminal::data(file.display())?;
    if !file.exists() {
        terminal::say("it does not exist yet; `byok config example` prints one to begin with");
    }
    Ok(())
}

fn show(loaded: &Loaded, origin: bool, json: bool) -> Result<(), Trouble> {
    let rows = loaded.show();
    if json {
        return terminal::data(pretty(&rows)?);
    }
    let mut table = Table::new(["SETTING", "VALUE", "FROM"]);
    for row in rows {
        let value = match &row.value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let from = if origin { row.origin.to_string() } else { String::new() };
        table.row([row.path, value, from]);
    }
    if origin { terminal::data(table) } else { terminal::data(table.without_last()) }
}

fn check(place: &Place, json: bool) -> Result<(), Trouble> {
    let loaded = byok_config::check(&place.0);
    if json {
        let (problems, warnings) = match &loaded {
            Ok(loaded) => (Vec::new(), loaded.warnings.clone()),
            Err(error) => (error.problems().to_vec(), Vec::new()),
        };
        let report = serde_json::json!({ "ok": loaded.is_ok(), "problems": problems, "warnings": warnings });
        terminal::data(pretty(&report)?)?;
    }
    let loaded = loaded?;
    if json {
        return Ok(());
    }
    loaded.warnings.iter().for_each(terminal::warn);
    match place.0.file.as_ref().filter(|file| file.exists()) {
        Some(file) => terminal::say(format_args!("{} is in order", file.display())),
        None => terminal::say("there is no settings file; the defaults are in effect"),
    }
    Ok(())
}

/// JSON for people.
pub(super) fn pretty(value: &impl Serialize) -> Result<String, Trouble> {
    serde_json::to_string_pretty(value)
        .map_err(|error| Trouble::new(Exit::Failure, "the output cannot be written as JSON").because(&error))
}
