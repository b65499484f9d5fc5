//! The official Python SDKs against byok, with the simulator behind it.
//!
//! The tests are in `tests/sdk/`. They run in a virtual environment of their own below `target/`, made from
//! `tests/sdk/requirements.txt`. Where that cannot be made they are skipped, and counted as skipped; with
//! `BYOK_REQUIRE_SDK=1` that is a failure. `cargo test --test sdk -- messages` runs the tests whose name contains the word.
#![allow(
    clippy::pedantic,
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    unreachable_pub,
    reason = "a test binary: its helpers are no API, and it speaks on the terminal"
)]

#[cfg(unix)]
#[allow(dead_code, reason = "the other test binary uses the rest")]
#[path = "support/byok.rs"]
mod byok;

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

/// Outcomes.
#[derive(Default)]
struct Counts {
    passed: usize,
    failed: usize,
    skipped: usize,
}

fn main() -> ExitCode {
    let wanted = env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let counts = match environment() {
        Ok(python) => run(&python, &wanted),
        Err(why) => {
            println!("the tests with the official SDKs are skipped: {why}");
            Counts { skipped: number_of_tests(), ..Counts::default() }
        }
    };
    let required = env::var_os("BYOK_REQUIRE_SDK").is_some_and(|value| value == "1");
    if required && counts.skipped > 0 {
        println!("BYOK_REQUIRE_SDK is set: skipped tests are a failure");
    }
    println!("{} passed, {} failed, {} skipped", counts.passed, counts.failed, counts.skipped);
    if counts.failed > 0 || (required && counts.skipped > 0) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// The directory of the Python files.
fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk")
}

/// Every test runs once for each of the four upstream dialects.
fn number_of_tests() -> usize {
    let files = fs::read_dir(sources()).into_iter().flatten().flatten();
    let texts = files.map(|file| fs::read_to_string(file.path()).unwrap_or_default());
    4 * texts.map(|text| text.matches("\ndef test_").count()).sum::<usize>()
}

/// The interpreter of the virtual environment, which is made if it is not there. The error is a sentence.
fn environment() -> Result<PathBuf, String> {
    if !cfg!(unix) {
        return Err("they are written for Unix".to_owned());
    }
    let requirements = sources().join("requirements.txt");
    let text = fs::read(&requirements).map_err(|error| error.to_string())?;
    // FNV-1a: the name changes with the requirements, nothing more is asked of it.
    let hash = text.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    });
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().ok_or("there is no target directory")?;
    let directory = target.join(format!("sdk-venv-{hash:016x}"));
    let (python, complete) = (directory.join("bin/python"), directory.join("complete"));
    // Two runs at the same time make one environment.
    let lock = File::create(target.join("sdk-venv.lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    if complete.exists() && output(Command::new(&python).arg("--version")).is_ok() {
        return Ok(python);
    }
    if directory.exists() {
        fs::remove_dir_all(&directory).map_err(|error| error.to_string())?;
    }
    println!("making the virtual environment of the SDKs; this happens once");
    output(Command::new("python3").args(["-m", "venv"]).arg(&directory))
        .map_err(|error| format!("python3 cannot make a virtual environment: {error}"))?;
    let mut install = Command::new(&python);
    install
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
        .arg(&requirements);
    output(&mut install).map_err(|error| format!("the SDKs cannot be installed: {error}"))?;
    File::create(&complete).map_err(|error| error.to_string())?;
    Ok(python)
}

