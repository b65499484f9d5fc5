use super::{Bind, CallbackServer};
use crate::{AuthorizationCode, LoginError, State};
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinHandle,
};

struct Running {
    port: u16,
    state: State,
    result: JoinHandle<Result<AuthorizationCode, LoginError>>,
}

async fn start() -> Running {
    let server = CallbackServer::open(ANY, None).await.unwrap();
    let port = server.redirect_uri().unwrap().port().unwrap();
    let state = State::random();
    let result = tokio::spawn({
        let state = state.clone();
        async move { server.wait(&state).await }
    });
    Running { port, state, result }
}

impl Running {
    async fn send(&self, request: String) -> String {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        answer
    }

    async fn get(&self, target: &str) -> String {
        self.send(format!("GET {target} HTTP/1.1\r\nhost: localhost:{}\r\n\r\n", self.port)).await
    }

    async fn get_with_state(&self, query: &str) -> String {
        self.get(&format!("/callback?state={}&{query}", self.state.expose())).await
    }
}

const ANY: crate::Callback = crate::Callback { host: "localhost", ports: &[], path: "/callback" };

#[tokio::test]
async fn it_listens_on_this_machine_only() {
    let server = CallbackServer::open(ANY, None).await.unwrap();
    let addresses = server.addresses();
    assert!(addresses.iter().all(|address| address.ip().is_loopback()), "{addresses:?}");
    assert!(addresses.iter().any(SocketAddr::is_ipv4));
    let uri = server.redirect_uri().unwrap();
    assert_eq!(uri.as_str(), format!("http://localhost:{}/callback", addresses[0].port()));
    let taken =
        CallbackServer::open(crate::Callback { ports: Vec::leak(vec![addresses[0].port()]), ..ANY }, None)
            .await
            .unwrap_err();
    assert!(matches!(taken, LoginError::NoCallback(_)), "{taken:?}");
}

#[tokio::test]
async fn a_port_that_is_taken() {
    let free = || async { tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap() };
    let (first, second) = (free().await, free().await);
    let ports = [first.local_addr().unwrap().port(), second.local_addr().unwrap().port()];
    let callback = crate::Callback { ports: Vec::leak(ports.to_vec()), ..ANY };
    let error = CallbackServer::open(callback, None).await.unwrap_err();
    assert!(matches!(error, LoginError::NoCallback(_)), "{error:?}");
    assert!(error.to_string().ends_with("; log in with a pasted code instead"), "{error}");
    let told = format!("(ports {} and {}: ", ports[0], ports[1]);
    assert!(error.to_string().contains(&told), "{error}");
    drop(second);
    let server = CallbackServer::open(callback, None).await.unwrap();
    assert_eq!(server.redirect_uri().unwrap().port(), Some(ports[1]), "the next one that the vendor knows");
}

#[tokio::test]
async fn a_port_that_somebody_names() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let bind: Bind = free.to_string().parse().unwrap();
    let server = CallbackServer::open(ANY, Some(bind)).await.unwrap();
    assert_eq!(server.addresses(), [free]);
    assert_eq!(server.redirect_uri().unwrap().port(), Some(free.port()), "the one that is published");
    let registered = crate::Callback { ports: &[1455, 1457], ..ANY };
    let error = CallbackServer::open(registered, Some(bind)).await.unwrap_err().to_string();
    assert!(error.contains("the vendor knows only 1455 and 1457"), "{error}");
    for (text, shown) in [("0.0.0.0", Some("0.0.0.0")), ("[::1]:80", Some("[::1]:80")), ("localhost", None)] {
        let bind = text.parse::<Bind>().ok().map(|bind| bind.to_string());
        assert_eq!(bind.as_deref(), shown);
    }
}

#[tokio::test]
async fn a_login_that_works() {
    let running = start().await;
    let page = running.get_with_state("code=the-code%2F1").await;
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    for header in [
        "cache-control: no-store",
        "referrer-policy: no-referrer",
        "content-security-policy: default-src 'none'",
        "content-type: text/html",
    ] {
        assert!(page.contains(header), "{header} in {page}");
    }
    assert!(!page.contains("<script") && !page.contains("the-code"), "{page}");
    assert_eq!(running.result.await.unwrap().unwrap().expose(), "the-code/1");
}

