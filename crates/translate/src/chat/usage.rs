//! Token counts.

use super::{
    loose::{Raw, filled, number, read},
    object::Object,
};
use crate::ir::Usage;
use serde::Deserialize;

/// The counters of all compatible servers. Which of them one sends tells nothing: the first that is there is taken.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Counters<'a> {
    #[serde(borrow)]
    prompt_tokens: Raw<'a>,
    #[serde(borrow)]
    completion_tokens: Raw<'a>,
    /// Gateways, instead of the two above or beside them.
    #[serde(borrow)]
    input_tokens: Raw<'a>,
    #[serde(borrow)]
    output_tokens: Raw<'a>,
    #[serde(borrow)]
    total_tokens: Raw<'a>,
    #[serde(borrow)]
    prompt_tokens_details: Raw<'a>,
    #[serde(borrow)]
    completion_tokens_details: Raw<'a>,
    /// Moonshot.
    #[serde(borrow)]
    cached_tokens: Raw<'a>,
    /// DeepSeek.
    #[serde(borrow)]
    prompt_cache_hit_tokens: Raw<'a>,
    /// Mistral.
    #[serde(borrow)]
    num_cached_tokens: Raw<'a>,
    /// Gateways in front of Claude.
    #[serde(borrow)]
    cache_read_input_tokens: Raw<'a>,
    /// OpenRouter.
    #[serde(borrow)]
    server_tool_use: Raw<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Parts<'a> {
    #[serde(borrow)]
    cached_tokens: Raw<'a>,
    #[serde(borrow)]
    cache_write_tokens: Raw<'a>,
    /// DashScope.
    #[serde(borrow)]
    cache_creation_input_tokens: Raw<'a>,
    #[serde(borrow)]
    cache_write_tokens_details: Raw<'a>,
    #[serde(borrow)]
    audio_tokens: Raw<'a>,
    #[serde(borrow)]
    reasoning_tokens: Raw<'a>,
    #[serde(borrow)]
    accepted_prediction_tokens: Raw<'a>,
    #[serde(borrow)]
    rejected_prediction_tokens: Raw<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Writes<'a> {
    #[serde(borrow)]
    ttl_30m_tokens: Raw<'a>,
    #[serde(borrow)]
    ttl_12h_tokens: Raw<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ServerTools<'a> {
    #[serde(borrow)]
    web_search_requests: Raw<'a>,
}

/// Reads a `usage` object; `None` for placeholders.
pub(super) fn decode(raw: Raw<'_>, service_tier: Raw<'_>) -> Option<Usage> {
    let counters: Counters<'_> = read(raw)?;
    let prompt: Parts<'_> = read(counters.prompt_tokens_details).unwrap_or_default();
    let completion: Parts<'_> = read(counters.completion_tokens_details).unwrap_or_default();
    let writes: Writes<'_> = read(prompt.cache_write_tokens_details).unwrap_or_default();
    let server: ServerTools<'_> = read(counters.server_tool_use).unwrap_or_default();

    let input = number(counters.prompt_tokens).or(number(counters.input_tokens));
    let total = number(counters.total_tokens);
    let reasoning = number(completion.reasoning_tokens);
    let mut output = number(counters.completion_tokens).or(number(counters.output_tokens));
    // xAI counts reasoning in the total only; everywhere else it is part of the completion.
    if let (Some(i), Some(o), Some(r), Some(t)) = (input, output, reasoning, total)
        && r > 0
        && i.saturating_add(o).saturating_add(r) == t
    {
        output = Some(o.saturating_add(r));
    }
    let usage = Usage {
        input,
        cache_read: number(prompt.cached_tokens)
            .or(number(counters.cached_tokens))
            .or(number(counters.prompt_cache_hit_tokens))
            .or(number(counters.num_cached_tokens))
            .or(number(counters.cache_read_input_tokens)),
        cache_write: number(prompt.cache_write_tokens).or(number(prompt.cache_creation_input_tokens)),
        cache_write_short: number(writes.ttl_30m_tokens),
        cache_write_long: number(writes.ttl_12h_tokens),
        output,
        reasoning,
        input_audio: number(prompt.audio_tokens),
        output_audio: number(completion.audio_tokens),
        accepted_prediction: number(completion.accepted_prediction_tokens),
        rejected_prediction: number(completion.rejected_prediction_tokens),
        web_searches: number(server.web_search_requests),
        service_tier: filled(service_tier).map(Into::into),
        ..Usage::default()
    };
    (!usage.is_placeholder()).then_some(usage)
}

