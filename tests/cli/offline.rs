use crate::support::Home;
use serde_json::Value;

#[test]
fn without_a_server_the_files_are_shown_and_nothing_is_made() {
    let home = Home::new();
    let status = home.run(&["status"]);
    assert_eq!(status.code, 0);
    assert_eq!(
        status.err,
        "no byok is running (`byok serve` starts one); this is what it would begin with\n"
    );
    assert_eq!(
        status.out,
        "settings: none, the defaults are in effect\n\n\
         no account and no API key yet: `byok login claude`, or `byok config example`\n"
    );
    for args in [&["models"][..], &["accounts"], &["config", "show"], &["logout", "claude"]] {
        home.run(args);
    }
    assert!(!home.file("").exists());
}

#[test]
fn keys_of_the_settings_are_shown_without_their_value() {
    let home = Home::new();
    home.write_config(
        "providers:\n  claude: { api_key: sk-ant-api03-CANARY-0123456789 }\n  local: { kind: openai, base_url: 'http://localhost:1/v1', models: [llama] }\n",
    );
    let status = home.run(&["status", "--json"]);
    let report: Value = serde_json::from_str(&status.out).unwrap();
    assert_eq!(report["running"], false);
    assert_eq!(report["address"], Value::Null);
    assert_eq!(report["providers"][0]["name"], "claude");
    assert_eq!(report["providers"][0]["accounts"][0]["kind"], "api_key");
    assert!(!status.out.contains("CANARY"));

    let models = home.run(&["models", "--json"]);
    let list: Vec<Value> = serde_json::from_str(&models.out).unwrap();
    let owner = |id: &str| list.iter().find(|model| model["id"] == id).map(|model| model["owner"].clone());
    assert_eq!(owner("claude-opus-5"), Some("anthropic".into()));
    assert_eq!(owner("llama"), Some("local".into()));
    assert_eq!(owner("gpt-5.5"), None, "nobody serves it");
    let table = home.run(&["models"]);
    assert!(table.out.starts_with("MODEL"), "{}", table.out);
}

#[test]
fn a_reader_that_stops_early_is_no_error() {
    let home = Home::new();
    home.write_config("providers:\n  claude: { api_key: sk-ant-api03-0123456789 }\n");
    let byok = assert_cmd::cargo::cargo_bin("byok");
    let script = format!("set -o pipefail; '{}' models | head -n 1", byok.display());
    let output = std::process::Command::new("bash")
        .args(["-c", &script])
        .env("HOME", home.path())
        .env("BYOK_DB", home.path().join("tokens.db"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn providers_and_accounts_that_do_not_exist() {
    let home = Home::new();
    home.write_config("providers:\n  mine: { kind: openai, base_url: 'https://example.org/v1' }\n");
    let nobody = "error: there is no provider `nonsense`\n\nhint: `byok login` knows: claude, codex, copilot, gemini, kiro, antigravity, qwen, kimi, iflow, vertex, xai\n";
    let cases: [(&[&str], i32, &str); 15] = [
        (&["login", "nonsense"], 2, nobody),
        (&["logout", "nonsense"], 2, nobody),
        (&["accounts", "disable", "nonsense"], 2, nobody),
        (
            &["accounts", "import", "missing.json"],
            65,
            "error: the file `missing.json` cannot be read\n  caused by: No such file or directory (os error 2)\n\n\
             hint: name the file that holds the login\n",
        ),
        (
            &["accounts", "disable", "mine"],
            77,
            "error: there is no account of `mine`\n\nhint: `byok accounts` lists the accounts; API keys stand in the settings\n",
        ),
        (
            &["login", "mine"],
            2,
            "error: this version of byok has no login for `mine`, only for: claude, codex, copilot, gemini, kiro, antigravity, qwen, kimi, iflow, vertex, xai\n\n\
             hint: use an API key: set `providers.mine.api_key` in the settings (`byok config path` says where)\n",
        ),
        (
            &["login", "claude", "--accept-claim", "nonsense"],
            2,
            "error: claude has no claim `nonsense`\n\nhint: its claims are: claude-code-prompt\n",
        ),
        (
            &["login", "copilot", "--accept-claim", "copilot-integration-id,nonsense"],
            2,
            "error: copilot has no claim `nonsense`\n\nhint: its claims are: copilot-integration-id, copilot-editor-version\n",
        ),
        (
            &["login", "claude", "--account", " "],
            2,
            "error: the name of an account is one line of 1 to 64 characters\n\nhint: choose another name\n",
        ),
        (
            &["login", "claude", "--account", "a\tb"],
            2,
            "error: the name of an account has no tabs or other control characters in it\n\n\
             hint: use letters, digits, spaces and signs such as @ . _ -\n",
        ),
        (
            &["login", "claude", "--account", "a\u{202e}b"],
            2,
            "error: the name of an account has no tabs or other control characters in it\n\n\
             hint: use letters, digits, spaces and signs such as @ . _ -\n",
        ),
        (
            &["login", "claude", "--account=--all"],
            2,
            "error: the name of an account does not begin with `-`\n\n\
             hint: commands would take it for a flag: choose another name\n",
        ),
        (
            &["logout", "claude"],
            77,
            "error: there is no account of `claude`\n\n\
             hint: `byok accounts` lists the accounts; API keys stand in the settings\n",
        ),
        (
            &["accounts", "claims", "claude"],
            77,
            "error: there is no account of `claude`\n\n\
             hint: `byok accounts` lists the accounts; API keys stand in the settings\n",
        ),
        (
            &["logout", "no provider"],
            2,
            "error: `no provider` is not a valid provider name: use 1 to 64 letters, digits or `-_.@+`\n",
        ),
    ];
    for (args, code, expected) in cases {
        let output = home.run(args);
        assert_eq!((output.code, output.err.as_str(), output.out.as_str()), (code, expected, ""), "{args:?}");
    }
}

#[test]
fn a_database_that_others_can_read_is_refused() {
    let home = Home::new();
    home.write_config("");
    std::fs::set_permissions(home.file(""), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::write(home.file("tokens.db"), "").unwrap();
    let output = home.run(&["accounts"]);
    assert_eq!(output.code, 77, "{}", output.err);
    assert!(output.err.contains("hint: run `chmod"), "{}", output.err);
}
