use super::*;
use crate::ir::Flavour;

fn call(part: u32, name: &str, arguments: &str) -> Vec<Event> {
    let part = PartId(part);
    let head = PartHead::ToolCall {
        call_id: "c".into(),
        item_id: None,
        name: name.into(),
        namespace: None,
        flavour: Flavour::Function,
        caller: None,
    };
    vec![
        Event::PartStart { part, choice: 0, head },
        Event::Delta { part, delta: Delta::Arguments(arguments.into()) },
        Event::PartStop { part, complete: true, whole: None },
    ]
}

fn text(part: u32, pieces: &[&str]) -> Vec<Event> {
    let part = PartId(part);
    let mut events = vec![Event::PartStart { part, choice: 0, head: PartHead::Text }];
    events.extend(pieces.iter().map(|piece| Event::Delta { part, delta: Delta::Text((*piece).to_owned()) }));
    events.push(Event::PartStop { part, complete: true, whole: None });
    events
}

fn thinking(part: u32) -> Vec<Event> {
    let (part, head) = (PartId(part), PartHead::Thinking { id: None, redacted: false });
    vec![
        Event::PartStart { part, choice: 0, head },
        Event::Delta { part, delta: Delta::Thinking { text: "why".into(), paragraph: 0, raw: false } },
        Event::PartStop { part, complete: true, whole: None },
    ]
}

fn end(reason: StopReason) -> Vec<Event> {
    vec![Event::Finish { choice: 0, stop: Stop::new(reason) }, Event::End]
}

/// What the client is shown, one word for each thing, and whether something was lost.
fn shown(events: Vec<Event>) -> (String, bool) {
    let (mut tool, mut out) = (JsonTool::default(), Vec::new());
    for event in events {
        tool.push(event, &mut out);
    }
    assert_eq!(tool.held(), 0);
    let mut open = Vec::new();
    let mut said = Vec::new();
    for event in out {
        match event {
            Event::PartStart { part, .. } => open.push(part),
            Event::PartStop { part, .. } => open.retain(|known| *known != part),
            Event::Delta { part, delta } => {
                assert!(open.contains(&part), "{delta:?}");
                said.push(match delta {
                    Delta::Text(text) => text,
                    Delta::Arguments(text) => format!("call{text}"),
                    _ => "thought".to_owned(),
                });
            }
            Event::Finish { stop, .. } => said.push(format!("{:?}", stop.reason)),
            _ => {}
        }
    }
    assert!(open.is_empty());
    (said.join("|"), tool.lost())
}

#[test]
fn words_beside_the_json() {
    use StopReason::{End, Length, ToolCall};
    let json = || call(9, JSON_TOOL, r#"{"a":1}"#);
    for (what, events, expected) in [
        ("nothing beside it", [json(), end(ToolCall)].concat(), (r#"{"a":1}|End"#, false)),
        ("before", [text(1, &["Here", " it is"]), json(), end(ToolCall)].concat(), (r#"{"a":1}|End"#, true)),
        ("behind", [json(), text(1, &["Done."]), end(ToolCall)].concat(), (r#"{"a":1}|End"#, true)),
        ("white space", [text(1, &["\n", "\n"]), json(), end(ToolCall)].concat(), (r#"{"a":1}|End"#, false)),
        (
            "thoughts keep their place",
            [thinking(0), text(1, &["Here"]), thinking(2), json(), end(ToolCall)].concat(),
            (r#"thought|thought|{"a":1}|End"#, true),
        ),
        ("no call", [text(1, &["Sor", "ry"]), thinking(2), end(End)].concat(), ("Sor|ry|thought|End", false)),
        (
            "a second call",
            [json(), call(10, JSON_TOOL, r#"{"a":2}"#), end(ToolCall)].concat(),
            (r#"{"a":1}|End"#, true),
        ),
        (
            "JSON that breaks off",
            [call(9, JSON_TOOL, r#"{"a":"b"#), end(ToolCall)].concat(),
            (r#"{"a":"b|Length"#, false),
        ),
        (
            "JSON that breaks off, with another word for the end",
            [call(9, JSON_TOOL, r#"{"a":"#), end(End)].concat(),
            (r#"{"a":|Length"#, false),
        ),
        ("no JSON", [call(9, JSON_TOOL, "{oops}"), end(ToolCall)].concat(), ("{oops}|End", false)),
        ("cut", [text(1, &["Sor"]), end(Length)].concat(), ("Sor|Length", false)),
        (
            "a call of the client's",
            [text(1, &["I look"]), call(2, "f", "{}"), end(ToolCall)].concat(),
            ("I look|call{}|ToolCall", false),
        ),
    ] {
        let (said, lost) = shown(events);
        assert_eq!((said.as_str(), lost), expected, "{what}");
    }
}

/// What waits is counted, and signs of life do not wait.
#[test]
fn words_wait_until_it_is_known_what_they_are() {
    let (mut tool, mut out) = (JsonTool::default(), Vec::new());
    for event in text(1, &["Hello"]).into_iter().chain([Event::Ping]) {
        tool.push(event, &mut out);
    }
    assert_eq!((tool.held(), &out[..]), (5, &[Event::Ping][..]));
    tool.push(Event::Finish { choice: 0, stop: Stop::default() }, &mut out);
    assert_eq!((tool.held(), out.len()), (0, 5));
}
