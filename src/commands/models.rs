use super::config::pretty;
use crate::{
    cli::Global,
    place::{Place, open_existing_store},
    table::Table,
    terminal,
    trouble::Trouble,
};
use byok_config::Loaded;
use byok_provider::{pool::HealthBook, state::State};
use byok_proxy::{ModelInfo, NEEDS_CONSENT, ProviderStatus};
use clap::Args;
use std::sync::Arc;

/// List the models that can be asked for
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  byok models
  byok models --json | jq -r '.[].id'")]
pub(crate) struct Models {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Models {
    pub(crate) async fn run(self, global: Global) -> Result<(), Trouble> {
        let place = Place::new(global)?;
        let models: Vec<ModelInfo> = match place.ask("/models").await? {
            Ok(models) => models,
            Err(loaded) => {
                terminal::say("no byok is running; these are the models that `byok serve` would offer");
                read(&loaded).await?
            }
        };
        if self.json {
            return terminal::data(pretty(&models)?);
        }
        // A server that runs goes on while the settings on the disk are broken.
        if let Ok(loaded) = place.load() {
            tell_of_consent(&loaded).await?;
        }
        if models.is_empty() {
            terminal::say("none: log in with `byok login claude`, or set an `api_key` in the settings");
            return Ok(());
        }
        let mut table = Table::new(["MODEL", "OFFERED BY", "CONTEXT", "OUTPUT", "DIALECTS"]);
        for model in models {
            let dialects: Vec<_> = model.dialects.iter().map(ToString::to_string).collect();
            table.row([
                model.id,
                model.owner.unwrap_or_default(),
                model.context_tokens.map(tokens).unwrap_or_default(),
                model.max_output_tokens.map(tokens).unwrap_or_default(),
                dialects.join(", "),
            ]);
        }
        terminal::data(table)
    }
}

async fn read(loaded: &Loaded) -> Result<Vec<ModelInfo>, Trouble> {
    let store = open_existing_store(&loaded.config)?;
    let accounts = store.accounts.list(None).await?;
    let state = State::build(Arc::new(loaded.config.clone()), accounts, &HealthBook::default());
    Ok(ModelInfo::list(&state.registry))
}

/// Names the accounts that serve only some callers, or nobody, before their owner consents to a claim.
async fn tell_of_consent(loaded: &Loaded) -> Result<(), Trouble> {
    let store = open_existing_store(&loaded.config)?;
    let accounts = store.accounts.list(None).await?;
    let state = State::build(Arc::new(loaded.config.clone()), accounts, &HealthBook::default());
    let mut providers = ProviderStatus::of_state(&state);
    ProviderStatus::note_consent(&mut providers, &store, &state.accounts).await;
    for provider in providers {
        for account in provider.accounts.iter().filter(|account| account.state == NEEDS_CONSENT) {
            let why = account.reason.as_deref().unwrap_or_default();
            terminal::warn(format_args!("{} ({}): {why}", account.label, provider.name));
        }
    }
    Ok(())
}

/// A number of tokens as people say it: `200k`, `1M`.
fn tokens(number: u32) -> String {
    match number {
        n if n >= 1_000_000 && n % 100_000 == 0 => format!("{}M", f64::from(n) / 1e6),
        n if n >= 1_000 => format!("{}k", n / 1_000),
        n => n.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::tokens;

    #[test]
    fn tokens_as_people_say_them() {
        for (number, expected) in [
            (500, "500"),
            (8_192, "8k"),
            (200_000, "200k"),
            (1_000_000, "1M"),
            (1_500_000, "1.5M"),
            (1_048_576, "1048k"),
        ] {
            assert_eq!(tokens(number), expected);
        }
    }
}
