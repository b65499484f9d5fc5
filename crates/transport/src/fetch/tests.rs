mod redirects;
mod urls;

use super::{FetchError, Fetched, Fetcher, Resolve, Rules};
use crate::testing::{Tls, answer, answer_over_tls, canned, listen, read_head};
use byok_types::{Blame, Fault, Retry};
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use std::{
    io::{self, Write as _},
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::io::AsyncWriteExt as _;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";
/// Long enough for a busy machine: tests that pass never wait for it.
const LONG: Duration = Duration::from_secs(30);

/// Knows the answers that it is given, in their order; the last one holds from then on. Keeps what it was asked.
#[derive(Default)]
struct Names {
    answers: Vec<(&'static str, Vec<Vec<IpAddr>>)>,
    asked: Mutex<Vec<String>>,
}

impl Resolve for Names {
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        let mut asked = self.asked.lock();
        let times = asked.iter().filter(|earlier| *earlier == name).count();
        asked.push(name.to_owned());
        let answers = self.answers.iter().find(|(known, _)| *known == name).map(|(_, answers)| answers);
        let answer = answers.map(|list| list[times.min(list.len() - 1)].clone());
        Box::pin(async move { answer.ok_or_else(|| io::Error::other("no such name")) })
    }
}

fn names(answers: &[(&'static str, &[&str])]) -> Arc<Names> {
    let answers = answers.iter().map(|(name, list)| (*name, list.iter().map(|one| parsed(one)).collect()));
    Arc::new(Names { answers: answers.collect(), asked: Mutex::default() })
}

fn parsed(list: &str) -> Vec<IpAddr> {
    list.split_whitespace().map(|address| address.parse().unwrap()).collect()
}

/// A fetcher that may ask `server` in the clear, under the name `pictures.test`, and otherwise keeps the rules.
fn fetcher(server: SocketAddr) -> (Fetcher, Arc<Names>) {
    let names = names(&[("pictures.test", &["127.0.0.1"])]);
    let rules = Rules { plain_http: true, exempt: vec![server], time: LONG, ..Rules::default() };
    (Fetcher { resolver: Arc::clone(&names) as _, rules }, names)
}

async fn fetched(reply: impl Into<Vec<u8>>) -> Result<Fetched, FetchError> {
    let (server, _) = canned(reply).await;
    fetcher(server).0.fetch(&format!("http://pictures.test:{}/a?b", server.port()), &[]).await
}

#[tokio::test]
async fn what_is_asked_and_what_comes_back() {
    let (server, mut heads) = canned(answer("content-type: text/html\r\nset-cookie: a=b\r\n", PNG)).await;
    let (fetcher, names) = fetcher(server);
    let url = format!("http://pictures.test:{}/a%20b.png?size=1#part", server.port());
    let found = fetcher.fetch(&url, &[]).await.unwrap();
    assert_eq!(found, Fetched { media_type: "image/png", bytes: PNG.into() });
    assert_eq!(*names.asked.lock(), ["pictures.test"]);
    let head = heads.recv().await.unwrap();
    assert!(head.starts_with("GET /a%20b.png?size=1 HTTP/1.1\r\n"), "{head}");
    let mut fields: Vec<_> = head.lines().filter_map(|line| line.split_once(": ")).collect();
    fields.sort_unstable();
    let host = format!("pictures.test:{}", server.port());
    let accept = "image/jpeg,image/png,image/gif,image/webp,application/pdf";
    assert_eq!(
        fields,
        [
            ("accept", accept),
            ("accept-encoding", "identity"),
            ("host", host.as_str()),
            ("user-agent", crate::USER_AGENT)
        ],
        "and no credential"
    );
}

#[tokio::test]
async fn the_bytes_say_what_it_is() {
    let jpeg: &[u8] = b"\xFF\xD8\xFF\xE0..";
    for (bytes, expected) in [
        (PNG, Some("image/png")),
        (jpeg, Some("image/jpeg")),
        (b"GIF87a..", Some("image/gif")),
        (b"GIF89a..", Some("image/gif")),
        (b"RIFF\x10\0\0\0WEBPVP8 ", Some("image/webp")),
        (b"%PDF-1.7\n", Some("application/pdf")),
        (b"RIFF\x10\0\0\0WAVEfmt ", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
        (b"<!doctype html><title>Log in</title>", None),
        (b"{\"access_token\":\"...\"}", None),
        (b"\x1f\x8b\x08\0\0\0\0\0", None),
        (b"BM\x1e\0\0\0", None),
        (b"\x89PN", None),
        (b" %PDF-1.7", None),
        (b"", None),
    ] {
        let found = fetched(answer("content-type: image/png\r\n", bytes)).await;
        match (found, expected) {
            (Ok(found), Some(expected)) => assert_eq!(found.media_type, expected),
            (Err(FetchError::WrongType { .. }), None) => {}
            (found, expected) => panic!("{bytes:?}: {found:?}, not {expected:?}"),
        }
    }
}

#[tokio::test]
async fn only_a_whole_answer_counts() {
    for (line, blame) in [
        ("204 No Content", Blame::Client),
        ("206 Partial Content", Blame::Client),
        ("304 Not Modified", Blame::Client),
        ("401 Unauthorized", Blame::Client),
        ("404 Not Found", Blame::Client),
        ("503 Service Unavailable", Blame::Upstream),
    ] {
        let error = fetched(format!("HTTP/1.1 {line}\r\ncontent-length: 0\r\n\r\n")).await.unwrap_err();
        assert!(matches!(error, FetchError::Status { status, .. } if line.starts_with(status.as_str())));
        assert_eq!(error.blame(), blame, "{line}");
    }
    let mut cut = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n".to_vec();
    cut.extend_from_slice(PNG);
    let error = fetched(cut).await.unwrap_err();
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error:?}");
    assert_eq!((error.blame(), error.retry()), (Blame::Upstream, Retry::Now));
}

#[tokio::test]
async fn too_many_bytes() {
    let limit = PNG.len();
    let body = |bytes: usize| [PNG, &vec![b'.'; bytes - PNG.len()]].concat();
    // Announced, and not announced: the end of the connection is the end of the body.
    let silent = |bytes| [b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), body(bytes)].concat();
    for (reply, fits) in [
        (answer("", &body(limit)), true),
        (silent(limit), true),
        (answer("", &body(limit + 1)), false),
        (silent(limit + 1), false),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999\r\n\r\n".to_vec(), false),
    ] {
        let (server, _) = canned(reply).await;
        let (mut fetcher, _) = fetcher(server);
        fetcher.rules.limit = limit;
        let found = fetcher.fetch(&format!("http://pictures.test:{}/", server.port()), &[]).await;
        match found {
            Ok(found) => assert!(fits, "{} bytes are too many", found.bytes.len()),
            Err(FetchError::TooLarge { limit: stated, .. }) => assert!(!fits && stated == limit),
            Err(other) => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_never_resolved() {
    struct Silent;
    impl Resolve for Silent {
        fn resolve<'a>(&'a self, _: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
            Box::pin(std::future::pending())
        }
    }
    let fetcher = Fetcher { resolver: Arc::new(Silent), rules: Rules::default() };
    let started = tokio::time::Instant::now();
    let error = fetcher.fetch("https://pictures.test/a", &[]).await.unwrap_err();
    assert!(matches!(error, FetchError::Timeout { .. }), "{error:?}");
    assert_eq!(started.elapsed().as_secs(), 10);
}

#[tokio::test]
async fn a_server_that_stops() {
    for head in ["", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n"] {
        let server = listen(move |mut socket| async move {
            read_head(&mut socket).await;
            socket.write_all(head.as_bytes()).await.unwrap();
            std::future::pending::<()>().await;
        })
        .await;
        let (mut fetcher, _) = fetcher(server);
        fetcher.rules.time = Duration::from_millis(200);
        let url = format!("http://pictures.test:{}/", server.port());
        let error = fetcher.fetch(&url, &[]).await.unwrap_err();
        assert!(matches!(error, FetchError::Timeout { .. }), "{error:?}");
        assert_eq!((error.blame(), error.retry()), (Blame::Upstream, Retry::Now));
    }
}

#[tokio::test]
async fn the_name_of_the_certificate_counts_not_the_address() {
    let tls = Tls::new();
    let acceptor = tls.acceptor.clone();
    let server = listen(move |socket| answer_over_tls(acceptor.clone(), socket)).await;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(tls.ca_pem.as_bytes()).unwrap();
    let trusted = [file.path().to_owned()];
    let names = names(&[("upstream.test", &["127.0.0.1"]), ("other.test", &["127.0.0.1"])]);
    let rules = Rules { exempt: vec![server], time: LONG, ..Rules::default() };
    let fetcher = Fetcher { resolver: names, rules };
    let fetch = |name: &str, files| {
        let (fetcher, url) = (fetcher.clone(), format!("https://{name}:{}/", server.port()));
        async move { fetcher.fetch(&url, files).await.unwrap_err() }
    };
    // The server says `ok`, which is no picture: the connection was good.
    let reached = fetch("upstream.test", &trusted[..]).await;
    assert!(matches!(reached, FetchError::WrongType { .. }), "{reached:?}");
    for (name, files) in [("other.test", &trusted[..]), ("upstream.test", &[])] {
        let error = fetch(name, files).await;
        assert!(matches!(error, FetchError::Unreachable { .. }), "{name}: {error:?}");
    }
    let missing = fetch("upstream.test", &["/no/such/file.pem".into()]).await;
    assert!(matches!(missing, FetchError::Setup(_)), "{missing:?}");
    assert_eq!(missing.retry(), Retry::AfterPerson);
}

#[tokio::test]
async fn no_error_shows_path_or_query() {
    let (hangs_up, _) = canned("").await;
    let (no_picture, _) = canned(answer("", b"canary")).await;
    let (elsewhere, _) =
        canned("HTTP/1.1 302 Found\r\nlocation: file:///canary\r\ncontent-length: 0\r\n\r\n").await;
    let closed = SocketAddr::from(([127, 0, 0, 1], 1));
    for server in [hangs_up, no_picture, elsewhere, closed] {
        let (fetcher, _) = fetcher(server);
        for name in ["pictures.test", "nobody.test", "127.0.0.1", "10.0.0.1"] {
            let url = format!("http://{name}:{}/canary-path?key=canary-query", server.port());
            let error = fetcher.fetch(&url, &[]).await.unwrap_err();
            let mut text = format!("{error} {error:?}");
            let mut source = std::error::Error::source(&error);
            while let Some(cause) = source {
                text.push_str(&cause.to_string());
                source = cause.source();
            }
            assert!(!text.contains("canary"), "{text}");
        }
    }
}

#[tokio::test]
async fn a_proxy_of_the_environment_is_not_asked() {
    let (proxy, mut heads) = canned(answer("", PNG)).await;
    // A process of its own, because the environment belongs to all tests of this one.
    let child = tokio::task::spawn_blocking(move || {
        let proxy = format!("http://{proxy}");
        std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--ignored", "fetch::tests::with_a_proxy_in_the_environment"])
            .envs(["HTTP_PROXY", "http_proxy", "ALL_PROXY"].map(|name| (name, proxy.clone())))
            .env_remove("NO_PROXY")
            .env_remove("no_proxy")
            .output()
            .unwrap()
    });
    let output = child.await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    assert!(heads.try_recv().is_err());
}

#[tokio::test]
#[ignore = "run by `a_proxy_of_the_environment_is_not_asked`"]
async fn with_a_proxy_in_the_environment() {
    assert!(std::env::var_os("HTTP_PROXY").is_some());
    assert_eq!(fetched(answer("", PNG)).await.unwrap().bytes, PNG);
}
