mod places;
pub(crate) mod tools;
pub(crate) mod words;

pub(crate) use places::Places;

use std::collections::HashSet;

/// What happened to something that the target dialect cannot say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LossAction {
    /// Left out without telling the client: it changes nothing that the client could notice. Logged only.
    DroppedSilently,
    /// Left out, and the field is named in `x-byok-dropped`.
    Dropped,
    /// Said in another way that means the same.
    Emulated,
}

/// One thing that a translation could not carry as it was.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Loss {
    /// Where it stood, in the vocabulary of the source (`messages[2].content[0]`, `logit_bias`).
    pub field: String,
    /// What was done.
    pub action: LossAction,
    /// Why, for the log.
    pub reason: &'static str,
}

/// A value together with what was lost on the way to it.
#[derive(Clone, Debug)]
pub struct Translated<T> {
    /// The value.
    pub value: T,
    /// What could not be carried.
    pub losses: Vec<Loss>,
}

/// Collects losses while a translation runs. The same loss is noted once.
#[derive(Clone, Debug, Default)]
pub struct Losses {
    list: Vec<Loss>,
    noted: HashSet<Loss>,
}

impl Losses {
    /// Notes that `field` was left out and that the client is told.
    pub fn dropped(&mut self, field: impl Into<String>, reason: &'static str) {
        self.note(Loss { field: field.into(), action: LossAction::Dropped, reason });
    }

    /// Notes that `field` was left out and only the log says so.
    pub fn silent(&mut self, field: impl Into<String>, reason: &'static str) {
        self.note(Loss { field: field.into(), action: LossAction::DroppedSilently, reason });
    }

    /// Notes that `field` is said in another way.
    pub fn emulated(&mut self, field: impl Into<String>, reason: &'static str) {
        self.note(Loss { field: field.into(), action: LossAction::Emulated, reason });
    }

    /// Attaches what was collected to a value.
    pub fn attach<T>(self, value: T) -> Translated<T> {
        Translated { value, losses: self.list }
    }

    /// What was collected so far.
    pub fn list(&self) -> &[Loss] {
        &self.list
    }

    /// Notes a loss.
    pub fn note(&mut self, loss: Loss) {
        if self.noted.insert(loss.clone()) {
            self.list.push(loss);
        }
    }
}
