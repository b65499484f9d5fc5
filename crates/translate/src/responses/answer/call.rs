//! Calls of the client's tools.

use super::{
    StreamDecoder, contradiction,
    frame::{Frame, Head},
    track::{Contradiction, Kind, Said},
};
use crate::{
    content_id,
    ir::{Delta, Event, Flavour, Part, PartHead, ToolCall},
    lenient,
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
        self.open_unbegun(out);
        let Some(at) = self.find(Kind::Call(flavour), frame) else { return };
        let Said::Call(called) = &mut self.items[at].said else { return };
        if called.whole && called.has_arguments() {
            // Nothing follows the end of the arguments.
            return;
        }
        match called.part {
            Some(part) if called.goes_on(text) => {
                called.say_held(part, out);
                called.told.push_str(text);
                out.push(Event::Delta { part, delta: Delta::Arguments(text.to_owned()) });
            }
            _ => called.held.push_str(text),
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
        let Said::Call(called) = &mut self.items[at].said else { return };
        let text = text.unwrap_or_default();
        if !text.is_empty() {
            // What was held is said by the whole.
            called.held.clear();
        }
        let rest = match called.rest(text) {
            Ok(rest) => rest,
            Err(Contradiction) if called.is_another_call(text) => {
                self.broken.get_or_insert_with(lenient::another_call);
                ""
            }
            Err(Contradiction) => self.contradicted(at, out),
        };
        self.arguments(frame, flavour, Some(rest), out);
        if let Said::Call(called) = &mut self.items[at].said {
            called.whole = true;
        }
    }

    /// Opens the calls that waited for the words of a message: something else goes on.
    pub(super) fn open_unbegun(&mut self, out: &mut Vec<Event>) {
        for at in std::mem::take(&mut self.unbegun) {
            self.open_call(at, out);
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
        self.seen.call = true;
        let part = self.part(head, out);
        if let Said::Call(called) = &mut self.items[at].said {
            called.part = Some(part);
            if called.goes_on("") {
                called.say_held(part, out);
            }
        }
    }

    pub(super) fn call_done(&mut self, at: usize, mut whole: ToolCall, out: &mut Vec<Event>) {
        let Said::Call(called) = &mut self.items[at].said else { return };
        if called.part.is_none() {
            called.call = whole.clone();
            self.open_call(at, out);
        }
        let place = self.items[at].index;
        let Said::Call(called) = &mut self.items[at].said else { return };
        let Some(part) = called.part.take() else {
            // Nobody can run a call that never got a name, and without it the answer would be another one.
            self.broken.get_or_insert_with(lenient::unreadable_call);
            return;
        };
        if whole.arguments.is_empty() {
            called.say_held(part, out);
        }
        if called.told.is_empty() && whole.arguments.is_empty() {
            whole.arguments = std::mem::take(&mut called.early);
        }
        let rest = match called.rest(&whole.arguments) {
            Ok(rest) => rest.to_owned(),
            Err(Contradiction) if called.is_another_call(&whole.arguments) => {
                self.broken.get_or_insert_with(lenient::another_call);
                String::new()
            }
            Err(Contradiction) => {
                out.push(contradiction(place));
                String::new()
            }
        };
        if self.broken.is_some() {
            // No client is told that this call is complete; the answer ends as a failure.
            return;
        }
        called.told.push_str(&rest);
        if !rest.is_empty() {
            out.push(Event::Delta { part, delta: Delta::Arguments(rest) });
        }
        whole.call_id.clone_from(&called.call.call_id);
        if whole.name.is_empty() {
            whole.name.clone_from(&called.call.name);
        }
        let complete = whole.status.as_deref() != Some("incomplete");
        let whole = (whole.arguments == called.told).then(|| Box::new(Part::ToolCall(whole)));
        out.push(Event::PartStop { part, complete, whole });
    }
}
