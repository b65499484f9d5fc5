use super::Host;
use url::Url;

fn host(text: &str) -> Option<Host> {
    Host::of(&Url::parse(text).unwrap()).ok()
}

#[test]
fn equal_hosts_and_different_hosts() {
    let same = [
        ("https://api.example.com/v1", "https://API.example.com:443/other?x=1"),
        ("http://[::1]:80/", "http://[0:0::1]/"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("http://127.0.0.1:9/", "http://2130706433:9/"),
    ];
    for (a, b) in same {
        assert_eq!(host(a), host(b), "{a} and {b}");
    }
    let different = [
        ("https://api.example.com/", "http://api.example.com/"),
        ("https://api.example.com/", "https://api.example.com:444/"),
        ("https://api.example.com/", "https://api.example.com.evil.test/"),
        ("https://api.example.com/", "https://api.example.com./"),
    ];
    for (a, b) in different {
        assert_ne!(host(a), host(b), "{a} and {b}");
    }
}

#[test]
fn refused_urls() {
    for text in [
        "ftp://example.com/",
        "file:///etc/passwd",
        "https://user@example.com/",
        "https://u:p@example.com/",
        "data:,x",
    ] {
        assert_eq!(host(text), None, "{text}");
    }
}

#[test]
fn loopback_names() {
    let cases = [
        ("http://localhost:1/", true),
        ("http://api.localhost/", true),
        ("http://127.0.0.1/", true),
        ("http://127.9.9.9/", true),
        ("http://[::1]/", true),
        ("http://0x7f.1/", true),
        ("http://10.0.0.1/", false),
        ("http://0.0.0.0/", false),
        ("http://[::]/", false),
        ("http://localhost.example.com/", false),
        ("http://127.0.0.1.example.com/", false),
        ("http://notlocalhost/", false),
    ];
    for (text, expected) in cases {
        assert_eq!(host(text).unwrap().is_loopback(), expected, "{text}");
    }
}

#[test]
fn display_is_short_and_without_path() {
    let cases = [
        ("https://api.example.com/v1/messages?key=sk-1", "https://api.example.com"),
        ("https://api.example.com:8443/", "https://api.example.com:8443"),
        ("http://[::1]:9/", "http://[::1]:9"),
    ];
    for (text, expected) in cases {
        assert_eq!(host(text).unwrap().to_string(), expected);
    }
}
