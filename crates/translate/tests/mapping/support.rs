//! Rows of the tables, and how they are held against the translator.

use byok_translate::{Ids, Incoming, Loss, LossAction, codec};
use byok_types::{
    Dialect, Effort, Failure, Family, MaxTokensField, ModelFacts, StructuredOutput, ThinkingFacts,
    ThinkingForm,
};
use serde_json::{Value, json};

pub(crate) const CHAT: Dialect = Dialect::Chat;
pub(crate) const RESPONSES: Dialect = Dialect::Responses;
pub(crate) const MESSAGES: Dialect = Dialect::Messages;
pub(crate) const GEMINI: Dialect = Dialect::Gemini;

/// A model of the vendor of each dialect.
pub(crate) fn facts(dialect: Dialect) -> ModelFacts {
    let (family, forms) = match dialect {
        CHAT | RESPONSES => (Family::Openai, vec![ThinkingForm::Level]),
        MESSAGES => (Family::Claude, vec![ThinkingForm::Budget]),
        GEMINI => (Family::Gemini, vec![ThinkingForm::Budget]),
    };
    ModelFacts {
        id: "up".into(),
        family,
        max_output_tokens: Some(64_000),
        thinking: ThinkingFacts {
            forms,
            budget: Some((1024, 63_999)),
            can_disable: true,
            ..ThinkingFacts::default()
        },
        max_tokens_field: MaxTokensField::MaxCompletionTokens,
        developer_role: true,
        first_party: true,
        ..ModelFacts::default()
    }
}

/// A server that only speaks the dialect.
pub(crate) fn compatible(facts: &mut ModelFacts) {
    facts.first_party = false;
    facts.family = Family::Other;
    facts.max_tokens_field = MaxTokensField::MaxTokens;
    facts.developer_role = false;
}

/// A model that takes levels.
pub(crate) fn levels(facts: &mut ModelFacts) {
    facts.thinking.forms = if facts.family == Family::Claude {
        vec![ThinkingForm::Adaptive, ThinkingForm::Effort]
    } else {
        vec![ThinkingForm::Level]
    };
    facts.thinking.levels = vec![Effort::Low, Effort::Medium, Effort::High];
}

/// A model that is asked for JSON by a tool.
pub(crate) fn forced(facts: &mut ModelFacts) {
    facts.structured_output = StructuredOutput::ForcedTool;
}

