//! Cutting texts into deltas, at stop sequences and at the token limit.

use super::{Part, Stop};

/// Longest delta in characters, for scripts without spaces.
const LONGEST: usize = 12;
/// Characters in a delta of tool arguments.
const ARGUMENTS: usize = 8;

/// A text in deltas: words with the space behind them, or so many characters.
pub(super) fn pieces(text: &str, characters: Option<usize>) -> Vec<String> {
    if let Some(count) = characters {
        return by_count(text, count);
    }
    text.split_inclusive(char::is_whitespace).flat_map(|word| by_count(word, LONGEST)).collect()
}

/// Tool arguments in deltas.
pub(super) fn argument_pieces(text: &str, characters: Option<usize>) -> Vec<String> {
    by_count(text, characters.unwrap_or(ARGUMENTS))
}

fn by_count(text: &str, count: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.char_indices().nth(count).map_or(rest.len(), |(at, _)| at);
        let (piece, tail) = rest.split_at(end);
        pieces.push(piece.to_owned());
        rest = tail;
    }
    pieces
}

/// The text up to the first stop sequence in it.
pub(super) fn at_sequence<'a>(text: &'a str, stops: &[String]) -> (&'a str, Option<String>) {
    let first = stops
        .iter()
        .filter(|stop| !stop.is_empty())
        .filter_map(|stop| text.find(stop.as_str()).map(|at| (at, stop)))
        .min_by_key(|(at, _)| *at);
    match first {
        Some((at, stop)) => (&text[..at], Some(stop.clone())),
        None => (text, None),
    }
}

/// Cuts an answer to so many pieces. A piece counts as a token.
pub(super) fn at_limit(parts: &mut Vec<Part>, limit: usize) -> Option<Stop> {
    let mut left = limit;
    for at in 0..parts.len() {
        let count = parts[at].pieces().len();
        if count <= left {
            left -= count;
            continue;
        }
        match &mut parts[at] {
            Part::Thinking { pieces, .. } | Part::Text { pieces, .. } | Part::Refusal { pieces } => {
                pieces.truncate(left);
            }
            Part::Call(call) => {
                call.pieces.truncate(left);
                call.input = call.pieces.concat();
                call.cut = true;
            }
            Part::Search { .. } => {}
        }
        // A part of which nothing is left was never begun.
        let keep = if left == 0 { at } else { at + 1 };
        parts.truncate(keep);
        return Some(Stop::Length);
    }
    None
}
