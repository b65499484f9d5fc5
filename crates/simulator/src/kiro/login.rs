//! The login services: AWS SSO-OIDC, and Kiro's own for Google and GitHub.

use super::{
    Endpoint,
    tokens::{Code, Kind, Owner, Pair, SOCIAL, Stand},
};
use crate::{call::Call, call::encode, server::Reply, world::World};
use serde_json::{Value, json};

const PERSON: &str = "ada@example.org";
const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
const START: &str = "https://view.awsapps.com/start";
const SCOPES: [&str; 5] = [
    "codewhisperer:completions",
    "codewhisperer:analysis",
    "codewhisperer:conversations",
    "codewhisperer:transformations",
    "codewhisperer:taskassist",
];
/// The only client of the social login by code.
const SOCIAL_CLIENT: &str = "kiro-cli";
const LINK: &str = "kiro://kiro.kiroAgent/authenticate-success";

type Denied = (u16, &'static str, String);

fn bad(why: impl Into<String>) -> Denied {
    (400, "invalid_request", why.into())
}

pub(super) fn answer(world: &World, call: &Call, endpoint: Endpoint) -> Reply {
    let answered = match endpoint {
        Endpoint::Authorize => authorize(world, call),
        Endpoint::Portal => portal(world, call),
        Endpoint::SocialLogin => social_login(world, call),
        Endpoint::Approve => approve(world, call),
        other => body(call).and_then(|body| match other {
            Endpoint::Register => register(world, &body),
            Endpoint::Device => device(world, call, &body),
            Endpoint::Token => token(world, &body),
            Endpoint::SocialDevice => social_device(world, call, &body),
            Endpoint::SocialPoll => social_poll(world, &body),
            Endpoint::SocialToken => social_token(world, &body),
            _ => social_refresh(world, &body),
        }),
    };
    answered.unwrap_or_else(|(status, error, description)| {
        Reply::json(status, Vec::new(), &json!({"error": error, "error_description": description}))
    })
}

/// The body: JSON, never a form.
fn body(call: &Call) -> Result<Value, Denied> {
    if !call.is_json() {
        return Err(bad("Content-Type must be application/json"));
    }
    serde_json::from_slice(&call.body)
        .ok()
        .filter(Value::is_object)
        .ok_or_else(|| bad("The body is not a JSON object"))
}

/// Exactly these fields, all of them texts; those with a `?` may be missing.
fn texts<const N: usize>(body: &Value, names: [&str; N]) -> Result<[String; N], Denied> {
    let known = |name: &String| names.iter().any(|known| known.trim_end_matches('?') == name);
    if let Some((name, _)) = body.as_object().into_iter().flatten().find(|(name, _)| !known(name)) {
        return Err(bad(format!("Unknown field: {name}")));
    }
    let mut found = [const { String::new() }; N];
    for (place, name) in found.iter_mut().zip(names) {
        match (&body[name.trim_end_matches('?')], name.ends_with('?')) {
            (Value::String(text), _) if !text.is_empty() => place.clone_from(text),
            (Value::Null, true) => {}
            _ => return Err(bad(format!("Missing or wrong field: {name}"))),
        }
    }
    Ok(found)
}

#[expect(clippy::unnecessary_wraps, reason = "the answers of its callers may be refusals")]
fn good(body: &Value) -> Result<Reply, Denied> {
    Ok(Reply::json(200, Vec::new(), body))
}

fn tokens(world: &World, pair: &Pair) -> Value {
    json!({
        "accessToken": pair.access, "refreshToken": pair.refresh, "tokenType": "Bearer",
        "expiresIn": world.options.access_lifetime.as_secs(),
    })
}

fn register(world: &World, body: &Value) -> Result<Reply, Denied> {
    let mut texts_only = body.clone();
    let mut list = |name: &str| texts_only.as_object_mut().and_then(|body| body.remove(name));
    let (scopes, grants, redirects) = (list("scopes"), list("grantTypes"), list("redirectUris"));
    let [name, kind, issuer] = texts(&texts_only, ["clientName", "clientType", "issuerUrl?"])?;
    if kind != "public" {
        return Err(bad("clientType must be public"));
    }
    if ["Kiro IDE", "Kiro CLI", "Amazon Q"].iter().any(|official| name.contains(official)) {
        return Err((400, "invalid_client_metadata", "clientName belongs to an official client".to_owned()));
    }
    let all = |list: &Option<Value>, known: &dyn Fn(&str) -> bool| {
        list.iter().filter_map(|list| list.as_array()).flatten().all(|item| item.as_str().is_some_and(known))
    };
    if scopes.as_ref().is_none_or(|scopes| scopes.as_array().is_none_or(Vec::is_empty))
        || !all(&scopes, &|scope| SCOPES.contains(&scope))
    {
        return Err((400, "invalid_scope", "A scope is not known".to_owned()));
    }
    let code = grants.as_ref().is_some_and(|grants| grants.to_string().contains("authorization_code"));
    let loopback = |uri: &str| uri.starts_with("http://127.0.0.1");
    if !all(&grants, &|grant| [DEVICE_GRANT, "refresh_token", "authorization_code"].contains(&grant))
        || code && (redirects.is_none() || issuer.is_empty())
        || !all(&redirects, &loopback)
    {
        return Err(bad("grantTypes, redirectUris and issuerUrl do not fit"));
    }
    // Who registers without an issuer logs in by device, where the start page says it again.
    let (id, secret) = world.kiro.register(kind_of(&issuer));
    let now = world.now();
    good(&json!({
        "clientId": id, "clientSecret": secret, "clientIdIssuedAt": now, "clientSecretExpiresAt": now + 90 * 86_400,
    }))
}

/// Whose login begins at this page.
fn kind_of(start: &str) -> Kind {
    if start == START { Kind::BuilderId } else { Kind::Organisation }
}

/// The address of this simulator as the caller wrote it.
fn own(call: &Call) -> String {
    format!("http://{}", call.header("host").unwrap_or_default())
}

fn known_client(world: &World, id: &str, secret: &str) -> Result<(), Denied> {
    if world.kiro.knows(id, secret) {
        Ok(())
    } else {
        Err((401, "invalid_client", "Client is not known".to_owned()))
    }
}

fn device(world: &World, call: &Call, body: &Value) -> Result<Reply, Denied> {
    let [id, secret, start] = texts(body, ["clientId", "clientSecret", "startUrl"])?;
    known_client(world, &id, &secret)?;
    let kind = kind_of(&start);
    if !start.starts_with("https://") {
        return Err(bad("startUrl is not valid"));
    }
    let (device, user) = world.kiro.device(kind, &id);
    let page = format!("{}/kiro/device", own(call));
    good(&json!({
        "deviceCode": device, "userCode": user, "verificationUri": page,
        "verificationUriComplete": format!("{page}?user_code={user}"), "expiresIn": 600, "interval": 1,
    }))
}

/// The page on which a person agrees; `login_hint` says who, or `denied`.
fn approve(world: &World, call: &Call) -> Result<Reply, Denied> {
    let hint = call.query("login_hint").unwrap_or(PERSON);
    let stand = if hint.contains("denied") { Stand::Refused } else { Stand::Agreed(hint.to_owned()) };
    if !world.kiro.decide(call.query("user_code").unwrap_or_default(), stand) {
        return Err(bad("This code is not known"));
    }
    Ok(Reply::html(200, "<html><body>You may close this window.</body></html>\n"))
}

fn token(world: &World, body: &Value) -> Result<Reply, Denied> {
    match body["grantType"].as_str() {
        Some("refresh_token") => {
            let [id, secret, _, refresh] =
                texts(body, ["clientId", "clientSecret", "grantType", "refreshToken"])?;
            known_client(world, &id, &secret)?;
            let (_, pair) = world.kiro.refresh(&refresh, &id).ok_or_else(dead)?;
            good(&tokens(world, &pair))
        }
        Some("authorization_code") => {
            let names = ["clientId", "clientSecret", "grantType", "code", "redirectUri", "codeVerifier"];
            let [id, secret, _, code, redirect, verifier] = texts(body, names)?;
            known_client(world, &id, &secret)?;
            let code = world
                .kiro
                .take(&code, &verifier)
                .filter(|code| code.client == id && code.redirect == redirect);
            let code = code.ok_or_else(|| (400, "invalid_grant", "Invalid grant provided".to_owned()))?;
            good(&tokens(world, &world.kiro.log_in(&code.owner, &id)))
        }
        Some(DEVICE_GRANT) => {
            let [id, secret, device, _] =
                texts(body, ["clientId", "clientSecret", "deviceCode", "grantType"])?;
            known_client(world, &id, &secret)?;
            let owner = decided(world, &device, &id)?;
            good(&tokens(world, &world.kiro.log_in(&owner, &id)))
        }
        _ => Err((400, "unsupported_grant_type", "The grant type is not known".to_owned())),
    }
}

fn dead() -> Denied {
    (400, "invalid_grant", "Invalid refresh token provided".to_owned())
}

/// Who has agreed to a device code.
fn decided(world: &World, device: &str, client: &str) -> Result<Owner, Denied> {
    let device = world.kiro.stand(device, client);
    let device = device.ok_or_else(|| (400, "expired_token", "The device code has expired".to_owned()))?;
    match device.stand {
        Stand::Waiting => Err((400, "authorization_pending", "Nobody has entered the code yet".to_owned())),
        Stand::Refused => Err((400, "access_denied", "The person refused".to_owned())),
        Stand::Agreed(email) => Ok(Owner { kind: device.kind, email }),
    }
}

/// Sends a browser back with a code.
#[expect(clippy::too_many_arguments, reason = "they are what the page was asked with")]
fn back(
    world: &World,
    call: &Call,
    kind: Kind,
    client: &str,
    to: &str,
    redirect: String,
    more: &str,
) -> Result<Reply, Denied> {
    let wanted = |name: &str| {
        call.query(name).filter(|value| !value.is_empty()).ok_or_else(|| bad(format!("Missing: {name}")))
    };
    if wanted("code_challenge_method")? != "S256" {
        return Err(bad("code_challenge_method must be S256"));
    }
    let owner = Owner { kind, email: call.query("login_hint").unwrap_or(PERSON).to_owned() };
    let challenge = wanted("code_challenge")?.to_owned();
    let code = world.kiro.code(Code { owner, client: client.to_owned(), redirect, challenge });
    let state = encode(wanted("state")?);
    let address = format!("{to}?code={code}&state={state}{more}");
    Ok(Reply::sized(302, vec![("location".to_owned(), address)], Vec::new()))
}

fn authorize(world: &World, call: &Call) -> Result<Reply, Denied> {
    let client = call.query("client_id").unwrap_or_default();
    let Some(kind) = world.kiro.kind_of_client(client) else {
        return Err((400, "invalid_client", "Client is not known".to_owned()));
    };
    if call.query("response_type") != Some("code") || call.query("scopes").is_none_or(str::is_empty) {
        return Err(bad("response_type and scopes are needed"));
    }
    let redirect = call.query("redirect_uri").unwrap_or_default().to_owned();
    back(world, call, kind, client, &redirect.clone(), redirect, "")
}

/// The portal adds the path itself, and the code belongs to the address with the way of login in it.
fn portal(world: &World, call: &Call) -> Result<Reply, Denied> {
    let bare = call.query("redirect_uri").unwrap_or_default();
    if !bare.starts_with("http://localhost:") || bare.matches('/').count() != 2 {
        return Err(bad("redirect_mismatch"));
    }
    let to = format!("{bare}/oauth/callback");
    if call.query("login_hint") == Some("organisation") {
        let state = encode(call.query("state").unwrap_or_default());
        let more =
            "login_option=awsidc&issuer_url=https%3A%2F%2Fd-1.awsapps.com%2Fstart&idc_region=eu-west-1";
        let address = format!("{to}?state={state}&{more}");
        return Ok(Reply::sized(302, vec![("location".to_owned(), address)], Vec::new()));
    }
    let redirect = format!("{to}?login_option=google");
    back(world, call, Kind::Social, "", &to, redirect, "&login_option=google")
}

fn social_login(world: &World, call: &Call) -> Result<Reply, Denied> {
    if !matches!(call.query("idp"), Some("Google" | "Github")) || call.query("redirect_uri") != Some(LINK) {
        return Err(bad("redirect_mismatch"));
    }
    back(world, call, Kind::Social, "", LINK, LINK.to_owned(), "")
}

fn social_device(world: &World, call: &Call, body: &Value) -> Result<Reply, Denied> {
    let [client, provider] = texts(body, ["clientId", "loginProvider"])?;
    if client != SOCIAL_CLIENT || !["Google", "Github"].contains(&provider.as_str()) {
        return Err((400, "invalid_client", "Client or provider is not known".to_owned()));
    }
    let (device, user) = world.kiro.device(Kind::Social, SOCIAL_CLIENT);
    let page = format!("{}/kiro/device", own(call));
    good(&json!({
        "deviceCode": device, "userCode": user, "verificationUri": page,
        "verificationUriComplete": format!("{page}?user_code={user}"),
        "expiresInMilliseconds": 600_000, "intervalInMilliseconds": 1000,
    }))
}

fn social_poll(world: &World, body: &Value) -> Result<Reply, Denied> {
    let [client, device] = texts(body, ["clientId", "deviceCode"])?;
    if client != SOCIAL_CLIENT {
        return Err((400, "invalid_client", "Client is not known".to_owned()));
    }
    match decided(world, &device, SOCIAL_CLIENT) {
        Ok(owner) => {
            let pair = world.kiro.log_in(&owner, "");
            good(&json!({
                "accessToken": pair.access, "refreshToken": pair.refresh, "profileArn": SOCIAL, "identityProvider": "Google",
            }))
        }
        Err((_, "authorization_pending", _)) => good(&json!({"status": "authorization_pending"})),
        Err(denied) => Err(denied),
    }
}

fn social_token(world: &World, body: &Value) -> Result<Reply, Denied> {
    let [code, verifier, redirect, _] =
        texts(body, ["code", "code_verifier", "redirect_uri", "invitation_code?"])?;
    let code = world.kiro.take(&code, &verifier).filter(|code| code.redirect == redirect);
    let code = code.ok_or_else(|| (400, "invalid_grant", "Invalid grant provided".to_owned()))?;
    let mut answer = tokens(world, &world.kiro.log_in(&code.owner, ""));
    answer["profileArn"] = SOCIAL.into();
    good(&answer)
}

fn social_refresh(world: &World, body: &Value) -> Result<Reply, Denied> {
    let [refresh] = texts(body, ["refreshToken"])?;
    let (_, pair) = world
        .kiro
        .refresh(&refresh, "")
        .ok_or_else(|| (401, "unauthorized", "Bad credentials".to_owned()))?;
    let mut answer = tokens(world, &pair);
    answer["profileArn"] = SOCIAL.into();
    good(&answer)
}
