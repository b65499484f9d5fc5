//! Reading an answer of an upstream, from bytes to the events that the client shall see.

use crate::{
    Exchange, Loss, Losses, Translated,
    call_ids::CallIds,
    codec,
    compact::Gather,
    emulate::{JsonTool, StopCut},
    estimate::Answered,
    ir::{Blob, Delta, Event, Family, Part, PartHead, StopReason, Usage},
    restore::Restore,
    sse,
    unfinished::Unfinished,
};
use byok_types::{Blame, Dialect, Failure, FailureKind};

/// Reads a streamed answer: frames, the dialect, the client's tool names, what byok emulates. Bytes may be cut anywhere.
pub struct StreamReader {
    frames: sse::Decoder,
    decoder: codec::StreamDecoder,
    filters: Filters,
    ended: bool,
    /// Events of one frame on their way through the filters; kept to be used again.
    scratch: Vec<Event>,
}

impl StreamReader {
    /// A reader for the upstream of `exchange` that refuses frames above `frame_limit` bytes.
    pub fn new(exchange: &Exchange, frame_limit: usize) -> Self {
        Self {
            frames: sse::Decoder::new(frame_limit),
            decoder: codec::StreamDecoder::new(exchange.upstream),
            filters: Filters::new(exchange),
            ended: false,
            scratch: Vec::new(),
        }
    }

    /// Takes the next bytes; appends events to `out`. A frame that is too large ends the answer with a failure.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<Event>) {
        if self.ended {
            return;
        }
        let (decoder, scratch) = (&mut self.decoder, &mut self.scratch);
        let read = self.frames.push(bytes, |frame| decoder.frame(frame, scratch));
        if let Err(error) = read {
            let failure =
                Failure::new(FailureKind::Server, Blame::Upstream, format!("{error}.")).with_status(502);
            scratch.extend([Event::Failure(failure), Event::End]);
        }
        self.pass(out);
    }

    /// The upstream closed the stream.
    pub fn finish(&mut self, out: &mut Vec<Event>) {
        if self.ended {
            return;
        }
        let (decoder, scratch) = (&mut self.decoder, &mut self.scratch);
        // The last frame is within the limit: the bytes were counted when they came.
        let _ = self.frames.finish(|frame| decoder.frame(frame, scratch));
        self.decoder.finish(&mut self.scratch);
        self.pass(out);
    }

    /// Whether `End` has been handed out; nothing follows, and what the upstream still sends does not matter.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Whether the upstream itself said that its answer is over. The connection can then be read to its end and kept.
    pub fn upstream_ended(&self) -> bool {
        self.decoder.ended()
    }

    /// Whether the model is speaking although the client is shown nothing of it for now.
    pub fn gathers(&self) -> bool {
        self.filters.gather.as_ref().is_some_and(Gather::has_begun) || self.filters.held() > 0
    }

    /// Bytes held because they make no frame yet, or because what follows decides what they are.
    pub fn held(&self) -> usize {
        self.frames.held() + self.filters.held()
    }

    /// An estimate of what was handed out until now and what the upstream has not stated of it, for an answer that does not come
    /// to its end.
    pub fn estimate_so_far(&self) -> Option<Usage> {
        self.filters.answered.so_far(self.filters.input)
    }

    /// What of the answer is kept from the client. Complete when the answer has ended.
    pub fn losses(&self) -> Vec<Loss> {
        self.filters.losses()
    }

    fn pass(&mut self, out: &mut Vec<Event>) {
        let from = out.len();
        for event in self.scratch.drain(..) {
            self.filters.push(event, out);
        }
        if let Some(end) = out[from..].iter().position(|event| *event == Event::End) {
            out.truncate(from + end + 1);
            self.ended = true;
        }
    }
}

/// Reads a whole answer (one JSON text) as events.
pub fn read_answer(body: &[u8], exchange: &Exchange) -> Result<Translated<Vec<Event>>, Failure> {
    let mut filters = Filters::new(exchange);
    let mut out = Vec::new();
    let mut events = codec::decode_answer(exchange.upstream, body)?;
    if filters.stop.is_some() {
        // Counts stand behind the text that a stop sequence may cut, and hold all the same.
        events.sort_by_key(|event| !matches!(event, Event::Start { .. } | Event::Usage(_)));
    }
    for event in events {
        filters.push(event, &mut out);
    }
    Ok(Translated { value: out, losses: filters.losses() })
}

