use super::{Encoder, inner, members, outer};
use crate::{
    effort::{ThinkingPlan, change, note_unheard, plan},
    emulate,
    gemini::fields::Fields,
    ir::{Effort, Extra, OutputFormat, Reasoning, ThinkingSwitch, Tool, Visibility},
    json_hint,
    schema::gemini::for_gemini_output,
};
use byok_types::{Dialect, StructuredOutput};

impl Encoder<'_> {
    /// Everything but the conversation and the tools.
    pub(super) fn settings(&mut self, body: &mut Fields<'_>) {
        let request = self.request;
        match &request.safety {
            Some(safety) if safety.dialect == Dialect::Gemini => body.json("safetySettings", &safety.json),
            Some(_) => self.losses.silent("moderation", "this upstream has safety settings of its own kind"),
            None => {}
        }
        let mut config = Vec::new();
        let mut fields = Fields::open(&mut config);
        let (plan, cap) = self.settled();
        self.sampling(cap, &mut fields);
        self.format(&mut fields);
        self.output(&mut fields);
        self.reasoning(plan, &mut fields);
        fields.all(inner(&request.extra, "generationConfig"));
        fields.close();
        if config != b"{}" {
            body.key("generationConfig").extend_from_slice(&config);
        }
        body.option("cachedContent", request.cache.cached_content.as_ref());
        self.labels(body);
        self.tier(body);
        if self.same {
            body.option("store", request.store.as_ref());
        }
        body.all(outer(&request.extra));
        self.note_losses();
    }

    fn sampling(&mut self, cap: Option<u64>, fields: &mut Fields<'_>) {
        let sampling = &self.request.sampling;
        let facts = self.facts;
        for (name, field, value, taken) in [
            ("temperature", "temperature", sampling.temperature, facts.temperature),
            ("topP", "top_p", sampling.top_p, facts.top_p),
            ("topK", "top_k", sampling.top_k, facts.top_k),
            ("presencePenalty", "presence_penalty", sampling.presence_penalty, true),
            ("frequencyPenalty", "frequency_penalty", sampling.frequency_penalty, true),
        ] {
            match value {
                Some(value) if taken => fields.number(name, value),
                Some(_) => self.losses.silent(field, "the model takes no such setting"),
                None => {}
            }
        }
        fields.option("seed", sampling.seed.as_ref());
        fields.option("candidateCount", sampling.n.as_ref());
        let stops: Vec<_> = sampling.stop.iter().filter(|stop| !stop.is_empty()).collect();
        let most = if self.same { usize::MAX } else { emulate::most_stops(Dialect::Gemini) };
        let kept = stops.len().min(most);
        if kept < stops.len() {
            if emulate::own_stops(self.request, Dialect::Gemini).is_empty() {
                self.losses.dropped("stop", "this upstream takes five stop sequences");
            } else {
                self.losses.emulated("stop", emulate::CUT);
            }
        }
        if kept > 0 {
            fields.value("stopSequences", &stops[..kept]);
        }
        fields.option("responseLogprobs", sampling.logprobs.as_ref());
        // Chat clients may send a count of zero beside `logprobs: true`; Gemini wants none then.
        let top = sampling.top_logprobs.filter(|n| self.same || (*n > 0 && sampling.logprobs == Some(true)));
        fields.option("logprobs", top.as_ref());
        fields.option("maxOutputTokens", cap.as_ref());
    }

    /// What is said about reasoning and the cap on the output, which depend on each other: thoughts count as output.
    fn settled(&mut self) -> (ThinkingPlan, Option<u64>) {
        let plan = self.plan();
        let Some(max) = self.request.max_tokens else { return (plan, None) };
        let limit = self.facts.max_output_tokens.map(u64::from);
        let cap = limit.map_or(max.value, |limit| max.value.min(limit));
        if cap < max.value {
            self.losses.silent("max_tokens", "the model cannot put out that much");
        }
        match plan {
            ThinkingPlan::Budget(budget) if !self.same && u64::from(budget) >= cap => {
                self.fit(budget, cap, limit)
            }
            _ => (plan, Some(cap)),
        }
    }

    /// Makes budget and cap fit: the budget must be smaller, and some of the cap must be left for the answer.
    fn fit(&mut self, budget: u32, cap: u64, limit: Option<u64>) -> (ThinkingPlan, Option<u64>) {
        let facts = &self.facts.thinking;
        if let Some(limit) = limit.filter(|limit| *limit > u64::from(budget)) {
            self.losses.emulated("max_tokens", "raised above the reasoning budget");
            return (ThinkingPlan::Budget(budget), Some(limit.min(u64::from(budget).saturating_add(cap))));
        }
        let lower = u32::try_from(cap / 5 * 4).unwrap_or(u32::MAX);
        let least = facts.budget.map_or(1, |(least, _)| least.max(1));
        let plan = if lower >= least {
            self.losses.emulated("reasoning", "the reasoning budget was lowered below the cap on the output");
            ThinkingPlan::Budget(lower)
        } else {
            self.losses.emulated("reasoning", "the cap on the output leaves no room for reasoning");
            if facts.can_disable { ThinkingPlan::Off } else { ThinkingPlan::Leave }
        };
        (plan, Some(cap))
    }

    fn format(&mut self, fields: &mut Fields<'_>) {
        let json = |fields: &mut Fields<'_>| fields.string("responseMimeType", "application/json");
        match &self.request.output_format {
            OutputFormat::Text => {}
            OutputFormat::JsonObject if self.takes_form() => json(fields),
            OutputFormat::JsonObject => {
                let reason =
                    "asked for in the instructions: this model takes no form of answer beside functions";
                self.losses.emulated("response_format", reason);
            }
            OutputFormat::JsonSchema { schema, extra, .. } => match self.facts.structured_output {
                StructuredOutput::ForcedTool => {
                    if self.forced_schema().is_none() {
                        self.losses.dropped("response_format", "the model must call another tool");
                    }
                }
                StructuredOutput::Native if self.takes_form() => {
                    json(fields);
                    if let Some(schema) = extra.get(Dialect::Gemini, "responseSchema") {
                        fields.json("responseSchema", schema);
                    } else if self.facts.json_schema_tools {
                        fields.json("responseJsonSchema", schema);
                    } else {
                        fields.json("responseSchema", &for_gemini_output(schema));
                    }
                }
                StructuredOutput::Native => {
                    self.losses.dropped("response_format", "this model takes no schema beside functions");
                }
                StructuredOutput::Hint => {
                    if self.takes_form() {
                        json(fields);
                    }
                    self.losses.dropped("response_format", "this model takes no schema");
                }
            },
            OutputFormat::Opaque(opaque) if opaque.dialect == Dialect::Gemini => {
                members(fields, &opaque.json);
            }
            OutputFormat::Opaque(_) => {
                self.losses.dropped("response_format", "this upstream has no such form of output");
            }
        }
    }

    /// Whether a form of answer can be asked for. Models that want no signatures are of the generation that refuses one beside
    /// functions.
    fn takes_form(&self) -> bool {
        let has_functions = || self.request.tools.iter().any(|tool| !matches!(tool, Tool::Hosted(_)));
        self.same || self.facts.call_signatures || !has_functions()
    }

    /// The form of the answer in words, where there is no other way to ask for it.
    pub(super) fn form_in_words(&self) -> Option<&'static str> {
        let wanted = self.request.output_format == OutputFormat::JsonObject && !self.takes_form();
        (wanted && !json_hint::is_said(self.request, json_hint::OBJECT)).then_some(json_hint::OBJECT)
    }

    fn output(&mut self, fields: &mut Fields<'_>) {
        let request = self.request;
        if !request.modalities.is_empty() {
            let names: Vec<_> = request.modalities.iter().map(|name| name.to_ascii_uppercase()).collect();
            fields.value("responseModalities", &names);
        }
        for (name, field, value) in [
            ("speechConfig", "audio", &request.audio_output),
            ("imageConfig", "image", &request.image_output),
        ] {
            match value {
                Some(value) if value.dialect == Dialect::Gemini => fields.json(name, &value.json),
                Some(_) => self.losses.dropped(field, "this upstream has settings of its own kind for it"),
                None => {}
            }
        }
    }

    /// What to tell the model about reasoning.
    fn plan(&mut self) -> ThinkingPlan {
        let reasoning = &self.request.reasoning;
        // Of a model that byok knows nothing about, a Gemini client knows more.
        let literal = self.same && self.facts.thinking.forms.is_empty();
        let plan = if literal { literally(reasoning) } else { plan(reasoning, &self.facts.thinking) };
        if plan == ThinkingPlan::Leave && self.facts.thinking.forms.is_empty() && !literal {
            note_unheard(reasoning, &self.facts.thinking, &mut self.losses);
        } else if plan == ThinkingPlan::Leave && !reasoning.is_unset() {
            self.losses.silent("reasoning", "the model does not take a wish of this kind");
        } else if let Some(reason) =
            lowered(plan).or(change(reasoning, &self.facts.thinking)).filter(|_| !literal)
        {
            self.losses.emulated("reasoning", reason);
        }
        plan
    }

    /// `thinkingConfig`: a budget or a level, never both.
    fn reasoning(&self, plan: ThinkingPlan, fields: &mut Fields<'_>) {
        let reasoning = &self.request.reasoning;
        let visible = plan != ThinkingPlan::Off && self.shows_thoughts(plan);
        let hidden = self.same && reasoning.visibility == Visibility::Hidden;
        let mut config = Vec::new();
        let mut thinking = Fields::open(&mut config);
        if visible || hidden {
            thinking.value("includeThoughts", &visible);
        }
        match plan {
            ThinkingPlan::Off => thinking.value("thinkingBudget", &0),
            ThinkingPlan::Budget(budget) => thinking.value("thinkingBudget", &budget),
            ThinkingPlan::Dynamic => thinking.value("thinkingBudget", &-1),
            ThinkingPlan::Level(level) | ThinkingPlan::Adaptive(Some(level)) => {
                thinking.string("thinkingLevel", level_name(level));
            }
            ThinkingPlan::Leave | ThinkingPlan::Adaptive(None) => {}
        }
        thinking.all(outer(&reasoning.extra));
        thinking.close();
        if config != b"{}" {
            fields.key("thinkingConfig").extend_from_slice(&config);
        }
    }

    /// Whether the client is to see thoughts. Asking for them switches nothing on, but a client that said nothing about
    /// reasoning expects none.
    fn shows_thoughts(&self, plan: ThinkingPlan) -> bool {
        let reasoning = &self.request.reasoning;
        let unwanted = matches!(reasoning.switch, ThinkingSwitch::Off | ThinkingSwitch::Budget(0))
            || reasoning.effort == Some(Effort::None);
        match reasoning.visibility {
            // A model that cannot stop thinking need not show it.
            _ if unwanted => false,
            Visibility::Hidden => false,
            Visibility::Auto | Visibility::Concise | Visibility::Detailed => {
                self.same || !self.facts.thinking.forms.is_empty()
            }
            // Models that think anyway are told nothing where the amount is left to them.
            Visibility::Unset => {
                let thinks = plan != ThinkingPlan::Leave
                    || !reasoning.is_unset() && !self.facts.thinking.forms.is_empty();
                thinks && matches!(self.request.dialect, Dialect::Chat | Dialect::Messages)
            }
        }
    }

    /// `labels` take lower-case letters, digits, `_` and `-` only.
    fn labels(&mut self, body: &mut Fields<'_>) {
        let legal = |text: &str| {
            text.len() <= 63
                && text
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'))
        };
        let mut kept = Vec::new();
        for (name, value) in &self.request.metadata {
            let fits = name.starts_with(|c: char| c.is_ascii_lowercase())
                && legal(name)
                && value.as_string().is_some_and(|text| legal(&text));
            if self.same || fits {
                kept.push((name.as_str(), value));
            } else {
                self.losses.dropped(format!("metadata.{name}"), "labels are short and in lower case here");
            }
        }
        if !kept.is_empty() {
            let mut labels = Fields::open(body.key("labels"));
            labels.all(kept);
            labels.close();
        }
    }

    fn tier(&mut self, body: &mut Fields<'_>) {
        let request = self.request;
        let said = request.service_tier.as_deref();
        if self.same {
            body.option("serviceTier", said.as_ref());
            return;
        }
        let fast = request.speed.as_deref() == Some("fast");
        let tier = match said {
            Some("flex") => Some("flex"),
            Some("priority" | "fast") => Some("priority"),
            _ if fast => Some("priority"),
            _ => None,
        };
        match tier {
            Some(tier) if self.facts.first_party => body.string("serviceTier", tier),
            None if request.has_usual_tier() => {}
            _ => {
                let field = if request.has_usual_tier() { "speed" } else { "service_tier" };
                self.losses.dropped(field, "this upstream has no such tier");
            }
        }
    }

    /// Fields of other dialects that have no counterpart.
    fn note_losses(&mut self) {
        let request = self.request;
        let sampling = &request.sampling;
        for (lost, field, reason) in [
            (sampling.logit_bias.is_some(), "logit_bias", "this upstream has no bias per token"),
            (
                request.parallel_tool_calls == Some(false),
                "parallel_tool_calls",
                "this upstream cannot be kept from calling several functions at once",
            ),
            (request.prediction.is_some(), "prediction", "this upstream takes no predicted output"),
            (
                request.state.context_management.is_some(),
                "context_management",
                "this upstream does not edit the context",
            ),
            (request.state.container.is_some(), "container", "this upstream has no containers"),
            (
                request.max_tool_calls.is_some(),
                "max_tool_calls",
                "this upstream calls its own tools as often as it likes",
            ),
            (request.end_user.user.is_some(), "user", "this upstream is not told who asks"),
            (
                request.end_user.safety_identifier.is_some(),
                "safety_identifier",
                "this upstream is not told who asks",
            ),
            // The vendor finds the cache by itself; of others nobody knows.
            (
                request.cache.key.is_some() && !self.facts.first_party,
                "prompt_cache_key",
                "this upstream takes no key",
            ),
        ] {
            if lost {
                self.losses.dropped(field, reason);
            }
        }
        for (lost, field) in [
            (request.verbosity.is_some(), "verbosity"),
            (!self.same && request.store.is_some(), "store"),
            (!request.include.is_empty(), "include"),
            (request.state.truncation.is_some(), "truncation"),
            (request.cache.key.is_some() && self.facts.first_party, "prompt_cache_key"),
            (request.cache.retention.is_some(), "prompt_cache_retention"),
            (request.cache.options.is_some(), "prompt_cache_options"),
            (request.cache.hint.is_some() || request.has_cache_marks(), "cache_control"),
            (request.reasoning.context.is_some(), "reasoning.context"),
            (request.reasoning.mode.is_some(), "reasoning.mode"),
        ] {
            if lost {
                self.losses.silent(field, "this upstream has no such field");
            }
        }
        for extra in [&request.extra, &request.stream_options.extra] {
            self.note_extra(extra);
        }
    }

    fn note_extra(&mut self, extra: &Extra) {
        for name in extra.lost_towards(Dialect::Gemini) {
            self.losses.dropped(name, "this upstream does not know the field");
        }
    }
}

