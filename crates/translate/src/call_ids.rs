//! Ids of calls that a server gives twice.

use crate::{
    content_id, gemini,
    ir::{Event, Part, PartHead, PartId, Request},
};
use std::{collections::HashSet, sync::Arc};

/// The ids of the calls that a conversation has so far.
pub(crate) fn of_history(request: &Request) -> HashSet<String> {
    let parts = request.messages.iter().flat_map(|message| &message.parts);
    let ids = parts.filter_map(|part| match part {
        Part::ToolCall(call) => Some(call.call_id.clone()),
        Part::ServerCall(call) => Some(call.id.clone()),
        _ => None,
    });
    ids.collect()
}

/// Gives a call an id of its own where an earlier call of the conversation has the same one: clients find results by it,
/// and a vendor that the conversation goes on with refuses a history with two. Stands between decoder and encoder, once for
/// all dialects.
#[derive(Debug)]
pub(crate) struct CallIds {
    /// The ids of the turns before.
    history: Arc<HashSet<String>>,
    /// The ids so far, with their choice.
    known: HashSet<(u32, String)>,
    /// Open calls that got another id.
    changed: Vec<(PartId, String)>,
    /// Calls of the vendor's own tools that got another id, for their results: what they had, and what they have.
    served: Vec<(String, String)>,
}

impl CallIds {
    /// For an answer to a conversation with these ids.
    pub(crate) fn new(history: Arc<HashSet<String>>) -> Self {
        Self { history, known: HashSet::new(), changed: Vec::new(), served: Vec::new() }
    }

    /// Takes note of one event on its way to the client.
    pub(crate) fn settle(&mut self, event: &mut Event) {
        match event {
            Event::PartStart { part, choice, head: PartHead::ToolCall { call_id, .. } } => {
                let changed = self.is_changed(*choice, call_id);
                if changed {
                    self.changed.push((*part, call_id.clone()));
                }
            }
            Event::PartStart { choice, head: PartHead::Whole(whole), .. } => match &mut **whole {
                Part::ToolCall(call) => drop(self.is_changed(*choice, &mut call.call_id)),
                Part::ServerCall(call) => {
                    let own = call.id.clone();
                    if self.is_changed(*choice, &mut call.id) {
                        self.served.push((own, call.id.clone()));
                    }
                }
                Part::ServerResult(result) => {
                    let changed = self.served.iter().rev().find(|(own, _)| *own == result.call_id);
                    if let Some((_, id)) = changed {
                        result.call_id.clone_from(id);
                    }
                }
                _ => {}
            },
            Event::PartStop { part, whole, .. } if !self.changed.is_empty() => {
                let Some(at) = self.changed.iter().position(|(changed, _)| changed == part) else { return };
                let (_, id) = self.changed.swap_remove(at);
                if let Some(Part::ToolCall(call)) = whole.as_deref_mut() {
                    call.call_id = id;
                }
            }
            _ => {}
        }
    }

    /// Notes the id of a call; puts a number behind it if it is taken. The same answer gives the same ids again.
    fn is_changed(&mut self, choice: u32, id: &mut String) -> bool {
        if id.is_empty() || self.is_free(choice, id) {
            return false;
        }
        // What byok made up must still look so.
        let made_up = gemini::is_made_up(id);
        let numbered = |number: u32| {
            if made_up {
                content_id("call_", &[id.as_str(), &number.to_string()])
            } else {
                format!("{id}_{number}")
            }
        };
        for other in (2..).map(numbered) {
            if self.is_free(choice, &other) {
                *id = other;
                return true;
            }
        }
        false
    }

