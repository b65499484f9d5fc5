//! The login server: a page that always agrees, and the token endpoint.

use super::books::{Code, GoogleClient};
use crate::{
    body::Step,
    call::{Call, encode, parse_query},
    server::Reply,
    world::World,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The secret of both clients here.
const SECRET: &str = "sim-client-secret";
const SCOPE: &str = "https://www.googleapis.com/auth/";

/// An OAuth error: status, `error`, `error_description`.
type Denied = (u16, &'static str, &'static str);

fn deny((status, error, description): Denied) -> Reply {
    Reply::json(status, Vec::new(), &json!({"error": error, "error_description": description}))
}

pub(super) fn authorize(world: &World, call: &Call) -> Reply {
    page(world, call).unwrap_or_else(deny)
}

fn page(world: &World, call: &Call) -> Result<Reply, Denied> {
    let value = |name: &str| call.query(name).unwrap_or_default();
    let client = GoogleClient::of_id(value("client_id")).ok_or((
        401,
        "invalid_client",
        "The OAuth client was not found.",
    ))?;
    let invalid = |why| (400, "invalid_request", why);
    if value("response_type") != "code" {
        return Err(invalid("Invalid response_type"));
    }
    if (value("access_type"), value("prompt")) != ("offline", "consent") {
        return Err(invalid("Without access_type=offline and prompt=consent there is no refresh token"));
    }
    if value("code_challenge_method") != "S256"
        || value("code_challenge").len() != 43
        || value("state").is_empty()
    {
        return Err(invalid("code_challenge and state are required"));
    }
    let asked: Vec<&str> = value("scope").split(' ').filter_map(|scope| scope.strip_prefix(SCOPE)).collect();
    if asked != client.scopes() {
        return Err((400, "invalid_scope", "Some requested scopes were invalid."));
    }
    let redirect = value("redirect_uri");
    let loopback = redirect.starts_with("http://localhost:") || redirect.starts_with("http://127.0.0.1:");
    let hosted = ["https://codeassist.google.com/authcode", "https://antigravity.google/oauth-callback"];
    if !loopback && !hosted.contains(&redirect) {
        return Err((400, "redirect_uri_mismatch", "The redirect URI is not registered."));
    }
    let code = world.google.authorize(Code {
        client,
        challenge: value("code_challenge").to_owned(),
        redirect: redirect.to_owned(),
    });
    if loopback {
        let target = format!("{redirect}?state={}&code={}", encode(value("state")), encode(&code));
        return Ok(Reply::sized(302, vec![("location".to_owned(), target)], Vec::new()));
    }
    let headers = vec![("content-type".to_owned(), "text/plain; charset=utf-8".to_owned())];
    Ok(Reply::sized(200, headers, vec![Step::Data(code.into())]))
}

pub(super) fn token(world: &World, call: &Call) -> Reply {
    match bought(world, call) {
        Ok(body) => Reply::json(200, vec![("cache-control".to_owned(), "no-store".to_owned())], &body),
        Err(denied) => {
            world.google.count(|counts| counts.refused += 1);
            deny(denied)
        }
    }
}

fn bought(world: &World, call: &Call) -> Result<Value, Denied> {
    let kind = call.header("content-type").unwrap_or_default();
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return Err((400, "invalid_request", "The body must be a form."));
    }
    let form = parse_query(std::str::from_utf8(&call.body).unwrap_or_default());
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let known: &[&str] = match field("grant_type") {
        "authorization_code" => {
            &["grant_type", "code", "client_id", "client_secret", "redirect_uri", "code_verifier"]
        }
        "refresh_token" => &["grant_type", "refresh_token", "client_id", "client_secret"],
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => &["grant_type", "assertion"],
        _ => return Err((400, "unsupported_grant_type", "Invalid grant_type")),
    };
    if form.len() != known.len() || form.iter().any(|(name, _)| !known.contains(&name.as_str())) {
        return Err((400, "invalid_request", "Missing or unknown parameter"));
    }
    if field("grant_type").starts_with("urn:") {
        return statement(world, field("assertion"));
    }
    let client = GoogleClient::of_id(field("client_id")).ok_or((
        401,
        "invalid_client",
        "The OAuth client was not found.",
    ))?;
    if field("client_secret") != SECRET {
        return Err((401, "invalid_client", "The provided client secret is invalid."));
    }
    let now = world.now();
    if field("grant_type") == "refresh_token" {
        let owner = world.google.refreshable(field("refresh_token"));
        let owner = owner.ok_or((400, "invalid_grant", "Token has been expired or revoked."))?;
        if owner != client {
            return Err((401, "unauthorized_client", "Unauthorized"));
        }
        world.google.count(|counts| counts.refreshes += 1);
        return Ok(tokens(world, &world.google.issue(client, now), client, None));
    }
    let code = world.google.take_code(field("code"));
    let code = code.ok_or((400, "invalid_grant", "Malformed auth code."))?;
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(field("code_verifier").as_bytes()));
    if code.client != client || code.redirect != field("redirect_uri") || code.challenge != challenge {
        return Err((400, "invalid_grant", "Bad Request"));
    }
    world.google.count(|counts| counts.exchanges += 1);
    let grant = world.google.grant(client, now);
    Ok(tokens(world, &grant.access_token, client, Some(&grant.refresh_token)))
}

