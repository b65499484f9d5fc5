use super::*;
use http::Request;

fn route(method: &str, target: &str, header: Option<(&str, &str)>) -> Route {
    let mut request = Request::builder().method(method).uri(target);
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    Route::of(&request.body(()).unwrap().into_parts().0)
}

#[test]
fn paths_lead_where_the_vendors_put_them() {
    let gemini = |stream, array| {
        Route::Generate(
            Dialect::Gemini,
            Target {
                model: Some("gemini-2.5-pro".to_owned()),
                stream: Some(stream),
                array,
                envelope: false,
                server: None,
            },
        )
    };
    let cases = [
        ("POST", "/v1/messages?beta=true", Route::Generate(Dialect::Messages, Target::default())),
        ("POST", "/v1/messages/count_tokens", Route::Count(Dialect::Messages, None)),
        ("POST", "/v1/chat/completions", Route::Generate(Dialect::Chat, Target::default())),
        ("POST", "/v1/responses", Route::Generate(Dialect::Responses, Target::default())),
        ("POST", "/v1/responses/input_tokens", Route::Count(Dialect::Responses, None)),
        ("POST", "/v1beta/models/gemini-2.5-pro:generateContent", gemini(false, false)),
        ("POST", "/v1/models/gemini-2.5-pro:streamGenerateContent?alt=sse", gemini(true, false)),
        ("POST", "/v1beta/models/gemini-2.5-pro:streamGenerateContent", gemini(true, true)),
        (
            "POST",
            "/v1beta/models/gemini-2.5-pro%3AcountTokens",
            Route::Count(Dialect::Gemini, Some("gemini-2.5-pro".to_owned())),
        ),
        ("GET", "/v1beta/models", Route::Models(Dialect::Gemini, None)),
        ("GET", "/v1/models", Route::Models(Dialect::Chat, None)),
        ("GET", "/v1/models/gpt-5", Route::Models(Dialect::Chat, Some("gpt-5".to_owned()))),
        ("POST", "/compat/api/paas/v4/chat/completions", Route::Generate(Dialect::Chat, Target::default())),
        ("POST", "/compat/responses", Route::Generate(Dialect::Responses, Target::default())),
        ("POST", "/compat/anthropic/v1/messages", Route::Generate(Dialect::Messages, Target::default())),
        ("GET", "/compat/v1/models", Route::Models(Dialect::Chat, None)),
        ("GET", "/compat/openrouter/api/v1/models", Route::ListOf(Server::OpenRouter)),
        ("GET", "/compat/vllm/v1/models", Route::ListOf(Server::Vllm)),
        ("GET", "/compat/bare/v1/models", Route::Nowhere),
        ("POST", "/v1/v1/chat/completions", Route::Nowhere),
        ("POST", "/compat/v1/completions", Route::Nowhere),
        ("GET", "/v1/messages", Route::Nowhere),
        ("POST", "/v1/completions", Route::Beside(Neighbour::Completions, None)),
        ("POST", "/v1/responses/compact", Route::Beside(Neighbour::Compact, None)),
        (
            "POST",
            "/v1beta/models/m:embedContent",
            Route::Beside(Neighbour::EmbedContent, Some("m".to_owned())),
        ),
        ("GET", "/v1/embeddings", Route::Nowhere),
        ("GET", "/", Route::Nowhere),
    ];
    for (method, target, expected) in cases {
        assert_eq!(route(method, target, None), expected, "{method} {target}");
    }
}

#[test]
fn the_shared_list_of_models_is_told_apart_by_headers() {
    let cases = [
        ("/v1/models", "anthropic-version", Dialect::Messages),
        ("/v1/models", "x-goog-api-key", Dialect::Gemini),
        ("/v1/models?key=x", "x-other", Dialect::Gemini),
        ("/v1/models", "authorization", Dialect::Chat),
    ];
    for (target, header, dialect) in cases {
        assert_eq!(route("GET", target, Some((header, "x"))), Route::Models(dialect, None), "{header}");
    }
}
