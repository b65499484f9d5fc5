//! Whole answers: envelope, usage, stop reasons, citations, media, and what else an answer says.

use crate::{
    support::{CHAT, GEMINI, MESSAGES, RESPONSES},
    talk::Talk,
};
use byok_types::Dialect;
use serde_json::{Value, json};

/// An answer of each dialect with these parts, this end and this usage.
fn answer(upstream: Dialect, parts: &Value, end: &Value, usage: &Value) -> Value {
    match upstream {
        CHAT => json!({"id": "c", "object": "chat.completion", "created": 1, "model": "up", "usage": usage,
            "choices": [{"index": 0, "message": parts, "finish_reason": end}]}),
        RESPONSES => {
            let mut answer = json!({"id": "resp_1", "object": "response", "created_at": 1, "model": "up",
                "status": "completed", "output": parts, "usage": usage});
            for (member, value) in end.as_object().unwrap() {
                answer[member] = value.clone();
            }
            answer
        }
        MESSAGES => {
            json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "up", "content": parts,
            "stop_reason": end, "stop_sequence": null, "usage": usage})
        }
        GEMINI => json!({"responseId": "r", "modelVersion": "up", "usageMetadata": usage,
            "candidates": [{"index": 0, "content": {"role": "model", "parts": parts}, "finishReason": end}]}),
    }
}

/// The parts of an answer that says this.
fn text(upstream: Dialect, said: &str) -> Value {
    match upstream {
        CHAT => json!({"role": "assistant", "content": said}),
        RESPONSES => json!([{"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
            "content": [{"type": "output_text", "text": said, "annotations": []}]}]),
        MESSAGES => json!([{"type": "text", "text": said}]),
        GEMINI => json!([{"text": said}]),
    }
}

fn usual_end(upstream: Dialect) -> Value {
    match upstream {
        CHAT => json!("stop"),
        RESPONSES => json!({}),
        MESSAGES => json!("end_turn"),
        GEMINI => json!("STOP"),
    }
}

fn counts(upstream: Dialect) -> Value {
    match upstream {
        CHAT => json!({"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150,
            "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10},
            "completion_tokens_details": {"reasoning_tokens": 20}}),
        RESPONSES => json!({"input_tokens": 100, "output_tokens": 50, "total_tokens": 150,
            "input_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10},
            "output_tokens_details": {"reasoning_tokens": 20}}),
        MESSAGES => json!({"input_tokens": 30, "output_tokens": 50, "cache_read_input_tokens": 60,
            "cache_creation_input_tokens": 10, "output_tokens_details": {"thinking_tokens": 20}}),
        GEMINI => json!({"promptTokenCount": 100, "cachedContentTokenCount": 60, "candidatesTokenCount": 30,
            "thoughtsTokenCount": 20, "totalTokenCount": 150}),
    }
}

fn pairs() -> impl Iterator<Item = (Dialect, Dialect)> {
    let all = Dialect::ALL;
    all.into_iter().flat_map(move |from| all.into_iter().map(move |to| (from, to))).filter(|(a, b)| a != b)
}

/// What stands at these places is this.
fn assert_has(
    name: &str,
    upstream: Dialect,
    client: Dialect,
    got: &Value,
    wants: &Value,
    faults: &mut Vec<String>,
) {
    for (place, want) in wants.as_object().unwrap() {
        let found = got.pointer(place).cloned().unwrap_or_default();
        if found != *want {
            faults.push(format!(
                "{name}: {upstream:?} to {client:?} {place}: {found} is not {want}\n    {got:.900}"
            ));
        }
    }
}

