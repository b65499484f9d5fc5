mod calls;
mod ending;

use super::chunk::{Candidate, Piece};
use crate::{
    Json,
    gemini::{
        blob,
        decode::media_part,
        grounding::{Cited, Spoken},
        logprobs, server,
    },
    ir::{BlobSlot, Delta, Event, Extra, Part, PartHead, PartId, ServerTool, Source, StopReason},
    media,
};
use calls::Partial;
use ending::stop_reason;
use serde_json::value::RawValue;
use std::{borrow::Cow, collections::HashSet};

/// Hands out names of parts.
#[derive(Debug, Default)]
pub(super) struct Sink {
    next: u32,
    /// The id of the answer, which makes ids of calls differ from those of other answers.
    pub(super) answer: String,
}

impl Sink {
    fn part(&mut self) -> PartId {
        let part = PartId(self.next);
        self.next = self.next.saturating_add(1);
        part
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Thinking,
}

/// A part that grows.
#[derive(Clone, Copy, Debug)]
struct Open {
    part: PartId,
    kind: Kind,
    /// A signed part takes no more words.
    signed: bool,
}

/// One of the answers of a stream.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is something that came or did not")]
pub(super) struct Choice {
    index: u32,
    open: Option<Open>,
    /// All visible text; grounding refers to it by bytes.
    text: String,
    /// The parts that it is made of.
    spoken: Vec<Spoken>,
    /// What they have been said to rest on.
    cited: HashSet<Cited>,
    /// Whether sources came that no text has been held against.
    has_news: bool,
    /// Where each part of a whole answer begins in it.
    part_starts: Vec<usize>,
    partial: Option<Partial>,
    calls: usize,
    /// The calls that came under an id of the upstream.
    identified: HashSet<String>,
    /// Whether there was a call without a name.
    unreadable: bool,
    /// Whether anything came but thinking.
    said: bool,
    /// Whether a part of the answer told of a search, or of a page that was read: then what is said beside it tells the same.
    searched: bool,
    fetched: bool,
    server_call: String,
    grounding: Option<Json>,
    pages: Option<Json>,
    citations: Option<Json>,
    finish: Option<(StopReason, String)>,
    finish_message: Option<String>,
}

impl Choice {
    pub(super) fn new(index: u32) -> Self {
        Self {
            index,
            open: None,
            text: String::new(),
            spoken: Vec::new(),
            cited: HashSet::new(),
            has_news: false,
            part_starts: Vec::new(),
            partial: None,
            calls: 0,
            identified: HashSet::new(),
            unreadable: false,
            said: false,
            searched: false,
            fetched: false,
            server_call: String::new(),
            grounding: None,
            pages: None,
            citations: None,
            finish: None,
            finish_message: None,
        }
    }

    pub(super) fn index(&self) -> u32 {
        self.index
    }

    pub(super) fn is_finished(&self) -> bool {
        self.finish.is_some()
    }

    /// Whether there is anything to tell: words, a call, or how it ended.
    pub(super) fn says_something(&self) -> bool {
        self.said || self.finish.is_some()
    }

    /// The prompt was refused: there is no answer.
    pub(super) fn blocked(&mut self, reason: String, message: Option<String>) {
        self.finish.get_or_insert((StopReason::Refusal, reason));
        self.finish_message = message.or(self.finish_message.take());
    }

    pub(super) fn candidate(
        &mut self,
        candidate: Candidate<'_>,
        whole: bool,
        sink: &mut Sink,
        out: &mut Vec<Event>,
    ) {
        let keep = |slot: &mut Option<Json>, raw: Option<&RawValue>| {
            if let Some(raw) = raw.filter(|raw| raw.get() != "{}") {
                *slot = Some(Json::from(raw.to_owned()));
            }
        };
        self.has_news |= candidate.grounding_metadata.is_some() || candidate.citation_metadata.is_some();
        // Before the parts: a text that ends with one of them can still be told what it rests on.
        keep(&mut self.grounding, candidate.grounding_metadata);
        keep(&mut self.citations, candidate.citation_metadata);
        keep(&mut self.pages, candidate.url_context_metadata);
        let parts = candidate.content.and_then(|content| content.parts);
        for piece in parts.into_iter().flat_map(|list| list.0) {
            if whole {
                self.part_starts.push(self.text.len());
            }
            self.piece(piece, sink, out);
        }
        if let (Some(result), Some(Open { part, kind: Kind::Text, .. })) =
            (candidate.logprobs_result, self.open)
            && let Some(list) = logprobs::from_gemini(result.get())
        {
            out.push(Event::Delta { part, delta: Delta::Logprobs(list) });
        }
        if let Some(word) = candidate.finish_reason.filter(|word| !word.is_empty())
            && let Some(reason) = stop_reason(&word)
        {
            self.finish = Some((reason, word.into()));
            let message = candidate.finish_message.and_then(|raw| serde_json::from_str(raw.get()).ok());
            self.finish_message = message.or(self.finish_message.take());
        }
    }