#[tokio::test]
async fn what_does_not_end_the_wait() {
    let running = start().await;
    let port = running.port;
    let state = running.state.expose().to_owned();
    let other = State::random();
    let other = other.expose();
    let cases = [
        (running.get("/").await, 404),
        (running.get("/favicon.ico").await, 404),
        (running.get(&format!("/other?code=c&state={state}")).await, 404),
        (running.get("/callback").await, 400),
        (running.get("/callback?code=c").await, 400),
        (running.get(&format!("/callback?code=c&state={other}")).await, 400),
        (running.get("/callback?code=c&state=").await, 400),
        (running.get(&format!("/callback?code=c&state={state}x")).await, 400),
        (running.get(&format!("/callback?code=c&state={state}&state={other}")).await, 400),
        (running.get(&format!("/callback?code=c&code=d&state={state}")).await, 400),
        (running.get(&format!("/callback?code=&state={state}")).await, 400),
        (running.get(&format!("/callback?state={state}")).await, 400),
        (running.get(&format!("/callback?error=access_denied&state={other}")).await, 400),
        (running.send(format!("POST /callback?code=c&state={state} HTTP/1.1\r\nhost: localhost:{port}\r\ncontent-length: 0\r\n\r\n")).await, 405),
        (running.send(format!("GET /callback?code=c&state={state} HTTP/1.1\r\nhost: evil.example:{port}\r\n\r\n")).await, 403),
        (running.send(format!("GET /callback?code=c&state={state} HTTP/1.1\r\nhost: localhost:1\r\n\r\n")).await, 403),
        (running.send(format!("GET /callback?code=c&state={state} HTTP/1.0\r\n\r\n")).await, 403),
    ];
    for (page, status) in cases {
        assert!(
            page.starts_with(&format!("HTTP/1.1 {status} "))
                || page.starts_with(&format!("HTTP/1.0 {status} ")),
            "{status}: {page}"
        );
        assert!(page.contains("no-store") && !page.contains(&state), "{page}");
    }
    assert!(!running.result.is_finished());
    running.get_with_state("code=c").await;
    assert_eq!(running.result.await.unwrap().unwrap().expose(), "c");
}

#[tokio::test]
async fn a_login_that_is_refused() {
    let running = start().await;
    let page = running
        .get_with_state("error=access_denied&error_description=%3Cscript%3Ealert(1)%3C%2Fscript%3E%0A%22x%22&error_uri=https://claude.ai/x")
        .await;
    assert!(page.starts_with("HTTP/1.1 400 "), "{page}");
    assert!(page.contains("&lt;script&gt;alert(1)") && !page.contains("<script"), "{page}");
    match running.result.await.unwrap().unwrap_err() {
        LoginError::Refused { why, page } => {
            assert_eq!(why, r#"access_denied: <script>alert(1)</script> "x""#);
            assert_eq!(page.unwrap().as_str(), "https://claude.ai/x");
        }
        other => panic!("{other:?}"),
    }
    // A page that another site wants to be seen.
    let running = start().await;
    let page = running
        .get("/callback?error=access_denied&error_description=hold&error_uri=https://claude.ai/x")
        .await;
    assert!(page.starts_with("HTTP/1.1 400 ") && !page.contains("hold"), "{page}");
    running.get("/callback?error=access_denied").await;
    // The login goes on, and ends by what belongs to it.
    running.get_with_state("error=access_denied").await;
    assert!(matches!(running.result.await.unwrap(), Err(LoginError::Denied { .. })));
    let port = running.port;
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err(), "whoever tries again wants the port");
}

#[tokio::test]
async fn a_second_tab_gets_a_polite_page() {
    let server = CallbackServer::open(ANY, None).await.unwrap();
    let port = server.redirect_uri().unwrap().port().unwrap();
    let state = State::random();
    let request =
        format!("GET /callback?code=c&state={} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n\r\n", state.expose());
    // Both are in the queue before the server looks at either.
    let mut tabs = Vec::new();
    for _ in 0..2 {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        tabs.push(socket);
    }
    assert_eq!(server.wait(&state).await.unwrap().expose(), "c");
    let mut pages = Vec::new();
    for mut socket in tabs {
        let mut page = String::new();
        socket.read_to_string(&mut page).await.unwrap();
        pages.push(page);
    }
    // And one that is loaded anew, a moment later.
    let mut again = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    again.write_all(request.as_bytes()).await.unwrap();
    pages.push(String::new());
    again.read_to_string(&mut pages[2]).await.unwrap();
    assert!(pages[0].starts_with("HTTP/1.1 200 "), "{}", pages[0]);
    for page in &pages[1..] {
        assert!(page.starts_with("HTTP/1.1 409 ") && page.contains("Already done"), "{page}");
    }
    tokio::time::pause();
    tokio::time::sleep(super::LINGER + std::time::Duration::from_secs(1)).await;
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err(), "the port is closed in the end");
}

#[tokio::test(start_paused = true)]
async fn nobody_comes() {
    let server = CallbackServer::open(ANY, None).await.unwrap();
    let port = server.redirect_uri().unwrap().port().unwrap();
    let error = server.wait(&State::random()).await.unwrap_err();
    assert!(matches!(error, LoginError::TimedOut(limit) if limit == crate::LOGIN_WINDOW), "{error:?}");
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err(), "the port is closed");
}
