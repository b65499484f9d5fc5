//! Tools with free text input, for dialects that have only functions.

use crate::{
    Json,
    ir::{CustomFormat, CustomTool, FunctionTool},
    unfinished::Progress,
};
use serde::Serialize;

#[derive(Serialize)]
struct Schema<'a> {
    r#type: &'static str,
    properties: Properties<'a>,
    required: [&'static str; 1],
    #[serde(rename = "additionalProperties")]
    additional: bool,
}

#[derive(Serialize)]
struct Properties<'a> {
    input: Input<'a>,
}

#[derive(Serialize)]
struct Input<'a> {
    r#type: &'static str,
    description: &'a str,
}

/// The same tool as a function with one string argument `input`. The grammar becomes part of the description.
pub(crate) fn as_function(tool: &CustomTool) -> FunctionTool {
    let mut description = tool.description.clone().unwrap_or_default();
    let mut hint = "The whole input of the tool as plain text.".to_owned();
    if let CustomFormat::Grammar { syntax, definition } = &tool.format {
        if !description.is_empty() {
            description.push_str("\n\n");
        }
        description.push_str("The input must follow this ");
        description.push_str(syntax);
        description.push_str(" grammar:\n");
        description.push_str(definition);
        "The whole input of the tool as plain text, by the grammar of the description.".clone_into(&mut hint);
    }
    let schema = Schema {
        r#type: "object",
        properties: Properties { input: Input { r#type: "string", description: &hint } },
        required: ["input"],
        additional: false,
    };
    FunctionTool {
        name: tool.name.clone(),
        description: (!description.is_empty()).then_some(description),
        schema: Json::from_value(&schema).ok(),
        defer_loading: tool.defer_loading,
        cache: tool.cache.clone(),
        ..FunctionTool::default()
    }
}

/// `{"input": "…"}`: the arguments by which a free text input travels as a function call.
pub(crate) fn wrap_input(input: &str) -> String {
    #[derive(Serialize)]
    struct Wrapped<'a> {
        input: &'a str,
    }
    serde_json::to_string(&Wrapped { input }).unwrap_or_else(|_| "{}".to_owned())
}

/// A piece of a free text input as a piece of those arguments; `"}` ends them.
pub(crate) fn wrap_piece(piece: &str, first: bool) -> String {
    let wrapped = wrap_input(piece);
    let inside = wrapped.strip_suffix("\"}").unwrap_or(&wrapped);
    if first { inside } else { inside.strip_prefix("{\"input\":\"").unwrap_or(inside) }.to_owned()
}

/// Turns the arguments of such a call back into free text, piece by piece.
///
/// Models also answer with another key (`patch`, `content`), with a JSON string or with the bare text: an only string is taken,
/// and whatever else has no `input` is passed on as it is.
#[derive(Debug, Default)]
pub(crate) struct Unwrap {
    state: State,
    /// Text before the string has begun, an escape that is cut off, or what stands behind the string.
    held: String,
}

#[derive(Debug, Default, PartialEq)]
enum State {
    #[default]
    Before,
    Inside,
    After,
    Bare,
    /// An object or a string that is read when it is there whole.
    Whole,
}

impl Unwrap {
    /// Takes a piece of the arguments; returns the free text in it.
    pub(crate) fn push(&mut self, piece: &str) -> String {
        match self.state {
            State::Before => {
                self.held.push_str(piece);
                self.begin()
            }
            State::Whole | State::After => {
                self.held.push_str(piece);
                String::new()
            }
            State::Inside => {
                let text = std::mem::take(&mut self.held) + piece;
                self.inside(&text)
            }
            State::Bare => piece.to_owned(),
        }
    }

    /// Whether the arguments, as far as they came, break off: the client's tool must not be run with half of a text. Text
    /// that is no JSON is what was meant.
    pub(crate) fn is_cut(&self) -> bool {
        match self.state {
            State::Before | State::Whole => Progress::of(&self.held) == Progress::Begun,
            State::Inside => true,
            State::After => Progress::of(&format!("{{\"\":\"\"{}", self.held)) == Progress::Begun,
            State::Bare => false,
        }
    }

    /// The arguments are over; returns what was held back.
    pub(crate) fn finish(&mut self) -> String {
        let held = std::mem::take(&mut self.held);
        match self.state {
            State::Before if held.trim() == "{}" || held.trim().is_empty() => String::new(),
            State::Before => held,
            State::Whole => text_of(&held).unwrap_or(held),
            // An escape that never ended says nothing.
            State::Inside | State::After | State::Bare => String::new(),
        }
    }

    fn begin(&mut self) -> String {
        let trimmed = self.held.trim_start();
        if trimmed.is_empty() {
            return String::new();
        }
        if trimmed.starts_with('"') {
            self.state = State::Whole;
            return String::new();
        }
        if !trimmed.starts_with('{') {
            self.state = State::Bare;
            return std::mem::take(&mut self.held);
        }
        let start = match value_start(trimmed) {
            Begin::Unknown => return String::new(),
            Begin::At(start) => start,
            Begin::Later => {
                self.state = State::Whole;
                return String::new();
            }
        };
        let rest = trimmed[start..].to_owned();
        self.held.clear();
        self.state = State::Inside;
        self.inside(&rest)
    }

    fn inside(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        loop {
            let Some(at) = rest.find(['"', '\\']) else {
                out.push_str(rest);
                return out;
            };
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(behind) = rest.strip_prefix('"') {
                self.state = State::After;
                behind.clone_into(&mut self.held);
                return out;
            }
            let Some((char, length)) = escape(rest) else {
                rest.clone_into(&mut self.held);
                return out;
            };
            out.push(char);
            rest = &rest[length..];
        }
    }
}

/// What the beginning of an object says of where the free text stands.
enum Begin {
    /// Too little is there yet.
    Unknown,
    /// Behind the quote at this place.
    At(usize),
    /// Not where it can be read piece by piece: the whole object decides.
    Later,
}

/// Where the value of `input` begins (after its quote), if it is the first member.
fn value_start(text: &str) -> Begin {
    let bytes = text.as_bytes();
    let mut at = 1;
    let next = |at: &mut usize| {
        while bytes.get(*at).is_some_and(u8::is_ascii_whitespace) {
            *at += 1;
        }
        bytes.get(*at).copied()
    };
    match next(&mut at) {
        None => return Begin::Unknown,
        Some(b'"') => at += 1,
        Some(_) => return Begin::Later,
    }
    let name = at;
    loop {
        match bytes.get(at) {
            None => return Begin::Unknown,
            Some(b'"') => break,
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
        }
    }
    if &bytes[name..at] != b"input" {
        return Begin::Later;
    }
    at += 1;
    match next(&mut at) {
        None => return Begin::Unknown,
        Some(b':') => at += 1,
        Some(_) => return Begin::Later,
    }
    match next(&mut at) {
        None => Begin::Unknown,
        Some(b'"') => Begin::At(at + 1),
        Some(_) => Begin::Later,
    }
}

/// The free text in arguments that are there whole: a string, `input`, or the only member under another name (`patch`,
/// `content`), if that is a string. Anything else was meant as it is.
fn text_of(arguments: &str) -> Option<String> {
    if let Ok(text) = serde_json::from_str(arguments) {
        return Some(text);
    }
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(arguments).ok()?;
    if object.is_empty() {
        return Some(String::new());
    }
    let only = || object.values().next().filter(|_| object.len() == 1);
    object.get("input").or_else(only)?.as_str().map(str::to_owned)
}

/// The character of an escape and the length of the escape; `None` while it is cut off. Lone surrogates become U+FFFD.
fn escape(text: &str) -> Option<(char, usize)> {
    let unit = |at: usize| text.get(at..at + 4).map(|hex| u32::from_str_radix(hex, 16).unwrap_or(0xFFFD));
    let char = match text.as_bytes().get(1)? {
        b'n' => '\n',
        b't' => '\t',
        b'r' => '\r',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'u' => {
            let first = unit(2)?;
            if !(0xD800..0xDC00).contains(&first) {
                return Some((char::from_u32(first).unwrap_or('\u{FFFD}'), 6));
            }
            let second = match text.as_bytes().get(6..8) {
                Some(b"\\u") => unit(8)?,
                None if text.len() <= 7 && "\\u".starts_with(&text[6..]) => return None,
                _ => return Some(('\u{FFFD}', 6)),
            };
            if !(0xDC00..0xE000).contains(&second) {
                return Some(('\u{FFFD}', 6));
            }
            let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
            return Some((char::from_u32(code).unwrap_or('\u{FFFD}'), 12));
        }
        _ => return text[1..].chars().next().map(|c| (c, 1 + c.len_utf8())),
    };
    Some((char, 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unwrapped(pieces: &[&str]) -> String {
        let mut unwrap = Unwrap::default();
        let mut out: String = pieces.iter().map(|p| unwrap.push(p)).collect();
        out.push_str(&unwrap.finish());
        out
    }

    #[test]
    fn t49_input_is_unwrapped_at_every_split() {
        let patch = "*** Begin Patch\n+\"ö\" \\ \t🙂\u{2028}\u{1}";
        let wrapped = wrap_input(patch);
        let escaped = r#"{ "patch" : "a\ud83d\ude42\u00e9\/b" }"#;
        for (input, expected) in [
            (wrapped.as_str(), patch),
            (escaped, "a🙂é/b"),
            ("*** Begin Patch", "*** Begin Patch"),
            ("{}", ""),
            ("", ""),
            (r#"{"input":""}"#, ""),
            (r#"{"input":"\ud83dx"}"#, "\u{FFFD}x"),
            (r#"{"input":5}"#, r#"{"input":5}"#),
            (r#"{"explanation":"why","input":"+a"}"#, "+a"),
            (r#"{"name":"pkg","version":1}"#, r#"{"name":"pkg","version":1}"#),
            (r#"{"cmd":"x","other":"y"}"#, r#"{"cmd":"x","other":"y"}"#),
            (r#"{"input":"cut"#, "cut"),
            (r#" "*** Begin\n\"q\"" "#, "*** Begin\n\"q\""),
            (r#""said" she"#, r#""said" she"#),
            (r#""cut"#, r#""cut"#),
        ] {
            assert_eq!(unwrapped(&[input]), expected, "{input}");
            for split in (0..=input.len()).filter(|i| input.is_char_boundary(*i)) {
                let (a, b) = input.split_at(split);
                assert_eq!(unwrapped(&[a, b]), expected, "{input} at {split}");
            }
        }
    }

    #[test]
    fn arguments_that_break_off_are_known() {
        for (input, cut) in [
            ("", false),
            ("{}", false),
            ("{", true),
            (r#"{"inp"#, true),
            (r#"{"input":"#, true),
            (r#"{"input":"a"#, true),
            (r#"{"input":"a\"#, true),
            (r#"{"input":"a""#, true),
            (r#"{"input":"a","why":"#, true),
            (r#"{"input":"a"}"#, false),
            (r#"{"input":"a","why":1} "#, false),
            (r#"{"input":"a"}}"#, false),
            (r#"{"patch":"a"#, true),
            (r#"{"patch":"a"}"#, false),
            (r#"{"patch": oops"#, false),
            (r#""cut"#, true),
            (r#""said" she"#, false),
            ("*** Begin Patch", false),
        ] {
            for split in 0..=input.len() {
                let (mut unwrap, (a, b)) = (Unwrap::default(), input.split_at(split));
                unwrap.push(a);
                unwrap.push(b);
                assert_eq!(unwrap.is_cut(), cut, "{input} at {split}");
            }
        }
    }

    #[test]
    fn a_custom_tool_becomes_a_function() {
        let tool = CustomTool {
            name: "apply_patch".into(),
            description: Some("Edits files.".into()),
            format: CustomFormat::Grammar { syntax: "lark".into(), definition: "start: X".into() },
            ..CustomTool::default()
        };
        let function = as_function(&tool);
        assert_eq!(
            function.description.unwrap(),
            "Edits files.\n\nThe input must follow this lark grammar:\nstart: X"
        );
        let schema = function.schema.unwrap().to_tree();
        assert_eq!(schema["required"][0], "input");
        assert_eq!(schema["properties"]["input"]["type"], "string");
    }
}
