use super::*;
use crate::{
    gemini::encode_answer,
    ir::{
        Citation, CitationPlace, Failure, Flavour, Fold, Request, SearchHit, ServerCall, ServerResult,
        ServerTool, Start, Stop, StopReason,
    },
};
use byok_types::{Blame, FailureKind, ModelFacts};
use serde_json::{Value, json};

fn exchange(upstream: Dialect) -> Exchange {
    Exchange::new(&Request::new(Dialect::Gemini, "m"), &ModelFacts::default(), upstream, 1, "seed")
}

fn encode(exchange: &Exchange, events: Vec<Event>) -> String {
    let mut encoder = StreamEncoder::new(exchange);
    let mut out = Vec::new();
    for event in events {
        encoder.push(event, &mut out);
    }
    String::from_utf8(out).unwrap()
}

/// The chunks for an answer of an upstream of another dialect, without the members that all of them share.
fn chunks(events: Vec<Event>) -> Vec<Value> {
    read(&encode(&exchange(Dialect::Messages), events))
}

fn read(text: &str) -> Vec<Value> {
    let frames = text.split("\r\n\r\n").filter(|frame| !frame.is_empty());
    frames
        .map(|frame| {
            let mut chunk: Value = serde_json::from_str(frame.strip_prefix("data: ").unwrap()).unwrap();
            let fields = chunk.as_object_mut().unwrap();
            if fields.remove("modelVersion").is_some() {
                assert!(fields.remove("responseId").is_some());
            }
            chunk
        })
        .collect()
}

fn open(part: u32, head: PartHead) -> Event {
    Event::PartStart { part: PartId(part), choice: 0, head }
}

fn call(part: u32, id: &str, name: &str) -> Event {
    let head = PartHead::ToolCall {
        call_id: id.into(),
        item_id: None,
        name: name.into(),
        namespace: None,
        flavour: Flavour::Function,
        caller: None,
    };
    open(part, head)
}

fn add(part: u32, delta: Delta) -> Event {
    Event::Delta { part: PartId(part), delta }
}

fn text(part: u32, text: &str) -> Event {
    add(part, Delta::Text(text.into()))
}

fn thought(part: u32, text: &str) -> Event {
    add(part, Delta::Thinking { text: text.into(), paragraph: 0, raw: false })
}

fn arguments(part: u32, text: &str) -> Event {
    add(part, Delta::Arguments(text.into()))
}

fn close(part: u32) -> Event {
    Event::PartStop { part: PartId(part), complete: true, whole: None }
}

fn finish(reason: StopReason) -> Event {
    Event::Finish { choice: 0, stop: Stop::new(reason) }
}

const THINKING: PartHead = PartHead::Thinking { id: None, redacted: false };

fn claude(data: &str) -> Blob {
    Blob { family: Family::Claude, account: None, slot: BlobSlot::Thinking, data: data.into() }
}

fn part(part: &Value) -> Value {
    json!({"candidates": [{"content": {"role": "model", "parts": [part]}, "index": 0}]})
}

fn parts_of(chunks: &[Value]) -> Vec<Value> {
    chunks.iter().map(|chunk| chunk["candidates"][0]["content"]["parts"][0].clone()).collect()
}

/// Summary and raw reasoning of one item say the same.
#[test]
fn reasoning_is_shown_once() {
    let piece = |text: &str, paragraph, raw| add(0, Delta::Thinking { text: text.into(), paragraph, raw });
    for (pieces, expected) in [
        (vec![piece("a", 0, false), piece("b", 1, false), piece("raw", 0, true)], "a|\n\nb"),
        (vec![piece("r", 0, true), piece("s", 0, true), piece("summary", 0, false)], "r|s"),
    ] {
        let mut events = vec![Event::Start(Start::default()), open(0, THINKING)];
        events.extend(pieces);
        events.extend([close(0), finish(StopReason::End), Event::End]);
        let parts = parts_of(&chunks(events));
        let said: Vec<_> = parts.iter().filter_map(|part| part["text"].as_str()).collect();
        assert_eq!(said.join("|").trim_end_matches('|'), expected);
    }
}

