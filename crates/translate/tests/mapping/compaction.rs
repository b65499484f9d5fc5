//! Compaction of a Responses client at upstreams that have none: the wish, the summary, and the way back.

use crate::{
    support::{
        CHAT, GEMINI, MESSAGES, RESPONSES, and, ask, check, emulated, facts, has, lacks, row, says, silence,
    },
    talk::{DONE, Talk, deltas, finish, message, parts},
};
use byok_translate::{Exchange, Incoming, Keep, LossAction, codec, read_answer, scan::splice, seal_edits};
use byok_types::{Dialect, Family};
use serde_json::{Value, json};

/// A conversation at whose end the client wants a compaction.
fn wish() -> Value {
    let word = |text: &str| json!([{"type": "input_text", "text": text}]);
    let function = |name: &str| json!({"type": "function", "name": name, "parameters": {"type": "object", "properties": {}}});
    json!({
        "model": "m", "tools": [function("f"), function("g")], "tool_choice": "auto",
        "text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}},
        "input": [
            {"type": "message", "role": "user", "content": word("do it")},
            {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "a", "output": "done it"},
            {"type": "compaction_trigger"},
        ],
    })
}

#[test]
fn the_wish() {
    let asks = |place| {
        and(and(says("Write down all that is needed"), emulated("compaction_trigger")), has(place, "none"))
    };
    let no_schema = |wants, place| and(and(wants, silence("compaction_trigger")), lacks(place));
    let wish = wish();
    check(&[
        row("a compaction is wanted", RESPONSES, &wish)
            .to(
                CHAT,
                no_schema(and(asks("/tool_choice"), has("/messages/3/role", "user")), "/response_format"),
            )
            .to(
                MESSAGES,
                no_schema(
                    and(asks("/tool_choice/type"), has("/messages/2/content/0/type", "tool_result")),
                    "/output_config",
                ),
            )
            .to(
                GEMINI,
                no_schema(
                    and(
                        and(says("Write down all that is needed"), emulated("compaction_trigger")),
                        has("/toolConfig/functionCallingConfig/mode", "NONE"),
                    ),
                    "/generationConfig/responseSchema",
                ),
            ),
        // Without tools there is nothing to choose.
        row("and nothing else", RESPONSES, &json!({"input": [{"type": "compaction_trigger"}]}))
            .to(CHAT, and(emulated("compaction_trigger"), lacks("/tool_choice")))
            .to(MESSAGES, and(emulated("compaction_trigger"), lacks("/tool_choice")))
            .to(GEMINI, and(emulated("compaction_trigger"), lacks("/toolConfig"))),
    ]);
}

/// What the upstream has in its cache stays in front: tools, instructions and turns are those of the request without the wish.
#[test]
fn the_prompt_stays_as_it_was() {
    let mut without = wish();
    without["input"].as_array_mut().unwrap().pop();
    without.as_object_mut().unwrap().remove("text");
    for (target, list) in [(CHAT, "messages"), (MESSAGES, "messages"), (GEMINI, "contents")] {
        let of = |body: &Value| ask(RESPONSES, target, &facts(target), body).unwrap().0;
        let (before, after) = (of(&without), of(&wish()));
        assert_eq!(before["tools"].to_string(), after["tools"].to_string(), "{target:?}");
        let turns = |body: &Value| body[list].as_array().unwrap().clone();
        let (before, after) = (turns(&before), turns(&after));
        // The wish is a turn of its own, or stands behind the results in theirs.
        let same = before.len() - usize::from(before.len() == after.len());
        assert_eq!(before[..same], after[..same], "{target:?}");
    }
}

#[test]
fn a_vendor_of_responses_gets_the_item() {
    let (body, losses) = ask(RESPONSES, RESPONSES, &facts(RESPONSES), &wish()).unwrap();
    assert_eq!(body["input"].as_array().unwrap().last(), Some(&json!({"type": "compaction_trigger"})));
    assert!(losses.is_empty(), "{losses:?}");
    // Further up it has been fulfilled: nobody is asked again.
    let mut old = wish();
    old["input"].as_array_mut().unwrap().push(json!({"type": "message", "role": "user", "content": "go on"}));
    let body = ask(RESPONSES, MESSAGES, &facts(MESSAGES), &old).unwrap().0;
    assert!(!body.to_string().contains("Write down all"), "{body}");
    let body = ask(RESPONSES, RESPONSES, &facts(RESPONSES), &old).unwrap().0;
    assert_eq!(body["input"][3], json!({"type": "compaction_trigger"}));
}

