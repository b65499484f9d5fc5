use super::*;
use crate::ir::{
    Blob, BlobSlot, CitationPlace, CustomTool, Failure, Family, Image, Request, Source, Start, StopReason,
    Tool,
};
use byok_types::{Blame, Dialect, FailureKind, ModelFacts};
use serde_json::{Value, json};

fn exchange(include_usage: bool) -> Exchange {
    let mut request = Request::new(Dialect::Chat, "m");
    request.tools = vec![Tool::Custom(CustomTool { name: "patch".into(), ..CustomTool::default() })];
    request.stream_options.include_usage = Some(include_usage);
    let mut exchange = Exchange::new(&request, &ModelFacts::default(), Dialect::Chat, 1, "seed");
    exchange.input_estimate = Some(9);
    exchange
}

fn bytes(events: Vec<Event>, exchange: &Exchange) -> String {
    let mut encoder = StreamEncoder::new(exchange);
    let mut out = Vec::new();
    for event in events {
        encoder.push(event, &mut out);
    }
    String::from_utf8(out).unwrap()
}

fn frames(events: Vec<Event>, exchange: &Exchange) -> Vec<Value> {
    bytes(events, exchange)
        .split("\n\n")
        .filter(|frame| !frame.is_empty())
        .map(|frame| frame.strip_prefix("data: ").unwrap())
        .map(|data| serde_json::from_str(data).unwrap_or_else(|_| json!(data)))
        .collect()
}

/// The deltas of all chunks of the first choice.
fn deltas(events: Vec<Event>) -> Vec<Value> {
    let frames = frames(events, &exchange(false));
    frames.iter().filter_map(|frame| frame["choices"][0].get("delta").cloned()).collect()
}

const P: PartId = PartId(7);

fn opened(head: PartHead) -> Event {
    Event::PartStart { part: P, choice: 0, head }
}

fn piece(delta: Delta) -> Event {
    Event::Delta { part: P, delta }
}

fn closed() -> Event {
    Event::PartStop { part: P, complete: true, whole: None }
}

fn call(name: &str, flavour: Flavour) -> PartHead {
    PartHead::ToolCall {
        call_id: "c".into(),
        item_id: None,
        name: name.into(),
        namespace: None,
        flavour,
        caller: None,
    }
}

fn arguments(text: &str) -> Event {
    piece(Delta::Arguments(text.into()))
}

