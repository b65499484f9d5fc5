//! Writing of blocks and turns.

use super::{
    cache::SystemBlock,
    shape::{Entry, Item, Speaker, What},
};
use crate::{
    Json, Names, compact, custom,
    ir::{
        CacheHint, Document, Flavour, Part, Request, SearchResult, Source, Text, Thinking, ToolCall,
        ToolResult,
    },
    loss::Places,
    media::{self, MediaKind},
    messages::{citation, object, object::Object},
    wire::write as json,
};
use byok_types::{Dialect, Family, ModelFacts};
use serde_json::value::RawValue;

/// What the writer must know beside the blocks.
#[derive(Clone, Copy)]
pub(super) struct Pen<'r> {
    pub(super) request: &'r Request,
    pub(super) facts: &'r ModelFacts,
    pub(super) names: &'r Names,
    /// Where unknown members of messages are found, if there are any.
    pub(super) extras: Option<&'r Places<'r>>,
}

/// `cache_control`.
pub(super) fn cache_control(out: &mut Vec<u8>, mark: &CacheHint) {
    let mut object = Object::typed(out, "ephemeral");
    object.some("ttl", mark.ttl.as_ref());
    object.extras(mark.extra.of(Dialect::Messages));
    object.end();
}

fn marked(object: &mut Object<'_>, mark: Option<&CacheHint>) {
    if let Some(mark) = mark {
        cache_control(object.key("cache_control"), mark);
    }
}

impl<'r> Pen<'r> {
    pub(super) fn entry(self, out: &mut Vec<u8>, entry: &Entry<'_>) {
        let mut object = Object::new(out);
        let role = match entry.role {
            Speaker::User => "user",
            Speaker::Assistant => "assistant",
            Speaker::System => "system",
        };
        object.string("role", role);
        object.list("content", &entry.items, |out, item| self.item(out, item));
        object.extras(self.message_extra(entry));
        object.end();
    }

    pub(super) fn system(self, out: &mut Vec<u8>, block: &SystemBlock<'_>) {
        self.block(out, &block.what, block.mark.as_ref());
    }

    /// Unknown members of the client's message, found by its blocks; most requests have none.
    fn message_extra(self, entry: &Entry<'_>) -> &'r [(String, Json)] {
        let Some(places) = self.extras else { return &[] };
        let message_of = |item: &Item<'_>| match &item.what {
            What::Part(part) => places.message_of(part.as_ref()),
            What::Call { call, .. } => places.message_of(call.as_ref()),
            What::Result { result, .. } => places.message_of(result.as_ref()),
            What::Text(_) => None,
        };
        let has_extra =
            |index: &usize| self.request.messages.get(*index).is_some_and(|m| !m.extra.is_empty());
        // Of several messages that became one turn the first that has such members.
        let owner = entry.items.iter().filter_map(message_of).filter(has_extra).min();
        owner.map_or(&[], |index| self.request.messages[index].extra.of(Dialect::Messages))
    }

    /// The marker of a block within a block.
    fn inner_mark(self, part: &Part) -> Option<CacheHint> {
        let mark = match part {
            Part::Text(text) => text.cache.clone(),
            Part::Image(image) => image.cache.clone(),
            Part::Document(document) => document.cache.clone(),
            Part::SearchResult(result) => result.cache.clone(),
            _ => None,
        };
        mark.map(|mark| {
            if self.facts.first_party { mark } else { CacheHint { ttl: mark.ttl, ..CacheHint::default() } }
        })
    }

    fn item(self, out: &mut Vec<u8>, item: &Item<'_>) {
        self.block(out, &item.what, item.mark.as_ref());
    }

    fn block(self, out: &mut Vec<u8>, what: &What<'_>, mark: Option<&CacheHint>) {
        match what {
            What::Part(part) => self.part(out, part, mark),
            What::Call { call, id } => self.call(out, call, id, mark),
            What::Result { result, id, shown } => self.result(out, result, id, shown, mark),
            What::Text(text) => plain(out, text, mark),
        }
    }

