//! Arguments of a call that Vertex streams as values at JSON paths.

use super::stream_decode::PartialArg;
use serde_json::{Map, Value};

/// Deepest path that is followed.
const DEEPEST: usize = 64;

/// Puts the pieces together.
#[derive(Debug)]
pub(super) struct PartialArgs {
    root: Value,
    /// The place of a string that goes on in the next piece.
    growing: Option<String>,
}

impl Default for PartialArgs {
    fn default() -> Self {
        Self { root: Value::Object(Map::new()), growing: None }
    }
}

enum Step<'p> {
    Key(&'p str),
    Index(usize),
}

impl PartialArgs {
    /// Takes arguments that came whole before the first piece.
    pub(super) fn begin(&mut self, args: &str) {
        if let Ok(root @ Value::Object(_)) = serde_json::from_str(args) {
            self.root = root;
        }
    }

    /// Takes one piece. A piece whose path cannot be read is left out.
    pub(super) fn add(&mut self, piece: PartialArg<'_>) {
        let path = piece.json_path.as_deref().unwrap_or_default();
        let Some(steps) = steps(path) else { return };
        let goes_on = self.growing.as_deref() == Some(path);
        self.growing = (piece.will_continue == Some(true)).then(|| path.to_owned());
        let slot = reach(&mut self.root, &steps);
        match (piece.string_value.map(String::from), piece.number_value, piece.bool_value) {
            (Some(text), ..) => match slot {
                Value::String(old) if goes_on => old.push_str(&text),
                slot => *slot = Value::String(text),
            },
            (_, Some(number), _) => *slot = Value::Number(number),
            (_, _, Some(flag)) => *slot = Value::Bool(flag),
            (None, None, None) => *slot = Value::Null,
        }
    }

    /// The arguments as JSON text. Those that are not complete stay open at their end, as a call that is cut off has them
    /// with any other vendor: what nobody finished must not read as a whole object.
    pub(super) fn finish(self, complete: bool) -> String {
        let mut text = self.root.to_string();
        if !complete {
            text.truncate(text.trim_end_matches(['}', ']']).len());
            if self.growing.is_some() && text.ends_with('"') {
                text.pop();
            }
        }
        text
    }
}

/// The steps of `$.a.b[0]['c']`.
fn steps(path: &str) -> Option<Vec<Step<'_>>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let quote = inner.chars().next().filter(|c| matches!(c, '\'' | '"'));
            let (step, after) = if let Some(quote) = quote {
                let (key, after) = inner[1..].split_once(quote)?;
                (Step::Key(key), after.strip_prefix(']')?)
            } else {
                let (index, after) = inner.split_once(']')?;
                (Step::Index(index.parse().ok()?), after)
            };
            steps.push(step);
            rest = after;
        } else {
            let name = rest.strip_prefix('.')?;
            let end = name.find(['.', '[']).unwrap_or(name.len());
            steps.push(Step::Key(&name[..end]));
            rest = &name[end..];
        }
    }
    (!steps.is_empty() && steps.len() <= DEEPEST).then_some(steps)
}

/// The place that the steps lead to; what is missing on the way is made. An index beyond the end is the next one.
fn reach<'v>(mut at: &'v mut Value, steps: &[Step<'_>]) -> &'v mut Value {
    for step in steps {
        at = match step {
            Step::Key(key) => {
                if !at.is_object() {
                    *at = Value::Object(Map::new());
                }
                &mut at[*key]
            }
            Step::Index(index) => {
                if !at.is_array() {
                    *at = Value::Array(Vec::new());
                }
                let length = at.as_array().map_or(0, Vec::len);
                let index = (*index).min(length);
                if let (true, Value::Array(list)) = (index == length, &mut *at) {
                    list.push(Value::Null);
                }
                &mut at[index]
            }
        };
    }
    at
}

#[cfg(test)]
mod tests;
