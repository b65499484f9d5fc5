use super::*;
use crate::upstream::{Line, Scope, Verdict};
use byok_types::{Blame, FailureKind};

fn seat(id: &str, models: &[&str], prefix: Option<&str>) -> Arc<Seat> {
    Arc::new(Seat {
        known: Arc::default(),
        addresses: Addresses::default(),
        id: AccountId::new(id).unwrap(),
        label: id.to_owned(),
        access: Access::Key(Secret::new("k")),
        base: String::new(),
        hosts: Arc::default(),
        proxy: None,
        headers: HeaderMap::new(),
        models: models.iter().map(|m| (*m).to_owned()).collect(),
        of_others: Vec::new(),
        exclude: Vec::new(),
        prefix: prefix.map(str::to_owned),
        share: None,
        claims: Vec::new(),
        health: Arc::default(),
    })
}

fn names(offer: &Offer) -> Vec<&str> {
    offer.seats.iter().map(|s| s.id.as_str()).collect()
}

#[test]
fn seats_come_in_order_and_rest_after_a_refusal() {
    let now = Instant::now();
    let minute = Duration::from_mins(1);
    let all = [
        seat("a", &[], None),
        seat("b", &["m", "n"], None),
        seat("c", &["n"], None),
        seat("d", &[], Some("team")),
    ];
    assert_eq!(names(&offer(&all, "m", None, now)), ["a", "b"]);
    assert_eq!(names(&offer(&all, "m", Some("team"), now)), ["d"]);

    all[0].health.cool(Scope::Model, "m", now, minute, false);
    assert_eq!(names(&offer(&all, "m", None, now)), ["b"]);
    assert_eq!(names(&offer(&all, "n", None, now)), ["a", "b", "c"]);

    all[1].health.cool(Scope::Account, "m", now, minute * 2, false);
    let none = offer(&all, "m", None, now);
    assert_eq!((names(&none).len(), none.resting), (0, Some(minute)));
    assert_eq!(names(&offer(&all, "n", None, now)), ["a", "c"]);

    assert_eq!(names(&offer(&all, "m", None, now + minute)), ["a"]);
    all[1].health.succeeded("m");
    assert_eq!(
        names(&offer(&all, "m", None, now + minute)),
        ["a"],
        "a success with one model does not end a rest of the account"
    );
    assert_eq!(names(&offer(&all, "m", None, now + minute * 2)), ["a", "b"]);
}

#[test]
fn a_longer_rest_is_not_shortened() {
    let now = Instant::now();
    let health = Health::default();
    health.cool(Scope::Account, "m", now, Duration::from_secs(100), false);
    health.cool(Scope::Account, "m", now, Duration::from_secs(1), true);
    assert_eq!(health.resting("m", now), Some((Duration::from_secs(100), false)));
}

#[test]
fn trouble_of_the_moment_does_not_lock_out_the_only_seats() {
    let now = Instant::now();
    let second = Duration::from_secs(1);
    let all = [seat("a", &[], None), seat("b", &[], None)];
    all[0].health.cool(Scope::Model, "m", now, second * 5, true);
    assert_eq!(names(&offer(&all, "m", None, now)), ["b"]);
    all[1].health.cool(Scope::Model, "m", now, second * 2, true);
    assert_eq!(names(&offer(&all, "m", None, now)), ["b", "a"], "the one that is back first comes first");
    all[1].health.cool(Scope::Account, "m", now, second * 60, false);
    assert_eq!(names(&offer(&all, "m", None, now)), ["a"]);
    all[0].health.cool(Scope::Model, "m", now, second * 60, false);
    assert_eq!(offer(&all, "m", None, now).resting, Some(second * 60));
}

fn sharing(id: &str, rank: i32, weight: u32) -> Arc<Seat> {
    let mut seat = Arc::into_inner(seat(id, &[], None)).unwrap();
    seat.share = Some(Share { rank, weight });
    Arc::new(seat)
}

/// Who comes first in each of so many requests.
fn turns(all: &[Arc<Seat>], requests: usize, now: Instant) -> String {
    (0..requests).map(|_| names(&offer(all, "m", None, now))[0].to_owned()).collect()
}

#[test]
fn requests_are_shared_by_weight() {
    let now = Instant::now();
    let all = [
        sharing("a", 1, 3),
        sharing("b", 1, 1),
        sharing("c", 1, 2),
        sharing("x", 0, 100),
        sharing("y", 0, 100),
        seat("login", &[], None),
    ];
    assert_eq!(turns(&all, 12, now), "acabcaacabca");
    let offered = offer(&all, "m", None, now);
    let first: Vec<&str> = names(&offered)[..3].to_vec();
    assert!(["a", "b", "c"].iter().all(|id| first.contains(id)), "the higher rank comes first: {first:?}");
    assert_eq!(names(&offered)[5], "login", "what has no share stays in its place");
    all[0].health.cool(Scope::Account, "m", now, Duration::from_mins(1), false);
    let without = turns(&all, 300, now);
    let count = |id| without.matches(id).count();
    assert!(count("a") == 0 && count("c").abs_diff(200) <= 2, "{} {}", count("b"), count("c"));
    // Whoever was away gets no more than its share afterwards.
    let again = turns(&all, 600, now + Duration::from_mins(1));
    assert!(again.matches('a').count().abs_diff(300) <= 3, "{}", again.matches('a').count());
}

