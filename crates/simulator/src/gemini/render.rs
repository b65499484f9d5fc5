//! Answers in the Gemini dialect: one response, or the responses that follow each other in a stream.

use crate::{
    answer::{Answer, Part, Source, Stop, Tokens},
    models::{self, Abilities, Maker},
    sse::{Frame, Role},
    vendor::Turn,
};
use serde_json::{Value, json};

/// The whole response.
pub(crate) fn whole(turn: &Turn<'_>) -> Value {
    if let Some(reason) = blocked(turn.answer) {
        return blocked_prompt(turn, reason);
    }
    let parts: Vec<Value> = parts(turn).into_iter().map(|part| part.whole).collect();
    let mut response = response(turn, &parts, turn.answer.tokens, true);
    add_grounding(&mut response, turn.answer);
    response
}

/// The responses of a stream; `array`: as the elements of one JSON array.
pub(crate) fn stream(turn: &Turn<'_>, array: bool) -> Vec<Frame> {
    let mut chunks: Vec<(Role, Value)> = Vec::new();
    if let Some(reason) = blocked(turn.answer) {
        chunks.push((Role::End, blocked_prompt(turn, reason)));
    } else {
        let mut spent = Tokens { output: 0, reasoning: 0, ..turn.answer.tokens };
        for part in parts(turn) {
            for piece in part.pieces {
                let thought = u64::from(piece["thought"] == true);
                spent.output = (spent.output + 1).min(turn.answer.tokens.output);
                spent.reasoning =
                    (spent.reasoning + thought).min(turn.answer.tokens.reasoning).min(spent.output);
                chunks.push((Role::Delta, response(turn, &[piece], spent, false)));
            }
        }
        let mut last = response(turn, &[json!({"text": ""})], turn.answer.tokens, true);
        if let Some(signature) = text_signature(turn) {
            last["candidates"][0]["content"]["parts"][0]["thoughtSignature"] = json!(signature);
        }
        add_grounding(&mut last, turn.answer);
        chunks.push((Role::End, last));
    }
    let last = chunks.len() - 1;
    chunks
        .into_iter()
        .enumerate()
        .map(|(number, (role, chunk))| {
            let text = if array {
                element(&chunk, number, number == last)
            } else {
                format!("data: {chunk}\r\n\r\n")
            };
            Frame { role, text }
        })
        .collect()
}

/// An error in the middle of a stream.
pub(crate) fn error_frame(document: &Value, number: usize, array: bool) -> String {
    if array { element(document, number, true) } else { format!("data: {document}\r\n\r\n") }
}

/// An element of the array that a stream without `alt=sse` is.
fn element(chunk: &Value, number: usize, last: bool) -> String {
    let before = if number == 0 { "[" } else { ",\r\n" };
    let after = if last { "]" } else { "" };
    format!("{before}{chunk:#}{after}")
}

/// The reason of a prompt that is blocked as a whole: `sim:stop block:REASON`.
fn blocked(answer: &Answer) -> Option<&str> {
    match &answer.stop {
        Stop::Verbatim(reason) => reason.strip_prefix("block:"),
        _ => None,
    }
}

fn blocked_prompt(turn: &Turn<'_>, reason: &str) -> Value {
    let tokens = Tokens { output: 0, reasoning: 0, ..turn.answer.tokens };
    json!({
        "promptFeedback": {"blockReason": reason}, "usageMetadata": usage(tokens),
        "modelVersion": turn.asked.model, "responseId": id(turn),
    })
}

fn id(turn: &Turn<'_>) -> String {
    turn.ids.base62("", 0, 22)
}

fn response(turn: &Turn<'_>, parts: &[Value], tokens: Tokens, last: bool) -> Value {
    let count = turn.body["generationConfig"]["candidateCount"].as_u64().unwrap_or(1).clamp(1, 8);
    let candidates: Vec<Value> = (0..count)
        .map(|index| {
            let mut candidate = json!({"content": {"role": "model", "parts": parts}, "index": index});
            if last {
                finish(&mut candidate, turn.answer);
            }
            candidate
        })
        .collect();
    json!({
        "candidates": candidates, "usageMetadata": usage(tokens), "modelVersion": turn.asked.model,
        "responseId": id(turn),
    })
}

fn finish(candidate: &mut Value, answer: &Answer) {
    let reason = match &answer.stop {
        Stop::End | Stop::Sequence(_) | Stop::Tools => "STOP",
        Stop::Length => "MAX_TOKENS",
        Stop::Refusal => "SAFETY",
        Stop::Verbatim(reason) => reason,
    };
    candidate["finishReason"] = json!(reason);
    if answer.stop == Stop::Refusal {
        candidate["safetyRatings"] = json!([
            {"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": true},
        ]);
    }
}

