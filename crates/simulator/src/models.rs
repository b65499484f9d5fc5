//! The models that the simulator serves, with the abilities that its checks need.

mod anthropic;
mod google;
mod openai;
mod xai;

/// Whose service a model belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Maker {
    /// Anthropic: Messages.
    Anthropic,
    /// `OpenAI`: Chat Completions and Responses.
    Openai,
    /// Google: `generateContent`.
    Google,
}

/// What a model takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Abilities {
    /// An Anthropic model.
    Anthropic(AnthropicAbilities),
    /// An `OpenAI` model.
    Openai(OpenaiAbilities),
    /// A Google model.
    Google(GoogleAbilities),
}

/// What an Anthropic model takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent abilities, one column each of the vendor's table"
)]
pub struct AnthropicAbilities {
    /// `thinking.type: enabled` with a budget.
    pub budget: bool,
    /// `thinking.type: adaptive`.
    pub adaptive: bool,
    /// `thinking.type: disabled`.
    pub disabled: bool,
    /// Accepted values of `output_config.effort`.
    pub efforts: &'static [&'static str],
    /// `temperature`, `top_p`, `top_k` other than their defaults.
    pub sampling: bool,
    /// Turns of role `system` inside `messages`.
    pub system_turns: bool,
    /// A last turn of role `assistant`.
    pub prefill: bool,
}

/// What an `OpenAI` model takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenaiAbilities {
    /// Accepted reasoning efforts; empty: the model does not reason, takes sampling fields and `max_tokens`.
    pub efforts: &'static [&'static str],
}

/// Models of xAI, which are told how to think as those of `OpenAI` are.
pub(crate) const GROK: &[SimModel] = xai::MODELS;

/// What stands for every unknown model of a lenient key: it takes all there is.
pub(crate) use anthropic::PERMISSIVE as PERMISSIVE_ANTHROPIC;
pub(crate) use google::PERMISSIVE as PERMISSIVE_GOOGLE;

/// How a Google model is told how much to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GoogleThinking {
    /// `thinkingBudget` between the two numbers, or -1; `zero` if 0 is accepted too.
    Budget {
        /// Smallest budget other than 0.
        least: i64,
        /// Largest budget.
        most: i64,
        /// Whether thinking can be switched off with 0.
        zero: bool,
    },
    /// `thinkingLevel`, one of these.
    Level(&'static [&'static str]),
    /// Any of both: unknown models of lenient keys.
    Any,
}

/// What a Google model takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GoogleAbilities {
    /// Reasoning control.
    pub thinking: GoogleThinking,
    /// Whether the first function call of a step must carry its thought signature (Gemini 3 and later).
    pub call_signatures: bool,
}

/// One simulated model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SimModel {
    /// Id on the wire.
    pub id: &'static str,
    /// Name for people.
    pub name: &'static str,
    /// Longest prompt in tokens.
    pub context: u64,
    /// Largest output in tokens.
    pub max_output: u64,
    /// What it takes.
    pub abilities: Abilities,
}

impl SimModel {
    /// Whose model it is.
    pub const fn maker(&self) -> Maker {
        match self.abilities {
            Abilities::Anthropic(_) => Maker::Anthropic,
            Abilities::Openai(_) => Maker::Openai,
            Abilities::Google(_) => Maker::Google,
        }
    }

    /// Whether the model thinks at all.
    pub const fn reasons(&self) -> bool {
        match self.abilities {
            Abilities::Anthropic(_) | Abilities::Google(_) => true,
            Abilities::Openai(abilities) => !abilities.efforts.is_empty(),
        }
    }
}

/// All models of a vendor.
pub const fn models(maker: Maker) -> &'static [SimModel] {
    match maker {
        Maker::Anthropic => anthropic::MODELS,
        Maker::Openai => openai::MODELS,
        Maker::Google => google::MODELS,
    }
}

/// The model with this id. An id that contains `-sim-` is a model of tomorrow: it exists and takes what the first model of
/// its vendor takes.
pub(crate) fn find(maker: Maker, id: &str) -> Option<&'static SimModel> {
    let all = models(maker);
    let aliased = match maker {
        Maker::Anthropic => anthropic::undated(id),
        Maker::Openai | Maker::Google => id,
    };
    let foreign = if maker == Maker::Openai { GROK } else { &[] };
    all.iter()
        .chain(foreign)
        .find(|model| model.id == aliased)
        .or_else(|| if id.contains("-sim-") { all.first() } else { None })
}
