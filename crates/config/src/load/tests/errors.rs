//! Every case is a configuration and the whole text that the person then reads: `errors.txt`, cases between lines of
//! `===`, with `---` between the two halves.

use super::*;

#[test]
fn errors_say_where_what_and_what_to_do() {
    let cases = include_str!("errors.txt");
    let mut seen = 0;
    for case in cases.split("===\n").map(str::trim_end).filter(|case| !case.is_empty()) {
        let (yaml, expected) = case.split_once("\n---\n").expect("two halves");
        let yaml = yaml.replace("\\t", "\t");
        assert_eq!(Scene::new(&yaml).error(), expected, "\n{yaml}");
        seen += 1;
    }
    assert!(seen > 40, "{seen}");
}

#[test]
fn all_layers_are_listed_at_once() {
    let scene = Scene::new("prot: 1\nhost: 'a b'\n")
        .overlay("providers:\n  claude: { base_url: 'https://elsewhere.example.com' }\n")
        .env(&[
            ("BYOK_PORT", "many"),
            ("BYOK_LOG_FORMAT", "yaml"),
            ("BYOK_API_KEYS", "x, abcdefghijklmnopqrstuvwxyz"),
        ]);
    assert_eq!(
        scene.error(),
        "BYOK_PORT: port: expected a whole number from 0 to 65535, found text\n\
         BYOK_LOG_FORMAT: log.format: expected one of `text`, `json`\n\
         BYOK_API_KEYS: api_keys: the key is shorter than 20 characters\n  make one with `openssl rand -hex 24`\n\
         config.yaml:1:1: prot: unknown key\n  did you mean `port`?\n\
         config.yaml:2:7: host: expected a host name such as `localhost` or an IP address\n\
         overlay.yaml:2:13: providers.claude.base_url: byok may not decide where keys are sent\n  \
         write it into your own configuration file"
    );
}

#[test]
fn a_flag_is_named_as_it_is_typed() {
    let mut scene = Scene::new("");
    scene.sources.flags.host = Some("http://localhost".to_owned());
    assert!(scene.error().starts_with("--host: host: expected a host name, not an address\n"));
}

#[test]
fn more_errors_than_anybody_reads_end_the_list() {
    let yaml = (0..100).map(|n| format!("unknown_{n}: 1")).collect::<Vec<_>>().join("\n");
    let error = load(&Scene::new(&yaml).sources).unwrap_err();
    assert_eq!(error.problems().len(), 20);
    assert_eq!(error.problems()[19].path, "unknown_19");
}

#[test]
fn positions_hold_behind_anchors_and_merges() {
    let yaml = "timeouts: &slow { idle: 10m }\nproviders:\n  claude: { timeouts: { <<: *slow, tokn: 1 } }\n  kimi: { timeouts: *slow }\n";
    assert_eq!(
        Scene::new(yaml).error(),
        "config.yaml:3:36: providers.claude.timeouts.tokn: unknown key\n  did you mean `token`?"
    );
    let config = Scene::new(&yaml.replace(", tokn: 1", "")).load().config;
    assert_eq!(config.timeouts_for(&id("claude")).idle.as_secs(), 600);
    assert_eq!(config.timeouts_for(&id("kimi")).idle.as_secs(), 600);
    let inside = "timeouts: &slow { idle: 10m }\nlimits: *slow\n";
    assert!(Scene::new(inside).error().starts_with("config.yaml:2:9: limits.idle: unknown key"));
}

#[test]
fn files_that_are_not_text_are_named() {
    let scene = Scene::new("");
    fs::write(scene.dir.path().join("config.yaml"), [0xff, 0xfe, 0]).unwrap();
    assert!(scene.error().starts_with("config.yaml: cannot be read: "));
    assert_eq!(Scene::new("\u{feff}port: 1\n").load().config.port, 1);
}
