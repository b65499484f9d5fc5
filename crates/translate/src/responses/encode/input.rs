//! The conversation as items.

use super::Encoder;
use crate::{
    Ids, compact, content_id, custom,
    ir::{
        Compaction, Document, Flavour, Message, OutputFormat, Part, Role, SearchResult, Source, Thinking,
        ToolCall, ToolResult,
    },
    json_hint,
    responses::{
        item::is_content,
        writer::{Object, element},
    },
    turns::{self, Turn},
    wire::write,
};
use byok_types::{Dialect, ModelFacts};
use std::{borrow::Cow, collections::HashMap};

/// Longest `call_id` that `OpenAI` takes.
const LONGEST_CALL_ID: usize = 64;
/// What a user turn says that has nothing else to say: vendors refuse an empty conversation.
const NOTHING: &str = ".";
/// How Claude Code marks the first system block, which only concerns its own vendor's accounting.
const BILLING: &str = "x-anthropic-billing-header:";

/// The conversation, written.
pub(super) struct Conversation {
    pub(super) instructions: Option<String>,
    /// The elements of `input`.
    pub(super) items: Vec<u8>,
    /// Whether the word JSON had to be put into the prompt.
    pub(super) wants_json_hint: bool,
}

/// Whether cache markers on parts mean something to the upstream.
pub(super) fn keeps_cache(client: Dialect, facts: &ModelFacts) -> bool {
    match client {
        Dialect::Responses => true,
        Dialect::Chat => facts.first_party,
        Dialect::Messages | Dialect::Gemini => false,
    }
}

/// Writes the conversation of the request.
pub(super) fn write(encoder: &mut Encoder<'_>) -> Conversation {
    if encoder.native { native(encoder) } else { foreign(encoder) }
}

/// Items as the client sent them, one for each message.
fn native(encoder: &mut Encoder<'_>) -> Conversation {
    let request = encoder.request;
    let texts: Vec<_> = request.system.iter().filter_map(text_of).collect();
    let instructions = (!texts.is_empty()).then(|| texts.join("\n\n"));
    let mut items = Items::new(encoder);
    for message in &request.messages {
        items.role = message.role;
        items.message = Some(message);
        for part in &message.parts {
            items.part(part);
        }
        if message.parts.is_empty() {
            items.write_message();
        }
        items.flush();
    }
    items.verbatim(request.compact.as_ref());
    Conversation { instructions, items: items.out, wants_json_hint: false }
}

/// Turns in the order that every vendor takes: results directly after their calls.
fn foreign(encoder: &mut Encoder<'_>) -> Conversation {
    let request = encoder.request;
    let mut losses = std::mem::take(&mut encoder.losses);
    let conversation = turns::arrange(request, Dialect::Responses, &mut losses);
    let mut instructions = Vec::new();
    for part in &conversation.system {
        match text_of(part.part) {
            Some(text) if request.dialect == Dialect::Messages && text.starts_with(BILLING) => {
                losses.silent("system[0]", "accounting of another vendor's client");
            }
            Some(text) if !text.is_empty() => instructions.push(text),
            _ => {}
        }
    }
    let values = json_hint::by_values(&request.output_format);
    if let Some(hint) = values.as_deref().filter(|hint| !json_hint::is_said(request, hint)) {
        instructions.push(hint);
    }
    encoder.losses = losses;
    let mut items = Items::new(encoder);
    // The vendor looks for the word in the items only. The first one stays the same while the conversation grows.
    let wants_json_hint = request.output_format == OutputFormat::JsonObject
        && !conversation.turns.first().is_some_and(speaks_of_json);
    if wants_json_hint {
        // What byok said on an earlier way is said in its new place.
        for text in &mut instructions {
            *text = text.strip_suffix(json_hint::OBJECT).map_or(*text, |rest| rest.trim_end_matches('\n'));
        }
        instructions.retain(|text| !text.is_empty());
        items.role = if encoder.facts.developer_role { Role::Developer } else { Role::System };
        items.part(&Part::text(json_hint::OBJECT));
        items.flush();
    }
    let hint = items.out.len();
    for turn in &conversation.turns {
        items.turn(turn);
    }
    if items.out.len() == hint {
        items.role = Role::User;
        items.part(&Part::text(NOTHING));
        items.flush();
    }
    let instructions = (!instructions.is_empty()).then(|| instructions.join("\n\n"));
    Conversation { instructions, items: items.out, wants_json_hint }
}

fn speaks_of_json(turn: &Turn<'_>) -> bool {
    let Turn::User { parts, .. } = turn else { return false };
    parts.iter().filter_map(|part| text_of(part)).any(json_hint::speaks_of_json)
}

