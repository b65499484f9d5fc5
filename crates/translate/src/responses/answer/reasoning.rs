//! Reasoning: summaries, open reasoning, and its seal.

use super::{
    StreamDecoder, contradiction,
    frame::{Frame, Head},
    track::{Contradiction, Kind, Said},
};
use crate::ir::{Delta, Event, Part, PartHead, Thinking};

impl StreamDecoder {
    pub(super) fn thought(&mut self, frame: &Frame<'_>, raw: bool, text: Option<&str>, out: &mut Vec<Event>) {
        self.begin(&Head::default(), out);
        let Some(text) = text.filter(|text| !text.is_empty()) else { return };
        let Some(at) = self.find(Kind::Reasoning, frame) else { return };
        let index = if raw { frame.content_index.0 } else { frame.summary_index.0 }.unwrap_or(0);
        let Said::Reasoning(reasoned) = &mut self.items[at].said else { return };
        let paragraph = reasoned.paragraph(raw, index);
        reasoned.push(text);
        let (open, id) = (reasoned.part, reasoned.id.clone());
        let part = open.unwrap_or_else(|| {
            let part = self.part(PartHead::Thinking { id, redacted: false }, out);
            if let Said::Reasoning(reasoned) = &mut self.items[at].said {
                reasoned.part = Some(part);
            }
            part
        });
        out.push(Event::Delta { part, delta: Delta::Thinking { text: text.to_owned(), paragraph, raw } });
    }

    pub(super) fn thought_whole(
        &mut self,
        frame: &Frame<'_>,
        raw: bool,
        text: Option<&str>,
        out: &mut Vec<Event>,
    ) {
        let Some(at) = self.find(Kind::Reasoning, frame) else { return };
        let index = if raw { frame.content_index.0 } else { frame.summary_index.0 }.unwrap_or(0);
        let Said::Reasoning(reasoned) = &self.items[at].said else { return };
        let rest = reasoned.rest(raw, index, text.unwrap_or_default());
        let rest = rest.unwrap_or_else(|Contradiction| self.contradicted(at, out));
        self.thought(frame, raw, Some(rest), out);
    }

    pub(super) fn reasoning_done(&mut self, at: usize, whole: Thinking, out: &mut Vec<Event>) {
        let Said::Reasoning(reasoned) = &self.items[at].said else { return };
        let open = reasoned.part;
        let part = open
            .unwrap_or_else(|| self.part(PartHead::Thinking { id: whole.id.clone(), redacted: false }, out));
        let place = self.items[at].index;
        let Said::Reasoning(reasoned) = &mut self.items[at].said else { return };
        let mut said = Vec::new();
        if open.is_none() {
            for (list, raw) in [(&whole.summary, false), (&whole.raw, true)] {
                said.extend(list.iter().zip(0..).map(|(text, index)| (raw, index, text.as_str())));
            }
        } else {
            match reasoned.rest_of_all(&whole.summary, &whole.raw) {
                Ok(rest) => said = rest,
                Err(Contradiction) => out.push(contradiction(place)),
            }
        }
        for (raw, index, text) in said {
            let paragraph = reasoned.paragraph(raw, index);
            reasoned.push(text);
            let delta = Delta::Thinking { text: text.to_owned(), paragraph, raw };
            out.push(Event::Delta { part, delta });
        }
        let streamed = reasoned.length;
        if let Some(blob) = &whole.blob {
            out.push(Event::Delta { part, delta: Delta::Signature(blob.clone()) });
        }
        if let Said::Reasoning(reasoned) = &mut self.items[at].said {
            reasoned.part = None;
        }
        let length: usize = whole.summary.iter().chain(&whole.raw).map(String::len).sum();
        let whole = (length == streamed).then(|| Box::new(Part::Thinking(whole)));
        out.push(Event::PartStop { part, complete: true, whole });
    }
}
