//! The response object around the items.

use super::{
    encode::{ToolList, ToolStyle, write_choice},
    usage,
    writer::Object,
};
use crate::{
    Exchange, Losses, Names,
    ir::{Effort, Extra, OutputFormat, Part, Reasoning, Request, Usage, Visibility},
    tier,
    wire::write,
};
use byok_types::Dialect;

/// How far the answer is.
#[derive(Clone, Copy, Debug)]
pub(super) enum State<'a> {
    InProgress,
    Completed,
    /// With the reason, if Responses has a word for it.
    Incomplete(Option<&'a str>),
    /// With code and message.
    Failed(&'a str, &'a str),
}

/// What every response object of an answer says alike.
#[derive(Debug)]
pub(super) struct Envelope {
    pub(super) id: String,
    created: i64,
    model: String,
    echo: Option<std::sync::Arc<Request>>,
    /// The members that repeat the request, written once: they stand in three events of a stream.
    repeated: Vec<u8>,
    estimate: Option<u64>,
}

impl Envelope {
    pub(super) fn new(exchange: &Exchange, id: String) -> Self {
        Self {
            id,
            created: exchange.created,
            model: exchange.model.clone(),
            repeated: repeated(exchange.echo.as_deref(), &Extra::default(), None),
            echo: exchange.echo.clone(),
            estimate: exchange.input_estimate,
        }
    }

    /// Writes the object. `output` are its items, separated by commas; `extra` is what a Responses upstream said of itself.
    pub(super) fn write(
        &self,
        out: &mut Vec<u8>,
        state: State<'_>,
        output: &[u8],
        usage: Option<&Usage>,
        extra: &Extra,
    ) {
        let (status, reason, error) = match state {
            State::InProgress => ("in_progress", None, None),
            State::Completed => ("completed", None, None),
            State::Incomplete(reason) => ("incomplete", reason, None),
            State::Failed(code, message) => ("failed", None, Some((code, message))),
        };
        let mut object = Object::begin(out);
        object.text("id", &self.id).text("object", "response").value("created_at", &self.created);
        object.text("status", status);
        match error {
            Some((code, message)) => {
                let mut inner = Object::begin(object.member("error"));
                inner.text("code", code).text("message", message);
                inner.end();
            }
            None => drop(object.value("error", &())),
        }
        match reason {
            Some(reason) => {
                let mut inner = Object::begin(object.member("incomplete_details"));
                inner.text("reason", reason);
                inner.end();
            }
            None => drop(object.value("incomplete_details", &())),
        }
        object.text("model", &self.model).list("output", output);
        if matches!(state, State::InProgress) {
            object.value("usage", &());
        } else {
            // Clients fail without a count: an estimate is better than nothing.
            let mut usage = usage.cloned().unwrap_or_default();
            usage.input = usage.input.or(self.estimate);
            usage::encode(object.member("usage"), &usage);
        }
        let tier = usage.and_then(|usage| usage.service_tier.as_deref());
        if extra.of(Dialect::Responses).is_empty() && tier.is_none() {
            object.members(&self.repeated);
        } else {
            object.members(&repeated(self.echo.as_deref(), extra, tier));
        }
        object.end();
    }
}

