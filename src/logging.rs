//! The log: on stderr, for people or as JSON, with a level that follows the settings.

use byok_config::{Log, LogFormat};
use serde_json::{Map, Value, json};
use std::{
    io::{self, IsTerminal as _, Write as _},
    sync::atomic::{AtomicBool, Ordering},
};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    EnvFilter, Registry,
    fmt::{
        self,
        format::Writer,
        time::{FormatTime as _, SystemTime},
    },
    layer::SubscriberExt as _,
    reload,
    util::SubscriberInitExt as _,
};

/// Whether programs read stderr: then whatever is said there is one JSON object a line, as the log is.
static FOR_PROGRAMS: AtomicBool = AtomicBool::new(false);

/// Changes the level of the running log.
#[derive(Clone)]
pub(crate) struct Level(reload::Handle<EnvFilter, Registry>);

impl Level {
    /// Takes over a level of the settings.
    pub(crate) fn set(&self, level: &str) {
        // The log is gone only when the process ends.
        let _ = self.0.reload(filter(level));
    }
}

/// Starts the log.
pub(crate) fn start(log: &Log) -> Level {
    let (filter, handle) = reload::Layer::new(filter(&log.level));
    let colours =
        io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let lines = fmt::layer().with_writer(io::stderr).with_ansi(colours);
    let registry = tracing_subscriber::registry().with(filter);
    FOR_PROGRAMS.store(log.format == LogFormat::Json, Ordering::Relaxed);
    // A log that is running already stays as it is.
    let _ = match log.format {
        LogFormat::Text => registry.with(lines).try_init(),
        LogFormat::Json => registry.with(lines.json()).try_init(),
    };
    Level(handle)
}

/// Whether programs read what is said.
pub(crate) fn is_for_programs() -> bool {
    FOR_PROGRAMS.load(Ordering::Relaxed)
}

/// Says something in the form of an event of the log. No level of the log keeps it back: where people read it would be shown, too.
pub(crate) fn tell(level: LevelFilter, message: &str, more: Map<String, Value>) {
    let mut at = String::new();
    // A clock that cannot be written leaves the place empty.
    let _ = SystemTime.format_time(&mut Writer::new(&mut at));
    let mut fields = Map::from_iter([("message".to_owned(), Value::from(message))]);
    fields.extend(more);
    let level = level.to_string().to_uppercase();
    let line = json!({ "timestamp": at, "level": level, "fields": fields, "target": "byok" });
    // A closed stderr is not worth failing for.
    let _ = io::stderr().lock().write_all(format!("{line}\n").as_bytes());
}

/// The log of a command that does its work and ends: what is wrong, and no more.
pub(crate) fn start_quiet(level: Option<&str>) {
    start(&Log { level: level.unwrap_or("warn").to_owned(), format: LogFormat::Text });
}

/// The filter for a level of the settings.
fn filter(level: &str) -> EnvFilter {
    EnvFilter::try_new(directives(level)).unwrap_or_else(|_| EnvFilter::new("warn,byok=info"))
}

/// A bare level is that of byok. Other libraries say no more than `info`: below that some of them quote the headers
/// and bodies that they carry, and with them keys, tokens and prompts.
fn directives(level: &str) -> String {
    let mut base = "warn".to_owned();
    let mut all = Vec::new();
    for directive in level.split(',').map(|directive| directive.trim().to_ascii_lowercase()) {
        match directive.rsplit_once('=') {
            None if directive == "off" || directive == "error" => base = directive,
            None => all.push(format!("byok={directive}")),
            Some((target, "debug" | "trace")) if !is_ours(target) => all.push(format!("{target}=info")),
            Some(_) => all.push(directive),
        }
    }
    all.insert(0, base);
    all.join(",")
}

fn is_ours(target: &str) -> bool {
    target == "byok" || target.starts_with("byok_") || target.starts_with("byok::")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_level_makes_foreign_libraries_talkative() {
        for (level, expected) in [
            ("info", "warn,byok=info"),
            ("trace", "warn,byok=trace"),
            ("off", "off"),
            ("error", "error"),
            ("info,byok_proxy=debug", "warn,byok=info,byok_proxy=debug"),
            ("debug, h2=trace,hyper=debug,rustls=info", "warn,byok=debug,h2=info,hyper=info,rustls=info"),
            ("byokish=trace", "warn,byokish=info"),
            ("off,byok_auth=debug", "off,byok_auth=debug"),
            ("DEBUG,H2=TRACE", "warn,byok=debug,h2=info"),
        ] {
            assert_eq!(directives(level), expected, "{level}");
        }
    }

    #[test]
    fn off_is_off() {
        assert_eq!(filter("off").max_level_hint(), Some(LevelFilter::OFF));
    }
}
