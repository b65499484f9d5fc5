//! Methods of `v1internal` around the conversation: project, set-up, models and quota.

use super::{
    books::{GoogleAccounts, GoogleClient},
    only, trouble,
};
use crate::{
    call::Call,
    models::{self, Maker},
    refusal::Refusal,
    trouble::rfc3339,
    world::World,
};
use serde_json::{Map, Value, json};

/// The project of accounts that name none.
const PROJECT: &str = "sim-managed-1";

/// Models of Antigravity: id, name, the model of Google whose engine stands in for it, longest output.
pub(super) const ANTIGRAVITY: [(&str, &str, &str, u64); 10] = [
    ("claude-opus-4-6-thinking", "Claude Opus 4.6 (Thinking)", "gemini-2.5-flash", 64_000),
    ("claude-sonnet-4-6", "Claude Sonnet 4.6 (Thinking)", "gemini-2.5-flash", 64_000),
    ("gemini-3.7-flash-high", "Gemini 3.7 Flash", "gemini-3.5-flash", 65_536),
    ("gemini-3-flash", "Gemini 3 Flash", "gemini-3.5-flash", 65_536),
    ("gemini-3-flash-agent", "Gemini 3.5 Flash (High)", "gemini-3.5-flash", 65_536),
    ("gemini-pro-agent", "Gemini 3.1 Pro (High)", "gemini-3.1-pro-preview", 65_535),
    ("gemini-3.1-pro-low", "Gemini 3.1 Pro (Low)", "gemini-3.1-pro-preview", 65_535),
    ("gemini-3.1-flash-lite", "Gemini 3.1 Flash Lite", "gemini-3.5-flash-lite", 65_535),
    ("gemini-3.1-flash-image", "Gemini 3.1 Flash Image", "gemini-3.5-flash", 65_535),
    ("gpt-oss-120b-medium", "GPT-OSS 120B (Medium)", "gemini-2.5-flash", 32_768),
];

pub(super) fn answer(
    world: &World,
    _call: &Call,
    client: GoogleClient,
    name: &str,
    body: &Value,
) -> Result<Value, Refusal> {
    match name {
        "loadCodeAssist" => load(world, client, body),
        "onboardUser" => onboard(world, body),
        "retrieveUserQuota" if client == GoogleClient::Gemini => {
            only(body, &["project", "userAgent"], "")?;
            project(body)?;
            let bucket = |model: &models::SimModel| {
                json!({
                    "remainingAmount": "930", "remainingFraction": 0.93, "resetTime": rfc3339(world.now() + 7200),
                    "tokenType": "REQUESTS", "modelId": model.id,
                })
            };
            let mut buckets: Vec<Value> = models::models(Maker::Google).iter().map(bucket).collect();
            if let Some(last) = buckets.last_mut().and_then(Value::as_object_mut) {
                // Nothing left is not written.
                last.remove("remainingFraction");
            }
            Ok(json!({"buckets": buckets}))
        }
        "fetchAvailableModels" if client == GoogleClient::Antigravity => {
            only(body, &["project"], "")?;
            Ok(available(world))
        }
        "retrieveUserQuotaSummary" if client == GoogleClient::Antigravity => {
            only(body, &["project"], "")?;
            project(body)?;
            Ok(summary(world))
        }
        _ => Err(Refusal::new(404, "NOT_FOUND", "Requested entity was not found.")),
    }
}

fn project(body: &Value) -> Result<&str, Refusal> {
    body["project"].as_str().filter(|project| !project.is_empty()).ok_or_else(trouble::disabled_service)
}

fn metadata(client: Option<GoogleClient>, body: &Value) -> Result<(), Refusal> {
    only(
        &body["metadata"],
        &[
            "ideType",
            "ideVersion",
            "pluginVersion",
            "platform",
            "updateChannel",
            "duetProject",
            "pluginType",
            "ideName",
        ],
        "metadata",
    )?;
    let kind = body["metadata"]["ideType"].as_str().unwrap_or_default();
    let good = match client {
        Some(GoogleClient::Antigravity) => kind == "ANTIGRAVITY",
        Some(_) => kind != "ANTIGRAVITY",
        None => !kind.is_empty(),
    };
    if good {
        Ok(())
    } else {
        Err(Refusal::new(400, "INVALID_ARGUMENT", "Request contains an invalid argument."))
    }
}

