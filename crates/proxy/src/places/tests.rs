use super::*;

/// Lets the tasks that were spawned run.
async fn settle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_number_follows_the_settings() {
    let places = Places::new(2);
    let mut taken: Vec<_> = std::iter::from_fn(|| places.try_take()).collect();
    assert_eq!(taken.len(), 2);
    places.resize(4);
    taken.extend(std::iter::from_fn(|| places.try_take()));
    assert_eq!(taken.len(), 4, "more at once");
    places.resize(1);
    settle().await;
    taken.truncate(1);
    settle().await;
    assert!(places.try_take().is_none(), "the last one is still taken");
    taken.clear();
    settle().await;
    let last = places.try_take();
    assert!(last.is_some());
    assert!(places.try_take().is_none(), "there is only one now");
    places.resize(2);
    settle().await;
    assert!(places.take().await.is_some());
}
