//! What a provider wants to hear that is not literally true of byok, and what its rules say about such use.
//!
//! byok names itself everywhere and sends its own identifiers. Some upstreams refuse a request unless it says
//! something else: each such sentence or header is a [`Claim`], and [`claims`] lists all of them. A claim is off until
//! the owner of the account has read the [`Notice`] and consented; the consent is stored with the account.

use byok_types::CredentialKind;

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
    /// Name by which consent is given and stored, for example with `byok login --accept-claim NAME`.
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
    &[Claim {
        name: "claude-code-prompt",
        provider: "claude",
        kind: CredentialKind::Oauth,
        place: ClaimPlace::FirstSystemBlock,
        value: "You are Claude Code, Anthropic's official CLI for Claude.",
        without: "Anthropic refuses requests made with a plan login unless their system prompt begins with this \
                  sentence. Without your consent byok serves only callers that send it themselves, such as Claude Code; \
                  others get a refusal that names the way with an API key.",
    }]
}

/// All notices that byok shows before a login.
pub const fn notices() -> &'static [Notice] {
    &[
        Notice {
            provider: "claude",
            kind: CredentialKind::Oauth,
            rule: "Anthropic's published rules say that the login of a Free, Pro, Max, Team or Enterprise plan is meant for \
               Claude Code and Anthropic's other own applications, and that other programs, byok among them, are to \
               use an API key.",
            risk: "Anthropic may refuse such requests, charge them as extra usage instead of to your plan, or restrict the \
               account, without warning. An API key from the Anthropic Console has none of these limits: put it into \
               the configuration as `api_key` of the provider `claude`.",
            source: "Claude Code documentation, page `Legal and compliance`, as known in November 2026",
        },
        Notice {
            provider: "kiro",
            kind: CredentialKind::Oauth,
            rule: "AWS locks Kiro accounts whose activity looks unusual to it; users of other programs, proxies such as byok among \
                   them, report such locks, and so do users of Kiro itself.",
            risk: "A locked account does not answer until AWS support has unlocked it; byok then stops using it and shows where to \
                   ask.",
            source: "reports of users and the vendor's own error text, as known in November 2026",
        },
    ]
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
