//! Items of an answer as they are written, in streams and whole answers alike.

use super::{
    hosted,
    tagged::tag_within,
    typed,
    writer::{Object, element},
};
use crate::{
    Ids, Losses, carrier,
    ir::{Blob, Extra, Family, Flavour, Part, ServerCall, ServerResult, Source, ToolCall},
    wire::write,
};
use byok_types::Dialect;
use std::collections::HashSet;

/// How far an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    InProgress,
    Completed,
    Incomplete,
}

impl Status {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Incomplete => "incomplete",
        }
    }

    pub(super) const fn of(complete: bool) -> Self {
        if complete { Self::Completed } else { Self::Incomplete }
    }
}

/// Writes a message; `content` are its parts, separated by commas.
pub(super) fn message(out: &mut Vec<u8>, id: &str, status: Status, phase: Option<&str>, content: &[u8]) {
    let mut object = Object::begin(out);
    object.text("id", id).text("type", "message").text("status", status.name()).text("role", "assistant");
    object.maybe_text("phase", phase);
    object.list("content", content);
    object.end();
}

/// Writes a part of a message. Annotations and log probabilities are lists without their brackets.
pub(super) fn output_text(out: &mut Vec<u8>, text: &str, annotations: &[u8], logprobs: &[u8], extra: &Extra) {
    let mut object = Object::typed(out, "output_text");
    object.text("text", text).list("annotations", annotations).list("logprobs", logprobs).extras(extra);
    object.end();
}

/// Writes a part of a message in which the model declines.
pub(super) fn refusal(out: &mut Vec<u8>, text: &str, extra: &Extra) {
    let mut object = Object::typed(out, "refusal");
    object.text("refusal", text).extras(extra);
    object.end();
}

/// What a reasoning item consists of.
#[derive(Default)]
pub(super) struct Reasoning<'a> {
    pub(super) id: &'a str,
    pub(super) summary: &'a [String],
    pub(super) raw: &'a [String],
    pub(super) sealed: Option<String>,
    pub(super) status: Option<&'a str>,
    pub(super) extra: Option<&'a Extra>,
}

/// Writes a reasoning item. The vendor states no status of one that is complete.
pub(super) fn reasoning(out: &mut Vec<u8>, reasoning: &Reasoning<'_>) {
    let list = |texts: &[String], kind: &str| {
        let mut list = Vec::new();
        for text in texts {
            text_part(element(&mut list), kind, text);
        }
        list
    };
    let mut object = Object::begin(out);
    object.text("id", reasoning.id).text("type", "reasoning");
    object.maybe_text("status", reasoning.status);
    object.list("summary", &list(reasoning.summary, "summary_text"));
    if !reasoning.raw.is_empty() {
        object.list("content", &list(reasoning.raw, "reasoning_text"));
    }
    object.maybe_text("encrypted_content", reasoning.sealed.as_deref());
    if let Some(extra) = reasoning.extra {
        object.extras(extra);
    }
    object.end();
}

/// Writes a part that is nothing but a text.
pub(super) fn text_part(out: &mut Vec<u8>, kind: &str, text: &str) {
    let mut object = Object::typed(out, kind);
    object.text("text", text);
    object.end();
}

/// A signature in the slot that Responses clients keep.
pub(super) fn sealed(blob: &Blob) -> String {
    if blob.family == Family::Openai { blob.data.clone() } else { carrier::wrap(blob) }
}

/// Writes a call of a client's tool.
pub(super) fn call(out: &mut Vec<u8>, id: &str, call: &ToolCall, status: &str) {
    let mut object = Object::begin(out);
    let kind = match call.flavour {
        Flavour::Function => "function_call",
        Flavour::Custom => "custom_tool_call",
        Flavour::ToolSearch => "tool_search_call",
        Flavour::LocalShell => "local_shell_call",
    };
    object.text("id", id).text("type", kind).text("status", status);
    match call.flavour {
        Flavour::Function => object.text("arguments", &call.arguments),
        Flavour::Custom => object.text("input", &call.arguments),
        Flavour::ToolSearch => {
            object.text("execution", "client").json("arguments", &typed::search(&call.arguments))
        }
        Flavour::LocalShell => object.raw("action", &typed::action(&call.arguments)),
    };
    object.text("call_id", &call.call_id);
    if !comes_whole(call.flavour) {
        object.text("name", &call.name).maybe_text("namespace", call.namespace.as_deref());
        object.maybe_json("caller", call.caller.as_ref()).extras(&call.extra);
    }
    object.end();
}

/// Whether the arguments of such a call are an object of the item and not a text that can come in pieces.
pub(super) fn comes_whole(flavour: Flavour) -> bool {
    matches!(flavour, Flavour::ToolSearch | Flavour::LocalShell)
}

/// How the id of such a call begins.
pub(super) fn prefix(flavour: Flavour) -> &'static str {
    match flavour {
        Flavour::Function => "fc_",
        Flavour::Custom => "ctc_",
        Flavour::ToolSearch => "tsc_",
        Flavour::LocalShell => "lsh_",
    }
}

