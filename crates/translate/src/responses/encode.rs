//! Requests for Responses upstreams, from any dialect.

mod check;
mod content;
mod input;
mod settings;
mod tools;

pub use input::bounded_call_id;
pub(crate) use settings::bounded;
pub(super) use tools::{List as ToolList, ToolStyle, write_choice};

use super::{decode::INCLUDE_LOGPROBS, writer::Object};
use crate::{
    Ids, Losses, NameRules, Names, Translated,
    ir::{ConfigChange, Extra, Failure, Part, Request, ServerTool, Tool, ToolChoice},
    wire::write,
};
use byok_types::{Dialect, ModelFacts};

/// Without this a caller that keeps its own history cannot send reasoning back.
const INCLUDE_REASONING: &str = "reasoning.encrypted_content";
/// Without this a web search names no sources.
const INCLUDE_SOURCES: &str = "web_search_call.action.sources";
/// The least that `OpenAI` takes as `max_output_tokens`.
const LEAST_OUTPUT: u64 = 16;

/// Writes the body of `POST /v1/responses`. Decides by `facts` alone; `facts.id` becomes the model.
pub fn encode_request(
    request: &Request,
    facts: &ModelFacts,
    _ids: &mut Ids,
) -> Result<Translated<Vec<u8>>, Failure> {
    Encoder::new(request, facts).body(/* counting */ false)
}

/// Writes the body of `POST /v1/responses/input_tokens`: the same prompt without what only matters for an answer.
pub fn encode_count_request(
    request: &Request,
    facts: &ModelFacts,
    _ids: &mut Ids,
) -> Result<Translated<Vec<u8>>, Failure> {
    Encoder::new(request, facts).body(/* counting */ true)
}

struct Encoder<'a> {
    request: &'a Request,
    facts: &'a ModelFacts,
    names: Names,
    /// Whether the client speaks Responses too: then nothing is repaired that the client meant as it is.
    native: bool,
    losses: Losses,
}

impl<'a> Encoder<'a> {
    fn new(request: &'a Request, facts: &'a ModelFacts) -> Self {
        Self {
            request,
            facts,
            names: Names::of(request, NameRules::of(Dialect::Responses, facts)),
            native: request.dialect == Dialect::Responses,
            losses: Losses::default(),
        }
    }

