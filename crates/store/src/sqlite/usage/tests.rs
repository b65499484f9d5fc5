use super::*;
use byok_types::{Dialect, RequestId, Usage};

pub(super) fn record(at_ms: i64) -> RequestRecord {
    RequestRecord {
        at_ms,
        id: RequestId::new("r").unwrap(),
        client_key: None,
        dialect: Dialect::Chat,
        upstream_dialect: None,
        model_asked: "m".to_owned(),
        model_served: None,
        provider: None,
        account: None,
        attempts: 1,
        stream: false,
        status: 200,
        outcome: byok_types::Outcome::Complete,
        error: None,
        first_byte_ms: None,
        total_ms: 1,
        usage: Usage::default(),
    }
}

pub(super) fn records(count: i64) -> Vec<RequestRecord> {
    (0..count).map(record).collect()
}

#[test]
fn batches_are_bounded_and_nobody_waits_for_a_full_one_at_the_end() {
    let shared = Shared::default();
    let push = |count: i64| {
        let mut queue = shared.queue.lock();
        queue.records.extend(records(count));
        queue.pushed += u64::try_from(count).unwrap();
    };
    push(250);
    assert_eq!(shared.next_batch().map(|batch| batch.len()), Some(100));
    assert_eq!(shared.next_batch().map(|batch| batch.len()), Some(100));
    assert_eq!(shared.next_batch().map(|batch| batch.len()), Some(50), "after a quarter of a second");

    let (done, mut answer) = oneshot::channel();
    shared.queue.lock().flushes.push(Flush { until: 250, tidy: false, done });
    assert_eq!(
        shared.next_batch().map(|batch| batch.len()),
        Some(0),
        "to tell that there is nothing to wait for"
    );
    assert!(shared.settle(249).is_empty());
    answer.try_recv().unwrap_err();
    for flush in shared.settle(1) {
        flush.done.send(()).unwrap();
    }
    answer.try_recv().unwrap();

    push(1);
    shared.queue.lock().closing = true;
    assert_eq!(shared.next_batch().map(|batch| batch.len()), Some(1));
    assert_eq!(shared.next_batch(), None);
}
