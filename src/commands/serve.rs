use crate::{
    cli::Global,
    client_key, logging,
    place::{Place, ask, open_store},
    runtime::{Plan, Running},
    terminal,
    trouble::{Exit, Trouble},
};
use byok_config::{Config, Flags, Live, LogFormat, paths};
use byok_proxy::{ModelInfo, ServeError, Server, Status};
use clap::Args;
use serde::Deserialize;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
};

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
    /// Port to listen on; 0 takes a free one [env: BYOK_PORT] [default: 8018]
    #[arg(short, long)]
    port: Option<u16>,
    /// Address to listen on; any other than loopback makes client keys a must [env: BYOK_HOST] [default: 127.0.0.1]
    #[arg(long, value_name = "ADDRESS")]
    host: Option<String>,
    /// What is logged: off, error, warn, info, debug or trace [env: BYOK_LOG] [default: info]
    #[arg(long, value_name = "LEVEL")]
    log: Option<String>,
}

impl Serve {
    pub(crate) async fn run(self, global: Global) -> Result<(), Trouble> {
        let flags = Flags { host: self.host, port: self.port, log: self.log, ..Flags::default() };
        let live = Live::watch(Place::with(global, flags)?.0)?;
        let config = live.load();
        let level = logging::start(&config.log);
        let loaded = live.loaded();
        loaded
            .iter()
            .flat_map(|loaded| &loaded.warnings)
            .for_each(|warning| announce_warning(&config, warning));

        let address = resolve(&config).await?;
        let server = match Server::bind(address).await {
            Ok(server) => server,
            Err(error) => return Err(taken(error, &config.database).await),
        };
        let store = open_store(&config)?;
        client_key::make_if_needed(&config, address.ip(), &store).await?;
        let control = Some(paths::control_socket(&config.database));
        let running = Running::start(Plan { live: live.clone(), store, server, control, level }).await?;

        let file = loaded.and_then(|loaded| loaded.files.first().filter(|file| file.exists()).cloned());
        terminal::say(greeting(&running, file.as_deref()));
        running.until_stopped().await
    }
}

/// A warning where whoever reads the rest looks for it: in the log if that is for programs.
fn announce_warning(config: &Config, warning: &str) {
    match config.log.format {
        LogFormat::Text => terminal::warn(warning),
        LogFormat::Json => tracing::warn!("{warning}"),
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

/// What a person wants to know first.
fn greeting(running: &Running, file: Option<&Path>) -> String {
    let status = Status::of(running.app());
    let base = base_url(running.address());
    let mut lines = vec![format!("byok {} listens on {base}", status.version)];
    lines.push(match file {
        Some(file) => format!("  settings  {}", file.display()),
        None => "  settings  none yet; `byok config example` prints a file to begin with".to_owned(),
    });
    let serves: Vec<_> = status
        .providers
        .iter()
        .map(|provider| {
            let logins = provider.accounts.iter().filter(|account| account.kind == "login").count();
            let keys = provider.accounts.len() - logins;
            let counted = [(keys, "key"), (logins, "login")].into_iter().filter(|(count, _)| *count > 0);
            let counted: Vec<_> = counted
                .map(|(count, what)| format!("{count} {what}{}", if count == 1 { "" } else { "s" }))
                .collect();
            format!("{} ({})", provider.name, counted.join(", "))
        })
        .collect();
    let model = ModelInfo::of(running.app()).into_iter().next().map(|model| model.id);
    match model {
        Some(model) => {
            lines.push(format!("  serves    {}", serves.join(", ")));
            lines.push("\ntry".to_owned());
            let key = if status.keys_required { "-H \"authorization: Bearer $BYOK_KEY\" " } else { "" };
            lines.push(format!(
                "  curl {base}/v1/chat/completions {key}-H 'content-type: application/json' \\\n    -d '{{\"model\":\"{model}\",\"messages\":[{{\"role\":\"user\",\"content\":\"Hello\"}}]}}'"
            ));
            lines.push("  byok models                    what can be asked for".to_owned());
        }
        None => {
            lines.push("  serves    nothing yet".to_owned());
            lines.push("\nto begin".to_owned());
            lines.push("  byok login claude              log in to a Claude plan".to_owned());
            lines.push("  byok config example            how API keys are set".to_owned());
            lines.push("  byok demo                      see it work without any account".to_owned());
        }
    }
    lines.push("  byok status                    who serves, and how they fare".to_owned());
    lines.push("\nin the shell of a tool".to_owned());
    lines.extend(exports(&base));
    status.config.problems.iter().for_each(|problem| lines.push(format!("\nwarning: {problem}")));
    lines.push(String::new());
    lines.join("\n")
}

/// The variables by which the SDKs of the vendors find byok.
pub(super) fn exports(base: &str) -> [String; 3] {
    [
        format!("  export OPENAI_BASE_URL={base}/v1"),
        format!("  export ANTHROPIC_BASE_URL={base}"),
        format!("  export GOOGLE_GEMINI_BASE_URL={base}"),
    ]
}

/// The address as a client on this machine writes it.
pub(super) fn base_url(address: SocketAddr) -> String {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}

#[cfg(test)]
mod tests {
    use super::base_url;

    #[test]
    fn clients_write_an_address_that_they_can_reach() {
        for (address, expected) in [
            ("127.0.0.1:8018", "http://127.0.0.1:8018"),
            ("0.0.0.0:80", "http://127.0.0.1:80"),
            ("[::]:80", "http://[::1]:80"),
            ("192.168.1.2:80", "http://192.168.1.2:80"),
        ] {
            assert_eq!(base_url(address.parse().unwrap()), expected);
        }
    }
}
