//! Writing of requests.

mod admit;
mod cache;
mod refuse;
mod root;
mod shape;
pub(super) mod thinking;
mod tools;
mod words;
pub(super) mod write;

use self::{
    cache::{Markable, SystemBlock},
    shape::What,
    thinking::{Mode, Settled},
    words::{Field, name},
    write::Pen,
};
use super::{is_billing_block, object::Object};
use crate::{
    Ids, Json, Losses, NameRules, Names, Translated, effort, emulate,
    ir::{CacheHint, OutputFormat, Part, Request, ThinkingSwitch},
    json_hint,
    loss::Places,
    schema, size,
    turns::{self, SystemPart},
};
use byok_types::{Dialect, Failure, Family, ModelFacts, StructuredOutput};
use std::borrow::Cow;

/// What the request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Generate,
    /// Counting of tokens takes no cap, no stream, no sampling and no identity.
    Count,
}

/// Writes a request from any dialect.
///
/// # Errors
/// A 400 in the client's vocabulary for what this dialect cannot say and what must not be left out: several answers,
/// sound, films, files and state of another vendor.
pub fn encode_request(
    request: &Request,
    facts: &ModelFacts,
    ids: &mut Ids,
) -> Result<Translated<Vec<u8>>, Failure> {
    encode(request, facts, ids, Purpose::Generate)
}

pub(super) fn encode(
    request: &Request,
    facts: &ModelFacts,
    // Ids of this dialect follow from the content, so that prompt caches hit.
    _ids: &mut Ids,
    purpose: Purpose,
) -> Result<Translated<Vec<u8>>, Failure> {
    let mut losses = Losses::default();
    refuse::check(request, &mut losses)?;
    let names = Names::of(request, NameRules::of(Dialect::Messages, facts));
    let conversation = turns::arrange(request, Dialect::Messages, &mut losses);
    let mut system = system(request, facts, &conversation.system, &mut losses);
    let mut entries = shape::shape(request, facts, conversation, &mut losses)?;
    let settled = thinking::settle(request, facts, &entries);
    if let Some(reason) = settled.changed {
        losses.emulated(name(request.dialect, Field::Reasoning), reason);
    } else if facts.thinking.forms.is_empty() {
        effort::note_unheard(&request.reasoning, &facts.thinking, &mut losses);
    }
    if request.max_tokens.is_some_and(|asked| settled.max_tokens < asked.value) {
        losses.silent("max_tokens", "the model cannot put out that much");
    } else if request.max_tokens.is_some_and(|asked| settled.max_tokens > asked.value) {
        losses.emulated("max_tokens", "raised above the reasoning budget");
    }
    let mut declared = tools::declare(request, facts, &names, &mut losses);
    let marked = cache::settle(
        Markable { tools: &mut declared, system: &mut system, entries: &mut entries },
        request,
        facts,
        &mut losses,
    );
    let places = Places::of(request);
    let extras = request.messages.iter().any(|message| !message.extra.is_empty()).then_some(&places);
    let pen = Pen { request, facts, names: &names, extras };
    let mut body = Vec::with_capacity(size::of_body(request));
    let mut object = Object::new(&mut body);
    object.string("model", &facts.id);
    if purpose == Purpose::Generate {
        object.value("max_tokens", &settled.max_tokens);
        if request.stream {
            object.value("stream", &true);
        }
    }
    if !declared.is_empty() {
        object.list("tools", &declared, |out, tool| tool.write(out));
    }
    if let Some(choice) = tools::choice(request, facts, &names, &declared, &mut losses) {
        object.key("tool_choice").extend_from_slice(&choice);
    }
    if !system.is_empty() {
        object.list("system", &system, |out, block| pen.system(out, block));
    }
    write::entries(object.key("messages"), pen, &entries);
    reasoning(&mut object, request, &settled);
    output_config(&mut object, request, facts, settled.effort);
    cache_hint(&mut object, request, facts, marked);
    if purpose == Purpose::Generate {
        sampling(&mut object, request, facts, settled.mode, &mut losses);
        service(&mut object, request, facts, &mut losses);
    }
    object.some("speed", speed(request, facts).as_ref());
    if purpose == Purpose::Generate {
        // `betas` goes into a header; the other two were written above.
        let written = ["output_config", "betas", "thinking"];
        let own = request.extra.of(Dialect::Messages).iter();
        own.filter(|(key, _)| !written.contains(&key.as_str()))
            .for_each(|(key, value)| object.json(key, value));
    }
    for field in request.extra.lost_towards(Dialect::Messages) {
        losses.dropped(field, "this dialect has no such field");
    }
    object.end();
    Ok(losses.attach(body))
}

