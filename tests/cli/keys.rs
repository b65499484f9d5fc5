//! Keys: those that tools send to byok, and API keys that are pasted.

use crate::support::{Home, Vendor, client};
use rustix::{
    fs::{Mode, OFlags},
    process::{Pid, Signal, WaitOptions, kill_process, waitpid},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, tcgetattr},
};
use serde_json::Value;
use std::{
    io::Read as _,
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;

#[test]
fn client_keys_are_listed_and_revoked() {
    let home = Home::new();
    let none = home.run(&["keys"]);
    assert_eq!((none.code, none.err.contains("there are no client keys")), (0, true), "{}", none.err);
    assert!(!home.file("tokens.db").exists(), "a look makes nothing");

    let mut byok = home.start(&["serve", "--port", "0", "--host", "0.0.0.0"]);
    let base = byok.base_url();
    let key = std::fs::read_to_string(home.file("client-key")).unwrap();
    let listed = home.run(&["keys", "list", "--json"]);
    assert!(!listed.out.contains(key.trim()), "{}", listed.out);
    let keys: Value = serde_json::from_str(&listed.out).unwrap();
    assert_eq!((&keys[0]["state"], &keys[0]["place"]), (&"valid".into(), &"database".into()), "{keys}");
    let id = keys[0]["id"].as_str().unwrap();
    let table = home.run(&["keys", "list"]).out;
    assert!(
        table.starts_with("ID ") && table.contains(id) && table.contains("made by byok at its start"),
        "{table}"
    );

    let status = || {
        let asked =
            async { client().get(&base).bearer_auth(key.trim()).send().await.unwrap().status().as_u16() };
        Runtime::new().unwrap().block_on(asked)
    };
    assert_eq!(status(), 200);
    let unknown = home.run(&["keys", "revoke", "made-0"]);
    assert_eq!(
        (unknown.code, unknown.err.contains("there is no client key `made-0`")),
        (2, true),
        "{}",
        unknown.err
    );
    let revoked = home.run(&["keys", "revoke", id]);
    assert_eq!((revoked.code, revoked.err.contains("is revoked")), (0, true), "{}", revoked.err);
    let begun = Instant::now();
    while status() != 401 {
        assert!(begun.elapsed() < Duration::from_mins(1), "the running byok still takes it");
    }
    assert!(home.run(&["keys"]).out.contains("  revoked  "));
}

#[test]
fn a_key_of_the_settings_is_listed_and_revoked_there() {
    let home = Home::new();
    home.write_config("api_keys:\n  - { key: byok-canary-0123456789, label: laptop, expires: 2020-01-01, models: ['claude-*'] }\n");
    let listed = home.run(&["keys"]);
    assert!(listed.out.contains("laptop  expired  -     settings  claude-*"), "{}", listed.out);
    assert!(!listed.out.contains("canary"), "{}", listed.out);
    let id = listed.out.lines().nth(1).unwrap().split(' ').next().unwrap();
    let refused = home.run(&["keys", "revoke", id]);
    assert_eq!(
        (refused.code, refused.err.contains("take it out of `api_keys`")),
        (2, true),
        "{}",
        refused.err
    );
}

/// They are set where byok serves, and not in every shell.
#[test]
fn commands_that_use_no_api_key_need_no_variable_of_one() {
    let home = Home::new();
    home.write_config(
        "providers: { codex: { api_key: '${OPENAI_API_KEY}' } }\napi_keys: [{ key: '${ADA}', label: ada }]\n",
    );
    let listed = home.run(&["keys", "list"]);
    assert_eq!(listed.code, 0, "{}", listed.err);
    assert!(listed.out.contains("\n${ADA}  ada "), "{}", listed.out);
    let shown = home.run(&["config", "show"]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    assert!(shown.out.contains("(`OPENAI_API_KEY`, not set here)"), "{}", shown.out);
    for (id, words) in [("ada", "is one of the settings"), ("made-0", "there is no client key `made-0`")] {
        let refused = home.run(&["keys", "revoke", id]);
        assert_eq!((refused.code, refused.err.contains(words)), (2, true), "{id}: {}", refused.err);
    }
    // Whoever checks wants to know.
    let check = home.run(&["config", "check"]);
    assert_eq!((check.code, check.err.matches("is not set").count()), (78, 2), "{}", check.err);
    assert!(!check.err.contains("config show"), "it would not help: {}", check.err);
}

#[test]
fn a_key_of_another_vendor_in_the_settings_stops_byok() {
    let home = Home::new();
    home.write_config("providers: { codex: { api_key: sk-ant-api03-canary } }\n");
    for args in [&["config", "check"][..], &["serve", "--port", "0"]] {
        let refused = home.run(args);
        let said =
            "config.yaml:1:32: providers.codex.api_key: it is a key of Anthropic, which is not sent to codex";
        assert_eq!((refused.code, refused.err.contains(said)), (78, true), "{args:?}: {}", refused.err);
        assert!(!refused.err.contains("canary"), "{}", refused.err);
    }
}

#[test]
fn a_key_of_another_vendor_is_sent_to_nobody() {
    let home = Home::new();
    for (provider, key, belongs) in [
        ("codex", "sk-ant-api03-canary\n", "hint: `byok login claude --method key` takes it"),
        ("gemini", "sk-or-v1-canary\n", "hint: add that service to the settings"),
        ("xai", "AIzacanary\n", "hint: `byok login gemini --method key` takes it"),
    ] {
        let refused = home.run_with(&["login", provider, "--method", "key"], &[], key);
        assert_eq!((refused.code, refused.err.contains(belongs)), (65, true), "{provider}: {}", refused.err);
        assert!(!refused.err.contains("canary"), "{}", refused.err);
    }
    // A gateway in the place of a vendor has keys of its own.
    let vendor = Vendor::start();
    home.write_config(&format!(
        "providers: {{ gemini: {{ base_url: '{}' }} }}\n",
        vendor.simulator.base_url()
    ));
    let gateway = home.run_with(&["login", "gemini", "--method", "key"], &[], "gsk_canary\n");
    assert_eq!(gateway.code, 0, "{}", gateway.err);
}

/// Whoever is stopped at the prompt leaves a terminal that shows what is typed.
#[test]
fn whatever_ends_byok_at_a_prompt_leaves_the_terminal_as_it_was() {
    let ends = [(Signal::INT, 130), (Signal::TERM, 143), (Signal::QUIT, 131), (Signal::HUP, 129)];
    for (signal, code) in ends {
        at_a_hidden_prompt(|byok, shows| {
            kill_process(Pid::from_child(byok), signal).unwrap();
            assert_eq!(byok.wait().unwrap().code(), Some(code), "{signal:?}");
            assert!(shows(), "{signal:?}");
        });
    }
}

/// Ctrl-Z stops it, and what is typed into the shell meanwhile is seen.
#[test]
fn whoever_goes_on_after_ctrl_z_is_not_seen_again() {
    at_a_hidden_prompt(|byok, shows| {
        let pid = Pid::from_child(byok);
        kill_process(pid, Signal::TSTP).unwrap();
        let (_, stopped) = waitpid(Some(pid), WaitOptions::UNTRACED).unwrap().unwrap();
        assert!(stopped.stopped() && shows(), "{stopped:?}");
        kill_process(pid, Signal::CONT).unwrap();
        while shows() {
            std::thread::yield_now();
        }
        kill_process(pid, Signal::INT).unwrap();
        assert_eq!(byok.wait().unwrap().code(), Some(130));
        assert!(shows());
    });
}

/// A byok that waits for a secret at a terminal, in a group of its own as a shell makes them, and whether the terminal shows what
/// is typed.
fn at_a_hidden_prompt(then: impl FnOnce(&mut Child, &dyn Fn() -> bool)) {
    let home = Home::new();
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let other = rustix::fs::open(&*name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    let end = || Stdio::from(other.try_clone().unwrap());
    let mut byok = Command::new(assert_cmd::cargo::cargo_bin("byok"))
        .args(["login", "qwen", "--method", "key"])
        .env_clear()
        .env("HOME", home.path())
        .stdin(end())
        .stdout(Stdio::null())
        .stderr(end())
        .process_group(0)
        .spawn()
        .unwrap();
    let shows = || tcgetattr(&other).unwrap().local_modes.contains(LocalModes::ECHO);
    let mut said = String::new();
    let mut terminal = std::fs::File::from(terminal);
    let mut bytes = [0; 1024];
    while !said.contains("paste the API key") {
        let read = terminal.read(&mut bytes).unwrap();
        said.push_str(&String::from_utf8_lossy(&bytes[..read]));
    }
    while shows() {
        std::thread::yield_now();
    }
    then(&mut byok, &shows);
}
