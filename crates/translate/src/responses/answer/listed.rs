//! The items of an answer by their names, so that ten thousand of them cost no more each than ten.

use super::track::{Kind, Tracked};
use std::{
    collections::{BTreeSet, HashMap},
    ops::{Index, IndexMut},
};

/// All items of an answer in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Items {
    list: Vec<Tracked>,
    by_id: HashMap<String, Vec<usize>>,
    by_call: HashMap<String, Vec<usize>>,
    by_place: HashMap<u64, Vec<usize>>,
    /// Those that are not complete.
    open: BTreeSet<usize>,
    /// How many of those that are not complete have no place.
    unplaced: usize,
}

impl Items {
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// A new item without a name.
    pub(super) fn push(&mut self, kind: Kind, place: Option<u64>) -> usize {
        let at = self.list.len();
        self.list.push(Tracked::new(kind, place));
        self.open.insert(at);
        match place {
            Some(place) => self.by_place.entry(place).or_default().push(at),
            None => self.unplaced += 1,
        }
        at
    }

    /// What is known by now of the names of an item; nothing is forgotten for a name that is not said.
    pub(super) fn name(&mut self, at: usize, id: Option<&str>, call_id: Option<&str>, place: Option<u64>) {
        let tracked = &mut self.list[at];
        rename(&mut self.by_id, &mut tracked.id, id, at);
        rename(&mut self.by_call, &mut tracked.call_id, call_id, at);
        if let Some(place) = place.filter(|_| tracked.index != place) {
            match tracked.index.replace(place) {
                Some(old) => remove(self.by_place.get_mut(&old), at),
                None if !tracked.done => self.unplaced -= 1,
                None => {}
            }
            insert(self.by_place.entry(place).or_default(), at);
        }
    }

    /// The item is complete.
    pub(super) fn complete(&mut self, at: usize) {
        let tracked = &mut self.list[at];
        if !std::mem::replace(&mut tracked.done, true) {
            self.open.remove(&at);
            self.unplaced -= usize::from(tracked.index.is_none());
        }
    }

    /// The items of a kind with this id, in their order.
    pub(super) fn with_id(&self, kind: Kind, id: Option<&str>) -> impl DoubleEndedIterator<Item = usize> {
        self.of(kind, id.and_then(|id| self.by_id.get(id)))
    }

    /// The items of a kind with this id of a call, in their order.
    pub(super) fn with_call(&self, kind: Kind, id: Option<&str>) -> impl DoubleEndedIterator<Item = usize> {
        self.of(kind, id.and_then(|id| self.by_call.get(id)))
    }

    /// The items of a kind in this place of the output, in their order.
    pub(super) fn in_place(&self, kind: Kind, place: Option<u64>) -> impl DoubleEndedIterator<Item = usize> {
        self.of(kind, place.and_then(|place| self.by_place.get(&place)))
    }

    /// The items of a kind that are not complete and that may be in this place: one of the two does not state its place.
    pub(super) fn open(&self, kind: Kind, place: Option<u64>) -> impl DoubleEndedIterator<Item = usize> {
        let any = place.is_none() || self.unplaced > 0;
        let fits =
            move |tracked: &Tracked| tracked.kind() == kind && (place.is_none() || tracked.index.is_none());
        self.open.iter().copied().filter(move |at| any && fits(&self.list[*at]))
    }

    fn of<'a>(
        &'a self,
        kind: Kind,
        found: Option<&'a Vec<usize>>,
    ) -> impl DoubleEndedIterator<Item = usize> + use<'a> {
        let found = found.map(Vec::as_slice).unwrap_or_default();
        found.iter().copied().filter(move |at| self.list[*at].kind() == kind)
    }
}

impl Index<usize> for Items {
    type Output = Tracked;

    fn index(&self, at: usize) -> &Tracked {
        &self.list[at]
    }
}

impl IndexMut<usize> for Items {
    fn index_mut(&mut self, at: usize) -> &mut Tracked {
        &mut self.list[at]
    }
}

fn rename(names: &mut HashMap<String, Vec<usize>>, old: &mut String, new: Option<&str>, at: usize) {
    let Some(new) = new.filter(|new| new != old) else { return };
    if !old.is_empty() {
        remove(names.get_mut(old), at);
    }
    new.clone_into(old);
    insert(names.entry(new.to_owned()).or_default(), at);
}

/// Keeps the order of the items.
fn insert(found: &mut Vec<usize>, at: usize) {
    let place = found.partition_point(|known| *known < at);
    found.insert(place, at);
}

fn remove(found: Option<&mut Vec<usize>>, at: usize) {
    if let Some(found) = found {
        found.retain(|known| *known != at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_without_a_place_are_counted_until_they_are_complete_or_have_one() {
        let mut items = Items::default();
        let [first, second, third] = [None, None, Some(7)].map(|place| items.push(Kind::Message, place));
        assert_eq!(items.open(Kind::Message, Some(0)).collect::<Vec<_>>(), [first, second]);
        assert_eq!(items.open(Kind::Message, None).collect::<Vec<_>>(), [first, second, third]);
        assert_eq!(items.open(Kind::Reasoning, None).next(), None);
        items.complete(first);
        items.complete(first);
        items.name(first, None, None, Some(0));
        assert_eq!((items.unplaced, items.open(Kind::Message, Some(0)).next()), (1, Some(second)));
        items.name(second, None, None, Some(1));
        items.complete(second);
        assert_eq!((items.unplaced, items.open(Kind::Message, Some(0)).next()), (0, None));
        assert_eq!(items.in_place(Kind::Message, Some(1)).next(), Some(second));
        items.name(second, None, None, Some(2));
        assert_eq!(items.in_place(Kind::Message, Some(1)).next(), None);
    }
}
