//! What byok does itself where an upstream cannot: stop sequences, and structured output by way of a forced tool.

mod json_tool;

use crate::{
    ir::{Delta, Event, OutputFormat, PartHead, PartId, Request, Stop, StopReason, ToolChoice},
    schema,
};
use byok_types::{Dialect, ModelFacts, StructuredOutput};

pub(crate) use json_tool::JsonTool;

/// Name of the tool by which structured output is asked of models that have no schema field.
pub(crate) const JSON_TOOL: &str = "json_response";

/// How the form of the answer is asked for: by the model's own means, but for a schema that they cannot say. Anthropic closes
/// the objects in its field for the answer; what does not stand that is the input of a tool, and what is no input of a tool
/// (a list, or any object) is asked for in words.
pub(crate) fn structured_output(
    request: &Request,
    facts: &ModelFacts,
    upstream: Dialect,
) -> StructuredOutput {
    let stated = facts.structured_output;
    match &request.output_format {
        OutputFormat::JsonSchema { schema, .. }
            if upstream == Dialect::Messages && request.dialect != Dialect::Messages =>
        {
            match stated {
                StructuredOutput::Native if schema::can_be_closed(schema) => stated,
                StructuredOutput::Native | StructuredOutput::ForcedTool
                    if schema::describes_arguments(schema) =>
                {
                    StructuredOutput::ForcedTool
                }
                StructuredOutput::Native | StructuredOutput::ForcedTool | StructuredOutput::Hint => {
                    StructuredOutput::Hint
                }
            }
        }
        _ => stated,
    }
}

/// Most stop sequences that an upstream takes from the client of another dialect. Responses has no field for them.
pub(crate) fn most_stops(upstream: Dialect) -> usize {
    match upstream {
        Dialect::Responses => 0,
        Dialect::Chat => 4,
        Dialect::Gemini => 5,
        Dialect::Messages => usize::MAX,
    }
}

/// The stop sequences where byok itself ends the answer: all, if there are more than the upstream takes. Of several answers
/// none can be ended alone.
pub(crate) fn own_stops(request: &Request, upstream: Dialect) -> &[String] {
    let stops = &request.sampling.stop;
    let said = stops.iter().filter(|stop| !stop.is_empty()).count();
    let native = request.dialect == upstream && upstream != Dialect::Responses;
    let several = request.sampling.n.is_some_and(|n| n > 1);
    if said > most_stops(upstream) && !native && !several { stops } else { &[] }
}

/// Why the client's stop sequences count as emulated.
pub(crate) const CUT: &str =
    "byok ends the answer where a stop sequence occurs that the upstream is not told";

/// Why the choice among the client's tools is another beside the tool for structured output.
pub(crate) const MUST_CALL: &str = "the model must call a tool, one of which takes the answer";

/// Whether the model may answer without a call.
pub(crate) fn is_free(choice: Option<&ToolChoice>) -> bool {
    matches!(
        choice,
        None | Some(ToolChoice::Auto | ToolChoice::Validated | ToolChoice::Allowed { required: false, .. })
    )
}

/// Ends the answer where a stop sequence occurs in its text, also when the sequence is spread over several pieces, or over
/// texts that follow each other: most clients read those as one.
#[derive(Debug)]
pub(crate) struct StopCut {
    sequences: Vec<String>,
    /// Text that may be the beginning of a sequence, and what came behind it: ends and beginnings of texts.
    held: Vec<Event>,
    open: Vec<PartId>,
    cut: bool,
}

impl StopCut {
    /// Empty sequences are ignored: they would cut everything.
    pub(crate) fn new(sequences: &[String]) -> Self {
        let sequences = sequences.iter().filter(|s| !s.is_empty()).cloned().collect();
        Self { sequences, held: Vec::new(), open: Vec::new(), cut: false }
    }

