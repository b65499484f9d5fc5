//! Tools of Responses that run at the client, or that must not do what the tool of the same name does elsewhere: never the
//! vendor's own tool in another dialect. And what the client ran before, which the model has to see.

use crate::support::{
    CHAT, GEMINI, MESSAGES, RESPONSES, Row, and, check, dropped, has, lacks, row,
};
use serde_json::{Value, json};

fn declared(name: &'static str, tool: &Value) -> Row {
    row(name, RESPONSES, &json!({"tools": [tool]}))
}

#[test]
fn are_not_run_by_another_vendor() {
    let mut rows: Vec<Row> = [
        ("local shell", json!({"type": "local_shell"})),
        ("shell", json!({"type": "shell"})),
        ("shell that is said to be local", json!({"type": "shell", "environment": {"type": "local"}})),
        ("apply_patch", json!({"type": "apply_patch"})),
        ("search without the web", json!({"type": "web_search", "external_web_access": false})),
        ("old search without the web", json!({"type": "web_search_preview", "external_web_access": false})),
    ]
    .iter()
    .map(|(name, tool)| {
        declared(name, tool)
            .to(CHAT, and(lacks("/tools"), dropped("tools[0]")))
            .to(MESSAGES, and(lacks("/tools"), dropped("tools[0]")))
            .to(GEMINI, and(lacks("/tools"), dropped("tools[0]")))
    })
    .collect();
    rows.extend([
        declared("shell of the vendor", &json!({"type": "shell", "environment": {"type": "container_auto"}}))
            .to(CHAT, dropped("tools[0]"))
            .to(MESSAGES, has("/tools/0/type", "code_execution_20250825"))
            .to(GEMINI, has("/tools/0", json!({"codeExecution": {}}))),
        declared("search", &json!({"type": "web_search", "external_web_access": true}))
            .to(CHAT, dropped("tools[0]"))
            .to(MESSAGES, has("/tools/0/type", "web_search_20250305"))
            .to(GEMINI, has("/tools/0", json!({"googleSearch": {}}))),
        row(
            "chosen",
            RESPONSES,
            &json!({"tools": [{"type": "shell"}, {"type": "function", "name": "f"}],
            "tool_choice": {"type": "shell"}}),
        )
        .to(CHAT, and(lacks("/tool_choice"), dropped("tool_choice")))
        .to(MESSAGES, and(lacks("/tool_choice"), dropped("tool_choice")))
        .to(GEMINI, and(lacks("/toolConfig"), dropped("tool_choice"))),
    ]);
    check(&rows);
}
