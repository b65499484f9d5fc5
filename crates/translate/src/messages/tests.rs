//! Tests of the dialect as a whole; those of one file stand beside it.

mod answers;
mod blocks;
mod caching;
mod identity;
mod reasoning;
mod requests;
mod streams;
mod tools;
mod validity;

use super::*;
use crate::{
    Ids, Incoming, Json, Loss,
    ir::{Effort, Family, FunctionTool, Message, Request, Role, Tool, ToolCall, ToolResult},
};
use byok_types::{Dialect, ModelFacts, ThinkingFacts, ThinkingForm};
use serde_json::Value;

/// A current first-party model that takes everything.
pub(super) fn claude() -> ModelFacts {
    ModelFacts {
        id: "claude-test".into(),
        family: Family::Claude,
        max_output_tokens: Some(64_000),
        thinking: ThinkingFacts {
            forms: vec![ThinkingForm::Budget, ThinkingForm::Adaptive, ThinkingForm::Effort],
            budget: Some((1024, 63_999)),
            levels: vec![Effort::Low, Effort::Medium, Effort::High, Effort::Xhigh, Effort::Max],
            can_disable: true,
            ..ThinkingFacts::default()
        },
        system_turns: true,
        first_party: true,
        ..ModelFacts::default()
    }
}

/// An older one, which takes budgets only and no system turns.
pub(super) fn old_claude() -> ModelFacts {
    ModelFacts {
        thinking: ThinkingFacts {
            forms: vec![ThinkingForm::Budget],
            budget: Some((1024, 63_999)),
            can_disable: true,
            ..ThinkingFacts::default()
        },
        system_turns: false,
        ..claude()
    }
}

pub(super) fn decoded(body: &str) -> Request {
    decode_request(&Incoming::body(body.as_bytes())).unwrap().value
}

pub(super) fn encoded(request: &Request, facts: &ModelFacts) -> (Value, Vec<Loss>) {
    let out = encode_request(request, facts, &mut Ids::new("t")).unwrap();
    (serde_json::from_slice(&out.value).expect("valid JSON"), out.losses)
}

/// A request from another dialect.
pub(super) fn foreign(dialect: Dialect, messages: Vec<Message>) -> Request {
    let mut request = Request::new(dialect, "alias");
    request.messages = messages;
    request
}

pub(super) fn chat(messages: Vec<Message>) -> Request {
    foreign(Dialect::Chat, messages)
}

pub(super) fn says(role: Role, text: &str) -> Message {
    Message::new(role, vec![Part::text(text)])
}

pub(super) fn call(id: &str) -> Part {
    Part::ToolCall(ToolCall {
        call_id: id.into(),
        name: "f".into(),
        arguments: "{}".into(),
        ..ToolCall::default()
    })
}

pub(super) fn result(id: &str, text: &str) -> Part {
    Part::ToolResult(ToolResult {
        call_id: id.into(),
        parts: vec![Part::text(text)],
        ..ToolResult::default()
    })
}

pub(super) fn function(name: &str) -> Tool {
    let schema = Json::parse(r#"{"type":"object","properties":{}}"#).unwrap();
    Tool::Function(FunctionTool { name: name.into(), schema: Some(schema), ..FunctionTool::default() })
}

/// A conversation in one line: `user(text) assistant(tool_use:a) user(tool_result:a text)`.
pub(super) fn outline(body: &Value) -> String {
    let block = |block: &Value| {
        let kind = block["type"].as_str().unwrap_or("?");
        match kind {
            "text" => format!("`{}`", block["text"].as_str().unwrap_or("?")),
            "tool_use" => format!("tool_use:{}", block["id"].as_str().unwrap_or("?")),
            "tool_result" => {
                let content = block["content"].as_str().unwrap_or("…");
                format!("tool_result:{}={content}", block["tool_use_id"].as_str().unwrap_or("?"))
            }
            other => other.to_owned(),
        }
    };
    let message = |message: &Value| {
        let blocks =
            message["content"].as_array().map_or_else(Vec::new, |list| list.iter().map(block).collect());
        format!("{}({})", message["role"].as_str().unwrap_or("?"), blocks.join(" "))
    };
    body["messages"].as_array().map_or_else(Vec::new, |list| list.iter().map(message).collect()).join(" ")
}