    /// Takes one event; appends what the client shall see.
    pub(crate) fn push(&mut self, event: Event, out: &mut Vec<Event>) {
        if self.cut {
            return;
        }
        match event {
            Event::Delta { part, delta: Delta::Text(piece) } => self.text(part, piece, out),
            Event::Ping | Event::Usage(_) => out.push(event),
            Event::PartStart { head: PartHead::Text, .. }
            | Event::PartStop { .. }
            | Event::Delta { delta: Delta::Extra(_), .. }
                if !self.held.is_empty() =>
            {
                self.held.push(event);
            }
            other => {
                self.release(usize::MAX, out);
                self.say(other, out);
            }
        }
    }

    fn say(&mut self, event: Event, out: &mut Vec<Event>) {
        match &event {
            Event::PartStart { part, .. } => self.open.push(*part),
            Event::PartStop { part, .. } => self.open.retain(|open| open != part),
            _ => {}
        }
        out.push(event);
    }

    /// Says so many bytes of the held text, and what stands before the rest of it.
    fn release(&mut self, mut bytes: usize, out: &mut Vec<Event>) {
        let mut held = std::mem::take(&mut self.held).into_iter();
        while let Some(event) = held.next() {
            match event {
                Event::Delta { part, delta: Delta::Text(mut text) } if text.len() > bytes => {
                    let rest = text.split_off(bytes);
                    if !text.is_empty() {
                        self.say(Event::Delta { part, delta: Delta::Text(text) }, out);
                    }
                    self.held.push(Event::Delta { part, delta: Delta::Text(rest) });
                    self.held.extend(held);
                    return;
                }
                event => {
                    if let Event::Delta { delta: Delta::Text(text), .. } = &event {
                        bytes -= text.len();
                    }
                    self.say(event, out);
                }
            }
        }
    }

    fn text(&mut self, part: PartId, piece: String, out: &mut Vec<Event>) {
        if piece.is_empty() {
            return;
        }
        self.held.push(Event::Delta { part, delta: Delta::Text(piece) });
        let said = self.held.iter().filter_map(|event| match event {
            Event::Delta { delta: Delta::Text(text), .. } => Some(text.as_str()),
            _ => None,
        });
        let text: String = said.collect();
        let first = self
            .sequences
            .iter()
            .filter_map(|s| text.find(s.as_str()).map(|at| (at, s)))
            .min_by_key(|(at, _)| *at);
        if let Some((at, sequence)) = first {
            let stop = Stop { sequence: Some(sequence.clone()), ..Stop::new(StopReason::StopSequence) };
            self.release(at, out);
            for open in std::mem::take(&mut self.open) {
                out.push(Event::PartStop { part: open, complete: true, whole: None });
            }
            out.push(Event::Finish { choice: 0, stop });
            out.push(Event::End);
            self.cut = true;
            return;
        }
        let keep = self.sequences.iter().map(|s| overlap(&text, s)).max().unwrap_or(0);
        self.release(text.len() - keep, out);
    }
}

