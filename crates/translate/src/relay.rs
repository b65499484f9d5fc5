//! Passing an answer through: its bytes as they are, with the few changes that pass-through allows.

mod items;
mod lines;

use crate::{
    Json, chat,
    scan::{Edit, Scan, splice},
};
use byok_types::{Dialect, Failure};
use bytes::{Bytes, BytesMut};
use items::ItemIds;
use std::ops::Range;

/// Passes the bytes of a stream through.
///
/// Without changes every chunk that ends with a line goes on as the same memory; a line that has only begun waits for its end, so
/// that a stream that breaks off leaves no half of one. With a change (another model name is told, or the usage chunk
/// that only byok asked for is taken out) whole frames are looked at; a frame that needs none goes on byte for byte.
#[derive(Debug)]
pub struct Relay {
    dialect: Dialect,
    /// The model to be told, as JSON text.
    model: Option<String>,
    hide_usage: bool,
    /// For a client that reads a JSON array in place of events: whether its first element has been written.
    array: Option<bool>,
    /// What is not complete yet: the beginning of a line, or of a frame where frames are looked at.
    pending: BytesMut,
    /// The last bytes that were passed on.
    tail: [u8; 4],
    /// The ids of the items of a Responses answer, for an upstream that gives them another one in every event.
    items: Option<ItemIds>,
    /// What has been told, for an upstream that tells of a failure as text of the answer.
    told: Option<Told>,
}

/// A failure that an upstream has told of as text.
#[derive(Debug, Default)]
struct Told {
    failure: Option<Failure>,
    /// What comes behind it is not passed on.
    over: bool,
}

impl Relay {
    /// A relay for an upstream of `dialect`. `model` is told in place of the upstream's name; `hide_usage` takes out the
    /// Chat usage chunk.
    pub fn new(dialect: Dialect, model: Option<&str>, hide_usage: bool) -> Self {
        let model = model.map(|name| Json::string(name).get().to_owned());
        Self {
            dialect,
            model,
            hide_usage,
            array: None,
            pending: BytesMut::new(),
            tail: *b"\n\n\n\n",
            items: None,
            told: None,
        }
    }

    /// The same for a Gemini client that asked for no events: the data of each frame becomes an element of one JSON array.
    #[must_use]
    pub fn as_array(mut self) -> Self {
        self.array = Some(false);
        self
    }

    /// The same for a Responses upstream that gives an item another id in every event: it keeps the one that it was
    /// announced under.
    #[must_use]
    pub fn steady_items(mut self) -> Self {
        self.items = Some(ItemIds::default());
        self
    }

    /// The same for a Chat upstream that tells of a failure in the middle as text of the answer (`DashScope`'s `error_finish`):
    /// the frame is held back with all behind it, and [`failure`](Self::failure) says what it told.
    #[must_use]
    pub fn watching(mut self) -> Self {
        self.told = Some(Told::default());
        self
    }

    /// The failure that the upstream has told of in what was taken, once.
    pub fn failure(&mut self) -> Option<Failure> {
        self.told.as_mut()?.failure.take()
    }

    /// Takes the next bytes of the upstream; returns what goes on to the client, which may be nothing.
    pub fn push(&mut self, bytes: Bytes) -> Bytes {
        let untouched = self.model.is_none()
            && !self.hide_usage
            && self.array.is_none()
            && self.items.is_none()
            && self.told.is_none();
        let out = if untouched { lines::flow(&mut self.pending, bytes) } else { self.frames(&bytes) };
        self.remember(&out);
        out
    }

    /// The upstream broke off; returns what was held back, if it says something whole. Half of a frame says nothing, and a
    /// client that is sent one fails at it in place of being told what happened.
    pub fn cut(&mut self) -> Bytes {
        let whole = lines::is_whole(&self.pending);
        // The rest of a line whose beginning the client has.
        if !whole && matches!(self.tail[3], b'\n' | b'\r') {
            self.pending.clear();
        }
        self.finish()
    }

