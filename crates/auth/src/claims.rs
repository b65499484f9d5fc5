//! What a provider wants to hear that is not literally true of byok, and what its rules say about such use.
//!
//! byok names itself everywhere and sends its own identifiers. Some upstreams refuse a request unless it says
//! something else: each such sentence or header is a [`Claim`], and [`claims`] lists all of them. A claim is off until
//! the owner of the account has read the [`Notice`] and consented; the consent is stored with the account.

use byok_store::Store;
use byok_types::{Account, Credential, CredentialKind, SecretHash, TokenFacts};

/// Where a claim goes in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimPlace {
    /// The first block of the system prompt, if the caller's request does not already begin with it.
    FirstSystemBlock,
    /// A header of this name.
    Header(&'static str),
}

/// One thing that byok says of itself with its owner's consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Name by which consent is given and stored, for example with `byok accounts claims PROVIDER --accept NAME`.
    pub name: &'static str,
    /// Provider that it is made to.
    pub provider: &'static str,
    /// Kind of credential that it is made with.
    pub kind: CredentialKind,
    /// Where it goes.
    pub place: ClaimPlace,
    /// Its exact words.
    pub value: &'static str,
    /// What happens without it.
    pub without: &'static str,
}

/// What a person should know before logging in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Provider.
    pub provider: &'static str,
    /// Kind of credential that the rule is about.
    pub kind: CredentialKind,
    /// The provider's rule, in one sentence.
    pub rule: &'static str,
    /// What can happen to the account, and the way around it.
    pub risk: &'static str,
    /// Where the rule stands.
    pub source: &'static str,
}

/// All claims that byok can make.
pub const fn claims() -> &'static [Claim] {
    &[CLAUDE, ANTIGRAVITY, COPILOT_ID, COPILOT_EDITOR, XAI, IFLOW]
}

const CLAUDE: Claim = Claim {
    name: "claude-code-prompt",
    provider: "claude",
    kind: CredentialKind::Oauth,
    place: ClaimPlace::FirstSystemBlock,
    value: "You are Claude Code, Anthropic's official CLI for Claude.",
    without: "Anthropic refuses requests made with a plan login unless their system prompt begins with this \
                  sentence. Without your consent byok serves only callers that send it themselves, such as Claude Code; \
                  others get a refusal that names the way with an API key.",
};

const ANTIGRAVITY: Claim = Claim {
    name: "antigravity-user-agent",
    provider: "antigravity",
    kind: CredentialKind::Oauth,
    place: ClaimPlace::Header("user-agent"),
    value: "antigravity",
    without: "Google refuses requests to Antigravity whose user agent, and the same word in the request around the \
              conversation, is another. Without your consent byok sends it nothing; an API key of Google AI Studio needs no \
              claim: `byok login gemini --method key`.",
};

const COPILOT_ID: Claim = Claim {
    name: "copilot-integration-id",
    provider: "copilot",
    kind: CredentialKind::Oauth,
    place: ClaimPlace::Header("copilot-integration-id"),
    value: "vscode-chat",
    without: "GitHub refuses exchanged tokens unless the request names an integration that it has registered, and it \
                  has registered none for byok. Without your consent byok serves with this login only callers that send \
                  the header themselves. A login whose GitHub token is accepted as it is needs no such words.",
};

const COPILOT_EDITOR: Claim = Claim {
    name: "copilot-editor-version",
    provider: "copilot",
    kind: CredentialKind::Oauth,
    place: ClaimPlace::Header("editor-version"),
    value: "vscode/1.110.0",
    without: "GitHub refuses exchanged tokens unless the request names an editor. Without your consent byok serves with \
                  this login only callers that send the header themselves. A login whose GitHub token is accepted as it is \
                  needs no such words.",
};

const XAI: Claim = Claim {
    name: crate::xai::VERSION_CLAIM,
    provider: "xai",
    kind: CredentialKind::Oauth,
    place: ClaimPlace::Header("x-grok-client-version"),
    value: "1.0.6",
    without: "xAI refuses requests made with a plan login unless they state the version of a Grok CLI that is new enough. \
                  Without your consent byok serves only callers that send the header themselves, such as Grok CLI; others get \
                  a refusal that names the way with an API key.",
};

