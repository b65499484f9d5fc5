//! Tools, the choice among them, and the headers that they need.

use super::*;
use crate::ir::{
    CustomFormat, CustomTool, Extra, Flavour, HostedTool, NamedTool, Opaque, ServerTool, ToolChoice,
    WebSearch,
};
use byok_types::StructuredOutput;
use serde_json::json;

fn tools(list: Vec<Tool>) -> Request {
    let mut request = chat(vec![says(Role::User, "x")]);
    request.tools = list;
    request
}

fn names(body: &Value) -> Vec<&str> {
    body["tools"]
        .as_array()
        .map_or_else(Vec::new, |list| list.iter().filter_map(|t| t["name"].as_str()).collect())
}

#[test]
fn t53_t54_names_are_legal_and_different() {
    let (body, _) =
        encoded(&tools(vec![function("f"), function("f"), function("a.b"), function("a_b")]), &claude());
    let names = names(&body);
    assert_eq!((names.len(), names[0], names[2]), (3, "f", "a_b"));
    assert!(names[1].starts_with("a_b_"), "{names:?}");
}

#[test]
fn t52_t49_namespaces_are_flattened_and_free_text_is_an_argument() {
    let grammar = CustomFormat::Grammar { syntax: "lark".into(), definition: "start: X".into() };
    let patch = CustomTool { name: "apply_patch".into(), format: grammar, ..CustomTool::default() };
    let space = |name: &str| Tool::Namespace {
        name: name.into(),
        description: None,
        tools: vec![function("get")],
        extra: Extra::default(),
    };
    let mut request = tools(vec![Tool::Custom(patch), space("a"), space("b")]);
    request.messages.push(Message::new(
        Role::Assistant,
        vec![Part::ToolCall(ToolCall {
            call_id: "c".into(),
            name: "apply_patch".into(),
            flavour: Flavour::Custom,
            arguments: "*** \"x\"".into(),
            ..ToolCall::default()
        })],
    ));
    let (body, _) = encoded(&request, &claude());
    assert_eq!(names(&body), ["apply_patch", "a__get", "b__get"]);
    assert_eq!(body["tools"][0]["input_schema"]["required"], json!(["input"]));
    assert_eq!(body["messages"][1]["content"][0]["input"], json!({"input": "*** \"x\""}));
}

#[test]
fn t60_t61_the_choice_is_written_where_there_is_one() {
    let named = |name: &str| NamedTool { name: name.into(), ..NamedTool::default() };
    let subset = |required| ToolChoice::Allowed { required, tools: vec![named("g")] };
    let cases = [
        (None, None, Value::Null),
        (None, Some(false), json!({"type": "auto", "disable_parallel_tool_use": true})),
        (Some(ToolChoice::Auto), Some(true), json!({"type": "auto"})),
        (Some(ToolChoice::None), Some(false), json!({"type": "none"})),
        (Some(ToolChoice::Required), Some(false), json!({"type": "any", "disable_parallel_tool_use": true})),
        (Some(ToolChoice::Named(named("f"))), None, json!({"type": "tool", "name": "f"})),
        (Some(ToolChoice::Validated), None, json!({"type": "auto"})),
        (Some(subset(true)), None, json!({"type": "any"})),
        (Some(subset(false)), None, json!({"type": "auto"})),
    ];
    for (choice, parallel, expected) in cases {
        let mut request = tools(vec![function("f"), function("g")]);
        let is_subset = matches!(choice, Some(ToolChoice::Allowed { .. }));
        request.tool_choice = choice;
        request.parallel_tool_calls = parallel;
        let (body, _) = encoded(&request, &claude());
        assert_eq!(body["tool_choice"], expected);
        assert_eq!(names(&body), if is_subset { vec!["g"] } else { vec!["f", "g"] });
        request.tools.clear();
        assert_eq!(encoded(&request, &claude()).0["tool_choice"], Value::Null);
    }
}

