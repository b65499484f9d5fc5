//! Tools of Responses that have a type of their own and that the client runs: Codex CLI's search among its tools, and the
//! shell of its older versions. Their calls are items of their own, too. Models of other dialects are told of functions.

use super::{decode, tagged::Other, writer::Object};
use crate::{
    Json,
    ir::{Flavour, FunctionTool, TypedTool},
};
use serde::{Deserialize, Serialize};

const SHELL: &str =
    "Runs a command on the user's machine. The command is a list: the program, then its arguments.";
const SHELL_SCHEMA: &str = r#"{"type":"object","properties":{"command":{"type":"array","items":{"type":"string"},"description":"The program and its arguments."},"working_directory":{"type":"string","description":"Where it runs."},"timeout_ms":{"type":"integer","description":"How long it may run, in milliseconds."},"env":{"type":"object","additionalProperties":{"type":"string"},"description":"Environment variables that are set for it."}},"required":["command"]}"#;

/// The definition, if it is one of these.
pub(super) fn read(definition: &Other) -> Option<TypedTool> {
    let flavour = match definition.tag.as_str() {
        "local_shell" => Flavour::LocalShell,
        "tool_search" if runs_at_client(&definition.json) => Flavour::ToolSearch,
        _ => return None,
    };
    Some(TypedTool {
        type_name: definition.tag.clone(),
        name: definition.tag.clone(),
        flavour,
        cache: None,
        verbatim: decode::opaque(definition.json.clone()),
    })
}

/// Whether a search, by its definition or by its item, is one of the client and not of the vendor.
pub(super) fn runs_at_client(search: &Json) -> bool {
    #[derive(Default, Deserialize)]
    struct Fields {
        execution: Option<String>,
    }
    search.read::<Fields>().unwrap_or_default().execution.as_deref() == Some("client")
}

/// The tool as a function.
pub(crate) fn as_function(tool: &TypedTool) -> Option<FunctionTool> {
    #[derive(Default, Deserialize)]
    struct Search {
        description: Option<String>,
        parameters: Option<Json>,
    }
    let (description, schema) = match tool.flavour {
        Flavour::LocalShell => (Some(SHELL.to_owned()), Json::parse(SHELL_SCHEMA).ok()),
        Flavour::ToolSearch => {
            let search = tool.verbatim.json.read::<Search>().unwrap_or_default();
            (search.description, search.parameters.filter(Json::is_object))
        }
        Flavour::Function | Flavour::Custom => return None,
    };
    // The schemas are not made to be enforced, and without a word they would be.
    let strict = Some(false);
    Some(FunctionTool { name: tool.name.clone(), description, schema, strict, ..FunctionTool::default() })
}

/// What a search is for: an object, whatever the model wrote.
pub(super) fn search(arguments: &str) -> Json {
    #[derive(Serialize)]
    struct Raw<'a> {
        _raw: &'a str,
    }
    match Json::parse(arguments.trim()) {
        Ok(json) if json.is_object() => json,
        _ if arguments.trim().is_empty() => Json::empty_object(),
        _ => Json::from_value(&Raw { _raw: arguments }).unwrap_or_else(|_| Json::empty_object()),
    }
}

/// The command in the arguments of a call of the shell. One text is a line as it is typed, which a shell must read. `None`
/// where there is no command: nobody guesses what else was meant to be run.
pub(crate) fn command(arguments: &str) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Said {
        Words(Vec<Word>),
        Line(String),
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Word {
        Text(String),
        Number(serde_json::Number),
    }
    #[derive(Deserialize)]
    struct Call {
        command: Said,
    }
    let words = |words: Vec<Word>| {
        let text = |word| match word {
            Word::Text(text) => text,
            Word::Number(number) => number.to_string(),
        };
        let words: Vec<_> = words.into_iter().map(text).collect();
        words.first().is_some_and(|program| !program.trim().is_empty()).then_some(words)
    };
    // A list would be read as its members in their order.
    let object = Some(arguments).filter(|arguments| arguments.trim_start().starts_with('{'))?;
    match serde_json::from_str::<Call>(object).ok()?.command {
        Said::Words(list) => words(list),
        Said::Line(line) if line.trim().is_empty() => None,
        Said::Line(line) => match serde_json::from_str(&line) {
            // A list in a text is meant as one.
            Ok(list) => words(list),
            Err(_) => Some(vec!["bash".to_owned(), "-lc".to_owned(), line]),
        },
    }
}

/// What the shell is to do. Without a command it is nothing, and the call is not complete.
pub(super) fn action(arguments: &str) -> Vec<u8> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Call {
        env: Option<Json>,
        timeout_ms: Option<Json>,
        working_directory: Option<Json>,
        user: Option<Json>,
    }
    let call: Call = search(arguments).read().unwrap_or_default();
    let is_text = |json: &Json| json.as_string().is_some();
    let is_count = |json: &Json| json.read::<u64>().is_ok();
    let mut out = Vec::new();
    let mut action = Object::typed(&mut out, "exec");
    action.value("command", &command(arguments).unwrap_or_default());
    action.json("env", &call.env.filter(Json::is_object).unwrap_or_else(Json::empty_object));
    action.maybe_json("timeout_ms", call.timeout_ms.filter(is_count).as_ref());
    action.maybe_json("working_directory", call.working_directory.filter(is_text).as_ref());
    action.maybe_json("user", call.user.filter(is_text).as_ref());
    action.end();
    out
}
