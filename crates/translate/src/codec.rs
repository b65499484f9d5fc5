//! One door to the four dialects: the dialect is a value, and every function here passes on to the module that knows it.

use crate::{
    Discovered, Exchange, Ids, Incoming, Loss, LossAction, ModelEntry, Translated, addresses, chat, choice,
    compact, effort, gemini, halves,
    ir::{Event, FunctionTool, Part, Request, Response, Tool},
    loss,
    messages::{self, found},
    responses::{self, client_tools},
    sse, unknown,
};
use byok_types::{Dialect, Failure, ModelFacts};
use std::borrow::Cow;

/// Reads a request of a client. Fails with a 400 that names the field. Halves of characters become U+FFFD, which is a loss.
pub fn decode_request(dialect: Dialect, incoming: &Incoming<'_>) -> Result<Translated<Request>, Failure> {
    let body = halves::repaired(incoming.body);
    let incoming = &Incoming { body: &body, ..*incoming };
    let mut read = match dialect {
        Dialect::Chat => chat::decode_request(incoming),
        Dialect::Responses => responses::decode_request(incoming),
        Dialect::Messages => messages::decode_request(incoming),
        Dialect::Gemini => gemini::decode_request(incoming),
    }?;
    if matches!(body, Cow::Owned(_)) {
        read.losses.push(of_halves(dialect));
    }
    schemas_are_objects(&read.value.tools, dialect)?;
    Ok(read)
}

/// Tools of Gemini stand in lists within the list; there the name alone says which one is meant.
fn schemas_are_objects(tools: &[Tool], dialect: Dialect) -> Result<(), Failure> {
    let field = |index: usize| match dialect {
        Dialect::Gemini => "tools".to_owned(),
        _ => format!("tools[{index}]"),
    };
    tools.iter().enumerate().try_for_each(|(index, tool)| match tool {
        Tool::Namespace { tools, .. } => schemas_are_objects(tools, dialect).map_err(|failure| Failure {
            param: failure.param.map(|inner| format!("{}.{inner}", field(index))),
            ..failure
        }),
        Tool::Function(FunctionTool { name, schema: Some(schema), .. })
            if !schema.is_null() && !schema.is_object() =>
        {
            let what = format!("the schema of the tool `{name}` is no object: send a JSON Schema, or none.");
            let member = match dialect {
                Dialect::Chat => ".function.parameters",
                Dialect::Responses => ".parameters",
                Dialect::Messages => ".input_schema",
                Dialect::Gemini => "",
            };
            Err(Failure::bad_request(field(index) + member, what))
        }
        _ => Ok(()),
    })
}

fn of_halves(client: Dialect) -> Loss {
    let field = match client {
        Dialect::Chat | Dialect::Messages => "messages",
        Dialect::Responses => "input",
        Dialect::Gemini => "contents",
    };
    let reason = "halves of characters became U+FFFD";
    Loss { field: field.to_owned(), action: LossAction::Dropped, reason }
}

/// Writes a request for an upstream of `dialect`. Fails with a 400 where leaving something out would change the meaning.
pub fn encode_request(
    dialect: Dialect,
    request: &Request,
    facts: &ModelFacts,
    ids: &mut Ids,
) -> Result<Translated<Vec<u8>>, Failure> {
    if let Some(field) = addresses::stored_by_google(request)
        .filter(|_| dialect != Dialect::Gemini && request.dialect == Dialect::Gemini)
    {
        let why =
            "a file that was uploaded to Google cannot be read by this vendor. Send its bytes in base64.";
        return Err(Failure::bad_request(field, why));
    }
    takes_tools(request, facts)?;
    if dialect != request.dialect {
        choice::check(request)?;
        addresses::check(request)?;
        unknown::check(request)?;
        items_are_there(request)?;
    }
    let asked = found::in_words(compact::in_words(request, dialect), dialect);
    let asked = &*client_tools::as_calls(asked, dialect, facts);
    if dialect != request.dialect {
        unknown::leaves_something(asked)?;
    }
    let plain = effort::plainly(request, dialect, facts);
    let facts = plain.as_ref().unwrap_or(facts);
    let mut written = match dialect {
        Dialect::Chat => chat::encode_request(asked, facts, ids),
        Dialect::Responses => responses::encode_request(asked, facts, ids),
        Dialect::Messages => messages::encode_request(asked, facts, ids),
        Dialect::Gemini => gemini::encode_request(asked, facts, ids),
    }?;
    finish(request, dialect, facts, &mut written);
    Ok(written)
}

/// Refuses tools at a model that has none: left out, the agent behind them would be told of nothing that it could do.
fn takes_tools(request: &Request, facts: &ModelFacts) -> Result<(), Failure> {
    let declares = request.tools.iter().any(|tool| !matches!(tool, Tool::Hosted(_)));
    if facts.tools || !declares {
        return Ok(());
    }
    let message = format!("{} takes no tools. Leave `tools` out or choose another model.", facts.id);
    Err(Failure::bad_request("tools", message))
}

/// Refuses references to items: without what they stand for the conversation would be another one.
fn items_are_there(request: &Request) -> Result<(), Failure> {
    for (index, message) in request.messages.iter().enumerate() {
        if let [Part::Opaque(block)] = message.parts.as_slice()
            && block.dialect == Dialect::Responses
            && let Some(id) = responses::stored::reference(block.json.get())
        {
            return Err(responses::stored::not_kept(index, &id));
        }
    }
    Ok(())
}

