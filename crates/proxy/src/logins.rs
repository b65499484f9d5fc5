//! `/v0/oauth`: logins through a page, for a server that has no browser or nobody at its terminal.
//!
//! No client key opens it: who may log in holds a one-time token of the terminal or of the control socket. A token is
//! traded, by POST, for a session; the session stands in a cookie of its own path, or in `authorization: Bearer` for programs.
//! Links carry the token behind `#`, which browsers send to nobody, and previews of links cannot use up.

mod asked;
mod page;
mod serve;
mod told;

pub use serve::serve as serve_logins;
pub(crate) use told::key as text_of;

use crate::{
    access::{HostCheck, Hosts, Throttle, host_of},
    body, reply,
};
use asked::{Asked, Form, Method};
use axum::{body::Body, response::Response};
use byok_auth::{Desk, Offer, Session};
use http::{HeaderMap, HeaderValue, Request, StatusCode, header, request::Parts};
use page::Page;
use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

/// Where the pages are.
pub(crate) const PATH: &str = "/v0/oauth";
/// Largest form.
const LARGEST: usize = 64 << 10;
/// Time for a form to arrive.
const IN_TIME: Duration = Duration::from_secs(30);
/// How long a browser keeps the key of a session, in seconds.
const COOKIE_LIFE: u32 = 20 * 60;

/// What the pages work with.
#[derive(Clone, Copy)]
pub(crate) struct Front<'a> {
    pub(crate) desk: &'a Desk,
    pub(crate) hosts: &'a Hosts,
    pub(crate) throttle: &'a Throttle,
    /// Wrong tokens that one address may show in a minute.
    pub(crate) wrong_per_minute: usize,
}