/// Whether an unknown object is a part of a message rather than an item of its own.
pub(super) fn is_content(json: &str) -> bool {
    let tag = tag_within(json).unwrap_or_default();
    tag.starts_with("input_")
        || tag.starts_with("output_")
        || tag == "computer_screenshot"
        || tag == "encrypted_content"
}

/// The ids of the vendor that an answer has by now: no two items have the same.
#[derive(Debug, Default)]
pub(super) struct ItemIds(HashSet<String>);

impl ItemIds {
    /// The id by which the vendor knows an item (`None` unless it speaks Responses), or a new one where there is none, or
    /// another item has it already.
    pub(super) fn name(&mut self, ids: &mut Ids, prefix: &str, own: Option<&str>) -> String {
        match own {
            Some(own) if !own.is_empty() && own.len() <= 64 && self.0.insert(own.to_owned()) => {
                own.to_owned()
            }
            _ => ids.next(prefix),
        }
    }
}

/// An item that comes whole.
pub(super) struct Whole {
    /// Its type.
    pub(super) kind: &'static str,
    pub(super) id: String,
    /// The item at its beginning, where it has one of its own.
    pub(super) begun: Option<Vec<u8>>,
    /// The item at its end.
    pub(super) done: Vec<u8>,
}

/// A part that comes whole as an item. `None` for what Responses cannot say, which is noted.
pub(super) fn whole(part: &Part, ids: &mut Ids, losses: &mut Losses) -> Option<Whole> {
    let verbatim = match part {
        Part::Opaque(block) => Some(block),
        Part::Compaction(compaction) => Some(&compaction.verbatim),
        Part::ConfigChange(change) => change.verbatim.as_ref(),
        Part::ServerResult(result) => result.verbatim.as_ref(),
        _ => None,
    };
    if let Some(block) = verbatim.filter(|block| block.dialect == Dialect::Responses) {
        let mut done = Vec::new();
        // Of a message only its unknown parts come whole.
        if is_content(block.json.get()) {
            message(&mut done, &ids.next("msg_"), Status::Completed, None, block.json.get().as_bytes());
        } else {
            write::json(&mut done, &block.json);
        }
        return Some(Whole { kind: "", id: String::new(), begun: None, done });
    }
    match part {
        Part::Image(image) => {
            let Source::Base64 { data, .. } = &image.source else {
                losses.dropped("output", "a picture at an address of the vendor cannot be shown");
                return None;
            };
            let own = image.extra.get(Dialect::Responses, "id").and_then(crate::Json::as_string);
            let id = own.unwrap_or_else(|| ids.next("ig_"));
            let (mut begun, mut done) = (Vec::new(), Vec::new());
            hosted::write_picture(&mut begun, &id, image, None, Status::InProgress.name());
            hosted::write_picture(&mut done, &id, image, Some(data), Status::Completed.name());
            Some(Whole { kind: "image_generation_call", id, begun: Some(begun), done })
        }
        Part::Compaction(compaction) => {
            let sealed = match (&compaction.blob, &compaction.summary) {
                (Some(blob), _) => sealed(blob),
                (None, Some(summary)) => carrier::wrap_summary(summary),
                (None, None) => {
                    losses.dropped("output", "the summary is readable only by its vendor's clients");
                    return None;
                }
            };
            let id = ids.next("cmp_");
            let mut done = Vec::new();
            let mut object = Object::begin(&mut done);
            object.text("id", &id).text("type", "compaction").text("encrypted_content", &sealed);
            object.end();
            Some(Whole { kind: "", id, begun: None, done })
        }
        // The result of a search stands in the item of its call.
        Part::ServerResult(_) => None,
        _ => {
            losses.dropped("output", "Responses has no such part in an answer");
            None
        }
    }
}

/// A call of a hosted tool together with its result.
pub(super) fn server_call(
    call: &ServerCall,
    result: Option<&ServerResult>,
    ids: &mut Ids,
    losses: &mut Losses,
) -> Option<Whole> {
    if let Some(block) = call.verbatim.as_ref().filter(|block| block.dialect == Dialect::Responses) {
        let mut done = Vec::new();
        write::json(&mut done, &block.json);
        return Some(Whole { kind: "", id: String::new(), begun: None, done });
    }
    let (kind, prefix) = match call.tool {
        crate::ir::ServerTool::WebSearch | crate::ir::ServerTool::WebFetch => ("web_search_call", "ws_"),
        _ => ("code_interpreter_call", "ci_"),
    };
    let id = ids.next(prefix);
    let failed = result.is_some_and(|result| result.error_code.is_some());
    let end = if failed { "failed" } else { Status::Completed.name() };
    let written = |result, status: &str| hosted::write_call(&id, call, result, status);
    let (Some(begun), Some(done)) = (written(None, Status::InProgress.name()), written(result, end)) else {
        losses.dropped("output", "Responses has no such tool");
        return None;
    };
    Some(Whole { kind, id, begun: Some(begun), done })
}
