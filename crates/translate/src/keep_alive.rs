//! Signs of life between two frames of a stream, for a client that has heard nothing for a while.

use crate::Exchange;
use byok_types::Dialect;
use std::borrow::Cow;

/// The sign that every parser of events skips and no client takes for content: a comment.
pub const KEEP_ALIVE: &[u8] = b": keep-alive\n\n";

const PING: &[u8] = b"event: ping\ndata: {\"type\": \"ping\"}\n\n";

/// What a sign of life can rest on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sign {
    /// The client has had the beginning of the answer.
    pub begun: bool,
    /// The upstream has sent something since the last sign.
    pub heard: bool,
    /// Clients of Chat get an empty chunk: some of them count only what they can parse as life.
    pub chunk: bool,
}

impl Sign {
    /// The frame for the client of this exchange.
    ///
    /// A client of Messages takes a `ping` for a sign of its vendor, so it gets one only while the upstream is heard of:
    /// otherwise it would wait for a dead one without end.
    pub fn frame(self, exchange: &Exchange) -> Cow<'static, [u8]> {
        match exchange.client {
            Dialect::Messages if self.begun && self.heard => PING.into(),
            Dialect::Chat if self.begun && self.chunk => chunk(exchange).into(),
            _ => KEEP_ALIVE.into(),
        }
    }
}

fn chunk(exchange: &Exchange) -> Vec<u8> {
    let chunk = serde_json::json!({
        "id": exchange.ids.clone().next("chatcmpl-"),
        "object": "chat.completion.chunk",
        "created": exchange.created,
        "model": exchange.model,
        "choices": [{"index": 0, "delta": {}, "finish_reason": null}],
    });
    format!("data: {chunk}\n\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::Request;
    use byok_types::ModelFacts;

    #[test]
    fn each_client_gets_the_sign_that_it_stands() {
        const CHUNK: &str = "data: {\"id\":\"chatcmpl-";
        const COMMENT: &str = ": keep-alive\n\n";
        let (begun, heard, chunk) = (true, true, true);
        let cases = [
            (Dialect::Messages, Sign { begun, heard, chunk }, "event: ping\ndata: {\"type\": \"ping\"}\n\n"),
            (Dialect::Messages, Sign { begun, heard: false, chunk }, COMMENT),
            (Dialect::Messages, Sign { begun: false, heard, chunk }, COMMENT),
            (Dialect::Chat, Sign { begun, heard, chunk }, CHUNK),
            (Dialect::Chat, Sign { begun, heard: false, chunk }, CHUNK),
            (Dialect::Chat, Sign { begun, heard, chunk: false }, COMMENT),
            (Dialect::Chat, Sign { begun: false, heard, chunk }, COMMENT),
            (Dialect::Responses, Sign { begun, heard, chunk }, COMMENT),
            (Dialect::Gemini, Sign { begun, heard, chunk }, COMMENT),
        ];
        for (client, sign, wanted) in cases {
            let request = Request::new(client, "m");
            let exchange = Exchange::new(&request, &ModelFacts::default(), Dialect::Responses, 7, "seed");
            let frame = String::from_utf8(sign.frame(&exchange).into_owned()).unwrap();
            assert!(frame.starts_with(wanted) && frame.ends_with("\n\n"), "{client} {sign:?}: {frame}");
        }
    }

    #[test]
    fn an_empty_chunk_is_one_of_the_answer() {
        let exchange = Exchange::new(
            &Request::new(Dialect::Chat, "m"),
            &ModelFacts::default(),
            Dialect::Gemini,
            7,
            "seed",
        );
        let frame = String::from_utf8(chunk(&exchange)).unwrap();
        let chunk: serde_json::Value =
            serde_json::from_str(frame.strip_prefix("data: ").unwrap().trim_end()).unwrap();
        let choices = serde_json::json!([{"index": 0, "delta": {}, "finish_reason": null}]);
        assert_eq!(
            (&chunk["choices"], &chunk["model"], &chunk["created"]),
            (&choices, &"m".into(), &7.into())
        );
        assert_eq!(chunk["id"], exchange.ids.clone().next("chatcmpl-"));
    }
}
