use super::*;
use crate::tree::{TextLayer, decode::decode, path::KeyPath, yaml};
use proptest::prelude::*;
use std::sync::Arc;

/// Texts made of what a configuration is made of, so that most of them get past the first character.
fn nearly_yaml() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("providers:"),
        Just("claude:"),
        Just("api_keys:"),
        Just("api_key:"),
        Just("models:"),
        Just("aliases:"),
        Just("port:"),
        Just("key:"),
        Just("file:"),
        Just("<<:"),
        Just("&a "),
        Just("*a"),
        Just("- "),
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just(", "),
        Just("\n"),
        Just("\n  "),
        Just("\n    "),
        Just("\""),
        Just("'"),
        Just("|"),
        Just("# x"),
        Just("${A}"),
        Just("$${"),
        Just("8018"),
        Just("true"),
        Just("null"),
        Just("~"),
        Just("!t "),
        Just(": "),
        Just("? "),
        Just("%"),
        Just("\t"),
        Just("\u{e9}"),
        Just("x"),
        Just("..."),
        Just("---"),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_with_a_place(text in prop_oneof![nearly_yaml(), any::<String>()]) {
        let mut scene = Scene::new(&text).env(&[("A", "value")]);
        scene.sources.overlay = None;
        if let Err(error) = load(&scene.sources) {
            let name = scene.dir.path().join("config.yaml").display().to_string();
            for line in error.to_string().lines().filter(|line| !line.starts_with("  ")) {
                prop_assert!(line.starts_with(&name), "{line}");
            }
        }
    }

    /// Every value of a text of plain tables and lists is found again where its own position says.
    #[test]
    fn positions_point_at_the_value(keys in proptest::collection::btree_set("[b-m]{1,6}", 1..6), indent in 1_usize..5) {
        let pad = " ".repeat(indent);
        let text = keys.iter().map(|key| format!("{key}:\n{pad}inner: v{key}\n{pad}list: [x{key}, y]\n")).collect::<Vec<_>>().concat();
        let tree = yaml::parse(&text, TextLayer::File, &Arc::from(Path::new("f"))).unwrap_or_else(|_| panic!("{text}"));
        for key in &keys {
            for (path, word) in [(KeyPath::default().key(key).key("inner"), "v"), (KeyPath::default().key(key).key("list").item(0), "x")] {
                let node = tree.nearest(&path);
                prop_assert_eq!(&node.path, &path);
                let crate::tree::Spot::Text { line, column, .. } = node.spot else { panic!("no position") };
                let found = &text.lines().nth(line as usize - 1).unwrap()[column as usize - 1..];
                prop_assert!(found.starts_with(&format!("{word}{key}")), "{}", found);
            }
        }
    }

    #[test]
    fn paths_are_read_back(keys in proptest::collection::vec("[^\\p{Cc}]{1,7}", 1..4), index in any::<u16>()) {
        let path = keys.iter().fold(KeyPath::default(), |path, key| path.key(key)).item(index.into());
        prop_assert_eq!(path.to_string().parse::<KeyPath>(), Ok(path));
    }
}

#[test]
fn a_decoded_tree_is_the_layer_that_was_written() {
    let tree = yaml::parse("a: 1\nb: [x, ~]\n", TextLayer::File, &Arc::from(Path::new("f")))
        .unwrap_or_else(|_| panic!());
    let value: serde_json::Value = decode(&tree).unwrap();
    assert_eq!(value, serde_json::json!({ "a": 1, "b": ["x", null] }));
}
