//! A generation request: checked, then answered as its scenario wants.

use super::{checked_body, headers, maker, refused, refused_headers, request_id};
use crate::{
    answer::{self, Answer, Part},
    anthropic,
    asked::Asked,
    bench,
    call::Call,
    codex,
    compatible::{self, Server},
    gemini,
    ids::Ids,
    openai_chat,
    plan::Plan,
    refusal::Refusal,
    responses,
    scenario::{Cause, Script, Trouble},
    server::Reply,
    sse::{self, Frame},
    trouble::{self, Circumstances},
    world::World,
};
use byok_types::Dialect;
use serde_json::Value;

/// What the path says about a generation request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Target {
    /// Model, where the path names it.
    pub(crate) model: Option<String>,
    /// Whether to stream, where the path says it.
    pub(crate) stream: Option<bool>,
    /// Whether a stream is one JSON array.
    pub(crate) array: bool,
    /// Whether answers stand in the envelope of Code Assist.
    pub(crate) envelope: bool,
    /// A compatible server with rules of its own.
    pub(crate) server: Option<Server>,
}

/// A checked request with everything that its answer needs.
pub(crate) struct Turn<'a> {
    pub(crate) world: &'a World,
    pub(crate) asked: &'a Asked,
    pub(crate) answer: &'a Answer,
    pub(crate) ids: Ids,
    pub(crate) key: &'a str,
    /// The request as it was sent.
    pub(crate) body: &'a Value,
}

/// Answers a generation request.
pub(crate) fn generate(world: &World, call: &Call, dialect: Dialect, target: &Target) -> Reply {
    if let Some(reply) = bench::reply(world, call, dialect, target) {
        return reply;
    }
    let generation =
        Generation { world, call, dialect, target, ids: world.ids.next(), key: call.key(dialect) };
    generation.answer().unwrap_or_else(|refusal| generation.refused(&refusal))
}

/// A request that is being answered.
struct Generation<'a> {
    world: &'a World,
    call: &'a Call,
    dialect: Dialect,
    target: &'a Target,
    ids: Ids,
    key: &'a str,
}