const IFLOW: Claim = Claim {
    name: "iflow-cli",
    provider: "iflow",
    kind: CredentialKind::Oauth,
    place: ClaimPlace::Header("user-agent"),
    value: "iFlow-Cli",
    without: "iFlow refuses every request that is not signed under the name of its own program, so byok makes none \
                  without your consent. The service ended on 2026-04-17; use another provider.",
};

/// All notices that byok shows before a login.
pub const fn notices() -> &'static [Notice] {
    &[CLAUDE_RULE, GEMINI_RULE, ANTIGRAVITY_RULE, COPILOT_RULE, XAI_RULE, IFLOW_RULE, KIRO_RULE]
}

const CLAUDE_RULE: Notice = Notice {
    provider: "claude",
    kind: CredentialKind::Oauth,
    rule: "Anthropic's published rules say that the login of a Free, Pro, Max, Team or Enterprise plan is meant for \
               Claude Code and Anthropic's other own applications, and that other programs, byok among them, are to \
               use an API key.",
    risk: "Anthropic may refuse such requests, charge them as extra usage instead of to your plan, or restrict the \
               account, without warning. An API key from the Anthropic Console has none of these limits: put it into \
               the configuration as `api_key` of the provider `claude`.",
    source: "Claude Code documentation, page `Legal and compliance`, as known in November 2026",
};

const GEMINI_RULE: Notice = Notice {
    provider: "gemini",
    kind: CredentialKind::Oauth,
    rule: "Google's terms say that reaching Gemini Code Assist with this login from other software than Google's own, byok \
           among it, breaks them.",
    risk: "Google may suspend the account. An API key of Google AI Studio has no such limit: `byok login gemini --method key`.",
    source: "Gemini CLI documentation, page `Terms of Service and Privacy Notice`, as known in August 2026",
};

const ANTIGRAVITY_RULE: Notice = Notice {
    provider: "antigravity",
    kind: CredentialKind::Oauth,
    rule: "Google's terms do not allow the use of Antigravity from other software than Google's own, byok among it.",
    risk: "Google has disabled accounts for it in waves since February 2026, with the words `This service has been disabled in \
           this account for violation of Terms of Service`. An API key of Google AI Studio has no such limit: \
           `byok login gemini --method key`.",
    source: "Google's answers and public reports, as known in November 2026",
};

const COPILOT_RULE: Notice = Notice {
    provider: "copilot",
    kind: CredentialKind::Oauth,
    rule: "GitHub offers Copilot for its own editors, its command line and the integrations that it has registered; it \
               publishes no interface for other programs, byok among them.",
    risk: "GitHub may refuse such requests, or limit or suspend Copilot for the account if it takes them for abuse. \
               Each question of yours counts as a premium request of the plan, as in an editor.",
    source: "what GitHub's own programs and public proxies show, as known in November 2026",
};

const XAI_RULE: Notice = Notice {
    provider: "xai",
    kind: CredentialKind::Oauth,
    rule: "xAI offers the login of a Grok plan (SuperGrok, X Premium+) for its own program Grok CLI and asks every request \
               for the version of it; it publishes no interface for other programs, byok among them.",
    risk: "xAI has at times refused such logins for lower plans, may refuse such requests, or restrict the account. An API \
               key from console.x.ai has none of these limits: put it into the configuration as `api_key` of the provider \
               `xai`.",
    source: "what xAI's own program and public proxies show, as known in November 2026",
};

const IFLOW_RULE: Notice = Notice {
    provider: "iflow",
    kind: CredentialKind::Oauth,
    rule: "From February 2026 iFlow served signed requests of its own program only and suspended keys for what it called \
               unauthorized requests.",
    risk: "iFlow may block the key of the account without warning. Its service ended on 2026-04-17, so there is hardly \
               anything left to win: use another provider.",
    source: "what users of other programs reported from February to April 2026, and iFlow's own announcement",
};

