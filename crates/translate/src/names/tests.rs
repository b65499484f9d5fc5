use super::*;
use crate::ir::FunctionTool;

const CHAT: NameRules = NameRules { max: 64, dots: false, any_first: true, namespaces: false };

fn function(name: &str) -> Tool {
    Tool::Function(FunctionTool { name: name.into(), ..FunctionTool::default() })
}

fn names(tools: Vec<Tool>, rules: NameRules) -> Names {
    let mut request = Request::new(Dialect::Messages, "m");
    request.tools = tools;
    Names::of(&request, rules)
}

#[test]
fn legal_names_are_kept_and_illegal_ones_come_back() {
    let long = "mcp__server__".to_owned() + &"x".repeat(80);
    let names = names(["Bash", "a.b", "a_b", &long, "größe"].map(function).to_vec(), CHAT);
    assert_eq!(names.upstream("Bash", None), "Bash");
    assert_eq!(names.upstream("a_b", None), "a_b");
    let mut seen = std::collections::HashSet::new();
    for name in ["Bash", "a.b", "a_b", &long, "größe"] {
        let upstream = names.upstream(name, None).into_owned();
        assert!(CHAT.allows(&upstream), "{upstream}");
        assert_eq!(names.client(&upstream).unwrap().name, name);
        assert!(seen.insert(upstream));
    }
}

#[test]
fn namespaces_are_flattened_and_restored() {
    let space = |name: &str| Tool::Namespace {
        name: name.into(),
        description: None,
        tools: vec![function("get")],
        extra: crate::ir::Extra::default(),
    };
    let names = names(vec![space("a"), space("b"), function("a__get")], CHAT);
    assert_eq!(names.upstream("get", Some("a")), "a__get");
    assert_eq!(names.upstream("get", Some("b")), "b__get");
    let clash = names.upstream("a__get", None).into_owned();
    assert_ne!(clash, "a__get");
    assert_eq!(names.client("b__get").unwrap().namespace.as_deref(), Some("b"));
    assert_eq!(names.client(&clash).unwrap().namespace, None);
    assert!(names.client("nobody").is_none());
}

#[test]
fn gemini_wants_a_letter_first() {
    let rules = NameRules { max: 64, dots: true, any_first: false, namespaces: false };
    let names = names(vec![function("9lives"), function("fs.read")], rules);
    assert!(names.upstream("9lives", None).starts_with("_9lives_"));
    assert_eq!(names.upstream("fs.read", None), "fs.read");
}
