//! Logins of plans whose access tokens are JWTs: codes, device codes, tokens with rotation, and what was counted of them.
//! The endpoints of Codex and of xAI keep one book each.

use crate::{call::Call, oauth::challenge_of};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

/// Whose plan it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// `ChatGPT`, for Codex.
    Codex,
    /// Grok.
    Xai,
}

/// Who logs in where nobody says who.
pub(crate) const PERSON: &str = "ada@example.org";

/// A fresh login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanGrant {
    /// Access token.
    pub access_token: String,
    /// Refresh token.
    pub refresh_token: String,
    /// Tells who logged in.
    pub id_token: String,
    /// Seconds until the access token expires.
    pub expires_in: i64,
}

/// What the endpoints of a login have counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlanCounts {
    /// Codes exchanged for tokens.
    pub exchanges: u64,
    /// Refresh tokens exchanged for new pairs.
    pub refreshes: u64,
    /// Refresh tokens that came a second time.
    pub reuses: u64,
    /// Tokens revoked.
    pub revocations: u64,
    /// Inquiries for the list of models.
    pub models: u64,
    /// Inquiries for what is left of the plan.
    pub usages: u64,
}

/// A code that waits for its exchange.
#[derive(Clone, Debug)]
struct Code {
    challenge: String,
    redirect: String,
    email: String,
}

/// A device code, and who entered it.
#[derive(Clone, Debug)]
struct Device {
    user_code: String,
    entered_by: Option<String>,
    polled: bool,
}

#[derive(Clone, Debug)]
struct Refresh {
    spent: bool,
    email: String,
}

#[derive(Default)]
struct Book {
    issued: u64,
    codes: HashMap<String, Code>,
    devices: HashMap<String, Device>,
    /// Access tokens: end and owner.
    access: HashMap<String, (i64, String)>,
    expired: HashSet<String>,
    refresh: HashMap<String, Refresh>,
    counts: PlanCounts,
}

/// Why tokens are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// Nobody issued it.
    Unknown,
    /// It has been used.
    Reused,
    /// It does not belong to what it comes with.
    Mismatch,
}

/// The state of one login.
pub(crate) struct Books {
    plan: Plan,
    life: i64,
    book: Mutex<Book>,
}

/// The person of an e-mail address, without its host.
pub(crate) fn person(email: &str) -> &str {
    email.split('@').next().unwrap_or_default()
}

impl Plan {
    /// What the last part of its access tokens begins with.
    pub(crate) const fn mark(self) -> &'static str {
        match self {
            Self::Codex => ".sim-codex-",
            Self::Xai => ".sim-xai-",
        }
    }

    /// Whether it could have issued this token.
    pub(crate) fn marks(self, token: &str) -> bool {
        token.contains(self.mark())
    }

    fn claims(self, email: &str, end: i64) -> Value {
        let user = format!("user-{}", person(email));
        match self {
            Self::Codex => json!({
                "exp": end, "email": email, "iss": "https://auth.openai.com",
                "https://api.openai.com/auth": {
                    "chatgpt_account_id": format!("ws-{}", person(email)), "chatgpt_user_id": user,
                    "chatgpt_plan_type": "plus",
                },
            }),
            Self::Xai => json!({
                "exp": end, "sub": user, "email": email, "principal_type": "User", "principal_id": user,
            }),
        }
    }
}

impl Books {
    pub(crate) fn new(plan: Plan, life: Duration) -> Self {
        Self { plan, life: life.as_secs().try_into().unwrap_or(i64::MAX / 2), book: Mutex::default() }
    }

    pub(crate) fn counts(&self) -> PlanCounts {
        self.book.lock().counts
    }

    pub(crate) fn count(&self, change: impl FnOnce(&mut PlanCounts)) {
        change(&mut self.book.lock().counts);
    }

    /// A code for a person who has agreed.
    pub(crate) fn authorize(&self, challenge: &str, redirect: &str, email: &str) -> String {
        let mut book = self.book.lock();
        let name = book.name("code");
        let (challenge, redirect, email) = (challenge.to_owned(), redirect.to_owned(), email.to_owned());
        book.codes.insert(name.clone(), Code { challenge, redirect, email });
        name
    }

    /// A device code and the code that a person enters.
    pub(crate) fn device(&self) -> (String, String) {
        let mut book = self.book.lock();
        let name = book.name("device");
        let user_code = format!("SIM-{:04}", book.issued);
        book.devices
            .insert(name.clone(), Device { user_code: user_code.clone(), entered_by: None, polled: false });
        (name, user_code)
    }

    /// A person enters a code; whether there is such a code.
    pub(crate) fn enter(&self, user_code: &str, email: &str) -> bool {
        let mut book = self.book.lock();
        let found = book.devices.values_mut().find(|device| device.user_code == user_code);
        found.is_some_and(|device| {
            device.entered_by = Some(email.to_owned());
            true
        })
    }

    /// Who entered a device code: `None` if nobody has issued it, an empty name if it waits. At the second question the default
    /// person has entered it, unless somebody else was faster.
    pub(crate) fn entered(&self, device: &str) -> Option<String> {
        let mut book = self.book.lock();
        let device = book.devices.get_mut(device)?;
        let first = !std::mem::replace(&mut device.polled, true);
        let default = if first { "" } else { PERSON };
        Some(device.entered_by.clone().unwrap_or_else(|| default.to_owned()))
    }

    /// The device code is spent.
    pub(crate) fn close(&self, device: &str) {
        self.book.lock().devices.remove(device);
    }

