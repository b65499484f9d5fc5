//! What a login is told beforehand and what is pasted into it: answers, secrets, codes.

use crate::support::{Home, Vendor};

#[test]
fn answers_are_to_questions_of_the_login() {
    let home = Home::new();
    let cases: [(&[&str], &str, &str); 6] = [
        (&["claude", "--with", "x=1"], "does not ask for `x`", "it takes: nothing"),
        (
            &["kiro", "--method", "idc", "--with", "regoin=x"],
            "does not ask for `regoin`",
            "start_url, region, profile",
        ),
        (
            &["kiro", "--with", "region=us-east-1"],
            "the login by `builder-id` does not ask for `region`",
            "nothing",
        ),
        // Consent is no answer.
        (&["antigravity", "--with", "antigravity-user-agent="], "does not ask for", "it takes: project"),
        (&["iflow", "--with", "client_secret=canary"], "`client_secret` is a secret", "standard input"),
        (&["qwen", "--import", "x.json", "--with", "a=b"], "cannot be used with", ""),
    ];
    for (args, what, hint) in cases {
        let output = home.run(&[&["login"], args].concat());
        let said = (output.code, output.err.contains(what), output.err.contains(hint));
        assert_eq!(said, (2, true, true), "{args:?}: {}", output.err);
        assert!(!output.err.contains("canary"), "{}", output.err);
    }
    assert!(!home.file("tokens.db").exists(), "before anything is made");
}

#[test]
fn a_secret_comes_from_standard_input_or_the_settings() {
    let login = |settings: &str, stdin: &str| {
        let home = Home::new();
        home.write_config(settings);
        home.run_with(&["login", "iflow", "--no-browser"], &[("SECRET", "canary")], stdin)
    };
    let iflow = "providers:\n  iflow: { client_secret: '${SECRET}' }\n";
    for (settings, stdin) in [("{}\n", "canary\n"), (iflow, "")] {
        let output = login(settings, stdin);
        assert!(output.err.contains("https://iflow.cn/oauth?"), "the secret is there: {}", output.err);
        assert!(
            output.err.contains("no code was pasted") && !output.err.contains("canary"),
            "{}",
            output.err
        );
    }
    let none = login("{}\n", "");
    assert_eq!((none.code, none.err.contains("https://iflow.cn/oauth?")), (77, false), "{}", none.err);
    assert!(none.err.contains("standard input"), "{}", none.err);
}

#[test]
fn a_code_without_its_state_is_not_taken() {
    let (home, vendor) = (Home::new(), Vendor::start());
    home.write_config(&vendor.config());
    for (pasted, why) in [
        ("code-1\n", "its `state` is missing"),
        ("https://platform.claude.com/oauth/code/callback?code=code-1\n", "the address has no `state`"),
    ] {
        let output = home.run_with(&["login", "claude", "--no-browser"], &[], pasted);
        assert_eq!((output.code, output.err.contains(why)), (65, true), "{pasted}: {}", output.err);
    }
    assert_eq!(vendor.simulator.oauth_counts().token_posts, 0, "nothing is asked with it");
}

#[test]
fn an_address_that_cannot_come_back_is_asked_for_at_once() {
    let home = Home::new();
    // Kiro sends the browser to its own program, whatever it is asked.
    for method in ["link", "link-github"] {
        let output = home.run(&["login", "kiro", "--method", method, "--no-open"]);
        assert!(output.err.contains("then paste the code that the page shows"), "{method}: {}", output.err);
        assert!(output.code == 77 && output.err.contains("no code was pasted"), "{method}: {}", output.err);
    }
    let bind = home.run(&["login", "claude", "--no-open", "--callback-bind", "192.0.2.1"]);
    let told = "error: byok cannot wait for the browser on 192.0.2.1: ";
    let hint = "hint: name an address of this machine with `--callback-bind`";
    assert_eq!(
        (bind.code, bind.err.contains(told), bind.err.contains(hint)),
        (73, true, true),
        "{}",
        bind.err
    );
}
