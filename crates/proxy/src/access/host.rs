use http::{HeaderMap, Uri, header::HOST};

/// The names under which byok may be reached.
#[derive(Clone, Debug)]
pub(crate) struct Hosts {
    names: Vec<String>,
    port: u16,
}

/// What the Host of a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HostCheck {
    /// One of ours.
    Ours,
    /// Readable, but not one of ours: a page that rebound its name, or a name that is not configured.
    Foreign,
    /// Missing, doubled or unreadable.
    Broken,
}

impl Hosts {
    /// Loopback names, the address byok listens on, and the configured names; with our port or none.
    pub(crate) fn new(bind: &str, allowed: impl IntoIterator<Item = String>, port: u16) -> Self {
        let loopback = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned);
        let names = loopback.into_iter().chain([bind.to_owned()]).chain(allowed);
        let mut names: Vec<String> = names.map(|name| normal(&name)).collect();
        // An address that means every interface is not a name of anybody.
        names.retain(|name| !matches!(name.as_str(), "0.0.0.0" | "[::]"));
        Self { names, port }
    }

    /// Checks the Host of a request.
    pub(crate) fn check(&self, host: Option<&str>) -> HostCheck {
        let Some((name, port)) = host.and_then(split) else { return HostCheck::Broken };
        let ours = self.names.contains(&name) && port.is_none_or(|port| port == self.port);
        if ours { HostCheck::Ours } else { HostCheck::Foreign }
    }
}

/// The Host of a request: of the target if it names one (HTTP/2 and proxies), which then must not contradict the header; else
/// of the only Host header.
pub(crate) fn host_of<'r>(uri: &'r Uri, headers: &'r HeaderMap) -> Option<&'r str> {
    let mut stated = headers.get_all(HOST).iter();
    let (first, second) = (stated.next(), stated.next());
    if second.is_some() {
        return None;
    }
    let header = first.map(|value| value.to_str());
    match (uri.authority(), header) {
        (Some(authority), None) => Some(authority.as_str()),
        (Some(authority), Some(Ok(header))) if normal(authority.as_str()) == normal(header) => Some(header),
        (None, Some(Ok(header))) => Some(header),
        _ => None,
    }
}

fn normal(name: &str) -> String {
    let lower = name.trim().to_ascii_lowercase();
    let plain = lower.strip_suffix('.').unwrap_or(&lower);
    // An IPv6 address stands in brackets in a Host.
    if plain.matches(':').count() > 1 && !plain.starts_with('[') {
        format!("[{plain}]")
    } else {
        plain.to_owned()
    }
}

/// Name and port of a Host; `None` for anything that is not one.
fn split(host: &str) -> Option<(String, Option<u16>)> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    if host.is_empty() || host.len() > 255 || !host.chars().all(legal) {
        return None;
    }
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let (address, after) = rest.split_once(']')?;
            let port = if after.is_empty() { None } else { Some(after.strip_prefix(':')?) };
            (format!("[{address}]"), port)
        }
        None => match host.split_once(':') {
            Some((name, port)) => (name.to_owned(), Some(port)),
            None => (host.to_owned(), None),
        },
    };
    let port = match port {
        Some(text) if text.bytes().all(|b| b.is_ascii_digit()) => Some(text.parse().ok()?),
        Some(_) => return None,
        None => None,
    };
    (!name.is_empty()).then(|| (normal(&name), port))
}
