#![expect(clippy::needless_pass_by_value, reason = "cases are written in place")]

use super::Files;
use crate::{Import as _, ImportError};
use byok_types::{Credential, OauthTokens};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::path::Path;

const ARN: &str = "arn:aws:codewhisperer:eu-central-1:123456789012:profile/ABCDEF";

fn long() -> String {
    format!("aor{}", "x".repeat(200))
}

fn tokens(login: &crate::NewLogin) -> &OauthTokens {
    match &login.credential {
        Credential::Oauth(tokens) => tokens,
        Credential::ApiKey(_) => panic!("a key"),
    }
}

fn ide(extra: Value) -> Value {
    let mut token = json!({"accessToken": "aoa", "refreshToken": long(), "expiresAt": "2026-11-20T08:00:00.000Z", "region": "us-east-1"});
    token.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    token
}

#[test]
fn the_ide() {
    let registration =
        json!({"clientId": "c", "clientSecret": "s", "expiresAt": "2027-01-01T00:00:00Z"}).to_string();
    let beside = |name: &str| (name == "abc123.json").then(|| registration.clone().into_bytes());
    let cases = [
        (json!({"authMethod": "social", "provider": "Google", "profileArn": ARN}), "social", Some(ARN), None),
        (
            json!({"authMethod": "IdC", "provider": "BuilderId", "clientIdHash": "abc123"}),
            "builder-id",
            None,
            Some("c"),
        ),
        (
            json!({"authMethod": "IdC", "provider": "Enterprise", "clientIdHash": "abc123", "region": "eu-west-1", "profileArn": ARN}),
            "idc",
            Some(ARN),
            Some("c"),
        ),
        (json!({"clientId": "own", "clientSecret": "s2"}), "builder-id", None, Some("own")),
        (json!({}), "social", None, None),
    ];
    for (extra, kind, profile, client) in cases {
        let content = ide(extra.clone()).to_string();
        let found = Files.read_beside("kiro-auth-token.json", content.as_bytes(), &beside, 0).unwrap();
        let got = tokens(&found[0].login);
        assert!(found[0].shared_rotation);
        assert_eq!(
            (got.fact("kind"), got.fact("profile_arn"), got.fact("client_id")),
            (Some(kind), profile, client),
            "{extra}"
        );
        assert_eq!(got.expires_at, Some(1_795_161_600));
    }
    let refused = [
        (String::new(), "JSON"),
        ("{\"accessToken\":\"a\"".into(), "JSON"),
        ("[]".into(), "JSON"),
        (json!({"accessToken": "a"}).to_string(), "cut off"),
        (ide(json!({"refreshToken": "aor-short"})).to_string(), "cut off"),
        (ide(json!({"refreshToken": format!("{}...", long())})).to_string(), "cut off"),
        (ide(json!({"authMethod": "IdC", "clientIdHash": "missing"})).to_string(), "clientIdHash"),
        (ide(json!({"authMethod": "IdC", "clientIdHash": "../abc123"})).to_string(), "clientIdHash"),
        (ide(json!({"authMethod": "IdC"})).to_string(), "clientIdHash"),
    ];
    for (content, part) in refused {
        let error = Files.read_beside("kiro-auth-token.json", content.as_bytes(), &beside, 0).unwrap_err();
        assert!(error.to_string().contains(part), "{error} for {content}");
        assert!(!error.to_string().contains("aor"), "{error}");
    }
}

struct Database {
    dir: tempfile::TempDir,
    connection: Connection,
}

impl Database {
    fn new(journal: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let connection = Connection::open(dir.path().join("data.sqlite3")).unwrap();
        connection.pragma_update(None, "journal_mode", journal).unwrap();
        connection
            .execute_batch(
                "PRAGMA wal_autocheckpoint = 0; CREATE TABLE auth_kv (key TEXT PRIMARY KEY, value TEXT);
                 CREATE TABLE state (key TEXT PRIMARY KEY, value BLOB);",
            )
            .unwrap();
        Self { dir, connection }
    }

    fn put(&self, table: &str, key: &str, value: &Value) {
        let put = format!("INSERT OR REPLACE INTO {table} VALUES (?1, ?2)");
        self.connection.execute(&put, (key, value.to_string())).unwrap();
    }

    fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        std::fs::read(self.dir.path().join(name)).ok()
    }

    fn read(&self) -> Result<OauthTokens, ImportError> {
        let content = self.bytes("data.sqlite3").unwrap();
        let found = Files.read_beside("data.sqlite3", &content, &|name| self.bytes(name), 0)?;
        Ok(tokens(&found[0].login).clone())
    }
}

fn cli(extra: Value) -> Value {
    let mut token = json!({"access_token": "aoa", "refresh_token": long(), "expires_at": "2026-11-20T08:00:00Z",
                           "region": "us-east-1", "oauth_flow": "DeviceCode", "scopes": ["codewhisperer:completions"]});
    token.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    token
}

fn registration() -> Value {
    json!({"client_id": "c", "client_secret": "s", "client_secret_expires_at": "2027-01-01T00:00:00Z", "region": "eu-west-1"})
}

