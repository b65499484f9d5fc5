use super::*;
use proptest::prelude::*;

fn json(text: &str) -> Json {
    Json::parse(text).unwrap()
}

#[test]
fn keys_become_camel_case_and_nothing_else_changes() {
    for (value, expected) in [
        (r#"{"voice_config":{"prebuilt_voice":"a_b"}}"#, r#"{"voiceConfig":{"prebuiltVoice":"a_b"}}"#),
        (r#"{ "a_b" : 1e5, "big":12345678901234567890 }"#, r#"{ "aB" : 1e5, "big":12345678901234567890 }"#),
        (r#"{"a\u005fb":1}"#, r#"{"a\u005fb":1}"#),
        (r#"{"x":"he said \"a_b\": c"}"#, r#"{"x":"he said \"a_b\": c"}"#),
        (r#"["a_b"]"#, r#"["a_b"]"#),
        (r#"{"_private":1,"a__b":2}"#, r#"{"_private":1,"aB":2}"#),
    ] {
        assert_eq!(camel(json(value)).get(), expected);
    }
}

#[test]
fn known_fields_are_renamed_and_unknown_ones_are_not() {
    for (name, expected) in [
        ("part_metadata", "partMetadata"),
        ("will_continue", "willContinue"),
        ("some_new_field", "some_new_field"),
        ("someNewField", "someNewField"),
    ] {
        assert_eq!(canonical(name.to_owned()), expected);
    }
}

#[test]
fn t127_parameter_names_become_legal_and_come_back() {
    for (name, expected) in [
        ("city", None),
        ("_x9", None),
        ("$filter", Some("_byok24_filter")),
        ("foo-bar", Some("foo_byok2d_bar")),
        ("a.b", Some("a_byok2e_b")),
        ("9lives", Some("_byok39_lives")),
        ("größe", Some("gr_byokf6__byokdf_e")),
        ("_byok24_x", Some("_byok5f_byok24_x")),
        ("", Some("_byok_")),
    ] {
        let legal = legal_parameter(name);
        assert_eq!(legal.as_deref(), expected, "{name}");
        if let Some(legal) = legal {
            assert!(is_legal(&legal), "{legal}");
            assert_eq!(original_parameter(&legal).as_deref(), Some(name));
        }
    }
    assert!(fits("$filter"));
    assert!(!fits(&"ä".repeat(20)));
}

#[test]
fn arguments_are_renamed_at_every_depth() {
    let arguments = r#"{"$filter":{"a-b":[{"c.d":"$filter"}]},"n":1e5}"#;
    let legal = legal_arguments(json(arguments));
    assert_eq!(legal.get(), r#"{"_byok24_filter":{"a_byok2d_b":[{"c_byok2e_d":"$filter"}]},"n":1e5}"#);
    assert_eq!(original_arguments(legal.get()), arguments);
    assert_eq!(original_arguments(r#"{"a_b":1}"#), r#"{"a_b":1}"#);
}

#[test]
fn white_space_between_tokens_is_dropped_from_text_on_several_lines() {
    for (text, expected) in [
        ("{\n  \"a\": [1, 2],\n  \"b\": \"x  y\\\" z\"\n}", r#"{"a":[1,2],"b":"x  y\" z"}"#),
        (r#"{"a": 1}"#, r#"{"a": 1}"#),
        ("{\n}", "{}"),
        ("\"cut \n off", ""),
    ] {
        assert_eq!(compact(text), expected, "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_name_comes_back(name in any::<String>()) {
        let legal = legal_parameter(&name);
        if let Some(legal) = &legal {
            prop_assert!(legal.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
            prop_assert!(!legal.starts_with(|c: char| c.is_ascii_digit()));
            prop_assert_eq!(original_parameter(legal).unwrap_or_else(|| legal.clone()), name);
        } else {
            prop_assert!(original_parameter(&name).is_none());
        }
    }

    #[test]
    fn names_that_look_rewritten_come_back(name in "(_byok|[a-z$_]|[0-9]){0,8}") {
        let sent = legal_parameter(&name).unwrap_or_else(|| name.clone());
        prop_assert_eq!(original_parameter(&sent).unwrap_or(sent), name);
    }

    #[test]
    fn scanning_survives_any_text(text in any::<String>()) {
        let _ = (rewrite(&text, |_| Some("x".to_owned())), compact(&text).len());
    }
}
