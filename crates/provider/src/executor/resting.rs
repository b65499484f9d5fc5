//! What clients are told while all accounts that could serve them rest.

use crate::{
    pool::{self, Cause, Problem},
    registry::Candidate,
};
use byok_types::{Blame, CREDENTIAL_REFUSED, Failure, FailureKind};
use std::time::Duration;

/// All accounts of the candidates rest; the next one is back after `wait`.
pub(super) fn told(candidates: &[Candidate], wait: Option<Duration>) -> Failure {
    match pool::unlimited(candidates) {
        Some(problem) => refused(&problem, wait),
        None => limited(wait),
    }
}

/// None rests for a limit: to wait is not what helps. What the first client was told of an account without money holds for the
/// next, too.
fn refused(problem: &Problem, wait: Option<Duration>) -> Failure {
    let text = format!(
        "every account that serves this model rests after a refusal of its vendor ({}): {}; `byok status` shows the \
         accounts.",
        problem.what.trim_end_matches(['.', ' ']),
        problem.remedy
    );
    let failure = match problem.cause {
        Cause::Money(status) => {
            // Some say it with the status of a wrong request, which this one is not.
            let status = if status == 429 { status } else { FailureKind::Billing.default_status() };
            Failure::new(FailureKind::Billing, Blame::Upstream, text).with_status(status)
        }
        Cause::Limit | Cause::Other => Failure::new(FailureKind::Credential, Blame::Byok, text)
            .with_status(503)
            .with_code(CREDENTIAL_REFUSED),
    };
    Failure { retry_after: wait.map(|wait| wait.max(Duration::from_secs(1))), ..failure }
}

/// All rest for a limit, or none may serve.
pub(super) fn limited(wait: Option<Duration>) -> Failure {
    match wait {
        Some(wait) => Failure::new(
            FailureKind::RateLimit,
            Blame::Upstream,
            format!(
                "every account that serves this model rests after a refusal of its vendor; the next one is back in {} s. \
                 `byok status` shows them.",
                wait.as_secs().max(1)
            ),
        )
        .with_retry_after(wait.max(Duration::from_secs(1))),
        None => Failure::new(
            FailureKind::NotFound,
            Blame::Client,
            "no account may serve this model: the config excludes it everywhere. `byok models` lists what can be asked for.",
        )
        .with_code("model_not_found"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_one_is_told_the_same_as_the_first() {
        for (cause, kind, status) in [
            (Cause::Money(402), FailureKind::Billing, 402),
            (Cause::Money(429), FailureKind::Billing, 429),
            (Cause::Money(400), FailureKind::Billing, 402),
            (Cause::Other, FailureKind::Credential, 503),
        ] {
            let problem = Problem { what: "No.".to_owned(), at: 0, remedy: "pay".to_owned(), cause };
            let failure = refused(&problem, Some(Duration::from_millis(10)));
            assert_eq!((failure.kind, failure.status), (kind, status), "{cause:?}");
            assert_eq!(failure.retry_after, Some(Duration::from_secs(1)), "{cause:?}");
            assert_eq!(failure.code.is_some(), kind == FailureKind::Credential, "{cause:?}");
            assert!(failure.message.contains("(No): pay;"), "{}", failure.message);
        }
        assert_eq!(limited(Some(Duration::ZERO)).status, 429);
        assert_eq!(limited(None).status, 404);
    }
}
