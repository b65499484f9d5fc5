use super::{
    Sqlite,
    accounts::{self, list, list_column},
    problem::{Outcome, Problem},
};
use crate::{
    CommitOutcome, EarlierRefresh, RefreshMark, Secrets, StoreError, StoreFuture,
    seal::{Place, Sealer},
    secrets::REMEMBERED,
    store::unix_now,
};
use byok_types::{AccountId, Credential, OauthTokens, ProviderId, Secret, SecretHash, TokenFacts};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use std::{collections::BTreeMap, sync::Arc};

impl Secrets for Sqlite {
    fn load<'a>(&'a self, account: &'a AccountId) -> StoreFuture<'a, Option<Credential>> {
        Box::pin(async move {
            if let Some(credential) = self.credentials.get(account, self.tokens.recent_generation()) {
                return Ok(Some(credential));
            }
            let (sealer, id) = (Arc::clone(&self.sealer), account.to_string());
            let (found, generation) = self.tokens.read(move |tx| read(tx, &sealer, &id)).await?;
            let Some((_, credential)) = found else { return Ok(None) };
            self.credentials.put(generation, [(account.clone(), credential.clone())]);
            Ok(Some(credential))
        })
    }

    fn put<'a>(&'a self, account: &'a AccountId, credential: Credential) -> StoreFuture<'a, ()> {
        let (sealer, id) = (Arc::clone(&self.sealer), account.to_string());
        Box::pin(self.tokens.change(move |tx| {
            let provider = provider_of(tx, &id)?.ok_or(StoreError::NoSuchAccount)?;
            replace(tx, &sealer, &provider, &id, &credential)
        }))
    }

    fn begin_refresh<'a>(
        &'a self,
        account: &'a AccountId,
        token: SecretHash,
    ) -> StoreFuture<'a, RefreshMark> {
        Box::pin(async move {
            let begun = self.mark_begin(account, token, true).await;
            // What comes of the renewal keeps its room: the vendor is asked only then.
            if !matches!(begun, Err(StoreError::Full { .. })) || !self.reserve.share() {
                return begun;
            }
            self.mark_begin(account, token, false).await
        })
    }

    fn sender<'a>(
        &'a self,
        provider: &'a ProviderId,
        token: SecretHash,
    ) -> StoreFuture<'a, Option<AccountId>> {
        const SELECT: &str = "SELECT account FROM sent_tokens JOIN accounts ON accounts.id = account \
             WHERE provider = ?1 AND token_hash = ?2 LIMIT 1";
        let provider = provider.to_string();
        Box::pin(async move {
            let look = move |tx: &Connection| -> Outcome<Option<String>> {
                let found =
                    tx.prepare_cached(SELECT)?.query_row(params![provider, token.0], |row| row.get(0));
                Ok(found.optional()?)
            };
            let found = self.tokens.read(move |tx| look(tx)).await?.0;
            Ok(found.and_then(|id| AccountId::new(id).ok()))
        })
    }

    fn cancel_refresh<'a>(&'a self, account: &'a AccountId, token: SecretHash) -> StoreFuture<'a, ()> {
        const DELETE: &str = "DELETE FROM refreshes WHERE account = ?1 AND token_hash = ?2";
        let id = account.to_string();
        Box::pin(self.tokens.change_quietly(move |tx| {
            tx.prepare_cached(DELETE)?.execute(params![id, token.0])?;
            Ok(())
        }))
    }

    fn commit_if<'a>(
        &'a self,
        account: &'a AccountId,
        old: SecretHash,
        new: &'a OauthTokens,
    ) -> StoreFuture<'a, CommitOutcome> {
        Box::pin(async move {
            let committed = self.commit(account, old, new.clone()).await;
            if !matches!(committed, Err(StoreError::Full { .. })) {
                return committed;
            }
            self.reserve.give_up();
            self.commit(account, old, new.clone()).await
        })
    }
}

