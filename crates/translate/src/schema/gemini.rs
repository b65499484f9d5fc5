//! Gemini's own kind of schema, a subset of what `OpenAPI` 3.0 has, and JSON Schema: turned into each other.
//!
//! Newer backends take JSON Schema as it is (`parametersJsonSchema`). The others answer 400 to every keyword that they do
//! not know, so a schema for them is rebuilt from what they do know, and whatever is left out is said in the description.

mod standard;
mod union;

pub(crate) use standard::from_gemini;

use crate::{
    Json,
    gemini::{fits, legal_parameter},
};
use serde_json::{Map, Value};
use standard::in_camel_case;
use std::collections::HashSet;

/// A schema of Gemini's kind for the arguments of a function. Parameter names that Gemini refuses are rewritten by
/// `legal_parameter`.
pub(crate) fn for_gemini(schema: &Json) -> Json {
    cleaned(schema, true)
}

/// A schema of Gemini's kind for structured output. Names stay: they come back in the text of the answer.
pub(crate) fn for_gemini_output(schema: &Json) -> Json {
    cleaned(schema, false)
}

/// The same for a schema that stands in a body of Gemini's already, whose names are those of its client.
pub fn schema_for_gemini(schema: &Value) -> Value {
    Json::from_value(schema).map_or_else(|_| schema.clone(), |schema| cleaned(&schema, false).to_tree())
}

/// Whether every property name can be written so that Gemini takes it and it can be read back.
pub(crate) fn parameters_fit(schema: &Json) -> bool {
    fn fit(node: &Value) -> bool {
        match node {
            Value::Object(map) => map.iter().all(|(key, value)| match value {
                Value::Object(properties) if key == "properties" => {
                    properties.iter().all(|(name, property)| fits(name) && fit(property))
                }
                value => fit(value),
            }),
            Value::Array(list) => list.iter().all(fit),
            _ => true,
        }
    }
    fit(&schema.to_tree())
}

fn cleaned(schema: &Json, rename: bool) -> Json {
    let root = schema.to_tree();
    let mut cleaner = Cleaner { root: &root, rename, refs: Vec::new(), left: MOST_NODES, copied: 0 };
    let mut clean = cleaner.node(&repaired_root(&root));
    if clean.get("type").is_some_and(|t| t == "object") && !clean.contains_key("properties") {
        clean.insert("properties".to_owned(), Value::Object(Map::new()));
    }
    Json::from_value(&clean).unwrap_or_else(|_| Json::empty_object())
}

/// References may multiply a small schema into a huge one; past this many nodes the rest is any object.
const MOST_NODES: u32 = 20_000;
/// The same for bytes of lists of words and other text.
const MOST_COPIED: usize = 4 << 20;

/// A root that is only a map of properties, as some MCP servers send it, becomes an object with these properties.
fn repaired_root(root: &Value) -> Value {
    let Value::Object(map) = root else { return Value::Object(Map::new()) };
    let keyword = |key: &str| {
        matches!(
            key,
            "type" | "properties" | "items" | "enum" | "const" | "anyOf" | "oneOf" | "allOf" | "required"
        ) || key.starts_with('$')
    };
    let bare = !map.is_empty() && map.iter().all(|(key, value)| !keyword(key) && value.is_object());
    if !bare {
        return root.clone();
    }
    let mut object = Map::new();
    object.insert("type".to_owned(), "object".into());
    object.insert("properties".to_owned(), root.clone());
    Value::Object(object)
}

struct Cleaner<'r> {
    root: &'r Value,
    rename: bool,
    /// The references that are being followed.
    refs: Vec<String>,
    left: u32,
    /// Bytes of text in the nodes that references led to.
    copied: usize,
}

