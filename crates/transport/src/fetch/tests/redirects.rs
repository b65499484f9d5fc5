//! Redirects, and names that lead elsewhere the second time.

use super::{FetchError, PNG, answer, fetcher, listen, names, read_head};
use std::{net::SocketAddr, sync::Arc};
use tokio::{io::AsyncWriteExt as _, sync::mpsc};

fn redirect(status: u16, to: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} Elsewhere\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n").into_bytes()
}

/// A server that answers by path; the paths that were asked for come out of the receiver. `PORT` in an answer is its own.
async fn site(pages: &[(&'static str, Vec<u8>)]) -> (SocketAddr, mpsc::UnboundedReceiver<String>) {
    let pages: Arc<[_]> = pages.into();
    let (paths, seen) = mpsc::unbounded_channel();
    let address = listen(move |mut socket| {
        let (pages, paths) = (Arc::clone(&pages), paths.clone());
        async move {
            let head = read_head(&mut socket).await;
            let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
            let page = pages.iter().find(|(known, _)| *known == path);
            let page = page.map_or_else(|| redirect(404, "/"), |(_, page)| page.clone());
            let port = socket.local_addr().unwrap().port().to_string();
            // A picture is no text and names no port.
            let page = match String::from_utf8(page) {
                Ok(text) => text.replace("PORT", &port).into_bytes(),
                Err(picture) => picture.into_bytes(),
            };
            let _ = paths.send(path);
            let _ = socket.write_all(&page).await;
            let _ = socket.shutdown().await;
        }
    })
    .await;
    (address, seen)
}

fn all(mut seen: mpsc::UnboundedReceiver<String>) -> Vec<String> {
    let mut paths = Vec::new();
    while let Ok(path) = seen.try_recv() {
        paths.push(path);
    }
    paths
}

#[tokio::test]
async fn three_redirects_are_followed_and_each_name_is_resolved_anew() {
    let (server, seen) = site(&[
        ("/1", redirect(301, "/2")),
        ("/2", redirect(302, "http://pictures.test:PORT/3")),
        ("/3", redirect(307, "//pictures.test:PORT/4?x=y")),
        ("/4?x=y", answer("", PNG)),
    ])
    .await;
    let (fetcher, names) = fetcher(server);
    let url = format!("http://pictures.test:{}/1", server.port());
    assert_eq!(fetcher.fetch(&url, &[]).await.unwrap().bytes, PNG);
    assert_eq!(all(seen), ["/1", "/2", "/3", "/4?x=y"]);
    assert_eq!(names.asked.lock().len(), 4);
}

#[tokio::test]
async fn the_fourth_redirect_is_not_followed() {
    let (server, seen) = site(&[
        ("/1", redirect(302, "/2")),
        ("/2", redirect(303, "/3")),
        ("/3", redirect(308, "/4")),
        ("/4", redirect(302, "/5")),
        ("/5", answer("", PNG)),
    ])
    .await;
    let (fetcher, _) = fetcher(server);
    let error = fetcher.fetch(&format!("http://pictures.test:{}/1", server.port()), &[]).await.unwrap_err();
    assert!(matches!(error, FetchError::Redirect { .. }), "{error:?}");
    assert_eq!(all(seen), ["/1", "/2", "/3", "/4"]);
}

#[tokio::test]
async fn redirects_that_lead_where_nothing_is_fetched() {
    // `true`: refused by the network that it leads to, else by the text of the address.
    for (to, by_network) in [
        ("http://127.0.0.1/", true),
        ("http://127.0.0.1:80/", true),
        ("http://localhost/", true),
        ("http://2130706433/", true),
        ("http://[::1]/", true),
        ("http://[::ffff:127.0.0.1]/", true),
        ("http://[::ffff:127.0.0.1]:PORT/", true),
        ("http://127.0.0.2:PORT/", true),
        ("http://intranet.test/", true),
        ("http://169.254.169.254/latest/meta-data/iam/", true),
        ("//10.0.0.1/", true),
        ("http://127.0.0.1:22/", false),
        ("http://pictures.test:1/", false),
        ("http://ada:secret@pictures.test:PORT/", false),
        ("https://pictures.test:PORT/", false),
        ("file:///etc/passwd", false),
        ("ftp://pictures.test/", false),
        ("data:image/png;base64,iVBORw0KGgo=", false),
        ("http://", false),
    ] {
        let (server, seen) = site(&[("/", redirect(302, to))]).await;
        let (mut fetcher, _) = fetcher(server);
        let known: [(_, &[_]); 3] = [
            ("pictures.test", &["127.0.0.1"]),
            ("localhost", &["127.0.0.1"]),
            ("intranet.test", &["10.0.0.1"]),
        ];
        fetcher.resolver = names(&known);
        let error =
            fetcher.fetch(&format!("http://pictures.test:{}/", server.port()), &[]).await.unwrap_err();
        match error {
            FetchError::NotPublic { .. } => assert!(by_network, "{to}: {error}"),
            FetchError::Redirect { .. } => assert!(!by_network, "{to}: {error}"),
            other => panic!("{to}: {other:?}"),
        }
        assert_eq!(all(seen), ["/"], "{to}");
    }
}

#[tokio::test]
async fn a_redirect_that_does_not_say_where() {
    for reply in [
        "HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n".into(),
        redirect(302, "http://[bad"),
        b"HTTP/1.1 302 Found\r\nlocation: \xFF\r\ncontent-length: 0\r\n\r\n".to_vec(),
    ] {
        let error = super::fetched(reply).await.unwrap_err();
        assert!(matches!(error, FetchError::Redirect { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_the_second_time() {
    let (server, _) = site(&[("/", answer("", PNG)), ("/again", redirect(302, "/"))]).await;
    let rebinding = || names(&[("pictures.test", &["127.0.0.1", "10.0.0.1", "127.0.0.1"])]);

    // The answer that was checked is the one that is dialled: nobody asks a second time.
    let (mut fetcher, _) = fetcher(server);
    let asked = rebinding();
    fetcher.resolver = Arc::clone(&asked) as _;
    assert_eq!(
        fetcher.fetch(&format!("http://pictures.test:{}/", server.port()), &[]).await.unwrap().bytes,
        PNG
    );
    assert_eq!(asked.asked.lock().len(), 1);

    // A redirect asks again, and the new answer is checked like the first.
    fetcher.resolver = rebinding();
    let error =
        fetcher.fetch(&format!("http://pictures.test:{}/again", server.port()), &[]).await.unwrap_err();
    assert!(matches!(error, FetchError::NotPublic { .. }), "{error:?}");
}
