//! What a Gemini client takes, checked on the bytes. Shares nothing with the encoder.

use serde_json::{Map, Value};

const FINISH: [&str; 17] = [
    "STOP",
    "MAX_TOKENS",
    "SAFETY",
    "RECITATION",
    "LANGUAGE",
    "OTHER",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "MALFORMED_FUNCTION_CALL",
    "IMAGE_SAFETY",
    "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS",
    "IMAGE_PROHIBITED_CONTENT",
    "NO_IMAGE",
    "IMAGE_RECITATION",
    "IMAGE_OTHER",
];

const DATA: [&str; 8] = [
    "text",
    "inlineData",
    "fileData",
    "functionCall",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
];

const STATUS: [&str; 11] = [
    "INVALID_ARGUMENT",
    "FAILED_PRECONDITION",
    "UNAUTHENTICATED",
    "PERMISSION_DENIED",
    "NOT_FOUND",
    "ABORTED",
    "RESOURCE_EXHAUSTED",
    "CANCELLED",
    "INTERNAL",
    "UNAVAILABLE",
    "DEADLINE_EXCEEDED",
];

/// Checks a whole stream: server-sent events, or one JSON array.
pub(crate) fn check(bytes: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(bytes).map_err(|e| e.to_string())?;
    let chunks = if text.starts_with('[') {
        serde_json::from_str::<Vec<Value>>(text).map_err(|e| format!("not an array: {e}"))?
    } else {
        frames(text)?
    };
    let Some((last, before)) = chunks.split_last() else { return Err("nothing was sent".into()) };
    let mut seen = Vec::new();
    for chunk in before {
        seen.extend(middle(chunk)?);
    }
    if last.get("error").is_some() { failure(last) } else { end(last, &seen) }
}

/// Checks a whole answer that is not a stream.
pub(crate) fn check_answer(bytes: &[u8]) -> Result<(), String> {
    let answer: Value = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
    end(&answer, &[])
}

fn frames(text: &str) -> Result<Vec<Value>, String> {
    let body = text.strip_suffix("\r\n\r\n").ok_or("the last event has no blank line")?;
    let read = |frame: &str| {
        let data = frame.strip_prefix("data: ").ok_or_else(|| format!("not a data line: {frame}"))?;
        if data.contains(['\r', '\n']) {
            return Err(format!("more than one line: {data}"));
        }
        serde_json::from_str(data).map_err(|e| format!("{e}: {data}"))
    };
    body.split("\r\n\r\n").map(read).collect()
}

fn object<'v>(value: &'v Value, name: &str) -> Result<&'v Map<String, Value>, String> {
    value.get(name).and_then(Value::as_object).ok_or_else(|| format!("no object `{name}` in {value}"))
}

fn known(object: &Map<String, Value>, names: &[&str]) -> Result<(), String> {
    match object.keys().find(|key| !names.contains(&key.as_str())) {
        Some(key) => Err(format!("unknown name `{key}`")),
        None => Ok(()),
    }
}

/// A chunk that is not the last; returns the candidates in it.
fn middle(chunk: &Value) -> Result<Vec<u64>, String> {
    let fields = chunk.as_object().ok_or("a chunk is an object")?;
    known(fields, &["candidates", "modelVersion", "responseId"])?;
    envelope(chunk)?;
    let candidates = chunk["candidates"].as_array().filter(|list| !list.is_empty()).ok_or("no candidates")?;
    let read = |candidate: &Value| {
        known(candidate.as_object().ok_or("a candidate is an object")?, &["content", "index"])?;
        content(candidate, false)
    };
    candidates.iter().map(read).collect()
}

fn envelope(chunk: &Value) -> Result<(), String> {
    for name in ["modelVersion", "responseId"] {
        if chunk[name].as_str().is_none_or(str::is_empty) {
            return Err(format!("no `{name}`"));
        }
    }
    Ok(())
}

