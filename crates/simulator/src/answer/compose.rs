//! From a request and its scenario to an answer.

use super::{Answer, Part, Source, Stop, Tokens, ToolCall, cut, say};
use crate::{
    asked::{Asked, Choice, Declared, Thought},
    sample,
    scenario::{Say, Script, UsageWish, Wish},
};
use serde_json::{Value, json};

/// What is answered. `cached` is the number of prompt tokens that an earlier prompt shares.
pub(crate) fn compose(asked: &Asked, script: &Script, cached: u64) -> Answer {
    let mut parts = Vec::new();
    parts.extend(thinking(asked, script));
    let mut stop = if script.say == Say::Refusal {
        parts.push(Part::Refusal { pieces: cut::pieces(say::REFUSAL, script.split) });
        Stop::Refusal
    } else {
        body(asked, script, &mut parts)
    };
    if let Some(limit) = asked.max_tokens {
        stop = cut::at_limit(&mut parts, limit).unwrap_or(stop);
    }
    if let Some(reason) = &script.stop {
        stop = Stop::Verbatim(reason.clone());
    }
    let tokens = count(asked, &parts, cached, script.usage.unwrap_or_default());
    let counted = !script.usage.is_some_and(|wish| wish.none);
    Answer { parts, stop, tokens, counted }
}

fn thinking(asked: &Asked, script: &Script) -> Option<Part> {
    if script.redacted {
        return Some(Part::Thinking { pieces: Vec::new(), redacted: true });
    }
    let text = match (&script.thinking, asked.thinking) {
        (Some(text), _) => text,
        (None, Thought::Shown) => say::THOUGHT,
        (None, Thought::Hidden) => "",
        (None, Thought::Off) => return None,
    };
    Some(Part::Thinking { pieces: cut::pieces(text, script.split), redacted: false })
}

fn body(asked: &Asked, script: &Script, parts: &mut Vec<Part>) -> Stop {
    let calls = calls(asked, script);
    if let Some(query) = script.search.as_ref().filter(|_| asked.search) {
        parts.push(Part::Search { query: query.clone(), sources: sources(query) });
    }
    let text = match (&script.say, calls.is_empty()) {
        // Text that stands beside calls is said once, before the first of them.
        (Say::Text(text), false) if asked.rounds == 0 => Some(text.clone()),
        (_, false) => None,
        (_, true) => Some(words(asked, script)),
    };
    let mut stop = Stop::End;
    if let Some(text) = text {
        let (text, met) = cut::at_sequence(&text, &asked.stops);
        let cited = script.search.as_ref().filter(|_| asked.search).map(|query| sources(query));
        if !text.is_empty() {
            let pieces = script.chunks.map_or_else(|| cut::pieces(text, script.split), |_| counted(text));
            parts.push(Part::Text { pieces, sources: cited.unwrap_or_default() });
        }
        if let Some(sequence) = met {
            return Stop::Sequence(sequence);
        }
    }
    if !calls.is_empty() {
        parts.extend(calls.into_iter().map(Part::Call));
        stop = Stop::Tools;
    }
    stop
}

/// What is said when no tool is called.
fn words(asked: &Asked, script: &Script) -> String {
    if let Some(count) = script.chunks {
        let words: Vec<String> = (1..=count).map(|number| format!("word {number}\n")).collect();
        return words.concat();
    }
    if let Some(schema) = &asked.schema {
        return sample::of(schema, "answer").to_string();
    }
    if script.say == Say::Json {
        return json!({"answer": "from the simulator"}).to_string();
    }
    if let Some(query) = script.search.as_ref() {
        return if asked.search {
            format!("Two pages speak of {query}.")
        } else {
            "No web search was declared in this request.".to_owned()
        };
    }
    match &script.say {
        _ if asked.rounds > 0 => say::about_results(asked),
        Say::Text(text) => text.clone(),
        Say::Echo | Say::Json | Say::Refusal => say::friendly(asked),
    }
}

/// Deltas of a counted text: one a line, without the line end.
fn counted(text: &str) -> Vec<String> {
    text.split_inclusive('\n').map(|line| format!("{} ", line.trim_end())).collect()
}

