//! The wish for a form of answer in words, for upstreams that have no field for it or want the word JSON in the prompt.
//!
//! Only the beginning of the conversation is looked at: whether the words are added must not change while the conversation grows,
//! or the prompt cache is lost. What byok said on an earlier way is not said again.

use crate::{
    Json,
    ir::{OutputFormat, Part, Request, Role},
};

/// Asks for an object of any form.
pub(crate) const OBJECT: &str = "Answer with one JSON object and nothing else: no other text, no code fence.";

/// Asks for a value by a schema.
pub(crate) fn by_schema(schema: &Json) -> String {
    format!(
        "Answer with one JSON value by this JSON schema and nothing else: no other text, no code fence.\n{}",
        schema.get()
    )
}

/// Asks for one of the values that a Gemini client allows (`text/x.enum`), if that is the form of the answer.
pub(crate) fn by_values(format: &OutputFormat) -> Option<String> {
    let OutputFormat::Opaque(form) = format else { return None };
    let form = form.json.to_tree();
    if form["responseMimeType"] != "text/x.enum" {
        return None;
    }
    let schemas = [&form["responseSchema"], &form["responseJsonSchema"]];
    let values = schemas.into_iter().find_map(|schema| schema["enum"].as_array())?;
    let values: Vec<_> = values.iter().filter_map(|value| value.as_str()).collect();
    (!values.is_empty())
        .then(|| format!("Answer with exactly one of these values and nothing else:\n{}", values.join("\n")))
}

/// Whether the leading instructions speak of JSON.
pub(crate) fn is_spoken_of(request: &Request) -> bool {
    texts(request).any(speaks_of_json)
}

/// Whether a text has the word that `OpenAI` looks for.
pub(crate) fn speaks_of_json(text: &str) -> bool {
    text.as_bytes().windows(4).any(|word| word.eq_ignore_ascii_case(b"json"))
}

/// Whether the leading instructions hold these words.
pub(crate) fn is_said(request: &Request, words: &str) -> bool {
    texts(request).any(|text| text.contains(words))
}

fn texts(request: &Request) -> impl Iterator<Item = &str> {
    let leading =
        request.messages.iter().take_while(|message| matches!(message.role, Role::System | Role::Developer));
    request.system.iter().chain(leading.flat_map(|message| &message.parts)).filter_map(|part| match part {
        Part::Text(text) => Some(text.text.as_str()),
        _ => None,
    })
}
