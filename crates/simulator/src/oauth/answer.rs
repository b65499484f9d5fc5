//! The endpoints over HTTP.

use super::tokens::{self, Code, FULL_SCOPES, Grant, RefreshRefusal, TokenTrouble};
use crate::{
    anthropic,
    body::Tear,
    call::{Call, encode},
    oauth::account::Account,
    refusal::Refusal,
    server::Reply,
    trouble::rfc3339,
    world::World,
};
use byok_types::Dialect;
use http::Method;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Client id of Claude Code: the only public client that the vendor registered.
const CLIENT: &str = "9d1c250a-e61b-44d9-88ed-5944d1962f5e";

/// An endpoint of the login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Authorize,
    Token,
    Revoke,
    Profile,
    Usage,
}

impl Endpoint {
    /// The endpoint at a path.
    pub(crate) fn of(method: &Method, path: &str) -> Option<Self> {
        let (wanted, endpoint) = match path {
            "/oauth/authorize" | "/cai/oauth/authorize" => (Method::GET, Self::Authorize),
            "/v1/oauth/token" => (Method::POST, Self::Token),
            "/v1/oauth/token/revoke" => (Method::POST, Self::Revoke),
            "/api/oauth/profile" => (Method::GET, Self::Profile),
            "/api/oauth/usage" => (Method::GET, Self::Usage),
            _ => return None,
        };
        (*method == wanted).then_some(endpoint)
    }
}

/// An OAuth error: status, `error`, `error_description`.
type Denied = (u16, &'static str, String);

/// Answers a request of the login.
pub(crate) fn answer(world: &World, call: &Call, endpoint: Endpoint) -> Reply {
    match endpoint {
        Endpoint::Authorize => authorize(world, call).unwrap_or_else(|denied| deny(&denied)),
        Endpoint::Token => {
            world.oauth.count(|counts| counts.token_posts += 1);
            token(world, call).unwrap_or_else(|denied| {
                world.oauth.count(|counts| counts.refused += 1);
                deny(&denied)
            })
        }
        Endpoint::Revoke => revoke(world, call).unwrap_or_else(|denied| deny(&denied)),
        Endpoint::Profile => owned(world, call, Account::profile),
        Endpoint::Usage => {
            let now = world.now();
            owned(world, call, |_| usage(now))
        }
    }
}

fn deny((status, error, description): &Denied) -> Reply {
    Reply::json(*status, Vec::new(), &json!({"error": error, "error_description": description}))
}

fn bad(description: impl Into<String>) -> Denied {
    (400, "invalid_request", description.into())
}

fn check_client(client: Option<&str>) -> Result<(), Denied> {
    match client {
        Some(CLIENT) => Ok(()),
        _ => Err((400, "invalid_client", "Client is not known".to_owned())),
    }
}

/// The page on which a person agrees; here they always do, unless `login_hint` contains `denied`.
fn authorize(world: &World, call: &Call) -> Result<Reply, Denied> {
    const KNOWN: [&str; 11] = [
        "code",
        "client_id",
        "response_type",
        "redirect_uri",
        "scope",
        "code_challenge",
        "code_challenge_method",
        "state",
        "orgUUID",
        "login_hint",
        "login_method",
    ];
    if let Some((name, _)) = call.query.iter().find(|(name, _)| !KNOWN.contains(&name.as_str())) {
        return Err(bad(format!("Unknown parameter: {name}")));
    }
    let wanted = |name: &str| {
        call.query(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| bad(format!("Missing parameter: {name}")))
    };
    check_client(call.query("client_id"))?;
    if wanted("response_type")? != "code" {
        return Err((400, "unsupported_response_type", "response_type must be code".to_owned()));
    }
    if wanted("code_challenge_method")? != "S256" {
        return Err(bad("code_challenge_method must be S256"));
    }
    let (challenge, state, redirect) = (wanted("code_challenge")?, wanted("state")?, wanted("redirect_uri")?);
    if challenge.len() != 43 {
        return Err(bad("code_challenge must be the base64url of a SHA-256"));
    }
    let scope = call.query("scope").filter(|scope| !scope.is_empty()).unwrap_or(FULL_SCOPES);
    let account = Account::of(call.query("login_hint").unwrap_or_default());
    let loopback = redirect.starts_with("http://localhost:") || redirect.starts_with("http://127.0.0.1:");
    if call.query("login_hint").is_some_and(|hint| hint.contains("denied")) && loopback {
        return Ok(go(&format!(
            "{redirect}?error=access_denied&error_description=denied&state={}",
            encode(state)
        )));
    }
    if !loopback && !redirect.ends_with("/oauth/code/callback") {
        return Err(bad("Redirect URI is not supported by client"));
    }
    let code = world.oauth.authorize(Code {
        challenge: challenge.to_owned(),
        redirect: redirect.to_owned(),
        state: state.to_owned(),
        scope: scope.to_owned(),
        account,
    });
    if loopback {
        return Ok(go(&format!("{redirect}?code={code}&state={}", encode(state))));
    }
    let headers = vec![("content-type".to_owned(), "text/plain; charset=utf-8".to_owned())];
    Ok(Reply::sized(200, headers, vec![crate::body::Step::Data(format!("{code}#{state}").into())]))
}

fn go(target: &str) -> Reply {
    Reply::sized(302, vec![("location".to_owned(), target.to_owned())], Vec::new())
}

/// The body of a token request: a JSON object of these members and no others.
fn form<'a>(body: &'a Value, known: &[&str]) -> Result<&'a Map<String, Value>, Denied> {
    let object = body.as_object().ok_or_else(|| bad("The body must be a JSON object"))?;
    match object.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(bad(format!("Unknown field: {name}"))),
        None => Ok(object),
    }
}

