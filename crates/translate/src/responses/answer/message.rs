//! Messages: text and refusals.

use super::{
    super::{
        MESSAGE, citation,
        decode::message_parts,
        tagged::{OneOf, tag_within},
        wire::{Content, Item, Piece},
    },
    StreamDecoder,
    frame::{Frame, Head},
    track::{Contradiction, Kind, Said, Spoken, Told},
};
use crate::{
    Json,
    ir::{Delta, Event, Extra, Part, PartHead, PartId, Text},
    lenient,
    responses::{item::is_content, mend, writer::Object},
};
use byok_types::Dialect;

impl StreamDecoder {
    pub(super) fn spoken(
        &mut self,
        frame: &Frame<'_>,
        refusal: bool,
        text: Option<&str>,
        out: &mut Vec<Event>,
    ) {
        self.begin(&Head::default(), out);
        let text = text.unwrap_or_default();
        let logprobs =
            frame.logprobs.filter(|list| list.get() != "[]").map(|list| Json::from(list.to_owned()));
        if text.is_empty() && logprobs.is_none() {
            return;
        }
        let Some(at) = self.find(Kind::Message, frame) else { return };
        let Some(part) = self.open_spoken(at, frame.content_index.0.unwrap_or(0), refusal, text, out) else {
            return;
        };
        if !text.is_empty() {
            let delta = if refusal { Delta::Refusal(text.to_owned()) } else { Delta::Text(text.to_owned()) };
            out.push(Event::Delta { part, delta });
        }
        if let Some(list) = logprobs {
            out.push(Event::Delta { part, delta: Delta::Logprobs(list) });
        }
    }

    /// Says what was not streamed of a text. What was is repeated by the vendor and not said again.
    pub(super) fn spoken_whole(
        &mut self,
        frame: &Frame<'_>,
        refusal: bool,
        text: Option<&str>,
        out: &mut Vec<Event>,
    ) {
        let Some(at) = self.find(Kind::Message, frame) else { return };
        let index = frame.content_index.0.unwrap_or(0);
        let Said::Message(message) = &self.items[at].said else { return };
        let text = text.unwrap_or_default();
        let rest = message.spoken.iter().find(|s| s.index == index).map_or(Ok(text), |s| s.told.rest(text));
        let rest = rest.unwrap_or_else(|Contradiction| self.contradicted(at, out));
        if !rest.is_empty() {
            self.spoken(frame, refusal, Some(rest), out);
        }
    }

    /// The part of a message that has this place, opened if it is new. `None` if it is closed.
    pub(super) fn open_spoken(
        &mut self,
        at: usize,
        index: u64,
        refusal: bool,
        text: &str,
        out: &mut Vec<Event>,
    ) -> Option<PartId> {
        let Said::Message(message) = &mut self.items[at].said else { return None };
        if let Some(spoken) = message.spoken.iter_mut().find(|s| s.index == index) {
            spoken.told.push(text);
            return spoken.open.then_some(spoken.part);
        }
        // A new part of a message ends the one before.
        for old in message.spoken.iter_mut().filter(|s| s.open) {
            old.open = false;
            out.push(Event::PartStop { part: old.part, complete: true, whole: None });
        }
        if refusal {
            self.seen.refusal = true;
        } else {
            self.seen.other = true;
        }
        let part = self.part(if refusal { PartHead::Refusal } else { PartHead::Text }, out);
        let known = tag(Some(&self.items[at].id), None);
        if let Said::Message(message) = &mut self.items[at].said {
            message.tag = message.tag.take().or(known);
            if let Some(tag) = &message.tag {
                let delta =
                    Delta::Extra(Extra::new(Dialect::Responses, vec![(MESSAGE.to_owned(), tag.clone())]));
                out.push(Event::Delta { part, delta });
            }
            let mut told = Told::default();
            told.push(text);
            message.spoken.push(Spoken { index, part, open: true, told, citations: 0 });
        }
        Some(part)
    }

    pub(super) fn annotation(&mut self, frame: &Frame<'_>, out: &mut Vec<Event>) {
        let Some(annotation) = frame.annotation else { return };
        let Some(at) = self.find(Kind::Message, frame) else { return };
        let index = frame.content_index.0.unwrap_or(0);
        let Said::Message(message) = &mut self.items[at].said else { return };
        let Some(spoken) = message.spoken.iter_mut().find(|s| s.index == index && s.open) else { return };
        // Counted whatever it is: the whole message has it in its place.
        spoken.citations += 1;
        let annotation = Json::from(annotation.to_owned());
        if !annotation.is_object() {
            return;
        }
        let citation = citation::decode(annotation);
        out.push(Event::Delta { part: spoken.part, delta: Delta::Citation(Box::new(citation)) });
    }

