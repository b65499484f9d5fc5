use crate::support::Home;

/// The commands below one, by its help. `help` itself is none.
fn below(home: &Home, command: &[String]) -> Vec<Vec<String>> {
    let args: Vec<_> = command.iter().map(String::as_str).chain(["--help"]).collect();
    let help = home.run(&args);
    let list = help.out.split("Commands:\n").nth(1).unwrap_or_default();
    let names = list
        .lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    names.map(|name| [command, &[name.to_owned()]].concat()).collect()
}

#[test]
fn the_help_of_every_command() {
    let home = Home::new();
    let mut open = vec![Vec::new()];
    let mut count = 0;
    while let Some(command) = open.pop() {
        let args: Vec<_> = command.iter().map(String::as_str).chain(["--help"]).collect();
        let help = home.run(&args);
        assert_eq!(help.code, 0);
        let name = if command.is_empty() { "byok".to_owned() } else { command.join("-") };
        insta::assert_snapshot!(format!("help-{name}"), help.out);
        open.extend(below(&home, &command));
        count += 1;
    }
    assert!(count >= 29, "the commands are found by their help: {count}");
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
