use super::*;
use serde_json::json;

const NOW: i64 = 1_800_000_000;

fn one(json: &Value) -> Entry {
    assert!(is_login(json), "{json}");
    let mut taken = login(json, NOW);
    assert_eq!(taken.left, [], "{json}");
    taken.logins.remove(0)
}

#[test]
fn the_file_of_a_login() {
    let claude = json!({"type": "claude", "access_token": "sk-ant-oat01-x", "refresh_token": "r", "email": "ada@example.org"});
    let with = |more: Value| {
        let mut record = claude.clone();
        record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        record
    };
    // What is written, then the name, whether it is off, and what is said of the rest.
    let cases = [
        (claude.clone(), "claude", Some("ada@example.org"), false, ""),
        (with(json!({"label": "work", "disabled": true})), "claude", Some("work"), true, ""),
        (
            with(
                json!({"prefix": "", "priority": null, "websockets": false, "headers": {}, "model_aliases": []}),
            ),
            "claude",
            Some("ada@example.org"),
            false,
            "",
        ),
        (
            with(
                json!({"prefix": "work", "excluded-models": ["gpt-5-*"], "claude_device_ids": ["x"], "proxy_url": "socks5://localhost:1"}),
            ),
            "claude",
            Some("ada@example.org"),
            false,
            "not taken over: prefix, proxy_url, excluded_models, claude_device_ids",
        ),
        (
            json!({"type": "github-copilot", "access_token": "gho_x", "username": "ada"}),
            "copilot",
            Some("ada"),
            false,
            "",
        ),
        (
            json!({"type": "qwen", "access_token": "t", "refresh_token": "r"}),
            "qwen",
            None,
            true,
            "its service ended on 2026-04-15: it comes over switched off",
        ),
        (
            json!({"type": "gemini", "token": {"refresh_token": "r"}, "email": "ada@example.org"}),
            "gemini",
            Some("ada@example.org"),
            false,
            "",
        ),
        (
            json!({"type": "kiro", "access_token": "aoa", "refresh_token": "aor", "auth_method": "social", "expires_at": "2027-02-01T00:00:00Z"}),
            "kiro",
            None,
            false,
            "",
        ),
        (
            json!({"type": "kiro", "accessToken": "aoa", "refreshToken": "aor", "auth_method": "IdC", "expires_at": "2027-02-01T00:00:00Z"}),
            "kiro",
            None,
            false,
            "the client that was registered for it is missing: it works until its token ends",
        ),
    ];
    for (json, provider, name, disabled, note) in cases {
        let entry = one(&json);
        let got = (
            entry.provider,
            entry.name.as_deref(),
            entry.disabled || entry.ended.is_some(),
            entry.live,
            &*entry.notes.join("; "),
        );
        assert_eq!(got, (provider, name, disabled, true, note), "{json}");
    }
}

#[test]
fn what_is_named_and_left() {
    let cases = [
        (
            json!({"type": "somebody-elses", "access_token": "canary", "email": "ada@example.org"}),
            "somebody-elses: ada@example.org",
            "no login for this provider",
        ),
        (
            json!({"type": "codex", "access_token": "canary", "refresh_token": "canary"}),
            "codex",
            "no ChatGPT workspace",
        ),
        (
            json!({"type": "kiro", "access_token": "canary", "auth_method": "IdC"}),
            "kiro",
            "cannot be renewed",
        ),
        (json!({"type": "\u{1b}[31mred", "access_token": "canary"}), "[31mred", "no login for this provider"),
    ];
    for (json, what, why) in cases {
        let taken = login(&json, NOW);
        assert!(taken.logins.is_empty());
        assert_eq!(taken.left[0].what, what);
        assert!(taken.left[0].why.contains(why), "{:?}", taken.left);
        assert!(!format!("{taken:?}").contains("canary"), "{taken:?}");
    }
    for other in
        [json!({"type": "claude"}), json!({"access_token": "x"}), json!({"type": 7, "access_token": "x"})]
    {
        assert!(!is_login(&other), "{other}");
    }
}

#[test]
fn keys_of_the_settings() {
    let yaml = r#"
auth-dir: "~/.cli-proxy-api"
api-keys: ["a-client-key"]
proxy-url: ""
claude-api-key:
  - api-key: "sk-ant-api03-x"
    models: [{name: "claude-sonnet-4-6", alias: "sonnet"}]
  - api-key: "sk-ant-oat01-x"
    base-url: "https://api.anthropic.com"
  - api-key: "sk-ant-api03-y"
    base-url: "https://relay.example/v1"
codex-api-key:
  - base-url: "https://api.openai.com/v1"
generative-language-api-key: ["AIzaX"]
openai-compatibility:
  - name: "openrouter"
    base-url: "https://openrouter.ai/api/v1"
    api-key-entries: [{api-key: "sk-or-v1-canary"}]
"#;
    let value: Value = yaml_serde::from_str(yaml).unwrap();
    assert!(is_settings(&value));
    let taken = settings(&value, NOW);
    let logins: Vec<_> = taken
        .logins
        .iter()
        .map(|entry| (entry.provider, entry.found.login.credential.kind(), entry.live, entry.notes.concat()))
        .collect();
    let (key, oauth) = (byok_types::CredentialKind::ApiKey, byok_types::CredentialKind::Oauth);
    assert_eq!(
        logins,
        [
            ("claude", key, false, "not taken over: models".to_owned()),
            ("claude", oauth, false, String::new()),
            ("gemini", key, false, String::new()),
        ]
    );
    let left: Vec<_> = taken.left.iter().map(|left| format!("{}: {}", left.what, left.why)).collect();
    assert_eq!(left.len(), 5, "{left:#?}");
    assert!(left[0].starts_with("claude-api-key, entry 3: its key is for relay.example"), "{left:#?}");
    assert!(left[1].starts_with("codex-api-key, entry 1: it holds no key"), "{left:#?}");
    assert!(left[2].starts_with("the logins: they lie in ~/.cli-proxy-api"), "{left:#?}");
    assert!(left[3].starts_with("openai-compatibility: "), "{left:#?}");
    assert!(left[4].starts_with("api-keys: "), "{left:#?}");
    assert!(!left.concat().contains("canary"), "{left:#?}");
    for other in [json!({}), json!({"claude-api-key": "x"}), json!({"providers": {}})] {
        assert!(!is_settings(&other), "{other}");
    }
}
