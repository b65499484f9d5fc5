//! What a person does to log in: in the browser, on another device, or by what is pasted.

use super::browser::Window;
use crate::{
    place::Place,
    terminal::{self, Lines},
    trouble::{Exit, Trouble},
};
use byok_auth::{
    Answers, AuthorizationCode, Bind, BrowserLogin, CallbackServer, DeviceLogin, How, LARGEST_FILE,
    LOGIN_WINDOW, LoginError, Method, NewLogin, PendingLogin, Question, Redirect, await_device, in_words,
    read_pasted, refuse_foreign,
};
use byok_transport::Transport;
use byok_types::{ProviderId, Secret};
use std::{
    path::Path,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// How the code of a browser comes back.
#[derive(Clone, Copy, Debug)]
pub(super) enum CodeBy {
    /// The vendor's page or the browser's address shows it, the person pastes it.
    Paste,
    /// The browser brings it to this machine.
    Callback {
        /// Whether byok opens the page.
        open: bool,
    },
}

/// Whether this machine has a screen on which a browser could open.
pub(super) fn can_open(place: &Place) -> bool {
    let set = |name| place.variable(name).is_some();
    if set("BROWSER") {
        return true;
    }
    let remote = set("SSH_CONNECTION") || set("SSH_TTY");
    let screen = cfg!(any(target_os = "macos", windows)) || set("DISPLAY") || set("WAYLAND_DISPLAY");
    screen && !remote
}

/// What the steps of a login work with.
pub(super) struct Steps<'a> {
    pub(super) transport: &'a Transport,
    pub(super) code_by: CodeBy,
    /// Where to wait for the browser, if not on loopback.
    pub(super) bind: Option<Bind>,
    /// The browser to open.
    pub(super) window: Window,
    /// The provider whose keys are taken, and no others; `None` where another server stands in its place.
    pub(super) keys_of: Option<&'a ProviderId>,
}

impl Steps<'_> {
    /// Leads the person through a login.
    pub(super) async fn log_in(
        &self,
        method: &Method,
        mut answers: Answers,
        lines: &mut Lines,
    ) -> Result<NewLogin, Trouble> {
        for question in method.questions {
            if !answers.contains_key(question.name) {
                answers.insert(question.name.to_owned(), answered(question, lines).await?);
            }
        }
        Ok(match &method.how {
            How::Browser(login) => {
                let own = login.with_answers(&answers)?;
                let login = own.as_ref().unwrap_or(login);
                let (pending, code) = match self.code_by {
                    CodeBy::Paste => self.by_paste(&**login, &answers, lines).await?,
                    CodeBy::Callback { open } => self.by_callback(&**login, &answers, open, lines).await?,
                };
                login.finish_with(self.transport, &pending, code, &answers).await?
            }
            How::Device(login) => self.by_device(&**login, &answers).await?,
            How::Key(login) => {
                let what = if method.name == "key" { "API key" } else { method.name };
                let (prompt, what) = (format!("paste the {what} and press Enter:"), format!("the {what}"));
                let key = hidden(&prompt, &what, lines).await?;
                let key = Secret::new(key);
                if let Some(provider) = self.keys_of {
                    refuse_foreign(provider, &key)?;
                }
                login.finish(self.transport, key, &answers).await?
            }
            How::File(login) => {
                let content = file(answers.get("file").map(String::as_str), lines).await?;
                login.finish(self.transport, &content, &answers).await?
            }
        })
    }

    async fn by_device(&self, login: &dyn DeviceLogin, answers: &Answers) -> Result<NewLogin, Trouble> {
        let code = login.start(self.transport, answers).await?;
        let page = code.page_with_code.as_ref().unwrap_or(&code.page);
        terminal::say(format_args!(
            "open this address on any device:\n\n  {page}\n\nand enter the code:  {}\n",
            code.user_code
        ));
        let opened =
            matches!(self.code_by, CodeBy::Callback { open: true }) && self.window.open(page.as_str());
        if opened {
            terminal::say("the browser opens it");
        }
        if let Some(picture) = terminal::is_read_by_a_person().then(|| qr(page.as_str())).flatten() {
            terminal::say(picture);
        }
        let trouble = Mutex::new(String::new());
        let tell = |said: &str| heard(&trouble, said);
        let waiting = await_device(self.transport, login, &code, &tell);
        Ok(counted_down(code.expires_in, waiting, &trouble).await?)
    }
}