/// Writes a request that counts the tokens of `request`.
pub fn encode_count_request(
    dialect: Dialect,
    request: &Request,
    facts: &ModelFacts,
    ids: &mut Ids,
) -> Result<Translated<Vec<u8>>, Failure> {
    if dialect != request.dialect {
        items_are_there(request)?;
    }
    let asked = found::in_words(compact::in_words(request, dialect), dialect);
    let asked = &*client_tools::as_calls(asked, dialect, facts);
    let mut written = match dialect {
        Dialect::Chat => chat::encode_count_request(asked, facts, ids),
        Dialect::Responses => responses::encode_count_request(asked, facts, ids),
        Dialect::Messages => messages::encode_count_request(asked, facts, ids),
        Dialect::Gemini => gemini::encode_count_request(asked, facts, ids),
    }?;
    finish(request, dialect, facts, &mut written);
    Ok(written)
}

/// Replaces the halves of characters that are left, and puts the losses of a request into the words of its client.
fn finish(request: &Request, upstream: Dialect, facts: &ModelFacts, written: &mut Translated<Vec<u8>>) {
    // Arguments are kept as they were written, and in a string nobody sees their halves until they are written as an object.
    if let Cow::Owned(repaired) = halves::repaired(&written.value) {
        written.value = repaired;
        written.losses.push(of_halves(request.dialect));
    }
    loss::tools::note(request, upstream, facts, &mut written.losses);
    loss::words::in_words_of(request, &mut written.losses);
    for member in request.reasoning.extra.lost_towards(upstream) {
        written.losses.push(Loss {
            field: loss::words::of_reasoning(request.dialect, &member),
            action: LossAction::Dropped,
            reason: "only the dialect of the client has this setting",
        });
    }
    if upstream != Dialect::Chat && upstream != request.dialect {
        let named = request.messages.iter().enumerate().filter(|(_, message)| message.name.is_some());
        for (index, _) in named {
            written.losses.push(Loss {
                field: loss::words::name_of_speaker(request.dialect, index),
                action: LossAction::Dropped,
                reason: "the vendor does not tell speakers of one role apart",
            });
        }
    }
    for (is_emulated, field, reason) in [
        (compact::is_emulated(request, upstream), compact::FIELD, compact::REASON),
        (client_tools::are_told(request, upstream, facts), client_tools::FIELD, client_tools::REASON),
        (found::are_told(request, upstream), found::FIELD, found::REASON),
    ] {
        if is_emulated {
            written.losses.push(Loss { field: field.to_owned(), action: LossAction::Emulated, reason });
        }
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

/// Writes a list of models for a client of `dialect`: one page, if `more` says that others follow.
pub fn encode_models(dialect: Dialect, models: &[ModelEntry], more: bool) -> Vec<u8> {
    match dialect {
        Dialect::Chat => chat::encode_models(models),
        Dialect::Responses => responses::encode_models(models),
        Dialect::Messages => messages::encode_models(models, more),
        Dialect::Gemini => gemini::encode_models(models, more),
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

/// Reads a vendor's list of models. The list of those who speak Responses is the one of Chat.
pub fn decode_models(dialect: Dialect, body: &[u8]) -> Vec<Discovered> {
    match dialect {
        Dialect::Chat | Dialect::Responses => chat::decode_models(body),
        Dialect::Messages => messages::decode_models(body),
        Dialect::Gemini => gemini::decode_models(body),
    }
}

/// What asks for the next page of a vendor's list of models: a name of the query and its value. `None` behind the last page.
pub fn next_models(dialect: Dialect, body: &[u8]) -> Option<(&'static str, String)> {
    match dialect {
        Dialect::Chat | Dialect::Responses => None,
        Dialect::Messages => messages::next_models(body).map(|id| ("after_id", id)),
        Dialect::Gemini => gemini::next_models(body).map(|token| ("pageToken", token)),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_that_is_no_object_is_refused_by_the_name_of_its_tool() {
        for (dialect, field, tools) in [
            (
                Dialect::Chat,
                "tools[1].function.parameters",
                r#""messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"e"}},{"type":"function","function":{"name":"f","parameters":"str"}}]"#,
            ),
            (
                Dialect::Responses,
                "tools[0].parameters",
                r#""input":"x","tools":[{"type":"function","name":"f","parameters":[1]}]"#,
            ),
            (
                Dialect::Responses,
                "tools[0].tools[0].parameters",
                r#""input":"x","tools":[{"type":"namespace","name":"n","tools":[{"type":"function","name":"f","parameters":[1]}]}]"#,
            ),
            (
                Dialect::Messages,
                "tools[0].input_schema",
                r#""max_tokens":9,"messages":[{"role":"user","content":"x"}],"tools":[{"name":"f","input_schema":7}]"#,
            ),
            (
                Dialect::Gemini,
                "tools",
                r#""contents":[{"parts":[{"text":"x"}]}],"tools":[{"functionDeclarations":[{"name":"f","parametersJsonSchema":true}]}]"#,
            ),
        ] {
            let body = format!(r#"{{"model":"m",{tools}}}"#);
            let failure = decode_request(dialect, &Incoming::body(body.as_bytes())).unwrap_err();
            assert_eq!((failure.status, failure.param.as_deref()), (400, Some(field)), "{dialect:?}");
            assert!(failure.message.contains("`f`"), "{}", failure.message);
        }
    }
}
