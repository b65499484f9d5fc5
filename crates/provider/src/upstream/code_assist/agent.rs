//! What Antigravity wants of a request beyond the dialect. Behind it stand Gemini and, on Vertex, Claude and gpt-oss, whose
//! own rules shine through.

use super::{Members, list_of, schema};
use byok_translate::Losses;
use byok_types::{Family, ModelFacts, SecretHash, ThinkingForm};
use serde_json::{Map, Value, json};
use std::collections::{HashMap, VecDeque};

/// Whom the service wants to hear in the user agent and in the envelope.
pub(super) const NAME: &str = "antigravity";
/// The smallest budget for thinking that Claude takes.
const LEAST_BUDGET: i64 = 1024;
/// Room for the answer beside the thoughts.
const ROOM: i64 = 8192;

/// What stands for the signature of a call where it is lost.
const UNSIGNED: &str = "skip_thought_signature_validator";

/// Whether a model makes pictures. Such a one is refused what is asked of it as an agent.
pub(super) fn draws(model: &str) -> bool {
    model.contains("-image")
}

/// Fits a request in place.
pub(super) fn fit(request: &mut Members, facts: &ModelFacts, losses: &mut Losses) {
    let claude = facts.family == Family::Claude;
    // Refused, or unknown to some of its models.
    for name in ["safetySettings", "labels"] {
        if request.remove(name).is_some() {
            losses.dropped(name, "Antigravity refuses it");
        }
    }
    let contents = request.get(&["contents"]).unwrap_or_default();
    if draws(&facts.id) {
        request.remove("sessionId");
    } else {
        request.put("sessionId", &json!(conversation(&contents)));
    }
    let guest = facts.family != Family::Gemini;
    if guest || !facts.call_signatures {
        let mut contents = contents;
        turns(&mut contents, facts.family);
        request.put("contents", &contents);
    } else {
        let mut contents = contents;
        if sign(&mut contents) {
            request.put("contents", &contents);
        }
    }
    tools(request, facts, guest, losses);
    config(request, facts, claude, losses);
}

/// A number that stays the same for a conversation: it groups the prompt cache. Made from the first words of the user.
fn conversation(contents: &Value) -> String {
    let user = contents.as_array().into_iter().flatten().find(|content| content["role"] != "model");
    let parts = user.and_then(|content| content["parts"].as_array()).into_iter().flatten();
    let text: String = parts.filter_map(|part| part["text"].as_str()).collect();
    let hash = SecretHash::of(&text)
        .short()
        .bytes()
        .fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    format!("-{}", hash & (u64::MAX >> 1))
}

/// Calls that wait for their results, in their order.
#[derive(Default)]
struct Open {
    /// The ids of the calls; none for one that is answered.
    ids: Vec<Option<String>>,
    by_id: HashMap<String, VecDeque<usize>>,
    by_name: HashMap<String, VecDeque<usize>>,
}

impl Open {
    fn push(&mut self, name: &str, id: String) {
        self.by_name.entry(name.to_owned()).or_default().push_back(self.ids.len());
        self.by_id.entry(id.clone()).or_default().push_back(self.ids.len());
        self.ids.push(Some(id));
    }

    /// Answers the first open call of this id.
    fn answer_id(&mut self, id: &str) -> Option<String> {
        Self::first(&mut self.ids, self.by_id.get_mut(id)?)
    }

    /// Answers the first open call of this name.
    fn answer_name(&mut self, name: &str) -> Option<String> {
        Self::first(&mut self.ids, self.by_name.get_mut(name)?)
    }

    fn first(ids: &mut [Option<String>], places: &mut VecDeque<usize>) -> Option<String> {
        std::iter::from_fn(|| places.pop_front()).find_map(|place| ids.get_mut(place)?.take())
    }
}