#[test]
fn the_answer_of_the_format_sheet() {
    let usage = Usage {
        input: Some(120),
        cache_read: Some(100),
        output: Some(40),
        reasoning: Some(10),
        ..Usage::default()
    };
    let out = chunks(vec![
        Event::Start(Start::default()),
        open(0, THINKING),
        thought(0, "Look it up."),
        add(0, Delta::Signature(claude("SIG"))),
        close(0),
        open(1, PartHead::Text),
        text(1, "Checking."),
        close(1),
        call(2, "call_a", "get_weather"),
        arguments(2, "{\"city\":"),
        arguments(2, "\"Oslo\"}"),
        close(2),
        call(3, "call_b", "get_time"),
        arguments(3, "{\"tz\":\"CET\"}"),
        close(3),
        Event::Usage(usage),
        finish(StopReason::ToolCall),
        Event::Ping,
        Event::End,
    ]);
    let carrier = carrier::wrap_base64(&claude("SIG"));
    let mut last = part(&json!({"text": ""}));
    last["candidates"][0]["finishReason"] = "STOP".into();
    last["usageMetadata"] = json!({
        "promptTokenCount": 120, "candidatesTokenCount": 30, "totalTokenCount": 160, "cachedContentTokenCount": 100,
        "thoughtsTokenCount": 10,
    });
    assert_eq!(
        out,
        [
            part(&json!({"text": "Look it up.", "thought": true})),
            part(&json!({"text": "Checking."})),
            part(
                &json!({"functionCall": {"id": "call_a", "name": "get_weather", "args": {"city": "Oslo"}}, "thoughtSignature": carrier})
            ),
            part(&json!({"functionCall": {"id": "call_b", "name": "get_time", "args": {"tz": "CET"}}})),
            last,
        ]
    );
}

#[test]
fn frames_are_lines_that_every_client_can_read() {
    let events = || {
        vec![open(0, PartHead::Text), text(0, "a\u{2028}\nb"), close(0), finish(StopReason::End), Event::End]
    };
    let stream = encode(&exchange(Dialect::Chat), events());
    assert!(stream.starts_with("data: {\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"a\\u2028\\nb\"}]},\"index\":0}],\"modelVersion\":\"m\",\"responseId\":\""));
    assert!(stream.ends_with("}\r\n\r\n") && !stream.contains("[DONE]"));
    let array = Exchange { json_array: true, ..exchange(Dialect::Chat) };
    let text = encode(&array, events());
    let list: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert!(text.starts_with("[{") && text.contains("},\r\n{") && text.ends_with("}]"));
    assert_eq!(list.len(), 2);
}

#[test]
fn sealed_reasoning_travels_on_a_call_or_at_the_end() {
    let carried = |data: &str| carrier::wrap_base64(&claude(data));
    let think = |part: u32, data: &str| {
        vec![open(part, THINKING), add(part, Delta::Signature(claude(data))), close(part)]
    };
    let mut alone = think(0, "A");
    alone.extend([open(1, PartHead::Text), text(1, "x"), close(1), Event::End]);
    assert_eq!(
        parts_of(&chunks(alone)),
        [json!({"text": "x"}), json!({"text": "", "thoughtSignature": carried("A")})]
    );
    let mut twice = think(0, "A");
    twice.extend(think(1, "B"));
    twice.extend([call(2, "c", "f"), close(2), Event::End]);
    assert_eq!(
        parts_of(&chunks(twice)),
        [
            json!({"text": "", "thoughtSignature": carried("A")}),
            json!({"functionCall": {"id": "c", "name": "f", "args": {}}, "thoughtSignature": carried("B")}),
            json!({"text": ""}),
        ]
    );
    // Gemini's own signatures stay where they were.
    let own = |slot| Blob { family: Family::Gemini, account: None, slot, data: "SSSS".into() };
    let events = vec![
        open(0, PartHead::Text),
        text(0, "x"),
        add(0, Delta::Signature(own(BlobSlot::Text))),
        close(0),
        call(1, "c", "f"),
        add(1, Delta::Signature(own(BlobSlot::Call))),
        close(1),
        Event::End,
    ];
    assert_eq!(
        parts_of(&chunks(events)),
        [
            json!({"text": "x"}),
            json!({"text": "", "thoughtSignature": "SSSS"}),
            json!({"functionCall": {"id": "c", "name": "f", "args": {}}, "thoughtSignature": "SSSS"}),
            json!({"text": ""}),
        ]
    );
}

