use super::*;
use byok_translate::ir::{Blob, BlobSlot, Family, Text, ToolCall, ToolResult};
use byok_types::Dialect;

const LIMIT: usize = 1 << 20;

fn blob(data: &str) -> Blob {
    Blob { family: Family::Claude, account: None, slot: BlobSlot::Thinking, data: data.to_owned() }
}

fn thought(data: &str) -> Part {
    Part::Thinking(Thinking { summary: vec!["hm".to_owned()], blob: Some(blob(data)), ..Thinking::default() })
}

fn call(id: &str, arguments: &str) -> Part {
    Part::ToolCall(ToolCall {
        call_id: id.to_owned(),
        name: "f".to_owned(),
        arguments: arguments.to_owned(),
        ..ToolCall::default()
    })
}

fn request(messages: Vec<Message>) -> Request {
    let mut request = Request::new(Dialect::Chat, "m");
    request.messages = messages;
    request
}

fn user(text: &str) -> Message {
    Message::new(Role::User, vec![Part::text(text)])
}

fn said(parts: Vec<Part>) -> Message {
    Message::new(Role::Assistant, parts)
}

fn result(id: &str) -> Message {
    let parts = vec![Part::text("ok")];
    Message::new(
        Role::Tool,
        vec![Part::ToolResult(ToolResult { call_id: id.to_owned(), parts, ..ToolResult::default() })],
    )
}

fn seals(request: &Request) -> Vec<&str> {
    let parts = request.messages.iter().flat_map(|message| &message.parts);
    parts
        .filter_map(|part| match part {
            Part::Thinking(part) => Some(part.blob.as_ref()?.data.as_str()),
            _ => None,
        })
        .collect()
}

#[test]
fn reasoning_comes_back_to_its_turn_in_its_order() {
    let (replay, now) = (Replay::default(), Instant::now());
    let asked = request(vec![user("go")]);
    let answer = [thought("S1"), Part::Text(Text::new("Look.")), thought("S2"), call("c1", r#"{"a":1}"#)];
    replay.keep(Place::behind(None, &asked), &answer, LIMIT, now);
    // Written anew by the client: white space, spelling of arguments, reasoning as text.
    let shown = Part::Thinking(Thinking { summary: vec!["hm".to_owned()], ..Thinking::default() });
    let history = said(vec![shown, Part::text("Look. "), call("c1", r#"{ "a": 1 }"#)]);
    let mut next = request(vec![user("go"), history, result("c1")]);
    replay.restore(None, &mut next, now);
    assert_eq!(seals(&next), ["S1", "S2"]);
    let kinds: Vec<_> = next.messages[1].parts.iter().map(std::mem::discriminant).collect();
    assert_eq!(kinds, answer.iter().map(std::mem::discriminant).collect::<Vec<_>>());
}

#[test]
fn nobody_gets_the_reasoning_of_another() {
    let (replay, now) = (Replay::default(), Instant::now());
    let key = ClientKeyId::new("other").unwrap();
    let asked = request(vec![user("go")]);
    replay.keep(Place::behind(None, &asked), &[thought("S1"), call("c1", "{}")], LIMIT, now);
    let history = |first: &str, id: &str| request(vec![user(first), said(vec![call(id, "{}")]), result(id)]);
    let cases = [
        ("another client", history("go", "c1"), Some(&key)),
        ("another conversation", history("stop", "c1"), None),
        ("another call", history("go", "c2"), None),
        ("another place", request(vec![user("go"), user("now"), said(vec![call("c1", "{}")])]), None),
    ];
    for (what, mut next, client) in cases {
        replay.restore(client, &mut next, now);
        assert_eq!(seals(&next), [""; 0], "{what}");
    }
    let mut own = history("go", "c1");
    replay.restore(None, &mut own, now);
    assert_eq!(seals(&own), ["S1"]);
    replay.restore(None, &mut own, now + KEPT * 2);
    let mut late = history("go", "c1");
    replay.restore(None, &mut late, now + KEPT);
    assert_eq!(seals(&late), [""; 0], "too old");
}

#[test]
fn of_two_conversations_that_look_alike_neither_gets_any() {
    let (replay, now) = (Replay::default(), Instant::now());
    let asked = request(vec![user("go")]);
    for data in ["S1", "S2"] {
        replay.keep(Place::behind(None, &asked), &[thought(data), Part::text("Done.")], LIMIT, now);
    }
    let mut next = request(vec![user("go"), said(vec![Part::text("Done.")]), user("more")]);
    replay.restore(None, &mut next, now);
    assert_eq!(seals(&next), [""; 0]);
}

#[test]
fn memory_is_bounded_and_nothing_is_kept_of_open_answers() {
    let (replay, now) = (Replay::default(), Instant::now());
    replay.keep(Place::behind(None, &request(vec![user("x")])), &[Part::text("plain")], LIMIT, now);
    assert_eq!(replay.held(), 0);
    let limit = 10 * (OVERHEAD + 100);
    for n in 0..1000 {
        let place = Place::behind(None, &request(vec![user(&format!("conversation {n}"))]));
        replay.keep(place, &[thought("0123456789"), call(&format!("c{n}"), "{}")], limit, now);
        assert!(replay.held() <= limit);
    }
    let history =
        |n| request(vec![user(&format!("conversation {n}")), said(vec![call(&format!("c{n}"), "{}")])]);
    let (mut oldest, mut newest) = (history(0), history(999));
    replay.restore(None, &mut oldest, now);
    replay.restore(None, &mut newest, now);
    assert_eq!((seals(&oldest).len(), seals(&newest).len()), (0, 1));
}
