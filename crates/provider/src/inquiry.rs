//! Asking vendors which models they offer and what is left of a plan, politely.
//!
//! Lists are asked for at most every ten minutes, limits at most every five, for each credential, and only when somebody
//! wants to know. What was told before is shown meanwhile; a vendor that does not answer costs nobody anything.

use crate::{
    executor::Executor,
    knowledge::{Discovered, Window},
    pool::{Access, Seat},
    registry::Provider,
    state::State,
    upstream::{Ask, Lookup, Operation, Token},
};
use byok_config::ExtraUsage;
use byok_transport::{Call, CallTimeouts, Host};
use byok_types::Dialect;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use http::{HeaderValue, StatusCode, header};
use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

/// How often a list of models is asked for.
const MODELS_EVERY: Duration = Duration::from_mins(10);
/// The same for the sake of a model of which nothing is known, which may stay so.
const UNKNOWN_EVERY: Duration = Duration::from_hours(24);
/// The same of a server that has said that it has none.
const WITHOUT_LIST_EVERY: Duration = Duration::from_hours(24);
/// How often a list is asked for that seems to be old.
const LIST_IS_OLD: Duration = Duration::from_mins(1);
/// How often the name of a plan is asked for, where that is a call of its own.
const PLAN_EVERY: Duration = Duration::from_hours(24);
/// How often the limits of a plan are asked for.
const QUOTA_EVERY: Duration = Duration::from_mins(5);
/// How long one vendor may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The same while a request waits.
const BRIEFLY: Duration = Duration::from_secs(3);
/// Most pages of a list of models.
const MOST_PAGES: usize = 20;
/// The largest answer that is read.
const LARGEST: usize = 4 << 20;

impl Executor {
    /// Asks for the lists of models that are due, in the background. What changes is seen by the next look at the registry.
    pub fn refresh_models(&self, state: &Arc<State>) {
        for (provider, seat) in seats(state) {
            self.ask_for_list(provider, seat, MODELS_EVERY);
        }
    }

    /// Asks for the list of a provider at which a model is used of which nothing is known, once a day: it may say what the next
    /// request can go by.
    pub(crate) fn look_for_facts(&self, provider: &Arc<Provider>, seat: &Arc<Seat>) {
        self.ask_for_list(provider, seat, UNKNOWN_EVERY);
    }

    /// Asks for the models of one account sooner than usual: something says that its list is another now.
    pub(crate) fn refresh_list(&self, provider: &Arc<Provider>, seat: &Arc<Seat>) {
        self.ask_for_list(provider, seat, LIST_IS_OLD);
    }

    /// Asks for the models of one account in the background, if that has not been done for such a time.
    fn ask_for_list(&self, provider: &Arc<Provider>, seat: &Arc<Seat>, every: Duration) {
        if !provider.upstream.lists_models() || !seat.known.models_due(every, WITHOUT_LIST_EVERY) {
            return;
        }
        let (executor, provider, seat) = (self.clone(), provider.clone(), seat.clone());
        tokio::spawn(async move {
            match executor.ask_models(&provider, &seat).await {
                Ok(models) => seat.known.listed(models),
                Err(Unheard::NoSuchThing) => seat.known.lists_none(),
                Err(Unheard::NotAsked) => seat.known.models_not_asked(),
                Err(Unheard::NotNow | Unheard::Refused) => {}
            }
        });
    }

    /// Asks for the limits that are due and waits for the answers, for `patience` at most.
    pub async fn refresh_quotas(&self, state: &Arc<State>, patience: Duration) {
        let asked = seats(state)
            .filter(|(provider, seat)| provider.upstream.tells_quota() && seat.known.quota_due(QUOTA_EVERY));
        let mut asking: FuturesUnordered<_> = asked
            .map(|(provider, seat)| {
                let (executor, provider, seat) = (self.clone(), provider.clone(), seat.clone());
                tokio::spawn(async move { executor.ask_quota(&provider, &seat).await })
            })
            .collect();
        let all = async { while asking.next().await.is_some() {} };
        // What comes later is shown the next time.
        let _ = tokio::time::timeout(patience, all).await;
    }