#[test]
fn calls_go_out_in_the_order_in_which_they_begin() {
    let end = |part, complete| Event::PartStop { part: PartId(part), complete, whole: None };
    let names = |events: Vec<Event>| -> Vec<String> {
        let events = events.into_iter().chain([Event::End]).collect();
        let parts =
            chunks(events).into_iter().map(|mut chunk| chunk["candidates"][0]["content"]["parts"].take());
        let calls = parts.filter_map(|mut parts| match parts[0]["functionCall"]["name"].take() {
            Value::String(name) => Some(name),
            _ => None,
        });
        calls.collect()
    };
    let three = || vec![call(0, "a", "f"), call(1, "b", "g"), call(2, "c", "h")];
    for (ends, expected) in [
        (vec![end(0, true), end(1, true), end(2, true)], vec!["f", "g", "h"]),
        (vec![end(2, true), end(1, true), end(0, true)], vec!["f", "g", "h"]),
        (vec![end(1, true), end(0, true), end(2, true)], vec!["f", "g", "h"]),
        // One that was cut off does not hold up the others.
        (vec![end(2, true), end(0, false), end(1, true)], vec!["g", "h"]),
        (vec![end(1, true), end(2, true), end(0, false)], vec!["g", "h"]),
    ] {
        assert_eq!(names(three().into_iter().chain(ends).collect()), expected);
    }
}

#[test]
fn arguments_are_objects_or_the_call_is_malformed() {
    let reason = |pieces: &[&str], flavour: Flavour, complete: bool, reason: StopReason| {
        let head = PartHead::ToolCall {
            call_id: "c".into(),
            item_id: None,
            name: "f".into(),
            namespace: None,
            flavour,
            caller: None,
        };
        let mut events = vec![open(0, head)];
        events.extend(pieces.iter().map(|piece| arguments(0, piece)));
        events.push(Event::PartStop { part: PartId(0), complete, whole: None });
        events.extend([finish(reason), Event::End]);
        let out = chunks(events);
        let args = out[0]["candidates"][0]["content"]["parts"][0]["functionCall"]["args"].clone();
        let word = out.last().unwrap()["candidates"][0]["finishReason"].clone();
        (args, word.as_str().unwrap().to_owned())
    };
    let function = Flavour::Function;
    for (pieces, flavour, complete, stop, args, word) in [
        (vec!["{}"], function, true, StopReason::ToolCall, json!({}), "STOP"),
        (vec![], function, true, StopReason::ToolCall, json!({}), "STOP"),
        (vec!["[1]"], function, true, StopReason::ToolCall, json!({"value": [1]}), "STOP"),
        (vec!["{\"a\":", " 1\n}"], function, true, StopReason::ToolCall, json!({"a": 1}), "STOP"),
        (vec!["free"], Flavour::Custom, true, StopReason::ToolCall, json!({"input": "free"}), "STOP"),
        (vec!["{\"a\":"], function, true, StopReason::ToolCall, Value::Null, "MALFORMED_FUNCTION_CALL"),
        (vec!["{\"a\":"], function, false, StopReason::Length, Value::Null, "MAX_TOKENS"),
        // An upstream that cut a call off and says no reason: the client must hear of it.
        (vec!["{\"a\":"], function, false, StopReason::ToolCall, Value::Null, "MALFORMED_FUNCTION_CALL"),
        (vec!["{\"a\":"], function, false, StopReason::End, Value::Null, "MALFORMED_FUNCTION_CALL"),
    ] {
        assert_eq!(reason(&pieces, flavour, complete, stop), (args, word.to_owned()), "{pieces:?}");
    }
}

#[test]
fn finish_reasons_are_googles() {
    let word = |upstream, reason, word: Option<&str>| {
        let stop = Stop { word: word.map(str::to_owned), ..Stop::new(reason) };
        let out = read(&encode(&exchange(upstream), vec![Event::Finish { choice: 0, stop }, Event::End]));
        out[0]["candidates"][0]["finishReason"].as_str().unwrap().to_owned()
    };
    for (reason, expected) in [
        (StopReason::End, "STOP"),
        (StopReason::StopSequence, "STOP"),
        (StopReason::ToolCall, "STOP"),
        (StopReason::Pause, "STOP"),
        (StopReason::Length, "MAX_TOKENS"),
        (StopReason::ContextFull, "MAX_TOKENS"),
        (StopReason::ContentFilter, "SAFETY"),
        (StopReason::Refusal, "SAFETY"),
        (StopReason::MalformedCall, "MALFORMED_FUNCTION_CALL"),
        (StopReason::Cancelled, "OTHER"),
    ] {
        assert_eq!(word(Dialect::Responses, reason, Some("content_filter")), expected, "{reason:?}");
    }
    assert_eq!(word(Dialect::Gemini, StopReason::ContentFilter, Some("RECITATION")), "RECITATION");
    assert_eq!(word(Dialect::Gemini, StopReason::Pause, Some("CONTINUATION")), "STOP");
    assert_eq!(chunks(vec![Event::End])[0]["candidates"][0]["finishReason"], "STOP");
}

