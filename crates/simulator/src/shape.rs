//! What fields a request may have, as tables, and the check of a document against them.
//!
//! The tables name every field that a vendor's SDK types name. What they do not name is refused, so that a proxy which
//! sends a field of another dialect is found out.

use serde_json::{Map, Value};

/// What a value may be.
#[derive(Debug)]
pub(crate) enum Shape {
    /// Anything.
    Any,
    Str,
    Bool,
    Int,
    Num,
    /// One of these texts.
    Enum(&'static [&'static str]),
    /// An object with any members.
    Map,
    /// An object whose members are texts.
    TextMap,
    /// An object whose members are all of one shape, whatever their names.
    MapOf(&'static Shape),
    /// An object with these members and no others.
    Obj(&'static [Field]),
    List(&'static Shape),
    /// An object whose members depend on one of them.
    Tagged(&'static Tagged),
    /// Another table, which may lead back to this one.
    Ref(&'static Shape),
    /// Or `null`.
    Null(&'static Shape),
    /// The first of these whose JSON type fits.
    Or(&'static [Shape]),
}

/// A member of an object.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) required: bool,
}

/// Objects told apart by one of their members.
#[derive(Debug)]
pub(crate) struct Tagged {
    /// The member, mostly `type`.
    pub(crate) tag: &'static str,
    /// Its values and the members that go with each, the tag not among them.
    pub(crate) variants: &'static [(&'static str, &'static [Field])],
    /// The value that an object without the member has.
    pub(crate) default: Option<&'static str>,
}

/// The members of an object that may have any others too: put [`FREE`] among them.
pub(crate) const FREE: Field = Field { name: "*", shape: Shape::Any, required: false };

/// A member that must be there.
pub(crate) const fn req(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, required: true }
}

/// A member that may be there.
pub(crate) const fn opt(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, required: false }
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
    /// The variant that was taken; some vendors show it in their paths.
    Variant(String),
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// No table names this field.
    Unknown,
    /// The field is missing.
    Missing,
    /// The value should be of these JSON types.
    Type(Vec<&'static str>),
    /// The text should be one of these.
    Value(Vec<&'static str>),
}

/// The first thing wrong with a document.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Problem {
    pub(crate) path: Vec<Step>,
    pub(crate) wrong: Wrong,
    /// The value found, `null` for a missing one.
    pub(crate) found: Value,
}

impl Problem {
    /// `messages.0.content.1.text`; with `variants` as Anthropic shows them.
    pub(crate) fn dotted(&self, variants: bool) -> String {
        let steps = self.path.iter().filter_map(|step| match step {
            Step::Key(key) => Some(key.clone()),
            Step::Index(index) => Some(index.to_string()),
            Step::Variant(name) => variants.then(|| name.clone()),
        });
        steps.collect::<Vec<_>>().join(".")
    }

    /// `messages[0].content[1].text`, as `OpenAI` and Google show paths.
    pub(crate) fn bracketed(&self) -> String {
        let mut path = String::new();
        for step in &self.path {
            match step {
                Step::Key(key) => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(key);
                }
                Step::Index(index) => {
                    path.push('[');
                    path.push_str(&index.to_string());
                    path.push(']');
                }
                Step::Variant(_) => {}
            }
        }
        path
    }

    /// The field itself.
    pub(crate) fn field(&self) -> &str {
        self.path
            .iter()
            .rev()
            .find_map(|step| match step {
                Step::Key(key) => Some(key.as_str()),
                Step::Index(_) | Step::Variant(_) => None,
            })
            .unwrap_or_default()
    }
}

/// The JSON type of a value, in the words of JSON Schema.
pub(crate) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Checks a document. `lenient`: fields and variants that no table names are accepted.
pub(crate) fn check(shape: &Shape, value: &Value, lenient: bool) -> Result<(), Box<Problem>> {
    Check { lenient, path: Vec::new() }.value(shape, value)
}

struct Check {
    lenient: bool,
    path: Vec<Step>,
}

type Checked = Result<(), Box<Problem>>;

impl Check {
    fn wrong(&self, wrong: Wrong, found: &Value) -> Checked {
        Err(Box::new(Problem { path: self.path.clone(), wrong, found: found.clone() }))
    }

    fn within(&mut self, step: Step, check: impl FnOnce(&mut Self) -> Checked) -> Checked {
        self.path.push(step);
        let checked = check(self);
        self.path.pop();
        checked
    }

    fn value(&mut self, shape: &Shape, value: &Value) -> Checked {
        if !fits(shape, value) {
            return self.wrong(Wrong::Type(types(shape)), value);
        }
        match shape {
            Shape::Any | Shape::Str | Shape::Bool | Shape::Int | Shape::Num | Shape::Map => Ok(()),
            Shape::Enum(allowed) => match value.as_str() {
                Some(text) if allowed.contains(&text) => Ok(()),
                _ => self.wrong(Wrong::Value(allowed.to_vec()), value),
            },
            Shape::TextMap => self.map_of(&Shape::Str, value),
            Shape::MapOf(member) => self.map_of(member, value),
            Shape::Obj(fields) => self.object(fields, value, None),
            Shape::List(item) => self.list(item, value),
            Shape::Tagged(tagged) => self.tagged(tagged, value),
            Shape::Null(_) if value.is_null() => Ok(()),
            Shape::Null(shape) | Shape::Ref(shape) => self.value(shape, value),
            Shape::Or(shapes) => match shapes.iter().find(|shape| fits(shape, value)) {
                Some(shape) => self.value(shape, value),
                None => self.wrong(Wrong::Type(types(shape)), value),
            },
        }
    }

    fn list(&mut self, item: &Shape, value: &Value) -> Checked {
        for (index, value) in value.as_array().into_iter().flatten().enumerate() {
            self.within(Step::Index(index), |check| check.value(item, value))?;
        }
        Ok(())
    }

    fn map_of(&mut self, member: &Shape, value: &Value) -> Checked {
        for (name, value) in value.as_object().into_iter().flatten() {
            self.within(Step::Key(name.clone()), |check| check.value(member, value))?;
        }
        Ok(())
    }

    fn object(&mut self, fields: &[Field], value: &Value, tag: Option<&str>) -> Checked {
        let empty = Map::new();
        let object = value.as_object().unwrap_or(&empty);
        let free = fields.iter().any(|field| field.name == FREE.name);
        for field in fields.iter().filter(|field| field.required && !object.contains_key(field.name)) {
            self.within(Step::Key(field.name.to_owned()), |check| check.wrong(Wrong::Missing, &Value::Null))?;
        }
        for (name, value) in object {
            if tag == Some(name.as_str()) {
                continue;
            }
            self.within(Step::Key(name.clone()), |check| {
                match fields.iter().find(|field| field.name == name) {
                    Some(field) => check.value(&field.shape, value),
                    None if check.lenient || free => Ok(()),
                    None => check.wrong(Wrong::Unknown, value),
                }
            })?;
        }
        Ok(())
    }

    fn tagged(&mut self, tagged: &Tagged, value: &Value) -> Checked {
        let named = match value.get(tagged.tag) {
            None | Some(Value::Null) => tagged.default,
            Some(Value::String(name)) => Some(name.as_str()),
            Some(other) => {
                return self.within(Step::Key(tagged.tag.to_owned()), |check| {
                    check.wrong(Wrong::Type(vec!["string"]), other)
                });
            }
        };
        let at_tag = Step::Key(tagged.tag.to_owned());
        let Some(name) = named else {
            return self.within(at_tag, |check| check.wrong(Wrong::Missing, &Value::Null));
        };
        match tagged.variants.iter().find(|(known, _)| *known == name) {
            Some((known, fields)) => self.within(Step::Variant((*known).to_owned()), |check| {
                check.object(fields, value, Some(tagged.tag))
            }),
            None if self.lenient => Ok(()),
            None => {
                let allowed = tagged.variants.iter().map(|(name, _)| *name).collect();
                let found = Value::from(name);
                self.within(at_tag, |check| check.wrong(Wrong::Value(allowed), &found))
            }
        }
    }
}

/// Whether the JSON type of a value fits.
fn fits(shape: &Shape, value: &Value) -> bool {
    match shape {
        Shape::Any => true,
        Shape::Str | Shape::Enum(_) => value.is_string(),
        Shape::Bool => value.is_boolean(),
        Shape::Int => value.is_i64() || value.is_u64(),
        Shape::Num => value.is_number(),
        Shape::Map | Shape::TextMap | Shape::MapOf(_) | Shape::Obj(_) | Shape::Tagged(_) => value.is_object(),
        Shape::List(_) => value.is_array(),
        Shape::Null(shape) => value.is_null() || fits(shape, value),
        Shape::Ref(shape) => fits(shape, value),
        Shape::Or(shapes) => shapes.iter().any(|shape| fits(shape, value)),
    }
}

/// The JSON types that fit.
fn types(shape: &Shape) -> Vec<&'static str> {
    match shape {
        Shape::Any => Vec::new(),
        Shape::Str | Shape::Enum(_) => vec!["string"],
        Shape::Bool => vec!["boolean"],
        Shape::Int => vec!["integer"],
        Shape::Num => vec!["number"],
        Shape::Map | Shape::TextMap | Shape::MapOf(_) | Shape::Obj(_) | Shape::Tagged(_) => vec!["object"],
        Shape::List(_) => vec!["array"],
        Shape::Null(shape) | Shape::Ref(shape) => types(shape),
        Shape::Or(shapes) => shapes.iter().flat_map(types).collect(),
    }
}

#[cfg(test)]
mod tests;
