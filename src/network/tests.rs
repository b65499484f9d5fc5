use super::*;
use byok_config::{Sources, load};
use std::path::Path;

fn config(directory: &Path, yaml: &str) -> Arc<Config> {
    let file = directory.join("config.yaml");
    std::fs::write(&file, yaml).unwrap();
    let env = vec![("HOME".to_owned(), directory.display().to_string())];
    let sources = Sources { file: Some(file), file_required: true, env, ..Sources::default() };
    Arc::new(load(&sources).unwrap().config)
}

#[tokio::test]
async fn a_new_client_is_made_when_the_settings_ask_for_one() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    std::fs::write(at.join("ca.pem"), "").unwrap();
    let mut way = WayOut::of(&config(at, "{}"));
    for (yaml, expected) in [
        ("{}", "none"),
        ("log: debug", "none"),
        ("timeouts: { connect: 2s }", "new"),
        ("timeouts: { connect: 2s, idle: 1m }", "none"),
        ("limits: { answer: 1MiB }", "new"),
        ("proxy: direct", "new"),
        ("proxy: 'socks5://127.0.0.1:1080'", "new"),
        // What cannot be used leaves the client in use, and so does the way back to it.
        ("ca_files: [ca.pem]", "error"),
        ("proxy: 'socks5://127.0.0.1:1080'", "none"),
        ("{}", "new"),
    ] {
        let found = match way.changed(config(at, yaml)).await {
            None => "none",
            Some(Ok(_)) => "new",
            Some(Err(_)) => "error",
        };
        assert_eq!(found, expected, "{yaml}");
    }
}

#[tokio::test]
async fn a_renewed_certificate_is_read_again() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    std::fs::write(at.join("ca.pem"), "one").unwrap();
    let config = config(at, "ca_files: [ca.pem]");
    let mut way = WayOut::of(&config);
    assert!(way.changed(config.clone()).await.is_none());
    std::fs::write(at.join("ca.pem"), "two").unwrap();
    assert!(way.changed(config).await.is_some());
}

#[test]
fn login_servers_are_given_the_time_of_the_settings() {
    let directory = tempfile::tempdir().unwrap();
    let id = ProviderId::new("claude").unwrap();
    for (yaml, seconds) in [
        ("{}", 30),
        ("timeouts: { token: 7s }", 7),
        ("timeouts: { token: 7s }\nproviders: { claude: { timeouts: { token: 9s } } }", 9),
    ] {
        let config = config(directory.path(), yaml);
        let network = network(&config, &id, config.provider(&id).unwrap());
        assert_eq!(network.token_timeout, Some(Duration::from_secs(seconds)), "{yaml}");
    }
}