#[test]
fn kiro_cli_with_and_without_a_log_beside_it() {
    for journal in ["delete", "wal"] {
        for (key, client) in [
            ("kirocli:social:token", None),
            ("kirocli:odic:token", Some("kirocli:odic:device-registration")),
            ("kirocli:oidc:token", Some("kirocli:odic:device-registration")),
            ("codewhisperer:odic:token", Some("codewhisperer:odic:device-registration")),
        ] {
            let database = Database::new(journal);
            database.put("auth_kv", key, &cli(json!({"access_token": "old"})));
            database.put("auth_kv", key, &cli(json!({"start_url": "https://d-1.awsapps.com/start"})));
            if let Some(client) = client {
                database.put("auth_kv", client, &registration());
            }
            database.put("state", "api.codewhisperer.profile", &json!({"arn": ARN, "profile_name": "p"}));
            let before = database.bytes("data.sqlite3-wal");
            let got = database.read().unwrap();
            let expected = client.map_or("social", |_| "idc");
            assert_eq!((got.access.expose(), got.fact("kind")), ("aoa", Some(expected)), "{journal} {key}");
            assert_eq!(got.fact("profile_arn"), Some(ARN));
            assert_eq!(
                got.fact("auth_region"),
                Some(if client.is_some() { "eu-west-1" } else { "us-east-1" })
            );
            assert_eq!(before.as_ref().is_some_and(|log| !log.is_empty()), journal == "wal");
            assert_eq!(before, database.bytes("data.sqlite3-wal"), "nothing is written");
        }
    }
}

#[test]
fn what_is_no_login_of_kiro_cli() {
    let database = Database::new("delete");
    database.put("auth_kv", "kirocli:odic:device-registration", &registration());
    assert!(matches!(database.read(), Err(ImportError::Nothing { .. })), "a registration alone is no login");
    database.put("auth_kv", "kirocli:odic:token", &json!({"access_token": "a"}));
    assert!(database.read().unwrap_err().to_string().contains("cut off"));
    database.put("auth_kv", "kirocli:odic:token", &json!({"refresh_token": "a"}));
    assert!(database.read().unwrap_err().to_string().contains("access_token"));
    let alone = Database::new("delete");
    alone.put("auth_kv", "kirocli:odic:token", &cli(json!({})));
    assert!(alone.read().unwrap_err().to_string().contains("registered client"));

    let other = Connection::open_in_memory().unwrap();
    other
        .execute_batch(
            "CREATE TABLE state (key TEXT, value TEXT); INSERT INTO state VALUES ('accessToken', 'a')",
        )
        .unwrap();
    let bytes = other.serialize(rusqlite::MAIN_DB).unwrap().to_vec();
    assert!(Files.read("data.sqlite3", &bytes, 0).unwrap_err().to_string().contains("auth_kv"));
    // Cut at every place that matters: refused, never a panic.
    let whole = alone.bytes("data.sqlite3").unwrap();
    for length in [16, 17, 19, 20, 99, 100, 512, 4095, 4096, whole.len() - 1] {
        assert!(Files.read("data.sqlite3", &whole[..length.min(whole.len() - 1)], 0).is_err(), "{length}");
    }
}

#[test]
fn a_damaged_log_is_left_out() {
    let database = Database::new("wal");
    database.put("auth_kv", "kirocli:social:token", &cli(json!({"access_token": "first"})));
    database.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    database.put("auth_kv", "kirocli:social:token", &cli(json!({"access_token": "second"})));
    let (content, log) =
        (database.bytes("data.sqlite3").unwrap(), database.bytes("data.sqlite3-wal").unwrap());
    let with = |log: Vec<u8>| {
        let found = Files.read_beside("data.sqlite3", &content, &|_| Some(log.clone()), 0).unwrap();
        tokens(&found[0].login).access.expose().to_owned()
    };
    assert_eq!(with(log.clone()), "second");
    for at in [0, 9, 17, 25, 40, 60, log.len() - 1] {
        let mut damaged = log.clone();
        damaged[at] ^= 0x55;
        assert_eq!(with(damaged), "first", "{at}");
    }
    for length in [0, 5, 31, 32, 50, log.len() - 1] {
        assert_eq!(with(log[..length].to_vec()), "first", "{length}");
    }
}

#[test]
fn places() {
    let home = Path::new("/home/ada");
    let none = |_: &str| None;
    let files: Vec<_> = Files.places(home, &none).into_iter().map(|kept| kept.file).collect();
    for expected in [
        "/home/ada/.aws/sso/cache/kiro-auth-token.json",
        "/home/ada/.local/share/kiro-cli/data.sqlite3",
        "/home/ada/Library/Application Support/kiro-cli/data.sqlite3",
        "/home/ada/.local/share/amazon-q/data.sqlite3",
    ] {
        assert!(files.iter().any(|file| file == Path::new(expected)), "{expected}");
    }
    let set = |name: &str| (name == "XDG_DATA_HOME").then(|| "/data".to_owned());
    assert!(
        Files.places(home, &set).iter().any(|kept| kept.file == Path::new("/data/kiro-cli/data.sqlite3"))
    );
}
