use super::JSON_TOOL;
use crate::{
    ir::{Delta, Event, PartHead, PartId, Stop, StopReason},
    unfinished::Unfinished,
};

/// Turns the calls of the forced tool back into text. What the model says beside them is no JSON: it waits until it is known
/// whether a call comes, and is left out if one does.
#[derive(Debug, Default)]
pub(crate) struct JsonTool {
    /// The calls: one for each choice, with its number.
    calls: Vec<(u32, PartId)>,
    /// Further calls of a choice: two JSON texts in one would be none.
    further: Vec<PartId>,
    /// Texts that wait, and after a call those that are left out.
    texts: Vec<PartId>,
    /// The events of texts that wait, and what came behind them.
    held: Vec<Event>,
    /// Bytes of text among them.
    held_bytes: usize,
    lost: bool,
    /// Whether the JSON is whole: as a text nobody behind this can tell.
    unfinished: Unfinished,
}

impl JsonTool {
    /// Takes one event; appends what the client shall see.
    pub(crate) fn push(&mut self, event: Event, out: &mut Vec<Event>) {
        match &event {
            Event::PartStart { part, choice, head: PartHead::ToolCall { name, .. } } if name == JSON_TOOL => {
                if self.calls.iter().any(|(served, _)| served == choice) {
                    self.further.push(*part);
                    self.lost = true;
                    return;
                }
                self.calls.push((*choice, *part));
                self.leave_out(out);
            }
            Event::PartStart { part, head: PartHead::Text, .. } => self.texts.push(*part),
            // Words before a call of a client's tool are for the person who reads, and so is an answer without any call.
            Event::PartStart { head: PartHead::ToolCall { .. }, .. }
            | Event::Finish { .. }
            | Event::Failure(_)
            | Event::End => self.release(out),
            _ => {}
        }
        if part_of(&event).is_some_and(|part| self.further.contains(&part)) {
            return;
        }
        let is_text = part_of(&event).is_some_and(|part| self.texts.contains(&part));
        if is_text && !self.calls.is_empty() {
            self.lost |= !text_of(&event).trim().is_empty();
        } else if is_text || !self.held.is_empty() && part_of(&event).is_some() {
            self.held_bytes += text_of(&event).len();
            self.held.push(event);
        } else {
            out.push(self.shown(event));
        }
    }

    /// Bytes of text that wait.
    pub(crate) fn held(&self) -> usize {
        self.held_bytes
    }

    /// Whether words of the model were left out.
    pub(crate) fn lost(&self) -> bool {
        self.lost
    }

    fn shown(&mut self, mut event: Event) -> Event {
        let Self { calls, unfinished, .. } = self;
        let is_call = |part: PartId| calls.iter().any(|(_, call)| *call == part);
        if part_of(&event).is_some_and(is_call) || matches!(event, Event::Finish { .. }) {
            unfinished.settle(&mut event);
        }
        match event {
            Event::PartStart { part, choice, .. } if is_call(part) => {
                Event::PartStart { part, choice, head: PartHead::Text }
            }
            Event::Delta { part, delta: Delta::Arguments(piece) } if is_call(part) => {
                Event::Delta { part, delta: Delta::Text(piece) }
            }
            Event::PartStop { part, complete, .. } if is_call(part) => {
                Event::PartStop { part, complete, whole: None }
            }
            // A text that is no JSON is not a call that could not be made.
            Event::Finish { choice, stop }
                if !calls.is_empty()
                    && matches!(stop.reason, StopReason::ToolCall | StopReason::MalformedCall) =>
            {
                Event::Finish { choice, stop: Stop::new(StopReason::End) }
            }
            other => other,
        }
    }

    fn leave_out(&mut self, out: &mut Vec<Event>) {
        self.lost |= self.held.iter().any(|event| !text_of(event).trim().is_empty());
        self.held_bytes = 0;
        let texts = &self.texts;
        let others = |event: &Event| part_of(event).is_none_or(|part| !texts.contains(&part));
        out.extend(self.held.drain(..).filter(others));
    }

    fn release(&mut self, out: &mut Vec<Event>) {
        if self.calls.is_empty() {
            self.texts.clear();
            self.held_bytes = 0;
            out.append(&mut self.held);
        }
    }
}

fn part_of(event: &Event) -> Option<PartId> {
    match event {
        Event::PartStart { part, .. } | Event::Delta { part, .. } | Event::PartStop { part, .. } => {
            Some(*part)
        }
        _ => None,
    }
}

fn text_of(event: &Event) -> &str {
    match event {
        Event::Delta { delta: Delta::Text(text), .. } => text,
        _ => "",
    }
}

#[cfg(test)]
mod tests;
