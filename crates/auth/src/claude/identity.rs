//! Whose login it is.

use super::{Claude, PROFILE_TIMEOUT};
use byok_store::AccountDetails;
use byok_transport::Transport;
use byok_types::Secret;
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Owner {
    account: Option<Person>,
    organization: Option<Organization>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Person {
    uuid: Option<String>,
    /// `email_address` in the token answer, `email` in the profile.
    #[serde(alias = "email_address")]
    email: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Organization {
    uuid: Option<String>,
    #[serde(rename = "organization_type")]
    kind: Option<String>,
    rate_limit_tier: Option<String>,
}

impl From<Owner> for AccountDetails {
    fn from(owner: Owner) -> Self {
        let person = owner.account.unwrap_or_default();
        let organization = owner.organization.unwrap_or_default();
        let plan = plan(&organization);
        let identity = match (person.uuid, organization.uuid) {
            (Some(person), Some(organization)) => Some(format!("{person}/{organization}")),
            // The person alone does not tell two organisations apart.
            _ => None,
        };
        Self { email: person.email, plan, identity }
    }
}

/// The plan as people know it. The two sizes of Max differ only in their rate limit tier.
fn plan(organization: &Organization) -> Option<String> {
    let plan = match organization.kind.as_deref()? {
        "claude_max" => match organization.rate_limit_tier.as_deref() {
            Some("default_claude_max_5x") => "max 5x",
            Some("default_claude_max_20x") => "max 20x",
            _ => "max",
        },
        "claude_pro" => "pro",
        "claude_team" => "team",
        "claude_enterprise" => "enterprise",
        _ => return None,
    };
    Some(plan.to_owned())
}

/// What the answer of the token endpoint says; nothing if it says it in a way that byok does not know.
pub(super) fn of_token_answer(body: &[u8]) -> AccountDetails {
    serde_json::from_slice::<Owner>(body).unwrap_or_default().into()
}

impl Claude {
    /// Asks the vendor whose token this is. A token without the scope `user:profile` gets a 403.
    pub(super) async fn profile(&self, transport: &Transport, token: &Secret) -> crate::Owner {
        let reply =
            self.endpoint(transport).get_with_bearer(&self.urls.profile, token, PROFILE_TIMEOUT).await;
        crate::Owner::told(reply, token, of_token_answer)
    }
}
