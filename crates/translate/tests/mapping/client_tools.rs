//! Tools of Responses that run at the client, or that must not do what the tool of the same name does elsewhere: never the
//! vendor's own tool in another dialect. And what the client ran before, which the model has to see.

use crate::support::{
    CHAT, GEMINI, MESSAGES, RESPONSES, Row, and, check, dropped, emulated, has, lacks, row, says, silence,
};
use serde_json::{Value, json};

const PNG: &str = "iVBORw0KGgoAAAAA";

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

/// A row about items between two messages of the user: call and result as each target is to see them.
fn ran(
    name: &'static str,
    items: &[Value],
    function: &'static str,
    arguments: &Value,
    result: &'static str,
) -> Row {
    let user = |text: &str| json!({"type": "message", "role": "user", "content": text});
    let input: Vec<Value> =
        std::iter::once(user("x")).chain(items.iter().cloned()).chain([user("y")]).collect();
    row(name, RESPONSES, &json!({"input": input}))
        .to(
            CHAT,
            and(
                and(
                    has("/messages/1/tool_calls/0/function/name", function),
                    has("/messages/1/tool_calls/0/function/arguments", arguments.to_string()),
                ),
                and(and(has("/messages/2/role", "tool"), says(result)), emulated("input")),
            ),
        )
        .to(
            MESSAGES,
            and(
                and(
                    has("/messages/1/content/0/name", function),
                    has("/messages/1/content/0/input", arguments.clone()),
                ),
                and(
                    and(has("/messages/2/content/0/type", "tool_result"), says(result)),
                    and(emulated("input"), silence("no result was recorded")),
                ),
            ),
        )
        .to(
            GEMINI,
            and(
                and(
                    has("/contents/1/parts/0/functionCall/name", function),
                    has("/contents/1/parts/0/functionCall/args", arguments.clone()),
                ),
                and(
                    and(has("/contents/2/parts/0/functionResponse/name", function), says(result)),
                    emulated("input"),
                ),
            ),
        )
}

#[test]
fn what_the_client_ran_is_shown() {
    let screen = format!("data:image/png;base64,{PNG}");
    check(&[
        ran(
            "shell",
            &[
                json!({"type": "shell_call", "call_id": "s1", "action": {"commands": ["ls"]}, "status": "completed"}),
                json!({"type": "shell_call_output", "call_id": "s1", "output": [{"stdout": "FOUND", "stderr": "",
                    "outcome": {"type": "exit", "exit_code": 0}}]}),
            ],
            "shell",
            &json!({"commands": ["ls"]}),
            "FOUND",
        ),
        ran(
            "local shell, whose output names the call",
            &[
                json!({"type": "local_shell_call", "id": "lsh_1", "call_id": "c1", "status": "completed",
                    "action": {"type": "exec", "command": ["ls"], "env": {}}}),
                json!({"type": "local_shell_call_output", "id": "c1", "output": "FOUND"}),
            ],
            "local_shell",
            &json!({"type": "exec", "command": ["ls"], "env": {}}),
            "FOUND",
        ),
        ran(
            "local shell, whose output names the item",
            &[
                json!({"type": "local_shell_call", "id": "lsh_1", "call_id": "c1", "status": "completed",
                    "action": {"type": "exec", "command": ["ls"], "env": {}}}),
                json!({"type": "local_shell_call_output", "id": "lsh_1", "output": "FOUND"}),
            ],
            "local_shell",
            &json!({"type": "exec", "command": ["ls"], "env": {}}),
            "FOUND",
        ),
        ran(
            "patch",
            &[
                json!({"type": "apply_patch_call", "call_id": "p1", "status": "completed",
                    "operation": {"type": "create_file", "path": "a", "diff": "+x"}}),
                json!({"type": "apply_patch_call_output", "call_id": "p1", "status": "completed", "output": "FOUND"}),
            ],
            "apply_patch",
            &json!({"type": "create_file", "path": "a", "diff": "+x"}),
            "FOUND",
        ),
        ran(
            "patch that says nothing more",
            &[
                json!({"type": "apply_patch_call", "call_id": "p1", "status": "completed",
                    "operation": {"type": "delete_file", "path": "a"}}),
                json!({"type": "apply_patch_call_output", "call_id": "p1", "status": "failed"}),
            ],
            "apply_patch",
            &json!({"type": "delete_file", "path": "a"}),
            "failed",
        ),
        ran(
            "computer",
            &[
                json!({"type": "computer_call", "id": "cu_1", "call_id": "c1", "status": "completed",
                    "action": {"type": "screenshot"}, "pending_safety_checks": []}),
                json!({"type": "computer_call_output", "call_id": "c1",
                    "output": {"type": "computer_screenshot", "image_url": screen}}),
            ],
            "computer",
            &json!({"type": "screenshot"}),
            PNG,
        ),
        ran(
            "computer, several actions",
            &[
                json!({"type": "computer_call", "id": "cu_1", "call_id": "c1", "status": "completed",
                    "actions": [{"type": "click", "x": 1, "y": 2}]}),
                json!({"type": "computer_call_output", "call_id": "c1",
                    "output": {"type": "computer_screenshot", "image_url": screen}}),
            ],
            "computer",
            &json!({"actions": [{"type": "click", "x": 1, "y": 2}]}),
            PNG,
        ),
        ran(
            "MCP",
            &[
                json!({"type": "mcp_call", "id": "mcp_1", "name": "n", "server_label": "l", "arguments": "{\"a\":1}",
                "output": "FOUND"}),
            ],
            "l__n",
            &json!({"a": 1}),
            "FOUND",
        ),
        ran(
            "MCP that failed",
            &[json!({"type": "mcp_call", "id": "mcp_1", "name": "n", "server_label": "l", "arguments": "",
                "output": null, "error": "BROKEN"})],
            "l__n",
            &json!({}),
            "BROKEN",
        ),
    ]);
}

#[test]
fn what_is_left_of_it_is_shown_too() {
    let user = json!({"type": "message", "role": "user", "content": "x"});
    let orphan = json!({"input": [user, {"type": "shell_call_output", "call_id": "s1", "output": [{"stdout": "FOUND"}]}]});
    let open = json!({"input": [user, {"type": "shell_call", "call_id": "s1", "action": {"commands": ["LOOK"]}}, user]});
    // What the vendor ran stays with the vendor.
    let vendor = json!({"input": [user, {"type": "code_interpreter_call", "id": "ci_1", "code": "CODE", "status": "completed",
        "outputs": []}, {"type": "mcp_list_tools", "id": "m", "server_label": "CODE", "tools": []}, user]});
    check(&[
        row("result alone", RESPONSES, &orphan)
            .to(CHAT, and(says("FOUND"), silence("\"tool\"")))
            .to(MESSAGES, and(says("FOUND"), silence("tool_result")))
            .to(GEMINI, and(says("FOUND"), silence("functionResponse"))),
        row("call alone", RESPONSES, &open)
            .to(CHAT, and(says("LOOK"), says("no result was recorded")))
            .to(MESSAGES, and(says("LOOK"), says("no result was recorded")))
            .to(GEMINI, and(says("LOOK"), says("no result was recorded"))),
        row("the vendor's", RESPONSES, &vendor)
            .to(CHAT, silence("CODE"))
            .to(MESSAGES, silence("CODE"))
            .to(GEMINI, silence("CODE")),
    ]);
}