/// A stream of an upstream that thinks, says two texts, and ends like this.
fn said(upstream: Dialect, texts: [&str; 2], stop: &str) -> String {
    match upstream {
        CHAT => {
            let pieces = [
                json!({"reasoning_content": "hm"}),
                json!({"content": texts[0]}),
                json!({"content": texts[1]}),
            ];
            deltas(&pieces) + &finish(stop) + DONE
        }
        MESSAGES => {
            let start = |at: u8, kind: &str, key: &str| json!({"type": "content_block_start", "index": at, "content_block": {"type": kind, key: ""}});
            let delta = |at: u8, kind: &str, key: &str, text: &str| json!({"type": "content_block_delta", "index": at, "delta": {"type": kind, key: text}});
            let end = |at: u8| json!({"type": "content_block_stop", "index": at});
            message(
                &[
                    start(0, "thinking", "thinking"),
                    delta(0, "thinking_delta", "thinking", "hm"),
                    delta(0, "signature_delta", "signature", "EqQB"),
                    end(0),
                    start(1, "text", "text"),
                    delta(1, "text_delta", "text", texts[0]),
                    delta(1, "text_delta", "text", texts[1]),
                    end(1),
                ],
                stop,
            )
        }
        _ => {
            let all = parts(&[
                json!([{"text": "hm", "thought": true}]),
                json!([{"text": texts[0]}]),
                json!([{"text": texts[1]}]),
            ]);
            all.replace("\"STOP\"", &format!("\"{stop}\""))
        }
    }
}

fn whole(upstream: Dialect, text: &str) -> Value {
    match upstream {
        CHAT => json!({"id": "c", "object": "chat.completion", "created": 1, "model": "up",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}}),
        MESSAGES => {
            json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "up", "stop_reason": "end_turn",
            "stop_sequence": null, "content": [{"type": "text", "text": text}], "usage": {"input_tokens": 7, "output_tokens": 3}})
        }
        _ => {
            json!({"candidates": [{"index": 0, "content": {"role": "model", "parts": [{"text": text}]}, "finishReason": "STOP"}],
            "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 3, "totalTokenCount": 10}, "modelVersion": "up"})
        }
    }
}

const OTHERS: [(Dialect, &str, &str); 3] =
    [(CHAT, "stop", "length"), (MESSAGES, "end_turn", "max_tokens"), (GEMINI, "STOP", "MAX_TOKENS")];

/// The summary in the only item, told to a model of this dialect.
fn summary_in(items: &Value, target: Dialect) -> String {
    let [item] = &items.as_array().unwrap()[..] else { panic!("more than one item: {items}") };
    assert_eq!(item["type"], "compaction");
    let next =
        json!({"model": "m", "input": [item, {"type": "message", "role": "user", "content": "go on"}]});
    let (body, losses) = ask(RESPONSES, target, &facts(target), &next).unwrap();
    assert!(losses.iter().all(|loss| loss.action == LossAction::Emulated), "{losses:?}");
    assert!(!body.to_string().contains("byok1:"), "{body}");
    body.to_string()
}

#[test]
fn the_answer_is_one_compaction() {
    for (upstream, stop, _) in OTHERS {
        let talk = Talk::about(upstream, RESPONSES, &wish());
        let bytes = said(upstream, ["All is ☂", " well."], stop);
        let told = talk.told(&bytes);
        assert_eq!(told, ["0 compaction added", "0 compaction done", "completed"], "{upstream:?}");
        let in_one = talk.bytes(&bytes);
        for at in 0..bytes.len() {
            let (one, two) = bytes.as_bytes().split_at(at);
            assert_eq!(talk.pieces(&[one, two]), in_one, "{upstream:?} at {at}");
        }
        let streamed = talk.frames(&bytes).pop().unwrap()["response"].clone();
        let answered = talk.whole(&whole(upstream, "All is ☂ well."));
        assert_eq!(streamed["output"], answered["output"], "{upstream:?}");
        assert_eq!(answered["status"], "completed");
        assert_eq!(
            (&answered["usage"]["input_tokens"], &answered["usage"]["output_tokens"]),
            (&json!(7), &json!(3))
        );
        for target in Dialect::ALL {
            let body = summary_in(&streamed["output"], target);
            assert!(
                body.contains("[summary of the earlier conversation]\\nAll is ☂ well."),
                "{target:?}: {body}"
            );
        }
    }
}

