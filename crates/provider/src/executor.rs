//! Drives a call: from the bytes of a client to the bytes of an answer.
//!
//! The body is looked at, the model resolved, a seat chosen, the call made; a refusal before the first byte to the client is
//! judged and may lead to another seat. From the first good event (or 15 seconds after the upstream's headers) the answer is
//! committed: nothing is tried again, and a break is told in the client's own dialect.

mod answer;
mod aside;
mod attempt;
mod cap;
mod claim;
mod compact;
mod count;
mod first;
mod forward;
mod hold;
mod keeper;
mod lost;
mod media;
mod multipart;
mod opened;
mod outbound;
mod peek;
mod prepare;
mod raw;
mod reply;
mod resting;
mod seals;
mod trouble;
mod whole;
mod words;

pub use answer::AnswerBody;
pub use forward::Forward;
pub use outbound::{Outbound, OutboundBody, refuse};
pub use raw::{BrokenOff, Raw, Target};
pub use whole::WholeBody;

use crate::{
    budget::Budget,
    ledger::{Arrival, Ledger},
    pool::{self, Offer},
    registry::{Candidate, nothing_brought},
    replay::Replay,
    state::State,
    upstream::{Next, Verdict},
};
use aside::Aside;
use byok_auth::TokenManager;
use byok_store::{Records, Store};
use byok_transport::{Fetcher, Transport};
use byok_types::{Blame, ClientKeyId, Dialect, Failure, FailureKind, RequestId, Secret};
use bytes::Bytes;
use count::Uncounted;
use http::HeaderMap;
use media::{Fetch, Remote};
use parking_lot::RwLock;
use peek::Peek;
use prepare::Means;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;
use words::{Spoken, Words};

/// A request of a client, as its route understood it.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts of a request, one line each")]
pub struct Inbound {
    /// Id told to the client.
    pub id: RequestId,
    /// When it arrived.
    pub at: Instant,
    /// The same, Unix time in milliseconds.
    pub at_ms: i64,
    /// The client key that was shown.
    pub client_key: Option<ClientKeyId>,
    /// Models that the client key may ask for; empty means all.
    pub allowed: Vec<byok_config::Pattern>,
    /// Whether the client may be told which account served it.
    pub debug: bool,
    /// Dialect of the route.
    pub dialect: Dialect,
    /// Whether only the tokens are to be counted.
    pub count: bool,
    /// Model of the path (Gemini).
    pub model: Option<String>,
    /// Whether the path asks for a stream (Gemini).
    pub stream: Option<bool>,
    /// Whether a Gemini stream is to be a JSON array.
    pub json_array: bool,
    /// The response that the conversation goes on from, where the body has the earlier turns in its place.
    pub previous_response: Option<String>,
    /// Whether byok keeps the answer, so that a conversation can go on from it.
    pub kept: bool,
    /// Set if the call is passed on as it is, beside the dialects.
    pub raw: Option<Raw>,
    /// The credential for a vendor that the client brought beside its byok key.
    pub brought: Option<Secret>,
    /// Headers of the client.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
    /// Held until the answer has ended: a place among the requests that are answered at the same time.
    pub place: Option<OwnedSemaphorePermit>,
}

impl Inbound {
    /// A request of which only its arrival is known; the rest is filled in by its route.
    pub fn new(arrival: Arrival) -> Self {
        let Arrival { id, at, at_ms, client_key, dialect, place } = arrival;
        Self {
            id,
            at,
            at_ms,
            client_key,
            allowed: Vec::new(),
            debug: false,
            dialect,
            count: false,
            model: None,
            stream: None,
            json_array: false,
            previous_response: None,
            kept: false,
            raw: None,
            brought: None,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            place,
        }
    }
}

/// Makes calls. Cheap to clone.
#[derive(Clone)]
pub struct Executor(Arc<Inner>);

struct Inner {
    transport: RwLock<Transport>,
    /// Gets what clients name by address.
    fetch: Box<dyn Fetch>,
    tokens: TokenManager,
    store: Store,
    budget: Budget,
    /// Reasoning that is kept for clients that have no place for it.
    replay: Replay,
    /// Where large bodies are worked on.
    aside: Aside,
    /// Who turned out not to count tokens.
    uncounted: Uncounted,
    /// Fires when running answers have to end because byok stops.
    stopping: CancellationToken,
}

