//! Parts of messages and of tools' outputs: text, pictures, files.

use super::input::{Items, keeps_cache};
use crate::{
    ir::{CacheHint, Document, Extra, Image, Role, Source, Text},
    media::{self, MediaKind},
    responses::{
        citation, hosted,
        writer::{Object, element},
    },
};
use byok_types::Dialect;

impl Items<'_, '_> {
    pub(super) fn plain(&mut self, text: &str) {
        self.text(&Text::new(text));
    }

    pub(super) fn text(&mut self, text: &Text) {
        if text.text.is_empty() && !self.native() {
            return;
        }
        let spoken = self.role == Role::Assistant;
        let cache = self.cache(text.cache.as_ref());
        let native = self.native();
        let mut object =
            Object::typed(element(&mut self.content), if spoken { "output_text" } else { "input_text" });
        object.text("text", &text.text);
        if spoken {
            let mut annotations = Vec::new();
            for citation in text.citations.iter().filter(|_| native) {
                citation::encode(element(&mut annotations), citation, 0, (0, 0));
            }
            object.list("annotations", &annotations);
            object.maybe_json("logprobs", text.logprobs.as_ref().filter(|_| native));
        }
        if let Some(cache) = cache {
            object.raw("prompt_cache_breakpoint", &cache);
        }
        object.extras(&text.extra);
        object.end();
    }

    /// A cache marker in the words of Responses.
    pub(super) fn cache(&self, hint: Option<&CacheHint>) -> Option<Vec<u8>> {
        let hint = hint?;
        if !keeps_cache(self.encoder.request.dialect, self.encoder.facts) {
            return None;
        }
        let mut out = Vec::new();
        let mut object = Object::begin(&mut out);
        if hint.extra.get(Dialect::Responses, "mode").is_none() {
            object.text("mode", "explicit");
        }
        let ttl = match hint.ttl.as_deref() {
            Some("5m") => Some("30m"),
            Some("1h") => Some("12h"),
            other => other,
        };
        object.maybe_text("ttl", ttl).extras(&hint.extra);
        object.end();
        Some(out)
    }

    pub(super) fn image(&mut self, image: &Image) {
        if self.role == Role::Assistant {
            if self.native() {
                self.flush();
                let data = match &image.source {
                    Source::Base64 { data, .. } => Some(data.as_str()),
                    _ => None,
                };
                hosted::write_picture(element(&mut self.out), "", image, data, "completed");
            }
            return;
        }
        let cache = self.cache(image.cache.as_ref());
        let mut object = Object::typed(element(&mut self.content), "input_image");
        match &image.source {
            Source::Base64 { media_type, data } => {
                object.text("image_url", &media::data_url(media_type, data))
            }
            Source::Url { url, .. } => object.text("image_url", url),
            Source::FileId(id) => object.text("file_id", id),
            Source::Text(_) | Source::Parts(_) => &mut object,
        };
        object.maybe_text("detail", image.detail.as_deref());
        if let Some(cache) = cache {
            object.raw("prompt_cache_breakpoint", &cache);
        }
        object.extras(&image.extra);
        object.end();
    }

    pub(super) fn document(&mut self, document: &Document) {
        match &document.source {
            Source::Text(text) => return self.plain(&titled(document, text)),
            Source::Parts(parts) => {
                let head = titled(document, "");
                if !head.is_empty() {
                    self.plain(&head);
                }
                for part in parts {
                    self.part(part);
                }
                return;
            }
            Source::Base64 { .. } | Source::Url { .. } | Source::FileId(_) => {}
        }
        let native = self.native();
        if let Source::Base64 { media_type, .. } = &document.source
            && media::kind(media_type) == MediaKind::Image
            && !native
        {
            if document.title.is_some() || document.context.is_some() {
                self.plain(&titled(document, ""));
            }
            let (source, cache) = (document.source.clone(), document.cache.clone());
            return self.image(&Image {
                source,
                detail: document.detail.clone(),
                cache,
                extra: Extra::default(),
            });
        }
        if document.context.is_some() {
            self.plain(&titled(document, ""));
        }
        let cache = self.cache(document.cache.as_ref());
        let mut object = Object::typed(element(&mut self.content), "input_file");
        match &document.source {
            Source::Base64 { media_type, data } => {
                // A file without a name is refused.
                match &document.filename {
                    Some(name) => object.text("filename", name),
                    None => object.text("filename", &media::file_name(document.title.as_deref(), media_type)),
                };
                object.text("file_data", &media::data_url(media_type, data));
            }
            Source::Url { url, .. } => {
                object.maybe_text("filename", document.filename.as_deref().filter(|_| native));
                object.text("file_url", url);
            }
            Source::FileId(id) => {
                object.maybe_text("filename", document.filename.as_deref().filter(|_| native));
                object.text("file_id", id);
            }
            Source::Text(_) | Source::Parts(_) => {}
        }
        object.maybe_text("detail", document.detail.as_deref());
        if let Some(cache) = cache {
            object.raw("prompt_cache_breakpoint", &cache);
        }
        object.extras(&document.extra);
        object.end();
    }
}

/// The text of a document under its title.
fn titled(document: &Document, text: &str) -> String {
    let heads = [document.title.as_deref().or(document.filename.as_deref()), document.context.as_deref()];
    let heads: Vec<_> = heads.into_iter().flatten().chain((!text.is_empty()).then_some(text)).collect();
    heads.join("\n\n")
}