/// The length of the longest end of `text` that is a beginning of `sequence`.
fn overlap(text: &str, sequence: &str) -> usize {
    (1..sequence.len())
        .rev()
        .filter(|n| sequence.is_char_boundary(*n))
        .find(|n| text.ends_with(&sequence[..*n]))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(sequences: &[&str], pieces: &[&str]) -> (String, Option<String>) {
        let mut cut = StopCut::new(&sequences.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>());
        let mut out = Vec::new();
        let part = PartId(0);
        cut.push(Event::PartStart { part, choice: 0, head: PartHead::Text }, &mut out);
        for piece in pieces {
            cut.push(Event::Delta { part, delta: Delta::Text((*piece).to_owned()) }, &mut out);
        }
        cut.push(Event::PartStop { part, complete: true, whole: None }, &mut out);
        cut.push(Event::Finish { choice: 0, stop: Stop::new(StopReason::End) }, &mut out);
        cut.push(Event::End, &mut out);
        let mut text = String::new();
        let mut sequence = None;
        let mut ends = 0;
        let mut stops = 0;
        for event in out {
            match event {
                Event::Delta { delta: Delta::Text(piece), .. } => text.push_str(&piece),
                Event::Finish { stop, .. } => sequence = stop.sequence,
                Event::End => ends += 1,
                Event::PartStop { .. } => stops += 1,
                _ => {}
            }
        }
        assert_eq!((ends, stops), (1, 1));
        (text, sequence)
    }

    #[test]
    fn more_stops_than_the_upstream_takes_are_byoks_own() {
        use Dialect::{Chat, Gemini, Messages, Responses};

        let owns = |client, upstream, stops: &[&str], n| {
            let mut request = Request::new(client, "m");
            request.sampling.stop = stops.iter().map(|stop| (*stop).to_owned()).collect();
            request.sampling.n = n;
            own_stops(&request, upstream).len()
        };
        let (four, six) = (&["1", "2", "3", "4", ""], &["1", "2", "3", "4", "5", "6"]);
        for (client, upstream, stops, n, expected) in [
            (Chat, Responses, &["1"][..], None, 1),
            (Messages, Chat, four, None, 0),
            (Messages, Chat, six, None, 6),
            (Messages, Gemini, six, Some(1), 6),
            (Chat, Messages, six, None, 0),
            // Within the dialect the client knows what it asks for, and of several answers none can be ended alone.
            (Chat, Chat, six, None, 0),
            (Gemini, Chat, six, Some(2), 0),
        ] {
            assert_eq!(owns(client, upstream, stops, n), expected, "{client:?} {upstream:?} {stops:?} {n:?}");
        }
    }

    /// A sequence that begins in one text and ends in the next, as the texts of two messages are read as one.
    #[test]
    fn stop_sequences_span_texts() {
        for (pieces, expected, complete) in [
            (["a ST", "OP b"], "a ", false),
            (["a S", "TO"], "a STO", true),
            (["a STOP", "b"], "a ", false),
            (["a S", "b STOP c"], "a Sb ", false),
            (["a", "b"], "ab", true),
        ] {
            let mut cut = StopCut::new(&["STOP".to_owned()]);
            let mut out = Vec::new();
            for (number, piece) in (0..).zip(pieces) {
                let part = PartId(number);
                cut.push(Event::PartStart { part, choice: 0, head: PartHead::Text }, &mut out);
                cut.push(Event::Delta { part, delta: Delta::Text(piece.to_owned()) }, &mut out);
                cut.push(Event::PartStop { part, complete: true, whole: None }, &mut out);
            }
            cut.push(Event::Finish { choice: 0, stop: Stop::new(StopReason::End) }, &mut out);
            cut.push(Event::End, &mut out);
            let (mut text, mut open, mut reason) = (String::new(), 0, None);
            for event in &out {
                match event {
                    Event::PartStart { .. } => open += 1,
                    Event::PartStop { .. } => open -= 1,
                    Event::Delta { delta: Delta::Text(piece), .. } => {
                        assert_eq!(open, 1, "{pieces:?}");
                        text.push_str(piece);
                    }
                    Event::Finish { stop, .. } => reason = Some(stop.reason),
                    _ => {}
                }
            }
            let end = if complete { StopReason::End } else { StopReason::StopSequence };
            assert_eq!((text.as_str(), open, reason), (expected, 0, Some(end)), "{pieces:?}");
        }
    }

    #[test]
    fn stop_sequences_cut_at_every_split() {
        for (sequences, text, expected, found) in [
            (&["END"][..], "one END two", "one ", Some("END")),
            (&["END", "o"], "one END", "", Some("o")),
            (&["END"], "one EN two E", "one EN two E", None),
            (&["\n\n"], "a\n\nb", "a", Some("\n\n")),
            (&["ö!"], "schön ö!x", "schön ", Some("ö!")),
            (&["", "zz"], "a zz", "a ", Some("zz")),
        ] {
            for split in (0..=text.len()).filter(|i| text.is_char_boundary(*i)) {
                let (a, b) = text.split_at(split);
                let (seen, sequence) = answered(sequences, &[a, b]);
                assert_eq!((seen.as_str(), sequence.as_deref()), (expected, found), "{text:?} at {split}");
            }
        }
    }
}