fn all_well(faults: &[String]) {
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn envelope() {
    let mut faults = Vec::new();
    for (upstream, client) in pairs() {
        let got = Talk::new(upstream, client).whole(&answer(
            upstream,
            &text(upstream, "t"),
            &usual_end(upstream),
            &counts(upstream),
        ));
        let (id, prefix) = match client {
            CHAT => ("/id", "chatcmpl-"),
            RESPONSES => ("/id", "resp_"),
            MESSAGES => ("/id", "msg_"),
            GEMINI => ("/responseId", ""),
        };
        let found = got.pointer(id).and_then(Value::as_str).unwrap_or_default();
        assert!(!found.is_empty() && found.starts_with(prefix), "{upstream:?} to {client:?}: {found}");
        let wants = match client {
            CHAT => json!({"/object": "chat.completion", "/created": 1, "/model": "m", "/choices/0/index": 0,
                "/choices/0/message/role": "assistant", "/choices/0/message/content": "t", "/choices/0/finish_reason": "stop"}),
            RESPONSES => {
                json!({"/object": "response", "/created_at": 1, "/model": "m", "/status": "completed",
                "/parallel_tool_calls": true, "/tool_choice": "auto", "/tools": [], "/output/0/content/0/annotations": [],
                "/output/0/content/0/text": "t"})
            }
            MESSAGES => {
                json!({"/type": "message", "/role": "assistant", "/model": "m", "/stop_reason": "end_turn",
                "/content/0/text": "t"})
            }
            GEMINI => json!({"/candidates/0/index": 0, "/candidates/0/content/parts/0/text": "t",
                "/candidates/0/finishReason": "STOP", "/modelVersion": "m"}),
        };
        assert_has("envelope", upstream, client, &got, &wants, &mut faults);
        let present: &[&str] = match client {
            CHAT => &["/choices/0/logprobs", "/choices/0/message/refusal", "/usage"],
            RESPONSES => &[
                "/error",
                "/incomplete_details",
                "/instructions",
                "/metadata",
                "/temperature",
                "/top_p",
                "/usage",
            ],
            MESSAGES => &["/stop_sequence", "/usage/input_tokens", "/usage/output_tokens"],
            GEMINI => &["/usageMetadata"],
        };
        for place in present {
            assert!(got.pointer(place).is_some(), "{upstream:?} to {client:?}: no {place} in {got}");
        }
    }
    all_well(&faults);
}

#[test]
fn usage() {
    let mut faults = Vec::new();
    for (upstream, client) in pairs() {
        let said = answer(upstream, &text(upstream, "t"), &usual_end(upstream), &counts(upstream));
        let got = Talk::new(upstream, client).whole(&said);
        // Gemini has no word for what was written into the cache.
        let written = if upstream == GEMINI { 0 } else { 10 };
        let wants = match client {
            CHAT => {
                json!({"/usage/prompt_tokens": 100, "/usage/completion_tokens": 50, "/usage/total_tokens": 150,
                "/usage/prompt_tokens_details/cached_tokens": 60, "/usage/completion_tokens_details/reasoning_tokens": 20})
            }
            RESPONSES => {
                json!({"/usage/input_tokens": 100, "/usage/output_tokens": 50, "/usage/total_tokens": 150,
                "/usage/input_tokens_details": {"cached_tokens": 60, "cache_write_tokens": written},
                "/usage/output_tokens_details": {"reasoning_tokens": 20}})
            }
            MESSAGES => json!({"/usage/input_tokens": 40 - written, "/usage/output_tokens": 50,
                "/usage/cache_read_input_tokens": 60}),
            GEMINI => {
                json!({"/usageMetadata/promptTokenCount": 100, "/usageMetadata/candidatesTokenCount": 30,
                "/usageMetadata/thoughtsTokenCount": 20, "/usageMetadata/cachedContentTokenCount": 60,
                "/usageMetadata/totalTokenCount": 150})
            }
        };
        assert_has("usage", upstream, client, &got, &wants, &mut faults);
    }
    all_well(&faults);
}

/// One end of an answer: the parts, the upstream's word, and the word of each client.
struct End {
    name: &'static str,
    upstream: Dialect,
    parts: Value,
    word: Value,
    chat: &'static str,
    responses: &'static str,
    messages: &'static str,
    gemini: &'static str,
}

fn end(name: &'static str, upstream: Dialect, parts: &Value, word: &Value, told: [&'static str; 4]) -> End {
    let [chat, responses, messages, gemini] = told;
    End { name, upstream, parts: parts.clone(), word: word.clone(), chat, responses, messages, gemini }
}

