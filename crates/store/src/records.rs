use crate::StoreFuture;
use byok_types::RequestRecord;

/// The request records: one row per request.
///
/// Nothing that goes wrong here fails a request. What cannot be stored is dropped and counted.
pub trait Records: Send + Sync {
    /// Puts a record into the queue; `false` if the queue was full and the record was dropped.
    ///
    /// Never waits for anything, so that it may be called from `Drop`.
    fn push(&self, record: RequestRecord) -> bool;

    /// Waits until every record pushed so far is stored or counted as dropped.
    fn flush(&self) -> StoreFuture<'_, ()>;

    /// Forgets the records of requests that arrived before `at_ms`, Unix time in milliseconds; how many those were.
    fn forget_before(&self, at_ms: i64) -> StoreFuture<'_, usize>;

    /// How many records this process has dropped, because the queue was full or the disk refused them.
    fn dropped(&self) -> u64;

    /// The newest stored records, the newest first. What is still queued is not among them.
    fn recent(&self, limit: usize) -> StoreFuture<'_, Vec<RequestRecord>>;
}

/// Longest model name that is stored, in bytes. A client writes what it likes; the table does not grow with it.
const MAX_MODEL_BYTES: usize = 256;

/// Cuts the texts that a client controls.
pub(crate) fn trim(record: &mut RequestRecord) {
    cut(&mut record.model_asked);
    if let Some(model) = &mut record.model_served {
        cut(model);
    }
}

fn cut(text: &mut String) {
    if text.len() > MAX_MODEL_BYTES {
        text.truncate(text.floor_char_boundary(MAX_MODEL_BYTES));
        text.shrink_to_fit();
    }
}