fn end(chunk: &Value, seen: &[u64]) -> Result<(), String> {
    let fields = chunk.as_object().ok_or("a chunk is an object")?;
    known(
        fields,
        &["candidates", "promptFeedback", "modelStatus", "usageMetadata", "modelVersion", "responseId"],
    )?;
    envelope(chunk)?;
    usage(object(chunk, "usageMetadata")?)?;
    let Some(candidates) = chunk.get("candidates") else {
        let blocked = object(chunk, "promptFeedback")?.contains_key("blockReason") && seen.is_empty();
        return if blocked { Ok(()) } else { Err("neither candidates nor a refused prompt".into()) };
    };
    let candidates = candidates.as_array().filter(|list| !list.is_empty()).ok_or("no candidates")?;
    let mut ended = Vec::new();
    for candidate in candidates {
        ended.push(content(candidate, true)?);
        let reason = candidate["finishReason"].as_str().ok_or("no finish reason")?;
        if !FINISH.contains(&reason) {
            return Err(format!("`{reason}` is not a finish reason"));
        }
    }
    if ended.windows(2).any(|pair| pair[0] >= pair[1]) || seen.iter().any(|index| !ended.contains(index)) {
        return Err(format!("candidates {seen:?} ended as {ended:?}"));
    }
    Ok(())
}

/// The content of a candidate; returns its index.
fn content(candidate: &Value, last: bool) -> Result<u64, String> {
    let index = candidate["index"].as_u64().ok_or("no index")?;
    let content = object(candidate, "content")?;
    known(content, &["role", "parts"])?;
    if content["role"] != "model" {
        return Err("the role is not `model`".into());
    }
    let parts = content["parts"].as_array().filter(|list| !list.is_empty()).ok_or("no parts")?;
    if !last && parts.len() != 1 {
        return Err("a delta has one part".into());
    }
    parts.iter().try_for_each(part)?;
    Ok(index)
}

fn part(part: &Value) -> Result<(), String> {
    let fields = part.as_object().ok_or("a part is an object")?;
    let data: Vec<_> = fields.keys().filter(|key| DATA.contains(&key.as_str())).collect();
    if data.len() != 1 {
        return Err(format!("a part has one kind of data: {part}"));
    }
    if fields.get("thought").is_some_and(|thought| thought != true || data[0] != "text") {
        return Err(format!("only texts are thoughts: {part}"));
    }
    if let Some(signature) = fields.get("thoughtSignature") {
        let signature = signature.as_str().ok_or("a signature is a string")?;
        let base64 = |b: u8| b.is_ascii_alphanumeric() || b"+/-_=".contains(&b);
        if signature.is_empty() || !signature.bytes().all(base64) {
            return Err(format!("`{signature}` is not base64"));
        }
    }
    match data[0].as_str() {
        "text" if !fields["text"].is_string() => Err("a text is a string".into()),
        "functionCall" => {
            let call = object(part, "functionCall")?;
            known(call, &["id", "name", "args"])?;
            object(&part["functionCall"], "args")?;
            let named = call["name"].as_str().is_some_and(|name| !name.is_empty());
            if named { Ok(()) } else { Err("a call has a name".into()) }
        }
        "inlineData" => {
            let data = object(part, "inlineData")?;
            let both = data["mimeType"].is_string() && data["data"].is_string();
            if both { Ok(()) } else { Err(format!("bad bytes: {part}")) }
        }
        _ => Ok(()),
    }
}

fn usage(usage: &Map<String, Value>) -> Result<(), String> {
    let count =
        |name: &str| usage.get(name).map_or(Some(0), Value::as_u64).ok_or(format!("`{name}` is no count"));
    let parts = ["promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "toolUsePromptTokenCount"];
    let mut sum = 0_u64;
    for name in parts {
        sum = sum.saturating_add(count(name)?);
    }
    if !usage.contains_key("promptTokenCount") || count("totalTokenCount")? != sum {
        return Err(format!("the total is not the sum: {usage:?}"));
    }
    Ok(())
}

fn failure(chunk: &Value) -> Result<(), String> {
    known(chunk.as_object().ok_or("an error is an object")?, &["error"])?;
    let error = object(chunk, "error")?;
    known(error, &["code", "message", "status", "details"])?;
    let code = error.get("code").and_then(Value::as_u64).is_some_and(|code| (400..600).contains(&code));
    let status = error.get("status").and_then(Value::as_str).is_some_and(|status| STATUS.contains(&status));
    let message = error.get("message").is_some_and(Value::is_string);
    if code && status && message { Ok(()) } else { Err(format!("bad error: {chunk}")) }
}
