use super::*;
use rusqlite::Connection;
use serde_json::json;

const NOW: i64 = 1_800_000_000;

fn read(sql: &str, table: &str) -> Taken {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(sql).unwrap();
    let bytes = connection.serialize(rusqlite::MAIN_DB).unwrap().to_vec();
    database(&Rows::read(&bytes, None).unwrap(), table, NOW).unwrap()
}

#[test]
fn the_accounts_of_a_database() {
    let taken = read(
        r#"CREATE TABLE accounts (provider TEXT, account_id TEXT, label TEXT, is_active BOOLEAN, token_json TEXT,
                                  created_at BIGINT, updated_at BIGINT, PRIMARY KEY (provider, account_id));
        INSERT INTO accounts VALUES
        ('claude', 'work', 'Ada', 0, '{"access_token":"sk-ant-oat01-x","refresh_token":"r","expires_at":1800003600,"token_type":"Bearer"}', 1, 2),
        ('claude', 'default', NULL, 1, '{"access_token":"sk-ant-oat01-y","refresh_token":"r2","expires_at":1800003600}', 1, 2),
        ('claude', 'claude-code', NULL, 0, '{"access_token":"sk-ant-oat01-z","refresh_token":"r3"}', 1, 2),
        ('copilot', 'default', '', 1, '{"access_token":"gho_x"}', 1, 2),
        ('gemini', 'default', NULL, 1, '{"access_token":"AIzaX","token_type":"api-key"}', 1, 2),
        ('iflow', 'default', NULL, 1, '{"access_token":"sk-k","refresh_token":"r4"}', 1, 2),
        ('amp', 'default', NULL, 1, '{"access_token":"canary"}', 1, 2),
        ('codex', 'default', NULL, 1, '{"access_token":"canary","refresh_token":"canary"}', 1, 2),
        ('kiro', 'default', NULL, 1, '{"access_token":"canary"}', 1, 2),
        ('qwen', 'default', NULL, 1, '{"access_token":"canary', 1, 2);"#,
        "accounts",
    );
    let logins: Vec<_> = taken
        .logins
        .iter()
        .map(|entry| {
            (
                &*entry.key,
                entry.name.as_deref(),
                entry.disabled || entry.ended.is_some(),
                entry.found.shared_rotation,
                entry.notes.len(),
            )
        })
        .collect();
    assert_eq!(
        logins,
        [
            // The active one first: it is used first, too.
            ("claude/default", None, false, true, 0),
            ("claude/claude-code", Some("claude-code"), false, true, 1),
            ("claude/work", Some("Ada (work)"), false, true, 0),
            ("copilot/default", None, false, false, 0),
            ("gemini/default", None, false, false, 0),
            ("iflow/default", None, true, false, 1),
        ]
    );
    let left: Vec<_> = taken.left.iter().map(|left| format!("{}: {}", left.what, left.why)).collect();
    let expected = [
        "amp: default: byok has no login",
        "codex: default: its tokens name no ChatGPT workspace",
        "kiro: default: its tokens do not say which kind of Kiro login they are of; use `byok login kiro`",
        "qwen: default: its tokens are damaged",
    ];
    assert_eq!(left.len(), expected.len(), "{left:#?}");
    for (left, expected) in left.iter().zip(expected) {
        assert!(left.starts_with(expected), "{left}");
    }
    assert!(!format!("{taken:?}").contains("canary"));
}

#[test]
fn the_table_of_the_first_versions() {
    let taken = read(
        r#"CREATE TABLE tokens (provider TEXT PRIMARY KEY, token_json TEXT NOT NULL);
        INSERT INTO tokens VALUES ('claude', '{"access_token":"sk-ant-oat01-x","refresh_token":"r"}');"#,
        "tokens",
    );
    assert_eq!((&*taken.logins[0].key, &taken.logins[0].name), ("claude/default", &None));
}

#[test]
fn keys_of_the_settings() {
    let json = json!({"port": 8018, "providers": {
        "claude": {"api_key": "sk-ant-api03-x", "api_keys": [{"api_key": "sk-ant-api03-y", "label": "second"}]},
        "i_flow": {"api_key": "sk-k"},
        "gemini": {"api_keys": [{"api_key": "AIzaX", "base_url": "https://relay.example"}]},
        "amp": {"api_key": "canary"},
        "codex": {"enabled": true},
    }});
    assert!(is_settings(&json));
    let taken = settings(&json);
    let logins: Vec<_> =
        taken.logins.iter().map(|entry| (entry.provider, entry.name.as_deref(), entry.live)).collect();
    assert_eq!(logins, [("claude", None, false), ("claude", Some("second"), false), ("iflow", None, false)]);
    let left: Vec<_> = taken.left.iter().map(|left| format!("{}: {}", left.what, left.why)).collect();
    assert_eq!(left.len(), 2, "{left:#?}");
    assert!(left[0].starts_with("gemini, key 1: its key is for https://relay.example"), "{left:#?}");
    assert_eq!(left[1], "amp: byok has no provider of this name");
    for other in [json!({"providers": []}), json!({"providers": {"claude": {}}}), json!({})] {
        assert!(!is_settings(&other), "{other}");
    }
}