impl Cleaner<'_> {
    fn node(&mut self, node: &Value) -> Map<String, Value> {
        self.left = self.left.saturating_sub(1);
        let Value::Object(node) = node else {
            // `true` allows anything, `false` nothing.
            return typed("string");
        };
        let node = &*in_camel_case(node);
        if !self.refs.is_empty() && self.copied <= MOST_COPIED {
            self.copied += text_of(node);
        }
        if self.left == 0 || self.copied > MOST_COPIED {
            return typed("object");
        }
        if let Some(Value::String(pointer)) = node.get("$ref") {
            return self.reference(pointer, node);
        }
        let mut out = Node::default();
        for (key, value) in node {
            self.keyword(key, value, node, &mut out);
        }
        for list in ["allOf", "anyOf", "oneOf"] {
            self.combination(list, node, &mut out);
        }
        for branch in ["then", "else"] {
            if let Some(branch @ Value::Object(_)) = node.get(branch) {
                let mut branch = self.node(branch);
                branch.shift_remove("required");
                union::merge(&mut out.schema, branch);
            }
        }
        if ["allOf", "anyOf", "oneOf", "then", "else"].iter().any(|key| node.contains_key(*key)) {
            union::distinct(&mut out.schema);
        }
        out.finish()
    }

    /// What a local reference points to, with the members beside the reference on top.
    fn reference(&mut self, pointer: &str, node: &Map<String, Value>) -> Map<String, Value> {
        let root = self.root;
        let target = pointer.strip_prefix('#').and_then(|path| root.pointer(path));
        let cyclic = self.refs.iter().any(|open| open == pointer);
        let name = pointer.rsplit('/').next().unwrap_or_default();
        let mut out = match target {
            Some(target) if !cyclic => {
                self.refs.push(pointer.to_owned());
                let out = self.node(target);
                self.refs.pop();
                out
            }
            _ => {
                let mut out = typed("object");
                out.insert("description".to_owned(), format!("A `{name}`.").into());
                out
            }
        };
        if let Some(description @ Value::String(_)) = node.get("description") {
            out.insert("description".to_owned(), description.clone());
        }
        out
    }

    fn keyword(&mut self, key: &str, value: &Value, node: &Map<String, Value>, out: &mut Node) {
        let keep = |out: &mut Node| drop(out.schema.insert(key.to_owned(), value.clone()));
        match (key, value) {
            ("type", _) => out.types(value),
            ("description", Value::String(text)) => out.description.clone_from(text),
            ("title" | "pattern", Value::String(_))
            | ("nullable", Value::Bool(true))
            | ("propertyOrdering", Value::Array(_))
            | ("default" | "example", _) => keep(out),
            (
                "minItems" | "maxItems" | "minLength" | "maxLength" | "minProperties" | "maxProperties"
                | "minimum" | "maximum",
                _,
            ) if value.is_number() => {
                keep(out);
            }
            ("format", Value::String(format)) => match format.as_str() {
                "date-time" | "enum" | "int32" | "int64" | "float" | "double" => keep(out),
                other => out.hints.push(format!("format: {other}")),
            },
            ("const", _) => out.values = Some(vec![value.clone()]),
            ("enum", Value::Array(values)) => out.values = Some(values.clone()),
            ("properties", Value::Object(map)) => self.properties(map, out),
            ("required", Value::Array(names)) => {
                let names = names.iter().filter_map(Value::as_str).map(|name| self.name(name));
                out.required.extend(names);
            }
            ("items" | "prefixItems", Value::Array(list)) => self.tuple(list, out),
            ("items", item) if !node.contains_key("prefixItems") => {
                let item = self.node(item);
                out.schema.insert("items".to_owned(), Value::Object(item));
            }
            ("additionalProperties", Value::Object(map)) if !map.is_empty() => {
                let of = map.get("type").and_then(Value::as_str).unwrap_or("any value");
                out.hints.push(format!("further keys of any name: {of}"));
            }
            (
                "examples" | "multipleOf" | "exclusiveMinimum" | "exclusiveMaximum" | "uniqueItems" | "not"
                | "contains" | "patternProperties" | "propertyNames" | "contentEncoding" | "contentMediaType"
                | "minContains" | "maxContains",
                _,
            ) => {
                let text = value.to_string();
                if text != "false" && text.len() <= 200 {
                    out.hints.push(format!("{key}: {text}"));
                }
            }
            _ => {}
        }
    }

    /// The name of a parameter as Gemini takes it.
    fn name(&self, name: &str) -> String {
        let legal = if self.rename { legal_parameter(name) } else { None };
        legal.unwrap_or_else(|| name.to_owned())
    }

    fn properties(&mut self, map: &Map<String, Value>, out: &mut Node) {
        let mut clean = Map::new();
        for (name, property) in map {
            let name = self.name(name);
            // Some servers say `required: true` on the property itself.
            if property.get("required") == Some(&Value::Bool(true)) {
                out.required.push(name.clone());
            }
            let property = self.node(property);
            clean.insert(name, Value::Object(property));
        }
        out.schema.insert("properties".to_owned(), Value::Object(clean));
    }

    /// A list with a schema for each place: Gemini knows one schema for all.
    fn tuple(&mut self, list: &[Value], out: &mut Node) {
        let branches = list.iter().map(|item| self.node(item)).collect();
        let mut hints = Vec::new();
        let mut item = union::flatten(branches, &mut hints);
        union::distinct(&mut item);
        out.hints.push(format!("{} items in a fixed order", list.len()));
        out.hints.extend(hints);
        out.schema.insert("items".to_owned(), Value::Object(item));
    }

    fn combination(&mut self, key: &str, node: &Map<String, Value>, out: &mut Node) {
        let Some(Value::Array(branches)) = node.get(key) else { return };
        let is_null =
            |branch: &&Value| branch.get("type").is_some_and(|t| t == "null") || **branch == Value::Null;
        if key != "allOf" && branches.iter().any(|b| is_null(&b)) {
            out.schema.insert("nullable".to_owned(), true.into());
        }
        let branches: Vec<_> = branches.iter().filter(|b| !is_null(b)).map(|b| self.node(b)).collect();
        if branches.is_empty() {
            return;
        }
        if key == "allOf" {
            for branch in branches {
                out.absorb(branch);
            }
        } else {
            let branch = union::flatten(branches, &mut out.hints);
            out.absorb(branch);
        }
    }
}

