use super::{
    Sqlite,
    problem::{Outcome, Problem},
    secrets,
};
use crate::{
    AccountDetails, Accounts, RefreshTrouble, StoreError, StoreFuture, accounts::adopt_credential,
    store::unix_now,
};
use byok_types::{Account, AccountId, AccountState, Credential, CredentialKind, ProviderId};
use rusqlite::{Connection, Params, Row, params};
use std::sync::Arc;

macro_rules! select {
    ($tail:literal) => {
        concat!(
            "SELECT id, provider, label, kind, identity, email, plan, state, state_reason, claims, expires_at, ",
            "created_at, updated_at FROM accounts ",
            $tail
        )
    };
}

impl Sqlite {
    async fn accounts(
        &self,
        sql: &'static str,
        params: impl Params + Send + 'static,
    ) -> Result<Vec<Account>, StoreError> {
        let look = move |connection: &Connection| {
            connection.prepare_cached(sql)?.query_and_then(params, account)?.collect::<Outcome<Vec<_>>>()
        };
        Ok(self.tokens.read(|transaction| look(transaction)).await?.0)
    }

    /// Runs one statement that changes one account.
    async fn edit(&self, sql: &'static str, params: impl Params + Send + 'static) -> Result<(), StoreError> {
        self.tokens
            .change(move |transaction| one_row(transaction.prepare_cached(sql)?.execute(params)?))
            .await
    }
}

fn one_row(changed: usize) -> Outcome<()> {
    if changed == 0 { Err(StoreError::NoSuchAccount.into()) } else { Ok(()) }
}

impl Accounts for Sqlite {
    fn list<'a>(&'a self, provider: Option<&'a ProviderId>) -> StoreFuture<'a, Vec<Account>> {
        const ALL: &str = select!("ORDER BY provider, created_at, id");
        const SOME: &str = select!("WHERE provider = ?1 ORDER BY created_at, id");
        Box::pin(async move {
            match provider {
                None => self.accounts(ALL, []).await,
                Some(provider) => self.accounts(SOME, [provider.to_string()]).await,
            }
        })
    }

    fn get<'a>(&'a self, id: &'a AccountId) -> StoreFuture<'a, Option<Account>> {
        Box::pin(async move { Ok(self.accounts(select!("WHERE id = ?1"), [id.to_string()]).await?.pop()) })
    }

