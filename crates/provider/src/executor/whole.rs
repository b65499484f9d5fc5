//! The body of an answer that is there whole.

use crate::ledger::Ledger;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

/// A large answer leaves in pieces: the connection takes the next one when the client has taken most of those before.
const PIECE: usize = 64 << 10;

/// An answer that is there whole. What is attached to it lasts until its last piece has left.
#[derive(Default)]
pub struct WholeBody {
    left: Bytes,
    ledger: Option<Box<Ledger>>,
}

impl WholeBody {
    /// The bytes that have not left yet.
    pub const fn bytes(&self) -> &Bytes {
        &self.left
    }

    /// Attaches the record that is written when the answer has left.
    pub(super) fn recorded_by(&mut self, mut ledger: Ledger) {
        if self.left.is_empty() {
            ledger.complete();
        }
        self.ledger = Some(Box::new(ledger));
    }
}

impl From<Bytes> for WholeBody {
    fn from(left: Bytes) -> Self {
        Self { left, ledger: None }
    }
}

impl From<Vec<u8>> for WholeBody {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl std::fmt::Debug for WholeBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WholeBody")
    }
}

impl Body for WholeBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        let most = self.left.len().min(PIECE);
        let piece = self.left.split_to(most);
        let last = self.left.is_empty();
        if let Some(ledger) = self.ledger.as_mut().filter(|_| last) {
            ledger.complete();
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Arrival;
    use byok_store::Store;
    use byok_types::{Dialect, Outcome, RequestId};
    use std::{sync::Arc, task::Waker, time::Instant};
    use tokio::sync::Semaphore;

    fn body(bytes: usize, store: &Store, places: &Arc<Semaphore>) -> WholeBody {
        let arrival = Arrival {
            id: RequestId::new("r").unwrap(),
            at: Instant::now(),
            at_ms: 0,
            client_key: None,
            dialect: Dialect::Chat,
            place: places.clone().try_acquire_owned().ok(),
        };
        let mut body = WholeBody::from(vec![b'x'; bytes]);
        body.recorded_by(Ledger::begin(arrival, "m", store.records.clone()));
        body
    }

    async fn outcomes(store: &Store) -> Vec<Outcome> {
        let records = store.records.recent(9).await.unwrap();
        records.iter().rev().map(|record| record.outcome).collect()
    }

    fn next(body: &mut WholeBody) -> usize {
        let mut cx = Context::from_waker(Waker::noop());
        match Pin::new(body).poll_frame(&mut cx) {
            Poll::Ready(Some(Ok(frame))) => frame.into_data().unwrap().len(),
            _ => 0,
        }
    }

    #[tokio::test]
    async fn an_answer_is_recorded_and_its_place_free_when_it_has_left() {
        let (store, places) = (Store::memory(), Arc::new(Semaphore::new(1)));
        let mut whole = body(PIECE + 1, &store, &places);
        assert_eq!((next(&mut whole), whole.is_end_stream()), (PIECE, false));
        assert_eq!((outcomes(&store).await, places.available_permits()), (vec![], 0));
        assert_eq!((next(&mut whole), whole.is_end_stream()), (1, true));
        assert_eq!(places.available_permits(), 0);
        drop(whole);
        assert_eq!((outcomes(&store).await, places.available_permits()), (vec![Outcome::Complete], 1));
    }

    #[tokio::test]
    async fn a_client_that_leaves_before_the_end_has_cancelled() {
        let (store, places) = (Store::memory(), Arc::new(Semaphore::new(2)));
        drop(body(1, &store, &places));
        let mut half = body(PIECE + 1, &store, &places);
        next(&mut half);
        drop(half);
        drop(body(0, &store, &places));
        assert_eq!(outcomes(&store).await, [Outcome::Cancelled, Outcome::Cancelled, Outcome::Complete]);
    }
}
