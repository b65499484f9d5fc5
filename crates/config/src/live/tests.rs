//! Changes are awaited through the receiver, never by sleeping. Except where the regular look is the subject, it is so
//! rare here that only the notifications of the file system can bring a change.

use super::*;
use std::{fs, path::Path};

const QUICK: Timing = Timing {
    quiet: Duration::from_millis(20),
    patience: Duration::from_millis(200),
    poll: Duration::from_hours(1),
};
/// Longer than any machine needs; only reached by a test that fails.
const PATIENCE: Duration = Duration::from_secs(20);

struct Scene {
    dir: tempfile::TempDir,
    live: Live,
    changes: tokio::sync::watch::Receiver<u64>,
}

fn sources(dir: &Path) -> Sources {
    Sources {
        file: Some(dir.join("config.yaml")),
        overlay: Some(dir.join("overlay.yaml")),
        env: vec![("HOME".to_owned(), dir.to_string_lossy().into_owned())],
        ..Sources::default()
    }
}

fn watch(dir: tempfile::TempDir, timing: Timing) -> Scene {
    let live = Live::watch_with(sources(dir.path()), timing).unwrap();
    let changes = live.subscribe();
    Scene { dir, live, changes }
}

fn scene(yaml: &str) -> Scene {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("config.yaml"), yaml).unwrap();
    watch(dir, QUICK)
}

impl Scene {
    fn write(&self, yaml: &str) {
        fs::write(self.dir.path().join("config.yaml"), yaml).unwrap();
    }

    /// Waits until the state is as wanted; intermediate states may pass.
    async fn until(&mut self, wanted: impl Fn(&Live) -> bool) {
        let live = self.live.clone();
        let reached = tokio::time::timeout(PATIENCE, self.changes.wait_for(|_| wanted(&live))).await;
        assert!(matches!(reached, Ok(Ok(_))), "not reached: {:?}", self.live.status());
    }

    async fn until_strict(&mut self, strict: bool) {
        self.until(|live| live.load().strict_translation == strict && live.status() == Status::Fresh).await;
    }

    async fn until_stale(&mut self, part: &str) {
        self.until(|live| matches!(live.status(), Status::Stale { error, .. } if error.contains(part))).await;
    }
}

#[tokio::test]
async fn a_change_arrives_and_a_request_keeps_what_it_had() {
    let mut scene = scene("strict_translation: false\n");
    let before = scene.live.load();
    scene.write("strict_translation: true\n");
    scene.until_strict(true).await;
    assert!(!before.strict_translation);
    let loaded = scene.live.loaded().unwrap();
    assert!(matches!(
        loaded.origins.of("strict_translation"),
        crate::Origin::File { line: 1, column: 21, .. }
    ));
}

#[tokio::test]
async fn a_broken_file_keeps_the_old_configuration() {
    let mut scene = scene("strict_translation: true\nproviders: { claude: {} }\n");
    for (broken, part) in [
        ("strict_translation: true\nproviders: { cla", "config.yaml:2:17: not valid YAML"),
        ("strict_translation: tr", "config.yaml:1:21: strict_translation: expected `true` or `false`"),
        ("prot: 1\n", "config.yaml:1:1: prot: unknown key\n  did you mean `port`?"),
        ("port: 1\nport: 2\n", "config.yaml:2:1: port: the key is written twice"),
        ("", "the file is now empty"),
        ("# nothing left\n", "the file is now empty"),
        ("admin_secret: canary\n", "shorter than 20"),
    ] {
        scene.write(broken);
        scene.until_stale(part).await;
        assert!(scene.live.load().strict_translation);
        assert_eq!(scene.live.load().providers.len(), 1);
        let Status::Stale { error, .. } = scene.live.status() else { panic!("fresh") };
        assert!(!error.contains("canary"), "{error}");
    }
    scene.write("strict_translation: true\nproviders: { claude: {} }\n");
    scene.until(|live| live.status() == Status::Fresh).await;
    scene.write("{}\n");
    scene.until_strict(false).await;
}

