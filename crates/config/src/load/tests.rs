use super::*;
use crate::{BUILT_IN, Flags, Kind, Origin, Prefer, Proxy, UrlName};
use byok_types::{Fault, ProviderId};
use std::{fs, path::Path};

mod errors;
mod layers;
mod properties;
mod secrets;

/// A directory with a `config.yaml`, an `overlay.yaml`, and an environment.
pub(super) struct Scene {
    pub(super) dir: tempfile::TempDir,
    pub(super) sources: Sources,
}

impl Scene {
    pub(super) fn new(yaml: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config.yaml");
        fs::write(&file, yaml).unwrap();
        private(&file);
        let sources = Sources {
            file: Some(file),
            file_required: true,
            overlay: Some(dir.path().join("overlay.yaml")),
            env: vec![("HOME".to_owned(), "/home/ada".to_owned())],
            flags: Flags::default(),
            without_keys: false,
        };
        Self { dir, sources }
    }

    pub(super) fn env(mut self, pairs: &[(&str, &str)]) -> Self {
        self.sources.env.extend(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
        self
    }

    pub(super) fn overlay(self, yaml: &str) -> Self {
        self.file("overlay.yaml", yaml)
    }

    pub(super) fn file(self, name: &str, text: &str) -> Self {
        fs::write(self.dir.path().join(name), text).unwrap();
        self
    }

    pub(super) fn load(&self) -> Loaded {
        load(&self.sources).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The error text, with the directory of the test left out.
    pub(super) fn error(&self) -> String {
        let error = load(&self.sources).expect_err("the configuration was taken");
        assert_eq!(error.retry(), byok_types::Retry::AfterPerson);
        error.to_string().replace(&format!("{}/", self.dir.path().display()), "")
    }
}

#[cfg(unix)]
fn private(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(not(unix))]
fn private(_: &Path) {}

pub(super) fn id(name: &str) -> ProviderId {
    ProviderId::new(name).unwrap()
}

#[test]
fn the_shape_that_people_already_write() {
    let scene = Scene::new(
        "port: 8018\n\
         host: 127.0.0.1\n\
         providers:\n\
         \x20 claude:  { api_key: \"sk-ant-...\" }      # a raw key wins over OAuth\n\
         \x20 gemini:  { enabled: false }\n\
         \x20 codex:   { enabled: true }              # OAuth only: `byok login codex`\n",
    );
    let config = scene.load().config;
    assert_eq!(config.port, 8018);
    assert_eq!(config.host.as_str(), "127.0.0.1");
    let names: Vec<_> = config.providers.keys().map(ProviderId::as_str).collect();
    assert_eq!(names, ["claude", "gemini", "codex"]);
    let claude = config.provider(&id("claude")).unwrap();
    assert_eq!(claude.api_keys[0].key.expose(), "sk-ant-...");
    assert_eq!((claude.enabled, claude.prefer), (true, Prefer::Key));
    assert!(!config.provider(&id("gemini")).unwrap().enabled);
    assert!(config.provider(&id("codex")).unwrap().enabled);
}

#[test]
fn nothing_written_means_the_defaults() {
    for yaml in ["", "\n# nothing\n", "{}", "providers:\naliases:\n", "---\n"] {
        let loaded = Scene::new(yaml).load();
        let expected = Config { database: "/home/ada/.byok/tokens.db".into(), ..Config::default() };
        assert_eq!(
            serde_json::to_value(&loaded.config).unwrap(),
            serde_json::to_value(&expected).unwrap(),
            "{yaml:?}"
        );
        assert_eq!(loaded.warnings, Vec::<String>::new());
    }
    let config = Config::default();
    let all: Vec<_> = config.all_providers().map(|(id, _)| id.as_str().to_owned()).collect();
    assert_eq!(all, BUILT_IN);
    assert!(config.provider(&id("claude")).unwrap().enabled);
    assert!(config.provider(&id("mine")).is_none());
}

#[test]
fn a_size_of_what_may_be_left_out_may_be_zero() {
    for zero in ["0", "'0'", "0B"] {
        let loaded = Scene::new(&format!("limits: {{ replay_memory: {zero} }}")).load();
        assert_eq!(loaded.config.limits.replay_memory, 0, "{zero}");
    }
}

#[test]
fn a_missing_file_is_an_error_only_if_it_was_asked_for() {
    let mut scene = Scene::new("");
    scene.sources.file = Some(scene.dir.path().join("other.yaml"));
    assert!(scene.error().starts_with("other.yaml: no such file"));
    scene.sources.file_required = false;
    assert_eq!(scene.load().config.port, 8018);
}

#[test]
fn every_setting_can_be_written() {
    let scene = Scene::new(include_str!("tests/everything.yaml"))
        .file("one.key", "client-key-of-bob-0123456789\n")
        .file("ca.pem", "")
        .env(&[("TEAM_KEY", "sk-team-key"), ("MINI_CONTEXT", "128000")]);
    let loaded = scene.load();
    let config = &loaded.config;
    let shown =
        serde_json::to_string_pretty(config).unwrap().replace(&*scene.dir.path().to_string_lossy(), "");
    assert_eq!(shown, include_str!("tests/everything.json").trim_end());

    let relay = config.provider(&id("relay")).unwrap();
    assert_eq!(relay.kind.map(Kind::dialect), Some(byok_types::Dialect::Responses));
    assert_eq!(relay.api_keys[0].key.expose(), "sk-team-key");
    assert_eq!(relay.api_keys[1].key.expose(), "client-key-of-bob-0123456789");
    assert_eq!(relay.headers.map()["x-team"], "blue");
    assert!(relay.headers.map()["x-team"].is_sensitive());
    assert!(relay.urls.contains_key(&UrlName::Usage));
    assert_eq!(config.api_keys[1].key.expose(), "client-key-of-bob-0123456789");

    let facts = byok_types::ModelFacts { top_k: false, ..Default::default() };
    let mini = relay.models[1].facts.apply(&facts);
    assert_eq!(
        (mini.context_tokens, mini.top_k, mini.input.pdf, mini.input.image),
        (Some(128_000), false, false, true)
    );
    let general = config.models["gpt-5.2"].apply(&facts);
    assert_eq!(general.thinking.budget, Some((1024, 32_000)));
    assert_eq!(general.family, byok_types::Family::Openai);
}

#[test]
fn the_most_particular_setting_wins() {
    let config = Scene::new(
        "proxy: socks5://a:1\n\
         timeouts: { idle: 10s, connect: 3 }\n\
         providers:\n\
         \x20 claude:\n\
         \x20   proxy: direct\n\
         \x20   timeouts: { idle: 20s }\n\
         \x20   strict_translation: true\n\
         \x20   api_keys: [a-key, { key: b-key, proxy: 'http://b:2' }]\n",
    )
    .load()
    .config;
    let (claude, codex) = (id("claude"), id("codex"));
    let keys = &config.provider(&claude).unwrap().api_keys;
    let shown = |proxy: Option<&Proxy>| proxy.map(ToString::to_string);
    assert_eq!(shown(config.proxy_for(&codex, None)), Some("socks5://a:1".to_owned()));
    assert_eq!(shown(config.proxy_for(&claude, Some(&keys[0]))), Some("direct".to_owned()));
    assert_eq!(shown(config.proxy_for(&claude, Some(&keys[1]))), Some("http://b:2".to_owned()));
    let seconds = |id| {
        let timeouts = config.timeouts_for(id);
        [timeouts.idle, timeouts.connect, timeouts.first_event].map(|d| d.as_secs())
    };
    assert_eq!(seconds(&claude), [20, 3, 120]);
    assert_eq!(seconds(&codex), [10, 3, 120]);
    assert!(config.strict_translation_for(&claude) && !config.strict_translation_for(&codex));
}

#[test]
fn origins_tell_the_layer_of_every_setting() {
    let mut scene =
        Scene::new("host: localhost\nproviders:\n  claude:\n    api_key: sk-a-key\n    exclude: [a]\n")
            .overlay("providers:\n  claude: { prefer: oauth }\naliases: { \"gpt-4.1\": x }\n")
            .env(&[("BYOK_LOG", "debug")]);
    scene.sources.flags.port = Some(1);
    let loaded = scene.load();
    let at = |line, column| Origin::File { path: scene.sources.file.clone().unwrap(), line, column };
    for (path, expected) in [
        ("port", Origin::Flag),
        ("log.level", Origin::Env("BYOK_LOG".to_owned())),
        ("log.format", Origin::Default),
        ("host", at(1, 7)),
        ("providers.claude.api_key", at(4, 14)),
        ("providers.claude.api_keys", at(4, 14)),
        ("providers.claude.api_keys[0].key", at(4, 14)),
        ("providers.claude.api_keys[0].weight", Origin::Default),
        ("providers.claude.exclude[0]", at(5, 15)),
        ("providers.claude.prefer", Origin::Overlay),
        ("providers.claude.enabled", Origin::Default),
        (r#"aliases."gpt-4.1""#, Origin::Overlay),
        (r#"aliases."gpt-4.1"[0].model"#, Origin::Overlay),
        ("timeouts.idle", Origin::Default),
        ("no such path[", Origin::Default),
    ] {
        assert_eq!(loaded.origins.of(path), expected, "{path}");
    }
    let rows = loaded.show();
    let row = |path: &str| rows.iter().find(|row| row.path == path).unwrap_or_else(|| panic!("{path}"));
    assert_eq!(row("port").origin, Origin::Flag);
    assert_eq!(row("port").value, 1);
    assert_eq!(row("providers.claude.exclude").value, serde_json::json!(["a"]));
    assert_eq!(row(r#"aliases."gpt-4.1"[0].model"#).origin.to_string(), "overlay");
}

#[test]
fn what_would_have_no_effect_is_refused() {
    for (yaml, path) in [
        ("api_keys: [{ key: byok-0123456789abcdefghij, user: ada }]", "api_keys[0].user"),
        ("api_keys: [{ key: byok-0123456789abcdefghij, groups: [a] }]", "api_keys[0].groups"),
        (
            "api_keys: [{ key: byok-0123456789abcdefghij, limits: { tokens_per_day: 5 } }]",
            "api_keys[0].limits",
        ),
        ("providers: { claude: { timeouts: { connect: 1s } } }", "providers.claude.timeouts.connect"),
    ] {
        let error = Scene::new(yaml).error();
        assert!(error.contains(&format!("{path}: unknown key")), "{error}");
    }
}

#[test]
fn settings_without_effect_are_named() {
    for (yaml, named) in [
        ("admin_secret: 0123456789abcdefghij", Some("admin_secret")),
        ("api_keys: [{ key: byok-0123456789abcdefghij, label: a, models: [m] }]", None),
        ("providers: { claude: { extra_usage: stop } }", None),
        ("providers: { claude: { timeouts: { token: 1s } } }", None),
        (
            "providers: { codex: { urls: { projects: 'https://a.example/t' } } }",
            Some("providers.codex.urls.projects"),
        ),
        (
            "providers: { claude: { urls: { token: 'https://a.example/t', inference: 'https://a.example' } } }",
            None,
        ),
        (
            "providers: { claude: { urls: { projects: 'https://a.example/u' } } }",
            Some("providers.claude.urls.projects"),
        ),
    ] {
        let scene = Scene::new(yaml);
        let warnings = scene.load().warnings;
        let idle: Vec<&String> = warnings.iter().filter(|warning| warning.contains("no effect")).collect();
        let expected = named.map(|path| format!("`{path}` has no effect in this version"));
        match expected {
            None => assert!(idle.is_empty(), "{yaml}: {idle:?}"),
            Some(text) => assert!(idle.len() == 1 && idle[0].starts_with(&text), "{yaml}: {idle:?}"),
        }
    }
}

/// Whose keys a server of the person's own takes, nobody else knows.
#[test]
fn a_key_at_a_server_of_ones_own_is_not_looked_at() {
    for yaml in [
        "providers: { codex: { api_key: sk-ant-api03-x, base_url: 'https://a.example/v1' } }",
        "providers: { gemini: { api_keys: [{ key: sk-ant-api03-x, base_url: 'https://a.example' }] } }",
        "providers: { claude: { api_key: AIzaX, urls: { inference: 'https://a.example' } } }",
        "providers: { mine: { kind: openai, base_url: 'https://a.example/v1', api_key: sk-ant-api03-x } }",
        "providers: { vertex: { api_key: AIzaX }, claude: { api_keys: [sk-ant-oat01-x, sk-x] } }",
    ] {
        assert_eq!(Scene::new(yaml).load().warnings, Vec::<String>::new(), "{yaml}");
    }
}

/// Each of two models may serve in the place of the other; but whoever writes a chain of aliases is mistaken.
#[test]
fn an_alias_that_leads_to_another_is_warned_of() {
    for (yaml, aliases) in [
        ("aliases: { a: b, b: claude/x }", &["aliases.a"][..]),
        ("aliases: { a: b, b: a }", &["aliases.a", "aliases.b"]),
        ("aliases: { a: [claude/x, { model: b }], b: c }", &["aliases.a"]),
        ("aliases: { a: claude/b, b: c }", &[]),
    ] {
        let warnings = Scene::new(yaml).load().warnings;
        assert_eq!(warnings.len(), aliases.len(), "{yaml}: {warnings:?}");
        for (warning, alias) in warnings.iter().zip(aliases) {
            assert!(warning.starts_with(&format!("`{alias}`: the target `")), "{warning}");
        }
    }
}
