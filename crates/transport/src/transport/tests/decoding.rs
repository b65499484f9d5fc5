//! Compressed answers.

use super::{LONG, answer, canned, direct, get_from, listen, read_head};
use crate::{CallTimeouts, TransportError};
use async_compression::tokio::write::{BrotliEncoder, GzipEncoder, ZlibEncoder, ZstdEncoder};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http_body_util::BodyExt as _;
use std::io::Write as _;
use tokio::{io::AsyncWriteExt as _, sync::oneshot};

const LIMIT: usize = 256 * 1024 * 1024;

macro_rules! compressed {
    ($encoder:ident, $body:expr) => {{
        let mut encoder = $encoder::new(Vec::new());
        encoder.write_all($body).await.unwrap();
        encoder.shutdown().await.unwrap();
        encoder.into_inner()
    }};
}

#[tokio::test]
async fn t27_every_coding_is_undone() {
    let body = "event: x\ndata: {\"text\":\"grüße\"}\n\n".repeat(100);
    let cases = [
        ("content-encoding: gzip\r\n", compressed!(GzipEncoder, body.as_bytes())),
        ("content-encoding: deflate\r\n", compressed!(ZlibEncoder, body.as_bytes())),
        ("content-encoding: br\r\n", compressed!(BrotliEncoder, body.as_bytes())),
        ("content-encoding: zstd\r\n", compressed!(ZstdEncoder, body.as_bytes())),
        ("", compressed!(GzipEncoder, body.as_bytes())),
        ("", compressed!(ZstdEncoder, body.as_bytes())),
        ("", body.clone().into_bytes()),
        ("content-encoding: identity\r\n", body.clone().into_bytes()),
    ];
    for (header, sent) in cases {
        let (address, _) = canned(answer(header, &sent)).await;
        let reply = direct().send_buffered(get_from(address), LIMIT).await.unwrap();
        assert_eq!(reply.body, body, "{header:?}");
        if header.contains("gzip") {
            assert!(!reply.headers.contains_key("content-encoding"));
            assert!(!reply.headers.contains_key("content-length"));
        }
        let mut call = get_from(address);
        call.decode = false;
        assert_eq!(direct().send_buffered(call, LIMIT).await.unwrap().body, sent, "left alone: {header:?}");
    }
}

#[tokio::test]
async fn short_bodies_are_not_mistaken() {
    for body in [&b""[..], b"(", b"\x1f", b"(\xb5", b"{}"] {
        let (address, _) = canned(answer("", body)).await;
        assert_eq!(direct().send_buffered(get_from(address), 10).await.unwrap().body, body);
    }
}

#[tokio::test]
async fn bombs_do_not_go_off() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![0; 1024 * 1024];
    for _ in 0..30 {
        encoder.write_all(&zeros).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    for header in ["content-encoding: gzip\r\n", ""] {
        let (address, _) = canned(answer(header, &bomb)).await;
        let mut reply = direct().send(get_from(address)).await.unwrap();
        let mut read = 0;
        let error = loop {
            match reply.body.frame().await.unwrap() {
                Ok(frame) => read += frame.into_data().unwrap().len(),
                Err(error) => break error,
            }
        };
        assert!(matches!(error, TransportError::Decode { .. }), "{error:?}");
        assert!(read < 20 * 1024 * 1024, "{read} bytes came out");
        assert!(reply.body.frame().await.is_none(), "nothing comes after an error");
    }
}

#[tokio::test]
async fn decoded_bodies_have_a_limit() {
    let body: Vec<u8> = (0..800_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let (address, _) = canned(answer("content-encoding: gzip\r\n", &compressed!(GzipEncoder, &body))).await;
    let options = super::TransportOptions {
        proxy: super::ProxyChoice::Direct,
        decode_limit: 2_000_000,
        ..super::TransportOptions::default()
    };
    let error =
        super::Transport::new(options).unwrap().send_buffered(get_from(address), LIMIT).await.unwrap_err();
    assert!(matches!(error, TransportError::Decode { .. }), "{error:?}");
}

#[tokio::test]
async fn broken_compression_is_an_error() {
    let whole = compressed!(GzipEncoder, b"some text that is long enough");
    let cases = [
        answer("content-encoding: gzip, gzip\r\n", &whole),
        answer("content-encoding: compress\r\n", &whole),
        answer("content-encoding: gzip\r\n", &whole[..whole.len() - 12]),
        answer("content-encoding: gzip\r\n", b"not gzip at all"),
    ];
    for sent in cases {
        let (address, _) = canned(sent).await;
        let error = direct().send_buffered(get_from(address), LIMIT).await.unwrap_err();
        assert!(matches!(error, TransportError::Decode { .. }), "{error:?}");
    }
    let mut cut = answer("content-encoding: gzip\r\n", &whole);
    cut.truncate(cut.len() - 5);
    let (address, _) = canned(cut).await;
    let error = direct().send_buffered(get_from(address), LIMIT).await.unwrap_err();
    assert!(matches!(error, TransportError::Reset { after_headers: true, .. }), "{error:?}");
}

#[tokio::test]
async fn a_compressed_stream_is_not_held_back() {
    let (read_first, may_go_on) = oneshot::channel::<()>();
    let may_go_on = std::sync::Mutex::new(Some(may_go_on));
    let address = listen(move |mut socket| {
        let may_go_on = may_go_on.lock().unwrap().take();
        async move {
            read_head(&mut socket).await;
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(b"data: 1\n\n").unwrap();
            encoder.flush().unwrap();
            let head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\nconnection: close\r\n\r\n";
            socket.write_all(head).await.unwrap();
            socket.write_all(encoder.get_ref()).await.unwrap();
            encoder.get_mut().clear();
            may_go_on.unwrap().await.unwrap();
            encoder.write_all(b"data: 2\n\n").unwrap();
            socket.write_all(&encoder.finish().unwrap()).await.unwrap();
        }
    })
    .await;
    let mut call = get_from(address);
    call.timeouts = CallTimeouts::stream(LONG, LONG);
    let mut reply = direct().send(call).await.unwrap();
    let first = reply.body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(first, Bytes::from_static(b"data: 1\n\n"));
    read_first.send(()).unwrap();
    let rest = reply.body.collect().await.unwrap().to_bytes();
    assert_eq!(rest, Bytes::from_static(b"data: 2\n\n"));
}
