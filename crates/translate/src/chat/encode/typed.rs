//! Schemas of the tools that Claude knows without being told.

use crate::{Json, ir::FunctionTool};

const BASH: &str = r#"{"type":"object","properties":{"command":{"type":"string","description":"The command to run."},"restart":{"type":"boolean","description":"Restart the shell instead of running a command."}}}"#;

const EDITOR: &str = r#"{"type":"object","properties":{"command":{"type":"string","enum":["view","create","str_replace","insert"]},"path":{"type":"string"},"file_text":{"type":"string"},"old_str":{"type":"string"},"new_str":{"type":"string"},"insert_line":{"type":"integer"},"insert_text":{"type":"string"},"view_range":{"type":"array","items":{"type":"integer"}}},"required":["command","path"]}"#;

const MEMORY: &str = r#"{"type":"object","properties":{"command":{"type":"string","enum":["view","create","str_replace","insert","delete","rename"]},"path":{"type":"string"},"file_text":{"type":"string"},"old_str":{"type":"string"},"new_str":{"type":"string"},"insert_line":{"type":"integer"},"insert_text":{"type":"string"},"view_range":{"type":"array","items":{"type":"integer"}},"old_path":{"type":"string"},"new_path":{"type":"string"}},"required":["command"]}"#;

/// A function that means the same as a typed tool; `None` for a type that byok does not know.
pub(super) fn as_function(type_name: &str, name: &str) -> Option<FunctionTool> {
    let (description, schema) = match type_name {
        t if t.starts_with("bash_") => ("Runs a command in a shell that stays open between calls.", BASH),
        t if t.starts_with("text_editor_") => ("Shows, creates and edits files.", EDITOR),
        t if t.starts_with("memory_") => {
            ("Keeps notes in files under /memories between conversations.", MEMORY)
        }
        _ => return None,
    };
    Some(FunctionTool {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        schema: Json::parse(schema).ok(),
        ..FunctionTool::default()
    })
}