fn sources(query: &str) -> Vec<Source> {
    (1..=2)
        .map(|number| Source {
            url: format!("https://example.com/{number}"),
            title: format!("Page {number} about {query}"),
            quote: format!("Page {number} says something about {query}."),
        })
        .collect()
}

fn calls(asked: &Asked, script: &Script) -> Vec<ToolCall> {
    if asked.tools.is_empty() || asked.choice == Choice::Never {
        return Vec::new();
    }
    // A loop that names no tool goes round with all of them.
    let all = script.all_tools || (script.rounds > 0 && script.calls.is_empty());
    let wanted = !script.calls.is_empty() || all;
    let forced: Vec<&Declared> = match &asked.choice {
        Choice::Auto | Choice::Never => Vec::new(),
        Choice::Any => asked.tools.iter().take(1).collect(),
        Choice::Named(names) => {
            asked.tools.iter().filter(|tool| names.contains(&tool.name)).take(1).collect()
        }
    };
    let mut calls: Vec<ToolCall> = if wanted && asked.rounds < script.rounds.max(1) {
        let wished = script.calls.iter().map(|wish| call(find(asked, &wish.name), Some(wish), script));
        let every = asked.tools.iter().filter(|_| all).map(|tool| call(Some(tool), None, script));
        wished.chain(every).collect()
    } else {
        Vec::new()
    };
    if calls.is_empty() {
        calls = forced.into_iter().map(|tool| call(Some(tool), None, script)).collect();
    }
    if asked.single_call {
        calls.truncate(1);
    }
    calls
}

/// The declared tool with this name, or one whose namespace and name make it up.
fn find<'a>(asked: &'a Asked, name: &str) -> Option<&'a Declared> {
    asked.tools.iter().find(|tool| tool.name == name).or_else(|| {
        asked.tools.iter().find(|tool| {
            tool.namespace.as_ref().is_some_and(|space| {
                name.strip_prefix(space.as_str())
                    .is_some_and(|rest| rest.trim_start_matches(['.', '_']) == tool.name)
            })
        })
    })
}

fn call(tool: Option<&Declared>, wish: Option<&Wish>, script: &Script) -> ToolCall {
    let free = tool.is_some_and(|tool| tool.free);
    let written = wish.and_then(|wish| wish.input.as_ref()).map(|input| input.get().to_owned());
    let input = written.unwrap_or_else(|| match tool {
        Some(tool) if free => format!("free input for {}", tool.name),
        Some(tool) => sample::of(&tool.schema, "input").to_string(),
        None => "{}".to_owned(),
    });
    // The text of a free input is written as a JSON string in the scenario.
    let input = if free {
        serde_json::from_str::<Value>(&input)
            .ok()
            .and_then(|v| v.as_str().map(str::to_owned))
            .unwrap_or(input)
    } else {
        input
    };
    let pieces = if input == "{}" { Vec::new() } else { cut::argument_pieces(&input, script.split) };
    let name = tool.map(|tool| tool.name.clone()).or_else(|| wish.map(|wish| wish.name.clone()));
    ToolCall {
        name: name.unwrap_or_default(),
        namespace: tool.and_then(|tool| tool.namespace.clone()),
        free,
        input,
        pieces,
        cut: false,
        named: !script.no_ids,
    }
}

fn count(asked: &Asked, parts: &[Part], cached: u64, wish: UsageWish) -> Tokens {
    let pieces = |part: &Part| part.pieces().len().max(1) as u64;
    let thought = |part: &Part| match part {
        Part::Thinking { .. } => pieces(part),
        _ => 0,
    };
    let input = wish.input.unwrap_or_else(|| asked.prompt_tokens());
    Tokens {
        input,
        cached: wish.cached.unwrap_or(cached).min(input),
        written: wish.written.unwrap_or(0).min(input),
        output: wish.output.unwrap_or_else(|| parts.iter().map(pieces).sum()),
        reasoning: wish.reasoning.unwrap_or_else(|| parts.iter().map(thought).sum()),
        searches: parts.iter().filter(|part| matches!(part, Part::Search { .. })).count() as u64,
    }
}
