//! Bends JSON, alone or in the frames of a stream, so that most inputs get past the parser.

use serde_json::{Map, Value, json};

/// A generator of numbers that needs no crate; good enough to choose with.
#[derive(Clone, Copy, Debug)]
pub struct Chance(u64);

impl Chance {
    /// A generator that gives the same numbers for the same seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `limit`, 0 for 0.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap_or_default() % limit.max(1)
    }
}

/// Another input made from this one.
pub fn mutate(data: &[u8], seed: u32) -> Vec<u8> {
    let mut chance = Chance::new(seed.into());
    let (head, body) = data.split_at(data.len().min(2));
    let mut head = head.to_vec();
    for byte in &mut head {
        if chance.below(8) == 0 {
            *byte = u8::try_from(chance.below(256)).unwrap_or_default();
        }
    }
    if let Ok(mut value) = serde_json::from_slice::<Value>(body) {
        for _ in 0..=chance.below(3) {
            bend(&mut value, &mut chance);
        }
        head.extend_from_slice(value.to_string().as_bytes());
        return head;
    }
    let text = String::from_utf8_lossy(body);
    let mut frames: Vec<String> = text.split_inclusive("\n\n").map(str::to_owned).collect();
    for _ in 0..=chance.below(3) {
        bend_frames(&mut frames, &mut chance);
    }
    head.extend_from_slice(frames.concat().as_bytes());
    head
}

fn bend_frames(frames: &mut Vec<String>, chance: &mut Chance) {
    if frames.is_empty() {
        frames.push("data: {}\n\n".to_owned());
    }
    let (at, other) = (chance.below(frames.len()), chance.below(frames.len()));
    match chance.below(10) {
        0 => drop(frames.remove(at)),
        1 => frames.insert(other, frames[at].clone()),
        2 => frames.swap(at, other),
        3 => frames.truncate(at + 1),
        _ => {
            let Some((before, data)) = frames[at].split_once("data: ") else { return };
            let end = &data[data.trim_end().len()..];
            if let Ok(mut value) = serde_json::from_str::<Value>(data.trim_end()) {
                bend(&mut value, chance);
                frames[at] = format!("{before}data: {value}{end}");
            }
        }
    }
}

/// Changes one thing somewhere in the value.
fn bend(value: &mut Value, chance: &mut Chance) {
    let donor = pick(value, chance).clone();
    let word = word(value, chance);
    let spot = pick_mut(value, chance);
    match chance.below(8) {
        0 => *spot = odd(chance),
        1 => *spot = donor,
        2 => *spot = Value::String(word),
        _ => match spot {
            Value::Array(list) => {
                let at = chance.below(list.len());
                match chance.below(4) {
                    0 if !list.is_empty() => drop(list.remove(at)),
                    1 if !list.is_empty() => list.insert(at, list[at].clone()),
                    2 => list.push(donor),
                    _ => list.reverse(),
                }
            }
            Value::Object(map) => bend_object(map, donor, word, chance),
            Value::String(text) => match chance.below(5) {
                0 => text.clear(),
                1 => text.push_str("\u{2028}\"\\\u{1F642}STOP"),
                2 => text.insert_str(0, "{\"a\":"),
                3 => *text = " ".to_owned(),
                _ => *text = word,
            },
            Value::Number(_) => *spot = odd(chance),
            Value::Bool(flag) => *flag = !*flag,
            Value::Null => *spot = donor,
        },
    }
}

fn bend_object(map: &mut Map<String, Value>, donor: Value, word: String, chance: &mut Chance) {
    let key = map.keys().nth(chance.below(map.len())).cloned();
    match (key, chance.below(4)) {
        (Some(key), 0) => drop(map.shift_remove(&key)),
        (Some(key), 1) => {
            let value = map.shift_remove(&key).unwrap_or_default();
            map.insert(word, value);
        }
        (Some(key), 2) => drop(map.insert(key, donor)),
        _ => drop(map.insert(word, donor)),
    }
}

/// A word that means something: a key or a value of this text, or one of the dialects.
fn word(value: &Value, chance: &mut Chance) -> String {
    match (pick(value, chance), chance.below(2)) {
        (Value::String(text), 0) => text.clone(),
        (Value::Object(map), 0) if !map.is_empty() => {
            map.keys().nth(chance.below(map.len())).cloned().unwrap_or_default()
        }
        _ => WORDS[chance.below(WORDS.len())].to_owned(),
    }
}

