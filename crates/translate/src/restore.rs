//! Gives the tools in an answer the names that the client knows.

use crate::{
    Names,
    custom::{Unwrap, wrap_input, wrap_piece},
    ir::{Delta, Event, Flavour, Part, PartHead, PartId},
};
use std::sync::Arc;

/// Rewrites the events of an upstream: names of tools become the client's, and the arguments of tools that the client
/// declared with free text input become that text again, and free text for a tool that the client declared as a function
/// becomes arguments. Stands between decoder and encoder, once for all dialects.
#[derive(Debug)]
pub(crate) struct Restore {
    names: Arc<Names>,
    /// Open calls whose wrapped input is being turned back into free text.
    unwrapping: Vec<(PartId, Unwrap)>,
    /// Open calls with free text for a function, and whether some of it came.
    wrapping: Vec<(PartId, bool)>,
}

impl Restore {
    pub(crate) fn new(names: Arc<Names>) -> Self {
        Self { names, unwrapping: Vec::new(), wrapping: Vec::new() }
    }

    /// Takes one event of the upstream; appends what the client shall see.
    pub(crate) fn push(&mut self, event: Event, out: &mut Vec<Event>) {
        match event {
            Event::PartStart { part, choice, head: head @ PartHead::ToolCall { .. } } => {
                out.push(Event::PartStart { part, choice, head: self.call(part, head) });
            }
            Event::Delta { part, delta: Delta::Arguments(piece) } => {
                let piece = if let Some(unwrap) = self.unwrap_of(part) {
                    unwrap.push(&piece)
                } else if let Some((_, begun)) = self.wrapping.iter_mut().find(|(name, _)| *name == part)
                    && !piece.is_empty()
                {
                    wrap_piece(&piece, !std::mem::replace(begun, true))
                } else {
                    piece
                };
                if !piece.is_empty() {
                    out.push(Event::Delta { part, delta: Delta::Arguments(piece) });
                }
            }
            Event::PartStop { part, mut complete, whole } => {
                if let Some(mut unwrap) = self.take_unwrap(part) {
                    complete &= !unwrap.is_cut();
                    let rest = unwrap.finish();
                    if !rest.is_empty() {
                        out.push(Event::Delta { part, delta: Delta::Arguments(rest) });
                    }
                }
                if let Some(at) = self.wrapping.iter().position(|(name, _)| *name == part) {
                    let (_, begun) = self.wrapping.swap_remove(at);
                    let rest = if begun { "\"}".to_owned() } else { wrap_input("") };
                    // What was cut off stays so.
                    if complete {
                        out.push(Event::Delta { part, delta: Delta::Arguments(rest) });
                    }
                }
                let whole = whole.map(|mut whole| {
                    self.rename_part(&mut whole, complete);
                    whole
                });
                out.push(Event::PartStop { part, complete, whole });
            }
            Event::PartStart { part, choice, head: PartHead::Whole(mut whole) } => {
                self.rename_part(&mut whole, true);
                out.push(Event::PartStart { part, choice, head: PartHead::Whole(whole) });
            }
            other => out.push(other),
        }
    }

    fn call(&mut self, part: PartId, head: PartHead) -> PartHead {
        let PartHead::ToolCall { call_id, item_id, name, namespace: None, flavour, caller } = head else {
            return head;
        };
        let Some(tool) = self.names.client(&name).cloned() else {
            return PartHead::ToolCall { call_id, item_id, name, namespace: None, flavour, caller };
        };
        if tool.flavour == Flavour::Custom && flavour == Flavour::Function {
            self.unwrapping.push((part, Unwrap::default()));
        }
        let wraps = tool.flavour != Flavour::Custom && flavour == Flavour::Custom;
        if wraps {
            self.wrapping.push((part, false));
        }
        PartHead::ToolCall {
            call_id,
            // The id says of which kind the item is.
            item_id: item_id.filter(|_| !wraps),
            name: tool.name,
            namespace: tool.namespace,
            flavour: tool.flavour,
            caller,
        }
    }

