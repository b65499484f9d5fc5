//! What a vendor's sandbox was given to run, as other dialects can show it: as one text.

use crate::Json;
use serde::{Deserialize, de::IgnoredAny};

/// Something that was run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Script {
    /// Its text.
    pub(crate) text: String,
    /// Whether it is code; else commands of a shell or the steps of an editor.
    pub(crate) is_code: bool,
}

/// Reads the input of a call. The step of an editor is its whole input: the word alone (`str_replace`) tells neither the file
/// nor the texts. `None` if nothing was run.
pub(crate) fn of(input: &Json) -> Option<Script> {
    #[derive(Deserialize)]
    struct Input {
        code: Option<String>,
        command: Option<String>,
        path: Option<IgnoredAny>,
    }
    let script = |text: String, is_code| Some(Script { text, is_code });
    match input.read().ok()? {
        Input { code: Some(code), .. } => script(code, true),
        Input { command: Some(command), path: None, .. } => script(command, false),
        Input { command: Some(_), path: Some(_), .. } => script(input.get().to_owned(), false),
        Input { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_run() {
        let editor = r#"{"command":"create","path":"/a","file_text":"x"}"#;
        for (input, expected) in [
            (r#"{"code":"print(1)"}"#, Some(("print(1)", true))),
            (r#"{"command":"ls"}"#, Some(("ls", false))),
            (editor, Some((editor, false))),
            (r#"{"query":"q"}"#, None),
            ("[]", None),
        ] {
            let script = of(&Json::parse(input).unwrap());
            let read = script.as_ref().map(|script| (script.text.as_str(), script.is_code));
            assert_eq!(read, expected, "{input}");
        }
    }
}
