//! Breaks the codecs at a sample of places and sees whether a test notices.
//!
//! All mutants of the sample are written into one copy of the workspace, each behind a switch, so there is one build. What does
//! not compile is no mutant and is replaced by the next of the same file. Then the tests run once for each mutant.

mod find;
mod plant;

use find::Mutant;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write,
    ops::Range,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

type Error = Box<dyn std::error::Error>;

/// What is mutated, below `crates/translate/src`.
const SCOPE: [&str; 10] =
    ["chat", "responses", "messages", "gemini", "relay", "sse", "scan", "usage_scan", "carrier", "ir/fold"];

/// Test binaries that are slow or need what is not in the tree.
const LEFT_OUT: [&str; 1] = ["real_traffic"];

struct Options {
    sample: usize,
    seed: u64,
    only: Option<BTreeSet<u32>>,
    list: bool,
    /// Only files whose names begin so, or so.
    within: String,
    /// When to stop, at the latest; the order is by chance, so that what was run by then is a sample, too.
    minutes: u64,
}

fn main() -> Result<(), Error> {
    let mut options =
        Options { sample: 150, seed: 1, only: None, list: false, within: String::new(), minutes: 600 };
    for argument in std::env::args().skip(1) {
        match argument.split_once('=') {
            Some(("--sample", n)) => options.sample = n.parse()?,
            Some(("--minutes", n)) => options.minutes = n.parse()?,
            Some(("--in", name)) => name.clone_into(&mut options.within),
            Some(("--seed", n)) => options.seed = n.parse()?,
            Some(("--only", list)) => {
                options.only = Some(list.split(',').map(str::parse).collect::<Result<_, _>>()?)
            }
            None if argument == "--list" => options.list = true,
            _ => return Err(format!("what is {argument}?").into()),
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(4).ok_or("no root")?.to_owned();
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let scratch = target.join("mutants");
    let within: Vec<&str> = options.within.split(',').collect();
    let mut all = Vec::new();
    for (file, source) in
        sources(&root)?.into_iter().filter(|(file, _)| within.iter().any(|start| file.starts_with(start)))
    {
        all.extend(find::mutants(&file, &source)?);
    }
    let mut by_operator = BTreeMap::<_, usize>::new();
    for mutant in &all {
        *by_operator.entry(mutant.operator).or_default() += 1;
    }
    println!("{} places: {by_operator:?}", all.len());
    let mut chance = Chance(options.seed);
    let order = shuffled(&all, &mut chance);
    if options.list {
        return Ok(());
    }
    copy(&root, &scratch)?;
    let sample = compile(&root, &scratch, &target, &all, order, options.sample)?;
    let binaries = build(&scratch, &target)?;
    let mut sample: Vec<_> = sample.into_iter().collect();
    chance.shuffle(&mut sample);
    if let Some(only) = &options.only {
        sample.retain(|(number, _)| only.contains(number));
    }
    run(&scratch, &binaries, &sample, Duration::from_secs(60 * options.minutes))
}

fn sources(root: &Path) -> Result<Vec<(String, String)>, Error> {
    let source = root.join("crates/translate/src");
    let mut found = Vec::new();
    let mut folders = vec![source.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.strip_prefix(&source)?.to_string_lossy().into_owned();
            let in_scope =
                |part: &&str| name == format!("{part}.rs") || name.starts_with(&format!("{part}/"));
            if path.is_dir() {
                if !name.ends_with("tests") {
                    folders.push(path);
                }
            } else if SCOPE.iter().any(|part| in_scope(&part)) && !name.ends_with("tests.rs") {
                found.push((name, fs::read_to_string(path)?));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// SplitMix64.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, (self.next() % (at as u64 + 1)) as usize);
        }
    }
}

/// The places of each file, in an order by chance.
fn shuffled(all: &[Mutant], chance: &mut Chance) -> BTreeMap<String, Vec<usize>> {
    let mut files = BTreeMap::<String, Vec<usize>>::new();
    for (at, mutant) in all.iter().enumerate() {
        files.entry(mutant.file.clone()).or_default().push(at);
    }
    for places in files.values_mut() {
        chance.shuffle(places);
    }
    files
}

/// Whether these tests are run for a mutant of this file: all that are not of another dialect.
fn concerns(tests: &str, file: &str) -> bool {
    let dialects = ["chat", "responses", "messages", "gemini"];
    let of = |name: &str| dialects.into_iter().find(|dialect| name.starts_with(dialect));
    of(tests).is_none_or(|dialect| of(file).is_none_or(|own| own == dialect))
}

/// Copies what changed, so that an unchanged file is not built again.
fn copy(root: &Path, scratch: &Path) -> Result<(), Error> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()?;
    for name in String::from_utf8(listed.stdout)?.split('\0').filter(|name| !name.is_empty()) {
        let (from, to) = (root.join(name), scratch.join(name));
        if from.is_file() {
            put(&to, &fs::read(from)?)?;
        }
    }
    Ok(())
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    fs::create_dir_all(path.parent().ok_or("no folder")?)?;
    Ok(fs::write(path, bytes)?)
}

/// Plants a sample of `size` into the copy, taking as many of each file as its share is, until it compiles.
fn compile(
    root: &Path,
    scratch: &Path,
    target: &Path,
    all: &[Mutant],
    order: BTreeMap<String, Vec<usize>>,
    size: usize,
) -> Result<BTreeMap<u32, Mutant>, Error> {
    let share = |places: &Vec<usize>| (places.len() * size).div_ceil(all.len()).min(places.len());
    let mut taken: BTreeMap<&String, usize> =
        order.iter().map(|(file, places)| (file, share(places))).collect();
    let wanted: BTreeMap<&String, usize> = taken.clone();
    let mut broken = BTreeSet::new();
    for round in 1.. {
        let mut sample = BTreeMap::new();
        let mut planted = BTreeMap::new();
        for (file, places) in &order {
            // As many more as did not compile.
            let fit = |taken: usize| places[..taken].iter().filter(|at| !broken.contains(*at)).count();
            while fit(taken[file]) < wanted[file] && taken[file] < places.len() {
                *taken.entry(file).or_default() += 1;
            }
            let chosen: Vec<_> = places[..taken[file]].iter().filter(|at| !broken.contains(*at)).collect();
            let numbered: Vec<_> = chosen.iter().map(|at| (**at as u32 + 1, &all[**at])).collect();
            sample.extend(numbered.iter().map(|(number, mutant)| (*number, (*mutant).clone())));
            let path = Path::new("crates/translate/src").join(file);
            let (text, places) = plant::plant(&fs::read_to_string(root.join(&path))?, &numbered);
            put(&scratch.join(&path), text.as_bytes())?;
            planted.insert(path.to_string_lossy().into_owned(), places);
        }
        let library = fs::read_to_string(root.join("crates/translate/src/lib.rs"))? + plant::SWITCH;
        put(&scratch.join("crates/translate/src/lib.rs"), library.as_bytes())?;
        let errors = check(scratch, target)?;
        println!(
            "round {round}: {} mutants, {} errors, {} do not compile",
            sample.len(),
            errors.len(),
            broken.len()
        );
        if errors.is_empty() {
            return Ok(sample);
        }
        let before = broken.len();
        for (file, spans, message) in &errors {
            let places = planted.get(file).map(Vec::as_slice).unwrap_or_default();
            let blamed = spans.iter().find_map(|span| blame(places, span));
            match blamed {
                Some(number) => _ = broken.insert(number as usize - 1),
                None => println!("nobody to blame in {file}: {message}"),
            }
        }
        if broken.len() == before {
            return Err("does not compile, and no mutant is to blame".into());
        }
    }
    unreachable!()
}

/// The innermost mutant around the place of an error.
fn blame(places: &[(u32, Range<usize>)], span: &Range<usize>) -> Option<u32> {
    let around = places.iter().filter(|(_, place)| place.start <= span.start && span.end <= place.end);
    let within = places.iter().filter(|(_, place)| span.start <= place.start && place.end <= span.end);
    let least = |(_, place): &&(u32, Range<usize>)| place.len();
    around.min_by_key(least).or_else(|| within.min_by_key(least)).map(|(number, _)| *number)
}

/// The errors of the compiler: file, places (the main one first), message.
fn check(scratch: &Path, target: &Path) -> Result<Vec<(String, Vec<Range<usize>>, String)>, Error> {
    let output =
        cargo(scratch, target, &["check", "-q", "-p", "byok-translate", "--lib", "--message-format=json"])?;
    let mut errors = Vec::new();
    for message in output.iter().filter(|message| message["message"]["level"] == "error") {
        let message = &message["message"];
        let mut spans: Vec<&Value> =
            message["spans"].as_array().map(|list| list.iter().collect()).unwrap_or_default();
        spans.sort_by_key(|span| span["is_primary"] != true);
        let Some(file) = spans.first().and_then(|span| span["file_name"].as_str()) else { continue };
        let range =
            |span: &&Value| Some(span["byte_start"].as_u64()? as usize..span["byte_end"].as_u64()? as usize);
        let text = message["message"].as_str().unwrap_or_default().to_owned();
        errors.push((file.to_owned(), spans.iter().filter_map(range).collect(), text));
    }
    Ok(errors)
}

fn cargo(scratch: &Path, target: &Path, arguments: &[&str]) -> Result<Vec<Value>, Error> {
    let mut command = Command::new("cargo");
    command
        .args(arguments)
        .current_dir(scratch)
        .env("CARGO_TARGET_DIR", target)
        .env("RUSTFLAGS", "-Awarnings");
    let output = command.stderr(Stdio::inherit()).output()?;
    Ok(output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect())
}

/// Builds the tests; returns the binaries.
fn build(scratch: &Path, target: &Path) -> Result<Vec<(String, PathBuf)>, Error> {
    let made = cargo(
        scratch,
        target,
        &["test", "-q", "-p", "byok-translate", "--lib", "--tests", "--no-run", "--message-format=json"],
    )?;
    let mut binaries: Vec<(String, PathBuf)> = made
        .iter()
        .filter(|message| message["profile"]["test"] == true)
        .filter_map(|message| {
            Some((message["target"]["name"].as_str()?.to_owned(), message["executable"].as_str()?.into()))
        })
        .filter(|(name, _)| !LEFT_OUT.contains(&name.as_str()))
        .collect();
    // Those that tell most in the least time come first.
    let rank = |name: &str| {
        ["golden", "byok_translate", "traps"].iter().position(|known| *known == name).unwrap_or(9)
    };
    binaries.sort_by_key(|(name, _)| (rank(name), name.clone()));
    if binaries.is_empty() { Err("no tests".into()) } else { Ok(binaries) }
}

/// How a run of the tests ended.
enum End {
    Passed,
    Failed,
    TimedOut,
}

fn run(
    scratch: &Path,
    binaries: &[(String, PathBuf)],
    sample: &[(u32, Mutant)],
    limit: Duration,
) -> Result<(), Error> {
    let home = scratch.join("crates/translate");
    let mut limits = Vec::new();
    for (name, binary) in binaries {
        let begun = Instant::now();
        match test(binary, &home, 0, Duration::from_secs(300))? {
            End::Passed => {}
            _ => return Err(format!("{name} fails without any mutant").into()),
        }
        println!("{name}: {:.1} s", begun.elapsed().as_secs_f32());
        limits.push(begun.elapsed() * 8 + Duration::from_secs(10));
    }
    let mut log = fs::File::create(scratch.join("result.txt"))?;
    let (mut killed, mut late, mut survived) = (0, 0, 0);
    let begun = Instant::now();
    for (number, mutant) in sample {
        if begun.elapsed() > limit {
            println!("the time is over");
            break;
        }
        let mut by = None;
        for ((name, binary), limit) in binaries.iter().zip(&limits) {
            if !concerns(name, &mutant.file) {
                continue;
            }
            match test(binary, &home, *number, *limit)? {
                End::Passed => continue,
                End::Failed => by = Some(name.clone()),
                End::TimedOut => {
                    late += 1;
                    by = Some(format!("{name} did not end"));
                }
            }
            break;
        }
        let verdict = by.as_deref().unwrap_or("SURVIVED");
        let Mutant { file, line, function, operator, what, .. } = mutant;
        writeln!(log, "{number}\t{file}:{line}\t{function}\t{operator}\t{what}\t{verdict}")?;
        match by {
            Some(_) => killed += 1,
            None => {
                survived += 1;
                println!("{number} {file}:{line} `{function}` {operator}: {what}");
            }
        }
    }
    let share = 100.0 * f64::from(killed) / f64::from((killed + survived).max(1));
    println!("{killed} killed ({late} by the clock), {survived} survived: {share:.1} %");
    Ok(())
}

/// Runs a test binary with a mutant on.
fn test(binary: &Path, home: &Path, mutant: u32, limit: Duration) -> Result<End, Error> {
    // A mutant may well take all the memory there is.
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v 4000000; exec \"$0\" -q --test-threads=1"]).arg(binary).current_dir(home);
    command.env("BYOK_MUTANT", mutant.to_string()).env("RUST_BACKTRACE", "0").env("INSTA_UPDATE", "no");
    if std::env::var_os("PROPTEST_CASES").is_none() {
        command.env("PROPTEST_CASES", "48");
    }
    let output = home.join("../../out.txt");
    let file = fs::File::create(&output)?;
    let mut child = command.stdout(file.try_clone()?).stderr(file).stdin(Stdio::null()).spawn()?;
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(if status.success() { End::Passed } else { End::Failed });
        }
        // One test that failed is enough.
        if fs::read(&output)?.windows(11).any(|seen| seen == b" --- FAILED") {
            child.kill()?;
            child.wait()?;
            return Ok(End::Failed);
        }
        if begun.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            return Ok(End::TimedOut);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
