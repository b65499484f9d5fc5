//! How a seat fared lately: what it rests for, and what went wrong.

use crate::upstream::{Line, Scope, Verdict};
use byok_types::Failure;
use parking_lot::Mutex;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// What went wrong last with a seat, in words for its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What happened; where the vendor said something, its words.
    pub what: String,
    /// When, Unix time in seconds.
    pub at: i64,
    /// What the owner can do.
    pub remedy: String,
    /// What kind of trouble it is, for those who are told of it while the seat rests.
    pub cause: Cause,
}

/// What kind of trouble a seat has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A limit was reached, which opens again by itself.
    Limit,
    /// There is no money for it; the vendor said so with this status.
    Money(u16),
    /// Anything else: to wait is not what helps.
    Other,
}

/// Rests that are longer are those of plans that are used up.
const LONG: Duration = Duration::from_hours(1);

/// Longest rest after a limit of which the vendor does not say when it opens.
const LONGEST_UNSAID: Duration = Duration::from_mins(30);
/// First rest of a seat whose vendor refuses the token that it has just issued.
const REFUSED_ANEW: Duration = Duration::from_mins(1);
/// Longest such rest.
const LONGEST_REFUSED_ANEW: Duration = Duration::from_mins(30);

/// How a seat fared lately.
#[derive(Debug, Default)]
pub struct Health {
    rests: Mutex<Vec<Rest>>,
    problem: Mutex<Option<Problem>>,
    /// What it is owed of its share of requests.
    pub(super) credit: Mutex<i64>,
    /// Whether it was without a login, or blocked.
    aside: Mutex<bool>,
    /// How often the vendor has refused the token that it had just issued, since the last success, and until when the seat
    /// rests for it.
    refused_anew: Mutex<(u32, Option<Instant>)>,
    /// The same of limits without an end.
    limited: Mutex<(u32, Option<Instant>)>,
}

#[derive(Debug)]
struct Rest {
    about: About,
    until: Instant,
    /// Whether the vendor's trouble was of the moment: the seat is asked all the same when no other can be.
    soft: bool,
    /// What the vendor said if the account has no such model. Waiting does not help then, so it is said again.
    lack: Option<Arc<Lack>>,
}

/// Which models a seat rests for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum About {
    Every,
    Model(String),
    Line(Line),
    /// All but these.
    AllBut(Vec<String>),
}

impl About {
    /// Whether it is about the account as such, so that the success of a model says nothing about it.
    const fn is_wide(&self) -> bool {
        matches!(self, Self::Every | Self::AllBut(_))
    }

    fn has(&self, model: &str) -> bool {
        match self {
            Self::Every => true,
            Self::Model(name) => name == model,
            Self::Line(line) => line.has(model),
            Self::AllBut(models) => !models.iter().any(|name| name == model),
        }
    }
}

/// A vendor's word that an account has no such model.
#[derive(Clone, Debug)]
pub struct Lack {
    /// What it said.
    pub failure: Failure,
    /// What that means.
    pub verdict: Verdict,
}

impl Health {
    /// Lets the seat rest. `soft` for trouble of the moment that another try may not meet.
    pub fn cool(&self, scope: Scope, model: &str, now: Instant, wait: Duration, soft: bool) {
        let about = match scope {
            Scope::Account => About::Every,
            // Which models go on is not known here.
            Scope::Model | Scope::Charged => About::Model(model.to_owned()),
            Scope::Line(line) => About::Line(line),
        };
        self.rest(Rest { about, until: now + wait, soft, lack: None }, now);
    }

    /// Lets the seat rest for all models but those that go on when the plan is used up.
    pub fn cool_all_but(&self, included: Vec<String>, now: Instant, wait: Duration) {
        let about = if included.is_empty() { About::Every } else { About::AllBut(included) };
        self.rest(Rest { about, until: now + wait, soft: false, lack: None }, now);
    }

    /// Keeps in mind that the account has no such model.
    pub fn lacks(&self, model: &str, now: Instant, wait: Duration, lack: Lack) {
        let lack = Some(Arc::new(lack));
        self.rest(Rest { about: About::Model(model.to_owned()), until: now + wait, soft: false, lack }, now);
    }

    fn rest(&self, new: Rest, now: Instant) {
        let mut rests = self.rests.lock();
        rests.retain(|rest| rest.until > now);
        match rests.iter_mut().find(|rest| rest.about == new.about) {
            Some(rest) if rest.until < new.until => *rest = new,
            Some(_) => {}
            None => rests.push(new),
        }
    }