    fn part(self, out: &mut Vec<u8>, part: &Part, mark: Option<&CacheHint>) {
        match part {
            Part::Text(part) => self.text(out, part, mark),
            Part::Refusal(refusal) => plain(out, &refusal.text, mark),
            Part::Image(image) => {
                let mut object = Object::typed(out, "image");
                source(object.key("source"), &image.source);
                marked(&mut object, mark);
                object.extras(image.extra.of(Dialect::Messages));
                object.end();
            }
            Part::Document(document) => self.document(out, document, mark),
            Part::SearchResult(result) => self.search_result(out, result, mark),
            Part::Audio(audio) => plain(out, audio.transcript.as_deref().unwrap_or_default(), mark),
            Part::Thinking(part) => thinking(out, part),
            Part::ServerCall(call) => verbatim(out, call.verbatim.as_ref().map(|o| &o.json)),
            Part::ServerResult(result) => verbatim(out, result.verbatim.as_ref().map(|o| &o.json)),
            Part::ContainerUpload(upload) => {
                let mut object = Object::typed(out, "container_upload");
                object.string("file_id", &upload.file_id);
                object.extras(upload.extra.of(Dialect::Messages));
                object.end();
            }
            Part::Compaction(compaction) => match &compaction.verbatim {
                own if own.dialect == Dialect::Messages && self.facts.family == Family::Claude => {
                    json::json(out, &own.json);
                }
                _ => plain(out, &compact::told(compaction.summary.as_deref().unwrap_or_default()), mark),
            },
            Part::ConfigChange(change) => verbatim(out, change.verbatim.as_ref().map(|o| &o.json)),
            Part::Opaque(opaque) => json::json(out, &opaque.json),
            // Calls and results come as items of their own; films were refused.
            Part::ToolCall(call) => self.call(out, call, &call.call_id, mark),
            Part::ToolResult(result) => {
                let all: Vec<usize> = (0..result.parts.len()).collect();
                self.result(out, result, &result.call_id, &all, mark);
            }
            Part::Video(_) => plain(out, "[video]", mark),
        }
    }

    fn text(self, out: &mut Vec<u8>, part: &Text, mark: Option<&CacheHint>) {
        let mut object = Object::typed(out, "text");
        object.string("text", &part.text);
        let own: Vec<_> = part.citations.iter().filter_map(citation::native).collect();
        if !own.is_empty() && self.facts.family == Family::Claude {
            object.list("citations", own, json::json);
        }
        marked(&mut object, mark);
        object.extras(part.extra.of(Dialect::Messages));
        object.end();
    }

    fn document(self, out: &mut Vec<u8>, document: &Document, mark: Option<&CacheHint>) {
        if let Source::Base64 { media_type, .. } = &document.source
            && media::kind(media_type) == MediaKind::Image
        {
            let mut object = Object::typed(out, "image");
            source(object.key("source"), &document.source);
            marked(&mut object, mark);
            object.end();
            return;
        }
        let mut object = Object::typed(out, "document");
        match &document.source {
            Source::Parts(parts) => {
                let mut inner = Object::typed(object.key("source"), "content");
                inner
                    .list("content", parts, |out, part| self.part(out, part, self.inner_mark(part).as_ref()));
                inner.end();
            }
            Source::Base64 { media_type, data } if media::kind(media_type) != MediaKind::Pdf => {
                let text = media::decode_text(data).unwrap_or_default();
                source(object.key("source"), &Source::Text(text));
            }
            other => source(object.key("source"), other),
        }
        object.some("title", document.title.as_ref().or(document.filename.as_ref()));
        object.some("context", document.context.as_ref());
        citations(&mut object, document.citations);
        marked(&mut object, mark);
        object.extras(document.extra.of(Dialect::Messages));
        object.end();
    }

    fn search_result(self, out: &mut Vec<u8>, result: &SearchResult, mark: Option<&CacheHint>) {
        let mut object = Object::typed(out, "search_result");
        object.string("source", &result.source);
        object.string("title", &result.title);
        object.list("content", &result.content, |out, part| {
            self.part(out, part, self.inner_mark(part).as_ref());
        });
        citations(&mut object, result.citations);
        marked(&mut object, mark);
        object.extras(result.extra.of(Dialect::Messages));
        object.end();
    }

    fn call(self, out: &mut Vec<u8>, call: &ToolCall, id: &str, mark: Option<&CacheHint>) {
        let mut object = Object::typed(out, "tool_use");
        object.string("id", id);
        object.string("name", &self.names.upstream(&call.name, call.namespace.as_deref()));
        let arguments = match call.flavour {
            Flavour::Custom => custom::wrap_input(&call.arguments),
            Flavour::Function | Flavour::ToolSearch | Flavour::LocalShell => String::new(),
        };
        let text = if arguments.is_empty() { &call.arguments } else { &arguments };
        input(object.key("input"), text);
        let own = self.request.dialect == Dialect::Messages && self.facts.family == Family::Claude;
        object.some("caller", call.caller.as_ref().filter(|_| own));
        marked(&mut object, mark);
        object.extras(call.extra.of(Dialect::Messages));
        object.end();
    }

