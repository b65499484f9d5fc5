mod logins;
mod settings;
mod tour;

use super::{login::link, serve::greeting::base_url};
use crate::{
    cli::Global,
    logging,
    runtime::{Plan, Running},
    terminal,
    trouble::Trouble,
};
use byok_auth::Wish;
use byok_config::Live;
use byok_proxy::Server;
use byok_simulator::{SimOptions, Simulator};
use byok_store::Store;
use clap::Args;
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

/// Pause between two pieces of a simulated stream: slow enough to be seen.
const PACE: Duration = Duration::from_millis(30);

/// Serve simulated vendors, to try everything without an account
///
/// This is the server of `byok serve` in front of simulated vendors that speak the real wire formats. It keeps
/// everything in memory, reads no settings, and contacts nobody.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  byok demo
  byok demo --port 0")]
pub(crate) struct Demo {
    /// Port to listen on; 0 takes a free one
    #[arg(short, long, default_value_t = 8018)]
    port: u16,
    /// What is logged: off, error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL", default_value = "warn")]
    log: String,
}

impl Demo {
    pub(crate) async fn run(self, global: Global) -> Result<(), Trouble> {
        if global.config.is_some() || global.db.is_some() {
            terminal::warn(
                "the demo reads no settings and keeps nothing: `--config` and `--db` have no effect",
            );
        }
        let level = logging::start(&byok_config::Log { level: self.log, ..byok_config::Log::default() });
        let simulator = Simulator::start(SimOptions { pace: PACE, ..SimOptions::default() }).await?;
        let config = settings::of(&simulator.base_url())?;
        let store = Store::memory();
        logins::make(&simulator, &store).await?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let server = Server::bind(address)
            .await
            .map_err(|error| Trouble::from(error).hint("`byok demo --port 0` takes a free port"))?;
        let plan = Plan { live: Live::fixed(config), store, server, control: None, level };
        let running = Running::start(plan).await?;
        let base = base_url(running.address());
        // Only Claude's login is simulated to its end: a link for any provider would lead to real ones.
        let wish = Wish { provider: Some("claude".to_owned()), ..Wish::default() };
        let page = running.app().logins().map(|desk| link::for_one(&base, "claude", &desk.issue(wish)));
        terminal::say(tour::text(&base, page.as_deref()));
        running.until_stopped().await
    }
}
