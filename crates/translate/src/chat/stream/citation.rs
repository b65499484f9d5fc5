//! Annotations of an answer.

use crate::{
    Json,
    chat::loose::{Raw, filled, number},
    ir::{Citation, CitationPlace, Opaque},
};
use byok_types::Dialect;
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Annotation<'a> {
    #[serde(borrow)]
    url_citation: Option<UrlCitation<'a>>,
    #[serde(borrow)]
    url: Raw<'a>,
    #[serde(borrow)]
    title: Raw<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct UrlCitation<'a> {
    #[serde(borrow)]
    url: Raw<'a>,
    #[serde(borrow)]
    title: Raw<'a>,
    #[serde(borrow)]
    content: Raw<'a>,
    #[serde(borrow)]
    start_index: Raw<'a>,
    #[serde(borrow)]
    end_index: Raw<'a>,
}

/// Reads an annotation; `None` if it names no page.
pub(super) fn citation(json: Json) -> Option<Citation> {
    let found: Annotation<'_> = json.read().ok()?;
    let flat = UrlCitation { url: found.url, title: found.title, ..UrlCitation::default() };
    let inner = found.url_citation.unwrap_or(flat);
    let (start, end) = (number(inner.start_index), number(inner.end_index));
    // OpenRouter writes 0 to 0 where it does not know the place.
    let known = end.is_some_and(|end| end > 0);
    let place = CitationPlace::Web { url: filled(inner.url)?.into_owned(), encrypted_index: None };
    let (title, cited_text) = (filled(inner.title).map(Into::into), filled(inner.content).map(Into::into));
    Some(Citation {
        place,
        title,
        cited_text,
        start: start.filter(|_| known),
        end: end.filter(|_| known),
        verbatim: Some(Opaque { dialect: Dialect::Chat, json }),
    })
}
