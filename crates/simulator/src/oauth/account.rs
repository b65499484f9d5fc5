//! The simulated person behind a login.

use crate::ids::uuid_of;
use serde_json::{Value, json};

/// A person and an organisation, made from an e-mail address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    email: String,
}

impl Account {
    /// The account of this address; anything that is none gets the default one.
    pub(super) fn of(email: &str) -> Self {
        let email = if email.contains('@') { email } else { "ada@example.org" };
        Self { email: email.to_owned() }
    }

    fn person(&self) -> String {
        uuid_of(&format!("person {}", self.email))
    }

    fn organization(&self) -> String {
        uuid_of(&format!("organization {}", self.email))
    }

    /// As it stands in a token response.
    pub(super) fn in_token(&self) -> (Value, Value) {
        (
            json!({"uuid": self.person(), "email_address": self.email}),
            json!({"uuid": self.organization(), "name": format!("{}'s Organization", self.email)}),
        )
    }

    /// As it stands in the profile.
    pub(super) fn profile(&self) -> Value {
        json!({
            "account": {
                "uuid": self.person(), "email": self.email, "display_name": "Ada", "full_name": "Ada Simulated",
                "created_at": "2026-01-01T00:00:00Z",
            },
            "organization": {
                "uuid": self.organization(), "name": format!("{}'s Organization", self.email),
                "organization_type": "claude_max", "rate_limit_tier": "default_claude_max_5x", "seat_tier": null,
                "has_extra_usage_enabled": false, "billing_type": "stripe_subscription",
                "subscription_created_at": "2026-01-01T00:00:00Z", "plan_display_name": "Max 5x",
            },
        })
    }
}