impl Sqlite {
    /// Writes down that a renewal begins. `take` says whether room is taken for what comes of it; else it was, before.
    pub(super) async fn mark_begin(
        &self,
        account: &AccountId,
        token: SecretHash,
        take: bool,
    ) -> Result<RefreshMark, StoreError> {
        let (id, reserve) = (account.to_string(), Arc::clone(&self.reserve));
        let mark_it = move |tx: &Transaction<'_>| {
            provider_of(tx, &id)?.ok_or(StoreError::NoSuchAccount)?;
            if take {
                reserve.take()?;
            }
            let earlier = mark(tx, &id, token)?;
            let tries = earlier.map_or(0, |e| e.tries).saturating_add(1);
            tx.prepare_cached(
                "INSERT INTO refreshes (account, token_hash, started_at, tries) VALUES (?1, ?2, ?3, ?4) \
                 ON CONFLICT (account) DO UPDATE SET token_hash = excluded.token_hash, \
                 started_at = excluded.started_at, tries = excluded.tries",
            )?
            .execute(params![id, token.0, unix_now(), tries])?;
            remember(tx, &id, token)?;
            Ok(RefreshMark { earlier })
        };
        self.tokens.change_quietly(mark_it).await
    }

    async fn commit(
        &self,
        account: &AccountId,
        old: SecretHash,
        new: OauthTokens,
    ) -> Result<CommitOutcome, StoreError> {
        let (sealer, id) = (Arc::clone(&self.sealer), account.to_string());
        let work = move |tx: &Transaction<'_>| {
            let Some((provider, Credential::Oauth(stored))) = read(tx, &sealer, &id)? else {
                return Ok(CommitOutcome::Gone);
            };
            if stored.hash() != old {
                return Ok(CommitOutcome::Changed(stored));
            }
            replace(tx, &sealer, &provider, &id, &Credential::Oauth(new))?;
            Ok(CommitOutcome::Committed)
        };
        self.tokens.change(work).await
    }
}

/// The provider of an account, if the account is there.
pub(super) fn provider_of(connection: &Connection, account: &str) -> Outcome<Option<String>> {
    Ok(connection
        .prepare_cached("SELECT provider FROM accounts WHERE id = ?1")?
        .query_row([account], |row| row.get(0))
        .optional()?)
}

/// The columns that are sealed.
mod column {
    pub(super) const API_KEY: &str = "api_key";
    pub(super) const ACCESS: &str = "access";
    pub(super) const REFRESH: &str = "refresh";
    pub(super) const FACTS: &str = "facts";
}

/// The provider and the credential of an account.
fn read(connection: &Connection, sealer: &Sealer, account: &str) -> Outcome<Option<(String, Credential)>> {
    const SELECT: &str = "SELECT provider, api_key, access, refresh, secrets.expires_at, refresh_expires_at, \
         scopes, facts FROM secrets JOIN accounts ON accounts.id = secrets.account WHERE account = ?1";
    let mut statement = connection.prepare_cached(SELECT)?;
    let mut rows = statement.query([account])?;
    let Some(row) = rows.next()? else { return Ok(None) };

    let provider: String = row.get("provider")?;
    let open = |column: &'static str| -> Outcome<Option<Secret>> {
        let place = Place { provider: &provider, account, column };
        let value: Option<Vec<u8>> = row.get(column)?;
        Ok(value.map(|value| sealer.open(&value, place)).transpose()?)
    };
    let credential = if let Some(key) = open(column::API_KEY)? {
        Credential::ApiKey(key)
    } else {
        Credential::Oauth(OauthTokens {
            access: open(column::ACCESS)?.ok_or(Problem::Row)?,
            refresh: open(column::REFRESH)?,
            expires_at: row.get("expires_at")?,
            refresh_expires_at: row.get("refresh_expires_at")?,
            scopes: list(&row.get::<_, String>("scopes")?)?,
            facts: match open(column::FACTS)? {
                Some(json) => facts_of(&json)?,
                None => TokenFacts::new(),
            },
        })
    };
    Ok(Some((provider, credential)))
}

/// Replaces the credential of an account that is there, with all that hangs on it.
fn replace(
    connection: &Connection,
    sealer: &Sealer,
    provider: &str,
    account: &str,
    credential: &Credential,
) -> Outcome<()> {
    accounts::credential_changed(connection, account, credential)?;
    write(connection, sealer, provider, account, credential)?;
    clear_mark(connection, account)
}