fn text<'a>(form: &'a Map<String, Value>, name: &str) -> Result<&'a str, Denied> {
    form.get(name).and_then(Value::as_str).ok_or_else(|| bad(format!("Missing field: {name}")))
}

fn parsed(call: &Call) -> Result<Value, Denied> {
    if !call.is_json() {
        return Err(bad("Content-Type must be application/json"));
    }
    serde_json::from_slice(&call.body).map_err(|_| bad("The body is not valid JSON"))
}

fn token(world: &World, call: &Call) -> Result<Reply, Denied> {
    let body = parsed(call)?;
    let trouble = world.oauth.next_trouble();
    match trouble {
        Some(TokenTrouble::Status(status)) => {
            return Err((status, "temporarily_unavailable", "The scenario refuses this request".to_owned()));
        }
        Some(TokenTrouble::RetryAfter(seconds)) => {
            world.oauth.count(|counts| counts.refused += 1);
            let headers = vec![("retry-after".to_owned(), seconds.to_string())];
            let body = json!({"type": "error", "error": {"type": "rate_limit_error", "message": "Rate limited. Please try again later."}});
            return Ok(Reply::json(429, headers, &body));
        }
        Some(TokenTrouble::OnHold) => {
            return Err((403, "access_denied", "account_on_hold".to_owned()));
        }
        Some(TokenTrouble::LoseAnswer | TokenTrouble::Hang | TokenTrouble::Delay(_)) | None => {}
    }
    let answer = match body["grant_type"].as_str() {
        Some("authorization_code") => exchange(world, &body)?,
        Some("refresh_token") => refresh(world, &body)?,
        _ => return Err((400, "unsupported_grant_type", "grant_type is not supported".to_owned())),
    };
    let reply = Reply::json(200, vec![("cache-control".to_owned(), "no-store".to_owned())], &answer);
    Ok(match trouble {
        Some(TokenTrouble::LoseAnswer) => Reply::Tear(Tear::Reset),
        Some(TokenTrouble::Hang) => Reply::Silence,
        Some(TokenTrouble::Delay(ms)) => reply.late(Duration::from_millis(ms)),
        _ => reply,
    })
}

fn exchange(world: &World, body: &Value) -> Result<Value, Denied> {
    let form = form(
        body,
        &["grant_type", "code", "redirect_uri", "client_id", "code_verifier", "state", "expires_in"],
    )?;
    check_client(form.get("client_id").and_then(Value::as_str))?;
    let (name, verifier) = (text(form, "code")?, text(form, "code_verifier")?);
    let (redirect, state) = (text(form, "redirect_uri")?, text(form, "state")?);
    if !(43..=128).contains(&verifier.len()) {
        return Err(bad("code_verifier must have 43 to 128 characters"));
    }
    let grant_error = |why: &str| (400, "invalid_grant", why.to_owned());
    let code = world
        .oauth
        .take_code(name)
        .ok_or_else(|| (401, "invalid_grant", "Invalid authorization code".to_owned()))?;
    if code.redirect != redirect {
        return Err(grant_error("redirect_uri does not match"));
    }
    if code.state != state {
        return Err(grant_error("Invalid state parameter"));
    }
    if code.challenge != tokens::challenge_of(verifier) {
        return Err(grant_error("code_verifier does not match"));
    }
    let life = match form.get("expires_in") {
        None => None,
        Some(seconds) => Some(seconds.as_i64().ok_or_else(|| bad("expires_in must be an integer"))?),
    };
    Ok(granted(&world.oauth.exchange(&code, world.now(), life), &code.account))
}

