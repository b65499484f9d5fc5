use super::*;

struct Case {
    name: &'static str,
    dialect: Dialect,
    stream: bool,
    body: &'static str,
    /// input, cache read, cache write, output, reasoning
    usage: Option<[u64; 5]>,
    ended: bool,
    failed: bool,
}

const CASES: &[Case] = &[
    Case {
        name: "chat stream with hidden lookalikes",
        dialect: Dialect::Chat,
        stream: true,
        body: "data: {\"choices\":[{\"delta\":{\"content\":\"\\\"usage\\\":{\\\"prompt_tokens\\\":9}\"},\"finish_reason\":null}],\"usage\":null}\n\n: usage {\"usage\":{\"prompt_tokens\":7}}\n\ndata: {\"choices\":[{\"usage\":{\"prompt_tokens\":8},\"finish_reason\":\"stop\"}]}\n\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":120,\"completion_tokens\":40,\"prompt_tokens_details\":{\"cached_tokens\":100},\"completion_tokens_details\":{\"reasoning_tokens\":10}}}\n\ndata: [DONE]\n\n",
        usage: Some([120, 100, 0, 40, 10]),
        ended: true,
        failed: false,
    },
    Case {
        name: "chat stream without an end",
        dialect: Dialect::Chat,
        stream: true,
        body: "data: {\"choices\":[{\"delta\":{\"content\":\"[DONE]\"}}]}\n\n",
        usage: None,
        ended: false,
        failed: false,
    },
    Case {
        name: "chat stream with an error",
        dialect: Dialect::Chat,
        stream: true,
        body: "data: {\"error\":{\"message\":\"x\"}}\n\n",
        usage: None,
        ended: true,
        failed: true,
    },
    Case {
        name: "an error that is only said to be one",
        dialect: Dialect::Chat,
        stream: false,
        body: "{\"error\":true}",
        usage: None,
        ended: true,
        failed: true,
    },
    Case {
        name: "no error",
        dialect: Dialect::Chat,
        stream: false,
        body: "{\"choices\":[],\"error\":false}",
        usage: None,
        ended: false,
        failed: false,
    },
    Case {
        name: "a refusal of MiniMax in an answer of status 200",
        dialect: Dialect::Chat,
        stream: false,
        body: "{\"base_resp\":{\"status_code\":1008,\"status_msg\":\"insufficient balance\"}}",
        usage: None,
        ended: true,
        failed: true,
    },
    Case {
        name: "what MiniMax says where all is well",
        dialect: Dialect::Chat,
        stream: false,
        body: "{\"choices\":[],\"base_resp\":{\"status_code\":0,\"status_msg\":\"\"}}",
        usage: None,
        ended: false,
        failed: false,
    },
    Case {
        name: "chat answer",
        dialect: Dialect::Chat,
        stream: false,
        body: "{\"choices\":[{\"finish_reason\":\"stop\",\"message\":{\"content\":\"{\\\"usage\\\":1}\"}}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4,\"total_tokens\":7}}",
        usage: Some([3, 0, 0, 4, 0]),
        ended: true,
        failed: false,
    },
    Case {
        name: "chat answer that counts reasoning in the total only",
        dialect: Dialect::Chat,
        stream: false,
        body: "{\"choices\":[{\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":30,\"completion_tokens\":4,\"total_tokens\":41,\"prompt_tokens_details\":{\"cached_tokens\":20},\"completion_tokens_details\":{\"reasoning_tokens\":7}}}",
        usage: Some([30, 20, 0, 11, 7]),
        ended: true,
        failed: false,
    },
    Case {
        name: "chat answer with the hits of a cache",
        dialect: Dialect::Chat,
        stream: false,
        body: "{\"choices\":[{\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":30,\"completion_tokens\":4,\"total_tokens\":34,\"prompt_cache_hit_tokens\":20,\"prompt_cache_miss_tokens\":10}}",
        usage: Some([30, 20, 0, 4, 0]),
        ended: true,
        failed: false,
    },
    Case {
        name: "chat answer with a number of cached tokens",
        dialect: Dialect::Chat,
        stream: false,
        body: "{\"choices\":[{\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":30,\"completion_tokens\":4,\"total_tokens\":34,\"num_cached_tokens\":20}}",
        usage: Some([30, 20, 0, 4, 0]),
        ended: true,
        failed: false,
    },
    Case {
        name: "messages stream",
        dialect: Dialect::Messages,
        stream: true,
        body: "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":20,\"cache_read_input_tokens\":100,\"cache_creation_input_tokens\":5,\"output_tokens\":1}}}\n\nevent: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"usage\\\":{\\\"output_tokens\\\":999}\"}}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":40,\"output_tokens_details\":{\"thinking_tokens\":7}}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
        usage: Some([125, 100, 5, 40, 7]),
        ended: true,
        failed: false,
    },
    Case {
        name: "messages stream with an error",
        dialect: Dialect::Messages,
        stream: true,
        body: "event: error\r\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}\r\n\r\n",
        usage: None,
        ended: true,
        failed: true,
    },
    Case {
        name: "responses stream",
        dialect: Dialect::Responses,
        stream: true,
        body: "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"status\":\"in_progress\",\"usage\":null,\"error\":null}}\n\ndata: {\"type\":\"response.completed\",\"response\":{\"output\":[{\"type\":\"message\",\"usage\":{\"input_tokens\":1}}],\"usage\":{\"input_tokens\":120,\"input_tokens_details\":{\"cached_tokens\":100,\"cache_write_tokens\":3},\"output_tokens\":40,\"output_tokens_details\":{\"reasoning_tokens\":10},\"total_tokens\":160}}}\n\n",
        usage: Some([120, 100, 3, 40, 10]),
        ended: true,
        failed: false,
    },
    Case {
        name: "responses stream that failed",
        dialect: Dialect::Responses,
        stream: true,
        body: "data: {\"response\":{\"status\":\"failed\",\"error\":{\"code\":\"x\"}},\"type\":\"response.failed\"}\n\n",
        usage: None,
        ended: true,
        failed: true,
    },
    Case {
        name: "gemini stream",
        dialect: Dialect::Gemini,
        stream: true,
        body: "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"x\"}]}}],\"usageMetadata\":{\"promptTokenCount\":0,\"totalTokenCount\":0}}\r\n\r\ndata: {\"candidates\":[{\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":120,\"cachedContentTokenCount\":100,\"candidatesTokenCount\":30,\"thoughtsTokenCount\":10,\"promptTokensDetails\":[{\"tokenCount\":5}]}}\r\n\r\n",
        usage: Some([120, 100, 0, 40, 10]),
        ended: true,
        failed: false,
    },
    Case {
        name: "gemini list",
        dialect: Dialect::Gemini,
        stream: false,
        body: "[{\"candidates\":[{\"content\":{}}]},\r\n{\"candidates\":[{\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":12,\"candidatesTokenCount\":3}}]",
        usage: Some([12, 0, 0, 3, 0]),
        ended: true,
        failed: false,
    },
    Case {
        name: "nothing but noise",
        dialect: Dialect::Chat,
        stream: true,
        body: "]}}}\u{0}data: ]]]}\n\ndata: {\"usage\":{\"prompt_tokens\":1.5e3}}\n\n",
        usage: None,
        ended: false,
        failed: false,
    },
];

