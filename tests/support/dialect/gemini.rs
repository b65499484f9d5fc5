//! Gemini `generateContent`.

use crate::support::{
    ask::{Ask, Called, Choice, Fault, Piece, Said, Think, Turn, Usage, demand, list, number, text},
    sse,
};
use serde_json::{Map, Value, json};

const REASONS: [&str; 8] = [
    "STOP",
    "MAX_TOKENS",
    "SAFETY",
    "RECITATION",
    "OTHER",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "MALFORMED_FUNCTION_CALL",
];

pub fn target(ask: &Ask) -> String {
    let method = if ask.stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
    format!("/v1beta/models/{}:{method}", ask.model)
}

pub fn body(ask: &Ask) -> Value {
    let mut contents = Vec::new();
    for turn in &ask.turns {
        match turn {
            Turn::User(pieces) => contents.push(json!({"role": "user", "parts": parts(pieces)})),
            Turn::Said(kept) => contents.push(json!({"role": "model", "parts": kept})),
            Turn::Results(outcomes) => {
                let parts: Vec<Value> = outcomes
                    .iter()
                    .map(|o| {
                        let mut response = json!({"name": o.name, "response": {"output": o.text}});
                        if !o.id.is_empty() {
                            response["id"] = json!(o.id);
                        }
                        json!({"functionResponse": response})
                    })
                    .collect();
                contents.push(json!({"role": "user", "parts": parts}));
            }
            Turn::System(text) => contents.push(json!({"role": "user", "parts": [{"text": text}]})),
        }
    }
    let mut body = Map::new();
    let mut set = |name: &str, value: Value| drop(body.insert(name.to_owned(), value));
    let system: Vec<Value> =
        ask.system.iter().chain(&ask.developer).map(|text| json!({"text": text})).collect();
    if !system.is_empty() {
        set("systemInstruction", json!({"parts": system}));
    }
    set("contents", json!(contents));
    if !ask.tools.is_empty() {
        let declared = ask.tools.iter().map(
            |tool| json!({"name": tool.name, "description": "A tool.", "parametersJsonSchema": tool.parameters}),
        );
        set("tools", json!([{"functionDeclarations": declared.collect::<Vec<_>>()}]));
    }
    let choice = match &ask.choice {
        Choice::Unset => Value::Null,
        Choice::None => json!({"mode": "NONE"}),
        Choice::Any => json!({"mode": "ANY"}),
        Choice::Named(name) => json!({"mode": "ANY", "allowedFunctionNames": [name]}),
    };
    if !choice.is_null() {
        set("toolConfig", json!({"functionCallingConfig": choice}));
    }
    let mut config = Map::new();
    match ask.think {
        None => {}
        Some(Think::Effort(effort)) => {
            let thinking = json!({"thinkingLevel": effort.to_uppercase(), "includeThoughts": true});
            config.insert("thinkingConfig".to_owned(), thinking);
        }
        Some(Think::Budget(tokens)) => {
            let thinking = json!({"thinkingBudget": tokens, "includeThoughts": true});
            config.insert("thinkingConfig".to_owned(), thinking);
        }
    }
    if !ask.stops.is_empty() {
        config.insert("stopSequences".to_owned(), json!(ask.stops));
    }
    if let Some(schema) = &ask.schema {
        config.insert("responseMimeType".to_owned(), json!("application/json"));
        config.insert("responseJsonSchema".to_owned(), schema.clone());
    }
    if let Some(most) = ask.max_tokens {
        config.insert("maxOutputTokens".to_owned(), json!(most));
    }
    if !config.is_empty() {
        set("generationConfig", Value::Object(config));
    }
    body.extend(ask.extra.clone());
    Value::Object(body)
}

fn parts(pieces: &[Piece]) -> Value {
    let parts = pieces.iter().map(|piece| match piece {
        Piece::Text(text) => json!({"text": text}),
        Piece::Image(kind, data) => json!({"inlineData": {"mimeType": kind, "data": data}}),
        Piece::Link(url) => json!({"fileData": {"mimeType": "image/png", "fileUri": url}}),
    });
    parts.collect()
}

pub fn whole(body: &Value) -> Result<Said, String> {
    let mut said = Said::default();
    said.chunk(body)?;
    said.ended(body)?;
    Ok(said)
}

