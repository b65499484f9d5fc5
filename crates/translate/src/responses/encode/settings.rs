//! Everything of a request that is neither the conversation nor a tool.

use super::{Encoder, LEAST_OUTPUT};
use crate::{
    Json, content_id, effort,
    effort::ThinkingPlan,
    emulate,
    ir::{
        CustomFormat, Effort, MaxTokensSpelling, OutputFormat, Part, Reasoning, ThinkingSwitch, Visibility,
    },
    json_hint, messages,
    responses::{wire, writer::Object},
    schema,
};
use byok_types::{Dialect, MaxTokensField};
use std::borrow::Cow;

/// Longest `prompt_cache_key`, `user` and `safety_identifier` that `OpenAI` takes.
const LONGEST_KEY: usize = 64;

impl Encoder<'_> {
    /// How the answer is delivered.
    pub(super) fn delivery(&mut self, object: &mut Object<'_>) {
        let request = self.request;
        object.value("stream", &request.stream);
        if self.native {
            let options = &request.stream_options;
            if options.include_obfuscation.is_some() || !options.extra.is_empty() {
                let mut inner = Object::begin(object.member("stream_options"));
                inner
                    .maybe("include_obfuscation", options.include_obfuscation.as_ref())
                    .extras(&options.extra);
                inner.end();
            }
            object.maybe("store", request.store.as_ref());
            return;
        }
        if request.store == Some(true) {
            self.losses.silent("store", "byok keeps no answers at the vendor on behalf of other dialects");
        }
        object.value("store", &false);
    }

    pub(super) fn sampling(&mut self, object: &mut Object<'_>) {
        let sampling = &self.request.sampling;
        let losses = &mut self.losses;
        for (name, value, allowed) in [
            ("temperature", sampling.temperature, self.facts.temperature),
            ("top_p", sampling.top_p, self.facts.top_p),
        ] {
            match value {
                Some(value) if allowed || self.native => {
                    object.value(name, &value);
                }
                Some(_) => losses.silent(name, "the model takes no such setting"),
                None => {}
            }
        }
        let asks = sampling.logprobs == Some(true) || sampling.top_logprobs.is_some();
        if self.tells_logprobs() {
            object.maybe("top_logprobs", sampling.top_logprobs.as_ref());
        } else if asks {
            self.losses.dropped("logprobs", "the model tells no probabilities");
        }
        self.max_tokens(object);
        let losses = &mut self.losses;
        let gemini = self.request.dialect == Dialect::Gemini;
        let place = |common: &str, gemini_name: &str| {
            if gemini { format!("generationConfig.{gemini_name}") } else { common.to_owned() }
        };
        if sampling.top_k.is_some() {
            losses.silent(place("top_k", "topK"), "Responses has no such setting");
        }
        if sampling.frequency_penalty.is_some() {
            losses.silent(place("frequency_penalty", "frequencyPenalty"), "Responses has no such setting");
        }
        if sampling.presence_penalty.is_some() {
            losses.silent(place("presence_penalty", "presencePenalty"), "Responses has no such setting");
        }
        if sampling.seed.is_some() {
            losses.dropped(place("seed", "seed"), "Responses has no such setting");
        }
        if sampling.logit_bias.is_some() {
            losses.dropped("logit_bias", "Responses has no such setting");
        }
        if sampling.stop.iter().any(|text| !text.is_empty()) {
            let name = if self.request.dialect == Dialect::Messages { "stop_sequences" } else { "stop" };
            losses.emulated(place(name, "stopSequences"), emulate::CUT);
        }
    }

    /// Models that take no sampling refuse to tell probabilities, too.
    pub(super) fn tells_logprobs(&self) -> bool {
        self.native || self.facts.temperature
    }

    fn max_tokens(&mut self, object: &mut Object<'_>) {
        let Some(max) = self.request.max_tokens else { return };
        if self.facts.max_tokens_field == MaxTokensField::Omit {
            self.losses.silent("max_output_tokens", "the upstream takes no cap on the output");
            return;
        }
        if self.native {
            object.value("max_output_tokens", &max.value);
            return;
        }
        // A caller of another dialect knows neither the least nor the most that this vendor takes.
        let most = self.facts.max_output_tokens.map_or(u64::MAX, u64::from);
        let value = max.value.min(most).max(LEAST_OUTPUT);
        if value != max.value {
            let name = match max.spelling {
                MaxTokensSpelling::MaxTokens => "max_tokens",
                MaxTokensSpelling::MaxCompletionTokens => "max_completion_tokens",
                MaxTokensSpelling::MaxOutputTokens => "max_output_tokens",
                MaxTokensSpelling::MaxOutputTokensCamel => "generationConfig.maxOutputTokens",
            };
            if value < max.value {
                self.losses.silent(name, "the model cannot put out that much");
            } else {
                self.losses.emulated(name, "raised to 16, the least that the vendor takes");
            }
        }
        object.value("max_output_tokens", &value);
    }

    pub(super) fn thinking(&mut self, object: &mut Object<'_>) {
        let reasoning = &self.request.reasoning;
        let (effort, summary) =
            if self.native { (reasoning.effort, summary(reasoning.visibility)) } else { self.planned() };
        let own = self.native
            && (reasoning.context.is_some() || reasoning.mode.is_some() || !reasoning.extra.is_empty());
        if effort.is_none() && summary.is_none() && !own {
            return;
        }
        let mut inner = Object::begin(object.member("reasoning"));
        inner.maybe_text("effort", effort.map(Effort::name)).maybe_text("summary", summary);
        if self.native {
            inner.maybe_text("context", reasoning.context.as_deref());
            inner.maybe_text("mode", reasoning.mode.as_deref());
            inner.extras(&reasoning.extra);
        }
        inner.end();
    }

    /// Effort and summary for a wish that was written in another dialect.
    fn planned(&mut self) -> (Option<Effort>, Option<&'static str>) {
        let reasoning = &self.request.reasoning;
        let facts = &self.facts.thinking;
        if facts.forms.is_empty() {
            effort::note_unheard(reasoning, facts, &mut self.losses);
            return (None, None);
        }
        let effort = match effort::plan(reasoning, facts) {
            ThinkingPlan::Leave | ThinkingPlan::Dynamic => None,
            ThinkingPlan::Off => Some(Effort::None),
            ThinkingPlan::Adaptive(level) => level,
            ThinkingPlan::Level(level) => Some(level),
            ThinkingPlan::Budget(budget) => Some(effort::nearest(effort::effort_of(budget), facts)),
        };
        let said = effort::level_said(reasoning).unwrap_or(Effort::High);
        let other = effort.is_some_and(|effort| effort != said).then_some(effort::NEAREST);
        if let Some(reason) = effort::change(reasoning, facts).or(other) {
            self.losses.emulated("reasoning", reason);
        }
        // Every client of the other dialects has a place for thinking; who asks for it wants to see it.
        let shown = match reasoning.visibility {
            Visibility::Unset if wants_thinking(reasoning) => Visibility::Auto,
            other => other,
        };
        (effort, if effort == Some(Effort::None) { None } else { summary(shown) })
    }

    pub(super) fn format(&mut self, object: &mut Object<'_>, hint: bool) {
        if hint {
            self.losses.emulated(
                self.word("response_format", "generationConfig.responseMimeType"),
                "the vendor wants the word JSON among the items of the input",
            );
        }
        let in_words = json_hint::by_values(&self.request.output_format).is_some() && !self.native;
        if in_words {
            self.losses.emulated("response_format", "asked for in the instructions");
        }
        let extra = self.request.extra.get(Dialect::Responses, "text").filter(|_| self.native);
        let mut format = Vec::new();
        match &self.request.output_format {
            OutputFormat::Text => {}
            OutputFormat::JsonObject => Object::typed(&mut format, "json_object").end(),
            OutputFormat::JsonSchema { name, description, schema, strict, extra } => {
                let mut inner = Object::typed(&mut format, "json_schema");
                match name {
                    Some(name) if self.native => inner.text("name", name),
                    name => inner.text("name", &schema_name(name.as_deref())),
                };
                inner.maybe_text("description", description.as_deref());
                if self.native {
                    inner.json("schema", schema);
                } else {
                    inner.json("schema", &schema::with_items(schema));
                }
                // Chat's default is not strict; the others always enforce, which OpenAI does only for a subset.
                let strict = match self.request.dialect {
                    Dialect::Responses | Dialect::Chat => *strict,
                    Dialect::Messages | Dialect::Gemini => Some(schema::is_openai_strict(schema)),
                };
                inner.maybe("strict", strict.as_ref()).extras(extra);
                inner.end();
            }
            OutputFormat::Opaque(form) if self.native && form.dialect == Dialect::Responses => {
                format.extend_from_slice(form.json.get().as_bytes());
            }
            OutputFormat::Opaque(_) if in_words => {}
            OutputFormat::Opaque(_) => {
                let field = self.word("response_format", "generationConfig.responseMimeType");
                self.losses.dropped(field, "Responses has no such form of answer");
            }
        }
        if format.is_empty() && self.request.verbosity.is_none() && extra.is_none() {
            return;
        }
        let mut inner = Object::begin(object.member("text"));
        if !format.is_empty() {
            inner.raw("format", &format);
        }
        inner.maybe_text("verbosity", self.request.verbosity.as_deref());
        let members: wire::Pairs = extra.and_then(|e| e.read().ok()).unwrap_or_default();
        for (name, value) in &members.0 {
            inner.json(name, value);
        }
        inner.end();
    }

    /// References to state at the vendor. Only Responses has them.
    pub(super) fn state(&mut self, object: &mut Object<'_>, counting: bool) {
        let state = &self.request.state;
        let safety = self.request.safety.as_ref().filter(|safety| self.takes_moderation(safety.dialect));
        if !self.native {
            // OpenAI's two dialects share the field.
            object.maybe_json("moderation", safety.filter(|_| !counting).map(|safety| &safety.json));
            return;
        }
        object.maybe_text("previous_response_id", state.previous_response_id.as_deref());
        object.maybe_json("conversation", state.conversation.as_ref());
        object.maybe_text("truncation", state.truncation.as_deref());
        if counting {
            return;
        }
        object.maybe_json("prompt", state.prompt.as_ref());
        object.maybe("background", state.background.as_ref());
        object.maybe_json("context_management", state.context_management.as_ref().map(|c| &c.json));
        object.maybe_json("moderation", safety.map(|safety| &safety.json));
    }

    fn takes_moderation(&self, client: Dialect) -> bool {
        client == Dialect::Responses || (client == Dialect::Chat && self.facts.first_party)
    }

    /// Who asks, and how the vendor may account for it and cache it.
    pub(super) fn caller(&mut self, object: &mut Object<'_>) {
        let request = self.request;
        if !request.metadata.is_empty() {
            let mut inner = Object::begin(object.member("metadata"));
            for (name, value) in &request.metadata {
                inner.json(name, value);
            }
            inner.end();
        }
        let user = request.end_user.user.as_deref();
        match request.dialect {
            // A Messages user id is what the vendor wants as a safety identifier, but longer than it takes.
            Dialect::Messages if self.facts.first_party => {
                object.maybe_text("safety_identifier", user.map(bounded).as_deref());
            }
            Dialect::Messages => {
                if user.is_some() {
                    self.losses.dropped("user", "the upstream may not know the field");
                }
            }
            _ => {
                object.maybe_text("user", user);
                object.maybe_text("safety_identifier", request.end_user.safety_identifier.as_deref());
            }
        }
        object.maybe_text("service_tier", self.tier());
        object.maybe_text("prompt_cache_key", self.cache_key().as_deref());
        let openai = matches!(request.dialect, Dialect::Responses | Dialect::Chat);
        if openai && (self.native || self.facts.first_party) {
            object.maybe_text("prompt_cache_retention", request.cache.retention.as_deref());
            object.maybe_json("prompt_cache_options", request.cache.options.as_ref());
            return;
        }
        let reason = "the upstream may not know the field";
        if request.cache.key.is_some() {
            self.losses.dropped("prompt_cache_key", reason);
        }
        for (field, is_said) in [
            ("prompt_cache_retention", request.cache.retention.is_some()),
            ("prompt_cache_options", request.cache.options.is_some()),
        ] {
            if is_said {
                self.losses.silent(field, reason);
            }
        }
    }

    /// The tier in OpenAI's words; a tier that OpenAI has not is left to its default.
    fn tier(&mut self) -> Option<&str> {
        let asked = self.request.service_tier.as_deref();
        let (tier, kept) = match (self.request.dialect, asked) {
            (Dialect::Responses, tier) => (tier, true),
            (_, _) if !self.facts.first_party => {
                let fast = self.request.speed.as_deref() == Some("fast");
                if fast || !self.request.has_usual_tier() {
                    let field = if self.request.has_usual_tier() { "speed" } else { "service_tier" };
                    self.losses.dropped(field, "the upstream has no such tier");
                    return None;
                }
                (None, asked.is_none())
            }
            (Dialect::Chat, tier) => (tier, true),
            (Dialect::Messages, tier) => match (self.request.speed.as_deref(), tier) {
                (Some("fast"), _) => (Some("priority"), true),
                (_, Some("standard_only")) => (Some("default"), true),
                (_, Some("auto")) => (Some("auto"), true),
                (_, tier) => (None, tier.is_none()),
            },
            (Dialect::Gemini, tier) => match tier.map(str::to_ascii_lowercase).as_deref() {
                Some("flex") => (Some("flex"), true),
                Some("priority") => (Some("priority"), true),
                Some("standard") => (Some("default"), true),
                tier => (None, tier.is_none()),
            },
        };
        if !kept {
            let field = self.word("service_tier", "serviceTier");
            self.losses.silent(field, "the upstream has no such tier");
        }
        tier
    }

    /// The key that keeps the turns of a conversation on one prompt cache.
    fn cache_key(&self) -> Option<String> {
        let request = self.request;
        if self.native {
            return request.cache.key.clone();
        }
        if !self.facts.first_party {
            return None;
        }
        if request.dialect != Dialect::Messages {
            return request.cache.key.as_deref().map(bounded);
        }
        let session = request.end_user.user.as_deref().and_then(session_of);
        Some(session.map_or_else(|| self.conversation_key(), |session| bounded(&session)))
    }

    /// A key that all turns of a conversation share: a hash of its beginning.
    fn conversation_key(&self) -> String {
        let text = |part: &Part| match part {
            Part::Text(text) => Some(text.text.clone()),
            _ => None,
        };
        // Claude Code's block for Anthropic's billing changes with every request.
        let kept = self.request.system.iter().filter(|part| !messages::is_billing_block(part));
        let system: Vec<_> = kept.filter_map(text).collect();
        let first =
            self.request.messages.first().map(|m| m.parts.iter().filter_map(text).collect::<Vec<_>>());
        content_id("conv_", &[&system.join("\n"), &first.unwrap_or_default().join("\n")])
    }

    /// Notes what other dialects say that Responses cannot.
    pub(super) fn foreign_fields(&mut self) {
        let request = self.request;
        let safety = request.safety.as_ref().is_some_and(|safety| !self.takes_moderation(safety.dialect));
        let losses = &mut self.losses;
        for name in request.extra.lost_towards(Dialect::Responses) {
            losses.dropped(name, "only the dialect of the client has this field");
        }
        if self.native {
            return;
        }
        if request.prediction.is_some() {
            losses.dropped("prediction", "Responses has no predicted output");
        }
        if request.image_output.is_some() {
            losses.dropped("generationConfig.imageConfig", "Responses has no such setting");
        }
        if safety {
            losses.silent("safety", "safety settings belong to their vendor");
        }
        if request.state.context_management.is_some() {
            losses.dropped("context_management", "only the vendor of the client's dialect does this");
        }
        if request.state.container.is_some() {
            losses.dropped("container", "only the vendor of the client's dialect has containers");
        }
        if request.cache.hint.is_some() {
            losses.silent("cache_control", "OpenAI caches prompts by itself");
        }
    }
}

