use sha2::{Digest, Sha256};
use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    fmt::Write,
};

/// Makes ids for envelopes and items. Deterministic: the same seed gives the same ids in the same order, so this crate
/// needs no randomness; the caller seeds it with the id of the request.
#[derive(Clone, Debug)]
pub struct Ids {
    seed: [u8; 32],
    next: u64,
}

impl Ids {
    /// Ids that follow from `seed`.
    pub fn new(seed: &str) -> Self {
        Self { seed: Sha256::digest(seed.as_bytes()).into(), next: 0 }
    }

    /// The next id: `prefix` and 24 hexadecimal digits.
    pub fn next(&mut self, prefix: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(self.seed);
        hash.update(self.next.to_le_bytes());
        self.next += 1;
        hex(prefix, &hash.finalize()[..12])
    }

    /// Whether an id looks like one of these, or like a [`content_id`]. Vendors' are longer or shorter, or not hexadecimal.
    pub fn made(id: &str, prefix: &str) -> bool {
        let digits = id.strip_prefix(prefix);
        digits.is_some_and(|digits| {
            digits.len() == 24 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        })
    }
}

/// An id that follows from its content alone: `prefix` and 24 hexadecimal digits of SHA-256. Used where a client replays
/// history and the same call must get the same id again.
pub fn content_id(prefix: &str, parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hex(prefix, &hash.finalize()[..12])
}

fn hex(prefix: &str, bytes: &[u8]) -> String {
    let mut id = String::with_capacity(prefix.len() + bytes.len() * 2);
    id.push_str(prefix);
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(id, "{byte:02x}");
    }
    id
}

/// Ids that must differ: one that is taken gets a number behind it.
#[derive(Debug, Default)]
pub(crate) struct Distinct<'a> {
    taken: HashSet<Cow<'a, str>>,
    /// The last number that was given, for ids that were wanted again: those below it are taken.
    numbers: HashMap<Cow<'a, str>, usize>,
}

impl<'a> Distinct<'a> {
    /// `wanted`, or what stands in its place.
    pub(crate) fn id(&mut self, wanted: Cow<'a, str>) -> Cow<'a, str> {
        if self.taken.insert(wanted.clone()) {
            return wanted;
        }
        let mut number = self.numbers.get(&wanted).copied().unwrap_or(1);
        let id = loop {
            number += 1;
            let id = format!("{wanted}_{number}");
            if self.taken.insert(Cow::Owned(id.clone())) {
                break id;
            }
        };
        self.numbers.insert(wanted, number);
        Cow::Owned(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_from_the_seed_and_differ() {
        let (mut a, mut b) = (Ids::new("x"), Ids::new("x"));
        assert_eq!(a.next("msg_"), b.next("msg_"));
        assert_ne!(a.next("msg_"), a.next("msg_"));
        assert_ne!(Ids::new("y").next(""), Ids::new("x").next(""));
        assert_eq!(content_id("call_", &["a", "b"]), content_id("call_", &["a", "b"]));
        assert_ne!(content_id("call_", &["ab", ""]), content_id("call_", &["a", "b"]));
    }

    #[test]
    fn ids_that_are_taken_get_a_number() {
        let mut ids = Distinct::default();
        let given: Vec<_> = ["a", "a", "a_3", "a", "a_2", "b", "a"].map(|id| ids.id(id.into())).into();
        assert_eq!(given, ["a", "a_2", "a_3", "a_4", "a_2_2", "b", "a_5"]);
    }
}
