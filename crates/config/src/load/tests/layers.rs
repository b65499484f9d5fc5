use super::*;
use crate::ENVIRONMENT;

/// Each layer names itself; the first of the list that is there must win.
#[test]
fn flags_environment_file_overlay_defaults() {
    for mask in 0..16_u8 {
        let has = |bit: u8| mask & (1 << bit) != 0;
        let mut scene = Scene::new(if has(1) { "port: 2\nlog: warn\n" } else { "" });
        if has(0) {
            scene = scene.overlay("port: 1\nlog: { level: error, format: json }\n");
        }
        if has(2) {
            scene = scene.env(&[("BYOK_PORT", "3"), ("BYOK_LOG", "debug")]);
        }
        if has(3) {
            scene.sources.flags = Flags { port: Some(4), log: Some("trace".to_owned()), ..Flags::default() };
        }
        let config = scene.load().config;
        let highest = (0..4).rev().find(|bit| has(*bit));
        let (port, level) = match highest {
            None => (8018, "info"),
            Some(0) => (1, "error"),
            Some(1) => (2, "warn"),
            Some(2) => (3, "debug"),
            Some(_) => (4, "trace"),
        };
        assert_eq!((config.port, config.log.level.as_str()), (port, level), "{mask:04b}");
        // A layer that says only the level leaves the form as the layer below has it.
        let format = if has(0) { crate::LogFormat::Json } else { crate::LogFormat::Text };
        assert_eq!(config.log.format, format, "{mask:04b}");
    }
}

#[test]
fn tables_are_joined_and_lists_replaced() {
    let scene = Scene::new(
        "providers:\n\
         \x20 claude: { api_key: from-file, timeouts: { idle: 1s } }\n\
         \x20 kimi: { exclude: [a] }\n\
         aliases: { one: x }\n",
    )
    .overlay(
        "providers:\n\
         \x20 codex: { enabled: false }\n\
         \x20 claude: { enabled: false, api_keys: [from-overlay, other], timeouts: { token: 2s } }\n\
         \x20 kimi: { exclude: [b, c] }\n\
         aliases: { one: { model: z, fork: true }, two: y }\n",
    );
    let config = scene.load().config;
    let names: Vec<_> = config.providers.keys().map(ProviderId::as_str).collect();
    assert_eq!(names, ["claude", "kimi", "codex"], "the order of the person's file comes first");
    let claude = config.provider(&id("claude")).unwrap();
    assert!(!claude.enabled);
    let keys: Vec<_> = claude.api_keys.iter().map(|key| key.key.expose()).collect();
    assert_eq!(keys, ["from-file"], "the short form and the list are one setting");
    let times = config.timeouts_for(&id("claude"));
    assert_eq!((times.idle.as_secs(), times.token.as_secs()), (1, 2));
    let excluded: Vec<_> =
        config.provider(&id("kimi")).unwrap().exclude.iter().map(ToString::to_string).collect();
    assert_eq!(excluded, ["a"]);
    assert_eq!((config.aliases["one"][0].model.as_str(), config.aliases["one"][0].fork), ("x", false));
    assert_eq!(config.aliases["two"][0].model, "y");
}

