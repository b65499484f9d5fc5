//! Frames with their running number.

use crate::{responses::writer::Object, wire::write};

/// Writes frames and counts them.
#[derive(Debug)]
pub(super) struct Frames {
    sequence: u64,
}

impl Frames {
    /// Counts from `first`.
    pub(super) fn from(first: u64) -> Self {
        Self { sequence: first }
    }

    /// Writes one event; `members` writes what it has beside `type` and `sequence_number`.
    pub(super) fn event(&mut self, out: &mut Vec<u8>, kind: &str, members: impl FnOnce(&mut Object<'_>)) {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(kind.as_bytes());
        out.extend_from_slice(b"\ndata: ");
        let mut object = Object::typed(out, kind);
        members(&mut object);
        object.value("sequence_number", &self.sequence);
        object.end();
        out.extend_from_slice(b"\n\n");
        self.sequence += 1;
    }

    /// Writes a delta after its prepared beginning.
    pub(super) fn delta(&mut self, out: &mut Vec<u8>, prefix: &[u8], text: &str, suffix: &[u8]) {
        out.extend_from_slice(prefix);
        write::string(out, text);
        out.extend_from_slice(suffix);
        out.extend_from_slice(b",\"sequence_number\":");
        write::value(out, &self.sequence);
        out.extend_from_slice(b"}\n\n");
        self.sequence += 1;
    }
}

/// Where a piece belongs.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) item_id: &'a str,
    pub(super) output_index: u32,
    /// `content_index` or `summary_index`, where there is one.
    pub(super) within: Option<(&'static str, u64)>,
}

impl Place<'_> {
    pub(super) fn write(&self, object: &mut Object<'_>) {
        object.text("item_id", self.item_id).value("output_index", &self.output_index);
        if let Some((name, index)) = self.within {
            object.value(name, &index);
        }
    }

    /// The beginning of every delta of one kind at this place, up to its text.
    pub(super) fn prefix(&self, kind: &str) -> Vec<u8> {
        let mut out = Vec::with_capacity(192);
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(kind.as_bytes());
        out.extend_from_slice(b"\ndata: ");
        let mut object = Object::typed(&mut out, kind);
        self.write(&mut object);
        object.member("delta");
        out
    }
}
