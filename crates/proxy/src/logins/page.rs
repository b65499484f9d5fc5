//! The pages: one small HTML file each, with nothing from elsewhere.

use super::{PATH, cookie, harden, json, told};
use axum::{body::Body, response::Response};
use byok_auth::{
    Method, Offer, Session, Stage,
    claims::{self, Claim},
};
use byok_types::{Account, CredentialKind, Secret, account_flag};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json as object};
use std::fmt::Write as _;
use tokio::time::Instant;
use url::Url;

const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = include_str!("page/script.js");

/// A page, and the same for programs.
pub(super) struct Page {
    status: StatusCode,
    title: String,
    /// HTML.
    body: String,
    told: Value,
    /// Whether the script has something to do.
    moves: bool,
    /// The stage, for the script.
    state: &'static str,
    /// Seconds that are left, for the script.
    left: Option<u64>,
    cookie: Option<HeaderValue>,
    /// Where the browser is sent in place of the page.
    location: Option<String>,
}

impl Page {
    /// A heading and a text.
    pub(super) fn plain(status: StatusCode, heading: &str, text: &str) -> Self {
        let told = object!({"error": {"message": text, "code": heading.to_lowercase().replace(' ', "_")}});
        Self { status, told, ..Self::new(heading, format!("<p>{}</p>", marked(text))) }
    }

    fn new(title: impl Into<String>, body: String) -> Self {
        Self {
            status: StatusCode::OK,
            title: title.into(),
            body,
            told: Value::Null,
            moves: false,
            state: "",
            left: None,
            cookie: None,
            location: None,
        }
    }

    /// The form for a token that may be for any provider.
    pub(super) fn choose(names: &[String], token: Option<&str>) -> Self {
        let mut options = String::new();
        for name in names {
            let _ = write!(options, "<option>{}</option>", escaped(name));
        }
        let select = format!("<label>Provider <select name=\"provider\">{options}</select></label>");
        let told = object!({"providers": names});
        let status = StatusCode::UNAUTHORIZED;
        Self { status, moves: true, told, ..Self::new("Log in", token_form(PATH, &select, token)) }
    }

    /// The form for a token of one provider.
    pub(super) fn start(offer: &Offer, token: Option<&str>) -> Self {
        let provider = offer.provider.as_str();
        let action = format!("{PATH}/{provider}");
        // Without a token nothing is told but what the documentation says, too.
        let (status, told) = if token.is_some() {
            (StatusCode::OK, told::offer(offer))
        } else {
            let text = format!(
                "a one-time token is needed; `byok login {provider} --web` makes one. POST it as `token`."
            );
            (StatusCode::UNAUTHORIZED, object!({"error": {"message": text, "code": "token_required"}}))
        };
        let body = token_form(&action, "", token);
        Self { status, moves: true, told, ..Self::new(format!("Log in to {provider}"), body) }
    }

    /// Where a login stands.
    pub(super) fn session(session: &Session) -> Self {
        let provider = session.provider().as_str();
        let stage = session.stage();
        let heading = format!("Log in to {provider}");
        let mut page = match &stage {
            Stage::Asking { problem } => Self::new(heading, asking(session, problem.as_deref())),
            Stage::Busy => {
                Self { moves: true, ..Self::new(heading, "<p>The vendor is asked …</p>".to_owned()) }
            }
            Stage::Browser { page, returns, problem } => {
                let body = in_browser(provider, page, *returns, problem.as_deref());
                Self { moves: true, ..Self::new(heading, body) }
            }
            Stage::Device { page, code, ends } => {
                let left = ends.saturating_duration_since(Instant::now()).as_secs();
                Self { moves: true, left: Some(left), ..Self::new(heading, by_code(page, code, left)) }
            }
            Stage::Done { account, without, replaced, ends } => {
                Self::new(format!("Logged in to {provider}"), done(account, without, *replaced, *ends))
            }
        };
        page.state = told::word(&stage);
        page.told = told::session(session);
        page
    }

    /// The same as the answer to a form: the browser gets the page by GET, so that loading it again sends nothing twice.
    pub(super) fn after_post(self, provider: &str) -> Self {
        Self { location: Some(format!("{PATH}/{provider}")), ..self }
    }

