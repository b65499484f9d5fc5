//! Recordings, read from their folder.

use base64::{Engine, engine::general_purpose::STANDARD};
use byok_types::{Dialect, Family};
use serde_json::Value;
use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// The four dialects.
pub const DIALECTS: [Dialect; 4] = [Dialect::Chat, Dialect::Responses, Dialect::Messages, Dialect::Gemini];

/// One exchange.
#[derive(Clone)]
pub struct Recording {
    pub id: String,
    pub dialect: Dialect,
    pub vendor: String,
    pub op: String,
    pub model: String,
    pub path: String,
    pub status: u16,
    /// What the client sent; unknown for some.
    pub request: Option<Value>,
    /// Whether the answer is a stream of events.
    pub stream: bool,
    pub content_type: String,
    pub body: Vec<u8>,
}

impl Recording {
    /// Whether it is an answer of a model that went well.
    pub fn is_answer(&self) -> bool {
        self.status == 200 && self.op == "generate"
    }

    /// Who seals the reasoning of this answer.
    pub fn family(&self) -> Family {
        match self.vendor.as_str() {
            "anthropic" => Family::Claude,
            "openai" | "azure" => Family::Openai,
            "gemini" | "vertex" => Family::Gemini,
            _ => Family::Other,
        }
    }

    /// The same exchange with another answer.
    pub fn with_body(&self, body: &[u8]) -> Self {
        Self { body: body.to_vec(), ..self.clone() }
    }

    /// The request as bytes.
    pub fn request_body(&self) -> Option<Vec<u8>> {
        self.request.as_ref().map(|request| request.to_string().into_bytes())
    }
}

/// The name of a dialect in short.
pub fn name(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Chat => "chat",
        Dialect::Responses => "responses",
        Dialect::Messages => "messages",
        Dialect::Gemini => "gemini",
    }
}

/// The folder of the recordings: what `BYOK_RECORDED` says, or the one beside the checkout. `None` where it is absent.
pub fn folder() -> Option<PathBuf> {
    let named = env::var_os("BYOK_RECORDED").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/recorded"));
    folder.is_dir().then_some(folder)
}

/// All recordings of a folder, by their ids.
pub fn load(folder: &Path) -> Result<Vec<Recording>, String> {
    let mut all = Vec::new();
    for part in ["anthropic", "chat", "responses", "gemini"] {
        let files = fs::read_dir(folder.join(part)).map_err(|error| format!("{part}: {error}"))?;
        for file in files {
            let path = file.map_err(|error| error.to_string())?.path();
            if path.extension().is_some_and(|e| e == "json") {
                let text = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
                all.push(one(&text).map_err(|error| format!("{}: {error}", path.display()))?);
            }
        }
    }
    all.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(all)
}

fn one(text: &[u8]) -> Result<Recording, String> {
    let mut file: Value = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    let model = file["model"].as_str().unwrap_or_default().to_owned();
    let named = file["dialect"] != "gemini" && !model.is_empty();
    if let Some(request) = file["request"].as_object_mut().filter(|_| named) {
        // Bedrock has the model in its path, and the recording has the usual path instead.
        request.entry("model").or_insert_with(|| model.into());
    }
    let request = Some(file["request"].take()).filter(|request| !request.is_null());
    let word = |name: &str| file[name].as_str().unwrap_or_default().to_owned();
    let stream = match file["response_kind"].as_str() {
        Some("json") => false,
        Some("sse" | "json-array") => true,
        other => return Err(format!("an unknown kind of answer: {other:?}")),
    };
    let body = match file["response_encoding"].as_str() {
        Some("base64") => STANDARD.decode(word("response_body")).map_err(|error| error.to_string())?,
        Some("utf-8") => word("response_body").into_bytes(),
        other => return Err(format!("an unknown encoding: {other:?}")),
    };
    let default = if stream { "text/event-stream" } else { "application/json" };
    let headers = file["response_headers"].as_object().into_iter().flatten();
    let content_type = headers
        .filter(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        .find_map(|(_, value)| Some(value.as_str()?.to_owned()))
        .unwrap_or_else(|| default.to_owned());
    Ok(Recording {
        id: word("id"),
        dialect: match file["dialect"].as_str() {
            Some("anthropic") => Dialect::Messages,
            Some("chat") => Dialect::Chat,
            Some("responses") => Dialect::Responses,
            Some("gemini") => Dialect::Gemini,
            other => return Err(format!("an unknown dialect: {other:?}")),
        },
        vendor: word("vendor"),
        op: word("op"),
        model: word("model"),
        path: word("api_path"),
        status: file["status"].as_u64().and_then(|n| u16::try_from(n).ok()).unwrap_or(200),
        request,
        stream,
        content_type,
        body,
    })
}
