//! Tools that Gemini runs itself: how their parts are read, in history and in answers alike.

use super::{fields::object, keys};
use crate::{
    Json, content_id,
    ir::{Opaque, Part, ServerCall, ServerResult, ServerTool},
};
use byok_types::Dialect;
use serde::Deserialize;

/// The member of a part in camel case; what a tool was given or answered is left as it is.
pub(super) fn camel_member(name: &str, member: Json) -> Json {
    match name {
        "toolCall" | "toolResponse" => keys::camel_key(member, "tool_type"),
        _ => keys::camel(member),
    }
}

/// The whole part as it goes back to Gemini.
pub(super) fn verbatim(
    name: &str,
    member: &Json,
    signature: Option<&str>,
    extra: &[(String, Json)],
) -> Opaque {
    let json = object(|fields| {
        fields.json(name, member);
        fields.option("thoughtSignature", signature.as_ref());
        fields.all(extra.iter().map(|(name, value)| (name.as_str(), value)));
    });
    Opaque { dialect: Dialect::Gemini, json }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Member {
    id: Option<String>,
    tool_type: Option<String>,
    args: Option<Json>,
    output: Option<String>,
    outcome: Option<String>,
}

/// What a part with this member means. `last` is the id of the last call, for results without one.
pub(super) fn read(name: &str, member: &Json, last: &mut String, verbatim: Opaque) -> Part {
    let read: Member = member.read().unwrap_or_default();
    let kind = read.tool_type.clone().unwrap_or_default();
    let tool = match kind.as_str() {
        "" => ServerTool::CodeExecution,
        "URL_CONTEXT" => ServerTool::WebFetch,
        "FILE_SEARCH" => ServerTool::FileSearch,
        search if search.starts_with("GOOGLE_SEARCH") => ServerTool::WebSearch,
        _ => ServerTool::Other,
    };
    match name {
        "executableCode" | "toolCall" => {
            let id = read.id.unwrap_or_else(|| content_id("srv_", &[last, member.get()]));
            last.clone_from(&id);
            let input = match tool {
                ServerTool::CodeExecution => member.clone(),
                ServerTool::WebSearch => query(read.args.as_ref()),
                _ => read.args.unwrap_or_else(Json::empty_object),
            };
            let name = if kind.is_empty() { "code_execution".to_owned() } else { kind };
            Part::ServerCall(ServerCall { id, tool, name, input, status: None, verbatim: Some(verbatim) })
        }
        _ => Part::ServerResult(ServerResult {
            call_id: read.id.unwrap_or_else(|| last.clone()),
            tool,
            hits: Vec::new(),
            error_code: read.outcome.filter(|outcome| outcome != "OUTCOME_OK"),
            output: read.output,
            verbatim: Some(verbatim),
        }),
    }
}

/// `{"query": …}` of `{"queries": [ … ]}`.
fn query(args: Option<&Json>) -> Json {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Args {
        queries: Vec<String>,
    }
    let args: Args = args.and_then(|args| args.read().ok()).unwrap_or_default();
    object(|fields| fields.string("query", &args.queries.join("; ")))
}
