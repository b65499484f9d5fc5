//! The words of the vendor's refusals.

use crate::{scenario::Cause, server::Reply};
use serde_json::{Value, json};

/// A refusal in the vendor's own shape.
pub(super) fn said(http: u16, status: &str, message: &str) -> Reply {
    Reply::json(http, Vec::new(), &json!({"status": status, "msg": message, "body": Value::Null}))
}

/// The refusal for a cause; `None` where the vendor has the words of `OpenAI`. Most come with status 200.
pub(super) fn of(cause: Cause) -> Option<Reply> {
    Some(match cause {
        Cause::Auth => said(200, "439", "Your token has expired."),
        Cause::Banned => {
            said(200, "434", "Access to the current AK has been blocked due to unauthorized requests")
        }
        Cause::Forbidden => {
            said(403, "438", "Access to the current AK has been blocked due to unauthorized requests")
        }
        Cause::RateLimit | Cause::Quota | Cause::ExtraUsage => {
            said(200, "449", "You exceeded your current rate limit")
        }
        Cause::ThirdParty => said(406, "406", "Not Acceptable"),
        Cause::Overloaded => busy(),
        _ => return None,
    })
}

/// What is said when the vendor is busy, also by its login.
pub(super) fn busy() -> Reply {
    Reply::json(
        200,
        Vec::new(),
        &json!({"success": false, "code": "500", "message": "server busy", "data": Value::Null}),
    )
}