/// What a Gemini client said, in the same words.
fn literally(reasoning: &Reasoning) -> ThinkingPlan {
    match (reasoning.switch, reasoning.effort) {
        (ThinkingSwitch::Off, _) => ThinkingPlan::Off,
        (ThinkingSwitch::Budget(budget), _) => ThinkingPlan::Budget(budget),
        (ThinkingSwitch::Dynamic, _) => ThinkingPlan::Dynamic,
        (_, Some(level)) => ThinkingPlan::Level(level),
        _ => ThinkingPlan::Leave,
    }
}

/// Why the level of the plan is not the one that is sent, if it is not.
fn lowered(plan: ThinkingPlan) -> Option<&'static str> {
    let (ThinkingPlan::Adaptive(Some(level)) | ThinkingPlan::Level(level)) = plan else { return None };
    let is_same = level.name().eq_ignore_ascii_case(level_name(level));
    (!is_same).then_some("Gemini has no such level")
}

/// Gemini's highest level is `HIGH`.
fn level_name(level: Effort) -> &'static str {
    match level {
        Effort::None | Effort::Minimal => "MINIMAL",
        Effort::Low => "LOW",
        Effort::Medium => "MEDIUM",
        Effort::High | Effort::Xhigh | Effort::Max => "HIGH",
    }
}
