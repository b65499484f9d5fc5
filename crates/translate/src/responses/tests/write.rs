//! Answers as clients get them.

use super::*;
use crate::{
    Exchange, Json, carrier,
    ir::{
        Blob, BlobSlot, Citation, CitationPlace, Delta, Flavour, Part, PartHead, PartId, ServerCall,
        ServerResult, ServerTool, Start, Stop, StopReason, Text, Thinking, ToolCall, Usage,
    },
};
use byok_types::{Blame, Dialect, FailureKind};
use serde_json::json;

fn exchange(request: &Request, upstream: Dialect) -> Exchange {
    Exchange::new(request, &facts(), upstream, 1, "seed")
}

fn client() -> Request {
    decode(&request::agent_request())
}

/// The frames that the encoder writes for events.
fn write(events: &[Event], upstream: Dialect) -> Vec<Value> {
    let mut encoder = responses::StreamEncoder::new(&exchange(&client(), upstream));
    let mut out = Vec::new();
    for event in events {
        encoder.push(event.clone(), &mut out);
    }
    let text = String::from_utf8(out).unwrap();
    text.split("\n\n")
        .filter(|frame| !frame.is_empty())
        .map(|frame| serde_json::from_str(frame.split_once("\ndata: ").unwrap().1).unwrap())
        .collect()
}

fn kinds(frames: &[Value]) -> Vec<&str> {
    frames.iter().map(|f| f["type"].as_str().unwrap().trim_start_matches("response.")).collect()
}

fn part_start(part: u32, head: PartHead) -> Event {
    Event::PartStart { part: PartId(part), choice: 0, head }
}

fn delta(part: u32, delta: Delta) -> Event {
    Event::Delta { part: PartId(part), delta }
}

fn part_stop(part: u32) -> Event {
    Event::PartStop { part: PartId(part), complete: true, whole: None }
}

fn call_head(id: &str, flavour: Flavour) -> PartHead {
    PartHead::ToolCall {
        call_id: id.into(),
        item_id: None,
        name: "f".into(),
        namespace: None,
        flavour,
        caller: None,
    }
}

fn finish(reason: StopReason) -> Event {
    Event::Finish { choice: 0, stop: Stop::new(reason) }
}

fn blob(family: Family, slot: BlobSlot) -> Blob {
    Blob { family, account: None, slot, data: "sig".into() }
}

#[test]
fn t2_calls_that_interleave_are_written_one_after_the_other() {
    let frames = write(
        &[
            Event::Start(Start::default()),
            part_start(0, call_head("a", Flavour::Function)),
            part_start(1, call_head("b", Flavour::Custom)),
            delta(1, Delta::Arguments("raw".into())),
            delta(0, Delta::Arguments("{}".into())),
            part_stop(1),
            part_stop(0),
            finish(StopReason::ToolCall),
            Event::End,
        ],
        Dialect::Chat,
    );
    assert_eq!(
        kinds(&frames),
        [
            "created",
            "in_progress",
            "output_item.added",
            "function_call_arguments.delta",
            "function_call_arguments.done",
            "output_item.done",
            "output_item.added",
            "custom_tool_call_input.delta",
            "custom_tool_call_input.done",
            "output_item.done",
            "completed"
        ]
    );
    assert_eq!((&frames[2]["output_index"], &frames[6]["output_index"]), (&json!(0), &json!(1)));
    assert_eq!(frames[9]["item"]["input"], "raw");
    assert!(frames[9]["item"]["id"].as_str().unwrap().starts_with("ctc_"));
}

#[test]
fn text_that_a_call_interrupts_goes_on_in_another_message() {
    let frames = write(
        &[
            part_start(0, PartHead::Text),
            delta(0, Delta::Text("a".into())),
            part_start(1, call_head("c", Flavour::Function)),
            delta(0, Delta::Text("b".into())),
            delta(1, Delta::Arguments("{}".into())),
            part_stop(1),
            part_stop(0),
            Event::End,
        ],
        Dialect::Chat,
    );
    let done: Vec<_> =
        frames.iter().filter(|f| f["type"] == "response.output_item.done").map(|f| &f["item"]).collect();
    assert_eq!(done.len(), 3);
    assert_eq!((&done[0]["content"][0]["text"], &done[2]["content"][0]["text"]), (&json!("a"), &json!("b")));
}

