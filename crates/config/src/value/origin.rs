use super::as_text;
use std::fmt;
use url::Url;

/// A web origin that may call byok from a browser: an exact `http(s)` origin, `null`, or a scheme of an
/// application (`vscode-webview://`), which stands for all its pages, because their host part is made up anew each time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorsOrigin(Box<str>);

impl CorsOrigin {
    /// The origin as it is compared with the `Origin` header.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the value of an `Origin` header is meant.
    pub fn matches(&self, header: &str) -> bool {
        let header = header.trim().to_ascii_lowercase();
        if self.0.ends_with("://") { header.starts_with(&*self.0) } else { *header == *self.0 }
    }
}

impl TryFrom<String> for CorsOrigin {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        const EXPECTED: &str = "expected an origin such as `http://localhost:3000`\nscheme, host and port as the browser shows them, nothing after";
        let text = text.trim().to_ascii_lowercase();
        if text.contains('*') {
            return Err(
                "`*` is not allowed: it would let every web page use your accounts\nlist each origin",
            );
        }
        if text == "null" {
            return Ok(Self(text.into()));
        }
        let (scheme, host) = text.split_once("://").ok_or(EXPECTED)?;
        let legal = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        if scheme.is_empty() || !scheme.chars().all(legal) {
            return Err(EXPECTED);
        }
        if !matches!(scheme, "http" | "https") {
            let plain = host.chars().all(|c| c.is_ascii_graphic() && !"/?#@".contains(c));
            return if plain { Ok(Self(text.into())) } else { Err(EXPECTED) };
        }
        let url = Url::parse(&text).map_err(|_| EXPECTED)?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if !bare || !url.username().is_empty() || url.password().is_some() {
            return Err(EXPECTED);
        }
        Ok(Self(url.origin().ascii_serialization().into()))
    }
}

impl fmt::Display for CorsOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

as_text!(
    CorsOrigin,
    "A web origin such as `http://localhost:3000`, `null`, or the scheme of an application."
);
