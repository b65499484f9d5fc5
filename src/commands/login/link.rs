//! Logins by a link: a page of the running byok, or of this command, leads through them. The link carries a one-time token.

use super::{browser::Window, described};
use crate::{
    commands::serve::greeting::base_url,
    logins,
    place::{ask, ask_for_login, open_store},
    terminal,
    trouble::{Exit, Trouble},
};
use byok_auth::{Bind, LOGIN_WINDOW, LoginError, Wish};
use byok_config::{Config, Live};
use byok_proxy::{LoginTicket, LoginWish, serve_logins};
use byok_types::{Account, ProviderId, Secret};
use serde::Deserialize;
use std::{
    fs,
    io::Write as _,
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    path::Path,
    time::Duration,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::{Host, Url};

/// File beside the database that leads a browser to the link: what a program is started with can be read by every user of the
/// machine, and the link is a secret.
const FILE: &str = "login.html";
/// How long the last page may take to reach the browser.
const LAST_PAGE: Duration = Duration::from_secs(4);
/// How often it is looked whether there still is something to wait for.
const LOOK: Duration = Duration::from_secs(1);

/// What a link is for.
pub(super) struct Link<'a> {
    pub(super) config: &'a Config,
    pub(super) provider: &'a ProviderId,
    pub(super) account: Option<String>,
}

/// The address of the page with a token, which stands where browsers send it to nobody.
fn address(base: &str, provider: Option<&str>, token: &str) -> String {
    let base = base.trim_end_matches('/');
    let provider = provider.map(|name| format!("/{name}")).unwrap_or_default();
    format!("{base}/v0/oauth{provider}#{token}")
}

/// The same for any provider.
pub(in crate::commands) fn for_any(base: &str, token: &Secret) -> String {
    address(base, None, token.expose())
}

/// The same for one of them.
pub(in crate::commands) fn for_one(base: &str, provider: &str, token: &Secret) -> String {
    address(base, Some(provider), token.expose())
}

impl Link<'_> {
    fn wish(&self, public: Option<Url>) -> LoginWish {
        LoginWish { provider: self.provider.to_string(), account: self.account.clone(), public }
    }

    /// A link to the running byok for a browser on this machine, opened by `window`.
    pub(super) async fn for_this_machine(&self, window: Option<&Window>) -> Result<(), Trouble> {
        let ticket = ask_for_login(&self.config.database, &self.wish(None)).await?;
        let LoginTicket { token, address: listens, minutes } = ticket.ok_or_else(|| {
            Trouble::new(Exit::Unavailable, "no byok is running here, so there is no page to log in on")
                .hint(format!("start it with `byok serve`; `byok login {}` works without it", self.provider))
        })?;
        let link = address(&local(&listens)?, Some(self.provider.as_str()), &token);
        let opened = window.is_some_and(|window| self.open(window, &link));
        let what = if opened {
            "the browser opens this page"
        } else {
            "open this page in a browser on this machine"
        };
        terminal::say(format_args!("{what}:\n\n  {link}\n\nthe link is good once, for {minutes} minutes"));
        Ok(())
    }

    fn open(&self, window: &Window, link: &str) -> bool {
        let directory = self.config.database.parent();
        directory
            .and_then(|directory| leading_to(link, directory).ok())
            .and_then(|file| Url::from_file_path(file).ok())
            .is_some_and(|file| window.open(file.as_str()))
    }

    /// A link for a person on another machine: to the running byok if it is reached from there, else to this command.
    pub(super) async fn for_another_machine(
        &self,
        host: Option<&str>,
        bind: Option<Bind>,
    ) -> Result<(), Trouble> {
        #[derive(Deserialize)]
        struct Server {
            address: SocketAddr,
        }
        let server: Option<Server> = ask(&self.config.database, "/status").await?;
        let named = self.config.allowed_hosts.iter().any(|host| !host.is_loopback());
        let reached = server.filter(|server| bind.is_none() && (named || !server.address.ip().is_loopback()));
        let Some(Server { address: listens }) = reached else { return self.by_itself(host, bind).await };
        let public = public(host, listens)?;
        let ticket = ask_for_login(&self.config.database, &self.wish(Some(public.clone()))).await?;
        let ticket = ticket.ok_or_else(|| {
            Trouble::new(Exit::TryAgain, "the running byok has just stopped").hint("try again")
        })?;
        self.tell(&public, &ticket.token);
        terminal::say("the running byok waits for the login; `byok status` shows it");
        Ok(())
    }

    fn tell(&self, public: &Url, token: &str) {
        let link = address(public.as_str(), Some(self.provider.as_str()), token);
        terminal::say(format_args!(
            "open this link on the other machine:\n\n  {link}\n\nit is good once, for {} minutes; whoever opens it decides which \
             account byok uses",
            LOGIN_WINDOW.as_secs() / 60
        ));
        if public.scheme() == "http" && !is_this_machine(public) {
            terminal::warn(
                "the page is not encrypted: use the link only in a network that you trust, or put a server with a certificate in \
                 front and name it with `--host https://…`",
            );
        }
    }

    /// Serves the page until the login is done.
    async fn by_itself(&self, host: Option<&str>, bind: Option<Bind>) -> Result<(), Trouble> {
        let wanted = host.map(read_host).transpose()?;
        let (ip, port) = place_of(wanted.as_ref(), bind);
        let listener = TcpListener::bind((ip, port)).await.map_err(|error| {
            Trouble::new(Exit::CannotCreate, format!("byok cannot listen on {}", SocketAddr::new(ip, port)))
                .because(&error)
                .hint("name another port with `--host NAME:PORT`, or another address with `--callback-bind`")
        })?;
        let listens = listener.local_addr().map_err(|error| {
            Trouble::new(Exit::CannotCreate, "byok cannot see where it listens").because(&error)
        })?;
        let public = public(host, listens)?;
        let store = open_store(self.config)?;
        let desk = logins::desk(Live::fixed(self.config.clone()), store.clone());
        let mut done = desk.done();
        let LoginWish { provider, account, public: known } = self.wish(Some(public.clone()));
        let token = desk.issue(Wish { provider: Some(provider), account, public: known });
        self.tell(&public, token.expose());
        terminal::say(format_args!("waiting on {listens}; Ctrl-C gives up"));
        let stop = CancellationToken::new();
        let serving = tokio::spawn(serve_logins(listener, desk.clone(), stop.clone()));
        let mut ticks = tokio::time::interval(LOOK);
        let account: Account = loop {
            tokio::select! {
                _ = done.changed() => if let Some(account) = done.borrow_and_update().clone() {
                    break account;
                },
                _ = ticks.tick() => if desk.is_idle() {
                    return Err(LoginError::TimedOut(LOGIN_WINDOW).into());
                },
            }
        };
        terminal::say(format_args!("\nlogged in to {} as {}", self.provider, described(&account)));
        // The browser still asks how it ended.
        tokio::time::sleep(LAST_PAGE).await;
        stop.cancel();
        let _ = tokio::time::timeout(LOOK, serving).await;
        store.close().await;
        terminal::say("a running byok uses it at once; `byok serve` starts one, `byok status` shows it");
        Ok(())
    }
}