    fn find_identity<'a>(
        &'a self,
        provider: &'a ProviderId,
        identity: &'a str,
        kind: CredentialKind,
    ) -> StoreFuture<'a, Option<Account>> {
        const FIND: &str =
            select!("WHERE provider = ?1 AND identity = ?2 AND kind = ?3 ORDER BY created_at, id LIMIT 1");
        Box::pin(async move {
            let of = [provider.to_string(), identity.to_owned(), kind_column(kind).to_owned()];
            Ok(self.accounts(FIND, of).await?.pop())
        })
    }

    fn insert(&self, mut account: Account, credential: Credential) -> StoreFuture<'_, ()> {
        adopt_credential(&mut account, &credential);
        let (sealer, reserve) = (Arc::clone(&self.sealer), Arc::clone(&self.reserve));
        let renewed = credential.kind() == CredentialKind::Oauth;
        let stored = self.tokens.change(move |transaction| {
            refuse_taken_label(transaction, account.id.as_str(), account.provider.as_str(), &account.label)?;
            write(transaction, &account)?;
            secrets::write(
                transaction,
                &sealer,
                account.provider.as_str(),
                account.id.as_str(),
                &credential,
            )?;
            secrets::clear_mark(transaction, account.id.as_str())
        });
        Box::pin(async move {
            stored.await?;
            // Room for its renewals. Where there is none the login is stored all the same, and the renewal says it.
            if renewed {
                let take = move |_: &mut Connection| {
                    let _ = reserve.take();
                    Ok(())
                };
                let _ = self.tokens.on_writer(take).await;
            }
            Ok(())
        })
    }

    fn set_state<'a>(&'a self, id: &'a AccountId, state: AccountState) -> StoreFuture<'a, ()> {
        const SET: &str = "UPDATE accounts SET state = ?2, state_reason = ?3, updated_at = ?4 WHERE id = ?1";
        let (name, reason) = state_columns(&state);
        Box::pin(self.edit(SET, (id.to_string(), name, reason.map(str::to_owned), unix_now())))
    }

    fn set_details<'a>(&'a self, id: &'a AccountId, details: AccountDetails) -> StoreFuture<'a, ()> {
        const SET: &str = "UPDATE accounts SET email = coalesce(?2, email), plan = coalesce(?3, plan), \
             identity = coalesce(?4, identity), updated_at = ?5 WHERE id = ?1";
        let AccountDetails { email, plan, identity } = details;
        Box::pin(self.edit(SET, (id.to_string(), email, plan, identity, unix_now())))
    }

    fn set_claims<'a>(&'a self, id: &'a AccountId, claims: Vec<String>) -> StoreFuture<'a, ()> {
        const SET: &str = "UPDATE accounts SET claims = ?2, updated_at = ?3 WHERE id = ?1";
        Box::pin(self.edit(SET, (id.to_string(), list_column(&claims), unix_now())))
    }

    fn rename<'a>(&'a self, id: &'a AccountId, label: &'a str) -> StoreFuture<'a, ()> {
        const SET: &str = "UPDATE accounts SET label = ?2, updated_at = ?3 WHERE id = ?1";
        let (id, label) = (id.to_string(), label.to_owned());
        Box::pin(self.tokens.change(move |transaction| {
            let provider = secrets::provider_of(transaction, &id)?.ok_or(StoreError::NoSuchAccount)?;
            refuse_taken_label(transaction, &id, &provider, &label)?;
            one_row(transaction.prepare_cached(SET)?.execute(params![id, label, unix_now()])?)
        }))
    }

    fn remove<'a>(&'a self, id: &'a AccountId) -> StoreFuture<'a, bool> {
        let id = id.to_string();
        Box::pin(async move {
            let removed = self
                .tokens
                .change(
                    |transaction| Ok(transaction.execute("DELETE FROM accounts WHERE id = ?1", [id])? > 0),
                )
                .await?;
            // secure_delete clears the database; old pages in the write-ahead log go with the log.
            if removed && let Err(error) = self.tokens.checkpoint().await {
                tracing::warn!(%error, "a removed secret remains sealed in the write-ahead log for a while");
            }
            Ok(removed)
        })
    }

    fn note_trouble<'a>(&'a self, id: &'a AccountId, what: &'a str) -> StoreFuture<'a, ()> {
        const NOTE: &str = "INSERT INTO troubles (account, at, what) VALUES (?1, ?2, ?3) \
             ON CONFLICT (account) DO UPDATE SET at = excluded.at, what = excluded.what";
        let (id, what) = (id.to_string(), what.to_owned());
        Box::pin(self.tokens.change_quietly(move |transaction| {
            secrets::provider_of(transaction, &id)?.ok_or(StoreError::NoSuchAccount)?;
            transaction.prepare_cached(NOTE)?.execute(params![id, unix_now(), what])?;
            Ok(())
        }))
    }

    fn troubles(&self) -> StoreFuture<'_, Vec<RefreshTrouble>> {
        const ALL: &str = "SELECT account, at, what FROM troubles ORDER BY account";
        let trouble = |row: &Row<'_>| {
            let account = AccountId::new(row.get::<_, String>("account")?).map_err(|_| Problem::Row)?;
            Ok(RefreshTrouble { account, at: row.get("at")?, what: row.get("what")? })
        };
        let look = move |connection: &Connection| {
            connection.prepare_cached(ALL)?.query_and_then([], trouble)?.collect::<Outcome<Vec<_>>>()
        };
        Box::pin(async move { Ok(self.tokens.read(move |transaction| look(transaction)).await?.0) })
    }

    fn generation(&self) -> u64 {
        self.tokens.generation()
    }
}