/// A picture of an address for the camera of a phone; `None` where the terminal is too narrow for it.
fn qr(address: &str) -> Option<String> {
    let code = qrcode::QrCode::with_error_correction_level(address, qrcode::EcLevel::L).ok()?;
    let picture = code.render::<qrcode::render::unicode::Dense1x2>().quiet_zone(true).build();
    let wide = picture.lines().next().map_or(0, |line| line.chars().count());
    (wide <= terminal::columns()).then_some(picture)
}

/// Notes what is in the way of the login. Where no line is written anew each second it is said, once.
fn heard(trouble: &Mutex<String>, said: &str) {
    let mut noted = trouble.lock().unwrap_or_else(PoisonError::into_inner);
    if *noted == said {
        return;
    }
    said.clone_into(&mut noted);
    if !said.is_empty() && !terminal::is_read_by_a_person() {
        terminal::say(format_args!("still waiting: {said}"));
    }
}

/// Waits, and shows a person how long there still is, and what is in the way.
async fn counted_down<T>(all: Duration, waiting: impl Future<Output = T>, trouble: &Mutex<String>) -> T {
    tokio::pin!(waiting);
    if !terminal::is_read_by_a_person() {
        terminal::say(format_args!("waiting up to {}", in_words(all)));
        return waiting.await;
    }
    let end = Instant::now() + all;
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            done = &mut waiting => {
                terminal::progress("");
                return done;
            }
            _ = ticks.tick() => {
                let left = end.saturating_duration_since(Instant::now()).as_secs();
                let mut line = format!("waiting; the code is good for {}:{:02}", left / 60, left % 60);
                let said = trouble.lock().unwrap_or_else(PoisonError::into_inner).clone();
                if !said.is_empty() {
                    line = format!("{line} ({said})");
                }
                // A line that is broken by the terminal could not be taken back.
                let wide = terminal::columns().saturating_sub(1);
                terminal::progress(&terminal::harmless(&line).chars().take(wide).collect::<String>());
            }
        }
    }
}

/// Whether the answers of the command line are to questions of this way to log in, and may stand there.
pub(super) fn check_answers(method: &Method, answers: &[(String, String)]) -> Result<(), Trouble> {
    for (name, answer) in answers {
        match method.questions.iter().find(|question| question.name == name) {
            Some(question) if question.secret => {
                let what = format!("`{name}` is a secret, which other programs can read on the command line");
                let hint = "leave `--with` out: byok asks for it, or reads it as the first line of standard input; it can also \
                            stand in the settings";
                return Err(Trouble::new(Exit::Usage, what).hint(hint));
            }
            Some(question) => (question.check)(answer)?,
            None => {
                let known: Vec<_> = method.questions.iter().filter(|question| !question.secret).collect();
                let known: Vec<_> = known.iter().map(|question| question.name).collect();
                let known = if known.is_empty() { "nothing".to_owned() } else { known.join(", ") };
                let what = format!("the login by `{}` does not ask for `{name}`", method.name);
                return Err(Trouble::new(Exit::Usage, what).hint(format!("with `--with` it takes: {known}")));
            }
        }
    }
    Ok(())
}

/// How often a person is asked a question.
const TRIES: u32 = 3;

/// What the person types, else the default; asked again if it cannot be an answer. `None` without either.
async fn typed(question: &Question, lines: &mut Lines) -> Result<Option<String>, LoginError> {
    let default =
        if question.default.is_empty() { String::new() } else { format!(" [{}]", question.default) };
    for left in (0..TRIES).rev() {
        terminal::say(format_args!("{}{default}:", question.prompt));
        let line = lines.next().await.map(|line| line.trim().to_owned()).filter(|line| !line.is_empty());
        let Some(line) = line else { break };
        match (question.check)(&line) {
            Ok(()) => return Ok(Some(line)),
            Err(error) if left == 0 => return Err(error),
            Err(error) => terminal::warn(error),
        }
    }
    Ok(None)
}

