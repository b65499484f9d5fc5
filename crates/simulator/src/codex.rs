//! The login of `ChatGPT` plans and the backend that Codex talks to: Responses with rules of its own, a list of models, and
//! what is left of a plan.

mod rules;

use crate::{
    call::Call,
    plan::{self, Books, Denied, PlanGrant},
    refusal::Refusal,
    scenario::Cause,
    server::Reply,
    sse::{Frame, Role},
    trouble::Circumstances,
    vendor::{self, Neighbour, Target},
    world::World,
};
use byok_types::Dialect;
use http::Method;
use serde_json::{Map, Value, json};

/// The public client of Codex CLI.
const CLIENT: &str = "app_EMoamEEZ73f0CkXaXp7hrann";
/// Where the code of a login by device code belongs.
const DEVICE_REDIRECT: &str = "https://auth.openai.com/deviceauth/callback";
/// The verifier of such a login, which the server makes.
const DEVICE_VERIFIER: &str = "simulated-verifier-of-the-server-0123456789abcdef";

/// An endpoint of the login or of the backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Authorize,
    Token,
    Revoke,
    UserCode,
    Poll,
    DevicePage,
    Responses,
    Compact,
    Models,
    Usage,
}

impl Endpoint {
    /// The endpoint at a path.
    pub(crate) fn of(method: &Method, path: &str) -> Option<Self> {
        let (wanted, endpoint) = match path {
            "/openai-auth/oauth/authorize" => (Method::GET, Self::Authorize),
            "/openai-auth/oauth/token" => (Method::POST, Self::Token),
            "/openai-auth/oauth/revoke" => (Method::POST, Self::Revoke),
            "/openai-auth/api/accounts/deviceauth/usercode" => (Method::POST, Self::UserCode),
            "/openai-auth/api/accounts/deviceauth/token" => (Method::POST, Self::Poll),
            "/openai-auth/codex/device" => (Method::GET, Self::DevicePage),
            "/backend-api/codex/responses" => (Method::POST, Self::Responses),
            "/backend-api/codex/responses/compact" => (Method::POST, Self::Compact),
            "/backend-api/codex/models" => (Method::GET, Self::Models),
            "/backend-api/wham/usage" => (Method::GET, Self::Usage),
            _ => return None,
        };
        (*method == wanted).then_some(endpoint)
    }

    pub(crate) const fn dialect(self) -> Option<Dialect> {
        match self {
            Self::Responses | Self::Compact => Some(Dialect::Responses),
            _ => None,
        }
    }
}

/// A refusal of the login: status and body.
type Refused = (u16, Value);

/// Answers a request.
pub(crate) fn answer(world: &World, call: &Call, endpoint: Endpoint) -> Reply {
    let answered = match endpoint {
        Endpoint::Authorize => authorize(world, call),
        Endpoint::Token => token(world, call),
        Endpoint::Revoke => {
            let fields = plan::fields(call).map(|(_, fields)| fields).unwrap_or_default();
            world.codex.revoke(fields.get("token").and_then(Value::as_str).unwrap_or_default());
            Ok(Reply::json(200, Vec::new(), &json!({})))
        }
        Endpoint::UserCode => user_code(world, call),
        Endpoint::Poll => poll(world, call),
        Endpoint::DevicePage => {
            let email = call.query("login_hint").unwrap_or(plan::PERSON);
            let known = world.codex.enter(call.query("user_code").unwrap_or_default(), email);
            Ok(Reply::json(if known { 200 } else { 404 }, Vec::new(), &json!({"entered": known})))
        }
        Endpoint::Responses => rules::check(world, call)
            .map(|()| vendor::generate(world, call, Dialect::Responses, &Target::default())),
        Endpoint::Compact => {
            rules::head(world, call).map(|()| vendor::beside(world, call, Neighbour::Compact, None))
        }
        Endpoint::Models => models(world, call),
        Endpoint::Usage => usage(world, call),
    };
    answered.unwrap_or_else(|(status, body)| Reply::json(status, Vec::new(), &body))
}

fn error(status: u16, code: &str, message: &str) -> Refused {
    (
        status,
        json!({"error": {"message": message, "type": "invalid_request_error", "param": null, "code": code}}),
    )
}