/// Writes a page that leads to the link: for this user only, from its first moment.
fn leading_to(link: &str, directory: &Path) -> std::io::Result<std::path::PathBuf> {
    let path = fs::canonicalize(directory)?.join(FILE);
    let mut file = tempfile::Builder::new().prefix(".login-").tempfile_in(directory)?;
    write!(
        file,
        "<!doctype html>\n<meta charset=\"utf-8\"><meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta http-equiv=\"refresh\" content=\"0; url={link}\"><title>byok</title>\n<a href=\"{link}\">Log in</a>\n"
    )?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(path)
}

fn local(listens: &str) -> Result<String, Trouble> {
    let address = listens.parse().map_err(|_| {
        Trouble::new(Exit::Failure, "the running byok listens on something that this one does not understand")
            .hint("they are of different versions: restart the running one")
    })?;
    Ok(base_url(address))
}

/// What was given as `--host`.
fn read_host(text: &str) -> Result<Url, Trouble> {
    let wrong = || {
        Trouble::new(Exit::Usage, "`--host` is not the name of a machine, with or without a port")
            .hint("write it as box.lan, box.lan:9000, [fd00::1]:9000 or https://byok.example.org")
    };
    let url = if text.contains("://") { Url::parse(text) } else { Url::parse(&format!("http://{text}")) };
    let url = url.map_err(|_| wrong())?;
    let plain = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let nobody = url.username().is_empty() && url.password().is_none();
    // Nobody can be told to open port 0.
    let port = url.port() != Some(0);
    if matches!(url.scheme(), "http" | "https") && plain && nobody && port && url.host().is_some() {
        Ok(url)
    } else {
        Err(wrong())
    }
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// Where this command listens: behind something with a certificate on loopback, else on all addresses.
fn place_of(host: Option<&Url>, bind: Option<Bind>) -> (IpAddr, u16) {
    let in_front = host.is_some_and(|url| url.scheme() == "https" || is_this_machine(url));
    let usual = if in_front { Ipv4Addr::LOCALHOST } else { Ipv4Addr::UNSPECIFIED };
    // The port of an https address is that of what stands in front.
    let port = host.filter(|url| url.scheme() == "http").and_then(Url::port).unwrap_or(0);
    let ip = bind.map_or(IpAddr::V4(usual), |bind| bind.ip);
    (ip, bind.and_then(|bind| bind.port).unwrap_or(port))
}

/// The address for the other machine.
fn public(host: Option<&str>, listens: SocketAddr) -> Result<Url, Trouble> {
    if let Some(host) = host {
        let mut url = read_host(host)?;
        if url.scheme() == "http" && url.port().is_none() {
            let _ = url.set_port(Some(listens.port()));
        }
        return Ok(url);
    }
    let unknown = || {
        Trouble::new(Exit::Usage, "byok does not know under which name the other machine reaches this one")
            .hint("name it with `--host NAME`")
    };
    let ip = if listens.ip().is_unspecified() { outward().ok_or_else(unknown)? } else { listens.ip() };
    Url::parse(&format!("http://{}", SocketAddr::new(ip, listens.port()))).map_err(|_| unknown())
}

/// The address by which this machine would speak to others. Nothing is sent for it.
fn outward() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // An address that is reserved for examples.
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    socket
        .local_addr()
        .ok()
        .map(|address| address.ip())
        .filter(|ip| !ip.is_unspecified() && !ip.is_loopback())
}

#[cfg(test)]
mod tests;
