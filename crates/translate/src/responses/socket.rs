//! Responses over a WebSocket: one message of the client is one request, one event of an answer is one message.

use crate::scan::{Scan, splice};
use byok_types::Failure;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

const KEYS: [&str; 4] = ["type", "generate", "stream", "background"];

/// A request that came as a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Create {
    /// The body as it would have been posted, with `stream` set.
    pub body: Bytes,
    /// Whether an answer is wanted; without it the items are only to be remembered.
    pub generate: bool,
}

impl Create {
    /// Reads a message.
    pub fn of(message: &Bytes) -> Result<Self, Failure> {
        let scan = Scan::of_keys(message, &KEYS)?;
        match scan.string(message, "type").as_deref() {
            Some("response.create") => {}
            other => {
                let shown: String = other.unwrap_or("(none)").chars().take(60).collect();
                return Err(Failure::bad_request(
                    "type",
                    format!("`{shown}` is no message that byok takes here. Send `response.create`."),
                ));
            }
        }
        let generate = match scan.text(message, "generate") {
            None | Some("true" | "null") => true,
            Some("false") => false,
            Some(_) => return Err(Failure::bad_request("generate", "`generate` must be true or false.")),
        };
        let mut body = message.clone();
        // One after the other: two that stand side by side share a comma.
        for key in ["type", "generate"] {
            let edit = Scan::of_keys(&body, &KEYS)?.remove(&body, key);
            body = splice(&body, edit.into_iter().collect());
        }
        let scan = Scan::of_keys(&body, &KEYS)?;
        if scan.text(&body, "stream") != Some("true") {
            body = splice(&body, vec![scan.set("stream", "true")]);
        }
        Ok(Self { body, generate })
    }
}

/// Whether an answer is over with this event.
pub fn is_last(event: &str) -> bool {
    #[derive(Deserialize)]
    struct Kind {
        #[serde(rename = "type")]
        kind: String,
    }
    const LAST: [&str; 4] = ["response.completed", "response.incomplete", "response.failed", "error"];
    // Most events are deltas, and say none of these words.
    LAST.iter().any(|word| event.contains(word))
        && serde_json::from_str::<Kind>(event).is_ok_and(|read| LAST.contains(&read.kind.as_str()))
}

/// A refusal as an event: `body` is that of the HTTP answer.
pub fn refused<'a>(status: u16, headers: impl Iterator<Item = (&'a str, &'a str)>, body: &[u8]) -> String {
    let read: Value = serde_json::from_slice(body).unwrap_or_default();
    let stated = read.get("error").filter(|error| error.is_object()).cloned();
    let error = stated.unwrap_or_else(|| {
        let words = read["detail"].as_str().map_or_else(|| String::from_utf8_lossy(body), Into::into);
        json!({"type": "invalid_request_error", "code": null, "message": words, "param": null})
    });
    let headers: serde_json::Map<String, Value> =
        headers.map(|(name, value)| (name.to_owned(), value.into())).collect();
    json!({"type": "error", "status": status, "error": error, "headers": headers}).to_string()
}

