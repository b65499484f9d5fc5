//! Which account serves a request.
//!
//! A `Seat` is one credential of a provider: an API key of the config or an account of the store. The pool hands out seats
//! in order, leaving out those that rest after a refusal. It sees time as a value and never touches network, database or
//! token; what it knows of the health of a seat survives a reload of the config.

mod health;

pub use health::{Cause, Health, Lack, Problem};

use crate::{
    knowledge::{Knowledge, Known},
    registry::Candidate,
    upstream::{Ask, Operation, Upstream},
};
use byok_config::Pattern;
use byok_transport::{Host, ProxyChoice};
use byok_types::{AccountId, Dialect, Failure, Secret};
use http::HeaderMap;
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};
use url::Url;

/// What a seat authenticates with.
#[derive(Clone, Debug)]
pub enum Access {
    /// An API key of the config.
    Key(Secret),
    /// An account of the store; its credential is asked of the token manager for each request.
    Account {
        /// Whether it holds tokens of a login (else an API key).
        oauth: bool,
    },
    /// What the client of the request brings. Such a seat is nobody's: no refusal is noted of it, and no other takes its place.
    Client,
}

/// One credential of a provider with everything that a call by it needs.
#[derive(Debug)]
pub struct Seat {
    /// Account id; for keys of the config made of a hash of the key.
    pub id: AccountId,
    /// Name for people.
    pub label: String,
    /// What it authenticates with.
    pub access: Access,
    /// Address of the provider for this seat, without a slash at its end.
    pub base: String,
    /// Hosts that its credential may be sent to.
    pub hosts: Arc<[Host]>,
    /// Proxy for it.
    pub proxy: Option<ProxyChoice>,
    /// Headers that the config adds.
    pub headers: HeaderMap,
    /// Only these models, if any are named.
    pub models: Vec<String>,
    /// Models that only other keys of the provider name.
    pub of_others: Vec<String>,
    /// Not these models.
    pub exclude: Vec<Pattern>,
    /// Word before the model name that asks for this seat.
    pub prefix: Option<String>,
    /// Its share of requests among seats of the same rank; without one, seats are used in their order.
    pub share: Option<Share>,
    /// Claims that its owner consented to.
    pub claims: Vec<String>,
    /// How it fared.
    pub health: Arc<Health>,
    /// What its vendor has told.
    pub known: Arc<Known>,
    /// Addresses that were made out for it.
    pub addresses: Addresses,
}

/// Addresses of calls, kept because parsing one costs as much as all of byok's own work on a small request.
#[derive(Debug, Default)]
pub struct Addresses(Mutex<Vec<Made>>);

/// An address that was made out.
#[derive(Debug)]
struct Made {
    operation: Operation,
    dialect: Dialect,
    model: String,
    base: String,
    url: Url,
}

/// Most addresses kept for a seat: models are named by clients.
const ADDRESSES: usize = 32;

impl Addresses {
    /// The address of a call, made by `upstream` the first time.
    pub fn of(&self, upstream: &dyn Upstream, base: &str, ask: &Ask<'_>) -> Result<Url, Failure> {
        let mut known = self.0.lock();
        let is_it = |made: &&Made| {
            made.operation == ask.operation
                && made.dialect == ask.dialect
                && made.model == ask.model
                && made.base == base
        };
        if let Some(made) = known.iter().find(is_it) {
            return Ok(made.url.clone());
        }
        let url = upstream.url(base, ask)?;
        if known.len() >= ADDRESSES {
            known.clear();
        }
        known.push(Made {
            operation: ask.operation,
            dialect: ask.dialect,
            model: ask.model.to_owned(),
            base: base.to_owned(),
            url: url.clone(),
        });
        Ok(url)
    }
}

impl Seat {
    /// Whether it may serve `model`. The empty name, which no request can ask for, means a call that is for no model.
    pub fn serves(&self, model: &str) -> bool {
        if model.is_empty() {
            return true;
        }
        let among = |list: &[String]| list.iter().any(|listed| listed == model);
        let listed = if self.models.is_empty() { !among(&self.of_others) } else { among(&self.models) };
        listed && !self.exclude.iter().any(|pattern| pattern.matches(model))
    }

    /// What clients may be told of which account served them: its label, unless that is an e-mail address; then the short id,
    /// which `byok status` shows beside the address.
    pub fn public_name(&self) -> &str {
        if self.label.contains('@') { self.id.short() } else { &self.label }
    }

    /// Whether it holds tokens of a login.
    pub fn is_oauth(&self) -> bool {
        match &self.access {
            Access::Key(key) => key.expose().starts_with("sk-ant-oat"),
            Access::Account { oauth } => *oauth,
            // The client sees to it.
            Access::Client => false,
        }
    }
}

