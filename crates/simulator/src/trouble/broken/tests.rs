use super::*;
use std::io::Read;

#[test]
fn the_bomb_is_valid_gzip_of_the_stated_size() {
    let mut body = Vec::new();
    for step in bomb(3) {
        match step {
            Step::Data(data) => body.extend_from_slice(&data),
            Step::Repeat { data, times, .. } => (0..times).for_each(|_| body.extend_from_slice(&data)),
            other => panic!("{other:?}"),
        }
    }
    assert!(body.len() < 16 * KIB, "{} bytes", body.len());
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(body.as_slice()).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, vec![b' '; 3 * MIB]);
}

#[test]
fn spoiled_text_is_no_utf8() {
    let spoiled = spoiled("data: {\"text\":\"Say \\\"hi\\\" \"}\n\n", "Say \"hi\" ");
    assert!(String::from_utf8(spoiled).is_err());
}