    /// Tokens for a code.
    pub(crate) fn exchange(
        &self,
        code: &str,
        redirect: &str,
        verifier: &str,
        now: i64,
    ) -> Result<PlanGrant, Denied> {
        let mut book = self.book.lock();
        let code = book.codes.remove(code).ok_or(Denied::Unknown)?;
        if code.redirect != redirect || code.challenge != challenge_of(verifier) {
            return Err(Denied::Mismatch);
        }
        book.counts.exchanges += 1;
        Ok(self.issue(&mut book, &code.email, now))
    }

    /// Tokens for a person.
    pub(crate) fn grant(&self, email: &str, now: i64) -> PlanGrant {
        self.issue(&mut self.book.lock(), email, now)
    }

    /// A new pair for a refresh token, which is spent by this. One that comes again ends all logins of its owner.
    pub(crate) fn refresh(&self, token: &str, now: i64) -> Result<PlanGrant, Denied> {
        let mut book = self.book.lock();
        let known = book.refresh.get_mut(token).ok_or(Denied::Unknown)?;
        let email = known.email.clone();
        if known.spent {
            book.counts.reuses += 1;
            book.refresh.retain(|_, other| other.spent || other.email != email);
            return Err(Denied::Reused);
        }
        known.spent = true;
        book.counts.refreshes += 1;
        Ok(self.issue(&mut book, &email, now))
    }

    pub(crate) fn revoke(&self, token: &str) {
        let mut book = self.book.lock();
        book.counts.revocations += 1;
        book.refresh.remove(token);
    }

    /// Lets an access token die.
    pub(crate) fn expire(&self, token: &str) {
        self.book.lock().expired.insert(token.to_owned());
    }

    /// Lets all access tokens die that are out there.
    pub(crate) fn expire_all(&self) {
        let mut book = self.book.lock();
        let all: Vec<_> = book.access.keys().cloned().collect();
        book.expired.extend(all);
    }

    /// The owner of a good access token.
    pub(crate) fn owner(&self, call: &Call, now: i64) -> Option<String> {
        let token = call.bearer()?;
        let book = self.book.lock();
        let (end, email) = book.access.get(token)?;
        (*end > now && !book.expired.contains(token)).then(|| email.clone())
    }

    fn issue(&self, book: &mut Book, email: &str, now: i64) -> PlanGrant {
        let end = now.saturating_add(self.life);
        let name = book.name(if self.plan == Plan::Codex { "codex" } else { "xai" });
        let token = |claims: &Value| {
            let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
            format!("{}.{}{}{name}", part(&json!({"alg": "none"})), part(claims), self.plan.mark())
        };
        let claims = self.plan.claims(email, end);
        let access_token = token(&claims);
        let refresh_token = format!("rt-{name}");
        book.access.insert(access_token.clone(), (end, email.to_owned()));
        book.refresh.insert(refresh_token.clone(), Refresh { spent: false, email: email.to_owned() });
        PlanGrant { id_token: token(&claims), access_token, refresh_token, expires_in: self.life }
    }
}

impl Book {
    fn name(&mut self, what: &str) -> String {
        self.issued += 1;
        let hash = Sha256::digest(format!("plan {what} {}", self.issued));
        URL_SAFE_NO_PAD.encode(&hash[..18])
    }
}

/// The fields of a form or of a JSON object, by what the request says it is. `None` for anything else.
pub(crate) fn fields(call: &Call) -> Option<(bool, Map<String, Value>)> {
    if call.is_json() {
        return serde_json::from_slice(&call.body).ok().map(|fields| (true, fields));
    }
    let kind = call.header("content-type")?;
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return None;
    }
    let text = std::str::from_utf8(&call.body).ok()?;
    let pairs = crate::call::parse_query(text);
    Some((false, pairs.into_iter().map(|(name, value)| (name, Value::from(value))).collect()))
}

/// A page on which a person agrees, who is called `login_hint` or Ada. `Err` says what is wrong with the address.
pub(crate) fn authorize(
    books: &Books,
    call: &Call,
    wanted: &[(&str, Option<&str>)],
    redirects: &dyn Fn(&str) -> bool,
) -> Result<String, String> {
    for (name, value) in wanted {
        let found = call.query(name).filter(|found| !found.is_empty());
        let good = match value {
            Some(value) => found == Some(*value),
            None => found.is_some(),
        };
        if !good {
            return Err(format!("Missing or invalid parameter: {name}"));
        }
    }
    let known = |name: &str| name == "login_hint" || wanted.iter().any(|(known, _)| *known == name);
    if let Some((name, _)) = call.query.iter().find(|(name, _)| !known(name)) {
        return Err(format!("Unknown parameter: {name}"));
    }
    let value = |name: &str| call.query(name).unwrap_or_default();
    let redirect = value("redirect_uri");
    if value("code_challenge_method") != "S256" || value("code_challenge").len() != 43 {
        return Err("Invalid code_challenge".to_owned());
    }
    if !redirects(redirect) {
        return Err("redirect_uri is not registered".to_owned());
    }
    let state = crate::call::encode(value("state"));
    let hint = call.query("login_hint").unwrap_or(PERSON);
    if hint.contains("denied") {
        return Ok(format!("{redirect}?error=access_denied&error_description=denied&state={state}"));
    }
    let code = books.authorize(value("code_challenge"), redirect, hint);
    Ok(format!("{redirect}?code={code}&state={state}"))
}
