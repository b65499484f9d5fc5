//! Tools that the vendor runs: calls and results in history and in answers.

use super::{fields::Fields, object::Object};
use crate::{
    Json,
    ir::{SearchHit, ServerCall, ServerResult, ServerTool},
};
use byok_types::Dialect;
use serde::Deserialize;

/// The kind of tool by its name in a call (`web_search`) or by the type of its result (`web_search_tool_result`).
pub(super) fn kind(name: &str) -> ServerTool {
    let name = name.strip_suffix("_tool_result").unwrap_or(name);
    match name {
        "web_search" => ServerTool::WebSearch,
        "web_fetch" => ServerTool::WebFetch,
        "code_execution" | "bash_code_execution" | "text_editor_code_execution" => ServerTool::CodeExecution,
        "mcp" => ServerTool::Mcp,
        name if name.starts_with("tool_search") => ServerTool::ToolSearch,
        _ => ServerTool::Other,
    }
}

/// Reads `server_tool_use` or `mcp_tool_use`.
pub(super) fn call(fields: &Fields) -> ServerCall {
    let text = |name: &str| fields.get(name).and_then(Json::as_string).unwrap_or_default();
    let name = text("name");
    let input = fields.get("input").cloned().filter(Json::is_object).unwrap_or_else(Json::empty_object);
    ServerCall {
        id: text("id"),
        tool: if fields.kind == "mcp_tool_use" { ServerTool::Mcp } else { kind(&name) },
        name,
        status: None,
        verbatim: Some(fields.verbatim()),
        input,
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Payload {
    url: Option<String>,
    title: Option<String>,
    page_age: Option<String>,
    encrypted_content: Option<String>,
    error_code: Option<String>,
    text: Option<String>,
    stdout: Option<String>,
    stderr: Option<String>,
    content: Option<Json>,
}

/// Reads any `*_tool_result` block of a vendor's tool.
pub(super) fn result(fields: &Fields) -> ServerResult {
    let mut result = ServerResult {
        call_id: fields.get("tool_use_id").and_then(Json::as_string).unwrap_or_default(),
        tool: kind(&fields.kind),
        hits: Vec::new(),
        output: None,
        error_code: None,
        verbatim: Some(fields.verbatim()),
    };
    let Some(content) = fields.get("content") else { return result };
    if let Some(text) = content.as_string() {
        result.output = Some(text);
    } else if let Ok(list) = content.read::<Vec<Payload>>() {
        for payload in list {
            take(payload, &mut result);
        }
    } else if let Ok(payload) = content.read::<Payload>() {
        take(payload, &mut result);
    }
    result
}

fn take(payload: Payload, result: &mut ServerResult) {
    if payload.error_code.is_some() {
        result.error_code = payload.error_code;
    }
    let fetched = payload.content.as_ref().and_then(document_text);
    if let Some(url) = payload.url {
        result.hits.push(SearchHit {
            url,
            title: payload.title,
            page_age: payload.page_age,
            encrypted_content: payload.encrypted_content,
        });
    }
    for text in [payload.text, payload.stdout, payload.stderr, fetched].into_iter().flatten() {
        if text.is_empty() {
            continue;
        }
        let output = result.output.get_or_insert_with(String::new);
        if !output.is_empty() {
            output.push('\n');
        }
        output.push_str(&text);
    }
}

/// The text of a fetched page: `{"type":"document","source":{"type":"text","data":…}}`.
fn document_text(content: &Json) -> Option<String> {
    #[derive(Deserialize)]
    struct Page {
        source: Source,
    }
    #[derive(Deserialize)]
    struct Source {
        #[serde(rename = "type")]
        kind: String,
        data: String,
    }
    let page = content.read::<Page>().ok()?;
    (page.source.kind == "text").then_some(page.source.data)
}

/// The id of a call of the vendor's tool as clients of this dialect expect it.
fn id(id: &str) -> String {
    if id.starts_with("srvtoolu_") || id.starts_with("mcptoolu_") {
        return id.to_owned();
    }
    let clean: String = id.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    format!("srvtoolu_{clean}")
}

/// The name under which this dialect knows a kind of tool; `None` for one that it has no blocks for.
fn name(tool: ServerTool) -> Option<&'static str> {
    match tool {
        ServerTool::WebSearch => Some("web_search"),
        ServerTool::WebFetch => Some("web_fetch"),
        ServerTool::CodeExecution => Some("code_execution"),
        ServerTool::FileSearch
        | ServerTool::ImageGeneration
        | ServerTool::Mcp
        | ServerTool::Computer
        | ServerTool::ToolSearch
        | ServerTool::Other => None,
    }
}

/// The block of a call with the given input. `None` if this dialect has no such block.
pub(super) fn write_call(call: &ServerCall, input: &Json) -> Option<Vec<u8>> {
    if let Some(verbatim) = call.verbatim.as_ref().filter(|o| o.dialect == Dialect::Messages) {
        let mut fields = Fields::parse(verbatim.json.get()).ok()?;
        // A block without a name or an id is one that no client can read.
        for key in ["id", "name"] {
            fields.get(key).and_then(Json::as_string).filter(|text| !text.is_empty())?;
        }
        fields.set("input", input.clone());
        return Some(fields.verbatim().json.get().as_bytes().to_vec());
    }
    let mut out = Vec::new();
    let mut object = Object::typed(&mut out, "server_tool_use");
    object.string("id", &id(&call.id));
    object.string("name", name(call.tool)?);
    object.json("input", input);
    object.end();
    Some(out)
}

/// The block of a result. `None` if this dialect has no such block.
pub(super) fn write_result(result: &ServerResult) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    if let Some(verbatim) = result.verbatim.as_ref().filter(|o| o.dialect == Dialect::Messages) {
        // A result without content or of no call is one that no client can read.
        let fields = Fields::parse(verbatim.json.get()).ok()?;
        fields.get("content")?;
        fields.get("tool_use_id").and_then(Json::as_string)?;
        crate::wire::write::json(&mut out, &verbatim.json);
        return Some(out);
    }
    let name = name(result.tool)?;
    let mut object = Object::typed(&mut out, &format!("{name}_tool_result"));
    object.string("tool_use_id", &id(&result.call_id));
    match (&result.error_code, result.tool) {
        (Some(_), _) => {
            // Only the vendor's own codes may stand here; `unavailable` is the one that fits any failure.
            let mut error = Object::typed(object.key("content"), &format!("{name}_tool_result_error"));
            error.string("error_code", "unavailable");
            error.end();
        }
        (None, ServerTool::WebSearch) => object.list("content", &result.hits, |out, hit| {
            let mut object = Object::typed(out, "web_search_result");
            object.string("url", &hit.url);
            object.string("title", hit.title.as_deref().unwrap_or_default());
            object.string("encrypted_content", hit.encrypted_content.as_deref().unwrap_or_default());
            object.value("page_age", &hit.page_age);
            object.end();
        }),
        (None, ServerTool::WebFetch) => fetched(object.key("content"), result),
        (None, _) => {
            let mut inner = Object::typed(object.key("content"), "code_execution_result");
            inner.string("stdout", result.output.as_deref().unwrap_or_default());
            inner.string("stderr", "");
            inner.value("return_code", &0);
            inner.value::<[u8; 0]>("content", &[]);
            inner.end();
        }
    }
    object.end();
    Some(out)
}

fn fetched(out: &mut Vec<u8>, result: &ServerResult) {
    let hit = result.hits.first();
    let mut page = Object::typed(out, "web_fetch_result");
    page.string("url", hit.map_or("", |hit| hit.url.as_str()));
    let mut document = Object::typed(page.key("content"), "document");
    let mut source = Object::typed(document.key("source"), "text");
    source.string("media_type", "text/plain");
    source.string("data", result.output.as_deref().unwrap_or_default());
    source.end();
    document.value("title", &hit.and_then(|hit| hit.title.as_deref()));
    document.end();
    // Clients require a string here; when the page was read is not known.
    page.string("retrieved_at", "");
    page.end();
}
