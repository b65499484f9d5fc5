//! Token counts.

use super::writer::Object;
use crate::{Json, ir::Usage, lenient};
use serde::Deserialize;

/// Reads `usage`. `None` for anything that counts nothing: servers send zeros as a placeholder.
pub(super) fn decode(json: &Json, lost: &mut Vec<String>) -> Option<Usage> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Wire {
        input_tokens: Option<u64>,
        output_tokens: Option<u64>,
        input_tokens_details: Option<InputDetails>,
        output_tokens_details: Option<OutputDetails>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct InputDetails {
        cached_tokens: Option<u64>,
        cache_write_tokens: Option<u64>,
        cache_write_tokens_details: Option<WriteDetails>,
        audio_tokens: Option<u64>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct WriteDetails {
        ttl_30m_tokens: Option<u64>,
        ttl_12h_tokens: Option<u64>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct OutputDetails {
        reasoning_tokens: Option<u64>,
        audio_tokens: Option<u64>,
    }
    let (wire, wrong): (Wire, _) = lenient::read(json.get())?;
    lost.extend(wrong);
    let input = wire.input_tokens_details.unwrap_or_default();
    let written = input.cache_write_tokens_details.unwrap_or_default();
    let output = wire.output_tokens_details.unwrap_or_default();
    let usage = Usage {
        input: wire.input_tokens,
        cache_read: input.cached_tokens,
        cache_write: input.cache_write_tokens,
        cache_write_short: written.ttl_30m_tokens,
        cache_write_long: written.ttl_12h_tokens,
        output: wire.output_tokens,
        reasoning: output.reasoning_tokens,
        input_audio: input.audio_tokens,
        output_audio: output.audio_tokens,
        ..Usage::default()
    };
    (!usage.is_placeholder()).then_some(usage)
}

/// Writes `usage`. The details are always there: Codex and strict SDKs fail without them.
pub(super) fn encode(out: &mut Vec<u8>, usage: &Usage) {
    let zero = |count: Option<u64>| count.unwrap_or(0);
    let mut object = Object::begin(out);
    object.value("input_tokens", &usage.prompt());
    let mut details = Object::begin(object.member("input_tokens_details"));
    details.value("cached_tokens", &zero(usage.cache_read));
    details.value("cache_write_tokens", &zero(usage.cache_write));
    if usage.cache_write_short.is_some() || usage.cache_write_long.is_some() {
        let mut written = Object::begin(details.member("cache_write_tokens_details"));
        written.value("ttl_30m_tokens", &zero(usage.cache_write_short));
        written.value("ttl_12h_tokens", &zero(usage.cache_write_long));
        written.end();
    }
    details.end();
    object.value("output_tokens", &zero(usage.output));
    let mut details = Object::begin(object.member("output_tokens_details"));
    details.value("reasoning_tokens", &zero(usage.reasoning));
    details.end();
    object.value("total_tokens", &usage.total());
    object.end();
}
