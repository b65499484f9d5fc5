use super::{Blob, Citation, Extra, Failure, Flavour, Part, Stop, Usage};
use crate::{Json, Loss};

/// Names a part within one answer. Handed out by the decoder in rising order; never an index of a wire format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PartId(pub u32);

/// The beginning of an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Start {
    /// The vendor's id.
    pub id: Option<String>,
    /// The vendor's name of the model.
    pub model: Option<String>,
    /// When it was made, Unix seconds.
    pub created: Option<i64>,
}

/// What kind of part begins.
#[derive(Clone, Debug, PartialEq)]
pub enum PartHead {
    /// Visible text.
    Text,
    /// The model declines.
    Refusal,
    /// Reasoning.
    Thinking {
        /// Id of the item (Responses).
        id: Option<String>,
        /// Whether the vendor hides the text.
        redacted: bool,
    },
    /// A call of a client's tool. The name is the client's own.
    ToolCall {
        /// Id that the result refers to; never empty.
        call_id: String,
        /// Id of the item (Responses).
        item_id: Option<String>,
        /// Name; never empty.
        name: String,
        /// Namespace (Responses).
        namespace: Option<String>,
        /// How the tool takes its input.
        flavour: Flavour,
        /// Who calls: the model, or code that it runs at the vendor (Messages and Responses `caller`), verbatim.
        caller: Option<Json>,
    },
    /// A part that comes whole and has no deltas: media, server tools, opaque blocks.
    Whole(Box<Part>),
}

/// A piece of a part.
#[derive(Clone, Debug, PartialEq)]
pub enum Delta {
    /// Text.
    Text(String),
    /// Words of a refusal.
    Refusal(String),
    /// Reasoning. `paragraph` counts the summary paragraphs of one part from 0; `raw` tells raw reasoning from a summary.
    Thinking {
        /// The text.
        text: String,
        /// Which paragraph.
        paragraph: u32,
        /// Whether it is raw reasoning.
        raw: bool,
    },
    /// The signature, whole. On thinking, text or tool calls.
    Signature(Blob),
    /// A piece of the input of a tool call: JSON text for functions, free text for custom tools.
    Arguments(String),
    /// A citation of the text.
    Citation(Box<Citation>),
    /// Log probabilities of tokens (a JSON list), in the vendor's shape.
    Logprobs(Json),
    /// What else the part is known to be when it begins (the item that a text of Responses stands in), for its own dialect.
    Extra(Extra),
}

/// What happens in an answer, one thing at a time.
///
/// A decoder guarantees: every delta belongs to an open part, but for citations, which may come for a text that is over
/// (Gemini names its sources at the end: whole answers and Chat carry them, the other streams cannot); every part is closed before the `Finish` of its choice; one
/// `Finish` a choice at most; `Failure` takes the place of a missing `Finish`; `Usage` may come after `Finish`, so encoders
/// hold back their terminal event until `End`; `End` comes last, exactly once.
///
/// Parts may be open beside each other. Streams tell them in the order in which their pieces come, as far as the client's
/// dialect takes that; a whole answer has them in the order in which they began.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The answer begins. Exactly once, before everything but `Ping` and `Failure`.
    Start(Start),
    /// A part begins.
    PartStart {
        /// Its name.
        part: PartId,
        /// The answer that it belongs to (0 unless several were asked for).
        choice: u32,
        /// What it is.
        head: PartHead,
    },
    /// A piece of an open part, or a citation of an earlier one.
    Delta {
        /// The part.
        part: PartId,
        /// The piece.
        delta: Delta,
    },
    /// A part ends.
    PartStop {
        /// The part.
        part: PartId,
        /// Whether the vendor said that it is whole; `false` for one that was cut off.
        complete: bool,
        /// What the part is as a whole, where the vendor's last word adds to the pieces (ids, status, extras).
        whole: Option<Box<Part>>,
    },
    /// Token counts so far: a cumulative snapshot in which `None` keeps the earlier number.
    Usage(Usage),
    /// Fields of the envelope that byok does not know.
    Envelope(Extra),
    /// A choice ends.
    ///
    /// A call whose arguments are no whole JSON, or that its vendor says was cut off, is not complete and nobody can run it
    /// (free text is whole as it is, unless the arguments that it came in break off). An answer with such a call never ends like a good one: where the vendor
    /// gave no reason that says so by itself, a call that breaks off makes it `Length`, and one that is not JSON
    /// `MalformedCall`. The reader sees to it for all upstreams. `Length` is the cap in the words of every dialect. A
    /// `MalformedCall` is told so that the model hears of it: Chat and Responses hand the text over as a call
    /// (`tool_calls`; `completed` with an `incomplete` item), for whose arguments the client answers with an error; Messages,
    /// whose clients read half of an input as well, says `max_tokens`; Gemini has no place for it and says
    /// `MALFORMED_FUNCTION_CALL`, after which clients ask again.
    Finish {
        /// Which.
        choice: u32,
        /// How.
        stop: Stop,
    },
    /// The answer fails.
    Failure(Failure),
    /// Something of the answer could not be read, or contradicts what was said before. For the log: no client is told.
    Lost(Loss),
    /// A sign of life.
    Ping,
    /// Nothing follows.
    End,
}
