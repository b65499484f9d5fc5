//! Counting the tokens of a prompt here, for upstreams that do not count.
//!
//! Text is counted with the vocabulary `o200k_base`, which is that of OpenAI's models; other vendors keep theirs to themselves,
//! so a factor stands for the difference. How far off that is was measured against the numbers of real exchanges:
//! docs/models.md.

use byok_translate::{estimate_tokens, ir::Request, tokens_by_length};
use byok_types::Family;
use std::cell::Cell;

/// Text beyond this is counted by its length: counting takes about a second for each 4 MB.
const COUNTED: usize = 2 << 20;
/// A piece of text that is counted at once. Finding the tokens of a word takes the square of its length, and what looks like a
/// word may be a megabyte of base64.
const PIECE: usize = 2048;

/// The factor of a vendor's vocabulary, in hundredths: above 100 where its tokens are shorter.
const fn factor(family: Family) -> u64 {
    match family {
        Family::Claude => 120,
        Family::Openai | Family::Gemini | Family::Other => 100,
    }
}

/// What a vendor adds to a prompt of itself: the frame of the whole, and the instructions by which Claude uses tools. The middle
/// of what real exchanges were counted above their text.
const fn added(family: Family, has_tools: bool) -> u64 {
    match (family, has_tools) {
        (Family::Claude, true) => 480,
        (Family::Openai, _) => 5,
        _ => 0,
    }
}

/// About how many tokens the prompt of `request` has for a model of `family`. Takes milliseconds, and the first time a
/// fraction of a second more: not for the threads of a runtime.
pub fn count(request: &Request, family: Family) -> u64 {
    let vocabulary = tiktoken_rs::o200k_base_singleton();
    let left = Cell::new(COUNTED);
    let text = |text: &str| {
        let Some(rest) = left.get().checked_sub(text.len()) else { return tokens_by_length(text) };
        left.set(rest);
        pieces(text).map(|piece| vocabulary.encode_ordinary(piece).len() as u64).sum()
    };
    let said = estimate_tokens(request, &text);
    let has_tools = !request.tools.is_empty();
    // A prompt without content has no tokens at all.
    if said == 0 { 0 } else { (said * factor(family)).div_ceil(100) + added(family, has_tools) }
}

/// A text in pieces, cut at white space where there is some.
fn pieces(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        if text.is_empty() {
            return None;
        }
        let end = if text.len() <= PIECE {
            text.len()
        } else {
            let most = text.floor_char_boundary(PIECE);
            text[..most].rfind(char::is_whitespace).filter(|at| *at > 0).unwrap_or(most)
        };
        let (piece, rest) = text.split_at(end);
        text = rest;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use byok_translate::ir::{Message, Part, Role};
    use byok_types::Dialect;

    fn tokens(text: &str, family: Family) -> u64 {
        let mut request = Request::new(Dialect::Chat, "m");
        request.messages.push(Message::new(Role::User, vec![Part::text(text)]));
        count(&request, family) - 4 * factor(family) / 100 - added(family, false)
    }

    #[test]
    fn text_is_counted_by_its_tokens() {
        for (text, expected) in [("", 0), ("hello world", 2), ("hello hello hello", 3), ("你好", 1)] {
            assert_eq!(tokens(text, Family::Openai), expected, "{text}");
        }
        assert_eq!(tokens(&"hello ".repeat(100), Family::Claude), 122);
    }

    #[test]
    fn long_text_is_cut_and_nothing_takes_for_ever() {
        let words = "hello ".repeat(10_000);
        assert!(
            (9_990..=10_060).contains(&tokens(&words, Family::Openai)),
            "{}",
            tokens(&words, Family::Openai)
        );
        let base64 = "QUJD".repeat(1 << 20);
        assert!(tokens(&base64, Family::Openai) > 100_000);
        for text in ["a b", "é".repeat(3000).as_str(), "x".repeat(5000).as_str()] {
            assert_eq!(pieces(text).collect::<String>(), text);
        }
    }
}