const KIRO_RULE: Notice = Notice {
    provider: "kiro",
    kind: CredentialKind::Oauth,
    rule: "AWS locks Kiro accounts whose activity looks unusual to it; users of other programs, proxies such as byok among \
                   them, report such locks, and so do users of Kiro itself.",
    risk: "A locked account does not answer until AWS support has unlocked it; byok then stops using it and shows where to \
                   ask.",
    source: "reports of users and the vendor's own error text, as known in November 2026",
};

/// Whether a provider wants its claims with API keys, too.
pub fn with_keys(provider: &str) -> bool {
    provider == "iflow"
}

/// Whether callers can make the claims of a provider themselves. Where nothing but the vendor's own program could, and that
/// speaks with nobody but the vendor, an account without consent serves nobody.
pub fn callers_make_them(provider: &str) -> bool {
    !matches!(provider, "antigravity" | "iflow")
}

/// Claims that only some logins need: those with this fact.
const ONLY_WITH: &[(&str, &str, &str)] = &[
    ("copilot-integration-id", crate::copilot::MODE, crate::copilot::EXCHANGE),
    ("copilot-editor-version", crate::copilot::MODE, crate::copilot::EXCHANGE),
];

/// Whether a login with these facts needs the claim.
pub fn is_needed(claim: &Claim, facts: &TokenFacts) -> bool {
    let rows = ONLY_WITH.iter().filter(|(name, ..)| *name == claim.name);
    rows.into_iter()
        .all(|(_, fact, value)| facts.get(*fact).is_some_and(|found| found.hash() == SecretHash::of(value)))
}

/// The claims that an account with this credential needs.
pub fn needed(provider: &str, credential: &Credential) -> Vec<&'static Claim> {
    let claims = claims_of(provider, CredentialKind::Oauth);
    let is_needed = |claim: &&Claim| match credential {
        Credential::Oauth(tokens) => is_needed(claim, &tokens.facts),
        Credential::ApiKey(_) => with_keys(claim.provider),
    };
    claims.filter(is_needed).collect()
}

/// The claims that an account needs and that its owner has not consented to. Its credential is opened only where there is
/// something to consent to; one that cannot be opened needs nothing.
pub async fn missing(store: &Store, account: &Account) -> Vec<&'static Claim> {
    let all: Vec<_> = claims_of(account.provider.as_str(), CredentialKind::Oauth).collect();
    if lacking(all, account).is_empty() {
        return Vec::new();
    }
    match store.secrets.load(&account.id).await {
        Ok(Some(credential)) => lacking(needed(account.provider.as_str(), &credential), account),
        Ok(None) | Err(_) => Vec::new(),
    }
}

fn lacking(mut claims: Vec<&'static Claim>, account: &Account) -> Vec<&'static Claim> {
    claims.retain(|claim| account.claims.iter().all(|name| name != claim.name));
    claims
}

/// The command that consents to all of these claims for an account that there is. `flag` names it, where others may be meant.
pub fn command(provider: &str, flag: &str, claims: &[&str]) -> String {
    let space = if flag.is_empty() { "" } else { " " };
    format!("byok accounts claims {provider}{space}{flag} --accept {}", claims.join(","))
}

/// The command for a key or token of the settings: consent belongs to accounts, so it becomes one.
pub fn command_for_key(provider: &str, claims: &[&str]) -> String {
    let make = if with_keys(provider) { "login" } else { "accounts add" };
    let method = if with_keys(provider) { " --method key" } else { "" };
    let mut command = format!("byok {make} {provider}{method}");
    for claim in claims {
        command.push_str(" --accept-claim ");
        command.push_str(claim);
    }
    command
}

/// The claim of this name.
pub fn claim(name: &str) -> Option<&'static Claim> {
    claims().iter().find(|claim| claim.name == name)
}

/// The claims that a provider wants with a kind of credential.
pub fn claims_of(provider: &str, kind: CredentialKind) -> impl Iterator<Item = &'static Claim> {
    claims().iter().filter(move |claim| claim.provider == provider && claim.kind == kind)
}

/// What to tell a person before logging in to a provider.
pub fn notice(provider: &str, kind: CredentialKind) -> Option<&'static Notice> {
    notices().iter().find(|notice| notice.provider == provider && notice.kind == kind)
}

#[cfg(test)]
mod tests;
