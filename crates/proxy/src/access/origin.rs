use byok_config::CorsOrigin;
use http::{HeaderMap, header::ORIGIN};

/// What the origin of a request is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OriginCheck {
    /// Not a web page, or a page of byok itself.
    None,
    /// A page whose origin is configured; answers carry CORS headers for it.
    Listed(String),
    /// Any other page.
    Refused(String),
}

/// Checks the origin of a request to `host`. Browsers state `Origin` with every request that a page can read the answer of or
/// that changes something, and `Sec-Fetch-Site` with all others.
pub(crate) fn check_origin(headers: &HeaderMap, host: &str, listed: &[CorsOrigin]) -> OriginCheck {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?").to_owned());
    if let Some(origin) = text(ORIGIN.as_str()) {
        if listed.iter().any(|known| known.matches(&origin)) {
            return OriginCheck::Listed(origin);
        }
        let own = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        return if own.is_some_and(|own| own.eq_ignore_ascii_case(host)) {
            site(headers)
        } else {
            OriginCheck::Refused(origin)
        };
    }
    site(headers)
}

fn site(headers: &HeaderMap) -> OriginCheck {
    match headers.get("sec-fetch-site").map(|value| value.to_str().unwrap_or("?")) {
        None | Some("same-origin" | "none") => OriginCheck::None,
        Some(other) => OriginCheck::Refused(format!("({other} page)")),
    }
}