fn refuse_taken_label(connection: &Connection, id: &str, provider: &str, label: &str) -> Outcome<()> {
    let taken = connection
        .prepare_cached("SELECT 1 FROM accounts WHERE provider = ?1 AND label = ?2 AND id <> ?3")?
        .exists([provider, label, id])?;
    if taken { Err(StoreError::LabelTaken.into()) } else { Ok(()) }
}

fn write(connection: &Connection, account: &Account) -> Outcome<()> {
    const UPSERT: &str = "INSERT INTO accounts (id, provider, label, kind, identity, email, plan, state, \
         state_reason, claims, expires_at, created_at, updated_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) \
         ON CONFLICT (id) DO UPDATE SET provider = excluded.provider, label = excluded.label, \
         kind = excluded.kind, identity = excluded.identity, email = excluded.email, plan = excluded.plan, \
         state = excluded.state, state_reason = excluded.state_reason, claims = excluded.claims, \
         expires_at = excluded.expires_at, created_at = excluded.created_at, updated_at = excluded.updated_at";
    let (state, reason) = state_columns(&account.state);
    connection.prepare_cached(UPSERT)?.execute(params![
        account.id.as_str(),
        account.provider.as_str(),
        account.label,
        kind_column(account.kind),
        account.identity,
        account.email,
        account.plan,
        state,
        reason,
        list_column(&account.claims),
        account.expires_at,
        account.created_at,
        account.updated_at,
    ])?;
    Ok(())
}

/// The columns of `accounts` that a new credential changes. Fails if the account is not there.
pub(super) fn credential_changed(connection: &Connection, id: &str, credential: &Credential) -> Outcome<()> {
    let expires_at = match credential {
        Credential::ApiKey(_) => None,
        Credential::Oauth(tokens) => tokens.expires_at,
    };
    one_row(
        connection
            .prepare_cached("UPDATE accounts SET kind = ?2, expires_at = ?3, updated_at = ?4 WHERE id = ?1")?
            .execute(params![id, kind_column(credential.kind()), expires_at, unix_now()])?,
    )
}

fn account(row: &Row<'_>) -> Outcome<Account> {
    let text = |column: &str| row.get::<_, String>(column);
    Ok(Account {
        id: AccountId::new(text("id")?).map_err(|_| Problem::Row)?,
        provider: ProviderId::new(text("provider")?).map_err(|_| Problem::Row)?,
        label: text("label")?,
        kind: match text("kind")?.as_str() {
            "api_key" => CredentialKind::ApiKey,
            "oauth" => CredentialKind::Oauth,
            _ => return Err(Problem::Row),
        },
        identity: row.get("identity")?,
        email: row.get("email")?,
        plan: row.get("plan")?,
        state: state(&text("state")?, row.get("state_reason")?)?,
        claims: list(&text("claims")?)?,
        expires_at: row.get("expires_at")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    })
}

const fn kind_column(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::ApiKey => "api_key",
        CredentialKind::Oauth => "oauth",
    }
}

fn state_columns(state: &AccountState) -> (&'static str, Option<&str>) {
    match state {
        AccountState::Ready => ("ready", None),
        AccountState::NeedsLogin { reason } => ("needs_login", Some(reason)),
        AccountState::Blocked { reason } => ("blocked", Some(reason)),
        AccountState::ExtraUsage => ("extra_usage", None),
        AccountState::Disabled { reason } => ("disabled", reason.as_deref()),
    }
}

fn state(name: &str, reason: Option<String>) -> Outcome<AccountState> {
    if name == "disabled" {
        return Ok(AccountState::Disabled { reason });
    }
    let reason = reason.unwrap_or_default();
    Ok(match name {
        "ready" => AccountState::Ready,
        "needs_login" => AccountState::NeedsLogin { reason },
        "blocked" => AccountState::Blocked { reason },
        "extra_usage" => AccountState::ExtraUsage,
        _ => return Err(Problem::Row),
    })
}

/// A list of texts as a JSON array.
pub(super) fn list_column(list: &[String]) -> String {
    serde_json::Value::from(list).to_string()
}

/// The reverse of [`list_column`].
pub(super) fn list(column: &str) -> Outcome<Vec<String>> {
    serde_json::from_str(column).map_err(|_| Problem::Row)
}
