//! The way out of this machine, as the settings name it.

use byok_auth::Network;
use byok_config::{Config, Provider, Proxy};
use byok_transport::{ProxyChoice, Transport, TransportError, TransportOptions};

fn choice(proxy: &Proxy) -> ProxyChoice {
    match proxy {
        Proxy::Direct => ProxyChoice::Direct,
        Proxy::Via(url) => ProxyChoice::Url(url.expose().clone()),
    }
}

/// The HTTP client for everything that byok fetches.
pub(crate) fn transport(config: &Config) -> Result<Transport, TransportError> {
    Transport::new(TransportOptions {
        proxy: config.proxy.as_ref().map(choice).unwrap_or_default(),
        ca_files: config.ca_files.clone(),
        connect_timeout: config.timeouts.connect,
        decode_limit: config.limits.answer,
    })
}

/// The way to the login servers of a provider, as far as it is one of its own.
pub(crate) fn network(provider: &Provider) -> Network {
    Network { proxy: provider.proxy.as_ref().map(choice), ..Network::default() }
}
