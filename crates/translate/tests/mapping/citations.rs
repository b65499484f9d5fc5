//! Sources that Gemini names at the end of an answer, for a text that stands anywhere in it.

use crate::{
    support::{CHAT, GEMINI, MESSAGES, RESPONSES},
    talk::Talk,
};
use byok_translate::{StreamReader, codec};
use byok_types::Dialect;
use serde_json::{Value, json};

/// "Grüße" are seven bytes and five characters; the second statement stands in the second text, if there is one.
fn sources() -> Value {
    let support = |start: usize, end: usize, text: &str| json!({"segment": {"startIndex": start, "endIndex": end, "text": text}, "groundingChunkIndices": [0]});
    json!({
        "groundingChunks": [{"web": {"uri": "http://u", "title": "ti"}}],
        "groundingSupports": [support(0, 7, "Grüße"), support(14, 18, "more")],
    })
}

/// An answer of these parts: whole, and as a stream with one part a chunk.
fn answer(parts: &[Value]) -> (Value, String) {
    let usage = json!({"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2});
    let object = |parts: &[Value], over: bool| {
        let mut candidate = json!({"index": 0, "content": {"role": "model", "parts": parts}});
        if over {
            candidate["finishReason"] = "STOP".into();
            candidate["groundingMetadata"] = sources();
        }
        json!({"candidates": [candidate], "usageMetadata": usage, "modelVersion": "up"})
    };
    let last = parts.len() - 1;
    let frame =
        |(at, part): (usize, &Value)| format!("data: {}\n\n", object(std::slice::from_ref(part), at == last));
    (object(parts, true), parts.iter().enumerate().map(frame).collect())
}

/// The cited words of a client's answer, whole or in the frames of a stream: what an annotation's place stands for.
fn cited(client: Dialect, told: &[Value]) -> Vec<String> {
    let words = |text: &str, place: &Value| {
        let at = |name: &str| usize::try_from(place[name].as_u64().unwrap()).unwrap();
        text.chars().take(at("end_index")).skip(at("start_index")).collect::<String>()
    };
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    match client {
        CHAT => {
            let said = |member: &'static str| {
                told.iter().filter_map(move |frame| {
                    let choice = frame.pointer("/choices/0")?;
                    choice
                        .pointer(&format!("/delta/{member}"))
                        .or(choice.pointer(&format!("/message/{member}")))
                        .cloned()
                })
            };
            let text: String = said("content").filter_map(|text| text.as_str().map(str::to_owned)).collect();
            said("annotations")
                .flat_map(|found| list(&found))
                .map(|found| words(&text, &found["url_citation"]))
                .collect()
        }
        RESPONSES => {
            let end = told.last().unwrap();
            let items = list(&end.get("response").unwrap_or(end)["output"]);
            let parts = items.iter().flat_map(|item| list(&item["content"]));
            parts
                .flat_map(|part| {
                    list(&part["annotations"]).into_iter().map(move |found| (part.clone(), found))
                })
                .map(|(part, found)| words(part["text"].as_str().unwrap(), &found))
                .collect()
        }
        _ => {
            let mut texts: Vec<(String, bool)> = Vec::new();
            for block in told.iter().flat_map(|answer| list(&answer["content"])) {
                texts.push((
                    block["text"].as_str().unwrap_or_default().to_owned(),
                    !block["citations"].is_null(),
                ));
            }
            for frame in told {
                match frame["type"].as_str() {
                    Some("content_block_start") => texts.push((String::new(), false)),
                    Some("content_block_delta") => {
                        let (delta, block) = (&frame["delta"], texts.last_mut().unwrap());
                        block.0.push_str(delta["text"].as_str().unwrap_or_default());
                        block.1 |= delta["type"] == "citations_delta";
                    }
                    _ => {}
                }
            }
            texts.into_iter().filter(|(_, is_cited)| *is_cited).map(|(text, _)| text).collect()
        }
    }
}

/// Whole answers say all of it, and so do streams of Chat. Streams of the others cannot cite a text that is over.
#[test]
fn a_text_is_cited_wherever_it_stands() {
    let text = json!({"text": "Grüße 😀 x"});
    let call = json!({"functionCall": {"name": "f", "args": {}}});
    let thought = json!({"text": "hm", "thought": true});
    let code = json!({"executableCode": {"language": "PYTHON", "code": "1"}});
    let result = json!({"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}});
    let more = json!({"text": "more"});
    let signed = json!({"text": "Grüße 😀 x", "thoughtSignature": "c2lnMQ=="});
    for (what, parts, all, late) in [
        ("the only part", vec![text.clone()], &["Grüße"][..], &["Grüße"][..]),
        ("the call comes with the sources", vec![text.clone(), call.clone()], &["Grüße"], &["Grüße"]),
        ("calls behind it", vec![text.clone(), call.clone(), call], &["Grüße"], &[]),
        ("code", vec![text.clone(), code, result, more.clone()], &["Grüße", "more"], &["more"]),
        ("a thought", vec![text, thought, more.clone()], &["Grüße", "more"], &["more"]),
        ("a signed text", vec![signed, more], &["Grüße", "more"], &["Grüße", "more"]),
    ] {
        let (whole, stream) = answer(&parts);
        for client in [CHAT, RESPONSES, MESSAGES] {
            // Messages cites whole blocks.
            let shown = |words: &[&str]| -> Vec<String> {
                let block = |word: &&str| if *word == "Grüße" { "Grüße 😀 x" } else { *word }.to_owned();
                if client == MESSAGES {
                    words.iter().map(block).collect()
                } else {
                    words.iter().map(|w| (*w).to_owned()).collect()
                }
            };
            let talk = Talk::new(GEMINI, client);
            assert_eq!(cited(client, &[talk.whole(&whole)]), shown(all), "{what}, {client:?}");
            let frames = talk.frames(&stream);
            let got = cited(client, &frames);
            let expected = if client == CHAT { all } else { late };
            assert_eq!(got, shown(expected), "{what}, {client:?}, stream\n{frames:?}");
            assert_eq!(is_lossy(&talk, &stream), expected.len() < all.len(), "{what}, {client:?}");
        }
    }
}

fn is_lossy(talk: &Talk, stream: &str) -> bool {
    let mut reader = StreamReader::new(&talk.exchange, 1 << 20);
    let mut encoder = codec::StreamEncoder::new(&talk.exchange);
    let (mut events, mut out) = (Vec::new(), Vec::new());
    reader.push(stream.as_bytes(), &mut events);
    reader.finish(&mut events);
    for event in events {
        encoder.push(event, &mut out);
    }
    encoder.losses().iter().any(|loss| loss.reason.starts_with("a citation came"))
}
