use super::{InvalidProxy, ProxyChoice};

#[test]
fn parsing() {
    let good = [
        ("direct", "direct"),
        ("system", "system"),
        (" socks5h://127.0.0.1:1080 ", "socks5h://127.0.0.1:1080"),
        ("socks5://u:p@[::1]:1080", "socks5://[::1]:1080"),
        ("http://user:secret@proxy.example.com:3128", "http://proxy.example.com:3128"),
        ("https://proxy.example.com", "https://proxy.example.com"),
    ];
    for (text, shown) in good {
        let choice: ProxyChoice = text.parse().unwrap();
        assert_eq!(choice.to_string(), shown, "{text}");
        assert!(!format!("{choice:?}").contains("secret"));
    }
    for text in ["", "none at all", "127.0.0.1:1080", "ftp://x", "socks4://x:1", "http://", "socks5://"] {
        assert_eq!(text.parse::<ProxyChoice>(), Err(InvalidProxy), "{text}");
    }
}
