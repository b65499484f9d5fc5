//! byok at a terminal: claims, as a person is asked for them; what helps where a login cannot begin; colours.

use crate::support::{Home, Vendor, client};
use rustix::{
    fs::{Mode, OFlags},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
};
use std::{
    fs::File,
    io::{Read as _, Write as _},
    process::{Child, Command, Stdio},
};

/// Runs byok at a terminal and answers its questions. Returns its exit code and what it said.
fn at_a_terminal(home: &Home, args: &[&str], answers: &[(&str, &str)]) -> (Option<i32>, String) {
    let (mut terminal, mut byok) = start_at_a_terminal(home, args, &[]);
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

/// Starts byok at a terminal, whose other end this is.
fn start_at_a_terminal(home: &Home, args: &[&str], env: &[(&str, &str)]) -> (File, Child) {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let other = rustix::fs::open(&*name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    let end = || Stdio::from(other.try_clone().unwrap());
    let byok = Command::new(assert_cmd::cargo::cargo_bin("byok"))
        .args(args)
        .env_clear()
        .env("HOME", home.path())
        .env("HTTPS_PROXY", "http://127.0.0.1:1")
        .envs(env.iter().copied())
        .stdin(end())
        .stdout(Stdio::null())
        .stderr(end())
        .spawn()
        .unwrap();
    drop(other);
    (File::from(terminal), byok)
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

#[test]
fn the_log_has_colours_unless_no_color_is_set() {
    for (env, coloured) in [(&[][..], true), (&[("NO_COLOR", "")], true), (&[("NO_COLOR", "1")], false)] {
        let (home, vendor) = (Home::new(), Vendor::start());
        let base = vendor.simulator.base_url();
        home.write_config(&format!(
            "providers: {{ claude: {{ api_key: sk-ant-api03-e2e, base_url: {base} }} }}\n"
        ));
        let (mut terminal, mut byok) = start_at_a_terminal(&home, &["serve", "--port", "0"], env);
        let (mut said, mut bytes) = (String::new(), [0; 1024]);
        let mut until = |part: &str| {
            while !said.contains(part) {
                let read = terminal.read(&mut bytes).unwrap();
                said.push_str(&String::from_utf8_lossy(&bytes[..read]));
            }
            said.clone()
        };
        let said = until("byok status");
        let address = said.split_once("listens on ").unwrap().1.split_whitespace().next().unwrap().to_owned();
        let ask =
            r#"{"model":"claude-sonnet-5","max_tokens":9,"messages":[{"role":"user","content":"Hello."}]}"#;
        let asked =
            client().post(format!("{address}/v1/messages")).header("content-type", "application/json");
        assert_eq!(vendor.runtime.block_on(asked.body(ask).send()).unwrap().status(), 200);
        let said = until("first_byte_ms");
        byok.kill().unwrap();
        byok.wait().unwrap();
        assert_eq!(said.contains('\x1b'), coloured, "{env:?}: {said:?}");
    }
}
