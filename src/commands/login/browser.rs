//! Opening a page in a browser.

use crate::terminal;
use std::process::{Command, Stdio};
use webbrowser::{Browser, BrowserOptions};

/// Which browser, and how.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    /// The browser; without one, the usual one of the machine.
    pub(super) browser: Option<String>,
    /// Whether it is to be a private window.
    pub(super) private: bool,
}

/// Names of browsers, what each is started by, and its word for a private window.
const BROWSERS: [(&str, &[&str], &str); 6] = [
    ("firefox", &["firefox"], "--private-window"),
    ("chrome", &["google-chrome", "google-chrome-stable"], "--incognito"),
    ("chromium", &["chromium", "chromium-browser"], "--incognito"),
    ("brave", &["brave", "brave-browser"], "--incognito"),
    ("edge", &["microsoft-edge", "microsoft-edge-stable"], "--inprivate"),
    ("vivaldi", &["vivaldi", "vivaldi-stable"], "--incognito"),
];

impl Window {
    /// Opens the page; `false` if no browser could be started, which is said where one was asked for.
    pub(super) fn open(&self, url: &str) -> bool {
        let known = BROWSERS.map(|(name, ..)| name).join(", ");
        let opened = self.start(url);
        match &self.browser {
            Some(name) if !opened => terminal::warn(format_args!(
                "the browser `{name}` cannot be started; `--browser` takes {known}, or a program that opens an address."
            )),
            Some(name) if self.private && BROWSERS.iter().all(|(known, ..)| known != name) => {
                terminal::warn(format_args!(
                    "byok does not know how `{name}` opens a private window, so it is an ordinary one: look at the account that it \
                     is logged in with. Private windows open in {known}."
                ));
            }
            None if !opened && self.private => terminal::warn(format_args!(
                "no browser was found that opens a private window ({known}); open one yourself."
            )),
            _ => {}
        }
        opened
    }

    fn start(&self, url: &str) -> bool {
        match (&self.browser, self.private) {
            (None, false) => usual(url),
            (Some(name), private) => match BROWSERS.iter().find(|(known, ..)| known == name) {
                Some(browser) => start(browser, private, url),
                // Any other program that opens an address.
                None => spawn(name, &[url]),
            },
            // Nothing says which browser the usual one is: the first that is there.
            (None, true) => BROWSERS.iter().any(|browser| start(browser, true, url)),
        }
    }
}

fn usual(url: &str) -> bool {
    let mut options = BrowserOptions::new();
    options.with_suppress_output(true);
    match webbrowser::open_browser_with_options(Browser::Default, url, &options) {
        Ok(()) => true,
        Err(error) => {
            tracing::debug!(%error, "the browser could not be opened");
            false
        }
    }
}

fn start((name, programs, word): &(&str, &[&str], &str), private: bool, url: &str) -> bool {
    let arguments: &[&str] = if private { &[word, url] } else { &[url] };
    if cfg!(target_os = "macos") {
        let application = match *name {
            "chrome" => "Google Chrome",
            "edge" => "Microsoft Edge",
            "brave" => "Brave Browser",
            other => other,
        };
        return spawn("open", &[&["-na", application, "--args"], arguments].concat());
    }
    programs.iter().any(|program| spawn(program, arguments))
}

fn spawn(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().is_ok()
}
