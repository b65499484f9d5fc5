use super::*;
use crate::{body::Step, scenario::Script};
use byok_types::Dialect;
use std::{io::Read, time::Duration};

const TEXTS: [&str; 3] = ["data: {\"a\":1}\n\n", "data: {\"t\":\"schöne 早上 👩‍👦\"}\n\n", "data: [DONE]\n\n"];

fn steps(scenario: &str) -> Vec<Step> {
    let items =
        TEXTS.iter().map(|text| Item::from(Frame { role: Role::Delta, text: (*text).to_owned() })).collect();
    let script = Script::read("", scenario, None).unwrap();
    lay_out(items, &script, Dialect::Chat, Duration::ZERO)
}

fn chunks(scenario: &str) -> Vec<Vec<u8>> {
    steps(scenario)
        .into_iter()
        .filter_map(|step| match step {
            Step::Data(data) => Some(data.to_vec()),
            _ => None,
        })
        .collect()
}

#[test]
fn every_layout_keeps_the_bytes() {
    let whole = TEXTS.concat();
    for scenario in ["sim:one_byte", "sim:coalesce", "sim:split_utf8", "sim:pace 5", "hello"] {
        assert_eq!(chunks(scenario).concat(), whole.as_bytes(), "{scenario}");
    }
    assert_eq!(chunks("sim:crlf").concat(), whole.replace('\n', "\r\n").as_bytes());
}

#[test]
fn layouts_differ_in_their_chunks() {
    let bytes: usize = TEXTS.iter().map(|text| text.len()).sum();
    assert_eq!(chunks("sim:one_byte").len(), bytes);
    assert_eq!(chunks("sim:coalesce").len(), 1);
    assert_eq!(chunks("hello").len(), 3);
    let split = chunks("sim:split_utf8");
    assert!(split.iter().any(|chunk| std::str::from_utf8(chunk).is_err()), "no character is cut");
}

#[test]
fn noise_stands_between_the_frames() {
    let text = String::from_utf8(chunks("sim:noise").concat()).unwrap();
    assert!(text.contains(": OPENROUTER") && TEXTS.iter().all(|frame| text.contains(frame)));
}

#[test]
fn compressed_bytes_unpack_to_the_stream() {
    let bytes = chunks("sim:gzip").concat();
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap();
    assert_eq!(text, TEXTS.concat());
}

#[test]
fn pauses_stand_before_deltas() {
    let waits: Vec<_> = steps("sim:pace 5 100")
        .into_iter()
        .filter_map(|step| match step {
            Step::Wait(pause) => Some(pause.as_millis()),
            _ => None,
        })
        .collect();
    assert_eq!(waits, [105, 5, 5]);
}
