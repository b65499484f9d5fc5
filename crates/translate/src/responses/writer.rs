//! Writing of JSON objects member by member, in the order of the calls.

use crate::{Json, ir::Extra, wire::write};
use byok_types::Dialect;
use serde::Serialize;

/// An object that is being written.
pub(super) struct Object<'o> {
    out: &'o mut Vec<u8>,
    empty: bool,
}

impl<'o> Object<'o> {
    pub(super) fn begin(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    /// An object with this `type`.
    pub(super) fn typed(out: &'o mut Vec<u8>, kind: &str) -> Self {
        let mut object = Self::begin(out);
        object.text("type", kind);
        object
    }

    /// Writes a name; whatever is appended to the result must be its value.
    pub(super) fn member(&mut self, name: &str) -> &mut Vec<u8> {
        if self.empty {
            self.empty = false;
            write::string(self.out, name);
            self.out.push(b':');
        } else {
            write::key(self.out, name);
        }
        self.out
    }

    pub(super) fn text(&mut self, name: &str, text: &str) -> &mut Self {
        write::string(self.member(name), text);
        self
    }

    pub(super) fn maybe_text(&mut self, name: &str, text: Option<&str>) -> &mut Self {
        if let Some(text) = text {
            self.text(name, text);
        }
        self
    }

    pub(super) fn json(&mut self, name: &str, json: &Json) -> &mut Self {
        write::json(self.member(name), json);
        self
    }

    pub(super) fn maybe_json(&mut self, name: &str, json: Option<&Json>) -> &mut Self {
        if let Some(json) = json {
            self.json(name, json);
        }
        self
    }

    /// A small value: a number, a flag, a list of words. `None` becomes `null`.
    pub(super) fn value<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> &mut Self {
        write::value(self.member(name), value);
        self
    }

    pub(super) fn maybe<T: Serialize>(&mut self, name: &str, value: Option<&T>) -> &mut Self {
        if let Some(value) = value {
            self.value(name, value);
        }
        self
    }

    /// A value that is JSON already.
    pub(super) fn raw(&mut self, name: &str, json: &[u8]) -> &mut Self {
        self.member(name).extend_from_slice(json);
        self
    }

    /// A list whose elements, separated by commas, are JSON already.
    pub(super) fn list(&mut self, name: &str, elements: &[u8]) -> &mut Self {
        let out = self.member(name);
        out.push(b'[');
        out.extend_from_slice(elements);
        out.push(b']');
        self
    }

    /// Members that are JSON already.
    pub(super) fn members(&mut self, members: &[u8]) -> &mut Self {
        if !members.is_empty() {
            if !std::mem::replace(&mut self.empty, false) {
                self.out.push(b',');
            }
            self.out.extend_from_slice(members);
        }
        self
    }

    /// Members of Responses that byok does not know.
    pub(super) fn extras(&mut self, extra: &Extra) -> &mut Self {
        for (name, value) in extra.of(Dialect::Responses).iter().filter(|(name, _)| name != super::MESSAGE) {
            self.json(name, value);
        }
        self
    }

    pub(super) fn end(self) {
        self.out.push(b'}');
    }
}

/// Appends an element to a list whose elements are separated by commas.
pub(super) fn element(list: &mut Vec<u8>) -> &mut Vec<u8> {
    if !matches!(list.last(), None | Some(b'[')) {
        list.push(b',');
    }
    list
}
