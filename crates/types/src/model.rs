use crate::Dialect;
use serde::{Deserialize, Serialize};

/// Who made a model, as far as opaque reasoning blobs are concerned: a blob is only ever sent back to its family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Anthropic Claude.
    Claude,
    /// `OpenAI`.
    Openai,
    /// Google Gemini.
    Gemini,
    /// Anyone else: their blobs never leave the provider that made them.
    #[default]
    Other,
}

impl Family {
    /// The lower-case name, as it stands in carriers and data files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::Openai => "openai",
            Self::Gemini => "gemini",
            Self::Other => "other",
        }
    }
}

/// A reasoning effort level, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effort {
    /// No reasoning.
    None,
    /// The least a model can do.
    Minimal,
    /// Little.
    Low,
    /// The usual amount.
    Medium,
    /// Much.
    High,
    /// More than high.
    Xhigh,
    /// All the model can do.
    Max,
}

impl Effort {
    /// All levels in rising order.
    pub const ALL: [Self; 7] =
        [Self::None, Self::Minimal, Self::Low, Self::Medium, Self::High, Self::Xhigh, Self::Max];

    /// The lower-case name that Chat, Responses and Messages share.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Xhigh => "xhigh",
            Self::Max => "max",
        }
    }

    /// The level with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|e| e.name().eq_ignore_ascii_case(text))
    }
}

/// A form in which a model takes the wish to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ThinkingForm {
    /// A number of tokens (`thinking.budget_tokens`, `thinkingBudget`).
    Budget,
    /// The model decides (`thinking.type: adaptive`).
    Adaptive,
    /// A level beside the thinking switch (`output_config.effort`).
    Effort,
    /// A level that is the switch (`reasoning.effort`, `thinkingLevel`).
    Level,
}

/// How a model takes reasoning control.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts of a data file, one line each")]
pub struct ThinkingFacts {
    /// Accepted forms; empty means that the model does not reason on request.
    pub forms: Vec<ThinkingForm>,
    /// Smallest and largest budget in tokens.
    pub budget: Option<(u32, u32)>,
    /// Accepted levels; empty means that none is known and all are passed on.
    pub levels: Vec<Effort>,
    /// Whether thinking can be switched off.
    pub can_disable: bool,
    /// Whether the model can be asked to choose the amount itself.
    pub dynamic: bool,
    /// Whether replayed assistant turns with tool calls must carry their reasoning text (`reasoning_content`).
    pub replay_text: bool,
    /// Whether nothing is known of the model, so that empty `forms` do not mean that it does not reason.
    pub unknown: bool,
}

impl ThinkingFacts {
    /// Of a model of which nothing is known.
    pub fn unknown() -> Self {
        Self { unknown: true, ..Self::default() }
    }

    /// Whether the model takes this form.
    pub fn takes(&self, form: ThinkingForm) -> bool {
        self.forms.contains(&form)
    }
}

/// What a model can be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "four independent abilities, read from a data file")]
pub struct InputKinds {
    /// Images.
    pub image: bool,
    /// PDF documents.
    pub pdf: bool,
    /// Audio.
    pub audio: bool,
    /// Video.
    pub video: bool,
    /// Images and documents by URL, fetched by the vendor.
    pub url: bool,
}

impl Default for InputKinds {
    /// An unknown model is taken to see pictures: refusing what the vendor would accept is the worse error.
    fn default() -> Self {
        Self { image: true, pdf: true, audio: true, video: true, url: true }
    }
}

/// The name under which a Chat upstream takes the output cap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaxTokensField {
    /// `max_tokens`: compatible servers.
    #[default]
    MaxTokens,
    /// `max_completion_tokens`: `OpenAI`.
    MaxCompletionTokens,
    /// None: the backend refuses the field.
    Omit,
}

/// How a model is made to answer in JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StructuredOutput {
    /// By the dialect's own schema field.
    #[default]
    Native,
    /// By a forced tool whose input is unwrapped again.
    ForcedTool,
    /// By nothing but the prompt.
    Hint,
}

/// What byok knows about a model at one provider. Filled by the registry from data files, config and vendors' lists;
/// encoders decide by these facts and never by the name of a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts of a data file, one line each")]
pub struct ModelFacts {
    /// Id under which the upstream knows the model.
    pub id: String,
    /// Name for people.
    pub display_name: Option<String>,
    /// Who made it.
    pub family: Family,
    /// Dialects in which the upstream serves it, best first.
    pub endpoints: Vec<Dialect>,
    /// Context window in tokens.
    pub context_tokens: Option<u32>,
    /// Largest output in tokens; the default cap towards dialects that require one.
    pub max_output_tokens: Option<u32>,
    /// Reasoning control.
    pub thinking: ThinkingFacts,
    /// Whether `temperature` is accepted.
    pub temperature: bool,
    /// Whether `top_p` is accepted.
    pub top_p: bool,
    /// Whether `top_k` is accepted.
    pub top_k: bool,
    /// What it can be shown.
    pub input: InputKinds,
    /// Whether function tools are accepted.
    pub tools: bool,
    /// How structured output is asked for.
    pub structured_output: StructuredOutput,
    /// Whether a `system` turn may stand in the middle of a conversation (Messages).
    pub system_turns: bool,
    /// Whether the role `developer` is known (Chat).
    pub developer_role: bool,
    /// Whether a turn of the history may come back with its reasoning as text (Chat `reasoning_content`).
    pub reasoning_content: bool,
    /// Whether an assistant turn may be the last one and is continued.
    pub prefill: bool,
    /// Name of the output cap (Chat).
    pub max_tokens_field: MaxTokensField,
    /// Whether function calls must come back with their thought signature (Gemini 3 and later).
    pub call_signatures: bool,
    /// Whether images may stand inside a function response (Gemini 3 and later).
    pub result_media: bool,
    /// Whether function declarations take standard JSON Schema (Gemini `parametersJsonSchema`).
    pub json_schema_tools: bool,
    /// Whether a faster answer can be had for more money (Messages `speed`).
    pub fast: bool,
    /// Whether the server runs a web search in the form of its dialect, although it is not the vendor's own.
    pub web_search: bool,
    /// Whether this is the vendor's own service, which knows its newest request fields; compatible servers get fewer.
    pub first_party: bool,
}

impl Default for ModelFacts {
    fn default() -> Self {
        Self {
            id: String::new(),
            display_name: None,
            family: Family::Other,
            endpoints: Vec::new(),
            context_tokens: None,
            max_output_tokens: None,
            thinking: ThinkingFacts::default(),
            temperature: true,
            top_p: true,
            top_k: true,
            input: InputKinds::default(),
            tools: true,
            structured_output: StructuredOutput::Native,
            system_turns: false,
            developer_role: false,
            reasoning_content: true,
            prefill: true,
            max_tokens_field: MaxTokensField::MaxTokens,
            call_signatures: false,
            result_media: false,
            json_schema_tools: true,
            fast: false,
            web_search: false,
            first_party: false,
        }
    }
}

impl ModelFacts {
    /// Whether a Chat upstream refuses a turn that comes back with its reasoning as text, as byok shows it to clients.
    pub fn refuses_reasoning_content(&self) -> bool {
        let openai = self.first_party && self.family == Family::Openai;
        !self.thinking.replay_text && (openai || !self.reasoning_content)
    }
}