fn tokens(world: &World, access: &str, client: GoogleClient, refresh: Option<&str>) -> Value {
    let scopes: Vec<String> = client.scopes().iter().map(|scope| format!("{SCOPE}{scope}")).collect();
    let mut body = json!({
        "access_token": access, "expires_in": world.google.life(), "scope": scopes.join(" "), "token_type": "Bearer",
    });
    if let Some(refresh) = refresh {
        body["refresh_token"] = json!(refresh);
    }
    body
}

/// A token for a statement that a service account has signed.
fn statement(world: &World, assertion: &str) -> Result<Value, Denied> {
    let bad = (400, "invalid_grant", "Invalid JWT Signature.");
    let (signed, signature) = assertion.rsplit_once('.').ok_or(bad)?;
    let (head, claims) = signed.split_once('.').ok_or(bad)?;
    let json =
        |part: &str| -> Option<Value> { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok() };
    let (head, claims) = (json(head).ok_or(bad)?, json(claims).ok_or(bad)?);
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| bad)?;
    match world.google.has_signed(claims["iss"].as_str().unwrap_or_default(), signed, &signature) {
        None => return Err((400, "invalid_grant", "Invalid grant: account not found")),
        Some(false) => return Err(bad),
        Some(true) => {}
    }
    if head != json!({"alg": "RS256", "typ": "JWT", "kid": "sim-key"}) {
        return Err(bad);
    }
    let (issued, ends) = (claims["iat"].as_i64().unwrap_or(0), claims["exp"].as_i64().unwrap_or(0));
    let now = world.now();
    if (issued - now).abs() > 300 || ends <= now || ends - issued > 3600 {
        return Err((
            400,
            "invalid_grant",
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.",
        ));
    }
    if claims["aud"] != "https://oauth2.googleapis.com/token" {
        return Err((400, "invalid_grant", "Invalid JWT: Failed audience check."));
    }
    if claims["scope"] != "https://www.googleapis.com/auth/cloud-platform" {
        return Err((400, "invalid_scope", "Invalid OAuth scope or ID token audience provided."));
    }
    world.google.count(|counts| counts.statements += 1);
    let access = world.google.issue(GoogleClient::Vertex, now);
    Ok(json!({"access_token": access, "expires_in": world.google.life(), "token_type": "Bearer"}))
}

pub(super) fn revoke(world: &World, call: &Call) -> Reply {
    let form = parse_query(std::str::from_utf8(&call.body).unwrap_or_default());
    let token = form.iter().find(|(name, _)| name == "token").map_or("", |(_, value)| value.as_str());
    if world.google.revoke(token) {
        Reply::json(200, Vec::new(), &json!({}))
    } else {
        deny((400, "invalid_token", "Token expired or revoked"))
    }
}

pub(super) fn profile(world: &World, call: &Call) -> Reply {
    match world.google.client_of(call.bearer().unwrap_or_default(), world.now()) {
        Some(_) => Reply::json(
            200,
            Vec::new(),
            &json!({"id": "1815", "email": "ada@example.org", "verified_email": true}),
        ),
        None => Reply::json(
            401,
            Vec::new(),
            &json!({"error": {"code": 401, "message": "Invalid Credentials", "status": "UNAUTHENTICATED"}}),
        ),
    }
}
