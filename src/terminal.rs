//! Talking to the person: data on stdout, everything else on stderr, questions only on a terminal.

use crate::{
    logging,
    trouble::{Exit, Trouble},
};
use anstyle::{AnsiColor, Style};
use byok_types::steers_text;
use rustix::{
    process::{Signal, getpid, kill_process},
    termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr},
};
use serde_json::Map;
use std::{
    borrow::Cow,
    fmt::Display,
    io::{self, BufRead as _, ErrorKind, IsTerminal as _, Write as _},
    sync::{Mutex, MutexGuard, Once, PoisonError},
    time::Duration,
};
use tokio::{
    signal::unix::{Signal as Heard, SignalKind, signal},
    sync::mpsc,
};
use tracing::level_filters::LevelFilter;

/// Writes data, with a line break behind it. A reader that has seen enough (`byok models | head`) is no error.
pub(crate) fn data(text: impl Display) -> Result<(), Trouble> {
    data_if_read(text).map(|_| ())
}

/// The same for output that goes on: whether there still is a reader.
pub(crate) fn data_if_read(text: impl Display) -> Result<bool, Trouble> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{}", harmless(&text.to_string())).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Trouble::new(Exit::Failure, "the output could not be written").because(&error)),
    }
}

/// Whether a person reads the data.
pub(crate) fn data_is_read_by_a_person() -> bool {
    io::stdout().is_terminal()
}

/// How wide and high the terminal is that a person reads the data on.
pub(crate) fn data_size() -> Option<(usize, usize)> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok().filter(|_| data_is_read_by_a_person())?;
    let (wide, high) = (usize::from(size.ws_col), usize::from(size.ws_row));
    Some((if wide == 0 { 80 } else { wide }, if high == 0 { 24 } else { high }))
}

/// A text whose lines are at most so wide, broken between words. What a line begins with in spaces, its parts begin with, too.
pub(crate) fn wrapped(text: &str, wide: usize) -> String {
    let wrap = |line: &str| {
        let indent = &line[..line.len() - line.trim_start().len()];
        let mut lines = vec![String::new()];
        for word in line.split_whitespace() {
            let last = lines.last().map_or(0, |last| last.chars().count());
            if last > 0 && last + 1 + word.chars().count() + indent.len() > wide {
                lines.push(String::new());
            }
            if let Some(last) = lines.last_mut() {
                *last += if last.is_empty() { "" } else { " " };
                *last += word;
            }
        }
        lines.iter().map(|line| format!("{indent}{line}")).collect::<Vec<_>>().join("\n")
    };
    text.lines().map(wrap).collect::<Vec<_>>().join("\n")
}

