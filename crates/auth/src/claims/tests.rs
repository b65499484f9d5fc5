use super::{ClaimPlace, claim, claims, claims_of, is_needed, notice, notices};
use byok_types::CredentialKind;

#[test]
fn the_table_is_what_the_documentation_says() {
    let rows: Vec<_> =
        claims().iter().map(|claim| (claim.name, claim.provider, claim.place, claim.value)).collect();
    assert_eq!(
        rows,
        [
            (
                "claude-code-prompt",
                "claude",
                ClaimPlace::FirstSystemBlock,
                "You are Claude Code, Anthropic's official CLI for Claude."
            ),
            ("antigravity-user-agent", "antigravity", ClaimPlace::Header("user-agent"), "antigravity"),
            (
                "copilot-integration-id",
                "copilot",
                ClaimPlace::Header("copilot-integration-id"),
                "vscode-chat"
            ),
            ("copilot-editor-version", "copilot", ClaimPlace::Header("editor-version"), "vscode/1.110.0"),
            ("grok-cli-version", "xai", ClaimPlace::Header("x-grok-client-version"), "1.0.6"),
            ("iflow-cli", "iflow", ClaimPlace::Header("user-agent"), "iFlow-Cli"),
        ],
        "a new claim needs an entry in CHANGELOG.md and in the documentation"
    );
}

#[test]
fn every_claim_can_be_found_and_comes_with_a_notice() {
    for row in claims() {
        assert_eq!(claim(row.name), Some(row));
        assert!(claims_of(row.provider, row.kind).any(|found| found == row));
        assert!(notice(row.provider, row.kind).is_some(), "{}", row.name);
    }
    assert_eq!(claims_of("claude", CredentialKind::ApiKey).count(), 0, "an API key needs no claim");
    assert!(notice("claude", CredentialKind::ApiKey).is_none());
}

#[test]
fn texts_are_single_spaced_sentences() {
    let texts =
        claims().iter().map(|claim| claim.without).chain(notices().iter().flat_map(|n| [n.rule, n.risk]));
    for text in texts {
        assert!(text.ends_with('.') && !text.contains("  ") && !text.contains('\n'), "{text:?}");
    }
}

#[test]
fn some_claims_are_for_some_logins_only() {
    let with =
        |mode: &str| byok_types::TokenFacts::from([("mode".to_owned(), byok_types::Secret::new(mode))]);
    let none = byok_types::TokenFacts::new();
    for (name, facts, needed) in [
        ("claude-code-prompt", &none, true),
        ("copilot-integration-id", &with("exchange"), true),
        ("copilot-editor-version", &with("exchange"), true),
        ("copilot-integration-id", &with("direct"), false),
        ("copilot-editor-version", &with("direct"), false),
        ("copilot-integration-id", &none, false),
    ] {
        assert_eq!(is_needed(claim(name).unwrap(), facts), needed, "{name} {facts:?}");
    }
}
