//! What a `generateContent` request asks for.

use crate::{
    asked::{Asked, Choice, Declared, Dialogue, Media, Thought, ToolAnswer, prompt_of},
    vendor::Target,
};
use serde_json::Value;

/// Reads a request that has been checked.
pub(crate) fn read(body: &Value, target: &Target) -> Asked {
    let config = &body["generationConfig"];
    let json_wanted = config["responseMimeType"] == "application/json";
    let schema = ["responseSchema", "responseJsonSchema"].into_iter().find_map(|name| config.get(name));
    let mut asked = Asked {
        model: target.model.clone().unwrap_or_default(),
        stream: target.stream == Some(true),
        max_tokens: config["maxOutputTokens"].as_u64().and_then(|n| usize::try_from(n).ok()),
        stops: names(&config["stopSequences"]),
        schema: schema.cloned().or_else(|| json_wanted.then_some(Value::Bool(true))),
        thinking: thought(&config["thinkingConfig"]),
        choice: choice(&body["toolConfig"]["functionCallingConfig"]),
        prompt: prompt_of(body, &["tools", "systemInstruction", "contents"]),
        ..Asked::default()
    };
    for tool in body["tools"].as_array().into_iter().flatten() {
        asked.search |= tool.get("googleSearch").is_some();
        for function in tool["functionDeclarations"].as_array().into_iter().flatten() {
            let schema = function.get("parametersJsonSchema").or_else(|| function.get("parameters"));
            asked.tools.push(Declared {
                name: function["name"].as_str().unwrap_or_default().to_owned(),
                namespace: None,
                free: false,
                schema: schema
                    .cloned()
                    .unwrap_or_else(|| serde_json::json!({"type": "object", "properties": {}})),
            });
        }
    }
    dialogue(body).fill(&mut asked);
    asked
}

fn names(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn thought(config: &Value) -> Thought {
    match (config["thinkingBudget"].as_i64(), config["includeThoughts"] == true) {
        (Some(0), _) | (_, false) => Thought::Off,
        (_, true) => Thought::Shown,
    }
}

fn choice(config: &Value) -> Choice {
    let allowed = names(&config["allowedFunctionNames"]);
    match config["mode"].as_str() {
        Some("NONE") => Choice::Never,
        Some("ANY") if allowed.is_empty() => Choice::Any,
        Some("ANY") => Choice::Named(allowed),
        _ => Choice::Auto,
    }
}

fn media(part: &Value) -> Option<Media> {
    if let Some(data) = part.get("inlineData") {
        let bytes = crate::seal::decode_any(data["data"].as_str()?).map(|bytes| bytes.len());
        return Some(Media { media_type: data["mimeType"].as_str()?.to_owned(), bytes });
    }
    let file = part.get("fileData")?;
    Some(Media { media_type: file["fileUri"].as_str()?.to_owned(), bytes: None })
}

fn dialogue(body: &Value) -> Dialogue {
    let mut dialogue = Dialogue::default();
    for content in body["contents"].as_array().into_iter().flatten() {
        if content["role"] == "model" {
            continue;
        }
        let (mut texts, mut pictures, mut results) = (Vec::new(), Vec::new(), Vec::new());
        for part in content["parts"].as_array().into_iter().flatten() {
            texts.extend(part["text"].as_str().map(str::to_owned));
            pictures.extend(media(part));
            if let Some(response) = part.get("functionResponse") {
                let mut text = response["response"].to_string();
                for media in response["parts"].as_array().into_iter().flatten().filter_map(media) {
                    text.push_str(&media.in_brackets());
                }
                results.push(ToolAnswer {
                    name: response["name"].as_str().unwrap_or_default().to_owned(),
                    text,
                });
            }
        }
        dialogue.user(&texts, pictures, results);
    }
    dialogue
}
