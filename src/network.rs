//! The way out of this machine, as the settings name it.

use byok_auth::Network;
use byok_config::{Config, Provider, Proxy};
use byok_transport::{ProxyChoice, Transport, TransportError, TransportOptions};
use byok_types::ProviderId;
use std::{path::PathBuf, sync::Arc, time::Duration};

fn choice(proxy: &Proxy) -> ProxyChoice {
    match proxy {
        Proxy::Direct => ProxyChoice::Direct,
        Proxy::Via(url) => ProxyChoice::Url(url.expose().clone()),
    }
}

/// The HTTP client for everything that byok fetches.
pub(crate) fn transport(config: &Config) -> Result<Transport, TransportError> {
    Transport::new(options(config))
}

fn options(config: &Config) -> TransportOptions {
    TransportOptions {
        proxy: config.proxy.as_ref().map(choice).unwrap_or_default(),
        ca_files: config.ca_files.clone(),
        connect_timeout: config.timeouts.connect,
        decode_limit: config.limits.answer,
    }
}

/// The settings that the client in use was made of, to see when they ask for another one.
#[derive(PartialEq)]
pub(crate) struct WayOut {
    proxy: ProxyChoice,
    /// With what stands in them: a renewed certificate keeps its name.
    ca_files: Vec<(PathBuf, Option<Vec<u8>>)>,
    connect: Duration,
    decode_limit: usize,
}

impl WayOut {
    /// Reads the certificate files.
    pub(crate) fn of(config: &Config) -> Self {
        let TransportOptions { proxy, ca_files, connect_timeout, decode_limit } = options(config);
        let ca_files = ca_files.into_iter().map(|path| (path.clone(), std::fs::read(path).ok())).collect();
        Self { proxy, ca_files, connect: connect_timeout, decode_limit }
    }

    /// A new client if the settings ask for another one; `None` if the one in use is what they want. After an error the
    /// one in use stays, and the next change is tried again.
    pub(crate) async fn changed(&mut self, config: Arc<Config>) -> Option<Result<Transport, TransportError>> {
        // Certificates are read from the disk, those of the machine, too.
        let made = tokio::task::spawn_blocking(move || (Self::of(&config), config)).await;
        let (wanted, config) = made.ok()?;
        if wanted == *self {
            return None;
        }
        let made = tokio::task::spawn_blocking(move || transport(&config)).await.ok()?;
        if made.is_ok() {
            *self = wanted;
        }
        Some(made)
    }
}

/// The way to the login servers of a provider, as far as it is one of its own.
pub(crate) fn network(config: &Config, id: &ProviderId, provider: &Provider) -> Network {
    Network {
        proxy: provider.proxy.as_ref().map(choice),
        client_secret: provider.client_secret.clone(),
        token_timeout: Some(config.timeouts_for(id).token),
        ..Network::default()
    }
}

#[cfg(test)]
mod tests;