    /// The list of models, page by page; only a whole one counts.
    async fn ask_models(&self, provider: &Provider, seat: &Seat) -> Result<Vec<Discovered>, Unheard> {
        let upstream = &provider.upstream;
        let mut asked = None;
        let first = |base: &str, token: &Token| {
            asked = upstream.ask_models(base, token);
            asked.clone()
        };
        let mut page = self.ask(provider, seat, first).await?;
        let mut models = upstream.read_models(&page);
        for _ in 1..MOST_PAGES {
            let next = asked.as_ref().and_then(|asked| upstream.ask_more_models(asked, &page));
            let Some(next) = next else { break };
            page = self.ask(provider, seat, |_, _| Some(next.clone())).await?;
            models.extend(upstream.read_models(&page));
        }
        Ok(models)
    }

    /// When the plan of an account opens again that is used up, Unix time in seconds; `None` if the vendor does not say it now.
    pub(crate) async fn reset_of(&self, provider: &Provider, seat: &Seat) -> Option<i64> {
        if seat.known.quota_due(QUOTA_EVERY) {
            // A request waits for it.
            let _ = tokio::time::timeout(BRIEFLY, self.ask_quota(provider, seat)).await;
        }
        reset_in(&seat.known.windows()?.1, !provider.upstream.may_refuse_with_room())
    }

    /// Asks about the plan of an account in the background, if that is due: its answer may tell of a charge.
    pub(crate) fn look_for_charges(&self, provider: &Arc<Provider>, seat: &Arc<Seat>) {
        if seat.known.quota_due(QUOTA_EVERY) {
            let (executor, provider, seat) = (self.clone(), provider.clone(), seat.clone());
            tokio::spawn(async move { executor.ask_quota(&provider, &seat).await });
        }
    }

    /// The models of an account that go on when its plan is used up; `None` if the vendor does not list them.
    pub(crate) async fn included_of(&self, provider: &Provider, seat: &Seat) -> Option<Vec<String>> {
        let unknown = seat.known.included().is_none();
        let lists = provider.upstream.lists_models();
        if unknown && lists && seat.known.models_due(MODELS_EVERY, WITHOUT_LIST_EVERY) {
            // A request waits for it.
            let asked = tokio::time::timeout(BRIEFLY, self.ask_models(provider, seat)).await;
            if matches!(asked, Ok(Err(Unheard::NotAsked))) {
                seat.known.models_not_asked();
            }
            seat.known.listed(asked.ok().and_then(Result::ok).unwrap_or_default());
        }
        seat.known.included()
    }

    async fn ask_quota(&self, provider: &Provider, seat: &Seat) {
        let upstream = &provider.upstream;
        let told = self.ask(provider, seat, |base, token| upstream.ask_quota(base, token)).await;
        let body = match told {
            Ok(body) => body,
            Err(Unheard::NotAsked) => return seat.known.quota_not_asked(),
            Err(Unheard::NoSuchThing | Unheard::NotNow | Unheard::Refused) => return,
        };
        let now = now();
        let quota = upstream.read_quota(&body, now);
        if quota.has_room() {
            // Its owner has more credits now than when it was refused.
            seat.health.opened(Instant::now());
        }
        seat.known.told(quota.windows, now);
        if provider.extra_usage == ExtraUsage::Stop && upstream.quota_charges(&body) {
            self.stop_charging(provider, seat, now).await;
        }
        let is_account = matches!(seat.access, Access::Account { .. });
        let mut plan = quota.plan;
        if plan.is_none() && is_account && seat.known.plan_due(PLAN_EVERY) {
            let told = self.ask(provider, seat, |base, token| upstream.ask_plan(base, token)).await;
            plan = told.ok().and_then(|body| upstream.read_plan(&body));
        }
        if plan.is_some() && is_account {
            self.note_plan(&seat.id, plan).await;
        }
    }

    /// Makes one inquiry. Whatever comes of it, no seat rests for it.
    async fn ask(
        &self,
        provider: &Provider,
        seat: &Seat,
        mut lookup: impl FnMut(&str, &Token) -> Option<Lookup>,
    ) -> Result<Bytes, Unheard> {
        let token = self.token_of(seat).await.ok_or(Unheard::NotAsked)?;
        let told = self.ask_with(provider, seat, &token, &mut lookup).await;
        let (Err(Unheard::Refused), Some(hash)) = (&told, token.hash) else { return told };
        // A token can be taken back before its end: as for any request another one is got, once.
        let fresh = self.tokens().refresh_now(&seat.id, hash).await.map_err(|_| Unheard::NotNow)?;
        self.ask_with(provider, seat, &Token::of(&fresh), &mut lookup).await
    }

