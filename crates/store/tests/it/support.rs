//! Accounts, tokens and records to test with.

use byok_store::{ClientKeyRow, Store, StoreOptions};
use byok_types::{
    Account, AccountId, AccountState, ClientKeyId, Credential, CredentialKind, Dialect, OauthTokens, Outcome,
    ProviderId, RequestId, RequestRecord, Secret, SecretHash, Usage,
};
use std::path::PathBuf;

/// A state directory that is removed at the end.
pub(crate) struct Home(tempfile::TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn options(&self) -> StoreOptions {
        StoreOptions { path: self.path("tokens.db"), key_file: None }
    }

    pub(crate) fn open(&self) -> Store {
        Store::open(&self.options()).unwrap()
    }
}

pub(crate) fn provider(name: &str) -> ProviderId {
    ProviderId::new(name).unwrap()
}

pub(crate) fn id(name: &str) -> AccountId {
    AccountId::new(name).unwrap()
}

/// A ready account of `claude`; `n` is its age and tells it from others.
pub(crate) fn account(n: i64) -> Account {
    Account {
        id: id(&format!("account-{n}")),
        provider: provider("claude"),
        label: format!("label {n}"),
        kind: CredentialKind::Oauth,
        identity: Some(format!("person-{n}")),
        email: None,
        plan: None,
        state: AccountState::Ready,
        claims: Vec::new(),
        expires_at: None,
        created_at: n,
        updated_at: n,
    }
}

pub(crate) fn tokens(name: &str) -> OauthTokens {
    OauthTokens {
        access: Secret::new(format!("access-{name}")),
        refresh: Some(Secret::new(format!("refresh-{name}"))),
        expires_at: Some(1_900_000_000),
        refresh_expires_at: Some(1_950_000_000),
        scopes: vec!["read".to_owned(), "write \"all\"".to_owned()],
        facts: [("project".to_owned(), Secret::new(format!("project-{name}")))].into(),
    }
}

pub(crate) fn oauth(name: &str) -> Credential {
    Credential::Oauth(tokens(name))
}

/// Everything a credential says, to compare it whole.
pub(crate) fn told(credential: &Credential) -> String {
    match credential {
        Credential::ApiKey(key) => format!("key {}", key.expose()),
        Credential::Oauth(t) => format!(
            "tokens {} {:?} {:?} {:?} {:?} {:?}",
            t.access.expose(),
            t.refresh.as_ref().map(Secret::expose),
            t.expires_at,
            t.refresh_expires_at,
            t.scopes,
            t.facts.iter().map(|(name, value)| (name, value.expose())).collect::<Vec<_>>()
        ),
    }
}

pub(crate) async fn loaded(store: &Store, account: &AccountId) -> Option<String> {
    store.secrets.load(account).await.unwrap().as_ref().map(told)
}

pub(crate) fn client_key(n: i64) -> ClientKeyRow {
    ClientKeyRow {
        id: ClientKeyId::new(format!("key-{n}")).unwrap(),
        hash: SecretHash::of(&format!("byok-key-{n}")),
        label: format!("laptop {n}"),
        user: Some("ada".to_owned()),
        groups: vec!["team".to_owned()],
        models: vec!["claude-*".to_owned()],
        limits: Some(r#"{"requests_per_minute":60}"#.to_owned()),
        expires_at: Some(2_000_000_000),
        created_at: n,
        revoked_at: None,
        debug: true,
    }
}

/// A record with every field set; `n` is its time.
pub(crate) fn record(n: i64) -> RequestRecord {
    RequestRecord {
        at_ms: n,
        id: RequestId::new(format!("request-{n}")).unwrap(),
        client_key: Some(ClientKeyId::new("key-1").unwrap()),
        dialect: Dialect::Chat,
        upstream_dialect: Some(Dialect::Messages),
        model_asked: "sonnet".to_owned(),
        model_served: Some("claude-sonnet".to_owned()),
        provider: Some(provider("claude")),
        account: Some(id("account-1")),
        attempts: 2,
        stream: true,
        status: 200,
        outcome: Outcome::Failed,
        error: Some("Overloaded".to_owned()),
        first_byte_ms: Some(120),
        total_ms: 4_000,
        usage: Usage {
            input: Some(1),
            cache_read: Some(2),
            cache_write: Some(3),
            cache_write_short: Some(4),
            cache_write_long: Some(5),
            output: Some(6),
            reasoning: Some(7),
            input_audio: Some(8),
            output_audio: Some(9),
            tool_input: Some(10),
            accepted_prediction: Some(11),
            rejected_prediction: Some(12),
            web_searches: Some(13),
            web_fetches: Some(14),
            service_tier: Some("priority".to_owned()),
            estimated: true,
        },
    }
}

/// A record with nothing set that need not be.
pub(crate) fn bare_record(n: i64) -> RequestRecord {
    RequestRecord {
        client_key: None,
        upstream_dialect: None,
        model_served: None,
        provider: None,
        account: None,
        stream: false,
        outcome: Outcome::Cancelled,
        error: None,
        first_byte_ms: None,
        usage: Usage::default(),
        ..record(n)
    }
}
