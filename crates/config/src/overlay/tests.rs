use super::*;
use crate::{Config, load};
use serde_json::json;
use std::fs;

struct Scene {
    dir: tempfile::TempDir,
    sources: Sources,
}

fn scene(yaml: &str) -> Scene {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.yaml");
    fs::write(&file, yaml).unwrap();
    let sources = Sources {
        file: Some(file),
        overlay: Some(dir.path().join("state/overlay.yaml")),
        env: vec![("HOME".to_owned(), "/home/ada".to_owned())],
        ..Sources::default()
    };
    Scene { dir, sources }
}

impl Scene {
    fn set(&self, path: &str, value: Value) -> Result<OverlayChange, ConfigError> {
        set_overlay(&self.sources, path, Some(value))
    }

    fn config(&self) -> Config {
        load(&self.sources).unwrap().config
    }

    fn text(&self) -> String {
        fs::read_to_string(self.dir.path().join("state/overlay.yaml")).unwrap_or_default()
    }
}

const UNSHADOWED: OverlayChange = OverlayChange { shadowed_by: None };

#[test]
fn settings_are_written_changed_and_removed() {
    let scene = scene("port: 1\n");
    assert_eq!(scene.set("aliases.fast", json!("claude-haiku-4-5")).unwrap(), UNSHADOWED);
    assert_eq!(
        scene.set(r#"aliases."gpt-4.1""#, json!([{ "model": "x", "fork": true }])).unwrap(),
        UNSHADOWED
    );
    assert_eq!(scene.set("providers.claude.enabled", json!(false)).unwrap(), UNSHADOWED);
    let config = scene.config();
    assert_eq!(config.aliases["fast"][0].model, "claude-haiku-4-5");
    assert!(config.aliases["gpt-4.1"][0].fork);
    assert!(!config.providers[0].enabled);
    scene.set("aliases.fast", json!("other")).unwrap();
    set_overlay(&scene.sources, "providers.claude.enabled", None).unwrap();
    set_overlay(&scene.sources, "no.such.key", None).unwrap();
    let config = scene.config();
    assert_eq!(config.aliases["fast"][0].model, "other");
    assert!(config.providers.is_empty(), "nothing is left of an empty table");
    assert_eq!(
        scene.text(),
        format!("{HEADER}aliases:\n  fast: other\n  gpt-4.1:\n  - model: x\n    fork: true\n")
    );
    assert_eq!(
        fs::read_to_string(scene.sources.file.unwrap()).unwrap(),
        "port: 1\n",
        "the person's file stays"
    );
}

#[test]
fn a_setting_that_is_wrong_is_not_written() {
    let scene = scene("providers: { mine: { kind: openai, base_url: 'https://a' } }\n");
    scene.set("aliases.fast", json!("x")).unwrap();
    let before = scene.text();
    for (path, value, expected) in [
        ("prot", json!(1), "overlay.yaml:5:1: prot: unknown key\n  did you mean `port`?"),
        (
            "providers.claude.enabled",
            json!("maybe"),
            "providers.claude.enabled: expected `true` or `false`, found text",
        ),
        (
            "providers.other.enabled",
            json!(true),
            "providers.other: a provider that is not built in needs a `kind`",
        ),
        (
            "providers.claude.base_url",
            json!("https://evil.example"),
            "byok may not decide where keys are sent",
        ),
        ("proxy", json!("http://evil.example"), "byok may not decide where keys are sent"),
        ("aliases.fast[0]", json!("x"), "does not name a setting"),
        ("", json!({}), "does not name a setting"),
        ("a..b", json!(1), "does not name a setting"),
        ("api_keys", json!(["short-canary"]), "the key is shorter than 20 characters"),
    ] {
        let error = scene.set(path, value).unwrap_err().to_string();
        assert!(error.contains(expected), "{path}: {error}");
        assert!(!error.contains("canary"));
        assert_eq!(scene.text(), before, "{path}");
    }
    // What is only whole together with the person's file is right.
    scene.set("providers.mine.enabled", json!(false)).unwrap();
    assert!(!scene.config().providers[0].enabled);
}

#[test]
fn the_person_is_told_what_wins() {
    let mut scene = scene("providers:\n  claude: { prefer: key }\n");
    let file = scene.sources.file.clone().unwrap();
    let change = scene.set("providers.claude.prefer", json!("oauth")).unwrap();
    assert_eq!(change.shadowed_by, Some(Origin::File { path: file, line: 2, column: 21 }));
    scene.sources.env.push(("BYOK_PORT".to_owned(), "5".to_owned()));
    let change = scene.set("port", json!(6)).unwrap();
    assert_eq!(change.shadowed_by, Some(Origin::Env("BYOK_PORT".to_owned())));
    assert_eq!(scene.set("providers.claude.enabled", json!(false)).unwrap(), UNSHADOWED);
}

#[test]
fn variables_stay_as_they_are_written() {
    let scene = scene("");
    fs::create_dir(scene.dir.path().join("state")).unwrap();
    fs::write(scene.sources.overlay.as_ref().unwrap(), "providers: { claude: { api_key: '${HOME}' } }\n")
        .unwrap();
    scene.set("aliases.fast", json!("x")).unwrap();
    assert!(scene.text().contains("${HOME}"));
    assert_eq!(scene.config().providers[0].api_keys[0].key.expose(), "/home/ada");
}

#[test]
fn without_an_overlay_there_is_nothing_to_write() {
    let sources = Sources::default();
    assert!(matches!(set_overlay(&sources, "port", Some(json!(1))), Err(ConfigError::NoOverlay)));
}

#[cfg(unix)]
#[test]
fn the_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let scene = scene("");
    scene.set("port", json!(1)).unwrap();
    let mode = |path: &str| fs::metadata(scene.dir.path().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode("state"), mode("state/overlay.yaml"), mode("state/overlay.lock")),
        (0o700, 0o600, 0o600)
    );
    let names: Vec<_> =
        fs::read_dir(scene.dir.path().join("state")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "nothing temporary is left: {names:?}");
}

#[test]
fn writers_wait_for_each_other() {
    let scene = scene("");
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let scene = &scene;
            scope.spawn(move || {
                for n in 0..5 {
                    scene.set(&format!("aliases.a-{writer}-{n}"), json!("x")).unwrap();
                }
            });
        }
    });
    assert_eq!(scene.config().aliases.len(), 40, "no change was lost");
}
