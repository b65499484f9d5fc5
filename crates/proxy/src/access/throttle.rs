use parking_lot::Mutex;
use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, Instant},
};

/// Counts wrong keys by address, so that nobody can try them at leisure.
#[derive(Debug, Default)]
pub(crate) struct Throttle(Mutex<HashMap<IpAddr, (Instant, u32)>>);

/// Span in which wrong keys are counted.
const SPAN: Duration = Duration::from_mins(1);
/// Most addresses remembered.
const ADDRESSES: usize = 4096;

impl Throttle {
    /// How long `address` has to wait, if it showed too many wrong keys.
    pub(crate) fn blocked(&self, address: IpAddr, limit: usize, now: Instant) -> Option<Duration> {
        let counts = self.0.lock();
        let (since, count) = counts.get(&address)?;
        let left = (*since + SPAN).checked_duration_since(now)?;
        (*count as usize >= limit).then_some(left)
    }

    /// `address` showed a wrong key.
    pub(crate) fn wrong(&self, address: IpAddr, now: Instant) {
        let mut counts = self.0.lock();
        if counts.len() >= ADDRESSES {
            counts.retain(|_, (since, _)| now.duration_since(*since) < SPAN);
        }
        let entry = counts.entry(address).or_insert((now, 0));
        if now.duration_since(entry.0) >= SPAN {
            *entry = (now, 0);
        }
        entry.1 = entry.1.saturating_add(1);
    }
}
