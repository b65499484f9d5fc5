//! One door to the four dialects: the dialect is a value, and every function here passes on to the module that knows it.

use crate::{
    Exchange, Ids, Incoming, Loss, LossAction, ModelEntry, Translated, chat, compact, gemini,
    ir::{Event, Request, Response},
    loss, messages, responses, sse,
};
use byok_types::{Dialect, Failure, ModelFacts};

/// Reads a request of a client. Fails with a 400 that names the field.
pub fn decode_request(dialect: Dialect, incoming: &Incoming<'_>) -> Result<Translated<Request>, Failure> {
    match dialect {
        Dialect::Chat => chat::decode_request(incoming),
        Dialect::Responses => responses::decode_request(incoming),
        Dialect::Messages => messages::decode_request(incoming),
        Dialect::Gemini => gemini::decode_request(incoming),
    }
}

/// Writes a request for an upstream of `dialect`. Fails with a 400 where leaving something out would change the meaning.
pub fn encode_request(
    dialect: Dialect,
    request: &Request,
    facts: &ModelFacts,
    ids: &mut Ids,
) -> Result<Translated<Vec<u8>>, Failure> {
    let asked = &*compact::in_words(request, dialect);
    let mut written = match dialect {
        Dialect::Chat => chat::encode_request(asked, facts, ids),
        Dialect::Responses => responses::encode_request(asked, facts, ids),
        Dialect::Messages => messages::encode_request(asked, facts, ids),
        Dialect::Gemini => gemini::encode_request(asked, facts, ids),
    }?;
    finish(request, dialect, &mut written);
    Ok(written)
}

/// Writes a request that counts the tokens of `request`.
pub fn encode_count_request(
    dialect: Dialect,
    request: &Request,
    facts: &ModelFacts,
    ids: &mut Ids,
) -> Result<Translated<Vec<u8>>, Failure> {
    let asked = &*compact::in_words(request, dialect);
    let mut written = match dialect {
        Dialect::Chat => chat::encode_count_request(asked, facts, ids),
        Dialect::Responses => responses::encode_count_request(asked, facts, ids),
        Dialect::Messages => messages::encode_count_request(asked, facts, ids),
        Dialect::Gemini => gemini::encode_count_request(asked, facts, ids),
    }?;
    finish(request, dialect, &mut written);
    Ok(written)
}

/// Puts the losses of a request into the words of its client.
fn finish(request: &Request, upstream: Dialect, written: &mut Translated<Vec<u8>>) {
    loss::words::in_words_of(request.dialect, &mut written.losses);
    for member in request.reasoning.extra.lost_towards(upstream) {
        written.losses.push(Loss {
            field: loss::words::of_reasoning(request.dialect, member),
            action: LossAction::Dropped,
            reason: "only the dialect of the client has this setting",
        });
    }
    if compact::is_emulated(request, upstream) {
        written.losses.push(Loss {
            field: compact::FIELD.to_owned(),
            action: LossAction::Emulated,
            reason: compact::REASON,
        });
    }
}

/// Reads the number of tokens that an upstream counted.
pub fn decode_count(dialect: Dialect, body: &[u8]) -> Option<u64> {
    match dialect {
        Dialect::Chat => chat::decode_count(body),
        Dialect::Responses => responses::decode_count(body),
        Dialect::Messages => messages::decode_count(body),
        Dialect::Gemini => gemini::decode_count(body),
    }
}

/// Writes a number of tokens.
pub fn encode_count(dialect: Dialect, tokens: u64) -> Vec<u8> {
    match dialect {
        Dialect::Chat => chat::encode_count(tokens),
        Dialect::Responses => responses::encode_count(tokens),
        Dialect::Messages => messages::encode_count(tokens),
        Dialect::Gemini => gemini::encode_count(tokens),
    }
}

/// Reads a whole answer as events, ending in `End`.
pub fn decode_answer(dialect: Dialect, body: &[u8]) -> Result<Vec<Event>, Failure> {
    match dialect {
        Dialect::Chat => chat::decode_answer(body),
        Dialect::Responses => responses::decode_answer(body),
        Dialect::Messages => messages::decode_answer(body),
        Dialect::Gemini => gemini::decode_answer(body),
    }
}

/// Writes a whole answer for the client of `exchange`.
pub fn encode_answer(response: &Response, exchange: &Exchange) -> Translated<Vec<u8>> {
    match exchange.client {
        Dialect::Chat => chat::encode_answer(response, exchange),
        Dialect::Responses => responses::encode_answer(response, exchange),
        Dialect::Messages => messages::encode_answer(response, exchange),
        Dialect::Gemini => gemini::encode_answer(response, exchange),
    }
}

/// Reads the error body of a vendor, in whatever shape it comes.
pub fn decode_failure(dialect: Dialect, status: u16, body: &[u8]) -> Failure {
    match dialect {
        Dialect::Chat => chat::decode_failure(status, body),
        Dialect::Responses => responses::decode_failure(status, body),
        Dialect::Messages => messages::decode_failure(status, body),
        Dialect::Gemini => gemini::decode_failure(status, body),
    }
}

