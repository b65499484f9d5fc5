//! Gives the tools in an answer the names that the client knows.

use crate::{
    Names,
    custom::Unwrap,
    ir::{Delta, Event, Flavour, Part, PartHead, PartId},
};
use std::sync::Arc;

/// Rewrites the events of an upstream: names of tools become the client's, and the arguments of tools that the client
/// declared with free text input become that text again. Stands between decoder and encoder, once for all dialects.
#[derive(Debug)]
pub(crate) struct Restore {
    names: Arc<Names>,
    /// Open calls whose wrapped input is being turned back into free text.
    unwrapping: Vec<(PartId, Unwrap)>,
}

impl Restore {
    pub(crate) fn new(names: Arc<Names>) -> Self {
        Self { names, unwrapping: Vec::new() }
    }

    /// Takes one event of the upstream; appends what the client shall see.
    pub(crate) fn push(&mut self, event: Event, out: &mut Vec<Event>) {
        match event {
            Event::PartStart { part, choice, head: head @ PartHead::ToolCall { .. } } => {
                out.push(Event::PartStart { part, choice, head: self.call(part, head) });
            }
            Event::Delta { part, delta: Delta::Arguments(piece) } => {
                let piece = match self.unwrap_of(part) {
                    Some(unwrap) => unwrap.push(&piece),
                    None => piece,
                };
                if !piece.is_empty() {
                    out.push(Event::Delta { part, delta: Delta::Arguments(piece) });
                }
            }
            Event::PartStop { part, complete, whole } => {
                if let Some(mut unwrap) = self.take_unwrap(part) {
                    let rest = unwrap.finish();
                    if !rest.is_empty() {
                        out.push(Event::Delta { part, delta: Delta::Arguments(rest) });
                    }
                }
                let whole = whole.map(|mut whole| {
                    self.rename_part(&mut whole);
                    whole
                });
                out.push(Event::PartStop { part, complete, whole });
            }
            Event::PartStart { part, choice, head: PartHead::Whole(mut whole) } => {
                self.rename_part(&mut whole);
                out.push(Event::PartStart { part, choice, head: PartHead::Whole(whole) });
            }
            other => out.push(other),
        }
    }

    fn call(&mut self, part: PartId, head: PartHead) -> PartHead {
        let PartHead::ToolCall { call_id, item_id, name, namespace: None, flavour, caller } = head else {
            return head;
        };
        let Some(tool) = self.names.client(&name).cloned() else {
            return PartHead::ToolCall { call_id, item_id, name, namespace: None, flavour, caller };
        };
        if tool.flavour == Flavour::Custom && flavour == Flavour::Function {
            self.unwrapping.push((part, Unwrap::default()));
        }
        PartHead::ToolCall {
            call_id,
            item_id,
            name: tool.name,
            namespace: tool.namespace,
            flavour: tool.flavour,
            caller,
        }
    }

    fn rename_part(&self, part: &mut Part) {
        let Part::ToolCall(call) = part else { return };
        let Some(tool) = self.names.client(&call.name).filter(|_| call.namespace.is_none()) else { return };
        call.name.clone_from(&tool.name);
        call.namespace.clone_from(&tool.namespace);
        if tool.flavour == Flavour::Custom && call.flavour == Flavour::Function {
            call.flavour = Flavour::Custom;
            let mut unwrap = Unwrap::default();
            call.arguments = unwrap.push(&call.arguments) + &unwrap.finish();
        }
    }

    fn unwrap_of(&mut self, part: PartId) -> Option<&mut Unwrap> {
        self.unwrapping.iter_mut().find(|(name, _)| *name == part).map(|(_, unwrap)| unwrap)
    }

    fn take_unwrap(&mut self, part: PartId) -> Option<Unwrap> {
        let at = self.unwrapping.iter().position(|(name, _)| *name == part)?;
        Some(self.unwrapping.swap_remove(at).1)
    }
}
