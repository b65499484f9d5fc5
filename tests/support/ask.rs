//! A request and an answer in words that fit all four dialects. Shares nothing with byok's own translation.

use serde_json::{Map, Value};

/// What a client asks.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    pub model: String,
    pub stream: bool,
    /// Instructions at the top.
    pub system: Vec<String>,
    /// Instructions of role developer, where the dialect has it; else at the top too.
    pub developer: Option<String>,
    pub turns: Vec<Turn>,
    pub tools: Vec<Tool>,
    pub choice: Choice,
    /// At most one call in a turn.
    pub single_call: bool,
    pub think: Option<Think>,
    pub stops: Vec<String>,
    /// JSON Schema of the answer.
    pub schema: Option<Value>,
    pub max_tokens: Option<u32>,
    /// Members of the body that no other field writes.
    pub extra: Map<String, Value>,
}

/// A turn of a conversation.
#[derive(Clone, Debug)]
pub enum Turn {
    User(Vec<Piece>),
    /// What the model said, as a client of the dialect keeps it.
    Said(Vec<Value>),
    Results(Vec<Outcome>),
    /// Instructions in the middle of the conversation.
    System(String),
}

/// A piece of a user turn.
#[derive(Clone, Debug)]
pub enum Piece {
    Text(String),
    /// A picture: media type and base64.
    Image(&'static str, String),
    /// A picture by address.
    Link(String),
}

/// The result of a tool.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub id: String,
    pub name: String,
    pub text: String,
}

/// A tool that the client runs.
#[derive(Clone, Debug)]
pub struct Tool {
    pub name: &'static str,
    pub parameters: Value,
}

/// Which tools are to be called.
#[derive(Clone, Debug, Default)]
pub enum Choice {
    #[default]
    Unset,
    None,
    Any,
    Named(&'static str),
}

/// How much to think.
#[derive(Clone, Debug)]
pub enum Think {
    Effort(&'static str),
    Budget(u32),
}

impl Ask {
    /// A question.
    pub fn new(text: impl Into<String>) -> Self {
        Self { turns: vec![Turn::User(vec![Piece::Text(text.into())])], ..Self::default() }
    }

    pub fn model(mut self, model: &str) -> Self {
        model.clone_into(&mut self.model);
        self
    }

    pub fn stream(mut self, stream: bool) -> Self {
        self.stream = stream;
        self
    }

    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// The next turn of the conversation: what was said, and results for all its calls.
    pub fn answered(&self, said: &Said, results: &[&str]) -> Self {
        let mut next = self.clone();
        next.turns.push(Turn::Said(said.kept.clone()));
        let outcomes = said.calls.iter().zip(results).map(|(call, text)| Outcome {
            id: call.id.clone(),
            name: call.name.clone(),
            text: (*text).to_owned(),
        });
        next.turns.push(Turn::Results(outcomes.collect()));
        next
    }

    /// The next turn of the conversation: what was said, and another question.
    pub fn followed(&self, said: &Said, text: &str) -> Self {
        let mut next = self.clone();
        next.turns.push(Turn::Said(said.kept.clone()));
        next.turns.push(Turn::User(vec![Piece::Text(text.to_owned())]));
        next
    }
}

/// What a model said.
#[derive(Clone, Debug, Default)]
pub struct Said {
    pub model: String,
    pub text: String,
    pub thinking: String,
    /// An opaque blob came with the thinking or with a call.
    pub blob: bool,
    pub refusal: String,
    pub calls: Vec<Called>,
    /// Why it stopped, in the words of the dialect; empty where a stream broke off.
    pub stop: String,
    /// The stop sequence that was met, where the dialect names it.
    pub sequence: Option<String>,
    pub usage: Usage,
    /// The answer as a client keeps it for the next turn.
    pub kept: Vec<Value>,
    /// The error that ended a stream.
    pub error: Option<Fault>,
    /// Deltas of text in a stream.
    pub deltas: usize,
}

/// A call of a tool.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Called {
    pub id: String,
    pub name: String,
    pub arguments: Value,
}

/// Tokens as all dialects mean them: the whole prompt and the whole output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub input: u64,
    pub cached: u64,
    pub output: u64,
    pub reasoning: u64,
}

/// An error as a dialect says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// `type`, or Gemini's `status`.
    pub kind: String,
    pub code: String,
    pub message: String,
    pub param: String,
}

/// Reads a number that must be there.
pub fn number(value: &Value, name: &str) -> Result<u64, String> {
    value[name].as_u64().ok_or_else(|| format!("`{name}` must be a number: {value}"))
}

/// Reads a text that must be there.
pub fn text<'v>(value: &'v Value, name: &str) -> Result<&'v str, String> {
    value[name].as_str().ok_or_else(|| format!("`{name}` must be a text: {value}"))
}

/// Reads a list that must be there.
pub fn list<'v>(value: &'v Value, name: &str) -> Result<&'v Vec<Value>, String> {
    value[name].as_array().ok_or_else(|| format!("`{name}` must be a list: {value}"))
}

/// Fails unless `is_so`.
pub fn demand(is_so: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if is_so { Ok(()) } else { Err(what()) }
}