/// Bytes of what a node says itself, beside the nodes in it.
fn text_of(node: &Map<String, Value>) -> usize {
    fn size(value: &Value) -> usize {
        match value {
            Value::String(text) => text.len(),
            Value::Array(list) => list.iter().map(size).sum(),
            Value::Object(map) => map.values().map(size).sum(),
            Value::Null | Value::Bool(_) | Value::Number(_) => 1,
        }
    }
    let own = |key: &&str| {
        matches!(*key, "enum" | "const" | "default" | "example" | "description" | "title" | "pattern")
    };
    node.iter().filter(|(key, _)| own(&key.as_str())).map(|(_, value)| size(value)).sum()
}

/// A schema that is being put together.
#[derive(Default)]
struct Node {
    schema: Map<String, Value>,
    description: String,
    /// What Gemini has no keyword for.
    hints: Vec<String>,
    values: Option<Vec<Value>>,
    required: Vec<String>,
}

impl Node {
    fn types(&mut self, value: &Value) {
        let names: Vec<&str> = match value {
            Value::String(name) => vec![name],
            Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
            _ => return,
        };
        if names.iter().any(|name| name.eq_ignore_ascii_case("null")) {
            self.schema.insert("nullable".to_owned(), true.into());
        }
        let mut others = names.into_iter().filter(|name| !name.eq_ignore_ascii_case("null"));
        let first = others.next().unwrap_or("string").to_ascii_lowercase();
        self.schema.insert("type".to_owned(), first.into());
        let rest: Vec<_> = others.collect();
        if !rest.is_empty() {
            self.hints.push(format!("or {}", rest.join(", ")));
        }
    }

