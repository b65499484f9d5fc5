use super::{ClaimPlace, claim, claims, claims_of, notice, notices};
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
