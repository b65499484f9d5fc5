use super::*;

wire! {
    struct Probe {
        "role" => role: Option<String>,
        "list" | "other" => list: Vec<u32>,
    }
}

#[test]
fn known_keys_are_typed_and_unknown_keys_are_kept_in_order() {
    let probe: Probe =
        read(br#"{"z":1e5,"role":"user","a":{"b":12345678901234567890},"other":[1,2],"list":null}"#).unwrap();
    assert_eq!(probe.role.as_deref(), Some("user"));
    assert_eq!(probe.list, [1, 2]);
    let extra: Vec<_> = probe.extra.iter().map(|(k, v)| (k.as_str(), v.get())).collect();
    assert_eq!(extra, [("z", "1e5"), ("a", r#"{"b":12345678901234567890}"#)]);
}

#[test]
fn failures_name_the_field() {
    for (body, field) in [
        (&br#"{"role":5}"#[..], "role"),
        (br#"{"list":[1,"x"]}"#, "list[1]"),
        (br#"{"role":"#, "body"),
        (br"[]", "body"),
    ] {
        let failure = read::<Probe>(body).unwrap_err();
        assert_eq!(failure.param.as_deref(), Some(field), "{}", failure.message);
    }
}

#[test]
fn json_text_is_one_line() {
    let mut out = Vec::new();
    write::json(&mut out, &crate::Json::parse("{\n  \"a\": \"x\\ny\",\r\n \"b\": 1\n}").unwrap());
    assert_eq!(String::from_utf8(out).unwrap(), "{   \"a\": \"x\\ny\",   \"b\": 1 }");
}

#[test]
fn separators_are_escaped_and_other_text_is_not() {
    for (text, expected) in [
        ("a\u{2028}b\u{2029}", r#""a\u2028b\u2029""#.to_owned()),
        ("\u{2027}\u{201c}€", "\"\u{2027}\u{201c}€\"".to_owned()),
        ("\u{2028}\u{2028}", r#""\u2028\u2028""#.to_owned()),
    ] {
        let mut out = Vec::new();
        write::string(&mut out, text);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
