use super::*;

#[test]
fn slips_of_the_fingers_find_the_word() {
    let known = ["api_key", "api_keys", "base_url", "enabled", "port", "models"];
    for (word, expected) in [
        ("api_kye", Some("api_key")),
        ("apiKey", Some("api_key")),
        ("api-keys", Some("api_keys")),
        ("baseurl", Some("base_url")),
        ("BASE_URL", Some("base_url")),
        ("enable", Some("enabled")),
        ("prot", Some("port")),
        ("model", Some("models")),
        ("colour", None),
        ("p", None),
        ("", None),
    ] {
        assert_eq!(nearest(word, &known), expected, "{word}");
    }
}

#[test]
fn distances() {
    for (a, b, expected) in [
        ("", "", 0),
        ("a", "", 1),
        ("ab", "ba", 1),
        ("abc", "abd", 1),
        ("kitten", "sitting", 3),
        ("ca", "abc", 3),
    ] {
        assert_eq!((edits(a, b), edits(b, a)), (expected, expected), "{a} {b}");
    }
}
