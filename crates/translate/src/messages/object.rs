use crate::{Json, wire::write};
use serde::Serialize;

/// Writes one JSON object by hand; the commas are its business.
pub(super) struct Object<'o> {
    out: &'o mut Vec<u8>,
    empty: bool,
}

impl<'o> Object<'o> {
    /// Opens an object.
    pub(super) fn new(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    /// Opens an object whose first member is `"type": kind`.
    pub(super) fn typed(out: &'o mut Vec<u8>, kind: &str) -> Self {
        let mut object = Self::new(out);
        object.string("type", kind);
        object
    }

    /// Writes a key and hands out the place for its value.
    pub(super) fn key(&mut self, name: &str) -> &mut Vec<u8> {
        if !std::mem::replace(&mut self.empty, false) {
            self.out.push(b',');
        }
        write::string(self.out, name);
        self.out.push(b':');
        self.out
    }

    pub(super) fn string(&mut self, name: &str, text: &str) {
        write::string(self.key(name), text);
    }

    pub(super) fn json(&mut self, name: &str, value: &Json) {
        write::json(self.key(name), value);
    }

    pub(super) fn value<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        write::value(self.key(name), value);
    }

    /// Writes the member unless there is no value.
    pub(super) fn some<T: Serialize>(&mut self, name: &str, value: Option<&T>) {
        if let Some(value) = value {
            self.value(name, value);
        }
    }

    /// Writes members as they are.
    pub(super) fn extras(&mut self, fields: &[(String, Json)]) {
        for (name, value) in fields {
            self.json(name, value);
        }
    }

    /// Writes an array, one call of `each` an item.
    pub(super) fn list<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        each: impl FnMut(&mut Vec<u8>, T),
    ) {
        list(self.key(name), items, each);
    }

    /// Closes the object.
    pub(super) fn end(self) {
        self.out.push(b'}');
    }
}

/// Writes an array, one call of `each` an item.
pub(super) fn list<T>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    mut each: impl FnMut(&mut Vec<u8>, T),
) {
    out.push(b'[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        each(out, item);
    }
    out.push(b']');
}
