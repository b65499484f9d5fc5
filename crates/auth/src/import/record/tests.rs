use super::*;
use crate::testing::jwt;
use serde_json::json;

const NOW: i64 = 1_800_000_000;
const LATER: i64 = NOW + 3600;

/// Everything that is stored of a login, as one line.
fn line(found: &Found) -> String {
    let details = &found.login.details;
    let owner = [("id", &details.identity), ("mail", &details.email)];
    let owner = owner.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value.as_ref()?)));
    let mut parts: Vec<String> = match &found.login.credential {
        Credential::ApiKey(key) => vec![format!("key={}", key.expose())],
        Credential::Oauth(tokens) => {
            let mut parts = vec![format!("access={}", tokens.access.expose())];
            parts.extend(tokens.refresh.as_ref().map(|token| format!("refresh={}", token.expose())));
            parts.extend(tokens.expires_at.map(|end| match end {
                0 => "end=0".to_owned(),
                end => format!("end={:+}", end - NOW),
            }));
            parts.extend(tokens.facts.iter().map(|(name, value)| format!("{name}={}", value.expose())));
            parts
        }
    };
    parts.extend(owner);
    if found.shared_rotation {
        parts.push("rotates".to_owned());
    }
    parts.join(" ")
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn what_becomes_of_each_record() {
    let auth = "https://api.openai.com/auth";
    let id = jwt(
        &json!({"email": "ada@example.org", auth: {"chatgpt_account_id": "a-1", "chatgpt_user_id": "u-1"}}),
    );
    let access = jwt(&json!({"exp": LATER, auth: {"chatgpt_account_id": "a-1"}}));
    let opaque = json!({"access_token": "t", "refresh_token": "r", "expires_at": LATER});
    let with = |more: Value| {
        let mut record = opaque.clone();
        record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        record
    };
    let kimi = jwt(&json!({"user_id": "k-1", "iss": "https://auth.kimi.ai"}));
    let cases = [
        // Claude: identity only from both ids; a setup token is not renewed; a key of the console is a key.
        (
            "claude",
            json!({"access_token": "sk-ant-oat01-t", "refresh_token": "r", "expired": "2027-01-15T09:00:00+00:00"}),
            "access=sk-ant-oat01-t refresh=r end=+3600 rotates".to_owned(),
        ),
        (
            "claude",
            with(json!({"account_uuid": "p", "organization_uuid": "o", "email": "ada@example.org"})),
            "access=t refresh=r end=+3600 id=p/o mail=ada@example.org rotates".to_owned(),
        ),
        ("claude", with(json!({"account-uuid": "p"})), "access=t refresh=r end=+3600 rotates".to_owned()),
        ("claude", with(json!({"setup_token": true})), "access=t end=+3600".to_owned()),
        ("claude", json!({"access_token": "sk-ant-oat01-t"}), "access=sk-ant-oat01-t".to_owned()),
        (
            "claude",
            json!({"access_token": "sk-ant-api03-k"}),
            format!("key=sk-ant-api03-k id=key-{}", Secret::new("sk-ant-api03-k").hash().short()),
        ),
        (
            "claude",
            json!({"refresh_token": "r", "expires_at": LATER}),
            "access=imported refresh=r end=0 rotates".to_owned(),
        ),
        (
            "claude",
            json!({"access_token": "t", "refresh_token": "r"}),
            "access=t refresh=r end=0 rotates".to_owned(),
        ),
        // Codex: the workspace from the tokens, else from the file; the end from the token.
        (
            "codex",
            json!({"id_token": id, "access_token": access, "refresh_token": "r", "expired": "2020-01-01T00:00:00Z"}),
            format!(
                "access={access} refresh=r end=+3600 account_id=a-1 id=a-1/u-1 mail=ada@example.org rotates"
            ),
        ),
        (
            "codex",
            with(json!({"account_id": "a-2", "email": "bob@example.org"})),
            "access=t refresh=r end=+3600 account_id=a-2 id=a-2 mail=bob@example.org rotates".to_owned(),
        ),
        (
            "copilot",
            json!({"access_token": "gho_x", "username": "ada"}),
            "access=gho_x refresh=gho_x host=github.com mode=direct id=github.com/ada mail=ada".to_owned(),
        ),
        (
            "copilot",
            json!({"access_token": "ghu_x", "api_token_expires_at": 5}),
            "access=ghu_x refresh=ghu_x end=+0 github=ghu_x host=github.com".to_owned(),
        ),
        // Google: renewed before its first use where the token has ended, or the project has to be found.
        (
            "gemini",
            json!({"token": {"access_token": "t", "refresh_token": "r", "client_id": gemini::CLIENT_ID}, "project_id": "p-1,p-2", "email": "ada@example.org"}),
            "access=t refresh=r end=-1 project=p-1 mail=ada@example.org".to_owned(),
        ),
        (
            "gemini",
            json!({"token": {"refresh_token": "old", "expiry": "2026-01-01T00:00:00Z"}, "refresh_token": "new", "expiry": "2027-01-01T00:00:00Z", "project_id": "p-1", "auto": true}),
            "access=imported refresh=new end=-1".to_owned(),
        ),
        (
            "gemini",
            json!({"token": {"refresh_token": "new", "expiry": "2027-01-01T00:00:00Z"}, "refresh_token": "old", "expiry": "2026-01-01T00:00:00Z", "project_id": "../p"}),
            "access=imported refresh=new end=-1".to_owned(),
        ),
        (
            "antigravity",
            with(json!({"project_id": "p-1"})),
            "access=t refresh=r end=+3600 project=p-1".to_owned(),
        ),
        (
            "qwen",
            with(json!({"resource_url": "portal.qwen.ai", "email": "me"})),
            "access=t refresh=r end=+3600 resource_url=portal.qwen.ai mail=me rotates".to_owned(),
        ),
        (
            "qwen",
            with(json!({"resource_url": "portal.qwen.ai.example.org"})),
            "access=t refresh=r end=+3600 rotates".to_owned(),
        ),
        (
            "kimi",
            with(json!({"device_id": "d"})),
            "access=t refresh=r end=+3600 device=d region=mainland-cn rotates".to_owned(),
        ),
        (
            "kimi",
            json!({"access_token": kimi, "refresh_token": "r", "timestamp": NOW * 1000, "expires_in": 900}),
            format!("access={kimi} refresh=r end=+900 region=global id=k-1 rotates"),
        ),
        (
            "iflow",
            with(json!({"api_key": "sk-k", "cookie": "BXAuth=canary;"})),
            "access=t refresh=r end=+3600 api_key=sk-k rotates".to_owned(),
        ),
        (
            "iflow",
            json!({"api_key": "sk-k", "cookie": "BXAuth=canary;", "expired": "2026-01-01 10:00"}),
            format!("key=sk-k id=key-{}", Secret::new("sk-k").hash().short()),
        ),
        (
            "xai",
            with(json!({"sub": "x-1", "email": "ada@example.org", "token_endpoint": "https://evil.example"})),
            "access=t refresh=r end=+3600 user_id=x-1 id=x-1 mail=ada@example.org rotates".to_owned(),
        ),
    ];
    for (provider, record, expected) in cases {
        let (found, _) =
            login(provider, &record, NOW).unwrap_or_else(|why| panic!("{why}: {provider} {record}"));
        assert_eq!(line(&found), expected, "{provider} {record}");
    }
}