#[test]
fn a_text_that_comes_only_with_its_end_is_said() {
    let stop = |text: Text| Event::PartStop {
        part: PartId(0),
        complete: true,
        whole: Some(Box::new(Part::Text(text))),
    };
    let mut named = Text::new("late");
    named.extra.push(Dialect::Responses, "$message", Json::parse(r#"{"id":"msg_9"}"#.to_owned()).unwrap());
    for (text, upstream, id) in
        [(Text::new("late"), Dialect::Messages, None), (named, Dialect::Responses, Some("msg_9"))]
    {
        let frames = write(
            &[part_start(0, PartHead::Text), stop(text), finish(StopReason::End), Event::End],
            upstream,
        );
        let message = &frames.last().unwrap()["response"]["output"][0];
        assert_eq!(message["content"][0]["text"], "late");
        assert!(id.is_none_or(|id| message["id"] == id), "{message}");
        let deltas = frames.iter().filter(|f| f["type"] == "response.output_text.delta");
        assert_eq!(deltas.map(|f| f["delta"].clone()).collect::<Vec<_>>(), ["late"]);
    }
}

#[test]
fn blocks_of_text_become_one_part_and_their_citations_find_their_places() {
    let citation = Citation {
        place: CitationPlace::Web { url: "https://a.org".into(), encrypted_index: None },
        title: Some("t".into()),
        ..Citation::default()
    };
    let frames = write(
        &[
            part_start(0, PartHead::Text),
            delta(0, Delta::Text("grüße ".into())),
            part_stop(0),
            part_start(1, PartHead::Text),
            delta(1, Delta::Text("you".into())),
            delta(1, Delta::Citation(Box::new(citation))),
            part_stop(1),
            finish(StopReason::End),
            Event::End,
        ],
        Dialect::Messages,
    );
    let response = &frames.last().unwrap()["response"];
    let content = &response["output"][0]["content"];
    assert_eq!(content.as_array().unwrap().len(), 1);
    assert_eq!(content[0]["text"], "grüße you");
    assert_eq!(
        content[0]["annotations"],
        json!([{"type": "url_citation", "start_index": 6, "end_index": 9, "title": "t", "url": "https://a.org"}])
    );
}

#[test]
fn citations_of_files_are_written_and_others_are_not() {
    let cited = |place: CitationPlace, start: Option<u64>| {
        Delta::Citation(Box::new(Citation { place, start, end: Some(3), ..Citation::default() }))
    };
    let file = |filename: Option<&str>| CitationPlace::File {
        file_id: "f_1".into(),
        filename: filename.map(str::to_owned),
    };
    let web = CitationPlace::Web { url: "https://a.org".into(), encrypted_index: None };
    let frames = write(
        &[
            part_start(0, PartHead::Text),
            delta(0, Delta::Text("abcdef".into())),
            delta(0, cited(file(Some("n.txt")), Some(1))),
            delta(0, cited(file(None), Some(1))),
            delta(0, cited(CitationPlace::Other, Some(1))),
            // Half a place is none: it is about all of the text.
            delta(0, cited(web, None)),
            part_stop(0),
            finish(StopReason::End),
            Event::End,
        ],
        Dialect::Messages,
    );
    assert_eq!(
        frames.last().unwrap()["response"]["output"][0]["content"][0]["annotations"],
        json!([
            {"type": "file_citation", "file_id": "f_1", "filename": "n.txt", "index": 3},
            {"type": "file_citation", "file_id": "f_1", "filename": "f_1", "index": 3},
            {"type": "url_citation", "start_index": 0, "end_index": 3, "title": "https://a.org", "url": "https://a.org"},
        ])
    );
}

#[test]
fn t47_a_call_without_arguments_has_an_empty_object() {
    let frames = write(
        &[
            part_start(0, call_head("c", Flavour::Function)),
            part_stop(0),
            finish(StopReason::ToolCall),
            Event::End,
        ],
        Dialect::Messages,
    );
    let done = frames.iter().find(|f| f["type"] == "response.function_call_arguments.done").unwrap();
    assert_eq!(done["arguments"], "{}");
}

#[test]
fn t64_signatures_travel_in_the_clients_slot() {
    // On a thought of another vendor: in a carrier. On one of OpenAI: as it is. On a call: ahead of the call.
    for (family, expected) in [
        (Family::Openai, "sig".to_owned()),
        (Family::Claude, carrier::wrap(&blob(Family::Claude, BlobSlot::Thinking))),
    ] {
        let thinking = PartHead::Thinking { id: None, redacted: false };
        let frames = write(
            &[
                part_start(0, thinking),
                delta(0, Delta::Signature(blob(family, BlobSlot::Thinking))),
                part_stop(0),
                Event::End,
            ],
            Dialect::Messages,
        );
        let item = &frames.last().unwrap()["response"]["output"][0];
        assert_eq!((&item["encrypted_content"], &item["summary"]), (&json!(expected), &json!([])));
    }
    let signed = blob(Family::Gemini, BlobSlot::Call);
    let frames = write(
        &[
            part_start(0, call_head("c", Flavour::Function)),
            delta(0, Delta::Arguments("{}".into())),
            delta(0, Delta::Signature(signed.clone())),
            part_stop(0),
            Event::End,
        ],
        Dialect::Gemini,
    );
    let output = &frames.last().unwrap()["response"]["output"];
    assert_eq!((&output[0]["type"], &output[1]["type"]), (&json!("reasoning"), &json!("function_call")));
    assert_eq!(output[0]["encrypted_content"], carrier::wrap(&signed));
}

#[test]
fn endings_have_the_vendors_words() {
    let refusal = Stop {
        details: Some(Json::parse(r#"{"explanation":"because"}"#).unwrap()),
        ..Stop::new(StopReason::Refusal)
    };
    for (stop, kind, reason) in [
        (Stop::new(StopReason::End), "response.completed", Value::Null),
        (Stop::new(StopReason::Pause), "response.completed", Value::Null),
        (Stop::new(StopReason::Length), "response.incomplete", json!("max_output_tokens")),
        (Stop::new(StopReason::ContextFull), "response.incomplete", json!("max_output_tokens")),
        (Stop::new(StopReason::ContentFilter), "response.incomplete", json!("content_filter")),
        (Stop::new(StopReason::MalformedCall), "response.failed", Value::Null),
        (refusal, "response.completed", Value::Null),
    ] {
        let refused = stop.reason == StopReason::Refusal;
        let frames = write(&[Event::Finish { choice: 0, stop }, Event::End], Dialect::Messages);
        let last = frames.last().unwrap();
        assert_eq!(
            (last["type"].as_str().unwrap(), &last["response"]["incomplete_details"]["reason"]),
            (kind, &reason)
        );
        if refused {
            assert_eq!(
                last["response"]["output"][0]["content"],
                json!([{"type": "refusal", "refusal": "because"}])
            );
        }
    }
}

#[test]
fn a_refusal_behind_a_call_is_explained_and_not_complete() {
    let details = Some(Json::parse(r#"{"explanation":"because"}"#).unwrap());
    let stop = Stop { details, ..Stop::new(StopReason::Refusal) };
    let events = [
        part_start(0, call_head("c", Flavour::Function)),
        delta(0, Delta::Arguments("{}".into())),
        part_stop(0),
        Event::Finish { choice: 0, stop },
        Event::End,
    ];
    let frames = write(&events, Dialect::Messages);
    let last = frames.last().unwrap();
    assert_eq!(last["type"], "response.incomplete");
    assert_eq!(last["response"]["incomplete_details"]["reason"], "content_filter");
    assert_eq!(last["response"]["output"][1]["content"], json!([{"type": "refusal", "refusal": "because"}]));
}

#[test]
fn failures_in_a_stream_have_the_codes_that_codex_reads() {
    let fail = |kind| {
        let mut failure = Failure::new(kind, Blame::Upstream, "m");
        failure.retry_after = Some(std::time::Duration::from_millis(1500));
        Event::Failure(failure)
    };
    for (kind, code) in [
        (FailureKind::ContextTooLong, "context_length_exceeded"),
        (FailureKind::RateLimit, "rate_limit_exceeded"),
        (FailureKind::Overloaded, "server_is_overloaded"),
        (FailureKind::Billing, "insufficient_quota"),
        (FailureKind::UpstreamTruncated, "server_error"),
        (FailureKind::BadRequest, "invalid_prompt"),
    ] {
        let half = [
            Event::Start(Start::default()),
            part_start(0, call_head("c", Flavour::Function)),
            delta(0, Delta::Arguments("{".into())),
            fail(kind),
            Event::End,
        ];
        let frames = write(&half, Dialect::Messages);
        let last = frames.last().unwrap();
        assert_eq!(last["type"], "response.failed");
        assert_eq!(
            (&last["response"]["error"]["code"], &last["response"]["output"]),
            (&json!(code), &json!([]))
        );
        assert_eq!(last["response"]["error"]["message"], "m Please try again in 1.5s.");
        let frames = write(&[fail(kind), Event::End], Dialect::Messages);
        assert_eq!(
            (frames.len(), &frames[0]["type"], &frames[0]["code"]),
            (1, &json!("error"), &json!(code))
        );
    }
}

#[test]
fn a_failed_answer_has_what_was_said_so_far() {
    let fail = Event::Failure(Failure::new(FailureKind::Server, Blame::Upstream, "m"));
    let thinking = PartHead::Thinking { id: None, redacted: false };
    let thought = |text: &str| Delta::Thinking { text: text.into(), paragraph: 0, raw: false };
    let so_far = |events: &[Event]| {
        let mut frames = write(
            &[&[Event::Start(Start::default())], events, &[fail.clone(), Event::End]].concat(),
            Dialect::Messages,
        );
        let output = frames.last_mut().unwrap()["response"]["output"].take();
        let said = output.as_array().unwrap().iter().map(|item| {
            let text = item["content"][0]["text"].as_str().or(item["summary"][0]["text"].as_str());
            format!(
                "{} {} {}",
                item["type"].as_str().unwrap(),
                item["status"].as_str().unwrap_or("-"),
                text.unwrap_or("-")
            )
        });
        said.collect::<Vec<_>>()
    };
    let text = [
        part_start(0, PartHead::Text),
        delta(0, Delta::Text("he".into())),
        delta(0, Delta::Text("llo".into())),
    ];
    let reasoning = [part_start(0, thinking), delta(0, thought("hm"))];
    let call = [part_start(1, call_head("c", Flavour::Function)), delta(1, Delta::Arguments("{".into()))];
    assert_eq!(so_far(&text), ["message incomplete hello"]);
    assert_eq!(so_far(&reasoning), ["reasoning incomplete hm"]);
    assert_eq!(so_far(&[&text[..], &call[..]].concat()), ["message completed hello"]);
}

#[test]
fn t94_searches_of_others_become_items() {
    let call = ServerCall {
        id: "srv".into(),
        tool: ServerTool::WebSearch,
        name: "web_search".into(),
        input: Json::parse(r#"{"query":"q"}"#).unwrap(),
        status: None,
        verbatim: None,
    };
    let hit =
        crate::ir::SearchHit { url: "https://a.org".into(), title: Some("t".into()), ..Default::default() };
    let result = ServerResult {
        call_id: "srv".into(),
        tool: ServerTool::WebSearch,
        hits: vec![hit],
        output: None,
        error_code: None,
        verbatim: None,
    };
    let whole =
        |part: u32, value: Part| [part_start(part, PartHead::Whole(Box::new(value))), part_stop(part)];
    let events: Vec<_> = whole(0, Part::ServerCall(call.clone()))
        .into_iter()
        .chain(whole(1, Part::ServerResult(result)))
        .chain([Event::End])
        .collect();
    let frames = write(&events, Dialect::Messages);
    assert_eq!(
        kinds(&frames)[2..7],
        [
            "output_item.added",
            "web_search_call.in_progress",
            "web_search_call.searching",
            "web_search_call.completed",
            "output_item.done"
        ]
    );
    assert_eq!(
        frames[6]["item"]["action"],
        json!({"type": "search", "query": "q", "sources": [{"type": "url", "url": "https://a.org", "title": "t"}]})
    );
    let unknown = ServerCall { tool: ServerTool::Mcp, ..call };
    let mut encoder = responses::StreamEncoder::new(&exchange(&client(), Dialect::Messages));
    let mut out = Vec::new();
    for event in whole(0, Part::ServerCall(unknown)).into_iter().chain([Event::End]) {
        encoder.push(event, &mut out);
    }
    assert_eq!(encoder.losses().len(), 1);
}

#[test]
fn t115_t116_t121_the_envelope_is_whole_and_repeats_the_request() {
    let frames = write(
        &[Event::Start(Start { model: Some("gpt-upstream".into()), ..Start::default() }), Event::End],
        Dialect::Chat,
    );
    for frame in &frames {
        let response = &frame["response"];
        assert_eq!(
            (&response["model"], &response["created_at"], &response["object"]),
            (&json!("gpt-6"), &json!(1), &json!("response"))
        );
        assert_eq!(
            (&response["instructions"], &response["metadata"]),
            (&json!("Be brief."), &json!({"b": "2", "a": "1"}))
        );
        let asked = request::agent_request();
        for name in [
            "tools",
            "tool_choice",
            "temperature",
            "top_p",
            "truncation",
            "parallel_tool_calls",
            "previous_response_id",
            "user",
            "max_output_tokens",
            "reasoning",
        ] {
            assert_eq!(response[name], asked[name], "{name}");
        }
        assert_eq!(response["text"]["format"]["schema"], asked["text"]["format"]["schema"]);
    }
    let last = frames.last().unwrap();
    assert_eq!(
        last["response"]["usage"],
        json!({"input_tokens": 0, "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0}, "output_tokens": 0, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 0})
    );
    let plain = from_chat(&json!({"model": "m", "messages": [{"role": "user", "content": "q"}]}));
    let body = responses::encode_answer(&Response::default(), &exchange(&plain, Dialect::Chat)).value;
    let written: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        (&written["tools"], &written["tool_choice"], &written["status"]),
        (&json!([]), &json!("auto"), &json!("completed"))
    );
}

#[test]
fn a_whole_answer_says_what_its_stream_says() {
    let parts = vec![
        Part::Thinking(Thinking {
            summary: vec!["a".into(), "b".into()],
            blob: Some(blob(Family::Claude, BlobSlot::Thinking)),
            ..Thinking::default()
        }),
        Part::Text(Text::new("one ")),
        Part::Text(Text::new("two")),
        Part::ToolCall(ToolCall {
            call_id: "c".into(),
            name: "f".into(),
            arguments: "{}".into(),
            ..ToolCall::default()
        }),
        Part::ToolCall(ToolCall {
            call_id: "d".into(),
            name: "g".into(),
            arguments: "raw".into(),
            flavour: Flavour::Custom,
            ..ToolCall::default()
        }),
        Part::Text(Text::new("end")),
    ];
    let choice = crate::ir::Choice { parts, stop: Some(Stop::new(StopReason::Length)) };
    let usage = Some(Usage { input: Some(5), output: Some(6), ..Usage::default() });
    let response = Response { choices: vec![choice], usage, ..Response::default() };
    let exchange = exchange(&client(), Dialect::Messages);
    let whole: Value = serde_json::from_slice(&responses::encode_answer(&response, &exchange).value).unwrap();
    let frames = write(&crate::ir::unfold(&response), Dialect::Messages);
    assert_eq!(frames.last().unwrap()["response"], whole);
    assert_eq!(whole["status"], "incomplete");
}

#[test]
fn answers_of_the_same_dialect_keep_items_ids_and_phases() {
    let body = json!({"id": "resp_9", "object": "response", "created_at": 1, "model": "up", "status": "completed", "billing": {"payer": "x"}, "temperature": 1.0,
    "output": [
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "g"},
        {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "phase": "commentary", "content": [{"type": "output_text", "text": "a", "annotations": [], "logprobs": []}]},
        {"type": "message", "id": "msg_2", "role": "assistant", "status": "completed", "phase": "final_answer", "content": [{"type": "output_text", "text": "b", "annotations": [{"type": "file_citation", "file_id": "f", "filename": "n", "index": 1}], "logprobs": []}, {"type": "refusal", "refusal": "r"}]},
        {"type": "file_search_call", "id": "fs_1", "status": "completed", "queries": ["q"], "results": null},
        {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}", "status": "completed"}
    ]});
    let response = fold(responses::decode_answer(&bytes(&body)).unwrap()).unwrap();
    let written: Value = serde_json::from_slice(
        &responses::encode_answer(&response, &exchange(&client(), Dialect::Responses)).value,
    )
    .unwrap();
    for name in ["id", "status", "output", "billing", "temperature"] {
        assert_eq!(written[name], body[name], "{name}");
    }
}