fn turns(contents: &mut Value, family: Family) {
    let claude = family == Family::Claude;
    let mut open = Open::default();
    let mut number = 0;
    for content in contents.as_array_mut().into_iter().flatten() {
        let model = content["role"] == "model";
        let Some(parts) = list_of(content, "parts") else { continue };
        parts.iter_mut().for_each(spell);
        if claude {
            parts.retain(|part| !is_foreign_thought(part));
        }
        for part in parts.iter_mut() {
            if claude && part["thoughtSignature"].as_str().is_some_and(|text| !is_claudes(text)) {
                part.as_object_mut().map(|part| part.remove("thoughtSignature"));
            }
            if let Some(call) = part.get_mut("functionCall").and_then(Value::as_object_mut) {
                number += 1;
                let id = id_of(call, || format!("call_{number}"));
                open.push(call.get("name").and_then(Value::as_str).unwrap_or_default(), id);
            }
            if let Some(result) = part.get_mut("functionResponse").and_then(Value::as_object_mut) {
                let name = result.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
                let id = id_of(result, String::new);
                let call = if id.is_empty() { open.answer_name(&name) } else { open.answer_id(&id) };
                if let Some(call) = call {
                    result.insert("id".to_owned(), json!(call));
                }
            }
        }
        if family != Family::Gemini && model {
            // Calls come last, or their results are not found.
            parts.sort_by_key(|part| {
                if part["thought"] == true { 0 } else { 1 + i32::from(part.get("functionCall").is_some()) }
            });
        }
    }
    if let Some(list) = contents.as_array_mut() {
        list.retain(|content| content["parts"].as_array().is_none_or(|parts| !parts.is_empty()));
    }
}

/// Calls, results and signatures in the spelling that is read here. Clients write them in either.
fn spell(part: &mut Value) {
    const SPELLINGS: [(&str, &str); 3] = [
        ("function_call", "functionCall"),
        ("function_response", "functionResponse"),
        ("thought_signature", "thoughtSignature"),
    ];
    let Some(part) = part.as_object_mut() else { return };
    for (other, own) in SPELLINGS {
        if let Some(value) = part.shift_remove(other) {
            part.entry(own).or_insert(value);
        }
    }
}

/// Gives the first call of each step of the turn that is under way the vendor's own sign for a lost signature, where the client
/// brings none. Says whether anything was changed.
fn sign(contents: &mut Value) -> bool {
    let Some(contents) = contents.as_array_mut() else { return false };
    let any = |content: &Value, names: [&str; 2]| {
        let parts = content["parts"].as_array().into_iter().flatten();
        parts.into_iter().any(|part| names.iter().any(|name| part.get(name).is_some()))
    };
    let asks = |content: &Value| {
        content["role"] != "model" && !any(content, ["functionResponse", "function_response"])
    };
    let from = contents.iter().rposition(asks).map_or(0, |last| last + 1);
    let mut changed = false;
    for content in contents.iter_mut().skip(from).filter(|content| content["role"] == "model") {
        let is_call =
            |part: &&mut Value| ["functionCall", "function_call"].iter().any(|name| part.get(name).is_some());
        let first = list_of(content, "parts").and_then(|parts| parts.iter_mut().find(is_call));
        let Some(call) = first.and_then(Value::as_object_mut) else { continue };
        let signed = ["thoughtSignature", "thought_signature"]
            .iter()
            .any(|name| call.get(*name).and_then(Value::as_str).is_some_and(|sign| !sign.is_empty()));
        if !signed {
            call.insert("thoughtSignature".to_owned(), json!(UNSIGNED));
            changed = true;
        }
    }
    changed
}

/// The id of a call or a result as the service takes it, written back.
fn id_of(function: &mut Map<String, Value>, make: impl FnOnce() -> String) -> String {
    let stated = function.get("id").and_then(Value::as_str).unwrap_or_default();
    let legal: String = stated
        .chars()
        .map(|char| if char.is_ascii_alphanumeric() || char == '-' || char == '_' { char } else { '_' })
        .collect();
    let id = if legal.is_empty() { make() } else { legal };
    if !id.is_empty() {
        function.insert("id".to_owned(), json!(id));
    }
    id
}

/// A thought that Claude would refuse: empty, or without its own signature.
fn is_foreign_thought(part: &Value) -> bool {
    let signed = part["thoughtSignature"].as_str().is_some_and(is_claudes);
    part["thought"] == true && (!signed || part["text"].as_str().unwrap_or_default().is_empty())
}

/// Base64 of a protobuf, once or twice encoded.
fn is_claudes(signature: &str) -> bool {
    signature.starts_with(['E', 'R'])
}