#[test]
fn t94_hosted_tools_have_counterparts_at_claude() {
    let hosted = |tool, web_search| {
        let verbatim = Opaque { dialect: Dialect::Responses, json: Json::parse(r#"{"type":"x"}"#).unwrap() };
        Tool::Hosted(HostedTool { tool, type_name: "x".into(), web_search, cache: None, verbatim })
    };
    let search = WebSearch {
        allowed_domains: vec!["e.org".into()],
        blocked_domains: vec!["f.org".into()],
        user_location: Some(Json::parse(r#"{"city":"Oslo","region":null}"#).unwrap()),
        ..WebSearch::default()
    };
    let request =
        tools(vec![hosted(ServerTool::WebSearch, Some(search)), hosted(ServerTool::FileSearch, None)]);
    let (body, losses) = encoded(&request, &claude());
    assert_eq!(
        body["tools"],
        json!([{"type": "web_search_20250305", "name": "web_search", "allowed_domains": ["e.org"],
                "user_location": {"city": "Oslo", "type": "approximate"}, "cache_control": {"type": "ephemeral"}}])
    );
    let lost: Vec<_> = losses.iter().map(|loss| loss.field.as_str()).collect();
    assert_eq!(lost, ["tools[0].blocked_domains", "tools[1]"]);
    let kimi = ModelFacts { family: Family::Other, ..claude() };
    assert_eq!(encoded(&request, &kimi).0["tools"], Value::Null);
}

#[test]
fn t91_members_that_only_the_vendor_knows_stay_with_it() {
    let body = r#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}],"tools":[
        {"name":"f","description":"","input_schema":{"type":"object"},"eager_input_streaming":true,"strict":true,
         "defer_loading":true,"input_examples":[{}],"cache_control":{"type":"ephemeral"}},
        {"type":"bash_20250124","name":"bash"},{"type":"tool_search_tool_bm25_20251119","name":"ts"}]}"#;
    let request = decoded(body);
    let sent: Value = serde_json::from_str(body).unwrap();
    assert_eq!(encoded(&request, &claude()).0["tools"], sent["tools"]);
    let kimi = ModelFacts { family: Family::Other, first_party: false, ..claude() };
    let (body, losses) = encoded(&request, &kimi);
    assert_eq!(
        body["tools"][0],
        json!({"name": "f", "description": "", "input_schema": {"type": "object"},
        "cache_control": {"type": "ephemeral"}})
    );
    assert_eq!(names(&body), ["f", "bash"]);
    assert_eq!(body["tools"][1]["input_schema"]["properties"]["command"]["type"], "string");
    let fields: Vec<_> = losses.iter().map(|loss| loss.field.as_str()).collect();
    assert_eq!(fields, ["tools[0].strict", "tools[1]", "tools[2]"]);
}

#[test]
fn t93_changes_of_tools_are_stripped_for_others() {
    let body = r#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"x"},
        {"type":"tool_addition","tool":{"type":"tool_reference","name":"f"}}]}]}"#;
    let request = decoded(body);
    assert_eq!(outline(&encoded(&request, &claude()).0), "user(`x` tool_addition)");
    let kimi = ModelFacts { family: Family::Other, first_party: false, ..claude() };
    let (body, losses) = encoded(&request, &kimi);
    assert_eq!(outline(&body), "user(`x`)");
    assert_eq!(losses[0].field, "messages[0].content[1]");
}

