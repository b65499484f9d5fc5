//! Streams and bodies that break.

use crate::{
    body::{Step, Tear},
    scenario::{Script, Trouble},
    server::Reply,
    sse::{Frame, Item, Role},
};
use bytes::Bytes;
use flate2::{Compress, Compression, Crc, FlushCompress};
use std::time::Duration;

const MIB: usize = 1 << 20;
const KIB: usize = 1 << 10;

/// What a stream becomes when the scenario breaks it. `error` makes the vendor's error frame from the number of frames
/// before it; `bare` is an error document without a frame; `text` is the first delta's text.
pub(crate) fn broken_items(
    frames: Vec<Frame>,
    trouble: Option<Trouble>,
    error: impl Fn(usize) -> String,
    bare: &str,
    text: &str,
) -> Vec<Item> {
    let Some(trouble) = trouble else { return frames.into_iter().map(Item::from).collect() };
    let error_item = |number| Item::Bytes { bytes: error(number).into_bytes(), delta: false };
    let after = |deltas: usize, last: &dyn Fn(usize) -> Item| {
        let end = position_after(&frames, deltas);
        let mut items: Vec<Item> = frames[..end].iter().cloned().map(Item::from).collect();
        items.push(last(end));
        items
    };
    match trouble {
        Trouble::FirstEvent => vec![error_item(0)],
        Trouble::MidError(deltas) => after(deltas, &error_item),
        Trouble::BareError(deltas) => {
            after(deltas, &|_| Item::Bytes { bytes: bare.as_bytes().to_vec(), delta: false })
        }
        Trouble::MidTear(deltas, tear) => after(deltas, &|_| Item::Step(Step::Break(tear))),
        Trouble::HalfFrame(deltas) => {
            let half = |end: usize| {
                let text = frames.get(end).map_or("", |frame| frame.text.as_str());
                Item::Bytes { bytes: text.as_bytes()[..text.len() / 2].to_vec(), delta: false }
            };
            let mut items = after(deltas, &half);
            items.push(Item::Step(Step::Break(Tear::Reset)));
            items
        }
        Trouble::StallHeaders => vec![Item::Step(Step::Hang)],
        Trouble::StallComments(ms) => vec![Item::Step(comments(ms))],
        Trouble::StallMid(deltas) => after(deltas, &|_| Item::Step(Step::Hang)),
        Trouble::NoEnd => keep(frames, |role| role != Role::End && role != Role::Done),
        Trouble::NoDone => keep(frames, |role| role != Role::Done),
        Trouble::EndlessLine(mib) => after(1, &|_| Item::Step(endless(mib))),
        Trouble::InvalidUtf8 => frames
            .into_iter()
            .map(|frame| {
                let delta = frame.role == Role::Delta;
                Item::Bytes {
                    bytes: if delta { spoiled(&frame.text, text) } else { frame.text.into_bytes() },
                    delta,
                }
            })
            .collect(),
        Trouble::Refuse(..)
        | Trouble::Fail { .. }
        | Trouble::Silent
        | Trouble::Tear(_)
        | Trouble::Html(_)
        | Trouble::ErrorOk
        | Trouble::Empty
        | Trouble::GzipBomb(_)
        | Trouble::HugeHeaders(_) => frames.into_iter().map(Item::from).collect(),
    }
}

/// Frames up to and with the delta of this number.
fn position_after(frames: &[Frame], deltas: usize) -> usize {
    frames
        .iter()
        .enumerate()
        .filter(|(_, frame)| frame.role == Role::Delta)
        .take(deltas)
        .last()
        .map_or(0, |(at, _)| at + 1)
}

fn keep(frames: Vec<Frame>, wanted: impl Fn(Role) -> bool) -> Vec<Item> {
    frames.into_iter().filter(|frame| wanted(frame.role)).map(Item::from).collect()
}

fn endless(mib: usize) -> Step {
    let chunk = Bytes::from(vec![b'x'; 64 * KIB]);
    Step::Repeat { data: chunk, times: (mib * MIB / (64 * KIB)) as u64, gap: Duration::ZERO }
}

fn comments(ms: u64) -> Step {
    Step::Repeat {
        data: Bytes::from_static(b": keep-alive\n\n"),
        times: u64::MAX,
        gap: Duration::from_millis(ms),
    }
}

