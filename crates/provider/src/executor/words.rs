//! A request in the words of one candidate: said to a seat, and said once more in others where the vendor refuses these.

use super::{
    Inbound, Inner, Refused,
    attempt::Attempt,
    media::Remote,
    outbound::Ready,
    peek::Peek,
    prepare::{Prepared, Way, account_of},
    seals::refuses_seal,
};
use crate::{
    knowledge::elsewhere, ledger::Ledger, pool::Seat, registry::Candidate, state::State, upstream::Next,
};
use byok_translate::may_bear_carriers;
use byok_types::{Dialect, Failure, ModelFacts};
use std::sync::{Arc, OnceLock};

/// What is said, and by whom.
#[derive(Clone, Copy)]
pub(super) struct Spoken<'a> {
    pub(super) executor: &'a Arc<Inner>,
    pub(super) state: &'a Arc<State>,
    pub(super) inbound: &'a Inbound,
    pub(super) peek: &'a Peek,
}

/// The request as a candidate is asked.
pub(super) struct Words<'a> {
    call: Spoken<'a>,
    candidate: Candidate,
    prepared: Prepared,
    /// Whether no seals are sent, because one was refused.
    unsealed: bool,
    /// The account to which the vendor binds seals.
    account: Option<String>,
}

impl<'a> Words<'a> {
    /// The request in the words of a candidate, for the seat that comes first.
    pub(super) async fn of(
        call: Spoken<'a>,
        candidate: &Candidate,
        first: &Seat,
        remote: Option<&mut Remote<'_>>,
    ) -> Result<Self, Failure> {
        let account = account_of(candidate, first, call.peek);
        let means = call.executor.means(remote, /* unsealed */ false, account.as_deref());
        let prepared = Prepared::of(call.inbound, call.peek, candidate, means).await?;
        Ok(Self { call, candidate: candidate.clone(), prepared, unsealed: false, account })
    }

    /// Has only those seals in it that are of the seat's account.
    async fn turn_to(&mut self, seat: &Seat, remote: Option<&mut Remote<'_>>) -> Result<(), Failure> {
        let Spoken { executor, inbound, peek, .. } = self.call;
        let account = account_of(&self.candidate, seat, peek);
        if account == self.account {
            return Ok(());
        }
        self.account = account;
        // What byok keeps for clients of Chat is not seen in the body.
        if inbound.dialect == Dialect::Chat || may_bear_carriers(inbound.dialect, &inbound.body) {
            let means = executor.means(remote, self.unsealed, self.account.as_deref());
            self.prepared = Prepared::of(inbound, peek, &self.candidate, means).await?;
        } else {
            self.prepared.seal_for(self.account.as_deref());
        }
        Ok(())
    }

    /// Whether the answer will be translated.
    pub(super) fn are_translated(&self) -> bool {
        self.prepared.way == Way::Translate
    }

    /// Says it to a seat.
    pub(super) async fn say(
        &mut self,
        seat: &Arc<Seat>,
        mut remote: Option<&mut Remote<'_>>,
        ledger: &mut Ledger,
    ) -> Result<Ready, Refused> {
        let turned = self.turn_to(seat, remote.as_deref_mut()).await;
        turned.map_err(|failure| Refused::local(failure, Next::GiveUp))?;
        loop {
            let mut refused = match self.attempt(seat).run(ledger).await {
                Ok(ready) => return Ok(ready),
                Err(refused) => refused,
            };
            if !self.changed(&refused, seat, remote.as_deref_mut()).await {
                if refused.verdict.next == Next::OtherEndpoint {
                    refused.verdict.next = Next::GiveUp;
                }
                return Err(refused);
            }
        }
    }

    fn attempt<'s>(&'s self, seat: &'s Arc<Seat>) -> Attempt<'s> {
        let Spoken { executor, state, inbound, peek } = self.call;
        Attempt {
            executor,
            state,
            inbound,
            peek,
            candidate: &self.candidate,
            seat,
            prepared: &self.prepared,
            shaped_away: OnceLock::new(),
        }
    }

    /// Whether there are other words, which the refusal leaves open: without the seals, or those of another endpoint.
    async fn changed(&mut self, refused: &Refused, seat: &Seat, remote: Option<&mut Remote<'_>>) -> bool {
        let Spoken { executor, inbound, peek, .. } = self.call;
        let provider = &self.candidate.provider;
        if inbound.raw.is_some() {
            return false;
        }
        if refused.verdict.next == Next::OtherEndpoint {
            let facts = &self.candidate.facts;
            seat.known.not_at(&facts.id, self.prepared.dialect);
            let refused = seat.known.refused_at(&facts.id);
            let Some(endpoints) = elsewhere(&facts.endpoints, provider.upstream.endpoints(), &refused) else {
                return false;
            };
            tracing::info!(
                provider = provider.id.as_str(),
                refused = %self.prepared.dialect,
                "the upstream does not serve the model at this endpoint; trying another"
            );
            self.candidate.facts = Arc::new(ModelFacts { endpoints, ..ModelFacts::clone(facts) });
        } else if refuses_seal(&refused.failure) && !self.unsealed {
            self.unsealed = true;
            let told = provider.upstream.tells_lost_calls(
                self.prepared.dialect,
                &self.candidate.facts,
                &self.prepared.body,
            );
            if let Some(told) = told {
                tracing::warn!(
                    provider = provider.id.as_str(),
                    "the upstream refused calls without its seal; trying once more with them told in words"
                );
                self.prepared.body = told.value;
                self.prepared.losses.extend(told.losses);
                return true;
            }
            tracing::warn!(
                provider = provider.id.as_str(),
                "the upstream refused sealed reasoning of the history; trying once more without any"
            );
        } else {
            return false;
        }
        self.account = account_of(&self.candidate, seat, peek);
        let means = executor.means(remote, self.unsealed, self.account.as_deref());
        let Ok(prepared) = Prepared::of(inbound, peek, &self.candidate, means).await else { return false };
        // The same words again would be refused again.
        let others = prepared.dialect != self.prepared.dialect || prepared.body != self.prepared.body;
        self.prepared = prepared;
        others
    }
}
