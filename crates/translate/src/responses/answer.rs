//! Answers of Responses upstreams, streamed or whole, as events.
//!
//! A whole answer is read as a stream of which nothing but the last event was seen, so there is one truth for both.

mod call;
mod ending;
mod frame;
mod items;
mod listed;
mod message;
mod reasoning;
mod track;

use super::mend;
use crate::{
    Loss, LossAction,
    ir::{Event, Failure, Flavour, Part, PartHead, PartId, Start},
    sse,
    wire::lossy,
};
use byok_types::{Blame, FailureKind};
use frame::{Answer, Frame, Head};
use listed::Items;
use serde_json::value::RawValue;

/// Reads a whole answer. An error in a successful answer is a failure.
pub fn decode_answer(body: &[u8]) -> Result<Vec<Event>, Failure> {
    let unreadable = || {
        let message =
            "The upstream answered with something that is not a response. Check that its address is right.";
        Failure::new(FailureKind::Server, Blame::Upstream, message).with_status(502)
    };
    let mut events = Vec::new();
    let text = lossy(body);
    let answer: Option<Answer> = mend::leniently(&text, "", &mut events);
    let is_lost = |event: &Event| matches!(event, Event::Lost(loss) if loss.field == "output");
    let answer = answer.filter(|_| !events.iter().any(is_lost)).ok_or_else(unreadable)?;
    if let Some(failure) = answer.failure() {
        return Err(failure);
    }
    if answer.says_nothing() {
        return Err(unreadable());
    }
    let mut decoder = StreamDecoder::new();
    decoder.begin(&answer.head(), &mut events);
    decoder.terminal(answer, &mut events);
    let failed = events.iter().position(|event| matches!(event, Event::Failure(_)));
    match failed.map(|at| events.swap_remove(at)) {
        Some(Event::Failure(failure)) => Err(failure),
        _ => Ok(events),
    }
}

/// The kinds of parts in an answer.
#[derive(Debug, Default)]
struct Seen {
    call: bool,
    refusal: bool,
    other: bool,
}

/// Reads the events of a stream.
#[derive(Debug, Default)]
pub struct StreamDecoder {
    started: bool,
    ended: bool,
    next: u32,
    items: Items,
    /// The message that began last.
    message: Option<usize>,
    /// Calls that began behind a message without a word, and have none themselves: what is said of the message first stands
    /// before them.
    unbegun: Vec<usize>,
    /// What the answer consists of so far, for the reason why it ended.
    seen: Seen,
    /// The first half of a character whose second half comes with the next delta.
    half: Option<u16>,
    /// The event that says U+FFFD in the place of that half.
    waiting: Option<Vec<u8>>,
    /// The number of the last event, and whether the server counts: some number every event alike.
    sequence: Option<u64>,
    counts: bool,
    /// Why the answer cannot be used, once it is over.
    broken: Option<Failure>,
}

