use byok_types::ModelFacts;

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