/// What stands between the decoder and the client's encoder.
struct Filters {
    /// The family that a decoder takes seals for, and the family that really makes them at this upstream.
    seals: Option<(Family, Family)>,
    /// The family whose seals are bound to one place, as those of [`Family::Other`] are, and that place.
    bound: Option<(Family, String)>,
    call_ids: CallIds,
    json_tool: Option<JsonTool>,
    restore: Option<Restore>,
    unfinished: Unfinished,
    stop: Option<StopCut>,
    /// What the decoder could not read.
    lost: Losses,
    gather: Option<Gather>,
    /// The dialect of the client.
    client: Dialect,
    answered: Answered,
    /// The estimate of the prompt.
    input: Option<u64>,
    /// Events between two filters; kept to be used again.
    between: Vec<Event>,
}

impl Filters {
    fn new(exchange: &Exchange) -> Self {
        let native = match exchange.upstream {
            Dialect::Messages => Some(Family::Claude),
            Dialect::Responses => Some(Family::Openai),
            Dialect::Gemini => Some(Family::Gemini),
            // What is sealed in `reasoning_details` is the server's own, whoever made its model.
            Dialect::Chat => None,
        };
        Self {
            seals: native.filter(|native| *native != exchange.family).map(|native| (native, exchange.family)),
            bound: exchange.account.clone().map(|account| (exchange.family, account)),
            call_ids: CallIds::new(exchange.call_ids.clone()),
            json_tool: exchange.json_tool.then(JsonTool::default),
            restore: (!exchange.names.is_empty()).then(|| Restore::new(exchange.names.clone())),
            unfinished: Unfinished::default(),
            lost: Losses::default(),
            stop: (!exchange.stop.is_empty()).then(|| StopCut::new(&exchange.stop)),
            // A client that has no compaction is shown the summary itself.
            gather: (exchange.compact && exchange.client == Dialect::Responses).then(Gather::default),
            client: exchange.client,
            answered: Answered::default(),
            input: exchange.input_estimate,
            between: Vec::new(),
        }
    }

    fn held(&self) -> usize {
        self.json_tool.as_ref().map_or(0, JsonTool::held)
    }

    fn losses(&self) -> Vec<Loss> {
        let mut losses = self.lost.clone();
        if self.json_tool.as_ref().is_some_and(JsonTool::lost) {
            let field = match self.client {
                Dialect::Chat => "choices[0].message.content",
                Dialect::Responses => "output",
                Dialect::Messages => "content",
                Dialect::Gemini => "candidates[0].content.parts",
            };
            losses.dropped(field, "what the model said beside the JSON that was asked for");
        }
        losses.attach(()).losses
    }

    fn push(&mut self, event: Event, out: &mut Vec<Event>) {
        if let Event::Lost(loss) = event {
            return self.lost.note(loss);
        }
        let from = out.len();
        self.filter(event, out);
        for event in &out[from..] {
            self.answered.note(event);
        }
        // The end comes alone or last.
        if out[from..].last() == Some(&Event::End)
            && let Some(usage) = self.answered.estimate(self.input)
        {
            out.insert(out.len() - 1, Event::Usage(usage));
        }
    }

