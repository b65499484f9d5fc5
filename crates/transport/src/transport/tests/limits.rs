//! Sizes, cancellation and back-pressure.

use super::{LONG, answer, canned, direct, get_from, listen, read_head};
use crate::{CallTimeouts, TransportError};
use http_body_util::BodyExt as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::mpsc,
    time::{Duration, timeout},
};

#[tokio::test]
async fn a_buffered_answer_has_a_limit() {
    let body = [b'x'; 1000];
    let (known, _) = canned(answer("", &body)).await;
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1F4\r\n".to_owned()
        + &"x".repeat(500)
        + "\r\n1F4\r\n"
        + &"x".repeat(500)
        + "\r\n0\r\n\r\n";
    let (unknown, _) = canned(chunked).await;
    for address in [known, unknown] {
        let reply = direct().send_buffered(get_from(address), 1000).await.unwrap();
        assert_eq!(reply.body, &body[..]);
        let error = direct().send_buffered(get_from(address), 999).await.unwrap_err();
        assert!(matches!(error, TransportError::TooLarge { limit: 999, .. }), "{error:?}");
    }
}

#[tokio::test]
async fn headers_have_a_limit() {
    let many = format!("x-many: {}\r\n", "y".repeat(1000)).repeat(70);
    let (address, _) = canned(answer(&many, b"ok")).await;
    let error = direct().send(get_from(address)).await.unwrap_err();
    assert!(matches!(error, TransportError::Garbled { .. }), "{error:?}");
}

#[tokio::test]
async fn dropping_the_reply_or_the_call_hangs_up() {
    let (told, mut events) = mpsc::unbounded_channel();
    let address = listen(move |mut socket| {
        let told = told.clone();
        async move {
            let head = read_head(&mut socket).await;
            if head.contains("x-answer") {
                socket
                    .write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n")
                    .await
                    .unwrap();
            }
            told.send("asked").unwrap();
            let end = socket.read(&mut [0; 16]).await;
            assert!(matches!(end, Ok(0) | Err(_)), "the client spoke again");
            told.send("gone").unwrap();
        }
    })
    .await;
    let transport = direct();

    let mut call = get_from(address);
    call.headers.insert("x-answer", "yes".parse().unwrap());
    let mut reply = transport.send(call).await.unwrap();
    assert_eq!(reply.body.frame().await.unwrap().unwrap().into_data().unwrap(), "x");
    assert_eq!(events.recv().await, Some("asked"));
    drop(reply);
    assert_eq!(timeout(LONG, events.recv()).await.unwrap(), Some("gone"));

    let waiting = tokio::spawn({
        let transport = transport.clone();
        async move { transport.send(get_from(address)).await }
    });
    assert_eq!(events.recv().await, Some("asked"));
    waiting.abort();
    assert_eq!(timeout(LONG, events.recv()).await.unwrap(), Some("gone"));
}

#[tokio::test]
async fn a_reader_that_stops_stops_the_sender() {
    const PIECE: usize = 64 * 1024;
    const PIECES: usize = 1024;
    let (told, mut blocked_after) = mpsc::unbounded_channel();
    let address = listen(move |mut socket| {
        let told = told.clone();
        async move {
            read_head(&mut socket).await;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", PIECE * PIECES);
            socket.write_all(head.as_bytes()).await.unwrap();
            for sent in 0..PIECES {
                let mut piece = &vec![b'x'; PIECE][..];
                // A writer that gets nothing rid for this long is being held back.
                while !piece.is_empty() {
                    match timeout(Duration::from_millis(200), socket.write(piece)).await {
                        Ok(written) => piece = &piece[written.unwrap()..],
                        Err(_) => {
                            let _ = told.send(sent);
                        }
                    }
                }
            }
        }
    })
    .await;
    let mut call = get_from(address);
    call.timeouts = CallTimeouts::stream(LONG, LONG);
    let mut reply = direct().send(call).await.unwrap();
    let sent = timeout(LONG, blocked_after.recv()).await.unwrap().unwrap();
    assert!(sent < PIECES / 2, "{sent} pieces were taken although nobody read");
    let mut read = 0;
    while let Some(frame) = reply.body.frame().await {
        read += frame.unwrap().into_data().unwrap().len();
    }
    assert_eq!(read, PIECE * PIECES);
}