/// Whether a path belongs to the pages.
pub(crate) fn is_ours(path: &str) -> bool {
    path.strip_prefix(PATH).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A refusal: status, heading, and a text that ends in what to do.
struct Refused(StatusCode, &'static str, String);

/// Answers one request.
pub(crate) async fn answer(front: Front<'_>, peer: IpAddr, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let json = asked::wants_json(&parts.headers);
    let page = match check(front, &parts) {
        Ok(()) => match Asked::read(&parts) {
            Some(asked) => front.answer(asked, &parts, body, peer).await,
            None => Err(nothing_here()),
        },
        Err(refused) => Err(refused),
    };
    match page {
        Ok(page) => page.response(json),
        Err(Refused(status, heading, text)) => Page::plain(status, heading, &text).response(json),
    }
}

fn nothing_here() -> Refused {
    Refused(StatusCode::NOT_FOUND, "Nothing here", "Log in at /v0/oauth.".to_owned())
}

/// Who may ask at all. What keeps other pages out is the same as everywhere, but here no client key helps: the names have to
/// be byok's own or that of a link which waits to be opened.
fn check(front: Front<'_>, parts: &Parts) -> Result<(), Refused> {
    let host = host_of(&parts.uri, &parts.headers);
    match front.hosts.check(host) {
        HostCheck::Ours => {}
        HostCheck::Foreign if host.is_some_and(|host| front.desk.is_known_as(name_of(host))) => {}
        HostCheck::Foreign => {
            return Err(Refused(
                StatusCode::MISDIRECTED_REQUEST,
                "Wrong address",
                "byok does not log anybody in under this name. Open the link that `byok login` printed; for another name make \
                 one with `byok login PROVIDER --remote --host NAME`."
                    .to_owned(),
            ));
        }
        HostCheck::Broken => {
            return Err(Refused(
                StatusCode::BAD_REQUEST,
                "Wrong address",
                "The request must have exactly one readable Host.".to_owned(),
            ));
        }
    }
    if comes_from_byok(front, parts, host.unwrap_or_default()) {
        return Ok(());
    }
    Err(Refused(
        StatusCode::FORBIDDEN,
        "Not from here",
        "Another web page asked for this. Open the link of the login yourself.".to_owned(),
    ))
}

/// A Host without its port.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Whether a page of byok, a person or a program asks. Following a link to look at a page changes nothing, so that may come
/// from anywhere: remote links are sent by mail.
fn comes_from_byok(front: Front<'_>, parts: &Parts, host: &str) -> bool {
    let text = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(origin) = text("origin") {
        let own = origin.split_once("://").map_or("", |(_, authority)| authority);
        return own.eq_ignore_ascii_case(host) || front.desk.is_known_as(name_of(own));
    }
    match text("sec-fetch-site") {
        None | Some("same-origin" | "none") => true,
        Some(_) => {
            parts.method == http::Method::GET
                && text("sec-fetch-mode") == Some("navigate")
                && text("sec-fetch-dest") == Some("document")
        }
    }
}

impl Front<'_> {
    async fn answer(self, asked: Asked, parts: &Parts, body: Body, peer: IpAddr) -> Result<Page, Refused> {
        let Asked { provider, method } = asked;
        match (provider, method) {
            (None, Method::Look) => Ok(Page::choose(&self.desk.names(), asked::token_of(parts).as_deref())),
            (None, Method::Open) => {
                let mut form = self.form(parts, body).await?;
                let provider = form.take("provider").unwrap_or_default();
                self.offer(&provider)?;
                self.open(&provider, form, parts, peer).await
            }
            (None, _) => Err(nothing_here()),
            (Some(provider), method) => {
                let offer = self.offer(&provider)?;
                self.of_provider(&offer, method, parts, body, peer).await
            }
        }
    }

    async fn of_provider(
        self,
        offer: &Offer,
        method: Method,
        parts: &Parts,
        body: Body,
        peer: IpAddr,
    ) -> Result<Page, Refused> {
        let provider = offer.provider.as_str();
        let session = asked::session_key(&parts.headers).and_then(|key| self.desk.session(&key, provider));
        match method {
            Method::Look => match (session, asked::token_of(parts)) {
                (Some(session), _) => Ok(Page::session(&session)),
                (None, None) => Ok(Page::start(offer, None)),
                (None, Some(token)) if self.desk.would_open(&token, provider) => {
                    Ok(Page::start(offer, Some(&token)))
                }
                (None, Some(_)) => Err(self.wrong(peer, provider)),
            },
            Method::Open => {
                let form = self.form(parts, body).await?;
                self.open(provider, form, parts, peer).await
            }
            Method::Start | Method::Code => {
                let session = session.ok_or_else(|| no_session(provider))?;
                let form = self.form(parts, body).await?;
                step(&session, method, form).await;
                Ok(Page::session(&session).after_post(provider))
            }
        }
    }

    /// Trades a token for a session.
    async fn open(
        self,
        provider: &str,
        mut form: Form,
        parts: &Parts,
        peer: IpAddr,
    ) -> Result<Page, Refused> {
        let token = form.take("token").or_else(|| asked::bearer(&parts.headers)).unwrap_or_default();
        let key = self.desk.redeem(token.trim(), provider).await;
        let key = key.ok_or_else(|| self.wrong(peer, provider))?;
        let session = self.desk.session(told::key(&key), provider);
        let session = session.ok_or_else(|| no_session(provider))?;
        Ok(Page::session(&session).with_key(&session, &key).after_post(provider))
    }

    fn offer(self, provider: &str) -> Result<Offer, Refused> {
        let known = || format!("Logins on a page: {}.", self.desk.names().join(", "));
        let Some(offer) = self.desk.offer(provider) else {
            return Err(Refused(StatusCode::NOT_FOUND, "No such provider", known()));
        };
        if offer.methods().next().is_none() {
            let text = format!(
                "{} is logged in to with a key or a file, which belong on no web page. Use `byok login {}` on the machine of \
                 byok. {}",
                offer.provider,
                offer.provider,
                known()
            );
            return Err(Refused(StatusCode::NOT_FOUND, "No login on a page", text));
        }
        Ok(offer)
    }

    async fn form(self, parts: &Parts, body: Body) -> Result<Form, Refused> {
        let read = body::read(body, &parts.headers, LARGEST, IN_TIME).await;
        let bytes = read.map_err(|failure| {
            let status = StatusCode::from_u16(failure.status).unwrap_or(StatusCode::BAD_REQUEST);
            Refused(status, "The form did not arrive", failure.message)
        })?;
        Form::read(&parts.headers, &bytes).ok_or_else(|| {
            Refused(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Not a form",
                "Send JSON with text values, or the form of the page.".to_owned(),
            )
        })
    }

    /// Nobody tries tokens at leisure. Who holds a right one is let in whatever others of the same machine try: only wrong
    /// ones count and have to wait.
    fn wrong(self, peer: IpAddr, provider: &str) -> Refused {
        if let Some(wait) = self.throttle.blocked(peer, self.wrong_per_minute, Instant::now()) {
            let text = format!("Wait {} seconds, then open a new link.", wait.as_secs().max(1));
            return Refused(StatusCode::TOO_MANY_REQUESTS, "Too many wrong tokens", text);
        }
        self.throttle.wrong(peer, Instant::now());
        let text = format!(
            "The token was used already, is older than ten minutes, is for another provider, or was not copied whole. Make a \
             new link with `byok login {provider} --web`."
        );
        Refused(StatusCode::FORBIDDEN, "This link does not hold", text)
    }
}

fn no_session(provider: &str) -> Refused {
    let text = format!(
        "This login is over, another one of {provider} took its place, or it belongs to another browser. Make a new link with \
         `byok login {provider} --web`."
    );
    Refused(StatusCode::UNAUTHORIZED, "No login is under way here", text)
}

async fn step(session: &Session, method: Method, mut form: Form) {
    if method == Method::Code {
        session.paste(form.take("code").unwrap_or_default()).await;
        return;
    }
    let name = form.take("method").unwrap_or_default();
    let claims = form.take_all("claim");
    session.start(&name, form.answers(&name), claims).await;
}

/// The cookie with the key of a session: for this path, never for scripts, never on the way from another site.
fn cookie(session: &Session, key: &str) -> Option<HeaderValue> {
    let secure = session.wish().public.as_ref().is_some_and(|url| url.scheme() == "https");
    let secure = if secure { "; Secure" } else { "" };
    let provider = session.provider();
    HeaderValue::from_str(&format!(
        "{}={key}; Path={PATH}/{provider}; Max-Age={COOKIE_LIFE}; HttpOnly; SameSite=Strict{secure}",
        asked::COOKIE
    ))
    .ok()
}

/// What every answer says, so that no page can frame it, no cache keeps it, and no address leaks.
fn harden(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        // Not `no-referrer`: with it browsers send forms with the origin `null`.
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

fn json(status: StatusCode, value: &serde_json::Value) -> Response {
    let mut response = reply::json(status, value.to_string());
    harden(response.headers_mut());
    response
}

#[cfg(test)]
mod tests;