/// The members that repeat the request, as the upstream resolved them where it said so.
fn repeated(echo: Option<&Request>, extra: &Extra, tier: Option<&str>) -> Vec<u8> {
    let none = Request::new(Dialect::Responses, "");
    let echo = echo.unwrap_or(&none);
    let mut out = Vec::new();
    let mut object = Object::begin(&mut out);
    let mut known = Vec::new();
    let mut member = |object: &mut Object<'_>, name: &'static str, default: &dyn Fn(&mut Vec<u8>)| {
        known.push(name);
        match extra.get(Dialect::Responses, name) {
            // What byok keeps is stored, whatever the upstream does.
            Some(_) if name == "store" && echo.store == Some(true) => {
                write::value(object.member(name), &true);
            }
            Some(value) => write::json(object.member(name), value),
            None => default(object.member(name)),
        }
    };
    let tier = tier.and_then(|word| tier::told(word, Dialect::Responses));
    member(&mut object, "background", &|out| write::value(out, &echo.state.background.unwrap_or(false)));
    member(&mut object, "instructions", &|out| write::value(out, &instructions(echo)));
    member(&mut object, "max_output_tokens", &|out| write::value(out, &echo.max_tokens.map(|m| m.value)));
    member(&mut object, "max_tool_calls", &|out| write::value(out, &echo.max_tool_calls));
    member(&mut object, "metadata", &|out| {
        let mut inner = Object::begin(out);
        for (name, value) in &echo.metadata {
            inner.json(name, value);
        }
        inner.end();
    });
    member(&mut object, "parallel_tool_calls", &|out| {
        write::value(out, &echo.parallel_tool_calls.unwrap_or(true));
    });
    member(&mut object, "previous_response_id", &|out| write::value(out, &echo.state.previous_response_id));
    member(&mut object, "prompt_cache_key", &|out| write::value(out, &echo.cache.key));
    member(&mut object, "reasoning", &|out| reasoning(out, &echo.reasoning));
    member(&mut object, "safety_identifier", &|out| write::value(out, &echo.end_user.safety_identifier));
    member(&mut object, "service_tier", &|out| write::value(out, &tier.or(echo.service_tier.as_deref())));
    member(&mut object, "store", &|out| write::value(out, &echo.store.unwrap_or(false)));
    member(&mut object, "temperature", &|out| write::value(out, &echo.sampling.temperature));
    member(&mut object, "text", &|out| text(out, echo));
    let names = Names::default();
    let style =
        ToolStyle { names: &names, full: true, search: true, client: Dialect::Responses, native: true };
    member(&mut object, "tool_choice", &|out| {
        let written = echo.tool_choice.as_ref().is_some_and(|choice| write_choice(out, choice, &style));
        if !written {
            write::string(out, "auto");
        }
    });
    member(&mut object, "tools", &|out| {
        let mut list = ToolList::new(style);
        for tool in &echo.tools {
            list.tool(tool, "tools", &mut Losses::default());
        }
        out.push(b'[');
        out.extend_from_slice(&list.finish().0);
        out.push(b']');
    });
    member(&mut object, "top_logprobs", &|out| write::value(out, &echo.sampling.top_logprobs.unwrap_or(0)));
    member(&mut object, "top_p", &|out| write::value(out, &echo.sampling.top_p));
    member(&mut object, "truncation", &|out| {
        write::string(out, echo.state.truncation.as_deref().unwrap_or("disabled"));
    });
    member(&mut object, "user", &|out| write::value(out, &echo.end_user.user));
    for (name, value) in extra.of(Dialect::Responses) {
        if !known.contains(&name.as_str()) {
            object.json(name, value);
        }
    }
    object.end();
    // Only the members are wanted.
    out[1..out.len() - 1].to_vec()
}

fn instructions(echo: &Request) -> Option<String> {
    let text = |part: &Part| match part {
        Part::Text(text) => Some(text.text.clone()),
        _ => None,
    };
    (!echo.system.is_empty()).then(|| echo.system.iter().filter_map(text).collect::<Vec<_>>().join("\n\n"))
}

fn reasoning(out: &mut Vec<u8>, reasoning: &Reasoning) {
    let summary = match reasoning.visibility {
        Visibility::Unset | Visibility::Hidden => None,
        Visibility::Auto => Some("auto"),
        Visibility::Concise => Some("concise"),
        Visibility::Detailed => Some("detailed"),
    };
    let mut inner = Object::begin(out);
    let own = |name: &str| reasoning.extra.get(Dialect::Responses, name).is_some();
    if !own("effort") {
        inner.value("effort", &reasoning.effort.map(Effort::name));
    }
    if !own("summary") {
        inner.value("summary", &summary);
    }
    inner.maybe_text("context", reasoning.context.as_deref()).maybe_text("mode", reasoning.mode.as_deref());
    inner.extras(&reasoning.extra);
    inner.end();
}

fn text(out: &mut Vec<u8>, echo: &Request) {
    let mut inner = Object::begin(out);
    match &echo.output_format {
        OutputFormat::Text => Object::typed(inner.member("format"), "text").end(),
        OutputFormat::JsonObject => Object::typed(inner.member("format"), "json_object").end(),
        OutputFormat::JsonSchema { name, description, schema, strict, extra } => {
            let mut format = Object::typed(inner.member("format"), "json_schema");
            format.value("description", description).text("name", name.as_deref().unwrap_or("response"));
            format.json("schema", schema).value("strict", &strict.unwrap_or(false)).extras(extra);
            format.end();
        }
        OutputFormat::Opaque(form) => write::json(inner.member("format"), &form.json),
    }
    inner.text("verbosity", echo.verbosity.as_deref().unwrap_or("medium"));
    inner.end();
}
