use super::*;

#[test]
fn values_are_given_only_for_their_generation() {
    let cache = Cache::new();
    assert_eq!(cache.get(&1, 0), None);
    cache.put(5, [(1, "a")]);
    cache.put(5, [(2, "b")]);
    assert_eq!((cache.get(&1, 5), cache.get(&2, 5)), (Some("a"), Some("b")));
    assert_eq!((cache.get(&1, 4), cache.get(&1, 6)), (None, None));

    cache.put(6, [(1, "new")]);
    assert_eq!((cache.get(&1, 6), cache.get(&2, 6)), (Some("new"), None));
}

#[test]
fn a_slow_reader_brings_nothing_back() {
    let cache = Cache::new();
    cache.put(6, [(1, "new")]);
    cache.put(5, [(1, "old"), (2, "old")]);
    assert_eq!((cache.get(&1, 6), cache.get(&2, 6), cache.get(&1, 5)), (Some("new"), None, None));
}