impl Inner {
    /// The way out as the settings have it now.
    fn transport(&self) -> Transport {
        self.transport.read().clone()
    }

    fn means<'a, 'r>(
        &self,
        remote: Option<&'a mut Remote<'r>>,
        unsealed: bool,
        account: Option<&'a str>,
    ) -> Means<'a, 'r> {
        Means { remote, replay: self.replay.clone(), aside: self.aside.clone(), unsealed, account }
    }
}

/// A refused attempt: what the client would be told, and what it means.
struct Refused {
    failure: Failure,
    verdict: Verdict,
    /// Headers of the vendor's answer that clients read.
    headers: HeaderMap,
}

impl Refused {
    /// A refusal of our own making that another seat may not share.
    fn local(failure: Failure, next: Next) -> Self {
        Self { failure, verdict: Verdict { next, ..Verdict::PASS_ON }, headers: HeaderMap::new() }
    }

    /// The refusal of what the client itself brought: it hears what its vendor says, so that it can renew its login. Nobody
    /// else is asked, for a credential is for one vendor, and what helps with byok's accounts does not help here.
    fn of_the_clients_own(self) -> Self {
        Self { verdict: Verdict::PASS_ON, ..self }
    }
}

impl Executor {
    /// An executor. `stopping` fires when running answers have to end.
    pub fn new(
        transport: Transport,
        tokens: TokenManager,
        store: Store,
        budget: Budget,
        stopping: CancellationToken,
    ) -> Self {
        let fetch = Box::new(Fetcher::default());
        let transport = RwLock::new(transport);
        let (replay, aside, uncounted) = (Replay::default(), Aside::default(), Uncounted::default());
        Self(Arc::new(Inner { transport, fetch, tokens, store, budget, replay, aside, uncounted, stopping }))
    }

    /// Why the login of an account could not be renewed, if that was its last try: Unix time in seconds, and the cause.
    pub fn refresh_trouble(&self, account: &byok_types::AccountId) -> Option<(i64, String)> {
        self.0.tokens.last_failure(account)
    }

    /// Why a login that is followed will not go on, and whether its token has ended already.
    pub async fn lost_source(&self, account: &byok_types::Account) -> Option<(String, bool)> {
        self.0.tokens.lost_source(account).await
    }

    /// The way out as the settings have it now.
    pub(crate) fn transport(&self) -> Transport {
        self.0.transport()
    }

    /// Hands out tokens.
    pub(crate) fn tokens(&self) -> &TokenManager {
        &self.0.tokens
    }

    /// Keeps the plan that a vendor told of an account.
    pub(crate) async fn note_plan(&self, id: &byok_types::AccountId, plan: Option<String>) {
        let same = matches!(self.0.store.accounts.get(id).await, Ok(Some(account)) if account.plan == plan);
        if same {
            return;
        }
        let details = byok_store::AccountDetails { plan, ..Default::default() };
        if let Err(error) = self.0.store.accounts.set_details(id, details).await {
            tracing::debug!(account = id.as_str(), %error, "the plan of an account is not stored");
        }
    }

    /// Forgets what is kept for clients and of no use any more, or beyond `replay_memory` bytes.
    pub fn tidy(&self, replay_memory: usize) {
        self.0.replay.tidy(replay_memory, Instant::now());
    }

    /// Takes another way out from the next call on; running calls go on.
    pub fn set_transport(&self, transport: Transport) {
        *self.0.transport.write() = transport;
    }

    /// Waits until running answers have to end; what their clients are told.
    pub async fn stopping(&self) -> Failure {
        self.0.stopping.cancelled().await;
        stopped()
    }

    /// Answers a request that cannot be served, and records it.
    pub fn turn_away(&self, arrival: Arrival, failure: &Failure) -> Outbound {
        let (dialect, id) = (arrival.dialect, arrival.id.clone());
        let mut ledger = Ledger::begin(arrival, "", self.0.store.records.clone());
        ledger.first_byte(failure.status);
        ledger.failed(failure, failure.status);
        refuse(dialect, failure, id.as_str())
    }