    fn filter(&mut self, mut event: Event, out: &mut Vec<Event>) {
        if let Some(gather) = &mut self.gather {
            // Of a summary nothing is left that the others would have to do with.
            return gather.push(event, out);
        }
        if let Some((native, real)) = self.seals {
            for blob in seals_of(&mut event).filter(|blob| blob.family == native) {
                blob.family = real;
            }
        }
        if let Some((family, account)) = &self.bound {
            for blob in seals_of(&mut event).filter(|blob| [*family, Family::Other].contains(&blob.family)) {
                blob.account.get_or_insert_with(|| account.clone());
            }
        }
        self.call_ids.settle(&mut event);
        // The usual cases come first: nothing to filter, or only names to restore.
        if self.json_tool.is_none() && self.stop.is_none() {
            let from = out.len();
            match &mut self.restore {
                Some(filter) => filter.push(event, out),
                None => out.push(event),
            }
            for event in &mut out[from..] {
                self.unfinished.settle(event);
            }
            return;
        }
        let mut current = std::mem::take(&mut self.between);
        current.push(event);
        if let Some(filter) = &mut self.json_tool {
            let mut next = Vec::new();
            current.drain(..).for_each(|event| filter.push(event, &mut next));
            current = next;
        }
        if let Some(filter) = &mut self.restore {
            let mut next = Vec::new();
            current.drain(..).for_each(|event| filter.push(event, &mut next));
            current = next;
        }
        for event in &mut current {
            self.unfinished.settle(event);
        }
        match &mut self.stop {
            Some(filter) => current.drain(..).for_each(|event| filter.push(event, out)),
            None => out.append(&mut current),
        }
        self.between = current;
    }
}

/// The seals that an event carries. A vendor that speaks another's dialect seals with its own key, and its seals must never
/// be taken for the other's.
fn seals_of(event: &mut Event) -> impl Iterator<Item = &mut Blob> {
    let part = match event {
        Event::Delta { delta: Delta::Signature(blob), .. } => return Some(blob).into_iter(),
        Event::PartStart { head: PartHead::Whole(part), .. } | Event::PartStop { whole: Some(part), .. } => {
            part
        }
        _ => return None.into_iter(),
    };
    let blob = match &mut **part {
        Part::Thinking(part) => part.blob.as_mut(),
        Part::ToolCall(part) => part.blob.as_mut(),
        Part::Text(part) => part.blob.as_mut(),
        _ => None,
    };
    blob.into_iter()
}

/// What the executor learns from the events of an answer while they pass.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// The client has something to show: from here on the answer is committed.
    pub good: bool,
    /// The answer was said to be over in success.
    pub finished: bool,
    /// The answer failed.
    pub failure: Option<Failure>,
    /// Token counts so far.
    pub usage: Option<Usage>,
}

impl Progress {
    /// Takes note of one event.
    ///
    /// Good is content, a tool call or a successful end. The beginning alone, a role or an empty text is not: until then
    /// a rejection can still become an HTTP status, and another account can still be asked.
    pub fn note(&mut self, event: &Event) {
        match event {
            Event::Delta { delta, .. } => {
                self.good |= match delta {
                    Delta::Text(text)
                    | Delta::Refusal(text)
                    | Delta::Arguments(text)
                    | Delta::Thinking { text, .. } => !text.is_empty(),
                    Delta::Signature(_) | Delta::Citation(_) | Delta::Logprobs(_) => true,
                    Delta::Extra(_) => false,
                };
            }
            Event::PartStart { head: PartHead::ToolCall { .. } | PartHead::Whole(_), .. } => self.good = true,
            Event::Finish { stop, .. } => {
                self.finished = true;
                self.good |= stop.reason != StopReason::MalformedCall;
            }
            Event::Usage(usage) => self.usage.get_or_insert_with(Usage::default).merge(usage),
            Event::Failure(failure) => {
                self.failure.get_or_insert_with(|| failure.clone());
            }
            _ => {}
        }
    }
}

/// Whether a body looks like a stream of events although nothing said so.
pub fn looks_like_events(body: &[u8]) -> bool {
    let start = body.trim_ascii_start();
    [&b"data:"[..], b"event:", b":"].iter().any(|mark| start.starts_with(mark))
}