#[test]
fn stop_reasons() {
    let call = json!({"role": "assistant", "content": null, "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]});
    let item = json!([{"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{}", "status": "completed"}]);
    let block = json!([{"type": "tool_use", "id": "c1", "name": "f", "input": {}}]);
    let part = json!([{"functionCall": {"id": "c1", "name": "f", "args": {}}}]);
    let incomplete = |reason: &str| json!({"status": "incomplete", "incomplete_details": {"reason": reason}});
    let refused = json!([{"type": "message", "id": "m", "role": "assistant", "status": "completed",
        "content": [{"type": "refusal", "refusal": "no"}]}]);
    let t = |upstream| text(upstream, "t");
    let usual = ["stop", "completed", "end_turn", "STOP"];
    let calls = ["tool_calls", "completed", "tool_use", "STOP"];
    let length = ["length", "max_output_tokens", "max_tokens", "MAX_TOKENS"];
    let filter = ["content_filter", "content_filter", "refusal", "SAFETY"];
    let ends = [
        end("end", CHAT, &t(CHAT), &json!("stop"), usual),
        end("call", CHAT, &call, &json!("tool_calls"), calls),
        end("call that is said to be an end", CHAT, &call, &json!("stop"), calls),
        end("calls that are not there", CHAT, &t(CHAT), &json!("tool_calls"), usual),
        end("length", CHAT, &t(CHAT), &json!("length"), length),
        end("filter", CHAT, &t(CHAT), &json!("content_filter"), filter),
        end(
            "refusal",
            CHAT,
            &json!({"role": "assistant", "content": null, "refusal": "no"}),
            &json!("stop"),
            ["stop", "completed", "refusal", "SAFETY"],
        ),
        end("end", RESPONSES, &t(RESPONSES), &json!({}), usual),
        end("call", RESPONSES, &item, &json!({}), calls),
        end("length", RESPONSES, &t(RESPONSES), &incomplete("max_output_tokens"), length),
        end("filter", RESPONSES, &t(RESPONSES), &incomplete("content_filter"), filter),
        end("refusal", RESPONSES, &refused, &json!({}), ["stop", "completed", "refusal", "SAFETY"]),
        end(
            "steered",
            RESPONSES,
            &t(RESPONSES),
            &incomplete("steered"),
            ["stop", "steered", "end_turn", "OTHER"],
        ),
        end(
            "cancelled",
            RESPONSES,
            &t(RESPONSES),
            &json!({"status": "cancelled"}),
            ["stop", "cancelled", "end_turn", "OTHER"],
        ),
        end("end", MESSAGES, &t(MESSAGES), &json!("end_turn"), usual),
        end("stop sequence", MESSAGES, &t(MESSAGES), &json!("stop_sequence"), usual),
        end("call", MESSAGES, &block, &json!("tool_use"), calls),
        end("length", MESSAGES, &t(MESSAGES), &json!("max_tokens"), length),
        end("context", MESSAGES, &t(MESSAGES), &json!("model_context_window_exceeded"), length),
        end(
            "refusal",
            MESSAGES,
            &t(MESSAGES),
            &json!("refusal"),
            ["content_filter", "completed", "refusal", "SAFETY"],
        ),
        end("pause", MESSAGES, &t(MESSAGES), &json!("pause_turn"), usual),
        end("compaction", MESSAGES, &t(MESSAGES), &json!("compaction"), usual),
        end("end", GEMINI, &t(GEMINI), &json!("STOP"), usual),
        end("call", GEMINI, &part, &json!("STOP"), calls),
        end("length", GEMINI, &t(GEMINI), &json!("MAX_TOKENS"), length),
        end("safety", GEMINI, &t(GEMINI), &json!("SAFETY"), filter),
        end("recitation", GEMINI, &t(GEMINI), &json!("RECITATION"), filter),
        end("blocklist", GEMINI, &t(GEMINI), &json!("BLOCKLIST"), filter),
        end("prohibited", GEMINI, &t(GEMINI), &json!("PROHIBITED_CONTENT"), filter),
        end("personal data", GEMINI, &t(GEMINI), &json!("SPII"), filter),
        end("unsafe picture", GEMINI, &t(GEMINI), &json!("IMAGE_SAFETY"), filter),
        end("malformed call", GEMINI, &t(GEMINI), &json!("MALFORMED_FUNCTION_CALL"), usual),
        end("too many calls", GEMINI, &t(GEMINI), &json!("TOO_MANY_TOOL_CALLS"), usual),
        end(
            "continuation",
            GEMINI,
            &t(GEMINI),
            &json!("CONTINUATION"),
            ["stop", "completed", "pause_turn", "STOP"],
        ),
        end("other", GEMINI, &t(GEMINI), &json!("OTHER"), usual),
    ];
    let mut faults = Vec::new();
    for End { name, upstream, parts, word, chat, responses, messages, gemini } in ends {
        for client in Dialect::ALL.into_iter().filter(|client| *client != upstream) {
            let said = answer(upstream, &parts, &word, &counts(upstream));
            let got = Talk::new(upstream, client).whole(&said);
            let (told, want) = match client {
                CHAT => (got.pointer("/choices/0/finish_reason"), chat),
                RESPONSES => {
                    (got.pointer("/incomplete_details/reason").or_else(|| got.pointer("/status")), responses)
                }
                MESSAGES => (got.pointer("/stop_reason"), messages),
                GEMINI => (got.pointer("/candidates/0/finishReason"), gemini),
            };
            if told.and_then(Value::as_str) != Some(want) {
                faults.push(format!(
                    "{name}: {upstream:?} to {client:?}: {told:?} is not {want}\n    {got:.700}"
                ));
            }
        }
    }
    all_well(&faults);
}

/// A prompt that Gemini blocks is a refusal and no empty answer.
#[test]
fn blocked_prompt() {
    let said = json!({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 3}, "modelVersion": "up"});
    let mut faults = Vec::new();
    for (client, wants) in [
        (CHAT, json!({"/choices/0/finish_reason": "content_filter"})),
        (RESPONSES, json!({"/status": "completed", "/output/0/content/0/type": "refusal"})),
        (MESSAGES, json!({"/stop_reason": "refusal", "/stop_details/type": "refusal"})),
    ] {
        let got = Talk::new(GEMINI, client).whole(&said);
        assert_has("blocked prompt", GEMINI, client, &got, &wants, &mut faults);
    }
    all_well(&faults);
}

/// A statement about the second of two words, the first of which is longer in bytes than in characters.
#[test]
fn citations() {
    let words = "Größe stimmt";
    let url = "https://e.org";
    let chat = json!({"role": "assistant", "content": words, "annotations": [{"type": "url_citation",
        "url_citation": {"url": url, "title": "T", "start_index": 6, "end_index": 12}}]});
    let responses = json!([{"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [
        {"type": "output_text", "text": words, "annotations": [
            {"type": "url_citation", "url": url, "title": "T", "start_index": 6, "end_index": 12}]}]}]);
    let messages = json!([{"type": "text", "text": "Größe "}, {"type": "text", "text": "stimmt", "citations": [
        {"type": "web_search_result_location", "url": url, "title": "T", "cited_text": "c", "encrypted_index": "e"}]}]);
    let mut gemini = answer(GEMINI, &text(GEMINI, words), &json!("STOP"), &counts(GEMINI));
    gemini["candidates"][0]["groundingMetadata"] = json!({"groundingChunks": [{"web": {"uri": url, "title": "T"}}],
        "groundingSupports": [{"segment": {"startIndex": 8, "endIndex": 14, "text": "stimmt"}, "groundingChunkIndices": [0]}]});
    let mut faults = Vec::new();
    for (upstream, client) in pairs() {
        let said = match upstream {
            CHAT => answer(CHAT, &chat, &json!("stop"), &counts(CHAT)),
            RESPONSES => answer(RESPONSES, &responses, &json!({}), &counts(RESPONSES)),
            MESSAGES => answer(MESSAGES, &messages, &json!("end_turn"), &counts(MESSAGES)),
            GEMINI => gemini.clone(),
        };
        let got = Talk::new(upstream, client).whole(&said);
        let wants = match client {
            CHAT => {
                let at = "/choices/0/message/annotations/0/url_citation";
                json!({format!("{at}/url"): url, format!("{at}/title"): "T", format!("{at}/start_index"): 6, format!("{at}/end_index"): 12})
            }
            RESPONSES => {
                let at = "/output/0/content/0/annotations/0";
                json!({format!("{at}/type"): "url_citation", format!("{at}/url"): url, format!("{at}/title"): "T",
                    format!("{at}/start_index"): 6, format!("{at}/end_index"): 12})
            }
            MESSAGES => json!({}),
            GEMINI => {
                let at = "/candidates/0/groundingMetadata";
                json!({format!("{at}/groundingChunks/0/web/uri"): url,
                    format!("{at}/groundingSupports/0/segment/startIndex"): 8,
                    format!("{at}/groundingSupports/0/segment/endIndex"): 14})
            }
        };
        assert_has("citation", upstream, client, &got, &wants, &mut faults);
        if client == MESSAGES {
            let cited: Vec<_> = got["content"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|block| block["citations"].is_array())
                .collect();
            let found = cited.first().map(|block| (&block["citations"][0]["url"], &block["text"]));
            if found.map(|(address, _)| address) != Some(&json!(url)) {
                faults.push(format!("citation: {upstream:?} to {client:?}: {found:?}\n    {got}"));
            }
        }
    }
    all_well(&faults);
}

