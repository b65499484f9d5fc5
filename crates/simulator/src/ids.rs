//! Ids and times of answers: functions of the seed and of the number of the request.

use sha2::{Digest, Sha256};
use std::sync::atomic::{AtomicU64, Ordering};

/// Start of the simulated calendar, Unix seconds (November 2026). Each request is one second later than the one before.
const EPOCH: i64 = 1_795_000_000;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Hands out one [`Ids`] per request.
pub(crate) struct IdMaker {
    seed: u64,
    next: AtomicU64,
}

impl IdMaker {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, next: AtomicU64::new(1) }
    }

    pub(crate) fn next(&self) -> Ids {
        Ids { seed: self.seed, number: self.next.fetch_add(1, Ordering::Relaxed) }
    }
}

/// The ids of one answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ids {
    seed: u64,
    number: u64,
}

impl Ids {
    /// Unix seconds at which the answer was "made".
    pub(crate) fn created(self) -> i64 {
        EPOCH + i64::try_from(self.number % 100_000_000).unwrap_or(0)
    }

    /// `prefix` and `length` letters and digits; the same for the same `prefix` and `nth`.
    pub(crate) fn base62(self, prefix: &str, nth: usize, length: usize) -> String {
        let mut id = String::from(prefix);
        id.extend(self.digest(prefix, nth, length).map(|byte| char::from(BASE62[usize::from(byte) % 62])));
        id
    }

    /// `prefix` and `length` hexadecimal digits.
    pub(crate) fn hex(self, prefix: &str, nth: usize, length: usize) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut id = String::from(prefix);
        id.extend(self.digest(prefix, nth, length).map(|byte| char::from(DIGITS[usize::from(byte) % 16])));
        id
    }

    fn digest(self, label: &str, nth: usize, length: usize) -> impl Iterator<Item = u8> {
        let (seed, number) = (self.seed, self.number);
        let label = label.to_owned();
        (0_u8..)
            .flat_map(move |block| {
                let mut hash = Sha256::new();
                hash.update(seed.to_be_bytes());
                hash.update(number.to_be_bytes());
                hash.update((nth as u64).to_be_bytes());
                hash.update([block]);
                hash.update(label.as_bytes());
                let bytes: [u8; 32] = hash.finalize().into();
                bytes
            })
            .take(length)
    }
}

/// A version 4 UUID made from a name.
pub(crate) fn uuid_of(name: &str) -> String {
    let hash: [u8; 32] = Sha256::digest(name.as_bytes()).into();
    let hex: Vec<String> = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let hex = hex.concat();
    format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}
