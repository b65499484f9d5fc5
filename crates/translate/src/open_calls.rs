//! Calls that wait for their results.

use std::collections::{HashMap, VecDeque};

/// The calls of a turn in their order, for results that must find theirs. Nearly always results come in the order of their
/// calls, and the first call that waits is the one; only otherwise all of them are looked up by what is known of them.
#[derive(Debug, Default)]
pub(crate) struct OpenCalls {
    calls: Vec<Call>,
    /// The calls before this one have been answered.
    first: usize,
    index: Option<HashMap<(Known, String), VecDeque<usize>>>,
}

#[derive(Debug)]
struct Call {
    id: String,
    name: String,
    made_up: bool,
    answered: bool,
}

/// What a result may know of its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Known {
    /// The id.
    Id,
    /// The name.
    Name,
    /// The name, of a call whose id byok made up.
    NameOnly,
}

impl Call {
    fn word(&self, known: Known) -> Option<&str> {
        match known {
            Known::Id => Some(&self.id),
            Known::Name => Some(&self.name),
            Known::NameOnly => self.made_up.then_some(&self.name),
        }
    }
}

impl OpenCalls {
    /// Forgets all of them: the next turn begins.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// How many calls there were, answered or not.
    pub(crate) fn len(&self) -> usize {
        self.calls.len()
    }

    /// Adds a call.
    pub(crate) fn push(&mut self, id: String, name: String, made_up: bool) {
        let call = Call { id, name, made_up, answered: false };
        if let Some(index) = &mut self.index {
            enter(index, &call, self.calls.len());
        }
        self.calls.push(call);
    }

    /// Whether there was a call of this id, answered or not.
    pub(crate) fn has(&mut self, id: &str) -> bool {
        self.is_first(Known::Id, id) || self.index().contains_key(&(Known::Id, id.to_owned()))
    }

    /// Answers the first open call of which this is known. The answer is its id.
    pub(crate) fn answer(&mut self, known: Known, word: &str) -> Option<&str> {
        if self.is_first(known, word) {
            return self.answer_first();
        }
        self.index();
        let waiting = self.index.as_mut()?.get_mut(&(known, word.to_owned()))?;
        let is_open = |at: &usize| self.calls.get(*at).is_some_and(|call| !call.answered);
        let at = std::iter::from_fn(|| waiting.pop_front()).find(is_open)?;
        let call = self.calls.get_mut(at)?;
        call.answered = true;
        Some(&call.id)
    }

    /// Answers the first open call, whichever it is. The answer is its id.
    pub(crate) fn answer_first(&mut self) -> Option<&str> {
        let call = self.first_open()?;
        call.answered = true;
        Some(&call.id)
    }

    fn is_first(&mut self, known: Known, word: &str) -> bool {
        self.first_open().is_some_and(|call| call.word(known) == Some(word))
    }

    fn first_open(&mut self) -> Option<&mut Call> {
        while self.calls.get(self.first).is_some_and(|call| call.answered) {
            self.first += 1;
        }
        self.calls.get_mut(self.first)
    }

    fn index(&mut self) -> &HashMap<(Known, String), VecDeque<usize>> {
        self.index.get_or_insert_with(|| {
            let mut index = HashMap::new();
            for (at, call) in self.calls.iter().enumerate() {
                enter(&mut index, call, at);
            }
            index
        })
    }
}

/// Enters a call under all that may be known of it.
fn enter(index: &mut HashMap<(Known, String), VecDeque<usize>>, call: &Call, at: usize) {
    for known in [Known::Id, Known::Name, Known::NameOnly] {
        if let Some(word) = call.word(known) {
            index.entry((known, word.to_owned())).or_default().push_back(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_find_their_calls_in_any_order() {
        let mut calls = OpenCalls::default();
        for (id, name, made_up) in [("1", "a", false), ("2", "b", true), ("3", "a", true), ("1", "c", false)]
        {
            calls.push(id.into(), name.into(), made_up);
        }
        assert_eq!(calls.answer(Known::NameOnly, "a"), Some("3"));
        assert_eq!(calls.answer(Known::NameOnly, "a"), None);
        assert_eq!(calls.answer(Known::Name, "a"), Some("1"));
        assert_eq!(calls.answer(Known::Id, "1"), Some("1"), "the second of its id");
        assert_eq!(calls.answer(Known::Id, "1"), None);
        assert!(calls.has("1") && !calls.has("4"));
        calls.push("4".into(), "b".into(), false);
        assert_eq!(calls.answer_first(), Some("2"));
        assert_eq!(calls.answer(Known::Name, "b"), Some("4"), "added behind the index");
        assert_eq!(calls.answer_first(), None);
        assert_eq!(calls.len(), 5);
        calls.clear();
        assert!(!calls.has("1"));
    }
}
