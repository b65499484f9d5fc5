use super::*;
use serde_json::Map;

fn window(name: &str, used: f64, resets_at: Option<i64>) -> Window {
    Window { name: name.to_owned(), used, resets_at, scope: None }
}

#[test]
fn the_last_word_of_each_limit_stays() {
    let known = Knowledge::default().of(&AccountId::new("a").unwrap(), "https://a");
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
    let known = knowledge.of(&AccountId::new("a").unwrap(), "https://a");
    let list = vec![Discovered::new("m", Map::new())];
    known.listed(list.clone());
    known.listed(Vec::new());
    known.listed(list.clone());
    assert_eq!((known.models(), knowledge.changes()), (list, 1));
}

#[test]
fn one_asks_and_the_others_wait() {
    let known = Known::default();
    let hour = Duration::from_hours(1);
    let due = |every| known.models_due(every, hour);
    assert!(due(hour) && !due(hour) && due(Duration::ZERO));
    known.lists_none();
    assert!(!due(Duration::ZERO), "who has no list is asked less often");
    known.listed(vec![Discovered::new("m", Map::new())]);
    assert!(due(Duration::ZERO), "until it has one");
    assert!(known.quota_due(hour) && !known.quota_due(hour));
    known.quota_not_asked();
    assert!(known.quota_due(hour), "who could not ask has not asked");
    known.models_not_asked();
    assert!(due(hour));
    assert!(known.plan_due(hour) && !known.plan_due(hour));
}

#[test]
fn another_mark_means_another_list() {
    let known = Known::default();
    let changed = ["a", "a", "b", "b", "a"].map(|mark| known.list_changed(mark));
    assert_eq!(changed, [false, false, true, false, true], "the first says nothing");
}

#[test]
fn the_last_word_on_an_account_is_found_at_whichever_address() {
    let (knowledge, id) = (Knowledge::default(), AccountId::new("a").unwrap());
    assert_eq!(knowledge.windows_of(&id), None);
    knowledge.of(&id, "https://a").told(vec![window("week", 0.1, None)], 100);
    knowledge.of(&id, "https://b").told(vec![window("week", 0.2, None)], 200);
    assert_eq!(knowledge.windows_of(&id), Some((200, vec![window("week", 0.2, None)])));
}

#[test]
fn an_endpoint_that_refused_a_model_is_kept_in_mind_until_the_next_list() {
    use Dialect::{Chat, Messages, Responses};
    let knowledge = Knowledge::default();
    let known = knowledge.of(&AccountId::new("a").unwrap(), "https://a");
    let vendors = [Responses, Messages, Chat];
    let now = |listed: &[Dialect]| elsewhere(listed, &vendors, &known.refused_at("m"));
    assert_eq!(now(&[Chat]), None, "nothing was refused");
    known.not_at("m", Chat);
    known.not_at("m", Chat);
    assert_eq!(knowledge.changes(), 1);
    assert_eq!(now(&[Chat]), Some(vec![Responses, Messages]));
    assert_eq!(now(&[Messages, Chat]), Some(vec![Messages, Responses]), "what is listed comes first");
    assert_eq!(now(&[Messages]), None, "it is not asked there");
    assert_eq!(elsewhere(&[Chat], &vendors, &known.refused_at("other")), None);
    known.not_at("m", Messages);
    known.not_at("m", Responses);
    assert_eq!(now(&[Chat]), None, "nothing is left");
    known.listed(vec![Discovered { included: true, ..Discovered::new("m", Map::new()) }]);
    assert!(known.refused_at("m").is_empty());
    assert_eq!(known.included(), Some(vec!["m".to_owned()]));
    assert_eq!(Known::default().included(), None);
}

#[test]
fn lists_of_models_are_input_like_any_other() {
    let known = Known::default();
    let ids = ["a", "b\u{1b}[2J", "a", &"x".repeat(513), "c"];
    known.listed(ids.iter().map(|id| Discovered::new(*id, Map::new())).collect());
    assert_eq!(known.models().iter().map(|model| model.id.as_str()).collect::<Vec<_>>(), ["a", "c"]);
    known.listed((0..3000).map(|n| Discovered::new(format!("m{n}"), Map::new())).collect());
    assert_eq!(known.models().len(), 2000);
}

#[test]
fn another_address_is_another_server() {
    let knowledge = Knowledge::default();
    let of = |base| knowledge.of(&AccountId::new("a").unwrap(), base);
    of("https://a").listed(vec![Discovered::new("m", Map::new())]);
    assert_eq!((of("https://a").models().len(), of("https://b").models().len()), (1, 0));
}
