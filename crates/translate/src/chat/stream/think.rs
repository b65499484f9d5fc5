//! Reasoning that a server leaves in the text, between `<think>` and `</think>`.

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Thinking,
    Text,
}

/// Divides the text of an answer. Only a tag at its very start counts: later ones are talked about, not meant.
#[derive(Debug, Default)]
pub(super) struct Think {
    state: State,
    /// Text that may be the beginning of a tag.
    held: String,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Start,
    Inside,
    /// Behind the closing tag, before the first character of the answer.
    Behind,
    Off,
}

impl Think {
    /// No tag is looked for any more: the server shows reasoning in another way.
    pub(super) fn switch_off(&mut self) {
        if self.state == State::Start && self.held.is_empty() {
            self.state = State::Off;
        }
    }

    /// Whether the next text is passed on as it is.
    pub(super) fn is_off(&self) -> bool {
        self.state == State::Off
    }

    /// Takes a piece of text; hands on what is certain.
    pub(super) fn push(&mut self, text: &str, mut each: impl FnMut(Kind, &str)) {
        let mut held = std::mem::take(&mut self.held);
        held.push_str(text);
        let mut rest = held.as_str();
        loop {
            match self.state {
                State::Off => return each(Kind::Text, rest),
                State::Start => {
                    let start = rest.trim_start();
                    if let Some(inside) = start.strip_prefix(OPEN) {
                        self.state = State::Inside;
                        rest = inside;
                    } else if OPEN.starts_with(start) {
                        self.held = held;
                        return;
                    } else {
                        self.state = State::Off;
                    }
                }
                State::Inside => {
                    if let Some((inside, behind)) = rest.split_once(CLOSE) {
                        each(Kind::Thinking, inside);
                        self.state = State::Behind;
                        rest = behind;
                    } else {
                        let (sure, maybe) = rest.split_at(rest.len() - overlap(rest));
                        each(Kind::Thinking, sure);
                        maybe.clone_into(&mut self.held);
                        return;
                    }
                }
                State::Behind => {
                    rest = rest.trim_start();
                    if rest.is_empty() {
                        return;
                    }
                    self.state = State::Off;
                }
            }
        }
    }

    /// The text is over: what was held is what it looks like.
    pub(super) fn finish(&mut self, mut each: impl FnMut(Kind, &str)) {
        let held = std::mem::take(&mut self.held);
        let kind = if self.state == State::Inside { Kind::Thinking } else { Kind::Text };
        self.state = State::Off;
        each(kind, &held);
    }
}

/// The length of the longest end of `text` that begins the closing tag.
fn overlap(text: &str) -> usize {
    (1..CLOSE.len()).rev().find(|n| text.ends_with(&CLOSE[..*n])).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn divided(pieces: &[&str]) -> (String, String) {
        let (mut think, mut thinking, mut text) = (Think::default(), String::new(), String::new());
        let mut each = |kind, piece: &str| match kind {
            Kind::Thinking => thinking.push_str(piece),
            Kind::Text => text.push_str(piece),
        };
        for piece in pieces {
            think.push(piece, &mut each);
        }
        think.finish(&mut each);
        (thinking, text)
    }

    #[test]
    fn a_tag_at_the_start_is_found_at_every_split() {
        for (input, thinking, text) in [
            ("<think>a</think>\n\nb", "a", "b"),
            ("\n <think>a</think>b", "a", "b"),
            ("<think>a", "a", ""),
            ("<think>a</thi", "a</thi", ""),
            ("<think>ä<b</think>ö", "ä<b", "ö"),
            ("a <think>b</think>", "", "a <think>b</think>"),
            ("<thin", "", "<thin"),
            ("<thinker>a", "", "<thinker>a"),
            ("  plain", "", "  plain"),
            ("  ", "", "  "),
            ("<think></think>a</think>", "", "a</think>"),
            ("", "", ""),
        ] {
            let expected = (thinking.to_owned(), text.to_owned());
            for split in (0..=input.len()).filter(|at| input.is_char_boundary(*at)) {
                let (a, b) = input.split_at(split);
                assert_eq!(divided(&[a, b]), expected, "{input:?} at {split}");
            }
            let single: Vec<String> = input.chars().map(String::from).collect();
            assert_eq!(
                divided(&single.iter().map(String::as_str).collect::<Vec<_>>()),
                expected,
                "{input:?}"
            );
        }
    }

    #[test]
    fn a_server_that_shows_reasoning_otherwise_is_not_searched() {
        let mut think = Think::default();
        think.switch_off();
        assert!(think.is_off());
        let mut seen = Vec::new();
        think.push("<think>a", |kind, text| seen.push((kind, text.to_owned())));
        assert_eq!(seen, [(Kind::Text, "<think>a".to_owned())]);
    }
}
