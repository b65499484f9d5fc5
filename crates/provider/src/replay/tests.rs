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
fn without_calls_the_place_counts() {
    let (replay, now) = (Replay::default(), Instant::now());
    let asked = request(vec![user("go")]);
    replay.keep(Place::behind(None, &asked), &[thought("S1"), Part::text("Done.")], LIMIT, now);
    let done = || said(vec![Part::text("Done.")]);
    for (what, mut next, expected) in [
        ("its own", request(vec![user("go"), done(), user("more")]), 1),
        ("another conversation", request(vec![user("stop"), done(), user("more")]), 0),
        ("another place", request(vec![user("go"), user("now"), done()]), 0),
    ] {
        replay.restore(None, &mut next, now);
        assert_eq!(seals(&next).len(), expected, "{what}");
    }
}

/// Agents keep their conversations short and write them anew.
#[test]
fn housekeeping_loses_no_reasoning_of_calls() {
    const C1: &str = "toolu_01A09q90qw90lq917835lq9";
    const C2: &str = "call_b7e4f0a9c2d1";
    const C3: &str = "call_550e8400-e29b-41d4-a716-44665544000a";
    let (replay, now) = (Replay::default(), Instant::now());
    let first = [thought("S1"), Part::text("Look."), call(C1, "{}"), call(C2, "{}")];
    let second = [thought("S2"), Part::text("Again."), call(C3, "{}")];
    let turn = |parts: &[Part]| said(parts[1..].to_vec());
    let mut asked = request(vec![user("go")]);
    replay.keep(Place::behind(None, &asked), &first, LIMIT, now);
    asked.messages.extend([turn(&first), result(C1), result(C2)]);
    replay.keep(Place::behind(None, &asked), &second, LIMIT, now);
    let cleared = || {
        let parts = vec![Part::text("[cleared]")];
        let of =
            |id: &str| ToolResult { call_id: id.to_owned(), parts: parts.clone(), ..ToolResult::default() };
        Message::new(Role::Tool, vec![Part::ToolResult(of(C1)), Part::ToolResult(of(C2))])
    };
    let textless = |parts: &[Part]| said(parts[2..].to_vec());
    let both = ["S1", "S2"].as_slice();
    let cases = [
        (
            "a summary",
            vec![user("sum"), turn(&first), result(C1), result(C2), turn(&second), result(C3)],
            both,
        ),
        ("a cut", vec![user("continue"), turn(&second), result(C3)], &both[1..]),
        ("a cleared result", vec![user("go"), turn(&first), cleared(), turn(&second), result(C3)], both),
        (
            "another order",
            vec![user("go"), turn(&first), result(C2), result(C1), turn(&second), result(C3)],
            both,
        ),
        ("no text", vec![user("go"), textless(&first), result(C1), result(C2), textless(&second)], both),
    ];
    for (what, messages, expected) in cases {
        let mut next = request(messages);
        replay.restore(None, &mut next, now);
        assert_eq!(seals(&next), expected, "{what}");
    }
}

