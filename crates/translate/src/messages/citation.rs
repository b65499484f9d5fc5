//! Citations of text blocks.

use super::object::Object;
use crate::{
    Json,
    ir::{Citation, CitationPlace, Opaque},
};
use byok_types::Dialect;
use serde::Deserialize;

/// The members of all kinds of citations.
#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "type")]
    kind: String,
    url: Option<String>,
    title: Option<String>,
    source: Option<String>,
    document_title: Option<String>,
    cited_text: Option<String>,
    encrypted_index: Option<String>,
    document_index: Option<u64>,
    search_result_index: Option<u64>,
    start_char_index: Option<u64>,
    end_char_index: Option<u64>,
    start_page_number: Option<u64>,
    end_page_number: Option<u64>,
    start_block_index: Option<u64>,
    end_block_index: Option<u64>,
}

/// Reads one citation; one of an unknown form is kept verbatim, but for what no client could read.
pub(super) fn read(json: Json) -> Citation {
    #[derive(Deserialize)]
    struct Typed {
        r#type: String,
    }
    let wire = json.read::<Wire>().ok();
    let readable = json.is_object() && json.read::<Typed>().is_ok_and(|typed| !typed.r#type.is_empty());
    let verbatim = readable.then_some(Opaque { dialect: Dialect::Messages, json });
    let Some(wire) = wire else { return Citation { verbatim, ..Citation::default() } };
    let place = match wire.kind.as_str() {
        "web_search_result_location" => match wire.url {
            Some(url) => CitationPlace::Web { url, encrypted_index: wire.encrypted_index },
            None => CitationPlace::Other,
        },
        // A search result of the client names its source freely; an address is the useful case.
        "search_result_location" => match wire.source.filter(|s| s.starts_with("http")) {
            Some(url) => CitationPlace::Web { url, encrypted_index: None },
            None => CitationPlace::Document {
                index: wire.search_result_index.unwrap_or(0),
                from: wire.start_block_index,
                to: wire.end_block_index,
            },
        },
        "char_location" | "page_location" | "content_block_location" => CitationPlace::Document {
            index: wire.document_index.unwrap_or(0),
            from: wire.start_char_index.or(wire.start_page_number).or(wire.start_block_index),
            to: wire.end_char_index.or(wire.end_page_number).or(wire.end_block_index),
        },
        _ => CitationPlace::Other,
    };
    Citation {
        place,
        title: wire.title.or(wire.document_title),
        cited_text: wire.cited_text,
        start: None,
        end: None,
        verbatim,
    }
}

/// Reads a list of citations; anything else is none.
pub(super) fn read_all(list: &Json) -> Vec<Citation> {
    list.read::<Vec<Json>>().unwrap_or_default().into_iter().map(read).collect()
}

/// Whether this dialect can say the citation.
pub(super) fn is_sayable(citation: &Citation) -> bool {
    native(citation).is_some() || matches!(citation.place, CitationPlace::Web { .. })
}

/// Whether the citation was made by this dialect's vendor, who alone accepts it in history.
pub(super) fn native(citation: &Citation) -> Option<&Json> {
    citation.verbatim.as_ref().filter(|o| o.dialect == Dialect::Messages).map(|o| &o.json)
}

/// Writes one citation of an answer.
pub(super) fn write(out: &mut Vec<u8>, citation: &Citation) {
    if let Some(json) = native(citation) {
        crate::wire::write::json(out, json);
        return;
    }
    // Only this vendor cites documents: of others there are pages of the web.
    let CitationPlace::Web { url, encrypted_index } = &citation.place else { return };
    let mut object = Object::typed(out, "web_search_result_location");
    object.string("url", url);
    object.value("title", &citation.title);
    object.string("cited_text", citation.cited_text.as_deref().unwrap_or_default());
    object.string("encrypted_index", encrypted_index.as_deref().unwrap_or_default());
    object.end();
}
