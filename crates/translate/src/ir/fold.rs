use super::{
    Choice, Delta, Event, Extra, Part, PartHead, PartId, Refusal, Response, Start, Text, Thinking, ToolCall,
    Usage,
};
use byok_types::Failure;
use std::collections::HashMap;

/// Builds the whole answer from its events. There is no other way to make a `Response`.
#[derive(Debug, Default)]
pub struct Fold {
    response: Response,
    /// Where each open part stands: its choice, its place in the choice.
    open: HashMap<PartId, (usize, usize)>,
    /// Where the texts stand that are over: a citation may still come.
    over: HashMap<PartId, (usize, usize)>,
    failure: Option<Failure>,
}

impl Fold {
    /// Takes one event.
    pub fn push(&mut self, event: Event) {
        match event {
            Event::Start(Start { id, model, created }) => {
                self.response.id = id;
                self.response.model = model;
                self.response.created = created;
            }
            Event::PartStart { part, choice, head } => {
                let choice = choice as usize;
                let parts = &mut self.choice(choice).parts;
                parts.push(skeleton(head));
                let place = parts.len() - 1;
                self.open.insert(part, (choice, place));
            }
            Event::Delta { part, delta } => {
                if matches!(delta, Delta::Citation(_))
                    && let Some(place) = self.over.get(&part)
                    && let Some(text) = self.at(*place)
                {
                    apply(text, delta);
                } else if let Some(part) = self.part(part) {
                    apply(part, delta);
                }
            }
            Event::PartStop { part, complete, whole } => {
                if let Some(target) = self.part(part) {
                    if let Some(whole) = whole {
                        *target = *whole;
                    }
                    if let (Part::ToolCall(call), false) = (&mut *target, complete) {
                        call.status = Some("incomplete".to_owned());
                    }
                }
                if let Some(place) = self.open.remove(&part)
                    && matches!(self.at(place), Some(Part::Text(_)))
                {
                    self.over.insert(part, place);
                }
            }
            Event::Usage(usage) => self.response.usage.get_or_insert_with(Usage::default).merge(&usage),
            Event::Envelope(extra) => self.response.extra = extra,
            Event::Finish { choice, stop } => self.choice(choice as usize).stop = Some(stop),
            Event::Failure(failure) => self.failure = Some(failure),
            Event::Lost(_) | Event::Ping | Event::End => {}
        }
    }

    /// The answer, or the failure that took its place.
    pub fn finish(mut self) -> Result<Response, Failure> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        if self.response.choices.is_empty() {
            self.response.choices.push(Choice::default());
        }
        Ok(self.response)
    }

    fn choice(&mut self, index: usize) -> &mut Choice {
        // An absurd index from a broken upstream must not allocate: everything past 128 lands in the last one.
        let index = index.min(127);
        if self.response.choices.len() <= index {
            self.response.choices.resize_with(index + 1, Choice::default);
        }
        &mut self.response.choices[index]
    }

    fn part(&mut self, name: PartId) -> Option<&mut Part> {
        self.at(*self.open.get(&name)?)
    }

    fn at(&mut self, (choice, place): (usize, usize)) -> Option<&mut Part> {
        self.response.choices.get_mut(choice.min(127))?.parts.get_mut(place)
    }
}

fn skeleton(head: PartHead) -> Part {
    match head {
        PartHead::Text => Part::Text(Text::default()),
        PartHead::Refusal => Part::Refusal(Refusal::default()),
        PartHead::Thinking { id, redacted } => {
            Part::Thinking(Thinking { redacted, id, ..Thinking::default() })
        }
        PartHead::ToolCall { call_id, item_id, name, namespace, flavour, caller } => {
            Part::ToolCall(ToolCall {
                call_id,
                item_id,
                name,
                namespace,
                flavour,
                caller,
                ..ToolCall::default()
            })
        }
        PartHead::Whole(part) => *part,
    }
}

fn apply(part: &mut Part, delta: Delta) {
    match (part, delta) {
        (Part::Text(text), Delta::Text(piece)) => text.text.push_str(&piece),
        (Part::Text(text), Delta::Citation(citation)) => text.citations.push(*citation),
        (Part::Text(text), Delta::Logprobs(list)) => text.logprobs = Some(joined(text.logprobs.take(), list)),
        (Part::Text(text), Delta::Signature(blob)) => text.blob = Some(blob),
        (Part::Text(Text { extra, .. }) | Part::Refusal(Refusal { extra, .. }), Delta::Extra(known)) => {
            *extra = known;
        }
        (Part::Refusal(refusal), Delta::Refusal(piece) | Delta::Text(piece)) => refusal.text.push_str(&piece),
        (Part::Thinking(thinking), Delta::Thinking { text, paragraph, raw }) => {
            let paragraphs = if raw { &mut thinking.raw } else { &mut thinking.summary };
            let index = (paragraph as usize).min(paragraphs.len());
            if index == paragraphs.len() {
                paragraphs.push(String::new());
            }
            paragraphs[index].push_str(&text);
        }
        (Part::Thinking(thinking), Delta::Signature(blob)) => thinking.blob = Some(blob),
        (Part::ToolCall(call), Delta::Arguments(piece)) => call.arguments.push_str(&piece),
        (Part::ToolCall(call), Delta::Signature(blob)) => call.blob = Some(blob),
        _ => {}
    }
}