/// Writes to the terminal as it is, without a line break: whatever steers it.
pub(crate) fn steer(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Says something. A closed stderr is not worth failing for.
pub(crate) fn say(text: impl Display) {
    if logging::is_for_programs() {
        return logging::tell(LevelFilter::INFO, text.to_string().trim_end(), Map::new());
    }
    let _ = writeln!(anstream::stderr().lock(), "{}", harmless(&text.to_string()));
}

/// A text that cannot steer the terminal, whatever vendors and other programs have put into it: of control characters, and of
/// those that turn the direction of the text, only line ends, tabs and changes of style stay.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    let steers = |c: char| steers_text(c) && c != '\n' && c != '\t';
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(steers) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = style(rest).unwrap_or(0);
        out.push_str(if length == 0 { " " } else { &rest[..length] });
        rest = &rest[length.max(rest.chars().next().map_or(1, char::len_utf8))..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// How long the change of style is that the text begins with: `ESC [ 1 ; 31 m`.
fn style(text: &str) -> Option<usize> {
    let inner = text.strip_prefix("\x1b[")?;
    let end = inner.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    inner[end..].starts_with('m').then_some(2 + end + 1)
}

/// Says something in the place of what was said so before; nothing at all takes it away.
pub(crate) fn progress(text: &str) {
    let mut err = io::stderr().lock();
    let _ = write!(err, "\r\x1b[2K{text}").and_then(|()| err.flush());
}

/// How wide the terminal is.
pub(crate) fn columns() -> usize {
    let wide = rustix::termios::tcgetwinsize(io::stderr()).map_or(0, |size| usize::from(size.ws_col));
    if wide == 0 { 80 } else { wide }
}

/// Says what deserves a look.
pub(crate) fn warn(text: impl Display) {
    if logging::is_for_programs() {
        return logging::tell(LevelFilter::WARN, &text.to_string(), Map::new());
    }
    let style = AnsiColor::Yellow.on_default().bold();
    say(format_args!("{style}warning:{style:#} {text}"));
}

/// Says what failed.
pub(crate) fn complain(trouble: &Trouble) {
    let (what, lines, hint) = trouble.parts();
    if logging::is_for_programs() {
        let lines = Some(lines.join("\n")).filter(|lines| !lines.is_empty());
        let more = [("details", lines), ("hint", hint.map(str::to_owned))];
        let more = more.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.into())));
        return logging::tell(LevelFilter::ERROR, what, more.collect());
    }
    let red = AnsiColor::Red.on_default().bold();
    say(format_args!("{red}error:{red:#} {what}"));
    for line in lines {
        say(line);
    }
    if let Some(hint) = hint {
        let bold = Style::new().bold();
        say(format_args!("\n{bold}hint:{bold:#} {hint}"));
    }
}

/// Whether a person can read what is said and answer.
pub(crate) fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Whether a person reads what is said.
pub(crate) fn is_read_by_a_person() -> bool {
    io::stderr().is_terminal()
}

/// How long standard input may be silent before it is said what it is for.
const SILENCE: Duration = Duration::from_secs(1);

/// The lines of stdin. One thread reads them, so that a wait for the next line can be given up. It starts with the first
/// wait: a process in the background that reads its terminal is stopped.
#[derive(Default)]
pub(crate) struct Lines(Option<mpsc::Receiver<String>>);

impl Lines {
    /// These lines and no more.
    #[cfg(test)]
    pub(crate) fn of(lines: &[&str]) -> Self {
        let (sender, receiver) = mpsc::channel(lines.len().max(1));
        for line in lines {
            let _ = sender.try_send((*line).to_owned());
        }
        Self(Some(receiver))
    }

    /// The next line; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<String> {
        self.0.get_or_insert_with(read_lines).recv().await
    }

    /// The next line, which is not shown while it is typed.
    pub(crate) async fn hidden(&mut self) -> Option<String> {
        let unseen = Unseen::begin();
        let line = self.next().await;
        drop(unseen);
        if io::stdin().is_terminal() {
            say("");
        }
        line
    }

    /// The same; where no person is asked and nothing comes at once, it is said what is waited for.
    pub(crate) async fn awaited(&mut self, what: &str) -> Option<String> {
        let line = self.hidden();
        tokio::pin!(line);
        if !is_interactive() {
            tokio::select! {
                line = &mut line => return line,
                () = tokio::time::sleep(SILENCE) => say(format_args!("waiting for {what} on standard input")),
            }
        }
        line.await
    }

    /// Asks a question that is answered with no unless the person says yes.
    pub(crate) async fn agrees(&mut self, question: &str) -> bool {
        let mut err = io::stderr();
        let _ = write!(err, "{question} [y/N] ").and_then(|()| err.flush());
        let answer = self.next().await.unwrap_or_default();
        matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
    }
}

/// Waits for Ctrl-C or SIGTERM; for ever where neither can be heard. Returns the exit code that shells expect of it.
pub(crate) fn told_to_stop() -> impl Future<Output = i32> {
    // From now on, and not only when somebody waits.
    let heard = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    async {
        let (Ok(mut interrupt), Ok(mut terminate)) = heard else { return std::future::pending().await };
        tokio::select! {
            _ = interrupt.recv() => 130,
            _ = terminate.recv() => 143,
        }
    }
}

