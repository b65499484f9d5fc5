use crate::{Json, wire::Key};
use byok_types::Dialect;
use std::borrow::Cow;

/// Fields that byok does not know, kept with the dialect they came from and written again only in that dialect.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extra(Option<Box<Foreign>>);

#[derive(Clone, Debug, PartialEq)]
struct Foreign {
    dialect: Dialect,
    fields: Vec<(String, Json)>,
}

impl Extra {
    /// Keeps `fields` of an object of `dialect`, in their order.
    pub fn new(dialect: Dialect, fields: Vec<(String, Json)>) -> Self {
        Self((!fields.is_empty()).then(|| Box::new(Foreign { dialect, fields })))
    }

    /// Adds one field; the first field decides the dialect.
    pub fn push(&mut self, dialect: Dialect, name: impl Into<String>, value: Json) {
        let foreign = self.0.get_or_insert_with(|| Box::new(Foreign { dialect, fields: Vec::new() }));
        if foreign.dialect == dialect {
            foreign.fields.push((name.into(), value));
        }
    }

    /// The fields, if they belong to `dialect`.
    pub fn of(&self, dialect: Dialect) -> &[(String, Json)] {
        match &self.0 {
            Some(foreign) if foreign.dialect == dialect => &foreign.fields,
            _ => &[],
        }
    }

    /// One field, if the extras belong to `dialect`.
    pub fn get(&self, dialect: Dialect, name: &str) -> Option<&Json> {
        self.of(dialect).iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The names of fields that a target of `dialect` cannot be told.
    pub fn lost_towards(&self, dialect: Dialect) -> impl Iterator<Item = Cow<'_, str>> {
        let fields = match &self.0 {
            Some(foreign) if foreign.dialect != dialect => foreign.fields.as_slice(),
            _ => &[],
        };
        fields.iter().flat_map(|(name, value)| match value.members() {
            // The word alone is byok's own for whatever a dialect calls the wish to reason.
            Ok(members) if name == "reasoning" => {
                let member = |(member, _): &(Key<'_>, _)| Cow::Owned(format!("{name}.{}", member.as_str()));
                members.iter().map(member).collect()
            }
            _ => vec![Cow::Borrowed(name.as_str())],
        })
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}
