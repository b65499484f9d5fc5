//! The fast path of benchmarks: no checks, no log, answers made once and shared.

use crate::{
    answer::{Answer, Part, Stop, Tokens},
    anthropic,
    asked::Asked,
    body::Step,
    call::Call,
    gemini,
    ids::IdMaker,
    openai_chat, responses,
    server::Reply,
    sse::{Frame, Role},
    vendor::{Target, Turn},
    world::World,
};
use byok_types::Dialect;
use bytes::Bytes;
use memchr::memmem;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::{collections::HashMap, sync::Arc, time::Duration};

const WISH: &[u8] = b"sim:bench";
const KEY: &str = "-sim-bench";

/// What a benchmark asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Plan {
    dialect: Dialect,
    stream: bool,
    array: bool,
    chunks: usize,
    bytes: usize,
    gap_ms: u64,
    first_ms: u64,
}

/// An answer in the form in which it is sent.
struct Canned {
    /// Frames up to the first delta, as one chunk.
    opening: Bytes,
    deltas: Arc<[Bytes]>,
    /// Frames after the last delta, as one chunk.
    ending: Bytes,
}

/// The answers made so far.
#[derive(Default)]
pub(crate) struct BenchAnswers(Mutex<HashMap<Plan, Arc<Canned>>>);

/// Whether a request is one of a benchmark.
pub(crate) fn wanted(call: &Call) -> bool {
    memmem::find(&call.body, WISH).is_some()
        || call.headers.values().any(|v| memmem::find(v.as_bytes(), KEY.as_bytes()).is_some())
}

/// The answer to a benchmark's request; `None` for every other request.
pub(crate) fn reply(world: &World, call: &Call, dialect: Dialect, target: &Target) -> Option<Reply> {
    if !wanted(call) {
        return None;
    }
    let plan = Plan::of(call, dialect, target);
    let canned = {
        let mut answers = world.bench.0.lock();
        Arc::clone(answers.entry(plan).or_insert_with(|| Arc::new(plan.make(world))))
    };
    let mut steps = Vec::with_capacity(4);
    if plan.first_ms > 0 {
        steps.push(Step::Wait(Duration::from_millis(plan.first_ms)));
    }
    steps.push(Step::Data(canned.opening.clone()));
    if !plan.stream {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        return Some(Reply::sized(200, headers, steps));
    }
    let gap = Duration::from_millis(plan.gap_ms);
    steps.push(Step::Shared { frames: Arc::clone(&canned.deltas), next: 0, gap });
    steps.push(Step::Data(canned.ending.clone()));
    let kind =
        if plan.array { "application/json; charset=UTF-8" } else { "text/event-stream; charset=utf-8" };
    Some(Reply::streamed(200, vec![("content-type".to_owned(), kind.to_owned())], steps))
}

impl Plan {
    fn of(call: &Call, dialect: Dialect, target: &Target) -> Self {
        let stream = target.stream.unwrap_or_else(|| {
            [b"\"stream\":true".as_slice(), b"\"stream\": true"]
                .into_iter()
                .any(|field| memmem::find(&call.body, field).is_some())
        });
        let mut plan =
            Self { dialect, stream, array: target.array, chunks: 64, bytes: 32, gap_ms: 0, first_ms: 0 };
        let from = memmem::find(&call.body, WISH).map_or(call.body.len(), |at| at + WISH.len());
        let rest = &call.body[from..];
        let end = rest.iter().position(|byte| matches!(byte, b'"' | b'\\')).unwrap_or(rest.len());
        for word in String::from_utf8_lossy(&rest[..end]).split_whitespace() {
            let Some((name, Ok(value))) = word.split_once('=').map(|(name, v)| (name, v.parse::<u32>()))
            else {
                continue;
            };
            match name {
                "chunks" => plan.chunks = (value as usize).min(1_000_000),
                "bytes" => plan.bytes = (value as usize).clamp(1, 16 << 20),
                "gap_ms" => plan.gap_ms = u64::from(value),
                "first_ms" => plan.first_ms = u64::from(value),
                _ => {}
            }
        }
        plan
    }

    fn make(self, world: &World) -> Canned {
        let piece: String = "benchmark ".chars().cycle().take(self.bytes).collect();
        let answer = Answer {
            parts: vec![Part::Text { pieces: vec![piece; self.chunks], sources: Vec::new() }],
            stop: Stop::End,
            tokens: Tokens { input: 100, output: self.chunks as u64, ..Tokens::default() },
            counted: true,
        };
        let asked = Asked { model: "bench".to_owned(), stream: self.stream, ..Asked::default() };
        let body: Value = json!({"stream_options": {"include_usage": true, "include_obfuscation": false}});
        let ids = IdMaker::new(0).next();
        let turn = Turn { world, asked: &asked, answer: &answer, ids, key: "", body: &body };
        if !self.stream {
            let whole = match self.dialect {
                Dialect::Messages => anthropic::whole(&turn),
                Dialect::Chat => openai_chat::whole(&turn),
                Dialect::Responses => responses::whole(&turn),
                Dialect::Gemini => gemini::whole(&turn),
            };
            return Canned { opening: whole.to_string().into(), deltas: Arc::from([]), ending: Bytes::new() };
        }
        let frames = match self.dialect {
            Dialect::Messages => anthropic::stream(&turn),
            Dialect::Chat => openai_chat::stream(&turn),
            Dialect::Responses => responses::stream(&turn),
            Dialect::Gemini => gemini::stream(&turn, self.array),
        };
        let is_delta = |frame: &Frame| frame.role == Role::Delta;
        let first = frames.iter().position(is_delta).unwrap_or(frames.len());
        let after = frames.iter().rposition(is_delta).map_or(first, |last| last + 1);
        let joined = |frames: &[Frame]| -> Bytes {
            frames.iter().map(|frame| frame.text.as_str()).collect::<String>().into()
        };
        Canned {
            opening: joined(&frames[..first]),
            deltas: frames[first..after].iter().map(|frame| Bytes::from(frame.text.clone())).collect(),
            ending: joined(&frames[after..]),
        }
    }
}
