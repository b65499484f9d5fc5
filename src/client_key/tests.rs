use super::*;
use byok_config::HostName;
use byok_store::StoreOptions;

fn store(directory: &Path) -> Store {
    Store::open(&StoreOptions { path: directory.join("tokens.db"), key_file: None }).unwrap()
}

fn private_directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    directory
}

const EVERYWHERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);
const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

#[test]
fn keys_are_long_and_different() {
    let (a, b) = (random_key().unwrap(), random_key().unwrap());
    for key in [&a, &b] {
        let rest = key.expose().strip_prefix("byok-").unwrap();
        assert_eq!(rest.len(), 43);
        assert!(rest.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)));
    }
    assert_ne!(a.expose(), b.expose());
}

#[tokio::test]
async fn a_key_is_made_once_and_only_where_it_is_needed() {
    let named = Config {
        allowed_hosts: vec![HostName::try_from("host.docker.internal".to_owned()).unwrap()],
        ..Config::default()
    };
    for (name, config, address, expected) in [
        ("loopback", Config::default(), LOOPBACK, false),
        ("every address", Config::default(), EVERYWHERE, true),
        ("another name", named, LOOPBACK, true),
    ] {
        let directory = private_directory();
        let store = store(directory.path());
        make_if_needed(&config, address, &store, false).await.unwrap();
        let rows = store.client_keys.list().await.unwrap();
        assert_eq!(rows.len(), usize::from(expected), "{name}");
        let file = directory.path().join(FILE);
        assert_eq!(file.exists(), expected, "{name}");
        if expected {
            let key = std::fs::read_to_string(&file).unwrap();
            assert_eq!(Secret::new(key.trim()).hash(), rows[0].hash, "{name}");
            let mode =
                std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        make_if_needed(&config, address, &store, false).await.unwrap();
        assert_eq!(store.client_keys.list().await.unwrap().len(), rows.len(), "{name}: the second start");
    }
}

#[tokio::test]
async fn a_revoked_key_is_replaced() {
    let directory = private_directory();
    let store = store(directory.path());
    make_if_needed(&Config::default(), EVERYWHERE, &store, false).await.unwrap();
    let first = store.client_keys.list().await.unwrap().remove(0);
    let old = std::fs::read_to_string(directory.path().join(FILE)).unwrap();
    store.client_keys.revoke(&first.id).await.unwrap();
    make_if_needed(&Config::default(), EVERYWHERE, &store, false).await.unwrap();
    assert_eq!(store.client_keys.list().await.unwrap().len(), 2);
    assert_ne!(std::fs::read_to_string(directory.path().join(FILE)).unwrap(), old);
}

#[tokio::test]
async fn a_key_that_was_shown_is_not_written_down() {
    let directory = private_directory();
    let store = store(directory.path());
    make_if_needed(&Config::default(), EVERYWHERE, &store, true).await.unwrap();
    assert_eq!(store.client_keys.list().await.unwrap().len(), 1);
    assert!(!directory.path().join(FILE).exists());
}