/// The leading instructions, each as a block of its own.
fn system<'a>(
    request: &'a Request,
    facts: &ModelFacts,
    parts: &[SystemPart<'a>],
    losses: &mut Losses,
) -> Vec<SystemBlock<'a>> {
    let places = Places::of(request);
    let mut blocks = Vec::with_capacity(parts.len() + 1);
    for SystemPart { part, .. } in parts {
        let mark: Option<CacheHint> = match part {
            Part::Text(text) if text.text.trim().is_empty() => continue,
            part if is_billing_block(part) && facts.family != Family::Claude => {
                losses.silent(places.path(part), "attribution text of Claude Code is for Claude only");
                continue;
            }
            Part::Text(text) => text.cache.clone(),
            Part::Opaque(opaque) if opaque.dialect == Dialect::Messages => None,
            Part::ConfigChange(change) if change.own(Dialect::Messages).is_some() => None,
            Part::ConfigChange(change) => {
                admit::note_change(change, places.path(part), losses);
                continue;
            }
            part => {
                losses.dropped(places.path(part), "instructions hold text only");
                continue;
            }
        };
        blocks.push(SystemBlock { what: What::Part(Cow::Borrowed(part)), mark });
    }
    let hint = match &request.output_format {
        OutputFormat::JsonObject => Some(json_hint::OBJECT.to_owned()),
        OutputFormat::JsonSchema { schema, .. }
            if emulate::structured_output(request, facts, Dialect::Messages) == StructuredOutput::Hint =>
        {
            Some(json_hint::by_schema(schema))
        }
        form @ OutputFormat::Opaque(_) => json_hint::by_values(form),
        OutputFormat::Text | OutputFormat::JsonSchema { .. } => None,
    };
    if let Some(hint) = hint {
        losses.emulated(name(request.dialect, Field::Format), "asked for in the instructions");
        if !json_hint::is_said(request, &hint) {
            blocks.push(SystemBlock { what: What::Text(hint.into()), mark: None });
        }
    }
    blocks
}

fn reasoning(object: &mut Object<'_>, request: &Request, settled: &Settled) {
    let extra = &request.reasoning.extra;
    let kind = match settled.mode {
        Mode::Absent => {
            // A switch that byok does not know goes back to where it came from.
            if let Some(own) = request.extra.get(Dialect::Messages, "thinking")
                && request.reasoning.switch == ThinkingSwitch::Unset
            {
                object.json("thinking", own);
            }
            return;
        }
        Mode::Disabled => "disabled",
        Mode::Budget(_) => "enabled",
        Mode::Adaptive => "adaptive",
        Mode::BetweenTools => "between_tools",
    };
    let mut inner = Object::typed(object.key("thinking"), kind);
    if let Mode::Budget(budget) = settled.mode {
        inner.value("budget_tokens", &budget);
    }
    inner.some("display", settled.display.as_ref());
    inner.extras(extra.of(Dialect::Messages));
    inner.end();
}

/// Whether the schema of the answer is said in the dialect's own field.
pub(super) fn has_native_format(request: &Request, facts: &ModelFacts) -> bool {
    let form = emulate::structured_output(request, facts, Dialect::Messages);
    match &request.output_format {
        OutputFormat::JsonSchema { .. } => form == StructuredOutput::Native,
        OutputFormat::Opaque(opaque) => opaque.dialect == Dialect::Messages,
        OutputFormat::Text | OutputFormat::JsonObject => false,
    }
}

fn output_config(
    object: &mut Object<'_>,
    request: &Request,
    facts: &ModelFacts,
    effort: Option<crate::ir::Effort>,
) {
    let rest = match request.extra.get(Dialect::Messages, "output_config").map(Json::read) {
        Some(Ok(rest)) => rest,
        _ => serde_json::Map::new(),
    };
    let native = has_native_format(request, facts);
    if effort.is_none() && rest.is_empty() && !native {
        return;
    }
    let mut config = Object::new(object.key("output_config"));
    if let Some(effort) = effort {
        config.string("effort", effort.name());
    }
    match &request.output_format {
        OutputFormat::JsonSchema { schema, extra, .. } if native => {
            let mut format = Object::typed(config.key("format"), "json_schema");
            if request.dialect == Dialect::Messages {
                format.json("schema", schema);
            } else {
                format.json("schema", &schema::close_objects(schema));
            }
            format.extras(extra.of(Dialect::Messages));
            format.end();
        }
        OutputFormat::Opaque(opaque) if native => config.json("format", &opaque.json),
        _ => {}
    }
    for (key, value) in &rest {
        config.value(key, value);
    }
    config.end();
}

/// The automatic cache marker of the whole request.
fn cache_hint(object: &mut Object<'_>, request: &Request, facts: &ModelFacts, marked: bool) {
    if !marked || facts.family != Family::Claude {
        return;
    }
    let own = CacheHint::default();
    write::cache_control(object.key("cache_control"), request.cache.hint.as_ref().unwrap_or(&own));
}