fn text_of(part: &Part) -> Option<&str> {
    match part {
        Part::Text(text) => Some(&text.text),
        _ => None,
    }
}

pub(super) struct Items<'e, 'a> {
    pub(super) encoder: &'e Encoder<'a>,
    pub(super) out: Vec<u8>,
    pub(super) role: Role,
    /// The message of the client that is being written, where items are its own.
    message: Option<&'a Message>,
    /// Parts of the message item that is being written.
    pub(super) content: Vec<u8>,
    /// How the calls written so far take their input: a result has the form of its call.
    flavours: HashMap<String, Flavour>,
}

impl<'e, 'a> Items<'e, 'a> {
    fn new(encoder: &'e Encoder<'a>) -> Self {
        Self {
            encoder,
            out: Vec::new(),
            role: Role::User,
            message: None,
            content: Vec::new(),
            flavours: HashMap::new(),
        }
    }

    pub(super) fn native(&self) -> bool {
        self.encoder.native
    }

    fn turn(&mut self, turn: &Turn<'_>) {
        match turn {
            Turn::System { role, parts } => {
                self.role = *role;
                for part in parts {
                    self.part(part);
                }
            }
            Turn::User { parts, .. } => {
                self.role = Role::User;
                for part in parts {
                    self.part(part);
                }
            }
            Turn::Assistant { parts, .. } => {
                self.role = Role::Assistant;
                // Reasoning that leads to nothing is refused.
                let end = parts.iter().rposition(|part| yields(part)).map_or(0, |at| at + 1);
                for part in &parts[..end] {
                    self.part(part);
                }
            }
            Turn::Results(results) => {
                self.role = Role::Tool;
                for result in results {
                    self.result(result);
                }
            }
        }
        self.flush();
    }

    /// Writes the message item that has been collected.
    pub(super) fn flush(&mut self) {
        if !self.content.is_empty() {
            self.write_message();
        }
    }

    fn write_message(&mut self) {
        let role = match self.role {
            Role::System => "system",
            Role::Developer => "developer",
            Role::User | Role::Tool => "user",
            Role::Assistant => "assistant",
        };
        let keep_ids = self.keep_ids();
        let mut object = Object::typed(element(&mut self.out), "message");
        object.text("role", role);
        if let Some(message) = self.message {
            object.maybe_text("id", message.id.as_deref().filter(|_| keep_ids));
            object.maybe_text("status", message.status.as_deref());
            object.maybe_text("phase", message.phase.as_deref());
            object.maybe_text("name", message.name.as_deref());
        }
        object.list("content", &self.content);
        if let Some(message) = self.message {
            object.extras(&message.extra);
        }
        object.end();
        self.content.clear();
    }

    /// Ids of items mean something only where the vendor has kept the items; elsewhere it looks them up and fails.
    fn keep_ids(&self) -> bool {
        self.native() && self.encoder.request.store != Some(false)
    }

    pub(super) fn part(&mut self, part: &Part) {
        match part {
            Part::Text(text) => self.text(text),
            Part::Refusal(refusal) if self.role == Role::Assistant => {
                let mut object = Object::typed(element(&mut self.content), "refusal");
                object.text("refusal", &refusal.text).extras(&refusal.extra);
                object.end();
            }
            Part::Refusal(refusal) => self.plain(&refusal.text),
            Part::Image(image) => self.image(image),
            Part::Document(document) => self.document(document),
            Part::SearchResult(result) => self.plain(&found(result)),
            Part::Audio(audio) if self.role == Role::Assistant && !self.native() => {
                self.plain(audio.transcript.as_deref().unwrap_or_default());
            }
            Part::Audio(audio) => {
                if let Some(Source::Base64 { data, .. }) = &audio.source {
                    let mut object = Object::typed(element(&mut self.content), "input_audio");
                    let mut inner = Object::begin(object.member("input_audio"));
                    inner.text("data", data).text("format", audio.format.as_deref().unwrap_or("wav"));
                    inner.end();
                    object.extras(&audio.extra);
                    object.end();
                }
            }
            Part::Thinking(thinking) => self.thinking(thinking),
            Part::ToolCall(call) => self.call(call),
            Part::ToolResult(result) => self.result(result),
            Part::ServerCall(call) => self.verbatim(call.verbatim.as_ref()),
            Part::ServerResult(result) => self.verbatim(result.verbatim.as_ref()),
            Part::Compaction(compaction) => self.compaction(compaction),
            Part::ConfigChange(change) => {
                // Elsewhere the tools of the change have been declared with all others.
                if self.encoder.facts.first_party {
                    self.verbatim(change.verbatim.as_ref());
                }
            }
            Part::Opaque(block) if block.dialect == Dialect::Responses && is_content(block.json.get()) => {
                write::json(element(&mut self.content), &block.json);
            }
            Part::Opaque(block) => self.verbatim(Some(block)),
            Part::Video(_) | Part::ContainerUpload(_) => {}
        }
    }

