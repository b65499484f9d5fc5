use super::{Choice, Sink};
use crate::{
    content_id,
    gemini::{
        blob, decode::made_up_id, encode::object_of, keys, partial_args::PartialArgs,
        stream_decode::chunk::Call,
    },
    ir::{BlobSlot, Delta, Event, Flavour, PartHead},
};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A call whose arguments come in pieces.
#[derive(Debug)]
pub(super) struct Partial {
    id: String,
    name: String,
    signature: String,
    args: PartialArgs,
}

/// A call that is complete, or will never be.
struct Whole<'c> {
    id: &'c str,
    name: &'c str,
    args: &'c str,
    signature: &'c str,
    complete: bool,
}

impl Choice {
    pub(super) fn call(&mut self, call: Call<'_>, signature: &str, sink: &mut Sink, out: &mut Vec<Event>) {
        let name = call.name.as_deref().unwrap_or_default();
        let continues = call.will_continue == Some(true);
        let pieces = call.partial_args.unwrap_or_default();
        if !name.is_empty() {
            // The call before it never said its end.
            self.end_partial(false, sink, out);
            let id = call.id.as_deref().unwrap_or_default();
            if !continues && pieces.is_empty() {
                let args = call.args.map_or("{}", RawValue::get);
                let whole = Whole { id, name, args, signature, complete: true };
                self.whole_call(&whole, sink, out);
                return;
            }
            let mut args = PartialArgs::default();
            args.begin(call.args.map_or("{}", RawValue::get));
            self.partial = Some(Partial {
                id: id.to_owned(),
                name: name.to_owned(),
                signature: signature.to_owned(),
                args,
            });
        }
        let Some(partial) = &mut self.partial else {
            // An empty one only says that nothing follows.
            self.unreadable |= call.id.is_some() || call.args.is_some() || !pieces.is_empty();
            return;
        };
        if partial.signature.is_empty() {
            signature.clone_into(&mut partial.signature);
        }
        for piece in pieces {
            partial.args.add(piece);
        }
        if !continues {
            self.end_partial(true, sink, out);
        }
    }

    pub(super) fn end_partial(&mut self, complete: bool, sink: &mut Sink, out: &mut Vec<Event>) {
        if let Some(Partial { id, name, signature, args }) = self.partial.take() {
            let args = args.finish(complete);
            let whole = Whole { id: &id, name: &name, args: &args, signature: &signature, complete };
            self.whole_call(&whole, sink, out);
        }
    }

    fn whole_call(&mut self, call: &Whole<'_>, sink: &mut Sink, out: &mut Vec<Event>) {
        self.close_words(out);
        let args =
            if call.args.starts_with('{') { Cow::Borrowed(call.args) } else { Cow::Owned(object(call.args)) };
        let args = keys::compact(&args);
        let args = keys::original_arguments(&args);
        // The same call under the same id is a chunk that came twice; run twice, it might do harm.
        if !call.id.is_empty() && !self.identified.insert(content_id("", &[call.id, call.name, &args])) {
            return;
        }
        let call_id = if call.id.is_empty() {
            made_up_id(&format!("{}/{}", sink.answer, self.index), self.calls, call.name, &args)
        } else {
            call.id.to_owned()
        };
        self.calls += 1;
        self.said = true;
        let head = PartHead::ToolCall {
            call_id,
            item_id: None,
            name: call.name.to_owned(),
            namespace: None,
            flavour: Flavour::Function,
            caller: None,
        };
        let part = self.start(head, None, sink, out);
        // The signature first: a dialect that writes it beside the name has not written anything yet.
        if let Some(blob) = blob(call.signature, BlobSlot::Call) {
            out.push(Event::Delta { part, delta: Delta::Signature(blob) });
        }
        out.push(Event::Delta { part, delta: Delta::Arguments(args.into_owned()) });
        out.push(Event::PartStop { part, complete: call.complete, whole: None });
    }
}

/// Arguments that are no object, which is not by the book: the object that a text holds, or one around the value.
fn object(args: &str) -> String {
    let inner = serde_json::from_str::<String>(args).ok().filter(|text| text.trim_start().starts_with('{'));
    object_of(inner.as_deref().unwrap_or(args)).get().to_owned()
}
