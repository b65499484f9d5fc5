//! Answers of other dialects as blocks of this one.

use super::{streams::exchange, *};
use crate::{
    Exchange,
    ir::{
        Blob, BlobSlot, Citation, CitationPlace, Delta, Event, Extra, Flavour, Image, PartHead, PartId,
        Source, Stop, StopReason,
    },
};
use byok_types::{Blame, Failure, FailureKind};

/// Frames in one line each: `0+text 0:Checking. 0-`, then the reason of the end.
pub(super) fn frames(events: Vec<Event>, exchange: &Exchange) -> String {
    let mut encoder = StreamEncoder::new(exchange);
    let mut out = Vec::new();
    for event in events {
        encoder.push(event, &mut out);
    }
    let text = String::from_utf8(out).unwrap();
    let frames = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let words = frames.map(|frame| {
        let frame: Value = serde_json::from_str(frame).unwrap();
        let index = &frame["index"];
        let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
        match frame["type"].as_str().unwrap() {
            "content_block_start" => format!("{index}+{}", text(&frame["content_block"]["type"])),
            "content_block_delta" => {
                let delta = &frame["delta"];
                let names = ["text", "thinking", "partial_json", "signature"];
                let piece = names.iter().find_map(|name| delta[*name].as_str());
                format!("{index}:{}", piece.unwrap_or("citation"))
            }
            "content_block_stop" => format!("{index}-"),
            "message_start" => "start".to_owned(),
            "message_delta" => text(&frame["delta"]["stop_reason"]),
            "message_stop" => "stop".to_owned(),
            "error" => format!("error:{}", text(&frame["error"]["type"])),
            other => other.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Events in short: parts by number.
struct Script(Vec<Event>);

impl Script {
    fn new() -> Self {
        Self(Vec::new())
    }

    fn start(mut self, part: u32, head: PartHead) -> Self {
        self.0.push(Event::PartStart { part: PartId(part), choice: 0, head });
        self
    }

    fn call(self, part: u32) -> Self {
        self.flavoured(part, Flavour::Function)
    }

    fn flavoured(self, part: u32, flavour: Flavour) -> Self {
        let call_id = format!("call_{part}");
        self.start(
            part,
            PartHead::ToolCall {
                call_id,
                item_id: None,
                name: "f".into(),
                namespace: None,
                flavour,
                caller: None,
            },
        )
    }

    fn thinking(self, part: u32) -> Self {
        self.start(part, PartHead::Thinking { id: None, redacted: false })
    }

    fn delta(mut self, part: u32, delta: Delta) -> Self {
        self.0.push(Event::Delta { part: PartId(part), delta });
        self
    }

    fn text(self, part: u32, text: &str) -> Self {
        self.delta(part, Delta::Text(text.into()))
    }

    fn thought(self, part: u32, text: &str, paragraph: u32) -> Self {
        self.delta(part, Delta::Thinking { text: text.into(), paragraph, raw: false })
    }

    fn arguments(self, part: u32, text: &str) -> Self {
        self.delta(part, Delta::Arguments(text.into()))
    }

    fn signature(self, part: u32, family: Family) -> Self {
        let blob = Blob { family, account: None, slot: BlobSlot::Thinking, data: "AB".into() };
        self.delta(part, Delta::Signature(blob))
    }

    fn stop(mut self, part: u32) -> Self {
        self.0.push(Event::PartStop { part: PartId(part), complete: true, whole: None });
        self
    }

    fn end(mut self, reason: StopReason) -> Vec<Event> {
        self.0.push(Event::Finish { choice: 0, stop: Stop::new(reason) });
        self.0.push(Event::End);
        self.0
    }

    fn fails(mut self) -> Vec<Event> {
        self.0.push(Event::Failure(Failure::new(FailureKind::UpstreamTruncated, Blame::Upstream, "cut")));
        self.0.push(Event::End);
        self.0
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table of cases")]
fn other_dialects_answers_become_blocks() {
    use StopReason::{ContentFilter, End, Length, ToolCall};
    let text = || PartHead::Text;
    let gemini = exchange(Dialect::Gemini, Family::Gemini);
    let openai = exchange(Dialect::Responses, Family::Openai);
    let chat = exchange(Dialect::Chat, Family::Other);
    let image = Part::Image(Image {
        source: Source::FileId("f".into()),
        detail: None,
        cache: None,
        extra: Extra::default(),
    });
    let carrier = "byok1:openai::QUI";
    let of_text = crate::carrier::wrap(&Blob {
        family: Family::Gemini,
        account: None,
        slot: BlobSlot::Text,
        data: "AB".into(),
    });
    let cases = [
        (
            "t3 text between calls is a block of its own",
            &chat,
            Script::new().call(0).arguments(0, "{}").stop(0).start(1, text()).text(1, "x").stop(1).call(2).stop(2).end(ToolCall),
            "start 0+tool_use 0:{} 0- 1+text 1:x 1- 2+tool_use 2:{} 2- tool_use stop".to_owned(),
        ),
        (
            "t4 the first delta decides the first block",
            &chat,
            Script::new().start(0, text()).thinking(1).thought(1, "t", 0).text(0, "x").stop(1).stop(0).end(End),
            "start 0+thinking 0:t 0- 1+text 1:x 1- end_turn stop".to_owned(),
        ),
        (
            "calls that run side by side follow each other",
            &chat,
            Script::new().call(0).call(1).arguments(0, "{").arguments(1, "{\"b\":1}").arguments(0, "}").stop(1).stop(0).end(End),
            "start 0+tool_use 0:{ 0:} 0- 1+tool_use 1:{\"b\":1} 1- tool_use stop".to_owned(),
        ),
        (
            "text that goes on after a call gets a new block",
            &chat,
            Script::new().start(0, text()).text(0, "a").call(1).text(0, "b").stop(1).text(0, "c").stop(0).end(End),
            "start 0+text 0:a 0- 1+tool_use 1:{} 1- 2+text 2:b 2:c 2- tool_use stop".to_owned(),
        ),
        (
            "t67 one block for one item, paragraphs parted by a blank line; t68 the signature last",
            &openai,
            Script::new().thinking(0).thought(0, "a", 0).signature(0, Family::Openai).thought(0, "b", 1).thought(0, "c", 1).stop(0).end(End),
            format!("start 0+thinking 0:a 0:\n\n 0:b 0:c 0:{carrier} 0- end_turn stop"),
        ),
        (
            "an item with nothing but its blob",
            &openai,
            Script::new().thinking(0).signature(0, Family::Openai).stop(0).start(1, text()).text(1, "x").stop(1).end(End),
            format!("start 0+thinking 0:{carrier} 0- 1+text 1:x 1- end_turn stop"),
        ),
        (
            "a text behind a call that is nothing but a signature",
            &gemini,
            Script::new().call(0).arguments(0, "{}").stop(0).start(1, text()).signature(1, Family::Gemini).stop(1).end(End),
            format!("start 0+tool_use 0:{{}} 0- 1+thinking 1:{of_text} 1- tool_use stop"),
        ),
        (
            "t69 no signature, none written",
            &chat,
            Script::new().thinking(0).thought(0, "a", 0).stop(0).end(End),
            "start 0+thinking 0:a 0- end_turn stop".to_owned(),
        ),
        (
            "hidden reasoning",
            &openai,
            Script::new().start(0, PartHead::Thinking { id: None, redacted: true }).signature(0, Family::Claude).stop(0).end(End),
            "start 0+redacted_thinking 0- end_turn stop".to_owned(),
        ),
        (
            "t5 t64 the signature of a call stands in an empty thinking block before it",
            &gemini,
            Script::new().call(0).arguments(0, "{\"c\":1}").signature(0, Family::Gemini).stop(0).call(1).arguments(1, "{}").stop(1).end(End),
            "start 0+thinking 0:byok1:gemini.call::QUI 0- 1+tool_use 1:{\"c\":1} 1- 2+tool_use 2:{} 2- tool_use stop".to_owned(),
        ),
        (
            "the signature of text follows it",
            &gemini,
            Script::new().start(0, text()).text(0, "x").signature(0, Family::Gemini).stop(0).end(End),
            "start 0+text 0:x 0- 1+thinking 1:byok1:gemini.text::QUI 1- end_turn stop".to_owned(),
        ),
        (
            "free text is the argument of a call",
            &chat,
            Script::new().flavoured(0, Flavour::Custom).arguments(0, "a\"").arguments(0, "\n").stop(0).end(ToolCall),
            "start 0+tool_use 0:{\"input\":\" 0:a\\\" 0:\\n 0:\"} 0- tool_use stop".to_owned(),
        ),
        (
            "t31 an answer without content has an empty block",
            &chat,
            Script::new().end(End),
            "start 0+text 0- end_turn stop".to_owned(),
        ),
        (
            "t44 a call that was made is waited for",
            &chat,
            Script::new().call(0).stop(0).end(End),
            "start 0+tool_use 0:{} 0- tool_use stop".to_owned(),
        ),
        (
            "t45 without a call nothing is waited for",
            &chat,
            Script::new().start(0, text()).text(0, "x").stop(0).end(ToolCall),
            "start 0+text 0:x 0- end_turn stop".to_owned(),
        ),
        (
            "t43 a call that was cut off keeps its reason",
            &chat,
            Script::new().call(0).arguments(0, "{\"a").stop(0).end(Length),
            "start 0+tool_use 0:{\"a 0- max_tokens stop".to_owned(),
        ),
        (
            "a refusal",
            &openai,
            Script::new().start(0, PartHead::Refusal).delta(0, Delta::Refusal("no".into())).stop(0).end(End),
            "start 0+text 0:no 0- refusal stop".to_owned(),
        ),
        ("filtered", &gemini, Script::new().end(ContentFilter), "start 0+text 0- refusal stop".to_owned()),
        (
            "a picture is a note",
            &gemini,
            Script::new().start(0, PartHead::Whole(Box::new(image))).stop(0).end(End),
            "start 0+text 0:[The model made an image, which this API cannot carry.] 0- end_turn stop".to_owned(),
        ),
        (
            "t15 t16 an answer that breaks off ends in an error",
            &chat,
            Script::new().start(0, text()).text(0, "x").fails(),
            "start 0+text 0:x 0- error:api_error".to_owned(),
        ),
        ("an answer that never began", &chat, Script::new().start(0, text()).fails(), "error:api_error".to_owned()),
        (
            "a citation needs its text",
            &openai,
            Script::new()
                .start(0, text())
                .delta(0, Delta::Citation(Box::new(Citation {
                    place: CitationPlace::Web { url: "u".into(), encrypted_index: None },
                    ..Citation::default()
                })))
                .text(0, "x")
                .stop(0)
                .end(End),
            "start 0+text 0:citation 0:x 0- end_turn stop".to_owned(),
        ),
    ];
    for (name, exchange, events, expected) in cases {
        assert_eq!(frames(events, exchange), expected, "{name}");
    }
}