/// `guest`: the model is not Google's, and its tools go by the rules of Claude.
fn tools(request: &mut Members, facts: &ModelFacts, guest: bool, losses: &mut Losses) {
    // These want a property in every schema, as guests do.
    let strict = ["gemini-3-pro", "gemini-3.1-pro"].iter().any(|line| facts.id.starts_with(line));
    let Some(mut tools) = request.get(&["tools"]) else { return };
    let wish = request.get(&["toolConfig"]).unwrap_or_default();
    let mode = wish["functionCallingConfig"]["mode"].as_str().unwrap_or_default().to_owned();
    if guest && mode == "NONE" {
        // Its choice of tools is not honoured, so "none" means that there are none.
        request.remove("tools");
        request.remove("toolConfig");
        return;
    }
    let mut declared = false;
    for tool in tools.as_array_mut().into_iter().flatten() {
        for function in list_of(tool, "functionDeclarations").into_iter().flatten() {
            declared = true;
            let Some(function) = function.as_object_mut() else { continue };
            let stated = function.remove("parametersJsonSchema").or_else(|| function.remove("parameters"));
            let mut schema = schema::of_arguments(&stated.unwrap_or_else(|| json!({})));
            if guest || strict {
                schema::fill(&mut schema);
            }
            if schema["properties"].as_object().is_some_and(|properties| !properties.is_empty()) {
                function.insert("parameters".to_owned(), schema);
            }
        }
    }
    if (declared || guest)
        && let Some(list) = tools.as_array_mut()
    {
        // The vendor's own tools do not go together with functions here, and models of others have none of them.
        let before = list.len();
        let functions = ["functionDeclarations", "function_declarations"];
        list.retain(|tool| functions.iter().any(|name| tool.get(name).is_some()));
        if list.len() < before {
            let why = if declared {
                "Antigravity does not run its own tools beside functions"
            } else {
                "Antigravity runs its own tools for Gemini alone"
            };
            losses.dropped("tools", why);
        }
        if list.is_empty() {
            request.remove("tools");
            request.remove("toolConfig");
            return;
        }
    }
    request.put("tools", &tools);
    if guest && declared {
        if mode == "ANY" || wish["functionCallingConfig"]["allowedFunctionNames"].is_array() {
            losses.dropped(
                "toolConfig.functionCallingConfig",
                "Antigravity lets models that are not Gemini choose among all tools, or none",
            );
        }
        request.put("toolConfig", &json!({"functionCallingConfig": {"mode": "VALIDATED"}}));
    }
}

/// Leaves of a wish for thinking only whether it is to be shown.
fn thoughts_alone(config: &mut Map<String, Value>, losses: &mut Losses) {
    let Some(thinking) = config.get_mut("thinkingConfig").and_then(Value::as_object_mut) else { return };
    let before = thinking.len();
    thinking.retain(|name, _| matches!(name.as_str(), "includeThoughts" | "include_thoughts"));
    if thinking.len() < before {
        losses.dropped("generationConfig.thinkingConfig", "the name of the model says how much it thinks");
    }
    if thinking.is_empty() {
        config.remove("thinkingConfig");
    }
}

fn config(request: &mut Members, facts: &ModelFacts, claude: bool, losses: &mut Losses) {
    let Some(mut config) = request.get(&["generationConfig"]) else { return };
    let Some(members) = config.as_object_mut() else { return };
    let answer = ["responseJsonSchema", "responseSchema"].map(|name| members.remove(name));
    if let Some(answer) = answer.into_iter().flatten().next() {
        members.insert("responseSchema".to_owned(), schema::of_answer(&answer));
    }
    let most = facts.max_output_tokens.map_or(i64::MAX, i64::from);
    let mut output = members.get("maxOutputTokens").and_then(Value::as_i64).map(|output| output.min(most));
    // The names of these say how much they think (`-low`, `-agent`), and an amount beside that has been refused.
    if facts.id.starts_with("gemini-pro-") || facts.id.starts_with("gemini-3.1-pro-") {
        thoughts_alone(members, losses);
    }
    if claude && facts.thinking.takes(ThinkingForm::Budget) {
        let budget = members.get("thinkingConfig").and_then(|thinking| thinking["thinkingBudget"].as_i64());
        match budget {
            // Off, or none named: a word about thinking alone would switch it on.
            None | Some(0) => drop(members.remove("thinkingConfig")),
            Some(budget) => {
                let mut budget = if budget < 0 { LEAST_BUDGET } else { budget.max(LEAST_BUDGET) };
                if output.is_none() {
                    // The most that the model thinks is all that it puts out: nothing would be left for the answer.
                    budget = budget.min((most - ROOM).max(LEAST_BUDGET));
                }
                let room = output.unwrap_or_else(|| (budget + ROOM).min(most));
                output = Some(room);
                if room <= budget {
                    members.remove("thinkingConfig");
                } else {
                    members.insert(
                        "thinkingConfig".to_owned(),
                        json!({"thinkingBudget": budget, "includeThoughts": true}),
                    );
                    for name in ["temperature", "topP", "topK"] {
                        members.remove(name);
                    }
                }
            }
        }
    }
    if let Some(output) = output {
        members.insert("maxOutputTokens".to_owned(), json!(output));
    }
    request.put("generationConfig", &config);
}
