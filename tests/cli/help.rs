use crate::support::Home;

/// The commands and what they begin with. A new one gets a line here.
const COMMANDS: &[&[&str]] = &[
    &[],
    &["serve"],
    &["demo"],
    &["login"],
    &["logout"],
    &["status"],
    &["models"],
    &["accounts"],
    &["accounts", "list"],
    &["accounts", "claims"],
    &["accounts", "enable"],
    &["accounts", "disable"],
    &["config"],
    &["config", "path"],
    &["config", "show"],
    &["config", "check"],
    &["config", "schema"],
    &["config", "example"],
    &["completions"],
];

#[test]
fn the_help_of_every_command() {
    let home = Home::new();
    for command in COMMANDS {
        let help = home.run(&[command, &["--help"][..]].concat());
        assert_eq!(help.code, 0);
        let name = if command.is_empty() { "byok".to_owned() } else { command.join("-") };
        insta::assert_snapshot!(format!("help-{name}"), help.out);
    }
    assert!(!home.file("").exists(), "help touches nothing");
}

#[test]
fn wrong_command_lines_are_a_usage_error() {
    let home = Home::new();
    let cases: [(&[&str], &str); 6] = [
        (&[], "Usage: byok"),
        (&["nonsense"], "unrecognized subcommand 'nonsense'"),
        (&["serve", "--port", "70000"], "70000 is not in 0..=65535"),
        (&["login"], "<PROVIDER>"),
        (&["logout", "claude", "--all", "--account", "a"], "cannot be used with"),
        (&["completions", "tcl"], "possible values: bash"),
    ];
    for (args, expected) in cases {
        let output = home.run(args);
        assert_eq!(output.code, 2, "{args:?}");
        assert!(output.err.contains(expected), "{args:?}: {}", output.err);
        assert_eq!(output.out, "", "{args:?}");
    }
}

#[test]
fn completions_know_the_commands() {
    let home = Home::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = home.run(&["completions", shell]);
        assert_eq!(script.code, 0, "{shell}");
        for word in ["serve", "login", "accept-claim"] {
            assert!(script.out.contains(word), "{shell}: {word}");
        }
    }
}