#[test]
fn counters_and_ends_at_every_split() {
    for case in CASES {
        let bytes = case.body.as_bytes();
        let splits = (0..=bytes.len()).map(|at| vec![&bytes[..at], &bytes[at..]]);
        let single = std::iter::once(bytes.chunks(1).collect::<Vec<_>>());
        for pieces in splits.chain(single) {
            let mut scanner = UsageScanner::new(case.dialect, case.stream);
            for piece in &pieces {
                scanner.push(piece);
            }
            let usage = scanner.usage().map(|u| {
                [u.input, u.cache_read, u.cache_write, u.output, u.reasoning].map(Option::unwrap_or_default)
            });
            let what = format!("{} cut at {}", case.name, pieces[0].len());
            assert_eq!(usage, case.usage, "{what}");
            assert_eq!((scanner.ended(), scanner.failed()), (case.ended, case.failed), "{what}");
        }
    }
}

#[test]
fn events_are_counted_by_their_running_number() {
    let text = "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"sequence_number\":70},\
                \"sequence_number\":0}\n\ndata: {\"delta\":\"\\\"sequence_number\\\":9\",\"sequence_number\":12}\n\n";
    for split in 0..=text.len() {
        let mut scanner = UsageScanner::new(Dialect::Responses, true);
        assert_eq!(scanner.next_event(), 0);
        scanner.push(&text.as_bytes()[..split]);
        scanner.push(&text.as_bytes()[split..]);
        assert_eq!(scanner.next_event(), 13, "split at {split}");
    }
}