fn authorize(world: &World, call: &Call) -> Result<Reply, Refused> {
    let wanted = [
        ("response_type", Some("code")),
        ("client_id", Some(CLIENT)),
        ("redirect_uri", None),
        ("scope", None),
        ("code_challenge", None),
        ("code_challenge_method", Some("S256")),
        ("id_token_add_organizations", Some("true")),
        ("codex_cli_simplified_flow", Some("true")),
        ("state", None),
        ("originator", None),
    ];
    let registered = |redirect: &str| {
        ["http://localhost:1455/auth/callback", "http://localhost:1457/auth/callback"].contains(&redirect)
    };
    let target = plan::authorize(&world.codex, call, &wanted, &registered)
        .map_err(|why| error(400, "invalid_request", &why))?;
    if call.query("scope").is_none_or(|scope| !scope.split(' ').any(|one| one == "offline_access")) {
        return Err(error(400, "invalid_scope", "offline_access is missing"));
    }
    Ok(Reply::sized(302, vec![("location".to_owned(), target)], Vec::new()))
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<&'a str, Refused> {
    let missing = || error(400, "missing_required_parameter", &format!("Missing field: {name}"));
    fields.get(name).and_then(Value::as_str).ok_or_else(missing)
}

fn token(world: &World, call: &Call) -> Result<Reply, Refused> {
    let unreadable = || error(400, "invalid_request", "The body is neither a form nor JSON");
    let (json, fields) = plan::fields(call).ok_or_else(unreadable)?;
    if text(&fields, "client_id")? != CLIENT {
        return Err(error(401, "invalid_client", "Client is not known"));
    }
    let now = world.now();
    let granted = match text(&fields, "grant_type")? {
        "authorization_code" if json => return Err(unreadable()),
        "authorization_code" => {
            let (code, redirect) = (text(&fields, "code")?, text(&fields, "redirect_uri")?);
            world.codex.exchange(code, redirect, text(&fields, "code_verifier")?, now)
        }
        "refresh_token" => world.codex.refresh(text(&fields, "refresh_token")?, now),
        _ => return Err(error(400, "unsupported_grant_type", "grant_type is not supported")),
    };
    match granted {
        Ok(PlanGrant { access_token, refresh_token, id_token, expires_in }) => Ok(Reply::json(
            200,
            vec![("cache-control".to_owned(), "no-store".to_owned())],
            &json!({
                "access_token": access_token, "refresh_token": refresh_token, "id_token": id_token,
                "token_type": "Bearer", "expires_in": expires_in,
            }),
        )),
        Err(Denied::Reused) => Err(error(
            401,
            "refresh_token_reused",
            "Your refresh token has already been used to generate a new access token. Please try signing in again.",
        )),
        Err(Denied::Unknown | Denied::Mismatch) => {
            Err((400, json!({"error": "invalid_grant", "error_description": "The grant is not valid"})))
        }
    }
}

fn user_code(world: &World, call: &Call) -> Result<Reply, Refused> {
    match plan::fields(call) {
        Some((true, fields)) if fields.get("client_id").is_some_and(|id| id == CLIENT) => {
            let (device, user_code) = world.codex.device();
            let body = json!({"device_auth_id": device, "user_code": user_code, "interval": "1"});
            Ok(Reply::json(200, Vec::new(), &body))
        }
        _ => Err(error(400, "invalid_request", "client_id is missing")),
    }
}

fn poll(world: &World, call: &Call) -> Result<Reply, Refused> {
    let fields = plan::fields(call).filter(|(json, _)| *json).map(|(_, fields)| fields).unwrap_or_default();
    let device = text(&fields, "device_auth_id")?;
    text(&fields, "user_code")?;
    let email = world.codex.entered(device).filter(|email| !email.is_empty());
    let email = email.ok_or_else(|| error(403, "deviceauth_authorization_unknown", "pending"))?;
    world.codex.close(device);
    let challenge = crate::oauth::challenge_of(DEVICE_VERIFIER);
    let code = world.codex.authorize(&challenge, DEVICE_REDIRECT, &email);
    let body = json!({
        "authorization_code": code, "code_challenge": challenge, "code_verifier": DEVICE_VERIFIER,
    });
    Ok(Reply::json(200, Vec::new(), &body))
}

/// The models of the backend: slug, whether it is shaped lite by the official client, efforts.
pub(super) const MODELS: [(&str, u64, u64); 4] = [
    ("gpt-6.1-sol", 272_000, 872_000),
    ("gpt-6-sol", 272_000, 872_000),
    ("gpt-6-luna", 272_000, 872_000),
    ("gpt-5.5", 272_000, 272_000),
];

