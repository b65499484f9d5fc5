use super::*;

fn edited(body: &str, edits: &[(&str, &str)]) -> String {
    let scan = Scan::of(body.as_bytes()).unwrap();
    let edits = edits.iter().map(|(key, value)| scan.set(key, value)).collect();
    String::from_utf8(splice(&Bytes::copy_from_slice(body.as_bytes()), edits).to_vec()).unwrap()
}

#[test]
fn edits_touch_nothing_else() {
    for (body, edits, expected) in [
        (r#"{"model":"a"}"#, &[("model", r#""b""#)][..], r#"{"model":"b"}"#),
        // odd order, odd numbers, odd space, a nested key of the same name, escapes in strings
        (
            " {\n\"temperature\" : 1e0, \"messages\":[{\"model\":\"x\",\"c\":\"\\\"model\\\":\"}] ,\"\\u006dodel\" :\t\"a\" , \"n\":01.50} \n",
            &[("model", r#""b""#)],
            " {\n\"temperature\" : 1e0, \"messages\":[{\"model\":\"x\",\"c\":\"\\\"model\\\":\"}] ,\"\\u006dodel\" :\t\"b\" , \"n\":01.50} \n",
        ),
        (r"{}", &[("model", r#""b""#)], r#"{"model":"b"}"#),
        (r#"{"a":1}"#, &[("model", r#""b""#), ("stream", "true")], r#"{"model":"b","stream":true,"a":1}"#),
        (r#"{"stream":false,"x":"\ud83d"}"#, &[("stream", "true")], r#"{"stream":true,"x":"\ud83d"}"#),
    ] {
        assert_eq!(edited(body, edits), expected, "{body}");
    }
}

#[test]
fn without_edits_the_memory_is_the_same() {
    let body = Bytes::from_static(b"{\"a\":1}");
    assert_eq!(splice(&body, Vec::new()).as_ptr(), body.as_ptr());
}

#[test]
fn values_are_found_and_decoded() {
    let body = br#"{"model":"gp\u0074-5","stream":true,"system":[{"type":"text"}]}"#;
    let scan = Scan::of(body).unwrap();
    assert_eq!(scan.string(body, "model").as_deref(), Some("gpt-5"));
    assert_eq!(scan.text(body, "stream"), Some("true"));
    assert_eq!(scan.text(body, "system"), Some(r#"[{"type":"text"}]"#));
    assert_eq!(scan.text(body, "input"), None);
}

#[test]
fn bad_bodies_are_refused_with_a_sentence() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let nearly = format!("{{\"a\":{}{}}}", "[".repeat(126), "]".repeat(126));
    assert!(Scan::of(nearly.as_bytes()).is_ok());
    for (body, words) in [
        ("", "not a JSON object"),
        ("[]", "not a JSON object"),
        ("null", "not a JSON object"),
        ("{\"a\":1", "ends in the middle"),
        ("{\"a\":\"x", "ends in the middle"),
        ("{\"a\":\"x\\", "ends in the middle"),
        ("{\"a\":[1,{\"b\":2}", "ends in the middle"),
        ("{\"a\":[1}}", "not valid JSON at byte 7"),
        ("{\"a\" 1}", "not valid JSON"),
        ("{a:1}", "not valid JSON"),
        ("{\"a\":1,}", "not valid JSON"),
        ("{\"a\":1} x", "goes on after"),
        (&deep, "deeper than 128"),
        (r#"{"model":"a","mod\u0065l":"b"}"#, "`model` occurs twice"),
        (r#"{"stream":1,"stream":1}"#, "`stream` occurs twice"),
    ] {
        let failure = Scan::of(body.as_bytes()).unwrap_err();
        let start: String = body.chars().take(30).collect();
        assert!(failure.message.contains(words), "{start}: {}", failure.message);
    }
}

#[test]
fn every_prefix_of_a_body_is_refused() {
    let body = r#"{"model":"a","messages":[{"role":"user","content":"x\n\"{["}],"n":-1.5e3}"#;
    for end in 0..body.len() {
        assert!(Scan::of(&body.as_bytes()[..end]).is_err(), "{}", &body[..end]);
    }
}

#[test]
fn fields_that_stand_side_by_side_go_with_their_commas() {
    let keys = ["a", "b", "b", "c"];
    for (body, expected) in [
        (r#"{"a":1,"b":2,"x":3}"#, r#"{"x":3}"#),
        (r#"{"x":3,"a":1, "b":[2] }"#, r#"{"x":3 }"#),
        (r#"{ "a":1 , "b":2 , "c":3}"#, "{ }"),
        (r#"{"a":1,"x":3,"c":2}"#, r#"{"x":3}"#),
        (r#"{"x":3,"a":1,"b":2,"y":4}"#, r#"{"x":3,"y":4}"#),
        (r#"{"x":3}"#, r#"{"x":3}"#),
    ] {
        let scan = Scan::of_keys(body.as_bytes(), &["a", "b", "c"]).unwrap();
        let out = splice(&Bytes::copy_from_slice(body.as_bytes()), scan.remove_all(body.as_bytes(), &keys));
        assert_eq!(String::from_utf8_lossy(&out), expected, "{body}");
    }
}