impl StreamDecoder {
    /// A decoder at the beginning of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the terminal event was seen.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Takes one frame. Whatever has another shape is skipped: a vendor's new event must not end a stream.
    pub fn frame(&mut self, frame: sse::Frame<'_>, out: &mut Vec<Event>) {
        if self.ended || frame.data.is_empty() || frame.data == b"[DONE]" {
            return;
        }
        let text = lossy(frame.data);
        if let Ok(event) = serde_json::from_str::<Frame<'_>>(&text) {
            if self.is_repeated(&event) {
                return;
            }
            self.settle_half(out);
            self.event(&event, frame.event, out);
            return;
        }
        // Half of a surrogate pair is not valid in a JSON text, but vendors cut between the halves.
        let mended = if memchr::memmem::find(text.as_bytes(), b".delta\"").is_some() {
            mend::piece(text.as_bytes(), &mut self.half)
        } else {
            self.settle_half(out);
            mend::whole(text.as_bytes())
        };
        let Some(mended) = mended else {
            if let Some(failure) = sse::unreadable(&text) {
                self.fail(failure, out);
            }
            return;
        };
        self.waiting = self.half.and_then(|_| with_delta(&mended));
        if let Ok(event) = serde_json::from_slice::<Frame<'_>>(&mended) {
            self.event(&event, frame.event, out);
        }
    }

    /// A half whose other half did not come becomes U+FFFD, in the place where it stood.
    fn settle_half(&mut self, out: &mut Vec<Event>) {
        if self.half.take().is_some()
            && let Some(waiting) = self.waiting.take()
            && let Ok(event) = serde_json::from_slice::<Frame<'_>>(&waiting)
        {
            self.event(&event, b"", out);
        }
    }

    /// The stream is over. Without a terminal event that is a failure.
    pub fn finish(&mut self, out: &mut Vec<Event>) {
        if self.ended {
            return;
        }
        self.settle_half(out);
        self.fail(Failure::truncated(), out);
    }

    /// Whether an event was sent twice in a row.
    fn is_repeated(&mut self, frame: &Frame<'_>) -> bool {
        let Some(number) = frame.sequence_number.0 else { return false };
        let last = self.sequence.replace(number);
        self.counts |= last.is_some_and(|last| number > last);
        self.counts && last == Some(number)
    }

    fn event(&mut self, frame: &Frame<'_>, name: &[u8], out: &mut Vec<Event>) {
        let kind = match frame.kind.get() {
            Some(kind) => kind,
            None => std::str::from_utf8(name).unwrap_or_default(),
        };
        match kind {
            "response.output_text.delta" => {
                self.spoken(frame, /* refusal */ false, frame.delta.get(), out);
            }
            "response.refusal.delta" => self.spoken(frame, /* refusal */ true, frame.delta.get(), out),
            "response.output_text.done" => {
                self.spoken_whole(frame, /* refusal */ false, frame.text.get(), out);
            }
            "response.refusal.done" => {
                self.spoken_whole(frame, /* refusal */ true, frame.refusal.get(), out);
            }
            "response.output_text.annotation.added" => self.annotation(frame, out),
            "response.content_part.done" => self.content_done(frame, out),
            "response.reasoning_summary_text.delta" => {
                self.thought(frame, /* raw */ false, frame.delta.get(), out);
            }
            "response.reasoning_text.delta" => {
                self.thought(frame, /* raw */ true, frame.delta.get(), out);
            }
            "response.reasoning_summary_text.done" => {
                self.thought_whole(frame, /* raw */ false, frame.text.get(), out);
            }
            "response.reasoning_text.done" => {
                self.thought_whole(frame, /* raw */ true, frame.text.get(), out);
            }
            "response.function_call_arguments.delta" => {
                self.arguments(frame, Flavour::Function, frame.delta.get(), out);
            }
            "response.custom_tool_call_input.delta" => {
                self.arguments(frame, Flavour::Custom, frame.delta.get(), out);
            }
            "response.function_call_arguments.done" => {
                let whole = frame.arguments.map(text_of);
                self.arguments_whole(frame, Flavour::Function, whole.as_deref(), out);
            }
            "response.custom_tool_call_input.done" => {
                self.arguments_whole(frame, Flavour::Custom, frame.input.get(), out);
            }
            "response.created" | "response.in_progress" | "response.queued" => {
                let head = frame.response.and_then(|raw| serde_json::from_str::<Head>(raw.get()).ok());
                self.begin(&head.unwrap_or_default(), out);
            }
            "response.output_item.added" => self.added(frame, out),
            "response.output_item.done" => {
                let place = place(frame.output_index.0);
                if let Some(item) = frame.item.and_then(|raw| mend::leniently(raw.get(), &place, out)) {
                    self.begin(&Head::default(), out);
                    self.done(frame.output_index.0, item, out);
                }
            }
            "response.completed" | "response.done" | "response.incomplete" | "response.cancelled" => {
                let answer: Answer =
                    frame.response.and_then(|raw| mend::leniently(raw.get(), "", out)).unwrap_or_default();
                self.begin(&answer.head(), out);
                match answer.failure() {
                    Some(failure) => self.fail(failure, out),
                    None => self.terminal(answer, out),
                }
            }
            "response.failed" => self.failed(frame, out),
            "error" => self.error(frame, out),
            "keepalive" => out.push(Event::Ping),
            // A gateway's error body pushed into the stream.
            "" if frame.error.is_some() => self.error(frame, out),
            _ => {}
        }
    }

    /// The answer begins, unless it has.
    fn begin(&mut self, head: &Head, out: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.started, true) {
            out.push(Event::Start(Start {
                id: head.id.clone(),
                model: head.model.clone(),
                created: head.created_at.map(|at| {
                    // Seconds of this century are far from the edge of the type.
                    #[expect(
                        clippy::cast_possible_truncation,
                        reason = "some servers write seconds with a fraction"
                    )]
                    let seconds = at as i64;
                    seconds
                }),
            }));
        }
    }

    fn part(&mut self, head: PartHead, out: &mut Vec<Event>) -> PartId {
        let part = PartId(self.next);
        self.next += 1;
        out.push(Event::PartStart { part, choice: 0, head });
        part
    }

    /// Notes that the whole of an item contradicts what was said of it. There is no rest then.
    fn contradicted(&self, at: usize, out: &mut Vec<Event>) -> &'static str {
        out.push(contradiction(self.items[at].index));
        ""
    }

    fn whole(&mut self, part: Part, out: &mut Vec<Event>) {
        let name = self.part(PartHead::Whole(Box::new(part)), out);
        out.push(Event::PartStop { part: name, complete: true, whole: None });
    }
}

fn place(index: Option<u64>) -> String {
    index.map_or_else(|| "output".to_owned(), |index| format!("output[{index}]"))
}

fn contradiction(place: Option<u64>) -> Event {
    Event::Lost(Loss {
        field: self::place(place),
        action: LossAction::Dropped,
        reason: "the whole is not what was streamed of it before; the client has what was streamed",
    })
}

fn text_of(raw: &RawValue) -> String {
    serde_json::from_str::<String>(raw.get()).unwrap_or_else(|_| raw.get().to_owned())
}

/// The event with U+FFFD as its delta.
fn with_delta(event: &[u8]) -> Option<Vec<u8>> {
    let mut event: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(event).ok()?;
    event.insert("delta".to_owned(), "\u{FFFD}".into());
    serde_json::to_vec(&event).ok()
}
