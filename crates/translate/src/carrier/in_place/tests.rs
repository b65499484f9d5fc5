use super::*;
use crate::{carrier, scan::splice};
use bytes::Bytes;

fn blob(family: Family, slot: BlobSlot) -> Blob {
    Blob { family, account: (family == Family::Other).then(|| "me".to_owned()), slot, data: "S\"1".into() }
}

fn passed(dialect: Dialect, body: &str, family: Family) -> String {
    let edits = seal_edits(dialect, body.as_bytes(), Keep::Of { family, maker: "me" });
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
        (Dialect::Messages, r#"{"messages":[{"content":[{"type":"thinking","signature":"byok1:x"}]}]}"#),
        (Dialect::Responses, r#"{"input":"byok1:claude::AA"}"#),
        (Dialect::Chat, r#"{"messages":[{"content":"byok1:claude::AA","tool_calls":null}]}"#),
        (Dialect::Gemini, r#"{"contents":[{"parts":[{"inlineData":{"data":"Ynlvaz"}}]}]}"#),
    ] {
        let keep = Keep::Of { family: Family::Claude, maker: "me" };
        assert!(seal_edits(dialect, body.as_bytes(), keep).is_empty(), "{body}");
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
    let called = r#"{"type":"tool_use","id":"1","name":"sign","input":{"signature":""}},"#;
    for (thinking, family, stays) in [
        (empty, Family::Claude, false),
        (spaced, Family::Claude, false),
        (none, Family::Claude, false),
        (none_spaced, Family::Claude, false),
        (sealed, Family::Claude, true),
        (called, Family::Claude, true),
        // Who is not Claude may want it back.
        (empty, Family::Other, true),
        (none, Family::Other, true),
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
    ];
    for (dialect, body, expected) in cases {
        let out =
            splice(&Bytes::from_static(body.as_bytes()), seal_edits(dialect, body.as_bytes(), Keep::None));
        assert_eq!(String::from_utf8_lossy(&out), expected, "{dialect:?}");
    }
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