/// Writes an error body for a client of `dialect`.
pub fn encode_failure(dialect: Dialect, failure: &Failure, request_id: &str) -> Vec<u8> {
    match dialect {
        Dialect::Chat => chat::encode_failure(failure, request_id),
        Dialect::Responses => responses::encode_failure(failure, request_id),
        Dialect::Messages => messages::encode_failure(failure, request_id),
        Dialect::Gemini => gemini::encode_failure(failure, request_id),
    }
}

/// Writes a list of models for a client of `dialect`.
pub fn encode_models(dialect: Dialect, models: &[ModelEntry]) -> Vec<u8> {
    match dialect {
        Dialect::Chat => chat::encode_models(models),
        Dialect::Responses => responses::encode_models(models),
        Dialect::Messages => messages::encode_models(models),
        Dialect::Gemini => gemini::encode_models(models),
    }
}

/// Writes one model for a client of `dialect`.
pub fn encode_model(dialect: Dialect, model: &ModelEntry) -> Vec<u8> {
    match dialect {
        Dialect::Chat => chat::encode_model(model),
        Dialect::Responses => responses::encode_model(model),
        Dialect::Messages => messages::encode_model(model),
        Dialect::Gemini => gemini::encode_model(model),
    }
}

/// Reads a vendor's list of models.
pub fn decode_models(dialect: Dialect, body: &[u8]) -> Vec<ModelEntry> {
    match dialect {
        Dialect::Chat => chat::decode_models(body),
        Dialect::Responses => responses::decode_models(body),
        Dialect::Messages => messages::decode_models(body),
        Dialect::Gemini => gemini::decode_models(body),
    }
}

/// Reads the stream of an upstream, frame by frame.
pub(crate) enum StreamDecoder {
    Chat(chat::StreamDecoder),
    Responses(responses::StreamDecoder),
    Messages(messages::StreamDecoder),
    Gemini(gemini::StreamDecoder),
}

impl StreamDecoder {
    pub(crate) fn new(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Chat => Self::Chat(chat::StreamDecoder::new()),
            Dialect::Responses => Self::Responses(responses::StreamDecoder::new()),
            Dialect::Messages => Self::Messages(messages::StreamDecoder::new()),
            Dialect::Gemini => Self::Gemini(gemini::StreamDecoder::new()),
        }
    }

    pub(crate) fn frame(&mut self, frame: sse::Frame<'_>, out: &mut Vec<Event>) {
        match self {
            Self::Chat(decoder) => decoder.frame(frame, out),
            Self::Responses(decoder) => decoder.frame(frame, out),
            Self::Messages(decoder) => decoder.frame(frame, out),
            Self::Gemini(decoder) => decoder.frame(frame, out),
        }
    }

    pub(crate) fn finish(&mut self, out: &mut Vec<Event>) {
        match self {
            Self::Chat(decoder) => decoder.finish(out),
            Self::Responses(decoder) => decoder.finish(out),
            Self::Messages(decoder) => decoder.finish(out),
            Self::Gemini(decoder) => decoder.finish(out),
        }
    }

    pub(crate) fn ended(&self) -> bool {
        match self {
            Self::Chat(decoder) => decoder.ended(),
            Self::Responses(decoder) => decoder.ended(),
            Self::Messages(decoder) => decoder.ended(),
            Self::Gemini(decoder) => decoder.ended(),
        }
    }
}

/// Writes the stream of a client, event by event.
pub struct StreamEncoder(Encoder);

#[expect(clippy::large_enum_variant, reason = "lives in a box of its own, once per stream")]
enum Encoder {
    Chat(chat::StreamEncoder),
    Responses(responses::StreamEncoder),
    Messages(messages::StreamEncoder),
    Gemini(gemini::StreamEncoder),
}

impl StreamEncoder {
    /// An encoder for the client of `exchange`.
    pub fn new(exchange: &Exchange) -> Self {
        Self(match exchange.client {
            Dialect::Chat => Encoder::Chat(chat::StreamEncoder::new(exchange)),
            Dialect::Responses => Encoder::Responses(responses::StreamEncoder::new(exchange)),
            Dialect::Messages => Encoder::Messages(messages::StreamEncoder::new(exchange)),
            Dialect::Gemini => Encoder::Gemini(gemini::StreamEncoder::new(exchange)),
        })
    }

    /// Takes one event; appends complete frames to `out`.
    pub fn push(&mut self, event: Event, out: &mut Vec<u8>) {
        match &mut self.0 {
            Encoder::Chat(encoder) => encoder.push(event, out),
            Encoder::Responses(encoder) => encoder.push(event, out),
            Encoder::Messages(encoder) => encoder.push(event, out),
            Encoder::Gemini(encoder) => encoder.push(event, out),
        }
    }

    /// What the client could not be told so far.
    pub fn losses(&self) -> &[Loss] {
        match &self.0 {
            Encoder::Chat(encoder) => encoder.losses(),
            Encoder::Responses(encoder) => encoder.losses(),
            Encoder::Messages(encoder) => encoder.losses(),
            Encoder::Gemini(encoder) => encoder.losses(),
        }
    }
}