    /// Writes an item of Responses as it was.
    fn verbatim(&mut self, block: Option<&crate::ir::Opaque>) {
        if let Some(block) = block.filter(|block| block.dialect == Dialect::Responses) {
            self.flush();
            write::json(element(&mut self.out), &block.json);
        }
    }

    fn thinking(&mut self, thinking: &Thinking) {
        let sealed = thinking.blob.as_ref().filter(|blob| blob.family == self.encoder.facts.family);
        let native = self.native();
        // Nobody has kept what byok named.
        if native && sealed.is_none() && thinking.id.as_deref().is_some_and(|id| Ids::made(id, "rs_")) {
            return;
        }
        let keep_ids = self.keep_ids();
        // A sealed item is checked against the id that it was made with, so the id is left out unless the vendor has it. An
        // item without its seal is looked up by its id, which works only where the vendor keeps answers; open models show
        // their reasoning unsealed.
        let open = native && (!thinking.raw.is_empty() || (keep_ids && thinking.blob.is_none()));
        // Some open models want their reasoning back, whichever dialect it went out in.
        let wanted = !native && self.encoder.facts.thinking.replay_text && thinking.blob.is_none();
        let shown = if wanted { vec![thinking.text()] } else { Vec::new() };
        let shown = if native { &thinking.raw } else { &shown };
        if sealed.is_none() && !open && shown.iter().all(String::is_empty) {
            return;
        }
        self.flush();
        let mut summary = Vec::new();
        for text in thinking.summary.iter().filter(|_| !wanted) {
            let mut object = Object::typed(element(&mut summary), "summary_text");
            object.text("text", text);
            object.end();
        }
        let mut raw = Vec::new();
        for text in shown {
            let mut object = Object::typed(element(&mut raw), "reasoning_text");
            object.text("text", text);
            object.end();
        }
        let mut object = Object::typed(element(&mut self.out), "reasoning");
        object.maybe_text("id", thinking.id.as_deref().filter(|_| keep_ids || (native && sealed.is_none())));
        object.list("summary", &summary);
        if !raw.is_empty() {
            object.list("content", &raw);
        }
        object.maybe_text("encrypted_content", sealed.map(|blob| blob.data.as_str()));
        if native {
            object.maybe_text("status", thinking.status.as_deref()).extras(&thinking.extra);
        }
        object.end();
    }

    fn call(&mut self, call: &ToolCall) {
        self.flush();
        let encoder = self.encoder;
        let style = encoder.style();
        let custom = call.flavour == Flavour::Custom && style.full;
        let call_id = bounded_call_id(&call.call_id).into_owned();
        let keep_ids = self.keep_ids();
        let mut object =
            Object::typed(element(&mut self.out), if custom { "custom_tool_call" } else { "function_call" });
        object.maybe_text("id", call.item_id.as_deref().filter(|_| keep_ids));
        object.text("call_id", &call_id);
        object.text("name", &encoder.names.upstream(&call.name, call.namespace.as_deref()));
        object.maybe_text("namespace", call.namespace.as_deref().filter(|_| style.full));
        match call.flavour {
            Flavour::Custom if custom => object.text("input", &call.arguments),
            Flavour::Custom => object.text("arguments", &custom::wrap_input(&call.arguments)),
            _ if !encoder.native && call.arguments.trim().is_empty() => object.text("arguments", "{}"),
            Flavour::Function | Flavour::ToolSearch | Flavour::LocalShell => {
                object.text("arguments", &call.arguments)
            }
        };
        if encoder.native {
            object.maybe_text("status", call.status.as_deref());
            object.maybe_json("caller", call.caller.as_ref());
            object.extras(&call.extra);
        }
        object.end();
        self.flavours.insert(call_id, if custom { Flavour::Custom } else { Flavour::Function });
    }

