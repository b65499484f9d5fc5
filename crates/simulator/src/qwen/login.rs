//! Device codes and tokens that rotate.

use crate::{
    call::{Call, parse_query},
    server::Reply,
    world::World,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use parking_lot::Mutex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};

const CLIENT: &str = "f0304373b74a44d2b584a3fb70ca9e56";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// Life of an access token in seconds.
const LIFE: i64 = 21_600;

struct Device {
    challenge: String,
    asked: u32,
}

#[derive(Default)]
struct Book {
    issued: u64,
    devices: HashMap<String, Device>,
    /// Access tokens with their end.
    access: HashMap<String, i64>,
    /// Refresh tokens that are good.
    refresh: HashSet<String>,
}

/// State of the login.
#[derive(Default)]
pub(crate) struct Login(Mutex<Book>);

impl Login {
    /// Whether an access token is good.
    pub(super) fn admits(&self, token: &str, now: i64) -> bool {
        self.0.lock().access.get(token).is_some_and(|end| *end > now)
    }
}

fn issue(book: &mut Book, call: &Call, now: i64) -> Reply {
    book.issued += 1;
    let (access, refresh) = (format!("qwen-access-{}", book.issued), format!("qwen-refresh-{}", book.issued));
    book.access.insert(access.clone(), now + LIFE);
    book.refresh.insert(refresh.clone());
    // The real one has no scheme, which stands for https; there is none here.
    let resource = format!("http://{}/qwen/portal", call.header("host").unwrap_or_default());
    let body = json!({
        "access_token": access, "refresh_token": refresh, "token_type": "Bearer", "expires_in": LIFE,
        "resource_url": resource, "status": "success",
    });
    Reply::json(200, Vec::new(), &body)
}

fn refuse(status: u16, error: &str) -> Reply {
    Reply::json(status, Vec::new(), &json!({"error": error, "error_description": "see the documentation"}))
}

/// The fields of a form; anything else is refused.
fn form(call: &Call, known: &[&str]) -> Result<HashMap<String, String>, Reply> {
    let is_form = call.header("content-type") == Some("application/x-www-form-urlencoded");
    if !is_form || call.header("accept") != Some("application/json") {
        return Err(refuse(400, "invalid_request"));
    }
    let fields = parse_query(&String::from_utf8_lossy(&call.body));
    let odd = fields.iter().any(|(name, value)| !known.contains(&name.as_str()) || value.is_empty());
    if odd || fields.len() != known.len() {
        return Err(refuse(400, "invalid_request"));
    }
    let fields: HashMap<String, String> = fields.into_iter().collect();
    match fields.get("client_id").map(String::as_str) {
        Some(CLIENT) => Ok(fields),
        _ => Err(refuse(400, "invalid_client")),
    }
}

pub(super) fn device(world: &World, call: &Call) -> Reply {
    let known = ["client_id", "scope", "code_challenge", "code_challenge_method"];
    let fields = match form(call, &known) {
        Ok(fields) => fields,
        Err(refused) => return refused,
    };
    if fields["scope"] != "openid profile email model.completion" {
        return refuse(400, "invalid_scope");
    }
    if fields["code_challenge_method"] != "S256" || fields["code_challenge"].len() != 43 {
        return refuse(400, "invalid_request");
    }
    let mut book = world.qwen.0.lock();
    book.issued += 1;
    let (code, user) = (format!("qwen-device-{}", book.issued), format!("QWEN-{:04}", book.issued));
    book.devices.insert(code.clone(), Device { challenge: fields["code_challenge"].clone(), asked: 0 });
    let page = format!("http://{}/qwen/authorize", call.header("host").unwrap_or_default());
    let body = json!({
        "device_code": code, "user_code": user, "verification_uri": page,
        "verification_uri_complete": format!("{page}?user_code={user}&client=qwen-code"), "expires_in": 900,
    });
    Reply::json(200, Vec::new(), &body)
}

pub(super) fn token(world: &World, call: &Call) -> Reply {
    let fields = parse_query(&String::from_utf8_lossy(&call.body));
    let refreshes = fields.iter().any(|(name, value)| name == "grant_type" && value == "refresh_token");
    let answered = if refreshes { refresh(world, call) } else { exchange(world, call) };
    answered.unwrap_or_else(|refused| refused)
}

fn refresh(world: &World, call: &Call) -> Result<Reply, Reply> {
    let fields = form(call, &["grant_type", "refresh_token", "client_id"])?;
    let mut book = world.qwen.0.lock();
    if book.refresh.remove(&fields["refresh_token"]) {
        Ok(issue(&mut book, call, world.now()))
    } else {
        Err(refuse(400, "invalid_grant"))
    }
}

/// The person enters the code between the first question and the second.
fn exchange(world: &World, call: &Call) -> Result<Reply, Reply> {
    let fields = form(call, &["grant_type", "client_id", "device_code", "code_verifier"])?;
    if fields["grant_type"] != GRANT {
        return Err(refuse(400, "unsupported_grant_type"));
    }
    let mut book = world.qwen.0.lock();
    let code = &fields["device_code"];
    let device = book.devices.get_mut(code).ok_or_else(|| refuse(401, "invalid_request"))?;
    if device.challenge != URL_SAFE_NO_PAD.encode(Sha256::digest(&fields["code_verifier"])) {
        return Err(refuse(400, "invalid_grant"));
    }
    device.asked += 1;
    if device.asked == 1 {
        return Err(Reply::json(400, Vec::new(), &Value::from_iter([("error", "authorization_pending")])));
    }
    book.devices.remove(code);
    Ok(issue(&mut book, call, world.now()))
}
