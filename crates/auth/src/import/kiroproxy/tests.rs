#![expect(clippy::needless_pass_by_value, reason = "cases are written in place")]

use super::*;
use serde_json::json;

const NOW: i64 = 1_800_000_000;
const ARN: &str = "arn:aws:codewhisperer:eu-central-1:123456789012:profile/ABCDEF";

fn object(more: Value) -> Value {
    let mut token = json!({"accessToken": "aoa", "refreshToken": "aor-1", "expiresAt": "2027-02-01T00:00:00.123456+00:00", "region": "us-east-1"});
    token.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    token
}

/// Kind, region of the sign-in, client, whether it can be renewed.
fn shape(json: &Value) -> Result<String, String> {
    let registration = |hash: &str| {
        (hash == "abc").then(|| {
            json!({"clientId": "registered", "clientSecret": "s", "region": "eu-west-1"})
                .to_string()
                .into_bytes()
        })
    };
    let (found, notes) = tokens(json, Some("ap-south-1"), &registration, NOW)?;
    assert_eq!(found.login.details.identity, None, "a profile is not an identity here");
    let Credential::Oauth(tokens) = &found.login.credential else { panic!() };
    assert_eq!(tokens.refresh.is_some(), found.shared_rotation);
    let fact = |name: &str| tokens.fact(name).unwrap_or("-").to_owned();
    let note = if notes.is_empty() { "" } else { " !" };
    let renewed = if tokens.refresh.is_some() { "renewed" } else { "ends" };
    Ok(format!("{} {} {} {renewed}{note}", fact("kind"), fact("auth_region"), fact("client_id")))
}

#[test]
fn what_becomes_of_tokens() {
    let own = json!({"clientId": "own", "clientSecret": "s"});
    let with = |more: Value| {
        let mut all = own.clone();
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        object(all)
    };
    let cases = [
        (object(json!({"authMethod": "social"})), "social us-east-1 - renewed"),
        (object(json!({})), "social us-east-1 - renewed"),
        // The client in a social login is that of another account.
        (with(json!({"authMethod": "social", "clientIdHash": "abc"})), "social us-east-1 - renewed"),
        (with(json!({})), "builder-id us-east-1 own renewed"),
        (with(json!({"authMethod": "builder_id"})), "builder-id us-east-1 own renewed"),
        (with(json!({"authMethod": "IdC"})), "builder-id us-east-1 own renewed"),
        (with(json!({"authMethod": "IdC", "profileArn": ARN})), "idc us-east-1 own renewed"),
        (
            with(json!({"authMethod": "builder-id", "startUrl": "https://view.awsapps.com/start/"})),
            "builder-id us-east-1 own renewed",
        ),
        (
            with(
                json!({"authMethod": "idc", "startUrl": "https://d-1.awsapps.com/start", "idcRegion": "eu-north-1"}),
            ),
            "idc eu-north-1 own renewed",
        ),
        // The registration is what it was made with; the fields may be mixed up.
        (
            with(json!({"authMethod": "idc", "clientIdHash": "abc"})),
            "builder-id eu-west-1 registered renewed",
        ),
        (with(json!({"authMethod": "idc", "clientIdHash": "../abc"})), "builder-id us-east-1 own renewed"),
        (
            json!({"access_token": "aoa", "refresh_token": "aor", "auth_method": "social", "expire": "1801000000"}),
            "social ap-south-1 - renewed",
        ),
        (with(json!({"authMethod": "idc", "region": "evil.example/"})), "builder-id us-east-1 own renewed"),
        // What cannot be renewed is used to its end.
        (object(json!({"authMethod": "idc"})), "builder-id us-east-1 - ends !"),
        (
            with(json!({"authMethod": "idc", "clientSecretExpiresAt": NOW - 1})),
            "builder-id us-east-1 own ends !",
        ),
        (
            with(json!({"authMethod": "idc", "clientSecretExpiresAt": NOW + 1})),
            "builder-id us-east-1 own renewed",
        ),
        (object(json!({"authMethod": "social", "refreshToken": "aor..."})), "social us-east-1 - ends !"),
    ];
    for (json, expected) in cases {
        assert_eq!(shape(&json).as_deref(), Ok(expected), "{json}");
    }
    let refused = [
        (json!({}), "no tokens"),
        (json!({"accessToken": "canary", "refreshToken": "of-something-else"}), "no login of Kiro"),
        (object(json!({"authMethod": "idc", "expiresAt": "2020-01-01T00:00:00Z"})), "cannot be renewed"),
        (object(json!({"authMethod": "social", "refreshToken": "", "expiresAt": 0})), "cannot be renewed"),
    ];
    for (json, part) in refused {
        let why = shape(&json).unwrap_err();
        assert!(why.contains(part) && !why.contains("canary"), "{why} for {json}");
    }
}

