//! What translation costs in CPU time, for each pair of dialects. `cargo bench -p byok-translate --bench codec` prints
//! the tables of BENCHMARKS.md; `-- --quick` takes fewer rounds, `-- --loop=PAIR` repeats one pair for a profiler
//! (`stream:CLIENT-UPSTREAM` or `request:…`, 2,000 times unless `--times=N` says otherwise).
//!
//! A figure is the median of its rounds, and the best round in brackets, in CPU time of this process. Other work on the machine
//! moves even that (cores share caches and more); the best round is the least disturbed one. "By `Value`" is the yardstick: the
//! same bytes read by `serde_json` as a tree and written again, in the same rounds.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark talks to a person"
)]
#![allow(clippy::cast_precision_loss, reason = "numbers for people")]

#[path = "codec/frames.rs"]
mod frames;
#[path = "codec/requests.rs"]
mod requests;
#[path = "codec/running.rs"]
mod running;

use byok_translate::{Ids, Incoming, codec, ir};
use byok_types::{Dialect, ModelFacts};
use running::{DIALECTS, Running, family, pairs};
use std::{hint::black_box, time::Duration};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let rounds = if arguments.iter().any(|argument| argument == "--quick") { 21 } else { 201 };
    if let Some(wanted) = arguments.iter().find_map(|argument| argument.strip_prefix("--loop=")) {
        let times = arguments.iter().find_map(|argument| argument.strip_prefix("--times="));
        return repeat(wanted, times.map_or(2_000, |times| times.parse().expect("a number")));
    }
    println!("| client ← upstream | text delta (µs) | the same by `Value` | argument delta early | late |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    for (client, upstream) in pairs() {
        println!("{}", stream_row(client, upstream, rounds));
    }
    println!(
        "\n| client → upstream | read (µs) | write (µs) | both (µs) | by `Value` | bytes in | bytes out |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    for (client, upstream) in pairs() {
        println!("{}", request_row(client, upstream, rounds));
    }
}

/// The CPU time of translating these frames.
fn spent(running: &mut Running, frames: &[String]) -> Duration {
    let begun = cpu();
    running.all(frames);
    cpu().checked_sub(begun).unwrap()
}

fn stream_row(client: Dialect, upstream: Dialect, rounds: usize) -> String {
    let mut text = Times::default();
    let mut tree = Times::default();
    let frames = frames::texts(upstream, 2_002);
    for _ in 0..rounds {
        let mut running = Running::new(client, upstream);
        running.all(&frames[..2]);
        text.add(spent(&mut running, &frames[2..]), 2_000);
        assert!(running.written > 2_000 * 20, "{client} {upstream}: nothing was written");
        tree.add(timed(|| frames[2..].iter().for_each(|frame| by_value(frame))), 2_000);
    }
    let (mut early, mut late) = (Times::default(), Times::default());
    if let Some(frames) = frames::arguments(upstream, 50_000) {
        for _ in 0..rounds.div_ceil(10) {
            let mut running = Running::new(client, upstream);
            running.all(&frames[..2]);
            early.add(spent(&mut running, &frames[2..2_002]), 2_000);
            running.all(&frames[2_002..48_000]);
            late.add(spent(&mut running, &frames[48_000..]), 2_000);
        }
    }
    let [text, tree, early, late] = [text, tree, early, late].map(|times| times.show(2));
    format!("| {client} ← {upstream} | {text} | {tree} | {early} | {late} |")
}

/// What JSON costs: the data of a frame read as a tree and written again.
fn by_value(frame: &str) {
    let data = frame.split_once("data: ").map_or(frame, |(_, data)| data);
    let tree: serde_json::Value = serde_json::from_str(data).unwrap_or_default();
    drop(black_box(serde_json::to_vec(&tree)));
}

fn request_row(client: Dialect, upstream: Dialect, rounds: usize) -> String {
    let body = requests::agent(client);
    let facts = ModelFacts {
        id: "m".to_owned(),
        family: family(upstream),
        max_output_tokens: Some(32_000),
        ..ModelFacts::default()
    };
    let decode = || {
        let gemini = client == Dialect::Gemini;
        let incoming = Incoming { body: &body, model: gemini.then_some("m"), stream: gemini.then_some(true) };
        codec::decode_request(client, &incoming).expect("readable").value
    };
    let encode = |request: &ir::Request| {
        codec::encode_request(upstream, request, &facts, &mut Ids::new("seed")).expect("writable").value
    };
    let request = decode();
    let [mut read, mut write, mut both, mut tree] = std::array::from_fn(|_| Times::default());
    for _ in 0..rounds {
        read.add(timed(|| drop(black_box(decode()))), 1);
        write.add(timed(|| drop(black_box(encode(&request)))), 1);
        both.add(timed(|| drop(black_box(encode(&decode())))), 1);
        tree.add(timed(|| by_value(std::str::from_utf8(&body).unwrap_or_default())), 1);
    }
    let (bytes, out) = (body.len(), encode(&request).len());
    let [read, write, both, tree] = [read, write, both, tree].map(|times| times.show(0));
    format!("| {client} → {upstream} | {read} | {write} | {both} | {tree} | {bytes} | {out} |")
}

/// Repeats one pair (`stream:chat-messages`: client, upstream) so that a profiler sees enough of it.
fn repeat(wanted: &str, times: usize) {
    let (what, pair) = wanted.split_once(':').expect("--loop=stream:CLIENT-UPSTREAM or request:…");
    let (client, upstream) = pair.split_once('-').expect("CLIENT-UPSTREAM");
    let dialect = |name: &str| *DIALECTS.iter().find(|d| d.to_string() == name).expect("a dialect");
    let (client, upstream) = (dialect(client), dialect(upstream));
    let body = requests::agent(client);
    let facts = ModelFacts { id: "m".to_owned(), family: family(upstream), ..ModelFacts::default() };
    let incoming = Incoming { body: &body, model: Some("m"), stream: Some(true) };
    let frames = frames::texts(upstream, 2_000);
    for _ in 0..times {
        if what == "request" {
            let request = codec::decode_request(client, &incoming).expect("readable").value;
            drop(black_box(codec::encode_request(upstream, &request, &facts, &mut Ids::new("seed"))));
        } else {
            Running::new(client, upstream).all(&frames);
        }
    }
}

fn timed(mut call: impl FnMut()) -> Duration {
    let begun = cpu();
    call();
    cpu().checked_sub(begun).unwrap()
}

/// What the rounds of a figure took, in microseconds.
#[derive(Default)]
struct Times(Vec<f64>);

impl Times {
    fn add(&mut self, time: Duration, parts: u32) {
        self.0.push(time.as_nanos() as f64 / 1000.0 / f64::from(parts));
    }

    /// The median, and the best round in brackets.
    fn show(mut self, digits: usize) -> String {
        self.0.sort_by(f64::total_cmp);
        match self.0.first() {
            Some(least) => format!("{:.digits$} ({least:.digits$})", self.0[self.0.len() / 2]),
            None => "–".to_owned(),
        }
    }
}

/// CPU time of this process so far.
#[cfg(unix)]
fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}

/// Time on the clock, where nothing better is at hand.
#[cfg(not(unix))]
fn cpu() -> Duration {
    static BEGUN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    BEGUN.get_or_init(std::time::Instant::now).elapsed()
}
