use super::*;
use serde_json::json;

fn put(pieces: &[Value]) -> String {
    let mut args = PartialArgs::default();
    for piece in pieces {
        let text = piece.to_string();
        args.add(serde_json::from_str(&text).unwrap());
    }
    args.finish(true)
}

#[test]
fn what_was_cut_off_stays_open() {
    for (pieces, expected) in [
        (vec![], "{"),
        (vec![json!({"jsonPath": "$.a", "stringValue": "x}", "willContinue": true})], r#"{"a":"x}"#),
        (vec![json!({"jsonPath": "$.a[0].b", "stringValue": "", "willContinue": true})], r#"{"a":[{"b":""#),
        (vec![json!({"jsonPath": "$.a", "stringValue": "x"})], r#"{"a":"x""#),
        (vec![json!({"jsonPath": "$.a", "numberValue": 1})], r#"{"a":1"#),
    ] {
        let mut args = PartialArgs::default();
        for piece in &pieces {
            args.add(serde_json::from_str(&piece.to_string()).unwrap());
        }
        let text = args.finish(false);
        assert_eq!(text, expected);
        assert!(serde_json::from_str::<Value>(&text).is_err());
    }
}

#[test]
fn values_go_to_their_paths() {
    for (pieces, expected) in [
        (vec![], "{}"),
        (vec![json!({"jsonPath": "$.a.b", "numberValue": 12})], r#"{"a":{"b":12}}"#),
        (vec![json!({"jsonPath": "$['a b'][0][\"c.d\"]", "boolValue": false})], r#"{"a b":[{"c.d":false}]}"#),
        (vec![json!({"jsonPath": "$.a", "nullValue": "NULL_VALUE"})], r#"{"a":null}"#),
        (vec![json!({"jsonPath": "$.a[7]", "stringValue": "x"})], r#"{"a":["x"]}"#),
        (
            vec![
                json!({"jsonPath": "$.a", "stringValue": "x", "willContinue": true}),
                json!({"jsonPath": "$.a", "stringValue": "y", "willContinue": true}),
                json!({"jsonPath": "$.a", "stringValue": ""}),
                json!({"jsonPath": "$.b", "stringValue": "1"}),
                json!({"jsonPath": "$.b", "stringValue": "2"}),
            ],
            r#"{"a":"xy","b":"2"}"#,
        ),
        (
            vec![json!({"jsonPath": "a", "stringValue": "x"}), json!({"jsonPath": "$", "stringValue": "x"})],
            "{}",
        ),
        (
            vec![
                json!({"jsonPath": "$.a[x]", "stringValue": "x"}),
                json!({"jsonPath": "$[0", "stringValue": "x"}),
            ],
            "{}",
        ),
        (
            vec![
                json!({"jsonPath": "$.a", "stringValue": "x"}),
                json!({"jsonPath": "$.a.b", "numberValue": 1}),
            ],
            r#"{"a":{"b":1}}"#,
        ),
    ] {
        assert_eq!(put(&pieces), expected, "{pieces:?}");
    }
}

#[test]
fn a_path_without_end_is_not_followed() {
    let path = format!("${}", ".a".repeat(100_000));
    assert_eq!(put(&[json!({"jsonPath": path, "stringValue": "x"})]), "{}");
}