fn load(world: &World, client: GoogleClient, body: &Value) -> Result<Value, Refusal> {
    only(body, &["cloudaicompanionProject", "metadata", "mode"], "")?;
    metadata(Some(client), body)?;
    let ineligible = |reason: &str, message: &str| {
        json!({"ineligibleTiers": [{
            "reasonCode": reason, "reasonMessage": message, "tierId": "free-tier", "tierName": "Gemini Code Assist for individuals",
            "validationUrl": "https://accounts.google.com/signin/continue?sim",
        }]})
    };
    Ok(match world.google.accounts() {
        GoogleAccounts::Ready => json!({
            "currentTier": {"id": "standard-tier", "name": "Gemini Code Assist"},
            "cloudaicompanionProject": body["cloudaicompanionProject"].as_str().unwrap_or(PROJECT),
            "paidTier": {"id": "g1-pro-tier", "name": "Google AI Pro", "availableCredits": [
                {"creditType": "GOOGLE_ONE_AI", "creditAmount": "3024", "minimumCreditAmountForUsage": "50"},
            ]},
        }),
        GoogleAccounts::Fresh => json!({"allowedTiers": [
            {"id": "free-tier", "name": "Free", "isDefault": true}, {"id": "standard-tier", "userDefinedCloudaicompanionProject": true},
        ]}),
        GoogleAccounts::Unsupported => ineligible(
            "UNSUPPORTED_CLIENT",
            "This client is no longer supported for Gemini Code Assist for individuals. To continue using Gemini, please migrate to the Antigravity suite of products: https://antigravity.google",
        ),
        GoogleAccounts::Unverified => ineligible("VALIDATION_REQUIRED", "Verify your account to continue."),
    })
}

fn onboard(world: &World, body: &Value) -> Result<Value, Refusal> {
    only(body, &["tierId", "tier_id", "cloudaicompanionProject", "metadata"], "")?;
    metadata(None, body)?;
    let tier = body["tierId"].as_str().or_else(|| body["tier_id"].as_str()).unwrap_or_default();
    if tier == "free-tier"
        && (body.get("cloudaicompanionProject").is_some() || body["metadata"].get("duetProject").is_some())
    {
        return Err(Refusal::new(400, "FAILED_PRECONDITION", "Precondition check failed."));
    }
    if !world.google.set_up() {
        return Ok(json!({"name": "operations/1", "done": false}));
    }
    Ok(json!({
        "name": "operations/1", "done": true,
        "response": {"cloudaicompanionProject": {"id": "sim-onboarded-1", "name": "sim-onboarded-1"}},
    }))
}

fn available(world: &World) -> Value {
    let mut all = Map::new();
    for (id, name, _, most) in ANTIGRAVITY {
        all.insert(id.to_owned(), json!({
            "displayName": name, "model": "MODEL_PLACEHOLDER", "maxTokens": if id.starts_with("claude") { 200_000 } else { 1_048_576 },
            "maxOutputTokens": most, "supportsThinking": true, "supportsImages": true,
            "quotaInfo": {"remainingFraction": 0.87, "resetTime": rfc3339(world.now() + 7200)},
        }));
    }
    // Internal ones and empty stubs.
    all.insert("chat_20706".to_owned(), json!({"displayName": "Internal", "maxTokens": 1}));
    all.insert("gemini-stub".to_owned(), json!({}));
    json!({
        "models": all, "agentModelSorts": [], "deprecatedModelIds": {"gemini-3-pro-old": {"newModelId": "gemini-pro-agent"}},
        "webSearchModelIds": ["gemini-3-flash"], "imageGenerationModelIds": ["gemini-3.1-flash-image"],
    })
}

fn summary(world: &World) -> Value {
    let bucket = |id: &str, name: &str, window: &str, left: f64, after: i64| {
        json!({
            "bucketId": id, "displayName": name, "window": window, "remainingFraction": left, "resetTime": rfc3339(world.now() + after),
        })
    };
    json!({"groups": [
        {"displayName": "Gemini Models", "buckets": [
            bucket("gemini-5h", "Five Hour Limit", "5h", 0.4, 7200), bucket("gemini-weekly", "Weekly Limit", "weekly", 0.9, 259_200),
        ]},
        {"displayName": "Claude and GPT models", "buckets": [
            bucket("3p-5h", "Five Hour Limit", "5h", 0.25, 7200), bucket("3p-weekly", "Weekly Limit", "weekly", 0.8, 259_200),
        ]},
    ]})
}
