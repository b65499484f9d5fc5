//! `byok status --watch`.

use super::{NOT_RUNNING, Report, now};
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

/// Shows the state until Ctrl-C: on a terminal in place, else a block for each change.
pub(super) async fn watch(place: &Place, json: bool) -> Result<(), Trouble> {
    let in_place = !json && terminal::data_is_read_by_a_person();
    let mut stop = pin!(tokio::signal::ctrl_c());
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
        let read = if in_place {
            terminal::data_if_read(format_args!("{CLEAR}{block}\n\nCtrl-C ends this"))?
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
    let begin = if report.running { String::new() } else { format!("{NOT_RUNNING}\n") };
    Ok(begin + &report.text(now()))
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
