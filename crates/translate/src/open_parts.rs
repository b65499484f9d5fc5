//! Parts of an answer that have begun and not ended, so that ten thousand of them cost no more each than ten.

use crate::ir::PartId;
use std::collections::{BTreeMap, HashMap};

/// Open parts by their names, in the order in which they began.
#[derive(Debug)]
pub(crate) struct OpenParts<T> {
    parts: BTreeMap<usize, (PartId, T)>,
    places: HashMap<PartId, usize>,
    next: usize,
}

impl<T> Default for OpenParts<T> {
    fn default() -> Self {
        Self { parts: BTreeMap::new(), places: HashMap::new(), next: 0 }
    }
}

impl<T> OpenParts<T> {
    /// A part begins.
    pub(crate) fn push(&mut self, part: PartId, open: T) {
        self.places.insert(part, self.next);
        self.parts.insert(self.next, (part, open));
        self.next += 1;
    }

    /// The part, if it is open.
    pub(crate) fn get_mut(&mut self, part: PartId) -> Option<&mut T> {
        self.parts.get_mut(self.places.get(&part)?).map(|(_, open)| open)
    }

    /// The part ends.
    pub(crate) fn remove(&mut self, part: PartId) -> Option<T> {
        let place = self.places.remove(&part)?;
        self.parts.remove(&place).map(|(_, open)| open)
    }

    /// The one that began first ends.
    pub(crate) fn pop_first(&mut self) -> Option<(PartId, T)> {
        let (_, (part, open)) = self.parts.pop_first()?;
        self.places.remove(&part);
        Some((part, open))
    }

    /// Whether none is open.
    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (PartId, &T)> {
        self.parts.values().map(|(part, open)| (*part, open))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_keep_their_order() {
        let mut open = OpenParts::default();
        for (part, what) in [(5, 'a'), (2, 'b'), (9, 'c')] {
            open.push(PartId(part), what);
        }
        assert_eq!((open.remove(PartId(2)), open.remove(PartId(2))), (Some('b'), None));
        *open.get_mut(PartId(9)).unwrap() = 'd';
        assert_eq!(open.get_mut(PartId(2)), None);
        assert_eq!(open.iter().collect::<Vec<_>>(), [(PartId(5), &'a'), (PartId(9), &'d')]);
        assert_eq!((open.pop_first(), open.get_mut(PartId(5))), (Some((PartId(5), 'a')), None));
        assert_eq!((open.pop_first(), open.is_empty()), (Some((PartId(9), 'd')), true));
    }
}
