//! The targets without libFuzzer, for a machine without a nightly toolchain: bends the inputs of the corpus at random.
//! `random TARGET SECONDS [SEED]`. An input that breaks a promise is written to `found/` and ends the run.

use byok_fuzz::{
    mutate::{Chance, mutate},
    targets::TARGETS,
};
use std::{
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let target = arguments.first().and_then(|name| TARGETS.iter().find(|(known, _)| known == name));
    let (Some((name, run)), Some(Ok(seconds))) = (target, arguments.get(1).map(|text| text.parse())) else {
        eprintln!("usage: random request|answer|stream|sse|config SECONDS [SEED]");
        return ExitCode::FAILURE;
    };
    let seed = arguments.get(2).and_then(|text| text.parse().ok()).unwrap_or(1);
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut inputs: Vec<Vec<u8>> = match std::fs::read_dir(home.join("corpus").join(name)) {
        Ok(files) => files.flatten().filter_map(|file| std::fs::read(file.path()).ok()).collect(),
        Err(error) => {
            eprintln!("corpus/{name}: {error}");
            return ExitCode::FAILURE;
        }
    };
    let seeds = inputs.len();
    let (mut chance, begun, mut runs) = (Chance::new(seed), Instant::now(), 0_u64);
    while begun.elapsed() < Duration::from_secs(seconds) {
        let from = &inputs[chance.below(inputs.len())];
        let mut input = mutate(from, u32::try_from(chance.below(1 << 31)).unwrap_or_default());
        if chance.below(6) == 0 && !input.is_empty() {
            let at = chance.below(input.len());
            input[at] = u8::try_from(chance.below(256)).unwrap_or_default();
        }
        runs += 1;
        if std::panic::catch_unwind(|| run(&input)).is_err() {
            let file = home.join("found").join(format!("{name}-{seed}-{runs}"));
            let _ = std::fs::create_dir_all(home.join("found"));
            let _ = std::fs::write(&file, &input);
            eprintln!("{name}: broken after {runs} runs, see {}", file.display());
            return ExitCode::FAILURE;
        }
        // A few steps away from what was written by hand, not only one.
        if input.len() < 8192 {
            if inputs.len() < seeds + 256 {
                inputs.push(input);
            } else {
                inputs[seeds + chance.below(256)] = input;
            }
        }
    }
    println!("{name}: {runs} runs in {} s, nothing found", begun.elapsed().as_secs());
    ExitCode::SUCCESS
}
