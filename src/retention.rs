//! Forgets request records that are older than the settings want.

use byok_config::Live;
use byok_store::Store;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio_util::sync::CancellationToken;

/// How often old records are looked for.
const EVERY: Duration = Duration::from_hours(1);
/// Milliseconds of a day.
const DAY: i64 = 24 * 60 * 60 * 1000;

/// Forgets old records at once and then every hour, until `stop`.
pub(crate) async fn keep(live: Live, store: Store, stop: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        let Some(before) = earliest(live.load().limits.record_days, SystemTime::now()) else { continue };
        match store.records.forget_before(before).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "old request records were forgotten (`limits.record_days`)"),
            Err(error) => tracing::debug!(%error, "old request records were not forgotten"),
        }
    }
}

/// The earliest time of arrival that is kept, Unix time in milliseconds; `None` if all are.
fn earliest(days: usize, now: SystemTime) -> Option<i64> {
    let days = i64::try_from(days).ok().filter(|days| *days > 0)?;
    let now = i64::try_from(now.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()?;
    now.checked_sub(days.checked_mul(DAY)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_back_from_now_and_zero_keeps_all() {
        let now = UNIX_EPOCH + Duration::from_hours(24 * 100);
        assert_eq!(earliest(90, now), Some(10 * DAY));
        assert_eq!(earliest(0, now), None);
        assert_eq!(earliest(usize::MAX, now), None);
    }
}
