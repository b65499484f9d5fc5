use super::*;

#[test]
fn names_of_machines() {
    let listens: SocketAddr = "0.0.0.0:8018".parse().unwrap();
    for (host, expected) in [
        ("box.lan", Some("http://box.lan:8018/")),
        ("box.lan:9000", Some("http://box.lan:9000/")),
        ("192.168.1.2", Some("http://192.168.1.2:8018/")),
        ("[fd00::1]:9000", Some("http://[fd00::1]:9000/")),
        ("http://box.lan", Some("http://box.lan:8018/")),
        ("https://byok.example.org", Some("https://byok.example.org/")),
        ("https://byok.example.org:8443/", Some("https://byok.example.org:8443/")),
        ("https://byok.example.org/path", None),
        ("https://user@byok.example.org", None),
        ("https://byok.example.org/?a=b", None),
        ("ftp://box.lan", None),
        ("javascript:alert(1)", None),
        ("two words", None),
        ("127.0.0.1:0", None),
        ("https://byok.example.org:0", None),
        ("", None),
    ] {
        let found = public(Some(host), listens).ok().map(String::from);
        assert_eq!(found.as_deref(), expected, "{host}");
    }
}

#[test]
fn where_the_command_listens() {
    let of = |host: &str, bind: Option<&str>| {
        let host = read_host(host).unwrap();
        let (ip, port) = place_of(Some(&host), bind.map(|ip| ip.parse().unwrap()));
        SocketAddr::new(ip, port).to_string()
    };
    assert_eq!(of("box.lan", None), "0.0.0.0:0");
    assert_eq!(of("box.lan:9000", None), "0.0.0.0:9000");
    assert_eq!(of("localhost:9000", None), "127.0.0.1:9000");
    assert_eq!(of("https://byok.example.org:8443", None), "127.0.0.1:0");
    assert_eq!(of("box.lan:9000", Some("192.168.1.2")), "192.168.1.2:9000");
    assert_eq!(of("box.lan:9000", Some("192.168.1.2:80")), "192.168.1.2:80");
    assert_eq!(place_of(None, None).0.to_string(), "0.0.0.0");
}

#[test]
fn the_file_for_the_browser_belongs_to_its_user() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let link = address("http://127.0.0.1:8018", Some("claude"), "token");
    assert_eq!(link, "http://127.0.0.1:8018/v0/oauth/claude#token");
    let file = leading_to(&link, directory.path()).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(fs::read_to_string(&file).unwrap().contains(&format!("url={link}\"")));
    assert!(leading_to(&link, directory.path()).is_ok(), "it is written anew");
}