    fn rename_part(&self, part: &mut Part, complete: bool) {
        let Part::ToolCall(call) = part else { return };
        let Some(tool) = self.names.client(&call.name).filter(|_| call.namespace.is_none()) else { return };
        call.name.clone_from(&tool.name);
        call.namespace.clone_from(&tool.namespace);
        if tool.flavour == Flavour::Custom && call.flavour == Flavour::Function {
            let mut unwrap = Unwrap::default();
            let begun = unwrap.push(&call.arguments);
            if unwrap.is_cut() {
                call.status = Some("incomplete".to_owned());
            }
            call.arguments = begun + &unwrap.finish();
        }
        if tool.flavour != Flavour::Custom && call.flavour == Flavour::Custom {
            call.item_id = None;
            call.arguments =
                if complete { wrap_input(&call.arguments) } else { wrap_piece(&call.arguments, true) };
        }
        call.flavour = tool.flavour;
    }

    fn unwrap_of(&mut self, part: PartId) -> Option<&mut Unwrap> {
        self.unwrapping.iter_mut().find(|(name, _)| *name == part).map(|(_, unwrap)| unwrap)
    }

    fn take_unwrap(&mut self, part: PartId) -> Option<Unwrap> {
        let at = self.unwrapping.iter().position(|(name, _)| *name == part)?;
        Some(self.unwrapping.swap_remove(at).1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Exchange,
        ir::{Fold, FunctionTool, Request, Tool},
        reader::StreamReader,
    };
    use byok_types::{Dialect, ModelFacts};

    #[test]
    fn p2_free_text_for_a_function_of_the_client_becomes_arguments() {
        let mut request = Request::new(Dialect::Messages, "m");
        request.tools = vec![Tool::Function(FunctionTool { name: "f".into(), ..FunctionTool::default() })];
        let exchange = Exchange::new(&request, &ModelFacts::default(), Dialect::Responses, 0, "seed");
        let item = r#"{"type":"custom_tool_call","id":"ctc_1","call_id":"k","name":"f","input":"INPUT","status":"STATUS"}"#;
        for (pieces, input, status, expected) in [
            (&["raw \\\"", "x\\\"\\n"][..], "raw \\\"x\\\"\\n", "completed", r#"{"input":"raw \"x\"\n"}"#),
            (&[], "raw", "completed", r#"{"input":"raw"}"#),
            (&["ra"], "raw", "completed", r#"{"input":"raw"}"#),
            (&[], "", "completed", r#"{"input":""}"#),
            (&["ra"], "ra", "incomplete", r#"{"input":"ra"#),
        ] {
            let (mut reader, mut events) = (StreamReader::new(&exchange, 1 << 20), Vec::new());
            let mut frame = |json: String| reader.push(format!("data: {json}\n\n").as_bytes(), &mut events);
            let begun = item.replace("INPUT", "").replace("STATUS", "in_progress");
            frame(format!(r#"{{"type":"response.output_item.added","output_index":0,"item":{begun}}}"#));
            for piece in pieces {
                frame(format!(
                    r#"{{"type":"response.custom_tool_call_input.delta","item_id":"ctc_1","delta":"{piece}"}}"#
                ));
            }
            let done = item.replace("INPUT", input).replace("STATUS", status);
            frame(format!(r#"{{"type":"response.output_item.done","output_index":0,"item":{done}}}"#));
            frame(r#"{"type":"response.completed","response":{"status":"completed"}}"#.to_owned());
            let mut told = String::new();
            let mut fold = Fold::default();
            for event in events {
                if let Event::Delta { delta: Delta::Arguments(piece), .. } = &event {
                    told.push_str(piece);
                }
                fold.push(event);
            }
            let answer = fold.finish().unwrap();
            let Part::ToolCall(call) = &answer.choices[0].parts[0] else { panic!("{answer:?}") };
            assert_eq!(
                (told.as_str(), call.arguments.as_str(), call.flavour, &call.item_id),
                (expected, expected, Flavour::Function, &None)
            );
        }
    }
}
