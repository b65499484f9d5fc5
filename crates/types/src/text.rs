//! Text that others have written.

/// Whether a character changes what stands around it where it is shown: control characters, and those that turn the direction of
/// the text (`U+202E` shows `gpj.exe` as `exe.jpg`). None belongs into a name, an address or a line.
pub fn steers_text(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200E}' | '\u{200F}' | '\u{061C}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::steers_text;

    #[test]
    fn what_turns_the_text_is_no_letter() {
        let steering = "\u{0}\u{7}\n\u{1b}\u{7f}\u{9b}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}";
        for c in steering.chars() {
            assert!(steers_text(c), "{c:?}");
        }
        // Letters of languages that are written from the right, joiners of emoji and spaces of all kinds stay.
        for c in "a ä-@אب\u{200d}\u{a0}\u{2003}👍".chars() {
            assert!(!steers_text(c), "{c:?}");
        }
    }
}
