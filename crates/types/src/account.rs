use crate::{AccountId, ProviderId, Secret, SecretHash};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Unix time in seconds.
type UnixSeconds = i64;

/// What kind of credential an account holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialKind {
    /// A vendor's API key.
    ApiKey,
    /// Tokens of an OAuth login.
    Oauth,
}

/// What a vendor's tokens are of no use without: a project, a region, the secret of a registered client. Names are those of
/// the provider's login; all values count as secret.
pub type TokenFacts = BTreeMap<String, Secret>;

/// The tokens of an OAuth login.
#[derive(Clone, Debug)]
pub struct OauthTokens {
    /// Token sent with each request.
    pub access: Secret,
    /// Token that buys the next pair; absent for long-lived setup tokens.
    pub refresh: Option<Secret>,
    /// When `access` expires.
    pub expires_at: Option<UnixSeconds>,
    /// When `refresh` expires, if the vendor says so.
    pub refresh_expires_at: Option<UnixSeconds>,
    /// Scopes that were granted.
    pub scopes: Vec<String>,
    /// What belongs to them.
    pub facts: TokenFacts,
}

impl OauthTokens {
    /// Hash by which a refresh is bound to the tokens it started from: of the refresh token, else of the access token.
    pub fn hash(&self) -> SecretHash {
        self.refresh.as_ref().unwrap_or(&self.access).hash()
    }

    /// One of the facts.
    pub fn fact(&self, name: &str) -> Option<&str> {
        self.facts.get(name).map(Secret::expose)
    }
}

/// What an account authenticates with.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A vendor's API key.
    ApiKey(Secret),
    /// Tokens of an OAuth login.
    Oauth(OauthTokens),
}

impl Credential {
    /// The kind of this credential.
    pub const fn kind(&self) -> CredentialKind {
        match self {
            Self::ApiKey(_) => CredentialKind::ApiKey,
            Self::Oauth(_) => CredentialKind::Oauth,
        }
    }
}

/// Whether an account can be used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum AccountState {
    /// Ready.
    #[default]
    Ready,
    /// The grant is dead: a person must log in again.
    NeedsLogin {
        /// Why, in one sentence that ends in what to do.
        reason: String,
    },
    /// The vendor has put the account on hold or closed it.
    Blocked {
        /// Why, in the vendor's words.
        reason: String,
    },
    /// The vendor began to charge beyond the plan, and nobody has said that it may.
    ExtraUsage,
    /// Switched off: by its owner, or since it came here.
    Disabled {
        /// Why it came here so; none where its owner did it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

impl AccountState {
    /// Switched off by its owner.
    pub const OFF: Self = Self::Disabled { reason: None };

    /// Why an account in this state does not serve and what helps, for its owner; `None` for one that serves.
    pub fn trouble(&self, provider: &str) -> Option<String> {
        match self {
            Self::Ready => None,
            Self::NeedsLogin { reason } => Some(reason.clone()),
            Self::Blocked { reason } if reason.contains("byok ") => Some(reason.clone()),
            Self::Blocked { reason } => Some(format!(
                "{}. When that is settled, `byok accounts enable {provider}` uses the account again.",
                reason.trim_end_matches(['.', ' '])
            )),
            Self::ExtraUsage => Some(format!(
                "the vendor began to charge beyond the plan. To go on and pay, set `providers.{provider}.extra_usage: allow`; \
                 to go on within the plan, run `byok accounts enable {provider}` when it has room again."
            )),
            Self::Disabled { reason: None } => {
                Some(format!("switched off by its owner; `byok accounts enable {provider}` takes it back."))
            }
            Self::Disabled { reason: Some(reason) } => Some(format!(
                "it came over switched off, because {reason}; `byok accounts enable {provider}` switches it on."
            )),
        }
    }
}

/// The flag by which commands name an account, as a shell reads it.
pub fn account_flag(label: &str) -> String {
    format!("--account {}", shell_word(label))
}

/// A text as one word of a command that a shell reads.
pub fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@._+-/".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// An account of a provider without its secrets: everything that may be shown and listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Opaque id, made by byok.
    pub id: AccountId,
    /// Provider it belongs to.
    pub provider: ProviderId,
    /// Name for people; unique within the provider.
    pub label: String,
    /// Kind of credential.
    pub kind: CredentialKind,
    /// The vendor's stable key of the person and organisation, to recognise a second login of the same account.
    pub identity: Option<String>,
    /// E-mail address, if the vendor told it; else the name by which the vendor knows the person, if it has such names.
    pub email: Option<String>,
    /// Plan, in the vendor's word.
    pub plan: Option<String>,
    /// Whether it can be used.
    pub state: AccountState,
    /// Claims that the owner consented to (names of the claims table).
    pub claims: Vec<String>,
    /// When the access token expires, for lists and for the refresh ahead of time.
    pub expires_at: Option<UnixSeconds>,
    /// When the account was added.
    pub created_at: UnixSeconds,
    /// When it was last changed.
    pub updated_at: UnixSeconds,
}
