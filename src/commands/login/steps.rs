//! From an address to a code: by way of the browser, or by what the person pastes.

use crate::{
    logins::Vendor,
    place::Place,
    terminal::{self, Lines},
    trouble::{Exit, Trouble},
};
use byok_auth::{
    AuthorizationCode, CallbackServer, LOGIN_WINDOW, LoginError, PendingLogin, Redirect, read_pasted,
};
use webbrowser::{Browser, BrowserOptions};

/// How the code comes back.
#[derive(Clone, Copy, Debug)]
pub(super) enum How {
    /// The vendor's page shows it, the person pastes it.
    Pasted,
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

/// Leads the person through the vendor's page.
pub(super) async fn code(
    vendor: &Vendor,
    how: How,
    lines: &mut Lines,
) -> Result<(PendingLogin, AuthorizationCode), Trouble> {
    match how {
        How::Pasted => by_paste(vendor, lines).await,
        How::Callback { open } => by_callback(vendor, open, lines).await,
    }
}

async fn by_paste(vendor: &Vendor, lines: &mut Lines) -> Result<(PendingLogin, AuthorizationCode), Trouble> {
    let pending = vendor.login.begin(Redirect::Pasted);
    terminal::say(format_args!(
        "open this address in any browser and log in:\n\n  {}\n",
        pending.authorize_url
    ));
    terminal::say("then paste the code that the page shows, and press Enter:");
    let code = tokio::time::timeout(LOGIN_WINDOW, pasted(&pending, lines)).await;
    let code = code.map_err(|_| LoginError::TimedOut(LOGIN_WINDOW))?;
    let nothing = || {
        Trouble::new(Exit::NotAllowed, "no code was pasted, so nobody is logged in")
            .hint("`byok login` waits for the code on its standard input")
    };
    Ok((pending, code.ok_or_else(nothing)??))
}

async fn by_callback(
    vendor: &Vendor,
    open: bool,
    lines: &mut Lines,
) -> Result<(PendingLogin, AuthorizationCode), Trouble> {
    let server = CallbackServer::open(vendor.callback_path, None).await?;
    let pending = vendor.login.begin(Redirect::Callback(server.redirect_uri()?));
    let opened = open && open_browser(pending.authorize_url.as_str());
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

/// The first line that is a code. A person may try again; a script may not. `None` if there is no line.
async fn pasted(pending: &PendingLogin, lines: &mut Lines) -> Option<Result<AuthorizationCode, LoginError>> {
    loop {
        let line = lines.next().await?;
        if line.trim().is_empty() {
            continue;
        }
        match read_pasted(&line, &pending.state) {
            Err(error @ (LoginError::NotACode { .. } | LoginError::WrongState))
                if terminal::is_interactive() =>
            {
                terminal::warn(error);
            }
            result => return Some(result),
        }
    }
}

fn open_browser(url: &str) -> bool {
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
