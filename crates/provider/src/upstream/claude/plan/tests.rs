use super::*;

fn told(windows: &[Window]) -> Vec<String> {
    windows
        .iter()
        .map(|w| {
            format!("{} {:?} {:.2} {:?}", w.name, w.scope.as_deref().unwrap_or("-"), w.used, w.resets_at)
        })
        .collect()
}

#[test]
fn headers_tell_fractions() {
    let headers: HeaderMap = [
        ("anthropic-ratelimit-unified-5h-utilization", "0.42"),
        ("anthropic-ratelimit-unified-5h-reset", "1800000000"),
        ("anthropic-ratelimit-unified-7d-utilization", "1.05"),
        ("anthropic-ratelimit-unified-7d_oi-utilization", "nonsense"),
    ]
    .into_iter()
    .map(|(name, value)| (name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap()))
    .collect();
    assert_eq!(
        told(&windows_of_headers(&headers)),
        ["5 hours \"-\" 0.42 Some(1800000000)", "week \"-\" 1.05 None"]
    );
}

#[test]
fn the_endpoint_tells_per_cent() {
    let old = br#"{"five_hour":{"utilization":37.0,"resets_at":"2027-01-15T08:00:00+00:00"},"seven_day":null,"seven_day_opus":{"utilization":5,"resets_at":null}}"#;
    assert_eq!(
        told(&windows_of_usage(old)),
        ["5 hours \"-\" 0.37 Some(1800000000)", "week \"Opus\" 0.05 None"]
    );
    let new = br#"{"five_hour":{"utilization":1},"seven_day":{"utilization":9},"limits":[{"kind":"session","percent":12,"resets_at":"2027-01-15T08:00:00Z","scope":null},
        {"kind":"weekly_scoped","percent":80,"resets_at":null,"scope":{"model":{"display_name":"Fable"}}},{"kind":7}]}"#;
    assert_eq!(
        told(&windows_of_usage(new)),
        ["5 hours \"-\" 0.12 Some(1800000000)", "week \"Fable\" 0.80 None", "week \"-\" 0.09 None"]
    );
    for nothing in ["", "[]", "{}", "<html>"] {
        assert_eq!(windows_of_usage(nothing.as_bytes()), Vec::new(), "{nothing}");
    }
}
