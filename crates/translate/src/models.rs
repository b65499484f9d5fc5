use byok_types::ModelFacts;
use serde_json::{Map, Value};

/// One entry of a list of models, in any dialect.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelEntry {
    /// The name by which a client asks for it.
    pub id: String,
    /// When it was published, Unix seconds.
    pub created: Option<i64>,
    /// Who offers it.
    pub owner: Option<String>,
    /// What is known about it.
    pub facts: ModelFacts,
}

/// A model of a vendor's list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Discovered {
    /// The vendor's id.
    pub id: String,
    /// When it was published, Unix seconds.
    pub created: Option<i64>,
    /// What the list says of it, in the names of [`ModelFacts`]. What it does not say is not here: that is no statement. With
    /// an `id`, it is an old name of the model of that id.
    pub facts: Map<String, Value>,
    /// Whether it uses up nothing that is counted of the plan.
    pub included: bool,
}

impl Discovered {
    /// A model of which nothing else is said.
    pub fn new(id: impl Into<String>, facts: Map<String, Value>) -> Self {
        Self { id: id.into(), created: None, facts, included: false }
    }

    /// Notes a fact, if the list states it.
    pub(crate) fn state(&mut self, fact: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.facts.insert(fact.to_owned(), value.into());
        }
    }
}

/// A number of tokens that can be one: servers write 0 where they know none.
pub(crate) fn tokens(number: Option<u64>) -> Option<u32> {
    number.filter(|tokens| *tokens > 0).and_then(|tokens| u32::try_from(tokens).ok())
}
