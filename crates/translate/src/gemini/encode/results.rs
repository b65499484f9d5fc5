use super::{
    Encoder,
    contents::{Calls, append},
    inner,
    media::texts,
    outer,
};
use crate::{
    Json,
    gemini::{fields::Fields, is_made_up},
    ir::{Document, Part, Source, ToolResult},
    wire::write,
};
use std::borrow::Cow;

impl Encoder<'_> {
    /// The results of one model turn, in the order of its calls, and after them what cannot stand inside a result.
    pub(super) fn results(&mut self, results: &[Cow<'_, ToolResult>], calls: &Calls<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        for result in results {
            let name = self.result_name(result, calls);
            append(&mut out, |out| self.function_response(result, &name, out));
        }
        for result in results {
            self.beside(result, &mut out);
        }
        out
    }

    /// The name of the function that a result answers: that of its call, whatever the result itself says.
    pub(super) fn result_name(&self, result: &ToolResult, calls: &Calls<'_>) -> String {
        let called = calls.get(result.call_id.as_str()).map(|call| self.upstream_name(call));
        let stated = || result.name.as_deref().map(|name| self.names.upstream(name, None).into_owned());
        called.or_else(stated).unwrap_or_default()
    }

    /// One result, followed by what cannot stand inside it.
    pub(super) fn result(&mut self, result: &ToolResult, name: &str, out: &mut Vec<u8>) {
        self.function_response(result, name, out);
        self.beside(result, out);
    }

    /// What cannot stand inside a result.
    fn beside(&mut self, result: &ToolResult, out: &mut Vec<u8>) {
        for part in pieces(&result.parts) {
            if !self.fits_inside(part) {
                append(out, |out| self.part(part, out));
            }
        }
    }

    fn function_response(&mut self, result: &ToolResult, name: &str, out: &mut Vec<u8>) {
        let mut part = Fields::open(out);
        let mut response = Fields::open(part.key("functionResponse"));
        if !result.call_id.is_empty() && !is_made_up(&result.call_id) {
            response.string("id", &result.call_id);
        }
        response.string("name", name);
        for part in pieces(&result.parts).filter(|part| !is_text(part) && !is_media(part)) {
            self.losses.dropped(self.places.path(part), "a result cannot hold this");
        }
        write_response(result, response.key("response"));
        let media: Vec<_> = pieces(&result.parts).filter(|p| is_media(p) && self.fits_inside(p)).collect();
        if !media.is_empty() {
            let mut list = Vec::new();
            for part in media {
                append(&mut list, |out| self.part(part, out));
            }
            let parts = response.key("parts");
            parts.push(b'[');
            parts.extend_from_slice(&list);
            parts.push(b']');
        }
        response.all(inner(&result.extra, "functionResponse"));
        response.close();
        part.all(outer(&result.extra));
        part.close();
    }

    /// Whether a part of a result stands inside its function response.
    fn fits_inside(&self, part: &Part) -> bool {
        match part {
            Part::Image(_) => self.same || self.facts.result_media,
            Part::Document(document) => {
                matches!(document.source, Source::Text(_)) || self.same || self.facts.result_media
            }
            Part::Audio(_) | Part::Video(_) => self.same,
            _ => true,
        }
    }
}

/// The object that a result is to Gemini. `output` and `error` are the keys that Google documents; an object that a
/// tool answered is taken whole, and stands under `output` where one of the two is among its own keys: what stands beside it
/// would be lost on the model.
fn write_response(result: &ToolResult, out: &mut Vec<u8>) {
    if let Some(object) = result.object.as_ref().filter(|object| object.is_object()) {
        return write::json(out, object);
    }
    let text = texts(&result.parts);
    let failed = result.is_error == Some(true);
    let json = if failed || !text.trim_start().starts_with(['{', '[']) {
        None
    } else {
        Json::parse(text.trim()).ok()
    };
    if let Some(object) = json.as_ref().filter(|json| json.is_object() && !has_documented_keys(json)) {
        return write::json(out, object);
    }
    let mut response = Fields::open(out);
    match json {
        Some(whole) => response.json("output", &whole),
        None => response.string(if failed { "error" } else { "output" }, &text),
    }
    response.close();
}

/// Whether an object has `output` or `error` among several keys.
fn has_documented_keys(object: &Json) -> bool {
    let members = object.members().unwrap_or_default();
    members.len() > 1 && members.iter().any(|(key, _)| matches!(key.as_str(), "output" | "error"))
}

/// The parts of a result. A document that is a list of parts is the parts: no function response holds such a document.
fn pieces(parts: &[Part]) -> impl Iterator<Item = &Part> {
    parts.iter().flat_map(|part| match part {
        Part::Document(Document { source: Source::Parts(inner), .. }) => inner.as_slice(),
        part => std::slice::from_ref(part),
    })
}

/// Whether a part of a result is said by its text.
fn is_text(part: &Part) -> bool {
    match part {
        Part::Text(_) | Part::Refusal(_) | Part::SearchResult(_) => true,
        Part::Document(document) => matches!(document.source, Source::Text(_)),
        _ => false,
    }
}

fn is_media(part: &Part) -> bool {
    match part {
        Part::Image(_) | Part::Audio(_) | Part::Video(_) => true,
        Part::Document(document) => !matches!(document.source, Source::Text(_)),
        _ => false,
    }
}
