//! Output items: the whole item, and the events between its start and its end.

use crate::{
    answer::{Part, Source, ToolCall},
    models::Maker,
    sse::Role,
    vendor::Turn,
};
use serde_json::{Value, json};

/// One output item.
pub(super) struct Item {
    /// As it stands in `response.output_item.added`.
    pub(super) added: Value,
    /// As it stands in `response.output_item.done` and in the response.
    pub(super) done: Value,
    /// Events between them, without the members that all share.
    pub(super) events: Vec<(Role, Value)>,
}

/// The items of an answer. `obfuscate`: deltas are padded.
pub(super) fn items(turn: &Turn<'_>, obfuscate: bool) -> Vec<Item> {
    if is_to_compact(turn.body) {
        return vec![compaction(turn)];
    }
    let mut items: Vec<Item> = turn
        .answer
        .parts
        .iter()
        .enumerate()
        .map(|(number, part)| match part {
            Part::Thinking { pieces, redacted } => reasoning(turn, number, pieces, *redacted),
            Part::Text { pieces, sources } => text(turn, number, pieces, sources),
            Part::Refusal { pieces } => refusal(turn, number, pieces),
            Part::Call(call) => tool_call(turn, number, call),
            Part::Search { query, sources } => search(turn, number, query, sources),
        })
        .collect();
    if obfuscate {
        let deltas = items
            .iter_mut()
            .flat_map(|item| &mut item.events)
            .filter(|(_, event)| event.get("delta").is_some());
        for (position, (_, event)) in deltas.enumerate() {
            event["obfuscation"] = json!(turn.ids.base62("", position + 1, 4 + position % 9));
        }
    }
    items
}

/// Whether the client wants a compaction in place of an answer.
fn is_to_compact(body: &Value) -> bool {
    body["input"]
        .as_array()
        .and_then(|items| items.last())
        .is_some_and(|item| item["type"] == "compaction_trigger")
}

fn compaction(turn: &Turn<'_>) -> Item {
    let id = turn.ids.hex("cmp_", 0, 48);
    let blob = turn.world.seal.issue(sealer(&turn.asked.model), Some(turn.key), &id);
    let item = json!({"id": id, "type": "compaction", "encrypted_content": blob});
    Item { added: item.clone(), done: item, events: Vec::new() }
}

fn deltas(kind: &str, pieces: &[String], shared: &Value) -> Vec<(Role, Value)> {
    pieces
        .iter()
        .map(|piece| {
            let mut event = json!({"type": kind});
            merge(&mut event, shared);
            event["delta"] = json!(piece);
            if kind == "response.output_text.delta" {
                event["logprobs"] = json!([]);
            }
            (Role::Delta, event)
        })
        .collect()
}