/// The share of a seat among its neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Those of the same rank share requests.
    pub rank: i32,
    /// Its share, at least 1.
    pub weight: u32,
}

/// The health of all seats by account id. Lives as long as the process.
#[derive(Debug, Default)]
pub struct HealthBook {
    health: Mutex<HashMap<AccountId, Arc<Health>>>,
    /// What vendors have told.
    pub knowledge: Knowledge,
}

impl HealthBook {
    /// The health of a seat.
    pub fn of(&self, id: &AccountId) -> Arc<Health> {
        self.health.lock().entry(id.clone()).or_default().clone()
    }
}

/// What the pool can offer for a model.
#[derive(Debug)]
pub struct Offer {
    /// Seats to try, in order.
    pub seats: Vec<Arc<Seat>>,
    /// If there is none because all of them rest: how long until the first is back.
    pub resting: Option<Duration>,
    /// If there is none because no account has the model: what the vendor said.
    pub lack: Option<Arc<Lack>>,
}

impl Offer {
    /// Only this seat.
    pub fn only(seat: &Arc<Seat>) -> Self {
        Self { seats: vec![seat.clone()], resting: None, lack: None }
    }
}

/// What went wrong with the seats of the candidates that rest, where it is a limit with none of them.
pub(crate) fn unlimited(candidates: &[Candidate]) -> Option<Problem> {
    let now = Instant::now();
    let mut first = None;
    for candidate in candidates {
        for seat in &candidate.provider.seats {
            let concerned = seat.serves(&candidate.facts.id) && seat.prefix == candidate.prefix;
            if !concerned || seat.health.resting(&candidate.facts.id, now).is_none() {
                continue;
            }
            let problem = seat.health.problem().filter(|problem| problem.cause != Cause::Limit)?;
            first.get_or_insert(problem);
        }
    }
    first
}

/// Whether a seat of `all` may serve `model` now and does not rest.
pub fn has_fresh(all: &[Arc<Seat>], model: &str, prefix: Option<&str>, now: Instant) -> bool {
    all.iter().any(|seat| {
        seat.serves(model) && seat.prefix.as_deref() == prefix && seat.health.resting(model, now).is_none()
    })
}

/// The seats of `all` (in the order of the config) that may serve `model` now.
pub fn offer(all: &[Arc<Seat>], model: &str, prefix: Option<&str>, now: Instant) -> Offer {
    let mut seats = Vec::new();
    let mut tired = Vec::new();
    let mut soonest: Option<Duration> = None;
    let mut lack = None;
    for seat in all {
        // A seat with a prefix serves only those who name it.
        if !seat.serves(model) || seat.prefix.as_deref() != prefix {
            continue;
        }
        match seat.health.resting(model, now) {
            Some((left, soft)) => {
                if let Some(said) = seat.health.lacking(model, now) {
                    lack.get_or_insert(said);
                    continue;
                }
                soonest = Some(soonest.map_or(left, |other| other.min(left)));
                if soft {
                    tired.push((left, seat.clone()));
                }
            }
            None => seats.push(seat.clone()),
        }
    }
    if seats.is_empty() {
        // Who has one key only is not kept waiting for trouble that may be over.
        tired.sort_by_key(|(left, _)| *left);
        seats.extend(tired.into_iter().map(|(_, seat)| seat));
    }
    share_out(&mut seats);
    let resting = if seats.is_empty() { soonest } else { None };
    let lack = lack.filter(|_| seats.is_empty() && resting.is_none());
    Offer { seats, resting, lack }
}

/// Puts the seats that share requests in the order of what they are owed. Each is given its weight, and the first pays for the
/// request with the weight of all: so the turns are spread evenly, and over time each has its share. Seats that rest neither
/// gain nor pay.
fn share_out(seats: &mut [Arc<Seat>]) {
    let rank = |seat: &Arc<Seat>| seat.share.map(|share| share.rank);
    for group in seats.chunk_by_mut(|one, other| rank(one).is_some() && rank(one) == rank(other)) {
        if group.len() < 2 {
            continue;
        }
        let mut total = 0;
        let mut owed: Vec<(i64, Arc<Seat>)> = Vec::with_capacity(group.len());
        for seat in group.iter() {
            let weight = i64::from(seat.share.map_or(0, |share| share.weight));
            let mut credit = seat.health.credit.lock();
            *credit += weight;
            total += weight;
            owed.push((*credit, seat.clone()));
        }
        owed.sort_by_key(|(credit, _)| std::cmp::Reverse(*credit));
        for (place, (_, seat)) in group.iter_mut().zip(owed) {
            *place = seat;
        }
        if let Some(first) = group.first() {
            *first.health.credit.lock() -= total;
        }
    }
}

#[cfg(test)]
mod tests;
