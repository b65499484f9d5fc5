//! The words of the simulator.

use crate::asked::Asked;
use std::fmt::Write;

/// Characters of a question that are repeated.
const ECHO: usize = 2000;

/// The friendly answer: says what it is, and repeats what it was asked in the words it was asked in.
pub(super) fn friendly(asked: &Asked) -> String {
    let question = asked.text.trim();
    let mut text = format!("Hello from the byok simulator, in the place of {}. ", asked.model);
    if question.is_empty() {
        text.push_str("You asked nothing in words. ");
    } else {
        let mut echo: String = question.chars().take(ECHO).collect();
        if echo.len() < question.len() {
            echo.push('…');
        }
        // Writing to a string cannot fail.
        let _ = write!(text, "You said: “{echo}” ");
    }
    for media in &asked.media {
        let _ = match media.bytes {
            Some(bytes) => write!(text, "I see {} of {bytes} bytes. ", media.media_type),
            None => write!(text, "I see a link to {}. ", media.media_type),
        };
    }
    if !asked.tools.is_empty() {
        let _ = write!(text, "I could call {} tools (say sim:tools). ", asked.tools.len());
    }
    text.push_str("No model has thought about this.");
    text
}

/// The answer after tools were run.
pub(super) fn about_results(asked: &Asked) -> String {
    let mut text = String::from("The tools have answered. ");
    for result in &asked.results {
        let shown: String = result.text.chars().take(ECHO).collect();
        let _ = write!(text, "{}: {shown} ", result.name);
    }
    text.push_str("That is all the simulator knows.");
    text
}

/// The thought that is shown when thinking is on and the scenario brings none.
pub(super) const THOUGHT: &str = "A simulator does not think. It shows where thinking would stand.";

/// The words of a refusal.
pub(super) const REFUSAL: &str = "I cannot help with that, says the simulator.";
