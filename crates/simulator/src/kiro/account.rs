//! Profiles, models and usage.

use super::{
    Denied,
    tokens::{Kind, OWN, Owner},
};
use crate::{call::Call, ids::uuid_of, server::Reply, world::World};
use serde_json::{Value, json};

/// Models: id, context, efforts.
pub(super) const MODELS: [(&str, u64, &[&str]); 7] = [
    ("auto", 200_000, &[]),
    ("claude-opus-4.8", 1_000_000, &["low", "medium", "high", "xhigh", "max"]),
    ("claude-sonnet-4.6", 1_000_000, &["low", "medium", "high", "max"]),
    ("claude-sonnet-4.5", 200_000, &[]),
    ("claude-haiku-4.5", 200_000, &[]),
    ("gpt-5.6-sol", 272_000, &["low", "medium", "high", "xhigh"]),
    ("qwen3-coder-next", 256_000, &[]),
];

/// Models on the first page of the list, and what asks for the second.
const PAGE: usize = 5;
const SECOND: &str = "sim-page-2";

/// Who asks: an owner of a login, or of a key (`None`).
pub(super) fn asker(world: &World, call: &Call) -> Result<Option<Owner>, Denied> {
    let token = call.bearer().ok_or_else(Denied::bearer)?;
    let is_key = token.starts_with("ksk_");
    match call.header("tokentype") {
        Some("API_KEY") if is_key => {
            return if token.contains("bad") { Err(Denied::bearer()) } else { Ok(None) };
        }
        None if !is_key => {}
        _ => return Err(Denied::bearer()),
    }
    world.kiro.owner(token).map(Some).ok_or_else(Denied::bearer)
}

/// Calls that are told apart by a header.
pub(super) fn control(world: &World, call: &Call) -> Result<Reply, Denied> {
    let asker = asker(world, call)?;
    let invalid = || Denied::new(400, "Validation", "Request body invalid.", Some("REQUEST_BODY_INVALID"));
    if call.header("content-type") != Some("application/x-amz-json-1.0") {
        return Err(invalid());
    }
    let body: Value = serde_json::from_slice(&call.body).ok().filter(Value::is_object).ok_or_else(invalid)?;
    let target = call.header("x-amz-target").unwrap_or_default();
    match target.strip_prefix("KiroControlPlaneBearerService.") {
        Some("ListAvailableProfiles") => match asker {
            Some(Owner { kind: Kind::Organisation, .. }) => Ok(Reply::json(
                200,
                Vec::new(),
                &json!({"profiles": [{"arn": OWN, "profileName": "simulated"}]}),
            )),
            _ => Err(Denied::new(
                403,
                "AccessDenied",
                "User is not authorized.",
                Some("FEATURE_NOT_SUPPORTED"),
            )),
        },
        Some("ListAvailableModels") => {
            let wanted = asker.as_ref().map(Owner::profile);
            if body["profileArn"].as_str() != wanted || !body["origin"].is_string() {
                return Err(invalid());
            }
            let (first, rest) = MODELS.split_at(PAGE);
            let (models, next) = match body["nextToken"].as_str() {
                None => (first, json!(SECOND)),
                Some(SECOND) => (rest, Value::Null),
                Some(_) => return Err(invalid()),
            };
            let models: Vec<_> = models.iter().map(model).collect();
            let list = json!({"models": models, "defaultModel": {"modelId": "auto"}, "nextToken": next});
            Ok(Reply::json(200, Vec::new(), &list))
        }
        _ => Err(Denied::new(404, "ResourceNotFound", "Unknown operation.", None)),
    }
}

fn model((id, context, efforts): &(&str, u64, &[&str])) -> Value {
    let mut model = json!({
        "modelId": id, "modelName": id, "rateMultiplier": 1.0, "rateUnit": "Credit",
        "tokenLimits": {"maxInputTokens": context, "maxOutputTokens": 64_000}, "supportedInputTypes": ["TEXT", "IMAGE"],
    });
    if !efforts.is_empty() {
        let field = field_of(id);
        model["additionalModelRequestFieldsSchema"] =
            json!({"type": "object", "properties": {field: {"properties": {"effort": {"enum": efforts}}}}});
    }
    model
}

/// The field in which a model takes an effort.
pub(super) fn field_of(model: &str) -> &'static str {
    if model.starts_with("gpt-") { "reasoning" } else { "output_config" }
}

pub(super) fn usage(world: &World, call: &Call) -> Result<Reply, Denied> {
    let asker = asker(world, call)?;
    let (origin, kind) = (call.query("origin"), call.query("resourceType"));
    let shared = call.query("profileArn").is_some_and(|arn| arn != OWN);
    if !matches!(origin, Some("AI_EDITOR" | "KIRO_CLI")) || kind != Some("AGENTIC_REQUEST") || shared {
        return Err(Denied::malformed());
    }
    let (user, email) = match &asker {
        Some(owner) => (owner.user_id(), owner.email.clone()),
        None => (
            format!("d-9067sim.{}", uuid_of(call.bearer().unwrap_or_default())),
            "key@example.org".to_owned(),
        ),
    };
    let reset = world.now() + 10 * 86_400;
    let (status, credits, overages) =
        if world.is_beyond("kiro") { ("ENABLED", 1000, 30) } else { ("DISABLED", 250, 0) };
    let mut body = json!({
        "nextDateReset": reset, "daysUntilReset": 10,
        "subscriptionInfo": {"type": "Q_DEVELOPER_STANDALONE_PRO", "subscriptionTitle": "KIRO PRO", "overageCapability": "OVERAGE_CAPABLE"},
        "overageConfiguration": {"overageStatus": status},
        "usageBreakdownList": [{
            "resourceType": "CREDIT", "displayName": "Credit", "displayNamePlural": "Credits", "currentUsage": credits,
            "currentUsageWithPrecision": f64::from(credits), "currentOverages": overages, "overageCap": 10_000, "usageLimit": 1000, "usageLimitWithPrecision": 1000.0, "nextDateReset": reset,
        }],
    });
    if call.query("isEmailRequired") == Some("true") {
        body["userInfo"] = json!({"userId": user, "email": email});
    }
    Ok(Reply::json(200, Vec::new(), &body))
}
