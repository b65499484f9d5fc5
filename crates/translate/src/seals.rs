//! Seals that must not leave the place where they were made.

use crate::{
    Loss, LossAction, Translated,
    ir::{Blob, Family, Part, Request},
};

/// Takes away the seals of nameless families that were not made by `maker`: two providers of one's own are of the same family,
/// [`Family::Other`], and still have nothing to do with each other. Reasoning of which nothing is left goes with its seal.
pub fn keep_seals_of(maker: &str, request: &mut Translated<Request>) {
    drop_if(request, |blob| blob.family == Family::Other && blob.account.as_deref() != Some(maker));
}

/// Takes away all seals: the upstream has refused one and does not say which.
pub fn drop_seals(request: &mut Translated<Request>) {
    drop_if(request, |_| true);
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
    fn seals_stay_with_their_maker() {
        for (family, account, kept) in [
            (Family::Other, Some("a"), true),
            (Family::Other, Some("b"), false),
            // Of an earlier version: nobody knows who made it.
            (Family::Other, None, false),
            (Family::Claude, None, true),
            (Family::Gemini, Some("b"), true),
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
            keep_seals_of("a", &mut request);
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
