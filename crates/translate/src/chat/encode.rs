//! Writing requests.

mod messages;
mod parts;
mod reasoning;
mod tools;
mod verbatim;

use super::object::Object;
use crate::{
    Ids, Losses, NameRules, Names, Translated, content_id, emulate,
    ir::{Failure, OutputFormat, Part, Request, Role},
    json_hint,
    loss::Places,
    responses::bounded,
    schema, size,
};
use byok_types::{Dialect, MaxTokensField, ModelFacts, StructuredOutput};

/// Writes the body of `POST …/chat/completions` for a model with these facts.
///
/// Towards servers that are not the vendor's own (`ModelFacts::first_party`) only the members are written that all of them
/// take, because many refuse a body with a member that they do not know. Fails with a 400 that names the field where
/// leaving something out would change the meaning.
pub fn encode_request(
    request: &Request,
    facts: &ModelFacts,
    _ids: &mut Ids,
) -> Result<Translated<Vec<u8>>, Failure> {
    let mut encoder = Encoder {
        request,
        facts,
        names: Names::of(request, NameRules::of(Dialect::Chat, facts)),
        native: request.dialect == Dialect::Chat,
        places: Places::of(request),
        losses: Losses::default(),
    };
    let mut out = Vec::with_capacity(size::of_body(request));
    let mut body = Object::open(&mut out);
    encoder.body(&mut body)?;
    body.close();
    Ok(encoder.losses.attach(out))
}

struct Encoder<'a> {
    request: &'a Request,
    facts: &'a ModelFacts,
    names: Names,
    /// Whether the client speaks this dialect too: then it knows what its upstream takes, and nothing is held back.
    native: bool,
    places: Places<'a>,
    losses: Losses,
}