/// Writes the members of a `usage` object. All of them: some clients take an incomplete one for an error.
pub(super) fn write(usage: &Usage, object: &mut Object<'_>) {
    object.value("prompt_tokens", &usage.prompt());
    object.value("completion_tokens", &usage.output.unwrap_or(0));
    object.value("total_tokens", &usage.total());
    object.object("prompt_tokens_details", |details| {
        details.value("cached_tokens", &usage.cache_read.unwrap_or(0));
        details.value("cache_write_tokens", &usage.cache_write.unwrap_or(0));
        details.value("audio_tokens", &usage.input_audio.unwrap_or(0));
    });
    object.object("completion_tokens_details", |details| {
        details.value("reasoning_tokens", &usage.reasoning.unwrap_or(0));
        details.value("audio_tokens", &usage.output_audio.unwrap_or(0));
        details.value("accepted_prediction_tokens", &usage.accepted_prediction.unwrap_or(0));
        details.value("rejected_prediction_tokens", &usage.rejected_prediction.unwrap_or(0));
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::value::RawValue;

    fn decoded(json: &str) -> Option<Usage> {
        let raw = RawValue::from_string(json.to_owned()).unwrap();
        decode(Some(&raw), None)
    }

    #[test]
    fn absurd_counts_do_not_overflow() {
        let max = u64::MAX;
        let usage = decoded(&format!(
            r#"{{"prompt_tokens":{max},"completion_tokens":{max},"completion_tokens_details":{{"reasoning_tokens":{max}}},"total_tokens":{max}}}"#
        ));
        assert_eq!(usage.unwrap().output, Some(max));
    }

    #[test]
    fn counters_of_all_servers() {
        let usage = |input, cache_read, output, reasoning| Usage {
            input,
            cache_read,
            output,
            reasoning,
            ..Usage::default()
        };
        for (json, expected) in [
            (
                r#"{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}"#,
                usage(Some(5), None, Some(7), None),
            ),
            (
                r#"{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12,"prompt_tokens_details":{"cached_tokens":3},"completion_tokens_details":{"reasoning_tokens":2}}"#,
                usage(Some(5), Some(3), Some(7), Some(2)),
            ),
            (
                r#"{"prompt_tokens":5,"completion_tokens":7,"total_tokens":14,"completion_tokens_details":{"reasoning_tokens":2}}"#,
                usage(Some(5), None, Some(9), Some(2)),
            ),
            (
                r#"{"prompt_tokens":5,"completion_tokens":7,"cached_tokens":2}"#,
                usage(Some(5), Some(2), Some(7), None),
            ),
            (
                r#"{"prompt_tokens":5,"prompt_cache_hit_tokens":4,"prompt_tokens_details":null}"#,
                usage(Some(5), Some(4), None, None),
            ),
            (r#"{"prompt_tokens":5,"num_cached_tokens":1}"#, usage(Some(5), Some(1), None, None)),
            (r#"{"prompt_tokens":5,"cache_read_input_tokens":4}"#, usage(Some(5), Some(4), None, None)),
            (
                r#"{"prompt_tokens":"5","completion_tokens":7.0,"total_tokens":null}"#,
                usage(Some(5), None, Some(7), None),
            ),
            (r#"{"input_tokens":5,"output_tokens":7}"#, usage(Some(5), None, Some(7), None)),
            (
                r#"{"prompt_tokens":5,"input_tokens":0,"completion_tokens":7}"#,
                usage(Some(5), None, Some(7), None),
            ),
        ] {
            assert_eq!(decoded(json), Some(expected), "{json}");
        }
    }

    #[test]
    fn t114_placeholders_count_for_nothing() {
        for json in ["{}", r#"{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}"#, "[]", "7"] {
            assert_eq!(decoded(json), None, "{json}");
        }
    }

    #[test]
    fn t113_cache_counters_are_told() {
        let usage = Usage {
            input: Some(16),
            cache_read: Some(10),
            cache_write: Some(5),
            output: Some(1),
            ..Usage::default()
        };
        let mut out = Vec::new();
        crate::chat::object::object(&mut out, |object| write(&usage, object));
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            r#"{"prompt_tokens":16,"completion_tokens":1,"total_tokens":17,"prompt_tokens_details":{"cached_tokens":10,"cache_write_tokens":5,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}"#
        );
    }
}