/// Whether a body looks like a web page: some gateways answer with one and status 200.
pub fn looks_like_html(body: &[u8]) -> bool {
    let start: Vec<u8> = body.trim_ascii_start().iter().take(15).map(u8::to_ascii_lowercase).collect();
    start.starts_with(b"<!doctype html") || start.starts_with(b"<html")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{BlobSlot, PartId, Request};
    use byok_types::ModelFacts;

    #[test]
    fn tokens_that_nobody_counted_are_estimated() {
        let whole = |usage: &str| {
            format!(
                r#"{{"id":"c","choices":[{{"index":0,"message":{{"content":"hello world foo bar"}},"finish_reason":"stop"}}]{usage}}}"#
            )
        };
        let estimate = |input, output| (Some(input), Some(output), true);
        for (what, upstream, body, expected) in [
            ("nothing stated", Dialect::Chat, whole(""), estimate(7, 5)),
            ("nothing but zeros", Dialect::Chat, whole(r#","usage":{"prompt_tokens":0,"completion_tokens":0}"#), estimate(7, 5)),
            ("an answer counted as nothing", Dialect::Chat, whole(r#","usage":{"prompt_tokens":30,"completion_tokens":0}"#), (Some(30), Some(0), false)),
            ("only the prompt", Dialect::Chat, whole(r#","usage":{"prompt_tokens":30}"#), estimate(30, 5)),
            ("stated", Dialect::Chat, whole(r#","usage":{"prompt_tokens":30,"completion_tokens":9}"#), (Some(30), Some(9), false)),
            (
                "a call",
                Dialect::Responses,
                r#"{"status":"completed","output":[{"type":"function_call","call_id":"a","name":"f","arguments":"{\"a\":1}"}]}"#.to_owned(),
                estimate(7, 10),
            ),
            (
                "other scripts",
                Dialect::Gemini,
                r#"{"candidates":[{"content":{"parts":[{"text":"你好世界"}]},"finishReason":"STOP"}]}"#.to_owned(),
                estimate(7, 3),
            ),
        ] {
            let request = Request::new(Dialect::Messages, "m");
            let mut exchange = Exchange::new(&request, &ModelFacts::default(), upstream, 0, "seed");
            exchange.input_estimate = Some(7);
            let (mut progress, mut fold) = (Progress::default(), crate::ir::Fold::default());
            for event in read_answer(body.as_bytes(), &exchange).unwrap().value {
                progress.note(&event);
                fold.push(event);
            }
            let usage = progress.usage.unwrap();
            assert_eq!((usage.input, usage.output, usage.estimated), expected, "{what}");
            assert_eq!(fold.finish().unwrap().usage, Some(usage), "{what}");
        }
    }

    #[test]
    fn a_stream_that_byok_cuts_is_estimated_and_one_that_breaks_off_is_not() {
        let mut request = Request::new(Dialect::Messages, "m");
        request.sampling.stop = vec!["STOP".to_owned()];
        let exchange = Exchange::new(&request, &ModelFacts::default(), Dialect::Responses, 0, "seed");
        let read = |frames: &[&str]| {
            let (mut reader, mut events) = (StreamReader::new(&exchange, 1 << 20), Vec::new());
            for frame in frames {
                reader.push(format!("data: {frame}\n\n").as_bytes(), &mut events);
            }
            reader.finish(&mut events);
            assert_eq!(events.iter().position(|event| *event == Event::End), Some(events.len() - 1));
            events.into_iter().find_map(|event| match event {
                Event::Usage(usage) => Some((usage.output, usage.estimated)),
                _ => None,
            })
        };
        let delta =
            |text: &str| format!(r#"{{"type":"response.output_text.delta","item_id":"m","delta":"{text}"}}"#);
        let end = r#"{"type":"response.completed","response":{"status":"completed","usage":{"input_tokens":1,"output_tokens":99}}}"#;
        let (first, second) = (delta("12345678"), delta("1234STOP and more"));
        assert_eq!(read(&[&first, &second, end]), Some((Some(3), true)));
        assert_eq!(read(&[&first, end]), Some((Some(99), false)));
        assert_eq!(read(&[&first]), None);
    }

    #[test]
    fn seals_belong_to_whoever_made_them() {
        let body = br#"{"id":"m","type":"message","role":"assistant","model":"k","content":[{"type":"thinking","thinking":"t","signature":"SIG"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}"#;
        for family in [Family::Claude, Family::Other] {
            let facts = ModelFacts { family, ..ModelFacts::default() };
            let request = Request::new(Dialect::Chat, "m");
            let exchange = Exchange::new(&request, &facts, Dialect::Messages, 0, "seed");
            let mut fold = crate::ir::Fold::default();
            for event in read_answer(body, &exchange).unwrap().value {
                fold.push(event);
            }
            let Part::Thinking(thinking) = &fold.finish().unwrap().choices[0].parts[0] else {
                panic!("no thinking")
            };
            let blob = thinking.blob.clone().unwrap();
            assert_eq!((blob.family, blob.slot, blob.data.as_str()), (family, BlobSlot::Thinking, "SIG"));
        }
    }

    #[test]
    fn sealed_details_of_chat_come_back_to_their_server_whoever_made_the_model() {
        let details = r#"[{"type":"reasoning.encrypted","data":"D","id":"x","index":0}]"#;
        let body = format!(
            r#"{{"id":"c","choices":[{{"index":0,"message":{{"role":"assistant","content":"a","reasoning_details":{details}}},"finish_reason":"stop"}}]}}"#
        );
        for family in [Family::Openai, Family::Claude, Family::Gemini, Family::Other] {
            let facts = ModelFacts { family, first_party: false, ..ModelFacts::default() };
            for client in [Dialect::Messages, Dialect::Responses, Dialect::Gemini] {
                let mut exchange =
                    Exchange::new(&Request::new(client, "m"), &facts, Dialect::Chat, 0, "seed");
                exchange.account = Some("maker".to_owned());
                let mut fold = crate::ir::Fold::default();
                for event in read_answer(body.as_bytes(), &exchange).unwrap().value {
                    fold.push(event);
                }
                let shown = codec::encode_answer(&fold.finish().unwrap(), &exchange).value;
                let shown: serde_json::Value = serde_json::from_slice(&shown).unwrap();
                let history = match client {
                    Dialect::Messages => serde_json::json!({"max_tokens": 9, "messages": [
                        {"role": "user", "content": "x"}, {"role": "assistant", "content": shown["content"]},
                        {"role": "user", "content": "y"}]}),
                    Dialect::Responses => {
                        let mut input = shown["output"].as_array().unwrap().clone();
                        input.push(serde_json::json!({"role": "user", "content": "y"}));
                        serde_json::json!({"model": "m", "input": input})
                    }
                    _ => serde_json::json!({"contents": [
                        {"role": "user", "parts": [{"text": "x"}]}, shown["candidates"][0]["content"],
                        {"role": "user", "parts": [{"text": "y"}]}]}),
                };
                let history = history.to_string();
                for (maker, comes_back) in [("maker", true), ("else", false)] {
                    let incoming =
                        crate::Incoming { body: history.as_bytes(), model: Some("m"), stream: None };
                    let mut request = codec::decode_request(client, &incoming).unwrap();
                    crate::keep_seals_of(maker, &mut request);
                    let sent = codec::encode_request(
                        Dialect::Chat,
                        &request.value,
                        &facts,
                        &mut crate::Ids::new("s"),
                    )
                    .unwrap();
                    let sent = String::from_utf8(sent.value).unwrap();
                    assert_eq!(sent.contains(details), comes_back, "{family:?} {client} {maker}: {sent}");
                }
            }
        }
    }

    #[test]
    fn good_is_what_a_client_can_show() {
        let part = PartId(0);
        let delta = |delta| Event::Delta { part, delta };
        for (event, good) in [
            (Event::Start(crate::ir::Start::default()), false),
            (Event::PartStart { part, choice: 0, head: PartHead::Text }, false),
            (delta(Delta::Text(String::new())), false),
            (delta(Delta::Text("x".to_owned())), true),
            (Event::Ping, false),
            (Event::Usage(Usage::default()), false),
            (Event::Finish { choice: 0, stop: crate::ir::Stop::new(StopReason::End) }, true),
            (Event::Finish { choice: 0, stop: crate::ir::Stop::new(StopReason::MalformedCall) }, false),
        ] {
            let mut progress = Progress::default();
            progress.note(&event);
            assert_eq!(progress.good, good, "{event:?}");
        }
    }
}