impl Encoder<'_> {
    fn body(&mut self, body: &mut Object<'_>) -> Result<(), Failure> {
        self.refuse_state()?;
        body.text("model", &self.facts.id);
        let out = body.member("messages");
        let start = out.len();
        self.messages(out)?;
        if out[start..] == *b"[]" {
            let field = match self.request.dialect {
                Dialect::Responses => "input",
                Dialect::Gemini => "contents",
                Dialect::Chat | Dialect::Messages => "messages",
            };
            let why = "holds nothing that this upstream can be told: send at least one message with text";
            return Err(Failure::bad_request(field, format!("`{field}` {why}.")));
        }
        self.tools(body);
        self.web_search_options(body);
        self.stream(body);
        self.reasoning(body);
        self.format(body);
        self.sampling(body);
        self.max_tokens(body);
        self.output_kinds(body);
        self.account(body);
        if self.native {
            body.all(self.request.extra.of(Dialect::Chat));
        }
        for field in self.request.extra.lost_towards(Dialect::Chat) {
            self.losses.dropped(field, "Chat has no such field");
        }
        Ok(())
    }

    /// State that only its own vendor has: without it the answer would be to another question.
    fn refuse_state(&mut self) -> Result<(), Failure> {
        let state = &self.request.state;
        let refuse = |field: &str, why: &str| Err(Failure::bad_request(field, format!("`{field}` {why}.")));
        if let Some(field) = self.request.only_sound().filter(|_| !self.native) {
            return refuse(field, "asks for sound alone, and this upstream answers in text");
        }
        if state.previous_response_id.is_some() {
            let why = "names a response that is not stored here: send the whole conversation in `input`, or set \
                 `stored_responses.enabled` in the config of byok";
            return refuse("previous_response_id", why)
                .map_err(|failure| failure.with_code("previous_response_not_found"));
        }
        if state.conversation.is_some() {
            return refuse(
                "conversation",
                "cannot be used with this upstream: send the whole conversation in `input`",
            );
        }
        if state.prompt.is_some() {
            return refuse("prompt", "cannot be used with this upstream: send the prompt itself");
        }
        if state.background == Some(true) {
            return refuse(
                "background",
                "cannot be used with this upstream: leave it out and wait for the answer",
            );
        }
        if self.request.cache.cached_content.is_some() {
            return refuse("cachedContent", "cannot be used with this upstream: send the content itself");
        }
        if state.context_management.is_some() {
            self.losses.dropped("context_management", "Chat has no such field");
        }
        if state.container.is_some() {
            self.losses.dropped("container", "Chat has no such field");
        }
        if self.request.max_tool_calls.is_some() {
            self.losses.dropped("max_tool_calls", "Chat has no such field");
        }
        let reasoning = &self.request.reasoning;
        for (field, said) in [
            ("truncation", state.truncation.is_some()),
            ("reasoning.context", reasoning.context.is_some()),
            ("reasoning.mode", reasoning.mode.is_some()),
            (
                "cache_control",
                !self.native && (self.request.cache.hint.is_some() || self.request.has_cache_marks()),
            ),
        ] {
            if said {
                self.losses.silent(field, "Chat has no such field");
            }
        }
        Ok(())
    }

    /// Usage is always asked for: the client's own wish decides only whether it sees the chunk.
    fn stream(&self, body: &mut Object<'_>) {
        let options = &self.request.stream_options;
        if !self.request.stream {
            if self.native {
                body.value("stream", &false);
            }
            return;
        }
        body.value("stream", &true);
        body.object("stream_options", |object| {
            object.value("include_usage", &true);
            if self.native {
                object.maybe("include_obfuscation", options.include_obfuscation);
                object.all(options.extra.of(Dialect::Chat));
            }
        });
    }

    /// Whether the schema is enforced by a tool that the model must call.
    fn forces_json_tool(&self) -> bool {
        self.facts.structured_output == StructuredOutput::ForcedTool
            && matches!(self.request.output_format, OutputFormat::JsonSchema { .. })
    }

    /// What has to be said in words, because the upstream has no field for it. OpenAI refuses `json_object` unless the
    /// word JSON occurs in the messages.
    fn format_hint(&mut self) -> Option<String> {
        let hint = match &self.request.output_format {
            OutputFormat::JsonObject if !self.native && !json_hint::is_spoken_of(self.request) => {
                json_hint::OBJECT.to_owned()
            }
            OutputFormat::JsonSchema { schema, .. }
                if self.facts.structured_output == StructuredOutput::Hint =>
            {
                json_hint::by_schema(schema)
            }
            OutputFormat::Opaque(_) => json_hint::by_values(&self.request.output_format)?,
            _ => return None,
        };
        if json_hint::is_said(self.request, &hint) {
            return None;
        }
        self.losses.emulated("output_format", "the form of the answer is also asked for in the instructions");
        Some(hint)
    }

    fn format(&mut self, body: &mut Object<'_>) {
        match &self.request.output_format {
            OutputFormat::Text => {}
            OutputFormat::JsonObject => body.object("response_format", |f| f.text("type", "json_object")),
            OutputFormat::JsonSchema { .. } if self.facts.structured_output != StructuredOutput::Native => {}
            OutputFormat::JsonSchema { name, description, schema, strict, extra } => {
                // Claude and Gemini always enforce; OpenAI does so only for schemas of its strict subset.
                let strict = match strict {
                    None if !self.native => Some(schema::is_openai_strict(schema)),
                    said => *said,
                };
                body.object("response_format", |format| {
                    format.text("type", "json_schema");
                    format.object("json_schema", |inner| {
                        inner.text("name", &format_name(name.as_deref()));
                        inner.maybe_text("description", description.as_deref());
                        if self.native {
                            inner.json("schema", schema);
                        } else {
                            inner.json("schema", &schema::with_items(schema));
                        }
                        inner.maybe("strict", strict);
                        inner.all(extra.of(Dialect::Chat));
                    });
                });
            }
            OutputFormat::Opaque(opaque) if opaque.dialect == Dialect::Chat => {
                body.json("response_format", &opaque.json);
            }
            // Told in the instructions.
            form @ OutputFormat::Opaque(_) if json_hint::by_values(form).is_some() => {}
            OutputFormat::Opaque(_) => self.losses.dropped("output_format", "Chat has no such form"),
        }
        if self.native || self.facts.first_party {
            body.maybe("verbosity", self.request.verbosity.as_deref());
        } else if self.request.verbosity.is_some() {
            self.losses.silent("verbosity", "the upstream may not know the field");
        }
    }

    fn sampling(&mut self, body: &mut Object<'_>) {
        let (said, facts) = (&self.request.sampling, self.facts);
        let mut allowed = |name: &str, value: Option<f64>, allowed: bool| {
            if value.is_some() && !allowed {
                self.losses.silent(name, "the model does not take it");
            }
            value.filter(|_| allowed)
        };
        body.maybe("temperature", allowed("temperature", said.temperature, facts.temperature));
        body.maybe("top_p", allowed("top_p", said.top_p, facts.top_p));
        body.maybe("top_k", allowed("top_k", said.top_k, self.native && facts.top_k));
        body.maybe("frequency_penalty", said.frequency_penalty);
        body.maybe("presence_penalty", said.presence_penalty);
        body.maybe("seed", said.seed);
        if let Some(bias) = &said.logit_bias {
            body.json("logit_bias", bias);
        }
        let wanted = self.request.include.iter().any(|name| name == "message.output_text.logprobs");
        let implied = (!self.native && (wanted || said.top_logprobs.is_some())).then_some(true);
        // Models that take no sampling refuse these, too.
        let shown = self.native || facts.temperature;
        if !shown && (said.logprobs == Some(true) || said.top_logprobs.is_some()) {
            self.losses.dropped("logprobs", "the model tells no probabilities");
        }
        body.maybe("logprobs", said.logprobs.or(implied).filter(|_| shown));
        body.maybe("top_logprobs", said.top_logprobs.filter(|_| shown));
        body.maybe("n", said.n.filter(|n| self.native || *n > 1));
        // Some servers refuse a bare string, and all refuse an empty one.
        let mut stops: Vec<_> = said.stop.iter().filter(|stop| !stop.is_empty()).collect();
        let most = emulate::most_stops(Dialect::Chat);
        if stops.len() > most && !self.native {
            stops.truncate(most);
            if emulate::own_stops(self.request, Dialect::Chat).is_empty() {
                self.losses.dropped("stop", "the upstream takes four stop sequences at most");
            } else {
                self.losses.emulated("stop", emulate::CUT);
            }
        }
        if !stops.is_empty() {
            body.value("stop", &stops);
        }
    }

    fn max_tokens(&mut self, body: &mut Object<'_>) {
        let Some(cap) = self.request.max_tokens else { return };
        let value = match self.facts.max_output_tokens {
            Some(most) if !self.native => cap.value.min(u64::from(most)),
            _ => cap.value,
        };
        if value != cap.value {
            self.losses.silent("max_tokens", "the model cannot put out that much");
        }
        match self.facts.max_tokens_field {
            MaxTokensField::MaxTokens => body.value("max_tokens", &value),
            MaxTokensField::MaxCompletionTokens => body.value("max_completion_tokens", &value),
            MaxTokensField::Omit => self.losses.silent("max_tokens", "the upstream refuses the field"),
        }
    }

    /// Sound and pictures in the answer.
    fn output_kinds(&mut self, body: &mut Object<'_>) {
        let request = self.request;
        let audio = request.audio_output.as_ref();
        let own_audio = audio.filter(|audio| audio.dialect == Dialect::Chat);
        if audio.is_some() && own_audio.is_none() {
            self.losses.dropped("speechConfig", "Chat describes voices in its own way");
        }
        if request.image_output.is_some() {
            self.losses.dropped("imageConfig", "Chat has no such field");
        }
        let mut kinds: Vec<_> = request.modalities.iter().map(String::as_str).collect();
        if !self.native {
            kinds.retain(|kind| match *kind {
                "text" => true,
                "image" => !self.facts.first_party,
                _ => false,
            });
            if kinds.len() < request.modalities.len() {
                self.losses.dropped("responseModalities", "the upstream answers in text only");
            }
            // Text alone is what everybody answers in.
            kinds = if kinds == ["text"] { Vec::new() } else { kinds };
        }
        if !kinds.is_empty() {
            body.value("modalities", &kinds);
        }
        if let Some(audio) = own_audio {
            body.json("audio", &audio.json);
        }
        if let Some(prediction) = &request.prediction {
            body.json("prediction", prediction);
        }
    }

    /// Who asks, on which terms, and what may be kept.
    fn account(&mut self, body: &mut Object<'_>) {
        let request = self.request;
        let safety = request.safety.as_ref();
        // OpenAI's two dialects share the field.
        let openai =
            |dialect| dialect == Dialect::Chat || (dialect == Dialect::Responses && self.facts.first_party);
        if let Some(safety) = safety.filter(|safety| openai(safety.dialect)) {
            body.json("moderation", &safety.json);
        } else if safety.is_some() {
            self.losses.silent("safety", "Chat has no such field");
        }
        if !self.native && !self.facts.first_party {
            self.hold_back();
            return;
        }
        body.maybe("service_tier", self.service_tier().as_deref());
        body.maybe("store", request.store.filter(|store| self.native || !store));
        if !self.native && request.store == Some(true) {
            self.losses.silent("store", "byok keeps no answers at the vendor on behalf of other dialects");
        }
        // OpenAI takes labels only for answers that it stores.
        if self.native {
            if !request.metadata.is_empty() {
                body.object("metadata", |labels| labels.all(&request.metadata));
            }
        } else if !request.metadata.is_empty() {
            self.losses.silent("metadata", "kept only with stored answers");
        }
        let user = request.end_user.user.as_deref();
        if request.dialect == Dialect::Messages {
            // What Messages calls a user id is longer than OpenAI takes.
            body.maybe("safety_identifier", user.map(bounded).as_deref());
        } else {
            body.maybe("user", user);
            body.maybe("safety_identifier", request.end_user.safety_identifier.as_deref());
        }
        let shared = matches!(request.dialect, Dialect::Chat | Dialect::Responses);
        body.maybe("prompt_cache_key", self.cache_key().as_deref());
        if shared {
            body.maybe("prompt_cache_retention", request.cache.retention.as_deref());
            body.maybe("prompt_cache_options", request.cache.options.as_ref());
        }
    }

    /// What tells OpenAI that requests belong to one conversation, so that they find each other's cache. A client of another
    /// dialect has no word for it; how its conversation begins is as good.
    fn cache_key(&self) -> Option<String> {
        let request = self.request;
        if self.native {
            return request.cache.key.clone();
        }
        if let Some(key) = &request.cache.key {
            return Some(bounded(key));
        }
        let text = |parts: &[Part]| {
            parts.iter().find_map(|part| match part {
                Part::Text(text) if !text.text.starts_with(messages::BILLING_BLOCK) => {
                    Some(text.text.clone())
                }
                _ => None,
            })
        };
        let first = request.messages.iter().find(|message| message.role == Role::User);
        let first = first.and_then(|message| text(&message.parts));
        let system = text(&request.system).unwrap_or_default();
        first.map(|first| content_id("byok-", &[&system, &first]))
    }

    /// Members that only OpenAI is known to take.
    fn hold_back(&mut self) {
        let request = self.request;
        let tier = request.service_tier.as_deref();
        let usual = request.has_usual_tier();
        let reason = "the upstream may not know the field";
        for (field, is_said) in [
            ("service_tier", tier.is_some() && !usual),
            ("speed", request.speed.as_deref() == Some("fast")),
            ("user", request.end_user.user.is_some()),
            ("safety_identifier", request.end_user.safety_identifier.is_some()),
            ("prompt_cache_key", request.cache.key.is_some()),
        ] {
            if is_said {
                self.losses.dropped(field, reason);
            }
        }
        for (field, is_said) in [
            ("service_tier", tier.is_some() && usual),
            ("store", request.store.is_some()),
            ("metadata", !request.metadata.is_empty()),
            ("prompt_cache_retention", request.cache.retention.is_some()),
            ("prompt_cache_options", request.cache.options.is_some()),
        ] {
            if is_said {
                self.losses.silent(field, reason);
            }
        }
    }

    fn service_tier(&mut self) -> Option<String> {
        let request = self.request;
        if self.native {
            return request.service_tier.clone();
        }
        if request.speed.as_deref() == Some("fast") {
            return Some("priority".to_owned());
        }
        match request.service_tier.as_deref()? {
            tier @ ("auto" | "default" | "flex" | "scale" | "priority" | "fast") => Some(tier.to_owned()),
            "unspecified" => Some("auto".to_owned()),
            "standard" | "standard_only" => Some("default".to_owned()),
            _ => {
                self.losses.dropped("service_tier", "the upstream has no such tier");
                None
            }
        }
    }
}

/// The name of a schema: OpenAI demands one, of at most 64 letters, digits, `_` and `-`.
fn format_name(name: Option<&str>) -> String {
    let keep = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let name = name.filter(|name| !name.is_empty()).unwrap_or("response");
    name.chars().map(|c| if keep(c) { c } else { '_' }).take(64).collect()
}

#[cfg(test)]
mod tests;
