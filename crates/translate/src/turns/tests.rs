use super::*;
use byok_types::Dialect;

fn call(id: &str) -> Part {
    Part::ToolCall(ToolCall { call_id: id.into(), name: format!("f_{id}"), ..ToolCall::default() })
}

fn result(id: &str, text: &str) -> Part {
    Part::ToolResult(ToolResult {
        call_id: id.into(),
        parts: vec![Part::text(text)],
        ..ToolResult::default()
    })
}

fn holding(id: &str, parts: &[Part]) -> Part {
    Part::ToolResult(ToolResult { call_id: id.into(), parts: parts.to_vec(), ..ToolResult::default() })
}

fn thought() -> Part {
    Part::Thinking(crate::ir::Thinking { summary: vec!["t".into()], ..Default::default() })
}

fn message(role: Role, parts: &[Part]) -> Message {
    Message::new(role, parts.to_vec())
}

/// Writes a conversation in one line: `A(x:call) R(x=ok) U(hi)`.
fn line(messages: Vec<Message>) -> String {
    let mut request = Request::new(Dialect::Chat, "m");
    request.messages = messages;
    let mut losses = Losses::default();
    let conversation = arrange(&request, Dialect::Messages, &mut losses);
    let part = |part: &Part| match part {
        Part::Text(text) => text.text.clone(),
        Part::ToolCall(call) => format!("!{}", call.call_id),
        other => format!("{other:?}"),
    };
    let system = conversation.system.iter().map(|s| format!("s:{}", part(s.part)));
    let turns = conversation.turns.iter().map(|turn| match turn {
        Turn::System { parts, .. } => {
            format!("S({})", parts.iter().map(|p| part(p)).collect::<Vec<_>>().join(","))
        }
        Turn::User { parts, .. } => {
            format!("U({})", parts.iter().map(|p| part(p)).collect::<Vec<_>>().join(","))
        }
        Turn::Assistant { parts, .. } => {
            format!("A({})", parts.iter().map(|p| part(p)).collect::<Vec<_>>().join(","))
        }
        Turn::Results(results) => {
            let one = |r: &Cow<'_, ToolResult>| {
                format!("{}={}", r.call_id, r.parts.iter().map(part).collect::<String>())
            };
            format!("R({})", results.iter().map(one).collect::<Vec<_>>().join(","))
        }
    });
    system.chain(turns).collect::<Vec<_>>().join(" ")
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn results_stand_directly_after_their_calls() {
    use Role::{Assistant, Developer, System, Tool, User};
    let t = Part::text;
    let cases: Vec<(&str, Vec<Message>, &str)> = vec![
        (
            "leading system and developer messages are lifted, later ones keep their place",
            vec![
                message(System, &[t("a")]),
                message(Developer, &[t("b")]),
                message(User, &[t("hi")]),
                message(System, &[t("c")]),
            ],
            "s:a s:b U(hi) S(c)",
        ),
        (
            "each tool message of a turn lands in one turn of results",
            vec![
                message(Assistant, &[call("a"), call("b")]),
                message(Tool, &[result("a", "1")]),
                message(Tool, &[result("b", "2")]),
            ],
            "A(!a,!b) R(a=1,b=2)",
        ),
        (
            "text before results comes after them",
            vec![message(Assistant, &[call("a")]), message(User, &[t("x"), result("a", "1")])],
            "A(!a) R(a=1) U(x)",
        ),
        (
            "results over two user turns with text between",
            vec![
                message(Assistant, &[call("a"), call("b")]),
                message(User, &[result("a", "1"), t("x")]),
                message(User, &[result("b", "2")]),
            ],
            "A(!a,!b) R(a=1,b=2) U(x)",
        ),
        (
            "items of one assistant turn are merged",
            vec![
                message(Assistant, &[t("x")]),
                message(Assistant, &[call("a")]),
                message(Tool, &[result("a", "1")]),
            ],
            "A(x,!a) R(a=1)",
        ),
        (
            "a missing result is made up",
            vec![
                message(Assistant, &[call("a"), call("b")]),
                message(Tool, &[result("b", "2")]),
                message(User, &[t("x")]),
            ],
            "A(!a,!b) R(a=[no result was recorded],b=2) U(x)",
        ),
        (
            "the last of two results wins at the first place",
            vec![
                message(Assistant, &[call("a"), call("b")]),
                message(Tool, &[result("a", "1"), result("a", "2"), result("b", "3")]),
            ],
            "A(!a,!b) R(a=2,b=3)",
        ),
        (
            "calls, results and thoughts inside a result are left out",
            vec![
                message(Assistant, &[call("a")]),
                message(Tool, &[holding("a", &[t("1"), call("x"), result("a", "2"), thought(), t("3")])]),
                message(User, &[holding("b", &[call("y"), t("4")])]),
            ],
            "A(!a) R(a=13) U([result of an earlier tool call],4)",
        ),
        (
            "a result without a call becomes text",
            vec![message(Tool, &[result("a", "1")]), message(User, &[t("x")])],
            "U([result of an earlier tool call],1,x)",
        ),
        (
            "an id used again in a later turn pairs with the nearest call",
            vec![
                message(Assistant, &[call("a")]),
                message(Tool, &[result("a", "1")]),
                message(Assistant, &[call("a")]),
                message(Tool, &[result("a", "2")]),
            ],
            "A(!a) R(a=1) A(!a_2) R(a_2=2)",
        ),
        (
            "two calls of one turn with one id",
            vec![
                message(Assistant, &[call("a"), call("a")]),
                message(Tool, &[result("a", "1"), result("a", "2")]),
            ],
            "A(!a,!a_2) R(a=1,a_2=2)",
        ),
        (
            "three calls of one turn with one id, beside one that has their number",
            vec![
                message(Assistant, &[call("a"), call("a_2"), call("a"), call("a")]),
                message(Tool, &[result("a", "1"), result("a", "3"), result("a_2", "2"), result("a", "4")]),
            ],
            "A(!a,!a_2,!a_3,!a_4) R(a=1,a_2=2,a_3=3,a_4=4)",
        ),
        (
            "a system message between call and result does not part them",
            vec![
                message(Assistant, &[call("a")]),
                message(System, &[t("s")]),
                message(Tool, &[result("a", "1")]),
            ],
            "A(!a) R(a=1) S(s)",
        ),
        ("user turns are merged", vec![message(User, &[t("x")]), message(User, &[t("y")])], "U(x,y)"),
        (
            "a call at the very end is answered",
            vec![message(User, &[t("x")]), message(Assistant, &[call("a")])],
            "U(x) A(!a) R(a=[no result was recorded])",
        ),
        (
            "an assistant turn after a call without a result",
            vec![message(Assistant, &[call("a")]), message(User, &[t("x")]), message(Assistant, &[t("y")])],
            "A(!a) R(a=[no result was recorded]) U(x) A(y)",
        ),
    ];
    for (name, messages, expected) in cases {
        assert_eq!(line(messages), expected, "{name}");
    }
}
