use super::{Extra, Part};

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Instructions of the operator.
    System,
    /// Instructions of the developer (Chat and Responses tell them from `System`).
    Developer,
    /// The person or the agent.
    User,
    /// The model.
    Assistant,
    /// Results of tools, in the dialects that give them a turn of their own.
    Tool,
}

/// One entry of the conversation as the client sent it: a Chat or Messages message, a Gemini content, a Responses item.
///
/// Responses items that belong to one turn stay separate messages here; encoders of other dialects merge them.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said, in order.
    pub parts: Vec<Part>,
    /// Name of the participant (Chat `name`).
    pub name: Option<String>,
    /// Id of the item (Responses message `id`).
    pub id: Option<String>,
    /// Phase of an assistant message (Responses `commentary`, `final_answer`).
    pub phase: Option<String>,
    /// Status of the item (Responses).
    pub status: Option<String>,
    /// Unknown fields.
    pub extra: Extra,
}

impl Message {
    /// A message with nothing but a role and parts.
    pub fn new(role: Role, parts: Vec<Part>) -> Self {
        Self { role, parts, name: None, id: None, phase: None, status: None, extra: Extra::default() }
    }
}
