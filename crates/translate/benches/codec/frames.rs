//! Streams as the vendors send them, one frame a string. The first two frames begin the answer.

use byok_types::Dialect;

/// 24 bytes with something to escape, as deltas have them.
const WORDS: &str = r#" and the \"second\"\nword "#;

/// An answer of `count` frames, almost all of them a piece of text.
pub(crate) fn texts(upstream: Dialect, count: usize) -> Vec<String> {
    begin(upstream, false)
        .into_iter()
        .chain((0..).map(|n| match upstream {
            Dialect::Chat => chat(&format!(r#"{{"content":"{WORDS}"}}"#)),
            Dialect::Responses => responses("response.output_text.delta", &format!(
                r#""item_id":"msg_68af0c1","output_index":0,"content_index":0,"delta":"{WORDS}","logprobs":[],"obfuscation":"Zk3Q8","sequence_number":{}"#, n + 4)),
            Dialect::Messages => messages("content_block_delta", &format!(
                r#""index":0,"delta":{{"type":"text_delta","text":"{WORDS}"}}"#)),
            Dialect::Gemini => gemini(&format!(r#"{{"text":"{WORDS}"}}"#)),
        }))
        .take(count)
        .collect()
}

/// An answer of `count` frames, almost all of them a piece of a call's arguments. None where calls come whole.
pub(crate) fn arguments(upstream: Dialect, count: usize) -> Option<Vec<String>> {
    let piece = |n: usize| if n == 0 { r#"{\"text\":\"begin"# } else { "a word or two " };
    let frame = move |n: usize| match upstream {
        Dialect::Chat => {
            chat(&format!(r#"{{"tool_calls":[{{"index":0,"function":{{"arguments":"{}"}}}}]}}"#, piece(n)))
        }
        Dialect::Responses => responses(
            "response.function_call_arguments.delta",
            &format!(
                r#""item_id":"fc_68af0c1","output_index":0,"delta":"{}","obfuscation":"Zk3Q8","sequence_number":{}"#,
                piece(n),
                n + 3
            ),
        ),
        Dialect::Messages => messages(
            "content_block_delta",
            &format!(r#""index":0,"delta":{{"type":"input_json_delta","partial_json":"{}"}}"#, piece(n)),
        ),
        Dialect::Gemini => String::new(),
    };
    (upstream != Dialect::Gemini)
        .then(|| begin(upstream, true).into_iter().chain((0..).map(frame)).take(count).collect())
}

fn begin(upstream: Dialect, call: bool) -> Vec<String> {
    match upstream {
        Dialect::Chat => vec![
            chat(r#"{"role":"assistant","content":""}"#),
            chat(if call {
                r#"{"tool_calls":[{"index":0,"id":"call_a","type":"function","function":{"name":"write","arguments":""}}]}"#
            } else {
                r#"{"content":"The"}"#
            }),
        ],
        Dialect::Responses => {
            let item = if call {
                r#"{"id":"fc_68af0c1","type":"function_call","status":"in_progress","arguments":"","call_id":"call_a","name":"write"}"#
            } else {
                r#"{"id":"msg_68af0c1","type":"message","status":"in_progress","content":[],"role":"assistant"}"#
            };
            let mut opened = responses(
                "response.output_item.added",
                &format!(r#""output_index":0,"item":{item},"sequence_number":1"#),
            );
            if !call {
                opened += &responses(
                    "response.content_part.added",
                    r#""item_id":"msg_68af0c1","output_index":0,"content_index":0,"part":{"type":"output_text","annotations":[],"logprobs":[],"text":""},"sequence_number":2"#,
                );
            }
            vec![
                responses(
                    "response.created",
                    r#""response":{"id":"resp_1","object":"response","created_at":1,"status":"in_progress","model":"m","output":[]},"sequence_number":0"#,
                ),
                opened,
            ]
        }
        Dialect::Messages => {
            let block = if call {
                r#"{"type":"tool_use","id":"toolu_a","name":"write","input":{}}"#
            } else {
                r#"{"type":"text","text":""}"#
            };
            vec![
                messages(
                    "message_start",
                    r#""message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":20,"output_tokens":1}}"#,
                ),
                messages("content_block_start", &format!(r#""index":0,"content_block":{block}"#)),
            ]
        }
        Dialect::Gemini => vec![gemini(r#"{"text":"The"}"#), gemini(r#"{"text":" first"}"#)],
    }
}

fn chat(delta: &str) -> String {
    format!(
        "data: {{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\
         \"choices\":[{{\"index\":0,\"delta\":{delta},\"logprobs\":null,\"finish_reason\":null}}],\"usage\":null}}\n\n"
    )
}

fn responses(event: &str, rest: &str) -> String {
    format!("event: {event}\ndata: {{\"type\":\"{event}\",{rest}}}\n\n")
}

fn messages(event: &str, rest: &str) -> String {
    format!("event: {event}\ndata: {{\"type\":\"{event}\",{rest}}}\n\n")
}

fn gemini(part: &str) -> String {
    format!(
        "data: {{\"candidates\":[{{\"content\":{{\"role\":\"model\",\"parts\":[{part}]}},\"index\":0}}],\
         \"usageMetadata\":{{\"promptTokenCount\":120,\"candidatesTokenCount\":30,\"totalTokenCount\":150}},\
         \"modelVersion\":\"m\",\"responseId\":\"r1\"}}\n\n"
    )
}
