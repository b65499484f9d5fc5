//! Writes mutants into sources, each behind its switch.

use crate::find::Mutant;
use std::{cmp::Reverse, ops::Range};

/// What `lib.rs` gets: whether a mutant is on.
pub const SWITCH: &str = r#"
/// The mutant that is on.
pub(crate) mod mutant {
    pub(crate) fn on(number: u32) -> bool {
        static ON: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
        *ON.get_or_init(|| std::env::var("BYOK_MUTANT").ok().and_then(|n| n.parse().ok()).unwrap_or(0)) == number
    }

    pub(crate) fn some<T>(number: u32, value: T) -> Option<T> {
        if on(number) { None } else { Some(value) }
    }
}
"#;

/// The source with these mutants (each with its number), and where each of them stands in it.
pub fn plant(source: &str, mutants: &[(u32, &Mutant)]) -> (String, Vec<(u32, Range<usize>)>) {
    let mut opening: Vec<_> = mutants.iter().collect();
    opening.sort_by_key(|(number, mutant)| (mutant.range.start, Reverse(mutant.range.end), *number));
    let mut open: Vec<(u32, &Mutant, usize)> = Vec::new();
    let (mut out, mut at, mut places) = (String::new(), 0, Vec::new());
    let mut close =
        |until: usize, open: &mut Vec<(u32, &Mutant, usize)>, out: &mut String, at: &mut usize| {
            while let Some((number, mutant, from)) = open.pop_if(|(_, mutant, _)| mutant.range.end <= until) {
                out.push_str(&source[*at..mutant.range.end]);
                *at = mutant.range.end;
                out.push_str(&mutant.after.replace('@', &number.to_string()));
                places.push((number, from..out.len()));
            }
        };
    for (number, mutant) in opening {
        close(mutant.range.start, &mut open, &mut out, &mut at);
        if at < mutant.range.start {
            out.push_str(&source[at..mutant.range.start]);
            at = mutant.range.start;
        }
        let from = out.len();
        out.push_str(&mutant.before.replace('@', &number.to_string()));
        at += mutant.cut;
        open.push((*number, mutant, from));
    }
    close(source.len(), &mut open, &mut out, &mut at);
    out.push_str(&source[at..]);
    (out, places)
}