/// Joins two JSON lists; anything that is not a list replaces what was there.
fn joined(old: Option<crate::Json>, new: crate::Json) -> crate::Json {
    let Some(old) = old else { return new };
    let (Some(head), Some(tail)) = (
        old.get().trim().strip_prefix('[').and_then(|t| t.strip_suffix(']')),
        new.get().trim().strip_prefix('[').and_then(|t| t.strip_suffix(']')),
    ) else {
        return new;
    };
    let comma = if head.trim().is_empty() || tail.trim().is_empty() { "" } else { "," };
    crate::Json::parse(format!("[{head}{comma}{tail}]")).unwrap_or(new)
}

/// Says a whole answer as events, so that one encoder serves streams and whole answers. `Fold` of the result is the answer.
pub fn unfold(response: &Response) -> Vec<Event> {
    let mut events = vec![Event::Start(Start {
        id: response.id.clone(),
        model: response.model.clone(),
        created: response.created,
    })];
    let mut next = 0;
    for (index, choice) in response.choices.iter().enumerate() {
        let choice_index = u32::try_from(index).unwrap_or(u32::MAX);
        for part in &choice.parts {
            let name = PartId(next);
            next += 1;
            unfold_part(part, name, choice_index, &mut events);
        }
        if let Some(stop) = &choice.stop {
            events.push(Event::Finish { choice: choice_index, stop: stop.clone() });
        }
    }
    if !response.extra.is_empty() {
        events.push(Event::Envelope(response.extra.clone()));
    }
    if let Some(usage) = &response.usage {
        events.push(Event::Usage(usage.clone()));
    }
    events.push(Event::End);
    events
}

fn unfold_part(part: &Part, name: PartId, choice: u32, events: &mut Vec<Event>) {
    let (head, deltas, complete) = match part {
        Part::Text(text) => {
            let mut deltas = known(&text.extra);
            deltas.push(Delta::Text(text.text.clone()));
            deltas.extend(text.citations.iter().map(|c| Delta::Citation(Box::new(c.clone()))));
            deltas.extend(text.logprobs.clone().map(Delta::Logprobs));
            deltas.extend(text.blob.clone().map(Delta::Signature));
            (PartHead::Text, deltas, true)
        }
        Part::Refusal(refusal) => {
            let mut deltas = known(&refusal.extra);
            deltas.push(Delta::Refusal(refusal.text.clone()));
            (PartHead::Refusal, deltas, true)
        }
        Part::Thinking(thinking) => {
            let paragraphs = |list: &[String], raw: bool| {
                list.iter()
                    .zip(0..)
                    .map(|(text, paragraph)| Delta::Thinking { text: text.clone(), paragraph, raw })
                    .collect::<Vec<_>>()
            };
            let mut deltas = paragraphs(&thinking.summary, false);
            deltas.extend(paragraphs(&thinking.raw, true));
            deltas.extend(thinking.blob.clone().map(Delta::Signature));
            (PartHead::Thinking { id: thinking.id.clone(), redacted: thinking.redacted }, deltas, true)
        }
        Part::ToolCall(call) => {
            let mut deltas = vec![Delta::Arguments(call.arguments.clone())];
            deltas.extend(call.blob.clone().map(Delta::Signature));
            let head = PartHead::ToolCall {
                call_id: call.call_id.clone(),
                item_id: call.item_id.clone(),
                name: call.name.clone(),
                namespace: call.namespace.clone(),
                flavour: call.flavour,
                caller: call.caller.clone(),
            };
            (head, deltas, call.status.as_deref() != Some("incomplete"))
        }
        other => (PartHead::Whole(Box::new(other.clone())), Vec::new(), true),
    };
    events.push(Event::PartStart { part: name, choice, head });
    events.extend(deltas.into_iter().map(|delta| Event::Delta { part: name, delta }));
    events.push(Event::PartStop { part: name, complete, whole: Some(Box::new(part.clone())) });
}

fn known(extra: &Extra) -> Vec<Delta> {
    if extra.is_empty() { Vec::new() } else { vec![Delta::Extra(extra.clone())] }
}
