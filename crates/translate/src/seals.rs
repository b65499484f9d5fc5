//! Seals that must not leave the place where they were made.

use crate::{
    Loss, LossAction, Translated,
    ir::{Blob, Family, Part, Request},
    scan::{Edit, Scan},
};
use serde_json::{Value, value::RawValue};

/// Who serves a request, as far as seals are concerned.
#[derive(Clone, Copy, Debug)]
pub struct Maker<'a> {
    /// The upstream. Two providers of one's own are of the same family, [`Family::Other`], and still have nothing to do with
    /// each other.
    pub provider: &'a str,
    /// The account, where its vendor takes back only what it has sealed for the same one, as `OpenAI` does. Where nobody knows
    /// the vendor it is made by [`account_at`].
    pub account: Option<&'a str>,
}

/// The mark of an account at an upstream of which nobody knows who made its models: such seals never leave the upstream, and
/// not the account either.
pub fn account_at(provider: &str, account: &str) -> String {
    format!("{provider}{AT}{account}")
}

/// Between the upstream and its account in a mark.
const AT: char = '.';

impl<'a> From<&'a str> for Maker<'a> {
    fn from(provider: &'a str) -> Self {
        Self { provider, account: None }
    }
}

impl Maker<'_> {
    /// Whether a blob of its family may be its own. Of one that bears no account nobody knows.
    pub(crate) fn may_have_made(self, blob: &Blob) -> bool {
        match (blob.family, blob.account.as_deref()) {
            (Family::Other, Some(by)) => match by.strip_prefix(self.provider) {
                // It served without an account, or seals there are not bound to one.
                Some("") => true,
                Some(rest) => rest.starts_with(AT) && self.account.is_none_or(|account| account == by),
                None => false,
            },
            (Family::Other, None) => false,
            (Family::Openai, Some(by)) => self.account.is_none_or(|account| account == by),
            (Family::Openai | Family::Claude | Family::Gemini, _) => true,
        }
    }
}

/// Takes away the seals of which it is known that `maker` has not made them. Reasoning of which nothing is left goes with its
/// seal.
pub fn keep_seals_of<'a>(maker: impl Into<Maker<'a>>, request: &mut Translated<Request>) {
    let maker = maker.into();
    drop_if(request, |blob| !maker.may_have_made(blob));
}

/// Takes away all seals: the upstream has refused one and does not say which.
pub fn drop_seals(request: &mut Translated<Request>) {
    drop_if(request, |_| true);
}

/// Whether the last answer in a Messages body is to go on: what follows it brings results of calls (turns of the user that follow
/// each other are one to the vendor), or nothing does. Once the reasoning that led there is taken out, models that think by a
/// budget refuse to think on.
pub fn continues_answer(body: &[u8]) -> bool {
    let messages = || -> Option<Vec<&RawValue>> {
        serde_json::from_str(Scan::of_keys(body, &["messages"]).ok()?.text(body, "messages")?).ok()
    };
    let is_result = |block: &Value| block["type"] == "tool_result";
    let brings = |turn: &Value| turn["content"].as_array().is_some_and(|blocks| blocks.iter().any(is_result));
    let turns = messages().unwrap_or_default();
    let turns = turns.into_iter().rev().map_while(|turn| serde_json::from_str::<Value>(turn.get()).ok());
    let mut last = true;
    for turn in turns {
        if turn["role"] == "assistant" {
            return last;
        }
        if brings(&turn) {
            return true;
        }
        last = false;
    }
    false
}

/// The edits after which a Messages body does not ask for thinking by a budget, nor for what goes only with it.
pub fn budget_edits(body: &[u8]) -> Vec<Edit> {
    const CLEARED: &str = "context_management";
    let Ok(scan) = Scan::of_keys(body, &["thinking", CLEARED]) else { return Vec::new() };
    let read = |key| serde_json::from_str::<Value>(scan.text(body, key)?).ok();
    if read("thinking").is_none_or(|thinking| thinking["type"] != "enabled") {
        return Vec::new();
    }
    let clears = |edit: &Value| edit["type"].as_str().is_some_and(|kind| kind.starts_with("clear_thinking"));
    let cleared = read(CLEARED).and_then(|mut cleared| {
        let edits = cleared["edits"].as_array_mut()?;
        let all = edits.len();
        edits.retain(|edit| !clears(edit));
        (edits.len() < all).then(|| scan.set(CLEARED, &cleared.to_string()))
    });
    scan.remove(body, "thinking").into_iter().chain(cleared).collect()
}