#[tokio::test]
async fn stale_since_the_first_failure() {
    let mut scene = scene("port: 1\n");
    scene.write("prot: 1\n");
    scene.until_stale("prot").await;
    let Status::Stale { since: first, .. } = scene.live.status() else { panic!("fresh") };
    scene.write("prt: 1\n");
    scene.until_stale("prt").await;
    let Status::Stale { since, .. } = scene.live.status() else { panic!("fresh") };
    assert_eq!(first, since);
}

#[tokio::test]
async fn a_file_that_goes_and_comes_back() {
    let mut scene = scene("strict_translation: true\n");
    fs::remove_file(scene.dir.path().join("config.yaml")).unwrap();
    scene.until_stale("the file is gone").await;
    assert!(scene.live.load().strict_translation, "defaults would have opened doors");
    scene.write("strict_translation: false\n");
    scene.until_strict(false).await;
}

#[tokio::test]
async fn a_file_renamed_over_it_as_editors_do() {
    let mut scene = scene("strict_translation: false\n");
    for strict in [true, false, true] {
        let temporary = scene.dir.path().join("config.yaml.swp");
        fs::write(&temporary, format!("strict_translation: {strict}\n")).unwrap();
        fs::rename(&temporary, scene.dir.path().join("config.yaml")).unwrap();
        scene.until_strict(strict).await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_config_map_that_swaps_its_link() {
    use std::os::unix::fs::symlink;
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    for (version, strict) in [("..one", false), ("..two", true)] {
        fs::create_dir(at(version)).unwrap();
        fs::write(at(version).join("config.yaml"), format!("strict_translation: {strict}\n")).unwrap();
    }
    symlink("..one", at("..data")).unwrap();
    symlink("..data/config.yaml", at("config.yaml")).unwrap();
    let mut scene = watch(dir, QUICK);
    assert!(!scene.live.load().strict_translation);
    symlink("..two", scene.dir.path().join("..data_tmp")).unwrap();
    fs::rename(scene.dir.path().join("..data_tmp"), scene.dir.path().join("..data")).unwrap();
    scene.until_strict(true).await;
}

#[tokio::test]
async fn a_file_that_did_not_exist_and_a_secret_in_a_file() {
    let mut scene = watch(tempfile::tempdir().unwrap(), QUICK);
    assert!(scene.live.load().providers.is_empty());
    let keys = tempfile::tempdir().unwrap();
    let key_file = keys.path().join("claude.key");
    fs::write(&key_file, "first").unwrap();
    scene.write(&format!("providers: {{ claude: {{ api_key: {{ file: '{}' }} }} }}\n", key_file.display()));
    let key_is =
        |live: &Live, key: &str| live.load().providers.values().any(|p| p.api_keys[0].key.expose() == key);
    scene.until(|live| key_is(live, "first")).await;
    fs::write(&key_file, "second").unwrap();
    // The directory of the key was not watched before the change above; the generation says when it was taken in.
    scene.live.reload_now();
    scene.until(|live| key_is(live, "second")).await;
}

#[tokio::test]
async fn a_missing_secret_that_turns_up_mends_the_configuration() {
    let mut scene = scene("port: 1\n");
    scene.write("port: 1\nadmin_secret: { file: admin.secret }\n");
    scene.until_stale("there is no such file").await;
    // Its directory is watched already; its name is, as soon as the failed reading has been taken in.
    scene.live.reload_now();
    fs::write(scene.dir.path().join("admin.secret"), "abcdefghijklmnopqrstuvwxyz").unwrap();
    scene.until(|live| live.load().admin_secret.is_some()).await;
}

#[tokio::test]
async fn many_writes_end_in_the_last_one() {
    let mut scene = scene("limits: { streams: 1 }\n");
    for streams in 2..=100 {
        scene.write(&format!("limits: {{ streams: {streams} }}\n"));
    }
    scene.until(|live| live.load().limits.streams == 100).await;
    assert_eq!(scene.live.status(), Status::Fresh);
}

#[tokio::test]
async fn the_overlay_is_followed_too() {
    let mut scene = scene("port: 1\n");
    set_overlay(&sources(scene.dir.path()), "strict_translation", Some(true.into())).unwrap();
    scene.until_strict(true).await;
    let change = scene.live.set_overlay("strict_translation", None).unwrap();
    assert_eq!(change.shadowed_by, None);
    assert!(!scene.live.load().strict_translation, "byok's own change is in use at once");
    assert!(matches!(Live::fixed(Config::default()).set_overlay("port", None), Err(ConfigError::NoOverlay)));
}

#[tokio::test]
async fn a_regular_look_finds_what_nobody_tells() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("later");
    let live = Live::watch_with(sources(&home), Timing { poll: Duration::from_millis(20), ..QUICK }).unwrap();
    let changes = live.subscribe();
    let mut scene = Scene { dir, live, changes };
    // The directory does not exist yet, so there is nothing that could be watched.
    fs::create_dir(&home).unwrap();
    fs::write(home.join("config.yaml"), "strict_translation: true\n").unwrap();
    scene.until_strict(true).await;
}

#[test]
fn a_restart_is_asked_for_and_nothing_half_applied() {
    let scene = scene("port: 1\nhost: localhost\ndatabase: /a.db\n");
    let generation = *scene.changes.borrow();
    scene.write("port: 2\nhost: 127.0.0.1\ndatabase: /b.db\nlog: {format: json}\nstrict_translation: true\n");
    assert_eq!(scene.live.reload_now(), Status::Fresh);
    let config = scene.live.load();
    assert_eq!(
        (config.port, config.host.as_str(), config.database.as_path(), config.log.format),
        (1, "localhost", Path::new("/a.db"), crate::LogFormat::Text)
    );
    assert!(config.strict_translation);
    assert_eq!(scene.live.restart_required(), ["port", "host", "log.format", "database"]);
    assert!(*scene.changes.borrow() > generation);
    scene.write("port: 1\nhost: localhost\ndatabase: /a.db\n");
    scene.live.reload_now();
    assert_eq!(scene.live.restart_required(), [] as [&str; 0]);
}

#[test]
fn a_renewed_certificate_is_a_change() {
    let scene = scene("port: 1\n");
    fs::write(scene.dir.path().join("ca.pem"), "one").unwrap();
    scene.write("ca_files: [ca.pem]\n");
    assert_eq!(scene.live.reload_now(), Status::Fresh);
    let generation = *scene.changes.borrow();
    fs::write(scene.dir.path().join("ca.pem"), "another").unwrap();
    assert_eq!(scene.live.reload_now(), Status::Fresh);
    assert!(*scene.changes.borrow() > generation);
}

#[test]
fn the_same_bytes_are_no_change() {
    let scene = scene("port: 1\n");
    let before = scene.live.load();
    let generation = *scene.changes.borrow();
    scene.write("port: 1\n");
    assert_eq!(scene.live.reload_now(), Status::Fresh);
    assert!(Arc::ptr_eq(&before, &scene.live.load()));
    assert_eq!(*scene.changes.borrow(), generation);
}

#[test]
fn a_first_reading_that_fails_is_an_error_and_a_fixed_one_never_changes() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("config.yaml"), "prot: 1\n").unwrap();
    assert!(matches!(Live::watch(sources(dir.path())), Err(ConfigError::Invalid(_))));
    let live = Live::fixed(Config { port: 7, ..Config::default() });
    assert_eq!(live.reload_now(), Status::Fresh);
    assert_eq!(live.load().port, 7);
    assert!(live.loaded().is_none());
}

#[test]
fn the_thread_ends_with_the_last_clone() {
    let scene = scene("port: 1\n");
    let weak = Arc::downgrade(&scene.live.0);
    drop(scene);
    assert!(weak.upgrade().is_none(), "the thread holds no strong reference while it waits");
}
