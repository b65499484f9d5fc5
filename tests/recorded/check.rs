//! What the checks share.

use super::load::Recording;
use byok_translate::{Exchange, Incoming, StreamReader, codec, ir, read_answer};
use byok_types::{Dialect, Failure, ModelFacts};

/// Something that is not as it should be.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The check that found it.
    pub check: &'static str,
    /// What differs, in words that an exception can name.
    pub what: String,
    /// How, for whoever looks into it.
    pub how: String,
}

impl Difference {
    pub fn new(check: &'static str, what: impl Into<String>, how: impl Into<String>) -> Self {
        Self { check, what: what.into(), how: how.into() }
    }
}

/// The largest frame that is taken.
pub const LIMIT: usize = 64 << 20;

/// What is known of the model of a recording.
pub fn facts(recording: &Recording) -> ModelFacts {
    ModelFacts { id: recording.model.clone(), family: recording.family(), ..ModelFacts::default() }
}

/// Reads the request of a recording; `None` where it is unknown.
pub fn request(recording: &Recording) -> Option<Result<ir::Request, Failure>> {
    let body = recording.request_body()?;
    let in_path = recording.dialect == Dialect::Gemini;
    let incoming = Incoming {
        body: &body,
        model: in_path.then_some(recording.model.as_str()),
        stream: in_path.then_some(recording.stream),
    };
    Some(codec::decode_request(recording.dialect, &incoming).map(|translated| translated.value))
}

/// An exchange between a client of `client` and the vendor of the recording.
pub fn exchange(recording: &Recording, client: Dialect) -> Exchange {
    let mut request = request(recording)
        .and_then(Result::ok)
        .unwrap_or_else(|| ir::Request::new(client, recording.model.clone()));
    request.dialect = client;
    request.stream_options.include_usage = Some(true);
    Exchange::new(&request, &facts(recording), recording.dialect, 1_700_000_000, &recording.id)
}

/// The events of the answer, with the bytes cut as `cuts` says (each the length of a piece).
pub fn events(
    recording: &Recording,
    body: &[u8],
    exchange: &Exchange,
    mut cut: impl FnMut() -> usize,
) -> Result<Vec<ir::Event>, Failure> {
    if !recording.stream {
        return read_answer(body, exchange).map(|answer| answer.value);
    }
    let mut reader = StreamReader::new(exchange, LIMIT);
    let mut events = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(cut().clamp(1, rest.len()));
        reader.push(piece, &mut events);
        rest = after;
    }
    reader.finish(&mut events);
    Ok(events)
}

/// The whole answer that the events make.
pub fn fold(events: &[ir::Event]) -> Result<ir::Response, Failure> {
    let mut fold = ir::Fold::default();
    events.iter().cloned().for_each(|event| fold.push(event));
    fold.finish()
}

/// The stream that a client sees.
pub fn stream(events: &[ir::Event], exchange: &Exchange) -> Vec<u8> {
    let mut encoder = codec::StreamEncoder::new(exchange);
    let mut out = Vec::new();
    events.iter().cloned().for_each(|event| encoder.push(event, &mut out));
    out
}
