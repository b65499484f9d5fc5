//! The parts of one content while it is read.

use crate::{
    gemini::blob,
    ir::{Blob, BlobSlot, Part, Text, Thinking},
};
use std::ops::Range;

/// Parts in their order. Sealed reasoning of other vendors, which came here because Gemini has no slot of its own for it, goes
/// to the thinking that it belongs to: somewhere before the part that it came on. Where that is gets noted, and all of it is put
/// in its place at the end, so that a content of many parts is not moved for each of them.
#[derive(Default)]
pub(super) struct Content {
    parts: Vec<Part>,
    /// Where the step begins that is being read: behind the last call.
    step: usize,
    /// Runs of thoughts of the step that have no seal.
    bare: Vec<Range<usize>>,
    /// Reasoning that opens a step, by the place where the step begins.
    opening: Vec<(usize, Part)>,
    /// Hidden reasoning, by the place of the thought that it stands before.
    hidden: Vec<(usize, Part)>,
    /// Thoughts whose text was joined to a later one.
    joined: Vec<usize>,
}

impl Content {
    pub(super) fn with_capacity(parts: usize) -> Self {
        Self { parts: Vec::with_capacity(parts), ..Self::default() }
    }

    pub(super) fn push(&mut self, part: Part) {
        let place = self.parts.len();
        match &part {
            Part::ToolCall(_) => {
                self.step = place + 1;
                self.bare.clear();
            }
            Part::Thinking(thinking) if thinking.blob.is_none() => match self.bare.last_mut() {
                Some(run) if run.end == place => run.end += 1,
                _ => self.bare.push(place..place + 1),
            },
            _ => {}
        }
        self.parts.push(part);
    }

    /// The blob for the part that carries `signature`, unless it belongs to thinking.
    pub(super) fn attach(&mut self, signature: Option<&str>, slot: BlobSlot) -> Option<Blob> {
        let blob = blob(signature?, slot)?;
        match blob.slot {
            BlobSlot::Redacted => self.hide(blob),
            BlobSlot::Thinking => self.seal(blob),
            _ => return Some(blob),
        }
        None
    }

    /// Hidden reasoning stood before a thought whose own seal has not come yet, or after all that is there.
    fn hide(&mut self, blob: Blob) {
        let hidden = Part::Thinking(Thinking { redacted: true, blob: Some(blob), ..Thinking::default() });
        match self.bare.last() {
            Some(run) if run.end == self.parts.len() => self.hidden.push((run.start, hidden)),
            _ => self.push(hidden),
        }
    }

    /// A streamed thought comes back in its pieces, and the vendor has sealed the whole.
    fn seal(&mut self, blob: Blob) {
        let Some(pieces) = self.bare.pop() else {
            let sealed = Part::Thinking(Thinking { blob: Some(blob), ..Thinking::default() });
            self.opening.push((self.step, sealed));
            return;
        };
        let texts = self.parts.get(pieces.clone()).into_iter().flatten().filter_map(|piece| match piece {
            Part::Thinking(piece) => Some(piece.text()),
            _ => None,
        });
        let whole: String = texts.collect();
        let last = pieces.end - 1;
        if let Some(Part::Thinking(thinking)) = self.parts.get_mut(last) {
            thinking.summary = Some(whole).filter(|text| !text.is_empty()).into_iter().collect();
            thinking.blob = Some(blob);
        }
        self.joined.extend(pieces.start..last);
    }

    /// All parts, each in its place, and what was streamed in pieces as one text. Where a piece is sealed it stays apart, as
    /// the vendor wants it.
    pub(super) fn joined(self) -> Vec<Part> {
        let parts = self.finish();
        let mut all: Vec<Part> = Vec::with_capacity(parts.len());
        let bare = |text: &Text| text.blob.is_none() && text.citations.is_empty() && text.extra.is_empty();
        let is_piece = |thought: &Thinking| thought.blob.is_none() && thought.extra.is_empty();
        for part in parts {
            match (all.last_mut(), part) {
                (Some(Part::Text(before)), Part::Text(text)) if bare(before) && bare(&text) => {
                    before.text.push_str(&text.text);
                }
                (Some(Part::Thinking(before)), Part::Thinking(thought))
                    if is_piece(before) && is_piece(&thought) =>
                {
                    let whole: String = before.summary.drain(..).chain(thought.summary).collect();
                    before.summary = vec![whole];
                }
                (_, part) => all.push(part),
            }
        }
        all
    }

    /// All parts, each in its place.
    pub(super) fn finish(mut self) -> Vec<Part> {
        if self.opening.is_empty() && self.hidden.is_empty() && self.joined.is_empty() {
            return self.parts;
        }
        // Of reasoning at one place the earlier stands first.
        self.opening.sort_by_key(|(place, _)| *place);
        self.hidden.sort_by_key(|(place, _)| *place);
        self.joined.sort_unstable();
        let (mut opening, mut hidden) =
            (self.opening.into_iter().peekable(), self.hidden.into_iter().peekable());
        let mut joined = self.joined.into_iter().peekable();
        let mut all = Vec::with_capacity(self.parts.len());
        for (place, part) in self.parts.into_iter().enumerate() {
            while let Some((_, part)) = opening.next_if(|(before, _)| *before == place) {
                all.push(part);
            }
            while let Some((_, part)) = hidden.next_if(|(before, _)| *before == place) {
                all.push(part);
            }
            if joined.next_if_eq(&place).is_none() {
                all.push(part);
            }
        }
        all.extend(opening.chain(hidden).map(|(_, part)| part));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::carrier;
    use byok_types::Family;

    /// Reads a content in one line: `t` is a thought, `c` a call, `s` and `r` seals of another vendor that come on a text.
    fn read(line: &str) -> String {
        let mut content = Content::default();
        for (at, word) in line.split(' ').enumerate() {
            let slot = if word == "r" { BlobSlot::Redacted } else { BlobSlot::Thinking };
            let foreign = Blob { family: Family::Claude, account: None, slot, data: at.to_string() };
            match word {
                "t" => content
                    .push(Part::Thinking(Thinking { summary: vec![at.to_string()], ..Thinking::default() })),
                "c" => content.push(Part::ToolCall(crate::ir::ToolCall::default())),
                "s" | "r" => {
                    let carrier = carrier::wrap_base64(&foreign);
                    assert_eq!(content.attach(Some(&carrier), BlobSlot::Text), None);
                }
                text => content.push(Part::text(text)),
            }
        }
        let told = content.finish().into_iter().map(|part| match part {
            Part::Thinking(thinking) => {
                let seal = thinking.blob.as_ref().map_or("", |blob| blob.data.as_str());
                format!("{}{}/{seal}", if thinking.redacted { "r" } else { "t" }, thinking.text())
            }
            Part::ToolCall(_) => "c".to_owned(),
            Part::Text(text) => text.text,
            other => format!("{other:?}"),
        });
        told.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn seals_go_to_the_thoughts_that_they_belong_to() {
        for (line, expected) in [
            ("t x s", "t0/2 x"),
            ("t t x s y", "t01/3 x y"),
            ("x s s", "t/1 t/2 x"),
            ("c x s", "c t/2 x"),
            ("t t r s", "r/2 t01/3"),
            ("t r r t s", "r/1 r/2 t03/4"),
            ("x r t s", "x r/1 t2/3"),
            ("t x t t y s s s", "t/7 t0/6 x t23/5 y"),
            ("t c t s", "t0/ c t2/3"),
            ("t r s x s c x r s", "t/4 r/1 t0/2 x c t/8 x r/7"),
        ] {
            assert_eq!(read(line), expected, "{line}");
        }
    }
}
