use super::{CacheHint, Extra, Message, Opaque, Part, Reasoning, Tool, ToolChoice};
use crate::Json;
use byok_types::Dialect;

/// A request for an answer of a model, in any dialect.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The dialect that it was decoded from.
    pub dialect: Dialect,
    /// The model as the client wrote it.
    pub model: String,
    /// Whether the answer is to be streamed.
    pub stream: bool,
    /// Settings of the stream.
    pub stream_options: StreamOptions,
    /// The top-level slot for instructions (Messages `system`, Responses `instructions`, Gemini `systemInstruction`).
    /// Chat has none: there the leading system messages stand in `messages`.
    pub system: Vec<Part>,
    /// The conversation.
    pub messages: Vec<Message>,
    /// Tools, in the order of declaration.
    pub tools: Vec<Tool>,
    /// Where each of them stood in the client's body, for dialects whose list of tools is one of lists (Gemini).
    pub tool_places: Vec<String>,
    /// Which tool to use.
    pub tool_choice: Option<ToolChoice>,
    /// Whether several tools may be called at once.
    pub parallel_tool_calls: Option<bool>,
    /// Whether tools were declared only as Chat did before it had tools (`functions`): the answer has the form of that time, which
    /// has room for one call.
    pub old_functions: bool,
    /// Most calls of hosted tools (Responses).
    pub max_tool_calls: Option<u32>,
    /// Reasoning control.
    pub reasoning: Reasoning,
    /// Form of the answer.
    pub output_format: OutputFormat,
    /// Wordiness (`low`, `medium`, `high`; Chat and Responses).
    pub verbosity: Option<String>,
    /// Kinds of output in lower case (`text`, `audio`, `image`; Chat, Gemini). Empty means text.
    pub modalities: Vec<String>,
    /// Settings of generated sound, verbatim (Chat `audio`, Gemini `speechConfig`).
    pub audio_output: Option<Opaque>,
    /// Settings of generated pictures, verbatim (Gemini `imageConfig`).
    pub image_output: Option<Opaque>,
    /// Sampling.
    pub sampling: Sampling,
    /// Cap on the output.
    pub max_tokens: Option<MaxTokens>,
    /// Predicted output, verbatim (Chat).
    pub prediction: Option<Json>,
    /// Wanted tier in the vendor's word.
    pub service_tier: Option<String>,
    /// Wanted speed (Messages `standard`, `fast`).
    pub speed: Option<String>,
    /// Labels of the caller (Chat and Responses `metadata`, Gemini `labels`), in order; values as JSON.
    pub metadata: Vec<(String, Json)>,
    /// Who the caller's user is.
    pub end_user: EndUser,
    /// Whether the vendor may keep the answer.
    pub store: Option<bool>,
    /// Prompt caching for the whole request.
    pub cache: CacheOptions,
    /// References to state at the vendor.
    pub state: ConversationState,
    /// The wish for a compaction in place of an answer, verbatim (Responses `compaction_trigger` at the end of the input).
    pub compact: Option<Opaque>,
    /// Safety settings, verbatim (Gemini `safetySettings`, Chat and Responses `moderation`).
    pub safety: Option<Opaque>,
    /// Extra output that the client asks for (Responses).
    pub include: Vec<String>,
    /// Unknown fields.
    pub extra: Extra,
}

impl Request {
    /// Takes functions that do not say whether they are strict as those that are not. Responses means the opposite, but a
    /// client of Chat that writes a Responses body means what Chat means.
    pub fn loosen_tools(&mut self) {
        loosen(&mut self.tools);
    }

    /// Whether a part of the conversation bears a cache marker.
    pub(crate) fn has_cache_marks(&self) -> bool {
        let parts = self.system.iter().chain(self.messages.iter().flat_map(|message| &message.parts));
        parts.into_iter().any(|part| match part {
            Part::Text(part) => part.cache.is_some(),
            Part::Image(part) => part.cache.is_some(),
            Part::Document(part) => part.cache.is_some(),
            Part::ToolResult(part) => part.cache.is_some(),
            _ => false,
        })
    }

    /// The client's field that asks for an answer of nothing but sound, if one does: to answer with a text would be to guess.
    pub(crate) fn only_sound(&self) -> Option<&'static str> {
        let only = !self.modalities.is_empty() && self.modalities.iter().all(|kind| kind == "audio");
        only.then_some(match self.dialect {
            Dialect::Gemini => "generationConfig.responseModalities",
            Dialect::Chat | Dialect::Responses | Dialect::Messages => "modalities",
        })
    }

    /// What an upstream that can be told is told of several calls at once.
    pub(crate) fn parallel(&self) -> Option<bool> {
        self.parallel_tool_calls.or_else(|| self.old_functions.then_some(false))
    }

    /// Whether the tier is what every vendor gives to those who name none.
    pub(crate) fn has_usual_tier(&self) -> bool {
        let usual = ["auto", "default", "standard", "standard_only", "unspecified"];
        self.service_tier.as_deref().is_none_or(|tier| usual.contains(&tier))
    }

    /// An empty request.
    pub fn new(dialect: Dialect, model: impl Into<String>) -> Self {
        Self {
            dialect,
            model: model.into(),
            stream: false,
            stream_options: StreamOptions::default(),
            system: Vec::new(),
            messages: Vec::new(),
            tools: Vec::new(),
            tool_places: Vec::new(),
            tool_choice: None,
            parallel_tool_calls: None,
            old_functions: false,
            max_tool_calls: None,
            reasoning: Reasoning::default(),
            output_format: OutputFormat::Text,
            verbosity: None,
            modalities: Vec::new(),
            audio_output: None,
            image_output: None,
            sampling: Sampling::default(),
            max_tokens: None,
            prediction: None,
            service_tier: None,
            speed: None,
            metadata: Vec::new(),
            end_user: EndUser::default(),
            store: None,
            cache: CacheOptions::default(),
            state: ConversationState::default(),
            compact: None,
            safety: None,
            include: Vec::new(),
            extra: Extra::default(),
        }
    }
}

