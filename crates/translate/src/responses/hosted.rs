//! Items of tools that the vendor runs.

use super::{decode, writer::Object};
use crate::{
    Json, content_id,
    ir::{Image, Part, SearchHit, ServerCall, ServerResult, ServerTool},
    media, script,
};
use serde::Deserialize;

/// The kind of a hosted tool by the type of its definition or of a choice.
pub(super) fn kind_of_tool(type_name: &str) -> ServerTool {
    match type_name {
        name if name.starts_with("web_search") => ServerTool::WebSearch,
        name if name.starts_with("computer") => ServerTool::Computer,
        "file_search" => ServerTool::FileSearch,
        "code_interpreter" => ServerTool::CodeExecution,
        "image_generation" => ServerTool::ImageGeneration,
        "mcp" => ServerTool::Mcp,
        "tool_search" => ServerTool::ToolSearch,
        _ => ServerTool::Other,
    }
}

/// The kind of a hosted tool by its whole definition. Shells and patches run at the client unless they are given a container
/// of the vendor, and a search that is kept from the web is none that other vendors offer: no tool of theirs stands for it.
pub(super) fn kind_of_definition(type_name: &str, definition: &Json) -> ServerTool {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Fields {
        environment: Option<Environment>,
        external_web_access: Option<bool>,
    }
    #[derive(Deserialize)]
    struct Environment {
        r#type: String,
    }
    let kind = kind_of_tool(type_name);
    if kind != ServerTool::WebSearch && type_name != "shell" {
        return kind;
    }
    let fields: Fields = definition.read().unwrap_or_default();
    match kind {
        ServerTool::WebSearch if fields.external_web_access == Some(false) => ServerTool::Other,
        ServerTool::WebSearch => ServerTool::WebSearch,
        _ if fields.environment.is_some_and(|place| place.r#type.starts_with("container")) => {
            ServerTool::CodeExecution
        }
        kind => kind,
    }
}

/// What an item type stands for: a call of a hosted tool, its result, or neither.
enum Role {
    Call(ServerTool),
    Result(ServerTool),
}