#[test]
fn schemas_have_an_object_at_their_root() {
    let cases = [
        (None, json!({"type": "object", "properties": {}})),
        (
            Some(
                r#"{"anyOf":[{"type":"object","properties":{"a":{"type":"string"}},"required":["a","b"]},
                 {"type":"object","properties":{"b":{"type":"string"}},"required":["b"]}]}"#,
            ),
            json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "required": ["b"]}),
        ),
        (
            Some(
                r##"{"$ref":"#/definitions/X","definitions":{"X":{"type":"object","properties":{"a":{}}}}}"##,
            ),
            json!({"type": "object", "properties": {"a": {}},
                   "definitions": {"X": {"type": "object", "properties": {"a": {}}}}}),
        ),
        (
            Some(
                r#"{"allOf":[{"properties":{"a":{}},"required":["a"]},{"properties":{"b":{}},"required":["b"]}]}"#,
            ),
            json!({"type": "object", "properties": {"a": {}, "b": {}}, "required": ["a", "b"]}),
        ),
        (Some(r##"{"$ref":"#"}"##), json!({"type": "object", "properties": {}})),
    ];
    for (schema, expected) in cases {
        let schema = schema.map(|text| Json::parse(text).unwrap());
        let tool = Tool::Function(FunctionTool { name: "f".into(), schema, ..FunctionTool::default() });
        assert_eq!(encoded(&tools(vec![tool]), &claude()).0["tools"][0]["input_schema"], expected);
    }
}