/// Settings of a stream.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StreamOptions {
    /// Whether a final chunk with usage is wanted (Chat).
    pub include_usage: Option<bool>,
    /// Whether random padding is wanted (Chat and Responses).
    pub include_obfuscation: Option<bool>,
    /// Unknown fields.
    pub extra: Extra,
}

/// Form of the answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum OutputFormat {
    /// Text.
    #[default]
    Text,
    /// Some JSON object.
    JsonObject,
    /// JSON by a schema.
    JsonSchema {
        /// Name of the schema.
        name: Option<String>,
        /// What it is for.
        description: Option<String>,
        /// The schema, verbatim.
        schema: Json,
        /// Whether it must be enforced.
        strict: Option<bool>,
        /// Unknown fields.
        extra: Extra,
    },
    /// A form known only verbatim (Chat grammar formats, Gemini `text/x.enum`).
    Opaque(Opaque),
}

/// Sampling of tokens.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sampling {
    /// Randomness.
    pub temperature: Option<f64>,
    /// Nucleus.
    pub top_p: Option<f64>,
    /// Number of candidates.
    pub top_k: Option<f64>,
    /// Penalty on frequent tokens.
    pub frequency_penalty: Option<f64>,
    /// Penalty on tokens that occurred.
    pub presence_penalty: Option<f64>,
    /// Seed.
    pub seed: Option<i64>,
    /// Bias per token, verbatim.
    pub logit_bias: Option<Json>,
    /// Whether log probabilities are wanted.
    pub logprobs: Option<bool>,
    /// How many alternatives per token.
    pub top_logprobs: Option<u32>,
    /// Number of answers.
    pub n: Option<u32>,
    /// Texts that end the answer.
    pub stop: Vec<String>,
}

/// The name under which the cap on the output was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxTokensSpelling {
    /// `max_tokens` (Chat old, Messages).
    MaxTokens,
    /// `max_completion_tokens` (Chat new).
    MaxCompletionTokens,
    /// `max_output_tokens` (Responses).
    MaxOutputTokens,
    /// `maxOutputTokens` (Gemini).
    MaxOutputTokensCamel,
}

/// Cap on the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxTokens {
    /// Number of tokens.
    pub value: u64,
    /// How it was written.
    pub spelling: MaxTokensSpelling,
}

/// Who the caller's user is, for the vendor's abuse monitoring.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EndUser {
    /// Chat and Responses `user`, Messages `metadata.user_id`.
    pub user: Option<String>,
    /// Chat and Responses `safety_identifier`.
    pub safety_identifier: Option<String>,
    /// Unknown members of Messages `metadata`.
    pub extra: Extra,
}

/// Prompt caching for the whole request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CacheOptions {
    /// Chat and Responses `prompt_cache_key`.
    pub key: Option<String>,
    /// Chat and Responses `prompt_cache_retention`.
    pub retention: Option<String>,
    /// Chat and Responses `prompt_cache_options`, verbatim.
    pub options: Option<Json>,
    /// Messages top-level `cache_control`.
    pub hint: Option<CacheHint>,
    /// Gemini `cachedContent`.
    pub cached_content: Option<String>,
}

/// References to state at the vendor.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConversationState {
    /// Responses `previous_response_id`.
    pub previous_response_id: Option<String>,
    /// Responses `conversation`, verbatim.
    pub conversation: Option<Json>,
    /// Responses `prompt`, verbatim.
    pub prompt: Option<Json>,
    /// Responses `background`.
    pub background: Option<bool>,
    /// Responses and Messages `context_management`, verbatim with its dialect.
    pub context_management: Option<Opaque>,
    /// Responses `truncation`.
    pub truncation: Option<String>,
    /// Messages `container`, verbatim.
    pub container: Option<Json>,
}

fn loosen(tools: &mut [Tool]) {
    for tool in tools {
        match tool {
            Tool::Function(tool) => tool.strict = Some(tool.strict.unwrap_or(false)),
            Tool::Namespace { tools, .. } => loosen(tools),
            Tool::Custom(_) | Tool::Hosted(_) | Tool::Typed(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::FunctionTool;

    #[test]
    fn t51_silence_about_strictness_becomes_no() {
        let function =
            |strict| Tool::Function(FunctionTool { name: "f".to_owned(), strict, ..FunctionTool::default() });
        let group = |tools| Tool::Namespace {
            name: "n".to_owned(),
            description: None,
            tools,
            extra: Extra::default(),
        };
        for (said, meant) in [(None, false), (Some(false), false), (Some(true), true)] {
            let mut request = Request::new(Dialect::Responses, "m");
            request.tools = vec![function(said), group(vec![function(said)])];
            request.loosen_tools();
            assert_eq!(
                request.tools,
                [function(Some(meant)), group(vec![function(Some(meant))])],
                "{said:?}"
            );
        }
    }
}