#[test]
fn the_settings_and_the_files_that_they_name() {
    let first = object(json!({"authMethod": "social"})).to_string();
    let second =
        object(json!({"refreshToken": "aor-2", "authMethod": "idc", "clientIdHash": "abc"})).to_string();
    let client = json!({"clientId": "registered", "clientSecret": "s"}).to_string();
    let reach = |path: &str| {
        let text = match path {
            "/home/ada/.aws/sso/cache/manual-1.json" | "/home/ada/copy.json" => &first,
            "/home/ada/.aws/sso/cache/kiro-auth-token.json" => &second,
            "/home/ada/.aws/sso/cache/abc.json" => &client,
            "/home/ada/torn.json" => "{\"accessToken\":\"canary",
            _ => return None,
        };
        Some(text.as_bytes().to_vec())
    };
    let account = |name: &str, path: &str, enabled: bool| json!({"id": "a1b2c3d4", "name": name, "token_path": path, "enabled": enabled, "proxy_url": null});
    let settings = json!({"accounts": [
        account("Ada", "/home/ada/.aws/sso/cache/manual-1.json", true),
        account("Work", "/home/ada/.aws/sso/cache/kiro-auth-token.json", false),
        account("Twice", "/home/ada/copy.json", true),
        account("Torn", "/home/ada/torn.json", true),
        account("Gone", "/home/ada/gone.json", true),
        account("Relative", "../ada/copy.json", true),
    ]});
    let taken = accounts(&settings, &reach, NOW);
    let logins: Vec<_> = taken
        .logins
        .iter()
        .map(|entry| {
            (
                entry.name.as_deref().unwrap(),
                entry.disabled,
                entry.live,
                &*entry.key,
                entry.file.as_ref().unwrap().to_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        logins,
        [
            ("Ada", false, true, "kiro", "/home/ada/.aws/sso/cache/manual-1.json"),
            ("Work", true, true, "kiro", "/home/ada/.aws/sso/cache/kiro-auth-token.json"),
        ]
    );
    let left: Vec<_> = taken.left.iter().map(|left| format!("{}: {}", left.what, left.why)).collect();
    let expected = [
        "kiro: Twice: it is the same login",
        "kiro: Torn: its file /home/ada/torn.json is damaged",
        "kiro: Gone: its file",
        "kiro: Relative: its file",
    ];
    assert_eq!(left.len(), expected.len(), "{left:#?}");
    for (left, expected) in left.iter().zip(expected) {
        assert!(left.starts_with(expected) && !left.contains("canary"), "{left}");
    }
    // The file by itself is found again under the key of its entry.
    let alone = token_file(&serde_json::from_str(&first).unwrap(), &|_| None, NOW);
    assert_eq!(alone.logins[0].key, "kiro");
}

#[test]
fn exports_are_copies() {
    let with_client = object(json!({"authMethod": "idc", "clientId": "own", "clientSecret": "s"}));
    let without = object(json!({"refreshToken": "aor-2", "authMethod": "idc"}));
    let export = json!({"version": "1.0", "accounts": [
        {"name": "Web", "enabled": true, "credentials": with_client},
        {"name": "Cli", "enabled": false, "credentials": without},
        {"name": "Empty", "enabled": true, "credentials": {}},
    ]});
    let taken = accounts(&export, &|_| None, NOW);
    let logins: Vec<_> = taken
        .logins
        .iter()
        .map(|entry| (entry.name.as_deref().unwrap(), entry.disabled, entry.live, entry.notes.concat()))
        .collect();
    let note = "the client that was registered for it is missing: it works until its token ends".to_owned();
    assert_eq!(logins, [("Web", false, false, String::new()), ("Cli", true, false, note)]);
    assert_eq!(taken.left[0].what, "kiro: Empty");
}