/// A part in its deltas and as a whole.
struct Rendered {
    pieces: Vec<Value>,
    whole: Value,
}

fn parts(turn: &Turn<'_>) -> Vec<Rendered> {
    let mut rendered = Vec::new();
    let mut signature = call_signature(turn);
    let mut calls = 0;
    for part in &turn.answer.parts {
        match part {
            Part::Thinking { pieces, .. } if pieces.is_empty() => {}
            Part::Thinking { pieces, .. } => rendered.push(Rendered {
                pieces: pieces.iter().map(|piece| json!({"text": piece, "thought": true})).collect(),
                whole: json!({"text": pieces.concat(), "thought": true}),
            }),
            Part::Text { pieces, .. } | Part::Refusal { pieces } => rendered.push(Rendered {
                pieces: pieces.iter().map(|piece| json!({"text": piece})).collect(),
                whole: json!({"text": pieces.concat()}),
            }),
            Part::Call(call) => {
                let arguments: Value = serde_json::from_str(&call.input).unwrap_or_else(|_| json!({}));
                let mut function = json!({"name": call.name, "args": arguments});
                if signs(turn) && call.named {
                    function["id"] = json!(turn.ids.base62("", 100 + calls, 8));
                }
                calls += 1;
                let mut whole = json!({"functionCall": function});
                if let Some(signature) = signature.take() {
                    whole["thoughtSignature"] = json!(signature);
                }
                rendered.push(Rendered { pieces: vec![whole.clone()], whole });
            }
            Part::Search { .. } => {}
        }
    }
    if let (Some(signature), Some(last)) = (text_signature(turn), rendered.last_mut()) {
        last.whole["thoughtSignature"] = json!(signature);
    }
    rendered
}

/// Whether the model signs its calls and has them back signed.
fn signs(turn: &Turn<'_>) -> bool {
    let model = models::find(Maker::Google, &turn.asked.model);
    model.is_some_and(|model| matches!(model.abilities, Abilities::Google(google) if google.call_signatures))
}

fn has_calls(answer: &Answer) -> bool {
    answer.parts.iter().any(|part| matches!(part, Part::Call(_)))
}

fn thoughts(answer: &Answer) -> Option<String> {
    answer.parts.iter().find_map(|part| match part {
        Part::Thinking { pieces, .. } => Some(pieces.concat()),
        _ => None,
    })
}

/// The signature of the first call.
fn call_signature(turn: &Turn<'_>) -> Option<String> {
    let thoughts = thoughts(turn.answer);
    (has_calls(turn.answer) && (signs(turn) || thoughts.is_some()))
        .then(|| turn.world.seal.issue(Maker::Google, None, &thoughts.unwrap_or_default()))
}

/// The signature behind a text that was thought about.
fn text_signature(turn: &Turn<'_>) -> Option<String> {
    let thoughts = thoughts(turn.answer).filter(|_| !has_calls(turn.answer))?;
    Some(turn.world.seal.issue(Maker::Google, None, &thoughts))
}

/// Token counts; Google leaves zeros out.
fn usage(tokens: Tokens) -> Value {
    let visible = tokens.output.saturating_sub(tokens.reasoning);
    let mut usage = json!({"promptTokenCount": tokens.input});
    for (name, value) in [
        ("cachedContentTokenCount", tokens.cached),
        ("candidatesTokenCount", visible),
        ("thoughtsTokenCount", tokens.reasoning),
    ] {
        if value > 0 {
            usage[name] = json!(value);
        }
    }
    usage["totalTokenCount"] = json!(tokens.input + tokens.output);
    usage["promptTokensDetails"] = json!([{"modality": "TEXT", "tokenCount": tokens.input}]);
    usage
}

fn add_grounding(response: &mut Value, answer: &Answer) {
    let found = answer.parts.iter().find_map(|part| match part {
        Part::Search { query, sources } => Some((query, sources)),
        _ => None,
    });
    let Some((query, sources)) = found else { return };
    let text: String = answer
        .parts
        .iter()
        .filter(|part| matches!(part, Part::Text { .. }))
        .map(|part| part.pieces().concat())
        .collect();
    let chunk =
        |source: &Source| json!({"web": {"uri": source.url, "title": source.title, "domain": "example.com"}});
    let chunks: Vec<Value> = sources.iter().map(chunk).collect();
    let indices: Vec<usize> = (0..sources.len()).collect();
    // Offsets are bytes of UTF-8.
    response["candidates"][0]["groundingMetadata"] = json!({
        "webSearchQueries": [query],
        "searchEntryPoint": {"renderedContent": "<div>simulated</div>"},
        "groundingChunks": chunks,
        "groundingSupports": [{
            "segment": {"startIndex": 0, "endIndex": text.len(), "text": text},
            "groundingChunkIndices": indices,
        }],
    });
}
