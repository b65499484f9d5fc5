//! Claims, as a person at a terminal is asked for them, and what helps where a login cannot begin.

use crate::support::Home;
use rustix::{
    fs::{Mode, OFlags},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
};
use std::{
    fs::File,
    io::{Read as _, Write as _},
    process::{Command, Stdio},
};

/// Runs byok at a terminal and answers its questions. Returns its exit code and what it said.
fn at_a_terminal(home: &Home, args: &[&str], answers: &[(&str, &str)]) -> (Option<i32>, String) {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let other = rustix::fs::open(&*name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    let end = || Stdio::from(other.try_clone().unwrap());
    let mut byok = Command::new(assert_cmd::cargo::cargo_bin("byok"))
        .args(args)
        .env_clear()
        .env("HOME", home.path())
        .env("HTTPS_PROXY", "http://127.0.0.1:1")
        .stdin(end())
        .stdout(Stdio::null())
        .stderr(end())
        .spawn()
        .unwrap();
    drop(other);
    let mut terminal = File::from(terminal);
    let (mut said, mut bytes) = (String::new(), [0; 1024]);
    let mut answers = answers.iter();
    let mut next = answers.next();
    // Reading fails when byok has closed its end.
    while let Ok(read @ 1..) = terminal.read(&mut bytes) {
        said.push_str(&String::from_utf8_lossy(&bytes[..read]));
        if let Some((question, answer)) = next
            && said.contains(question)
        {
            writeln!(terminal, "{answer}").unwrap();
            next = answers.next();
        }
    }
    assert!(next.is_none(), "not asked: {next:?}\n{said}");
    (byok.wait().unwrap().code(), said.replace('\r', ""))
}

/// Without consent an account of Antigravity serves nobody: whoever declines is asked whether there is to be one at all.
#[test]
fn whoever_declines_the_claim_of_antigravity_need_not_log_in() {
    let home = Home::new();
    home.write_config("providers:\n  antigravity:\n    client_secret: s\n");
    let no = [("Shall byok send it for this account? [y/N]", "n"), ("Log in all the same? [y/N]", "")];
    let (code, said) = at_a_terminal(&home, &["login", "antigravity", "--no-browser"], &no);
    assert_eq!(code, Some(77), "{said}");
    for part in [
        "terms do not allow",
        "one thing is not literally true of byok. With your consent it sends, in the header `user-agent`",
        "Without it the login is kept, and serves nobody until you consent.",
        "error: nobody is logged in, for want of consent",
        "hint: `byok login antigravity --accept-claim antigravity-user-agent` consents beforehand",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("accounts.google.com"), "no login was begun: {said}");
    let list = home.run(&["accounts", "list", "--json"]);
    assert!(!list.out.contains("antigravity"), "{}", list.out);
}

#[test]
fn without_the_secret_of_the_application_the_login_says_where_it_is() {
    let home = Home::new();
    let refused = home.run(&["login", "antigravity", "--no-browser"]);
    assert_ne!(refused.code, 0);
    for part in ["terms do not allow", "antigravity/constants.go", "`providers.antigravity.client_secret`"] {
        assert!(refused.err.contains(part), "{part}: {}", refused.err);
    }
    assert!(!refused.err.contains("Shall byok"), "nothing is asked in vain: {}", refused.err);
}
