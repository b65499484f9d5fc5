//! The answers, made up.

use super::{Asked, Neighbour};
use crate::{
    body::Step,
    ids::Ids,
    models::Maker,
    refusal::Refusal,
    scenario::{Script, Trouble},
    server::Reply,
    sse::{self, Frame, Role},
    trouble,
    world::World,
};
use byok_types::Dialect;
use serde_json::{Value, json};

/// Chunks of speech, and the bytes of each.
const SPEECH: (usize, usize) = (4, 512);

/// A checked request with everything that its answer needs.
pub(super) struct Turn<'a> {
    pub(super) world: &'a World,
    pub(super) key: &'a str,
    pub(super) ids: Ids,
    pub(super) asked: &'a Asked,
    pub(super) script: &'a Script,
}

impl Turn<'_> {
    pub(super) fn answer(
        &self,
        neighbour: Neighbour,
        body: &Value,
        headers: Vec<(String, String)>,
        request_id: &str,
    ) -> Reply {
        let tokens = self.asked.words.len().div_ceil(4);
        let usage = json!({"prompt_tokens": tokens, "total_tokens": tokens});
        let embedding = |at: usize| json!([0.5, -0.25, f64::from(u32::try_from(at).unwrap_or(0))]);
        let document = match neighbour {
            Neighbour::Completions if self.asked.stream => {
                return self.completion_stream(headers, request_id);
            }
            Neighbour::Speech => return self.speech(headers),
            Neighbour::Transcriptions | Neighbour::Translations if body["response_format"] == "text" => {
                return with_type(
                    headers,
                    "text/plain; charset=utf-8",
                    vec![Step::Data("Simulated words.\n".into())],
                );
            }
            Neighbour::Completions => self.completion("Simulated completion.", Some("stop"), Some(tokens)),
            Neighbour::Embeddings => {
                let count = body["input"].as_array().map_or(1, Vec::len);
                let data: Vec<Value> = (0..count)
                    .map(|at| json!({"object": "embedding", "index": at, "embedding": embedding(at)}))
                    .collect();
                json!({"object": "list", "data": data, "model": self.asked.model, "usage": usage})
            }
            Neighbour::ImageGenerations | Neighbour::ImageEdits | Neighbour::ImageVariations => json!({
                "created": self.ids.created(), "data": [{"b64_json": "iVBORw0KGgo="}],
                "usage": {"input_tokens": tokens, "output_tokens": 7, "total_tokens": tokens + 7},
            }),
            Neighbour::Transcriptions | Neighbour::Translations => {
                json!({"text": format!("Simulated words of {} bytes.", body["file"]["bytes"])})
            }
            Neighbour::Moderations => json!({
                "id": self.ids.hex("modr-", 0, 24), "model": self.asked.model,
                "results": [{"flagged": false, "categories": {}, "category_scores": {}}],
            }),
            Neighbour::Compact => {
                let id = self.ids.hex("cmp_", 0, 40);
                json!({
                    "id": self.ids.hex("resp_", 0, 40), "object": "response.compaction",
                    "created_at": self.ids.created(),
                    "output": [{
                        "id": id, "type": "compaction",
                        "encrypted_content": self.world.seal.issue(Maker::Openai, Some(self.key), &id),
                    }],
                    "usage": {
                        "input_tokens": tokens, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 5,
                        "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": tokens + 5,
                    },
                })
            }
            Neighbour::EmbedContent => json!({"embedding": {"values": embedding(0)}}),
            Neighbour::BatchEmbedContents => {
                let count = body["requests"].as_array().map_or(0, Vec::len);
                let all: Vec<Value> = (0..count).map(|at| json!({"values": embedding(at)})).collect();
                json!({"embeddings": all})
            }
        };
        if self.script.trouble == Some(Trouble::ErrorOk) {
            return Reply::json(200, headers, &overloaded().body(neighbour.dialect(), request_id));
        }
        let steps = trouble::break_whole(document.to_string().into_bytes(), self.script.trouble, "");
        Reply::whole(headers, neighbour.dialect(), steps, self.script.wire)
    }

    fn completion(&self, text: &str, finish: Option<&str>, tokens: Option<usize>) -> Value {
        let usage = tokens.map(
            |tokens| json!({"prompt_tokens": tokens, "completion_tokens": 5, "total_tokens": tokens + 5}),
        );
        json!({
            "id": self.ids.base62("cmpl-", 0, 29), "object": "text_completion", "created": self.ids.created(),
            "model": self.asked.model,
            "choices": [{"text": text, "index": 0, "logprobs": null, "finish_reason": finish}], "usage": usage,
        })
    }

    fn completion_stream(&self, headers: Vec<(String, String)>, request_id: &str) -> Reply {
        let mut frames: Vec<Frame> = (0..self.script.chunks.unwrap_or(5))
            .map(|number| Frame::data(Role::Delta, &self.completion(&format!("word{number} "), None, None)))
            .collect();
        frames.push(Frame::data(Role::End, &self.completion("", Some("stop"), None)));
        frames.push(Frame { role: Role::Done, text: "data: [DONE]\n\n".to_owned() });
        let document = overloaded().body(Dialect::Chat, request_id);
        let error = |_: usize| format!("data: {document}\n\n");
        let items =
            trouble::broken_items(frames, self.script.trouble, error, &document.to_string(), "word0 ");
        let steps = sse::lay_out(items, self.script, Dialect::Chat, self.world.options.pace);
        Reply::stream(headers, Dialect::Chat, false, steps, self.script.wire)
    }

    /// Bytes that are no text, chunk by chunk.
    fn speech(&self, headers: Vec<(String, String)>) -> Reply {
        let chunks = self.script.chunks.unwrap_or(SPEECH.0);
        let mut steps = Vec::new();
        for number in 0..chunks {
            match self.script.trouble {
                Some(Trouble::MidTear(after, tear)) if after == number => {
                    steps.push(Step::Break(tear));
                    break;
                }
                Some(Trouble::StallMid(after)) if after == number => {
                    steps.push(Step::Hang);
                    break;
                }
                _ => {}
            }
            if let Some(gap) = self.script.gap {
                steps.push(Step::Wait(gap));
            }
            let chunk: Vec<u8> =
                (0..SPEECH.1).map(|at| u8::try_from((at * 7 + number) % 256).unwrap_or(0)).collect();
            steps.push(Step::Data(chunk.into()));
        }
        with_type(headers, "audio/mpeg", steps)
    }
}

fn with_type(mut headers: Vec<(String, String)>, kind: &str, steps: Vec<Step>) -> Reply {
    headers.push(("content-type".to_owned(), kind.to_owned()));
    Reply::streamed(200, headers, steps)
}

fn overloaded() -> Refusal {
    Refusal::new(503, "server_error", "The server is overloaded or not ready yet.")
}
