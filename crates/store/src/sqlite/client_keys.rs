use super::{
    Sqlite,
    accounts::{list, list_column},
    problem::{Outcome, Problem},
};
use crate::{ClientKeyRow, ClientKeys, StoreError, StoreFuture, store::unix_now};
use byok_types::{ClientKeyId, SecretHash};
use rusqlite::{Connection, Row, params};
use std::{collections::HashMap, sync::Arc};

impl ClientKeys for Sqlite {
    fn list(&self) -> StoreFuture<'_, Vec<ClientKeyRow>> {
        Box::pin(async move { Ok(self.tokens.read(|transaction| rows(transaction)).await?.0) })
    }

    fn insert(&self, row: ClientKeyRow) -> StoreFuture<'_, ()> {
        Box::pin(self.tokens.change(move |transaction| {
            let taken = transaction
                .prepare_cached("SELECT 1 FROM client_keys WHERE id = ?1 OR hash = ?2")?
                .exists(params![row.id.as_str(), row.hash.0])?;
            if taken { Err(StoreError::ClientKeyTaken.into()) } else { write(transaction, &row) }
        }))
    }

    fn find<'a>(&'a self, hash: &'a SecretHash) -> StoreFuture<'a, Option<ClientKeyRow>> {
        Box::pin(async move {
            if let Some(keys) = self.keys.get(&(), self.tokens.recent_generation()) {
                return Ok(keys.get(hash).cloned());
            }
            // All at once: a guess must not cost a read of the database each time.
            let (rows, generation) = self.tokens.read(|transaction| rows(transaction)).await?;
            let keys: HashMap<_, _> = rows.into_iter().map(|row| (row.hash, row)).collect();
            let keys = Arc::new(keys);
            self.keys.put(generation, [((), Arc::clone(&keys))]);
            Ok(keys.get(hash).cloned())
        })
    }

    fn revoke<'a>(&'a self, id: &'a ClientKeyId) -> StoreFuture<'a, bool> {
        const REVOKE: &str = "UPDATE client_keys SET revoked_at = coalesce(revoked_at, ?2) WHERE id = ?1";
        let id = id.to_string();
        Box::pin(self.tokens.change(move |transaction| {
            Ok(transaction.prepare_cached(REVOKE)?.execute(params![id, unix_now()])? > 0)
        }))
    }
}

fn rows(connection: &Connection) -> Outcome<Vec<ClientKeyRow>> {
    connection
        .prepare_cached(
            "SELECT id, hash, label, user, groups, models, limits, expires_at, created_at, revoked_at, debug \
             FROM client_keys ORDER BY created_at, id",
        )?
        .query_and_then([], row)?
        .collect()
}

fn row(row: &Row<'_>) -> Outcome<ClientKeyRow> {
    let text = |column: &str| row.get::<_, String>(column);
    Ok(ClientKeyRow {
        id: ClientKeyId::new(text("id")?).map_err(|_| Problem::Row)?,
        hash: SecretHash(row.get("hash")?),
        label: text("label")?,
        user: row.get("user")?,
        groups: list(&text("groups")?)?,
        models: list(&text("models")?)?,
        limits: row.get("limits")?,
        expires_at: row.get("expires_at")?,
        created_at: row.get("created_at")?,
        revoked_at: row.get("revoked_at")?,
        debug: row.get("debug")?,
    })
}

fn write(connection: &Connection, row: &ClientKeyRow) -> Outcome<()> {
    connection
        .prepare_cached(
            "INSERT INTO client_keys \
             (id, hash, label, user, groups, models, limits, expires_at, created_at, revoked_at, debug) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            row.id.as_str(),
            row.hash.0,
            row.label,
            row.user,
            list_column(&row.groups),
            list_column(&row.models),
            row.limits,
            row.expires_at,
            row.created_at,
            row.revoked_at,
            row.debug,
        ])?;
    Ok(())
}