    fn piece(&mut self, piece: Piece<'_>, sink: &mut Sink, out: &mut Vec<Event>) {
        let signature = piece.thought_signature.as_deref().unwrap_or_default();
        if let Some(call) = piece.function_call {
            self.call(*call, signature, sink, out);
            return;
        }
        let mut server = piece.server().peekable();
        if server.peek().is_some() {
            for (name, member) in server {
                self.server(name, member, signature, sink, out);
            }
            return;
        }
        let inline = piece.inline_data.and_then(|inline| {
            let media_type = inline.mime_type.as_deref().filter(|m| !m.is_empty())?.to_owned();
            Some(media::base64_source(&media_type, inline.data?.into()))
        });
        let file = piece.file_data.and_then(|file| {
            Some(Source::Url { url: file.file_uri?.into(), media_type: file.mime_type.map(String::from) })
        });
        if let Some(source) = inline.or(file) {
            // Drafts that the model looks at while it thinks are not part of the answer.
            if piece.thought != Some(true) {
                self.media(source, signature, sink, out);
            }
            return;
        }
        match (piece.text.map(|text| text.0), piece.thought) {
            (text, Some(true)) => {
                let text = text.unwrap_or_default();
                self.words(Kind::Thinking, text, signature, sink, out);
            }
            (Some(text), _) => self.words(Kind::Text, text, signature, sink, out),
            (None, _) if !signature.is_empty() => {
                self.words(Kind::Text, Cow::default(), signature, sink, out);
            }
            (None, _) => {}
        }
    }

    fn words(
        &mut self,
        kind: Kind,
        text: Cow<'_, str>,
        signature: &str,
        sink: &mut Sink,
        out: &mut Vec<Event>,
    ) {
        let slot = if kind == Kind::Text { BlobSlot::Text } else { BlobSlot::Thinking };
        let blob = blob(signature, slot);
        if text.is_empty() && blob.is_none() {
            return;
        }
        let part = match self.open {
            Some(open) if open.kind == kind && !open.signed => open.part,
            _ => {
                self.settle(sink, out);
                let head = match kind {
                    Kind::Text => PartHead::Text,
                    Kind::Thinking => PartHead::Thinking { id: None, redacted: false },
                };
                let part = self.start(head, Some(kind), sink, out);
                if kind == Kind::Text {
                    self.spoken.push(Spoken { part, from: self.text.len() });
                }
                part
            }
        };
        if !text.is_empty() {
            let delta = match kind {
                Kind::Text => {
                    self.said = true;
                    self.text.push_str(&text);
                    Delta::Text(text.into())
                }
                Kind::Thinking => Delta::Thinking { text: text.into(), paragraph: 0, raw: false },
            };
            out.push(Event::Delta { part, delta });
        }
        if let Some(blob) = blob {
            out.push(Event::Delta { part, delta: Delta::Signature(blob) });
            if let Some(open) = &mut self.open {
                open.signed = true;
            }
        }
    }

    fn start(&mut self, head: PartHead, kind: Option<Kind>, sink: &mut Sink, out: &mut Vec<Event>) -> PartId {
        let part = sink.part();
        self.open = kind.map(|kind| Open { part, kind, signed: false });
        out.push(Event::PartStart { part, choice: self.index, head });
        part
    }

    fn whole(&mut self, part: Part, sink: &mut Sink, out: &mut Vec<Event>) {
        self.settle(sink, out);
        let name = self.start(PartHead::Whole(Box::new(part)), None, sink, out);
        out.push(Event::PartStop { part: name, complete: true, whole: None });
    }

    fn media(&mut self, source: Source, signature: &str, sink: &mut Sink, out: &mut Vec<Event>) {
        let kind = match &source {
            Source::Base64 { media_type, .. } | Source::Url { media_type: Some(media_type), .. } => {
                media::kind(media_type)
            }
            _ => media::MediaKind::Other,
        };
        let mut extra = Extra::default();
        if !signature.is_empty() {
            extra.push(byok_types::Dialect::Gemini, "thoughtSignature", Json::string(signature));
        }
        self.said = true;
        self.whole(media_part(kind, source, None, None, extra), sink, out);
    }

    fn server(
        &mut self,
        name: &'static str,
        member: &RawValue,
        signature: &str,
        sink: &mut Sink,
        out: &mut Vec<Event>,
    ) {
        let member = server::camel_member(name, Json::from(member.to_owned()));
        let signature = (!signature.is_empty()).then_some(signature);
        let verbatim = server::verbatim(name, &member, signature, &[]);
        if self.server_call.is_empty() {
            self.server_call.clone_from(&sink.answer);
        }
        let part = server::read(name, &member, &mut self.server_call, verbatim);
        if let Part::ServerCall(call) = &part {
            self.searched |= call.tool == ServerTool::WebSearch;
            self.fetched |= call.tool == ServerTool::WebFetch;
        }
        self.said = true;
        self.whole(part, sink, out);
    }

    /// Ends what is open, because something else begins. A call that was to go on is not complete by that.
    fn settle(&mut self, sink: &mut Sink, out: &mut Vec<Event>) {
        self.end_partial(false, sink, out);
        self.close_words(out);
    }

    fn close_words(&mut self, out: &mut Vec<Event>) {
        // In a whole answer all can be told at its end.
        let is_text = matches!(self.open, Some(Open { kind: Kind::Text, .. }));
        if is_text && self.has_news && self.part_starts.is_empty() {
            self.cite(/* grows */ true, out);
        }
        if let Some(Open { part, .. }) = self.open.take() {
            out.push(Event::PartStop { part, complete: true, whole: None });
        }
    }

    /// The stream is over. `complete` says whether it ended as it should.
    pub(super) fn close(&mut self, complete: bool, sink: &mut Sink, out: &mut Vec<Event>) {
        self.end_partial(false, sink, out);
        if complete {
            self.cite(/* grows */ false, out);
        }
        if let Some(Open { part, .. }) = self.open.take() {
            out.push(Event::PartStop { part, complete, whole: None });
        }
        if complete && !self.fetched {
            self.fetches(sink, out);
        }
        if complete && !self.searched {
            self.search(sink, out);
        }
    }
}