    /// The vendor refuses the token that it has just issued: how long the seat rests. A minute the first time, longer each
    /// time, until a success. Refusals of one spell are one.
    pub fn refused_anew(&self, now: Instant) -> Duration {
        grown(&mut self.refused_anew.lock(), now, REFUSED_ANEW, LONGEST_REFUSED_ANEW)
    }

    /// A limit of which the vendor does not say when it opens: `first` the first time, longer each time, until a success.
    pub fn limited_again(&self, now: Instant, first: Duration) -> Duration {
        grown(&mut self.limited.lock(), now, first, LONGEST_UNSAID)
    }

    /// The account has lost its login, or its vendor has blocked it.
    pub fn set_aside(&self) {
        *self.aside.lock() = true;
    }

    /// The account may serve. One that had been set aside begins anew.
    pub fn taken_back(&self) {
        if std::mem::take(&mut *self.aside.lock()) {
            self.forgive();
        }
    }

    /// Ends all rests: what caused them is allowed now.
    pub fn forgive(&self) {
        *self.refused_anew.lock() = (0, None);
        *self.limited.lock() = (0, None);
        self.rests.lock().clear();
        *self.problem.lock() = None;
    }

    /// The plan of the account has room again: rests that were to last until then end.
    pub fn opened(&self, now: Instant) {
        let long = |rest: &Rest| rest.about.is_wide() && rest.until > now + LONG;
        self.rests.lock().retain(|rest| !long(rest));
    }

    /// A success ends the rest for the model and its line, and soft rests of the account; with the last rest the problem is over.
    pub fn succeeded(&self, model: &str) {
        *self.refused_anew.lock() = (0, None);
        *self.limited.lock() = (0, None);
        let mut rests = self.rests.lock();
        let hard = |rest: &Rest| rest.about.is_wide() && !rest.soft;
        rests.retain(|rest| hard(rest) || !rest.about.has(model));
        let over = rests.is_empty();
        drop(rests);
        if over {
            *self.problem.lock() = None;
        }
    }

    /// Keeps what went wrong for the owner to read.
    pub fn fell(&self, problem: Problem) {
        *self.problem.lock() = Some(problem);
    }

    /// What went wrong last, until a success.
    pub fn problem(&self) -> Option<Problem> {
        self.problem.lock().clone()
    }

    /// What the vendor said if the seat is not asked for `model` only because the account does not have it.
    pub fn lacking(&self, model: &str, now: Instant) -> Option<Arc<Lack>> {
        let rests = self.rests.lock();
        let mut applying = rests.iter().filter(|rest| rest.until > now && rest.about.has(model));
        let (first, more) = (applying.next()?, applying.next());
        first.lack.clone().filter(|_| more.is_none())
    }

    /// How long the seat still rests for `model`, and whether only softly; `None` if it does not rest.
    pub fn resting(&self, model: &str, now: Instant) -> Option<(Duration, bool)> {
        let rests = self.rests.lock();
        let applies = |rest: &&Rest| rest.until > now && rest.about.has(model);
        let longest = rests.iter().filter(applies).map(|rest| rest.until).max()?;
        let soft = rests.iter().filter(applies).all(|rest| rest.soft);
        Some((longest.duration_since(now), soft))
    }

    /// What rests, for how long: the model or the line (`None` for all) and the time left.
    pub fn all(&self, now: Instant) -> Vec<(Option<String>, Duration)> {
        let left = |rest: &Rest| {
            let about = match &rest.about {
                About::Every => None,
                About::Model(name) => Some(name.clone()),
                About::Line(line) => Some(line.to_string()),
                About::AllBut(models) => Some(format!("all but {}", models.join(", "))),
            };
            rest.until.checked_duration_since(now).map(|time| (about, time))
        };
        self.rests.lock().iter().filter_map(left).collect()
    }
}

/// A wait that doubles with each spell: how many there were, and when the last one ends.
fn grown(spells: &mut (u32, Option<Instant>), now: Instant, first: Duration, longest: Duration) -> Duration {
    let (times, until) = spells;
    let left = until.and_then(|until| until.checked_duration_since(now));
    if let Some(left) = left.filter(|left| !left.is_zero()) {
        return left;
    }
    let wait = first.saturating_mul(1 << (*times).min(10)).min(longest);
    *times += 1;
    *until = Some(now + wait);
    wait
}
