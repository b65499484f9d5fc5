use crate::{Json, wire::write};

/// Writes the fields of one JSON object, straight into the output.
pub(super) struct Fields<'o> {
    out: &'o mut Vec<u8>,
    empty: bool,
}

impl<'o> Fields<'o> {
    pub(super) fn open(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    /// Begins a field; the caller writes its value next.
    pub(super) fn key(&mut self, name: &str) -> &mut Vec<u8> {
        if !std::mem::take(&mut self.empty) {
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

    /// A field whose text is kept to the byte. Not for streams: the text may have line ends.
    pub(super) fn verbatim(&mut self, name: &str, value: &Json) {
        self.key(name).extend_from_slice(value.get().as_bytes());
    }

    pub(super) fn value<T: serde::Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        write::value(self.key(name), value);
    }

    /// A field that is left out if there is no value.
    pub(super) fn option<T: serde::Serialize>(&mut self, name: &str, value: Option<&T>) {
        if let Some(value) = value {
            self.value(name, value);
        }
    }

    /// A number, written without a fraction if it has none.
    pub(super) fn number(&mut self, name: &str, value: f64) {
        write_number(self.key(name), value);
    }

    pub(super) fn all<'f>(&mut self, fields: impl IntoIterator<Item = (&'f str, &'f Json)>) {
        for (name, value) in fields {
            self.json(name, value);
        }
    }

    pub(super) fn close(self) {
        self.out.push(b'}');
    }
}

fn write_number(out: &mut Vec<u8>, value: f64) {
    // Below 2^53 every whole number is exact in an f64.
    #[expect(clippy::cast_possible_truncation, reason = "the value is whole and below 2^53")]
    if value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 {
        write::value(out, &(value as i64));
    } else {
        write::value(out, &value);
    }
}

/// Writes `[`, the items with commas between them, and `]`.
pub(super) fn list<T>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    mut each: impl FnMut(&mut Vec<u8>, T),
) {
    out.push(b'[');
    let start = out.len();
    for item in items {
        if out.len() > start {
            out.push(b',');
        }
        each(out, item);
    }
    out.push(b']');
}

/// The JSON object whose fields `write` writes.
pub(super) fn object(write: impl FnOnce(&mut Fields<'_>)) -> Json {
    let mut out = Vec::new();
    let mut fields = Fields::open(&mut out);
    write(&mut fields);
    fields.close();
    String::from_utf8(out).ok().and_then(|text| Json::parse(text).ok()).unwrap_or_else(Json::empty_object)
}
