use super::as_text;
use serde::{Deserialize, Deserializer, de::Error};
use std::fmt;
use url::Url;

/// The address of a server: `http` or `https`, without user name, password or fragment.
///
/// `Display`, `Debug` and serialisation leave out the query, which may carry a key; [`HttpUrl::url`] has it all.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpUrl(Url);

impl HttpUrl {
    /// An address that stands in the source of byok.
    #[expect(
        clippy::expect_used,
        reason = "the argument is a literal; a test makes the default configuration"
    )]
    pub(crate) fn literal(text: &'static str) -> Self {
        Self(Url::parse(text).expect("a literal address"))
    }

    /// The whole address, with its query.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// The whole address as text, without a slash at the end, so that a path can be appended.
    pub fn as_base(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// Whether a request to this address leaves the machine without encryption.
    pub fn is_plain_remote(&self) -> bool {
        self.0.scheme() == "http" && !is_local(&self.0)
    }
}

pub(super) fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

impl TryFrom<String> for HttpUrl {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let url = Url::parse(text.trim())
            .map_err(|_| "expected an address such as `https://api.example.com/v1`")?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err("expected an address that starts with `https://` or `http://`");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("an address must not contain a user name or password\nput the key into `api_key`");
        }
        if url.fragment().is_some() {
            return Err("an address must not contain `#`\nremove that part");
        }
        Ok(Self(url))
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut url = self.0.clone();
        url.set_query(None);
        f.write_str(url.as_str())?;
        f.write_str(if self.0.query().is_some() { "?…" } else { "" })
    }
}

impl fmt::Debug for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpUrl({self})")
    }
}

as_text!(HttpUrl, "An address that starts with `https://` or `http://`.");

/// An address to which paths are appended: it cannot have a query.
pub(crate) fn base_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<HttpUrl>, D::Error> {
    let address = HttpUrl::deserialize(deserializer)?;
    if address.0.query().is_some() {
        return Err(D::Error::custom(
            "an address to which paths are appended must not contain `?`\nput the exact address under `urls`",
        ));
    }
    Ok(Some(address))
}
