//! Runs the checks and counts.

use super::{
    check::Difference,
    cuts,
    exceptions::{self, Exception},
    load::{self, Recording},
    pass::Line,
    requests, robust, translation,
};
use std::{
    env,
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Instant,
};

/// At most this share of the recordings may be excepted, in per cent.
const MOST: usize = 5;

pub fn main() -> ExitCode {
    let wanted = env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let Some(folder) = load::folder() else {
        println!("the recordings are skipped: there is no folder of them (BYOK_RECORDED)");
        println!("0 passed, 0 excepted, 0 failed, 1 skipped");
        let required = env::var_os("BYOK_REQUIRE_RECORDED").is_some_and(|value| value == "1");
        if required {
            println!("BYOK_REQUIRE_RECORDED is set: a skipped test is a failure");
        }
        return if required { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    };
    let read = load::load(&folder).and_then(|all| Ok((all, exceptions::read()?)));
    let (mut all, exceptions) = match read {
        Ok(read) => read,
        Err(error) => {
            println!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let total = all.len();
    all.retain(|recording| recording.id.contains(&wanted));
    let outcome = judge(&all, &check_all(&all), &exceptions, total, wanted.is_empty());
    println!(
        "{} passed, {} excepted, {} failed, 0 skipped",
        outcome.passed, outcome.excepted, outcome.failed
    );
    if outcome.failed > 0 || all.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

#[derive(Default)]
struct Outcome {
    passed: usize,
    excepted: usize,
    failed: usize,
}

/// Counts the recordings, and says what is wrong.
fn judge(
    all: &[Recording],
    found: &[Vec<Difference>],
    exceptions: &[Exception],
    total: usize,
    complete: bool,
) -> Outcome {
    let mut outcome = Outcome::default();
    let mut used = vec![false; exceptions.len()];
    for (recording, differences) in all.iter().zip(found) {
        let mut unexcused = false;
        for difference in differences {
            match exceptions.iter().position(|e| e.covers(&recording.id, difference)) {
                Some(place) => used[place] = true,
                None => {
                    unexcused = true;
                    println!(
                        "{}: {}: {}: {}",
                        recording.id, difference.check, difference.what, difference.how
                    );
                }
            }
        }
        match (unexcused, differences.is_empty()) {
            (true, _) => outcome.failed += 1,
            (false, true) => outcome.passed += 1,
            (false, false) => outcome.excepted += 1,
        }
    }
    if complete {
        for exception in exceptions.iter().zip(&used).filter(|(_, used)| !**used).map(|(e, _)| e) {
            println!("an exception that is no longer needed: {exception:?}");
            outcome.failed += 1;
        }
        if exceptions::recordings(exceptions) * 100 > total * MOST {
            println!("more than {MOST} % of the recordings are excepted");
            outcome.failed += 1;
        }
    }
    outcome
}

/// The differences of each recording, in the order of the recordings.
fn check_all(all: &[Recording]) -> Vec<Vec<Difference>> {
    type Check = (&'static str, fn(&Recording) -> Vec<Difference>);
    let checks: [Check; 4] = [
        ("translation", translation::run),
        ("request", requests::run),
        ("cuts", cuts::run),
        ("robust", robust::run),
    ];
    let mut found = pass_all(all);
    for (name, check) in checks {
        let begun = Instant::now();
        for (sum, new) in found.iter_mut().zip(in_parallel(all, name, check)) {
            sum.extend(new);
        }
        println!("{name}: {:.1} s", begun.elapsed().as_secs_f32());
    }
    found
}

/// Through the real binary, one after the other.
fn pass_all(all: &[Recording]) -> Vec<Vec<Difference>> {
    let begun = Instant::now();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let found = runtime.block_on(async {
        let mut lines = Line::all(all).await;
        let mut found = Vec::new();
        for recording in all {
            let line = lines.iter_mut().find(|(dialect, _)| *dialect == recording.dialect);
            let (dialect, line) = line.expect("every dialect has a line");
            let differences = line.run(recording).await;
            if !differences.is_empty() {
                // Byok may have set the account aside, and the next exchange is not to suffer for it.
                *line = Line::new(*dialect, all).await;
            }
            found.push(differences);
        }
        found
    });
    println!("pass: {:.1} s", begun.elapsed().as_secs_f32());
    found
}

/// On all cores. A panic is a difference.
fn in_parallel(
    all: &[Recording],
    name: &'static str,
    check: fn(&Recording) -> Vec<Difference>,
) -> Vec<Vec<Difference>> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some(recording) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            let found = catch_unwind(AssertUnwindSafe(|| check(recording)))
                .unwrap_or_else(|_| vec![Difference::new(name, "panic", "see above")]);
            done.push((recording.id.as_str(), found));
        }
        done
    };
    let workers = thread::available_parallelism().map_or(2, usize::from);
    let mut done: Vec<_> = thread::scope(|scope| {
        let handles: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        handles.into_iter().flat_map(|handle| handle.join().unwrap()).collect()
    });
    done.sort_by_key(|(id, _)| *id);
    done.into_iter().map(|(_, found)| found).collect()
}