#[test]
fn calls_are_found_by_ids_of_a_kind_alone() {
    for (id, unique) in [
        ("toolu_01A09q90qw90lq917835lq9", true),
        ("call_0d5b1f", false),
        ("call_12345678", false),
        ("tool_0_fetch_website", false),
        ("functions.bash:0", false),
        ("D681PevKs", true),
        ("call_Ab3dE6f8Ab3dE6f8Ab3dE6f8", true),
        // Made by byok of a call without one.
        ("call_0f3a5b7c9d1e2f3a5b7c9d1e", false),
        ("", false),
    ] {
        assert_eq!(is_unique(id), unique, "{id}");
    }
    let unique = "call_b7e4f0a9c2d1";
    let client = |name| ClientKeyId::new(name).unwrap();
    let (own, other) = (client("own"), client("other"));
    let history = |begun: &str, id: &str, arguments: &str| {
        request(vec![user(begun), said(vec![call(id, arguments)]), result(id)])
    };
    let (replay, now) = (Replay::default(), Instant::now());
    let made = "call_0f3a5b7c9d1e2f3a5b7c9d1e";
    for (data, begun) in [("S1", "go"), ("S2", "stop")] {
        let place = Place::behind(Some(&own), &request(vec![user(begun)]));
        for id in ["call_0", made] {
            replay.keep(place, &[thought(data), call(id, "{}")], LIMIT, now);
        }
    }
    let place = Place::behind(Some(&own), &request(vec![user("go")]));
    replay.keep(place, &[thought("S3"), call(unique, "{}")], LIMIT, now);
    for (mut next, client, expected) in [
        (history("go", "call_0", "{}"), &own, ["S1"].as_slice()),
        (history("stop", "call_0", "{}"), &own, &["S2"]),
        (history("sum", "call_0", "{}"), &own, &[]),
        (history("go", made, "{}"), &own, &["S1"]),
        (history("stop", made, "{}"), &own, &["S2"]),
        (history("sum", unique, "{}"), &own, &["S3"]),
        // Its client has cut the arguments short.
        (history("sum", unique, r#"{"a":1}"#), &own, &["S3"]),
        (history("go", unique, "{}"), &other, &[]),
    ] {
        replay.restore(Some(client), &mut next, now);
        assert_eq!(seals(&next), expected, "{:?}", next.messages);
    }
    // Should one come twice, nobody can say whose it is.
    let place = Place::behind(Some(&own), &request(vec![user("stop")]));
    replay.keep(place, &[thought("S4"), call(unique, "{}")], LIMIT, now);
    let mut next = history("go", unique, "{}");
    replay.restore(Some(&own), &mut next, now);
    assert_eq!(seals(&next), [""; 0]);
}

#[test]
fn calls_are_found_however_their_arguments_are_written() {
    for (id, drawn) in [
        ("toolu_01A09q90qw90lq917835lq9", true),
        ("call_550e8400-e29b-41d4-a716-44665544000a", false),
        ("call_b7e4f0a9c2d1", true),
        ("D681PevKs", false),
        ("call_getweather01", false),
        ("call_0f3a5b7c9d1e2f3a5b7c9d1e", false),
    ] {
        assert_eq!(is_drawn(id), drawn, "{id}");
    }
    for (written, again, same) in [
        (r#"{"a": 1.0}"#, r#"{"a":1}"#, true),
        (r#"{"b":1,"2":1,"1":2}"#, r#"{"1":2,"2":1,"b":1}"#, true),
        (r#"{"a":[{"y":-0.0,"x":"\u00e4"}]}"#, r#"{"a":[{"x":"ä","y":0}]}"#, true),
        (r#"{"n":9007199254740993}"#, r#"{"n":9007199254740992}"#, true),
        (r#"{"n":123456789012345678901}"#, r#"{"n":123456789012345680000}"#, true),
        ("", "{}", true),
        (r#"{"a":1}"#, r#"{"a":2}"#, false),
        (r#"{"a":[1,2]}"#, r#"{"a":[2,1]}"#, false),
        (r#"{"a":"1"}"#, r#"{"a":1}"#, false),
        (r#"{"a":1"#, r#"{"a":2"#, false),
        (r#"{"a":"b\",\"c\":1"}"#, r#"{"a":"b","c":1}"#, false),
    ] {
        // Ids that others may have, too: here the arguments count.
        for id in ["call_0", "D681PevKs"] {
            let (replay, now) = (Replay::default(), Instant::now());
            let asked = request(vec![user("go")]);
            replay.keep(Place::behind(None, &asked), &[thought("S1"), call(id, written)], LIMIT, now);
            let mut next = request(vec![user("go"), said(vec![call(id, again)]), result(id)]);
            replay.restore(None, &mut next, now);
            assert_eq!(seals(&next).len(), usize::from(same), "{id}: {written} {again}");
        }
    }
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

#[test]
fn what_is_over_is_forgotten_and_stands_in_nobodys_way() {
    let (replay, now) = (Replay::default(), Instant::now());
    let place = Place::behind(None, &request(vec![user("go")]));
    let parts = |data: &str| [thought(data), call("c1", "{}")];
    replay.keep(place, &parts("S1"), LIMIT, now);
    // Its time is over, but nobody has looked: the same turn by other reasoning is a new one.
    let later = now + KEPT;
    replay.keep(place, &parts("S2"), LIMIT, later);
    let mut next = request(vec![user("go"), said(vec![call("c1", "{}")]), result("c1")]);
    replay.restore(None, &mut next, later);
    assert_eq!(seals(&next), ["S2"]);

    let other = Place::behind(None, &request(vec![user("stop")]));
    replay.keep(other, &parts("S3"), LIMIT, later + KEPT / 2);
    let both = replay.held();
    replay.tidy(LIMIT, later + KEPT);
    assert_eq!(replay.held() * 2, both, "only the later one is of use");
    replay.tidy(0, later);
    assert_eq!((replay.held(), replay.0.lock().order.len()), (0, 0), "none are to be kept");
}
