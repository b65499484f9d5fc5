use super::*;

#[test]
fn paths_are_read_as_they_are_shown() {
    for text in
        ["port", "providers.claude.api_keys[0].key", r#"aliases."gpt-4.1"[2]"#, r#"a."b \"c\" \\ d".e"#, ""]
    {
        assert_eq!(text.parse::<KeyPath>().map(|p| p.to_string()), Ok(text.to_owned()), "{text}");
    }
    for text in [".", "a.", "a..b", "a[", "a[x]", "a\"", "\"a", "a[0]b"] {
        assert_eq!(text.parse::<KeyPath>(), Err(BadPath), "{text}");
    }
}

#[test]
fn a_key_that_looks_like_a_secret_is_hidden() {
    let path = KeyPath::default().key("providers").key("sk-ant-api03-abcdefghijklmnop");
    assert_eq!(path.shown(), "providers.(hidden)");
    for name in ["claude-sonnet-4-5-20250929", "my_very_long_provider_name_of_mine_at_home", "sk-short"] {
        assert!(!looks_secret(name), "{name}");
    }
}