/// The answer to a question: what the person types, else its default.
async fn answered(question: &Question, lines: &mut Lines) -> Result<String, Trouble> {
    if question.secret {
        let awaited = format!("one line ({})", question.prompt);
        return hidden(&format!("{}:", question.prompt), &awaited, lines).await;
    }
    if terminal::is_interactive()
        && let Some(line) = typed(question, lines).await?
    {
        return Ok(line);
    }
    if question.default.is_empty() {
        return Err(LoginError::Unanswered { name: question.name }.into());
    }
    Ok(question.default.to_owned())
}

/// One line that is secret, from the terminal or from stdin.
async fn hidden(prompt: &str, awaited: &str, lines: &mut Lines) -> Result<String, Trouble> {
    if terminal::is_interactive() {
        terminal::say(prompt);
    }
    let line = tokio::time::timeout(LOGIN_WINDOW, lines.awaited(awaited)).await;
    let line = line.map_err(|_| LoginError::TimedOut(LOGIN_WINDOW))?.unwrap_or_default();
    let line = line.trim();
    if line.is_empty() {
        return Err(Trouble::new(Exit::NotAllowed, "nothing was given, so nobody is logged in")
            .hint("paste it on the terminal, or pass it on standard input"));
    }
    Ok(line.to_owned())
}

/// The content of a file; `-` is stdin.
async fn file(name: Option<&str>, lines: &mut Lines) -> Result<Secret, Trouble> {
    let Some(name) = name.filter(|name| *name != "-") else {
        if terminal::is_interactive() {
            terminal::say("paste the content of the file, then press Enter and Ctrl-D:");
        }
        let mut all = String::new();
        while let Some(line) = lines.awaited("the content of the file, and its end,").await {
            all.push_str(&line);
            all.push('\n');
        }
        if all.trim().is_empty() {
            return Err(Trouble::new(Exit::NotAllowed, "no file was given, so nobody is logged in")
                .hint("name it with `--with file=FILE`, or pass its content on standard input"));
        }
        return Ok(Secret::new(all));
    };
    let content = super::import::read(Path::new(name), LARGEST_FILE)?;
    String::from_utf8(content).map(Secret::new).map_err(|_| {
        Trouble::new(Exit::BadData, format!("the file `{name}` is no text"))
            .hint("name the file that the provider has given you")
    })
}

/// How a code comes in where no person types it. A person at a terminal is asked again and never reads this.
const BY_PIPE: &str = "each start has an address and a code of its own: start again with a pipe as standard input that stays \
                       open, such as `mkfifo code; byok login … <> code`, and write the code of that start, or the whole address \
                       at which the browser ends, into it as one line: `echo CODE > code`";

