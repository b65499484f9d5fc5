use super::*;

#[test]
fn waiting_times_in_every_form() {
    let now = httpdate::parse_http_date("Fri, 20 Nov 2026 12:00:00 GMT").unwrap();
    for (name, value, expected) in [
        ("retry-after", "7", Some(7_000)),
        ("retry-after", " 0.5 ", Some(500)),
        ("retry-after", "-3", Some(0)),
        ("retry-after", "Fri, 20 Nov 2026 12:01:00 GMT", Some(60_000)),
        ("retry-after", "Fri, 20 Nov 2026 11:00:00 GMT", None),
        ("retry-after", "soon", None),
        ("retry-after-ms", "1500", Some(1_500)),
        ("x-other", "7", None),
    ] {
        let headers = HeaderMap::from_iter([(http::HeaderName::from_static(name), value.parse().unwrap())]);
        let found = retry_after(&headers, now).map(|wait| wait.as_millis());
        assert_eq!(found, expected, "{name}: {value}");
    }
}
