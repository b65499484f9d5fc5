use super::*;

fn key(owner: &str, id: &str) -> Key {
    (ClientKeyId::new(owner).ok(), id.to_owned())
}

fn kept(bytes: usize, at: Instant) -> Kept {
    Kept { response: "x".repeat(bytes), input: String::new(), output: String::new(), at }
}

#[test]
fn a_shelf_is_bounded_in_bytes_and_time_and_keeps_owners_apart() {
    let shelf = Shelf::default();
    let bounds = Bounds { bytes: 100, count: 3, ttl: Duration::from_mins(1) };
    let now = Instant::now();
    let has = |owner: &str, id: &str| shelf.get(&key(owner, id), bounds).is_some();

    shelf.put(key("a", "1"), kept(40, now), bounds);
    shelf.put(key("b", "1"), kept(40, now), bounds);
    assert!(has("a", "1") && has("b", "1") && !has("c", "1") && !has("a", "2"));

    shelf.put(key("a", "2"), kept(40, now), bounds);
    assert!(!has("a", "1") && has("b", "1") && has("a", "2"), "the oldest goes");

    shelf.put(key("b", "1"), kept(10, now), bounds);
    shelf.put(key("b", "2"), kept(50, now), bounds);
    assert!(has("a", "2") && has("b", "1") && has("b", "2"), "what is replaced counts once");

    shelf.put(key("a", "3"), kept(101, now), bounds);
    assert!(!has("a", "3") && has("b", "2"), "larger than all together may be");
    assert_eq!(shelf.0.lock().bytes, 100);
    shelf.clear();

    for id in ["1", "2", "3", "4"] {
        shelf.put(key("c", id), kept(1, now), bounds);
    }
    assert!(!has("c", "1") && has("c", "2") && has("c", "4"), "no more than three");
    shelf.clear();

    let old = now.checked_sub(Duration::from_secs(61)).unwrap();
    shelf.put(key("a", "4"), kept(1, old), bounds);
    shelf.put(key("a", "5"), kept(1, now), bounds);
    assert!(!has("a", "4") && has("a", "5"), "its time is over");

    shelf.put(key("b", "4"), kept(1, now), bounds);
    shelf.expire(Bounds { count: 1, ..bounds }, now);
    assert!(!shelf.0.lock().kept.contains_key(&key("a", "5")), "fewer are kept now");
    shelf.put(key("a", "5"), kept(1, now), bounds);
    shelf.expire(bounds, now + bounds.ttl);
    assert_eq!(shelf.0.lock().bytes, 0, "their time is over, and nobody asked");
    shelf.put(key("a", "5"), kept(1, now), bounds);

    assert!(!shelf.remove(&key("b", "5")) && shelf.remove(&key("a", "5")) && !has("a", "5"));
    let inner = shelf.0.lock();
    assert_eq!((inner.bytes, inner.order.len(), inner.kept.len()), (0, 0, 0));
}
