//! A translation that is under way: what stands between two sockets.

use byok_translate::{Exchange, StreamReader, codec, ir};
use byok_types::{Dialect, Family, ModelFacts};
use std::hint::black_box;

pub(crate) const DIALECTS: [Dialect; 4] =
    [Dialect::Chat, Dialect::Responses, Dialect::Messages, Dialect::Gemini];

/// The twelve pairs of client and upstream.
pub(crate) fn pairs() -> impl Iterator<Item = (Dialect, Dialect)> {
    let all = DIALECTS.into_iter().flat_map(|client| DIALECTS.map(|upstream| (client, upstream)));
    all.filter(|(client, upstream)| client != upstream)
}

pub(crate) struct Running {
    reader: StreamReader,
    encoder: codec::StreamEncoder,
    events: Vec<ir::Event>,
    out: Vec<u8>,
    /// Bytes written so far.
    pub(crate) written: usize,
}

impl Running {
    pub(crate) fn new(client: Dialect, upstream: Dialect) -> Self {
        let request = ir::Request::new(client, "m");
        let facts = ModelFacts { family: family(upstream), ..ModelFacts::default() };
        let exchange = Exchange::new(&request, &facts, upstream, 1, "seed");
        Self {
            reader: StreamReader::new(&exchange, 64 << 20),
            encoder: codec::StreamEncoder::new(&exchange),
            events: Vec::new(),
            out: Vec::new(),
            written: 0,
        }
    }

    /// Takes bytes as they come from the upstream, writes what the client gets.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.reader.push(bytes, &mut self.events);
        for event in self.events.drain(..) {
            self.encoder.push(event, &mut self.out);
        }
        self.written += black_box(&self.out).len();
        self.out.clear();
    }

    pub(crate) fn all(&mut self, frames: &[String]) {
        for frame in frames {
            self.push(frame.as_bytes());
        }
    }
}

pub(crate) fn family(dialect: Dialect) -> Family {
    match dialect {
        Dialect::Chat => Family::Other,
        Dialect::Responses => Family::Openai,
        Dialect::Messages => Family::Claude,
        Dialect::Gemini => Family::Gemini,
    }
}