fn refresh(world: &World, body: &Value) -> Result<Value, Denied> {
    let form = form(body, &["grant_type", "refresh_token", "client_id", "scope", "expires_in"])?;
    check_client(form.get("client_id").and_then(Value::as_str))?;
    let scope = form.get("scope").and_then(Value::as_str);
    match world.oauth.refresh(text(form, "refresh_token")?, scope, world.now()) {
        Ok((grant, account)) => Ok(granted(&grant, &account)),
        Err(RefreshRefusal::Scope) => Err((
            400,
            "invalid_scope",
            "The requested scope is invalid, unknown, or exceeds the grant".to_owned(),
        )),
        Err(RefreshRefusal::Unknown | RefreshRefusal::Reused) => {
            Err((400, "invalid_grant", "Refresh token not found or invalid".to_owned()))
        }
    }
}

fn granted(grant: &Grant, account: &Account) -> Value {
    let (person, organization) = account.in_token();
    let mut answer = json!({
        "token_type": "Bearer", "access_token": grant.access_token, "expires_in": grant.expires_in,
        "scope": grant.scope, "organization": organization, "account": person,
    });
    if let Some(token) = &grant.refresh_token {
        answer["refresh_token"] = json!(token);
        answer["refresh_token_expires_in"] = json!(tokens::refresh_life());
    }
    answer
}

fn revoke(world: &World, call: &Call) -> Result<Reply, Denied> {
    let body = parsed(call)?;
    let form = form(&body, &["token", "token_type_hint", "client_id"])?;
    check_client(form.get("client_id").and_then(Value::as_str))?;
    world.oauth.revoke(text(form, "token")?);
    Ok(Reply::json(200, Vec::new(), &json!({})))
}

/// An answer for the owner of an access token that has the scope for it.
fn owned(world: &World, call: &Call, body: impl FnOnce(&Account) -> Value) -> Reply {
    world.oauth.count(
        |counts| {
            if call.path.ends_with("usage") { counts.usages += 1 } else { counts.profiles += 1 }
        },
    );
    let refuse = |refusal: &Refusal| {
        Reply::json(refusal.status, Vec::new(), &refusal.body(Dialect::Messages, "req_simulated"))
    };
    let token = call.bearer().unwrap_or_default();
    let Some((account, scope)) = world.oauth.owner(token, world.now()) else {
        return refuse(&Refusal::new(
            401,
            "authentication_error",
            "OAuth token has expired. Please obtain a new token or refresh your existing token.",
        ));
    };
    if call.path.ends_with("usage") && !anthropic::has_oauth_beta(call) {
        return refuse(&Refusal::new(
            401,
            "authentication_error",
            "OAuth authentication is currently not supported.",
        ));
    }
    if !scope.split(' ').any(|name| name == "user:profile") {
        return refuse(&Refusal::new(
            403,
            "permission_error",
            "OAuth token does not meet scope requirement user:profile",
        ));
    }
    Reply::json(200, Vec::new(), &body(&account))
}

/// Percentages of the windows; resets with an offset, as the vendor writes them.
fn usage(now: i64) -> Value {
    let at = |seconds: i64| rfc3339(now + seconds).replace('Z', "+00:00");
    let window = |percent: f64, seconds: i64| json!({"utilization": percent, "resets_at": at(seconds)});
    json!({
        "five_hour": window(12.0, 7200), "seven_day": window(34.0, 259_200), "seven_day_oauth_apps": null,
        "seven_day_opus": null, "seven_day_sonnet": window(5.0, 259_200),
        "limits": [
            {
                "kind": "session", "group": "session", "percent": 12.0, "resets_at": at(7200), "scope": null,
                "severity": "normal", "is_active": true,
            },
            {
                "kind": "weekly_all", "group": "weekly", "percent": 34.0, "resets_at": at(259_200), "scope": null,
                "severity": "normal", "is_active": true,
            },
        ],
        "extra_usage": {
            "is_enabled": false, "monthly_limit": null, "used_credits": null, "utilization": null, "currency": "USD",
        },
    })
}