/// Puts bytes that are no UTF-8 behind the first occurrence of `text`.
fn spoiled(frame: &str, text: &str) -> Vec<u8> {
    let quoted = serde_json::Value::from(text).to_string();
    let inner = quoted.trim_matches('"');
    let Some(at) = frame.find(inner).filter(|_| !inner.is_empty()) else { return frame.as_bytes().to_vec() };
    let (head, tail) = frame.split_at(at + inner.len());
    [head.as_bytes(), b"\xff\xfe\xc3", tail.as_bytes()].concat()
}

/// What a whole answer becomes when the scenario breaks it.
pub(crate) fn break_whole(body: Vec<u8>, trouble: Option<Trouble>, text: &str) -> Vec<Step> {
    let half = || Step::Data(Bytes::copy_from_slice(&body[..body.len() / 2]));
    match trouble {
        Some(Trouble::MidTear(_, tear)) => vec![half(), Step::Break(tear)],
        Some(Trouble::HalfFrame(_)) => vec![half(), Step::Break(Tear::Reset)],
        Some(Trouble::StallHeaders | Trouble::StallComments(_)) => vec![Step::Hang],
        Some(Trouble::StallMid(_)) => vec![half(), Step::Hang],
        Some(Trouble::NoEnd) => vec![half()],
        Some(Trouble::EndlessLine(mib)) => vec![half(), endless(mib)],
        Some(Trouble::InvalidUtf8) => {
            vec![Step::Data(spoiled(&String::from_utf8_lossy(&body), text).into())]
        }
        _ => vec![Step::Data(body.into())],
    }
}

/// Answers that have nothing to do with the request.
pub(crate) fn special(trouble: Trouble, stream: bool) -> Option<Reply> {
    let page = "<!DOCTYPE html>\n<html><head><title>Simulated gateway</title></head>\
                <body><h1>This is not the API</h1></body></html>\n";
    match trouble {
        Trouble::Silent => Some(Reply::Silence),
        Trouble::Tear(tear) => Some(Reply::Tear(tear)),
        Trouble::Html(status) => Some(Reply::html(status, page)),
        Trouble::Empty => {
            let kind = if stream { "text/event-stream; charset=utf-8" } else { "application/json" };
            Some(Reply::sized(200, vec![("content-type".to_owned(), kind.to_owned())], Vec::new()))
        }
        Trouble::GzipBomb(mib) => {
            let kind = if stream { "text/event-stream; charset=utf-8" } else { "application/json" };
            let headers = [("content-type", kind), ("content-encoding", "gzip")];
            let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
            Some(Reply::streamed(200, headers, bomb(mib)))
        }
        _ => None,
    }
}

/// A gzip body of so many MiB of spaces. One block is compressed and sent again and again: after a full flush it
/// refers to nothing before it.
fn bomb(mib: usize) -> Vec<Step> {
    let spaces = vec![b' '; MIB];
    let mut deflate = Compress::new(Compression::best(), false);
    let mut block = Vec::with_capacity(64 * KIB);
    // Memory is enough for a MiB of spaces, so this cannot fail; if it did the body would be a broken one.
    let _ = deflate.compress_vec(&spaces, &mut block, FlushCompress::Full);
    let mut one = Crc::new();
    one.update(&spaces);
    let mut all = Crc::new();
    for _ in 0..mib {
        all.combine(&one);
    }
    let mut trailer = vec![3, 0];
    trailer.extend(all.sum().to_le_bytes());
    trailer.extend(all.amount().to_le_bytes());
    vec![
        Step::Data(Bytes::from_static(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])),
        Step::Repeat { data: block.into(), times: mib as u64, gap: Duration::ZERO },
        Step::Data(trailer.into()),
    ]
}

/// Headers that fill so many KiB.
pub(crate) fn padding(script: &Script) -> Vec<(String, String)> {
    let Some(Trouble::HugeHeaders(kib)) = script.trouble else { return Vec::new() };
    (0..kib.div_ceil(8)).map(|number| (format!("x-sim-padding-{number}"), "x".repeat(8 * KIB))).collect()
}

#[cfg(test)]
mod tests;
