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

#[test]
fn strings_are_written_as_serde_writes_them() {
    let mut texts: Vec<String> = (0..0x100u32).filter_map(char::from_u32).map(String::from).collect();
    texts.extend(["", "plain", "\u{2027}\u{20ac}\u{1f600}", "\u{e2}\u{80}"].map(str::to_owned));
    for text in texts {
        // At every place within the eight bytes that are looked at together, and beside bytes of all kinds.
        for before in 0..9 {
            for fill in ["a", "é", "\u{7f}", "!"] {
                let text = format!("{}{text}{}", fill.repeat(before), fill.repeat(9 - before));
                let mut out = Vec::new();
                write::string(&mut out, &text);
                assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(&text).unwrap());
            }
        }
    }
}

#[test]
fn strings_are_read_as_serde_reads_them() {
    for (json, left_to_serde) in [
        (r#""""#, false),
        (r#""plain""#, false),
        (r#""\"""#, false),
        (r#""a\n\t\r\b\f\/\\\"é""#, false),
        (r#""\\u0041""#, false),
        (r#""\u0041""#, true),
        ("null", true),
        ("[\"a\"]", true),
    ] {
        let read = unescaped(json);
        assert_eq!(read.is_none(), left_to_serde, "{json}");
        if let Some(read) = read {
            assert_eq!(read, serde_json::from_str::<String>(json).unwrap(), "{json}");
        }
    }
}