    fn result(
        self,
        out: &mut Vec<u8>,
        result: &ToolResult,
        id: &str,
        shown: &[usize],
        mark: Option<&CacheHint>,
    ) {
        let mut object = Object::typed(out, "tool_result");
        object.string("tool_use_id", id);
        let parts: Vec<&Part> = shown.iter().filter_map(|index| result.parts.get(*index)).collect();
        match parts.as_slice() {
            // A failure must say something.
            [] if result.is_error == Some(true) => {
                object.string("content", "[the tool failed without a message]");
            }
            [] => {}
            [Part::Text(text)] if *text == Text::new(text.text.as_str()) => {
                object.string("content", &text.text);
            }
            parts => object
                .list("content", parts, |out, part| self.part(out, part, self.inner_mark(part).as_ref())),
        }
        object.some("is_error", result.is_error.as_ref());
        marked(&mut object, mark);
        object.extras(result.extra.of(Dialect::Messages));
        object.end();
    }
}

fn plain(out: &mut Vec<u8>, text: &str, mark: Option<&CacheHint>) {
    let mut object = Object::typed(out, "text");
    object.string("text", text);
    marked(&mut object, mark);
    object.end();
}

fn verbatim(out: &mut Vec<u8>, block: Option<&Json>) {
    match block {
        Some(block) => json::json(out, block),
        None => plain(out, ".", None),
    }
}

fn citations(object: &mut Object<'_>, enabled: Option<bool>) {
    if let Some(enabled) = enabled {
        let mut inner = Object::new(object.key("citations"));
        inner.value("enabled", &enabled);
        inner.end();
    }
}

fn source(out: &mut Vec<u8>, source: &Source) {
    let object = match source {
        Source::Base64 { media_type, data } => {
            let mut object = Object::typed(out, "base64");
            object.string("media_type", media_type);
            object.string("data", data);
            object
        }
        Source::Url { url, .. } => {
            let mut object = Object::typed(out, "url");
            object.string("url", url);
            object
        }
        Source::FileId(id) => {
            let mut object = Object::typed(out, "file");
            object.string("file_id", id);
            object
        }
        Source::Text(text) => {
            let mut object = Object::typed(out, "text");
            object.string("media_type", "text/plain");
            object.string("data", text);
            object
        }
        Source::Parts(_) => Object::typed(out, "content"),
    };
    object.end();
}

/// Thinking exactly as its vendor made it: the text is what the signature seals.
fn thinking(out: &mut Vec<u8>, part: &Thinking) {
    let signature = part.blob.as_ref().map(|blob| blob.data.as_str());
    let mut object = if part.redacted {
        let mut object = Object::typed(out, "redacted_thinking");
        object.string("data", signature.unwrap_or_default());
        object
    } else {
        let mut object = Object::typed(out, "thinking");
        object.string("thinking", &part.text());
        object.some("signature", signature.as_ref());
        object
    };
    object.extras(part.extra.of(Dialect::Messages));
    object.end();
}

/// The input of a call, which must be an object here.
pub(in crate::messages) fn input(out: &mut Vec<u8>, arguments: &str) {
    let trimmed = arguments.trim();
    if trimmed.is_empty() || trimmed == "null" {
        out.extend_from_slice(b"{}");
        return;
    }
    if serde_json::from_str::<&RawValue>(trimmed).is_err() {
        // Cut off or never JSON: kept as text, so that the model sees what it wrote.
        let mut object = Object::new(out);
        object.string("_raw", arguments);
        object.end();
    } else if trimmed.starts_with('{') {
        out.extend_from_slice(trimmed.as_bytes());
    } else {
        out.extend_from_slice(b"{\"value\":");
        out.extend_from_slice(trimmed.as_bytes());
        out.push(b'}');
    }
}

/// The list of messages.
pub(super) fn entries(out: &mut Vec<u8>, pen: Pen<'_>, entries: &[Entry<'_>]) {
    object::list(out, entries, |out, entry| pen.entry(out, entry));
}
