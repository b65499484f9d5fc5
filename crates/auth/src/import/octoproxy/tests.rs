use super::*;
use byok_types::Credential;
use rusqlite::Connection;

const NOW: i64 = 1_770_000_000;
const CREDENTIALS: &str = r#"{"accessToken":"aoa","refreshToken":"aor","expiresAt":"2026-02-18T11:00:00.000Z","authMethod":"builder-id","clientId":"c","clientSecret":"s","clientSecretExpiresAt":1776000000,"region":"eu-west-1","ssoRegion":"eu-west-1","startUrl":"https://view.awsapps.com/start"}"#;

fn read(sql: &str) -> Taken {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(sql).unwrap();
    let bytes = connection.serialize(rusqlite::MAIN_DB).unwrap().to_vec();
    let rows = Rows::read(&bytes, None).unwrap();
    let columns = rows.columns("providers").unwrap();
    database(&rows, &columns, NOW).unwrap()
}

#[test]
fn the_rows_of_a_database() {
    let taken = read(&format!(
        "CREATE TABLE providers (id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, name TEXT, region TEXT DEFAULT 'us-east-1', credentials TEXT,
           is_healthy INTEGER, is_disabled INTEGER, account_email TEXT, allowed_models TEXT, provider_type TEXT DEFAULT 'kiro');
         INSERT INTO providers VALUES
         (1, 'u-1', 'Ada', 'us-east-1', '{CREDENTIALS}', 0, 0, 'ada@example.org', NULL, 'kiro'),
         (2, 'u-2', NULL, 'eu-central-1', '{{\"accessToken\":\"aoa\",\"refreshToken\":\"aor2\",\"authMethod\":\"social\",\"expiresAt\":\"2026-02-18T11:00:00Z\"}}', 1, 1, 'bob@example.org', '[\"claude-sonnet-4.5\"]', 'kiro'),
         (3, 'u-3', '[Auto] AWS SSO', NULL, '{{\"accessToken\":\"canary\",\"expiration\":\"2026-02-18T11:00:00Z\"}}', 1, 0, NULL, NULL, 'kiro'),
         (4, 'u-4', 'Other', NULL, '{{}}', 1, 0, NULL, NULL, 'somebody-elses'),
         (5, 'u-5', 'Torn', NULL, '{{\"accessToken\":\"canary', 1, 0, NULL, NULL, 'kiro');"
    ));
    let logins: Vec<_> = taken
        .logins
        .iter()
        .map(|entry| {
            let Credential::Oauth(tokens) = &entry.found.login.credential else { panic!() };
            let facts = (tokens.fact("kind").unwrap(), tokens.fact("auth_region").unwrap());
            (
                &*entry.key,
                entry.name.as_deref().unwrap(),
                entry.disabled,
                entry.live,
                facts,
                entry.notes.len(),
            )
        })
        .collect();
    assert_eq!(
        logins,
        [
            ("kiro/u-1", "Ada", false, true, ("builder-id", "eu-west-1"), 0),
            ("kiro/u-2", "bob@example.org", true, true, ("social", "eu-central-1"), 1),
        ]
    );
    assert_eq!(taken.logins[0].found.login.details.email.as_deref(), Some("ada@example.org"));
    let left: Vec<_> = taken.left.iter().map(|left| format!("{}: {}", left.what, left.why)).collect();
    let expected = [
        "kiro: [Auto] AWS SSO: it is no login of Kiro",
        "kiro: Other: byok has no login for its provider `somebody-elses`",
        "kiro: Torn: it holds no tokens",
    ];
    assert_eq!(left.len(), expected.len(), "{left:#?}");
    for (left, expected) in left.iter().zip(expected) {
        assert!(left.starts_with(expected) && !left.contains("canary"), "{left}");
    }
}

#[test]
fn a_database_of_the_first_version_and_an_export() {
    let taken = read(&format!(
        "CREATE TABLE providers (id INTEGER PRIMARY KEY, uuid TEXT, name TEXT, region TEXT, credentials TEXT);
         INSERT INTO providers VALUES (1, 'u-1', 'Ada', NULL, '{CREDENTIALS}');"
    ));
    assert_eq!(taken.logins.len(), 1, "{:?}", taken.left);

    let object: Value = serde_json::from_str(CREDENTIALS).unwrap();
    let json = json!({"success": true, "version": "1.0", "providers": [
        {"name": "Text", "region": "us-east-1", "credentials": CREDENTIALS, "account_email": null, "is_disabled": 1},
        {"name": "Object", "credentials": object, "is_disabled": false},
    ]});
    let taken = export(&json, NOW);
    let logins: Vec<_> = taken
        .logins
        .iter()
        .map(|entry| (entry.name.as_deref().unwrap(), entry.disabled, entry.live))
        .collect();
    assert_eq!(logins, [("Text", true, false), ("Object", false, false)]);
}