/// The events of a request that wants no answer.
pub fn remembered(id: &str, model: &str, created: i64) -> [String; 2] {
    let response = |status: &str| {
        json!({
            "id": id, "object": "response", "created_at": created, "status": status, "error": null,
            "incomplete_details": null, "instructions": null, "metadata": {}, "model": model, "output": [],
            "parallel_tool_calls": true, "previous_response_id": null, "store": false, "temperature": null,
            "tool_choice": "auto", "tools": [], "top_p": null, "usage": null,
        })
    };
    let event = |kind: &str, number: u32, status: &str| {
        json!({"type": kind, "sequence_number": number, "response": response(status)}).to_string()
    };
    [event("response.created", 0, "in_progress"), event("response.completed", 1, "completed")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_become_bodies() {
        for (message, body, generate) in [
            (
                r#"{"type":"response.create","model":"m","input":[1e5]}"#,
                r#"{"stream":true,"model":"m","input":[1e5]}"#,
                true,
            ),
            (
                r#"{"model":"m","type":"response.create","generate":false}"#,
                r#"{"stream":true,"model":"m"}"#,
                false,
            ),
            (
                r#"{"generate":true,"type":"response.create","stream":true, "model":"m"}"#,
                r#"{"stream":true, "model":"m"}"#,
                true,
            ),
            (r#"{"stream":false,"type" : "response.create" }"#, r#"{"stream":true }"#, true),
            (r#"{"type":"response.create"}"#, r#"{"stream":true}"#, true),
        ] {
            let read = Create::of(&Bytes::from(message)).unwrap();
            assert_eq!((&read.body[..], read.generate), (body.as_bytes(), generate), "{message}");
            assert!(serde_json::from_slice::<Value>(&read.body).is_ok(), "{message}");
        }
        for (message, param) in [
            (r#"{"type":"response.steer"}"#, "type"),
            (r#"{"model":"m"}"#, "type"),
            (r#"{"type":"response.create","generate":1}"#, "generate"),
            (r#"{"type":"response.create","type":"response.create"}"#, "type"),
            ("hello", "body"),
        ] {
            let failure = Create::of(&Bytes::from(message)).unwrap_err();
            assert_eq!(failure.param.as_deref(), Some(param), "{message}");
        }
    }

    #[test]
    fn an_answer_is_over_with_its_last_event() {
        for (event, last) in [
            (r#"{"response":{},"type":"response.completed"}"#, true),
            (r#"{"type":"response.incomplete"}"#, true),
            (r#"{"type":"response.failed"}"#, true),
            (r#"{"type":"error","code":"x"}"#, true),
            (r#"{"type":"response.output_text.delta","delta":"response.completed error"}"#, false),
            (r#"{"type":"response.created","response":{"error":null}}"#, false),
            ("error", false),
        ] {
            assert_eq!(is_last(event), last, "{event}");
        }
    }

    #[test]
    fn refusals_keep_the_vendors_words() {
        let headers = [("retry-after", "7")];
        for (body, path, expected) in [
            (r#"{"error":{"code":"x","message":"no"}}"#, "/error/code", "x"),
            (r#"{"detail":"Unsupported"}"#, "/error/message", "Unsupported"),
            ("<html>", "/error/message", "<html>"),
            (r#"{"error":{}}"#, "/headers/retry-after", "7"),
        ] {
            let event: Value =
                serde_json::from_str(&refused(429, headers.into_iter(), body.as_bytes())).unwrap();
            assert_eq!(event.pointer(path).and_then(Value::as_str), Some(expected), "{body}");
            assert_eq!((&event["type"], &event["status"]), (&json!("error"), &json!(429)));
        }
        let event: Value = serde_json::from_str(&refused(503, [].into_iter(), b"busy")).unwrap();
        let error = json!({"type": "invalid_request_error", "code": null, "message": "busy", "param": null});
        assert_eq!(event, json!({"type": "error", "status": 503, "error": error, "headers": {}}));
    }

    #[test]
    fn what_is_only_remembered_is_answered_at_once() {
        let expected = |kind: &str, number: u32, status: &str| {
            json!({"type": kind, "sequence_number": number, "response": {
                "id": "resp_1", "object": "response", "created_at": 5, "status": status, "error": null,
                "incomplete_details": null, "instructions": null, "metadata": {}, "model": "m", "output": [],
                "parallel_tool_calls": true, "previous_response_id": null, "store": false, "temperature": null,
                "tool_choice": "auto", "tools": [], "top_p": null, "usage": null,
            }})
        };
        let events = remembered("resp_1", "m", 5).map(|event| serde_json::from_str::<Value>(&event).unwrap());
        let created = expected("response.created", 0, "in_progress");
        assert_eq!(events, [created, expected("response.completed", 1, "completed")]);
    }
}