impl Generation<'_> {
    fn answer(&self) -> Result<Reply, Refusal> {
        let body = checked_body(self.world, self.call, self.dialect)?;
        self.validate(&body)?;
        let asked = self.read(&body);
        let script =
            Script::read(self.key, &asked.text, self.call.header("x-sim-scenario")).map_err(|bad| {
                let kind = if self.dialect == Dialect::Gemini {
                    "INVALID_ARGUMENT"
                } else {
                    "invalid_request_error"
                };
                Refusal::new(400, kind, bad.to_string())
            })?;
        Ok(self.play(&body, &asked, &script).late(script.late))
    }

    fn validate(&self, body: &Value) -> Result<(), Refusal> {
        let (world, call) = (self.world, self.call);
        match self.dialect {
            Dialect::Messages => anthropic::validate(world, call, body),
            Dialect::Chat => {
                openai_chat::validate(call, body)?;
                self.target.server.map_or(Ok(()), |server| compatible::validate(server, body))
            }
            Dialect::Responses => responses::validate(world, call, body),
            Dialect::Gemini => gemini::validate(world, call, body, self.target),
        }
    }

    fn read(&self, body: &Value) -> Asked {
        match self.dialect {
            Dialect::Messages => anthropic::read(body),
            Dialect::Chat => openai_chat::read(body),
            Dialect::Responses => responses::read(self.world, body),
            Dialect::Gemini => gemini::read(body, self.target),
        }
    }

    fn play(&self, body: &Value, asked: &Asked, script: &Script) -> Reply {
        if let Some((cause, wait)) = self.cause(asked, script) {
            if cause == Cause::BadGateway {
                return Reply::html(502, "<html><head><title>502 Bad Gateway</title></head></html>\n");
            }
            return self.refused(&trouble::refusal(cause, &self.circumstances(asked, wait)));
        }
        if let Some(reply) = script.trouble.and_then(|trouble| trouble::special(trouble, asked.stream)) {
            return reply;
        }
        let mut headers = headers(self.world, self.call, self.dialect, self.ids);
        if Plan::Codex.marks(self.key) {
            let told = codex::limits(self.world.now()).into_iter();
            headers.extend(told.map(|(name, value)| (name.to_owned(), value)));
        }
        headers.extend(trouble::padding(script));
        if script.overage && self.dialect == Dialect::Messages {
            anthropic::charge_extra(&mut headers);
        }
        if script.overage && Plan::Xai.marks(self.key) {
            self.world.go_beyond("xai");
        }
        if script.trouble == Some(Trouble::ErrorOk) {
            return Reply::json(
                200,
                headers,
                &self.server_error(asked).body(self.dialect, &self.request_id()),
            );
        }
        let cached = self.world.cache.tokens_read(self.key, asked);
        let answer = answer::compose(asked, script, cached);
        let turn = Turn { world: self.world, asked, answer: &answer, ids: self.ids, key: self.key, body };
        let streams = asked.stream && !script.wire.unstreamed;
        if streams { self.stream(&turn, script, headers) } else { self.whole(&turn, script, headers) }
    }

    /// Why this request is refused although it is well formed.
    fn cause(&self, asked: &Asked, script: &Script) -> Option<(Cause, Option<u64>)> {
        let model = crate::models::find(maker(self.dialect), &asked.model);
        if model.is_some_and(|model| asked.prompt_tokens() > model.context) {
            return Some((Cause::ContextTooLong, None));
        }
        match script.trouble {
            Some(Trouble::Refuse(cause, wait)) => Some((cause, wait)),
            Some(Trouble::Fail { times, cause }) => {
                self.world.must_fail(self.key, cause, times).then_some((cause, None))
            }
            Some(Trouble::FirstEvent | Trouble::MidError(_) | Trouble::BareError(_)) if !asked.stream => {
                Some((Cause::Overloaded, None))
            }
            _ => None,
        }
    }

    fn circumstances<'b>(&'b self, asked: &'b Asked, wait: Option<u64>) -> Circumstances<'b> {
        Circumstances {
            dialect: self.dialect,
            key: self.key,
            model: &asked.model,
            tokens: asked.prompt_tokens(),
            now: self.world.now(),
            wait,
        }
    }

    /// The error that breaks a stream.
    fn server_error(&self, asked: &Asked) -> Refusal {
        let overloaded = self.dialect == Dialect::Messages;
        let cause = if overloaded { Cause::Overloaded } else { Cause::Unavailable };
        trouble::refusal(cause, &self.circumstances(asked, None))
    }

    fn request_id(&self) -> String {
        request_id(self.dialect, self.ids)
    }

    /// The refusal as an HTTP answer. Google wraps it in an array where a stream would have been one.
    fn refused(&self, refusal: &Refusal) -> Reply {
        if !((self.target.array || self.target.envelope) && self.target.stream == Some(true)) {
            return refused(refusal, self.dialect, self.ids);
        }
        let body = refusal.body(self.dialect, &self.request_id());
        let headers = refused_headers(refusal, self.dialect, self.ids);
        Reply::json(refusal.status, headers, &Value::Array(vec![body]))
    }

    fn whole(&self, turn: &Turn<'_>, script: &Script, headers: Vec<(String, String)>) -> Reply {
        let body = match self.dialect {
            Dialect::Messages => anthropic::whole(turn),
            Dialect::Chat => openai_chat::whole(turn),
            Dialect::Responses => responses::whole(turn),
            Dialect::Gemini => gemini::whole(turn),
        };
        let body = if self.target.envelope { in_envelope(&body) } else { body };
        let steps =
            trouble::break_whole(body.to_string().into_bytes(), script.trouble, first_text(turn.answer));
        Reply::whole(headers, self.dialect, steps, script.wire)
    }

    fn stream(&self, turn: &Turn<'_>, script: &Script, headers: Vec<(String, String)>) -> Reply {
        let array = self.target.array;
        let codex = Plan::Codex.marks(self.key);
        let mut frames: Vec<Frame> = match self.dialect {
            Dialect::Messages => anthropic::stream(turn),
            Dialect::Chat => openai_chat::stream(turn),
            Dialect::Responses if codex => codex::dressed(responses::stream(turn)),
            Dialect::Responses => responses::stream(turn),
            Dialect::Gemini => gemini::stream(turn, array),
        };
        if self.target.envelope {
            for frame in &mut frames {
                let chunk = frame.text.trim_start_matches("data: ").trim_end();
                frame.text =
                    format!("data: {{\"response\":{chunk},\"traceId\":\"5eed\",\"metadata\":{{}}}}\r\n\r\n");
            }
        }
        let error = self.server_error(turn.asked);
        let document = error.body(self.dialect, &self.request_id());
        let frame = |number: usize| match self.dialect {
            Dialect::Messages => anthropic::error_frame(&document),
            Dialect::Chat => openai_chat::error_frame(&document),
            Dialect::Responses => responses::error_frame(turn, &error, number),
            Dialect::Gemini => gemini::error_frame(&document, number, array),
        };
        let bare = format!("{document:#}\n");
        let items = trouble::broken_items(frames, script.trouble, frame, &bare, first_text(turn.answer));
        let steps = sse::lay_out(items, script, self.dialect, self.world.options.pace);
        Reply::stream(headers, self.dialect, array, steps, script.wire)
    }
}

/// An answer as Code Assist sends it.
fn in_envelope(body: &Value) -> Value {
    serde_json::json!({"response": body, "traceId": "5eed", "metadata": {}})
}

/// Text of the first delta.
fn first_text(answer: &Answer) -> &str {
    let text = |part: &Part| matches!(part, Part::Text { .. });
    answer
        .parts
        .iter()
        .find(|part| text(part))
        .and_then(|part| part.pieces().first())
        .map_or("", String::as_str)
}