/// The client gives up its history for the summary, so what is none is a failure.
#[test]
fn what_is_no_summary_fails() {
    let call = |upstream| match upstream {
        CHAT => {
            let call = json!({"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}});
            deltas(&[json!({"content": "Let me look."}), json!({"tool_calls": [call]})])
                + &finish("tool_calls")
                + DONE
        }
        MESSAGES => message(
            &[
                json!({"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "a", "name": "f", "input": {}}}),
                json!({"type": "content_block_stop", "index": 0}),
            ],
            "tool_use",
        ),
        _ => parts(&[json!([{"text": "Let me look."}, {"functionCall": {"name": "f", "args": {}}}])]),
    };
    let mut faults = Vec::new();
    for (upstream, stop, cut) in OTHERS {
        let declined = match upstream {
            CHAT => deltas(&[json!({"refusal": "no"})]) + &finish("stop") + DONE,
            MESSAGES => said(upstream, ["I", " can't"], "refusal"),
            _ => said(upstream, ["I", " can't"], "SAFETY"),
        };
        let full = said(
            upstream,
            ["All", " is"],
            if upstream == MESSAGES { "model_context_window_exceeded" } else { cut },
        );
        let full_code = if upstream == MESSAGES { "context_length_exceeded" } else { "server_error" };
        let rows = [
            ("a call", call(upstream), "called a tool", "server_error"),
            ("nothing", said(upstream, ["", " \n"], stop), "said nothing", "server_error"),
            ("cut", said(upstream, ["All", " is"], cut), "limit of its output", "server_error"),
            ("full", full, if upstream == MESSAGES { "too full" } else { "limit of its output" }, full_code),
            ("declined", declined, "declined", "server_error"),
        ];
        for (name, bytes, words, code) in rows {
            let last = Talk::about(upstream, RESPONSES, &wish()).frames(&bytes).pop().unwrap();
            let error = &last["response"]["error"];
            let is_well = last["type"] == "response.failed"
                && last["response"]["output"] == json!([])
                && error["message"].as_str().is_some_and(|text| text.contains(words))
                && error["code"] == code;
            if !is_well {
                faults.push(format!("{upstream:?} {name}: {last}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A Chat client that writes Responses bodies has no compaction: it is shown the summary.
#[test]
fn a_client_without_compactions_reads_the_summary() {
    let body = wish().to_string();
    let incoming = Incoming { body: body.as_bytes(), model: Some("m"), stream: None };
    let request = codec::decode_request(RESPONSES, &incoming).unwrap().value;
    let mut exchange = Exchange::new(&request, &facts(MESSAGES), MESSAGES, 1, "seed");
    exchange.client = CHAT;
    let events =
        read_answer(whole(MESSAGES, "All is well.").to_string().as_bytes(), &exchange).unwrap().value;
    assert!(format!("{events:?}").contains("Text(\"All is well.\")"), "{events:?}");
}

/// A body that passes through to a vendor of Responses: the summary stands there in words, everything else as it was.
#[test]
fn the_summary_passes_on_in_words() {
    let talk = Talk::about(MESSAGES, RESPONSES, &wish());
    let item = talk.whole(&whole(MESSAGES, "All \"is\" well."))["output"][0].to_string();
    let body = format!("{{ \"input\":[{item} , {{\"role\":\"user\",\"content\":1e2}}],\"x\":1.0}}");
    for none in [false, true] {
        let keep = Keep { family: Family::Openai, maker: "m".into(), no_text: false, none };
        let edits = seal_edits(RESPONSES, body.as_bytes(), keep);
        let passed = splice(&bytes::Bytes::from(body.clone()), edits);
        let passed = std::str::from_utf8(&passed).unwrap();
        let (before, rest) = passed.split_once(" , ").unwrap();
        assert_eq!(rest, "{\"role\":\"user\",\"content\":1e2}],\"x\":1.0}");
        let told: Value = serde_json::from_str(before.strip_prefix("{ \"input\":[").unwrap()).unwrap();
        assert_eq!(told["role"], "user");
        assert_eq!(
            told["content"],
            json!([{"type": "input_text", "text": "[summary of the earlier conversation]\nAll \"is\" well."}])
        );
    }
}
