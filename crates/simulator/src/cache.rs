//! The simulated prompt cache: how much of a prompt was seen before under the same key.

use bytes::Bytes;
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};

/// Prompts remembered for a key.
const PROMPTS: usize = 16;
/// Keys remembered at all.
const KEYS: usize = 512;
/// Bytes of a prompt that are compared.
const COMPARED: usize = 4 << 20;
/// A shorter common prefix is no hit: every two requests of a dialect begin alike.
const SHORTEST: usize = 64;

/// Earlier prompts by key.
#[derive(Default)]
pub(crate) struct PrefixCache(Mutex<HashMap<String, VecDeque<Bytes>>>);

impl PrefixCache {
    /// Bytes of the longest prefix that `prompt` shares with an earlier prompt of `key`; remembers `prompt`.
    pub(crate) fn visit(&self, key: &str, prompt: &Bytes) -> usize {
        let prompt = prompt.slice(..prompt.len().min(COMPARED));
        let mut keys = self.0.lock();
        if keys.len() >= KEYS && !keys.contains_key(key) {
            keys.clear();
        }
        let earlier = keys.entry(key.to_owned()).or_default();
        let longest = earlier.iter().map(|known| common_prefix(known, &prompt)).max().unwrap_or(0);
        if earlier.len() == PROMPTS {
            earlier.pop_front();
        }
        earlier.push_back(prompt);
        if longest < SHORTEST { 0 } else { longest }
    }
}

fn common_prefix(left: &[u8], right: &[u8]) -> usize {
    left.iter().zip(right).take_while(|(a, b)| a == b).count()
}