#[test]
fn t16_t25_a_failure_is_the_last_word() {
    let failure = || {
        Failure::new(FailureKind::RateLimit, Blame::Upstream, "slow down")
            .with_retry_after(std::time::Duration::from_secs(3))
    };
    let events = || {
        let mut events = vec![open(0, PartHead::Text), text(0, "x"), close(0), Event::Failure(failure())];
        events.extend([text(0, "y"), finish(StopReason::End), Event::End]);
        events
    };
    let out = chunks(events());
    assert_eq!(out.len(), 2);
    let error = &out[1]["error"];
    assert_eq!((&error["code"], &error["status"]), (&json!(429), &json!("RESOURCE_EXHAUSTED")));
    assert_eq!(error["details"][1]["retryDelay"], "3s");
    assert_eq!(chunks(vec![Event::Failure(failure()), Event::End]).len(), 1);
    let array = Exchange { json_array: true, ..exchange(Dialect::Chat) };
    let list: Vec<Value> = serde_json::from_str(&encode(&array, events())).unwrap();
    assert_eq!(list[1]["error"]["code"], 429);
    let alone: Vec<Value> =
        serde_json::from_str(&encode(&array, vec![Event::Failure(failure()), Event::End])).unwrap();
    assert_eq!(alone.len(), 1);
}

