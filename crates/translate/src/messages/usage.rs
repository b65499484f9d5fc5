//! Token counts: this vendor counts cached parts of the prompt beside `input_tokens`, the middle form within it.

use super::object::Object;
use crate::{Json, ir::Usage, lenient, tier};
use byok_types::Dialect;
use serde::Deserialize;

/// Counts as the vendor states them, merged over the events of a stream. `None` means not stated.
#[derive(Debug, Default)]
pub(super) struct Native {
    input: Option<u64>,
    read: Option<u64>,
    write: Option<u64>,
    write_5m: Option<u64>,
    write_1h: Option<u64>,
    output: Option<u64>,
    thinking: Option<u64>,
    searches: Option<u64>,
    fetches: Option<u64>,
    tier: Option<String>,
    /// Members that byok does not know, the last of each.
    rest: Vec<(String, Json)>,
}

crate::wire::wire! {
    struct Wire {
        "input_tokens" => input: Option<u64>,
        "cache_read_input_tokens" => read: Option<u64>,
        "cache_creation_input_tokens" => write: Option<u64>,
        "cache_creation" => creation: Option<Creation>,
        "output_tokens" => output: Option<u64>,
        "output_tokens_details" => details: Option<Details>,
        "server_tool_use" => tools: Option<Tools>,
        "service_tier" => tier: Option<String>,
    }
}

#[derive(Debug, Default, Deserialize)]
struct Creation {
    ephemeral_5m_input_tokens: Option<u64>,
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
struct Details {
    thinking_tokens: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
struct Tools {
    web_search_requests: Option<u64>,
    web_fetch_requests: Option<u64>,
}

impl Native {
    /// Takes over what `json` states; numbers are cumulative, so they replace and never add, and a zero behind a
    /// count is none. The answer are the members of a wrong type, which are not stated.
    pub(super) fn merge(&mut self, json: &str) -> Vec<String> {
        let Some((wire, wrong)) = lenient::read::<Wire>(json) else { return Vec::new() };
        let take =
            |slot: &mut Option<u64>, new: Option<u64>| *slot = new.filter(|new| *new > 0).or(*slot).or(new);
        take(&mut self.input, wire.input);
        take(&mut self.read, wire.read);
        take(&mut self.write, wire.write);
        take(&mut self.output, wire.output);
        let creation = wire.creation.unwrap_or_default();
        take(&mut self.write_5m, creation.ephemeral_5m_input_tokens);
        take(&mut self.write_1h, creation.ephemeral_1h_input_tokens);
        take(&mut self.thinking, wire.details.and_then(|details| details.thinking_tokens));
        let tools = wire.tools.unwrap_or_default();
        take(&mut self.searches, tools.web_search_requests);
        take(&mut self.fetches, tools.web_fetch_requests);
        self.tier = wire.tier.or(self.tier.take());
        for (name, value) in wire.extra {
            self.rest.retain(|(known, _)| *known != name);
            self.rest.push((name, value));
        }
        wrong
    }

    /// The counts in the definitions of the middle form; `None` while nothing but zeros was stated.
    pub(super) fn usage(&self) -> Option<Usage> {
        let parts = [self.input, self.read, self.write];
        let stated = parts.iter().any(Option::is_some);
        let sum = parts.into_iter().flatten().fold(0, u64::saturating_add);
        let usage = Usage {
            input: stated.then_some(sum),
            cache_read: self.read,
            cache_write: self.write,
            cache_write_short: self.write_5m,
            cache_write_long: self.write_1h,
            output: self.output,
            reasoning: self.thinking,
            web_searches: self.searches,
            web_fetches: self.fetches,
            service_tier: self.tier.clone(),
            ..Usage::default()
        };
        (!usage.is_placeholder()).then_some(usage)
    }

    /// Unknown members.
    pub(super) fn take_rest(&mut self) -> Vec<(String, Json)> {
        std::mem::take(&mut self.rest)
    }
}

/// Writes a usage object. `estimate` stands for the prompt until it is known; `rest` are members from the same dialect.
pub(super) fn write(out: &mut Vec<u8>, usage: &Usage, estimate: Option<u64>, rest: &[(String, Json)]) {
    let prompt = usage.input.map_or(estimate.unwrap_or(0), |_| usage.prompt());
    // Clients add the three counts up. A gateway counts what it wrote among what it read, too: no token counts twice.
    let read = usage.cache_read.unwrap_or(0);
    let write = match usage.input {
        Some(_) => usage.cache_write.unwrap_or(0).min(prompt.saturating_sub(read)),
        None => usage.cache_write.unwrap_or(0),
    };
    let input = prompt.saturating_sub(read).saturating_sub(write);
    let whole = write == usage.cache_write.unwrap_or(0);
    let mut object = Object::new(out);
    object.value("input_tokens", &input);
    object.value("cache_creation_input_tokens", &write);
    object.value("cache_read_input_tokens", &read);
    if whole && (usage.cache_write_short.is_some() || usage.cache_write_long.is_some()) {
        let mut creation = Object::new(object.key("cache_creation"));
        creation.value("ephemeral_5m_input_tokens", &usage.cache_write_short.unwrap_or(0));
        creation.value("ephemeral_1h_input_tokens", &usage.cache_write_long.unwrap_or(0));
        creation.end();
    }
    object.value("output_tokens", &usage.output.unwrap_or(0));
    if let Some(thinking) = usage.reasoning {
        let mut details = Object::new(object.key("output_tokens_details"));
        details.value("thinking_tokens", &thinking);
        details.end();
    }
    let mut tools = Object::new(object.key("server_tool_use"));
    tools.value("web_search_requests", &usage.web_searches.unwrap_or(0));
    tools.value("web_fetch_requests", &usage.web_fetches.unwrap_or(0));
    tools.end();
    let tier = usage.service_tier.as_deref().and_then(|word| tier::told(word, Dialect::Messages));
    object.some("service_tier", tier.as_ref());
    object.extras(rest);
    object.end();
}
