//! Replays the corpora of the fuzzer: everything in `fuzz/corpus/` keeps the promises that the targets check.
#![cfg(test)]
#![allow(
    clippy::pedantic,
    clippy::panic,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a test, whose targets are shared with a package of its own"
)]

#[path = "../fuzz/src/targets.rs"]
mod targets;

use std::{fs, path::Path};

#[test]
fn the_corpora_keep_every_promise() {
    let mut broken = Vec::new();
    for (name, run) in targets::TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
        let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        assert!(files.len() >= 5, "the corpus of {name} has {} inputs", files.len());
        for file in files {
            let input = fs::read(&file).unwrap();
            if std::panic::catch_unwind(|| run(&input)).is_err() {
                broken.push(file);
            }
        }
    }
    assert!(broken.is_empty(), "{broken:?} break a promise, see above");
}
