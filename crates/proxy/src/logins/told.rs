//! What is told of a login, as JSON.

use byok_auth::{
    Offer, Session, Stage,
    claims::{self, Claim, ClaimPlace},
};
use byok_types::{CredentialKind, Secret};
use serde_json::{Value, json};
use tokio::time::Instant;

/// A token, or the key of a session, as text: it goes to whoever asked for it, and nowhere else.
pub(crate) fn key(key: &Secret) -> &str {
    key.expose()
}

/// What a person should know before a login.
pub(super) fn offer(offer: &Offer) -> Value {
    let notice = claims::notice(offer.provider.as_str(), CredentialKind::Oauth);
    let notice =
        notice.map(|notice| json!({"rule": notice.rule, "risk": notice.risk, "source": notice.source}));
    let methods = offer.methods().map(|method| {
        let questions = method.questions.iter().map(
            |question| json!({"name": question.name, "prompt": question.prompt, "default": question.default, "secret": question.secret}),
        );
        json!({"name": method.name, "what": method.what, "questions": questions.collect::<Vec<_>>()})
    });
    let claims = claims::claims_of(offer.provider.as_str(), CredentialKind::Oauth);
    json!({
        "provider": offer.provider.as_str(),
        "ended": offer.vendor.ended,
        "notice": notice,
        "warnings": offer.warnings,
        "claims": claims.map(claim).collect::<Vec<_>>(),
        "methods": methods.collect::<Vec<_>>(),
    })
}

fn claim(claim: &Claim) -> Value {
    json!({"name": claim.name, "place": place(claim), "value": claim.value, "without": claim.without})
}

/// Where a claim goes, in words.
pub(super) fn place(claim: &Claim) -> String {
    match claim.place {
        ClaimPlace::FirstSystemBlock => "as the first block of the system prompt".to_owned(),
        ClaimPlace::Header(name) => format!("in the header `{name}`"),
    }
}

/// A word for a stage, by which the page notices a change.
pub(super) const fn word(stage: &Stage) -> &'static str {
    match stage {
        Stage::Asking { .. } => "asking",
        Stage::Busy => "busy",
        Stage::Browser { .. } => "browser",
        Stage::Device { .. } => "device",
        Stage::Done { .. } => "done",
    }
}

/// Where a login stands.
pub(super) fn session(session: &Session) -> Value {
    let stage = session.stage();
    let mut told = json!({"provider": session.provider().as_str(), "state": word(&stage)});
    let more = match stage {
        Stage::Busy => Value::Null,
        Stage::Asking { problem } => {
            let mut more = offer(session.offer());
            more["problem"] = problem.into();
            more["others"] = session.has_others().into();
            more
        }
        Stage::Browser { page, returns, problem } => {
            json!({"open": page.as_str(), "returns": returns, "problem": problem})
        }
        Stage::Device { page, code, ends } => {
            let left = ends.saturating_duration_since(Instant::now()).as_secs();
            json!({"open": page.as_str(), "user_code": code, "expires_in": left})
        }
        Stage::Done { account, without, replaced, ends } => json!({
            "account": account.label, "email": account.email, "plan": account.plan, "claims": account.claims,
            "without": without.into_iter().map(claim).collect::<Vec<_>>(), "replaced": replaced, "ends_at": ends,
        }),
    };
    if let (Some(told), Value::Object(more)) = (told.as_object_mut(), more) {
        told.extend(more);
    }
    told
}
