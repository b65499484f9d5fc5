//! From frames to the steps of a body.

use super::{Frame, Role};
use crate::{
    body::Step,
    scenario::{Gzip, Script, Wire},
};
use byok_types::Dialect;
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use std::{io::Write, time::Duration};

/// A frame, or something that happens between frames.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    /// Bytes of a frame; `delta`: a pause stands before it.
    Bytes { bytes: Vec<u8>, delta: bool },
    /// Something else.
    Step(Step),
}

impl From<Frame> for Item {
    fn from(frame: Frame) -> Self {
        Self::Bytes { bytes: frame.text.into_bytes(), delta: frame.role == Role::Delta }
    }
}

/// Lays items on the wire as the scenario wants. `pace` is the pause between deltas if the scenario names none.
pub(crate) fn lay_out(items: Vec<Item>, script: &Script, dialect: Dialect, pace: Duration) -> Vec<Step> {
    let wire = script.wire;
    let mut items = items;
    if wire.noise {
        items = with_noise(items, dialect);
    }
    if wire.crlf {
        for item in &mut items {
            if let Item::Bytes { bytes, .. } = item {
                *bytes = crlf(bytes);
            }
        }
    }
    let gap = script.gap.unwrap_or(pace);
    let (mut steps, mut first) = (Vec::with_capacity(items.len()), true);
    for item in items {
        match item {
            Item::Step(step) => steps.push(step),
            Item::Bytes { bytes, delta } => {
                if delta {
                    let pause = if first { gap + script.first } else { gap };
                    first = false;
                    if !pause.is_zero() {
                        steps.push(Step::Wait(pause));
                    }
                }
                steps.push(Step::Data(bytes.into()));
            }
        }
    }
    chunked(steps, wire)
}

fn chunked(steps: Vec<Step>, wire: Wire) -> Vec<Step> {
    let steps = if wire.coalesce || wire.gzip.is_some() { joined(steps) } else { steps };
    let mut laid = Vec::with_capacity(steps.len());
    for step in steps {
        match step {
            Step::Data(bytes) => {
                let bytes = if wire.gzip.is_some() { gzip(&bytes) } else { bytes };
                if wire.one_byte {
                    laid.extend((0..bytes.len()).map(|at| Step::Data(bytes.slice(at..=at))));
                } else if wire.split_utf8 {
                    laid.extend(inside_characters(&bytes).into_iter().map(Step::Data));
                } else {
                    laid.push(Step::Data(bytes));
                }
            }
            other => laid.push(other),
        }
    }
    laid
}

/// All bytes up to the next tear or stall as one chunk; pauses are lost.
fn joined(steps: Vec<Step>) -> Vec<Step> {
    let (mut laid, mut bytes) = (Vec::new(), Vec::new());
    for step in steps {
        match step {
            Step::Data(data) => bytes.extend_from_slice(&data),
            Step::Wait(_) => {}
            other => {
                laid.push(Step::Data(std::mem::take(&mut bytes).into()));
                laid.push(other);
            }
        }
    }
    laid.push(Step::Data(bytes.into()));
    laid
}

/// The steps with their bytes compressed.
pub(crate) fn compressed(steps: Vec<Step>) -> Vec<Step> {
    chunked(steps, Wire { gzip: Some(Gzip::Announced), ..Wire::default() })
}

/// Compresses a chunk.
fn gzip(bytes: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory cannot fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default().into()
}

/// Cuts after the first byte of every character that has several.
fn inside_characters(bytes: &Bytes) -> Vec<Bytes> {
    let mut cuts: Vec<usize> =
        bytes.iter().enumerate().filter(|(_, byte)| **byte >= 0xC0).map(|(at, _)| at + 1).collect();
    cuts.push(bytes.len());
    let mut from = 0;
    cuts.into_iter()
        .map(|to| {
            let piece = bytes.slice(from..to);
            from = to;
            piece
        })
        .filter(|piece| !piece.is_empty())
        .collect()
}

fn crlf(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 8);
    for byte in bytes {
        if *byte == b'\n' && out.last() != Some(&b'\r') {
            out.push(b'\r');
        }
        out.push(*byte);
    }
    out
}

/// Frames that a client must skip, one before every frame.
fn with_noise(items: Vec<Item>, dialect: Dialect) -> Vec<Item> {
    let noise: [&str; 2] = match dialect {
        Dialect::Messages => {
            [": simulator noise\n\n", "event: sim_unknown\ndata: {\"type\":\"sim_unknown\",\"index\":99}\n\n"]
        }
        Dialect::Responses => {
            [": simulator noise\n\n", "event: codex.sim_unknown\ndata: {\"type\":\"codex.sim_unknown\"}\n\n"]
        }
        Dialect::Chat => [
            ": OPENROUTER PROCESSING\n\n",
            "data: {\"id\":\"noise\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"noise\",\"choices\":[]}\n\n",
        ],
        Dialect::Gemini => [": simulator noise\n\n", "data: {\"usageMetadata\":{}}\n\n"],
    };
    let mut mixed = Vec::with_capacity(items.len() * 2);
    for (at, item) in items.into_iter().enumerate() {
        if matches!(item, Item::Bytes { .. }) {
            mixed.push(Item::Bytes { bytes: noise[at % 2].as_bytes().to_vec(), delta: false });
        }
        mixed.push(item);
    }
    mixed
}

/// Whether the body is to be announced as compressed.
pub(crate) fn announces_gzip(wire: Wire) -> bool {
    wire.gzip == Some(Gzip::Announced)
}