    /// The same with the key of a new session.
    pub(super) fn with_key(mut self, session: &Session, key: &Secret) -> Self {
        self.cookie = cookie(session, told::key(key));
        if let Some(told) = self.told.as_object_mut() {
            told.insert("session".to_owned(), told::key(key).into());
        }
        self
    }

    pub(super) fn response(self, as_json: bool) -> Response {
        let mut response = match (&self.location, as_json) {
            (_, true) => json(self.status, &self.told),
            (Some(location), false) => {
                let mut response = Response::new(Body::empty());
                *response.status_mut() = StatusCode::SEE_OTHER;
                if let Ok(location) = HeaderValue::from_str(location) {
                    response.headers_mut().insert(header::LOCATION, location);
                }
                harden(response.headers_mut());
                response
            }
            (None, false) => self.html(),
        };
        if let Some(cookie) = self.cookie {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        response
    }

    fn html(&self) -> Response {
        let nonce = uuid::Uuid::new_v4().simple().to_string();
        let title = escaped(&self.title);
        let script =
            if self.moves { format!("<script nonce=\"{nonce}\">{SCRIPT}</script>\n") } else { String::new() };
        let left = self.left.map(|left| format!(" data-left=\"{left}\"")).unwrap_or_default();
        let html = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>byok: {title}</title>\n\
             <style nonce=\"{nonce}\">{STYLE}</style></head>\n\
             <body data-state=\"{}\"{left}><main>\n<h1>{title}</h1>\n{}\n</main>\n{script}</body>\n</html>\n",
            self.state, self.body
        );
        let mut response = Response::new(Body::from(html));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        let policy = format!(
            "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'; \
             form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        );
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        harden(headers);
        response
    }
}

fn token_form(action: &str, more: &str, token: Option<&str>) -> String {
    let (action, token) = (escaped(action), escaped(token.unwrap_or_default()));
    format!(
        "<form method=\"post\" action=\"{action}\">{more}<label>One-time token <input name=\"token\" value=\"{token}\" \
         autocomplete=\"off\" required></label><button>Continue</button></form>\n\
         <p>The token stands behind <code>#</code> in the link that byok printed. It is good once, for ten minutes; \
         <code>byok login PROVIDER --web</code> makes another one.</p>"
    )
}

fn asking(session: &Session, problem: Option<&str>) -> String {
    let offer = session.offer();
    let provider = escaped(offer.provider.as_str());
    let mut out = problem.map(warned).unwrap_or_default();
    out.extend(offer.vendor.ended.map(warned));
    if let Some(notice) = claims::notice(offer.provider.as_str(), CredentialKind::Oauth) {
        let _ = write!(
            out,
            "<p>{}</p><p>{}</p><p class=\"source\">({})</p>",
            marked(notice.rule),
            marked(notice.risk),
            marked(notice.source)
        );
    }
    out.extend(offer.warnings.iter().map(|warning| warned(warning)));
    if session.has_others() && session.wish().account.is_none() {
        out.push_str(&warned(&format!(
            "byok is logged in to {} already. A login of the same account replaces it; several plans of one person to stretch \
             their limits may be against the terms of the vendor.",
            offer.provider
        )));
    }
    let _ = write!(out, "<form method=\"post\" action=\"{PATH}/{provider}/start\">");
    session.claims().for_each(|claim| out.push_str(&consent(claim)));
    let methods: Vec<&Method> = offer.methods().collect();
    for (place, method) in methods.iter().enumerate() {
        let checked = if place == 0 { " checked" } else { "" };
        let name = escaped(method.name);
        let _ = write!(
            out,
            "<fieldset><label><input type=\"radio\" name=\"method\" value=\"{name}\"{checked}> {}</label>",
            escaped(method.what)
        );
        for question in method.questions {
            let _ = write!(
                out,
                "<label>{} <input type=\"{}\" name=\"{name}.{}\" value=\"{}\" autocomplete=\"off\"></label>",
                escaped(question.prompt),
                if question.secret { "password" } else { "text" },
                escaped(question.name),
                escaped(question.default)
            );
        }
        out.push_str("</fieldset>");
    }
    out.push_str("<button>Log in</button></form>");
    out
}

/// What byok would say, what happens without it, and a box that is empty until the person ticks it.
fn consent(claim: &Claim) -> String {
    format!(
        "<fieldset><p>One thing is not literally true of byok. With your consent it sends, {}:</p><pre>{}</pre><p>{}</p>\
         <p>The consent can be taken back: <code>byok accounts claims {} --revoke {}</code></p>\
         <label><input type=\"checkbox\" name=\"claim\" value=\"{}\"> byok may send it for this account</label></fieldset>",
        marked(&told::place(claim)),
        escaped(claim.value),
        marked(claim.without),
        escaped(claim.provider),
        escaped(claim.name),
        escaped(claim.name)
    )
}

fn in_browser(provider: &str, page: &Url, returns: bool, problem: Option<&str>) -> String {
    let how = if returns {
        "This page goes on by itself when the browser comes back to this machine. If it ends at a page that cannot be \
         reached, or the provider shows a code, paste the whole address or the code here:"
    } else {
        "Then paste the code that the provider shows, or the whole address at which the browser ends, also if that page cannot \
         be reached:"
    };
    format!(
        "{}<p>Log in at the provider:</p><p>{}</p><p>{how}</p>\
         <form method=\"post\" action=\"{PATH}/{}/code\"><label>Code or address <input name=\"code\" autocomplete=\"off\" \
         required></label><button>Continue</button></form>",
        problem.map(warned).unwrap_or_default(),
        link(page),
        escaped(provider)
    )
}

fn by_code(page: &Url, code: &str, left: u64) -> String {
    format!(
        "<p>Open this address on any device:</p><p>{}</p><p>and enter the code:</p><pre class=\"code\">{}</pre>\
         <p>This page goes on by itself. The code is good for <span id=\"left\">{}:{:02}</span>.</p>\
         <noscript><p>Load the page again when you have entered it.</p></noscript>",
        link(page),
        escaped(code),
        left / 60,
        left % 60
    )
}

fn done(account: &Account, without: &[&'static Claim], replaced: bool, ends: Option<i64>) -> String {
    let email = account.email.as_ref().filter(|email| **email != account.label);
    let plan = account.plan.as_ref().map(|plan| format!("plan {plan}"));
    let more: Vec<_> = email.cloned().into_iter().chain(plan).collect();
    let more = if more.is_empty() { String::new() } else { format!(" ({})", more.join(", ")) };
    let mut out = format!(
        "<p>byok is logged in as <strong>{}</strong>{} and uses it at once.{} You can close this page.</p>",
        escaped(&account.label),
        escaped(&more),
        if replaced { " It replaces the login that was there." } else { "" },
    );
    if ends.is_some() {
        out.push_str(&warned(&format!(
            "the vendor has given nothing to renew this login with: it ends with its token. `byok status` says when; log in \
             again then with `byok login {} {}`",
            account.provider,
            account_flag(&account.label)
        )));
    }
    if !without.is_empty() {
        let names: Vec<_> = without.iter().map(|claim| claim.name).collect();
        let command = claims::command(account.provider.as_str(), &account_flag(&account.label), &names);
        let plural = if names.len() > 1 { "s" } else { "" };
        out.push_str(&warned(&format!(
            "byok does not send the claim{plural} `{}`; `{command}` changes that",
            names.join("`, `")
        )));
    }
    out
}

/// A link to the vendor. Only addresses of the web: nothing that a browser would run.
fn link(page: &Url) -> String {
    let address = escaped(page.as_str());
    if matches!(page.scheme(), "https" | "http") {
        format!("<a href=\"{address}\" target=\"_blank\" rel=\"noopener noreferrer\">{address}</a>")
    } else {
        format!("<code>{address}</code>")
    }
}

fn warned(text: &str) -> String {
    format!("<p class=\"warning\">{}</p>", marked(text))
}

/// Escaped, with what stands between backticks as code.
fn marked(text: &str) -> String {
    let pieces = text.split('`').map(escaped);
    let mark = |(place, piece): (usize, String)| {
        if place % 2 == 1 { format!("<code>{piece}</code>") } else { piece }
    };
    pieces.enumerate().map(mark).collect()
}

/// Text of anybody as text of a page.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if byok_types::steers_text(c) && c != '\n' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
