//! How bytes lie on the wire, and bodies that mean harm.

use crate::{
    client::{Answer, post, simulator},
    plain::{send, text_of},
};
use byok_types::Dialect;
use serde_json::json;
use std::io::Read;

#[tokio::test]
async fn bytes_are_laid_on_the_wire_as_wished() {
    let simulator = simulator().await;
    let text = "sim:languages";
    for dialect in Dialect::ALL {
        let expected = text_of(dialect, &send(&simulator, dialect, text, true).await, true);
        for layout in ["one_byte", "coalesce", "split_utf8", "crlf", "noise", "split 1"] {
            let answer = send(&simulator, dialect, &format!("sim:{layout} {text}"), true).await;
            assert_eq!(text_of(dialect, &answer, true), expected, "{dialect} {layout}");
            match layout {
                "one_byte" => assert_eq!(answer.chunks.len(), answer.bytes().len(), "{dialect}"),
                "split_utf8" => {
                    assert!(
                        answer.chunks.iter().any(|chunk| std::str::from_utf8(chunk).is_err()),
                        "{dialect}"
                    );
                }
                "crlf" => assert!(!answer.text().replace("\r\n", "").contains('\n'), "{dialect}"),
                "noise" => {
                    assert!(answer.text().contains("\n\n: ") || answer.text().starts_with(':'), "{dialect}")
                }
                _ => {}
            }
        }
        for layout in ["gzip", "gzip_silent"] {
            let packed = send(&simulator, dialect, &format!("sim:{layout} {text}"), true).await;
            let announced = packed.header("content-encoding") == "gzip";
            assert_eq!(announced, layout == "gzip", "{dialect}");
            let mut bytes = Vec::new();
            flate2::read::GzDecoder::new(packed.bytes().as_slice()).read_to_end(&mut bytes).unwrap();
            let plain = Answer { chunks: vec![bytes.into()], ..packed };
            assert_eq!(text_of(dialect, &plain, true), expected, "{dialect} {layout}");
        }
    }
}

#[tokio::test]
async fn hostile_bodies() {
    let simulator = simulator().await;
    for dialect in Dialect::ALL {
        let invalid = send(&simulator, dialect, "sim:invalid_utf8", true).await;
        assert!(String::from_utf8(invalid.bytes()).is_err(), "{dialect}");
        let endless = send(&simulator, dialect, "sim:endless_line 2", true).await;
        let longest = endless.bytes().split(|byte| *byte == b'\n').map(<[u8]>::len).max().unwrap();
        assert!(longest >= 2 << 20, "{dialect}");
        let bomb = send(&simulator, dialect, "sim:gzip_bomb 64", false).await;
        assert!(bomb.header("content-encoding") == "gzip" && bomb.bytes().len() < 1 << 20, "{dialect}");
        let heavy = send(&simulator, dialect, "sim:huge_headers 64", true).await;
        let size: usize = heavy.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        assert!(size > 64 << 10 && text_of(dialect, &heavy, true).contains("simulator"), "{dialect}");
    }
}

#[tokio::test]
async fn benchmarks_skip_the_checks() {
    let simulator = simulator().await;
    for dialect in Dialect::ALL {
        let streamed = send(&simulator, dialect, "sim:bench chunks=50 bytes=20", true).await;
        assert!(streamed.complete && streamed.status == 200);
        assert_eq!(text_of(dialect, &streamed, true).len(), 1000, "{dialect}");
        assert!(streamed.chunks.len() >= 52, "{dialect}: opening, deltas, ending");
        let whole = send(&simulator, dialect, "sim:bench chunks=50 bytes=20", false).await;
        assert_eq!(text_of(dialect, &whole, false).len(), 1000, "{dialect}");
    }
    assert!(simulator.requests().is_empty() && simulator.request_count() == 8);
    let broken = json!({"anything": "sim:bench chunks=1", "stream": true});
    assert_eq!(post(&simulator, "/v1/chat/completions", &[], &broken).await.status, 200);
}
