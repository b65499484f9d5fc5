//! The table of request records.

use crate::sqlite::problem::{Outcome, Problem};
use byok_types::{
    AccountId, ClientKeyId, Dialect, Outcome as End, ProviderId, RequestId, RequestRecord, Usage,
};
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, named_params};

/// Writes all or none.
pub(super) fn insert(connection: &mut Connection, records: &[RequestRecord]) -> Outcome<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for record in records {
        insert_one(&transaction, record)?;
    }
    Ok(transaction.commit()?)
}

fn insert_one(connection: &Connection, record: &RequestRecord) -> Outcome<()> {
    const INSERT: &str = "INSERT INTO requests (at_ms, id, client_key, dialect, upstream_dialect, model_asked, \
         model_served, provider, account, attempts, stream, status, outcome, error, first_byte_ms, total_ms, \
         input, cache_read, cache_write, cache_write_short, cache_write_long, output, reasoning, input_audio, \
         output_audio, tool_input, accepted_prediction, rejected_prediction, web_searches, web_fetches, \
         service_tier, estimated) \
         VALUES (:at_ms, :id, :client_key, :dialect, :upstream_dialect, :model_asked, \
         :model_served, :provider, :account, :attempts, :stream, :status, :outcome, :error, :first_byte_ms, \
         :total_ms, :input, :cache_read, :cache_write, :cache_write_short, :cache_write_long, :output, \
         :reasoning, :input_audio, :output_audio, :tool_input, :accepted_prediction, :rejected_prediction, \
         :web_searches, :web_fetches, :service_tier, :estimated)";
    let usage = &record.usage;
    connection.prepare_cached(INSERT)?.execute(named_params! {
        ":at_ms": record.at_ms,
        ":id": record.id.as_str(),
        ":client_key": record.client_key.as_ref().map(ClientKeyId::as_str),
        ":dialect": record.dialect.name(),
        ":upstream_dialect": record.upstream_dialect.map(Dialect::name),
        ":model_asked": record.model_asked,
        ":model_served": record.model_served,
        ":provider": record.provider.as_ref().map(ProviderId::as_str),
        ":account": record.account.as_ref().map(AccountId::as_str),
        ":attempts": record.attempts,
        ":stream": record.stream,
        ":status": record.status,
        ":outcome": record.outcome.name(),
        ":error": record.error,
        ":first_byte_ms": record.first_byte_ms.map(integer),
        ":total_ms": integer(record.total_ms),
        ":input": usage.input.map(integer),
        ":cache_read": usage.cache_read.map(integer),
        ":cache_write": usage.cache_write.map(integer),
        ":cache_write_short": usage.cache_write_short.map(integer),
        ":cache_write_long": usage.cache_write_long.map(integer),
        ":output": usage.output.map(integer),
        ":reasoning": usage.reasoning.map(integer),
        ":input_audio": usage.input_audio.map(integer),
        ":output_audio": usage.output_audio.map(integer),
        ":tool_input": usage.tool_input.map(integer),
        ":accepted_prediction": usage.accepted_prediction.map(integer),
        ":rejected_prediction": usage.rejected_prediction.map(integer),
        ":web_searches": usage.web_searches.map(integer),
        ":web_fetches": usage.web_fetches.map(integer),
        ":service_tier": usage.service_tier,
        ":estimated": usage.estimated,
    })?;
    Ok(())
}

/// Deletes records of requests before a time, the oldest first, `most` at the most; how many those were.
pub(super) fn forget(connection: &mut Connection, before: i64, most: usize) -> Outcome<usize> {
    const DELETE: &str = "DELETE FROM requests WHERE number IN \
         (SELECT number FROM requests WHERE at_ms < ?1 ORDER BY at_ms LIMIT ?2)";
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    Ok(connection.prepare_cached(DELETE)?.execute([before, most])?)
}

/// The newest records, the newest first.
pub(super) fn recent(connection: &Connection, limit: usize) -> Outcome<Vec<RequestRecord>> {
    connection
        .prepare_cached("SELECT * FROM requests ORDER BY at_ms DESC, number DESC LIMIT ?1")?
        .query_and_then([i64::try_from(limit).unwrap_or(i64::MAX)], record)?
        .collect()
}

/// Reads at both ends of the table and of its index.
pub(super) fn probe(connection: &Connection) -> Outcome<()> {
    for query in [
        "SELECT * FROM requests ORDER BY number LIMIT 1",
        "SELECT * FROM requests ORDER BY number DESC LIMIT 1",
        "SELECT at_ms FROM requests ORDER BY at_ms LIMIT 1",
        "SELECT at_ms FROM requests ORDER BY at_ms DESC LIMIT 1",
    ] {
        connection.query_row(query, [], |_| Ok(())).optional()?;
    }
    Ok(())
}

fn record(row: &Row<'_>) -> Outcome<RequestRecord> {
    let text = |column: &str| row.get::<_, Option<String>>(column);
    let count = |column: &str| -> Outcome<Option<u64>> {
        row.get::<_, Option<i64>>(column)?.map(u64::try_from).transpose().map_err(|_| Problem::Row)
    };
    let dialect = |column: &str| -> Outcome<Option<Dialect>> {
        text(column)?.map(|name| name.parse()).transpose().map_err(|_| Problem::Row)
    };
    Ok(RequestRecord {
        at_ms: row.get("at_ms")?,
        id: RequestId::new(row.get::<_, String>("id")?).map_err(|_| Problem::Row)?,
        client_key: text("client_key")?.map(ClientKeyId::new).transpose().map_err(|_| Problem::Row)?,
        dialect: dialect("dialect")?.ok_or(Problem::Row)?,
        upstream_dialect: dialect("upstream_dialect")?,
        model_asked: row.get("model_asked")?,
        model_served: row.get("model_served")?,
        provider: text("provider")?.map(ProviderId::new).transpose().map_err(|_| Problem::Row)?,
        account: text("account")?.map(AccountId::new).transpose().map_err(|_| Problem::Row)?,
        attempts: row.get("attempts")?,
        stream: row.get("stream")?,
        status: row.get("status")?,
        outcome: end(&row.get::<_, String>("outcome")?)?,
        error: row.get("error")?,
        first_byte_ms: count("first_byte_ms")?,
        total_ms: count("total_ms")?.ok_or(Problem::Row)?,
        usage: Usage {
            input: count("input")?,
            cache_read: count("cache_read")?,
            cache_write: count("cache_write")?,
            cache_write_short: count("cache_write_short")?,
            cache_write_long: count("cache_write_long")?,
            output: count("output")?,
            reasoning: count("reasoning")?,
            input_audio: count("input_audio")?,
            output_audio: count("output_audio")?,
            tool_input: count("tool_input")?,
            accepted_prediction: count("accepted_prediction")?,
            rejected_prediction: count("rejected_prediction")?,
            web_searches: count("web_searches")?,
            web_fetches: count("web_fetches")?,
            service_tier: row.get("service_tier")?,
            estimated: row.get("estimated")?,
        },
    })
}

fn end(name: &str) -> Outcome<End> {
    [End::Complete, End::Cancelled, End::Failed]
        .into_iter()
        .find(|end| end.name() == name)
        .ok_or(Problem::Row)
}

/// `SQLite` has no unsigned integers. No true count comes near the limit.
fn integer(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