fn role(tag: &str) -> Option<Role> {
    use Role::{Call, Result};
    Some(match tag {
        "web_search_call" => Call(ServerTool::WebSearch),
        "file_search_call" => Call(ServerTool::FileSearch),
        "code_interpreter_call" | "shell_call" | "local_shell_call" | "apply_patch_call" => {
            Call(ServerTool::CodeExecution)
        }
        "shell_call_output" | "local_shell_call_output" | "apply_patch_call_output" => {
            Result(ServerTool::CodeExecution)
        }
        "image_generation_call" => Call(ServerTool::ImageGeneration),
        "mcp_call" | "mcp_list_tools" | "mcp_approval_request" => Call(ServerTool::Mcp),
        "mcp_approval_response" => Result(ServerTool::Mcp),
        "computer_call" => Call(ServerTool::Computer),
        "computer_call_output" => Result(ServerTool::Computer),
        "tool_search_call" => Call(ServerTool::ToolSearch),
        "tool_search_output" => Result(ServerTool::ToolSearch),
        "program" => Call(ServerTool::Other),
        "program_output" => Result(ServerTool::Other),
        _ => return None,
    })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields {
    id: Option<String>,
    call_id: Option<String>,
    status: Option<String>,
    action: Option<Json>,
    arguments: Option<Json>,
    queries: Option<Json>,
    code: Option<String>,
    output: Option<Json>,
    outputs: Option<Json>,
    results: Option<Json>,
    error: Option<Json>,
    result: Option<String>,
    output_format: Option<String>,
}

/// The parts of an item that is not one of the common types: calls and results of hosted tools, generated pictures, and
/// whatever byok does not know. The first part carries the item verbatim.
pub(super) fn parts(tag: &str, json: Json) -> Vec<Part> {
    let Some(role) = role(tag) else { return vec![Part::Opaque(decode::opaque(json))] };
    let fields: Fields = json.read().unwrap_or_default();
    let id = fields.id.clone().or_else(|| fields.call_id.clone());
    let id = id.filter(|id| !id.is_empty()).unwrap_or_else(|| content_id("item_", &[json.get()]));
    match role {
        Role::Call(ServerTool::ImageGeneration) if fields.result.is_some() => vec![picture(fields, &json)],
        Role::Call(tool) => {
            let result = result_within(tool, &id, &fields);
            let call = ServerCall {
                tool,
                name: tag.to_owned(),
                input: input(tool, &fields),
                status: fields.status,
                verbatim: Some(decode::opaque(json)),
                id,
            };
            std::iter::once(Part::ServerCall(call)).chain(result.map(Part::ServerResult)).collect()
        }
        Role::Result(tool) => vec![Part::ServerResult(ServerResult {
            call_id: fields.call_id.unwrap_or(id),
            tool,
            hits: Vec::new(),
            output: fields.output.as_ref().map(text_of),
            error_code: None,
            verbatim: Some(decode::opaque(json)),
        })],
    }
}

/// What the tool was asked, in the words that dialects share: `query`, `url`, `code`.
fn input(tool: ServerTool, fields: &Fields) -> Json {
    #[derive(Default, Deserialize)]
    struct Action {
        query: Option<String>,
        queries: Option<Vec<String>>,
        url: Option<String>,
        pattern: Option<String>,
    }
    let object = |name: &str, text: &str| {
        let mut out = Vec::new();
        let mut object = Object::begin(&mut out);
        object.text(name, text);
        object.end();
        String::from_utf8(out).ok().and_then(|text| Json::parse(text).ok()).unwrap_or_else(Json::empty_object)
    };
    match tool {
        ServerTool::WebSearch => {
            let action: Action = fields.action.as_ref().and_then(|a| a.read().ok()).unwrap_or_default();
            let query = action.query.or_else(|| action.queries.and_then(|q| q.into_iter().next()));
            match (query, action.url, action.pattern) {
                (Some(query), ..) => object("query", &query),
                (None, Some(url), _) => object("url", &url),
                (None, None, Some(pattern)) => object("query", &pattern),
                (None, None, None) => Json::empty_object(),
            }
        }
        ServerTool::CodeExecution if fields.code.is_some() => {
            object("code", fields.code.as_deref().unwrap_or_default())
        }
        ServerTool::FileSearch => fields.queries.as_ref().map_or_else(Json::empty_object, |queries| {
            super::wire::object(std::iter::once(("queries", queries)))
        }),
        _ => {
            let arguments = fields.arguments.as_ref().map(|a| match a.as_string() {
                Some(text) => Json::parse(text).unwrap_or_else(|_| a.clone()),
                None => a.clone(),
            });
            arguments.or_else(|| fields.action.clone()).unwrap_or_else(Json::empty_object)
        }
    }
}

/// The result that stands within the item of its call.
fn result_within(tool: ServerTool, id: &str, fields: &Fields) -> Option<ServerResult> {
    #[derive(Default, Deserialize)]
    struct Action {
        sources: Option<Vec<Hit>>,
    }
    #[derive(Deserialize)]
    struct Hit {
        url: Option<String>,
        title: Option<String>,
    }
    let mut result = ServerResult {
        call_id: id.to_owned(),
        tool,
        hits: Vec::new(),
        output: None,
        error_code: None,
        verbatim: None,
    };
    if tool == ServerTool::WebSearch {
        if !matches!(fields.status.as_deref(), None | Some("completed" | "failed")) {
            return None;
        }
        let action: Action = fields.action.as_ref().and_then(|a| a.read().ok()).unwrap_or_default();
        let hits = action.sources.unwrap_or_default().into_iter();
        result.hits = hits
            .filter_map(|hit| Some(SearchHit { url: hit.url?, title: hit.title, ..SearchHit::default() }))
            .collect();
        return Some(result);
    }
    let output =
        [&fields.output, &fields.outputs, &fields.results].into_iter().flatten().find(|o| !o.is_null());
    result.output = output.map(|output| logs_of(output).unwrap_or_else(|| text_of(output)));
    result.error_code = fields.error.as_ref().filter(|e| !e.is_null()).map(text_of);
    (result.output.is_some() || result.error_code.is_some()).then_some(result)
}

fn text_of(json: &Json) -> String {
    json.as_string().unwrap_or_else(|| json.get().to_owned())
}

/// What code printed, if a list of outputs is nothing but that.
fn logs_of(outputs: &Json) -> Option<String> {
    #[derive(Deserialize)]
    struct Logs {
        logs: String,
    }
    let list: Vec<Logs> = outputs.read().ok()?;
    let logs: Vec<_> = list.into_iter().map(|output| output.logs).collect();
    (!logs.is_empty()).then(|| logs.join("\n"))
}

/// A generated picture; all members but the bytes are kept beside it.
fn picture(fields: Fields, json: &Json) -> Part {
    crate::wire::wire! {
        struct Rest {
            "type" => r#type: Option<Json>,
            "result" => result: Option<Json>,
        }
    }
    let format = fields.output_format.as_deref().unwrap_or("png");
    let source = media::base64_source(&format!("image/{format}"), fields.result.unwrap_or_default());
    let rest: Rest = json.read().unwrap_or_default();
    Part::Image(Image { source, detail: None, cache: None, extra: decode::foreign(rest.extra) })
}

/// Writes a generated picture as an item. `id` is for pictures of other dialects.
pub(super) fn write_picture(out: &mut Vec<u8>, id: &str, image: &Image, data: Option<&str>, status: &str) {
    let own = image.extra.of(byok_types::Dialect::Responses);
    let mut object = Object::typed(out, "image_generation_call");
    if !own.iter().any(|(name, _)| name == "id") {
        object.text("id", id);
    }
    // Its own status is that of the end.
    let own_status = data.is_some() && own.iter().any(|(name, _)| name == "status");
    if !own_status {
        object.text("status", status);
    }
    for (name, value) in own.iter().filter(|(name, _)| own_status || name != "status") {
        object.json(name, value);
    }
    object.value("result", &data);
    object.end();
}

/// Writes the item of a web search or of another tool that Responses has too. `None` for a tool that it has not.
pub(super) fn write_call(
    id: &str,
    call: &ServerCall,
    result: Option<&ServerResult>,
    status: &str,
) -> Option<Vec<u8>> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Input {
        query: Option<String>,
        url: Option<String>,
    }
    let input: Input = call.input.read().unwrap_or_default();
    let mut out = Vec::new();
    match call.tool {
        ServerTool::WebSearch | ServerTool::WebFetch => {
            let mut action = Vec::new();
            match (input.query, input.url) {
                (None, Some(url)) => {
                    let mut object = Object::typed(&mut action, "open_page");
                    object.text("url", &url);
                    object.end();
                }
                (query, _) => write_search(&mut action, query.as_deref().unwrap_or_default(), result),
            }
            let mut object = Object::typed(&mut out, "web_search_call");
            object.text("id", id).text("status", status).raw("action", &action);
            object.end();
        }
        ServerTool::CodeExecution => {
            let code = script::of(&call.input)?.text;
            let mut outputs = Vec::new();
            if let Some(logs) = result.and_then(|r| r.output.as_deref()) {
                let mut object = Object::typed(&mut outputs, "logs");
                object.text("logs", logs);
                object.end();
            }
            let mut object = Object::typed(&mut out, "code_interpreter_call");
            object.text("id", id).text("status", status).text("code", &code).text("container_id", "");
            object.list("outputs", &outputs);
            object.end();
        }
        _ => return None,
    }
    Some(out)
}

fn write_search(out: &mut Vec<u8>, query: &str, result: Option<&ServerResult>) {
    let mut sources = Vec::new();
    for hit in result.iter().flat_map(|r| &r.hits) {
        let mut object = Object::typed(super::writer::element(&mut sources), "url");
        object.text("url", &hit.url).maybe_text("title", hit.title.as_deref());
        object.end();
    }
    let mut object = Object::typed(out, "search");
    object.text("query", query);
    if result.is_some() {
        object.list("sources", &sources);
    }
    object.end();
}
