//! What a delta takes from the heap, for each pair of dialects: `cargo bench -p byok-translate --bench heap`.
//!
//! A buffer that doubles takes much a few times in the life of an answer; a copy of what was said so far would take it every time.
#![allow(clippy::print_stdout, reason = "a benchmark talks to a person")]
#![allow(clippy::cast_precision_loss, reason = "numbers for people")]

#[path = "codec/frames.rs"]
mod frames;
#[expect(dead_code, reason = "the other benchmark uses all of it")]
#[path = "codec/running.rs"]
mod running;

use byok_types::Dialect;
use running::{Running, pairs};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Deltas of one answer.
const DELTAS: usize = 50_000;
/// Above this many bytes a delta took much.
const MUCH: usize = 4096;

fn main() {
    println!(
        "| client ← upstream | text: allocations | bytes | above 4 KB | arguments: allocations | bytes | above 4 KB |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    for (client, upstream) in pairs() {
        let text = measure(client, upstream, &frames::texts(upstream, DELTAS));
        let arguments = frames::arguments(upstream, DELTAS).map(|frames| measure(client, upstream, &frames));
        println!(
            "| {client} ← {upstream} | {text} | {} |",
            arguments.unwrap_or_else(|| "– | – | –".to_owned())
        );
    }
}

/// Allocations and bytes of one delta late in the answer, and how many deltas took much.
fn measure(client: Dialect, upstream: Dialect, frames: &[String]) -> String {
    let mut running = Running::new(client, upstream);
    let (mut allocations, mut bytes, mut much) = (0, 0, 0);
    for (at, frame) in frames.iter().enumerate() {
        let region = Region::new(HEAP);
        running.push(frame.as_bytes());
        let change = region.change();
        // `bytes_allocated` has the growth of what was reallocated in it.
        if change.bytes_allocated > MUCH {
            much += 1;
        } else if at >= DELTAS - 10_000 {
            allocations += change.allocations + change.reallocations;
            bytes += change.bytes_allocated;
        }
    }
    format!("{:.1} | {} | {much}", allocations as f64 / 10_000.0, bytes / 10_000)
}