#[test]
fn sources_become_grounding_in_bytes() {
    let citation = |start: Option<u64>, end: Option<u64>, place: CitationPlace| {
        let title = Some("T".to_owned());
        add(1, Delta::Citation(Box::new(Citation { place, title, start, end, ..Citation::default() })))
    };
    let web = |url: &str| CitationPlace::Web { url: url.into(), encrypted_index: None };
    let search = ServerCall {
        id: "s".into(),
        tool: ServerTool::WebSearch,
        name: "web_search".into(),
        input: Json::parse(r#"{"query":"q"}"#).unwrap(),
        status: None,
        verbatim: None,
    };
    let found = ServerResult {
        call_id: "s".into(),
        tool: ServerTool::WebSearch,
        hits: vec![SearchHit {
            url: "https://c.org".into(),
            title: Some("C".into()),
            ..SearchHit::default()
        }],
        output: None,
        error_code: None,
        verbatim: None,
    };
    let mut encoder = StreamEncoder::new(&exchange(Dialect::Messages));
    let mut out = Vec::new();
    for event in [
        open(7, PartHead::Whole(Box::new(Part::ServerCall(search)))),
        close(7),
        open(8, PartHead::Whole(Box::new(Part::ServerResult(found)))),
        close(8),
        open(0, PartHead::Text),
        text(0, "Öl: "),
        close(0),
        open(1, PartHead::Text),
        text(1, "größer."),
        citation(Some(0), Some(3), web("https://a.org")),
        citation(None, None, web("https://b.org")),
        citation(None, None, CitationPlace::Other),
        close(1),
        Event::End,
    ] {
        encoder.push(event, &mut out);
    }
    let out = read(std::str::from_utf8(&out).unwrap());
    assert_eq!(
        out.last().unwrap()["candidates"][0]["groundingMetadata"],
        json!({
            "webSearchQueries": ["q"],
            "groundingChunks": [
                {"web": {"uri": "https://c.org", "title": "C"}},
                {"web": {"uri": "https://a.org", "title": "T"}},
                {"web": {"uri": "https://b.org", "title": "T"}},
            ],
            "groundingSupports": [
                {"segment": {"startIndex": 5, "endIndex": 9, "text": "grö"}, "groundingChunkIndices": [1]},
                {"segment": {"startIndex": 5, "endIndex": 14, "text": "größer."}, "groundingChunkIndices": [2]},
            ],
        })
    );
    assert!(encoder.losses().iter().any(|loss| loss.field == "citations"));
}

#[test]
fn usage_is_whole_and_estimated_until_it_is_known() {
    let estimated = Exchange { input_estimate: Some(50), ..exchange(Dialect::Chat) };
    let usage =
        |events: Vec<Event>| read(&encode(&estimated, events)).pop().unwrap()["usageMetadata"].clone();
    assert_eq!(
        usage(vec![Event::End]),
        json!({"promptTokenCount": 50, "candidatesTokenCount": 0, "totalTokenCount": 50})
    );
    let known = Usage { input: Some(7), output: Some(2), tool_input: Some(3), ..Usage::default() };
    assert_eq!(
        usage(vec![Event::Usage(known), Event::End]),
        json!({"promptTokenCount": 7, "candidatesTokenCount": 2, "totalTokenCount": 12, "toolUsePromptTokenCount": 3})
    );
}

#[test]
fn paragraphs_of_a_summary_are_kept_apart() {
    let paragraph = |number: u32, words: &str| {
        add(0, Delta::Thinking { text: words.into(), paragraph: number, raw: false })
    };
    let out = chunks(vec![
        open(0, THINKING),
        paragraph(0, "a"),
        paragraph(0, "b"),
        paragraph(1, "c"),
        close(0),
        Event::End,
    ]);
    let texts: Vec<_> = parts_of(&out).iter().map(|p| p["text"].as_str().unwrap().to_owned()).collect();
    assert_eq!(texts, ["a", "b", "\n\nc", ""]);
}

#[test]
fn t121_the_client_sees_the_name_that_it_used() {
    let request = Request::new(Dialect::Gemini, "models/my-alias");
    let exchange = Exchange::new(&request, &ModelFacts::default(), Dialect::Chat, 1, "seed");
    let start = Start { id: Some("chatcmpl-1".into()), model: Some("gpt-x".into()), created: None };
    let out = encode(&exchange, vec![Event::Start(start), Event::End]);
    assert!(
        out.contains("\"modelVersion\":\"my-alias\"") && !out.contains("gpt-x") && !out.contains("chatcmpl")
    );
}

#[test]
fn whole_answers_hold_all_parts_in_one_content() {
    let mut fold = Fold::default();
    for event in [
        open(0, THINKING),
        thought(0, "t"),
        add(0, Delta::Signature(claude("S"))),
        close(0),
        open(1, PartHead::Text),
        text(1, "a"),
        close(1),
        open(2, PartHead::Refusal),
        add(2, Delta::Refusal("no".into())),
        close(2),
        finish(StopReason::Refusal),
    ] {
        fold.push(event);
    }
    let response = fold.finish().unwrap();
    let out: Value =
        serde_json::from_slice(&encode_answer(&response, &exchange(Dialect::Messages)).value).unwrap();
    let candidate = &out["candidates"][0];
    assert_eq!(
        candidate["content"],
        json!({"role": "model", "parts": [
            {"text": "t", "thought": true}, {"text": "a"}, {"text": "no"},
            {"text": "", "thoughtSignature": carrier::wrap_base64(&claude("S"))},
        ]})
    );
    assert_eq!((&candidate["finishReason"], &candidate["index"]), (&json!("SAFETY"), &json!(0)));
    assert!(out["usageMetadata"].is_object() && out["responseId"].is_string());
}

#[test]
fn a_prompt_that_gemini_refused_has_no_candidates() {
    let blocked =
        json!({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 3}});
    let mut fold = Fold::default();
    for event in crate::gemini::decode_answer(blocked.to_string().as_bytes()).unwrap() {
        fold.push(event);
    }
    let response = fold.finish().unwrap();
    let of = |upstream| {
        let bytes = encode_answer(&response, &exchange(upstream)).value;
        serde_json::from_slice::<Value>(&bytes).unwrap()
    };
    assert_eq!(of(Dialect::Gemini)["promptFeedback"], blocked["promptFeedback"]);
    assert!(of(Dialect::Gemini).get("candidates").is_none());
}

#[test]
fn the_account_is_written_into_carriers() {
    let bound = Exchange { account: Some("a1".into()), ..exchange(Dialect::Responses) };
    let events = vec![open(0, THINKING), add(0, Delta::Signature(claude("S"))), close(0), Event::End];
    let out = read(&encode(&bound, events));
    let signature = parts_of(&out)[0]["thoughtSignature"].as_str().unwrap().to_owned();
    assert_eq!(carrier::unwrap_base64(&signature).unwrap().account.as_deref(), Some("a1"));
}
