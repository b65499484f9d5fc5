//! The events that build a response.

use super::{
    items::{self, Item},
    render::{ending, finished, keep, mark_cut, shell},
};
use crate::{
    refusal::Refusal,
    sse::{Frame, Role},
    vendor::Turn,
};
use serde_json::{Value, json};

/// The events in order, numbered.
pub(crate) fn stream(turn: &Turn<'_>) -> Vec<Frame> {
    let obfuscate = turn.body["stream_options"]["include_obfuscation"] != false;
    let mut items = items::items(turn, obfuscate);
    mark_cut(&mut items, turn.answer);
    let output: Vec<Value> = items.iter().map(|item| item.done.clone()).collect();
    keep(turn, &output);
    let mut events = Events::default();
    let begun = shell(turn, "in_progress", &[]);
    events.add(Role::Frame, json!({"type": "response.created", "response": begun}));
    events.add(Role::Frame, json!({"type": "response.in_progress", "response": begun}));
    for (index, item) in items.into_iter().enumerate() {
        events.item(index, item);
    }
    let event = ending(turn.answer).event;
    events.add(Role::End, json!({"type": event, "response": finished(turn, &output)}));
    events.frames
}

/// The failure of a stream. As the first event it is a bare `error`, later the failed response.
pub(crate) fn error_frame(turn: &Turn<'_>, refusal: &Refusal, number: usize) -> String {
    if number == 0 {
        let event = json!({
            "type": "error", "code": refusal.code, "message": refusal.message, "param": null, "sequence_number": 0,
        });
        return Frame::event(Role::End, "error", &event).text;
    }
    let mut response = shell(turn, "failed", &[]);
    response["error"] = json!({"code": refusal.code, "message": refusal.message});
    let event = json!({"type": "response.failed", "response": response, "sequence_number": number});
    Frame::event(Role::End, "response.failed", &event).text
}

#[derive(Default)]
struct Events {
    frames: Vec<Frame>,
}

impl Events {
    fn add(&mut self, role: Role, mut event: Value) {
        event["sequence_number"] = json!(self.frames.len());
        let name = event["type"].as_str().unwrap_or_default().to_owned();
        self.frames.push(Frame::event(role, &name, &event));
    }

    fn item(&mut self, index: usize, item: Item) {
        let id = item.done["id"].clone();
        self.add(
            Role::Frame,
            json!({"type": "response.output_item.added", "output_index": index, "item": item.added}),
        );
        for (role, mut event) in item.events {
            event["item_id"] = id.clone();
            event["output_index"] = json!(index);
            self.add(role, event);
        }
        self.add(
            Role::Frame,
            json!({"type": "response.output_item.done", "output_index": index, "item": item.done}),
        );
    }
}