fn drop_if(request: &mut Translated<Request>, goes: impl Fn(&Blob) -> bool) {
    let mut lost = false;
    let foreign = |blob: &Option<Blob>| blob.as_ref().is_some_and(&goes);
    for message in &mut request.value.messages {
        message.parts.retain_mut(|part| {
            let blob = match part {
                Part::Thinking(thinking) => &mut thinking.blob,
                Part::ToolCall(call) => &mut call.blob,
                Part::Text(text) => &mut text.blob,
                Part::Compaction(compaction) => &mut compaction.blob,
                _ => return true,
            };
            if !foreign(blob) {
                return true;
            }
            *blob = None;
            lost = true;
            match part {
                Part::Thinking(thinking) => !thinking.text().is_empty(),
                Part::Compaction(compaction) => compaction.summary.is_some(),
                _ => true,
            }
        });
    }
    if lost {
        request.losses.push(Loss {
            field: "thinking".to_owned(),
            action: LossAction::DroppedSilently,
            reason: "sealed reasoning of another provider cannot be read here",
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{BlobSlot, Message, Role, Text, Thinking, ToolCall};
    use byok_types::Dialect;

    #[test]
    fn t71_what_brings_results_may_not_think_by_a_budget() {
        let result = r#"{"role":"user","content":[{"type":"text","text":"a"},{"type":"tool_result"}]}"#;
        for (last, brings) in [
            (result, true),
            (r#"{"role":"user","content":"tool_result"}"#, false),
            (r#"{"role":"user","content":[{"type":"text","text":"tool_result"}]}"#, false),
            ("7", false),
            // Several turns of the user are one to the vendor.
            (&format!(r#"{result},{{"role":"user","content":"go"}}"#), true),
        ] {
            let body = format!(r#"{{"messages":[{result},{{"role":"assistant","content":"x"}},{last}]}}"#);
            assert_eq!(continues_answer(body.as_bytes()), brings, "{last}");
        }
        assert!(continues_answer(br#"{"messages":[{"role":"user"},{"role":"assistant","content":"x"}]}"#));
        assert!(!continues_answer(br#"{"messages":[]}"#));
        for (thinking, left) in [
            (r#""thinking":{"type":"enabled","budget_tokens":2000},"#, ""),
            (r#""thinking":{"type":"adaptive"},"#, r#""thinking":{"type":"adaptive"},"#),
            (
                r#""thinking":{"type":"enabled"},"context_management":{"edits":[{"type":"clear_thinking_20251015"},{"type":"x"}]},"#,
                r#""context_management":{"edits":[{"type":"x"}]},"#,
            ),
            ("", ""),
        ] {
            let body = format!(r#"{{"model":"m",{thinking}"messages":[]}}"#);
            let edits = budget_edits(body.as_bytes());
            let edited = crate::scan::splice(&body.into(), edits);
            assert_eq!(edited, format!(r#"{{"model":"m",{left}"messages":[]}}"#), "{thinking}");
        }
    }

    #[test]
    fn seals_stay_with_their_maker() {
        for (family, account, kept) in [
            (Family::Other, Some("a"), true),
            (Family::Other, Some("b"), false),
            (Family::Other, Some("a.mine"), true),
            (Family::Other, Some("a.yours"), false),
            (Family::Other, Some("ab"), false),
            (Family::Other, Some("b.mine"), false),
            // Of an earlier version: nobody knows who made it.
            (Family::Other, None, false),
            (Family::Claude, None, true),
            (Family::Gemini, Some("b"), true),
            (Family::Openai, Some("a.mine"), true),
            (Family::Openai, Some("a.yours"), false),
            (Family::Openai, None, true),
        ] {
            let blob = Some(Blob {
                family,
                account: account.map(str::to_owned),
                slot: BlobSlot::Thinking,
                data: "D".into(),
            });
            let mut request = Request::new(Dialect::Responses, "m");
            let said = Thinking { summary: vec!["t".into()], blob: blob.clone(), ..Thinking::default() };
            request.messages.push(Message::new(
                Role::Assistant,
                vec![
                    Part::Thinking(said),
                    Part::Thinking(Thinking { blob: blob.clone(), ..Thinking::default() }),
                    Part::Text(Text { text: "x".into(), blob: blob.clone(), ..Text::default() }),
                    Part::ToolCall(ToolCall { blob, ..ToolCall::default() }),
                ],
            ));
            let mut request = crate::Losses::default().attach(request);
            keep_seals_of(Maker { provider: "a", account: Some("a.mine") }, &mut request);
            assert_eq!(request.losses.is_empty(), kept);
            let parts = &request.value.messages[0].parts;
            let sealed = parts.iter().filter(|part| match part {
                Part::Thinking(part) => part.blob.is_some(),
                Part::ToolCall(part) => part.blob.is_some(),
                Part::Text(part) => part.blob.is_some(),
                _ => false,
            });
            let expected = if kept { (4, 4) } else { (3, 0) };
            assert_eq!((parts.len(), sealed.count()), expected, "{family:?} {account:?}");
        }
    }
}
