//! Writing of JSON objects by hand.

use crate::{Json, wire::write};

/// One JSON object that is being written, member by member, in the order of the calls.
pub(super) struct Object<'o> {
    out: &'o mut Vec<u8>,
    empty: bool,
}

impl<'o> Object<'o> {
    /// Begins an object.
    pub(super) fn open(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    /// Ends it.
    pub(super) fn close(self) {
        self.out.push(b'}');
    }

    /// Begins a member; its value is to be appended to what is returned.
    pub(super) fn member(&mut self, name: &'static str) -> &mut Vec<u8> {
        self.comma();
        write::name(self.out, name);
        self.out
    }

    fn comma(&mut self) {
        if !std::mem::replace(&mut self.empty, false) {
            self.out.push(b',');
        }
    }

    pub(super) fn text(&mut self, name: &'static str, value: &str) {
        write::string(self.member(name), value);
    }

    pub(super) fn maybe_text(&mut self, name: &'static str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    pub(super) fn json(&mut self, name: &'static str, value: &Json) {
        write::json(self.member(name), value);
    }

    /// A number, a boolean or anything else that serde writes.
    pub(super) fn value<T: serde::Serialize + ?Sized>(&mut self, name: &'static str, value: &T) {
        write::value(self.member(name), value);
    }

    pub(super) fn null(&mut self, name: &'static str) {
        self.member(name).extend_from_slice(b"null");
    }

    /// A member that is left out if there is no value.
    pub(super) fn maybe<T: serde::Serialize>(&mut self, name: &'static str, value: Option<T>) {
        if let Some(value) = value {
            self.value(name, &value);
        }
    }

    /// Members that are known only as text.
    pub(super) fn all<'f>(&mut self, fields: impl IntoIterator<Item = &'f (String, Json)>) {
        for (name, value) in fields {
            self.comma();
            write::string(self.out, name);
            self.out.push(b':');
            write::json(self.out, value);
        }
    }

    /// A member that is an object.
    pub(super) fn object(&mut self, name: &'static str, write: impl FnOnce(&mut Object<'_>)) {
        let mut inner = Object::open(self.member(name));
        write(&mut inner);
        inner.close();
    }

    /// A member that is a list.
    pub(super) fn list<T>(
        &mut self,
        name: &'static str,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(T, &mut Vec<u8>),
    ) {
        let out = self.member(name);
        out.push(b'[');
        let start = out.len();
        for item in items {
            if out.len() > start {
                out.push(b',');
            }
            write(item, out);
        }
        out.push(b']');
    }
}

/// An object appended to `out`.
pub(super) fn object(out: &mut Vec<u8>, write: impl FnOnce(&mut Object<'_>)) {
    let mut object = Object::open(out);
    write(&mut object);
    object.close();
}