#[test]
fn what_is_no_login_and_why() {
    let cases = [
        ("claude", json!({}), "no tokens"),
        ("claude", json!({"access_token": " ", "refresh_token": ""}), "no tokens"),
        ("claude", json!({"access_token": 7}), "no tokens"),
        ("claude", json!({"access_token": "canary", "expires_at": NOW - 5}), "cannot be renewed"),
        ("codex", json!({"access_token": "canary", "refresh_token": "canary"}), "no ChatGPT workspace"),
        (
            "codex",
            json!({"access_token": "canary", "account_id": "a", "expired": "2020-01-01T00:00:00Z"}),
            "cannot be renewed",
        ),
        ("copilot", json!({"access_token": "ghp_canary"}), "not one that GitHub gives out"),
        ("copilot", json!({}), "not one that GitHub gives out"),
        (
            "gemini",
            json!({"token": {"refresh_token": "canary", "client_id": "other"}}),
            "another application",
        ),
        ("gemini", json!({"token": {"access_token": "canary"}}), "no refresh token"),
        ("antigravity", json!({"access_token": "canary"}), "no refresh token"),
        ("iflow", json!({"access_token": "canary", "refresh_token": "canary"}), "no API key"),
        ("iflow", json!({"api_key": "canary canary"}), "white space"),
        ("vertex", json!({"service_account": "canary"}), "no key of a service account"),
        ("vertex", json!({"service_account": {"type": "authorized_user"}}), "not of a service account"),
        ("vertex", json!({"service_account": {}, "location": "EU/x"}), "a location is a name"),
        ("amp", json!({"access_token": "canary"}), "no login for its provider"),
    ];
    for (provider, record, part) in cases {
        let why = login(provider, &record, NOW).unwrap_err();
        assert!(why.contains(part), "{why}: {provider} {record}");
        assert!(!why.contains("canary"), "{why}");
    }
}

#[test]
fn what_a_person_should_know() {
    let cases = [
        ("claude", json!({"access_token": "x", "refresh_token": "r"}), "may be billed"),
        ("gemini", json!({"refresh_token": "r", "project_id": "p-1,p-2,p-3"}), "for p-2, p-3"),
        (
            "qwen",
            json!({"access_token": "t", "refresh_token": "r", "resource_url": "evil.example"}),
            "no address of the vendor",
        ),
        ("iflow", json!({"api_key": "sk-k", "cookie": "BXAuth=canary"}), "cookie is left out"),
    ];
    for (provider, record, part) in cases {
        let (_, notes) = login(provider, &record, NOW).unwrap();
        assert!(notes.concat().contains(part), "{notes:?}");
        assert!(!notes.concat().contains("canary"), "{notes:?}");
    }
}
