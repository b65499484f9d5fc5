//! Refusals in the words of Code Assist.

use crate::{
    body::Step,
    refusal::Refusal,
    scenario::Cause,
    server::Reply,
    trouble::{Circumstances, rfc3339},
    world::World,
};
use serde_json::{Value, json};

fn info(reason: &str, domain: &str, metadata: &Value) -> Value {
    json!({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": domain, "metadata": metadata})
}

fn retry(seconds: u64) -> Value {
    json!({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": format!("{seconds}s")})
}

const DOMAIN: &str = "cloudcode-pa.googleapis.com";

/// A wrong project, or a header that names one.
pub(super) fn disabled_service() -> Refusal {
    Refusal::new(
        403,
        "PERMISSION_DENIED",
        "Cloud Code Private API has not been used in project 0 before or it is disabled.",
    )
    .extra(
        "details",
        json!([info(
            "SERVICE_DISABLED",
            "googleapis.com",
            &json!({"activationUrl": "https://console.developers.google.com/sim", "service": DOMAIN})
        )]),
    )
}

fn quota(wait: u64, now: i64, model: &str) -> Refusal {
    let delay = format!("{}h{}m{}s", wait / 3600, wait / 60 % 60, wait % 60);
    let reset = rfc3339(now.saturating_add(wait.try_into().unwrap_or(i64::MAX)));
    let metadata =
        json!({"uiMessage": "true", "model": model, "quotaResetDelay": delay, "quotaResetTimeStamp": reset});
    Refusal::new(
        429,
        "RESOURCE_EXHAUSTED",
        format!("You have exhausted your capacity on this model. Your quota will reset after {delay}."),
    )
    .extra("details", json!([info("QUOTA_EXHAUSTED", DOMAIN, &metadata), retry(wait)]))
}

/// The refusal for a cause, for a token of a login.
pub(crate) fn code_assist(cause: Cause, at: &Circumstances<'_>) -> Option<Refusal> {
    let wait = at.wait.unwrap_or(30);
    Some(match cause {
        Cause::Auth => super::unauthenticated(),
        Cause::Quota if at.key.starts_with("ya29.vertex") => Refusal::new(
            429,
            "RESOURCE_EXHAUSTED",
            format!("Quota exceeded for aiplatform.googleapis.com/online_prediction_requests_per_base_model with base model: {}. Please submit a quota increase request.", at.model),
        ),
        Cause::RateLimit | Cause::ExtraUsage if at.key.starts_with("ya29.vertex") => Refusal::new(
            429,
            "RESOURCE_EXHAUSTED",
            "Resource exhausted. Please try again later. Please refer to https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429 for more details.",
        ),
        Cause::Forbidden if at.key.starts_with("ya29.vertex") => Refusal::new(
            403,
            "PERMISSION_DENIED",
            format!("Permission 'aiplatform.endpoints.predict' denied on resource '//aiplatform.googleapis.com/projects/P/locations/L/publishers/google/models/{}' (or it may not exist).", at.model),
        )
        .extra("details", json!([info("IAM_PERMISSION_DENIED", "aiplatform.googleapis.com", &json!({}))])),
        Cause::NotFound if at.key.starts_with("ya29.vertex") => Refusal::new(
            404,
            "NOT_FOUND",
            format!("Publisher Model `projects/P/locations/L/publishers/google/models/{}` was not found or your project does not have access to it.", at.model),
        ),
        Cause::Quota => quota(at.wait.unwrap_or(7200), at.now, at.model),
        Cause::RateLimit => Refusal::new(429, "RESOURCE_EXHAUSTED", format!("Resource has been exhausted. Please retry in {wait}s."))
            .extra("details", json!([info("RATE_LIMIT_EXCEEDED", DOMAIN, &json!({})), retry(wait)])),
        Cause::Forbidden => Refusal::new(403, "PERMISSION_DENIED", "Permission 'cloudaicompanion.companions.generateChat' denied on resource '//cloudaicompanion.googleapis.com/projects/p/locations/global'."),
        Cause::Banned => Refusal::new(
            403,
            "PERMISSION_DENIED",
            "This service has been disabled in this account for violation of Terms of Service. Please submit an appeal to continue using this product.",
        ),
        Cause::NotFound => Refusal::new(404, "NOT_FOUND", "Requested entity was not found."),
        _ => return None,
    })
}

/// A trouble that only these services know, asked for by `sim:google NAME` in the last user message.
pub(super) fn asked_for(
    world: &World,
    request: &Value,
    model: &str,
    stream: bool,
) -> Option<Result<Reply, Refusal>> {
    let last = request["contents"].as_array()?.last()?;
    let text = last["parts"].as_array()?.iter().find_map(|part| part["text"].as_str())?;
    let name = text.trim().strip_prefix("sim:google ")?.split_whitespace().next()?;
    let denied = |message: &str, reason: &str, domain: &str, metadata: Value| {
        Refusal::new(403, "PERMISSION_DENIED", message)
            .extra("details", json!([info(reason, domain, &metadata)]))
    };
    Some(Err(match name {
        "capacity" => {
            Refusal::new(503, "UNAVAILABLE", format!("No capacity available for model {model} on the server"))
                .extra(
                    "details",
                    json!([info("MODEL_CAPACITY_EXHAUSTED", DOMAIN, &json!({"model": model})), retry(40)]),
                )
        }
        "credits" => Refusal::new(429, "RESOURCE_EXHAUSTED", "Insufficient credits.")
            .extra("details", json!([info("INSUFFICIENT_G1_CREDITS_BALANCE", DOMAIN, &json!({}))])),
        "bare" => Refusal::new(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."),
        "verify" => denied(
            "Verify your account to continue.",
            "VALIDATION_REQUIRED",
            DOMAIN,
            json!({"validation_url": "https://accounts.google.com/signin/continue?sim"}),
        ),
        "licence" => denied(
            "Request failed: your account lacks a Gemini Code Assist license (#3501)",
            "SUBSCRIPTION_REQUIRED",
            "cloudaicompanion.googleapis.com",
            json!({}),
        ),
        "disabled" => disabled_service(),
        "wall" => denied(
            "Request is prohibited by organization's policy.",
            "SECURITY_POLICY_VIOLATED",
            "googleapis.com",
            json!({}),
        ),
        "cancelled" => Refusal::new(499, "CANCELLED", "The operation was cancelled."),
        "place" => {
            Refusal::new(400, "FAILED_PRECONDITION", "User location is not supported for the API use.")
        }
        "old" => return Some(Ok(old_client(world, model, stream))),
        _ => return None,
    }))
}

/// Status 200, and a text that says that the client is too old.
fn old_client(_world: &World, model: &str, stream: bool) -> Reply {
    let words = "This version of Antigravity is no longer supported. Please upgrade/update to receive the latest features!";
    let chunk = json!({"response": {
        "candidates": [{"content": {"role": "model", "parts": [{"text": words}]}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}, "modelVersion": model, "responseId": "old",
    }, "traceId": "5eed"});
    if !stream {
        return Reply::json(200, Vec::new(), &chunk);
    }
    let headers = vec![("content-type".to_owned(), "text/event-stream".to_owned())];
    Reply::streamed(200, headers, vec![Step::Data(format!("data: {chunk}\r\n\r\n").into())])
}
