//! Every recorded request is understood, and can be said in every dialect or is refused with the name of the field.

use super::{
    check::{self, Difference},
    load::{DIALECTS, Recording, name},
    plain,
};
use byok_translate::{Ids, Incoming, codec, ir};
use byok_types::{Dialect, Effort, Family, ModelFacts, ThinkingFacts, ThinkingForm};

const CHECK: &str = "request";

pub fn run(recording: &Recording) -> Vec<Difference> {
    let request = match check::request(recording) {
        None => return Vec::new(),
        Some(Ok(request)) => request,
        // What the vendor refused may be refused here, too.
        Some(Err(failure)) if recording.status >= 400 && failure.status == 400 && failure.param.is_some() => {
            return Vec::new();
        }
        Some(Err(failure)) => return vec![Difference::new(CHECK, "decode", format!("{failure:?}"))],
    };
    let mut found = Vec::new();
    for target in DIALECTS {
        let mut ids = Ids::new(&recording.id);
        match codec::encode_request(target, &request, &facts(recording, target), &mut ids) {
            Ok(encoded) if target == recording.dialect => {
                found.extend(identity(recording, &request, &encoded.value));
            }
            Ok(encoded) => {
                if let Err(error) = serde_json::from_slice::<serde_json::Value>(&encoded.value) {
                    found.push(Difference::new(CHECK, format!("{} json", name(target)), error.to_string()));
                }
            }
            Err(failure)
                if failure.status == 400 && failure.param.is_some() && target != recording.dialect => {}
            Err(failure) => {
                found.push(Difference::new(
                    CHECK,
                    format!("{} encode", name(target)),
                    format!("{failure:?}"),
                ));
            }
        }
    }
    found
}

/// A model that can do everything.
fn facts(recording: &Recording, target: Dialect) -> ModelFacts {
    let own = target == recording.dialect;
    ModelFacts {
        family: match target {
            Dialect::Messages => Family::Claude,
            Dialect::Gemini => Family::Gemini,
            Dialect::Chat if own => recording.family(),
            Dialect::Chat | Dialect::Responses => Family::Openai,
        },
        thinking: ThinkingFacts {
            forms: vec![
                ThinkingForm::Budget,
                ThinkingForm::Adaptive,
                ThinkingForm::Effort,
                ThinkingForm::Level,
            ],
            levels: Effort::ALL.to_vec(),
            can_disable: true,
            dynamic: true,
            replay_text: own,
            ..ThinkingFacts::default()
        },
        max_output_tokens: Some(64_000),
        system_turns: true,
        developer_role: true,
        // What this vendor sent back must go back to it.
        first_party: !own || recording.dialect != Dialect::Chat || recording.family() == Family::Openai,
        ..check::facts(recording)
    }
}

/// What was encoded in the request's own dialect means the same.
fn identity(recording: &Recording, request: &ir::Request, body: &[u8]) -> Vec<Difference> {
    let in_path = recording.dialect == Dialect::Gemini;
    let incoming = Incoming {
        body,
        model: in_path.then_some(recording.model.as_str()),
        stream: in_path.then_some(recording.stream),
    };
    let again = match codec::decode_request(recording.dialect, &incoming) {
        Ok(again) => again.value,
        Err(failure) => return vec![Difference::new(CHECK, "identity unreadable", format!("{failure:?}"))],
    };
    let mut found = Vec::new();
    let mut same = |what: &str, before: String, after: String| {
        if before != after {
            found.push(Difference::new(
                CHECK,
                format!("identity {what}"),
                plain::difference(&before, &after),
            ));
        }
    };
    let turns = |r: &ir::Request| said(recording.dialect, r).join("\n");
    same("turns", turns(request), turns(&again));
    same("tools", format!("{:?}", request.tools), format!("{:?}", again.tools));
    same("choice", format!("{:?}", request.tool_choice), format!("{:?}", again.tool_choice));
    same("format", format!("{:?}", request.output_format), format!("{:?}", again.output_format));
    same("sampling", format!("{:?}", request.sampling), format!("{:?}", again.sampling));
    same("stream", format!("{:?}", request.stream), format!("{:?}", again.stream));
    found
}

/// Everything that was said, by whom; how it was divided into turns does not count.
fn said(dialect: Dialect, request: &ir::Request) -> Vec<String> {
    let system = request.system.iter().map(|part| (ir::Role::System, part));
    let turns = request.messages.iter().flat_map(|message| {
        // Results stand in turns of the user in some dialects.
        let role = if message.role == ir::Role::Tool { ir::Role::User } else { message.role };
        message.parts.iter().map(move |part| (role, part))
    });
    let parts = system.chain(turns);
    parts.filter_map(|(role, part)| Some(format!("{role:?} {}", plain::part(dialect, part)?))).collect()
}