fn merge(event: &mut Value, members: &Value) {
    if let (Some(event), Some(members)) = (event.as_object_mut(), members.as_object()) {
        event.extend(members.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
}

/// Whose blobs those of a model look like: xAI's have no mark of their own.
pub(super) fn sealer(model: &str) -> Maker {
    if model.starts_with("grok-") { Maker::Google } else { Maker::Openai }
}

/// Whether blobs of reasoning are to be sent.
fn wants_blob(turn: &Turn<'_>) -> bool {
    let wanted = |entry: &Value| entry == "reasoning.encrypted_content";
    turn.body["include"].as_array().is_some_and(|include| include.iter().any(wanted))
}

fn reasoning(turn: &Turn<'_>, number: usize, pieces: &[String], redacted: bool) -> Item {
    let id = turn.ids.hex("rs_", number, 48);
    let text = pieces.concat();
    let mut events = Vec::new();
    let mut summary = Vec::new();
    if !pieces.is_empty() {
        let part = json!({"type": "summary_text", "text": text});
        let empty = json!({"type": "summary_text", "text": ""});
        events.push((
            Role::Frame,
            json!({"type": "response.reasoning_summary_part.added", "summary_index": 0, "part": empty}),
        ));
        events.extend(deltas("response.reasoning_summary_text.delta", pieces, &json!({"summary_index": 0})));
        events.push((
            Role::Frame,
            json!({"type": "response.reasoning_summary_text.done", "summary_index": 0, "text": text}),
        ));
        events.push((
            Role::Frame,
            json!({"type": "response.reasoning_summary_part.done", "summary_index": 0, "part": part}),
        ));
        summary.push(part);
    }
    let mut added = json!({"id": id, "type": "reasoning", "summary": []});
    let mut done = json!({"id": id, "type": "reasoning", "summary": summary});
    if wants_blob(turn) || redacted {
        // The blob of the first event is a placeholder: only the last one can be sent back.
        let maker = sealer(&turn.asked.model);
        added["encrypted_content"] = json!(if maker == Maker::Openai { "gAAAAAplaceholder" } else { "" });
        done["encrypted_content"] = json!(turn.world.seal.issue(maker, Some(turn.key), &id));
    }
    Item { added, done, events }
}

fn message(id: &str, status: &str, content: &[Value]) -> Value {
    json!({"id": id, "type": "message", "status": status, "role": "assistant", "content": content})
}

fn text(turn: &Turn<'_>, number: usize, pieces: &[String], sources: &[Source]) -> Item {
    let id = turn.ids.hex("msg_", number, 48);
    let text = pieces.concat();
    let notes: Vec<Value> = sources
        .iter()
        .map(|source| {
            json!({
                "type": "url_citation", "url": source.url, "title": source.title, "start_index": 0,
                "end_index": text.chars().count(),
            })
        })
        .collect();
    let part = |text: &str, notes: &[Value]| json!({"type": "output_text", "text": text, "annotations": notes, "logprobs": []});
    let place = json!({"content_index": 0});
    let mut events = vec![(
        Role::Frame,
        json!({"type": "response.content_part.added", "content_index": 0, "part": part("", &[])}),
    )];
    events.extend(deltas("response.output_text.delta", pieces, &place));
    for (at, note) in notes.iter().enumerate() {
        events.push((
            Role::Frame,
            json!({
                "type": "response.output_text.annotation.added", "content_index": 0, "annotation_index": at,
                "annotation": note,
            }),
        ));
    }
    events.push((
        Role::Frame,
        json!({"type": "response.output_text.done", "content_index": 0, "text": text, "logprobs": []}),
    ));
    let whole = part(&text, &notes);
    events.push((
        Role::Frame,
        json!({"type": "response.content_part.done", "content_index": 0, "part": whole.clone()}),
    ));
    Item { added: message(&id, "in_progress", &[]), done: message(&id, "completed", &[whole]), events }
}

fn refusal(turn: &Turn<'_>, number: usize, pieces: &[String]) -> Item {
    let id = turn.ids.hex("msg_", number, 48);
    let words = pieces.concat();
    let part = |words: &str| json!({"type": "refusal", "refusal": words});
    let mut events = vec![(
        Role::Frame,
        json!({"type": "response.content_part.added", "content_index": 0, "part": part("")}),
    )];
    events.extend(deltas("response.refusal.delta", pieces, &json!({"content_index": 0})));
    events
        .push((Role::Frame, json!({"type": "response.refusal.done", "content_index": 0, "refusal": words})));
    events.push((
        Role::Frame,
        json!({"type": "response.content_part.done", "content_index": 0, "part": part(&words)}),
    ));
    Item { added: message(&id, "in_progress", &[]), done: message(&id, "completed", &[part(&words)]), events }
}

fn tool_call(turn: &Turn<'_>, number: usize, call: &ToolCall) -> Item {
    let (kind, prefix, member, event) = if call.free {
        ("custom_tool_call", "ctc_", "input", "response.custom_tool_call_input")
    } else {
        ("function_call", "fc_", "arguments", "response.function_call_arguments")
    };
    let item = |status: &str, input: &str| {
        let mut item = json!({
            "id": turn.ids.hex(prefix, number, 48), "type": kind, "status": status,
            "call_id": turn.ids.base62("call_", number, 24), "name": call.name,
        });
        item[member] = json!(input);
        if let Some(namespace) = &call.namespace {
            item["namespace"] = json!(namespace);
        }
        item
    };
    let whole = [call.input.clone()];
    let pieces = if call.pieces.is_empty() { &whole[..] } else { &call.pieces[..] };
    let mut events = deltas(&format!("{event}.delta"), pieces, &json!({}));
    let mut done = json!({"type": format!("{event}.done")});
    done[member] = json!(call.input);
    events.push((Role::Frame, done));
    let status = if call.cut { "incomplete" } else { "completed" };
    Item { added: item("in_progress", ""), done: item(status, &call.input), events }
}

fn search(turn: &Turn<'_>, number: usize, query: &str, sources: &[Source]) -> Item {
    let id = turn.ids.hex("ws_", number, 48);
    let listed: Vec<Value> = sources.iter().map(|source| json!({"type": "url", "url": source.url})).collect();
    let mut action = json!({"type": "search", "query": query, "queries": [query]});
    let wanted = |entry: &Value| entry == "web_search_call.action.sources";
    if turn.body["include"].as_array().is_some_and(|include| include.iter().any(wanted)) {
        action["sources"] = json!(listed);
    }
    let events = ["in_progress", "searching", "completed"]
        .into_iter()
        .map(|step| (Role::Frame, json!({"type": format!("response.web_search_call.{step}")})))
        .collect();
    Item {
        added: json!({"id": id, "type": "web_search_call", "status": "in_progress"}),
        done: json!({"id": id, "type": "web_search_call", "status": "completed", "action": action}),
        events,
    }
}
