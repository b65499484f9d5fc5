use super::*;
use crate::{carrier, scan::splice};
use bytes::Bytes;

fn blob(family: Family, slot: BlobSlot) -> Blob {
    Blob { family, account: (family == Family::Other).then(|| "me".to_owned()), slot, data: "S\"1".into() }
}

fn keep(family: Family) -> Keep<'static> {
    Keep { family, maker: "me".into(), no_text: false, none: false }
}

fn passed(dialect: Dialect, body: &str, family: Family) -> String {
    let edits = seal_edits(dialect, body.as_bytes(), keep(family));
    let out = splice(&Bytes::copy_from_slice(body.as_bytes()), edits);
    String::from_utf8(out.to_vec()).unwrap()
}

#[test]
fn carriers_are_restored_or_taken_out_where_they_stand() {
    let claude = carrier::wrap(&blob(Family::Claude, BlobSlot::Thinking));
    let redacted = carrier::wrap(&blob(Family::Claude, BlobSlot::Redacted));
    let gemini = carrier::wrap(&blob(Family::Gemini, BlobSlot::Call));
    let other = carrier::wrap(&blob(Family::Other, BlobSlot::Thinking));
    let encoded = carrier::wrap_base64(&blob(Family::Claude, BlobSlot::Call));
    let cases = [
        // Another family's thinking goes, with the comma behind it; a turn of nothing else goes whole.
        (
            Dialect::Messages,
            format!(
                r#"{{ "messages":[{{"content":[ {{"type":"thinking","thinking":"t","signature":"{gemini}"}} , {{"type":"text","text":"a"}}],"role":"assistant"}},{{"role":"assistant","content":[{{"type":"redacted_thinking","data":"{gemini}"}}]}}],"max_tokens":1e2}}"#
            ),
            Family::Claude,
            r#"{ "messages":[{"content":[ {"type":"text","text":"a"}],"role":"assistant"}],"max_tokens":1e2}"#
                .to_owned(),
        ),
        // One's own comes back.
        (
            Dialect::Messages,
            format!(
                r#"{{"messages":[{{"content":[{{"type":"thinking","signature" : "{claude}","thinking":"t"}},{{"type":"redacted_thinking","data":"{redacted}"}}]}}]}}"#
            ),
            Family::Claude,
            r#"{"messages":[{"content":[{"type":"thinking","signature" : "S\"1","thinking":"t"},{"type":"redacted_thinking","data":"S\"1"}]}]}"#.to_owned(),
        ),
        (
            Dialect::Responses,
            format!(
                r#"{{"input":[{{"type":"message","content":"byok1:x"}},{{"type":"reasoning","encrypted_content":"{claude}"}},{{"type":"reasoning","encrypted_content":"{claude}"}}]}}"#
            ),
            Family::Openai,
            r#"{"input":[{"type":"message","content":"byok1:x"}]}"#.to_owned(),
        ),
        (
            Dialect::Responses,
            format!(r#"{{"input":[{{"encrypted_content":"{other}","type":"reasoning"}}]}}"#),
            Family::Other,
            r#"{"input":[{"encrypted_content":"S\"1","type":"reasoning"}]}"#.to_owned(),
        ),
        (
            Dialect::Gemini,
            format!(
                r#"{{"contents":[{{"parts":[{{"text":"t","thought":true,"thoughtSignature":"{encoded}"}},{{"functionCall":{{"name":"f"}},"thoughtSignature":"{encoded}"}},{{"thoughtSignature":"{encoded}" , "text":"x"}},{{"text":"y","thoughtSignature":"{encoded}"}},{{"text":"","thoughtSignature":"{encoded}"}}]}}]}}"#
            ),
            Family::Gemini,
            r#"{"contents":[{"parts":[{"functionCall":{"name":"f"},"thoughtSignature":"skip_thought_signature_validator"},{ "text":"x"},{"text":"y"}]}]}"#.to_owned(),
        ),
        (
            Dialect::Chat,
            format!(
                r#"{{"messages":[{{"role":"assistant","tool_calls":[{{"id":"1","extra_content":{{"google":{{"thought_signature":"{claude}"}}}},"type":"function"}}]}}]}}"#
            ),
            Family::Other,
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"1","type":"function"}]}]}"#.to_owned(),
        ),
        (
            Dialect::Chat,
            format!(
                r#"{{"messages":[{{"tool_calls":[{{"extra_content":{{"google":{{"thought_signature":"{gemini}"}}}}}}]}}]}}"#
            ),
            Family::Gemini,
            r#"{"messages":[{"tool_calls":[{"extra_content":{"google":{"thought_signature":"S\"1"}}}]}]}"#
                .to_owned(),
        ),
    ];
    for (dialect, body, family, expected) in cases {
        assert_eq!(passed(dialect, &body, family), expected, "{dialect:?} {family:?}");
    }
}