#[test]
fn pictures() {
    let png = "iVBORw0KGgoAAAAA";
    let chat = json!({"role": "assistant", "content": "t", "images": [
        {"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{png}")}}]});
    let item = json!([{"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": png}]);
    let part = json!([{"inlineData": {"mimeType": "image/png", "data": png}}]);
    let mut faults = Vec::new();
    for (upstream, parts) in [(CHAT, chat), (RESPONSES, item), (GEMINI, part)] {
        let said = answer(upstream, &parts, &usual_end(upstream), &counts(upstream));
        for client in Dialect::ALL.into_iter().filter(|client| *client != upstream) {
            let got = Talk::new(upstream, client).whole(&said).to_string();
            let kept = got.contains(png);
            // Messages has no pictures in answers: a note stands for it.
            if kept != (client != MESSAGES) || (client == MESSAGES && !got.contains("image")) {
                faults.push(format!("picture: {upstream:?} to {client:?}\n    {got:.700}"));
            }
        }
    }
    all_well(&faults);
}

/// Gemini has sound in answers; to the others what was said is told in words, whole and streamed.
#[test]
fn sound() {
    let spoken = |audio: Value| json!({"role": "assistant", "content": null, "audio": audio});
    let note = "[The model made sound, which this API cannot carry.]";
    let mut faults = Vec::new();
    for (audio, words, in_gemini) in [
        (
            json!({"id": "au", "data": "AAAA", "transcript": "hey", "expires_at": 1}),
            "hey",
            "\"data\":\"AAAA\"",
        ),
        (json!({"id": "au", "data": "AAAA", "transcript": "hey"}), "hey", "\"mimeType\":\"audio/pcm\""),
        (json!({"id": "au", "transcript": "hey"}), "hey", "\"text\":\"hey\""),
        (json!({"id": "au", "data": "UklGRg=="}), note, "\"mimeType\":\"audio/wav\""),
    ] {
        let whole = answer(CHAT, &spoken(audio.clone()), &json!("stop"), &counts(CHAT));
        let streamed = format!(
            "data: {}\n\ndata: {}\n\ndata: [DONE]\n\n",
            json!({"choices": [{"index": 0, "delta": {"audio": audio}, "finish_reason": null}]}),
            json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
        );
        for client in [RESPONSES, MESSAGES, GEMINI] {
            let wanted =
                if client == GEMINI { in_gemini.to_owned() } else { format!("\"text\":\"{words}\"") };
            let (whole, streamed) =
                (Talk::new(CHAT, client).whole(&whole).to_string(), Talk::new(CHAT, client).bytes(&streamed));
            for got in [whole, streamed] {
                if !got.contains(&wanted) {
                    faults.push(format!("sound to {client:?}: {wanted}\n    {got:.900}"));
                }
            }
        }
    }
    all_well(&faults);
}

