use super::*;
use crate::{Exchange, StreamReader, ir};
use byok_types::{Dialect, ModelFacts};

fn frames(chunks: &[&[u8]]) -> Vec<(String, String)> {
    let mut decoder = Decoder::default();
    let mut out = Vec::new();
    let mut each = |frame: Frame<'_>| {
        out.push((
            String::from_utf8_lossy(frame.event).into_owned(),
            String::from_utf8_lossy(frame.data).into_owned(),
        ));
    };
    for chunk in chunks {
        decoder.push(chunk, &mut each).unwrap();
    }
    decoder.finish(&mut each).unwrap();
    out
}

const CASES: &[(&str, &[(&str, &str)])] = &[
    ("data: a\n\n", &[("", "a")]),
    ("data:a\n\n", &[("", "a")]),
    ("data:  a\n\n", &[("", " a")]),
    ("event: x\ndata: {}\n\n", &[("x", "{}")]),
    ("event: x\r\ndata: {}\r\n\r\ndata: b\r\n\r\n", &[("x", "{}"), ("", "b")]),
    ("data: a\r\rdata: b\r\r", &[("", "a"), ("", "b")]),
    ("data: {\"a\":\ndata: 1}\n\n", &[("", "{\"a\":\n1}")]),
    (": comment\n\ndata: a\n\n", &[("", "a")]),
    ("id: 1\nretry: 5\nfoo: bar\ndata: a\n\n", &[("", "a")]),
    ("\u{feff}data: a\n\n", &[("", "a")]),
    ("data: a", &[("", "a")]),
    ("data: a\n", &[("", "a")]),
    ("data: data: {\"a\":1}\n\n", &[("", "{\"a\":1}")]),
    ("event: only\n\ndata: b\n\n", &[("", "b")]),
    ("data\n\n", &[("", "")]),
    ("data: grüße 你好\n\n", &[("", "grüße 你好")]),
    (
        "data: a\n\n{\n  \"error\": {\n    \"code\": 503\n  }\n}\n",
        &[("", "a"), ("", "{\n  \"error\": {\n    \"code\": 503\n  }\n}")],
    ),
    ("[{\"a\":1}\r\n,\r\n{\"a\":2}]", &[("", "[{\"a\":1}\n,\n{\"a\":2}]")]),
    ("{\"a\":1}\ndata: b\n\n{}\n\n", &[("", "{\"a\":1}"), ("", "b"), ("", "{}")]),
    ("data: a\n{}\n\n", &[("", "a")]),
    ("", &[]),
    ("\n\n\n", &[]),
];

#[test]
fn cases_whole_and_at_every_split() {
    for (input, expected) in CASES {
        let expected: Vec<_> = expected.iter().map(|(e, d)| ((*e).to_owned(), (*d).to_owned())).collect();
        let bytes = input.as_bytes();
        assert_eq!(frames(&[bytes]), expected, "{input:?} whole");
        for split in 0..=bytes.len() {
            let (a, b) = bytes.split_at(split);
            assert_eq!(frames(&[a, b]), expected, "{input:?} split at {split}");
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(frames(&single), expected, "{input:?} byte by byte");
    }
}

#[test]
fn a_line_without_an_end_is_refused_at_the_limit() {
    let mut decoder = Decoder::new(100);
    let refused = (0..20).find_map(|_| decoder.push(b"data: aaaa", |_| {}).err());
    assert_eq!(refused, Some(FrameTooLarge { limit: 100 }));
    let mut decoder = Decoder::new(100);
    let refused = (0..40).find_map(|_| decoder.push(b"data: aaaa\n", |_| {}).err());
    assert_eq!(refused, Some(FrameTooLarge { limit: 100 }));
}

#[test]
fn the_line_ends_within_a_frame_count() {
    for (limit, fits) in [(16, false), (17, true)] {
        let read = Decoder::new(limit).push(b"data: aaaaaaaa\ndata: aaaaaaaa\n", |_| {});
        assert_eq!(read.is_ok(), fits, "{limit}");
    }
}

#[test]
fn a_line_of_five_megabytes_passes() {
    let line = format!("data: {}\n\n", "x".repeat(5 << 20));
    let seen = frames(&line.as_bytes().chunks(16 << 10).collect::<Vec<_>>());
    assert_eq!(seen[0].1.len(), 5 << 20);
}

#[test]
fn what_is_no_json_in_the_middle_of_a_stream_ends_it() {
    let exchange = |upstream| {
        let request = ir::Request::new(Dialect::Messages, "m");
        Exchange::new(&request, &ModelFacts::default(), upstream, 0, "seed")
    };
    for upstream in Dialect::ALL {
        for (data, ends) in [("{oops", true), ("<html>", true), ("[DONE]", false), ("", false)] {
            let mut reader = StreamReader::new(&exchange(upstream), 1 << 20);
            let mut events = Vec::new();
            reader.push(format!("data: {data}\n\n").as_bytes(), &mut events);
            let failed = events.iter().any(|event| match event {
                ir::Event::Failure(f) => f.message.contains("not") || f.message.contains("broke"),
                _ => false,
            });
            assert_eq!(failed, ends, "{upstream}: {data}: {events:?}");
        }
    }
}

#[test]
fn what_breaks_off_is_told_without_the_words_of_the_answer() {
    for (data, told) in [
        ("", None),
        ("[DONE]", None),
        (r#"{"a":1}"#, None),
        ("upstream connect error", Some("is not JSON: upstream connect error")),
        (r#"{"content":"my diary"#, Some("in the middle, after 20 bytes of JSON")),
        ("[ERROR] no more", Some("is not JSON: [ERROR] no more")),
        (r#"[{"text":"my diary"#, Some("in the middle, after 18 bytes of JSON")),
    ] {
        let message = unreadable(data).map(|failure| failure.message);
        assert_eq!(message.is_some(), told.is_some(), "{data}");
        let message = message.unwrap_or_default();
        assert!(message.ends_with(told.unwrap_or_default()) && !message.contains("diary"), "{message}");
    }
}