#[test]
fn every_variable_reaches_its_setting() {
    let values = [
        ("BYOK_DB", "~/x.db", "database", r#""/home/ada/x.db""#),
        ("BYOK_HOST", "localhost", "host", r#""localhost""#),
        ("BYOK_PORT", "9000", "port", "9000"),
        ("BYOK_LOG", "warn", "log.level", r#""warn""#),
        ("BYOK_LOG_FORMAT", "json", "log.format", r#""json""#),
        ("BYOK_PROXY", "direct", "proxy", r#""direct""#),
        ("BYOK_CA_FILES", "/dev/null", "ca_files", r#"["/dev/null"]"#),
        ("BYOK_API_KEYS", "abcdefghijklmnopqrstuvwxyz,", "api_keys[0].key", r#""(set, …wxyz)""#),
        ("BYOK_ADMIN_SECRET", "abcdefghijklmnopqrstuvwxyz", "admin_secret", r#""(set)""#),
        ("BYOK_ALLOWED_HOSTS", "a.example, B.example", "allowed_hosts", r#"["a.example","b.example"]"#),
        ("BYOK_CORS_ORIGINS", "http://localhost:3000", "cors_origins", r#"["http://localhost:3000"]"#),
    ];
    let pairs: Vec<_> = values.iter().map(|(name, value, ..)| (*name, *value)).collect();
    let rows = Scene::new("").env(&pairs).load().show();
    for (name, _, path, expected) in values {
        let row = rows.iter().find(|row| row.path == path).unwrap_or_else(|| panic!("{path}"));
        assert_eq!(row.value.to_string(), expected, "{name}");
        assert_eq!(row.origin, Origin::Env(name.to_owned()));
    }
    let tested: Vec<_> = values.iter().map(|(name, ..)| *name).collect();
    let all: Vec<_> = ENVIRONMENT.iter().map(|v| v.name).filter(|name| *name != "BYOK_CONFIG").collect();
    assert_eq!(tested, all, "every variable has a row");
    let empty: Vec<_> = pairs.iter().map(|(name, _)| (*name, "")).collect();
    let rows = Scene::new("").env(&empty).load().show();
    assert!(rows.iter().all(|row| row.origin == Origin::Default), "an empty variable is not set");
}

#[test]
fn commands_that_need_no_keys_stand_without_their_variables() {
    let yaml =
        "providers:\n  claude: { api_key: '${NOPE}' }\n  codex: { api_keys: ['${A}', { key: '${B}' }] }\n";
    let mut scene = Scene::new(yaml);
    assert_eq!(scene.error().matches("is not set").count(), 3);
    scene.sources.without_keys = true;
    let loaded = scene.load();
    assert_eq!(loaded.config.provider(&id("codex")).unwrap().api_keys.len(), 2);
    let rows = loaded.show();
    let shown = |path: &str| rows.iter().find(|row| row.path == path).map(|row| row.value.to_string());
    assert_eq!(shown("providers.claude.api_keys[0].key").unwrap(), "\"(`NOPE`, not set here)\"");
    // However short its name is: nothing is known of the key.
    let mut clients = Scene::new("api_keys: ['${ADA}']\n");
    clients.sources.without_keys = true;
    let ada = &clients.load().config.api_keys[0].key;
    assert_eq!(crate::unset_variable(ada), Some("ADA"));
    let mut other = Scene::new("providers:\n  claude: { base_url: '${NOPE}' }\n");
    other.sources.without_keys = true;
    assert!(other.error().contains("is not set"), "an address is of matter");
}

#[test]
fn the_name_of_a_variable_is_no_key() {
    for (yaml, path) in [
        ("api_keys: ['$${A_NAME_THAT_IS_LONG_ENOUGH}']", "api_keys[0]"),
        ("providers: { claude: { api_key: '$${KEY}' } }", "providers.claude.api_key"),
        ("providers: { claude: { api_key: { file: a.key } } }", "providers.claude.api_key"),
    ] {
        let error = Scene::new(yaml).file("a.key", "${KEY}\n").error();
        assert!(error.contains(&format!("{path}: this is the name of a variable")), "{error}");
    }
}

#[test]
fn a_misspelt_variable_is_a_warning() {
    let loaded = Scene::new("")
        .env(&[("BYOK_PROT", "1"), ("BYOK_SOMETHING_ELSE", "1"), ("BYOK_RECORDED", "x")])
        .load();
    assert_eq!(
        loaded.warnings,
        ["the environment variable `BYOK_PROT` is not known: did you mean `BYOK_PORT`?"]
    );
}

#[test]
fn the_usual_files_are_found() {
    let env = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    };
    let home = ("HOME", "/home/ada");
    let usual = |config: Option<&str>, pairs: &[(&str, &str)]| {
        let sources = Sources::usual(config.map(Into::into), env(pairs), Flags::default()).unwrap();
        let text = |path: &Option<PathBuf>| path.as_ref().unwrap().to_string_lossy().replace('\\', "/");
        (text(&sources.file), text(&sources.overlay), sources.file_required)
    };
    let expect = |file: &str, overlay: &str, required| (file.to_owned(), overlay.to_owned(), required);
    assert_eq!(
        usual(None, &[home]),
        expect("/home/ada/.byok/config.yaml", "/home/ada/.byok/overlay.yaml", false)
    );
    assert_eq!(
        usual(None, &[home, ("BYOK_CONFIG", "/etc/a.yaml")]),
        expect("/etc/a.yaml", "/etc/a.overlay.yaml", true)
    );
    assert_eq!(
        usual(Some("/b/config.yaml"), &[("BYOK_CONFIG", "/etc/a.yaml")]),
        expect("/b/config.yaml", "/b/overlay.yaml", true)
    );
    let error = Sources::usual(None, env(&[("HOME", "")]), Flags::default()).unwrap_err();
    assert!(error.to_string().starts_with("the home directory is not known"));
    assert_eq!(paths::control_socket(Path::new("/x/tokens.db")), Path::new("/x/control.sock"));
}

#[test]
fn paths_start_where_they_are_written() {
    let mut scene = Scene::new("database: ~/a.db\nca_files: [~/ca.pem]\n");
    let home = scene.dir.path().to_string_lossy().into_owned();
    scene.sources.env = vec![("HOME".to_owned(), home)];
    let scene = scene.file("ca.pem", "");
    assert_eq!(scene.load().config.database, scene.dir.path().join("a.db"));
    assert_eq!(scene.load().config.ca_files, [scene.dir.path().join("ca.pem")]);
    let mut scene = Scene::new("database: data/a.db\n");
    assert_eq!(scene.load().config.database, scene.dir.path().join("data/a.db"));
    scene.sources.flags.database = Some("b.db".into());
    assert_eq!(scene.load().config.database, Path::new("b.db"), "a flag means the working directory");
    scene.sources.flags.database = None;
    scene.sources.env.clear();
    fs::write(scene.sources.file.as_ref().unwrap(), "").unwrap();
    assert!(scene.error().starts_with("the home directory is not known"));
}
