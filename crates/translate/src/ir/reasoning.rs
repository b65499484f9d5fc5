use super::Effort;

/// Whether and how much the client wants the model to think: literally what it said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ThinkingSwitch {
    /// Nothing said.
    #[default]
    Unset,
    /// Off.
    Off,
    /// On, the amount is the model's choice (Messages `adaptive`).
    On,
    /// On between tool calls only (Messages `between_tools`).
    BetweenTools,
    /// On with a number of tokens.
    Budget(u32),
    /// On with a dynamic budget (Gemini `-1`).
    Dynamic,
}

/// What the client wants to see of the thinking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Visibility {
    /// Nothing said.
    #[default]
    Unset,
    /// Nothing (Messages `omitted`, Gemini `includeThoughts: false`).
    Hidden,
    /// A summary, whichever the vendor offers.
    Auto,
    /// A short summary (Responses).
    Concise,
    /// A long summary (Responses).
    Detailed,
}

/// Reasoning control of a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reasoning {
    /// The switch.
    pub switch: ThinkingSwitch,
    /// The level, if one was named. May stand beside any switch (Messages).
    pub effort: Option<Effort>,
    /// What the client wants to see.
    pub visibility: Visibility,
    /// Responses `reasoning.context`.
    pub context: Option<String>,
    /// Responses `reasoning.mode` (`standard`, `pro`).
    pub mode: Option<String>,
    /// Whether the wish stands in the name of the model (`model(high)`): then it is meant for this very model.
    pub by_name: bool,
    /// Unknown members of the reasoning object.
    pub extra: super::Extra,
}

impl Reasoning {
    /// Whether nothing was said.
    pub fn is_unset(&self) -> bool {
        self.switch == ThinkingSwitch::Unset && self.effort.is_none()
    }
}
