pub(super) mod greeting;

use crate::{
    cli::Global,
    client_key, logging,
    place::{Place, ask, open_store},
    runtime::{Plan, Running},
    terminal,
    trouble::{Exit, Trouble},
};
use byok_config::{Config, Flags, Live, paths};
use byok_proxy::{ServeError, Server};
use clap::Args;
use serde::Deserialize;
use std::{net::SocketAddr, path::Path};

/// Serve the tools on this machine until Ctrl-C
///
/// The settings and the logins are read again whenever they change. On SIGHUP they are read at once; on SIGTERM or
/// Ctrl-C running requests may end first, a second signal stops byok at once.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  byok serve
  byok serve --port 9000 --config ./byok.yaml")]
pub(crate) struct Serve {
    #[arg(short, long, help = "Port to listen on; 0 takes a free one [env: BYOK_PORT] [default: 8018]")]
    port: Option<u16>,
    #[arg(
        long,
        value_name = "ADDRESS",
        help = "Address to listen on; others than loopback need client keys [env: BYOK_HOST] [default: 127.0.0.1]"
    )]
    host: Option<String>,
    #[arg(
        long,
        value_name = "LEVEL",
        help = "What is logged: off, error, warn, info, debug or trace [env: BYOK_LOG] [default: info]"
    )]
    log: Option<String>,
}

impl Serve {
    pub(crate) async fn run(self, global: Global) -> Result<(), Trouble> {
        let flags = Flags { host: self.host, port: self.port, log: self.log, ..Flags::default() };
        let live = Live::watch(Place::with(global, flags)?.0)?;
        let config = live.load();
        let level = logging::start(&config.log);
        let loaded = live.loaded();
        loaded.iter().flat_map(|loaded| &loaded.warnings).for_each(terminal::warn);

        let address = resolve(&config).await?;
        let server = match Server::bind(address).await {
            Ok(server) => server,
            Err(error) => return Err(taken(error, &config.database).await),
        };
        let store = open_store(&config)?;
        client_key::make_if_needed(&config, address.ip(), &store, terminal::is_read_by_a_person()).await?;
        let control = Some(paths::control_socket(&config.database));
        let running = Running::start(Plan { live: live.clone(), store, server, control, level }).await?;

        let file = loaded.and_then(|loaded| loaded.files.first().filter(|file| file.exists()).cloned());
        greeting::say(&running, file.as_deref()).await;
        running.until_stopped().await
    }
}

/// The address to listen on. Of several behind a name an IPv4 address is taken, which is what most tools try first.
async fn resolve(config: &Config) -> Result<SocketAddr, Trouble> {
    if let Some(ip) = config.host.ip() {
        return Ok(SocketAddr::new(ip, config.port));
    }
    let failed = || {
        Trouble::new(Exit::Config, format!("the host `{}` is not known on this machine", config.host))
            .hint("set `host` to an address of this machine, for example 127.0.0.1")
    };
    let found = tokio::net::lookup_host((config.host.as_str(), config.port)).await;
    let addresses: Vec<_> = found.map_err(|error| failed().because(&error))?.collect();
    addresses.iter().find(|address| address.is_ipv4()).or(addresses.first()).copied().ok_or_else(failed)
}

/// Why the port is taken: often by a byok that was forgotten.
async fn taken(error: ServeError, database: &Path) -> Trouble {
    #[derive(Deserialize)]
    struct Other {
        address: String,
    }
    if let ServeError::InUse(address) = &error {
        let other = ask::<Other>(database, "/status").await.ok().flatten();
        if other.is_some_and(|other| other.address == address.to_string()) {
            return Trouble::new(Exit::CannotCreate, format!("byok is already running on {address}"))
                .hint("`byok status` shows it; a second one needs its own `--port` and `--db`");
        }
    }
    error.into()
}
