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

#[test]
fn the_string_at_the_beginning_ends_at_its_own_quotation_mark() {
    for (json, expected) in [
        (r#""a","b""#, Some(("a", r#","b""#))),
        (r#""\\"}"#, Some(("\\", "}"))),
        (r#""\"":1"#, Some(("\"", ":1"))),
        (r#""a\n" "#, Some(("a\n", " "))),
        (r#""no end"#, None),
        (r#""no end\"#, None),
        (r#""no end\""#, None),
        ("12", None),
        ("", None),
    ] {
        let read = leading_string(json);
        assert_eq!(read.as_ref().map(|(text, rest)| (&**text, *rest)), expected, "{json}");
    }
    // Bytes are taken in eights: an escape at each place of one.
    for before in 0..10 {
        for fill in ["a", "\u{e9}"] {
            let text = format!("{}\n\"{}", fill.repeat(before), fill.repeat(20 - before));
            let json = serde_json::to_string(&text).unwrap();
            assert_eq!(unescaped(&json).as_deref(), Some(text.as_str()));
        }
    }
}

borrowed! {
    struct Seen<'a> {
        "name" | "other_name" => name: Option<Str<'a>>,
        "text" => text: Option<Text<'a>>,
        "raw" => raw: Option<&'a serde_json::value::RawValue>,
        "inner" => inner: Option<Inside<'a>>,
        "list" => list: Option<Few<Option<Inside<'a>>>>,
    }
}

borrowed! {
    struct Inside<'a> {
        "flag" => flag: Option<bool>,
        "name" => name: Option<Str<'a>>,
    }
}

#[test]
fn objects_of_an_answer_are_read_in_place() {
    fn inside(inner: &Inside<'_>) -> String {
        format!("{:?}/{}", inner.flag, inner.name.as_deref().unwrap_or("-"))
    }
    for (json, expected) in [
        ("{}", "- - - none none"),
        (r#"{"name":null,"text":null,"raw":null,"inner":null,"list":null}"#, "- - - none none"),
        (r#"{"other_name":"a\u0041","text":"b\nc","raw":[1, 2]}"#, "aA b\nc [1, 2] none none"),
        (r#"{"inner":{"flag":true,"unknown":{"flag":false}}}"#, "- - - Some(true)/- none"),
        // Of a key that stands twice the last counts, with nothing left of the first.
        (r#"{"inner":{"flag":true},"inner":{"name":"b"},"name":"a","other_name":"b"}"#, "b - - None/b none"),
        (r#"{"inner":{"flag":true},"inner":null,"list":[{}],"list":[]}"#, "- - - none []"),
        (
            r#"{"list":[{"flag":true,"name":"a"},null,{"name":"b"}]}"#,
            "- - - none [Some(true)/a, null, None/b]",
        ),
    ] {
        let mut seen = Seen::default();
        fill(&mut seen, json).unwrap();
        let list = seen.list.map(|list| {
            let list: Vec<_> =
                list.0.iter().map(|entry| entry.as_ref().map_or("null".to_owned(), inside)).collect();
            format!("[{}]", list.join(", "))
        });
        let shown = format!(
            "{} {} {} {} {}",
            seen.name.as_deref().unwrap_or("-"),
            seen.text.map_or("-".into(), |text| text.0),
            seen.raw.map_or("-", |raw| raw.get()),
            seen.inner.as_ref().map_or("none".to_owned(), inside),
            list.as_deref().unwrap_or("none"),
        );
        assert_eq!(shown, expected, "{json}");
    }
}

#[test]
fn what_is_no_such_object_is_refused() {
    for json in
        ["[]", "12", r#"{"name":1}"#, r#"{"list":{}}"#, r#"{"inner":[]}"#, r#"{"text":{}}"#, "{} {}", "{", ""]
    {
        assert!(fill(&mut Seen::default(), json).is_err(), "{json}");
    }
}