    /// The upstream is done; returns what was held back.
    pub fn finish(&mut self) -> Bytes {
        let rest = self.pending.split().freeze();
        let out = if rest.is_empty() { rest } else { self.written(rest).unwrap_or_default() };
        self.remember(&out);
        out
    }

    /// An element of ours for the array.
    pub fn element(&mut self, json: &[u8]) -> Bytes {
        let mut out = BytesMut::new();
        self.begin_element(&mut out);
        out.extend_from_slice(json);
        out.freeze()
    }

    /// What ends the answer behind its last frame.
    pub fn close(&mut self) -> &'static [u8] {
        match self.array.take() {
            Some(true) => b"]",
            Some(false) => b"[]",
            None => b"",
        }
    }

    fn begin_element(&mut self, out: &mut BytesMut) {
        let begun = self.array.replace(true) == Some(true);
        out.extend_from_slice(if begun { b",\r\n" } else { b"[" });
    }

    /// One frame in the form that the client reads.
    fn written(&mut self, frame: Bytes) -> Option<Bytes> {
        let frame = self.frame(frame)?;
        if self.array.is_none() {
            return Some(frame);
        }
        let data = data_lines(&frame);
        if data.is_empty() {
            return None;
        }
        let mut out = BytesMut::new();
        self.begin_element(&mut out);
        for (at, line) in data.into_iter().enumerate() {
            out.extend_from_slice(if at == 0 { b"" } else { b"\n" });
            out.extend_from_slice(&frame[line]);
        }
        Some(out.freeze())
    }

    /// Whether the client stands between two frames, so that something of ours may be put in.
    pub fn between_frames(&self) -> bool {
        self.tail.ends_with(b"\n\n") || self.tail.ends_with(b"\r\r") || self.tail == *b"\r\n\r\n"
    }

    fn remember(&mut self, out: &[u8]) {
        for &byte in &out[out.len().saturating_sub(4)..] {
            self.tail.rotate_left(1);
            self.tail[3] = byte;
        }
    }

    fn frames(&mut self, bytes: &[u8]) -> Bytes {
        // The end of a frame may be spread over two chunks: look again at the last bytes of what was held.
        let mut from = self.pending.len().saturating_sub(3);
        self.pending.extend_from_slice(bytes);
        let mut out = BytesMut::new();
        while let Some(end) = frame_end(&self.pending, from) {
            let frame = self.pending.split_to(end).freeze();
            if let Some(frame) = self.written(frame) {
                out.extend_from_slice(&frame);
            }
            from = 0;
        }
        out.freeze()
    }

    /// One frame as the client gets it; `None` for one that is taken out.
    fn frame(&mut self, frame: Bytes) -> Option<Bytes> {
        if self.is_over(&frame) {
            return None;
        }
        let frame = self.named(frame)?;
        let Some(items) = &mut self.items else { return Some(frame) };
        let Some(data) = data_range(&frame) else { return Some(frame) };
        let mut edits = items.edits(&frame[data.clone()]);
        for edit in &mut edits {
            edit.range = data.start + edit.range.start..data.start + edit.range.end;
        }
        Some(splice(&frame, edits))
    }

    /// Whether the upstream has told of a failure, in this frame or before.
    fn is_over(&mut self, frame: &[u8]) -> bool {
        let Some(told) = &mut self.told else { return false };
        if !told.over
            && memchr::memmem::find(frame, chat::ERROR_FINISH.as_bytes()).is_some()
            && let Some(data) = data_range(frame)
        {
            told.failure = chat::decode_answer(&frame[data]).err();
            told.over = told.failure.is_some();
        }
        told.over
    }

    /// One frame with the name of the model that the client asked for; `None` for one that is taken out.
    fn named(&self, frame: Bytes) -> Option<Bytes> {
        if self.model.is_none() && !self.hide_usage {
            return Some(frame);
        }
        let Some(data) = data_range(&frame) else { return Some(frame) };
        let Ok(scan) = Scan::of_keys(
            &frame[data.clone()],
            &["model", "modelVersion", "message", "response", "choices", "usage"],
        ) else {
            return Some(frame);
        };
        let json = &frame[data.clone()];
        if self.hide_usage
            && scan.text(json, "choices") == Some("[]")
            && scan.text(json, "usage").is_some_and(|u| u != "null")
        {
            return None;
        }
        let Some(model) = &self.model else { return Some(frame) };
        let place = match self.dialect {
            Dialect::Chat => scan.value("model"),
            Dialect::Gemini => scan.value("modelVersion"),
            Dialect::Messages => nested(json, &scan, "message"),
            Dialect::Responses => nested(json, &scan, "response"),
        };
        match place {
            Some(range) => {
                let range = data.start + range.start..data.start + range.end;
                Some(splice(&frame, vec![Edit { range, text: model.clone() }]))
            }
            None => Some(frame),
        }
    }

    /// A whole answer (one JSON text) as the client gets it.
    pub fn whole(&self, body: &Bytes) -> Bytes {
        let Some(model) = &self.model else { return body.clone() };
        let key = if self.dialect == Dialect::Gemini { "modelVersion" } else { "model" };
        match Scan::of_keys(body, &[key]).ok().and_then(|scan| scan.value(key)) {
            Some(range) => splice(body, vec![Edit { range, text: model.clone() }]),
            None => body.clone(),
        }
    }
}