    /// Takes over a cleaned schema that holds as well.
    fn absorb(&mut self, mut branch: Map<String, Value>) {
        // A branch that only constrains says `string` for want of a type; the type beside it wins.
        if let Some(Value::Array(names)) = branch.shift_remove("required") {
            self.required.extend(names.into_iter().filter_map(|n| n.as_str().map(str::to_owned)));
        }
        if let Some(Value::String(text)) = branch.shift_remove("description") {
            if self.description.is_empty() {
                self.description = text;
            } else if self.description != text {
                self.hints.push(text);
            }
        }
        union::merge(&mut self.schema, branch);
    }

    fn finish(mut self) -> Map<String, Value> {
        self.allowed_values();
        let has = |schema: &Map<String, Value>, key: &str| schema.contains_key(key);
        if has(&self.schema, "properties") && self.schema.get("type").is_none_or(|t| t != "object") {
            self.schema.shift_remove("type");
        }
        if !has(&self.schema, "type") {
            let name = match () {
                () if has(&self.schema, "properties") => "object",
                () if has(&self.schema, "items") => "array",
                () => "string",
            };
            self.schema.shift_insert(0, "type".to_owned(), name.into());
        }
        if self.schema["type"] == "array" && !has(&self.schema, "items") {
            self.schema.insert("items".to_owned(), Value::Object(typed("string")));
        }
        let properties = self.schema.get("properties").and_then(Value::as_object);
        if properties.is_some_and(Map::is_empty) {
            self.schema.shift_remove("properties");
        } else if let Some(properties) = properties {
            let mut seen = HashSet::new();
            self.required.retain(|name| properties.contains_key(name) && seen.insert(name.clone()));
            let required: Vec<Value> = self.required.into_iter().map(Value::from).collect();
            if !required.is_empty() {
                self.schema.insert("required".to_owned(), Value::Array(required));
            }
        }
        let text = described(&self.description, &self.hints);
        if !text.is_empty() {
            self.schema.insert("description".to_owned(), text.into());
        }
        self.schema
    }

    /// `enum`: Gemini knows lists of strings that are not empty.
    fn allowed_values(&mut self) {
        let Some(values) = self.values.take() else { return };
        if values.iter().any(Value::is_null) {
            self.schema.insert("nullable".to_owned(), true.into());
        }
        let values: Vec<_> = values.into_iter().filter(|v| !v.is_null()).collect();
        let stated = self.schema.get("type").and_then(Value::as_str);
        let as_strings = match stated {
            Some(name) => name == "string",
            None => values.iter().any(Value::is_string),
        };
        if !as_strings {
            let words: Vec<_> = values.iter().map(Value::to_string).collect();
            self.hints.push(format!("one of: {}", words.join(", ")));
            if stated.is_none() {
                let name = match values.first() {
                    Some(Value::Bool(_)) => "boolean",
                    Some(Value::Number(_)) if values.iter().all(Value::is_i64) => "integer",
                    Some(Value::Number(_)) => "number",
                    Some(Value::Array(_)) => "array",
                    Some(Value::Object(_)) => "object",
                    _ => "string",
                };
                self.schema.insert("type".to_owned(), name.into());
            }
            return;
        }
        self.schema.insert("type".to_owned(), "string".into());
        let mut words: Vec<Value> = Vec::new();
        let mut seen = HashSet::new();
        for value in values {
            let word = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            if word.is_empty() {
                self.hints.push("may be empty".to_owned());
            } else if seen.insert(word.clone()) {
                words.push(word.into());
            }
        }
        if !words.is_empty() {
            self.schema.insert("enum".to_owned(), Value::Array(words));
        }
    }
}

fn described(description: &str, hints: &[String]) -> String {
    if hints.is_empty() {
        return description.to_owned();
    }
    let gap = if description.is_empty() { "" } else { " " };
    format!("{description}{gap}({})", hints.join("; "))
}

fn typed(name: &str) -> Map<String, Value> {
    Map::from_iter([("type".to_owned(), Value::from(name))])
}

#[cfg(test)]
mod tests;
