use super::*;
use rusqlite::Connection;
use serde_json::json;

const NOW: i64 = 1_800_000_000;

fn by(content: &[u8]) -> Result<Taken, ImportError> {
    read("file", content, &|_| None, NOW)
}

fn database_of(sql: &str) -> Vec<u8> {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(sql).unwrap();
    connection.serialize(rusqlite::MAIN_DB).unwrap().to_vec()
}

fn byokey_rows() -> Vec<u8> {
    database_of(
        r#"CREATE TABLE tokens (provider TEXT PRIMARY KEY, token_json TEXT);
        INSERT INTO tokens VALUES ('copilot', '{"access_token":"gho_x"}');"#,
    )
}

#[test]
fn every_kind_is_known_by_its_content() {
    let kiro = json!({"accessToken": "aoa", "refreshToken": "aor", "expiresAt": "2027-02-01T00:00:00Z"});
    let cases: [(Vec<u8>, &str); 10] = [
        (json!({"type": "claude", "access_token": "x"}).to_string().into(), "CLIProxyAPI"),
        (b"claude-api-key: [{api-key: sk-ant-api03-x}]".to_vec(), "CLIProxyAPI"),
        (b"auth-dir: ./auths\nport: 8317".to_vec(), "CLIProxyAPI"),
        (byokey_rows(), "BYOKEY"),
        (json!({"providers": {"claude": {"api_key": "sk-ant-api03-x"}}}).to_string().into(), "BYOKEY"),
        (json!({"type": "oauth", "access": "x", "refresh": "r", "expires": 1}).to_string().into(), "CCProxy"),
        (json!({"accounts": [{"name": "a", "credentials": kiro}]}).to_string().into(), "KiroProxy"),
        (kiro.to_string().into(), "KiroProxy or the Kiro IDE"),
        (
            json!({"providers": [{"name": "a", "credentials": kiro.to_string()}]}).to_string().into(),
            "OctoProxy",
        ),
        (
            database_of(&format!(
                "CREATE TABLE providers (id INTEGER, name TEXT, credentials TEXT); INSERT INTO providers VALUES (1, 'a', '{kiro}')"
            )),
            "OctoProxy",
        ),
    ];
    for (content, program) in cases {
        let shown = String::from_utf8_lossy(&content).chars().take(80).collect::<String>();
        let taken = by(&content).unwrap_or_else(|error| panic!("{error}: {shown}"));
        assert_eq!(taken.by, program, "{shown}");
    }
}

#[test]
fn what_is_of_another_kind_is_told_with_what_helps() {
    let nothing = "there is no login in the file";
    let unknown = "byok does not know this kind of file";
    let damaged = "the file is damaged";
    let cases: Vec<(Vec<u8>, &str, &str)> = vec![
        (Vec::new(), damaged, "it is empty"),
        (b" \n\t".to_vec(), damaged, "it is empty"),
        (b"{\"type\":\"claude\",\"access_token\":\"canary".to_vec(), damaged, "cut off"),
        (b"[{".to_vec(), damaged, "cut off"),
        (b"\xff\xfe\x00\x01".to_vec(), unknown, "neither JSON"),
        (b"canary".to_vec(), unknown, "neither JSON"),
        (b"canary: 1".to_vec(), unknown, "settings of another program"),
        (b"[]".to_vec(), unknown, "JSON of another form"),
        (b"{}".to_vec(), unknown, "JSON of another form"),
        (json!({"providers": []}).to_string().into(), unknown, "JSON of another form"),
        (
            json!({"type": "service_account", "private_key": "canary"}).to_string().into(),
            nothing,
            "byok login vertex",
        ),
        (json!({"claudeAiOauth": {}}).to_string().into(), nothing, "byok login claude --import"),
        (json!({"tokens": {}}).to_string().into(), nothing, "byok login codex --import"),
        (json!({"OPENAI_API_KEY": "canary"}).to_string().into(), nothing, "byok login codex --import"),
        (json!({"expiry_date": 1}).to_string().into(), nothing, "byok login gemini --import"),
        (
            json!({"expiry_date": 1, "resource_url": "x"}).to_string().into(),
            nothing,
            "byok login qwen --import",
        ),
        (json!({"expiry_date": 1, "apiKey": "x"}).to_string().into(), nothing, "byok login iflow --import"),
        (
            json!({"https://auth.x.ai::1": {"key": "canary"}}).to_string().into(),
            nothing,
            "byok login xai --import",
        ),
        (
            json!({"key": "sk-ccproxy-canary", "createdAt": 1}).to_string().into(),
            nothing,
            "client key of CCProxy",
        ),
        (json!({"modelMapping": {}}).to_string().into(), nothing, "settings of CCProxy"),
        (database_of("CREATE TABLE auth_kv (key TEXT, value TEXT)"), nothing, "byok login kiro --import"),
        (database_of("CREATE TABLE notes (text TEXT)"), unknown, "database of another program"),
        (database_of("CREATE TABLE tokens (provider TEXT, token_json TEXT)"), nothing, "logged in nowhere"),
    ];
    for (content, what, part) in cases {
        let shown = String::from_utf8_lossy(&content).chars().take(60).collect::<String>();
        let error = by(&content).unwrap_err().to_string();
        assert!(error.starts_with(what) && error.contains(part), "{error}: {shown}");
        assert!(!error.contains("canary"), "{error}");
    }
}

#[test]
fn a_database_that_was_cut_off_is_refused_at_every_place() {
    let whole = byokey_rows();
    for length in [16, 17, 20, 99, 100, 512, 4095, 4096, 8191, whole.len() - 1] {
        let error = by(&whole[..length.min(whole.len() - 1)]).unwrap_err();
        assert!(matches!(error, ImportError::Damaged { .. }), "{length}: {error}");
    }
    for seed in 0..200_usize {
        let mut torn = whole.clone();
        let at = seed * 7919 % torn.len();
        torn[at] ^= 0x5a;
        // Whatever it becomes: no panic.
        let _ = by(&torn);
    }
}

#[test]
fn where_they_lie() {
    let home = Path::new("/home/ada");
    let none = |_: &str| None;
    let files: Vec<_> = places(home, &none).into_iter().map(|(_, file)| file).collect();
    for expected in [
        "/home/ada/.cli-proxy-api",
        "/home/ada/.byokey/tokens.db",
        "/home/ada/.ccproxy/auth.json",
        "/home/ada/.kiro-proxy/config.json",
        "/home/ada/.local/share/opencode/auth.json",
        "/home/ada/.config/octo-proxy/data/octo-proxy.db",
        "/home/ada/.config/OctoProxy/data/octo-proxy.db",
        "/home/ada/Library/Application Support/OctoProxy/data/octo-proxy.db",
    ] {
        assert!(files.iter().any(|file| file == Path::new(expected)), "{expected}");
    }
    let set = |name: &str| (name == "XDG_CONFIG_HOME").then(|| "/settings".to_owned());
    let moved = Path::new("/settings/octo-proxy/data/octo-proxy.db");
    assert!(places(home, &set).iter().any(|(_, file)| file == moved));
}
