use super::*;
use HostCheck::{Broken, Foreign, Ours};
use byok_config::CorsOrigin;
use byok_types::Secret;
use http::{HeaderMap, HeaderName, Uri};
use std::time::{Duration, Instant};

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.append(HeaderName::from_static(name), value.parse().unwrap());
    }
    map
}

#[test]
fn only_our_names_with_our_port_pass() {
    let hosts = Hosts::new("0.0.0.0", ["host.docker.internal".to_owned(), "::ffff".to_owned()], 8018);
    for (host, expected) in [
        (Some("localhost"), Ours),
        (Some("localhost:8018"), Ours),
        (Some("LOCALHOST.:8018"), Ours),
        (Some("127.0.0.1:8018"), Ours),
        (Some("[::1]:8018"), Ours),
        (Some("[::1]"), Ours),
        (Some("host.docker.internal:8018"), Ours),
        (Some("localhost:80"), Foreign),
        (Some("localhost.evil.com"), Foreign),
        (Some("127.0.0.1.nip.io"), Foreign),
        (Some("127.1"), Foreign),
        (Some("0x7f000001"), Foreign),
        (Some("2130706433"), Foreign),
        (Some("0.0.0.0:8018"), Foreign),
        (Some("evil.test"), Foreign),
        (Some("evil.test:8018"), Foreign),
        (None, Broken),
        (Some(""), Broken),
        (Some("a b"), Broken),
        (Some("localhost:80x"), Broken),
        (Some("localhost:99999"), Broken),
        (Some("user@localhost"), Broken),
        (Some("[::1"), Broken),
        (Some(":8018"), Broken),
    ] {
        assert_eq!(hosts.check(host), expected, "{host:?}");
    }
}

#[test]
fn a_request_has_one_host() {
    let plain: Uri = "/v1".parse().unwrap();
    let absolute: Uri = "http://localhost:8018/v1".parse().unwrap();
    assert_eq!(host_of(&plain, &headers(&[("host", "a")])), Some("a"));
    assert_eq!(host_of(&plain, &headers(&[("host", "a"), ("host", "a")])), None);
    assert_eq!(host_of(&plain, &headers(&[])), None);
    assert_eq!(host_of(&absolute, &headers(&[("host", "localhost:8018")])), Some("localhost:8018"));
    assert_eq!(host_of(&absolute, &headers(&[("host", "evil.test")])), None);
    assert_eq!(host_of(&absolute, &headers(&[])), Some("localhost:8018"));
}

#[test]
fn pages_are_refused_unless_listed() {
    let listed =
        ["http://localhost:3000", "vscode-webview://"].map(|o| CorsOrigin::try_from(o.to_owned()).unwrap());
    let refused = |origin: &str| OriginCheck::Refused(origin.to_owned());
    for (pairs, expected) in [
        (&[][..], OriginCheck::None),
        (&[("origin", "http://localhost:8018")], OriginCheck::None),
        (&[("origin", "http://localhost:8018"), ("sec-fetch-site", "same-origin")], OriginCheck::None),
        (&[("sec-fetch-site", "none")], OriginCheck::None),
        (&[("sec-fetch-site", "cross-site")], refused("(cross-site page)")),
        (&[("sec-fetch-site", "same-site")], refused("(same-site page)")),
        (&[("origin", "null")], refused("null")),
        (&[("origin", "http://evil.test")], refused("http://evil.test")),
        (&[("origin", "http://localhost:9999")], refused("http://localhost:9999")),
        (
            &[("origin", "http://localhost:3000"), ("sec-fetch-site", "cross-site")],
            OriginCheck::Listed("http://localhost:3000".into()),
        ),
    ] {
        assert_eq!(check_origin(&headers(pairs), "localhost:8018", &listed), expected, "{pairs:?}");
    }
}

#[test]
fn keys_are_found_in_every_place() {
    for (uri, pairs, expected, contradictory, beside) in [
        ("/", &[("authorization", "Bearer k")][..], Some("k"), false, false),
        ("/", &[("authorization", "bearer k")], Some("k"), false, false),
        ("/", &[("authorization", "Basic k")], None, false, false),
        ("/", &[("x-api-key", "k")], Some("k"), false, false),
        ("/", &[("x-goog-api-key", "k")], Some("k"), false, false),
        ("/", &[("api-key", "k")], Some("k"), false, false),
        ("/?alt=sse&key=k%2Bx%", &[], Some("k+x%"), false, false),
        ("/?key=a", &[("x-api-key", "a")], Some("a"), false, false),
        ("/?key=a", &[("x-api-key", "b")], Some("b"), true, false),
        ("/", &[("authorization", "Bearer k"), ("x-goog-api-key", "placeholder")], Some("k"), false, false),
        ("/", &[("authorization", "Bearer vendor"), ("x-byok-key", "k")], Some("k"), false, true),
        ("/", &[], None, false, false),
    ] {
        let found = shown(&uri.parse().unwrap(), &headers(pairs));
        let key = found.key.as_ref().map(Secret::expose);
        assert_eq!(
            (key, found.contradictory, found.beside),
            (expected, contradictory, beside),
            "{uri} {pairs:?}"
        );
    }
}

#[test]
fn wrong_keys_are_counted_by_address() {
    let throttle = Throttle::default();
    let (now, address) = (Instant::now(), [127, 0, 0, 1].into());
    for _ in 0..20 {
        assert_eq!(throttle.blocked(address, 20, now), None);
        throttle.wrong(address, now);
    }
    assert_eq!(throttle.blocked(address, 20, now), Some(Duration::from_mins(1)));
    assert_eq!(throttle.blocked([127, 0, 0, 2].into(), 20, now), None);
    assert_eq!(throttle.blocked(address, 20, now + Duration::from_secs(61)), None);
}

#[test]
fn content_types_and_proxies() {
    for (kind, is) in [
        ("application/json", true),
        ("Application/JSON; charset=utf-8", true),
        ("application/vnd.api+json", true),
        ("text/plain", false),
        ("text/json+json", false),
        ("application/x-www-form-urlencoded", false),
        ("", false),
    ] {
        assert_eq!(is_json(kind), is, "{kind}");
    }
    for (name, is) in [
        ("forwarded", true),
        ("via", true),
        ("x-forwarded-for", true),
        ("cf-ray", true),
        ("x-api-key", false),
    ] {
        assert_eq!(came_through_a_proxy(&headers(&[(name, "x")])), is, "{name}");
    }
}