    async fn ask_with(
        &self,
        provider: &Provider,
        seat: &Seat,
        token: &Token,
        lookup: &mut impl FnMut(&str, &Token) -> Option<Lookup>,
    ) -> Result<Bytes, Unheard> {
        let asking = Ask {
            operation: Operation::Models,
            dialect: Dialect::Chat,
            model: "",
            client: None,
            needed: &[],
            claims: &seat.claims,
        };
        if provider.upstream.demands(&asking, token).is_some() {
            // Its owner has not consented to what would have to be said.
            return Err(Unheard::NotAsked);
        }
        let base = provider.upstream.base(&seat.base, token);
        let Lookup { method, url, mut headers, body } = lookup(&base, token).ok_or(Unheard::NotNow)?;
        provider.upstream.claim_headers(&seat.claims, &mut headers);
        let host = Host::of(&url).map_err(|_| Unheard::NotNow)?;
        let ours = seat.hosts.contains(&host) || provider.upstream.trusts(url.host_str().unwrap_or_default());
        if !ours {
            tracing::debug!(
                provider = provider.id.as_str(),
                "an address of a credential is not its vendor's"
            );
            return Err(Unheard::NotNow);
        }
        let mut call = Call::new(method, url, [host].into(), CallTimeouts::within(PATIENCE));
        call.headers = headers;
        call.headers.entry(header::ACCEPT).or_insert(HeaderValue::from_static("application/json"));
        call.headers.extend(seat.headers.clone());
        call.body = body;
        call.proxy.clone_from(&seat.proxy);
        match self.transport().send_buffered(call, LARGEST).await {
            Ok(reply) if reply.status.is_success() => Ok(reply.body),
            Ok(reply) => {
                tracing::debug!(
                    provider = provider.id.as_str(),
                    status = reply.status.as_u16(),
                    "an inquiry was refused"
                );
                if reply.status == StatusCode::UNAUTHORIZED {
                    return Err(Unheard::Refused);
                }
                let none =
                    [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED, StatusCode::NOT_IMPLEMENTED];
                Err(if none.contains(&reply.status) { Unheard::NoSuchThing } else { Unheard::NotNow })
            }
            Err(error) => {
                tracing::debug!(provider = provider.id.as_str(), %error, "an inquiry was not answered");
                Err(Unheard::NotNow)
            }
        }
    }

    /// A token for an inquiry.
    async fn token_of(&self, seat: &Seat) -> Option<Token> {
        match &seat.access {
            Access::Client => None,
            Access::Key(key) => Some(Token::key(key.clone())),
            Access::Account { .. } => Some(Token::of(&*self.tokens().access(&seat.id).await.ok()?)),
        }
    }
}

/// When an account of these limits opens again that is used up: with the last limit that is, or, if the vendor shows none
/// as used up and `one_is`, with the first of all.
fn reset_in(windows: &[Window], one_is: bool) -> Option<i64> {
    let used_up = windows.iter().filter(|window| window.used >= 1.0).filter_map(|window| window.resets_at);
    used_up.max().or_else(|| windows.iter().filter(|_| one_is).filter_map(|window| window.resets_at).min())
}

/// Why an inquiry brought nothing.
#[derive(Clone, Copy, Debug)]
enum Unheard {
    /// The server has nothing at this address.
    NoSuchThing,
    /// It gave no good answer: another time it may.
    NotNow,
    /// It does not take the token.
    Refused,
    /// There is no token, or no consent: it has not been asked, and is when that changes.
    NotAsked,
}

fn seats(state: &State) -> impl Iterator<Item = (&Arc<Provider>, &Arc<Seat>)> {
    state.registry.providers().flat_map(|provider| provider.seats.iter().map(move |seat| (provider, seat)))
}

/// Unix time in seconds.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Window, reset_in};

    #[test]
    fn a_used_up_plan_opens_with_the_limit_that_is_used_up() {
        let window =
            |used: f64, resets_at: Option<i64>| Window { name: "w".to_owned(), used, resets_at, scope: None };
        for (windows, expected, shown) in [
            (vec![window(0.4, Some(900)), window(1.0, Some(50))], Some(50), true),
            (vec![window(1.0, Some(900)), window(1.2, Some(50))], Some(900), true),
            (vec![window(0.99, Some(900)), window(0.2, Some(50))], Some(50), false),
            (vec![window(1.0, None), window(0.2, Some(50))], Some(50), false),
            (vec![window(1.0, None)], None, false),
            (Vec::new(), None, false),
        ] {
            assert_eq!(reset_in(&windows, true), expected, "{windows:?}");
            assert_eq!(reset_in(&windows, false), expected.filter(|_| shown), "{windows:?}");
        }
    }
}
