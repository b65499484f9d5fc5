//! Codes, tokens that rotate, and the key behind them.

use super::refuse;
use crate::{
    call::{Call, encode, parse_query},
    server::Reply,
    world::World,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};

const CLIENT: &str = "10009311001";
/// The secret of the simulated client.
const SECRET: &str = "sim-secret";
/// The cookie of the simulated person.
const COOKIE: &str = "BXAuth=sim-cookie;";
/// Life of an access token in seconds.
const LIFE: i64 = 172_800;

#[derive(Default)]
struct Book {
    issued: u64,
    /// Codes and the redirect that each was given for.
    codes: HashMap<String, String>,
    access: HashSet<String>,
    refresh: HashSet<String>,
}

/// State of the login.
#[derive(Default)]
pub(crate) struct Login(Mutex<Book>);

/// The key of a number: those of logins are renewed with them.
fn key(number: u64) -> String {
    format!("sk-iflow-login-{number}")
}

/// The page on which a person agrees; here they always do, unless `login_hint` contains `denied`.
pub(super) fn authorize(world: &World, call: &Call) -> Reply {
    let bad =
        |why: &str| Reply::json(400, Vec::new(), &json!({"success": false, "code": "400", "message": why}));
    let known = ["loginMethod", "type", "redirect", "state", "client_id", "login_hint"];
    if let Some((name, _)) = call.query.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        return bad(&format!("unknown parameter {name}"));
    }
    let is = |name: &str, value: &str| call.query(name) == Some(value);
    if !(is("loginMethod", "phone") && is("type", "phone") && is("client_id", CLIENT)) {
        return bad("client");
    }
    let (Some(redirect), Some(state)) = (call.query("redirect"), call.query("state")) else {
        return bad("redirect and state are needed");
    };
    if !(redirect.starts_with("http://localhost:") && redirect.ends_with("/oauth2callback")) {
        return bad("redirect");
    }
    let go = |query: &str| {
        let location = format!("{redirect}?{query}&state={}", encode(state));
        Reply::sized(302, vec![("location".to_owned(), location)], Vec::new())
    };
    if call.query("login_hint").is_some_and(|hint| hint.contains("denied")) {
        return go("error=access_denied");
    }
    let mut book = world.iflow.0.lock();
    book.issued += 1;
    let code = format!("iflow-code-{}", book.issued);
    book.codes.insert(code.clone(), redirect.to_owned());
    go(&format!("code={code}"))
}

pub(super) fn token(world: &World, call: &Call) -> Reply {
    let refused = |status: u16, error: &str| {
        Reply::json(
            status,
            Vec::new(),
            &json!({"error": error, "error_description": "Bad client credentials"}),
        )
    };
    let fields = parse_query(&String::from_utf8_lossy(&call.body));
    let field = |name: &str| fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value);
    let is_form = call.header("content-type") == Some("application/x-www-form-urlencoded");
    if !is_form || call.header("accept") != Some("application/json") {
        return refused(400, "invalid_request");
    }
    let basic = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{SECRET}")));
    let known = call.header("authorization") == Some(&basic)
        && field("client_id") == CLIENT
        && field("client_secret") == SECRET;
    if !known {
        return refused(401, "invalid_client");
    }
    let mut book = world.iflow.0.lock();
    let good = match field("grant_type") {
        "authorization_code" => {
            book.codes.remove(field("code")).is_some_and(|redirect| redirect == field("redirect_uri"))
        }
        "refresh_token" => book.refresh.remove(field("refresh_token")),
        _ => return refused(400, "unsupported_grant_type"),
    };
    if !good {
        return refused(400, "invalid_grant");
    }
    book.issued += 1;
    let (access, refresh) =
        (format!("iflow-access-{}", book.issued), format!("iflow-refresh-{}", book.issued));
    book.access.insert(access.clone());
    book.refresh.insert(refresh.clone());
    let body = json!({
        "access_token": access, "refresh_token": refresh, "expires_in": LIFE, "token_type": "bearer", "scope": "read",
    });
    Reply::json(200, Vec::new(), &body)
}

pub(super) fn user_info(world: &World, call: &Call) -> Reply {
    let token = call.query("accessToken").unwrap_or_default();
    if !world.iflow.0.lock().access.contains(token) {
        return Reply::json(
            200,
            Vec::new(),
            &json!({"success": false, "code": "401", "message": "token is not valid", "data": Value::Null}),
        );
    }
    let number = token.rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or_default();
    let data = json!({"apiKey": key(number), "email": "ada@example.org", "phone": "138****1234"});
    Reply::json(200, Vec::new(), &json!({"success": true, "data": data}))
}

/// Shows the masked key of a cookie, or renews it.
pub(super) fn platform(world: &World, call: &Call, renew: bool) -> Reply {
    if call.header("cookie") != Some(COOKIE) {
        return Reply::json(
            200,
            Vec::new(),
            &json!({"success": false, "code": "401", "message": "please log in", "data": Value::Null}),
        );
    }
    if call.header("accept") != Some("application/json, text/plain, */*") {
        return refuse::busy();
    }
    let data = |key: &str| json!({"name": "ada", "apiKey": key, "apiKeyMask": "sk-***", "hasExpired": false, "expireTime": "2096-01-31 12:00"});
    let shown = |key: &str| {
        Reply::json(
            200,
            Vec::new(),
            &json!({"success": true, "code": "200", "message": "", "data": data(key), "extra": Value::Null}),
        )
    };
    if !renew {
        return shown("");
    }
    let origin = format!("http://{}", call.header("host").unwrap_or_default());
    let named = serde_json::from_slice::<Value>(&call.body).is_ok_and(|body| body == json!({"name": "ada"}));
    if !named
        || call.header("origin") != Some(&origin)
        || call.header("referer") != Some(&format!("{origin}/"))
    {
        return refuse::busy();
    }
    let mut book = world.iflow.0.lock();
    book.issued += 1;
    shown(&key(book.issued))
}
