//! Where each key and value of a YAML text stands.
//!
//! `yaml_serde` gives values but no positions, so a second parser is asked for the event stream, and only for that:
//! `saphyr-parser` is pure Rust, has no dependencies to speak of and marks every event. Where the two should ever
//! disagree the values of `yaml_serde` hold and a position is missing, nothing worse.

use super::path::KeyPath;
use saphyr_parser::{Event, Marker, Parser};
use std::collections::HashMap;

/// Line and column, both from 1. Line 0 means unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) line: u32,
    pub(super) column: u32,
}

impl Mark {
    fn of(marker: Marker) -> Self {
        let number = |n: usize| u32::try_from(n).unwrap_or(0);
        Self { line: number(marker.line()), column: number(marker.col() + 1) }
    }
}

/// A key that stands twice in one table.
pub(super) struct Duplicate {
    pub(super) path: KeyPath,
    pub(super) first: Mark,
    pub(super) second: Mark,
}

#[derive(Default)]
pub(super) struct Positions {
    keys: HashMap<KeyPath, Mark>,
    values: HashMap<KeyPath, Mark>,
    pub(super) duplicates: Vec<Duplicate>,
}

impl Positions {
    /// The position of the key at `path`, else of what is nearest above it.
    pub(super) fn key(&self, path: &KeyPath) -> Mark {
        self.keys.get(path).copied().unwrap_or_else(|| self.value(path))
    }

    /// The position of the value at `path`, else (inside something repeated by an anchor) of what is nearest above it.
    pub(super) fn value(&self, path: &KeyPath) -> Mark {
        let mut here = Some(path.clone());
        while let Some(path) = here {
            if let Some(mark) = self.values.get(&path) {
                return *mark;
            }
            here = path.parent();
        }
        Mark::default()
    }
}

enum Frame {
    Table { path: KeyPath, key: Option<KeyPath> },
    List { path: KeyPath, next: usize },
}

/// Reads positions as far as the text can be understood; a text that is not YAML ends the index early.
pub(super) fn index(text: &str) -> Positions {
    let mut positions = Positions::default();
    let mut frames: Vec<Frame> = Vec::new();
    for event in Parser::new_from_str(text) {
        let Ok((event, span)) = event else { break };
        let mark = Mark::of(span.start);
        match event {
            Event::MappingEnd | Event::SequenceEnd => {
                frames.pop();
            }
            Event::Scalar(..) | Event::Alias(_) | Event::SequenceStart(..) | Event::MappingStart(..) => {
                if let Some(Frame::Table { path, key: key @ None }) = frames.last_mut() {
                    // A key that is not a word is refused later; there is nothing to index behind it.
                    let Event::Scalar(word, ..) = event else { break };
                    let path = path.key(&word);
                    match positions.keys.get(&path) {
                        Some(first) => {
                            let first = *first;
                            positions.duplicates.push(Duplicate { path: path.clone(), first, second: mark });
                        }
                        None => {
                            positions.keys.insert(path.clone(), mark);
                        }
                    }
                    *key = Some(path);
                    continue;
                }
                let path = match frames.last_mut() {
                    None => KeyPath::default(),
                    Some(Frame::Table { key, path }) => key.take().unwrap_or_else(|| path.clone()),
                    Some(Frame::List { path, next }) => {
                        *next += 1;
                        path.item(*next - 1)
                    }
                };
                positions.values.entry(path.clone()).or_insert(mark);
                match event {
                    Event::MappingStart(..) => frames.push(Frame::Table { path, key: None }),
                    Event::SequenceStart(..) => frames.push(Frame::List { path, next: 0 }),
                    _ => {}
                }
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => {}
        }
    }
    positions
}
