//! What a vendor puts around a dialect on its wire.
//!
//! An upstream may speak a dialect in a wrapping of its own: every answer in one more object, or frames of another kind. Opening
//! it turns the vendor's bytes into those of the dialect before anything else looks at them.

mod inner;
mod repair;

pub use repair::PLACEHOLDER;

use crate::kiro::Events;
use bytes::{Bytes, BytesMut};

/// How a vendor wraps its answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Envelope {
    /// Not at all.
    #[default]
    None,
    /// Each answer and each event is an object whose member `response` is that of the dialect (Google's Code Assist).
    Response,
    /// An answer is an event stream of AWS, which becomes one of the Messages dialect (Kiro).
    Kiro {
        /// Context of the model in tokens.
        window: Option<u32>,
    },
}

impl Envelope {
    /// Opens a stream; `None` if there is nothing to open.
    pub fn opener(self) -> Option<Opener> {
        match self {
            Self::None => None,
            Self::Response => Some(Opener(Kind::Response(inner::Lines::default()))),
            Self::Kiro { window } => Some(Opener(Kind::Kiro(Box::new(Events::new(window))))),
        }
    }

    /// Opens a whole answer.
    pub fn open_whole(self, body: &Bytes) -> Bytes {
        match self {
            Self::None | Self::Kiro { .. } => body.clone(),
            Self::Response => {
                let inner = inner::member(body).map_or_else(|| body.clone(), |inner| body.slice(inner));
                repair::repaired(&inner).map_or(inner, Bytes::from)
            }
        }
    }

    /// Whether an answer of this content type is a stream of events.
    pub fn is_stream(self, content_type: &str) -> bool {
        match self {
            Self::None | Self::Response => content_type.starts_with("text/event-stream"),
            Self::Kiro { .. } => content_type.starts_with("application/vnd.amazon.eventstream"),
        }
    }
}

/// Opens a stream piece by piece. Bytes may be cut anywhere.
#[derive(Debug)]
pub struct Opener(Kind);

#[derive(Debug)]
enum Kind {
    Response(inner::Lines),
    Kiro(Box<Events>),
}

impl Opener {
    /// Takes the next bytes; appends what is in them.
    pub fn push(&mut self, bytes: &[u8], out: &mut BytesMut) {
        match &mut self.0 {
            Kind::Response(lines) => lines.push(bytes, out),
            Kind::Kiro(events) => events.push(bytes, out),
        }
    }

    /// The stream is over.
    pub fn finish(&mut self, out: &mut BytesMut) {
        match &mut self.0 {
            Kind::Response(lines) => lines.finish(out),
            Kind::Kiro(events) => events.finish(out),
        }
    }
}

#[cfg(test)]
mod tests;
