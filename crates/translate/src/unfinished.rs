//! Calls that nobody can run, told of in one way whatever the upstream called them.

use crate::{
    ir::{Delta, Event, Flavour, Part, PartHead, PartId, Stop, StopReason},
    typed,
};
use serde::de::IgnoredAny;
use std::collections::HashMap;

/// How far the arguments of a function have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Nothing, which stands for an empty object.
    Empty,
    /// One whole JSON value.
    Whole,
    /// The beginning of one.
    Begun,
    /// Not JSON; more text will not change that.
    Broken,
}

impl Progress {
    pub(crate) fn of(arguments: &str) -> Self {
        if arguments.trim().is_empty() {
            return Self::Empty;
        }
        match serde_json::from_str::<IgnoredAny>(arguments) {
            Ok(_) => Self::Whole,
            Err(error) if error.is_eof() => Self::Begun,
            Err(_) => Self::Broken,
        }
    }
}

/// Holds the arguments of calls against JSON when the calls end, and the end of the answer against its calls: the rule that
/// [`Event::Finish`] tells of. Stands between decoder and encoder, once for all dialects, and behind what gives calls with
/// free text their text back: whether that text is whole was seen there.
#[derive(Debug, Default)]
pub(crate) struct Unfinished {
    /// Open calls.
    open: HashMap<PartId, Call>,
    /// The worst of each choice that has such calls.
    found: Vec<(u32, Fault)>,
}

/// A call, as far as it has come.
#[derive(Debug)]
struct Call {
    choice: u32,
    flavour: Flavour,
    arguments: String,
}

/// What is wrong with a call. A call that breaks off is the worse: some clients run what they can read of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    /// Its arguments are not JSON, or say nothing that could be run.
    Broken,
    /// It breaks off.
    Cut,
}

impl Unfinished {
    /// Takes note of one event on its way to the client.
    pub(crate) fn settle(&mut self, event: &mut Event) {
        match event {
            Event::PartStart { part, choice, head: PartHead::ToolCall { flavour, .. } } => {
                let call = Call { choice: *choice, flavour: *flavour, arguments: String::new() };
                self.open.insert(*part, call);
            }
            Event::PartStart { choice, head: PartHead::Whole(whole), .. } => {
                if let Part::ToolCall(call) = &mut **whole
                    && let complete = call.status.as_deref() != Some("incomplete")
                    && let Some(fault) = fault(call.flavour, &call.arguments, complete)
                {
                    call.status = Some("incomplete".to_owned());
                    self.note(*choice, fault);
                }
            }
            Event::Delta { part, delta: Delta::Arguments(piece) } => {
                // Free text is whole as it is: nobody reads it here.
                if let Some(call) = self.open.get_mut(part).filter(|call| call.flavour != Flavour::Custom) {
                    call.arguments.push_str(piece);
                }
            }
            Event::PartStop { part, complete, .. } => {
                if let Some(call) = self.open.remove(part)
                    && let Some(fault) = fault(call.flavour, &call.arguments, *complete)
                {
                    *complete = false;
                    self.note(call.choice, fault);
                }
            }
            Event::Finish { choice, stop } => {
                if let Some((_, fault)) = self.found.iter().find(|(known, _)| known == choice) {
                    correct(stop, *fault);
                }
            }
            _ => {}
        }
    }

    fn note(&mut self, choice: u32, fault: Fault) {
        match self.found.iter_mut().find(|(known, _)| *known == choice) {
            Some((_, worst)) => *worst = fault.max(*worst),
            None => self.found.push((choice, fault)),
        }
    }
}

fn fault(flavour: Flavour, arguments: &str, complete: bool) -> Option<Fault> {
    if flavour == Flavour::Custom {
        return (!complete).then_some(Fault::Cut);
    }
    match Progress::of(arguments) {
        Progress::Broken => Some(Fault::Broken),
        Progress::Begun => Some(Fault::Cut),
        Progress::Empty | Progress::Whole if !complete => Some(Fault::Cut),
        // A program by the name of what cannot be read must not be run.
        Progress::Empty | Progress::Whole => {
            (!typed::can_be_run(flavour, arguments)).then_some(Fault::Broken)
        }
    }
}

/// A reason that says by itself that the answer is not whole stands.
fn correct(stop: &mut Stop, fault: Fault) {
    let says_so = matches!(
        stop.reason,
        StopReason::Length
            | StopReason::ContextFull
            | StopReason::ContentFilter
            | StopReason::Refusal
            | StopReason::Cancelled
    );
    if !says_so {
        let reason = match fault {
            Fault::Broken => StopReason::MalformedCall,
            Fault::Cut => StopReason::Length,
        };
        *stop = Stop { details: stop.details.take(), ..Stop::new(reason) };
    }
}
