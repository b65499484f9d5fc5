//! Calls of the client's tools.

use super::{
    StreamDecoder,
    frame::{Frame, Head},
    track::{Kind, Said},
};
use crate::{
    content_id,
    ir::{Delta, Event, Flavour, Part, PartHead, ToolCall},
};

impl StreamDecoder {
    pub(super) fn arguments(
        &mut self,
        frame: &Frame<'_>,
        flavour: Flavour,
        text: Option<&str>,
        out: &mut Vec<Event>,
    ) {
        self.begin(&Head::default(), out);
        let Some(text) = text.filter(|text| !text.is_empty()) else { return };
        let Some(at) = self.find(Kind::Call(flavour), frame) else { return };
        let Said::Call(called) = &mut self.items[at].said else { return };
        if called.whole && called.length > 0 {
            // Nothing follows the end of the arguments.
            return;
        }
        called.length += text.len();
        match called.part {
            Some(part) => out.push(Event::Delta { part, delta: Delta::Arguments(text.to_owned()) }),
            None => called.held.push_str(text),
        }
    }

    pub(super) fn arguments_whole(
        &mut self,
        frame: &Frame<'_>,
        flavour: Flavour,
        text: Option<&str>,
        out: &mut Vec<Event>,
    ) {
        let Some(at) = self.find(Kind::Call(flavour), frame) else { return };
        let Said::Call(called) = &self.items[at].said else { return };
        if called.length == 0 {
            self.arguments(frame, flavour, text, out);
        }
        if let Said::Call(called) = &mut self.items[at].said {
            called.whole = true;
        }
    }

    /// Opens a call as soon as its name is known.
    pub(super) fn open_call(&mut self, at: usize, out: &mut Vec<Event>) {
        let Said::Call(called) = &mut self.items[at].said else { return };
        if called.part.is_some() || called.call.name.is_empty() {
            return;
        }
        if called.call.call_id.is_empty() {
            let own = called.call.item_id.clone().filter(|id| !id.is_empty());
            called.call.call_id =
                own.unwrap_or_else(|| content_id("call_", &[&at.to_string(), &called.call.name]));
        }
        let call = &called.call;
        let head = PartHead::ToolCall {
            call_id: call.call_id.clone(),
            item_id: call.item_id.clone(),
            name: call.name.clone(),
            namespace: call.namespace.clone(),
            flavour: called.flavour,
            caller: call.caller.clone(),
        };
        let early = std::mem::take(&mut called.held);
        self.seen.call = true;
        let part = self.part(head, out);
        if let Said::Call(called) = &mut self.items[at].said {
            called.part = Some(part);
        }
        if !early.is_empty() {
            out.push(Event::Delta { part, delta: Delta::Arguments(early) });
        }
    }

    pub(super) fn call_done(&mut self, at: usize, mut whole: ToolCall, out: &mut Vec<Event>) {
        let Said::Call(called) = &mut self.items[at].said else { return };
        if called.part.is_none() {
            called.call = whole.clone();
            self.open_call(at, out);
        }
        let Said::Call(called) = &mut self.items[at].said else { return };
        // A call that never got a name is no call.
        let Some(part) = called.part.take() else { return };
        if called.length == 0 {
            let text = if whole.arguments.is_empty() {
                std::mem::take(&mut called.early)
            } else {
                whole.arguments.clone()
            };
            called.length = text.len();
            whole.arguments.clone_from(&text);
            if !text.is_empty() {
                out.push(Event::Delta { part, delta: Delta::Arguments(text) });
            }
        }
        whole.call_id.clone_from(&called.call.call_id);
        if whole.name.is_empty() {
            whole.name.clone_from(&called.call.name);
        }
        let complete = whole.status.as_deref() != Some("incomplete");
        let whole = (whole.arguments.len() == called.length).then(|| Box::new(Part::ToolCall(whole)));
        out.push(Event::PartStop { part, complete, whole });
    }
}
