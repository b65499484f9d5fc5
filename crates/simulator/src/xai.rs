//! The login of Grok plans, the host of the plans (`/xai-plan/v1`) and the platform for API keys (`/xai-api/v1`).

mod rules;

use crate::{
    body::Step,
    call::Call,
    plan::{self, Books, Denied, Plan, PlanGrant},
    refusal::Refusal,
    scenario::Cause,
    server::Reply,
    trouble::{Circumstances, rfc3339},
    vendor::{self, Target},
    world::World,
};
use byok_types::Dialect;
use http::Method;
use serde_json::{Map, Value, json};

/// The public client of the vendor's program.
const CLIENT: &str = "b1a00492-073a-47ea-816f-4c329264a828";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Which of the two hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// That of the plans.
    Plan,
    /// That for API keys.
    Api,
}

/// An endpoint of the login or of one of the hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Authorize,
    Device,
    Token,
    DevicePage,
    Responses(Host),
    Models(Host),
    Billing,
    Settings,
}

impl Endpoint {
    /// The endpoint at a path.
    pub(crate) fn of(method: &Method, path: &str) -> Option<Self> {
        let (wanted, endpoint) = match path {
            "/xai-auth/oauth2/authorize" => (Method::GET, Self::Authorize),
            "/xai-auth/oauth2/device/code" => (Method::POST, Self::Device),
            "/xai-auth/oauth2/token" => (Method::POST, Self::Token),
            "/xai-auth/device" => (Method::GET, Self::DevicePage),
            "/xai-plan/v1/responses" => (Method::POST, Self::Responses(Host::Plan)),
            "/xai-api/v1/responses" => (Method::POST, Self::Responses(Host::Api)),
            "/xai-plan/v1/models" => (Method::GET, Self::Models(Host::Plan)),
            "/xai-api/v1/models" => (Method::GET, Self::Models(Host::Api)),
            "/xai-plan/v1/billing" => (Method::GET, Self::Billing),
            "/xai-plan/v1/settings" => (Method::GET, Self::Settings),
            _ => return None,
        };
        (*method == wanted).then_some(endpoint)
    }

    pub(crate) const fn dialect(self) -> Option<Dialect> {
        match self {
            Self::Responses(_) => Some(Dialect::Responses),
            _ => None,
        }
    }
}

type Refused = (u16, Value);

/// Answers a request.
pub(crate) fn answer(world: &World, call: &Call, endpoint: Endpoint) -> Reply {
    let answered = match endpoint {
        Endpoint::Authorize => authorize(world, call),
        Endpoint::Device => device(world, call),
        Endpoint::Token => token(world, call),
        Endpoint::DevicePage => {
            let email = call.query("login_hint").unwrap_or(plan::PERSON);
            let known = world.xai.enter(call.query("user_code").unwrap_or_default(), email);
            Ok(Reply::json(if known { 200 } else { 404 }, Vec::new(), &json!({"entered": known})))
        }
        Endpoint::Responses(host) => rules::check(world, call, host)
            .map(|()| flat(vendor::generate(world, call, Dialect::Responses, &Target::default()))),
        Endpoint::Models(host) => rules::known(world, call, host).map(|()| {
            world.xai.count(|counts| counts.models += 1);
            Reply::json(200, Vec::new(), &models())
        }),
        Endpoint::Billing => billing(world, call),
        Endpoint::Settings => rules::known(world, call, Host::Plan).map(|()| {
            let body = json!({"subscription_tier": "supergrok", "subscription_tier_display": "SuperGrok"});
            Reply::json(200, Vec::new(), &body)
        }),
    };
    answered.unwrap_or_else(|(status, body)| Reply::json(status, Vec::new(), &body))
}

