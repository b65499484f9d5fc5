//! However the bytes of an answer are cut, it says the same.

use super::{
    check::{self, Difference},
    load::Recording,
    random::Random,
};
use byok_translate::UsageScanner;
use byok_types::Usage;

const CHECK: &str = "cuts";
/// Ways of cutting at random places.
const RANDOM: usize = 4;

pub fn run(recording: &Recording) -> Vec<Difference> {
    if recording.status != 200 {
        return Vec::new();
    }
    let mut found = Vec::new();
    let exchange = check::exchange(recording, recording.dialect);
    let whole = check::events(recording, &recording.body, &exchange, || usize::MAX);
    let scanned = scan(recording, || usize::MAX);
    if let (true, Ok(events)) = (recording.op == "generate", &whole) {
        let decoded = check::fold(events).ok().and_then(|response| response.usage);
        // An estimate stands where the vendor states nothing, and only in translation.
        if let Some(decoded) = decoded.filter(|usage| !usage.estimated)
            && counts(&decoded) != scanned.as_ref().map(counts).unwrap_or_default()
        {
            found.push(Difference::new(CHECK, "scanner", format!("{decoded:?} is scanned as {scanned:?}")));
        }
    }
    for way in 0..=RANDOM {
        let mut random = Random::of(&format!("{} {way}", recording.id));
        // The first way cuts between all bytes, the others into pieces of up to 2, 16, 128 and 1,024 bytes.
        let most = [1, 2, 16, 128, 1024][way.min(4)];
        let mut cut = || 1 + random.below(most);
        if scan(recording, &mut cut) != scanned {
            found.push(Difference::new(CHECK, "scanner pieces", format!("pieces of up to {most} bytes")));
        }
        if recording.stream && check::events(recording, &recording.body, &exchange, &mut cut) != whole {
            found.push(Difference::new(CHECK, "events", format!("pieces of up to {most} bytes")));
        }
    }
    found
}

/// The usage that pass-through records.
fn scan(recording: &Recording, mut cut: impl FnMut() -> usize) -> Option<Usage> {
    let mut scanner = UsageScanner::new(recording.dialect, recording.stream);
    let mut rest = recording.body.as_slice();
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(cut().clamp(1, rest.len()));
        scanner.push(piece);
        rest = after;
    }
    scanner.usage()
}

fn counts(usage: &Usage) -> [u64; 6] {
    [usage.input, usage.cache_read, usage.cache_write, usage.output, usage.reasoning, usage.tool_input]
        .map(Option::unwrap_or_default)
}