fn odd(chance: &mut Chance) -> Value {
    let all = [
        json!(null),
        json!(0),
        json!(-1),
        json!(1),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1e308),
        json!(0.5),
        json!(""),
        json!([]),
        json!({}),
        json!([{}]),
        json!([[]]),
        json!({"type": "text", "text": "x"}),
        json!(true),
        json!("f"),
        json!(5_000_000_000_u64),
        json!("{}"),
    ];
    all[chance.below(all.len())].clone()
}

fn pick<'a>(value: &'a Value, chance: &mut Chance) -> &'a Value {
    let inner: Vec<&Value> = match value {
        Value::Array(list) => list.iter().collect(),
        Value::Object(map) => map.values().collect(),
        _ => return value,
    };
    if inner.is_empty() || chance.below(5) == 0 {
        return value;
    }
    pick(inner[chance.below(inner.len())], chance)
}

fn pick_mut<'a>(value: &'a mut Value, chance: &mut Chance) -> &'a mut Value {
    let stop = chance.below(5) == 0;
    let count = match value {
        Value::Array(list) => list.len(),
        Value::Object(map) => map.len(),
        _ => 0,
    };
    if count == 0 || stop {
        return value;
    }
    let at = chance.below(count);
    let inner = match value {
        Value::Array(list) => list.get_mut(at),
        Value::Object(map) => map.values_mut().nth(at),
        _ => None,
    };
    match inner {
        Some(inner) => pick_mut(inner, chance),
        None => unreachable!("there are as many values as were counted"),
    }
}

/// Words of the four dialects.
const WORDS: [&str; 172] = [
    "type",
    "role",
    "content",
    "text",
    "name",
    "id",
    "index",
    "user",
    "assistant",
    "system",
    "developer",
    "tool",
    "function",
    "tool_calls",
    "tool_call_id",
    "arguments",
    "tool_use",
    "tool_result",
    "tool_use_id",
    "input",
    "thinking",
    "signature",
    "redacted_thinking",
    "data",
    "image",
    "source",
    "base64",
    "url",
    "image_url",
    "input_text",
    "output_text",
    "input_image",
    "input_file",
    "input_audio",
    "file",
    "file_id",
    "refusal",
    "reasoning",
    "reasoning_content",
    "summary",
    "encrypted_content",
    "function_call",
    "function_call_output",
    "call_id",
    "custom_tool_call",
    "custom_tool_call_output",
    "message",
    "output",
    "model",
    "messages",
    "contents",
    "parts",
    "functionCall",
    "functionResponse",
    "args",
    "response",
    "thought",
    "thoughtSignature",
    "inlineData",
    "mimeType",
    "fileData",
    "fileUri",
    "executableCode",
    "codeExecutionResult",
    "systemInstruction",
    "generationConfig",
    "tools",
    "functionDeclarations",
    "parametersJsonSchema",
    "tool_choice",
    "auto",
    "none",
    "any",
    "required",
    "finish_reason",
    "finishReason",
    "stop",
    "length",
    "STOP",
    "MAX_TOKENS",
    "SAFETY",
    "MALFORMED_FUNCTION_CALL",
    "stop_reason",
    "end_turn",
    "max_tokens",
    "usage",
    "usageMetadata",
    "prompt_tokens",
    "completion_tokens",
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "promptTokenCount",
    "candidatesTokenCount",
    "thoughtsTokenCount",
    "candidates",
    "choices",
    "delta",
    "error",
    "code",
    "status",
    "content_filter",
    "incomplete",
    "completed",
    "failed",
    "in_progress",
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
    "ping",
    "text_delta",
    "input_json_delta",
    "thinking_delta",
    "signature_delta",
    "citations_delta",
    "partial_json",
    "content_block",
    "response.created",
    "response.output_item.added",
    "response.output_item.done",
    "response.output_text.delta",
    "response.function_call_arguments.delta",
    "response.content_part.added",
    "response.content_part.done",
    "response.completed",
    "response.incomplete",
    "response.failed",
    "item",
    "item_id",
    "output_index",
    "content_index",
    "summary_index",
    "sequence_number",
    "annotations",
    "citations",
    "logprobs",
    "stop_sequence",
    "stop_sequences",
    "response_format",
    "json_schema",
    "schema",
    "strict",
    "cache_control",
    "ephemeral",
    "ttl",
    "is_error",
    "server_tool_use",
    "web_search_tool_result",
    "web_search_call",
    "item_reference",
    "previous_response_id",
    "compaction",
    "caller",
    "namespace",
    "custom",
    "a.b",
    "f",
    "prompt_tokens_details",
    "cached_tokens",
    "reasoning_details",
    "extra_content",
    "audio",
    "modelVersion",
    "responseId",
    "groundingMetadata",
    "promptFeedback",
    "blockReason",
    "willContinue",
    "byok1:openai::QUJD",
];