/// Errors of the hosts are flat: a code and a text.
fn flat(reply: Reply) -> Reply {
    match reply {
        Reply::Answer { status, headers, steps, sized, late } if status >= 400 => {
            let body = match steps.first() {
                Some(Step::Data(bytes)) => serde_json::from_slice::<Value>(bytes).ok(),
                _ => None,
            };
            let Some(error) = body.map(|body| body["error"].clone()).filter(Value::is_object) else {
                return Reply::Answer { status, headers, steps, sized, late };
            };
            let code = if error["code"].is_null() { &error["type"] } else { &error["code"] };
            let body = json!({"code": code, "error": error["message"]});
            Reply::Answer { status, headers, steps: vec![Step::Data(body.to_string().into())], sized, late }
        }
        reply => reply,
    }
}

fn error(status: u16, code: &str, why: &str) -> Refused {
    (status, json!({"error": code, "error_description": why}))
}

fn authorize(world: &World, call: &Call) -> Result<Reply, Refused> {
    let wanted = [
        ("response_type", Some("code")),
        ("client_id", Some(CLIENT)),
        ("redirect_uri", None),
        ("scope", None),
        ("code_challenge", None),
        ("code_challenge_method", Some("S256")),
        ("state", None),
        ("nonce", None),
    ];
    let loopback =
        |redirect: &str| redirect.starts_with("http://127.0.0.1:") && redirect.ends_with("/callback");
    let target = plan::authorize(&world.xai, call, &wanted, &loopback)
        .map_err(|why| error(400, "invalid_request", &why))?;
    scopes(call.query("scope").unwrap_or_default())?;
    Ok(Reply::sized(302, vec![("location".to_owned(), target)], Vec::new()))
}

/// Without these there is no refresh token and no inference.
fn scopes(asked: &str) -> Result<(), Refused> {
    let has = |name: &str| asked.split(' ').any(|one| one == name);
    if ["openid", "offline_access", "grok-cli:access", "api:access"].into_iter().all(has) {
        Ok(())
    } else {
        Err(error(400, "invalid_scope", "a scope is missing"))
    }
}

/// The fields of a form that names the client.
fn form(call: &Call) -> Result<Map<String, Value>, Refused> {
    let form = plan::fields(call).filter(|(json, _)| !json).map(|(_, fields)| fields);
    let form = form.ok_or_else(|| error(400, "invalid_request", "the body is no form"))?;
    if form.get("client_id").is_none_or(|id| id != CLIENT) {
        return Err(error(401, "invalid_client", "the client is not known"));
    }
    Ok(form)
}

fn field<'a>(form: &'a Map<String, Value>, name: &str) -> Result<&'a str, Refused> {
    let missing = || error(400, "invalid_request", &format!("{name} is missing"));
    form.get(name).and_then(Value::as_str).ok_or_else(missing)
}

fn device(world: &World, call: &Call) -> Result<Reply, Refused> {
    let form = form(call)?;
    scopes(field(&form, "scope")?)?;
    let (device, user_code) = world.xai.device();
    // A page of this very server, whatever its address is.
    let page = format!("http://{}/xai-auth/device", call.header("host").unwrap_or_default());
    let body = json!({
        "device_code": device, "user_code": user_code, "verification_uri": page,
        "verification_uri_complete": format!("{page}?user_code={user_code}"), "expires_in": 900, "interval": 1,
    });
    Ok(Reply::json(200, Vec::new(), &body))
}