fn models(world: &World, call: &Call) -> Result<Reply, Refused> {
    rules::known(world, call)?;
    let version = call.query("client_version").unwrap_or_default();
    if version.split('.').filter(|part| part.parse::<u32>().is_ok()).count() != 3 {
        return Err((400, json!({"detail": "client_version is required"})));
    }
    world.codex.count(|counts| counts.models += 1);
    let list: Vec<Value> = MODELS
        .iter()
        .map(|(slug, context, most)| {
            let efforts =
                ["low", "medium", "high", "xhigh"].map(|effort| json!({"effort": effort, "description": ""}));
            json!({
                "slug": slug, "display_name": slug, "visibility": "list", "context_window": context,
                "max_context_window": most, "default_reasoning_level": "medium",
                "supported_reasoning_levels": efforts, "input_modalities": ["text", "image"],
                "use_responses_lite": *slug != "gpt-5.5", "minimal_client_version": "0.1.0", "priority": 1,
            })
        })
        .chain([json!({"slug": "codex-auto-review", "visibility": "hide", "context_window": 272_000})])
        .collect();
    Ok(Reply::json(200, vec![("etag".to_owned(), "\"sim\"".to_owned())], &json!({"models": list})))
}

fn usage(world: &World, call: &Call) -> Result<Reply, Refused> {
    rules::known(world, call)?;
    world.codex.count(|counts| counts.usages += 1);
    let now = world.now();
    let window = |percent: u32, seconds: i64, left: i64| {
        json!({
            "used_percent": percent, "limit_window_seconds": seconds, "reset_after_seconds": left,
            "reset_at": now + left,
        })
    };
    let body = json!({
        "user_id": "user-ada", "account_id": "ws-ada", "email": "ada@example.org", "plan_type": "plus",
        "rate_limit": {
            "allowed": true, "limit_reached": false, "primary_window": window(12, 18_000, 7200),
            "secondary_window": window(34, 604_800, 259_200),
        },
        "code_review_rate_limit": null, "additional_rate_limits": null,
        "credits": {"has_credits": false, "unlimited": false, "balance": null},
    });
    Ok(Reply::json(200, Vec::new(), &body))
}

/// Headers of a good answer that tell of the plan.
pub(crate) fn limits(now: i64) -> Vec<(&'static str, String)> {
    vec![
        ("x-codex-primary-used-percent", "12.5".to_owned()),
        ("x-codex-primary-window-minutes", "300".to_owned()),
        ("x-codex-primary-reset-at", (now + 7200).to_string()),
        ("x-codex-secondary-used-percent", "34.0".to_owned()),
        ("x-codex-secondary-window-minutes", "10080".to_owned()),
        ("x-codex-secondary-reset-at", (now + 259_200).to_string()),
        ("x-models-etag", "\"sim\"".to_owned()),
    ]
}

/// A stream as this backend sends it: with words about limits at its beginning, and with nothing in `output` at its end.
pub(crate) fn dressed(mut frames: Vec<Frame>) -> Vec<Frame> {
    for frame in frames.iter_mut().filter(|frame| frame.role == Role::End) {
        let Some((head, data)) = frame.text.split_once("data: ") else { continue };
        if let Ok(mut event) = serde_json::from_str::<Value>(data.trim_end()) {
            event["response"]["output"] = json!([]);
            frame.text = format!("{head}data: {event}\n\n");
        }
    }
    let limits = json!({
        "type": "codex.rate_limits", "plan_type": "plus",
        "rate_limits": {"primary": {"used_percent": 12.5, "window_minutes": 300}, "secondary": null},
    });
    frames.insert(0, Frame::event(Role::Frame, "codex.rate_limits", &limits));
    frames.insert(1, Frame::event(Role::Frame, "keepalive", &json!({"type": "keepalive"})));
    frames
}

/// A cause in the words that differ here from those for API keys.
pub(crate) fn worded(cause: Cause, at: &Circumstances<'_>) -> Option<Refusal> {
    let new = |status, kind: &'static str, message: &str| Refusal::new(status, kind, message);
    Some(match cause {
        Cause::Auth => new(401, "invalid_request_error", "Provided authentication token is expired.")
            .code("token_expired"),
        Cause::Banned => new(401, "invalid_request_error", "Your account has been deactivated.")
            .code("account_deactivated"),
        Cause::Billing => {
            new(402, "invalid_request_error", "The workspace is deactivated.").code("deactivated_workspace")
        }
        Cause::NotFound => new(
            400,
            "invalid_request_error",
            &format!("The '{}' model is not supported when using Codex with a ChatGPT account.", at.model),
        ),
        Cause::ThirdParty | Cause::ExtraUsage => {
            new(429, "usage_not_included", "Your plan does not include Codex.")
        }
        Cause::RateLimit => new(429, "rate_limit_error", "Rate limit reached. Please try again in 1.5s.")
            .code("rate_limit_exceeded"),
        Cause::Overloaded => {
            new(503, "server_error", "Selected model is at capacity. Please try a different model.")
        }
        _ => return None,
    })
}

/// The workspace of a person.
fn workspace(email: &str) -> String {
    format!("ws-{}", plan::person(email))
}

/// The books, for `crate::world`.
pub(crate) fn books(life: std::time::Duration) -> Books {
    Books::new(plan::Plan::Codex, life)
}
