//! Places that can be taken, as many as the settings say now.

use parking_lot::Mutex;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A number of places that can change while they are taken.
#[derive(Debug)]
pub(crate) struct Places {
    free: Arc<Semaphore>,
    size: Mutex<usize>,
}

impl Places {
    pub(crate) fn new(size: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(size)), size: Mutex::new(size) }
    }

    /// Takes over another number. If there are fewer now, those who have a place keep it, and nobody gets one until as many
    /// as were taken away have been given back.
    pub(crate) fn resize(&self, size: usize) {
        let mut old = self.size.lock();
        let (more, fewer) = (size.saturating_sub(*old), old.saturating_sub(size));
        *old = size;
        self.free.add_permits(more);
        if let Some(fewer) = u32::try_from(fewer).ok().filter(|fewer| *fewer > 0) {
            let free = self.free.clone();
            // The semaphore is fair: this one is served before all who come later.
            tokio::spawn(async move {
                if let Ok(places) = free.acquire_many_owned(fewer).await {
                    places.forget();
                }
            });
        }
    }

    /// A place, if one is free.
    pub(crate) fn try_take(&self) -> Option<OwnedSemaphorePermit> {
        self.free.clone().try_acquire_owned().ok()
    }

    /// A place as soon as one is free; `None` never comes while the server runs.
    pub(crate) async fn take(&self) -> Option<OwnedSemaphorePermit> {
        self.free.clone().acquire_owned().await.ok()
    }
}

#[cfg(test)]
mod tests;
