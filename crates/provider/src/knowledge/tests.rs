use super::*;

fn window(name: &str, used: f64, resets_at: Option<i64>) -> Window {
    Window { name: name.to_owned(), used, resets_at, scope: None }
}

#[test]
fn the_last_word_of_each_limit_stays() {
    let known = Knowledge::default().of(&AccountId::new("a").unwrap());
    assert_eq!(known.windows(), None);
    known.told(vec![window("5 hours", 0.5, Some(200)), window("week", 0.1, Some(900))], 100);
    known.told(vec![window("5 hours", 0.6, Some(200))], 110);
    assert_eq!(
        known.windows(),
        Some((110, vec![window("5 hours", 0.6, Some(200)), window("week", 0.1, Some(900))]))
    );
    known.told(vec![window("week", 0.2, Some(900))], 300);
    assert_eq!(
        known.windows(),
        Some((300, vec![window("week", 0.2, Some(900))])),
        "a window that ended is gone"
    );
}

#[test]
fn an_empty_list_keeps_the_last_good_one() {
    let knowledge = Knowledge::default();
    let known = knowledge.of(&AccountId::new("a").unwrap());
    let list = vec![Discovered { id: "m".to_owned(), facts: Map::new() }];
    known.listed(list.clone());
    known.listed(Vec::new());
    known.listed(list.clone());
    assert_eq!((known.models(), knowledge.changes()), (list, 1));
}

#[test]
fn one_asks_and_the_others_wait() {
    let known = Known::default();
    let hour = Duration::from_hours(1);
    assert!(known.models_due(hour) && !known.models_due(hour) && known.models_due(Duration::ZERO));
    assert!(known.quota_due(hour) && !known.quota_due(hour));
}
