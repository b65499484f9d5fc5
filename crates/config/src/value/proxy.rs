use super::as_text;
use std::fmt;
use url::Url;

/// How to reach the outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proxy {
    /// Straight, whatever the usual proxy variables of the environment say.
    Direct,
    /// Through a proxy.
    Via(ProxyUrl),
}

/// The address of a proxy. It may contain a password: `Display`, `Debug` and serialisation hide it.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyUrl(Url);

impl ProxyUrl {
    /// The whole address, with the password. Only for the code that connects.
    pub fn expose(&self) -> &Url {
        &self.0
    }
}

impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let login = !self.0.username().is_empty() || self.0.password().is_some();
        write!(f, "{}://{}", self.0.scheme(), if login { "(login)@" } else { "" })?;
        f.write_str(self.0.host_str().unwrap_or_default())?;
        self.0.port().map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyUrl({self})")
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => f.write_str("direct"),
            Self::Via(url) => url.fmt(f),
        }
    }
}

impl TryFrom<String> for Proxy {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        const EXPECTED: &str = "expected `direct` or an address such as `socks5://127.0.0.1:1080`\nsocks5, socks5h, http and https proxies are known";
        if text.trim() == "direct" {
            return Ok(Self::Direct);
        }
        let url = Url::parse(text.trim()).map_err(|_| EXPECTED)?;
        let known = matches!(url.scheme(), "socks5" | "socks5h" | "http" | "https");
        if !known || url.host_str().is_none_or(str::is_empty) {
            return Err(EXPECTED);
        }
        Ok(Self::Via(ProxyUrl(url)))
    }
}

as_text!(Proxy, "`direct`, or the address of a socks5, socks5h, http or https proxy.");
