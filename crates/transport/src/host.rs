use crate::TransportError;
use std::fmt;
use url::Url;

/// Where a request goes: scheme, host and port. This is also what a credential is bound to.
///
/// A default port is filled in, so `https://api.example.com` and `https://api.example.com:443` are the same host.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Host {
    https: bool,
    loopback: bool,
    name: Box<str>,
    port: u16,
}

impl Host {
    /// The host that `url` points to.
    ///
    /// # Errors
    /// [`TransportError::BadUrl`] when the URL has another scheme than `http` or `https`, no host, or a user name or
    /// password in it (which would turn into a second credential on the wire).
    pub fn of(url: &Url) -> Result<Self, TransportError> {
        let https = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(TransportError::BadUrl { why: "it must begin with `https://` or `http://`" }),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(TransportError::BadUrl { why: "it must not contain a user name or password" });
        }
        let name = url.host_str().ok_or(TransportError::BadUrl { why: "it has no host" })?;
        let port = url.port_or_known_default().ok_or(TransportError::BadUrl { why: "it has no port" })?;
        let loopback = match url.host() {
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            None => false,
        };
        Ok(Self { https, loopback, name: name.into(), port })
    }

    /// Whether the connection is encrypted.
    pub const fn is_https(&self) -> bool {
        self.https
    }

    /// Whether the name means this machine: `localhost` and its subdomains, 127.0.0.0/8, `[::1]`.
    pub const fn is_loopback(&self) -> bool {
        self.loopback
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, usual) = if self.https { ("https", 443) } else { ("http", 80) };
        write!(f, "{scheme}://{}", self.name)?;
        if self.port == usual { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

#[cfg(test)]
mod tests;
