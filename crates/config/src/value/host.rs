use super::as_text;
use std::{fmt, net::IpAddr};

/// A host name or IP address without a port: lower case, without brackets or a dot at the end.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostName(Box<str>);

impl HostName {
    /// `127.0.0.1`.
    pub fn loopback() -> Self {
        Self("127.0.0.1".into())
    }

    /// The name, as a `Host` header is compared with it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address, if it is one and not a name.
    pub fn ip(&self) -> Option<IpAddr> {
        self.0.parse().ok()
    }

    /// Whether it can only mean this machine.
    pub fn is_loopback(&self) -> bool {
        self.ip().map_or(&*self.0 == "localhost", |ip| ip.is_loopback())
    }
}

impl TryFrom<String> for HostName {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        const EXPECTED: &str = "expected a host name such as `localhost` or an IP address";
        let text = text.trim().to_ascii_lowercase();
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&text);
        if let Ok(ip) = bare.parse::<IpAddr>() {
            return Ok(Self(ip.to_string().into()));
        }
        if bare.contains("://") {
            return Err(
                "expected a host name, not an address\nleave out `http://` and everything after the name",
            );
        }
        if bare.contains('*') {
            return Err("`*` is not allowed: every name has to be listed");
        }
        if let Some((name, port)) = bare.rsplit_once(':')
            && !name.contains(':')
            && port.parse::<u16>().is_ok()
        {
            return Err("expected a host name without a port\nthe port stands in `port`");
        }
        let name = bare.strip_suffix('.').unwrap_or(bare);
        let label = |label: &str| {
            let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            (1..=63).contains(&label.len()) && label.chars().all(legal)
        };
        // `127.1` and `0x7f000001` are addresses to some programs and names to others.
        let numeric = name
            .rsplit('.')
            .next()
            .is_some_and(|last| last.chars().all(|c| c.is_ascii_digit()) || last.starts_with("0x"));
        if name.len() > 253 || numeric || !name.split('.').all(label) {
            return Err(EXPECTED);
        }
        Ok(Self(name.into()))
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

as_text!(HostName, "A host name or an IP address, without a port.");