/// The same, and whatever else ends a process: Ctrl-\\ and the end of its terminal.
fn told_to_end() -> impl Future<Output = i32> {
    let told = told_to_stop();
    let heard = (signal(SignalKind::quit()), signal(SignalKind::hangup()));
    async {
        let (Ok(mut quit), Ok(mut hangup)) = heard else { return told.await };
        tokio::select! {
            code = told => code,
            _ = quit.recv() => 131,
            _ = hangup.recv() => 129,
        }
    }
}

/// How the terminal was before it stopped showing what is typed.
static SEEN: Mutex<Option<Termios>> = Mutex::new(None);

/// While it lives, the terminal does not show what is typed.
struct Unseen;

impl Unseen {
    fn begin() -> Self {
        static HEEDED: Once = Once::new();
        let Ok(seen) = tcgetattr(io::stdin()) else { return Self };
        // Whoever is stopped in between leaves the terminal as it was: the shell behind would go on without an echo. From then
        // on nobody else ends the process, so this goes on listening.
        HEEDED.call_once(|| {
            let told = told_to_end();
            tokio::spawn(async {
                let code = told.await;
                drop(Self);
                say("");
                std::process::exit(code);
            });
            if let Ok(mut suspend) = heard(Signal::TSTP) {
                tokio::spawn(async move {
                    while suspend.recv().await.is_some() {
                        suspended().await;
                    }
                });
            }
        });
        Self::hide(seen);
        Self
    }

    fn hide(seen: Termios) {
        let mut unseen = seen.clone();
        unseen.local_modes.remove(LocalModes::ECHO);
        *lock(&SEEN) = Some(seen);
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &unseen);
    }
}

fn heard(of: Signal) -> io::Result<Heard> {
    signal(SignalKind::from_raw(of.as_raw()))
}

/// How soon the system stops a process that is told to stop.
const STOPS: Duration = Duration::from_millis(200);

/// Lets Ctrl-Z stop the process, with the terminal as it was until somebody lets it go on.
async fn suspended() {
    let hidden = lock(&SEEN).clone();
    drop(Unseen);
    // Of this signal nothing but the system thinks anything. It stops the process, unless no shell could wake it; then it goes on.
    if let Ok(mut goes_on) = heard(Signal::CONT)
        && kill_process(getpid(), Signal::TTIN).is_ok()
    {
        tokio::select! {
            _ = goes_on.recv() => {}
            () = tokio::time::sleep(STOPS) => {}
        }
    }
    if let Some(seen) = hidden {
        Unseen::hide(seen);
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        if let Some(seen) = lock(&SEEN).take() {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &seen);
        }
    }
}

fn lock(seen: &Mutex<Option<Termios>>) -> MutexGuard<'_, Option<Termios>> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read_lines() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::{harmless, wrapped};

    #[test]
    fn what_vendors_say_cannot_steer_the_terminal() {
        for (text, expected) in [
            ("plain\n\tä", "plain\n\tä"),
            ("\x1b[1mbold\x1b[0m", "\x1b[1mbold\x1b[0m"),
            ("a\x1b[2Jb\x1b]0;title\x07c", "a [2Jb ]0;title c"),
            ("a\rb\u{9b}31mc\x1b", "a b 31mc "),
            ("a\u{202e}b\u{2066}\x1b[1mc\u{200f}", "a b \x1b[1mc "),
        ] {
            assert_eq!(harmless(text), expected, "{text:?}");
        }
    }

    #[test]
    fn sentences_are_broken_between_words() {
        for (text, expected) in [
            ("", ""),
            ("\nshort", "\nshort"),
            ("one two three", "one two\nthree"),
            ("  one two three", "  one\n  two\n  three"),
            ("a-word-that-is-longer b", "a-word-that-is-longer\nb"),
        ] {
            assert_eq!(wrapped(text, 8), expected, "{text}");
        }
    }
}
