use std::{fmt, str::FromStr};
use url::Url;

/// Which way out a call takes.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub enum ProxyChoice {
    /// What the machine says: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY` and the system settings of macOS and
    /// Windows. Addresses of this machine are always called directly.
    #[default]
    System,
    /// No proxy, whatever the environment says.
    Direct,
    /// This proxy for everything, also for addresses of this machine. Schemes: `http`, `https`, `socks5` (names are
    /// resolved here) and `socks5h` (names are resolved by the proxy); user name and password may stand in the URL.
    Url(Url),
}

/// The text names no proxy that byok can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is not a proxy; write `direct`, `system`, or a URL such as `socks5h://127.0.0.1:1080` or \
     `http://user:password@proxy.example.com:3128`"
)]
pub struct InvalidProxy;

impl FromStr for ProxyChoice {
    type Err = InvalidProxy;

    fn from_str(text: &str) -> Result<Self, InvalidProxy> {
        match text.trim() {
            "direct" => Ok(Self::Direct),
            "system" => Ok(Self::System),
            text => {
                let url = Url::parse(text).map_err(|_| InvalidProxy)?;
                let known = matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h");
                if known && url.host_str().is_some_and(|host| !host.is_empty()) {
                    Ok(Self::Url(url))
                } else {
                    Err(InvalidProxy)
                }
            }
        }
    }
}

impl fmt::Display for ProxyChoice {
    /// The way out for people: of a proxy URL the scheme, host and port, never the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("system"),
            Self::Direct => f.write_str("direct"),
            Self::Url(url) => {
                write!(f, "{}://{}", url.scheme(), url.host_str().unwrap_or_default())?;
                url.port().map_or(Ok(()), |port| write!(f, ":{port}"))
            }
        }
    }
}

impl fmt::Debug for ProxyChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyChoice({self})")
    }
}

#[cfg(test)]
mod tests;
