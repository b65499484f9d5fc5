//! Counting tokens: at the upstream where it can, else by estimate.

use super::{Executor, Inbound, Refused, attempt::Attempt, outbound, peek::Peek, prepare, resting};
use crate::{ledger::Ledger, registry::Candidate, state::State, upstream::Next};
use byok_types::{Blame, CLAIM_NOT_ACCEPTED, Dialect, Failure, FailureKind, ProviderId};
use parking_lot::Mutex;
use std::{collections::HashSet, sync::Arc};

/// Providers of the settings that turned out not to count, by name and address. A restart forgets them.
#[derive(Debug, Default)]
pub(super) struct Uncounted(Mutex<HashSet<(ProviderId, String)>>);

impl Uncounted {
    fn has(&self, candidate: &Candidate) -> bool {
        let provider = &candidate.provider;
        let known = self.0.lock();
        !known.is_empty()
            && provider.all_seats().any(|seat| known.contains(&(provider.id.clone(), seat.base.clone())))
    }
}

/// Whether a candidate counts by itself as far as it is known: a vendor's own service, or a server of the settings that speaks
/// a dialect in which one counts.
fn counts(candidate: &Candidate, client: Dialect, uncounted: &Uncounted) -> bool {
    let dialect = candidate.dialect(client);
    match candidate.provider.dialect {
        Some(own @ (Dialect::Messages | Dialect::Gemini)) => own == dialect && !uncounted.has(candidate),
        _ => {
            (candidate.facts.first_party || candidate.provider.upstream.counts_tokens())
                && matches!(dialect, Dialect::Messages | Dialect::Gemini | Dialect::Responses)
        }
    }
}

impl Executor {
    /// Counts the tokens of a request.
    pub(super) async fn count(
        &self,
        state: &Arc<State>,
        inbound: &Inbound,
        peek: &Peek,
        candidates: &[Candidate],
        ledger: &mut Ledger,
    ) -> Result<outbound::Ready, Refused> {
        let Some(candidate) = candidates.first() else {
            return Err(Refused::local(resting::limited(None), Next::GiveUp));
        };
        let able = candidates.iter().take_while(|one| counts(one, peek.dialect, &self.0.uncounted)).count();
        if able > 0 {
            match self.try_all(state, inbound, peek, &candidates[..able], ledger).await {
                Err(refused) if is_for_the_client(&refused.failure, candidate) => return Err(refused),
                Err(refused) => tracing::debug!(failure = %refused.failure, "counting tokens by estimate"),
                counted => return counted,
            }
        }
        let tokens = prepare::estimate(inbound, peek, candidate.facts.family, &self.0.aside)
            .await
            .map_err(|failure| Refused::local(failure, Next::GiveUp))?;
        Ok(outbound::Ready::counted(inbound, tokens).estimated(true))
    }
}

impl Attempt<'_> {
    /// Whether a refusal says that a server of the settings does not count: no matter of the seat, and none for the client.
    pub(super) fn does_not_count(&self, failure: &Failure) -> Option<Refused> {
        let provider = &self.candidate.provider;
        let missing = matches!(failure.status, 404 | 405 | 501);
        let of_model = names(&failure.message, &self.candidate.facts.id);
        if !self.inbound.count || !missing || of_model || provider.dialect.is_none() {
            return None;
        }
        let known = (provider.id.clone(), self.seat.base.clone());
        self.executor.uncounted.0.lock().insert(known);
        let text = format!("`{}` does not count tokens.", provider.id);
        Some(Refused::local(Failure::new(FailureKind::NotFound, Blame::Upstream, text), Next::GiveUp))
    }
}

/// Whether a vendor refuses the request itself. A 404 is mostly a gateway that does not count; one that names the model is
/// about the model. What else a server of the settings makes of a count does not matter: it may not know the endpoint.
fn is_for_the_client(failure: &Failure, candidate: &Candidate) -> bool {
    let of_model = failure.status == 404 && names(&failure.message, &candidate.facts.id);
    // Without consent nothing is asked, and nothing need be: byok can count.
    let unasked = failure.code.as_deref() == Some(CLAIM_NOT_ACCEPTED);
    let of_request = failure.status != 404 && candidate.provider.dialect.is_none() && !unasked;
    failure.blame == Blame::Client && (of_model || of_request)
}

/// Whether a text names a model: as a word, and not as a part of another name.
pub(super) fn names(text: &str, model: &str) -> bool {
    let of_a_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '@' | '/');
    text.split(|c| !of_a_name(c))
        .map(|word| word.trim_end_matches(['.', ':']))
        .filter(|word| !word.is_empty())
        .any(|word| word == model || word.strip_suffix(model).is_some_and(|before| before.ends_with('/')))
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_model_is_named_by_its_whole_name() {
        for (text, model, expected) in [
            ("model: claude-sonnet-5", "claude-sonnet-5", true),
            ("The model `o3` does not exist.", "o3", true),
            ("models/gemini-2.5-flash is not found for API version v1beta", "gemini-2.5-flash", true),
            ("no model meta/llama-4: sorry", "meta/llama-4", true),
            ("There is no gpt-4.1.", "gpt-4.1", true),
            ("The model `o3-mini` does not exist", "o3", false),
            ("Not found: gpt-4.1", "gpt-4", false),
            ("Invalid URL (POST /v1/messages/count_tokens)", "m", false),
            ("Not Found", "", false),
        ] {
            assert_eq!(names(text, model), expected, "{text}");
        }
    }
}