    /// Serves a request. Every failure is an answer, in the client's dialect. Dropping the future ends the upstream call.
    pub async fn run(&self, state: Arc<State>, mut inbound: Inbound) -> Outbound {
        let asked = compact::ask_in_other_words(&state, &mut inbound);
        let arrival = Arrival {
            id: inbound.id.clone(),
            at: inbound.at,
            at_ms: inbound.at_ms,
            client_key: inbound.client_key.clone(),
            dialect: inbound.dialect,
            place: inbound.place.take(),
        };
        let records: Arc<dyn Records> = self.0.store.records.clone();
        let mut ledger = Ledger::begin(arrival, inbound.model.as_deref().unwrap_or_default(), records);
        let served = match asked {
            Err(failure) => Err(Refused::local(failure, Next::GiveUp)),
            Ok(compacts) => tokio::select! {
                served = self.serve(&state, &inbound, &mut ledger) => {
                    if compacts { served.map(outbound::Ready::compacted) } else { served }
                }
                () = self.0.stopping.cancelled() => Err(Refused::local(stopped(), Next::GiveUp)),
            },
        };
        match served {
            Ok(ready) => ready.into_outbound(ledger),
            Err(refused) => outbound::refused(&inbound, &state, &refused, ledger),
        }
    }

    async fn serve(
        &self,
        state: &Arc<State>,
        inbound: &Inbound,
        ledger: &mut Ledger,
    ) -> Result<outbound::Ready, Refused> {
        let stop = |failure| Refused::local(failure, Next::GiveUp);
        let peek = Peek::of(inbound, &state.config.limits).map_err(stop)?;
        ledger.asked(&peek.model, peek.stream);
        // Who may ask for a model may ask for it with any amount of thinking.
        let names = [peek.model.as_str(), state.registry.plain_name(&peek.model)];
        let may = |pattern: &byok_config::Pattern| names.iter().any(|name| pattern.matches(name));
        if !inbound.allowed.is_empty() && !inbound.allowed.iter().any(may) {
            return Err(stop(not_allowed(&peek.model)));
        }
        let candidates = match &inbound.raw {
            Some(raw) => raw.candidates(&state.registry, &peek.model).map_err(stop)?,
            None => state.registry.resolve(&peek.model).map_err(stop)?,
        };
        if inbound.count {
            return self.count(state, inbound, &peek, &candidates, ledger).await;
        }
        self.try_all(state, inbound, &peek, &candidates, ledger).await
    }