/// What is to become of a row at one target.
#[derive(Clone, Debug)]
pub(crate) enum Want {
    /// The body holds this value at this place.
    Has(&'static str, Value),
    /// The body holds nothing at this place.
    Lacks(&'static str),
    /// This text stands somewhere in the body.
    Says(&'static str),
    /// This text stands nowhere in the body.
    Silence(&'static str),
    /// The field is lost in this way.
    Lost(LossAction, &'static str),
    /// Nothing is lost.
    Whole,
    /// A 400 that names the field.
    Refused(&'static str),
}

pub(crate) fn has(place: &'static str, value: impl Into<Value>) -> Vec<Want> {
    vec![Want::Has(place, value.into())]
}

pub(crate) fn lacks(place: &'static str) -> Vec<Want> {
    vec![Want::Lacks(place)]
}

pub(crate) fn says(text: &'static str) -> Vec<Want> {
    vec![Want::Says(text)]
}

pub(crate) fn silence(text: &'static str) -> Vec<Want> {
    vec![Want::Silence(text)]
}

pub(crate) fn dropped(field: &'static str) -> Vec<Want> {
    vec![Want::Lost(LossAction::Dropped, field)]
}

pub(crate) fn silent(field: &'static str) -> Vec<Want> {
    vec![Want::Lost(LossAction::DroppedSilently, field)]
}

pub(crate) fn emulated(field: &'static str) -> Vec<Want> {
    vec![Want::Lost(LossAction::Emulated, field)]
}

pub(crate) fn whole() -> Vec<Want> {
    vec![Want::Whole]
}

pub(crate) fn refused(field: &'static str) -> Vec<Want> {
    vec![Want::Refused(field)]
}

/// Two wishes about one target.
pub(crate) fn and(mut one: Vec<Want>, other: Vec<Want>) -> Vec<Want> {
    one.extend(other);
    one
}

/// One row: what a client says, and what becomes of it at each target.
pub(crate) struct Row {
    name: &'static str,
    client: Dialect,
    body: Value,
    model: fn(&mut ModelFacts),
    targets: Vec<(Dialect, Vec<Want>)>,
}

/// A row about members of a request that says little else.
pub(crate) fn row(name: &'static str, client: Dialect, members: &Value) -> Row {
    let user = json!({"role": "user", "content": "x"});
    let mut body = match client {
        CHAT => json!({"model": "m", "messages": [user]}),
        RESPONSES => json!({"model": "m", "input": "x"}),
        MESSAGES => json!({"model": "m", "max_tokens": 1000, "messages": [user]}),
        GEMINI => json!({"contents": [{"role": "user", "parts": [{"text": "x"}]}]}),
    };
    for (member, value) in members.as_object().unwrap() {
        body[member] = value.clone();
    }
    Row { name, client, body, model: |_| {}, targets: Vec::new() }
}

impl Row {
    /// What becomes of it at `target`.
    pub(crate) fn to(mut self, target: Dialect, wants: Vec<Want>) -> Self {
        self.targets.push((target, wants));
        self
    }

    /// At models that differ from the usual one.
    pub(crate) fn at(mut self, model: fn(&mut ModelFacts)) -> Self {
        self.model = model;
        self
    }

    fn check(&self, faults: &mut Vec<String>) {
        let others = Dialect::ALL.into_iter().filter(|dialect| *dialect != self.client);
        for target in others {
            let Some((_, wants)) = self.targets.iter().find(|(known, _)| *known == target) else {
                faults.push(format!("{}: {:?} to {target:?} is not told of", self.name, self.client));
                continue;
            };
            let mut facts = facts(target);
            (self.model)(&mut facts);
            let got = ask(self.client, target, &facts, &self.body);
            for want in wants.iter().filter(|want| !is_met(want, &got)) {
                let shown = match &got {
                    Ok((body, losses)) => format!("{body}\n    {losses:?}"),
                    Err(failure) => format!("{:?} {}", failure.param, failure.message),
                };
                faults.push(format!(
                    "{}: {:?} to {target:?}: {want:?}\n    {shown:.1400}",
                    self.name, self.client
                ));
            }
        }
    }
}

fn is_met(want: &Want, got: &Result<(Value, Vec<Loss>), Failure>) -> bool {
    let (body, losses) = match (want, got) {
        (Want::Refused(field), Err(failure)) => {
            return failure.status == 400 && failure.param.as_deref() == Some(*field);
        }
        (_, Ok((body, losses))) => (body, losses),
        _ => return false,
    };
    match want {
        Want::Has(place, value) => body.pointer(place) == Some(value),
        Want::Lacks(place) => body.pointer(place).is_none(),
        Want::Says(text) => body.to_string().contains(text),
        Want::Silence(text) => !body.to_string().contains(text),
        Want::Lost(action, field) => losses.iter().any(|loss| loss.action == *action && loss.field == *field),
        Want::Whole => losses.is_empty(),
        Want::Refused(_) => false,
    }
}

/// Checks all rows and tells of every one that is wrong.
pub(crate) fn check(rows: &[Row]) {
    let mut faults = Vec::new();
    for row in rows {
        row.check(&mut faults);
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

/// The request as the upstream gets it, and what was lost.
pub(crate) fn ask(
    client: Dialect,
    upstream: Dialect,
    facts: &ModelFacts,
    body: &Value,
) -> Result<(Value, Vec<Loss>), Failure> {
    let body = body.to_string();
    let incoming = Incoming { body: body.as_bytes(), model: Some("m"), stream: None };
    let request = codec::decode_request(client, &incoming)?;
    let written = codec::encode_request(upstream, &request.value, facts, &mut Ids::new("seed"))?;
    let mut losses = request.losses;
    losses.extend(written.losses);
    Ok((serde_json::from_slice(&written.value).unwrap(), losses))
}