    pub(super) fn content_done(&mut self, frame: &Frame<'_>, out: &mut Vec<Event>) {
        let Some(piece) = frame.part.and_then(mend::read::<OneOf<Piece>>) else { return };
        if let OneOf::Known(_, piece) = &piece
            && piece.text.is_none()
            && piece.refusal.is_none()
        {
            return;
        }
        let tag = frame.part.and_then(|raw| tag_within(raw.get()));
        if tag.as_deref() == Some("reasoning_text") {
            return;
        }
        self.begin(&Head::default(), out);
        let Some(at) = self.find(Kind::Message, frame) else { return };
        let parts = message_parts(Some(Content::Pieces(vec![piece])), &String::new).unwrap_or_default();
        for part in parts {
            self.piece_done(at, frame.content_index.0.unwrap_or(0), part, out);
        }
    }

    pub(super) fn message_done(&mut self, at: usize, item: Item, out: &mut Vec<Event>) {
        let tag = message_tag(&item);
        let parts = message_parts(item.content, &String::new).unwrap_or_default();
        if let Said::Message(message) = &mut self.items[at].said
            && tag.is_some()
        {
            message.tag = tag;
        }
        for (index, part) in (0..).zip(parts) {
            self.piece_done(at, index, part, out);
        }
        self.close(at, /* complete */ true, out);
    }

    /// A part of a message is complete.
    pub(super) fn piece_done(&mut self, at: usize, index: u64, mut part: Part, out: &mut Vec<Event>) {
        let Said::Message(message) = &self.items[at].said else { return };
        let tag = message.tag.clone();
        let known = message.spoken.iter().find(|s| s.index == index).copied();
        let (text, refusal) = match &mut part {
            Part::Text(text) => {
                if let Some(tag) = tag {
                    text.extra.push(Dialect::Responses, MESSAGE, tag);
                }
                (text.text.clone(), false)
            }
            Part::Refusal(refusal) => {
                if let Some(tag) = tag {
                    refusal.extra.push(Dialect::Responses, MESSAGE, tag);
                }
                (refusal.text.clone(), true)
            }
            // By its type it is no part of a message, and as an item it would be another thing.
            Part::Opaque(block) if !is_content(block.json.get()) => {
                out.extend(lenient::told(vec![format!("content[{index}].type")], ""));
                return;
            }
            _ => {
                self.whole(part, out);
                return;
            }
        };
        let spoken = match known {
            Some(spoken) if !spoken.open => {
                // Nothing can be added to a part that has ended.
                if spoken.told.rest(&text) != Ok("") {
                    self.contradicted(at, out);
                }
                return;
            }
            Some(mut spoken) => {
                let rest = spoken.told.rest(&text);
                let rest = rest.unwrap_or_else(|Contradiction| self.contradicted(at, out));
                if !rest.is_empty() {
                    spoken.told.push(rest);
                    let delta =
                        if refusal { Delta::Refusal(rest.to_owned()) } else { Delta::Text(rest.to_owned()) };
                    out.push(Event::Delta { part: spoken.part, delta });
                }
                spoken
            }
            None if text.is_empty() => return,
            None => {
                let Some(name) = self.open_spoken(at, index, refusal, &text, out) else { return };
                let delta = if refusal { Delta::Refusal(text.clone()) } else { Delta::Text(text.clone()) };
                out.push(Event::Delta { part: name, delta });
                if let Part::Text(Text { logprobs: Some(list), .. }) = &part {
                    out.push(Event::Delta { part: name, delta: Delta::Logprobs(list.clone()) });
                }
                let mut told = Told::default();
                told.push(&text);
                Spoken { index, part: name, open: true, told, citations: 0 }
            }
        };
        if let Part::Text(text) = &part {
            for citation in text.citations.iter().skip(spoken.citations) {
                let delta = Delta::Citation(Box::new(citation.clone()));
                out.push(Event::Delta { part: spoken.part, delta });
            }
        }
        if let Said::Message(message) = &mut self.items[at].said {
            for known in message.spoken.iter_mut().filter(|s| s.index == index) {
                (known.open, known.told) = (false, spoken.told);
            }
        }
        // A last word that differs from what was streamed is not trusted.
        let whole = (text.len() == spoken.told.length).then(|| Box::new(part));
        out.push(Event::PartStop { part: spoken.part, complete: true, whole });
    }
}

/// What of a message item has no place in a text part.
pub(super) fn message_tag(item: &Item) -> Option<Json> {
    tag(item.id.as_deref(), item.phase.as_deref())
}

fn tag(id: Option<&str>, phase: Option<&str>) -> Option<Json> {
    let id = id.filter(|id| !id.is_empty());
    if id.is_none() && phase.is_none() {
        return None;
    }
    let mut out = Vec::new();
    let mut object = Object::begin(&mut out);
    object.maybe_text("id", id).maybe_text("phase", phase);
    object.end();
    Json::parse(String::from_utf8(out).ok()?).ok()
}
