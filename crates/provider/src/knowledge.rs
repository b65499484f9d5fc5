//! What vendors have told of accounts and models lately: lists of models, and what is left of a plan.
//!
//! It belongs to a credential and survives a reload of the config. Nothing here asks anybody; that is [`crate::inquiry`].

pub use byok_translate::Discovered;

use byok_types::{AccountId, Dialect};
use parking_lot::Mutex;
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// One limit of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// What it is called: `5 hours`, `week`, `premium requests`.
    pub name: String,
    /// The used part, 1 for all of it.
    pub used: f64,
    /// When it begins anew, Unix time in seconds.
    pub resets_at: Option<i64>,
    /// The model or kind of request that it is about; without one, all.
    pub scope: Option<String>,
}

/// Plans can be used beyond their end, but not without end.
const MOST_USED: f64 = 10.0;
/// Most refusals of endpoints that are kept: names come from clients.
const MOST_NOT_AT: usize = 256;
/// Most that is shown of a name.
const LONGEST_NAME: usize = 60;
/// Longest id of a model in bytes.
const LONGEST_ID: usize = 512;
/// Most models of a list.
const MOST_MODELS: usize = 2000;

impl Window {
    /// The window as it can be shown: answers of vendors are input like any other. `None` if it does not say how much is used.
    fn sound(mut self) -> Option<Self> {
        let shown = |text: String| -> String {
            text.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect()
        };
        self.used = Some(self.used).filter(|used| used.is_finite())?.clamp(0.0, MOST_USED);
        self.name = shown(self.name);
        self.scope = self.scope.map(shown);
        Some(self)
    }
}

/// What is left of a plan.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quota {
    /// The plan, in the vendor's word, if it says so here.
    pub plan: Option<String>,
    /// Its limits.
    pub windows: Vec<Window>,
    /// Whether the vendor says that it serves nothing now, whatever the limits are.
    pub closed: bool,
}

impl Quota {
    /// Whether the vendor says that there is room in the plan.
    pub fn has_room(&self) -> bool {
        !self.closed && !self.windows.is_empty() && self.windows.iter().all(|window| window.used < 1.0)
    }
}

/// What is known of one credential.
#[derive(Debug, Default)]
pub struct Known {
    inner: Mutex<Inner>,
    changes: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct Inner {
    models: Vec<Discovered>,
    models_asked: Option<Instant>,
    /// Models and the endpoints at which they were refused, though they seemed to be served there.
    not_at: Vec<(String, Dialect)>,
    /// Whether the vendor has said that it has no such list.
    no_list: bool,
    windows: Vec<Window>,
    /// When the windows were told, Unix time in seconds.
    told_at: Option<i64>,
    quota_asked: Option<Instant>,
    plan_asked: Option<Instant>,
    /// The mark of the list of models that the vendor named last.
    list_mark: Option<String>,
}

impl Known {
    /// The models that the vendor has listed; empty if it has not been asked or did not answer.
    pub fn models(&self) -> Vec<Discovered> {
        self.inner.lock().models.clone()
    }

    /// One of them.
    pub fn model(&self, id: &str) -> Option<Discovered> {
        self.inner.lock().models.iter().find(|model| model.id == id).cloned()
    }

    /// Takes a list over; of a model that it has twice the first counts. An empty one changes nothing: the last good list stays.
    pub fn listed(&self, mut models: Vec<Discovered>) {
        let mut seen = HashSet::new();
        models.retain(|model| {
            // Answers of vendors are input like any other.
            let sound = model.id.len() <= LONGEST_ID && !model.id.chars().any(char::is_control);
            sound && seen.insert(model.id.clone())
        });
        models.truncate(MOST_MODELS);
        let mut inner = self.inner.lock();
        inner.no_list = false;
        if !models.is_empty() && inner.models != models {
            // Of a model that the list does not name nothing new is known.
            inner.not_at.retain(|(id, _)| !seen.contains(id));
            inner.models = models;
            self.changes.fetch_add(1, Ordering::Release);
        }
    }

    /// Models that may go on where the rest of the plan is used up; `None` if no list is known.
    pub fn included(&self) -> Option<Vec<String>> {
        let inner = self.inner.lock();
        let included = || inner.models.iter().filter(|model| model.included);
        (!inner.models.is_empty()).then(|| included().map(|model| model.id.clone()).collect())
    }

    /// Keeps in mind that a model is not served at an endpoint, until another list says where it is.
    pub fn not_at(&self, model: &str, endpoint: Dialect) {
        let mut inner = self.inner.lock();
        let known = inner.not_at.iter().any(|(id, at)| id == model && *at == endpoint);
        if !known && inner.not_at.len() < MOST_NOT_AT {
            inner.not_at.push((model.to_owned(), endpoint));
            self.changes.fetch_add(1, Ordering::Release);
        }
    }