fn token(world: &World, call: &Call) -> Result<Reply, Refused> {
    let form = form(call)?;
    let now = world.now();
    let granted = match field(&form, "grant_type")? {
        "authorization_code" => {
            let (code, redirect) = (field(&form, "code")?, field(&form, "redirect_uri")?);
            world.xai.exchange(code, redirect, field(&form, "code_verifier")?, now)
        }
        "refresh_token" => {
            // Who owns the tokens is part of them.
            field(&form, "principal_type")?;
            field(&form, "principal_id")?;
            world.xai.refresh(field(&form, "refresh_token")?, now)
        }
        GRANT => {
            let device = field(&form, "device_code")?;
            let email = world.xai.entered(device).ok_or_else(|| error(400, "expired_token", "unknown"))?;
            if email.is_empty() {
                return Err(error(400, "authorization_pending", "nobody has entered the code"));
            }
            world.xai.close(device);
            if email.contains("denied") {
                return Err(error(400, "access_denied", "the person said no"));
            }
            Ok(world.xai.grant(&email, now))
        }
        _ => return Err(error(400, "unsupported_grant_type", "unknown grant")),
    };
    let denied = |denied: Denied| match denied {
        Denied::Reused => error(400, "invalid_grant", "refresh token reuse detected"),
        Denied::Unknown | Denied::Mismatch => error(400, "invalid_grant", "the grant is not valid"),
    };
    let PlanGrant { access_token, refresh_token, id_token, expires_in } = granted.map_err(denied)?;
    let body = json!({
        "access_token": access_token, "refresh_token": refresh_token, "id_token": id_token, "token_type": "Bearer",
        "expires_in": expires_in,
    });
    Ok(Reply::json(200, Vec::new(), &body))
}

fn models() -> Value {
    let data: Vec<Value> = crate::models::GROK
        .iter()
        .map(|model| {
            let efforts: &[&str] = crate::openai::efforts(Some(model)).unwrap_or_default();
            let levels: Vec<Value> =
                efforts.iter().map(|value| json!({"value": value, "label": value})).collect();
            json!({
                "id": model.id, "model": model.id, "name": model.name, "contextWindow": model.context,
                "max_completion_tokens": model.max_output, "api_backend": "responses",
                "supports_reasoning_effort": !levels.is_empty(), "reasoning_efforts": levels,
            })
        })
        .chain([json!({"id": "grok-hidden", "hidden": true})])
        .collect();
    json!({"data": data})
}

fn billing(world: &World, call: &Call) -> Result<Reply, Refused> {
    rules::known(world, call, Host::Plan)?;
    if call.query("format") != Some("credits") {
        return Err((400, json!({"code": "invalid-argument", "error": "format must be credits"})));
    }
    world.xai.count(|counts| counts.usages += 1);
    let now = world.now();
    let (percent, charged) =
        if world.is_beyond("xai") { (100.0, json!({"val": 120})) } else { (25.0, json!({})) };
    let body = json!({"config": {
        "creditUsagePercent": percent,
        "currentPeriod": {
            "type": "USAGE_PERIOD_TYPE_WEEKLY", "start": rfc3339(now - 86_400), "end": rfc3339(now + 6 * 86_400),
        },
        "onDemandCap": {}, "onDemandUsed": charged, "prepaidBalance": {}, "isUnifiedBillingUser": true,
    }});
    Ok(Reply::json(200, Vec::new(), &body))
}

/// Whether a credential is of this vendor.
pub(crate) fn is_ours(key: &str) -> bool {
    key.starts_with("xai-") || Plan::Xai.marks(key)
}

/// A cause in this vendor's words.
pub(crate) fn worded(cause: Cause, at: &Circumstances<'_>) -> Option<Refusal> {
    let new = |status, code: &'static str, message: &str| Refusal::new(status, code, message).code(code);
    Some(match cause {
        Cause::Auth => {
            new(403, "unauthenticated:bad-credentials", "The OAuth2 access token could not be validated.")
        }
        Cause::Billing | Cause::ExtraUsage => {
            new(403, "personal-team-blocked:spending-limit", "You ran out of credits.")
        }
        Cause::Forbidden | Cause::ThirdParty => {
            new(403, "permission_denied", "model access is not allowed for this account")
        }
        Cause::Banned => new(403, "permission_denied", "requires a Grok subscription"),
        Cause::Quota => new(
            429,
            "subscription:free-usage-exhausted",
            &format!(
                "You've used all the included free usage for model {}. Usage resets over a rolling 24-hour window — tokens (actual/limit): 1065387/1000000.",
                at.model
            ),
        ),
        Cause::Overloaded => new(529, "overloaded_error", "Overloaded"),
        _ => return None,
    })
}

/// The books, for `crate::world`.
pub(crate) fn books(life: std::time::Duration) -> Books {
    Books::new(Plan::Xai, life)
}
