//! Work on large bodies, kept from standing in the way of other requests.

use std::{num::NonZero, sync::Arc, thread};
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::Semaphore,
    task::block_in_place,
};

/// A body up to this size is worked on at once: it takes a few milliseconds.
const SMALL: usize = 256 << 10;

/// Lets large bodies have one half of the processor at most, one after the other, and the threads of the runtime have the rest.
/// Clones share their turns.
#[derive(Clone, Debug)]
pub(super) struct Aside(Arc<Semaphore>);

impl Default for Aside {
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        Self(Arc::new(Semaphore::new((cores / 2).max(1))))
    }
}

impl Aside {
    /// Does `work` on a body of so many bytes. Whoever is dropped while it waits for its turn leaves nothing behind: nothing is
    /// queued but the caller itself.
    pub(super) async fn run<T>(&self, bytes: usize, work: impl FnOnce() -> T) -> T {
        if bytes <= SMALL {
            return work();
        }
        // It is never closed; without a turn the work would be done all the same.
        let _turn = self.0.acquire().await;
        match Handle::current().runtime_flavor() {
            RuntimeFlavor::MultiThread => block_in_place(work),
            // With one thread alone (in tests) there is none to go on with the others.
            _ => work(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn others_go_on_while_a_large_body_is_worked_on() {
        let (told, heard) = std::sync::mpsc::channel();
        let other = tokio::spawn(async move { told.send(()) });
        // Were the only thread of the runtime kept, the other would never be heard.
        Aside::default().run(SMALL + 1, move || heard.recv()).await.unwrap();
        other.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn turns_are_taken_and_those_who_left_are_not_waited_for() {
        let aside = Aside(Arc::new(Semaphore::new(1)));
        let turn = aside.0.clone().acquire_owned().await.unwrap();
        assert_eq!(aside.run(SMALL, || 1).await, 1, "small bodies do not wait");
        let mut left = Box::pin(aside.run(SMALL + 1, || panic!("nobody waits for this")));
        let mut stays = Box::pin(aside.run(SMALL + 1, || 2));
        assert!((&mut left).now_or_never().is_none() && (&mut stays).now_or_never().is_none());
        drop(left);
        drop(turn);
        assert_eq!(stays.await, 2);
    }
}