#[test]
fn tiers_and_log_probabilities() {
    let mut faults = Vec::new();
    let mut chat = answer(CHAT, &text(CHAT, "t"), &json!("stop"), &counts(CHAT));
    chat["service_tier"] = "priority".into();
    let mut responses = answer(RESPONSES, &text(RESPONSES, "t"), &json!({}), &counts(RESPONSES));
    responses["service_tier"] = "priority".into();
    let mut messages = answer(MESSAGES, &text(MESSAGES, "t"), &json!("end_turn"), &counts(MESSAGES));
    messages["usage"]["service_tier"] = "priority".into();
    let mut gemini = answer(GEMINI, &text(GEMINI, "t"), &json!("STOP"), &counts(GEMINI));
    gemini["usageMetadata"]["serviceTier"] = "priority".into();
    for (upstream, said) in [(CHAT, chat), (RESPONSES, responses), (MESSAGES, messages), (GEMINI, gemini)] {
        for client in Dialect::ALL.into_iter().filter(|client| *client != upstream) {
            let got = Talk::new(upstream, client).whole(&said);
            let wants = match client {
                CHAT | RESPONSES => json!({"/service_tier": "priority"}),
                MESSAGES => json!({"/usage/service_tier": "priority"}),
                GEMINI => json!({"/usageMetadata/serviceTier": "priority"}),
            };
            assert_has("tier", upstream, client, &got, &wants, &mut faults);
        }
    }
    let tokens = json!([{"token": "t", "logprob": -0.5, "bytes": [116], "top_logprobs": []}]);
    let mut chat = answer(CHAT, &text(CHAT, "t"), &json!("stop"), &counts(CHAT));
    chat["choices"][0]["logprobs"] = json!({"content": tokens, "refusal": null});
    let mut parts = text(RESPONSES, "t");
    parts[0]["content"][0]["logprobs"] = tokens;
    let responses = answer(RESPONSES, &parts, &json!({}), &counts(RESPONSES));
    let mut gemini = answer(GEMINI, &text(GEMINI, "t"), &json!("STOP"), &counts(GEMINI));
    gemini["candidates"][0]["logprobsResult"] =
        json!({"chosenCandidates": [{"token": "t", "logProbability": -0.5}], "topCandidates": []});
    for (upstream, said) in [(CHAT, chat), (RESPONSES, responses), (GEMINI, gemini)] {
        for client in Dialect::ALL.into_iter().filter(|client| *client != upstream) {
            let got = Talk::new(upstream, client).whole(&said);
            let wants = match client {
                CHAT => json!({"/choices/0/logprobs/content/0/logprob": -0.5}),
                RESPONSES => json!({"/output/0/content/0/logprobs/0/logprob": -0.5}),
                MESSAGES => json!({"/content/0/text": "t"}),
                GEMINI => json!({"/candidates/0/logprobsResult/chosenCandidates/0/logProbability": -0.5}),
            };
            assert_has("logprobs", upstream, client, &got, &wants, &mut faults);
        }
    }
    all_well(&faults);
}
