use super::*;

const CANARY: &str = "CANARYcanary9876543210zyx";

fn shown_everywhere(loaded: &Loaded) -> String {
    let rows = serde_json::to_string(&loaded.show()).unwrap();
    let config = serde_json::to_string(&loaded.config).unwrap();
    format!("{loaded:?}\n{rows}\n{config}\n{:?}", loaded.warnings)
}

#[test]
fn secrets_are_shown_nowhere() {
    let yaml = format!(
        "admin_secret: {CANARY}\n\
         api_keys: [{CANARY}1]\n\
         amp: {{ api_key: {CANARY}2 }}\n\
         proxy: socks5://user:{CANARY}@localhost:1\n\
         providers:\n\
         \x20 claude:\n\
         \x20   api_key: {CANARY}3\n\
         \x20   headers: {{ x-a: {CANARY} }}\n\
         \x20   urls: {{ usage: 'https://example.com/?key={CANARY}' }}\n\
         \x20   proxy: http://user:{CANARY}@localhost:2\n"
    );
    let scene = Scene::new(&yaml).file("key", CANARY).env(&[("BYOK_SECRET_THING", CANARY)]);
    let loaded = scene.load();
    let text = shown_everywhere(&loaded) + &format!("{:?}", scene.sources);
    assert!(!text.contains("CANARY"), "{text}");
    let rows = loaded.show();
    let value = |path: &str| rows.iter().find(|row| row.path == path).map(|row| row.value.to_string());
    assert_eq!(value("api_keys[0].key").unwrap(), r#""(set, …zyx1)""#);
    assert_eq!(value("providers.claude.api_keys[0].key").unwrap(), r#""(set, …zyx3)""#);
    assert_eq!(value("admin_secret").unwrap(), r#""(set)""#);
    assert_eq!(value("proxy").unwrap(), r#""socks5://(login)@localhost:1""#);
    // The values themselves have arrived.
    let claude = loaded.config.provider(&id("claude")).unwrap();
    assert!(claude.api_keys[0].key.expose().starts_with("CANARY"));
    assert!(matches!(&loaded.config.proxy, Some(Proxy::Via(url)) if url.expose().password() == Some(CANARY)));
}

/// A secret in every place of the wrong kind: the errors describe it and never quote it.
#[test]
fn errors_quote_no_value() {
    let scene = Scene::new("");
    for place in [
        "port: X",
        "host: 'X X'",
        "host: http://X",
        "X: 1",
        "log: X",
        "log: { format: X }",
        "providers: X",
        "providers: { X: {} }",
        "providers: { 'X X': {} }",
        "providers: { claude: { api_keys: X } }",
        "providers: { claude: { api_key: 'X X' } }",
        "providers: { claude: { api_key: { X: a } } }",
        "providers: { claude: { api_key: [X] } }",
        "providers: { claude: { enabled: X } }",
        "providers: { claude: { prefer: X } }",
        "providers: { claude: { kind: X } }",
        "providers: { claude: { base_url: X } }",
        "providers: { claude: { base_url: 'https://X@a' } }",
        "providers: { claude: { urls: { X: a } } }",
        "providers: { claude: { headers: { a: \"X\\n\" } } }",
        "providers: { claude: { headers: { 'X X': a } } }",
        "providers: { claude: { timeouts: X } }",
        "timeouts: { idle: X }",
        "limits: { body: X, streams: X }",
        "models: { a: X }",
        "models: { a: { X: 1, family: X, context_tokens: X } }",
        "aliases: { a: [{ model: 'X X', fork: X }] }",
        "api_keys: [{ key: 'X X' }, { key: [X] }, { X: a }]",
        "api_keys: [{ key: abcdefghijklmnopqrstuvwxyz, expires: X, debug: X }]",
        "admin_secret: ${X",
        "admin_secret: 'X X'",
        "admin_secret: [X]",
        "proxy: X",
        "proxy: 'ftp://u:X@h'",
        "cors_origins: [X]",
        "allowed_hosts: ['X X']",
        "a: [X",
        "- X",
        "X",
        "!X 5",
        "a: *X",
        "X: 1\nX: 2",
    ] {
        for secret in [CANARY.to_owned() + "CANARY1", format!("sk-{CANARY}")] {
            let yaml = place.replace('X', &secret);
            fs::write(scene.sources.file.as_ref().unwrap(), &yaml).unwrap();
            let error = load(&scene.sources).expect_err(&yaml);
            let text = format!("{error}\n{error:?}").replace(&*scene.dir.path().to_string_lossy(), "");
            assert!(!text.contains("CANARY"), "{yaml}\n{text}");
        }
    }
}

#[test]
fn secrets_come_from_variables_and_files() {
    let scene = Scene::new(
        "providers:\n\
         \x20 claude: { api_key: \"${A_KEY}\" }\n\
         \x20 codex: { api_key: { file: keys/codex } }\n\
         \x20 kimi: { api_keys: [{ file: ~/gemini.key }, { key: { file: \"${KEY_DIR}/codex\" }, label: b }] }\n\
         admin_secret: { file: admin }\n\
         api_keys: [{ file: keys/client }]\n\
         port: ${PORT}\n\
         strict_translation: ${STRICT}\n",
    );
    fs::create_dir(scene.dir.path().join("keys")).unwrap();
    let home = scene.dir.path().to_string_lossy().into_owned();
    let mut scene = scene
        .file("keys/codex", "codex-key\n")
        .file("gemini.key", "kimi-key\r\n")
        .file("admin", "")
        .file("keys/client", "abcdefghijklmnopqrstuvwxyz");
    scene.sources.env =
        [("HOME", &*home), ("A_KEY", "a-key"), ("KEY_DIR", "keys"), ("PORT", "81"), ("STRICT", "true")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .to_vec();
    let loaded = scene.load();
    let keys = |name: &str| -> Vec<String> {
        let provider = loaded.config.provider(&id(name)).unwrap();
        provider.api_keys.iter().map(|key| key.key.expose().to_owned()).collect()
    };
    assert_eq!(keys("claude"), ["a-key"]);
    assert_eq!(keys("codex"), ["codex-key"]);
    assert_eq!(keys("kimi"), ["kimi-key", "codex-key"]);
    assert!(loaded.config.admin_secret.is_none(), "an empty secret means none");
    assert_eq!(loaded.config.api_keys[0].key.expose(), "abcdefghijklmnopqrstuvwxyz");
    assert_eq!((loaded.config.port, loaded.config.strict_translation), (81, true));
    for name in ["config.yaml", "overlay.yaml", "keys/codex", "gemini.key", "admin", "keys/client"] {
        assert!(loaded.files.contains(&scene.dir.path().join(name)), "{name}");
    }
    let before = loaded.hash;
    assert_eq!(scene.load().hash, before);
    fs::write(scene.dir.path().join("gemini.key"), "another").unwrap();
    assert_ne!(scene.load().hash, before, "a changed secret is a changed configuration");
}

#[test]
fn an_empty_secret_never_opens_a_door() {
    assert!(Scene::new("admin_secret: ''").load().config.admin_secret.is_none());
    assert!(Scene::new("admin_secret:").load().config.admin_secret.is_none());
    assert!(Scene::new("api_keys: []").load().config.api_keys.is_empty());
    assert!(Scene::new("admin_secret: \"${E}\"").env(&[("E", "")]).load().config.admin_secret.is_none());
    assert_eq!(
        Scene::new("api_keys:\n  - \"${E}\"").env(&[("E", "")]).error(),
        "config.yaml:2:5: api_keys[0]: the key is empty\n  make one with `openssl rand -hex 24`"
    );
}

#[test]
fn what_deserves_a_look_is_a_warning() {
    let loaded = Scene::new(
        "cors_origins: ['null']\n\
         providers:\n\
         \x20 claude: { api_key: sk-ant-... }\n\
         \x20 lan: { kind: openai, base_url: http://192.168.1.5:11434/v1 }\n\
         \x20 far: { kind: openai, base_url: http://192.168.1.6/v1, api_key: sk-123 }\n\
         \x20 here: { kind: openai, base_url: http://localhost:11434/v1 }\n",
    )
    .load();
    assert_eq!(
        loaded.warnings,
        [
            "`providers.claude`: the API key (set) looks like a placeholder",
            "`providers.lan`: http://192.168.1.5:11434/v1 is not encrypted: prompts can be read on the way",
            "`providers.far`: http://192.168.1.6/v1 is not encrypted, and byok sends no key that way: calls will fail. Use `https`, or leave the key out",
            "`cors_origins` lists `null`: pages opened from files and in sandboxed frames may call byok",
        ]
    );
}

#[cfg(unix)]
#[test]
fn a_readable_file_with_keys_in_it_is_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    for (yaml, mode, warned) in [
        ("providers: { claude: { api_key: sk-real } }", 0o644, true),
        ("providers: { claude: { api_key: sk-real } }", 0o600, false),
        ("providers: { claude: { api_key: \"${K}\" } }", 0o644, false),
        ("port: 1", 0o644, false),
    ] {
        let scene = Scene::new(yaml).env(&[("K", "x")]);
        fs::set_permissions(scene.sources.file.as_ref().unwrap(), fs::Permissions::from_mode(mode)).unwrap();
        let warnings = scene.load().warnings;
        assert_eq!(warnings.iter().any(|warning| warning.contains("chmod 600")), warned, "{yaml} {mode:o}");
    }
}
