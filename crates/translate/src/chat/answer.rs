//! Writing a whole answer.

use super::{
    object::{Object, object},
    shown, stop, thought, usage,
};
use crate::{
    Exchange, Losses, Translated, custom,
    ir::{Audio, Choice, Citation, Flavour, Image, Part, Refusal, Response, Text, Thinking, ToolCall},
    tier,
};
use byok_types::Dialect;

/// Writes a `chat.completion`.
pub fn encode_answer(response: &Response, exchange: &Exchange) -> Translated<Vec<u8>> {
    let mut ids = exchange.ids.clone();
    let mut losses = Losses::default();
    let mut out = Vec::with_capacity(1024);
    object(&mut out, |answer| {
        answer.text("id", &ids.next("chatcmpl-"));
        answer.text("object", "chat.completion");
        answer.value("created", &exchange.created);
        answer.text("model", &exchange.model);
        let audio_id = ids.next("audio_");
        answer.list("choices", response.choices.iter().enumerate(), |(index, choice), out| {
            let mut sorted = Sorted::of(choice, &mut losses);
            sorted.index = index;
            object(out, |entry| sorted.write(choice, exchange, &audio_id, entry, &mut losses));
        });
        // Always there, as in a stream: clients look into it without asking.
        let mut counters = response.usage.clone().unwrap_or_default();
        counters.input = counters.input.or(exchange.input_estimate);
        answer.object("usage", |object| usage::write(&counters, object));
        let tier = counters.service_tier.as_deref().and_then(|word| tier::told(word, Dialect::Chat));
        answer.maybe("service_tier", tier);
        answer.all(response.extra.of(Dialect::Chat));
    });
    losses.attach(out)
}

/// The parts of a choice by the members of a message that they go to.
#[derive(Default)]
struct Sorted<'p> {
    index: usize,
    texts: Vec<&'p Text>,
    refusals: Vec<&'p Refusal>,
    thinking: Vec<&'p Thinking>,
    calls: Vec<&'p ToolCall>,
    images: Vec<&'p Image>,
    audio: Option<&'p Audio>,
}

impl<'p> Sorted<'p> {
    fn of(choice: &'p Choice, losses: &mut Losses) -> Self {
        let mut sorted = Self::default();
        for part in &choice.parts {
            match part {
                Part::Text(text) => sorted.texts.push(text),
                Part::Refusal(refusal) => sorted.refusals.push(refusal),
                Part::Thinking(thinking) => sorted.thinking.push(thinking),
                Part::ToolCall(call) => sorted.calls.push(call),
                Part::Image(image) => sorted.images.push(image),
                Part::Audio(audio) => sorted.audio = Some(audio),
                _ => losses.silent("choices[0].message", "Chat has no such part in an answer"),
            }
        }
        sorted
    }

    fn write(
        &self,
        choice: &Choice,
        exchange: &Exchange,
        audio_id: &str,
        entry: &mut Object<'_>,
        losses: &mut Losses,
    ) {
        entry.value("index", &self.index);
        entry.object("message", |message| {
            message.text("role", "assistant");
            let text: String = self.texts.iter().map(|part| part.text.as_str()).collect();
            let refusal = self.refusal(choice);
            let other = !self.calls.is_empty() || refusal.is_some() || self.audio.is_some();
            if text.is_empty() && other {
                message.null("content");
            } else {
                message.text("content", &text);
            }
            message.value("refusal", &refusal);
            let thinking: Vec<_> = self.thinking.iter().map(|t| t.text()).filter(|t| !t.is_empty()).collect();
            if !thinking.is_empty() {
                message.text("reasoning_content", &thinking.join("\n\n"));
            }
            self.annotations(message, losses);
            if !self.images.is_empty() {
                let mut shown = Vec::new();
                for image in &self.images {
                    let mut json = Vec::new();
                    if shown::image(image, &mut json) {
                        shown.push(json);
                    }
                }
                message.list("images", shown, |mut json, out| out.append(&mut json));
            }
            if let Some(audio) = self.audio {
                message.object("audio", |inner| shown::audio(audio, audio_id, inner));
            }
            if exchange.old_functions {
                if let Some(call) = self.calls.first() {
                    message.object("function_call", |inner| write_function(call, inner));
                }
                if self.calls.len() > 1 {
                    losses.dropped("choices[0].message.function_call", shown::ONE_CALL);
                }
            } else if !self.calls.is_empty() {
                message.list("tool_calls", &self.calls, |call, out| write_call(call, exchange, out));
            }
        });
        let lists: Vec<_> = self
            .texts
            .iter()
            .filter_map(|part| part.logprobs.as_ref()?.get().trim().strip_prefix('[')?.strip_suffix(']'))
            .filter(|inner| !inner.trim().is_empty())
            .collect();
        if lists.is_empty() {
            entry.null("logprobs");
        } else {
            entry.object("logprobs", |logprobs| {
                let out = logprobs.member("content");
                out.push(b'[');
                out.extend_from_slice(lists.join(",").as_bytes());
                out.push(b']');
                logprobs.null("refusal");
            });
        }
        let stop = choice.stop.as_ref();
        let reason = stop::finish_reason(stop, !self.calls.is_empty(), !self.refusals.is_empty());
        entry.text("finish_reason", stop::in_form(reason, exchange.old_functions));
    }

    /// The words of a refusal: the model's own, or the explanation that the vendor gave for one.
    fn refusal(&self, choice: &Choice) -> Option<String> {
        if self.refusals.is_empty() {
            return choice.stop.as_ref()?.explanation();
        }
        Some(self.refusals.iter().map(|part| part.text.as_str()).collect())
    }

    fn annotations(&self, message: &mut Object<'_>, losses: &mut Losses) {
        let mut start = 0;
        let mut found: Vec<(u64, u64, &Citation)> = Vec::new();
        for part in &self.texts {
            let length = part.text.chars().count() as u64;
            found.extend(part.citations.iter().map(|citation| (start, length, citation)));
            start += length;
        }
        let mut shown = Vec::new();
        for (offset, length, citation) in found {
            let mut json = Vec::new();
            if shown::annotation(citation, offset, length, &mut json) {
                shown.push(json);
            } else {
                losses.silent("annotations", "Chat can cite web pages only");
            }
        }
        if !shown.is_empty() {
            message.list("annotations", shown, |mut json, out| out.append(&mut json));
        }
    }
}

fn write_call(call: &ToolCall, exchange: &Exchange, out: &mut Vec<u8>) {
    let custom = shown::is_custom(&exchange.names, &call.name, call.namespace.as_deref(), call.flavour);
    object(out, |entry| {
        entry.text("id", &call.call_id);
        entry.text("type", if custom { "custom" } else { "function" });
        if custom {
            entry.object("custom", |inner| {
                inner.text("name", &call.name);
                inner.text("input", &call.arguments);
            });
        } else {
            entry.object("function", |inner| write_function(call, inner));
        }
        if let Some(blob) = &call.blob {
            thought::write_signature(entry.member("extra_content"), blob);
        }
    });
}

/// The call of a function: its name and its arguments.
fn write_function(call: &ToolCall, inner: &mut Object<'_>) {
    inner.text("name", &call.name);
    match call.flavour {
        Flavour::Custom => inner.text("arguments", &custom::wrap_input(&call.arguments)),
        _ if call.arguments.is_empty() && call.status.as_deref() != Some("incomplete") => {
            inner.text("arguments", "{}");
        }
        Flavour::Function | Flavour::ToolSearch | Flavour::LocalShell => {
            inner.text("arguments", &call.arguments);
        }
    }
}

#[cfg(test)]
mod tests;