    /// Tries the seats of all candidates in order.
    async fn try_all(
        &self,
        state: &Arc<State>,
        inbound: &Inbound,
        peek: &Peek,
        candidates: &[Candidate],
        ledger: &mut Ledger,
    ) -> Result<outbound::Ready, Refused> {
        let limit = u32::try_from(state.config.limits.attempts).unwrap_or(u32::MAX);
        let mut last: Option<Refused> = None;
        let mut resting: Option<Duration> = None;
        let mut lack = None;
        let mut tried = 0;
        let mut remote = Remote::allowed(&*self.0.fetch, &state.config);
        for (at, candidate) in rested_first(candidates, inbound).into_iter().enumerate() {
            let more = at + 1 < candidates.len();
            if tried >= limit {
                break;
            }
            let provider = &candidate.provider;
            let clients_own = provider.seat_for(inbound.brought.as_ref());
            let offer = match clients_own {
                Some(seat) => Offer::only(seat),
                None if provider.seats.is_empty() => {
                    last.get_or_insert(Refused::local(nothing_brought(provider.id.as_str()), Next::GiveUp));
                    continue;
                }
                None => {
                    let (model, prefix) = (&candidate.facts.id, candidate.prefix.as_deref());
                    pool::offer(&provider.seats, model, prefix, Instant::now())
                }
            };
            resting = [resting, offer.resting].into_iter().flatten().min();
            lack = lack.or(offer.lack);
            let Some(first) = offer.seats.first() else { continue };
            // What cannot be said to this candidate may be sayable to the next.
            let call = Spoken { executor: &self.0, state, inbound, peek };
            let mut words = match Words::of(call, candidate, first, remote.as_mut()).await {
                Ok(words) => words,
                Err(failure) if clients_own.is_some() => return Err(Refused::local(failure, Next::GiveUp)),
                Err(failure) => {
                    last.get_or_insert(Refused::local(failure, Next::GiveUp));
                    continue;
                }
            };
            if words.are_translated() && !self.0.budget.has_room() {
                last.get_or_insert(Refused::local(no_room(), Next::GiveUp));
                continue;
            }
            for seat in &offer.seats {
                // What is called again on the same seat, because nothing answered there, leaves the others their turn.
                if tried >= limit {
                    break;
                }
                tried += 1;
                match words.say(seat, remote.as_mut(), ledger).await {
                    Ok(ready) => return Ok(ready),
                    Err(refused) if clients_own.is_some() => return Err(refused.of_the_clients_own()),
                    Err(refused) if more && is_gone(&refused, &candidate.facts.id) => {
                        last = Some(telling(last, refused));
                        break;
                    }
                    Err(refused) if refused.verdict.next == Next::GiveUp => return Err(refused),
                    Err(refused) => last = Some(telling(last, refused)),
                }
            }
        }
        // Of two reasons the one that passes by itself is told.
        let lack = lack.filter(|_| resting.is_none()).map(|lack| Refused {
            failure: lack.failure.clone(),
            verdict: lack.verdict.clone(),
            headers: HeaderMap::new(),
        });
        let all_rest = || resting::told(candidates, resting);
        Err(last.or(lack).unwrap_or_else(|| Refused::local(all_rest(), Next::GiveUp)))
    }
}

/// The candidates in their order, those behind of which no seat is fresh: their trouble may be over, but others have none.
fn rested_first<'c>(candidates: &'c [Candidate], inbound: &Inbound) -> Vec<&'c Candidate> {
    if candidates.len() < 2 {
        return candidates.iter().collect();
    }
    let now = Instant::now();
    let fresh = |candidate: &&Candidate| {
        candidate.provider.seat_for(inbound.brought.as_ref()).is_some()
            || pool::has_fresh(
                &candidate.provider.seats,
                &candidate.facts.id,
                candidate.prefix.as_deref(),
                now,
            )
    };
    let (mut rested, tired): (Vec<_>, Vec<_>) = candidates.iter().partition(fresh);
    rested.extend(tired);
    rested
}

/// Whether a vendor says that it has no such model: another that is to serve the same request may have its own.
fn is_gone(refused: &Refused, model: &str) -> bool {
    let Refused { failure, verdict, .. } = refused;
    verdict.next == Next::GiveUp
        && failure.status == 404
        && (failure.code.as_deref() == Some("model_not_found") || count::names(&failure.message, model))
}

/// Of two refusals the one that says more to the client: a vendor's word before one of ours, the later before the earlier.
fn telling(old: Option<Refused>, new: Refused) -> Refused {
    match old {
        Some(old) if old.failure.raw.is_some() && new.failure.raw.is_none() => old,
        _ => new,
    }
}

/// What a client is told whose request was running when byok was stopped.
fn stopped() -> Failure {
    Failure::new(
        FailureKind::Server,
        Blame::Byok,
        "byok was stopped before this answer was complete. Send the request again.",
    )
    .with_status(503)
}

/// What a client is told while the running translations hold as much as they may.
fn no_room() -> Failure {
    Failure::new(
        FailureKind::Overloaded,
        Blame::Byok,
        "byok holds as much of running translations as it may (`limits.translation_memory`). Send the request again shortly.",
    )
    .with_status(503)
    .with_retry_after(Duration::from_secs(1))
}

fn not_allowed(model: &str) -> Failure {
    let mut failure = Failure::new(
        FailureKind::Permission,
        Blame::Client,
        format!("this client key may not ask for `{model}`; the owner of byok can allow it in `api_keys`."),
    );
    failure.param = Some("model".to_owned());
    failure
}