/// Seals and writes a credential.
pub(super) fn write(
    connection: &Connection,
    sealer: &Sealer,
    provider: &str,
    account: &str,
    credential: &Credential,
) -> Outcome<()> {
    const UPSERT: &str = "INSERT INTO secrets \
         (account, api_key, access, refresh, expires_at, refresh_expires_at, scopes, facts) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
         ON CONFLICT (account) DO UPDATE SET api_key = excluded.api_key, access = excluded.access, \
         refresh = excluded.refresh, expires_at = excluded.expires_at, \
         refresh_expires_at = excluded.refresh_expires_at, scopes = excluded.scopes, facts = excluded.facts";
    let seal = |column, secret: &Secret| sealer.seal(secret.expose(), Place { provider, account, column });
    let mut statement = connection.prepare_cached(UPSERT)?;
    match credential {
        Credential::ApiKey(key) => statement.execute(params![
            account,
            seal(column::API_KEY, key)?,
            None::<Vec<u8>>,
            None::<Vec<u8>>,
            None::<i64>,
            None::<i64>,
            list_column(&[]),
            None::<Vec<u8>>,
        ])?,
        Credential::Oauth(tokens) => statement.execute(params![
            account,
            None::<Vec<u8>>,
            seal(column::ACCESS, &tokens.access)?,
            tokens.refresh.as_ref().map(|refresh| seal(column::REFRESH, refresh)).transpose()?,
            tokens.expires_at,
            tokens.refresh_expires_at,
            list_column(&tokens.scopes),
            facts_column(&tokens.facts)?.map(|facts| seal(column::FACTS, &facts)).transpose()?,
        ])?,
    };
    Ok(())
}

/// The facts as one text; nothing where there are none.
fn facts_column(facts: &TokenFacts) -> Outcome<Option<Secret>> {
    if facts.is_empty() {
        return Ok(None);
    }
    let plain: BTreeMap<&str, &str> = facts.iter().map(|(name, value)| (&**name, value.expose())).collect();
    Ok(Some(Secret::new(serde_json::to_string(&plain).map_err(|_| Problem::Row)?)))
}

fn facts_of(json: &Secret) -> Outcome<TokenFacts> {
    serde_json::from_str(json.expose()).map_err(|_| Problem::Row)
}

/// Remembers a token that is sent to be renewed, and forgets the oldest.
fn remember(connection: &Connection, account: &str, token: SecretHash) -> Outcome<()> {
    const ADD: &str = "INSERT INTO sent_tokens (account, token_hash, number) \
         SELECT ?1, ?2, coalesce(max(number), 0) + 1 FROM sent_tokens WHERE account = ?1 \
         ON CONFLICT (account, token_hash) DO UPDATE SET number = excluded.number";
    const FORGET: &str = "DELETE FROM sent_tokens WHERE account = ?1 AND token_hash IN \
         (SELECT token_hash FROM sent_tokens WHERE account = ?1 ORDER BY number DESC LIMIT -1 OFFSET ?2)";
    connection.prepare_cached(ADD)?.execute(params![account, token.0])?;
    connection.prepare_cached(FORGET)?.execute(params![account, REMEMBERED])?;
    Ok(())
}

fn mark(connection: &Connection, account: &str, token: SecretHash) -> Outcome<Option<EarlierRefresh>> {
    const SELECT: &str = "SELECT started_at, tries FROM refreshes WHERE account = ?1 AND token_hash = ?2";
    Ok(connection
        .prepare_cached(SELECT)?
        .query_row(params![account, token.0], |row| {
            Ok(EarlierRefresh { started_at: row.get(0)?, tries: row.get(1)? })
        })
        .optional()?)
}

/// Forgets refreshes that were begun, or have failed, with an earlier credential.
pub(super) fn clear_mark(connection: &Connection, account: &str) -> Outcome<()> {
    connection.prepare_cached("DELETE FROM refreshes WHERE account = ?1")?.execute([account])?;
    connection.prepare_cached("DELETE FROM troubles WHERE account = ?1")?.execute([account])?;
    Ok(())
}