/// Runs a command to its end; the error is the last line that it says.
fn output(command: &mut Command) -> Result<(), String> {
    let done = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    if done.status.success() {
        return Ok(());
    }
    let said = [done.stdout, done.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    Err(said
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("it fails without a word")
        .to_owned())
}

#[cfg(not(unix))]
fn run(_: &Path, _: &str) -> Counts {
    Counts::default()
}

/// Runs the Python tests against a byok with a simulator behind it.
#[cfg(unix)]
fn run(python: &Path, wanted: &str) -> Counts {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (_simulator, byok) = runtime.block_on(async {
        let simulator =
            byok_simulator::Simulator::start(byok_simulator::SimOptions::default()).await.unwrap();
        let byok = byok::Byok::start(config(&simulator.base_url())).await;
        (simulator, byok)
    });
    let mut tests = Command::new(python);
    tests
        .arg("-B")
        .arg(sources().join("run.py"))
        .arg(format!("http://{}", byok.address()))
        .arg(wanted)
        .stdin(Stdio::null());
    for name in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        tests.env_remove(name);
    }
    for (name, _) in env::vars().filter(|(name, _)| {
        ["OPENAI_", "ANTHROPIC_", "GEMINI_", "GOOGLE_"].iter().any(|s| name.starts_with(s))
    }) {
        tests.env_remove(name);
    }
    tests.envs(of_the_readme(&format!("http://{}", byok.address())));
    let done = tests.output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    print!("{said}");
    eprint!("{}", String::from_utf8_lossy(&done.stderr));
    let count = |start: &str| said.lines().filter(|line| line.starts_with(start)).count();
    let mut counts = Counts { passed: count("pass "), failed: count("fail "), skipped: 0 };
    if !done.status.success() || (wanted.is_empty() && counts.passed + counts.failed != number_of_tests()) {
        println!(
            "the Python tests did not come to their end ({}), the log of byok:\n{}",
            done.status,
            byok.log()
        );
        counts.failed += 1;
    }
    counts
}

/// The variables that README tells to set for SDKs, with this address in place of the usual one.
#[cfg(unix)]
fn of_the_readme(address: &str) -> Vec<(String, String)> {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let block = |title: &str| {
        let (_, behind) =
            readme.split_once(&format!("\n**{title}**\n\n```sh\n")).unwrap_or_else(|| panic!("{title}"));
        behind.split_once("\n```").unwrap().0.replace("http://127.0.0.1:8018", address)
    };
    let blocks = ["OpenAI SDKs", "Anthropic SDKs", "Gemini SDKs and Gemini CLI"].map(block).join("\n");
    let lines = blocks.lines().map(|line| line.strip_prefix("export ").unwrap().split_once('=').unwrap());
    lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// One provider for each upstream dialect, and for each trouble one that nobody else uses.
#[cfg(unix)]
fn config(simulator: &str) -> String {
    use serde_json::json;
    let openai = json!({
        "id": "gpt-5.1", "max_tokens_field": "max_completion_tokens", "developer_role": true, "family": "openai",
        "first_party": true,
    });
    let provider = |dialect: &str, wish: &str| {
        let (kind, base, key) = match dialect {
            "chat" => ("openai", format!("{simulator}/v1"), "sk-e2e"),
            "responses" => ("responses", format!("{simulator}/v1"), "sk-e2e"),
            "messages" => ("anthropic", simulator.to_owned(), "sk-ant-api03-e2e"),
            _ => ("gemini", simulator.to_owned(), "AIza-e2e"),
        };
        let mut provider = json!({"kind": kind, "base_url": base, "api_key": format!("{key}{wish}")});
        if base.ends_with("/v1") {
            provider["models"] = json!([openai]);
        }
        provider
    };
    let mut providers = json!({
        "claude": {"api_key": "sk-ant-api03-e2e", "base_url": simulator},
        "codex": {"api_key": "sk-e2e", "base_url": format!("{simulator}/v1")},
        "gemini": {"api_key": "AIza-e2e", "base_url": simulator},
        "my-chat": provider("chat", ""),
        "my-responses": provider("responses", ""),
    });
    let dialects = ["chat", "responses", "messages", "gemini"];
    for client in dialects {
        for upstream in dialects {
            for trouble in ["401", "429", "500", "529"] {
                let name = format!("{client}-{upstream}-{trouble}");
                providers[name] = provider(upstream, &format!("-sim-{trouble}"));
            }
        }
    }
    json!({"providers": providers, "log": "debug"}).to_string()
}
