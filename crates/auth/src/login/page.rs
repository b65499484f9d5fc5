//! The pages that a browser sees at the end of a login. They hold no script and nothing that could load one.

use byok_types::steers_text;
use bytes::Bytes;
use http::{Response, StatusCode, header};
use http_body_util::Full;

/// The longest piece of a vendor's text that is shown.
const MAX_TEXT: usize = 300;

/// A vendor's text without control characters and marks of direction, and of bearable length, fit for a terminal.
pub(crate) fn plain(text: &str) -> String {
    let clean = |c: char| if steers_text(c) { ' ' } else { c };
    text.chars().take(MAX_TEXT).map(clean).collect::<String>().trim().to_owned()
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A page with a heading and a text, both escaped here.
pub(super) fn page(status: StatusCode, heading: &str, text: &str) -> Response<Full<Bytes>> {
    let (heading, text) = (escaped(heading), escaped(text));
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>byok: {heading}</title></head>\n\
         <body><h1>{heading}</h1><p>{text}</p></body>\n</html>\n"
    );
    let mut response = Response::new(Full::new(Bytes::from(html)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONNECTION, "close"),
    ] {
        headers.insert(name, header::HeaderValue::from_static(value));
    }
    response
}
