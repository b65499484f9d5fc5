//! GitHub itself: device codes, tokens, and the exchange.

use crate::{
    call::{Call, parse_query},
    server::Reply,
    world::World,
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::HashMap;

/// The one client that the simulated GitHub knows.
const CLIENT: &str = "Iv1.b507a08c87ecfe98";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// Life of an exchanged token, and when it is to be renewed.
const LIFE: i64 = 1800;
const REFRESH_IN: i64 = 1500;

#[derive(Default)]
struct Book {
    issued: u64,
    /// Device codes, and how often each was asked about.
    devices: HashMap<String, u32>,
    /// GitHub tokens and their persons.
    tokens: HashMap<String, String>,
    /// Exchanged tokens: whose, and until when.
    exchanged: HashMap<String, (String, i64)>,
}

impl Book {
    fn issue(&mut self) -> String {
        self.issued += 1;
        let token = format!("ghu_simulated{}", self.issued);
        self.tokens.insert(token.clone(), "octocat".to_owned());
        token
    }
}

/// State of GitHub.
#[derive(Default)]
pub(crate) struct GitHub(Mutex<Book>);

/// Whose token it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// Of a GitHub token.
    Direct(String),
    /// Of an exchanged token.
    Exchanged(String),
}

impl GitHub {
    /// A token of the one person.
    pub(crate) fn grant(&self) -> String {
        self.0.lock().issue()
    }

    pub(super) fn owner(&self, token: &str, now: i64) -> Option<Owner> {
        let book = self.0.lock();
        match book.exchanged.get(token) {
            Some((person, end)) if *end > now => Some(Owner::Exchanged(person.clone())),
            Some(_) => None,
            None => book.tokens.get(token).cloned().map(Owner::Direct),
        }
    }

    fn of_github(&self, call: &Call) -> Option<String> {
        // The scheme is `token`, byte for byte.
        let token = call.header("authorization")?.strip_prefix("token ")?;
        self.0.lock().tokens.get(token).cloned()
    }
}

fn form(call: &Call) -> HashMap<String, String> {
    let form =
        call.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if form {
        parse_query(&String::from_utf8_lossy(&call.body)).into_iter().collect()
    } else {
        HashMap::new()
    }
}

fn good(body: &Value) -> Reply {
    Reply::json(200, Vec::new(), body)
}

/// GitHub says errors of the login with status 200.
fn refuse(error: &str) -> Reply {
    good(
        &json!({"error": error, "error_description": "See the documentation.", "error_uri": "https://docs.github.com"}),
    )
}

fn rejected(status: u16, message: &str) -> Reply {
    Reply::json(
        status,
        Vec::new(),
        &json!({"message": message, "documentation_url": "https://docs.github.com/rest", "status": status.to_string()}),
    )
}

/// Without the header the answer is a form, which nobody wants.
fn as_form() -> Reply {
    let kind = ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned());
    Reply::sized(200, vec![kind], vec![crate::body::Step::Data("error=not_acceptable".into())])
}

fn wants_json(call: &Call) -> bool {
    call.header("accept").is_some_and(|accept| accept.contains("application/json"))
}

pub(super) fn device(world: &World, call: &Call) -> Reply {
    if !wants_json(call) {
        return as_form();
    }
    let form = form(call);
    if form.get("client_id").map(String::as_str) != Some(CLIENT) {
        return rejected(404, "Not Found");
    }
    if form.get("scope").map(String::as_str) != Some("read:user") {
        return refuse("invalid_scope");
    }
    let mut book = world.github.0.lock();
    book.issued += 1;
    let code = format!("device-{}", book.issued);
    let user_code = format!("WXYZ-{:04}", book.issued);
    book.devices.insert(code.clone(), 0);
    good(&json!({
        "device_code": code, "user_code": user_code, "verification_uri": "https://github.com/login/device",
        "expires_in": 900, "interval": 1,
    }))
}

/// The person agrees between the first question and the second.
pub(super) fn token(world: &World, call: &Call) -> Reply {
    if !wants_json(call) {
        return as_form();
    }
    let form = form(call);
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    if field("client_id") != CLIENT {
        return refuse("incorrect_client_credentials");
    }
    if field("grant_type") != GRANT {
        return refuse("unsupported_grant_type");
    }
    let mut book = world.github.0.lock();
    let Some(asked) = book.devices.get_mut(field("device_code")) else {
        return refuse("incorrect_device_code");
    };
    *asked += 1;
    if *asked < 2 {
        return refuse("authorization_pending");
    }
    book.devices.remove(field("device_code"));
    let token = book.issue();
    good(&json!({"access_token": token, "token_type": "bearer", "scope": "read:user"}))
}

/// What GitHub's API wants of every call.
fn allowed(world: &World, call: &Call) -> Result<String, Reply> {
    if call.header("user-agent").is_none() {
        return Err(rejected(
            403,
            "Request forbidden by administrative rules. Please make sure your request has a User-Agent header.",
        ));
    }
    world.github.of_github(call).ok_or_else(|| rejected(401, "Bad credentials"))
}

pub(super) fn exchange(world: &World, call: &Call) -> Reply {
    let person = match allowed(world, call) {
        Ok(person) => person,
        Err(refused) => return refused,
    };
    if call.header("x-github-api-version") != Some("2025-04-01") {
        return rejected(400, "The given API version is not supported.");
    }
    let now = world.now();
    let mut book = world.github.0.lock();
    book.issued += 1;
    let token =
        format!("tid={};exp={};sku=monthly_subscriber;st=dotcom;chat=1:simulated", book.issued, now + LIFE);
    book.exchanged.insert(token.clone(), (person, now + LIFE));
    let host = call.header("host").unwrap_or_default();
    good(&json!({
        "token": token, "expires_at": now + LIFE, "refresh_in": REFRESH_IN, "sku": "monthly_subscriber",
        "individual": true, "chat_enabled": true, "public_suggestions": "disabled", "telemetry": "disabled",
        "endpoints": {
            "api": format!("http://{host}/copilot/individual"), "proxy": "https://proxy.invalid",
            "telemetry": "https://telemetry.invalid", "origin-tracker": "https://origin-tracker.invalid",
        },
        "limited_user_quotas": null, "limited_user_reset_date": null, "organization_list": [], "enterprise_list": [],
    }))
}

pub(super) fn user(world: &World, call: &Call) -> Reply {
    allowed(world, call).map_or_else(
        |refused| refused,
        |login| good(&json!({"login": login, "id": 583_231, "email": "octocat@example.org", "type": "User"})),
    )
}

pub(super) fn usage(world: &World, call: &Call) -> Reply {
    allowed(world, call).map_or_else(|refused| refused, |login| {
        good(&json!({
            "login": login, "access_type_sku": "monthly_subscriber", "copilot_plan": "individual", "chat_enabled": true,
            "can_signup_for_limited": false, "organization_login_list": [], "quota_reset_date": "2099-12-01",
            "quota_reset_date_utc": "2099-12-01T00:00:00.000Z", "token_based_billing": false,
            "quota_snapshots": {
                "chat": {"entitlement": 0, "remaining": 0, "percent_remaining": 100.0, "unlimited": true},
                "completions": {"entitlement": 0, "remaining": 0, "percent_remaining": 100.0, "unlimited": true},
                "premium_interactions": {
                    "entitlement": 300, "remaining": 262, "quota_remaining": 262.5, "percent_remaining": 87.5,
                    "unlimited": false, "overage_count": 0, "overage_permitted": false, "quota_id": "premium_interactions",
                },
            },
        }))
    })
}
