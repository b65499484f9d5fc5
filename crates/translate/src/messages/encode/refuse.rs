//! Fields of other dialects that have no counterpart here: what is left out, and what cannot be left out.

use super::words::{Field, name};
use crate::{
    Losses,
    ir::{OutputFormat, Request},
};
use byok_types::{Dialect, Failure, FailureKind};

/// Notes what is lost at the top level of a request.
///
/// # Errors
/// A 400 for what would change the meaning of the answer if it were left out.
pub(super) fn check(request: &Request, losses: &mut Losses) -> Result<(), Failure> {
    let dialect = request.dialect;
    let sampling = &request.sampling;
    if sampling.n.is_some_and(|n| n > 1) {
        let field = name(dialect, Field::N);
        let message = format!("`{field}` must be 1: `{}` gives one answer a request.", request.model);
        return Err(Failure::bad_request(field, message));
    }
    if let Some(field) = request.only_sound() {
        let message = format!("`{field}` asks for sound alone, and `{}` answers in text.", request.model);
        return Err(Failure::bad_request(field, message));
    }
    state(request)?;
    let none = "this dialect has no such field";
    let lost = [
        (sampling.seed.is_some(), name(dialect, Field::Seed)),
        (sampling.logit_bias.is_some(), "logit_bias"),
        (sampling.logprobs == Some(true) || sampling.top_logprobs.is_some(), name(dialect, Field::Logprobs)),
        (request.max_tool_calls.is_some(), name(dialect, Field::MaxToolCalls)),
        (request.prediction.is_some(), "prediction"),
        (request.modalities.iter().any(|m| m == "audio" || m == "image"), "modalities"),
        (request.audio_output.is_some(), "audio"),
        (request.image_output.is_some(), "image"),
        (
            matches!(&request.output_format, OutputFormat::Opaque(o) if o.dialect != Dialect::Messages),
            name(dialect, Field::Format),
        ),
        (
            request.state.context_management.as_ref().is_some_and(|o| o.dialect != Dialect::Messages),
            "context_management",
        ),
    ];
    for (_, field) in lost.into_iter().filter(|(is_lost, _)| *is_lost) {
        losses.dropped(field, none);
    }
    let silent = [
        (sampling.frequency_penalty.is_some(), "frequency_penalty"),
        (sampling.presence_penalty.is_some(), "presence_penalty"),
        (request.verbosity.is_some(), "verbosity"),
        (!request.metadata.is_empty(), "metadata"),
        (request.store.is_some(), "store"),
        (request.safety.is_some(), "safety"),
        (request.state.truncation.is_some(), "truncation"),
        (request.reasoning.context.is_some(), "reasoning.context"),
        (request.reasoning.mode.is_some(), "reasoning.mode"),
        (request.cache.key.is_some(), "prompt_cache_key"),
        (request.cache.retention.is_some(), "prompt_cache_retention"),
        (request.cache.options.is_some(), "prompt_cache_options"),
    ];
    for (_, field) in silent.into_iter().filter(|(is_lost, _)| *is_lost) {
        losses.silent(field, none);
    }
    Ok(())
}

/// State that is kept at another vendor: without it the conversation would be another one.
fn state(request: &Request) -> Result<(), Failure> {
    let state = &request.state;
    let model = &request.model;
    if let Some(id) = &state.previous_response_id {
        let message = format!(
            "`previous_response_id`: no response `{id}` is stored for `{model}`; send the whole conversation in `input`, \
             or set `stored_responses.enabled` in the config of byok."
        );
        return Err(Failure {
            kind: FailureKind::BadRequest,
            ..Failure::bad_request("previous_response_id", message)
        }
        .with_code("previous_response_not_found"));
    }
    if state.background == Some(true) {
        let message = format!("`background` is not offered for `{model}`; wait for the answer or stream it.");
        return Err(Failure::bad_request("background", message));
    }
    let refused = [
        (state.conversation.is_some(), "conversation", "send the whole conversation instead"),
        (state.prompt.is_some(), "prompt", "send its text instead"),
        (request.cache.cached_content.is_some(), "cachedContent", "send the content itself"),
    ];
    match refused.into_iter().find(|(is_refused, ..)| *is_refused) {
        Some((_, field, remedy)) => {
            let message = format!("`{field}` is kept at another vendor and unknown to `{model}`: {remedy}.");
            Err(Failure::bad_request(field, message))
        }
        None => Ok(()),
    }
}
