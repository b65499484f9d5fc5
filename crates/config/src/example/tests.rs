use super::*;
use crate::{Sources, load};

fn sources(dir: &tempfile::TempDir, yaml: &str) -> Sources {
    let file = dir.path().join("config.yaml");
    std::fs::write(&file, yaml).unwrap();
    std::fs::write(dir.path().join("openrouter.key"), "a-key").unwrap();
    let env = [
        ("HOME", "/home/ada"),
        ("MY_ANTHROPIC_KEY", "b-key"),
        ("OPENROUTER_API_KEY", "c-key"),
        ("BYOK_KEY_ADA", "abcdefghijklmnopqrstuvwxyz"),
    ];
    Sources {
        file: Some(file),
        env: env.map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec(),
        ..Sources::default()
    }
}

/// The example with every setting in use: `#` before a word or a space-indented line is taken away, prose stays.
fn in_use() -> String {
    let prose = |line: &str| line.starts_with("# ") && !line.starts_with("#  ");
    let lines = example().lines().filter(|line| !prose(line));
    lines.map(|line| line.strip_prefix('#').unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_changes_nothing_as_it_stands() {
    let dir = tempfile::tempdir().unwrap();
    let written = load(&sources(&dir, example())).unwrap();
    let empty = load(&sources(&dir, "")).unwrap();
    let value = |loaded: &crate::Loaded| serde_json::to_value(&loaded.config).unwrap();
    assert_eq!(value(&written), value(&empty));
}

#[test]
fn every_setting_of_the_example_is_right() {
    let dir = tempfile::tempdir().unwrap();
    let loaded = load(&sources(&dir, &in_use())).unwrap_or_else(|error| panic!("{error}\n{}", in_use()));
    assert_eq!(loaded.config.providers.len(), 5);
    assert_eq!(loaded.config.aliases.len(), 2);
    assert_eq!(loaded.warnings.len(), 0, "{:?}", loaded.warnings);
    // One setting of each section, so that a section cannot fall out of the comparison unseen.
    for path in [
        "port",
        "providers.openrouter.api_keys",
        "aliases.best",
        "api_keys",
        "cors_origins",
        "proxy",
        "log.level",
        "timeouts.idle",
        "limits.body",
    ] {
        assert_ne!(loaded.origins.of(path), crate::Origin::Default, "{path}");
    }
}

#[test]
fn there_is_nothing_like_a_key_in_it() {
    for word in example().split_whitespace() {
        let word = word.trim_matches(['"', '\'', ',', '`']);
        assert!(!crate::tree::path::looks_secret(word), "{word}");
    }
    assert!(!example().contains("sk-"));
}

#[test]
fn every_example_of_the_reference_is_right() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["corporate.pem", "bob.key", "gemini.key"] {
        std::fs::write(dir.path().join(name), "a-key-that-is-nobodys-in-the-world-5").unwrap();
    }
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/config.md");
    let text = std::fs::read_to_string(file).unwrap().replace("\r\n", "\n");
    let blocks: Vec<_> =
        text.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(blocks.len() >= 9, "{}", blocks.len());
    for block in blocks {
        let mut sources = sources(&dir, block);
        sources.env[0].1 = dir.path().to_string_lossy().into_owned();
        load(&sources).unwrap_or_else(|error| panic!("{error}\n{block}"));
    }
}
