//! `byok status --watch`.

use super::{Report, now};
use crate::{
    place::Place,
    terminal,
    trouble::{Exit, Trouble},
};
use serde_json::Value;
use std::{pin::pin, time::Duration};
use tokio::time::{MissedTickBehavior, interval};

/// How often it looks.
const LOOK: Duration = Duration::from_secs(2);
/// Puts the cursor to the first place of an empty screen.
const CLEAR: &str = "\x1b[H\x1b[2J";

/// The terminal's second screen: what was there before is there again afterwards.
struct Screen;

impl Screen {
    fn open() -> Self {
        terminal::steer("\x1b[?1049h");
        Self
    }

    /// Shows a text as far as it fits, without a line break at its end, which would scroll.
    fn show(text: &str) {
        let (wide, high) = terminal::data_size().unwrap_or((80, 24));
        terminal::steer(&format!("{CLEAR}{}", terminal::harmless(&cut(text, wide, high))));
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        terminal::steer("\x1b[?1049l");
    }
}

/// The first lines of a text that fit, and how to end.
fn cut(text: &str, wide: usize, high: usize) -> String {
    const END: &str = "Ctrl-C ends this";
    let text = text.trim_end();
    let rows = |line: &str| line.chars().count().div_ceil(wide).max(1);
    let all = text.lines().map(rows).sum::<usize>();
    if all + 2 <= high {
        return format!("{text}\n\n{END}");
    }
    let mut left = high.saturating_sub(1);
    let mut shown = String::new();
    for line in text.lines() {
        let Some(after) = left.checked_sub(rows(line)) else { break };
        left = after;
        shown.push_str(line);
        shown.push('\n');
    }
    let more = format!("… `byok status` shows all; {END}");
    shown + &more.chars().take(wide.saturating_sub(1)).collect::<String>()
}

/// Shows the state until Ctrl-C: on a terminal in place, else a block for each change.
pub(super) async fn watch(place: &Place, json: bool) -> Result<(), Trouble> {
    let in_place = !json && terminal::data_is_read_by_a_person();
    let mut stop = pin!(terminal::told_to_stop());
    let screen = in_place.then(Screen::open);
    let mut ticks = interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = None;
    loop {
        let next = async {
            ticks.tick().await;
            Report::now(place).await
        };
        let report = tokio::select! {
            _ = &mut stop => return Ok(()),
            report = next => report,
        };
        let (steady, block) = match report {
            Ok(report) => (steady(&report), shown(&report, json)?),
            // It may work again with the next look.
            Err(trouble) => (Value::String(trouble.to_string()), unknown(&trouble, json)),
        };
        let changed = last.as_ref() != Some(&steady);
        let read = if screen.is_some() {
            Screen::show(&block);
            true
        } else if changed {
            let gap = if json || last.is_none() { "" } else { "\n" };
            terminal::data_if_read(format_args!("{gap}{block}"))?
        } else {
            true
        };
        if !read {
            return Ok(());
        }
        last = Some(steady);
    }
}

fn shown(report: &Report, json: bool) -> Result<String, Trouble> {
    if json {
        return serde_json::to_string(report).map_err(|error| {
            Trouble::new(Exit::Failure, "the state cannot be written as JSON").because(&error)
        });
    }
    let begin = report.not_running().map(|why| format!("{why}\n")).unwrap_or_default();
    Ok(begin + &report.text(now(), terminal::data_size().map(|(wide, _)| wide)))
}

fn unknown(trouble: &Trouble, json: bool) -> String {
    if json { serde_json::json!({"error": trouble.to_string()}).to_string() } else { trouble.to_string() }
}

/// What has to change before it is told again: time that passes is no change.
fn steady(report: &Report) -> Value {
    let mut all = serde_json::to_value(report).unwrap_or_default();
    forget_time(&mut all);
    all
}

fn forget_time(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !matches!(name.as_str(), "uptime_seconds" | "seconds" | "told_at"));
            fields.values_mut().for_each(forget_time);
        }
        Value::Array(all) => all.iter_mut().for_each(forget_time),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn what_does_not_fit_is_cut_and_not_scrolled() {
        let rows = |shown: &str, wide: usize| {
            shown.split('\n').map(|line| line.chars().count().div_ceil(wide).max(1)).sum::<usize>()
        };
        let long = "word ".repeat(40);
        for text in [
            String::new(),
            "one".to_owned(),
            "line\n".repeat(21),
            "line\n".repeat(100),
            format!("{long}\n").repeat(9),
        ] {
            for (wide, high) in [(80, 24), (80, 23), (20, 5), (200, 50)] {
                let shown = cut(&text, wide, high);
                assert!(rows(&shown, wide) <= high, "{wide}x{high}: {shown}");
                assert!(shown.contains("Ctrl-C") || shown.contains('…'), "{shown}");
            }
        }
        assert_eq!(cut("one", 80, 24), "one\n\nCtrl-C ends this");
        assert!(
            cut(&"line\n".repeat(100), 80, 24).ends_with("line\n… `byok status` shows all; Ctrl-C ends this")
        );
    }
}
