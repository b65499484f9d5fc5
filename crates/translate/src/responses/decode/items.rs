//! Input items, each as a message of its own.

use super::{
    super::{
        hosted,
        tagged::{OneOf, Other},
        wire::{Item, ItemTag},
    },
    decode_tools, foreign, message_parts, opaque, parts, thinking, tool_call,
};
use crate::{
    Json, Losses, carrier,
    ir::{
        Blob, BlobSlot, Compaction, ConfigChange, Effort, Failure, Family, Flavour, Message, Part, Role,
        Thinking, ToolResult,
    },
};
use serde::Deserialize;

/// The messages of a list of items.
pub(super) fn messages(list: Vec<OneOf<Item>>, losses: &mut Losses) -> Result<Vec<Message>, Failure> {
    let mut reader = Reader { messages: Vec::with_capacity(list.len()), waiting: None, losses };
    for (index, item) in list.into_iter().enumerate() {
        reader.item(index, item)?;
    }
    Ok(reader.messages)
}

/// Takes the wish for a compaction from the end of a list. Further up it has been fulfilled already.
pub(super) fn take_trigger(items: &mut Vec<OneOf<Item>>) -> Option<Json> {
    let last = items.pop_if(|item| matches!(item, OneOf::Other(other) if other.tag == "compaction_trigger"));
    match last {
        Some(OneOf::Other(other)) => Some(other.json),
        _ => None,
    }
}

/// Items of calls that a model of another vendor may have signed.
const SIGNED: [&str; 2] = ["local_shell_call", "tool_search_call"];

struct Reader<'l> {
    messages: Vec<Message>,
    /// A signature that came ahead of the call that it belongs to.
    waiting: Option<Blob>,
    losses: &'l mut Losses,
}

impl Reader<'_> {
    fn item(&mut self, index: usize, item: OneOf<Item>) -> Result<(), Failure> {
        let (tag, item) = match item {
            OneOf::Known(tag, item) => (tag, item),
            OneOf::Other(other) => return self.other(index, other),
        };
        match tag {
            ItemTag::Message => {
                self.waiting = None;
                let message = message(index, item)?;
                self.messages.push(message);
            }
            ItemTag::FunctionCall | ItemTag::CustomToolCall => {
                let flavour =
                    if tag == ItemTag::CustomToolCall { Flavour::Custom } else { Flavour::Function };
                let mut call = tool_call(item, flavour);
                if call.name.is_empty() || call.call_id.is_empty() {
                    let field = if call.name.is_empty() { "name" } else { "call_id" };
                    return Err(Failure::bad_request(
                        format!("input[{index}].{field}"),
                        format!(
                            "`input[{index}]` is a call without `{field}`: send the call as the model made it."
                        ),
                    ));
                }
                call.blob = self.waiting.take();
                self.push(Role::Assistant, vec![Part::ToolCall(call)]);
            }
            ItemTag::FunctionCallOutput => self.result(index, item, Flavour::Function)?,
            ItemTag::CustomToolCallOutput => self.result(index, item, Flavour::Custom)?,
            ItemTag::Reasoning => {
                let thinking = thinking(item);
                match thinking.blob.as_ref().map(|blob| blob.slot) {
                    Some(BlobSlot::Call) => self.waiting = thinking.blob,
                    Some(BlobSlot::Text) => self.sign_text(index, thinking),
                    _ => self.push(Role::Assistant, vec![Part::Thinking(thinking)]),
                }
            }
        }
        Ok(())
    }

    fn push(&mut self, role: Role, parts: Vec<Part>) {
        self.messages.push(Message::new(role, parts));
    }

    /// Gives a signature back to the text before it. Behind a call it was that of a text without words, and stays where it is.
    fn sign_text(&mut self, index: usize, thinking: Thinking) {
        let last = self.messages.last_mut().filter(|m| m.role == Role::Assistant);
        match last.and_then(|m| m.parts.last_mut()) {
            Some(Part::Text(text)) => text.blob = thinking.blob,
            Some(Part::ToolCall(_)) => self.push(Role::Assistant, vec![Part::Thinking(thinking)]),
            _ => self
                .losses
                .silent(format!("input[{index}]"), "the text that the signature belongs to is gone"),
        }
    }

    fn result(&mut self, index: usize, item: Item, flavour: Flavour) -> Result<(), Failure> {
        self.waiting = None;
        let Some(call_id) = item.call_id.filter(|id| !id.is_empty()) else {
            return Err(Failure::bad_request(
                format!("input[{index}].call_id"),
                format!("`input[{index}].call_id` is missing: name the call that this is the output of."),
            ));
        };
        let parts = parts::output_parts(item.output, &|| format!("input[{index}].output"))?;
        let result = ToolResult {
            call_id,
            name: item.name,
            flavour,
            parts,
            item_id: item.id,
            status: item.status,
            extra: foreign(item.extra),
            ..ToolResult::default()
        };
        self.push(Role::Tool, vec![Part::ToolResult(result)]);
        Ok(())
    }

    fn other(&mut self, index: usize, other: Other) -> Result<(), Failure> {
        let Other { tag, json } = other;
        match tag.as_str() {
            "item_reference" if super::super::stored::reference(json.get()).is_none() => {
                return Err(Failure::bad_request(
                    format!("input[{index}].id"),
                    format!("`input[{index}].id` is missing: a reference names an item by its `id`."),
                ));
            }
            "compaction" | "compaction_summary" | "context_compaction" => {
                let compaction = compaction(json);
                // A summary in byok's own carrier is told to every model; as the model's own words at the end of a
                // conversation it would be one that the model is to continue.
                let role = if compaction.summary.is_some() { Role::User } else { Role::Assistant };
                self.push(role, vec![Part::Compaction(compaction)]);
            }
            "additional_tools" => {
                let change = additional_tools(index, json)?;
                self.push(Role::Developer, vec![Part::ConfigChange(change)]);
            }
            "configuration_update" => {
                self.push(Role::Developer, vec![Part::ConfigChange(configuration_update(json))]);
            }
            _ => {
                let role = role_of(&json);
                let found = (tag == "tool_search_output").then(|| tools_found(index, &json)).transpose()?;
                let mut parts = hosted::parts(&tag, json);
                // A call that the client runs has its signature ahead of it, as functions have.
                let signed = self.waiting.take().filter(|_| SIGNED.contains(&tag.as_str()));
                if let Some(blob) = signed {
                    parts.insert(0, Part::Thinking(Thinking { blob: Some(blob), ..Thinking::default() }));
                }
                parts.extend(found.map(Part::ConfigChange));
                self.push(role, parts);
            }
        }
        Ok(())
    }
}

