use super::*;

#[test]
fn paths_stay_below_the_address() {
    let base = "https://vendor.example/api/v1/";
    for (path, expected) in [
        ("/models", Some("https://vendor.example/api/v1/models")),
        ("/files/a%2Fb?x=1&y=..", Some("https://vendor.example/api/v1/files/a%2Fb?x=1&y=..")),
        ("/a//b/", Some("https://vendor.example/api/v1/a//b/")),
        ("/models/m:generate?alt=sse", Some("https://vendor.example/api/v1/models/m:generate?alt=sse")),
        ("/@evil.example/x", Some("https://vendor.example/api/v1/@evil.example/x")),
        ("/https://evil.example/", Some("https://vendor.example/api/v1/https://evil.example/")),
        ("/..", None),
        ("/../v2/keys", None),
        ("/./x", None),
        ("/a/../../../keys", None),
        ("/%2e%2e/keys", None),
        ("/.%2E/keys", None),
        ("/%252e%252e/keys", None),
        ("/%25252e%25252e%252fkeys", None),
        ("/%25252525252525252525252541", None),
        ("/..%2fkeys", None),
        ("/..\\keys", None),
        ("/a%5c..%5ckeys", None),
        ("/a%0d%0ab", None),
        ("@evil.example/", None),
        (".evil.example/", None),
        (":443@evil.example/", None),
        ("", None),
    ] {
        let found = below(base, path).ok().map(String::from);
        assert_eq!(found.as_deref(), expected, "{path}");
    }
}

#[test]
fn what_belongs_to_the_connection_or_the_caller_stays() {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("authorization", "Bearer k"),
        ("x-api-key", "k"),
        ("x-goog-api-key", "k"),
        ("api-key", "k"),
        ("x-byok-key", "k"),
        ("cookie", "c"),
        ("host", "h"),
        ("connection", "keep-alive, X-Hop"),
        ("x-hop", "1"),
        ("te", "trailers"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "websocket"),
        ("proxy-authorization", "p"),
        ("forwarded", "for=1"),
        ("x-forwarded-for", "1"),
        ("cf-ray", "1"),
        ("sec-websocket-key", "1"),
        ("expect", "100-continue"),
        ("content-length", "3"),
        ("accept-encoding", "br"),
        ("content-type", "application/json"),
        ("openai-beta", "assistants=v2"),
        ("user-agent", "curl/8"),
    ] {
        headers.append(http::HeaderName::from_static(name), value.parse().unwrap());
    }
    let on = travelling(&headers);
    let mut names: Vec<_> = on.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-type", "openai-beta", "user-agent"]);
}

#[test]
fn geminis_embeddings_are_renamed_in_every_place() {
    for (body, expected) in [
        (r#"{"content":{"parts":[{"text":"model"}]}}"#, r#"{"content":{"parts":[{"text":"model"}]}}"#),
        (r#"{ "model" : "models/mine","content":{}}"#, r#"{ "model" : "models/m\"1","content":{}}"#),
        (
            r#"{"requests":[{"model":"models/mine", "content":{}},{"content":{},"model":"mine"},{"content":{}}]}"#,
            r#"{"requests":[{"model":"models/m\"1", "content":{}},{"content":{},"model":"models/m\"1"},{"content":{}}]}"#,
        ),
        (r#"{"requests":7,"model":"models/mine"}"#, r#"{"requests":7,"model":"models/mine"}"#),
        ("no json", "no json"),
    ] {
        let body = Bytes::from(body);
        let edits = renamed(&body, "m\"1");
        assert_eq!(splice(&body, edits), expected.as_bytes());
    }
}