/// Sampling within what the vendor takes: temperature or `top_p` but not both, and with reasoning next to nothing.
fn sampling(object: &mut Object<'_>, request: &Request, facts: &ModelFacts, mode: Mode, losses: &mut Losses) {
    let asked = &request.sampling;
    let mut drop = |field, reason| losses.silent(name(request.dialect, field), reason);
    let mut temperature = asked.temperature.map(|value| value.clamp(0.0, 1.0));
    if temperature != asked.temperature {
        drop(Field::Temperature, "this vendor's temperatures end at 1");
    }
    let mut top_p = asked.top_p;
    let mut top_k = asked.top_k;
    let mut check = |value: &mut Option<f64>, taken: bool, field, reason| {
        if value.is_some() && !taken {
            *value = None;
            drop(field, reason);
        }
    };
    let unknown = "this model does not take it";
    check(&mut temperature, facts.temperature, Field::Temperature, unknown);
    check(&mut top_p, facts.top_p, Field::TopP, unknown);
    check(&mut top_k, facts.top_k, Field::TopK, unknown);
    if mode.is_on() {
        let fixed = "it is fixed while the model reasons";
        let is_one = temperature.is_none_or(|value| value >= 1.0);
        check(&mut temperature, is_one, Field::Temperature, fixed);
        let is_near_one = top_p.is_none_or(|value| value >= 0.95);
        check(&mut top_p, is_near_one, Field::TopP, fixed);
        check(&mut top_k, false, Field::TopK, fixed);
    }
    let alone = temperature.is_none();
    check(&mut top_p, alone, Field::TopP, "the vendor takes temperature or top_p, not both");
    object.some("temperature", temperature.as_ref());
    object.some("top_p", top_p.as_ref());
    if let Some(top_k) = top_k {
        // The vendor wants a whole number.
        object.key("top_k").extend_from_slice(format!("{:.0}", top_k.max(0.0)).as_bytes());
    }
    // Empty words are nothing; a blank may have been meant.
    let said = asked.stop.iter().filter(|text| !text.is_empty());
    let usable: Vec<_> = said.clone().filter(|text| !text.trim().is_empty()).collect();
    if usable.len() < said.count() {
        losses.dropped(name(request.dialect, Field::Stop), "a stop sequence must hold more than white space");
    }
    if !usable.is_empty() {
        object.value("stop_sequences", &usable);
    }
}

/// The wanted speed. What others sell as a tier is a speed here, of some models.
pub(super) fn speed<'r>(request: &'r Request, facts: &ModelFacts) -> Option<&'r str> {
    if !facts.first_party {
        return None;
    }
    match request.service_tier.as_deref() {
        _ if request.dialect == Dialect::Messages => request.speed.as_deref(),
        Some("fast" | "priority") if facts.fast => Some("fast"),
        _ => None,
    }
}

/// Who asks, on which tier, in which container.
fn service(object: &mut Object<'_>, request: &Request, facts: &ModelFacts, losses: &mut Losses) {
    let own = request.dialect == Dialect::Messages;
    let who = request.end_user.user.as_ref().or(request.end_user.safety_identifier.as_ref());
    let further = request.end_user.extra.of(Dialect::Messages);
    if who.is_some() || !further.is_empty() {
        let mut metadata = Object::new(object.key("metadata"));
        metadata.some("user_id", who);
        metadata.extras(further);
        metadata.end();
    }
    let tier = match request.service_tier.as_deref() {
        Some(tier) if own => Some(tier),
        Some("auto") if facts.first_party => Some("auto"),
        Some("default" | "standard") if facts.first_party => Some("standard_only"),
        Some("fast" | "priority") if speed(request, facts).is_some() => {
            losses.emulated(name(request.dialect, Field::ServiceTier), "here it is a speed");
            None
        }
        Some("auto" | "default" | "standard" | "flex" | "unspecified") => {
            losses.silent(name(request.dialect, Field::ServiceTier), "this vendor has no such tier");
            None
        }
        Some(_) => {
            losses.dropped(name(request.dialect, Field::ServiceTier), "this vendor has no such tier");
            None
        }
        None => None,
    };
    object.some("service_tier", tier.as_ref());
    if request.speed.is_some() && !(own && facts.first_party) {
        losses.dropped(name(request.dialect, Field::Speed), "this upstream has one speed");
    }
    if own {
        object.some("container", request.state.container.as_ref());
        let management = request.state.context_management.as_ref();
        object.some(
            "context_management",
            management.filter(|o| o.dialect == Dialect::Messages).map(|o| &o.json).as_ref(),
        );
    }
}