    fn style(&self) -> ToolStyle<'_> {
        ToolStyle {
            names: &self.names,
            full: self.facts.first_party,
            search: self.facts.first_party || self.facts.web_search,
            client: self.request.dialect,
            native: self.native,
        }
    }

    /// Writes the members in an order that keeps the prefix of the text the same while the conversation grows.
    fn body(mut self, counting: bool) -> Result<Translated<Vec<u8>>, Failure> {
        check::check(self.request, self.facts, &mut self.losses)?;
        let mut losses = std::mem::take(&mut self.losses);
        let (tools, hosted) = self.tools(&mut losses);
        self.losses = losses;
        let conversation = input::write(&mut self);
        let mut out = Vec::with_capacity(4096 + tools.len() + conversation.items.len());
        let mut object = Object::begin(&mut out);
        object.text("model", &self.facts.id);
        if !counting {
            self.delivery(&mut object);
        }
        object.maybe_text("instructions", conversation.instructions.as_deref());
        if !tools.is_empty() {
            object.list("tools", &tools);
        }
        self.choice(&mut object, !tools.is_empty());
        self.thinking(&mut object);
        self.format(&mut object, conversation.wants_json_hint);
        self.state(&mut object, counting);
        if !counting {
            self.sampling(&mut object);
            self.include(&mut object, &hosted);
            self.caller(&mut object);
            object.extras(&without_text(&self.request.extra));
        }
        self.foreign_fields();
        object.list("input", &conversation.items);
        object.end();
        Ok(self.losses.attach(out))
    }

    /// The tools, and the kinds of hosted tools among them.
    fn tools(&self, losses: &mut Losses) -> (Vec<u8>, Vec<ServerTool>) {
        let mut list = tools::List::new(self.style());
        for (index, tool) in self.request.tools.iter().enumerate() {
            list.tool(tool, &format!("tools[{index}]"), losses);
        }
        if self.request.modalities.iter().any(|kind| kind == "image") {
            list.image_generation();
            losses.emulated(
                self.word("modalities", "generationConfig.responseModalities"),
                "pictures come by a tool",
            );
        }
        if !self.facts.first_party && self.native {
            // Servers that know no `additional_tools` item are told of the tools here.
            for tool in self.added_tools() {
                list.tool(tool, "input", losses);
            }
        }
        list.finish()
    }

    fn added_tools(&self) -> impl Iterator<Item = &'a Tool> + use<'a> {
        self.request.messages.iter().flat_map(|m| &m.parts).flat_map(|part| match part {
            Part::ConfigChange(ConfigChange { tools_added, .. }) => tools_added.as_slice(),
            _ => &[],
        })
    }

    /// The choice as it is said to the vendor. A web search that is all there is is simply required: that is understood
    /// whatever the tool is called there.
    fn chosen(&self) -> Option<&'a ToolChoice> {
        let choice = self.request.tool_choice.as_ref();
        let only_search = !self.native
            && matches!(choice, Some(ToolChoice::Hosted { tool, .. }) if is_search(*tool))
            && self
                .request
                .tools
                .iter()
                .all(|tool| matches!(tool, Tool::Hosted(tool) if is_search(tool.tool)))
            && self.added_tools().next().is_none()
            && self.request.modalities.is_empty();
        if only_search { Some(&ToolChoice::Required) } else { choice }
    }

    fn choice(&mut self, object: &mut Object<'_>, has_tools: bool) {
        let Some(choice) = self.chosen() else {
            if let Some(parallel) = self.request.parallel().filter(|_| has_tools || self.native) {
                object.value("parallel_tool_calls", &parallel);
            }
            object.maybe("max_tool_calls", self.request.max_tool_calls.as_ref());
            return;
        };
        // A choice among no tools is refused.
        let meant = has_tools || self.native;
        if meant {
            let mut written = Vec::new();
            if write_choice(&mut written, choice, &self.style()) {
                object.raw("tool_choice", &written);
            } else {
                self.losses.dropped("tool_choice", "the choice is known only to the dialect of the client");
            }
        } else if !matches!(choice, ToolChoice::Auto | ToolChoice::None) {
            self.losses.silent("tool_choice", "there are no tools to choose from");
        }
        if let Some(parallel) = self.request.parallel().filter(|_| meant) {
            object.value("parallel_tool_calls", &parallel);
        }
        object.maybe("max_tool_calls", self.request.max_tool_calls.as_ref());
    }

    fn include(&self, object: &mut Object<'_>, hosted: &[ServerTool]) {
        let mut include: Vec<&str> = self.request.include.iter().map(String::as_str).collect();
        if !self.native {
            // OpenAI refuses this for models that do not reason; other servers are not known to.
            if !self.facts.thinking.forms.is_empty() || !self.facts.first_party {
                include.push(INCLUDE_REASONING);
            }
            if hosted.contains(&ServerTool::WebSearch) {
                include.push(INCLUDE_SOURCES);
            }
            let told = self.request.sampling.logprobs == Some(true) && self.tells_logprobs();
            if told && !include.contains(&INCLUDE_LOGPROBS) {
                include.push(INCLUDE_LOGPROBS);
            }
        }
        if !include.is_empty() {
            object.value("include", &include);
        }
    }

    /// The name of a field in the vocabulary of the client.
    fn word(&self, common: &'static str, gemini: &'static str) -> &'static str {
        if self.request.dialect == Dialect::Gemini { gemini } else { common }
    }
}

fn is_search(tool: ServerTool) -> bool {
    matches!(tool, ServerTool::WebSearch | ServerTool::WebFetch)
}

/// The unknown members of the request but for those of `text`, which are written within it.
fn without_text(extra: &Extra) -> Extra {
    let fields = extra.of(Dialect::Responses).iter().filter(|(name, _)| name != "text");
    Extra::new(Dialect::Responses, fields.cloned().collect())
}

/// Writes a list of words.
fn words(out: &mut Vec<u8>, list: &[String]) {
    write::value(out, list);
}