    fn result(&mut self, result: &ToolResult) {
        self.flush();
        let call_id = bounded_call_id(&result.call_id);
        let own = if self.encoder.style().full { result.flavour } else { Flavour::Function };
        let flavour = self.flavours.get(&*call_id).copied().unwrap_or(own);
        let kind = match flavour {
            Flavour::Custom => "custom_tool_call_output",
            Flavour::Function | Flavour::ToolSearch | Flavour::LocalShell => "function_call_output",
        };
        let output = self.output_of(result);
        let keep_ids = self.keep_ids();
        let native = self.native();
        let mut object = Object::typed(element(&mut self.out), kind);
        object.maybe_text("id", result.item_id.as_deref().filter(|_| keep_ids));
        object.text("call_id", &call_id);
        object.raw("output", &output);
        if native {
            object.maybe_text("name", result.name.as_deref());
            object.maybe_text("status", result.status.as_deref());
            object.extras(&result.extra);
        }
        object.end();
    }

    /// The output: a text wherever it is one, because many servers take nothing else; a list of parts otherwise.
    fn output_of(&mut self, result: &ToolResult) -> Vec<u8> {
        let mut out = Vec::new();
        let failed = !self.native() && result.is_error == Some(true);
        if let Some(text) = self.only_text(&result.parts) {
            if failed && !text.starts_with("Error") {
                write::string(&mut out, &format!("Error: {text}"));
            } else {
                write::string(&mut out, &text);
            }
            return out;
        }
        let outer = std::mem::take(&mut self.content);
        if failed {
            self.plain("Error:");
        }
        for part in &result.parts {
            self.part(part);
        }
        out.push(b'[');
        out.extend_from_slice(&std::mem::replace(&mut self.content, outer));
        out.push(b']');
        out
    }

    /// The text of an output that has nothing else. A Responses client's own list of several texts stays a list.
    fn only_text<'p>(&self, parts: &'p [Part]) -> Option<Cow<'p, str>> {
        let plain = |part: &'p Part| match part {
            Part::Text(text) if self.native() => {
                let bare = text.cache.is_none() && text.extra.is_empty() && text.citations.is_empty();
                bare.then_some(Cow::Borrowed(text.text.as_str()))
            }
            Part::Text(text) => Some(Cow::Borrowed(text.text.as_str())),
            Part::SearchResult(result) => Some(Cow::Owned(found(result))),
            Part::Document(Document { source: Source::Text(text), .. }) => Some(Cow::Borrowed(text.as_str())),
            _ => None,
        };
        if let [part] = parts {
            return plain(part);
        }
        if self.native() && !parts.is_empty() {
            return None;
        }
        let texts: Option<Vec<_>> = parts.iter().map(plain).collect();
        texts.map(|texts| Cow::Owned(texts.join("\n")))
    }

    fn compaction(&mut self, compaction: &Compaction) {
        match &compaction.blob {
            None => match &compaction.summary {
                Some(summary) => self.plain(&compact::told(summary)),
                None => self.verbatim(Some(&compaction.verbatim)),
            },
            Some(blob) if blob.family != self.encoder.facts.family => {}
            Some(blob) => {
                let own = compaction.verbatim.dialect == Dialect::Responses
                    && compaction.verbatim.json.get().contains(blob.data.as_str());
                if own {
                    return self.verbatim(Some(&compaction.verbatim));
                }
                self.flush();
                let mut object = Object::typed(element(&mut self.out), "compaction");
                object.text("encrypted_content", &blob.data);
                object.end();
            }
        }
    }
}

/// Whether a part of an assistant turn becomes something that reasoning can lead to.
fn yields(part: &Part) -> bool {
    match part {
        Part::Text(text) => !text.text.is_empty(),
        Part::Refusal(_) | Part::ToolCall(_) => true,
        Part::Audio(audio) => audio.transcript.as_deref().is_some_and(|words| !words.is_empty()),
        Part::Compaction(compaction) => compaction.blob.is_none() && compaction.summary.is_some(),
        _ => false,
    }
}

/// A search result as text.
fn found(result: &SearchResult) -> String {
    let joined = |texts: &[&str], gap: &str| {
        texts.iter().copied().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(gap)
    };
    let texts: Vec<_> = result.content.iter().filter_map(text_of).collect();
    joined(&[&joined(&[&result.title, &result.source], "\n"), &texts.join("\n")], "\n\n")
}

/// The id of a call as the vendor takes it, the same for the call and for its result.
pub fn bounded_call_id(id: &str) -> Cow<'_, str> {
    if id.chars().count() <= LONGEST_CALL_ID {
        return Cow::Borrowed(id);
    }
    let head: String = id.chars().take(LONGEST_CALL_ID - 25).collect();
    Cow::Owned(format!("{head}_{}", content_id("", &[id])))
}