/// Where the `model` of an inner object stands.
fn nested(json: &[u8], scan: &Scan, key: &str) -> Option<Range<usize>> {
    let outer = scan.value(key)?;
    let inner = Scan::of_keys(&json[outer.clone()], &["model"]).ok()?.value("model")?;
    Some(outer.start + inner.start..outer.start + inner.end)
}

/// One past the blank line that ends the first frame.
fn frame_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += memchr::memchr2(b'\n', b'\r', bytes.get(at..)?)?;
        let rest = &bytes[at..];
        if rest.starts_with(b"\r\n\r\n") {
            return Some(at + 4);
        }
        if rest.starts_with(b"\n\n") || rest.starts_with(b"\r\r") {
            return Some(at + 2);
        }
        at += 1;
    }
}

/// Where the value of the only `data:` line of a frame stands; frames with several are left alone.
fn data_range(frame: &[u8]) -> Option<Range<usize>> {
    let [only] = <[_; 1]>::try_from(data_lines(frame)).ok()?;
    Some(only)
}

/// Where the values of the `data:` lines of a frame stand.
fn data_lines(frame: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    while start < frame.len() {
        let end = memchr::memchr2(b'\n', b'\r', &frame[start..]).map_or(frame.len(), |i| start + i);
        if let Some(value) = frame[start..end].strip_prefix(b"data:") {
            let space = usize::from(value.starts_with(b" "));
            found.push(start + 5 + space..end);
        }
        start = end + 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relayed(relay: &mut Relay, pieces: &[&[u8]]) -> String {
        let mut out = Vec::new();
        for piece in pieces {
            out.extend_from_slice(&relay.push(Bytes::copy_from_slice(piece)));
        }
        out.extend_from_slice(&relay.finish());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn without_changes_the_memory_is_the_same() {
        let mut relay = Relay::new(Dialect::Chat, None, false);
        let bytes = Bytes::from_static(b"data: {\"model\":\"x\"}\n");
        assert_eq!(relay.push(bytes.clone()).as_ptr(), bytes.as_ptr());
        assert!(!relay.between_frames());
        relay.push(Bytes::from_static(b"\n"));
        assert!(relay.between_frames());
    }

    #[test]
    fn a_blank_line_ends_a_frame_whatever_breaks_its_lines() {
        for bytes in ["a\n\nb", "a\r\rb", "a\r\n\r\nb", "a\r\n\nb", "a\nb\n\nc", "a\n"] {
            let expected = bytes.rfind(['b', 'c']).filter(|_| bytes.len() > 2);
            assert_eq!(frame_end(bytes.as_bytes(), 0), expected, "{bytes:?}");
        }
    }

    #[test]
    fn no_half_of_a_frame_is_told_where_a_stream_breaks_off() {
        let whole = "event: a\ndata: {\"a\":1}\n\n";
        let cases = [
            // What is held when the stream breaks, and what of it is told.
            ("", ""),
            ("da", ""),
            ("event: b", ""),
            ("event: b\n", ""),
            ("event: b\r\ndata: {\"b\"", ""),
            ("data: {\"b\":1}", "data: {\"b\":1}"),
            ("event: b\ndata: {\"b\":1}", "event: b\ndata: {\"b\":1}"),
            ("event: b\ndata: {\"b\":1}\n", "event: b\ndata: {\"b\":1}\n"),
            ("data: [DONE]", "data: [DONE]"),
        ];
        for (rest, told) in cases {
            for model in [None, Some("mine")] {
                let bytes = format!("{whole}{rest}").into_bytes();
                for split in 0..=bytes.len() {
                    let mut relay = Relay::new(Dialect::Messages, model, false);
                    let (a, b) = bytes.split_at(split);
                    let mut out = relay.push(Bytes::copy_from_slice(a)).to_vec();
                    out.extend_from_slice(&relay.push(Bytes::copy_from_slice(b)));
                    out.extend_from_slice(&relay.cut());
                    assert_eq!(
                        String::from_utf8(out).unwrap(),
                        format!("{whole}{told}"),
                        "{rest:?} at {split}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_large_line_flows_in_pieces() {
        let mut relay = Relay::new(Dialect::Gemini, None, false);
        let piece = Bytes::from(vec![b'x'; 40 << 10]);
        let mut told = 0;
        for sent in 1..=8 {
            told += relay.push(piece.clone()).len();
            assert!(sent * piece.len() - told <= lines::HELD, "{sent}");
        }
        // Its rest belongs to what the client has.
        told += relay.cut().len();
        assert_eq!(told, 8 * piece.len());
        assert!(!relay.between_frames());
    }

    #[test]
    fn a_failure_that_is_told_as_text_is_held_back() {
        let text =
            "data: {\"choices\":[{\"delta\":{\"content\":\"error_finish\"},\"finish_reason\":null}]}\n\n";
        let failed = "data: {\"choices\":[{\"delta\":{\"content\":\"Throttling: TPM\"},\"finish_reason\":\"error_finish\"}]}\n\n";
        let bytes = format!("{text}{failed}data: [DONE]\n\n").into_bytes();
        for split in 0..=bytes.len() {
            let mut relay = Relay::new(Dialect::Chat, None, false).watching();
            let (a, b) = bytes.split_at(split);
            assert_eq!(relayed(&mut relay, &[a, b]), text, "at {split}");
            let failure = relay.failure().unwrap();
            assert_eq!((failure.status, &*failure.message), (429, "Throttling: TPM"));
            assert!(relay.failure().is_none());
        }
        // Where nobody does so, it is an answer as any other.
        let mut relay = Relay::new(Dialect::Chat, None, false);
        assert_eq!(relayed(&mut relay, &[&bytes]).as_bytes(), bytes);
    }

    #[test]
    fn t121_the_model_is_told_and_the_usage_chunk_taken_out_at_every_split() {
        let chat = "data: {\"id\":1e0, \"model\" : \"gpt\",\"choices\":[{\"delta\":{\"model\":\"x\"}}]}\n\n: c\n\ndata: {\"choices\":[],\"model\":\"gpt\",\"usage\":{\"prompt_tokens\":1}}\r\n\r\ndata: [DONE]\n\n";
        let cases = [
            (Dialect::Chat, false, chat, chat.replace("\"gpt\"", "\"mine\"")),
            (
                Dialect::Chat,
                true,
                chat,
                "data: {\"id\":1e0, \"model\" : \"mine\",\"choices\":[{\"delta\":{\"model\":\"x\"}}]}\n\n: c\n\ndata: [DONE]\n\n".to_owned(),
            ),
            (
                Dialect::Messages,
                false,
                "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"m\",\"usage\":{}}}\n\nevent: x\ndata: {\"model\":\"m\"}\n\n",
                "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"mine\",\"usage\":{}}}\n\nevent: x\ndata: {\"model\":\"m\"}\n\n".to_owned(),
            ),
            (
                Dialect::Responses,
                false,
                "data: {\"response\":{\"tools\":[{\"model\":1}],\"model\":\"m\"}}\n\n",
                "data: {\"response\":{\"tools\":[{\"model\":1}],\"model\":\"mine\"}}\n\n".to_owned(),
            ),
            (
                Dialect::Gemini,
                false,
                "data: {\"modelVersion\":\"g\",\"model\":\"g\"}\r\n\r\n",
                "data: {\"modelVersion\":\"mine\",\"model\":\"g\"}\r\n\r\n".to_owned(),
            ),
            (Dialect::Chat, true, "data: {broken\n\ndata: cut", "data: {broken\n\ndata: cut".to_owned()),
        ];
        for (dialect, hide, input, expected) in cases {
            let bytes = input.as_bytes();
            for split in 0..=bytes.len() {
                let mut relay = Relay::new(dialect, Some("mine"), hide);
                let (a, b) = bytes.split_at(split);
                assert_eq!(relayed(&mut relay, &[a, b]), expected, "{input:?} at {split}");
            }
        }
    }

    #[test]
    fn an_item_keeps_the_id_that_it_was_announced_under() {
        let input = "event: response.output_item.added\ndata: {\"type\":\"response.output_item.added\",\"output_index\":0,\"item\":{\"id\":\"a\",\"type\":\"reasoning\"}}\n\n\
             data: {\"type\":\"response.reasoning_summary_text.delta\",\"item_id\" : \"b\", \"output_index\":0,\"delta\":\"item_id\"}\n\n\
             data: {\"type\":\"response.output_item.done\",\"output_index\":0,\"item\":{\"type\":\"reasoning\",\"id\":\"c\",\"encrypted_content\":\"g\",\"x\":{\"id\":1}}}\n\n\
             data: {\"type\":\"response.output_item.done\",\"output_index\":1,\"item\":{\"id\":\"first\"}}\n\n\
             data: {\"type\":\"response.output_text.delta\",\"item_id\":\"unannounced\",\"output_index\":7}\n\n\
             data: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"output\":[{\"id\":\"d\",\"type\":\"reasoning\"} , {\"id\":\"e\"},{\"no\":1}]}}\n\n";
        let expected = input
            .replace("\"b\"", "\"a\"")
            .replace("\"c\"", "\"a\"")
            .replace("\"d\"", "\"a\"")
            .replace("\"e\"", "\"first\"");
        for split in 0..=input.len() {
            let mut relay = Relay::new(Dialect::Responses, None, false).steady_items();
            let (a, b) = input.as_bytes().split_at(split);
            assert_eq!(relayed(&mut relay, &[a, b]), expected, "at {split}");
        }
    }

    #[test]
    fn whole_answers() {
        let body = Bytes::from_static(br#"{"model":"m","x":{"model":"y"}}"#);
        let relay = Relay::new(Dialect::Messages, Some("a\"b"), false);
        assert_eq!(relay.whole(&body), r#"{"model":"a\"b","x":{"model":"y"}}"#);
    }
    #[test]
    fn an_array_has_the_elements_of_the_upstream_at_every_split() {
        let cases = [
            (
                ": hi\n\ndata: {\"a\" : 1e0}\r\n\r\ndata:{\"b\":\ndata: 2}\n\n",
                "[{\"a\" : 1e0},\r\n{\"b\":\n2}]",
            ),
            ("", "[]"),
            ("data: {}", "[{}]"),
        ];
        for (input, expected) in cases {
            for split in 0..=input.len() {
                let mut relay = Relay::new(Dialect::Gemini, None, false).as_array();
                let (a, b) = input.as_bytes().split_at(split);
                let mut out = relayed(&mut relay, &[a, b]);
                out.push_str(std::str::from_utf8(relay.close()).unwrap());
                assert_eq!(out, expected, "{input:?} at {split}");
            }
        }
        let mut relay = Relay::new(Dialect::Gemini, None, false).as_array();
        let first = relay.push(Bytes::from_static(b"data: {}\n\n"));
        let broken = [&first[..], &relay.element(b"{\"error\":1}"), relay.close()].concat();
        assert_eq!(broken, b"[{},\r\n{\"error\":1}]");
    }
}
