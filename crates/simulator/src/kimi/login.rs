//! Device codes and tokens that rotate.

use crate::{
    call::{Call, parse_query},
    server::Reply,
    world::World,
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::HashMap;

const CLIENT: &str = "17e5f671-d194-4dfb-9706-5516cb48c098";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// Life of an access token in seconds.
const LIFE: i64 = 900;

struct Device {
    /// The device that asked for the code.
    id: String,
    asked: u32,
}

#[derive(Clone)]
struct Refresh {
    spent: bool,
    device: String,
}

#[derive(Default)]
struct Book {
    issued: u64,
    devices: HashMap<String, Device>,
    /// Access tokens, with their end and the device that they belong to.
    access: HashMap<String, (i64, String)>,
    refresh: HashMap<String, Refresh>,
}

/// State of the login.
#[derive(Default)]
pub(crate) struct Login(Mutex<Book>);

impl Login {
    /// The device that a good access token belongs to.
    pub(super) fn device_of(&self, token: &str, now: i64) -> Option<String> {
        let book = self.0.lock();
        book.access.get(token).filter(|(end, _)| *end > now).map(|(_, device)| device.clone())
    }

    fn issue(book: &mut Book, device: &str, now: i64) -> Value {
        book.issued += 1;
        let (access, refresh) =
            (format!("kimi-access-{}", book.issued), format!("kimi-refresh-{}", book.issued));
        book.access.insert(access.clone(), (now + LIFE, device.to_owned()));
        book.refresh.insert(refresh.clone(), Refresh { spent: false, device: device.to_owned() });
        json!({"access_token": access, "refresh_token": refresh, "expires_in": LIFE, "scope": "kimi-code", "token_type": "Bearer"})
    }
}

fn refuse(status: u16, error: &str) -> Reply {
    Reply::json(status, Vec::new(), &json!({"error": error, "error_description": "see the documentation"}))
}

/// The form and the device of a call, which must say what calls.
fn form(call: &Call, known: &[&str]) -> Result<(HashMap<String, String>, String), Reply> {
    let form =
        call.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if !form {
        return Err(refuse(400, "invalid_request"));
    }
    let fields: HashMap<String, String> =
        parse_query(&String::from_utf8_lossy(&call.body)).into_iter().collect();
    if fields.keys().any(|name| !known.contains(&name.as_str())) {
        return Err(refuse(400, "invalid_request"));
    }
    if fields.get("client_id").map(String::as_str) != Some(CLIENT) {
        return Err(refuse(400, "invalid_client"));
    }
    let said = |name: &str| call.header(name).filter(|value| !value.is_empty() && value.is_ascii());
    match (said("x-msh-platform"), said("x-msh-version"), said("x-msh-device-id")) {
        (Some(_), Some(_), Some(device)) => Ok((fields, device.to_owned())),
        _ => Err(refuse(400, "invalid_request")),
    }
}

pub(super) fn device(world: &World, call: &Call) -> Reply {
    let device = match form(call, &["client_id"]) {
        Ok((_, device)) => device,
        Err(refused) => return refused,
    };
    let mut book = world.kimi.0.lock();
    book.issued += 1;
    let (code, user_code) = (format!("kimi-device-{}", book.issued), format!("KIMI-{:04}", book.issued));
    book.devices.insert(code.clone(), Device { id: device, asked: 0 });
    Reply::json(
        200,
        Vec::new(),
        &json!({
            "device_code": code, "user_code": user_code, "verification_uri": "",
            "verification_uri_complete": format!("https://www.kimi.com/device?code={user_code}"),
            "expires_in": 900, "interval": 1,
        }),
    )
}

pub(super) fn token(world: &World, call: &Call) -> Reply {
    let (fields, device) = match form(call, &["client_id", "grant_type", "device_code", "refresh_token"]) {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    let now = world.now();
    let mut book = world.kimi.0.lock();
    match field("grant_type") {
        GRANT => {
            let Some(waiting) = book.devices.get_mut(field("device_code")) else {
                return refuse(400, "expired_token");
            };
            if waiting.id != device {
                return refuse(400, "invalid_request");
            }
            waiting.asked += 1;
            // The person agrees between the first question and the second; pending answers come with a good status.
            if waiting.asked < 2 {
                return refuse(200, "authorization_pending");
            }
            book.devices.remove(field("device_code"));
            Reply::json(200, Vec::new(), &Login::issue(&mut book, &device, now))
        }
        "refresh_token" => match book.refresh.get_mut(field("refresh_token")) {
            Some(known) if !known.spent && known.device == device => {
                known.spent = true;
                Reply::json(200, Vec::new(), &Login::issue(&mut book, &device, now))
            }
            _ => refuse(401, "invalid_grant"),
        },
        _ => refuse(400, "unsupported_grant_type"),
    }
}