#[test]
fn a_response_has_the_id_that_it_began_with() {
    let id = format!("resp_{}", "a".repeat(50));
    let text = format!(
        "data: {{\"id\":\"evt\",\"response\":{{\"output\":[{{\"id\":\"item\"}}],\"id\":\"{id}\"}}}}\n\n\
         data: {{\"response\":{{\"id\":\"other\"}}}}\n\n"
    );
    for split in 0..=text.len() {
        let mut scanner = UsageScanner::new(Dialect::Responses, true);
        assert_eq!(scanner.response(), None);
        scanner.push(&text.as_bytes()[..split]);
        scanner.push(&text.as_bytes()[split..]);
        assert_eq!(scanner.response(), Some(&*id), "split at {split}");
    }
}

#[test]
fn absurd_counts_do_not_overflow() {
    let max = u64::MAX;
    let cases = [
        (
            Dialect::Chat,
            format!(
                r#"{{"usage":{{"prompt_tokens":{max},"completion_tokens":{max},"completion_tokens_details":{{"reasoning_tokens":{max}}},"total_tokens":1}}}}"#
            ),
        ),
        (
            Dialect::Messages,
            format!(
                r#"{{"usage":{{"input_tokens":{max},"cache_read_input_tokens":{max},"cache_creation_input_tokens":1}}}}"#
            ),
        ),
        (
            Dialect::Gemini,
            format!(
                r#"{{"usageMetadata":{{"promptTokenCount":{max},"candidatesTokenCount":{max},"thoughtsTokenCount":{max}}}}}"#
            ),
        ),
    ];
    for (dialect, body) in cases {
        let mut scanner = UsageScanner::new(dialect, false);
        scanner.push(body.as_bytes());
        assert_eq!(scanner.usage().unwrap().input, Some(max), "{dialect}");
    }
}

#[test]
fn a_chat_stream_may_end_without_done_behind_its_last_choice() {
    for (body, may) in [
        (r#"{"choices":[{"delta":{"content":"x"},"finish_reason":null}]}"#, false),
        (r#"{"choices":[{"delta":{},"finish_reason":""}]}"#, false),
        (r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#, true),
    ] {
        let mut scanner = UsageScanner::new(Dialect::Chat, true);
        scanner.push(format!("data: {body}\n\n").as_bytes());
        assert_eq!((scanner.ended(), scanner.may_end()), (false, may), "{body}");
    }
}

#[test]
fn a_whole_answer_that_breaks_off_is_not_closed() {
    let text = r#"{"choices":[{"message":{"content":"a \"} b"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3}}"#;
    for end in 1..=text.len() {
        let mut scanner = UsageScanner::new(Dialect::Chat, false);
        scanner.push(&text.as_bytes()[..end]);
        assert_eq!(scanner.is_closed(), end == text.len(), "{end}");
    }
}