    fn is_free(&mut self, choice: u32, id: &str) -> bool {
        !self.history.contains(id) && self.known.insert((choice, id.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Exchange,
        gemini::is_made_up,
        ir::{Fold, Message, Part, Request, Role},
        reader::{StreamReader, read_answer},
    };
    use byok_types::{Dialect, ModelFacts};

    fn calls(fold: Fold) -> Vec<String> {
        let response = fold.finish().unwrap();
        let told = response.choices[0].parts.iter().map(|part| match part {
            Part::ToolCall(call) => format!("{} {} {}", call.call_id, call.name, call.arguments),
            other => format!("{other:?}"),
        });
        told.collect()
    }

    #[test]
    fn calls_with_the_same_id_get_one_of_their_own() {
        for (upstream, body, stream) in [
            (
                Dialect::Chat,
                r#"{"choices":[{"index":0,"message":{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}},{"id":"a","function":{"name":"g","arguments":"{}"}},{"id":"a_2","function":{"name":"h","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}"#,
                r#"data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}},{"index":1,"id":"a","function":{"name":"g","arguments":"{}"}},{"index":2,"id":"a_2","function":{"name":"h","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}"#,
            ),
            (
                Dialect::Messages,
                r#"{"id":"m","type":"message","role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}},{"type":"tool_use","id":"a","name":"g","input":{}},{"type":"tool_use","id":"a_2","name":"h","input":{}}],"stop_reason":"tool_use"}"#,
                "",
            ),
            (
                Dialect::Responses,
                r#"{"id":"r","object":"response","status":"completed","output":[{"type":"function_call","id":"fc_1","call_id":"a","name":"f","arguments":"{}"},{"type":"function_call","id":"fc_2","call_id":"a","name":"g","arguments":"{}"},{"type":"function_call","id":"fc_3","call_id":"a_2","name":"h","arguments":"{}"}]}"#,
                r#"data: {"type":"response.completed","response":{"id":"r","object":"response","status":"completed","output":[{"type":"function_call","id":"fc_1","call_id":"a","name":"f","arguments":"{}"},{"type":"function_call","id":"fc_2","call_id":"a","name":"g","arguments":"{}"},{"type":"function_call","id":"fc_3","call_id":"a_2","name":"h","arguments":"{}"}]}}"#,
            ),
            (
                Dialect::Gemini,
                r#"{"candidates":[{"content":{"parts":[{"functionCall":{"id":"a","name":"f","args":{}}},{"functionCall":{"id":"a","name":"g","args":{}}},{"functionCall":{"id":"a_2","name":"h","args":{}}}]},"finishReason":"STOP"}]}"#,
                r#"data: {"candidates":[{"content":{"parts":[{"functionCall":{"id":"a","name":"f","args":{}}},{"functionCall":{"id":"a","name":"g","args":{}}},{"functionCall":{"id":"a_2","name":"h","args":{}}}]},"finishReason":"STOP"}]}"#,
            ),
        ] {
            let expected = ["a f {}", "a_2 g {}", "a_2_2 h {}"];
            let request = Request::new(Dialect::Chat, "m");
            let exchange = Exchange::new(&request, &ModelFacts::default(), upstream, 0, "seed");
            let mut fold = Fold::default();
            read_answer(body.as_bytes(), &exchange)
                .unwrap()
                .value
                .into_iter()
                .for_each(|event| fold.push(event));
            assert_eq!(calls(fold), expected, "{upstream:?}, whole");
            if stream.is_empty() {
                continue;
            }
            let (mut reader, mut events) = (StreamReader::new(&exchange, 1 << 20), Vec::new());
            reader.push(format!("{stream}\n\n").as_bytes(), &mut events);
            reader.finish(&mut events);
            let mut fold = Fold::default();
            for event in events {
                fold.push(event);
            }
            assert_eq!(calls(fold), expected, "{upstream:?}, streamed");
        }
    }

    #[test]
    fn no_call_has_the_id_of_one_in_an_earlier_turn() {
        let chat = r#"{"id":"","choices":[{"index":0,"message":{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}"#;
        let chat_without = r#"{"choices":[{"index":0,"message":{"tool_calls":[{"function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}"#;
        let gemini = r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{}}}]},"finishReason":"STOP"}]}"#;
        for (upstream, body) in
            [(Dialect::Chat, chat), (Dialect::Chat, chat_without), (Dialect::Gemini, gemini)]
        {
            let mut request = Request::new(Dialect::Messages, "m");
            let mut ids = Vec::new();
            for turn in 0..4 {
                let exchange = Exchange::new(&request, &ModelFacts::default(), upstream, 0, "seed");
                let mut fold = Fold::default();
                read_answer(body.as_bytes(), &exchange)
                    .unwrap()
                    .value
                    .into_iter()
                    .for_each(|event| fold.push(event));
                let answer = fold.finish().unwrap().choices.remove(0).parts;
                let Part::ToolCall(call) = &answer[0] else { panic!("{answer:?}") };
                assert!(!ids.contains(&call.call_id), "{upstream:?}, turn {turn}: {}", call.call_id);
                ids.push(call.call_id.clone());
                request.messages.push(Message::new(Role::Assistant, answer));
            }
            let made_up = ids.iter().filter(|id| is_made_up(id)).count();
            assert_eq!(made_up, if body == chat { 0 } else { 4 }, "{ids:?}");
        }
    }
}