#[test]
fn a_body_that_speaks_of_carriers_carries_none() {
    for (dialect, body) in [
        (Dialect::Messages, r#"{"messages":[{"content":"what is byok1:claude::AA ?"}]}"#),
        (Dialect::Messages, r#"{"messages":[{"content":[{"type":"text","text":"byok1:claude::AA"}]}]}"#),
        (Dialect::Responses, r#"{"input":"byok1:claude::AA"}"#),
        (Dialect::Chat, r#"{"messages":[{"content":"byok1:claude::AA","tool_calls":null}]}"#),
        (Dialect::Gemini, r#"{"contents":[{"parts":[{"inlineData":{"data":"Ynlvaz"}}]}]}"#),
    ] {
        assert!(seal_edits(dialect, body.as_bytes(), keep(Family::Claude)).is_empty(), "{body}");
    }
}

/// Reasoning of a model that seals nothing, as a client of Messages has kept it.
#[test]
fn t70_claude_gets_no_thinking_without_a_seal() {
    let turn = |thinking: &str| {
        format!(
            r#"{{"messages":[{{"role":"assistant","content":[{thinking}{{"type":"text","text":"a"}}]}}]}}"#
        )
    };
    let empty = r#"{"type":"thinking","thinking":"t","signature":""},"#;
    let spaced = r#"{"type":"thinking","thinking":"t","signature": ""},"#;
    let none = r#"{"type":"thinking","thinking":"t"},"#;
    let none_spaced = r#"{"type": "thinking", "thinking": "t"},"#;
    let sealed = r#"{"type":"thinking","thinking":"t","signature":"EqQB"},"#;
    let odd = r#"{"type":"thinking","thinking":"t","signature":"sig-of-a-server"},"#;
    let fernet = r#"{"type":"redacted_thinking","data":"gAAAAB"},"#;
    let redacted = r#"{"type":"redacted_thinking","data":"EmwK"},"#;
    let called = r#"{"type":"tool_use","id":"1","name":"sign","input":{"signature":""}},"#;
    for (thinking, family, stays) in [
        (empty, Family::Claude, false),
        (spaced, Family::Claude, false),
        (none, Family::Claude, false),
        (none_spaced, Family::Claude, false),
        (sealed, Family::Claude, true),
        (called, Family::Claude, true),
        (odd, Family::Claude, false),
        (fernet, Family::Claude, false),
        (redacted, Family::Claude, true),
        // Who is not Claude may want it back.
        (empty, Family::Other, true),
        (none, Family::Other, true),
        (odd, Family::Other, true),
        (fernet, Family::Other, true),
        (sealed, Family::Other, true),
    ] {
        let expected = turn(if stays { thinking } else { "" });
        assert_eq!(passed(Dialect::Messages, &turn(thinking), family), expected, "{thinking} {family:?}");
    }
    // Claude's own, beside it, stays.
    let both = turn(&format!("{sealed}{none}"));
    assert_eq!(passed(Dialect::Messages, &both, Family::Claude), turn(sealed));
}

#[test]
fn without_seals_nothing_sealed_is_left() {
    let cases = [
        (
            Dialect::Messages,
            r#"{"messages":[{"content":[{"type":"thinking","thinking":"t"},{"type":"thinking","thinking":"t","signature":""},{"type":"tool_use","id":"a"}]}]}"#,
            r#"{"messages":[{"content":[{"type":"tool_use","id":"a"}]}]}"#,
        ),
        (
            Dialect::Messages,
            r#"{"messages":[{"content":[{"type":"thinking","thinking":"t","signature":"EqQB"},{"type":"tool_use","id":"a"}]}]}"#,
            r#"{"messages":[{"content":[{"type":"tool_use","id":"a"}]}]}"#,
        ),
        (
            Dialect::Responses,
            r#"{"input":[{"type":"reasoning","id":"rs_1","encrypted_content":"gAAA"},{"type":"reasoning","summary":[]}]}"#,
            r#"{"input":[{"type":"reasoning","summary":[]}]}"#,
        ),
        (
            Dialect::Gemini,
            r#"{"contents":[{"parts":[{"functionCall":{"name":"f"},"thoughtSignature":"AAAA"}]}]}"#,
            r#"{"contents":[{"parts":[{"functionCall":{"name":"f"},"thoughtSignature":"skip_thought_signature_validator"}]}]}"#,
        ),
        // Of a model that seals nothing.
        (
            Dialect::Gemini,
            r#"{"contents":[{"parts":[{"text":"a"},{"functionCall":{"name":"f"}}]}]}"#,
            r#"{"contents":[{"parts":[{"text":"a"},{"thoughtSignature":"skip_thought_signature_validator","functionCall":{"name":"f"}}]}]}"#,
        ),
    ];
    for (dialect, body, expected) in cases {
        let out = splice(
            &Bytes::from_static(body.as_bytes()),
            seal_edits(dialect, body.as_bytes(), Keep { none: true, ..keep(Family::Claude) }),
        );
        assert_eq!(String::from_utf8_lossy(&out), expected, "{dialect:?}");
    }
}

/// Reasoning of an upstream of another dialect, as a client of Responses has kept it: nobody can look its id up.
#[test]
fn reasoning_under_an_id_of_byoks_goes_to_nobody() {
    let body = |item: &str| format!(r#"{{"store":false,"input":[{item}{{"role":"user","content":"b"}}]}}"#);
    let made = Ids::new("x").next("rs_");
    let item = |id: &str, seal: &str| {
        format!(
            r#"{{"type":"reasoning","id":"{id}","summary":[{{"type":"summary_text","text":"t"}}]{seal}}},"#
        )
    };
    for seal in ["", r#","encrypted_content":null"#, r#","encrypted_content":"""#] {
        for family in [Family::Openai, Family::Other, Family::Claude] {
            assert_eq!(passed(Dialect::Responses, &body(&item(&made, seal)), family), body(""), "{seal}");
        }
        // A server that seals nothing keeps its own.
        for own in ["rs_1", "rs_0123456789abcdef0123456789abcdef", "r-0123456789abcdef01234567"] {
            let open = body(&item(own, seal));
            assert_eq!(passed(Dialect::Responses, &open, Family::Other), open, "{own} {seal}");
        }
    }
    // What is sealed is known by its seal.
    let sealed = body(&item(&made, r#","encrypted_content":"gAAA""#));
    assert_eq!(passed(Dialect::Responses, &sealed, Family::Other), sealed);
}

/// A search that Gemini made, as a client of Messages has kept it.
#[test]
fn claude_gets_no_results_of_a_search_that_was_not_its_own() {
    let call =
        |id: &str| format!(r#"{{"type":"server_tool_use","id":"{id}","name":"web_search","input":{{}}}}"#);
    let result = |id: &str, seal: &str| {
        format!(
            r#"{{"type":"web_search_tool_result","tool_use_id":"{id}","content":[{{"type":"web_search_result","url":"u","encrypted_content":"{seal}"}}]}}"#
        )
    };
    let text = |citation: &str| format!(r#"{{"type":"text","text":"a"{citation}}}"#);
    let cited = |seal: &str| {
        text(&format!(r#","citations":[{{"type":"web_search_result_location","encrypted_index":"{seal}"}}]"#))
    };
    let turn = |blocks: &[String]| {
        format!(r#"{{"messages":[{{"role":"assistant","content":[{}]}}]}}"#, blocks.join(","))
    };
    let others =
        turn(&[call("s1"), result("s1", ""), call("s2"), result("s2", "Eq"), cited(""), cited("Eq")]);
    let own = turn(&[call("s2"), result("s2", "Eq"), text(""), cited("Eq")]);
    assert_eq!(passed(Dialect::Messages, &others, Family::Claude), own);
    assert_eq!(passed(Dialect::Messages, &others, Family::Other), others);
}

/// What other vendors and proxies have put there, and carriers that a client has damaged.
#[test]
fn t63_claude_gets_no_thinking_with_a_seal_of_others() {
    let turn = |seal: &str, kind: &str, member: &str| {
        format!(
            r#"{{"messages":[{{"content":[{{"type":"{kind}","{member}":"{seal}"}},{{"type":"text","text":"a"}}]}}]}}"#
        )
    };
    let without = r#"{"messages":[{"content":[{"type":"text","text":"a"}]}]}"#;
    for (kind, member) in [("thinking", "signature"), ("redacted_thinking", "data")] {
        for (seal, family, stays) in [
            ("skip_thought_signature_validator", Family::Claude, false),
            ("context_engineering_is_the_way_to_go", Family::Claude, false),
            ("gAAAAABo", Family::Claude, false),
            ("byok1:none:", Family::Claude, false),
            ("byok1:gemini.call::RXF!", Family::Claude, false),
            ("byok1:claude::%", Family::Other, false),
            ("EqQB", Family::Claude, true),
            ("gAAAAABo", Family::Other, true),
        ] {
            let body = turn(seal, kind, member);
            let expected = if stays { body.as_str() } else { without };
            assert_eq!(passed(Dialect::Messages, &body, family), expected, "{seal} {family:?}");
        }
    }
    let marked = crate::media::encode_text("byok1:none:");
    let part = |seal: &str| {
        format!(
            r#"{{"contents":[{{"parts":[{{"functionCall":{{"name":"f"}},"thoughtSignature":"{seal}"}}]}}]}}"#
        )
    };
    let expected = part("skip_thought_signature_validator");
    assert_eq!(passed(Dialect::Gemini, &part(&marked), Family::Gemini), expected);
}

#[test]
fn t72_openai_gets_no_reasoning_that_it_would_look_up_in_vain() {
    let body = |store: &str, item: &str| {
        format!(r#"{{{store}"input":[{item}{{"type":"message","role":"user","content":"a"}}]}}"#)
    };
    let item = |id: &str, seal: &str| format!(r#"{{"type":"reasoning","id":"{id}","summary":[]{seal}}},"#);
    let (ours, theirs) =
        ("rs_0123456789abcdef01234567", "rs_68af4030baa48193b0b43b4c2a176a1a0e6967589f080e77");
    let never = r#""store":false,"#;
    for (store, id, seal, family, stays) in [
        (never, theirs, r#","encrypted_content":null"#, Family::Openai, false),
        (never, theirs, r#","encrypted_content":"""#, Family::Openai, false),
        (never, theirs, "", Family::Openai, false),
        (never, theirs, r#","encrypted_content":"gAAAAABo""#, Family::Openai, true),
        // Stored: it is found by its id, if the id is the vendor's.
        ("", theirs, "", Family::Openai, true),
        ("", ours, "", Family::Openai, false),
        // Open models want back what is theirs; others look up what byok named, too.
        (never, theirs, "", Family::Other, true),
        (never, ours, "", Family::Other, false),
    ] {
        let item = item(id, seal);
        let expected = body(store, if stays { &item } else { "" });
        assert_eq!(
            passed(Dialect::Responses, &body(store, &item), family),
            expected,
            "{store}{item} {family:?}"
        );
    }
}

#[test]
fn a_signature_of_gemini_goes_to_nobody_else_from_a_client_of_chat() {
    let body = |extra: &str| format!(r#"{{"messages":[{{"tool_calls":[{{"id":"1"{extra}}}]}}]}}"#);
    let signed = body(r#","extra_content":{"google":{"thought_signature":"EqAB"}}"#);
    for (family, expected) in [
        (Family::Gemini, signed.clone()),
        (Family::Openai, body("")),
        (Family::Claude, body("")),
        (Family::Other, body("")),
    ] {
        assert_eq!(passed(Dialect::Chat, &signed, family), expected, "{family:?}");
    }
}

/// `OpenAI` refuses a member that it does not know.
#[test]
fn reasoning_that_byok_showed_goes_where_it_is_not_taken() {
    let body = |text: &str| {
        format!(
            r#"{{"messages":[{{"role":"assistant"{text},"content":"a"}},{{"role":"user","content":"b"}}]}}"#
        )
    };
    let shown = body(r#","reasoning_content":"t""#);
    let thinking = |replay_text| byok_types::ThinkingFacts { replay_text, ..Default::default() };
    for (family, first_party, replay_text, goes) in [
        (Family::Openai, true, false, true),
        (Family::Openai, true, true, false),
        (Family::Openai, false, false, false),
        (Family::Other, true, false, false),
    ] {
        let facts =
            ModelFacts { family, first_party, thinking: thinking(replay_text), ..ModelFacts::default() };
        let edits = seal_edits(Dialect::Chat, shown.as_bytes(), Keep::of(&facts, "me"));
        let out = splice(&Bytes::copy_from_slice(shown.as_bytes()), edits);
        let expected = if goes { body("") } else { shown.clone() };
        assert_eq!(String::from_utf8_lossy(&out), expected, "{family:?} {first_party} {replay_text}");
    }
    for (replay_text, expected) in [(false, body("")), (true, shown.clone())] {
        let facts =
            ModelFacts { reasoning_content: false, thinking: thinking(replay_text), ..ModelFacts::default() };
        let edits = seal_edits(Dialect::Chat, shown.as_bytes(), Keep::of(&facts, "me"));
        let out = splice(&Bytes::copy_from_slice(shown.as_bytes()), edits);
        assert_eq!(String::from_utf8_lossy(&out), expected, "{replay_text}");
    }
}