#[test]
fn a_problem_is_over_with_a_success_that_leaves_no_rest() {
    let now = Instant::now();
    let health = Health::default();
    health.fell(Problem {
        what: "too many requests".into(),
        at: 5,
        remedy: "wait".into(),
        cause: Cause::Limit,
    });
    health.cool(Scope::Model, "m", now, Duration::from_mins(1), false);
    health.succeeded("other");
    assert_eq!(health.problem().unwrap().at, 5);
    health.succeeded("m");
    assert_eq!(health.problem(), None);
}

#[test]
fn for_a_model_that_no_account_has_nobody_waits() {
    let (now, minute) = (Instant::now(), Duration::from_mins(1));
    let all = [seat("a", &[], None), seat("b", &[], None)];
    let lack = |words: &str| Lack {
        failure: Failure::new(FailureKind::NotFound, Blame::Upstream, words),
        verdict: Verdict::other(Some((Scope::Model, minute))),
    };
    all[0].health.lacks("m", now, minute, lack("a has none"));
    let one = offer(&all, "m", None, now);
    assert_eq!((names(&one), one.lack.is_none()), (vec!["b"], true));
    all[1].health.lacks("m", now, minute, lack("b has none"));
    let none = offer(&all, "m", None, now);
    let said = none.lack.as_ref().map(|lack| lack.failure.message.as_str());
    assert_eq!((names(&none).len(), none.resting, said), (0, None, Some("a has none")));
    assert_eq!(names(&offer(&all, "n", None, now)), ["a", "b"]);
    assert_eq!(names(&offer(&all, "m", None, now + minute)), ["a", "b"]);
    // One of them could have it: its owner waits.
    all[1].health.succeeded("m");
    all[1].health.cool(Scope::Account, "m", now, minute, false);
    let resting = offer(&all, "m", None, now);
    assert_eq!((names(&resting).len(), resting.resting, resting.lack.is_none()), (0, Some(minute), true));
}

#[test]
fn a_line_of_models_rests_together() {
    let (health, now, hour) = (Health::default(), Instant::now(), Duration::from_hours(1));
    health.cool(Scope::Line(Line::Without("gemini")), "claude-opus-4-6", now, hour, false);
    let rests = |model: &str| health.resting(model, now).is_some();
    assert_eq!(
        [rests("claude-sonnet-4-6"), rests("gpt-oss-120b"), rests("gemini-3-pro")],
        [true, true, false]
    );
    assert_eq!(health.all(now), [(Some("all but *gemini*".to_owned()), hour)]);
    // What is served again is not set aside any more, and with it its line.
    health.succeeded("gemini-3-pro");
    assert!(rests("claude-sonnet-4-6"));
    health.succeeded("claude-sonnet-4-6");
    assert!(!rests("claude-opus-4-6"));
}

#[test]
fn refusals_of_new_tokens_rest_longer_each_time() {
    let (health, mut now) = (Health::default(), Instant::now());
    let mut minutes = Vec::new();
    for _ in 0..7 {
        let wait = health.refused_anew(now);
        // A second refusal of the same spell makes it no longer.
        assert_eq!(health.refused_anew(now + Duration::from_secs(1)) + Duration::from_secs(1), wait);
        minutes.push(wait.as_secs() / 60);
        now += wait;
    }
    assert_eq!(minutes, [1, 2, 4, 8, 16, 30, 30]);
    health.succeeded("m");
    assert_eq!(health.refused_anew(now), Duration::from_mins(1));
}

#[test]
fn a_limit_without_an_end_rests_longer_each_time() {
    let (health, mut now, minute) = (Health::default(), Instant::now(), Duration::from_mins(1));
    let mut minutes = Vec::new();
    for _ in 0..7 {
        let wait = health.limited_again(now, minute);
        minutes.push(wait.as_secs() / 60);
        now += wait;
    }
    assert_eq!(minutes, [1, 2, 4, 8, 16, 30, 30]);
    health.succeeded("m");
    assert_eq!(health.limited_again(now, minute), minute);
}

#[test]
fn an_account_that_is_brought_in_order_begins_anew() {
    let (health, now, hour) = (Health::default(), Instant::now(), Duration::from_hours(1));
    health.cool(Scope::Account, "m", now, hour, false);
    health.taken_back();
    assert!(health.resting("m", now).is_some(), "it was never set aside");
    health.set_aside();
    health.taken_back();
    assert_eq!((health.resting("m", now), health.problem()), (None, None));
}

#[test]
fn a_plan_that_is_used_up_rests_what_it_is_charged_for() {
    let (health, now, hour) = (Health::default(), Instant::now(), Duration::from_hours(1));
    health.cool_all_but(vec!["included".to_owned()], now, hour * 24);
    let rests = |model: &str| health.resting(model, now).is_some();
    assert!(rests("claude") && rests("gpt") && !rests("included"));
    health.succeeded("gpt");
    assert!(rests("claude"), "an answer that was under way says nothing about the plan");
    assert_eq!(health.all(now)[0].0.as_deref(), Some("all but included"));
    health.opened(now);
    assert!(!rests("claude"));
    health.cool_all_but(Vec::new(), now, hour);
    assert!(rests("included"), "nothing is included");
    assert_eq!(health.all(now)[0].0, None);
}