#[test]
fn strict_travels_with_a_closed_schema() {
    let strict = |schema: &str| {
        let schema = Some(Json::parse(schema).unwrap());
        let tool = FunctionTool { name: "f".into(), schema, strict: Some(true), ..FunctionTool::default() };
        encoded(&tools(vec![Tool::Function(tool)]), &claude()).0["tools"][0]["strict"].clone()
    };
    let closed = r#"{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}"#;
    assert_eq!(strict(closed), true);
    assert_eq!(strict(r#"{"type":"object","properties":{"a":{}}}"#), Value::Null);
}

fn headers(request: &Request, facts: &ModelFacts) -> String {
    let headers = headers_for(request, facts);
    assert_eq!(headers[0], ("anthropic-version", VERSION.to_owned()));
    headers.get(1).map(|(_, value)| value.clone()).unwrap_or_default()
}

#[test]
fn betas_are_named_for_what_is_used() {
    let base = r#""model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}]"#;
    let cases = [
        ("", ""),
        (r#","output_config":{"effort":"low"}"#, "effort-2025-11-24"),
        (
            r#","output_config":{"format":{"type":"json_schema","schema":{}}}"#,
            "structured-outputs-2025-12-15",
        ),
        (r#","output_config":{"task_budget":{"type":"tokens","total":1}}"#, "task-budgets-2026-03-13"),
        (r#","context_management":{"edits":[]}"#, "context-management-2025-06-27"),
        (
            r#","context_management":{"edits":[{"type":"compact_20260112"}]}"#,
            "context-management-2025-06-27,compact-2026-01-12",
        ),
        (r#","speed":"fast""#, "fast-mode-2026-02-01"),
        (r#","cache_control":{"type":"ephemeral","ttl":"1h"}"#, "extended-cache-ttl-2025-04-11"),
        (r#","tools":[{"name":"f","input_schema":{},"defer_loading":true}]"#, "advanced-tool-use-2025-11-20"),
        (r#","speed":"standard""#, ""),
        (r#","output_config":{"format":{"type":"text"}}"#, ""),
        (r#","output_config":{"format":{"type":"regex"}}"#, "structured-outputs-2025-12-15"),
        (r#","tools":[{"name":"f","input_schema":{},"strict":true}]"#, "structured-outputs-2025-12-15"),
        (r#","tools":[{"name":"f","input_schema":{},"strict":false,"defer_loading":false}]"#, ""),
        (r#","tools":[{"name":"f","input_examples":[{}]}]"#, "advanced-tool-use-2025-11-20"),
        (r#","tools":[{"name":"f","allowed_callers":["x"]}]"#, "advanced-tool-use-2025-11-20"),
        (
            r#","tools":[{"type":"tool_search_tool_bm25","name":"tool_search_tool_bm25"}]"#,
            "advanced-tool-use-2025-11-20",
        ),
        (r#","tools":[{"type":"web_search_20250305","name":"web_search"}]"#, ""),
        (r#","tools":[{"type":"bash_20250124","name":"bash","cache_control":{"type":"ephemeral"}}]"#, ""),
        (
            r#","tools":[{"type":"bash_20250124","name":"bash","cache_control":{"ttl":"1h"}}]"#,
            "extended-cache-ttl-2025-04-11",
        ),
        (
            r#","tools":[{"type":"web_search_20250305","name":"web_search","cache_control":{"ttl":"1h"}}]"#,
            "extended-cache-ttl-2025-04-11",
        ),
        (r#","tools":[{"name":"f","cache_control":{"ttl":"1h"}}]"#, "extended-cache-ttl-2025-04-11"),
        (
            r#","system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral","scope":"global"}}]"#,
            "prompt-caching-scope-2026-01-05",
        ),
        (r#","betas":["x-1","effort-2025-11-24"],"output_config":{"effort":"low"}"#, "x-1,effort-2025-11-24"),
    ];
    for (more, expected) in cases {
        let request = decoded(&format!("{{{base}{more}}}"));
        assert_eq!(headers(&request, &claude()), expected, "{more}");
        assert_eq!(encoded(&request, &claude()).0["betas"], Value::Null);
    }
    // Only where the vendor itself enforces schemas.
    let strict =
        decoded(&format!(r#"{{{base},"tools":[{{"name":"f","input_schema":{{}},"strict":true}}]}}"#));
    for facts in [
        ModelFacts { first_party: false, ..claude() },
        ModelFacts { structured_output: StructuredOutput::ForcedTool, ..claude() },
    ] {
        assert_eq!(headers(&strict, &facts), "");
    }
    let file = r#"{"type":"image","source":{"type":"file","file_id":"f"}}"#;
    let long = r#""cache_control":{"type":"ephemeral","ttl":"1h"}"#;
    for (block, expected) in [
        (file.to_owned(), "files-api-2025-04-14"),
        (r#"{"type":"document","source":{"type":"file","file_id":"f"}}"#.into(), "files-api-2025-04-14"),
        (r#"{"type":"image","source":{"type":"url","url":"https://example.com/a"}}"#.into(), ""),
        (r#"{"type":"container_upload","file_id":"f"}"#.into(), "files-api-2025-04-14"),
        (format!(r#"{{"type":"tool_result","tool_use_id":"t","content":[{file}]}}"#), "files-api-2025-04-14"),
        (
            r#"{"type":"tool_addition","tool":{"type":"tool_reference","tool_name":"f"}}"#.into(),
            "mid-conversation-tool-changes-2026-07-01",
        ),
        (format!(r#"{{"type":"text","text":"x",{long}}}"#), "extended-cache-ttl-2025-04-11"),
        (
            format!(r#"{{"type":"image","source":{{"type":"url","url":"https://a"}},{long}}}"#),
            "extended-cache-ttl-2025-04-11",
        ),
        (
            format!(r#"{{"type":"document","source":{{"type":"text","data":"d"}},{long}}}"#),
            "extended-cache-ttl-2025-04-11",
        ),
        (
            format!(r#"{{"type":"search_result","source":"s","content":[],{long}}}"#),
            "extended-cache-ttl-2025-04-11",
        ),
        (
            format!(r#"{{"type":"tool_use","id":"t","name":"f","input":{{}},{long}}}"#),
            "extended-cache-ttl-2025-04-11",
        ),
        (format!(r#"{{"type":"tool_result","tool_use_id":"t",{long}}}"#), "extended-cache-ttl-2025-04-11"),
    ] {
        let body =
            format!(r#"{{"model":"m","max_tokens":9,"messages":[{{"role":"user","content":[{block}]}}]}}"#);
        assert_eq!(headers(&decoded(&body), &claude()), expected, "{block}");
    }
    let mut request = chat(vec![says(Role::User, "x")]);
    request.reasoning.effort = Some(Effort::High);
    assert_eq!(headers(&request, &claude()), "effort-2025-11-24");
    assert_eq!(headers(&request, &old_claude()), "");
    let kimi = ModelFacts { family: Family::Other, structured_output: StructuredOutput::Native, ..claude() };
    assert_eq!(headers(&request, &kimi), "");
}