    /// The endpoints at which a model was refused.
    pub fn refused_at(&self, model: &str) -> Vec<Dialect> {
        let inner = self.inner.lock();
        inner.not_at.iter().filter(|(id, _)| id == model).map(|(_, at)| *at).collect()
    }

    /// The limits of the plan and when they were told; `None` if nothing is known.
    pub fn windows(&self) -> Option<(i64, Vec<Window>)> {
        let inner = self.inner.lock();
        inner.told_at.map(|at| (at, inner.windows.clone()))
    }

    /// Takes over what a vendor said of limits; of those that it does not mention the last word stays.
    pub fn told(&self, windows: Vec<Window>, now: i64) {
        if windows.is_empty() {
            return;
        }
        let mut inner = self.inner.lock();
        for window in windows.into_iter().filter_map(Window::sound) {
            let same = |known: &&mut Window| known.name == window.name && known.scope == window.scope;
            match inner.windows.iter_mut().find(same) {
                Some(known) => *known = window,
                None => inner.windows.push(window),
            }
        }
        // A window that has ended says nothing any more.
        inner.windows.retain(|window| window.resets_at.is_none_or(|end| end > now));
        inner.told_at = Some(now);
    }

    /// Notes that the vendor has no list of models. What it has listed before stays.
    pub fn lists_none(&self) {
        self.inner.lock().no_list = true;
    }

    /// Whether the models are to be asked for again; who is told yes does it. A vendor without a list is asked less often.
    pub fn models_due(&self, every: Duration, without_list: Duration) -> bool {
        let mut inner = self.inner.lock();
        let every = if inner.no_list { without_list } else { every };
        due(&mut inner.models_asked, every)
    }

    /// Whether the name of the plan is to be asked for again; who is told yes does it.
    pub fn plan_due(&self, every: Duration) -> bool {
        due(&mut self.inner.lock().plan_asked, every)
    }

    /// Keeps the mark of the vendor's list of models; whether it was another one before.
    pub fn list_changed(&self, mark: &str) -> bool {
        let mut inner = self.inner.lock();
        if inner.list_mark.as_deref() == Some(mark) || mark.len() > LONGEST_ID {
            return false;
        }
        inner.list_mark.replace(mark.to_owned()).is_some()
    }

    /// Takes back that the models were asked for.
    pub fn models_not_asked(&self) {
        self.inner.lock().models_asked = None;
    }

    /// Takes back that the limits were asked for: what kept byok from it may be gone the next moment.
    pub fn quota_not_asked(&self) {
        self.inner.lock().quota_asked = None;
    }

    /// Whether the limits are to be asked for again; who is told yes does it.
    pub fn quota_due(&self, every: Duration) -> bool {
        due(&mut self.inner.lock().quota_asked, every)
    }
}

/// The endpoints of a model without those at which it was refused; what else the vendor has stands in for these, best first.
/// `None` if nothing is to be changed, or nothing is left.
pub fn elsewhere(listed: &[Dialect], vendors: &[Dialect], refused: &[Dialect]) -> Option<Vec<Dialect>> {
    let mut left = listed.to_vec();
    left.extend(vendors.iter().filter(|other| !listed.contains(other)));
    left.retain(|endpoint| !refused.contains(endpoint));
    (!left.is_empty() && listed.iter().any(|endpoint| refused.contains(endpoint))).then_some(left)
}

fn due(asked: &mut Option<Instant>, every: Duration) -> bool {
    let due = asked.is_none_or(|at| at.elapsed() >= every);
    if due {
        *asked = Some(Instant::now());
    }
    due
}

/// A credential, and the address that it is used at: another server knows other things.
type Place = (AccountId, String);

/// What is known of all credentials. Clones share everything.
#[derive(Clone, Debug, Default)]
pub struct Knowledge {
    known: Arc<Mutex<HashMap<Place, Arc<Known>>>>,
    changes: Arc<AtomicU64>,
}

impl Knowledge {
    /// What is known of one credential at an address.
    pub fn of(&self, id: &AccountId, base: &str) -> Arc<Known> {
        let mut known = self.known.lock();
        let fresh = || Arc::new(Known { inner: Mutex::default(), changes: Arc::clone(&self.changes) });
        Arc::clone(known.entry((id.clone(), base.to_owned())).or_insert_with(fresh))
    }

    /// The limits of an account that were told last, at whichever address, and when; `None` if nothing is known.
    pub fn windows_of(&self, id: &AccountId) -> Option<(i64, Vec<Window>)> {
        let known = self.known.lock();
        let of_account = known.iter().filter(|((account, _), _)| account == id);
        of_account.filter_map(|(_, known)| known.windows()).max_by_key(|(at, _)| *at)
    }

    /// A number that grows when a list of models changes.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests;
