use super::*;
use byok_auth::{Vendors, Wish};
use byok_store::Store;
use byok_types::Secret;
use std::sync::Arc;

struct Nobody;

impl Vendors for Nobody {
    fn names(&self) -> Vec<String> {
        Vec::new()
    }

    fn offer(&self, _: &str) -> Option<Offer> {
        None
    }

    fn transport(&self) -> Result<byok_transport::Transport, byok_transport::TransportError> {
        byok_transport::Transport::new(byok_transport::TransportOptions::default())
    }
}

fn parts(method: &str, target: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

#[test]
fn who_may_ask() {
    let desk = Desk::new(Store::memory(), Arc::new(Nobody));
    let public = Some(url::Url::parse("https://login.example.org").unwrap());
    let _token: Secret = desk.issue(Wish { public, ..Wish::default() });
    let hosts = Hosts::new("127.0.0.1", ["box.lan".to_owned()], 8018);
    let throttle = Throttle::default();
    let front = Front { desk: &desk, hosts: &hosts, throttle: &throttle, wrong_per_minute: 20 };
    let ours = ("host", "127.0.0.1:8018");
    let navigation = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    for (method, headers, expected) in [
        ("GET", vec![ours], None),
        ("POST", vec![ours, ("origin", "http://127.0.0.1:8018")], None),
        ("POST", vec![ours, ("sec-fetch-site", "same-origin")], None),
        ("GET", vec![("host", "box.lan:8018")], None),
        ("GET", vec![("host", "login.example.org")], None),
        ("GET", vec![("host", "LOGIN.example.org:443")], None),
        ("POST", vec![("host", "localhost:8018"), ("origin", "https://login.example.org")], None),
        // A link in a mail or a chat.
        ("GET", [&[ours, ("sec-fetch-site", "cross-site")][..], &navigation].concat(), None),
        ("POST", [&[ours, ("sec-fetch-site", "cross-site")][..], &navigation].concat(), Some(403)),
        ("GET", vec![ours, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")], Some(403)),
        (
            "GET",
            vec![
                ours,
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-dest", "iframe"),
            ],
            Some(403),
        ),
        ("POST", vec![ours, ("origin", "null")], Some(403)),
        ("POST", vec![ours, ("origin", "http://evil.test")], Some(403)),
        ("POST", vec![ours, ("origin", "http://localhost:3000")], Some(403)),
        ("POST", vec![ours, ("origin", "http://login.example.org.evil.test")], Some(403)),
        ("GET", vec![("host", "evil.test:8018")], Some(421)),
        ("GET", vec![("host", "127.0.0.1:9999")], Some(421)),
        ("GET", vec![("host", "login.example.org.evil.test")], Some(421)),
        ("GET", vec![], Some(400)),
        ("GET", vec![ours, ours], Some(400)),
    ] {
        let refused = check(front, &parts(method, "/v0/oauth/claude", &headers)).err();
        assert_eq!(refused.map(|Refused(status, ..)| status.as_u16()), expected, "{method} {headers:?}");
    }
}

#[test]
fn what_is_asked_for() {
    for (method, target, expected) in [
        ("GET", "/v0/oauth", Some((None, Method::Look))),
        ("GET", "/v0/oauth/", Some((None, Method::Look))),
        ("HEAD", "/v0/oauth/claude", Some((Some("claude"), Method::Look))),
        ("POST", "/v0/oauth/claude", Some((Some("claude"), Method::Open))),
        ("POST", "/v0/oauth/claude/start", Some((Some("claude"), Method::Start))),
        ("POST", "/v0/oauth/claude/code", Some((Some("claude"), Method::Code))),
        ("GET", "/v0/oauth/claude/start", None),
        ("PUT", "/v0/oauth/claude", None),
        ("POST", "/v0/oauth/claude/start/x", None),
        ("GET", "/v0/oauth/claude/callback", None),
    ] {
        let found = Asked::read(&parts(method, target, &[]));
        let expected =
            expected.map(|(provider, method)| Asked { provider: provider.map(str::to_owned), method });
        assert_eq!(found, expected, "{method} {target}");
    }
    for (path, expected) in
        [("/v0/oauth", true), ("/v0/oauth/claude", true), ("/v0/oauthx", false), ("/v1/v0/oauth", false)]
    {
        assert_eq!(is_ours(path), expected, "{path}");
    }
}

#[test]
fn forms_and_json() {
    let read = |kind: &str, body: &str| {
        let parts = parts("POST", "/", &[("content-type", kind)]);
        Form::read(&parts.headers, body.as_bytes())
    };
    for (kind, body) in [
        ("application/x-www-form-urlencoded", "method=idc&idc.region=eu+1&social.region=x&claim=a&claim=b"),
        ("application/json", r#"{"method":"idc","region":"eu 1","social.region":"x","claim":["a","b"]}"#),
    ] {
        let mut form = read(kind, body).unwrap();
        assert_eq!(form.take("method").as_deref(), Some("idc"));
        assert_eq!(form.take_all("claim"), ["a", "b"]);
        let answers = form.answers("idc");
        assert_eq!(answers, [("region".to_owned(), "eu 1".to_owned())].into(), "{kind}");
    }
    for (kind, body) in [
        ("text/plain", "token=x"),
        ("application/json", "[]"),
        ("application/json", "{"),
        ("application/json", r#"{"a":1}"#),
        ("application/json", r#"{"a":[{}]}"#),
    ] {
        assert!(read(kind, body).is_none(), "{body}");
    }
}

#[test]
fn sessions_and_tokens_stand_in_their_places() {
    let of = |headers: &[(&str, &str)]| asked::session_key(&parts("GET", "/", headers).headers);
    assert_eq!(of(&[("cookie", "a=b; byok-login=key; c=d")]).as_deref(), Some("key"));
    assert_eq!(of(&[("authorization", "Bearer key")]).as_deref(), Some("key"));
    assert_eq!(of(&[("cookie", "xbyok-login=key"), ("authorization", "Basic key")]), None);
    let token = |target: &str| asked::token_of(&parts("GET", target, &[]));
    assert_eq!(token("/v0/oauth/x?a=b&token=t%2B").as_deref(), Some("t+"));
    assert_eq!(token("/v0/oauth/x"), None);
}

#[test]
fn nothing_of_others_is_markup() {
    let text = "<script>alert('1')</script> & \"x\"\u{1b}[2J";
    let shown = page::escaped(text);
    assert_eq!(shown, "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;x&quot; [2J");
    let response = Page::plain(StatusCode::FORBIDDEN, "<b>", text).response(false);
    assert_eq!(response.status(), 403);
    let policy = response.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.headers()["x-frame-options"], "DENY");
}
