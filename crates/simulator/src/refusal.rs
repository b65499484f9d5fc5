//! An error as a vendor words it, and its body in each dialect.

use byok_types::Dialect;
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// A refused or failed call.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    /// HTTP status.
    pub(crate) status: u16,
    /// The vendor's type (`invalid_request_error`) or Google's status (`INVALID_ARGUMENT`).
    pub(crate) kind: Cow<'static, str>,
    /// The vendor's words.
    pub(crate) message: String,
    /// Field at fault (`OpenAI`).
    pub(crate) param: Option<String>,
    /// Code (`OpenAI`), or `details.error_code` (Anthropic).
    pub(crate) code: Option<Cow<'static, str>>,
    /// Further members of the error object: Google's `details`, Codex's `resets_at`.
    pub(crate) extra: Map<String, Value>,
    /// Headers beyond those of every answer.
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Refusal {
    pub(crate) fn new(status: u16, kind: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            status,
            kind: kind.into(),
            message: message.into(),
            param: None,
            code: None,
            extra: Map::new(),
            headers: Vec::new(),
        }
    }

    #[must_use]
    pub(crate) fn code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.code = Some(code.into());
        self
    }

    #[must_use]
    pub(crate) fn param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    #[must_use]
    pub(crate) fn extra(mut self, name: &str, value: Value) -> Self {
        self.extra.insert(name.to_owned(), value);
        self
    }

    #[must_use]
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The error object that stands in an HTTP body, and in a stream where the dialect puts it there unchanged.
    pub(crate) fn body(&self, dialect: Dialect, request_id: &str) -> Value {
        match dialect {
            Dialect::Messages => {
                let mut error = json!({"type": self.kind, "message": self.message});
                if let Some(code) = &self.code {
                    error["details"] = json!({"error_code": code});
                }
                json!({"type": "error", "error": error, "request_id": request_id})
            }
            Dialect::Chat | Dialect::Responses => {
                let mut error = json!({
                    "message": self.message, "type": self.kind, "param": self.param, "code": self.code,
                });
                self.add_extra(&mut error);
                json!({"error": error})
            }
            Dialect::Gemini => {
                let mut error = json!({"code": self.status, "message": self.message, "status": self.kind});
                self.add_extra(&mut error);
                json!({"error": error})
            }
        }
    }

    fn add_extra(&self, error: &mut Value) {
        if let Some(object) = error.as_object_mut() {
            object.extend(self.extra.clone());
        }
    }
}
