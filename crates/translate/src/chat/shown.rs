//! What an answer looks like in Chat: the pieces that streams and whole answers share.

use super::object::{Object, object};
use crate::{
    Names,
    ir::{Audio, Citation, CitationPlace, Flavour, Image, Source},
    media,
    wire::write,
};
use byok_types::Dialect;

/// Why a call is left out for clients that know calls only as `function_call`.
pub(super) const ONE_CALL: &str = "a client that declares `functions` reads one call";

/// Whether a call is shown as the call of a custom tool: only if the client declared the tool as one.
pub(super) fn is_custom(names: &Names, name: &str, namespace: Option<&str>, flavour: Flavour) -> bool {
    let declared = names.client(&names.upstream(name, namespace)).map(|tool| tool.flavour);
    flavour == Flavour::Custom && declared == Some(Flavour::Custom)
}

/// A citation as an annotation, if Chat can say it: only web pages have a form. `offset` counts the characters of the
/// message before the text that the citation belongs to, `length` those of the text: a citation without a place is one of all
/// of it.
pub(super) fn annotation(citation: &Citation, offset: u64, length: u64, out: &mut Vec<u8>) -> bool {
    if let Some(opaque) = citation.verbatim.as_ref().filter(|opaque| opaque.dialect == Dialect::Chat) {
        write::json(out, &opaque.json);
        return true;
    }
    let CitationPlace::Web { url, .. } = &citation.place else { return false };
    object(out, |annotation| {
        annotation.text("type", "url_citation");
        annotation.object("url_citation", |inner| {
            inner.text("url", url);
            inner.text("title", citation.title.as_deref().unwrap_or_default());
            inner.value("start_index", &(offset + citation.start.unwrap_or(0)));
            inner.value("end_index", &(offset + citation.end.unwrap_or(length)));
        });
    });
    true
}

/// A picture as an entry of `images`, if it can be shown.
pub(super) fn image(image: &Image, out: &mut Vec<u8>) -> bool {
    let url = match &image.source {
        Source::Base64 { media_type, data } => media::data_url(media_type, data),
        Source::Url { url, .. } => url.clone(),
        Source::FileId(_) | Source::Text(_) | Source::Parts(_) => return false,
    };
    object(out, |entry| {
        entry.text("type", "image_url");
        entry.object("image_url", |target| target.text("url", &url));
    });
    true
}

/// The members of `audio`.
pub(super) fn audio(audio: &Audio, fallback_id: &str, object: &mut Object<'_>) {
    object.text("id", audio.id.as_deref().unwrap_or(fallback_id));
    let data = match &audio.source {
        Some(Source::Base64 { data, .. }) => data.as_str(),
        _ => "",
    };
    object.text("data", data);
    object.text("transcript", audio.transcript.as_deref().unwrap_or_default());
    object.value("expires_at", &audio.expires_at.unwrap_or(0));
}
