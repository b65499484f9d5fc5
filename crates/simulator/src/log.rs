//! The request log: what arrived, as it arrived.

use byok_types::Dialect;
use bytes::Bytes;
use http::{HeaderMap, Method, Version};
use parking_lot::Mutex;
use std::{collections::VecDeque, time::Instant};
use tokio::sync::watch;

/// HTTP version by which a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// HTTP/1.x.
    Http1,
    /// HTTP/2.
    Http2,
}

impl From<Version> for Via {
    fn from(version: Version) -> Self {
        if version == Version::HTTP_2 { Self::Http2 } else { Self::Http1 }
    }
}

/// A request as the simulator saw it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Method.
    pub method: Method,
    /// Path, without the query.
    pub path: String,
    /// Query, without the question mark; empty if there was none.
    pub query: String,
    /// Headers, credentials included: this is a test tool.
    pub headers: HeaderMap,
    /// Body, byte for byte.
    pub body: Bytes,
    /// Dialect of the path; `None` for token endpoints, `/v1/models` and unknown paths.
    pub dialect: Option<Dialect>,
    /// HTTP version.
    pub via: Via,
    /// When it was complete.
    pub at: Instant,
}

impl Seen {
    /// The value of a header as text, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON; `null` if it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// The last requests and how many there were.
pub(crate) struct RequestLog {
    seen: Mutex<VecDeque<Seen>>,
    capacity: usize,
    count: watch::Sender<u64>,
}

impl RequestLog {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { seen: Mutex::default(), capacity, count: watch::channel(0).0 }
    }

    pub(crate) fn push(&self, seen: Seen) {
        if self.capacity > 0 {
            let mut log = self.seen.lock();
            if log.len() == self.capacity {
                log.pop_front();
            }
            log.push_back(seen);
        }
        self.count.send_modify(|count| *count += 1);
    }

    /// Counts a request without keeping it.
    pub(crate) fn count_only(&self) {
        self.count.send_modify(|count| *count += 1);
    }

    pub(crate) fn all(&self) -> Vec<Seen> {
        self.seen.lock().iter().cloned().collect()
    }

    pub(crate) fn clear(&self) {
        self.seen.lock().clear();
    }

    pub(crate) fn count(&self) -> u64 {
        *self.count.borrow()
    }

    /// Waits until at least `wanted` requests have arrived since the start.
    pub(crate) async fn reached(&self, wanted: u64) {
        // The sender lives in `self`, so this cannot fail.
        let _ = self.count.subscribe().wait_for(|count| *count >= wanted).await;
    }
}
