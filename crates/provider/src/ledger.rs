//! One record for each request, written when its guard is dropped: also when the client leaves in the middle.

use byok_store::Records;
use byok_types::{
    AccountId, ClientKeyId, Dialect, Failure, Outcome, ProviderId, RequestId, RequestRecord, Usage,
};
use std::{sync::Arc, time::Instant};
use tokio::sync::OwnedSemaphorePermit;

/// What is known of a request when it arrives.
#[derive(Debug)]
pub struct Arrival {
    /// Id told to the client.
    pub id: RequestId,
    /// When it arrived.
    pub at: Instant,
    /// The same, Unix time in milliseconds.
    pub at_ms: i64,
    /// The client key that was shown.
    pub client_key: Option<ClientKeyId>,
    /// Dialect of the client.
    pub dialect: Dialect,
    /// A place among the requests that are answered at the same time.
    pub place: Option<OwnedSemaphorePermit>,
}

/// The record of a request in the making. Dropping it writes the record; until something better is known it says that the
/// client went away.
pub struct Ledger {
    record: RequestRecord,
    started: Instant,
    records: Arc<dyn Records>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Ledger {
    /// Begins the record of a request.
    pub fn begin(arrival: Arrival, model: &str, records: Arc<dyn Records>) -> Self {
        let record = RequestRecord {
            at_ms: arrival.at_ms,
            id: arrival.id,
            client_key: arrival.client_key,
            dialect: arrival.dialect,
            upstream_dialect: None,
            model_asked: model.chars().take(256).collect(),
            model_served: None,
            provider: None,
            account: None,
            attempts: 0,
            stream: false,
            status: 499,
            outcome: Outcome::Cancelled,
            error: None,
            first_byte_ms: None,
            total_ms: 0,
            usage: Usage::default(),
        };
        Self { record, started: arrival.at, records, _place: arrival.place }
    }

    /// Id of the request.
    pub fn id(&self) -> &str {
        self.record.id.as_str()
    }

    /// The provider that was called last.
    pub fn provider(&self) -> Option<&str> {
        self.record.provider.as_ref().map(ProviderId::as_str)
    }

    /// The credential of the last call.
    pub fn account(&self) -> Option<&AccountId> {
        self.record.account.as_ref()
    }

    /// The provider and the model that were called last.
    pub fn served(&self) -> Option<String> {
        Some(format!("{}/{}", self.record.provider.as_ref()?, self.record.model_served.as_deref()?))
    }

    /// How many upstream calls were made so far.
    pub fn attempts(&self) -> u32 {
        self.record.attempts
    }

    /// The model was understood.
    pub fn asked(&mut self, model: &str, stream: bool) {
        self.record.model_asked = model.chars().take(256).collect();
        self.record.stream = stream;
    }

    /// An upstream call begins.
    pub fn attempt(&mut self, provider: &ProviderId, account: &AccountId, dialect: Dialect, model: &str) {
        self.record.attempts += 1;
        self.record.provider = Some(provider.clone());
        self.record.account = Some(account.clone());
        self.record.upstream_dialect = Some(dialect);
        self.record.model_served = (!model.is_empty()).then(|| model.to_owned());
    }

    /// The answer begins.
    pub fn first_byte(&mut self, status: u16) {
        self.record.status = status;
        self.record.first_byte_ms.get_or_insert(millis(self.started));
    }

    /// Token counts were stated.
    pub fn usage(&mut self, usage: Usage) {
        self.record.usage = usage;
    }

    /// The answer was delivered whole.
    pub fn complete(&mut self) {
        if self.record.outcome == Outcome::Cancelled {
            self.record.outcome = Outcome::Complete;
        }
    }

    /// The answer is or ends in an error.
    pub fn failed(&mut self, failure: &Failure, status: u16) {
        self.record.status = status;
        self.record.outcome = Outcome::Failed;
        self.record.error = Some(format!("{:?}", failure.kind));
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.record.total_ms = millis(self.started);
        let record = &self.record;
        tracing::info!(
            request = record.id.as_str(),
            dialect = record.dialect.name(),
            model = record.model_asked,
            served = record.model_served.as_deref().unwrap_or("-"),
            provider = record.provider.as_ref().map_or("-", |p| p.as_str()),
            attempts = record.attempts,
            status = record.status,
            outcome = record.outcome.name(),
            error = record.error.as_deref().unwrap_or("-"),
            first_byte_ms = record.first_byte_ms,
            total_ms = record.total_ms,
            input_tokens = record.usage.input,
            output_tokens = record.usage.output,
            "request"
        );
        self.records.push(record.clone());
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
