//! Reasoning: summaries, open reasoning, and its seal.

use super::{
    StreamDecoder,
    frame::{Frame, Head},
    track::{Kind, Reasoned, Said},
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
        reasoned.length += text.len();
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
        if !reasoned.has(raw, index) {
            self.thought(frame, raw, text, out);
        }
    }

    pub(super) fn reasoning_done(&mut self, at: usize, whole: Thinking, out: &mut Vec<Event>) {
        let Said::Reasoning(reasoned) = &self.items[at].said else { return };
        let Reasoned { part: open, length: streamed, .. } = *reasoned;
        let part = open
            .unwrap_or_else(|| self.part(PartHead::Thinking { id: whole.id.clone(), redacted: false }, out));
        let mut streamed = streamed;
        if open.is_none() {
            for (list, raw) in [(&whole.summary, false), (&whole.raw, true)] {
                for (text, paragraph) in list.iter().zip(0..) {
                    streamed += text.len();
                    out.push(Event::Delta {
                        part,
                        delta: Delta::Thinking { text: text.clone(), paragraph, raw },
                    });
                }
            }
        }
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
