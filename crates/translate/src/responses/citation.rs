//! Annotations of text.

use super::{decode, writer::Object};
use crate::{
    Json,
    ir::{Citation, CitationPlace},
};
use byok_types::Dialect;
use serde::Deserialize;

/// Reads one annotation. What byok does not know is kept verbatim.
pub(super) fn decode(json: Json) -> Citation {
    #[derive(Default, Deserialize)]
    struct Annotation {
        r#type: Option<String>,
        url: Option<String>,
        title: Option<String>,
        start_index: Option<u64>,
        end_index: Option<u64>,
        file_id: Option<String>,
        filename: Option<String>,
    }
    let found = json.read::<Annotation>().unwrap_or_default();
    let place = match (found.r#type.as_deref(), found.url, found.file_id) {
        (Some("url_citation"), Some(url), _) => CitationPlace::Web { url, encrypted_index: None },
        (Some("file_citation" | "container_file_citation" | "file_path"), _, Some(file_id)) => {
            CitationPlace::File { file_id, filename: found.filename }
        }
        _ => CitationPlace::Other,
    };
    Citation {
        place,
        title: found.title,
        cited_text: None,
        start: found.start_index,
        end: found.end_index,
        verbatim: Some(decode::opaque(json)),
    }
}

/// Writes a citation as an annotation. `base` is where its text begins within the written part, `range` the characters to
/// name when the citation names none. `false` if Responses has no such annotation; then nothing is written.
pub(super) fn encode(out: &mut Vec<u8>, citation: &Citation, base: u64, range: (u64, u64)) -> bool {
    if let Some(verbatim) =
        citation.verbatim.as_ref().filter(|v| v.dialect == Dialect::Responses && base == 0)
    {
        crate::wire::write::json(out, &verbatim.json);
        return true;
    }
    let start = citation.start.map_or(range.0, |at| at + base);
    let end = citation.end.map_or(range.1, |at| at + base);
    match &citation.place {
        CitationPlace::Web { url, .. } => {
            let mut object = Object::typed(out, "url_citation");
            object.value("start_index", &start).value("end_index", &end);
            object.text("title", citation.title.as_deref().unwrap_or(url)).text("url", url);
            object.end();
        }
        CitationPlace::File { file_id, filename } => {
            let mut object = Object::typed(out, "file_citation");
            object.text("file_id", file_id).text("filename", filename.as_deref().unwrap_or(file_id));
            object.value("index", &end);
            object.end();
        }
        CitationPlace::Document { .. } | CitationPlace::Other => return false,
    }
    true
}
