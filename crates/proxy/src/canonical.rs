//! Paths as people write them. Base URLs are pasted with and without `/v1`, twice, and with a slash too many.

use byok_types::Dialect;
use http::HeaderMap;

/// How paths begin whose `/v1` may be missing.
const BARE: [&str; 9] = [
    "chat",
    "responses",
    "messages",
    "models",
    "completions",
    "embeddings",
    "images",
    "audio",
    "moderations",
];

/// The path that our routes know.
pub(crate) fn canonical(path: &str) -> String {
    // What follows is the vendor's.
    if path.starts_with("/passthrough/") {
        return path.to_owned();
    }
    let mut segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    // Google's SDKs ask for either; what byok serves is the same.
    let versions = ["v1", "v1beta", "v1alpha", "v1beta1"];
    for version in segments.iter_mut().take_while(|segment| versions.contains(segment)) {
        if versions[2..].contains(version) {
            *version = "v1beta";
        }
    }
    for version in ["v1", "v1beta"] {
        while segments.len() > 1 && segments[0] == version && segments[1] == version {
            segments.remove(0);
        }
    }
    // `…/v1` as base of a Gemini client that adds its own version.
    if segments.first() == Some(&"v1") && segments.get(1) == Some(&"v1beta") {
        segments.remove(0);
    }
    let bare = BARE.contains(segments.first().unwrap_or(&""));
    if bare {
        segments.insert(0, "v1");
    }
    format!("/{}", segments.join("/"))
}

/// The dialect that a request speaks as far as its path and headers tell; for errors of requests that have no route.
pub(crate) fn dialect_of(path: &str, headers: &HeaderMap) -> Dialect {
    if path.starts_with("/v1beta")
        || path.starts_with("/v1alpha")
        || path.contains(":generateContent")
        || path.contains(":streamGenerateContent")
        || path.contains(":countTokens")
        || path.contains(":embedContent")
        || path.contains(":batchEmbedContents")
    {
        Dialect::Gemini
    } else if path.starts_with("/v1/messages") || headers.contains_key("anthropic-version") {
        Dialect::Messages
    } else if path.starts_with("/v1/responses") {
        Dialect::Responses
    } else if headers.contains_key("x-goog-api-key") && !headers.contains_key("authorization") {
        Dialect::Gemini
    } else {
        Dialect::Chat
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_as_people_write_them() {
        for (path, expected) in [
            ("/v1/chat/completions", "/v1/chat/completions"),
            ("/chat/completions", "/v1/chat/completions"),
            ("/v1/v1/chat/completions", "/v1/chat/completions"),
            ("//v1//messages/", "/v1/messages"),
            ("/messages/count_tokens", "/v1/messages/count_tokens"),
            ("/models", "/v1/models"),
            ("/v1/v1/audio/speech", "/v1/audio/speech"),
            ("/embeddings", "/v1/embeddings"),
            ("/passthrough/codex//v1/x/", "/passthrough/codex//v1/x/"),
            ("/v1beta/models/m:generateContent", "/v1beta/models/m:generateContent"),
            ("/v1beta/v1beta/models/m:countTokens", "/v1beta/models/m:countTokens"),
            ("/v1/v1beta/models", "/v1beta/models"),
            ("/v1alpha/models/m:generateContent", "/v1beta/models/m:generateContent"),
            ("/v1beta1/models/v1alpha", "/v1beta/models/v1alpha"),
            ("/v1/v1alpha/models", "/v1beta/models"),
            ("/", "/"),
            ("/amp/v1/chat/completions", "/amp/v1/chat/completions"),
            ("/health", "/health"),
        ] {
            assert_eq!(canonical(path), expected, "{path}");
        }
    }

    #[test]
    fn dialects_by_path_and_headers() {
        let mut anthropic = HeaderMap::new();
        anthropic.insert("anthropic-version", "x".parse().unwrap());
        let none = HeaderMap::new();
        for (path, headers, expected) in [
            ("/v1/messages", &none, Dialect::Messages),
            ("/v1/unknown", &anthropic, Dialect::Messages),
            ("/v1beta/x", &none, Dialect::Gemini),
            ("/v1alpha/x", &none, Dialect::Gemini),
            ("/v1/models/m:generateContent", &none, Dialect::Gemini),
            ("/v1/models/m:countTokens", &none, Dialect::Gemini),
            ("/v1/models/m:embedContent", &none, Dialect::Gemini),
            ("/v1/models/m:batchEmbedContents", &none, Dialect::Gemini),
            ("/v1/responses/x", &none, Dialect::Responses),
            ("/nowhere", &none, Dialect::Chat),
        ] {
            assert_eq!(dialect_of(path, headers), expected, "{path}");
        }
    }
}
