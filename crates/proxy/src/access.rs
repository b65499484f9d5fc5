//! Who may come in. Pure: every check is a function of the request's head and the settings.
//!
//! Order: the Host allow-list, then origins of web pages, then keys, then the content type. On loopback without configured
//! keys any key or none is taken; what keeps web pages out then is not the key but the first two checks.

mod host;
mod keys;
mod origin;
mod throttle;

pub(crate) use host::{HostCheck, Hosts, host_of};
pub(crate) use keys::{Caller, ClientKeys, Shown, shown};
pub(crate) use origin::{OriginCheck, check_origin};
pub(crate) use throttle::Throttle;

use http::HeaderMap;

/// Whether a proxy stands in front: its peers all look like loopback, so nothing counts as local any more.
pub(crate) fn came_through_a_proxy(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| {
        let name = name.as_str();
        name == "forwarded" || name == "via" || name.starts_with("x-forwarded-") || name.starts_with("cf-")
    })
}

/// Whether a content type is JSON: `application/json` or a `+json` type, with any parameters.
pub(crate) fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

#[cfg(test)]
mod tests;
