use super::*;
use std::time::Duration;

fn made<T: TryFrom<String, Error = &'static str> + std::fmt::Display>(text: &str) -> Option<String> {
    T::try_from(text.to_owned()).ok().map(|value| value.to_string())
}

#[test]
fn durations_are_read_and_shown() {
    for (text, ms, shown) in [
        ("10s", 10_000, "10s"),
        ("10", 10_000, "10s"),
        ("2m", 120_000, "2m"),
        ("90s", 90_000, "1m30s"),
        ("1h 30m", 5_400_000, "1h30m"),
        ("500ms", 500, "500ms"),
        ("1s500ms", 1_500, "1500ms"),
        ("3 min", 180_000, "3m"),
        ("0", 0, "0s"),
    ] {
        let duration = duration::parse(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(duration, Duration::from_millis(ms), "{text}");
        assert_eq!(duration::show(duration), shown);
        assert_eq!(duration::parse(shown), Some(duration), "{shown} is read back");
    }
    for text in ["", "s", "10x", "-1s", "1.5s", "10 s s", "99999999999999999999s", "1d"] {
        assert_eq!(duration::parse(text), None, "{text}");
    }
}

#[test]
fn sizes_are_read_and_shown() {
    for (text, bytes, shown) in [
        ("64MiB", 64 << 20, "64MiB"),
        ("64 mib", 64 << 20, "64MiB"),
        ("1024", 1024, "1KiB"),
        ("1000", 1000, "1000"),
        ("1MB", 1_000_000, "1000000"),
        ("1536KiB", 1536 << 10, "1536KiB"),
        ("2GiB", 2 << 30, "2GiB"),
        ("7B", 7, "7"),
    ] {
        assert_eq!(size::parse(text), Some(bytes), "{text}");
        assert_eq!(size::show(usize::try_from(bytes).unwrap()), shown);
        assert_eq!(size::parse(shown), Some(bytes), "{shown} is read back");
    }
    for text in ["", "MiB", "-1", "1.5MiB", "1TiB", "99999999999GiB"] {
        assert_eq!(size::parse(text), None, "{text}");
    }
}

#[test]
fn host_names() {
    for (text, expected) in [
        ("LocalHost.", Some("localhost")),
        ("127.0.0.1", Some("127.0.0.1")),
        ("[::1]", Some("::1")),
        ("::1", Some("::1")),
        ("host.docker.internal", Some("host.docker.internal")),
        ("my_box", Some("my_box")),
        ("127.1", None),
        ("0x7f000001", None),
        ("2130706433", None),
        ("a b", None),
        ("", None),
        ("-.", Some("-")),
        ("a..b", None),
        ("a:80", None),
        ("http://a", None),
        ("*.local", None),
    ] {
        assert_eq!(made::<HostName>(text).as_deref(), expected, "{text}");
    }
    for (text, loopback) in [
        ("localhost", true),
        ("127.8.8.8", true),
        ("::1", true),
        ("0.0.0.0", false),
        ("localhost.evil.com", false),
    ] {
        assert_eq!(HostName::try_from(text.to_owned()).unwrap().is_loopback(), loopback, "{text}");
    }
}

#[test]
fn origins() {
    for (text, expected) in [
        ("http://localhost:3000", Some("http://localhost:3000")),
        ("HTTPS://App.Example.com:443/", Some("https://app.example.com")),
        ("null", Some("null")),
        ("vscode-webview://", Some("vscode-webview://")),
        ("app://obsidian.md", Some("app://obsidian.md")),
        ("*", None),
        ("http://*.example.com", None),
        ("http://", None),
        ("http://a/b", None),
        ("http://u@a", None),
        ("localhost:3000", None),
        ("", None),
    ] {
        assert_eq!(made::<CorsOrigin>(text).as_deref(), expected, "{text}");
    }
    let matches =
        |listed: &str, header: &str| CorsOrigin::try_from(listed.to_owned()).unwrap().matches(header);
    assert!(matches("http://localhost:3000", "http://localhost:3000"));
    assert!(!matches("http://localhost:3000", "http://localhost:30001"));
    assert!(!matches("http://localhost", "http://localhost.evil.com"));
    assert!(matches("vscode-webview://", "vscode-webview://0a1b2c"));
    assert!(!matches("app://obsidian.md", "app://other"));
    assert!(matches("null", "null") && !matches("http://null", "null"));
}

#[test]
fn patterns() {
    for (pattern, name, fits) in [
        ("gpt-5", "gpt-5", true),
        ("gpt-5", "gpt-5.1", false),
        ("gpt-*", "GPT-5", true),
        ("*-preview", "gemini-3-preview", true),
        ("*-preview", "gemini-3-preview-2", false),
        ("*mini*", "o4-mini-high", true),
        ("a*b*c", "aXbYc", true),
        ("a*b*c", "aXcYb", false),
        ("a*a", "a", false),
        ("*", "", true),
        ("a*b", "ab", true),
        ("a*bc*c", "abc", false),
    ] {
        assert_eq!(Pattern::try_from(pattern.to_owned()).unwrap().matches(name), fits, "{pattern} {name}");
    }
}

#[test]
fn proxies_hide_their_login() {
    for (text, expected) in [
        ("direct", Some("direct")),
        ("socks5://127.0.0.1:1080", Some("socks5://127.0.0.1:1080")),
        ("socks5h://u:p@h:1", Some("socks5h://(login)@h:1")),
        ("http://h", Some("http://h")),
        ("https://u@h:3128/", Some("https://(login)@h:3128")),
        ("ftp://h", None),
        ("h:3128", None),
        ("none", None),
        ("", None),
    ] {
        assert_eq!(made::<Proxy>(text).as_deref(), expected, "{text}");
    }
}

#[test]
fn addresses() {
    let url = HttpUrl::try_from("https://a.example/v1/?key=1".to_owned()).unwrap();
    assert_eq!(url.to_string(), "https://a.example/v1/?…");
    assert_eq!(format!("{url:?}"), "HttpUrl(https://a.example/v1/?…)");
    assert_eq!(url.url().query(), Some("key=1"));
    for (text, base) in [("https://a.example/v1/", "https://a.example/v1"), ("http://a:1", "http://a:1")] {
        assert_eq!(HttpUrl::try_from(text.to_owned()).unwrap().as_base(), base);
    }
    for (text, plain) in [
        ("http://192.168.1.5", true),
        ("http://127.0.0.1:1", false),
        ("http://[::1]", false),
        ("http://x.localhost", false),
        ("http://localhost.evil.com", true),
        ("https://a", false),
    ] {
        assert_eq!(HttpUrl::try_from(text.to_owned()).unwrap().is_plain_remote(), plain, "{text}");
    }
}
