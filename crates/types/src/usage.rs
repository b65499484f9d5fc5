use serde::{Deserialize, Serialize};

/// Token counts of one request in the definitions of the middle form. `None` means that nobody stated it.
///
/// `input` counts the whole prompt, cached parts included; `output` counts everything generated, reasoning included.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Whole prompt, including `cache_read` and `cache_write`.
    pub input: Option<u64>,
    /// Part of `input` that was read from the vendor's cache.
    pub cache_read: Option<u64>,
    /// Part of `input` that was written to the vendor's cache.
    pub cache_write: Option<u64>,
    /// Part of `cache_write` kept for about five minutes (Anthropic 5m, `OpenAI` 30m).
    pub cache_write_short: Option<u64>,
    /// Part of `cache_write` kept for an hour or longer.
    pub cache_write_long: Option<u64>,
    /// Everything generated, including `reasoning`.
    pub output: Option<u64>,
    /// Part of `output` spent on reasoning.
    pub reasoning: Option<u64>,
    /// Audio part of `input`.
    pub input_audio: Option<u64>,
    /// Audio part of `output`.
    pub output_audio: Option<u64>,
    /// Prompt tokens caused by tools that the vendor ran (Gemini `toolUsePromptTokenCount`); not part of `input`.
    pub tool_input: Option<u64>,
    /// Accepted tokens of a predicted output (Chat).
    pub accepted_prediction: Option<u64>,
    /// Rejected tokens of a predicted output (Chat).
    pub rejected_prediction: Option<u64>,
    /// Web searches run by the vendor.
    pub web_searches: Option<u64>,
    /// Web pages fetched by the vendor.
    pub web_fetches: Option<u64>,
    /// The tier that served the request, in the vendor's word.
    pub service_tier: Option<String>,
    /// Whether byok estimated the numbers because the vendor stated none.
    #[serde(default)]
    pub estimated: bool,
}

impl Usage {
    /// Takes over every number that `newer` states. Vendors repeat cumulative counters; `None` keeps the old value.
    pub fn merge(&mut self, newer: &Self) {
        macro_rules! take {
            ($($field:ident),*) => { $( if newer.$field.is_some() { self.$field.clone_from(&newer.$field); } )* };
        }
        take!(
            input,
            cache_read,
            cache_write,
            cache_write_short,
            cache_write_long,
            output,
            reasoning,
            input_audio,
            output_audio,
            tool_input,
            accepted_prediction,
            rejected_prediction,
            web_searches,
            web_fetches,
            service_tier
        );
        self.estimated = newer.estimated;
    }

    /// Whether no counter is above zero. Such usage is a placeholder and is ignored.
    pub fn is_placeholder(&self) -> bool {
        [self.input, self.output, self.cache_read, self.cache_write, self.reasoning, self.tool_input]
            .into_iter()
            .all(|n| n.unwrap_or(0) == 0)
    }

    /// `input + tool_input`, with unknown numbers as zero: the prompt for dialects that count what their own tools put
    /// into it among its tokens.
    pub fn prompt(&self) -> u64 {
        self.input.unwrap_or(0).saturating_add(self.tool_input.unwrap_or(0))
    }

    /// `input + output + tool_input`, with unknown numbers as zero.
    pub fn total(&self) -> u64 {
        self.input
            .unwrap_or(0)
            .saturating_add(self.output.unwrap_or(0))
            .saturating_add(self.tool_input.unwrap_or(0))
    }
}