impl Steps<'_> {
    async fn by_paste(
        &self,
        login: &dyn BrowserLogin,
        answers: &Answers,
        lines: &mut Lines,
    ) -> Result<(PendingLogin, AuthorizationCode), Trouble> {
        let pending = login.prepare(self.transport, answers, Redirect::Pasted).await?;
        self.paste(pending, false, lines).await
    }

    async fn paste(
        &self,
        pending: PendingLogin,
        open: bool,
        lines: &mut Lines,
    ) -> Result<(PendingLogin, AuthorizationCode), Trouble> {
        let opened = open && self.window.open(pending.authorize_url.as_str());
        let what = if opened {
            "the browser opens this address; log in there"
        } else {
            "open this address in any browser and log in"
        };
        terminal::say(format_args!("{what}:\n\n  {}\n", pending.authorize_url));
        terminal::say(
            "then paste the code that the page shows, or the whole address at which the browser ends, and press Enter:",
        );
        let code = tokio::time::timeout(LOGIN_WINDOW, pasted(&pending, lines)).await;
        let code = code.map_err(|_| LoginError::TimedOut(LOGIN_WINDOW))?;
        let nothing =
            || Trouble::new(Exit::NotAllowed, "no code was pasted, so nobody is logged in").hint(BY_PIPE);
        match code.ok_or_else(nothing)? {
            Err(error @ (LoginError::NotACode { .. } | LoginError::WrongState)) => {
                Err(Trouble::from(error).hint(BY_PIPE))
            }
            code => Ok((pending, code?)),
        }
    }

    async fn by_callback(
        &self,
        login: &dyn BrowserLogin,
        answers: &Answers,
        open: bool,
        lines: &mut Lines,
    ) -> Result<(PendingLogin, AuthorizationCode), Trouble> {
        let server = match CallbackServer::open(login.callback(), self.bind).await {
            // Another program holds the ports that the vendor knows; the code can be pasted all the same.
            Err(error @ LoginError::NoCallback(_)) if self.bind.is_none() => {
                terminal::warn(error);
                return self.by_paste(login, answers, lines).await;
            }
            Err(LoginError::NoCallback(error)) => {
                let bind = self.bind.map(|bind| bind.to_string()).unwrap_or_default();
                let what = format!("byok cannot wait for the browser on {bind}: {error}");
                return Err(Trouble::new(Exit::CannotCreate, what).hint(
                    "name an address of this machine with `--callback-bind`, such as 0.0.0.0, or paste the code with `--no-browser`",
                ));
            }
            server => server?,
        };
        let here = server.redirect_uri()?;
        let pending = login.prepare(self.transport, answers, Redirect::Callback(here.clone())).await?;
        // Some vendors send the browser elsewhere, whatever they were asked.
        if pending.redirect_uri != here.as_str() {
            return self.paste(pending, open, lines).await;
        }
        let opened = open && self.window.open(pending.authorize_url.as_str());
        let what = if opened {
            "the browser opens this address"
        } else {
            "open this address in a browser on this machine"
        };
        terminal::say(format_args!("{what}:\n\n  {}\n", pending.authorize_url));
        let by_hand = terminal::is_interactive();
        if by_hand {
            terminal::say(
                "waiting for the browser; if it is on another machine, paste the address at which it ends, and press Enter",
            );
        }
        let pasted = async {
            match pasted(&pending, lines).await {
                Some(code) => code,
                None => std::future::pending().await,
            }
        };
        let code = tokio::select! {
            code = server.wait(&pending.state) => code,
            code = pasted, if by_hand => code,
        }?;
        Ok((pending, code))
    }
}

/// The first line that is a code. A person may try again; a script may not. `None` if there is no line.
async fn pasted(pending: &PendingLogin, lines: &mut Lines) -> Option<Result<AuthorizationCode, LoginError>> {
    loop {
        let line = lines.next().await?;
        if line.trim().is_empty() {
            continue;
        }
        match read_pasted(&line, pending) {
            Err(error @ (LoginError::NotACode { .. } | LoginError::WrongState))
                if terminal::is_interactive() =>
            {
                terminal::warn(error);
            }
            result => return Some(result),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wrong_answer_is_asked_for_again() {
        let number = Question {
            name: "number",
            prompt: "a number",
            default: "1",
            secret: false,
            check: |text| {
                let bad = |_| LoginError::NotUsable { why: "it is no number; write one".to_owned() };
                text.parse::<u32>().map(|_| ()).map_err(bad)
            },
        };
        for (said, expected) in [
            (&["7"][..], Ok(Some("7"))),
            (&["y", " 7 "], Ok(Some("7"))),
            (&["y", ""], Ok(None)),
            (&["y", "n", "7", "8"], Ok(Some("7"))),
            (&["y", "n", "x", "7"], Err(())),
            (&[], Ok(None)),
        ] {
            let answer = typed(&number, &mut Lines::of(said)).await;
            assert_eq!(answer.as_ref().map(Option::as_deref).map_err(|_| ()), expected, "{said:?}");
        }
    }
}