#[test]
fn the_frames_of_an_answer_with_text() {
    let events = vec![
        Event::Start(Start {
            id: Some("upstream".into()),
            model: Some("upstream".into()),
            created: Some(99),
        }),
        opened(PartHead::Text),
        piece(Delta::Text("hi \u{2028}".into())),
        closed(),
        Event::Finish { choice: 0, stop: Stop::new(StopReason::End) },
        Event::Usage(Usage { input: Some(2), output: Some(3), ..Usage::default() }),
        Event::End,
    ];
    let exchange = exchange(true);
    let id = exchange.ids.clone().next("chatcmpl-");
    let head = format!(
        r#"data: {{"id":"{id}","object":"chat.completion.chunk","created":1,"model":"m","choices":["#
    );
    let chunk = |delta: &str, finish: &str| {
        format!(
            "{head}{{\"index\":0,\"delta\":{delta},\"logprobs\":null,\"finish_reason\":{finish}}}],\"usage\":null}}\n\n"
        )
    };
    let expected = [
        chunk(r#"{"role":"assistant","content":""}"#, "null"),
        chunk(r#"{"content":"hi \u2028"}"#, "null"),
        chunk("{}", r#""stop""#),
        format!(
            "{head}],\"usage\":{}}}\n\n",
            r#"{"prompt_tokens":2,"completion_tokens":3,"total_tokens":5,"prompt_tokens_details":{"cached_tokens":0,"cache_write_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}"#
        ),
        "data: [DONE]\n\n".to_owned(),
    ];
    assert_eq!(bytes(events, &exchange), expected.concat());
}

#[test]
fn who_declares_functions_gets_the_call_of_a_function() {
    let exchange = Exchange { old_functions: true, ..exchange(false) };
    let second = PartId(8);
    let events = vec![
        opened(call("f", Flavour::Function)),
        arguments("{\"a\""),
        arguments(":1}"),
        closed(),
        Event::PartStart { part: second, choice: 0, head: call("g", Flavour::Function) },
        Event::Delta { part: second, delta: Delta::Arguments("{}".into()) },
        Event::PartStop { part: second, complete: true, whole: None },
        Event::Finish { choice: 0, stop: Stop::new(StopReason::ToolCall) },
        Event::End,
    ];
    let mut encoder = StreamEncoder::new(&exchange);
    let mut out = Vec::new();
    events.clone().into_iter().for_each(|event| encoder.push(event, &mut out));
    assert_eq!(encoder.losses().len(), 1, "{:?}", encoder.losses());
    let frames = frames(events, &exchange);
    let choices: Vec<_> = frames.iter().map(|frame| &frame["choices"][0]).collect();
    let deltas: Vec<_> = choices.iter().filter_map(|choice| choice.get("delta")).collect();
    let expected = [
        json!({"role": "assistant", "content": ""}),
        json!({"function_call": {"name": "f", "arguments": "{\"a\""}}),
        json!({"function_call": {"arguments": ":1}"}}),
        json!({}),
    ];
    assert_eq!(deltas, expected.iter().collect::<Vec<_>>());
    assert_eq!(choices[3]["finish_reason"], "function_call");
}

#[test]
fn calls_in_all_forms() {
    let entry = |value: Value| json!({"tool_calls": [value]});
    let blob = |family| Blob { family, account: None, slot: BlobSlot::Call, data: "SIG".into() };
    let gemini = json!({"google": {"thought_signature": "SIG"}});
    let first = |name: &str, arguments: &str| json!({"index": 0, "id": "c", "type": "function", "function": {"name": name, "arguments": arguments}});
    let more = |arguments: &str| json!({"index": 0, "function": {"arguments": arguments}});
    let mut signed = first("f", "");
    signed["extra_content"] = gemini.clone();
    let cases = [
        (
            "two pieces",
            vec![opened(call("f", Flavour::Function)), arguments("{\"a\""), arguments(":1}"), closed()],
            vec![first("f", "{\"a\""), more(":1}")],
        ),
        ("T47: none", vec![opened(call("f", Flavour::Function)), closed()], vec![first("f", "{}")]),
        (
            "signed first",
            vec![
                opened(call("f", Flavour::Function)),
                piece(Delta::Signature(blob(Family::Gemini))),
                arguments("{}"),
                closed(),
            ],
            vec![signed, more("{}")],
        ),
        (
            "signed last",
            vec![
                opened(call("f", Flavour::Function)),
                arguments("{}"),
                piece(Delta::Signature(blob(Family::Gemini))),
                closed(),
            ],
            vec![
                first("f", "{}"),
                json!({"index": 0, "function": {"arguments": ""}, "extra_content": gemini}),
            ],
        ),
        (
            "custom",
            vec![opened(call("patch", Flavour::Custom)), arguments("*** "), arguments("x"), closed()],
            vec![
                json!({"index": 0, "id": "c", "type": "custom", "custom": {"name": "patch", "input": "*** "}}),
                json!({"index": 0, "custom": {"input": "x"}}),
            ],
        ),
        (
            "custom without input",
            vec![opened(call("patch", Flavour::Custom)), closed()],
            vec![json!({"index": 0, "id": "c", "type": "custom", "custom": {"name": "patch", "input": ""}})],
        ),
        (
            "custom that the client never declared",
            vec![opened(call("f", Flavour::Custom)), arguments("a\""), arguments("b"), closed()],
            vec![first("f", "{\"input\":\"a\\\""), more("b"), more("\"}")],
        ),
        (
            "the same without input",
            vec![opened(call("f", Flavour::Custom)), closed()],
            vec![first("f", "{\"input\":\"\"}")],
        ),
    ];
    for (what, events, expected) in cases {
        let mut found = deltas(events);
        found.remove(0);
        let expected: Vec<_> = expected.into_iter().map(entry).collect();
        assert_eq!(found, expected, "{what}");
    }
}

#[test]
fn t9_every_call_has_an_index_of_its_own() {
    let mut events = Vec::new();
    for part in 0..3 {
        let head = call("f", Flavour::Function);
        events.push(Event::PartStart { part: PartId(part), choice: 0, head });
        events.push(Event::Delta { part: PartId(part), delta: Delta::Arguments("{}".into()) });
    }
    let indices: Vec<_> =
        deltas(events).iter().filter_map(|delta| delta["tool_calls"][0]["index"].as_u64()).collect();
    assert_eq!(indices, [0, 1, 2]);
}

#[test]
fn reasoning_is_shown_once_with_a_blank_line_between_paragraphs() {
    let thought = |text: &str, paragraph, raw| piece(Delta::Thinking { text: text.into(), paragraph, raw });
    let found = deltas(vec![
        opened(PartHead::Thinking { id: None, redacted: false }),
        thought("a", 0, false),
        thought("b", 0, false),
        thought("raw", 0, true),
        thought("c", 1, false),
        piece(Delta::Signature(Blob {
            family: Family::Claude,
            account: None,
            slot: BlobSlot::Thinking,
            data: "S".into(),
        })),
        closed(),
    ]);
    let shown: Vec<_> = found.iter().filter_map(|delta| delta["reasoning_content"].as_str()).collect();
    assert_eq!(shown, ["a", "b", "\n\nc"]);
    assert_eq!(found.len(), 4);
}

#[test]
fn citations_come_when_the_text_ends_and_count_from_the_beginning_of_the_message() {
    let cite = |start, end| {
        piece(Delta::Citation(Box::new(Citation {
            place: CitationPlace::Web { url: "https://x".into(), encrypted_index: None },
            start: Some(start),
            end: Some(end),
            ..Citation::default()
        })))
    };
    let found = deltas(vec![
        opened(PartHead::Text),
        piece(Delta::Text("äö".into())),
        closed(),
        opened(PartHead::Text),
        cite(0, 2),
        piece(Delta::Text("bc".into())),
        piece(Delta::Citation(Box::default())),
        closed(),
    ]);
    assert_eq!(
        found.last().unwrap(),
        &json!({"annotations": [{"type": "url_citation", "url_citation": {"url": "https://x", "title": "", "start_index": 2, "end_index": 4}}]})
    );
}

#[test]
fn images_are_shown_and_what_chat_cannot_say_is_noted() {
    let image = Part::Image(Image {
        source: Source::Base64 { media_type: "image/png".into(), data: "AAAA".into() },
        detail: None,
        cache: None,
        extra: crate::ir::Extra::default(),
    });
    let found = deltas(vec![opened(PartHead::Whole(Box::new(image))), closed()]);
    assert_eq!(found[1]["images"][0]["image_url"]["url"], "data:image/png;base64,AAAA");

    let mut encoder = StreamEncoder::new(&exchange(false));
    let unknown = Part::ContainerUpload(crate::ir::ContainerUpload {
        file_id: "f".into(),
        extra: crate::ir::Extra::default(),
    });
    encoder.push(opened(PartHead::Whole(Box::new(unknown))), &mut Vec::new());
    assert_eq!(encoder.losses().len(), 1);
}

#[test]
fn t16_t17_a_failure_is_the_last_frame() {
    let failure = Failure::new(FailureKind::UpstreamTruncated, Blame::Upstream, "cut");
    let found = frames(
        vec![
            Event::Start(Start::default()),
            Event::Failure(failure),
            Event::Finish { choice: 0, stop: Stop::default() },
            Event::End,
        ],
        &exchange(true),
    );
    assert_eq!(found.len(), 2);
    assert_eq!(found[1]["error"]["type"], "server_error");
    assert_eq!(found[1]["error"]["message"], "cut");
}

#[test]
fn a_client_that_asked_for_usage_gets_the_chunk_even_if_nobody_counted() {
    let found = frames(vec![Event::Start(Start::default()), Event::End], &exchange(true));
    assert_eq!(found[found.len() - 2]["usage"]["prompt_tokens"], 9);
    let found = frames(vec![Event::Start(Start::default()), Event::End], &exchange(false));
    assert!(found.iter().all(|frame| frame.get("usage").is_none()));
    assert_eq!(found.last().unwrap(), "[DONE]");
}