/// The session within a Messages user id: behind `_session_`, or the member `session_id` of a JSON text.
fn session_of(user: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Id {
        session_id: String,
    }
    let behind = user.rsplit_once("_session_").map(|(_, session)| session.to_owned());
    behind.or_else(|| serde_json::from_str::<Id>(user).ok().map(|id| id.session_id)).filter(|s| !s.is_empty())
}

/// The text, or a hash of it if it is longer than the vendor takes.
pub(crate) fn bounded(text: &str) -> String {
    if text.chars().count() <= LONGEST_KEY { text.to_owned() } else { content_id("sha_", &[text]) }
}

fn wants_thinking(reasoning: &Reasoning) -> bool {
    let off = matches!(reasoning.switch, ThinkingSwitch::Off | ThinkingSwitch::Budget(0));
    !off && !reasoning.is_unset() && reasoning.effort != Some(Effort::None)
}

fn summary(visibility: Visibility) -> Option<&'static str> {
    match visibility {
        Visibility::Unset | Visibility::Hidden => None,
        Visibility::Auto => Some("auto"),
        Visibility::Concise => Some("concise"),
        Visibility::Detailed => Some("detailed"),
    }
}

/// A name for the schema as `OpenAI` takes it: letters, digits, `_` and `-`, at most 64.
fn schema_name(name: Option<&str>) -> String {
    let legal = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' };
    let name: String = name.unwrap_or_default().chars().map(legal).take(64).collect();
    if name.is_empty() { "response".to_owned() } else { name }
}

/// The format member of a custom tool.
pub(super) fn custom_format(object: &mut Object<'_>, format: &CustomFormat) {
    if let CustomFormat::Grammar { syntax, definition } = format {
        let mut inner = Object::typed(object.member("format"), "grammar");
        inner.text("syntax", syntax).text("definition", definition);
        inner.end();
    }
}

/// The arguments of a function that takes none.
pub(super) fn no_parameters() -> Cow<'static, Json> {
    schema::object_schema(None)
}
