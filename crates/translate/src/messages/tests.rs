//! Tests of the dialect as a whole; those of one file stand beside it.

use super::*;
use crate::{Ids, Incoming, ir::*};
use byok_types::{ModelFacts, ThinkingFacts, ThinkingForm};

/// A current first-party model that takes everything.
pub(super) fn claude() -> ModelFacts {
    ModelFacts {
        id: "claude-test".into(),
        family: Family::Claude,
        max_output_tokens: Some(64_000),
        thinking: ThinkingFacts {
            forms: vec![ThinkingForm::Budget, ThinkingForm::Adaptive, ThinkingForm::Effort],
            budget: Some((1024, 63_999)),
            levels: vec![Effort::Low, Effort::Medium, Effort::High, Effort::Xhigh, Effort::Max],
            can_disable: true,
            ..ThinkingFacts::default()
        },
        system_turns: true,
        first_party: true,
        ..ModelFacts::default()
    }
}

/// An older one, which takes budgets only and no system turns.
pub(super) fn old_claude() -> ModelFacts {
    ModelFacts {
        thinking: ThinkingFacts {
            forms: vec![ThinkingForm::Budget],
            budget: Some((1024, 63_999)),
            can_disable: true,
            ..ThinkingFacts::default()
        },
        system_turns: false,
        ..claude()
    }
}

pub(super) fn decoded(body: &str) -> Request {
    decode_request(&Incoming::body(body.as_bytes())).unwrap().value
}

pub(super) fn encoded(request: &Request, facts: &ModelFacts) -> (serde_json::Value, Vec<crate::Loss>) {
    let out = encode_request(request, facts, &mut Ids::new("t")).unwrap();
    (serde_json::from_slice(&out.value).expect("valid JSON"), out.losses)
}
