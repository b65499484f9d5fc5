//! The simulated prompt cache: how much of a prompt was seen before under the same key.

use crate::asked::{Asked, Marked};
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

/// A marked part is found again where it ends at most this many blocks before a mark.
const LOOKBACK: usize = 20;

impl PrefixCache {
    /// Tokens of the prompt that are read from the cache.
    pub(crate) fn tokens_read(&self, key: &str, asked: &Asked) -> u64 {
        let Some(marked) = &asked.marked else { return (self.visit(key, &asked.prompt) / 4) as u64 };
        let read = self.visit_marked(key, marked) as u64;
        // The parts are counted without what holds them together.
        (asked.prompt_tokens() * read).checked_div(marked.prompt.len() as u64).unwrap_or(0)
    }

    /// Bytes of the longest part that an earlier request of `key` has marked and that a mark of this one reaches; remembers
    /// the parts that this one marks.
    fn visit_marked(&self, key: &str, asked: &Marked) -> usize {
        let mut keys = self.0.lock();
        if keys.len() >= KEYS && !keys.contains_key(key) {
            keys.clear();
        }
        let earlier = keys.entry(key.to_owned()).or_default();
        let reached = |end: usize| {
            let at = asked.blocks.iter().position(|(block, _)| *block == end)?;
            asked.blocks[at..].iter().take(LOOKBACK + 1).find(|(_, mark)| *mark)
        };
        let longest = earlier
            .iter()
            .filter(|known| asked.prompt.starts_with(known) && reached(known.len()).is_some())
            .map(Bytes::len)
            .max()
            .unwrap_or(0);
        for (end, _) in asked.blocks.iter().filter(|(_, mark)| *mark) {
            let part = asked.prompt.slice(..*end);
            if !earlier.contains(&part) {
                if earlier.len() == PROMPTS {
                    earlier.pop_front();
                }
                earlier.push_back(part);
            }
        }
        if longest < SHORTEST { 0 } else { longest }
    }

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