/// An answer in event frames, or in one JSON array.
pub fn stream(bytes: &[u8]) -> Result<Said, String> {
    let documents: Vec<Value> = if bytes.first() == Some(&b'[') {
        serde_json::from_slice(bytes).map_err(|error| error.to_string())?
    } else {
        let mut documents = Vec::new();
        for event in sse::events(bytes)? {
            demand(event.name.is_none(), || format!("an event with a name: {event:?}"))?;
            documents.push(event.json()?);
        }
        documents
    };
    let mut said = Said::default();
    let last = documents.last().ok_or("an empty stream")?.clone();
    let count = documents.len();
    for (number, document) in documents.iter().enumerate() {
        if !document["error"].is_null() {
            demand(number + 1 == count, || "something after an error".to_owned())?;
            said.error = Some(fault(document)?);
            return Ok(said);
        }
        demand(said.stop.is_empty(), || format!("a chunk after the finish: {document}"))?;
        said.chunk(document).map_err(|error| format!("{error}: {document}"))?;
    }
    said.ended(&last)?;
    Ok(said)
}

impl Said {
    fn chunk(&mut self, document: &Value) -> Result<(), String> {
        let model = text(document, "modelVersion")?;
        demand(self.model.is_empty() || self.model == model, || "the model changed".to_owned())?;
        model.clone_into(&mut self.model);
        demand(!text(document, "responseId")?.is_empty(), || "an empty responseId".to_owned())?;
        if let Some(reason) = document["promptFeedback"]["blockReason"].as_str() {
            "blocked".clone_into(&mut self.stop);
            reason.clone_into(&mut self.refusal);
            return Ok(());
        }
        let candidate = list(document, "candidates")?.first().ok_or("there is no candidate")?;
        demand(number(candidate, "index")? == 0, || "the first candidate must have index 0".to_owned())?;
        if let Some(content) = candidate.get("content") {
            demand(content["role"] == "model", || "the role must be model".to_owned())?;
            for part in content["parts"].as_array().into_iter().flatten() {
                self.part(part)?;
            }
        }
        if let Some(reason) = candidate["finishReason"].as_str() {
            demand(REASONS.contains(&reason), || format!("`{reason}` is no finishReason"))?;
            reason.clone_into(&mut self.stop);
        }
        Ok(())
    }

    fn part(&mut self, part: &Value) -> Result<(), String> {
        self.blob |= part["thoughtSignature"].as_str().is_some_and(|blob| !blob.is_empty());
        if let Some(call) = part.get("functionCall") {
            demand(call["args"].is_object(), || format!("arguments that are no object: {part}"))?;
            self.calls.push(Called {
                id: call["id"].as_str().unwrap_or_default().to_owned(),
                name: text(call, "name")?.to_owned(),
                arguments: call["args"].clone(),
            });
        } else if let Some(code) = part.get("executableCode") {
            let language = code["language"].as_str();
            demand(matches!(language, Some("PYTHON" | "LANGUAGE_UNSPECIFIED")), || {
                format!("code without its language: {part}")
            })?;
            text(code, "code")?;
        } else if let Some(result) = part.get("codeExecutionResult") {
            demand(text(result, "outcome")?.starts_with("OUTCOME_"), || format!("a wrong outcome: {part}"))?;
        } else if let Some(data) = part.get("inlineData") {
            demand(text(data, "mimeType")?.contains('/'), || format!("data without its type: {part}"))?;
            demand(!text(data, "data")?.is_empty(), || format!("empty data: {part}"))?;
        } else {
            let piece = text(part, "text")?;
            if part["thought"] == true {
                self.thinking.push_str(piece);
            } else {
                self.deltas += usize::from(!piece.is_empty());
                self.text.push_str(piece);
            }
        }
        // The SDKs leave empty texts out, which the vendor refuses; a signature makes one worth keeping.
        if part["text"] != "" || part.get("thoughtSignature").is_some() {
            self.kept.push(part.clone());
        }
        Ok(())
    }

    fn ended(&mut self, last: &Value) -> Result<(), String> {
        demand(!self.stop.is_empty(), || "the answer has no finishReason".to_owned())?;
        self.usage = usage(&last["usageMetadata"])?;
        if self.stop == "SAFETY" {
            self.refusal = self.text.clone();
        }
        Ok(())
    }
}

fn usage(usage: &Value) -> Result<Usage, String> {
    let some = |name: &str| usage[name].as_u64().unwrap_or(0);
    let input = number(usage, "promptTokenCount")? + some("toolUsePromptTokenCount");
    let reasoning = some("thoughtsTokenCount");
    let output = some("candidatesTokenCount") + reasoning;
    demand(number(usage, "totalTokenCount")? == input + output, || format!("the total is no sum: {usage}"))?;
    Ok(Usage { input, cached: some("cachedContentTokenCount"), output, reasoning })
}

pub fn fault(body: &Value) -> Result<Fault, String> {
    let error = &body["error"];
    Ok(Fault {
        kind: text(error, "status")?.to_owned(),
        code: number(error, "code")?.to_string(),
        message: text(error, "message")?.to_owned(),
        ..Fault::default()
    })
}
