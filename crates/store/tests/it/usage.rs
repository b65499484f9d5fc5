//! The queue of the records.

use crate::support::{Home, account, id, loaded, oauth, record, told};
use rusqlite::Connection;
use std::time::Duration;

#[tokio::test]
async fn a_full_queue_drops_and_counts_and_never_waits() {
    let home = Home::new();
    let store = home.open();
    let blocker = Connection::open(home.path("usage.db")).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();

    let mut taken = 0;
    while store.records.push(record(taken)) {
        taken += 1;
        assert!(taken < 10_000, "the queue must have an end");
    }
    assert!(taken >= 8192, "only {taken} fitted");
    assert!(!store.records.push(record(-1)));
    assert_eq!(store.records.dropped(), 2);
    store.accounts.insert(account(1), oauth("1")).await.unwrap();
    assert_eq!(loaded(&store, &id("account-1")).await, Some(told(&oauth("1"))), "logins are not held up");

    blocker.execute_batch("ROLLBACK").unwrap();
    store.records.flush().await.unwrap();
    assert_eq!(store.records.dropped(), 2);
    let stored: Vec<_> =
        store.records.recent(usize::MAX).await.unwrap().into_iter().map(|row| row.at_ms).collect();
    assert!(stored.into_iter().eq((0..taken).rev()), "all that were taken are there, in order");
}

#[tokio::test]
async fn records_are_written_without_being_asked_for() {
    let home = Home::new();
    let store = home.open();
    store.records.push(record(1));
    let written = async {
        while store.records.recent(1).await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), written).await.unwrap();
}

#[tokio::test]
async fn a_dropped_store_still_writes_out_its_queue() {
    let home = Home::new();
    let store = home.open();
    for n in 0..250 {
        store.records.push(record(n));
    }
    drop(store);
    let next = home.open();
    let written = async {
        while next.records.recent(usize::MAX).await.unwrap().len() < 250 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), written).await.unwrap();
}

#[tokio::test]
async fn many_old_records_are_forgotten_and_new_ones_written_between() {
    let home = Home::new();
    let store = home.open();
    for n in 0..5000 {
        store.records.push(record(n));
    }
    store.records.flush().await.unwrap();
    let (forgotten, ()) = tokio::join!(store.records.forget_before(4999), async {
        store.records.push(record(5000));
        store.records.flush().await.unwrap();
    });
    assert_eq!(forgotten.unwrap(), 4999);
    let left: Vec<_> = store.records.recent(9).await.unwrap().into_iter().map(|row| row.at_ms).collect();
    assert_eq!(left, [5000, 4999]);
}

#[tokio::test]
async fn several_may_flush_at_once() {
    let home = Home::new();
    let store = home.open();
    let flushes: Vec<_> = (0..20)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move {
                for m in 0..50 {
                    store.records.push(record(n * 50 + m));
                }
                store.records.flush().await.unwrap();
                store.records.recent(usize::MAX).await.unwrap().iter().filter(|r| r.at_ms / 50 == n).count()
            })
        })
        .collect();
    for flush in flushes {
        assert_eq!(flush.await.unwrap(), 50, "after a flush one's own records are there");
    }
    assert_eq!(store.records.dropped(), 0);
}
