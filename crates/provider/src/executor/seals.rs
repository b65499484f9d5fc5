//! Refusals of sealed reasoning: after one of them the request is made once more without any.

use byok_types::{Failure, FailureKind};

/// Codes of vendors, whatever stands beside them.
const CODES: [&str; 2] = ["invalid_encrypted_content", "thinking_signature_invalid"];

/// What vendors say whose codes tell no more than that the request is wrong.
const WORDS: [&str; 15] = [
    "invalid `signature`",
    "invalid signature",
    "signature in `thinking`",
    "thinking.signature: field required",
    // Of reasoning whose text a client has changed or cut.
    "blocks in the latest assistant message cannot be modified",
    // Of a turn that does not begin with the reasoning that it needs.
    "expected `thinking`",
    // Of a turn of which nothing but reasoning is left at its end.
    "final block in an assistant message cannot be `thinking`",
    "thought signature is not valid",
    "corrupted thought signature",
    "invalid thought signature",
    // Of a call that comes back without the reasoning that led to it.
    "missing a thought_signature",
    "reasoning_opaque",
    "encrypted content",
    "encrypted_content",
    "item_id did not match",
];

/// Whether a vendor refuses a seal in the history: one of another account, of another model, one that a client has cut or
/// thrown away. It may say so by status or in the first event of a stream.
pub(super) fn refuses_seal(failure: &Failure) -> bool {
    let code = failure.code.as_deref().unwrap_or_default();
    if CODES.iter().any(|known| known.eq_ignore_ascii_case(code)) {
        return true;
    }
    let wrong = failure.status == 400 || failure.kind == FailureKind::BadRequest;
    let said = failure.message.to_ascii_lowercase();
    wrong && WORDS.iter().any(|words| said.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;
    use byok_translate::{Exchange, StreamReader, codec, ir::Event, ir::Request};
    use byok_types::{Dialect, ModelFacts};

    #[test]
    #[expect(clippy::too_many_lines, reason = "one table")]
    fn refusals_of_seals_are_told_from_others() {
        for (dialect, status, body, expected) in [
            (
                Dialect::Messages,
                400,
                r#"{"error":{"type":"invalid_request_error","message":"messages.1.content.0: Invalid `signature` in `thinking` block"}}"#,
                true,
            ),
            (
                Dialect::Messages,
                400,
                r#"{"error":{"type":"invalid_request_error","message":"messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `text`."}}"#,
                true,
            ),
            (
                Dialect::Messages,
                400,
                r#"{"error":{"type":"invalid_request_error","message":"messages.1: The final block in an assistant message cannot be `thinking`."}}"#,
                true,
            ),
            (
                Dialect::Messages,
                400,
                r#"{"error":{"type":"invalid_request_error","message":"messages.1.content.0.thinking.signature: Field required"}}"#,
                true,
            ),
            (
                Dialect::Messages,
                400,
                r#"{"error":{"type":"invalid_request_error","message":"messages.1.content.0: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified. These blocks must remain as they were in the original response."}}"#,
                true,
            ),
            (
                Dialect::Messages,
                400,
                r#"{"error":{"type":"invalid_request_error","message":"max_tokens: expected a number"}}"#,
                false,
            ),
            (
                Dialect::Messages,
                529,
                r#"{"error":{"type":"overloaded_error","message":"Expected `thinking`"}}"#,
                false,
            ),
            (
                Dialect::Gemini,
                400,
                r#"{"error":{"code":400,"message":"Thought signature is not valid.","status":"INVALID_ARGUMENT"}}"#,
                true,
            ),
            (
                Dialect::Gemini,
                400,
                r#"{"error":{"code":400,"message":"Corrupted thought signature.","status":"INVALID_ARGUMENT"}}"#,
                true,
            ),
            (
                Dialect::Gemini,
                400,
                r#"{"error":{"code":400,"message":"Function call is missing a thought_signature in functionCall parts.","status":"INVALID_ARGUMENT"}}"#,
                true,
            ),
            (
                Dialect::Chat,
                400,
                r#"{"error":{"message":"reasoning_opaque of a call is missing or unknown","code":"invalid_request_body"}}"#,
                true,
            ),
            (
                Dialect::Gemini,
                400,
                r#"{"error":{"code":400,"message":"Unknown name \"x\"","status":"INVALID_ARGUMENT"}}"#,
                false,
            ),
            (
                Dialect::Responses,
                400,
                r#"{"error":{"message":"The encrypted content gAAA could not be verified.","type":"invalid_request_error"}}"#,
                true,
            ),
            (
                Dialect::Responses,
                400,
                r#"{"error":{"message":"Reasoning item rs_1 could not be verified.","type":"invalid_request_error","code":"invalid_encrypted_content"}}"#,
                true,
            ),
            (
                Dialect::Responses,
                400,
                r#"{"error":{"message":"encrypted content item_id did not match","type":"invalid_request_error"}}"#,
                true,
            ),
            (
                Dialect::Responses,
                400,
                r#"{"error":{"message":"Unknown parameter: 'x'","type":"invalid_request_error","code":"unknown_parameter"}}"#,
                false,
            ),
            (
                Dialect::Responses,
                429,
                r#"{"error":{"message":"Slow down.","code":"rate_limit_exceeded"}}"#,
                false,
            ),
        ] {
            let failure = codec::decode_failure(dialect, status, body.as_bytes());
            assert_eq!(refuses_seal(&failure), expected, "{body}");
        }
        let mut kiro = codec::decode_failure(Dialect::Chat, 400, b"{}");
        kiro.code = Some("THINKING_SIGNATURE_INVALID".to_owned());
        assert!(refuses_seal(&kiro));
    }

    #[test]
    fn they_are_known_in_a_stream_too() {
        for (dialect, stream, expected) in [
            (
                Dialect::Responses,
                "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"id\":\"r\",\"status\":\"in_progress\",\"output\":[]}}\n\nevent: response.failed\ndata: {\"type\":\"response.failed\",\"response\":{\"id\":\"r\",\"status\":\"failed\",\"output\":[],\"error\":{\"code\":\"invalid_encrypted_content\",\"message\":\"It could not be verified.\"}}}\n\n",
                true,
            ),
            (
                Dialect::Responses,
                "event: error\ndata: {\"type\":\"error\",\"code\":\"invalid_encrypted_content\",\"message\":\"It could not be verified.\"}\n\n",
                true,
            ),
            (
                Dialect::Responses,
                "event: error\ndata: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"It broke.\"}\n\n",
                false,
            ),
            (
                Dialect::Messages,
                "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"Invalid `signature` in `thinking` block\"}}\n\n",
                true,
            ),
            (
                Dialect::Gemini,
                "data: {\"error\":{\"code\":400,\"message\":\"Thought signature is not valid.\",\"status\":\"INVALID_ARGUMENT\"}}\r\n\r\n",
                true,
            ),
        ] {
            let request = Request::new(dialect, "m".to_owned());
            let exchange = Exchange::new(&request, &ModelFacts::default(), dialect, 0, "r");
            let mut reader = StreamReader::new(&exchange, 1 << 20);
            let mut events = Vec::new();
            reader.push(stream.as_bytes(), &mut events);
            let failure = events.into_iter().find_map(|event| match event {
                Event::Failure(failure) => Some(failure),
                _ => None,
            });
            let failure = failure.unwrap_or_else(|| panic!("{stream} fails"));
            assert_eq!(refuses_seal(&failure), expected, "{stream}");
            let clients = failure.kind == FailureKind::BadRequest;
            assert_eq!(clients, expected, "no fault of the account: {stream}");
        }
    }
}
