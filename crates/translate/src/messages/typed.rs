//! Tools whose schema Claude knows, written out for models that do not.

use crate::{
    Json,
    ir::{FunctionTool, TypedTool},
};

/// The tool as a plain function; `None` for one that only Claude can use (computer, browser).
///
/// The schemas restate Anthropic's tool documentation: a command line, a file editor, a memory directory.
pub(crate) fn as_function(tool: &TypedTool) -> Option<FunctionTool> {
    let (description, schema) = if tool.type_name.starts_with("bash_") {
        ("Runs a command in a persistent bash session, or restarts the session.", BASH.to_owned())
    } else if tool.type_name.starts_with("text_editor_") {
        // Later versions than the first have no `undo_edit`.
        let commands = if tool.type_name.ends_with("_20250124") { FIRST_EDITOR } else { EDITOR };
        ("Views, creates and edits text files.", editor(commands, ""))
    } else if tool.type_name.starts_with("memory_") {
        ("Reads and writes files of the memory directory.", editor(MEMORY, MEMORY_FIELDS))
    } else {
        return None;
    };
    Some(FunctionTool {
        name: tool.name.clone(),
        description: Some(description.to_owned()),
        schema: Json::parse(schema).ok(),
        cache: tool.cache.clone(),
        ..FunctionTool::default()
    })
}

const BASH: &str = r#"{"type":"object","properties":{"command":{"type":"string","description":"The command to run. Needed unless the session is restarted."},"restart":{"type":"boolean","description":"Whether to restart the session."}}}"#;

const FIRST_EDITOR: &str = r#""view","create","str_replace","insert","undo_edit""#;
const EDITOR: &str = r#""view","create","str_replace","insert""#;
const MEMORY: &str = r#""view","create","str_replace","insert","delete","rename""#;
const MEMORY_FIELDS: &str = r#","old_path":{"type":"string","description":"Path before a rename."},"new_path":{"type":"string","description":"Path after a rename."}"#;

fn editor(commands: &str, further: &str) -> String {
    format!(
        r#"{{"type":"object","properties":{{"command":{{"type":"string","enum":[{commands}],"description":"What to do."}},"path":{{"type":"string","description":"Path of the file or directory."}},"file_text":{{"type":"string","description":"Text of a file to create."}},"old_str":{{"type":"string","description":"Text to replace; it must occur exactly once."}},"new_str":{{"type":"string","description":"Text to put in its place."}},"insert_line":{{"type":"integer","description":"Line after which text is inserted."}},"insert_text":{{"type":"string","description":"Text to insert."}},"view_range":{{"type":"array","items":{{"type":"integer"}},"description":"First and last line to view."}}{further}}},"required":["command"]}}"#
    )
}
