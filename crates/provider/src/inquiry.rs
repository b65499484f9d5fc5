//! Asking vendors which models they offer and what is left of a plan, politely.
//!
//! Lists are asked for at most every ten minutes, limits at most every five, for each credential, and only when somebody
//! wants to know. What was told before is shown meanwhile; a vendor that does not answer costs nobody anything.

use crate::{
    executor::Executor,
    pool::{Access, Seat},
    registry::Provider,
    state::State,
    upstream::{Ask, Lookup, Operation, Token},
};
use byok_transport::{Call, CallTimeouts, Host};
use byok_types::{CredentialKind, Dialect};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use http::{HeaderValue, header};
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

/// How often a list of models is asked for.
const MODELS_EVERY: Duration = Duration::from_mins(10);
/// How often the limits of a plan are asked for.
const QUOTA_EVERY: Duration = Duration::from_mins(5);
/// How long one vendor may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The largest answer that is read.
const LARGEST: usize = 4 << 20;

impl Executor {
    /// Asks for the lists of models that are due, in the background. What changes is seen by the next look at the registry.
    pub fn refresh_models(&self, state: &Arc<State>) {
        for (provider, seat) in seats(state) {
            if !provider.upstream.lists_models() || !seat.known.models_due(MODELS_EVERY) {
                continue;
            }
            let (executor, provider, seat) = (self.clone(), provider.clone(), seat.clone());
            tokio::spawn(async move {
                let upstream = &provider.upstream;
                let told =
                    executor.ask(&provider, &seat, |base, token| upstream.ask_models(base, token)).await;
                if let Some(body) = told {
                    seat.known.listed(upstream.read_models(&body));
                }
            });
        }
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

    async fn ask_quota(&self, provider: &Provider, seat: &Seat) {
        let upstream = &provider.upstream;
        let told = self.ask(provider, seat, |base, token| upstream.ask_quota(base, token)).await;
        let Some(body) = told else { return };
        let now = now();
        let quota = upstream.read_quota(&body, now);
        seat.known.told(quota.windows, now);
        if quota.plan.is_some() && matches!(seat.access, Access::Account { .. }) {
            self.note_plan(&seat.id, quota.plan).await;
        }
    }

    /// Makes one inquiry; `None` if nothing can be asked or nothing good was answered.
    async fn ask(
        &self,
        provider: &Provider,
        seat: &Seat,
        lookup: impl FnOnce(&str, &Token) -> Option<Lookup>,
    ) -> Option<Bytes> {
        let token = self.token_of(seat).await?;
        let asking = Ask {
            operation: Operation::Models,
            dialect: Dialect::Chat,
            model: "",
            client: None,
            needed: &[],
            claims: &seat.claims,
        };
        if provider.upstream.demands(&asking, &token).is_some() {
            // Its owner has not consented to what would have to be said.
            return None;
        }
        let base = provider.upstream.base(&seat.base, &token);
        let Lookup { method, url, mut headers, body } = lookup(&base, &token)?;
        provider.upstream.claim_headers(&seat.claims, &mut headers);
        let host = Host::of(&url).ok()?;
        let ours = seat.hosts.contains(&host) || provider.upstream.trusts(url.host_str().unwrap_or_default());
        if !ours {
            tracing::debug!(
                provider = provider.id.as_str(),
                "an address of a credential is not its vendor's"
            );
            return None;
        }
        let mut call = Call::new(method, url, [host].into(), CallTimeouts::within(PATIENCE));
        call.headers = headers;
        call.headers.entry(header::ACCEPT).or_insert(HeaderValue::from_static("application/json"));
        call.headers.extend(seat.headers.clone());
        call.body = body;
        call.proxy.clone_from(&seat.proxy);
        match self.transport().send_buffered(call, LARGEST).await {
            Ok(reply) if reply.status.is_success() => Some(reply.body),
            Ok(reply) => {
                tracing::debug!(
                    provider = provider.id.as_str(),
                    status = reply.status.as_u16(),
                    "an inquiry was refused"
                );
                None
            }
            Err(error) => {
                tracing::debug!(provider = provider.id.as_str(), %error, "an inquiry was not answered");
                None
            }
        }
    }

    /// A token for an inquiry.
    async fn token_of(&self, seat: &Seat) -> Option<Token> {
        match &seat.access {
            Access::Key(key) => Some(Token::key(key.clone())),
            Access::Account { .. } => {
                let access = self.tokens().access(&seat.id).await.ok()?;
                let oauth = access.kind == CredentialKind::Oauth;
                Some(Token {
                    secret: access.token.clone(),
                    oauth,
                    hash: oauth.then_some(access.hash),
                    facts: access.facts.clone(),
                })
            }
        }
    }
}

fn seats(state: &State) -> impl Iterator<Item = (&Arc<Provider>, &Arc<Seat>)> {
    state.registry.providers().flat_map(|provider| provider.seats.iter().map(move |seat| (provider, seat)))
}

/// Unix time in seconds.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
