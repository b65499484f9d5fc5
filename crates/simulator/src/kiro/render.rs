//! An answer as frames of AWS's event stream, written by hand: length, checksum, headers, payload, checksum.

use crate::{
    answer::{Answer, Part, Stop},
    ids::Ids,
    models::Maker,
    sse::Item,
    world::World,
};
use flate2::Crc;
use serde_json::{Value, json};

fn crc(bytes: &[u8]) -> [u8; 4] {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum().to_be_bytes()
}

fn header(out: &mut Vec<u8>, name: &str, value: &str) {
    out.push(u8::try_from(name.len()).unwrap_or(0));
    out.extend_from_slice(name.as_bytes());
    out.push(7);
    out.extend_from_slice(&u16::try_from(value.len()).unwrap_or(0).to_be_bytes());
    out.extend_from_slice(value.as_bytes());
}

fn frame(headers: &[(&str, &str)], payload: &Value) -> Vec<u8> {
    let mut named = Vec::new();
    for (name, value) in headers {
        header(&mut named, name, value);
    }
    let payload = payload.to_string();
    let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes();
    let mut out = Vec::with_capacity(named.len() + payload.len() + 16);
    out.extend_from_slice(&length(named.len() + payload.len() + 16));
    out.extend_from_slice(&length(named.len()));
    let prelude = crc(&out);
    out.extend_from_slice(&prelude);
    out.extend_from_slice(&named);
    out.extend_from_slice(payload.as_bytes());
    let all = crc(&out);
    out.extend_from_slice(&all);
    out
}

fn event(kind: &str, payload: &Value) -> Vec<u8> {
    frame(
        &[(":event-type", kind), (":content-type", "application/json"), (":message-type", "event")],
        payload,
    )
}

/// An exception in the stream.
pub(super) fn exception(name: &str, payload: &Value) -> Vec<u8> {
    let name = format!("{name}Exception");
    frame(
        &[(":exception-type", &name), (":content-type", "application/json"), (":message-type", "exception")],
        payload,
    )
}

/// The frames of an answer.
pub(super) fn frames(world: &World, answer: &Answer, ids: Ids, model: &str, context: u64) -> Vec<Item> {
    let mut items = Vec::new();
    let mut put = |kind: &str, payload: &Value, delta: bool| {
        items.push(Item::Bytes { bytes: event(kind, payload), delta });
    };
    put(
        "messageMetadataEvent",
        &json!({"conversationId": ids.hex("", 0, 32), "utteranceId": ids.hex("", 1, 32)}),
        false,
    );
    for (number, part) in answer.parts.iter().enumerate() {
        match part {
            Part::Thinking { pieces, redacted } => {
                let signature = world.seal.issue(Maker::Anthropic, None, &pieces.concat());
                if *redacted {
                    put("reasoningContentEvent", &json!({"redactedContent": signature}), true);
                    continue;
                }
                for piece in pieces {
                    put("reasoningContentEvent", &json!({"text": piece}), true);
                }
                put("reasoningContentEvent", &json!({"signature": signature}), false);
            }
            Part::Text { pieces, .. } | Part::Refusal { pieces } => {
                for piece in pieces {
                    put("assistantResponseEvent", &json!({"content": piece, "modelId": model}), true);
                }
            }
            Part::Call(call) => {
                let id = ids.base62("tooluse_", number, 22);
                put("toolUseEvent", &json!({"toolUseId": id, "name": call.name}), false);
                for piece in &call.pieces {
                    put("toolUseEvent", &json!({"toolUseId": id, "name": call.name, "input": piece}), true);
                }
                put("toolUseEvent", &json!({"toolUseId": id, "name": call.name, "stop": true}), false);
            }
            Part::Search { .. } => {}
        }
    }
    let tokens = answer.tokens;
    #[expect(clippy::cast_precision_loss, reason = "a percentage")]
    let percentage = (tokens.input + tokens.output) as f64 * 100.0 / context as f64;
    put("contextUsageEvent", &json!({"contextUsagePercentage": percentage}), false);
    put("meteringEvent", &json!({"usage": 0.01, "unit": "credit", "unitPlural": "credits"}), false);
    let usage = json!({
        "uncachedInputTokens": tokens.input - tokens.cached.min(tokens.input), "cacheReadInputTokens": tokens.cached,
        "outputTokens": tokens.output, "totalTokens": tokens.input + tokens.output,
    });
    put("metadataEvent", &json!({"tokenUsage": usage}), false);
    if answer.stop == Stop::Length {
        let said = json!({"message": "The response is longer than allowed."});
        items.push(Item::Bytes { bytes: exception("ContentLengthExceeded", &said), delta: false });
    }
    items
}
