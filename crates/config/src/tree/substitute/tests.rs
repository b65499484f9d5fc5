use super::*;

fn vars() -> Vec<(String, String)> {
    [("A", "one"), ("B_2", ""), ("C", "${A}")].map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec()
}

#[test]
fn variables_are_replaced_once_and_escapes_kept() {
    for (text, expected) in [
        ("${A}", "one"),
        ("x${A}y${A}", "xoneyone"),
        ("${B_2}", ""),
        ("${C}", "${A}"),
        ("$${A}", "${A}"),
        ("$$${A}", "$${A}"),
        ("$A $", "$A $"),
    ] {
        assert_eq!(expand(text, &vars()), Ok(expected.to_owned()), "{text}");
    }
}

#[test]
fn a_missing_variable_is_named_and_a_broken_one_not_quoted() {
    let (what, _) = expand("${NOT_SET}", &vars()).unwrap_err();
    assert_eq!(what, "the environment variable `NOT_SET` is not set");
    for text in ["${A", "${}", "${1A}", "${sk-canary}", "${A:-x}"] {
        let (what, hint) = expand(text, &vars()).unwrap_err();
        assert!(what.starts_with("`${` is not followed"), "{text}");
        assert!(!what.contains("canary") && !hint.contains("canary"));
    }
}
