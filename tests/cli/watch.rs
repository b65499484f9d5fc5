use crate::support::{Home, Vendor};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, ChildStdout, Command, Stdio},
};

fn watch(home: &Home, args: &[&str]) -> (Child, BufReader<ChildStdout>) {
    let mut child = Command::new(assert_cmd::cargo::cargo_bin("byok"))
        .env_clear()
        .env("HOME", home.path())
        .args([&["status", "--watch"], args].concat())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    (child, out)
}

/// Reads on until a line contains `part`.
fn until(out: &mut BufReader<ChildStdout>, part: &str) -> String {
    let mut seen = String::new();
    while !seen.lines().last().is_some_and(|line| line.contains(part)) {
        assert!(out.read_line(&mut seen).unwrap() > 0, "`{part}` was never shown:\n{seen}");
    }
    seen
}

/// Asks it to stop and returns what it still said.
fn stop(mut child: Child, mut out: BufReader<ChildStdout>) -> String {
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "Ctrl-C is the way to end it");
    rest
}

#[test]
fn a_block_for_each_change() {
    let (home, vendor) = (Home::new(), Vendor::start());
    home.write_config(&vendor.config());
    let (child, mut out) = watch(&home, &[]);
    let first = until(&mut out, "no account and no API key yet");
    assert!(first.starts_with("no byok is running"), "{first}");
    assert!(!first.contains('\x1b'), "no terminal, no escapes: {first}");
    crate::login::log_in_by_paste(&home, &vendor, "ada@example.org", &[]);
    let second = until(&mut out, "ada@example.org");
    assert!(second.starts_with('\n') && second.contains("no byok is running"), "{second}");
    let mut server = home.start(&["serve", "--port", "0"]);
    let base = server.base_url();
    let third = until(&mut out, "max 5x");
    assert!(third.contains(base.strip_prefix("http://").unwrap()), "{third}");
    let rest = stop(child, out);
    assert!(!rest.contains("settings:"), "time that passes is no change: {rest}");
}

#[test]
fn a_line_of_json_for_each_change() {
    let (home, vendor) = (Home::new(), Vendor::start());
    home.write_config(&vendor.config());
    let (child, mut out) = watch(&home, &["--json"]);
    let line = until(&mut out, "}");
    let report: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(report["running"], false);
    assert_eq!(stop(child, out), "");
}