fn message(index: usize, item: Item) -> Result<Message, Failure> {
    let role = match item.role.as_deref() {
        Some("user") => Role::User,
        Some("assistant") => Role::Assistant,
        Some("system") => Role::System,
        Some("developer") => Role::Developer,
        found => {
            let found = found.unwrap_or("nothing");
            return Err(Failure::bad_request(
                format!("input[{index}].role"),
                format!("`input[{index}].role` is {found}: use user, assistant, system or developer."),
            ));
        }
    };
    let parts = message_parts(item.content, &|| format!("input[{index}].content"))?;
    Ok(Message {
        name: item.name,
        id: item.id,
        phase: item.phase,
        status: item.status,
        extra: foreign(item.extra),
        ..Message::new(role, parts)
    })
}

/// A sealed summary of an earlier part of the conversation.
pub(in super::super) fn compaction(json: Json) -> Compaction {
    #[derive(Default, Deserialize)]
    struct Fields {
        encrypted_content: Option<String>,
    }
    let sealed = json.read::<Fields>().unwrap_or_default().encrypted_content.filter(|text| !text.is_empty());
    if let Some(summary) = sealed.as_deref().and_then(carrier::unwrap_summary) {
        return Compaction { summary: Some(summary), blob: None, verbatim: opaque(json) };
    }
    let blob = sealed.map(|data| {
        carrier::unwrap(&data).unwrap_or(Blob {
            family: Family::Openai,
            account: None,
            slot: BlobSlot::Thinking,
            data,
        })
    });
    Compaction { summary: None, blob, verbatim: opaque(json) }
}

/// Tools that come with an item, which is carried whole.
fn additional_tools(index: usize, json: Json) -> Result<ConfigChange, Failure> {
    let change = tools_found(index, &json)?;
    Ok(ConfigChange { verbatim: Some(opaque(json)), ..change })
}

/// The tools of an item that another part carries.
fn tools_found(index: usize, json: &Json) -> Result<ConfigChange, Failure> {
    crate::wire::wire! {
        struct Fields {
            "tools" => tools: Vec<OneOf<super::wire::ToolBody>>,
        }
    }
    let field = format!("input[{index}].tools");
    let fields: Fields = json
        .read()
        .map_err(|e| Failure::bad_request(field.clone(), format!("`{field}` has the wrong form: {e}.")))?;
    let tools_added = decode_tools(fields.tools, &field)?;
    Ok(ConfigChange { tools_added, tools_removed: Vec::new(), effort: None, verbatim: None })
}

fn configuration_update(json: Json) -> ConfigChange {
    #[derive(Default, Deserialize)]
    struct Fields {
        reasoning: Option<ReasoningFields>,
    }
    #[derive(Deserialize)]
    struct ReasoningFields {
        effort: Option<String>,
    }
    let effort = json.read::<Fields>().unwrap_or_default().reasoning.and_then(|r| r.effort);
    ConfigChange {
        tools_added: Vec::new(),
        tools_removed: Vec::new(),
        effort: effort.as_deref().and_then(Effort::parse),
        verbatim: Some(opaque(json)),
    }
}

/// Who speaks in an item that is only carried: whoever it says, else the model.
fn role_of(json: &Json) -> Role {
    #[derive(Default, Deserialize)]
    struct Fields {
        role: Option<String>,
    }
    match json.read::<Fields>().unwrap_or_default().role.as_deref() {
        Some("user") => Role::User,
        Some("system") => Role::System,
        Some("developer") => Role::Developer,
        _ => Role::Assistant,
    }
}
