//! The only place that knows how YAML is read and written.

use super::{
    Entry, Node, Spot, TextLayer, Value,
    path::KeyPath,
    positions::{self, Mark, Positions},
};
use crate::error::Problem;
use std::{path::Path, sync::Arc};
use yaml_serde::Value as Yaml;

/// Reads a YAML text into a tree. An empty text is an empty table.
pub(crate) fn parse(text: &str, layer: TextLayer, file: &Arc<Path>) -> Result<Node, Vec<Problem>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let positions = positions::index(text);
    let reader = Reader { text, positions: &positions, layer, file };
    if !positions.duplicates.is_empty() {
        return Err(positions.duplicates.iter().map(|d| reader.duplicate(d)).collect());
    }
    let mut yaml: Yaml = yaml_serde::from_str(text).map_err(|error| vec![reader.syntax(&error)])?;
    yaml.apply_merge().map_err(|error| vec![reader.syntax(&error)])?;
    let mut problems = Vec::new();
    let mut root = reader.node(yaml, KeyPath::default(), &mut problems);
    if matches!(root.value, Value::Null) {
        root.value = Value::Table(Vec::new());
    }
    if problems.is_empty() { Ok(root) } else { Err(problems) }
}

/// Reads a YAML text into plain values, to change it and write it again. Variables stay as they are written.
pub(crate) fn parse_plain(
    text: &str,
    layer: TextLayer,
    file: &Arc<Path>,
) -> Result<serde_json::Map<String, serde_json::Value>, Vec<Problem>> {
    let parsed: Result<Option<_>, _> = yaml_serde::from_str(text);
    parsed.map(Option::unwrap_or_default).map_err(|error| {
        let reader = Reader { text, positions: &Positions::default(), layer, file };
        vec![reader.syntax(&error)]
    })
}

/// Writes a value as YAML; `None` if it cannot be written (a number that YAML does not know).
pub(crate) fn print(value: &serde_json::Value) -> Option<String> {
    yaml_serde::to_string(value).ok()
}

struct Reader<'a> {
    text: &'a str,
    positions: &'a Positions,
    layer: TextLayer,
    file: &'a Arc<Path>,
}

impl Reader<'_> {
    fn spot(&self, mark: Mark) -> Spot {
        Spot::Text { layer: self.layer, file: Arc::clone(self.file), line: mark.line, column: mark.column }
    }

    fn duplicate(&self, found: &positions::Duplicate) -> Problem {
        let hint = format!("keep one of the two: the first is on line {}", found.first.line);
        Problem::new(&self.spot(found.second), &found.path, "the key is written twice", hint)
    }

    fn syntax(&self, error: &yaml_serde::Error) -> Problem {
        let mark = error.location().map_or_else(Mark::default, |at| Mark {
            line: u32::try_from(at.line()).unwrap_or(0),
            column: u32::try_from(at.column()).unwrap_or(0),
        });
        // Only the parser's fixed sentences are quoted; they end in a position of their own.
        let text = error.to_string();
        let reason = text.split(" at line ").next().unwrap_or("it cannot be read");
        let (mark, line) = self.within(mark);
        let hint = if line.contains("${") {
            "between `{` and `}` a variable needs quotes: write `\"${NAME}\"`"
        } else {
            "check the indentation, quotes and brackets on this line and the one above"
        };
        Problem::new(&self.spot(mark), &KeyPath::default(), format!("not valid YAML: {reason}"), hint)
    }

    /// A text that ends too early is blamed on the line after the last one, which nobody can look at: its end is meant.
    fn within(&self, mark: Mark) -> (Mark, &str) {
        let at = |line: u32| self.text.lines().nth(line.saturating_sub(1) as usize);
        if let Some(line) = at(mark.line) {
            return (mark, line);
        }
        let last = u32::try_from(self.text.lines().count()).unwrap_or(0);
        let line = at(last).unwrap_or_default();
        let column = u32::try_from(line.chars().count() + 1).unwrap_or(0);
        (Mark { line: last, column }, line)
    }

    fn node(&self, yaml: Yaml, path: KeyPath, problems: &mut Vec<Problem>) -> Node {
        let spot = self.spot(self.positions.value(&path));
        let value = match yaml {
            Yaml::Null => Value::Null,
            Yaml::Bool(value) => Value::Bool(value),
            Yaml::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
                (Some(n), _, _) => Value::Integer(n.into()),
                (None, Some(n), _) => Value::Integer(n.into()),
                (None, None, n) => Value::Float(n.unwrap_or(f64::NAN)),
            },
            Yaml::String(text) => Value::Text { text, loose: false },
            Yaml::Sequence(items) => {
                let items = items.into_iter().enumerate();
                Value::List(items.map(|(i, item)| self.node(item, path.item(i), problems)).collect())
            }
            Yaml::Mapping(map) => {
                let mut entries = Vec::with_capacity(map.len());
                for (key, item) in map {
                    match key {
                        Yaml::String(key) => {
                            let at = path.key(&key);
                            let key_spot = self.spot(self.positions.key(&at));
                            entries.push(Entry { key, key_spot, node: self.node(item, at, problems) });
                        }
                        _ => problems.push(Problem::new(
                            &spot,
                            &path,
                            "a key of this table is not text",
                            "put the key in quotes",
                        )),
                    }
                }
                Value::Table(entries)
            }
            Yaml::Tagged(_) => {
                problems.push(Problem::new(
                    &spot,
                    &path,
                    "tags such as `!name` are not known here",
                    "remove the tag",
                ));
                Value::Null
            }
        };
        Node { path, spot, value }
    }
}
