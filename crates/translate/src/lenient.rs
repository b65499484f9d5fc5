//! Answers with members of a wrong type. What decides the meaning is kept; a wrong side member counts as absent, and the log
//! hears of it.

use crate::{
    Json, Loss, LossAction,
    ir::{Event, Failure},
    json::Members,
    wire::fault::{Fault, Step},
};
use byok_types::{Blame, FailureKind};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// Wrong members in one object that byok looks past.
const MOST: usize = 32;

/// Reads `json` as `T`; the second value has the paths of the members that count as absent. `None` if that does not help.
pub(crate) fn read<T: DeserializeOwned>(json: &str) -> Option<(T, Vec<String>)> {
    if let Ok(read) = serde_json::from_str(json) {
        return Some((read, Vec::new()));
    }
    let (json, lost) = mended(json, |json| Fault::of::<T>(json.as_bytes()))?;
    Some((serde_json::from_str(&json).ok()?, lost))
}

/// `json` without the members in which `fault` finds something wrong, and their paths.
pub(crate) fn mended(json: &str, fault: impl Fn(&str) -> Option<Fault>) -> Option<(String, Vec<String>)> {
    let (mut json, mut lost) = (json.to_owned(), Vec::new());
    for wrong in 0..MOST {
        // Nothing wrong is nothing to mend.
        let Some(found) = fault(&json) else { return (wrong > 0).then_some((json, lost)) };
        if found.path.is_empty() {
            return None;
        }
        let absent;
        (json, absent) = replaced(&json, &found.path)?;
        if absent {
            lost.push(found.field());
        }
    }
    None
}

/// The same, unless one of the members in `needed` or an entry of a list is wrong: without them the answer is another one.
pub(crate) fn mended_beside(
    json: &str,
    needed: &[&str],
    fault: impl Fn(&str) -> Option<Fault>,
) -> Option<(String, Vec<String>)> {
    let is_needed = |step: &Step| match step {
        Step::Member(name) => needed.contains(&name.as_str()),
        Step::Entry(_) => true,
    };
    mended(json, |json| {
        let found = fault(json)?;
        Some(if found.path.last().is_some_and(is_needed) {
            Fault { path: Vec::new(), ..found }
        } else {
            found
        })
    })
}

/// The events that tell of members that were left out.
pub(crate) fn told(lost: Vec<String>, within: &str) -> impl Iterator<Item = Event> {
    lost.into_iter().map(move |path| {
        let gap = if within.is_empty() || path.starts_with('[') { "" } else { "." };
        Event::Lost(Loss {
            field: format!("{within}{gap}{path}"),
            action: LossAction::Dropped,
            reason: "the upstream sent something of a wrong type there",
        })
    })
}

/// The answer holds a call of which nobody can say what it calls.
pub(crate) fn unreadable_call() -> Failure {
    let message = "The upstream sent a call of a tool that cannot be read: it has no name. Send the request again; if it \
                   stays, try another model.";
    Failure::new(FailureKind::Server, Blame::Upstream, message).with_status(502)
}

/// The pieces of a call are not the call that its end tells of: run, they would do what the model did not ask for.
pub(crate) fn another_call() -> Failure {
    let message = "The upstream lost a piece of a call of a tool: what it streamed of the arguments is not what it says that \
                   they are. Send the request again; if it stays, try another model.";
    Failure::new(FailureKind::Server, Blame::Upstream, message).with_status(502)
}

/// `json` with something else at the end of a path, and whether that is nothing at all.
fn replaced(json: &str, path: &[Step]) -> Option<(String, bool)> {
    let Some((step, rest)) = path.split_first() else { return instead(json) };
    let mut out = String::with_capacity(json.len());
    let mut absent = false;
    let mut write = |value: &RawValue, is_it: bool, out: &mut String| {
        if is_it {
            let new;
            (new, absent) = replaced(value.get(), rest)?;
            out.push_str(&new);
        } else {
            out.push_str(value.get());
        }
        Some(())
    };
    match step {
        Step::Member(wanted) => {
            let Members(members) = serde_json::from_str(json).ok()?;
            out.push('{');
            for (at, (name, value)) in members.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                out.push_str(Json::string(name.as_str()).get());
                out.push(':');
                write(value, name.as_str() == wanted, &mut out)?;
            }
            out.push('}');
        }
        Step::Entry(index) => {
            let list: Vec<&RawValue> = serde_json::from_str(json).ok()?;
            out.push('[');
            for (at, value) in list.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                write(value, at == *index, &mut out)?;
            }
            out.push(']');
        }
    }
    Some((out, absent))
}

/// What stands in the place of a wrong value: a number that was written as a text or with a fraction is that number.
fn instead(json: &str) -> Option<(String, bool)> {
    let number = json.trim_matches('"').parse::<f64>().ok();
    let number = number.filter(|number| number.fract() == 0.0 && (0.0..1e15).contains(number));
    match number.map(|number| format!("{number:.0}")).filter(|number| number != json) {
        Some(number) => Some((number, false)),
        None => (json != "null").then(|| ("null".to_owned(), true)),
    }
}
